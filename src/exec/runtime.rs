//! What all instances of an engine share: the arena, and the code that is not part of any image.
//!
//! Comes in: snippets of the built-in library. Goes out: the addresses of entry and trap exit. What must hold:
//! all of that lives as long as any instance.

use std::sync::Arc;
#[cfg(feature = "elf")]
use std::sync::{Mutex, PoisonError};

use crate::isa::part::Part;
use crate::isa::snippet::MAX_REGS;
use crate::library::Library;

#[cfg(any(test, feature = "elf"))]
use super::arena::Publishing;
use super::arena::{Arena, ArenaSize, ExecutableCode};
use super::context::Span;
use super::error::ExecError;
use super::host::HostCode;
#[cfg(feature = "elf")]
use super::observe::{self, Observed};

/// An arena with entry and trap exit in it.
#[derive(Debug)]
pub struct Runtime {
    /// What the unwinder and debuggers know of the code; before it, so that nobody knows of code that is gone.
    #[cfg(feature = "elf")]
    observed: Mutex<[Option<Observed>; 2]>,
    /// Before the code, as it is known.
    host: HostCode,
    arena: Arc<Arena>,
    /// Where they are; kept for as long as they may be used.
    _code: ExecutableCode,
    enter: usize,
    enter_int: usize,
    trap_exit: usize,
    /// The lengths of the entries.
    #[cfg(feature = "elf")]
    lens: [usize; 2],
}

impl Runtime {
    /// A runtime with an arena of this size, or a smaller one where address space is short.
    ///
    /// # Errors
    /// Where the system does not let code be executed.
    pub fn new(size: ArenaSize) -> Result<Arc<Runtime>, ExecError> {
        Runtime::within(Arena::new(size, &part(Part::Filler))?)
    }

    /// A runtime whose code debuggers can set breakpoints in: the system does not let them write to shared pages.
    ///
    /// # Errors
    /// As [`Runtime::new`].
    #[cfg(feature = "elf")]
    pub fn debuggable(size: ArenaSize) -> Result<Arc<Runtime>, ExecError> {
        Runtime::within(Arena::with(size, &part(Part::Filler), Publishing::Sealed)?)
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
        let host_bytes = HostCode::bytes();
        let host = place(&host_bytes);
        let mut code = arena.code(bytes.len())?;
        code.bytes_mut().copy_from_slice(&bytes);
        let code = code.publish()?;
        let base = code.address();
        Ok(Arc::new(Runtime {
            enter: base + enter,
            enter_int: base + enter_int,
            trap_exit: base + trap_exit,
            host: HostCode::new(Span::new(base + host, host_bytes.len()), base + trap_exit),
            #[cfg(feature = "elf")]
            lens: [enter_int - enter, trap_exit - enter_int],
            #[cfg(feature = "elf")]
            observed: Mutex::default(),
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

    /// Tells the unwinder of the entries, and debuggers if they ask; once each.
    #[cfg(feature = "elf")]
    pub(super) fn observe(&self, debugger: bool) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        let enters = [(self.enter, self.lens[0]), (self.enter_int, self.lens[1])];
        observed[0].get_or_insert_with(|| observe::tell_unwinder(&enters));
        if debugger {
            observed[1].get_or_insert_with(|| observe::tell_debugger(&enters));
        }
    }

    /// The entry of all functions of the host that a store hands to modules.
    pub(super) fn host(&self) -> &HostCode {
        &self.host
    }

    pub(super) fn trap_exit(&self) -> usize {
        self.trap_exit
    }
}

fn part(part: Part) -> Vec<u8> {
    let library = Library::native();
    library.bytes(library.part(part), [0; MAX_REGS])
}
