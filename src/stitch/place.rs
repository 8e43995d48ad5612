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
    busy_until: [[u32; 16]; 2],
    owner: [u32; 32],
    free_slots: BinaryHeap<(std::cmp::Reverse<u32>, u32)>,
    order: Vec<u32>,
    saved: u32,
    /// The first call that a range can span that starts where the present one does, and its position.
    next_call: usize,
    next_call_at: u32,
}

impl Default for Placement {
    fn default() -> Self {
        Placement {
            places: Vec::new(),
            slots: 0,
            saved_used: 0,
            around: Vec::new(),
            busy_until: [[0; 16]; 2],
            owner: [0; 32],
            free_slots: BinaryHeap::new(),
            order: Vec::new(),
            saved: SAVED_INTS,
            next_call: 0,
            next_call_at: u32::MAX,
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
        self.busy_until = [[0; 16]; 2];
        self.slots = 0;
        self.saved_used = 0;
        self.saved = if memory { SAVED_INTS & !(1 << MEMORY) } else { SAVED_INTS };
        let crossing = ranges.crossing.len();
        self.order.clear();
        self.order.extend(0..crossing as u32);
        self.order.sort_by_key(|&number| ranges.ranges[number as usize].start);
        let order = std::mem::take(&mut self.order);
        let mut early = order.iter().copied().peekable();
        let start_of = |number: Option<&u32>| number.map_or(u32::MAX, |&number| ranges.ranges[number as usize].start);
        let mut next_early = start_of(early.peek());
        self.next_call = 0;
        self.next_call_at = ranges.calls.first().map_or(u32::MAX, |call| call.position);
        for (number, range) in ranges.ranges.iter().enumerate().skip(crossing) {
            while next_early <= range.start {
                if let Some(other) = early.next() {
                    self.range(ranges, other as usize, &ranges.ranges[other as usize]);
                }
                next_early = start_of(early.peek());
            }
            self.range(ranges, number, range);
        }
        for other in early {
            self.range(ranges, other as usize, &ranges.ranges[other as usize]);
        }
        self.order = order;
    }

    #[inline(always)]
    fn range(&mut self, ranges: &Ranges, number: usize, range: &Range) {
        if range.end == 0 {
            return;
        }
        while self.next_call_at < range.start {
            self.next_call += 1;
            self.next_call_at = ranges.calls.get(self.next_call).map_or(u32::MAX, |call| call.position);
        }
        if range.end > self.next_call_at.saturating_add(1) {
            return self.spanning(ranges, number);
        }
        // The commonest case: the register of a source that is used up here, or that of an argument.
        if let Some(register) = self.hinted(range) {
            return self.take(range, number, register);
        }
        let set = if range.float { FLOATS } else { VOLATILE_INTS | self.saved };
        let usable = self.free(range.float, range.start) & set;
        if usable == 0 {
            return self.evict(ranges, number, set);
        }
        // Volatile registers first, then saved ones that the function has saved already.
        let preferred = usable & (VOLATILE_INTS | FLOATS | self.saved_used);
        self.take(range, number, lowest(if preferred != 0 { preferred } else { usable }));
    }

    /// The registers of a class that nothing occupies at `position`.
    #[inline(always)]
    fn free(&self, float: bool, position: u32) -> u32 {
        let class = usize::from(float);
        free_mask(&self.busy_until[class], position) << (16 * class)
    }

    /// The register that the range is best put into, if it is free.
    #[inline(always)]
    fn hinted(&self, range: &Range) -> Option<u8> {
        if range.hint == NO_HINT {
            return None;
        }
        let register = if range.hint & HINT_REGISTER != 0 {
            (range.hint & 31) as u8
        } else {
            self.places[range.hint as usize].as_register()?
        };
        let same_class = (register >= FIRST_XMM) == range.float;
        (same_class && self.busy_until[usize::from(register >> 4 & 1)][usize::from(register & 15)] <= range.start)
            .then_some(register)
    }

    #[inline(always)]
    fn take(&mut self, range: &Range, number: usize, register: u8) {
        self.busy_until[usize::from(register >> 4 & 1)][usize::from(register & 15)] = range.end;
        self.owner[usize::from(register & 31)] = number as u32;
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

    /// A range that is live during a call.
    #[inline(never)]
    fn spanning(&mut self, ranges: &Ranges, number: usize) {
        let range = &ranges.ranges[number];
        let saved = self.saved;
        let free = self.free(range.float, range.start);
        let hint = self.hinted(range);
        let best = |usable: u32| hint.filter(|&register| usable >> register & 1 != 0);
        if !range.float && free & saved != 0 {
            let usable = free & saved;
            let preferred = usable & self.saved_used;
            let register = best(usable).unwrap_or_else(|| lowest(if preferred != 0 { preferred } else { usable }));
            return self.take(range, number, register);
        }
        let volatile = free & if range.float { FLOATS } else { VOLATILE_INTS };
        let last_call = ranges.calls.partition_point(|call| call.position + 1 < range.end) - 1;
        let before = self.next_call.checked_sub(1).map_or(0, |call| ranges.calls[call].weight);
        let crossed = ranges.calls[last_call].weight - before;
        if volatile != 0 && u64::from(range.weight) > 2 * crossed {
            let register = best(volatile).unwrap_or_else(|| lowest(volatile));
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

/// A bit for each of sixteen registers: whether the position up to which it is busy is not after `position`.
///
/// Written so that it becomes vector code: sixteen comparisons to bytes of 0 or 1, and a multiplication that gathers the
/// lowest bits of eight bytes in the highest byte of the product. Inlined, it would be taken apart into scalars.
#[inline(never)]
fn free_mask(until: &[u32; 16], position: u32) -> u32 {
    let mut free = [0u8; 16];
    for (free, &until) in free.iter_mut().zip(until) {
        *free = u8::from(until <= position);
    }
    let gather = |bytes: u64| bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let both = u128::from_le_bytes(free);
    (gather(both as u64) | gather((both >> 64) as u64) << 8) as u32
}

#[inline(always)]
fn lowest(set: u32) -> u8 {
    set.trailing_zeros() as u8
}

/// The registers of a set, lowest first.
pub fn registers(set: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |register| set >> register & 1 != 0)
}
