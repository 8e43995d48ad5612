//! `spasm build`: a program as an ELF object, and its C header.
//!
//! Comes in: a file. Goes out: two others. What must hold: nothing is written unless everything can be made.

use std::ffi::OsStr;
use std::path::Path;

use spasm::diagnostic::Diagnostic;
use spasm::elf::{self, Options};
use spasm::explain::features;
use spasm::library::Library;
use spasm::module::Module;
use spasm::stitch::{Entries, Stitcher};
use spasm::verified::Verified;

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::Failure;
use super::{input, output, templates};

/// Runs the command.
pub fn build(command: &'static Command, given: &Given) -> Result<(), Failure> {
    let Some(out) = given.value(OptId::Output) else {
        let error = UsageError::new(Some(command), "`spasm build` needs to know where to write");
        return Err(error.help(format!("usage: spasm build {}", command.usage)).into());
    };
    #[cfg(feature = "wasi")]
    if given.has(OptId::Exe) {
        return super::exe::build(command, given, out);
    }
    #[cfg(feature = "wasi")]
    if given.has(OptId::Dir) || given.has(OptId::Env) {
        let error = UsageError::new(Some(command), "--dir and --env are for programs that --exe makes");
        return Err(error.help("objects have what they are linked with").into());
    }
    let file = &given.words[0];
    let header = given.value(OptId::Header);
    if header == Some(out) {
        let error = UsageError::new(Some(command), format!("object and header are both `{}`", out.display()));
        return Err(error.help("give one of them another name").into());
    }
    let snippets = templates::load(given)?.map(|loaded| loaded.snippets);
    let original = input::load(file, &templates::opcodes(snippets))?;
    let refused = |error: &dyn std::error::Error| Failure::from(Diagnostic::new(error.to_string()));
    let lowered = match original.module().is_linked() {
        true => Some(lower(file, original.module())?),
        false => None,
    };
    let verified = lowered.as_ref().unwrap_or(&original);
    let features = features(given.word(OptId::Cpu).unwrap_or("x86-64")).unwrap_or_default();
    let library = match snippets {
        None => Library::with_features(features),
        Some(snippets) => snippets.library(features),
    };
    let mut stitcher = Stitcher::new(&library);
    stitcher.set_entries(Entries::Exported);
    let image = stitcher.stitch(verified).map_err(|error| input::not_stitched(file, verified.module(), &error))?;
    let name = name(if out == "-" { file } else { out });
    let options = Options { name: &name, runtime: !given.has(OptId::NoRuntime), debug: !given.has(OptId::NoDebug) };
    let object = elf::write(verified, &image, &library, &options).map_err(|error| refused(&error))?;
    if let Some(header) = header {
        output::write(header, file, elf::header(original.module(), &name).as_bytes())?;
    }
    output::write(out, file, &object)
}

/// A linked module as an object can hold it.
fn lower(file: &OsStr, module: &Module) -> Result<Verified, Failure> {
    let mut module = module.clone();
    elf::lower(&mut module).map_err(|error| Diagnostic::new(error.to_string()).in_file(input::name(file)))?;
    input::check(file, module)
}

/// A file's name without its folder and ending.
fn name(file: &OsStr) -> String {
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| stem != "-").unwrap_or_else(|| "module".to_owned())
}
