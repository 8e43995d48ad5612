//! Emission of native memory accesses and of addresses.
//!
//! Comes in: `load`, `store` and `addr`. Goes out: their snippets. What must hold: an address is where it says, whatever
//! happens then is the program's own affair; the base is in a register that the snippet allows.

use crate::isa::op::{Class, Op};
use crate::isa::part::Part;
use crate::isa::snippet::Form;
use crate::library::builtin::SCRATCH0;
use crate::module::Inst;
use crate::module::native::Target;
use crate::stitch::emit::{Emitter, number, scratch};
use crate::stitch::image::Symbol;
use crate::stitch::live::{ENDS_A, ENDS_D};
use crate::stitch::place::Place;

impl Emitter<'_> {
    /// The register of an address, one that may be a base in `chunk`.
    pub(super) fn base(&mut self, place: Place, chunk: u16) -> u8 {
        match place.as_register() {
            Some(register) if self.library.contract(chunk).allows(0, register) => register,
            _ => {
                self.move_glue(Class::Int, place, Place::register(SCRATCH0));
                SCRATCH0
            }
        }
    }

    /// Emits a read of native memory.
    pub(super) fn native_load(&mut self, inst: &Inst, note: u16) {
        let place = self.place(inst.a);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.base(place, chunk);
        let near = self.end_noted(note, ENDS_A, inst.a, place);
        let to = self.define(inst.d, note, near, 0);
        let class = self.class(inst.d);
        let d = to.as_register().unwrap_or(scratch(class, 0));
        self.put(chunk, [number(d), base, 0], [i64::from(inst.b as i32), 0]);
        self.move_value(class, Place::register(d), to);
    }

    /// Emits a write to native memory.
    pub(super) fn native_store(&mut self, inst: &Inst, note: u16) {
        let class = self.class(inst.d);
        let (value, place) = (self.place(inst.d), self.place(inst.a));
        self.end_noted(note, ENDS_D, inst.d, value);
        self.end_noted(note, ENDS_A, inst.a, place);
        let offset = i64::from(inst.b as i32);
        let constant = match inst.op {
            Op::StoreI64 => self.small(value, 0),
            Op::Store8 => self.small(value, 1).map(|value| i64::from(value as i8)),
            _ => self.small(value, 1),
        };
        let chunk = self.form(inst.op, false, Form::Reg, Form::Const);
        if let (false, Some(value), true) = (class.is_float(), constant, chunk != 0) {
            let base = self.base(place, chunk);
            self.put(chunk, [base, 0, 0], [offset, value]);
            return;
        }
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.base(place, chunk);
        let register = self.in_register(class, value, scratch(class, 1));
        let value_first = self.library.contract(chunk).operands().next().is_some_and(|operand| operand.name == "b");
        let regs = if value_first { [number(register), base, 0] } else { [base, number(register), 0] };
        self.put(chunk, regs, [offset, 0]);
    }

    /// Emits `addr`.
    pub(super) fn address_of(&mut self, inst: &Inst, note: u16) {
        let to = self.define(inst.d, note, 0, 0);
        let register = to.as_register().unwrap_or(SCRATCH0);
        match Target::from_fields(inst.a, inst.b) {
            Some(Target::Function(index)) => {
                let chunk = self.part(Part::Address);
                self.put(chunk, [register, 0, 0], [0, 0]);
                self.c_entries.push((self.code.position() - 4, index));
            }
            Some(Target::Import(_)) => unreachable!("the verifier refuses it"),
            Some(Target::Extern(index)) => {
                let chunk = self.part(Part::Cell);
                let base = self.put(chunk, [register, 0, 0], [0, 0]);
                self.refer(base, chunk, Symbol::Extern(index));
            }
            Some(Target::Data(index)) => {
                let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
                let base = self.put(chunk, [register, 0, 0], [0, 0]);
                self.refer(base, chunk, Symbol::Data(index));
            }
            None => {}
        }
        self.move_value(Class::Int, Place::register(register), to);
    }
}
