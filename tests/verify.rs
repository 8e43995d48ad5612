//! What the verifier refuses, with which words, and what it finds out about what it accepts.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    reason = "small numbers, and views of the same bits"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Code, F64, I64, module, parse, verified};
use spasm::isa::op::{Class, Op};
use spasm::module::native::{CType, Target};
use spasm::module::{Function, Inst, Module, Signature, Table};
use spasm::verified::{Body, Var};
use spasm::verify::{VerifyError, verify};

fn refused(module: Module) -> VerifyError {
    verify(module).expect_err("it was accepted")
}

/// All that is wrong with the program `text`, as people see it.
fn errors(text: &str) -> String {
    refused(parse(text)).to_string()
}

fn damaged(module: Module) -> String {
    refused(module).problems[0].message.clone()
}

fn body(text: &str) -> Body {
    verified(parse(text)).body(0).clone()
}

fn var(body: &Body, name: &str) -> Var {
    let at = (0..body.vars.len()).find(|&v| body.var_name(v as u32) == name);
    body.vars[at.unwrap_or_else(|| panic!("no variable {name}"))]
}

#[test]
fn a_clash_names_both_lines() {
    assert_eq!(
        errors("func f\n const r1, 1\n jmp on\non: add.f64 r2, r1, r1\n ret"),
        "\
line 4: in f: r1 is used as f64 here, but it is int
  line 2: r1 became int here
  help: a register has one type in a function: convert the value, or use another register"
    );
    let error = refused(parse("func f\n const r1, 1\n add.f64 r2, r3, r1\n ret"));
    let problem = &error.problems[0];
    assert_eq!((problem.line, problem.inst, problem.operand), (Some(3), Some(1), Some(2)));
    assert_eq!(problem.function.as_deref(), Some("f"));
    assert_eq!(problem.related.as_ref().and_then(|r| r.line), Some(2));
}

#[test]
fn a_clash_with_the_signature_says_so() {
    assert_eq!(
        errors("\nfunc f(f32)\n print a1\n add a1, a1, a1\n ret").lines().take(2).collect::<Vec<_>>(),
        ["line 4: in f: a1 is used as int here, but it is f32", "  line 2: the signature says so: f32"]
    );
    assert!(errors("func f()\n neg.f64 r1, r0\n ret").contains("r0 is the number of arguments: int"));
}

#[test]
fn registers_that_are_moved_around_become_one() {
    let clash = |text: &str| errors(text).lines().next().unwrap_or_default().to_owned();
    // r1 to r3 are one before anything is known of them.
    let chain = "func f\n move r2, r1\n move r3, r2\n const.f64 r3, 1.0\n add r4, r1, r1\n ret";
    assert_eq!(clash(chain), "line 5: in f: r1 is used as int here, but it is f64");
    let both = "func f\n const r1, 1\n const.f32 r2, 1.0\n select r3, r1, r1, r2\n ret";
    assert_eq!(clash(both), "line 4: in f: r2 is used as int here, but it is f32");
    let condition = "func f\n const.f32 r1, 1.0\n select r3, r1, r2, r2\n ret";
    assert_eq!(clash(condition), "line 3: in f: r1 is used as int here, but it is f32");
    let later = "func f\n read r1\n move r2, r1\n print r2\n sqrt.f32 r3, r2\n ret";
    let ops: Vec<Op> = body(later).insts.iter().map(|inst| inst.op).collect();
    assert_eq!(ops, [Op::ReadF32, Op::MoveF32, Op::PrintF32, Op::SqrtF32, Op::Ret]);
    let never = body("func f\n move r2, r1\n select r3, r4, r2, r5\n print r3\n ret");
    assert!(never.vars.iter().all(|var| var.class == Class::Int));
    assert_eq!(never.insts[2].op, Op::PrintI64);
}

#[test]
fn results_arguments_and_globals_unify() {
    let f = body(
        "global g f32 = 1.5
        func f(f64) -> f64
            call (r1, r2), two, r3
            gget r4, g
            gset g, r4
            move r5, r1
            ret r5
        func two(f32) -> (f64, i32)
            ret r1, r2",
    );
    let classes: Vec<Class> = f.vars.iter().map(|var| var.class).collect();
    assert_eq!(classes, [Class::F64, Class::Int, Class::F64, Class::Int, Class::F32, Class::F32, Class::F64]);
    assert_eq!(f.insts[1].op, Op::GgetF32);
    assert_eq!(f.insts[2].op, Op::GsetF32);
}

