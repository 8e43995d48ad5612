//! The start of an instance's data: what entry, helpers and the signal handler share.
//!
//! Comes in: from an instance, what does not change; from each call, arguments and where its stack is. Goes out: results,
//! or the fault that ended the call. What must hold: the fields that templates name stand where
//! [`layout`](crate::isa::layout) says; while stitched code runs, only raw pointers reach a context.

use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::isa::layout;
use crate::isa::trap::TrapKind;
use crate::module::Module;
use crate::objects::Links;
use crate::stitch::image::{Helper, Image};
use crate::streams::Streams;
use crate::trap::RunError;

use super::memory::LinearMemory;

/// How many helpers there are.
pub const HELPERS: usize = Helper::ALL.len();

/// The part of an instance that machine code reads and writes. Globals and tables stand behind it.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Context {
    pub host_sp: usize,
    pub spasm_sp: usize,
    pub entry: usize,
    pub memory: usize,
    pub count: u64,
    pub ints: [u64; 6],
    pub results: [u64; 4],
    pub floats: [u64; 8],
    /// The helpers in Rust, which stitched code calls.
    pub helpers: [usize; HELPERS],
    /// The number of pages of the linear memory.
    pub pages: u32,
    /// Where the code is.
    pub code: Span,
    /// What faults in it mean.
    pub image: *const Image,
    /// What it was made from.
    pub module: *const Module,
    /// Every address in linear memory that a program can form.
    pub reach: Span,
    /// The guard of the stack that the present call runs on.
    pub guard: Span,
    /// Where a trap goes.
    pub trap_exit: usize,
    /// What ended the call, if it did not return.
    pub fault: Option<Fault>,
    /// What helpers work with.
    pub state: *mut State,
}

impl Context {
    /// The context of code, its image and its module: without memory or state, and nothing has been called.
    pub fn new(code: Span, (image, module): (*const Image, *const Module), trap_exit: usize) -> Context {
        Context {
            host_sp: 0,
            spasm_sp: 0,
            entry: 0,
            memory: 0,
            count: 0,
            ints: [0; 6],
            results: [0; 4],
            floats: [0; 8],
            helpers: [0; HELPERS],
            pages: 0,
            code,
            image,
            module,
            reach: Span::default(),
            guard: Span::default(),
            trap_exit,
            fault: None,
            state: ptr::null_mut(),
        }
    }
}

const _: () = {
    assert!(offset_of!(Context, host_sp) == layout::CONTEXT_HOST_SP);
    assert!(offset_of!(Context, spasm_sp) == layout::CONTEXT_SPASM_SP);
    assert!(offset_of!(Context, entry) == layout::CONTEXT_ENTRY);
    assert!(offset_of!(Context, memory) == layout::CONTEXT_MEMORY);
    assert!(offset_of!(Context, count) == layout::CONTEXT_COUNT);
    assert!(offset_of!(Context, ints) == layout::CONTEXT_INTS);
    assert!(offset_of!(Context, results) == layout::CONTEXT_RESULTS);
    assert!(offset_of!(Context, floats) == layout::CONTEXT_FLOATS);
};

/// A range of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Span {
    start: usize,
    len: usize,
}

impl Span {
    #[inline]
    pub fn new(start: usize, len: usize) -> Span {
        Span { start, len }
    }

    /// The first address.
    pub fn start(self) -> usize {
        self.start
    }

    /// One past the last address.
    pub fn end(self) -> usize {
        self.start + self.len
    }

    /// How far `address` lies behind the start, if it lies inside.
    #[inline]
    pub fn offset_of(self, address: usize) -> Option<usize> {
        Some(address.wrapping_sub(self.start)).filter(|&offset| offset < self.len)
    }
}

/// Where and why stitched code was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The instance whose code it was.
    pub context: *const Context,
    /// The offset of the instruction in the code.
    pub offset: u32,
    /// The stack pointer there.
    pub sp: usize,
    /// What it means.
    pub cause: Cause,
}

/// What a fault means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program trapped.
    Trap(TrapKind),
    /// The program ended, or a helper asked for an end.
    Halt,
}

/// What helpers work with, perhaps on several threads at a time. The context refers to it by a raw pointer; the instance
/// owns it.
#[derive(Debug, Default)]
pub struct State {
    /// The linear memory, if the module has one.
    pub memory: Option<Arc<LinearMemory>>,
    /// What the module is linked with, if it is a linked one.
    pub links: Option<Arc<Links>>,
    /// Where `print` and `read` go.
    pub streams: Arc<SharedStreams>,
}

impl State {
    /// What an instance begins with.
    pub fn new(memory: Option<Arc<LinearMemory>>, streams: Arc<SharedStreams>) -> State {
        State { memory, links: None, streams }
    }
}

/// Where `print` and `read` of one instance go, or of all instances of a store.
#[derive(Debug, Default)]
pub struct SharedStreams {
    /// The standard streams, if none are set when they are first needed.
    streams: Mutex<Option<Streams>>,
    /// Whether they were used since the call began.
    used: AtomicBool,
}

impl SharedStreams {
    /// These streams, or the standard ones if there are none.
    #[must_use]
    pub fn new(streams: Option<Streams>) -> SharedStreams {
        SharedStreams { streams: Mutex::new(streams), used: AtomicBool::new(false) }
    }

    /// The streams, for one thread at a time.
    pub fn lock(&self) -> MutexGuard<'_, Option<Streams>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Code uses them: they are to be finished when its call ends.
    pub(super) fn note_use(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// Whether code has used them since they were finished.
    #[inline]
    pub(super) fn used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// As if nothing had used them.
    pub(super) fn forget(&self) {
        self.used.store(false, Ordering::Relaxed);
    }

    /// Writes what a call has printed.
    pub(super) fn finish<T>(&self, result: Result<T, RunError>) -> Result<T, RunError> {
        self.forget();
        match &mut *self.lock() {
            Some(streams) => streams.finish(result),
            None => result,
        }
    }
}

/// Why a helper asked for an end.
#[derive(Debug)]
pub enum Pending {
    /// This error.
    Error(RunError),
    /// This trap, of the functions that are being executed.
    Trap(TrapKind),
    /// A reader, a writer or a function of the host panicked; the panic goes on when stitched code has been left.
    Panic(Box<dyn std::any::Any + Send>),
}
