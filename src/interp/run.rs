//! The interpreter's loop, and what it does for each step.
//!
//! Comes in: a machine with its first activation. Goes out: how the call ended. What must hold: every row of the opcode
//! table that the verifier lets through has a function here; rows that compute, load or store get theirs from the table.
//!
//! Each step is one call through a pointer. The loop is unrolled so that a step of a short loop is always called from
//! the same place: processors foresee such a call, and would not foresee one place from which everything is called.

use crate::for_each_op;
use crate::isa::op::{Bits, Flag, Op, Type, meaning};
use crate::isa::trap::TrapKind;
use crate::module::PAGE;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};

use super::code::{Code, Literal, Register, Second};
use super::custom;
use super::machine::{Activation, Machine};
use super::memory;
use super::native::{self, Native, World};
use super::registers::{Place, Window};
use super::store;

/// What does a step. It gives the place to go on at if that is not the next step.
pub(super) type Run = for<'c, 'w> fn(Place<'c>, Window, &mut Context<'c, 'w>) -> Option<Place<'c>>;

/// What steps work on beside registers.
pub(super) struct Context<'c, 'w> {
    pub(super) machine: Machine<'c>,
    pub(super) current: Activation<'c>,
    /// How many jumps are left.
    left: u64,
    /// All the linear memory that there may ever be, how much of it there is, and how many pages that may become.
    pub(super) reserved: &'w mut [u8],
    pub(super) len: usize,
    max: u32,
    pub(super) globals: &'w mut [u64],
    pub(super) streams: &'w mut Streams,
    /// Who calls C for the program, if it may.
    pub(super) natives: Option<&'w mut dyn Native<'w>>,
    /// Why there is no place to go on at.
    end: End,
}

/// How the loop ended.
enum End {
    Outcome(Outcome),
    Trap(TrapKind),
    Fail(RunError),
}

/// Executes until the outermost call ends, and says how many bytes of linear memory there are then.
pub(super) fn run<'w>(
    mut machine: Machine<'_>,
    function: u32,
    args: &[u64],
    world: World<'w>,
    natives: Option<&'w mut dyn Native<'w>>,
) -> (usize, Result<Outcome, RunError>) {
    let current = match machine.begin(function, args) {
        Ok(current) => current,
        Err(error) => return (world.len, Err(error)),
    };
    let left = machine.limits.jumps;
    let World { reserved, len, max, globals, streams } = world;
    let end = End::Outcome(Outcome::Halted);
    let mut context = Context { machine, current, left, reserved, len, max, globals, streams, natives, end };
    let last = go(&mut context);
    let result = match context.end {
        End::Outcome(outcome) => Ok(outcome),
        End::Trap(kind) => Err(context.machine.trap(kind, context.current.code, last).into()),
        End::Fail(error) => Err(error),
    };
    (context.len, result)
}

/// Goes from step to step, and gives the last.
fn go<'c>(context: &mut Context<'c, '_>) -> Place<'c> {
    let mut place = Place::start(context.current.code);
    'jump: loop {
        let registers = context.current.registers;
        macro_rules! steps {
            ($($nth:literal)*) => { $(
                step!($nth);
            )* };
        }
        macro_rules! step {
            ($nth:literal) => {
                if let Some(next) = (place.step().run)(place, registers, context) {
                    if next.is_end() {
                        return place;
                    }
                    place = next;
                    continue 'jump;
                }
                place = place.next();
            };
        }
        loop {
            steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
            steps!(32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
        }
    }
}

impl<'c> Context<'c, '_> {
    /// Ends the run.
    #[cold]
    #[inline(never)]
    #[allow(clippy::unnecessary_wraps, reason = "it is what a step gives")]
    fn end(&mut self, end: End) -> Option<Place<'c>> {
        self.end = end;
        Some(Place::END)
    }

    /// Ends the run with results.
    #[cold]
    #[inline(never)]
    fn hand_out(&mut self, results: &[u64]) -> Option<Place<'c>> {
        self.end(End::Outcome(Outcome::Returned(results.to_vec())))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, error: RunError) -> Option<Place<'c>> {
        self.end(End::Fail(error))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn trap(&mut self, kind: TrapKind) -> Option<Place<'c>> {
        self.end(End::Trap(kind))
    }

    /// Ends the run with success.
    #[cold]
    pub(super) fn halt(&mut self) -> Option<Place<'c>> {
        self.end(End::Outcome(Outcome::Halted))
    }

    /// Counts one jump; false where there are none left.
    #[inline(always)]
    pub(super) fn count_jump(&mut self) -> bool {
        let (left, none) = self.left.overflowing_sub(1);
        self.left = left;
        !none
    }

    /// Goes to what is `offset` bytes from `place`.
    #[inline(always)]
    fn jump(&mut self, place: Place<'c>, offset: u32) -> Option<Place<'c>> {
        if self.count_jump() { Some(place.jump(offset)) } else { self.trap(TrapKind::Interrupted) }
    }

    /// The bytes of linear memory that there are.
    #[inline(always)]
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.reserved[..self.len]
    }

    #[inline(always)]
    fn call(&mut self, place: Place<'c>, registers: Window, function: u32, list: u32) -> Option<Place<'c>> {
        if !self.count_jump() {
            return self.trap(TrapKind::Interrupted);
        }
        let callee = self.machine.code(function);
        if self.machine.call(&mut self.current, registers, place, callee, list) {
            Some(Place::start(callee))
        } else {
            self.call_with_more_room(place, callee, list)
        }
    }

    #[cold]
    #[inline(never)]
    fn call_with_more_room(&mut self, place: Place<'c>, callee: &'c Code, list: u32) -> Option<Place<'c>> {
        if let Err(error) = self.machine.make_room_for_call(&mut self.current, place, callee, list) {
            return self.fail(error);
        }
        let registers = self.current.registers;
        let done = self.machine.call(&mut self.current, registers, place, callee, list);
        debug_assert!(done, "there is room now");
        Some(Place::start(callee))
    }

    /// Returns one value.
    #[inline(always)]
    fn give(&mut self, value: u64) -> Option<Place<'c>> {
        let Some(call) = self.machine.leave(&mut self.current) else {
            return self.hand_out(&[value]);
        };
        self.current.registers.set(call.step().d, value);
        Some(call.next())
    }
}

