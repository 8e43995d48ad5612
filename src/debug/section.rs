//! A section being written, with the references that remain open.
//!
//! Comes in: what `gimli` writes. Goes out: bytes and [`Reference`]s. What must hold: every address in the code that is not
//! known has one.

use gimli::LittleEndian;
use gimli::write::{EndianVec, RelocateWriter, Relocation, RelocationTarget};

/// A place whose contents are not known before code and sections have addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands.
    pub offset: u64,
    /// Bytes: 4 or 8.
    pub size: u8,
    /// What it refers to.
    pub to: To,
    /// What is added.
    pub addend: i64,
    /// Whether it is the distance from its own place.
    pub relative: bool,
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The start of the code.
    Code,
    /// The start of this section of debugging information.
    Section(gimli::SectionId),
}

/// A section being written.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its contents so far.
    pub bytes: EndianVec<LittleEndian>,
    /// What remains open.
    pub references: Vec<Reference>,
}

impl Default for Section {
    fn default() -> Section {
        Section { bytes: EndianVec::new(LittleEndian), references: Vec::new() }
    }
}

impl Section {
    /// The contents where code has an address: sections then refer to each other only, by offsets that are written here.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bytes.into_vec();
        for reference in &self.references {
            let at = reference.offset as usize;
            let value = reference.addend.to_le_bytes();
            let size = usize::from(reference.size);
            bytes[at..at + size].copy_from_slice(&value[..size]);
        }
        bytes
    }
}

impl RelocateWriter for Section {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &EndianVec<LittleEndian> {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut EndianVec<LittleEndian> {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        let to = match relocation.target {
            RelocationTarget::Symbol(_) => To::Code,
            RelocationTarget::Section(section) => To::Section(section),
        };
        self.references.push(Reference {
            offset: relocation.offset as u64,
            size: relocation.size,
            to,
            addend: relocation.addend,
            relative: relocation.eh_pe.is_some_and(|eh| eh.application() == gimli::constants::DW_EH_PE_pcrel),
        });
    }
}
