//! From a fault of the machine to the end of a linked program, or of a call that catches traps.
//!
//! Comes in: SIGSEGV, SIGBUS, SIGILL and SIGFPE. Goes out: faults of stitched code become traps; everything else goes to
//! whoever handled the signal before. What must hold: nothing is allocated, and no lock is taken before the process is
//! to end.

#![allow(unsafe_code, reason = "signal handling")]

use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::c::{self, Info, Interrupted, RDI, REGISTERS, RIP, RSI, RSP, Sigaction};
use crate::isa::trap::TrapKind;
use crate::layout::{DIVIDE, HALT, Module, Site};
use crate::memory::RESERVED;
use crate::thread::{self, Catch, Pending};
use crate::trap::{Trap, table};

const SIGNALS: [c_int; 4] = [c::SIGSEGV, c::SIGBUS, c::SIGILL, c::SIGFPE];
/// What a C function finds free on the stack, so how far below the stack pointer a call may look.
const C_STACK: usize = 65536 + 4096;
/// No frame is longer: 65,535 slots, 255 outgoing arguments and as many results, 8 bytes each.
const LONGEST_FRAME: usize = 1 << 20;

/// Who handled the signals before; read by the handler only after `start` has written them.
static mut BEFORE: [Sigaction; 4] = [Sigaction::NONE; 4];

/// `spasm_trap_handler` and what it gets.
pub static HANDLER: AtomicUsize = AtomicUsize::new(0);
pub static HANDLER_DATA: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

unsafe extern "C" {
    /// Leaves the call of `spasm_try` whose stack pointer this is, with this status.
    fn __spasm_leave(sp: *mut c_void, status: c_int) -> !;
}

/// How `spasm_try` ends.
pub const TRAPPED: c_int = 1;
pub const HALTED: c_int = 2;
pub const FAILED: c_int = 3;

pub fn start() -> bool {
    let mut new = Sigaction { handler: handle as *const () as usize, ..Sigaction::NONE };
    new.flags = c::SA_SIGINFO | c::SA_ONSTACK;
    // SAFETY: the structures are whole; the old handlers are known before the first fault comes.
    SIGNALS.iter().enumerate().all(|(nth, &signal)| unsafe {
        c::sigaction(signal, ptr::null(), &raw mut BEFORE[nth]) == 0
            && c::sigaction(signal, &raw const new, ptr::null_mut()) == 0
    })
}

/// Puts the old handlers back where nobody has set others since.
pub fn stop() {
    for (nth, &signal) in SIGNALS.iter().enumerate() {
        let mut present = Sigaction::NONE;
        // SAFETY: as above.
        unsafe {
            let read = c::sigaction(signal, ptr::null(), &raw mut present) == 0;
            if read && present.handler == handle as *const () as usize {
                c::sigaction(signal, &raw const BEFORE[nth], ptr::null_mut());
            }
        }
    }
}

enum Cause {
    Trap(TrapKind),
    Halt,
}

unsafe extern "C" fn handle(signal: c_int, info: *mut Info, interrupted: *mut Interrupted) {
    // SAFETY: the system hands over whole structures, which are the handler's to use.
    unsafe {
        if !end_call(signal, &*info, &mut *interrupted) {
            forward(signal, info, interrupted.cast());
        }
    }
}

unsafe fn end_call(signal: c_int, info: &Info, interrupted: &mut Interrupted) -> bool {
    let registers = &mut interrupted.registers;
    // A signal that a process sent says nothing about the instruction where it came.
    if info.code <= 0 {
        return false;
    }
    let (rip, sp) = (registers[RIP] as usize, registers[RSP] as usize);
    let Some((module, offset)) = crate::registry::find(rip) else { return false };
    // SAFETY: the state of a thread is that thread's, which waits for this.
    unsafe {
        let Some(cause) = cause(module, signal, info, offset, registers) else { return false };
        let thread = thread::existing().as_mut();
        let (catch, pending) =
            thread.map_or((ptr::null_mut(), None), |thread| (thread.catch, thread.pending.take()));
        let status = match (cause, pending) {
            (_, Some(Pending::Failed)) => FAILED,
            (_, Some(Pending::Trap(kind))) | (Cause::Trap(kind), None) => {
                let trap = Trap::new(kind, rip, sp);
                if catch.is_null() {
                    trapped(&trap);
                }
                if let Some(place) = (*catch).trap.as_mut() {
                    *place = trap;
                }
                TRAPPED
            }
            (Cause::Halt, None) => HALTED,
        };
        resume(catch, status, registers);
    }
    true
}

