//! The runtime of linked programs: what an object that Spasm wrote needs of Rust when no Spasm is there.
//!
//! Comes in: module descriptors from the objects ([`layout`]), calls of stitched code, faults. Goes out: lines and
//! numbers, linear memory, the messages of traps. What must hold: it is a crate of its own, without the standard
//! library, compiled by the build into one object file that the writer puts into each object as one group, of which a
//! linker keeps one; it needs nothing but the C library, and says and prints what the other tiers do.

#![no_std]
#![allow(unsafe_code, reason = "memory from the C library")]
#![allow(dead_code, reason = "what it shares with the crate it uses in part")]

// The files shared with the crate name the standard library; all they use of it is here, too.
extern crate alloc as std;

mod api;
mod c;
mod layout;
mod linked;
#[path = "../text/literal.rs"]
mod literal;
mod memory;
#[path = "../number.rs"]
mod number;
mod print;
mod read;
mod registry;
mod signals;
mod thread;
mod trap;
#[path = "../isa/trap.rs"]
mod trap_kind;
#[path = "../isa/types.rs"]
mod types;

/// What the files shared with the crate use of it.
mod isa {
    pub(crate) use crate::trap_kind as trap;
    pub(crate) use crate::types as op;
}

mod text {
    pub(crate) use crate::literal;
}

use core::alloc::{GlobalAlloc, Layout};

/// Memory from the C library, for `read` only.
struct Malloc;

// SAFETY: malloc keeps the rules, and its alignment is enough for all that the runtime asks for; more is refused.
unsafe impl GlobalAlloc for Malloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > 16 {
            return core::ptr::null_mut();
        }
        // SAFETY: any size will do.
        unsafe { c::malloc(layout.size()).cast() }
    }

    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        // SAFETY: it came from malloc.
        unsafe { c::free(place.cast()) }
    }
}

#[global_allocator]
static MALLOC: Malloc = Malloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    c::fail("spasm: the runtime has a defect\n")
}
