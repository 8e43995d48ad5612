//! Binding an image to an instance: where its data stands, and the holes in its code that refer to it.
//!
//! Comes in: an image, the address of an instance's data, and those of C functions. Goes out: executable code, with the
//! read-only data behind it. What must hold: every hole lies inside of the code and gets the whole of its value, or there
//! is an error.

use std::mem::{offset_of, size_of};

use crate::module::Module;
use crate::module::native::{Data, Target};
use crate::stitch::image::{EntryImage, Image, Symbol, TABLE_ENTRY};

use super::arena::{ExecutableCode, WritableCode};
use super::context::Context;
use super::error::ExecError;
use super::linked::Cells;
use super::runtime::Runtime;

/// Where data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPlace {
    /// In the instance's data, at this offset.
    Writable(usize),
    /// Behind the code, at this offset from its start: in pages that cannot be written.
    ReadOnly(usize),
}

/// Where everything of an instance stands that is neither code nor linear memory.
pub struct Layout {
    /// The offset of each table.
    pub tables: Vec<usize>,
    /// The offset of the first extern's cell.
    pub externs: usize,
    /// The offset of the first cell of a linked module.
    pub linked: usize,
    /// Where its other cells stand behind that.
    pub cells: Cells,
    /// The place of each item of data.
    pub data: Vec<DataPlace>,
    /// Bytes of the instance's data.
    pub len: usize,
    /// Bytes of code and read-only data.
    pub code: usize,
}

/// Where the first global stands.
pub const GLOBALS: usize = size_of::<Context>();
/// What code and read-only data of an instance are aligned to, and the largest alignment of data.
const ALIGN: usize = 64;

impl Layout {
    pub fn new(module: &Module, image: &Image) -> Layout {
        let mut len = (GLOBALS + module.globals.len() * 8).next_multiple_of(TABLE_ENTRY as usize);
        let mut place = |count: usize| {
            let at = len;
            len += count * TABLE_ENTRY as usize;
            at
        };
        let tables = module.tables.iter().map(|table| place(table.functions.len())).collect();
        let externs = len;
        len += 8 * module.externs.len();
        let (linked, cells) = (len, Cells::new(module));
        len += cells.len;
        let mut code = image.code.len();
        let mut data_place = |data: &Data| {
            let end = if data.writable { &mut len } else { &mut code };
            let at = end.next_multiple_of((data.align as usize).clamp(1, ALIGN));
            *end = at + data.len() as usize;
            if data.writable { DataPlace::Writable(at) } else { DataPlace::ReadOnly(at) }
        };
        let data = module.data.iter().map(&mut data_place).collect();
        Layout { tables, externs, linked, cells, data, len, code }
    }
}

/// The addresses that an image is bound to.
pub struct Bases<'a> {
    pub module: &'a Module,
    pub image: &'a Image,
    pub layout: &'a Layout,
    /// Where the instance's data starts.
    pub data: usize,
    /// Where its code starts.
    pub code: usize,
    /// The C functions that its externs are.
    pub externs: &'a [usize],
}

