//! Which modules a linked program consists of.
//!
//! Comes in: each object's descriptor, from its initializer, and again when its library is closed. Goes out: the module
//! that an address lies in. What must hold: a signal handler may look at any time, so the list is whole at any time.

#![allow(unsafe_code, reason = "descriptors in other objects")]

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::layout::{Module, NOTHING, State, VERSION};
use crate::{c, linked, memory, signals, thread};

static FIRST: AtomicPtr<State> = AtomicPtr::new(ptr::null_mut());

struct Lock(core::cell::UnsafeCell<c::Mutex>);

// SAFETY: the mutex is what threads share.
unsafe impl Sync for Lock {}

static LOCK: Lock = Lock(core::cell::UnsafeCell::new(c::Mutex::FREE));

/// Does something that one thread at a time may do.
pub fn locked<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: the mutex lives as long as the process; the work neither panics nor locks again.
    unsafe {
        c::pthread_mutex_lock(LOCK.0.get());
        let result = work();
        c::pthread_mutex_unlock(LOCK.0.get());
        result
    }
}

/// The modules, the last one first.
pub fn modules() -> impl Iterator<Item = &'static Module> {
    let mut next = FIRST.load(Ordering::Acquire);
    core::iter::from_fn(move || {
        // SAFETY: what is in the list stays until its library is closed, which is when nobody runs its code any more.
        let state = unsafe { next.as_ref() }?;
        next = state.next;
        unsafe { state.module.as_ref() }
    })
}

/// The module whose code has this address, and the offset in it.
pub fn find(address: usize) -> Option<(&'static Module, u32)> {
    modules().find_map(|module| {
        let offset = address.wrapping_sub(module.code as usize);
        (offset < module.code_len as usize).then_some((module, offset as u32))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_register(module: &'static Module) {
    if module.version != VERSION {
        c::fail("spasm: objects of different versions of Spasm are linked together: build them again\n");
    }
    // SAFETY: the state is the module's, and this is its initializer.
    locked(|| unsafe {
        let state = module.state;
        if (*state).registered != 0 {
            return;
        }
        if FIRST.load(Ordering::Acquire).is_null() && !(thread::start() && signals::start()) {
            c::fail("spasm: the system refuses a handler for faults\n");
        }
        thread::ensure_signal_stack();
        (*state).module = module;
        if module.min_pages != NOTHING && !memory::start(module) {
            c::fail("spasm: there is no room for a linear memory: it takes 8 GiB of address space\n");
        }
        linked::start(module);
        (*state).registered = 1;
        (*state).next = FIRST.load(Ordering::Acquire);
        FIRST.store(state, Ordering::Release);
    });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_unregister(module: &'static Module) {
    // SAFETY: the library is being closed, or the process ends, in which other threads may still run: then memory stays.
    locked(|| unsafe {
        let state = module.state;
        let mut place = FIRST.load(Ordering::Acquire);
        if place == state {
            FIRST.store((*state).next, Ordering::Release);
        } else {
            while !place.is_null() && (*place).next != state {
                place = (*place).next;
            }
            if place.is_null() {
                return;
            }
            (*place).next = (*state).next;
        }
        (*state).registered = 0;
        linked::end(module);
        if module.min_pages != NOTHING {
            memory::end(module);
        }
        if FIRST.load(Ordering::Acquire).is_null() {
            signals::stop();
            thread::stop();
        }
    });
}
