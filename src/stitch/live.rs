//! Liveness: where each value is read for the last time, and for how long the values that cross blocks must be kept.
//!
//! Comes in: a verified body. Goes out: a [`note`](Live::notes) on each instruction for the values that live within a
//! block, a [`Range`] for each variable whose values cross blocks. What must hold: a value that is noted to end is
//! never read again; two values that are needed at the same place are both known to be.
//!
//! The walk goes from the last instruction to the first, so that the first use it meets is the last one that runs.
//!
//! Positions: a function is entered at 0, instruction `i` reads at `2i + 2` and writes at `2i + 3`.

use crate::isa::op::{Op, Shape};
use crate::module::Inst;
use crate::stitch::loops::Loops;
use crate::stitch::operands::{is_call, operands_of_call, returned, shape, traits};
use crate::stitch::outward::Outward;
use crate::verified::{Body, Var, Verified};

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

/// What the walk knows of a variable.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Its index among [`Live::ranges`], or [`LOCAL`].
    range: u32,
    /// 0 while its value is not needed, else one more than the calls passed when it came to be.
    needed: u32,
    /// Where the value that is needed is best put.
    hint: u8,
    /// 0 for ints, 1 for floats.
    class: u8,
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
    vars: Vec<State>,
    needed_now: [u32; 2],
    calls_passed: u32,
    loops: Loops,
}

/// The position at which instruction `index` reads.
#[inline(always)]
pub fn read_at(index: usize) -> u32 {
    2 * index as u32 + 2
}

/// True where the instruction at `index` and the branch behind it are one: nothing else reads the result, and both
/// branches have a snippet with it.
#[inline(always)]
pub fn is_fused(body: &Body, index: usize, inst: &Inst) -> bool {
    traits(inst.op).fuses()
        && body.insts.get(index + 1).is_some_and(|next| shape(next.op) == Shape::Branch && next.a == inst.d)
        && !body.vars[inst.d as usize].has(Var::CROSSES)
}

/// True for variables that a constant stands for everywhere.
#[inline(always)]
pub fn is_constant(body: &Body, var: u32) -> bool {
    body.vars[var as usize].has(Var::CONSTANT) || (var == body.count_var() && !body.signature.variadic)
}

/// What the walk knows while it looks at one block.
#[derive(Clone, Copy)]
struct At {
    block: u32,
    weight: u32,
    position: u32,
}

