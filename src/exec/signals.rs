//! From a fault of the machine to the end of a call.
//!
//! Comes in: SIGSEGV, SIGBUS, SIGILL and SIGFPE, from anywhere in the process. Goes out: a fault of stitched code that the
//! image foresees, or that touched a guard, is noted in the context of the call, and the thread goes on at the trap
//! exit, or where no call is in progress at what ends the process; everything else goes to whoever handled the signal before. What must hold: the handler calls nothing that is not
//! async-signal-safe, takes no lock and allocates nothing; it returns the ordinary way, so that the system
//! restores signal mask, signal stack and floating-point state.

#![allow(unsafe_code, reason = "signal handling")]

use std::io;
use std::mem::{MaybeUninit, size_of, transmute};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_int, c_void, siginfo_t, ucontext_t};

use crate::isa::trap::TrapKind;
use crate::stitch::image::SiteMeaning;

use super::backtrace::Calls;
use super::context::{Cause, Context, Fault, Span};
use super::ending::end_process;
use super::error::ExecError;
use super::registry;
use super::thread;

const SIGNALS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// Who handled each of [`SIGNALS`] before.
static BEFORE: [Before; 4] = [const { Before { action: OnceLock::new(), used_up: AtomicBool::new(false) } }; 4];

struct Before {
    action: OnceLock<libc::sigaction>,
    /// It asked to be called once only, and has been.
    used_up: AtomicBool,
}

/// Installs the handler, once in a process.
///
/// # Errors
/// Where the system refuses.
pub fn install() -> Result<(), ExecError> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let install = || SIGNALS.iter().zip(&BEFORE).try_for_each(|(&signal, before)| install_one(signal, before));
    INSTALLED.get_or_init(install).map_err(|errno| ExecError::System {
        attempt: "install a handler for faults",
        error: io::Error::from_raw_os_error(errno),
        advice: "without it, traps cannot be told",
    })
}

fn install_one(signal: c_int, before: &Before) -> Result<(), i32> {
    let failed =
        |code: c_int| if code == 0 { Ok(()) } else { Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)) };
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `old` is a whole structure for the system to fill in, and all its bits may be zero before.
    let old = unsafe {
        failed(libc::sigaction(signal, ptr::null(), old.as_mut_ptr()))?;
        old.assume_init()
    };
    // The old handler must be known before the first fault comes.
    before.action.get_or_init(|| old);
    // SAFETY: the structure may be all zeros.
    let mut new = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    new.sa_sigaction = handle as *const () as usize;
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `new` is complete, and `handle` keeps the rules for signal handlers.
    failed(unsafe { libc::sigaction(signal, &raw const new, ptr::null_mut()) })
}

extern "C" fn handle(signal: c_int, info: *mut siginfo_t, ucontext: *mut c_void) {
    // SAFETY: the system hands over a signal's information and the interrupted state, which are the handler's to use.
    unsafe {
        if !end_call(signal, &*info, &mut *ucontext.cast()) {
            forward(signal, info, ucontext);
        }
    }
}

/// Sends the thread to where the call ends, if it was in stitched code that was to fault.
fn end_call(signal: c_int, info: &siginfo_t, ucontext: &mut ucontext_t) -> bool {
    let registers = &mut ucontext.uc_mcontext.gregs;
    let address = registers[libc::REG_RIP as usize] as usize;
    // A signal that a process sent says nothing about the instruction where it came.
    if info.si_code <= 0 {
        return false;
    }
    let owner = registry::owner(address);
    if owner.is_null() {
        return false;
    }
    let call = thread::activation();
    // SAFETY: an instance whose code has faulted lives, and its image with it. A context stays where it is while its call
    // is in progress, and the code that writes to it is what this thread was in.
    unsafe {
        let Some(offset) = (*owner).code.offset_of(address) else { return false };
        let guard = if call.is_null() { Span::default() } else { (*call).guard };
        let Some(cause) = cause(&*owner, guard, signal, info, offset as u32, registers) else { return false };
        let sp = registers[libc::REG_RSP as usize] as usize;
        let fault = Fault { context: owner, offset: offset as u32, sp, cause };
        if call.is_null() {
            // As if the faulting instruction had called it, with the fault below the stack for its argument.
            let room = (sp - size_of::<Fault>() - BELOW) & !63;
            (room as *mut Fault).write(fault);
            registers[libc::REG_RSP as usize] = (room - 8) as i64;
            registers[libc::REG_RDI as usize] = room as i64;
            registers[libc::REG_RIP as usize] = foreign_end as *const () as i64;
            return true;
        }
        (*call).fault = Some(fault);
        if !(*(*owner).image).entries.is_empty() {
            let stack = (*call).guard.end()..(*call).spasm_sp;
            if Calls::new(&fault, stack.clone()).ends_at_c() {
                thread::set_beyond(stack);
            }
        }
        registers[libc::REG_RIP as usize] = (*call).trap_exit as i64;
        registers[libc::REG_RDI as usize] = call as i64;
    }
    true
}

