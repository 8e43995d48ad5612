//! Where each register of a function lives while it runs.
//!
//! Comes in: a verified body, and what the trace says of its variables. Goes out: [`Homes`]. What must hold: registers
//! that live nowhere, because a constant or the flags stand for them, are named too.

use crate::isa::fusion::Fusion;
use crate::stitch::place::Place;
use crate::stitch::trace::Placed;
use crate::verified::Body;

/// Two instructions that one snippet stands for.
#[derive(Clone, Copy, Debug)]
pub struct Fused {
    /// The first of them.
    pub inst: u32,
    /// What the snippet is declared to stand for.
    pub fusion: &'static Fusion,
}

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
    /// Nowhere: it is made and used up within a snippet that stands for two instructions.
    Within,
}

impl Home {
    pub(super) fn new(body: &Body, place: Place) -> Option<Home> {
        if let Some(index) = place.as_constant() {
            let count = Home::Count(body.signature.params.len() as u32);
            return Some(body.insts.get(index as usize).map_or(count, |inst| Home::Constant(inst.literal())));
        }
        place.as_register().map(Home::Register).or_else(|| place.as_slot().map(Home::Slot))
    }
}

/// For each variable of a function its places, in the order in which it gets them, each once.
#[must_use]
pub fn homes(body: &Body, placed: &[Placed], fused: &[Fused]) -> Vec<Vec<Home>> {
    let mut homes: Vec<Vec<Home>> = vec![Vec::new(); body.vars.len()];
    let mut add = |var: u32, home: Home| {
        let list = &mut homes[var as usize];
        if !list.contains(&home) {
            list.push(home);
        }
    };
    for placed in placed {
        if let Some(home) = Home::new(body, placed.place) {
            add(placed.var, home);
        }
    }
    for one in fused {
        let home = if one.fusion.branches() { Home::Flags } else { Home::Within };
        add(body.insts[one.inst as usize].d, home);
    }
    homes
}
