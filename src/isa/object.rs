//! What the instructions on tables, elements and segments take, one row each.
//!
//! Comes in: an opcode of the shape [`Object`](super::shape::Shape::Object). Goes out: its [`ObjectOp`]. What must hold: the
//! helpers of every tier take exactly these arguments, in this order.

use super::op::{Op, Type};

/// Something that an instruction names beside registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A growing table, by its index.
    Table,
    /// An `elem` item, by its index.
    Elements,
    /// A `segment` item, by its index.
    Segment,
    /// A function or an import: a target's two fields.
    Function,
}

/// What an instruction takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectOp {
    /// What it names, in the order of the text.
    pub names: &'static [Named],
    /// How many int registers it reads: 3 at most. References and numbers alike are taken by their low 32 bits.
    pub args: usize,
    /// Whether it writes an int register, whose upper half is then zero.
    pub result: bool,
    /// Which of the arguments, if any, is a reference of the first table's type.
    pub reference: Option<usize>,
    /// Whether the result is a reference: of the first table's type, or for `ref` a [`Type::Funcref`].
    pub gives_reference: bool,
}

impl Op {
    /// What an opcode of the shape `Object` takes and gives.
    #[must_use]
    pub const fn object(self) -> Option<ObjectOp> {
        use Named::{Elements, Function, Segment, Table};
        let (names, args, result): (&'static [Named], usize, bool) = match self {
            Op::Tget => (&[Table], 1, true),
            Op::Tset => (&[Table], 2, false),
            Op::Tsize => (&[Table], 0, true),
            Op::Tgrow => (&[Table], 2, true),
            Op::Tfill => (&[Table], 3, false),
            Op::Tcopy => (&[Table, Table], 3, false),
            Op::Tinit => (&[Table, Elements], 3, false),
            Op::Edrop => (&[Elements], 0, false),
            Op::Minit => (&[Segment], 3, false),
            Op::Mdrop => (&[Segment], 0, false),
            Op::Ref => (&[Function], 0, true),
            _ => return None,
        };
        let reference = match self {
            Op::Tset | Op::Tfill => Some(1),
            Op::Tgrow => Some(0),
            _ => None,
        };
        let gives_reference = matches!(self, Op::Tget | Op::Ref);
        Some(ObjectOp { names, args, result, reference, gives_reference })
    }
}

impl ObjectOp {
    /// The type of an argument.
    #[must_use]
    pub fn arg(&self, nth: usize, table: Type) -> Type {
        if self.reference == Some(nth) { table } else { Type::I32 }
    }
}
