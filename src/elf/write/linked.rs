//! What only linked modules have in an object: cells by which code reaches what is shared, and what the runtime is told of
//! tables, references, elements and segments.
//!
//! Comes in: the writer, with globals and data in place. Goes out: cells, symbols of C's variables, the structures of
//! [`layout`](super::super::layout). What must hold: a signature has the same number in the cell that a call compares and in
//! the functions of tables; a reference is one more than the place of its function among these.

use std::collections::HashMap;
use std::mem::offset_of;

use object::elf;

use super::{Looks, Place, SymbolId, Writer, undefined};
use crate::elf::ElfError;
use crate::elf::layout::{Copied, Elements, Func, GONE, Goal, GrowingTable, Links, Segment, State, Table, WAITS};
use crate::elf::lower::c_symbol;
use crate::elf::names::c_exports;
use crate::isa::op::Type;
use crate::module::link::{Constant, Item, Mode};
use crate::module::native::Target;
use crate::module::{Global, Module};

/// How many elements a table may have, as in every tier.
const MAX_ELEMENTS: u32 = 10_000_000;

/// Where everything is that only linked modules have.
#[derive(Default)]
pub(super) struct Items {
    /// The cells with the addresses of the tables.
    pub tables: Option<Place>,
    /// The cells with the numbers of the signatures.
    pub signatures: Option<Place>,
    /// The cell with the address of the number of pages.
    pub pages: Option<Place>,
    /// The symbols of the globals that C may write or read.
    pub variables: HashMap<u32, SymbolId>,
    /// The functions that may be referred to, and the tables themselves.
    functions: Option<Place>,
    growing: Vec<Option<Place>>,
}

/// Whether a module imports what has not been made C's.
pub(super) fn is_open(module: &Module) -> bool {
    !module.imports.is_empty()
        || module.memory.as_ref().is_some_and(|memory| memory.import.is_some())
        || module.tables.iter().any(|table| table.growing.as_ref().is_some_and(|growing| growing.import.is_some()))
        || module.globals.iter().any(|global| global.import.is_some() && global.ty.is_reference())
}

/// A structure that is being filled in.
struct Row {
    bytes: Vec<u8>,
    addresses: Vec<(usize, Place)>,
}

impl Row {
    fn new<T>() -> Row {
        Row { bytes: vec![0; size_of::<T>()], addresses: Vec::new() }
    }

    fn word(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn address(&mut self, at: usize, to: Option<Place>) {
        self.addresses.extend(to.map(|to| (at, to)));
    }
}

impl Writer<'_> {
    /// The bits that a global starts with, as far as they are known.
    pub(super) fn start_of(&self, global: &Global) -> u64 {
        match global.start {
            _ if global.import.is_some() => 0,
            Constant::Function(Target::Function(index)) => self.reference(index).map_or(0, |nth| nth as u64 + 1),
            _ => global.bits(),
        }
    }

    /// Which of the functions that may be referred to this one is.
    fn reference(&self, function: u32) -> Option<usize> {
        self.image.crossings.binary_search_by_key(&function, |crossing| crossing.function).ok()
    }

    /// A pointer to a place.
    fn point(&mut self, at: Place, to: Place) {
        self.absolute(at, SymbolId::Section(to.section), to.offset as i64);
    }

    /// Rows of a structure; where they start.
    fn rows(&mut self, rows: &[Row]) -> Option<Place> {
        let all: Vec<u8> = rows.iter().flat_map(|row| &row.bytes).copied().collect();
        let place = (!all.is_empty()).then(|| self.bytes(self.relro, &all, 8))?;
        let mut at = place;
        for row in rows {
            for &(offset, to) in &row.addresses {
                self.point(at.at(offset as u64), to);
            }
            at = at.at(row.bytes.len() as u64);
        }
        Some(place)
    }

