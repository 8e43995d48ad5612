//! The linear memory of an instance.
//!
//! Comes in: how many pages it has and may have. Goes out: its address, for code, and its bytes, for everyone else.
//! What must hold: the address never changes; whatever a program can address, `u32(i) + OFF + 8` bytes, lies in
//! the reservation, so that what is not committed faults and nothing else is ever reached; new pages are zero.

#![allow(unsafe_code, reason = "views of mapped memory")]

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::module::{MAX_PAGES, Memory, PAGE};

use crate::objects::OutOfBounds;

use super::error::ExecError;
use super::sys::{Access, Region};

/// The largest index and the largest offset together, and the access itself.
const RESERVED: usize = (2 << 32) + (PAGE as usize);

/// A linear memory.
#[derive(Debug)]
pub struct LinearMemory {
    region: Region,
    pages: AtomicU32,
    max: Option<u32>,
    /// One thread grows it at a time.
    growing: Mutex<()>,
}

impl LinearMemory {
    /// A memory of zeros.
    ///
    /// # Errors
    /// Where the system has no address space or no memory for it.
    pub fn new(memory: &Memory) -> Result<LinearMemory, ExecError> {
        let region = Region::reserve(RESERVED, "reserve address space for a linear memory")?;
        let max = memory.max;
        let made = LinearMemory { region, pages: AtomicU32::new(0), max, growing: Mutex::new(()) };
        made.commit(memory.min)?;
        Ok(made)
    }

    /// Its size in pages.
    #[inline]
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Grows by `pages` and gives the old size; `None`, and nothing changes, where that is more than it may have or the
    /// system can give.
    pub fn grow(&self, pages: u32) -> Option<u32> {
        let _one_at_a_time = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.pages();
        let new = old.checked_add(pages).filter(|&new| new <= self.max.unwrap_or(MAX_PAGES).min(MAX_PAGES))?;
        self.commit(new).ok()?;
        Some(old)
    }

    fn commit(&self, pages: u32) -> Result<(), ExecError> {
        let (old, new) = (bytes(self.pages()), bytes(pages));
        if new > old {
            self.region.protect(old, new - old, Access::Write, "grow a linear memory")?;
        }
        self.pages.store(pages, Ordering::Relaxed);
        Ok(())
    }

    /// The address of `len` bytes at `offset`, if they lie inside.
    pub fn range(&self, offset: u32, len: u32) -> Option<*mut u8> {
        let end = u64::from(offset) + u64::from(len);
        (end <= bytes(self.pages()) as u64).then(|| self.region.at(offset as usize))
    }

    /// Writes bytes at `offset`.
    ///
    /// # Errors
    /// Where some of them have no place; then nothing is changed.
    pub fn write(&self, offset: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let len = u32::try_from(bytes.len()).map_err(|_| OutOfBounds)?;
        let to = self.range(offset, len).ok_or(OutOfBounds)?;
        // SAFETY: the range lies in the memory. Programs see to it that threads do not meet there.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    /// How many pages it may grow to.
    #[must_use]
    pub fn max(&self) -> Option<u32> {
        self.max
    }

    /// Where it starts.
    #[must_use]
    pub fn base(&self) -> usize {
        self.region.base() as usize
    }

    /// Every address that a program can form.
    #[must_use]
    pub fn reach(&self) -> Range<usize> {
        self.base()..self.base() + self.region.len()
    }

    /// Its bytes.
    ///
    /// # Safety
    /// Nobody may write it while they are borrowed: no code that has it may run.
    #[must_use]
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: that much is committed, and as the caller promises.
        unsafe { std::slice::from_raw_parts(self.region.base(), bytes(self.pages())) }
    }

    /// Its bytes.
    ///
    /// # Safety
    /// Nobody else may read or write it while they are borrowed.
    #[must_use]
    #[allow(clippy::mut_from_ref, reason = "those who share it hold it by shared references")]
    pub unsafe fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.region.base(), bytes(self.pages())) }
    }

    /// Reads bytes from `offset` on.
    ///
    /// # Errors
    /// Where some of them are not there; then nothing is read.
    pub fn read(&self, offset: u32, bytes: &mut [u8]) -> Result<(), OutOfBounds> {
        let len = u32::try_from(bytes.len()).map_err(|_| OutOfBounds)?;
        let from = self.range(offset, len).ok_or(OutOfBounds)?;
        // SAFETY: the range lies in the memory. Programs see to it that threads do not meet there.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// The address of the 4 bytes that hold its size in pages.
    #[must_use]
    pub fn pages_address(&self) -> usize {
        self.pages.as_ptr() as usize
    }
}

fn bytes(pages: u32) -> usize {
    (u64::from(pages) * PAGE) as usize
}
