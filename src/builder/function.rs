//! Builds one function.
//!
//! Comes in: its instructions, one call each. Goes out: a [`Function`] for the module's builder. What must hold: lists are
//! laid out as [`Shape`](crate::isa::op::Shape) says; misuse is kept until there is somebody to tell.

use super::{BuildError, Callee, GlobalId, SignatureId, TableId, count};
use crate::isa::op::Op;
use crate::module::native::Target;
use crate::module::{Function, Inst, Label, MAX_LOCAL, Reg, Signature};

/// A label of the function that a [`FunctionBuilder`] builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LabelId(pub(crate) u32);

/// Builds one function, instruction by instruction.
///
/// Registers are named as in text: parameters with [`Reg::arg`], locals with [`Reg::local`] or by asking for one that
/// is not used yet with [`local`](Self::local). Every local is zero when the function is entered.
#[derive(Debug, Default)]
pub struct FunctionBuilder {
    function: Function,
    next_local: u32,
    line: u32,
    /// For each label, whether an instruction names it.
    used: Vec<bool>,
    misuse: Option<Misuse>,
}

/// What went wrong while the function's name is not known.
#[derive(Debug)]
enum Misuse {
    Rebound(u32),
    ForeignLabel,
    Registers,
}

impl FunctionBuilder {
    /// An empty function with this signature.
    #[must_use]
    pub fn new(signature: Signature) -> FunctionBuilder {
        FunctionBuilder { function: Function { signature, ..Function::default() }, ..FunctionBuilder::default() }
    }

    /// Changes the signature.
    pub fn set_signature(&mut self, signature: Signature) {
        self.function.signature = signature;
    }

    /// A local register that no earlier call returned: `r1`, `r2`, ….
    pub fn local(&mut self) -> Reg {
        if self.next_local >= MAX_LOCAL {
            self.misuse.get_or_insert(Misuse::Registers);
            return Reg::local(MAX_LOCAL);
        }
        self.next_local += 1;
        Reg::local(self.next_local)
    }

    /// The instructions from here on come from line `line` of the source; 0 for none.
    pub fn line(&mut self, line: u32) {
        self.line = line;
    }

    /// The line that the function's head stands on.
    pub fn head_line(&mut self, line: u32) {
        self.function.line = line;
    }

    /// A new label that is not bound yet; the name is for people and may be empty.
    pub fn label(&mut self, name: impl Into<String>) -> LabelId {
        self.function.labels.push(Label { name: name.into(), at: u32::MAX });
        self.used.push(false);
        LabelId(count(self.function.labels.len() - 1))
    }

    /// Puts a label before the next instruction.
    pub fn bind(&mut self, label: LabelId) {
        let here = count(self.function.insts.len());
        match self.function.labels.get_mut(label.0 as usize) {
            Some(label) if label.at == u32::MAX => label.at = here,
            Some(_) => _ = self.misuse.get_or_insert(Misuse::Rebound(label.0)),
            None => _ = self.misuse.get_or_insert(Misuse::ForeignLabel),
        }
    }

    /// Any instruction, its fields as the opcode's [`Shape`](crate::isa::op::Shape) says.
    pub fn emit(&mut self, inst: Inst) {
        self.function.insts.push(inst);
        // Without lines the function carries none at all.
        if self.line != 0 || !self.function.lines.is_empty() {
            self.function.lines.resize(self.function.insts.len() - 1, 0);
            self.function.lines.push(self.line);
        }
    }

    /// A list of operands for [`emit`](Self::emit), and what names it in a field.
    pub fn list(&mut self, items: impl IntoIterator<Item = u32>) -> u32 {
        let start = count(self.function.lists.len());
        self.function.lists.extend(items);
        start
    }

    /// The field of an instruction that names `label`.
    pub(crate) fn target(&mut self, label: LabelId) -> u32 {
        match self.used.get_mut(label.0 as usize) {
            Some(used) => *used = true,
            None => _ = self.misuse.get_or_insert(Misuse::ForeignLabel),
        }
        label.0
    }

