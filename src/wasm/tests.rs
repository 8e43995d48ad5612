//! Functions as they are translated, read off their listings, and run on both tiers.

use std::fmt::Write as _;

use crate::engine::{Config, Engine, Tier};
use crate::module::Module;
use crate::module::link::{Constant, Item, Mode};
use crate::module::native::Target;
use crate::value::Value;
use crate::verify::verify;
use crate::{isa::op::Type, text};

use super::{Fault, WasmError, translate};

fn module(wat: &str) -> Module {
    translate("test.wat", wat.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// The module without what links it with others.
fn alone(wat: &str) -> Module {
    let mut module = module(wat);
    module.exports.clear();
    module
}

/// The text of the functions.
fn listing(wat: &str) -> String {
    let module = alone(wat);
    verify(module.clone()).unwrap_or_else(|error| panic!("{error}\n{}", text::print(&module)));
    let printed = text::print(&module);
    printed[printed.find("func").unwrap()..].to_owned()
}

/// Calls `f` with i64s or i32s on both tiers.
fn run(wat: &str, args: &[i64]) -> Vec<u64> {
    let verified = verify(alone(wat)).unwrap_or_else(|error| panic!("{error}"));
    let params = &verified.module().functions[verified.module().function_index("f").unwrap() as usize].signature.params;
    let args: Vec<Value> =
        params.iter().zip(args).map(|(&ty, &arg)| Value::from_bits(ty, ty.normalise(arg.cast_unsigned()))).collect();
    let [interp, baseline] = [Tier::Interp, Tier::Baseline].map(|tier| {
        let mut instance = Engine::new(Config { tier, ..Config::default() }).instantiate(&verified).unwrap();
        let results = instance.call("f", &args).unwrap_or_else(|error| panic!("{tier:?}: {error}"));
        results.into_iter().map(Value::bits).collect::<Vec<u64>>()
    });
    assert_eq!(interp, baseline);
    interp
}

fn error(bytes: &[u8]) -> WasmError {
    translate("test.wasm", bytes).unwrap_err()
}

#[test]
fn a_loop_is_what_a_person_would_write() {
    let wat = "(module (func $sum (param $n i32) (result i32) (local $s i32)
        block $done
            loop $next
                local.get $n
                i32.eqz
                br_if $done
                local.get $s
                local.get $n
                i32.add
                local.set $s
                local.get $n
                i32.const 1
                i32.sub
                local.set $n
                br $next
            end
        end
        local.get $s))";
    let expected = "func sum(i32) -> i32
    const.i32 r2, 0
    const.i32 r4, 1
L0:
    jmpf a1, L1
    add.i32 r1, r1, a1
    sub.i32 a1, a1, r4
    jmp L0
L1:
    ret r1
";
    assert_eq!(listing(wat), expected);
}

#[test]
fn comparisons_stand_before_their_branches() {
    let wat = "(module (func $f (param i32 i32) (result i32)
        (if (result i32) (i32.eqz (i32.gt_u (local.get 0) (local.get 1)))
            (then (i32.const 7)) (else (i32.load8_s offset=4 (local.get 0))))) (memory 1))";
    let expected = "func f(i32, i32) -> i32
    const.i32 r2, 0
    lessu.i32 r1, a2, a1
    jmpt r1, L0
    const.i32 r3, 7
    jmp L1
L0:
    mload.8s r4, a1, 4
    wrap r3, r4
L1:
    ret r3
";
    assert_eq!(listing(wat), expected);
}

#[test]
fn a_local_is_copied_only_where_it_is_written_too_early() {
    let wat = "(module (func $f (param i32) (result i32)
        local.get 0
        local.get 0
        i32.const 1
        i32.add
        local.set 0
        local.get 0
        i32.mul))";
    let expected = "func f(i32) -> i32
    const.i32 r1, 1
    move r3, a1
    add.i32 a1, a1, r1
    mul.i32 r3, r3, a1
    ret r3
";
    assert_eq!(listing(wat), expected);
    assert_eq!(run(wat, &[6]), [42]);
}

#[test]
fn what_a_loop_writes_is_read_before_it() {
    let wat = "(module (func $f (param i32) (result i32)
        local.get 0
        (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0)))
        local.get 0
        i32.add))";
    assert_eq!(run(wat, &[5]), [5]);
}

#[test]
fn what_an_arm_writes_is_read_before_the_branch() {
    let wat = "(module (func $f (param i32) (result i32)
        local.get 0
        (block (br_if 0 (i32.lt_s (local.get 0) (i32.const 10))) (local.set 0 (i32.const 100)))
        local.get 0
        i32.sub))";
    assert_eq!((run(wat, &[5]), run(wat, &[50])), (vec![0], vec![u64::from((-50i32).cast_unsigned())]));
}

