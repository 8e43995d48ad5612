//! What unwinders and debuggers are told of stitched code: made once, from the image, for objects and for code in memory.
//!
//! Comes in: an [`Image`] and its module. Goes out: call frame information ([`frames`]) and DWARF ([`info`]), with
//! relocations where the code's address is not known yet. What must hold: frames are right at every instruction; the
//! same input gives the same bytes.

mod abbreviations;
pub mod file;
pub mod frames;
pub mod info;
mod lines;
mod section;

pub use file::Piece;
pub use section::{Reference, Section, To};

use crate::module::Module;
use crate::stitch::image::Image;

/// Where the code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// In a section that a linker places: addresses are relocations.
    Section,
    /// At this address.
    Memory(u64),
}

/// The pieces of code that have names: functions, and their entries for C.
#[must_use]
pub fn pieces(module: &Module, image: &Image) -> Vec<Piece> {
    let piece = |name: String, start: u32, end: u32| Piece { name, offset: start.into(), size: (end - start).into() };
    let functions = module.functions.iter().zip(&image.functions);
    let functions = functions.map(|(function, made)| piece(function.name.clone(), made.entry, made.end));
    let entries = image.entries.iter().map(|entry| {
        let name = module.functions.get(entry.function as usize).map_or("?", |f| f.name.as_str());
        piece(format!("{name} (from C)"), entry.start, entry.end)
    });
    functions.chain(entries).collect()
}

/// The source lines of a module's code: from which offset on which line, in the order of offsets; 0 where it is not known.
///
/// A function starts with the line of its item, and goes on with those of its instructions.
#[must_use]
pub fn lines(module: &Module, image: &Image) -> Vec<(u32, u32)> {
    let mut rows: Vec<(u32, u32)> = Vec::with_capacity(image.functions.iter().map(|made| made.insts.len() + 2).sum());
    for (function, made) in module.functions.iter().zip(&image.functions) {
        let first = made.insts.first().copied().unwrap_or(made.end);
        if first > made.entry {
            push(&mut rows, made.entry, function.line);
        }
        for (inst, &offset) in made.insts.iter().enumerate() {
            push(&mut rows, offset, function.line_of(inst).unwrap_or(0));
        }
        for &(offset, inst) in &made.cold {
            push(&mut rows, offset, function.line_of(inst as usize).unwrap_or(0));
        }
    }
    for entry in &image.entries {
        push(&mut rows, entry.start, module.functions.get(entry.function as usize).map_or(0, |f| f.line));
    }
    rows
}

/// Of instructions at the same place the last one counts; a row that says what holds already is left out.
fn push(rows: &mut Vec<(u32, u32)>, offset: u32, line: u32) {
    if rows.last().is_some_and(|&(at, _)| at == offset) {
        rows.pop();
    }
    if rows.last().is_none_or(|&(_, last)| last != line) {
        rows.push((offset, line));
    }
}
