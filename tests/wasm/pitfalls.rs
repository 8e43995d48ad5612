//! What has gone wrong in implementations of WebAssembly, and what programs of unusual size may meet, on every tier.

use std::fmt::Write as _;

use spasm::engine::{ArenaSize, Config, Engine, Tier};
use spasm::isa::op::Type;
use spasm::store::{Caller, Error, Extern, Instance, Linker, Memory, Store, Val};
use spasm::trap::TrapKind;
use spasm::value::Value;
use spasm::verified::Verified;

use crate::{TIERS, engine, module};

/// An instance with its store.
struct Program {
    store: Store<()>,
    instance: Instance,
}

impl Program {
    fn new(tier: Tier, verified: &Verified, linker: &Linker<()>) -> Program {
        let mut store = Store::new(&engine(tier), ());
        let instance = linker.instantiate(&mut store, verified).unwrap();
        Program { store, instance }
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<Vec<Val>, Error> {
        let func = self.instance.get_func(&self.store, name).unwrap();
        let mut results: Vec<Val> = func.ty(&self.store).results.iter().map(|&ty| Val::zero(ty)).collect();
        func.call(&mut self.store, args, &mut results).map(|()| results)
    }

    /// The only result of a function.
    fn one(&mut self, name: &str, args: &[Val]) -> Val {
        let results = self.call(name, args).unwrap();
        assert_eq!(results.len(), 1);
        results[0]
    }

    fn trap(&mut self, name: &str, args: &[Val]) -> Option<TrapKind> {
        self.call(name, args).unwrap_err().trap()
    }
}

/// The host's functions of these tests.
fn host() -> Linker<()> {
    let mut linker = Linker::new();
    linker.func_wrap("host", "same_i32", |x: i32| x).unwrap();
    linker.func_wrap("host", "same_i64", |x: i64| x).unwrap();
    linker.func_wrap("host", "same_f32", |x: f32| x).unwrap();
    linker.func_wrap("host", "same_f64", |x: f64| x).unwrap();
    let grow = |mut caller: Caller<'_, ()>| {
        let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("it is exported");
        memory.grow(&mut caller, 1).map_or(-1, |old| old as i32)
    };
    linker.func_wrap("host", "grow", grow).unwrap();
    linker
}

/// Does the same on every tier with a program.
fn everywhere(text: &str, work: impl Fn(&mut Program)) {
    let (verified, linker) = (module(text).unwrap(), host());
    for tier in TIERS {
        work(&mut Program::new(tier, &verified, &linker));
    }
}

/// An upper half that nobody is to see.
const HIGH: i64 = 0x7edc_ba98_0000_0000;

