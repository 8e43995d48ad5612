//! The line program: which code belongs to which line (DWARF 4, section 6.2).
//!
//! Comes in: rows, each of which holds until the next one. Goes out: the contents of `.debug_line`. What must hold: a
//! debugger that runs the program gets these rows.
//!
//! There is a row for nearly every instruction, so they are encoded right here: nearly all of them are one byte, a special
//! opcode.

use gimli::constants as dw;

use super::{Base, Section};
use crate::stitch::image::Image;

/// The number of the one file that there is: they count from 1 in this version.
pub const FILE: u8 = 1;
/// What special opcodes begin with: those below are the standard's own.
const OPCODE_BASE: u8 = 13;
/// How many operands each of the standard's opcodes has (6.2.4, 10).
const OPERANDS: [u8; OPCODE_BASE as usize - 1] = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
/// The least step of a special opcode in lines, and the number of such steps. What remains is a step of at most 16 bytes
/// of code, which few instructions have more than.
const LINE_BASE: i8 = -5;
const LINE_RANGE: u8 = 14;
/// The step in bytes that `DW_LNS_const_add_pc` makes.
const CONST_STEP: u32 = ((255 - OPCODE_BASE) / LINE_RANGE) as u32;

/// The section, for code of one source file, of this name.
pub fn section(image: &Image, lines: &[(u32, u32)], base: Base, name: &str, bytes: Vec<u8>) -> Section {
    let mut rows = Rows { out: Section::onto(bytes, 64 + name.len() + 2 * lines.len(), 1), offset: 0, line: 1 };
    rows.out.u32(0);
    header(&mut rows.out, name);
    rows.out.bytes.extend_from_slice(&[0, 9, dw::DW_LNE_set_address.0]);
    rows.out.address(base, 0);
    // Where a function has done what it does first, and a debugger may stop in it.
    let mut bodies = image.functions.iter().filter_map(|f| f.insts.first().copied().filter(|&body| body > f.entry));
    let mut body = bodies.next();
    let mut last = 0;
    for &(offset, line) in lines {
        while let Some(before) = body.filter(|&body| body < offset) {
            rows.row(before, last, true);
            body = bodies.next();
        }
        let here = body == Some(offset);
        if here {
            body = bodies.next();
        }
        rows.row(offset, line, here);
        last = line;
    }
    if let Some(body) = body {
        rows.row(body, last, true);
    }
    rows.end(image.code.len() as u32);
    rows.out.close(0);
    rows.out
}

/// What stands before the program (6.2.4).
fn header(out: &mut Section, name: &str) {
    out.u16(4);
    let len = out.len();
    out.u32(0);
    // Instructions of any length, one operation each, each row a place for a breakpoint.
    out.bytes.extend_from_slice(&[1, 1, 1, LINE_BASE as u8, LINE_RANGE, OPCODE_BASE]);
    out.bytes.extend_from_slice(&OPERANDS);
    // No folders but that of the unit.
    out.u8(0);
    out.name(name, "module");
    // Its folder, its time and its length are not told.
    out.bytes.extend_from_slice(&[0, 0, 0]);
    out.u8(0);
    out.close(len);
}

/// The state of whoever runs the program, so far as it is used.
struct Rows {
    out: Section,
    offset: u32,
    line: u32,
}

impl Rows {
    /// Adds a row, by a special opcode if possible (6.2.5.1).
    fn row(&mut self, offset: u32, line: u32, prologue_end: bool) {
        if prologue_end {
            self.out.u8(dw::DW_LNS_set_prologue_end.0);
        }
        let (bytes, mut lines) = (offset.wrapping_sub(self.offset), i64::from(line) - i64::from(self.line));
        (self.offset, self.line) = (offset, line);
        if !(i64::from(LINE_BASE)..i64::from(LINE_BASE) + i64::from(LINE_RANGE)).contains(&lines) {
            self.out.u8(dw::DW_LNS_advance_line.0);
            self.out.sleb(lines);
            lines = 0;
        }
        let step = (lines - i64::from(LINE_BASE)) as u32;
        let opcode = |bytes: u32| {
            let opcode = bytes.checked_mul(LINE_RANGE.into())?.checked_add(step + u32::from(OPCODE_BASE))?;
            u8::try_from(opcode).ok()
        };
        if let Some(opcode) = opcode(bytes) {
            self.out.u8(opcode);
        } else if let Some(opcode) = bytes.checked_sub(CONST_STEP).and_then(opcode) {
            self.out.u8(dw::DW_LNS_const_add_pc.0);
            self.out.u8(opcode);
        } else {
            self.out.u8(dw::DW_LNS_advance_pc.0);
            self.out.uleb(bytes.into());
            self.out.u8(step as u8 + OPCODE_BASE);
        }
    }

    fn end(&mut self, offset: u32) {
        self.out.u8(dw::DW_LNS_advance_pc.0);
        self.out.uleb(offset.wrapping_sub(self.offset).into());
        self.out.bytes.extend_from_slice(&[0, 1, dw::DW_LNE_end_sequence.0]);
    }
}
