//! Spasm: a register virtual machine whose JIT builds machine code by copying assembly snippets end to end and
//! patching them.

pub mod binary;
pub mod builder;
pub mod diagnostic;
pub mod isa;
pub mod module;
pub mod text;
pub mod verified;
