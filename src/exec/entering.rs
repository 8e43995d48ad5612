//! Calls of functions of an instance, from Rust.
//!
//! Comes in: a function and raw register bits. Goes out: results, or the error of the call. What must hold: a call has a
//! stack of its own; what a context knows of calls in progress is the same after a call as before it; nothing of Rust that
//! wants to be dropped stands between the frames of stitched code.

#![allow(unsafe_code, reason = "enters machine code and shares the context with it")]
#![allow(clippy::cast_ptr_alignment, reason = "data blocks are aligned to 64 bytes and stacks to pages")]

use std::io::ErrorKind;
use std::panic::resume_unwind;

use crate::trap::{RunError, Trap, TrapKind};

use super::call::{Ended, Plan};
use super::context::{Context, Pending, Span};
use super::ending::stopped;
use super::error::ExecError;
use super::instance::{Function, Instance};
use super::thread::Thread;

impl Instance {
    /// Calls a function of this instance with raw register bits.
    ///
    /// What the program prints has been written when this returns.
    ///
    /// # Errors
    /// Where the program traps, reads what is no number or cannot write, or the system has no stack for it.
    ///
    /// # Panics
    /// If the function is another instance's, `args` are not as many as it takes, or `results` are not as many as it gives;
    /// or if a reader or writer of the host panics.
    #[inline]
    pub fn call(&mut self, function: &Function, args: &[u64], results: &mut [u64]) -> Result<Ended, RunError> {
        self.enter(function, args, results)
    }

    /// The same for an instance of a linked module, which a function of the host may call back into while it is being
    /// called.
    ///
    /// A shared borrow suffices: nothing of what stitched code changes is ever lent by a linked instance, and it belongs to
    /// one thread at a time, as it is not `Sync`.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Panics
    /// As [`call`](Self::call), or if a function of the host panics; and if the module is not a linked one.
    #[inline]
    pub fn call_linked(&self, function: &Function, args: &[u64], results: &mut [u64]) -> Result<Ended, RunError> {
        assert!(self.links.is_some(), "only linked instances may be called while they are borrowed");
        self.enter(function, args, results)
    }

    #[inline]
    fn enter(&self, function: &Function, args: &[u64], results: &mut [u64]) -> Result<Ended, RunError> {
        let plan = &function.plan;
        assert_eq!(function.instance, self.id, "a function is called on an instance that it was not taken from");
        assert!(plan.takes(args.len()) && results.len() == plan.results.len(), "not the arguments of the function");
        let thread = Thread::current().map_err(no_stack)?;
        let place = thread.place(self.stack_size).map_err(|error| self.no_place(error))?;
        let outgoing = plan.outgoing + 8 * (args.len() - plan.params.len());
        let sp = place.top.wrapping_sub(outgoing.next_multiple_of(16));
        let context = self.context();
        // SAFETY: the context is this instance's, and nobody but calls on this thread reaches it; what it has of those that
        // are still in progress is put back. The outgoing area lies on a stack that is this call's alone, and is far smaller
        // than the smallest stack. `enter` keeps the System V convention, and the function that it enters the convention
        // that the plan follows, because the image is one of this module.
        let (status, outer) = unsafe {
            let bases = [context.cast::<u8>(), sp];
            for (slot, &bits) in plan.params.iter().zip(args) {
                bases[usize::from(slot.on_stack)].add(slot.at as usize).cast::<u64>().write(slot.trim(bits));
            }
            for (nth, &bits) in args.iter().enumerate().skip(plan.params.len()) {
                sp.cast::<u64>().add(nth).write(bits);
            }
            let outer = if thread.is_nested() { Some(Suspended::take(context)) } else { None };
            (*context).spasm_sp = sp as usize;
            (*context).entry = function.entry;
            (*context).count = args.len() as u64;
            (*context).guard = place.guard;
            let enter: Enter = std::mem::transmute(function.enter);
            let previous = thread.begin(context);
            let status = enter(context);
            thread.end(previous);
            (status, outer)
        };
        let ended = if status != 0 || self.state().streams.used() {
            self.leave(status != 0, plan, results, sp)
        } else {
            // SAFETY: as above; the call has returned.
            unsafe { take(plan, context, sp, results) };
            Ok(Ended::Returned)
        };
        if let Some(outer) = outer {
            // SAFETY: this call no longer uses the context.
            unsafe { outer.put_back(context) };
        }
        match ended {
            Ok(ended) => Ok(ended),
            Err(pending) => Err(end_with(pending)),
        }
    }

