//! What happens while programs and C run in each other: traps, threads, stacks, functions of the host.

use std::ffi::c_void;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use spasm::engine::{CallError, Config, Engine, Entries, Imports, Instance, InstanceError, Tier};
use spasm::trap::{RunError, TrapKind};
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

use super::c::Folder;
use super::signatures::{engine, instance};

fn verified(source: &str) -> Verified {
    let module = text::parse("test.spasm", source).unwrap_or_else(|error| panic!("{error}"));
    verify::verify(module).unwrap_or_else(|error| panic!("{error}"))
}

fn call(instance: &mut Instance, name: &str, args: &[i64]) -> i64 {
    let args: Vec<Value> = args.iter().map(|&arg| Value::I64(arg)).collect();
    instance.call(name, &args).unwrap_or_else(|error| panic!("{error}"))[0].bits() as i64
}

fn trap(error: CallError) -> (TrapKind, String) {
    match error {
        CallError::Run(RunError::Trap(trap)) => (trap.kind, trap.to_string()),
        other => panic!("{other}"),
    }
}

const SORT: &str = "
extern \"\" qsort(ptr, i64, i64, ptr)
data numbers = i64 5, 3, 9, 1, 7
global left i64 = 0
func compare(ptr, ptr) -> i32
    gget r1, left
    const r2, 1
    sub r1, r1, r2
    gset left, r1
    div r3, r2, r1
    load r4, a1
    load r5, a2
    less r6, r4, r5
    less r7, r5, r4
    sub.i32 r8, r7, r6
    ret r8
func sort(i64) -> i64
    gset left, a1
    addr r1, numbers
    const r2, 5
    const r3, 8
    addr r4, compare
    call qsort, r1, r2, r3, r4
    load r5, r1
    ret r5
";

#[test]
fn a_trap_in_a_callback_ends_the_call_and_nothing_else() {
    let mut instance = instance(SORT);
    for _ in 0..100 {
        let (kind, text) = trap(instance.call("sort", &[Value::I64(3)]).unwrap_err());
        assert_eq!(kind, TrapKind::DivideByZero);
        let wanted = "trap: divide by zero\n  at compare (test.spasm:10)\n  at C code\n  at sort (test.spasm:23)";
        assert_eq!(text, wanted);
    }
    assert_eq!(call(&mut instance, "sort", &[1000]), 1);
}

#[test]
fn c_finds_room_on_the_stack_or_the_call_ends() {
    let source = "
extern \"\" labs(i64) -> i64
func down(i64) -> i64
    call r1, labs, a1
    call r2, down, r1
    ret r2
func one() -> i64
    const r1, -7
    call r1, labs, r1
    ret r1
";
    let mut instance = instance(source);
    for _ in 0..3 {
        let (kind, _) = trap(instance.call("down", &[Value::I64(-1)]).unwrap_err());
        assert_eq!(kind, TrapKind::StackOverflow);
        assert_eq!(call(&mut instance, "one", &[]), 7);
    }
}

const THREADS: &str = "
#include <pthread.h>
#include <stdint.h>
typedef int64_t (*F)(int64_t);
struct job { F f; int64_t count, sum; };
static void *work(void *p) {
    struct job *j = p;
    for (int64_t i = 0; i < j->count; i++) j->sum += j->f(i);
    return 0;
}
int64_t on_threads(F f, int64_t threads, int64_t count) {
    pthread_t t[16];
    struct job j[16];
    int64_t sum = 0;
    for (int i = 0; i < threads; i++) { j[i] = (struct job){ f, count, 0 }; pthread_create(&t[i], 0, work, &j[i]); }
    for (int i = 0; i < threads; i++) { pthread_join(t[i], 0); sum += j[i].sum; }
    return sum;
}
int64_t repeat(F f, int64_t count) {
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++) sum += f(i);
    return sum;
}
";

fn threads(library: &str) -> String {
    format!(
        "
extern \"{library}\" on_threads(ptr, i64, i64) -> i64
extern \"{library}\" repeat(ptr, i64) -> i64
memory 1
init 8 = i64 3
func triple(i64) -> i64
    const r1, 8
    mload r2, r1
    mul r2, r2, a1
    ret r2
func speak(i64) -> i64
    print a1
    const r1, 1
    mgrow r2, r1
    ret r1
func share(i64) -> i64
    const r1, 100
    sub r2, r1, a1
    div r3, r1, r2
    ret r3
func many(i64, i64) -> i64
    addr r1, triple
    call r2, on_threads, r1, a1, a2
    ret r2
func noisy(i64, i64) -> i64
    addr r1, speak
    call r2, on_threads, r1, a1, a2
    ret r2
func fatal() -> i64
    addr r1, share
    const r2, 2
    const r3, 200
    call r2, on_threads, r1, r2, r3
    ret r2
func often(i64) -> i64
    addr r1, triple
    call r2, repeat, r1, a1
    ret r2
"
    )
}

