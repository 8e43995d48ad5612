//! What the interpreter makes of each instruction, against results written down by hand.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers, and views of the same bits"
)]

mod common;

use common::{Code, F32, F64, I32, I64, parse, results, run, run_with_input, trap};
use spasm::isa::op::{Op, Row, Shape, Type};
use spasm::module::Module;
use spasm::value::Value;

/// One row and its cases: operands, and the result or the trap. `#` stands before raw bits in hexadecimal.
const VALUES: &str = include_str!("values.txt");

/// A literal of type `ty`, or raw bits.
fn operand(text: &str, ty: Type) -> u64 {
    match text.strip_prefix('#') {
        Some(bits) => u64::from_str_radix(bits, 16).unwrap_or_else(|_| panic!("bad bits in {text}")),
        None => Value::parse(text, ty).unwrap_or_else(|error| panic!("{error}")).bits(),
    }
}

/// A function of one instruction.
fn single(row: &Row) -> Module {
    let b = if row.args.len() == 2 { -2 } else { 0 };
    Code::new("f", row.args, &[row.result.unwrap()]).op(row.op, 1, -1, b).ret(&[1]).module()
}

fn check_value(row: &Row, case: &str) {
    let (operands, wanted) = case.split_once('=').unwrap_or_else(|| panic!("no result in {case}"));
    let operands: Vec<&str> = operands.split(',').map(str::trim).collect();
    assert_eq!(operands.len(), row.args.len(), "{case}");
    let args: Vec<u64> = operands.iter().zip(row.args).map(|(text, &ty)| operand(text, ty)).collect();
    let (got, _) = run(single(row), &args);
    let result = row.result.unwrap();
    let wanted = match wanted.trim() {
        trap if trap.starts_with(|c: char| c.is_ascii_alphabetic()) && trap != "inf" && trap != "nan" => {
            Err(format!("trap: {trap}"))
        }
        value => Ok(vec![operand(value, result)]),
    };
    let show = |r: &Result<Vec<u64>, String>| match r {
        Ok(bits) => format!("{} #{:x}", Value::from_bits(result, bits[0]), bits[0]),
        Err(error) => error.clone(),
    };
    assert_eq!(got, wanted, "{} {case}: it is {}, not {}", row.name(), show(&got), show(&wanted));
}

#[test]
fn every_value_row_gives_what_is_written_down() {
    let mut rows: Vec<&Row> = Op::ROWS.iter().filter(|row| row.shape == Shape::Value).collect();
    for line in VALUES.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let (name, cases) = line.split_once(':').unwrap_or_else(|| panic!("no row in {line}"));
        let at = rows.iter().position(|row| row.name() == name).unwrap_or_else(|| panic!("no row {name}, or twice"));
        let row = rows.swap_remove(at);
        for case in cases.split(';') {
            check_value(row, case);
        }
    }
    let missing: Vec<String> = rows.iter().map(|row| row.name()).collect();
    assert!(missing.is_empty(), "tests/values.txt has no cases for {missing:?}");
}

#[test]
fn the_upper_half_of_a_register_does_not_matter_to_32_bit_rows() {
    let high = 0xdead_beef_0000_0000;
    for row in Op::ROWS.iter().filter(|row| row.shape == Shape::Value && row.args[0] == I32) {
        let takes = vec![I64; row.args.len()];
        let b = if row.args.len() == 2 { -2 } else { 0 };
        let wide = Code::new("f", &takes, &[row.result.unwrap()]).op(row.op, 1, -1, b).ret(&[1]).module();
        let (clean, dirty) = ([7, 3], [high | 7, high | 3]);
        let n = row.args.len();
        assert_eq!(results(wide, &dirty[..n]), results(single(row), &clean[..n]), "{}", row.name());
    }
}

#[test]
fn the_smallest_program() {
    assert_eq!(results(parse("func add_answer\n    const 1, 42\n    add 2, -1, 1\n    ret 2\n"), &[8]), [50]);
}

