//! Writes modules.
//!
//! Comes in: any module. Goes out: its bytes; the same module gives the same bytes. What must hold: each value is
//! written by the method whose counterpart in [`read`](super::read) reads it.

use super::{
    BODY_AT, CHECKSUM_AT, LENGTH_AT, MAGIC, SINCE_LINKED, STRUCT, Section, VARIADIC, VERSION_AT, WIN64, WRITABLE, crc,
    type_number,
};
use crate::isa::op::{Op, Type};
use crate::module::native::{Abi, CSignature, CType, Data, Extern};
use crate::module::{Custom, Function, Global, Init, Label, Memory, Module, Signature, Table};

/// Adds the file to what there is already.
pub fn module(module: &Module, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; BODY_AT]);
    let mut body = Writer { out: std::mem::take(out), references: false };
    let opcodes = Opcodes::of(module);
    body.list_section(Section::Opcodes, &opcodes.used, |out, op| out.text(&op.row().name()));
    body.list_section(Section::Signatures, &module.signatures, Writer::signature);
    body.list_section(Section::Globals, &module.globals, Writer::global);
    if let Some(memory) = &module.memory {
        body.section(Section::Memory, |out| out.memory(memory));
    }
    body.list_section(Section::Inits, &module.inits, Writer::init);
    body.list_section(Section::Tables, &module.tables, Writer::table);
    body.list_section(Section::Functions, &module.functions, |out, function| out.function(function, &opcodes));
    if let Some(source) = &module.source {
        body.section(Section::Source, |out| out.text(&source.name));
    }
    let has_c = !(module.c_signatures.is_empty() && module.externs.is_empty() && module.data.is_empty());
    body.list_section(Section::CSignatures, &module.c_signatures, Writer::c_signature);
    body.list_section(Section::Externs, &module.externs, Writer::external);
    body.list_section(Section::Data, &module.data, Writer::data);
    body.list_section(Section::Customs, &module.customs, Writer::custom);
    let is_linked = body.links(module) || body.references || opcodes.used.iter().any(|op| op.object().is_some());
    let version = match (is_linked, module.customs.is_empty(), has_c) {
        (true, ..) => SINCE_LINKED,
        (_, false, _) => 4,
        (_, true, true) => 2,
        (_, true, false) => 1,
    };
    *out = body.out;
    let (header, body) = out[start..].split_at_mut(BODY_AT);
    header[..VERSION_AT].copy_from_slice(&MAGIC);
    header[VERSION_AT..LENGTH_AT].copy_from_slice(&version.to_le_bytes());
    header[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&(body.len() as u64).to_le_bytes());
    header[CHECKSUM_AT..].copy_from_slice(&crc::crc32(body).to_le_bytes());
}

/// The opcodes that a module uses, in the order of their first use, and the place of each.
struct Opcodes {
    used: Vec<Op>,
    /// By the opcode's number; that of an opcode which the module does not use means nothing.
    places: Vec<u32>,
}

impl Opcodes {
    fn of(module: &Module) -> Opcodes {
        let mut opcodes = Opcodes { used: Vec::new(), places: vec![u32::MAX; Op::ALL.len()] };
        for inst in module.functions.iter().flat_map(|function| &function.insts) {
            let place = &mut opcodes.places[inst.op as usize];
            if *place == u32::MAX {
                *place = opcodes.used.len() as u32;
                opcodes.used.push(inst.op);
            }
        }
        opcodes
    }
}

/// A number that is small for registers on both sides of 0.
fn zigzag(field: u32) -> u32 {
    let signed = field.cast_signed();
    (signed << 1 ^ signed >> 31).cast_unsigned()
}

pub(super) struct Writer {
    out: Vec<u8>,
    /// Whether the type of a reference was written.
    references: bool,
}

impl Writer {
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn section(&mut self, section: Section, contents: impl FnOnce(&mut Writer)) {
        self.byte(section as u8);
        let start = self.out.len();
        contents(self);
        // The length stands before the contents and takes as many bytes as it needs, so these make room for it.
        let end = self.out.len();
        self.size(end - start);
        let len = self.out.len() - end;
        self.out[start..].rotate_right(len);
    }

