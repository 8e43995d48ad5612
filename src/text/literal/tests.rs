//! Literals against what Rust itself makes of the same value.

use super::*;

fn f64_of(text: &str) -> Result<u64, Wrong> {
    bits(text, Type::F64)
}

fn f32_of(text: &str) -> Result<u64, Wrong> {
    bits(text, Type::F32)
}

/// The hexadecimal digits of a finite float, exactly.
fn hex(value: f64) -> String {
    let (bits, sign) = (value.abs().to_bits(), if value.is_sign_negative() { "-" } else { "" });
    let (exponent, fraction) = ((bits >> 52).cast_signed(), bits & ((1 << 52) - 1));
    let (leading, exponent) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
    format!("{sign}0x{leading}.{fraction:013x}p{exponent}")
}

/// Numbers that look random, the same in every run.
fn numbers(n: usize) -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
    .take(n)
}

#[test]
fn integers() {
    assert_eq!(integer("42", I64), Ok(42));
    assert_eq!(integer("-1", I64), Ok(-1));
    assert_eq!(integer("-0", I64), Ok(0));
    assert_eq!(integer("1_000_", I64), Ok(1000));
    assert_eq!(integer("0x_fF", I64), Ok(255));
    assert_eq!(integer("-0b1_01", I64), Ok(-5));
    assert_eq!(integer("0xe", I64), Ok(14));
    assert_eq!(integer("'a'", I64), Ok(97));
    assert_eq!(integer("-'a'", I64), Ok(-97));
    assert_eq!(integer("'\\''", I64), Ok(39));
    assert_eq!(integer("'\\x7f'", I64), Ok(127));
    assert_eq!(integer("'語'", I64), Ok(0x8a9e));
    for malformed in
        ["0x", "0b", "0b2", "12ab", "0xg", "-", "-foo", "''", "'ab'", "'\\q'", "'", "'a", "'\\'", "0b_", "１"]
    {
        assert_eq!(integer(malformed, I64), Err(Wrong::Malformed), "{malformed}");
    }
    for float in ["1.0", "1e5", "0x1p3", "0x1.8", "inf", "-inf", "nan", "-nan"] {
        assert_eq!(integer(float, I64), Err(Wrong::Float), "{float}");
    }
}

#[test]
fn integers_at_their_limits() {
    assert_eq!(bits("-9223372036854775808", Type::I64), Ok(1 << 63));
    assert_eq!(bits("-9223372036854775809", Type::I64), Err(Wrong::Range));
    assert_eq!(bits("18446744073709551615", Type::I64), Ok(u64::MAX));
    assert_eq!(bits("18446744073709551616", Type::I64), Err(Wrong::Range));
    assert_eq!(bits("-2147483648", Type::I32), Ok(1 << 31));
    assert_eq!(bits("-2147483649", Type::I32), Err(Wrong::Range));
    assert_eq!(bits("0xffff_ffff", Type::I32), Ok(0xffff_ffff));
    assert_eq!(bits("4294967296", Type::I32), Err(Wrong::Range));
    assert_eq!(bits("-1", Type::I32), Ok(0xffff_ffff));
    assert_eq!(bits(&"9".repeat(100_000), Type::I64), Err(Wrong::Range));
    assert_eq!(bits(&format!("-0x{}", "0".repeat(100_000)), Type::I64), Ok(0));
}

#[test]
fn decimal_floats_are_what_rust_reads() {
    for text in
        ["42.0", "1e-9", "0.1", "1E5", "1e+5", "4.9e-324", "3e-324", "1e-400", "1.7976931348623157e308", "7", "-0"]
    {
        assert_eq!(f64_of(text), Ok(text.parse::<f64>().expect("a float").to_bits()), "{text}");
        assert_eq!(f32_of("0.1"), Ok(u64::from(0.1f32.to_bits())));
    }
    assert_eq!(f64_of("1_0.2_5e1_"), Ok(102.5f64.to_bits()));
    assert_eq!(f64_of("'a'"), Ok(97f64.to_bits()));
    assert_eq!(f64_of("-0b101"), Ok((-5f64).to_bits()));
    assert_eq!(f32_of("0x10"), Ok(u64::from(16f32.to_bits())));
    assert_eq!(f64_of("1e400"), Err(Wrong::Range));
    assert_eq!(f32_of("1e39"), Err(Wrong::Range));
    for malformed in
        ["1e", "1.2.3", "1e5e5", "infinity", "0x", "0x.", "0x1p", "0x1p+", "0x1.8p3.0", "0b1p3", "0b1.1", ".5"]
    {
        assert_eq!(f64_of(malformed), Err(Wrong::Malformed), "{malformed}");
    }
}

