//! What the stitcher did, step by step: for `explain`, and for the checker that holds it against the program.
//!
//! Comes in: each snippet as it is copied. Goes out: [`Trace`]. What must hold: recording changes nothing of the code.

use crate::stitch::code::Regs;
use crate::stitch::place::Place;

/// Why a snippet was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Part of the way into or out of the function.
    Frame,
    /// Moves a value so that places match.
    Glue,
    /// Does what the instruction says.
    Body,
    /// The part of the body that stands out of line.
    Cold,
}

/// One copied snippet.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The index of the instruction that it was copied for; `u32::MAX` for the function's entry.
    pub inst: u32,
    /// Why it was copied.
    pub glue: Step,
    /// The first chunk of the snippet.
    pub chunk: u16,
    /// The registers of its register operands.
    pub regs: Regs,
    /// What was written into its first two value holes. Jump targets and references are written later: 0.
    pub values: [i64; 2],
    /// Where it starts in the code.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// A variable that came to be in another place than before.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// The index of the instruction that gave it a value there; `u32::MAX` for the function's entry.
    pub inst: u32,
    /// The variable.
    pub var: u32,
    /// Where it is from then on.
    pub place: Place,
}

/// The steps of one image, in the order of their copying.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The steps.
    pub events: Vec<Event>,
    /// For each function, the first of its steps.
    pub functions: Vec<usize>,
    /// For each entry for C, the first of its steps; they come behind those of the functions.
    pub entries: Vec<usize>,
    /// For each crossing, the first of its steps; they come behind those of the entries for C.
    pub crossings: Vec<usize>,
    /// For each function, the facts about its frame that give slots and stack arguments their names.
    pub frames: Vec<super::frame::Frame>,
    /// For each function, where its variables are, in the order of its instructions.
    pub places: Vec<Vec<Placed>>,
    /// The place of each variable of the present function.
    current: Vec<Place>,
    pub(super) inst: u32,
    pub(super) glue: Step,
}

impl Default for Trace {
    fn default() -> Self {
        Trace {
            events: Vec::new(),
            functions: Vec::new(),
            entries: Vec::new(),
            crossings: Vec::new(),
            frames: Vec::new(),
            places: Vec::new(),
            current: Vec::new(),
            inst: u32::MAX,
            glue: Step::Frame,
        }
    }
}

impl Trace {
    /// A function begins.
    pub(super) fn begin(&mut self) {
        self.functions.push(self.events.len());
        self.places.push(Vec::new());
        self.current.clear();
        self.inst = u32::MAX;
    }

    /// An entry for C begins.
    pub(super) fn begin_entry(&mut self) {
        self.entries.push(self.events.len());
        (self.inst, self.glue) = (u32::MAX, Step::Frame);
    }

    /// A crossing begins.
    pub(super) fn begin_crossing(&mut self) {
        self.crossings.push(self.events.len());
        (self.inst, self.glue) = (u32::MAX, Step::Frame);
    }

    /// Where the steps end that are those of functions.
    #[must_use]
    pub fn functions_end(&self) -> usize {
        self.entries.first().copied().unwrap_or_else(|| self.entries_end())
    }

    /// Where the steps end that are those of functions or of entries for C.
    #[must_use]
    pub fn entries_end(&self) -> usize {
        self.crossings.first().copied().unwrap_or(self.events.len())
    }

    /// An instruction has been emitted, or the entry: notes which variables are elsewhere now.
    pub(super) fn note(&mut self, places: impl ExactSizeIterator<Item = Place>) {
        self.current.resize(places.len(), Place::NONE);
        let Some(list) = self.places.last_mut() else { return };
        for (var, (place, before)) in (0..).zip(places.zip(&mut self.current)) {
            if place != *before {
                *before = place;
                list.push(Placed { inst: self.inst, var, place });
            }
        }
    }
}