impl Bases<'_> {
    /// The address of what a symbol names.
    fn symbol(&self, symbol: Symbol) -> Option<usize> {
        let module = self.module;
        let cells = &self.layout.cells;
        let cell = |first: usize, count: usize, index: u32| {
            let inside = (index as usize) < count && cells.len != 0;
            inside.then_some(self.layout.linked + first + 8 * index as usize)
        };
        let offset = match symbol {
            Symbol::Context => 0,
            Symbol::Helper(helper) => offset_of!(Context, helpers) + 8 * helper as usize,
            Symbol::Global(index) => GLOBALS + 8 * module.globals.get(index as usize).map(|_| index as usize)?,
            Symbol::Table(index) => *self.layout.tables.get(index as usize)?,
            Symbol::Pages => offset_of!(Context, pages),
            Symbol::Memory => offset_of!(Context, memory),
            Symbol::Extern(index) => {
                self.layout.externs + 8 * module.externs.get(index as usize).map(|_| index as usize)?
            }
            Symbol::Data(index) => return self.target(Target::Data(index)),
            Symbol::Import(index) => cell(0, module.imports.len(), index)?,
            Symbol::Growing(index) => cell(cells.tables, module.tables.len(), index)?,
            Symbol::Signature(index) => cell(cells.signatures, module.signatures.len(), index)?,
            Symbol::Shared(index) => cell(cells.globals, module.globals.len(), index)?,
            Symbol::PagesCell => cell(cells.pages, usize::from(cells.len != 0), 0)?,
        };
        Some(self.data + offset)
    }

    /// The address of something that has one for the program.
    pub fn target(&self, target: Target) -> Option<usize> {
        Some(match target {
            Target::Data(index) => match *self.layout.data.get(index as usize)? {
                DataPlace::Writable(at) => self.data + at,
                DataPlace::ReadOnly(at) => self.code + at,
            },
            // An imported function has no native address.
            Target::Import(_) => return None,
            Target::Extern(index) => *self.externs.get(index as usize)?,
            Target::Function(index) => {
                let entries = &self.image.entries;
                let found = entries.binary_search_by_key(&index, |entry| entry.function).ok()?;
                self.code + entries[found].start as usize
            }
        })
    }

    /// Writes an item of data where it stands: its bytes, and the addresses in it. What is behind is zero already.
    pub fn fill(&self, data: &Data, place: &mut [u8]) -> Result<(), ExecError> {
        place[..data.bytes.len()].copy_from_slice(&data.bytes);
        for pointer in &data.pointers {
            let at = pointer.offset as usize;
            let wrong = || ExecError::Image(format!("`{}` refers to what there is no code of", data.name));
            let base = self.target(pointer.target).ok_or_else(wrong)?;
            let more = u64::from_le_bytes(place[at..at + 8].try_into().unwrap_or_default());
            place[at..at + 8].copy_from_slice(&(base as u64).wrapping_add(more).to_le_bytes());
        }
        Ok(())
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
    let outside = |entry: &EntryImage| {
        entry.start > entry.end || entry.end as usize > len || entry.function as usize >= module.functions.len()
    };
    if image.crossings.iter().any(outside) {
        return wrong("an entry for other modules lies outside of its code".to_owned());
    }
    if !image.entries.is_sorted_by(|a, b| a.function < b.function) {
        return wrong("its entries for C are not in the order of their functions".to_owned());
    }
    Ok(())
}

/// Makes code of an image.
pub fn publish(bases: &Bases, mut code: WritableCode) -> Result<ExecutableCode, ExecError> {
    let bytes = code.bytes_mut();
    bytes[..bases.image.code.len()].copy_from_slice(&bases.image.code);
    bytes[bases.image.code.len()..].fill(0);
    for (data, place) in bases.module.data.iter().zip(&bases.layout.data) {
        if let DataPlace::ReadOnly(at) = *place {
            bases.fill(data, &mut bytes[at..at + data.len() as usize])?;
        }
    }
    for relocation in &bases.image.relocations {
        let symbol = relocation.symbol;
        let Some(address) = bases.symbol(symbol) else {
            return Err(ExecError::Image(format!("its code refers to {symbol:?}, which the module does not have")));
        };
        let at = relocation.offset as usize;
        let Some(hole) = bytes.get_mut(at..at + 4) else {
            return Err(ExecError::Image(format!("the hole at {at:#x} lies outside of its code")));
        };
        let distance = address as i64 + i64::from(relocation.addend) - (bases.code + at) as i64;
        let reach = i32::try_from(distance);
        let value = reach.map_err(|_| ExecError::OutOfReach { offset: relocation.offset, symbol, distance })?;
        hole.copy_from_slice(&value.to_le_bytes());
    }
    code.publish()
}

/// Room for the code and the read-only data of an instance.
pub fn room(runtime: &Runtime, layout: &Layout) -> Result<WritableCode, ExecError> {
    runtime.arena().code(layout.code)
}
