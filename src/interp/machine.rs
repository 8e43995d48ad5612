//! The interpreter's stack: frames, and what calls and returns do to them.
//!
//! Comes in: calls and returns from the loop in [`run`](super::run). Goes out: frames with arguments and zeroed locals
//! in place. What must hold: the host's stack does not grow with the program's.

use std::io;

use crate::isa::op::Op;
use crate::isa::trap::TrapKind;
use crate::trap::{RunError, Trap};
use crate::verified::{Body, Verified};

use super::Limits;

/// A function that is being executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) function: u32,
    /// The instruction at hand; in a caller, the call.
    pub(super) pc: u32,
    /// Where its registers start.
    base: usize,
    /// Its variables, and its arguments as they were passed where `arg` may ask for them.
    size: usize,
}

/// A call being executed.
#[derive(Debug)]
pub(super) struct Machine<'v> {
    pub(super) verified: &'v Verified,
    pub(super) limits: &'v Limits,
    registers: Vec<u64>,
    callers: Vec<Frame>,
    pub(super) frame: Frame,
}

impl<'v> Machine<'v> {
    pub(super) fn new(limits: &'v Limits, verified: &'v Verified) -> Machine<'v> {
        let frame = Frame { function: 0, pc: 0, base: 0, size: 0 };
        Machine { verified, limits, registers: Vec::new(), callers: Vec::new(), frame }
    }

    /// The registers of the function being executed.
    pub(super) fn registers(&mut self) -> &mut [u64] {
        &mut self.registers[self.frame.base..self.frame.base + self.frame.size]
    }

    /// Makes a frame for `function` above the current one and gives it its arguments.
    ///
    /// `args` gives the current frame's registers and a number the bits of that argument.
    pub(super) fn enter(
        &mut self,
        function: u32,
        n: usize,
        args: impl Fn(&[u64], usize) -> u64,
    ) -> Result<(), RunError> {
        let body = &self.verified.functions[function as usize];
        let vars = body.vars.len();
        let base = self.frame.base + self.frame.size;
        let size = vars + if body.has_arg { n } else { 0 };
        self.make_room(base, size)?;
        let (lower, upper) = self.registers.split_at_mut(base);
        let (own, kept) = upper[..size].split_at_mut(vars);
        let below = &lower[self.frame.base..];
        let params = &body.signature.params;
        for (k, ty) in params.iter().enumerate() {
            own[k] = ty.normalise(args(below, k));
        }
        own[params.len()] = n as u64;
        own[params.len() + 1..].fill(0);
        for (k, place) in kept.iter_mut().enumerate() {
            *place = if k < params.len() { own[k] } else { args(below, k) };
        }
        self.frame = Frame { function, pc: 0, base, size };
        Ok(())
    }

    /// Makes sure that a frame fits, the limits included.
    fn make_room(&mut self, base: usize, size: usize) -> Result<(), RunError> {
        let end = base + size;
        if end <= self.registers.len() {
            return Ok(());
        }
        if end > self.limits.registers {
            return Err(self.trap(TrapKind::StackOverflow).into());
        }
        let wanted = (end * 2).clamp(256, self.limits.registers.max(end));
        let more = wanted - self.registers.len();
        self.registers.try_reserve_exact(more).map_err(|e| RunError::Memory(io::Error::other(e)))?;
        self.registers.resize(wanted, 0);
        Ok(())
    }

    /// Calls `function` from the current frame with the registers that a call's list names.
    pub(super) fn call(&mut self, function: u32, list: &[u32]) -> Result<(), RunError> {
        if self.callers.len() >= self.limits.frames {
            return Err(self.trap(TrapKind::StackOverflow).into());
        }
        let (_, args) = call_lists(list);
        let caller = self.frame;
        self.enter(function, args.len(), |below, k| below[args[k] as usize])?;
        self.callers.push(caller);
        Ok(())
    }

    /// Returns `values` to the caller; the results themselves where there is none.
    pub(super) fn ret(&mut self, values: &[u32]) -> Option<Vec<u64>> {
        let callee = self.frame;
        let results = &self.body().signature.results;
        let values = values.iter().zip(results);
        let Some(caller) = self.callers.pop() else {
            let registers = self.registers();
            return Some(values.map(|(&v, ty)| ty.normalise(registers[v as usize])).collect());
        };
        self.frame = caller;
        let body = self.body();
        let inst = &body.insts[caller.pc as usize];
        let list = &body.lists[inst.b as usize + usize::from(inst.op == Op::Calli)..];
        let (destinations, _) = call_lists(list);
        let (lower, upper) = self.registers.split_at_mut(callee.base);
        for (&d, (&v, ty)) in destinations.iter().zip(values) {
            lower[caller.base + d as usize] = ty.normalise(upper[v as usize]);
        }
        self.frame.pc += 1;
        None
    }

    /// The body of the function being executed.
    pub(super) fn body(&self) -> &'v Body {
        &self.verified.functions[self.frame.function as usize]
    }

    /// A trap at the instruction at hand.
    #[cold]
    pub(super) fn trap(&self, kind: TrapKind) -> Trap {
        let stack = std::iter::once(&self.frame).chain(self.callers.iter().rev());
        Trap::new(kind, &self.verified.module, stack.map(|frame| (frame.function, frame.pc)))
    }
}

/// The function that `calli` reaches.
pub(super) fn table_entry(verified: &Verified, table: u32, signature: u32, i: u64) -> Result<u32, TrapKind> {
    let functions = &verified.module.tables[table as usize].functions;
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
