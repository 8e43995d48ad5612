//! Reads and writes without bounds checks: one frame's registers, and the instructions of a body.
//!
//! Comes in: what the verifier has checked. Goes out: values. What must hold: nothing reaches this file but variable
//! and instruction numbers of the body that the frame belongs to; this is the only place of the interpreter that
//! trusts them without looking, since a look at each costs a third of its speed.

use crate::module::Inst;
use crate::verified::Body;

/// The registers of the function being executed.
pub(super) struct Registers<'r>(&'r mut [u64]);

impl<'r> Registers<'r> {
    /// The registers of a frame of `body`.
    pub(super) fn new(registers: &'r mut [u64], body: &Body) -> Registers<'r> {
        assert!(registers.len() >= body.vars.len(), "a frame has a register for each variable");
        Registers(registers)
    }

    /// What variable `var` holds; `var` comes from an instruction or list of the frame's body.
    #[inline(always)]
    #[allow(unsafe_code, reason = "the verifier has checked every variable number against the body's variables")]
    pub(super) fn get(&self, var: u32) -> u64 {
        debug_assert!((var as usize) < self.0.len());
        // SAFETY: a verified body's variable numbers are below its number of variables, and `new` has checked that
        // there is a register for each of those.
        unsafe { *self.0.get_unchecked(var as usize) }
    }

    /// Writes variable `var`, which comes from an instruction or list of the frame's body.
    #[inline(always)]
    #[allow(unsafe_code, reason = "the verifier has checked every variable number against the body's variables")]
    pub(super) fn set(&mut self, var: u32, bits: u64) {
        debug_assert!((var as usize) < self.0.len());
        // SAFETY: as in `get`.
        unsafe { *self.0.get_unchecked_mut(var as usize) = bits }
    }

    /// Argument `i`, counted from 0, as it was passed to a body with `arg` instructions.
    pub(super) fn passed(&self, body: &Body, i: u64) -> Option<u64> {
        usize::try_from(i).ok().and_then(|i| self.0.get(body.vars.len()..)?.get(i)).copied()
    }
}

/// The instructions of a body.
#[derive(Clone, Copy)]
pub(super) struct Code<'b>(&'b [Inst]);

impl<'b> Code<'b> {
    pub(super) fn new(body: &'b Body) -> Code<'b> {
        Code(&body.insts)
    }

    /// The instruction at `pc`, which control has reached or which stands behind one that does not end the body.
    #[inline(always)]
    #[allow(unsafe_code, reason = "the verifier has checked that control cannot run past the last instruction")]
    pub(super) fn at(self, pc: usize) -> &'b Inst {
        debug_assert!(pc < self.0.len());
        // SAFETY: a verified body starts with an instruction, its jumps go to starts of blocks, and its last
        // instruction does not let control go on behind it.
        unsafe { self.0.get_unchecked(pc) }
    }
}