    /// Gives a place to what code refers to.
    pub(super) fn linked_items(&mut self, plain: &super::Items) -> Items {
        let module = self.module;
        let mut items = Items { functions: self.referred(), ..Items::default() };
        for table in &module.tables {
            let place = table.growing.is_some().then(|| self.zeros(self.bss, size_of::<Table>() as u64, 8));
            items.growing.push(place);
        }
        let cells: Vec<Row> = items.growing.iter().map(|&place| cell(place)).collect();
        items.tables = self.rows(&cells);
        let numbers: Vec<u8> = self.verified.calli_ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        items.signatures = (!numbers.is_empty()).then(|| self.bytes(self.rodata, &numbers, 4));
        if module.memory.is_some() {
            items.pages = self.rows(&[cell(Some(plain.state.at(offset_of!(State, pages) as u64)))]);
        }
        for (index, global) in (0..).zip(&module.globals) {
            if let Some(from) = &global.import {
                let symbol = undefined(&mut self.object, &mut self.symbols, &c_symbol(from));
                items.variables.insert(index, symbol);
            }
        }
        for export in c_exports(module) {
            if let Item::Global(index) = export.item {
                let global = &module.globals[index as usize];
                let size = if matches!(global.ty, Type::I64 | Type::F64) { 8 } else { 4 };
                let looks = Looks { kind: elf::STT_OBJECT, bind: elf::STB_GLOBAL, visibility: elf::STV_DEFAULT };
                let symbol = self.object.global(&export.name, plain.globals[index as usize], size, looks);
                items.variables.entry(index).or_insert(symbol);
            }
        }
        items
    }

    /// The functions that may be referred to.
    fn referred(&mut self) -> Option<Place> {
        let image = self.image;
        let rows: Vec<Row> = (1..)
            .zip(&image.crossings)
            .map(|(handle, crossing)| {
                let mut row = Row::new::<Func>();
                let entry = Place { section: self.text, offset: crossing.start.into() };
                row.address(offset_of!(Func, entry), Some(entry));
                row.word(offset_of!(Func, signature), self.verified.signature_ids[crossing.function as usize]);
                row.word(offset_of!(Func, handle), handle);
                row.word(offset_of!(Func, function), crossing.function);
                row
            })
            .collect();
        self.rows(&rows)
    }

    /// What the runtime is told.
    pub(super) fn links(&mut self, items: &super::Items) -> Place {
        let module = self.module;
        let (elements, segments) = (self.elements(&items.linked), self.segments());
        let tables: Vec<Row> = module.tables.iter().zip(&items.linked.growing).map(growing).collect();
        let tables = self.rows(&tables);
        let gone = module.elements.len() + module.segments.len();
        let gone = (gone != 0).then(|| self.zeros(self.bss, gone as u64, 1));
        let (copies, copy_count) = self.copies(items);
        let mut row = Row::new::<Links>();
        row.address(offset_of!(Links, tables), tables);
        row.address(offset_of!(Links, functions), items.linked.functions);
        row.address(offset_of!(Links, elements), elements);
        row.address(offset_of!(Links, segments), segments);
        row.address(offset_of!(Links, copies), copies);
        row.address(offset_of!(Links, gone), gone);
        row.word(offset_of!(Links, table_count), module.tables.len() as u32);
        row.word(offset_of!(Links, function_count), self.image.crossings.len() as u32);
        row.word(offset_of!(Links, element_count), module.elements.len() as u32);
        row.word(offset_of!(Links, segment_count), module.segments.len() as u32);
        row.word(offset_of!(Links, copy_count), copy_count);
        let place = self.rows(&[row]);
        place.unwrap_or(items.state)
    }

    /// The elements as tables hold them, and where they go.
    fn elements(&mut self, items: &Items) -> Option<Place> {
        let module = self.module;
        let mut rows = Vec::with_capacity(module.elements.len());
        for elements in &module.elements {
            let mut held = vec![0; 8 * elements.items.len()];
            let mut addresses = Vec::new();
            for (nth, item) in elements.items.iter().enumerate() {
                match *item {
                    Constant::Function(Target::Function(index)) => {
                        let place = items.functions.zip(self.reference(index));
                        let func = place.map(|(first, nth)| first.at((nth * size_of::<Func>()) as u64));
                        addresses.extend(func.map(|func| (8 * nth, func)));
                    }
                    Constant::Bits(bits) => held[8 * nth..][..8].copy_from_slice(&bits.to_le_bytes()),
                    // Imported globals with references have been refused, and imported functions are externs.
                    Constant::Global(_) | Constant::Function(_) => {}
                }
            }
            let mut row = Row::new::<Elements>();
            row.address(offset_of!(Elements, items), self.rows(&[Row { bytes: held, addresses }]));
            row.word(offset_of!(Elements, len), elements.items.len() as u32);
            rows.push((row, elements.mode));
        }
        self.with_goals(rows, offset_of!(Elements, goal))
    }

