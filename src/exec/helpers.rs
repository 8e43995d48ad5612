//! What stitched code calls in Rust: printing, reading, and what linear memory needs.
//!
//! Comes in: from the helpers' thunk, on the host's stack, the context and register values. Goes out: values and a status
//! that is 0 for success; why it is not stands in the state. What must hold: no panic unwinds into stitched code.

#![allow(unsafe_code, reason = "the context comes from machine code as a pointer")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::isa::op::Type;
use crate::isa::trap::TrapKind;
use crate::streams::Streams;
use crate::trap::RunError;

use super::context::{Context, HELPERS, Pending, State};
use super::memory::LinearMemory;

/// The addresses of the helpers in the order of their numbers.
pub fn addresses() -> [usize; HELPERS] {
    [
        print_i64 as *const () as usize,
        print_f32 as *const () as usize,
        print_f64 as *const () as usize,
        read_i64 as *const () as usize,
        read_f32 as *const () as usize,
        read_f64 as *const () as usize,
        mgrow as *const () as usize,
        mcopy as *const () as usize,
        mfill as *const () as usize,
    ]
}

/// A value in `rax` and a status in `rdx`.
#[repr(C)]
struct Read {
    bits: u64,
    status: u64,
}

/// # Safety
/// The context must be that of a call in progress, and nobody else may hold its state.
unsafe fn state<'a>(context: *mut Context) -> &'a mut State {
    // SAFETY: as the caller promises. The instance that owns the state waits for the call to end.
    unsafe { &mut *(*context).state }
}

/// Uses the streams; a failure is kept for when stitched code has been left.
fn stream<T>(state: &mut State, work: impl FnOnce(&mut Streams) -> Result<T, RunError>) -> Option<T> {
    state.streamed = true;
    let streams = state.streams.get_or_insert_with(Streams::standard);
    let pending = match catch_unwind(AssertUnwindSafe(|| work(streams))) {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => Pending::Error(error),
        Err(panic) => Pending::Panic(panic),
    };
    state.pending = Some(pending);
    None
}

fn print(state: &mut State, ty: Type, bits: u64) -> u32 {
    u32::from(stream(state, |streams| streams.print(ty, bits)).is_none())
}

fn read(state: &mut State, ty: Type) -> Read {
    match stream(state, |streams| streams.read(ty)) {
        Some(bits) => Read { bits, status: 0 },
        None => Read { bits: 0, status: 1 },
    }
}

/// Does something to the memory that gives nothing where it would reach outside.
fn memory(state: &mut State, work: impl FnOnce(&mut [u8]) -> Option<()>) -> u32 {
    let bytes = state.memory.as_mut().map_or(&mut [] as &mut [u8], LinearMemory::bytes_mut);
    if work(bytes).is_some() {
        return 0;
    }
    state.pending = Some(Pending::Trap(TrapKind::OutOfBoundsMemory));
    1
}

extern "sysv64" fn print_i64(context: *mut Context, value: u64) -> u32 {
    // SAFETY: stitched code passes the context of the call in progress.
    print(unsafe { state(context) }, Type::I64, value)
}

extern "sysv64" fn print_f32(context: *mut Context, value: f32) -> u32 {
    // SAFETY: as above.
    print(unsafe { state(context) }, Type::F32, u64::from(value.to_bits()))
}

extern "sysv64" fn print_f64(context: *mut Context, value: f64) -> u32 {
    // SAFETY: as above.
    print(unsafe { state(context) }, Type::F64, value.to_bits())
}

extern "sysv64" fn read_i64(context: *mut Context) -> Read {
    // SAFETY: as above.
    read(unsafe { state(context) }, Type::I64)
}

extern "sysv64" fn read_f32(context: *mut Context) -> Read {
    // SAFETY: as above.
    read(unsafe { state(context) }, Type::F32)
}

extern "sysv64" fn read_f64(context: *mut Context) -> Read {
    // SAFETY: as above.
    read(unsafe { state(context) }, Type::F64)
}

/// All 64 bits of the result are its own: C leaves the upper half of a register that returns 32 bits to chance.
extern "sysv64" fn mgrow(context: *mut Context, pages: u32) -> u64 {
    // SAFETY: as above; the cell of the pages is read by stitched code only, which waits for this.
    unsafe {
        let Some(memory) = &mut state(context).memory else { return u64::from(u32::MAX) };
        let old = memory.grow(pages);
        (*context).pages = memory.pages();
        u64::from(old.unwrap_or(u32::MAX))
    }
}

extern "sysv64" fn mcopy(context: *mut Context, to: u32, from: u32, len: u32) -> u32 {
    let (to, from, len) = (to as usize, from as usize, len as usize);
    let copy = |bytes: &mut [u8]| {
        let whole = bytes.get(to..to + len).is_some() && bytes.get(from..from + len).is_some();
        whole.then(|| bytes.copy_within(from..from + len, to))
    };
    // SAFETY: as above.
    memory(unsafe { state(context) }, copy)
}

extern "sysv64" fn mfill(context: *mut Context, to: u32, byte: u32, len: u32) -> u32 {
    let (to, len) = (to as usize, len as usize);
    // SAFETY: as above.
    memory(unsafe { state(context) }, |bytes| bytes.get_mut(to..to + len).map(|range| range.fill(byte as u8)))
}
