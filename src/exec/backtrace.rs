//! The calls of stitched functions that a fault interrupted.
//!
//! Comes in: where a fault was, and the stack as it was left. Goes out: functions and instructions, innermost first. What
//! must hold: it reads only what lies between the end of the guard and the place of the call's entry.

#![allow(unsafe_code, reason = "reads a stack that machine code has left")]

use std::ops::Range;

use crate::stitch::image::Image;

use super::context::Fault;

/// The functions in progress at a fault, each with the instruction it is at.
#[derive(Debug)]
pub struct Frames<'a> {
    image: &'a Image,
    /// The address of the image's code.
    code: usize,
    /// The offset of the instruction in the next frame, or of the last byte of a call instruction.
    at: Option<u32>,
    /// The offset from which the depth of the stack counts.
    resume: u32,
    sp: usize,
    /// Where return addresses can be: from the lowest usable byte of the stack up to where stitched code was entered.
    stack: Range<usize>,
}

impl<'a> Frames<'a> {
    /// # Safety
    /// The addresses of `stack` must be readable, and as the fault left them, while this is in use.
    pub(super) unsafe fn new(image: &'a Image, code: usize, fault: Fault, stack: Range<usize>) -> Frames<'a> {
        Frames { image, code, at: Some(fault.offset), resume: fault.offset, sp: fault.sp, stack }
    }

    /// Goes on to the caller.
    fn step(&mut self) {
        self.at = self.caller();
    }

    fn caller(&mut self) -> Option<u32> {
        let depth = self.image.depth(self.resume)? as usize;
        // The stack pointer of the fault may lie in the guard below the stack, but a return address never does.
        let place =
            self.sp.checked_add(depth).filter(|&place| place.is_multiple_of(8) && self.stack.contains(&place))?;
        self.sp = place + 8;
        // SAFETY: the place lies in the range that the creator of this vouched for, whose ends are multiples of 8.
        let address = unsafe { *(place as *const usize) };
        let offset = address.checked_sub(self.code).filter(|&offset| offset > 0 && offset <= self.image.code.len())?;
        self.resume = offset as u32;
        Some(self.resume - 1)
    }
}

impl Iterator for Frames<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let (function, inst) = self.image.locate(self.at?)?;
        self.step();
        Some((function as u32, inst as u32))
    }

    /// Half a million calls may be in progress; counting them does not look up what they are.
    fn count(mut self) -> usize {
        let mut count = 0;
        while self.at.is_some() {
            count += 1;
            self.step();
        }
        count
    }
}
