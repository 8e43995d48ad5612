//! Glue: the snippets between instructions that bring values from one place to another.
//!
//! Comes in: a place where a value is, and one where it is wanted. Goes out: moves, spills, reloads and constants, each in
//! the shortest form there is. What must hold: nothing is copied where both places are the same.

use crate::isa::op::{Class, Op};
use crate::isa::part::Part;
use crate::isa::snippet::Form;
use crate::library::builtin::SCRATCH0;
use crate::stitch::emit::{Emitter, number};
use crate::stitch::moves::move_op;
use crate::stitch::place::Place;
use crate::stitch::trace::Step;

impl Emitter<'_> {
    /// Marks what is copied next as glue; the returned step is to be put back.
    #[inline(always)]
    pub(super) fn glue(&mut self, step: Step) -> Step {
        self.code.step(step)
    }

    /// The register that holds `place`, after loading it into `register` if it is not in one.
    #[inline(always)]
    pub(super) fn in_register(&mut self, class: Class, place: Place, register: u8) -> u8 {
        if let Some(register) = place.as_register() {
            return register;
        }
        self.move_glue(class, place, Place::register(register));
        register
    }

    /// Moves a value as glue for the instruction at hand.
    pub(super) fn move_glue(&mut self, class: Class, from: Place, to: Place) {
        let step = self.glue(Step::Glue);
        self.move_value(class, from, to);
        self.glue(step);
    }

    /// Copies a value from one place to another.
    pub(super) fn move_value(&mut self, class: Class, from: Place, to: Place) {
        if from == to || to == Place::NONE {
            return;
        }
        let op = move_op(class);
        if let Some(index) = from.as_constant() {
            let bits = self.constant(index);
            return self.load_constant(class, bits, to);
        }
        match (from.as_register(), to.as_register()) {
            (Some(from), Some(to)) => {
                let chunk = self.form(op, false, Form::Reg, Form::Reg);
                self.put(chunk, [number(to), number(from), 0], [0, 0]);
            }
            (Some(from), None) => {
                let chunk = self.form(op, true, Form::Reg, Form::Reg);
                let slot = to.as_slot().unwrap_or(0);
                self.put(chunk, [number(from), 0, 0], [self.frame.slot(slot), 0]);
            }
            (None, Some(to)) => {
                let slot = from.as_slot().unwrap_or(0);
                self.load_slot(op, self.frame.slot(slot), to);
            }
            (None, None) => {
                // Bits are bits: a general register carries any class from slot to slot.
                let spare = Place::register(SCRATCH0);
                self.move_value(Class::Int, from, spare);
                self.move_value(Class::Int, spare, to);
            }
        }
    }

    /// Loads a register from the frame; `distance` is in bytes from the frame register.
    pub(super) fn load_slot(&mut self, op: Op, distance: i64, register: u8) {
        let chunk = self.form(op, false, Form::Slot, Form::Reg);
        self.put(chunk, [number(register), 0, 0], [distance, 0]);
    }

    /// Stores a register into the frame.
    pub(super) fn store_slot(&mut self, op: Op, register: u8, distance: i64) {
        let chunk = self.form(op, true, Form::Reg, Form::Reg);
        self.put(chunk, [number(register), 0, 0], [distance, 0]);
    }

    /// Puts a constant into a place, in the shortest way there is.
    pub(super) fn load_constant(&mut self, class: Class, bits: u64, to: Place) {
        let Some(register) = to.as_register() else {
            let slot = to.as_slot().unwrap_or(0);
            return self.constant_to_frame(bits, self.frame.slot(slot));
        };
        let reg = number(register);
        if class.is_float() {
            if bits == 0 {
                self.put(self.part(Part::ZeroFloat), [reg, 0, 0], [0, 0]);
                return;
            }
            let op = if class == Class::F32 { Op::ConstF32 } else { Op::ConstF64 };
            let chunk = self.form(op, false, Form::Const, Form::Reg);
            let base = self.put(chunk, [reg, 0, 0], [0, 0]);
            self.refer_literal(base, chunk, bits, class);
            return;
        }
        if bits == 0 {
            self.put(self.part(Part::ZeroInt), [reg, 0, 0], [0, 0]);
        } else if u32::try_from(bits).is_ok() {
            self.put(self.form(Op::ConstI64, false, Form::Const, Form::Reg), [reg, 0, 0], [bits as i64, 0]);
        } else if i32::try_from(bits as i64).is_ok() {
            self.put(self.form(Op::ConstI64, false, Form::Const, Form::Tied), [reg, 0, 0], [bits as i64, 0]);
        } else {
            let chunk = self.form(Op::ConstI64, false, Form::Const, Form::Slot);
            let base = self.put(chunk, [reg, 0, 0], [0, 0]);
            for hole in self.library.contract(chunk).holes() {
                self.code.write64(base.wrapping_add(u32::from(hole.offset)), bits);
            }
        }
    }

    /// Puts a constant into the frame.
    pub(super) fn constant_to_frame(&mut self, bits: u64, distance: i64) {
        let direct = self.form(Op::ConstI64, true, Form::Const, Form::Tied);
        if i32::try_from(bits as i64).is_ok() && direct != 0 {
            self.put(direct, [0; 3], [distance, bits as i64]);
        } else {
            self.load_constant(Class::Int, bits, Place::register(SCRATCH0));
            self.store_slot(Op::MoveI64, SCRATCH0, distance);
        }
    }

    pub(super) fn load_constant_glue(&mut self, bits: u64, register: u8) {
        let step = self.glue(Step::Glue);
        self.load_constant(Class::Int, bits, Place::register(register));
        self.glue(step);
    }

    /// Copies the low half of an int, zero-extended, into a register.
    pub(super) fn widen(&mut self, from: Place, register: u8) {
        if let Some(index) = from.as_constant() {
            let bits = self.constant(index) & 0xffff_ffff;
            return self.load_constant(Class::Int, bits, Place::register(register));
        }
        let in_slot = self.form(Op::Wrap, false, Form::Slot, Form::Reg);
        if let (Some(slot), true) = (from.as_slot(), in_slot != 0) {
            self.put(in_slot, [number(register), 0, 0], [self.frame.slot(slot), 0]);
            return;
        }
        let from = self.in_register(Class::Int, from, register);
        self.put(self.form(Op::Wrap, false, Form::Reg, Form::Reg), [number(register), number(from), 0], [0, 0]);
    }
}
