//! Walks over the tokens of a line, and says what was expected where something else stands.
//!
//! Comes in: tokens of one line. Goes out: names, registers, literals, types, and faults that a person can act on.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use super::fault::Fault;
use super::lex::{Kind, Token};
use super::literal::{self, Wrong};
use crate::isa::op::Type;
use crate::module::{MAX_ARGS, MAX_LOCAL, Reg, Signature};

/// What is left of a line or of an operand.
#[derive(Clone, Copy)]
pub struct Cursor<'t, 'k> {
    pub text: &'t str,
    tokens: &'k [Token],
    /// The offset at which something is missing that should follow.
    end: usize,
}

impl<'t, 'k> Cursor<'t, 'k> {
    /// The tokens of a line, `start` being the offset where it begins.
    pub fn new(text: &'t str, tokens: &'k [Token], start: usize) -> Cursor<'t, 'k> {
        let end = tokens.last().map_or(start, |token| token.range().end);
        Cursor { text, tokens, end }
    }

    pub fn peek(&self) -> Option<Token> {
        self.tokens.first().copied()
    }

    pub fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    pub fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// The bytes that are left, from the first token to the last; an empty range where none are.
    pub fn range(&self) -> Range<usize> {
        self.tokens.first().map_or(self.end, |token| token.range().start)..self.end
    }

