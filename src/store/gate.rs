//! The way back into a store from the programs that it runs, and the memory that they share with the host.
//!
//! Comes in: a store whose code is about to run; calls of host functions. Goes out: the store again, for as long as the
//! host function runs. What must hold: the store is reached by one reference at a time.
//!
//! The code of a program cannot pass on a Rust reference, so a store leaves its address here while code of its runs, and
//! host functions take it from here. Whoever made the call has lent out its `&mut`, and does not look at the store before
//! the call has ended; a host function that calls a program again lends out its own. Between a host function's taking
//! the address and its lending it out anew there is none to be taken.

#![allow(
    unsafe_code,
    reason = "programs call host functions, which need the store that the call of the program borrows; and linear memory \
              is shared with code"
)]

use std::ops::Deref;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::objects::LinearMemory;

use super::state::{Core, Inner, Running};

thread_local! {
    /// Its address tells threads apart.
    static HERE: u8 = const { 0 };
}

fn this_thread() -> usize {
    HERE.with(|here| ptr::from_ref(here) as usize)
}

/// Where a store is while its code runs.
pub struct Gate<T: 'static> {
    store: AtomicPtr<Inner<T>>,
    /// The thread on which it runs. Nobody else may pass.
    thread: AtomicUsize,
}

/// Puts back what was there, however the work ends.
struct Restore<'g, T: 'static> {
    gate: &'g Gate<T>,
    store: *mut Inner<T>,
    thread: usize,
}

impl<T: 'static> Drop for Restore<'_, T> {
    fn drop(&mut self) {
        self.gate.store.store(self.store, Ordering::Relaxed);
        self.gate.thread.store(self.thread, Ordering::Relaxed);
    }
}

impl<T: 'static> Gate<T> {
    pub fn new() -> Arc<Gate<T>> {
        Arc::new(Gate { store: AtomicPtr::new(ptr::null_mut()), thread: AtomicUsize::new(0) })
    }

    fn set(&self, store: *mut Inner<T>) -> Restore<'_, T> {
        let before = (self.store.swap(store, Ordering::Relaxed), self.thread.swap(this_thread(), Ordering::Relaxed));
        Restore { gate: self, store: before.0, thread: before.1 }
    }

    /// Does work in which code of the store runs.
    pub fn open<R>(&self, store: &mut Inner<T>, work: impl FnOnce() -> R) -> R {
        let _restore = self.set(ptr::from_mut(store));
        work()
    }

    /// Does the work of a host function on the store whose code has called it; nothing where none has, on this thread.
    pub fn pass<R>(&self, work: impl FnOnce(&mut Inner<T>) -> R) -> Option<R> {
        if self.thread.load(Ordering::Relaxed) != this_thread() {
            return None;
        }
        let restore = self.set(ptr::null_mut());
        // SAFETY: an address that is not null was left by `open`, further out on this thread, which holds the store by the
        // reference that the address was made from and does not use it before the work is done. While this reference lives
        // null stands in the gate, so that there is no second one but by way of `open`, which borrows this one.
        let store = unsafe { restore.store.as_mut() }?;
        Some(work(store))
    }
}

/// What runs an instance, held by the store and by calls in progress.
#[derive(Clone, Debug)]
pub struct Held(Arc<Running>);

// SAFETY: it never leaves the crate's store, and is used only by who holds the store by `&mut`, or runs code that such a
// one has called: on one thread at a time.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    #[allow(clippy::arc_with_non_send_sync, reason = "that is what this type is for")]
    pub fn new(running: Running) -> Held {
        Held(Arc::new(running))
    }
}

impl Deref for Held {
    type Target = Running;
    fn deref(&self) -> &Running {
        &self.0
    }
}

/// The bytes of a memory, for as long as the borrow of its store lasts.
pub fn bytes<'s>(memory: &'s LinearMemory, _of: &'s Core) -> &'s [u8] {
    // SAFETY: the memory is one of the store's, and code that writes it runs only while the store is borrowed by `&mut`.
    unsafe { memory.bytes() }
}

/// The bytes of a memory, for as long as the borrow of its store lasts: who holds that has given away `&mut` of it.
pub fn bytes_mut<'s, T: 'static>(memory: &LinearMemory, store: &'s mut Inner<T>) -> (&'s mut [u8], &'s mut T) {
    // SAFETY: the memory is one of the store's, which keeps it for as long as it lives, and it never shrinks or moves. Code
    // that works on it runs only while the store is borrowed by somebody else. The host's data are not in it.
    let bytes = unsafe {
        let bytes = memory.bytes_mut();
        std::slice::from_raw_parts_mut(bytes.as_mut_ptr(), bytes.len())
    };
    (bytes, &mut store.data)
}
