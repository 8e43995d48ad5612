//! What linked modules do with what they share: calls of others, globals, tables and what fills them.
//!
//! Comes in: steps that name such things. Goes out: what [`Links`](crate::objects::Links) say of them, and calls of the
//! [`Outside`](super::linked::Outside) that the interpreter was handed. What must hold: a function that is the running
//! instance's own is called in the loop, however it was found; after every other call the memory is looked at anew.

use crate::isa::op::Op;
use crate::isa::trap::TrapKind;
use crate::module::native::Target;
use crate::objects::{Body, Func};
use crate::trap::RunError;

use super::code::Code;
use super::linked::{Linked, Nesting};
use super::native::{Left, counted};
use super::registers::{Place, Window};
use super::run::Context;

/// Ends the run because nobody was handed over who knows what the module is linked with.
#[cold]
fn nobody<'c>(context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    context.fail(RunError::NoLinks)
}

/// Calls an imported function.
pub(super) fn call_import<'c, const CUT: bool>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let Some(linked) = context.linked else { return nobody(context) };
    call::<CUT>(place, registers, context, linked, &linked.links.imports[place.step().a as usize])
}

/// Calls a function of a growing table: the list of the step is that of any `calli`.
pub(super) fn call_growing<'c, const CUT: bool>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let Some(linked) = context.linked else { return nobody(context) };
    let step = place.step();
    let lists = &context.current.code.lists;
    let (table, signature) = (lists[step.b as usize - 2], lists[step.b as usize - 1]);
    match linked.links.callee(table, registers.get(step.a)) {
        Ok(func) if func.number() == linked.links.signatures[signature as usize] => {
            call::<CUT>(place, registers, context, linked, func)
        }
        Ok(_) => context.trap(TrapKind::IndirectCallTypeMismatch),
        Err(kind) => context.trap(kind),
    }
}

/// Calls a function, whoever it belongs to.
#[inline(always)]
fn call<'c, const CUT: bool>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
    linked: Linked<'_>,
    func: &Func,
) -> Option<Place<'c>> {
    match func.body() {
        Body::Instance { instance, function } if instance == linked.links.instance => {
            context.call::<CUT>(place, registers, function, place.step().b)
        }
        _ => leave(place, registers, context, linked, func),
    }
}

/// Calls a function that is not this instance's own.
#[inline(never)]
fn leave<'c>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
    linked: Linked<'_>,
    func: &Func,
) -> Option<Place<'c>> {
    if !context.count_jump() {
        return context.trap(TrapKind::Interrupted);
    }
    let Some(nested) = Nesting::enter(context.machine.used()) else {
        return context.trap(TrapKind::StackOverflow);
    };
    let lists = &context.current.code.lists;
    let (args, rest) = counted(&lists[place.step().b as usize..]);
    let (destinations, _) = counted(rest);
    let signature = func.signature();
    let args: Vec<u64> =
        args.iter().zip(&signature.params).map(|(&slot, ty)| ty.normalise(registers.get(slot & !Code::HALF))).collect();
    let mut results = Vec::with_capacity(destinations.len());
    // A function of the host may write to the same place by itself.
    let flushed = if matches!(func.body(), Body::Host(_)) { context.streams.flush() } else { Ok(()) };
    let left = flushed.and_then(|()| linked.outside.call(func, &args, &mut results, context.streams));
    drop(nested);
    // Whoever ran meanwhile may have made it grow.
    context.memory.refresh();
    match left {
        Ok(Left::Returned) => {
            assert_eq!(results.len(), destinations.len(), "a function gives the results that its signature says");
            for ((&slot, bits), ty) in destinations.iter().zip(results).zip(&signature.results) {
                registers.set(slot, ty.normalise(bits));
            }
            None
        }
        Ok(Left::Halted) => context.halt(),
        Err(error) => context.stop(place, error),
    }
}

/// Does an instruction on tables, elements or segments: its list is `[first item, second item, nargs, x…]`.
pub(super) fn object<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let Some(Linked { links, .. }) = context.linked else { return nobody(context) };
    let step = place.step();
    let (named, rest) = context.current.code.lists[step.b as usize..].split_at(2);
    let mut args = [0; 3];
    for (arg, &slot) in args.iter_mut().zip(counted(rest).0) {
        *arg = registers.get(slot) as u32;
    }
    let module = context.machine.verified.module();
    let result = match Op::ALL[step.a as usize] {
        // The verifier has seen that there is such a function.
        Op::Ref => {
            let func = Target::from_fields(named[0], named[1]).and_then(|target| links.function(module, target));
            Ok(func.map_or(0, |func| func.handle()))
        }
        op => links.execute(module, op, [named[0], named[1]], args),
    };
    match result {
        Ok(result) => {
            registers.set(step.d, result.into());
            None
        }
        Err(kind) => context.trap(kind),
    }
}

/// Reads a global of a linked module.
pub(super) fn global_get<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let Some(Linked { links, .. }) = context.linked else { return nobody(context) };
    let step = place.step();
    registers.set(step.d, links.globals[step.b as usize].get());
    None
}

/// Writes a global of a linked module.
pub(super) fn global_set<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let Some(Linked { links, .. }) = context.linked else { return nobody(context) };
    let step = place.step();
    links.globals[step.b as usize].set(registers.get(step.a));
    None
}
