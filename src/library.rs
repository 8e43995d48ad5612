//! The snippet library of the running program: the built-in tables, suited to the machine.
//!
//! Comes in: the constants that the build wrote, and the machine's features. Goes out: [`Library`], which the stitcher
//! looks snippets up in. What must hold: a snippet that needs a feature is found only where the machine has it.

use std::sync::OnceLock;

use crate::isa::op::Op;
use crate::isa::part::Part;
use crate::isa::snippet::{Chunk, FORMS, Features, Info};

/// The tables that the build extracted from `asm/`.
#[allow(clippy::unreadable_literal, clippy::large_stack_arrays, reason = "written by the build, for the compiler only")]
pub mod builtin {
    use crate::isa::op::Op;
    use crate::isa::snippet::{Chunk, Fault, Head, Hole, Info, Kind, Operand, Patch, Role, Site};
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
        let mut forms = builtin::FORM_TABLE.as_chunks::<FORMS>().0.to_vec();
        for alternative in builtin::ALTERNATIVES.iter().filter(|a| features.has(a.needs)) {
            let entry = usize::from(alternative.entry);
            forms[entry / FORMS][entry % FORMS] = alternative.chunk;
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

    /// The contract of the snippet that starts at `chunk`.
    #[inline]
    #[must_use]
    pub fn info(&self, chunk: u16) -> &'static Info {
        &builtin::INFOS[usize::from(builtin::CHUNKS[usize::from(chunk)].head.info)]
    }

    /// The contracts of all snippets.
    #[must_use]
    pub fn infos(&self) -> &'static [Info] {
        &builtin::INFOS
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

/// The features of the machine that this program runs on.
#[must_use]
pub fn native_features() -> Features {
    let has = [
        std::arch::is_x86_feature_detected!("bmi1"),
        std::arch::is_x86_feature_detected!("bmi2"),
        std::arch::is_x86_feature_detected!("lzcnt"),
        std::arch::is_x86_feature_detected!("popcnt"),
        std::arch::is_x86_feature_detected!("sse4.1"),
        std::arch::is_x86_feature_detected!("avx"),
    ];
    Features(has.iter().zip(Features::ALL).map(|(&has, (_, bit))| if has { bit } else { 0 }).sum())
}
