//! Where basic blocks start, and which loops they stand in.
//!
//! Comes in: an unchecked function. Goes out: its blocks, and the block number of an instruction that a jump names.
//! What must hold: time and space are linear in the instructions and lists, whatever the fields hold.

use crate::module::Function;
use crate::verified::Block;

use super::plan::{Control, PLANS};

/// A set of instruction indexes with constant-time rank.
#[derive(Debug, Default)]
pub(super) struct Starts {
    bits: Vec<u64>,
    /// How many bits are set in the words before this one.
    before: Vec<u32>,
}

impl Starts {
    /// Finds the block starts of `function`, whose instructions must number less than `u32::MAX`.
    ///
    /// Wrong labels and lists are passed over: the pass over operands reports them.
    pub(super) fn find(&mut self, function: &Function) -> Vec<Block> {
        let n = function.insts.len();
        self.bits.clear();
        self.bits.resize(n / 64 + 1, 0);
        self.mark(0);
        let mut budget = function.lists.len();
        for (i, inst) in function.insts.iter().enumerate() {
            match PLANS[inst.op as usize].control {
                Control::Next => continue,
                Control::Jump => self.mark_label(function, inst.b),
                Control::Switch => self.mark_switch(function, inst.b as usize, &mut budget),
                Control::End => {}
            }
            self.mark(i + 1);
        }
        self.blocks(n)
    }

    fn mark(&mut self, i: usize) {
        self.bits[i / 64] |= 1 << (i % 64);
    }

    fn mark_label(&mut self, function: &Function, label: u32) {
        if let Some(label) = function.labels.get(label as usize)
            && (label.at as usize) < function.insts.len()
        {
            self.mark(label.at as usize);
        }
    }

    /// `budget` keeps lists that overlap from costing more than the pool is long.
    fn mark_switch(&mut self, function: &Function, list: usize, budget: &mut usize) {
        let Some((&n, rest)) = function.lists.get(list..).and_then(|l| l.split_first()) else { return };
        let wanted = n as usize + 1;
        if wanted > rest.len() || wanted > *budget {
            return;
        }
        *budget -= wanted;
        for &label in &rest[..wanted] {
            self.mark_label(function, label);
        }
    }

    fn blocks(&mut self, n: usize) -> Vec<Block> {
        // The instruction after the last one is marked if the last one ends a block, but starts none.
        self.bits[n / 64] &= (1 << (n % 64)) - 1;
        self.before.clear();
        let mut count = 0;
        for word in &self.bits {
            self.before.push(count);
            count += word.count_ones();
        }
        let mut blocks = Vec::with_capacity(count as usize);
        for (w, &word) in self.bits.iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let start = w as u32 * 64 + word.trailing_zeros();
                blocks.push(Block { start, depth: 0, first_source: u32::MAX, last_source: 0 });
                word &= word - 1;
            }
        }
        blocks
    }

    /// The number of the block that starts at instruction `at`.
    #[inline]
    pub(super) fn block_at(&self, at: u32) -> u32 {
        let word = at as usize / 64;
        let below = self.bits[word] & ((1 << (at % 64)) - 1);
        self.before[word] + below.count_ones()
    }
}

/// Counts for each block the loops that it stands in.
pub(super) fn count_loops(blocks: &mut [Block]) {
    let heads = |blocks: &[Block]| blocks.iter().enumerate().any(|(h, b)| is_head(h, b));
    if !heads(blocks) {
        return;
    }
    let mut ends = vec![0u32; blocks.len()];
    let mut depth = 0;
    for h in 0..blocks.len() {
        if is_head(h, &blocks[h]) {
            depth += 1;
            ends[blocks[h].last_source as usize] += 1;
        }
        blocks[h].depth = depth;
        depth -= ends[h];
    }
}

fn is_head(number: usize, block: &Block) -> bool {
    block.first_source != u32::MAX && block.last_source as usize >= number
}
