//! Calls of C functions, native memory, addresses.
//!
//! Comes in: the state before the snippet that does it. Goes out: the state behind it. What must hold: every byte that C
//! may look at is what the program passes, as the C type says; the result's bytes are what C says and nothing else is
//! believed of them.

use crate::check::act::Next;
use crate::check::bytes::{self, Byte, Bytes};
use crate::check::c_convention::{Eightbyte, Passing, Where, passing};
use crate::check::calls::after_call;
use crate::check::decode::{Operand, Step};
use crate::check::defect::{place, register};
use crate::check::flow::Replay;
use crate::check::state::{Half, Name, State, Word};
use crate::isa::op::{Class, Op, Shape, Type};
use crate::library::builtin::SCRATCH2;
use crate::module::Inst;
use crate::module::native::{Abi, CSignature, CType, Target};

/// The bytes of a scalar as C is passed it, and how many of them count.
pub(super) fn passed(state: &State, ty: &CType, value: Word, alone: bool) -> (Bytes, usize) {
    let raw = bytes::bytes(state, value);
    let size = ty.size() as usize;
    let signed = matches!(ty, CType::I8 | CType::I16);
    match ty {
        CType::Bool => (bytes::truth(value), if alone { 4 } else { 1 }),
        CType::I8 | CType::U8 | CType::I16 | CType::U16 if alone => (bytes::extended(raw, size, signed), 4),
        _ => (raw, size),
    }
}

/// What a register holds of a scalar that C has given with these bytes.
fn received(ty: &CType, raw: Bytes) -> Bytes {
    let size = ty.size() as usize;
    match ty {
        CType::I64 | CType::F64 | CType::Struct(_) => raw,
        CType::I8 | CType::I16 => bytes::extended(raw, size, true),
        _ => bytes::extended(raw, size, false),
    }
}

