//! Snippets that carry values from place to place without computing anything: what they do to the state.
//!
//! Comes in: a step. Goes out: the state behind it, or that it is no such snippet. What must hold: a snippet not named
//! here carries nothing.

use crate::check::bytes;
use crate::check::decode::{Operand, Step};
use crate::check::state::{Half, Name, State, Word};
use crate::isa::op::{Op, Shape};
use crate::module::Inst;
use crate::stitch::image::Image;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It carries nothing: it must be what the instruction asks for.
    Not,
    /// It put a value where it was not before.
    Changed,
    /// The value was there already.
    Idle,
}

/// What may be done on the way to the snippet of an instruction, beside carrying values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glue {
    /// Nothing.
    Plain,
    /// An address in linear memory is computed: an `add.i64`.
    Address,
    /// Values are packed and extended as C has them, and taken apart.
    C,
    /// A cell is read that holds this.
    Cell(Name),
}

/// Applies a step that carries a value.
pub fn carry(state: &mut State, step: &Step, image: &Image, glue: Glue) -> Result<Carried, String> {
    let name = step.info.name;
    if name == "landing" && glue == Glue::Plain {
        return Ok(Carried::Changed);
    }
    if let (Glue::Cell(held), "cell") = (glue, name) {
        return Ok(done(state.write(step.get("d")?, Word::named(held))?));
    }
    if glue == Glue::C {
        if let Some(word) = shaped(state, step)? {
            return Ok(done(state.write(step.get("d")?, word)?));
        }
    }
    if name.starts_with("frame.") {
        return frame(state, step);
    }
    let source = |state: &mut State| state.read(step.get("a")?);
    let word = match name {
        "move.i64" | "move.f64" | "bits.i64.f64" | "bits.f64.i64" | "const.i32" | "const.i64" => source(state)?,
        "move.f32" => return move_f32(state, step),
        "wrap" | "extu" | "bits.i32.f32" | "bits.f32.i32" => source(state)?.low(),
        "const.f32" => Word::constant(u64::from(u32::from_le_bytes(literal(image, step.get("a")?)?))),
        "const.f64" => Word::constant(u64::from_le_bytes(literal(image, step.get("a")?)?)),
        "zero.i64" | "zero.f64" => Word::constant(0),
        "context" => Word::named(Name::Context),
        "add.i64" if glue == Glue::Address && step.named("a").is_none() => sum(state, step)?,
        _ => return Ok(Carried::Not),
    };
    Ok(done(state.write(step.get("d")?, word)?))
}

fn done(same: bool) -> Carried {
    if same { Carried::Idle } else { Carried::Changed }
}

/// Four bytes from memory come zero-extended; four bytes into memory leave the upper half of the word alone; between
/// registers everything is copied.
fn move_f32(state: &mut State, step: &Step) -> Result<Carried, String> {
    let (from, to) = (step.get("a")?, step.get("d")?);
    let word = state.read(from)?;
    let word = match (from, to) {
        (Operand::Slot(_), _) => word.low(),
        (_, Operand::Slot(_)) => Word { hi: state.read(to)?.hi, ..word },
        _ => word,
    };
    let same = state.read(to)?.lo == word.lo && word.lo != Half::Unknown && matches!(to, Operand::Slot(_));
    Ok(done(state.write(to, word)? || same))
}