#[test]
fn parameters_of_loops_change_places() {
    let wat = "(module (func $f (param i32) (result i64 i64 i64)
        i64.const 1 i64.const 2 i64.const 3
        (loop (param i64 i64 i64) (result i64 i64 i64)
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            call $turn
            (br_if 0 (local.get 0))))
        (func $turn (param i64 i64 i64) (result i64 i64 i64) local.get 1 local.get 2 local.get 0))";
    assert_eq!(run(wat, &[4]), [2, 3, 1]);
    let swap = "(module (func $f (param i32) (result i64 i64)
        (local i64)
        i64.const 1 i64.const 2
        (loop (param i64 i64) (result i64 i64)
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            local.set 1
            (block (param i64) (result i64 i64) local.get 1)
            (br_if 0 (local.get 0)))))";
    assert_eq!(run(swap, &[3]), [1, 2]);
}

#[test]
fn tables_of_branches_carry_values() {
    let wat = "(module (func $f (param i32) (result i32)
        (block $a (result i32)
            (block $b (result i32)
                i32.const 10
                local.get 0
                br_table $a $b 2 $a $b)
            i32.const 1
            i32.add)
        i32.const 100
        i32.add))";
    assert_eq!([0, 1, 2, 3, 4].map(|n| run(wat, &[n])[0]), [110, 111, 10, 110, 111]);
}

#[test]
fn arms_take_and_give_values() {
    let wat = "(module (func $f (param i32 i64) (result i64)
        local.get 1
        i64.const 5
        i64.add
        local.get 0
        (if (param i64) (result i64) (then i64.const 2 i64.mul) (else (local.set 1 (i64.const 9)) local.get 1 i64.sub))
        local.get 0
        (if (param i64) (result i64) (then i64.const 1 i64.add))
        local.get 1
        i64.add))";
    assert_eq!((run(wat, &[1, 1]), run(wat, &[0, 100])), (vec![14], vec![105]));
}

#[test]
fn what_cannot_be_reached_is_left_out() {
    let wat = "(module (func $f (result i32)
        (block (result i32)
            i32.const 3
            br 0
            (loop (br 0))
            (if (i32.const 1) (then (unreachable)) (else (i32.const 4) (i32.const 2) (br_table 1 2 1)))
            drop
            i32.const 5)
        return
        i32.add
        unreachable))";
    assert_eq!(listing(wat).lines().count(), 5, "{}", listing(wat));
    assert_eq!(run(wat, &[]), [3]);
}

#[test]
fn wide_values_are_not_narrowed_for_those_that_look_at_half() {
    let wat = "(module (memory 1) (func $f (param i64 i64) (result i32)
        (i32.store (i32.wrap_i64 (local.get 0)) (i32.add (i32.wrap_i64 (local.get 1)) (i32.const 2)))
        (i32.load8_u (i32.wrap_i64 (local.get 0)))
        (i32.wrap_i64 (local.get 1))
        i32.sub))";
    assert_eq!(listing(wat).matches("wrap").count(), 1, "{}", listing(wat));
    assert_eq!(run(wat, &[0x7_0000_0010, 0x9_0000_0100]), [u64::from((2 - 0x100_i32).cast_unsigned())]);
}

#[test]
fn a_select_by_zero_takes_the_other() {
    let wat = "(module (func $f (param i64 i32) (result i64)
        (select (local.get 0) (i64.extend_i32_u (i32.sub (local.get 1) (i32.const 7))) (i64.eqz (local.get 0)))))";
    assert_eq!((run(wat, &[0, 3]), run(wat, &[1, 3])), (vec![0], vec![0xffff_fffc]));
}

#[test]
fn many_constants_and_a_high_stack_have_registers() {
    let n = 50_000;
    let mut wat = "(module (func $f (result i64)\n".to_owned();
    for i in 0..n {
        _ = writeln!(wat, "i64.const {i}");
    }
    wat.push_str(&"i64.add\n".repeat(n - 1));
    wat.push_str("))");
    assert_eq!(run(&wat, &[]), [(n * (n - 1) / 2) as u64]);
}

#[test]
fn registers_that_cross_blocks_are_used_again() {
    let mut wat = "(module (func $f (param i32) (result i32) (local $s i32)\n".to_owned();
    for _ in 0..40_000 {
        wat.push_str("local.get $s local.get 0 (if (result i32) (then (i32.const 1)) (else (i32.const 2))) i32.add\n");
        wat.push_str("local.set $s\n");
    }
    wat.push_str("local.get $s))");
    assert_eq!(run(&wat, &[1]), [40_000]);
    assert_eq!(run(&wat, &[0]), [80_000]);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let n = 100_000;
    let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0".to_vec();
    let body: Vec<u8> = [0u8].into_iter().chain([2, 0x40].repeat(n)).chain([0x0b].repeat(n + 1)).collect();
    let mut code = vec![1];
    leb(&mut code, body.len());
    code.extend(&body);
    wasm.push(10);
    leb(&mut wasm, code.len());
    wasm.extend(&code);
    let module = translate("deep.wasm", &wasm).unwrap();
    assert_eq!(module.functions[0].insts.len(), 1);
}

