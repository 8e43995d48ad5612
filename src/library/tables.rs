//! The tables of a library: what the build wrote, or what was laid over that.
//!
//! Comes in: constants of the binary, or lists that were made while it runs. Goes out: [`Tables`], and the [`Contract`]s in
//! them. What must hold: tables stay where they are for as long as the process runs, because code that is being
//! stitched, listings and engines all refer to them.

use std::sync::OnceLock;

use super::builtin;
use crate::isa::snippet::{Chunk, Hole, Info, Kind, Operand, Site, Spread};
use crate::isa::stored::{Record, SPREADS, Span, Stored, StoredOperand};
use crate::isa::table::{Alternative, Custom, Fusion};

/// The tables of a library. The fields are those of [`Stored`].
#[derive(Debug)]
#[allow(missing_docs, reason = "they are described where they are made")]
pub struct Tables {
    pub chunks: &'static [Chunk],
    pub spreads: &'static [Spread; SPREADS],
    pub owners: &'static [u16],
    pub records: &'static [Record],
    pub operands: &'static [StoredOperand],
    pub operand_lists: &'static [u8],
    pub holes: &'static [Hole],
    pub sites: &'static [Site],
    pub forms: &'static [[u16; 2]],
    pub alternatives: &'static [Alternative],
    pub fusions: &'static [Fusion],
    pub customs: &'static [Custom],
    pub word_starts: &'static [u16],
    pub words: &'static str,
    pub keys: usize,
    infos: OnceLock<Vec<Info>>,
    lists: OnceLock<Vec<Operand>>,
}

static BUILTIN: Tables = Tables {
    chunks: &builtin::CHUNKS,
    spreads: &builtin::SPREADS,
    owners: &builtin::OWNERS,
    records: &builtin::RECORDS,
    operands: &builtin::OPERANDS,
    operand_lists: &builtin::OPERAND_LISTS,
    holes: &builtin::HOLES,
    sites: &builtin::SITES,
    forms: &builtin::FORM_ENTRIES,
    alternatives: &builtin::ALTERNATIVES,
    fusions: &builtin::FUSIONS,
    customs: &[],
    word_starts: &builtin::WORD_STARTS,
    words: builtin::WORDS,
    keys: builtin::KEYS,
    infos: OnceLock::new(),
    lists: OnceLock::new(),
};

impl Tables {
    /// The tables that the build extracted from `asm/`.
    #[inline]
    #[must_use]
    pub fn builtin() -> &'static Tables {
        &BUILTIN
    }

    /// Tables that were made while the program runs. They stay until the process ends.
    #[must_use]
    pub fn leak(stored: Stored) -> &'static Tables {
        fn keep<T>(list: Vec<T>) -> &'static [T] {
            list.leak()
        }
        let mut spreads = [Spread::NONE; SPREADS];
        spreads.iter_mut().zip(&stored.spreads).for_each(|(place, spread)| *place = *spread);
        let starts = (0..=stored.words.len()).map(|n| stored.words[..n].iter().map(|w| w.len() as u16).sum());
        Box::leak(Box::new(Tables {
            chunks: keep(stored.chunks),
            spreads: Box::leak(Box::new(spreads)),
            owners: keep(stored.owners),
            records: keep(stored.records),
            operands: keep(stored.operands),
            operand_lists: keep(stored.operand_lists),
            holes: keep(stored.holes),
            sites: keep(stored.sites),
            forms: keep(stored.forms),
            alternatives: keep(stored.alternatives),
            fusions: keep(stored.fusions),
            customs: keep(stored.customs),
            word_starts: keep(starts.collect()),
            words: stored.words.concat().leak(),
            keys: stored.keys,
            infos: OnceLock::new(),
            lists: OnceLock::new(),
        }))
    }

    /// The same as lists that can be added to.
    #[must_use]
    pub fn stored(&self) -> Stored {
        Stored {
            chunks: self.chunks.to_vec(),
            spreads: self.spreads.to_vec(),
            owners: self.owners.to_vec(),
            records: self.records.to_vec(),
            operands: self.operands.to_vec(),
            operand_lists: self.operand_lists.to_vec(),
            holes: self.holes.to_vec(),
            sites: self.sites.to_vec(),
            words: (0..self.word_starts.len() as u16 - 1).map(|number| self.word(number).to_owned()).collect(),
            forms: self.forms.to_vec(),
            keys: self.keys,
            alternatives: self.alternatives.to_vec(),
            fusions: self.fusions.to_vec(),
            customs: self.customs.to_vec(),
        }
    }

    /// How many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.chunks)
            + size_of_val(self.spreads)
            + size_of_val(self.owners)
            + size_of_val(self.records)
            + size_of_val(self.operands)
            + size_of_val(self.operand_lists)
            + size_of_val(self.holes)
            + size_of_val(self.sites)
            + size_of_val(self.forms)
            + size_of_val(self.alternatives)
            + size_of_val(self.fusions)
            + size_of_val(self.word_starts)
            + self.words.len()
    }

    /// The contract of the snippet that has the chunk `chunk`.
    #[inline]
    #[must_use]
    pub fn contract(&'static self, chunk: u16) -> Contract {
        Contract { tables: self, record: &self.records[usize::from(self.owners[usize::from(chunk)])] }
    }

    /// The contracts of all snippets in full, made when they are first asked for.
    #[must_use]
    pub fn infos(&'static self) -> &'static [Info] {
        let full = |record| Contract { tables: self, record }.info();
        self.infos.get_or_init(|| self.records.iter().map(full).collect())
    }

    /// A list of operands in full.
    fn operand_list(&'static self, list: Span) -> &'static [Operand] {
        let all = || self.operand_lists.iter().map(|&number| self.operand(number)).collect();
        list.of(self.lists.get_or_init(all))
    }

    #[inline]
    fn operand(&'static self, number: u8) -> Operand {
        let stored = &self.operands[usize::from(number)];
        Operand { name: self.word(stored.name), role: stored.role, kind: stored.kind, allowed: stored.allowed }
    }

    /// A name or a file.
    #[inline]
    fn word(&self, number: u16) -> &'static str {
        let at = |more| self.word_starts.get(usize::from(number) + more).copied().unwrap_or(0);
        self.words.get(usize::from(at(0))..usize::from(at(1))).unwrap_or("")
    }
}

