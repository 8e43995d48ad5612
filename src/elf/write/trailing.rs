//! The sections of an object that no code refers to: for unwinders, debuggers, linkers, and `spasm run`.
//!
//! Comes in: the writer, with code and data in place. Goes out: more sections. What must hold: whatever these say of
//! addresses is left to the linker.

use object::write::SectionId;
use object::{SectionFlags, SectionKind, elf};

use super::{ElfError, Place, Writer};
use crate::debug::{self, Base, Reference};
use crate::elf::saved;

impl Writer<'_> {
    pub(super) fn frames(&mut self) -> Result<SectionId, ElfError> {
        let frames = self.object.add_section(Vec::new(), b".eh_frame".to_vec(), SectionKind::ReadOnlyData);
        let section = debug::frames::eh_frame(self.image, Base::Section);
        self.object.append_section_data(frames, &section.bytes, 8);
        self.references(frames, &section.references, &[])?;
        Ok(frames)
    }

    pub(super) fn debug(&mut self) -> Result<(), ElfError> {
        let written = debug::info::sections(self.module, self.image, &self.lines, Base::Section);
        let mut ids = Vec::new();
        for (id, section) in &written {
            let kind = if *id == gimli::SectionId::DebugStr { SectionKind::DebugString } else { SectionKind::Debug };
            let made = self.object.add_section(Vec::new(), id.name().into(), kind);
            self.object.append_section_data(made, &section.bytes, 1);
            ids.push((*id, made));
        }
        for ((_, section), &(_, made)) in written.iter().zip(&ids) {
            self.references(made, &section.references, &ids)?;
        }
        Ok(())
    }

    fn references(
        &mut self,
        section: SectionId,
        references: &[Reference],
        ids: &[(gimli::SectionId, SectionId)],
    ) -> Result<(), ElfError> {
        for reference in references {
            let to = match reference.to {
                debug::To::Code => self.text,
                debug::To::Section(id) => ids.iter().find(|(one, _)| *one == id).map_or(section, |&(_, made)| made),
            };
            let symbol = self.object.section_symbol(to);
            let r_type = match (reference.relative, reference.size) {
                (true, _) => elf::R_X86_64_PC32,
                (false, 4) => elf::R_X86_64_32,
                (false, _) => elf::R_X86_64_64,
            };
            self.relocation(Place { section, offset: reference.offset }, symbol, reference.addend, r_type)?;
        }
        Ok(())
    }

    /// What linkers are told of the whole, and what `spasm run` needs.
    pub(super) fn notes(&mut self) {
        self.object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
        // The runtime's own functions are no such targets, so only an object without it may say so.
        if !self.options.runtime {
            let (kind, ibt) = (elf::GNU_PROPERTY_X86_FEATURE_1_AND, elf::GNU_PROPERTY_X86_FEATURE_1_IBT);
            self.object.add_elf_gnu_property_u32(kind, ibt);
        }
        let section = self.object.add_section(Vec::new(), saved::SECTION.into(), SectionKind::Other);
        let (sh_type, sh_flags) = (elf::SHT_PROGBITS, elf::SHF_EXCLUDE);
        *self.object.section_flags_mut(section) = SectionFlags::Elf { sh_type, sh_flags };
        let bytes = saved::save(self.module, self.image, self.library);
        self.object.append_section_data(section, &bytes, 8);
    }
}
