//! The interpreter's loop.
//!
//! Comes in: a machine with its first frame. Goes out: how the call ended. What must hold: every row of the opcode
//! table that the verifier lets through has an arm; rows that compute, load or store get theirs from the table.

use crate::for_each_op;
use crate::isa::op::{Bits, Type, meaning};
use crate::isa::trap::TrapKind;
use crate::module::PAGE;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};

use super::code::{
    compares, jump_if, jump_if_literal, jump_unless, jump_unless_literal, literal, more, plain, takes_literal,
};
use super::machine::{Activation, Machine};
use super::memory;
use super::registers::{Place, no_such_step};
use super::store::LinearMemory;

/// How the loop ended.
enum End {
    Outcome(Outcome),
    Trap(TrapKind),
    Fail(RunError),
}

/// What a call works on beside its stack.
pub(super) struct World<'w> {
    pub(super) memory: &'w mut LinearMemory,
    pub(super) globals: &'w mut [u64],
    pub(super) streams: &'w mut Streams,
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

macro_rules! define_loop {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        /// Executes until the outermost call ends.
        #[allow(clippy::too_many_lines, reason = "one arm for each row, most of them made from the table")]
        pub(super) fn run<'c>(
            machine: &mut Machine<'c>,
            mut current: Activation<'c>,
            world: World<'_>,
        ) -> Result<Outcome, RunError> {
            let World { memory, globals, streams } = world;
            let mut left = machine.limits.jumps;
            let mut place = Place::start(current.code);
            let mut registers = current.registers;
            let mut bytes = memory.bytes_mut();

            macro_rules! check {
                ($access:expr) => {
                    match $access {
                        Some(value) => value,
                        None => break End::Trap(TrapKind::OutOfBoundsMemory),
                    }
                };
            }
            macro_rules! attempt {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(error) => break End::Fail(error),
                    }
                };
            }
            macro_rules! count_down {
                () => {
                    match left.checked_sub(1) {
                        Some(rest) => left = rest,
                        None => break End::Trap(TrapKind::Interrupted),
                    }
                };
            }
            macro_rules! jump {
                ($offset:expr) => {{
                    count_down!();
                    place = place.jump($offset);
                    continue;
                }};
            }
            macro_rules! value {
                ($step:ident, $result:expr) => {
                    match $result {
                        Ok(value) => registers.set($step.d, value.bits()),
                        Err(kind) => break End::Trap(kind),
                    }
                };
            }
            macro_rules! jump_where {
                ($step:ident, $result:expr, $wanted:literal) => {
                    match $result {
                        Ok(value) if (value.bits() != 0) == $wanted => jump!($step.d),
                        Ok(_) => {}
                        Err(kind) => break End::Trap(kind),
                    }
                };
            }
            macro_rules! enter {
                ($function:expr, $list:expr) => {{
                    count_down!();
                    let callee = machine.code($function);
                    match machine.call(&mut current, place, callee, $list as usize) {
                        Ok(()) => {}
                        Err(error) => return Err(error),
                    }
                    registers = current.registers;
                    place = Place::start(callee);
                    continue;
                }};
            }
            macro_rules! leave {
                ($value:expr) => {{
                    let value = $value;
                    match machine.leave(&mut current) {
                        Some(call) => {
                            registers = current.registers;
                            registers.set(call.step().d, value);
                            place = call.next();
                            continue;
                        }
                        None => break End::Outcome(Outcome::Returned(vec![value])),
                    }
                }};
            }

            let end = loop {
                let step = place.step();
                match step.action {
                    $(plain::$v => value!(step, evaluate!($v (registers.get(step.a), registers.get(step.b)) $($pt)*)),)*
                    $(literal::$v => {
                        if const { !takes_literal(crate::isa::op::Op::$v) } {
                            no_such_step(step);
                        }
                        value!(step, evaluate!($v (registers.get(step.a), step.literal()) $($pt)*));
                    })*
                    $(jump_if::$v => {
                        if const { !compares(crate::isa::op::Op::$v) } {
                            no_such_step(step);
                        }
                        jump_where!(step, evaluate!($v (registers.get(step.a), registers.get(step.b)) $($pt)*), true);
                    })*
                    $(jump_unless::$v => {
                        if const { !compares(crate::isa::op::Op::$v) } {
                            no_such_step(step);
                        }
                        jump_where!(step, evaluate!($v (registers.get(step.a), registers.get(step.b)) $($pt)*), false);
                    })*
                    $(jump_if_literal::$v => {
                        if const { !compares(crate::isa::op::Op::$v) } {
                            no_such_step(step);
                        }
                        jump_where!(step, evaluate!($v (registers.get(step.a), step.literal()) $($pt)*), true);
                    })*
                    $(jump_unless_literal::$v => {
                        if const { !compares(crate::isa::op::Op::$v) } {
                            no_such_step(step);
                        }
                        jump_where!(step, evaluate!($v (registers.get(step.a), step.literal()) $($pt)*), false);
                    })*
                    $(plain::$l => {
                        const SIZE: usize = size_of::<$lraw>();
                        let raw = check!(memory::load::<SIZE, $lraw>(bytes, registers.get(step.a), step.b));
                        registers.set(step.d, meaning::$l(raw).bits());
                    })*
                    $(plain::$s => {
                        const SIZE: usize = size_of::<$sraw>();
                        let raw = meaning::$s($st::of(registers.get(step.d)));
                        check!(memory::store::<SIZE, $sraw>(bytes, registers.get(step.a), step.b, raw));
                    })*
                    plain::ConstI64 => registers.set(step.d, step.wide_literal()),
                    plain::MoveI64 => registers.set(step.d, registers.get(step.a)),
                    plain::SelectI64 => {
                        let chosen = step.b as usize + usize::from(registers.get(step.a) == 0);
                        registers.set(step.d, registers.get(current.code.lists[chosen]));
                    }
                    plain::Jmp => jump!(step.d),
                    plain::Jmpt => {
                        if registers.get(step.a) != 0 {
                            jump!(step.d);
                        }
                    }
                    plain::Jmpf => {
                        if registers.get(step.a) == 0 {
                            jump!(step.d);
                        }
                    }
                    plain::Switch => {
                        let lists = &current.code.lists;
                        let n = lists[step.b as usize];
                        let chosen = registers.get(step.a).min(u64::from(n)) as usize;
                        jump!(lists[step.b as usize + 1 + chosen]);
                    }
                    plain::Call => enter!(step.a, step.b),
                    plain::Calli => match machine.table_entry(current.code, step.b as usize, registers.get(step.a)) {
                        Ok(function) => enter!(function, step.b + 2),
                        Err(kind) => break End::Trap(kind),
                    },
                    more::RETURN_ONE => leave!(registers.get(step.a)),
                    more::RETURN_NARROW => leave!(u64::from(registers.get(step.a) as u32)),
                    more::RETURN_NONE => match machine.leave(&mut current) {
                        Some(call) => {
                            registers = current.registers;
                            place = call.next();
                            continue;
                        }
                        None => break End::Outcome(Outcome::Returned(Vec::new())),
                    },
                    plain::Ret => match machine.leave_with(&mut current, step.b as usize) {
                        Ok(call) => {
                            registers = current.registers;
                            place = call.next();
                            continue;
                        }
                        Err(results) => break End::Outcome(Outcome::Returned(results)),
                    },
                    plain::Halt => break End::Outcome(Outcome::Halted),
                    plain::Trap => break End::Trap(TrapKind::Unreachable),
                    plain::Msize => registers.set(step.d, bytes.len() as u64 / PAGE),
                    plain::Mgrow => {
                        let grown = memory.grow(registers.get(step.a) as u32);
                        registers.set(step.d, u64::from(grown.unwrap_or(u32::MAX)));
                        bytes = memory.bytes_mut();
                    }
                    plain::Mcopy => {
                        let (d, a, b) = (registers.get(step.d), registers.get(step.a), registers.get(step.b));
                        check!(memory::copy(bytes, d, a, b));
                    }
                    plain::Mfill => {
                        let (d, a, b) = (registers.get(step.d), registers.get(step.a), registers.get(step.b));
                        check!(memory::fill(bytes, d, a, b));
                    }
                    plain::GgetI64 => registers.set(step.d, globals[step.b as usize]),
                    plain::GsetI32 => globals[step.b as usize] = Type::I32.normalise(registers.get(step.a)),
                    plain::GsetI64 => globals[step.b as usize] = registers.get(step.a),
                    plain::Arg => match machine.passed(&current, registers.get(step.a).wrapping_sub(1)) {
                        Some(bits) => registers.set(step.d, bits),
                        None => break End::Trap(TrapKind::OutOfBoundsArgument),
                    },
                    plain::PrintI64 => attempt!(streams.print(Type::I64, registers.get(step.a))),
                    plain::PrintF32 => attempt!(streams.print(Type::F32, registers.get(step.a))),
                    plain::PrintF64 => attempt!(streams.print(Type::F64, registers.get(step.a))),
                    plain::ReadI64 => registers.set(step.d, attempt!(streams.read(Type::I64))),
                    plain::ReadF32 => registers.set(step.d, attempt!(streams.read(Type::F32))),
                    plain::ReadF64 => registers.set(step.d, attempt!(streams.read(Type::F64))),
                    _ => no_such_step(step),
                }
                place = place.next();
            };
            match end {
                End::Outcome(outcome) => Ok(outcome),
                End::Trap(kind) => Err(machine.trap(kind, current.code, place).into()),
                End::Fail(error) => Err(error),
            }
        }
    };
}
for_each_op!(define_loop);
