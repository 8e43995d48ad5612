//! The walk over a function: every instruction on every way that control can take, until nothing new is learned.
//!
//! Comes in: a decoded function. Goes out: the depth of the stack at each step and which steps changed nothing, or the
//! first defect. What must hold: what is known at the start of a block holds on all ways that lead to it; what is
//! known only shrinks, so the walk ends, and a defect found on the way is one at its end too.

use std::collections::BTreeSet;

use crate::check::act::Next;
use crate::check::decode::{Decoded, Step};
use crate::check::defect::Defect;
use crate::check::linked::Shared;
use crate::check::state::{Name, State, Word};
use crate::check::transfer::{Carried, Glue, carried, carry};
use crate::isa::op::{Flag, Op, Shape};
use crate::library::Library;
use crate::library::builtin::MEMORY;
use crate::module::Inst;
use crate::stitch::image::Image;
use crate::verified::{Body, Var, Verified};

/// What the walk needs to see.
pub(super) struct Replay<'a> {
    pub verified: &'a Verified,
    pub body: &'a Body,
    pub image: &'a Image,
    pub library: &'a Library,
    pub decoded: &'a Decoded,
    /// What the module shares with others.
    pub shared: &'a Shared,
    /// Whether to keep what is known before each step.
    pub keep: bool,
}

/// What the walk found out about each step.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Bytes from the stack pointer up to the return address before the step; `None` where control never comes.
    pub depths: Vec<Option<u32>>,
    /// Whether it carries a value to where that value is already, whenever control comes there.
    pub idle: Vec<bool>,
    /// What is known before the step, where that was asked for and control comes there.
    pub states: Vec<Option<State>>,
}

/// True for instructions that do nothing but give a variable a value.
fn may_be_left_out(inst: &Inst) -> bool {
    let row = inst.op.row();
    let pure = matches!(row.shape, Shape::Value | Shape::Select | Shape::Gget | Shape::Msize | Shape::Addr);
    pure && !row.has(Flag::Traps)
}

