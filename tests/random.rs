//! Random programs and damaged ones: the verifier refuses or accepts, and what it accepts runs without a panic.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers, and views of the same bits"
)]

mod common;

use std::collections::BTreeMap;

use arbtest::arbtest;
use spasm::generate;
use spasm::interp::{self, Limits, Store};
use spasm::module::Module;
use spasm::streams::Streams;
use spasm::verify::verify;

/// How a run ended, in a word or two; with everything that can be seen of it.
fn run(module: Module, args: &[u64]) -> Option<(String, String)> {
    let verified = verify(module).ok()?;
    let mut store = Store::new(&verified).unwrap();
    let (mut streams, printed) = Streams::captured("1 -2 3.5 x");
    let limits = Limits { jumps: 200_000, frames: 5000, registers: 1 << 20 };
    let result = interp::call_within(&limits, &verified, &mut store, &mut streams, 0, args);
    let kind = common::outcome(result);
    let shown = format!("{kind:?} {:?} {}", store.globals, printed.text());
    Some((kind.map_or_else(|error| error, |_| "returned".to_owned()), shown))
}

#[test]
fn programs_verify_and_end() {
    let mut kinds = BTreeMap::<String, usize>::new();
    for seed in 0..600 {
        let made = generate::seeded(seed);
        let verified = verify(made.module.clone());
        assert!(verified.is_ok(), "seed {seed}: {}", verified.unwrap_err());
        let (kind, shown) = run(made.module.clone(), &made.args).unwrap();
        assert_ne!(kind, "trap: interrupted", "seed {seed} does not end");
        assert_eq!(run(made.module, &made.args).unwrap().1, shown, "seed {seed} runs in two ways");
        *kinds.entry(kind).or_default() += 1;
    }
    // Programs that all trap at once would test nothing.
    assert!(kinds["returned"] > 300, "{kinds:?}");
    for kind in ["divide by zero", "out of bounds memory access", "undefined element", "unreachable"] {
        assert!(kinds.contains_key(&format!("trap: {kind}")), "{kind} never happens: {kinds:?}");
    }
}

#[test]
fn an_exhausted_source_makes_a_program() {
    let made = generate::program(&mut || 0);
    assert!(run(made.module, &made.args).is_some());
}

#[test]
fn damaged_programs_do_no_harm() {
    let (mut accepted, mut refused) = (0, 0);
    arbtest(|u| {
        let mut next = || u.arbitrary::<u64>().unwrap_or(0);
        let mut made = generate::program(&mut next);
        generate::mutate(&mut made.module, &mut generate::Source::new(&mut next));
        match run(made.module, &made.args) {
            Some(_) => accepted += 1,
            None => refused += 1,
        }
        Ok(())
    })
    .budget_ms(3000)
    .size_min(20_000)
    .size_max(65_536);
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}
