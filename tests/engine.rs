//! Programs run from Rust, on every tier.

use std::fmt::Write as _;

use spasm::engine::{CallError, Config, Engine, Instance, Tier};
use spasm::streams::Streams;
use spasm::trap::{RunError, TrapKind};
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

const TIERS: [Tier; 3] = [Tier::Interp, Tier::Baseline, Tier::Auto];

fn verified(program: &str) -> Verified {
    verify::verify(text::parse("test.spasm", program).unwrap()).unwrap()
}

fn on_every_tier(program: &str, check: impl Fn(Tier, Instance)) {
    let verified = verified(program);
    for tier in TIERS {
        check(tier, Engine::new(Config { tier, ..Config::default() }).instantiate(&verified).unwrap());
    }
}

fn trap(result: Result<Vec<Value>, CallError>) -> (TrapKind, String) {
    match result {
        Err(CallError::Run(RunError::Trap(trap))) => (trap.kind, trap.to_string()),
        other => panic!("{other:?} instead of a trap"),
    }
}

#[test]
fn the_smallest_program() {
    on_every_tier("func add_answer\n    const 1, 42\n    add 2, -1, 1\n    ret 2\n", |_, mut made| {
        assert_eq!(made.call("add_answer", &[Value::I64(58)]).unwrap(), [Value::I64(100)]);
        let typed = made.typed::<i64, i64>("add_answer").unwrap();
        assert_eq!(typed.call(&mut made, -42).unwrap(), 0);
    });
}

#[test]
fn typed_functions_take_tuples_of_every_type() {
    let program = "func f(i32, f32, i64, f64) -> (f64, i64, f32, i32)\n    ret a4, a3, a2, a1\n\
                   func many(i64, i64, i64, i64, i64, i64, i64, i64) -> i64\n    sub r1, a7, a8\n    ret r1\n\
                   func count(i64, ...) -> i64\n    arg r1, r0\n    add r1, r1, r0\n    ret r1\n\
                   func nothing()\n    ret\n";
    on_every_tier(program, |_, mut made| {
        let f = made.typed::<(i32, f32, i64, f64), (f64, i64, f32, i32)>("f").unwrap();
        assert_eq!(f.call(&mut made, (-1, 0.5, i64::MIN, 1e300)).unwrap(), (1e300, i64::MIN, 0.5, -1));
        let many = made.typed::<(i64, i64, i64, i64, i64, i64, i64, i64), i64>("many").unwrap();
        assert_eq!(many.call(&mut made, (1, 2, 3, 4, 5, 6, 70, 8)).unwrap(), 62);
        let count = made.typed::<(i64, i64, i64), i64>("count").unwrap();
        assert_eq!(count.call(&mut made, (1, 2, 30)).unwrap(), 33);
        let nothing = made.typed::<(), ()>("nothing").unwrap().clone();
        nothing.call(&mut made, ()).unwrap();
        let wrong = made.typed::<(i64, f64), i64>("f").unwrap_err().to_string();
        assert_eq!(wrong, "`f` is (i32, f32, i64, f64) -> (f64, i64, f32, i32), not (i64, f64) -> i64");
        assert!(made.typed::<(i64, f64), i64>("count").is_err() && made.typed::<(), i64>("count").is_err());
    });
}

#[test]
fn wrong_calls_are_told() {
    on_every_tier("func f(i32) -> i32\n    ret a1\nfunc v(...)\n    ret\nglobal g f32 = 1.0\n", |_, mut made| {
        let told = |result: Result<Vec<Value>, CallError>| result.unwrap_err().to_string();
        assert_eq!(told(made.call("g", &[])), "there is no function `g`");
        assert_eq!(told(made.call("f", &[])), "`f` is (i32) -> i32, and was called with ()");
        assert_eq!(told(made.call("f", &[Value::I64(1)])), "`f` is (i32) -> i32, and was called with (i64)");
        assert!(told(made.call("v", &[Value::I64(1); 256])).starts_with("`v` is (...), and was called with (i64, "));
        made.call("v", &[Value::I64(1); 255]).unwrap();
        let told = |result: Result<(), CallError>| result.unwrap_err().to_string();
        assert_eq!(told(made.set_global("f", Value::I32(1))), "there is no global `f`");
        assert_eq!(told(made.set_global("g", Value::I32(1))), "global `g` is f32, not i32");
    });
}

