//! What the interpreter reads and writes of shared objects directly, as machine code does: linear memory, and the functions
//! in tables.
//!
//! Comes in: bytes that somebody lends, or a [`LinearMemory`] that others may hold too. Goes out: a [`View`], whose every
//! access is checked, and functions by the index of a table. What must hold: the first [`View::len`] bytes from the base
//! are there for as long as the view is; those of a shared memory are reached only here and by machine code, and no slice
//! of them is kept while programs run; a store's programs run on one thread at a time.

#![allow(unsafe_code, reason = "memory and tables that several instances share have no owner that could lend a slice")]

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::isa::trap::TrapKind;
use crate::module::{MAX_PAGES, PAGE};

use super::{Func, LinearMemory, Links};

/// A linear memory as a running program sees it.
#[derive(Debug)]
pub struct View<'m> {
    base: *mut u8,
    len: usize,
    /// How many pages there may be.
    max: u32,
    /// The memory, where others may hold it too and make it grow.
    shared: Option<&'m LinearMemory>,
    lent: PhantomData<&'m mut [u8]>,
}

impl<'m> View<'m> {
    /// A view of the first `len` of these bytes, of which there may become `max` pages.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub fn new(reserved: &'m mut [u8], len: usize, max: u32) -> View<'m> {
        assert!(len <= reserved.len(), "a memory has no more bytes than are reserved for it");
        let pages = u32::try_from(reserved.len() as u64 / PAGE).unwrap_or(MAX_PAGES);
        View { base: reserved.as_mut_ptr(), len, max: max.min(pages), shared: None, lent: PhantomData }
    }

    /// A view of a memory that others may hold too. Where they may have made it grow, [`refresh`](Self::refresh) it.
    ///
    /// Only for those who run programs: while one runs, nobody may keep a slice of the memory.
    pub(crate) fn of(memory: &'m LinearMemory) -> View<'m> {
        let base = memory.range(0, 0).unwrap_or(ptr::null_mut());
        let mut view = View { base, len: 0, max: 0, shared: Some(memory), lent: PhantomData };
        view.refresh();
        view
    }

    /// Sees how large the memory is now.
    #[inline]
    pub fn refresh(&mut self) {
        if let Some(memory) = self.shared {
            // A memory grows in place, and never shrinks.
            self.len = bytes(memory.pages());
        }
    }

    /// How many bytes there are.
    #[inline(always)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Grows by `pages` and gives the old size; `None`, and nothing changes, where that is too much.
    pub fn grow(&mut self, pages: u32) -> Option<u32> {
        if let Some(memory) = self.shared {
            let old = memory.grow(pages);
            self.refresh();
            return old;
        }
        let old = (self.len as u64 / PAGE) as u32;
        let new = old.checked_add(pages).filter(|&new| new <= self.max)?;
        self.len = bytes(new);
        Some(old)
    }

    /// The `SIZE` bytes at `u32(i) + offset` as a little-endian number, if they all lie inside.
    #[inline(always)]
    #[must_use]
    pub fn load<const SIZE: usize>(&self, i: u64, offset: u32) -> Option<u64> {
        let start = start(i, offset);
        if !self.has(start, SIZE) {
            return None;
        }
        let mut bytes = [0; 8];
        // SAFETY: the bytes lie inside; `SIZE` is at most 8, or else the slice fails.
        unsafe { ptr::copy_nonoverlapping(self.base.add(start), bytes[..SIZE].as_mut_ptr(), SIZE) };
        Some(u64::from_le_bytes(bytes))
    }

    /// Writes the low `SIZE` bytes of a number at `u32(i) + offset`, if they all lie inside.
    #[inline(always)]
    #[must_use]
    pub fn store<const SIZE: usize>(&mut self, i: u64, offset: u32, bits: u64) -> Option<()> {
        let start = start(i, offset);
        if !self.has(start, SIZE) {
            return None;
        }
        // SAFETY: as in `load`.
        unsafe { ptr::copy_nonoverlapping(bits.to_le_bytes()[..SIZE].as_ptr(), self.base.add(start), SIZE) };
        Some(())
    }

    /// Copies `n` bytes, if they all lie inside; the ranges may overlap.
    #[must_use]
    pub fn copy(&mut self, destination: u32, source: u32, n: u32) -> Option<()> {
        if !self.has(destination as usize, n as usize) || !self.has(source as usize, n as usize) {
            return None;
        }
        // SAFETY: both ranges lie inside.
        unsafe { ptr::copy(self.base.add(source as usize), self.base.add(destination as usize), n as usize) };
        Some(())
    }

    /// Sets `n` bytes, if they all lie inside.
    #[must_use]
    pub fn fill(&mut self, destination: u32, byte: u8, n: u32) -> Option<()> {
        if !self.has(destination as usize, n as usize) {
            return None;
        }
        // SAFETY: the range lies inside.
        unsafe { ptr::write_bytes(self.base.add(destination as usize), byte, n as usize) };
        Some(())
    }

    /// Whether `n` bytes from `start` on lie inside. Neither number has more than 33 bits.
    #[inline(always)]
    fn has(&self, start: usize, n: usize) -> bool {
        start + n <= self.len
    }
}

/// The sum has 33 bits and so cannot wrap.
#[inline(always)]
fn start(i: u64, offset: u32) -> usize {
    (u64::from(i as u32) + u64::from(offset)) as usize
}

impl Links {
    /// The function that a growing table holds at `index`.
    ///
    /// # Errors
    /// Where there is no such element, or it is null.
    #[inline]
    pub(crate) fn callee(&self, table: u32, index: u64) -> Result<&Func, TrapKind> {
        let table = self.tables[table as usize].as_ref().ok_or(TrapKind::UndefinedElement)?;
        let (base, len) = table.place();
        if index >= len {
            return Err(TrapKind::UndefinedElement);
        }
        // SAFETY: the elements stay where they are until the table grows, which programs of the store do, of which no
        // other runs now.
        let element = unsafe { &*ptr::with_exposed_provenance::<AtomicU64>(base).add(index as usize) };
        let address = element.load(Ordering::Relaxed) as usize;
        // SAFETY: what is not null is the address of a function of the store, whose functions these links keep.
        unsafe { ptr::with_exposed_provenance::<Func>(address).as_ref() }.ok_or(TrapKind::UninitializedElement)
    }
}

fn bytes(pages: u32) -> usize {
    (u64::from(pages) * PAGE) as usize
}
