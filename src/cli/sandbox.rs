//! `--sandbox`: programs that could reach outside of their own memory are refused.
//!
//! Comes in: a module. Goes out: nothing, or which of its items and instructions are refused. What must hold: what is let
//! through reads and writes its registers, globals and linear memory only, and the streams of `print` and `read`.

use spasm::diagnostic::{Diagnostic, Diagnostics, Place};
use spasm::isa::op::Shape;
use spasm::module::{Function, Inst, Module};
use spasm::text;

/// How many are shown.
const LIMIT: usize = 20;

/// Checks a module.
pub fn check(file: &str, module: &Module) -> Result<(), Diagnostics> {
    let instructions = module.functions.iter().flat_map(|function| refused(module, function));
    let all = items(module).into_iter().chain(instructions).take(LIMIT + 1);
    let mut found: Vec<Diagnostic> = all.map(|(word, line)| refusal(file, module, word, line)).collect();
    let cut = found.len() > LIMIT;
    found.truncate(LIMIT);
    Diagnostics::new(found, cut).map_or(Ok(()), Err)
}

/// The items that are refused: their words and lines, in the order of the text.
fn items(module: &Module) -> Vec<(&'static str, u32)> {
    let externs = module.externs.iter().map(|e| ("extern", e.line));
    let data = module.data.iter().map(|data| (if data.writable { "data" } else { "rodata" }, data.line));
    let mut items: Vec<_> = externs.chain(data).collect();
    items.sort_by_key(|(_, line)| *line);
    items
}

/// The instructions of a function that are refused. Calls of externs are not looked for: the externs are refused.
/// What a declared opcode does is known to its template only.
fn refused<'m>(module: &'m Module, function: &'m Function) -> impl Iterator<Item = (&'m str, u32)> {
    let word = |inst: &Inst| match inst.op.row().shape {
        Shape::NativeLoad | Shape::NativeStore | Shape::CallExtern | Shape::Callp | Shape::Addr => {
            Some(inst.op.row().mnemonic)
        }
        Shape::Custom => Some(module.customs.get(inst.a as usize).map_or("custom", |custom| custom.op.name.as_str())),
        _ => None,
    };
    let words = function.insts.iter().enumerate().map(move |(at, inst)| (at, word(inst)));
    words.filter_map(|(at, word)| Some((word?, function.line_of(at).unwrap_or(0))))
}

fn refusal(file: &str, module: &Module, word: &str, line: u32) -> Diagnostic {
    let place = module.source.as_ref().map_or(Place::of_line(line), |source| text::place(source, line, None));
    Diagnostic::new(format!("`{word}` is not allowed in the sandbox"))
        .in_file(file)
        .at(place)
        .help("run it without --sandbox if you trust the program")
}
