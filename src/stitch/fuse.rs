//! Fused snippets: where one stands for two instructions, or for one with a constant.
//!
//! Comes in: instructions, and which of their sources are constants. Goes out: the fusion that stands for them, and which
//! variable each of its sources is. What must hold: the walk for liveness and emission ask the same question and get an
//! answer with the same sources; one that the walk has found, emission finds too.

use crate::isa::fusion::{Feeds, Fusion, When};
use crate::isa::op::{Class, Shape, Type};
use crate::isa::snippet::{Form, Head, MAX_REGS, form_index};
use crate::library::Fusions;
use crate::module::Inst;
use crate::stitch::custom::{Operation, Ways};
use crate::stitch::emit::Emitter;
use crate::stitch::live::{ENDS_A, ENDS_B};
use crate::stitch::operands::{shape, traits};
use crate::stitch::place::Place;
use crate::stitch::trace::Step;

/// What the second instruction reads beside the result of the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Other {
    /// The variable.
    pub var: u32,
    /// What notes its last read.
    pub flag: u16,
}

/// A fusion that stands for two instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'l> {
    pub fusion: &'l Fusion,
    /// Whether its `a` is what the first instruction calls `b`.
    pub exchanged: bool,
    pub other: Option<Other>,
}

/// The fusion for `first` and `second`, which stands behind it. `literal` gives the constant that a variable is.
#[inline(always)]
pub(super) fn find<'l>(
    fusions: &'l Fusions,
    first: &Inst,
    second: &Inst,
    literal: impl Fn(u32) -> Option<u64>,
) -> Option<Found<'l>> {
    let candidates = fusions.of(first.op, second.op);
    let result = first.d;
    let (feeds, other) = if shape(second.op) == Shape::Branch || traits(second.op).arity == 1 {
        (Feeds::Any, None)
    } else if second.b == result {
        (Feeds::B, Some(Other { var: second.a, flag: ENDS_A }))
    } else {
        (Feeds::A, Some(Other { var: second.b, flag: ENDS_B }))
    };
    // It must be read, and once only.
    let reads = if feeds == Feeds::B { second.b } else { second.a };
    if reads != result || other.is_some_and(|other| other.var == result) {
        return None;
    }
    // Those that ask for constants come first.
    let asks = candidates.first().is_some_and(|fusion| fusion.when != [When::Any; MAX_REGS]);
    let b = Some(first.b).filter(|_| traits(first.op).reads_b());
    let c = other.map(|other| other.var);
    let known = if asks { [Some(first.a), b, c].map(|var| var.and_then(&literal)) } else { [None; MAX_REGS] };
    let choose = |fusion: &'l Fusion| {
        if fusion.feeds != Feeds::Any && fusion.feeds != feeds {
            return None;
        }
        let exchanged = exchange(fusion, known)?;
        Some(Found { fusion, exchanged, other })
    };
    candidates.iter().find_map(choose)
}

/// Whether the first two sources have to be exchanged for the conditions of a fusion, by the constants that they are;
/// nothing where the conditions hold neither way.
#[inline(always)]
fn exchange(fusion: &Fusion, [a, b, c]: [Option<u64>; MAX_REGS]) -> Option<bool> {
    let hold = |known: [Option<u64>; MAX_REGS]| {
        (0..MAX_REGS).all(|nth| match (fusion.when[nth], known[nth]) {
            (When::Any, _) => true,
            (_, None) => false,
            (when, Some(bits)) => fusion.sources()[nth].is_some_and(|ty| when.holds(ty, bits)),
        })
    };
    if hold([a, b, c]) {
        return Some(false);
    }
    (traits(fusion.first).commutes() && hold([b, a, c])).then_some(true)
}

