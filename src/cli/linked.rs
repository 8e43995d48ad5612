//! `spasm run` for modules that are linked with what is around them: WebAssembly, and programs with imports or exports.
//!
//! Comes in: a verified module. Goes out: results, or how the program ended. What must hold: a function is found by the
//! name under which it is exported, and where there is none by the name that the module has for it.

use std::mem::ManuallyDrop;

use spasm::diagnostic::Diagnostic;
#[cfg(feature = "wasm")]
use spasm::engine::Compiled;
use spasm::engine::Engine;
use spasm::isa::op::Type;
use spasm::module::link::Item;
use spasm::module::native::Target;
use spasm::module::{Module, Signature};
use spasm::store::{Error, Instance, LinkError, Linker, Store, Val};
use spasm::text::nearest;
use spasm::trap::RunError;
use spasm::value::Value;
use spasm::verified::Verified;

use super::args::{Given, UsageError};
use super::commands::OptId;
use super::failure::Failure;
use super::input;
use super::run::{Entry, no_instance, plural};
use super::stats::{Clock, Phase};
use super::wasi::Host;

/// What makes a library that was compiled for WASI ready.
const INITIALIZE: &str = "_initialize";

/// How many functions an error lists.
const SHOWN: usize = 20;

/// A module, as far as it has come.
#[derive(Clone, Copy)]
pub enum Program<'a> {
    /// It is verified.
    Verified(&'a Verified),
    /// It is machine code already.
    #[cfg(feature = "wasm")]
    Compiled(&'a Compiled),
}

impl<'a> Program<'a> {
    pub fn module(self) -> &'a Module {
        match self {
            Program::Verified(verified) => verified.module(),
            #[cfg(feature = "wasm")]
            Program::Compiled(compiled) => compiled.module(),
        }
    }

    fn instantiate(self, linker: &Linker<Host>, store: &mut Store<Host>) -> Result<Instance, Error> {
        match self {
            Program::Verified(verified) => linker.instantiate(store, verified),
            #[cfg(feature = "wasm")]
            Program::Compiled(compiled) => linker.instantiate_compiled(store, compiled),
        }
    }
}

/// Makes an instance of the module and calls a function of it, and says how much machine code there was.
pub fn execute(
    (engine, program): (&Engine, Program<'_>),
    entry: Entry<'_>,
    args: &[Value],
    host: Host,
    (clock, code): (&mut Clock, &mut Option<u64>),
) -> Result<Vec<Val>, Failure> {
    // The process ends when the program does: what is not taken down costs nothing.
    let linker = host.linker();
    let mut store = ManuallyDrop::new(Store::new(engine, host));
    let made = linker.and_then(|linker| program.instantiate(&linker, &mut store));
    clock.lap(Phase::Stitch);
    let instance = match made {
        Ok(instance) => instance,
        Err(error) => return ended(program.module(), error),
    };
    *code = instance.code(&*store).map(|(_, code)| code.len() as u64);
    let types = entry.signature.params.iter().copied().chain(std::iter::repeat(Type::I64));
    let value = |(&value, ty): (&Value, Type)| if ty.is_reference() { Val::zero(ty) } else { value.into() };
    let args: Vec<Val> = args.iter().zip(types).map(value).collect();
    clock.lap(Phase::Map);
    let called = call(&mut store, instance, entry, &args);
    clock.lap(Phase::Run);
    called.or_else(|error| ended(program.module(), error))
}

fn call(store: &mut Store<Host>, instance: Instance, entry: Entry<'_>, args: &[Val]) -> Result<Vec<Val>, Error> {
    // A program that is no command is a library, which wants to be made ready first.
    if entry.name != "_start" && entry.name != INITIALIZE {
        if let Some(initialize) = instance.get_func(&*store, INITIALIZE) {
            initialize.call(&mut *store, &[], &mut [])?;
        }
    }
    let Some(func) = instance.get_func(&*store, entry.name) else { return instance.call(store, entry.name, args) };
    let mut results: Vec<Val> = entry.signature.results.iter().map(|&ty| Val::zero(ty)).collect();
    func.call(store, args, &mut results).map(|()| results)
}

/// What a run comes to that did not return.
fn ended(module: &Module, error: Error) -> Result<Vec<Val>, Failure> {
    Err(match error {
        Error::Exit(0) => return Ok(Vec::new()),
        Error::Exit(code) => Failure::Exit(code),
        Error::Trap(trap) => Failure::Trap(trap),
        Error::Run(RunError::Output(error)) => Failure::output(&error),
        Error::Instance(error) => no_instance(module, &error),
        Error::Link(error) => {
            let help = "`spasm run` gives a program nothing of this name; from Rust, `spasm::store::Linker` does";
            let (file, error) = (error.importer.clone(), LinkError { importer: None, ..*error });
            Diagnostic::new(error.to_string()).in_file(file.unwrap_or_default()).help(help).into()
        }
        other => Diagnostic::new(other.to_string()).into(),
    })
}

/// The functions that are exported, by the names for others.
fn exported(module: &Module) -> impl Iterator<Item = Entry<'_>> {
    module.exports.iter().filter_map(|export| {
        let Item::Function(target) = export.item else { return None };
        Some(Entry { name: &export.name, signature: signature(module, target)? })
    })
}

