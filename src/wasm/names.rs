//! The names of functions.
//!
//! Comes in: the custom section `name`, and what the module imports and exports. Goes out: a name for each function and
//! imported function. What must hold: no two are the same; a damaged section of names is no reason to refuse a module.

use std::collections::HashSet;

use wasmparser::{CustomSectionReader, KnownCustom, Name};

use crate::module::Module;
use crate::module::link::Item;
use crate::module::native::Target;

/// What is known of names.
#[derive(Default)]
pub(super) struct Names<'a> {
    functions: Vec<(u32, &'a str)>,
}

impl<'a> Names<'a> {
    /// Takes note of a custom section.
    pub(super) fn section(&mut self, section: &CustomSectionReader<'a>) {
        let KnownCustom::Name(names) = section.as_known() else { return };
        for part in names {
            match part {
                Ok(Name::Function(map)) => {
                    self.functions.extend(map.into_iter().map_while(Result::ok).map(|name| (name.index, name.name)));
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// Names the functions: as the section does; else as they are exported, or imported; else by their numbers.
    pub(super) fn give(&self, module: &mut Module) {
        let imported = module.imports.len();
        let mut names: Vec<Option<&str>> = vec![None; imported + module.functions.len()];
        for export in &module.exports {
            let at = match export.item {
                Item::Function(Target::Function(index)) => imported + index as usize,
                Item::Function(Target::Import(index)) => index as usize,
                _ => continue,
            };
            if let Some(name @ None) = names.get_mut(at) {
                *name = Some(&export.name);
            }
        }
        for &(index, given) in &self.functions {
            if let Some(name) = names.get_mut(index as usize) {
                *name = Some(given);
            }
        }
        let mut taken = HashSet::with_capacity(names.len());
        let mut unique = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let name = name.filter(|name| !name.is_empty()).map_or_else(
                || match module.imports.get(index) {
                    Some(import) => format!("{}.{}", import.from.module, import.from.name),
                    None => format!("func{index}"),
                },
                str::to_owned,
            );
            unique.push(make_unique(name, index, &mut taken));
        }
        let own = unique.split_off(imported);
        module.imports.iter_mut().zip(unique).for_each(|(import, name)| import.name = name);
        module.functions.iter_mut().zip(own).for_each(|(function, name)| function.name = name);
    }
}

/// The name, or if it is taken the name with the function's number, which no other function adds.
fn make_unique(name: String, index: usize, taken: &mut HashSet<String>) -> String {
    let mut unique = name;
    while !taken.insert(unique.clone()) {
        unique = format!("{unique}#{index}");
    }
    unique
}
