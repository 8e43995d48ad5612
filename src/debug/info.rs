//! DWARF: source lines, functions, arguments and their types.
//!
//! Comes in: a module and its image. Goes out: the sections of debugging information. What must hold: every instruction
//! has the line that traps name; nothing of the machine that Spasm runs on shows, not even a folder.

use gimli::constants::{self as dw, DW_TAG_base_type, DW_TAG_member, DW_TAG_structure_type, DW_TAG_subprogram};
use gimli::write::{Address, AttributeValue, DwarfUnit, FileId, LineProgram, LineString, Sections, Unit, UnitEntryId};
use gimli::{DwTag, Encoding, Format, LineEncoding, SectionId};

use super::{Base, Section};
use crate::isa::op::Type;
use crate::module::{Module, Signature};
use crate::stitch::image::Image;

/// What every debugger of the last ten years reads.
const ENCODING: Encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };

/// The sections, each with its number, those that are empty left out. `lines` are those of [`lines`](super::lines).
#[must_use]
pub fn sections(module: &Module, image: &Image, lines: &[(u32, u32)], base: Base) -> Vec<(SectionId, Section)> {
    let mut dwarf = DwarfUnit::new(ENCODING);
    let name = text(module.source.as_ref().map_or("", |source| &source.name), "module");
    let (program, file) = line_program(image, lines, base, &name);
    dwarf.unit.line_program = program;
    let mut unit = Describing { unit: &mut dwarf.unit, base, file, types: [None; 4] };
    unit.module(module, image, &name);
    let mut sections = Sections::new(Section::default());
    // Writing to memory fails for forms only that are not used here.
    let _ = dwarf.write(&mut sections);
    let mut found = Vec::new();
    let _: Result<(), ()> = sections.for_each_mut(|id, section| {
        if !section.bytes.slice().is_empty() {
            found.push((id, std::mem::take(section)));
        }
        Ok(())
    });
    found
}

/// A name as the format can hold it: not empty, and without a zero byte.
fn text(name: &str, instead: &str) -> Vec<u8> {
    let clean: Vec<u8> = name.bytes().filter(|&byte| byte != 0).collect();
    if clean.is_empty() { instead.into() } else { clean }
}

/// The rows for all of the code, which is one piece: each holds until the next one.
fn line_program(image: &Image, lines: &[(u32, u32)], base: Base, name: &[u8]) -> (LineProgram, FileId) {
    let folder = LineString::String(b".".to_vec());
    let file = LineString::String(name.to_vec());
    let mut program = LineProgram::new(ENCODING, LineEncoding::default(), folder, None, file.clone(), None);
    let file = program.add_file(file, program.default_directory(), None);
    // Where a function has done what it does first, and a debugger may stop in it.
    let mut bodies = image.functions.iter().filter_map(|f| f.insts.first().copied().filter(|&body| body > f.entry));
    let mut body = bodies.next();
    program.begin_sequence(Some(base.at(0)));
    let mut row = |offset: u32, line: u32, after_prologue: bool| {
        let to = program.row();
        (to.address_offset, to.file, to.line) = (u64::from(offset), file, u64::from(line));
        to.prologue_end = after_prologue;
        program.generate_row();
    };
    let mut last = 0;
    for &(offset, line) in lines {
        while let Some(before) = body.filter(|&body| body < offset) {
            row(before, last, true);
            body = bodies.next();
        }
        let here = body == Some(offset);
        if here {
            body = bodies.next();
        }
        row(offset, line, here);
        last = line;
    }
    if let Some(body) = body {
        row(body, last, true);
    }
    program.end_sequence(image.code.len() as u64);
    (program, file)
}

/// The unit while its entries are made.
struct Describing<'a> {
    unit: &'a mut Unit,
    base: Base,
    file: FileId,
    types: [Option<UnitEntryId>; 4],
}

