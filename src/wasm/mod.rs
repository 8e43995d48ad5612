//! WebAssembly: one of the ways to a module.
//!
//! Comes in: the bytes of a WebAssembly 2.0 module without vectors, or its text. Goes out: a [`Module`] that the verifier
//! accepts, or a [`WasmError`]. What must hold: each function body is read once, validated and translated by the way; time and
//! space are linear in the file's size, whatever the bytes are; nothing here decides how a module runs.
//!
//! ```
//! let text = r#"(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;
//! let module = spasm::wasm::translate("add.wat", text.as_bytes())?;
//! assert_eq!(module.exports[0].name, "add");
//! let verified = spasm::verify::verify(module).unwrap();
//! # let _ = verified;
//! # Ok::<(), spasm::wasm::WasmError>(())
//! ```
//!
//! # How functions are translated
//!
//! WebAssembly computes on a stack of which every height and type is known beforehand, so that the stack need not be there at
//! run time. While a body is read, `stack` keeps what *would* stand on it: a local that nobody has changed since, a constant,
//! or a register. An operator pops what it works on, takes a register for its result, and becomes one instruction; reading
//! a local or a constant becomes none.
//!
//! - The locals are registers: parameters `a1`…, the others `r1`…. A local that is still to be read from the stack is copied
//!   when it is written, or when control may come to its reader another way.
//! - Constants stand once each at the head of a function, where the stitcher knows them everywhere. (See `consts`.)
//! - Results within a block take registers that are used again as soon as they are read, so that no such value crosses blocks.
//!   What is still on the stack where a block ends is put into a register of its own, by changing the instruction that made it.
//! - A label with values has a register for each. Code that cannot be reached is validated, and not translated.

mod branches;
mod calls;
mod consts;
mod control;
mod error;
mod function;
mod items;
mod locals;
mod names;
mod numeric;
mod outline;
mod stack;
mod visit;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::module::Module;

pub use error::{Fault, WasmError};
pub use outline::{BodyReader, Outline};

/// True for what begins as a module in WebAssembly's binary form does.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

/// Makes a module of WebAssembly's binary form or of its text: what is not the one is taken for the other.
///
/// `name` is what the file is called in messages.
///
/// # Errors
/// Where it is neither, or breaks WebAssembly's rules, or uses a feature that Spasm does not have.
pub fn translate(name: &str, bytes: &[u8]) -> Result<Module, WasmError> {
    let looks_like_text = || std::str::from_utf8(bytes).is_ok_and(|text| text.trim_start().starts_with(['(', ';']));
    let binary = if is_binary(bytes) || !looks_like_text() {
        Cow::Borrowed(bytes)
    } else {
        wat::parse_bytes(bytes).map_err(|error| WasmError::in_text(name, error))?
    };
    outline::translate(name, &binary)
}

/// Makes a module of WebAssembly text.
///
/// # Errors
/// See [`translate`].
pub fn translate_text(name: &str, text: &str) -> Result<Module, WasmError> {
    let binary = wat::parse_str(text).map_err(|error| WasmError::in_text(name, error))?;
    outline::translate(name, &binary)
}
