//! The interpreter's stack: activations, and what calls and returns do to them.
//!
//! Comes in: calls and returns from the loop in [`run`](super::run). Goes out: activations with arguments and zeroed
//! locals in place. What must hold: the host's stack does not grow with the program's.

use std::io;
use std::sync::OnceLock;

use crate::isa::trap::TrapKind;
use crate::trap::{RunError, Trap};
use crate::verified::Verified;

use super::Limits;
use super::code::Code;
use super::decode::decode;
use super::native::counted;
use super::registers::{Place, Window};
use super::store::Codes;

/// A function that is being executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation<'c> {
    pub(super) code: &'c Code,
    /// Where its registers start.
    base: usize,
    /// Where they end: its variables, and its arguments as they were passed where `arg` may ask for them.
    end: usize,
    pub(super) registers: Window,
}

/// A function that waits for the one that it called.
#[derive(Clone, Copy, Debug)]
struct Caller<'c> {
    code: &'c Code,
    /// The call.
    place: Place<'c>,
    base: usize,
}

/// A call being executed.
#[derive(Debug)]
pub(super) struct Machine<'c> {
    pub(super) verified: &'c Verified,
    pub(super) limits: &'c Limits,
    codes: &'c [OnceLock<Code>],
    /// Whether the module is linked with others.
    is_linked: bool,
    stack: Vec<u64>,
    /// The functions that wait, outermost first, and room for more.
    callers: Vec<Caller<'c>>,
    /// How many wait.
    depth: usize,
}

impl<'c> Machine<'c> {
    pub(super) fn new(limits: &'c Limits, verified: &'c Verified, codes: &'c Codes) -> Machine<'c> {
        let (codes, is_linked) = (codes.all(), codes.is_linked());
        Machine { verified, limits, codes, is_linked, stack: Vec::new(), callers: Vec::new(), depth: 0 }
    }

    /// Function `function` in the form that the loop executes, if it has been needed before.
    #[inline(always)]
    pub(super) fn decoded(&self, function: u32) -> Option<&'c Code> {
        self.codes[function as usize].get()
    }

