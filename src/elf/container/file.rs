//! The bytes of a container.
//!
//! Comes in: sections, symbols and relocations. Goes out: the file. What must hold: numbers of sections and symbols are
//! those of the tables' rows: the group, sections, symbols, names, relocations; local symbols, sections, other symbols.

use std::mem::size_of;

use object::elf::{self, FileHeader64, Ident, Rela64, SectionHeader64};
use object::pod::bytes_of;
use object::{I64, LittleEndian, U16, U32, U64};

use super::{LE, Looks, Object, Place, Section, Symbol, SymbolId, defined, nothing};

type Start = FileHeader64<LittleEndian>;
/// How long the file's header is.
pub const START: usize = size_of::<Start>();
type Header = SectionHeader64<LittleEndian>;
type Rela = Rela64<LittleEndian>;

impl<'a> Object<'a> {
    /// The bytes of the object.
    pub fn write(mut self) -> Vec<u8> {
        let contents: usize = self.sections.iter().map(|section| section.len() + section.align as usize).sum();
        let relocations: usize = self.sections.iter().map(|section| section.relocations.len()).sum();
        let symbols = 1 + self.locals.len() + self.named.len() + self.globals.len();
        let room = contents + relocations * size_of::<Rela>() + symbols * size_of::<Symbol>();
        let mut file = File { bytes: std::mem::take(&mut self.file), headers: Vec::new() };
        file.bytes.reserve(room + self.strings.len() + 8192);
        file.headers.push(header(elf::SHT_NULL, 1, 0));
        self.put_group(&mut file);
        let first = file.headers.len() as u32;
        for section in &self.sections {
            let mut header = header(section.kind, section.align, 0);
            header.sh_flags = U64::new(LE, section.flags);
            if let Some(written) = &section.written {
                header.sh_offset = U64::new(LE, written.start as u64);
                header.sh_size = U64::new(LE, written.len() as u64);
                file.headers.push(header);
                continue;
            }
            file.align(section.align);
            let start = file.bytes.len();
            file.bytes.extend_from_slice(&section.data);
            file.bytes.extend_from_slice(&section.more);
            file.head(header, start);
            if section.kind == elf::SHT_NOBITS {
                file.last().sh_size = U64::new(LE, section.zeros);
            }
        }
        self.put_symbols(&mut file, first);
        self.put_relocations(&mut file, first);
        self.put_names(&mut file, first);
        file.end()
    }

    /// The sections with relocations, which have a header more.
    fn related(&self) -> impl Iterator<Item = (usize, &Section<'a>)> {
        self.sections.iter().enumerate().filter(|(_, section)| !section.relocations.is_empty())
    }

    /// The number of the symbol table's header, given that of the first section's.
    fn table(&self, first: u32) -> u32 {
        first + self.sections.len() as u32
    }

    /// The number that a symbol has in the table.
    fn number(&self, symbol: SymbolId) -> u32 {
        let globals = 1 + self.locals.len() as u32;
        match symbol {
            SymbolId::Section(id) => globals + self.sections[id.0 as usize].symbol.unwrap_or(0),
            SymbolId::Global(nth) => globals + self.named.len() as u32 + nth,
        }
    }

    fn put_group(&self, file: &mut File) {
        let Some((signature, members)) = &self.group else { return };
        file.align(4);
        let mut words = elf::GRP_COMDAT.0.to_le_bytes().to_vec();
        words.extend(members.iter().flat_map(|member| (member.0 + 2).to_le_bytes()));
        let mut header = header(elf::SHT_GROUP, 4, 4);
        header.sh_link = U32::new(LE, self.table(2));
        header.sh_info = U32::new(LE, self.number(*signature));
        file.put(header, &words);
    }

    fn put_symbols(&self, file: &mut File, first: u32) {
        file.align(8);
        let start = file.bytes.len();
        file.bytes.extend_from_slice(bytes_of(&nothing()));
        let sections = self.named.iter().map(|&section| {
            let looks = Looks { kind: elf::STT_SECTION, bind: elf::STB_LOCAL, visibility: elf::STV_DEFAULT };
            defined(U32::new(LE, 0), Place { section, offset: 0 }, 0, looks)
        });
        for mut symbol in self.locals.iter().copied().chain(sections).chain(self.globals.iter().copied()) {
            // What is in a section has the number of that plus one, until here.
            match symbol.st_shndx.get(LE) {
                elf::SHN_UNDEF | elf::SHN_ABS => {}
                section => symbol.st_shndx = U16::new(LE, elf::SymbolSection(section.0 - 1 + first as u16)),
            }
            file.bytes.extend_from_slice(bytes_of(&symbol));
        }
        let mut symbols = header(elf::SHT_SYMTAB, 8, size_of::<Symbol>());
        symbols.sh_link = U32::new(LE, self.table(first) + 1);
        symbols.sh_info = U32::new(LE, 1 + self.locals.len() as u32 + self.named.len() as u32);
        file.head(symbols, start);
        file.put(header(elf::SHT_STRTAB, 1, 0), &self.strings);
    }

