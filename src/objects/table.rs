//! Tables that grow and are shared.
//!
//! Comes in: a type and sizes. Goes out: [`Table`]. What must hold: an element of a table of functions is 0 or the address of
//! a [`Func`](super::Func) of the store; one of other references is the handle itself. Machine code reads the address of
//! the elements and their number from the first two words.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::isa::op::Type;

use super::OutOfBounds;

/// How many elements a table may have: 80 MB of them.
pub const MAX_ELEMENTS: u32 = 10_000_000;

/// A table, as all who share it see it.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    /// Where the elements stand.
    base: AtomicUsize,
    /// How many there are.
    len: AtomicU64,
    ty: Type,
    max: Option<u32>,
    elements: Mutex<Vec<AtomicU64>>,
}

impl Table {
    /// A table of nulls, or nothing where that is more than a table can have.
    #[must_use]
    pub fn new(ty: Type, min: u32, max: Option<u32>) -> Option<Table> {
        let table =
            Table { base: AtomicUsize::new(0), len: AtomicU64::new(0), ty, max, elements: Mutex::new(Vec::new()) };
        table.grow(0, min)?;
        Some(table)
    }

    /// What stands in it.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// How many elements it may grow to, if that was said.
    #[must_use]
    pub fn max(&self) -> Option<u32> {
        self.max
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed) as u32
    }

    /// True where it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of what machine code reads.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// What machine code reads: where the elements stand, and how many there are.
    #[inline(always)]
    pub(super) fn place(&self) -> (usize, u64) {
        (self.base.load(Ordering::Relaxed), self.len.load(Ordering::Relaxed))
    }

    fn elements(&self) -> MutexGuard<'_, Vec<AtomicU64>> {
        self.elements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The element at `index`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn get(&self, index: u32) -> Result<u64, OutOfBounds> {
        self.elements().get(index as usize).map(|element| element.load(Ordering::Relaxed)).ok_or(OutOfBounds)
    }

    /// Sets the element at `index`. The caller answers for what a table of functions holds.
    ///
    /// # Errors
    /// Where there is none.
    pub fn set(&self, index: u32, element: u64) -> Result<(), OutOfBounds> {
        self.fill(index, element, 1)
    }

    /// Sets `n` elements from `index` on.
    ///
    /// # Errors
    /// Where some of them are not there; then nothing is changed.
    pub fn fill(&self, index: u32, element: u64, n: u32) -> Result<(), OutOfBounds> {
        let elements = self.elements();
        let all = elements.get(index as usize..).and_then(|rest| rest.get(..n as usize)).ok_or(OutOfBounds)?;
        for one in all {
            one.store(element, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes elements from `index` on.
    ///
    /// # Errors
    /// Where some of them have no place; then nothing is changed.
    pub fn write(&self, index: u32, from: &[u64]) -> Result<(), OutOfBounds> {
        let elements = self.elements();
        let all = elements.get(index as usize..).and_then(|rest| rest.get(..from.len())).ok_or(OutOfBounds)?;
        for (one, &element) in all.iter().zip(from) {
            one.store(element, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The `n` elements from `index` on.
    ///
    /// # Errors
    /// Where some of them are not there.
    pub fn read(&self, index: u32, n: u32) -> Result<Vec<u64>, OutOfBounds> {
        let elements = self.elements();
        let all = elements.get(index as usize..).and_then(|rest| rest.get(..n as usize)).ok_or(OutOfBounds)?;
        Ok(all.iter().map(|one| one.load(Ordering::Relaxed)).collect())
    }

    /// Grows by `n` elements and gives the old size; `None`, and nothing changes, where that is too much.
    pub fn grow(&self, element: u64, n: u32) -> Option<u32> {
        let mut elements = self.elements();
        let old = elements.len() as u32;
        let new = old.checked_add(n).filter(|&new| new <= self.max.unwrap_or(MAX_ELEMENTS).min(MAX_ELEMENTS))?;
        elements.try_reserve(n as usize).ok()?;
        elements.resize_with(new as usize, || AtomicU64::new(element));
        self.base.store(elements.as_ptr() as usize, Ordering::Relaxed);
        self.len.store(u64::from(new), Ordering::Relaxed);
        Some(old)
    }
}
