//! Reads what stands for C in the text: types, signatures, externs and data.
//!
//! Comes in: operands and lines that name C types, libraries or contents of data. Goes out: the calls of a
//! [`ModuleBuilder`](crate::builder::ModuleBuilder). What must hold: as for all items, nothing is allocated because of a
//! number before it is known to fit.

use super::cursor::{Cursor, brief, name, string};
use super::fault::{Fault, Spot};
use super::items::{Element, cut_zeros, redefined};
use super::lex::{Kind, Token};
use super::parse::Parser;
use crate::module::MAX_VARIADIC;
use crate::module::native::{Abi, CSignature, CType, Data, MAX_ALIGN, MAX_DATA, MAX_NESTING, Pointer};

/// Words of C for types, and what they are here.
const C_WORDS: [(&str, &str); 12] = [
    ("char", "`i8`"),
    ("short", "`i16`"),
    ("int", "`i32`"),
    ("unsigned", "`u32`"),
    ("long", "`i64`"),
    ("u64", "`i64`, which holds unsigned numbers as well"),
    ("usize", "`i64`, which holds unsigned numbers as well"),
    ("size_t", "`i64`, which holds unsigned numbers as well"),
    ("float", "`f32`"),
    ("double", "`f64`"),
    ("pointer", "`ptr`"),
    ("void", "nothing: a function without results has no `->`"),
];

/// The convention that a string names.
pub fn abi(text: &str) -> Option<Abi> {
    match text {
        "win64" => Some(Abi::Win64),
        "sysv64" => Some(Abi::SysV),
        _ => None,
    }
}

impl Cursor<'_, '_> {
    /// The word for a type of C, or a `struct{T, …}`.
    fn c_type(&mut self, depth: u32) -> Result<CType, Fault> {
        let word = self.peek().filter(|token| token.kind == Kind::Word).map_or("", |token| token.text(self.text));
        if word == "struct" {
            return self.c_struct(depth);
        }
        let scalar = CType::SCALARS.into_iter().find(|(name, _)| *name == word).map(|(_, ty)| ty);
        let Some(ty) = scalar.or((word == "ptr").then_some(CType::I64)) else {
            let help = match C_WORDS.iter().find(|(other, _)| *other == word) {
                Some((_, own)) => format!("write {own}"),
                None => "the types are `i8`, `u8`, `i16`, `u16`, `i32`, `u32`, `i64`, `ptr`, `bool`, `f32`, `f64` and \
                         `struct{T, ...}`"
                    .to_owned(),
            };
            return Err(self.expected("a type of C").help(help));
        };
        self.next();
        Ok(ty)
    }

    fn c_struct(&mut self, depth: u32) -> Result<CType, Fault> {
        let start = self.range().start;
        self.next();
        if depth == MAX_NESTING {
            return Err(Fault::new(start..start + 6, format!("structs are nested more than {MAX_NESTING} deep")));
        }
        if !self.take(Kind::OpenStruct) {
            return Err(self.expected("`{`").help("a struct is written `struct{f64, i32}`"));
        }
        let mut members = Vec::new();
        while members.is_empty() || !self.take(Kind::CloseStruct) {
            if !members.is_empty() {
                self.expect(Kind::Comma, "`,` or `}`")?;
            } else if self.peek().is_some_and(|token| token.kind == Kind::CloseStruct) {
                return Err(self.expected("the type of a member").help("C has no struct without members"));
            }
            members.push(self.c_type(depth + 1)?);
        }
        Ok(CType::Struct(members))
    }

    /// `(T, …[, ...]) [-> T | -> (T, …)]` with types of C.
    pub fn c_signature(&mut self, abi: Abi) -> Result<CSignature, Fault> {
        let mut signature = CSignature { abi, ..CSignature::default() };
        let start = self.range().start;
        self.expect(Kind::Open, "`(`")?;
        while !self.take(Kind::Close) {
            if !signature.params.is_empty() {
                self.expect(Kind::Comma, "`,` or `)`")?;
            }
            if self.take_word("...") {
                signature.variadic = true;
                self.expect(Kind::Close, "`)` behind `...`")?;
                break;
            }
            signature.params.push(self.c_type(0)?);
        }
        if self.take(Kind::Arrow) {
            self.c_results(&mut signature.results)?;
        }
        for (types, what) in [(&signature.params, "parameters"), (&signature.results, "results")] {
            let n: usize = types.iter().map(|ty| ty.scalars().len()).sum();
            if n > MAX_VARIADIC as usize {
                let message = format!("{n} {what} are too many");
                let help = format!("at most {MAX_VARIADIC} can be named, the members of structs counted");
                return Err(Fault::new(start..self.range().start, message).help(help));
            }
        }
        Ok(signature)
    }

    fn c_results(&mut self, results: &mut Vec<CType>) -> Result<(), Fault> {
        if !self.take(Kind::Open) {
            results.push(self.c_type(0)?);
            return Ok(());
        }
        while !self.take(Kind::Close) {
            if !results.is_empty() {
                self.expect(Kind::Comma, "`,` or `)`")?;
            }
            results.push(self.c_type(0)?);
        }
        Ok(())
    }
}

