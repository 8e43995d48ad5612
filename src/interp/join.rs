//! Makes one step of two that belong together.
//!
//! Comes in: the steps of a function, with what they were made of and which values are read once. Goes out: the same
//! with pairs in place of seconds, and their firsts left out. What must hold: a value that is not written any more is
//! read by nobody but its pair.

use crate::isa::op::{Flag, Op, Shape};
use crate::verified::{Body, Var};

use super::code::Step;
use super::run::{Family, Link, copies, pair};

const NONE: u32 = u32::MAX;

/// What a step was made of.
#[derive(Clone, Copy, Debug)]
struct Kind {
    op: Op,
    family: Family,
    /// What it writes is read by one step, in the same block.
    once: bool,
}

/// The step that wrote a variable last, and how many have read it since.
#[derive(Clone, Copy, Debug)]
struct Use {
    writer: u32,
    reads: u32,
}

/// What is known of the steps of a function while they are made.
#[derive(Debug)]
pub(super) struct Pairs {
    /// For each step.
    kinds: Vec<Kind>,
    /// For each variable, what the block does with it.
    uses: Vec<Use>,
    /// The variables that the block has written.
    written: Vec<u32>,
}

impl Pairs {
    pub(super) fn new(body: &Body) -> Pairs {
        let uses = vec![Use { writer: NONE, reads: 0 }; body.vars.len()];
        Pairs { kinds: Vec::with_capacity(body.insts.len()), uses, written: Vec::new() }
    }

    /// The next step reads a variable.
    pub(super) fn read(&mut self, var: u32) {
        self.uses[var as usize].reads += 1;
    }

    /// The next step writes a variable, after all that it reads.
    pub(super) fn write(&mut self, var: u32) {
        self.settle(var, true);
        self.uses[var as usize].writer = self.kinds.len() as u32;
        self.written.push(var);
    }

    /// There is the next step.
    pub(super) fn step(&mut self, op: Op, family: Family) {
        self.kinds.push(Kind { op, family, once: false });
    }

    /// A block ends.
    pub(super) fn end_block(&mut self, body: &Body) {
        while let Some(var) = self.written.pop() {
            self.settle(var, !body.vars[var as usize].has(Var::CROSSES));
        }
    }

    /// Finds whether what was written to a variable last is read once, where all that read it are known.
    fn settle(&mut self, var: u32, is_all: bool) {
        let Use { writer, reads } = std::mem::replace(&mut self.uses[var as usize], Use { writer: NONE, reads: 0 });
        if let Some(kind) = self.kinds.get_mut(writer as usize) {
            kind.once = is_all && reads == 1;
        }
    }

    /// Joins steps that follow one another in a block, but for those that are left out. First steps of pairs are left out,
    /// too, then. `starts` are the first steps of the blocks.
    pub(super) fn join(&self, steps: &mut [Step], origins: &mut [u32], idle: &mut [bool], starts: &[u32]) {
        let mut starts = starts.iter().peekable();
        let mut last = None;
        for at in 0..steps.len() {
            while starts.next_if(|&&start| start as usize <= at).is_some() {
                last = None;
            }
            if idle[at] {
                continue;
            }
            let step = |at: usize| (&steps[at], self.kinds[at]);
            let joined = last.and_then(|last| Some((last, join(step(last), step(at))?)));
            last = Some(at);
            if let Some((first, (step, first_ends))) = joined {
                steps[at] = step;
                origins[at] = origins[if first_ends { first } else { at }];
                idle[first] = true;
                last = None;
            }
        }
    }
}

/// The step that does `first` and then `second`, if there is one; true if it is `first` that can end the run.
fn join((first, kind): (&Step, Kind), (second, next): (&Step, Kind)) -> Option<(Step, bool)> {
    let is_load = kind.op.row().shape == Shape::Load;
    let (found, literal) = (first.d, matches!(kind.family, Family::Literal));
    let joined = |link, d, c| {
        let run = pair(kind.op, literal, next.op, link)?;
        Some((Step { run, d, a: first.a, b: first.b, c }, is_load))
    };
    match (next.op.row().shape, next.family) {
        (Shape::Move, _) if kind.op.row().shape == Shape::Move => {
            let step = Step { run: copies, d: first.d, a: first.a, b: second.d, c: second.a };
            Some((step, false))
        }
        (Shape::Value, Family::JumpIf | Family::JumpUnless | Family::JumpIfLiteral | Family::JumpUnlessLiteral) => {
            let counts = Link::Counts {
                literal: matches!(next.family, Family::JumpIfLiteral | Family::JumpUnlessLiteral),
                wanted: matches!(next.family, Family::JumpIf | Family::JumpIfLiteral),
            };
            // Where the first changes a register in place, there is a field for everything.
            if first.a == found && second.a == found { joined(counts, second.d, second.b) } else { None }
        }
        _ if !kind.once => None,
        (Shape::Value, Family::Literal) if second.a == found => {
            joined(Link::First { literal: true }, second.d, second.b)
        }
        (Shape::Value, Family::Plain) if second.a == found && next.op.row().args.len() == 2 => {
            joined(Link::First { literal: false }, second.d, second.b)
        }
        (Shape::Value, Family::Plain) if second.b == found && next.op.row().args.len() == 2 => {
            let link = if next.op.row().has(Flag::Commutes) { Link::First { literal: false } } else { Link::Second };
            joined(link, second.d, second.a)
        }
        (Shape::Load, _) if second.a == found => joined(Link::Only, second.d, second.b),
        (Shape::Store, _) if second.d == found => joined(Link::Stored, second.a, second.b),
        (Shape::Branch, _) if second.a == found => joined(Link::Only, second.d, 0),
        _ => None,
    }
}
