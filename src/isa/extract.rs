//! From templates to snippets: assemble the samples, find the holes, check that they explain every sample.
//!
//! Comes in: templates, and a command that assembles. Goes out: [`Extracted`] snippets, or errors that name file,
//! template, operand and what to write. What must hold: a snippet that leaves here reproduces, through its holes,
//! every sample that was assembled; a relocation that no hole explains is an error, never dropped.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget};

use super::samples::{self, BYTE_VALUES, DISTANCES, Sample, is_byte_hole};
use super::snippet::{Chunk, Fault, Head, Hole, Kind, MAX_REGS, Patch, Role, Site};
use super::template::{Abi, GP, Template, TemplateError, XMM, register_number};
use super::trap::TrapKind;

/// A snippet as it comes out of extraction, with its template.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// What it was made of.
    pub template: Template,
    /// Its bytes and register holes.
    pub chunks: Vec<Chunk>,
    /// Its length in bytes.
    pub len: u8,
    /// Its value holes in the order of their offsets.
    pub holes: Vec<Hole>,
    /// Instructions that may fault.
    pub sites: Vec<Site>,
    /// Where its instructions start.
    pub starts: Vec<u8>,
}

/// Assembles and solves `templates` in `dir`, in which `name.s` and `name.o` are written, with the C compiler
/// `compiler`.
///
/// # Errors
/// Everything that is wrong with the templates, each with its place; or what keeps the compiler from running.
pub fn extract(
    templates: Vec<Template>,
    abi: &Abi,
    compiler: &str,
    dir: &Path,
    name: &str,
) -> Result<Vec<Extracted>, Vec<TemplateError>> {
    let mut all = Vec::new();
    for (number, template) in templates.iter().enumerate() {
        check_declaration(template).map_err(|error| vec![error])?;
        all.extend(samples::samples(number, template).map_err(|error| vec![error])?);
    }
    let text = samples::assembly(&templates, &all, abi);
    let bytes = assemble(&text, compiler, dir, name)?;
    let object = Assembled::read(&bytes, &all).map_err(|message| vec![tool_error(message)])?;
    let usual = placeable(abi);
    let mut errors = Vec::new();
    let mut out = Vec::new();
    let mut first = 0;
    for (number, template) in templates.into_iter().enumerate() {
        let count = all[first..].iter().take_while(|s| s.template == number).count();
        match solve(&template, &all[first..first + count], first, &object, usual) {
            Ok(solved) => out.push(solved.with(template)),
            Err(error) => errors.push(error),
        }
        first += count;
    }
    if errors.is_empty() { Ok(out) } else { Err(errors) }
}

fn tool_error(message: String) -> TemplateError {
    TemplateError { file: "the system assembler".to_owned(), line: 0, template: String::new(), message }
}

fn check_declaration(template: &Template) -> Result<(), TemplateError> {
    if template.operands.iter().filter(|o| o.kind.is_register()).count() > MAX_REGS {
        return Err(template.error(format!("has more than {MAX_REGS} register operands")));
    }
    for operand in &template.operands {
        let named = template.body.iter().any(|(_, line)| mentions(line, &operand.name));
        if !named {
            return Err(template.error(format!(
                "operand `{}` is declared but never used: write \\{} in the body or drop it",
                operand.name, operand.name
            )));
        }
    }
    for (line, body) in &template.body {
        let kind = body.strip_prefix("trap ").map(str::trim);
        if let Some(kind) = kind.filter(|kind| *kind != "halt" && TrapKind::from_symbol(kind).is_none()) {
            return Err(template.error_at(*line, format!("`trap {kind}` names no trap; write `_` for spaces")));
        }
        for word in body.split('\\').skip(1) {
            let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
            let known = |o: &super::template::Declared| {
                word[..end]
                    .strip_prefix(o.name.as_str())
                    .is_some_and(|rest| rest.is_empty() || (o.kind == Kind::Gp && ["8", "16", "32"].contains(&rest)))
            };
            if !template.operands.iter().any(known) {
                return Err(template.error_at(*line, format!("`\\{}` is no declared operand", &word[..end])));
            }
        }
    }
    Ok(())
}

fn mentions(line: &str, operand: &str) -> bool {
    line.split('\\').skip(1).any(|word| {
        word.strip_prefix(operand).is_some_and(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            ["", "8", "16", "32"].contains(&&rest[..end])
        })
    })
}

