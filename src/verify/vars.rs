//! What is learned of each variable while the instructions go by.
//!
//! Comes in: reads and writes in the order of the text. Goes out: classes and facts. What must hold: each read and
//! write costs a few machine instructions; sets of variables of one still unknown class are kept as a forest.

use crate::isa::op::Class;
use crate::verified::Var;

/// No instruction, no variable.
pub(super) const NONE: u32 = u32::MAX;
/// Stands for the instruction where the signature says what a variable is.
pub(super) const SIGNATURE: u32 = u32::MAX - 1;
/// The class of a variable that nothing has typed yet.
pub(super) const UNKNOWN: u8 = 3;

/// What is known of a variable so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) first_write: u32,
    /// Where the class is known: the instruction that made it so, or [`SIGNATURE`]. Where it is not: a variable that
    /// must have the same class, or [`NONE`] at the root of such a tree.
    pub(super) link: u32,
    /// The block that wrote it last; [`NONE`] if none did.
    pub(super) block: u32,
    /// A [`Class`] as number, or [`UNKNOWN`].
    pub(super) class: u8,
    pub(super) flags: u8,
}

impl State {
    /// A local before anything was seen of it; it starts as zero.
    pub(super) const LOCAL: State =
        State { first_write: NONE, link: NONE, block: NONE, class: UNKNOWN, flags: Var::NARROW };

    /// A parameter, or `r0`.
    pub(super) fn given(class: Class, narrow: bool) -> State {
        State { class: class as u8, link: SIGNATURE, flags: if narrow { Var::NARROW } else { 0 }, ..State::LOCAL }
    }

    fn touched(&self) -> bool {
        self.first_write != NONE || self.flags & Var::READ != 0
    }
}

/// All variables of one function.
#[derive(Debug, Default)]
pub(super) struct Vars {
    pub(super) states: Vec<State>,
    /// `(d, a)` where the int `d` gets a copy of `a`.
    copies: Vec<(u32, u32)>,
}

impl Vars {
    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.copies.clear();
    }

    /// Makes room for local variable `var`, with some to spare.
    #[cold]
    pub(super) fn grow(&mut self, var: usize, limit: usize) {
        let wanted = (var + 1).max(self.states.len() * 2).min(limit);
        self.states.resize(wanted.max(var + 1), State::LOCAL);
    }

    /// The variable that stands for all those of `var`'s class: the one that knows it, or the root of the tree.
    pub(super) fn find(&mut self, mut var: u32) -> u32 {
        loop {
            let State { class, link, .. } = self.states[var as usize];
            if class != UNKNOWN || link == NONE {
                return var;
            }
            let next = self.states[link as usize];
            if next.class == UNKNOWN && next.link != NONE {
                // Halving the path keeps trees flat.
                self.states[var as usize].link = next.link;
            }
            var = link;
        }
    }

    /// The class of `var` if it is known, and the instruction that made it so.
    pub(super) fn class(&mut self, var: u32) -> Option<(u8, u32)> {
        let root = self.find(var);
        let State { class, link, .. } = self.states[root as usize];
        if class == UNKNOWN {
            return None;
        }
        let state = &mut self.states[var as usize];
        (state.class, state.link) = (class, link);
        Some((class, link))
    }

    /// Gives `var` a class for the first time.
    pub(super) fn set_class(&mut self, var: u32, class: u8, inst: u32) {
        let root = self.find(var);
        for var in [root, var] {
            let state = &mut self.states[var as usize];
            (state.class, state.link) = (class, inst);
        }
    }

    /// Makes two variables of unknown class one.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            self.states[a as usize].link = b;
        }
    }

    /// Notes that `d` gets a copy of `a`: it is narrow only if `a` turns out so.
    #[inline]
    pub(super) fn copy(&mut self, d: u32, a: u32) {
        if self.states[d as usize].flags & Var::NARROW != 0 {
            self.copies.push((d, a));
        }
    }

    /// Settles what is still open, gives up variables that nothing names, and hands out the rest.
    ///
    /// The first `given` variables are kept in any case.
    pub(super) fn finish(&mut self, given: usize) -> Vec<Var> {
        let used = self.states.iter().rposition(State::touched).map_or(0, |last| last + 1);
        self.states.truncate(used.max(given));
        for var in 0..self.states.len() {
            if self.states[var].class == UNKNOWN && self.class(var as u32).is_none() {
                self.set_class(var as u32, Class::Int as u8, NONE);
            }
            if self.states[var].class == Class::F32 as u8 {
                self.states[var].flags |= Var::NARROW;
            }
        }
        self.settle_copies();
        self.states
            .iter()
            .map(|s| Var { class: class_of(s.class), flags: s.flags, first_write: s.first_write })
            .collect()
    }

    /// Takes NARROW from the copies of variables that are not.
    fn settle_copies(&mut self) {
        let copies = std::mem::take(&mut self.copies);
        let forward = self.widen(copies.iter());
        // Two sweeps settle what programs have; where chains need more, no copy counts as narrow.
        if forward && self.widen(copies.iter().rev()) && self.widen(copies.iter()) {
            for &(d, _) in &copies {
                if self.states[d as usize].class != Class::F32 as u8 {
                    self.states[d as usize].flags &= !Var::NARROW;
                }
            }
        }
        self.copies = copies;
    }

    /// One sweep; true if it changed anything.
    fn widen<'c>(&mut self, copies: impl Iterator<Item = &'c (u32, u32)>) -> bool {
        let mut changed = false;
        for &(d, a) in copies {
            let narrow = self.states[a as usize].flags & Var::NARROW;
            let flags = &mut self.states[d as usize].flags;
            let kept = *flags & (narrow | !Var::NARROW);
            changed |= kept != *flags;
            *flags = kept;
        }
        changed
    }
}

pub(super) fn class_of(number: u8) -> Class {
    match number {
        1 => Class::F32,
        2 => Class::F64,
        _ => Class::Int,
    }
}
