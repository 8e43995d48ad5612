//! Functions of the host that a store hands to modules, as stitched code calls them.
//!
//! Comes in: from stitched code, the address of a [`Func`] and the arguments, where Spasm functions take theirs. Goes out:
//! the results, where Spasm functions leave theirs, or an end of the call. What must hold: no panic unwinds into stitched
//! code; a function of the host finds [`HOST_STACK`](crate::isa::layout::HOST_STACK) bytes of stack.
//!
//! All of them share one entry, the snippet `host`, which stands beside the trampolines: whoever calls by the address of
//! a [`Func`] has that in a register, and it tells which function it is. They run on the stack of the code that called
//! them, so that a call that goes back into stitched code from there uses another stack of the thread's, and however
//! many are nested, the host's own stack is no deeper than it was at the first.

#![allow(unsafe_code, reason = "arguments and results stand where machine code has put them")]
#![allow(clippy::cast_ptr_alignment, reason = "stacks are aligned to pages, and frames to 16 bytes")]

use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::isa::layout;
use crate::isa::part::Part;
use crate::isa::snippet::{Fault, MAX_REGS};
use crate::library::Library;
use crate::module::{Module, Signature};
use crate::objects::{Body, Func};
use crate::stitch::image::{Image, SiteMeaning, TrapSite, UnwindRow};

use super::call::{Ended, Plan};
use super::context::{Context, Pending, Span};
use super::registry::{self, Registration};
use super::runtime::Runtime;
use super::thread;

/// What the functions of a host do.
pub trait HostCalls: Send + Sync {
    /// Calls function number `host` of the store. `buffer` has the arguments, as raw bits that registers of their types
    /// hold, and takes the results in the same way, from its start on; it is as long as the longer of both.
    ///
    /// # Errors
    /// Where the call of stitched code that this came from is to end: with an error, a trap where it stands, or a panic. A
    /// panic of this function comes to the same as its return in [`Pending::Panic`].
    fn call(&self, host: u32, buffer: &mut [u64]) -> Result<Ended, Pending>;
}

/// What stitched code finds of a function of the host.
pub struct HostEntry {
    calls: Arc<dyn HostCalls>,
    number: u32,
    plan: Plan,
    /// Keeps the code of the entry.
    _runtime: Arc<Runtime>,
}

impl std::fmt::Debug for HostEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostEntry").field("number", &self.number).finish_non_exhaustive()
    }
}

impl HostEntry {
    fn new(runtime: &Arc<Runtime>, calls: &Arc<dyn HostCalls>, number: u32, signature: &Signature) -> HostEntry {
        HostEntry { calls: Arc::clone(calls), number, plan: Plan::new(signature), _runtime: Arc::clone(runtime) }
    }
}

/// Lets stitched code call a function of the host: sets its entry. What else has been set for it before stays. `calls` must
/// not own `func`, or neither is ever freed.
///
/// # Panics
/// If it is no function of the host.
pub fn connect_host(runtime: &Arc<Runtime>, func: &Func, calls: &Arc<dyn HostCalls>) {
    let Body::Host(number) = func.body() else { panic!("only functions of the host are called this way") };
    if func.set_host(HostEntry::new(runtime, calls, number, func.signature())) {
        func.set_entry(runtime.host().address());
    }
}

const _: () = {
    let block = offset_of!(Context, floats) + 8 * 8 - offset_of!(Context, ints);
    assert!(block + 8 == layout::HOST_FRAME && layout::HOST_FRAME % 16 == 8);
};

/// How many arguments and results need no list of their own.
const FEW: usize = 16;

