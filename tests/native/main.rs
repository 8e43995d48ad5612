//! Programs and C, against code that a C compiler has made.
//!
//! Comes in: generated and written C, compiled when the test runs. Goes out: failures that name the signature and the
//! value. What must hold: the C compiler decides what is right.

#![allow(unsafe_code, reason = "reads what C has written, and calls code by its address")]

mod c;
mod damage;
mod inward;
#[path = "../common/noise.rs"]
mod noise;
mod runtime;
mod signatures;

/// What runs the programs.
const TIER: spasm::engine::Tier = spasm::engine::Tier::Baseline;
