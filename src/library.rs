//! The snippet library of the running program: the built-in tables, suited to the machine.
//!
//! Comes in: the constants that the build wrote, and the machine's features. Goes out: [`Library`], which the stitcher
//! looks snippets up in. What must hold: a snippet that needs a feature is found only where the machine has it; code is
//! stitched from the stored tables as they are, and only who wants to see contracts in full pays for that.

use std::sync::OnceLock;

use crate::isa::op::Op;
use crate::isa::part::Part;
use crate::isa::snippet::{Chunk, FORMS, Features, Hole, Info, Kind, MAX_REGS, Operand, Site, Spread};
use crate::isa::stored::{Record, Span};
pub use crate::machine::native_features;

/// The tables that the build extracted from `asm/`.
#[allow(clippy::unreadable_literal, clippy::large_stack_arrays, reason = "written by the build, for the compiler only")]
pub mod builtin {
    use crate::isa::op::Op;
    use crate::isa::snippet::{Chunk, Fault, Head, Hole, Kind, Patch, Role, Site, Spread};
    use crate::isa::stored::{Record, Span, StoredOperand};
    use crate::isa::table::Alternative;
    use crate::isa::trap::TrapKind;

    /// A fusion: a snippet that stands for two instructions of which the second uses up the result of the first.
    #[derive(Clone, Copy, Debug)]
    pub struct Fusion {
        /// The first opcode.
        pub first: Op,
        /// The second opcode.
        pub second: Op,
        /// The key under which its snippets are found.
        pub key: u16,
    }

    include!(concat!(env!("OUT_DIR"), "/library.rs"));
}

/// A snippet library for one kind of machine.
#[derive(Clone, Debug)]
pub struct Library {
    features: Features,
    forms: Vec<[u16; FORMS]>,
    fused: Vec<[u16; 2]>,
}

impl Library {
    /// The built-in snippets that a machine with these features can run.
    #[must_use]
    pub fn with_features(features: Features) -> Library {
        let mut forms = vec![[0; FORMS]; builtin::KEYS];
        let mut set = |entry: u16, chunk| forms[usize::from(entry) / FORMS][usize::from(entry) % FORMS] = chunk;
        for &[entry, chunk] in &builtin::FORM_ENTRIES {
            set(entry, chunk);
        }
        for alternative in builtin::ALTERNATIVES.iter().filter(|a| features.has(a.needs)) {
            set(alternative.entry, alternative.chunk);
        }
        let mut fused = vec![[0; 2]; Op::ALL.len()];
        for fusion in &builtin::FUSIONS {
            fused[fusion.first as usize][usize::from(fusion.second == Op::Jmpf)] = fusion.key;
        }
        Library { features, forms, fused }
    }

