//! wasmtime, with its optimising compiler and with its fast one. It is built without its threads.

use std::any::Any;

use wasmtime::{Config, Engine, Error, Instance, Store};
pub use wasmtime::{Module, Strategy};

use super::{Compile, Problem, Run};

fn engine(strategy: Strategy) -> Result<Engine, Error> {
    let mut config = Config::new();
    config.strategy(strategy).max_wasm_stack(2 << 20);
    Engine::new(&config)
}

/// See [`super::Peer::run`].
pub fn run(strategy: Strategy, wasm: &[u8]) -> Result<Run, Problem> {
    let instance = || {
        let engine = engine(strategy)?;
        let module = Module::from_binary(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<u32, u64>(&mut store, "run")?;
        Ok((store, run))
    };
    let (mut store, run) = instance().map_err(|error: Error| format!("wasmtime, {strategy:?}: {error:?}"))?;
    Ok(Box::new(move |n| run.call(&mut store, n).unwrap_or_else(|error| panic!("wasmtime, {strategy:?}: {error:?}"))))
}

/// See [`super::Peer::compile`].
pub fn compile(strategy: Strategy) -> Result<Compile, Problem> {
    let problem = move |error: Error| format!("wasmtime, {strategy:?}: {error:?}");
    let engine = engine(strategy).map_err(problem)?;
    Ok(Box::new(move |wasm| {
        let module = Module::from_binary(&engine, wasm).map_err(problem)?;
        Ok(Box::new(module) as Box<dyn Any>)
    }))
}

/// See [`super::Peer::instantiate`].
pub fn instantiate(strategy: Strategy) -> Result<Compile, Problem> {
    let problem = move |error: Error| format!("wasmtime, {strategy:?}: {error:?}");
    let engine = engine(strategy).map_err(problem)?;
    Ok(Box::new(move |wasm| {
        let module = Module::from_binary(&engine, wasm).map_err(problem)?;
        let mut store = Store::new(&engine, ());
        Instance::new(&mut store, &module, &[]).map_err(problem)?;
        Ok(Box::new(store) as Box<dyn Any>)
    }))
}
