//! Memory that code runs in, and the data that it refers to.
//!
//! Comes in: finished bytes. Goes out: [`WritableCode`], which becomes [`ExecutableCode`], and [`DataBlock`]s. What must
//! hold: no address is ever writable and executable; all code and data of an arena lie within 2 GiB, so that
//! any of it reaches any other with 32 bits; code that is dropped is overwritten with what faults.
//!
//! ```text
//!  one region     │ data: readable, writable │ code: readable, executable │
//!                                             ▲ the same file
//!  the view                                   │ code: readable, writable   │   somewhere else
//! ```
//!
//! Code lives in a file without a name that is mapped twice. Publishing an image is then a copy, without a system call,
//! and images of any size share pages. Where the system gives no such file, each image gets pages of its own, which are
//! sealed: made executable when they are no longer writable. That costs two system calls and a page fault an image.
//!
//! On x86-64 instruction fetch is coherent with stores by physical address, so code needs no flush. What a core could
//! have fetched before a store is of no concern: nothing runs in a range that is not handed out.

#![allow(unsafe_code, reason = "raw access to mapped memory")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use memmap2::MmapRaw;

use super::error::ExecError;
use super::ranges::Ranges;
use super::sys::{self, Access, PAGE, Region};

/// Bytes that code and data are handed out in: a cache line.
const LINE: usize = 64;

/// How large an arena is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaSize {
    /// Bytes for code.
    pub code: usize,
    /// Bytes for globals, tables and what else code refers to.
    pub data: usize,
}

impl ArenaSize {
    const LARGEST: usize = 1 << 30;
    const SMALLEST: usize = 1 << 16;

    fn clamp(self) -> ArenaSize {
        let clamp = |len: usize| len.clamp(Self::SMALLEST, Self::LARGEST - PAGE).next_multiple_of(PAGE);
        ArenaSize { code: clamp(self.code), data: clamp(self.data) }
    }
}

/// 256 MiB of code and 64 MiB of data. This is address space; memory is used as code comes.
impl Default for ArenaSize {
    fn default() -> ArenaSize {
        ArenaSize { code: 256 << 20, data: 64 << 20 }
    }
}

/// How code gets from writable to executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// Written through one view, executed through another.
    Dual,
    /// Written, then sealed.
    Sealed,
}

/// Memory for code and its data. Shared by threads.
#[derive(Debug)]
pub struct Arena {
    region: Region,
    size: ArenaSize,
    /// The view that code is written through; none where code is sealed.
    view: Option<MmapRaw>,
    code: Mutex<Ranges>,
    data: Mutex<Ranges>,
    filler: Vec<u8>,
    /// How often the process had been forked when this was made.
    forks: u32,
}

impl Arena {
    /// An arena. `filler` is machine code that faults, repeated over what is dropped.
    ///
    /// Where address space is short, the arena is smaller than asked for.
    ///
    /// # Errors
    /// Where the system gives no address space at all.
    pub fn new(size: ArenaSize, filler: &[u8]) -> Result<Arc<Arena>, ExecError> {
        let mut size = size.clamp();
        loop {
            match Arena::with(size, filler, Publishing::Dual).or_else(|_| Arena::with(size, filler, Publishing::Sealed))
            {
                Err(_) if size.code > ArenaSize::SMALLEST * 8 && size.data > ArenaSize::SMALLEST => {
                    size = ArenaSize { code: size.code / 4, data: size.data / 4 }.clamp();
                }
                result => return result,
            }
        }
    }

    /// An arena of this size, or an error.
    ///
    /// # Errors
    /// Where the system refuses anything.
    pub fn with(size: ArenaSize, filler: &[u8], publishing: Publishing) -> Result<Arc<Arena>, ExecError> {
        let size = size.clamp();
        let forks = forks();
        let region = Region::reserve(size.data + size.code, "reserve address space for code")?;
        region.protect(0, size.data, Access::Write, "make the data of instances writable")?;
        let view = match publishing {
            Publishing::Sealed => None,
            Publishing::Dual => Some(map_twice(&region, size)?),
        };
        let unit = if view.is_some() { LINE } else { PAGE };
        Ok(Arc::new(Arena {
            region,
            size,
            view,
            code: Mutex::new(Ranges::new((size.code / unit) as u32)),
            data: Mutex::new(Ranges::new((size.data / LINE) as u32)),
            filler: filler.to_owned(),
            forks,
        }))
    }

