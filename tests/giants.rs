//! Programs as large as they may be: they give what they should on every tier, in time that grows with their length only.

#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "numbers far below the limit")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use spasm::engine::{CallError, Config, Engine, Tier};
use spasm::trap::{RunError, TrapKind};
use spasm::value::Value;
use spasm::{text, verify};

/// Far more than any of these programs needs, and far less than it would take were the time to grow with the square.
const LONGEST: Duration = Duration::from_secs(60);

/// What a call of `f` gives on each tier, which must be the same.
fn call(source: &str, args: &[Value]) -> Result<Vec<Value>, TrapKind> {
    let start = Instant::now();
    let verified = verify::verify(text::parse("giant", source).unwrap_or_else(|e| panic!("{e}"))).unwrap();
    let mut results = [Tier::Interp, Tier::Baseline].map(|tier| {
        let mut instance = Engine::new(Config { tier, ..Config::default() }).instantiate(&verified).unwrap();
        match instance.call("f", args) {
            Ok(values) => Ok(values),
            Err(CallError::Run(RunError::Trap(trap))) => Err(trap.kind),
            Err(error) => panic!("{error}"),
        }
    });
    assert!(start.elapsed() < LONGEST, "it took {:?}", start.elapsed());
    let first = std::mem::replace(&mut results[0], Err(TrapKind::Unreachable));
    assert_eq!(first, results[1], "the tiers differ");
    first
}

fn ints(source: &str, args: &[i64]) -> Result<Vec<i64>, TrapKind> {
    let args: Vec<Value> = args.iter().map(|&arg| Value::I64(arg)).collect();
    Ok(call(source, &args)?.iter().map(|value| value.bits() as i64).collect())
}

#[test]
fn a_hundred_thousand_labels() {
    // The blocks are passed in an order that has nothing to do with where they stand.
    const LABELS: usize = 100_000;
    let mut source = "func f(i64) -> i64\n    jmp L0\n".to_owned();
    for label in 0..LABELS {
        let next = (label + 61_803) % LABELS;
        let target = if next == 0 { "out".to_owned() } else { format!("L{next}") };
        _ = writeln!(source, "L{label}:\n    add r2, r2, a1\n    jmp {target}");
    }
    source += "out:\n    ret r2\n";
    assert_eq!(ints(&source, &[3]), Ok(vec![300_000]));
}

#[test]
fn a_switch_of_a_hundred_thousand_cases() {
    const CASES: usize = 100_000;
    let labels: Vec<String> = (0..CASES).map(|case| format!("L{}", case % 1000)).collect();
    let mut source = format!("func f(i64) -> i64\n    switch a1, [{}], other\n", labels.join(", "));
    for label in 0..1000 {
        _ = writeln!(source, "L{label}:\n    const r1, {label}\n    ret r1");
    }
    source += "other:\n    const r1, -1\n    ret r1\n";
    for (index, result) in [(0, 0), (99_999, 999), (12_345, 345), (100_000, -1), (-1, -1), (i64::MAX, -1)] {
        assert_eq!(ints(&source, &[index]), Ok(vec![result]), "case {index}");
    }
}

#[test]
fn sixty_thousand_locals() {
    const LOCALS: usize = 60_000;
    for crossing in [false, true] {
        let mut source = "func f(i64) -> i64\n    add r1, a1, a1\n".to_owned();
        for local in 2..=LOCALS {
            _ = writeln!(source, "    add r{local}, r{}, a1", local - 1);
        }
        if crossing {
            source += "    jmpf a1, on\n    add r1, r1, a1\non:\n";
        }
        for local in 2..=LOCALS {
            _ = writeln!(source, "    add r1, r1, r{local}");
        }
        source += "    ret r1\n";
        let sum = (2..=LOCALS as i64 + 1).sum::<i64>();
        assert_eq!(ints(&source, &[1]), Ok(vec![sum + i64::from(crossing)]));
    }
}

