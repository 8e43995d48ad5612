//! Steps of two instructions, of which the second takes what the first finds.
//!
//! Comes in: two steps that follow one another. Goes out: what does both at once, for pairs that programs are full of. What
//! must hold: of a pair, one instruction at most can end the run; what the first finds is read by nobody else, unless
//! the pair writes it.
//!
//! A step costs more than what it does: half of its instructions find the next. So a pair is nearly as fast as one.

use super::rows::{self, Load, Store, Value};
use super::{Context, Run};
use crate::interp::code::{Literal, Register, Second, Step};
use crate::interp::registers::{Place, Window};
use crate::isa::op::Op;
use crate::isa::trap::TrapKind;

/// How the second instruction of a pair takes what the first finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::interp) enum Link {
    /// As its first operand; the other one is a register, or a literal.
    First { literal: bool },
    /// As its second operand.
    Second,
    /// As the address of a load, or what a jump asks for.
    Only,
    /// As what is stored.
    Stored,
    /// As the first operand of a comparison that jumps if it holds, or does not hold. What the first finds is written to
    /// where its own first operand was.
    Counts { literal: bool, wanted: bool },
}

/// What finds the first value of a pair, from the fields `a` and `b` of the step.
trait Find {
    fn find(step: &Step, registers: Window, context: &Context<'_, '_>) -> Result<u64, TrapKind>;
}

/// A row that computes, with its second operand from a register or a literal.
struct Computed<R, S>(R, S);

impl<R: Value, S: Second> Find for Computed<R, S> {
    #[inline(always)]
    fn find(step: &Step, registers: Window, _: &Context<'_, '_>) -> Result<u64, TrapKind> {
        R::apply(registers.get(step.a), S::get(step.b, registers))
    }
}

/// A row that loads.
struct Loaded<R>(R);

impl<R: Load> Find for Loaded<R> {
    #[inline(always)]
    fn find(step: &Step, registers: Window, context: &Context<'_, '_>) -> Result<u64, TrapKind> {
        R::load(&context.memory, registers.get(step.a), step.b).ok_or(TrapKind::OutOfBoundsMemory)
    }
}

/// What the first of a pair finds; ends the run where it traps.
macro_rules! found {
    ($find:ident, $step:ident, $registers:ident, $context:ident) => {
        match $find::find($step, $registers, $context) {
            Ok(found) => found,
            Err(kind) => return $context.trap(kind),
        }
    };
}

/// The second computes with the value first, and `S` from the field `c`.
fn then<'c, F: Find, R: Value, S: Second>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    match R::apply(found, S::get(step.c, registers)) {
        Ok(bits) => {
            registers.set(step.d, bits);
            None
        }
        Err(kind) => context.trap(kind),
    }
}

/// The second computes with the register in `c` first.
fn then_second<'c, F: Find, R: Value>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    match R::apply(registers.get(step.c), found) {
        Ok(bits) => {
            registers.set(step.d, bits);
            None
        }
        Err(kind) => context.trap(kind),
    }
}

/// The second loads from there; `c` is the offset.
fn then_load<'c, F: Find, R: Load>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    match R::load(&context.memory, found, step.c) {
        Some(bits) => {
            registers.set(step.d, bits);
            None
        }
        None => context.trap(TrapKind::OutOfBoundsMemory),
    }
}

/// The second stores that at the register in `d`; `c` is the offset.
fn then_store<'c, F: Find, R: Store>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    match R::store(&mut context.memory, registers.get(step.d), step.c, found) {
        Some(()) => None,
        None => context.trap(TrapKind::OutOfBoundsMemory),
    }
}

/// The second jumps if that is not 0, or if it is 0.
fn then_jump<'c, F: Find, const WANTED: bool>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    if (found != 0) == WANTED { context.jump(place, step.d) } else { None }
}

/// The first changes a register, and the second compares this with `S` from the field `c`.
fn count<'c, F: Find, R: Value, S: Second, const WANTED: bool>(
    place: Place<'c>,
    registers: Window,
    context: &mut Context<'c, '_>,
) -> Option<Place<'c>> {
    let step = place.step();
    let found = found!(F, step, registers, context);
    registers.set(step.a, found);
    match R::apply(found, S::get(step.c, registers)) {
        Ok(holds) if (holds != 0) == WANTED => context.jump(place, step.d),
        Ok(_) => None,
        Err(kind) => context.trap(kind),
    }
}

/// Two registers are copied: `a` to `d`, then `c` to `b`.
pub(in crate::interp) fn copies<'c>(place: Place<'c>, registers: Window, _: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let step = place.step();
    registers.set(step.d, registers.get(step.a));
    registers.set(step.b, registers.get(step.c));
    None
}

