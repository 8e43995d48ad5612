//! The engines, each asked the same: run this module, make code of that one.
//!
//! Comes in: modules as bytes. Goes out: their `run` function; or what was made of them, to be dropped when no clock runs.
//! What must hold: every engine is as its authors set it, but that all of them work in one thread, that none puts work off
//! until code is run, and that recursion may be as deep as elsewhere.

mod wasmi;
mod wasmtime;

use std::any::Any;

use super::Problem;

/// A module's `run`, in an instance that is kept with it.
pub type Run = Box<dyn FnMut(u32) -> u64>;

/// Makes code of modules; what it gives is all that is kept.
pub type Compile = Box<dyn FnMut(&[u8]) -> Result<Box<dyn Any>, Problem>>;

/// Who runs WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Cranelift,
    Winch,
    Wasmi,
}

impl Peer {
    pub const ALL: [Peer; 3] = [Peer::Cranelift, Peer::Winch, Peer::Wasmi];

    /// As it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Cranelift => "Cranelift",
            Peer::Winch => "Winch",
            Peer::Wasmi => "wasmi",
        }
    }

    /// The `run` of a module that imports nothing.
    pub fn run(self, wasm: &[u8]) -> Result<Run, Problem> {
        match self {
            Peer::Cranelift => wasmtime::run(wasmtime::Strategy::Cranelift, wasm),
            Peer::Winch => wasmtime::run(wasmtime::Strategy::Winch, wasm),
            Peer::Wasmi => wasmi::run(wasm),
        }
    }

    /// What makes all code of a module, validation included.
    pub fn compile(self) -> Result<Compile, Problem> {
        match self {
            Peer::Cranelift => wasmtime::compile(wasmtime::Strategy::Cranelift),
            Peer::Winch => wasmtime::compile(wasmtime::Strategy::Winch),
            Peer::Wasmi => Ok(wasmi::compile()),
        }
    }

    /// The bytes of code in what `compile` gave, where that can be told.
    pub fn code_bytes(self, made: &dyn Any) -> Option<usize> {
        match self {
            Peer::Cranelift | Peer::Winch => made.downcast_ref::<wasmtime::Module>().map(|module| module.text().len()),
            Peer::Wasmi => None,
        }
    }
}
