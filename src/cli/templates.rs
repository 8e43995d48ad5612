//! `--snippets`: templates of the user in place of built-in ones.
//!
//! Comes in: folders and files. Goes out: the library, or what is wrong with the templates, at the lines of the user's
//! own files. What must hold: no message is about a file that the user has not written.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use spasm::diagnostic::{Diagnostic, Diagnostics, Place};
use spasm::isa::custom::CustomOp;
use spasm::isa::template::TemplateError;
use spasm::snippets::{Loaded, SnippetErrors, Snippets, Toolchain};

use super::args::Given;
use super::commands::OptId;
use super::failure::Failure;

/// How many errors are shown.
const LIMIT: usize = 20;

/// The folders and files that were given.
pub fn paths(given: &Given) -> Vec<PathBuf> {
    given.values(OptId::Snippets).map(PathBuf::from).collect()
}

/// The library with what was given laid over it; nothing if nothing was given.
pub fn load(given: &Given) -> Result<Option<Loaded>, Failure> {
    let paths = paths(given);
    if paths.is_empty() {
        return Ok(None);
    }
    Toolchain::default().load(&paths).map(Some).map_err(|errors| refused(&errors).into())
}

/// The opcodes that templates declare.
pub fn opcodes(snippets: Option<Snippets>) -> Vec<CustomOp> {
    snippets.map_or(Vec::new(), Snippets::opcodes)
}

/// What is wrong with templates, with the lines of the files.
pub fn refused(errors: &SnippetErrors) -> Diagnostics {
    let mut texts: HashMap<&str, String> = HashMap::new();
    let list = errors.0.iter().take(LIMIT).map(|error| {
        let text = texts.entry(&error.file).or_insert_with(|| fs::read_to_string(&error.file).unwrap_or_default());
        diagnostic(error, text)
    });
    let list: Vec<Diagnostic> = list.collect();
    let empty = || Diagnostic::new("the templates were refused").into();
    Diagnostics::new(list, errors.0.len() > LIMIT).unwrap_or_else(empty)
}

fn diagnostic(error: &TemplateError, text: &str) -> Diagnostic {
    let message = match error.template.as_str() {
        "" => error.message.clone(),
        name => format!("template `{name}`: {}", error.message),
    };
    let shown = Diagnostic::new(message).in_file(&error.file);
    match error.line {
        0 => shown,
        number => {
            let line = text.lines().nth(number as usize - 1).unwrap_or("");
            let start = line.len() - line.trim_start().len();
            shown.at(Place::new(number, line, start..line.trim_end().len()))
        }
    }
}
