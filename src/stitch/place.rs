//! Placement: which machine register or frame slot each variable has whose values cross blocks.
//!
//! Comes in: the ranges of a function. Goes out: a [`Place`] for each of them, and the registers that are left for the
//! values within blocks. What must hold: ranges that overlap have different places; a range that spans a call is in a
//! saved register, in a slot, or is saved around the call.
//!
//! Ranges are taken in the order of their starts. Each takes a register that is free by then; where none is, the
//! range of least weight among those that hold one goes to a slot for the whole of its life. Some volatile registers
//! are kept back for values within blocks, which get theirs during emission (see
//! `locals`).

use std::collections::BinaryHeap;

use crate::library::builtin::{FVOLATILE, MEMORY, SAVED, VOLATILE};
use crate::stitch::live::{CallPoint, Live, NO_HINT, Pressure, Range};

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

/// How many volatile registers of a class are kept back for values within blocks at most.
const KEPT_BACK: u32 = 3;

/// A stretch of the function in which a register belongs to a range.
#[derive(Clone, Copy, Debug)]
pub struct Tenure {
    /// From this position on.
    pub start: u32,
    /// Up to this one.
    pub end: u32,
    range: u32,
}

/// The places of one function's ranges.
#[derive(Debug, Default)]
pub struct Placement {
    /// By the number of the range.
    pub places: Vec<Place>,
    /// How many frame slots ranges use.
    pub slots: u32,
    /// How many slots the values within blocks can need beside these.
    pub local_slots: u32,
    /// The saved registers in use, a bit each: those of ranges and those that values within blocks may take.
    pub saved_used: u32,
    /// The registers that values within blocks may take where no range has them.
    pub for_locals: u32,
    /// The registers that ranges have at some time, a bit each.
    pub owned: u32,
    /// Ranges to save around calls, in the order of their starts.
    pub around: Vec<Around>,
    /// For each register, when which range has it.
    pub tenures: [Vec<Tenure>; 32],
    free_slots: BinaryHeap<(std::cmp::Reverse<u32>, u32)>,
    order: Vec<u64>,
    /// For each register, the end of the last of its tenures.
    until: [u32; 32],
    /// The saved registers and volatile registers that ranges may have.
    saved: u32,
    volatile: u32,
}

impl Placement {
    /// Places the ranges of a function. `memory` says whether the module has a linear memory, whose address then
    /// occupies a register.
    pub fn place(&mut self, live: &Live, memory: bool) {
        self.places.clear();
        self.places.resize(live.ranges.len(), Place::NONE);
        self.around.clear();
        self.free_slots.clear();
        registers(self.owned).for_each(|register| self.tenures[usize::from(register)].clear());
        (self.slots, self.saved_used, self.owned) = (0, 0, 0);
        self.saved = if memory { SAVED_INTS & !(1 << MEMORY) } else { SAVED_INTS };
        self.volatile = keep_back(VOLATILE_INTS, live.pressure.most[0]) | keep_back(FLOATS, live.pressure.most[1]);
        self.order.clear();
        // By their starts, and where those are equal by their numbers.
        self.order.extend(live.ranges.iter().zip(0..).map(|(range, number)| u64::from(range.start) << 32 | number));
        self.order.sort_unstable();
        self.until = [0; 32];
        let order = std::mem::take(&mut self.order);
        for &one in &order {
            self.range(live, one as u32 as usize);
        }
        self.order = order;
        self.leave_for_locals(&live.pressure);
    }

    fn range(&mut self, live: &Live, number: usize) {
        let range = &live.ranges[number];
        if range.end == 0 {
            return;
        }
        let calls = calls_spanned(&live.calls, range);
        let free = self.free(range);
        let volatile = free & self.volatile;
        if calls == 0 {
            let set = volatile | free & self.saved;
            if set == 0 {
                return self.evict(live, number, class_set(range) & (self.volatile | self.saved));
            }
            // Volatile registers first, then saved ones that the function saves already.
            let preferred = set & (self.volatile | self.saved_used);
            let register = hinted(range, set).unwrap_or_else(|| lowest(if preferred != 0 { preferred } else { set }));
            return self.take(range, number, register);
        }
        let saved = free & self.saved;
        if saved != 0 {
            let preferred = saved & self.saved_used;
            self.take(range, number, lowest(if preferred != 0 { preferred } else { saved }));
        } else if volatile != 0 && u64::from(range.weight) > 2 * calls {
            let register = hinted(range, volatile).unwrap_or_else(|| lowest(volatile));
            self.take(range, number, register);
            let slot = self.slot(range);
            self.around.push(Around { start: range.start, end: range.end, register, slot });
        } else if range.float {
            self.spill(range, number);
        } else {
            self.evict(live, number, self.saved);
        }
    }