    /// How code is published here.
    #[cfg(test)]
    #[must_use]
    pub fn publishing(&self) -> Publishing {
        if self.view.is_some() { Publishing::Dual } else { Publishing::Sealed }
    }

    /// How large it came out.
    #[cfg(test)]
    #[must_use]
    pub fn size(&self) -> ArenaSize {
        self.size
    }

    /// Bytes of code that are free, perhaps not in one piece.
    #[cfg(test)]
    #[must_use]
    pub fn free_code(&self) -> usize {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).free() as usize * self.unit()
    }

    /// Bytes of data that are free, perhaps not in one piece.
    #[cfg(test)]
    #[must_use]
    pub fn free_data(&self) -> usize {
        self.data.lock().unwrap_or_else(PoisonError::into_inner).free() as usize * LINE
    }

    fn unit(&self) -> usize {
        if self.view.is_some() { LINE } else { PAGE }
    }

    /// Room for `len` bytes of code.
    ///
    /// # Errors
    /// Where there is no room, or the system does not let it be written.
    pub fn code(self: &Arc<Arena>, len: usize) -> Result<WritableCode, ExecError> {
        self.same_process()?;
        let units = units(len, self.unit());
        let start = units.and_then(|units| self.code.lock().unwrap_or_else(PoisonError::into_inner).take(units));
        let (Some(start), Some(units)) = (start, units) else {
            return Err(ExecError::Full { what: "code", wanted: len, capacity: self.size.code });
        };
        let piece = Piece { arena: Arc::clone(self), start, units, len };
        if self.view.is_none() {
            let (offset, bytes) = piece.pages();
            self.region.protect(offset, bytes, Access::Write, "make memory for code writable")?;
        }
        Ok(WritableCode(piece))
    }

    /// `len` bytes of data, zeroed, 64-byte aligned.
    ///
    /// # Errors
    /// Where there is no room.
    pub fn data(self: &Arc<Arena>, len: usize) -> Result<DataBlock, ExecError> {
        let units = units(len, LINE);
        let start = units.and_then(|units| self.data.lock().unwrap_or_else(PoisonError::into_inner).take(units));
        let (Some(start), Some(units)) = (start, units) else {
            return Err(ExecError::Full { what: "data", wanted: len, capacity: self.size.data });
        };
        let block = DataBlock { arena: Arc::clone(self), start, units };
        // SAFETY: the range was just taken, so it is this block's alone; the data part is readable and writable.
        unsafe { block.base().write_bytes(0, units as usize * LINE) };
        Ok(block)
    }

    /// The file of code is shared with the process that this one was forked from.
    fn same_process(&self) -> Result<(), ExecError> {
        if self.view.is_none() || self.forks == forks() {
            return Ok(());
        }
        Err(ExecError::System {
            attempt: "add code",
            error: std::io::ErrorKind::Unsupported.into(),
            advice: "the process was forked after this engine was made: make another engine in the child",
        })
    }
}

fn units(len: usize, unit: usize) -> Option<u32> {
    u32::try_from(len.max(1).div_ceil(unit)).ok()
}

fn map_twice(region: &Region, size: ArenaSize) -> Result<MmapRaw, ExecError> {
    let refused = |error| ExecError::System {
        attempt: "map memory for code twice",
        error,
        advice: "the system may forbid memfd_create (seccomp, vm.memfd_noexec)",
    };
    let file = sys::anonymous_file(size.code).map_err(refused)?;
    region.execute_file(size.data, size.code, &file)?;
    sys::writable_view(&file, size.code).map_err(refused)
}

