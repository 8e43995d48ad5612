//! An error while it is on its way out of the parser.
//!
//! Comes in: byte ranges in the whole text, and messages. Goes out: a [`Diagnostic`]. What must hold: lines, columns and
//! excerpts are worked out only if the error is shown.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Place};

/// A place in the text: its line's number and a byte range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub line: u32,
    pub range: Range<usize>,
}

impl Spot {
    fn place(&self, text: &str) -> Place {
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let first = text[..self.range.start].rfind('\n').map_or(mark, |newline| newline + 1);
        let last = text[self.range.start..].find('\n').map_or(text.len(), |newline| self.range.start + newline);
        Place::new(self.line, &text[first..last], self.range.start - first..self.range.end - first)
    }
}

/// What is wrong with a line.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    range: Range<usize>,
    message: String,
    other: Option<(Spot, &'static str)>,
    help: Option<String>,
}

impl Fault {
    pub fn new(range: Range<usize>, message: impl Into<String>) -> Fault {
        let message = message.into();
        Fault(Box::new(Inner { range, message, other: None, help: None }))
    }

    /// What to do.
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.0.help = Some(help.into());
        self
    }

    /// What to do, if something is known.
    pub fn maybe_help(mut self, help: Option<String>) -> Fault {
        self.0.help = help.or(self.0.help);
        self
    }

    /// The other place that has to do with it.
    pub fn and_at(mut self, spot: Spot, label: &'static str) -> Fault {
        self.0.other = Some((spot, label));
        self
    }

    /// The finished error for line number `line` of `text`.
    pub fn diagnose(self, file: &str, text: &str, line: u32) -> Diagnostic {
        let Inner { range, message, other, help } = *self.0;
        let mut diagnostic = Diagnostic::new(message).in_file(file).at(Spot { line, range }.place(text));
        if let Some((spot, label)) = other {
            diagnostic = diagnostic.and_at(spot.place(text).label(label));
        }
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        diagnostic
    }
}
