//! Reads and writes what modules share with others, and what fills tables and memory.
//!
//! Comes in: a module, or the contents of one of the sections for it. Goes out: the other. What must hold: as for all
//! sections, nothing that is read is believed, and each value is written by the method whose counterpart reads it.

use super::read::{Reader, Result};
use super::write::Writer;
use super::{COMPUTED, IMMUTABLE, IMPORTED, Section};
use crate::module::Module;
use crate::module::link::{Constant, Elements, Export, Growing, ImportName, ImportedFunction, Item, Mode, Segment};
use crate::module::native::Target;

/// The kinds of constants.
const BITS: u8 = 0;
const GLOBAL: u8 = 1;
const FUNCTION: u8 = 2;
/// The modes of elements and segments.
const PASSIVE: u8 = 0;
const ACTIVE: u8 = 1;
const DECLARED: u8 = 2;

impl Reader<'_> {
    /// One of the sections, to which `self` is limited.
    pub(super) fn links(&mut self, section: Section, module: &mut Module) -> Result<()> {
        match section {
            Section::Imports => module.imports = self.list(7, Reader::import)?,
            Section::LinkedGlobals => self.completions(2, module, Reader::linked_global)?,
            Section::ImportedMemory => match &mut module.memory {
                Some(memory) => memory.import = Some(self.from()?),
                None => return self.error("there is no memory that could be imported"),
            },
            Section::GrowingTables => self.completions(5, module, Reader::growing_table)?,
            Section::Elements => module.elements = self.list(5, Reader::elements)?,
            Section::Segments => module.segments = self.list(4, Reader::segment)?,
            Section::Exports => module.exports = self.list(4, Reader::export)?,
            _ => module.start = Some(self.target()?),
        }
        Ok(())
    }

    /// What completes items of another section, which it names by their numbers, each greater than the one before.
    fn completions(
        &mut self,
        least: usize,
        module: &mut Module,
        mut read: impl FnMut(&mut Self, u32, &mut Module) -> Result<()>,
    ) -> Result<()> {
        let mut next = 0;
        self.list(least, |reader| {
            let start = *reader;
            let number = reader.u32()?;
            if number < next {
                return start.error(format!("item number {number} stands in the wrong place"));
            }
            next = number.saturating_add(1);
            read(reader, number, module)
        })?;
        Ok(())
    }

    fn flags(&mut self, what: &str, known: u8) -> Result<u8> {
        let start = *self;
        let flags = self.byte()?;
        if flags & !known == 0 { Ok(flags) } else { start.error(format!("{what} cannot have the flags {flags:#x}")) }
    }

    fn linked_global(&mut self, number: u32, module: &mut Module) -> Result<()> {
        let Some(global) = module.globals.get_mut(number as usize) else {
            return self.error(format!("there is no global number {number}"));
        };
        let flags = self.flags("a global", IMMUTABLE | IMPORTED | COMPUTED)?;
        global.mutable = flags & IMMUTABLE == 0;
        if flags & IMPORTED != 0 {
            global.import = Some(self.from()?);
        }
        if flags & COMPUTED != 0 {
            global.start = self.constant()?;
        }
        Ok(())
    }

    fn growing_table(&mut self, number: u32, module: &mut Module) -> Result<()> {
        let Some(table) = module.tables.get_mut(number as usize) else {
            return self.error(format!("there is no table number {number}"));
        };
        let flags = self.flags("a table", IMPORTED)?;
        let (ty, min, max) = (self.ty()?, self.u32()?, self.maximum()?);
        let import = if flags & IMPORTED == 0 { None } else { Some(self.from()?) };
        table.growing = Some(Growing { ty, min, max, import });
        Ok(())
    }

    fn from(&mut self) -> Result<ImportName> {
        Ok(ImportName { module: self.text()?, name: self.text()? })
    }

    fn import(&mut self) -> Result<ImportedFunction> {
        let from = self.from()?;
        Ok(ImportedFunction { from, name: self.text()?, signature: self.signature()?, line: self.u32()? })
    }

    /// A function or an import.
    fn target(&mut self) -> Result<Target> {
        let start = *self;
        let (kind, index) = (self.u32()?, self.u32()?);
        match Target::from_fields(kind, index) {
            Some(target @ (Target::Function(_) | Target::Import(_))) => Ok(target),
            _ => start.error(format!("nothing of kind {kind} can be referred to")),
        }
    }

    fn constant(&mut self) -> Result<Constant> {
        let start = *self;
        match self.byte()? {
            BITS => self.number().map(Constant::Bits),
            GLOBAL => self.u32().map(Constant::Global),
            FUNCTION => self.target().map(Constant::Function),
            kind => start.error(format!("there is no constant of kind {kind}")),
        }
    }

    fn mode(&mut self) -> Result<Mode> {
        let start = *self;
        match self.byte()? {
            PASSIVE => Ok(Mode::Passive),
            ACTIVE => Ok(Mode::Active { table: self.u32()?, offset: self.constant()? }),
            DECLARED => Ok(Mode::Declared),
            mode => start.error(format!("there is no mode number {mode}")),
        }
    }

    fn elements(&mut self) -> Result<Elements> {
        let (name, ty, mode) = (self.text()?, self.ty()?, self.mode()?);
        Ok(Elements { name, ty, mode, items: self.list(2, Reader::constant)?, line: self.u32()? })
    }

    fn segment(&mut self) -> Result<Segment> {
        let (name, mode) = (self.text()?, self.mode()?);
        Ok(Segment { name, mode, bytes: self.bytes()?.to_vec(), line: self.u32()? })
    }

    fn export(&mut self) -> Result<Export> {
        let name = self.text()?;
        let start = *self;
        let item = match (self.byte()?, self.u32()?) {
            (0, index) => Item::Function(Target::Function(index)),
            (1, index) => Item::Table(index),
            (2, 0) => Item::Memory,
            (3, index) => Item::Global(index),
            (4, index) => Item::Function(Target::Import(index)),
            (kind, index) => return start.error(format!("nothing of kind {kind} and number {index} can be exported")),
        };
        Ok(Export { name, item, line: self.u32()? })
    }
}

