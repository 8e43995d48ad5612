//! Fused snippets: the instructions must be those that their templates stand for, and their operands what these say.
//!
//! Comes in: the state before the snippet. Goes out: the state behind it. What must hold: nothing but the second
//! instruction reads what the first one writes, because it is nowhere; constants that are not operands are those that
//! the declaration asks for.

use crate::check::act::Next;
use crate::check::decode::{Operand, Step};
use crate::check::defect::place;
use crate::check::flow::Replay;
use crate::check::state::{Half, State, Word};
use crate::isa::custom::SOURCES;
use crate::isa::fusion::{Feeds, Fusion, When};
use crate::isa::op::{Flag, Shape, Type};
use crate::isa::snippet::Role;
use crate::module::Inst;

impl Replay<'_> {
    /// Two instructions.
    pub(super) fn fused(&self, state: &mut State, index: usize, step: &Step, fusion: &Fusion) -> Result<Next, String> {
        let first = &self.body.insts[index];
        let second = self.body.insts.get(index + 1).filter(|_| !self.starts_block(index + 1));
        let second = second.ok_or("no second instruction stands behind this one")?;
        if fusion.first != first.op || fusion.second != Some(second.op) {
            return Err(format!("`{}` does not do what the two instructions say", step.info.name));
        }
        let result = first.d;
        let nowhere = Word { lo: state.fresh(), hi: Half::Const(0) };
        if second.op.row().shape == Shape::Branch {
            if second.a != result {
                return Err("the branch does not go by the result of the first instruction".to_owned());
            }
            self.operands(state, first, step)?;
            let target = self.target(step, "t", second.b)?;
            self.clobber(state, step);
            state.vars[result as usize] = nowhere;
            return Ok(Next::Either(target));
        }
        let other = match (second.a == result, second.b == result, fusion.feeds) {
            (true, _, Feeds::Any) if second.op.row().args.len() == 1 => None,
            (true, false, Feeds::Any | Feeds::A) => Some(second.b),
            (false, true, Feeds::Any | Feeds::B) => Some(second.a),
            _ => return Err("the second instruction does not read the result of the first as declared".to_owned()),
        };
        match first.op.row().shape {
            Shape::Load => {
                self.memory_base(state)?;
                self.address(state, first, step)?;
            }
            Shape::NativeLoad => self.native_address(state, first, step)?,
            _ => self.on_constants(state, first, step, fusion)?,
        }
        if let Some(other) = other {
            self.source(state, step, fusion, 2, other)?;
        }
        state.vars[result as usize] = Word { hi: state.fresh(), ..nowhere };
        apart(step)?;
        self.define(state, step, second.d, second.op.row().result.unwrap_or(Type::I64))?;
        Ok(Next::Falls)
    }

    /// The sources of an instruction some of which are constants that the declaration asks for.
    pub(super) fn on_constants(
        &self,
        state: &mut State,
        inst: &Inst,
        step: &Step,
        fusion: &Fusion,
    ) -> Result<(), String> {
        if fusion.first != inst.op {
            return Err(format!("`{}` does not do what the instruction says", step.info.name));
        }
        let row = inst.op.row();
        let mut all =
            |vars: [u32; 2]| (0..row.args.len()).try_for_each(|nth| self.source(state, step, fusion, nth, vars[nth]));
        let straight = all([inst.a, inst.b]);
        match straight {
            Err(_) if row.has(Flag::Commutes) => all([inst.b, inst.a]).or(straight)?,
            straight => straight?,
        }
        apart(step)
    }

    /// Makes sure that a source is where the snippet has it, or the constant that it is for.
    fn source(&self, state: &mut State, step: &Step, fusion: &Fusion, nth: usize, var: u32) -> Result<(), String> {
        let ty = fusion.sources()[nth].ok_or("the fusion has no such source")?;
        if fusion.when[nth] == When::Any {
            let name = if step.named(SOURCES[nth]).is_some() { SOURCES[nth] } else { "d" };
            return self.holds(state, step, name, var, ty);
        }
        let word = state.vars[var as usize];
        let Some(bits) = word.as_constant().filter(|&bits| fusion.when[nth].holds(ty, bits)) else {
            let wanted = fusion.conditions().join(", ");
            return Err(format!(
                "`{}` is for {wanted}, but that is {}",
                step.info.name,
                state.describe(self.body, word)
            ));
        };
        match step.named("n").map(|at| step.operands[at]) {
            Some(found) if fusion.when[nth] == When::Power => {
                let wanted = ty.normalise(bits).trailing_zeros();
                let right = found == Operand::Constant(u64::from(wanted));
                if right { Ok(()) } else { Err(format!("the exponent must be {wanted}, but is {}", place(found))) }
            }
            _ => Ok(()),
        }
    }
}

/// Makes sure that a result that takes the place of one source is not in that of another.
fn apart(step: &Step) -> Result<(), String> {
    let operands = || step.info.operands.iter().zip(&step.operands);
    let result = operands().find(|(declared, _)| declared.role == Role::InOut);
    let shared = result.and_then(|(_, at)| operands().find(|(o, other)| o.role == Role::In && *other == at));
    match shared {
        Some((other, _)) => Err(format!("the result takes the place of a source and of `{}`", other.name)),
        None => Ok(()),
    }
}
