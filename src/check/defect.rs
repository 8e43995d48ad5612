//! What the checker says where it cannot follow.
//!
//! Comes in: a place in the stitched code and what is wrong there. Goes out: [`Defect`], one line for a person. What
//! must hold: it names function, source line, instruction and snippet, and says what was expected and what was found.

use std::fmt;

use crate::check::decode::{Operand, Step};
use crate::isa::template::{GP, XMM};
use crate::verified::Verified;

/// Something in stitched code that is not shown to do what the program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The function's name.
    pub function: String,
    /// The source line, where it is known.
    pub line: Option<u32>,
    /// The instruction, by its index, and its name; none for the way into a function and for the tables of an image.
    pub inst: Option<(u32, String)>,
    /// The copied snippet: its number in the trace, where it stands, and what it is.
    pub event: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl Defect {
    /// A defect of a whole function.
    pub(super) fn new(verified: &Verified, function: usize, message: impl Into<String>) -> Defect {
        let name = verified.module().functions.get(function).map_or_else(String::new, |f| f.name.clone());
        Defect { function: name, line: None, inst: None, event: None, message: message.into() }
    }

    /// The same, at instruction `inst`; `u32::MAX` stands for the way into the function.
    pub(super) fn at(mut self, verified: &Verified, function: usize, inst: u32) -> Defect {
        let module = verified.module();
        let found = verified.functions.get(function).and_then(|body| body.insts.get(inst as usize));
        self.inst = found.map(|found| (inst, found.op.row().name()));
        let function = &module.functions[function];
        self.line = match self.inst {
            Some(_) => function.line_of(inst as usize),
            None => Some(function.line).filter(|&line| line != 0),
        };
        self
    }

    /// The same, in the code of one snippet.
    pub(super) fn step(mut self, step: &Step) -> Defect {
        let operands: Vec<String> = step
            .info
            .operands
            .iter()
            .zip(&step.operands)
            .map(|(declared, &operand)| format!("{}={}", declared.name, place(operand)))
            .collect();
        let (start, end) = (step.start, step.end);
        let text = format!("{} {}", step.info.name, operands.join(" "));
        self.event = Some(format!("event {} at {start:#x}..{end:#x}, `{}`", step.event, text.trim_end()));
        self
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function `{}`", self.function)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some((index, name)) = &self.inst {
            write!(f, ", instruction {index} (`{name}`)")?;
        }
        if let Some(event) = &self.event {
            write!(f, ", {event}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Defect {}

/// The name of a register; vector registers start at 16.
pub(super) fn register(number: u8) -> &'static str {
    GP.iter().chain(&XMM).nth(usize::from(number)).copied().unwrap_or("no register")
}

/// An operand as messages show it.
pub(super) fn place(operand: Operand) -> String {
    match operand {
        Operand::Register(number) => register(number).to_owned(),
        Operand::Constant(bits) if (bits as i64).unsigned_abs() < 1 << 16 => format!("{}", bits as i64),
        Operand::Constant(bits) => format!("{bits:#x}"),
        Operand::Slot(distance) => format!("[rsp{distance:+}]"),
        Operand::Literal(at) => format!("literal at {at:#x}"),
        Operand::Code(at) => format!("{at:#x}"),
        Operand::Data(at) => format!("reference at {at:#x}"),
    }
}