    /// The error of a call that gets no stack. Calls of linked instances that are nested too deep in each other are a
    /// program's own doing.
    #[cold]
    fn no_place(&self, error: ExecError) -> RunError {
        match no_stack(error) {
            RunError::Memory(error) if self.links.is_some() && error.kind() == ErrorKind::QuotaExceeded => {
                Trap { kind: TrapKind::StackOverflow, frames: Vec::new(), depth: 0 }.into()
            }
            other => other,
        }
    }

    /// The end of a call that did not just return.
    #[cold]
    fn leave(&self, was_stopped: bool, plan: &Plan, results: &mut [u64], sp: *mut u8) -> Result<Ended, Pending> {
        let result = if was_stopped {
            // SAFETY: the call in this context has just been stopped.
            unsafe { stopped(self.context(), &self.runtime) }
        } else {
            // SAFETY: as in `enter`.
            unsafe { take(plan, self.context(), sp, results) };
            Ok(Ended::Returned)
        };
        match result {
            Err(Pending::Panic(panic)) => {
                self.state().streams.forget();
                Err(Pending::Panic(panic))
            }
            Err(Pending::Error(error)) => self.state().streams.finish(Err(error)).map_err(Pending::Error),
            Err(pending) => Err(pending),
            Ok(ended) => self.state().streams.finish(Ok(ended)).map_err(Pending::Error),
        }
    }
}

/// What a context has of a call in progress while another call of the same instance is made on a stack of its own.
struct Suspended {
    host_sp: usize,
    spasm_sp: usize,
    guard: Span,
}

impl Suspended {
    /// # Safety
    /// The context must be readable.
    unsafe fn take(context: *const Context) -> Suspended {
        // SAFETY: as the caller promises.
        unsafe { Suspended { host_sp: (*context).host_sp, spasm_sp: (*context).spasm_sp, guard: (*context).guard } }
    }

    /// # Safety
    /// The context must be the same, and no later call of it in progress.
    unsafe fn put_back(self, context: *mut Context) {
        // SAFETY: as the caller promises.
        unsafe {
            ((*context).host_sp, (*context).spasm_sp, (*context).guard) = (self.host_sp, self.spasm_sp, self.guard);
        };
    }
}

/// The error of a call that ended this way; a panic goes on.
#[cold]
fn end_with(pending: Pending) -> RunError {
    match pending {
        Pending::Panic(panic) => resume_unwind(panic),
        Pending::Error(error) => error,
        Pending::Trap(kind) => Trap { kind, frames: Vec::new(), depth: 0 }.into(),
    }
}

type Enter = unsafe extern "sysv64" fn(*mut Context) -> u32;

/// Takes the results of a call.
///
/// # Safety
/// The call must have returned, and the context and the stack below `sp` must be as it left them.
#[inline]
unsafe fn take(plan: &Plan, context: *mut Context, sp: *mut u8, results: &mut [u64]) {
    let bases = [context.cast::<u8>(), sp];
    for (slot, result) in plan.results.iter().zip(results) {
        // SAFETY: as the caller promises; the plan places results in the context or in the outgoing area.
        let bits = unsafe { bases[usize::from(slot.on_stack)].add(slot.at as usize).cast::<u64>().read() };
        *result = slot.trim(bits);
    }
}

fn no_stack(error: ExecError) -> RunError {
    RunError::Memory(error.into())
}
