//! Locals: their registers, and reading and writing them.
//!
//! Comes in: `local.get`, `local.set` and `local.tee` of a validated function. Goes out: mostly nothing for the first, and for
//! the others a change of where the instruction before puts its result. What must hold: what stands on the stack is what the
//! local was when it was read; a local that is never used costs nothing, however many there are.

use crate::isa::op::{Op, Type};
use crate::module::Inst;

use super::stack::{Entry, Kind, Local, NEW, NONE, Pool, Translator};

/// How many locals have a register whether they are used or not.
const EARLY: u32 = 256;

impl Translator<'_> {
    pub(super) fn add_local(&mut self, field: u32, ty: Type) {
        let local = Local { field, pool: Pool::of(ty), head: NONE };
        match self.locals.get_mut(self.late_from as usize) {
            Some(room) => *room = local,
            None => self.locals.push(local),
        }
        self.late_from += 1;
    }

    /// Adds locals of one type. The first ones have registers of their own numbers; where there are many, each of the
    /// others gets one when it is used, if it is.
    pub(super) fn add_locals(&mut self, count: u32, ty: Type) {
        let early = if self.late.is_empty() { count.min(EARLY.saturating_sub(self.next)) } else { 0 };
        for _ in 0..early {
            self.next += 1;
            self.add_local(self.next, ty);
        }
        if count > early {
            self.late.push((self.declared + early, ty));
        }
        self.declared += count;
        if self.locals.len() < self.declared as usize {
            self.locals.resize(self.declared as usize, Local::NONE);
        }
    }

    /// A local, which has a register.
    #[inline]
    fn local(&mut self, index: u32) -> &mut Local {
        if self.locals[index as usize].field == 0 {
            self.name_late(index);
        }
        &mut self.locals[index as usize]
    }

    #[cold]
    fn name_late(&mut self, index: u32) {
        let after = self.late.partition_point(|&(first, _)| first <= index);
        let ty = after.checked_sub(1).map_or(Type::I32, |at| self.late[at].1);
        self.locals[index as usize] = Local { field: self.fresh(), pool: Pool::of(ty), head: NONE };
        self.late_named.push(index);
    }

    #[inline]
    pub(super) fn visit_local_get(&mut self, index: u32) {
        let at = self.stack.len() as u32;
        let local = self.local(index);
        // A head that is not below this entry is a stale one.
        let next = if local.head < at { local.head } else { NONE };
        local.head = at;
        let pool = local.pool;
        self.push(Kind::Local, pool, index, next);
    }

    /// Writes the highest entry to a local.
    #[inline]
    pub(super) fn visit_local_set(&mut self, index: u32) {
        let Some(&entry) = self.stack.last() else { return };
        if entry.kind == Kind::Local && entry.x == index {
            self.pop();
            return;
        }
        let field = self.local(index).field;
        if entry.kind == Kind::Result && entry.y + 1 == self.here() {
            self.pop();
            self.read_before_last(index);
            if let Some(last) = self.insts.last_mut() {
                last.d = field;
            }
            return;
        }
        if entry.kind == Kind::Listed && self.is_single_result_of_last(entry) {
            self.pop();
            self.read_before_last(index);
            self.lists[entry.y as usize] = field;
            return;
        }
        self.read_pending(index);
        self.set_by_move(entry, field);
        self.drop_top();
    }

    #[inline]
    pub(super) fn visit_local_tee(&mut self, index: u32) {
        let Some(&entry) = self.stack.last() else { return };
        match entry.kind {
            Kind::Local if entry.x == index => {}
            // The value is to be had as easily as before.
            Kind::Local | Kind::Const => {
                self.read_pending(index);
                let field = self.local(index).field;
                self.set_by_move(entry, field);
            }
            _ => {
                self.visit_local_set(index);
                self.visit_local_get(index);
            }
        }
    }

    /// True where the last instruction is what gave the entry, and gave nothing else.
    fn is_single_result_of_last(&self, entry: Entry) -> bool {
        let before = match self.insts.last() {
            Some(Inst { op: Op::Call, b, .. }) => *b,
            Some(Inst { op: Op::Calli, b, .. }) => b + 1,
            Some(inst) if inst.op.object().is_some() => inst.b + 2,
            _ => return false,
        };
        before + 1 == entry.y && self.lists[before as usize] == 1
    }

    /// Copies a local that is about to be written, for all entries that are still to read it.
    #[inline]
    fn read_pending(&mut self, index: u32) {
        if self.local(index).head != NONE {
            self.read_local(index, false);
        }
    }

    /// The same before the last instruction, whose result goes to that local.
    #[inline]
    fn read_before_last(&mut self, index: u32) {
        if self.locals[index as usize].head != NONE {
            if let Some(last) = self.insts.pop() {
                // What the instruction reads may be in registers that count as free.
                self.read_local(index, true);
                self.insts.push(last);
            }
        }
    }

    #[cold]
    fn read_local(&mut self, index: u32, only_fresh: bool) {
        let Local { field, pool, head, .. } = self.locals[index as usize];
        let mut at = head;
        while let Some(&entry) = self.stack.get(at as usize).filter(|e| e.kind == Kind::Local && e.x == index) {
            let here = self.here();
            let fixed = if entry.level == NEW {
                let x = if only_fresh { self.fresh() } else { self.temporary(pool) };
                Entry { kind: Kind::Result, x, y: here, ..entry }
            } else {
                let x = if only_fresh { self.fresh() } else { self.crossing(pool).0 };
                Entry { kind: Kind::Crossing, x, ..entry }
            };
            self.emit(Op::Move, fixed.x, field, 0);
            self.stack[at as usize] = fixed;
            at = entry.y;
        }
        self.locals[index as usize].head = NONE;
    }
}
