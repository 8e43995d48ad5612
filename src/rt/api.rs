//! What the runtime offers C: the functions that the header of an object declares.
//!
//! Comes in: calls from C. Goes out: what `api.h` beside this file says. What must hold: the two agree; the names begin
//! with `spasm_`.

#![allow(unsafe_code, reason = "pointers that C passes")]

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::Ordering;

use crate::layout::State;
use crate::signals::{HANDLER, HANDLER_DATA};
use crate::thread::{self, Catch};
use crate::trap::Trap;

type Body = unsafe extern "C" fn(*mut c_void);

unsafe extern "C" {
    /// Calls `body` and returns 0, or what `__spasm_leave` is given for the stack pointer that it writes to `sp`.
    fn __spasm_enter(body: Body, data: *mut c_void, sp: *mut *mut c_void) -> c_int;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn spasm_try(body: Body, data: *mut c_void, trap: *mut Trap) -> c_int {
    thread::ensure_signal_stack();
    let thread = thread::current();
    // SAFETY: the state is this thread's; the catch lives until the call has ended.
    unsafe {
        let mut catch = Catch { sp: ptr::null_mut(), trap, outer: (*thread).catch };
        (*thread).catch = &raw mut catch;
        let status = __spasm_enter(body, data, &raw mut catch.sp);
        (*thread).catch = catch.outer;
        status
    }
}

#[unsafe(no_mangle)]
extern "C" fn spasm_set_trap_handler(handler: Option<unsafe extern "C" fn(*const Trap, *mut c_void)>, data: *mut c_void) {
    HANDLER_DATA.store(data, Ordering::Release);
    HANDLER.store(handler.map_or(0, |handler| handler as *const () as usize), Ordering::Release);
}

#[unsafe(no_mangle)]
extern "C" fn spasm_thread_start() -> c_int {
    if thread::ensure_signal_stack() { 0 } else { -1 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn spasm_memory(module: *const State) -> *mut u8 {
    // SAFETY: C passes the address of a module.
    unsafe { (*module).memory as *mut u8 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn spasm_memory_size(module: *const State) -> u64 {
    // SAFETY: as above.
    unsafe { u64::from((*module).pages) << 16 }
}