#[test]
fn a_thousand_arguments_and_results() {
    const N: usize = 1000;
    let type_of = |n: usize| if n.is_multiple_of(3) { "f64" } else { "i64" };
    let types: Vec<&str> = (0..N).map(type_of).collect();
    // Each function gives what it takes the other way round.
    let list = |letter: char, order: &mut dyn Iterator<Item = usize>| {
        order.map(|n| format!("{letter}{}", n + 1)).collect::<Vec<_>>().join(", ")
    };
    let backwards: Vec<&str> = types.iter().rev().copied().collect();
    let (takes, gives) = (types.join(", "), backwards.join(", "));
    let source = format!(
        "func f({takes}) -> ({takes})\n    call ({}), g, {}\n    call ({}), h, {}\n    ret {}\n\
         func g({takes}) -> ({gives})\n    ret {}\nfunc h({gives}) -> ({takes})\n    ret {}\n",
        list('r', &mut (0..N)),
        list('a', &mut (0..N)),
        list('a', &mut (0..N)),
        list('r', &mut (0..N)),
        list('a', &mut (0..N)),
        list('a', &mut (0..N).rev()),
        list('a', &mut (0..N).rev()),
    );
    let value = |n: usize| if type_of(n) == "f64" { Value::F64(n as f64 + 0.5) } else { Value::I64(n as i64) };
    let args: Vec<Value> = (0..N).map(value).collect();
    assert_eq!(call(&source, &args), Ok(args));
}

#[test]
fn two_hundred_and_fifty_five_variadic_arguments() {
    let args = vec!["a1"; 255].join(", ");
    let source = format!(
        "func f(i64) -> i64\n    call r1, g, {args}\n    ret r1\n\
         func g(...) -> i64\n    arg r1, r0\n    mul r1, r1, r0\n    ret r1\n"
    );
    assert_eq!(ints(&source, &[2]), Ok(vec![510]));
}

#[test]
fn a_thousand_functions() {
    let mut source = "func f(i64) -> i64\n    call r1, f1, a1\n    ret r1\n".to_owned();
    for number in 1..1000 {
        let next = number + 1;
        _ = writeln!(source, "func f{number}(i64) -> i64\n    call r1, f{next}, a1\n    add r1, r1, a1\n    ret r1");
    }
    source += "func f1000(i64) -> i64\n    ret a1\n";
    assert_eq!(ints(&source, &[7]), Ok(vec![7000]));
}

#[test]
fn half_a_million_instructions_in_a_line() {
    // With a jump over all of them and one back.
    let mut source = "func f(i64) -> i64\n    const r1, 1\n    const r2, 2\n    jmp test\nback:\n".to_owned();
    for _ in 0..250_000 {
        source += "    add r3, r3, a1\n    xor r3, r3, r1\n";
    }
    source += "    sub r2, r2, r1\n    jmpf r2, out\ntest:\n    jmpt r1, back\nout:\n    ret r3\n";
    let expected = (0..500_000).fold(0i64, |sum, _| (sum + 5) ^ 1);
    assert_eq!(ints(&source, &[5]), Ok(vec![expected]));
}

#[test]
fn loops_in_each_other() {
    for depth in [10, 200, 300] {
        let mut source = "func f(i64) -> i64\n    const r1, 1\n".to_owned();
        for number in 0..depth {
            _ = writeln!(source, "    const r{}, 1\nL{number}:", 10 + number);
        }
        source += "    add r2, r2, a1\n";
        for number in (0..depth).rev() {
            _ = writeln!(source, "    sub r{0}, r{0}, r1\n    jmpt r{0}, L{number}", 10 + number);
        }
        source += "    ret r2\n";
        assert_eq!(ints(&source, &[9]), Ok(vec![9]), "{depth} loops");
    }
}

#[test]
fn the_stack_overflows_however_large_the_frames_are() {
    for locals in [1, 100, 10_000, 60_000] {
        let mut source = "func f(i64) -> i64\n    const r1, 1\n    add r2, a1, r1\n".to_owned();
        for local in 3..3 + locals {
            _ = writeln!(source, "    add r{local}, r{}, r1", local - 1);
        }
        source += "    call r65000, f, r2\n";
        for local in 3..3 + locals {
            _ = writeln!(source, "    add r65000, r65000, r{local}");
        }
        source += "    ret r65000\n";
        assert_eq!(ints(&source, &[0]), Err(TrapKind::StackOverflow), "{locals} locals");
    }
}