    /// How many instructions there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.function.insts.len()
    }

    /// True while there are no instructions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.function.insts.is_empty()
    }

    /// `op d, a, b` for every opcode with two sources: arithmetic, bits, comparisons.
    pub fn value(&mut self, op: Op, d: Reg, a: Reg, b: Reg) {
        self.emit(Inst { op, d: d.field(), a: a.field(), b: b.field() });
    }

    /// `op d, a` for every opcode with one source: `neg`, `sqrt`, conversions, ….
    pub fn unary(&mut self, op: Op, d: Reg, a: Reg) {
        self.emit(Inst { op, d: d.field(), a: a.field(), b: 0 });
    }

    /// `select d, c, a, b`.
    pub fn select(&mut self, d: Reg, c: Reg, a: Reg, b: Reg) {
        let pair = self.list([a.field(), b.field()]);
        self.emit(Inst { op: Op::Select, d: d.field(), a: c.field(), b: pair });
    }

    /// `mload d, i, offset` with one of the loading opcodes.
    pub fn mload(&mut self, op: Op, d: Reg, i: Reg, offset: u32) {
        self.emit(Inst { op, d: d.field(), a: i.field(), b: offset });
    }

    /// `mstore s, i, offset` with one of the storing opcodes.
    pub fn mstore(&mut self, op: Op, s: Reg, i: Reg, offset: u32) {
        self.emit(Inst { op, d: s.field(), a: i.field(), b: offset });
    }

    /// `gget d, global`.
    pub fn gget(&mut self, d: Reg, global: GlobalId) {
        self.emit(Inst { op: Op::Gget, d: d.field(), a: 0, b: global.0 });
    }

    /// `gset global, a`.
    pub fn gset(&mut self, global: GlobalId, a: Reg) {
        self.emit(Inst { op: Op::Gset, d: 0, a: a.field(), b: global.0 });
    }

    /// `jmp label`.
    pub fn jump(&mut self, label: LabelId) {
        let b = self.target(label);
        self.emit(Inst { op: Op::Jmp, d: 0, a: 0, b });
    }

    /// `jmpt c, label`: jumps if the int `c` is not 0.
    pub fn jump_if(&mut self, c: Reg, label: LabelId) {
        let b = self.target(label);
        self.emit(Inst { op: Op::Jmpt, d: 0, a: c.field(), b });
    }

    /// `jmpf c, label`: jumps if the int `c` is 0.
    pub fn jump_unless(&mut self, c: Reg, label: LabelId) {
        let b = self.target(label);
        self.emit(Inst { op: Op::Jmpf, d: 0, a: c.field(), b });
    }

    /// `switch i, [targets…], default`.
    pub fn switch(&mut self, i: Reg, targets: &[LabelId], default: LabelId) {
        let labels: Vec<u32> = targets.iter().chain([&default]).map(|&label| self.target(label)).collect();
        let list = self.list(std::iter::once(count(targets.len())).chain(labels));
        self.emit(Inst { op: Op::Switch, d: 0, a: i.field(), b: list });
    }

    /// `call (results…), callee, args…`; the callee is a function of the module, one of C, or an import.
    pub fn call(&mut self, results: &[Reg], callee: impl Into<Callee>, args: &[Reg]) {
        let list = self.list(counted(results).chain(counted(args)));
        let (d, a) = match callee.into() {
            Callee::Function(id) => Target::from(id).fields(),
            Callee::Extern(id) => Target::from(id).fields(),
            Callee::Import(id) => Target::from(id).fields(),
        };
        self.emit(Inst { op: Op::Call, d, a, b: list });
    }

    /// `calli (results…), table, i, signature, args…`.
    pub fn calli(&mut self, results: &[Reg], table: TableId, i: Reg, signature: SignatureId, args: &[Reg]) {
        let list = self.list(std::iter::once(signature.0).chain(counted(results)).chain(counted(args)));
        self.emit(Inst { op: Op::Calli, d: table.0, a: i.field(), b: list });
    }

    /// `ret values…`.
    pub fn ret(&mut self, values: &[Reg]) {
        let list = self.list(counted(values));
        self.emit(Inst { op: Op::Ret, d: 0, a: 0, b: list });
    }

    /// The function, and what was wrong on the way.
    pub(super) fn finish(self, name: String) -> (Function, Option<BuildError>) {
        let mut function = self.function;
        function.name = name;
        let error = self.misuse.map(|misuse| misuse.in_function(&function)).or_else(|| {
            let unbound = |(label, used): (&Label, &bool)| *used && label.at == u32::MAX;
            let label = function.labels.iter().zip(&self.used).position(unbound)?;
            Some(BuildError::Unbound { function: function.name.clone(), label: label_name(&function, label) })
        });
        // A length that fits no instruction's field would name the wrong list or label.
        let longest = function.insts.len().max(function.lists.len()).max(function.labels.len());
        let too_long = (longest >= u32::MAX as usize).then(|| BuildError::TooLong { function: function.name.clone() });
        (function, error.or(too_long))
    }
}

