//! Random inputs for the text and binary forms, on a time budget: the properties that `fuzz/` hunts for longer.

use arbtest::{arbitrary, arbtest};

mod properties;

/// Milliseconds for each property.
const BUDGET: u64 = 1_500;

#[test]
fn any_text_is_read_or_refused() {
    arbtest(properties::mutated).budget_ms(BUDGET).size_max(4_096).run();
}

#[test]
fn any_bytes_are_read_or_refused() {
    arbtest(properties::damaged).budget_ms(BUDGET).size_max(4_096).run();
}

#[test]
fn any_module_survives() {
    arbtest(properties::built).budget_ms(BUDGET).size_max(4_096).run();
}
