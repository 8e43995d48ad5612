//! The snippet library of the running program: the built-in tables, suited to the machine.
//!
//! Comes in: the constants that the build wrote, and the machine's features. Goes out: [`Library`], which the stitcher
//! looks snippets up in. What must hold: a snippet that needs a feature is found only where the machine has it; code is
//! stitched from the stored tables as they are, and only who wants to see contracts in full pays for that.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::isa::op::Op;
use crate::isa::part::Part;
use crate::isa::snippet::{Chunk, FORMS, Features, Info, MAX_REGS, Spread};
use crate::isa::stored::SPREADS;
use crate::isa::table::{Alternative, Custom};
pub use crate::machine::native_features;

mod fusions;
mod lay;
mod tables;

pub use fusions::Fusions;
pub use lay::lay_over;
pub use tables::{Contract, Tables};

/// The tables that the build extracted from `asm/`.
#[allow(clippy::unreadable_literal, clippy::large_stack_arrays, reason = "written by the build, for the compiler only")]
pub mod builtin {
    use crate::isa::fusion::{Feeds, When};
    use crate::isa::op::Op;
    use crate::isa::snippet::{Chunk, Fault, Head, Hole, Kind, Patch, Role, Site, Spread};
    use crate::isa::stored::{Record, Span, StoredOperand};
    use crate::isa::table::{Alternative, Fusion};
    use crate::isa::trap::TrapKind;

    include!(concat!(env!("OUT_DIR"), "/library.rs"));
}

/// A snippet library for one kind of machine.
#[derive(Clone, Debug)]
pub struct Library {
    tables: &'static Tables,
    features: Features,
    forms: Vec<[u16; FORMS]>,
    fusions: Fusions,
}

impl Library {
    /// The built-in snippets that a machine with these features can run.
    #[must_use]
    pub fn with_features(features: Features) -> Library {
        Library::of(Tables::builtin(), features)
    }

    /// The snippets of `tables` that a machine with these features can run.
    #[must_use]
    pub fn of(tables: &'static Tables, features: Features) -> Library {
        let mut forms = vec![[0; FORMS]; tables.keys];
        let mut set = |entry: u16, chunk| forms[usize::from(entry) / FORMS][usize::from(entry) % FORMS] = chunk;
        for &[entry, chunk] in tables.forms {
            set(entry, chunk);
        }
        for alternative in tables.alternatives.iter().filter(|a| features.has(a.needs)) {
            set(alternative.entry, alternative.chunk);
        }
        let fusions = Fusions::new(tables.fusions, &forms);
        Library { tables, features, forms, fusions }
    }

