//! Reads the statements of one function.
//!
//! Comes in: labels and instructions, line by line, and the names that items define. Goes out: the calls of a
//! [`FunctionBuilder`]. What must hold: what an operand is comes from [`parts`](super::parts) alone.

use std::borrow::Cow;
use std::collections::HashMap;

use super::cursor::{Cursor, brief};
use super::custom::{HELP, Opcodes};
use super::fault::{Fault, Spot};
use super::lex::{Kind, Token};
use super::names::{callee, find, target};
use super::native::abi;
use super::parse::Scope;
use super::parts::{Part, count, parts, usage};
use super::suggest::nearest;
use super::{items, mnemonic};
use crate::builder::{FunctionBuilder, LabelId, ModuleBuilder};
use crate::isa::op::{Op, Row, Type};
use crate::module::native::Abi;
use crate::module::{Inst, Signature};

/// A label: named by a jump, placed, or both.
struct Mark {
    id: LabelId,
    used: Spot,
    placed: Option<Spot>,
}

/// What the instructions say about the signature.
#[derive(Clone, Copy, Default)]
struct Seen {
    params: usize,
    results: usize,
}

/// A function that is being read.
pub struct Body<'t> {
    /// Its number in the module.
    pub index: u32,
    name: Cow<'t, str>,
    pub(super) builder: FunctionBuilder,
    labels: HashMap<Cow<'t, str>, Mark>,
    /// Whether the signature is not written.
    inferred: bool,
    seen: Seen,
    /// A list that is being read.
    pub(super) list: Vec<u32>,
}

/// What instructions refer to outside of their function.
struct Outside<'a, 't> {
    scope: &'a Scope<'t>,
    module: &'a mut ModuleBuilder,
}

impl<'t> Body<'t> {
    /// The body of function number `index`; its signature is inferred if none is written.
    pub fn new(index: u32, name: Cow<'t, str>, signature: Option<Signature>, line: u32) -> Body<'t> {
        let inferred = signature.is_none();
        let mut builder = FunctionBuilder::new(signature.unwrap_or_default());
        builder.head_line(line);
        Body { index, name, builder, labels: HashMap::new(), inferred, seen: Seen::default(), list: Vec::new() }
    }

    /// Takes what stands outside of every function.
    pub fn stray() -> Body<'t> {
        Body::new(u32::MAX, Cow::Borrowed(""), None, 0)
    }

    /// Puts a label before the next instruction.
    pub fn place(&mut self, name: Cow<'t, str>, spot: Spot) -> Result<(), Fault> {
        if name.is_empty() {
            return Err(Fault::new(spot.range, "a label needs a name"));
        }
        let shown = brief(&name).into_owned();
        let mark = self.mark(name, &spot);
        let id = mark.id;
        if let Some(first) = &mark.placed {
            let message = format!("label `{shown}` is defined twice in this function");
            return Err(Fault::new(spot.range, message).and_at(first.clone(), "first defined here"));
        }
        mark.placed = Some(spot);
        self.builder.bind(id);
        Ok(())
    }

    fn mark(&mut self, name: Cow<'t, str>, spot: &Spot) -> &mut Mark {
        let builder = &mut self.builder;
        self.labels.entry(name).or_insert_with_key(|name| Mark {
            id: builder.label(name.as_ref()),
            used: spot.clone(),
            placed: None,
        })
    }

    /// The labels that are named but stand nowhere.
    pub fn missing_labels(&self, scope: &Scope<'t>) -> Vec<(u32, Fault)> {
        let mut missing: Vec<_> = self.labels.iter().filter(|(_, mark)| mark.placed.is_none()).collect();
        missing.sort_unstable_by_key(|(_, mark)| mark.used.range.start);
        // Nobody reads more of them, and each is compared with many names.
        missing.truncate(super::LIMIT);
        missing.into_iter().map(|(name, mark)| (mark.used.line, self.missing_label(name, mark, scope))).collect()
    }

