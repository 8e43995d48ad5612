//! How arguments and results of a signature travel: which go in registers, which on the stack.
//!
//! Comes in: a signature. Goes out: [`Plan`], for calls from Rust. What must hold: it is the convention that
//! `abi.inc` describes and stitched functions follow among themselves.

use std::mem::offset_of;

use crate::isa::op::{Class, Type};
use crate::module::{MAX_VARIADIC, Signature};

use super::context::Context;

/// How a call ended that was not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The function returned; its results are written.
    Returned,
    /// A `halt` ended the program with success.
    Halted,
}

/// Where a value travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Bytes from the start of the context, or of the outgoing area.
    pub at: u32,
    /// In the outgoing area on the stack.
    pub on_stack: bool,
    /// Only the low 32 bits count.
    pub narrow: bool,
}

impl Slot {
    /// The bits as a register of the type holds them.
    #[inline]
    pub fn trim(self, bits: u64) -> u64 {
        if self.narrow { bits & 0xffff_ffff } else { bits }
    }
}

/// How to call functions of one signature.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) params: Vec<Slot>,
    pub(super) results: Vec<Slot>,
    /// Further int arguments may follow on the stack.
    pub(super) variadic: bool,
    /// Bytes of the outgoing area, without variadic arguments.
    pub(super) outgoing: usize,
    /// Something travels in a vector register.
    pub(super) floats: bool,
}

impl Plan {
    /// How to call functions of this signature.
    #[must_use]
    pub fn new(signature: &Signature) -> Plan {
        let mut registers = Registers {
            ints: if signature.variadic { 0 } else { 6 },
            floats: if signature.variadic { 0 } else { 8 },
            int_at: offset_of!(Context, ints),
            float_at: offset_of!(Context, floats),
            on_stack: 0,
        };
        let params: Vec<Slot> = signature.params.iter().map(|&ty| registers.next(ty)).collect();
        let results_at = offset_of!(Context, results);
        registers = Registers { ints: 2, floats: 2, int_at: results_at, float_at: results_at + 16, ..registers };
        let results: Vec<Slot> = signature.results.iter().map(|&ty| registers.next(ty)).collect();
        let in_vector = |(slot, ty): (&Slot, &Type)| !slot.on_stack && ty.class() != Class::Int;
        let floats = params.iter().zip(&signature.params).any(in_vector)
            || results.iter().zip(&signature.results).any(in_vector);
        Plan { params, results, variadic: signature.variadic, outgoing: registers.on_stack, floats }
    }

    /// True where a call may have this many arguments.
    #[inline]
    #[must_use]
    pub fn takes(&self, args: usize) -> bool {
        args == self.params.len() || (self.variadic && args > self.params.len() && args <= MAX_VARIADIC as usize)
    }
}

/// What is still free.
struct Registers {
    ints: usize,
    floats: usize,
    int_at: usize,
    float_at: usize,
    on_stack: usize,
}

impl Registers {
    fn next(&mut self, ty: Type) -> Slot {
        let narrow = ty.is_narrow();
        let (left, place) = match ty.class() {
            Class::Int => (&mut self.ints, &mut self.int_at),
            Class::F32 | Class::F64 => (&mut self.floats, &mut self.float_at),
        };
        let on_stack = *left == 0;
        let place = if on_stack { &mut self.on_stack } else { place };
        *left = left.saturating_sub(1);
        let at = *place as u32;
        *place += 8;
        Slot { at, on_stack, narrow }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(slots: &[Slot]) -> Vec<(u32, bool)> {
        slots.iter().map(|slot| (slot.at, slot.on_stack)).collect()
    }

    #[test]
    fn registers_first_then_the_stack() {
        let plan = Plan::new(&Signature::new([Type::I64; 8], [Type::I64, Type::F32, Type::I32, Type::I64]));
        let ints = offset_of!(Context, ints) as u32;
        let results = offset_of!(Context, results) as u32;
        assert_eq!(at(&plan.params)[5..], [(ints + 40, false), (0, true), (8, true)]);
        assert_eq!(at(&plan.results), [(results, false), (results + 16, false), (results + 8, false), (16, true)]);
        assert_eq!(plan.outgoing, 24);
        assert!(plan.floats && plan.results[1].narrow && plan.results[2].narrow && !plan.results[0].narrow);
    }

    #[test]
    fn variadic_arguments_all_stand_on_the_stack() {
        let signature = Signature { params: vec![Type::F64, Type::I64], variadic: true, results: vec![Type::I64] };
        let plan = Plan::new(&signature);
        assert_eq!(at(&plan.params), [(0, true), (8, true)]);
        assert!(!plan.floats && plan.takes(2) && plan.takes(255) && !plan.takes(1) && !plan.takes(256));
    }
}
