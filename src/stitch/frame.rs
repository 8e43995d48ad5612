//! The frame of a stitched function: where its slots are, how it is entered and left.
//!
//! Comes in: placement. Goes out: distances from the frame register, prolog and epilog. What must hold: the stack
//! pointer is a multiple of 16 at every call; the unwind rows tell its depth before every instruction.

use crate::isa::part::Part;
use crate::stitch::emit::Emitter;
use crate::stitch::image::UnwindRow;
use crate::stitch::place::registers;

/// The layout of one function's frame; distances are in bytes from the frame register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The room for outgoing arguments, below the slots.
    pub outgoing: u32,
    /// How many slots there are.
    pub slots: u32,
    /// Where copies of the arguments stand for `arg`; meaningful only where the function has such an instruction.
    pub args: u32,
    /// What the prolog subtracts from the stack pointer after it has saved registers.
    pub size: u32,
    /// The registers that the prolog saves, a bit each.
    pub saved: u32,
    /// How many stack arguments the function gets, in units of 8 bytes; results beyond the registers follow them.
    pub incoming: u32,
}

impl Frame {
    /// The distance of slot `index`.
    #[inline(always)]
    pub fn slot(&self, index: u32) -> i64 {
        i64::from(self.outgoing) + 8 * i64::from(index)
    }

    /// From the frame register up to the return address.
    pub fn depth(&self) -> u32 {
        self.size + 8 * self.saved.count_ones()
    }

    /// The distance of incoming stack argument `index`.
    pub fn incoming(&self, index: u32) -> i64 {
        i64::from(self.depth()) + 8 + 8 * i64::from(index)
    }

    /// The distance of the argument that `arg` counts as the first.
    pub fn first_arg(&self, variadic: bool) -> i64 {
        if variadic { self.incoming(0) } else { i64::from(self.args) }
    }

    /// Lays a frame out: `arg_copies` is how many arguments are copied for `arg`, `calls` whether it calls anything.
    pub fn lay_out(outgoing: u32, slots: u32, arg_copies: u32, saved: u32, incoming: u32, calls: bool) -> Frame {
        let args = outgoing + 8 * slots;
        let mut size = args + 8 * arg_copies;
        // At the entry the return address has just been pushed: the stack pointer is 8 off a multiple of 16.
        if calls && !(8 + 8 * saved.count_ones() + size).is_multiple_of(16) {
            size += 8;
        }
        Frame { outgoing, slots, args, size, saved, incoming }
    }
}

impl Emitter<'_> {
    /// The first instruction of a function that is called by its address.
    pub(super) fn land(&mut self) {
        self.row(0);
        self.code.put(self.part(Part::Landing), [0; 3], [0, 0]);
    }

    /// Saves registers and makes room.
    pub(super) fn prolog(&mut self) {
        self.row(0);
        let (push, enter) = (self.part(Part::Push), self.part(Part::Enter));
        let mut depth = 0;
        for register in registers(self.frame.saved) {
            self.code.put(push, [register, 0, 0], [0, 0]);
            depth += 8;
            self.row(depth);
        }
        if self.frame.size != 0 {
            let size = i64::from(self.frame.size);
            let enter = self.fit(enter, size, 0);
            self.code.put(enter, [0; 3], [size, 0]);
            self.row(self.frame.depth());
        }
    }

    /// Takes everything back and returns; the code behind it has the full depth again.
    pub(super) fn epilog(&mut self, ret: u16) {
        let (pop, leave) = (self.part(Part::Pop), self.part(Part::Leave));
        let mut depth = self.frame.depth();
        if self.frame.size != 0 {
            let size = i64::from(self.frame.size);
            let leave = self.fit(leave, size, 0);
            self.code.put(leave, [0; 3], [size, 0]);
            depth -= self.frame.size;
            self.row(depth);
        }
        let mut saved = self.frame.saved;
        while saved != 0 {
            let register = 31 - saved.leading_zeros() as u8;
            saved &= !(1 << register);
            self.code.put(pop, [register, 0, 0], [0, 0]);
            depth -= 8;
            self.row(depth);
        }
        self.code.put(ret, [0; 3], [0, 0]);
        self.row(self.frame.depth());
    }

    fn row(&mut self, depth: u32) {
        tell(&mut self.unwind, UnwindRow { offset: self.code.position(), depth });
    }
}

/// Adds a row, unless it says nothing new; of two at one place the later one holds.
pub(super) fn tell(unwind: &mut Vec<UnwindRow>, row: UnwindRow) {
    match unwind.last_mut() {
        Some(last) if last.offset == row.offset => last.depth = row.depth,
        Some(last) if last.depth == row.depth => {}
        _ => unwind.push(row),
    }
}
