//! The form of a function that the loop executes.
//!
//! Comes in: from [`decode`](super::decode). Goes out: steps that say at once what is to be done. What must hold: the
//! numbers of actions are distinct, and the loop in [`run`](super::run) has an arm for each that a step can have.

use crate::for_each_op;
use crate::isa::op::{Flag, Op};

use super::registers::Place;

/// What is done at once: an instruction, or two that belong together.
///
/// `d`, `a`, `b` are as in the instruction, except that places of lists are those in [`Code::lists`], and that jumps have
/// in `d` how many bytes to go.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Step {
    /// A number from [`plain`], [`literal`], [`jump_if`] …, [`more`].
    pub(super) action: u16,
    pub(super) d: u32,
    pub(super) a: u32,
    pub(super) b: u32,
}

impl Step {
    /// The second operand of a step from [`literal`] or its like.
    #[inline(always)]
    pub(super) fn literal(&self) -> u64 {
        i64::from(self.b.cast_signed()).cast_unsigned()
    }

    /// The literal of a `const`.
    #[inline(always)]
    pub(super) fn wide_literal(&self) -> u64 {
        u64::from(self.a) | u64::from(self.b) << 32
    }
}

/// How the numbers of actions are made of those of opcodes.
pub(super) const FAMILY: u16 = 256;
const _: () = assert!(Op::ALL.len() <= FAMILY as usize);

macro_rules! define_actions {
    (
        $(value $v:ident $vm:literal $vs:literal $vp:tt -> $vr:ident $vf:tt $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal $lp:tt -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal $sp:tt -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        /// Instructions as they are.
        #[allow(non_upper_case_globals, dead_code, reason = "called as the opcodes are")]
        pub(super) mod plain {
            use super::Op;
            $(pub(in super::super) const $v: u16 = Op::$v as u16;)*
            $(pub(in super::super) const $l: u16 = Op::$l as u16;)*
            $(pub(in super::super) const $s: u16 = Op::$s as u16;)*
            $(pub(in super::super) const $o: u16 = Op::$o as u16;)*
        }
        define_actions!(@family literal "With a literal for the second operand." 1 $($v)*);
        define_actions!(@family jump_if "Comparisons and jumps where they hold." 2 $($v)*);
        define_actions!(@family jump_unless "Comparisons and jumps where they do not hold." 3 $($v)*);
        define_actions!(@family jump_if_literal "Comparisons with a literal and jumps where they hold." 4 $($v)*);
        define_actions!(@family jump_unless_literal "Comparisons with a literal and jumps where they do not hold." 5 $($v)*);
    };
    (@family $name:ident $doc:literal $nth:literal $($v:ident)*) => {
        #[doc = $doc]
        #[allow(non_upper_case_globals, reason = "called as the opcodes are")]
        pub(super) mod $name {
            use super::{FAMILY, Op};
            /// What the opcode's number has to be added to.
            pub(in super::super) const FIRST: u16 = $nth * FAMILY;
            $(pub(in super::super) const $v: u16 = FIRST + Op::$v as u16;)*
        }
    };
}
for_each_op!(define_actions);

/// What no opcode says.
pub(super) mod more {
    use super::FAMILY;
    /// Returns nothing.
    pub(in super::super) const RETURN_NONE: u16 = 6 * FAMILY;
    /// Returns the value in `a`.
    pub(in super::super) const RETURN_ONE: u16 = RETURN_NONE + 1;
    /// Returns the lower half of the value in `a`.
    pub(in super::super) const RETURN_NARROW: u16 = RETURN_NONE + 2;
}

/// True for rows that can have a literal as second operand.
pub(super) const fn takes_literal(op: Op) -> bool {
    Op::ROWS[op as usize].args.len() == 2
}

/// True for rows that a jump can be joined to.
pub(super) const fn compares(op: Op) -> bool {
    Op::ROWS[op as usize].has(Flag::Compares)
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
    /// For a call `[nargs, x…, nresults, d…]`, before which a `calli` has `[table, signature]`; for a `ret` of several
    /// values `[n, a…]`, with [`Code::HALF`] added to those of which only the lower half is returned; for a `select`
    /// `[a, b]`; for a `switch` `[n, L0 … Ln-1, LDEFAULT]`, each as the bytes to go.
    pub(super) lists: Box<[u32]>,
    /// How many of its registers are fixed parameters.
    pub(super) params: u32,
    /// The parameters of which only the lower half is passed.
    pub(super) halves: Box<[u32]>,
    /// The locals that have to start as zero.
    pub(super) zeros: Box<[u32]>,
    /// Whether arguments have to be kept as they were passed, behind its registers.
    pub(super) keeps_args: bool,
    /// How many registers an activation has; the last takes results that nobody wants.
    pub(super) registers: u32,
}

impl Code {
    /// Marks values of which only the lower half is returned.
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