#[test]
fn every_other_refusal_says_what_to_do() {
    let cases = [
        ("func f(i64)\n print a2\n ret", "there is no register a2: `f` has 1 parameter\n  help: add a parameter"),
        (
            "func f(i64, ...)\n print a2\n ret",
            "there is no register a2: `f` has 1 fixed parameter\n  help: further arguments are read with `arg d, i`",
        ),
        (
            "func f\n const r0, 1\n ret",
            "r0 is the number of arguments and cannot be written\n  help: locals start at r1",
        ),
        ("func f\n print r1", "control falls off the end of the function\n  help: end it with `ret`"),
        ("func f\n jmpt r1, a\na: jmpt r1, a", "control falls off the end"),
        ("func f\n jmp out\nout:\n", "label `out` has no instruction behind it"),
        ("func f\n mload r1, r2, 0\n ret", "the module has no linear memory\n  help: add an item such as `memory 1`"),
        ("func f() -> i64\n ret", "`f` has 1 result, but this `ret` gives 0\n  help: its signature is () -> i64"),
        (
            "func f()\n call g, r1\n ret\nfunc g()\n ret",
            "`g` takes 0 arguments, but is given 1\n  help: its signature is ()",
        ),
        (
            "func f()\n call g\n ret\nfunc g(f32, ...)\n ret",
            "`g` takes at least 1 argument, but is given 0\n  help: its signature is (f32, ...)",
        ),
        ("func f()\n call (r1, r2), g\n ret\nfunc g() -> i64\n ret r1", "`g` has 1 result, but 2 registers are given"),
        (
            "table t = [f]\nfunc f()\n calli r1, t, r1, (i64) -> i64\n ret",
            "`the signature` takes 1 argument, but is given 0",
        ),
        (
            "func f()\n call (r1, r1), g\n ret\nfunc g() -> (i64, i64)\n ret r1, r1",
            "two results go to the same register",
        ),
        ("memory 3 2\nfunc f\n ret", "the memory starts with 3 pages, more than its maximum of 2"),
        ("memory 1\ninit 65530 = \"1234567\"\nfunc f\n ret", "7 bytes at 65530 do not fit the memory"),
    ];
    for (text, wanted) in cases {
        let Ok(module) = spasm::text::parse("test.spasm", text) else { continue };
        let shown = refused(module).to_string();
        assert!(shown.contains(wanted), "{text}\ngave: {shown}\nnot: {wanted}");
    }
}

#[test]
fn several_problems_are_told_at_once_but_not_too_many() {
    let two = errors("func f\n neg.f64 r1, r0\n const r0, 1\n ret\nfunc g\n print r1");
    assert_eq!(two.lines().filter(|line| line.starts_with("line ")).count(), 3, "{two}");
    let mut many = String::from("func f\n");
    many.extend((0..100).map(|_| " neg.f64 r1, r0\n"));
    let error = refused(parse(&(many + " ret\n")));
    assert_eq!((error.problems.len(), error.more), (VerifyError::LIMIT, true));
    assert!(error.to_string().ends_with("\nand more"));
}

