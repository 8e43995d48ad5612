//! The container: an ELF object of sections, symbols and relocations.
//!
//! Comes in: contents, and names of what is in them. Goes out: the bytes of a relocatable object for x86-64 (System V ABI,
//! chapter 4; ELF-64 Object File Format 1.5). What must hold: the same calls give the same bytes; local symbols stand
//! before the others, the group before its members.
//!
//! The structures are those of the crate `object`. Its own container looks up every name in tables and sorts them all,
//! which takes longer than stitching; here a name is written when it comes, since no two are alike anyway.

mod file;

use std::borrow::Cow;
use std::ops::Range;

use object::elf::{self, Sym64};
use object::{LittleEndian, U16, U32, U64};

const LE: LittleEndian = LittleEndian;
type Symbol = Sym64<LittleEndian>;

/// A section, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionId(u32);

/// What relocations refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolId {
    /// The start of a section.
    Section(SectionId),
    /// A symbol that others may name, by its number.
    Global(u32),
}

/// A place in a section.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The section.
    pub section: SectionId,
    /// Where in it.
    pub offset: u64,
}

impl Place {
    /// So many bytes further on.
    pub fn at(self, more: u64) -> Place {
        Place { offset: self.offset + more, ..self }
    }
}

/// What a symbol is to linkers.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// A function or an object.
    pub kind: elf::SymbolType,
    /// Local, global or weak.
    pub bind: elf::SymbolBind,
    /// Who sees it.
    pub visibility: elf::SymbolVisibility,
}

struct Section<'a> {
    name: &'static str,
    kind: elf::SectionType,
    flags: elf::SectionFlags,
    align: u64,
    data: Cow<'a, [u8]>,
    /// Where they stand in the file, if they were written there.
    written: Option<Range<usize>>,
    /// What stands behind them, where they are borrowed.
    more: Vec<u8>,
    /// Of a section without contents in the file.
    zeros: u64,
    relocations: Vec<Relocation>,
    /// The number of its symbol among those of sections, if something refers to it.
    symbol: Option<u32>,
}

impl Section<'_> {
    fn len(&self) -> usize {
        self.data.len() + self.more.len()
    }
}

struct Relocation {
    offset: u64,
    symbol: SymbolId,
    addend: i64,
    kind: elf::RelocationType,
}

/// An object that is being made.
pub struct Object<'a> {
    /// The file's header, and the contents that were written where they stay.
    file: Vec<u8>,
    sections: Vec<Section<'a>>,
    /// The sections that have symbols.
    named: Vec<SectionId>,
    locals: Vec<Symbol>,
    globals: Vec<Symbol>,
    strings: Vec<u8>,
    group: Option<(SymbolId, Vec<SectionId>)>,
}

