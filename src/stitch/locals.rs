//! The registers of values that live within a block: given out and taken back while instructions are emitted.
//!
//! Comes in: the notes of [`live`](crate::stitch::live), and what [`place`](crate::stitch::place) left over. Goes out:
//! the place of each value. What must hold: a register that is given out holds nothing that is still needed; where none
//! is left, the oldest value goes to a slot, from where its later readers take it.

use crate::isa::op::Class;
use crate::library::builtin::{SAVED, VOLATILE};
use crate::stitch::emit::Emitter;
use crate::stitch::live::{HINT, SPANS, UNUSED, read_at};
use crate::stitch::place::{Place, registers};

/// The registers at hand.
#[derive(Debug, Default)]
pub struct Locals {
    /// The registers that nothing occupies, a bit each; none before [stock](Emitter::take_stock) is taken.
    pub(super) free: u32,
    /// Whether stock has been taken in the present block.
    known: bool,
    /// The positions between which the present block is.
    block: [u32; 2],
    /// The registers of ranges that may be given out once the range has ended within the present block.
    returning: u32,
    /// The variable in each register that is given out, and the instruction that put it there.
    pub(super) owner: [(u32, u32); 32],
    /// The registers that ranges have in the present block.
    occupied: u32,
    /// The slots below [`Locals::slots`] that are free again.
    free_slots: Vec<u32>,
    /// The slots that the present instruction still reads, and nothing after it.
    ending: Vec<u32>,
    slots: u32,
    /// The register that was taken away last.
    turn: u8,
    /// For each register, the first of its tenures that has not ended.
    next: [u32; 32],
}

const fn set(registers: &[u8]) -> u32 {
    let mut set = 0;
    let mut i = 0;
    while i < registers.len() {
        set |= 1 << registers[i];
        i += 1;
    }
    set
}

const SAVED_SET: u32 = set(&SAVED);
const VOLATILE_SET: u32 = set(&VOLATILE);
const FLOAT_SET: u32 = 0xffff_0000;

