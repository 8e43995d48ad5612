//! How a call ends that does not return, and how a process ends where nobody waits for a call.
//!
//! Comes in: the fault that ended stitched code, and what helpers and functions of the host have left as the reason. Goes
//! out: the error of the call. What must hold: the stack is as the fault left it, and the instances whose code stands on
//! it live.

#![allow(unsafe_code, reason = "reads what machine code has left")]

use crate::trap::RunError;

use super::backtrace::{self, Calls};
use super::call::Ended;
use super::context::{Cause, Context, Fault, Pending};
use super::runtime::Runtime;
use super::thread;

/// How a call ended in whose context there is a fault.
///
/// # Safety
/// The context must be that of the call that was stopped last on this thread, and nothing has run on its stack since.
pub(super) unsafe fn stopped(context: *mut Context, runtime: &Runtime) -> Result<Ended, Pending> {
    // SAFETY: as the caller promises.
    let (fault, stack) = unsafe { ((*context).fault.take(), (*context).guard.end()..(*context).spasm_sp) };
    let Some(fault) = fault else { return Ok(Ended::Halted) };
    // SAFETY: the stack is readable from the end of its guard to where the call began.
    let trap =
        |kind| unsafe { backtrace::trap(kind, Calls::new(&fault, stack).going_on(Box::new(thread::take_beyond()))) };
    match (thread::take_pending(), fault.cause) {
        (Some(Pending::Trap(kind)), _) | (None, Cause::Trap(kind)) => Err(Pending::Error(trap(kind).into())),
        // A function of the host has handed on the trap of a call of its own: the calls around it belong to it, too.
        (Some(Pending::Error(RunError::Trap(inner))), _) if runtime.host().is_at(&fault) => {
            let kind = inner.kind;
            Err(Pending::Error(inner.within(trap(kind)).into()))
        }
        (Some(pending), _) => Err(pending),
        (None, Cause::Halt) => Ok(Ended::Halted),
    }
}

/// Ends the process for a fault of stitched code on a thread that no call is in progress on: C has called it, and there
/// is nobody to give an error to.
pub(super) fn end_process(fault: &Fault) -> ! {
    let pending = thread::take_pending();
    // SAFETY: the instance's code has faulted on this thread, so the instance lives; the stack above the fault is this
    // thread's, up to where return addresses end.
    let (state, trap) = unsafe {
        let trap = |kind| backtrace::trap(kind, Calls::new(fault, fault.sp..usize::MAX & !7));
        let trap = match fault.cause {
            Cause::Trap(kind) => Some(trap(kind)),
            Cause::Halt => None,
        };
        (&*(*fault.context).state, trap)
    };
    if let Some(streams) = &mut *state.streams.lock() {
        // What cannot be written now is lost with the process.
        let _ = streams.flush();
    }
    match (pending, trap) {
        (Some(Pending::Error(RunError::Trap(trap))), _) | (None, Some(trap)) => eprintln!("{trap}"),
        (Some(Pending::Trap(kind)), _) => eprintln!("trap: {kind}"),
        (Some(Pending::Error(error)), _) => eprintln!("error: {error}"),
        (Some(Pending::Panic(_)), _) => eprintln!("error: a reader or writer of the host panicked"),
        (None, None) => std::process::exit(0),
    }
    std::process::abort()
}
