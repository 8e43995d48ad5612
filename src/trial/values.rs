//! Operands that are worth trying: the edges of every type, and numbers without any pattern.

use std::sync::OnceLock;

use crate::isa::op::Type;

/// Numbers without a pattern, the same in every run.
pub struct Noise(pub u64);

impl Noise {
    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// The next number, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

const INTS: [i64; 38] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    -128,
    -129,
    255,
    256,
    0x7fff,
    0x8000,
    -0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    -0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    (1 << 24) + 1,
    (1 << 53) + 1,
    i64::MAX,
    i64::MAX - 511,
    i64::MIN,
    i64::MIN + 1,
    i64::MIN + 1025,
    0x5555_5555_5555_5555,
];

const FLOATS: [f64; 46] = [
    0.0,
    0.1,
    0.25,
    0.499_999_999_999_999_94,
    0.5,
    0.75,
    0.9,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    3.5,
    1e-300,
    1e300,
    1e-40,
    1e38,
    127.0,
    255.5,
    8_388_607.5,
    8_388_608.0,
    8_388_609.0,
    16_777_216.0,
    16_777_217.0,
    2_147_483_520.0,
    2_147_483_647.0,
    2_147_483_647.5,
    2_147_483_648.0,
    2_147_483_648.5,
    2_147_483_649.0,
    4_294_967_040.0,
    4_294_967_295.0,
    4_294_967_295.5,
    4_294_967_296.0,
    4_503_599_627_370_495.5,
    4_503_599_627_370_496.0,
    4_503_599_627_370_497.0,
    9_007_199_254_740_992.0,
    9_223_371_487_098_961_920.0,
    9_223_372_036_854_774_784.0,
    9_223_372_036_854_775_808.0,
    9_223_372_036_854_777_856.0,
    18_446_742_974_197_923_840.0,
    18_446_744_073_709_549_568.0,
    18_446_744_073_709_551_616.0,
    f64::INFINITY,
];

/// Signalling and quiet, with and without a payload; the sign is tried both ways.
const NANS64: [u64; 4] = [0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0000, 0x7ff8_1234_5678_9abc, 0x7ff4_2222_2222_2222];
const NANS32: [u32; 4] = [0x7f80_0001, 0x7fc0_0000, 0x7fc1_2345, 0x7fa2_2222];

/// The edges of a type, as raw bits.
pub fn edges(ty: Type) -> Vec<u64> {
    match ty {
        Type::I32 | Type::I64 | Type::Funcref | Type::Externref => {
            INTS.iter().map(|&n| ty.normalise(n as u64)).collect()
        }
        Type::F32 => {
            let special = NANS32.into_iter().chain([1, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff]);
            let numbers = FLOATS.iter().map(|&x| (x as f32).to_bits()).chain(special);
            numbers.flat_map(|bits| [u64::from(bits), u64::from(bits | 1 << 31)]).collect()
        }
        Type::F64 => {
            let special = NANS64.into_iter().chain([1, 0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000]);
            let numbers = FLOATS.iter().map(|&x| x.to_bits()).chain(special);
            numbers.flat_map(|bits| [bits, bits | 1 << 63]).collect()
        }
    }
}

/// Some operand of a type: an edge, or anything.
pub fn any(ty: Type, noise: &mut Noise) -> u64 {
    static EDGES: OnceLock<[Vec<u64>; Type::ALL.len()]> = OnceLock::new();
    let edges = &EDGES.get_or_init(|| Type::ALL.map(edges))[ty as usize];
    if noise.below(3) > 0 { edges[noise.below(edges.len())] } else { ty.normalise(noise.next()) }
}
