//! What numbers, characters and strings mean.
//!
//! Comes in: the text of one token. Goes out: its value, or why it has none. What must hold: floats are rounded
//! correctly, to nearest even, from decimal and hexadecimal digits alike; time is linear in the token's length.

// The runtime of linked programs, which has no standard library, is made of this file, too.
use core::ops::{Range, RangeInclusive};
use std::borrow::Cow;
use std::string::ToString;
use std::vec::Vec;

use crate::isa::op::Type;

/// Why a token is not the value that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not a number at all, or not a whole one: `0x`, `12ab`.
    Malformed,
    /// It is a float where an integer is wanted.
    Float,
    /// It does not fit.
    Range,
}

/// True for what is written as a float: with a point or an exponent, or as `inf` or `nan`.
pub fn is_float(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.strip_prefix("0x") {
        Some(hex) => hex.contains(['.', 'p', 'P']),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => {
            !text.starts_with("0b") && text.contains(['.', 'e', 'E'])
        }
        None => is_special(text),
    }
}

/// True for `inf` and `nan`, which are words to the lexer.
pub fn is_special(text: &str) -> bool {
    matches!(text, "inf" | "nan")
}

/// The integer that `text` writes, if it is in `range`.
pub fn integer(text: &str, range: RangeInclusive<i128>) -> Result<i128, Wrong> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let magnitude = if digits.starts_with('\'') {
        i128::from(u32::from(character(digits).map_err(|_| Wrong::Malformed)?))
    } else if is_float(digits) {
        return Err(Wrong::Float);
    } else {
        magnitude(digits)?
    };
    let value = if negative { -magnitude } else { magnitude };
    if range.contains(&value) { Ok(value) } else { Err(Wrong::Range) }
}

/// The value of digits with their prefix; what is larger than any integer of the machine ends up at some such number.
fn magnitude(digits: &str) -> Result<i128, Wrong> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        _ => (10, digits),
    };
    let mut value = 0u64;
    let mut overflow = false;
    let mut any = false;
    for c in digits.chars().filter(|&c| c != '_') {
        let digit = c.to_digit(radix).ok_or(Wrong::Malformed)?;
        let next = value.checked_mul(u64::from(radix)).and_then(|v| v.checked_add(u64::from(digit)));
        overflow |= next.is_none();
        value = next.unwrap_or(u64::MAX);
        any = true;
    }
    match (any, overflow) {
        (false, _) => Err(Wrong::Malformed),
        (true, true) => Ok(i128::from(u64::MAX) * 2),
        (true, false) => Ok(i128::from(value)),
    }
}

/// The bits of the literal `text` as a register of type `ty` holds them.
pub fn bits(text: &str, ty: Type) -> Result<u64, Wrong> {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => Ok(low_bits(integer(text, I32)?) & 0xffff_ffff),
        Type::I64 => Ok(low_bits(integer(text, I64)?)),
        Type::F32 | Type::F64 => float(text, Format::of(ty)),
    }
}

/// What an `i32` literal may be: signed or unsigned.
pub const I32: RangeInclusive<i128> = -(1 << 31)..=(1 << 32) - 1;
/// What an `i64` literal may be: signed or unsigned.
pub const I64: RangeInclusive<i128> = -(1 << 63)..=(1 << 64) - 1;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "two's complement is what is wanted")]
pub fn low_bits(value: i128) -> u64 {
    value as u64
}

/// A binary format of IEEE 754.
#[derive(Clone, Copy)]
struct Format {
    ty: Type,
    /// Bits of the fraction, the leading one not counted.
    fraction: u32,
    /// The exponent of the smallest normal number.
    least: i64,
    /// The bits of infinity.
    infinity: u64,
    sign: u64,
}

impl Format {
    fn of(ty: Type) -> Format {
        if ty == Type::F32 {
            Format { ty, fraction: 23, least: -126, infinity: 0x7f80_0000, sign: 1 << 31 }
        } else {
            Format { ty, fraction: 52, least: -1022, infinity: 0x7ff0_0000_0000_0000, sign: 1 << 63 }
        }
    }

    fn quiet(self) -> u64 {
        1 << (self.fraction - 1)
    }
}

/// The bits of the NaN with the payload that `digits` write: `nan:0x…`, the sign standing before `nan`.
pub fn nan(negative: bool, digits: &str, ty: Type) -> Result<u64, Wrong> {
    let format = Format::of(ty);
    if !digits.starts_with("0x") || is_float(digits) {
        return Err(Wrong::Malformed);
    }
    let payload = integer(digits, 1..=(1i128 << format.fraction) - 1)?;
    Ok(format.infinity | low_bits(payload) | if negative { format.sign } else { 0 })
}

fn float(text: &str, format: Format) -> Result<u64, Wrong> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (format.sign, digits),
        None => (0, text),
    };
    let magnitude = match digits.as_bytes() {
        b"inf" => format.infinity,
        b"nan" => format.infinity | format.quiet(),
        [b'\'', ..] => decimal(&integer(digits, I64)?.to_string(), format)?,
        [b'0', b'x', ..] => powers(&digits[2..], 16, format)?,
        [b'0', b'b', ..] => powers(&digits[2..], 2, format)?,
        [b'0'..=b'9', ..] => decimal(digits, format)?,
        _ => return Err(Wrong::Malformed),
    };
    Ok(sign | magnitude)
}

