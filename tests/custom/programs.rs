//! Programs that use declared opcodes, few registers and many.

use crate::noise::Noise;
use spasm::builder::{FunctionBuilder, ModuleBuilder};
use spasm::check::check;
use spasm::engine::{CallError, Config, Engine};
use spasm::isa::custom::CustomOp;
use spasm::isa::op::Type;
use spasm::isa::snippet::Features;
use spasm::library::native_features;
use spasm::module::{Module, Reg, Signature};
use spasm::stitch::Stitcher;
use spasm::trap::{RunError, TrapKind};
use spasm::value::Value;
use spasm::{binary, text, verify};

use super::{call, engines, snippets, verified};

/// What the opcodes of `opcodes.S` mean.
fn meaning(name: &str, x: &[u64]) -> u64 {
    let float = |n: usize| f64::from_bits(x[n]);
    let single = |n: usize| f32::from_bits(x[n] as u32);
    match name {
        "muladd.i64" => x[0].wrapping_mul(x[1]).wrapping_add(x[2]),
        "mulhi.i64" => ((u128::from(x[0]) * u128::from(x[1])) >> 64) as u64,
        "shladd.i32" => u64::from((x[0] as u32).wrapping_shl(x[1] as u32).wrapping_add(x[0] as u32)),
        "mix.f64" => (float(0) + x[1].cast_signed() as f64).to_bits(),
        "weigh.f64" => (float(0) + f64::from(x[2] as u32 as i32) * float(1)).to_bits(),
        "over.i32" => u64::from(single(0) > single(1)),
        "answer.i64" => 42,
        "swap.i64" => x[0].swap_bytes(),
        other => panic!("{other} has no meaning here"),
    }
}

/// The opcodes that have one.
fn ops() -> Vec<CustomOp> {
    let without = ["quot.i64", "put.i64"];
    snippets().opcodes().into_iter().filter(|op| !without.contains(&op.name.as_str())).collect()
}

/// Registers of each class, with the bits that each is known to hold.
struct Registers {
    ints: Vec<(Reg, u64)>,
    singles: Vec<(Reg, u64)>,
    doubles: Vec<(Reg, u64)>,
}

impl Registers {
    fn of(&mut self, ty: Type) -> &mut Vec<(Reg, u64)> {
        match ty {
            Type::I32 | Type::I64 | Type::Funcref | Type::Externref => &mut self.ints,
            Type::F32 => &mut self.singles,
            Type::F64 => &mut self.doubles,
        }
    }
}

/// A function of `length` instructions on `count` registers of each class, `twice` in a loop; and what it gives.
fn program(seed: u64, count: usize, length: usize, in_loop: bool) -> (Module, Vec<Value>) {
    let mut noise = Noise(seed | 1);
    let mut module = ModuleBuilder::new();
    let ops: Vec<_> = ops().into_iter().map(|op| (module.opcode(&op), op)).collect();
    let main = module.declare("main");
    let mut f = FunctionBuilder::new(Signature::new([], [Type::I64, Type::F64]));
    let mut all = Registers { ints: Vec::new(), singles: Vec::new(), doubles: Vec::new() };
    for _ in 0..count {
        let (int, single, double) = (f.local(), f.local(), f.local());
        let bits = noise.next();
        f.const_i64(int, bits.cast_signed());
        let (x, y) = (noise.below(100) as f32 - 50.0, noise.below(1000) as f64 / 8.0);
        f.const_f32(single, x);
        f.const_f64(double, y);
        all.ints.push((int, bits));
        all.singles.push((single, x.to_bits().into()));
        all.doubles.push((double, y.to_bits()));
    }
    let (left, one) = (f.local(), f.local());
    f.const_i64(left, 2);
    f.const_i64(one, 1);
    let again = f.label("again");
    f.bind(again);
    let mut steps = Vec::new();
    for _ in 0..length {
        let (id, op) = &ops[noise.below(ops.len())];
        let args: Vec<usize> = op.params.iter().map(|_| noise.below(count)).collect();
        let d = noise.below(count);
        let registers: Vec<Reg> = op.params.iter().zip(&args).map(|(&ty, &arg)| all.of(ty)[arg].0).collect();
        let result = op.result.map(|ty| all.of(ty)[d].0);
        f.custom(*id, result, &registers);
        steps.push((op.clone(), args, d));
    }
    if in_loop {
        f.sub(left, left, one);
        f.jump_if(left, again);
    }
    for _ in 0..if in_loop { 2 } else { 1 } {
        for (op, args, d) in &steps {
            let values: Vec<u64> = op.params.iter().zip(args).map(|(&ty, &arg)| all.of(ty)[arg].1).collect();
            let found = meaning(&op.name, &values);
            if let Some(ty) = op.result {
                all.of(ty)[*d].1 = found;
            }
        }
    }
    let (sum, total) = (f.local(), f.local());
    let (mut ints, mut doubles) = (0u64, 0f64);
    for &(register, bits) in &all.ints {
        f.add(sum, sum, register);
        ints = ints.wrapping_add(bits);
    }
    for &(register, bits) in &all.doubles {
        f.add_f64(total, total, register);
        doubles += f64::from_bits(bits);
    }
    f.ret(&[sum, total]);
    module.define(main, f);
    (module.finish().unwrap(), vec![Value::from_bits(Type::I64, ints), Value::from_bits(Type::F64, doubles.to_bits())])
}

