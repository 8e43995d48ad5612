//! What stitched code calls in Rust: printing, reading, and what linear memory needs.
//!
//! Comes in: from stitched code, on its stack, the context and register values. Goes out: values and a status
//! that is 0 for success; why it is not stands in the state. What must hold: no panic unwinds into stitched code.

#![allow(unsafe_code, reason = "the context comes from machine code as a pointer")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::isa::op::{Op, Type};
use crate::module::native::Target;
use crate::streams::Streams;
use crate::trap::RunError;

use super::context::{Context, HELPERS, Pending, State};
use super::memory::LinearMemory;
use super::thread;

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
        object::<{ Op::Tget as usize }> as *const () as usize,
        object::<{ Op::Tset as usize }> as *const () as usize,
        object::<{ Op::Tsize as usize }> as *const () as usize,
        object::<{ Op::Tgrow as usize }> as *const () as usize,
        object::<{ Op::Tfill as usize }> as *const () as usize,
        object::<{ Op::Tcopy as usize }> as *const () as usize,
        object::<{ Op::Tinit as usize }> as *const () as usize,
        object::<{ Op::Edrop as usize }> as *const () as usize,
        object::<{ Op::Minit as usize }> as *const () as usize,
        object::<{ Op::Mdrop as usize }> as *const () as usize,
        object::<{ Op::Ref as usize }> as *const () as usize,
    ]
}

/// A value in `rax` and a status in `rdx`.
#[repr(C)]
struct Read {
    bits: u64,
    status: u64,
}

/// # Safety
/// The context must be that of an instance that is being called.
unsafe fn state<'a>(context: *mut Context) -> &'a State {
    // SAFETY: as the caller promises. The instance that owns the state waits for the call to end.
    unsafe { &*(*context).state }
}

/// Uses the streams; a failure is kept for when stitched code has been left.
fn stream<T>(state: &State, work: impl FnOnce(&mut Streams) -> Result<T, RunError>) -> Option<T> {
    state.streams.note_use();
    let mut streams = state.streams.lock();
    let streams = streams.get_or_insert_with(Streams::standard);
    let pending = match catch_unwind(AssertUnwindSafe(|| work(streams))) {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => Pending::Error(error),
        Err(panic) => Pending::Panic(panic),
    };
    thread::set_pending(pending);
    None
}

fn print(state: &State, ty: Type, bits: u64) -> u32 {
    u32::from(stream(state, |streams| streams.print(ty, bits)).is_none())
}

fn read(state: &State, ty: Type) -> Read {
    match stream(state, |streams| streams.read(ty)) {
        Some(bits) => Read { bits, status: 0 },
        None => Read { bits: 0, status: 1 },
    }
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
    // SAFETY: as above; the cell of the pages may be written by several threads, each with what is so by then.
    unsafe {
        let Some(memory) = &state(context).memory else { return u64::from(u32::MAX) };
        let old = memory.grow(pages);
        let cell = AtomicU32::from_ptr(&raw mut (*context).pages);
        cell.fetch_max(memory.pages(), Ordering::Relaxed);
        u64::from(old.unwrap_or(u32::MAX))
    }
}

/// The status of a change of the memory that gives nothing where it would reach outside; its template traps then.
fn memory(context: *mut Context, work: impl FnOnce(&LinearMemory) -> Option<()>) -> u32 {
    // SAFETY: as above.
    let memory = unsafe { &state(context).memory };
    u32::from(memory.as_deref().and_then(work).is_none())
}

extern "sysv64" fn mcopy(context: *mut Context, to: u32, from: u32, len: u32) -> u32 {
    memory(context, |memory| {
        let (to, from) = (memory.range(to, len)?, memory.range(from, len)?);
        // SAFETY: both ranges lie in the memory, and may overlap. Programs see to it that threads do not meet there.
        unsafe { ptr::copy(from, to, len as usize) };
        Some(())
    })
}

extern "sysv64" fn mfill(context: *mut Context, to: u32, byte: u32, len: u32) -> u32 {
    memory(context, |memory| {
        let to = memory.range(to, len)?;
        // SAFETY: as above.
        unsafe { ptr::write_bytes(to, byte as u8, len as usize) };
        Some(())
    })
}

/// An instruction on tables, elements and segments, or `ref`.
extern "sysv64" fn object<const OP: usize>(context: *mut Context, a: u32, b: u32, c: u32, named: u64) -> Read {
    let named = [named as u32, (named >> 32) as u32];
    // SAFETY: as above; the module lives as long as its instance.
    let (links, module) = unsafe { (&state(context).links, &*(*context).module) };
    let op = Op::ALL[OP];
    let done = links.as_ref().and_then(|links| match op {
        Op::Ref => Some(links.function(module, Target::from_fields(named[0], named[1])?)?.handle()),
        _ => links.execute(module, op, named, [a, b, c]).ok(),
    });
    match done {
        Some(value) => Read { bits: value.into(), status: 0 },
        None => Read { bits: 0, status: 1 },
    }
}