impl Replay<'_> {
    /// `call` of an extern, and `callp`.
    pub(super) fn call_c(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let module = self.verified.module();
        let list = &self.body.lists[inst.b as usize..];
        let (signature, list) = if inst.op == Op::Callp {
            self.holds(state, step, "a", inst.a, Type::I64)?;
            (&module.c_signatures[list[0] as usize], &list[1..])
        } else {
            (&module.c_signatures[module.externs[inst.a as usize].signature as usize], list)
        };
        let (results, list) = list[1..].split_at(list[0] as usize);
        let args = &list[1..=list[0] as usize];
        let fixed: usize = signature.params.iter().map(|ty| ty.scalars().len()).sum();
        let classes: Vec<Class> = args.iter().skip(fixed).map(|&var| self.body.vars[var as usize].class).collect();
        let passing = passing(signature, &classes);
        self.ready(state)?;
        for eightbyte in &passing.arguments {
            self.eightbyte(state, &passing, eightbyte, args)?;
        }
        if signature.variadic && signature.abi == Abi::SysV {
            let held = state.regs[usize::from(SCRATCH2)];
            if bytes::bytes(state, held)[0] != Byte::Const(passing.vectors as u8) {
                let (name, held) = (register(SCRATCH2), state.describe(self.body, held));
                return Err(format!(
                    "{name} must hold the number of vector registers, {}, but holds {held}",
                    passing.vectors
                ));
            }
        }
        let room = match passing.hidden {
            Some(at) => Some(self.frame_address(state, at, signature.returns().map_or(0, |ty| ty.size()))?),
            None => None,
        };
        if room.is_some_and(|room| room < 8 * i64::from(passing.stack)) {
            return Err("the room for the result overlaps the arguments".to_owned());
        }
        self.clobber(state, step);
        after_call(state, passing.stack)?;
        Self::results(state, &passing, signature, results, room)?;
        Ok(Next::Falls)
    }

    /// The distance of memory whose address stands at `at`, and which lies in the function's own frame.
    fn frame_address(&self, state: &mut State, at: Where, size: u32) -> Result<i64, String> {
        let operand = match at {
            Where::Register(number) => Operand::Register(number),
            Where::Stack(index) => Operand::Slot(8 * i64::from(index)),
            Where::Behind(..) => return Err("an address behind an address".to_owned()),
        };
        let held = state.read(operand)?;
        let (Half::Named(Name::Frame(below), false), Half::Named(Name::Frame(_), true)) = (held.lo, held.hi) else {
            let held = state.describe(self.body, held);
            return Err(format!("{} must hold an address in the frame, but holds {held}", place(operand)));
        };
        let depth = i64::from(state.depth());
        let distance = depth - i64::from(below);
        if distance < 0 || distance + i64::from(size) > depth {
            return Err(format!("the {size} bytes at {} do not lie in the frame", place(Operand::Slot(distance))));
        }
        Ok(distance)
    }

    fn eightbyte(&self, state: &mut State, passing: &Passing, one: &Eightbyte, args: &[u32]) -> Result<(), String> {
        for &at in &one.places {
            let operand = match at {
                Where::Register(number) => Operand::Register(number),
                Where::Stack(index) => Operand::Slot(8 * i64::from(index)),
                Where::Behind(pointer, nth) => {
                    let start = self.frame_address(state, passing.pointers[pointer], 8 * nth + 8)?;
                    if start % 16 != 0 {
                        return Err("an argument in memory is not aligned to 16 bytes".to_owned());
                    }
                    Operand::Slot(start + 8 * i64::from(nth))
                }
            };
            let word = state.read(operand)?;
            let found = bytes::bytes(state, word);
            for (value, ty, at) in &one.members {
                let var = args[*value];
                let (wanted, count) = passed(state, ty, state.vars[var as usize], one.alone);
                // An f32 in a vector register is its low half; everything else of a float is as wide as it says.
                let right = (0..count).all(|n| found[at + n] == wanted[n] && wanted[n] != Byte::Unknown);
                if !right {
                    let (name, held) = (self.body.var_name(var), state.describe(self.body, word));
                    let value = value + 1;
                    return Err(format!(
                        "argument {value}, {name} as {ty}, must be at byte {at} of {}, which holds {held}",
                        place(operand)
                    ));
                }
            }
        }
        Ok(())
    }

    fn results(
        state: &mut State,
        passing: &Passing,
        signature: &CSignature,
        vars: &[u32],
        room: Option<i64>,
    ) -> Result<(), String> {
        if let (Some(room), Some(ty)) = (room, signature.returns()) {
            for nth in 0..i64::from(ty.size().div_ceil(8)) {
                state.write(Operand::Slot(room + 8 * nth), Word::UNKNOWN)?;
            }
        }
        for one in &passing.results {
            let mut word = [Byte::Unknown; 8];
            for (value, ty, at) in &one.members {
                let raw = Word { lo: state.fresh(), hi: state.fresh() };
                let raw = bytes::bytes(state, raw);
                word[*at..at + ty.size() as usize].copy_from_slice(&raw[..ty.size() as usize]);
                if let Some(&var) = vars.get(*value) {
                    state.vars[var as usize] = bytes::word(state, received(ty, raw));
                }
            }
            let operand = match one.places[0] {
                Where::Register(number) => Operand::Register(number),
                Where::Stack(_) => return Err("a result among the arguments".to_owned()),
                Where::Behind(_, nth) => Operand::Slot(room.unwrap_or(0) + 8 * i64::from(nth)),
            };
            let word = bytes::word(state, word);
            state.write(operand, word)?;
        }
        Ok(())
    }

    /// The address of an access to native memory.
    pub(super) fn native_address(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<(), String> {
        self.holds(state, step, "a", inst.a, Type::I64)?;
        let offset = i64::from(inst.b as i32);
        if step.get("o")? != Operand::Constant(offset as u64) {
            return Err(format!("the offset must be {offset}, but is {}", place(step.get("o")?)));
        }
        Ok(())
    }

    /// `load` and `store`.
    pub(super) fn native(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        self.native_address(state, inst, step)?;
        let row = inst.op.row();
        if row.shape == Shape::NativeLoad {
            self.define(state, step, inst.d, row.result.unwrap_or(Type::I64))?;
            return Ok(Next::Falls);
        }
        let mask = match inst.op {
            Op::Store8 => Some(0xff),
            Op::Store16 => Some(0xffff),
            _ => None,
        };
        match (mask, step.get("b")?) {
            (Some(mask), Operand::Constant(found)) => {
                let wanted = state.vars[inst.d as usize].as_constant();
                if wanted.is_none_or(|wanted| (wanted ^ found) & mask != 0) {
                    return Err(format!("{found:#x} is written instead of {}", self.body.var_name(inst.d)));
                }
            }
            (Some(_), _) => self.holds(state, step, "b", inst.d, Type::I32)?,
            (None, _) => self.holds(state, step, "b", inst.d, row.args[0])?,
        }
        self.clobber(state, step);
        Ok(Next::Falls)
    }

    /// `addr`: what is referred to is for the tables of references to say, but for functions, whose entry stands in the
    /// code.
    pub(super) fn address_of(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let wanted = match Target::from_fields(inst.a, inst.b) {
            Some(Target::Function(index)) => {
                let entry = self.image.entries.iter().find(|entry| entry.function == index);
                let start = entry.ok_or("the function has no entry for C")?.start;
                if step.get("t")? != Operand::Code(start) {
                    return Err(format!("must refer to {start:#x}, but refers to {}", place(step.get("t")?)));
                }
                "address"
            }
            Some(Target::Extern(_)) => "cell",
            _ => "addr",
        };
        if step.info.name != wanted {
            return Err(format!("`{}` does not give this kind of address", step.info.name));
        }
        self.define(state, step, inst.d, Type::I64)?;
        Ok(Next::Falls)
    }
}
