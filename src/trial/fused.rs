//! Templates of fusions: held against the expressions of the rows that they stand for, one after the other.
//!
//! Comes in: a library and the contract of one of its snippets. Goes out: how often it was run, or the first difference.
//! What must hold: what a type does not cover is noise; the constants that the declaration asks for are all that is tried
//! in their places; a load finds its value where its address says, with other bytes around it.

use crate::isa::custom::SOURCES;
use crate::isa::fusion::{Fusion, When};
use crate::isa::op::{Shape, Type};
use crate::isa::snippet::{Info, MAX_REGS};
use crate::library::Library;

use super::custom::is_given;
use super::form::{Form, frame_noise, registers};
use super::machine::{Machine, State};
use super::values::{Noise, any, edges};
use super::{frame, frame_unchanged, width};

/// How many lists of operands are tried with the first assignment of registers, and with each other one.
const LISTS: [usize; 2] = [600, 24];

/// What is tried: the fusion, and the memory that it may read.
struct Trial {
    fusion: &'static Fusion,
    memory: Vec<u8>,
}

/// Tries a snippet of a fusion that computes a value.
pub(super) fn attempt(
    library: &Library,
    info: &'static Info,
    fusion: &'static Fusion,
    mut noise: Noise,
) -> Result<usize, String> {
    let linear = fusion.first.row().shape == Shape::Load;
    let mut all = registers(info, &mut noise);
    // Linear memory is where its own register says.
    all.retain(|regs| is_given(info, *regs) && !(linear && regs.contains(&15)));
    if all.is_empty() {
        return Err("no registers may stand in its operands".to_owned());
    }
    let mut trial = Trial { fusion, memory: vec![0; 0x100] };
    let mut runs = 0;
    for (nth, regs) in all.into_iter().enumerate() {
        for exponent in exponents(fusion, nth == 0, &mut noise) {
            let form = Form::new(library, info, regs, Some((1, exponent)), None);
            let mut code = Vec::new();
            let offset = form.assemble(&mut code);
            let mut machine = Machine::new(&code)?;
            frame_noise(&mut machine, &mut noise);
            let before = frame(&machine);
            let lists = LISTS[usize::from(nth > 0)];
            let power = fusion.when.contains(&When::Power);
            for list in 0..if power { lists / 8 } else { lists } {
                let args = trial.operands(exponent, list, &mut noise);
                trial.run(&form, offset, &mut machine, args, &mut noise)?;
                runs += 1;
            }
            frame_unchanged(&form, &before, &machine)?;
        }
    }
    Ok(runs)
}

/// The exponents to try where a power of two is asked for: all of them with the first assignment of registers.
fn exponents(fusion: &Fusion, all: bool, noise: &mut Noise) -> Vec<u64> {
    let of = |nth: usize| fusion.sources()[nth].filter(|_| fusion.when[nth] == When::Power);
    match (0..MAX_REGS).find_map(of) {
        None => vec![0],
        Some(ty) => {
            let bits = if ty == Type::I32 { 32 } else { 64 };
            if all { (0..bits as u64).collect() } else { vec![noise.below(bits) as u64] }
        }
    }
}

impl Trial {
    /// Sources, edges at first; where a constant is asked for, that one.
    fn operands(&self, exponent: u64, list: usize, noise: &mut Noise) -> [u64; MAX_REGS] {
        let types = self.fusion.sources();
        std::array::from_fn(|nth| match (types[nth], self.fusion.when[nth]) {
            (None, _) => 0,
            (Some(ty), When::Is(value)) => ty.normalise(i64::from(value).cast_unsigned()),
            (Some(_), When::Power) => 1 << exponent,
            (Some(ty), When::Any) if list < LISTS[0] / 3 => {
                let edges = edges(ty);
                edges[noise.below(edges.len())]
            }
            (Some(ty), When::Any) => any(ty, noise),
        })
    }

    fn run(
        &mut self,
        form: &Form<'_>,
        offset: usize,
        machine: &mut Machine,
        mut args: [u64; MAX_REGS],
        noise: &mut Noise,
    ) -> Result<(), String> {
        let types = self.fusion.sources();
        let mut state = State::new(|| noise.next());
        let operand = |nth: usize| form.source(SOURCES[nth]).filter(|_| types[nth].is_some());
        let mut loaded = None;
        if self.fusion.loads() {
            args[0] = self.address(form, &mut state, noise, &mut loaded);
        }
        let is_address = |nth: usize| nth == 0 && self.fusion.loads();
        // Sources may share a register: each is what it finds there, and an address stays one.
        for nth in (0..MAX_REGS).rev() {
            let Some(name) = operand(nth) else { continue };
            let narrow = !is_address(nth) && matches!(types[nth], Some(Type::I32 | Type::F32));
            let above = if narrow { noise.next() << 32 } else { 0 };
            form.place(name, args[nth] | above, &mut state, machine);
        }
        for nth in (0..MAX_REGS).filter(|&nth| !is_address(nth)) {
            if let (Some(name), Some(ty)) = (operand(nth), types[nth]) {
                args[nth] = ty.normalise(form.read(name, &state, machine));
            }
        }
        let before = state.clone();
        machine.run(offset, &mut state)?;
        let shown = || {
            let sources = (0..MAX_REGS).filter(|&nth| types[nth].is_some());
            let mut text: Vec<String> = sources.map(|nth| format!("{}={:#x}", SOURCES[nth], args[nth])).collect();
            text.extend(loaded.map(|bits| format!("{bits:#x} in memory")));
            text.join(" ")
        };
        let how = form.describe();
        let Some(expected) = self.fusion.evaluate(args, loaded) else {
            return Err(format!("stands for what traps with {}: no template is for that", shown()));
        };
        let found = form.read("d", &state, machine);
        let found = if self.fusion.result() == Some(Type::F32) { Type::F32.normalise(found) } else { found };
        if found != expected {
            return Err(format!("with {how} it gives {found:#x} for {}, which should be {expected:#x}", shown()));
        }
        form.rest_unchanged(&before, &state)
    }

    /// Puts a value into memory; gives what must stand in `a` for the load to find it.
    fn address(&mut self, form: &Form<'_>, state: &mut State, noise: &mut Noise, loaded: &mut Option<u64>) -> u64 {
        let row = self.fusion.first.row();
        let (bytes, signed) = width(row.suffix);
        let at = noise.below(64);
        self.memory.fill_with(|| noise.next() as u8);
        let ty = if bytes == 8 || signed { row.result.unwrap_or(Type::I64) } else { Type::I32 };
        let value = if row.result.is_some_and(|ty| ty.class().is_float()) {
            any(row.result.unwrap_or(Type::F64), noise)
        } else {
            any(ty, noise)
        };
        self.memory[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        let shift = 64 - 8 * bytes as u32;
        *loaded = Some(if signed { ((value << shift) as i64 >> shift) as u64 } else { value << shift >> shift });
        let base = (self.memory.as_mut_ptr() as u64).wrapping_sub(form.value("o"));
        if row.shape == Shape::NativeLoad {
            return base.wrapping_add(at as u64);
        }
        state.gp[15] = base;
        at as u64
    }
}
