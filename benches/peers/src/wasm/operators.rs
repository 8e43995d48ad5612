//! What a module has to be measured by: its operators.

use wasmparser::{Operator, Parser, Payload};

use super::Problem;

/// How much there is in a module.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub functions: usize,
    /// All of its functions, each `end` included.
    pub operators: usize,
    /// The operators, the targets of `br_table` and the declared locals.
    pub parts: usize,
}

/// Counts what a module has.
pub fn count(wasm: &[u8]) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.map_err(|error| error.to_string())? {
            let mut reader = body.get_operators_reader().map_err(|error| error.to_string())?;
            while !reader.eof() {
                if let Operator::BrTable { targets } = reader.read().map_err(|error| error.to_string())? {
                    counts.parts += targets.len() as usize;
                }
                counts.operators += 1;
            }
            for locals in body.get_locals_reader().map_err(|error| error.to_string())? {
                counts.parts += locals.map_err(|error| error.to_string())?.0 as usize;
            }
            counts.functions += 1;
        }
    }
    counts.parts += counts.operators;
    Ok(counts)
}
