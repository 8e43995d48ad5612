//! The module: what text, the binary form and builders produce, and what the verifier reads.
//!
//! Comes in: items and instructions in any order, unchecked. Goes out: [`Module`], which may still be wrong in every
//! way that [`verify`](crate::verify) refuses. What must hold: nothing here depends on how a program was written
//! down or on how it will run.

pub mod link;
pub mod native;

use crate::isa::custom::CustomOp;
use crate::isa::op::{Op, Type};

use link::{Constant, Elements, Export, Growing, ImportName, ImportedFunction, Segment};
use native::{CSignature, Data, Extern};

/// The largest number of arguments that registers can name (`a1` to `a1000`), and of results.
pub const MAX_ARGS: u32 = 1000;
/// The largest number of arguments of a call that passes a variable number of them, and of a call of C.
pub const MAX_VARIADIC: u32 = 255;
/// The largest number of a local register (`r65535`).
pub const MAX_LOCAL: u32 = 65_535;
/// Bytes in a page of linear memory.
pub const PAGE: u64 = 65_536;
/// The largest number of pages a linear memory can have: 4 GiB.
pub const MAX_PAGES: u32 = 65_536;

/// A register as a program names it: negative for arguments, 0 for the argument count, positive for locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(i32);

impl Reg {
    /// `r0`, the number of arguments this call passed.
    pub const COUNT: Reg = Reg(0);

    /// The register with this number, if there is one: `-1000..=65535`.
    #[must_use]
    pub fn new(number: i64) -> Option<Reg> {
        (-i64::from(MAX_ARGS)..=i64::from(MAX_LOCAL)).contains(&number).then_some(Reg(number as i32))
    }

    /// Argument `n`, counted from 1.
    ///
    /// # Panics
    /// If `n` is not in `1..=1000`.
    #[must_use]
    pub fn arg(n: u32) -> Reg {
        assert!((1..=MAX_ARGS).contains(&n), "there is no argument register a{n}");
        Reg(-(n as i32))
    }

    /// Local `n`, counted from 1.
    ///
    /// # Panics
    /// If `n` is not in `1..=65535`.
    #[must_use]
    pub fn local(n: u32) -> Reg {
        assert!((1..=MAX_LOCAL).contains(&n), "there is no local register r{n}");
        Reg(n as i32)
    }

    /// The register's number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }

    /// The number as an instruction's field holds it.
    #[must_use]
    pub fn field(self) -> u32 {
        self.0 as u32
    }

    /// The register that a field of an unverified instruction names, if there is one.
    #[must_use]
    pub fn from_field(field: u32) -> Option<Reg> {
        Reg::new(i64::from(field as i32))
    }
}

impl std::fmt::Display for Reg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            n if n < 0 => write!(f, "a{}", -n),
            n => write!(f, "r{n}"),
        }
    }
}

/// One instruction. [`Shape`](crate::isa::op::Shape) says what the fields of an opcode hold.
///
/// In a [`Module`] a register field is a [`Reg::field`] and a label field an index into
/// [`Function::labels`]; in a verified function they are variable and block numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    /// The opcode.
    pub op: Op,
    /// Mostly the destination.
    pub d: u32,
    /// Mostly the first source.
    pub a: u32,
    /// Mostly the second source, or what follows the registers.
    pub b: u32,
}

impl Inst {
    /// A `const` instruction's 64 bits.
    #[must_use]
    pub fn literal(&self) -> u64 {
        u64::from(self.a) | u64::from(self.b) << 32
    }

    /// A `const` instruction.
    #[must_use]
    pub fn constant(op: Op, d: u32, bits: u64) -> Inst {
        Inst { op, d, a: bits as u32, b: (bits >> 32) as u32 }
    }
}

/// The types that a call passes and gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The fixed parameters.
    pub params: Vec<Type>,
    /// Whether any number of further int arguments may follow.
    pub variadic: bool,
    /// The results, first to last.
    pub results: Vec<Type>,
}

