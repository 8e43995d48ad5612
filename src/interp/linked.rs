//! Instances of linked modules, interpreted.
//!
//! Comes in: a verified module and what it is linked with. Goes out: [`LinkedInstance`], whose calls may be nested in one
//! another, since it keeps nothing of its own that changes. What must hold: a call that leaves an instance consumes the
//! host's stack, so [`Nesting`] bounds how many there are, and how much of the stack they take.

use std::cell::Cell;
use std::sync::Arc;

use crate::objects::{Func, Links, View};
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};
use crate::verified::Verified;

use super::machine::Machine;
use super::native::{Left, World};
use super::run::{self, Friends};
use super::store::Codes;
use super::{Limits, check_args};

/// Who calls functions for an instance that are not its own.
pub trait Outside {
    /// Calls a function with the raw bits of its arguments, and appends those of its results to `results`: as many as its
    /// signature says. What the caller prints to and reads from is lent to it.
    ///
    /// # Errors
    /// Where the function was stopped. A trap without frames is one of the call itself.
    fn call(&self, func: &Func, args: &[u64], results: &mut Vec<u64>, streams: &mut Streams) -> Result<Left, RunError>;
}

/// What a running instance is linked with, and who calls others for it.
#[derive(Clone, Copy)]
pub(super) struct Linked<'w> {
    pub(super) links: &'w Links,
    pub(super) outside: &'w dyn Outside,
}

/// An instance of a linked module.
#[derive(Debug)]
pub struct LinkedInstance {
    verified: Verified,
    codes: Codes,
    links: Arc<Links>,
}

impl LinkedInstance {
    /// An instance that is linked so. What `init` items say stands in the memory then; elements and segments are the
    /// affair of whoever instantiates.
    ///
    /// # Panics
    /// If the links are not those of this module.
    #[must_use]
    pub fn new(verified: &Verified, links: Arc<Links>) -> LinkedInstance {
        let module = verified.module();
        let fits = links.imports.len() == module.imports.len()
            && links.own.len() == module.functions.len()
            && links.tables.len() == module.tables.len()
            && links.globals.len() == module.globals.len()
            && links.memory.is_some() == module.memory.is_some()
            && links.elements.len() == module.elements.len()
            && links.elements_gone.len() == module.elements.len()
            && links.segments_gone.len() == module.segments.len()
            && links.signatures.len() == module.signatures.len();
        assert!(fits, "an instance is linked with what its module says");
        for init in &module.inits {
            let written = links.memory.as_ref().map(|memory| memory.write(init.offset, &init.bytes));
            assert_eq!(written, Some(Ok(())), "a memory is as large as the module says");
        }
        // Every instance of the module interprets it as a linked one, whatever it shares.
        LinkedInstance { verified: verified.clone(), codes: Codes::linked(verified), links }
    }

    /// The module.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// What it is linked with.
    #[must_use]
    pub fn links(&self) -> &Arc<Links> {
        &self.links
    }

    /// Calls function `function` with `args`, raw register bits, where [`super::call`] says how. It may be called again
    /// while a call is in progress, by those whom `outside` calls.
    ///
    /// # Errors
    /// Those of [`super::call`], and of whatever the function calls.
    pub fn call(
        &self,
        outside: &dyn Outside,
        streams: &mut Streams,
        function: u32,
        args: &[u64],
    ) -> Result<Outcome, RunError> {
        self.call_within(&Limits::default(), outside, streams, function, args)
    }

    /// Like [`call`](Self::call), with limits of the caller's choice. Of frames and registers, this call has what those leave
    /// that it is nested in.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    pub fn call_within(
        &self,
        limits: &Limits,
        outside: &dyn Outside,
        streams: &mut Streams,
        function: u32,
        args: &[u64],
    ) -> Result<Outcome, RunError> {
        check_args(&self.verified, function, args)?;
        let limits = Nesting::current().left_of(limits);
        let machine = Machine::new(&limits, &self.verified, &self.codes);
        let links = &*self.links;
        let memory = links.memory.as_ref().map_or_else(|| View::new(&mut [], 0, 0), |memory| View::of(memory));
        let world = World { memory, globals: &mut [], streams: &mut *streams };
        let friends = Friends { natives: None, linked: Some(Linked { links, outside }) };
        let (_, result) = run::run(machine, function, args, world, friends);
        streams.finish(result)
    }
}

/// What the calls in progress on a thread, each nested in one before, have taken of what they share.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nesting {
    calls: usize,
    frames: usize,
    registers: usize,
    /// Where the host's stack was when the first of them left its instance.
    start: usize,
}

thread_local! {
    static NESTING: Cell<Nesting> = const { Cell::new(Nesting { calls: 0, frames: 0, registers: 0, start: 0 }) };
}

impl Nesting {
    /// How many calls may leave their instances, each within one before: as many as machine code may nest.
    const CALLS: usize = 256;
    /// How many bytes of the host's stack they may take before another leaves. Each takes 1 to 2 KiB here, so that 256
    /// of them stay below this; in a build without optimisation it is some 10 KiB, and what functions of the host take in
    /// between is theirs to choose. The smallest stacks to be expected are those of Rust's threads, with 2 MiB: half
    /// of that stays free for what was there before, and for what the innermost call does.
    const STACK: usize = 1 << 20;

    pub(super) fn current() -> Nesting {
        NESTING.get()
    }

    /// What these calls leave of limits.
    fn left_of(&self, limits: &Limits) -> Limits {
        Limits {
            frames: limits.frames.saturating_sub(self.frames),
            registers: limits.registers.saturating_sub(self.registers),
            jumps: limits.jumps,
        }
    }

    /// Counts another call that leaves its instance, in which so many functions are being executed with room for so many
    /// registers; nothing where it must not. It is counted until what is given is dropped.
    pub(super) fn enter((frames, registers): (usize, usize)) -> Option<Nested> {
        let before = NESTING.get();
        let here = std::ptr::from_ref(&before).addr();
        let start = if before.calls == 0 { here } else { before.start };
        if before.calls >= Nesting::CALLS || start.abs_diff(here) > Nesting::STACK {
            return None;
        }
        NESTING.set(Nesting {
            calls: before.calls + 1,
            frames: before.frames + frames,
            registers: before.registers + registers,
            start,
        });
        Some(Nested(before))
    }
}

/// A call that has left its instance, until it is dropped.
pub(super) struct Nested(Nesting);

impl Drop for Nested {
    fn drop(&mut self) {
        NESTING.set(self.0);
    }
}
