//! Constants and jump tables that stand behind a function's code.
//!
//! Comes in: references from holes. Goes out: bytes, and patched holes. What must hold: equal constants of a function
//! share a place.

use std::collections::HashMap;

use crate::isa::op::Class;
use crate::stitch::code::Code;

/// Up to this many constants are compared one by one before a map is made.
const LINEAR: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Reference {
    at: u32,
    addend: i8,
    entry: u32,
}

/// The literal pool and the jump tables of one function.
#[derive(Debug, Default)]
pub struct Pool {
    literals: Vec<u64>,
    index: HashMap<u64, u32>,
    references: Vec<Reference>,
    tables: Vec<(Reference, u32)>,
    cases: Vec<u32>,
}

impl Pool {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.literals.clear();
        self.index.clear();
        self.references.clear();
        self.tables.clear();
        self.cases.clear();
    }

    /// The hole at `at` refers to a constant. An f32 takes eight bytes as well, the upper four being zero.
    pub fn literal(&mut self, at: u32, addend: i8, bits: u64, _class: Class) {
        let known = if self.literals.len() <= LINEAR {
            self.literals.iter().position(|&other| other == bits).map(|entry| entry as u32)
        } else {
            self.index.get(&bits).copied()
        };
        let entry = known.unwrap_or_else(|| self.add(bits));
        self.references.push(Reference { at, addend, entry });
    }

    fn add(&mut self, bits: u64) -> u32 {
        let entry = self.literals.len() as u32;
        self.literals.push(bits);
        if self.literals.len() == LINEAR + 1 {
            self.index.extend(self.literals.iter().zip(0..).map(|(&bits, entry)| (bits, entry)));
        } else if self.literals.len() > LINEAR {
            self.index.insert(bits, entry);
        }
        entry
    }

    /// The hole at `at` refers to a jump table of these blocks.
    pub fn table(&mut self, at: u32, addend: i8, blocks: &[u32]) {
        let entry = self.cases.len() as u32;
        self.cases.extend_from_slice(blocks);
        self.tables.push((Reference { at, addend, entry }, blocks.len() as u32));
    }

    /// Appends everything to the code and writes the holes; `blocks` gives the place of each block.
    pub fn finish(&mut self, code: &mut Code, blocks: &[u32]) {
        if !self.literals.is_empty() {
            code.align(8);
            let start = code.position();
            self.literals.iter().for_each(|bits| code.data(&bits.to_le_bytes()));
            for reference in &self.references {
                refer(code, reference, start + 8 * reference.entry);
            }
        }
        for (reference, cases) in &self.tables {
            code.align(4);
            let start = code.position();
            for &block in &self.cases[reference.entry as usize..][..*cases as usize] {
                let distance = blocks[block as usize].wrapping_sub(start) as i32;
                code.data(&distance.to_le_bytes());
            }
            refer(code, reference, start);
        }
        self.clear();
    }
}

fn refer(code: &mut Code, reference: &Reference, target: u32) {
    let distance = i64::from(target) + i64::from(reference.addend) - i64::from(reference.at);
    code.write32(reference.at, distance as i32);
}
