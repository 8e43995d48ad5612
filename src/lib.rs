//! Spasm: a register virtual machine whose JIT builds machine code by copying assembly snippets end to end and
//! patching them.

pub mod isa;
pub mod library;
pub mod module;
pub mod stitch;
pub mod verified;
