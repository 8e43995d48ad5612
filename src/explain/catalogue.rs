//! The catalogue of the snippet library: contracts, bytes, holes, disassembly.
//!
//! Comes in: the library, and names or patterns. Goes out: text and JSON. What must hold: a contract is written as its
//! template declares it, so that one can be found from the other.

use std::fmt::Write as _;

use super::disassemble::{self, Code};
use super::holes::{Mark, marks, register_operand};
use super::ink::{Ink, Pen};
use super::show::WIDTH;
use super::{Byte, Line, json, place};
use crate::isa::fusion::Fusion;
use crate::isa::snippet::{Fault, Features, Info, Kind, MAX_REGS, Operand};
use crate::isa::template::role_word;
use crate::library::Library;

/// `1 slot`, `2 slots`.
#[must_use]
pub fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The snippets whose names fit a pattern: part of a name, or with `*` for anything.
#[must_use]
pub fn find(library: &Library, pattern: &str) -> Vec<&'static Info> {
    library.infos().iter().filter(|info| fits(info.name, pattern)).collect()
}

/// The snippets of a name: those called so, or else those whose names it begins as a whole word.
#[must_use]
pub fn named(library: &Library, name: &str) -> Vec<&'static Info> {
    let of =
        |wanted: &dyn Fn(&str) -> bool| library.infos().iter().filter(|info| wanted(info.name)).collect::<Vec<_>>();
    let exact = of(&|known| known == name || known.strip_suffix("/cold") == Some(name));
    let begins = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '+']));
    if exact.is_empty() { of(&begins) } else { exact }
}

fn fits(name: &str, pattern: &str) -> bool {
    if !pattern.contains('*') {
        return name.contains(pattern);
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The operands of a snippet as its template declares them, and what it asks for where it is fused.
#[must_use]
pub fn operands(info: &Info) -> Vec<String> {
    let operand = |operand: &Operand| format!("{} {}:{}", role_word(operand.role), operand.name, kind(operand));
    info.operands.iter().map(operand).chain(conditions(info)).collect()
}

/// What the template of a fusion asks for beside its operands.
fn conditions(info: &Info) -> Vec<String> {
    info.fusion.map_or_else(Vec::new, Fusion::conditions)
}

fn kind(operand: &Operand) -> String {
    let without = excluded(operand).into_iter().flat_map(|name| ["-", name]);
    std::iter::once(operand.kind.name()).chain(without).collect()
}

/// The registers that must not stand in an operand's place, but for the frame register, which never may.
fn excluded(operand: &Operand) -> Vec<&'static str> {
    let out = |number: &u8| operand.allowed >> number & 1 == 0 && (operand.kind, *number) != (Kind::Gp, 4);
    if !operand.kind.is_register() {
        return Vec::new();
    }
    (0..16).filter(out).map(|number| place::register(operand.kind, number)).collect()
}

/// What a snippet changes beside its outputs.
fn changes(info: &Info) -> Vec<&'static str> {
    let of = |set: u16, kind| (0..16).filter(move |n| set >> n & 1 != 0).map(move |n| place::register(kind, n));
    let flags = info.clobbers_flags.then_some("flags");
    of(info.clobbers, Kind::Gp).chain(of(info.xmm_clobbers, Kind::Xmm)).chain(flags).collect()
}

fn needs(info: &Info) -> Vec<&'static str> {
    Features::ALL.iter().filter(|(_, bit)| info.needs & bit != 0).map(|(name, _)| *name).collect()
}

fn size(library: &Library, info: &Info) -> usize {
    usize::from(library.chunks()[usize::from(info.chunk)].head.len)
}

