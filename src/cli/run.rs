//! `spasm run`: a function of a program, with arguments from the command line.
//!
//! Comes in: what was given. Goes out: what the program prints, its results, and statistics. What must hold: all tiers
//! are used alike; nothing is printed as a result unless the function returned.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use spasm::diagnostic::Diagnostic;
use spasm::exec::{DEFAULT_STACK, Ended, Instance, Plan, Runtime};
use spasm::interp::{self, Store};
use spasm::library::Library;
use spasm::module::{Function, MAX_ARGS, Module};
use spasm::stitch;
use spasm::streams::Streams;
use spasm::text::nearest;
use spasm::trap::{Outcome, RunError};
use spasm::value::Value;
use spasm::verified::Verified;

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::Failure;
use super::stats::{Clock, Phase, Stats};
use super::{input, output, sandbox};

/// What runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Interp,
    Baseline,
}

impl Tier {
    pub fn name(self) -> &'static str {
        match self {
            Tier::Interp => "interp",
            Tier::Baseline => "baseline",
        }
    }
}

/// `spasm run`.
pub fn run(command: &'static Command, given: &Given) -> Result<(), Failure> {
    let tier = tier(command, given)?;
    let file = &given.words[0];
    let mut clock = Clock::new(given.has(OptId::Stats));
    let bytes = input::read(file)?;
    clock.lap(Phase::Read);
    let module = input::parse(file, &bytes)?;
    clock.lap(Phase::Parse);
    if given.has(OptId::Sandbox) {
        sandbox::check(&input::name(file), &module)?;
    }
    // The process ends when the program does: what is not taken down costs nothing.
    let verified = ManuallyDrop::new(input::check(file, module)?);
    clock.lap(Phase::Verify);
    let module = verified.module();
    let index = choose(given, module)?;
    let args = arguments(&module.functions[index as usize], &given.words[1..])?;
    let mut stats = Stats { file: input::name(file), tier, function: index, code: None };
    let ended = match tier {
        Tier::Interp => interpret(&verified, index, &args, &mut clock),
        Tier::Baseline => execute(&verified, index, &args, &mut clock, &mut stats),
    };
    clock.lap(Phase::Run);
    let result = ended.and_then(|outcome| results(&module.functions[index as usize], &outcome));
    if given.has(OptId::Stats) {
        stats.show(given.word(OptId::Stats) == Some("json"), module, &clock);
    }
    result
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

fn interpret(verified: &Verified, function: u32, args: &[u64], clock: &mut Clock) -> Result<Outcome, Failure> {
    let mut store = ManuallyDrop::new(Store::new(verified).map_err(|error| failed(RunError::Memory(error)))?);
    let mut streams = Streams::standard();
    clock.lap(Phase::Map);
    let outcome = interp::call(verified, &mut store, &mut streams, function, args);
    let lost = streams.flush();
    outcome.map_err(|error| also(error, lost))
}

fn execute(
    verified: &Verified,
    function: u32,
    args: &[u64],
    clock: &mut Clock,
    stats: &mut Stats,
) -> Result<Outcome, Failure> {
    let refused = |what: &dyn std::fmt::Display| {
        Diagnostic::new(what.to_string()).help("`--tier interp` runs the program without machine code")
    };
    let image = Arc::new(stitch::stitch(verified, Library::native()).map_err(|error| refused(&error))?);
    stats.code = Some(image.functions.iter().map(|function| u64::from(function.end - function.entry)).sum());
    clock.lap(Phase::Stitch);
    let runtime = Runtime::new(Default::default()).map_err(|error| refused(&error))?;
    let instance = Instance::new(&runtime, verified, image, Some(Streams::standard()), DEFAULT_STACK);
    let mut instance = ManuallyDrop::new(instance.map_err(|error| refused(&error))?);
    // Taking an arena down would be the largest part of a short program's work.
    std::mem::forget(runtime);
    clock.lap(Phase::Map);
    let signature = &verified.module().functions[function as usize].signature;
    let mut results = vec![0; signature.results.len()];
    match instance.call(function, &Plan::new(signature), args, &mut results) {
        Ok(Ended::Returned) => Ok(Outcome::Returned(results)),
        Ok(Ended::Halted) => Ok(Outcome::Halted),
        Err(error) => {
            let lost = instance.set_streams(Streams::captured("").0).map_or(Ok(()), |mut streams| streams.flush());
            Err(also(error, lost))
        }
    }
}

/// A failure, and that what the program had printed before it is lost.
fn also(error: RunError, lost: Result<(), RunError>) -> Failure {
    if let Err(RunError::Output(lost)) = lost {
        Failure::output(&lost).show(super::style::Paint { coloured: false });
    }
    failed(error)
}

fn failed(error: RunError) -> Failure {
    match error {
        RunError::Trap(trap) => Failure::Trap(trap),
        RunError::Output(error) => Failure::output(&error),
        other => Diagnostic::new(other.to_string()).into(),
    }
}

fn results(function: &Function, outcome: &Outcome) -> Result<(), Failure> {
    let Outcome::Returned(bits) = outcome else { return Ok(()) };
    let mut text = String::new();
    for (&ty, &bits) in function.signature.results.iter().zip(bits) {
        let _ = writeln!(text, "{}", Value::from_bits(ty, bits));
    }
    if text.is_empty() { Ok(()) } else { output::print(text.as_bytes()) }
}

/// The function to run.
fn choose(given: &Given, module: &Module) -> Result<u32, UsageError> {
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
            Err(error(message).help(format!("choose one with -f NAME: {}", listing(module))))
        }
    }
}

