//! Which code belongs to which instance: asked by the signal handler, on any thread.
//!
//! Comes in: instances, when they come to be and when they go. Goes out: the context of the instance that the code at an
//! address belongs to. What must hold: the handler takes no lock and follows no pointer that may dangle; entries are
//! never freed, but used again.

#![allow(unsafe_code, reason = "a list that a signal handler reads while others change it")]

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::context::{Context, Span};

#[derive(Debug)]
struct Entry {
    start: AtomicUsize,
    len: AtomicUsize,
    /// Null while nobody uses the entry.
    context: AtomicPtr<Context>,
    next: *mut Entry,
}

/// The newest entry; each leads to the one before it.
static NEWEST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());
/// The entries that nobody uses, by their addresses.
static UNUSED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Keeps an instance known for as long as it lives.
#[derive(Debug)]
pub struct Registration(*mut Entry);

/// Makes the code of an instance known.
pub fn register(code: (usize, usize), context: *mut Context) -> Registration {
    let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = unused.pop().map_or_else(add, |address| address as *mut Entry);
    // SAFETY: entries are never freed; this one is nobody else's, as the lock makes sure.
    let Entry { start, len, context: owner, .. } = unsafe { &*entry };
    start.store(code.0, Ordering::Release);
    len.store(code.1, Ordering::Release);
    owner.store(context, Ordering::Release);
    Registration(entry)
}

/// Adds an entry that nobody uses yet. Only under the lock.
fn add() -> *mut Entry {
    let entry = Box::into_raw(Box::new(Entry {
        start: AtomicUsize::new(0),
        len: AtomicUsize::new(0),
        context: AtomicPtr::new(ptr::null_mut()),
        next: NEWEST.load(Ordering::Acquire),
    }));
    NEWEST.store(entry, Ordering::Release);
    entry
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: entries are never freed.
        unsafe { (*self.0).context.store(ptr::null_mut(), Ordering::Release) };
        unused.push(self.0 as usize);
    }
}

/// The context of the instance whose code the address lies in, or null. For the signal handler, too.
pub fn owner(address: usize) -> *mut Context {
    let mut next = NEWEST.load(Ordering::Acquire);
    while !next.is_null() {
        // SAFETY: entries are never freed, and what one leads to is settled before it is in the list.
        let entry = unsafe { &*next };
        let context = entry.context.load(Ordering::Acquire);
        let code = Span::new(entry.start.load(Ordering::Acquire), entry.len.load(Ordering::Acquire));
        // Seen twice, the context is the one that the span belongs to.
        let same = || entry.context.load(Ordering::Acquire) == context;
        if !context.is_null() && code.offset_of(address).is_some() && same() {
            return context;
        }
        next = entry.next;
    }
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_while_its_instance_lives() {
        let contexts = [1usize << 60, 2 << 60].map(|address| address as *mut Context);
        let [one, two] = [0, 1].map(|nth| register((0x10 + 0x10 * nth, 0x10), contexts[nth]));
        assert_eq!([0x10, 0x1f, 0x20, 0x2f].map(owner), [contexts[0], contexts[0], contexts[1], contexts[1]]);
        assert!(owner(0xf).is_null() && owner(0x30).is_null());
        drop(one);
        assert!(owner(0x10).is_null() && owner(0x20) == contexts[1]);
        drop(two);
        assert!(owner(0x20).is_null());
    }
}
