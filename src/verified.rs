//! What a verified module looks like: the form that the interpreter and the stitcher read.
//!
//! Comes in: only from [`verify`](crate::verify::verify). Goes out: settled opcodes, dense variable numbers, blocks
//! instead of labels, and the facts about variables that placement starts from. What must hold, for everyone who
//! reads it without checking: every variable, block, function, extern, data, global, table, signature and list index is
//! in range; every instruction's operands have the classes its row wants; control cannot run past the last instruction.

use std::sync::Arc;

use crate::isa::op::Class;
use crate::module::{Inst, Module, Signature};

/// A module that the verifier accepted.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(crate) module: Arc<Module>,
    pub(crate) functions: Vec<Body>,
    /// For each function, the index of the first function with an equal signature: what `calli` compares.
    pub(crate) signature_ids: Vec<u32>,
    /// For each of the module's signatures, the same number; `u32::MAX` where no function has that signature.
    pub(crate) calli_ids: Vec<u32>,
}

impl Verified {
    /// The module as it was handed to the verifier.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The verified body of function `index`.
    ///
    /// # Panics
    /// If there is no such function.
    #[must_use]
    pub fn body(&self, index: u32) -> &Body {
        &self.functions[index as usize]
    }
}

/// The verified body of one function.
///
/// Variables are numbered densely: parameter `k` (from 0), then `r0`, then `r1`, `r2`, ….
#[derive(Clone, Debug)]
pub struct Body {
    /// What the function takes and gives.
    pub signature: Signature,
    /// Settled instructions: register fields hold variable numbers, label fields block numbers.
    pub insts: Vec<Inst>,
    /// The pool that lists of operands stand in, with the same numbers.
    pub lists: Vec<u32>,
    /// The variables.
    pub vars: Vec<Var>,
    /// The basic blocks in the order of the text. The first starts at instruction 0; each next one starts where the
    /// one before it ends; the last ends with the body.
    pub blocks: Vec<Block>,
    /// Whether it has an `arg` instruction: only then do its arguments have to be kept as they were passed.
    pub has_arg: bool,
}

impl Body {
    /// The number of the variable `r0`; the parameters are the variables before it.
    #[must_use]
    pub fn count_var(&self) -> u32 {
        self.signature.params.len() as u32
    }

    /// The name of variable `var` as the text writes it.
    #[must_use]
    pub fn var_name(&self, var: u32) -> String {
        let params = self.count_var();
        if var < params { format!("a{}", var + 1) } else { format!("r{}", var - params) }
    }

    /// The instructions of block `index`.
    #[must_use]
    pub fn block_range(&self, index: usize) -> std::ops::Range<usize> {
        let start = self.blocks[index].start as usize;
        let end = self.blocks.get(index + 1).map_or(self.insts.len(), |next| next.start as usize);
        start..end
    }
}

/// A basic block: control enters only at its start and leaves only at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The index of its first instruction.
    pub start: u32,
    /// How many loops it stands in: how many backward jumps span it (those to one target count once).
    pub depth: u32,
    /// The smallest number of a block whose last instruction jumps here; `u32::MAX` if none does.
    pub first_source: u32,
    /// The largest number of a block whose last instruction jumps here; 0 if none does. If one does and it is not
    /// less than this block's own number, the block heads a loop that reaches that far.
    pub last_source: u32,
}

/// What is known of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    /// The class of its register.
    pub class: Class,
    /// Facts, see the methods.
    pub flags: u8,
    /// The first instruction that writes it; `u32::MAX` if none does.
    pub first_write: u32,
}

impl Var {
    /// Some block may read it before writing it, the first one included: its value crosses from one block to another
    /// or from the entry into the first. Without this, every value it gets is used up in the block that computes it.
    pub const CROSSES: u8 = 1;
    /// Every value it can have, its initial one included, has its upper 32 bits zero.
    pub const NARROW: u8 = 2;
    /// It has the value of the `const` at `first_write` wherever it is read: that is the only instruction that
    /// writes it, stands in the first block, and nothing reads it before.
    pub const CONSTANT: u8 = 4;
    /// It is read somewhere.
    pub const READ: u8 = 8;

    /// True where all facts of `mask` hold.
    #[inline]
    #[must_use]
    pub const fn has(&self, mask: u8) -> bool {
        self.flags & mask == mask
    }
}