impl Misuse {
    fn in_function(self, function: &Function) -> BuildError {
        let name = function.name.clone();
        match self {
            Misuse::Rebound(label) => {
                BuildError::Rebound { function: name, label: label_name(function, label as usize) }
            }
            Misuse::ForeignLabel => BuildError::ForeignLabel { function: name },
            Misuse::Registers => BuildError::Registers { function: name },
        }
    }
}

fn label_name(function: &Function, label: usize) -> String {
    match function.labels[label].name.as_str() {
        "" => format!("number {label}"),
        name => name.to_owned(),
    }
}

/// A list's length and its items.
pub(super) fn counted(registers: &[Reg]) -> impl Iterator<Item = u32> {
    std::iter::once(count(registers.len())).chain(registers.iter().map(|register| register.field()))
}

/// Methods for single opcodes.
macro_rules! named {
    (
        $($two:ident $two_op:ident $two_doc:literal;)*
        .. $($one:ident $one_op:ident $one_doc:literal;)*
        .. $($zero:ident $zero_op:ident $zero_doc:literal;)*
    ) => {
        impl FunctionBuilder {
            $(#[doc = concat!("`", $two_doc, " d, a, b`.")]
            pub fn $two(&mut self, d: Reg, a: Reg, b: Reg) {
                self.value(Op::$two_op, d, a, b);
            })*
            $(#[doc = concat!("`", $one_doc, "`.")]
            pub fn $one(&mut self, d: Reg, a: Reg) {
                self.unary(Op::$one_op, d, a);
            })*
            $(#[doc = concat!("`", $zero_doc, "`.")]
            pub fn $zero(&mut self) {
                self.emit(Inst { op: Op::$zero_op, d: 0, a: 0, b: 0 });
            })*
        }
    };
}
named! {
    add AddI64 "add";
    sub SubI64 "sub";
    mul MulI64 "mul";
    div DivI64 "div";
    rem ModI64 "mod";
    and AndI64 "and";
    or OrI64 "or";
    xor XorI64 "xor";
    shl ShlI64 "shl";
    shr ShrI64 "shr";
    shru ShruI64 "shru";
    eq EqI64 "eq";
    ne NeI64 "ne";
    less LessI64 "less";
    leq LeqI64 "leq";
    add_f64 AddF64 "add.f64";
    sub_f64 SubF64 "sub.f64";
    mul_f64 MulF64 "mul.f64";
    div_f64 DivF64 "div.f64";
    ..
    copy Move "move d, a";
    neg NegI64 "neg d, a";
    not NotI64 "not d, a";
    mgrow Mgrow "mgrow d, n";
    arg Arg "arg d, i";
    ..
    halt Halt "halt";
    trap Trap "trap";
}

impl FunctionBuilder {
    /// `const.i32 d, value`.
    pub fn const_i32(&mut self, d: Reg, value: i32) {
        self.emit(Inst::constant(Op::ConstI32, d.field(), u64::from(value.cast_unsigned())));
    }

    /// `const.i64 d, value`.
    pub fn const_i64(&mut self, d: Reg, value: i64) {
        self.emit(Inst::constant(Op::ConstI64, d.field(), value.cast_unsigned()));
    }

    /// `const.f32 d, value`.
    pub fn const_f32(&mut self, d: Reg, value: f32) {
        self.emit(Inst::constant(Op::ConstF32, d.field(), u64::from(value.to_bits())));
    }

    /// `const.f64 d, value`.
    pub fn const_f64(&mut self, d: Reg, value: f64) {
        self.emit(Inst::constant(Op::ConstF64, d.field(), value.to_bits()));
    }

    /// `msize d`.
    pub fn msize(&mut self, d: Reg) {
        self.emit(Inst { op: Op::Msize, d: d.field(), a: 0, b: 0 });
    }

    /// `mcopy dst, src, n`.
    pub fn mcopy(&mut self, dst: Reg, src: Reg, n: Reg) {
        self.value(Op::Mcopy, dst, src, n);
    }

    /// `mfill dst, byte, n`.
    pub fn mfill(&mut self, dst: Reg, byte: Reg, n: Reg) {
        self.value(Op::Mfill, dst, byte, n);
    }

    /// `print a`.
    pub fn print(&mut self, a: Reg) {
        self.emit(Inst { op: Op::Print, d: 0, a: a.field(), b: 0 });
    }

    /// `read d`.
    pub fn read(&mut self, d: Reg) {
        self.emit(Inst { op: Op::Read, d: d.field(), a: 0, b: 0 });
    }
}