    /// The library for the machine that this program runs on, made once.
    pub fn native() -> &'static Library {
        static NATIVE: OnceLock<Library> = OnceLock::new();
        NATIVE.get_or_init(|| Library::with_features(native_features()))
    }

    /// The library for this machine that does without the features in `left_out`, made once for each such set.
    pub fn native_without(left_out: Features) -> &'static Library {
        const SETS: usize = 1 << Features::ALL.len();
        static LIBRARIES: [OnceLock<Library>; SETS] = [const { OnceLock::new() }; SETS];
        let features = Features(native_features().0 & !left_out.0);
        LIBRARIES[usize::from(features.0) % SETS].get_or_init(|| Library::with_features(features))
    }

    /// What it was made for.
    #[must_use]
    pub fn features(&self) -> Features {
        self.features
    }

    /// The chunks of all snippets.
    #[inline]
    #[must_use]
    pub fn chunks(&self) -> &'static [Chunk] {
        &builtin::CHUNKS
    }

    /// What registers add to a chunk.
    #[must_use]
    pub fn spreads(&self, chunk: u16) -> [&'static Spread; MAX_REGS] {
        builtin::CHUNKS[usize::from(chunk)].head.spreads.map(|number| &builtin::SPREADS[usize::from(number)])
    }

    /// The snippet that starts at `chunk` with these registers, and nothing in its value holes.
    #[must_use]
    pub fn bytes(&self, chunk: u16, regs: [u8; MAX_REGS]) -> Vec<u8> {
        let head = builtin::CHUNKS[usize::from(chunk)].head;
        let words = builtin::CHUNKS[usize::from(chunk)..].iter().take(usize::from(head.chunks()));
        let mut bytes: Vec<u8> = words.flat_map(|chunk| fill(chunk, regs).to_le_bytes()).collect();
        bytes.truncate(usize::from(head.len));
        bytes
    }

    /// The contract of the snippet that starts at `chunk`, as it is stored.
    #[inline]
    #[must_use]
    pub fn contract(&self, chunk: u16) -> Contract {
        Contract(&builtin::RECORDS[usize::from(builtin::OWNERS[usize::from(chunk)])])
    }

    /// The contract of the snippet that starts at `chunk`, in full.
    #[must_use]
    pub fn info(&self, chunk: u16) -> &'static Info {
        &self.infos()[usize::from(builtin::OWNERS[usize::from(chunk)])]
    }

    /// The contracts of all snippets in full, made when they are first asked for.
    #[must_use]
    pub fn infos(&self) -> &'static [Info] {
        static INFOS: OnceLock<Vec<Info>> = OnceLock::new();
        INFOS.get_or_init(|| builtin::RECORDS.iter().map(|record| Contract(record).info()).collect())
    }

    /// How many bytes of the binary the tables of the built-in library take.
    #[must_use]
    pub const fn stored_bytes() -> usize {
        use builtin::{ALTERNATIVES, CHUNKS, FORM_ENTRIES, FUSIONS, HOLES, OPERAND_LISTS, OPERANDS};
        use builtin::{OWNERS, RECORDS, SITES, SPREADS, WORD_STARTS, WORDS};
        size_of_val(&CHUNKS)
            + size_of_val(&SPREADS)
            + size_of_val(&OWNERS)
            + size_of_val(&RECORDS)
            + size_of_val(&OPERANDS)
            + size_of_val(&OPERAND_LISTS)
            + size_of_val(&HOLES)
            + size_of_val(&SITES)
            + size_of_val(&FORM_ENTRIES)
            + size_of_val(&ALTERNATIVES)
            + size_of_val(&FUSIONS)
            + size_of_val(&WORD_STARTS)
            + WORDS.len()
    }

    /// The forms of a key: the first chunk of each snippet, 0 where there is none.
    #[inline]
    #[must_use]
    pub fn forms(&self, key: u16) -> &[u16; FORMS] {
        &self.forms[usize::from(key)]
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

    /// The key of the snippets that fuse `first` with the branch `second` on its result; 0 where there are none.
    #[inline]
    #[must_use]
    pub fn fusion(&self, first: Op, second: Op) -> u16 {
        self.fused[first as usize][usize::from(second == Op::Jmpf)]
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
pub fn fill(chunk: &Chunk, regs: [u8; MAX_REGS]) -> u64 {
    // The number of spreads is a power of two, so that none leads behind the end.
    let term = |operand: usize| {
        let spread = &builtin::SPREADS[usize::from(chunk.head.spreads[operand]) % builtin::SPREADS.len()];
        spread.0[usize::from(regs[operand]) % spread.0.len()]
    };
    chunk.base ^ term(0) ^ term(1) ^ term(2)
}

/// A contract as it is stored: cheap to get at, for those who need a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Contract(&'static Record);

impl Contract {
    /// The first chunk of the part out of line; 0 for none.
    #[inline]
    #[must_use]
    pub fn cold(self) -> u16 {
        self.0.cold
    }

    /// The value holes in the order of their offsets.
    #[inline]
    #[must_use]
    pub fn holes(self) -> &'static [Hole] {
        self.0.holes.of(&builtin::HOLES)
    }

    /// The instructions that may fault.
    #[inline]
    #[must_use]
    pub fn sites(self) -> &'static [Site] {
        self.0.sites.of(&builtin::SITES)
    }

    /// The operands in the order of their declaration.
    #[inline]
    pub fn operands(self) -> impl ExactSizeIterator<Item = Operand> {
        self.0.operands.of(&builtin::OPERAND_LISTS).iter().map(|&number| operand(number))
    }

    /// The operand whose value goes into a hole of this contract.
    #[inline]
    #[must_use]
    pub fn operand(self, hole: &Hole) -> Operand {
        operand(self.0.operands.of(&builtin::OPERAND_LISTS)[usize::from(hole.operand)])
    }

    /// True where the register may stand in the operand `a`, for source 0, or `b`, for source 1.
    #[inline(always)]
    #[must_use]
    pub fn allows(self, source: usize, register: u8) -> bool {
        self.0.sources[source] >> (register & 15) & 1 != 0
    }

    /// The kind of the operand whose value goes into a hole of this contract.
    #[inline]
    #[must_use]
    pub fn kind(self, hole: &Hole) -> Kind {
        let number = self.0.operands.of(&builtin::OPERAND_LISTS)[usize::from(hole.operand)];
        builtin::OPERANDS[usize::from(number)].kind
    }

    /// All of it.
    fn info(self) -> Info {
        let Record { name, file, line, chunk, cold, clobbers, xmm_clobbers, clobbers_flags, needs, .. } = *self.0;
        Info {
            name: word(name),
            file: word(file),
            line: u32::from(line),
            chunk,
            cold,
            operands: operand_list(self.0.operands),
            holes: self.holes(),
            sites: self.sites(),
            clobbers,
            xmm_clobbers,
            clobbers_flags,
            needs,
        }
    }
}

/// A list of operands in full.
fn operand_list(list: Span) -> &'static [Operand] {
    static OPERANDS: OnceLock<Vec<Operand>> = OnceLock::new();
    let all = || builtin::OPERAND_LISTS.iter().map(|&number| operand(number)).collect();
    list.of(OPERANDS.get_or_init(all))
}

#[inline]
fn operand(number: u8) -> Operand {
    let stored = builtin::OPERANDS[usize::from(number)];
    Operand { name: word(stored.name), role: stored.role, kind: stored.kind, allowed: stored.allowed }
}

/// A name or a file.
#[inline]
fn word(number: u16) -> &'static str {
    let [start, end] = [0, 1].map(|more| builtin::WORD_STARTS.get(usize::from(number) + more).copied().unwrap_or(0));
    builtin::WORDS.get(usize::from(start)..usize::from(end)).unwrap_or("")
}
