//! Bytes from the fuzzer, as a file and as the body of one.
#![no_main]

use libfuzzer_sys::{arbitrary, fuzz_target};

#[allow(dead_code, reason = "each target checks one of the properties")]
#[path = "../../tests/properties/mod.rs"]
mod properties;

fuzz_target!(|data: &[u8]| properties::binary(data));
