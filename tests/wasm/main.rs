//! WebAssembly, on every tier: the official test suite, what has gone wrong in other implementations, and the store that
//! instances live in.

mod compile;
mod forms;
mod pitfalls;
mod script;
mod smith;
mod spectest;
mod store;
mod suite;
mod values;

use spasm::engine::{Config, Engine, Tier};
use spasm::verified::Verified;
use spasm::{verify, wasm};

/// Every way to run a program.
const TIERS: [Tier; 2] = [Tier::Interp, Tier::Baseline];

/// An engine of this tier.
fn engine(tier: Tier) -> Engine {
    Engine::new(Config { tier, ..Config::default() })
}

/// A verified module of WebAssembly, in either form.
fn module(bytes: impl AsRef<[u8]>) -> Result<Verified, String> {
    let module = wasm::translate("test.wat", bytes.as_ref()).map_err(|error| error.to_string())?;
    verify::verify(module).map_err(|error| error.to_string())
}
