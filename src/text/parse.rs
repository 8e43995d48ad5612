//! From text to a module, line by line.
//!
//! Comes in: the whole text. Goes out: a [`Module`], or every error up to [`LIMIT`]. What must hold: each line is
//! looked at twice (once for the names that items define, so that names may be used before they are defined, and once
//! to read it), and each step costs time in proportion to the line; an error in one line does not hide those of
//! others, and does not cause any.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::body::Body;
use super::cursor::{Cursor, brace_help, brief, name};
use super::custom::Opcodes;
use super::fault::{Fault, Spot};
use super::lex::{self, Kind, Token};
use super::{LIMIT, items, link, mnemonic, native};
use crate::builder::{FunctionId, ModuleBuilder, count};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::isa::custom::CustomOp;
use crate::module::{Module, Source};

/// Where a name was defined.
#[derive(Debug)]
pub struct Definition {
    pub index: u32,
    pub spot: Spot,
}

/// The names of one kind of item.
pub type Names<'t> = HashMap<Cow<'t, str>, Definition>;

/// The names that items define.
#[derive(Debug, Default)]
pub struct Scope<'t> {
    pub functions: Names<'t>,
    pub externs: Names<'t>,
    pub data: Names<'t>,
    pub imports: Names<'t>,
    pub globals: Names<'t>,
    pub tables: Names<'t>,
    pub elements: Names<'t>,
    pub segments: Names<'t>,
    pub opcodes: Opcodes<'t>,
}

/// What the parser knows between two lines.
pub struct Parser<'t> {
    pub text: &'t str,
    pub scope: Scope<'t>,
    pub module: ModuleBuilder,
    /// The number of the line at hand.
    pub line: u32,
    /// How many items of each kind were begun: their indices, as [`Scope`] counts them.
    pub begun: Begun,
    pub memory: Option<Spot>,
    /// Where the initial contents of memory stand, as long as it is not known whether they fit.
    pub inits: Vec<Spot>,
    /// How many bytes `zero` has made so far.
    pub zeros: u64,
    /// Where each name for others is given.
    pub exports: HashMap<Cow<'t, str>, Spot>,
    /// Where it is said what runs first.
    pub start: Option<Spot>,
    body: Option<Body<'t>>,
    faults: Vec<(u32, Fault)>,
}

/// Numbers of items.
#[derive(Debug, Default)]
pub struct Begun {
    pub functions: u32,
    pub externs: u32,
    pub data: u32,
    pub imports: u32,
    pub globals: u32,
    pub tables: u32,
    pub elements: u32,
    pub segments: u32,
}

/// Reads a program. `file` is what messages call it.
///
/// # Errors
/// If it is not a program: what is wrong with it, at most some twenty errors.
pub fn parse(file: &str, text: &str) -> Result<Module, Diagnostics> {
    parse_with(file, text, &[])
}

/// The same for a program that may use opcodes which templates declare: see
/// [`Snippets::opcodes`](crate::engine::Snippets::opcodes).
///
/// # Errors
/// As for [`parse`].
pub fn parse_with(file: &str, text: &str, opcodes: &[CustomOp]) -> Result<Module, Diagnostics> {
    if u32::try_from(text.len()).is_err() {
        return Err(Diagnostic::new("a program cannot be larger than 4 GiB").in_file(file).into());
    }
    let mut parser = Parser::new(text, opcodes);
    parser.module.source(Source { name: file.to_owned(), text: text.to_owned() });
    parser.declare();
    let cut = parser.read().is_none();
    let Parser { module, faults, .. } = parser;
    let list = faults.into_iter().map(|(line, fault)| fault.diagnose(file, text, line)).collect();
    match Diagnostics::new(list, cut) {
        Some(diagnostics) => Err(diagnostics),
        None => module.finish().map_err(|error| Diagnostic::new(error.to_string()).in_file(file).into()),
    }
}

