//! DWARF: source lines, functions, arguments and their types.
//!
//! Comes in: a module and its image. Goes out: the sections of debugging information. What must hold: every instruction
//! has the line that traps name; nothing of the machine that Spasm runs on shows, not even a folder.
//!
//! Entries are encoded as they come, in the forms that [`abbreviations`] tells of (DWARF 4, section 7.5): there is one for
//! each function and each argument, and trees of them in memory cost more than stitching the functions. Types stand
//! before the functions that name them.

use std::collections::HashMap;

use gimli::SectionId;
use gimli::constants as dw;

use super::abbreviations::{self, Entry};
use super::{Base, Section, lines};
use crate::isa::op::Type;
use crate::module::{Module, Signature};
use crate::stitch::image::Image;

/// The version that every debugger of the last ten years reads.
const VERSION: u16 = 4;

/// The sections that there are.
pub const SECTIONS: [SectionId; 3] = [SectionId::DebugAbbrev, SectionId::DebugInfo, SectionId::DebugLine];

/// One of the sections, behind these bytes. `lines` are those that [`debug`](super) makes.
#[must_use]
pub fn section(
    id: SectionId,
    module: &Module,
    image: &Image,
    lines: &[(u32, u32)],
    base: Base,
    bytes: Vec<u8>,
) -> Section {
    let name = module.source.as_ref().map_or("", |source| &source.name);
    match id {
        SectionId::DebugAbbrev => abbreviations::table(bytes),
        SectionId::DebugLine => lines::section(image, lines, base, name, bytes),
        _ => {
            let functions = module.functions.len();
            let out = Section::onto(bytes, 128 + 64 * functions, 3 + functions);
            let mut unit = Unit { out, base, types: [None; Type::ALL.len()], structs: HashMap::new() };
            unit.module(module, image, name);
            unit.out
        }
    }
}

/// The unit while its entries are made.
struct Unit<'a> {
    out: Section,
    base: Base,
    /// Where the entries of types are.
    types: [Option<u32>; Type::ALL.len()],
    structs: HashMap<&'a [Type], u32>,
}

impl<'a> Unit<'a> {
    fn module(&mut self, module: &'a Module, image: &Image, name: &str) {
        // The unit's header (7.5.1.1).
        self.out.u32(0);
        self.out.u16(VERSION);
        self.out.start_of(SectionId::DebugAbbrev);
        self.out.u8(8);
        self.entry(Entry::Unit);
        self.out.name(concat!("spasm ", env!("CARGO_PKG_VERSION")), "?");
        // Types and values are shown as C's are; no debugger has heard of Spasm.
        self.out.u16(dw::DW_LANG_C99.0);
        self.out.name(name, "module");
        self.out.address(self.base, 0);
        self.out.uleb(image.code.len() as u64);
        self.out.start_of(SectionId::DebugLine);
        for (function, made) in module.functions.iter().zip(&image.functions) {
            let result = self.result(&function.signature);
            for &ty in &function.signature.params {
                self.ty(ty);
            }
            let signature = &function.signature;
            let inner = signature.variadic || !signature.params.is_empty();
            self.entry(Entry::Function { typed: result.is_some(), placed: function.line != 0, inner });
            self.out.name(&function.name, "?");
            self.out.address(self.base, made.entry);
            self.out.uleb(u64::from(made.end - made.entry));
            if function.line != 0 {
                self.out.u8(lines::FILE);
                self.out.uleb(function.line.into());
            }
            if let Some(ty) = result {
                self.out.u32(ty);
            }
            if inner {
                self.params(signature);
            }
        }
        self.out.u8(0);
        self.out.close(0);
    }

    fn entry(&mut self, entry: Entry) {
        self.out.u8(entry.code());
    }

    fn params(&mut self, signature: &Signature) {
        for (nth, &ty) in signature.params.iter().enumerate() {
            let ty = self.ty(ty);
            self.entry(Entry::Param);
            self.numbered(b'a', nth + 1);
            self.out.u32(ty);
        }
        if signature.variadic {
            self.entry(Entry::More);
        }
        self.out.u8(0);
    }

    /// A name that is a letter and a number.
    fn numbered(&mut self, letter: u8, number: usize) {
        self.out.u8(letter);
        match u8::try_from(number) {
            Ok(digit @ 0..=9) => self.out.bytes.extend_from_slice(&[b'0' + digit, 0]),
            _ => self.out.name(&number.to_string(), "?"),
        }
    }

    /// The entry for what a function gives, if it gives anything.
    fn result(&mut self, signature: &'a Signature) -> Option<u32> {
        match signature.results.as_slice() {
            [] => None,
            &[one] => Some(self.ty(one)),
            many => Some(self.results(many)),
        }
    }

    /// The entry for a type, made when it is first wanted.
    fn ty(&mut self, ty: Type) -> u32 {
        if let Some(known) = self.types[ty as usize] {
            return known;
        }
        let (encoding, size) = match ty {
            Type::I32 | Type::Funcref | Type::Externref => (dw::DW_ATE_signed, 4),
            Type::I64 => (dw::DW_ATE_signed, 8),
            Type::F32 => (dw::DW_ATE_float, 4),
            Type::F64 => (dw::DW_ATE_float, 8),
        };
        let at = self.out.len() as u32;
        self.entry(Entry::Type);
        self.out.name(ty.name(), "?");
        self.out.bytes.extend_from_slice(&[encoding.0, size]);
        self.types[ty as usize] = Some(at);
        at
    }

    /// Several results, as C has them.
    fn results(&mut self, types: &'a [Type]) -> u32 {
        if let Some(&known) = self.structs.get(types) {
            return known;
        }
        let size = |ty: Type| if ty.is_narrow() { 4 } else { 8u64 };
        let place = |end: u64, ty: Type| end.next_multiple_of(size(ty));
        let end = types.iter().fold(0, |end, &ty| place(end, ty) + size(ty));
        let align = types.iter().map(|&ty| size(ty)).max().unwrap_or(1);
        let described: Vec<u32> = types.iter().map(|&ty| self.ty(ty)).collect();
        let at = self.out.len() as u32;
        self.entry(Entry::Struct);
        self.out.uleb(end.next_multiple_of(align));
        let mut end = 0;
        for (nth, (&ty, described)) in types.iter().zip(described).enumerate() {
            self.entry(Entry::Member);
            self.numbered(b'r', nth + 1);
            self.out.u32(described);
            self.out.uleb(place(end, ty));
            end = place(end, ty) + size(ty);
        }
        self.out.u8(0);
        self.structs.insert(types, at);
        at
    }
}
