//! Reads what modules share with others: imports, exports, growing tables, what fills them and memory, what runs first; and
//! the instructions on these.
//!
//! Comes in: lines that begin with the word of such an item, operands of such instructions. Goes out: items of the
//! module, and lists of operands. What must hold: what an instruction takes comes from [`Op::object`] alone.

use std::ops::RangeInclusive;

use super::body::Body;
use super::cursor::{Cursor, brief};
use super::fault::{Fault, Spot};
use super::items::{self, contents, narrow, redefined};
use super::lex::{Kind, Token};
use super::names::{find, function, unknown};
use super::parse::{Parser, Scope};
use crate::isa::object::Named;
use crate::isa::op::{Op, Type};
use crate::module::link::{Constant, Elements, Export, Growing, ImportName, ImportedFunction, Item, Mode, Segment};

const IMPORT: &str = "write `import \"MODULE\" \"NAME\" func f(i32) -> i32`, or `global g const i32`, `memory 1`, \
                      `table t funcref 10` behind the two names";
const EXPORT: &str = "write `export \"NAME\" func f`, or `global g`, `memory`, `table t` behind the name";

/// The kind of item that a line `import …` defines, and its name, given the tokens behind the word.
pub fn defined(text: &str, tokens: &[Token]) -> (&'static str, Option<Token>) {
    let mut rest = tokens.iter().skip_while(|token| token.kind == Kind::Text);
    let kind = match rest.next().filter(|token| token.kind == Kind::Word).map(|token| token.text(text)) {
        Some("func") => "import",
        Some("global") => "global",
        Some("table") => "table",
        _ => "",
    };
    (kind, rest.next().filter(|token| matches!(token.kind, Kind::Word | Kind::Text)).copied())
}

/// `"MODULE" "NAME" func f(T, …) -> T`, or another kind of item behind the names.
pub fn import<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let mut name = |what: &str| match cursor.peek() {
        Some(token) if token.kind == Kind::Text => cursor.name(what).map(|(name, _)| name.into_owned()),
        _ => Err(cursor.expected(what).help(IMPORT)),
    };
    let from = ImportName { module: name("the module's name in quotes")?, name: name("the item's name in quotes")? };
    let Some(kind) = cursor.peek().filter(|token| token.kind == Kind::Word) else {
        return Err(cursor.expected("`func`, `global`, `memory` or `table`").help(IMPORT));
    };
    let here = cursor;
    cursor.next();
    match kind.text(parser.text) {
        "func" => imported_function(parser, from, cursor),
        "global" => items::global(parser, cursor, Some(from)),
        "memory" => items::memory(parser, kind, cursor, Some(from)),
        "table" => items::table(parser, cursor, Some(from)),
        _ => Err(here.expected("`func`, `global`, `memory` or `table`").help(IMPORT)),
    }
}

fn imported_function<'t>(parser: &mut Parser<'t>, from: ImportName, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let (name, range) = cursor.name("the name that the program uses")?;
    if cursor.peek().is_none_or(|token| token.kind != Kind::Open) {
        let form = format!("nothing says what it takes and gives: write `func {}(i32) -> i32`", brief(&name));
        return Err(cursor.expected("the signature").help(form));
    }
    let signature = cursor.signature(false).map_err(|fault| fault.maybe_help(None))?;
    cursor.finish()?;
    let spot = Spot { line: parser.line, range };
    if let Some(fault) = redefined(&parser.scope.targets(), "import", &name, &spot) {
        return Err(fault);
    }
    let import = ImportedFunction { name: name.into_owned(), from, signature, line: parser.line };
    parser.module.module_mut().imports.push(import);
    Ok(())
}