impl Describing<'_> {
    fn module(&mut self, module: &Module, image: &Image, name: &[u8]) {
        let root = self.unit.root();
        let end = image.code.len() as u64;
        let producer = concat!("spasm ", env!("CARGO_PKG_VERSION"));
        self.set(root, dw::DW_AT_producer, AttributeValue::String(producer.into()));
        // Types and values are shown as C's are; no debugger has heard of Spasm.
        self.set(root, dw::DW_AT_language, AttributeValue::Language(dw::DW_LANG_C99));
        self.set(root, dw::DW_AT_name, AttributeValue::String(name.to_vec()));
        self.set(root, dw::DW_AT_low_pc, AttributeValue::Address(self.base.at(0)));
        self.set(root, dw::DW_AT_high_pc, AttributeValue::Udata(end));
        for (function, made) in module.functions.iter().zip(&image.functions) {
            let entry = self.add(root, DW_TAG_subprogram, &function.name);
            self.place(entry, self.base.at(made.entry), made.end - made.entry, function.line);
            self.signature(root, entry, &function.signature);
        }
    }

    fn set(&mut self, entry: UnitEntryId, name: gimli::DwAt, value: AttributeValue) {
        self.unit.get_mut(entry).set(name, value);
    }

    fn add(&mut self, parent: UnitEntryId, tag: DwTag, name: &str) -> UnitEntryId {
        let entry = self.unit.add(parent, tag);
        self.set(entry, dw::DW_AT_name, AttributeValue::String(text(name, "?")));
        entry
    }

    fn place(&mut self, entry: UnitEntryId, low: Address, len: u32, line: u32) {
        self.set(entry, dw::DW_AT_external, AttributeValue::FlagPresent);
        self.set(entry, dw::DW_AT_prototyped, AttributeValue::FlagPresent);
        self.set(entry, dw::DW_AT_low_pc, AttributeValue::Address(low));
        self.set(entry, dw::DW_AT_high_pc, AttributeValue::Udata(u64::from(len)));
        if line != 0 {
            self.set(entry, dw::DW_AT_decl_file, AttributeValue::FileIndex(Some(self.file)));
            self.set(entry, dw::DW_AT_decl_line, AttributeValue::Udata(u64::from(line)));
        }
    }

    fn signature(&mut self, root: UnitEntryId, entry: UnitEntryId, signature: &Signature) {
        match signature.results.as_slice() {
            [] => {}
            &[one] => {
                let ty = self.ty(root, one);
                self.set(entry, dw::DW_AT_type, AttributeValue::UnitRef(ty));
            }
            many => {
                let ty = self.results(root, many);
                self.set(entry, dw::DW_AT_type, AttributeValue::UnitRef(ty));
            }
        }
        for (nth, &ty) in signature.params.iter().enumerate() {
            let ty = self.ty(root, ty);
            let argument = self.add(entry, dw::DW_TAG_formal_parameter, &format!("a{}", nth + 1));
            self.set(argument, dw::DW_AT_type, AttributeValue::UnitRef(ty));
        }
        if signature.variadic {
            self.unit.add(entry, dw::DW_TAG_unspecified_parameters);
        }
    }

    /// The entry for a type, made when it is first wanted.
    fn ty(&mut self, root: UnitEntryId, ty: Type) -> UnitEntryId {
        if let Some(known) = self.types[ty as usize] {
            return known;
        }
        let (encoding, size) = match ty {
            Type::I32 => (dw::DW_ATE_signed, 4),
            Type::I64 => (dw::DW_ATE_signed, 8),
            Type::F32 => (dw::DW_ATE_float, 4),
            Type::F64 => (dw::DW_ATE_float, 8),
        };
        let entry = self.add(root, DW_TAG_base_type, ty.name());
        self.set(entry, dw::DW_AT_encoding, AttributeValue::Encoding(encoding));
        self.set(entry, dw::DW_AT_byte_size, AttributeValue::Udata(size));
        self.types[ty as usize] = Some(entry);
        entry
    }

    /// Several results, as C has them.
    fn results(&mut self, root: UnitEntryId, types: &[Type]) -> UnitEntryId {
        let types: Vec<(Type, UnitEntryId)> = types.iter().map(|&ty| (ty, self.ty(root, ty))).collect();
        let entry = self.unit.add(root, DW_TAG_structure_type);
        let (mut at, mut align) = (0u64, 1);
        for (nth, (ty, described)) in types.into_iter().enumerate() {
            let size = if matches!(ty, Type::I32 | Type::F32) { 4 } else { 8 };
            at = at.next_multiple_of(size);
            align = align.max(size);
            let member = self.add(entry, DW_TAG_member, &format!("r{}", nth + 1));
            self.set(member, dw::DW_AT_type, AttributeValue::UnitRef(described));
            self.set(member, dw::DW_AT_data_member_location, AttributeValue::Udata(at));
            at += size;
        }
        self.set(entry, dw::DW_AT_byte_size, AttributeValue::Udata(at.next_multiple_of(align)));
        entry
    }
}