fn assemble(text: &str, compiler: &str, dir: &Path, name: &str) -> Result<Vec<u8>, Vec<TemplateError>> {
    let source = dir.join(format!("{name}.s"));
    let object = dir.join(format!("{name}.o"));
    std::fs::write(&source, text)
        .map_err(|error| vec![tool_error(format!("cannot write {}: {error}", source.display()))])?;
    let mut words = compiler.split_whitespace();
    let output = Command::new(words.next().unwrap_or("cc"))
        .args(words)
        .args(["-c", "-x", "assembler", "-o"])
        .arg(&object)
        .arg(&source)
        .output()
        .map_err(|error| {
            vec![tool_error(format!(
                "cannot run `{compiler}`: {error}; install a C compiler, or name one in the environment variable CC"
            ))]
        })?;
    if !output.status.success() {
        return Err(assembler_errors(&String::from_utf8_lossy(&output.stderr), compiler));
    }
    std::fs::read(&object).map_err(|error| vec![tool_error(format!("cannot read {}: {error}", object.display()))])
}

/// The assembler's own messages, each once: every line of a template is assembled for many registers.
fn assembler_errors(stderr: &str, compiler: &str) -> Vec<TemplateError> {
    let mut errors: Vec<TemplateError> = Vec::new();
    for line in stderr.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(file), Some(number), Some(message)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let Ok(number) = number.trim().parse::<u32>() else { continue };
        let known = errors.iter().any(|e| e.file == file && e.line == number);
        if !known && message.to_ascii_lowercase().contains("error") {
            errors.push(TemplateError {
                file: file.to_owned(),
                line: number,
                template: String::new(),
                message: message.trim().to_owned(),
            });
        }
    }
    if errors.is_empty() {
        errors.push(tool_error(format!("`{compiler}` failed:\n{stderr}")));
    }
    errors
}

struct Relocation {
    offset: u64,
    symbol: String,
    kind: u32,
    addend: i64,
}

/// The assembled samples: text, labels and relocations.
struct Assembled<'a> {
    text: &'a [u8],
    labels: HashMap<&'a str, u64>,
    relocations: Vec<Relocation>,
}

