//! The unwinder of the process: it finds its way through stitched code for panics, exceptions and backtraces.
//!
//! Comes in: call frame information for addresses in memory. Goes out: [`Frames`]. What must hold: the information stays
//! where it is while the unwinder may look at it.
//!
//! A process can have two copies of the unwinder: one linked into the executable, and the shared one that libraries in C++
//! bring along. Both are told.

#![allow(unsafe_code, reason = "functions of the unwinder")]

use std::ffi::c_void;

type Call = unsafe extern "C" fn(*const c_void);

/// Frames that the unwinder knows until this is dropped.
#[derive(Debug)]
pub struct Frames {
    bytes: Box<[u8]>,
    forget: Vec<Call>,
}

// SAFETY: the unwinder takes a lock where it changes what it knows.
unsafe impl Send for Frames {}
// SAFETY: nothing can be done with a shared one.
unsafe impl Sync for Frames {}

impl Frames {
    /// Makes these frames known; nothing where the system has no such unwinder.
    pub fn register(bytes: Vec<u8>) -> Option<Frames> {
        let mut made = Frames { bytes: bytes.into(), forget: Vec::new() };
        for (register, forget) in unwinders() {
            // SAFETY: the bytes are a whole section with a zero at its end, and stay where they are until `forget`.
            unsafe { register(made.bytes.as_ptr().cast()) };
            made.forget.push(forget);
        }
        (!made.forget.is_empty()).then_some(made)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        for forget in &self.forget {
            // SAFETY: it was registered with the same copy of the unwinder.
            unsafe { forget(self.bytes.as_ptr().cast()) };
        }
    }
}

/// The functions to register and to forget frames, for each copy of the unwinder.
#[cfg(all(target_env = "gnu", target_os = "linux"))]
fn unwinders() -> Vec<(Call, Call)> {
    unsafe extern "C" {
        fn __register_frame(begin: *const c_void);
        fn __deregister_frame(begin: *const c_void);
    }
    let own = (__register_frame as Call, __deregister_frame as Call);
    let shared = shared().filter(|shared| shared.0 as usize != own.0 as usize);
    [own].into_iter().chain(shared).collect()
}

/// Those of the shared copy, if it is loaded.
#[cfg(all(target_env = "gnu", target_os = "linux"))]
fn shared() -> Option<(Call, Call)> {
    // SAFETY: nothing is loaded that is not there already; symbols of these names are functions of this type, and the
    // library stays loaded since whoever loaded it is still there when the frames are forgotten: this keeps a handle.
    unsafe {
        let library = libc::dlopen(c"libgcc_s.so.1".as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if library.is_null() {
            return None;
        }
        let found = [c"__register_frame", c"__deregister_frame"].map(|name| libc::dlsym(library, name.as_ptr()));
        let [register, forget] = found;
        if register.is_null() || forget.is_null() {
            return None;
        }
        Some((std::mem::transmute::<*mut c_void, Call>(register), std::mem::transmute::<*mut c_void, Call>(forget)))
    }
}

#[cfg(not(all(target_env = "gnu", target_os = "linux")))]
fn unwinders() -> Vec<(Call, Call)> {
    Vec::new()
}
