//! Reads the items of a module: everything that is not an instruction.
//!
//! Comes in: a line that begins with the word of an item. Goes out: the calls of a
//! [`ModuleBuilder`](crate::builder::ModuleBuilder). What must hold: nothing is allocated because of a number in the
//! text before it is known to fit.

use std::ops::{Range, RangeInclusive};

use super::body::Body;
use super::cursor::{Cursor, brief, string};
use super::fault::{Fault, Spot};
use super::lex::{Kind, Token};
use super::names::unknown;
use super::parse::{Names, Parser};
use super::{ZEROS, link, literal, native};
use crate::isa::op::Type;
use crate::module::link::{Constant, ImportName};
use crate::module::{Global, MAX_PAGES, Memory, PAGE, Signature, Table};

/// The words that items begin with.
pub const WORDS: [&str; 14] = [
    "func", "global", "memory", "init", "table", "extern", "data", "rodata", "opcode", "import", "export", "elem",
    "segment", "start",
];

pub fn is_item(word: &str) -> bool {
    WORDS.contains(&word)
}

/// Reads the item that begins with `word`, which is the token `first`.
pub fn item<'t>(parser: &mut Parser<'t>, word: &str, first: Token, cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    parser.end_body();
    match word {
        "func" => func(parser, cursor),
        "import" => link::import(parser, cursor),
        "export" => link::export(parser, cursor),
        "elem" => link::elements(parser, cursor),
        "segment" => link::segment(parser, cursor),
        "start" => link::start(parser, first, cursor),
        "global" => global(parser, cursor, None),
        "memory" => memory(parser, first, cursor, None),
        "init" => init(parser, cursor),
        "table" => table(parser, cursor, None),
        "extern" => native::external(parser, cursor),
        "opcode" => parser.opcode(cursor),
        _ => native::data(parser, word, cursor),
    }
}

/// The fault of defining a name again, if the `what` at `spot` does that. The first of `names` are those of its own kind,
/// the others those that it shares its names with.
pub fn redefined(names: &[(&str, &Names<'_>)], what: &str, name: &str, spot: &Spot) -> Option<Fault> {
    let before =
        |names: &Names<'_>| names.get(name).map(|d| d.spot.clone()).filter(|s| s.range.start < spot.range.start);
    let found = names.iter().filter_map(|(kind, names)| Some((*kind, before(names)?)));
    let (kind, first) = found.min_by_key(|(_, first)| first.range.start)?;
    let shown = brief(name);
    let fault = |message: String| Fault::new(spot.range.clone(), message).and_at(first, "first defined here");
    if kind == what {
        return Some(fault(format!("{what} `{shown}` is defined twice")));
    }
    let fault = fault(format!("{what} `{shown}` has the name of {}", with_article(kind)));
    Some(fault.help("functions, imports, externs and data share their names"))
}

/// What a kind of item is called in messages.
pub fn with_article(kind: &str) -> String {
    match kind {
        "extern" | "elem" | "import" => format!("an {kind}"),
        "data" => "data".to_owned(),
        kind => format!("a {kind}"),
    }
}

fn func<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let index = parser.begun.functions;
    parser.begun.functions += 1;
    // Whatever is wrong with the head, what follows is a function's body.
    let (name, range) = match cursor.name("the function's name") {
        Ok(name) => name,
        Err(fault) => {
            parser.begin_body(Body::new(index, "".into(), None, parser.line));
            return Err(fault);
        }
    };
    let spot = Spot { line: parser.line, range };
    let fault = redefined(&parser.scope.targets(), "function", &name, &spot);
    let signature = head_signature(&mut cursor);
    let written = signature.as_ref().map_or(None, Clone::clone);
    parser.begin_body(Body::new(index, name, written, parser.line));
    fault.map_or(signature.map(drop), Err)
}

/// The signature behind a function's name, if one is written.
fn head_signature(cursor: &mut Cursor<'_, '_>) -> Result<Option<Signature>, Fault> {
    if cursor.is_done() {
        return Ok(None);
    }
    let signature = cursor.signature(true)?;
    if cursor.peek().is_some_and(|token| token.kind == Kind::Comma) {
        let fault = cursor.expected("the end of the line");
        return Err(fault.help("several results stand in parentheses: `-> (i64, f64)`"));
    }
    cursor.finish()?;
    Ok(Some(signature))
}

/// `NAME [const] T = VALUE`; where it is imported, no value.
pub fn global<'t>(
    parser: &mut Parser<'t>,
    mut cursor: Cursor<'t, '_>,
    import: Option<ImportName>,
) -> Result<(), Fault> {
    let (name, range) = cursor.name("the global's name")?;
    let spot = Spot { line: parser.line, range };
    let mutable = !cursor.take_word("const");
    let ty = cursor.value_type()?;
    let start = if import.is_some() {
        let help = "an imported global has the value that it has where it comes from";
        cursor.finish().map_err(|fault| fault.help(help))?;
        Constant::Bits(0)
    } else {
        let shown = brief(&name);
        if !cursor.take(Kind::Equals) {
            let value = if ty.is_reference() { "null" } else { "0" };
            return Err(cursor.expected("`=`").help(format!("write `global {shown} {} = {value}`", ty.name())));
        }
        let help = format!("a global that holds floats is written `global {shown} f64 = 1.5`");
        let start = link::constant(&parser.scope, &mut cursor, ty, &help)?;
        cursor.finish()?;
        start
    };
    if let Some(fault) = redefined(&[("global", &parser.scope.globals)], "global", &name, &spot) {
        return Err(fault);
    }
    let global = Global { name: name.into_owned(), ty, start, mutable, import, line: parser.line };
    parser.module.module_mut().globals.push(global);
    Ok(())
}

