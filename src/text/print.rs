//! From a module to its canonical text.
//!
//! Comes in: a module, verified or not. Goes out: text that reads back as the same module. What must hold: nothing
//! that stands in a module makes this panic; what cannot be written (an index out of range, say) becomes a name or a
//! number that the parser refuses with a readable message.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::cursor::is_register;
use super::parts::{Part, parts};
use super::print_native::c_signature;
use super::{ZEROS, lex, mnemonic};
use crate::isa::custom::CustomOp;
use crate::isa::op::{Op, Row, Type};
use crate::module::native::Target;
use crate::module::{Function, Init, Inst, Module};

/// The text of a module: canonical, so that what is read back from it prints as the same text.
///
/// The module read back is equal, but for lines and for numbers that text does not show: labels and the signatures of
/// indirect calls are numbered, and lists laid out, in the order of their first use. Labels without a name get one.
#[must_use]
pub fn print(module: &Module) -> String {
    let mut printer = Printer { module, out: String::new(), zeros: 0 };
    printer.items();
    for function in &module.functions {
        printer.blank_line();
        printer.function(function);
    }
    printer.out
}

pub(super) struct Printer<'m> {
    pub(super) module: &'m Module,
    pub(super) out: String,
    /// How many bytes are written as `zero` so far.
    zeros: u64,
}

impl<'m> Printer<'m> {
    /// Appends formatted text; writing to a string cannot fail.
    pub(super) fn put(&mut self, text: std::fmt::Arguments<'_>) {
        _ = self.out.write_fmt(text);
    }

    fn blank_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn items(&mut self) {
        let module = self.module;
        module.customs.iter().for_each(|custom| self.custom(&custom.op));
        module.externs.iter().for_each(|e| self.external(e));
        module.data.iter().for_each(|data| self.data(data));
        module.imports.iter().for_each(|import| self.import(import));
        module.globals.iter().for_each(|global| self.global(global));
        module.memory.iter().for_each(|memory| self.memory(memory));
        module.inits.iter().for_each(|init| self.init(init));
        module.tables.iter().for_each(|table| self.table(table));
        module.elements.iter().for_each(|elements| self.elements(elements));
        module.segments.iter().for_each(|segment| self.segment(segment));
        module.exports.iter().for_each(|export| self.export(export));
        if let Some(start) = module.start {
            self.put(format_args!("start {}\n", self.target_name(start)));
        }
    }

    fn custom(&mut self, op: &CustomOp) {
        let text = op.to_string();
        let types = text.strip_prefix(&op.name).unwrap_or("");
        self.put(format_args!("opcode {}{types}\n", name(&op.name)));
    }

    fn init(&mut self, init: &Init) {
        self.put(format_args!("init {} = ", init.offset));
        self.bytes(&init.bytes);
    }

    /// Contents of memory, and the end of their line.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        // Beyond the limit the parser wants to see each byte.
        if length > 0 && self.zeros + length <= ZEROS && bytes.iter().all(|&byte| byte == 0) {
            self.zeros += length;
            self.put(format_args!("zero {length}\n"));
            return;
        }
        self.out.push('"');
        for &byte in bytes {
            escape(byte, &mut self.out);
        }
        self.out.push_str("\"\n");
    }

    pub(super) fn separate(&mut self, at: usize) {
        if at > 0 {
            self.out.push_str(", ");
        }
    }

    pub(super) fn name_or_missing(&mut self, found: Option<&str>, what: &str, index: u32) {
        match found {
            Some(found) => self.out.push_str(&name(found)),
            None => self.put(format_args!("\"{what} {index}, which is missing\"")),
        }
    }

    fn function(&mut self, function: &'m Function) {
        self.put(format_args!("func {}{}\n", name(&function.name), function.signature));
        let labels = label_names(function);
        let mut marks: Vec<(u32, usize)> = function.labels.iter().enumerate().map(|(n, label)| (label.at, n)).collect();
        marks.sort_unstable();
        let mut marks = marks.into_iter().peekable();
        for at in 0..=function.insts.len() {
            while let Some((_, label)) = marks.next_if(|&(place, _)| place as usize == at) {
                self.put(format_args!("{}:\n", name(&labels[label])));
            }
            if let Some(inst) = function.insts.get(at) {
                Body { printer: self, function, labels: &labels }.inst(inst);
            }
        }
    }
}

/// The names of a function's labels; those that have none, or one that an earlier label has, get one.
fn label_names(function: &Function) -> Vec<Cow<'_, str>> {
    let given: HashSet<&str> = function.labels.iter().map(|label| label.name.as_str()).collect();
    let mut used = HashSet::new();
    let mut next = 0;
    let mut fresh = || {
        loop {
            let name = format!("L{next}");
            next += 1;
            if !given.contains(name.as_str()) {
                return Cow::Owned(name);
            }
        }
    };
    let labels = function.labels.iter();
    labels
        .map(|label| match label.name.as_str() {
            name if !name.is_empty() && used.insert(name) => Cow::Borrowed(name),
            _ => fresh(),
        })
        .collect()
}

