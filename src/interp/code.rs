//! The form of a function that is executed.
//!
//! Comes in: from [`decode`](super::decode). Goes out: steps that say at once what is to be done. What must hold: nothing
//! makes a [`Code`] but decoding, which checks what the loop does not.

use super::registers::{Place, Window};
use super::run::Run;

/// What is done at once: an instruction, or two that belong together.
///
/// `d`, `a`, `b` are as in the instruction, except that places of lists are those in [`Code::lists`], and that jumps have
/// in `d` how many bytes to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Does it.
    pub(super) run: Run,
    pub(super) d: u32,
    pub(super) a: u32,
    pub(super) b: u32,
    /// In steps of two instructions, the operand of the second that is not what the first finds.
    pub(super) c: u32,
}

/// Where an operand operand of a row comes from.
pub(super) trait Second {
    /// Its bits, where a step has this in its field.
    fn get(field: u32, registers: Window) -> u64;
}

/// A register.
pub(super) struct Register;

impl Second for Register {
    #[inline(always)]
    fn get(field: u32, registers: Window) -> u64 {
        registers.get(field)
    }
}

/// A literal, sign-extended.
pub(super) struct Literal;

impl Second for Literal {
    #[inline(always)]
    fn get(field: u32, _: Window) -> u64 {
        i64::from(field.cast_signed()).cast_unsigned()
    }
}

impl Step {
    /// The literal of a `const`.
    #[inline(always)]
    pub(super) fn wide_literal(&self) -> u64 {
        u64::from(self.a) | u64::from(self.b) << 32
    }
}

/// A function, decoded.
#[derive(Debug)]
pub(super) struct Code {
    /// Its number.
    pub(super) function: u32,
    /// Not empty.
    pub(super) steps: Box<[Step]>,
    /// For each step, the instruction it is made of; of two, the one that can end the run.
    pub(super) origins: Box<[u32]>,
    /// For a call `[nargs, x…, nresults, d…]`, with [`Code::HALF`] added to arguments of which only the lower half is passed, before which stand `[table, signature]` if it is a `calli`, and if it is one of C
    /// `[signature]` before it and `[nfurther, is_float…]` behind it; for
    /// an instruction on tables or segments `[first item, second item, nargs, x…]`; for a declared opcode `[n, x…]`; for a `ret` of several
    /// values `[n, a…]`, with [`Code::HALF`] added to those of which only the lower half is returned; for a `select`
    /// `[a, b]`; for a `switch` `[n, L0 … Ln-1, LDEFAULT]`, each as the bytes to go.
    pub(super) lists: Box<[u32]>,
    /// How many of its registers are fixed parameters.
    pub(super) params: u32,
    /// The locals that have to start as zero.
    pub(super) zeros: Box<[u32]>,
    /// Whether arguments have to be kept as they were passed, behind its registers.
    pub(super) keeps_args: bool,
    /// How many registers an activation has; the last takes results that nobody wants.
    pub(super) registers: u32,
}

impl Code {
    /// Marks values of which only the lower half is passed or returned.
    pub(super) const HALF: u32 = 1 << 31;

    /// How many registers an activation has.
    #[inline(always)]
    pub(super) fn size(&self) -> usize {
        self.registers as usize
    }

    /// The instruction that `place` was made of.
    pub(super) fn origin(&self, place: Place<'_>) -> u32 {
        self.origins[place.index(self)]
    }
}
