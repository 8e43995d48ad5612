//! Blocks, loops and arms.
//!
//! Comes in: the structured control of a validated function. Goes out: labels, and entries for what blocks take
//! and give. What must hold: what a frame's end finds on the stack is the same by every way that leads there.
//!
//! Frames are kept in a list of their own, so that nesting costs no stack.

use wasmparser::BlockType;

use crate::isa::op::{Op, Type};

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
    pub(super) opened: Opened,
    pub(super) ty: BlockType,
    /// How high the stack is below its parameters.
    pub(super) height: u32,
    /// Where a branch to it leads; [`NONE`] until there is one.
    pub(super) label: u32,
    /// Where the second arm begins, or what comes after the first.
    otherwise: u32,
    /// Its parameters' registers among the slots, where it has some of its own.
    pub(super) params: [u32; 2],
    /// The registers among the slots that its label takes values in; [`NONE`] until there is a branch to it.
    pub(super) results: u32,
    /// Its parameters among those that are saved.
    saved: u32,
    /// While a `br_table` is translated: where the moves for this frame stand.
    pub(super) edge: u32,
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
    pub(super) fn params_of(&self, ty: BlockType) -> &'m [Type] {
        match ty {
            BlockType::FuncType(index) => &self.items.signatures()[index as usize].params,
            _ => &[],
        }
    }

    pub(super) fn results_of(&self, ty: BlockType) -> &'m [Type] {
        match ty {
            BlockType::FuncType(index) => &self.items.signatures()[index as usize].results,
            BlockType::Type(ty) => single(super::items::value_type(ty)),
            BlockType::Empty => &[],
        }
    }

    pub(super) fn new_label(&mut self) -> u32 {
        self.labels.push(NONE);
        self.labels.len() as u32 - 1
    }

    pub(super) fn bind(&mut self, label: u32) {
        self.labels[label as usize] = self.here();
        self.block_start = self.here();
    }

    pub(super) fn jump(&mut self, op: Op, condition: u32, label: u32) {
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
            Opened::Function if self.live => self.visit_return(),
            Opened::Function | Opened::Dead => {}
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
}
