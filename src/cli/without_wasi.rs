//! What stands where `wasi` does in a `spasm` that was built without WASI.
//!
//! Comes in: the command line. Goes out: nothing that a program could use. What must hold: the names are those of `wasi`.

use spasm::module::Module;
use spasm::store::{Error, Linker};

use super::args::Given;
use super::commands::Command;
use super::failure::Failure;
use super::run::Entry;

/// Nothing is given to programs.
#[derive(Default)]
pub struct Host {
    /// No program takes words.
    pub takes_words: bool,
}

impl Host {
    #[allow(clippy::unnecessary_wraps, reason = "it is as it is where there is WASI")]
    pub fn new(_: &'static Command, _: &Given, _: &Module, _: Entry<'_>) -> Result<Host, Failure> {
        Ok(Host::default())
    }

    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "it is as it is where there is WASI")]
    pub fn linker(&self) -> Result<Linker<Host>, Error> {
        Ok(Linker::new())
    }
}
