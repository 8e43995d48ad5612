//! Instructions whose operands stand in the list pool: `select`, `switch`, calls and `ret`.
//!
//! Comes in: unchecked instructions and lists. Goes out: the same with checked numbers, in a new pool. What must hold:
//! the new pool is never longer than the old one, so that lists which overlap cannot multiply.

use crate::isa::op::{Class, Op};
use crate::module::{Inst, Signature};

use super::body::Pass;
use super::error::Problem;
use super::messages::{wrong_counts, wrong_ret};

/// A call's lists, and what it calls.
pub(super) struct Call<'m> {
    pub(super) what: &'m str,
    pub(super) signature: &'m Signature,
    pub(super) results: &'m [u32],
    pub(super) args: &'m [u32],
    /// The number of the first argument among the operands.
    pub(super) first_arg: u32,
    /// Whether C is called, whose variadic arguments may be floats.
    pub(super) is_c: bool,
}

impl<'m> Pass<'m> {
    /// The pool from `at` on.
    pub(super) fn pool(&self, at: u32) -> &'m [u32] {
        self.function.lists.get(at as usize..).unwrap_or(&[])
    }

    /// The number of a signature, the results and the arguments of a call that names its signature by number.
    pub(super) fn numbered_call(&mut self, at: u32) -> Option<(u32, &'m [u32], &'m [u32])> {
        let found = self.pool(at).split_first().and_then(|(&number, rest)| {
            let (results, args) = call_lists(rest)?;
            Some((number, results, args))
        });
        if found.is_none() {
            self.bad_list();
        }
        found
    }

    /// Makes sure that `words` more words fit the new pool, and says where they will stand.
    pub(super) fn room(&mut self, words: usize) -> Option<u32> {
        if words > self.function.lists.len() - self.lists.len() {
            self.bad_list();
            return None;
        }
        Some(self.lists.len() as u32)
    }

    pub(super) fn select(&mut self, inst: &mut Inst) {
        let (&[a, b, ..], Some(list)) = (self.pool(inst.b), self.room(2)) else {
            self.bad_list();
            return;
        };
        let c = self.read(inst.a, Class::Int, 2);
        let (a, b) = (self.read_any(a, 3), self.read_any(b, 4));
        let d = self.write_any(inst.d, true, 1);
        self.unify((d, 1), (a, 3));
        self.unify((d, 1), (b, 4));
        self.vars.copy(d, a);
        self.vars.copy(d, b);
        self.lists.extend([a, b]);
        inst.op = self.settle(inst.op, d);
        (inst.d, inst.a, inst.b) = (d, c, list);
    }

    pub(super) fn switch(&mut self, inst: &mut Inst) {
        let Some((labels, default)) = counted(self.pool(inst.b)).and_then(|(l, rest)| Some((l, *rest.first()?))) else {
            self.bad_list();
            return;
        };
        let Some(list) = self.room(labels.len() + 2) else { return };
        let a = self.read(inst.a, Class::Int, 1);
        self.lists.push(labels.len() as u32);
        for &label in labels {
            let block = self.target(label, 2);
            self.lists.push(block);
        }
        let default = self.target(default, 3);
        self.lists.push(default);
        (inst.d, inst.a, inst.b) = (0, a, list);
    }

    pub(super) fn ret(&mut self, inst: &mut Inst) {
        let Some((values, _)) = counted(self.pool(inst.b)) else {
            self.bad_list();
            return;
        };
        let results = &self.function.signature.results;
        if values.len() != results.len() {
            self.report(0, |pass| wrong_ret(&pass.function.name, &pass.function.signature, values.len()));
            return;
        }
        let Some(list) = self.room(values.len() + 1) else { return };
        self.lists.push(values.len() as u32);
        for ((operand, &value), ty) in (1..).zip(values).zip(results) {
            let var = self.read(value, ty.class(), operand);
            self.lists.push(var);
        }
        (inst.d, inst.a, inst.b) = (0, 0, list);
    }

    pub(super) fn call(&mut self, inst: &mut Inst) {
        match inst.d {
            0 => self.call_function(inst),
            1 => self.call_extern(inst),
            3 => self.call_import(inst),
            kind => self.report(0, |_| Problem::new(format!("nothing of kind {kind} can be called"))),
        }
    }

    fn call_function(&mut self, inst: &mut Inst) {
        let Some((results, args)) = call_lists(self.pool(inst.b)) else {
            self.bad_list();
            return;
        };
        let Some(callee) = self.module.functions.get(inst.a as usize) else {
            self.report(1 + results_operand(results), |_| {
                Problem::new(format!("there is no function number {}", inst.a))
            });
            return;
        };
        let first_arg = 2 + results_operand(results);
        let call = Call { what: &callee.name, signature: &callee.signature, results, args, first_arg, is_c: false };
        let Some(list) = self.room(results.len() + args.len() + 2) else { return };
        self.pass_and_take(&call);
        (inst.d, inst.b) = (0, list);
    }

    pub(super) fn calli(&mut self, inst: &mut Inst) {
        let Some((number, results, args)) = self.numbered_call(inst.b) else { return };
        let n = results_operand(results);
        if inst.d as usize >= self.module.tables.len() {
            self.report(n + 1, |_| Problem::new(format!("there is no table number {}", inst.d)));
            return;
        }
        let Some(signature) = self.module.signatures.get(number as usize) else {
            self.report(n + 3, |_| Problem::new(format!("there is no signature number {number}")));
            return;
        };
        if let Some(growing) = &self.module.tables[inst.d as usize].growing {
            self.callable(growing, signature, n + 1);
            inst.op = Op::CalliGrowing;
        }
        let Some(list) = self.room(results.len() + args.len() + 3) else { return };
        let a = self.read(inst.a, Class::Int, n + 2);
        self.lists.push(number);
        let what = "the signature";
        let call = Call { what, signature, results, args, first_arg: n + 4, is_c: false };
        self.pass_and_take(&call);
        (inst.a, inst.b) = (a, list);
    }

    /// Verifies arguments and results of a call and writes its two lists.
    pub(super) fn pass_and_take(&mut self, call: &Call<'_>) {
        if let Some(problem) = wrong_counts(call) {
            self.report(0, |_| problem);
            return;
        }
        let start = self.lists.len();
        self.lists.push(call.results.len() as u32);
        self.lists.extend_from_slice(call.results);
        self.lists.push(call.args.len() as u32);
        let (fixed, further) = call.args.split_at(call.signature.params.len());
        for ((operand, &arg), ty) in (call.first_arg..).zip(fixed).zip(&call.signature.params) {
            let var = self.read(arg, ty.class(), operand);
            self.lists.push(var);
        }
        for (operand, &arg) in (call.first_arg + fixed.len() as u32..).zip(further) {
            let var = if call.is_c { self.read_variadic(arg, operand) } else { self.read(arg, Class::Int, operand) };
            self.lists.push(var);
        }
        for (k, (&result, ty)) in call.results.iter().zip(&call.signature.results).enumerate() {
            if call.results[..k].contains(&result) {
                self.report(1, |_| Problem::new("two results go to the same register"));
            }
            let narrow = ty.is_narrow();
            self.lists[start + 1 + k] = self.write(result, ty.class(), narrow, 1);
        }
    }
}

/// How many operands the results of a call are: together one, if there are any.
pub(super) fn results_operand(results: &[u32]) -> u32 {
    u32::from(!results.is_empty())
}

/// A list that starts with its length, and what follows it.
pub(super) fn counted(pool: &[u32]) -> Option<(&[u32], &[u32])> {
    let (&n, rest) = pool.split_first()?;
    rest.split_at_checked(n as usize)
}

/// Results and arguments of a call.
pub(super) fn call_lists(pool: &[u32]) -> Option<(&[u32], &[u32])> {
    let (results, rest) = counted(pool)?;
    let (args, _) = counted(rest)?;
    Some((results, args))
}