    fn missing_label(&self, name: &str, mark: &Mark, scope: &Scope<'t>) -> Fault {
        let placed = self.labels.iter().filter(|(_, mark)| mark.placed.is_some()).map(|(name, _)| name.as_ref());
        let help = match nearest(name, placed) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if scope.functions.contains_key(name) => {
                format!("`{}` is a function; functions are called by `call`", brief(name))
            }
            None => format!("a label stands in the same function, as a line `{}:`", brief(name)),
        };
        let message = format!("there is no label `{}` in function `{}`", brief(name), brief(&self.name));
        Fault::new(mark.used.range.clone(), message).help(help)
    }

    /// The finished function.
    pub fn finish(mut self) -> FunctionBuilder {
        if self.inferred {
            let Seen { params, results } = self.seen;
            self.builder.set_signature(Signature::new(vec![Type::I64; params], vec![Type::I64; results]));
        }
        self.builder
    }

    /// Reads one instruction: `word`, which is the token `first`, and its operands.
    pub fn instruction(
        &mut self,
        word: &str,
        first: Token,
        mut operands: Cursor<'t, '_>,
        line: u32,
        scope: &Scope<'t>,
        module: &mut ModuleBuilder,
    ) -> Result<(), Fault> {
        let Some(meant) = mnemonic::lookup(word) else {
            return match scope.opcodes.find(word) {
                Some(op) => self.custom((word, op), operands, line, module),
                None => Err(unknown_word(word, first, &operands, &scope.opcodes)),
            };
        };
        let row = meant.op.row();
        check_count(word, row, &operands)?;
        self.builder.line(line);
        self.list.clear();
        let mut outside = Outside { scope, module };
        let mut inst = Inst { op: meant.op, d: 0, a: 0, b: 0 };
        for &part in parts(row) {
            self.part(part, &mut inst, &mut operands, line, &mut outside)?;
        }
        if meant.swapped {
            std::mem::swap(&mut inst.a, &mut inst.b);
        }
        self.builder.emit(inst);
        Ok(())
    }

    fn part(
        &mut self,
        part: Part,
        inst: &mut Inst,
        operands: &mut Cursor<'t, '_>,
        line: u32,
        outside: &mut Outside<'_, 't>,
    ) -> Result<(), Fault> {
        match part {
            Part::Object => inst.b = self.object(inst.op, operands, outside.scope)?,
            Part::Reg(field, _) => *field.of_mut(inst) = self.register(operands.operand())?,
            Part::Literal => *inst = literal(inst, operands.operand())?,
            Part::Offset | Part::SignedOffset if operands.is_done() => {}
            Part::Offset => inst.b = offset(operands.operand())?,
            Part::SignedOffset => inst.b = signed_offset(operands.operand())?,
            Part::Target => (inst.a, inst.b) = target(operands.operand(), outside.scope)?.fields(),
            Part::Global => inst.b = find(operands.operand(), &outside.scope.globals, "global", outside.scope)?,
            Part::Label => inst.b = self.target(operands.operand(), line)?,
            Part::Pair => {
                self.push_register(operands.operand())?;
                self.push_register(operands.operand())?;
                inst.b = self.end_list();
            }
            Part::Targets => {
                self.targets(operands, line)?;
                inst.b = self.end_list();
            }
            Part::Call => {
                let name = self.results(operands)?;
                (inst.d, inst.a) = callee(name, outside.scope)?;
                self.registers(operands)?;
                inst.b = self.end_list();
            }
            Part::Calli => {
                self.list.push(0);
                let name = self.results(operands)?;
                inst.d = find(name, &outside.scope.tables, "table", outside.scope)?;
                inst.a = self.register(operands.operand())?;
                self.list[0] = signature(operands.operand(), outside.module)?;
                self.registers(operands)?;
                inst.b = self.end_list();
            }
            Part::Callp => {
                self.list.push(0);
                let p = self.results_before_address(operands)?;
                inst.a = self.register(p)?;
                self.list[0] = c_signature(operands.operand(), outside.module)?;
                self.registers(operands)?;
                inst.b = self.end_list();
            }
            // Instructions of declared opcodes do not come here.
            Part::Custom => {}
            Part::Regs => {
                self.seen.results = self.seen.results.max(operands.count());
                self.registers(operands)?;
                inst.b = self.end_list();
            }
        }
        Ok(())
    }

    pub(super) fn register(&mut self, mut operand: Cursor<'t, '_>) -> Result<u32, Fault> {
        let register = operand.register()?;
        if register.number() < 0 {
            self.seen.params = self.seen.params.max(register.number().unsigned_abs() as usize);
        }
        Ok(register.field())
    }

    pub(super) fn push_register(&mut self, operand: Cursor<'t, '_>) -> Result<(), Fault> {
        let register = self.register(operand)?;
        self.list.push(register);
        Ok(())
    }

    /// Appends all registers that are left, their number first.
    fn registers(&mut self, operands: &mut Cursor<'t, '_>) -> Result<(), Fault> {
        let n = operands.count();
        self.list.push(crate::builder::count(n));
        (0..n).try_for_each(|_| self.push_register(operands.operand()))
    }

    /// Appends the results of a call, their number first, and returns the operand behind them: a name.
    fn results<'k>(&mut self, operands: &mut Cursor<'t, 'k>) -> Result<Cursor<'t, 'k>, Fault> {
        let mut first = operands.operand();
        if first.peek().is_some_and(|token| token.kind == Kind::Open) {
            let mut inside = first.inside(Kind::Open, Kind::Close, "a list of registers like `(r1, r2)`")?;
            self.registers(&mut inside)?;
        } else if first.at_register() {
            self.list.push(1);
            self.push_register(first)?;
        } else {
            self.list.push(0);
            return Ok(first);
        }
        if operands.is_done() {
            let help = "the results stand before the name: `call r1, FUNCTION, x, ...`";
            return Err(operands.expected("the name of what is called").help(help));
        }
        Ok(operands.operand())
    }

    /// The same for a call through an address, which is a register too: it stands last before the signature.
    fn results_before_address<'k>(&mut self, operands: &mut Cursor<'t, 'k>) -> Result<Cursor<'t, 'k>, Fault> {
        let mut rest = *operands;
        let first = rest.operand();
        if first.at_register() && rest.operand().at_signature() {
            self.list.push(0);
            return Ok(operands.operand());
        }
        self.results(operands)
    }

    pub(super) fn end_list(&mut self) -> u32 {
        self.builder.list(self.list.drain(..))
    }

    fn target(&mut self, mut operand: Cursor<'t, '_>, line: u32) -> Result<u32, Fault> {
        let (name, range) = operand.name("a label")?;
        operand.finish()?;
        if name.is_empty() {
            return Err(Fault::new(range, "a label needs a name"));
        }
        let id = self.mark(name, &Spot { line, range }).id;
        Ok(self.builder.target(id))
    }

    fn targets(&mut self, operands: &mut Cursor<'t, '_>, line: u32) -> Result<(), Fault> {
        let mut list = operands.operand().inside(Kind::OpenList, Kind::CloseList, "a list of labels like `[a, b]`")?;
        let n = list.count();
        self.list.push(crate::builder::count(n));
        for _ in 0..n {
            let target = self.target(list.operand(), line)?;
            self.list.push(target);
        }
        let default = self.target(operands.operand(), line)?;
        self.list.push(default);
        Ok(())
    }
}

