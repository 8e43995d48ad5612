//! Placement: which machine register or frame slot each live range has.
//!
//! Comes in: the ranges of a function. Goes out: a [`Place`] for each of them. What must hold: ranges that overlap
//! have different places; a range that spans a call is in a saved register, in a slot, or is saved around the call.
//!
//! Ranges are taken in the order of their starts. Each takes a register that is free by then; where none is, the
//! range of least weight among those that hold one goes to a slot for the whole of its life.

use std::collections::BinaryHeap;

use crate::library::builtin::{FVOLATILE, MEMORY, SAVED, VOLATILE};
use crate::stitch::ranges::{HINT_REGISTER, NO_HINT, Range, Ranges};

/// The number of the first vector register in a [`Place`] or a set of registers.
pub const FIRST_XMM: u8 = 16;

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place(u32);

const SLOT: u32 = 0x4000_0000;
const CONST: u32 = 0x8000_0000;

impl Place {
    /// Nowhere: no range has been placed here.
    pub const NONE: Place = Place(u32::MAX);

    /// A register; vector registers start at [`FIRST_XMM`].
    #[inline(always)]
    pub fn register(number: u8) -> Place {
        Place(u32::from(number))
    }

    /// A frame slot by its index.
    #[inline(always)]
    pub fn slot(index: u32) -> Place {
        Place(SLOT | index)
    }

    /// The constant that instruction `index` makes.
    #[inline(always)]
    pub fn constant(index: u32) -> Place {
        Place(CONST | index)
    }

    /// The register, if it is one.
    #[inline(always)]
    pub fn as_register(self) -> Option<u8> {
        (self.0 < 32).then_some(self.0 as u8)
    }

    /// The slot's index, if it is one.
    #[inline(always)]
    pub fn as_slot(self) -> Option<u32> {
        (self.0 & (SLOT | CONST) == SLOT).then_some(self.0 & !SLOT)
    }

    /// The index of the instruction that makes the constant, if it is one.
    #[inline(always)]
    pub fn as_constant(self) -> Option<u32> {
        (self.0 & CONST != 0 && self != Place::NONE).then_some(self.0 & !CONST)
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.as_register(), self.as_slot(), self.as_constant()) {
            (Some(register), _, _) => write!(f, "register {register}"),
            (_, Some(slot), _) => write!(f, "slot {slot}"),
            (_, _, Some(index)) => write!(f, "constant of instruction {index}"),
            _ => f.write_str("nowhere"),
        }
    }
}

/// A range in a volatile register that is saved to its slot around every call it spans.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Where the range starts and ends.
    pub start: u32,
    /// Where it is read last.
    pub end: u32,
    /// The register.
    pub register: u8,
    /// The slot.
    pub slot: u32,
}

const fn mask(registers: &[u8], first: u8) -> u32 {
    let mut mask = 0;
    let mut i = 0;
    while i < registers.len() {
        mask |= 1 << (registers[i] + first);
        i += 1;
    }
    mask
}

const VOLATILE_INTS: u32 = mask(&VOLATILE, 0);
const SAVED_INTS: u32 = mask(&SAVED, 0);
const FLOATS: u32 = mask(&FVOLATILE, FIRST_XMM);

/// The places of one function's ranges.
#[derive(Debug)]
pub struct Placement {
    /// By the number of the range.
    pub places: Vec<Place>,
    /// How many frame slots are in use.
    pub slots: u32,
    /// The saved registers in use, a bit each.
    pub saved_used: u32,
    /// Ranges to save around calls, in the order of their starts.
    pub around: Vec<Around>,
    busy_until: [u32; 32],
    owner: [u32; 32],
    free_slots: BinaryHeap<(std::cmp::Reverse<u32>, u32)>,
    order: Vec<u32>,
    saved: u32,
}

impl Default for Placement {
    fn default() -> Self {
        Placement {
            places: Vec::new(),
            slots: 0,
            saved_used: 0,
            around: Vec::new(),
            busy_until: [0; 32],
            owner: [0; 32],
            free_slots: BinaryHeap::new(),
            order: Vec::new(),
            saved: SAVED_INTS,
        }
    }
}

impl Placement {
    /// Places the ranges of a function. `memory` says whether the module has a linear memory, whose address then
    /// occupies a register.
    pub fn place(&mut self, ranges: &Ranges, memory: bool) {
        self.places.clear();
        self.places.resize(ranges.ranges.len(), Place::NONE);
        self.around.clear();
        self.free_slots.clear();
        self.busy_until = [0; 32];
        self.slots = 0;
        self.saved_used = 0;
        self.saved = if memory { SAVED_INTS & !(1 << MEMORY) } else { SAVED_INTS };
        let crossing = ranges.crossing.len();
        self.order.clear();
        self.order.extend(0..crossing as u32);
        self.order.sort_by_key(|&number| ranges.ranges[number as usize].start);
        let order = std::mem::take(&mut self.order);
        let mut early = order.iter().copied().peekable();
        let mut next_call = 0;
        for number in crossing..ranges.ranges.len() {
            let start = ranges.ranges[number].start;
            while let Some(other) = early.next_if(|&other| ranges.ranges[other as usize].start <= start) {
                self.range(ranges, other as usize, &mut next_call);
            }
            self.range(ranges, number, &mut next_call);
        }
        for other in early {
            self.range(ranges, other as usize, &mut next_call);
        }
        self.order = order;
    }