/// A contract as it is stored: cheap to get at, for those who need a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    tables: &'static Tables,
    record: &'static Record,
}

impl Contract {
    /// The first chunk of the part out of line; 0 for none.
    #[inline]
    #[must_use]
    pub fn cold(self) -> u16 {
        self.record.cold
    }

    /// The value holes in the order of their offsets.
    #[inline]
    #[must_use]
    pub fn holes(self) -> &'static [Hole] {
        self.record.holes.of(self.tables.holes)
    }

    /// The instructions that may fault.
    #[inline]
    #[must_use]
    pub fn sites(self) -> &'static [Site] {
        self.record.sites.of(self.tables.sites)
    }

    /// What the machine must have.
    #[inline]
    #[must_use]
    pub fn needs(self) -> u16 {
        self.record.needs
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.tables.word(self.record.name)
    }

    #[inline]
    fn numbers(self) -> &'static [u8] {
        self.record.operands.of(self.tables.operand_lists)
    }

    /// The operands in the order of their declaration.
    #[inline]
    pub fn operands(self) -> impl ExactSizeIterator<Item = Operand> {
        self.numbers().iter().map(move |&number| self.tables.operand(number))
    }

    /// The operand whose value goes into a hole of this contract.
    #[inline]
    #[must_use]
    pub fn operand(self, hole: &Hole) -> Operand {
        self.tables.operand(self.numbers()[usize::from(hole.operand)])
    }

    /// True where the register may stand in the operand `a`, for source 0, or `b`, for source 1.
    #[inline(always)]
    #[must_use]
    pub fn allows(self, source: usize, register: u8) -> bool {
        self.record.sources[source] >> (register & 15) & 1 != 0
    }

    /// The kind of the operand whose value goes into a hole of this contract.
    #[inline]
    #[must_use]
    pub fn kind(self, hole: &Hole) -> Kind {
        self.tables.operands[usize::from(self.numbers()[usize::from(hole.operand)])].kind
    }

    /// All of it.
    fn info(self) -> Info {
        let Record { name, file, line, chunk, cold, clobbers, xmm_clobbers, clobbers_flags, needs, .. } = *self.record;
        Info {
            name: self.tables.word(name),
            file: self.tables.word(file),
            line: u32::from(line),
            chunk,
            cold,
            operands: self.tables.operand_list(self.record.operands),
            holes: self.holes(),
            sites: self.sites(),
            clobbers,
            xmm_clobbers,
            clobbers_flags,
            needs,
            fusion: usize::from(self.record.fusion).checked_sub(1).and_then(|nth| self.tables.fusions.get(nth)),
        }
    }
}
