//! `spasm snippets list` and `spasm snippets show`.
//!
//! Comes in: a pattern or a name. Goes out: what the library has. What must hold: nothing found is an error that says
//! what there is.

use std::io;

use spasm::diagnostic::Diagnostic;
use spasm::explain::catalogue;
use spasm::explain::ink::Pen;
use spasm::library::Library;
use spasm::text::nearest;

use super::args::Given;
use super::commands::OptId;
use super::failure::Failure;
use super::output;
use super::style::Paint;

/// `spasm snippets list`.
pub fn list(given: &Given) -> Result<(), Failure> {
    let library = Library::native();
    let pattern = given.words.first().map_or(String::new(), |word| word.to_string_lossy().into_owned());
    let found = catalogue::find(library, &pattern);
    if found.is_empty() {
        return Err(nothing(library, &pattern));
    }
    let text = if given.has(OptId::Json) {
        catalogue::as_json(library, &found)
    } else {
        catalogue::list(library, &found, pen(given))
    };
    output::print(text.as_bytes())
}

/// `spasm snippets show`.
pub fn show(given: &Given) -> Result<(), Failure> {
    let library = Library::native();
    let name = given.words[0].to_string_lossy();
    let found = catalogue::named(library, &name);
    if found.is_empty() {
        return Err(nothing(library, &name));
    }
    let text = if given.has(OptId::Json) {
        catalogue::as_json(library, &found)
    } else {
        catalogue::show(library, &found, pen(given))
    };
    output::print(text.as_bytes())
}

fn pen(given: &Given) -> Pen {
    Pen { coloured: Paint::new(given.word(OptId::Color), &io::stdout()).coloured }
}

fn nothing(library: &Library, name: &str) -> Failure {
    let error = Diagnostic::new(format!("there is no snippet `{name}`"));
    let names = || library.infos().iter().map(|info| info.name);
    let stems = names().filter_map(|name| name.split('.').next());
    match nearest(name, names().chain(stems)) {
        Some(near) => error.help(format!("did you mean `{near}`?")).into(),
        None => error.help("`spasm snippets list` lists them all").into(),
    }
}
