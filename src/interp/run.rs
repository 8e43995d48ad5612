//! The interpreter's loop.
//!
//! Comes in: a machine with its first frame. Goes out: how the call ended. What must hold: every row of the opcode
//! table that the verifier lets through has an arm; rows that compute, load or store get theirs from the table.

use crate::for_each_op;
use crate::isa::op::{Bits, Flag, Op, Type, meaning};
use crate::isa::trap::TrapKind;
use crate::module::PAGE;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};

use super::Store;
use super::machine::{Machine, table_entry};
use super::memory;
use super::registers::Registers;

/// How the loop ended.
enum End {
    Outcome(Outcome),
    Trap(TrapKind),
    Fail(RunError),
}

impl Machine<'_> {
    /// Executes until the outermost call ends.
    pub(super) fn run(mut self, store: &mut Store, streams: &mut Streams) -> Result<Outcome, RunError> {
        match execute(&mut self, store, streams) {
            End::Outcome(outcome) => Ok(outcome),
            End::Trap(kind) => Err(self.trap(kind).into()),
            End::Fail(error) => Err(error),
        }
    }
}

/// Applies a row's expression to the registers that its instruction reads.
macro_rules! evaluate {
    ($registers:ident, $inst:ident, $row:ident, $a:ident) => {
        meaning::$row($a::of($registers.get($inst.a)))
    };
    ($registers:ident, $inst:ident, $row:ident, $a:ident $b:ident) => {
        meaning::$row($a::of($registers.get($inst.a)), $b::of($registers.get($inst.b)))
    };
}

