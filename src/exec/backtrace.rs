//! The calls of stitched functions that a fault interrupted.
//!
//! Comes in: where a fault was, and the stack as it was left. Goes out: functions and instructions, innermost first. What
//! must hold: it reads only what lies on the stack that the fault was on, and only words that are return addresses if
//! everything is as the unwind rows say; where code of others has called, it says so, and goes on with what the unwinder
//! has found beyond, if anything.

#![allow(unsafe_code, reason = "reads a stack that machine code has left")]

use std::ops::Range;

use crate::trap::{Frame, Trap, TrapKind};

use super::across::Found;
use super::context::{Context, Fault};
use super::registry;

/// A call in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// An instruction of a stitched function.
    Stitched {
        /// The context of its instance.
        context: *const Context,
        /// The function.
        function: u32,
        /// The instruction.
        inst: u32,
    },
    /// Code of others has called, and who has called that cannot be told.
    Foreign,
}

/// The functions in progress at a fault, each with the instruction it is at.
#[derive(Debug)]
pub struct Calls {
    /// The instance that the next call is of; null at the end.
    context: *const Context,
    /// The offset of the instruction in the next call, or of the last byte of a call instruction.
    at: u32,
    /// The offset from which the depth of the stack counts.
    resume: u32,
    sp: usize,
    /// Where return addresses can be.
    stack: Range<usize>,
    foreign: bool,
    /// What was found beyond frames of C.
    beyond: Option<Box<Found>>,
}

impl Calls {
    /// The calls in progress at a fault. `stack` ends where the call from Rust began, if it did.
    ///
    /// # Safety
    /// The addresses of `stack` must be readable, and as the fault left them, while this is in use, and so must the
    /// instances whose code they lead to.
    pub unsafe fn new(fault: &Fault, stack: Range<usize>) -> Calls {
        let Fault { context, offset, sp, .. } = *fault;
        Calls { context, at: offset, resume: offset, sp, stack, foreign: false, beyond: None }
    }

    /// Goes on with these where frames of C have been met.
    pub fn going_on(mut self, beyond: Box<Found>) -> Calls {
        self.beyond = Some(beyond);
        self
    }

    /// True where frames of C stand between those of stitched code, and the outer ones are yet to be found.
    pub fn ends_at_c(mut self) -> bool {
        while !self.context.is_null() {
            self.step();
        }
        self.foreign
    }

    /// Goes on to the caller of what is at hand.
    fn step(&mut self) {
        let code = self.caller();
        let context = code.map_or(std::ptr::null_mut(), |address| self.owner(address));
        if let (Some(address), false) = (code, context.is_null()) {
            // SAFETY: the instance has code on the stack, so it lives.
            let start = unsafe { (*context).code.start() };
            self.resume = (address - start) as u32 + 1;
            self.at = self.resume - 1;
        }
        self.foreign = code.is_some() && context.is_null();
        self.context = context;
    }

    /// The instance whose code the address lies in. Mostly it is the one at hand, and then nobody has to look for it.
    fn owner(&self, address: usize) -> *mut Context {
        // SAFETY: as in `step`.
        let here = unsafe { (*self.context).code };
        if here.offset_of(address).is_some() { self.context.cast_mut() } else { registry::owner(address) }
    }

    /// The address of the last byte of the call instruction that called what is at hand; none at the end.
    fn caller(&mut self) -> Option<usize> {
        // SAFETY: as in `step`; the image lives as long as the instance.
        let depth = unsafe { (*(*self.context).image).depth(self.resume)? } as usize;
        // The stack pointer of the fault may lie in the guard below the stack, but a return address never does.
        let place =
            self.sp.checked_add(depth).filter(|&place| place.is_multiple_of(8) && self.stack.contains(&place))?;
        self.sp = place + 8;
        // The call from Rust stands at the end of the stack.
        if self.sp >= self.stack.end {
            return None;
        }
        // SAFETY: the place lies in the range that the creator of this vouched for, whose ends are multiples of 8.
        unsafe { *(place as *const usize) }.checked_sub(1)
    }
}

impl Iterator for Calls {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        while !self.context.is_null() {
            let context = self.context;
            // SAFETY: as in `step`.
            let found = unsafe { (*(*context).image).locate(self.at) };
            self.step();
            // An entry for C is no function that the program knows.
            if let Some((function, inst)) = found {
                return Some(Call::Stitched { context, function: function as u32, inst: inst as u32 });
            }
        }
        if std::mem::take(&mut self.foreign) {
            if let Some(beyond) = &mut self.beyond {
                beyond.beyond_c();
            }
            return Some(Call::Foreign);
        }
        // Nothing is beyond unless C was met.
        loop {
            let mark = self.beyond.as_mut()?.next()?;
            if mark.context.is_null() {
                return Some(Call::Foreign);
            }
            // SAFETY: as in `step`.
            if let Some((function, inst)) = unsafe { (*(*mark.context).image).locate(mark.offset) } {
                return Some(Call::Stitched { context: mark.context, function: function as u32, inst: inst as u32 });
            }
        }
    }

    /// Half a million calls may be in progress; counting them does not look up what they are.
    fn count(mut self) -> usize {
        let mut count = 0;
        while !self.context.is_null() {
            count += 1;
            self.step();
        }
        count + std::iter::from_fn(|| self.next()).count()
    }
}

/// The trap that these calls end with.
///
/// # Safety
/// As for [`Calls::new`].
pub unsafe fn trap(kind: TrapKind, mut calls: Calls) -> Trap {
    let frame = |call: Call| match call {
        Call::Stitched { context, function, inst } => {
            // SAFETY: the instance lives, and its module with it.
            Frame::new(unsafe { &*(*context).module }, function, inst)
        }
        Call::Foreign => Frame { function: Trap::C_CODE.to_owned(), file: None, line: None },
    };
    let frames: Vec<Frame> = calls.by_ref().take(Trap::SHOWN).map(frame).collect();
    let depth = frames.len() + calls.count();
    Trap { kind, frames, depth }
}