/// What is wrong with a name that no function has.
pub fn no_function(name: &str, file: &str, module: &Module) -> UsageError {
    let names = module.functions.iter().map(|function| function.name.as_str());
    let near = nearest(name, names).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    UsageError::new(None, format!("there is no function `{name}` in {file}")).help(near + &listing(module))
}

/// The functions of a module; where they are many, the first ones.
fn listing(module: &Module) -> String {
    const SHOWN: usize = 12;
    let mut list: Vec<String> = module
        .functions
        .iter()
        .take(SHOWN)
        .map(|function| format!("{}{}", function.name, function.signature))
        .collect();
    if module.functions.len() > SHOWN {
        list.push(format!("and {} more", module.functions.len() - SHOWN));
    }
    format!("there is {}", list.join(", "))
}

/// The words of the command line as the function takes them.
fn arguments(function: &Function, words: &[OsString]) -> Result<Vec<u64>, UsageError> {
    let signature = &function.signature;
    let shape = || format!("func {}{signature}", function.name);
    let error = |message: String| UsageError::new(None, message);
    let (given, wanted) = (words.len(), signature.params.len());
    if given < wanted || (given > wanted && !signature.variadic) {
        let at_least = if signature.variadic { "at least " } else { "" };
        let were = if given == 1 { "was" } else { "were" };
        let message =
            format!("`{}` takes {at_least}{}, {given} {were} given", function.name, plural(wanted, "argument"));
        return Err(error(message).help(shape()));
    }
    if given > MAX_ARGS as usize {
        return Err(error(format!("{given} arguments were given; {MAX_ARGS} is the most")).help(shape()));
    }
    let types = signature.params.iter().copied().chain(std::iter::repeat(spasm::isa::op::Type::I64));
    let read = |(position, (word, ty)): (usize, (&OsString, spasm::isa::op::Type))| {
        let text = word.to_str().unwrap_or("\u{fffd}");
        Value::parse(text, ty).map(Value::bits).map_err(|problem| {
            let message =
                format!("argument {} of `{}` must be an {}: {problem}", position + 1, function.name, ty.name());
            error(message).help(shape())
        })
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
