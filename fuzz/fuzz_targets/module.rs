//! Modules that the fuzzer's bytes describe.
#![no_main]

use libfuzzer_sys::{arbitrary, fuzz_target};

#[allow(dead_code, reason = "each target checks one of the properties")]
#[path = "../../tests/properties/mod.rs"]
mod properties;

fuzz_target!(|data: &[u8]| {
    // Too few bytes describe no module.
    _ = properties::built(&mut arbitrary::Unstructured::new(data));
});
