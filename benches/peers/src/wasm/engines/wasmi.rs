//! wasmi, an interpreter with a bytecode of its own.

use std::any::Any;

use wasmi::{CompilationMode, Config, Engine, Error, Linker, Module, Store};

use super::{Compile, Problem, Run};

fn engine() -> Engine {
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager).set_max_recursion_depth(1 << 20);
    config.set_max_stack_height(64 << 20);
    Engine::new(&config)
}

/// See [`super::Peer::run`].
pub fn run(wasm: &[u8]) -> Result<Run, Problem> {
    let instance = || {
        let engine = engine();
        let module = Module::new(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
        let run = instance.get_typed_func::<u32, u64>(&store, "run")?;
        Ok((store, run))
    };
    let (mut store, run) = instance().map_err(|error: Error| format!("wasmi: {error}"))?;
    Ok(Box::new(move |n| run.call(&mut store, n).unwrap_or_else(|error| panic!("wasmi: {error}"))))
}

/// See [`super::Peer::compile`].
pub fn compile() -> Compile {
    let engine = engine();
    Box::new(move |wasm| {
        let module = Module::new(&engine, wasm).map_err(|error| format!("wasmi: {error}"))?;
        Ok(Box::new(module) as Box<dyn Any>)
    })
}

/// See [`super::Peer::instantiate`].
pub fn instantiate() -> Compile {
    let engine = engine();
    let problem = |error: Error| format!("wasmi: {error}");
    Box::new(move |wasm| {
        let module = Module::new(&engine, wasm).map_err(problem)?;
        let mut store = Store::new(&engine, ());
        Linker::new(&engine).instantiate_and_start(&mut store, &module).map_err(problem)?;
        Ok(Box::new(store) as Box<dyn Any>)
    })
}
