//! Two instructions in a row, of which the second reads what the first has made: what stitchers like to make one of.
//!
//! Comes in: a function that is being written. Goes out: two more instructions in it, and constants before them. What must
//! hold: the value in between is read once, or now and then once more, so that what may not be fused is there too.

use crate::isa::op::{Class, Flag, Op, Row, Shape, Type};
use crate::module::Reg;

use super::writer::Writer;

/// Pairs that many programs have; the rest are any.
const USUAL: [(Op, Op); 10] = [
    (Op::ShlI64, Op::AddI64),
    (Op::ShlI32, Op::AddI32),
    (Op::MulI64, Op::AddI64),
    (Op::MulI32, Op::AddI32),
    (Op::NotI64, Op::AndI64),
    (Op::MloadI64, Op::AddI64),
    (Op::MloadI32, Op::SubI32),
    (Op::MloadF64, Op::MulF64),
    (Op::MloadF32, Op::SubF32),
    (Op::MloadI64, Op::MulI64),
];

impl Writer<'_, '_> {
    pub(super) fn chain(&mut self) {
        let computes = |row: &&Row| row.shape == Shape::Value && !row.has(Flag::Traps);
        let (first, second) = if self.s.one_in(4) {
            let rows: Vec<&Row> = Op::ROWS.iter().filter(computes).collect();
            let second = self.s.pick(&rows);
            let class = second.args[0].class();
            let gives = |row: &&&Row| row.result.map(Type::class) == Some(class);
            let rows: Vec<&Row> = rows.iter().filter(gives).copied().collect();
            (self.s.pick(&rows).op, second.op)
        } else {
            self.s.pick(&USUAL)
        };
        let class = second.row().args[0].class();
        // Any register does; one of its own is read nowhere else.
        let between = if self.s.one_in(8) { self.target(class) } else { self.local() };
        if first.row().shape == Shape::Load {
            let (index, offset) = (self.masked(0xfff), self.s.below(300) as u32);
            self.emit(first, between.field(), index.field(), offset);
        } else {
            let [a, b] = self.operands(first.row());
            self.regs(first, between, a, b);
        }
        let other = if self.s.one_in(6) { between } else { self.source(class) };
        let result = second.row().result.map_or(class, Type::class);
        let d = if result == class && self.s.one_in(6) { between } else { self.target(result) };
        let [a, b] = if self.s.one_in(2) { [between, other] } else { [other, between] };
        match second.row().args.len() {
            1 => self.regs(second, d, between, Reg::COUNT),
            _ => self.regs(second, d, a, b),
        }
        if self.s.one_in(12) {
            self.emit(Op::Print, 0, between.field(), 0);
        }
    }

    /// Registers for an instruction; one is a small constant often.
    fn operands(&mut self, row: &Row) -> [Reg; 2] {
        let class = |nth: usize| row.args.get(nth).map_or(Class::Int, |ty| ty.class());
        let a = self.source(class(0));
        if row.args.len() < 2 {
            return [a, Reg::COUNT];
        }
        let b = self.source(class(1));
        if class(1) != Class::Int || self.s.one_in(4) {
            return [a, b];
        }
        let known = self.local();
        let bits = if self.s.one_in(3) { 1 << self.s.below(64) } else { self.s.below(10) as u64 };
        self.constant(known, Type::I64, bits);
        if self.s.one_in(6) { [known, b] } else { [a, known] }
    }
}
