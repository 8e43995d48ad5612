//! Faults that are not ours, the signal mask, and threads without a signal stack: most of it in processes of its own.

#![allow(unsafe_code, reason = "signals")]
#![allow(deprecated, reason = "the mode of floats is set where the compiler computes nothing with them")]

use std::arch::x86_64::{_mm_getcsr, _mm_setcsr};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::ptr;

use libc::{c_int, c_void, siginfo_t};

use super::*;

const ROLE: &str = "SPASM_TEST_ROLE";

/// Runs this test alone in another process, in which [`role`] gives `role`.
fn run(test: &str, role: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "--test-threads=1", &format!("exec::tests::signals::{test}")]);
    command.env(ROLE, role).output().unwrap()
}

fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

fn handle(signal: c_int, handler: usize, flags: c_int) {
    // SAFETY: an action of all zeros is valid, and so are the functions that the tests hand in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &raw const action, ptr::null_mut()), 0);
    }
}

/// Writes where it is, and ends the process.
extern "C" fn informed(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: called by the system or in its place.
    let address = unsafe { (*info).si_addr() } as usize;
    println!("informed {signal} {address:#x}");
    std::process::exit(41);
}

extern "C" fn plain(signal: c_int) {
    println!("plain {signal}");
    std::process::exit(42);
}

fn trapping_instance() -> Instance {
    let mut made = instance("func wild(i64) -> i64\nfunc divide(i64, i64) -> i64\nfunc deep_small\n");
    assert_eq!(trap(&mut made, "divide", &[1, 0]).0, TrapKind::DivideByZero);
    assert_eq!(trap(&mut made, "deep_small", &[]).0, TrapKind::StackOverflow);
    made
}

#[test]
fn a_fault_that_is_not_ours_goes_to_whoever_had_it_before() {
    let name = "a_fault_that_is_not_ours_goes_to_whoever_had_it_before";
    let Some(role) = role() else {
        for (role, code, signal, text) in [
            ("informed-host", Some(41), None, "informed 11 0x10"),
            ("informed-code", Some(41), None, "informed 11 0x18"),
            ("plain-host", Some(42), None, "plain 11"),
            ("once-host", Some(42), None, "plain 11"),
            ("default-host", None, Some(libc::SIGSEGV), ""),
            ("default-code", None, Some(libc::SIGSEGV), ""),
            ("default-sent", None, Some(libc::SIGSEGV), ""),
            ("ignored-host", None, Some(libc::SIGSEGV), ""),
            ("ignored-sent", Some(43), None, ""),
            ("rust-host", None, Some(libc::SIGSEGV), ""),
        ] {
            let output = run(name, role);
            let shown = format!("{role}: {output:?}");
            assert_eq!((output.status.code(), output.status.signal()), (code, signal), "{shown}");
            assert!(String::from_utf8_lossy(&output.stdout).contains(text), "{shown}");
        }
        return;
    };
    let (before, place) = role.split_once('-').unwrap();
    match before {
        "informed" => handle(libc::SIGSEGV, informed as *const () as usize, libc::SA_SIGINFO | libc::SA_ONSTACK),
        "plain" => handle(libc::SIGSEGV, plain as *const () as usize, libc::SA_ONSTACK | libc::SA_NODEFER),
        "once" => handle(libc::SIGSEGV, plain as *const () as usize, libc::SA_ONSTACK | libc::SA_RESETHAND),
        "ignored" => handle(libc::SIGSEGV, libc::SIG_IGN, 0),
        "default" => handle(libc::SIGSEGV, libc::SIG_DFL, 0),
        _ => {}
    }
    let mut made = trapping_instance();
    match place {
        // SAFETY: this is to fault.
        "host" => drop(unsafe { ptr::read_volatile(ptr::without_provenance::<u64>(0x10)) }),
        "code" => drop(call(&mut made, "wild", &[0x18])),
        // SAFETY: raising a signal is safe.
        _ => drop(unsafe { libc::raise(libc::SIGSEGV) }),
    }
    std::process::exit(43);
}

