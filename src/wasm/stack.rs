//! What would stand on WebAssembly's stack, and the registers that stand for it.
//!
//! Comes in: pushes and pops of a validated function. Goes out: instructions, and for each value that is popped the register
//! that holds it. What must hold: a step costs a few machine instructions, however high the stack is; a register that
//! is given out holds nothing that is still to be read.
//!
//! An entry has a *level*, which says what has been seen to:
//!
//! - [`NEW`]: nothing. A result is in a register that must not cross blocks, and the instruction that made it is known.
//! - [`CROSSES`]: it may be read in another block, by one way only. Results are in registers of their own.
//! - [`FIXED`]: it may be read in another block to which there are several ways, so no local may be read for it any more.
//!
//! Below an entry there are only such of its level or a higher one, so that each entry is raised once.

use crate::isa::op::{Op, Type};
use crate::module::{Inst, MAX_LOCAL, Reg};

use super::consts::{Consts, constant};
use super::control::Frame;
use super::items::Items;

/// What kinds of registers are kept apart: their class, and whether the upper half is known to be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Pool {
    I32,
    I64,
    F32,
    F64,
}

impl Pool {
    /// References are handles of 32 bits.
    pub(super) fn of(ty: Type) -> Pool {
        match ty {
            Type::I32 | Type::Funcref | Type::Externref => Pool::I32,
            Type::I64 => Pool::I64,
            Type::F32 => Pool::F32,
            Type::F64 => Pool::F64,
        }
    }

    /// One number for all ints, others for floats.
    pub(super) fn class_number(self) -> u32 {
        (self as u32).saturating_sub(1)
    }
}

pub(super) const NEW: u8 = 0;
pub(super) const CROSSES: u8 = 1;
pub(super) const FIXED: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bits in `x` (low) and `y`.
    Const,
    /// The local `x`, as it is when this is read; `y` is the next lower entry for the same local, or at least no other one.
    Local,
    /// The register `x`, written by field `d` of instruction `y`, and not read yet.
    Result,
    /// The register `x`, written by the call or suchlike whose list has it at `y`, and not read yet.
    Listed,
    /// The register `x`, which may cross blocks, and is free when this is popped.
    Crossing,
    /// The register `x`, which belongs to a frame: that at `y` of [`Translator::slots`].
    Owned,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) level: u8,
    pub(super) pool: Pool,
    pub(super) x: u32,
    pub(super) y: u32,
}

/// No entry, no instruction.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    pub(super) field: u32,
    pub(super) pool: Pool,
    /// The highest entry for it on the stack, or an index at which there is none.
    pub(super) head: u32,
}

impl Local {
    /// Nothing is known of it yet: `r0` is no local.
    pub(super) const NONE: Local = Local { field: 0, pool: Pool::I32, head: NONE };
}

/// A function while it is translated. Its lists are used again for the next one.
pub(super) struct Translator<'m> {
    pub(super) items: &'m Items,
    pub(super) insts: Vec<Inst>,
    pub(super) lists: Vec<u32>,
    /// Before which instruction each label stands.
    pub(super) labels: Vec<u32>,
    pub(super) stack: Vec<Entry>,
    pub(super) frames: Vec<Frame>,
    /// The registers of frames: of a loop's or an arm's parameters, or of what a label takes; 0 where one is given away.
    pub(super) slots: Vec<u32>,
    /// The parameters of conditional frames, for their second arms.
    pub(super) saved: Vec<Entry>,
    /// Those of the present function, and behind them room for functions with more.
    pub(super) locals: Vec<Local>,
    /// Where the locals begin that have no register from the start, and their types: from which index on, and which.
    pub(super) late_from: u32,
    pub(super) declared: u32,
    pub(super) late: Vec<(u32, Type)>,
    /// Those of them that have one now.
    pub(super) late_named: Vec<u32>,
    pub(super) consts: Consts,
    /// Registers that nothing occupies: of those within blocks, and of those that may cross.
    free: [Vec<u32>; 4],
    free_crossing: [Vec<u32>; 4],
    /// The last local register that is taken.
    pub(super) next: u32,
    /// From which register on those that cross blocks are used again.
    pub(super) recycle_from: u32,
    /// Whether control can come here.
    pub(super) live: bool,
    /// The number of the instruction behind the last `i32.eqz` or `i64.eqz`, or 0.
    pub(super) after_eqz: u32,
    /// The number of the instruction behind the last `i32.wrap_i64`, or 0.
    pub(super) after_wrap: u32,
    /// The first instruction of the present block.
    pub(super) block_start: u32,
    /// More registers are needed than there are, or more words than the budget has.
    pub(super) full: bool,
    /// How large the function may become.
    pub(super) budget: usize,
    /// For `br_table`.
    pub(super) targets: Vec<u32>,
}

