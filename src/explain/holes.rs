//! Which bits of a snippet's bytes are holes.
//!
//! Comes in: chunks and the contract. Goes out: a [`Mark`] for each byte. What must hold: the masks are those of the
//! spreads that the copying loop uses.

use crate::isa::snippet::{Info, MAX_REGS};
use crate::library::Library;

/// What a byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The template alone.
    Fixed,
    /// Register holes: for each register operand, the bits that it decides.
    Register([u8; MAX_REGS]),
    /// A value hole: the operand, by its number in the contract.
    Value(u8),
}

/// The marks of a snippet's bytes, its first prefix included.
#[must_use]
pub fn marks(library: &Library, info: &Info) -> Vec<Mark> {
    let head = library.chunks()[usize::from(info.chunk)].head;
    let mut marks = Vec::with_capacity(usize::from(head.len));
    for chunk in info.chunk..info.chunk + head.chunks() {
        let decided = library.spreads(chunk).map(|spread| spread.mask().to_le_bytes());
        marks.extend((0..8).map(|byte| {
            let bits: [u8; MAX_REGS] = std::array::from_fn(|operand| decided[operand][byte]);
            if bits == [0; MAX_REGS] { Mark::Fixed } else { Mark::Register(bits) }
        }));
    }
    marks.truncate(usize::from(head.len));
    for hole in info.holes {
        let at = usize::from(hole.offset);
        marks[at..at + hole.patch.size()].fill(Mark::Value(hole.operand));
    }
    marks
}

/// The number in [`Info::operands`] of register operand `nth`.
#[must_use]
pub fn register_operand(info: &Info, nth: usize) -> Option<u8> {
    let registers = info.operands.iter().enumerate().filter(|(_, operand)| operand.kind.is_register());
    registers.map(|(number, _)| number as u8).nth(nth)
}

/// The operand that decides most of the bits `within` of a byte, by its number in [`Info::operands`].
#[must_use]
pub fn owner(info: &Info, masks: [u8; MAX_REGS], within: u8) -> Option<u8> {
    let bits = |nth: &usize| (masks[*nth] & within).count_ones();
    let nth = (0..MAX_REGS).filter(|nth| bits(nth) > 0).max_by_key(bits)?;
    register_operand(info, nth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::snippet::Kind;

    #[test]
    fn a_register_changes_the_bits_that_are_marked_and_no_others() {
        let library = Library::native();
        for info in library.infos() {
            let marks = marks(library, info);
            let base = library.bytes(info.chunk, [0; MAX_REGS]);
            let count = info.operands.iter().filter(|operand| operand.kind.is_register()).count();
            for nth in 0..count {
                let mut changed = vec![0u8; base.len()];
                for bit in 0..4 {
                    let mut regs = [0; MAX_REGS];
                    regs[nth] = 1 << bit;
                    let bytes = library.bytes(info.chunk, regs);
                    changed.iter_mut().zip(base.iter().zip(&bytes)).for_each(|(bits, (a, b))| *bits |= a ^ b);
                }
                let marked: Vec<u8> =
                    marks.iter().map(|mark| if let Mark::Register(masks) = mark { masks[nth] } else { 0 }).collect();
                assert_eq!(marked, changed, "{} line {}", info.file, info.line);
            }
            let values = marks.iter().filter(|mark| matches!(mark, Mark::Value(_))).count();
            assert_eq!(values, info.holes.iter().map(|hole| hole.patch.size()).sum::<usize>());
            assert!(info.holes.iter().all(|hole| info.operands[usize::from(hole.operand)].kind != Kind::Gp));
        }
    }
}