#[test]
fn upper_halves_of_narrow_values_are_never_seen() {
    // Each function makes an i32 of an i64 whose upper half is not zero, and uses it where 64 bits might be looked at.
    let text = r#"
        (module
          (import "host" "same_i32" (func $same (param i32) (result i32)))
          (memory (export "memory") 1)
          (table 4 funcref)
          (elem (i32.const 1) $seven)
          (global $narrow (mut i32) (i32.const 0))
          (type $int (func (result i32)))
          (func $seven (result i32) (i32.const 7))
          (func (export "extend_u") (param i64) (result i64) (i64.extend_i32_u (i32.wrap_i64 (local.get 0))))
          (func (export "extend_s") (param i64) (result i64) (i64.extend_i32_s (i32.wrap_i64 (local.get 0))))
          (func (export "eqz") (param i64) (result i32) (i32.eqz (i32.wrap_i64 (local.get 0))))
          (func (export "if") (param i64) (result i32)
            (if (result i32) (i32.wrap_i64 (local.get 0)) (then (i32.const 1)) (else (i32.const 0))))
          (func (export "select") (param i64) (result i32)
            (select (i32.const 1) (i32.const 0) (i32.wrap_i64 (local.get 0))))
          (func (export "br_table") (param i64) (result i32)
            (block $two (block $one (block $zero
              (br_table $zero $one $two (i32.wrap_i64 (local.get 0))))
              (return (i32.const 0)))
              (return (i32.const 1)))
            (i32.const 2))
          (func (export "load") (param i64) (result i32)
            (i32.store (i32.wrap_i64 (local.get 0)) (i32.const 77))
            (i32.load (i32.wrap_i64 (local.get 0))))
          (func (export "call_indirect") (param i64) (result i32)
            (call_indirect (type $int) (i32.wrap_i64 (local.get 0))))
          (func (export "global") (param i64) (result i64)
            (global.set $narrow (i32.wrap_i64 (local.get 0)))
            (i64.extend_i32_u (global.get $narrow)))
          (func (export "host") (param i64) (result i64)
            (i64.extend_i32_u (call $same (i32.wrap_i64 (local.get 0)))))
          (func (export "divide") (param i64) (result i32)
            (i32.div_u (i32.const 12) (i32.wrap_i64 (local.get 0))))
          (func (export "shift") (param i64) (result i64)
            (i64.extend_i32_u (i32.shr_u (i32.wrap_i64 (local.get 0)) (i32.const 1))))
          (func (export "less") (param i64) (result i32)
            (i32.lt_u (i32.wrap_i64 (local.get 0)) (i32.const 5)))
          (func (export "sum") (param i32 i32) (result i64)
            (i64.extend_i32_u (i32.add (local.get 0) (local.get 1))))
          (func (export "at_sum") (param i32 i32) (result i32)
            (i32.load (i32.add (local.get 0) (local.get 1))))
          (func (export "convert") (param i64) (result f64) (f64.convert_i32_u (i32.wrap_i64 (local.get 0))))
          (func (export "fill") (param i64) (result i32)
            (memory.fill (i32.wrap_i64 (local.get 0)) (i32.const 5) (i32.wrap_i64 (local.get 0)))
            (i32.load8_u (i32.const 1)))
          (func (export "grow") (param i64) (result i32) (memory.grow (i32.wrap_i64 (local.get 0)))))
    "#;
    everywhere(text, |program| {
        let mut with = |name: &str, low: i64| program.one(name, &[Val::I64(HIGH | low)]);
        assert_eq!(with("extend_u", 0x8000_0001), Val::I64(0x8000_0001));
        assert_eq!(with("extend_s", 0x8000_0001), Val::I64(-0x7fff_ffff));
        for (name, zero, one) in [("eqz", 1, 0), ("if", 0, 1), ("select", 0, 1)] {
            assert_eq!((with(name, 0), with(name, 1)), (Val::I32(zero), Val::I32(one)), "{name}");
        }
        assert_eq!((with("br_table", 0), with("br_table", 1)), (Val::I32(0), Val::I32(1)));
        assert_eq!((with("load", 16), with("call_indirect", 1)), (Val::I32(77), Val::I32(7)));
        assert_eq!((with("global", 9), with("host", 9)), (Val::I64(9), Val::I64(9)));
        assert_eq!((with("divide", 5), with("shift", 6), with("less", 4)), (Val::I32(2), Val::I64(3), Val::I32(1)));
        assert_eq!((with("convert", 3), with("fill", 1), with("grow", 1)), (Val::F64(3.0), Val::I32(5), Val::I32(1)));
        assert_eq!(program.one("sum", &[Val::I32(-1), Val::I32(2)]), Val::I64(1));
        assert_eq!(program.one("at_sum", &[Val::I32(-16), Val::I32(32)]), Val::I32(77));
    });
}

#[test]
fn signs_and_constants_come_from_where_they_are() {
    // The masks of such operators are constants of the code, whatever lies at the same place in linear memory.
    let text = r#"
        (module
          (memory 1)
          (data (i32.const 0) "\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")
          (func (export "copysign") (param f64 f64) (result i64)
            (i64.reinterpret_f64 (f64.copysign (local.get 0) (local.get 1))))
          (func (export "copysign32") (param f32 f32) (result i32)
            (i32.reinterpret_f32 (f32.copysign (local.get 0) (local.get 1))))
          (func (export "abs") (param f64) (result i64) (i64.reinterpret_f64 (f64.abs (local.get 0))))
          (func (export "neg") (param f32) (result i32) (i32.reinterpret_f32 (f32.neg (local.get 0))))
          (func (export "ten") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 10)))
          (func (export "loaded") (param i32) (result f64)
            (f64.copysign (f64.const 1.5) (f64.load (local.get 0))))
          (func (export "unsigned") (param i64) (result f64) (f64.convert_i64_u (local.get 0)))
          (func (export "truncated") (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))))
    "#;
    everywhere(text, |program| {
        let nan = f64::from_bits(0xfff8_0000_0000_0001);
        for (x, sign) in [(1.5, -2.0), (-1.5, 2.0), (0.0, -0.0), (f64::INFINITY, -1.0), (nan, 1.0), (1.0, nan)] {
            let wanted = x.to_bits() & !(1 << 63) | sign.to_bits() & 1 << 63;
            assert_eq!(program.one("copysign", &[x.into(), sign.into()]), Val::I64(wanted as i64), "{x} {sign}");
        }
        assert_eq!(program.one("copysign32", &[1.5f32.into(), (-0.0f32).into()]), Val::I32(-0x4040_0000));
        assert_eq!(program.one("abs", &[nan.into()]), Val::I64(0x7ff8_0000_0000_0001));
        assert_eq!(program.one("neg", &[0.0f32.into()]), Val::I32(i32::MIN));
        assert_eq!(program.one("ten", &[1.25.into()]), Val::F64(12.5));
        assert_eq!(program.one("loaded", &[0.into()]), Val::F64(-1.5));
        assert_eq!(program.one("loaded", &[64.into()]), Val::F64(1.5));
        assert_eq!(program.one("unsigned", &[(-1i64).into()]), Val::F64(18_446_744_073_709_551_615.0));
        assert_eq!(program.one("truncated", &[1.8e19.into()]), Val::I64(18_000_000_000_000_000_000u64 as i64));
    });
}

