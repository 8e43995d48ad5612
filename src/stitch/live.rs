//! Liveness: where each value is read for the last time, and for how long the values that cross blocks must be kept.
//!
//! Comes in: a verified body. Goes out: a [`note`](Live::notes) on each instruction for the values that live within a
//! block, a [`Range`] for each variable whose values cross blocks. What must hold: a value that is noted to end is
//! never read again; two values that are needed at the same place are both known to be.
//!
//! The walk goes from the last instruction to the first, so that the first use it meets is the last one that runs.
//!
//! Positions: a function is entered at 0, instruction `i` reads at `2i + 2` and writes at `2i + 3`.

mod walk;

use crate::isa::op::{Op, Shape};
use crate::library::Library;
use crate::module::Inst;
use crate::stitch::loops::Loops;
use crate::stitch::operands::{before_operands, is_call, operands_of_call, returned, shape, traits};
use crate::stitch::outward::Outward;
use crate::verified::{Body, Var, Verified};

use walk::{ALWAYS, At, Seen};

/// In a note: the operand in field `a` is read here for the last time.
pub const ENDS_A: u16 = 1;
/// In a note: the operand in field `b` is read here for the last time.
pub const ENDS_B: u16 = 2;
/// In a note: the operand in field `d`, which is read, is read here for the last time. In the note of a list entry: the
/// entry is.
pub const ENDS_D: u16 = 4;
/// In a note: what is written is never read.
pub const UNUSED: u16 = 8;
/// In a note: what is written must survive a call.
pub const SPANS: u16 = 16;
/// In a note: the instruction does nothing but write what is never read, so it need not be there.
pub const NEEDLESS: u16 = 32;
/// In a note: the instruction and the one behind it are one, and nothing else reads what it writes.
pub const FUSED: u16 = 64;
/// In a note: how far its upper byte is shifted. It is the machine register that the written value is best put into,
/// or [`NO_HINT`].
pub const HINT: u32 = 8;
/// No register is better than another: the number of a scratch register, which is never given out.
pub const NO_HINT: u8 = 31;

/// The number that stands for "not a variable that crosses blocks".
pub const LOCAL: u32 = u32::MAX;

/// Where the value of a variable that crosses blocks must be kept.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The variable.
    pub var: u32,
    /// The position at which it is made; 0 where it may be read before it is written, or is a parameter.
    pub start: u32,
    /// The last position at which it is needed; 0 where it is never seen.
    pub end: u32,
    /// How often it is touched, loops counting eightfold.
    pub weight: u32,
    /// The register that it is best put into, or [`NO_HINT`].
    pub hint: u8,
    /// Whether it is a float.
    pub float: bool,
    first_block: u32,
    last_block: u32,
}

/// A call, and the weight of all calls up to it.
#[derive(Clone, Copy, Debug)]
pub struct CallPoint {
    /// The position at which the instruction reads.
    pub position: u32,
    /// The weights of the calls before this one and of this one.
    pub weight: u64,
}

/// How many values of each class (int, float) within blocks are needed at once at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Anywhere.
    pub most: [u32; 2],
    /// During a call.
    pub spanning: [u32; 2],
}

/// The liveness of one function.
#[derive(Debug, Default)]
pub struct Live {
    /// A note on each instruction.
    pub notes: Vec<u16>,
    /// A note on each entry of the body's list pool that is an operand.
    pub list_notes: Vec<u16>,
    /// The variables that cross blocks, in the order of their numbers.
    pub ranges: Vec<Range>,
    /// The calls, first to last.
    pub calls: Vec<CallPoint>,
    /// How many stack arguments and results the calls need at most, in units of 8 bytes.
    pub outgoing: u32,
    /// Whether the function has an `arg` instruction.
    pub uses_arg: bool,
    /// How much the values within blocks need.
    pub pressure: Pressure,
    vars: Vec<Seen>,
    needed_now: [u32; 2],
    calls_passed: u32,
    loops: Loops,
}

/// The position at which instruction `index` reads.
#[inline(always)]
pub fn read_at(index: usize) -> u32 {
    2 * index as u32 + 2
}

/// True for variables that a constant stands for everywhere.
#[inline(always)]
pub fn is_constant(body: &Body, var: u32) -> bool {
    body.vars[var as usize].has(Var::CONSTANT) || (var == body.count_var() && !body.signature.variadic)
}

/// The constant that a variable is everywhere.
pub fn known_constant(body: &Body, var: u32) -> Option<u64> {
    if body.vars[var as usize].has(Var::CONSTANT) {
        return body.insts.get(body.vars[var as usize].first_write as usize).map(Inst::literal);
    }
    is_constant(body, var).then(|| u64::from(body.count_var()))
}