/// For a value that `$find` finds, what `$op` does with it.
macro_rules! choose {
    ($op:expr, $link:expr, $find:ty; [$(values $($v:ident)*;)? $(seconds $($s:ident)*;)? $(loads $($l:ident)*;)? $(stores $($st:ident)*;)? $(jumps $jmpt:ident;)? $(counts $($c:ident)*;)?]) => {
        match ($op, $link) {
            $($(
                (Op::$v, Link::First { literal: false }) => Some(then::<$find, rows::$v, Register> as Run),
                (Op::$v, Link::First { literal: true }) => Some(then::<$find, rows::$v, Literal>),
            )*)?
            $($(
                (Op::$s, Link::First { literal: false }) => Some(then::<$find, rows::$s, Register>),
                (Op::$s, Link::Second) => Some(then_second::<$find, rows::$s>),
            )*)?
            $($((Op::$l, Link::Only) => Some(then_load::<$find, rows::$l>),)*)?
            $($((Op::$st, Link::Stored) => Some(then_store::<$find, rows::$st>),)*)?
            $(
                (Op::$jmpt, Link::Only) => Some(then_jump::<$find, true>),
                (Op::Jmpf, Link::Only) => Some(then_jump::<$find, false>),
            )?
            $($(
                (Op::$c, Link::Counts { literal: false, wanted: true }) => Some(count::<$find, rows::$c, Register, true>),
                (Op::$c, Link::Counts { literal: false, wanted: false }) => Some(count::<$find, rows::$c, Register, false>),
                (Op::$c, Link::Counts { literal: true, wanted: true }) => Some(count::<$find, rows::$c, Literal, true>),
                (Op::$c, Link::Counts { literal: true, wanted: false }) => Some(count::<$find, rows::$c, Literal, false>),
            )*)?
            _ => None,
        }
    };
}

/// What does `first`, whose second operand may be a literal, and then `second`, to which that is linked so; nothing where
/// no step does both.
pub(in crate::interp) fn pair(first: Op, literal: bool, second: Op, link: Link) -> Option<Run> {
    macro_rules! firsts {
        ($($first:ident)*; $rest:tt) => {
            match (first, literal) {
                $(
                    (Op::$first, false) => return choose!(second, link, Computed<rows::$first, Register>; $rest),
                    (Op::$first, true) => return choose!(second, link, Computed<rows::$first, Literal>; $rest),
                )*
                _ => {}
            }
        };
    }
    macro_rules! loaded {
        ($($first:ident)*; $rest:tt) => {
            match first {
                $(Op::$first => return choose!(second, link, Loaded<rows::$first>; $rest),)*
                _ => {}
            }
        };
    }
    firsts!(AddI32 SubI32; [values AddI32 SubI32 XorI32 AndI32 ShlI32 ShruI32 MulI32;
        loads MloadI32 MloadI64 MloadF32 MloadF64 Mload8u Mload8s Mload16u;
        stores MstoreI32 Mstore8;
        counts LessI32 LessuI32 LeqI32 LequI32 EqI32 NeI32;]);
    firsts!(MulI32 AndI32 XorI32 OrI32 ShlI32 ShruI32 RotlI32 RotrI32; [values AddI32 AndI32 XorI32 OrI32 ShlI32 MulI32;
        loads MloadI32 MloadI64 MloadF64 Mload8u;
        stores MstoreI32;
        jumps Jmpt;]);
    firsts!(AddI64 SubI64; [values AddI64 SubI64 XorI64 AndI64 ShlI64 ShruI64 MulI64;
        loads MloadI32 MloadI64 MloadF64 Mload8u;
        stores MstoreI64;
        counts LessI64 LessuI64 LeqI64 LequI64 EqI64 NeI64;]);
    firsts!(MulI64 AndI64 XorI64 OrI64 ShlI64 ShruI64 RotlI64 RotrI64; [values AddI64 XorI64 OrI64 ShlI64 ShruI64 MulI64;
        loads MloadI32 MloadI64 MloadF64 Mload8u;
        stores MstoreI64;
        jumps Jmpt;]);
    if !literal {
        firsts!(MulF64 AddF64 SubF64; [seconds AddF64 SubF64 MulF64; stores MstoreF64;]);
        firsts!(MulF32 AddF32; [seconds AddF32 SubF32 MulF32; stores MstoreF32;]);
    }
    loaded!(MloadI32; [values AddI32 SubI32 XorI32 AndI32 MulI32 ShlI32;]);
    loaded!(Mload8u; [values AddI32 XorI32 AndI32 ShlI32 AddI64 XorI64 ShlI64;]);
    loaded!(MloadI64; [values AddI64 XorI64 MulI64 SubI64;]);
    loaded!(MloadF64; [seconds AddF64 SubF64 MulF64;]);
    loaded!(MloadF32; [seconds AddF32 SubF32 MulF32;]);
    None
}