impl Writer {
    /// The sections, as far as there is anything for them; true if there is.
    pub(super) fn links(&mut self, module: &Module) -> bool {
        let start = self.len();
        self.list_section(Section::Imports, &module.imports, Writer::import);
        let plain = |start: Constant| matches!(start, Constant::Bits(_));
        let globals = (0..).zip(&module.globals);
        let linked: Vec<_> = globals.filter(|(_, g)| !g.mutable || g.import.is_some() || !plain(g.start)).collect();
        self.list_section(Section::LinkedGlobals, &linked, |out, (number, global)| {
            let immutable = if global.mutable { 0 } else { IMMUTABLE };
            let imported = if global.import.is_some() { IMPORTED } else { 0 };
            let computed = if plain(global.start) { 0 } else { COMPUTED };
            out.u32(*number);
            out.byte(immutable | imported | computed);
            global.import.iter().for_each(|from| out.from(from));
            if computed != 0 {
                out.constant(global.start);
            }
        });
        if let Some(from) = module.memory.as_ref().and_then(|memory| memory.import.as_ref()) {
            self.section(Section::ImportedMemory, |out| out.from(from));
        }
        let tables = (0..).zip(&module.tables);
        let growing: Vec<_> = tables.filter_map(|(n, table)| Some((n, table.growing.as_ref()?))).collect();
        self.list_section(Section::GrowingTables, &growing, |out, &(number, growing)| out.growing(number, growing));
        self.list_section(Section::Elements, &module.elements, Writer::elements);
        self.list_section(Section::Segments, &module.segments, Writer::segment);
        self.list_section(Section::Exports, &module.exports, Writer::export);
        if let Some(start) = module.start {
            self.section(Section::Start, |out| out.target(start));
        }
        self.len() > start
    }

    fn from(&mut self, from: &ImportName) {
        self.text(&from.module);
        self.text(&from.name);
    }

    fn import(&mut self, import: &ImportedFunction) {
        self.from(&import.from);
        self.text(&import.name);
        self.signature(&import.signature);
        self.u32(import.line);
    }

    fn growing(&mut self, number: u32, growing: &Growing) {
        self.u32(number);
        self.byte(if growing.import.is_some() { IMPORTED } else { 0 });
        self.ty(growing.ty);
        self.u32(growing.min);
        self.maximum(growing.max);
        growing.import.iter().for_each(|from| self.from(from));
    }

    fn target(&mut self, target: Target) {
        let (kind, index) = target.fields();
        self.u32(kind);
        self.u32(index);
    }

    fn constant(&mut self, constant: Constant) {
        match constant {
            Constant::Bits(bits) => {
                self.byte(BITS);
                self.number(bits);
            }
            Constant::Global(index) => {
                self.byte(GLOBAL);
                self.u32(index);
            }
            Constant::Function(target) => {
                self.byte(FUNCTION);
                self.target(target);
            }
        }
    }

    fn mode(&mut self, mode: Mode) {
        match mode {
            Mode::Passive => self.byte(PASSIVE),
            Mode::Active { table, offset } => {
                self.byte(ACTIVE);
                self.u32(table);
                self.constant(offset);
            }
            Mode::Declared => self.byte(DECLARED),
        }
    }

    fn elements(&mut self, elements: &Elements) {
        self.text(&elements.name);
        self.ty(elements.ty);
        self.mode(elements.mode);
        self.list(&elements.items, |out, &item| out.constant(item));
        self.u32(elements.line);
    }

    fn segment(&mut self, segment: &Segment) {
        self.text(&segment.name);
        self.mode(segment.mode);
        self.bytes(&segment.bytes);
        self.u32(segment.line);
    }

    fn export(&mut self, export: &Export) {
        self.text(&export.name);
        let (kind, index) = match export.item {
            Item::Function(Target::Import(index)) => (4, index),
            Item::Function(target) => (0, target.fields().1),
            Item::Table(index) => (1, index),
            Item::Memory => (2, 0),
            Item::Global(index) => (3, index),
        };
        self.byte(kind);
        self.u32(index);
        self.u32(export.line);
    }
}
