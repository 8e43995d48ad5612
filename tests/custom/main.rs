//! Opcodes that templates declare: on every tier, in every form of a program, and where something is wrong with them.
//!
//! Comes in: the templates beside this file, and the example. What must hold: an opcode does what its template does,
//! wherever its operands are; what is missing or does not fit is said by name.

#[cfg(feature = "cli")]
mod command;
mod errors;
mod example;
#[path = "../common/noise.rs"]
mod noise;
mod programs;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use spasm::engine::{CallError, Config, Engine, Features, InstanceError, Snippets, Tier};
use spasm::snippets::{Loaded, SnippetErrors, Toolchain};
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn path(of: &str) -> PathBuf {
    Path::new(ROOT).join(of)
}

/// Templates without a cache, so that nothing of an earlier run is taken for this one's.
fn load(paths: &[PathBuf]) -> Result<Loaded, SnippetErrors> {
    Toolchain { cache: None, ..Toolchain::default() }.load(paths)
}

/// The templates beside this file.
fn snippets() -> Snippets {
    static LOADED: OnceLock<Snippets> = OnceLock::new();
    *LOADED.get_or_init(|| load(&[path("tests/custom/opcodes.S")]).unwrap_or_else(|errors| panic!("{errors}")).snippets)
}

fn verified(source: &str, snippets: Snippets) -> Verified {
    let module =
        text::parse_with("test.spasm", source, &snippets.opcodes()).unwrap_or_else(|errors| panic!("{errors}"));
    verify::verify(module).unwrap_or_else(|error| panic!("{error}"))
}

/// The interpreter, this machine, and one without anything that is not plain x86-64.
fn engines(snippets: Snippets) -> [(&'static str, Engine); 3] {
    let engine = |tier, left_out| Engine::new(Config { tier, left_out, snippets: Some(snippets), ..Config::default() });
    [
        ("the interpreter", engine(Tier::Interp, Features(0))),
        ("machine code", engine(Tier::Baseline, Features(0))),
        ("machine code of a plain machine", engine(Tier::Baseline, Features(u16::MAX))),
    ]
}

fn call(engine: &Engine, verified: &Verified, function: &str, args: &[Value]) -> Result<Vec<Value>, CallError> {
    let mut instance = engine.instantiate(verified).unwrap_or_else(|error| panic!("{error}"));
    instance.call(function, args)
}

fn refusal(engine: &Engine, verified: &Verified) -> String {
    let error: InstanceError = engine.instantiate(verified).expect_err("it should be refused");
    error.to_string()
}
