//! `print` in linked programs.
//!
//! Comes in: register values. Goes out: lines, through the C library's standard output, so that they stand in order with
//! what C prints. What must hold: the text is the one of every tier.

#![allow(unsafe_code, reason = "streams of the C library")]

use core::ffi::{CStr, c_void};
use core::fmt::{self, Write};

use crate::c;
use crate::layout::State;
use crate::thread::{self, Pending};

/// A short text on the stack.
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub fn new() -> Text<N> {
        Text { bytes: [0; N], len: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<const N: usize> Write for Text<N> {
    /// What does not fit is cut.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let taken = text.len().min(room.len());
        room[..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.len += taken;
        Ok(())
    }
}

/// The longest float has 17 digits, and an exponent or 16 zeros.
type Number = Text<64>;

fn print(text: &Number) -> u32 {
    let bytes = text.bytes();
    // SAFETY: the stream is the C library's, the bytes are there.
    let written = unsafe { c::fwrite(bytes.as_ptr().cast::<c_void>(), 1, bytes.len(), c::stdout) };
    if written == bytes.len() {
        return 0;
    }
    failed("standard output cannot be written");
    1
}

/// Says that a stream failed, and why.
pub fn failed(what: &str) {
    // SAFETY: the C library has a text for each number.
    let why = unsafe { CStr::from_ptr(c::strerror(c::errno())) };
    let mut text = Text::<256>::new();
    let _ = writeln!(text, "error: {what}: {}", why.to_str().unwrap_or("?"));
    c::complain(text.bytes());
    thread::set_pending(Pending::Failed);
}

fn not_finite(negative: bool, nan: bool) -> &'static str {
    match (nan, negative) {
        (false, false) => "inf\n",
        (false, true) => "-inf\n",
        (true, false) => "nan\n",
        (true, true) => "-nan\n",
    }
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_print_i64(_: *mut State, value: i64) -> u32 {
    let mut text = Number::new();
    let _ = writeln!(text, "{value}");
    print(&text)
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_print_f32(_: *mut State, value: f32) -> u32 {
    let mut text = Number::new();
    let _ = match value.is_finite() {
        true => writeln!(text, "{value:?}"),
        false => text.write_str(not_finite(value.is_sign_negative(), value.is_nan())),
    };
    print(&text)
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_print_f64(_: *mut State, value: f64) -> u32 {
    let mut text = Number::new();
    let _ = match value.is_finite() {
        true => writeln!(text, "{value:?}"),
        false => text.write_str(not_finite(value.is_sign_negative(), value.is_nan())),
    };
    print(&text)
}