/// `extern ["win64"] "LIB" NAME(T, …) -> T [as ALIAS]`.
pub fn external<'t>(parser: &mut Parser<'t>, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    parser.begun.externs += 1;
    let mut strings = Vec::new();
    while let Some(token) = cursor.peek().filter(|token| token.kind == Kind::Text) {
        strings.push(token);
        cursor.next();
    }
    let symbol = match cursor.peek() {
        Some(token) if token.kind == Kind::Word => cursor.next(),
        _ if strings.len() > 1 => strings.pop(),
        _ => None,
    };
    let form = "write `extern \"libm.so.6\" hypot(f64, f64) -> f64`; `\"\"` is what the process has already loaded";
    let Some(symbol) = symbol else { return Err(cursor.expected("the function's name").help(form)) };
    let (abi, library) = library(parser.text, &strings, symbol).map_err(|fault| fault.help(form))?;
    let (symbol, range) = (name(parser.text, symbol)?, symbol.range());
    if symbol.is_empty() {
        return Err(Fault::new(range, "a function of C needs a name"));
    }
    if cursor.peek().is_none_or(|token| token.kind != Kind::Open) {
        return Err(cursor.expected("the signature").help(form));
    }
    let signature = cursor.c_signature(abi)?;
    let (name, range) =
        if cursor.take_word("as") { cursor.name("the name that the program uses")? } else { (symbol.clone(), range) };
    if cursor.peek().is_some_and(|token| token.kind == Kind::Comma) {
        let help = "several results, which are a struct to C, stand in parentheses: `-> (i64, f64)`";
        return Err(cursor.expected("the end of the line").help(help));
    }
    cursor.finish()?;
    let spot = Spot { line: parser.line, range };
    if let Some(fault) = redefined(&parser.scope.targets(), "extern", &name, &spot) {
        return Err(fault);
    }
    parser.module.c_function(name, library, symbol, signature);
    if let Some(last) = parser.module.module_mut().externs.last_mut() {
        last.line = parser.line;
    }
    Ok(())
}

/// The convention and the library that the strings before a function's name give.
fn library(text: &str, strings: &[Token], symbol: Token) -> Result<(Abi, String), Fault> {
    let named = |token: &Token| name(text, *token).map(std::borrow::Cow::into_owned);
    match strings {
        [] => Err(Fault::new(symbol.range(), "the function's library is missing before its name")),
        [one] => {
            let one = named(one)?;
            Ok(abi(&one).map_or((Abi::SysV, one), |abi| (abi, String::new())))
        }
        [first, second] => {
            let Some(abi) = abi(&named(first)?) else {
                let message = format!("{} is no calling convention", brief(first.text(text)));
                return Err(Fault::new(first.range(), message).help("there are `\"sysv64\"` and `\"win64\"`"));
            };
            Ok((abi, named(second)?))
        }
        [.., last] => Err(Fault::new(last.range(), "one library is named before the function")),
    }
}

/// The name that a line `extern …` defines, given the tokens behind the word.
pub fn defined(text: &str, tokens: &[Token]) -> Option<Token> {
    if let [.., word, alias] = tokens
        && word.kind == Kind::Word
        && word.text(text) == "as"
        && matches!(alias.kind, Kind::Word | Kind::Text)
    {
        return Some(*alias);
    }
    let strings = tokens.iter().take_while(|token| token.kind == Kind::Text).count();
    let next = tokens.get(strings).filter(|token| token.kind == Kind::Word);
    next.or_else(|| tokens[..strings].last().filter(|_| strings > 1)).copied()
}

/// `data NAME [align N] = CONTENTS, …`, or `rodata`.
pub fn data<'t>(parser: &mut Parser<'t>, word: &str, mut cursor: Cursor<'t, '_>) -> Result<(), Fault> {
    parser.begun.data += 1;
    let (name, range) = cursor.name("the data's name")?;
    let spot = Spot { line: parser.line, range };
    let align = if cursor.take_word("align") { Some(alignment(&mut cursor)?) } else { None };
    if !cursor.take(Kind::Equals) {
        let help = format!("write `{word} {0} = \"text\\0\"` or `{word} {0} = i32 1, 2`", brief(&name));
        return Err(cursor.expected("`=`").help(help));
    }
    let mut contents = Contents { parser, element: None, align: 1, data: Data::default() };
    let only_zeros = cursor.count() == 1 && cursor.peek().is_some_and(|token| token.text(cursor.text) == "zero");
    // Something is missing where nothing stands.
    contents.operand(cursor.operand())?;
    while !cursor.is_done() {
        contents.operand(cursor.operand())?;
    }
    let Contents { align: natural, data, .. } = contents;
    let align = align.unwrap_or(if only_zeros { 16 } else { natural });
    if align < 8 && !data.pointers.is_empty() {
        return Err(Fault::new(spot.range, "addresses are aligned to at least 8 bytes"));
    }
    if let Some(fault) = redefined(&parser.scope.targets(), "data", &name, &spot) {
        return Err(fault);
    }
    let (name, line) = (name.into_owned(), parser.line);
    parser.module.data(Data { name, align, writable: word == "data", line, ..data });
    Ok(())
}