/// What a snippet makes of values for C, or of values from C; none where it is no such snippet.
fn shaped(state: &mut State, step: &Step) -> Result<Option<Word>, String> {
    let name = step.info.name;
    if name == "frame.address" {
        let Operand::Slot(distance) = step.get("o")? else { return Err("the address is of no frame word".to_owned()) };
        return Ok(Some(Word::named(Name::Frame((i64::from(state.depth()) - distance) as i32))));
    }
    if name == "truth" {
        let word = state.read(step.get("a")?)?;
        return Ok(Some(bytes::word(state, bytes::truth(word))));
    }
    let in_place = matches!(name, "shl.i64" | "shru.i64" | "or.i64") && step.named("a").is_none();
    let from = if in_place { "d" } else { "a" };
    let extends = matches!(name, "ext8.i64" | "ext16.i64" | "zext8" | "zext16");
    if !in_place && !extends {
        return Ok(None);
    }
    let word = state.read(step.get(from)?)?;
    let word = bytes::bytes(state, word);
    let by = |step: &Step| match step.get("b")? {
        Operand::Constant(bits) => Ok::<i64, String>(bits as i64),
        _ => Err("shifts by what is no constant".to_owned()),
    };
    let made = match name {
        "ext8.i64" => bytes::extended(word, 1, true),
        "ext16.i64" => bytes::extended(word, 2, true),
        "zext8" => bytes::extended(word, 1, false),
        "zext16" => bytes::extended(word, 2, false),
        "shl.i64" => bytes::shifted(word, by(step)?),
        "shru.i64" => bytes::shifted(word, -by(step)?),
        _ => {
            let other = state.read(step.get("b")?)?;
            bytes::either(word, bytes::bytes(state, other))
        }
    };
    Ok(Some(bytes::word(state, made)))
}

fn sum(state: &mut State, step: &Step) -> Result<Word, String> {
    let (base, more) = (state.read(step.get("d")?)?, state.read(step.get("b")?)?);
    let (Some(more), Half::Const(0)) = (more.as_constant(), base.hi) else { return Ok(Word::UNKNOWN) };
    let index = state.sums.len() as u8;
    state.sums.push((base.lo, more));
    Ok(Word { lo: Half::Sum(index, false), hi: Half::Sum(index, true) })
}

fn frame(state: &mut State, step: &Step) -> Result<Carried, String> {
    match step.info.name {
        "frame.push" => {
            let word = state.read(step.get("a")?)?;
            state.own.push(word);
        }
        "frame.pop" => {
            let [_, .., word] = state.own[..] else { return Err("takes the return address off the stack".to_owned()) };
            state.own.pop();
            return Ok(done(state.write(step.get("d")?, word)?));
        }
        "frame.enter" => {
            let more = words(step)?;
            state.own.resize(state.own.len() + more, Word::UNKNOWN);
        }
        "frame.leave" => {
            let less = words(step)?;
            let left = state.own.len().checked_sub(less).filter(|&left| left > 0);
            let left = left.ok_or("gives back more of the stack than there is")?;
            state.own.truncate(left);
        }
        _ => return Ok(Carried::Not),
    }
    Ok(Carried::Changed)
}

/// The size of a frame in words.
fn words(step: &Step) -> Result<usize, String> {
    match step.get("a")? {
        Operand::Constant(bytes) if bytes % 8 == 0 && bytes < 1 << 30 => Ok((bytes / 8) as usize),
        _ => Err("moves the stack pointer by something that is no number of words".to_owned()),
    }
}

/// The bytes of a literal.
pub fn literal<const N: usize>(image: &Image, operand: Operand) -> Result<[u8; N], String> {
    let Operand::Literal(at) = operand else { return Err("the constant is no literal".to_owned()) };
    let found = image.code.get(at as usize..).and_then(|code| code.first_chunk());
    found.copied().ok_or_else(|| format!("the literal at {at:#x} lies outside the code"))
}

/// What an instruction gives its variable if it only carries a value: no snippet of it has to compute anything.
pub fn carried(inst: &Inst, state: &State) -> Option<Word> {
    let a = || state.vars[inst.a as usize];
    match inst.op {
        Op::Wrap | Op::Extu | Op::BitsI32F32 | Op::BitsF32I32 => Some(a().low()),
        Op::BitsI64F64 | Op::BitsF64I64 => Some(a()),
        op => match op.row().shape {
            Shape::Move => Some(a()),
            Shape::Const => Some(Word::constant(inst.literal())),
            _ => None,
        },
    }
}
