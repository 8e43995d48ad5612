//! The interpreter: the oracle that machine code is measured by.
//!
//! Comes in: a verified module, its state and arguments. Goes out: results, or why there are none. What must hold: the
//! meaning of every value, load and store instruction is the expression of its row in the opcode table and nothing
//! else; no code is shared with what makes machine code.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the machine works on the low bits of registers, and verified counts fit u32"
)]

mod code;
mod custom;
mod decode;
mod join;
mod linked;
mod machine;
pub mod native;
mod outside;
mod registers;
mod run;
mod store;
#[cfg(test)]
mod tests;

pub use linked::{LinkedInstance, Outside};
pub use store::{Codes, LinearMemory, Store};

use crate::module::MAX_VARIADIC;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};
use crate::verified::Verified;

use machine::Machine;
use native::{Native, World};
use run::Friends;

/// How far a call may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many calls may be nested.
    pub frames: usize,
    /// How many registers the nested calls may have together.
    pub registers: usize,
    /// How many jumps and calls may be executed before the program is interrupted.
    pub jumps: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { frames: 1 << 20, registers: 1 << 23, jumps: u64::MAX }
    }
}

/// Calls function `function` with `args`, raw register bits for each parameter and any variadic arguments.
///
/// What the program prints has been written when this returns.
///
/// # Errors
/// Where the program traps, reads what is no number, cannot write, or where the arguments are not those of the function.
pub fn call(
    verified: &Verified,
    store: &mut Store,
    streams: &mut Streams,
    function: u32,
    args: &[u64],
) -> Result<Outcome, RunError> {
    call_within(&Limits::default(), verified, store, streams, function, args)
}

/// Like [`call`], with limits of the caller's choice.
///
/// # Errors
/// Those of [`call`].
pub fn call_within(
    limits: &Limits,
    verified: &Verified,
    store: &mut Store,
    streams: &mut Streams,
    function: u32,
    args: &[u64],
) -> Result<Outcome, RunError> {
    check_args(verified, function, args)?;
    let Store { memory, globals, codes } = store;
    let codes = codes.of(verified);
    if codes.is_linked() {
        return Err(RunError::NoLinks);
    }
    let machine = Machine::new(limits, verified, codes);
    let world = World { memory: memory.view(), globals, streams: &mut *streams };
    let (len, result) = run::run(machine, function, args, world, Friends::default());
    memory.set_len(len);
    streams.finish(result)
}

/// Like [`call_within`], for programs that call C: `natives` does that for them. The world is what [`Store`] keeps of other
/// programs; the number is how many bytes of linear memory there are in the end. What is printed is not yet written.
///
/// # Errors
/// Those of [`call`].
pub fn call_with_natives<'w>(
    limits: &Limits,
    (verified, codes): (&Verified, &Codes),
    world: World<'w>,
    natives: &'w mut dyn Native<'w>,
    function: u32,
    args: &[u64],
) -> (usize, Result<Outcome, RunError>) {
    codes.check(verified);
    let checked = if codes.is_linked() { Err(RunError::NoLinks) } else { check_args(verified, function, args) };
    if let Err(error) = checked {
        return (world.memory.len(), Err(error));
    }
    let machine = Machine::new(limits, verified, codes);
    run::run(machine, function, args, world, Friends { natives: Some(natives), linked: None })
}

fn check_args(verified: &Verified, function: u32, args: &[u64]) -> Result<(), RunError> {
    let callee = verified.module().functions.get(function as usize).ok_or(RunError::NoFunction(function))?;
    let fixed = callee.signature.params.len();
    let most = if callee.signature.variadic { MAX_VARIADIC as usize } else { fixed };
    if (fixed..=most).contains(&args.len()) {
        return Ok(());
    }
    let (function, signature) = (callee.name.clone(), callee.signature.clone());
    Err(RunError::WrongArguments { function, signature, given: args.len() })
}