fn decimal(digits: &str, format: Format) -> Result<u64, Wrong> {
    let digits: Cow<'_, str> =
        if digits.contains('_') { Cow::Owned(digits.replace('_', "")) } else { Cow::Borrowed(digits) };
    let bits = match format.ty {
        Type::F32 => digits.parse::<f32>().map(|value| u64::from(value.to_bits())),
        _ => digits.parse::<f64>().map(f64::to_bits),
    };
    match bits {
        Err(_) => Err(Wrong::Malformed),
        Ok(bits) if bits == format.infinity => Err(Wrong::Range),
        Ok(bits) => Ok(bits),
    }
}

/// Digits of a radix that is a power of two, with an optional point and an optional exponent `p`.
fn powers(text: &str, radix: u32, format: Format) -> Result<u64, Wrong> {
    let (digits, exponent) = match text.split_once(['p', 'P']) {
        Some((digits, exponent)) if radix == 16 => (digits, binary_exponent(exponent)?),
        Some(_) => return Err(Wrong::Malformed),
        None => (text, 0),
    };
    let width = radix.trailing_zeros();
    let (mut value, mut scale, mut point, mut any) = (0u64, exponent, false, false);
    for c in digits.chars().filter(|&c| c != '_') {
        if c == '.' && !point && radix == 16 {
            point = true;
            continue;
        }
        let digit = u64::from(c.to_digit(radix).ok_or(Wrong::Malformed)?);
        any = true;
        if value >> 60 == 0 {
            value = value << width | digit;
            scale -= if point { i64::from(width) } else { 0 };
        } else {
            // Far below the last bit that is kept it only matters whether anything is there.
            value |= u64::from(digit != 0);
            scale += if point { 0 } else { i64::from(width) };
        }
    }
    if any { round(value, scale, format) } else { Err(Wrong::Malformed) }
}

/// An exponent; one beyond any float ends up at some such number.
fn binary_exponent(text: &str) -> Result<i64, Wrong> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let mut value = 0i64;
    let mut any = false;
    for c in digits.chars().filter(|&c| c != '_') {
        value = (value * 10 + i64::from(c.to_digit(10).ok_or(Wrong::Malformed)?)).min(1 << 40);
        any = true;
    }
    if any { Ok(if negative { -value } else { value }) } else { Err(Wrong::Malformed) }
}

/// `value * 2^scale`, rounded to nearest even.
fn round(value: u64, scale: i64, format: Format) -> Result<u64, Wrong> {
    if value == 0 {
        return Ok(0);
    }
    let top = i64::from(value.ilog2()) + scale;
    let exponent = top.max(format.least);
    if top > -format.least + 1 {
        return Err(Wrong::Range);
    }
    let value = u128::from(value);
    let kept = match exponent - i64::from(format.fraction) - scale {
        shift @ ..=0 => value << -shift,
        drop @ 1..=64 => {
            let (kept, rest, half) = (value >> drop, value & ((1 << drop) - 1), 1 << (drop - 1));
            kept + u128::from(rest > half || rest == half && kept & 1 == 1)
        }
        // The value is less than half of the last bit that is kept.
        _ => 0,
    };
    // The leading one of a normal number adds one to the exponent's field.
    let bits = (u128::from((exponent - format.least).unsigned_abs()) << format.fraction) + kept;
    u64::try_from(bits).ok().filter(|&bits| bits < format.infinity).ok_or(Wrong::Range)
}

/// What is wrong with a quoted token, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub struct BadQuote {
    pub range: Range<usize>,
    pub message: &'static str,
}

/// The bytes of a quoted string; `text` includes the quotes.
pub fn string(text: &str) -> Result<Cow<'_, [u8]>, BadQuote> {
    let body = &text[1..text.len() - 1];
    if !body.contains('\\') {
        return Ok(Cow::Borrowed(body.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let offset = text.len() - 1 - rest.len() + at;
        let (byte, length) = escape(&rest.as_bytes()[at..]).ok_or_else(|| bad_escape(text, offset))?;
        bytes.push(byte);
        rest = &rest[at + length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(Cow::Owned(bytes))
}

/// The character in single quotes; `text` includes them.
pub fn character(text: &str) -> Result<char, BadQuote> {
    let Some(body) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) else {
        return Err(BadQuote { range: 0..text.len(), message: "a character stands in single quotes" });
    };
    if body.starts_with('\\') {
        return match escape(body.as_bytes()) {
            Some((byte, length)) if length == body.len() => Ok(char::from(byte)),
            Some(_) => {
                Err(BadQuote { range: 0..text.len(), message: "more than one character stands in these quotes" })
            }
            None => Err(bad_escape(text, 1)),
        };
    }
    let mut chars = body.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        (None, _) => Err(BadQuote { range: 0..text.len(), message: "no character stands in these quotes" }),
        _ => Err(BadQuote { range: 0..text.len(), message: "more than one character stands in these quotes" }),
    }
}

fn bad_escape(text: &str, offset: usize) -> BadQuote {
    let length = text[offset + 1..].chars().next().map_or(0, char::len_utf8);
    BadQuote { range: offset..offset + 1 + length, message: "there is no such escape" }
}

/// The byte that an escape at the start of `bytes` stands for, and the escape's length.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    let byte = match *bytes.get(1)? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'0' => 0,
        c @ (b'\\' | b'"' | b'\'') => c,
        b'x' => {
            let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
            return Some((u8::try_from(digit(2)? << 4 | digit(3)?).ok()?, 4));
        }
        _ => return None,
    };
    Some((byte, 2))
}

#[cfg(test)]
mod tests;