fn leb(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push((n & 0x7f | 0x80) as u8);
        n >>= 7;
    }
    out.push(n as u8);
}

#[test]
fn items_have_the_indices_of_webassembly() {
    let module = module(
        r#"(module
        (import "env" "log" (func $log (param i32)))
        (import "env" "base" (global $base i32))
        (import "env" "table" (table 1 10 funcref))
        (memory (export "memory") 1 2)
        (table $refs 3 externref)
        (global $counter (export "counter") (mut i64) (i64.const -1))
        (elem (table 0) (global.get $base) func $log $run)
        (elem declare func $run)
        (data (i32.const 8) "hello")
        (data "later")
        (func $run (export "run") (export "again") (call $log (i32.const 1)) (drop (ref.func $run)))
        (func (export "unnamed"))
        (func)
        (start $run))"#,
    );
    assert_eq!(module.imports[0].name, "log");
    let names: Vec<&str> = module.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["run", "unnamed", "func3"]);
    assert!(module.globals[0].import.is_some() && !module.globals[0].mutable);
    assert_eq!((module.globals[1].start, module.globals[1].ty), (Constant::Bits(u64::MAX), Type::I64));
    let tables: Vec<_> = module.tables.iter().map(|t| t.growing.clone().unwrap()).collect();
    assert_eq!((tables[0].min, tables[0].max, tables[1].ty), (1, Some(10), Type::Externref));
    assert_eq!(module.elements[0].mode, Mode::Active { table: 0, offset: Constant::Global(0) });
    let targets = [Target::Import(0), Target::Function(0)].map(Constant::Function);
    assert_eq!(module.elements[0].items, targets);
    assert_eq!(module.elements[1].mode, Mode::Declared);
    assert_eq!((module.segments[0].bytes.as_slice(), module.segments[1].mode), (&b"hello"[..], Mode::Passive));
    assert_eq!(module.start, Some(Target::Function(0)));
    let items: Vec<Item> = module.exports.iter().map(|export| export.item).collect();
    let run = Item::Function(Target::Function(0));
    assert_eq!(items, [Item::Memory, Item::Global(1), run, run, Item::Function(Target::Function(1))]);
    verify(module).unwrap();
}

#[test]
fn names_are_made_unique() {
    let module =
        module(r#"(module (func $a) (func $"a" ) (func (export "b")) (func $b))"#.replace("$\"a\" ", "").as_str());
    let names: Vec<&str> = module.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["a", "func1", "b", "b#3"]);
}

#[test]
fn features_are_refused_by_their_names() {
    let refused = |wat: &str| {
        let error = translate("new.wat", wat.as_bytes()).unwrap_err();
        assert_eq!(error.fault, Fault::Unsupported, "{error}");
        error.message
    };
    for (wat, name) in [
        ("(module (func (result v128) v128.const i64x2 0 0))", "SIMD"),
        ("(module (func (drop (i8x16.splat (i32.const 1)))))", "SIMD"),
        ("(module (memory 1 1 shared))", "threads"),
        ("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", "threads"),
        ("(module (func return_call 0))", "tail calls"),
        ("(module (memory 1) (memory 1))", "several memories"),
        ("(module (tag))", "exceptions"),
        ("(module (memory i64 1))", "memory64"),
        ("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", "extended constant"),
        ("(module (type (struct)))", "GC"),
        ("(module (type $t (func)) (func (param (ref $t))))", "typed function references"),
        ("(component)", "components"),
    ] {
        let message = if wat.starts_with("(component") { error(b"\0asm\x0d\0\x01\0").message } else { refused(wat) };
        assert!(message.contains(name), "{wat}: {message}");
    }
}

#[test]
fn faults_are_told_apart() {
    assert_eq!(error(b"\0asm\x01\0\0").fault, Fault::Malformed);
    assert_eq!(error(b"\x7fELF").fault, Fault::Malformed);
    assert_eq!(
        error(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b").fault,
        Fault::Invalid
    );
    let text = error(b"(module (func (i32.cnst 1)))");
    assert_eq!(text.fault, Fault::Text);
    assert!(text.to_string().contains("test.wasm:1"), "{text}");
    let message = error(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b").to_string();
    assert!(message.starts_with("test.wasm: invalid WebAssembly at 0x17: type mismatch"), "{message}");
}
