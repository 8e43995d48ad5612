//! One frame's registers, by variable number.
//!
//! Comes in: the numbers of verified instructions. Goes out: raw bits. What must hold: nothing is trusted; the bounds
//! check that is left costs less than a tenth of the interpreter's speed.

use crate::verified::Body;

/// The registers of the function being executed.
pub(super) struct Registers<'r>(&'r mut [u64]);

impl<'r> Registers<'r> {
    pub(super) fn new(registers: &'r mut [u64]) -> Registers<'r> {
        Registers(registers)
    }

    /// What variable `var` holds.
    #[inline(always)]
    pub(super) fn get(&self, var: u32) -> u64 {
        self.0[var as usize]
    }

    /// Writes variable `var`.
    #[inline(always)]
    pub(super) fn set(&mut self, var: u32, bits: u64) {
        self.0[var as usize] = bits;
    }

    /// Argument `i`, counted from 0, as it was passed to a body with `arg` instructions.
    pub(super) fn passed(&self, body: &Body, i: u64) -> Option<u64> {
        usize::try_from(i).ok().and_then(|i| self.0.get(body.vars.len()..)?.get(i)).copied()
    }
}
