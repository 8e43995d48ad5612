//! What modules of one store share: functions, tables, globals and memories, as every tier holds them.
//!
//! Comes in: types and sizes. Goes out: [`Func`], [`Table`], [`Global`], [`LinearMemory`], and [`Links`], all that one instance
//! is linked with. What must hold: the words that stitched code reads stand where [`layout`](crate::isa::layout) says; a
//! table of functions holds null or the address of a [`Func`] that lives as long as the store, whatever programs do; a
//! reference in a register is a *handle*: 0, or a number that the store gave out, so that a forged one reaches no memory.

mod direct;
mod func;
mod global;
mod links;
mod table;

pub use crate::exec::LinearMemory;
pub use direct::View;
pub use func::{Body, Func, Funcs, signature_number};
pub use global::Global;
pub use links::Links;
pub use table::Table;

/// How a change of tables or memory is refused: it reaches outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;