/// Prints the instructions of one function.
struct Body<'p, 'm> {
    printer: &'p mut Printer<'m>,
    function: &'m Function,
    labels: &'p [Cow<'m, str>],
}

impl Body<'_, '_> {
    fn inst(&mut self, inst: &Inst) {
        let row = inst.op.row();
        let custom = self.printer.module.customs.get(inst.a as usize).filter(|_| inst.op == Op::Custom);
        match custom {
            Some(custom) => self.printer.put(format_args!("    {}", name(&custom.op.name))),
            None => self.printer.put(format_args!("    {}", word(row))),
        }
        let mut first = true;
        for part in parts(row) {
            // Only these parts can turn out to be nothing.
            let empty = match part {
                Part::Offset | Part::SignedOffset => inst.b == 0,
                Part::Regs => self.list(inst.b).next().unwrap_or(0) == 0,
                Part::Custom => {
                    let has_result = custom.is_some_and(|custom| custom.op.result.is_some());
                    !has_result && self.list(inst.b).next().unwrap_or(0) == 0
                }
                _ => false,
            };
            if !empty {
                self.printer.out.push_str(if first { " " } else { ", " });
                first = false;
                self.part(*part, inst);
            }
        }
        self.printer.out.push('\n');
    }

    fn part(&mut self, part: Part, inst: &Inst) {
        let module = self.printer.module;
        match part {
            Part::Object => self.object(inst),
            Part::Reg(field, _) => self.register(field.of(inst)),
            Part::Literal => {
                let literal = literal(inst.literal(), literal_type(inst.op));
                self.printer.out.push_str(&literal);
            }
            Part::Offset => self.printer.put(format_args!("{}", inst.b)),
            Part::SignedOffset => self.printer.put(format_args!("{}", inst.b.cast_signed())),
            Part::Target => {
                let named = Target::from_fields(inst.a, inst.b).map(|target| self.printer.target_name(target));
                self.printer.out.push_str(&named.unwrap_or_else(|| "\"what is missing\"".to_owned()));
            }
            Part::Global => {
                let global = module.globals.get(inst.b as usize).map(|global| global.name.as_str());
                self.printer.name_or_missing(global, "global", inst.b);
            }
            Part::Label => self.label(inst.b),
            Part::Pair => {
                let pair = self.list(inst.b).take(2);
                self.registers(pair);
            }
            Part::Targets => self.targets(inst.b),
            Part::Call => {
                let mut list = self.list(inst.b);
                self.results(&mut list);
                let named = Target::from_fields(inst.d, inst.a).map(|target| self.printer.target_name(target));
                self.printer.out.push_str(&named.unwrap_or_else(|| "\"what is missing\"".to_owned()));
                self.arguments(list);
            }
            Part::Calli => {
                let mut list = self.list(inst.b);
                let signature = list.next().unwrap_or(u32::MAX);
                self.results(&mut list);
                self.printer.table_name(inst.d);
                self.printer.out.push_str(", ");
                self.register(inst.a);
                match module.signatures.get(signature as usize) {
                    Some(signature) => self.printer.put(format_args!(", {signature}")),
                    None => self.printer.put(format_args!(", \"signature {signature}, which is missing\"")),
                }
                self.arguments(list);
            }
            Part::Callp => {
                let mut list = self.list(inst.b);
                let signature = list.next().unwrap_or(u32::MAX);
                self.results(&mut list);
                self.register(inst.a);
                match module.c_signatures.get(signature as usize) {
                    Some(signature) => self.printer.put(format_args!(", {}", c_signature(signature))),
                    None => self.printer.put(format_args!(", \"C signature {signature}, which is missing\"")),
                }
                self.arguments(list);
            }
            Part::Custom => {
                let mut list = self.list(inst.b);
                let n = list.next().unwrap_or(0) as usize;
                let has_result = module.customs.get(inst.a as usize).is_some_and(|custom| custom.op.result.is_some());
                let d = has_result.then_some(inst.d);
                self.registers(d.into_iter().chain(list.take(n)));
            }
            Part::Regs => {
                let mut list = self.list(inst.b);
                let n = list.next().unwrap_or(0);
                self.registers(list.take(n as usize));
            }
        }
    }
}

