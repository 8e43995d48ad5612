//! Showing what the stitcher made of a program, and what it made it from.
//!
//! Comes in: a verified module and a snippet library. Goes out: a [`Listing`], as data, as text for a terminal or a file,
//! as a page for a browser, and as JSON; and the [`catalogue`] of the snippets. What must hold: everything that is shown is read from the code
//! itself, from the trace of its making and from the library; nothing of it is worked out a second time.
//!
//! ```text
//!   Verified ──▶ stitch_traced ──▶ Image, Trace ──▶ Listing ──┬──▶ text
//!                                                             ├──▶ JSON
//!                                                             └──▶ a page for a browser
//! ```

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "images are smaller than 1 GiB and snippets than 256 bytes; values are looked at as bits"
)]

pub mod catalogue;
mod disassemble;
mod export;
pub mod holes;
mod homes;
mod html;
pub mod ink;
pub mod json;
mod listing;
mod place;
mod show;
mod strip;
mod totals;

pub use homes::{Fused, Home, homes};
pub use listing::{Copied, Datum, Filled, FunctionListing, Listing};
pub use strip::Strip;
pub use totals::Totals;

use crate::isa::snippet::Features;
use crate::library::native_features;

/// One machine instruction of a snippet.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it stands, from the start of the function or the snippet.
    pub offset: u32,
    /// Its bytes.
    pub bytes: Vec<Byte>,
    /// Its disassembly.
    pub pieces: Vec<Piece>,
}

impl Line {
    /// The disassembly as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// A byte of a snippet, and what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Byte {
    /// Its value; nothing where only the instance will tell.
    pub value: Option<u8>,
    /// What it is part of.
    pub mark: holes::Mark,
}

/// A part of a disassembled instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// What it comes from.
    pub tint: Tint,
}

/// What a part of a disassembled instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// The template.
    Plain,
    /// The template: the word that names the instruction.
    Mnemonic,
    /// Nothing that is executed.
    Remark,
    /// A hole: the operand, by its number in the snippet's contract.
    Operand(u8),
}

/// What the levels of x86-64 have, of what templates can need, beyond the level before.
const V2: [&str; 4] = ["popcnt", "ssse3", "sse4.1", "sse4.2"];
const V3: [&str; 7] = ["bmi1", "bmi2", "lzcnt", "movbe", "avx", "avx2", "fma"];

/// The features of a machine by the name that the command line gives it.
#[must_use]
pub fn features(cpu: &str) -> Option<Features> {
    let all = |names: &[&str]| {
        Features(Features::ALL.iter().filter(|(name, _)| names.contains(name)).map(|(_, bit)| bit).sum())
    };
    match cpu {
        "native" => Some(native_features()),
        "x86-64" => Some(all(&[])),
        "x86-64-v2" => Some(all(&V2)),
        "x86-64-v3" => Some(Features(all(&V2).0 | all(&V3).0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