    fn segments(&mut self) -> Option<Place> {
        let module = self.module;
        let mut rows = Vec::with_capacity(module.segments.len());
        for segment in &module.segments {
            let bytes = (!segment.bytes.is_empty()).then(|| self.bytes(self.rodata, &segment.bytes, 1));
            let mut row = Row::new::<Segment>();
            row.address(offset_of!(Segment, bytes), bytes);
            row.word(offset_of!(Segment, len), segment.bytes.len() as u32);
            rows.push((row, segment.mode));
        }
        self.with_goals(rows, offset_of!(Segment, goal))
    }

    /// Rows, which have at `goal` where they go.
    fn with_goals(&mut self, rows: Vec<(Row, Mode)>, goal: usize) -> Option<Place> {
        let (mut made, mut variables) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut at = 0;
        for (mut row, mode) in rows {
            let (table, offset) = match mode {
                Mode::Passive => (WAITS, Constant::Bits(0)),
                Mode::Declared => (GONE, Constant::Bits(0)),
                Mode::Active { table, offset } => (table, offset),
            };
            row.word(goal + offset_of!(Goal, table), table);
            match offset {
                Constant::Bits(bits) => row.word(goal + offset_of!(Goal, offset), bits as u32),
                Constant::Global(index) => variables.push((at + goal + offset_of!(Goal, offset_at), index)),
                Constant::Function(_) => {}
            }
            at += row.bytes.len();
            made.push(row);
        }
        let place = self.rows(&made)?;
        for (at, index) in variables {
            self.point_to_variable(place.at(at as u64), index);
        }
        Some(place)
    }

    /// A pointer to a variable of C.
    fn point_to_variable(&mut self, at: Place, global: u32) {
        if let Some(from) = &self.module.globals[global as usize].import {
            let symbol = undefined(&mut self.object, &mut self.symbols, &c_symbol(from));
            self.absolute(at, symbol, 0);
        }
    }

    /// The variables of C that nobody writes: code has a copy, and so have globals that start with their values.
    fn copies(&mut self, items: &super::Items) -> (Option<Place>, u32) {
        let module = self.module;
        let (mut rows, mut variables) = (Vec::new(), Vec::new());
        for (index, (global, &to)) in (0..).zip(module.globals.iter().zip(&items.globals)) {
            let variable = match (&global.import, global.start) {
                (Some(_), _) if global.mutable => continue,
                (Some(_), _) => index,
                (None, Constant::Global(from)) => from,
                _ => continue,
            };
            let mut row = Row::new::<Copied>();
            row.address(offset_of!(Copied, to), Some(to));
            row.word(offset_of!(Copied, size), if matches!(global.ty, Type::I64 | Type::F64) { 8 } else { 4 });
            variables.push((rows.len() * size_of::<Copied>() + offset_of!(Copied, from), variable));
            rows.push(row);
        }
        let Some(place) = self.rows(&rows) else { return (None, 0) };
        for (at, index) in variables {
            self.point_to_variable(place.at(at as u64), index);
        }
        (Some(place), rows.len() as u32)
    }

    /// Has the start function run when all modules are known to the runtime: with the constructors of the program.
    pub(super) fn start(&mut self) -> Result<(), ElfError> {
        let Some(Target::Function(index)) = self.module.start else { return Ok(()) };
        let entry = self.entries.get(index as usize).copied().flatten();
        let entry = entry.ok_or_else(|| ElfError::Image("what runs first has no entry for C".to_owned()))?;
        let array = self.object.section(".init_array", elf::SHT_INIT_ARRAY, elf::SHF_ALLOC | elf::SHF_WRITE);
        let cell = self.bytes(array, &[0; 8], 8);
        self.point(cell, Place { section: self.text, offset: entry.into() });
        Ok(())
    }
}

/// A cell with an address.
fn cell(to: Option<Place>) -> Row {
    let mut row = Row::new::<u64>();
    row.address(0, to);
    row
}

/// What a table is like.
fn growing((table, &place): (&crate::module::Table, &Option<Place>)) -> Row {
    let mut row = Row::new::<GrowingTable>();
    row.address(offset_of!(GrowingTable, table), place);
    if let Some(growing) = &table.growing {
        row.word(offset_of!(GrowingTable, min), growing.min);
        row.word(offset_of!(GrowingTable, max), growing.max.unwrap_or(MAX_ELEMENTS).min(MAX_ELEMENTS));
        row.word(offset_of!(GrowingTable, functions), u32::from(growing.ty == Type::Funcref));
    }
    row
}