impl<'a> Assembled<'a> {
    fn read(bytes: &'a [u8], samples: &[Sample]) -> Result<Assembled<'a>, String> {
        let file = object::File::parse(bytes).map_err(|e| format!("wrote an object that cannot be read: {e}"))?;
        let section = file.section_by_name(".text").ok_or("wrote an object without .text")?;
        let text = section.data().map_err(|e| e.to_string())?;
        let mut labels = HashMap::with_capacity(samples.len() * 4);
        for symbol in file.symbols() {
            labels.insert(symbol.name().map_err(|e| e.to_string())?, symbol.address());
        }
        let mut relocations = Vec::new();
        for (offset, relocation) in section.relocations() {
            let symbol = match relocation.target() {
                RelocationTarget::Symbol(index) => file.symbol_by_index(index).and_then(|s| s.name()).unwrap_or("?"),
                _ => "?",
            };
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            relocations.push(Relocation {
                offset,
                symbol: symbol.to_owned(),
                kind: r_type.0,
                addend: relocation.addend(),
            });
        }
        relocations.sort_by_key(|r| r.offset);
        Ok(Assembled { text, labels, relocations })
    }

    fn label(&self, name: &str) -> Option<u64> {
        self.labels.get(name).copied()
    }

    fn relocations_in(&self, start: u64, end: u64) -> &[Relocation] {
        let from = self.relocations.partition_point(|r| r.offset < start);
        let to = self.relocations.partition_point(|r| r.offset < end);
        &self.relocations[from..to]
    }
}

/// What is found out about a template.
struct Solved {
    chunks: Vec<Chunk>,
    len: u8,
    holes: Vec<Hole>,
    sites: Vec<Site>,
    starts: Vec<u8>,
}

impl Solved {
    fn with(self, template: Template) -> Extracted {
        Extracted {
            template,
            chunks: self.chunks,
            len: self.len,
            holes: self.holes,
            sites: self.sites,
            starts: self.starts,
        }
    }
}

/// One sample's bytes, cut into instructions.
struct Bytes {
    start: u64,
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

fn solve(
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
    let mut chunks = solve_chunks(template, samples, &bytes, &masks)?;
    let (starts, rex) = instruction_starts(&reference, template);
    let sites = sites(first, &reference, object);
    chunks[0].head = head(template, &holes, [bytes.len() as u8, chunks.len() as u8], rex, !sites.is_empty(), usual);
    check_samples(template, samples, &cuts, &chunks, &holes)?;
    Ok(Solved { chunks, len: bytes.len() as u8, holes, sites, starts })
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

fn relocation_holes(
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
            (other, _) => {
                return Err(t.error(format!(
                    "operand `{name}`: a relocation of ELF type {} fits no hole of kind {}: write it where the \
                     instruction takes a {} operand",
                    other.0,
                    kind.name(),
                    kind.name(),
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

/// The holes of one byte: the places that follow the sampled values.
fn byte_holes(template: &Template, samples: &[Sample], cuts: &[Vec<u8>]) -> Result<Vec<Hole>, TemplateError> {
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
            return Err(template.error(format!("operand `{name}`: its value stands in no one byte of the code")));
        };
        let (patch, addend) = if relative { (Patch::Rel8, -1) } else { (Patch::Abs8, 0) };
        holes.push(Hole { operand: number as u8, offset: offset as u8, patch, addend });
    }
    if holes.windows(2).any(|pair| pair[0].offset == pair[1].offset) {
        return Err(template.error("two one-byte operands of one kind cannot be told apart"));
    }
    Ok(holes)
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
) -> Result<Vec<Chunk>, TemplateError> {
    let mut chunks: Vec<Chunk> = words(bytes).iter().map(|&base| Chunk { base, ..Chunk::default() }).collect();
    if chunks.is_empty() {
        chunks.push(Chunk::default());
    }
    for (nth, operand) in registers(template).into_iter().enumerate() {
        let reg = samples[0].regs[operand];
        let [m0, m1, m2, m3] = [0, 1, 2, 3].map(|bit: usize| words(&masks[nth][bit]));
        for (i, chunk) in chunks.iter_mut().enumerate().take(m0.len()) {
            if m1[i] != m0[i] << 1 || m2[i] != m0[i] << 2 {
                return Err(template.error(format!(
                    "operand `{}`: the low bits of the register do not stand side by side in the code",
                    template.operands[operand].name
                )));
            }
            chunk.low[nth] = m0[i];
            chunk.high[nth] = m3[i];
            chunk.base ^= u64::from(reg & 7).wrapping_mul(m0[i]) ^ u64::from(reg >> 3).wrapping_mul(m3[i]);
        }
    }
    Ok(chunks)
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
    let first = reference.instructions.first();
    let droppable = |i: &&Vec<u8>| has_rex(i) && !bytes && i[prefix_len(i)] & 0x08 == 0;
    let rex = first.filter(droppable).map_or(0xff, |i| prefix_len(i) as u8);
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

/// The registers that placement puts operands into: the sets of `abi.inc` and the first two scratch registers.
fn placeable(abi: &Abi) -> [u16; 2] {
    let sets = abi.sets.iter().flat_map(|(_, registers)| registers).map(String::as_str);
    let scratch = ["SCRATCH0", "SCRATCH1", "FSCRATCH0", "FSCRATCH1"].into_iter().filter_map(|role| abi.role(role));
    let mut masks = [0; 2];
    for register in sets.chain(scratch).filter(|&register| abi.role("SCRATCH2") != Some(register)) {
        if let Some((number, vector)) = register_number(register) {
            masks[usize::from(vector)] |= 1 << number;
        }
    }
    masks
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
    if chunks == 1 && holes.is_empty() && flags & (Head::HAS_SITES | Head::HAS_COLD) == 0 {
        flags |= Head::PLAIN;
    }
    let place = |n: usize| match holes.get(n) {
        Some(hole) if hole.patch.size() == 1 => hole.offset | Head::BYTE_HOLE,
        Some(hole) if hole.patch.size() == 4 => hole.offset,
        _ => Head::NO_HOLE,
    };
    Head { len, chunks, rex, flags, info: 0, holes: [place(0), place(1)] }
}

/// Holds every sample against what the holes say: this is where an encoding that is not XOR-linear shows.
fn check_samples(
    template: &Template,
    samples: &[Sample],
    cuts: &[Vec<u8>],
    chunks: &[Chunk],
    holes: &[Hole],
) -> Result<(), TemplateError> {
    let operands = registers(template);
    for (sample, cut) in samples.iter().zip(cuts) {
        let mut regs = [0; MAX_REGS];
        operands.iter().enumerate().for_each(|(nth, &operand)| regs[nth] = sample.regs[operand]);
        let mut bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.word(regs).to_le_bytes()).collect();
        bytes.truncate(cut.len());
        for hole in holes.iter().filter(|hole| hole.patch.size() == 1) {
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
