//! Which variables an instruction reads and writes.
//!
//! Comes in: verified instructions. Goes out: the same answers for everyone who asks. What must hold: uses are
//! reported before definitions, each in the order of the text.

use crate::isa::op::{Op, Row, Shape};
use crate::module::Inst;

/// The shape of every opcode, and how many operands a `Value` instruction reads, packed for the passes that look at
/// every instruction.
const SHAPES: [(Shape, u8); Op::ALL.len()] = {
    let mut shapes = [(Shape::Trap, 0); Op::ALL.len()];
    let mut i = 0;
    while i < shapes.len() {
        let row: &Row = &Op::ROWS[i];
        shapes[i] = (row.shape, row.args.len() as u8);
        i += 1;
    }
    shapes
};

/// The shape of `op`.
#[inline(always)]
pub fn shape(op: Op) -> Shape {
    SHAPES[op as usize].0
}

/// How many registers a `Value` instruction reads.
#[inline(always)]
pub fn arity(op: Op) -> u8 {
    SHAPES[op as usize].1
}

/// The operands of a call, read from its list.
#[derive(Clone, Copy, Debug)]
pub struct CallOperands<'a> {
    /// The variables that take the results.
    pub results: &'a [u32],
    /// The variables that are passed.
    pub args: &'a [u32],
}

/// Reads `[nresults, d…, nargs, x…]` from `lists`.
pub fn call_operands(lists: &[u32], at: usize) -> CallOperands<'_> {
    let results = &lists[at + 1..][..lists[at] as usize];
    let rest = at + 1 + results.len();
    CallOperands { results, args: &lists[rest + 1..][..lists[rest] as usize] }
}

/// The operands of the call instruction `inst`, `call` or `calli`.
pub fn operands_of_call<'a>(inst: &Inst, lists: &'a [u32]) -> CallOperands<'a> {
    call_operands(lists, inst.b as usize + usize::from(inst.op == Op::Calli))
}

/// The operands of a `ret`.
pub fn returned<'a>(inst: &Inst, lists: &'a [u32]) -> &'a [u32] {
    &lists[inst.b as usize + 1..][..lists[inst.b as usize] as usize]
}

/// The blocks of a `switch`, the default last.
pub fn switch_targets<'a>(inst: &Inst, lists: &'a [u32]) -> &'a [u32] {
    &lists[inst.b as usize + 1..][..=lists[inst.b as usize] as usize]
}

/// True for instructions that leave the function's code and come back: volatile registers do not survive them.
#[inline(always)]
pub fn is_call(op: Op) -> bool {
    matches!(
        shape(op),
        Shape::Call | Shape::Calli | Shape::Print | Shape::Read | Shape::Mgrow | Shape::Mcopy | Shape::Mfill
    )
}

/// Hands each variable that `inst` reads to `on_use`, then each that it writes to `on_def`.
#[inline(always)]
pub fn visit<S>(
    state: &mut S,
    inst: &Inst,
    lists: &[u32],
    mut on_use: impl FnMut(&mut S, u32),
    mut on_def: impl FnMut(&mut S, u32),
) {
    match shape(inst.op) {
        Shape::Value => {
            on_use(state, inst.a);
            if arity(inst.op) == 2 {
                on_use(state, inst.b);
            }
            on_def(state, inst.d);
        }
        Shape::Const | Shape::Msize | Shape::Gget | Shape::Read => on_def(state, inst.d),
        Shape::Move | Shape::Load | Shape::Mgrow | Shape::Arg => {
            on_use(state, inst.a);
            on_def(state, inst.d);
        }
        Shape::Select => {
            on_use(state, inst.a);
            on_use(state, lists[inst.b as usize]);
            on_use(state, lists[inst.b as usize + 1]);
            on_def(state, inst.d);
        }
        Shape::Store => {
            on_use(state, inst.d);
            on_use(state, inst.a);
        }
        Shape::Mcopy | Shape::Mfill => {
            on_use(state, inst.d);
            on_use(state, inst.a);
            on_use(state, inst.b);
        }
        Shape::Gset | Shape::Branch | Shape::Switch | Shape::Print => on_use(state, inst.a),
        Shape::Call | Shape::Calli => {
            if inst.op == Op::Calli {
                on_use(state, inst.a);
            }
            let call = operands_of_call(inst, lists);
            call.args.iter().for_each(|&var| on_use(state, var));
            call.results.iter().for_each(|&var| on_def(state, var));
        }
        Shape::Ret => returned(inst, lists).iter().for_each(|&var| on_use(state, var)),
        Shape::Jump | Shape::Halt | Shape::Trap => {}
    }
}
