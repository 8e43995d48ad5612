//! Templates against the opcode table: a snippet is run as machine code, by itself, and must give the bits that its
//! row's expression gives.
//!
//! Comes in: a library and the contract of one of its snippets. Goes out: how often it was run, or the first difference.
//! What must hold: the whole machine is watched, so a snippet that changes a register, a slot or memory that it has not
//! declared fails too; operands stand in every register that the stitcher may put them in, shared ones and scratch
//! registers included; what an operand's type does not cover is filled with noise, not with zeros.
//!
//! Operands for which the row says that it traps are left out: traps need the runtime. A snippet that reaches for memory
//! of its own can end the process: who does not trust one tries it in another.

mod custom;
mod form;
mod fused;
mod machine;
pub mod values;

use crate::isa::op::{Op, Shape, Type};
use crate::isa::snippet::{Info, Kind, Role};
use crate::library::Library;
use form::{Form, frame_noise, registers};
use machine::{Machine, State};
use values::{Noise, any, edges};

/// How many pairs of operands are tried with an assignment of registers that is not the first.
const PAIRS: usize = 16;
/// Where the slots that are watched lie, from the frame register.
const SLOTS: std::ops::Range<usize> = 24..0x400;

/// Tries a snippet: says how often it was run, or nothing where it is none that can be run by itself.
///
/// # Errors
/// The first operands for which it does not do what its row says.
pub fn attempt(library: &Library, info: &'static Info, seed: u64) -> Result<Option<usize>, String> {
    let mut trial = Trial { library, info, noise: Noise(seed) };
    let op = |name: &str| Op::ALL.iter().copied().find(|op| op.row().name() == name);
    if let Some(fusion) = info.fusion {
        return match fusion.second.filter(|_| fusion.branches()) {
            Some(second) => trial.value(fusion.first, Some(second == Op::Jmpt)).map(Some),
            None => fused::attempt(library, info, fusion, trial.noise).map(Some),
        };
    }
    if let Some(declared) = library.customs().iter().find(|custom| custom.op.name == info.name) {
        return custom::attempt(library, info, &declared.op, trial.noise);
    }
    let Some(op) = op(info.name) else {
        return match info.name {
            "zext8" => trial.part(|value| value & 0xff).map(Some),
            "zext16" => trial.part(|value| value & 0xffff).map(Some),
            "truth" => trial.part(|value| u64::from(value != 0)).map(Some),
            _ => Ok(None),
        };
    };
    match op.row().shape {
        Shape::Value => trial.value(op, None).map(Some),
        Shape::Branch => trial.branch().map(Some),
        Shape::Const | Shape::Move => trial.copy(op).map(Some),
        Shape::Select => trial.select(op).map(Some),
        Shape::Load | Shape::Store | Shape::NativeLoad | Shape::NativeStore => trial.memory(op).map(Some),
        _ => Ok(None),
    }
}

/// A snippet that is tried.
struct Trial<'l> {
    library: &'l Library,
    info: &'static Info,
    noise: Noise,
}

/// The types of a snippet's sources and of its result.
#[derive(Clone, Copy)]
struct Types {
    sources: [Type; 2],
    result: Type,
}

/// The values that are tried for a constant operand of this kind.
fn constants(kind: Kind, ty: Type) -> Vec<u64> {
    let fits = |value: &i64| match kind {
        Kind::Imm8 => i8::try_from(*value).is_ok(),
        Kind::Imm32 => i32::try_from(*value).is_ok(),
        Kind::Uimm32 => u32::try_from(*value).is_ok(),
        _ => true,
    };
    let all = edges(ty).into_iter().step_by(if kind == Kind::Lit { 5 } else { 1 });
    match ty {
        // A 32-bit constant is written sign-extended.
        Type::I32 if kind != Kind::Uimm32 => all.map(|v| i64::from(v as i32)).filter(fits).map(|v| v as u64).collect(),
        Type::I32 | Type::I64 | Type::Funcref | Type::Externref => {
            all.map(u64::cast_signed).filter(fits).map(|v| v as u64).collect()
        }
        Type::F32 | Type::F64 => all.collect(),
    }
}

