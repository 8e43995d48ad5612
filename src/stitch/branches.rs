//! Emission of jumps: fused and plain branches, and `switch`.
//!
//! Comes in: an instruction that may go on elsewhere. Goes out: its snippet, with the distance where the target has a place
//! already, else with a note of the hole. What must hold: a hole that waits is four bytes wide and ends its snippet.

use crate::isa::op::{Class, Op};
use crate::isa::snippet::{Form, Head, Kind, form_index};
use crate::library::builtin::SCRATCH0;
use crate::module::Inst;
use crate::stitch::code::Regs;
use crate::stitch::emit::{Emitter, Jump, number, operand_class, operand_type, scratch};
use crate::stitch::live::{ENDS_A, ENDS_B};
use crate::stitch::operands::{switch_targets, traits};

impl Emitter<'_> {
    pub(super) fn branch(&mut self, inst: &Inst) {
        let place = self.place(inst.a);
        if let Some(index) = place.as_constant() {
            if (self.constant(index) != 0) == (inst.op == Op::Jmpt) {
                self.jump(self.form(Op::Jmp, false, Form::Reg, Form::Reg), [0; 3], [0, 0], inst.b);
            }
            return;
        }
        let in_slot = self.form(inst.op, false, Form::Slot, Form::Reg);
        if let (Some(slot), true) = (place.as_slot(), in_slot != 0) {
            self.jump(in_slot, [0; 3], [self.frame.slot(slot), 0], inst.b);
            return;
        }
        let register = self.in_register(Class::Int, place, SCRATCH0);
        self.jump(self.form(inst.op, false, Form::Reg, Form::Reg), [register, 0, 0], [0, 0], inst.b);
    }

    /// A compare and the branch on its result as one snippet, one of those with this key.
    #[inline(never)]
    pub(super) fn compare_and_branch(&mut self, compare: &Inst, note: u16, branch: &Inst, key: u16) {
        let [class, narrow] = operand_class(compare.op);
        let float = class != 0;
        let (mut a, mut b) = (self.place(compare.a), self.place(compare.b));
        self.end_noted(note, ENDS_A, compare.a, a);
        self.end_noted(note, ENDS_B, compare.b, b);
        self.index += 1;
        let commutes = traits(compare.op).commutes();
        if commutes && a.as_register().is_none() && b.as_register().is_some() {
            std::mem::swap(&mut a, &mut b);
        }
        let forms = self.library.forms(key);
        let class = operand_type(compare.op);
        let mut values = [0, 0];
        let mut literal = None;
        let mut b_form = Form::Reg;
        if let (Some(slot), true) = (b.as_slot(), forms[form_index(false, Form::Reg, Form::Slot)] != 0) {
            (b_form, values[0]) = (Form::Slot, self.frame.slot(slot));
        } else if let Some(index) = b.as_constant() {
            let has = forms[form_index(false, Form::Reg, Form::Const)] != 0;
            if float && has {
                (b_form, literal) = (Form::Const, Some(self.constant(index)));
            } else if let (Some(value), true) = (self.small(b, narrow), has) {
                (b_form, values[0]) = (Form::Const, value);
            }
        }
        let slot_form = forms[form_index(false, Form::Slot, b_form)];
        if let (Some(slot), true, true) = (a.as_slot(), slot_form != 0, b_form != Form::Slot) {
            let register = if b_form == Form::Reg { self.in_register(class, b, scratch(class, 1)) } else { 0 };
            values = [self.frame.slot(slot), values[0]];
            self.jump(slot_form, [number(register), 0, 0], values, branch.b);
            return;
        }
        let a = self.in_register(class, a, scratch(class, 0));
        let b = if b_form == Form::Reg { self.in_register(class, b, scratch(class, 1)) } else { 0 };
        let chunk = self.library.forms(key)[form_index(false, Form::Reg, b_form)];
        let base = self.jump(chunk, [number(a), number(b), 0], values, branch.b);
        if let Some(bits) = literal {
            self.refer_literal(base, chunk, bits, class);
        }
    }

    /// Copies a snippet whose last hole is the distance to a block.
    pub(super) fn jump(&mut self, chunk: u16, regs: Regs, values: [i64; 2], block: u32) -> u32 {
        let mut chunk = self.fit(chunk, values[0], values[1]);
        let known = self.blocks[block as usize];
        let head = self.code.head(chunk);
        let mut short = false;
        if known != u32::MAX && head.flags & Head::NARROW_JUMP != 0 {
            let narrow = chunk + head.chunks();
            let end = i64::from(self.code.position()) + i64::from(self.code.head(narrow).len);
            short = i64::from(known) - end >= -128;
            if short {
                chunk = narrow;
            }
        }
        let base = self.code.put(chunk, regs, values);
        let end = self.code.position();
        let distance = i64::from(known) - i64::from(end);
        if short {
            self.code.write8(end - 1, distance as i8);
        } else if known == u32::MAX {
            self.jumps.push(Jump { at: end - 4, block });
        } else {
            self.code.write32(end - 4, distance as i32);
        }
        base
    }

    pub(super) fn switch(&mut self, inst: &Inst) {
        let targets = switch_targets(inst, &self.body.lists);
        let Some((&default, cases)) = targets.split_last() else { return };
        let place = self.place(inst.a);
        let index = self.in_register(Class::Int, place, SCRATCH0);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Const);
        let base = self.code.put(chunk, [index, 0, 0], [cases.len() as i64, 0]);
        let contract = self.library.contract(chunk);
        for hole in contract.holes() {
            let at = base.wrapping_add(u32::from(hole.offset));
            match contract.kind(hole) {
                Kind::Imm32 => self.code.write32(at, cases.len() as i32),
                Kind::Lit => self.pool.table(at, hole.addend, cases),
                _ => self.jumps.push(Jump { at, block: default }),
            }
        }
    }
}
