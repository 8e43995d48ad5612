//! Numbers as people write them: the literal forms of the text, for arguments of the command line and for `read`.
//!
//! Comes in: one word. Goes out: the raw bits of a register of the wanted type, or what is wrong with the word. What
//! must hold: a float is rounded once, from the exact value written, to the type it is read as.

use crate::isa::op::Type;

/// Why a word is not the number that was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", quoted(.text))]
pub struct NumberError {
    /// The word, cut where it is very long.
    pub text: String,
    /// What is wrong with it, as the rest of a sentence that starts with the word.
    pub problem: String,
}

/// How many characters of a bad word a message shows.
const SHOWN: usize = 40;

fn quoted(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}

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
    match ty {
        Type::I32 => parse_int(text, 32),
        Type::I64 => parse_int(text, 64),
        Type::F32 => parse_float(text, F32).map(|bits| bits & 0xffff_ffff),
        Type::F64 => parse_float(text, F64),
    }
}

/// Takes a leading minus off.
fn split_sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// Takes a `0x` or `0b` off.
fn split_radix(text: &str) -> (u32, &str) {
    let prefixed = |small, large| text.strip_prefix(small).or_else(|| text.strip_prefix(large));
    if let Some(rest) = prefixed("0x", "0X") {
        (16, rest)
    } else if let Some(rest) = prefixed("0b", "0B") {
        (2, rest)
    } else {
        (10, text)
    }
}

/// Integers of `width` bits: what is written may be read as signed or as unsigned.
fn parse_int(text: &str, width: u32) -> Result<u64, NumberError> {
    let (negative, rest) = split_sign(text);
    let (radix, digits) = split_radix(rest);
    let magnitude = match character(rest) {
        Some(c) => Some(u64::from(u32::from(c))),
        None => magnitude(digits, radix).map_err(|()| NumberError::new(text, "is not an integer"))?,
    };
    let mask = u64::MAX >> (64 - width);
    let limit = if negative { 1 << (width - 1) } else { mask };
    match magnitude {
        Some(m) if m <= limit => Ok(if negative { m.wrapping_neg() & mask } else { m }),
        _ => Err(NumberError::new(text, format!("does not fit {width} bits"))),
    }
}

/// `'c'` with one character between the quotes.
fn character(text: &str) -> Option<char> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut chars = inner.chars();
    let c = chars.next()?;
    chars.next().is_none().then_some(c)
}

/// The value of a row of digits; `None` where it needs more than 64 bits.
fn magnitude(digits: &str, radix: u32) -> Result<Option<u64>, ()> {
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return Err(());
    }
    let mut value = Some(0u64);
    for c in digits.chars().filter(|&c| c != '_') {
        let digit = c.to_digit(radix).ok_or(())?;
        value = value.and_then(|v| v.checked_mul(u64::from(radix))?.checked_add(u64::from(digit)));
    }
    Ok(value)
}

/// What the conversion of a literal needs to know of a float format.
#[derive(Clone, Copy)]
struct Format {
    name: &'static str,
    /// Bits of precision, the implied one included.
    precision: i64,
    /// The exponent of the smallest subnormal.
    least: i64,
    /// The exponent field of infinity.
    infinite: u64,
    width: u32,
}

const F32: Format = Format { name: "f32", precision: 24, least: -149, infinite: 0xff, width: 32 };
const F64: Format = Format { name: "f64", precision: 53, least: -1074, infinite: 0x7ff, width: 64 };

impl Format {
    fn infinity(self) -> u64 {
        self.infinite << (self.precision - 1)
    }
}

fn parse_float(text: &str, format: Format) -> Result<u64, NumberError> {
    let (negative, rest) = split_sign(text);
    let sign = u64::from(negative) << (format.width - 1);
    let bits = match rest {
        "inf" => format.infinity(),
        "nan" => format.infinity() | 1 << (format.precision - 2),
        _ => {
            let bits = match split_radix(rest) {
                (16, digits) => hex_float(digits, format),
                (10, digits) => decimal_float(digits, format),
                _ => None,
            };
            let bits = bits.ok_or_else(|| NumberError::new(text, format!("is not an {} number", format.name)))?;
            if bits >= format.infinity() {
                return Err(NumberError::new(text, format!("is too large for an {}", format.name)));
            }
            bits
        }
    };
    Ok(bits | sign)
}

fn decimal_float(digits: &str, format: Format) -> Option<u64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '_');
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(plain) {
        return None;
    }
    let digits: String = digits.chars().filter(|&c| c != '_').collect();
    if format.width == 32 {
        digits.parse::<f32>().ok().map(|x| u64::from(x.to_bits()))
    } else {
        digits.parse::<f64>().ok().map(f64::to_bits)
    }
}

