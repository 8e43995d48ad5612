//! Templates against the opcode table: every one is run as machine code, by itself, and must give the bits that the
//! row's expression gives.
//!
//! Comes in: the built-in library. Goes out: failures that name template, registers and operands. What must hold: the
//! whole machine is watched, so a snippet that changes a register, a slot or memory that it has not declared fails too;
//! operands stand in every register that the stitcher may put them in, shared ones and scratch registers included; what
//! an operand's type does not cover is filled with noise, not with zeros.
//!
//! Operands for which the row says that it traps are left out: traps need the runtime.
#![allow(unsafe_code, reason = "templates are run as machine code without the runtime around them")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "operands are bit patterns here, and every distance is small"
)]

mod forms;
mod machine;
mod values;

use forms::{Form, frame_noise, registers};
use machine::{Machine, State};
use spasm::isa::op::{Op, Shape, Type};
use spasm::isa::snippet::{Info, Kind, Role};
use spasm::library::{Library, native_features};
use values::{Noise, any, edges};

/// How many pairs of operands are tried with an assignment of registers that is not the first.
const PAIRS: usize = 16;

fn infos() -> impl Iterator<Item = &'static Info> {
    Library::native().infos().iter().filter(|info| native_features().has(info.needs))
}

fn op(name: &str) -> Option<Op> {
    Op::ALL.iter().copied().find(|op| op.row().name() == name)
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
        Type::I32 | Type::I64 => all.map(u64::cast_signed).filter(fits).map(|v| v as u64).collect(),
        Type::F32 | Type::F64 => all.collect(),
    }
}

/// Runs one template in one form for many operands.
struct Trial<'a> {
    form: &'a Form,
    types: [Type; 2],
    result: Type,
    machine: &'a mut Machine,
    noise: &'a mut Noise,
}

impl Trial<'_> {
    /// Runs the code at `offset` with these sources, and compares everything with what is expected.
    fn run(&mut self, offset: usize, sources: [u64; 2], expected: u64) {
        let mut state = State::new(|| self.noise.next());
        for (source, name) in ["a", "b"].iter().enumerate() {
            let wide = matches!(self.types[source], Type::I64 | Type::F64);
            let Some(operand) = self.form.source(name) else { continue };
            let noise = self.noise.next();
            let whole = if wide { sources[source] } else { sources[source] | noise << 32 };
            self.form.place(operand, whole, &mut state, self.machine);
        }
        let before = state.clone();
        let slots = self.form.sources(&state, self.machine);
        self.machine.run(offset, &mut state);
        let found = self.form.result(&state, self.machine);
        // An i32 has zeros above it; of an f32 only the low half counts.
        let found = if self.result == Type::F32 { Type::F32.normalise(found) } else { found };
        let (info, form) = (self.form.info, self.form);
        assert!(
            found == expected,
            "{} ({}:{}) with {} gives {found:#x} for {:#x} and {:#x}, which should be {expected:#x}",
            info.name,
            info.file,
            info.line,
            form.describe(),
            sources[0],
            sources[1],
        );
        form.assert_rest_unchanged(&before, &state);
        form.assert_slots_unchanged(slots, self.machine);
    }
}

fn frame(machine: &Machine) -> Vec<u64> {
    (24..0x400).step_by(8).map(|distance| machine.slot(distance)).collect()
}

/// Fails where a slot has changed that belongs to no operand.
fn assert_frame_unchanged(form: &Form, before: &[u64], machine: &Machine) {
    let slots = form.slots();
    for (nth, (old, new)) in before.iter().zip(frame(machine)).enumerate() {
        let distance = 24 + nth * 8;
        let (name, same) = (form.info.name, *old == new || slots.contains(&distance));
        assert!(same, "{name} with {} changes the slot at {distance}, which is no operand", form.describe());
    }
}

/// Which operand is a constant, and of which kind.
fn constant(info: &Info) -> Option<(usize, Kind)> {
    let is_constant = |kind| matches!(kind, Kind::Imm8 | Kind::Imm32 | Kind::Uimm32 | Kind::Imm64 | Kind::Lit);
    let found = info.operands.iter().find(|o| o.role == Role::In && is_constant(o.kind))?;
    Some((usize::from(found.name == "b"), found.kind))
}