/// `"NAME" func f`, or another item.
pub fn export<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let (name, range) = cursor.name("the name for others").map_err(|fault| fault.help(EXPORT))?;
    let kind = cursor.peek().filter(|token| token.kind == Kind::Word).map_or("", |token| token.text(parser.text));
    let here = cursor;
    cursor.next();
    let scope = &parser.scope;
    let item = match kind {
        "func" => Item::Function(function(cursor, scope)?),
        "global" => Item::Global(find(cursor, &scope.globals, "global", scope)?),
        "table" => Item::Table(find(cursor, &scope.tables, "table", scope)?),
        "memory" => {
            cursor.finish()?;
            Item::Memory
        }
        _ => return Err(here.expected("`func`, `global`, `memory` or `table`").help(EXPORT)),
    };
    if let Some(first) = parser.exports.get(&name) {
        let fault = Fault::new(range, format!("`{}` is exported twice", brief(&name)));
        return Err(fault.and_at(first.clone(), "first exported here"));
    }
    let line = parser.line;
    parser.module.module_mut().exports.push(Export { name: name.clone().into_owned(), item, line });
    parser.exports.insert(name, Spot { line, range });
    Ok(())
}

/// `NAME`: the function that runs when the module is instantiated.
pub fn start<'t>(parser: &mut Parser<'t>, first: Token, cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    if let Some(other) = &parser.start {
        let fault = Fault::new(first.range(), "a module has only one start function");
        return Err(fault.and_at(other.clone(), "first named here"));
    }
    parser.start = Some(Spot { line: parser.line, range: first.range().start..cursor.range().end });
    let target = function(cursor, &parser.scope)?;
    parser.module.module_mut().start = Some(target);
    Ok(())
}

/// `T MIN [MAX]`: what makes a table one that grows.
pub fn growing(name: &str, cursor: &mut Cursor<'_, '_>, import: Option<ImportName>) -> Result<Growing, Fault> {
    const SIZES: RangeInclusive<i128> = 0..=u32::MAX as i128;
    let form = || format!("write `table {} funcref 10`, or `externref`", brief(name));
    let start = cursor.range().start;
    let ty = reference_type(cursor).map_err(|fault| fault.help(form()))?;
    let min = cursor.integer("a number of elements", SIZES).map_err(|fault| fault.help(form()))?;
    let max = if cursor.is_done() { None } else { Some(cursor.integer("a number of elements", SIZES)?) };
    let range = start..cursor.range().end;
    cursor.finish()?;
    match max.filter(|&max| max < min) {
        Some(max) => {
            let message = format!("the table begins with {min} elements, but can have only {max}");
            Err(Fault::new(range, message).help("the smaller number stands first"))
        }
        None => Ok(Growing { ty, min: narrow(min), max: max.map(narrow), import }),
    }
}

fn reference_type(cursor: &mut Cursor<'_, '_>) -> Result<Type, Fault> {
    let here = *cursor;
    match cursor.value_type() {
        Ok(ty) if ty.is_reference() => Ok(ty),
        _ => Err(here.expected("`funcref` or `externref`")),
    }
}

/// `NAME T [in TABLE at OFFSET | declared] = [f, null, …]`.
pub fn elements<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let (name, range) = cursor.name("the name of the elements")?;
    let spot = Spot { line: parser.line, range };
    let form = |fault: Fault| {
        let shown = brief(&name);
        fault.help(format!("write `elem {shown} funcref = [f, g]`, or `elem {shown} funcref in TABLE at 0 = [f, g]`"))
    };
    let ty = reference_type(&mut cursor).map_err(form)?;
    let scope = &parser.scope;
    let mode = if cursor.take_word("in") {
        let (table, range) = cursor.name("the table's name")?;
        let table = scope
            .tables
            .get(&table)
            .map(|definition| definition.index)
            .ok_or_else(|| unknown(&table, range, &[&scope.tables], "table", scope))?;
        if !cursor.take_word("at") {
            return Err(form(cursor.expected("`at` and where in the table")));
        }
        Mode::Active { table, offset: offset(scope, &mut cursor)? }
    } else if cursor.take_word("declared") {
        Mode::Declared
    } else {
        Mode::Passive
    };
    cursor.expect(Kind::Equals, "`=`").map_err(form)?;
    let mut list = cursor.inside(Kind::OpenList, Kind::CloseList, "a list of functions").map_err(form)?;
    let mut items = Vec::new();
    for _ in 0..list.count() {
        let mut operand = list.operand();
        items.push(constant(scope, &mut operand, ty, "")?);
        operand.finish()?;
    }
    if let Some(fault) = redefined(&[("elem", &scope.elements)], "elem", &name, &spot) {
        return Err(fault);
    }
    let elements = Elements { name: name.into_owned(), ty, items, mode, line: parser.line };
    parser.module.module_mut().elements.push(elements);
    Ok(())
}