#[test]
#[should_panic(expected = "an instance that it was not taken from")]
fn a_function_belongs_to_its_instance() {
    let (engine, verified) = (Engine::default(), verified("func f() -> i64\n    const r1, 1\n    ret r1\n"));
    let (one, mut other) = (engine.instantiate(&verified).unwrap(), engine.instantiate(&verified).unwrap());
    let _ = one.typed::<(), i64>("f").unwrap().call(&mut other, ());
}

const STATE: &str = "\
global total i64 = 5
global ratio f32 = 0.5
memory 1 2
init 10 = \"spasm\"
func add(i64)
    gget r1, total
    add r1, r1, a1
    gset total, r1
    print r1
    ret
func peek(i64) -> i64
    mload.8u r1, a1, 10
    ret r1
func grow(i64) -> i32
    mgrow r1, a1
    ret r1
func ask() -> f64
    read r1
    copysign.f64 r1, r1, r1
    ret r1
func stop
    const r1, 9
    print r1
    halt
";

#[test]
fn memory_globals_and_streams_are_the_hosts_too() {
    on_every_tier(STATE, |_, mut made| {
        let (streams, printed) = Streams::captured("2.5 x");
        made.set_streams(streams);
        made.call("add", &[Value::I64(2)]).unwrap();
        assert_eq!((printed.text().as_str(), made.global("total")), ("7\n", Some(Value::I64(7))));
        made.set_global("total", Value::I64(-1)).unwrap();
        made.call("add", &[Value::I64(0)]).unwrap();
        assert_eq!(printed.text(), "7\n-1\n");
        assert_eq!((made.global("ratio"), made.global("rati")), (Some(Value::F32(0.5)), None));
        assert_eq!(made.memory()[10..15], *b"spasm");
        made.memory_mut()[11] = b'q';
        assert_eq!(made.call("peek", &[Value::I64(1)]).unwrap(), [Value::I64(i64::from(b'q'))]);
        assert_eq!(made.call("grow", &[Value::I64(1)]).unwrap(), [Value::I32(1)]);
        assert_eq!(made.call("grow", &[Value::I64(1)]).unwrap(), [Value::I32(-1)]);
        assert_eq!(made.memory().len(), 2 << 16);
        assert_eq!(made.call("ask", &[]).unwrap(), [Value::F64(2.5)]);
        let error = made.call("ask", &[]).unwrap_err().to_string();
        assert_eq!(error, "read: expected an f64 number on standard input: `x` is not a number");
        assert!(matches!(made.call("stop", &[]), Err(CallError::Halted)));
        assert_eq!(printed.text(), "7\n-1\n9\n");
    });
}

const TRAPS: &str = "\
memory 1
table t = [outer, zero]
func inner(i64, i64) -> i64
    div r1, a1, a2
    ret r1
func outer(i64) -> i64
    const r1, 0
    call r2, inner, a1, r1
    ret r2
func zero() -> i64
    const r1, 0
    ret r1
func narrow(i32, i32) -> i32
    div.i32 r1, a1, a2
    ret r1
func convert(f64) -> i64
    cvt.i64.f64 r1, a1
    ret r1
func load(i64) -> i64
    mload r1, a1, 4294967295
    ret r1
func store(i64)
    mstore a1, a1
    ret
func pick(i64) -> i64
    arg r1, a1
    ret r1
func through(i64) -> i64
    calli r1, t, a1, (i64) -> i64, a1
    ret r1
func give_up
    trap
func deep(i64) -> i64
    add r1, a1, 1
    call r2, deep, r1
    add r3, r1, r2
    ret r3
";

