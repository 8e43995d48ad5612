//! From bytes and events to steps: which snippet stands where, and what its operands are.
//!
//! Comes in: one function of an image, and the events of its copying. Goes out: [`Decoded`], or a defect. What must
//! hold: operands are read from the bytes themselves; outside their holes the bytes are those of the snippet for these
//! registers; the steps follow each other without a gap; nothing of the stitcher's own arithmetic is used.

use std::ops::Range;

use crate::check::defect::Defect;
use crate::isa::fusion::Fusion;
use crate::isa::snippet::{Hole, Info, Kind, MAX_REGS, Patch};
use crate::library::Library;
use crate::stitch::image::Image;
use crate::stitch::trace::{Event, Step as Why, Trace};
use crate::verified::Verified;

/// An operand of a copied snippet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A register; vector registers start at 16.
    Register(u8),
    /// A constant, extended to 64 bits the way the instruction does it.
    Constant(u64),
    /// A frame word, by its distance from the stack pointer.
    Slot(i64),
    /// Something in the literal pool, by its place.
    Literal(u32),
    /// A place in the code.
    Code(u32),
    /// A hole that the instance fills, by its place.
    Data(u32),
}

/// A copied snippet.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which event of the trace it is.
    pub event: usize,
    /// The instruction that it was copied for; `u32::MAX` for the way into the function.
    pub inst: u32,
    /// Its contract.
    pub info: &'static Info,
    /// Its operands, in the order of the contract.
    pub operands: Vec<Operand>,
    /// Where it starts.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// Where offset 0 of the snippet stands: one before the start if a prefix was left out.
    pub base: u32,
}

impl Step {
    /// The operand with this name: its index.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<usize> {
        self.info.operands.iter().position(|operand| operand.name == name)
    }

    /// The operand with this name, or what is missing.
    pub(super) fn get(&self, name: &str) -> Result<Operand, String> {
        let index = self.named(name).ok_or_else(|| format!("the snippet has no operand `{name}`"))?;
        Ok(self.operands[index])
    }

    /// The place that a hole of this step has in the code.
    pub(super) fn hole(&self, hole: Hole) -> u32 {
        self.base.wrapping_add(u32::from(hole.offset))
    }

    /// What it stands for, where that is two instructions.
    #[must_use]
    pub fn fused(&self) -> Option<&'static Fusion> {
        self.info.fusion.filter(|fusion| fusion.second.is_some())
    }

    /// True where it stands for two instructions.
    #[must_use]
    pub fn is_fused(&self) -> bool {
        self.fused().is_some()
    }
}

/// One function as the checker reads it.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Its number.
    pub function: usize,
    /// The steps in line.
    pub steps: Vec<Step>,
    /// The steps out of line.
    pub cold: Vec<Step>,
    /// The steps of the way in.
    pub entry: Range<usize>,
    /// For each instruction, its steps.
    pub of: Vec<Range<usize>>,
    /// For each instruction, where its code starts.
    pub positions: Vec<u32>,
    /// Where literals and jump tables may stand.
    pub pool: Range<u32>,
}

/// Decodes function `number`.
///
/// # Errors
/// Where bytes, events and the image's own tables disagree.
pub fn decode(
    verified: &Verified,
    image: &Image,
    trace: &Trace,
    library: &Library,
    number: usize,
) -> Result<Decoded, Defect> {
    let whole = |message: String| Defect::new(verified, number, message);
    let bounds = trace.functions.get(number).zip(image.functions.get(number));
    let (&first, function) = bounds.ok_or_else(|| whole("the function is missing".to_owned()))?;
    let behind = trace.functions_end();
    let last = trace.functions.get(number + 1).copied().unwrap_or(behind);
    let mut steps = Vec::with_capacity(last - first);
    let mut cold = Vec::new();
    let mut at = function.entry;
    for (index, event) in trace.events.iter().enumerate().take(last).skip(first) {
        let fail = |message: String| whole(format!("event {index}: {message}")).at(verified, number, event.inst);
        if event.start != at || event.end <= event.start || event.end > function.end {
            let (start, end) = (event.start, event.end);
            return Err(fail(format!("stands at {start:#x}..{end:#x}, but the code goes on at {at:#x}")));
        }
        at = event.end;
        let step = decode_step(image, library, index, event).map_err(fail)?;
        if event.glue == Why::Cold {
            cold.push(step);
        } else if cold.is_empty() {
            steps.push(step);
        } else {
            return Err(fail("code in line stands behind code out of line".to_owned()));
        }
    }
    let count = verified.functions[number].insts.len();
    let (entry, of) = by_instruction(&steps, count).map_err(whole)?;
    let hot_end = cold.first().map_or(at, |step: &Step| step.start);
    let start_of = |range: &Range<usize>| steps.get(range.start).map_or(hot_end, |step| step.start);
    let positions = of.iter().map(start_of).collect();
    Ok(Decoded { function: number, steps, cold, entry, of, positions, pool: at..function.end })
}