#[test]
fn special_floats() {
    assert_eq!(f64_of("inf"), Ok(f64::INFINITY.to_bits()));
    assert_eq!(f32_of("-inf"), Ok(0xff80_0000));
    assert_eq!(f64_of("nan"), Ok(0x7ff8_0000_0000_0000));
    assert_eq!(f32_of("-nan"), Ok(0xffc0_0000));
    assert_eq!(nan(true, "0x1", Type::F32), Ok(0xff80_0001));
    assert_eq!(nan(false, "0xf_ffff_ffff_ffff", Type::F64), Ok(0x7fff_ffff_ffff_ffff));
    assert_eq!(nan(false, "0x0", Type::F64), Err(Wrong::Range));
    assert_eq!(nan(false, "0x800000", Type::F32), Err(Wrong::Range));
    assert_eq!(nan(false, "1", Type::F32), Err(Wrong::Malformed));
    assert_eq!(nan(false, "0x1p3", Type::F32), Err(Wrong::Malformed));
}

#[test]
fn hexadecimal_floats_are_exact() {
    assert_eq!(f64_of("0x1.8p3"), Ok(12f64.to_bits()));
    assert_eq!(f64_of("-0x.8p0"), Ok((-0.5f64).to_bits()));
    assert_eq!(f64_of("0x1.8"), Ok(1.5f64.to_bits()));
    assert_eq!(f64_of("0x0p99999999999999999999"), Ok(0));
    assert_eq!(f64_of("-0x0.0p0"), Ok((-0f64).to_bits()));
    for number in numbers(20_000) {
        // Random exponents are rarely subnormal, so some are made so.
        for value in [f64::from_bits(number), f64::from_bits(number & 0x801f_ffff_ffff_ffff)] {
            if value.is_finite() {
                assert_eq!(f64_of(&hex(value)), Ok(value.to_bits()), "{value:e}");
            }
        }
    }
}

#[test]
fn hexadecimal_floats_are_rounded_to_nearest_even() {
    for number in numbers(20_000) {
        // Rust rounds integers, and f64 to f32, correctly.
        let wide = u128::from(number) << (number % 60);
        #[allow(clippy::cast_precision_loss, reason = "that is what is tested")]
        let rounded = wide as f64;
        assert_eq!(f64_of(&format!("{wide:#x}")), Ok(rounded.to_bits()), "{wide:#x}");
        // Exponents around those of f32, its subnormals included.
        let value = f64::from_bits(number & 0x800f_ffff_ffff_ffff | (1023 - 155 + number % 290) << 52);
        #[allow(clippy::cast_possible_truncation, reason = "that is what is tested")]
        let narrow = value as f32;
        let expected = if narrow.is_infinite() { Err(Wrong::Range) } else { Ok(u64::from(narrow.to_bits())) };
        assert_eq!(f32_of(&hex(value)), expected, "{}", hex(value));
    }
    let cases = [
        ("0x1p-1074", Ok(1)),
        ("0x1p-1075", Ok(0)),
        ("0x1.0000000000001p-1075", Ok(1)),
        ("0x1.8p-1074", Ok(2)),
        ("0x1p-1076", Ok(0)),
        ("0x1p-9999999999999", Ok(0)),
        ("0x0.fffffffffffff8p-1022", Ok(0x0010_0000_0000_0000)),
        ("0x0.fffffffffffff7fffp-1022", Ok(0x000f_ffff_ffff_ffff)),
        ("0x1.fffffffffffff7ffp1023", Ok(f64::MAX.to_bits())),
        ("0x1.fffffffffffff8p1023", Err(Wrong::Range)),
        ("0x1p1024", Err(Wrong::Range)),
        ("0x1p99999999999999999999", Err(Wrong::Range)),
        // A bit beyond the 64 that are kept breaks the tie.
        ("0x10000000000000800000000000000000001p0", Ok(0x4870_0000_0000_0001)),
        ("0x10000000000000800000000000000000000p0", Ok(0x4870_0000_0000_0000)),
    ];
    for (text, expected) in cases {
        assert_eq!(f64_of(text), expected, "{text}");
    }
}

#[test]
fn strings() {
    let read = |text| string(text).map(Cow::into_owned);
    assert_eq!(read(r#""plain""#), Ok(b"plain".to_vec()));
    assert_eq!(read(r#""\n\t\r\0\\\"\'\x41\xff""#), Ok(b"\n\t\r\0\\\"'A\xff".to_vec()));
    assert_eq!(read("\"ä\\n語\""), Ok("ä\n語".as_bytes().to_vec()));
    assert_eq!(read(r#""ab\qc""#), Err(BadQuote { range: 3..5, message: "there is no such escape" }));
    assert_eq!(read("\"\\n\\語\""), Err(BadQuote { range: 3..7, message: "there is no such escape" }));
    assert_eq!(read(r#""\x4""#).map_err(|bad| bad.range), Err(1..3));
    assert_eq!(read(r#""\x4g""#).map_err(|bad| bad.range), Err(1..3));
}
