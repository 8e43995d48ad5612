//! The tests of `native`, with the interpreter in place of machine code: it reaches C, and C reaches it, by its
//! companions.

#![allow(unsafe_code, reason = "reads what C has written, and calls code by its address")]

#[path = "native/c.rs"]
mod c;
#[path = "native/inward.rs"]
mod inward;
#[path = "common/noise.rs"]
mod noise;
#[path = "native/runtime.rs"]
mod runtime;
#[path = "native/signatures.rs"]
mod signatures;

/// What runs the programs.
const TIER: spasm::engine::Tier = spasm::engine::Tier::Interp;
