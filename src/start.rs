//! The way from the system to the command line, and back.
//!
//! Comes in: what the C library calls `main` with. Goes out: an exit status. What must hold: standard input, output and
//! error are open, whatever they lead to; writing where nobody reads is an error and not the end of the process.
//!
//! This stands in the place of what Rust does before its own `main`. That prepares for threads and for a stack that is
//! used up, reads a file of the system to that end, and takes longer than everything that a short program makes
//! this one do.

#![allow(unsafe_code, reason = "called by the C library, and asks the system")]
#![cfg_attr(test, allow(dead_code, reason = "tests start in another way"))]

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;

use super::cli;

/// The status of a process that panicked.
const PANICKED: c_int = 101;

/// Called by the C library.
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, values: *const *const c_char) -> c_int {
    start(count, values)
}

fn start(count: c_int, values: *const *const c_char) -> c_int {
    prepare();
    let arguments = (1..usize::try_from(count).unwrap_or(0)).map(|nth| argument(values, nth));
    let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cli::main(arguments)));
    // Nothing that lives until now needs to be taken down, and the streams have been flushed.
    std::process::exit(status.unwrap_or(PANICKED))
}

fn argument(values: *const *const c_char, nth: usize) -> OsString {
    // SAFETY: the C library hands over as many C strings as it says, and they live as long as the process.
    OsString::from_vec(unsafe { CStr::from_ptr(*values.add(nth)) }.to_bytes().to_vec())
}

fn prepare() {
    let mut streams = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: three entries are there, and the name is a C string. A stream that is closed is opened before anything
    // else can take its number.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        if libc::poll(streams.as_mut_ptr(), 3, 0) > 0 {
            for _ in streams.iter().filter(|stream| stream.revents & libc::POLLNVAL != 0) {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}
