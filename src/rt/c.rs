//! What the runtime uses of the C library, as Linux on x86-64 has it.
//!
//! Comes in: nothing. Goes out: declarations. What must hold: they agree with those of the GNU C library and of musl.

#![allow(unsafe_code, reason = "declarations of the C library")]

use core::ffi::{c_char, c_int, c_void};

/// A stream of the C library.
#[repr(C)]
pub struct File {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub static stdout: *mut File;
    pub static stdin: *mut File;

    pub fn malloc(size: usize) -> *mut c_void;
    pub fn calloc(count: usize, size: usize) -> *mut c_void;
    pub fn realloc(place: *mut c_void, size: usize) -> *mut c_void;
    pub fn free(place: *mut c_void);
    pub fn fwrite(bytes: *const c_void, size: usize, count: usize, file: *mut File) -> usize;
    pub fn fflush(file: *mut File) -> c_int;
    pub fn getc(file: *mut File) -> c_int;
    pub fn ungetc(byte: c_int, file: *mut File) -> c_int;
    pub fn ferror(file: *mut File) -> c_int;
    pub fn strerror(errno: c_int) -> *const c_char;
    pub fn __errno_location() -> *mut c_int;
    pub fn write(fd: c_int, bytes: *const c_void, len: usize) -> isize;
    pub fn abort() -> !;
    pub fn exit(status: c_int) -> !;
    pub fn raise(signal: c_int) -> c_int;
    pub fn mmap(at: *mut c_void, len: usize, access: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
    pub fn mprotect(at: *mut c_void, len: usize, access: c_int) -> c_int;
    pub fn munmap(at: *mut c_void, len: usize) -> c_int;
    pub fn sigaction(signal: c_int, new: *const Sigaction, old: *mut Sigaction) -> c_int;
    pub fn sigaltstack(new: *const Stack, old: *mut Stack) -> c_int;
    pub fn pthread_mutex_lock(mutex: *mut Mutex) -> c_int;
    pub fn pthread_mutex_unlock(mutex: *mut Mutex) -> c_int;
    pub fn pthread_key_create(key: *mut u32, destroy: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    pub fn pthread_key_delete(key: u32) -> c_int;
    pub fn pthread_getspecific(key: u32) -> *mut c_void;
    pub fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
}

/// `struct sigaction`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Sigaction {
    pub handler: usize,
    pub mask: [u64; 16],
    pub flags: c_int,
    pub restorer: usize,
}

impl Sigaction {
    /// The default action.
    pub const NONE: Sigaction = Sigaction { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
}

/// `stack_t`.
#[repr(C)]
pub struct Stack {
    pub sp: *mut c_void,
    pub flags: c_int,
    pub size: usize,
}

/// `siginfo_t`, its start.
#[repr(C)]
pub struct Info {
    pub signal: c_int,
    pub errno: c_int,
    pub code: c_int,
    pub address: usize,
}

/// `ucontext_t`, its start.
#[repr(C)]
pub struct Interrupted {
    flags: u64,
    link: usize,
    stack: Stack,
    /// r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
    pub registers: [u64; 17],
}

/// Where [`Interrupted::registers`] has each general register, by the machine's number for it.
pub const REGISTERS: [usize; 16] = [13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7];
pub const RSP: usize = 15;
pub const RIP: usize = 16;
pub const RDI: usize = 8;
pub const RSI: usize = 9;

/// `pthread_mutex_t`, of which all zeros are a free one.
#[repr(C, align(8))]
pub struct Mutex([u8; 40]);

impl Mutex {
    pub const FREE: Mutex = Mutex([0; 40]);
}

pub const SIGILL: c_int = 4;
pub const SIGBUS: c_int = 7;
pub const SIGFPE: c_int = 8;
pub const SIGSEGV: c_int = 11;
pub const SA_SIGINFO: c_int = 4;
pub const SA_ONSTACK: c_int = 0x0800_0000;
pub const SA_NODEFER: c_int = 0x4000_0000;
pub const SA_RESETHAND: c_int = c_int::MIN;
pub const SIG_IGN: usize = 1;
pub const SS_DISABLE: c_int = 2;
pub const PROT_NONE: c_int = 0;
pub const PROT_READ_WRITE: c_int = 3;
/// Private, anonymous, and without memory set aside for it.
pub const MAP_RESERVE: c_int = 0x4022;

/// The present error number.
pub fn errno() -> c_int {
    // SAFETY: every thread has a place for it.
    unsafe { *__errno_location() }
}

/// Writes to standard error, where nothing is buffered.
pub fn complain(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { write(2, bytes.as_ptr().cast(), bytes.len()) };
        if written <= 0 {
            return;
        }
        bytes = bytes.get(written as usize..).unwrap_or(&[]);
    }
}

/// Ends the process with this message.
pub fn fail(message: &str) -> ! {
    complain(message.as_bytes());
    // SAFETY: it may be called at any time.
    unsafe { abort() }
}