    /// The registers of the range's class that no other range has when it starts.
    fn free(&self, range: &Range) -> u32 {
        let mut set = class_set(range) & (self.volatile | self.saved);
        for register in registers(set & self.owned) {
            set &= !(u32::from(self.until[usize::from(register)] > range.start) << register);
        }
        set
    }

    fn take(&mut self, range: &Range, number: usize, register: u8) {
        self.tenures[usize::from(register)].push(Tenure { start: range.start, end: range.end, range: number as u32 });
        self.owned |= 1 << register;
        self.until[usize::from(register)] = range.end;
        self.saved_used |= 1 << register & self.saved;
        self.places[number] = Place::register(register);
    }

    /// Gives the range the register of a lighter one in `set`, or a slot.
    fn evict(&mut self, live: &Live, number: usize, set: u32) {
        let range = &live.ranges[number];
        let worth = |range: &Range| (range.weight, std::cmp::Reverse(range.end));
        let tenant = |register: u8| self.tenures[usize::from(register)].last();
        let lightest = registers(set)
            .filter(|&register| self.around.iter().all(|around| around.register != register))
            .filter_map(|register| Some((register, tenant(register)?.range as usize)))
            .min_by_key(|&(_, other)| worth(&live.ranges[other]));
        match lightest {
            Some((register, other)) if worth(&live.ranges[other]) < worth(range) => {
                self.tenures[usize::from(register)].pop();
                self.spill(&live.ranges[other], other);
                self.take(range, number, register);
            }
            _ => self.spill(range, number),
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

    /// Decides before emission what emission may need: more saved registers where volatile ones do not do, and slots
    /// where registers may not suffice.
    fn leave_for_locals(&mut self, pressure: &Pressure) {
        let owned = self.owned;
        let without_owner = |set: u32| (set & !owned).count_ones();
        let volatile = without_owner(VOLATILE_INTS);
        let missing = pressure.spanning[0].max(pressure.most[0].saturating_sub(volatile));
        let unused = registers(self.saved & !self.saved_used);
        let extra = unused.take(missing as usize).fold(0, |set, register| set | 1 << register);
        self.saved_used |= extra;
        self.for_locals = VOLATILE_INTS | FLOATS | self.saved_used;
        let saved = without_owner(self.saved_used);
        // A value that spans a call may find the saved registers taken by values that do not.
        let suffices = pressure.most[0] <= volatile + saved
            && pressure.most[1] <= without_owner(FLOATS)
            && pressure.spanning == [0, 0];
        // Twice, because what an instruction reads last keeps its slot until the next one.
        self.local_slots = if suffices { 0 } else { 2 * (pressure.most[0] + pressure.most[1]) };
    }
}

fn class_set(range: &Range) -> u32 {
    if range.float { 0xffff_0000 } else { 0xffff }
}

/// `set` without its highest registers, as many as `needed` within blocks, but only a few.
fn keep_back(set: u32, needed: u32) -> u32 {
    (0..needed.min(KEPT_BACK)).fold(set, |set, _| set & !(1 << set.ilog2()))
}

/// The register that the range is best put into, if it is in `usable`.
fn hinted(range: &Range, usable: u32) -> Option<u8> {
    (range.hint != NO_HINT && usable >> (range.hint & 31) & 1 != 0).then_some(range.hint & 31)
}

/// The weight of the calls during which the range is live.
fn calls_spanned(calls: &[CallPoint], range: &Range) -> u64 {
    let first = calls.partition_point(|call| call.position < range.start);
    let end = calls.partition_point(|call| call.position + 1 < range.end);
    let sum = |count: usize| count.checked_sub(1).map_or(0, |last| calls[last].weight);
    if first < end { sum(end) - sum(first) } else { 0 }
}

#[inline(always)]
fn lowest(set: u32) -> u8 {
    set.trailing_zeros() as u8
}

/// The registers of a set, lowest first.
pub fn registers(mut set: u32) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let register = lowest(set);
        let some = set != 0;
        set &= set.wrapping_sub(1);
        some.then_some(register)
    })
}
