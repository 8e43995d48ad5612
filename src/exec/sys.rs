//! The system calls of execution: address space, its protection, and the file that code lives in.
//!
//! Comes in: lengths and offsets. Goes out: [`Region`]s, or [`ExecError`]s. What must hold: nothing else in the crate
//! asks the system for executable memory or changes protections; a region is unmapped exactly once. Every call can be
//! made to fail by the tests of this folder.

#![allow(unsafe_code, reason = "mapping memory")]

use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;
use std::ptr::{self, NonNull};

use memmap2::{MmapOptions, MmapRaw};

use super::error::ExecError;

/// Bytes in a page of the machine.
pub const PAGE: usize = 4096;

/// What a range of pages that are used at all may be used for. There is no way to say writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    Write,
    /// Reading and executing.
    Execute,
}

impl Access {
    fn bits(self) -> libc::c_int {
        match self {
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
            Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
        }
    }
}

const ADDRESS_SPACE: &str = "a limit on the address space (ulimit -v) or on mappings (vm.max_map_count) may be too low";
const PROTECTION: &str = "the system may forbid executable memory (SELinux, seccomp, systemd's MemoryDenyWriteExecute)";
const COMMIT: &str = "the system may be out of memory, or refuse to promise more (vm.overcommit_memory)";

/// Address space that is given back when this is dropped. memmap2 cannot reserve without access, hence libc.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the region is address space owned by this value alone; it is not tied to a thread.
unsafe impl Send for Region {}
// SAFETY: `&Region` only tells where it is.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves `len` bytes, without access.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn reserve(len: usize, attempt: &'static str) -> Result<Region, ExecError> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
        let mapped = trial().and_then(|()| unsafe {
            let mapped = libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0);
            if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(mapped) }
        });
        let refused = |error| ExecError::System { attempt, error, advice: ADDRESS_SPACE };
        let mapped = mapped.map_err(refused)?;
        let base = NonNull::new(mapped.cast()).ok_or_else(|| refused(io::ErrorKind::AddrNotAvailable.into()))?;
        Ok(Region { base, len })
    }

    /// Where it starts.
    #[inline]
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// How long it is.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The address of the byte at `offset`.
    ///
    /// # Panics
    /// If that lies outside.
    #[must_use]
    pub fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.len, "offset {offset} in a region of {} bytes", self.len);
        self.base.as_ptr().wrapping_add(offset)
    }

    /// Changes what a range of whole pages may be used for.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn protect(&self, offset: usize, len: usize, access: Access, attempt: &'static str) -> Result<(), ExecError> {
        self.check(offset, len);
        let advice = if access == Access::Execute { PROTECTION } else { COMMIT };
        // SAFETY: the range lies in this region. Whoever has access to a part of it is one of the types of this folder,
        // each of which narrows the access only of what it alone holds.
        let done =
            trial().and_then(|()| unsafe { zero_is_ok(libc::mprotect(self.at(offset).cast(), len, access.bits())) });
        done.map_err(|error| ExecError::System { attempt, error, advice })
    }

    /// Gives the memory of a range of whole pages back; it stays reserved, without access.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn release(&self, offset: usize, len: usize) -> io::Result<()> {
        self.check(offset, len);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: the range lies in this region, and the caller alone holds it.
        trial().and_then(|()| unsafe { map_at(self.at(offset), len, libc::PROT_NONE, flags, -1) })
    }

    /// Maps the first `len` bytes of `file` over this region at `offset`, for execution.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn execute_file(&self, offset: usize, len: usize, file: &File) -> Result<(), ExecError> {
        use std::os::fd::AsRawFd;
        self.check(offset, len);
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        // SAFETY: the range lies in this region, and nothing is there yet.
        let done = trial()
            .and_then(|()| unsafe { map_at(self.at(offset), len, Access::Execute.bits(), flags, file.as_raw_fd()) });
        done.map_err(|error| ExecError::System { attempt: "map code for execution", error, advice: PROTECTION })
    }

    fn check(&self, offset: usize, len: usize) {
        assert!(offset.is_multiple_of(PAGE) && len.is_multiple_of(PAGE), "whole pages only");
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.len), "the range lies outside of the region");
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region is mapped, and nobody refers to it once its owner is dropped.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// # Safety
/// The range must be one whose present content nobody needs.
unsafe fn map_at(at: *mut u8, len: usize, access: libc::c_int, flags: libc::c_int, fd: libc::c_int) -> io::Result<()> {
    // SAFETY: as the caller promises.
    let mapped = unsafe { libc::mmap(at.cast(), len, access, flags, fd, 0) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn zero_is_ok(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A file without a name, of `len` bytes that take memory only once they are written.
///
/// # Errors
/// Where the system refuses.
pub fn anonymous_file(len: usize) -> io::Result<File> {
    const NAME: &std::ffi::CStr = c"spasm-code";
    trial()?;
    // SAFETY: the name is a C string.
    let mut fd = unsafe { libc::memfd_create(NAME.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_EXEC) };
    if fd < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        // Before Linux 6.3 there was no MFD_EXEC: every such file may be executed.
        // SAFETY: as above.
        fd = unsafe { libc::memfd_create(NAME.as_ptr(), libc::MFD_CLOEXEC) };
    }
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and owned by nobody else.
    let file = unsafe { File::from_raw_fd(fd) };
    trial()?;
    file.set_len(len as u64)?;
    Ok(file)
}

/// The view through which a file of code is written. A forked child does not get it: the file is shared with the parent.
///
/// # Errors
/// Where the system refuses.
pub fn writable_view(file: &File, len: usize) -> io::Result<MmapRaw> {
    trial()?;
    let view = MmapOptions::new().len(len).map_raw(file)?;
    trial()?;
    // SAFETY: the range is exactly the mapping made above.
    zero_is_ok(unsafe { libc::madvise(view.as_mut_ptr().cast(), len, libc::MADV_DONTFORK) })?;
    Ok(view)
}

#[cfg(not(test))]
#[inline]
#[allow(clippy::unnecessary_wraps, reason = "in tests it can fail")]
fn trial() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use scripted::{calls_left, fail_call, trial};

/// Scripted failures: the tests count the calls that a thread makes and let the n-th fail.
#[cfg(test)]
mod scripted {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static COUNTDOWN: Cell<Option<(u32, i32)>> = const { Cell::new(None) };
    }

    /// Lets the `nth` call from now on (counted from 0) fail with `errno`; `None` ends the script.
    pub fn fail_call(script: Option<(u32, i32)>) {
        COUNTDOWN.set(script);
    }

    /// How many calls are left until the scripted failure; `None` when it has happened.
    pub fn calls_left() -> Option<u32> {
        COUNTDOWN.get().map(|(left, _)| left)
    }

    pub fn trial() -> io::Result<()> {
        match COUNTDOWN.get() {
            Some((0, errno)) => {
                COUNTDOWN.set(None);
                Err(io::Error::from_raw_os_error(errno))
            }
            Some((left, errno)) => {
                COUNTDOWN.set(Some((left - 1, errno)));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
