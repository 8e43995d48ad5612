//! The command line: what `spasm` does with its arguments.
//!
//! Comes in: the process's arguments and streams. Goes out: an exit status, and everything a user sees. What must hold:
//! a command builds only what it needs, for the time until a program runs is the user's.

mod args;
#[cfg(feature = "elf")]
mod build;
mod commands;
mod convert;
#[cfg(all(feature = "elf", feature = "wasi"))]
mod exe;
mod explain;
mod failure;
mod help;
mod input;
mod linked;
mod output;
mod run;
mod sandbox;
mod snippet_bench;
mod snippet_check;
mod snippets;
mod stats;
mod style;
mod templates;
#[cfg(feature = "wasi")]
mod wasi;
#[cfg(not(feature = "wasi"))]
#[path = "without_wasi.rs"]
mod wasi;
mod watch;

use std::io;

use args::{Given, Line};
use commands::{Command, CommandId, OptId};
use failure::Failure;
use style::Paint;

/// Does what the command line says, and gives the exit status.
pub fn main() -> i32 {
    #[cfg(all(feature = "elf", feature = "wasi"))]
    if let Some(program) = exe::carried() {
        let result = program.and_then(exe::Program::run);
        return result.map_or_else(|failure| report(&failure, None), |()| 0);
    }
    let line = match args::read(std::env::args_os().skip(1)) {
        Ok(line) => line,
        Err(error) => return report(&error.into(), None),
    };
    let (result, color) = match line {
        Line::Command(command, given) => (execute(command, &given), color(&given)),
        Line::Help(command, given) => {
            let paint = Paint::new(given.word(OptId::Color), &io::stdout());
            (output::print(help::text(command, paint).as_bytes()), color(&given))
        }
        Line::Version => (output::print(concat!("spasm ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()), None),
    };
    result.map_or_else(|failure| report(&failure, color.as_deref()), |()| 0)
}

fn color(given: &Given) -> Option<String> {
    given.word(OptId::Color).map(str::to_owned)
}

fn report(failure: &Failure, color: Option<&str>) -> i32 {
    failure.show(Paint::new(color, &io::stderr()));
    failure.status()
}

fn execute(command: &'static Command, given: &Given) -> Result<(), Failure> {
    match command.id {
        CommandId::Run => run::run(command, given),
        CommandId::Check => convert::check(given),
        CommandId::Explain => explain::explain(given),
        CommandId::Asm => convert::asm(command, given),
        CommandId::Dis => convert::dis(given),
        CommandId::SnippetsBench => snippet_bench::bench(given),
        CommandId::SnippetsCheck => snippet_check::check(given),
        #[cfg(feature = "elf")]
        CommandId::Build => build::build(command, given),
        CommandId::SnippetsList => snippets::list(given),
        CommandId::SnippetsShow => snippets::show(given),
    }
}