    pub(super) fn list_section<T>(&mut self, section: Section, items: &[T], write: impl FnMut(&mut Writer, &T)) {
        if !items.is_empty() {
            self.section(section, |out| out.list(items, write));
        }
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.size(items.len());
        for item in items {
            write(self, item);
        }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.byte(value.to_le_bytes()[0]);
    }

    pub(super) fn size(&mut self, size: usize) {
        self.number(size as u64);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.number(u64::from(value));
    }

    fn field(&mut self, field: u32) {
        self.u32(zigzag(field));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn ty(&mut self, ty: Type) {
        self.references |= ty.is_reference();
        self.byte(type_number(ty));
    }

    pub(super) fn signature(&mut self, signature: &Signature) {
        self.byte(u8::from(signature.variadic));
        self.list(&signature.params, |out, &ty| out.ty(ty));
        self.list(&signature.results, |out, &ty| out.ty(ty));
    }

    fn global(&mut self, global: &Global) {
        self.text(&global.name);
        self.ty(global.ty);
        self.out.extend_from_slice(&global.bits().to_le_bytes());
        self.u32(global.line);
    }

    fn memory(&mut self, memory: &Memory) {
        self.u32(memory.min);
        self.maximum(memory.max);
        self.u32(memory.line);
    }

    /// 0, or a number plus one.
    pub(super) fn maximum(&mut self, max: Option<u32>) {
        self.number(max.map_or(0, |max| u64::from(max) + 1));
    }

    fn init(&mut self, init: &Init) {
        self.u32(init.offset);
        self.bytes(&init.bytes);
        self.u32(init.line);
    }

    fn table(&mut self, table: &Table) {
        self.text(&table.name);
        self.list(&table.functions, |out, &function| out.u32(function));
        self.u32(table.line);
    }

    fn function(&mut self, function: &Function, opcodes: &Opcodes) {
        self.text(&function.name);
        self.signature(&function.signature);
        self.u32(function.line);
        self.list(&function.labels, Writer::label);
        self.list(&function.lists, |out, &item| out.field(item));
        self.list(&function.insts, |out, inst| {
            let place = opcodes.places[inst.op as usize];
            let fields = [place, zigzag(inst.d), zigzag(inst.a), zigzag(inst.b)];
            // Most instructions have registers with numbers of one byte, and there are many instructions.
            if fields.iter().all(|&field| field < 0x80) {
                out.out.extend_from_slice(&fields.map(|field| field as u8));
            } else {
                for field in fields {
                    out.u32(field);
                }
            }
        });
        let mut last = 0u32;
        self.list(&function.lines, |out, &line| {
            out.field(line.wrapping_sub(last));
            last = line;
        });
    }

    fn label(&mut self, label: &Label) {
        self.text(&label.name);
        self.u32(label.at.wrapping_add(1));
    }

    fn c_type(&mut self, ty: &CType) {
        if let CType::Struct(members) = ty {
            self.byte(STRUCT);
            return self.list(members, Writer::c_type);
        }
        let number = (0..).zip(&CType::SCALARS).find(|(_, (_, scalar))| scalar == ty);
        self.byte(number.map_or(STRUCT, |(number, _)| number));
    }

    fn c_signature(&mut self, signature: &CSignature) {
        let variadic = if signature.variadic { VARIADIC } else { 0 };
        let convention = if signature.abi == Abi::Win64 { WIN64 } else { 0 };
        self.byte(variadic | convention);
        self.list(&signature.params, Writer::c_type);
        self.list(&signature.results, Writer::c_type);
    }

    fn custom(&mut self, custom: &Custom) {
        self.text(&custom.op.name);
        self.list(&custom.op.params, |out, &ty| out.ty(ty));
        self.list(custom.op.result.as_slice(), |out, &ty| out.ty(ty));
        self.u32(custom.line);
    }

    fn external(&mut self, e: &Extern) {
        self.text(&e.name);
        self.text(&e.library);
        self.text(&e.symbol);
        self.u32(e.signature);
        self.u32(e.line);
    }

    fn data(&mut self, data: &Data) {
        self.text(&data.name);
        self.byte(if data.writable { WRITABLE } else { 0 });
        self.u32(data.align);
        self.bytes(&data.bytes);
        self.number(data.zeros);
        self.list(&data.pointers, |out, pointer| {
            let (kind, index) = pointer.target.fields();
            out.u32(pointer.offset);
            out.u32(kind);
            out.u32(index);
        });
        self.u32(data.line);
    }
}