#[test]
fn callbacks_come_from_any_thread_and_as_often_as_they_like() {
    let folder = Folder::new("threads");
    let library = folder.library("threads", THREADS);
    let mut instance = instance(&threads(&library));
    let sum = |count: i64| 3 * count * (count - 1) / 2;
    assert_eq!(call(&mut instance, "often", &[100_000]), sum(100_000));
    assert_eq!(call(&mut instance, "many", &[8, 20_000]), 8 * sum(20_000));
    let (streams, printed) = spasm::streams::Streams::captured("");
    instance.set_streams(streams);
    assert_eq!(call(&mut instance, "noisy", &[4, 500]), 2000);
    let mut lines: Vec<i64> = printed.text().lines().map(|line| line.parse().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, (0..500).flat_map(|n| [n; 4]).collect::<Vec<i64>>());
}

/// Runs the one test `name` in a process of its own, with `role` for it; gives its status and what it said.
fn in_process(name: &str, role: &str) -> (std::process::ExitStatus, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", name, "--nocapture", "--test-threads", "1"]).env("SPASM_TEST_ROLE", role);
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_trap_on_a_thread_of_c_ends_the_process_with_its_stack() {
    type Share = extern "C" fn(i64) -> i64;
    use std::os::unix::process::ExitStatusExt;
    if let Ok(role) = std::env::var("SPASM_TEST_ROLE") {
        let folder = Folder::new("fatal");
        let library = folder.library("threads", THREADS);
        let mut instance = instance(&threads(&library));
        // What is loaded stays, and the process ends before the folder would be removed.
        drop(folder);
        if role == "thread" {
            let _ = instance.call("fatal", &[]);
        } else {
            let source = "func share(i64) -> i64\n    div r1, a1, r2\n    ret r1\n";
            let engine = engine(Entries::All);
            let instance = engine.instantiate(&verified(source)).unwrap();
            // SAFETY: the function is what its signature says, and the instance lives.
            let share: Share = unsafe { std::mem::transmute(instance.entry("share").unwrap()) };
            share(1);
        }
        return;
    }
    let name = "runtime::a_trap_on_a_thread_of_c_ends_the_process_with_its_stack";
    for (role, line) in
        [("thread", "at share (test.spasm:19)\n  at C code"), ("entry", "at share (test.spasm:2)\n  at C code")]
    {
        let (status, text) = in_process(name, role);
        assert_eq!(status.signal(), Some(6), "{role}: {text}");
        assert!(text.contains(&format!("trap: divide by zero\n  {line}")), "{role}: {text}");
    }
}

#[test]
fn entries_are_called_as_what_they_are() {
    #[repr(C)]
    struct Both(i64, i64);
    type Add = extern "C" fn(i64, f64, i32) -> f64;
    type Divide = extern "C" fn(i64, i64) -> Both;
    let source = "
func add(i64, f64, i32) -> f64
    cvt.f64.i64 r1, a1
    add.f64 r1, r1, a2
    cvt.f64.i32 r2, a3
    add.f64 r1, r1, r2
    ret r1
func both(i64, i64) -> (i64, i64)
    div r1, a1, a2
    mod r2, a1, a2
    ret r1, r2
";
    let engine = engine(Entries::All);
    let instance = engine.instantiate(&verified(source)).unwrap();
    // SAFETY: the functions are what their signatures say, and the instance lives.
    let (add, both): (Add, Divide) = unsafe {
        let entry = |name| instance.entry(name).unwrap();
        (
            std::mem::transmute::<*const c_void, Add>(entry("add")),
            std::mem::transmute::<*const c_void, Divide>(entry("both")),
        )
    };
    assert_eq!(add(1, 0.5, -3).to_bits(), (-1.5f64).to_bits());
    let Both(quotient, rest) = both(17, 5);
    assert_eq!((quotient, rest), (3, 2));
}

#[test]
fn functions_of_the_host_are_called_like_those_of_c() {
    let source = "
extern \"\" half(f64) -> f64
extern \"\" count(i64) -> i64
extern \"\" mix(i32, f32, i8, u16, bool) -> i32
extern \"\" fail(i64) -> i64
extern \"\" sum(i64, i64, f64, i64, i64, i64, i64, i32, f32) -> f64
func summed(i64, f64, i32, f32) -> f64
    const r1, 10
    const r2, 100
    call r3, sum, a1, r1, a2, r2, a1, r2, r1, a3, a4
    ret r3
func main(i64, f64) -> (f64, i64)
    call r1, half, a2
    call r2, count, a1
    call r2, count, a1
    ret r1, r2
func mixed(i32, f32, i64) -> i32
    call r1, mix, a1, a2, a3, a3, a3
    ret r1
func fails(i64) -> i64
    call r1, fail, a1
    ret r1
";
    let total = Arc::new(AtomicI64::new(0));
    let mut imports = Imports::new();
    imports.func("half", |x: f64| x / 2.0);
    let sum = Arc::clone(&total);
    imports.func("count", move |n: i64| sum.fetch_add(n, Ordering::Relaxed) + n);
    let base = 1000;
    imports.func("mix", move |a: i32, b: f32, c: i8, d: u16, e: bool| {
        base + a + b as i32 + i32::from(c) + i32::from(d) + i32::from(e)
    });
    imports.func("sum", move |a: i64, b: i64, c: f64, d: i64, e: i64, f: i64, g: i64, h: i32, i: f32| {
        f64::from(base) + (a + 2 * b + 3 * d + 4 * e + 5 * f + 6 * g) as f64 + c + f64::from(h) + f64::from(i)
    });
    imports.func("fail", |n: i64| if n == 0 { panic!("none left") } else { n });
    let engine = engine(Entries::Taken);
    let mut instance = engine.instantiate_with(&verified(source), &imports).unwrap();
    drop(imports);
    assert_eq!(instance.call("main", &[Value::I64(21), Value::F64(5.0)]).unwrap(), [Value::F64(2.5), Value::I64(42)]);
    assert_eq!(total.load(Ordering::Relaxed), 42);
    let mixed = instance.call("mixed", &[Value::I32(-1), Value::F32(2.5), Value::I64(-2)]).unwrap();
    assert_eq!(mixed, [Value::I32(1000 - 1 + 2 - 2 + 0xfffe + 1)]);
    let summed = [Value::I64(1), Value::F64(0.25), Value::I32(-3), Value::F32(0.5)];
    let wanted = 1000.0 + f64::from(1 + 20 + 300 + 4 + 500 + 60) + 0.25 - 3.0 + 0.5;
    assert_eq!(instance.call("summed", &summed).unwrap(), [Value::F64(wanted)]);
    for _ in 0..10 {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| instance.call("fails", &[Value::I64(0)])));
        assert_eq!(*panic.unwrap_err().downcast_ref::<&str>().unwrap(), "none left");
        assert_eq!(call(&mut instance, "fails", &[5]), 5);
    }
}