#[test]
fn the_stack_guard_of_the_host_is_not_ours() {
    #[allow(unconditional_recursion, reason = "this is to run out of stack")]
    fn deep(n: &[u8; 100]) -> u8 {
        deep(&[n[0].wrapping_add(std::hint::black_box(1)); 100]).wrapping_add(n[99])
    }
    if role().is_none() {
        let output = run("the_stack_guard_of_the_host_is_not_ours", "x");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("has overflowed its stack"), "{output:?}");
        return;
    }
    trapping_instance();
    std::process::exit(i32::from(deep(&[0; 100])));
}

fn mask() -> Vec<bool> {
    // SAFETY: a signal set may be all zeros, and the calls only read the mask of the thread.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &raw mut set), 0);
        (1..64).map(|signal| libc::sigismember(&raw const set, signal) == 1).collect()
    }
}

fn signal_stack() -> libc::stack_t {
    // SAFETY: the structure may be all zeros, and the call only reads.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        assert_eq!(libc::sigaltstack(ptr::null(), &raw mut stack), 0);
        stack
    }
}

#[test]
fn a_trap_leaves_the_signal_mask_and_the_float_mode_alone() {
    const TOWARDS_ZERO: u32 = 0x6000;
    let before = mask();
    let mut made = trapping_instance();
    // SAFETY: every machine that runs this has SSE, and the mode is put back below.
    unsafe { _mm_setcsr(_mm_getcsr() | TOWARDS_ZERO) };
    for _ in 0..10 {
        trap(&mut made, "deep_small", &[]);
        assert_eq!(mask(), before);
        assert_eq!(signal_stack().ss_flags & libc::SS_ONSTACK, 0);
    }
    // SAFETY: as above.
    unsafe {
        assert_eq!(_mm_getcsr() & TOWARDS_ZERO, TOWARDS_ZERO);
        _mm_setcsr(_mm_getcsr() & !TOWARDS_ZERO);
    }
}

#[test]
fn a_thread_without_a_signal_stack_gets_one_and_loses_it() {
    extern "C" fn body(_: *mut c_void) -> *mut c_void {
        assert_ne!(signal_stack().ss_flags & libc::SS_DISABLE, 0, "threads of C have none");
        trapping_instance();
        assert!(signal_stack().ss_size >= 64 << 10);
        ptr::null_mut()
    }
    for _ in 0..50 {
        // SAFETY: the thread is joined, and its function keeps the convention.
        unsafe {
            let mut thread: libc::pthread_t = std::mem::zeroed();
            assert_eq!(libc::pthread_create(&raw mut thread, ptr::null(), body, ptr::null_mut()), 0);
            assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
        }
    }
}

#[test]
fn a_forked_child_cannot_add_code_to_its_parents_arena() {
    if role().is_none() {
        let output = run("a_forked_child_cannot_add_code_to_its_parents_arena", "x");
        assert_eq!(output.status.code(), Some(44), "{output:?}");
        return;
    }
    let runtime = runtime();
    let mut made = instance_on(&runtime, EVERYTHING).unwrap();
    // SAFETY: the test runs alone, so no lock is held by another thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        assert_eq!(call(&mut made, "identity", &[4]).unwrap(), [4]);
        trap(&mut made, "unreachable", &[]);
        let error = instance_on(&runtime, EVERYTHING).map(|_| ()).unwrap_err().to_string();
        assert!(error.ends_with("make another engine in the child"), "{error}");
        drop(made);
        assert_eq!(call(&mut instance(EVERYTHING), "identity", &[5]).unwrap(), [5]);
        std::process::exit(44);
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(call(&mut made, "identity", &[6]).unwrap(), [6]);
    std::process::exit(libc::WEXITSTATUS(status));
}