#[test]
fn every_trap_has_its_name_and_its_stack() {
    let (min, big) = (Value::I64(i64::MIN), Value::F64(1e19));
    let cases: [(&str, Vec<Value>, &str); 14] = [
        ("inner", vec![Value::I64(1), Value::I64(0)], "divide by zero\n  at inner (test.spasm:4)"),
        ("inner", vec![min, Value::I64(-1)], "integer overflow\n  at inner (test.spasm:4)"),
        ("narrow", vec![Value::I32(1), Value::I32(0)], "divide by zero\n  at narrow (test.spasm:14)"),
        ("narrow", vec![Value::I32(i32::MIN), Value::I32(-1)], "integer overflow\n  at narrow (test.spasm:14)"),
        ("outer", vec![min], "divide by zero\n  at inner (test.spasm:4)\n  at outer (test.spasm:8)"),
        ("convert", vec![Value::F64(f64::NAN)], "invalid conversion\n  at convert (test.spasm:17)"),
        ("convert", vec![big], "integer overflow\n  at convert (test.spasm:17)"),
        ("load", vec![Value::I64(-1)], "out of bounds memory access\n  at load (test.spasm:20)"),
        ("store", vec![Value::I64(65_529)], "out of bounds memory access\n  at store (test.spasm:23)"),
        ("pick", vec![Value::I64(0)], "out of bounds argument\n  at pick (test.spasm:26)"),
        ("through", vec![Value::I64(2)], "undefined element\n  at through (test.spasm:29)"),
        ("through", vec![Value::I64(1)], "indirect call type mismatch\n  at through (test.spasm:29)"),
        (
            "through",
            vec![Value::I64(0)],
            "divide by zero\n  at inner (test.spasm:4)\n  at outer (test.spasm:8)\n  at through (test.spasm:29)",
        ),
        ("give_up", vec![], "unreachable\n  at give_up (test.spasm:32)"),
    ];
    on_every_tier(TRAPS, |tier, mut made| {
        for (name, args, expected) in &cases {
            let (_, report) = trap(made.call(name, args));
            assert_eq!(report, format!("trap: {expected}"), "{tier:?}");
            assert_eq!(made.call("inner", &[Value::I64(7), Value::I64(2)]).unwrap(), [Value::I64(3)]);
        }
        let (kind, report) = trap(made.call("deep", &[Value::I64(0)]));
        assert_eq!(kind, TrapKind::StackOverflow);
        assert!(report.starts_with("trap: stack overflow\n  at deep (test.spasm:3"), "{report}");
        assert!(report.lines().nth(2) == Some("  at deep (test.spasm:35)"), "{report}");
        assert!(report.ends_with(" more"), "{report}");
        assert_eq!(made.call("zero", &[]).unwrap(), [Value::I64(0)]);
    });
}

#[test]
fn functions_with_thousands_of_registers_overflow_the_stack_too() {
    let mut program = String::from("func wide(i64) -> i64\n    call r1, wide, a1\n");
    (2..60_000).for_each(|n| _ = writeln!(program, "    add r{n}, r{}, a1", n - 1));
    program.push_str("    jmpt a1, end\nend:\n");
    (2..60_000).for_each(|n| _ = writeln!(program, "    add r1, r1, r{n}"));
    program.push_str("    ret r1\n");
    let verified = verified(&program);
    let mut made = Engine::default().instantiate(&verified).unwrap();
    for _ in 0..2 {
        let (kind, report) = trap(made.call("wide", &[Value::I64(1)]));
        assert_eq!(kind, TrapKind::StackOverflow);
        assert!(report.lines().count() > 10, "{report}");
    }
}

#[test]
fn engines_and_instances_go_between_threads() {
    fn send<T: Send>(_: &T) {}
    let engine = Engine::new(Config { stack_size: 1 << 16, ..Config::default() });
    let verified = verified(TRAPS);
    let kept = std::thread::scope(|scope| {
        let work = |n: i64| {
            let (engine, verified) = (engine.clone(), &verified);
            move || {
                for _ in 0..50 {
                    let mut made = engine.instantiate(verified).unwrap();
                    assert_eq!(trap(made.call("outer", &[Value::I64(n)])).0, TrapKind::DivideByZero);
                    assert_eq!(trap(made.call("load", &[Value::I64(n)])).0, TrapKind::OutOfBoundsMemory);
                    assert_eq!(trap(made.call("deep", &[Value::I64(n)])).0, TrapKind::StackOverflow);
                    assert_eq!(made.call("inner", &[Value::I64(n), Value::I64(1)]).unwrap(), [Value::I64(n)]);
                }
                engine.instantiate(verified).unwrap()
            }
        };
        let threads: Vec<_> = (1..5).map(|n| scope.spawn(work(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    send(&kept);
    for mut made in kept {
        assert_eq!(trap(made.call("give_up", &[])).0, TrapKind::Unreachable);
    }
}

#[test]
fn a_small_stack_is_a_small_stack() {
    let depth = |stack_size| {
        let engine = Engine::new(Config { stack_size, ..Config::default() });
        match engine.instantiate(&verified(TRAPS)).unwrap().call("deep", &[Value::I64(0)]) {
            Err(CallError::Run(RunError::Trap(trap))) => trap.depth,
            other => panic!("{other:?}"),
        }
    };
    let (small, large) = (depth(1 << 16), depth(1 << 20));
    assert!((14..=18).contains(&(large / small)), "{small} {large}");
}
