//! A section being written, with the references that remain open.
//!
//! Comes in: numbers, names and addresses, in the forms that DWARF has for them. Goes out: bytes and [`Reference`]s. What
//! must hold: every address in the code that is not known has one.

use super::Base;

/// A place whose contents are not known before code and sections have addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands.
    pub offset: u32,
    /// Bytes: 4 or 8.
    pub size: u8,
    /// What it refers to.
    pub to: To,
    /// What is added.
    pub addend: u32,
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
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its contents so far, behind what there was before.
    pub bytes: Vec<u8>,
    /// Where its contents start.
    pub start: usize,
    /// What remains open.
    pub references: Vec<Reference>,
}

impl Section {
    /// An empty one behind these bytes, with room for about so many more, and for references.
    pub(super) fn onto(mut bytes: Vec<u8>, room: usize, references: usize) -> Section {
        bytes.reserve(room);
        Section { start: bytes.len(), bytes, references: Vec::with_capacity(references) }
    }

    /// How long it is so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// The contents where code has an address: sections then refer to each other only, by offsets that are written here.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        for reference in &self.references {
            let at = self.start + reference.offset as usize;
            let value = u64::from(reference.addend).to_le_bytes();
            let size = usize::from(reference.size);
            bytes[at..at + size].copy_from_slice(&value[..size]);
        }
        bytes
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// LEB128 without a sign (DWARF 5, 7.6).
    pub(super) fn uleb(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// LEB128 with a sign (DWARF 5, 7.6).
    pub(super) fn sleb(&mut self, mut value: i64) {
        while !(-0x40..0x40).contains(&value) {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8 & 0x7f);
    }

    /// A name with a zero behind it, as the format can hold it: not empty, and without a zero in it.
    pub(super) fn name(&mut self, name: &str, instead: &str) {
        let start = self.bytes.len();
        match name.as_bytes() {
            clean if !clean.contains(&0) => self.bytes.extend_from_slice(clean),
            other => self.bytes.extend(other.iter().filter(|&&byte| byte != 0)),
        }
        if self.bytes.len() == start {
            self.bytes.extend_from_slice(instead.as_bytes());
        }
        self.u8(0);
    }

    /// The eight bytes of an address in the code.
    pub(super) fn address(&mut self, base: Base, offset: u32) {
        match base {
            Base::Section => {
                self.refer(8, To::Code, offset, false);
                self.bytes.extend_from_slice(&[0; 8]);
            }
            Base::Memory(base) => self.bytes.extend_from_slice(&(base + u64::from(offset)).to_le_bytes()),
        }
    }

    /// The four bytes of the distance from here to an address in the code, which a linker fills in.
    pub(super) fn distance(&mut self, offset: u32) {
        self.refer(4, To::Code, offset, true);
        self.u32(0);
    }

    /// The four bytes of the offset of the start of another section.
    pub(super) fn start_of(&mut self, section: gimli::SectionId) {
        self.refer(4, To::Section(section), 0, false);
        self.u32(0);
    }

    fn refer(&mut self, size: u8, to: To, addend: u32, relative: bool) {
        self.references.push(Reference { offset: self.len() as u32, size, to, addend, relative });
    }

    /// Writes the length of what stands behind the four bytes at `at` into them.
    pub(super) fn close(&mut self, at: usize) {
        let len = (self.len() - at - 4) as u32;
        let at = self.start + at;
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::Section;

    #[test]
    fn numbers_are_those_of_the_format() {
        let mut section = Section::default();
        // The examples of DWARF 5, tables 7.7 and 7.8.
        for value in [2, 127, 128, 129, 12857] {
            section.uleb(value);
        }
        assert_eq!(section.bytes, [2, 0x7f, 0x80, 1, 0x81, 1, 0xb9, 0x64]);
        let mut section = Section::default();
        for value in [2, -2, 127, -127, 128, -128, 129, -129] {
            section.sleb(value);
        }
        assert_eq!(section.bytes, [2, 0x7e, 0xff, 0, 0x81, 0x7f, 0x80, 1, 0x80, 0x7f, 0x81, 1, 0xff, 0x7e]);
        let mut section = Section::default();
        section.name("a\0b", "?");
        section.name("\0", "?");
        assert_eq!(section.bytes, b"ab\0?\0");
    }
}