impl Emitter<'_> {
    /// Emits two instructions as one snippet; `note` is that on the first.
    #[inline(never)]
    pub(super) fn fused(&mut self, first: &Inst, note: u16) {
        let body = self.body;
        let second = &body.insts[self.index + 1];
        let library = self.library;
        let literal = |var: u32| self.place(var).as_constant().map(|index| self.constant(index));
        let Some(found) = find(library.fusions(), first, second, literal) else {
            debug_assert!(false, "the walk has found a fusion that is not there");
            return;
        };
        let fusion = found.fusion;
        if fusion.branches() {
            return self.compare_and_branch(first, note, second, fusion.key);
        }
        let next_note = self.live.notes[self.index + 1];
        let ways = self.ways(fusion);
        // What is loaded has an index or an address in the place of sources.
        let mut places = [self.place(first.a), Place::NONE, Place::NONE];
        let mut value = 0;
        let (a, loads) = (places[0], fusion.loads());
        if loads {
            let (register, offset) = self.loaded_from(first, ways);
            (places[0], value) = (Place::register(register), offset);
        } else if traits(first.op).arity == 2 {
            places[1] = self.place(first.b);
        }
        let mut freed = [self.end_noted(note, ENDS_A, first.a, a), 0, 0];
        if traits(first.op).reads_b() {
            freed[1] = self.end_noted(note, ENDS_B, first.b, places[1]);
        }
        if found.exchanged {
            places.swap(0, 1);
            freed.swap(0, 1);
        }
        // The value in between is nowhere.
        self.current[first.d as usize].place = Place::NONE;
        if self.code.is_tracing() {
            self.note_places();
        }
        self.index += 1;
        if let Some(Other { var, flag }) = found.other {
            places[2] = self.place(var);
            freed[2] = self.end_noted(next_note, flag, var, places[2]);
        }
        let (near, far) = self.wishes(fusion, ways, freed);
        let to = self.define(second.d, next_note, near, far);
        self.operate(fusion, ways, places, to, value);
        // The result is there from the second instruction on.
        self.code.mark(self.index as u32, Step::Body);
    }

    /// Emits an instruction on a constant as a snippet of its own, if there is one. Says whether there is.
    #[inline(never)]
    pub(super) fn with_constant(&mut self, inst: &Inst, a: Place, b: Place, to: Place) -> bool {
        let library = self.library;
        let [first, second] = [a, b].map(|place| place.as_constant().map(|index| self.constant(index)));
        let chosen = library
            .fusions()
            .with_constant(inst.op)
            .iter()
            .find_map(|fusion| exchange(fusion, [first, second, None]).map(|exchanged| (fusion, exchanged)));
        let Some((fusion, exchanged)) = chosen else { return false };
        let places = if exchanged { [b, a, Place::NONE] } else { [a, b, Place::NONE] };
        self.operate(fusion, self.ways(fusion), places, to, 0);
        true
    }

    /// The register that a load's address is in, and its offset.
    fn loaded_from(&mut self, load: &Inst, ways: Ways) -> (u8, i64) {
        if shape(load.op) == Shape::Load {
            return self.address(load.a, load.b);
        }
        let chunk = if ways.separate != 0 { ways.separate } else { ways.tied };
        let place = self.place(load.a);
        (self.base(place, chunk), i64::from(load.b as i32))
    }

    fn ways(&self, fusion: &Fusion) -> Ways {
        let form = |a| self.library.forms(fusion.key)[form_index(false, a, Form::Reg)];
        Ways::better(self.library, form(Form::Reg), form(Form::Tied))
    }

    /// The registers that the result is best put into, and those that it had better not have.
    fn wishes(&self, fusion: &Fusion, ways: Ways, freed: [u32; MAX_REGS]) -> (u32, u32) {
        let all = freed.iter().fold(0, |all, one| all | one);
        match self.tied_to(fusion, ways.tied) {
            Some(nth) => (freed[nth], all & !freed[nth]),
            // A result that is written early has its register for itself.
            None if self.code.head(ways.separate).flags & Head::EARLY != 0 => (0, all),
            None => (all, 0),
        }
    }

    /// The source that the result of a snippet takes the place of.
    fn tied_to(&self, fusion: &Fusion, chunk: u16) -> Option<usize> {
        if chunk == 0 {
            return None;
        }
        let contract = self.library.contract(chunk);
        fusion.tied(|name| contract.operands().any(|operand| operand.name == name))
    }

    /// Copies the snippet of a fusion, and brings its operands to it.
    fn operate(&mut self, fusion: &Fusion, ways: Ways, places: [Place; MAX_REGS], to: Place, offset: i64) {
        let over = self.tied_to(fusion, ways.tied).filter(|&nth| ways.separate == 0 || places[nth] == to);
        let chunk = if over.is_some() { ways.tied } else { ways.separate };
        let types = fusion.sources();
        let mut value = offset;
        for nth in 0..MAX_REGS {
            if let (When::Power, Some(ty), Some(index)) = (fusion.when[nth], types[nth], places[nth].as_constant()) {
                value = i64::from(ty.normalise(self.constant(index)).trailing_zeros());
            }
        }
        let classes = types.map(|ty| ty.map_or(Class::Int, Type::class));
        let result = fusion.result().map(Type::class);
        self.operation(&Operation { chunk, places, classes, over, to, result, value });
    }
}
