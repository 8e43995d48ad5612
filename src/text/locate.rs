//! Finds an operand in a line of the source, for errors that are found after the text is gone.
//!
//! Comes in: the line and the number of an operand. Goes out: where it stands. What must hold: any line may come in;
//! what is not found becomes the whole statement.

use std::ops::Range;

use super::cursor::Cursor;
use super::lex;
use super::mnemonic;
use crate::diagnostic::Place;
use crate::module::Source;

/// The bytes of `line` in which operand number `operand` of its instruction stands, or the instruction's word if
/// that is `None`.
///
/// Operands are counted from 0, the destination included, as the commas separate them: what stands in brackets or
/// parentheses is one operand, and so is a signature with its results. In `call (r1, r2), f, r3` operand 0 is
/// `(r1, r2)`, 1 is `f` and 2 is `r3`; in `call f, r3` operand 0 is `f`. For `greater` and the like, which are other
/// instructions with their sources exchanged, 1 and 2 are counted as in the instruction that they stand for.
#[must_use]
pub fn locate(line: &str, operand: Option<usize>) -> Range<usize> {
    let mut tokens = Vec::new();
    // A longer line comes from no program.
    if u32::try_from(line.len()).is_ok() {
        _ = lex::line(line, 0..line.len(), &mut tokens);
    }
    let mut cursor = Cursor::new(line, &tokens, 0);
    while cursor.take_label().is_some() {}
    let whole = cursor.range();
    let Some(word) = cursor.next() else { return whole };
    let swapped = mnemonic::lookup(word.text(line)).is_some_and(|word| word.swapped);
    let Some(number) = operand else { return word.range() };
    let number = match number {
        1 | 2 if swapped => 3 - number,
        _ => number,
    };
    if number >= cursor.count() {
        return whole;
    }
    for _ in 0..number {
        cursor.operand();
    }
    cursor.operand().range()
}

/// The place of an operand, counted as by [`locate`], of the instruction on line number `line` of `source`. Without the
/// source's text, as in a module that was read from its binary form, it is the line alone.
#[must_use]
pub fn place(source: &Source, line: u32, operand: Option<usize>) -> Place {
    let index = usize::try_from(line).unwrap_or(usize::MAX).wrapping_sub(1);
    match source.text.trim_start_matches('\u{feff}').split('\n').nth(index) {
        Some(text) if !source.text.is_empty() => Place::new(line, text, locate(text, operand)),
        _ => Place::of_line(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_sources() {
        let source = |text: &str| Source { name: "f".to_owned(), text: text.to_owned() };
        let at = |text, line, operand| {
            let place = place(&source(text), line, operand);
            (place.line(), place.column())
        };
        assert_eq!(at("\u{feff}func f\r\n add 1, 2, 3\r\n", 2, Some(1)), (2, Some(9)));
        assert_eq!(at("\u{feff}x: add 1, 2, 3", 1, None), (1, Some(4)));
        assert_eq!(at("", 7, Some(1)), (7, None));
        assert_eq!(at("func f", 7, Some(1)), (7, None));
        assert_eq!(at("func f", 0, Some(1)), (0, None));
    }

    fn found(line: &str, operand: Option<usize>) -> &str {
        &line[locate(line, operand)]
    }

    #[test]
    fn operands_are_found() {
        let line = "again: here: call (r1, r2), f, r3 # done, really";
        assert_eq!(found(line, None), "call");
        assert_eq!(found(line, Some(0)), "(r1, r2)");
        assert_eq!(found(line, Some(1)), "f");
        assert_eq!(found(line, Some(2)), "r3");
        assert_eq!(found(line, Some(3)), "call (r1, r2), f, r3");
        let line = "\tcalli r1, t, a1, (i64, f64) -> (i64, i32), r3, r4";
        assert_eq!(found(line, Some(3)), "(i64, f64) -> (i64, i32)");
        assert_eq!(found(line, Some(4)), "r3");
        assert_eq!(found("switch r1, [a, b], c", Some(1)), "[a, b]");
        assert_eq!(found("switch r1, [a, b], c", Some(2)), "c");
    }

    #[test]
    fn exchanged_sources_are_counted_as_in_the_instruction_behind() {
        assert_eq!(found("greater.f32 r1, a1, a2", Some(0)), "r1");
        assert_eq!(found("greater.f32 r1, a1, a2", Some(1)), "a2");
        assert_eq!(found("greater.f32 r1, a1, a2", Some(2)), "a1");
        assert_eq!(found("less.f32 r1, a1, a2", Some(1)), "a1");
    }

    #[test]
    fn lines_without_an_instruction_are_safe() {
        for line in ["", "   ", "# add 1, 2, 3", "a:", "\"", "add 1, \"x", "ä", "(((", "add ,,,"] {
            for operand in [None, Some(0), Some(1), Some(7)] {
                assert!(line.get(locate(line, operand)).is_some(), "{line:?}");
            }
        }
    }
}
