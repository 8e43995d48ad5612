//! What the verifier looks up for each instruction: the opcode's row, boiled down to a few bytes.
//!
//! Comes in: the opcode table. Goes out: [`PLANS`], indexed by opcode number. What must hold: it is made of the rows
//! at compile time, so a new row needs nothing here.

use crate::isa::op::{Class, Op, Shape, Type};

/// What an instruction does to control.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Control {
    /// It goes on behind it.
    Next,
    /// It may go to the label in field `b`.
    Jump,
    /// It goes to a label of its list.
    Switch,
    /// It ends the function.
    End,
}

/// How to verify an opcode.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "a row of a table, not a state")]
pub(super) struct Plan {
    pub(super) shape: Shape,
    /// The class of the register in field `d`, where the row fixes it.
    pub(super) d: Class,
    pub(super) a: Class,
    pub(super) b: Class,
    /// Whether a value row reads field `b`.
    pub(super) two: bool,
    /// Whether the result has its upper half zero.
    pub(super) narrow: bool,
    pub(super) control: Control,
    /// Only the verifier may write it.
    pub(super) settled: bool,
    /// Whether control never goes on behind it.
    pub(super) closes: bool,
}

pub(super) const PLANS: [Plan; Op::ROWS.len()] = {
    let mut plans = [plan(Op::AddI32); Op::ROWS.len()];
    let mut i = 0;
    while i < plans.len() {
        plans[i] = plan(Op::ALL[i]);
        i += 1;
    }
    plans
};

const fn plan(op: Op) -> Plan {
    let row = &Op::ROWS[op as usize];
    let control = match row.shape {
        Shape::Jump | Shape::Branch => Control::Jump,
        Shape::Switch => Control::Switch,
        Shape::Ret | Shape::Halt | Shape::Trap => Control::End,
        _ => Control::Next,
    };
    let (result, narrow) = match row.result {
        Some(ty) => (ty.class(), matches!(ty, Type::I32 | Type::F32)),
        None => (Class::Int, false),
    };
    Plan {
        shape: row.shape,
        d: match row.shape {
            Shape::Store | Shape::NativeStore => arg(row.args, 0),
            Shape::Const => const_type(op).class(),
            _ => result,
        },
        a: if matches!(row.shape, Shape::Store | Shape::NativeStore) { Class::Int } else { arg(row.args, 0) },
        b: arg(row.args, 1),
        two: row.args.len() == 2,
        narrow,
        control,
        settled: op.is_settled(),
        closes: !matches!(control, Control::Next) && !matches!(row.shape, Shape::Branch),
    }
}

const fn arg(args: &[Type], n: usize) -> Class {
    if n < args.len() { args[n].class() } else { Class::Int }
}

/// The type of a `const` opcode.
pub(super) const fn const_type(op: Op) -> Type {
    match op {
        Op::ConstI32 => Type::I32,
        Op::ConstF32 => Type::F32,
        Op::ConstF64 => Type::F64,
        _ => Type::I64,
    }
}