#[test]
fn functions_of_the_host_must_be_what_the_program_takes_them_for() {
    let source = "extern \"\" half(i64) -> f64\nfunc main() -> f64\n    call r1, half, r2\n    ret r1\n";
    let mut imports = Imports::new();
    imports.func("half", |x: f64| x / 2.0);
    let error = engine(Entries::Taken).instantiate_with(&verified(source), &imports).unwrap_err();
    let wanted = "line 1: extern `half`: the program calls it as (i64) -> f64, but the host's function is (f64) -> f64";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn engines_refuse_native_access_unless_they_are_told_otherwise() {
    let refused = |source: &str| match Engine::new(Config::default()).instantiate(&verified(source)) {
        Err(InstanceError::Natives { place, item }) => format!("{place}{item}"),
        other => panic!("{other:?}"),
    };
    let used = "\nfunc main(ptr) -> i64\n";
    assert_eq!(refused(&format!("extern \"\" abs(i32) -> i32{used}    ret a1\n")), "test.spasm:1: extern abs");
    assert_eq!(refused(&format!("data x = i64 1{used}    ret a1\n")), "test.spasm:1: data x");
    assert_eq!(refused("func main(ptr) -> i64\n    load r1, a1\n    ret r1\n"), "test.spasm:2: load.i64");
    assert_eq!(refused("func main(ptr) -> i64\n    callp r1, a1, () -> i64\n    ret r1\n"), "test.spasm:2: callp");
}

#[test]
fn data_is_where_it_says_and_read_only_where_it_says() {
    let source = "
data here = ptr there, main, labs, here
extern \"\" labs(i64) -> i64
rodata there = i32 1, -2
rodata text = \"abc\\0\"
data room = zero 100000
func main(i64) -> i64
    addr r1, here
    load r2, r1
    load.32s r3, r2, 4
    load r4, r1, 24
    sub r5, r4, r1
    const r8, 8
    add r5, r5, r8
    mul r5, r5, r3
    load r6, r1, 16
    callp r7, r6, (i64) -> i64, r5
    ret r7
func address() -> ptr
    addr r1, text
    ret r1
func last() -> i64
    addr r1, room
    const r2, 77
    store.8 r2, r1, 99999
    load.8u r3, r1, 99999
    load.i64 r4, r1, 99990
    ret r3
";
    let mut instance = instance(source);
    assert_eq!(call(&mut instance, "main", &[0]), 16);
    assert_eq!(call(&mut instance, "last", &[]), 77);
    let address = call(&mut instance, "address", &[]) as usize;
    // SAFETY: the program's data lives as long as the instance.
    assert_eq!(unsafe { std::slice::from_raw_parts(address as *const u8, 4) }, b"abc\0");
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| {
        let (start, rest) = line.split_once('-').unwrap();
        let end = rest.split_once(' ').unwrap().0;
        let number = |text: &str| usize::from_str_radix(text, 16).unwrap();
        (number(start)..number(end)).contains(&address)
    });
    assert!(line.unwrap().split(' ').nth(1).unwrap().starts_with("r-"), "{line:?}");
}

