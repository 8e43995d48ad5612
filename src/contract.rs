//! Holds snippets against what their templates say, with a decoder that knows nothing of Spasm.
//!
//! Comes in: snippets as [extraction](crate::isa::extract) makes them. Goes out: errors that name file, line, template
//! and register. What must hold: nothing here trusts the assembler or the solving of register holes; both the
//! [encoding](check_encoding) and the [contract](check_contracts) are read off the finished bytes.
//!
//! The contract of a template is its declaration: what it reads, what it writes and when, what it destroys. The stitcher
//! believes it, so a wrong one means wrong programs. [`check_contracts`] is therefore run over the built-in library in
//! the tests, and over edited templates by whoever loads them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "snippets have at most 255 bytes at a low address, and constants are compared as bit patterns"
)]

mod access;
mod encoding;
mod flow;

use iced_x86::{Decoder, DecoderOptions, Instruction};

use crate::isa::extract::Extracted;
use crate::isa::part::Part;
use crate::isa::patch::patch;
use crate::isa::snippet::{Kind, MAX_REGS};
use crate::isa::template::{Abi, Template, TemplateError};

pub use encoding::{Body, check_encoding};

/// Where snippets stand when they are decoded.
const ORIGIN: u64 = 0x1000_0000;

/// Checks every snippet's bytes against its declaration.
///
/// These are errors: a register or flag that is changed but neither an output nor declared as clobbered, or declared
/// and never changed; one that is read but no input; an output that some path leaves unwritten; an operand whose
/// register may be one that the snippet uses for itself at the same time; a feature used but not needed, or needed but
/// not used; a slot written that is an input.
#[must_use]
pub fn check_contracts(snippets: &[Extracted], abi: &Abi) -> Vec<TemplateError> {
    let crosses = |name: &str| CROSSINGS.iter().any(|part| part.name() == name);
    let inner = snippets.iter().filter(|snippet| !crosses(&snippet.template.name));
    inner.flat_map(|snippet| flow::check(snippet, snippets, abi)).collect()
}

/// Checks a snippet's bytes for all assignments of up to two registers, and for a sample where there are three. Says how
/// many those are.
///
/// # Errors
/// The first assignment for which the bytes are not the instructions of the template.
pub fn check_encodings(snippet: &Extracted, abi: &Abi) -> Result<usize, TemplateError> {
    let body = Body::parse(&snippet.template, abi)?;
    let all = assignments(&snippet.template);
    all.iter().try_for_each(|&regs| check_encoding(snippet, &body, regs))?;
    Ok(all.len())
}

/// All assignments for up to two register operands, a sample of 500 for three.
fn assignments(template: &Template) -> Vec<[u8; MAX_REGS]> {
    let registers = template.operands.iter().filter(|o| o.kind.is_register());
    let allowed: Vec<Vec<u8>> =
        registers.map(|o| (0..16).filter(|reg| o.allowed & (1 << reg) != 0).collect()).collect();
    let all = |list: Option<&Vec<u8>>| list.cloned().unwrap_or_else(|| vec![0]);
    let (first, second, third) = (all(allowed.first()), all(allowed.get(1)), all(allowed.get(2)));
    let mut out: Vec<[u8; MAX_REGS]> = Vec::new();
    for &a in &first {
        for &b in &second {
            out.extend(third.iter().map(|&c| [a, b, c]));
        }
    }
    if allowed.len() == 3 && !out.is_empty() {
        // A step that shares no factor with the number of assignments visits them evenly.
        let count = out.len();
        out = (0..500).map(|n| out[n * 1_009 % count]).collect();
    }
    out
}

/// The ways into stitched code and out of it. They keep the convention of the host on one side, which their declarations
/// do not tell; [`check_contracts`] leaves them out.
const CROSSINGS: [Part; 4] = [Part::EntryTrampoline, Part::EntryInt, Part::TrapExit, Part::Host];

/// A snippet with registers and values filled in, decoded.
#[derive(Clone, Debug)]
struct Instance {
    /// Its instructions, the first at [`ORIGIN`].
    instructions: Vec<Instruction>,
    /// What stands in the place of each operand that is no register: a constant, or an address.
    values: Vec<i64>,
}

impl Instance {
    /// The instance for these registers, which are those of the register operands in their order.
    fn new(snippet: &Extracted, regs: [u8; MAX_REGS]) -> Result<Instance, TemplateError> {
        let template = &snippet.template;
        let mut code = snippet.bytes(regs);
        let values = sample_values(snippet);
        for hole in &snippet.holes {
            let operand = usize::from(hole.operand);
            let at = usize::from(hole.offset);
            let value = match template.operands[operand].kind {
                Kind::Rel8 | Kind::Rel32 | Kind::Lit | Kind::Data => {
                    values[operand] + i64::from(hole.addend) - (ORIGIN as i64 + at as i64)
                }
                _ => values[operand] + i64::from(hole.addend),
            };
            patch(&mut code, at, hole.patch, value).map_err(|error| template.error(error.to_string()))?;
        }
        let decoder = Decoder::with_ip(64, &code, ORIGIN, DecoderOptions::NONE);
        let instructions: Vec<Instruction> = decoder.into_iter().collect();
        let starts = instructions.iter().map(|i| (i.ip() - ORIGIN) as u8);
        if instructions.iter().any(Instruction::is_invalid) || !starts.eq(snippet.starts.iter().copied()) {
            return Err(template.error(format!("decodes to other instructions than were assembled: {code:02x?}")));
        }
        Ok(Instance { instructions, values })
    }
}

/// A value for each operand that is no register, different ones, each as wide as its hole.
fn sample_values(snippet: &Extracted) -> Vec<i64> {
    let operands = snippet.template.operands.iter().enumerate();
    let end = ORIGIN as i64 + i64::from(snippet.len);
    operands
        .map(|(number, operand)| {
            let number = number as i64;
            match operand.kind {
                Kind::Gp | Kind::Xmm => 0,
                Kind::Imm8 => -43 - number,
                Kind::Imm32 => -0x1234_5670 - number,
                Kind::Uimm32 => 0x9234_5670 + number,
                Kind::Imm64 => 0x1122_3344_5566_7780 + number,
                Kind::Slot8 | Kind::Off8 => 0x48 + number,
                Kind::Slot32 | Kind::Off32 => 0x1234_5600 + number,
                Kind::Rel8 => end + 0x40 + number,
                Kind::Lit | Kind::Rel32 | Kind::Data => end + 0x1_0000 * (number + 1),
            }
        })
        .collect()
}
