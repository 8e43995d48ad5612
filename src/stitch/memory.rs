//! Emission of reads and writes of linear memory.
//!
//! Comes in: an instruction with an index and an offset. Goes out: its snippet, behind what makes the index fit. What must
//! hold: the index that a snippet gets is zero-extended from 32 bits, and index and offset together reach no further
//! than the guard behind the memory.

use crate::isa::op::Op;
use crate::isa::snippet::{Form, Kind};
use crate::library::builtin::{SCRATCH0, SCRATCH1};
use crate::module::Inst;
use crate::stitch::emit::{Emitter, number, scratch};
use crate::stitch::live::{ENDS_A, ENDS_D};
use crate::stitch::place::Place;
use crate::stitch::trace::Step;
use crate::verified::Var;

impl Emitter<'_> {
    /// The index of a memory access, zero-extended, and the offset that the instruction can still hold.
    pub(super) fn address(&mut self, var: u32, offset: u32) -> (u8, i64) {
        let place = self.place(var);
        let far = i64::from(offset) > i64::from(i32::MAX);
        if let Some(index) = place.as_constant() {
            let sum = (self.constant(index) & 0xffff_ffff) + u64::from(offset);
            if let (Ok(offset), true) = (i32::try_from(sum), true) {
                self.load_constant_glue(0, SCRATCH0);
                return (SCRATCH0, i64::from(offset));
            }
            self.load_constant_glue(sum, SCRATCH0);
            return (SCRATCH0, 0);
        }
        let narrow = self.body.vars[var as usize].has(Var::NARROW);
        let register = match place.as_register() {
            Some(register) if narrow && !far => register,
            _ => {
                let step = self.glue(Step::Glue);
                self.widen(place, SCRATCH0);
                self.glue(step);
                SCRATCH0
            }
        };
        if !far {
            return (register, i64::from(offset));
        }
        self.load_constant_glue(u64::from(offset), SCRATCH1);
        let step = self.glue(Step::Glue);
        self.put(self.form(Op::AddI64, false, Form::Tied, Form::Reg), [SCRATCH0, SCRATCH1, 0], [0, 0]);
        self.glue(step);
        (SCRATCH0, 0)
    }

    /// Emits a read of linear memory.
    pub(super) fn load(&mut self, inst: &Inst, note: u16) {
        let place = self.place(inst.a);
        let (index, offset) = self.address(inst.a, inst.b);
        let near = self.end_noted(note, ENDS_A, inst.a, place);
        let to = self.define(inst.d, note, near, 0);
        let class = self.class(inst.d);
        let d = to.as_register().unwrap_or(scratch(class, 0));
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        self.put(chunk, [number(d), index, 0], [offset, 0]);
        self.move_value(class, Place::register(d), to);
    }

    /// Emits a write to linear memory.
    pub(super) fn store(&mut self, inst: &Inst, note: u16) {
        let class = self.class(inst.d);
        let value = self.place(inst.d);
        self.end_noted(note, ENDS_D, inst.d, value);
        self.end_noted(note, ENDS_A, inst.a, self.place(inst.a));
        let (index, offset) = self.address(inst.a, inst.b);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Const);
        let constant = match inst.op {
            Op::MstoreI64 => self.small(value, 0),
            Op::Mstore8 => self.small(value, 1).map(|value| i64::from(value as i8)),
            _ => self.small(value, 1),
        };
        if let (false, Some(value), true) = (class.is_float(), constant, chunk != 0) {
            self.put(chunk, [index, 0, 0], [offset, value]);
            return;
        }
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let register = self.in_register(class, value, scratch(class, 1));
        let contract = self.library.contract(chunk);
        let value_first = contract.operands().next().is_some_and(|operand| operand.name == "b");
        let regs = if value_first { [number(register), index, 0] } else { [index, number(register), 0] };
        debug_assert!(contract.operands().filter(|o| o.kind != Kind::Off32 && o.kind != Kind::Off8).count() == 2);
        self.put(chunk, regs, [offset, 0]);
    }
}
