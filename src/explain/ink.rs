//! How listings look: colours on a terminal, brackets elsewhere.
//!
//! Comes in: bytes with their marks, parts of instructions, and what they belong to. Goes out: text. What must hold: an
//! operand has one colour wherever it shows up, in the contract, in the bytes and in the disassembly; without colours
//! nothing but text comes out.

use super::holes::{Mark, owner};
use super::{Byte, Line, Tint};
use crate::isa::snippet::Info;

/// Who a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A line of the program.
    Source,
    /// What only frames it: line numbers, offsets, comments.
    Quiet,
    /// A heading.
    Head,
    /// The name of a snippet that does what an instruction says.
    Body,
    /// The name of a snippet that is glue.
    Glue,
    /// The name of a snippet that belongs to the frame.
    Frame,
    /// The name of a snippet that stands out of line.
    Cold,
    /// A machine instruction's word.
    Mnemonic,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Ink::Source | Ink::Mnemonic => "1",
            Ink::Quiet | Ink::Frame => "2",
            Ink::Head => "1;4",
            Ink::Body => "",
            Ink::Glue => "35",
            Ink::Cold => "31",
        }
    }
}

/// The colour of an operand, by the name that contracts give it.
fn operand_code(name: &str) -> u8 {
    match name {
        "d" => 32,
        "a" => 36,
        "b" => 33,
        "c" => 95,
        "t" | "l" | "cold" | "back" => 34,
        _ => 91,
    }
}

/// A pen that writes in colour or not.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// Whether to write escape sequences.
    pub coloured: bool,
}

impl Pen {
    /// A text in an ink.
    #[must_use]
    pub fn ink(self, ink: Ink, text: &str) -> String {
        self.code(ink.code(), text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() && !code.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A text in the colour of operand `number`.
    #[must_use]
    pub fn operand(self, info: &Info, number: u8, text: &str) -> String {
        let name = info.operands.get(usize::from(number)).map_or("", |operand| operand.name);
        self.code(&operand_code(name).to_string(), text)
    }

    /// The disassembly of a line.
    #[must_use]
    pub fn pieces(self, info: &Info, line: &Line) -> String {
        let one = |piece: &super::Piece| match piece.tint {
            Tint::Plain => piece.text.clone(),
            Tint::Remark => self.ink(Ink::Quiet, &piece.text),
            Tint::Mnemonic => self.ink(Ink::Mnemonic, &piece.text),
            Tint::Operand(number) => self.operand(info, number, &piece.text),
        };
        line.pieces.iter().map(one).collect()
    }

    /// Bytes in hexadecimal, and how many columns they take. Value holes stand in brackets or on a coloured ground,
    /// register holes in parentheses or in colour, digit by digit.
    #[must_use]
    pub fn bytes(self, info: &Info, bytes: &[Byte]) -> (String, usize) {
        if self.coloured {
            (self.coloured_bytes(info, bytes), (3 * bytes.len()).saturating_sub(1))
        } else {
            plain(bytes)
        }
    }

    fn coloured_bytes(self, info: &Info, bytes: &[Byte]) -> String {
        let mut out = String::new();
        for (number, byte) in bytes.iter().enumerate() {
            if number > 0 {
                let joined = matches!((bytes[number - 1].mark, byte.mark), (Mark::Value(a), Mark::Value(b)) if a == b);
                match byte.mark {
                    Mark::Value(operand) if joined => out += &self.value(info, operand, " "),
                    _ => out.push(' '),
                }
            }
            let digits = digits(*byte);
            match byte.mark {
                Mark::Fixed => out += &self.ink(Ink::Quiet, &digits),
                Mark::Value(operand) => out += &self.value(info, operand, &digits),
                Mark::Register(masks) => {
                    for (digit, within) in digits.chars().zip([0xf0, 0x0f]) {
                        let digit = digit.to_string();
                        out += &match owner(info, masks, within) {
                            Some(operand) => self.register(info, operand, &digit),
                            None => self.ink(Ink::Quiet, &digit),
                        };
                    }
                }
            }
        }
        out
    }

    fn register(self, info: &Info, operand: u8, text: &str) -> String {
        let name = info.operands[usize::from(operand)].name;
        self.code(&format!("1;{}", operand_code(name)), text)
    }

    fn value(self, info: &Info, operand: u8, text: &str) -> String {
        let name = info.operands[usize::from(operand)].name;
        self.code(&format!("{};7", operand_code(name)), text)
    }
}

fn digits(byte: Byte) -> String {
    byte.value.map_or("--".to_owned(), |value| format!("{value:02x}"))
}

fn plain(bytes: &[Byte]) -> (String, usize) {
    let kind = |mark: Mark| match mark {
        Mark::Fixed => ("", ""),
        Mark::Register(_) => ("(", ")"),
        Mark::Value(_) => ("[", "]"),
    };
    let same = |a: Mark, b: Mark| match (a, b) {
        (Mark::Value(a), Mark::Value(b)) => a == b,
        (Mark::Register(_), Mark::Register(_)) => true,
        _ => false,
    };
    let mut out = String::new();
    for (number, byte) in bytes.iter().enumerate() {
        let (open, close) = kind(byte.mark);
        if number > 0 {
            out.push(' ');
        }
        if number == 0 || !same(bytes[number - 1].mark, byte.mark) {
            out.push_str(open);
        }
        out.push_str(&digits(*byte));
        if bytes.get(number + 1).is_none_or(|next| !same(byte.mark, next.mark)) {
            out.push_str(close);
        }
    }
    let width = out.len();
    (out, width)
}
