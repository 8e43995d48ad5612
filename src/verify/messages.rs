//! What the pass over a function has to say about instructions.
//!
//! Comes in: the pass at the instruction that is wrong. Goes out: problems. What must hold: all of it is off the way of
//! functions that are right.

use crate::module::{Function, MAX_VARIADIC, Reg, Signature};

use super::body::Pass;
use super::error::{Problem, Related};
use super::lists::Call;
use super::vars::{SIGNATURE, class_of};

impl Pass<'_> {
    /// Notes a problem with the instruction at hand: with its operand number `operand`, counted from 1, or 0 for none.
    #[cold]
    pub(super) fn report(&mut self, operand: u32, problem: impl FnOnce(&Self) -> Problem) {
        if self.problems.is_full() {
            return;
        }
        let mut problem = problem(self);
        problem.inst = Some(self.at);
        problem.line = self.function.line_of(self.at as usize);
        problem.function = Some(self.function.name.clone());
        problem.operand = operand.checked_sub(1);
        self.problems.push_first(problem);
    }

    #[cold]
    pub(super) fn write_count(&mut self, operand: u32) {
        let problem = || Problem::new("r0 is the number of arguments and cannot be written");
        self.report(operand, |_| problem().help("locals start at r1"));
    }

    /// Notes that `var`, known as one class since some instruction, is used as another.
    #[cold]
    pub(super) fn clash(&mut self, var: u32, wanted: (u8, u32), known: (u8, u32)) {
        let (wanted, operand) = wanted;
        let (known, since) = known;
        self.report(operand, |pass| {
            let name = if var < pass.params { format!("a{}", var + 1) } else { format!("r{}", var - pass.params) };
            let (wanted, known) = (class_of(wanted).name(), class_of(known).name());
            let mut problem = Problem::new(format!("{name} is used as {wanted} here, but it is {known}"))
                .help("a register has one type in a function: convert the value, or use another register");
            problem.related = Some(if since == SIGNATURE {
                let line = Some(pass.function.line).filter(|&line| line != 0);
                let by = if var == pass.params { "r0 is the number of arguments" } else { "the signature says so" };
                Related { message: format!("{by}: {known}"), inst: None, line }
            } else {
                let line = pass.function.line_of(since as usize);
                Related { message: format!("{name} became {known} here"), inst: Some(since), line }
            });
            problem
        });
    }

    #[cold]
    pub(super) fn bad_list(&mut self) {
        self.report(0, |_| {
            Problem::new("the list of operands is damaged: it leaves the pool, or shares words with another")
        });
    }
}

pub(super) fn bad_register(function: &Function, reg: Option<Reg>, field: u32) -> Problem {
    let Some(reg) = reg else {
        return Problem::new(format!("there is no register {}", field as i32))
            .help("registers are a1 to a1000 and r0 to r65535");
    };
    let n = function.signature.params.len();
    let takes = if function.signature.variadic { "fixed parameter" } else { "parameter" };
    let plural = if n == 1 { "" } else { "s" };
    let problem = Problem::new(format!("there is no register {reg}: `{}` has {n} {takes}{plural}", function.name));
    if function.signature.variadic {
        problem.help("further arguments are read with `arg d, i`, where `i` counts from 1")
    } else {
        problem.help("add a parameter to the signature, or use a local register")
    }
}

pub(super) fn bad_label(function: &Function, label: u32) -> Problem {
    match function.labels.get(label as usize) {
        None => Problem::new(format!("there is no label number {label}")),
        Some(l) if l.at as usize == function.insts.len() => {
            Problem::new(format!("label `{}` has no instruction behind it", l.name)).help("put a `ret` or `jmp` there")
        }
        Some(l) => Problem::new(format!("label `{}` has no place in the function", l.name)),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn wrong_ret(name: &str, signature: &Signature, given: usize) -> Problem {
    let wanted = count(signature.results.len(), "result");
    Problem::new(format!("`{name}` has {wanted}, but this `ret` gives {given}"))
        .help(format!("its signature is {signature}"))
}

/// Says what is wrong with the number of a call's arguments or results. Results may all be left out.
pub(super) fn wrong_counts(call: &Call<'_>) -> Option<Problem> {
    let Call { what, signature, results, args, .. } = call;
    let fixed = signature.params.len();
    let enough = if signature.variadic { args.len() >= fixed } else { args.len() == fixed };
    let at_least = if signature.variadic { "at least " } else { "" };
    let problem = if !enough {
        Problem::new(format!("`{what}` takes {at_least}{}, but is given {}", count(fixed, "argument"), args.len()))
    } else if signature.variadic && args.len() > MAX_VARIADIC as usize {
        return Some(Problem::new(format!("a call passes {} arguments; {MAX_VARIADIC} is the most", args.len())));
    } else if !results.is_empty() && results.len() != signature.results.len() {
        let wanted = count(signature.results.len(), "result");
        Problem::new(format!("`{what}` has {wanted}, but {} registers are given for them", results.len()))
    } else {
        return None;
    };
    Some(problem.help(format!("its signature is {signature}")))
}