macro_rules! define_loop {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        #[allow(clippy::too_many_lines, reason = "one arm for each row, most of them made from the table")]
        fn execute(machine: &mut Machine<'_>, store: &mut Store, streams: &mut Streams) -> End {
            let mut left = machine.limits.jumps;
            let mut pc = 0;
            let verified = machine.verified;
            let mut body = machine.body();
            let (mut code, mut blocks, mut lists) = (&body.insts[..], &body.blocks[..], &body.lists[..]);
            let mut registers = Registers::new(machine.registers());
            let Store { memory, globals } = store;
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
            macro_rules! jump {
                ($block:expr) => {{
                    if left == 0 {
                        break End::Trap(TrapKind::Interrupted);
                    }
                    left -= 1;
                    pc = blocks[$block as usize].start as usize;
                    continue;
                }};
            }
            // Goes on with the machine's frame, which has changed.
            macro_rules! resume {
                () => {{
                    pc = machine.pc() as usize;
                    body = machine.body();
                    (code, blocks, lists) = (&body.insts[..], &body.blocks[..], &body.lists[..]);
                    registers = Registers::new(machine.registers());
                    continue;
                }};
            }
            macro_rules! enter {
                ($function:expr, $list:expr) => {{
                    if left == 0 {
                        break End::Trap(TrapKind::Interrupted);
                    }
                    left -= 1;
                    match machine.call(pc as u32, $function, &lists[$list as usize..]) {
                        Ok(()) => resume!(),
                        Err(error) => return End::Fail(error),
                    }
                }};
            }

            let end = loop {
                let inst = &code[pc];
                match inst.op {
                    $(Op::$v => {
                        match evaluate!(registers, inst, $v, $($pt)*) {
                            Ok(value) => registers.set(inst.d, value.bits()),
                            Err(kind) => break End::Trap(kind),
                        }
                        // Most comparisons feed the branch behind them: saves finding its arm.
                        if const { Op::ROWS[Op::$v as usize].has(Flag::Compares) } {
                            let next = &code[pc + 1];
                            if next.a == inst.d && matches!(next.op, Op::Jmpt | Op::Jmpf) {
                                if (registers.get(inst.d) != 0) == (next.op == Op::Jmpt) {
                                    jump!(next.b);
                                }
                                pc += 1;
                            }
                        }
                    })*
                    $(Op::$l => {
                        const SIZE: usize = size_of::<$lraw>();
                        let raw = check!(memory::load::<SIZE, $lraw>(bytes, registers.get(inst.a), inst.b));
                        registers.set(inst.d, meaning::$l(raw).bits());
                    })*
                    $(Op::$s => {
                        const SIZE: usize = size_of::<$sraw>();
                        let raw = meaning::$s($st::of(registers.get(inst.d)));
                        check!(memory::store::<SIZE, $sraw>(bytes, registers.get(inst.a), inst.b, raw));
                    })*
                    Op::ConstI32 | Op::ConstI64 | Op::ConstF32 | Op::ConstF64 => registers.set(inst.d, inst.literal()),
                    Op::MoveI64 | Op::MoveF32 | Op::MoveF64 => registers.set(inst.d, registers.get(inst.a)),
                    Op::SelectI64 | Op::SelectF32 | Op::SelectF64 => {
                        let chosen = lists[inst.b as usize + usize::from(registers.get(inst.a) == 0)];
                        registers.set(inst.d, registers.get(chosen));
                    }
                    Op::Jmp => jump!(inst.b),
                    Op::Jmpt => {
                        if registers.get(inst.a) != 0 {
                            jump!(inst.b);
                        }
                    }
                    Op::Jmpf => {
                        if registers.get(inst.a) == 0 {
                            jump!(inst.b);
                        }
                    }
                    Op::Switch => {
                        let n = lists[inst.b as usize];
                        let chosen = registers.get(inst.a).min(u64::from(n)) as usize;
                        jump!(lists[inst.b as usize + 1 + chosen]);
                    }
                    Op::Call => enter!(inst.a, inst.b),
                    Op::Calli => match table_entry(verified, inst, lists, registers.get(inst.a)) {
                        Ok(function) => enter!(function, inst.b + 1),
                        Err(kind) => break End::Trap(kind),
                    },
                    Op::Ret => {
                        if let Some(results) = machine.ret(&lists[inst.b as usize..]) {
                            break End::Outcome(Outcome::Returned(results));
                        }
                        resume!();
                    }
                    Op::Halt => break End::Outcome(Outcome::Halted),
                    Op::Trap => break End::Trap(TrapKind::Unreachable),
                    Op::Msize => registers.set(inst.d, bytes.len() as u64 / PAGE),
                    Op::Mgrow => {
                        let grown = memory.grow(registers.get(inst.a) as u32);
                        registers.set(inst.d, u64::from(grown.unwrap_or(u32::MAX)));
                        bytes = memory.bytes_mut();
                    }
                    Op::Mcopy => {
                        let (d, a, b) = (registers.get(inst.d), registers.get(inst.a), registers.get(inst.b));
                        check!(memory::copy(bytes, d, a, b));
                    }
                    Op::Mfill => {
                        let (d, a, b) = (registers.get(inst.d), registers.get(inst.a), registers.get(inst.b));
                        check!(memory::fill(bytes, d, a, b));
                    }
                    Op::GgetI32 | Op::GgetI64 | Op::GgetF32 | Op::GgetF64 => {
                        registers.set(inst.d, globals[inst.b as usize]);
                    }
                    Op::GsetI32 => globals[inst.b as usize] = Type::I32.normalise(registers.get(inst.a)),
                    Op::GsetI64 | Op::GsetF32 | Op::GsetF64 => globals[inst.b as usize] = registers.get(inst.a),
                    Op::Arg => match registers.passed(body, registers.get(inst.a).wrapping_sub(1)) {
                        Some(bits) => registers.set(inst.d, bits),
                        None => break End::Trap(TrapKind::OutOfBoundsArgument),
                    },
                    Op::PrintI64 => attempt!(streams.print(Type::I64, registers.get(inst.a))),
                    Op::PrintF32 => attempt!(streams.print(Type::F32, registers.get(inst.a))),
                    Op::PrintF64 => attempt!(streams.print(Type::F64, registers.get(inst.a))),
                    Op::ReadI64 => registers.set(inst.d, attempt!(streams.read(Type::I64))),
                    Op::ReadF32 => registers.set(inst.d, attempt!(streams.read(Type::F32))),
                    Op::ReadF64 => registers.set(inst.d, attempt!(streams.read(Type::F64))),
                    Op::Move | Op::Select | Op::Print | Op::Read | Op::Gget | Op::Gset => {
                        unreachable!("the verifier settles which type `{}` works on", inst.op.row().mnemonic)
                    }
                }
                pc += 1;
            };
            machine.set_pc(pc as u32);
            end
        }
    };
}
for_each_op!(define_loop);
