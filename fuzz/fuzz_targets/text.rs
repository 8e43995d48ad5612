//! Texts from the fuzzer, as they are.
#![no_main]

use libfuzzer_sys::{arbitrary, fuzz_target};

#[allow(dead_code, reason = "each target checks one of the properties")]
#[path = "../../tests/properties/mod.rs"]
mod properties;

fuzz_target!(|data: &[u8]| properties::text(&String::from_utf8_lossy(data)));
