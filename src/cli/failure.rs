//! What a command can end with other than success, and the exit status of each.
//!
//! Comes in: failures of all kinds. Goes out: a message on standard error and a status. What must hold: 1 for input that
//! was refused and for streams that failed, 2 for wrong usage, 134 for a trap.

use std::fmt::Write as _;
use std::io::{self, Write};

use spasm::diagnostic::{Diagnostic, Diagnostics, clean};
use spasm::trap::Trap;

use super::args::UsageError;
use super::style::{BOLD, CODE, Paint, WRONG};

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    Usage(UsageError),
    Refused(Diagnostics),
    Trap(Trap),
    /// The program ended itself with this code.
    Exit(i32),
    /// Whoever read the output does not want more of it.
    Closed,
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Failure {
        Failure::Usage(error)
    }
}

impl From<Diagnostic> for Failure {
    fn from(error: Diagnostic) -> Failure {
        Failure::Refused(error.into())
    }
}

impl From<Diagnostics> for Failure {
    fn from(errors: Diagnostics) -> Failure {
        Failure::Refused(errors)
    }
}

impl Failure {
    /// Standard output, or a file that stands for it, could not be written.
    pub fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Diagnostic::new(format!("standard output cannot be written: {}", plain(error))).into(),
        }
    }

    /// The status that the process ends with.
    pub fn status(&self) -> i32 {
        match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Trap(_) => 134,
            Failure::Exit(code) => *code,
            // As if the signal had ended it that ends other programs then.
            Failure::Closed => 128 + libc::SIGPIPE,
        }
    }

    /// Shows it. Where standard error is gone, too, nobody can be told.
    pub fn show(&self, paint: Paint) {
        let text = match self {
            Failure::Usage(error) => usage(error, paint),
            Failure::Refused(errors) => errors.render(paint.coloured),
            Failure::Trap(trap) => trapped(trap, paint),
            Failure::Exit(_) | Failure::Closed => return,
        };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn usage(error: &UsageError, paint: Paint) -> String {
    let mut diagnostic = Diagnostic::new(&error.message);
    if let Some(help) = &error.help {
        diagnostic = diagnostic.help(help);
    }
    let mut shown = diagnostic.render(paint.coloured);
    for line in &error.list {
        // Names come from the program.
        let _ = writeln!(shown, "    {}", clean(line));
    }
    let Some(command) = error.command else { return shown };
    let help = paint.with(CODE, &format!("spasm help {}", command.name));
    format!("{shown}\n{help} says more.\n")
}

fn trapped(trap: &Trap, paint: Paint) -> String {
    let text = trap.to_string();
    match text.split_once('\n') {
        _ if !paint.coloured => text + "\n",
        Some((first, stack)) => format!("{}\n{stack}\n", headline(first, paint)),
        None => headline(&text, paint) + "\n",
    }
}

fn headline(text: &str, paint: Paint) -> String {
    match text.split_once(": ") {
        Some((word, rest)) => paint.with(WRONG, word) + &paint.with(BOLD, &format!(": {rest}")),
        None => text.to_owned(),
    }
}

/// An error of the system without its number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
