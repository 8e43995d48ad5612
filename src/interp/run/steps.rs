//! What the loop does for each step.
//!
//! Comes in: rows of the opcode table, and the context of a run. Goes out: a function for each step that decoding makes.
//! What must hold: every row that the verifier lets through has a function here; rows that compute, load or store get
//! theirs from the table.

use super::{Context, End, Run};
use crate::for_each_op;
use crate::interp::code::{Literal, Register, Second};
use crate::interp::registers::{Place, Window};
use crate::interp::{custom, native, outside};
use crate::isa::op::{Bits, Flag, Op, Type, meaning};
use crate::isa::trap::TrapKind;
use crate::module::PAGE;
use crate::trap::Outcome;

/// What is made of a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::interp) enum Family {
    /// The instruction as it is.
    Plain,
    /// With a literal for the second operand.
    Literal,
    /// A comparison and a jump where it holds.
    JumpIf,
    /// A comparison and a jump where it does not hold.
    JumpUnless,
    /// Like `JumpIf`, with a literal.
    JumpIfLiteral,
    /// Like `JumpUnless`, with a literal.
    JumpUnlessLiteral,
}

/// What does the steps that are made of `op`.
pub(in crate::interp) fn run_of(family: Family, op: Op) -> Run {
    RUNS[op as usize][family as usize]
}

/// Applies a row's expression to its first operand, or to both.
macro_rules! evaluate {
    ($row:ident ($a:expr, $b:expr) $first:ident) => {
        meaning::$row($first::of($a))
    };
    ($row:ident ($a:expr, $b:expr) $first:ident $second:ident) => {
        meaning::$row($first::of($a), $second::of($b))
    };
}

macro_rules! define_runs {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        /// Rows that compute.
        #[allow(non_snake_case, reason = "the functions carry the names of the rows")]
        mod value {
            use super::*;
            $(pub(in crate::interp) fn $v<'c, B: Second>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                let step = place.step();
                match evaluate!($v (registers.get(step.a), B::get(step.b, registers)) $($pt)*) {
                    Ok(value) => {
                        registers.set(step.d, value.bits());
                        None
                    }
                    Err(kind) => context.trap(kind),
                }
            })*
        }

        /// Comparisons with jumps.
        #[allow(non_snake_case, reason = "the functions carry the names of the rows")]
        mod jump {
            use super::*;
            $(pub(in crate::interp) fn $v<'c, B: Second, const WANTED: bool>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                let step = place.step();
                match evaluate!($v (registers.get(step.a), B::get(step.b, registers)) $($pt)*) {
                    Ok(value) if (value.bits() != 0) == WANTED => context.jump(place, step.d),
                    Ok(_) => None,
                    Err(kind) => context.trap(kind),
                }
            })*
        }

        /// Rows that load and store.
        #[allow(non_snake_case, reason = "the functions carry the names of the rows")]
        mod access {
            use super::*;
            $(pub(in crate::interp) fn $l<'c>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                const SIZE: usize = size_of::<$lraw>();
                let step = place.step();
                let Some(raw) = context.memory.load::<SIZE>(registers.get(step.a), step.b) else {
                    return context.trap(TrapKind::OutOfBoundsMemory);
                };
                registers.set(step.d, meaning::$l(<$lraw>::of(raw)).bits());
                None
            })*
            $(pub(in crate::interp) fn $s<'c>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                const SIZE: usize = size_of::<$sraw>();
                let step = place.step();
                let raw = meaning::$s($st::of(registers.get(step.d)));
                match context.memory.store::<SIZE>(registers.get(step.a), step.b, raw.bits()) {
                    Some(()) => None,
                    None => context.trap(TrapKind::OutOfBoundsMemory),
                }
            })*
        }

        /// For each opcode what does its steps, by [`Family`].
        static RUNS: [[Run; 6]; Op::ALL.len()] = [
            $(if Op::ROWS[Op::$v as usize].has(Flag::Compares) {
                [
                    value::$v::<Register>, value::$v::<Literal>,
                    jump::$v::<Register, true>, jump::$v::<Register, false>,
                    jump::$v::<Literal, true>, jump::$v::<Literal, false>,
                ]
            } else {
                [value::$v::<Register>, value::$v::<Literal>, unsettled, unsettled, unsettled, unsettled]
            },)*
            $([native_or(Op::$l, access::$l), unsettled, unsettled, unsettled, unsettled, unsettled],)*
            $([native_or(Op::$s, access::$s), unsettled, unsettled, unsettled, unsettled, unsettled],)*
            $([native_or(Op::$o, other(Op::$o)), unsettled, unsettled, unsettled, unsettled, unsettled],)*
        ];
    };
}
for_each_op!(define_runs);