/// Which operand is a constant, and of which kind.
fn constant(info: &Info) -> Option<(usize, Kind)> {
    let is_constant = |kind| matches!(kind, Kind::Imm8 | Kind::Imm32 | Kind::Uimm32 | Kind::Imm64 | Kind::Lit);
    let found = info.operands.iter().find(|o| o.role == Role::In && is_constant(o.kind))?;
    Some((usize::from(found.name == "b"), found.kind))
}

fn frame(machine: &Machine) -> Vec<u64> {
    SLOTS.step_by(8).map(|distance| machine.slot(distance)).collect()
}

/// An error where a slot has changed that belongs to no operand.
fn frame_unchanged(form: &Form<'_>, before: &[u64], machine: &Machine) -> Result<(), String> {
    let slots = form.slots();
    for (distance, (old, new)) in SLOTS.step_by(8).zip(before.iter().zip(frame(machine))) {
        if *old != new && !slots.contains(&distance) {
            return Err(format!("with {} it changes the slot at {distance}, which is no operand", form.describe()));
        }
    }
    Ok(())
}

/// Bytes of a load or store, and whether a load extends the sign: by the suffix.
fn width(suffix: &str) -> (usize, bool) {
    match suffix {
        "8" | "8u" => (1, false),
        "8s" => (1, true),
        "16" | "16u" => (2, false),
        "16s" => (2, true),
        "32s" => (4, true),
        "i32" | "f32" => (4, false),
        _ => (8, false),
    }
}

impl<'l> Trial<'l> {
    fn registers(&mut self) -> Result<Vec<[u8; 3]>, String> {
        let all = registers(self.info, &mut self.noise);
        if all.is_empty() { Err("no registers may stand in its operands".to_owned()) } else { Ok(all) }
    }

    /// One form of the snippet, ready to run, and where its code starts.
    fn ready(
        &self,
        regs: [u8; 3],
        immediate: Option<(usize, u64)>,
        branches_if: Option<bool>,
    ) -> Result<(Form<'l>, usize, Machine), String> {
        let form = Form::new(self.library, self.info, regs, immediate, branches_if);
        let mut code = Vec::new();
        let offset = form.assemble(&mut code);
        Machine::new(&code).map(|machine| (form, offset, machine))
    }

