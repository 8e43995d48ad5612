//! The walk's steps: what a read and a write change of a variable, and the loop over instructions without lists.
//!
//! Comes in: instructions, last to first. Goes out: their notes, and for each variable what [`Live`] makes its range of.
//! What must hold: a step costs a few machine instructions, because each operand of a function is one.

use crate::isa::op::Shape;
use crate::library::Fusions;
use crate::module::Inst;
use crate::stitch::fuse::{self, Other};
use crate::stitch::operands::{shape, traits};
use crate::verified::{Body, Var};

use super::{
    ENDS_A, ENDS_B, ENDS_D, FUSED, HINT, LOCAL, Live, NEEDLESS, NO_HINT, SPANS, UNUSED, known_constant, read_at,
};

/// In [`Seen::needed`]: a constant stands for the variable.
pub(super) const ALWAYS: u32 = u32::MAX;

/// What the walk knows while it looks at one block.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) block: u32,
    pub(super) weight: u32,
    pub(super) position: u32,
}

/// What the walk knows of a variable: half a line of the cache, with all that a read or a write changes.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Seen {
    /// Its index among [`Live::ranges`], or [`LOCAL`].
    pub(super) range: u32,
    /// If it crosses blocks, the last position at which it is needed, as far as that is known. If not, 0 while its value
    /// is not needed, else one more than the calls passed when it came to be.
    pub(super) needed: u32,
    /// As in [`Range`](super::Range), like what follows.
    pub(super) start: u32,
    pub(super) weight: u32,
    pub(super) first_block: u32,
    pub(super) last_block: u32,
    /// Where the value that is needed is best put.
    pub(super) hint: u8,
    /// 0 for ints, 1 for floats.
    pub(super) class: u8,
}

impl Seen {
    /// A variable that crosses blocks is seen. Says whether it was for the last time.
    #[inline(always)]
    pub(super) fn touch(&mut self, at: At, position: u32) -> bool {
        self.start = position;
        self.first_block = at.block;
        self.weight = self.weight.wrapping_add(at.weight);
        if self.needed != 0 {
            return false;
        }
        self.needed = position;
        self.last_block = at.block;
        true
    }
}

impl Live {
    /// A variable is read; gives `flag` where its value is not needed afterwards.
    #[inline(always)]
    pub(super) fn read(&mut self, at: At, var: u32, flag: u16) -> u16 {
        let seen = &mut self.vars[var as usize];
        if seen.range != LOCAL {
            return if seen.touch(at, at.position) { flag } else { 0 };
        }
        if seen.needed != 0 {
            return 0;
        }
        seen.needed = self.calls_passed + 1;
        let class = usize::from(seen.class & 1);
        self.needed_now[class] += 1;
        self.pressure.most[class] = self.pressure.most[class].max(self.needed_now[class]);
        flag
    }

    /// A variable is written; gives the part of the note that is about the result.
    #[inline(always)]
    pub(super) fn write(&mut self, at: At, var: u32) -> u16 {
        let seen = &mut self.vars[var as usize];
        if seen.range != LOCAL {
            if seen.touch(at, at.position + 1) {
                // Even a value that nobody reads needs a place of its own among the results of a call.
                seen.needed += 1;
            }
            return 0;
        }
        let needed = seen.needed;
        if needed == 0 {
            return UNUSED;
        }
        if needed == ALWAYS {
            return 0;
        }
        seen.needed = 0;
        let hint = std::mem::replace(&mut seen.hint, NO_HINT);
        self.needed_now[usize::from(seen.class & 1)] -= 1;
        let spans = if needed == self.calls_passed + 1 { 0 } else { SPANS };
        spans | u16::from(hint) << HINT
    }

    /// The instructions from `end` back to the first that has more operands than its fields, or to `start`. Few have,
    /// so that this loop decides what the walk costs. Says where it stopped.
    #[inline(never)]
    pub(super) fn simple(&mut self, body: &Body, fusions: &Fusions, block: At, start: usize, end: usize) -> usize {
        let mut index = end;
        while index > start {
            let inst = &body.insts[index - 1];
            let known = traits(inst.op);
            if !known.is_simple() {
                break;
            }
            index -= 1;
            let at = At { position: read_at(index), ..block };
            let mut note = 0;
            if known.writes() {
                note = self.write(at, inst.d);
                if note == UNUSED && known.is_removable() {
                    self.notes[index] = UNUSED | NEEDLESS;
                    continue;
                }
            }
            if fusions.may_end(inst.op) && index > start {
                // Most neighbours have nothing to do with each other, or others read what lies between them.
                let before = &body.insts[index - 1];
                if fusions.may_begin(before.op) && (inst.a == before.d || inst.b == before.d) {
                    let between = &self.vars[before.d as usize];
                    if between.range == LOCAL && between.needed == 0 && self.fuse(body, fusions, at, start, index, note)
                    {
                        index -= 1;
                        continue;
                    }
                }
            }
            // The same variable twice ends once, at the one that is looked at first.
            if known.reads_b() {
                note |= self.read(at, inst.b, ENDS_B);
                note |= self.read(at, inst.a, ENDS_A);
            } else {
                if known.reads_d() {
                    note |= self.read(at, inst.d, ENDS_D);
                }
                if known.reads_a() {
                    note |= self.read(at, inst.a, ENDS_A);
                }
            }
            self.notes[index] = note;
        }
        index
    }

    /// Makes the instruction at `index` one with that before it, if the library has a snippet for both, and does for both
    /// what the walk does for each; nothing else reads what the first one writes. `note` is on what the second one writes.
    #[inline(never)]
    fn fuse(&mut self, body: &Body, fusions: &Fusions, at: At, start: usize, index: usize, note: u16) -> bool {
        let (first, second) = (&body.insts[index - 1], &body.insts[index]);
        let literal = |var: u32| {
            // What stands right before both may be a constant of its own, even where the variable has many values.
            let before = index.checked_sub(2).filter(|&before| before >= start).map(|before| &body.insts[before]);
            let own = |inst: &&Inst| shape(inst.op) == Shape::Const && inst.d == var;
            let crosses = body.vars[var as usize].has(Var::CROSSES);
            known_constant(body, var).or_else(|| before.filter(own).filter(|_| !crosses).map(Inst::literal))
        };
        let Some(found) = fuse::find(fusions, first, second, literal) else { return false };
        let other = match found.other {
            Some(Other { var, flag }) => self.read(at, var, flag),
            None => 0,
        };
        self.notes[index] = note | other;
        let at = At { position: read_at(index - 1), ..at };
        let mut note = FUSED;
        if traits(first.op).reads_b() {
            note |= self.read(at, first.b, ENDS_B);
        }
        if traits(first.op).reads_a() {
            note |= self.read(at, first.a, ENDS_A);
        }
        self.notes[index - 1] = note;
        true
    }
}
