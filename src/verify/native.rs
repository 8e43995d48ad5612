//! The C interface: signatures of C functions, externs, data, and the instructions on native addresses.
//!
//! Comes in: unchecked items and instructions. Goes out: problems, and instructions with checked numbers. What must hold:
//! to whoever reads a verified module, every extern has a signature, every address in data and code a target, and every
//! call of C arguments that its signature says how to pass.

use crate::isa::op::{Class, Op, Shape};
use crate::module::native::{CSignature, CType, Data, Extern, MAX_ALIGN, MAX_DATA, MAX_NESTING, Target};
use crate::module::{Inst, MAX_VARIADIC, Module, Signature};

use super::body::Pass;
use super::error::{Problem, Problems};
use super::lists::{Call, call_lists, results_operand};
use super::plan::Plan;
use super::vars::UNKNOWN;

/// Checks externs, data and the signatures of C functions.
pub(super) fn check_items(module: &Module, problems: &mut Problems) {
    for (i, signature) in module.c_signatures.iter().enumerate() {
        let flaws = flaws(signature);
        if flaws.is_empty() || problems.is_full() {
            continue;
        }
        let of = module.externs.iter().find(|e| e.signature as usize == i);
        let (what, line) =
            of.map_or_else(|| (format!("C signature number {i}"), 0), |e| (format!("`{}`", e.name), e.line));
        for message in flaws {
            problems.push(Problem::new(format!("{what} {message}")).line(line));
        }
    }
    for e in &module.externs {
        check_extern(module, e, problems);
    }
    for data in &module.data {
        check_data(module, data, problems);
    }
    let all = module.data.iter().map(Data::len).fold(0, u64::saturating_add);
    if all > MAX_DATA {
        let line = module.data.iter().max_by_key(|data| data.len()).map_or(0, |data| data.line);
        let message = format!("all data together has {all} bytes; {MAX_DATA} (1 GiB) is the most");
        problems.push(Problem::new(message).line(line).help("ask C for more memory at run time: `malloc`, `mmap`"));
    }
}

/// What a C signature must not be, after the name of what has it.
fn flaws(signature: &CSignature) -> Vec<String> {
    let types = || signature.params.iter().chain(&signature.results);
    // Before this is known to be false, nothing that recurses may look at them.
    if types().any(|ty| is_deep(ty, MAX_NESTING)) {
        return vec![format!("has structs nested more than {MAX_NESTING} deep")];
    }
    if types().any(has_empty) {
        return vec!["has a struct without members, which C does not have".to_owned()];
    }
    let scalars = |types: &[CType]| types.iter().map(|ty| ty.scalars().len()).sum::<usize>();
    let counts = [(scalars(&signature.params), "parameters"), (scalars(&signature.results), "results")];
    let many = counts.into_iter().filter(|&(n, _)| n > MAX_VARIADIC as usize);
    many.map(|(n, kind)| format!("has {n} {kind}, the members of structs counted; {MAX_VARIADIC} is the most"))
        .collect()
}

fn is_deep(ty: &CType, left: u32) -> bool {
    match ty {
        CType::Struct(members) => left == 0 || members.iter().any(|member| is_deep(member, left - 1)),
        _ => false,
    }
}

fn has_empty(ty: &CType) -> bool {
    match ty {
        CType::Struct(members) => members.is_empty() || members.iter().any(has_empty),
        _ => false,
    }
}

fn check_extern(module: &Module, e: &Extern, problems: &mut Problems) {
    let name = &e.name;
    let mut refuse = |message: String| problems.push(Problem::new(message).line(e.line));
    if e.signature as usize >= module.c_signatures.len() {
        refuse(format!("extern `{name}` has C signature number {}, which does not exist", e.signature));
    }
    if e.symbol.is_empty() {
        refuse(format!("extern `{name}` names no function of its library"));
    }
    if e.symbol.contains('\0') || e.library.contains('\0') {
        refuse(format!("extern `{name}` has a zero byte in its symbol or library, which no name of C has"));
    }
}

fn check_data(module: &Module, data: &Data, problems: &mut Problems) {
    let name = &data.name;
    let mut refuse = |message: String| problems.push(Problem::new(message).line(data.line));
    if !data.align.is_power_of_two() || data.align > MAX_ALIGN {
        refuse(format!("`{name}` is aligned to {} bytes; that must be a power of two up to {MAX_ALIGN}", data.align));
    }
    if !data.pointers.is_empty() && data.align < 8 {
        refuse(format!("`{name}` holds addresses and is aligned to {} bytes; 8 is the least", data.align));
    }
    let mut free = 0;
    for pointer in &data.pointers {
        let at = pointer.offset as usize;
        match data.bytes.get(at..at.saturating_add(8)) {
            None => refuse(format!("the address at byte {at} of `{name}` does not stand within its {} bytes", {
                data.bytes.len()
            })),
            Some(_) if !at.is_multiple_of(8) => {
                refuse(format!("the address at byte {at} of `{name}` is not aligned to 8 bytes"));
            }
            Some(_) if at < free => refuse(format!("the addresses in `{name}` are not in order at byte {at}")),
            Some(bytes) if bytes != [0; 8] => {
                refuse(format!("the bytes that the address at byte {at} of `{name}` goes to are not zero"));
            }
            Some(_) if !exists(module, pointer.target) => {
                refuse(format!("the address at byte {at} of `{name}` is that of {}", missing(pointer.target)));
            }
            Some(_) => {
                free = at + 8;
                continue;
            }
        }
        // More of the same would follow.
        return;
    }
}

