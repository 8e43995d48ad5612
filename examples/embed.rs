//! Spasm from Rust: a program from text, and one that is built without text, called with Rust's own types.
//!
//! `cargo run --example embed`

use std::error::Error;

use spasm::builder::{FunctionBuilder, ModuleBuilder};
use spasm::engine::{CallError, Engine};
use spasm::isa::op::Type;
use spasm::module::{Module, Reg, Signature};
use spasm::{text, verify};

const SOURCE: &str = "
global calls i64 = 0

func hypotenuse(f64, f64) -> f64
    mul.f64 r1, a1, a1
    mul.f64 r2, a2, a2
    add.f64 r1, r1, r2
    sqrt.f64 r1, r1
    gget r3, calls
    const r4, 1
    add r3, r3, r4
    gset calls, r3
    ret r1

func share(i64, i64) -> (i64, i64)
    div r1, a1, a2
    mod r2, a1, a2
    ret r1, r2
";

fn main() -> Result<(), Box<dyn Error>> {
    // An engine owns the memory that code lives in. One is enough for all modules of a process.
    let engine = Engine::default();

    // Text becomes a module, which is verified once, of which there may be any number of instances.
    let verified = verify::verify(text::parse("embed", SOURCE)?)?;
    let mut instance = engine.instantiate(&verified)?;

    // A typed function is looked up, and its signature compared, once; then it is called at little cost.
    let hypotenuse = instance.typed::<(f64, f64), f64>("hypotenuse")?;
    println!("hypotenuse(3, 4) = {}", hypotenuse.call(&mut instance, (3.0, 4.0))?);
    println!("hypotenuse(5, 12) = {}", hypotenuse.call(&mut instance, (5.0, 12.0))?);
    println!("calls = {:?}", instance.global("calls"));

    // A trap is an error like others; the instance stays usable.
    let share = instance.typed::<(i64, i64), (i64, i64)>("share")?;
    match share.call(&mut instance, (7, 0)) {
        Err(CallError::Run(error)) => println!("share(7, 0): {error}"),
        other => println!("share(7, 0) = {other:?}"),
    }
    println!("share(7, 2) = {:?}", share.call(&mut instance, (7, 2))?);

    // The same without text, as a compiler would do it.
    let mut instance = engine.instantiate(&verify::verify(power()?)?)?;
    let power = instance.typed::<(i64, i64), i64>("power")?;
    println!("power(3, 20) = {}", power.call(&mut instance, (3, 20))?);
    Ok(())
}

/// `power(base, exponent)`, by squaring.
fn power() -> Result<Module, Box<dyn Error>> {
    let mut module = ModuleBuilder::new();
    let power = module.declare("power");
    let mut f = FunctionBuilder::new(Signature::new([Type::I64, Type::I64], [Type::I64]));
    let (base, exponent) = (Reg::arg(1), Reg::arg(2));
    let (one, result, bit) = (f.local(), f.local(), f.local());
    let (next, even, done) = (f.label("next"), f.label("even"), f.label("done"));
    f.const_i64(one, 1);
    f.const_i64(result, 1);
    f.bind(next);
    f.jump_unless(exponent, done);
    f.and(bit, exponent, one);
    f.jump_unless(bit, even);
    f.mul(result, result, base);
    f.bind(even);
    f.mul(base, base, base);
    f.shru(exponent, exponent, one);
    f.jump(next);
    f.bind(done);
    f.ret(&[result]);
    module.define(power, f);
    Ok(module.finish()?)
}
