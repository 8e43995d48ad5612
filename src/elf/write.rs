//! The writer: sections, symbols and relocations.
//!
//! Comes in: a verified module and its image. Goes out: the bytes of an object. What must hold: every hole of the image
//! has a relocation, and every relocation one of the few kinds that work in programs and libraries alike.

mod linked;
mod trailing;

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;

use object::elf;

use super::container::{Looks, Object, Place, SectionId, SymbolId};
use super::descriptor::{self, To};
use super::layout::State;
use super::names::{c_exports, c_name, c_names};
use super::{ElfError, Options, runtime, stub};
use crate::debug;
use crate::library::Library;
use crate::module::Module;
use crate::module::link::Item;
use crate::module::native::Target;
use crate::stitch::image::{Helper, Image, Symbol as Named, TABLE_ENTRY};
use crate::verified::Verified;

/// Writes one object.
pub struct Writer<'a> {
    verified: &'a Verified,
    module: &'a Module,
    image: &'a Image,
    library: &'a Library,
    options: &'a Options<'a>,
    object: Object<'a>,
    /// The symbols that others have or may name.
    symbols: HashMap<String, SymbolId>,
    lines: Vec<(u32, u32)>,
    /// Where the entry for C of each function is, if it has one.
    entries: Vec<Option<u32>>,
    text: SectionId,
    data: SectionId,
    bss: SectionId,
    rodata: SectionId,
    relro: SectionId,
}

