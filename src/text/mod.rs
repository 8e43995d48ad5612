//! The text form of a module: parser and printer.
//!
//! Comes in: a program as a person writes it, or a [`Module`](crate::module::Module). Goes out: the other. What must
//! hold: what [`print`](fn@print) writes, [`parse`] reads as the same module; which words and operands an instruction has comes
//! from the opcode table; an error names line and column and says what to do.

mod body;
mod cursor;
mod custom;
mod fault;
mod items;
mod lex;
mod link;
pub(crate) mod literal;
mod locate;
mod mnemonic;
mod names;
mod native;
mod parse;
mod parts;
mod print;
mod print_link;
mod print_native;
mod suggest;

pub use locate::{locate, place};
pub use parse::{parse, parse_bytes, parse_bytes_with, parse_with};
pub(crate) use parts::usage;
pub use print::print;
#[doc(hidden)]
pub use suggest::nearest;

/// How many errors of one program are shown.
const LIMIT: usize = 20;
/// How many bytes `zero` may make in one module: a short text must not need a large memory.
const ZEROS: u64 = 64 << 20;
