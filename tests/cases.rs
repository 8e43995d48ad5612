//! The case files under `tests/cases`: programs with calls and what must come of them, run on every tier.
//!
//! A case file is a program with lines that begin with `#!`. Each of them is a call, made in this order on one instance:
//!
//! ```text
//! #! f(1, -2) = 3, 4.5                   it returns these values; none, if nothing stands behind `=`
//! #! f(0) traps divide by zero           it traps
//! #! f(0) traps unreachable at g:7, f:9  and these functions were being executed at these lines, innermost first
//! #! f() halts                           it ends the program
//! #! f() reads 1 2 prints 3 4.0 =        it is given these words to read, and prints these lines
//! ```
//!
//! What must hold: arguments and results are literals of the function's types, and are compared bit by bit.

#![allow(unsafe_code, reason = "cases that use C need an engine that allows it")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "common/calls.rs"]
mod calls;

use calls::{Call, calls, parse, show, words};
use spasm::engine::{CallError, Config, Engine, Features, Instance, Tier};
use spasm::library::native_features;
use spasm::module::Signature;
use spasm::streams::Streams;
use spasm::trap::{RunError, Trap};
use spasm::verified::Verified;
use spasm::{text, verify};

/// The kind of a trap, and where it happened if the case says that.
fn show_trap(trap: &Trap, end: &str) -> String {
    let mut shown = format!("traps {}", trap.kind);
    if end.contains(" at ") {
        let place = |frame: &spasm::trap::Frame| format!("{}:{}", frame.function, frame.line.unwrap_or(0));
        let places: Vec<String> = trap.frames.iter().map(place).collect();
        _ = write!(shown, " at {}", places.join(", "));
    }
    shown
}

/// What is wrong with a call, if something is.
fn wrong(instance: &mut Instance, signature: &Signature, call: &Call<'_>) -> Option<String> {
    let (streams, printed) = Streams::captured(call.reads);
    instance.set_streams(streams);
    let found = match instance.call(call.function, &parse(&call.args, &signature.params)) {
        Ok(values) => show(&values),
        Err(CallError::Halted) => "halts".to_owned(),
        Err(CallError::Run(RunError::Trap(trap))) => show_trap(&trap, call.end),
        Err(error) => error.to_string(),
    };
    let wanted = match call.end.strip_prefix('=') {
        Some(values) => show(&parse(&words(values), &signature.results)),
        None => call.end.to_owned(),
    };
    let printed = printed.text().trim_end().replace('\n', " ");
    let (found, wanted) = (format!("prints {printed:?}, {found}"), format!("prints {:?}, {wanted}", call.prints));
    (found != wanted).then(|| format!("{}({}) {found}\n    instead of {wanted}", call.function, call.args.join(", ")))
}

fn engines() -> Vec<(&'static str, Engine)> {
    let engine = |tier, left_out| {
        // SAFETY: the cases that use C call its functions as what they are.
        unsafe { Engine::allowing_natives(Config { tier, left_out, ..Config::default() }) }
    };
    vec![
        ("the interpreter", engine(Tier::Interp, Features(0))),
        ("machine code", engine(Tier::Baseline, Features(0))),
        ("plain machine code", engine(Tier::Baseline, native_features())),
    ]
}

fn verified(path: &Path, source: &str) -> Verified {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let module = text::parse(&name, source).unwrap_or_else(|errors| panic!("{errors}"));
    verify::verify(module).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "spasm"));
    files.sort();
    files
}

#[test]
fn calls_give_what_the_case_files_say() {
    let mut defects = String::new();
    for path in files() {
        let source = std::fs::read_to_string(&path).unwrap();
        let verified = verified(&path, &source);
        let calls = calls(&source);
        assert!(!calls.is_empty(), "{} calls nothing", path.display());
        for (tier, engine) in engines() {
            let mut instance = engine.instantiate(&verified).unwrap();
            for call in &calls {
                let module = verified.module();
                let index = module.function_index(call.function);
                let index = index.unwrap_or_else(|| panic!("{}: no function {}", path.display(), call.function));
                let signature = &module.functions[index as usize].signature;
                if let Some(defect) = wrong(&mut instance, signature, call) {
                    _ = writeln!(defects, "{}:{}: with {tier}, {defect}", path.display(), call.line);
                }
            }
        }
    }
    assert!(defects.is_empty(), "{defects}");
}
