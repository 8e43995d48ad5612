//! Disassembly that knows the snippet: which of an instruction's registers and numbers come from which hole.
//!
//! Comes in: the bytes of a snippet with its marks, registers and values. Goes out: a [`Line`] for each instruction. What
//! must hold: bytes that are no instruction are shown, not skipped.

use iced_x86::{
    Decoder, DecoderOptions, Formatter, FormatterOutput, FormatterTextKind, Instruction, IntelFormatter,
    MemorySizeOptions, NumberKind, OpKind, Register, SymbolResolver, SymbolResult,
};

use super::holes::{Mark, register_operand};
use super::{Byte, Line, Piece, Tint};
use crate::isa::snippet::{Info, Kind, MAX_REGS};

/// Bytes of a snippet as they are to be decoded.
pub struct Code<'a> {
    /// The contract.
    pub info: &'static Info,
    /// The bytes, every hole filled with something to decode.
    pub bytes: &'a [u8],
    /// What is shown in their place.
    pub shown: &'a [Byte],
    /// Where they start.
    pub start: u32,
    /// The registers of the register operands.
    pub regs: [u8; MAX_REGS],
    /// Whether registers are called by the operand's name.
    pub by_name: bool,
    /// What numbers in value holes are called: the operand, its value, and a name that takes the value's place.
    pub numbers: &'a [(u8, u64, Option<String>)],
    /// What addresses are called, and the operand that they come from.
    pub symbols: &'a [(u64, String, u8)],
}

/// Disassembles the instructions of a snippet.
pub fn lines(code: &Code<'_>) -> Vec<Line> {
    let mut decoder = Decoder::with_ip(64, code.bytes, u64::from(code.start), DecoderOptions::NONE);
    let mut formatter = formatter(code);
    let mut lines = Vec::new();
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        let at = decoder.position();
        decoder.decode_out(&mut instruction);
        let shown = &code.shown[at..decoder.position()];
        let mut writer = Writer { code, shown, pieces: Vec::new() };
        if instruction.is_invalid() {
            writer.write("(no instruction)", FormatterTextKind::Text);
        } else {
            formatter.format(&instruction, &mut writer);
        }
        lines.push(Line { offset: code.start + at as u32, bytes: shown.to_vec(), pieces: writer.pieces });
    }
    lines
}

fn formatter(code: &Code<'_>) -> IntelFormatter {
    let symbols = Symbols(code.symbols.iter().map(|(address, name, _)| (*address, name.clone())).collect());
    let mut formatter = IntelFormatter::with_options(Some(Box::new(symbols)), None);
    let options = formatter.options_mut();
    options.set_first_operand_char_index(7);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(true);
    options.set_space_after_operand_separator(true);
    options.set_signed_immediate_operands(true);
    options.set_branch_leading_zeros(false);
    options.set_show_branch_size(false);
    options.set_memory_size_options(MemorySizeOptions::Minimal);
    formatter
}

struct Symbols(Vec<(u64, String)>);

impl SymbolResolver for Symbols {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _: u32,
        operand: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        // A constant that happens to be the same number as an address is none.
        let is_address = match instruction.op_kind(operand?) {
            OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => true,
            OpKind::Memory => instruction.is_ip_rel_memory_operand(),
            _ => false,
        };
        let (_, name) = self.0.iter().find(|(known, _)| is_address && *known == address)?;
        Some(SymbolResult::with_str(address, name))
    }
}

struct Writer<'a, 'c> {
    code: &'c Code<'a>,
    /// The bytes of the instruction that is being written.
    shown: &'c [Byte],
    pieces: Vec<Piece>,
}

impl Writer<'_, '_> {
    fn push(&mut self, text: &str, tint: Tint) {
        match self.pieces.last_mut() {
            Some(last) if last.tint == tint => last.text.push_str(text),
            _ => self.pieces.push(Piece { text: text.to_owned(), tint }),
        }
    }

    /// The register operand that has this register in this instruction.
    fn operand_of(&self, register: Register) -> Option<u8> {
        let vector = register.is_vector_register();
        let decides =
            |nth: usize| self.shown.iter().any(|byte| matches!(byte.mark, Mark::Register(masks) if masks[nth] != 0));
        (0..MAX_REGS).find_map(|nth| {
            let number = register_operand(self.code.info, nth)?;
            let fits = (self.code.info.operands[usize::from(number)].kind == Kind::Xmm) == vector;
            let same = register.full_register().number() == usize::from(self.code.regs[nth]);
            (fits && same && decides(nth)).then_some(number)
        })
    }

    fn has_hole(&self, operand: u8) -> bool {
        self.shown.iter().any(|byte| byte.mark == Mark::Value(operand))
    }
}

impl FormatterOutput for Writer<'_, '_> {
    fn write(&mut self, text: &str, kind: FormatterTextKind) {
        let tint = if kind == FormatterTextKind::Mnemonic { Tint::Mnemonic } else { Tint::Plain };
        self.push(text, tint);
    }

    fn write_number(
        &mut self,
        _: &Instruction,
        _: u32,
        _: Option<u32>,
        text: &str,
        value: u64,
        _: NumberKind,
        _: FormatterTextKind,
    ) {
        // The formatter writes a minus by itself and hands over what follows it.
        let same = |known: u64| {
            known == value || known.wrapping_neg() == value || u64::from(known as u32) == u64::from(value as u32)
        };
        let found = self.code.numbers.iter().find(|(operand, known, _)| self.has_hole(*operand) && same(*known));
        match found {
            Some((operand, _, name)) => {
                let shown = name.clone().unwrap_or_else(|| text.to_owned());
                self.push(&shown, Tint::Operand(*operand));
            }
            None => self.push(text, Tint::Plain),
        }
    }

    fn write_register(&mut self, _: &Instruction, _: u32, _: Option<u32>, text: &str, register: Register) {
        let Some(number) = self.operand_of(register) else { return self.push(text, Tint::Plain) };
        let operand = &self.code.info.operands[usize::from(number)];
        if !self.code.by_name {
            return self.push(text, Tint::Operand(number));
        }
        let width = match (register.is_vector_register(), register.size()) {
            (true, _) | (false, 8) => "",
            (false, 4) => "32",
            (false, 2) => "16",
            (false, _) => "8",
        };
        self.push(&format!("{}{width}", operand.name), Tint::Operand(number));
    }

    fn write_symbol(&mut self, _: &Instruction, _: u32, _: Option<u32>, address: u64, _: &SymbolResult<'_>) {
        let known = self.code.symbols.iter().find(|(known, _, _)| *known == address);
        if let Some((_, name, operand)) = known {
            let tint = if *operand == u8::MAX { Tint::Plain } else { Tint::Operand(*operand) };
            self.push(name, tint);
        }
    }
}
