//! The verifier: the border between programs as they come and programs that may run.
//!
//! Comes in: a [`Module`], wrong in any way. Goes out: [`Verified`], on which interpreter and machine code rely without
//! looking again, or a [`VerifyError`] that says what is wrong. What must hold: time and space are linear in the size of
//! the module, and no module makes it panic.
//!
//! Each function takes one short pass over its instructions to find where blocks start, and one over its operands.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "counts that become u32 have been checked, and register fields are numbers with a sign"
)]

mod blocks;
mod body;
mod custom;
mod error;
mod link;
mod lists;
mod messages;
mod native;
mod plan;
mod shared;
pub mod single;
mod vars;

pub use error::{Problem, Related, VerifyError};

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::module::{MAX_ARGS, MAX_PAGES, MAX_VARIADIC, Memory, Module, PAGE, Signature};
use crate::verified::Verified;

use error::Problems;

/// Checks a module and settles what is left open in it.
///
/// # Errors
/// Where the module breaks a rule of the language; several problems are collected.
pub fn verify(module: impl Into<Arc<Module>>) -> Result<Verified, VerifyError> {
    let module = module.into();
    let mut problems = Problems::default();
    check_items(&module, &mut problems);
    let mut scratch = body::Scratch::default();
    let flat = native::flat_signatures(&module);
    let mut functions = Vec::with_capacity(module.functions.len());
    for function in &module.functions {
        functions.extend(body::verify(&module, &flat, function, &mut scratch, &mut problems));
        if problems.is_full() {
            break;
        }
    }
    let (signature_ids, calli_ids) = signature_ids(&module);
    problems.into_result(Verified { module, functions, signature_ids, calli_ids })
}

/// Checks all that stands outside of bodies.
fn check_items(module: &Module, problems: &mut Problems) {
    check_targets(module, problems);
    check_names(&module.globals.iter().map(|g| (g.name.as_str(), g.line)), "globals", problems);
    check_names(&module.tables.iter().map(|t| (t.name.as_str(), t.line)), "tables", problems);
    for f in &module.functions {
        check_signature(&f.signature, &format_args!("`{}`", f.name), f.line, problems);
    }
    for (i, signature) in module.signatures.iter().enumerate() {
        check_signature(signature, &format_args!("signature number {i}"), 0, problems);
    }
    for t in &module.tables {
        if let Some(f) = t.functions.iter().find(|&&f| f as usize >= module.functions.len()) {
            problems.push(
                Problem::new(format!("table `{}` names function number {f}, which does not exist", t.name))
                    .line(t.line),
            );
        }
    }
    check_memory(module, problems);
    native::check_items(module, problems);
    shared::check_items(module, problems);
    custom::check_items(module, problems);
}

/// Functions, imports, externs and data share their names.
fn check_targets(module: &Module, problems: &mut Problems) {
    let functions = || module.functions.iter().map(|f| (f.name.as_str(), f.line));
    if module.externs.is_empty() && module.data.is_empty() && module.imports.is_empty() {
        return check_names(&functions(), "functions", problems);
    }
    let imports = module.imports.iter().map(|i| (i.name.as_str(), i.line));
    let externs = module.externs.iter().map(|e| (e.name.as_str(), e.line));
    let data = module.data.iter().map(|d| (d.name.as_str(), d.line));
    let all: Vec<(&str, u32)> = functions().chain(imports).chain(externs).chain(data).collect();
    check_names(&all.iter().copied(), "functions, imports, externs or data", problems);
}

fn check_names<'m>(
    items: &(impl ExactSizeIterator<Item = (&'m str, u32)> + Clone),
    what: &str,
    problems: &mut Problems,
) {
    if items.len() < 2 {
        return;
    }
    let first = first_equal(items.len(), items.clone().map(|(name, _)| name));
    for (i, (name, line)) in items.clone().enumerate() {
        if first[i] as usize == i {
            continue;
        }
        let mut problem = Problem::new(format!("there are two {what} with the name `{name}`")).line(line);
        let line = items.clone().nth(first[i] as usize).map(|(_, line)| line).filter(|&line| line != 0);
        problem.related = Some(Related { message: "the first stands here".to_owned(), inst: None, line });
        problems.push(problem);
        if problems.is_full() {
            return;
        }
    }
}

fn check_signature(signature: &Signature, what: &dyn std::fmt::Display, line: u32, problems: &mut Problems) {
    for (n, kind) in [(signature.params.len(), "parameters"), (signature.results.len(), "results")] {
        if n > MAX_ARGS as usize {
            problems.push(Problem::new(format!("{what} has {n} {kind}; {MAX_ARGS} is the most")).line(line));
        }
    }
    if signature.variadic && signature.params.len() > MAX_VARIADIC as usize {
        let n = signature.params.len();
        let message = format!("{what} is variadic and has {n} fixed parameters; {MAX_VARIADIC} is the most");
        problems.push(Problem::new(message).line(line));
    }
    if signature.variadic && signature.results.len() > 1 {
        let problem = Problem::new(format!("{what} is variadic and has {} results", signature.results.len()));
        problems.push(problem.line(line).help("a variadic function has one result at most"));
    }
}

fn check_memory(module: &Module, problems: &mut Problems) {
    if let Some(memory) = &module.memory {
        let max = memory.max.unwrap_or(MAX_PAGES);
        let problem = |message: String| Problem::new(message).line(memory.line);
        if memory.min > MAX_PAGES || max > MAX_PAGES {
            let pages = memory.min.max(max);
            problems.push(problem(format!("a memory of {pages} pages is too large; {MAX_PAGES} (4 GiB) is the most")));
        } else if memory.min > max {
            problems
                .push(problem(format!("the memory starts with {} pages, more than its maximum of {max}", memory.min)));
        }
    }
    let size = module.memory.as_ref().map_or(0, |memory| u64::from(memory.min) * PAGE);
    for init in &module.inits {
        let problem = match &module.memory {
            None => Problem::new("there is no memory to initialise").help("add an item such as `memory 1`"),
            Some(Memory { import: Some(_), .. }) => Problem::new("an `init` fills a memory that is another's")
                .help("a `segment` that is active fills it when the module is instantiated"),
            Some(_) if u64::from(init.offset) + init.bytes.len() as u64 <= size => continue,
            Some(_) => Problem::new(format!(
                "{} bytes at {} do not fit the memory, which starts with {size} bytes",
                init.bytes.len(),
                init.offset
            )),
        };
        problems.push(problem.line(init.line));
    }
}

/// The numbers by which `calli` compares signatures: of the functions, and of the module's signatures.
fn signature_ids(module: &Module) -> (Vec<u32>, Vec<u32>) {
    let n = module.functions.len();
    let all = module.functions.iter().map(|f| &f.signature).chain(&module.signatures);
    let mut ids = first_equal(n + module.signatures.len(), all);
    let calli = ids.split_off(n);
    (ids, calli.into_iter().map(|id| if (id as usize) < n { id } else { u32::MAX }).collect())
}

/// For each item, the index of the first one equal to it.
fn first_equal<K: Hash + Eq>(n: usize, items: impl Iterator<Item = K> + Clone) -> Vec<u32> {
    /// Up to here, comparing all is faster than hashing.
    const FEW: usize = 8;
    if n <= FEW {
        let first = |item: K| items.clone().position(|other| other == item).unwrap_or(0) as u32;
        return items.clone().map(first).collect();
    }
    let mut seen = HashMap::with_capacity(n);
    (0..).zip(items).map(|(i, item)| *seen.entry(item).or_insert(i)).collect()
}
