//! Where each register of a function lives while it runs.
//!
//! Comes in: a verified body, and what the trace says of its variables. Goes out: [`Homes`]. What must hold: registers
//! that live nowhere, because a constant or the flags stand for them, are named too.

use crate::stitch::live::is_fused;
use crate::stitch::place::Place;
use crate::stitch::trace::Placed;
use crate::verified::Body;

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
pub fn homes(body: &Body, placed: &[Placed]) -> Vec<Vec<Home>> {
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
    for (index, inst) in body.insts.iter().enumerate() {
        if is_fused(body, index, inst) {
            add(inst.d, Home::Flags);
        }
    }
    homes
}
