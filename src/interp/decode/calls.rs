//! Decodes what has lists: calls, returns, and instructions on tables and segments.
//!
//! Comes in: instructions whose lists name variables. Goes out: steps whose lists name slots, as [`Code::lists`] says. What
//! must hold: arguments are read before results are written.

use crate::isa::op::{Class, Op, Type};
use crate::module::Inst;
use crate::verified::Var;

use super::Decoder;
use crate::interp::code::{Code, Step};
use crate::interp::native::counted;
use crate::interp::{outside, run};

impl Decoder<'_> {
    /// A call of a function that is not one of C.
    pub(super) fn call_spasm(&mut self, inst: &Inst, step: &mut Step) {
        let (module, mut at) = (self.module, inst.b as usize);
        let signature = match inst.op {
            Op::Call => &module.functions[inst.a as usize].signature,
            Op::CallImport => &module.imports[inst.a as usize].signature,
            _ => {
                self.read(inst.a);
                let number = self.body.lists[at];
                self.lists.extend([inst.d, number]);
                at += 1;
                &module.signatures[number as usize]
            }
        };
        step.b = self.lists.len() as u32;
        step.d = self.call(at);
        let mut cuts = false;
        for (at, &ty) in (step.b as usize + 1..).zip(&signature.params) {
            if self.is_half(self.lists[at], ty) {
                cuts = true;
                self.lists[at] |= Code::HALF;
            }
        }
        step.run = match inst.op {
            _ if cuts => step.run,
            Op::Call => run::call::<false>,
            Op::CallImport => outside::call_import::<false>,
            Op::Calli => run::call_indirect::<false>,
            _ => outside::call_growing::<false>,
        };
    }

    /// Whether only the lower half of a variable is passed as a value of this type, and there may be something in the other.
    fn is_half(&self, var: u32, ty: Type) -> bool {
        ty.class() == Class::Int && ty.is_narrow() && !self.body.vars[var as usize].has(Var::NARROW)
    }

    /// Copies the lists of a call, and gives the slot of the first result.
    pub(super) fn call(&mut self, at: usize) -> u32 {
        let (results, rest) = counted(&self.body.lists[at..]);
        let (args, _) = counted(rest);
        self.lists.push(args.len() as u32);
        for &arg in args {
            let slot = self.read(arg);
            self.lists.push(slot);
        }
        self.lists.push(results.len() as u32);
        for &result in results {
            let slot = self.write(result);
            self.lists.push(slot);
        }
        results.first().copied().unwrap_or(self.unwanted())
    }

    /// An instruction on tables, elements or segments.
    pub(super) fn object(&mut self, inst: &Inst, step: &mut Step) {
        let (named, rest) = self.body.lists[inst.b as usize..].split_at(2);
        let (results, rest) = counted(rest);
        let (args, _) = counted(rest);
        (step.a, step.b) = (inst.op as u32, self.lists.len() as u32);
        self.lists.extend_from_slice(named);
        self.lists.push(args.len() as u32);
        for &arg in args {
            let slot = self.read(arg);
            self.lists.push(slot);
        }
        step.d = results.first().map_or(self.unwanted(), |&result| self.write(result));
    }

    /// Copies the lists of a call of C, with what else is to be known of it, and gives the slot of the first result and the
    /// place of the list.
    pub(super) fn call_c(&mut self, signature: u32, at: usize) -> (u32, u32) {
        self.lists.push(signature);
        let list = self.lists.len() as u32;
        let first = self.call(at);
        let (_, rest) = counted(&self.body.lists[at..]);
        let (args, _) = counted(rest);
        let fixed = self.module.c_signatures[signature as usize].flat().params.len();
        self.lists.push((args.len() - fixed) as u32);
        self.lists.extend(args[fixed..].iter().map(|&arg| u32::from(self.body.vars[arg as usize].class.is_float())));
        (first, list)
    }

    /// The slot for results that nobody wants.
    pub(super) fn unwanted(&self) -> u32 {
        self.body.vars.len() as u32
    }

    pub(super) fn ret(&mut self, inst: &Inst, step: &mut Step) {
        let (values, _) = counted(&self.body.lists[inst.b as usize..]);
        let results = &self.body.signature.results;
        match (values, &results[..]) {
            ([], _) => step.run = run::return_none,
            (&[value], &[ty]) => {
                step.run = if self.is_half(value, ty) { run::return_half } else { run::return_one };
                step.a = self.read(value);
            }
            _ => {
                step.b = self.lists.len() as u32;
                let halves: Vec<_> = values.iter().zip(results).map(|(&var, &ty)| self.is_half(var, ty)).collect();
                self.lists.push(values.len() as u32);
                for (&value, half) in values.iter().zip(halves) {
                    let slot = self.read(value);
                    self.lists.push(slot | if half { Code::HALF } else { 0 });
                }
            }
        }
    }
}