/// What does the steps of `op`: what is given, if it has nothing to do with C.
const fn native_or(op: Op, run: Run) -> Run {
    match native::run_of(op) {
        Some(native) => native,
        None => run,
    }
}

/// What does the steps of rows that stand neither for a computation nor for an access.
const fn other(op: Op) -> Run {
    match op {
        Op::ConstI32 | Op::ConstI64 | Op::ConstF32 | Op::ConstF64 => constant,
        Op::MoveI64 | Op::MoveF32 | Op::MoveF64 => copy,
        Op::SelectI64 | Op::SelectF32 | Op::SelectF64 => select,
        Op::Jmp => jump_always,
        Op::Jmpt => jump_true,
        Op::Jmpf => jump_false,
        Op::Switch => switch,
        Op::Call => call::<true>,
        Op::Calli => call_indirect::<true>,
        Op::Ret => return_several,
        Op::Halt => halt,
        Op::Trap => unreachable,
        Op::Msize => memory_size,
        Op::Mgrow => memory_grow,
        Op::Mcopy => memory_copy,
        Op::Mfill => memory_fill,
        Op::GgetI32 | Op::GgetI64 | Op::GgetF32 | Op::GgetF64 => global_get,
        Op::GsetI32 => global_set::<true>,
        Op::GsetI64 | Op::GsetF32 | Op::GsetF64 => global_set::<false>,
        Op::Arg => argument,
        Op::Custom => custom::custom,
        Op::CallImport => outside::call_import::<true>,
        Op::CalliGrowing => outside::call_growing::<true>,
        Op::PrintI64 => print::<{ Type::I64 as u8 }>,
        Op::PrintF32 => print::<{ Type::F32 as u8 }>,
        Op::PrintF64 => print::<{ Type::F64 as u8 }>,
        Op::ReadI64 => read::<{ Type::I64 as u8 }>,
        Op::ReadF32 => read::<{ Type::F32 as u8 }>,
        Op::ReadF64 => read::<{ Type::F64 as u8 }>,
        _ if op.object().is_some() => outside::object,
        _ => unsettled,
    }
}

macro_rules! runs {
    ($($(#[$doc:meta])* $visibility:vis fn $name:ident $([$($generic:tt)*])? ($place:ident, $step:ident, $registers:ident, $context:ident) $body:block)*) => { $(
        $(#[$doc])*
        $visibility fn $name<'c $(, $($generic)*)?>(
            $place: Place<'c>,
            $registers: Window,
            $context: &mut Context<'c, '_>,
        ) -> Option<Place<'c>> {
            let $step = $place.step();
            $body
        }
    )* };
}

