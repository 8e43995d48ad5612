//! Which variables an instruction reads and writes.
//!
//! Comes in: verified instructions. Goes out: the same answers for everyone who asks. What must hold: uses are
//! reported before definitions, each in the order of the text.

use crate::isa::op::{Flag, Op, Row, Shape};
use crate::module::Inst;

/// What the passes that look at every instruction need to know of its opcode, in one place.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The shape.
    pub shape: Shape,
    /// How many registers a `Value` instruction reads.
    pub arity: u8,
    /// Bits: see the constants.
    flags: u8,
}

impl Traits {
    const COMMUTES: u8 = 1;
    const REMOVABLE: u8 = 4;
    const SIMPLE: u8 = 8;
    const WRITES: u8 = 16;
    const READS_A: u8 = 32;
    const READS_B: u8 = 64;
    const READS_D: u8 = 128;

    /// The sources may be exchanged.
    #[inline(always)]
    pub fn commutes(self) -> bool {
        self.flags & Traits::COMMUTES != 0
    }

    /// It has no operands but those in its fields, and does not leave the function: what follows tells all of it.
    #[inline(always)]
    pub fn is_simple(self) -> bool {
        self.flags & Traits::SIMPLE != 0
    }

    /// The simple instruction writes the variable in field `d`.
    #[inline(always)]
    pub fn writes(self) -> bool {
        self.flags & Traits::WRITES != 0
    }

    /// The simple instruction reads the variable in field `a`, perhaps beside others.
    #[inline(always)]
    pub fn reads_a(self) -> bool {
        self.flags & Traits::READS_A != 0
    }

    /// The simple instruction reads the variables in fields `a` and `b`, and no other.
    #[inline(always)]
    pub fn reads_b(self) -> bool {
        self.flags & Traits::READS_B != 0
    }

    /// The simple instruction reads the variable in field `d`.
    #[inline(always)]
    pub fn reads_d(self) -> bool {
        self.flags & Traits::READS_D != 0
    }

    /// It does nothing but write its result.
    #[inline(always)]
    pub fn is_removable(self) -> bool {
        self.flags & Traits::REMOVABLE != 0
    }
}

const TRAITS: [Traits; Op::ALL.len()] = {
    let mut traits = [Traits { shape: Shape::Trap, arity: 0, flags: 0 }; Op::ALL.len()];
    let mut i = 0;
    while i < traits.len() {
        let row: &Row = &Op::ROWS[i];
        let pure =
            matches!(row.shape, Shape::Value | Shape::Move | Shape::Select | Shape::Gget | Shape::Msize | Shape::Addr);
        let mut flags = 0;
        if row.has(Flag::Commutes) {
            flags |= Traits::COMMUTES;
        }
        if pure && !row.has(Flag::Traps) {
            flags |= Traits::REMOVABLE;
        }
        flags |= match row.shape {
            Shape::Value if row.args.len() == 2 => Traits::SIMPLE | Traits::WRITES | Traits::READS_A | Traits::READS_B,
            Shape::Value | Shape::Move | Shape::Load | Shape::NativeLoad => {
                Traits::SIMPLE | Traits::WRITES | Traits::READS_A
            }
            Shape::Const | Shape::Msize | Shape::Gget | Shape::Addr => Traits::SIMPLE | Traits::WRITES,
            Shape::Store | Shape::NativeStore => Traits::SIMPLE | Traits::READS_A | Traits::READS_D,
            Shape::Branch | Shape::Gset | Shape::Switch => Traits::SIMPLE | Traits::READS_A,
            Shape::Jump | Shape::Halt | Shape::Trap => Traits::SIMPLE,
            _ => 0,
        };
        traits[i] = Traits { shape: row.shape, arity: row.args.len() as u8, flags };
        i += 1;
    }
    traits
};

/// What is known of `op`.
#[inline(always)]
pub fn traits(op: Op) -> Traits {
    TRAITS[op as usize]
}

/// The shape of `op`.
#[inline(always)]
pub fn shape(op: Op) -> Shape {
    traits(op).shape
}

/// The operands of a call, read from its list.
#[derive(Clone, Copy, Debug)]
pub struct CallOperands<'a> {
    /// The variables that take the results.
    pub results: &'a [u32],
    /// The variables that are passed.
    pub args: &'a [u32],
}

/// Reads `[nresults, d…, nargs, x…]` from `lists`.
pub fn call_operands(lists: &[u32], at: usize) -> CallOperands<'_> {
    let results = &lists[at + 1..][..lists[at] as usize];
    let rest = at + 1 + results.len();
    CallOperands { results, args: &lists[rest + 1..][..lists[rest] as usize] }
}

/// The operands of the call instruction `inst`, or of one on tables and segments.
pub fn operands_of_call<'a>(inst: &Inst, lists: &'a [u32]) -> CallOperands<'a> {
    call_operands(lists, inst.b as usize + before_operands(inst))
}

/// How many entries of its list a call instruction has before those for its operands.
pub fn before_operands(inst: &Inst) -> usize {
    match shape(inst.op) {
        Shape::Calli => 1,
        Shape::Object => 2,
        _ => 0,
    }
}

/// The operands of a `ret`.
pub fn returned<'a>(inst: &Inst, lists: &'a [u32]) -> &'a [u32] {
    &lists[inst.b as usize + 1..][..lists[inst.b as usize] as usize]
}

/// The blocks of a `switch`, the default last.
pub fn switch_targets<'a>(inst: &Inst, lists: &'a [u32]) -> &'a [u32] {
    &lists[inst.b as usize + 1..][..=lists[inst.b as usize] as usize]
}

/// True for instructions that leave the function's code and come back: volatile registers do not survive them.
#[inline(always)]
pub fn is_call(op: Op) -> bool {
    shape(op).is_call()
}
