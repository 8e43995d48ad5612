//! Reads modules, and believes nothing.
//!
//! Comes in: the body of a file. Goes out: the module, or the first thing that is wrong with it. What must hold: before
//! anything is allocated for a count, that many items are known to fit into what is left of the input; every byte is
//! read exactly once.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{DecodeError, SINCE_LINKED, STRUCT, Section, VARIADIC, WIN64, WRITABLE};
use crate::isa::custom::CustomOp;
use crate::isa::op::{Op, Shape, Type};
use crate::module::native::{Abi, CSignature, CType, Data, Extern, MAX_NESTING, Pointer, Target};
use crate::module::{Custom, Function, Global, Init, Inst, Label, Memory, Module, Signature, Source, Table};

pub(super) type Result<T> = std::result::Result<T, DecodeError>;

/// The opcodes that a program can use, by the names of their rows.
static OPCODES: LazyLock<HashMap<String, Op>> = LazyLock::new(|| {
    let rows = Op::ROWS.iter().filter(|row| !row.op.is_settled());
    rows.map(|row| (row.name(), row.op)).collect()
});

/// The module in the body of a file.
pub fn module(mut reader: Reader<'_>) -> Result<Module> {
    let mut module = Module::default();
    let mut opcodes = Vec::new();
    let mut last = None;
    while !reader.is_done() {
        let (section, mut contents) = reader.section(last)?;
        last = Some(section);
        match section {
            Section::Opcodes => opcodes = contents.list(1, Reader::opcode)?,
            Section::Signatures => module.signatures = contents.list(3, Reader::signature)?,
            Section::Globals => module.globals = contents.list(11, Reader::global)?,
            Section::Memory => module.memory = Some(contents.memory()?),
            Section::Inits => module.inits = contents.list(3, Reader::init)?,
            Section::Tables => module.tables = contents.list(3, Reader::table)?,
            Section::Functions => {
                module.functions = contents.list(9, |reader| reader.function(&opcodes))?;
            }
            Section::CSignatures => module.c_signatures = contents.list(3, Reader::c_signature)?,
            Section::Externs => module.externs = contents.list(5, Reader::external)?,
            Section::Data => module.data = contents.list(7, Reader::data)?,
            Section::Customs => module.customs = contents.list(4, Reader::custom)?,
            Section::Source => module.source = Some(Source { name: contents.text()?, text: String::new() }),
            link => contents.links(link, &mut module)?,
        }
        contents.finish()?;
    }
    check_tables(&module, reader.at)?;
    Ok(module)
}

/// Requires that tables name functions that there are.
fn check_tables(module: &Module, end: usize) -> Result<()> {
    let missing = |table: &&Table| table.functions.iter().any(|&function| function as usize >= module.functions.len());
    match module.tables.iter().find(missing) {
        None => Ok(()),
        Some(table) => Err(DecodeError::new(end, format!("table `{}` names a function that is not there", table.name))),
    }
}

/// What is left of the input, and where in the file it stands.
#[derive(Clone, Copy)]
pub struct Reader<'b> {
    left: &'b [u8],
    at: usize,
    version: u32,
}

impl<'b> Reader<'b> {
    pub fn new(bytes: &'b [u8], at: usize, version: u32) -> Reader<'b> {
        Reader { left: bytes, at, version }
    }

    fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(DecodeError::new(self.at, message))
    }

    fn finish(&self) -> Result<()> {
        if self.is_done() { Ok(()) } else { self.error(format!("the section has {} bytes too many", self.left.len())) }
    }

    /// The next section's number and contents.
    fn section(&mut self, last: Option<Section>) -> Result<(Section, Reader<'b>)> {
        let (start, version) = (*self, self.version);
        let number = self.byte()?;
        let mut known = Section::ALL.into_iter().filter(|section| section.since() <= version);
        let Some(section) = known.find(|&section| section as u8 == number) else {
            return start.error(format!("there is no section number {number}"));
        };
        if last.is_some_and(|last| last >= section) {
            return start.error(format!("section number {number} stands in the wrong place"));
        }
        let length = self.size(1)?;
        let at = self.at;
        Ok((section, Reader { left: self.take(length)?, at, version }))
    }

