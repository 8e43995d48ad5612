//! The runtime that goes into objects.
//!
//! Comes in: what the build made of `src/rt`. Goes out: sections and symbols of an object. What must hold: everything
//! that others may name is weak and all of it one group, so that many objects with it link together; what C is not meant
//! to call is hidden.

use object::SectionKind;
use object::elf::{self, RelocationType};
use object::write::{Comdat, Object, Relocation as Written, SectionId, SymbolId, SymbolSection};
use object::{ComdatKind, RelocationFlags, SectionFlags, SymbolFlags, SymbolKind, SymbolScope};

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

use made::{ELSEWHERE, RELOCATIONS, SECTIONS, SYMBOLS};

/// Which of the sections goes to the object's own `.eh_frame`.
const EH_FRAME: usize = 5;
const NAMES: [(&[u8], SectionKind); 5] = [
    (b".text.spasm", SectionKind::Text),
    (b".rodata.spasm", SectionKind::ReadOnlyData),
    (b".data.rel.ro.spasm", SectionKind::ReadOnlyDataWithRel),
    (b".data.spasm", SectionKind::Data),
    (b".bss.spasm", SectionKind::UninitializedData),
];

/// Whether a name is one of the runtime's.
pub fn owns(name: &str) -> bool {
    SYMBOLS.iter().any(|symbol| symbol.name == name)
}

/// What a symbol of the runtime is to linkers.
fn flags(name: &str, kind: elf::SymbolType) -> SymbolFlags<SectionId, SymbolId> {
    let visibility = if name.starts_with("__") { elf::STV_HIDDEN } else { elf::STV_PROTECTED };
    SymbolFlags::Elf {
        st_info: elf::SymbolInfo::new(elf::STB_WEAK, kind),
        st_other: elf::SymbolOther::from(visibility),
    }
}

/// Adds the runtime. `symbol` gives the symbol for a name, `frames` is the section for `.eh_frame`.
pub fn add(
    object: &mut Object<'_>,
    frames: SectionId,
    mut symbol: impl FnMut(&mut Object<'_>, &str) -> SymbolId,
) -> Result<(), object::write::Error> {
    let mut sections = Vec::new();
    for ((name, kind), bytes) in NAMES.iter().zip(&SECTIONS) {
        let section = object.add_section(Vec::new(), name.to_vec(), *kind);
        if let SectionFlags::Elf { sh_type, sh_flags } = object.default_section_flags(object.section(section)) {
            *object.section_flags_mut(section) = SectionFlags::Elf { sh_type, sh_flags: sh_flags | elf::SHF_GROUP };
        }
        if bytes.contents.is_empty() {
            object.append_section_bss(section, bytes.len, bytes.align);
        } else {
            object.set_section_data(section, bytes.contents, bytes.align);
        }
        sections.push((section, 0));
    }
    sections.push((frames, object.append_section_data(frames, SECTIONS[EH_FRAME].contents, SECTIONS[EH_FRAME].align)));
    let own: Vec<SymbolId> = SYMBOLS.iter().map(|one| symbol(object, one.name)).collect();
    for (&id, one) in own.iter().zip(&SYMBOLS) {
        let to = object.symbol_mut(id);
        (to.value, to.size, to.kind) = (one.offset, one.size, SymbolKind::Text);
        (to.scope, to.weak, to.section) = (SymbolScope::Linkage, true, SymbolSection::Section(sections[one.section].0));
        to.flags = flags(one.name, if one.section == 0 { elf::STT_FUNC } else { elf::STT_OBJECT });
    }
    let elsewhere: Vec<SymbolId> = ELSEWHERE.iter().map(|name| symbol(object, name)).collect();
    for relocation in &RELOCATIONS {
        let (section, start) = sections[relocation.section];
        let symbol = match relocation.target {
            Target::Section(target) => object.section_symbol(sections[target].0),
            Target::Symbol(nth) => own[nth],
            Target::Elsewhere(nth) => elsewhere[nth],
        };
        let shift = match relocation.target {
            Target::Section(target) => sections[target].1 as i64,
            _ => 0,
        };
        let flags = RelocationFlags::Elf { r_type: RelocationType(relocation.kind) };
        let (offset, addend) = (start + relocation.offset, relocation.addend + shift);
        object.add_relocation(section, Written { offset, symbol, addend, flags })?;
    }
    let group = sections[..NAMES.len()].iter().map(|&(section, _)| section).collect();
    let signature = SYMBOLS.iter().position(|one| one.name == "__spasm_register").unwrap_or(0);
    object.add_comdat(Comdat { kind: ComdatKind::Any, symbol: own[signature], sections: group });
    Ok(())
}