impl Replay<'_> {
    /// Walks until nothing changes.
    pub fn walk(&self) -> Result<Walked, Defect> {
        let count = self.decoded.steps.len();
        let states = vec![None; if self.keep { count } else { 0 }];
        let mut walked = Walked { depths: vec![None; count], idle: vec![true; count], states };
        let mut state = self.at_entry().map_err(|message| self.defect(u32::MAX, None, message))?;
        for index in self.decoded.entry.clone() {
            let step = &self.decoded.steps[index];
            if !self.carried(&mut state, index, Glue::Plain, &mut walked)? {
                let message = format!("`{}` does not belong to the way into a function", step.info.name);
                return Err(self.defect(u32::MAX, Some(step), message));
            }
        }
        let mut inputs: Vec<Option<State>> = vec![None; self.body.blocks.len()];
        let mut open = BTreeSet::new();
        self.leave(&mut state);
        self.enter(&mut inputs, &mut open, 0, &state)?;
        while let Some(block) = open.pop_first() {
            let Some(mut state) = inputs[block as usize].clone() else { continue };
            let targets = self.block(&mut state, block, &mut walked)?;
            self.leave(&mut state);
            for target in targets {
                self.enter(&mut inputs, &mut open, target, &state)?;
            }
        }
        Ok(walked)
    }

    /// Forgets the variables that no other block reads. If one does nevertheless, it will not find its value.
    fn leave(&self, state: &mut State) {
        for (var, facts) in self.body.vars.iter().enumerate() {
            if !facts.has(Var::CROSSES) && var != self.body.count_var() as usize {
                state.vars[var] = Word::UNKNOWN;
            }
        }
    }

    /// Control comes to a block with this state.
    fn enter(
        &self,
        inputs: &mut [Option<State>],
        open: &mut BTreeSet<u32>,
        block: u32,
        state: &State,
    ) -> Result<(), Defect> {
        let changed = match &mut inputs[block as usize] {
            Some(known) => {
                let fail = |message| self.defect(self.body.blocks[block as usize].start, None, message);
                known.join(state).map_err(fail)?
            }
            empty => {
                let mut state = state.clone();
                state.settle();
                *empty = Some(state);
                true
            }
        };
        if changed {
            open.insert(block);
        }
        Ok(())
    }

    /// Walks a block; says where control goes from it.
    fn block(&self, state: &mut State, block: u32, walked: &mut Walked) -> Result<Vec<u32>, Defect> {
        let range = self.body.block_range(block as usize);
        let mut index = range.start;
        while index < range.end {
            let (next, fused) = self.instruction(state, index, block, walked)?;
            index += if fused { 2 } else { 1 };
            match next {
                Next::Falls => {}
                Next::Either(target) => return Ok(vec![target, block + 1]),
                Next::To(targets) => return Ok(targets),
                Next::Ends => return Ok(Vec::new()),
            }
        }
        Ok(vec![block + 1])
    }

    fn instruction(
        &self,
        state: &mut State,
        index: usize,
        block: u32,
        walked: &mut Walked,
    ) -> Result<(Next, bool), Defect> {
        let inst = &self.body.insts[index];
        let shape = inst.op.row().shape;
        let assigned = carried(inst, state);
        let glue = match shape {
            Shape::Load | Shape::Store => Glue::Address,
            Shape::CallExtern | Shape::Callp => Glue::C,
            Shape::CallImport => Glue::Cell(Name::Saved(MEMORY)),
            Shape::Calli if inst.op == Op::CalliGrowing => Glue::Cell(Name::Saved(MEMORY)),
            _ => self.shared.behind_cell(inst).map_or(Glue::Plain, Glue::Cell),
        };
        let mut acted = None;
        let mut fused = false;
        for number in self.decoded.of[index].clone() {
            let step = &self.decoded.steps[number];
            let fail = |message| self.defect(index as u32, Some(step), message);
            if matches!(&acted, Some(next) if *next != Next::Falls) {
                return Err(fail("stands behind the end of its block".to_owned()));
            }
            if self.carried(state, number, glue, walked)? {
                continue;
            }
            if acted.is_some() {
                return Err(fail("the instruction has been done already".to_owned()));
            }
            (walked.depths[number], walked.idle[number]) = (Some(state.depth()), false);
            acted = Some(self.act(state, index, step).map_err(fail)?);
            fused = step.is_fused();
        }
        // What the first of two gives is nowhere.
        if let Some(word) = assigned.filter(|_| !fused) {
            state.vars[inst.d as usize] = word;
        }
        state.end_instruction();
        let next = match (acted, shape) {
            (Some(next), _) => next,
            (None, Shape::Jump) if inst.b == block + 1 => Next::Falls,
            (None, Shape::Branch) if self.never_jumps(state, index) => Next::Falls,
            (None, _) if assigned.is_some() => Next::Falls,
            (None, _) if may_be_left_out(inst) => {
                // Then its result is nowhere, and nobody may read it.
                let word = Word { lo: state.fresh(), hi: state.fresh() };
                state.vars[inst.d as usize] = word;
                Next::Falls
            }
            (None, _) => return Err(self.defect(index as u32, None, "no snippet does what it says".to_owned())),
        };
        if matches!(next, Next::Falls) && matches!(shape, Shape::Jump | Shape::Branch) {
            return Ok((Next::To(vec![block + 1]), fused));
        }
        Ok((next, fused))
    }

    fn never_jumps(&self, state: &State, index: usize) -> bool {
        let inst = &self.body.insts[index];
        let condition = state.vars[inst.a as usize].as_constant();
        condition.is_some_and(|bits| (bits != 0) != (inst.op == Op::Jmpt))
    }

    /// Applies a step that carries a value; says whether it is one.
    fn carried(&self, state: &mut State, number: usize, glue: Glue, walked: &mut Walked) -> Result<bool, Defect> {
        let step = &self.decoded.steps[number];
        let depth = state.depth();
        if self.keep {
            walked.states[number] = Some(state.clone());
        }
        let done = carry(state, step, self.image, glue);
        match done.map_err(|message| self.defect(step.inst, Some(step), message))? {
            Carried::Not => return Ok(false),
            Carried::Changed => walked.idle[number] = false,
            Carried::Idle => {}
        }
        walked.depths[number] = Some(depth);
        Ok(true)
    }

    /// Where a block's code starts.
    pub fn block_position(&self, block: u32) -> u32 {
        self.decoded.positions[self.body.blocks[block as usize].start as usize]
    }

    /// True where a block starts at this instruction.
    pub fn starts_block(&self, index: usize) -> bool {
        self.body.blocks.binary_search_by_key(&(index as u32), |block| block.start).is_ok()
    }

    fn defect(&self, inst: u32, step: Option<&Step>, message: String) -> Defect {
        let number = self.decoded.function;
        let defect = Defect::new(self.verified, number, message).at(self.verified, number, inst);
        match step {
            Some(step) => defect.step(step),
            None => defect,
        }
    }
}
