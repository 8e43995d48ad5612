//! The solving of one template: which bits of its code follow which operand.
//!
//! Comes in: the assembled samples of a template. Goes out: its chunks and holes. What must hold: they reproduce every
//! sample.

use super::super::samples::Sample;
use super::super::snippet::{Chunk, Fault, Head, Hole, Kind, MAX_REGS, Role, Scatter, Site, instantiate};
use super::super::template::{GP, Template, TemplateError, XMM};
use super::super::trap::TrapKind;
use super::Extracted;
use super::assemble::Assembled;
use super::holes::{byte_holes, relocation_holes};

/// What is found out about a template.
pub struct Solved {
    chunks: Vec<Chunk>,
    scatters: Vec<Scatter>,
    len: u8,
    holes: Vec<Hole>,
    sites: Vec<Site>,
    starts: Vec<u8>,
}

impl Solved {
    /// The snippet, with what it was made of.
    pub fn with(self, template: Template) -> Extracted {
        Extracted {
            template,
            chunks: self.chunks,
            scatters: self.scatters,
            len: self.len,
            holes: self.holes,
            sites: self.sites,
            starts: self.starts,
        }
    }
}

/// One sample's bytes, cut into instructions.
pub struct Bytes {
    /// Where it starts in the text.
    pub start: u64,
    instructions: Vec<Vec<u8>>,
}

impl Bytes {
    fn joined(&self) -> Vec<u8> {
        self.instructions.concat()
    }
}

fn cut(number: usize, object: &Assembled) -> Option<Bytes> {
    let start = object.label(&format!("S{number}"))?;
    let end = object.label(&format!("E{number}"))?;
    let mut starts: Vec<u64> = (0..).map_while(|i| object.label(&format!("S{number}_{i}"))).collect();
    starts.push(end);
    let instructions = starts.windows(2).map(|pair| object.text[pair[0] as usize..pair[1] as usize].to_vec()).collect();
    Some(Bytes { start, instructions })
}

fn prefix_len(instruction: &[u8]) -> usize {
    instruction.iter().take_while(|byte| matches!(byte, 0x66 | 0xf2 | 0xf3)).count()
}

fn has_rex(instruction: &[u8]) -> bool {
    instruction.get(prefix_len(instruction)).is_some_and(|byte| byte & 0xf0 == 0x40)
}

/// Gives each instruction the neutral REX prefix where the reference has one and the sample does not need it.
fn with_rex(sample: &mut Bytes, reference: &Bytes) {
    for (instruction, other) in sample.instructions.iter_mut().zip(&reference.instructions) {
        if has_rex(other) && !has_rex(instruction) && instruction.len() + 1 == other.len() {
            instruction.insert(prefix_len(instruction), 0x40);
        }
    }
}

/// Solves one template, whose samples start with number `first`; `usual` are the registers that placement works with.
pub fn solve(
    template: &Template,
    samples: &[Sample],
    first: usize,
    object: &Assembled,
    usual: [u16; 2],
) -> Result<Solved, TemplateError> {
    let lost = || template.error("the assembler dropped the template's labels: is there a section directive in it?");
    let reference = cut(first, object).ok_or_else(lost)?;
    let bytes = reference.joined();
    if bytes.len() > 0xff {
        return Err(template.error(format!("is {} bytes long; a snippet has at most 255", bytes.len())));
    }
    let mut cuts = Vec::with_capacity(samples.len());
    for number in 0..samples.len() {
        let mut sample = cut(first + number, object).ok_or_else(lost)?;
        with_rex(&mut sample, &reference);
        cuts.push(sample.joined());
    }
    check_lengths(template, samples, &bytes, &cuts)?;
    let mut holes = relocation_holes(template, &reference, bytes.len(), object)?;
    holes.extend(byte_holes(template, samples, &cuts)?);
    holes.sort_by_key(|hole| hole.offset);
    let masks = register_masks(template, samples, &cuts);
    let (mut chunks, scatters) = solve_chunks(template, samples, &bytes, &masks)?;
    // The samples have something in holes of one byte; the library has zero there, as in all others.
    for hole in holes.iter().filter(|hole| hole.patch.size() == 1) {
        chunks[usize::from(hole.offset / 8)].base &= !(0xff << (8 * (hole.offset % 8)));
    }
    let (starts, rex) = instruction_starts(&reference, template);
    let sites = sites(first, &reference, object);
    chunks[0].head = head(template, &holes, [bytes.len() as u8, chunks.len() as u8], rex, !sites.is_empty(), usual);
    let solved = Solved { chunks, scatters, len: bytes.len() as u8, holes, sites, starts };
    check_samples(template, samples, &cuts, &solved)?;
    Ok(solved)
}