impl<'m> Translator<'m> {
    pub(super) fn new(items: &'m Items) -> Translator<'m> {
        Translator {
            items,
            insts: Vec::new(),
            lists: Vec::new(),
            labels: Vec::new(),
            stack: Vec::new(),
            frames: Vec::new(),
            slots: Vec::new(),
            saved: Vec::new(),
            locals: Vec::new(),
            late_from: 0,
            late: Vec::new(),
            late_named: Vec::new(),
            consts: Consts::new(),
            free: Default::default(),
            free_crossing: Default::default(),
            next: 0,
            recycle_from: 0,
            live: true,
            after_eqz: 0,
            after_wrap: 0,
            block_start: 0,
            declared: 0,
            budget: usize::MAX,
            full: false,
            targets: Vec::new(),
        }
    }

    /// Starts over, with these parameters.
    pub(super) fn clear(&mut self, params: &[Type]) {
        self.insts.clear();
        self.lists.clear();
        self.labels.clear();
        self.stack.clear();
        self.frames.clear();
        self.slots.clear();
        self.saved.clear();
        self.free.iter_mut().chain(&mut self.free_crossing).for_each(Vec::clear);
        (self.next, self.live, self.full) = (0, true, false);
        (self.after_eqz, self.after_wrap, self.block_start) = (0, 0, 0);
        self.locals[..self.late_from as usize].fill(Local::NONE);
        for &index in &self.late_named {
            self.locals[index as usize] = Local::NONE;
        }
        self.late.clear();
        self.late_named.clear();
        self.late_from = 0;
        for (index, &ty) in (0..).zip(params) {
            // Parameter 0 is `a1`, the register with the number -1.
            self.add_local(!index, ty);
        }
        self.declared = self.late_from;
    }

    /// What there is too much of, if anything is.
    pub(super) fn too_large(&self) -> Option<&'static str> {
        if self.next >= MAX_LOCAL && self.full {
            Some("needs more than 65,535 registers")
        } else {
            self.full.then_some("needs far more instructions than it has operators")
        }
    }

    /// How many words of memory, roughly, the function takes so far.
    pub(super) fn size(&self) -> usize {
        self.lists.len() + 4 * self.insts.len()
    }

    /// Called where one operator may become many words.
    #[inline]
    pub(super) fn watch_size(&mut self) {
        self.full |= self.size() > self.budget;
    }

    /// All locals are there: what registers are left is shared out.
    pub(super) fn begin(&mut self) {
        let left = MAX_LOCAL.saturating_sub(self.next + (self.declared - self.late_from));
        self.consts.clear((left / 4).min(8192) as usize);
        self.recycle_from = MAX_LOCAL - left / 2;
    }

    #[inline]
    pub(super) fn emit(&mut self, op: Op, d: u32, a: u32, b: u32) {
        self.insts.push(Inst { op, d, a, b });
    }

    /// The number of the next instruction.
    #[inline]
    pub(super) fn here(&self) -> u32 {
        self.insts.len() as u32
    }

    /// A register that nothing has used.
    #[inline]
    pub(super) fn fresh(&mut self) -> u32 {
        fresh(&mut self.next, &mut self.full)
    }

    /// A register for a value within the present block.
    #[inline]
    pub(super) fn temporary(&mut self, pool: Pool) -> u32 {
        match self.free[pool as usize].pop() {
            Some(register) => register,
            None => self.fresh(),
        }
    }

    /// Gives a register within blocks back.
    #[inline]
    pub(super) fn release(&mut self, pool: Pool, register: u32) {
        self.free[pool as usize].push(register);
    }

    /// Gives a register that crosses blocks back.
    pub(super) fn release_crossing(&mut self, pool: Pool, register: u32) {
        self.free_crossing[pool as usize].push(register);
    }

    /// A register for a value that crosses blocks; and whether nothing has used it yet, so that an instruction that has been
    /// emitted already may write it.
    ///
    /// While there are enough, each value gets a new one: the stitcher keeps a register for as long as any of its values.
    pub(super) fn crossing(&mut self, pool: Pool) -> (u32, bool) {
        if self.next >= self.recycle_from {
            if let Some(register) = self.free_crossing[pool as usize].pop() {
                return (register, false);
            }
        }
        (self.fresh(), true)
    }

    /// True while instructions that have been emitted may be changed to write registers that cross blocks, or change places
    /// with moves to these: until registers are used again.
    #[inline]
    pub(super) fn has_fresh(&self) -> bool {
        (self.next as usize) + self.stack.len() < self.recycle_from as usize
    }

    #[inline]
    pub(super) fn push(&mut self, kind: Kind, pool: Pool, x: u32, y: u32) {
        self.stack.push(Entry { kind, level: NEW, pool, x, y });
    }

    /// A register for the result of the instruction that is emitted next, in field `d`, which is pushed.
    #[inline]
    pub(super) fn push_result(&mut self, pool: Pool) -> u32 {
        let d = self.temporary(pool);
        self.push(Kind::Result, pool, d, self.here());
        d
    }