#[test]
fn a_loop_and_a_recursion() {
    let sum = "
        func sum(i64) -> i64
            const r1, 1
        again:
            add r2, r2, a1
            sub a1, a1, r1
            less r3, r4, a1
            jmpt r3, again
            ret r2";
    assert_eq!(results(parse(sum), &[100]), [5050]);
    let fib = "
        func fib(i64) -> i64
            const r1, 2
            less r2, a1, r1
            jmpt r2, done
            const r3, 1
            sub r4, a1, r3
            call r5, fib, r4
            sub r4, a1, r1
            call r6, fib, r4
            add a1, r5, r6
        done:
            ret a1";
    assert_eq!(results(parse(fib), &[20]), [6765]);
}

#[test]
fn arguments_of_32_bits_arrive_and_leave_without_their_upper_half() {
    let program = "
        func f(i64) -> i64
            call r1, g, a1
            ret r1
        func g(i32) -> i64
            ret a1";
    assert_eq!(results(parse(program), &[0xffff_ffff_8000_0001]), [0x8000_0001]);
    assert_eq!(results(parse("func f(i64) -> i32\n ret a1"), &[0xffff_ffff_8000_0001]), [0x8000_0001]);
    assert_eq!(results(parse("func f(i32) -> i64\n ret a1"), &[u64::MAX]), [0xffff_ffff]);
    let global = "
        global g i32 = 0
        func f(i64) -> i64
            gset g, a1
            gget r1, g
            ret r1";
    assert_eq!(results(parse(global), &[u64::MAX]), [0xffff_ffff]);
}

#[test]
fn locals_start_as_zero_in_every_call() {
    let program = "
        func f -> i64
            call g
            call r1, g
            ret r1
        func g -> i64
            move r2, r1
            const r1, 7
            ret r2"
        .replace("f -> ", "f() -> ")
        .replace("g -> ", "g() -> ");
    assert_eq!(results(parse(&program), &[]), [0]);
}

#[test]
fn several_results_and_swapped_ones() {
    let program = "
        func f(i64, f64) -> (i64, f64, i64)
            call (r1, r2, r3), g, a2, a1
            ret r3, r2, r1
        func g(f64, i64) -> (i64, f64, i64)
            neg r1, a2
            neg.f64 r2, a1
            ret a2, r2, r1";
    let bits = 1.5f64.to_bits();
    assert_eq!(results(parse(program), &[5, bits]), [-5i64 as u64, (-1.5f64).to_bits(), 5]);
    let swap = "
        func f(i64, i64) -> (i64, i64)
            call (a2, a1), id, a1, a2
            ret a1, a2
        func id(i64, i64) -> (i64, i64)
            ret a1, a2";
    assert_eq!(results(parse(swap), &[1, 2]), [2, 1]);
}

#[test]
fn variadic_functions_count_and_read_their_arguments() {
    let sum = "
        func sum(i32, ...) -> i64
            const r3, 1
            const a1, 1000
        next:
            leq r4, r3, r0
            jmpf r4, done
            arg r5, r3
            add r2, r2, r5
            const r6, 1
            add r3, r3, r6
            jmp next
        done:
            const r6, 10000
            mul r6, r0, r6
            add r2, r2, r6
            ret r2";
    assert_eq!(results(parse(sum), &[1]), [10_001]);
    assert_eq!(results(parse(sum), &[0xffff_ffff_0000_0001, 20, 300]), [30_321], "as passed, the first as an i32");
    let outer = format!("func f(i64) -> i64\n call r1, sum, a1, a1, a1\n ret r1\n{sum}");
    assert_eq!(results(parse(&outer), &[7]), [30_021]);
    let bits = "func f(f32, i64) -> i64\n const r1, 1\n const.f32 a1, 0.0\n arg r2, r1\n ret r2";
    assert_eq!(results(parse(bits), &[u64::from(2.5f32.to_bits()), 0]), [u64::from(2.5f32.to_bits())]);
    let count = "func f(i64, i64) -> i64\n ret r0";
    assert_eq!(results(parse(count), &[5, 6]), [2]);
    for i in [0, 3, -1i64 as u64, 1 << 32 | 1] {
        let program = "func f(i64, ...) -> i64\n arg r1, a1\n ret r1";
        assert_eq!(trap(parse(program), &[i, 0]), "out of bounds argument", "{i}");
    }
}

