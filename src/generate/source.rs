//! Random choices.
//!
//! Comes in: 64-bit numbers. Goes out: choices, and constants that like the edges of their type.

use crate::isa::op::{Bits, Type};

/// Where choices come from.
pub struct Source<'n> {
    numbers: &'n mut dyn FnMut() -> u64,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

const INTS: [i64; 24] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    255,
    -128,
    0x7fff,
    i32::MAX as i64,
    i32::MIN as i64,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MAX,
    i64::MIN,
    0x5555_5555_5555_5555,
    -2,
];

const FLOATS: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -1.5,
    2.5,
    1e-310,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::EPSILON,
    f64::INFINITY,
    f64::NEG_INFINITY,
    2_147_483_647.0,
    2_147_483_648.0,
    -2_147_483_649.0,
    4_294_967_296.0,
    9_223_372_036_854_775_808.0,
    -9_223_372_036_854_775_808.0,
    18_446_744_073_709_551_616.0,
    1e-45,
    3.402_823_466_385_288_6e38,
];

/// Quiet and signalling, of both signs, with and without payload.
const NANS: [u64; 6] = [
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0x7ff0_0000_0000_0001,
    0xfff4_0000_2000_0000,
    0x7ffc_dead_beef_0000,
    0x7ff4_0000_e000_0000,
];

impl<'n> Source<'n> {
    /// Choices from what `numbers` gives.
    pub fn new(numbers: &'n mut dyn FnMut() -> u64) -> Source<'n> {
        Source { numbers }
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        (self.numbers)()
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n as u64) as usize
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of `items`, of which there must be some.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// The bits of a constant of type `ty`.
    pub fn constant(&mut self, ty: Type) -> u64 {
        let random = match self.below(4) {
            0 => self.number() % 256,
            1 => self.number(),
            _ => return self.edge(ty),
        };
        match ty {
            Type::F64 if random < 256 => (random as f64).to_bits(),
            Type::F32 if random < 256 => (random as f32).bits(),
            _ => ty.normalise(random),
        }
    }

    fn edge(&mut self, ty: Type) -> u64 {
        match ty {
            Type::I32 | Type::I64 | Type::Funcref | Type::Externref => ty.normalise(self.pick(&INTS) as u64),
            Type::F64 if self.one_in(4) => self.pick(&NANS),
            Type::F64 => self.pick(&FLOATS).to_bits(),
            Type::F32 if self.one_in(4) => narrow_nan(self.pick(&NANS)),
            Type::F32 => (self.pick(&FLOATS) as f32).bits(),
        }
    }
}

/// An f32 NaN of the same sign, quietness and upper payload; what keeps no payload becomes quiet.
fn narrow_nan(bits: u64) -> u64 {
    let payload = (bits >> 29) & 0x007f_ffff;
    ((bits >> 32) & 0x8000_0000) | 0x7f80_0000 | if payload == 0 { 0x0040_0000 } else { payload }
}
