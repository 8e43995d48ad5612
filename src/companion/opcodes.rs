//! Functions that execute one instruction of a declared opcode each.
//!
//! Comes in: a verified module. Goes out: for each declared opcode that it uses a function of the same types. What must
//! hold: what such a function gives is what the instruction gives in stitched code, for it is the same snippet.

use crate::builder::{BuildError, FunctionBuilder, ModuleBuilder};
use crate::isa::op::Op;
use crate::module::{Module, Reg, Signature};
use crate::verified::Verified;

/// The module, and where its functions are.
#[derive(Debug)]
pub struct Opcodes {
    /// The module.
    pub module: Module,
    /// By the number of the opcode in the program.
    pub index: Vec<Option<u32>>,
}

/// The functions for the opcodes of a module.
///
/// # Errors
/// Where they are more than a module can have.
pub fn opcodes(verified: &Verified) -> Result<Opcodes, BuildError> {
    let customs = &verified.module().customs;
    let mut used = vec![false; customs.len()];
    let insts = verified.functions.iter().flat_map(|body| &body.insts);
    insts.filter(|inst| inst.op == Op::Custom).for_each(|inst| used[inst.a as usize] = true);
    let mut builder = ModuleBuilder::new();
    let mut index = vec![None; customs.len()];
    for (number, custom) in customs.iter().enumerate().filter(|(number, _)| used[*number]) {
        let opcode = builder.opcode(&custom.op);
        let id = builder.declare(&*custom.op.name);
        let mut f = FunctionBuilder::new(Signature::new(custom.op.params.clone(), custom.op.result.as_slice()));
        let args: Vec<Reg> = (1..).zip(&custom.op.params).map(|(nth, _)| Reg::arg(nth)).collect();
        let d = custom.op.result.map(|_| f.local());
        f.custom(opcode, d, &args);
        f.ret(d.as_slice());
        builder.define(id, f);
        index[number] = Some(id.index());
    }
    Ok(Opcodes { module: builder.finish()?, index })
}
