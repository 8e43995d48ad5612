//! Call frame information: how to get from any instruction of stitched code to its caller.
//!
//! Comes in: an image. Goes out: the contents of `.eh_frame`. What must hold: the rule for the return address and for
//! each saved register is right at every instruction, since signals and debuggers stop anywhere.
//!
//! It follows from two facts that the image states: how deep the stack is from each offset on, and which registers a
//! function saves, pushed in the order of their numbers as the first thing it does.

use std::ops::Range;

use gimli::constants as dw;
use gimli::write::{
    CallFrameInstruction, CommonInformationEntry, EhFrame, EndianVec, Expression, FrameDescriptionEntry, FrameTable,
    Writer as _,
};
use gimli::{Encoding, Format, LittleEndian, Register, X86_64};

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

/// Where the common part is: first.
const COMMON: usize = 0;

/// The contents of `.eh_frame` behind these bytes, without the zero that ends it: a linker joins sections, and adds that.
#[must_use]
pub fn eh_frame(image: &Image, base: Base, bytes: Vec<u8>) -> Section {
    let count = image.functions.len() + image.entries.len();
    let mut out = Section::onto(bytes, 32 + 64 * count, count);
    common_part(&mut out, base);
    let mut next = 0;
    let functions = image.functions.iter().map(|f| (f.entry, f.end, f.saved));
    for (start, end, saved) in functions.chain(image.entries.iter().map(|e| (e.start, e.end, e.saved))) {
        if start < end {
            let rows = rows(image, start, end, next);
            next = rows.end;
            function(&mut out, &image.unwind[rows], (start, end), saved, base);
        }
    }
    out
}

/// The same, ended, for the unwinder of this process.
#[must_use]
pub fn in_memory(image: &Image, base: u64) -> Vec<u8> {
    let mut section = eh_frame(image, Base::Memory(base), Vec::new());
    section.u32(0);
    section.bytes
}

/// The common part (DWARF 5, 6.4.1, with the augmentation of the Linux Standard Base, 10.6.1.1): what holds at the entry of
/// every function.
fn common_part(out: &mut Section, base: Base) {
    out.u32(0);
    out.u32(0);
    out.u8(1);
    out.bytes.extend_from_slice(b"zR\0");
    out.uleb(1);
    out.sleb(-8);
    out.u8(X86_64::RA.0 as u8);
    out.uleb(1);
    out.u8(match base {
        Base::Section => dw::DW_EH_PE_pcrel.0 | dw::DW_EH_PE_sdata4.0,
        Base::Memory(_) => dw::DW_EH_PE_absptr.0,
    });
    out.bytes.extend_from_slice(&[dw::DW_CFA_def_cfa.0, X86_64::RSP.0 as u8, 8]);
    out.bytes.extend_from_slice(&[dw::DW_CFA_offset.0 | X86_64::RA.0 as u8, 1]);
    end(out, COMMON);
}

/// Ends a part that starts at `start`: the length of each is a multiple of 8.
fn end(out: &mut Section, start: usize) {
    out.bytes.resize(out.start + out.len().next_multiple_of(8), dw::DW_CFA_nop.0);
    out.close(start);
}

/// The rows that hold from `start` to `end`, which most often begin with `next`.
fn rows(image: &Image, start: u32, end: u32, next: usize) -> Range<usize> {
    let before = |row: &UnwindRow| row.offset < start;
    let is_first = image.unwind[..next].last().is_none_or(before) && !image.unwind.get(next).is_some_and(before);
    let first = if is_first { next } else { image.unwind.partition_point(before) };
    let len = image.unwind[first..].iter().take_while(|row| row.offset < end).count();
    first..first + len
}

/// The part of one function (DWARF 5, 6.4.2).
fn function(out: &mut Section, rows: &[UnwindRow], (start, end_at): (u32, u32), saved: u32, base: Base) {
    let part = out.len();
    out.u32(0);
    out.u32((out.len() - COMMON) as u32);
    if base == Base::Section {
        out.distance(start);
        out.u32(end_at - start);
    } else {
        out.address(base, start);
        out.bytes.extend_from_slice(&u64::from(end_at - start).to_le_bytes());
    }
    out.uleb(0);
    let mut numbers = [0; REGISTERS.len()];
    let mut count = 0;
    for (register, number) in REGISTERS.iter().enumerate() {
        if saved >> register & 1 != 0 {
            numbers[count] = number.0 as u8;
            count += 1;
        }
    }
    let (mut at, mut depth, mut there) = (start, 0, 0);
    for row in rows {
        let now = count.min(row.depth as usize / 8);
        if row.depth == depth && now == there {
            continue;
        }
        advance(out, row.offset - at);
        at = row.offset;
        if row.depth != depth {
            depth = row.depth;
            out.u8(dw::DW_CFA_def_cfa_offset.0);
            out.uleb(u64::from(depth) + 8);
        }
        if now != there {
            registers(out, &numbers, there, now);
            there = now;
        }
    }
    end(out, part);
}

/// Goes on by so many bytes of code.
fn advance(out: &mut Section, bytes: u32) {
    match bytes {
        0 => {}
        1..0x40 => out.u8(dw::DW_CFA_advance_loc.0 | bytes as u8),
        0x40..0x100 => out.bytes.extend_from_slice(&[dw::DW_CFA_advance_loc1.0, bytes as u8]),
        0x100..0x1_0000 => {
            out.u8(dw::DW_CFA_advance_loc2.0);
            out.u16(bytes as u16);
        }
        _ => {
            out.u8(dw::DW_CFA_advance_loc4.0);
            out.u32(bytes);
        }
    }
}

/// Of the registers with these numbers, the first `there` were on the stack, and the first `now` are.
fn registers(out: &mut Section, numbers: &[u8], there: usize, now: usize) {
    for (nth, &number) in numbers.iter().enumerate().take(now).skip(there) {
        // Each is below the one before, and the first below the return address; in units of 8 bytes, downwards.
        out.bytes.extend_from_slice(&[dw::DW_CFA_offset.0 | number, nth as u8 + 2]);
    }
    for &number in numbers.get(now..there).unwrap_or(&[]) {
        out.bytes.extend_from_slice(&[dw::DW_CFA_same_value.0, number]);
    }
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
    let mut written = EhFrame(EndianVec::new(LittleEndian));
    // Writing to memory fails for encodings only that are not used here.
    let _ = table.write_eh_frame(&mut written);
    let _ = written.0.write_u32(0);
    written.0.into_vec()
}

/// What holds at the entry of every function.
fn common() -> CommonInformationEntry {
    let encoding = Encoding { format: Format::Dwarf32, version: 1, address_size: 8 };
    let mut cie = CommonInformationEntry::new(encoding, 1, -8, X86_64::RA);
    cie.add_instruction(CallFrameInstruction::Cfa(X86_64::RSP, 8));
    cie.add_instruction(CallFrameInstruction::Offset(X86_64::RA, -8));
    cie
}
