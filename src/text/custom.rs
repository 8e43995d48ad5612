//! Reads what has to do with opcodes that templates declare: the items that name them, and the instructions.
//!
//! Comes in: lines `opcode NAME(T, …) -> T`, and what templates declare. Goes out: the module's list of such opcodes, and
//! instructions that name them by their place in it. What must hold: an opcode is in the list if an item names it or an
//! instruction uses it, the items' first.

use std::collections::HashMap;

use super::body::{Body, plural};
use super::cursor::Cursor;
use super::fault::{Fault, Spot};
use super::lex::Token;
use super::mnemonic::DEFAULT;
use super::parse::Parser;
use crate::builder::ModuleBuilder;
use crate::isa::custom::{CustomOp, SOURCES};
use crate::isa::op::Op;
use crate::module::{Custom, Inst};

/// The opcodes that a program can use and the table does not have.
#[derive(Debug, Default)]
pub struct Opcodes<'t> {
    /// What templates declare.
    given: &'t [CustomOp],
    /// What the program's items say, and where.
    items: HashMap<String, (CustomOp, Spot)>,
}

impl<'t> Opcodes<'t> {
    /// Those that templates declare.
    pub fn new(given: &'t [CustomOp]) -> Opcodes<'t> {
        Opcodes { given, items: HashMap::new() }
    }

    /// The opcode that a word stands for.
    pub fn find(&self, word: &str) -> Option<&CustomOp> {
        let exact = |name: &str| {
            let item = self.items.get(name).map(|(op, _)| op);
            item.or_else(|| self.given.iter().find(|op| op.name == name))
        };
        exact(word).or_else(|| if word.contains('.') { None } else { exact(&format!("{word}.{DEFAULT}")) })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.items.keys().map(String::as_str).chain(self.given.iter().map(|op| op.name.as_str()))
    }

    /// What is wrong with a word that shares all but its type with some of them.
    pub fn other_form(&self, word: &str) -> Option<(String, String)> {
        let (stem, suffix) = word.split_once('.').unwrap_or((word, ""));
        let mut forms: Vec<String> =
            self.names().filter(|name| name.split('.').next() == Some(stem)).map(|name| format!("`{name}`")).collect();
        forms.sort();
        forms.dedup();
        let message = match suffix {
            "" => format!("`{stem}` needs its type behind it"),
            suffix => format!("there is no `.{suffix}` form of `{stem}`"),
        };
        (!forms.is_empty()).then(|| (message, format!("it comes as {}", forms.join(", "))))
    }
}

/// What to do where an instruction is unknown and near to none that is known.
pub const HELP: &str = "if a template declares it, give the folder of the template with `--snippets DIR`";

/// Reads `NAME(T, …) -> T`.
fn declaration(cursor: &mut Cursor<'_, '_>) -> Result<(CustomOp, Spot), Fault> {
    let form = "write `opcode crc32.i64(i64, i64) -> i64`";
    let (name, range) = cursor.name("the opcode's name").map_err(|fault| fault.help(form))?;
    let signature = cursor.signature(false).map_err(|fault| fault.maybe_help(None).help(form))?;
    cursor.finish()?;
    if signature.results.len() > 1 {
        let message = format!("an opcode has one result at most, not {}", signature.results.len());
        return Err(Fault::new(range, message));
    }
    let op = CustomOp { name: name.into_owned(), params: signature.params, result: signature.results.first().copied() };
    match op.flaw() {
        Some(flaw) => Err(Fault::new(range, flaw)),
        None => Ok((op, Spot { line: 0, range })),
    }
}

impl<'t> Parser<'t> {
    /// Notes what an item says, on line `line`, before everything is read. What is wrong with it is said later.
    pub fn declare_opcode(&mut self, tokens: &[Token], line: u32) {
        let Ok((op, spot)) = declaration(&mut Cursor::new(self.text, tokens.get(1..).unwrap_or_default(), 0)) else {
            return;
        };
        let items = &mut self.scope.opcodes.items;
        if !items.contains_key(&op.name) {
            self.module.module_mut().customs.push(Custom { op: op.clone(), line });
            items.insert(op.name.clone(), (op, Spot { line, ..spot }));
        }
    }

    /// Reads an item.
    pub fn opcode(&mut self, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
        let (op, spot) = declaration(&mut cursor)?;
        let Opcodes { given, items } = &self.scope.opcodes;
        if let Some((_, first)) = items.get(&op.name).filter(|(_, first)| first.range.start < spot.range.start) {
            let message = format!("opcode `{}` is defined twice", op.name);
            return Err(Fault::new(spot.range, message).and_at(first.clone(), "first defined here"));
        }
        match given.iter().find(|known| known.name == op.name && **known != op) {
            Some(known) => {
                Err(Fault::new(spot.range, format!("the templates declare this opcode otherwise: `{known}`")))
            }
            None => Ok(()),
        }
    }
}

impl<'t> Body<'t> {
    /// Reads an instruction that begins with `word` and uses `op`.
    pub fn custom(
        &mut self,
        (word, op): (&str, &CustomOp),
        mut operands: Cursor<'t, '_>,
        line: u32,
        module: &mut ModuleBuilder,
    ) -> Result<(), Fault> {
        let (wanted, given) = (usize::from(op.result.is_some()) + op.params.len(), operands.count());
        if given != wanted {
            let wanted = if wanted == 0 { "no operands".to_owned() } else { plural(wanted) };
            let message =
                format!("`{word}` takes {wanted}, but {given} {} given", if given == 1 { "is" } else { "are" });
            return Err(Fault::new(operands.range(), message).help(format!("it is written {}", usage(word, op))));
        }
        self.builder.line(line);
        let d = if op.result.is_some() { self.register(operands.operand())? } else { 0 };
        let mut list = vec![crate::builder::count(op.params.len())];
        for _ in &op.params {
            list.push(self.register(operands.operand())?);
        }
        let b = self.builder.list(list);
        let a = module.module_mut().intern_custom(op);
        self.builder.emit(Inst { op: Op::Custom, d, a, b });
        Ok(())
    }
}

/// How an instruction is written.
fn usage(word: &str, op: &CustomOp) -> String {
    let names = op.result.map(|_| "d").into_iter().chain(SOURCES.into_iter().take(op.params.len()));
    let operands: Vec<&str> = names.collect();
    if operands.is_empty() { format!("`{word}`") } else { format!("`{word} {}`", operands.join(", ")) }
}
