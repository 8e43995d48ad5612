//! The listing as a page for a browser.
//!
//! Comes in: a [`Listing`] with strips, and the text of the program. Goes out: one page of HTML that needs nothing else,
//! with the program, its snippets, their machine code, and who is where along it, side by side. What must hold: every text
//! of the program is escaped; what belongs together carries the same attribute, which is all that `page.js` looks at.
//!
//! | attribute | carried by |
//! |---|---|
//! | `data-v` | a variable of a function, in the program and in the strip |
//! | `data-p` | a register or slot of a function, in the head of the strip, in the strip and as an operand |
//! | `data-o` | an operand of one snippet, in its list, in the bytes and in the disassembly |

use std::fmt::Write as _;

use super::catalogue::plural;
use super::holes::{Mark, owner};
use super::listing::{Copied, FunctionListing, Listing};
use super::show::comment;
use super::totals::Totals;
use super::{Byte, Tint};
use crate::stitch::trace::Step;

/// The most lanes of a strip that are drawn.
const LANES: usize = 40;

impl Listing {
    /// The listing as a page; `title` names the program, `source` is its text.
    #[must_use]
    pub fn html(&self, title: &str, source: &str) -> String {
        let lines: Vec<&str> = source.trim_start_matches('\u{feff}').split('\n').collect();
        let mut page = Page { out: String::new(), lines, snippets: 0 };
        page.head(title, self);
        for function in &self.functions {
            page.function(function);
        }
        page.out += concat!("<script>\n", include_str!("page.js"), "</script>\n</body>\n</html>\n");
        page.out
    }
}

/// A text as HTML shows it. Characters that move other text about are shown by their number.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\t' => out += "    ",
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

struct Page<'s> {
    out: String,
    lines: Vec<&'s str>,
    /// How many snippets have been written: their numbers tell the operands of one from those of another.
    snippets: usize,
}

/// What a step is called in the style sheet.
fn class_of(step: Step) -> &'static str {
    match step {
        Step::Body => "body",
        Step::Glue => "glue",
        Step::Frame => "frame",
        Step::Cold => "cold",
    }
}

fn sums(totals: &Totals) -> String {
    let mut text = format!(
        "{} → {}: {} glue, {} frame, {} out of line; <b>{} bytes</b>, {:.1} per instruction",
        plural(totals.instructions, "instruction"),
        plural(totals.snippets, "snippet"),
        totals.glue,
        totals.frame,
        totals.cold,
        totals.bytes,
        totals.bytes as f64 / totals.instructions.max(1) as f64,
    );
    if totals.data > 0 {
        let _ = write!(text, "; {} of the bytes are data", totals.data);
    }
    text
}