/// How often this process has been forked from another since its first arena was made.
fn forks() -> u32 {
    static FORKS: AtomicU32 = AtomicU32::new(0);
    static WATCH: Once = Once::new();
    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    WATCH.call_once(|| {
        // SAFETY: the handler only changes an atomic. Where it cannot be registered, for want of memory, a child that
        // adds code to its parent's arena faults instead of getting an error.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
    FORKS.load(Ordering::Relaxed)
}

/// A range of code that is handed out.
#[derive(Debug)]
struct Piece {
    arena: Arc<Arena>,
    start: u32,
    units: u32,
    len: usize,
}

impl Piece {
    fn offset(&self) -> usize {
        self.start as usize * self.arena.unit()
    }

    fn room(&self) -> usize {
        self.units as usize * self.arena.unit()
    }

    /// Offset and length in the region.
    fn pages(&self) -> (usize, usize) {
        (self.arena.size.data + self.offset(), self.room())
    }

    fn address(&self) -> *const u8 {
        self.arena.region.at(self.arena.size.data + self.offset())
    }

    fn writable(&self) -> *mut u8 {
        match &self.arena.view {
            Some(view) => view.as_mut_ptr().wrapping_add(self.offset()),
            None => self.address().cast_mut(),
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let arena = &self.arena;
        if arena.view.is_some() {
            if arena.forks != forks() {
                return;
            }
            // SAFETY: the range is this piece's alone, and the view is readable and writable.
            let bytes = unsafe { std::slice::from_raw_parts_mut(self.writable(), self.room()) };
            fill(bytes, &arena.filler);
        } else {
            let (offset, len) = self.pages();
            if arena.region.release(offset, len).is_err() {
                // What is still executable must not be handed out again: the range is lost.
                return;
            }
        }
        arena.code.lock().unwrap_or_else(PoisonError::into_inner).give(self.start, self.units);
    }
}

fn fill(bytes: &mut [u8], filler: &[u8]) {
    match filler {
        [] => bytes.fill(0),
        [one] => bytes.fill(*one),
        many => bytes.chunks_mut(many.len()).for_each(|part| part.copy_from_slice(&many[..part.len()])),
    }
}

/// Code that can be written, and not yet executed.
#[derive(Debug)]
pub struct WritableCode(Piece);

impl WritableCode {
    /// Where it will be executed.
    #[must_use]
    pub fn address(&self) -> usize {
        self.0.address() as usize
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the range is this piece's alone, is readable and writable, and cannot be executed at this address.
        unsafe { std::slice::from_raw_parts_mut(self.0.writable(), self.0.len) }
    }

    /// Ends writing.
    ///
    /// # Errors
    /// Where the system does not let it be executed.
    pub fn publish(self) -> Result<ExecutableCode, ExecError> {
        if self.0.arena.view.is_none() {
            let (offset, len) = self.0.pages();
            self.0.arena.region.protect(offset, len, Access::Execute, "make code executable")?;
        }
        Ok(ExecutableCode(self.0))
    }
}

/// Code that can be executed, and no longer written. Its memory is free again when this is dropped.
#[derive(Debug)]
pub struct ExecutableCode(Piece);

impl ExecutableCode {
    /// Where it is.
    #[inline]
    #[must_use]
    pub fn address(&self) -> usize {
        self.0.address() as usize
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the range is readable, and nobody writes to it while this exists.
        unsafe { std::slice::from_raw_parts(self.0.address(), self.0.len) }
    }
}

/// Data in reach of the arena's code. Free again when this is dropped.
#[derive(Debug)]
pub struct DataBlock {
    arena: Arc<Arena>,
    start: u32,
    units: u32,
}

impl DataBlock {
    /// Where it is. Whoever uses the pointer must not outlive the block.
    #[inline]
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.arena.region.base().wrapping_add(self.start as usize * LINE)
    }
}

impl Drop for DataBlock {
    fn drop(&mut self) {
        self.arena.data.lock().unwrap_or_else(PoisonError::into_inner).give(self.start, self.units);
    }
}