/// The function that is exported under this name.
#[cfg(all(feature = "elf", feature = "wasi"))]
pub fn exported_as<'m>(module: &'m Module, name: &str) -> Option<Entry<'m>> {
    exported(module).find(|entry| entry.name == name)
}

fn signature(module: &Module, target: Target) -> Option<&Signature> {
    match target {
        Target::Function(index) => Some(&module.functions.get(index as usize)?.signature),
        Target::Import(index) => Some(&module.imports.get(index as usize)?.signature),
        _ => None,
    }
}

/// The functions of the module, by its own names.
fn own(module: &Module) -> impl Iterator<Item = Entry<'_>> {
    module.functions.iter().map(|function| Entry { name: &function.name, signature: &function.signature })
}

/// The function to run.
pub fn choose<'m>(given: &Given, module: &'m Module) -> Result<Entry<'m>, UsageError> {
    let file = input::name(&given.words[0]);
    let named = |name: &str| exported(module).chain(own(module)).find(|entry| entry.name == name);
    let error = |message: String| UsageError::new(None, message);
    if let Some(name) = given.value(OptId::Function) {
        let name = name.to_string_lossy();
        return named(&name).ok_or_else(|| no_function(&name, &file, module));
    }
    if let Some(entry) = named("_start").or_else(|| named("main")) {
        return Ok(entry);
    }
    let all = list(module);
    match all[..] {
        [] => Err(error(format!("there is no function in {file}"))),
        [one] => Ok(one),
        _ => {
            let what = if exported(module).next().is_some() { "exported function" } else { "function" };
            let message = format!("{file} has {}, and none is called `_start` or `main`", plural(all.len(), what));
            Err(error(message).help("choose one with -f NAME:").list(listing(&all)))
        }
    }
}

/// The exported functions, or where there is none all of them.
fn list(module: &Module) -> Vec<Entry<'_>> {
    let all: Vec<Entry> = exported(module).collect();
    if all.is_empty() { own(module).collect() } else { all }
}

fn listing(entries: &[Entry<'_>]) -> Vec<String> {
    let shown = entries.iter().take(SHOWN).map(|entry| format!("{}{}", entry.name, entry.signature));
    let more = entries.len().checked_sub(SHOWN).filter(|&more| more > 0);
    shown.chain(more.map(|more| format!("... and {more} more"))).collect()
}

fn no_function(name: &str, file: &str, module: &Module) -> UsageError {
    let error = UsageError::new(None, format!("there is no function `{name}` in {file}"));
    let all = list(module);
    match nearest(name, all.iter().map(|entry| entry.name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("these are its functions:").list(listing(&all)),
    }
}