#[test]
fn what_is_wrong_with_a_library_is_said() {
    let folder = Folder::new("wrong");
    let good = folder.library("good", "int number = 5; int scale(int x) { return x; } int scales(int x) { return x; }");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bytes = std::fs::read(&good).unwrap();
    let cut = write("libcut.so", &bytes[..bytes.len() / 3]);
    let none = write("libnone.so", b"not a library");
    let script = write("libscript.so", b"/* GNU ld script */\nINPUT ( -lm /usr/lib/libm.so.6 )\n");
    let mut other = bytes.clone();
    (other[18], other[19]) = (183, 0);
    let other = write("libother.so", &other);
    let problem = |library: &str, symbol: &str| {
        let source = format!(
            "\nextern \"{library}\" {symbol}(i32) -> i32\nfunc main() -> i32\n    call r1, {symbol}, r2\n    ret r1\n"
        );
        let error = engine(Entries::Taken).instantiate(&verified(&source)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("test.spasm:2: extern `{symbol}`: ")), "{error}");
        error
    };
    let has = |text: String, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "`{word}` is missing: {text}");
        }
    };
    has(problem(&good, "scael"), &["no function `scael`", "libgood.so", "`scale`"]);
    has(problem(&good, "number"), &["`number`", "is data, not a function"]);
    has(problem(&cut, "scale"), &["libcut.so", "truncated"]);
    has(problem(&none, "scale"), &["it is no ELF file"]);
    has(problem(&script, "scale"), &["linker script", "`libm.so.6`"]);
    has(problem(&other, "scale"), &["another machine"]);
    has(problem(&format!("{}x", &good), "scale"), &["no library", "libgood.so`"]);
    has(problem("libm.so.5", "cos"), &["no library `libm.so.5`", "ld.so.cache", "`libm.so.6`"]);
    has(problem("", "stdout"), &["is data, not a function"]);
    has(problem("", "prinft"), &["no function `prinft` in what the process has loaded"]);
}

#[test]
fn c_may_pass_too_many_variadic_arguments() {
    let source = "
extern \"\" none() -> i64
func count(i64, ...) -> i64
    ret r0
func enter(i64) -> i64
    addr r1, count
    const r2, 7
    callp r3, r1, (i64, i64, ...) -> i64, r2, a1, r2, r2, r2, r2, r2, r2
    ret r3
";
    let mut imports = Imports::new();
    imports.func("none", || 0i64);
    let mut instance = engine(Entries::Taken).instantiate_with(&verified(source), &imports).unwrap();
    assert_eq!(call(&mut instance, "enter", &[6]), 7);
    assert_eq!(call(&mut instance, "enter", &[0]), 1);
    for count in [255, -1, i64::MIN] {
        let (kind, text) = trap(instance.call("enter", &[Value::I64(count)]).unwrap_err());
        assert_eq!(kind, TrapKind::OutOfBoundsArgument);
        // Interpreted programs call C by functions of their companions.
        let interpreted = crate::TIER == Tier::Interp;
        assert!(interpreted || text == "trap: out of bounds argument\n  at enter (test.spasm:8)", "{text}");
    }
}

