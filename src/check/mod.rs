//! The checker: proves of a stitched image that, as far as places go, it computes what the verified module says.
//!
//! Comes in: a verified module, and the image and trace that the stitcher made of it. Goes out: a [`Report`], or the
//! [`Defect`]s. What must hold: nothing of placement, ranges or emission is used here, only the data they leave
//! (`Image`, `Trace`), the contracts of the snippets, and the machine's roles in `abi.inc`.
//!
//! ```text
//! bytes + events ──▶ decode ──▶ tables: sites, references, instructions, parts out of line
//!                       └─────▶ flow: state before each step ──▶ carry | act ──▶ state behind it ──▶ unwind rows
//! ```
//!
//! What is proven, on every way that control can take through each function:
//!
//! * the bytes are snippets, one behind the other, with registers that their contracts allow;
//! * each instruction is done by one snippet of its own name, whose operands hold the present values of the variables
//!   that the instruction names, or the constants that they are; everything else only carries values;
//! * jumps, calls and jump tables lead, by their bytes, to where the instructions say;
//! * arguments, results, saved registers, pinned registers and the stack are what the calling convention asks for;
//! * trap sites, references, unwind rows and the way back from offsets to instructions are exact;
//! * C functions get and give every byte as C has it, and entries for C do the same for functions.
//!
//! What is not: that a snippet does what its name and contract say. That is for the tests of the templates, which hold
//! them against an independent decoder, and for running programs on both tiers.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "offsets and counts of an image fit 32 bits, and constants are compared as bit patterns"
)]

pub mod convention;
pub mod decode;
pub mod defect;
pub mod flow;
pub mod state;

mod act;
mod bytes;
mod c_convention;
mod calls;
mod crossings;
mod custom;
mod entries;
mod fused;
mod linked;
mod natives;
mod tables;
mod transfer;

pub use defect::Defect;

use crate::check::decode::{Decoded, decode};
use crate::check::flow::{Replay, Walked};
use crate::check::linked::Shared;
use crate::check::tables::Tables;
use crate::library::Library;
use crate::stitch::image::{EntryImage, Image};
use crate::stitch::trace::Trace;
use crate::verified::Verified;

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Functions.
    pub functions: usize,
    /// Instructions.
    pub instructions: usize,
    /// Copied snippets.
    pub steps: usize,
    /// Those among them that carry a value to where it is already.
    pub idle: usize,
}

/// Checks a whole image.
///
/// # Errors
/// The first defect of each function.
pub fn check(verified: &Verified, image: &Image, trace: &Trace, library: &Library) -> Result<Report, Vec<Defect>> {
    let mut report = Report::default();
    let mut defects: Vec<Defect> = whole(verified, image).err().into_iter().collect();
    if image.functions.len() != verified.functions.len() {
        return Err(defects);
    }
    for number in 0..image.functions.len() {
        let walked = decode(verified, image, trace, library, number)
            .and_then(|decoded| replay(verified, image, library, &decoded));
        match walked {
            Ok(walked) => {
                report.functions += 1;
                report.instructions += verified.functions[number].insts.len();
                report.steps += walked.idle.len();
                report.idle += walked.idle.iter().filter(|&&idle| idle).count();
            }
            Err(defect) => defects.push(defect),
        }
    }
    defects.extend(entries::check(verified, image, trace, library).err());
    defects.extend(crossings::check(verified, image, trace, library).err());
    if defects.is_empty() { Ok(report) } else { Err(defects) }
}

/// Checks one decoded function.
///
/// # Errors
/// The first defect.
pub fn replay(verified: &Verified, image: &Image, library: &Library, decoded: &Decoded) -> Result<Walked, Defect> {
    walk(verified, image, library, decoded, false)
}

/// Checks one decoded function, and keeps what is known before each step.
///
/// # Errors
/// The first defect.
pub fn states(verified: &Verified, image: &Image, library: &Library, decoded: &Decoded) -> Result<Walked, Defect> {
    walk(verified, image, library, decoded, true)
}

fn walk(
    verified: &Verified,
    image: &Image,
    library: &Library,
    decoded: &Decoded,
    keep: bool,
) -> Result<Walked, Defect> {
    let shared = &Shared::new(verified.module());
    let tables = Tables { verified, image, library, decoded, shared };
    tables.check()?;
    let body = &verified.functions[decoded.function];
    let walked = Replay { verified, body, image, library, decoded, shared, keep }.walk()?;
    tables.unwind(&walked)?;
    Ok(walked)
}

/// What concerns no single function: they stand one behind the other, and the tables are in order.
fn whole(verified: &Verified, image: &Image) -> Result<(), Defect> {
    let fail = |number: usize, message: &str| Err(Defect::new(verified, number, message));
    if image.functions.len() != verified.functions.len() {
        return fail(0, "the image has another number of functions than the module");
    }
    let mut end = 0;
    for (number, function) in image.functions.iter().enumerate() {
        if function.entry % 16 != 0 {
            return fail(number, "its entry is not aligned to 16 bytes");
        }
        if function.entry < end || function.end < function.entry || function.end as usize > image.code.len() {
            return fail(number, "it overlaps the function before it, or leaves the image");
        }
        end = function.end;
    }
    let inside = |offset: u32| {
        let next = image.functions.partition_point(|function| function.entry <= offset);
        let among = |entries: &[EntryImage]| {
            let next = entries.partition_point(|entry| entry.start <= offset);
            next > 0 && offset < entries[next - 1].end
        };
        next > 0 && offset < image.functions[next - 1].end || among(&image.entries) || among(&image.crossings)
    };
    let sites = image.sites.iter().map(|site| site.offset);
    let references = image.relocations.iter().map(|relocation| relocation.offset);
    if !sites.clone().is_sorted_by(|a, b| a < b) || !references.clone().is_sorted_by(|a, b| a < b) {
        return fail(0, "the trap sites or the references are not in order");
    }
    if !image.unwind.iter().is_sorted_by(|a, b| a.offset < b.offset) {
        return fail(0, "the unwind rows are not in order");
    }
    if !sites.chain(references).all(inside) {
        return fail(0, "a trap site or a reference lies in no function");
    }
    Ok(())
}