    fn take(&mut self, n: usize) -> Result<&'b [u8]> {
        let Some((taken, left)) = self.left.split_at_checked(n) else {
            return self.error(format!("{n} bytes are expected here, but only {} are left", self.left.len()));
        };
        self.left = left;
        self.at += n;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let start = *self;
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        start.error("this number is too large")
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        let start = *self;
        u32::try_from(self.number()?).or_else(|_| start.error("this number is larger than 32 bits"))
    }

    /// A number of things that take at least `least` bytes each.
    fn size(&mut self, least: usize) -> Result<usize> {
        let start = *self;
        let size = self.number()?;
        match usize::try_from(size) {
            Ok(size) if size <= self.left.len() / least => Ok(size),
            _ => start.error(format!("{size} items are said to follow, but only {} bytes are left", self.left.len())),
        }
    }

    /// Items that take at least `least` bytes each.
    pub(super) fn list<T>(&mut self, least: usize, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let size = self.size(least)?;
        let mut items = Vec::with_capacity(size);
        for _ in 0..size {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn field(&mut self) -> Result<u32> {
        let value = self.u32()?;
        Ok(value >> 1 ^ (value & 1).wrapping_neg())
    }

    pub(super) fn bytes(&mut self) -> Result<&'b [u8]> {
        let length = self.size(1)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<String> {
        let start = *self;
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => start.error("this text is not UTF-8"),
        }
    }

    pub(super) fn ty(&mut self) -> Result<Type> {
        let start = *self;
        let number = self.byte()?;
        let known = if self.version < SINCE_LINKED { &Type::NUMBERS[..] } else { &Type::ALL[..] };
        let found = known.iter().copied().find(|&ty| super::type_number(ty) == number);
        found.map_or_else(|| start.error(format!("there is no type number {number}")), Ok)
    }

    fn opcode(&mut self) -> Result<Op> {
        let start = *self;
        let name = self.text()?;
        match OPCODES.get(&name) {
            Some(&op) if self.version >= SINCE_LINKED || op.object().is_none() => Ok(op),
            _ => start.error(format!("this program does not know the instruction `{name}`")),
        }
    }

    pub(super) fn signature(&mut self) -> Result<Signature> {
        let start = *self;
        let flags = self.byte()?;
        if flags > 1 {
            return start.error(format!("a signature cannot have the flags {flags:#x}"));
        }
        let params = self.list(1, Reader::ty)?;
        let results = self.list(1, Reader::ty)?;
        Ok(Signature { params, variadic: flags == 1, results })
    }

    fn global(&mut self) -> Result<Global> {
        let (name, ty) = (self.text()?, self.ty()?);
        let bits = self.take(8)?.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
        Ok(Global { line: self.u32()?, ..Global::new(name, ty, bits) })
    }

    fn memory(&mut self) -> Result<Memory> {
        let (min, max) = (self.u32()?, self.maximum()?);
        Ok(Memory { line: self.u32()?, ..Memory::new(min, max) })
    }

    /// 0, or a number plus one.
    pub(super) fn maximum(&mut self) -> Result<Option<u32>> {
        let start = *self;
        match self.number()?.checked_sub(1) {
            None => Ok(None),
            Some(max) => u32::try_from(max).map(Some).or_else(|_| start.error("this number is larger than 32 bits")),
        }
    }

    fn init(&mut self) -> Result<Init> {
        Ok(Init { offset: self.u32()?, bytes: self.bytes()?.to_vec(), line: self.u32()? })
    }

    fn table(&mut self) -> Result<Table> {
        let table = Table::new(self.text()?, self.list(1, Reader::u32)?);
        Ok(Table { line: self.u32()?, ..table })
    }

    fn function(&mut self, opcodes: &[Op]) -> Result<Function> {
        let start = *self;
        let name = self.text()?;
        let signature = self.signature()?;
        let line = self.u32()?;
        let labels = self.list(2, Reader::label)?;
        let lists = self.list(1, Reader::field)?;
        let insts = self.list(4, |reader| reader.inst(opcodes))?;
        let mut last = 0u32;
        let lines = self.list(1, |reader| {
            last = last.wrapping_add(reader.field()?);
            Ok(last)
        })?;
        let function = Function { name, signature, insts, lists, labels, lines, line };
        match flaw(&function) {
            None => Ok(function),
            Some(flaw) => start.error(format!("function `{}`: {flaw}", function.name)),
        }
    }

    fn inst(&mut self, opcodes: &[Op]) -> Result<Inst> {
        let start = *self;
        let number = self.number()?;
        let Some(&op) = usize::try_from(number).ok().and_then(|number| opcodes.get(number)) else {
            return start.error(format!("the module has no instruction number {number}"));
        };
        Ok(Inst { op, d: self.field()?, a: self.field()?, b: self.field()? })
    }

    fn label(&mut self) -> Result<Label> {
        Ok(Label { name: self.text()?, at: self.u32()?.wrapping_sub(1) })
    }

    /// A type of C that stands in `depth` structs.
    fn c_type(&mut self, depth: u32) -> Result<CType> {
        let start = *self;
        let number = self.byte()?;
        if number != STRUCT {
            let scalar = CType::SCALARS.get(usize::from(number)).map(|(_, ty)| ty.clone());
            return scalar.map_or_else(|| start.error(format!("there is no C type number {number}")), Ok);
        }
        if depth == MAX_NESTING {
            return start.error(format!("structs are nested more than {MAX_NESTING} deep"));
        }
        Ok(CType::Struct(self.list(1, |reader| reader.c_type(depth + 1))?))
    }

    fn c_signature(&mut self) -> Result<CSignature> {
        let start = *self;
        let flags = self.byte()?;
        if flags & !(VARIADIC | WIN64) != 0 {
            return start.error(format!("a C signature cannot have the flags {flags:#x}"));
        }
        let abi = if flags & WIN64 == 0 { Abi::SysV } else { Abi::Win64 };
        let params = self.list(1, |reader| reader.c_type(0))?;
        let results = self.list(1, |reader| reader.c_type(0))?;
        Ok(CSignature { abi, params, variadic: flags & VARIADIC != 0, results })
    }

    fn custom(&mut self) -> Result<Custom> {
        let (name, params) = (self.text()?, self.list(1, Reader::ty)?);
        let start = *self;
        let result = match self.list(1, Reader::ty)?.as_slice() {
            [] => None,
            &[one] => Some(one),
            many => return start.error(format!("an opcode cannot have {} results", many.len())),
        };
        Ok(Custom { op: CustomOp { name, params, result }, line: self.u32()? })
    }

    fn external(&mut self) -> Result<Extern> {
        let (name, library, symbol) = (self.text()?, self.text()?, self.text()?);
        Ok(Extern { name, library, symbol, signature: self.u32()?, line: self.u32()? })
    }

    fn data(&mut self) -> Result<Data> {
        let name = self.text()?;
        let start = *self;
        let flags = self.byte()?;
        if flags & !WRITABLE != 0 {
            return start.error(format!("data cannot have the flags {flags:#x}"));
        }
        let (writable, align) = (flags & WRITABLE != 0, self.u32()?);
        let (bytes, zeros) = (self.bytes()?.to_vec(), self.number()?);
        let pointers = self.list(3, Reader::pointer)?;
        Ok(Data { name, bytes, zeros, align, writable, pointers, line: self.u32()? })
    }

    fn pointer(&mut self) -> Result<Pointer> {
        let offset = self.u32()?;
        let start = *self;
        let (kind, index) = (self.u32()?, self.u32()?);
        match Target::from_fields(kind, index) {
            Some(target) if !matches!(target, Target::Import(_)) => Ok(Pointer { offset, target }),
            _ => start.error(format!("nothing of kind {kind} has an address")),
        }
    }
}

