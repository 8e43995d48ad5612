//! Objects that `spasm build` writes: linked with C in every way there is, read by other tools, looked at by debuggers and
//! unwinders, and run as a cache.
//!
//! Needs a C compiler; tools beyond that are used where they are there, and said to be missing where not.

#[path = "../common/calls.rs"]
mod calls;
mod cases;
mod damage;
mod debuggers;
#[cfg(feature = "wasm")]
mod linked;
mod links;
#[path = "../common/noise.rs"]
mod noise;
mod numbers;
mod signatures;
#[cfg(feature = "wasm")]
mod suite;
mod tools;
mod unwinding;