/// A list with a line for each snippet.
#[must_use]
pub fn list(library: &Library, infos: &[&'static Info], pen: Pen) -> String {
    let width = |text: &dyn Fn(&Info) -> String| infos.iter().map(|info| text(info).chars().count()).max().unwrap_or(0);
    let name = width(&|info| info.name.to_owned());
    let contract = width(&|info| operands(info).join(", ")).min(60);
    let mut out = String::new();
    for info in infos {
        let operands = operands(info).join(", ");
        let needs = needs(info).join(" ");
        let place = format!("{}:{}", info.file, info.line);
        let _ = writeln!(
            out,
            "{}{:pad$}  {operands:contract$}  {:>3} bytes  {}{needs}",
            pen.ink(Ink::Source, info.name),
            "",
            size(library, info),
            pen.ink(Ink::Quiet, &place),
            pad = name - info.name.len(),
            needs = if needs.is_empty() { needs } else { format!("  needs {needs}") },
        );
    }
    out
}

/// Everything about some snippets.
#[must_use]
pub fn show(library: &Library, infos: &[&'static Info], pen: Pen) -> String {
    let mut out = String::new();
    let mut inverted = false;
    for (number, info) in infos.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        inverted |= one(library, info, pen, &mut out);
    }
    let marks = if pen.coloured { "" } else { "(48) has bits of a register, [--] is a value. " };
    let _ = writeln!(out, "\n{}", pen.ink(Ink::Quiet, &format!("{marks}Bits of an operand are shown as its letter.")));
    if inverted {
        let _ = writeln!(out, "{}", pen.ink(Ink::Quiet, "Bits in capital letters are inverted."));
    }
    out
}

/// Shows one snippet; says whether some of its bits are inverted.
fn one(library: &Library, info: &'static Info, pen: Pen, out: &mut String) -> bool {
    let place = format!("{}:{}", info.file, info.line);
    let gap = WIDTH.saturating_sub(info.name.len() + place.len()).max(2);
    let _ = writeln!(out, "{}{:gap$}{}", pen.ink(Ink::Head, info.name), "", pen.ink(Ink::Quiet, &place));
    for (number, operand) in info.operands.iter().enumerate() {
        let name = pen.operand(info, number as u8, operand.name);
        let pad = 6usize.saturating_sub(operand.name.len());
        let _ = writeln!(out, "  {:6} {name}{:pad$} {}", role_word(operand.role), "", meaning(operand));
    }
    for (head, text) in facts(library, info) {
        let _ = writeln!(out, "  {}", wrapped(&head, &text));
    }
    out.push('\n');
    let mut inverted = false;
    for line in disassembled(library, info) {
        let (bytes, width) = pen.bytes(info, &line.bytes);
        let offset = pen.ink(Ink::Quiet, &format!("{:04x}", line.offset));
        let gap = 36usize.saturating_sub(width) + 2;
        let _ = writeln!(out, "  {offset}  {bytes}{:gap$}{}", "", pen.pieces(info, &line));
        let bits: Vec<Vec<Bit>> = bits(library, info, &line);
        inverted |= bits.iter().flatten().any(|bit| bit.inverted());
        for row in bits.chunks(8) {
            let row: Vec<String> =
                row.iter().map(|byte| byte.iter().map(|bit| bit.show(info, pen)).collect()).collect();
            let _ = writeln!(out, "        {}", row.join(" "));
        }
    }
    inverted
}

/// A text behind its heading, broken where it is too long.
fn wrapped(head: &str, text: &str) -> String {
    const INDENT: usize = 16;
    let mut out = format!("{head:14}");
    let mut column = INDENT;
    for word in text.split(' ') {
        if column + word.len() + 1 > WIDTH {
            let _ = write!(out, "\n{:INDENT$}", "");
            column = INDENT;
        } else if column > INDENT {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

fn meaning(operand: &Operand) -> String {
    let range = |bytes| if bytes == 1 { "-128 to 127" } else { "4 bytes, sign-extended" };
    match operand.kind {
        Kind::Gp | Kind::Xmm => {
            let class = if operand.kind == Kind::Gp { "a general register" } else { "a vector register" };
            match excluded(operand).as_slice() {
                [] => class.to_owned(),
                names => format!("{class} but {}", names.join(", ")),
            }
        }
        Kind::Imm8 => format!("a constant, {}", range(1)),
        Kind::Imm32 => format!("a constant, {}", range(4)),
        Kind::Uimm32 => "a constant, 4 bytes, zero-extended".to_owned(),
        Kind::Imm64 => "a constant, 8 bytes".to_owned(),
        Kind::Slot8 => "a frame slot within 127 bytes".to_owned(),
        Kind::Slot32 => "a frame slot".to_owned(),
        Kind::Off8 => "a distance from an address, -128 to 127".to_owned(),
        Kind::Off32 => "a distance from an address, 4 bytes".to_owned(),
        Kind::Lit => "a constant or a table behind the code".to_owned(),
        Kind::Rel8 => "a place in the code within 127 bytes".to_owned(),
        Kind::Rel32 => "a place in the code".to_owned(),
        Kind::Data => "something that the instance has".to_owned(),
    }
}

/// What else is to be said of a snippet.
fn facts(library: &Library, info: &Info) -> Vec<(String, String)> {
    let mut facts = vec![("size".to_owned(), plural(size(library, info), "byte"))];
    let mut fact = |head: &str, text: String| facts.push((head.to_owned(), text));
    if let Some(fusion) = info.fusion {
        let ops = std::iter::once(fusion.first).chain(fusion.second).map(|op| op.row().name());
        let ops = ops.collect::<Vec<_>>().join(" and then ");
        fact("stands for", std::iter::once(ops).chain(conditions(info)).collect::<Vec<_>>().join(", "));
    }
    match changes(info).as_slice() {
        [] => fact("changes", "nothing else".to_owned()),
        changes => fact("changes", changes.join(" ")),
    }
    if info.needs != 0 {
        fact("needs", needs(info).join(" "));
    }
    for site in info.sites {
        let what = match site.fault {
            Fault::Trap(kind) => format!("{kind}"),
            Fault::Divide(operand) => {
                format!("where {} is zero or the quotient does not fit", info.operands[usize::from(operand)].name)
            }
            Fault::Halt => "ends the program".to_owned(),
        };
        fact("traps", format!("at {:04x}: {what}", site.offset));
    }
    facts
}

/// Registers that stand for the operands: different ones, and none that templates name themselves.
fn sample(info: &Info) -> [u8; MAX_REGS] {
    const GENERAL: [u8; 10] = [3, 6, 7, 5, 8, 9, 10, 11, 12, 13];
    const VECTOR: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let mut regs = [0; MAX_REGS];
    let mut taken = [0u16; 2];
    let registers = info.operands.iter().filter(|operand| operand.kind.is_register());
    for (reg, operand) in regs.iter_mut().zip(registers) {
        let vector = usize::from(operand.kind == Kind::Xmm);
        let free = operand.allowed & !taken[vector];
        let from = if vector == 1 { VECTOR } else { GENERAL };
        *reg = from.into_iter().find(|number| free >> number & 1 != 0).unwrap_or(0);
        taken[vector] |= 1 << *reg;
    }
    regs
}

/// The instructions of a snippet, with the names of operands in the place of registers and values.
#[must_use]
pub fn disassembled(library: &Library, info: &'static Info) -> Vec<Line> {
    let regs = sample(info);
    let mut bytes = library.bytes(info.chunk, regs);
    let (mut numbers, mut symbols) = (Vec::new(), Vec::new());
    for (nth, hole) in info.holes.iter().enumerate() {
        let operand = &info.operands[usize::from(hole.operand)];
        let (at, size) = (usize::from(hole.offset), hole.patch.size());
        let mut fill = |value: i64| bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        let (nth, name) = (nth as i64 + 1, operand.name.to_owned());
        let distance = match (operand.kind, size) {
            (Kind::Rel8 | Kind::Rel32 | Kind::Lit | Kind::Data, 1) => 0x40 + nth,
            (Kind::Rel8 | Kind::Rel32 | Kind::Lit | Kind::Data, _) => 0x2000_0000 * nth,
            (_, 1) => {
                fill(0x11 * nth);
                numbers.push((hole.operand, 0x11 * nth as u64, Some(name)));
                continue;
            }
            _ => {
                let value = if size == 8 { 0x1234_5678_9abc_0000 } else { 0x1234_0000 } + nth;
                fill(value);
                numbers.push((hole.operand, value as u64, Some(name)));
                continue;
            }
        };
        fill(distance);
        symbols.push(((at as i64 - i64::from(hole.addend) + distance) as u64, name, hole.operand));
    }
    let shown: Vec<Byte> = bytes
        .iter()
        .zip(marks(library, info))
        .map(|(&value, mark)| Byte { value: Some(value).filter(|_| !matches!(mark, Mark::Value(_))), mark })
        .collect();
    disassemble::lines(&Code {
        info,
        bytes: &bytes,
        shown: &shown,
        start: 0,
        regs,
        by_name: true,
        numbers: &numbers,
        symbols: &symbols,
    })
}

/// A bit of a template.
#[derive(Clone, Copy)]
enum Bit {
    Fixed(bool),
    /// Of an operand; the template's own bit is what is flipped.
    Hole(u8, bool),
}

impl Bit {
    fn inverted(self) -> bool {
        matches!(self, Bit::Hole(_, true))
    }

    fn show(self, info: &Info, pen: Pen) -> String {
        match self {
            Bit::Fixed(bit) => pen.ink(Ink::Quiet, if bit { "1" } else { "0" }),
            Bit::Hole(operand, inverted) => {
                let letter = &info.operands[usize::from(operand)].name[..1];
                let letter = if inverted { letter.to_uppercase() } else { letter.to_owned() };
                pen.operand(info, operand, &letter)
            }
        }
    }
}

/// The bits of a line's bytes, highest first.
fn bits(library: &Library, info: &Info, line: &Line) -> Vec<Vec<Bit>> {
    let base = library.bytes(info.chunk, [0; MAX_REGS]);
    let one = |(at, byte): (usize, &Byte)| {
        let base = base[line.offset as usize + at];
        let bit = |shift: u8| {
            let set = base >> shift & 1 != 0;
            match byte.mark {
                Mark::Fixed => Bit::Fixed(set),
                Mark::Value(operand) => Bit::Hole(operand, false),
                Mark::Register(masks) => {
                    let nth = (0..MAX_REGS).find(|&nth| masks[nth] >> shift & 1 != 0);
                    let operand = nth.and_then(|nth| register_operand(info, nth));
                    operand.map_or(Bit::Fixed(set), |operand| Bit::Hole(operand, set))
                }
            }
        };
        (0..8).rev().map(bit).collect()
    };
    line.bytes.iter().enumerate().map(one).collect()
}

/// Some snippets as JSON.
#[must_use]
pub fn as_json(library: &Library, infos: &[&'static Info]) -> String {
    json::lines(infos.iter().map(|info| "  ".to_owned() + &info_json(library, info))) + "\n"
}

fn info_json(library: &Library, info: &'static Info) -> String {
    let names = |names: Vec<&'static str>| json::list(names.into_iter().map(json::string));
    let operand = |operand: &Operand| {
        json::object([
            ("name", json::string(operand.name)),
            ("role", json::string(role_word(operand.role))),
            ("kind", json::string(operand.kind.name())),
            ("excluded", names(excluded(operand))),
        ])
    };
    let holes = info.holes.iter().map(|hole| {
        json::object([
            ("operand", json::string(info.operands[usize::from(hole.operand)].name)),
            ("offset", hole.offset.to_string()),
            ("bytes", hole.patch.size().to_string()),
        ])
    });
    let plain = Pen { coloured: false };
    let lines = disassembled(library, info);
    let code = lines.iter().map(|line| {
        let bits = bits(library, info, line);
        let bits = bits.iter().map(|byte| byte.iter().map(|bit| bit.show(info, plain)).collect::<String>());
        json::object([
            ("offset", line.offset.to_string()),
            ("bits", json::string(&bits.collect::<Vec<_>>().join(" "))),
            ("text", json::string(&line.text())),
        ])
    });
    json::object([
        ("name", json::string(info.name)),
        ("file", json::string(info.file)),
        ("line", info.line.to_string()),
        ("bytes", size(library, info).to_string()),
        ("operands", json::list(info.operands.iter().map(operand))),
        ("conditions", json::list(conditions(info).iter().map(|text| json::string(text)))),
        ("holes", json::list(holes)),
        ("changes", names(changes(info))),
        ("needs", names(needs(info))),
        ("code", json::list(code)),
    ])
}
