//! `spasm run`: a function of a program, with arguments from the command line.
//!
//! Comes in: what was given. Goes out: what the program prints, its results, and statistics. What must hold: all tiers
//! are used alike; nothing is printed as a result unless the function returned.

#![allow(unsafe_code, reason = "allows programs to use C, which whoever runs them has asked for")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::mem::ManuallyDrop;

use spasm::diagnostic::Diagnostic;
use spasm::engine::{CallError, Config, Engine, Instance, InstanceError, Tier};
use spasm::explain::features;
use spasm::isa::op::Type;
use spasm::isa::snippet::Features;
use spasm::library::native_features;
use spasm::module::{MAX_VARIADIC, Module, Signature};
use spasm::stitch::StitchError;
use spasm::stitch::image::Image;
use spasm::store::Val;
use spasm::text::nearest;
use spasm::trap::RunError;
use spasm::value::Value;
use spasm::verified::Verified;

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::Failure;
use super::stats::{Clock, Phase, Stats};
use super::wasi::Host;
use super::{input, linked, output, sandbox, templates, watch};

/// `spasm run`.
pub fn run(command: &'static Command, given: &Given) -> Result<(), Failure> {
    let tier = tier(command, given)?;
    if given.has(OptId::Watch) {
        return watch::watch(given);
    }
    let file = &given.words[0];
    let mut clock = Clock::new(given.has(OptId::Stats));
    let bytes = input::read(file)?;
    clock.lap(Phase::Read);
    #[cfg(feature = "wasm")]
    if let Some(ended) = in_pieces(command, given, &bytes, tier) {
        return ended;
    }
    let snippets = templates::load(given)?.map(|loaded| loaded.snippets);
    let program = input::program(file, &bytes, &templates::opcodes(snippets))?;
    let module = program.module;
    clock.lap(Phase::Parse);
    if given.has(OptId::Sandbox) {
        sandbox::check(&input::name(file), &module)?;
    }
    // The process ends when the program does: what is not taken down costs nothing.
    let verified = ManuallyDrop::new(input::check(file, module)?);
    clock.lap(Phase::Verify);
    let module = verified.module();
    let entry = if module.is_linked() { linked::choose(given, module)? } else { choose(given, module)? };
    let host = Host::new(command, given, module, entry)?;
    let args = if host.takes_words { Vec::new() } else { arguments(entry, &given.words[1..])? };
    let mut stats = Stats { file: input::name(file), tier, function: entry.name, code: None };
    let mut config = Config { snippets, left_out: left_out(given)?, ..config(tier, given) };
    // Read-only data stands with the code.
    let data: u64 = module.data.iter().map(spasm::module::native::Data::len).sum();
    config.arena.code = config.arena.code.saturating_add(data as usize);
    config.arena.data = config.arena.data.saturating_add(data as usize);
    // The process ends when the program does: what is not taken down costs nothing.
    // SAFETY: whoever runs a program trusts it as they would any other command; with --sandbox it was checked to use
    // nothing of C.
    let engine = ManuallyDrop::new(unsafe { Engine::allowing_natives(config) });
    let results = if module.is_linked() {
        linked::execute(
            (&engine, linked::Program::Verified(&verified)),
            entry,
            &args,
            host,
            (&mut clock, &mut stats.code),
        )
    } else {
        #[cfg(feature = "elf")]
        let instance = match program.object {
            Some(object) => from_object(&engine, &verified, object, &mut clock, &mut stats),
            None => stitched(&engine, &verified, &mut clock, &mut stats),
        };
        #[cfg(not(feature = "elf"))]
        let instance = stitched(&engine, &verified, &mut clock, &mut stats);
        let instance = ManuallyDrop::new(instance.map_err(|error| no_instance(module, &error))?);
        execute(instance, entry.name, &args, &mut clock)
    };
    let printed = results.and_then(|results| print(&results));
    if given.has(OptId::Stats) {
        stats.show(given.word(OptId::Stats) == Some("json"), module, &clock);
    }
    printed
}

