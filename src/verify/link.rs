//! What the verifier says of imports, exports, growing tables and what fills them.
//!
//! Comes in: a module's items, and instructions that name them. Goes out: problems, or the instructions with every number
//! checked. What must hold: what a store is going to give a module has the types that are checked here.

use crate::isa::object::Named;
use crate::isa::op::{Class, Op, Type};
use crate::module::Inst;
use crate::module::link::Growing;
use crate::module::native::Target;

use super::body::Pass;
use super::error::Problem;
use super::lists::{Call, call_lists, results_operand};

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
        let what = import.name.clone();
        let call = Call { what, signature: &import.signature, results, args, first_arg, is_c: false };
        let Some(list) = self.room(results.len() + args.len() + 2) else { return };
        self.pass_and_take(&call);
        (inst.op, inst.d, inst.b) = (Op::CallImport, 0, list);
    }

    /// Instructions on tables, elements and segments.
    pub(super) fn object(&mut self, inst: &mut Inst) {
        let Some(row) = inst.op.object() else { return };
        let at = inst.b;
        let [first, second] = match *self.pool(at) {
            [first, second, ..] => [first, second],
            _ => return self.bad_list(),
        };
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
        let growing = |index: u32| module.tables.get(index as usize).and_then(|table| table.growing.as_ref());
        let elements = |index: u32| module.elements.get(index as usize).map(|elements| elements.ty);
        let missing = match *names {
            [Named::Function] => match Target::from_fields(first, second) {
                Some(Target::Function(n)) if (n as usize) < module.functions.len() => None,
                Some(Target::Import(n)) if (n as usize) < module.imports.len() => None,
                _ => Some("there is no such function".to_owned()),
            },
            [Named::Segment] if first as usize >= module.segments.len() => {
                Some(format!("there is no segment number {first}"))
            }
            [Named::Segment] if op == Op::Minit && module.memory.is_none() => {
                Some("the module has no linear memory".to_owned())
            }
            [Named::Elements] if elements(first).is_none() => Some(format!("there is no `elem` number {first}")),
            [Named::Table, ..] if growing(first).is_none() => Some(format!("there is no growing table number {first}")),
            [Named::Table, Named::Table] if growing(second).is_none() => {
                Some(format!("there is no growing table number {second}"))
            }
            [Named::Table, Named::Elements] if elements(second).is_none() => {
                Some(format!("there is no `elem` number {second}"))
            }
            [Named::Table, Named::Table] => other_types(growing(first), growing(second).map(|table| table.ty)),
            [Named::Table, Named::Elements] => other_types(growing(first), elements(second)),
            _ => None,
        };
        let good = missing.is_none();
        if let Some(message) = missing {
            self.report(1 + results, |_| Problem::new(message));
        }
        good
    }
}

fn other_types(table: Option<&Growing>, given: Option<Type>) -> Option<String> {
    let (wanted, given) = (table?.ty, given?);
    (wanted != given).then(|| format!("the table holds {}, not {}", wanted.name(), given.name()))
}
