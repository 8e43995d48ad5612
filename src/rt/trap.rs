//! Traps of linked programs: what happened, and the Spasm functions that were in progress.
//!
//! Comes in: where a fault was, and the stack. Goes out: [`Trap`], as C sees it, and its message. What must hold: nothing
//! is allocated; the stack is read only where return addresses of stitched code stand.

#![allow(unsafe_code, reason = "reads tables and a stack")]

use core::ffi::{CStr, c_char};
use core::fmt::Write;
use core::ptr;

use crate::isa::trap::TrapKind;
use crate::layout::{Function, Module, NOTHING};
use crate::print::Text;
use crate::{c, registry};

/// How many frames a trap keeps.
pub const SHOWN: usize = 32;

/// `struct spasm_frame`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Frame {
    pub function: *const c_char,
    pub file: *const c_char,
    pub line: u32,
}

/// `struct spasm_trap`.
#[repr(C)]
pub struct Trap {
    pub kind: i32,
    pub message: *const c_char,
    pub depth: usize,
    pub shown: usize,
    pub frames: [Frame; SHOWN],
}

impl Trap {
    /// A trap at `address`, where the stack pointer was `sp`.
    pub fn new(kind: TrapKind, address: usize, sp: usize) -> Trap {
        let nothing = Frame { function: ptr::null(), file: ptr::null(), line: 0 };
        let mut trap =
            Trap { kind: kind as i32, message: message(kind), depth: 0, shown: 0, frames: [nothing; SHOWN] };
        // The instruction, and the offset that the stack's depth is that of: the one behind a call.
        let (mut at, mut resume, mut sp) = (address, address, sp);
        while let (Some((module, offset)), Some((_, resumed))) = (registry::find(at), registry::find(resume)) {
            if let Some(function) = function_at(module, offset) {
                if let Some(frame) = trap.frames.get_mut(trap.depth) {
                    *frame = describe(module, function, offset);
                    trap.shown += 1;
                }
                trap.depth += 1;
            }
            let Some(depth) = depth_at(module, resumed) else { break };
            // SAFETY: the row says that a call wrote a return address there.
            resume = unsafe { ((sp + depth as usize) as *const usize).read() };
            sp += depth as usize + 8;
            at = resume.wrapping_sub(1);
            if registry::find(resume).is_none() {
                break;
            }
        }
        trap
    }

    /// Says it on standard error.
    pub fn complain(&self) {
        let mut text = Text::<512>::new();
        let _ = writeln!(text, "trap: {}", string(self.message));
        c::complain(text.bytes());
        for frame in &self.frames[..self.shown] {
            c::complain(b"  at ");
            c::complain(string(frame.function).as_bytes());
            let mut place = Text::<512>::new();
            let _ = match (frame.file.is_null(), frame.line) {
                (_, 0) => writeln!(place),
                (true, line) => writeln!(place, " (line {line})"),
                (false, line) => writeln!(place, " ({}:{line})", string(frame.file)),
            };
            c::complain(place.bytes());
        }
        if self.depth > self.shown {
            let mut text = Text::<64>::new();
            let _ = writeln!(text, "  ... {} more", self.depth - self.shown);
            c::complain(text.bytes());
        }
    }
}

fn string<'a>(text: *const c_char) -> &'a str {
    // SAFETY: the texts end with a zero byte, and were UTF-8 when they were written.
    unsafe { CStr::from_ptr(text).to_str().unwrap_or("?") }
}

/// The words for a trap, as C wants them.
fn message(kind: TrapKind) -> *const c_char {
    macro_rules! words {
        ($($kind:ident $text:literal),*) => { match kind { $(TrapKind::$kind => $text),* } };
    }
    let text: &CStr = words! {
        DivideByZero c"divide by zero",
        IntegerOverflow c"integer overflow",
        InvalidConversion c"invalid conversion",
        OutOfBoundsMemory c"out of bounds memory access",
        OutOfBoundsArgument c"out of bounds argument",
        UndefinedElement c"undefined element",
        IndirectCallTypeMismatch c"indirect call type mismatch",
        Unreachable c"unreachable",
        StackOverflow c"stack overflow",
        Interrupted c"interrupted",
        OutOfBoundsTable c"out of bounds table access",
        UninitializedElement c"uninitialized element"
    };
    debug_assert!(text.to_str() == Ok(kind.message()));
    text.as_ptr()
}

/// The entries of a table.
pub fn table<'a, T>(first: *const T, count: u32) -> &'a [T] {
    // SAFETY: the writer put as many there; an empty table has an address, too.
    if count == 0 { &[] } else { unsafe { core::slice::from_raw_parts(first, count as usize) } }
}

fn function_at(module: &Module, offset: u32) -> Option<&Function> {
    let functions = table(module.functions, module.function_count);
    let nth = functions.partition_point(|function| function.entry <= offset).checked_sub(1)?;
    Some(&functions[nth]).filter(|function| offset < function.end)
}

fn depth_at(module: &Module, offset: u32) -> Option<u32> {
    let rows = table(module.unwind, module.unwind_count);
    Some(rows[rows.partition_point(|row| row.offset <= offset).checked_sub(1)?].depth)
}

fn describe(module: &Module, function: &Function, offset: u32) -> Frame {
    let lines = table(module.lines, module.line_count);
    let row = lines.partition_point(|row| row.offset <= offset);
    let line = row.checked_sub(1).map_or(0, |row| lines[row].line);
    // SAFETY: the offsets lie among the strings.
    let text = |at: u32| unsafe { module.strings.add(at as usize).cast::<c_char>() };
    let file = if module.file == NOTHING { ptr::null() } else { text(module.file) };
    Frame { function: text(function.name), file, line }
}
