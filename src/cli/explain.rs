//! `spasm explain`.
//!
//! Comes in: a file. Goes out: the listing of its machine code. What must hold: the listing shows the program as it was
//! written; a module without a source is shown as `spasm dis` writes it.

use std::io;

use spasm::explain::ink::Pen;
use spasm::explain::{Listing, features};
use spasm::isa::custom::CustomOp;
use spasm::library::Library;
use spasm::module::Module;
use spasm::text;

use super::args::Given;
use super::commands::OptId;
use super::failure::Failure;
use super::run::no_function;
use super::style::Paint;
use super::{input, output, templates};

/// Runs the command.
pub fn explain(given: &Given) -> Result<(), Failure> {
    let file = &given.words[0];
    let snippets = templates::load(given)?.map(|loaded| loaded.snippets);
    let opcodes = templates::opcodes(snippets);
    let module = with_source(input::parse(file, &input::read(file)?, &opcodes)?, &opcodes);
    let verified = input::check(file, module)?;
    let module = verified.module();
    let wanted: Vec<String> = given.values(OptId::Function).map(|name| name.to_string_lossy().into_owned()).collect();
    if let Some(unknown) = wanted.iter().find(|name| module.function_index(name).is_none()) {
        return Err(no_function(unknown, &input::name(file), module).into());
    }
    let features = features(given.word(OptId::Cpu).unwrap_or("native")).unwrap_or_default();
    let library = match snippets {
        None => Library::with_features(features),
        Some(snippets) => snippets.library(features),
    };
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let page = given.value(OptId::Html);
    let list = if page.is_some() { Listing::with_strips } else { Listing::new };
    let listing = list(&verified, &library, &wanted).map_err(|error| input::not_stitched(file, module, &error))?;
    let source = module.source.as_ref().map_or("", |source| source.text.as_str());
    if let Some(page) = page {
        return output::write(page, file, listing.html(&input::name(file), source).as_bytes());
    }
    let shown = if given.has(OptId::Json) {
        listing.json()
    } else {
        let pen = Pen { coloured: Paint::new(given.word(OptId::Color), &io::stdout()).coloured };
        listing.text(source, pen)
    };
    output::print(shown.as_bytes())
}

/// A module that has a source: its own, or one that is printed and read again.
fn with_source(module: Module, opcodes: &[CustomOp]) -> Module {
    if module.source.as_ref().is_some_and(|source| !source.text.is_empty()) {
        return module;
    }
    let name = module.source.as_ref().map_or(String::new(), |source| source.name.clone());
    text::parse_with(&name, &text::print(&module), opcodes).unwrap_or(module)
}