fn registers(template: &Template) -> Vec<usize> {
    (0..template.operands.len()).filter(|&i| template.operands[i].kind.is_register()).collect()
}

fn assignment(template: &Template, regs: &[u8]) -> String {
    let name = |i: usize| {
        let names = if template.operands[i].kind == Kind::Xmm { &XMM } else { &GP };
        format!("{}={}", template.operands[i].name, names[usize::from(regs[i])])
    };
    registers(template).into_iter().map(name).collect::<Vec<_>>().join(" ")
}

fn check_lengths(t: &Template, samples: &[Sample], reference: &[u8], cuts: &[Vec<u8>]) -> Result<(), TemplateError> {
    let Some(odd) = cuts.iter().position(|bytes| bytes.len() != reference.len()) else { return Ok(()) };
    Err(t.error(format!(
        "its encodings differ in length: {} bytes with {}, {} bytes with {}. Pin the encoding ({{disp8}}, {{disp32}}, \
         {{vex3}}), or exclude the register from the operand (`in a:gp-rbp`)",
        reference.len(),
        assignment(t, &samples[0].regs),
        cuts[odd].len(),
        assignment(t, &samples[odd].regs),
    )))
}

/// For each register operand and bit of its number, the bits of the code that follow it.
fn register_masks(template: &Template, samples: &[Sample], cuts: &[Vec<u8>]) -> Vec<[Vec<u8>; 4]> {
    let reference = &samples[0].regs;
    let flipped = |operand: usize, bit: u32| {
        let found = samples.iter().position(|s| {
            s.value == 0
                && (0..reference.len())
                    .all(|i| s.regs[i] == if i == operand { reference[i] ^ (1 << bit) } else { reference[i] })
        });
        // The samples hold every allowed register of every operand, and the reference is chosen so that its four
        // neighbours are allowed.
        let cut = &cuts[found.unwrap_or(0)];
        cut.iter().zip(&cuts[0]).map(|(a, b)| a ^ b).collect::<Vec<u8>>()
    };
    registers(template).into_iter().map(|operand| [0, 1, 2, 3].map(|bit| flipped(operand, bit))).collect()
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks(8)
        .map(|part| part.iter().enumerate().fold(0, |word, (i, &byte)| word | u64::from(byte) << (8 * i)))
        .collect()
}

fn solve_chunks(
    template: &Template,
    samples: &[Sample],
    bytes: &[u8],
    masks: &[[Vec<u8>; 4]],
) -> Result<(Vec<Chunk>, Vec<Scatter>), TemplateError> {
    let mut bases = words(bytes);
    bases.resize(bases.len().max(1), 0);
    let mut scatters = vec![Scatter::NONE; bases.len()];
    for (nth, operand) in registers(template).into_iter().enumerate() {
        let reg = samples[0].regs[operand];
        let [m0, m1, m2, m3] = [0, 1, 2, 3].map(|bit: usize| words(&masks[nth][bit]));
        for (i, (base, scatter)) in bases.iter_mut().zip(&mut scatters).enumerate().take(m0.len()) {
            if m1[i] != m0[i] << 1 || m2[i] != m0[i] << 2 {
                return Err(template.error(format!(
                    "operand `{}`: the low bits of the register do not stand side by side in the code",
                    template.operands[operand].name
                )));
            }
            scatter.low[nth] = m0[i];
            scatter.high[nth] = m3[i];
            *base ^= u64::from(reg & 7).wrapping_mul(m0[i]) ^ u64::from(reg >> 3).wrapping_mul(m3[i]);
        }
    }
    let chunk = |base| Chunk { base, head: Head::default() };
    Ok((bases.into_iter().map(chunk).collect(), scatters))
}