/// Runs WebAssembly that is made ready a function at a time, on all cores. It is not for who wants to know how long each
/// phase takes: there are none then.
#[cfg(feature = "wasm")]
fn in_pieces(command: &'static Command, given: &Given, bytes: &[u8], tier: Tier) -> Option<Result<(), Failure>> {
    if tier != Tier::Baseline || given.has(OptId::Stats) || !spasm::wasm::is_binary(bytes) {
        return None;
    }
    let run = || {
        let snippets = templates::load(given)?.map(|loaded| loaded.snippets);
        let config = Config { snippets, left_out: left_out(given)?, ..config(tier, given) };
        // The process ends when the program does: what is not taken down costs nothing.
        let engine = ManuallyDrop::new(Engine::new(config));
        let compiled = ManuallyDrop::new(input::compile(&given.words[0], bytes, &engine)?);
        let module = compiled.module();
        let entry = linked::choose(given, module)?;
        let host = Host::new(command, given, module, entry)?;
        let args = if host.takes_words { Vec::new() } else { arguments(entry, &given.words[1..])? };
        let program = linked::Program::Compiled(&compiled);
        let results = linked::execute((&engine, program), entry, &args, host, (&mut Clock::new(false), &mut None));
        results.and_then(|results| print(&results))
    };
    Some(run())
}

fn tier(command: &'static Command, given: &Given) -> Result<Tier, UsageError> {
    match given.word(OptId::Tier) {
        Some("interp") => Ok(Tier::Interp),
        Some("opt") => {
            let error = UsageError::new(Some(command), "there is no tier `opt` in this version of Spasm");
            Err(error.help("`--tier baseline` is the fastest there is, and what `auto` takes"))
        }
        _ => Ok(Tier::Baseline),
    }
}

/// What this machine has and code is to do without.
fn left_out(given: &Given) -> Result<Features, Failure> {
    let Some(cpu) = given.word(OptId::Cpu) else { return Ok(Features::default()) };
    let (wanted, native) = (features(cpu).unwrap_or_default(), native_features());
    let lacking: Vec<&str> =
        Features::ALL.iter().filter(|(_, bit)| wanted.0 & bit & !native.0 != 0).map(|(name, _)| *name).collect();
    if lacking.is_empty() {
        return Ok(Features(native.0 & !wanted.0));
    }
    let error = Diagnostic::new(format!("this machine is no {cpu}: it lacks {}", lacking.join(", ")));
    Err(error.help("`spasm explain --cpu` shows code for machines that are not this one").into())
}

fn config(tier: Tier, given: &Given) -> Config {
    #[cfg(feature = "elf")]
    {
        use spasm::engine::{Observers, Perf};
        let perf = match given.word(OptId::Perf) {
            Some("map") => Perf::Map,
            Some(_) => Perf::Dump,
            None => Perf::Off,
        };
        Config { tier, observers: Observers { debugger: given.has(OptId::Debugger), perf }, ..Config::default() }
    }
    #[cfg(not(feature = "elf"))]
    let _ = given;
    #[cfg(not(feature = "elf"))]
    Config { tier, ..Config::default() }
}

/// An instance whose code is made now.
fn stitched(
    engine: &Engine,
    verified: &Verified,
    clock: &mut Clock,
    stats: &mut Stats<'_>,
) -> Result<Instance, InstanceError> {
    engine.instantiate_watched(verified, |image| {
        clock.lap(Phase::Stitch);
        stats.code = Some(code_bytes(image));
    })
}

/// An instance whose code was made when the object was built.
#[cfg(feature = "elf")]
#[allow(unsafe_code, reason = "the object's machine code is run as it is")]
fn from_object(
    engine: &Engine,
    verified: &Verified,
    object: spasm::elf::Loaded,
    clock: &mut Clock,
    stats: &mut Stats<'_>,
) -> Result<Instance, InstanceError> {
    clock.lap(Phase::Stitch);
    stats.code = (stats.tier == Tier::Baseline).then(|| code_bytes(object.image()));
    // SAFETY: who runs a program vouches for it, be it an executable or an object; that it is whole and for this machine
    // was checked when it was read.
    unsafe { engine.instantiate_object(verified, object) }
}

fn code_bytes(image: &Image) -> u64 {
    image.functions.iter().map(|made| u64::from(made.end - made.entry)).sum()
}

/// Calls the function; a program that halts has no results.
fn execute(
    mut instance: ManuallyDrop<Instance>,
    function: &str,
    args: &[Value],
    clock: &mut Clock,
) -> Result<Vec<Val>, Failure> {
    clock.lap(Phase::Map);
    let called = instance.call(function, args);
    clock.lap(Phase::Run);
    match called {
        Ok(results) => Ok(results.into_iter().map(Val::from).collect()),
        Err(CallError::Halted) => Ok(Vec::new()),
        Err(CallError::Run(RunError::Trap(trap))) => Err(Failure::Trap(trap)),
        Err(CallError::Run(RunError::Output(error))) => Err(Failure::output(&error)),
        Err(other) => Err(Diagnostic::new(other.to_string()).into()),
    }
}