/// Reads a program as it comes from a file: like [`parse`], but it may turn out not to be text at all.
///
/// # Errors
/// If it is not UTF-8, and as for [`parse`].
pub fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Module, Diagnostics> {
    parse_bytes_with(file, bytes, &[])
}

/// The same for a program that may use opcodes which templates declare.
///
/// # Errors
/// As for [`parse_bytes`].
pub fn parse_bytes_with(file: &str, bytes: &[u8], opcodes: &[CustomOp]) -> Result<Module, Diagnostics> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return parse_with(file, text, opcodes),
        Err(error) => error,
    };
    let (before, rest) = bytes.split_at(error.valid_up_to());
    let line = before.split(|&byte| byte == b'\n').count();
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    // As much of the line as could be shown.
    let end = rest.len().min(error.error_len().unwrap_or(rest.len()) + 200);
    let shown = String::from_utf8_lossy(&bytes[start..before.len() + end]);
    let column = before.len() - start;
    let place = Place::new(count(line), &shown, column..column + char::REPLACEMENT_CHARACTER.len_utf8());
    Err(Diagnostic::new(format!("the byte {:#04x} is not UTF-8", rest[0])).in_file(file).at(place).into())
}

/// The lines of a text: their numbers and where they stand.
fn lines(text: &str) -> impl Iterator<Item = (u32, Range<usize>)> {
    // A byte order mark is no part of the program.
    let mut start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut number = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = start..start + length;
        start = line.end + 1;
        number += 1;
        Some((number, line))
    })
}