fn instruction_starts(reference: &Bytes, template: &Template) -> (Vec<u8>, u8) {
    let mut starts = Vec::new();
    let mut offset = 0;
    for instruction in &reference.instructions {
        starts.push(offset as u8);
        offset += instruction.len();
    }
    // A REX prefix whose W bit is set never comes out as the neutral one; and one without any bit set still makes sil,
    // dil, … of the byte registers.
    let bytes = template
        .body
        .iter()
        .any(|(_, line)| template.operands.iter().any(|o| line.contains(&format!("\\{}8", o.name))));
    // Distances within the snippet are settled by the assembler: none may span the prefix.
    let looped = template.body.first().is_some_and(|(_, line)| line.ends_with(':'));
    let first = reference.instructions.first().filter(|_| !looped);
    let droppable = |i: &&Vec<u8>| has_rex(i) && !bytes && i[prefix_len(i)] & 0x08 == 0;
    let rex = first.filter(droppable).map_or(Head::NO_REX, |i| prefix_len(i) as u8);
    (starts, rex)
}

fn sites(first: usize, reference: &Bytes, object: &Assembled) -> Vec<Site> {
    let at = |name: &str| object.label(name).map(|address| (address - reference.start) as u8);
    let mut sites = Vec::new();
    for kind in TrapKind::ALL {
        let symbol = kind.message().replace(' ', "_");
        if let Some(offset) = at(&format!("S{first}_trap_{symbol}")) {
            sites.push(Site { offset, fault: Fault::Trap(kind) });
        }
    }
    if let Some(offset) = at(&format!("S{first}_trap_halt")) {
        sites.push(Site { offset, fault: Fault::Halt });
    }
    for operand in 0..8u8 {
        if let Some(offset) = at(&format!("S{first}_divide_{operand}")) {
            sites.push(Site { offset, fault: Fault::Divide(operand) });
        }
    }
    sites.sort_by_key(|site| site.offset);
    sites
}

fn head(t: &Template, holes: &[Hole], size: [u8; 2], rex: u8, sites: bool, usual: [u16; 2]) -> Head {
    let (template, [len, chunks]) = (t, size);
    let mut flags = 0;
    for operand in &template.operands {
        if operand.kind.is_register() && !operand.allowed & usual[usize::from(operand.kind == Kind::Xmm)] != 0 {
            flags |= Head::PICKY;
        }
        if operand.role == Role::Early {
            flags |= Head::EARLY;
        }
        if operand.name == "cold" {
            flags |= Head::HAS_COLD;
        }
    }
    if sites {
        flags |= Head::HAS_SITES;
    }
    let few = holes.is_empty() || (holes.len() == 1 && matches!(holes[0].patch.size(), 1 | 4));
    if chunks == 1 && few && flags & (Head::HAS_SITES | Head::HAS_COLD) == 0 {
        flags |= Head::PLAIN;
    }
    let place = |n: usize| match holes.get(n) {
        Some(hole) if hole.patch.size() == 1 => hole.offset | Head::BYTE_HOLE,
        Some(hole) if hole.patch.size() == 4 => hole.offset,
        _ => Head::NO_HOLE,
    };
    Head { spreads: [0; MAX_REGS], len, rex, flags, holes: [place(0), place(1)] }
}

/// Holds every sample against what the holes say: this is where an encoding that is not XOR-linear shows.
fn check_samples(
    template: &Template,
    samples: &[Sample],
    cuts: &[Vec<u8>],
    solved: &Solved,
) -> Result<(), TemplateError> {
    let operands = registers(template);
    for (sample, cut) in samples.iter().zip(cuts) {
        let mut regs = [0; MAX_REGS];
        operands.iter().enumerate().for_each(|(nth, &operand)| regs[nth] = sample.regs[operand]);
        let mut bytes = instantiate(&solved.chunks, &solved.scatters, regs);
        for hole in solved.holes.iter().filter(|hole| hole.patch.size() == 1) {
            bytes[usize::from(hole.offset)] = cut[usize::from(hole.offset)];
        }
        if bytes != *cut {
            return Err(template.error(format!(
                "its encoding with {} is not what the bits of the registers give ({:02x?} instead of {:02x?}): pin the \
                 encoding, or exclude the register from the operand",
                assignment(template, &sample.regs),
                cut,
                bytes,
            )));
        }
    }
    Ok(())
}
