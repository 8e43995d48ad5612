//! What each thread that runs stitched code has: its stacks, its calls in progress, a stack for signals.
//!
//! Comes in: calls that begin and end. Goes out: a stack for each, and, to the signal handler, the innermost call. What
//! must hold: the handler only reads plain cells; a call nested in another of the same thread has another stack; a
//! thread's stacks are freed when it ends.

#![allow(unsafe_code, reason = "thread-local state that a signal handler reads, and sigaltstack")]

use std::cell::{Cell, RefCell};
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr;

use super::across::Found;
use super::context::{Context, Pending, Span};
use super::error::ExecError;
use super::signals;
use super::stack::Stack;
use super::sys::{Access, PAGE, Region};

/// How deep calls of instances may be nested on one thread, each on the host's stack as well.
const NESTED: usize = 256;
/// The least room for handlers on a signal stack beyond what the machine saves there.
const HANDLER_ROOM: usize = 16 << 10;
const SIGNAL_STACK: usize = 64 << 10;

thread_local! {
    /// Without a destructor, so that reading it is one load, in a signal handler too.
    static THREAD: Cell<*const Thread> = const { Cell::new(ptr::null()) };
    static OWNER: Owner = const { Owner(Cell::new(ptr::null_mut())) };
}

/// Frees the thread's state when the thread ends.
struct Owner(Cell<*mut Thread>);

impl Drop for Owner {
    fn drop(&mut self) {
        THREAD.set(ptr::null());
        let thread = self.0.get();
        // SAFETY: the pointer came from `Box::into_raw` in `Thread::start`, and nobody else frees it.
        unsafe {
            // A process may be ended from within a call; what is in use then stays.
            if !thread.is_null() && (*thread).activation.get().is_null() {
                drop(Box::from_raw(thread));
            }
        }
    }
}

/// The state of a thread.
#[derive(Debug)]
pub struct Thread {
    /// The innermost call in progress.
    activation: Cell<*mut Context>,
    /// How many calls are in progress. They cannot be counted by their contexts: one may have several.
    nested: Cell<usize>,
    /// Where a call runs that is nested in no other, and how much room is there; 0 before the first.
    first: Cell<(usize, Place)>,
    /// A stack for each depth of nesting that was ever reached.
    stacks: RefCell<Vec<Stack>>,
    /// Why a helper asked for an end of what runs here.
    pending: RefCell<Option<Pending>>,
    /// The calls beyond frames of C, as they were at the fault that ended the last call.
    beyond: RefCell<Found>,
    _signal_stack: Option<SignalStack>,
}

/// Where a call runs.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// One past the highest byte of its stack.
    pub top: *mut u8,
    /// The guard below it.
    pub guard: Span,
}

impl Thread {
    /// The calling thread's state. Must not be kept beyond the call that asks for it.
    ///
    /// # Errors
    /// Where this is the thread's first call, and the system refuses what it needs.
    #[inline]
    pub fn current() -> Result<&'static Thread, ExecError> {
        let thread = THREAD.get();
        if thread.is_null() {
            return Thread::start();
        }
        // SAFETY: a pointer that is not null is that of the state of this thread, which lives until the thread ends.
        Ok(unsafe { &*thread })
    }

    #[cold]
    fn start() -> Result<&'static Thread, ExecError> {
        signals::install()?;
        let thread = Thread {
            activation: Cell::new(ptr::null_mut()),
            nested: Cell::new(0),
            first: Cell::new((0, Place { top: ptr::null_mut(), guard: Span::default() })),
            stacks: RefCell::new(Vec::new()),
            pending: RefCell::new(None),
            beyond: RefCell::new(Found::NOTHING),
            _signal_stack: SignalStack::ensure()?,
        };
        let thread = Box::into_raw(Box::new(thread));
        // In a thread that is already ending there is no owner any more; its state is then never freed.
        let _ = OWNER.try_with(|owner| owner.0.set(thread));
        THREAD.set(thread);
        // SAFETY: as in `current`.
        Ok(unsafe { &*thread })
    }

    /// A stack of `size` bytes for the call that comes next.
    ///
    /// # Errors
    /// Where there is none yet and the system refuses; where calls are nested too deep, the kind is `QuotaExceeded`.
    #[inline]
    pub fn place(&self, size: usize) -> Result<Place, ExecError> {
        let (room, place) = self.first.get();
        if room == size && self.activation.get().is_null() {
            return Ok(place);
        }
        self.other_place(size)
    }

    #[cold]
    fn other_place(&self, size: usize) -> Result<Place, ExecError> {
        let level = self.nested.get();
        if level >= NESTED {
            return Err(ExecError::System {
                attempt: "nest another call of an instance in those in progress",
                error: io::ErrorKind::QuotaExceeded.into(),
                advice: "at most 256 may be in progress on one thread",
            });
        }
        let mut stacks = self.stacks.borrow_mut();
        if stacks.get(level).is_none_or(|stack| stack.size() != size) {
            let stack = Stack::new(size)?;
            if level < stacks.len() {
                stacks[level] = stack;
            } else {
                stacks.push(stack);
            }
        }
        let found = place(&stacks[level]);
        if level == 0 {
            self.first.set((size, found));
        }
        Ok(found)
    }

    /// Whether a call is in progress.
    #[inline]
    pub fn is_nested(&self) -> bool {
        !self.activation.get().is_null()
    }

    /// A call begins. It must be ended with what this returns.
    #[inline]
    pub fn begin(&self, context: *mut Context) -> *mut Context {
        self.nested.set(self.nested.get() + 1);
        self.activation.replace(context)
    }

    /// The innermost call ends.
    #[inline]
    pub fn end(&self, previous: *mut Context) {
        self.nested.set(self.nested.get() - 1);
        self.activation.set(previous);
    }
}