/// What is made of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
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
pub(super) fn run_of(family: Family, op: Op) -> Run {
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
            $(pub(super) fn $v<'c, B: Second>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                let step = place.step();
                match evaluate!($v (registers.get(step.a), B::get(step, registers)) $($pt)*) {
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
            $(pub(super) fn $v<'c, B: Second, const WANTED: bool>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                let step = place.step();
                match evaluate!($v (registers.get(step.a), B::get(step, registers)) $($pt)*) {
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
            $(pub(super) fn $l<'c>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                const SIZE: usize = size_of::<$lraw>();
                let step = place.step();
                let Some(raw) = memory::load::<SIZE, $lraw>(context.reserved, context.len, registers.get(step.a), step.b) else {
                    return context.trap(TrapKind::OutOfBoundsMemory);
                };
                registers.set(step.d, meaning::$l(raw).bits());
                None
            })*
            $(pub(super) fn $s<'c>(
                place: Place<'c>, registers: Window, context: &mut Context<'c, '_>,
            ) -> Option<Place<'c>> {
                const SIZE: usize = size_of::<$sraw>();
                let step = place.step();
                let raw = meaning::$s($st::of(registers.get(step.d)));
                match memory::store::<SIZE, $sraw>(context.reserved, context.len, registers.get(step.a), step.b, raw) {
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
        Op::Call => call,
        Op::Calli => call_indirect,
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
        Op::PrintI64 => print::<{ Type::I64 as u8 }>,
        Op::PrintF32 => print::<{ Type::F32 as u8 }>,
        Op::PrintF64 => print::<{ Type::F64 as u8 }>,
        Op::ReadI64 => read::<{ Type::I64 as u8 }>,
        Op::ReadF32 => read::<{ Type::F32 as u8 }>,
        Op::ReadF64 => read::<{ Type::F64 as u8 }>,
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

    fn call(place, step, registers, context) {
        context.call(place, registers, step.a, step.b)
    }

    fn call_indirect(place, step, registers, context) {
        match context.machine.table_entry(context.current.code, step.b as usize, registers.get(step.a)) {
            Ok(function) => context.call(place, registers, function, step.b),
            Err(kind) => context.trap(kind),
        }
    }

    /// Returns nothing.
    pub(super) fn return_none(_place, _step, _registers, context) {
        match context.machine.leave(&mut context.current) {
            Some(call) => Some(call.next()),
            None => context.hand_out(&[]),
        }
    }

    /// Returns the value in `a`.
    pub(super) fn return_one(_place, step, registers, context) {
        context.give(registers.get(step.a))
    }

    /// Returns the lower half of the value in `a`.
    pub(super) fn return_half(_place, step, registers, context) {
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
        registers.set(step.d, context.len as u64 / PAGE);
        None
    }

    fn memory_grow(_place, step, registers, context) {
        let grown = store::grow(&mut context.len, context.max, registers.get(step.a) as u32);
        registers.set(step.d, u64::from(grown.unwrap_or(u32::MAX)));
        None
    }

    fn memory_copy(_place, step, registers, context) {
        let (d, a, b) = (registers.get(step.d), registers.get(step.a), registers.get(step.b));
        if memory::copy(context.bytes(), d, a, b).is_some() { None } else { context.trap(TrapKind::OutOfBoundsMemory) }
    }

    fn memory_fill(_place, step, registers, context) {
        let (d, a, b) = (registers.get(step.d), registers.get(step.a), registers.get(step.b));
        if memory::fill(context.bytes(), d, a, b).is_some() { None } else { context.trap(TrapKind::OutOfBoundsMemory) }
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
