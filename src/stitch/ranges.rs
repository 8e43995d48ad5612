//! Live ranges: where each value of a function must be kept.
//!
//! Comes in: a verified body. Goes out: [`Range`]s, numbered so that the emitter, walking the same instructions, can
//! name them by counting. What must hold: two values that are needed at the same place have ranges that overlap.
//!
//! A variable whose values cross blocks has one range for all of them; it has the lowest numbers, in the order of the
//! variables. Every other variable gets a new range each time it is written, in the order of the instructions.
//! Constants have none: they are put in place where they are used.
//!
//! Positions: a function is entered at 0, instruction `i` reads at `2i + 2` and writes at `2i + 3`.

use crate::isa::op::{Flag, Op, Shape};
use crate::module::Inst;
use crate::stitch::loops::Loops;
use crate::stitch::operands::{arity, is_call, operands_of_call, shape, visit};
use crate::verified::{Body, Var, Verified};

/// What [`Ranges::current`] holds for a variable whose present value is a constant.
pub const CONSTANT: u32 = u32::MAX;
/// No hint.
pub const NO_HINT: u32 = u32::MAX;
/// Set in a hint that is the number of a machine register; else it is the number of a range.
pub const HINT_REGISTER: u32 = 0x8000_0000;

/// Where a value must be kept.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The position at which it is made.
    pub start: u32,
    /// The last position at which it is read.
    pub end: u32,
    /// How often it is touched, loops counting eightfold.
    pub weight: u32,
    /// Where it would best be: a register or the range whose register it could take over.
    pub hint: u32,
    /// Whether it is a float.
    pub float: bool,
}

/// A call, and the weight of all calls up to it.
#[derive(Clone, Copy, Debug)]
pub struct CallPoint {
    /// The position at which the instruction reads.
    pub position: u32,
    /// The weights of the calls before this one and of this one.
    pub weight: u64,
}

/// The ranges of one function.
#[derive(Debug, Default)]
pub struct Ranges {
    /// The ranges by number.
    pub ranges: Vec<Range>,
    /// For each variable the number of its present range, while a pass walks the instructions.
    pub current: Vec<u32>,
    /// For each range of a variable that crosses blocks, the variable.
    pub crossing: Vec<u32>,
    /// The first and last block in which each of them is seen.
    seen: Vec<(u32, u32)>,
    /// The calls, first to last.
    pub calls: Vec<CallPoint>,
    /// How many stack arguments and results the calls need at most, in units of 8 bytes.
    pub outgoing: u32,
    /// Whether the function has an `arg` instruction.
    pub uses_arg: bool,
    loops: Loops,
}

/// The position at which instruction `index` reads.
#[inline(always)]
pub fn read_at(index: usize) -> u32 {
    2 * index as u32 + 2
}

/// True where the compare at `index` and the branch behind it are one: nothing else reads the result.
#[inline(always)]
pub fn is_fused(body: &Body, index: usize, inst: &Inst) -> bool {
    const COMPARES: [bool; Op::ALL.len()] = {
        let mut compares = [false; Op::ALL.len()];
        let mut i = 0;
        while i < compares.len() {
            compares[i] = Op::ROWS[i].has(Flag::Compares);
            i += 1;
        }
        compares
    };
    COMPARES[inst.op as usize]
        && body.insts.get(index + 1).is_some_and(|next| shape(next.op) == Shape::Branch && next.a == inst.d)
        && !body.vars[inst.d as usize].has(Var::CROSSES)
}

/// True for variables that have no range because a constant stands for them everywhere.
#[inline(always)]
pub fn is_constant(body: &Body, var: u32) -> bool {
    body.vars[var as usize].has(Var::CONSTANT) || (var == body.count_var() && !body.signature.variadic)
}

impl Ranges {
    /// Finds the ranges of `body`. `argument_register` tells where a call passes an argument: the index among the
    /// ints or the floats, and which of both; the answer is a hint.
    pub fn find(&mut self, verified: &Verified, body: &Body, argument_register: impl Fn(bool, usize) -> Option<u8>) {
        self.reset(body);
        for (number, block) in body.blocks.iter().enumerate() {
            // Sums of weights may wrap in the deepest loops of giants, which makes a poor choice, not a wrong one.
            let weight = 1u32 << (3 * block.depth.min(5));
            for index in body.block_range(number) {
                self.instruction(verified, body, index, number as u32, weight, &argument_register);
            }
        }
        self.loops.find(&body.blocks);
        self.widen_crossing(body);
    }

    fn reset(&mut self, body: &Body) {
        self.ranges.clear();
        self.current.clear();
        self.crossing.clear();
        self.seen.clear();
        self.calls.clear();
        self.outgoing = 0;
        self.uses_arg = false;
        for (var, facts) in body.vars.iter().enumerate() {
            let var = var as u32;
            // The count of a variadic call is read by every `arg`.
            let counts = var == body.count_var() && body.signature.variadic;
            let crosses = (counts || facts.has(Var::CROSSES)) && !is_constant(body, var);
            if crosses {
                self.current.push(self.ranges.len() as u32);
                self.ranges.push(Range {
                    start: u32::MAX,
                    end: 0,
                    weight: 0,
                    hint: NO_HINT,
                    float: facts.class.is_float(),
                });
                self.crossing.push(var);
                self.seen.push((u32::MAX, 0));
            } else {
                self.current.push(CONSTANT);
            }
        }
    }

