//! Spasm: a register virtual machine whose JIT builds machine code by copying assembly snippets end to end and
//! patching them.

pub mod binary;
pub mod builder;
pub mod check;
#[cfg(feature = "cli")]
pub mod contract;
pub mod diagnostic;
pub mod engine;
pub(crate) mod exec;
#[cfg(feature = "cli")]
pub mod explain;
#[doc(hidden)]
pub mod generate;
pub mod interp;
pub mod isa;
pub mod library;
mod machine;
pub mod module;
pub mod number;
pub mod stitch;
pub mod streams;
pub mod text;
pub mod trap;
pub mod value;
pub mod verified;
pub mod verify;