/// Tries a template of a `value` opcode, or a fusion of one with a branch.
fn try_value(info: &'static Info, op: Op, branches_if: Option<bool>, noise: &mut Noise) -> usize {
    let row = op.row();
    let types = [row.args[0], *row.args.get(1).unwrap_or(&row.args[0])];
    let result = row.result.expect("a value has a type");
    let mut runs = 0;
    for (nth, regs) in registers(info, noise).into_iter().enumerate() {
        let immediates = match constant(info) {
            Some((source, kind)) => constants(kind, types[source]).into_iter().map(|v| Some((source, v))).collect(),
            None => vec![None],
        };
        let mut code = Vec::new();
        let forms: Vec<(usize, Form)> = immediates
            .iter()
            .map(|immediate| {
                let form = Form::new(info, regs, *immediate, branches_if);
                (form.assemble(&mut code), form)
            })
            .collect();
        let mut machine = Machine::new(&code);
        frame_noise(&mut machine, noise);
        let before = frame(&machine);
        for ((offset, form), immediate) in forms.iter().zip(&immediates) {
            let mut trial = Trial { form, types, result, machine: &mut machine, noise };
            for mut sources in pairs(types, nth == 0, immediate.is_some(), trial.noise) {
                if let Some((source, value)) = immediate {
                    sources[*source] = *value;
                }
                if form.sources_share_a_place() {
                    sources[1] = sources[0];
                }
                let Some(Ok(expected)) = op.evaluate(sources[0], sources[1]) else { continue };
                let expected = if branches_if.is_some() { u64::from(expected != 0) } else { expected };
                trial.run(*offset, sources, expected);
                runs += 1;
            }
        }
        assert_frame_unchanged(&forms[0].1, &before, &machine);
    }
    runs
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

#[test]
fn every_value_template_gives_the_bits_of_its_row() {
    let mut noise = Noise(1);
    let mut tried = 0;
    for info in infos() {
        let Some(op) = op(info.name).filter(|op| op.row().shape == Shape::Value) else { continue };
        assert!(try_value(info, op, None, &mut noise) > 100, "{} was hardly tried", info.name);
        tried += 1;
    }
    assert!(tried > 400, "only {tried} templates were tried");
}

#[test]
fn every_fused_branch_goes_where_its_row_says() {
    let mut noise = Noise(2);
    let mut tried = 0;
    for info in infos() {
        let Some((first, second)) = info.name.split_once('+') else { continue };
        let op = op(first).expect("a fusion starts with an opcode");
        assert!(try_value(info, op, Some(second == "jmpt"), &mut noise) > 100, "{} was hardly tried", info.name);
        tried += 1;
    }
    assert!(tried > 300, "only {tried} templates were tried");
}

#[test]
fn branches_go_by_all_64_bits() {
    let mut noise = Noise(6);
    let mut tried = 0;
    for info in infos().filter(|info| matches!(info.name, "jmpt" | "jmpf")) {
        for regs in registers(info, &mut noise) {
            let form = Form::new(info, regs, None, Some(info.name == "jmpt"));
            let mut code = Vec::new();
            let offset = form.assemble(&mut code);
            let mut machine = Machine::new(&code);
            let (types, result) = ([Type::I64; 2], Type::I32);
            let mut trial = Trial { form: &form, types, result, machine: &mut machine, noise: &mut noise };
            for value in edges(Type::I64) {
                trial.run(offset, [value, 0], u64::from(value != 0));
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "only {tried} branches were tried");
}

#[test]
fn moves_and_constants_give_what_they_are_given() {
    let mut noise = Noise(3);
    let mut tried = 0;
    for info in infos() {
        let Some(op) = op(info.name) else { continue };
        let ty = match op {
            Op::MoveI64 | Op::ConstI64 => Type::I64,
            Op::MoveF32 | Op::ConstF32 => Type::F32,
            Op::MoveF64 | Op::ConstF64 => Type::F64,
            Op::ConstI32 => Type::I32,
            _ => continue,
        };
        tried += 1;
        let immediates = match constant(info) {
            Some((_, kind)) => constants(kind, ty).into_iter().map(|v| Some((0, v))).collect(),
            None => vec![None],
        };
        for regs in registers(info, &mut noise) {
            for immediate in &immediates {
                let form = Form::new(info, regs, *immediate, None);
                let mut code = Vec::new();
                let offset = form.assemble(&mut code);
                let mut machine = Machine::new(&code);
                let value = immediate.map_or_else(|| any(ty, &mut noise), |(_, value)| value);
                let mut trial =
                    Trial { form: &form, types: [ty; 2], result: ty, machine: &mut machine, noise: &mut noise };
                trial.run(offset, [value, 0], ty.normalise(value));
            }
        }
    }
    assert!(tried > 20, "only {tried} templates were tried");
}

#[test]
fn select_chooses_by_all_64_bits() {
    let mut noise = Noise(4);
    for info in infos() {
        let ty = match op(info.name) {
            Some(Op::SelectI64) => Type::I64,
            Some(Op::SelectF32) => Type::F32,
            Some(Op::SelectF64) => Type::F64,
            _ => continue,
        };
        for regs in registers(info, &mut noise) {
            let form = Form::new(info, regs, None, None);
            let mut code = Vec::new();
            let offset = form.assemble(&mut code);
            let mut machine = Machine::new(&code);
            for condition in [0, 1, 1 << 32, u64::MAX, 1 << 63] {
                let mut state = State::new(|| noise.next());
                frame_noise(&mut machine, &mut noise);
                let condition = form.set_condition(condition, ty == Type::I64, &mut state);
                let [first, second] = form.sources(&state, &machine);
                let expected = ty.normalise(if condition == 0 { second } else { first });
                let before = state.clone();
                machine.run(offset, &mut state);
                let found = ty.normalise(form.result(&state, &machine));
                assert_eq!(found, expected, "{} with {} and c={condition:#x}", info.name, form.describe());
                form.assert_rest_unchanged(&before, &state);
            }
        }
    }
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

#[test]
fn loads_and_stores_reach_their_bytes_and_no_others() {
    let mut noise = Noise(5);
    let mut memory = vec![0u8; 0x100];
    for info in infos() {
        let reaches =
            |op: &Op| matches!(op.row().shape, Shape::Load | Shape::Store | Shape::NativeLoad | Shape::NativeStore);
        let Some(op) = op(info.name).filter(reaches) else { continue };
        let store = matches!(op.row().shape, Shape::Store | Shape::NativeStore);
        let native = matches!(op.row().shape, Shape::NativeLoad | Shape::NativeStore);
        let (bytes, signed) = width(op.row().suffix);
        // Where the memory is taken for the whole address space, an offset beyond it is made up for by the base.
        for regs in registers(info, &mut noise).into_iter().filter(|regs| native || !regs.contains(&15)) {
            let immediate = constant(info).map(|(source, _)| (source, noise.next() as i8 as u64));
            let form = Form::new(info, regs, immediate, None);
            let mut code = Vec::new();
            let offset = form.assemble(&mut code);
            let mut machine = Machine::new(&code);
            memory.fill_with(|| noise.next() as u8);
            let before = memory.clone();
            let mut state = State::new(|| noise.next());
            let index = noise.below(64) as u64;
            let base = (memory.as_mut_ptr() as u64).wrapping_sub(form.value("o"));
            if native {
                form.place("a", base.wrapping_add(index), &mut state, &mut machine);
            } else {
                form.place("a", index, &mut state, &mut machine);
                state.gp[15] = base;
            }
            let stored = form.stored(&state);
            let old = state.clone();
            machine.run(offset, &mut state);
            let at = index as usize..index as usize + bytes;
            if store {
                assert_eq!(memory[at.clone()], stored.to_le_bytes()[..bytes], "{} with {}", info.name, form.describe());
                let rest = |bytes: &[u8]| [&bytes[..at.start], &bytes[at.end..]].concat();
                assert_eq!(rest(&memory), rest(&before), "{} with {}", info.name, form.describe());
            } else {
                assert_eq!(memory, before);
                let mut word = [0; 8];
                word[..bytes].copy_from_slice(&memory[at]);
                let shift = 64 - 8 * bytes as u32;
                let word = u64::from_le_bytes(word);
                let expected = if signed { ((word << shift) as i64 >> shift) as u64 } else { word };
                assert_eq!(form.result(&state, &machine), expected, "{} with {}", info.name, form.describe());
            }
            form.assert_rest_unchanged(&old, &state);
        }
    }
}

#[test]
fn what_c_calls_need_does_what_it_says() {
    let mut noise = Noise(7);
    let mut tried = 0;
    for info in infos() {
        let expected = |value: u64| match info.name {
            "zext8" => Some(value & 0xff),
            "zext16" => Some(value & 0xffff),
            "truth" => Some(u64::from(value != 0)),
            _ => None,
        };
        if expected(0).is_none() {
            continue;
        }
        for regs in registers(info, &mut noise) {
            let form = Form::new(info, regs, None, None);
            let mut code = Vec::new();
            let offset = form.assemble(&mut code);
            let mut machine = Machine::new(&code);
            for value in edges(Type::I64) {
                let mut state = State::new(|| noise.next());
                form.place("a", value, &mut state, &mut machine);
                let before = state.clone();
                machine.run(offset, &mut state);
                let (found, name) = (form.result(&state, &machine), info.name);
                assert_eq!(Some(found), expected(value), "{name} of {value:#x} with {}", form.describe());
                form.assert_rest_unchanged(&before, &state);
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "only {tried} values were tried");
}