impl Signature {
    /// A signature without variadic arguments.
    pub fn new(params: impl Into<Vec<Type>>, results: impl Into<Vec<Type>>) -> Signature {
        Signature { params: params.into(), variadic: false, results: results.into() }
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |types: &[Type]| types.iter().map(|ty| ty.name().to_owned()).collect();
        write_signature(f, names(&self.params), self.variadic, &names(&self.results))
    }
}

/// Writes a signature as text has it, from the words for its types.
fn write_signature(
    f: &mut std::fmt::Formatter<'_>,
    mut params: Vec<String>,
    variadic: bool,
    results: &[String],
) -> std::fmt::Result {
    if variadic {
        params.push("...".to_owned());
    }
    write!(f, "({})", params.join(", "))?;
    match results {
        [] => Ok(()),
        [one] => write!(f, " -> {one}"),
        many => write!(f, " -> ({})", many.join(", ")),
    }
}

/// A place in a function that jumps can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name, unique in the function; may be empty in modules that were not written as text.
    pub name: String,
    /// The index of the instruction it stands before; `u32::MAX` until it is placed.
    pub at: u32,
}

/// A function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Its name, unique among functions.
    pub name: String,
    /// What it takes and gives.
    pub signature: Signature,
    /// The body.
    pub insts: Vec<Inst>,
    /// The pool that lists of operands stand in.
    pub lists: Vec<u32>,
    /// The labels that jumps name by index.
    pub labels: Vec<Label>,
    /// The source line of each instruction, counted from 1; 0, or nothing at all, where there is none.
    pub lines: Vec<u32>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

impl Function {
    /// The source line of instruction `index`, if it is known.
    #[must_use]
    pub fn line_of(&self, index: usize) -> Option<u32> {
        self.lines.get(index).copied().filter(|&line| line != 0)
    }
}

/// A module variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its name, unique among globals.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it starts with; nothing is looked at where it is imported.
    pub start: Constant,
    /// Whether anything may write it.
    pub mutable: bool,
    /// By which names it is found, where it is another module's.
    pub import: Option<ImportName>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

impl Global {
    /// A global of this module's own that may be written.
    #[must_use]
    pub fn new(name: impl Into<String>, ty: Type, bits: u64) -> Global {
        let start = Constant::Bits(ty.normalise(bits));
        Global { name: name.into(), ty, start, mutable: true, import: None, line: 0 }
    }

    /// The raw bits it starts with, where they are known before the module is instantiated; else 0.
    #[must_use]
    pub fn bits(&self) -> u64 {
        if let Constant::Bits(bits) = self.start { bits } else { 0 }
    }
}

/// The linear memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Pages at the start.
    pub min: u32,
    /// Pages it may grow to; `None` for as many as there can be.
    pub max: Option<u32>,
    /// By which names it is found, where it is another module's.
    pub import: Option<ImportName>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

impl Memory {
    /// A memory of this module's own.
    #[must_use]
    pub fn new(min: u32, max: Option<u32>) -> Memory {
        Memory { min, max, import: None, line: 0 }
    }
}

/// Bytes that stand in linear memory at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Where they go.
    pub offset: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// Functions that can be called by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, unique among tables.
    pub name: String,
    /// The functions, by their index in the module; none where the table is a growing one.
    pub functions: Vec<u32>,
    /// What makes it a table that changes and may be shared.
    pub growing: Option<Growing>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

impl Table {
    /// A table of these functions, which stay.
    #[must_use]
    pub fn new(name: impl Into<String>, functions: Vec<u32>) -> Table {
        Table { name: name.into(), functions, growing: None, line: 0 }
    }
}

