//! Templates against the opcode table: every one is run as machine code, by itself, and must give the bits that the
//! row's expression gives.
//!
//! Comes in: the built-in library. Goes out: failures that name template, registers and operands. What must hold: every
//! template that can be run by itself is, often enough; a wrong one is found out.
#![cfg(feature = "cli")]

use spasm::isa::snippet::Info;
use spasm::library::{Library, native_features};
use spasm::trial::attempt;

fn infos() -> impl Iterator<Item = &'static Info> {
    Library::native().infos().iter().filter(|info| native_features().has(info.needs))
}

/// Tries all templates that `wanted` chooses, and returns how often each was run.
fn try_all(seed: u64, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    let tried = infos().filter(|info| wanted(info.name)).map(|info| {
        let runs = attempt(Library::native(), info, seed);
        runs.unwrap_or_else(|problem| panic!("{} ({}:{}) {problem}", info.name, info.file, info.line))
    });
    tried.flatten().collect()
}

#[test]
fn every_template_gives_the_bits_of_its_row() {
    let special = ["move.", "const.", "select.", "mload.", "mstore.", "load.", "store."];
    let is_special = |name: &str| special.iter().any(|stem| name.starts_with(stem)) || name.starts_with("jmp");
    let values = try_all(1, |name| !is_special(name) && !name.contains('+'));
    assert!(values.len() > 400 && values.iter().all(|&runs| runs > 100), "{} templates were tried", values.len());
}

#[test]
fn every_fused_branch_goes_where_its_row_says() {
    let fused = try_all(2, |name| name.contains('+'));
    assert!(fused.len() > 300 && fused.iter().all(|&runs| runs > 100), "{} templates were tried", fused.len());
}

#[test]
fn moves_constants_branches_and_selects() {
    let stems = ["move.", "const.", "select.", "jmpt", "jmpf"];
    let tried = try_all(3, |name| stems.iter().any(|stem| name.starts_with(stem)) && !name.contains('+'));
    assert!(tried.len() > 25 && tried.iter().all(|&runs| runs > 0), "{tried:?}");
}

#[test]
fn loads_and_stores_reach_their_bytes_and_no_others() {
    let tried = try_all(5, |name| ["mload.", "mstore.", "load.", "store."].iter().any(|stem| name.starts_with(stem)));
    assert!(tried.len() > 60 && tried.iter().all(|&runs| runs > 4), "{tried:?}");
}

#[test]
fn what_c_calls_need_does_what_it_says() {
    let tried = try_all(7, |name| ["zext8", "zext16", "truth"].contains(&name));
    assert!(tried.len() == 3 && tried.iter().all(|&runs| runs > 300), "{tried:?}");
}