impl<'a> Object<'a> {
    /// One with room for so many symbols, and for so many bytes.
    pub fn with_room(locals: usize, globals: usize, bytes: usize) -> Object<'a> {
        let mut file = Vec::with_capacity(bytes);
        file.resize(file::START, 0);
        Object {
            file,
            sections: Vec::new(),
            named: Vec::new(),
            locals: Vec::with_capacity(locals),
            globals: Vec::with_capacity(globals),
            strings: Vec::from([0]),
            group: None,
        }
    }

    /// Adds an empty section.
    pub fn section(&mut self, name: &'static str, kind: elf::SectionType, flags: elf::SectionFlags) -> SectionId {
        let (data, relocations) = (Cow::Borrowed(&[][..]), Vec::new());
        self.sections.push(Section {
            name,
            kind,
            flags,
            align: 1,
            data,
            written: None,
            more: Vec::new(),
            zeros: 0,
            relocations,
            symbol: None,
        });
        SectionId(self.sections.len() as u32 - 1)
    }

    fn of(&mut self, id: SectionId) -> &mut Section<'a> {
        &mut self.sections[id.0 as usize]
    }

    /// The contents of an empty section.
    pub fn set(&mut self, section: SectionId, data: impl Into<Cow<'a, [u8]>>, align: u64) {
        let section = self.of(section);
        (section.data, section.align) = (data.into(), align);
    }

    /// Gives the file, for the contents of a section to be written at its end.
    pub fn open(&mut self) -> Vec<u8> {
        let mut file = std::mem::take(&mut self.file);
        file.resize(file.len().next_multiple_of(16), 0);
        file
    }

    /// Takes the file back, with the contents of a section from `start` on, to which nothing can be added.
    pub fn close(&mut self, id: SectionId, file: Vec<u8>, start: usize, align: u64) {
        let section = self.of(id);
        (section.written, section.align) = (Some(start..file.len()), align);
        self.file = file;
    }

    /// Adds contents.
    pub fn append(&mut self, id: SectionId, bytes: &[u8], align: u64) -> Place {
        let section = self.of(id);
        section.align = section.align.max(align);
        let offset = section.len().next_multiple_of(align as usize);
        // Code is not copied for the sake of what follows it.
        let (data, before) = match &mut section.data {
            Cow::Borrowed(borrowed) => (&mut section.more, borrowed.len()),
            Cow::Owned(owned) => (owned, 0),
        };
        data.resize(offset - before, 0);
        data.extend_from_slice(bytes);
        Place { section: id, offset: offset as u64 }
    }

    /// Adds contents, which become those of the section if it has none yet.
    pub fn append_all(&mut self, id: SectionId, bytes: Vec<u8>, align: u64) -> Place {
        if self.of(id).len() > 0 {
            return self.append(id, &bytes, align);
        }
        self.set(id, bytes, align);
        Place { section: id, offset: 0 }
    }

    /// Makes a section of zeros longer.
    pub fn append_zeros(&mut self, id: SectionId, len: u64, align: u64) -> Place {
        let section = self.of(id);
        section.align = section.align.max(align);
        let offset = section.zeros.next_multiple_of(align);
        section.zeros = offset + len;
        Place { section: id, offset }
    }

    /// So many bytes of contents.
    pub fn bytes_mut(&mut self, place: Place, len: usize) -> &mut [u8] {
        let section = self.of(place.section);
        let offset = place.offset as usize;
        match offset.checked_sub(section.data.len()) {
            Some(behind) => &mut section.more[behind..][..len],
            None => &mut section.data.to_mut()[offset..][..len],
        }
    }

    /// Puts the sections that have this one's name and more, such as `.text.spasm`, into a group of which linkers keep one.
    pub fn group(&mut self, signature: SymbolId, sections: &[SectionId]) {
        for &id in sections {
            self.of(id).flags |= elf::SHF_GROUP;
        }
        self.group = Some((signature, sections.to_vec()));
    }

    /// Writes a name, which is made of these pieces.
    fn name(&mut self, pieces: &[&str]) -> U32<LittleEndian> {
        let at = self.strings.len() as u32;
        for piece in pieces {
            match piece.as_bytes() {
                clean if !clean.contains(&0) => self.strings.extend_from_slice(clean),
                other => self.strings.extend(other.iter().filter(|&&byte| byte != 0)),
            }
        }
        if self.strings.len() as u32 == at {
            return U32::new(LE, 0);
        }
        self.strings.push(0);
        U32::new(LE, at)
    }

    /// Says which file this is made from; before all other symbols.
    pub fn file(&mut self, name: &str) {
        let st_name = self.name(&[name]);
        let st_info = elf::SymbolInfo::new(elf::STB_LOCAL, elf::STT_FILE);
        self.locals.push(Sym64 { st_name, st_info, st_shndx: U16::new(LE, elf::SHN_ABS), ..nothing() });
    }

    /// Defines a symbol that only tools see. Its name is made of these pieces.
    pub fn local(&mut self, name: &[&str], place: Place, size: u64, kind: elf::SymbolType) {
        let st_name = self.name(name);
        let looks = Looks { kind, bind: elf::STB_LOCAL, visibility: elf::STV_DEFAULT };
        self.locals.push(defined(st_name, place, size, looks));
    }

    /// Defines a symbol that others may name.
    pub fn global(&mut self, name: &str, place: Place, size: u64, looks: Looks) -> SymbolId {
        let st_name = self.name(&[name]);
        self.globals.push(defined(st_name, place, size, looks));
        SymbolId::Global(self.globals.len() as u32 - 1)
    }

    /// A symbol that is elsewhere.
    pub fn undefined(&mut self, name: &str) -> SymbolId {
        let st_name = self.name(&[name]);
        let st_info = elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_NOTYPE);
        self.globals.push(Sym64 { st_name, st_info, ..nothing() });
        SymbolId::Global(self.globals.len() as u32 - 1)
    }

    /// Says where a symbol is that was undefined before.
    pub fn define(&mut self, symbol: SymbolId, place: Place, size: u64, looks: Looks) {
        if let SymbolId::Global(nth) = symbol {
            let symbol = &mut self.globals[nth as usize];
            *symbol = defined(symbol.st_name, place, size, looks);
        }
    }

    /// Adds a relocation.
    pub fn relocate(&mut self, at: Place, symbol: SymbolId, addend: i64, kind: elf::RelocationType) {
        if let SymbolId::Section(id) = symbol {
            let next = self.named.len() as u32;
            let section = self.of(id);
            if section.symbol.is_none() {
                section.symbol = Some(next);
                self.named.push(id);
            }
        }
        self.of(at.section).relocations.push(Relocation { offset: at.offset, symbol, addend, kind });
    }

    /// Makes room for so many relocations more.
    pub fn expect(&mut self, section: SectionId, relocations: usize) {
        self.of(section).relocations.reserve(relocations);
    }
}

/// The symbol that the table starts with.
fn nothing() -> Symbol {
    Sym64 {
        st_name: U32::new(LE, 0),
        st_info: elf::SymbolInfo(0),
        st_other: elf::SymbolOther(0),
        st_shndx: U16::new(LE, elf::SHN_UNDEF),
        st_value: U64::new(LE, 0),
        st_size: U64::new(LE, 0),
    }
}

fn defined(st_name: U32<LittleEndian>, place: Place, size: u64, looks: Looks) -> Symbol {
    Sym64 {
        st_name,
        st_info: elf::SymbolInfo::new(looks.bind, looks.kind),
        st_other: elf::SymbolOther::from(looks.visibility),
        st_shndx: U16::new(LE, elf::SymbolSection(place.section.0 as u16 + 1)),
        st_value: U64::new(LE, place.offset),
        st_size: U64::new(LE, size),
    }
}
