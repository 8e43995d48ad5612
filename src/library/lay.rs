//! Laying snippets over a library: they take the places of those that serve the same operands.
//!
//! Comes in: extracted snippets and the tables of a library. Goes out: new tables with both. What must hold: what is
//! laid over serves in place of all that the library has for the same opcode and the same kinds of operands, whatever
//! machine that is for; everything else stays.

use super::tables::Tables;
use crate::isa::extract::Extracted;
use crate::isa::snippet::FORMS;
use crate::isa::stored::store_over;
use crate::isa::table::{self, build_over};
use crate::isa::template::TemplateError;

/// The tables of `base` with `extracted` laid over them.
///
/// # Errors
/// Every template that does not fit into the library, or the one at which the library is full.
pub fn lay_over(base: &Tables, extracted: Vec<Extracted>) -> Result<&'static Tables, Vec<TemplateError>> {
    let stored = base.stored();
    let mut forms = vec![0; stored.keys * FORMS];
    stored.forms.iter().for_each(|&[entry, chunk]| forms[usize::from(entry)] = chunk);
    let below = table::Tables {
        first: stored.chunks.len() as u16,
        forms,
        alternatives: stored.alternatives.clone(),
        fusions: stored.fusions.clone(),
        customs: stored.customs.clone(),
        ..table::Tables::default()
    };
    let first = extracted.first().map(|snippet| snippet.template.error(""));
    let tables = build_over(extracted, below)?;
    match store_over(&tables, stored) {
        Ok(stored) => Ok(Tables::leak(stored)),
        Err(message) => {
            Err(first.into_iter().map(|error| TemplateError { message: message.clone(), ..error }).collect())
        }
    }
}
