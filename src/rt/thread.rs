//! What the runtime keeps for each thread: the calls that catch traps, why a helper asked for an end, a signal stack.
//!
//! Comes in: helpers that fail, calls of `spasm_try`. Goes out: the same, to the signal handler. What must hold: the
//! handler only reads what is there; nothing is made in it.

#![allow(unsafe_code, reason = "state by thread, and signal stacks")]

use core::ffi::c_void;
use core::mem::size_of;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::c;
use crate::isa::trap::TrapKind;
use crate::trap::Trap;

/// A call of `spasm_try` in progress.
#[repr(C)]
pub struct Catch {
    /// The stack pointer to go on with.
    pub sp: *mut c_void,
    /// Where to say what happened; may be null.
    pub trap: *mut Trap,
    /// The one around it.
    pub outer: *mut Catch,
}

/// Why a helper asked for an end.
#[derive(Clone, Copy)]
pub enum Pending {
    Trap(TrapKind),
    /// Standard output or input failed; the message has been said.
    Failed,
}

#[repr(C)]
pub struct Thread {
    pub catch: *mut Catch,
    pub pending: Option<Pending>,
    /// A signal stack made for the thread.
    stack: *mut c_void,
}

/// One more than the key; 0 before there is one.
static KEY: AtomicU32 = AtomicU32::new(0);
const SIGNAL_STACK: usize = 64 << 10;

/// Makes the key under which threads have their state.
pub fn start() -> bool {
    let mut key = 0;
    // SAFETY: the function frees what `current` makes.
    if unsafe { c::pthread_key_create(&raw mut key, Some(end)) } != 0 {
        return false;
    }
    KEY.store(key + 1, Ordering::Release);
    true
}

/// Gives the key back.
pub fn stop() {
    let key = KEY.swap(0, Ordering::AcqRel);
    if key != 0 {
        // SAFETY: the key is there; the state of the present thread is the last that is needed.
        unsafe {
            end(c::pthread_getspecific(key - 1));
            c::pthread_key_delete(key - 1);
        }
    }
}

unsafe extern "C" fn end(thread: *mut c_void) {
    // SAFETY: it is what `current` made, and the thread ends. Nothing handles faults of it any more that could need the
    // stack.
    unsafe {
        if thread.is_null() {
            return;
        }
        let stack = (*thread.cast::<Thread>()).stack;
        if !stack.is_null() {
            let none = c::Stack { sp: ptr::null_mut(), flags: c::SS_DISABLE, size: 0 };
            if c::sigaltstack(&raw const none, ptr::null_mut()) == 0 {
                c::munmap(stack, SIGNAL_STACK);
            }
        }
        c::free(thread);
    }
}

/// The state of the present thread, if it has any. A signal handler may ask.
pub fn existing() -> *mut Thread {
    match KEY.load(Ordering::Acquire) {
        0 => ptr::null_mut(),
        // SAFETY: the key is there.
        key => unsafe { c::pthread_getspecific(key - 1).cast() },
    }
}

/// The state of the present thread.
pub fn current() -> *mut Thread {
    let thread = existing();
    if !thread.is_null() {
        return thread;
    }
    // SAFETY: all zeros are a state: `None` is checked for by writing it.
    unsafe {
        let made: *mut Thread = c::calloc(1, size_of::<Thread>()).cast();
        let key = KEY.load(Ordering::Acquire);
        if made.is_null() || key == 0 || c::pthread_setspecific(key - 1, made.cast()) != 0 {
            c::fail("spasm: there is no memory for a thread's state\n");
        }
        (*made).pending = None;
        made
    }
}

pub fn set_pending(pending: Pending) {
    // SAFETY: the state is this thread's.
    unsafe { (*current()).pending = Some(pending) }
}

/// Gives the thread a signal stack, unless it has one: where the stack is used up, the handler needs another.
pub fn ensure_signal_stack() -> bool {
    // SAFETY: whole structures; the mapping is new and stays until the thread ends.
    unsafe {
        let mut present = c::Stack { sp: ptr::null_mut(), flags: 0, size: 0 };
        if c::sigaltstack(ptr::null(), &raw mut present) != 0 {
            return false;
        }
        if present.flags & c::SS_DISABLE == 0 {
            return true;
        }
        let stack = c::mmap(ptr::null_mut(), SIGNAL_STACK, c::PROT_READ_WRITE, c::MAP_RESERVE, -1, 0);
        if stack as isize == -1 {
            return false;
        }
        let own = c::Stack { sp: stack, flags: 0, size: SIGNAL_STACK };
        if c::sigaltstack(&raw const own, ptr::null_mut()) != 0 {
            c::munmap(stack, SIGNAL_STACK);
            return false;
        }
        (*current()).stack = stack;
        true
    }
}