/// Lets the thread go on where the call is caught, or with the end of the process, on its own stack.
unsafe fn resume(catch: *mut Catch, status: c_int, registers: &mut [u64; 17]) {
    if catch.is_null() {
        registers[RIP] = finish as *const () as u64;
        registers[RDI] = u64::from(status == FAILED);
        // As behind a call.
        registers[RSP] = (registers[RSP] & !15) - 8;
        return;
    }
    registers[RIP] = __spasm_leave as *const () as u64;
    // SAFETY: the catch is one of a call in progress.
    registers[RDI] = unsafe { (*catch).sp } as u64;
    registers[RSI] = status as u64;
}

unsafe extern "C" fn finish(status: c_int) -> ! {
    // SAFETY: it runs on the thread's own stack, in place of the program.
    unsafe { c::exit(status) }
}

/// What nobody catches: the embedder is told, or else whoever reads standard error, and the process ends.
fn trapped(trap: &Trap) -> ! {
    let handler = HANDLER.load(Ordering::Acquire);
    if handler != 0 {
        type Handler = unsafe extern "C" fn(*const Trap, *mut c_void);
        // SAFETY: `spasm_set_trap_handler` was given a function of this type.
        unsafe { transmute::<usize, Handler>(handler)(trap, HANDLER_DATA.load(Ordering::Acquire)) };
    } else {
        // SAFETY: the thread was in stitched code, and so in no function of the stream.
        unsafe { c::fflush(c::stdout) };
        trap.complain();
    }
    // SAFETY: it may be called at any time.
    unsafe { c::abort() }
}

unsafe fn cause(module: &Module, signal: c_int, info: &Info, offset: u32, registers: &[u64; 17]) -> Option<Cause> {
    if signal == c::SIGSEGV || signal == c::SIGBUS {
        let address = info.address;
        // SAFETY: the state is the module's.
        let memory = unsafe { (*module.state).memory };
        if memory != 0 && address.wrapping_sub(memory) < RESERVED {
            return Some(Cause::Trap(TrapKind::OutOfBoundsMemory));
        }
        let sp = registers[RSP] as usize;
        let near = address.wrapping_sub(sp.wrapping_sub(C_STACK)) < C_STACK + LONGEST_FRAME;
        return near.then_some(Cause::Trap(TrapKind::StackOverflow));
    }
    let sites: &[Site] = table(module.sites, module.site_count);
    let site = &sites[sites.binary_search_by_key(&offset, |site| site.offset).ok()?];
    Some(match site.kind {
        HALT => Cause::Halt,
        DIVIDE => {
            let divisor = registers[REGISTERS[usize::from(site.register & 15)]];
            let divisor = if site.bits == 32 { divisor & 0xffff_ffff } else { divisor };
            Cause::Trap(if divisor == 0 { TrapKind::DivideByZero } else { TrapKind::IntegerOverflow })
        }
        kind => Cause::Trap(*TrapKind::ALL.get(usize::from(kind))?),
    })
}

/// Does what would have happened without this handler.
unsafe fn forward(signal: c_int, info: *mut Info, interrupted: *mut c_void) {
    // SAFETY: `BEFORE` is not written any more; the flags say which kind of function a handler is.
    unsafe {
        let nth = SIGNALS.iter().position(|&s| s == signal).unwrap_or(0);
        let before = &raw mut BEFORE[nth];
        let (handler, flags) = ((*before).handler, (*before).flags);
        let sent = (*info).code <= 0;
        match handler {
            0 => {}
            c::SIG_IGN if sent => return,
            c::SIG_IGN => {}
            handler => {
                if flags & c::SA_RESETHAND != 0 {
                    *before = Sigaction::NONE;
                }
                if flags & c::SA_SIGINFO != 0 {
                    type Informed = unsafe extern "C" fn(c_int, *mut Info, *mut c_void);
                    transmute::<usize, Informed>(handler)(signal, info, interrupted);
                } else {
                    transmute::<usize, unsafe extern "C" fn(c_int)>(handler)(signal);
                }
                return;
            }
        }
        let default = Sigaction::NONE;
        c::sigaction(signal, &raw const default, ptr::null_mut());
        if sent {
            c::raise(signal);
        }
    }
}
