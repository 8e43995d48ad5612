//! The calls of stitched functions beyond frames of C: found by the process's unwinder, while a fault is handled.
//!
//! Comes in: a thread whose stitched code has faulted, with frames of C between its own. Goes out: the stitched code that
//! they return to, innermost first. What must hold: this runs in a signal handler. The unwinder is not made for that, but
//! for this: what was interrupted is stitched code, which holds none of its locks, and frames that it knows nothing of
//! are where it stops.

#![allow(unsafe_code, reason = "the unwinder, and what it finds")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr;

use super::context::Context;
use super::registry;

/// How many are kept.
const KEPT: usize = 64;

/// A place in stitched code that is returned to, or frames of C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The context of its instance; null for frames of C.
    pub context: *const Context,
    /// Where in its code: the last byte of a call instruction, or the instruction that faulted.
    pub offset: u32,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    marks: [Mark; KEPT],
    count: usize,
    next: usize,
    stack: (usize, usize),
}

impl Found {
    /// Nothing.
    pub const NOTHING: Found =
        Found { marks: [Mark { context: ptr::null(), offset: 0 }; KEPT], count: 0, next: 0, stack: (0, 0) };

    /// The calls on `stack` that are in progress on this thread, which handles a fault of one of them.
    pub fn search(stack: Range<usize>) -> Found {
        let mut found = Found { stack: (stack.start, stack.end), ..Found::NOTHING };
        walk(&mut found);
        // Frames of C at the end lead to nothing that is known.
        while found.count > 0 && found.marks[found.count - 1].context.is_null() {
            found.count -= 1;
        }
        found
    }

    /// Goes on behind the first frames of C.
    pub fn beyond_c(&mut self) {
        while self.next().is_some_and(|mark| !mark.context.is_null()) {}
    }

    /// The unwinder has come to a frame; says whether to go on.
    fn note(&mut self, address: usize, frame: usize) -> bool {
        // The handler's own frames stand on another stack.
        if !(self.stack.0..self.stack.1).contains(&frame) {
            return self.count == 0;
        }
        let context = registry::owner(address);
        if context.is_null() && (self.count == 0 || self.marks[self.count - 1].context.is_null()) {
            return true;
        }
        // SAFETY: an instance whose code is on the stack lives.
        let offset = if context.is_null() { 0 } else { unsafe { address - (*context).code.start() } };
        self.marks[self.count] = Mark { context, offset: offset as u32 };
        self.count += 1;
        self.count < KEPT
    }
}

impl Iterator for Found {
    type Item = Mark;

    fn next(&mut self) -> Option<Mark> {
        let mark = self.marks[..self.count].get(self.next).copied()?;
        self.next += 1;
        Some(mark)
    }
}

#[cfg(all(target_env = "gnu", target_os = "linux"))]
fn walk(found: &mut Found) {
    type Step = extern "C" fn(*mut c_void, *mut c_void) -> c_int;
    unsafe extern "C" {
        fn _Unwind_Backtrace(step: Step, argument: *mut c_void) -> c_int;
        fn _Unwind_GetIPInfo(frame: *mut c_void, before: *mut c_int) -> usize;
        fn _Unwind_GetCFA(frame: *mut c_void) -> usize;
    }
    extern "C" fn step(frame: *mut c_void, found: *mut c_void) -> c_int {
        const GO_ON: c_int = 0;
        const END: c_int = 5;
        let mut before = 0;
        // SAFETY: the unwinder hands over its frame and what `walk` gave it, which nobody else uses meanwhile.
        unsafe {
            let address = _Unwind_GetIPInfo(frame, &raw mut before);
            let address = if before == 0 { address.wrapping_sub(1) } else { address };
            // A frame is known by where its caller's words begin; its own stand below.
            let inside = _Unwind_GetCFA(frame).wrapping_sub(8);
            if (*found.cast::<Found>()).note(address, inside) { GO_ON } else { END }
        }
    }
    // SAFETY: the step keeps to what it is given.
    unsafe { _Unwind_Backtrace(step, ptr::from_mut(found).cast()) };
}

#[cfg(not(all(target_env = "gnu", target_os = "linux")))]
fn walk(_: &mut Found) {}