/// The steps of the way in, and those of each instruction.
fn by_instruction(steps: &[Step], count: usize) -> Result<(Range<usize>, Vec<Range<usize>>), String> {
    let mut at = steps.iter().take_while(|step| step.inst == u32::MAX).count();
    let entry = 0..at;
    let mut of = Vec::with_capacity(count);
    for inst in 0..count {
        let start = at;
        at += steps[at..].iter().take_while(|step| step.inst as usize == inst).count();
        of.push(start..at);
    }
    match steps.get(at) {
        None => Ok((entry, of)),
        Some(step) => Err(format!("event {} is out of the order of the instructions", step.event)),
    }
}

/// The step that an event says was copied.
pub(super) fn decode_step(image: &Image, library: &Library, index: usize, event: &Event) -> Result<Step, String> {
    let info = library.info(event.chunk);
    if info.chunk != event.chunk {
        return Err(format!("no snippet starts at chunk {}", event.chunk));
    }
    if !library.serves(info) {
        return Err(format!("`{}` needs more than this machine has", info.name));
    }
    let base = compare(image, library, event, info)?;
    let mut step =
        Step { event: index, inst: event.inst, info, operands: Vec::new(), start: event.start, end: event.end, base };
    let mut registers = event.regs.iter();
    for (number, declared) in info.operands.iter().enumerate() {
        let operand = if declared.kind.is_register() {
            let &register = registers.next().ok_or("has too many register operands")?;
            if declared.allowed >> register & 1 == 0 {
                return Err(format!("register {register} must not stand in operand `{}`", declared.name));
            }
            Operand::Register(register + if declared.kind == Kind::Xmm { 16 } else { 0 })
        } else {
            let mut holes = info.holes.iter().filter(|hole| usize::from(hole.operand) == number);
            let hole = holes.next().ok_or_else(|| format!("operand `{}` has no hole", declared.name))?;
            let operand = value(image, &step, *hole, declared.kind);
            if holes.any(|hole| value(image, &step, *hole, declared.kind) != operand) {
                return Err(format!("the holes of operand `{}` disagree", declared.name));
            }
            operand
        };
        step.operands.push(operand);
    }
    Ok(step)
}

/// Holds the bytes against the snippet, holes left out; says where its offset 0 stands.
fn compare(image: &Image, library: &Library, event: &Event, info: &Info) -> Result<u32, String> {
    if event.regs.iter().any(|&register| register > 15) || event.regs.len() != MAX_REGS {
        return Err("names a register that there is not".to_owned());
    }
    let mut expected: Vec<Option<u8>> = library.bytes(event.chunk, event.regs).into_iter().map(Some).collect();
    for hole in info.holes {
        let start = usize::from(hole.offset);
        expected[start..start + hole.patch.size()].fill(None);
    }
    let code = image.code.get(event.start as usize..event.end as usize).ok_or("lies outside the code")?;
    let rex = usize::from(library.chunks()[usize::from(event.chunk)].head.rex);
    let short = code.len() + 1 == expected.len();
    if short {
        if expected.get(rex) != Some(&Some(0x40)) {
            return Err("is one byte short, without a prefix that may be left out".to_owned());
        }
        expected.remove(rex);
    }
    if code.len() != expected.len() {
        return Err(format!("has {} bytes, but `{}` has {}", code.len(), info.name, expected.len()));
    }
    let differs = code.iter().zip(&expected).position(|(&byte, wanted)| wanted.is_some_and(|wanted| wanted != byte));
    if let Some(at) = differs {
        let wanted = expected[at].unwrap_or_default();
        return Err(format!(
            "byte {at} of `{}` for these registers is {wanted:#04x}, but {:#04x} stands there",
            info.name, code[at]
        ));
    }
    Ok(event.start.wrapping_sub(u32::from(short)))
}

/// The `N` bytes at `at`; zeros where the code has ended, which the comparison of the snippet has ruled out.
fn bytes<const N: usize>(image: &Image, at: u32) -> [u8; N] {
    image.code.get(at as usize..).and_then(|code| code.first_chunk()).copied().unwrap_or([0; N])
}

/// What a value hole holds.
fn value(image: &Image, step: &Step, hole: Hole, kind: Kind) -> Operand {
    let at = step.hole(hole);
    let byte = i64::from(i8::from_le_bytes(bytes(image, at)));
    let signed = i64::from(i32::from_le_bytes(bytes(image, at)));
    let number = match hole.patch {
        Patch::Abs8 | Patch::Rel8 => byte,
        Patch::Abs32S | Patch::Rel32 => signed,
        Patch::Abs32 => i64::from(u32::from_le_bytes(bytes(image, at))),
        Patch::Abs64 => i64::from_le_bytes(bytes(image, at)),
    };
    let target = i64::from(at).wrapping_add(number).wrapping_sub(i64::from(hole.addend)) as u32;
    match kind {
        Kind::Slot8 | Kind::Slot32 => Operand::Slot(number),
        Kind::Lit => Operand::Literal(target),
        Kind::Rel8 | Kind::Rel32 => Operand::Code(target),
        Kind::Data => Operand::Data(at),
        _ => Operand::Constant(number as u64),
    }
}
