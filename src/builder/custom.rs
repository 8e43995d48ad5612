//! Builds with opcodes that templates declare.
//!
//! Comes in: a declaration, and instructions that use it. Goes out: the module's list of such opcodes, and instructions
//! that name them by their place in it. What must hold: that templates declare the same is seen when the module is
//! instantiated, not here.

use super::{FunctionBuilder, ModuleBuilder, count};
use crate::isa::custom::CustomOp;
use crate::isa::op::Op;
use crate::module::{Inst, Reg};

/// The number of a declared opcode in the module that a [`ModuleBuilder`] builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpcodeId(u32);

impl ModuleBuilder {
    /// The number of an opcode that a template declares.
    pub fn opcode(&mut self, op: &CustomOp) -> OpcodeId {
        OpcodeId(self.module.intern_custom(op))
    }
}

impl FunctionBuilder {
    /// `opcode d, x, …`; `d` is left out where the opcode has no result.
    pub fn custom(&mut self, opcode: OpcodeId, d: Option<Reg>, args: &[Reg]) {
        let b = self.list(std::iter::once(count(args.len())).chain(args.iter().map(|arg| arg.field())));
        self.emit(Inst { op: Op::Custom, d: d.map_or(0, Reg::field), a: opcode.0, b });
    }
}