    /// True if the next token is of this kind; it is taken then.
    pub fn take(&mut self, kind: Kind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == kind);
        if found {
            self.next();
        }
        found
    }

    /// True if the next token is this word; it is taken then.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Word && token.text(self.text) == word);
        if found {
            self.next();
        }
        found
    }

    /// The name before a colon, if that is what comes next; both are taken.
    pub fn take_label(&mut self) -> Option<Token> {
        match self.tokens {
            [name @ Token { kind: Kind::Word | Kind::Text, .. }, Token { kind: Kind::Colon, .. }, ..] => {
                self.tokens = &self.tokens[2..];
                Some(*name)
            }
            _ => None,
        }
    }

    /// The fault of something else standing here than `what`.
    pub fn expected(&self, what: &str) -> Fault {
        match self.peek() {
            None => Fault::new(self.range(), format!("{what} is missing here")),
            Some(token) => {
                let found = format!("expected {what}, found `{}`", brief(token.text(self.text)));
                Fault::new(token.range(), found).maybe_help(brace_help(token))
            }
        }
    }

    pub fn expect(&mut self, kind: Kind, what: &str) -> Result<Token, Fault> {
        match self.peek() {
            Some(token) if token.kind == kind => {
                self.next();
                Ok(token)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// Requires that nothing is left.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let found = brief(token.text(self.text));
                Err(Fault::new(self.range(), format!("`{found}` does not belong here"))
                    .help("one statement stands on a line, and commas separate operands")
                    .maybe_help(brace_help(token)))
            }
        }
    }

    /// How many operands are left: the parts between commas that stand outside of brackets and parentheses.
    pub fn count(&self) -> usize {
        let commas = outside(self.tokens).filter(|token| token.kind == Kind::Comma).count();
        if self.is_done() { 0 } else { commas + 1 }
    }

    /// The next operand; it and the comma behind it are taken. Nothing stands in it where an operand is missing.
    pub fn operand(&mut self) -> Cursor<'t, 'k> {
        let comma = outside(self.tokens).find(|token| token.kind == Kind::Comma);
        let at = comma.map_or(self.tokens.len(), |comma| self.tokens.partition_point(|t| t.start() < comma.start()));
        let (tokens, rest) = self.tokens.split_at(at);
        self.tokens = rest.get(1..).unwrap_or_default();
        let end = tokens.last().map(|token| token.range().end);
        Cursor { text: self.text, tokens, end: end.or(comma.map(Token::start)).unwrap_or(self.end) }
    }

    /// What stands between the bracket or parenthesis that comes next and the one that ends this operand.
    pub fn inside(&mut self, open: Kind, close: Kind, what: &str) -> Result<Cursor<'t, 'k>, Fault> {
        match self.tokens {
            [first, inner @ .., last] if first.kind == open && last.kind == close => {
                let end = last.range().start;
                self.tokens = &[];
                Ok(Cursor { text: self.text, tokens: inner, end: inner.last().map_or(end, |token| token.range().end) })
            }
            _ => Err(Fault::new(self.range(), format!("{what} is expected here"))),
        }
    }

    /// A name, bare or in quotes.
    pub fn name(&mut self, what: &str) -> Result<(Cow<'t, str>, Range<usize>), Fault> {
        match self.peek() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::Text) => {
                self.next();
                Ok((name(self.text, token)?, token.range()))
            }
            _ => Err(self.expected(what)),
        }
    }

    /// True if a register comes next: a number, or a word like `a1` or `r1`.
    pub fn at_register(&self) -> bool {
        self.peek().is_some_and(|token| match token.kind {
            Kind::Number => true,
            Kind::Word => is_register(token.text(self.text)),
            _ => false,
        })
    }

    /// True if a signature comes next, a convention before it or not.
    pub fn at_signature(&self) -> bool {
        self.peek().is_some_and(|token| matches!(token.kind, Kind::Open | Kind::Text))
    }

    /// An operand that is one register.
    pub fn register(&mut self) -> Result<Reg, Fault> {
        let token = match self.peek() {
            Some(token) if self.at_register() => token,
            _ => return Err(self.expected("a register").help("registers are written `a1`, `r0`, `r1`, or as numbers")),
        };
        let register = register(token.text(self.text)).map_err(|fault| fault.at(token.range()))?;
        self.next();
        self.finish()?;
        Ok(register)
    }

    /// A literal of type `ty`; `float_help` says what to write where a float stands for an integer.
    pub fn literal(&mut self, ty: Type, float_help: &str) -> Result<u64, Fault> {
        let token = self.number("a literal")?;
        let text = token.text(self.text);
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        if digits == "nan" && self.peek().is_some_and(|next| next.kind == Kind::Colon) {
            self.next();
            let payload = self.number("the payload of the NaN")?;
            return literal::nan(negative, payload.text(self.text), ty).map_err(|_| {
                Fault::new(payload.range(), "no NaN has this payload")
                    .help("it is a number like `0x1`, not 0, and no longer than the float's fraction")
            });
        }
        let limits = match ty {
            Type::I32 | Type::Funcref | Type::Externref => Some(literal::I32),
            Type::I64 => Some(literal::I64),
            Type::F32 | Type::F64 => None,
        };
        literal::bits(text, ty)
            .map_err(|wrong| refuse(wrong, token, text, &format!("an {}", ty.name()), limits, float_help))
    }

    /// An integer in `limits`, called `what` in messages.
    pub fn integer(&mut self, what: &str, limits: RangeInclusive<i128>) -> Result<i128, Fault> {
        let token = self.number(what)?;
        let text = token.text(self.text);
        literal::integer(text, limits.clone())
            .map_err(|wrong| refuse(wrong, token, text, what, Some(limits), "write a whole number"))
    }

    fn number(&mut self, what: &str) -> Result<Token, Fault> {
        match self.peek() {
            Some(token) if is_number(self.text, token) => {
                self.next();
                Ok(token)
            }
            Some(token) if token.text(self.text).starts_with('.') => {
                Err(self.expected(what).help(format!("write `0{}`", brief(token.text(self.text)))))
            }
            _ => Err(self.expected(what)),
        }
    }

    /// The word for a type.
    pub fn value_type(&mut self) -> Result<Type, Fault> {
        let found = self.peek().filter(|token| token.kind == Kind::Word).and_then(|token| {
            let word = token.text(self.text);
            Type::ALL.into_iter().find(|ty| ty.name() == word).or((word == "ptr").then_some(Type::I64))
        });
        let Some(ty) = found else {
            return Err(self
                .expected("a type")
                .help("the types are `i32`, `i64` (or `ptr`), `f32`, `f64`, `funcref` and `externref`"));
        };
        self.next();
        Ok(ty)
    }

    /// `(T, …[, ...]) [-> T | -> (T, …)]`, if `variadic` says that `...` may stand in it.
    pub fn signature(&mut self, variadic: bool) -> Result<Signature, Fault> {
        let mut signature = Signature::default();
        let start = self.range().start;
        self.expect(Kind::Open, "`(`")?;
        while !self.take(Kind::Close) {
            if !signature.params.is_empty() {
                self.expect(Kind::Comma, "`,` or `)`")?;
            }
            if variadic && self.take_word("...") {
                signature.variadic = true;
                self.expect(Kind::Close, "`)` behind `...`")?;
                break;
            }
            signature.params.push(self.value_type()?);
        }
        if signature.params.len() > MAX_ARGS as usize {
            let message = format!("{} parameters are too many", signature.params.len());
            return Err(Fault::new(start..self.range().start, message).help(format!("at most {MAX_ARGS} can be named")));
        }
        if self.take(Kind::Arrow) {
            self.results(&mut signature.results)?;
        }
        Ok(signature)
    }

    fn results(&mut self, results: &mut Vec<Type>) -> Result<(), Fault> {
        if !self.take(Kind::Open) {
            results.push(self.value_type()?);
            return Ok(());
        }
        while !self.take(Kind::Close) {
            if !results.is_empty() {
                self.expect(Kind::Comma, "`,` or `)`")?;
            }
            results.push(self.value_type()?);
        }
        Ok(())
    }
}

