//! Opcodes that templates declare: the snippet must be of the opcode, and its operands what the declaration says.
//!
//! Comes in: an instruction and the step that stands for it. Goes out: the state behind it. What must hold: what the
//! opcode reads and writes comes from the module's own list; from the library, only the snippet's contract.

use crate::check::act::Next;
use crate::check::decode::Step;
use crate::check::flow::Replay;
use crate::check::state::State;
use crate::isa::custom::SOURCES;
use crate::isa::snippet::Role;
use crate::module::Inst;

impl Replay<'_> {
    pub(super) fn custom(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let op = &self.verified.module().customs[inst.a as usize].op;
        if step.info.name != op.name {
            return Err(format!("`{}` neither does what the instruction says nor carries a value", step.info.name));
        }
        let args = &self.body.lists[inst.b as usize + 1..][..op.params.len()];
        for ((&name, &var), &ty) in SOURCES.iter().zip(args).zip(&op.params) {
            // The first source may be what the result takes the place of.
            let name = if name == "a" && step.named(name).is_none() { "d" } else { name };
            self.holds(state, step, name, var, ty)?;
        }
        let operands = || step.info.operands.iter().zip(&step.operands);
        if let Some((_, result)) = operands().find(|(declared, _)| declared.role == Role::InOut)
            && let Some((shared, _)) = operands().find(|(other, at)| other.role == Role::In && *at == result)
        {
            return Err(format!("the result takes the place of the first source and of `{}`", shared.name));
        }
        match op.result {
            Some(ty) => self.define(state, step, inst.d, ty)?,
            None => self.clobber(state, step),
        }
        Ok(Next::Falls)
    }
}