/// An opcode that a template declares and that the module uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// Its name, unique among them, and its types.
    pub op: CustomOp,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// The text a module was read from, kept for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The file's name as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A module, not yet verified.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// The functions, in the order of their definition.
    pub functions: Vec<Function>,
    /// The globals.
    pub globals: Vec<Global>,
    /// The linear memory, if there is one.
    pub memory: Option<Memory>,
    /// What fills the linear memory, applied in this order.
    pub inits: Vec<Init>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The signatures that `calli` instructions name by index.
    pub signatures: Vec<Signature>,
    /// The signatures of C functions, which externs and `callp` instructions name by index.
    pub c_signatures: Vec<CSignature>,
    /// The C functions that it uses.
    pub externs: Vec<Extern>,
    /// The data with native addresses.
    pub data: Vec<Data>,
    /// The opcodes that it uses and the table does not have; instructions name them by index.
    pub customs: Vec<Custom>,
    /// The functions of other modules, or of the host, that it uses.
    pub imports: Vec<ImportedFunction>,
    /// Elements for tables.
    pub elements: Vec<Elements>,
    /// Bytes for the linear memory.
    pub segments: Vec<Segment>,
    /// What others may use, by unique names.
    pub exports: Vec<Export>,
    /// What runs when the module is instantiated: a function or an import without parameters and results.
    pub start: Option<native::Target>,
    /// Where it was read from.
    pub source: Option<Source>,
}

impl Module {
    /// The index of the function called `name`.
    #[must_use]
    pub fn function_index(&self, name: &str) -> Option<u32> {
        self.functions.iter().position(|f| f.name == name).map(|i| i as u32)
    }

    /// True where it shares anything with others, or has tables that change: a *linked* module. Its functions may be
    /// called by those of other modules, so that its code keeps the register of the memory for that alone.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        !self.imports.is_empty()
            || !self.exports.is_empty()
            || self.start.is_some()
            || !self.elements.is_empty()
            || !self.segments.is_empty()
            || self.memory.as_ref().is_some_and(|memory| memory.import.is_some())
            || self.tables.iter().any(|table| table.growing.is_some())
            || self
                .globals
                .iter()
                .any(|global| global.import.is_some() || matches!(global.start, Constant::Function(_)))
    }

    /// For each global, whether others may write it, or see what this module writes. Everybody may have a copy of the rest.
    #[must_use]
    pub fn shared_globals(&self) -> Vec<bool> {
        let mut shared: Vec<bool> = self.globals.iter().map(|global| global.import.is_some()).collect();
        for export in &self.exports {
            if let link::Item::Global(index) = export.item
                && let Some(shared) = shared.get_mut(index as usize)
            {
                *shared = true;
            }
        }
        shared.iter_mut().zip(&self.globals).for_each(|(shared, global)| *shared &= global.mutable);
        shared
    }

    /// The index of `signature` in [`Module::signatures`], which gains it if it is new.
    pub fn intern_signature(&mut self, signature: Signature) -> u32 {
        intern(&mut self.signatures, signature)
    }

    /// The index of `signature` in [`Module::c_signatures`], which gains it if it is new.
    pub fn intern_c_signature(&mut self, signature: CSignature) -> u32 {
        intern(&mut self.c_signatures, signature)
    }

    /// The index of an opcode in [`Module::customs`], which gains it if it is new.
    pub fn intern_custom(&mut self, op: &CustomOp) -> u32 {
        let found = self.customs.iter().position(|custom| custom.op == *op);
        let index = found.unwrap_or_else(|| {
            self.customs.push(Custom { op: op.clone(), line: 0 });
            self.customs.len() - 1
        });
        index as u32
    }

    /// What is called `name` and has a native address, if anything is.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<native::Target> {
        let at = |index: usize| index as u32;
        let function = self.function_index(name).map(native::Target::Function);
        let of_extern = || self.externs.iter().position(|e| e.name == name).map(at).map(native::Target::Extern);
        let of_data = || self.data.iter().position(|d| d.name == name).map(at).map(native::Target::Data);
        let of_import = || self.imports.iter().position(|i| i.name == name).map(at).map(native::Target::Import);
        function.or_else(of_extern).or_else(of_data).or_else(of_import)
    }
}

fn intern<T: PartialEq>(known: &mut Vec<T>, one: T) -> u32 {
    let found = known.iter().position(|k| *k == one);
    let index = found.unwrap_or_else(|| {
        known.push(one);
        known.len() - 1
    });
    index as u32
}