impl Page<'_> {
    fn head(&mut self, title: &str, listing: &Listing) {
        let title = escape(title);
        let _ = write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}: machine code</title>\n<style>\n{}</style>\n</head>\n<body>\n\
             <header><h1>{title}</h1><p>{}: {}</p>\n{}</header>\n",
            include_str!("page.css"),
            plural(listing.functions.len(), "function"),
            sums(&listing.totals()),
            include_str!("page.html"),
        );
        if listing.functions.len() > 1 {
            self.out += "<nav>";
            for function in &listing.functions {
                let name = escape(&function.name);
                let _ = write!(self.out, "<a href=\"#f{}\">{name}</a> ", function.index);
            }
            self.out += "</nav>\n";
        }
    }

    fn function(&mut self, function: &FunctionListing) {
        let lanes = function.strip.lanes.len().min(LANES);
        let _ = write!(
            self.out,
            "<section id=\"f{}\" style=\"--lanes:{lanes}\">\n<h2>{}<span>{}</span></h2>\n<p>{}. Frame: {}{}.</p>\n",
            function.index,
            escape(&function.name),
            escape(&function.signature),
            sums(&function.totals),
            match function.frame.depth() {
                0 => "none".to_owned(),
                depth => format!("{depth} bytes, {}", plural(function.frame.slots as usize, "slot")),
            },
            if function.saved.is_empty() { String::new() } else { format!(", saves {}", function.saved.join(" ")) },
        );
        self.out += "<div class=\"grid\">\n<div class=\"row titles\"><div>program</div><div>snippets</div>\
                     <div>machine code</div>";
        self.lane_titles(function);
        self.out += "</div>\n";
        self.rows(function);
        self.data(function);
        self.out += "</div>\n</section>\n";
    }

    fn lane_titles(&mut self, function: &FunctionListing) {
        self.out += "<div class=\"strip\">";
        for lane in function.strip.lanes.iter().take(LANES) {
            let lane = escape(lane);
            let _ = write!(self.out, "<i data-p=\"{lane}\"><b>{lane}</b></i>");
        }
        let more = function.strip.lanes.len().saturating_sub(LANES);
        if more > 0 {
            let _ = write!(self.out, "<em>and {more} more</em>");
        }
        self.out += "</div>";
    }

    /// A row for the entry, one for each instruction, and one for each part out of line.
    fn rows(&mut self, function: &FunctionListing) {
        let mut copied = function.copied.iter().peekable();
        let mut entry = Vec::new();
        while let Some(one) = copied.next_if(|one| one.inst.is_none()) {
            entry.push(one);
        }
        self.row(function, None, function.line..function.line + 1, &entry, "");
        let mut line = function.line + 1;
        for (inst, &at) in function.lines.iter().enumerate() {
            let mut own = Vec::new();
            while let Some(one) = copied.next_if(|one| one.step != Step::Cold && one.inst == Some(inst as u32)) {
                own.push(one);
            }
            self.row(function, Some(inst), line.min(at)..at + 1, &own, function.silent[inst].unwrap_or(""));
            line = line.max(at + 1);
        }
        while let Some(&first) = copied.peek() {
            let mut own = Vec::new();
            while let Some(one) = copied.next_if(|one| one.inst == first.inst) {
                own.push(one);
            }
            let at = first.inst.and_then(|inst| function.lines.get(inst as usize)).copied().unwrap_or(0);
            self.row(function, None, at..at + 1, &own, "");
        }
    }

    fn row(
        &mut self,
        function: &FunctionListing,
        inst: Option<usize>,
        lines: std::ops::Range<u32>,
        copied: &[&Copied],
        silent: &str,
    ) {
        let is_cold = copied.iter().any(|one| one.step == Step::Cold);
        let _ = write!(self.out, "<div class=\"row{}\"><div class=\"source\">", if is_cold { " far" } else { "" });
        self.source(lines, &function.strip.names);
        self.out += "</div><div class=\"snippets\">";
        let numbers = self.snippets..self.snippets + copied.len();
        self.snippets = numbers.end;
        for (one, number) in copied.iter().zip(numbers.clone()) {
            self.snippet(one, number);
        }
        if !silent.is_empty() {
            let _ = write!(self.out, "<div class=\"silent\">{silent}</div>");
        }
        self.out += "</div><div class=\"code\">";
        for (one, number) in copied.iter().zip(numbers) {
            self.code(one, number);
        }
        self.out += "</div>";
        self.cells(function, inst);
        self.out += "</div>\n";
    }

    fn source(&mut self, lines: std::ops::Range<u32>, variables: &[String]) {
        for number in lines {
            let Some(&text) = self.lines.get((number as usize).wrapping_sub(1)) else { continue };
            let text = text.trim_end();
            if text.is_empty() {
                continue;
            }
            let (code, remark) = text.split_at(comment(text));
            let (code, remark) = (names(code, variables), escape(remark));
            let _ = write!(
                self.out,
                "<div title=\"{}\"><u>{number}</u><code>{code}<s>{remark}</s></code></div>",
                remark.trim_start_matches(['#', ';', ' '])
            );
        }
    }

    fn snippet(&mut self, copied: &Copied, number: usize) {
        let info = copied.info;
        let _ = write!(
            self.out,
            "<div class=\"{}\" title=\"{}:{}\"><b>{}</b>",
            class_of(copied.step),
            escape(info.file),
            info.line,
            escape(info.name)
        );
        for filled in &copied.operands {
            let operand = &info.operands[usize::from(filled.operand)];
            let (name, value) = (escape(operand.name), escape(&filled.text));
            let is_place = operand.kind.is_register() || filled.text.starts_with("slot ");
            let place = if is_place { format!(" data-p=\"{value}\"") } else { String::new() };
            let _ = write!(
                self.out,
                " <span class=\"o-{name}\" data-o=\"{number}.{}\"{place}>{name}={value}</span>",
                filled.operand
            );
        }
        for (name, value) in copied.constants() {
            let _ = write!(self.out, " <span class=\"o-{name}\">{name}={value}</span>");
        }
        self.out += "</div>";
    }

    fn code(&mut self, copied: &Copied, number: usize) {
        for line in &copied.lines {
            let _ = write!(self.out, "<div class=\"{}\"><u>{:04x}</u><tt>", class_of(copied.step), line.offset);
            line.bytes.iter().for_each(|&byte| self.byte(copied, byte, number));
            self.out += "</tt><code>";
            for piece in &line.pieces {
                let text = escape(&piece.text);
                let _ = match piece.tint {
                    Tint::Plain => write!(self.out, "{text}"),
                    Tint::Mnemonic => write!(self.out, "<b>{text}</b>"),
                    Tint::Remark => write!(self.out, "<s>{text}</s>"),
                    Tint::Operand(operand) => {
                        let name = copied.info.operands.get(usize::from(operand)).map_or("", |o| o.name);
                        write!(self.out, "<span class=\"o-{name}\" data-o=\"{number}.{operand}\">{text}</span>")
                    }
                };
            }
            self.out += "</code></div>";
        }
    }

    /// A byte: a register hole takes digits, a value hole the whole.
    fn byte(&mut self, copied: &Copied, byte: Byte, number: usize) {
        let digits = byte.value.map_or("--".to_owned(), |value| format!("{value:02x}"));
        let name = |operand: u8| copied.info.operands.get(usize::from(operand)).map_or("", |o| o.name);
        let _ = match byte.mark {
            Mark::Fixed => write!(self.out, "<i>{digits}</i>"),
            Mark::Value(operand) => {
                write!(self.out, "<i class=\"value o-{}\" data-o=\"{number}.{operand}\">{digits}</i>", name(operand))
            }
            Mark::Register(masks) => {
                self.out += "<i>";
                for (digit, within) in digits.chars().zip([0xf0, 0x0f]) {
                    let _ = match owner(copied.info, masks, within) {
                        Some(operand) => {
                            let name = name(operand);
                            write!(self.out, "<span class=\"o-{name}\" data-o=\"{number}.{operand}\">{digit}</span>")
                        }
                        None => write!(self.out, "{digit}"),
                    };
                }
                write!(self.out, "</i>")
            }
        };
    }

    fn cells(&mut self, function: &FunctionListing, inst: Option<usize>) {
        self.out += "<div class=\"strip\">";
        let strip = &function.strip;
        let row = inst.and_then(|inst| strip.rows.get(inst)).map_or(&[][..], Vec::as_slice);
        for (lane, place) in strip.lanes.iter().enumerate().take(LANES) {
            let taken: Vec<u32> = row.iter().filter(|&&(taken, _)| taken == lane).map(|&(_, var)| var).collect();
            let Some(&last) = taken.last() else {
                self.out += "<i></i>";
                continue;
            };
            let (name, hue) = (&strip.names[last as usize], hue(last));
            let _ = write!(
                self.out,
                "<i class=\"on\" style=\"--h:{hue}\" data-v=\"{name}\" data-p=\"{}\" title=\"{name} in {}\"></i>",
                escape(place),
                escape(place)
            );
        }
        self.out += "</div>";
    }

    fn data(&mut self, function: &FunctionListing) {
        for datum in &function.data {
            let bytes: String = datum.bytes.iter().map(|byte| format!("<i>{byte:02x}</i>")).collect();
            let _ = writeln!(
                self.out,
                "<div class=\"row far\"><div></div><div class=\"snippets\"><div class=\"silent\">data</div></div>\
                 <div class=\"code\"><div><u>{:04x}</u><tt>{bytes}</tt><code>{}</code></div></div></div>",
                datum.offset,
                escape(&datum.text)
            );
        }
    }
}

/// The hue of a variable: a golden angle from one to the next keeps neighbours apart.
fn hue(var: u32) -> u32 {
    (u64::from(var) * 137 % 360) as u32
}

/// A line of the program with the names of its registers marked.
fn names(code: &str, variables: &[String]) -> String {
    let mut out = String::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '-');
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '"' => 1 + rest[1..].find('"').map_or(rest.len() - 1, |end| end + 1),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (word, behind) = rest.split_at(end);
        let text = escape(word);
        let _ = match variables.iter().position(|name| name == word) {
            Some(var) => write!(out, "<span data-v=\"{text}\" style=\"--h:{}\">{text}</span>", hue(var as u32)),
            None => write!(out, "{text}"),
        };
        rest = behind;
    }
    out
}