runs! {
    /// Stands where no step is made.
    fn unsettled(_place, _step, _registers, _context) {
        unreachable!("the verifier settles what instructions work on, and decoding makes only steps that there are")
    }

    fn constant(_place, step, registers, _context) {
        registers.set(step.d, step.wide_literal());
        None
    }

    fn copy(_place, step, registers, _context) {
        registers.set(step.d, registers.get(step.a));
        None
    }

    fn select(_place, step, registers, context) {
        let chosen = step.b as usize + usize::from(registers.get(step.a) == 0);
        registers.set(step.d, registers.get(context.current.code.lists[chosen]));
        None
    }

    fn jump_always(place, step, _registers, context) {
        context.jump(place, step.d)
    }

    fn jump_true(place, step, registers, context) {
        if registers.get(step.a) != 0 { context.jump(place, step.d) } else { None }
    }

    fn jump_false(place, step, registers, context) {
        if registers.get(step.a) == 0 { context.jump(place, step.d) } else { None }
    }

    fn switch(place, step, registers, context) {
        let lists = &context.current.code.lists;
        let n = lists[step.b as usize];
        let chosen = registers.get(step.a).min(u64::from(n)) as usize;
        context.jump(place, lists[step.b as usize + 1 + chosen])
    }

    pub(in crate::interp) fn call[const CUT: bool](place, step, registers, context) {
        context.call::<CUT>(place, registers, step.a, step.b)
    }

    pub(in crate::interp) fn call_indirect[const CUT: bool](place, step, registers, context) {
        match context.machine.table_entry(context.current.code, step.b as usize, registers.get(step.a)) {
            Ok(function) => context.call::<CUT>(place, registers, function, step.b),
            Err(kind) => context.trap(kind),
        }
    }

    /// Returns nothing.
    pub(in crate::interp) fn return_none(_place, _step, _registers, context) {
        match context.machine.leave(&mut context.current) {
            Some(call) => Some(call.next()),
            None => context.hand_out(&[]),
        }
    }

    /// Returns the value in `a`.
    pub(in crate::interp) fn return_one(_place, step, registers, context) {
        context.give(registers.get(step.a))
    }

    /// Returns the lower half of the value in `a`.
    pub(in crate::interp) fn return_half(_place, step, registers, context) {
        context.give(u64::from(registers.get(step.a) as u32))
    }

    fn return_several(_place, step, _registers, context) {
        match context.machine.leave_with(&mut context.current, step.b as usize) {
            Ok(call) => Some(call.next()),
            Err(results) => context.end(End::Outcome(Outcome::Returned(results))),
        }
    }

    fn halt(_place, _step, _registers, context) {
        context.end(End::Outcome(Outcome::Halted))
    }

    fn unreachable(_place, _step, _registers, context) {
        context.trap(TrapKind::Unreachable)
    }

    fn memory_size(_place, step, registers, context) {
        registers.set(step.d, context.memory.len() as u64 / PAGE);
        None
    }

    fn memory_grow(_place, step, registers, context) {
        let grown = context.memory.grow(registers.get(step.a) as u32);
        registers.set(step.d, u64::from(grown.unwrap_or(u32::MAX)));
        None
    }

    fn memory_copy(_place, step, registers, context) {
        let [d, a, n] = [step.d, step.a, step.b].map(|slot| registers.get(slot) as u32);
        if context.memory.copy(d, a, n).is_some() { None } else { context.trap(TrapKind::OutOfBoundsMemory) }
    }

    fn memory_fill(_place, step, registers, context) {
        let [d, byte, n] = [step.d, step.a, step.b].map(|slot| registers.get(slot) as u32);
        if context.memory.fill(d, byte as u8, n).is_some() { None } else { context.trap(TrapKind::OutOfBoundsMemory) }
    }

    fn global_get(_place, step, registers, context) {
        registers.set(step.d, context.globals[step.b as usize]);
        None
    }

    fn global_set[const HALF: bool](_place, step, registers, context) {
        let bits = registers.get(step.a);
        context.globals[step.b as usize] = if HALF { Type::I32.normalise(bits) } else { bits };
        None
    }

    fn argument(_place, step, registers, context) {
        match context.machine.passed(&context.current, registers.get(step.a).wrapping_sub(1)) {
            Some(bits) => {
                registers.set(step.d, bits);
                None
            }
            None => context.trap(TrapKind::OutOfBoundsArgument),
        }
    }

    fn print[const TYPE: u8](_place, step, registers, context) {
        match context.streams.print(Type::ALL[TYPE as usize], registers.get(step.a)) {
            Ok(()) => None,
            Err(error) => context.fail(error),
        }
    }

    fn read[const TYPE: u8](_place, step, registers, context) {
        match context.streams.read(Type::ALL[TYPE as usize]) {
            Ok(bits) => {
                registers.set(step.d, bits);
                None
            }
            Err(error) => context.fail(error),
        }
    }
}