    /// The registers of `set` that nothing occupies at `position`.
    #[inline(always)]
    fn free(&self, position: u32) -> u32 {
        let mut free = 0u32;
        for (register, &until) in self.busy_until.iter().enumerate() {
            free |= u32::from(until <= position) << register;
        }
        free
    }

    #[inline(always)]
    fn range(&mut self, ranges: &Ranges, number: usize, next_call: &mut usize) {
        let range = &ranges.ranges[number];
        if range.end == 0 {
            return;
        }
        // Only ranges made at the entry come with equal starts out of order, so the pointer never has to go back.
        while ranges.calls.get(*next_call).is_some_and(|call| call.position < range.start) {
            *next_call += 1;
        }
        let spans = ranges.calls.get(*next_call).is_some_and(|call| call.position + 1 < range.end);
        let free = self.free(range.start);
        if spans {
            self.spanning(ranges, number, *next_call, free);
        } else {
            self.local(ranges, number, free);
        }
    }

    #[inline(always)]
    fn local(&mut self, ranges: &Ranges, number: usize, free: u32) {
        let range = &ranges.ranges[number];
        let set = if range.float { FLOATS } else { VOLATILE_INTS | self.saved };
        let usable = free & set;
        if usable != 0 {
            // Volatile registers first, then saved ones that the function has saved already.
            let preferred = usable & (VOLATILE_INTS | FLOATS | self.saved_used);
            let register =
                self.hinted(range, usable).unwrap_or_else(|| lowest(if preferred != 0 { preferred } else { usable }));
            self.take(range, number, register);
        } else {
            self.evict(ranges, number, set);
        }
    }

    #[inline(always)]
    fn hinted(&self, range: &Range, usable: u32) -> Option<u8> {
        if range.hint == NO_HINT {
            return None;
        }
        let register = if range.hint & HINT_REGISTER != 0 {
            (range.hint & 31) as u8
        } else {
            self.places[range.hint as usize].as_register()?
        };
        (usable >> register & 1 != 0).then_some(register)
    }

    #[inline(always)]
    fn take(&mut self, range: &Range, number: usize, register: u8) {
        self.busy_until[usize::from(register)] = range.end;
        self.owner[usize::from(register)] = number as u32;
        self.saved_used |= 1 << register & self.saved;
        self.places[number] = Place::register(register);
    }

    /// Gives the range the register of a lighter one in `set`, or a slot.
    #[inline(never)]
    fn evict(&mut self, ranges: &Ranges, number: usize, set: u32) {
        let range = &ranges.ranges[number];
        let lightest = registers(set)
            .filter(|&register| self.around.iter().all(|around| around.register != register))
            .min_by_key(|&register| {
                let owner = &ranges.ranges[self.owner[usize::from(register)] as usize];
                (owner.weight, std::cmp::Reverse(owner.end))
            });
        let Some(register) = lightest else { return self.spill(range, number) };
        let victim = self.owner[usize::from(register)] as usize;
        let other = &ranges.ranges[victim];
        if (other.weight, std::cmp::Reverse(other.end)) < (range.weight, std::cmp::Reverse(range.end)) {
            self.spill(other, victim);
            self.take(range, number, register);
        } else {
            self.spill(range, number);
        }
    }

    fn spill(&mut self, range: &Range, number: usize) {
        let slot = self.slot(range);
        self.places[number] = Place::slot(slot);
    }

    /// A slot that nothing has used since before the range starts.
    fn slot(&mut self, range: &Range) -> u32 {
        let reusable = self.free_slots.peek().filter(|(end, _)| end.0 <= range.start).map(|&(_, slot)| slot);
        let slot = if let Some(slot) = reusable {
            self.free_slots.pop();
            slot
        } else {
            self.slots += 1;
            self.slots - 1
        };
        self.free_slots.push((std::cmp::Reverse(range.end), slot));
        slot
    }

    /// A range that is live during a call, `next_call` being the first call it can span.
    #[inline(never)]
    fn spanning(&mut self, ranges: &Ranges, number: usize, next_call: usize, free: u32) {
        let range = &ranges.ranges[number];
        let saved = self.saved;
        if !range.float && free & saved != 0 {
            let usable = free & saved;
            let preferred = usable & self.saved_used;
            let register =
                self.hinted(range, usable).unwrap_or_else(|| lowest(if preferred != 0 { preferred } else { usable }));
            return self.take(range, number, register);
        }
        let volatile = free & if range.float { FLOATS } else { VOLATILE_INTS };
        let last_call = ranges.calls.partition_point(|call| call.position + 1 < range.end) - 1;
        let before = next_call.checked_sub(1).map_or(0, |call| ranges.calls[call].weight);
        let crossed = ranges.calls[last_call].weight - before;
        if volatile != 0 && u64::from(range.weight) > 2 * crossed {
            let register = self.hinted(range, volatile).unwrap_or_else(|| lowest(volatile));
            self.take(range, number, register);
            let slot = self.slot(range);
            self.around.push(Around { start: range.start, end: range.end, register, slot });
        } else if range.float {
            self.spill(range, number);
        } else {
            self.evict(ranges, number, saved);
        }
    }
}

#[inline(always)]
fn lowest(set: u32) -> u8 {
    set.trailing_zeros() as u8
}

/// The registers of a set, lowest first.
pub fn registers(set: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |register| set >> register & 1 != 0)
}
