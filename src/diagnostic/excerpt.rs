//! One line of a source as a terminal can show it.
//!
//! Comes in: the line as it stands in the file, and a byte range in it. Goes out: at most [`WIDTH`] columns of it
//! around that range, and where the underline goes. What must hold: nothing of the input reaches the terminal that
//! would move the cursor, change colours or reorder text.

use std::borrow::Cow;
use std::ops::Range;

/// How many columns of a line are shown.
const WIDTH: usize = 120;
/// How many characters before the marked part a clipped line shows.
const LEAD: usize = 40;
/// How many characters of a message are shown.
const MESSAGE: usize = 2_000;

/// The shown part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The column of the marked part in the file, counted from 1 in characters.
    pub column: usize,
    /// The text, made safe; clipped ends are marked by `...`.
    pub shown: String,
    /// How many columns stand before the underline.
    pub caret: usize,
    /// How many columns the underline takes: at least one.
    pub width: usize,
}

impl Excerpt {
    pub fn new(text: &str, columns: Range<usize>) -> Excerpt {
        let text = text.split('\n').next().unwrap_or_default();
        let text = text.strip_suffix('\r').unwrap_or(text);
        let start = floor_char(text, columns.start);
        let end = floor_char(text, columns.end).max(start);
        let column = text[..start].chars().count() + 1;
        let first = window_start(text, start);
        let mut excerpt = Excerpt { column, shown: String::new(), caret: 0, width: 0 };
        excerpt.fill(text, first, start..end);
        excerpt
    }

    fn fill(&mut self, text: &str, first: usize, marked: Range<usize>) {
        let mut column = 0;
        if first > 0 {
            self.shown.push_str("...");
            column = 3;
        }
        let mut caret = None;
        let mut end = None;
        for (count, (offset, c)) in text[first..].char_indices().enumerate() {
            let offset = first + offset;
            if offset >= marked.start {
                caret.get_or_insert(column);
            }
            if offset >= marked.end {
                end.get_or_insert(column);
            }
            let width = show(c, &mut self.shown);
            column += width;
            // Characters without a width must not make it longer than a line is.
            if column >= WIDTH || count >= 2 * WIDTH {
                self.shown.push_str("...");
                break;
            }
        }
        self.caret = caret.unwrap_or(column);
        self.width = end.unwrap_or(column).saturating_sub(self.caret).max(1);
        self.shown.truncate(self.shown.trim_end().len());
    }
}

/// `text` with everything replaced that a terminal would act upon, and cut where it is far too long.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.len() <= MESSAGE && !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for c in text.chars().take(MESSAGE) {
        show(c, &mut shown);
    }
    if text.chars().nth(MESSAGE).is_some() {
        shown.push_str("...");
    }
    Cow::Owned(shown)
}

fn window_start(text: &str, start: usize) -> usize {
    if text.chars().take(WIDTH + 1).count() <= WIDTH {
        return 0;
    }
    let lead = text[..start].char_indices().rev().take(LEAD).last();
    // A start that would save less than its own mark is no gain.
    lead.map_or(0, |(offset, _)| if offset <= 3 { 0 } else { offset })
}

fn floor_char(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Appends what stands for `c`, and returns how many columns that takes.
fn show(c: char, shown: &mut String) -> usize {
    match c {
        '\t' => {
            shown.push_str("    ");
            4
        }
        '\0'..='\x1f' => {
            shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER));
            1
        }
        '\x7f' => {
            shown.push('\u{2421}');
            1
        }
        c if is_active(c) => {
            shown.push(char::REPLACEMENT_CHARACTER);
            1
        }
        c => {
            shown.push(c);
            columns(c)
        }
    }
}

/// True for characters that a terminal acts upon instead of showing them.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns a terminal gives to `c`: two for the East Asian wide blocks and pictographs, none for what is
/// drawn over the character before it. Only where an underline stands depends on it.
fn columns(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
