//! What a module has to be measured by: its operators.

use wasmparser::{Parser, Payload};

use super::Problem;

/// How much there is in a module.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub functions: usize,
    /// All of its functions, each `end` included.
    pub operators: usize,
}

/// Counts what a module has.
pub fn count(wasm: &[u8]) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.map_err(|error| error.to_string())? {
            let mut reader = body.get_operators_reader().map_err(|error| error.to_string())?;
            while !reader.eof() {
                reader.read().map_err(|error| error.to_string())?;
                counts.operators += 1;
            }
            counts.functions += 1;
        }
    }
    Ok(counts)
}
