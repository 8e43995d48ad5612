//! The table of opcodes: every instruction of the machine, described once.
//!
//! Comes in: nothing. Goes out: [`Op`], its [`Row`], and [`meaning`], the Rust expression of each row as a
//! function. Parser, printer, verifier, interpreter, the language reference and the per-opcode tests expand this
//! table through [`for_each_op!`](crate::for_each_op) or read [`Op::row`]. What must hold: a row says what an
//! instruction *means*; how a machine does it stands in `asm/`, and neither looks at the other.
//!
//! The four kinds of rows:
//!
//! * `value NAME "mnemonic" "suffix" (a: T, b: T) -> T [flags] { expression } "doc";`: reads registers, writes one.
//!   `u32`/`u64`/`bool` are views of int registers. An expression that can trap uses `?` or `return Err(…)` and
//!   carries the flag `traps`.
//! * `load NAME "mnemonic" "suffix" (x: RAW) -> T { expression } "doc";`: widens what stands in memory: linear memory
//!   where the mnemonic begins with `m`, else native memory.
//! * `store NAME "mnemonic" "suffix" (x: T) -> RAW { expression } "doc";`: narrows what goes there.
//! * `other NAME "mnemonic" "suffix" SHAPE "doc";`: everything else; the [`Shape`] gives the operands.

use super::numeric;
pub use super::shape::Shape;
use super::trap::TrapKind;
pub use super::types::{Bits, Class, Type};