    #[inline(always)]
    fn instruction(
        &mut self,
        verified: &Verified,
        body: &Body,
        index: usize,
        block: u32,
        weight: u32,
        argument_register: &impl Fn(bool, usize) -> Option<u8>,
    ) {
        let inst = &body.insts[index];
        let at = read_at(index);
        let touch = |this: &mut Ranges, number: u32, position: u32| {
            let range = &mut this.ranges[number as usize];
            range.end = position;
            range.weight = range.weight.wrapping_add(weight);
            if let Some(seen) = this.seen.get_mut(number as usize) {
                if range.start == u32::MAX {
                    range.start = position;
                    seen.0 = block;
                }
                seen.1 = block;
            }
        };
        let on_use = |this: &mut Ranges, var: u32| {
            let number = this.current[var as usize];
            if number != CONSTANT {
                touch(this, number, at);
            }
        };
        if shape(inst.op) == Shape::Const && self.constant(body, inst) {
            return;
        }
        if is_fused(body, index, inst) {
            on_use(self, inst.a);
            on_use(self, inst.b);
            self.current[inst.d as usize] = CONSTANT;
            return;
        }
        let hint = match shape(inst.op) {
            Shape::Value | Shape::Move => {
                let first = self.current[inst.a as usize];
                if first == CONSTANT && arity(inst.op) == 2 { self.current[inst.b as usize] } else { first }
            }
            Shape::Select => self.current[body.lists[inst.b as usize] as usize],
            _ => NO_HINT,
        };
        visit(self, inst, &body.lists, on_use, |this, var| {
            let facts = &body.vars[var as usize];
            let number = this.current[var as usize];
            if facts.has(Var::CROSSES) {
                touch(this, number, at + 1);
                return;
            }
            this.current[var as usize] = this.ranges.len() as u32;
            this.ranges.push(Range { start: at + 1, end: at + 2, weight, hint, float: facts.class.is_float() });
        });
        if is_call(inst.op) {
            self.call(verified, body, inst, at, weight, argument_register);
        } else if shape(inst.op) == Shape::Arg {
            self.uses_arg = true;
            let count = self.current[body.count_var() as usize];
            if count != CONSTANT {
                touch(self, count, at);
            }
        }
    }

    /// A `const` whose variable has no range: constants used in their own block, and those of one writer.
    fn constant(&mut self, body: &Body, inst: &Inst) -> bool {
        let facts = &body.vars[inst.d as usize];
        let stands_for_itself = !facts.has(Var::CROSSES) || facts.has(Var::CONSTANT);
        if stands_for_itself {
            self.current[inst.d as usize] = CONSTANT;
        }
        stands_for_itself
    }

    fn call(
        &mut self,
        verified: &Verified,
        body: &Body,
        inst: &Inst,
        at: u32,
        weight: u32,
        argument_register: &impl Fn(bool, usize) -> Option<u8>,
    ) {
        let before = self.calls.last().map_or(0, |call| call.weight);
        self.calls.push(CallPoint { position: at, weight: before + u64::from(weight) });
        if !matches!(shape(inst.op), Shape::Call | Shape::Calli) {
            return;
        }
        let operands = operands_of_call(inst, &body.lists);
        let mut counts = [0usize; 2];
        for &var in operands.args {
            let float = body.vars[var as usize].class.is_float();
            let register = argument_register(float, counts[usize::from(float)]);
            counts[usize::from(float)] += 1;
            let number = self.current[var as usize];
            if let (Some(register), true) = (register, number != CONSTANT) {
                self.ranges[number as usize].hint = HINT_REGISTER | u32::from(register);
            }
        }
        let signature = match inst.op {
            Op::Call => &verified.body(inst.a).signature,
            _ => &verified.module().signatures[body.lists[inst.b as usize] as usize],
        };
        // The callee writes its results whether they are asked for or not. An upper bound: where some may go over the
        // stack, as if all of them did.
        let (args, results) = (operands.args.len(), signature.results.len());
        if signature.variadic || args > 6 || results > 2 {
            self.outgoing = self.outgoing.max((args + results) as u32);
        }
    }

    fn widen_crossing(&mut self, body: &Body) {
        let params = body.count_var();
        for (number, &var) in self.crossing.iter().enumerate() {
            let range = &mut self.ranges[number];
            if range.start == u32::MAX {
                (range.start, range.end) = (0, 0);
                continue;
            }
            let (first, last) = self.seen[number];
            let written_first = range.start % 2 == 1;
            let arrives = var <= params;
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