fn alignment(cursor: &mut Cursor<'_, '_>) -> Result<u32, Fault> {
    let place = *cursor;
    let align = cursor.integer("an alignment", 1..=i128::from(MAX_ALIGN))?;
    let align = u32::try_from(align).unwrap_or(1);
    if align.is_power_of_two() {
        return Ok(align);
    }
    let range = place.peek().map_or(place.range(), Token::range);
    Err(Fault::new(range, format!("{align} is no power of two")).help("data is aligned to 1, 2, 4, 8, 16, 32 or 64"))
}

/// What data is filled with, while it is read.
struct Contents<'a, 't> {
    parser: &'a mut Parser<'t>,
    /// What the operands are that say nothing of their type.
    element: Option<Element>,
    /// The largest alignment of an element so far.
    align: u32,
    data: Data,
}

impl<'t> Contents<'_, 't> {
    fn operand(&mut self, operand: Cursor<'t, '_>) -> Result<(), Fault> {
        let is_pointer = matches!(self.element, Some(Element::Pointer));
        let mut rest = operand;
        let first = rest.next();
        if let Some(text) = first.filter(|token| token.kind == Kind::Text && !is_pointer) {
            rest.finish()?;
            self.element = None;
            let bytes = string(operand.text, text)?;
            self.make_room(bytes.len() as u64, operand)?;
            self.data.bytes.extend_from_slice(&bytes);
            return Ok(());
        }
        let word = first.filter(|token| token.kind == Kind::Word && !rest.is_done()).map(|t| t.text(operand.text));
        if word == Some("zero") {
            self.element = None;
            return self.zeros(rest);
        }
        if let Some(element) = word.and_then(Element::named) {
            self.element = Some(element);
            return self.value(element, rest);
        }
        match self.element {
            Some(element) => self.value(element, operand),
            None => Err(no_contents(&operand)),
        }
    }

    /// Zero bytes cost nothing until something follows them.
    fn zeros(&mut self, mut operand: Cursor<'t, '_>) -> Result<(), Fault> {
        let range = operand.range();
        let n = operand.integer("a number of bytes", 0..=i128::from(MAX_DATA))?;
        operand.finish()?;
        self.data.zeros += u64::try_from(n).unwrap_or(u64::MAX);
        if self.data.len() > MAX_DATA {
            return Err(Fault::new(range, format!("data has at most {MAX_DATA} bytes")));
        }
        Ok(())
    }

    /// Turns zeros that something follows into bytes, and checks that `more` bytes fit.
    fn make_room(&mut self, more: u64, operand: Cursor<'_, '_>) -> Result<(), Fault> {
        let zeros = std::mem::take(&mut self.data.zeros);
        if zeros > 0 && more > 0 {
            cut_zeros(self.parser, zeros, &operand.range(), "put what is zero behind everything else")?;
            self.data.bytes.resize(self.data.bytes.len() + usize::try_from(zeros).unwrap_or(usize::MAX), 0);
        } else {
            self.data.zeros = zeros;
        }
        let fits = self.data.len() + more <= MAX_DATA;
        if fits { Ok(()) } else { Err(Fault::new(operand.range(), format!("data has at most {MAX_DATA} bytes"))) }
    }

    fn value(&mut self, element: Element, operand: Cursor<'t, '_>) -> Result<(), Fault> {
        let width = element.width();
        self.make_room(width as u64, operand)?;
        let at = self.data.bytes.len();
        if !at.is_multiple_of(width) {
            let message = format!("this would stand at byte {at}, which is not a multiple of {width}");
            let help = format!("put `zero {}` before it", at.next_multiple_of(width) - at);
            return Err(Fault::new(operand.range(), message).help(help));
        }
        self.align = self.align.max(crate::builder::count(width));
        if matches!(element, Element::Pointer) && self.pointer(operand, at)? {
            return Ok(());
        }
        let bytes = element.read(operand)?;
        self.data.bytes.extend_from_slice(&bytes[..width]);
        Ok(())
    }

    /// The address of what is named, if a name stands there.
    fn pointer(&mut self, mut operand: Cursor<'t, '_>, at: usize) -> Result<bool, Fault> {
        if !operand.peek().is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Text)) {
            return Ok(false);
        }
        let (name, range) = operand.name("a name")?;
        operand.finish()?;
        let target = self.parser.scope.target(&name).ok_or_else(|| self.parser.scope.unknown_target(&name, range))?;
        self.data.pointers.push(Pointer { offset: crate::builder::count(at), target });
        self.data.bytes.extend_from_slice(&[0; 8]);
        Ok(true)
    }
}

fn no_contents(operand: &Cursor<'_, '_>) -> Fault {
    let forms =
        "write `\"text\\0\"`, `i32 1, 2, 3` (also `i8`, `i16`, `i64`, `f32`, `f64`), `ptr NAME, 0` or `zero 64`";
    operand.expected("contents").help(forms)
}