pub fn no_instance(module: &Module, error: &InstanceError) -> Failure {
    if let InstanceError::Stitch(error @ StitchError::Opcode(_)) = error {
        let file = module.source.as_ref().map_or("", |source| source.name.as_str());
        return input::not_stitched(file.as_ref(), module, error).into();
    }
    let shown = Diagnostic::new(error.to_string());
    match error {
        // No tier has what is not there.
        InstanceError::Memory(_)
        | InstanceError::Link(_)
        | InstanceError::Import(_)
        | InstanceError::Natives { .. } => shown.into(),
        _ => shown.help("`--tier interp` runs the program without machine code").into(),
    }
}

fn print(results: &[Val]) -> Result<(), Failure> {
    if results.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for value in results {
        let _ = writeln!(text, "{value}");
    }
    output::print(text.as_bytes())
}

/// A function that can be run.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'m> {
    pub name: &'m str,
    pub signature: &'m Signature,
}

/// The function to run.
fn choose<'m>(given: &Given, module: &'m Module) -> Result<Entry<'m>, UsageError> {
    let function = &module.functions[index(given, module)? as usize];
    Ok(Entry { name: &function.name, signature: &function.signature })
}

fn index(given: &Given, module: &Module) -> Result<u32, UsageError> {
    let file = input::name(&given.words[0]);
    let error = |message: String| UsageError::new(None, message);
    if let Some(name) = given.value(OptId::Function) {
        let name = name.to_string_lossy();
        return module.function_index(&name).ok_or_else(|| no_function(&name, &file, module));
    }
    match (module.function_index("main"), module.functions.len()) {
        (Some(main), _) => Ok(main),
        (None, 0) => Err(error(format!("there is no function in {file}"))),
        (None, 1) => Ok(0),
        (None, many) => {
            let message = format!("{file} has {many} functions, and none is called `main`");
            Err(error(message).help("choose one with -f NAME:").list(listing(module)))
        }
    }
}

/// What is wrong with a name that no function has.
pub fn no_function(name: &str, file: &str, module: &Module) -> UsageError {
    let names = module.functions.iter().map(|function| function.name.as_str());
    let error = UsageError::new(None, format!("there is no function `{name}` in {file}"));
    match nearest(name, names) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("these are its functions:").list(listing(module)),
    }
}

/// The functions of a module; where they are many, the first ones.
fn listing(module: &Module) -> Vec<String> {
    const SHOWN: usize = 20;
    let functions = module.functions.iter().take(SHOWN);
    let mut list: Vec<String> = functions.map(|function| format!("{}{}", function.name, function.signature)).collect();
    if module.functions.len() > SHOWN {
        list.push(format!("... and {} more", module.functions.len() - SHOWN));
    }
    list
}

/// The words of the command line as the function takes them.
fn arguments(entry: Entry<'_>, words: &[OsString]) -> Result<Vec<Value>, UsageError> {
    let Entry { name, signature } = entry;
    let shape = || format!("func {name}{signature}");
    let error = |message: String| UsageError::new(None, message);
    let (given, wanted) = (words.len(), signature.params.len());
    if given < wanted || (given > wanted && !signature.variadic) {
        let at_least = if signature.variadic { "at least " } else { "" };
        let were = if given == 1 { "was" } else { "were" };
        let message = format!("`{name}` takes {at_least}{}, {given} {were} given", plural(wanted, "argument"));
        return Err(error(message).help(shape()));
    }
    if signature.variadic && given > MAX_VARIADIC as usize {
        return Err(error(format!("{given} arguments were given; {MAX_VARIADIC} is the most")).help(shape()));
    }
    let types = signature.params.iter().copied().chain(std::iter::repeat(Type::I64));
    let read = |(position, (word, ty)): (usize, (&OsString, Type))| {
        let text = word.to_str().unwrap_or("\u{fffd}");
        let wrong = |what: String| error(format!("argument {} of `{name}` must be {what}", position + 1)).help(shape());
        match (ty.is_reference(), text) {
            (true, "null") => Ok(Value::from_bits(ty, 0)),
            (true, _) => Err(wrong(format!("`null`, since there is no other {} here", ty.name()))),
            _ => Value::parse(text, ty).map_err(|problem| wrong(format!("an {}: {problem}", ty.name()))),
        }
    };
    words.iter().zip(types).enumerate().map(read).collect()
}

pub fn plural(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