/// The tokens that stand outside of brackets and parentheses, which themselves count as inside.
fn outside(tokens: &[Token]) -> impl Iterator<Item = Token> {
    let mut depth = 0usize;
    tokens.iter().copied().filter(move |token| {
        match token.kind {
            Kind::Open | Kind::OpenList | Kind::OpenStruct => depth += 1,
            Kind::Close | Kind::CloseList | Kind::CloseStruct => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// What to tell those who put braces around a body.
pub fn brace_help(token: Token) -> Option<String> {
    let help = "a function's body runs to the next item; it has no braces, which only `struct{...}` has";
    matches!(token.kind, Kind::OpenStruct | Kind::CloseStruct).then(|| help.to_owned())
}

/// The name that a word or a string is.
pub fn name(text: &str, token: Token) -> Result<Cow<'_, str>, Fault> {
    let written = token.text(text);
    if token.kind == Kind::Word {
        return Ok(Cow::Borrowed(written));
    }
    let bytes = string(text, token)?;
    let name = match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    name.ok_or_else(|| Fault::new(token.range(), "a name must be UTF-8").help("`\\xNN` writes a byte, not a character"))
}

/// The bytes of a string.
pub fn string(text: &str, token: Token) -> Result<Cow<'_, [u8]>, Fault> {
    literal::string(token.text(text)).map_err(|bad| bad_quote(&bad, token))
}

fn bad_quote(bad: &literal::BadQuote, token: Token) -> Fault {
    let start = token.range().start;
    Fault::new(start + bad.range.start..start + bad.range.end, bad.message)
        .help("the escapes are `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\'` and `\\xNN`")
}

fn is_number(text: &str, token: Token) -> bool {
    match token.kind {
        Kind::Number | Kind::Char => true,
        Kind::Word => literal::is_special(token.text(text)),
        _ => false,
    }
}

/// True for bare words that name a register where one can stand.
pub fn is_register(word: &str) -> bool {
    let digits = word.strip_prefix(['a', 'r']).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What is wrong with a register, before it is known where it stands.
struct NoRegister(String, &'static str);

impl NoRegister {
    fn at(self, range: Range<usize>) -> Fault {
        Fault::new(range, self.0).help(self.1)
    }
}

fn register(word: &str) -> Result<Reg, NoRegister> {
    let number = match word.as_bytes()[0] {
        b'a' => word[1..].parse::<i64>().ok().filter(|&n| n > 0).map(|n| -n),
        b'r' => word[1..].parse::<i64>().ok(),
        _ => match literal::integer(word, literal::I64) {
            Ok(number) => i64::try_from(number).ok(),
            Err(Wrong::Range) => None,
            Err(_) => {
                let help = "registers are written `a1`, `r0`, `r1`, or as numbers";
                return Err(NoRegister(format!("expected a register, found `{}`", brief(word)), help));
            }
        },
    };
    number.and_then(Reg::new).ok_or_else(|| {
        const _: () = assert!(MAX_ARGS == 1000 && MAX_LOCAL == 65_535);
        NoRegister(
            format!("there is no register `{}`", brief(word)),
            "there are `a1` to `a1000`, `r0`, and `r1` to `r65535`",
        )
    })
}

fn refuse(
    wrong: Wrong,
    token: Token,
    text: &str,
    what: &str,
    limits: Option<RangeInclusive<i128>>,
    float_help: &str,
) -> Fault {
    let shown = brief(text);
    match (wrong, limits) {
        (Wrong::Malformed, _) if token.kind == Kind::Char => match literal::character(text.trim_start_matches('-')) {
            Err(bad) => bad_quote(&bad, token),
            Ok(_) => Fault::new(token.range(), format!("`{shown}` is not {what}")),
        },
        (Wrong::Malformed, _) => Fault::new(token.range(), format!("`{shown}` is not a number"))
            .help("numbers are written `42`, `-1`, `0x2a`, `0b101`, `'c'`, `42.0`, `1e-9`, `0x1.8p3`, `inf`, `nan`"),
        (Wrong::Float, _) => {
            Fault::new(token.range(), format!("`{shown}` is a float, but {what} is expected")).help(float_help)
        }
        (Wrong::Range, Some(limits)) => Fault::new(token.range(), format!("`{shown}` is out of range for {what}"))
            .help(format!("it must be from {} to {}", limits.start(), limits.end())),
        (Wrong::Range, None) => {
            Fault::new(token.range(), format!("`{shown}` is too large for {what}")).help("infinity is written `inf`")
        }
    }
}

/// `text`, cut where it is too long for a message.
pub fn brief(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
    }
}