    /// The library for the machine that this program runs on, made once.
    pub fn native() -> &'static Library {
        static NATIVE: OnceLock<Library> = OnceLock::new();
        NATIVE.get_or_init(|| Library::with_features(native_features()))
    }

    /// The library for this machine that does without the features in `left_out`, made once for each such set.
    pub fn native_without(left_out: Features) -> &'static Library {
        Library::kept(Tables::builtin(), left_out)
    }

    /// The library of `tables` for this machine without the features in `left_out`, made once for each of both.
    pub(crate) fn kept(tables: &'static Tables, left_out: Features) -> &'static Library {
        static MADE: Mutex<Vec<&'static Library>> = Mutex::new(Vec::new());
        let features = Features(native_features().0 & !left_out.0);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |library: &&&Library| std::ptr::eq(library.tables, tables) && library.features == features;
        if let Some(known) = made.iter().find(same) {
            return known;
        }
        let new = Box::leak(Box::new(Library::of(tables, features)));
        made.push(new);
        new
    }

    /// What it was made for.
    #[must_use]
    pub fn features(&self) -> Features {
        self.features
    }

    /// What it was made of.
    #[must_use]
    pub fn tables(&self) -> &'static Tables {
        self.tables
    }

    /// The chunks of all snippets.
    #[inline]
    #[must_use]
    pub fn chunks(&self) -> &'static [Chunk] {
        self.tables.chunks
    }

    /// What registers add to a chunk.
    #[must_use]
    pub fn spreads(&self, chunk: u16) -> [&'static Spread; MAX_REGS] {
        let Tables { chunks, spreads, .. } = self.tables;
        chunks[usize::from(chunk)].head.spreads.map(|number| &spreads[usize::from(number) % SPREADS])
    }

    /// The snippet that starts at `chunk` with these registers, and nothing in its value holes.
    #[must_use]
    pub fn bytes(&self, chunk: u16, regs: [u8; MAX_REGS]) -> Vec<u8> {
        let Tables { chunks, spreads, .. } = self.tables;
        let head = chunks[usize::from(chunk)].head;
        let words = chunks[usize::from(chunk)..].iter().take(usize::from(head.chunks()));
        let mut bytes: Vec<u8> = words.flat_map(|chunk| fill(spreads, chunk, regs).to_le_bytes()).collect();
        bytes.truncate(usize::from(head.len));
        bytes
    }

    /// The contract of the snippet that starts at `chunk`, as it is stored.
    #[inline]
    #[must_use]
    pub fn contract(&self, chunk: u16) -> Contract {
        self.tables.contract(chunk)
    }

    /// The contract of the snippet that starts at `chunk`, in full.
    #[must_use]
    pub fn info(&self, chunk: u16) -> &'static Info {
        &self.infos()[usize::from(self.tables.owners[usize::from(chunk)])]
    }

    /// The contracts of all snippets in full, made when they are first asked for.
    #[must_use]
    pub fn infos(&self) -> &'static [Info] {
        self.tables.infos()
    }

    /// How many bytes of the binary the tables of the built-in library take.
    #[must_use]
    pub fn stored_bytes() -> usize {
        Tables::builtin().bytes()
    }

    /// The forms of a key: the first chunk of each snippet, 0 where there is none.
    #[inline]
    #[must_use]
    pub fn forms(&self, key: u16) -> &[u16; FORMS] {
        &self.forms[usize::from(key)]
    }

    /// The forms of all keys.
    #[inline]
    #[must_use]
    pub fn all_forms(&self) -> &[[u16; FORMS]] {
        &self.forms
    }

    /// The key of a part.
    #[inline]
    #[must_use]
    pub fn part_key(part: Part) -> u16 {
        Op::ALL.len() as u16 + part as u16
    }

    /// The snippet of a part that has one form only.
    #[must_use]
    pub fn part(&self, part: Part) -> u16 {
        self.forms(Library::part_key(part)).iter().copied().find(|&chunk| chunk != 0).unwrap_or(0)
    }

    /// The fusions that this machine can run.
    #[inline]
    #[must_use]
    pub fn fusions(&self) -> &Fusions {
        &self.fusions
    }

    /// The declared opcodes.
    #[must_use]
    pub fn customs(&self) -> &'static [Custom] {
        self.tables.customs
    }

    /// What a machine must have for one of the templates of a key.
    #[must_use]
    pub fn needed(&self, key: u16) -> Features {
        let of_key = |alternative: &&Alternative| usize::from(alternative.entry) / FORMS == usize::from(key);
        let fewest = self.tables.alternatives.iter().filter(of_key).min_by_key(|one| one.needs.count_ones());
        Features(fewest.map_or(0, |one| one.needs))
    }

    /// True where the snippet is one that this machine would be given.
    #[must_use]
    pub fn serves(&self, info: &Info) -> bool {
        self.features.has(info.needs)
    }
}

/// The eight bytes of a chunk with registers in them.
#[inline(always)]
#[must_use]
pub fn fill(spreads: &[Spread; SPREADS], chunk: &Chunk, regs: [u8; MAX_REGS]) -> u64 {
    // The number of spreads is a power of two, so that none leads behind the end.
    let term = |operand: usize| {
        let spread = &spreads[usize::from(chunk.head.spreads[operand]) % SPREADS];
        spread.0[usize::from(regs[operand]) % spread.0.len()]
    };
    chunk.base ^ term(0) ^ term(1) ^ term(2)
}