fn place(stack: &Stack) -> Place {
    let guard = stack.guard();
    Place { top: stack.top(), guard: Span::new(guard.start, guard.len()) }
}

/// A helper on this thread asks for an end.
pub fn set_pending(pending: Pending) {
    // Where there is no room for what a thread needs, the end comes without a reason.
    if let Ok(thread) = Thread::current() {
        thread.pending.replace(Some(pending));
    }
}

/// Why a helper on this thread has asked for an end, if one has.
pub fn take_pending() -> Option<Pending> {
    Thread::current().ok()?.pending.take()
}

/// Looks for the calls beyond frames of C, and keeps them for who tells of the trap. For the signal handler, during a
/// call.
pub fn set_beyond(stack: Range<usize>) {
    let thread = THREAD.get();
    // SAFETY: as in `Thread::current`.
    if let Some(thread) = unsafe { thread.as_ref() } {
        thread.beyond.replace(Found::search(stack));
    }
}

/// What was found beyond frames of C at the last fault.
pub fn take_beyond() -> Found {
    Thread::current().map_or(Found::NOTHING, |thread| thread.beyond.replace(Found::NOTHING))
}

/// The innermost call in progress on this thread, or null. For the signal handler.
#[inline]
pub fn activation() -> *mut Context {
    let thread = THREAD.get();
    // SAFETY: as in `Thread::current`.
    if thread.is_null() { ptr::null_mut() } else { unsafe { (*thread).activation.get() } }
}

/// A stack for signal handlers: where stitched code has run out of stack there must be another.
#[derive(Debug)]
struct SignalStack {
    region: ManuallyDrop<Region>,
}

impl SignalStack {
    /// Gives the thread a signal stack, unless it has one that is large enough.
    fn ensure() -> Result<Option<SignalStack>, ExecError> {
        // SAFETY: getauxval reads what the kernel told the process.
        let saved = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
        let needed = saved.max(libc::MINSIGSTKSZ) + HANDLER_ROOM;
        let present = exchange(None)?;
        if present.ss_flags & libc::SS_DISABLE == 0 && present.ss_size >= needed {
            return Ok(None);
        }
        let size = needed.max(SIGNAL_STACK).next_multiple_of(PAGE);
        let region = Region::reserve(PAGE + size, "reserve a stack for signal handlers")?;
        region.protect(PAGE, size, Access::Write, "make a stack for signal handlers writable")?;
        let own = libc::stack_t { ss_sp: region.at(PAGE).cast(), ss_flags: 0, ss_size: size };
        exchange(Some(&own))?;
        Ok(Some(SignalStack { region: ManuallyDrop::new(region) }))
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        let own = self.region.at(PAGE).cast();
        let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        let in_use = match exchange(None) {
            Ok(present) if present.ss_sp == own => exchange(Some(&none)).is_err(),
            present => present.is_err(),
        };
        // A process may be ended from within a handler, which runs on this stack; then it stays.
        if !in_use {
            // SAFETY: this is the only place where the region is dropped.
            unsafe { ManuallyDrop::drop(&mut self.region) };
        }
    }
}

fn exchange(new: Option<&libc::stack_t>) -> Result<libc::stack_t, ExecError> {
    let mut old = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: both point to whole structures; a new stack is mapped until `SignalStack` is dropped, which takes it away.
    match unsafe { libc::sigaltstack(new.map_or(ptr::null(), ptr::from_ref), &raw mut old) } {
        0 => Ok(old),
        _ => Err(ExecError::System {
            attempt: "set a stack for signal handlers",
            error: io::Error::last_os_error(),
            advice: "code cannot be called from a signal handler",
        }),
    }
}
