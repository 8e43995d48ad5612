//! Which register or slot holds what, instruction by instruction.
//!
//! Comes in: a verified body, and the trace of where its variables came to be. Goes out: [`Strip`]: a lane for each place
//! that the function uses, and for each instruction who is in it. What must hold: a place is shown as taken only where
//! the value in it will still be read; where a value is comes from the trace, whether it is needed is found out here
//! by the usual backward equations (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5), which placement does not use.

use super::place;
use crate::isa::op::Shape;
use crate::module::{Custom, Inst};
use crate::stitch::operands::{call_operands, returned, shape, switch_targets, traits};
use crate::stitch::place::Place;
use crate::stitch::trace::Placed;
use crate::verified::Body;

/// The most cells of the equations' sets that are worked out: larger functions have no strip.
const LARGEST: usize = 1 << 26;

/// Who is where in a function.
#[derive(Clone, Debug, Default)]
pub struct Strip {
    /// The places, registers first.
    pub lanes: Vec<String>,
    /// For each instruction the lanes that are taken: the lane, and the variable's number.
    pub rows: Vec<Vec<(usize, u32)>>,
    /// The names of the variables.
    pub names: Vec<String>,
}

/// Sets of variables, a bit each.
struct Sets {
    words: usize,
    bits: Vec<u64>,
}

impl Sets {
    fn new(count: usize, vars: usize) -> Sets {
        let words = vars.div_ceil(64);
        Sets { words, bits: vec![0; count * words] }
    }

    fn of(&self, index: usize) -> &[u64] {
        &self.bits[index * self.words..][..self.words]
    }

    fn set(&mut self, index: usize, bits: &[u64]) -> bool {
        let place = &mut self.bits[index * self.words..][..self.words];
        let changed = place != bits;
        place.copy_from_slice(bits);
        changed
    }
}

/// What an instruction reads and writes.
fn touched(inst: &Inst, lists: &[u32], customs: &[Custom]) -> (Vec<u32>, Vec<u32>) {
    let call = |at: u32| {
        let operands = call_operands(lists, at as usize);
        (operands.args.to_vec(), operands.results.to_vec())
    };
    match shape(inst.op) {
        Shape::Value if traits(inst.op).arity == 1 => (vec![inst.a], vec![inst.d]),
        Shape::Value => (vec![inst.a, inst.b], vec![inst.d]),
        Shape::Select => {
            let list = inst.b as usize;
            (vec![inst.a, lists[list], lists[list + 1]], vec![inst.d])
        }
        Shape::Move | Shape::Load | Shape::NativeLoad | Shape::Mgrow | Shape::Arg => (vec![inst.a], vec![inst.d]),
        Shape::Store | Shape::NativeStore => (vec![inst.d, inst.a], vec![]),
        Shape::Const | Shape::Msize | Shape::Read | Shape::Gget | Shape::Addr => (vec![], vec![inst.d]),
        Shape::Mcopy | Shape::Mfill => (vec![inst.d, inst.a, inst.b], vec![]),
        Shape::Gset | Shape::Print | Shape::Branch | Shape::Switch => (vec![inst.a], vec![]),
        Shape::Call | Shape::CallExtern | Shape::CallImport => call(inst.b),
        Shape::Object => call(inst.b + 2),
        Shape::Calli | Shape::Callp => {
            let (mut reads, writes) = call(inst.b + 1);
            reads.push(inst.a);
            (reads, writes)
        }
        Shape::Ret => (returned(inst, lists).to_vec(), vec![]),
        Shape::Jump | Shape::Halt | Shape::Trap => (vec![], vec![]),
        Shape::Custom => {
            let d = customs[inst.a as usize].op.result.map(|_| inst.d);
            (returned(inst, lists).to_vec(), d.into_iter().collect())
        }
    }
}

/// Takes one instruction back: what it writes is not needed before it, what it reads is. An instruction that does nothing
/// but write what nobody needs has no code, and reads nothing.
fn step_back(live: &mut [u64], inst: &Inst, lists: &[u32], customs: &[Custom]) {
    let (reads, writes) = touched(inst, lists, customs);
    let is_needed = |&var: &u32| live[var as usize / 64] >> (var % 64) & 1 != 0;
    if traits(inst.op).is_removable() && !writes.iter().any(is_needed) {
        return;
    }
    for var in writes {
        live[var as usize / 64] &= !(1 << (var % 64));
    }
    for var in reads {
        live[var as usize / 64] |= 1 << (var % 64);
    }
}

