//! Opcodes that templates declare: the module's list of them, and the instructions that use them.
//!
//! Comes in: unchecked items and instructions. Goes out: problems, and instructions with checked numbers. What must hold:
//! operands have the types that the module's list says; whether any template does the same is for the stitcher to find
//! out.

use crate::isa::op::Type;
use crate::module::{Inst, Module};

use super::body::Pass;
use super::error::{Problem, Problems};
use super::lists::counted;

/// Checks the list.
pub(super) fn check_items(module: &Module, problems: &mut Problems) {
    super::check_names(&module.customs.iter().map(|c| (c.op.name.as_str(), c.line)), "opcodes", problems);
    for custom in &module.customs {
        if let Some(flaw) = custom.op.flaw() {
            problems.push(Problem::new(flaw).line(custom.line));
        }
    }
}

impl Pass<'_> {
    pub(super) fn custom(&mut self, inst: &mut Inst) {
        let Some((args, _)) = counted(self.pool(inst.b)) else {
            self.bad_list();
            return;
        };
        let number = inst.a;
        let Some(custom) = self.module.customs.get(number as usize) else {
            self.report(0, |_| Problem::new(format!("there is no opcode number {number} in the module's list")));
            return;
        };
        let op = &custom.op;
        if args.len() != op.params.len() {
            let (wanted, given) = (op.params.len(), args.len());
            self.report(0, |_| Problem::new(format!("`{}` reads {wanted} registers, but {given} are given", op.name)));
            return;
        }
        let Some(list) = self.room(args.len() + 1) else { return };
        self.lists.push(args.len() as u32);
        let first = 1 + u32::from(op.result.is_some());
        for ((operand, &arg), ty) in (first..).zip(args).zip(&op.params) {
            let var = self.read(arg, ty.class(), operand);
            self.lists.push(var);
        }
        inst.d = match op.result {
            Some(ty) => self.write(inst.d, ty.class(), matches!(ty, Type::I32 | Type::F32), 1),
            None => 0,
        };
        inst.b = list;
    }
}
