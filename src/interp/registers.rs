//! Where the loop stands: the registers of the function being executed, and its next step.
//!
//! Comes in: slots and offsets of steps that [`decode`](super::decode) made. Goes out: raw bits and steps, without checks.
//! What must hold, for the `unsafe` code here to be sound: a [`Window`] is used only with the [`Code`] it was opened for,
//! and has room for [`Code::size`] registers; decoding made sure that every slot in a step is below that, that every
//! offset leads to a step of the same code, and that no step but a jump, a return or an end comes last.

#![allow(
    unsafe_code,
    reason = "decoding has checked every slot and offset once, which is once for each time that a step is executed otherwise"
)]

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::code::{Code, Step};

/// The registers of one activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    start: *mut u64,
    #[cfg(debug_assertions)]
    size: usize,
}

impl Window {
    /// The registers of an activation of `code` that start at `base`; the stack must not move while it is used.
    #[inline(always)]
    pub(super) fn open(stack: &mut Vec<u64>, base: usize, code: &Code) -> Window {
        debug_assert!(base + code.size() <= stack.len());
        Window {
            // SAFETY: the machine made room for the registers of every activation before it began.
            start: unsafe { stack.as_mut_ptr().add(base) },
            #[cfg(debug_assertions)]
            size: code.size(),
        }
    }

    /// What the register in `slot` holds.
    #[inline(always)]
    pub(super) fn get(self, slot: u32) -> u64 {
        #[cfg(debug_assertions)]
        assert!((slot as usize) < self.size);
        // SAFETY: slots are below the code's size, and the window has room for as many.
        unsafe { *self.start.add(slot as usize) }
    }

    /// Writes the register in `slot`.
    #[inline(always)]
    pub(super) fn set(self, slot: u32, bits: u64) {
        #[cfg(debug_assertions)]
        assert!((slot as usize) < self.size);
        // SAFETY: as in `get`.
        unsafe { *self.start.add(slot as usize) = bits }
    }
}

/// A step of a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'c> {
    step: NonNull<Step>,
    code: PhantomData<&'c Code>,
}

impl<'c> Place<'c> {
    /// The first step of `code`.
    #[inline(always)]
    pub(super) fn start(code: &'c Code) -> Place<'c> {
        Place { step: NonNull::from(&*code.steps).cast(), code: PhantomData }
    }

    /// No place: where the run ends. It has no step.
    pub(super) const END: Place<'c> = Place { step: NonNull::dangling(), code: PhantomData };

    /// Whether this is [`Place::END`].
    #[inline(always)]
    pub(super) fn is_end(self) -> bool {
        self.step == Place::END.step
    }

    /// The step.
    #[inline(always)]
    pub(super) fn step(self) -> &'c Step {
        // SAFETY: a code has a first step, and from there on only `next` and `jump` lead to others.
        unsafe { self.step.as_ref() }
    }

    /// The step behind this one.
    #[inline(always)]
    pub(super) fn next(self) -> Place<'c> {
        // SAFETY: the last step of a code has nothing behind it that it would go on with.
        Place { step: unsafe { self.step.add(1) }, code: PhantomData }
    }

    /// The step that is `offset` bytes away.
    #[inline(always)]
    pub(super) fn jump(self, offset: u32) -> Place<'c> {
        // SAFETY: the offsets of jumps lead to steps of the same code.
        Place { step: unsafe { self.step.byte_offset(offset.cast_signed() as isize) }, code: PhantomData }
    }

    /// The number of the step in `code`, from which it is.
    pub(super) fn index(self, code: &Code) -> usize {
        (self.step.addr().get() - code.steps.as_ptr().addr()) / size_of::<Step>()
    }
}