/// The blocks that may follow block `number`.
fn followers(body: &Body, number: usize) -> Vec<usize> {
    let last = body.insts[body.block_range(number).end - 1];
    let next = number + 1;
    match shape(last.op) {
        Shape::Jump => vec![last.b as usize],
        Shape::Branch => vec![last.b as usize, next],
        Shape::Switch => switch_targets(&last, &body.lists).iter().map(|&block| block as usize).collect(),
        Shape::Ret | Shape::Halt | Shape::Trap => vec![],
        _ => vec![next],
    }
}

/// What is needed at the end of block `number`.
fn needed_after(body: &Body, number: usize, starts: &Sets) -> Vec<u64> {
    let mut live = vec![0; starts.words];
    for follower in followers(body, number).into_iter().filter(|&follower| follower < body.blocks.len()) {
        live.iter_mut().zip(starts.of(follower)).for_each(|(bits, more)| *bits |= more);
    }
    live
}

/// What is needed at the start of each block.
fn needed_at_starts(body: &Body, customs: &[Custom]) -> Sets {
    let mut starts = Sets::new(body.blocks.len(), body.vars.len());
    let mut changed = true;
    while changed {
        changed = false;
        for number in (0..body.blocks.len()).rev() {
            let mut live = needed_after(body, number, &starts);
            let insts = &body.insts[body.block_range(number)];
            insts.iter().rev().for_each(|inst| step_back(&mut live, inst, &body.lists, customs));
            changed |= starts.set(number, &live);
        }
    }
    starts
}

impl Strip {
    /// The strip of a function; empty where it is too large to be looked at.
    #[must_use]
    pub fn new(body: &Body, customs: &[Custom], placed: &[Placed]) -> Strip {
        let names = (0..body.vars.len() as u32).map(|var| body.var_name(var)).collect();
        if body.vars.len().div_ceil(64) * body.insts.len() > LARGEST {
            return Strip { names, ..Strip::default() };
        }
        let starts = needed_at_starts(body, customs);
        let [mut before, mut after] = [0, 1].map(|_| Sets::new(body.insts.len(), body.vars.len()));
        for number in 0..body.blocks.len() {
            let mut live = needed_after(body, number, &starts);
            for index in body.block_range(number).rev() {
                after.set(index, &live);
                step_back(&mut live, &body.insts[index], &body.lists, customs);
                before.set(index, &live);
            }
        }
        let rows = Strip::taken(body, placed, &before, &after);
        Strip { names, ..Strip::lanes(body, &rows) }
    }

    /// For each instruction the places of what is needed behind it, and before these of what it reads last.
    fn taken(body: &Body, placed: &[Placed], before: &Sets, after: &Sets) -> Vec<Vec<(Place, u32)>> {
        let is_real = |place: Place| place.as_register().is_some() || place.as_slot().is_some();
        let mut places = vec![Place::NONE; body.vars.len()];
        let mut changes = placed.iter().peekable();
        while let Some(change) = changes.next_if(|change| change.inst == u32::MAX) {
            places[change.var as usize] = change.place;
        }
        let mut rows = Vec::with_capacity(body.insts.len());
        for index in 0..body.insts.len() {
            let has = |set: &Sets, var: usize| set.of(index)[var / 64] >> (var % 64) & 1 != 0;
            let taken = |places: &[Place], is_needed: &dyn Fn(usize) -> bool| -> Vec<(Place, u32)> {
                let all = places.iter().enumerate();
                all.filter(|&(var, &place)| is_real(place) && is_needed(var)).map(|(v, &p)| (p, v as u32)).collect()
            };
            let mut row = taken(&places, &|var| has(before, var) && !has(after, var));
            while let Some(change) = changes.next_if(|change| change.inst <= index as u32) {
                places[change.var as usize] = change.place;
            }
            row.extend(taken(&places, &|var| has(after, var)));
            rows.push(row);
        }
        rows
    }

    fn lanes(body: &Body, taken: &[Vec<(Place, u32)>]) -> Strip {
        let order = |place: Place| match (place.as_register(), place.as_slot()) {
            (Some(register), _) => (0, u32::from(register)),
            (_, slot) => (1, slot.unwrap_or(0)),
        };
        let mut places: Vec<(Place, u32)> = taken.iter().flatten().copied().collect();
        places.sort_by_key(|&(place, _)| order(place));
        places.dedup_by_key(|(place, _)| *place);
        let name = |&(place, var): &(Place, u32)| {
            let home = super::Home::new(body, place);
            home.map_or(String::new(), |home| place::home(home, body.vars[var as usize].class))
        };
        let lane_of = |place: Place| places.iter().position(|&(known, _)| known == place).unwrap_or(0);
        let rows = taken.iter().map(|row| row.iter().map(|&(place, var)| (lane_of(place), var)).collect());
        Strip { lanes: places.iter().map(name).collect(), rows: rows.collect(), names: Vec::new() }
    }
}
