//! The runtime that goes into objects.
//!
//! Comes in: what the build made of `src/rt`. Goes out: sections and symbols of an object. What must hold: everything
//! that others may name is weak and all of it one group, so that many objects with it link together; what C is not meant
//! to call is hidden.

use object::elf::{self, RelocationType};

use super::container::{Looks, Object, Place, SectionId, SymbolId};

/// The contents of a section.
pub struct Bytes {
    contents: &'static [u8],
    len: u64,
    align: u64,
}

/// What a relocation refers to.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "the build writes those that there are")]
pub enum Target {
    /// The start of a section.
    Section(usize),
    /// One of [`SYMBOLS`].
    Symbol(usize),
    /// One of [`ELSEWHERE`].
    Elsewhere(usize),
}

/// A relocation in the runtime.
pub struct Relocation {
    section: usize,
    offset: u64,
    kind: u32,
    target: Target,
    addend: i64,
}

/// Something that others may name.
pub struct Symbol {
    /// Its name.
    pub name: &'static str,
    section: usize,
    offset: u64,
    size: u64,
}

#[allow(clippy::unreadable_literal, reason = "written by the build, for the compiler only")]
mod made {
    use super::{Bytes, Relocation, Symbol, Target};

    include!(concat!(env!("OUT_DIR"), "/runtime.rs"));
}

use made::{ELSEWHERE, LOCALS, RELOCATIONS, SECTIONS, SYMBOLS};

/// Which of the sections goes to the object's own `.eh_frame`.
const EH_FRAME: usize = 5;
const WRITE: elf::SectionFlags = elf::SectionFlags(elf::SHF_ALLOC.0 | elf::SHF_WRITE.0);
const NAMES: [(&str, elf::SectionType, elf::SectionFlags); 5] = [
    (".text.spasm", elf::SHT_PROGBITS, elf::SectionFlags(elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0)),
    (".rodata.spasm", elf::SHT_PROGBITS, elf::SHF_ALLOC),
    (".data.rel.ro.spasm", elf::SHT_PROGBITS, WRITE),
    (".data.spasm", elf::SHT_PROGBITS, WRITE),
    (".bss.spasm", elf::SHT_NOBITS, WRITE),
];

/// Whether a name is one of the runtime's.
pub fn owns(name: &str) -> bool {
    SYMBOLS.iter().any(|symbol| symbol.name == name)
}

/// What a symbol of the runtime is to linkers.
fn looks(name: &str, kind: elf::SymbolType) -> Looks {
    let visibility = if name.starts_with("__") { elf::STV_HIDDEN } else { elf::STV_PROTECTED };
    Looks { kind, bind: elf::STB_WEAK, visibility }
}

/// What goes to the object's own `.eh_frame`, at a multiple of 8.
pub fn frames() -> &'static [u8] {
    SECTIONS[EH_FRAME].contents
}

/// Adds the runtime. `symbol` gives the symbol for a name; at `frames` are its [`frames`].
pub fn add(object: &mut Object<'_>, frames: Place, mut symbol: impl FnMut(&mut Object<'_>, &str) -> SymbolId) {
    let mut sections = Vec::new();
    for (&(name, kind, flags), bytes) in NAMES.iter().zip(&SECTIONS) {
        let section = object.section(name, kind, flags);
        if bytes.contents.is_empty() {
            object.append_zeros(section, bytes.len, bytes.align);
        } else {
            object.set(section, bytes.contents, bytes.align);
        }
        sections.push(Place { section, offset: 0 });
    }
    sections.push(frames);
    let own: Vec<SymbolId> = SYMBOLS.iter().map(|one| symbol(object, one.name)).collect();
    for (&id, one) in own.iter().zip(&SYMBOLS) {
        let kind = if one.section == 0 { elf::STT_FUNC } else { elf::STT_OBJECT };
        object.define(id, sections[one.section].at(one.offset), one.size, looks(one.name, kind));
    }
    for &(name, value, size) in &LOCALS {
        object.local(&[name], sections[0].at(value), size, elf::STT_FUNC);
    }
    let elsewhere: Vec<SymbolId> = ELSEWHERE.iter().map(|name| symbol(object, name)).collect();
    for relocation in &RELOCATIONS {
        let (symbol, shift) = match relocation.target {
            Target::Section(target) => (SymbolId::Section(sections[target].section), sections[target].offset as i64),
            Target::Symbol(nth) => (own[nth], 0),
            Target::Elsewhere(nth) => (elsewhere[nth], 0),
        };
        let at = sections[relocation.section].at(relocation.offset);
        object.relocate(at, symbol, relocation.addend + shift, RelocationType(relocation.kind));
    }
    let group: Vec<SectionId> = sections[..NAMES.len()].iter().map(|place| place.section).collect();
    let signature = SYMBOLS.iter().position(|one| one.name == "__spasm_register").unwrap_or(0);
    object.group(own[signature], &group);
}