#[test]
fn a_hundred_thousand_targets() {
    const TARGETS: usize = 100_000;
    let mut text = String::from("(module (func (export \"f\") (param i32) (result i32) block block block block\n");
    text.push_str("local.get 0 br_table");
    (0..TARGETS).for_each(|nth| _ = write!(text, " {}", nth % 3));
    text.push_str(" 3 end i32.const 10 return end i32.const 11 return end i32.const 12 return end i32.const 13))");
    everywhere(&text, |program| {
        for (index, wanted) in [(0, 10), (1, 11), (2, 12), (50_000, 12), (99_999, 10), (100_000, 13), (-1, 13)] {
            assert_eq!(program.one("f", &[index.into()]), Val::I32(wanted), "{index}");
        }
    });
}

#[test]
fn fifty_thousand_locals() {
    const LOCALS: usize = 49_999;
    let mut text = String::from("(module (func (export \"f\") (param i64) (result i64) (local");
    (0..LOCALS).for_each(|_| text.push_str(" i64"));
    text.push_str(")\n");
    // All of them are needed at once: first all are written, then all are read.
    let chosen: Vec<usize> = (1..=LOCALS).collect();
    for nth in &chosen {
        _ = writeln!(text, "local.get 0 i64.const {nth} i64.mul local.set {nth}");
    }
    text.push_str("i64.const 0\n");
    for nth in &chosen {
        _ = writeln!(text, "local.get {nth} i64.add");
    }
    text.push_str("))");
    let sum = (LOCALS * (LOCALS + 1) / 2) as i64;
    everywhere(&text, |program| {
        assert_eq!(program.one("f", &[Val::I64(3)]), Val::I64(3 * sum));
    });
}

/// What value number `nth` is.
fn nth_value(nth: usize, ty: Type) -> Val {
    let bits = match ty {
        Type::F32 => (nth as f32 + 0.5).to_bits().into(),
        Type::F64 => (nth as f64 - 0.25).to_bits(),
        _ => (nth as u64) << 3 | 1,
    };
    Value::from_bits(ty, bits).into()
}

