//! The interpreter's loop, and what its steps work on.
//!
//! Comes in: a machine with its first activation. Goes out: how the call ended. What must hold: only [`steps`] and what they
//! call change a context.
//!
//! Each step is one call through a pointer. The loop is unrolled so that a step of a short loop is always called from
//! the same place: processors foresee such a call, and would not foresee one place from which everything is called.

mod pairs;
mod rows;
mod steps;

use crate::isa::trap::TrapKind;
use crate::objects::View;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};

use super::linked::Linked;
use super::machine::{Activation, Machine};
use super::native::{Native, World};
use super::registers::{Place, Window};

pub(super) use pairs::{Link, copies, pair};
pub(super) use steps::{Family, call, call_indirect, return_half, return_none, return_one, run_of};

/// What does a step. It gives the place to go on at if that is not the next step.
pub(super) type Run = for<'c, 'w> fn(Place<'c>, Window, &mut Context<'c, 'w>) -> Option<Place<'c>>;

/// What steps work on beside registers.
pub(super) struct Context<'c, 'w> {
    pub(super) machine: Machine<'c>,
    pub(super) current: Activation<'c>,
    /// How many jumps are left.
    left: u64,
    pub(super) memory: View<'w>,
    pub(super) globals: &'w mut [u64],
    pub(super) streams: &'w mut Streams,
    /// Who calls C for the program, if it may.
    pub(super) natives: Option<&'w mut dyn Native<'w>>,
    /// What it is linked with, if it is.
    pub(super) linked: Option<Linked<'w>>,
    /// Why there is no place to go on at.
    end: End,
}

/// Who does for a program what the interpreter does not.
#[derive(Default)]
pub(super) struct Friends<'w> {
    /// Who calls C for it, if it may.
    pub(super) natives: Option<&'w mut dyn Native<'w>>,
    /// What it is linked with, if it is.
    pub(super) linked: Option<Linked<'w>>,
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
    friends: Friends<'w>,
) -> (usize, Result<Outcome, RunError>) {
    let current = match machine.begin(function, args) {
        Ok(current) => current,
        Err(error) => return (world.memory.len(), Err(error)),
    };
    let left = machine.limits.jumps;
    let World { memory, globals, streams } = world;
    let Friends { natives, linked } = friends;
    let end = End::Outcome(Outcome::Halted);
    let mut context = Context { machine, current, left, memory, globals, streams, natives, linked, end };
    let last = go(&mut context);
    let result = match context.end {
        End::Outcome(outcome) => Ok(outcome),
        End::Trap(kind) => Err(context.machine.trap(kind, context.current.code, last).into()),
        End::Fail(error) => Err(error),
    };
    (context.memory.len(), result)
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
            // Without optimisation each copy would take room of its own on the stack, on which runs may be nested.
            #[cfg(debug_assertions)]
            steps!(0);
            #[cfg(not(debug_assertions))]
            steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
            #[cfg(not(debug_assertions))]
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

    /// Ends the run because what was called from `place` was stopped.
    #[cold]
    pub(super) fn stop(&mut self, place: Place<'c>, error: RunError) -> Option<Place<'c>> {
        match error {
            // Nothing that was called has trapped, but the call itself.
            RunError::Trap(trap) if trap.depth == 0 => self.trap(trap.kind),
            RunError::Trap(inner) => {
                let outer = self.machine.trap(inner.kind, self.current.code, place);
                self.fail(inner.within(outer).into())
            }
            error => self.fail(error),
        }
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

    /// Calls a function; `CUT` where the list marks arguments of which only the lower half is passed.
    #[inline(always)]
    pub(super) fn call<const CUT: bool>(
        &mut self,
        place: Place<'c>,
        registers: Window,
        function: u32,
        list: u32,
    ) -> Option<Place<'c>> {
        if !self.count_jump() {
            return self.trap(TrapKind::Interrupted);
        }
        // Whatever is done seldom is done elsewhere, so that this needs no room on the host's stack.
        let Some(callee) = self.machine.decoded(function) else {
            return self.call_slowly::<CUT>(place, function, list);
        };
        if callee.keeps_args || !self.machine.call::<CUT>(&mut self.current, registers, place, callee, list) {
            return self.call_slowly::<CUT>(place, function, list);
        }
        Some(Place::start(callee))
    }

    /// Calls a function for the first time, or where there was no room, or one that keeps its arguments.
    #[cold]
    #[inline(never)]
    fn call_slowly<const CUT: bool>(&mut self, place: Place<'c>, function: u32, list: u32) -> Option<Place<'c>> {
        let callee = self.machine.code(function);
        if let Err(error) = self.machine.make_room_for_call(&mut self.current, place, callee, list) {
            return self.fail(error);
        }
        let caller = self.current;
        let done = self.machine.call::<CUT>(&mut self.current, caller.registers, place, callee, list);
        debug_assert!(done, "there is room now");
        if callee.keeps_args {
            self.machine.keep(&caller, callee, list);
        }
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
