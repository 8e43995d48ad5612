//! Binding an image to an instance: where its data stands, and the holes in its code that refer to it.
//!
//! Comes in: an image, and the address of an instance's data. Goes out: executable code. What must hold: every hole lies
//! inside of the code and gets the whole of its value, or there is an error.

use std::mem::{offset_of, size_of};

use crate::module::Module;
use crate::stitch::image::{Image, Symbol, TABLE_ENTRY};

use super::arena::ExecutableCode;
use super::context::Context;
use super::error::ExecError;
use super::runtime::Runtime;

/// Where globals and tables stand in an instance's data.
pub struct Layout {
    /// The offset of each table.
    pub tables: Vec<usize>,
    /// Bytes in all.
    pub len: usize,
}

/// Where the first global stands.
pub const GLOBALS: usize = size_of::<Context>();

impl Layout {
    pub fn new(module: &Module) -> Layout {
        let mut len = (GLOBALS + module.globals.len() * 8).next_multiple_of(TABLE_ENTRY as usize);
        let mut place = |count: usize| {
            let at = len;
            len += count * TABLE_ENTRY as usize;
            at
        };
        let tables = module.tables.iter().map(|table| place(table.functions.len())).collect();
        Layout { tables, len }
    }

    /// The offset of what a symbol names.
    fn place(&self, module: &Module, symbol: Symbol) -> Option<usize> {
        Some(match symbol {
            Symbol::Context => 0,
            Symbol::Helper(helper) => offset_of!(Context, helpers) + 8 * helper as usize,
            Symbol::Global(index) => GLOBALS + 8 * module.globals.get(index as usize).map(|_| index as usize)?,
            Symbol::Table(index) => *self.tables.get(index as usize)?,
            Symbol::Pages => offset_of!(Context, pages),
            Symbol::Memory => offset_of!(Context, memory),
            Symbol::Extern(_) | Symbol::Data(_) => return None,
        })
    }
}

/// Holds an image against the module that it is said to be of, as far as memory safety outside of stitched code needs.
pub fn check(image: &Image, module: &Module) -> Result<(), ExecError> {
    let wrong = |message: String| Err(ExecError::Image(message));
    if image.functions.len() != module.functions.len() {
        return wrong(format!("{} functions instead of {}", image.functions.len(), module.functions.len()));
    }
    let len = image.code.len();
    if let Some(index) = image.functions.iter().position(|f| f.entry > f.end || f.end as usize > len) {
        return wrong(format!("function {index} lies outside of its code"));
    }
    Ok(())
}

/// Makes code of an image for an instance whose data starts at the address `data`.
pub fn publish(
    runtime: &Runtime,
    image: &Image,
    module: &Module,
    layout: &Layout,
    data: usize,
) -> Result<ExecutableCode, ExecError> {
    let mut code = runtime.arena().code(image.code.len())?;
    let base = code.address();
    let bytes = code.bytes_mut();
    bytes.copy_from_slice(&image.code);
    for relocation in &image.relocations {
        let symbol = relocation.symbol;
        let Some(place) = layout.place(module, symbol) else {
            return Err(ExecError::Image(format!("its code refers to {symbol:?}, which the module does not have")));
        };
        let at = relocation.offset as usize;
        let Some(hole) = bytes.get_mut(at..at + 4) else {
            return Err(ExecError::Image(format!("the hole at {at:#x} lies outside of its code")));
        };
        let distance = (data + place) as i64 + i64::from(relocation.addend) - (base + at) as i64;
        let reach = i32::try_from(distance);
        let value = reach.map_err(|_| ExecError::OutOfReach { offset: relocation.offset, symbol, distance })?;
        hole.copy_from_slice(&value.to_le_bytes());
    }
    code.publish()
}
