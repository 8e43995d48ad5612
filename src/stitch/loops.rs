//! The loops of a function, as far as placement needs them.
//!
//! Comes in: blocks with the jumps that reach them. Goes out: for a variable that is seen in some blocks, in which
//! stretch of the text its value may have to be kept. What must hold: an answer may be too long, never too short.
//!
//! A backward jump from block `s` to block `h` makes a loop of all blocks from `h` to `s`. Loops that overlap without
//! nesting are widened until they nest, so that each block has one chain of loops around it.

use crate::verified::Block;

const NONE: u32 = u32::MAX;

/// Loops in each other that are looked at. In a function that has more, which nobody writes, every value is kept
/// everywhere: the time that loops take must not grow with the square of their number.
const DEEPEST: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Loop {
    head: u32,
    last: u32,
    parent: u32,
}

/// The loops around each block, and the forward jumps over it.
#[derive(Debug, Default)]
pub struct Loops {
    all: Vec<Loop>,
    innermost: Vec<u32>,
    /// For each block, the nearest later block that a jump from before it reaches.
    jumped_to: Vec<u32>,
    stack: Vec<u32>,
    /// The last block of a function with too many loops in each other.
    too_deep: Option<u32>,
}

impl Loops {
    /// Finds the loops of a function.
    pub fn find(&mut self, blocks: &[Block]) {
        self.all.clear();
        self.innermost.clear();
        self.stack.clear();
        self.too_deep = None;
        for (index, block) in blocks.iter().enumerate() {
            let index = index as u32;
            while self.stack.last().is_some_and(|&top| self.all[top as usize].last < index) {
                self.stack.pop();
            }
            if block.last_source >= index && block.first_source != NONE {
                self.open(index, block.last_source);
            }
            if self.stack.len() > DEEPEST {
                self.too_deep = Some(blocks.len() as u32 - 1);
                return;
            }
            self.innermost.push(self.stack.last().copied().unwrap_or(NONE));
        }
        self.find_jumps(blocks);
    }

    fn open(&mut self, head: u32, last: u32) {
        for &outer in &self.stack {
            let outer = &mut self.all[outer as usize];
            outer.last = outer.last.max(last);
        }
        let parent = self.stack.last().copied().unwrap_or(NONE);
        self.stack.push(self.all.len() as u32);
        self.all.push(Loop { head, last, parent });
    }

    /// Right to left, keeping the later blocks that a jump from before the present one may reach, nearest on top: a
    /// farther block matters only if it is reached from further up, and one whose first source is no longer before
    /// us never matters again.
    fn find_jumps(&mut self, blocks: &[Block]) {
        self.stack.clear();
        self.jumped_to.clear();
        self.jumped_to.resize(blocks.len(), NONE);
        for index in (0..blocks.len()).rev() {
            let reached = |&top: &u32| blocks[top as usize].first_source;
            while self.stack.last().is_some_and(|top| reached(top) >= index as u32) {
                self.stack.pop();
            }
            self.jumped_to[index] = self.stack.last().copied().unwrap_or(NONE);
            while self.stack.last().is_some_and(|top| reached(top) >= blocks[index].first_source) {
                self.stack.pop();
            }
            self.stack.push(index as u32);
        }
    }

    /// True where every way from the function's entry to the blocks after `first`, up to `last`, leads through
    /// block `first`.
    #[inline]
    pub fn dominates(&self, first: u32, last: u32) -> bool {
        self.too_deep.is_none() && self.jumped_to[first as usize] > last
    }

    /// A value is made in block `first` (or, for `None`, before all blocks) and last seen in block `last`: the block
    /// at whose end it may still be needed because a loop leads back to it; `None` where no loop does.
    #[inline]
    pub fn kept_until(&self, first: Option<u32>, last: u32) -> Option<u32> {
        if self.too_deep.is_some() {
            return self.too_deep;
        }
        let mut until = None;
        let mut around = self.innermost[last as usize];
        while around != NONE {
            let inner = &self.all[around as usize];
            if first.is_some_and(|first| inner.head <= first) {
                break;
            }
            until = Some(inner.last);
            around = inner.parent;
        }
        until
    }
}