#[test]
fn damaged_fields_are_refused() {
    let one = |op, d, a, b| Code::new("f", &[I64], &[]).raw(op, d, a, b).ret(&[]).module();
    assert_eq!(damaged(one(Op::AddI64, 70_000, 1, 1)), "there is no register 70000");
    assert_eq!(damaged(one(Op::AddI64, 1, i32::MIN as u32, 1)), "there is no register -2147483648");
    assert_eq!(damaged(one(Op::AddI64, 1, 1, u32::MAX - 1000)), "there is no register -1001");
    assert_eq!(damaged(one(Op::Jmp, 0, 0, 3)), "there is no label number 3");
    assert_eq!(damaged(one(Op::Gget, 1, 0, 0)), "there is no global number 0");
    assert_eq!(damaged(one(Op::Gset, 0, 1, 9)), "there is no global number 9");
    assert_eq!(damaged(one(Op::MoveI64, 1, 2, 0)), "`move.i64` stands only in verified code");
    assert_eq!(damaged(one(Op::ConstI32, 1, 0, 1)), "the constant 0x100000000 does not fit 32 bits");
    let list = "the list of operands is damaged: it leaves the pool, or shares words with another";
    for op in [Op::Select, Op::Switch, Op::Call, Op::Calli, Op::Ret] {
        assert_eq!(damaged(one(op, 0, 0, 1)), list, "{op:?}");
        assert_eq!(damaged(one(op, 0, 0, u32::MAX)), list, "{op:?}");
    }
    let call = Code::new("f", &[], &[]).call(&[], 7, &[]).ret(&[]).module();
    assert_eq!(damaged(call), "there is no function number 7");
    let calli = |table, signature| {
        let mut module = Code::new("f", &[], &[]).calli(&[], (table, 1), signature, &[]).ret(&[]).module();
        module.tables.push(Table::new("t", vec![0]));
        module.signatures.push(Signature::default());
        module
    };
    assert_eq!(damaged(calli(1, 0)), "there is no table number 1");
    assert_eq!(damaged(calli(0, 1)), "there is no signature number 1");
    assert!(verify(calli(0, 0)).is_ok());
    let mut shared = Code::new("f", &[], &[]).ret(&[]).module();
    shared.functions[0].insts.push(Inst { op: Op::Ret, d: 0, a: 0, b: 0 });
    assert_eq!(damaged(shared), list);
    let empty = Module { functions: vec![Function::default()], ..Module::default() };
    assert_eq!(damaged(empty), "the function has no instructions");
    let unplaced = Code::new("f", &[], &[]).label(0).jmp(0).module();
    let mut module = unplaced.clone();
    module.functions[0].labels[0].at = u32::MAX;
    assert_eq!(damaged(module), "label `L0` has no place in the function");
    assert!(verify(unplaced).is_ok());
}

#[test]
fn damaged_items_are_refused() {
    let f = || Code::new("f", &[], &[]).ret(&[]);
    let mut module = module([f(), f()]);
    assert_eq!(damaged(module.clone()), "there are two functions with the name `f`");
    module.functions.pop();
    let with = |change: fn(&mut Module)| {
        let mut changed = module.clone();
        change(&mut changed);
        damaged(changed)
    };
    assert_eq!(
        with(|m| m.tables.push(Table::new("t", vec![0, 1]))),
        "table `t` names function number 1, which does not exist"
    );
    assert_eq!(with(|m| m.tables = vec![Table::new("t", vec![]); 2]), "there are two tables with the name `t`");
    let global = spasm::module::Global {
        start: spasm::module::link::Constant::Bits(1 << 32),
        ..spasm::module::Global::new("g", common::I32, 0)
    };
    let mut bad = module.clone();
    bad.globals.push(global);
    assert_eq!(damaged(bad), "global `g` has a value that does not fit 32 bits");
    assert_eq!(
        with(|m| m.memory = Some(spasm::module::Memory::new(65_537, None))),
        "a memory of 65537 pages is too large; 65536 (4 GiB) is the most"
    );
    assert_eq!(
        with(|m| m.memory = Some(spasm::module::Memory::new(2, Some(1)))),
        "the memory starts with 2 pages, more than its maximum of 1"
    );
    assert_eq!(
        with(|m| m.inits.push(spasm::module::Init { offset: 0, bytes: vec![], line: 0 })),
        "there is no memory to initialise"
    );
    assert_eq!(
        with(|m| {
            m.memory = Some(spasm::module::Memory::new(1, None));
            m.inits.push(spasm::module::Init { offset: u32::MAX, bytes: vec![0; 2], line: 0 });
        }),
        "2 bytes at 4294967295 do not fit the memory, which starts with 65536 bytes"
    );
    assert_eq!(
        with(|m| m.functions[0].signature.params = vec![I64; 1001]),
        "`f` has 1001 parameters; 1000 is the most"
    );
    assert_eq!(
        with(|m| m.signatures.push(Signature::new(vec![], vec![I64; 1001]))),
        "signature number 0 has 1001 results; 1000 is the most"
    );
}

