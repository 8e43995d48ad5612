//! Linear memory in linked programs.
//!
//! Comes in: descriptors, and the calls of `mgrow`, `mcopy` and `mfill`. Goes out: memory at an address that never
//! changes. What must hold: whatever a program can address lies in the reservation; what is not committed faults; new
//! pages are zero.

#![allow(unsafe_code, reason = "memory by its address")]

use core::ptr;

use crate::c;
use crate::isa::trap::TrapKind;
use crate::layout::{Module, State};
use crate::registry::locked;
use crate::thread;

const PAGE: usize = 65_536;
/// The largest index and the largest offset together, and the access itself.
pub const RESERVED: usize = (2 << 32) + PAGE;

/// Reserves and fills the memory of a module that has one; false where the system refuses.
///
/// # Safety
/// The module must be complete.
pub unsafe fn start(module: &Module) -> bool {
    // SAFETY: the state belongs to the module; a new mapping touches nothing that is there. The verifier saw to it that
    // what fills the memory lies in it.
    unsafe {
        let state = module.state;
        let base = c::mmap(ptr::null_mut(), RESERVED, c::PROT_NONE, c::MAP_RESERVE, -1, 0);
        if base as isize == -1 {
            return false;
        }
        (*state).memory = base as usize;
        if !commit(state, module.min_pages) {
            return false;
        }
        for nth in 0..module.init_count as usize {
            let init = &*module.inits.add(nth);
            let to = base.cast::<u8>().add(init.offset as usize);
            ptr::copy_nonoverlapping(init.bytes, to, init.len as usize);
        }
    }
    true
}

/// Gives the memory of a module back.
///
/// # Safety
/// Nobody may use it any more.
pub unsafe fn end(module: &Module) {
    // SAFETY: as the caller promises.
    unsafe { c::munmap((*module.state).memory as *mut _, RESERVED) };
}

/// Makes the memory this many pages long, which must not be fewer than it has.
unsafe fn commit(state: *mut State, pages: u32) -> bool {
    // SAFETY: the range lies in the reservation.
    unsafe {
        let (old, new) = ((*state).pages as usize * PAGE, pages as usize * PAGE);
        let at = (*state).memory + old;
        if new > old && c::mprotect(at as *mut _, new - old, c::PROT_READ_WRITE) != 0 {
            return false;
        }
        (*state).pages = pages;
    }
    true
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_mgrow(state: *mut State, pages: u32) -> u64 {
    // SAFETY: stitched code passes the state of its module, which is registered.
    locked(|| unsafe {
        let old = (*state).pages;
        let new = old.checked_add(pages).filter(|&new| new <= (*(*state).module).max_pages);
        match new {
            Some(new) if commit(state, new) => u64::from(old),
            _ => u64::from(u32::MAX),
        }
    })
}

/// Whether these bytes are all in the memory.
unsafe fn has(state: *mut State, at: u32, len: u32) -> bool {
    // SAFETY: as above.
    let size = unsafe { (*state).pages as usize * PAGE };
    at as usize + len as usize <= size
}

/// Writes bytes to the memory of a module; nothing where they have no place.
///
/// # Safety
/// The module must be registered, or be about to.
pub unsafe fn write(state: *mut State, at: u32, bytes: &[u8]) -> Option<()> {
    // SAFETY: the range is checked. Bytes for a memory that is not there have no place, unless there are none.
    unsafe {
        if !has(state, at, u32::try_from(bytes.len()).ok()?) {
            return None;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), ((*state).memory as *mut u8).wrapping_add(at as usize), bytes.len());
    }
    Some(())
}

fn out_of_bounds() -> u32 {
    thread::set_pending(thread::Pending::Trap(TrapKind::OutOfBoundsMemory));
    1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_mcopy(state: *mut State, to: u32, from: u32, len: u32) -> u32 {
    // SAFETY: as above; both ranges are checked.
    unsafe {
        if !has(state, to, len) || !has(state, from, len) {
            return out_of_bounds();
        }
        let base = (*state).memory as *mut u8;
        ptr::copy(base.add(from as usize), base.add(to as usize), len as usize);
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_mfill(state: *mut State, to: u32, byte: u32, len: u32) -> u32 {
    // SAFETY: as above.
    unsafe {
        if !has(state, to, len) {
            return out_of_bounds();
        }
        ptr::write_bytes(((*state).memory as *mut u8).add(to as usize), byte as u8, len as usize);
    }
    0
}
