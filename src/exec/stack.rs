//! Stacks that stitched code runs on.
//!
//! Comes in: how much room is wanted. Goes out: [`Stack`]. What must hold: below the usable part is a guard longer than
//! any frame, so that code that runs out of stack faults there and reaches nothing else.

use std::ops::Range;

use super::error::ExecError;
use super::sys::{Access, PAGE, Region};

/// Longer than the largest frame: 65,535 slots, 255 outgoing arguments and as many results, 8 bytes each.
const GUARD: usize = 1 << 20;
/// The least room that makes sense.
pub const SMALLEST_STACK: usize = 1 << 16;
/// What an engine has if it is not told otherwise: as much as the main thread of a process.
pub const DEFAULT_STACK: usize = 8 << 20;
const LARGEST_STACK: usize = 1 << 36;

/// A stack.
#[derive(Debug)]
pub struct Stack {
    region: Region,
}

impl Stack {
    /// A stack with room for `size` bytes, which must come from [`stack_size`].
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn new(size: usize) -> Result<Stack, ExecError> {
        let region = Region::reserve(GUARD + size, "reserve a stack")?;
        region.protect(GUARD, size, Access::Write, "make a stack writable")?;
        Ok(Stack { region })
    }

    /// Bytes that code can use.
    #[inline]
    #[must_use]
    pub fn size(&self) -> usize {
        self.region.len() - GUARD
    }

    /// One past its highest byte.
    #[inline]
    #[must_use]
    pub fn top(&self) -> *mut u8 {
        self.region.base().wrapping_add(self.region.len())
    }

    /// Where a fault means that the stack is used up.
    #[inline]
    #[must_use]
    pub fn guard(&self) -> Range<usize> {
        let base = self.region.base() as usize;
        base..base + GUARD
    }
}

/// The size that a stack gets when `wanted` is asked for.
#[must_use]
pub fn stack_size(wanted: usize) -> usize {
    wanted.clamp(SMALLEST_STACK, LARGEST_STACK).next_multiple_of(PAGE)
}