impl Live {
    /// Finds what lives where in `body`. `argument_register` tells where a call passes an argument, from its index
    /// among the ints or the floats; the answer is a hint.
    pub fn find(&mut self, verified: &Verified, body: &Body, argument_register: impl Fn(bool, usize) -> Option<u8>) {
        self.reset(body, &argument_register);
        for number in (0..body.blocks.len()).rev() {
            // Sums of weights may wrap in the deepest loops of giants, which makes a poor choice, not a wrong one.
            let weight = 1u32 << (3 * body.blocks[number].depth.min(5));
            let range = body.block_range(number);
            for index in range.rev() {
                let at = At { block: number as u32, weight, position: read_at(index) };
                let inst = &body.insts[index];
                let known = traits(inst.op);
                if known.shape == Shape::Value && known.arity == 2 {
                    self.binary(body, at, index, inst);
                } else {
                    self.other(verified, body, at, index, inst, &argument_register);
                }
            }
        }
        self.loops.find(&body.blocks);
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
        let mut counts = [0usize; 2];
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
            let mut state = State { range: LOCAL, needed: 0, hint: NO_HINT, class: u8::from(float) };
            if (counts || facts.has(Var::CROSSES)) && !is_constant(body, var) {
                state.range = self.ranges.len() as u32;
                let (first_block, last_block) = (0, 0);
                let (start, end, weight, hint) = (0, 0, 0, arrives_in.unwrap_or(NO_HINT));
                self.ranges.push(Range { var, start, end, weight, hint, float, first_block, last_block });
            }
            self.vars.push(state);
        }
    }

    /// The index of a variable's range, or [`LOCAL`].
    #[inline(always)]
    pub fn range_of(&self, var: u32) -> u32 {
        self.vars[var as usize].range
    }

    /// A variable that crosses blocks is seen. Says whether it was for the last time.
    #[inline(always)]
    fn touch(&mut self, at: At, range: u32, position: u32) -> bool {
        let range = &mut self.ranges[range as usize];
        range.start = position;
        range.first_block = at.block;
        range.weight = range.weight.wrapping_add(at.weight);
        if range.end != 0 {
            return false;
        }
        range.end = position;
        range.last_block = at.block;
        true
    }

    /// A variable is read; gives `flag` where its value is not needed afterwards.
    #[inline(always)]
    fn read(&mut self, at: At, var: u32, flag: u16) -> u16 {
        let state = &mut self.vars[var as usize];
        if state.range != LOCAL {
            let range = state.range;
            return if self.touch(at, range, at.position) { flag } else { 0 };
        }
        if state.needed != 0 {
            return 0;
        }
        state.needed = self.calls_passed + 1;
        let class = usize::from(state.class & 1);
        self.needed_now[class] += 1;
        self.pressure.most[class] = self.pressure.most[class].max(self.needed_now[class]);
        flag
    }

    /// A variable is written; gives the part of the note that is about the result.
    #[inline(always)]
    fn write(&mut self, at: At, var: u32) -> u16 {
        let state = &mut self.vars[var as usize];
        if state.range != LOCAL {
            let range = state.range;
            if self.touch(at, range, at.position + 1) {
                // Even a value that nobody reads needs a place of its own among the results of a call.
                self.ranges[range as usize].end += 1;
            }
            return 0;
        }
        let needed = std::mem::take(&mut state.needed);
        if needed == 0 {
            return UNUSED;
        }
        let hint = std::mem::replace(&mut state.hint, NO_HINT);
        self.needed_now[usize::from(state.class & 1)] -= 1;
        let spans = if needed == self.calls_passed + 1 { 0 } else { SPANS };
        spans | u16::from(hint) << HINT
    }

    #[inline(always)]
    fn binary(&mut self, body: &Body, at: At, index: usize, inst: &Inst) {
        let mut note = if is_fused(body, index, inst) { 0 } else { self.write(at, inst.d) };
        if note == UNUSED && traits(inst.op).is_removable() {
            self.notes[index] = UNUSED | NEEDLESS;
            return;
        }
        note |= self.read(at, inst.b, ENDS_B);
        // The same variable twice ends once, at the second.
        note |= self.read(at, inst.a, ENDS_A);
        self.notes[index] = note;
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
            Shape::Value | Shape::Move | Shape::Load | Shape::NativeLoad => {
                self.write(at, inst.d) | self.read(at, inst.a, ENDS_A)
            }
            Shape::Const if body.vars[inst.d as usize].has(Var::CONSTANT) => 0,
            Shape::Const | Shape::Msize | Shape::Gget | Shape::Addr => self.write(at, inst.d),
            Shape::Select => {
                let note = self.write(at, inst.d);
                self.list_notes[list + 1] = self.read(at, body.lists[list + 1], ENDS_D);
                self.list_notes[list] = self.read(at, body.lists[list], ENDS_D);
                note | self.read(at, inst.a, ENDS_A)
            }
            Shape::Store | Shape::NativeStore => self.read(at, inst.d, ENDS_D) | self.read(at, inst.a, ENDS_A),
            Shape::Arg => {
                self.uses_arg = true;
                let note = self.write(at, inst.d);
                let count = self.range_of(body.count_var());
                if count != LOCAL {
                    self.touch(at, count, at.position);
                }
                note | self.read(at, inst.a, ENDS_A)
            }
            Shape::Branch => {
                let fused = index > 0 && is_fused(body, index - 1, &body.insts[index - 1]);
                if fused { 0 } else { self.read(at, inst.a, ENDS_A) }
            }
            Shape::Gset | Shape::Switch => self.read(at, inst.a, ENDS_A),
            Shape::Ret => {
                let count = returned(inst, &body.lists).len();
                self.read_list(body, at, list + 1, count);
                0
            }
            Shape::Jump | Shape::Halt | Shape::Trap => 0,
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
        let direct = matches!(shape(inst.op), Shape::Call | Shape::Calli);
        let mut note = 0;
        let mut args_at = 0;
        if direct {
            let results_at = inst.b as usize + 1 + usize::from(inst.op == Op::Calli);
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
            Shape::Call | Shape::Calli => {
                let args = operands_of_call(inst, &body.lists).args;
                self.read_list(body, at, args_at, args.len());
                if inst.op == Op::Calli {
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
            match self.range_of(var) {
                LOCAL => self.vars[var as usize].hint = register,
                range => {
                    let hint = &mut self.ranges[range as usize].hint;
                    if *hint == NO_HINT {
                        *hint = register;
                    }
                }
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
                match self.range_of(var) {
                    LOCAL => self.vars[var as usize].hint = register,
                    range => {
                        let hint = &mut self.ranges[range as usize].hint;
                        if *hint == NO_HINT {
                            *hint = register;
                        }
                    }
                }
            }
            *count += 1;
        }
    }

    fn room_for_call(&mut self, verified: &Verified, body: &Body, inst: &Inst, args: usize) {
        let signature = match inst.op {
            Op::Call => &verified.body(inst.a).signature,
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
