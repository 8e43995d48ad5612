//! Where each register of a function lives while it runs.
//!
//! Comes in: a verified body. Goes out: [`Homes`]. What must hold: the ranges are counted as the emitter counts them, so
//! that the places are those of the code; a test holds them against the registers of copied snippets.

use crate::isa::op::Shape;
use crate::library::builtin::{ARGS, FARGS};
use crate::stitch::operands::{shape, visit};
use crate::stitch::place::{FIRST_XMM, Place, Placement};
use crate::stitch::ranges::{Ranges, is_constant, is_fused};
use crate::verified::{Body, Var, Verified};

/// A place in which a register has its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// A machine register; vector registers start at 16.
    Register(u8),
    /// A frame slot, by its index.
    Slot(u32),
    /// Nowhere: it is this constant, which is put into the instructions that read it.
    Constant(u64),
    /// Nowhere: it is the number of arguments, which is known.
    Count(u32),
    /// The processor's flags, on the way from a comparison to a branch.
    Flags,
}

/// The places of a function's registers.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    /// For each variable, its places in the order in which it gets them, each once.
    pub of: Vec<Vec<Home>>,
    /// For each instruction and each variable that it writes, where to.
    pub written: Vec<(usize, u32, Home)>,
}

fn home(place: Place) -> Option<Home> {
    place.as_register().map(Home::Register).or_else(|| place.as_slot().map(Home::Slot))
}

impl Homes {
    /// Finds the places of a function's registers.
    #[must_use]
    pub fn find(verified: &Verified, body: &Body) -> Homes {
        let mut ranges = Ranges::default();
        ranges.find(verified, body, |float, index| {
            if float { FARGS.get(index).map(|register| register + FIRST_XMM) } else { ARGS.get(index).copied() }
        });
        let mut placement = Placement::default();
        placement.place(&ranges, verified.module().memory.is_some());
        let mut walk = Walk {
            homes: Homes { of: vec![Vec::new(); body.vars.len()], written: Vec::new() },
            crossing: vec![None; body.vars.len()],
            places: &placement.places,
            next: ranges.crossing.len(),
            index: 0,
        };
        for (number, &var) in ranges.crossing.iter().enumerate() {
            walk.crossing[var as usize] = home(placement.places[number]);
            walk.add(var, walk.crossing[var as usize]);
        }
        if is_constant(body, body.count_var()) {
            walk.add(body.count_var(), Some(Home::Count(body.signature.params.len() as u32)));
        }
        walk.body(body);
        walk.homes
    }
}

struct Walk<'a> {
    homes: Homes,
    crossing: Vec<Option<Home>>,
    places: &'a [Place],
    /// The number of the range that the next write starts.
    next: usize,
    index: usize,
}

impl Walk<'_> {
    fn add(&mut self, var: u32, home: Option<Home>) {
        let list = &mut self.homes.of[var as usize];
        if let Some(home) = home.filter(|home| !list.contains(home)) {
            list.push(home);
        }
    }

    fn body(&mut self, body: &Body) {
        let mut fused = false;
        for (index, inst) in body.insts.iter().enumerate() {
            if std::mem::take(&mut fused) {
                continue;
            }
            self.index = index;
            let facts = |var: u32| &body.vars[var as usize];
            if shape(inst.op) == Shape::Const && (!facts(inst.d).has(Var::CROSSES) || facts(inst.d).has(Var::CONSTANT))
            {
                self.add(inst.d, Some(Home::Constant(inst.literal())));
            } else if is_fused(body, index, inst) {
                self.add(inst.d, Some(Home::Flags));
                fused = true;
            } else {
                visit(self, inst, &body.lists, |_, _| (), |walk, var| walk.write(var, facts(var).has(Var::CROSSES)));
            }
        }
    }

    fn write(&mut self, var: u32, crosses: bool) {
        let home = if crosses {
            self.crossing[var as usize]
        } else {
            self.next += 1;
            self.places.get(self.next - 1).copied().and_then(home)
        };
        self.add(var, home);
        if let Some(home) = home {
            self.homes.written.push((self.index, var, home));
        }
    }
}
