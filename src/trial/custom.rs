//! Templates of declared opcodes: there is no row to hold them against, so that they are held against each other, and each
//! against itself in other registers.
//!
//! Comes in: a library and the contract of one of its snippets. Goes out: how often it was run, or the first difference.
//! What must hold: what a type does not cover is noise, so that a snippet which reads the upper half of an `i32` is found
//! out; the whole machine is watched.

use crate::isa::custom::{CustomOp, SOURCES};
use crate::isa::op::Type;
use crate::isa::snippet::{Info, MAX_REGS, Role};
use crate::library::Library;

use super::form::{Form, frame_noise, registers};
use super::machine::{Machine, State};
use super::values::{Noise, any, edges};
use super::{frame, frame_unchanged};

/// How many lists of operands are tried with the first assignment of registers, and with each other one.
const LISTS: [usize; 2] = [400, 16];

/// A snippet that is ready to run in certain registers.
struct Ready<'l> {
    form: Form<'l>,
    machine: Machine,
    offset: usize,
}

impl<'l> Ready<'l> {
    fn new(library: &'l Library, info: &'static Info, regs: [u8; MAX_REGS], noise: &mut Noise) -> Result<Self, String> {
        let form = Form::new(library, info, regs, None, None);
        let mut code = Vec::new();
        let offset = form.assemble(&mut code);
        let mut machine = Machine::new(&code)?;
        frame_noise(&mut machine, noise);
        Ok(Ready { form, machine, offset })
    }

    /// Runs it: gives the operands as it found them, which may share registers, and the result.
    fn run(&mut self, op: &CustomOp, args: &[u64], noise: &mut Noise) -> Result<(Vec<u64>, u64), String> {
        let Ready { form, machine, offset } = self;
        let mut state = State::new(|| noise.next());
        let sources = || SOURCES.iter().zip(&op.params);
        for ((name, ty), &value) in sources().zip(args) {
            let above = if matches!(ty, Type::I32 | Type::F32) { noise.next() << 32 } else { 0 };
            form.place(form.source(name).unwrap_or(name), value | above, &mut state, machine);
        }
        let found =
            sources().map(|(name, ty)| ty.normalise(form.read(form.source(name).unwrap_or(name), &state, machine)));
        let found = found.collect();
        let before = state.clone();
        machine.run(*offset, &mut state)?;
        form.rest_unchanged(&before, &state)?;
        let result = op.result.map_or(0, |_| form.read("d", &state, machine));
        Ok((found, if op.result == Some(Type::F32) { Type::F32.normalise(result) } else { result }))
    }
}

/// Tries a snippet of a declared opcode; nothing where there is nothing to compare.
pub(super) fn attempt(
    library: &Library,
    info: &'static Info,
    op: &CustomOp,
    mut noise: Noise,
) -> Result<Option<usize>, String> {
    let runs_here = |other: &&&Info| other.name == info.name && library.serves(other);
    // What reads nothing may give what it likes.
    let (false, Some(first)) = (op.params.is_empty(), library.infos().iter().find(|other| runs_here(&other))) else {
        return Ok(None);
    };
    let [all, known] = [info, first].map(|info| {
        let mut all = registers(info, &mut noise);
        all.retain(|regs| is_given(info, *regs));
        all
    });
    let (Some(_), Some(&plain)) = (all.first(), known.first()) else {
        return Err("no registers may stand in its operands".to_owned());
    };
    let mut reference = Ready::new(library, first, plain, &mut noise)?;
    let mut runs = 0;
    for (nth, regs) in all.into_iter().enumerate() {
        let mut ready = Ready::new(library, info, regs, &mut noise)?;
        let before = frame(&ready.machine);
        for list in 0..LISTS[usize::from(nth > 0)] {
            let args: Vec<u64> = op.params.iter().map(|&ty| operand(ty, list, &mut noise)).collect();
            let (given, found) = ready.run(op, &args, &mut noise)?;
            let (_, expected) = reference.run(op, &given, &mut noise)?;
            let how = ready.form.describe();
            let shown: Vec<String> =
                SOURCES.iter().zip(&given).map(|(name, value)| format!("{name}={value:#x}")).collect();
            let shown = shown.join(" ");
            if found != expected {
                let (other, line) = (reference.form.describe(), first.line);
                return Err(format!(
                    "with {how} it gives {found:#x} for {shown}, but the template on line {line} gives {expected:#x} with {other}"
                ));
            }
            if op.result == Some(Type::I32) && found >> 32 != 0 {
                return Err(format!(
                    "with {how} it gives {found:#x} for {shown}: the upper half of an i32 must be zero"
                ));
            }
            runs += 1;
        }
        frame_unchanged(&ready.form, &before, &ready.machine)?;
    }
    Ok(Some(runs))
}

/// True where the stitcher may give these registers to a declared opcode or a fusion: what takes the place of the first source has
/// its register for itself.
pub(super) fn is_given(info: &Info, regs: [u8; MAX_REGS]) -> bool {
    let operands = || info.operands.iter().zip(regs);
    operands().filter(|(operand, _)| operand.role == Role::InOut).all(|(d, register)| {
        operands().all(|(other, its)| other.name == d.name || other.kind != d.kind || its != register)
    })
}

/// Edges at first, then anything.
fn operand(ty: Type, list: usize, noise: &mut Noise) -> u64 {
    if list < LISTS[0] / 4 {
        let edges = edges(ty);
        return edges[noise.below(edges.len())];
    }
    any(ty, noise)
}
