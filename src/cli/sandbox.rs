//! `--sandbox`: programs that could reach outside of their own memory are refused.
//!
//! Comes in: a module. Goes out: nothing, or which of its instructions are refused. What must hold: what is let through
//! reads and writes its registers, globals and linear memory only, and the streams of `print` and `read`.

use spasm::diagnostic::{Diagnostic, Diagnostics, Place};
use spasm::module::{Function, Module};
use spasm::text;

/// Instructions on native addresses.
const REFUSED: [&str; 4] = ["addr", "callp", "load", "store"];
/// How many are shown.
const LIMIT: usize = 20;

/// Checks a module.
pub fn check(file: &str, module: &Module) -> Result<(), Diagnostics> {
    let mut found: Vec<Diagnostic> =
        module.functions.iter().flat_map(|function| refused(file, module, function)).take(LIMIT + 1).collect();
    let cut = found.len() > LIMIT;
    found.truncate(LIMIT);
    Diagnostics::new(found, cut).map_or(Ok(()), Err)
}

fn refused<'m>(file: &'m str, module: &'m Module, function: &'m Function) -> impl Iterator<Item = Diagnostic> + 'm {
    let insts = function.insts.iter().enumerate();
    insts.filter(|(_, inst)| REFUSED.contains(&inst.op.row().mnemonic)).map(move |(at, inst)| {
        let message = format!("`{}` is not allowed in the sandbox", inst.op.row().mnemonic);
        let line = function.line_of(at).unwrap_or(0);
        let place = module.source.as_ref().map_or(Place::of_line(line), |source| text::place(source, line, None));
        Diagnostic::new(message).in_file(file).at(place).help("run it without --sandbox if you trust the program")
    })
}
