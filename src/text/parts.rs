//! How the operands of an instruction are written: the one place that parser, printer and usage lines read.
//!
//! Comes in: a row of the opcode table. Goes out: its operands in the order of the text, with the field that each
//! stands in.

use crate::isa::op::{Op, Row, Shape};
use crate::module::Inst;

/// A field of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    D,
    A,
    B,
}

impl Field {
    pub fn of(self, inst: &Inst) -> u32 {
        match self {
            Field::D => inst.d,
            Field::A => inst.a,
            Field::B => inst.b,
        }
    }

    pub fn of_mut(self, inst: &mut Inst) -> &mut u32 {
        match self {
            Field::D => &mut inst.d,
            Field::A => &mut inst.a,
            Field::B => &mut inst.b,
        }
    }
}

/// An operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A register in a field, and the letter that usage lines give it.
    Reg(Field, &'static str),
    /// A constant in `a` and `b`.
    Literal,
    /// An offset in `b`; it may be left out.
    Offset,
    /// An offset in `b` that may be negative; it may be left out.
    SignedOffset,
    /// What has a native address, in `a` and `b`.
    Target,
    /// A global in `b`.
    Global,
    /// A label in `b`.
    Label,
    /// Two registers in a list that `b` names; written as two operands.
    Pair,
    /// Labels in a list that `b` names, and the one behind them; written as two operands.
    Targets,
    /// The results, callee and arguments of a call.
    Call,
    /// The results, table, index, signature and arguments of an indirect call.
    Calli,
    /// The results, address, C signature and arguments of a call.
    Callp,
    /// Any number of registers in a list that `b` names.
    Regs,
    /// The operands of an instruction on tables or segments: what they are, its row in `isa::object` says.
    Object,
    /// The operands of a declared opcode: what they are, the module's list says.
    Custom,
}

/// The operands of the instructions of `row`.
pub fn parts(row: &Row) -> &'static [Part] {
    use Field::{A, B, D};
    use Part::{Call, Calli, Callp, Global, Label, Literal, Offset, Pair, Reg, Regs, SignedOffset, Target, Targets};
    match row.shape {
        Shape::Value if row.args.len() == 1 => &[Reg(D, "d"), Reg(A, "a")],
        Shape::Value => &[Reg(D, "d"), Reg(A, "a"), Reg(B, "b")],
        Shape::Const => &[Reg(D, "d"), Literal],
        Shape::Move => &[Reg(D, "d"), Reg(A, "a")],
        Shape::Select => &[Reg(D, "d"), Reg(A, "c"), Pair],
        Shape::Load => &[Reg(D, "d"), Reg(A, "i"), Offset],
        Shape::Store => &[Reg(D, "s"), Reg(A, "i"), Offset],
        Shape::NativeLoad => &[Reg(D, "d"), Reg(A, "p"), SignedOffset],
        Shape::NativeStore => &[Reg(D, "s"), Reg(A, "p"), SignedOffset],
        Shape::Msize | Shape::Read => &[Reg(D, "d")],
        Shape::Mgrow => &[Reg(D, "d"), Reg(A, "n")],
        Shape::Mcopy => &[Reg(D, "dst"), Reg(A, "src"), Reg(B, "n")],
        Shape::Mfill => &[Reg(D, "dst"), Reg(A, "byte"), Reg(B, "n")],
        Shape::Gget => &[Reg(D, "d"), Global],
        Shape::Gset => &[Global, Reg(A, "a")],
        Shape::Arg => &[Reg(D, "d"), Reg(A, "i")],
        Shape::Jump => &[Label],
        Shape::Branch => &[Reg(A, "c"), Label],
        Shape::Switch => &[Reg(A, "i"), Targets],
        Shape::Object => &[Part::Object],
        Shape::Call | Shape::CallExtern | Shape::CallImport => &[Call],
        Shape::Calli => &[Calli],
        Shape::Callp => &[Callp],
        Shape::Addr => &[Reg(D, "d"), Target],
        Shape::Ret => &[Regs],
        Shape::Print => &[Reg(A, "a")],
        Shape::Halt | Shape::Trap => &[],
        Shape::Custom => &[Part::Custom],
    }
}

/// How many operands the instructions of `row` are written with, least and most.
pub fn count(row: &Row) -> (usize, usize) {
    parts(row).iter().fold((0, 0), |(least, most), part| match part {
        Part::Offset | Part::SignedOffset => (least, most + 1),
        Part::Pair | Part::Targets => (least + 2, most + 2),
        Part::Call => (least + 1, usize::MAX),
        Part::Calli => (least + 3, usize::MAX),
        Part::Callp => (least + 2, usize::MAX),
        Part::Object => {
            let n = row.op.object().map_or(0, |row| usize::from(row.result) + row.names.len() + row.args);
            (least + n, most + n)
        }
        Part::Regs | Part::Custom => (least, usize::MAX),
        Part::Reg(..) | Part::Literal | Part::Global | Part::Target | Part::Label => (least + 1, most + 1),
    })
}

/// How an instruction is written that begins with `word` and belongs to `row`.
pub fn usage(word: &str, row: &Row) -> String {
    let operands: Vec<&str> = parts(row)
        .iter()
        .map(|part| match part {
            Part::Reg(_, name) => name,
            Part::Literal => "42",
            Part::Offset | Part::SignedOffset => "OFFSET",
            Part::Target => "NAME",
            Part::Global => "GLOBAL",
            Part::Label => "LABEL",
            Part::Pair => "a, b",
            Part::Targets => "[LABEL, ...], DEFAULT",
            Part::Call => "FUNCTION, x, ...` or `call d, FUNCTION, x, ...",
            Part::Calli => "d, TABLE, i, (i64, ...) -> i64, x, ...",
            Part::Callp => "d, p, (i64, ...) -> i64, x, ...",
            Part::Regs => "a",
            Part::Custom => "d, a, b",
            Part::Object => object(row.op),
        })
        .collect();
    if operands.is_empty() { format!("`{word}`") } else { format!("`{word} {}`", operands.join(", ")) }
}

/// The operands of an instruction on tables, elements or segments.
fn object(op: Op) -> &'static str {
    match op {
        Op::Tget => "d, TABLE, i",
        Op::Tset => "TABLE, i, x",
        Op::Tsize => "d, TABLE",
        Op::Tgrow => "d, TABLE, x, n",
        Op::Tfill => "TABLE, i, x, n",
        Op::Tcopy => "TABLE, TABLE2, dst, src, n",
        Op::Tinit => "TABLE, ELEM, dst, src, n",
        Op::Edrop => "ELEM",
        Op::Minit => "SEGMENT, dst, src, n",
        Op::Mdrop => "SEGMENT",
        _ => "d, FUNCTION",
    }
}
