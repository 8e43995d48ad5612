//! What a call costs, out to C and in from C and Rust, beside what C pays.
//!
//! Comes in: `calls.c` as a shared library. Goes out: a table of nanoseconds a call. What must hold: all loops do the same
//! number of calls of functions that do the same, each taking the result of the one before.

use std::ffi::{CStr, c_char, c_void};
use std::time::Duration;

use spasm::engine::{Config, Engine, Entries};
use spasm::{text, verify};

use crate::measure::{Work, all, alternate};
use crate::table::Table;

/// Calls in one measurement.
const CALLS: i64 = 100_000;

/// `LIBRARY` stands for the path of `calls.c`'s library.
const PROGRAM: &str = r#"
extern "LIBRARY" callee(i64) -> i64

func out(i64) -> i64
    const r1, 1
again:
    call r2, callee, r2
    sub a1, a1, r1
    jmpt a1, again
    ret r2

func increment(i64) -> i64
    const r1, 1
    add r2, a1, r1
    ret r2
"#;

type Increment = unsafe extern "C" fn(i64) -> i64;
type Direct = unsafe extern "C" fn(i64) -> i64;
type Through = unsafe extern "C" fn(i64, *const c_void) -> i64;
type Ffi = unsafe extern "C" fn(i64, *const c_void, *const c_void, *const c_void) -> i64;

/// A symbol of a library; null if either is not there.
fn symbol(library: &CStr, name: &CStr) -> *const c_void {
    // SAFETY: both are C strings, and the libraries do nothing when they are loaded.
    unsafe {
        let library = libc::dlopen(library.as_ptr().cast::<c_char>(), libc::RTLD_NOW);
        if library.is_null() { std::ptr::null() } else { libc::dlsym(library, name.as_ptr()) }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of calls")]
pub fn calls_table(rounds: usize) -> Table {
    let library = concat!(env!("CALLS"), "\0");
    let library = CStr::from_bytes_with_nul(library.as_bytes()).expect("a path has no zero");
    let source = PROGRAM.replace("LIBRARY", env!("CALLS"));
    let verified = verify::verify(text::parse("calls.spasm", &source).expect("it is right")).expect("it is right");
    // SAFETY: the program calls a function of `calls.c` as what it is.
    let engine = unsafe { Engine::allowing_natives(Config { entries: Entries::All, ..Config::default() }) };
    let mut instance = engine.instantiate(&verified).expect("it can be run");
    let mut other = engine.instantiate(&verified).expect("it can be run");
    let entry = instance.entry("increment").expect("every function has an entry");
    let out = instance.typed::<i64, i64>("out").expect("it is there");
    let increment = other.typed::<i64, i64>("increment").expect("it is there");
    // SAFETY: the types are those of `calls.c`.
    let (direct, through, ffi) = unsafe {
        (
            std::mem::transmute::<*const c_void, Direct>(symbol(library, c"call_direct")),
            std::mem::transmute::<*const c_void, Through>(symbol(library, c"call_through")),
            std::mem::transmute::<*const c_void, Ffi>(symbol(library, c"call_ffi")),
        )
    };
    let callee = symbol(library, c"callee");
    let [prepare, call, sint64] =
        [c"ffi_prep_cif", c"ffi_call", c"ffi_type_sint64"].map(|name| symbol(c"libffi.so.8", name));
    // SAFETY: an entry is called as what its function is.
    let entered: Increment = unsafe { std::mem::transmute(entry) };
    let mut names =
        vec!["C calls C", "C calls C through a pointer", "Spasm calls C", "C calls Spasm through a pointer"];
    // SAFETY: all of these take what they are given, and the program traps nowhere.
    let mut work: Vec<Work<'_>> = vec![
        all(|| unsafe { direct(CALLS) }),
        all(|| unsafe { through(CALLS, callee) }),
        all(|| out.call(&mut instance, CALLS)),
        all(|| unsafe { through(CALLS, entry) }),
        all(|| (0..CALLS).fold(0, |x, _| unsafe { entered(x) })),
        all(|| (0..CALLS).fold(0, |x, _| increment.call(&mut other, x).unwrap_or(x))),
    ];
    names.extend(["Rust calls Spasm through a pointer", "Rust calls Spasm by a typed function"]);
    if !prepare.is_null() && !call.is_null() && !sint64.is_null() {
        names.push("libffi calls C");
        // SAFETY: the symbols are what their names say.
        work.push(all(|| unsafe { ffi(CALLS, prepare, call, sint64) }));
    }
    let times = alternate(rounds, Duration::from_millis(2), &mut work);
    let mut table = Table::new(&["call", "ns", "±", "× C calls C"]);
    for (name, one) in names.iter().zip(&times) {
        table.row(vec![
            (*name).to_owned(),
            format!("{:.2}", one.median() * 1e9 / CALLS as f64),
            format!("{:.0} %", one.spread() * 100.0),
            format!("{:.2}", one.median() / times[0].median()),
        ]);
    }
    table
}
