//! Access to linear memory: widths, bounds, copying and filling.
//!
//! Comes in: raw register bits. Goes out: bytes moved, or `None` where one of them would lie outside. What must hold: a
//! range is checked whole before any of it changes.

use std::ops::Range;

use crate::isa::op::Bits;

/// The `SIZE` bytes at `u32(i) + offset` of the first `len` bytes of `memory`, as a view that has this size.
#[inline(always)]
pub(super) fn load<const SIZE: usize, T: Bits>(memory: &[u8], len: usize, i: u64, offset: u32) -> Option<T> {
    let start = start(i, offset);
    if start + SIZE > len {
        return None;
    }
    let mut bytes = [0; 8];
    bytes[..SIZE].copy_from_slice(memory.get(start..start + SIZE)?);
    Some(T::of(u64::from_le_bytes(bytes)))
}

/// Writes a view of `SIZE` bytes at `u32(i) + offset` of the first `len` bytes of `memory`.
#[inline(always)]
pub(super) fn store<const SIZE: usize, T: Bits>(
    memory: &mut [u8],
    len: usize,
    i: u64,
    offset: u32,
    value: T,
) -> Option<()> {
    let start = start(i, offset);
    if start + SIZE > len {
        return None;
    }
    let place = memory.get_mut(start..start + SIZE)?;
    place.copy_from_slice(&value.bits().to_le_bytes()[..SIZE]);
    Some(())
}

/// The sum has 33 bits and so cannot wrap.
#[inline(always)]
fn start(i: u64, offset: u32) -> usize {
    (u64::from(i as u32) + u64::from(offset)) as usize
}

/// `n` bytes from `at`, both taken as `u32`, if they all lie inside.
fn range(memory: &[u8], at: u64, n: u64) -> Option<Range<usize>> {
    let range = at as u32 as usize..(u64::from(at as u32) + u64::from(n as u32)) as usize;
    (range.end <= memory.len()).then_some(range)
}

/// Copies; the ranges may overlap.
pub(super) fn copy(memory: &mut [u8], destination: u64, source: u64, n: u64) -> Option<()> {
    let destination = range(memory, destination, n)?;
    let source = range(memory, source, n)?;
    memory.copy_within(source, destination.start);
    Some(())
}

/// Sets `n` bytes to the low byte of `byte`.
pub(super) fn fill(memory: &mut [u8], destination: u64, byte: u64, n: u64) -> Option<()> {
    let destination = range(memory, destination, n)?;
    memory[destination].fill(byte as u8);
    Some(())
}
