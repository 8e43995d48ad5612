//! Errors for people: what is wrong, where, the line itself, and what to do.
//!
//! Comes in: a message, places in a source (line number, the line's text, a byte range in it), a piece of advice.
//! Goes out: [`Diagnostic`], which renders in the manner of a compiler, plain or coloured, and [`Diagnostics`], all
//! that is wrong with one input. What must hold: rendering is safe and of bounded size whatever the source contains,
//! since names, lines and file names come from outside.
//!
//! ```
//! use spasm::diagnostic::{Diagnostic, Place};
//! let error = Diagnostic::new("there is no instruction `ad`")
//!     .in_file("sum.spasm")
//!     .at(Place::new(2, "    ad 1, 2, 3", 4..6))
//!     .help("did you mean `add`?");
//! assert_eq!(
//!     error.to_string(),
//!     "\
//! error: there is no instruction `ad`
//!  --> sum.spasm:2:5
//!   |
//! 2 |     ad 1, 2, 3
//!   |     ^^
//!   = help: did you mean `add`?
//! "
//! );
//! ```

mod excerpt;

use std::fmt::{self, Write as _};
use std::ops::Range;

use excerpt::Excerpt;
#[doc(hidden)]
pub use excerpt::clean;

/// A place in a source: a line, and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    line: u32,
    /// Nothing where the text is not at hand.
    excerpt: Option<Excerpt>,
    label: String,
}

impl Place {
    /// The bytes `columns` of line number `line`, whose text is `text`. A range that reaches outside of the text is
    /// cut; an empty one marks the place where something is missing.
    #[must_use]
    pub fn new(line: u32, text: &str, columns: Range<usize>) -> Place {
        Place { line, excerpt: Some(Excerpt::new(text, columns)), label: String::new() }
    }

    /// Line number `line` of a source whose text is not at hand.
    #[must_use]
    pub fn of_line(line: u32) -> Place {
        Place { line, excerpt: None, label: String::new() }
    }

    /// The same place with a few words that stand beside its underline.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Place {
        self.label = label.into();
        self
    }

    /// The line's number, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, counted from 1 in characters, where the line's text is known.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.excerpt.as_ref().map(|excerpt| excerpt.column)
    }
}

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic(Box<Parts>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    message: String,
    file: String,
    place: Option<Place>,
    other: Option<Place>,
    help: Option<String>,
}

