//! The interpreter's stack: frames, and what calls and returns do to them.
//!
//! Comes in: calls and returns from the loop in [`run`](super::run). Goes out: frames with arguments and zeroed locals
//! in place. What must hold: the host's stack does not grow with the program's.

use std::io;
use std::ops::Range;

use crate::isa::op::Op;
use crate::isa::trap::TrapKind;
use crate::module::Inst;
use crate::trap::{RunError, Trap};
use crate::verified::{Body, Verified};

use super::Limits;

/// A function that is being executed.
#[derive(Clone, Copy, Debug)]
struct Frame {
    function: u32,
    /// The instruction at hand; in a caller, the call.
    pc: u32,
    /// Where its registers start.
    base: usize,
    /// Where they end: its variables, and its arguments as they were passed where `arg` may ask for them.
    end: usize,
}

/// A call being executed.
#[derive(Debug)]
pub(super) struct Machine<'v> {
    pub(super) verified: &'v Verified,
    pub(super) limits: &'v Limits,
    registers: Vec<u64>,
    /// The functions being executed, outermost first.
    frames: Vec<Frame>,
}

impl<'v> Machine<'v> {
    /// A machine that has called `function` with `args`, which have been checked.
    pub(super) fn new(
        limits: &'v Limits,
        verified: &'v Verified,
        function: u32,
        args: &[u64],
    ) -> Result<Machine<'v>, RunError> {
        let mut machine = Machine { verified, limits, registers: Vec::new(), frames: Vec::with_capacity(16) };
        machine.enter(function, args.len(), 0..0, |_, k| args[k])?;
        Ok(machine)
    }

    fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    /// The body of the function being executed.
    pub(super) fn body(&self) -> &'v Body {
        &self.verified.functions[self.frame().function as usize]
    }

    /// The registers of the function being executed.
    pub(super) fn registers(&mut self) -> &mut [u64] {
        let &Frame { base, end, .. } = self.frame();
        &mut self.registers[base..end]
    }

    /// The instruction that the function being executed goes on with.
    pub(super) fn pc(&self) -> u32 {
        self.frame().pc
    }

    /// Notes which instruction is being executed.
    pub(super) fn set_pc(&mut self, pc: u32) {
        let current = self.frames.len() - 1;
        self.frames[current].pc = pc;
    }

    /// Makes a frame for `function` above `caller` and gives it its arguments.
    ///
    /// `args` gives, of the caller's registers, the bits of an argument.
    #[inline]
    fn enter(
        &mut self,
        function: u32,
        n: usize,
        caller: Range<usize>,
        args: impl Fn(&[u64], usize) -> u64,
    ) -> Result<(), RunError> {
        let body = &self.verified.functions[function as usize];
        let vars = body.vars.len();
        let base = caller.end;
        let end = base + vars + if body.has_arg { n } else { 0 };
        if end > self.registers.len() {
            self.make_room(end)?;
        }
        let (lower, upper) = self.registers.split_at_mut(base);
        let (own, kept) = upper[..end - base].split_at_mut(vars);
        let below = &lower[caller.start..];
        let params = &body.signature.params[..];
        for (k, (place, ty)) in own.iter_mut().zip(params).enumerate() {
            *place = ty.normalise(args(below, k));
        }
        own[params.len()] = n as u64;
        own[params.len() + 1..].fill(0);
        for (k, place) in kept.iter_mut().enumerate() {
            *place = if k < params.len() { own[k] } else { args(below, k) };
        }
        self.frames.push(Frame { function, pc: 0, base, end });
        Ok(())
    }

    /// Makes room for registers up to `end`, where the limits allow it.
    #[cold]
    fn make_room(&mut self, end: usize) -> Result<(), RunError> {
        if end > self.limits.registers {
            return Err(self.trap(TrapKind::StackOverflow).into());
        }
        let wanted = (end * 2).clamp(256, self.limits.registers.max(256));
        let more = wanted - self.registers.len();
        self.registers.try_reserve_exact(more).map_err(|e| RunError::Memory(io::Error::other(e)))?;
        self.registers.resize(wanted, 0);
        Ok(())
    }

    /// Calls `function` from instruction `pc` with the registers that the call's list names.
    pub(super) fn call(&mut self, pc: u32, function: u32, list: &[u32]) -> Result<(), RunError> {
        self.set_pc(pc);
        if self.frames.len() > self.limits.frames {
            return Err(self.trap(TrapKind::StackOverflow).into());
        }
        let (_, args) = call_lists(list);
        let &Frame { base, end, .. } = self.frame();
        self.enter(function, args.len(), base..end, |below, k| below[args[k] as usize])
    }

    /// Returns the values that the list of a `ret` names to the caller; hands them out where there is none.
    pub(super) fn ret(&mut self, list: &[u32]) -> Option<Vec<u64>> {
        let results = &self.body().signature.results;
        let values = list[1..].iter().zip(results);
        if self.frames.len() == 1 {
            let registers = self.registers();
            return Some(values.map(|(&v, ty)| ty.normalise(registers[v as usize])).collect());
        }
        let returning = self.frames.pop()?;
        let &Frame { base, pc, .. } = self.frame();
        let body = self.body();
        let inst = &body.insts[pc as usize];
        let list = &body.lists[inst.b as usize + usize::from(inst.op == Op::Calli)..];
        let (destinations, _) = call_lists(list);
        let (lower, upper) = self.registers.split_at_mut(returning.base);
        for (&d, (&v, ty)) in destinations.iter().zip(values) {
            lower[base + d as usize] = ty.normalise(upper[v as usize]);
        }
        self.set_pc(pc + 1);
        None
    }

    /// A trap at the instruction at hand.
    #[cold]
    pub(super) fn trap(&self, kind: TrapKind) -> Trap {
        let stack = self.frames.iter().rev();
        Trap::new(kind, &self.verified.module, stack.map(|frame| (frame.function, frame.pc)))
    }
}

/// The function that `calli` reaches.
pub(super) fn table_entry(verified: &Verified, calli: &Inst, lists: &[u32], i: u64) -> Result<u32, TrapKind> {
    let functions = &verified.module.tables[calli.d as usize].functions;
    let signature = lists[calli.b as usize];
    let function = usize::try_from(i).ok().and_then(|i| functions.get(i)).ok_or(TrapKind::UndefinedElement)?;
    if verified.signature_ids[*function as usize] == verified.calli_ids[signature as usize] {
        Ok(*function)
    } else {
        Err(TrapKind::IndirectCallTypeMismatch)
    }
}

/// The destinations and arguments in a call's list.
fn call_lists(list: &[u32]) -> (&[u32], &[u32]) {
    let (results, rest) = list[1..].split_at(list[0] as usize);
    (results, &rest[1..][..rest[0] as usize])
}
