//! Prints what modules share with others, and what fills tables and memory.
//!
//! Comes in: items of a module, verified or not. Goes out: lines that read back as the same items. What must hold: as for
//! the rest of the printer, what cannot be written becomes a name or a number that the parser refuses.

use super::print::{Printer, literal, name, quoted};
use crate::isa::object::Named;
use crate::isa::op::Type;
use crate::module::link::{Constant, Elements, Export, ImportName, ImportedFunction, Item, Mode, Segment};
use crate::module::native::Target;
use crate::module::{Global, Memory, Table};

impl Printer<'_> {
    /// What stands before an item that is another module's.
    fn from(&mut self, import: Option<&ImportName>) {
        if let Some(from) = import {
            self.put(format_args!("import {} {} ", quoted(&from.module), quoted(&from.name)));
        }
    }

    pub(super) fn import(&mut self, import: &ImportedFunction) {
        self.from(Some(&import.from));
        self.put(format_args!("func {}{}\n", name(&import.name), import.signature));
    }

    pub(super) fn global(&mut self, global: &Global) {
        self.from(global.import.as_ref());
        let word = if global.mutable { "" } else { "const " };
        self.put(format_args!("global {} {word}{}", name(&global.name), global.ty.name()));
        if global.import.is_none() {
            self.put(format_args!(" = {}", self.constant(global.start, global.ty)));
        }
        self.out.push('\n');
    }

    pub(super) fn memory(&mut self, memory: &Memory) {
        self.from(memory.import.as_ref());
        self.put(format_args!("memory {}", memory.min));
        self.maximum(memory.max);
    }

    fn maximum(&mut self, max: Option<u32>) {
        if let Some(max) = max {
            self.put(format_args!(" {max}"));
        }
        self.out.push('\n');
    }

    pub(super) fn table(&mut self, table: &Table) {
        if let Some(growing) = &table.growing {
            self.from(growing.import.as_ref());
            self.put(format_args!("table {} {} {}", name(&table.name), growing.ty.name(), growing.min));
            return self.maximum(growing.max);
        }
        self.put(format_args!("table {} = [", name(&table.name)));
        for (at, &function) in table.functions.iter().enumerate() {
            self.separate(at);
            let function = self.target_name(Target::Function(function));
            self.out.push_str(&function);
        }
        self.out.push_str("]\n");
    }

    pub(super) fn elements(&mut self, elements: &Elements) {
        self.put(format_args!("elem {} {}", name(&elements.name), elements.ty.name()));
        match elements.mode {
            Mode::Passive => {}
            Mode::Active { table, offset } => {
                self.out.push_str(" in ");
                self.table_name(table);
                self.put(format_args!(" at {}", self.constant(offset, Type::I32)));
            }
            Mode::Declared => self.out.push_str(" declared"),
        }
        self.out.push_str(" = [");
        for (at, &item) in elements.items.iter().enumerate() {
            self.separate(at);
            let item = self.constant(item, elements.ty);
            self.out.push_str(&item);
        }
        self.out.push_str("]\n");
    }

    pub(super) fn segment(&mut self, segment: &Segment) {
        self.put(format_args!("segment {}", name(&segment.name)));
        match segment.mode {
            Mode::Passive => {}
            Mode::Active { offset, .. } => self.put(format_args!(" at {}", self.constant(offset, Type::I32))),
            Mode::Declared => self.out.push_str(" declared"),
        }
        self.out.push_str(" = ");
        self.bytes(&segment.bytes);
    }

    pub(super) fn export(&mut self, export: &Export) {
        self.put(format_args!("export {} ", quoted(&export.name)));
        match export.item {
            Item::Function(target) => self.put(format_args!("func {}", self.target_name(target))),
            Item::Table(index) => {
                self.out.push_str("table ");
                self.table_name(index);
            }
            Item::Memory => self.out.push_str("memory"),
            Item::Global(index) => {
                let global = self.module.globals.get(index as usize).map(|global| global.name.as_str());
                self.out.push_str("global ");
                self.name_or_missing(global, "global", index);
            }
        }
        self.out.push('\n');
    }

    pub(super) fn table_name(&mut self, index: u32) {
        let table = self.module.tables.get(index as usize).map(|table| table.name.as_str());
        self.name_or_missing(table, "table", index);
    }

    fn constant(&self, constant: Constant, ty: Type) -> String {
        match constant {
            Constant::Bits(0) if ty.is_reference() => "null".to_owned(),
            Constant::Bits(bits) => literal(bits, ty),
            Constant::Global(index) => match self.module.globals.get(index as usize) {
                Some(global) => format!("global {}", name(&global.name)),
                None => format!("global \"global {index}, which is missing\""),
            },
            // The word is no name here.
            Constant::Function(target) => match self.target_name(target) {
                word if word == "null" => "\"null\"".to_owned(),
                name => name,
            },
        }
    }

    /// What an instruction on tables, elements or segments names, by its two numbers.
    pub(super) fn named(&mut self, what: Named, [first, second]: [u32; 2], at: usize) {
        let module = self.module;
        let index = if at == 0 { first } else { second };
        match what {
            Named::Table => self.table_name(index),
            Named::Elements => {
                let elements = module.elements.get(index as usize).map(|elements| elements.name.as_str());
                self.name_or_missing(elements, "elem", index);
            }
            Named::Segment => {
                let segment = module.segments.get(index as usize).map(|segment| segment.name.as_str());
                self.name_or_missing(segment, "segment", index);
            }
            Named::Function => {
                let named = Target::from_fields(first, second).map(|target| self.target_name(target));
                self.out.push_str(&named.unwrap_or_else(|| "\"what is missing\"".to_owned()));
            }
        }
    }
}