#[test]
fn switch_goes_where_the_number_says() {
    let program = "
        func f(i64) -> i64
            switch a1, [zero, one, zero], other
        zero:
            const r1, 100
            ret r1
        one:
            const r1, 101
            ret r1
        other:
            const r1, 199
            ret r1";
    for (i, wanted) in [(0, 100), (1, 101), (2, 100), (3, 199), (u64::MAX, 199), (1 << 32, 199)] {
        assert_eq!(results(parse(program), &[i]), [wanted], "{i}");
    }
    let empty = "func f(i64) -> i64\n switch a1, [], all\nall:\n ret a1";
    assert_eq!(results(parse(empty), &[3]), [3]);
}

#[test]
fn select_chooses_in_every_class() {
    let program = |ty: &str| parse(&format!("func f(i64, {ty}, {ty}) -> {ty}\n select r1, a1, a2, a3\n ret r1"));
    for ty in ["i64", "f32", "f64"] {
        assert_eq!(results(program(ty), &[1 << 40, 5, 6]), [5], "{ty}");
        assert_eq!(results(program(ty), &[0, 5, 6]), [6], "{ty}");
    }
}

const TABLE: &str = "
    table t = [one, two, pair]
    func f(i64) -> i64
        const r2, 30
        calli r1, t, a1, (i64) -> i64, r2
        ret r1
    func one(i64) -> i64
        const r1, 1
        add r1, r1, a1
        ret r1
    func two(i64) -> i64
        const r1, 2
        add r1, r1, a1
        ret r1
    func pair(i64, i64) -> i64
        ret a1";

#[test]
fn calls_through_a_table() {
    assert_eq!(results(parse(TABLE), &[0]), [31]);
    assert_eq!(results(parse(TABLE), &[1]), [32]);
    assert_eq!(trap(parse(TABLE), &[2]), "indirect call type mismatch");
    assert_eq!(trap(parse(TABLE), &[3]), "undefined element");
    assert_eq!(trap(parse(TABLE), &[1 << 32]), "undefined element");
    let nobody = "table t = [f]\nfunc f\n const r1, 0\n calli t, r1, (f64) -> f64, r2\n ret";
    assert_eq!(trap(parse(nobody), &[]), "indirect call type mismatch");
}

/// Stores `a3` with `store` at `a1` + `off`, and reads with `load` at `a2`.
fn through_memory(
    store: &str,
    load: &str,
    (ty, result): (&str, &str),
    off: u64,
    args: [u64; 3],
) -> Result<u64, String> {
    let program = format!(
        "memory 1 2\nfunc f(i64, i64, {ty}) -> {result}\n mstore.{store} a3, a1, {off}\n mload.{load} r1, a2, 0\n ret r1"
    );
    run(parse(&program), &args).0.map(|results| results[0])
}