#[test]
fn blocks_start_where_control_arrives_or_has_left() {
    let f = body(
        "func f(i64) -> i64
            const r1, 1
        unused:
            add r2, r2, r1
        head:
            less r3, r2, a1
            jmpt r3, head
            jmp end
            print r2
        end:
            ret r2",
    );
    let starts: Vec<u32> = f.blocks.iter().map(|b| b.start).collect();
    assert_eq!(starts, [0, 2, 4, 5, 6]);
    assert_eq!(f.block_range(1), 2..4);
    assert_eq!(f.block_range(4), 6..7);
    assert_eq!(f.insts[3].b, 1, "jumps name blocks");
    assert_eq!((f.blocks[1].first_source, f.blocks[1].last_source), (1, 1));
    assert_eq!((f.blocks[4].first_source, f.blocks[4].last_source), (2, 2));
    assert_eq!((f.blocks[0].first_source, f.blocks[0].last_source), (u32::MAX, 0));
    let depths: Vec<u32> = f.blocks.iter().map(|b| b.depth).collect();
    assert_eq!(depths, [0, 1, 0, 0, 0]);
}

#[test]
fn depth_counts_loops_not_jumps() {
    let f = body(
        "func f(i64)
        outer:
            print a1
        inner:
            print a1
            jmpt a1, inner
            jmpf a1, outer
            print a1
            jmpt a1, inner
            jmpt a1, outer
        alone:
            jmpt a1, alone
            ret",
    );
    // The last jump to `inner` and the last one to `outer` say how far they reach.
    let depths: Vec<u32> = f.blocks.iter().map(|b| b.depth).collect();
    assert_eq!(depths, [1, 2, 2, 2, 1, 1, 0]);
    let switch = body("func f(i64)\na: print a1\nb: switch a1, [a, b, c], a\nc: ret");
    let depths: Vec<u32> = switch.blocks.iter().map(|b| b.depth).collect();
    assert_eq!(depths, [1, 2, 0]);
    assert_eq!(switch.lists[..5], [3, 0, 1, 2, 0]);
}

#[test]
fn blocks_agree_with_a_slow_count() {
    // Many blocks, so that every word of the set of starts is crossed.
    let mut text = String::from("func f(i64)\n");
    for i in 0..300 {
        text += &format!("L{i}: print a1\n{}", if i % 3 == 0 { " print a1\n" } else { "" });
        text += &format!(" jmpt a1, L{}\n", (i * 7 + 3) % 300);
    }
    let f = body(&(text + " ret\n"));
    for (number, block) in f.blocks.iter().enumerate() {
        let sources = f.blocks.iter().enumerate().filter(|&(s, _)| {
            let last = &f.insts[f.block_range(s).end - 1];
            last.op == Op::Jmpt && last.b as usize == number
        });
        let sources: Vec<u32> = sources.map(|(s, _)| s as u32).collect();
        assert_eq!(block.first_source, sources.first().copied().unwrap_or(u32::MAX), "block {number}");
        assert_eq!(block.last_source, sources.last().copied().unwrap_or(0), "block {number}");
        let spans = |(h, b): &(usize, &spasm::verified::Block)| {
            b.first_source != u32::MAX
                && *h <= number
                && number <= b.last_source as usize
                && *h <= b.last_source as usize
        };
        assert_eq!(block.depth as usize, f.blocks.iter().enumerate().filter(spans).count(), "block {number}");
    }
}

#[test]
fn facts_about_variables() {
    let f = body(
        "func f(i64, i32, i64) -> i64
            const r1, 5
            const r2, 6
            const r2, 7
            add r3, r1, r2
            add r4, r3, a1
            jmpt r4, more
            print r5
        more:
            const r6, 1
            add r7, r6, r1
            const a3, 2
            add r7, a3, a2
            ret r7",
    );
    let has = |name: &str, mask: u8| var(&f, name).has(mask);
    for (name, crosses, constant, read) in [
        ("a1", true, false, true),
        ("a2", true, false, true),
        ("a3", false, false, true),
        ("r0", false, false, false),
        ("r1", true, true, true),
        ("r2", false, false, true),
        ("r3", false, false, true),
        ("r5", true, false, true),
        ("r6", false, false, true),
        ("r7", false, false, true),
    ] {
        assert_eq!(has(name, Var::CROSSES), crosses, "{name} crosses");
        assert_eq!(has(name, Var::CONSTANT), constant, "{name} constant");
        assert_eq!(has(name, Var::READ), read, "{name} read");
    }
    assert_eq!(var(&f, "r2").first_write, 1);
    assert_eq!(var(&f, "r5").first_write, u32::MAX);
    assert_eq!(var(&f, "a3").first_write, 9);
    let read_first = body("func f\n print r1\n const r1, 5\n print r1\n ret");
    assert!(!var(&read_first, "r1").has(Var::CONSTANT));
    assert_eq!(var(&f, "r7"), f.vars[f.vars.len() - 1], "no variables beyond the last one named");
}

