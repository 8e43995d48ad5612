//! The companions of an interpreted module: modules of stitched code that stand between the interpreter and C.
//!
//! Comes in: a verified module that calls C or is called by it. Goes out: two modules to be stitched. [`thunks`] has for
//! each way in which the program calls C a function that takes arguments from a buffer, makes the call and puts the
//! results there. [`bridges`] has the program's externs and data, and in place of each function that C may call one of
//! the same signature that puts its arguments into a buffer and has the host run the function. What must hold: a program
//! cannot tell them from its own code: its data holds the addresses of bridges where it holds those of functions.

mod bridges;
mod opcodes;
mod thunks;

pub use bridges::{Host, bridges};
pub use opcodes::opcodes;
pub use thunks::thunks;

use crate::isa::op::{Class, Op};

/// Bytes of a word of a buffer: each value has one.
const WORD: i32 = 8;

/// The opcodes that read and write a value of a class in a buffer.
const fn access(class: Class) -> (Op, Op) {
    match class {
        Class::Int => (Op::LoadI64, Op::StoreI64),
        Class::F32 => (Op::LoadF32, Op::StoreF32),
        Class::F64 => (Op::LoadF64, Op::StoreF64),
    }
}

/// Where word `nth` of a buffer stands.
fn at(nth: usize) -> i32 {
    // No signature has more than 255 values.
    i32::try_from(nth).unwrap_or(i32::MAX / WORD) * WORD
}

#[cfg(test)]
mod tests;
