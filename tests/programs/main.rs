//! Programs that nobody wrote for Spasm: they are started and used, on machine code and, where that is quick enough, on the
//! interpreter.
//!
//! Comes in: packages of npm. Goes out: what the programs answer, held against what it must be. What must hold: `cargo test`
//! needs no network, so all of these are ignored there; `.ci/run` runs them with
//! `cargo test --test programs -- --ignored`.

mod commands;
mod esbuild;
mod gojs;
mod guest;
mod packages;
mod quickjs;
mod ruby;
mod sqlite;

use std::time::Instant;

use spasm::engine::{Config, Engine, Tier};
use spasm::verified::Verified;

/// An engine for a tier.
fn engine(tier: Tier) -> Engine {
    Engine::new(Config { tier, ..Config::default() })
}

/// A module, verified.
fn module(name: &str, bytes: &[u8]) -> Verified {
    let start = Instant::now();
    let module = spasm::wasm::translate(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let translated = start.elapsed();
    let start = Instant::now();
    let verified = spasm::verify::verify(module).unwrap_or_else(|error| panic!("{name}: {error}"));
    let insts: usize = verified.module().functions.iter().map(|function| function.insts.len()).sum();
    println!("{name}: {insts} instructions, translated in {translated:?}, verified in {:?}", start.elapsed());
    verified
}