impl Diagnostic {
    /// An error that has no file and no place yet.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Diagnostic {
        Diagnostic(Box::new(Parts { message: message.into(), ..Parts::default() }))
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Diagnostic {
        self.0.file = file.into();
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Diagnostic {
        self.0.place = Some(place);
        self
    }

    /// Says which other place of the same file has to do with it.
    #[must_use]
    pub fn and_at(mut self, place: Place) -> Diagnostic {
        self.0.other = Some(place);
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.0.help = Some(help.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file's name; empty where there is none.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// Where it is wrong; nothing if the file as a whole is.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The other place that has to do with it.
    #[must_use]
    pub fn other(&self) -> Option<&Place> {
        self.0.other.as_ref()
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The error as it is shown, with ANSI colours if `coloured`; it ends with a line feed.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let mut out = String::new();
        Painter { out: &mut out, coloured }.diagnostic(&self.0);
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// Everything that is wrong with one input, in the order of its lines: at least one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// Never empty.
    list: Vec<Diagnostic>,
    /// Whether there may be more that was not looked for.
    cut: bool,
}

impl Diagnostics {
    /// The errors of `list`, by line; `cut` says that there may be more. Nothing if the list is empty.
    #[must_use]
    pub fn new(mut list: Vec<Diagnostic>, cut: bool) -> Option<Diagnostics> {
        list.sort_by_key(|diagnostic| diagnostic.place().map_or(0, Place::line));
        (!list.is_empty()).then_some(Diagnostics { list, cut })
    }

    /// The first error.
    #[must_use]
    pub fn first(&self) -> &Diagnostic {
        &self.list[0]
    }

    /// Every error.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// All errors as they are shown, with ANSI colours if `coloured`.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let mut shown: Vec<String> = self.iter().map(|diagnostic| diagnostic.render(coloured)).collect();
        if self.cut {
            let message = format!("only the first {} errors are shown", shown.len());
            shown.push(Diagnostic::new(message).render(coloured));
        }
        shown.join("\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(only: Diagnostic) -> Diagnostics {
        Diagnostics { list: vec![only], cut: false }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// The escape sequences of a coloured rendering.
#[derive(Clone, Copy)]
enum Ink {
    /// What is wrong.
    Error,
    /// What only frames it.
    Frame,
    /// What stands out without being wrong.
    Bold,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Ink::Error => "\x1b[1;31m",
            Ink::Frame => "\x1b[1;34m",
            Ink::Bold => "\x1b[1m",
        }
    }
}

struct Painter<'a> {
    out: &'a mut String,
    coloured: bool,
}

impl Painter<'_> {
    fn diagnostic(&mut self, diagnostic: &Parts) {
        self.ink(Ink::Error, "error");
        self.ink(Ink::Bold, &format!(": {}", clean(&diagnostic.message)));
        self.out.push('\n');
        let gutter = self.places(diagnostic);
        if let Some(help) = &diagnostic.help {
            self.frame(&format!("{:gutter$} = ", ""));
            self.ink(Ink::Bold, "help");
            let _ = writeln!(self.out, ": {}", clean(help));
        }
    }

    /// Shows where the error is, and returns the width of the line numbers.
    fn places(&mut self, diagnostic: &Parts) -> usize {
        let mut places: Vec<(&Place, Ink)> = Vec::new();
        places.extend(diagnostic.place.as_ref().map(|place| (place, Ink::Error)));
        places.extend(diagnostic.other.as_ref().map(|place| (place, Ink::Frame)));
        places.sort_by_key(|(place, _)| place.line);
        let gutter = places.iter().map(|(place, _)| place.line.to_string().len()).max().unwrap_or(1);
        self.arrow(diagnostic, gutter);
        places.retain(|(place, _)| place.excerpt.is_some());
        let mut last = None;
        for (place, ink) in places {
            self.excerpt(place, ink, gutter, last);
            last = Some(place.line);
        }
        gutter
    }

    fn arrow(&mut self, diagnostic: &Parts, gutter: usize) {
        if diagnostic.file.is_empty() && diagnostic.place.is_none() {
            return;
        }
        self.frame(&format!("{:gutter$}--> ", ""));
        self.out.push_str(if diagnostic.file.is_empty() { "line " } else { "" });
        self.out.push_str(&clean(&diagnostic.file));
        if let Some(place) = &diagnostic.place {
            let colon = if diagnostic.file.is_empty() { "" } else { ":" };
            let _ = write!(self.out, "{colon}{}", place.line);
            if let Some(column) = place.column() {
                let _ = write!(self.out, ":{column}");
            }
        }
        self.out.push('\n');
    }

    fn excerpt(&mut self, place: &Place, ink: Ink, gutter: usize, last: Option<u32>) {
        let Some(excerpt) = &place.excerpt else { return };
        match last {
            None => self.frame(&format!("{:gutter$} |\n", "")),
            Some(line) if line.saturating_add(1) < place.line => self.frame("...\n"),
            Some(_) => {}
        }
        if last != Some(place.line) {
            self.frame(&format!("{:gutter$} |", place.line));
            let space = if excerpt.shown.is_empty() { "" } else { " " };
            let _ = writeln!(self.out, "{space}{}", excerpt.shown);
        }
        self.frame(&format!("{:gutter$} |", ""));
        let mark = if matches!(ink, Ink::Error) { "^" } else { "-" };
        let space = if place.label.is_empty() { "" } else { " " };
        let _ = write!(self.out, " {:1$}", "", excerpt.caret);
        self.ink(ink, &format!("{}{space}{}", mark.repeat(excerpt.width), clean(&place.label)));
        self.out.push('\n');
    }

    fn frame(&mut self, text: &str) {
        self.ink(Ink::Frame, text);
    }

    fn ink(&mut self, ink: Ink, text: &str) {
        if self.coloured {
            let _ = write!(self.out, "{}{text}\x1b[0m", ink.code());
        } else {
            self.out.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests;