#[test]
fn a_thousand_parameters_and_results() {
    const COUNT: usize = 1_000;
    let types = [Type::I32, Type::I64, Type::F32, Type::F64];
    let ty = |nth: usize| types[nth % 4];
    let list = |order: &mut dyn Iterator<Item = usize>| -> String {
        order.map(|nth| format!(" {}", ty(nth).name())).collect()
    };
    let (params, results) = (list(&mut (0..COUNT)), list(&mut (0..COUNT).rev()));
    let gets =
        |order: &mut dyn Iterator<Item = usize>| -> String { order.map(|nth| format!(" local.get {nth}")).collect() };
    let text = format!(
        "(module (func $turn (export \"turn\") (param{params}) (result{results}) {})
           (func (export \"call\") (param{params}) (result{results}) {} call $turn)
           (func (export \"block\") (param{params}) (result{results}) {} block (param{results}) (result{results}) end))",
        gets(&mut (0..COUNT).rev()),
        gets(&mut (0..COUNT)),
        gets(&mut (0..COUNT).rev()),
    );
    let args: Vec<Val> = (0..COUNT).map(|nth| nth_value(nth, ty(nth))).collect();
    let wanted: Vec<Val> = args.iter().rev().copied().collect();
    everywhere(&text, |program| {
        for name in ["turn", "call", "block"] {
            assert!(program.call(name, &args).unwrap() == wanted, "{name}");
        }
    });
}

#[test]
fn ten_thousand_blocks_in_one_another() {
    const DEPTH: usize = 10_000;
    let mut text = String::from("(module (func (export \"blocks\") (param i32) (result i32)\n");
    (0..DEPTH).for_each(|_| text.push_str("block\n"));
    _ = writeln!(text, "local.get 0 br_if {} local.get 0 i32.const 1 i32.add local.set 0", DEPTH - 1);
    (0..DEPTH).for_each(|_| text.push_str("local.get 0 i32.const 1 i32.add local.set 0 end\n"));
    text.push_str("local.get 0)\n(func (export \"ifs\") (param i32) (result i32)\n");
    (0..DEPTH).for_each(|_| text.push_str("local.get 0 if (result i32)\n"));
    text.push_str("i32.const 1\n");
    (0..DEPTH).for_each(|nth| _ = writeln!(text, "i32.const 1 i32.add else i32.const {} end", nth % 7));
    text.push_str(")\n(func (export \"loops\") (param i32) (result i32)\n");
    (0..DEPTH).for_each(|_| text.push_str("loop\n"));
    _ = writeln!(text, "local.get 0 i32.const 1 i32.sub local.tee 0 br_if {}", DEPTH - 1);
    (0..DEPTH).for_each(|_| text.push_str("end\n"));
    text.push_str("local.get 0))");
    everywhere(&text, |program| {
        assert_eq!(program.one("blocks", &[Val::I32(5)]), Val::I32(5));
        assert_eq!(program.one("blocks", &[Val::I32(0)]), Val::I32(1 + DEPTH as i32));
        assert_eq!(program.one("ifs", &[Val::I32(1)]), Val::I32(1 + DEPTH as i32));
        assert_eq!(program.one("ifs", &[Val::I32(0)]), Val::I32((DEPTH - 1) as i32 % 7));
        assert_eq!(program.one("loops", &[Val::I32(100)]), Val::I32(0));
    });
}

#[test]
fn memory_grows_while_it_is_used() {
    let text = r#"
        (module
          (import "host" "grow" (func $host_grow (result i32)))
          (memory (export "memory") 1)
          (func (export "own") (param i32) (result i32) (local $old i32)
            (i32.store (local.get 0) (i32.const 11))
            (local.set $old (memory.grow (i32.const 1)))
            (i32.store (i32.add (local.get 0) (i32.const 65536)) (i32.const 31))
            (i32.add (i32.add (i32.load (local.get 0)) (i32.load (i32.add (local.get 0) (i32.const 65536))))
                     (i32.mul (i32.sub (memory.size) (local.get $old)) (i32.const 1000))))
          (func (export "host") (param i32) (result i32) (local $before i32)
            (local.set $before (memory.size))
            (i32.store (local.get 0) (i32.const 5))
            (drop (call $host_grow))
            (i32.store (i32.mul (local.get $before) (i32.const 65536)) (i32.const 6))
            (i32.add (i32.add (i32.load (local.get 0)) (i32.load (i32.mul (local.get $before) (i32.const 65536))))
                     (i32.mul (i32.sub (memory.size) (local.get $before)) (i32.const 1000))))
          (func (export "beyond") (result i32) (i32.load (i32.mul (memory.size) (i32.const 65536))))
          (func (export "last") (result i32) (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)))))
    "#;
    everywhere(text, |program| {
        assert_eq!(program.one("own", &[Val::I32(100)]), Val::I32(1042));
        assert_eq!(program.one("host", &[Val::I32(200)]), Val::I32(1011));
        let memory = program.instance.get_memory(&program.store, "memory").unwrap();
        assert_eq!(memory.size(&program.store), 3);
        assert_eq!(program.trap("beyond", &[]), Some(TrapKind::OutOfBoundsMemory));
        assert_eq!(memory.grow(&mut program.store, 2), Some(3));
        assert_eq!(program.one("last", &[]), Val::I32(0));
        assert_eq!(program.trap("beyond", &[]), Some(TrapKind::OutOfBoundsMemory));
    });
}

#[test]
fn another_instance_makes_a_memory_grow() {
    let text = r#"
        (module
          (import "host" "memory" (memory 1))
          (import "host" "other" (func $other (result i32)))
          (func (export "f") (result i32)
            (drop (call $other))
            (i32.store (i32.const 65536) (i32.const 7))
            (i32.add (i32.load (i32.const 65536)) (memory.size))))
    "#;
    let grower = r#"(module (import "host" "memory" (memory 1)) (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;
    for engine in TIERS.map(engine) {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new();
        let memory = Memory::new(&mut store, 1, None).unwrap();
        linker.define("host", "memory", memory).unwrap();
        let other = linker.instantiate(&mut store, &module(grower).unwrap()).unwrap();
        let grow = other.get_func(&store, "grow").unwrap();
        linker.define("host", "other", grow).unwrap();
        let instance = linker.instantiate(&mut store, &module(text).unwrap()).unwrap();
        let f = instance.get_typed_func::<(), i32>(&store, "f").unwrap();
        assert_eq!((f.call(&mut store, ()).unwrap(), f.call(&mut store, ()).unwrap()), (9, 10));
    }
}

#[test]
fn the_bits_of_a_nan_stay() {
    let text = r#"
        (module
          (import "host" "same_f32" (func $same32 (param f32) (result f32)))
          (import "host" "same_f64" (func $same64 (param f64) (result f64)))
          (memory 1)
          (global $kept32 (mut f32) (f32.const nan:0x200001))
          (global $kept64 (mut f64) (f64.const -nan:0x4000000000001))
          (func (export "f32") (param f32) (result i32) (local f32)
            (local.set 1 (local.get 0))
            (f32.store (i32.const 8) (local.get 1))
            (global.set $kept32 (f32.load (i32.const 8)))
            (i32.reinterpret_f32 (call $same32 (select (global.get $kept32) (f32.const 0) (i32.const 1)))))
          (func (export "f64") (param f64) (result i64) (local f64)
            (local.set 1 (local.get 0))
            (f64.store (i32.const 8) (local.get 1))
            (global.set $kept64 (f64.load (i32.const 8)))
            (i64.reinterpret_f64 (call $same64 (select (global.get $kept64) (f64.const 0) (i32.const 1)))))
          (func (export "started32") (result f32) (global.get $kept32))
          (func (export "started64") (result f64) (global.get $kept64))
          (func (export "constant") (result f32) (f32.const nan:0x200000))
          (func (export "block") (param f64) (result f64) (block (result f64) (br 0 (local.get 0)))))
    "#;
    everywhere(text, |program| {
        let bits = |value: Val| value.number().unwrap().bits();
        assert_eq!(bits(program.one("started32", &[])), 0x7fa0_0001);
        assert_eq!(bits(program.one("started64", &[])), 0xfff4_0000_0000_0001);
        assert_eq!(bits(program.one("constant", &[])), 0x7fa0_0000);
        for nan in [0x7f80_0001, 0xffbf_ffff, 0x7fc0_0001, 0xffff_ffff] {
            assert_eq!(bits(program.one("f32", &[Value::from_bits(Type::F32, nan).into()])), nan);
        }
        for nan in [0x7ff0_0000_0000_0001, 0xfff7_ffff_ffff_ffff, 0x7ff8_0000_0000_0001, u64::MAX] {
            let nan_value: Val = Value::from_bits(Type::F64, nan).into();
            assert_eq!(bits(program.one("f64", &[nan_value])), nan);
            assert_eq!(bits(program.one("block", &[nan_value])), nan);
        }
    });
}

#[test]
fn divisions_that_overflow() {
    let mut text = String::from("(module\n");
    for ty in ["i32", "i64"] {
        for op in ["div_s", "div_u", "rem_s", "rem_u"] {
            _ = writeln!(
                text,
                "(func (export \"{ty}.{op}\") (param {ty} {ty}) (result {ty}) ({ty}.{op} (local.get 0) (local.get 1)))
                 (func (export \"{ty}.{op} by -1\") (param {ty}) (result {ty}) ({ty}.{op} (local.get 0) ({ty}.const -1)))
                 (func (export \"{ty}.{op} by 0\") (param {ty}) (result {ty}) ({ty}.{op} (local.get 0) ({ty}.const 0)))"
            );
        }
    }
    text.push(')');
    everywhere(&text, |program| {
        for (ty, least, minus_one, zero) in [
            ("i32", Val::I32(i32::MIN), Val::I32(-1), Val::I32(0)),
            ("i64", Val::I64(i64::MIN), Val::I64(-1), Val::I64(0)),
        ] {
            let name = |op: &str| format!("{ty}.{op}");
            let overflow = Some(TrapKind::IntegerOverflow);
            assert_eq!(program.trap(&name("div_s"), &[least, minus_one]), overflow);
            assert_eq!(program.trap(&name("div_s by -1"), &[least]), overflow);
            assert_eq!(program.one(&name("rem_s"), &[least, minus_one]), zero);
            assert_eq!(program.one(&name("rem_s by -1"), &[least]), zero);
            assert_eq!(program.one(&name("div_u"), &[least, minus_one]), zero);
            assert_eq!(program.one(&name("rem_u by -1"), &[least]), least);
            for op in ["div_s", "div_u", "rem_s", "rem_u"] {
                assert_eq!(program.trap(&name(op), &[least, zero]), Some(TrapKind::DivideByZero), "{op}");
                let by_zero = name(&format!("{op} by 0"));
                assert_eq!(program.trap(&by_zero, &[least]), Some(TrapKind::DivideByZero), "{op}");
            }
        }
    });
}

#[test]
fn alignment_hints_that_lie() {
    let text = r#"
        (module
          (memory 1)
          (data (i32.const 0) "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10")
          (func (export "i64") (param i32) (result i64) (i64.load align=8 (local.get 0)))
          (func (export "i32") (param i32) (result i32) (i32.load offset=1 align=4 (local.get 0)))
          (func (export "f64") (param i32) (result i64)
            (f64.store offset=7 align=8 (i32.const 32) (f64.load align=8 (local.get 0)))
            (i64.load align=1 (i32.const 39))))
    "#;
    everywhere(text, |program| {
        assert_eq!(program.one("i64", &[Val::I32(3)]), Val::I64(0x0a09_0807_0605_0403));
        assert_eq!(program.one("i32", &[Val::I32(4)]), Val::I32(0x0807_0605));
        assert_eq!(program.one("f64", &[Val::I32(5)]), Val::I64(0x0c0b_0a09_0807_0605));
    });
}

#[test]
fn addresses_at_the_end_of_everything() {
    let text = r#"
        (module
          (memory 1)
          (func (export "far") (param i32) (result i32) (i32.load offset=0xffffffff (local.get 0)))
          (func (export "near") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
          (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
          (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))
    "#;
    everywhere(text, |program| {
        for (name, address) in [("far", 0), ("far", -1), ("near", -1), ("near", -4), ("near", 65_529), ("byte", 65_536)]
        {
            assert_eq!(program.trap(name, &[address.into()]), Some(TrapKind::OutOfBoundsMemory), "{name} {address}");
        }
        assert_eq!(program.one("near", &[65_528.into()]), Val::I32(0));
        let copy = |to: i32, from: i32, n: i32| [to.into(), from.into(), n.into()];
        assert!(program.call("copy", &copy(65_536, 65_536, 0)).unwrap().is_empty());
        for args in [copy(65_537, 0, 0), copy(0, 65_530, 7), copy(-1, -1, -1), copy(0, 0, -1)] {
            assert_eq!(program.trap("copy", &args), Some(TrapKind::OutOfBoundsMemory));
        }
    });
}

#[test]
fn code_that_has_no_room_is_refused() {
    let mut text = String::from("(module (memory 1) (func (export \"f\") (param i32) (result i32)\n");
    (0..20_000).for_each(|nth| _ = writeln!(text, "local.get 0 i32.load offset={nth} local.set 0"));
    text.push_str("local.get 0))");
    let verified = module(&text).unwrap();
    let arena = ArenaSize { code: 1 << 16, data: 1 << 16 };
    let config = |tier| Config { tier, arena, ..Config::default() };
    let mut store = Store::new(&Engine::new(config(Tier::Baseline)), ());
    let error = Linker::new().instantiate(&mut store, &verified).unwrap_err().to_string();
    assert!(error.starts_with("no room for ") && error.ends_with("or give the engine a larger arena"), "{error}");
    // The store goes on, and the interpreter needs no room.
    let small = module(r#"(module (func (export "one") (result i32) (i32.const 1)))"#).unwrap();
    let instance = Linker::new().instantiate(&mut store, &small).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&store, "one").unwrap().call(&mut store, ()).unwrap(), 1);
    let mut store = Store::new(&Engine::new(config(Tier::Interp)), ());
    let instance = Linker::new().instantiate(&mut store, &verified).unwrap();
    assert_eq!(instance.get_typed_func::<i32, i32>(&store, "f").unwrap().call(&mut store, 0).unwrap(), 0);
}