    pub(super) fn push_const(&mut self, pool: Pool, bits: u64) {
        if self.consts.insts.len() + self.stack.len() < self.consts.limit {
            self.push(Kind::Const, pool, bits as u32, (bits >> 32) as u32);
        } else {
            // There may be too few registers to keep it: this one is free when it has been read.
            let d = self.push_result(pool);
            self.insts.push(constant(pool, d, bits));
        }
    }

    /// The register that an entry's value is in.
    #[inline]
    pub(super) fn register_of(&mut self, entry: Entry) -> u32 {
        match entry.kind {
            Kind::Local => self.locals[entry.x as usize].field,
            Kind::Const => self.const_register(entry),
            _ => entry.x,
        }
    }

    #[inline]
    fn const_register(&mut self, entry: Entry) -> u32 {
        let Translator { consts, next, full, .. } = self;
        consts.register(entry.pool, literal(entry), || fresh(next, full))
    }

    /// Takes the highest entry off, and gives the register that its value is in; it may be written from the next
    /// instruction on.
    #[inline]
    pub(super) fn pop(&mut self) -> u32 {
        let Some(entry) = self.stack.pop() else { return self.underflow() };
        match entry.kind {
            Kind::Local => {
                let local = &mut self.locals[entry.x as usize];
                local.head = entry.y;
                local.field
            }
            Kind::Result | Kind::Listed => {
                self.free[entry.pool as usize].push(entry.x);
                entry.x
            }
            Kind::Const => self.const_register(entry),
            Kind::Crossing => {
                self.release_crossing(entry.pool, entry.x);
                entry.x
            }
            Kind::Owned => entry.x,
        }
    }

    /// The validator does not let it come to this.
    #[cold]
    fn underflow(&mut self) -> u32 {
        debug_assert!(false, "the stack is empty");
        self.full = true;
        MAX_LOCAL
    }

    /// Takes off what stands above `height`, without reading it.
    pub(super) fn truncate(&mut self, height: usize) {
        while self.stack.len() > height {
            self.drop_top();
        }
    }

    /// Takes the highest entry off without reading it.
    #[inline]
    pub(super) fn drop_top(&mut self) {
        let is_const = self.stack.last().is_some_and(|entry| entry.kind == Kind::Const);
        if is_const { _ = self.stack.pop() } else { _ = self.pop() }
    }

    /// Copies an entry's value to a register.
    pub(super) fn set_by_move(&mut self, entry: Entry, field: u32) {
        if entry.kind == Kind::Const {
            self.insts.push(constant(entry.pool, field, literal(entry)));
        } else {
            let from = self.register_of(entry);
            self.emit(Op::Move, field, from, 0);
        }
    }

    /// The present block ends: what stands on the stack goes to registers that may cross blocks.
    pub(super) fn end_block(&mut self) {
        let mut at = self.stack.len();
        while at > 0 && self.stack[at - 1].level == NEW {
            at -= 1;
            let entry = self.stack[at];
            let kept = match entry.kind {
                Kind::Result | Kind::Listed => self.let_cross(entry),
                _ => entry,
            };
            self.stack[at] = Entry { level: CROSSES, ..kept };
        }
    }

    fn let_cross(&mut self, entry: Entry) -> Entry {
        let (register, fresh) = self.crossing(entry.pool);
        self.send(entry, register, fresh);
        self.release(entry.pool, entry.x);
        Entry { kind: Kind::Crossing, x: register, ..entry }
    }

    /// Brings the value of an entry to a register: by changing what made it, where that `may` be done.
    pub(super) fn send(&mut self, entry: Entry, register: u32, may: bool) {
        match entry.kind {
            Kind::Result if may && entry.level == NEW => self.insts[entry.y as usize].d = register,
            Kind::Listed if may && entry.level == NEW => self.lists[entry.y as usize] = register,
            _ => self.set_by_move(entry, register),
        }
    }

    /// There will be several ways to where entries below `height` are read: locals are copied for them.
    pub(super) fn fix(&mut self, height: usize) {
        let mut at = height.min(self.stack.len());
        while at > 0 && self.stack[at - 1].level != FIXED {
            at -= 1;
            let entry = self.stack[at];
            let kept = match entry.kind {
                Kind::Local => {
                    let (x, _) = self.crossing(entry.pool);
                    self.set_by_move(entry, x);
                    Entry { kind: Kind::Crossing, x, ..entry }
                }
                Kind::Result | Kind::Listed => self.let_cross(entry),
                _ => entry,
            };
            self.stack[at] = Entry { level: FIXED, ..kept };
        }
    }
}

/// A constant's bits.
pub(super) fn literal(entry: Entry) -> u64 {
    u64::from(entry.x) | u64::from(entry.y) << 32
}

#[inline]
fn fresh(next: &mut u32, full: &mut bool) -> u32 {
    if *next >= MAX_LOCAL {
        *full = true;
        return Reg::local(MAX_LOCAL).field();
    }
    *next += 1;
    *next
}