/// `MIN [MAX]`.
pub fn memory<'t>(
    parser: &mut Parser<'t>,
    first: Token,
    mut cursor: Cursor<'t, '_>,
    import: Option<ImportName>,
) -> Result<(), Fault> {
    if let Some(other) = &parser.memory {
        let fault = Fault::new(first.range(), "a module has only one memory");
        return Err(fault.and_at(other.clone(), "first defined here"));
    }
    let spot = Spot { line: parser.line, range: first.range().start..cursor.range().end };
    parser.memory = Some(spot.clone());
    // Until it is read, the memory is as large as can be: so nothing else seems not to fit because of an error here.
    parser.module.memory(MAX_PAGES, None);
    let pages = 0..=i128::from(MAX_PAGES);
    let min = cursor.integer("a number of pages", pages.clone())?;
    let max = if cursor.is_done() { None } else { Some(cursor.integer("a number of pages", pages)?) };
    cursor.finish()?;
    if let Some(max) = max.filter(|&max| max < min) {
        let message = format!("the memory begins with {min} pages, but can have only {max}");
        return Err(Fault::new(spot.range, message).help("write `memory MIN MAX`, the smaller number first"));
    }
    if let Some(memory) = &mut parser.module.module_mut().memory {
        *memory = Memory { min: narrow(min), max: max.map(narrow), import, line: parser.line };
    }
    Ok(())
}

/// A number that was checked to be in range.
pub fn narrow(value: i128) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn init<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let whole = cursor.range();
    let offset = narrow(cursor.integer("an offset", 0..=i128::from(u32::MAX))?);
    cursor
        .expect(Kind::Equals, "`=`")
        .map_err(|fault| fault.help("write `init 0 = \"text\"` or `init 0 = i32 1, 2`"))?;
    let bytes = contents(parser, &mut cursor)?;
    cursor.finish()?;
    parser.module.init(offset, bytes);
    parser.inits.push(Spot { line: parser.line, range: whole });
    if let Some(init) = parser.module.module_mut().inits.last_mut() {
        init.line = parser.line;
    }
    Ok(())
}

/// `"text"`, `TYPE 1, 2, 3` or `zero N`.
pub fn contents<'t>(parser: &mut Parser<'t>, cursor: &mut Cursor<'t, '_>) -> Result<Vec<u8>, Fault> {
    let start = *cursor;
    let forms = "write `\"text\"`, `i32 1, 2, 3` (also `i8`, `i16`, `i64`, `f32`, `f64`, `ptr`) or `zero 64`";
    match cursor.next() {
        Some(token) if token.kind == Kind::Text => Ok(string(cursor.text, token)?.into_owned()),
        Some(token) if token.kind == Kind::Word && token.text(cursor.text) == "zero" => zeros(parser, cursor),
        Some(token) if token.kind == Kind::Word => match Element::named(token.text(cursor.text)) {
            Some(element) => elements(element, cursor),
            None => Err(start.expected("contents").help(forms)),
        },
        _ => Err(start.expected("contents").help(forms)),
    }
}

fn zeros<'t>(parser: &mut Parser<'t>, cursor: &mut Cursor<'t, '_>) -> Result<Vec<u8>, Fault> {
    let range = cursor.range();
    let n = cursor.integer("a number of bytes", 0..=i128::from(PAGE) * i128::from(MAX_PAGES))?;
    let n = u64::try_from(n).unwrap_or(u64::MAX);
    let help = "linear memory is zero at the start, so only what an earlier `init` filled needs it";
    cut_zeros(parser, n, &range, help)?;
    Ok(vec![0; usize::try_from(n).unwrap_or(usize::MAX)])
}

/// Counts `n` zero bytes that are to be made, and refuses what is too much for all of the text.
pub fn cut_zeros(parser: &mut Parser<'_>, n: u64, range: &Range<usize>, help: &str) -> Result<(), Fault> {
    if parser.zeros + n > ZEROS {
        return Err(Fault::new(range.clone(), format!("more than {ZEROS} bytes are set to zero")).help(help));
    }
    parser.zeros += n;
    Ok(())
}

/// The type of the elements that fill memory.
#[derive(Clone, Copy)]
pub enum Element {
    /// Integers of this many bytes.
    Int(usize, &'static str),
    Float(Type),
    /// Addresses, or integers of as many bytes.
    Pointer,
}

impl Element {
    pub fn width(self) -> usize {
        match self {
            Element::Int(width, _) => width,
            Element::Float(Type::F32) => 4,
            Element::Float(_) | Element::Pointer => 8,
        }
    }

