//! Branches: the moves before them, and what they depend on.
//!
//! Comes in: branches of a validated function. Goes out: jumps, and before them the moves that bring values to where the code at
//! the label looks for them. What must hold: whichever way control comes to a label, the same registers hold what stands on
//! the stack there; time is linear, also in the targets of `br_table`.

use wasmparser::BrTable;

use crate::isa::op::{Op, Shape, Type};
use crate::module::{Inst, MAX_LOCAL};

use super::control::{Frame, Opened};
use super::stack::{Kind, NONE, Pool, Translator};

/// The value that a branch depends on.
#[derive(Clone, Copy)]
pub(super) struct Condition {
    pub(super) register: u32,
    /// The branch is taken if it is 0.
    pub(super) inverted: bool,
    /// The instruction that makes it, which is to stand right before the branch.
    made_by: Option<Inst>,
}

impl<'m> Translator<'m> {
    /// The label that a branch to a frame leads to.
    pub(super) fn label_of(&mut self, frame: usize) -> u32 {
        if self.frames[frame].label == NONE {
            self.frames[frame].label = self.new_label();
        }
        self.frames[frame].label
    }

    /// The types that a branch to a frame passes.
    fn passed(&self, frame: usize) -> &'m [Type] {
        let Frame { opened, ty, .. } = self.frames[frame];
        if opened == Opened::Loop { self.params_of(ty) } else { self.results_of(ty) }
    }

    /// The slots that a branch to a frame passes values in, and whether they have been there since before this block, or are
    /// new altogether, so that an instruction of this block may be changed to write them.
    fn slots_of(&mut self, frame: usize) -> (u32, bool) {
        let Frame { opened, ty, results, params, .. } = self.frames[frame];
        if opened == Opened::Loop {
            return (params[0], false);
        }
        if results != NONE {
            return (results, true);
        }
        let start = self.slots.len() as u32;
        let mut all_fresh = true;
        for &ty in self.results_of(ty) {
            let (register, fresh) = self.crossing(Pool::of(ty));
            self.slots.push(register);
            all_fresh &= fresh;
        }
        self.frames[frame].results = start;
        (start, all_fresh)
    }

    /// Brings the highest entries to where the label of a frame takes them. If they are not needed afterwards (`last`), the
    /// instructions that made them may be changed.
    pub(super) fn send_values(&mut self, frame: usize, last: bool) {
        let n = self.passed(frame).len();
        if n == 0 {
            return;
        }
        self.watch_size();
        let (start, may) = self.slots_of(frame);
        let base = self.stack.len() - n;
        if self.frames[frame].opened == Opened::Loop {
            return self.send_parallel(base, start);
        }
        for i in 0..n {
            self.send(self.stack[base + i], self.slots[start as usize + i], may && last);
        }
    }

    /// The same where the registers may be among those that are sent.
    fn send_parallel(&mut self, base: usize, start: u32) {
        let n = self.stack.len() - base;
        let slots = start..start + n as u32;
        let mut aside = Vec::new();
        for i in 0..n {
            let entry = self.stack[base + i];
            if entry.kind == Kind::Owned && slots.contains(&entry.y) && entry.y != start + i as u32 {
                let register = self.temporary(entry.pool);
                self.emit(Op::Move, register, entry.x, 0);
                aside.push((i, register));
            }
        }
        let mut aside = aside.into_iter().peekable();
        for i in 0..n {
            let (entry, to) = (self.stack[base + i], self.slots[start as usize + i]);
            if let Some((_, from)) = aside.next_if(|&(at, _)| at == i) {
                self.emit(Op::Move, to, from, 0);
                self.release(entry.pool, from);
            } else if entry.x != to || entry.kind != Kind::Owned {
                self.send(entry, to, false);
            }
        }
    }

    /// Takes what a branch depends on off the stack, and makes what is left ready for the end of the block, and for several
    /// ways to below `height`. The instruction that made the value, if it is the last one, is handed out.
    pub(super) fn condition(&mut self, height: usize, may_invert: bool) -> Condition {
        if !self.has_fresh() {
            self.fix(height);
            self.end_block();
            return Condition { register: self.pop(), inverted: false, made_by: None };
        }
        let here = self.here();
        let made_last = self.stack.last().is_some_and(|top| top.kind == Kind::Result && top.y + 1 == here);
        let (mut register, mut inverted) = (self.pop(), false);
        let mut made_by = if made_last { self.insts.pop() } else { None };
        if let (true, true, Some(eqz)) = (may_invert, self.after_eqz == here, made_by) {
            (register, inverted, self.after_eqz) = (eqz.a, true, 0);
            let makes = |inst: &Inst| inst.d == register && inst.op.row().shape == Shape::Value;
            let in_block = self.here() > self.block_start;
            made_by = if in_block && self.insts.last().is_some_and(makes) { self.insts.pop() } else { None };
        }
        self.fix(height);
        self.end_block();
        Condition { register, inverted, made_by }
    }

    pub(super) fn branch(&mut self, condition: Condition, op: Op, label: u32) {
        self.insts.extend(condition.made_by);
        self.jump(op, condition.register, label);
    }

    /// What can be reached ends here; control does not come to what follows.
    fn die(&mut self, op: Op, b: u32) {
        let height = self.frames.last().map_or(0, |frame| frame.height);
        self.truncate(height as usize);
        self.end_block();
        self.jump(op, 0, b);
        self.live = false;
    }

    pub(super) fn visit_unreachable(&mut self) {
        self.die(Op::Trap, 0);
    }

    pub(super) fn visit_br(&mut self, depth: u32) {
        let frame = self.frames.len() - 1 - depth as usize;
        if frame == 0 {
            return self.visit_return();
        }
        self.send_values(frame, true);
        self.fix(self.frames[frame].height as usize);
        let label = self.label_of(frame);
        self.die(Op::Jmp, label);
    }

    pub(super) fn visit_br_if(&mut self, depth: u32) {
        let frame = self.frames.len() - 1 - depth as usize;
        let n = self.passed(frame).len();
        if frame == 0 || (self.frames[frame].opened == Opened::Loop && n > 0) {
            return self.br_if_around(frame);
        }
        if n > 0 {
            self.slots_of(frame);
        }
        let condition = self.condition(self.frames[frame].height as usize, true);
        self.send_values(frame, false);
        let op = if condition.inverted { Op::Jmpf } else { Op::Jmpt };
        let label = self.label_of(frame);
        self.branch(condition, op, label);
    }

    /// A branch that has more to do when it is taken.
    fn br_if_around(&mut self, frame: usize) {
        let condition = self.condition(self.frames[frame].height as usize, true);
        let op = if condition.inverted { Op::Jmpt } else { Op::Jmpf };
        let skip = self.new_label();
        self.branch(condition, op, skip);
        self.edge(frame);
        self.bind(skip);
    }

    /// Takes the highest entries to a frame, leaving them on the stack.
    fn edge(&mut self, frame: usize) {
        if frame == 0 {
            let list = self.list_of_results();
            return self.jump(Op::Ret, 0, list);
        }
        self.send_values(frame, false);
        let label = self.label_of(frame);
        self.jump(Op::Jmp, 0, label);
    }

    /// The list of a `ret` with the highest entries.
    fn list_of_results(&mut self) -> u32 {
        let n = self.passed(0).len();
        self.watch_size();
        let list = self.lists.len() as u32;
        self.lists.push(n as u32);
        for at in self.stack.len() - n..self.stack.len() {
            let register = self.register_of(self.stack[at]);
            self.lists.push(register);
        }
        list
    }

    pub(super) fn visit_return(&mut self) {
        if !self.has_fresh() {
            // Moves are going to be made, which must not change what is returned.
            self.end_block();
        }
        let list = self.list_of_results();
        self.die(Op::Ret, list);
    }

    #[allow(clippy::needless_pass_by_value, reason = "as operators are handed over")]
    pub(super) fn visit_br_table(&mut self, table: BrTable<'_>) {
        let mut targets = std::mem::take(&mut self.targets);
        targets.clear();
        // The validator has read them before.
        targets.extend(table.targets().map_while(Result::ok));
        targets.push(table.default());
        let frame_at = |depth: &u32| self.frames.len() - 1 - *depth as usize;
        let highest = targets.iter().map(|depth| self.frames[frame_at(depth)].height).max();
        let has_values = !self.passed(frame_at(&table.default())).is_empty();
        if has_values {
            for depth in &targets {
                let frame = self.frames.len() - 1 - *depth as usize;
                if frame != 0 {
                    self.slots_of(frame);
                }
            }
        }
        let condition = self.condition(highest.unwrap_or(0) as usize, false);
        let list = self.lists.len() as u32;
        self.lists.push(targets.len() as u32 - 1);
        let mut edges = Vec::new();
        for depth in &targets {
            let frame = self.frames.len() - 1 - *depth as usize;
            let label = if frame == 0 || has_values { self.edge_of(frame, &mut edges) } else { self.label_of(frame) };
            self.lists.push(label);
        }
        self.branch(condition, Op::Switch, list);
        for &frame in &edges {
            self.bind(self.frames[frame].edge);
            if !self.full {
                self.edge(frame);
            }
            self.frames[frame].edge = NONE;
        }
        self.truncate(self.frames.last().map_or(0, |frame| frame.height as usize));
        self.live = false;
        self.targets = targets;
    }

    /// Where the moves for a frame are going to stand; they stand once for a whole table.
    fn edge_of(&mut self, frame: usize, edges: &mut Vec<usize>) -> u32 {
        if self.frames[frame].edge == NONE {
            self.frames[frame].edge = self.new_label();
            edges.push(frame);
        }
        self.frames[frame].edge
    }

    /// Chooses one of two values.
    pub(super) fn visit_select(&mut self) {
        let here = self.here();
        let by_eqz = self.after_eqz == here
            && self.stack.last().is_some_and(|top| top.kind == Kind::Result && top.y + 1 == here);
        let mut condition = self.pop();
        if by_eqz {
            condition = self.insts.pop().map_or(MAX_LOCAL, |eqz| eqz.a);
            self.after_eqz = 0;
        }
        let pool_below = self.stack.len().checked_sub(2).map_or(Pool::I32, |below| self.stack[below].pool);
        let pool = match self.stack.last() {
            Some(top) if top.pool == Pool::I64 => Pool::I64,
            _ => pool_below,
        };
        let (b, a) = (self.pop(), self.pop());
        let list = self.lists.len() as u32;
        self.lists.extend(if by_eqz { [b, a] } else { [a, b] });
        let d = self.push_result(pool);
        self.emit(Op::Select, d, condition, list);
    }
}