fn unknown_word(word: &str, first: Token, operands: &Cursor<'_, '_>, opcodes: &Opcodes<'_>) -> Fault {
    if let Some((message, help)) = opcodes.other_form(word) {
        return Fault::new(first.range(), message).help(help);
    }
    let (message, help) = mnemonic::refuse(word, &items::WORDS);
    let help = help.or_else(|| nearest(word, opcodes.names()).map(|meant| format!("did you mean `{meant}`?")));
    let label =
        || if operands.is_done() { format!("if it is a label, write `{}:`", brief(word)) } else { HELP.to_owned() };
    Fault::new(first.range(), message).help(help.unwrap_or_else(label))
}

fn check_count(word: &str, row: &Row, operands: &Cursor<'_, '_>) -> Result<(), Fault> {
    let (least, most) = count(row);
    let given = operands.count();
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let wanted = match (least, most) {
        (0, 0) => "no operands".to_owned(),
        (least, most) if least == most => plural(least),
        (least, usize::MAX) => format!("at least {}", plural(least)),
        (least, most) => format!("{least} or {}", plural(most)),
    };
    let given = match given {
        0 => "none is given".to_owned(),
        1 => "1 is given".to_owned(),
        n => format!("{n} are given"),
    };
    let message = format!("`{word}` takes {wanted}, but {given}");
    Err(Fault::new(operands.range(), message).help(format!("it is written {}", usage(word, row))))
}

pub(super) fn plural(n: usize) -> String {
    if n == 1 { "1 operand".to_owned() } else { format!("{n} operands") }
}

fn literal(inst: &Inst, mut operand: Cursor<'_, '_>) -> Result<Inst, Fault> {
    let ty = match inst.op {
        Op::ConstI32 => Type::I32,
        Op::ConstF32 => Type::F32,
        Op::ConstF64 => Type::F64,
        _ => Type::I64,
    };
    let bits = operand.literal(ty, "a float constant is written `const.f64 d, 1.5`, or with `const.f32`")?;
    operand.finish()?;
    Ok(Inst::constant(inst.op, inst.d, bits))
}

fn offset(mut operand: Cursor<'_, '_>) -> Result<u32, Fault> {
    let offset = operand.integer("an offset", 0..=i128::from(u32::MAX))?;
    operand.finish()?;
    Ok(u32::try_from(offset).unwrap_or(u32::MAX))
}

fn signature(mut operand: Cursor<'_, '_>, module: &mut ModuleBuilder) -> Result<u32, Fault> {
    if operand.peek().is_none_or(|token| token.kind != Kind::Open) {
        return Err(operand.expected("a signature").help("a signature is written `(i64, i64) -> i64`"));
    }
    let signature = operand.signature(true)?;
    operand.finish()?;
    Ok(module.signature(signature).index())
}

fn signed_offset(mut operand: Cursor<'_, '_>) -> Result<u32, Fault> {
    let offset = operand.integer("an offset", i128::from(i32::MIN)..=i128::from(i32::MAX))?;
    operand.finish()?;
    Ok(i32::try_from(offset).unwrap_or(0).cast_unsigned())
}

fn c_signature(mut operand: Cursor<'_, '_>, module: &mut ModuleBuilder) -> Result<u32, Fault> {
    let mut convention = Abi::SysV;
    if !operand.at_signature() {
        return Err(operand.expected("a signature").help("write `callp d, p, (i64, f64) -> i32, x, y`"));
    }
    if let Some(token) = operand.peek().filter(|token| token.kind == Kind::Text) {
        let (name, _) = operand.name("a calling convention")?;
        let known = abi(&name).ok_or_else(|| {
            let message = format!("`{}` is no calling convention", brief(&name));
            Fault::new(token.range(), message).help("there are `\"sysv64\"` and `\"win64\"`")
        });
        convention = known?;
    }
    let signature = operand.c_signature(convention)?;
    operand.finish()?;
    Ok(module.c_signature(signature).index())
}
