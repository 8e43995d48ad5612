//! What is known when Spasm itself is built: the opcode table, the data model of the snippet library, and the
//! code that turns templates into snippets.
//!
//! Comes in: templates as text. Goes out: snippets, sorted by opcode and form. What must hold: this folder is compiled
//! twice, into the crate and (by path) into `build.rs`, so that the build and the running program cannot disagree about
//! an opcode, a hole or a layout; it therefore imports nothing of the crate.
//!
//! ```text
//!  abi.inc, *.S ─▶ template ─▶ samples ─▶ extract: assemble, solve, holes ─▶ table ─▶ library
//! ```

pub mod custom;
pub mod extract;
pub mod fusion;
pub mod layout;
pub mod numeric;
pub mod object;
pub mod op;
pub mod part;
pub mod patch;
pub mod samples;
pub mod shape;
pub mod snippet;
pub mod stored;
pub mod table;
pub mod template;
pub mod trap;
pub mod types;
