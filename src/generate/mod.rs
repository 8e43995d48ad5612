//! Random programs: for comparing tiers with each other and for looking for holes in the verifier.
//!
//! Comes in: a source of random numbers, or the bytes of a fuzzer. Goes out: a module that verifies and whose run ends,
//! with arguments for its first function; or such a module with damage done to it. What must hold: the same numbers
//! give the same module, and a source that is exhausted (zeros for ever) still leads to an end.
//!
//! Runs end because every loop and every call pays from one global, [`FUEL`], and all leave when it is spent.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "any number will do"
)]

mod body;
mod chain;
mod mutate;
mod source;
mod writer;

pub use mutate::mutate;
pub use source::Source;

use crate::isa::op::Type;
use crate::module::{Function, Global, Init, Memory, Module, Signature, Table};

/// The number of the global that loops and calls pay from.
pub const FUEL: u32 = 0;

/// A random program.
#[derive(Clone, Debug)]
pub struct Program {
    /// A module that the verifier accepts. The entry is its first function.
    pub module: Module,
    /// Arguments for the entry, as raw register bits.
    pub args: Vec<u64>,
}

/// Makes a program from the numbers that `next` gives.
pub fn program(next: &mut dyn FnMut() -> u64) -> Program {
    let mut source = Source::new(next);
    let s = &mut source;
    let mut module = Module { globals: globals(s), ..Module::default() };
    module.memory = Some(Memory { line: 1, ..Memory::new(1, Some(2)) });
    let bytes = (0..s.below(40)).map(|_| s.number() as u8).collect();
    module.inits.push(Init { offset: s.below(1000) as u32, bytes, line: 2 });
    for i in 0..=s.below(4) {
        let signature = signature(s);
        module.functions.push(Function { name: format!("f{i}"), signature, line: 3, ..Function::default() });
    }
    let functions = (0..=s.below(6)).map(|_| s.below(module.functions.len()) as u32).collect();
    module.tables.push(Table { line: 4, ..Table::new("table", functions) });
    for i in 0..module.functions.len() {
        let signature = module.functions[i].signature.clone();
        module.intern_signature(signature);
    }
    for i in 0..module.functions.len() {
        body::fill(&mut module, i, None, s);
    }
    let args = args(&module.functions[0].signature, s);
    Program { module, args }
}

/// Makes a program like those of [`program`], but with one function only, of some `statements` statements.
pub fn function(statements: usize, next: &mut dyn FnMut() -> u64) -> Program {
    let mut source = Source::new(next);
    let s = &mut source;
    let mut module = Module { globals: globals(s), ..Module::default() };
    module.memory = Some(Memory { line: 1, ..Memory::new(1, Some(2)) });
    let signature = signature(s);
    module.functions.push(Function { name: "f0".to_owned(), signature, line: 3, ..Function::default() });
    module.tables.push(Table { line: 4, ..Table::new("table", vec![0]) });
    module.intern_signature(module.functions[0].signature.clone());
    body::fill(&mut module, 0, Some(statements), s);
    let args = args(&module.functions[0].signature, s);
    Program { module, args }
}

/// Makes program number `seed`.
#[must_use]
pub fn seeded(seed: u64) -> Program {
    program(&mut numbers(seed))
}

/// Random numbers, the same ones for the same seed.
pub fn numbers(seed: u64) -> impl FnMut() -> u64 {
    // The generator of Steele, Lea and Flood.
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The fuel, and two globals of each type.
fn globals(s: &mut Source<'_>) -> Vec<Global> {
    let fuel = Global { line: 1, ..Global::new("fuel", Type::I64, 300 + s.below(700) as u64) };
    let others = (0..2 * Type::NUMBERS.len()).map(|i| {
        let ty = Type::NUMBERS[i % Type::NUMBERS.len()];
        Global { line: 1, ..Global::new(format!("g{i}"), ty, s.constant(ty)) }
    });
    std::iter::once(fuel).chain(others.collect::<Vec<_>>()).collect()
}

fn signature(s: &mut Source<'_>) -> Signature {
    let params = if s.one_in(4) { s.below(13) } else { s.below(5) };
    let results = if s.one_in(4) { s.below(9) } else { s.below(3) };
    let mut types = |n: usize| (0..n).map(|_| s.pick(&Type::NUMBERS)).collect::<Vec<_>>();
    let (params, mut results) = (types(params), types(results));
    let variadic = s.one_in(4);
    if variadic {
        results.truncate(1);
    }
    Signature { params, variadic, results }
}

fn args(signature: &Signature, s: &mut Source<'_>) -> Vec<u64> {
    let more = if signature.variadic { s.below(5) } else { 0 };
    let types = signature.params.iter().copied().chain(std::iter::repeat_n(Type::I64, more));
    types.map(|ty| s.constant(ty)).collect()
}
