//! `read` in linked programs.
//!
//! Comes in: words from the C library's standard input, so that C may read there, too. Goes out: register bits. What
//! must hold: what is a number, and what is said where there is none, is the same as on every tier.

#![allow(unsafe_code, reason = "streams of the C library")]

use core::fmt::Write;

use std::string::String;
use std::vec::Vec;

use crate::c;
use crate::isa::op::Type;
use crate::layout::State;
use crate::number;
use crate::print::{Text, failed};
use crate::thread::{self, Pending};

/// The longest word that is looked at.
const LONGEST_WORD: usize = 1 << 12;
/// What the C library says at the end.
const END: i32 = -1;

/// A value in `rax` and a status in `rdx`.
#[repr(C)]
struct Read {
    bits: u64,
    status: u64,
}

/// The next run of bytes that are no white space; empty at the end of the input.
fn word() -> Vec<u8> {
    let mut word = Vec::new();
    loop {
        // SAFETY: the stream is the C library's.
        let byte = unsafe { c::getc(c::stdin) };
        let Ok(value) = u8::try_from(byte) else { return word };
        match (value.is_ascii_whitespace(), word.is_empty()) {
            (true, true) => continue,
            (true, false) => {
                // SAFETY: one byte can always be put back.
                unsafe { c::ungetc(byte, c::stdin) };
                return word;
            }
            (false, _) => word.push(value),
        }
        if word.len() == LONGEST_WORD || byte == END {
            return word;
        }
    }
}

fn read(ty: Type) -> Read {
    // SAFETY: the stream is the C library's.
    unsafe { c::fflush(c::stdout) };
    let word = word();
    // SAFETY: as above.
    if word.is_empty() && unsafe { c::ferror(c::stdin) } != 0 {
        failed("read: standard input cannot be read");
        return Read { bits: 0, status: 1 };
    }
    let wanted = match ty {
        Type::I32 | Type::I64 | Type::Funcref | Type::Externref => "an integer",
        Type::F32 => "an f32 number",
        Type::F64 => "an f64 number",
    };
    let mut text = Text::<1024>::new();
    let _ = if word.is_empty() {
        writeln!(text, "error: read: expected {wanted} on standard input, found its end")
    } else {
        match number::parse(&String::from_utf8_lossy(&word), ty) {
            Ok(bits) => return Read { bits, status: 0 },
            Err(error) => writeln!(text, "error: read: expected {wanted} on standard input: {error}"),
        }
    };
    c::complain(text.bytes());
    thread::set_pending(Pending::Failed);
    Read { bits: 0, status: 1 }
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_read_i64(_: *mut State) -> Read {
    read(Type::I64)
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_read_f32(_: *mut State) -> Read {
    read(Type::F32)
}

#[unsafe(no_mangle)]
extern "C" fn __spasm_read_f64(_: *mut State) -> Read {
    read(Type::F64)
}