    fn put_relocations(&self, file: &mut File, first: u32) {
        for (nth, section) in self.related() {
            file.align(8);
            let start = file.bytes.len();
            for one in &section.relocations {
                file.bytes.extend_from_slice(bytes_of(&Rela64 {
                    r_offset: U64::new(LE, one.offset),
                    r_info: Rela64::r_info(LE, false, self.number(one.symbol), one.kind),
                    r_addend: I64::new(LE, one.addend),
                }));
            }
            let mut header = header(elf::SHT_RELA, 8, size_of::<Rela>());
            header.sh_flags = U64::new(LE, elf::SHF_INFO_LINK);
            header.sh_link = U32::new(LE, self.table(first));
            header.sh_info = U32::new(LE, first + nth as u32);
            file.head(header, start);
        }
    }

    /// The names of sections, each in the header that is in its turn.
    fn put_names(&self, file: &mut File, first: u32) {
        let mut names = Vec::from([0]);
        let mut name = |pieces: &[&str]| {
            let at = names.len() as u32;
            names.extend_from_slice(pieces.concat().as_bytes());
            names.push(0);
            U32::new(LE, at)
        };
        let own = self.sections.iter().map(|section| ["", section.name]);
        let related = self.related().map(|(_, section)| [".rela", section.name]);
        let tables = [["", ".symtab"], ["", ".strtab"]];
        let group = (first > 1).then_some(["", ".group"]);
        let all = group.into_iter().chain(own).chain(tables).chain(related);
        for (header, pieces) in file.headers[1..].iter_mut().zip(all) {
            header.sh_name = name(&pieces);
        }
        let mut last = header(elf::SHT_STRTAB, 1, 0);
        last.sh_name = name(&[".shstrtab"]);
        file.put(last, &names);
    }
}

/// The file while it is written.
struct File {
    bytes: Vec<u8>,
    headers: Vec<Header>,
}

impl File {
    fn align(&mut self, align: u64) {
        self.bytes.resize(self.bytes.len().next_multiple_of(align as usize), 0);
    }

    /// Adds a section.
    fn put(&mut self, header: Header, contents: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(contents);
        self.head(header, start);
    }

    /// Adds the header of a section whose contents are from `start` to here.
    fn head(&mut self, mut header: Header, start: usize) {
        header.sh_offset = U64::new(LE, start as u64);
        header.sh_size = U64::new(LE, (self.bytes.len() - start) as u64);
        self.headers.push(header);
    }

    fn last(&mut self) -> &mut Header {
        let last = self.headers.len() - 1;
        &mut self.headers[last]
    }

    fn end(mut self) -> Vec<u8> {
        self.align(8);
        let (at, count) = (self.bytes.len() as u64, self.headers.len() as u16);
        self.headers[0].sh_addralign = U64::new(LE, 0);
        self.headers.iter().for_each(|header| self.bytes.extend_from_slice(bytes_of(header)));
        let head = FileHeader64 {
            e_ident: Ident {
                magic: elf::ELFMAG,
                class: elf::ELFCLASS64,
                data: elf::ELFDATA2LSB,
                version: elf::EV_CURRENT,
                os_abi: elf::ELFOSABI_NONE,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, elf::ET_REL),
            e_machine: U16::new(LE, elf::EM_X86_64),
            e_version: U32::new(LE, elf::EV_CURRENT.0.into()),
            e_entry: U64::new(LE, 0),
            e_phoff: U64::new(LE, 0),
            e_shoff: U64::new(LE, at),
            e_flags: U32::new(LE, elf::FileFlags(0)),
            e_ehsize: U16::new(LE, size_of::<Start>() as u16),
            e_phentsize: U16::new(LE, 0),
            e_phnum: U16::new(LE, 0),
            e_shentsize: U16::new(LE, size_of::<Header>() as u16),
            e_shnum: U16::new(LE, count),
            e_shstrndx: U16::new(LE, elf::SymbolSection(count - 1)),
        };
        self.bytes[..size_of::<Start>()].copy_from_slice(bytes_of(&head));
        self.bytes
    }
}

fn header(kind: elf::SectionType, align: u64, entry: usize) -> Header {
    let zero = U64::new(LE, 0);
    SectionHeader64 {
        sh_name: U32::new(LE, 0),
        sh_type: U32::new(LE, kind),
        sh_flags: U64::new(LE, elf::SectionFlags(0)),
        sh_addr: zero,
        sh_offset: zero,
        sh_size: zero,
        sh_link: U32::new(LE, 0),
        sh_info: U32::new(LE, 0),
        sh_addralign: U64::new(LE, align),
        sh_entsize: U64::new(LE, entry as u64),
    }
}
