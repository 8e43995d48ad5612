//! Words byte by byte: what glue of calls of C makes of values, which it packs, extends and takes apart.
//!
//! Comes in: words and the snippets that work on them. Goes out: words again. What must hold: two words are equal
//! exactly where all their bytes are known to be; nothing here says what C wants.

use crate::check::state::{Half, State, Word};

/// A byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Byte {
    /// Anything.
    Unknown,
    /// This one.
    Const(u8),
    /// One of a half, counted from its low end.
    Of(Half, u8),
    /// Eight copies of the upper bit of one of a half.
    Sign(Half, u8),
    /// 1 where the word of these halves is not zero, else 0.
    Truth(Half, Half),
}

/// Eight bytes, the lowest first.
pub type Bytes = [Byte; 8];

impl Byte {
    /// Eight copies of its upper bit.
    pub fn sign(self) -> Byte {
        match self {
            Byte::Const(byte) => Byte::Const(if byte >= 0x80 { 0xff } else { 0 }),
            Byte::Of(half, at) => Byte::Sign(half, at),
            Byte::Truth(..) => Byte::Const(0),
            other => other,
        }
    }
}

/// The bytes of a word.
pub fn bytes(state: &State, word: Word) -> Bytes {
    let [lo, hi] = [word.lo, word.hi].map(|half| half_bytes(state, half));
    [lo[0], lo[1], lo[2], lo[3], hi[0], hi[1], hi[2], hi[3]]
}

fn half_bytes(state: &State, half: Half) -> [Byte; 4] {
    match half {
        Half::Unknown => [Byte::Unknown; 4],
        Half::Const(bits) => bits.to_le_bytes().map(Byte::Const),
        Half::Bytes(index) => state.bytes[usize::from(index)],
        other => [0, 1, 2, 3].map(|at| Byte::Of(other, at)),
    }
}

/// The word of these bytes.
pub fn word(state: &mut State, bytes: Bytes) -> Word {
    let [lo, hi] = [[0, 1, 2, 3], [4, 5, 6, 7]].map(|at: [usize; 4]| at.map(|at| bytes[at]));
    Word { lo: half(state, lo), hi: half(state, hi) }
}

fn half(state: &mut State, bytes: [Byte; 4]) -> Half {
    if let [Byte::Of(half, 0), ..] = bytes {
        if bytes == [0, 1, 2, 3].map(|at| Byte::Of(half, at)) {
            return half;
        }
    }
    if let [Byte::Const(a), Byte::Const(b), Byte::Const(c), Byte::Const(d)] = bytes {
        return Half::Const(u32::from_le_bytes([a, b, c, d]));
    }
    if bytes == [Byte::Unknown; 4] {
        return Half::Unknown;
    }
    let known = state.bytes.iter().position(|known| *known == bytes);
    let index = known.unwrap_or_else(|| {
        state.bytes.push(bytes);
        state.bytes.len() - 1
    });
    u8::try_from(index).map_or(Half::Unknown, Half::Bytes)
}

/// The lowest `count` bytes with their sign or zeros above them.
pub fn extended(bytes: Bytes, count: usize, signed: bool) -> Bytes {
    let above = if signed { bytes[count - 1].sign() } else { Byte::Const(0) };
    std::array::from_fn(|at| if at < count { bytes[at] } else { above })
}

/// 1 or 0, by whether there is a bit in the word.
pub fn truth(word: Word) -> Bytes {
    let mut bytes = [Byte::Const(0); 8];
    bytes[0] = match (word.as_constant(), word.lo, word.hi) {
        (Some(bits), ..) => Byte::Const(u8::from(bits != 0)),
        (None, Half::Unknown, _) | (None, _, Half::Unknown) => Byte::Unknown,
        (None, lo, hi) => Byte::Truth(lo, hi),
    };
    bytes
}

/// Shifted by whole bytes: up where `bits` is positive, else down.
pub fn shifted(bytes: Bytes, bits: i64) -> Bytes {
    if bits % 8 != 0 || bits.abs() >= 64 {
        return [Byte::Unknown; 8];
    }
    let by = bits / 8;
    std::array::from_fn(|at| {
        let from = at as i64 - by;
        usize::try_from(from).ok().and_then(|from| bytes.get(from).copied()).unwrap_or(Byte::Const(0))
    })
}

/// Both together, where one of them has nothing.
pub fn either(one: Bytes, two: Bytes) -> Bytes {
    std::array::from_fn(|at| match (one[at], two[at]) {
        (byte, Byte::Const(0)) | (Byte::Const(0), byte) => byte,
        (Byte::Const(a), Byte::Const(b)) => Byte::Const(a | b),
        _ => Byte::Unknown,
    })
}
