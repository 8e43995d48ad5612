//! `check`, `asm` and `dis`: programs from one form to another.
//!
//! Comes in: a file. Goes out: another, or nothing. What must hold: only what the verifier accepts is written.

use spasm::verified::Verified;
use spasm::{binary, text};

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::Failure;
use super::{input, output, templates};

/// The program that was given, with the opcodes of the templates that were.
fn load(given: &Given) -> Result<Verified, Failure> {
    let snippets = templates::load(given)?.map(|loaded| loaded.snippets);
    input::load(&given.words[0], &templates::opcodes(snippets))
}

/// `spasm check`.
pub fn check(given: &Given) -> Result<(), Failure> {
    load(given).map(drop)
}

/// `spasm asm`.
pub fn asm(command: &'static Command, given: &Given) -> Result<(), Failure> {
    let Some(out) = given.value(OptId::Output) else {
        let error = UsageError::new(Some(command), "`spasm asm` needs to know where to write");
        return Err(error.help(format!("usage: spasm asm {}", command.usage)).into());
    };
    let file = &given.words[0];
    let verified = load(given)?;
    output::write(out, file, &binary::encode(verified.module()))
}

/// `spasm dis`.
pub fn dis(given: &Given) -> Result<(), Failure> {
    let file = &given.words[0];
    let verified = load(given)?;
    let text = text::print(verified.module());
    output::write(given.value(OptId::Output).unwrap_or("-".as_ref()), file, text.as_bytes())
}
