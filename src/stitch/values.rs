//! Emission of the instructions that compute: which form of a snippet serves the places of the operands.
//!
//! Comes in: an instruction, and where its operands are. Goes out: its snippet, and glue before and after it. What
//! must hold: no operand is overwritten before it has been read; scratch registers carry nothing from one
//! instruction to the next.
//!
//! The rule for `d, a, b`: where the snippets of an opcode have a form for exactly these places, it is used. Else
//! operands are brought into registers until one fits: `a` into the register of `d` where the snippet works in place,
//! and scratch registers for everything that is in a slot or a constant.

use crate::isa::op::{Class, Op};
use crate::isa::snippet::{Form, Head, form_index};
use crate::library::builtin::{SCRATCH1, SCRATCH2};
use crate::module::Inst;
use crate::stitch::code::Regs;
use crate::stitch::emit::{Emitter, number, operand_class, operand_type, scratch};
use crate::stitch::live::{ENDS_A, ENDS_B, ENDS_D};
use crate::stitch::moves::move_op;
use crate::stitch::operands::traits;
use crate::stitch::place::{FIRST_XMM, Place};
use crate::stitch::trace::Step;

/// A second source as a snippet takes it.
#[derive(Clone, Copy)]
struct Source {
    form: Form,
    register: u8,
    value: i64,
    literal: Option<u64>,
}