    /// The bytes of the literal that an operand is, of which as many count as the element is wide.
    pub fn read(self, mut operand: Cursor<'_, '_>) -> Result<[u8; 8], Fault> {
        let value = match self {
            Element::Int(width, what) => literal::low_bits(operand.integer(what, limits(width))?),
            Element::Float(ty) => operand.literal(ty, "")?,
            Element::Pointer => literal::low_bits(operand.integer("an i64", limits(8))?),
        };
        operand.finish()?;
        Ok(value.to_le_bytes())
    }

    pub fn named(word: &str) -> Option<Element> {
        Some(match word {
            "i8" => Element::Int(1, "an i8"),
            "i16" => Element::Int(2, "an i16"),
            "i32" => Element::Int(4, "an i32"),
            "i64" => Element::Int(8, "an i64"),
            "ptr" => Element::Pointer,
            "f32" => Element::Float(Type::F32),
            "f64" => Element::Float(Type::F64),
            _ => return None,
        })
    }
}

/// What an integer of so many bytes may be, signed or unsigned.
fn limits(bytes: usize) -> RangeInclusive<i128> {
    -(1 << (8 * bytes - 1))..=(1 << (8 * bytes)) - 1
}

fn elements(element: Element, cursor: &mut Cursor<'_, '_>) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    for _ in 0..cursor.count().max(1) {
        bytes.extend_from_slice(&element.read(cursor.operand())?[..element.width()]);
    }
    Ok(bytes)
}

/// Refuses what does not fit into linear memory.
pub fn check_memory(parser: &mut Parser<'_>) {
    let inits = std::mem::take(&mut parser.inits);
    let module = parser.module.module_mut();
    let size = module.memory.as_ref().map(|memory| (memory.min, u64::from(memory.min) * PAGE));
    let mut faults = Vec::new();
    let imported = module.memory.as_ref().is_some_and(|memory| memory.import.is_some());
    for (spot, init) in inits.iter().zip(&module.inits) {
        let end = u64::from(init.offset) + init.bytes.len() as u64;
        let fault = match size {
            None => Fault::new(spot.range.clone(), "there is no linear memory to fill").help("add a line `memory 1`"),
            Some(_) if imported => Fault::new(spot.range.clone(), "this fills a memory that is another's")
                .help("a segment fills it when the module is instantiated: `segment NAME at OFFSET = \"text\"`"),
            Some((pages, size)) if end > size => {
                let message = format!("this fills memory up to byte {end}, but it begins with {size}");
                let needed = end.div_ceil(PAGE);
                let fault = Fault::new(spot.range.clone(), message);
                match &parser.memory {
                    Some(memory) if needed <= u64::from(MAX_PAGES) => fault
                        .and_at(memory.clone(), "the memory")
                        .help(format!("it needs {needed} pages instead of {pages}")),
                    _ => fault.help("linear memory has at most 4 GiB"),
                }
            }
            Some(_) => continue,
        };
        faults.push((spot.line, fault));
    }
    for (line, fault) in faults {
        parser.report_at(line, fault);
    }
}

/// `NAME = [f, g]`, or `NAME T MIN [MAX]` for one that grows; only those are imported.
pub fn table<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>, import: Option<ImportName>) -> Result<(), Fault> {
    let (name, range) = cursor.name("the table's name")?;
    let spot = Spot { line: parser.line, range };
    let mut table = Table { line: parser.line, ..Table::new(name.clone(), Vec::new()) };
    if import.is_some() || cursor.peek().is_some_and(|token| token.kind == Kind::Word) {
        table.growing = Some(link::growing(&name, &mut cursor, import)?);
    } else {
        let form = format!("write `table {0} = [f, g]`, or `table {0} funcref 10` for one that grows", brief(&name));
        if !cursor.take(Kind::Equals) {
            return Err(cursor.expected("`=`").help(form));
        }
        let list = cursor.inside(Kind::OpenList, Kind::CloseList, "a list of functions").map_err(|f| f.help(form))?;
        table.functions = functions(parser, list)?;
    }
    if let Some(fault) = redefined(&[("table", &parser.scope.tables)], "table", &name, &spot) {
        return Err(fault);
    }
    parser.module.module_mut().tables.push(table);
    Ok(())
}

fn functions<'t>(parser: &Parser<'t>, mut list: Cursor<'t, '_>) -> Result<Vec<u32>, Fault> {
    let mut functions = Vec::new();
    for _ in 0..list.count() {
        let mut operand = list.operand();
        let (function, range) = operand.name("a function's name")?;
        operand.finish()?;
        let names = &parser.scope.functions;
        let found = names.get(&function).map(|definition| definition.index);
        functions.push(found.ok_or_else(|| unknown(&function, range, &[names], "function", &parser.scope))?);
    }
    Ok(functions)
}