impl<'a> Writer<'a> {
    pub fn new(verified: &'a Verified, image: &'a Image, library: &'a Library, options: &'a Options<'a>) -> Writer<'a> {
        // Pages that are not needed after all are never touched.
        let room = 10 * image.code.len() + 256 * image.functions.len() + 256 * 1024;
        let mut object = Object::with_room(image.functions.len() + 64, image.entries.len() + 64, room);
        let (read, write) = (elf::SHF_ALLOC, elf::SHF_ALLOC | elf::SHF_WRITE);
        let text = object.section(".text", elf::SHT_PROGBITS, elf::SHF_ALLOC | elf::SHF_EXECINSTR);
        let data = object.section(".data", elf::SHT_PROGBITS, write);
        let bss = object.section(".bss", elf::SHT_NOBITS, write);
        let rodata = object.section(".rodata", elf::SHT_PROGBITS, read);
        let relro = object.section(".data.rel.ro", elf::SHT_PROGBITS, write);
        let module = verified.module();
        let mut entries = vec![None; module.functions.len()];
        for entry in &image.entries {
            if let Some(place) = entries.get_mut(entry.function as usize) {
                *place = Some(entry.start);
            }
        }
        let symbols = HashMap::new();
        let lines = debug::lines(module, image);
        Writer {
            verified,
            module,
            image,
            library,
            options,
            object,
            symbols,
            lines,
            entries,
            text,
            data,
            bss,
            rodata,
            relro,
        }
    }

    pub fn write(mut self) -> Result<Vec<u8>, ElfError> {
        let (image, module) = (self.image, self.module);
        if linked::is_open(module) {
            return Err(ElfError::Linked);
        }
        if image.functions.len() != module.functions.len() {
            let message = format!("{} functions instead of {}", image.functions.len(), module.functions.len());
            return Err(ElfError::Image(message));
        }
        let source = module.source.as_ref().map_or("", |source| source.name.as_str());
        self.object.file(source);
        self.object.set(self.text, image.code.as_slice(), 16);
        self.functions();
        let state = self.zeros(self.bss, size_of::<State>() as u64, 16);
        let items = self.items(state);
        self.code_relocations(&items)?;
        self.data_relocations(&items)?;
        self.describe(&items)?;
        let frames = self.frames();
        if self.options.debug {
            self.debug();
        }
        if self.options.runtime {
            let (object, symbols) = (&mut self.object, &mut self.symbols);
            runtime::add(object, frames, |object, name| undefined(object, symbols, name));
        }
        self.notes();
        let bytes = self.object.write();
        // Offsets in sections of names and of debugging information have 32 bits.
        if u32::try_from(bytes.len()).is_err() {
            return Err(ElfError::Object("it would be larger than 4 GiB; split the module".to_owned()));
        }
        Ok(bytes)
    }

    fn zeros(&mut self, section: SectionId, len: u64, align: u64) -> Place {
        self.object.append_zeros(section, len, align)
    }

    fn bytes(&mut self, section: SectionId, bytes: &[u8], align: u64) -> Place {
        self.object.append(section, bytes, align)
    }

    fn local(&mut self, name: &str, place: Place, size: u64) {
        self.object.local(&[name], place, size, elf::STT_OBJECT);
    }

    /// The functions and their entries for C.
    ///
    /// An entry has the name of its function unless that is one of the C library's, which C would then not find any more;
    /// and the name that the header has for it, if that is another. `main` may be C's own.
    fn functions(&mut self) {
        let text = self.text;
        let at = |offset: u32| Place { section: text, offset: u64::from(offset) };
        for (function, made) in self.module.functions.iter().zip(&self.image.functions) {
            let size = u64::from(made.end - made.entry);
            self.object.local(&[&function.name, ".spasm"], at(made.entry), size, elf::STT_FUNC);
        }
        let named = self.named();
        let taken: HashSet<&str> = named.iter().map(|(_, _, in_c)| in_c.as_str()).collect();
        let wanted: HashSet<&str> = self.module.externs.iter().map(|one| one.symbol.as_str()).collect();
        let entries = &self.image.entries;
        for (function, own, in_c) in &named {
            let Ok(nth) = entries.binary_search_by_key(function, |entry| entry.function) else { continue };
            let (start, size) = (entries[nth].start, u64::from(entries[nth].end - entries[nth].start));
            let mut global = |name: &str, bind| {
                let looks = Looks { kind: elf::STT_FUNC, bind, visibility: elf::STV_DEFAULT };
                let id = self.object.global(name, at(start), size, looks);
                // An extern of this name is this function.
                if wanted.contains(name) {
                    self.symbols.insert(name.to_owned(), id);
                }
            };
            if *own == "main" {
                global(own, elf::STB_WEAK);
            } else if own == in_c || (is_own_name(own) && !taken.contains(own)) {
                global(own, elf::STB_GLOBAL);
            }
            if own != in_c {
                global(in_c, elf::STB_GLOBAL);
            }
        }
    }

    /// The functions that C may call: their numbers, their own names, and those in C.
    fn named(&self) -> Vec<(u32, &'a str, String)> {
        if self.module.is_linked() {
            let exports = c_exports(self.module).into_iter();
            return exports
                .filter_map(|export| match export.item {
                    Item::Function(Target::Function(index)) => Some((index, export.own, export.name)),
                    _ => None,
                })
                .collect();
        }
        let functions = (0..).zip(&self.module.functions).zip(c_names(self.module));
        functions.map(|((index, function), name)| (index, function.name.as_str(), name)).collect()
    }

    /// Gives a place to everything that code and data refer to.
    fn items(&mut self, state: Place) -> Items {
        let module = self.module;
        let (globals, tables, data) = (Vec::new(), Vec::new(), Vec::new());
        let mut items = Items { state, helpers: None, globals, tables, data, linked: linked::Items::default() };
        let used = self.image.relocations.iter().filter_map(|relocation| match relocation.symbol {
            Named::Helper(helper) => Some(helper as usize),
            _ => None,
        });
        if let Some(last) = used.max() {
            let used = if last < Helper::PLAIN { &HELPERS[..Helper::PLAIN] } else { &HELPERS };
            let place = self.bytes(self.relro, &vec![0; 8 * used.len()], 8);
            for (nth, name) in used.iter().enumerate() {
                let symbol = undefined(&mut self.object, &mut self.symbols, name);
                self.absolute(place.at(8 * nth as u64), symbol, 0);
            }
            items.helpers = Some(place);
        }
        for global in &module.globals {
            let place = match self.start_of(global) {
                0 => self.zeros(self.bss, 8, 8),
                bits => self.bytes(self.data, &bits.to_le_bytes(), 8),
            };
            self.local(&global.name, place, 8);
            items.globals.push(place);
        }
        for table in &module.tables {
            let len = table.functions.len() * TABLE_ENTRY as usize;
            let place = self.bytes(self.relro, &vec![0; len], u64::from(TABLE_ENTRY));
            for (nth, &function) in table.functions.iter().enumerate() {
                let at = Place { offset: place.offset + nth as u64 * u64::from(TABLE_ENTRY), ..place };
                let text = SymbolId::Section(self.text);
                self.absolute(at, text, i64::from(self.image.functions[function as usize].entry));
                let id = self.verified.signature_ids[function as usize].to_le_bytes();
                self.object.bytes_mut(at.at(8), 4).copy_from_slice(&id);
            }
            self.local(&table.name, place, len as u64);
            items.tables.push(place);
        }
        for data in &module.data {
            let align = u64::from(data.align);
            let place = if data.writable && data.bytes.iter().all(|&byte| byte == 0) && data.pointers.is_empty() {
                self.zeros(self.bss, data.len(), align)
            } else {
                let section = match (data.writable, data.pointers.is_empty()) {
                    (true, _) => self.data,
                    (false, true) => self.rodata,
                    (false, false) => self.relro,
                };
                let mut bytes = data.bytes.clone();
                bytes.resize(data.len() as usize, 0);
                self.bytes(section, &bytes, align)
            };
            self.local(&data.name, place, data.len());
            items.data.push(place);
        }
        if module.is_linked() {
            items.linked = self.linked_items(&items);
        }
        items
    }

    /// The holes of the code.
    fn code_relocations(&mut self, items: &Items) -> Result<(), ElfError> {
        let missing = |symbol: Named| ElfError::Image(format!("its code refers to {symbol:?}, which the module lacks"));
        for relocation in &self.image.relocations {
            let addend = i64::from(relocation.addend);
            let at = Place { section: self.text, offset: u64::from(relocation.offset) };
            let place = match relocation.symbol {
                Named::Extern(index) => {
                    let found = self.module.externs.get(index as usize);
                    let one = found.ok_or_else(|| missing(relocation.symbol))?;
                    let symbol = undefined(&mut self.object, &mut self.symbols, &one.symbol);
                    // The cell with the address is one of the linker's.
                    self.object.relocate(at, symbol, addend, elf::R_X86_64_GOTPCREL);
                    continue;
                }
                Named::Context => Some(items.state),
                Named::Memory => Some(items.state.at(offset_of!(State, memory) as u64)),
                Named::Pages => Some(items.state.at(offset_of!(State, pages) as u64)),
                Named::Helper(helper) => items.helpers.map(|place| place.at(8 * helper as u64)),
                Named::Global(index) => items.globals.get(index as usize).copied(),
                Named::Table(index) => items.tables.get(index as usize).copied(),
                Named::Data(index) => items.data.get(index as usize).copied(),
                Named::Shared(index) => {
                    let found = items.linked.variables.get(&index);
                    let &symbol = found.ok_or_else(|| missing(relocation.symbol))?;
                    self.object.relocate(at, symbol, addend, elf::R_X86_64_GOTPCREL);
                    continue;
                }
                Named::Growing(index) => items.linked.tables.map(|place| place.at(8 * u64::from(index))),
                Named::Signature(index) => items.linked.signatures.map(|place| place.at(4 * u64::from(index))),
                Named::PagesCell => items.linked.pages,
                // These have become externs.
                Named::Import(_) => None,
            };
            let place = place.ok_or_else(|| missing(relocation.symbol))?;
            let symbol = SymbolId::Section(place.section);
            self.object.relocate(at, symbol, addend + place.offset as i64, elf::R_X86_64_PC32);
        }
        Ok(())
    }

    /// The addresses in data.
    fn data_relocations(&mut self, items: &Items) -> Result<(), ElfError> {
        for (data, &place) in self.module.data.iter().zip(&items.data) {
            for pointer in &data.pointers {
                let at = place.at(u64::from(pointer.offset));
                let cell = self.object.bytes_mut(at, 8);
                // What stands there is added to the address.
                let more = i64::from_le_bytes((&*cell).try_into().unwrap_or_default());
                cell.fill(0);
                let (symbol, offset) = match pointer.target {
                    Target::Function(index) => {
                        let entry = self.entries.get(index as usize).copied().flatten();
                        let missing = || ElfError::Image(format!("function {index} has no entry for C"));
                        (SymbolId::Section(self.text), u64::from(entry.ok_or_else(missing)?))
                    }
                    Target::Import(_) => return Err(ElfError::Image("data points to an imported function".to_owned())),
                    Target::Extern(index) => {
                        let name = &self.module.externs[index as usize].symbol;
                        (undefined(&mut self.object, &mut self.symbols, name), 0)
                    }
                    Target::Data(index) => {
                        let place = items.data[index as usize];
                        (SymbolId::Section(place.section), place.offset)
                    }
                };
                self.absolute(at, symbol, more.wrapping_add(offset as i64));
            }
        }
        Ok(())
    }

    fn absolute(&mut self, at: Place, symbol: SymbolId, addend: i64) {
        self.object.relocate(at, symbol, addend, elf::R_X86_64_64);
    }

    /// What the runtime is told, and the functions that tell it.
    fn describe(&mut self, items: &Items) -> Result<(), ElfError> {
        let described = descriptor::describe(self.module, self.image, &self.lines);
        let tables = self.object.append_all(self.rodata, described.tables, descriptor::ALIGN);
        let inits = self.bytes(self.relro, &described.inits, descriptor::ALIGN);
        let links = self.module.is_linked().then(|| self.links(items));
        let place = self.bytes(self.relro, &described.descriptor, descriptor::ALIGN);
        for &(at, offset) in &described.contents {
            let symbol = SymbolId::Section(tables.section);
            self.absolute(inits.at(at), symbol, (tables.offset + offset) as i64);
        }
        for &(at, to) in &described.addresses {
            let to = match to {
                To::Code => Place { section: self.text, offset: 0 },
                To::State => items.state,
                To::Tables(offset) => tables.at(offset),
                To::Inits => inits,
                To::Links => links.unwrap_or(place),
            };
            let symbol = SymbolId::Section(to.section);
            self.absolute(place.at(at), symbol, to.offset as i64);
        }
        if self.module.memory.is_some() {
            let name = format!("spasm_module_{}", &c_name(self.options.name)[6..]);
            let size = size_of::<State>() as u64;
            let looks = Looks { kind: elf::STT_OBJECT, bind: elf::STB_GLOBAL, visibility: elf::STV_DEFAULT };
            self.object.global(&name, items.state, size, looks);
        }
        let initializers = [
            (".init_array.00101", elf::SHT_INIT_ARRAY, "__spasm_register"),
            (".fini_array.00101", elf::SHT_FINI_ARRAY, "__spasm_unregister"),
        ];
        for (array, kind, function) in initializers {
            let stub = stub::stub(self.library);
            let code = self.bytes(self.text, &stub.code, 16);
            let symbol = SymbolId::Section(place.section);
            let (hole, addend) = stub.descriptor;
            self.object.relocate(code.at(hole), symbol, place.offset as i64 + addend, elf::R_X86_64_PC32);
            let symbol = undefined(&mut self.object, &mut self.symbols, function);
            let (hole, addend) = stub.function;
            self.object.relocate(code.at(hole), symbol, addend, elf::R_X86_64_PLT32);
            let array = self.object.section(array, kind, elf::SHF_ALLOC | elf::SHF_WRITE);
            let cell = self.bytes(array, &[0; 8], 8);
            let text = SymbolId::Section(self.text);
            self.absolute(cell, text, code.offset as i64);
        }
        self.start()
    }
}

/// Where everything is that code and data refer to.
struct Items {
    state: Place,
    helpers: Option<Place>,
    globals: Vec<Place>,
    tables: Vec<Place>,
    data: Vec<Place>,
    linked: linked::Items,
}

/// The runtime's helpers, in the order of [`Helper`].
const HELPERS: [&str; Helper::ALL.len()] = [
    "__spasm_print_i64",
    "__spasm_print_f32",
    "__spasm_print_f64",
    "__spasm_read_i64",
    "__spasm_read_f32",
    "__spasm_read_f64",
    "__spasm_mgrow",
    "__spasm_mcopy",
    "__spasm_mfill",
    "__spasm_tget",
    "__spasm_tset",
    "__spasm_tsize",
    "__spasm_tgrow",
    "__spasm_tfill",
    "__spasm_tcopy",
    "__spasm_tinit",
    "__spasm_edrop",
    "__spasm_minit",
    "__spasm_mdrop",
    "__spasm_ref",
];

/// Whether a function's own name may be seen by other objects though C has another for it.
pub(super) fn is_own_name(name: &str) -> bool {
    !name.contains('\0') && !name.is_empty() && !super::names::is_of_c(name) && !runtime::owns(name)
}

/// The symbol of this name, which another object has unless this one does.
fn undefined(object: &mut Object<'_>, symbols: &mut HashMap<String, SymbolId>, name: &str) -> SymbolId {
    *symbols.entry(name.to_owned()).or_insert_with(|| object.undefined(name))
}
