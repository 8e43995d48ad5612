//! Numbers as people write them: the literal forms of the text, for arguments of the command line and for `read`.
//!
//! Comes in: one word. Goes out: the raw bits of a register of the wanted type, or what is wrong with the word. What
//! must hold: any word may come in; what is a number is decided where the text's literals are.

// The runtime of linked programs, which has no standard library, is made of this file, too.
use core::fmt;
use std::borrow::ToOwned;
use std::format;
use std::string::String;

use crate::isa::op::Type;
use crate::text::literal::{self, Wrong};

/// Why a word is not the number that was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberError {
    /// The word, cut where it is very long.
    pub text: String,
    /// What is wrong with it, as the rest of a sentence that starts with the word.
    pub problem: String,
}

/// How many characters of a bad word a message shows.
const SHOWN: usize = 40;

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.text.escape_debug(), self.problem)
    }
}

impl core::error::Error for NumberError {}

impl NumberError {
    fn new(text: &str, problem: impl Into<String>) -> NumberError {
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        NumberError { text: shown, problem: problem.into() }
    }
}

/// The raw bits of a register of type `ty` that `text` writes.
///
/// # Errors
/// Where `text` is no literal of that type or does not fit it.
pub fn parse(text: &str, ty: Type) -> Result<u64, NumberError> {
    let bits = if is_quoted_well(text) { literal::bits(text, ty) } else { Err(Wrong::Malformed) };
    let wrong = match bits {
        Ok(bits) => return Ok(bits),
        Err(wrong) => wrong,
    };
    let problem = match (wrong, ty) {
        (Wrong::Malformed | Wrong::Float, Type::I32 | Type::I64 | Type::Funcref | Type::Externref) => {
            "is not an integer".to_owned()
        }
        (Wrong::Malformed | Wrong::Float, Type::F32 | Type::F64) => "is not a number".to_owned(),
        (Wrong::Range, Type::I32 | Type::Funcref | Type::Externref) => "does not fit 32 bits".to_owned(),
        (Wrong::Range, Type::I64) => "does not fit 64 bits".to_owned(),
        (Wrong::Range, Type::F32 | Type::F64) => format!("is too large for an {}", ty.name()),
    };
    Err(NumberError::new(text, problem))
}

/// False for words that the text's lexer would not have let through as one token.
fn is_quoted_well(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    !text.starts_with('\'') || (text.len() > 2 && text.ends_with('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Result<u64, String> {
        parse(text, Type::I64).map_err(|e| e.to_string())
    }

    fn float(text: &str) -> Result<u64, NumberError> {
        parse(text, Type::F64)
    }

    #[test]
    fn integers_in_every_form() {
        assert_eq!(int("0"), Ok(0));
        assert_eq!(int("1_000"), Ok(1000));
        assert_eq!(int("-1"), Ok(u64::MAX));
        assert_eq!(int("0xff_ff"), Ok(0xffff));
        assert_eq!(int("-0b101"), Ok(5u64.wrapping_neg()));
        assert_eq!(int("'a'"), Ok(97));
        assert_eq!(int("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(int("-9223372036854775808"), Ok(1 << 63));
        assert_eq!(parse("-1", Type::I32), Ok(0xffff_ffff));
        assert_eq!(parse("4294967295", Type::I32), Ok(0xffff_ffff));
    }

    #[test]
    fn bad_integers_say_what_is_wrong() {
        assert_eq!(int("12x").unwrap_err(), "`12x` is not an integer");
        assert_eq!(int("").unwrap_err(), "`` is not an integer");
        for bad in ["'", "'ab'", "''", "'é", "-'", "x", "0x", "0b2", "é"] {
            assert!(int(bad).is_err(), "{bad}");
        }
        assert_eq!(int("1.5").unwrap_err(), "`1.5` is not an integer");
        assert_eq!(int("18446744073709551616").unwrap_err(), "`18446744073709551616` does not fit 64 bits");
        assert_eq!(int("-9223372036854775809").unwrap_err(), "`-9223372036854775809` does not fit 64 bits");
        assert!(parse("4294967296", Type::I32).is_err());
        assert!(parse("-2147483649", Type::I32).is_err());
    }

    #[test]
    fn floats_in_every_form() {
        assert_eq!(float("42"), Ok(f64::to_bits(42.0)));
        assert_eq!(float("-1e-9"), Ok(f64::to_bits(-1e-9)));
        assert_eq!(float("0x1.8p3"), Ok(f64::to_bits(12.0)));
        assert_eq!(float("0x10"), Ok(f64::to_bits(16.0)));
        assert_eq!(float("-inf"), Ok(f64::to_bits(f64::NEG_INFINITY)));
        assert_eq!(parse("nan", Type::F64), Ok(0x7ff8_0000_0000_0000));
        assert_eq!(parse("-nan", Type::F32), Ok(0xffc0_0000));
        assert_eq!(parse("-0.0", Type::F32), Ok(0x8000_0000));
        for bad in ["", "e5", "1e", "0x", "0x1p", "infinity", "+1", "1.5f", ".5", "0x1.8p3p4", "1e999", "0x1p1024"] {
            assert!(parse(bad, Type::F64).is_err(), "{bad}");
        }
    }
}
