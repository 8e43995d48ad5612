//! The constants of a function.
//!
//! Comes in: the constants that operators read. Goes out: a register for each, and the instructions that write them, which
//! are to stand at the head of the function. What must hold: finding a constant costs a few machine instructions, so some may
//! be written twice.
//!
//! A `const` that stands in the first block, and writes a register that nothing else writes, is known to the stitcher
//! wherever the register is read; it goes into the instructions that use it, and the `const` becomes no code. So one
//! instruction does for all uses of a constant, where one for each would have to be verified and looked at.

use crate::isa::op::Op;
use crate::module::Inst;

use super::stack::Pool;

const SLOTS: usize = 256;

#[derive(Clone, Copy)]
struct Slot {
    bits: u64,
    /// In which function it was written down, and the class of the register.
    key: u32,
    register: u32,
}

/// The constants of one function; made anew by [`clear`](Consts::clear).
pub(super) struct Consts {
    slots: Box<[Slot; SLOTS]>,
    function: u32,
    /// The instructions for the head.
    pub(super) insts: Vec<Inst>,
    /// How many there may be.
    pub(super) limit: usize,
}

impl Consts {
    pub(super) fn new() -> Consts {
        let empty = Slot { bits: 0, key: 0, register: 0 };
        Consts { slots: Box::new([empty; SLOTS]), function: 0, insts: Vec::new(), limit: 0 }
    }

    /// Forgets the constants of the function before.
    pub(super) fn clear(&mut self, limit: usize) {
        self.function += 1;
        self.insts.clear();
        self.limit = limit;
    }

    /// The register that has these bits in a class; `fresh` gives one where none is known.
    #[inline]
    pub(super) fn register(&mut self, pool: Pool, bits: u64, fresh: impl FnOnce() -> u32) -> u32 {
        let class = pool.class_number();
        let key = self.function << 2 | class;
        let hash = (bits ^ u64::from(class)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let slot = &mut self.slots[hash as usize];
        if slot.key == key && slot.bits == bits {
            return slot.register;
        }
        let register = fresh();
        *slot = Slot { bits, key, register };
        self.insts.push(constant(pool, register, bits));
        register
    }
}

/// The instruction that writes a constant.
#[inline]
pub(super) fn constant(pool: Pool, register: u32, bits: u64) -> Inst {
    let op = match pool {
        Pool::I32 | Pool::I64 if bits >> 32 == 0 => Op::ConstI32,
        Pool::I32 | Pool::I64 => Op::ConstI64,
        Pool::F32 => Op::ConstF32,
        Pool::F64 => Op::ConstF64,
    };
    Inst::constant(op, register, bits)
}