#[test]
fn loads_widen_and_stores_narrow() {
    let cases = [
        ("i64", "i64", 0x8877_6655_4433_2211, 0x8877_6655_4433_2211),
        ("i64", "i32", 0x8877_6655_4433_2211, 0x4433_2211),
        ("i64", "32s", 0xffff_ffff_8000_0000, 0xffff_ffff_8000_0000),
        ("i32", "i64", 0x8877_6655_4433_2211, 0x4433_2211),
        ("32", "i64", 0x8877_6655_4433_2211, 0x4433_2211),
        ("16", "i64", 0x8877_6655_4433_2211, 0x2211),
        ("8", "i64", 0x8877_6655_4433_2211, 0x11),
        ("8", "8s", 0xff, u64::MAX),
        ("8", "8u", 0xfff, 0xff),
        ("16", "16s", 0x8000, 0xffff_ffff_ffff_8000),
        ("16", "16u", 0x1_8000, 0x8000),
        ("32", "32u", u64::MAX, 0xffff_ffff),
    ];
    for (store, load, value, wanted) in cases {
        let got = through_memory(store, load, ("i64", "i64"), 0, [8, 8, value]);
        assert_eq!(got, Ok(wanted), "mstore.{store}, mload.{load} of {value:#x}");
    }
    for bits in [0x7fa0_0000, 0xffc0_0001, 0x3f80_0000] {
        assert_eq!(through_memory("f32", "f32", ("f32", "f32"), 0, [1, 1, bits]), Ok(bits), "signalling NaN stays");
    }
    assert_eq!(
        through_memory("f64", "f64", ("f64", "f64"), 0, [3, 3, 0x7ff4_0000_0000_0001]),
        Ok(0x7ff4_0000_0000_0001)
    );
}

#[test]
fn addresses_are_32_bits_and_offsets_do_not_wrap() {
    let oob = Err("trap: out of bounds memory access".to_owned());
    let access = |i: u64, off: u64| through_memory("i64", "i64", ("i64", "i64"), off, [i, 0, 1]);
    assert_eq!(access(65_528, 0), Ok(0));
    assert_eq!(access(65_529, 0), oob);
    assert_eq!(access(65_520, 8), Ok(0));
    assert_eq!(access(65_520, 9), oob);
    assert_eq!(access(0xffff_ffff, 1), oob, "the sum does not wrap");
    assert_eq!(access(0xffff_ffff, 0xffff_ffff), oob);
    assert_eq!(access(1 << 32, 0), Ok(1), "only 32 bits of the index count");
    assert_eq!(through_memory("8", "8u", ("i64", "i64"), 0, [65_535, 65_535, 9]), Ok(9));
    assert_eq!(through_memory("8", "8u", ("i64", "i64"), 0, [65_536, 0, 9]), oob);
    assert_eq!(through_memory("16", "8u", ("i64", "i64"), 0, [65_535, 0, 9]), oob);
}

#[test]
fn memory_grows_to_its_maximum_and_keeps_its_bytes() {
    let program = "
        memory 1 3
        init 0 = i32 77
        func f(i64) -> (i64, i64, i64, i64)
            mgrow r1, a1
            msize r2
            mload.i32 r3, r9, 0
            const r4, 131064
            const r5, 5
            mstore r5, r4, 0
            mload r6, r4, 0
            ret r1, r2, r3, r6";
    assert_eq!(results(parse(program), &[1]), [1, 2, 77, 5]);
    assert_eq!(results(parse(program), &[2]), [1, 3, 77, 5]);
    assert_eq!(results(parse(program), &[1 << 32 | 1]), [1, 2, 77, 5]);
    assert_eq!(trap(parse(program), &[3]), "out of bounds memory access");
    let failing = "memory 1 3\nfunc f(i64) -> (i64, i64)\n mgrow r1, a1\n msize r2\n ret r1, r2";
    assert_eq!(results(parse(failing), &[3]), [0xffff_ffff, 1]);
    assert_eq!(results(parse(failing), &[0xffff_ffff]), [0xffff_ffff, 1]);
    assert_eq!(results(parse(failing), &[0]), [1, 1]);
    let open = "memory 0\nfunc f(i64) -> (i64, i64)\n mgrow r1, a1\n msize r2\n ret r1, r2";
    assert_eq!(results(parse(open), &[65_536]), [0, 65_536], "4 GiB cost nothing until they are touched");
    assert_eq!(results(parse(open), &[65_537]), [0xffff_ffff, 0]);
}

