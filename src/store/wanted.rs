//! Types of what modules import: whether what was found is what is wanted, and how to say so.
//!
//! Comes in: what a module declares, and what a store has. Goes out: whether it fits, and words for both. What must hold: the
//! rules are those of the WebAssembly core specification, section 3.4.4 and 4.5.1: what was found has the wanted size at
//! least, and may not grow further than was said.

use crate::isa::op::Type;
use crate::module::link::Growing;
use crate::module::{self, Signature};
use crate::objects::{Global, LinearMemory, Table};

use super::items::Extern;
use super::state::Core;

pub fn table_fits(found: &Table, wanted: &Growing) -> bool {
    found.ty() == wanted.ty && limits_fit(found.len(), found.max(), wanted.min, wanted.max)
}

pub fn memory_fits(found: &LinearMemory, wanted: &module::Memory) -> bool {
    limits_fit(found.pages(), found.max(), wanted.min, wanted.max)
}

pub fn global_fits(found: &Global, wanted: &module::Global) -> bool {
    found.ty() == wanted.ty && found.is_mutable() == wanted.mutable
}

fn limits_fit(len: u32, max: Option<u32>, wanted_min: u32, wanted_max: Option<u32>) -> bool {
    len >= wanted_min && wanted_max.is_none_or(|wanted| max.is_some_and(|max| max <= wanted))
}

pub fn function(signature: &Signature) -> String {
    format!("a function {signature}")
}

pub fn table(wanted: &Growing) -> String {
    format!("a table of {} with {}", wanted.ty.name(), limits(wanted.min, wanted.max, "element"))
}

pub fn memory(wanted: &module::Memory) -> String {
    format!("a memory of {}", limits(wanted.min, wanted.max, "page"))
}

pub fn global(ty: Type, mutable: bool) -> String {
    format!("a {} of type {}", if mutable { "global" } else { "constant global" }, ty.name())
}

fn limits(min: u32, max: Option<u32>, what: &str) -> String {
    let plural = if min == 1 { "" } else { "s" };
    let max = max.map_or(String::new(), |max| format!(", growing to {max} at most"));
    format!("{min} {what}{plural}{max}")
}

/// What an item of a store is.
pub fn describe(core: &Core, item: Extern) -> String {
    match item {
        Extern::Func(func) => function(core.func(func.handle_in(core)).signature()),
        Extern::Table(found) => {
            let found = found.object(core);
            format!("a table of {} with {}", found.ty().name(), limits(found.len(), found.max(), "element"))
        }
        Extern::Memory(found) => {
            let found = found.object(core);
            format!("a memory of {}", limits(found.pages(), found.max(), "page"))
        }
        Extern::Global(found) => {
            let found = found.object(core);
            global(found.ty(), found.is_mutable())
        }
    }
}
