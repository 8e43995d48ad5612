//! The C functions that an instance calls.
//!
//! Comes in: addresses, from whoever found them. Goes out: the same, with what keeps them in place. What must hold: an
//! address is valid for as long as its owner lives.

use std::any::Any;
use std::sync::Arc;

/// What the externs of a module are.
#[derive(Clone, Debug, Default)]
pub struct Natives {
    /// The address of each.
    pub addresses: Vec<usize>,
    /// What must live for as long as they may be called: libraries, and closures of the host.
    pub owners: Vec<Arc<dyn Keep>>,
}

/// Something that is kept alive.
pub trait Keep: Any + Send + Sync + std::fmt::Debug {}

impl<T: Any + Send + Sync + std::fmt::Debug> Keep for T {}