#[test]
fn narrow_variables_never_have_an_upper_half() {
    let f = body(
        "func f(i64, i32, f32, f64) -> i64
            add.i32 r1, a1, a1
            add r2, a1, a1
            const r3, 0xffffffff
            const r4, -1
            less r5, a1, a1
            move r6, r1
            move r6, r3
            move r7, r6
            move r7, r2
            select r8, a1, r1, r3
            select r9, a1, r1, r7
            add.i32 r10, a1, a1
            add r10, a1, a1
            read r12
            bits.f32.i32 r13, r1
            print r14
            arg r15, r1
            extu r16, r1
            ret r12",
    );
    let narrow: Vec<String> =
        (0..f.vars.len()).filter(|&v| f.vars[v].has(Var::NARROW)).map(|v| f.var_name(v as u32)).collect();
    assert_eq!(narrow, ["a2", "a3", "r0", "r1", "r3", "r5", "r6", "r8", "r11", "r13", "r14"]);
}

#[test]
fn narrowness_follows_moves_in_any_order() {
    // The wide value reaches r1 against the order of the text, one step for each move.
    let mut text = String::from("func f(i64)\nagain:\n");
    for i in 1..50 {
        text += &format!(" move r{i}, r{}\n", i + 1);
    }
    let wide = body(&format!("{text} move r50, a1\n jmpt r1, again\n ret"));
    let narrow = body(&format!("{text} less r50, a1, a1\n jmpt r1, again\n ret"));
    for i in 1..=50 {
        assert!(!var(&wide, &format!("r{i}")).has(Var::NARROW), "r{i}");
        assert!(var(&narrow, &format!("r{i}")).has(Var::NARROW), "r{i}");
    }
}

#[test]
fn unused_fields_go_out_as_zero() {
    let junk = Code::new("f", &[I64], &[])
        .raw(Op::NegI64, 1, 1, 99)
        .raw(Op::Move, 1, 1, 98)
        .raw(Op::Print, 97, 1, 96)
        .raw(Op::Arg, 1, 1, 95)
        .raw(Op::Halt, 94, 93, 92);
    for inst in &verified(junk.module()).body(0).insts {
        assert!([inst.d, inst.a, inst.b].iter().all(|&field| field < 90), "{inst:?}");
    }
}

#[test]
fn arg_is_noted() {
    assert!(body("func f(i64)\n arg r1, a1\n ret").has_arg);
    assert!(!body("func f(i64)\n ret").has_arg);
}

