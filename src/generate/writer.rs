//! How random statements put instructions, labels and lists into a body.
//!
//! Comes in: opcodes and registers. Goes out: the function's fields. What must hold: every list belongs to one
//! instruction, as the verifier wants it.

use crate::isa::op::{Op, Type};
use crate::module::{Function, Inst, Label, Module, Reg, Signature};

use super::Source;

/// A function being written.
pub(super) struct Writer<'w, 's> {
    pub(super) module: &'w Module,
    pub(super) signatures: Vec<Signature>,
    pub(super) code: Function,
    pub(super) s: &'w mut Source<'s>,
    /// The registers that statements choose from, by class.
    pub(super) pools: [Vec<Reg>; 3],
    pub(super) locals: u32,
    /// Statements left to write.
    pub(super) budget: usize,
    /// Where the function returns from.
    pub(super) out: u32,
    /// Labels that may be jumped to and are placed later or were placed at the end of a loop's body.
    pub(super) targets: Vec<u32>,
    /// Labels that are still to be placed somewhere.
    pub(super) pending: Vec<u32>,
}

impl<'w, 's> Writer<'w, 's> {
    pub(super) fn new(
        module: &'w Module,
        signatures: Vec<Signature>,
        code: Function,
        s: &'w mut Source<'s>,
    ) -> Writer<'w, 's> {
        let budget = 8 + if s.one_in(4) { s.below(120) } else { s.below(40) };
        let (pools, targets, pending) = (<[Vec<Reg>; 3]>::default(), Vec::new(), Vec::new());
        Writer { module, signatures, code, s, pools, locals: 0, budget, out: 0, targets, pending }
    }

    pub(super) fn local(&mut self) -> Reg {
        self.locals += 1;
        Reg::local(self.locals)
    }

    pub(super) fn label(&mut self) -> u32 {
        let n = self.code.labels.len();
        self.code.labels.push(Label { name: format!("L{n}"), at: u32::MAX });
        n as u32
    }

    pub(super) fn place(&mut self, label: u32) {
        self.code.labels[label as usize].at = self.code.insts.len() as u32;
    }

    pub(super) fn emit(&mut self, op: Op, d: u32, a: u32, b: u32) {
        self.code.insts.push(Inst { op, d, a, b });
        self.code.lines.push(10 + self.code.insts.len() as u32);
    }

    pub(super) fn regs(&mut self, op: Op, d: Reg, a: Reg, b: Reg) {
        self.emit(op, d.field(), a.field(), b.field());
    }

    pub(super) fn constant(&mut self, d: Reg, ty: Type, bits: u64) {
        let op = match ty {
            Type::I32 | Type::Funcref | Type::Externref => Op::ConstI32,
            Type::I64 => Op::ConstI64,
            Type::F32 => Op::ConstF32,
            Type::F64 => Op::ConstF64,
        };
        let inst = Inst::constant(op, d.field(), bits);
        self.emit(op, inst.d, inst.a, inst.b);
    }

    pub(super) fn list(&mut self, words: impl IntoIterator<Item = u32>) -> u32 {
        let at = self.code.lists.len() as u32;
        self.code.lists.extend(words);
        at
    }
}

pub(super) fn counted(words: &[u32]) -> impl Iterator<Item = u32> {
    std::iter::once(words.len() as u32).chain(words.iter().copied())
}
