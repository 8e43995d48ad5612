//! Globals that modules share.
//!
//! Comes in: a type and raw bits. Goes out: [`Global`]. What must hold: machine code reads and writes the cell by its
//! address, which does not change.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::isa::op::Type;

/// A global, as all who share it see it.
#[derive(Debug)]
pub struct Global {
    bits: AtomicU64,
    ty: Type,
    mutable: bool,
}

impl Global {
    /// A global of this type.
    #[must_use]
    pub fn new(ty: Type, mutable: bool, bits: u64) -> Global {
        Global { bits: AtomicU64::new(ty.normalise(bits)), ty, mutable }
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Whether anything may write it.
    #[must_use]
    pub fn is_mutable(&self) -> bool {
        self.mutable
    }

    /// Its raw bits.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.bits.load(Ordering::Relaxed)
    }

    /// Sets its raw bits.
    pub fn set(&self, bits: u64) {
        self.bits.store(self.ty.normalise(bits), Ordering::Relaxed);
    }

    /// The address of its 8-byte cell.
    #[must_use]
    pub fn address(&self) -> usize {
        self.bits.as_ptr() as usize
    }
}