impl Emitter<'_> {
    /// A block begins: all values within the one before it are gone.
    pub(super) fn begin_block(&mut self, number: usize) {
        let range = self.body.block_range(number);
        let locals = &mut *self.locals;
        locals.block = [read_at(range.start), read_at(range.end)];
        (locals.free, locals.known, locals.slots) = (0, false, 0);
        locals.free_slots.clear();
        locals.ending.clear();
    }

    /// Finds out which registers ranges have in the present block, when that is asked for first: many blocks never ask.
    #[inline(never)]
    fn take_stock(&mut self) {
        let locals = &mut *self.locals;
        let [start, end] = locals.block;
        locals.known = true;
        (locals.free, locals.returning, locals.occupied) = (self.placement.for_locals, 0, 0);
        for register in registers(self.placement.for_locals & self.placement.owned) {
            let tenures = &self.placement.tenures[usize::from(register)];
            let next = &mut locals.next[usize::from(register)];
            while tenures.get(*next as usize).is_some_and(|tenure| tenure.end < start) {
                *next += 1;
            }
            // Ranges made at the entry belong to the first block too.
            if tenures.get(*next as usize).is_some_and(|tenure| tenure.start < end) {
                locals.free &= !(1 << register);
                locals.occupied |= 1 << register;
                if tenures.get(*next as usize + 1).is_none_or(|later| later.start >= end) {
                    locals.returning |= 1 << register;
                }
            }
        }
    }

    /// An instruction begins: the slots that only the one before it read are free.
    #[inline(always)]
    pub(super) fn begin_instruction(&mut self) {
        if !self.locals.ending.is_empty() {
            let Locals { free_slots, ending, .. } = &mut *self.locals;
            free_slots.append(ending);
        }
    }

    /// Starts over for a new function.
    pub(super) fn begin_locals(&mut self) {
        self.locals.next = [0; 32];
    }

    /// The value in `place` of variable `var` is read by the present instruction for the last time. Gives the bit of
    /// the register that is free by that.
    #[inline(always)]
    pub(super) fn end(&mut self, var: u32, place: Place) -> u32 {
        match place.as_register() {
            Some(register) if self.current[var as usize].local => {
                self.locals.free |= 1 << register;
                1 << register
            }
            _ => self.end_otherwise(var, place),
        }
    }

    /// The same for values in slots and those that cross blocks.
    #[inline(never)]
    fn end_otherwise(&mut self, var: u32, place: Place) -> u32 {
        if !self.locals.known {
            self.take_stock();
        }
        let local = self.current[var as usize].local;
        if let (Some(slot), true) = (place.as_slot(), local) {
            self.locals.ending.push(slot);
        }
        let Some(register) = place.as_register() else { return 0 };
        let freed = self.end_of_range(var, 1 << register);
        self.locals.free |= freed;
        freed
    }

    /// What a range gives back when it ends: its register, unless a loop needs it longer than its last reader does, or
    /// another range takes it over.
    fn end_of_range(&mut self, var: u32, register: u32) -> u32 {
        if self.live.ranges[self.live.range_of(var) as usize].end != read_at(self.index) {
            return 0;
        }
        let returned = register & self.locals.returning;
        self.locals.occupied &= !returned;
        returned
    }

    /// The place of the value that the present instruction gives `var`; call it after all sources have been read and
    /// their last reads were [noted](Self::end). It is best `near`, and rather not `far`, both registers' bits.
    #[inline(always)]
    pub(super) fn define(&mut self, var: u32, note: u16, near: u32, far: u32) -> Place {
        let current = self.current[var as usize];
        if !current.local {
            return current.place;
        }
        let class = class_set(current.class);
        let usable = self.locals.free & class;
        let place = if note & (SPANS | UNUSED) != 0 {
            self.give_special(var, note)
        } else if usable == 0 {
            self.make_room(var, class, note, near, far)
        } else {
            self.give_register(var, pick(usable, note >> HINT, near, far))
        };
        self.current[var as usize].place = place;
        place
    }

    #[inline(always)]
    fn give_register(&mut self, var: u32, register: u8) -> Place {
        self.locals.free &= !(1 << register);
        self.locals.owner[usize::from(register & 31)] = (var, self.index as u32);
        Place::register(register)
    }

    /// Values that nobody reads, and those that must survive a call.
    #[inline(never)]
    fn give_special(&mut self, var: u32, note: u16) -> Place {
        if note & UNUSED != 0 {
            return Place::NONE;
        }
        if !self.locals.known {
            self.take_stock();
        }
        let usable = self.locals.free & SAVED_SET;
        if usable == 0 || self.class(var).is_float() {
            return Place::slot(self.local_slot());
        }
        self.give_register(var, usable.trailing_zeros() as u8)
    }

    /// No register is known to be free.
    #[inline(never)]
    fn make_room(&mut self, var: u32, class: u32, note: u16, near: u32, far: u32) -> Place {
        if !self.locals.known {
            self.take_stock();
        }
        match self.locals.free & class {
            0 => self.push_out(var, class),
            usable => self.give_register(var, pick(usable, note >> HINT, near, far)),
        }
    }

    /// Makes room by sending a value to a slot: registers take turns, so that it is one that has been there for long.
    #[inline(never)]
    fn push_out(&mut self, var: u32, class: u32) -> Place {
        // What the present instruction has been given already stays.
        let stays = |register: u8| self.locals.owner[usize::from(register)].1 == self.index as u32;
        let mut candidates = class & self.placement.for_locals & !self.locals.free & !self.locals.occupied;
        while candidates != 0 {
            let later = candidates & u32::MAX.checked_shl(u32::from(self.locals.turn) + 1).unwrap_or(0);
            let register = (if later != 0 { later } else { candidates }).trailing_zeros() as u8;
            self.locals.turn = register;
            if !stays(register) {
                return self.replace(var, register);
            }
            candidates &= !(1 << register);
        }
        Place::slot(self.local_slot())
    }

    /// Sends what is in `register` to a slot and gives the register to `var`.
    fn replace(&mut self, var: u32, register: u8) -> Place {
        let (other, _) = self.locals.owner[usize::from(register)];
        let slot = Place::slot(self.local_slot());
        let class = self.class(other);
        self.move_glue(class, Place::register(register), slot);
        self.current[other as usize].place = slot;
        self.give_register(var, register)
    }

    fn local_slot(&mut self) -> u32 {
        if let Some(slot) = self.locals.free_slots.pop() {
            return slot;
        }
        self.locals.slots += 1;
        debug_assert!(self.locals.slots <= self.placement.local_slots, "placement left too few slots");
        self.placement.slots + self.locals.slots - 1
    }
}

/// The registers of a class.
#[inline(always)]
pub(super) fn class_set(class: Class) -> u32 {
    if class.is_float() { FLOAT_SET } else { !FLOAT_SET }
}

/// The best of the `usable` registers, of which there is one at least: the hinted one, one that is `near`, and else a
/// volatile one that is not `far`.
#[inline(always)]
pub(super) fn pick(usable: u32, hint: u16, near: u32, far: u32) -> u8 {
    let hinted = (1 << (hint & 31)) & usable;
    let cheap = usable & !SAVED_SET & !far;
    let best = if hinted != 0 {
        hinted
    } else if usable & near != 0 {
        usable & near
    } else if cheap != 0 {
        cheap
    } else {
        usable
    };
    best.trailing_zeros() as u8
}

/// True where both kinds of int registers are known here; the sets are checked when the crate is built.
const _: () = assert!(SAVED_SET & VOLATILE_SET == 0 && (SAVED_SET | VOLATILE_SET) & FLOAT_SET == 0);
