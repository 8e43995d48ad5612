//! Cuts one line of text into tokens.
//!
//! Comes in: the whole text and the offset of a line. Goes out: the line's tokens, with their byte ranges in the
//! text. What must hold: a token is only a range and a kind, so that a line costs no allocation; what a number or a
//! string means is decided by [`literal`](super::literal) where it is used.

use std::ops::Range;

use super::fault::Fault;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare name: `[A-Za-z_.$][A-Za-z0-9_.$]*`.
    Word,
    /// A string in double quotes, the quotes included.
    Text,
    /// Something that starts like a number, its sign included; `-inf` and `-nan` too.
    Number,
    /// A character in single quotes, its sign and the quotes included.
    Char,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `=`
    Equals,
    /// `->`
    Arrow,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenList,
    /// `]`
    CloseList,
    /// `{`
    OpenStruct,
    /// `}`
    CloseStruct,
}

/// A token: its kind, and where it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub fn start(self) -> usize {
        self.start as usize
    }

    pub fn text(self, source: &str) -> &str {
        &source[self.range()]
    }
}

/// Appends the tokens of the line `line` of `source` (which must be shorter than 4 GiB) to `tokens`. Tokens before an
/// error are kept.
pub fn line(source: &str, line: Range<usize>, tokens: &mut Vec<Token>) -> Result<(), Fault> {
    let bytes = &source.as_bytes()[..line.end];
    let mut at = line.start;
    while let Some(&byte) = bytes.get(at) {
        let kind = match byte {
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' | b';' => break,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            b'=' => Kind::Equals,
            b'(' => Kind::Open,
            b')' => Kind::Close,
            b'[' => Kind::OpenList,
            b']' => Kind::CloseList,
            b'{' => Kind::OpenStruct,
            b'}' => Kind::CloseStruct,
            b'"' => Kind::Text,
            b'\'' => Kind::Char,
            b'0'..=b'9' => Kind::Number,
            b'-' => match bytes.get(at + 1) {
                Some(b'>') => Kind::Arrow,
                Some(b'\'') => Kind::Char,
                Some(c) if is_name(*c) => Kind::Number,
                _ => return Err(unexpected(source, at)),
            },
            _ if is_name(byte) => Kind::Word,
            _ => return Err(unexpected(source, at)),
        };
        let end = at + length(kind, &bytes[at..]).ok_or_else(|| unclosed(kind, at..line.end))?;
        tokens.push(token(kind, at, end));
        at = end;
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation, reason = "the text is shorter than 4 GiB")]
fn token(kind: Kind, start: usize, end: usize) -> Token {
    Token { kind, start: start as u32, end: end as u32 }
}

/// True for the bytes that a bare name consists of; a digit cannot be its first.
pub fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$')
}

/// How many bytes the token takes that `bytes` starts with; nothing if its end is missing.
fn length(kind: Kind, bytes: &[u8]) -> Option<usize> {
    match kind {
        Kind::Word => Some(run(bytes)),
        Kind::Number => Some(number(bytes)),
        Kind::Text => quoted(bytes, b'"'),
        Kind::Char if bytes[0] == b'-' => quoted(&bytes[1..], b'\'').map(|n| n + 1),
        Kind::Char => quoted(bytes, b'\''),
        Kind::Arrow => Some(2),
        _ => Some(1),
    }
}

fn run(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| !is_name(b)).unwrap_or(bytes.len())
}

/// A number is whatever can stand in a name, with a sign at its front and behind the letter of its exponent.
fn number(bytes: &[u8]) -> usize {
    let sign = usize::from(bytes[0] == b'-');
    let hex = matches!(bytes[sign..], [b'0', b'x' | b'X', ..]);
    let mut at = sign + run(&bytes[sign..]);
    let exponent = if hex { *b"pP" } else { *b"eE" };
    let numeric = bytes[sign].is_ascii_digit();
    if numeric && exponent.contains(&bytes[at - 1]) && matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1 + run(&bytes[at + 1..]);
    }
    at
}

/// The length of a quoted token; a backslash hides the byte behind it.
fn quoted(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            b if b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn unclosed(kind: Kind, at: Range<usize>) -> Fault {
    if kind == Kind::Text {
        Fault::new(at, "this string has no closing `\"`")
            .help("a string ends on the line that it starts on; a quote in it is written `\\\"`")
    } else {
        Fault::new(at, "this character has no closing `'`").help("characters are written `'c'`, `'\\n'`, `'\\x41'`")
    }
}

fn unexpected(source: &str, at: usize) -> Fault {
    let c = source[at..].chars().next().unwrap_or_default();
    let fault = Fault::new(at..at + c.len_utf8(), format!("the character `{c}` has no meaning here"));
    match c {
        '-' => fault.help("a minus belongs to the number behind it: `-1`"),
        '+' => fault.help("a positive number has no sign"),
        '/' => fault.help("a comment starts with `#` or `;`"),
        '%' | '@' | '&' => fault.help("registers are written `a1`, `r1`, or as numbers; names need no mark"),
        c if c.is_alphanumeric() => fault.help("put a name that has other than the letters A to Z in double quotes"),
        _ => fault,
    }
}