/// Hands the whole table to another macro: `for_each_op!(callback)` expands to `callback! { rows }`.
///
/// The rows come in the order `value`, `load`, `store`, `other`.
#[macro_export]
macro_rules! for_each_op {
    ($callback:ident) => {
        $crate::__op_table! { $callback }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __op_table {
    ($callback:ident) => { $callback! {

        // Integer arithmetic; it wraps.
        value AddI32 "add" "i32" (a: i32, b: i32) -> i32 [commutes] { a.wrapping_add(b) } "the wrapped sum";
        value AddI64 "add" "i64" (a: i64, b: i64) -> i64 [commutes] { a.wrapping_add(b) } "the wrapped sum";
        value SubI32 "sub" "i32" (a: i32, b: i32) -> i32 [] { a.wrapping_sub(b) } "the wrapped difference";
        value SubI64 "sub" "i64" (a: i64, b: i64) -> i64 [] { a.wrapping_sub(b) } "the wrapped difference";
        value MulI32 "mul" "i32" (a: i32, b: i32) -> i32 [commutes] { a.wrapping_mul(b) } "the wrapped product";
        value MulI64 "mul" "i64" (a: i64, b: i64) -> i64 [commutes] { a.wrapping_mul(b) } "the wrapped product";
        value DivI32 "div" "i32" (a: i32, b: i32) -> i32 [traps] { numeric::div_i32(a, b)? } "the quotient, truncated towards zero; by zero, and MIN / -1, trap";
        value DivI64 "div" "i64" (a: i64, b: i64) -> i64 [traps] { numeric::div_i64(a, b)? } "the quotient, truncated towards zero; by zero, and MIN / -1, trap";
        value ModI32 "mod" "i32" (a: i32, b: i32) -> i32 [traps] { if b == 0 { return Err(TrapKind::DivideByZero); } a.wrapping_rem(b) } "the remainder, with the sign of the dividend; by zero traps, MIN mod -1 is 0";
        value ModI64 "mod" "i64" (a: i64, b: i64) -> i64 [traps] { if b == 0 { return Err(TrapKind::DivideByZero); } a.wrapping_rem(b) } "the remainder, with the sign of the dividend; by zero traps, MIN mod -1 is 0";
        value DivuI32 "divu" "i32" (a: u32, b: u32) -> u32 [traps] { a.checked_div(b).ok_or(TrapKind::DivideByZero)? } "the unsigned quotient; by zero traps";
        value DivuI64 "divu" "i64" (a: u64, b: u64) -> u64 [traps] { a.checked_div(b).ok_or(TrapKind::DivideByZero)? } "the unsigned quotient; by zero traps";
        value ModuI32 "modu" "i32" (a: u32, b: u32) -> u32 [traps] { a.checked_rem(b).ok_or(TrapKind::DivideByZero)? } "the unsigned remainder; by zero traps";
        value ModuI64 "modu" "i64" (a: u64, b: u64) -> u64 [traps] { a.checked_rem(b).ok_or(TrapKind::DivideByZero)? } "the unsigned remainder; by zero traps";

        // Bits.
        value AndI32 "and" "i32" (a: u32, b: u32) -> u32 [commutes] { a & b } "bitwise and";
        value AndI64 "and" "i64" (a: u64, b: u64) -> u64 [commutes] { a & b } "bitwise and";
        value OrI32 "or" "i32" (a: u32, b: u32) -> u32 [commutes] { a | b } "bitwise or";
        value OrI64 "or" "i64" (a: u64, b: u64) -> u64 [commutes] { a | b } "bitwise or";
        value XorI32 "xor" "i32" (a: u32, b: u32) -> u32 [commutes] { a ^ b } "bitwise exclusive or";
        value XorI64 "xor" "i64" (a: u64, b: u64) -> u64 [commutes] { a ^ b } "bitwise exclusive or";
        value ShlI32 "shl" "i32" (a: u32, b: u32) -> u32 [] { a.wrapping_shl(b) } "shifted left; the count is taken modulo the width";
        value ShlI64 "shl" "i64" (a: u64, b: u64) -> u64 [] { a.wrapping_shl(b as u32) } "shifted left; the count is taken modulo the width";
        value ShrI32 "shr" "i32" (a: i32, b: u32) -> i32 [] { a.wrapping_shr(b) } "shifted right, copies of the sign bit coming in; the count is taken modulo the width";
        value ShrI64 "shr" "i64" (a: i64, b: u64) -> i64 [] { a.wrapping_shr(b as u32) } "shifted right, copies of the sign bit coming in; the count is taken modulo the width";
        value ShruI32 "shru" "i32" (a: u32, b: u32) -> u32 [] { a.wrapping_shr(b) } "shifted right, zeros coming in; the count is taken modulo the width";
        value ShruI64 "shru" "i64" (a: u64, b: u64) -> u64 [] { a.wrapping_shr(b as u32) } "shifted right, zeros coming in; the count is taken modulo the width";
        value RotlI32 "rotl" "i32" (a: u32, b: u32) -> u32 [] { a.rotate_left(b % 32) } "rotated left; the count is taken modulo the width";
        value RotlI64 "rotl" "i64" (a: u64, b: u64) -> u64 [] { a.rotate_left((b % 64) as u32) } "rotated left; the count is taken modulo the width";
        value RotrI32 "rotr" "i32" (a: u32, b: u32) -> u32 [] { a.rotate_right(b % 32) } "rotated right; the count is taken modulo the width";
        value RotrI64 "rotr" "i64" (a: u64, b: u64) -> u64 [] { a.rotate_right((b % 64) as u32) } "rotated right; the count is taken modulo the width";
        value ClzI32 "clz" "i32" (a: u32) -> u32 [] { a.leading_zeros() } "how many zero bits lead; the width for zero";
        value ClzI64 "clz" "i64" (a: u64) -> u64 [] { u64::from(a.leading_zeros()) } "how many zero bits lead; the width for zero";
        value CtzI32 "ctz" "i32" (a: u32) -> u32 [] { a.trailing_zeros() } "how many zero bits trail; the width for zero";
        value CtzI64 "ctz" "i64" (a: u64) -> u64 [] { u64::from(a.trailing_zeros()) } "how many zero bits trail; the width for zero";
        value PopcntI32 "popcnt" "i32" (a: u32) -> u32 [] { a.count_ones() } "how many bits are set";
        value PopcntI64 "popcnt" "i64" (a: u64) -> u64 [] { u64::from(a.count_ones()) } "how many bits are set";
        value NegI32 "neg" "i32" (a: i32) -> i32 [] { a.wrapping_neg() } "the wrapped negation";
        value NegI64 "neg" "i64" (a: i64) -> i64 [] { a.wrapping_neg() } "the wrapped negation";
        value NotI32 "not" "i32" (a: u32) -> u32 [] { !a } "every bit inverted";
        value NotI64 "not" "i64" (a: u64) -> u64 [] { !a } "every bit inverted";
        value Ext8I32 "ext8" "i32" (a: i32) -> i32 [] { i32::from(a as i8) } "the low 8 bits, sign-extended";
        value Ext8I64 "ext8" "i64" (a: i64) -> i64 [] { i64::from(a as i8) } "the low 8 bits, sign-extended";
        value Ext16I32 "ext16" "i32" (a: i32) -> i32 [] { i32::from(a as i16) } "the low 16 bits, sign-extended";
        value Ext16I64 "ext16" "i64" (a: i64) -> i64 [] { i64::from(a as i16) } "the low 16 bits, sign-extended";
        value Ext32I64 "ext32" "i64" (a: i64) -> i64 [] { i64::from(a as i32) } "the low 32 bits, sign-extended";
        value Wrap "wrap" "" (a: u64) -> u32 [] { a as u32 } "the low 32 bits (i64 to i32)";
        value Extu "extu" "" (a: u32) -> u64 [] { u64::from(a) } "zero-extended (i32 to i64)";
        value Exts "exts" "" (a: i32) -> i64 [] { i64::from(a) } "sign-extended (i32 to i64)";

        // Comparison: 1 or 0. `greater` and `geq` are the same with the operands exchanged.
        value EqI32 "eq" "i32" (a: i32, b: i32) -> bool [compares commutes] { a == b } "equal";
        value EqI64 "eq" "i64" (a: i64, b: i64) -> bool [compares commutes] { a == b } "equal";
        value EqF32 "eq" "f32" (a: f32, b: f32) -> bool [compares commutes] { a == b } "equal; false where an operand is NaN";
        value EqF64 "eq" "f64" (a: f64, b: f64) -> bool [compares commutes] { a == b } "equal; false where an operand is NaN";
        value NeI32 "ne" "i32" (a: i32, b: i32) -> bool [compares commutes] { a != b } "not equal";
        value NeI64 "ne" "i64" (a: i64, b: i64) -> bool [compares commutes] { a != b } "not equal";
        value NeF32 "ne" "f32" (a: f32, b: f32) -> bool [compares commutes] { a != b } "not equal; true where an operand is NaN";
        value NeF64 "ne" "f64" (a: f64, b: f64) -> bool [compares commutes] { a != b } "not equal; true where an operand is NaN";
        value LessI32 "less" "i32" (a: i32, b: i32) -> bool [compares] { a < b } "less, signed";
        value LessI64 "less" "i64" (a: i64, b: i64) -> bool [compares] { a < b } "less, signed";
        value LessuI32 "lessu" "i32" (a: u32, b: u32) -> bool [compares] { a < b } "less, unsigned";
        value LessuI64 "lessu" "i64" (a: u64, b: u64) -> bool [compares] { a < b } "less, unsigned";
        value LessF32 "less" "f32" (a: f32, b: f32) -> bool [compares] { a < b } "less; false where an operand is NaN";
        value LessF64 "less" "f64" (a: f64, b: f64) -> bool [compares] { a < b } "less; false where an operand is NaN";
        value LeqI32 "leq" "i32" (a: i32, b: i32) -> bool [compares] { a <= b } "less or equal, signed";
        value LeqI64 "leq" "i64" (a: i64, b: i64) -> bool [compares] { a <= b } "less or equal, signed";
        value LequI32 "lequ" "i32" (a: u32, b: u32) -> bool [compares] { a <= b } "less or equal, unsigned";
        value LequI64 "lequ" "i64" (a: u64, b: u64) -> bool [compares] { a <= b } "less or equal, unsigned";
        value LeqF32 "leq" "f32" (a: f32, b: f32) -> bool [compares] { a <= b } "less or equal; false where an operand is NaN";
        value LeqF64 "leq" "f64" (a: f64, b: f64) -> bool [compares] { a <= b } "less or equal; false where an operand is NaN";

        // Floating arithmetic: IEEE 754, rounded to nearest even; see `numeric` for the NaN rule.
        value AddF32 "add" "f32" (a: f32, b: f32) -> f32 [] { numeric::arith(a, b, a + b) } "the sum";
        value AddF64 "add" "f64" (a: f64, b: f64) -> f64 [] { numeric::arith(a, b, a + b) } "the sum";
        value SubF32 "sub" "f32" (a: f32, b: f32) -> f32 [] { numeric::arith(a, b, a - b) } "the difference";
        value SubF64 "sub" "f64" (a: f64, b: f64) -> f64 [] { numeric::arith(a, b, a - b) } "the difference";
        value MulF32 "mul" "f32" (a: f32, b: f32) -> f32 [] { numeric::arith(a, b, a * b) } "the product";
        value MulF64 "mul" "f64" (a: f64, b: f64) -> f64 [] { numeric::arith(a, b, a * b) } "the product";
        value DivF32 "div" "f32" (a: f32, b: f32) -> f32 [] { numeric::arith(a, b, a / b) } "the quotient";
        value DivF64 "div" "f64" (a: f64, b: f64) -> f64 [] { numeric::arith(a, b, a / b) } "the quotient";
        value NegF32 "neg" "f32" (a: f32) -> f32 [] { -a } "the sign inverted, also of NaN";
        value NegF64 "neg" "f64" (a: f64) -> f64 [] { -a } "the sign inverted, also of NaN";
        value AbsF32 "abs" "f32" (a: f32) -> f32 [] { a.abs() } "the sign cleared, also of NaN";
        value AbsF64 "abs" "f64" (a: f64) -> f64 [] { a.abs() } "the sign cleared, also of NaN";
        value SqrtF32 "sqrt" "f32" (a: f32) -> f32 [] { numeric::arith1(a, a.sqrt()) } "the square root";
        value SqrtF64 "sqrt" "f64" (a: f64) -> f64 [] { numeric::arith1(a, a.sqrt()) } "the square root";
        value CeilF32 "ceil" "f32" (a: f32) -> f32 [] { numeric::arith1(a, a.ceil()) } "rounded up to an integer";
        value CeilF64 "ceil" "f64" (a: f64) -> f64 [] { numeric::arith1(a, a.ceil()) } "rounded up to an integer";
        value FloorF32 "floor" "f32" (a: f32) -> f32 [] { numeric::arith1(a, a.floor()) } "rounded down to an integer";
        value FloorF64 "floor" "f64" (a: f64) -> f64 [] { numeric::arith1(a, a.floor()) } "rounded down to an integer";
        value TruncF32 "trunc" "f32" (a: f32) -> f32 [] { numeric::arith1(a, a.trunc()) } "rounded towards zero to an integer";
        value TruncF64 "trunc" "f64" (a: f64) -> f64 [] { numeric::arith1(a, a.trunc()) } "rounded towards zero to an integer";
        value NearestF32 "nearest" "f32" (a: f32) -> f32 [] { numeric::arith1(a, a.round_ties_even()) } "rounded to the nearest integer, ties to even";
        value NearestF64 "nearest" "f64" (a: f64) -> f64 [] { numeric::arith1(a, a.round_ties_even()) } "rounded to the nearest integer, ties to even";
        value MinF32 "min" "f32" (a: f32, b: f32) -> f32 [] { numeric::min(a, b) } "the smaller; NaN wins, -0 is below +0";
        value MinF64 "min" "f64" (a: f64, b: f64) -> f64 [] { numeric::min(a, b) } "the smaller; NaN wins, -0 is below +0";
        value MaxF32 "max" "f32" (a: f32, b: f32) -> f32 [] { numeric::max(a, b) } "the larger; NaN wins, +0 is above -0";
        value MaxF64 "max" "f64" (a: f64, b: f64) -> f64 [] { numeric::max(a, b) } "the larger; NaN wins, +0 is above -0";
        value CopysignF32 "copysign" "f32" (a: f32, b: f32) -> f32 [] { a.copysign(b) } "the magnitude of a with the sign of b, also of NaN";
        value CopysignF64 "copysign" "f64" (a: f64, b: f64) -> f64 [] { a.copysign(b) } "the magnitude of a with the sign of b, also of NaN";

        // Conversions; TO stands before FROM.
        value CvtF32I32 "cvt" "f32.i32" (a: i32) -> f32 [] { a as f32 } "from a signed integer, rounded to nearest even";
        value CvtF32I64 "cvt" "f32.i64" (a: i64) -> f32 [] { a as f32 } "from a signed integer, rounded to nearest even";
        value CvtF64I32 "cvt" "f64.i32" (a: i32) -> f64 [] { f64::from(a) } "from a signed integer, rounded to nearest even";
        value CvtF64I64 "cvt" "f64.i64" (a: i64) -> f64 [] { a as f64 } "from a signed integer, rounded to nearest even";
        value CvtuF32I32 "cvtu" "f32.i32" (a: u32) -> f32 [] { a as f32 } "from an unsigned integer, rounded to nearest even";
        value CvtuF32I64 "cvtu" "f32.i64" (a: u64) -> f32 [] { a as f32 } "from an unsigned integer, rounded to nearest even";
        value CvtuF64I32 "cvtu" "f64.i32" (a: u32) -> f64 [] { f64::from(a) } "from an unsigned integer, rounded to nearest even";
        value CvtuF64I64 "cvtu" "f64.i64" (a: u64) -> f64 [] { a as f64 } "from an unsigned integer, rounded to nearest even";
        value CvtI32F32 "cvt" "i32.f32" (a: f32) -> i32 [traps] { numeric::i32_from_f32(a)? } "to a signed integer, truncated; NaN and out of range trap";
        value CvtI32F64 "cvt" "i32.f64" (a: f64) -> i32 [traps] { numeric::i32_from_f64(a)? } "to a signed integer, truncated; NaN and out of range trap";
        value CvtI64F32 "cvt" "i64.f32" (a: f32) -> i64 [traps] { numeric::i64_from_f32(a)? } "to a signed integer, truncated; NaN and out of range trap";
        value CvtI64F64 "cvt" "i64.f64" (a: f64) -> i64 [traps] { numeric::i64_from_f64(a)? } "to a signed integer, truncated; NaN and out of range trap";
        value CvtuI32F32 "cvtu" "i32.f32" (a: f32) -> u32 [traps] { numeric::u32_from_f32(a)? } "to an unsigned integer, truncated; NaN and out of range trap";
        value CvtuI32F64 "cvtu" "i32.f64" (a: f64) -> u32 [traps] { numeric::u32_from_f64(a)? } "to an unsigned integer, truncated; NaN and out of range trap";
        value CvtuI64F32 "cvtu" "i64.f32" (a: f32) -> u64 [traps] { numeric::u64_from_f32(a)? } "to an unsigned integer, truncated; NaN and out of range trap";
        value CvtuI64F64 "cvtu" "i64.f64" (a: f64) -> u64 [traps] { numeric::u64_from_f64(a)? } "to an unsigned integer, truncated; NaN and out of range trap";
        value CvtsI32F32 "cvts" "i32.f32" (a: f32) -> i32 [] { a as i32 } "to a signed integer, saturating; NaN gives 0";
        value CvtsI32F64 "cvts" "i32.f64" (a: f64) -> i32 [] { a as i32 } "to a signed integer, saturating; NaN gives 0";
        value CvtsI64F32 "cvts" "i64.f32" (a: f32) -> i64 [] { a as i64 } "to a signed integer, saturating; NaN gives 0";
        value CvtsI64F64 "cvts" "i64.f64" (a: f64) -> i64 [] { a as i64 } "to a signed integer, saturating; NaN gives 0";
        value CvtsuI32F32 "cvtsu" "i32.f32" (a: f32) -> u32 [] { a as u32 } "to an unsigned integer, saturating; NaN gives 0";
        value CvtsuI32F64 "cvtsu" "i32.f64" (a: f64) -> u32 [] { a as u32 } "to an unsigned integer, saturating; NaN gives 0";
        value CvtsuI64F32 "cvtsu" "i64.f32" (a: f32) -> u64 [] { a as u64 } "to an unsigned integer, saturating; NaN gives 0";
        value CvtsuI64F64 "cvtsu" "i64.f64" (a: f64) -> u64 [] { a as u64 } "to an unsigned integer, saturating; NaN gives 0";
        value Promote "promote" "" (a: f32) -> f64 [] { numeric::promote(a) } "f32 to f64, exactly";
        value Demote "demote" "" (a: f64) -> f32 [] { numeric::demote(a) } "f64 to f32, rounded to nearest even";
        value BitsI32F32 "bits" "i32.f32" (a: f32) -> u32 [] { a.to_bits() } "the raw bits";
        value BitsF32I32 "bits" "f32.i32" (a: u32) -> f32 [] { f32::from_bits(a) } "the raw bits";
        value BitsI64F64 "bits" "i64.f64" (a: f64) -> u64 [] { a.to_bits() } "the raw bits";
        value BitsF64I64 "bits" "f64.i64" (a: u64) -> f64 [] { f64::from_bits(a) } "the raw bits";

        // Linear memory at `u32(i) + OFF`, little endian; what is read is widened, what is written narrowed.
        load MloadI32 "mload" "i32" (x: u32) -> u32 { x } "reads 32 bits";
        load MloadI64 "mload" "i64" (x: u64) -> u64 { x } "reads 64 bits";
        load MloadF32 "mload" "f32" (x: f32) -> f32 { x } "reads an f32";
        load MloadF64 "mload" "f64" (x: f64) -> f64 { x } "reads an f64";
        load Mload8s "mload" "8s" (x: i8) -> i64 { i64::from(x) } "reads 8 bits, sign-extended to 64";
        load Mload8u "mload" "8u" (x: u8) -> u64 { u64::from(x) } "reads 8 bits, zero-extended";
        load Mload16s "mload" "16s" (x: i16) -> i64 { i64::from(x) } "reads 16 bits, sign-extended to 64";
        load Mload16u "mload" "16u" (x: u16) -> u64 { u64::from(x) } "reads 16 bits, zero-extended";
        load Mload32s "mload" "32s" (x: i32) -> i64 { i64::from(x) } "reads 32 bits, sign-extended to 64";
        load LoadI32 "load" "i32" (x: u32) -> u32 { x } "reads 32 bits";
        load LoadI64 "load" "i64" (x: u64) -> u64 { x } "reads 64 bits";
        load LoadF32 "load" "f32" (x: f32) -> f32 { x } "reads an f32";
        load LoadF64 "load" "f64" (x: f64) -> f64 { x } "reads an f64";
        load Load8s "load" "8s" (x: i8) -> i64 { i64::from(x) } "reads 8 bits, sign-extended to 64";
        load Load8u "load" "8u" (x: u8) -> u64 { u64::from(x) } "reads 8 bits, zero-extended";
        load Load16s "load" "16s" (x: i16) -> i64 { i64::from(x) } "reads 16 bits, sign-extended to 64";
        load Load16u "load" "16u" (x: u16) -> u64 { u64::from(x) } "reads 16 bits, zero-extended";
        load Load32s "load" "32s" (x: i32) -> i64 { i64::from(x) } "reads 32 bits, sign-extended to 64";
        store MstoreI32 "mstore" "i32" (x: u32) -> u32 { x } "writes 32 bits";
        store MstoreI64 "mstore" "i64" (x: u64) -> u64 { x } "writes 64 bits";
        store MstoreF32 "mstore" "f32" (x: f32) -> f32 { x } "writes an f32";
        store MstoreF64 "mstore" "f64" (x: f64) -> f64 { x } "writes an f64";
        store Mstore8 "mstore" "8" (x: u64) -> u8 { x as u8 } "writes the low 8 bits";
        store Mstore16 "mstore" "16" (x: u64) -> u16 { x as u16 } "writes the low 16 bits";
        store StoreI32 "store" "i32" (x: u32) -> u32 { x } "writes 32 bits";
        store StoreI64 "store" "i64" (x: u64) -> u64 { x } "writes 64 bits";
        store StoreF32 "store" "f32" (x: f32) -> f32 { x } "writes an f32";
        store StoreF64 "store" "f64" (x: f64) -> f64 { x } "writes an f64";
        store Store8 "store" "8" (x: u64) -> u8 { x as u8 } "writes the low 8 bits";
        store Store16 "store" "16" (x: u64) -> u16 { x as u16 } "writes the low 16 bits";
        // Constants, moves and module state.
        other ConstI32 "const" "i32" Const "a 32-bit constant, zero-extended";
        other ConstI64 "const" "i64" Const "a 64-bit constant";
        other ConstF32 "const" "f32" Const "an f32 constant";
        other ConstF64 "const" "f64" Const "an f64 constant";
        other Move "move" "" Move "a copy; the registers' types become one";
        other Select "select" "" Select "`a` if the int `c` is not 0, else `b`; the types of d, a, b become one";
        other Msize "msize" "" Msize "the size of linear memory in 64 KiB pages";
        other Mgrow "mgrow" "" Mgrow "grows linear memory by u32(n) pages; the old size, or the i32 -1 where it cannot grow";
        other Mcopy "mcopy" "" Mcopy "copies u32(n) bytes from u32(src) to u32(dst); the ranges may overlap";
        other Mfill "mfill" "" Mfill "sets u32(n) bytes from u32(dst) to the low byte of the second operand";
        // Tables, and what fills them and memory.
        other Tget "tget" "" Object "the element of a growing table at u32(i); outside it traps";
        other Tset "tset" "" Object "sets the element of a growing table at u32(i); outside it traps";
        other Tsize "tsize" "" Object "the number of elements of a growing table";
        other Tgrow "tgrow" "" Object "grows a table by u32(n) elements, each set to the reference; the old size, or the i32 -1 where it cannot grow";
        other Tfill "tfill" "" Object "sets u32(n) elements of a growing table from u32(i) on; outside it traps";
        other Tcopy "tcopy" "" Object "copies u32(n) elements from u32(src) of the second table to u32(dst) of the first; the ranges may overlap";
        other Tinit "tinit" "" Object "copies u32(n) elements from u32(src) of an `elem` item to u32(dst) of a table";
        other Edrop "edrop" "" Object "empties an `elem` item";
        other Minit "minit" "" Object "copies u32(n) bytes from u32(src) of a `segment` to u32(dst) of linear memory";
        other Mdrop "mdrop" "" Object "empties a `segment`";
        other Ref "ref" "" Object "a reference to a function";
        other Gget "gget" "" Gget "reads a global";
        other Gset "gset" "" Gset "writes a global";
        other Arg "arg" "" Arg "argument number `i` of this call, counted from 1, as it was passed; outside 1..r0 traps";

        // Control.
        other Jmp "jmp" "" Jump "continues at the label";
        other Jmpt "jmpt" "" Branch "continues at the label if the int is not 0";
        other Jmpf "jmpf" "" Branch "continues at the label if the int is 0";
        other Switch "switch" "" Switch "continues at the label that u64(i) counts to, or at the default";
        other Call "call" "" Call "calls a function";
        other Calli "calli" "" Calli "calls a function of a table; a wrong index or another signature traps";
        other Callp "callp" "" Callp "calls the C function at a native address";
        other Addr "addr" "" Addr "the native address of a function, an extern or data";
        other Ret "ret" "" Ret "returns from the function";
        other Print "print" "" Print "writes a register and a line feed to standard output, by the register's type";
        other Read "read" "" Read "reads a number from standard input, by the register's type";
        other Halt "halt" "" Halt "ends the program with success";
        other Trap "trap" "" Trap "traps: `unreachable`";
        // Programs write it by the name of the opcode that it stands for.
        other Custom "custom" "" Custom "an opcode that a template declares";

        // What the verifier makes of the instructions above that take any type. They are written without suffix.
        other MoveI64 "move" "i64" Move "a copy of an int";
        other MoveF32 "move" "f32" Move "a copy of an f32";
        other MoveF64 "move" "f64" Move "a copy of an f64";
        other SelectI64 "select" "i64" Select "chooses an int";
        other SelectF32 "select" "f32" Select "chooses an f32";
        other SelectF64 "select" "f64" Select "chooses an f64";
        other PrintI64 "print" "i64" Print "writes an int";
        other PrintF32 "print" "f32" Print "writes an f32";
        other PrintF64 "print" "f64" Print "writes an f64";
        other ReadI64 "read" "i64" Read "reads an int";
        other ReadF32 "read" "f32" Read "reads an f32";
        other ReadF64 "read" "f64" Read "reads an f64";
        other GgetI32 "gget" "i32" Gget "reads an i32 global";
        other GgetI64 "gget" "i64" Gget "reads an i64 global";
        other GgetF32 "gget" "f32" Gget "reads an f32 global";
        other GgetF64 "gget" "f64" Gget "reads an f64 global";
        other GsetI32 "gset" "i32" Gset "writes an i32 global";
        other GsetI64 "gset" "i64" Gset "writes an i64 global";
        other GsetF32 "gset" "f32" Gset "writes an f32 global";
        other GsetF64 "gset" "f64" Gset "writes an f64 global";
        other CallExtern "call" "extern" CallExtern "calls a C function";
        other CallImport "call" "import" CallImport "calls an imported function";
        other CalliGrowing "calli" "growing" Calli "calls a function of a growing table";
    } };
}

/// What a [`Row`] says beside operands and meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// `a` and `b` may be exchanged without any effect on the result, NaN bits included.
    Commutes,
    /// The result is 1 or 0 and a branch may be fused to it.
    Compares,
    /// It can trap.
    Traps,
}

/// One row of the table, as data.
#[derive(Debug)]
pub struct Row {
    /// The opcode that the row is for.
    pub op: Op,
    /// The word before the dot.
    pub mnemonic: &'static str,
    /// What follows the dot; empty where the instruction has no types.
    pub suffix: &'static str,
    /// How its operands are written and stored.
    pub shape: Shape,
    /// The types of the registers that it reads, where the shape does not leave them open.
    pub args: &'static [Type],
    /// The type of the register that it writes, where the shape does not leave it open. `i32` says that the upper
    /// half of the int register is zero.
    pub result: Option<Type>,
    flags: u8,
    /// One line for the reference.
    pub doc: &'static str,
}

impl Row {
    /// True where `flag` was given.
    #[must_use]
    pub const fn has(&self, flag: Flag) -> bool {
        self.flags & (1 << flag as u8) != 0
    }

    /// `mnemonic.suffix`, or the mnemonic alone: the name that templates are declared under.
    #[must_use]
    pub fn name(&self) -> String {
        if self.suffix.is_empty() { self.mnemonic.to_owned() } else { format!("{}.{}", self.mnemonic, self.suffix) }
    }
}

macro_rules! flag {
    (commutes) => {
        1 << Flag::Commutes as u8
    };
    (compares) => {
        1 << Flag::Compares as u8
    };
    (traps) => {
        1 << Flag::Traps as u8
    };
}

/// Which memory a load or store works on: linear memory where its word begins with `m`, else native memory.
const fn memory_shape(mnemonic: &str, linear: Shape, native: Shape) -> Shape {
    if mnemonic.as_bytes()[0] == b'm' { linear } else { native }
}

macro_rules! define_table {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        /// An instruction with its types settled: one for each row of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op {
            $(#[doc = $vd] $v,)*
            $(#[doc = $ld] $l,)*
            $(#[doc = $sd] $s,)*
            $(#[doc = $od] $o,)*
        }

        impl Op {
            /// Every opcode, in the order of the table, which is the order of their numbers.
            pub const ALL: &'static [Op] = &[$(Op::$v,)* $(Op::$l,)* $(Op::$s,)* $(Op::$o,)*];

            /// The row of every opcode, by its number.
            pub const ROWS: &'static [Row] = &[
                $(Row {
                    op: Op::$v, mnemonic: $vm, suffix: $vs, shape: Shape::Value,
                    args: &[$(<$pt as Bits>::TYPE),*], result: Some(<$vr as Bits>::TYPE),
                    flags: 0 $(| flag!($f))*, doc: $vd,
                },)*
                $(Row {
                    op: Op::$l, mnemonic: $lm, suffix: $ls, shape: memory_shape($lm, Shape::Load, Shape::NativeLoad),
                    args: &[Type::I64], result: Some(<$lraw as Bits>::LOADED), flags: flag!(traps), doc: $ld,
                },)*
                $(Row {
                    op: Op::$s, mnemonic: $sm, suffix: $ss, shape: memory_shape($sm, Shape::Store, Shape::NativeStore),
                    args: &[<$st as Bits>::TYPE, Type::I64], result: None, flags: flag!(traps), doc: $sd,
                },)*
                $(Row {
                    op: Op::$o, mnemonic: $om, suffix: $os, shape: Shape::$osh,
                    args: &[], result: None, flags: 0, doc: $od,
                },)*
            ];
        }

        /// The expression of each row, as a function with the row's name.
        #[allow(non_snake_case, reason = "the functions carry the names of the rows")]
        #[allow(clippy::unnecessary_wraps, reason = "one signature for rows that trap and rows that do not")]
        #[allow(clippy::missing_errors_doc, reason = "the flag of the row says whether it traps")]
        #[allow(clippy::float_cmp, reason = "the rows say exactly which comparison the machine does")]
        pub mod meaning {
            use super::{TrapKind, numeric};
            $(#[doc = $vd]
              #[inline(always)]
              pub fn $v($($p: $pt),*) -> Result<$vr, TrapKind> { Ok($ve) })*
            $(#[doc = $ld]
              #[inline(always)]
              pub fn $l($lx: $lraw) -> $lr { $le })*
            $(#[doc = $sd]
              #[inline(always)]
              pub fn $s($sx: $st) -> $sraw { $se })*
        }

        impl Op {
            /// The result of a `value` instruction on raw register bits, `b` being ignored where there is none;
            /// `None` for every other instruction.
            #[must_use]
            #[allow(unused_assignments, unused_mut, unused_variables, reason = "rows with one operand leave `b` unread")]
            pub fn evaluate(self, a: u64, b: u64) -> Option<Result<u64, TrapKind>> {
                match self {
                    $(Op::$v => {
                        let mut operands = [a, b].into_iter();
                        Some(meaning::$v($({
                            <$pt as Bits>::of(operands.next().unwrap_or(0))
                        }),*).map(Bits::bits))
                    })*
                    _ => None,
                }
            }
        }
    };
}
for_each_op!(define_table);

impl Op {
    /// The opcode's row.
    #[inline]
    #[must_use]
    pub fn row(self) -> &'static Row {
        &Op::ROWS[self as usize]
    }

    /// The opcode with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Op> {
        Op::ALL.get(usize::from(number)).copied()
    }

    /// True for the rows that only the verifier produces: they say which type an instruction without a written
    /// type works on.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        self as u16 >= Op::MoveI64 as u16
    }

    /// True for the rows that programs write by their names.
    #[must_use]
    pub const fn is_written(self) -> bool {
        !self.is_settled() && !matches!(self, Op::Custom)
    }
}
