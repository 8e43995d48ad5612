//! The value holes of one template.
//!
//! Comes in: its relocations, and its samples. Goes out: for each operand that is a value, the places in the code where
//! it goes. What must hold: every relocation is a hole of a declared operand, every such operand has a hole.

use super::super::samples::{BYTE_VALUES, DISTANCES, Sample, is_byte_hole};
use super::super::snippet::{Hole, Kind, Patch};
use super::super::template::{Template, TemplateError};
use super::assemble::Assembled;
use super::solve::Bytes;

/// The holes of four and eight bytes: the relocations that the assembler left.
pub fn relocation_holes(
    t: &Template,
    reference: &Bytes,
    len: usize,
    object: &Assembled,
) -> Result<Vec<Hole>, TemplateError> {
    use object::elf;
    let mut holes = Vec::new();
    for relocation in object.relocations_in(reference.start, reference.start + len as u64) {
        let offset = (relocation.offset - reference.start) as u8;
        let name = relocation.symbol.strip_prefix("HOLE_").unwrap_or("");
        let Some(operand) = t.operands.iter().position(|o| o.name == name) else {
            return Err(t.error(format!(
                "refers to the symbol `{}`, which is no hole: declare it as an operand and write \\name",
                relocation.symbol
            )));
        };
        let kind = t.operands[operand].kind;
        let patch = match (elf::RelocationType(relocation.kind), kind) {
            // In a 32-bit instruction nothing is extended, so there either relocation will do.
            (elf::R_X86_64_32S | elf::R_X86_64_32, Kind::Imm32) | (elf::R_X86_64_32S, Kind::Slot32 | Kind::Off32) => {
                Patch::Abs32S
            }
            (elf::R_X86_64_32 | elf::R_X86_64_32S, Kind::Uimm32) => Patch::Abs32,
            (elf::R_X86_64_64, Kind::Imm64) => Patch::Abs64,
            (elf::R_X86_64_PC32 | elf::R_X86_64_PLT32, Kind::Rel32 | Kind::Lit | Kind::Data) => Patch::Rel32,
            (found, _) => {
                return Err(t.error(format!(
                    "operand `{name}` stands where the assembler leaves {}, which fills no hole of kind {}: that takes \
                     {}",
                    relocation_name(found),
                    kind.name(),
                    place_for(kind),
                )));
            }
        };
        holes.push(Hole { operand: operand as u8, offset, patch, addend: relocation.addend as i8 });
    }
    for (index, operand) in t.operands.iter().enumerate() {
        let found = holes.iter().filter(|hole| usize::from(hole.operand) == index).count();
        if !operand.kind.is_register() && !is_byte_hole(operand.kind) && found == 0 {
            return Err(t.error(format!("operand `{}` leaves no hole in the code", operand.name)));
        }
    }
    Ok(holes)
}

/// The ELF name of a relocation's type, for messages.
fn relocation_name(found: object::elf::RelocationType) -> String {
    use object::elf;
    let names = [
        (elf::R_X86_64_8, "R_X86_64_8"),
        (elf::R_X86_64_16, "R_X86_64_16"),
        (elf::R_X86_64_32, "R_X86_64_32"),
        (elf::R_X86_64_32S, "R_X86_64_32S"),
        (elf::R_X86_64_64, "R_X86_64_64"),
        (elf::R_X86_64_PC8, "R_X86_64_PC8"),
        (elf::R_X86_64_PC32, "R_X86_64_PC32"),
        (elf::R_X86_64_PLT32, "R_X86_64_PLT32"),
    ];
    let known = names.iter().find(|(number, _)| *number == found);
    known.map_or_else(|| format!("a relocation of ELF type {}", found.0), |(_, name)| (*name).to_owned())
}

/// Where an operand of this kind can stand, for messages.
fn place_for(kind: Kind) -> &'static str {
    match kind {
        Kind::Imm32 => "an immediate of 32 bits that the instruction sign-extends",
        Kind::Uimm32 => "an immediate of 32 bits that the instruction zero-extends, such as that of `mov \\d32, \\b`",
        Kind::Imm64 => "the immediate of `movabs`",
        Kind::Slot32 => "a displacement: `[FRAME + \\x]`",
        Kind::Off32 => "a displacement: `[MEMORY + \\a + \\x]`",
        Kind::Lit | Kind::Data => "an address relative to rip: `[rip + \\x]`",
        Kind::Rel32 => "the target of a jump or a call, or an address relative to rip: `[rip + \\x]`",
        Kind::Gp | Kind::Xmm | Kind::Imm8 | Kind::Slot8 | Kind::Off8 | Kind::Rel8 => "no relocation at all",
    }
}

/// The holes of one byte: the places that follow the sampled values.
pub fn byte_holes(template: &Template, samples: &[Sample], cuts: &[Vec<u8>]) -> Result<Vec<Hole>, TemplateError> {
    let mut holes = Vec::new();
    for (number, operand) in template.operands.iter().enumerate().filter(|(_, o)| is_byte_hole(o.kind)) {
        let relative = operand.kind == Kind::Rel8;
        let explains = |offset: &usize| {
            samples.iter().zip(cuts).all(|(sample, cut)| {
                let moved = DISTANCES[sample.value.min(1)].wrapping_sub(DISTANCES[samples[0].value.min(1)]);
                let expected =
                    if relative { cuts[0][*offset].wrapping_add(moved) } else { BYTE_VALUES[sample.value] as u8 };
                cut[*offset] == expected
            })
        };
        let Some(offset) = (0..cuts[0].len()).find(explains) else {
            let name = &operand.name;
            return Err(template.error(format!(
                "operand `{name}`: its value stands in no one byte of the code as it is: write \\{name} alone where the \
                 instruction takes a byte"
            )));
        };
        let (patch, addend) = if relative { (Patch::Rel8, -1) } else { (Patch::Abs8, 0) };
        holes.push(Hole { operand: number as u8, offset: offset as u8, patch, addend });
    }
    if holes.windows(2).any(|pair| pair[0].offset == pair[1].offset) {
        return Err(template.error("two one-byte operands of one kind cannot be told apart"));
    }
    one_byte_each(template, samples, cuts, &holes)?;
    Ok(holes)
}

/// Where the values alone differ between samples, no byte but the holes may.
fn one_byte_each(t: &Template, samples: &[Sample], cuts: &[Vec<u8>], holes: &[Hole]) -> Result<(), TemplateError> {
    let differs = |cut: &[u8], at: usize| cut[at] != cuts[0][at] && holes.iter().all(|h| usize::from(h.offset) != at);
    let mut values = samples.iter().zip(cuts).filter(|(sample, _)| sample.regs == samples[0].regs);
    if values.all(|(_, cut)| !(0..cut.len()).any(|at| differs(cut, at))) {
        return Ok(());
    }
    let names: Vec<&str> = holes.iter().map(|hole| t.operands[usize::from(hole.operand)].name.as_str()).collect();
    Err(t.error(format!(
        "operand `{}`: its value takes more than one byte of the code; declare it with the wider kind",
        names.join("`, `")
    )))
}
