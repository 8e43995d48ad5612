//! What all instances of an engine share: the arena, and the code that is not part of any image.
//!
//! Comes in: snippets of the built-in library. Goes out: the addresses of entry and trap exit. What must hold:
//! all of that lives as long as any instance.

use std::sync::Arc;

use crate::isa::part::Part;
use crate::isa::snippet::MAX_REGS;
use crate::library::Library;

#[cfg(test)]
use super::arena::Publishing;
use super::arena::{Arena, ArenaSize, ExecutableCode};
use super::error::ExecError;

/// An arena with entry and trap exit in it.
#[derive(Debug)]
pub struct Runtime {
    arena: Arc<Arena>,
    /// Where they are; kept for as long as they may be used.
    _code: ExecutableCode,
    enter: usize,
    enter_int: usize,
    trap_exit: usize,
}

impl Runtime {
    /// A runtime with an arena of this size, or a smaller one where address space is short.
    ///
    /// # Errors
    /// Where the system does not let code be executed.
    pub fn new(size: ArenaSize) -> Result<Arc<Runtime>, ExecError> {
        Runtime::within(Arena::new(size, &part(Part::Filler))?)
    }

    /// A runtime that publishes in the given way.
    ///
    /// # Errors
    /// As [`Runtime::new`], and where the system does not support that way.
    #[cfg(test)]
    pub fn with(size: ArenaSize, publishing: Publishing) -> Result<Arc<Runtime>, ExecError> {
        Runtime::within(Arena::with(size, &part(Part::Filler), publishing)?)
    }

    fn within(arena: Arc<Arena>) -> Result<Arc<Runtime>, ExecError> {
        let mut bytes = Vec::new();
        let mut place = |snippet: &[u8]| {
            bytes.resize(bytes.len().next_multiple_of(16), 0);
            let at = bytes.len();
            bytes.extend_from_slice(snippet);
            at
        };
        let enter = place(&part(Part::EntryTrampoline));
        let enter_int = place(&part(Part::EntryInt));
        let trap_exit = place(&part(Part::TrapExit));
        let mut code = arena.code(bytes.len())?;
        code.bytes_mut().copy_from_slice(&bytes);
        let code = code.publish()?;
        let base = code.address();
        Ok(Arc::new(Runtime {
            enter: base + enter,
            enter_int: base + enter_int,
            trap_exit: base + trap_exit,
            arena,
            _code: code,
        }))
    }

    /// Where code and data go.
    #[must_use]
    pub fn arena(&self) -> &Arc<Arena> {
        &self.arena
    }

    /// The entry for calls with or without floats.
    #[inline]
    pub(super) fn enter(&self, floats: bool) -> usize {
        if floats { self.enter } else { self.enter_int }
    }

    pub(super) fn trap_exit(&self) -> usize {
        self.trap_exit
    }
}

fn part(part: Part) -> Vec<u8> {
    let library = Library::native();
    library.bytes(library.part(part), [0; MAX_REGS])
}