#[test]
fn copying_and_filling() {
    let program = |op: &str| {
        parse(&format!(
            "memory 1\ninit 0 = \"abcdefgh\"\nfunc f(i64, i64, i64) -> i64\n {op} a1, a2, a3\n mload r1, r9, 0\n ret r1"
        ))
    };
    let text = |bytes: &[u8; 8]| [u64::from_le_bytes(*bytes)];
    assert_eq!(results(program("mcopy"), &[2, 0, 4]), text(b"ababcdgh"), "upwards with overlap");
    assert_eq!(results(program("mcopy"), &[0, 2, 4]), text(b"cdefefgh"), "downwards with overlap");
    assert_eq!(results(program("mcopy"), &[1 << 32 | 7, 1 << 32, 1 << 32 | 1]), text(b"abcdefga"));
    assert_eq!(results(program("mfill"), &[1, 0x178, 3]), text(b"axxxefgh"));
    assert_eq!(results(program("mfill"), &[65_536, 0, 0]), text(b"abcdefgh"), "nothing, at the very end");
    assert_eq!(results(program("mcopy"), &[65_536, 65_536, 0]), text(b"abcdefgh"));
    for (op, args) in [
        ("mfill", [65_537, 0, 0]),
        ("mfill", [65_530, 0, 7]),
        ("mfill", [0xffff_ffff, 0, 2]),
        ("mcopy", [65_530, 0, 7]),
        ("mcopy", [0, 65_530, 7]),
        ("mcopy", [0, 0, 0xffff_ffff]),
    ] {
        assert_eq!(trap(program(op), &args), "out of bounds memory access", "{op} {args:?}");
    }
}

#[test]
fn nothing_is_filled_where_not_all_fits() {
    use spasm::interp::{self, Store};
    let verified = common::verified(parse("memory 1\nfunc f(i64, i64, i64)\n mfill a1, a2, a3\n ret"));
    let mut store = Store::new(&verified).unwrap();
    let (mut streams, _) = spasm::streams::Streams::captured("");
    assert!(interp::call(&verified, &mut store, &mut streams, 0, &[65_000, 1, 1000]).is_err());
    assert!(store.memory.bytes().iter().all(|&byte| byte == 0));
    assert!(interp::call(&verified, &mut store, &mut streams, 0, &[65_000, 1, 536]).is_ok(), "usable after a trap");
    assert_eq!(store.memory.bytes()[65_535], 1);
}

#[test]
fn state_outlives_calls() {
    use spasm::interp::{self, Store};
    let verified = common::verified(parse(
        "global n i64 = 40\nfunc f() -> i64\n gget r1, n\n const r2, 1\n add r1, r1, r2\n gset n, r1\n ret r1",
    ));
    let mut store = Store::new(&verified).unwrap();
    let (mut streams, _) = spasm::streams::Streams::captured("");
    for wanted in 41..44 {
        assert_eq!(common::outcome(interp::call(&verified, &mut store, &mut streams, 0, &[])), Ok(vec![wanted]));
    }
}

#[test]
fn printing_and_reading_by_class() {
    let program = "
        func f(i64, f32, f64)
            print a1
            print a2
            print a3
            read r1
            print r1
            read r2
            add.f64 r2, r2, r2
            print r2
            read r3
            print r3
            halt";
    let args = [u64::MAX, u64::from(0.1f32.to_bits()), 1e300f64.to_bits()];
    let (outcome, printed) = run_with_input(parse(program), &args, "0x10\n 1.25 -3");
    assert_eq!(outcome, Err("halted".to_owned()));
    assert_eq!(printed, "-1\n0.1\n1e300\n16\n2.5\n-3\n");
    let (outcome, printed) = run_with_input(parse(program), &args, "7 seven");
    assert_eq!(outcome, Err("read: expected an f64 number on standard input: `seven` is not a number".to_owned()));
    assert_eq!(printed, "-1\n0.1\n1e300\n7\n", "what was printed before is there");
}

#[test]
fn halt_ends_every_caller() {
    assert_eq!(run(parse("func f\n call g\n trap\nfunc g\n halt"), &[]).0, Err("halted".to_owned()));
}