/// What the parts of a function say that does not fit together.
fn flaw(function: &Function) -> Option<&'static str> {
    let n = function.insts.len();
    if !function.lines.is_empty() && function.lines.len() != n {
        return Some("it has not as many lines as instructions");
    }
    if function.labels.iter().any(|label| label.at != u32::MAX && label.at as usize > n) {
        return Some("a label stands behind its end");
    }
    // Were lists shared, a short file could stand for a very long program.
    let used = function.insts.iter().map(|inst| list_length(function, inst)).fold(0, usize::saturating_add);
    (used > function.lists.len()).then_some("its instructions share lists of operands")
}

/// How many items of the pool belong to an instruction.
fn list_length(function: &Function, inst: &Inst) -> usize {
    let list = function.lists.get(inst.b as usize..).unwrap_or_default();
    let item = |at: usize| list.get(at).map_or(0, |&n| n as usize);
    // The parts behind the end of the pool are for the verifier to refuse.
    let counted = |at: usize| 1 + item(at).min(list.len());
    match inst.op.row().shape {
        Shape::Select => list.len().min(2),
        Shape::Switch => counted(0) + 1,
        Shape::Call | Shape::CallExtern | Shape::CallImport => counted(0) + counted(counted(0)),
        Shape::Object => 2 + counted(2) + counted(2 + counted(2)),
        Shape::Calli | Shape::Callp => 1 + counted(1) + counted(1 + counted(1)),
        Shape::Ret | Shape::Custom => counted(0),
        _ => 0,
    }
    .min(list.len())
}
