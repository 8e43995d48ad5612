//! What the machine can do.
//!
//! Comes in: nothing. Goes out: [`Features`]. What must hold: a feature is reported only where both processor and system
//! support it.
//!
//! The instruction that tells is slow: on a virtual machine each use of it goes to the host and takes microseconds, and
//! a full look takes a dozen of them. The C library has looked already, when the process started, and tells for
//! nothing where it is a GNU C library of version 2.33 or later.

#![allow(unsafe_code, reason = "asks the C library for a symbol that older ones do not have")]

use std::ffi::c_uint;

use crate::isa::snippet::Features;

/// What the C library knows of one leaf: `struct cpuid_feature` of `sys/platform/x86.h`.
#[repr(C)]
struct Leaf {
    /// What the processor says: `eax`, `ebx`, `ecx` and `edx`.
    _there: [u32; 4],
    /// What of it may be used.
    usable: [u32; 4],
}

type GetLeaf = unsafe extern "C" fn(c_uint) -> *const Leaf;

/// For each of [`Features::ALL`], the number that the C library has for its leaf, the register and the bit.
const PLACES: [(c_uint, usize, u32); Features::ALL.len()] = [
    (1, 1, 3),
    (1, 1, 8),
    (2, 2, 5),
    (0, 2, 23),
    (0, 2, 19),
    (0, 2, 28),
    (0, 2, 9),
    (0, 2, 20),
    (0, 2, 25),
    (0, 2, 1),
    (0, 2, 12),
    (1, 1, 5),
    (1, 1, 19),
    (1, 1, 29),
    (0, 2, 22),
];

/// The features of the machine that this program runs on.
#[must_use]
pub fn native_features() -> Features {
    known().unwrap_or_else(detected)
}

/// What the C library found out, if it tells.
fn known() -> Option<Features> {
    // SAFETY: the name is a C string. A symbol of this name is a function of this type, which takes any number and gives
    // the address of a structure that lives as long as the process.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"__x86_get_cpuid_feature_leaf".as_ptr());
        if found.is_null() {
            return None;
        }
        let leaf: GetLeaf = std::mem::transmute(found);
        let leaves = [leaf(0).as_ref()?, leaf(1).as_ref()?, leaf(2).as_ref()?];
        Some(of(PLACES.map(|(leaf, register, bit)| leaves[leaf as usize].usable[register] >> bit & 1 != 0)))
    }
}

/// What the processor says itself.
fn detected() -> Features {
    of([
        std::arch::is_x86_feature_detected!("bmi1"),
        std::arch::is_x86_feature_detected!("bmi2"),
        std::arch::is_x86_feature_detected!("lzcnt"),
        std::arch::is_x86_feature_detected!("popcnt"),
        std::arch::is_x86_feature_detected!("sse4.1"),
        std::arch::is_x86_feature_detected!("avx"),
        std::arch::is_x86_feature_detected!("ssse3"),
        std::arch::is_x86_feature_detected!("sse4.2"),
        std::arch::is_x86_feature_detected!("aes"),
        std::arch::is_x86_feature_detected!("pclmulqdq"),
        std::arch::is_x86_feature_detected!("fma"),
        std::arch::is_x86_feature_detected!("avx2"),
        std::arch::is_x86_feature_detected!("adx"),
        std::arch::is_x86_feature_detected!("sha"),
        std::arch::is_x86_feature_detected!("movbe"),
    ])
}

fn of(has: [bool; Features::ALL.len()]) -> Features {
    Features(has.iter().zip(Features::ALL).map(|(&has, (_, bit))| if has { bit } else { 0 }).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_and_the_processor_agree() {
        // Whoever masks features for the C library wants less than there is.
        if std::env::var_os("GLIBC_TUNABLES").is_none() {
            assert_eq!(known().unwrap_or_else(detected), detected());
        }
        #[cfg(target_env = "gnu")]
        assert_ne!(native_features(), Features::default(), "a machine without any of these is older than x86-64-v2");
    }
}
