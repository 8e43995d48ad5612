//! How an engine works: tiers, sizes, and what it does without.
//!
//! Comes in: what an embedder wants. Goes out: [`Config`]. What must hold: nothing here changes what programs mean.

#[cfg(feature = "elf")]
use super::Observers;
use super::{ArenaSize, DEFAULT_STACK, Entries, Features, Snippets};

/// How programs are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tier {
    /// What is best for most programs: at present [`Tier::Baseline`].
    #[default]
    Auto,
    /// By the interpreter: at once, and slowly.
    Interp,
    /// By machine code, stitched in one pass.
    Baseline,
}

/// How an engine works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How programs are run.
    pub tier: Tier,
    /// Bytes of stack for a call and all calls within it. The interpreter has a limit of its own.
    pub stack_size: usize,
    /// Room for code and data of all instances that there are at a time.
    pub arena: ArenaSize,
    /// What the machine has and code is to do without.
    pub left_out: Features,
    /// Templates that are laid over the built-in ones. They are machine code: whoever gives them answers for what they do,
    /// and for what programs do with the opcodes that they declare.
    pub snippets: Option<Snippets>,
    /// How many threads make WebAssembly ready; 0 for as many as the process may run at once.
    pub threads: usize,
    /// Which functions C can call: those whose address a program takes, or all.
    pub entries: Entries,
    /// Which tools outside of the process are told of machine code.
    #[cfg(feature = "elf")]
    pub observers: Observers,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            tier: Tier::default(),
            stack_size: DEFAULT_STACK,
            arena: ArenaSize::default(),
            left_out: Features(0),
            snippets: None,
            threads: 0,
            entries: Entries::default(),
            #[cfg(feature = "elf")]
            observers: Observers::default(),
        }
    }
}
