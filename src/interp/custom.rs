//! Steps of opcodes that templates declare.
//!
//! Comes in: steps. Goes out: calls of the [`Native`](super::native::Native) that the interpreter was handed, which knows
//! what the template does. What must hold: a trap of the template is one of the step.

use crate::trap::RunError;

use super::registers::{Place, Window};
use super::run::Context;

/// Executes one: the list of the step is `[n, x…]`.
pub(super) fn custom<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let step = place.step();
    let list = &context.current.code.lists[step.b as usize..];
    let args: Vec<u64> = list[1..][..list[0] as usize].iter().map(|&slot| registers.get(slot)).collect();
    let Some(natives) = &mut context.natives else { return context.fail(RunError::NoOpcode) };
    match natives.custom(step.a, &args) {
        Ok(bits) => {
            registers.set(step.d, bits);
            None
        }
        Err(RunError::Trap(inner)) => {
            let trap = context.machine.trap(inner.kind, context.current.code, place);
            context.fail(trap.into())
        }
        Err(error) => context.fail(error),
    }
}