/// `1.8p3` behind a `0x`; the exponent may be left out.
fn hex_float(digits: &str, format: Format) -> Option<u64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !whole.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let (exponent_negative, exponent) = split_sign(exponent.strip_prefix('+').unwrap_or(exponent));
    let exponent = magnitude(exponent, 10).ok()?.unwrap_or(u64::MAX).min(1 << 40) as i64;
    let mut exponent = if exponent_negative { -exponent } else { exponent };
    let mut m = 0u64;
    for (c, scale) in whole.chars().map(|c| (c, 0)).chain(fraction.chars().map(|c| (c, 4))) {
        if c == '_' {
            continue;
        }
        let digit = u64::from(c.to_digit(16)?);
        exponent -= scale;
        if m >> 59 == 0 {
            m = m << 4 | digit;
        } else {
            // Beyond the precision of both formats: only whether something was there matters.
            m |= u64::from(digit != 0);
            exponent += 4;
        }
    }
    Some(round(m, exponent, format))
}

/// The bits of the float nearest to `m * 2^exponent`, ties to even; infinity where it is too large.
fn round(m: u64, exponent: i64, format: Format) -> u64 {
    if m == 0 {
        return 0;
    }
    let length = i64::from(64 - m.leading_zeros());
    let mut unit = (exponent + length - format.precision).max(format.least);
    let shift = unit - exponent;
    let mut q = match shift {
        ..=0 => m << -shift,
        1..=64 => {
            let (wide, half) = (u128::from(m), 1u128 << (shift - 1));
            let (q, rest) = (wide >> shift, wide & (half * 2 - 1));
            (q + u128::from(rest > half || (rest == half && q & 1 == 1))) as u64
        }
        _ => 0,
    };
    let implied = 1u64 << (format.precision - 1);
    if q == implied * 2 {
        q = implied;
        unit += 1;
    }
    if q < implied {
        return q;
    }
    match (unit - format.least + 1) as u64 {
        field if field >= format.infinite => format.infinity(),
        field => field << (format.precision - 1) | (q - implied),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Result<u64, String> {
        parse(text, Type::I64).map_err(|e| e.to_string())
    }

    fn float(text: &str) -> f64 {
        f64::from_bits(parse(text, Type::F64).unwrap())
    }

    #[test]
    fn integers_in_every_form() {
        assert_eq!(int("0"), Ok(0));
        assert_eq!(int("1_000"), Ok(1000));
        assert_eq!(int("-1"), Ok(u64::MAX));
        assert_eq!(int("0xff_ff"), Ok(0xffff));
        assert_eq!(int("-0b101"), Ok(-5i64 as u64));
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
        assert_eq!(int("_1").unwrap_err(), "`_1` is not an integer");
        assert_eq!(int("1.5").unwrap_err(), "`1.5` is not an integer");
        assert_eq!(int("18446744073709551616").unwrap_err(), "`18446744073709551616` does not fit 64 bits");
        assert_eq!(int("-9223372036854775809").unwrap_err(), "`-9223372036854775809` does not fit 64 bits");
        assert!(parse("4294967296", Type::I32).is_err());
        assert!(parse("-2147483649", Type::I32).is_err());
    }

    #[test]
    fn floats_in_every_form() {
        assert_eq!(float("42"), 42.0);
        assert_eq!(float("-1e-9"), -1e-9);
        assert_eq!(float("0x1.8p3"), 12.0);
        assert_eq!(float("0x10"), 16.0);
        assert_eq!(float("-inf"), f64::NEG_INFINITY);
        assert_eq!(parse("nan", Type::F64), Ok(0x7ff8_0000_0000_0000));
        assert_eq!(parse("-nan", Type::F32), Ok(0xffc0_0000));
        assert_eq!(parse("-0.0", Type::F32), Ok(0x8000_0000));
        for bad in ["", "e5", "1e", "0x", "0x1p", "infinity", "+1", "1.5f", ".5", "0x1.8p3p4", "1e999", "0x1p1024"] {
            assert!(parse(bad, Type::F64).is_err(), "{bad}");
        }
    }

    #[test]
    fn hex_floats_round_once() {
        assert_eq!(float("0x1p-1074"), f64::from_bits(1));
        assert_eq!(float("0x1p-1075"), 0.0, "half of the least goes to even");
        assert_eq!(float("0x1.8p-1075"), f64::from_bits(1));
        assert_eq!(float("0x1.fffffffffffffp1023"), f64::MAX);
        assert!(parse("0x1.fffffffffffff8p1023", Type::F64).is_err());
        assert_eq!(float("0x1.00000000000008p0"), 1.0);
        assert_eq!(float("0x1.000000000000080000000000000001p0"), f64::from_bits(1.0f64.to_bits() + 1));
        assert_eq!(float("0x0.0000000000000000000000000001p112"), 1.0);
        assert_eq!(parse("0x1.000001p0", Type::F32), Ok(0x3f80_0000));
        assert_eq!(parse("0x1.fffffep127", Type::F32), Ok(u64::from(f32::MAX.to_bits())));
    }
}
