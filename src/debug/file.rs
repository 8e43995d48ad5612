//! Code in memory as an object file, for debuggers that read such a file from the memory of the process.
//!
//! Comes in: the sections of debugging information, symbols. Goes out: the bytes of the file. What must hold: its code
//! section has the address of the code; nothing in it is left to relocate.

use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, Object as _, ObjectSection as _, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};

/// A piece of code with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// Where it starts, from the start of the code.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
}

/// Makes the file for code that is at `address`.
#[must_use]
pub fn file(address: u64, code: &[u8], pieces: &[Piece], sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    object.append_section_data(text, code, 16);
    for (name, contents) in sections {
        let section = object.add_section(Vec::new(), name.as_bytes().to_vec(), SectionKind::Debug);
        object.append_section_data(section, contents, 8);
    }
    for piece in pieces {
        object.add_symbol(Symbol {
            name: piece.name.bytes().filter(|&byte| byte != 0).collect(),
            value: piece.offset,
            size: piece.size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    }
    let mut bytes = object.write().unwrap_or_default();
    place(&mut bytes, address);
    bytes
}

/// Writes the address of the code section, which object files do not have, into its header.
fn place(bytes: &mut [u8], address: u64) {
    let Ok(file) = object::File::parse(&*bytes) else { return };
    let Some(index) = file.section_by_name(".text").map(|section| section.index().0) else { return };
    drop(file);
    let header = std::mem::size_of::<elf::SectionHeader64<Endianness>>();
    let table = std::mem::offset_of!(elf::FileHeader64<Endianness>, e_shoff);
    let start = bytes.get(table..table + 8).map_or(0, |word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    let at = start as usize + index * header + std::mem::offset_of!(elf::SectionHeader64<Endianness>, sh_addr);
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&address.to_le_bytes());
    }
}