#[test]
fn instances_call_each_other_by_address() {
    let callee = "
memory 1
init 0 = i64 1000
global calls i64 = 0
func divide(i64, i64) -> i64
    gget r1, calls
    const r2, 1
    add r1, r1, r2
    gset calls, r1
    mload r3, r4
    div r5, r3, a2
    add r5, r5, a1
    ret r5
";
    let caller = "
memory 1
init 0 = i64 7
func through(ptr, i64, i64) -> i64
    callp r1, a1, (i64, i64) -> i64, a2, a3
    mload r2, r3
    add r1, r1, r2
    ret r1
";
    let engine = engine(Entries::All);
    if crate::TIER == Tier::Interp {
        return;
    }
    let callee = engine.instantiate(&verified(callee)).unwrap();
    let mut caller = engine.instantiate(&verified(caller)).unwrap();
    let divide = callee.entry("divide").unwrap() as i64;
    for _ in 0..3 {
        assert_eq!(call(&mut caller, "through", &[divide, 5, 10]), 112);
        let args = [divide, 5, 0].map(Value::I64);
        let (kind, text) = trap(caller.call("through", &args).unwrap_err());
        assert_eq!(kind, TrapKind::DivideByZero);
        assert_eq!(text, "trap: divide by zero\n  at divide (test.spasm:11)\n  at through (test.spasm:5)");
    }
    assert_eq!(callee.global("calls"), Some(Value::I64(6)));
}

#[test]
fn a_function_of_the_host_may_call_another_instance() {
    let inner = engine(Entries::Taken)
        .instantiate(&verified("func twice(i64) -> i64\n    div r1, a1, a1\n    add r1, r1, r1\n    ret r1\n"));
    let inner = std::sync::Mutex::new(inner.unwrap());
    let mut imports = Imports::new();
    imports.func("nested", move |n: i64| match inner.lock().unwrap().call("twice", &[Value::I64(n)]) {
        Ok(results) => results[0].bits() as i64,
        Err(_) => -1,
    });
    let source = "extern \"\" nested(i64) -> i64\nfunc main(i64) -> i64\n    call r1, nested, a1\n    div r2, a1, a1\n    add r1, r1, r2\n    ret r1\n";
    let mut instance = engine(Entries::Taken).instantiate_with(&verified(source), &imports).unwrap();
    assert_eq!(call(&mut instance, "main", &[4]), 3);
    let (kind, text) = trap(instance.call("main", &[Value::I64(0)]).unwrap_err());
    assert_eq!((kind, text.as_str()), (TrapKind::DivideByZero, "trap: divide by zero\n  at main (test.spasm:4)"));
    assert_eq!(call(&mut instance, "main", &[4]), 3);
}

#[test]
fn what_is_too_large_is_an_error() {
    let source = "data big = zero 200000000\nfunc main() -> ptr\n    addr r1, big\n    ret r1\n";
    let error = engine(Entries::Taken).instantiate(&verified(source)).unwrap_err();
    assert!(error.to_string().contains("no room for"), "{error}");
    let many: String = (0..2000).map(|n| format!("func f{n}(i64, ...) -> i64\n    ret r0\n")).collect();
    let engine = engine(Entries::All);
    let instances: Vec<Instance> = (0..10).map(|_| engine.instantiate(&verified(&many)).unwrap()).collect();
    assert_eq!(instances.len(), 10);
}

#[test]
fn functions_with_versions_and_those_that_are_chosen_at_run_time_are_found() {
    // `strlen` is chosen by the machine's features, `realpath` has two versions.
    let source = "
extern \"libc.so.6\" strlen(ptr) -> i64
extern \"libc.so.6\" realpath(ptr, ptr) -> ptr
extern \"\" free(ptr)
rodata root = \"/usr/..\\0\"
func main() -> (i64, i64)
    addr r1, root
    call r2, strlen, r1
    call r3, realpath, r1, r4
    call r5, strlen, r3
    call free, r3
    ret r2, r5
";
    let mut instance = instance(source);
    assert_eq!(instance.call("main", &[]).unwrap(), [Value::I64(7), Value::I64(1)]);
}