/// `NAME [at OFFSET] = CONTENTS`.
pub fn segment<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    let (name, range) = cursor.name("the segment's name")?;
    let spot = Spot { line: parser.line, range };
    let mode = if cursor.take_word("at") {
        Mode::Active { table: 0, offset: offset(&parser.scope, &mut cursor)? }
    } else {
        Mode::Passive
    };
    cursor.expect(Kind::Equals, "`=`").map_err(|fault| {
        let shown = brief(&name);
        fault.help(format!("write `segment {shown} = \"text\"`, or `segment {shown} at 8 = i32 1, 2`"))
    })?;
    let bytes = contents(parser, &mut cursor)?;
    cursor.finish()?;
    if let Some(fault) = redefined(&[("segment", &parser.scope.segments)], "segment", &name, &spot) {
        return Err(fault);
    }
    let segment = Segment { name: name.into_owned(), bytes, mode, line: parser.line };
    parser.module.module_mut().segments.push(segment);
    Ok(())
}

/// Where in a table or in memory something goes.
fn offset<'t>(scope: &Scope<'t>, cursor: &mut Cursor<'t, '_>) -> Result<Constant, Fault> {
    constant(scope, cursor, Type::I32, "an offset is a whole number")
}

/// A literal, `null`, the name of a function, or `global NAME`.
pub fn constant<'t>(
    scope: &Scope<'t>,
    cursor: &mut Cursor<'t, '_>,
    ty: Type,
    float_help: &str,
) -> Result<Constant, Fault> {
    let mut rest = *cursor;
    // Alone it is a name like others.
    let is_name = |token: Token| matches!(token.kind, Kind::Word | Kind::Text);
    if rest.take_word("global") && rest.peek().is_some_and(is_name) {
        let (name, range) = rest.name("the global's name")?;
        *cursor = rest;
        let found = scope.globals.get(&name).map(|definition| Constant::Global(definition.index));
        return found.ok_or_else(|| unknown(&name, range, &[&scope.globals], "global", scope));
    }
    if !ty.is_reference() {
        return cursor.literal(ty, float_help).map(Constant::Bits);
    }
    if cursor.take_word("null") {
        return Ok(Constant::Bits(0));
    }
    let (name, range) = cursor.name("a function's name, `null` or `global NAME`")?;
    scope.function(&name).map(Constant::Function).ok_or_else(|| scope.unknown_function(&name, range))
}

impl<'t> Body<'t> {
    /// Reads the operands of an instruction on tables, elements or segments; returns where their list stands.
    pub(super) fn object(&mut self, op: Op, operands: &mut Cursor<'t, '_>, scope: &Scope<'t>) -> Result<u32, Fault> {
        let Some(row) = op.object() else { return Ok(0) };
        let result = if row.result { Some(self.register(operands.operand())?) } else { None };
        let mut named = [0; 2];
        for (at, what) in row.names.iter().enumerate() {
            let operand = operands.operand();
            named[at] = match what {
                Named::Table => find(operand, &scope.tables, "table", scope)?,
                Named::Elements => find(operand, &scope.elements, "elem", scope)?,
                Named::Segment => find(operand, &scope.segments, "segment", scope)?,
                Named::Function => {
                    let (kind, index) = function(operand, scope)?.fields();
                    named[1] = index;
                    kind
                }
            };
        }
        self.list.extend(named);
        self.list.push(u32::from(row.result));
        self.list.extend(result);
        self.list.push(crate::builder::count(row.args));
        (0..row.args).try_for_each(|_| self.push_register(operands.operand()))?;
        Ok(self.end_list())
    }
}