fn exists(module: &Module, target: Target) -> bool {
    match target {
        Target::Function(index) => (index as usize) < module.functions.len(),
        Target::Extern(index) => (index as usize) < module.externs.len(),
        // Whoever gives the function may have no machine code for it.
        Target::Import(_) => false,
        Target::Data(index) => (index as usize) < module.data.len(),
    }
}

fn missing(target: Target) -> String {
    match target {
        Target::Function(index) => format!("function number {index}, which does not exist"),
        Target::Extern(index) => format!("extern number {index}, which does not exist"),
        Target::Import(index) => format!("import number {index}, which has no native address"),
        Target::Data(index) => format!("data number {index}, which does not exist"),
    }
}

/// What a program sees of each C signature; nothing of those that were refused.
pub(super) fn flat_signatures(module: &Module) -> Vec<Signature> {
    let flat =
        |signature: &CSignature| if flaws(signature).is_empty() { signature.flat() } else { Signature::default() };
    module.c_signatures.iter().map(flat).collect()
}

impl Pass<'_> {
    /// `load` and `store`.
    pub(super) fn native_access(&mut self, inst: &mut Inst, plan: &Plan) {
        if matches!(plan.shape, Shape::NativeLoad) {
            inst.a = self.read(inst.a, Class::Int, 2);
            inst.d = self.write(inst.d, plan.d, plan.narrow, 1);
        } else {
            inst.d = self.read(inst.d, plan.d, 1);
            inst.a = self.read(inst.a, Class::Int, 2);
        }
    }

    pub(super) fn addr(&mut self, inst: &mut Inst) {
        match Target::from_fields(inst.a, inst.b) {
            Some(target) if exists(self.module, target) => {}
            Some(target) => self.report(2, |_| Problem::new(format!("this is the address of {}", missing(target)))),
            None => {
                let kind = inst.a;
                self.report(2, |_| Problem::new(format!("nothing of kind {kind} has an address")));
            }
        }
        inst.d = self.write(inst.d, Class::Int, false, 1);
    }

    /// A `call` of an extern.
    pub(super) fn call_extern(&mut self, inst: &mut Inst) {
        let Some((results, args)) = call_lists(self.pool(inst.b)) else {
            self.bad_list();
            return;
        };
        let n = results_operand(results);
        let Some(callee) = self.module.externs.get(inst.a as usize) else {
            self.report(n + 1, |_| Problem::new(format!("there is no extern number {}", inst.a)));
            return;
        };
        // Where it is missing, the item was refused.
        let Some(signature) = self.flat.get(callee.signature as usize) else { return };
        let call = Call { what: &callee.name, signature, results, args, first_arg: n + 2, is_c: true };
        let Some(list) = self.room(results.len() + args.len() + 2) else { return };
        self.pass_and_take(&call);
        *inst = Inst { op: Op::CallExtern, d: 0, a: inst.a, b: list };
    }

    pub(super) fn callp(&mut self, inst: &mut Inst) {
        let Some((number, results, args)) = self.numbered_call(inst.b) else { return };
        let n = results_operand(results);
        let Some(signature) = self.flat.get(number as usize) else {
            self.report(n + 2, |_| Problem::new(format!("there is no C signature number {number}")));
            return;
        };
        let Some(list) = self.room(results.len() + args.len() + 3) else { return };
        let a = self.read(inst.a, Class::Int, n + 1);
        self.lists.push(number);
        let what = "the signature";
        self.pass_and_take(&Call { what, signature, results, args, first_arg: n + 3, is_c: true });
        (inst.d, inst.a, inst.b) = (0, a, list);
    }

    /// Reads an argument beyond those of a variadic C function's signature: an int, or a float that C passes as a
    /// double. Of a register that nothing has typed yet it is found out later.
    pub(super) fn read_variadic(&mut self, field: u32, operand: u32) -> u32 {
        let var = self.read_any(field, operand);
        let class = self.vars.class(var).map_or(UNKNOWN, |(class, _)| class);
        if class == UNKNOWN {
            self.variadic.push((self.at, operand, var));
        } else if class == Class::F32 as u8 {
            self.refuse_f32(operand);
        }
        var
    }

    #[cold]
    pub(super) fn refuse_f32(&mut self, operand: u32) {
        self.report(operand, |_| {
            Problem::new("C has no further arguments of type f32")
                .help("it passes them as doubles: convert the value with `promote d, a`")
        });
    }
}
