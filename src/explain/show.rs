//! The listing as text.
//!
//! Comes in: a [`Listing`]. Goes out: lines of about a hundred columns, in colour or not. What must hold: each line of the
//! program stands there as it was written, and under it the snippets that were copied for it.

use std::fmt::Write as _;

use super::catalogue::plural;
use super::homes::Fused;
use super::ink::{Ink, Pen};
use super::listing::{Copied, FunctionListing, Listing};
use super::totals::Totals;
use crate::diagnostic::clean;
use crate::isa::op::Shape;
use crate::stitch::operands::shape;
use crate::stitch::trace::Step;
use crate::verified::{Body, Var};

/// Columns of a listing.
pub(super) const WIDTH: usize = 100;
/// Columns of a snippet's name and operands.
const LEFT: usize = 30;
/// Columns before them.
const MARGIN: usize = 7;
/// Columns of the bytes.
const BYTES: usize = 26;

/// Why an instruction has no code: it is one with that before it, a branch with a comparison, or another.
const ONE_WITH: [&str; 2] = ["one with the comparison", "one with the line before"];

/// Why an instruction has no code; for each instruction that has some, nothing.
pub(super) fn silent(body: &Body, copied: &[Copied], fused: &[Fused]) -> Vec<Option<&'static str>> {
    let mut speaks = vec![false; body.insts.len()];
    copied.iter().filter_map(|copied| copied.inst).for_each(|inst| speaks[inst as usize] = true);
    let mut reasons = Vec::with_capacity(speaks.len());
    for (index, inst) in body.insts.iter().enumerate() {
        let second = fused.binary_search_by_key(&(index as u32), |one| one.inst + 1);
        reasons.push(match shape(inst.op) {
            _ if speaks[index] => None,
            Shape::Branch if second.is_ok() => Some(ONE_WITH[0]),
            _ if second.is_ok() => Some(ONE_WITH[1]),
            Shape::Const if body.vars[inst.d as usize].has(Var::READ) => Some("folded into what reads it"),
            Shape::Const => Some("never read"),
            Shape::Jump => Some("falls through"),
            Shape::Branch => Some("decided by a constant"),
            Shape::Move if body.vars[inst.d as usize].has(Var::READ) => Some("in place already"),
            _ => Some("not needed"),
        });
    }
    reasons
}

impl Listing {
    /// The listing as text; `source` is the text of the program.
    #[must_use]
    pub fn text(&self, source: &str, pen: Pen) -> String {
        let lines: Vec<&str> = source.trim_start_matches('\u{feff}').split('\n').collect();
        let mut page = Page { out: String::new(), pen, lines, last_width: 0 };
        for function in &self.functions {
            page.function(function);
            page.out.push('\n');
        }
        if self.functions.len() > 1 {
            let total = format!("{} functions", self.functions.len());
            page.totals(&total, &self.totals());
        }
        page.legend();
        page.out
    }
}

