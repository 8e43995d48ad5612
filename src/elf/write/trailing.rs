//! The sections of an object that no code refers to: for unwinders, debuggers, linkers, and `spasm run`.
//!
//! Comes in: the writer, with code and data in place. Goes out: more sections. What must hold: whatever these say of
//! addresses is left to the linker.

use object::elf;

use super::{Place, SectionId, SymbolId, Writer};
use crate::debug::{self, Base, Reference};
use crate::elf::{runtime, saved};

const NO_FLAGS: elf::SectionFlags = elf::SectionFlags(0);

impl Writer<'_> {
    /// The frames of the module, and room for those of the runtime: where these are.
    pub(super) fn frames(&mut self) -> Place {
        let frames = self.object.section(".eh_frame", elf::SHT_PROGBITS, elf::SHF_ALLOC);
        let mut section = debug::frames::eh_frame(self.image, Base::Section, self.object.open());
        let at = Place { section: frames, offset: (section.bytes.len() - section.start) as u64 };
        if self.options.runtime {
            section.bytes.extend_from_slice(runtime::frames());
        }
        self.object.close(frames, section.bytes, section.start, 8);
        self.references(frames, &section.references, &[]);
        at
    }

    pub(super) fn debug(&mut self) {
        let sections =
            debug::info::SECTIONS.map(|id| (id, self.object.section(id.name(), elf::SHT_PROGBITS, NO_FLAGS)));
        for (id, to) in sections {
            let file = self.object.open();
            let section = debug::info::section(id, self.module, self.image, &self.lines, Base::Section, file);
            self.object.close(to, section.bytes, section.start, 1);
            self.references(to, &section.references, &sections);
        }
    }

    fn references(&mut self, section: SectionId, references: &[Reference], ids: &[(gimli::SectionId, SectionId)]) {
        self.object.expect(section, references.len());
        for reference in references {
            let to = match reference.to {
                debug::To::Code => self.text,
                debug::To::Section(id) => ids.iter().find(|(one, _)| *one == id).map_or(section, |&(_, made)| made),
            };
            let r_type = match (reference.relative, reference.size) {
                (true, _) => elf::R_X86_64_PC32,
                (false, 4) => elf::R_X86_64_32,
                (false, _) => elf::R_X86_64_64,
            };
            let at = Place { section, offset: reference.offset.into() };
            self.object.relocate(at, SymbolId::Section(to), reference.addend.into(), r_type);
        }
    }

    /// What linkers are told of the whole, and what `spasm run` needs.
    pub(super) fn notes(&mut self) {
        self.object.section(".note.GNU-stack", elf::SHT_PROGBITS, NO_FLAGS);
        // The runtime's own functions are no such targets, so only an object without it may say so.
        if !self.options.runtime {
            let note = self.object.section(".note.gnu.property", elf::SHT_NOTE, elf::SHF_ALLOC);
            self.object.set(note, branch_targets(), 8);
        }
        let section = self.object.section(saved::SECTION, elf::SHT_PROGBITS, elf::SHF_EXCLUDE);
        let mut file = self.object.open();
        let start = file.len();
        saved::save(self.module, self.image, self.library, &mut file);
        self.object.close(section, file, start, 8);
    }
}

/// The note that says that all indirect branches lead to `endbr64` (Linux Extensions to gABI, 2.1).
fn branch_targets() -> Vec<u8> {
    let (kind, value) = (elf::GNU_PROPERTY_X86_FEATURE_1_AND, elf::GNU_PROPERTY_X86_FEATURE_1_IBT);
    // The lengths of the name and of the contents; then the property, the length of its value, the value, padding.
    let name = u32::from_le_bytes(*b"GNU\0");
    [4, 16, elf::NT_GNU_PROPERTY_TYPE_0.0, name, kind.0, 4, value, 0].map(u32::to_le_bytes).concat()
}