/// What the snippet `host` calls: `block` is where a context would be whose ints, results and floats stand on the stack, and
/// `outgoing` the caller's outgoing area. The status is 0 where the function has returned.
pub(super) extern "sysv64" fn call_host(func: *const Func, block: *mut u8, outgoing: *mut u8) -> u32 {
    // SAFETY: a store keeps each of its functions for as long as code runs that may call it.
    let func = unsafe { &*func };
    let Some(host) = func.host() else { return 1 };
    let plan = &host.plan;
    let (mut few, mut many) = ([0; FEW], Vec::new());
    let buffer = match plan.params.len().max(plan.results.len()) {
        len @ ..=FEW => &mut few[..len],
        len => {
            many.resize(len, 0);
            &mut many[..]
        }
    };
    let bases = [block, outgoing];
    for (slot, bits) in plan.params.iter().zip(&mut *buffer) {
        // SAFETY: the caller has put its arguments there by the convention that the plan follows.
        *bits = slot.trim(unsafe { bases[usize::from(slot.on_stack)].add(slot.at as usize).cast::<u64>().read() });
    }
    let pending = match catch_unwind(AssertUnwindSafe(|| host.calls.call(host.number, buffer))) {
        Ok(Ok(Ended::Returned)) => {
            for (slot, &bits) in plan.results.iter().zip(&*buffer) {
                let place = bases[usize::from(slot.on_stack)].wrapping_add(slot.at as usize);
                // SAFETY: as above, for results.
                unsafe { place.cast::<u64>().write(slot.trim(bits)) };
            }
            return 0;
        }
        Ok(Ok(Ended::Halted)) => return 1,
        Ok(Err(pending)) => pending,
        Err(panic) => Pending::Panic(panic),
    };
    thread::set_pending(pending);
    1
}

/// The entry as the signal handler knows it: code of an instance that has no functions.
#[derive(Debug)]
pub(super) struct HostCode {
    /// Before the code, so that nobody finds code that is gone.
    _registration: Registration,
    /// From [`Box::into_raw`], like the state.
    context: *mut Context,
    address: usize,
    _image: Arc<Image>,
    _module: Arc<Module>,
}

// SAFETY: the context is read only, by whoever finds it for a fault, and what its pointers lead to lives as long.
unsafe impl Send for HostCode {}
// SAFETY: as above.
unsafe impl Sync for HostCode {}

impl HostCode {
    /// Its bytes.
    pub fn bytes() -> Vec<u8> {
        let library = Library::native();
        let chunk = library.part(Part::Host);
        let mut bytes = library.bytes(chunk, [0; MAX_REGS]);
        for hole in library.contract(chunk).holes() {
            let at = usize::from(hole.offset);
            bytes[at..at + 8].copy_from_slice(&(call_host as *const () as u64).to_le_bytes());
        }
        bytes
    }

    /// Makes the code known that stands at `code`.
    pub fn new(code: Span, trap_exit: usize) -> HostCode {
        let library = Library::native();
        let sites = library.contract(library.part(Part::Host)).sites();
        let site = |site: &crate::isa::snippet::Site| {
            debug_assert!(site.fault == Fault::Halt);
            TrapSite { offset: site.offset.into(), meaning: SiteMeaning::Halt }
        };
        let image = Image {
            unwind: vec![UnwindRow { offset: 0, depth: layout::HOST_FRAME as u32 }],
            sites: sites.iter().map(site).collect(),
            ..Image::default()
        };
        let (image, module) = (Arc::new(image), Arc::new(Module::default()));
        let origin = (Arc::as_ptr(&image), Arc::as_ptr(&module));
        let state = Box::into_raw(Box::default());
        let context = Box::into_raw(Box::new(Context { state, ..Context::new(code, origin, trap_exit) }));
        let span = (code.start(), code.end() - code.start());
        let registration = registry::register(span, context);
        HostCode { _registration: registration, context, address: code.start(), _image: image, _module: module }
    }

    /// Whether this is where a fault was.
    pub fn is_at(&self, fault: &super::context::Fault) -> bool {
        std::ptr::eq(fault.context, self.context)
    }

    /// Where it is.
    pub fn address(&self) -> usize {
        self.address
    }
}

impl Drop for HostCode {
    fn drop(&mut self) {
        // SAFETY: both came from `Box::into_raw`, and a runtime that nobody keeps has no code that runs.
        unsafe {
            drop(Box::from_raw((*self.context).state));
            drop(Box::from_raw(self.context));
        }
    }
}