impl Emitter<'_> {
    /// Emits a `value` instruction.
    #[inline(always)]
    pub(super) fn value(&mut self, inst: &Inst, note: u16) {
        let mut a = self.place(inst.a);
        let mut near = self.end_noted(note, ENDS_A, inst.a, a);
        if traits(inst.op).arity == 1 {
            let to = self.define(inst.d, note, near, 0);
            return self.unary(inst.op, inst.d, a, to);
        }
        let mut b = self.place(inst.b);
        let second = self.end_noted(note, ENDS_B, inst.b, b);
        let commutes = traits(inst.op).commutes();
        // The result may go over a source that is used up, but over the second only if sources can be exchanged.
        let mut far = 0;
        if commutes {
            near = if near != 0 { near } else { second };
        } else {
            far = second;
        }
        let to = self.define(inst.d, note, near, far);
        if commutes && a != to && (b == to || a.as_constant().is_some()) {
            std::mem::swap(&mut a, &mut b);
        }
        // The commonest case first.
        let done = match (to.as_register(), a.as_register(), b.as_register()) {
            (Some(d), Some(a), Some(b)) => self.all_registers(inst.op, d, a, b),
            _ => false,
        };
        if !done {
            self.some_registers(inst, a, b, to);
        }
    }

    /// Everything is in registers: one snippet, behind a move at most. Says whether that will do.
    #[inline(always)]
    fn all_registers(&mut self, op: Op, d: u8, a: u8, b: u8) -> bool {
        let forms = self.library.forms(op as u16);
        let tied = forms[form_index(false, Form::Tied, Form::Reg)];
        if d != a {
            let separate = forms[form_index(false, Form::Reg, Form::Reg)];
            if let Some((a, b)) = self.separate(op, separate, a, b) {
                self.code.put(separate, [number(d), number(a), number(b)], [0, 0]);
                return true;
            }
        }
        if !self.code.head(tied).is_bare() {
            return false;
        }
        if d != a {
            if d == b || (d ^ a) & FIRST_XMM != 0 {
                return false;
            }
            self.copy(operand_type(op), a, d);
        }
        self.code.put(tied, [number(d), number(b), 0], [0, 0]);
        true
    }

    /// The registers in the order in which a plain snippet that leaves both sources alone takes them, if it does.
    #[inline(always)]
    fn separate(&self, op: Op, chunk: u16, a: u8, b: u8) -> Option<(u8, u8)> {
        let head = self.code.head(chunk);
        if !head.is_bare() || head.flags & Head::EARLY != 0 {
            return None;
        }
        if head.flags & Head::PICKY == 0 {
            return Some((a, b));
        }
        let contract = self.library.contract(chunk);
        let fits = |a, b| contract.allows(0, a) && contract.allows(1, b);
        if fits(a, b) {
            return Some((a, b));
        }
        (traits(op).commutes() && fits(b, a)).then_some((b, a))
    }

    /// Copies one register to another as glue.
    #[inline(always)]
    fn copy(&mut self, class: Class, from: u8, to: u8) {
        let step = self.glue(Step::Glue);
        self.code.put(self.moves[class as usize], [number(to), number(from), 0], [0, 0]);
        self.glue(step);
    }

    /// Some operands are in slots or constants.
    #[inline(never)]
    fn some_registers(&mut self, inst: &Inst, a: Place, b: Place, to: Place) {
        let op = inst.op;
        let constant = a.as_constant().is_some() || b.as_constant().is_some();
        let known = constant && !self.library.fusions().with_constant(op).is_empty();
        if known && self.with_constant(inst, a, b, to) || self.in_place(op, a, b, to) {
            return;
        }
        let result = self.class(inst.d);
        let d = to.as_register().unwrap_or(scratch(result, 0));
        let same_class = result.is_float() == operand_type(op).is_float();
        if !(same_class && self.simple(op, a, b, d)) {
            self.binary(inst, a, b, d, same_class);
        }
        if let Some(slot) = to.as_slot() {
            self.store_slot(move_op(result), d, self.frame.slot(slot));
        }
    }

    /// The ways that most instructions go: a source in a slot or a constant is the operand of a snippet that works in
    /// place, or leaves the first source alone. Says whether one of them served.
    #[inline(always)]
    fn simple(&mut self, op: Op, a: Place, b: Place, d: u8) -> bool {
        let forms = self.library.forms(op as u16);
        let (second, value, register) = if let Some(slot) = b.as_slot() {
            (Form::Slot, self.frame.slot(slot), 0)
        } else if let Some(register) = b.as_register() {
            if let Some(a) = a.as_register() {
                return self.all_registers(op, d, a, register);
            }
            (Form::Reg, 0, register)
        } else {
            let [class, narrow] = operand_class(op);
            let (0, Some(value)) = (class, self.small(b, narrow)) else { return false };
            (Form::Const, value, 0)
        };
        let fits = |this: &Self, chunk: u16| {
            if chunk == 0 {
                return false;
            }
            let head = this.code.head(chunk);
            let plain = head.flags & (Head::EARLY | Head::HAS_SITES | Head::HAS_COLD) == 0;
            plain && (second == Form::Reg) == (head.holes[0] == Head::NO_HOLE) && this.takes(chunk, value)
        };
        let tied = forms[form_index(false, Form::Tied, second)];
        if let Some(a) = a.as_register().filter(|&a| a != d) {
            let separate = forms[form_index(false, Form::Reg, second)];
            if fits(self, separate) && self.allows(separate, 0, a) {
                let chunk = self.fit(separate, value, 0);
                self.code.put(chunk, [number(d), number(a), 0], [value, 0]);
                return true;
            }
        }
        if !fits(self, tied) || (second == Form::Reg && register == d) || a.as_constant().is_some() {
            return false;
        }
        match a.as_register() {
            Some(a) if a == d => {}
            Some(a) => self.copy(operand_type(op), a, d),
            None => self.move_glue(operand_type(op), a, Place::register(d)),
        }
        let chunk = self.fit(tied, value, 0);
        self.code.put(chunk, [number(d), number(register), 0], [value, 0]);
        true
    }

    /// The value of an int constant that fits a sign-extended immediate.
    #[inline(always)]
    pub(super) fn small(&self, place: Place, narrow: u8) -> Option<i64> {
        let bits = self.constant(place.as_constant()?);
        let value = if narrow != 0 { i64::from(bits as u32 as i32) } else { bits as i64 };
        (i64::from(value as i32) == value).then_some(value)
    }

    /// True where the snippet's constant can be `value`: shift counts have one byte only.
    #[inline(always)]
    pub(super) fn takes(&self, chunk: u16, value: i64) -> bool {
        let [first, second] = self.code.head(chunk).holes;
        let last = if second == Head::NO_HOLE { first } else { second };
        last & Head::BYTE_HOLE == 0 || i64::from(value as i8) == value
    }

    /// A shift count is taken modulo the width, so that it always fits its byte.
    fn reduced(&self, op: Op, place: Place, narrow: u8) -> Option<i64> {
        let shift = matches!(op.row().mnemonic, "shl" | "shr" | "shru" | "rotl" | "rotr");
        if shift {
            let bits = self.constant(place.as_constant()?);
            return Some((bits & if narrow != 0 { 31 } else { 63 }) as i64);
        }
        self.small(place, narrow)
    }

    /// Everything else.
    #[inline(never)]
    fn binary(&mut self, inst: &Inst, a: Place, b: Place, d: u8, same_class: bool) {
        if !self.three_operands(inst, a, b, d, same_class) {
            self.two_operands(inst.op, operand_type(inst.op), a, b, d);
        }
    }

    /// The forms that change a frame slot without loading it: the result goes where the first source is.
    fn in_place(&mut self, op: Op, a: Place, b: Place, to: Place) -> bool {
        let Some(slot) = to.as_slot().filter(|_| a == to) else { return false };
        let distance = self.frame.slot(slot);
        let [_, narrow] = operand_class(op);
        if let Some(b) = b.as_register() {
            let chunk = self.form(op, true, Form::Tied, Form::Reg);
            if chunk != 0 {
                self.put(chunk, [number(b), 0, 0], [distance, 0]);
                return true;
            }
        } else if let Some(value) = self.small(b, narrow) {
            let chunk = self.form(op, true, Form::Tied, Form::Const);
            if chunk != 0 && self.takes(chunk, value) {
                self.put(chunk, [0; 3], [distance, value]);
                return true;
            }
        }
        false
    }

    /// How the second source goes into a snippet whose first is in form `a`. Where it must be in a register and is not,
    /// it is loaded into `register`; `None` where even that would not help.
    fn source(&mut self, op: Op, a: Form, b: Place, class: Class, register: u8) -> Option<Source> {
        let [_, narrow] = operand_class(op);
        let has = |this: &Self, form| this.form(op, false, a, form);
        let plain = Source { form: Form::Reg, register: 0, value: 0, literal: None };
        if let Some(slot) = b.as_slot() {
            if has(self, Form::Slot) != 0 {
                return Some(Source { form: Form::Slot, value: self.frame.slot(slot), ..plain });
            }
        } else if let Some(index) = b.as_constant() {
            let chunk = has(self, Form::Const);
            if class.is_float() && chunk != 0 {
                return Some(Source { form: Form::Const, literal: Some(self.constant(index)), ..plain });
            }
            if let (Some(value), true) = (self.reduced(op, b, narrow), chunk != 0) {
                if self.takes(chunk, value) {
                    return Some(Source { form: Form::Const, value, ..plain });
                }
            }
        }
        (has(self, Form::Reg) != 0).then(|| Source { register: self.in_register(class, b, register), ..plain })
    }

    /// True where the register may stand in the snippet's operand `a`, for source 0, or `b`, for source 1.
    fn allows(&self, chunk: u16, source: usize, register: u8) -> bool {
        self.library.contract(chunk).allows(source, register)
    }

    /// The forms that leave both sources alone.
    fn three_operands(&mut self, inst: &Inst, a: Place, b: Place, d: u8, same_class: bool) -> bool {
        let (op, class) = (inst.op, operand_type(inst.op));
        let forms = |this: &Self, a, b| this.library.forms(op as u16)[form_index(false, a, b)];
        let tied = forms(self, Form::Tied, Form::Reg) != 0;
        if forms(self, Form::Reg, Form::Reg) == 0 && forms(self, Form::Reg, Form::Const) == 0 {
            return false;
        }
        // Copying a source that can be worked on in place is never worth it.
        if tied && same_class && (a.as_register() == Some(d) || a.as_register().is_none()) && b.as_register() != Some(d)
        {
            return false;
        }
        let scratch_b = self.scratch_for(op, class, a.as_register());
        let Some(source) = self.source(op, Form::Reg, b, class, scratch_b) else { return false };
        let chunk = forms(self, Form::Reg, source.form);
        let spare = [scratch(class, 0), scratch(class, 1), SCRATCH2];
        let spare = spare[..if class.is_float() { 2 } else { 3 }].iter().copied();
        let taken = |register: u8| source.form == Form::Reg && source.register == register;
        let mut registers = [a.as_register(), None];
        if registers[0].is_none_or(|register| !self.allows(chunk, 0, register)) {
            let other = a.as_register();
            if let (true, Some(register), Form::Reg) = (traits(op).commutes(), other, source.form) {
                if self.allows(chunk, 0, source.register) && self.allows(chunk, 1, register) {
                    registers = [Some(source.register), Some(register)];
                }
            }
            if registers[1].is_none() {
                if tied && same_class {
                    return false;
                }
                let Some(free) = spare.clone().find(|&r| !taken(r) && self.allows(chunk, 0, r)) else { return false };
                self.move_glue(class, a, Place::register(free));
                registers[0] = Some(free);
            }
        }
        let first = registers[0].unwrap_or(scratch(class, 0));
        let mut second = registers[1].unwrap_or(source.register);
        if source.form == Form::Reg && !self.allows(chunk, 1, second) {
            let Some(free) = spare.clone().find(|&r| r != first && self.allows(chunk, 1, r)) else { return false };
            self.move_glue(class, Place::register(second), Place::register(free));
            second = free;
        }
        let early = self.code.head(chunk).flags & Head::EARLY != 0;
        let mut target = d;
        if early && (first == d || (source.form == Form::Reg && second == d)) {
            let Some(free) = spare.clone().find(|&r| r != first && !(source.form == Form::Reg && r == second)) else {
                return false;
            };
            target = free;
        }
        let regs = if source.form == Form::Reg { [target, first, second] } else { [target, first, 0] };
        let base = self.put(chunk, regs.map(number), [source.value, 0]);
        if let Some(bits) = source.literal {
            self.refer_literal(base, chunk, bits, class);
        }
        if target != d {
            self.move_glue(self.class(inst.d), Place::register(target), Place::register(d));
        }
        true
    }

    /// The scratch register into which the second source of `op` is best loaded.
    fn scratch_for(&self, op: Op, class: Class, other: Option<u8>) -> u8 {
        let chunk = self.form(op, false, Form::Reg, Form::Reg);
        let candidates = [scratch(class, 1), scratch(class, 0)];
        let fits = |&&register: &&u8| Some(register) != other && (chunk == 0 || self.allows(chunk, 1, register));
        candidates.iter().find(fits).copied().unwrap_or(candidates[0])
    }

    /// The forms that put the result over the first source.
    fn two_operands(&mut self, op: Op, class: Class, a: Place, b: Place, d: u8) {
        let Some(mut source) = self.source(op, Form::Tied, b, class, scratch(class, 1)) else { return };
        let from = a.as_register();
        if source.form == Form::Reg && source.register == d && from != Some(d) {
            let spare = Place::register(scratch(class, 1));
            self.move_glue(class, Place::register(d), spare);
            source.register = scratch(class, 1);
        }
        if from != Some(d) {
            self.move_glue(class, a, Place::register(d));
        }
        let chunk = self.form(op, false, Form::Tied, source.form);
        let regs: Regs =
            if source.form == Form::Reg { [number(d), number(source.register), 0] } else { [number(d), 0, 0] };
        let base = self.put(chunk, regs, [source.value, 0]);
        if let Some(bits) = source.literal {
            self.refer_literal(base, chunk, bits, class);
        }
    }

    #[inline(never)]
    fn unary(&mut self, op: Op, var: u32, a: Place, to: Place) {
        let class = operand_type(op);
        let result = self.class(var);
        let d = to.as_register().unwrap_or(scratch(result, 0));
        let tied = self.form(op, false, Form::Tied, Form::Reg);
        let separate = self.form(op, false, Form::Reg, Form::Reg);
        let from_slot = self.form(op, false, Form::Slot, Form::Reg);
        if let (Some(slot), true) = (a.as_slot(), from_slot != 0) {
            self.put(from_slot, [number(d), 0, 0], [self.frame.slot(slot), 0]);
        } else if tied != 0 && (a.as_register() == Some(d) || separate == 0) {
            if a.as_register() != Some(d) {
                self.move_glue(class, a, Place::register(d));
            }
            self.put(tied, [number(d), 0, 0], [0, 0]);
        } else {
            let mut first = self.in_register(class, a, scratch(class, 0));
            if !self.allows(separate, 0, first) {
                let free = [scratch(class, 1), scratch(class, 0)].into_iter().find(|&r| self.allows(separate, 0, r));
                let free = free.unwrap_or(first);
                self.move_glue(class, Place::register(first), Place::register(free));
                first = free;
            }
            let early = self.code.head(separate).flags & Head::EARLY != 0
                && first == d
                && class.is_float() == result.is_float();
            if early {
                let free = Place::register(scratch(class, usize::from(d == scratch(class, 0))));
                self.move_glue(class, Place::register(first), free);
                first = free.as_register().unwrap_or(first);
            }
            self.put(separate, [number(d), number(first), 0], [0, 0]);
        }
        self.move_value(result, Place::register(d), to);
    }

    /// `select d, c, a, b`: the snippet keeps what is in `d`, or takes `b`.
    pub(super) fn select(&mut self, inst: &Inst, note: u16) {
        let list = inst.b as usize;
        let (yes, no) = (self.body.lists[list], self.body.lists[list + 1]);
        let class = self.class(yes);
        let (c, a, b) = (self.place(inst.a), self.place(yes), self.place(no));
        let [first, second] = [self.live.list_notes[list], self.live.list_notes[list + 1]];
        let mut far = self.end_noted(note, ENDS_A, inst.a, c);
        let near = self.end_noted(first, ENDS_D, yes, a);
        far |= self.end_noted(second, ENDS_D, no, b);
        let to = self.define(inst.d, note, near, far);
        let direct = to.as_register().filter(|_| a == to || (b != to && c != to));
        let d = direct.unwrap_or(scratch(class, 0));
        if a.as_register() != Some(d) {
            self.move_glue(class, a, Place::register(d));
        }
        // With an int result in the first scratch register, the condition takes the second.
        let c = self.in_register(Class::Int, c, SCRATCH1);
        let slot_form = self.form(inst.op, false, Form::Tied, Form::Slot);
        let (chunk, b, value) = match b.as_slot() {
            Some(slot) if slot_form != 0 => (slot_form, 0, self.frame.slot(slot)),
            _ => {
                let spare = if class.is_float() { scratch(class, 1) } else { SCRATCH2 };
                (self.form(inst.op, false, Form::Tied, Form::Reg), self.in_register(class, b, spare), 0)
            }
        };
        self.put(chunk, [number(d), c, number(b)], [value, 0]);
        self.move_value(class, Place::register(d), to);
    }
}
