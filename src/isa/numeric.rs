//! The arithmetic that Rust's own operators do not have, as the opcode table's expressions need it.
//!
//! Comes in: operand values. Goes out: the one result that every tier must produce, bit for bit. What must hold:
//! nothing here knows about machine code; a result that Rust leaves open (NaN bits) is pinned down here.
//!
//! NaN rule: an arithmetic instruction whose result is NaN yields, if an operand is NaN, the first NaN operand made
//! quiet, and otherwise the default NaN of the machine (sign set, quiet, no payload). This is what SSE does,
//! so machine code pays nothing for it, and it makes tiers comparable bit for bit.

use super::trap::TrapKind;

/// A floating type as the opcode table needs it.
pub trait Float: Copy + PartialOrd {
    /// The default NaN: what an invalid operation on numbers yields.
    const DEFAULT_NAN: Self;
    /// True for NaN.
    fn nan(self) -> bool;
    /// The same NaN with its quiet bit set.
    #[must_use]
    fn quiet(self) -> Self;
    /// True where the sign bit is set, NaN and zero included.
    fn negative(self) -> bool;
}

macro_rules! float {
    ($t:ident, $bits:expr, $quiet:expr) => {
        impl Float for $t {
            const DEFAULT_NAN: $t = $t::from_bits($bits);
            fn nan(self) -> bool {
                self.is_nan()
            }
            fn quiet(self) -> $t {
                $t::from_bits(self.to_bits() | $quiet)
            }
            fn negative(self) -> bool {
                self.is_sign_negative()
            }
        }
    };
}
float!(f32, 0xffc0_0000, 0x0040_0000);
float!(f64, 0xfff8_0000_0000_0000, 0x0008_0000_0000_0000);

/// Applies the NaN rule to the result of a two-operand instruction.
#[inline]
pub fn arith<F: Float>(a: F, b: F, result: F) -> F {
    if result.nan() { nan_of(a, b) } else { result }
}

/// What the rule gives for a result that is NaN: out of line, because few results are.
#[cold]
#[inline(never)]
fn nan_of<F: Float>(a: F, b: F) -> F {
    if a.nan() {
        a.quiet()
    } else if b.nan() {
        b.quiet()
    } else {
        F::DEFAULT_NAN
    }
}

/// Applies the NaN rule to the result of a one-operand instruction.
#[inline]
pub fn arith1<F: Float>(a: F, result: F) -> F {
    arith(a, a, result)
}

/// WebAssembly's `min`: NaN wins, and -0 is smaller than +0.
#[inline]
pub fn min<F: Float>(a: F, b: F) -> F {
    if a.nan() || b.nan() {
        return arith(a, b, if a.nan() { a } else { b });
    }
    if a < b || (a == b && a.negative()) { a } else { b }
}

/// WebAssembly's `max`: NaN wins, and +0 is larger than -0.
#[inline]
pub fn max<F: Float>(a: F, b: F) -> F {
    if a.nan() || b.nan() {
        return arith(a, b, if a.nan() { a } else { b });
    }
    if a > b || (a == b && !a.negative()) { a } else { b }
}

/// `promote`: NaN keeps its payload in the upper bits and becomes quiet, as `cvtss2sd` does it.
#[inline]
#[must_use]
pub fn promote(a: f32) -> f64 {
    if a.is_nan() {
        let bits = u64::from(a.to_bits());
        let sign = (bits & 0x8000_0000) << 32;
        let payload = (bits & 0x007f_ffff) << 29;
        return f64::from_bits(sign | 0x7ff8_0000_0000_0000 | payload);
    }
    f64::from(a)
}

/// `demote`: NaN keeps the upper bits of its payload and becomes quiet, as `cvtsd2ss` does it.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "dropping payload bits and rounding is what demoting means")]
pub fn demote(a: f64) -> f32 {
    if a.is_nan() {
        let bits = a.to_bits();
        let sign = (bits >> 32) as u32 & 0x8000_0000;
        let payload = (bits >> 29) as u32 & 0x003f_ffff;
        return f32::from_bits(sign | 0x7fc0_0000 | payload);
    }
    a as f32
}

/// The checked float-to-integer conversions: NaN and numbers out of range trap.
///
/// `lo` and `hi` are exclusive bounds of the truncated value, so that both are exact in `f64`.
macro_rules! trunc {
    ($name:ident, $from:ident, $to:ident, $lo:expr, $hi:expr, $lo_open:expr) => {
        /// Truncates towards zero.
        ///
        /// # Errors
        /// `InvalidConversion` on NaN, `IntegerOverflow` where the integer type cannot hold the result.
        #[inline]
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked on the lines above"
        )]
        pub fn $name(a: $from) -> Result<$to, TrapKind> {
            if a.is_nan() {
                return Err(TrapKind::InvalidConversion);
            }
            let below = if $lo_open { a <= $lo } else { a < $lo };
            if below || a >= $hi {
                return Err(TrapKind::IntegerOverflow);
            }
            Ok(a as $to)
        }
    };
}
trunc!(i32_from_f32, f32, i32, -2_147_483_648.0, 2_147_483_648.0, false);
trunc!(i32_from_f64, f64, i32, -2_147_483_649.0, 2_147_483_648.0, true);
trunc!(i64_from_f32, f32, i64, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0, false);
trunc!(i64_from_f64, f64, i64, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0, false);
trunc!(u32_from_f32, f32, u32, -1.0, 4_294_967_296.0, true);
trunc!(u32_from_f64, f64, u32, -1.0, 4_294_967_296.0, true);
trunc!(u64_from_f32, f32, u64, -1.0, 18_446_744_073_709_551_616.0, true);
trunc!(u64_from_f64, f64, u64, -1.0, 18_446_744_073_709_551_616.0, true);

/// Signed division.
///
/// # Errors
/// `DivideByZero`, and `IntegerOverflow` for `MIN / -1`.
#[inline]
pub fn div_i64(a: i64, b: i64) -> Result<i64, TrapKind> {
    if b == 0 {
        return Err(TrapKind::DivideByZero);
    }
    a.checked_div(b).ok_or(TrapKind::IntegerOverflow)
}

/// Signed division.
///
/// # Errors
/// `DivideByZero`, and `IntegerOverflow` for `MIN / -1`.
#[inline]
pub fn div_i32(a: i32, b: i32) -> Result<i32, TrapKind> {
    if b == 0 {
        return Err(TrapKind::DivideByZero);
    }
    a.checked_div(b).ok_or(TrapKind::IntegerOverflow)
}