impl Live {
    /// Finds what lives where in `body`, and which instructions are one snippet of `library`. `argument_register` tells
    /// where a call passes an argument, from its index among the ints or the floats; the answer is a hint.
    pub fn find(
        &mut self,
        verified: &Verified,
        body: &Body,
        library: &Library,
        argument_register: impl Fn(bool, usize) -> Option<u8>,
    ) {
        self.reset(body, &argument_register);
        for number in (0..body.blocks.len()).rev() {
            // Sums of weights may wrap in the deepest loops of giants, which makes a poor choice, not a wrong one.
            let weight = 1u32 << (3 * body.blocks[number].depth.min(5));
            let range = body.block_range(number);
            let mut end = range.end;
            loop {
                let at = At { block: number as u32, weight, position: 0 };
                end = self.simple(body, library.fusions(), at, range.start, end);
                if end == range.start {
                    break;
                }
                end -= 1;
                let at = At { position: read_at(end), ..at };
                self.other(verified, body, at, end, &body.insts[end], &argument_register);
            }
        }
        self.loops.find(&body.blocks);
        self.ranges.extend((0..).zip(&self.vars).filter(|(_, seen)| seen.range != LOCAL).map(|(var, seen)| {
            let Seen { needed: end, start, weight, first_block, last_block, hint, class, .. } = *seen;
            Range { var, start, end, weight, hint, float: class != 0, first_block, last_block }
        }));
        self.widen(body);
        self.calls.reverse();
        let mut sum = 0;
        for call in &mut self.calls {
            sum += call.weight;
            call.weight = sum;
        }
    }

    fn reset(&mut self, body: &Body, argument_register: impl Fn(bool, usize) -> Option<u8>) {
        self.notes.clear();
        self.notes.resize(body.insts.len(), 0);
        self.list_notes.clear();
        self.list_notes.resize(body.lists.len(), 0);
        self.vars.clear();
        self.ranges.clear();
        self.calls.clear();
        (self.outgoing, self.uses_arg, self.calls_passed) = (0, false, 0);
        (self.pressure, self.needed_now) = (Pressure::default(), [0; 2]);
        let (mut counts, mut ranges) = ([0usize; 2], 0);
        for (var, facts) in body.vars.iter().enumerate() {
            let var = var as u32;
            let float = facts.class.is_float();
            // A parameter is best left in the register in which it arrives.
            let mut arrives_in = None;
            if var < body.count_var() && !body.signature.variadic {
                arrives_in = argument_register(float, counts[usize::from(float)]);
                counts[usize::from(float)] += 1;
            }
            // The count of a variadic call is read by every `arg`.
            let counts = var == body.count_var() && body.signature.variadic;
            let (mut range, mut hint) = (LOCAL, NO_HINT);
            if (counts || facts.has(Var::CROSSES)) && !is_constant(body, var) {
                range = ranges;
                ranges += 1;
                hint = arrives_in.unwrap_or(NO_HINT);
            }
            // What a constant stands for needs no place, however often it is read.
            let needed = if is_constant(body, var) { ALWAYS } else { 0 };
            let (start, weight, first_block, last_block) = (0, 0, 0, 0);
            let class = u8::from(float);
            self.vars.push(Seen { range, needed, start, weight, first_block, last_block, hint, class });
        }
    }

    /// The index of a variable's range, or [`LOCAL`].
    #[inline(always)]
    pub fn range_of(&self, var: u32) -> u32 {
        self.vars[var as usize].range
    }

    #[inline(never)]
    fn other(
        &mut self,
        verified: &Verified,
        body: &Body,
        at: At,
        index: usize,
        inst: &Inst,
        argument_register: &impl Fn(bool, usize) -> Option<u8>,
    ) {
        if traits(inst.op).is_removable() && self.is_unused(inst.d) {
            self.notes[index] = UNUSED | NEEDLESS;
            return;
        }
        let list = inst.b as usize;
        let note = match shape(inst.op) {
            Shape::Select => {
                let note = self.write(at, inst.d);
                self.list_notes[list + 1] = self.read(at, body.lists[list + 1], ENDS_D);
                self.list_notes[list] = self.read(at, body.lists[list], ENDS_D);
                note | self.read(at, inst.a, ENDS_A)
            }
            Shape::Arg => {
                self.uses_arg = true;
                let note = self.write(at, inst.d);
                let count = &mut self.vars[body.count_var() as usize];
                if count.range != LOCAL {
                    count.touch(at, at.position);
                }
                note | self.read(at, inst.a, ENDS_A)
            }
            Shape::Ret => {
                let count = returned(inst, &body.lists).len();
                self.read_list(body, at, list + 1, count);
                0
            }
            Shape::Custom => {
                let op = &verified.module().customs[inst.a as usize].op;
                let note = if op.result.is_some() { self.write(at, inst.d) } else { 0 };
                self.read_list(body, at, list + 1, op.params.len());
                note
            }
            Shape::CallExtern | Shape::Callp => self.call_c(verified, body, at, inst),
            _ => self.call(verified, body, at, inst, argument_register),
        };
        self.notes[index] = note;
    }

    fn is_unused(&self, var: u32) -> bool {
        self.vars[var as usize].range == LOCAL && self.vars[var as usize].needed == 0
    }

    fn read_list(&mut self, body: &Body, at: At, start: usize, count: usize) {
        for entry in (start..start + count).rev() {
            self.list_notes[entry] = self.read(at, body.lists[entry], ENDS_D);
        }
    }