/// Bytes below the stack pointer that the interrupted code may still have a claim to.
const BELOW: usize = 256;

/// Where a thread goes on whose stitched code was called by C alone.
extern "sysv64" fn foreign_end(fault: *const Fault) -> ! {
    // SAFETY: the handler has just written it below the stack of this thread, above where this function works.
    end_process(unsafe { &*fault })
}

/// What the fault means, if it was foreseen.
///
/// # Safety
/// The context must be that of an instance that lives.
unsafe fn cause(
    context: &Context,
    guard: Span,
    signal: c_int,
    info: &siginfo_t,
    offset: u32,
    registers: &[i64],
) -> Option<Cause> {
    if signal == libc::SIGSEGV || signal == libc::SIGBUS {
        // SAFETY: these signals carry an address.
        let address = unsafe { info.si_addr() } as usize;
        let in_guard = guard.offset_of(address).map(|_| TrapKind::StackOverflow);
        let in_memory = || context.reach.offset_of(address).map(|_| TrapKind::OutOfBoundsMemory);
        return in_guard.or_else(in_memory).map(Cause::Trap);
    }
    // SAFETY: the image lives as long as the instance that is being called.
    match unsafe { &*context.image }.site(offset)? {
        SiteMeaning::Trap(kind) => Some(Cause::Trap(kind)),
        SiteMeaning::Halt => Some(Cause::Halt),
        SiteMeaning::Divide { register, bits } => {
            let divisor = registers[REGISTERS[usize::from(register & 15)] as usize] as u64;
            let divisor = if bits == 32 { divisor & 0xffff_ffff } else { divisor };
            Some(Cause::Trap(if divisor == 0 { TrapKind::DivideByZero } else { TrapKind::IntegerOverflow }))
        }
    }
}

/// Where the system keeps each general register, by the machine's number for it.
const REGISTERS: [c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

/// Does what would have happened without this handler.
///
/// # Safety
/// Only for the handler, with what it was given.
unsafe fn forward(signal: c_int, info: *mut siginfo_t, ucontext: *mut c_void) {
    let before = SIGNALS.iter().position(|&s| s == signal).map(|i| &BEFORE[i]);
    let action = before.and_then(|b| b.action.get().filter(|_| !b.used_up.load(Ordering::Relaxed)));
    // SAFETY: the handler was given a whole siginfo_t.
    let sent = unsafe { (*info).si_code } <= 0;
    match action {
        Some(action) if action.sa_sigaction == libc::SIG_IGN && sent => {}
        Some(action) if action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN => {
            if let Some(before) = before.filter(|_| action.sa_flags & libc::SA_RESETHAND != 0) {
                before.used_up.store(true, Ordering::Relaxed);
            }
            // SAFETY: the action was installed for this signal, with this kind of function.
            unsafe { call(action, signal, info, ucontext) };
        }
        _ => die(signal, sent),
    }
}

/// Calls another handler as the system would have.
///
/// # Safety
/// `action` must hold a function.
unsafe fn call(action: &libc::sigaction, signal: c_int, info: *mut siginfo_t, ucontext: *mut c_void) {
    // SAFETY: changing the mask is allowed here, and the end of the handler restores it. The flags of the action say
    // which of the two kinds of function it holds.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const action.sa_mask, ptr::null_mut());
        if action.sa_flags & libc::SA_NODEFER != 0 {
            let mut own = MaybeUninit::<libc::sigset_t>::zeroed().assume_init();
            libc::sigemptyset(&raw mut own);
            libc::sigaddset(&raw mut own, signal);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const own, ptr::null_mut());
        }
        if action.sa_flags & libc::SA_SIGINFO != 0 {
            type Informed = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
            transmute::<usize, Informed>(action.sa_sigaction)(signal, info, ucontext);
        } else {
            transmute::<usize, extern "C" fn(c_int)>(action.sa_sigaction)(signal);
        }
    }
}

/// Lets the signal end the process: at once where it was sent, else by the instruction that faults again.
fn die(signal: c_int, sent: bool) {
    // SAFETY: the structure may be all zeros, which is the default action, and both calls are allowed in a handler.
    unsafe {
        let default = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        libc::sigaction(signal, &raw const default, ptr::null_mut());
        if sent {
            libc::raise(signal);
        }
    }
}