/// Anything that takes squared time would take minutes here.
fn quickly(module: Module) {
    let start = Instant::now();
    let _ = verify(module);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn large_functions_take_linear_time() {
    const N: u32 = 100_000;
    let mut labels = Code::new("f", &[I64], &[]);
    for i in 0..N {
        labels = labels.label(i as usize).jmpt(-1, (i * 7919) % N);
    }
    quickly(labels.ret(&[]).module());

    let all: Vec<u32> = (0..N).map(|_| 0).collect();
    quickly(Code::new("f", &[I64], &[]).label(0).switch(-1, &all, 0).module());

    let mut shared = Code::new("f", &[I64], &[]).label(0).switch(-1, &all, 0).0;
    shared.insts = vec![shared.insts[0]; N as usize];
    let start = Instant::now();
    let error = refused(Module { functions: vec![shared], ..Module::default() });
    assert!(error.problems[0].message.starts_with("the list of operands is damaged"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let mut locals = Code::new("f", &[], &[]);
    for i in (1..=65_534).rev() {
        locals = locals.mov(i + 1, i);
    }
    quickly(locals.clone().op(Op::AddF64, 1, 1, 1).op(Op::AddI64, 9, 9, 9).ret(&[]).module());
    quickly(locals.ret(&[]).module());

    let functions = (0..N / 4).map(|i| Code::new(&format!("f{i}"), &[I64, F64], &[]).ret(&[]));
    quickly(module(functions));
    quickly(module((0..N / 4).map(|_| Code::new("same", &[], &[]).ret(&[]))));
}

#[test]
fn the_order_of_signatures_is_that_of_the_first_function() {
    let module = parse(
        "table t = [a, b, c]
        func a(i64)
            calli t, a1, (f64), r1
            ret
        func b(f64)
            ret
        func c(i64)
            ret",
    );
    // Seen from outside: c has a's signature, b another one.
    let verified = verified(module);
    for (i, wanted) in [(0u64, "trap: indirect call type mismatch"), (2, "trap: indirect call type mismatch")] {
        let mut store = spasm::interp::Store::new(&verified).unwrap();
        let (mut streams, _) = spasm::streams::Streams::captured("");
        let outcome = common::outcome(spasm::interp::call(&verified, &mut store, &mut streams, 0, &[i]));
        assert_eq!(outcome, Err(wanted.to_owned()));
    }
    let mut store = spasm::interp::Store::new(&verified).unwrap();
    let (mut streams, _) = spasm::streams::Streams::captured("");
    let outcome = common::outcome(spasm::interp::call(&verified, &mut store, &mut streams, 0, &[1]));
    assert_eq!(outcome, Ok(vec![]));
}

/// What is wrong with one line of a function in a module that has all that the line may name.
fn native_line(line: &str) -> String {
    errors(&format!(
        "extern \"\" printf(ptr, ...) -> i32\nextern \"\" pair(struct{{f32, i8}}) -> struct{{i64, f64}}\n\
         data d = zero 8\nfunc f(f32, f64, i64) -> i64\n {line}\n ret r1"
    ))
}

#[test]
fn calls_of_c_are_checked_as_others_are() {
    let cases = [
        (
            "call printf",
            "`printf` takes at least 1 argument, but is given 0\n  help: its signature is (i64, ...) -> i32",
        ),
        ("call printf, a1", "a1 is used as int here, but it is f32"),
        (
            "call printf, a3, a1",
            "line 5: in f: C has no further arguments of type f32\n  help: it passes them as doubles: convert the value with `promote d, a`",
        ),
        ("call (r1, r2), pair, a1", "`pair` takes 2 arguments, but is given 1"),
        ("call r1, pair, a1, a3", "`pair` has 2 results, but 1 registers are given for them"),
        ("call (r1, r1), pair, a1, a3", "two results go to the same register"),
        ("callp a1, (i64), a3", "a1 is used as int here, but it is f32"),
        ("callp r1, r2, (f32) -> f64, a1", "r1 is used as int here, but it is f64"),
        ("callp r1, r2, (f32) -> i64, a2", "a2 is used as f32 here, but it is f64"),
        ("callp r2, (...), a1", "C has no further arguments of type f32"),
        ("load.f32 r1, a3", "r1 is used as int here, but it is f32"),
        ("load r1, a2", "a2 is used as int here, but it is f64"),
        ("store.f64 a1, a3", "a1 is used as f64 here, but it is f32"),
        ("store a3, a1", "a1 is used as int here, but it is f32"),
        ("addr a1, d", "a1 is used as int here, but it is f32"),
        ("addr r0, d", "r0 is the number of arguments and cannot be written"),
    ];
    for (line, message) in cases {
        assert!(native_line(line).contains(message), "{line}: {}", native_line(line));
    }
    // What an argument is may be known only later.
    let later = "read r2\n call printf, a3, r2, r3\n sqrt.f32 r4, r2";
    assert_eq!(native_line(later).lines().next(), Some("line 6: in f: C has no further arguments of type f32"));
    let f = body(
        "extern \"\" f(...)\nextern \"\" g() -> (i8, u8, i16, u16, bool, i32, u32, i64, f32)\n\
         func main(f64)\n read r1\n call f, r1, a1, r2\n sqrt.f64 r1, r1\n call (r3, r4, r5, r6, r7, r8, r9, r10, r11), g\n\
         print r3\n print r4\n print r5\n print r6\n print r7\n print r8\n print r9\n print r10\n print r11\n ret",
    );
    assert_eq!(f.insts[1].op, Op::CallExtern);
    let narrow: Vec<bool> = (3..12).map(|n| var(&f, &format!("r{n}")).has(Var::NARROW)).collect();
    assert_eq!(narrow, [false, true, false, true, true, true, true, false, true]);
}

#[test]
fn items_of_c_are_checked() {
    let good =
        || parse("extern \"\" f(struct{i8})\ndata d = ptr f, 0, d, 0\nfunc main\n addr r1, f\n call f, r1\n ret");
    assert!(verify(good()).is_ok());
    let with = |change: fn(&mut Module)| {
        let mut module = good();
        change(&mut module);
        damaged(module)
    };
    let nest = |n: usize| (0..n).fold(CType::I8, |ty, _| CType::Struct(vec![ty]));
    assert_eq!(with(|m| m.data[0].align = 3), "`d` is aligned to 3 bytes; that must be a power of two up to 64");
    assert_eq!(with(|m| m.data[0].align = 128), "`d` is aligned to 128 bytes; that must be a power of two up to 64");
    assert_eq!(with(|m| m.data[0].align = 0), "`d` is aligned to 0 bytes; that must be a power of two up to 64");
    assert_eq!(with(|m| m.data[0].align = 4), "`d` holds addresses and is aligned to 4 bytes; 8 is the least");
    let moved = "the address at byte 32 of `d` does not stand within its 32 bytes";
    assert_eq!(with(|m| m.data[0].pointers[1].offset = 32), moved);
    assert_eq!(with(|m| m.data[0].pointers[1].offset = u32::MAX).split(" of").count(), 2);
    assert_eq!(with(|m| m.data[0].pointers[1].offset = 12), "the address at byte 12 of `d` is not aligned to 8 bytes");
    assert_eq!(with(|m| m.data[0].pointers[1].offset = 0), "the addresses in `d` are not in order at byte 0");
    assert_eq!(with(|m| m.data[0].bytes[17] = 1), "the bytes that the address at byte 16 of `d` goes to are not zero");
    let missing = "the address at byte 0 of `d` is that of data number 9, which does not exist";
    assert_eq!(with(|m| m.data[0].pointers[0].target = Target::Data(9)), missing);
    assert!(with(|m| m.data[0].zeros = 1 << 30).starts_with("all data together has 1073741856 bytes"));
    assert!(with(|m| m.data[0].zeros = u64::MAX).starts_with("all data together has"));
    assert_eq!(with(|m| m.externs[0].signature = 1), "extern `f` has C signature number 1, which does not exist");
    assert_eq!(with(|m| m.externs[0].symbol.clear()), "extern `f` names no function of its library");
    assert!(with(|m| m.externs[0].library.push('\0')).contains("zero byte"));
    assert_eq!(
        with(|m| m.c_signatures[0].params[0] = CType::Struct(vec![])),
        "`f` has a struct without members, which C does not have"
    );
    assert_eq!(
        with(|m| m.c_signatures[0].results = vec![CType::F32; 256]),
        "`f` has 256 results, the members of structs counted; 255 is the most"
    );
    let mut module = good();
    module.c_signatures.push(spasm::module::native::CSignature { params: vec![nest(17)], ..Default::default() });
    assert_eq!(damaged(module.clone()), "C signature number 1 has structs nested more than 16 deep");
    module.c_signatures[1].params[0] = nest(16);
    assert!(verify(module).is_ok());
    assert_eq!(
        with(|m| m.data[0].name = "f".to_owned()),
        "there are two functions, imports, externs or data with the name `f`"
    );
    assert_eq!(with(|m| m.functions[0].insts[0].b = 7), "this is the address of extern number 7, which does not exist");
    assert_eq!(with(|m| m.functions[0].insts[0].a = 4), "nothing of kind 4 has an address");
    assert_eq!(
        with(|m| m.functions[0].insts[0].a = 3),
        "this is the address of import number 0, which has no native address"
    );
    assert_eq!(with(|m| m.functions[0].insts[1].d = 2), "nothing of kind 2 can be called");
    assert_eq!(with(|m| m.functions[0].insts[1].d = 3), "there is no import number 0");
    assert_eq!(with(|m| m.functions[0].insts[1].a = 2), "there is no extern number 2");
    assert_eq!(with(|m| m.functions[0].insts[1].op = Op::CallExtern), "`call.extern` stands only in verified code");
    assert!(with(|m| m.functions[0].insts[1].b = 900).contains("list of operands is damaged"));
    let mut module = good();
    (module.functions[0].insts[1].op, module.functions[0].lists[0]) = (Op::Callp, 5);
    assert_eq!(damaged(module), "there is no C signature number 5");
}
