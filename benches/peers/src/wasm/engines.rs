//! The engines, each asked the same: run this module, make code of that one.
//!
//! Comes in: modules as bytes. Goes out: their `run` function; or what was made of them, to be dropped when no clock runs.
//! What must hold: every engine is as its authors set it, but that all of them work in one thread, that none puts work off
//! until code is run, and that recursion may be as deep as elsewhere.

pub mod spasm;
mod wasmi;
mod wasmtime;

use std::any::Any;

use ::spasm::engine::Tier;

use super::Problem;

/// A module's `run`, in an instance that is kept with it.
pub type Run = Box<dyn FnMut(u32) -> u64>;

/// Makes code of modules; what it gives is all that is kept.
pub type Compile = Box<dyn FnMut(&[u8]) -> Result<Box<dyn Any>, Problem>>;

/// Who runs WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Spasm,
    /// Its interpreter, which there is to be compared with, and which makes no code.
    Interpreter,
    Cranelift,
    Winch,
    Wasmi,
}

impl Peer {
    /// All, in the order of tables.
    pub const RUNNERS: [Peer; 5] = [Peer::Spasm, Peer::Interpreter, Peer::Cranelift, Peer::Winch, Peer::Wasmi];
    /// Those that make code of modules, or something like code.
    pub const COMPILERS: [Peer; 4] = [Peer::Spasm, Peer::Wasmi, Peer::Winch, Peer::Cranelift];

    /// As it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Spasm => "Spasm",
            Peer::Interpreter => "its interpreter",
            Peer::Cranelift => "Cranelift",
            Peer::Winch => "Winch",
            Peer::Wasmi => "wasmi",
        }
    }

    /// The `run` of a module that imports nothing.
    pub fn run(self, wasm: &[u8]) -> Result<Run, Problem> {
        match self {
            Peer::Spasm => spasm::run(Tier::Baseline, wasm),
            Peer::Interpreter => spasm::run(Tier::Interp, wasm),
            Peer::Cranelift => wasmtime::run(wasmtime::Strategy::Cranelift, wasm),
            Peer::Winch => wasmtime::run(wasmtime::Strategy::Winch, wasm),
            Peer::Wasmi => wasmi::run(wasm),
        }
    }

    /// What makes all code of a module, validation included.
    pub fn compile(self) -> Result<Compile, Problem> {
        match self {
            Peer::Spasm => Ok(spasm::compile(1)),
            Peer::Interpreter => Err("the interpreter runs what is verified, and makes nothing of it".to_owned()),
            Peer::Cranelift => wasmtime::compile(wasmtime::Strategy::Cranelift),
            Peer::Winch => wasmtime::compile(wasmtime::Strategy::Winch),
            Peer::Wasmi => Ok(wasmi::compile()),
        }
    }

    /// The same, and an instance of it, for modules that import nothing.
    pub fn instantiate(self) -> Result<Compile, Problem> {
        match self {
            Peer::Spasm => Ok(spasm::instantiate()),
            Peer::Interpreter => Err("the interpreter is not compared in this".to_owned()),
            Peer::Cranelift => wasmtime::instantiate(wasmtime::Strategy::Cranelift),
            Peer::Winch => wasmtime::instantiate(wasmtime::Strategy::Winch),
            Peer::Wasmi => Ok(wasmi::instantiate()),
        }
    }

    /// The bytes of code in what `compile` gave, where that can be told.
    pub fn code_bytes(self, made: &dyn Any) -> Option<usize> {
        match self {
            Peer::Spasm => spasm::code_bytes(made),
            Peer::Cranelift | Peer::Winch => made.downcast_ref::<wasmtime::Module>().map(|module| module.text().len()),
            Peer::Interpreter | Peer::Wasmi => None,
        }
    }
}
