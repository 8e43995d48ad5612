//! What the verifier says of imports, exports, growing tables and what fills them.
//!
//! Comes in: a module's items, and instructions that name them. Goes out: problems, or the instructions with every number
//! checked. What must hold: what a store is going to give a module has the types that are checked here.

use crate::isa::object::Named;
use crate::isa::op::{Class, Op, Type};
use crate::module::link::Growing;
use crate::module::native::Target;
use crate::module::{Global, Inst, Module, Signature, Table};

use super::body::Pass;
use super::error::Problem;
use super::lists::{Call, call_lists, results_operand};
use super::shared;

impl Pass<'_> {
    /// `call` of an imported function.
    pub(super) fn call_import(&mut self, inst: &mut Inst) {
        let Some((results, args)) = call_lists(self.pool(inst.b)) else {
            self.bad_list();
            return;
        };
        let Some(import) = self.module.imports.get(inst.a as usize) else {
            self.report(1 + results_operand(results), |_| {
                Problem::new(format!("there is no import number {}", inst.a))
            });
            return;
        };
        let first_arg = 2 + results_operand(results);
        let what = import.name.as_str();
        let call = Call { what, signature: &import.signature, results, args, first_arg, is_c: false };
        let Some(list) = self.room(results.len() + args.len() + 2) else { return };
        self.pass_and_take(&call);
        (inst.op, inst.d, inst.b) = (Op::CallImport, 0, list);
    }

    /// Instructions on tables, elements and segments.
    pub(super) fn object(&mut self, inst: &mut Inst) {
        let Some(row) = inst.op.object() else { return };
        let at = inst.b;
        let &[first, second, ..] = self.pool(at) else { return self.bad_list() };
        let Some((results, args)) = call_lists(self.pool(at.saturating_add(2))) else { return self.bad_list() };
        if (results.len(), args.len()) != (usize::from(row.result), row.args) {
            self.report(0, |_| Problem::new(format!("`{}` takes other operands", inst.op.row().name())));
            return;
        }
        if !self.names_exist(inst.op, row.names, [first, second], results_operand(results)) {
            return;
        }
        let Some(list) = self.room(results.len() + args.len() + 4) else { return };
        let named = results_operand(results) + row.names.len() as u32;
        self.lists.extend([first, second, results.len() as u32]);
        self.lists.extend_from_slice(results);
        self.lists.push(args.len() as u32);
        for (operand, &arg) in (named + 1..).zip(args) {
            let var = self.read(arg, Class::Int, operand);
            self.lists.push(var);
        }
        if let [result] = *results {
            self.lists[list as usize + 3] = self.write(result, Class::Int, true, 1);
        }
        (inst.d, inst.a, inst.b) = (0, 0, list);
    }

    fn names_exist(&mut self, op: Op, names: &[Named], [first, second]: [u32; 2], results: u32) -> bool {
        let module = self.module;
        let elements = |index: u32| match module.elements.get(index as usize) {
            Some(elements) => Ok(elements.ty),
            None => Err(Box::new(Problem::new(format!("there is no `elem` number {index}")))),
        };
        let segment = || match module.segments.get(first as usize) {
            None => Some(Problem::new(format!("there is no segment number {first}"))),
            Some(_) if op == Op::Minit && module.memory.is_none() => {
                Some(Problem::new("there is no linear memory").help("add an item such as `memory 1`"))
            }
            Some(_) => None,
        };
        // The operand that is wrong, counted from what the instruction names first.
        let flaw = match *names {
            [Named::Function] => reference_flaw(module, first, second).map(|problem| (0, problem)),
            [Named::Segment] => segment().map(|problem| (0, problem)),
            [Named::Elements] => elements(first).err().map(|problem| (0, *problem)),
            [Named::Table] => held(module, first).err().map(|problem| (0, *problem)),
            [_, second_kind] => match held(module, first) {
                Err(problem) => Some((0, *problem)),
                Ok(wanted) => {
                    let found = if second_kind == Named::Table { held(module, second) } else { elements(second) };
                    found.and_then(|given| same_types(wanted, given)).err().map(|problem| (1, *problem))
                }
            },
            _ => None,
        };
        let good = flaw.is_none();
        if let Some((operand, problem)) = flaw {
            self.report(1 + results + operand, |_| problem);
        }
        good
    }

    /// Requires that what is called through a growing table can be.
    pub(super) fn callable(&mut self, growing: &Growing, signature: &Signature, operand: u32) {
        if growing.ty != Type::Funcref {
            self.report(operand, |_| Problem::new("this table holds externref; only a funcref can be called"));
        } else if signature.variadic {
            self.report(operand + 2, |_| {
                Problem::new("functions of a table that grows are not variadic")
                    .help("a table that stays holds variadic functions, too: `table NAME = [f]`")
            });
        }
    }

    /// Requires that a global may be written.
    pub(super) fn writable(&mut self, global: &Global) {
        if !global.mutable {
            let name = global.name.clone();
            self.report(1, |_| {
                Problem::new(format!("global `{name}` is never written")).help("leave the word `const` out of its item")
            });
        }
    }
}

/// What a growing table holds.
fn held(module: &Module, index: u32) -> Result<Type, Box<Problem>> {
    let problem = match module.tables.get(index as usize) {
        Some(Table { growing: Some(growing), .. }) => return Ok(growing.ty),
        Some(Table { name, .. }) => Problem::new(format!("table `{name}` does not grow"))
            .help(format!("one that grows is written `table {name} funcref 10`, and an `elem` fills it")),
        None => Problem::new(format!("there is no table number {index}")),
    };
    Err(Box::new(problem))
}

fn same_types(wanted: Type, given: Type) -> Result<(), Box<Problem>> {
    let message = || format!("the first table holds {}, this {}", wanted.name(), given.name());
    if wanted == given { Ok(()) } else { Err(Box::new(Problem::new(message()))) }
}

/// What is wrong with a `ref`.
fn reference_flaw(module: &Module, kind: u32, index: u32) -> Option<Problem> {
    let Some(target) = Target::from_fields(kind, index) else {
        return Some(Problem::new(format!("nothing of kind {kind} can be referred to")));
    };
    if let Some((message, help)) = shared::function(module, target) {
        let problem = Problem::new(format!("this {message}"));
        return Some(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
    (!module.is_linked()).then(|| {
        Problem::new("references are of use only in a module that shares something")
            .help("add a table that grows, an export, or `elem NAME funcref declared = [f]`")
    })
}