    /// A `value` opcode, or a fusion of one with a branch.
    fn value(&mut self, op: Op, branches_if: Option<bool>) -> Result<usize, String> {
        let row = op.row();
        let sources = [row.args[0], *row.args.get(1).unwrap_or(&row.args[0])];
        let types = Types { sources, result: row.result.unwrap_or(Type::I64) };
        let mut runs = 0;
        for (nth, regs) in self.registers()?.into_iter().enumerate() {
            let immediates = match constant(self.info) {
                Some((source, kind)) => {
                    constants(kind, sources[source]).into_iter().map(|v| Some((source, v))).collect()
                }
                None => vec![None],
            };
            let mut code = Vec::new();
            let form = |immediate| Form::new(self.library, self.info, regs, immediate, branches_if);
            let forms: Vec<(usize, Form<'_>)> =
                immediates.iter().map(|&i| form(i)).map(|form| (form.assemble(&mut code), form)).collect();
            let mut machine = Machine::new(&code)?;
            frame_noise(&mut machine, &mut self.noise);
            let before = frame(&machine);
            for ((offset, form), immediate) in forms.iter().zip(&immediates) {
                for mut given in pairs(sources, nth == 0, immediate.is_some(), &mut self.noise) {
                    if let Some((source, value)) = immediate {
                        given[*source] = *value;
                    }
                    if form.sources_share_a_place() {
                        given[1] = given[0];
                    }
                    let Some(Ok(expected)) = op.evaluate(given[0], given[1]) else { continue };
                    let expected = if branches_if.is_some() { u64::from(expected != 0) } else { expected };
                    compare(form, types, &mut machine, &mut self.noise, *offset, given, expected)?;
                    runs += 1;
                }
            }
            frame_unchanged(&forms[0].1, &before, &machine)?;
        }
        Ok(runs)
    }

    /// A part that computes something from one int.
    fn part(&mut self, meaning: impl Fn(u64) -> u64) -> Result<usize, String> {
        let mut runs = 0;
        for regs in self.registers()? {
            let (form, offset, mut machine) = self.ready(regs, None, None)?;
            let types = Types { sources: [Type::I64; 2], result: Type::I64 };
            for value in edges(Type::I64) {
                compare(&form, types, &mut machine, &mut self.noise, offset, [value, 0], meaning(value))?;
                runs += 1;
            }
        }
        Ok(runs)
    }

    /// A branch, which goes by all 64 bits.
    fn branch(&mut self) -> Result<usize, String> {
        let mut runs = 0;
        for regs in self.registers()? {
            let (form, offset, mut machine) = self.ready(regs, None, Some(self.info.name == "jmpt"))?;
            let types = Types { sources: [Type::I64; 2], result: Type::I32 };
            for value in edges(Type::I64) {
                let expected = u64::from(value != 0);
                compare(&form, types, &mut machine, &mut self.noise, offset, [value, 0], expected)?;
                runs += 1;
            }
        }
        Ok(runs)
    }

    /// A move or a constant.
    fn copy(&mut self, op: Op) -> Result<usize, String> {
        let ty = match op {
            Op::MoveF32 | Op::ConstF32 => Type::F32,
            Op::MoveF64 | Op::ConstF64 => Type::F64,
            Op::ConstI32 => Type::I32,
            _ => Type::I64,
        };
        let immediates = match constant(self.info) {
            Some((_, kind)) => constants(kind, ty).into_iter().map(|v| Some((0, v))).collect(),
            None => vec![None],
        };
        let mut runs = 0;
        for regs in self.registers()? {
            for immediate in &immediates {
                let (form, offset, mut machine) = self.ready(regs, *immediate, None)?;
                let value = immediate.map_or_else(|| any(ty, &mut self.noise), |(_, value)| value);
                let types = Types { sources: [ty; 2], result: ty };
                compare(&form, types, &mut machine, &mut self.noise, offset, [value, 0], ty.normalise(value))?;
                runs += 1;
            }
        }
        Ok(runs)
    }

    /// A `select`, which chooses by all 64 bits.
    fn select(&mut self, op: Op) -> Result<usize, String> {
        let ty = match op {
            Op::SelectF32 => Type::F32,
            Op::SelectF64 => Type::F64,
            _ => Type::I64,
        };
        let mut runs = 0;
        for regs in self.registers()? {
            let (form, offset, mut machine) = self.ready(regs, None, None)?;
            for condition in [0, 1, 1 << 32, u64::MAX, 1 << 63] {
                let mut state = State::new(|| self.noise.next());
                frame_noise(&mut machine, &mut self.noise);
                let condition = form.set_condition(condition, ty == Type::I64, &mut state);
                let [first, second] = form.sources(&state, &machine);
                let expected = ty.normalise(if condition == 0 { second } else { first });
                let before = state.clone();
                machine.run(offset, &mut state)?;
                let found = ty.normalise(form.result(&state, &machine));
                if found != expected {
                    let how = form.describe();
                    return Err(format!(
                        "with {how} and c={condition:#x} it gives {found:#x} instead of {expected:#x}"
                    ));
                }
                form.rest_unchanged(&before, &state)?;
                runs += 1;
            }
        }
        Ok(runs)
    }

    /// A load or store: it reaches its bytes and no others.
    fn memory(&mut self, op: Op) -> Result<usize, String> {
        let native = matches!(op.row().shape, Shape::NativeLoad | Shape::NativeStore);
        let store = matches!(op.row().shape, Shape::Store | Shape::NativeStore);
        let (bytes, signed) = width(op.row().suffix);
        let mut memory = vec![0u8; 0x100];
        let mut runs = 0;
        // Where the memory is taken for the whole address space, an offset beyond it is made up for by the base.
        for regs in self.registers()?.into_iter().filter(|regs| native || !regs.contains(&15)) {
            let immediate = constant(self.info).map(|(source, _)| (source, self.noise.next() as i8 as u64));
            let (form, offset, mut machine) = self.ready(regs, immediate, None)?;
            memory.fill_with(|| self.noise.next() as u8);
            let before = memory.clone();
            let mut state = State::new(|| self.noise.next());
            let index = self.noise.below(64) as u64;
            let base = (memory.as_mut_ptr() as u64).wrapping_sub(form.value("o"));
            if native {
                form.place("a", base.wrapping_add(index), &mut state, &mut machine);
            } else {
                form.place("a", index, &mut state, &mut machine);
                state.gp[15] = base;
            }
            let stored = form.stored(&state);
            let old = state.clone();
            machine.run(offset, &mut state)?;
            let at = index as usize..index as usize + bytes;
            let how = form.describe();
            let mut expected = before.clone();
            if store {
                expected[at.clone()].copy_from_slice(&stored.to_le_bytes()[..bytes]);
            }
            if memory != expected {
                return Err(format!("with {how} it leaves other bytes in memory than it should"));
            }
            if !store {
                let mut word = [0; 8];
                word[..bytes].copy_from_slice(&memory[at]);
                let shift = 64 - 8 * bytes as u32;
                let word = u64::from_le_bytes(word);
                let expected = if signed { ((word << shift) as i64 >> shift) as u64 } else { word };
                let found = form.result(&state, &machine);
                if found != expected {
                    return Err(format!("with {how} it gives {found:#x} instead of {expected:#x}"));
                }
            }
            form.rest_unchanged(&old, &state)?;
            runs += 1;
        }
        Ok(runs)
    }
}

/// Runs the code at `offset` with these sources, and compares everything with what is expected.
fn compare(
    form: &Form<'_>,
    types: Types,
    machine: &mut Machine,
    noise: &mut Noise,
    offset: usize,
    sources: [u64; 2],
    expected: u64,
) -> Result<(), String> {
    let mut state = State::new(|| noise.next());
    for (source, name) in ["a", "b"].iter().enumerate() {
        let wide = matches!(types.sources[source], Type::I64 | Type::F64);
        let Some(operand) = form.source(name) else { continue };
        let above = noise.next();
        let whole = if wide { sources[source] } else { sources[source] | above << 32 };
        form.place(operand, whole, &mut state, machine);
    }
    let before = state.clone();
    let slots = form.sources(&state, machine);
    machine.run(offset, &mut state)?;
    let found = form.result(&state, machine);
    // An i32 has zeros above it; of an f32 only the low half counts.
    let found = if types.result == Type::F32 { Type::F32.normalise(found) } else { found };
    if found != expected {
        let [a, b] = sources;
        let how = form.describe();
        let second = if form.source("b").is_some() { format!(" and b={b:#x}") } else { String::new() };
        return Err(format!("with {how} it gives {found:#x} for a={a:#x}{second}, which should be {expected:#x}"));
    }
    form.rest_unchanged(&before, &state)?;
    form.slots_unchanged(slots, machine)
}

/// Pairs of operands: every edge on either side with some of the other, or a small sample.
fn pairs(types: [Type; 2], all: bool, fewer: bool, noise: &mut Noise) -> Vec<[u64; 2]> {
    if all && !fewer {
        let [first, second] = types.map(edges);
        // Each form of an opcode starts elsewhere, so that together they meet nearly all pairs.
        let start = noise.below(5);
        let row = |(i, &a): (usize, &u64)| {
            second.iter().skip((start + i) % 5).step_by(5).map(|&b| [a, b]).collect::<Vec<_>>()
        };
        return first.iter().enumerate().flat_map(row).collect();
    }
    let count = if fewer { PAIRS / 4 } else { PAIRS };
    (0..count).map(|_| types.map(|ty| any(ty, noise))).collect()
}
