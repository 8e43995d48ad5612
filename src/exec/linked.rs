//! Instances of linked modules: the cells by which code reaches what is shared, and who may call in.
//!
//! Comes in: a module and its [`Links`]. Goes out: filled cells, and the entries of the functions that others may call. What
//! must hold: what a cell leads to lives as long as the instance, which keeps its links; each of the functions is entered
//! by its crossing, which knows the memory of its instance.

use crate::isa::layout;
use crate::module::Module;
use crate::module::native::Target;
use crate::objects::Links;
use crate::stitch::image::Image;

use super::error::ExecError;
use super::stack::stack_size;

/// The offsets of the first cell of each kind, from the first cell of all; 8 bytes each.
pub struct Cells {
    pub tables: usize,
    pub signatures: usize,
    pub globals: usize,
    pub pages: usize,
    pub len: usize,
}

impl Cells {
    /// Where the cells of a module stand; imported functions have the first. Other modules have none.
    pub fn new(module: &Module) -> Cells {
        if !module.is_linked() {
            return Cells { tables: 0, signatures: 0, globals: 0, pages: 0, len: 0 };
        }
        let tables = 8 * module.imports.len();
        let signatures = tables + 8 * module.tables.len();
        let globals = signatures + 8 * module.signatures.len();
        let pages = globals + 8 * module.globals.len();
        Cells { tables, signatures, globals, pages, len: pages + 8 }
    }
}

/// Fills the cells of a module.
pub fn fill(module: &Module, links: &Links, place: &mut [u8]) {
    let cells = Cells::new(module);
    let mut words = vec![0u64; cells.len / 8];
    let mut list = |at: usize, values: &mut dyn Iterator<Item = usize>| {
        words[at / 8..].iter_mut().zip(values).for_each(|(word, value)| *word = value as u64);
    };
    list(0, &mut links.imports.iter().map(|func| std::sync::Arc::as_ptr(func) as usize));
    list(cells.tables, &mut links.tables.iter().map(|table| table.as_ref().map_or(0, |table| table.address())));
    list(cells.signatures, &mut links.signatures.iter().map(|&number| number as usize));
    list(cells.globals, &mut links.globals.iter().map(|global| global.address()));
    list(cells.pages, &mut links.memory.iter().map(|memory| memory.pages_address()));
    for (cell, word) in place.chunks_exact_mut(8).zip(words) {
        cell.copy_from_slice(&word.to_le_bytes());
    }
}

/// Holds links against the module that they are said to be of, as far as memory safety outside of stitched code needs.
pub fn check(links: &Links, module: &Module) -> Result<(), ExecError> {
    let lists = [
        links.imports.len() == module.imports.len(),
        links.own.len() == module.functions.len(),
        links.tables.len() == module.tables.len(),
        links.tables.iter().zip(&module.tables).all(|(found, table)| found.is_some() == table.growing.is_some()),
        links.globals.len() == module.globals.len(),
        links.memory.is_some() == module.memory.is_some(),
        links.elements.len() == module.elements.len() && links.elements_gone.len() == module.elements.len(),
        links.segments_gone.len() == module.segments.len(),
        links.signatures.len() == module.signatures.len(),
    ];
    if lists.contains(&false) {
        return Err(ExecError::Image("the module is linked with other things than it imports and has".to_owned()));
    }
    let signatures = links.imports.iter().zip(&module.imports);
    match signatures.into_iter().find(|(func, import)| func.signature() != &import.signature) {
        Some((_, import)) => Err(ExecError::Image(format!("import `{}` has another signature", import.name))),
        None => Ok(()),
    }
}

/// The stack that calls of a linked instance get when `wanted` is asked for: functions of the host find room on it.
pub fn stack(wanted: usize) -> usize {
    stack_size(wanted.max(2 * layout::HOST_STACK))
}

/// Gives the functions that others may call their entries, in code that starts at `code`.
pub fn connect(links: &Links, module: &Module, image: &Image, code: usize) {
    for crossing in &image.crossings {
        if let Some(func) = links.function(module, Target::Function(crossing.function)) {
            func.set_entry(code + crossing.start as usize);
        }
    }
}
