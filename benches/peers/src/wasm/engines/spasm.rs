//! Spasm, stitched and interpreted.

use std::any::Any;

use spasm::engine::{Compiled, Config, Engine, Tier};
use spasm::store::{Linker, Store};
use spasm::verify::single::{self, Bodies};
use spasm::wasm::Outline;

use super::{Compile, Problem, Run};

const NAME: &str = "module.wasm";

fn engine(tier: Tier, threads: usize) -> Engine {
    Engine::new(Config { tier, threads, ..Config::default() })
}

fn compiled(engine: &Engine, wasm: &[u8]) -> Result<Compiled, Problem> {
    engine.compile_wasm(NAME, wasm).map_err(|error| error.to_string())
}

/// See [`super::Peer::run`].
pub fn run(tier: Tier, wasm: &[u8]) -> Result<Run, Problem> {
    let engine = engine(tier, 1);
    let module = compiled(&engine, wasm)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new().instantiate_compiled(&mut store, &module).map_err(|error| error.to_string())?;
    let run = instance.get_typed_func::<u32, u64>(&store, "run").map_err(|error| error.to_string())?;
    Ok(Box::new(move |n| run.call(&mut store, n).unwrap_or_else(|error| panic!("Spasm, {tier:?}: {error}"))))
}

/// See [`super::Peer::compile`]. With 0 threads as many are used as the machine has.
pub fn compile(threads: usize) -> Compile {
    let engine = engine(Tier::Baseline, threads);
    Box::new(move |wasm| Ok(Box::new(compiled(&engine, wasm)?) as Box<dyn Any>))
}

/// See [`super::Peer::instantiate`].
pub fn instantiate() -> Compile {
    let engine = engine(Tier::Baseline, 1);
    Box::new(move |wasm| {
        let module = compiled(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        Linker::new().instantiate_compiled(&mut store, &module).map_err(|error| error.to_string())?;
        Ok(Box::new(store) as Box<dyn Any>)
    })
}

/// See [`super::Peer::code_bytes`].
pub fn code_bytes(made: &dyn Any) -> Option<usize> {
    Some(made.downcast_ref::<Compiled>()?.image()?.code.len())
}

/// The first part of what [`compile`] does, a body after the other: validation and translation; `verified`, and with
/// these the verifier of Spasm's own instructions.
pub fn partly(verified: bool) -> Compile {
    Box::new(move |wasm| {
        let mut outline = Outline::read(NAME, wasm).map_err(|error| error.to_string())?;
        let head = single::head(outline.take_module()).map_err(|error| error.to_string())?;
        let (mut reader, mut bodies) = (outline.reader(), Bodies::new(head.module()));
        for number in 0..outline.lengths().len() {
            let number = u32::try_from(number).map_err(|error| error.to_string())?;
            let function = reader.read(number).map_err(|error| error.to_string())?;
            if verified {
                std::hint::black_box(bodies.verify(&function).map_err(|error| error.to_string())?);
            }
        }
        drop(reader);
        Ok(Box::new(()) as Box<dyn Any>)
    })
}