struct Page<'s> {
    out: String,
    pen: Pen,
    lines: Vec<&'s str>,
    /// Columns of the line of the program that was shown last.
    last_width: usize,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn function(&mut self, function: &FunctionListing) {
        self.header(function);
        let mut copied = function.copied.iter().peekable();
        let mut line = self.source_lines(function.line, function.line);
        while let Some(copied) = copied.next_if(|copied| copied.inst.is_none()) {
            self.copied(copied);
        }
        let mut inst = 0;
        while inst < function.lines.len() {
            // What is fused is two lines with one snippet.
            let next = function.silent.get(inst + 1).copied().flatten();
            let last = inst + usize::from(next.is_some_and(|reason| ONE_WITH.contains(&reason)));
            line = self.source_lines(line + 1, function.lines[inst]).max(line);
            if last > inst {
                line = self.source_lines(line + 1, function.lines[last]).max(line);
            }
            if let Some(reason) = function.silent[inst] {
                self.note(reason);
            }
            let of_inst = |copied: &&Copied| {
                copied.step != Step::Cold && copied.inst.is_some_and(|of| (inst..=last).contains(&(of as usize)))
            };
            while let Some(copied) = copied.next_if(of_inst) {
                self.copied(copied);
            }
            inst = last + 1;
        }
        self.behind(function, copied);
        self.totals("", &function.totals);
    }

    fn header(&mut self, function: &FunctionListing) {
        let title = format!("{}{}", clean(&function.name), function.signature);
        let place = match function.line {
            0 => clean(&function.file).into_owned(),
            line => format!("{}:{line}", clean(&function.file)),
        };
        let gap = WIDTH.saturating_sub(title.chars().count() + place.chars().count()).max(2);
        let head = format!("{}{:gap$}{}", self.pen.ink(Ink::Head, &title), "", self.pen.ink(Ink::Quiet, &place));
        self.line(&head);
        self.frame(function);
        let items: Vec<String> = function.registers.iter().map(|(name, homes)| whereabouts(name, homes)).collect();
        self.wrapped("registers", &items);
        self.out.push('\n');
    }

    fn frame(&mut self, function: &FunctionListing) {
        let frame = &function.frame;
        let mut items = vec![match frame.depth() {
            0 => "none".to_owned(),
            depth => format!("{depth} bytes"),
        }];
        let mut part = |bytes: u32, what: String| {
            if bytes > 0 {
                items.push(what);
            }
        };
        part(frame.saved, format!("saves {}", function.saved.join(" ")));
        part(frame.slots, plural(frame.slots as usize, "slot"));
        part(function.arg_copies, format!("{} as passed", plural(function.arg_copies as usize, "argument")));
        part(frame.outgoing, format!("{} bytes for calls", frame.outgoing));
        let padding = frame.size.saturating_sub(frame.args + 8 * function.arg_copies);
        part(padding, format!("{padding} bytes of padding"));
        self.wrapped("frame", &items);
    }

    /// A heading with items beside it.
    fn wrapped(&mut self, head: &str, items: &[String]) {
        const INDENT: usize = 13;
        if items.is_empty() {
            return;
        }
        let mut text = format!("  {}{:2$}", self.pen.ink(Ink::Quiet, head), "", INDENT - 2 - head.len());
        let mut column = INDENT;
        for (number, item) in items.iter().enumerate() {
            let width = item.chars().count();
            if number > 0 && column + 3 + width > WIDTH {
                self.line(&text);
                text = " ".repeat(INDENT);
                column = INDENT;
            } else if number > 0 {
                text.push_str("   ");
                column += 3;
            }
            text.push_str(item);
            column += width;
        }
        self.line(&text);
    }

    /// Shows the lines of the program from `first` to `last`, and returns the last.
    fn source_lines(&mut self, first: u32, last: u32) -> u32 {
        for number in first..=last {
            let Some(&text) = self.lines.get((number as usize).wrapping_sub(1)) else { continue };
            let text = clean(text.trim_end()).replace('\t', "    ");
            if text.trim().is_empty() {
                continue;
            }
            self.last_width = MARGIN + text.chars().count();
            let (code, comment) = text.split_at(comment(&text));
            let code = self.pen.ink(Ink::Source, code);
            let comment = self.pen.ink(Ink::Quiet, comment);
            let number = self.pen.ink(Ink::Quiet, &format!("{number:>5}"));
            self.line(&format!("{number}  {code}{comment}"));
        }
        last
    }

    /// Writes beside the last line why it has no code.
    fn note(&mut self, text: &str) {
        let width = self.last_width;
        let gap = (MARGIN + LEFT + 1).saturating_sub(width).max(2);
        let note = self.pen.ink(Ink::Quiet, text);
        self.out.truncate(self.out.trim_end().len());
        let _ = writeln!(self.out, "{:gap$}{note}", "");
    }

    fn copied(&mut self, copied: &Copied) {
        let (sigil, ink) = match copied.step {
            Step::Body => (' ', Ink::Body),
            Step::Glue => ('~', Ink::Glue),
            Step::Frame => (':', Ink::Frame),
            Step::Cold => ('!', Ink::Cold),
        };
        let left = self.left(copied, ink);
        for row in 0..left.len().max(copied.lines.len()) {
            let mut text =
                if row == 0 { format!("     {} ", self.pen.ink(ink, &sigil.to_string())) } else { " ".repeat(MARGIN) };
            let (part, width) = left.get(row).map_or(("", 0), |(part, width)| (part.as_str(), *width));
            text.push_str(part);
            if let Some(line) = copied.lines.get(row) {
                let offset = self.pen.ink(Ink::Quiet, &format!("{:04x}", line.offset));
                let (bytes, taken) = self.pen.bytes(copied.info, &line.bytes);
                let pad = LEFT.saturating_sub(width) + 1;
                let gap = BYTES.saturating_sub(taken) + 2;
                let _ = write!(text, "{:pad$}{offset}  {bytes}{:gap$}{}", "", "", self.pen.pieces(copied.info, line));
            }
            self.line(&text);
        }
    }

    /// The name of a snippet and what went into its holes, in lines of at most [`LEFT`] columns, with their widths.
    fn left(&self, copied: &Copied, ink: Ink) -> Vec<(String, usize)> {
        let name = copied.info.name;
        let mut lines = vec![(self.pen.ink(ink, name), name.len())];
        let filled = copied.operands.iter().map(|filled| {
            let operand = copied.info.operands[usize::from(filled.operand)].name;
            let value = clean(&filled.text);
            let width = operand.len() + 1 + value.chars().count();
            (width, format!("{operand}={}", self.pen.operand(copied.info, filled.operand, &value)))
        });
        let constants =
            copied.constants().map(|(name, value)| (name.len() + 1 + value.len(), format!("{name}={value}")));
        for (number, (width, text)) in filled.chain(constants).enumerate() {
            let last = lines.len() - 1;
            let (line, taken) = &mut lines[last];
            let indent = if last == 0 { (*taken).max(13) + 1 - *taken } else { 1 };
            if *taken > 2 && *taken + indent + width > LEFT {
                lines.push((format!("  {text}"), width + 2));
            } else {
                let indent = if number == 0 { indent } else { 1 };
                let _ = write!(line, "{:indent$}{text}", "");
                *taken += indent + width;
            }
        }
        lines
    }

    /// What stands behind the instructions: parts out of line, constants, jump tables.
    fn behind<'c>(&mut self, function: &FunctionListing, rest: impl Iterator<Item = &'c Copied>) {
        let mut title = Some("out of line");
        let mut last = None;
        for copied in rest {
            if let Some(title) = title.take() {
                self.section(title);
            }
            if copied.inst != last {
                last = copied.inst;
                let line = copied.inst.and_then(|inst| function.lines.get(inst as usize)).copied().unwrap_or(0);
                self.source_lines(line, line);
            }
            self.copied(copied);
        }
        if !function.data.is_empty() {
            self.section("constants and jump tables");
        }
        for datum in &function.data {
            let bytes: Vec<String> = datum.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let (bytes, offset) = (bytes.join(" "), format!("{:04x}", datum.offset));
            let gap = BYTES.saturating_sub(bytes.len()) + 2;
            let (pad, offset) = (MARGIN + LEFT + 1, self.pen.ink(Ink::Quiet, &offset));
            self.line(&format!("{:pad$}{offset}  {bytes}{:gap$}{}", "", "", clean(&datum.text)));
        }
        for (title, entry) in [("entry for C", &function.c_entry), ("entry for other modules", &function.crossing)] {
            if !entry.is_empty() {
                self.section(title);
            }
            for copied in entry {
                self.copied(copied);
            }
        }
    }

    fn section(&mut self, title: &str) {
        let title = self.pen.ink(Ink::Quiet, title);
        self.line(&format!("{:MARGIN$}{title}", ""));
    }

    fn totals(&mut self, what: &str, totals: &Totals) {
        let mut parts = vec![format!("{} glue", totals.glue)];
        if totals.frame > 0 {
            parts.push(format!("{} frame", totals.frame));
        }
        if totals.cold > 0 {
            parts.push(format!("{} out of line", totals.cold));
        }
        let data = if totals.data > 0 { format!(", {} of them data", totals.data) } else { String::new() };
        let each = totals.bytes as f64 / totals.instructions.max(1) as f64;
        let what = if what.is_empty() { String::new() } else { format!("{what}: ") };
        let text = format!(
            "{what}{} → {} ({}), {} bytes{data}: {each:.1} per instruction",
            plural(totals.instructions, "instruction"),
            plural(totals.snippets, "snippet"),
            parts.join(", "),
            totals.bytes,
        );
        self.line(&format!("     = {}", self.pen.ink(Ink::Source, &text)));
    }

    fn legend(&mut self) {
        let pen = self.pen;
        let marks = [(Ink::Glue, "~", "glue"), (Ink::Frame, ":", "frame"), (Ink::Cold, "!", "out of line")];
        let marks: Vec<String> =
            marks.iter().map(|(ink, mark, what)| format!("{} {what}", pen.ink(*ink, mark))).collect();
        let bytes = if pen.coloured {
            "\x1b[2m48\x1b[0m template  c\x1b[1;36m3\x1b[0m register  \x1b[33;7m2a\x1b[0m value"
        } else {
            "48 template  (c3) register  [2a] value"
        };
        self.line(&format!("{}   bytes: {bytes}  -- set at run time", marks.join("  ")));
    }
}

/// `r1 → rbx, slot 2` or `r1 = 42`; of many places the first ones.
fn whereabouts(name: &str, homes: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = if homes.len() > SHOWN { ", …" } else { "" };
    let shown = &homes[..homes.len().min(SHOWN)];
    let constants: Option<Vec<&str>> = shown.iter().map(|home| home.strip_prefix("= ")).collect();
    match constants {
        Some(constants) => format!("{name} = {}{more}", constants.join(", ")),
        None => format!("{name} → {}{more}", shown.join(", ")),
    }
}

/// Where a line's comment starts; its end where it has none.
pub(super) fn comment(line: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#' | ';') => return at,
            _ => {}
        }
    }
    line.len()
}
