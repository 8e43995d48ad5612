//! Call frame information: how to get from any instruction of stitched code to its caller.
//!
//! Comes in: an image. Goes out: the contents of `.eh_frame`. What must hold: the rule for the return address and for
//! each saved register is right at every instruction, since signals and debuggers stop anywhere.
//!
//! It follows from two facts that the image states: how deep the stack is from each offset on, and which registers a
//! function saves, pushed in the order of their numbers as the first thing it does.

use gimli::write::{
    CallFrameInstruction, CommonInformationEntry, EhFrame, Expression, FrameDescriptionEntry, FrameTable, Writer as _,
};
use gimli::{Encoding, Format, Register, X86_64};

use super::{Base, Section};
use crate::stitch::image::{Image, UnwindRow};

/// The debugger's numbers of the machine's general registers, by the machine's own.
const REGISTERS: [Register; 16] = [
    X86_64::RAX,
    X86_64::RCX,
    X86_64::RDX,
    X86_64::RBX,
    X86_64::RSP,
    X86_64::RBP,
    X86_64::RSI,
    X86_64::RDI,
    X86_64::R8,
    X86_64::R9,
    X86_64::R10,
    X86_64::R11,
    X86_64::R12,
    X86_64::R13,
    X86_64::R14,
    X86_64::R15,
];

/// The contents of `.eh_frame`, without the zero that ends it: a linker joins sections, and adds that.
#[must_use]
pub fn eh_frame(image: &Image, base: Base) -> Section {
    let mut table = FrameTable::default();
    let mut cie = common();
    if base == Base::Section {
        cie.fde_address_encoding = gimli::constants::DW_EH_PE_pcrel | gimli::constants::DW_EH_PE_sdata4;
    }
    let cie = table.add_cie(cie);
    let functions = image.functions.iter().map(|f| (f.entry, f.end, f.saved));
    for (start, end, saved) in functions.chain(image.entries.iter().map(|e| (e.start, e.end, e.saved))) {
        if start < end {
            table.add_fde(cie, function(rows(image, start, end), start, end, saved, base));
        }
    }
    let mut written = EhFrame(Section::default());
    // Writing to memory fails for encodings only that are not used here.
    let _ = table.write_eh_frame(&mut written);
    written.0
}

/// The same, ended, for the unwinder of this process.
#[must_use]
pub fn in_memory(image: &Image, base: u64) -> Vec<u8> {
    let mut section = eh_frame(image, Base::Memory(base));
    let _ = section.bytes.write_u32(0);
    section.bytes.into_vec()
}

/// Frames of code that runs on a stack of its own, and has kept where the stack of its caller is: `kept` bytes behind the
/// address in the register with the number `register`. There, the registers `saved` stand in a row below the return address,
/// from the highest place down, with `unused` bytes below.
///
/// `pieces` are the addresses and lengths of such code. It does not hold where the code changes from stack to stack, at its
/// start and its end.
#[must_use]
pub fn switching(pieces: &[(u64, u32)], register: u8, kept: i64, saved: &[u8], unused: u64) -> Vec<u8> {
    let mut table = FrameTable::default();
    let cie = table.add_cie(common());
    for &(start, len) in pieces {
        let mut entry = FrameDescriptionEntry::new(gimli::write::Address::Constant(start), len);
        let mut place = Expression::new();
        place.op_breg(REGISTERS[usize::from(register & 15)], kept);
        place.op_deref();
        place.op_plus_uconst(unused + 8 * saved.len() as u64 + 8);
        entry.add_instruction(0, CallFrameInstruction::CfaExpression(place));
        for (nth, &register) in saved.iter().enumerate() {
            let register = REGISTERS[usize::from(register & 15)];
            entry.add_instruction(0, CallFrameInstruction::Offset(register, -16 - 8 * nth as i32));
        }
        table.add_fde(cie, entry);
    }
    let mut written = EhFrame(Section::default());
    let _ = table.write_eh_frame(&mut written);
    let _ = written.0.bytes.write_u32(0);
    written.0.bytes.into_vec()
}

/// What holds at the entry of every function.
fn common() -> CommonInformationEntry {
    let encoding = Encoding { format: Format::Dwarf32, version: 1, address_size: 8 };
    let mut cie = CommonInformationEntry::new(encoding, 1, -8, X86_64::RA);
    cie.add_instruction(CallFrameInstruction::Cfa(X86_64::RSP, 8));
    cie.add_instruction(CallFrameInstruction::Offset(X86_64::RA, -8));
    cie
}

/// The rows that hold from `start` to `end`.
fn rows(image: &Image, start: u32, end: u32) -> &[UnwindRow] {
    let at = |offset: u32| image.unwind.partition_point(|row| row.offset < offset);
    &image.unwind[at(start)..at(end)]
}

fn function(rows: &[UnwindRow], start: u32, end: u32, saved: u32, base: Base) -> FrameDescriptionEntry {
    let registers: Vec<Register> = (0..16).filter(|n| saved >> n & 1 != 0).map(|n| REGISTERS[n]).collect();
    let mut entry = FrameDescriptionEntry::new(base.at(start), end - start);
    let (mut depth, mut there) = (0, 0);
    for row in rows {
        let at = row.offset - start;
        if row.depth != depth {
            depth = row.depth;
            entry.add_instruction(at, CallFrameInstruction::CfaOffset(depth as i32 + 8));
        }
        let now = registers.len().min(depth as usize / 8);
        for (nth, &register) in registers.iter().enumerate() {
            if (there..now).contains(&nth) {
                entry.add_instruction(at, CallFrameInstruction::Offset(register, -16 - 8 * nth as i32));
            } else if (now..there).contains(&nth) {
                entry.add_instruction(at, CallFrameInstruction::SameValue(register));
            }
        }
        there = now;
    }
    entry
}