    /// Function `function` in the form that the loop executes.
    pub(super) fn code(&self, function: u32) -> &'c Code {
        self.decoded(function).unwrap_or_else(|| self.decode_once(&self.codes[function as usize], function))
    }

    #[cold]
    fn decode_once(&self, code: &'c OnceLock<Code>, function: u32) -> &'c Code {
        code.get_or_init(|| decode(self.verified, function, self.is_linked))
    }

    /// How many functions are being executed, and how many registers there is room for.
    pub(super) fn used(&self) -> (usize, usize) {
        (self.depth + 1, self.stack.len())
    }

    /// The activation of the outermost function, with `args`, which have been checked.
    pub(super) fn begin(&mut self, function: u32, args: &[u64]) -> Result<Activation<'c>, RunError> {
        let code = self.code(function);
        let end = end_of(code, 0, args.len());
        if end > self.stack.len() {
            self.make_room(end).map_err(|error| {
                error.unwrap_or_else(|| self.trap(TrapKind::StackOverflow, code, Place::start(code)).into())
            })?;
        }
        let registers = Window::open(&mut self.stack, 0, code);
        let types = &self.verified.body(function).signature.params;
        for ((slot, &arg), ty) in (0..).zip(args).zip(types) {
            registers.set(slot, ty.normalise(arg));
        }
        if code.keeps_args {
            self.stack[code.size()..end].copy_from_slice(args);
            let fixed = code.params as usize;
            self.stack.copy_within(..fixed, code.size());
        }
        let registers = Window::open(&mut self.stack, 0, code);
        registers.set(code.params, args.len() as u64);
        start(code, registers);
        Ok(Activation { code, base: 0, end, registers })
    }

    /// Makes room for registers up to `end`; gives nothing for an error where the limits do not allow it.
    #[cold]
    fn make_room(&mut self, end: usize) -> Result<(), Option<RunError>> {
        if end > self.limits.registers {
            return Err(None);
        }
        let wanted = (end * 2).clamp(256, self.limits.registers.max(256));
        let more = wanted - self.stack.len();
        self.stack.try_reserve_exact(more).map_err(|e| RunError::Memory(io::Error::other(e)))?;
        self.stack.resize(wanted, 0);
        Ok(())
    }

    /// Calls `callee` from `place` in `current` with those of its `registers` that the list at `list` names; of those that it
    /// marks, the upper half is cut off if `CUT`. False, and nothing is done, where there is no room. Arguments are yet
    /// to be [kept](Self::keep) where that has to be.
    #[inline(always)]
    pub(super) fn call<const CUT: bool>(
        &mut self,
        current: &mut Activation<'c>,
        registers: Window,
        place: Place<'c>,
        callee: &'c Code,
        list: u32,
    ) -> bool {
        let list = &current.code.lists[list as usize..];
        let n = list[0] as usize;
        let args = &list[1..=callee.params as usize];
        let base = current.end;
        let end = end_of(callee, base, n);
        if end > self.stack.len() {
            return false;
        }
        let Some(caller) = self.callers.get_mut(self.depth) else { return false };
        *caller = Caller { code: current.code, place, base: current.base };
        self.depth += 1;
        let opened = Window::open(&mut self.stack, base, callee);
        for (slot, &arg) in (0..).zip(args) {
            opened.set(slot, if CUT { cut(registers, arg) } else { registers.get(arg) });
        }
        opened.set(callee.params, n as u64);
        start(callee, opened);
        *current = Activation { code: callee, base, end, registers: opened };
        true
    }

    /// Makes room for a call, where the limits allow it.
    #[cold]
    pub(super) fn make_room_for_call(
        &mut self,
        current: &mut Activation<'c>,
        place: Place<'c>,
        callee: &Code,
        list: u32,
    ) -> Result<(), RunError> {
        let end = end_of(callee, current.end, current.code.lists[list as usize] as usize);
        let overflow = |machine: &Machine<'_>| machine.trap(TrapKind::StackOverflow, current.code, place).into();
        if self.depth >= self.limits.frames {
            return Err(overflow(self));
        }
        if self.depth == self.callers.len() {
            let wanted = (self.depth * 2).clamp(16.min(self.limits.frames), self.limits.frames);
            let more = wanted - self.depth;
            self.callers.try_reserve_exact(more).map_err(|e| RunError::Memory(io::Error::other(e)))?;
            self.callers.resize(wanted, Caller { code: current.code, place, base: current.base });
        }
        if end > self.stack.len() {
            self.make_room(end).map_err(|error| error.unwrap_or_else(|| overflow(self)))?;
            current.registers = Window::open(&mut self.stack, current.base, current.code);
        }
        Ok(())
    }

    /// Keeps the arguments of a call of `callee` from `caller` as they were passed, behind the registers of the function.
    pub(super) fn keep(&mut self, caller: &Activation<'c>, callee: &Code, list: u32) {
        let (args, _) = counted(&caller.code.lists[list as usize..]);
        let base = caller.end;
        for (k, &arg) in args.iter().enumerate() {
            // Fixed parameters are already there, with the upper halves cut off that are not passed.
            let passed = if k < callee.params as usize { base + k } else { caller.base + (arg & !Code::HALF) as usize };
            self.stack[base + callee.size() + k] = self.stack[passed];
        }
    }

    /// Argument `i`, counted from 0, as it was passed to a function that keeps its arguments.
    pub(super) fn passed(&self, current: &Activation<'c>, i: u64) -> Option<u64> {
        let kept = &self.stack[current.base + current.code.size()..current.end];
        usize::try_from(i).ok().and_then(|i| kept.get(i)).copied()
    }

    /// Goes back to the function that waits, and gives the place of its call; nothing where there is none.
    #[inline(always)]
    pub(super) fn leave(&mut self, current: &mut Activation<'c>) -> Option<Place<'c>> {
        let depth = self.depth.wrapping_sub(1);
        let &Caller { code, place, base } = self.callers.get(depth)?;
        self.depth = depth;
        let registers = Window::open(&mut self.stack, base, code);
        *current = Activation { code, base, end: current.base, registers };
        Some(place)
    }

    /// Returns the values that the list at `list` names, and gives the place of the call; hands them out where there is
    /// none.
    pub(super) fn leave_with(&mut self, current: &mut Activation<'c>, list: usize) -> Result<Place<'c>, Vec<u64>> {
        let (values, _) = counted(&current.code.lists[list..]);
        let returning = current.registers;
        let Some(place) = self.leave(current) else {
            return Err(values.iter().map(|&v| cut(returning, v)).collect());
        };
        let call = place.step();
        let (_, rest) = counted(&current.code.lists[call.b as usize..]);
        let (destinations, _) = counted(rest);
        for (&destination, &v) in destinations.iter().zip(values) {
            current.registers.set(destination, cut(returning, v));
        }
        Ok(place)
    }

    /// The function that the `calli` in `code` whose list stands at `list` reaches with index `i`.
    pub(super) fn table_entry(&self, code: &Code, list: usize, i: u64) -> Result<u32, TrapKind> {
        let (table, signature) = (code.lists[list - 2], code.lists[list - 1]);
        let functions = &self.verified.module.tables[table as usize].functions;
        let function = usize::try_from(i).ok().and_then(|i| functions.get(i)).ok_or(TrapKind::UndefinedElement)?;
        if self.verified.signature_ids[*function as usize] == self.verified.calli_ids[signature as usize] {
            Ok(*function)
        } else {
            Err(TrapKind::IndirectCallTypeMismatch)
        }
    }

    /// A trap at `place` in `code`.
    #[cold]
    pub(super) fn trap(&self, kind: TrapKind, code: &Code, place: Place<'_>) -> Trap {
        let innermost = (code.function, code.origin(place));
        let callers = self.callers[..self.depth]
            .iter()
            .rev()
            .map(|caller| (caller.code.function, caller.code.origin(caller.place)));
        Trap::new(kind, &self.verified.module, std::iter::once(innermost).chain(callers))
    }
}

/// Where the registers of an activation that start at `base` end.
#[inline(always)]
fn end_of(code: &Code, base: usize, args: usize) -> usize {
    base + code.size() + if code.keeps_args { args } else { 0 }
}

/// The register that a list names, or its lower half, if it is marked.
#[inline(always)]
fn cut(registers: Window, value: u32) -> u64 {
    let bits = registers.get(value & !Code::HALF);
    if value & Code::HALF == 0 { bits } else { u64::from(bits as u32) }
}

/// Zeroes what has to be zero.
#[inline(always)]
fn start(code: &Code, registers: Window) {
    for &slot in &code.zeros {
        registers.set(slot, 0);
    }
}
