//! Which fusions there may be where an opcode stands before another.
//!
//! Comes in: the fusions of a library, and the forms that the machine has of them. Goes out: [`Fusions`], which answers
//! by a look into a table. What must hold: a fusion is found only where it has a snippet that takes its operands in
//! registers; of several for the same opcodes, those that ask for more come first.

use crate::isa::fusion::{Fusion, When};
use crate::isa::op::Op;
use crate::isa::snippet::{FORMS, Form, form_index};

/// A part of the list of fusions.
type Part = [u16; 2];

/// The fusions of a library, by their opcodes.
#[derive(Clone, Debug)]
pub struct Fusions {
    /// All of them; those for the same opcodes stand side by side.
    all: Vec<Fusion>,
    /// For each opcode, its number among those that fusions begin with and among those that they end with; 0 where it is
    /// none.
    numbers: Vec<[u16; 2]>,
    /// For each opcode, whether fusions begin and end with it, a bit each: what is asked for every instruction.
    sides: [u8; Op::ALL.len()],
    /// By both numbers.
    pairs: Vec<Part>,
    /// How many numbers there are for the second.
    width: usize,
    /// By the opcode, those that are one instruction with a constant.
    single: Vec<Part>,
}

impl Fusions {
    pub(super) fn new(known: &[Fusion], forms: &[[u16; FORMS]]) -> Fusions {
        let serves = |fusion: &&Fusion| {
            let forms = &forms[usize::from(fusion.key)];
            [Form::Reg, Form::Tied].iter().any(|&a| forms[form_index(false, a, Form::Reg)] != 0)
        };
        let mut all: Vec<Fusion> = known.iter().filter(serves).copied().collect();
        let strictness = |fusion: &Fusion| fusion.when.iter().map(|when: &When| when.strictness()).sum::<u8>();
        all.sort_by_key(|fusion| (fusion.first, fusion.second, std::cmp::Reverse(strictness(fusion))));
        let mut made = Fusions {
            all: Vec::new(),
            numbers: vec![[0; 2]; Op::ALL.len()],
            sides: [0; Op::ALL.len()],
            pairs: Vec::new(),
            width: 0,
            single: vec![[0; 2]; Op::ALL.len()],
        };
        let mut counts = [0u16; 2];
        for fusion in &all {
            let Some(second) = fusion.second else { continue };
            for (side, op) in [fusion.first, second].into_iter().enumerate() {
                made.sides[op as usize] |= 1 << side;
                let number = &mut made.numbers[op as usize][side];
                if *number == 0 {
                    counts[side] += 1;
                    *number = counts[side];
                }
            }
        }
        made.width = usize::from(counts[1]) + 1;
        made.pairs = vec![[0; 2]; (usize::from(counts[0]) + 1) * made.width];
        for (nth, fusion) in (0..).zip(&all) {
            let part = match fusion.second {
                Some(second) => {
                    let [begins, ends] = [made.numbers[fusion.first as usize][0], made.numbers[second as usize][1]];
                    &mut made.pairs[usize::from(begins) * made.width + usize::from(ends)]
                }
                None => &mut made.single[fusion.first as usize],
            };
            *part = if part[1] == 0 { [nth, nth + 1] } else { [part[0], nth + 1] };
        }
        made.all = all;
        made
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Fusion] {
        &self.all
    }

    /// True where some fusion ends with `op`.
    #[inline(always)]
    #[must_use]
    pub fn may_end(&self, op: Op) -> bool {
        self.sides[op as usize] & 2 != 0
    }

    /// True where some fusion begins with `op`.
    #[inline(always)]
    #[must_use]
    pub fn may_begin(&self, op: Op) -> bool {
        self.sides[op as usize] & 1 != 0
    }

    /// The fusions of these two opcodes.
    #[inline]
    #[must_use]
    pub fn of(&self, first: Op, second: Op) -> &[Fusion] {
        let [begins, ends] = [self.numbers[first as usize][0], self.numbers[second as usize][1]];
        self.part(self.pairs[usize::from(begins) * self.width + usize::from(ends)])
    }

    /// The fusions that are one instruction with a constant.
    #[inline]
    #[must_use]
    pub fn with_constant(&self, op: Op) -> &[Fusion] {
        self.part(self.single[op as usize])
    }

    #[inline]
    fn part(&self, [start, end]: Part) -> &[Fusion] {
        &self.all[usize::from(start)..usize::from(end)]
    }
}