impl<'m> Body<'_, 'm> {
    /// What stands in the pool from `start` on.
    fn list(&self, start: u32) -> std::iter::Copied<std::slice::Iter<'m, u32>> {
        self.function.lists.get(start as usize..).unwrap_or_default().iter().copied()
    }

    fn register(&mut self, field: u32) {
        match crate::module::Reg::from_field(field) {
            Some(register) => self.printer.put(format_args!("{register}")),
            None => self.printer.put(format_args!("{}", field.cast_signed())),
        }
    }

    fn registers(&mut self, registers: impl Iterator<Item = u32>) {
        for (at, register) in registers.enumerate() {
            self.printer.separate(at);
            self.register(register);
        }
    }

    fn label(&mut self, index: u32) {
        let label = self.labels.get(index as usize).map(Cow::as_ref);
        self.printer.name_or_missing(label, "label", index);
    }

    fn targets(&mut self, start: u32) {
        let mut list = self.list(start);
        let n = list.next().unwrap_or(0) as usize;
        self.printer.out.push('[');
        for (at, label) in list.by_ref().take(n).enumerate() {
            self.printer.separate(at);
            self.label(label);
        }
        self.printer.out.push_str("], ");
        self.label(list.next().unwrap_or(u32::MAX));
    }

    /// The operands of an instruction on tables, elements or segments.
    fn object(&mut self, inst: &Inst) {
        let Some(row) = inst.op.object() else { return };
        let mut list = self.list(inst.b);
        let mut item = || list.next().unwrap_or(u32::MAX);
        let named = [item(), item()];
        let mut rest = self.list(inst.b.saturating_add(2));
        self.results(&mut rest);
        for (at, &what) in row.names.iter().enumerate() {
            self.printer.separate(at);
            self.printer.named(what, named, at);
        }
        self.arguments(rest);
    }

    /// The results of a call, with the comma behind them.
    fn results(&mut self, list: &mut impl Iterator<Item = u32>) {
        let n = list.next().unwrap_or(0) as usize;
        let results = list.take(n);
        match n {
            0 => {}
            1 => {
                self.registers(results);
                self.printer.out.push_str(", ");
            }
            _ => {
                self.printer.out.push('(');
                self.registers(results);
                self.printer.out.push_str("), ");
            }
        }
    }

    /// The arguments of a call, with the comma before them.
    fn arguments(&mut self, mut list: impl Iterator<Item = u32>) {
        let n = list.next().unwrap_or(0) as usize;
        for register in list.take(n) {
            self.printer.out.push_str(", ");
            self.register(register);
        }
    }
}

fn literal_type(op: Op) -> Type {
    match op {
        Op::ConstI32 => Type::I32,
        Op::ConstF32 => Type::F32,
        Op::ConstF64 => Type::F64,
        _ => Type::I64,
    }
}

/// The word that an instruction begins with: the type is left out where it is the one that is meant then.
fn word(row: &Row) -> Cow<'static, str> {
    let default =
        row.suffix == mnemonic::DEFAULT && mnemonic::lookup(row.mnemonic).is_some_and(|word| word.op == row.op);
    if default { Cow::Borrowed(row.mnemonic) } else { Cow::Owned(row.name()) }
}

/// A literal that reads back as the same bits.
#[allow(clippy::cast_possible_truncation, reason = "narrow types stand in the low half")]
pub(super) fn literal(bits: u64, ty: Type) -> String {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => (bits as u32).cast_signed().to_string(),
        Type::I64 => bits.cast_signed().to_string(),
        Type::F32 => {
            let value = f32::from_bits(bits as u32);
            nan(value.is_nan(), value.is_sign_negative(), bits & 0x7f_ffff, 22).unwrap_or_else(|| format!("{value:?}"))
        }
        Type::F64 => {
            let value = f64::from_bits(bits);
            let fraction = bits & 0x000f_ffff_ffff_ffff;
            nan(value.is_nan(), value.is_sign_negative(), fraction, 51).unwrap_or_else(|| format!("{value:?}"))
        }
    }
}

fn nan(is_nan: bool, negative: bool, fraction: u64, quiet: u32) -> Option<String> {
    let sign = if negative { "-" } else { "" };
    is_nan.then(|| if fraction == 1 << quiet { format!("{sign}nan") } else { format!("{sign}nan:{fraction:#x}") })
}

/// A name as it must be written: in quotes if it would not be read as a name everywhere.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    let bare = name.bytes().next().is_some_and(|first| lex::is_name(first) && !first.is_ascii_digit())
        && name.bytes().all(lex::is_name)
        && !is_register(name);
    if bare {
        return Cow::Borrowed(name);
    }
    Cow::Owned(quoted(name))
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    let mut quoted = String::from('"');
    for c in name.chars() {
        if c.is_ascii() || c.is_control() {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(byte, &mut quoted));
        } else {
            quoted.push(c);
        }
    }
    quoted.push('"');
    quoted
}

/// Appends a byte of a string.
pub(super) fn escape(byte: u8, out: &mut String) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'\r' => out.push_str("\\r"),
        0 => out.push_str("\\0"),
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b' '..=b'~' => out.push(char::from(byte)),
        _ => _ = write!(out, "\\x{byte:02x}"),
    }
}
