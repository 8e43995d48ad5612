//! Blocks, loops, arms and branches.
//!
//! Comes in: the structured control of a validated function. Goes out: labels, jumps, and the moves that bring values to where
//! the code at a label looks for them. What must hold: whichever way control comes to a label, the same registers hold what
//! stands on the stack there; time is linear, also in the targets of `br_table`.
//!
//! Frames are kept in a list of their own, so that nesting costs no stack.

use wasmparser::{BlockType, BrTable};

use crate::isa::op::{Op, Shape, Type};
use crate::module::{Inst, MAX_LOCAL};

use super::stack::{Entry, FIXED, Kind, NONE, Pool, Translator};

/// What opened a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The function.
    Function,
    Block,
    Loop,
    /// The first arm.
    If,
    /// The second one.
    Else,
    /// Anything in code that cannot be reached.
    Dead,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    opened: Opened,
    ty: BlockType,
    /// How high the stack is below its parameters.
    height: u32,
    /// Where a branch to it leads; [`NONE`] until there is one.
    label: u32,
    /// Where the second arm begins, or what comes after the first.
    otherwise: u32,
    /// Its parameters' registers among the slots, where it has some of its own.
    params: [u32; 2],
    /// The registers among the slots that its label takes values in; [`NONE`] until there is a branch to it.
    results: u32,
    /// Its parameters among those that are saved.
    saved: u32,
    /// While a `br_table` is translated: where the moves for this frame stand.
    edge: u32,
}

/// The value that a branch depends on.
struct Condition {
    register: u32,
    /// The branch is taken if it is 0.
    inverted: bool,
    /// The instruction that makes it, which is to stand right before the branch.
    made_by: Option<Inst>,
}

/// Types as a list of types.
fn single(ty: Type) -> &'static [Type] {
    match ty {
        Type::I32 => &[Type::I32],
        Type::I64 => &[Type::I64],
        Type::F32 => &[Type::F32],
        Type::F64 => &[Type::F64],
        Type::Funcref => &[Type::Funcref],
        Type::Externref => &[Type::Externref],
    }
}