#[test]
fn traps_name_functions_and_lines() {
    let program =
        "func main(i64) -> i64\n call r1, divide, a1\n ret r1\nfunc divide(i64) -> i64\n div r1, a1, r2\n ret r1\n";
    let verified = common::verified(parse(program));
    let mut store = spasm::interp::Store::new(&verified).unwrap();
    let (mut streams, _) = spasm::streams::Streams::captured("");
    let error = spasm::interp::call(&verified, &mut store, &mut streams, 0, &[1]).unwrap_err();
    assert_eq!(error.to_string(), "trap: divide by zero\n  at divide (test.spasm:5)\n  at main (test.spasm:2)");
}

#[test]
fn every_other_trap() {
    assert_eq!(trap(parse("func f\n trap"), &[]), "unreachable");
    assert_eq!(trap(parse("func f\n call f\n ret"), &[]), "stack overflow");
    let greedy = "func f\n move r60000, r1\n call f\n ret";
    assert_eq!(trap(parse(greedy), &[]), "stack overflow");
    assert_eq!(trap(parse("func f\nagain: jmp again"), &[]), "interrupted");
    assert_eq!(
        trap(parse("func f\n call g\n jmp g1\ng1: ret\nfunc g\nagain: call h\n jmp again\nfunc h\n ret"), &[]),
        "interrupted"
    );
}

#[test]
fn a_stack_overflow_is_told_with_its_depth() {
    let verified = common::verified(parse("func f\n call f\n ret"));
    let mut store = spasm::interp::Store::new(&verified).unwrap();
    let (mut streams, _) = spasm::streams::Streams::captured("");
    let error = spasm::interp::call(&verified, &mut store, &mut streams, 0, &[]).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("trap: stack overflow\n  at f (test.spasm:2)\n"), "{text}");
    assert!(text.ends_with("  ... 1048545 more"), "{text}");
}

#[test]
fn wrong_arguments_are_an_error() {
    let message = |text: &str, args: &[u64]| run(parse(text), args).0.unwrap_err();
    assert_eq!(message("func f(i32, f64) -> i32\n ret a1", &[1]), "f(i32, f64) -> i32 was called with 1 argument");
    assert_eq!(message("func f(i32, ...)\n ret", &[]), "f(i32, ...) was called with 0 arguments");
    assert_eq!(message("func f()\n ret", &[1, 2]), "f() was called with 2 arguments");
}

#[test]
fn many_parameters_of_mixed_types() {
    let types = [F64, I32, F32, I64].repeat(63);
    let sum = types.len() as i32;
    let mut code = Code::new("f", &types, &[I64]);
    for k in 1..=sum {
        let (op, a) = match types[k as usize - 1] {
            F64 => (Some(Op::CvtI64F64), k),
            F32 => (Some(Op::CvtI64F32), k),
            _ => (None, k),
        };
        code = match op {
            Some(op) => code.op(op, 2, -a, 0).op(Op::AddI64, 1, 1, 2),
            None => code.op(Op::AddI64, 1, 1, -a),
        };
    }
    let args: Vec<u64> = (1..=u64::from(sum.unsigned_abs()))
        .zip(&types)
        .map(|(k, ty)| match ty {
            F64 => (k as f64).to_bits(),
            F32 => u64::from((k as f32).to_bits()),
            _ => k,
        })
        .collect();
    let n = u64::from(sum.unsigned_abs());
    assert_eq!(results(code.ret(&[1]).module(), &args), [n * (n + 1) / 2]);
}

#[test]
fn results_may_be_left_unused() {
    let module = common::module([
        Code::new("f", &[], &[I64]).int(1, 3).call(&[], 1, &[1]).ret(&[1]),
        Code::new("g", &[I64], &[I64, F64]).ret(&[-1, 1]),
    ]);
    assert_eq!(results(module, &[]), [3]);
}