fn first_word(line: &str) -> &str {
    // What the lexer takes for space, so that both see the same items.
    let line = line.trim_start_matches([' ', '\t', '\r']);
    &line[..line.bytes().position(|b| !lex::is_name(b)).unwrap_or(line.len())]
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, opcodes: &'t [CustomOp]) -> Parser<'t> {
        Parser {
            text,
            scope: Scope { opcodes: Opcodes::new(opcodes), ..Scope::default() },
            module: ModuleBuilder::new(),
            line: 0,
            begun: Begun::default(),
            memory: None,
            inits: Vec::new(),
            zeros: 0,
            exports: HashMap::new(),
            start: None,
            body: None,
            faults: Vec::new(),
        }
    }

    /// Finds the names that items define. What is wrong with them is left for [`read`](Self::read) to say.
    fn declare(&mut self) {
        let mut begun = Begun::default();
        let mut tokens = Vec::new();
        for (number, line) in lines(self.text) {
            let word = first_word(&self.text[line.clone()]);
            if !items::is_item(word) {
                continue;
            }
            tokens.clear();
            // An error further on does not make the name unknown.
            _ = lex::line(self.text, line, &mut tokens);
            if tokens.get(1).is_some_and(|token| token.kind == Kind::Colon) {
                continue;
            }
            let is_name = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Text);
            let behind = tokens.get(1..).unwrap_or_default();
            let (kind, defined) = match word {
                "import" => link::defined(self.text, behind),
                "extern" => (word, native::defined(self.text, behind)),
                _ => (word, behind.first().filter(is_name).copied()),
            };
            let (names, index) = match kind {
                "opcode" => {
                    self.declare_opcode(&tokens, number);
                    continue;
                }
                "func" => (&mut self.scope.functions, &mut begun.functions),
                "import" => (&mut self.scope.imports, &mut begun.imports),
                "global" => (&mut self.scope.globals, &mut begun.globals),
                "table" => (&mut self.scope.tables, &mut begun.tables),
                "extern" => (&mut self.scope.externs, &mut begun.externs),
                "data" | "rodata" => (&mut self.scope.data, &mut begun.data),
                "elem" => (&mut self.scope.elements, &mut begun.elements),
                "segment" => (&mut self.scope.segments, &mut begun.segments),
                _ => continue,
            };
            let defined = defined.and_then(|token| Some((name(self.text, token).ok()?, token.range())));
            if word == "func" {
                self.module.declare(defined.as_ref().map_or("", |(name, _)| name));
            }
            if let Some((name, range)) = defined {
                let definition = Definition { index: *index, spot: Spot { line: number, range } };
                names.entry(name).or_insert(definition);
            }
            *index += 1;
        }
    }

    /// Reads the lines; nothing if there were too many errors to go on.
    fn read(&mut self) -> Option<()> {
        let mut tokens = Vec::new();
        for (number, line) in lines(self.text) {
            self.line = number;
            let start = line.start;
            tokens.clear();
            let broken = lex::line(self.text, line, &mut tokens).map_err(|fault| self.report(fault)).is_err();
            let read = self.statement(Cursor::new(self.text, &tokens, start));
            // The part before an error in the spelling counts only for what it defines.
            if let Err(fault) = read
                && !broken
            {
                self.report(fault);
            }
            if self.faults.len() >= LIMIT {
                return None;
            }
        }
        self.end_body();
        items::check_memory(self);
        (self.faults.len() < LIMIT).then_some(())
    }

    /// Notes an error of the line at hand.
    pub fn report(&mut self, fault: Fault) {
        self.report_at(self.line, fault);
    }

    /// Notes an error of another line.
    pub fn report_at(&mut self, line: u32, fault: Fault) {
        if self.faults.len() < LIMIT {
            self.faults.push((line, fault));
        }
    }

    fn statement(&mut self, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
        let mut labelled = false;
        while let Some(token) = cursor.take_label() {
            labelled = true;
            let line = self.line;
            let (name, range) = (name(self.text, token)?, token.range());
            self.body(range.clone()).place(name, Spot { line, range })?;
        }
        let Some(first) = cursor.next() else { return Ok(()) };
        if first.kind != Kind::Word {
            let found = brief(first.text(self.text));
            let message = format!("expected an instruction or an item, found `{found}`");
            return Err(Fault::new(first.range(), message).maybe_help(brace_help(first)));
        }
        let word = first.text(self.text);
        if word == "label" && !labelled {
            return self.label(cursor);
        }
        if items::is_item(word) {
            if labelled {
                return Err(Fault::new(first.range(), format!("`{word}` cannot stand behind a label"))
                    .help("begin it on a line of its own"));
            }
            return items::item(self, word, first, cursor);
        }
        let line = self.line;
        if mnemonic::lookup(word).is_some() || self.scope.opcodes.find(word).is_some() {
            self.body(first.range());
        }
        // A misspelt word may have been meant to begin a function, so that what follows stands in one.
        self.body.get_or_insert_with(Body::stray);
        // The body and the names it uses are lent out together.
        let Parser { scope, module, body: Some(body), .. } = self else { return Ok(()) };
        body.instruction(word, first, cursor, line, scope, module)
    }

    fn label(&mut self, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
        let (name, range) = cursor.name("a label's name")?;
        if cursor.peek().is_some_and(|token| token.kind == Kind::Colon) {
            let shown = brief(&name);
            return Err(cursor.expected("nothing").help(format!("write `label {shown}` or `{shown}:`, not both")));
        }
        cursor.finish()?;
        let spot = Spot { line: self.line, range: range.clone() };
        self.body(range).place(name, spot)
    }

    /// The body that a statement at `range` belongs to.
    fn body(&mut self, range: Range<usize>) -> &mut Body<'t> {
        if self.body.is_none() {
            let help = if self.begun.functions == 0 {
                "a function begins with a line `func NAME`"
            } else {
                "an item ends the function before it; put it before or behind the whole function"
            };
            self.report(Fault::new(range, "this stands outside of every function").help(help));
        }
        // What follows is still read, for the errors in it.
        self.body.get_or_insert_with(Body::stray)
    }

    /// Begins the body of a function.
    pub fn begin_body(&mut self, body: Body<'t>) {
        self.body = Some(body);
    }

    /// Ends the body that is open, if one is.
    pub fn end_body(&mut self) {
        let Some(body) = self.body.take() else { return };
        let id = FunctionId(body.index);
        for (line, fault) in body.missing_labels(&self.scope) {
            self.report_at(line, fault);
        }
        self.module.define(id, body.finish());
    }
}