impl<'m> Translator<'m> {
    fn params_of(&self, ty: BlockType) -> &'m [Type] {
        match ty {
            BlockType::FuncType(index) => &self.items.signatures()[index as usize].params,
            _ => &[],
        }
    }

    fn results_of(&self, ty: BlockType) -> &'m [Type] {
        match ty {
            BlockType::FuncType(index) => &self.items.signatures()[index as usize].results,
            BlockType::Type(ty) => single(super::items::value_type(ty)),
            BlockType::Empty => &[],
        }
    }

    fn new_label(&mut self) -> u32 {
        self.labels.push(NONE);
        self.labels.len() as u32 - 1
    }

    fn bind(&mut self, label: u32) {
        self.labels[label as usize] = self.here();
        self.block_start = self.here();
    }

    fn jump(&mut self, op: Op, condition: u32, label: u32) {
        self.emit(op, 0, condition, label);
        self.block_start = self.here();
    }

    fn open(&mut self, opened: Opened, ty: BlockType, height: usize) -> &mut Frame {
        let (height, saved) = (height as u32, self.saved.len() as u32);
        let (label, otherwise, results, edge) = (NONE, NONE, NONE, NONE);
        self.frames.push(Frame { opened, ty, height, label, otherwise, params: [0; 2], results, saved, edge });
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// The function begins; its type is `signature`.
    pub(super) fn open_function(&mut self, signature: u32) {
        self.open(Opened::Function, BlockType::FuncType(signature), 0);
    }

    /// The height below the parameters of a frame that is about to be opened.
    fn base(&self, ty: BlockType) -> usize {
        self.stack.len() - self.params_of(ty).len()
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        let (opened, height) = if self.live { (Opened::Block, self.base(ty)) } else { (Opened::Dead, 0) };
        self.open(opened, ty, height);
    }

    pub(super) fn begin_loop(&mut self, ty: BlockType) {
        if !self.live {
            self.open(Opened::Dead, ty, 0);
            return;
        }
        let base = self.base(ty);
        self.fix(base);
        let start = self.slots.len() as u32;
        for (at, &param) in (base..).zip(self.params_of(ty)) {
            let entry = self.stack[at];
            let pool = Pool::of(param);
            let (register, fresh) = self.crossing(pool);
            self.send(entry, register, fresh);
            match entry.kind {
                Kind::Result | Kind::Listed => self.release(entry.pool, entry.x),
                Kind::Crossing => self.release_crossing(entry.pool, entry.x),
                _ => {}
            }
            let slot = self.slots.len() as u32;
            self.slots.push(register);
            self.stack[at] = Entry { kind: Kind::Owned, level: FIXED, pool, x: register, y: slot };
        }
        let params = [start, self.slots.len() as u32];
        let label = self.new_label();
        self.bind(label);
        let frame = self.open(Opened::Loop, ty, base);
        (frame.label, frame.params) = (label, params);
    }

    pub(super) fn begin_if(&mut self, ty: BlockType) {
        if !self.live {
            self.open(Opened::Dead, ty, 0);
            return;
        }
        let condition = self.condition(self.stack.len() - 1, true);
        let op = if condition.inverted { Op::Jmpt } else { Op::Jmpf };
        let otherwise = self.new_label();
        self.branch(condition, op, otherwise);
        let base = self.base(ty);
        let saved = self.saved.len() as u32;
        let start = self.slots.len() as u32;
        for at in base..self.stack.len() {
            let entry = &mut self.stack[at];
            let mut register = 0;
            if entry.kind == Kind::Crossing {
                register = entry.x;
                (entry.kind, entry.y) = (Kind::Owned, self.slots.len() as u32);
            }
            self.slots.push(register);
            self.saved.push(*entry);
        }
        let params = [start, self.slots.len() as u32];
        let frame = self.open(Opened::If, ty, base);
        (frame.otherwise, frame.params, frame.saved) = (otherwise, params, saved);
    }

    pub(super) fn begin_else(&mut self) {
        let top = self.frames.len() - 1;
        if self.frames[top].opened == Opened::If {
            self.second_arm(top);
        }
    }

    /// The first arm ends, and the second begins.
    fn second_arm(&mut self, top: usize) {
        if self.live {
            let label = self.label_of(top);
            self.send_values(top, true);
            self.jump(Op::Jmp, 0, label);
        }
        let Frame { height, otherwise, saved, .. } = self.frames[top];
        self.truncate(height as usize);
        self.bind(otherwise);
        self.stack.extend_from_slice(&self.saved[saved as usize..]);
        self.frames[top].opened = Opened::Else;
        self.live = true;
    }

    pub(super) fn end(&mut self) {
        let top = self.frames.len() - 1;
        match self.frames[top].opened {
            Opened::Dead => {}
            Opened::Function if self.live => self.visit_return(),
            Opened::Function => {}
            Opened::If if !self.params_of(self.frames[top].ty).is_empty() => {
                self.second_arm(top);
                self.end_frame(top);
            }
            Opened::If => self.end_single_arm(top),
            _ => self.end_frame(top),
        }
        self.frames.pop();
    }

    /// The end of an `if` without `else`, which takes and gives nothing.
    fn end_single_arm(&mut self, top: usize) {
        let Frame { height, otherwise, label, .. } = self.frames[top];
        self.truncate(height as usize);
        self.bind(otherwise);
        if label != NONE {
            self.bind(label);
        }
        self.live = true;
    }

    fn end_frame(&mut self, top: usize) {
        let frame = self.frames[top];
        let [start, end] = frame.params;
        self.saved.truncate(frame.saved as usize);
        if frame.label == NONE || frame.opened == Opened::Loop {
            // Only by falling through does control come here: what stands on the stack may stay.
            if self.live {
                self.take_over(frame.height as usize, start..end);
            } else {
                self.truncate(frame.height as usize);
            }
        } else {
            if self.live {
                self.send_values(top, true);
            }
            self.truncate(frame.height as usize);
            self.bind(frame.label);
            self.live = true;
            for (&ty, slot) in self.results_of(frame.ty).iter().zip(self.frames[top].results..) {
                let (pool, x) = (Pool::of(ty), self.slots[slot as usize]);
                self.stack.push(Entry { kind: Kind::Crossing, level: FIXED, pool, x, y: 0 });
            }
        }
        for (slot, &ty) in (start..end).zip(self.params_of(frame.ty)) {
            if self.slots[slot as usize] != 0 {
                self.release_crossing(Pool::of(ty), self.slots[slot as usize]);
            }
        }
    }

    /// Registers of the frame that ends, which hold results, are now the results' own.
    fn take_over(&mut self, height: usize, slots: std::ops::Range<u32>) {
        for entry in &mut self.stack[height..] {
            if entry.kind == Kind::Owned && slots.contains(&entry.y) {
                self.slots[entry.y as usize] = 0;
                entry.kind = Kind::Crossing;
            }
        }
    }

    /// The label that a branch to a frame leads to.
    fn label_of(&mut self, frame: usize) -> u32 {
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
    fn send_values(&mut self, frame: usize, last: bool) {
        let n = self.passed(frame).len();
        if n == 0 {
            return;
        }
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
    fn condition(&mut self, height: usize, may_invert: bool) -> Condition {
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

    fn branch(&mut self, condition: Condition, op: Op, label: u32) {
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
            if self.too_large().is_none() {
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