    /// Everything that leaves the function's code and comes back.
    fn call(
        &mut self,
        verified: &Verified,
        body: &Body,
        at: At,
        inst: &Inst,
        argument_register: &impl Fn(bool, usize) -> Option<u8>,
    ) -> u16 {
        debug_assert!(is_call(inst.op));
        let direct = matches!(shape(inst.op), Shape::Call | Shape::Calli | Shape::CallImport | Shape::Object);
        let mut note = 0;
        let mut args_at = 0;
        if direct {
            let results_at = inst.b as usize + 1 + before_operands(inst);
            let operands = operands_of_call(inst, &body.lists);
            for (entry, &var) in operands.results.iter().enumerate().rev() {
                self.list_notes[results_at + entry] = self.write(at, var);
            }
            args_at = results_at + operands.results.len() + 1;
        } else if matches!(shape(inst.op), Shape::Read | Shape::Mgrow) {
            note = self.write(at, inst.d);
        }
        for class in 0..2 {
            self.pressure.spanning[class] = self.pressure.spanning[class].max(self.needed_now[class]);
        }
        self.calls.push(CallPoint { position: at.position, weight: u64::from(at.weight) });
        self.calls_passed += 1;
        match shape(inst.op) {
            Shape::Print | Shape::Mgrow => note |= self.read(at, inst.a, ENDS_A),
            Shape::Mcopy | Shape::Mfill => {
                note |= self.read(at, inst.b, ENDS_B);
                note |= self.read(at, inst.a, ENDS_A);
                note |= self.read(at, inst.d, ENDS_D);
            }
            Shape::Object => self.read_list(body, at, args_at, operands_of_call(inst, &body.lists).args.len()),
            Shape::Call | Shape::Calli | Shape::CallImport => {
                let args = operands_of_call(inst, &body.lists).args;
                self.read_list(body, at, args_at, args.len());
                if shape(inst.op) == Shape::Calli {
                    note |= self.read(at, inst.a, ENDS_A);
                }
                self.hint_arguments(body, args, argument_register);
                self.room_for_call(verified, body, inst, args.len());
            }
            _ => {}
        }
        note
    }

    /// A call of a C function.
    fn call_c(&mut self, verified: &Verified, body: &Body, at: At, inst: &Inst) -> u16 {
        let outward = Outward::new(verified, body, inst);
        let results_at = outward.list + 1;
        for (entry, &var) in outward.operands.results.iter().enumerate().rev() {
            self.list_notes[results_at + entry] = self.write(at, var);
        }
        for class in 0..2 {
            self.pressure.spanning[class] = self.pressure.spanning[class].max(self.needed_now[class]);
        }
        self.calls.push(CallPoint { position: at.position, weight: u64::from(at.weight) });
        self.calls_passed += 1;
        let args_at = results_at + outward.operands.results.len() + 1;
        self.read_list(body, at, args_at, outward.operands.args.len());
        self.outgoing = self.outgoing.max(outward.room(body).div_ceil(8));
        for (var, register) in outward.hints(body) {
            let seen = &mut self.vars[var as usize];
            if seen.range == LOCAL || seen.hint == NO_HINT {
                seen.hint = register;
            }
        }
        if inst.op == Op::Callp { self.read(at, inst.a, ENDS_A) } else { 0 }
    }

    fn hint_arguments(&mut self, body: &Body, args: &[u32], register: &impl Fn(bool, usize) -> Option<u8>) {
        let mut counts = [0usize; 2];
        for &var in args {
            let float = body.vars[var as usize].class.is_float();
            let count = &mut counts[usize::from(float)];
            if let Some(register) = register(float, *count) {
                let seen = &mut self.vars[var as usize];
                if seen.range == LOCAL || seen.hint == NO_HINT {
                    seen.hint = register;
                }
            }
            *count += 1;
        }
    }

    fn room_for_call(&mut self, verified: &Verified, body: &Body, inst: &Inst, args: usize) {
        let signature = match inst.op {
            Op::Call => &verified.module().functions[inst.a as usize].signature,
            Op::CallImport => &verified.module().imports[inst.a as usize].signature,
            _ => &verified.module().signatures[body.lists[inst.b as usize] as usize],
        };
        // The callee writes its results whether they are asked for or not. An upper bound: where some may go over the
        // stack, as if all of them did.
        let results = signature.results.len();
        if signature.variadic || args > 6 || results > 2 {
            self.outgoing = self.outgoing.max((args + results) as u32);
        }
    }

    /// Extends the ranges of variables over the loops around them, and those that may be read before they are
    /// written to the function's entry.
    fn widen(&mut self, body: &Body) {
        let params = body.count_var();
        for range in self.ranges.iter_mut().filter(|range| range.end != 0) {
            let written_first = range.start % 2 == 1;
            let arrives = range.var <= params;
            let (first, last) = (range.first_block, range.last_block);
            let mut kept = self.loops.kept_until(Some(first), last);
            if !written_first || arrives || !self.loops.dominates(first, kept.unwrap_or(last)) {
                range.start = 0;
                kept = self.loops.kept_until(None, last);
            }
            if let Some(block) = kept {
                range.end = read_at(body.block_range(block as usize).end - 1) + 1;
            }
        }
    }
}