#[test]
fn opcodes_do_what_their_templates_do_wherever_their_operands_are() {
    let engines = engines(snippets());
    let libraries = [native_features(), Features(0)].map(|features| snippets().library(features));
    for seed in 1..=60u64 {
        let (count, in_loop) = ([1, 2, 4, 9, 20][seed as usize % 5], seed % 2 == 0);
        let (module, expected) = program(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), count, 60, in_loop);
        let verified = verify::verify(module).unwrap();
        for (name, engine) in &engines {
            let found = call(engine, &verified, "main", &[]).unwrap();
            assert_eq!(found, expected, "seed {seed} on {name}");
        }
        for library in &libraries {
            let (image, trace) = Stitcher::new(library).stitch_traced(&verified).unwrap();
            if let Err(defects) = check(&verified, &image, &trace, library) {
                panic!("seed {seed}: {}", defects[0]);
            }
        }
    }
}

#[test]
fn the_checker_tells_operands_from_each_other() {
    let program = |body: &str| {
        let source = format!("func main(i64, i64, i64) -> i64\n    {body}\n    ret r1\n");
        verified(&source, snippets())
    };
    let [one, same] = ["muladd r1, a1, a2, a3"; 2].map(program);
    let library = snippets().library(native_features());
    let (image, trace) = Stitcher::new(&library).stitch_traced(&one).unwrap();
    check(&same, &image, &trace, &library).unwrap_or_else(|defects| panic!("{}", defects[0]));
    let others = ["muladd r1, a2, a1, a3", "muladd r1, a1, a3, a2", "mulhi r1, a1, a2", "muladd r2, a1, a2, a3"];
    for body in others {
        let defects = check(&program(body), &image, &trace, &library).expect_err(body);
        assert!(!defects.is_empty(), "{body}");
    }
}

#[test]
fn text_and_binary_form_carry_opcodes() {
    let source =
        "func main(i64, i64) -> i64\n swap r1, a1\n muladd r1, r1, a2, a1\n answer.i64 r2\n add r1, r1, r2\n ret r1\n";
    let expected = 3u64.swap_bytes().wrapping_mul(5).wrapping_add(3 + 42).cast_signed();
    let given = verified(source, snippets()).module().clone();
    let printed = text::print(&given);
    let items =
        "opcode swap.i64(i64) -> i64\nopcode muladd.i64(i64, i64, i64) -> i64\nopcode answer.i64() -> i64\n\nfunc main";
    assert!(printed.starts_with(items), "{printed}");
    // With its items, a program needs no templates to be read.
    let read = text::parse("test.spasm", &printed).unwrap();
    assert_eq!(text::print(&read), printed);
    assert_eq!(
        (&read.functions[0].insts, &read.functions[0].lists),
        (&given.functions[0].insts, &given.functions[0].lists)
    );
    let decoded = binary::decode(&binary::encode(&given)).unwrap();
    assert_eq!((&decoded.customs, &decoded.functions), (&given.customs, &given.functions));
    for module in [given, read, decoded] {
        let verified = verify::verify(module).unwrap();
        for (name, engine) in engines(snippets()) {
            let found = call(&engine, &verified, "main", &[Value::I64(3), Value::I64(5)]).unwrap();
            assert_eq!(found, [Value::I64(expected)], "{name}");
        }
    }
}

#[test]
fn opcodes_without_result_are_executed_and_traps_are_the_programs() {
    let source = "\
func store(i64, i64)
    put.i64 a1, a2
    ret
func share(i64, i64) -> i64
    quot r1, a1, a2
    ret r1
func main(i64, i64) -> i64
    call r1, share, a1, a2
    ret r1
";
    let verified = verified(source, snippets());
    for (name, engine) in engines(snippets()) {
        let place = Box::new(0i64);
        let address = &raw const *place as i64;
        call(&engine, &verified, "store", &[Value::I64(address), Value::I64(7)]).unwrap();
        // What machine code has written, the compiler does not know of.
        assert_eq!(*std::hint::black_box(&place), Box::new(7), "{name}");
        assert_eq!(call(&engine, &verified, "main", &[Value::I64(-7), Value::I64(2)]).unwrap(), [Value::I64(-3)]);
        let traps = [((7, 0), TrapKind::DivideByZero), ((i64::MIN, -1), TrapKind::IntegerOverflow)];
        for ((a, b), kind) in traps {
            match call(&engine, &verified, "main", &[Value::I64(a), Value::I64(b)]) {
                Err(CallError::Run(RunError::Trap(trap))) => {
                    let shown = format!("trap: {kind}\n  at share (test.spasm:5)\n  at main (test.spasm:8)");
                    assert_eq!(trap.to_string(), shown, "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn halves_that_a_type_does_not_cover_are_not_read() {
    // a1 comes with its upper half, which an i32 of a declared opcode does not have.
    let source = "func main(i64, i64) -> i64\n shladd.i32 r1, a1, a2\n ret r1\n";
    let verified = verified(source, snippets());
    for (name, engine) in engines(snippets()) {
        let args = [Value::I64(0x1234_5678_0000_0005), Value::I64(0x7fff_ffff_0000_0001)];
        assert_eq!(call(&engine, &verified, "main", &args).unwrap(), [Value::I64(15)], "{name}");
    }
}

#[test]
fn modules_without_declared_opcodes_are_as_they_were() {
    let source = "func main(i64) -> i64\n    add r1, a1, a1\n    ret r1\n";
    let module = text::parse("test.spasm", source).unwrap();
    assert_eq!(binary::encode(&module)[8], 1, "the version of the format");
    let plain = Engine::default().stitch(&verify::verify(module.clone()).unwrap()).unwrap();
    let config = Config { snippets: Some(snippets()), ..Config::default() };
    let laid = Engine::new(config).stitch(&verify::verify(module).unwrap()).unwrap();
    assert!(plain == laid, "templates of opcodes that are not used change the code");
}
