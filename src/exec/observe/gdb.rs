//! The interface by which gdb and lldb learn of code that is made at run time.
//!
//! Comes in: object files in memory. Goes out: a list of them where debuggers look. What must hold: names and layouts are
//! those that debuggers know (Debugging with GDB, 30 "JIT Compilation Interface"); one thread at a time changes the list.

#![allow(unsafe_code, reason = "names and a list that debuggers look for")]

use std::ptr;
use std::sync::{Mutex, PoisonError};

#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    file: *const u8,
    size: u64,
}

#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

// SAFETY: it is changed under the lock, and otherwise read by debuggers, which stop the process for that.
unsafe impl Sync for Descriptor {}

const NOTHING: u32 = 0;
const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// Where debuggers look.
#[unsafe(no_mangle)]
static mut __jit_debug_descriptor: Descriptor =
    Descriptor { version: 1, action: NOTHING, relevant: ptr::null_mut(), first: ptr::null_mut() };

/// Where debuggers stop the process to look.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn __jit_debug_register_code() {
    // What the debugger reads must be written, and the call must be there.
    std::hint::black_box(&raw const __jit_debug_descriptor);
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A file that debuggers know until this is dropped.
#[derive(Debug)]
pub struct File {
    _bytes: Box<[u8]>,
    entry: *mut Entry,
}

// SAFETY: the entry is reached under the lock only.
unsafe impl Send for File {}
// SAFETY: nothing can be done with a shared one.
unsafe impl Sync for File {}

impl File {
    /// Makes a file known.
    pub fn register(bytes: Vec<u8>) -> File {
        let bytes: Box<[u8]> = bytes.into();
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the lock is held, so nobody else changes the list; entries live until they are taken out of it.
        unsafe {
            let first = __jit_debug_descriptor.first;
            let (file, size) = (bytes.as_ptr(), bytes.len() as u64);
            let entry = Box::into_raw(Box::new(Entry { next: first, previous: ptr::null_mut(), file, size }));
            if let Some(first) = first.as_mut() {
                first.previous = entry;
            }
            __jit_debug_descriptor.first = entry;
            tell(REGISTER, entry);
            File { _bytes: bytes, entry }
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as above; the entry came from `Box::into_raw`.
        unsafe {
            let Entry { next, previous, .. } = *self.entry;
            match previous.as_mut() {
                Some(previous) => previous.next = next,
                None => __jit_debug_descriptor.first = next,
            }
            if let Some(next) = next.as_mut() {
                next.previous = previous;
            }
            tell(UNREGISTER, self.entry);
            drop(Box::from_raw(self.entry));
        }
    }
}

/// # Safety
/// Only under the lock.
unsafe fn tell(action: u32, entry: *mut Entry) {
    // SAFETY: as the caller promises.
    unsafe {
        __jit_debug_descriptor.action = action;
        __jit_debug_descriptor.relevant = entry;
        __jit_debug_register_code();
        __jit_debug_descriptor.action = NOTHING;
        __jit_debug_descriptor.relevant = ptr::null_mut();
    }
}
