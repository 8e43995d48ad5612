//! How a run ends other than by returning: traps, and what else can stop it.
//!
//! Comes in: from either tier, the kind of a trap and the stack at that point. Goes out: errors that name the function and
//! line. What must hold: both tiers build the same `Trap` for the same program, except for where the stack is full.

use std::fmt;
use std::io;

pub use crate::isa::trap::TrapKind;

use crate::isa::op::Type;
use crate::module::{Module, Signature};
use crate::number::NumberError;

/// A trap: why, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The functions that were being executed, innermost first; at most [`Trap::SHOWN`].
    pub frames: Vec<Frame>,
    /// How many functions were being executed in all.
    pub depth: usize,
}

/// A place in a program that was being executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function's name.
    pub function: String,
    /// The file it was read from, if that is known.
    pub file: Option<String>,
    /// The line, if that is known.
    pub line: Option<u32>,
}

impl Trap {
    /// How many frames a trap keeps.
    pub const SHOWN: usize = 32;

    /// A trap in `module`, whose `stack` gives function and instruction, innermost first.
    pub fn new(kind: TrapKind, module: &Module, stack: impl IntoIterator<Item = (u32, u32)>) -> Trap {
        let mut stack = stack.into_iter();
        let shown = stack.by_ref().take(Trap::SHOWN);
        let frames: Vec<_> = shown.map(|(function, inst)| Frame::new(module, function, inst)).collect();
        let depth = frames.len() + stack.count();
        Trap { kind, frames, depth }
    }
}

impl Trap {
    /// What stands in place of a function's name where C has called.
    pub(crate) const C_CODE: &str = "C code";

    /// The same trap, where C called the outermost of the functions.
    #[must_use]
    pub(crate) fn called_by_c(mut self) -> Trap {
        let told = self.frames.last().is_some_and(|last| last.function == Trap::C_CODE);
        if !told {
            self.depth += 1;
            let function = Trap::C_CODE.to_owned();
            self.frames.push(Frame { function, file: None, line: None });
            self.frames.truncate(Trap::SHOWN);
        }
        self
    }
}

impl Trap {
    /// The same trap, where the functions of `outer` called what called those that are known.
    #[must_use]
    pub(crate) fn within(mut self, outer: Trap) -> Trap {
        self.depth += outer.depth;
        self.frames.extend(outer.frames);
        self.frames.truncate(Trap::SHOWN);
        self
    }
}

impl Frame {
    /// Instruction `inst` of function `function`.
    #[must_use]
    pub fn new(module: &Module, function: u32, inst: u32) -> Frame {
        let body = module.functions.get(function as usize);
        Frame {
            function: body.map_or_else(|| format!("function {function}"), |f| f.name.clone()),
            file: module.source.as_ref().map(|source| source.name.clone()),
            line: body.and_then(|f| f.line_of(inst as usize)),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}", self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})"),
            (None, Some(line)) => write!(f, " (line {line})"),
            (_, None) => Ok(()),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trap: {}", self.kind)?;
        for frame in &self.frames {
            write!(f, "\n  {frame}")?;
        }
        match self.depth - self.frames.len().min(self.depth) {
            0 => Ok(()),
            more => write!(f, "\n  ... {more} more"),
        }
    }
}

impl std::error::Error for Trap {}

/// What a call that was not stopped ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function returned these raw register bits, one for each result of its signature.
    Returned(Vec<u64>),
    /// A `halt` ended the program with success.
    Halted,
}

/// Why a call gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program trapped.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// `read` found no number of the wanted type.
    #[error("read: {0}")]
    Input(#[from] InputError),
    /// What was printed could not be written.
    #[error("standard output cannot be written: {0}")]
    Output(io::Error),
    /// There is no such function.
    #[error("there is no function number {0}")]
    NoFunction(u32),
    /// The arguments are not those that the function takes.
    #[error("{function}{signature} was called with {given} argument{}", if *.given == 1 { "" } else { "s" })]
    WrongArguments {
        /// The function's name.
        function: String,
        /// What it takes.
        signature: Signature,
        /// How many it was given.
        given: usize,
    },
    /// The program calls C or works on native memory, and nobody was given to do it.
    #[error("the program uses the C interface, which is not allowed here")]
    NoNatives,
    /// The program uses an opcode that a template declares, and nobody was given who knows the template.
    #[error("the program uses an opcode that a template declares, and there is no template here")]
    NoOpcode,
    /// The program shares functions, memory or tables with others, and nobody was given who has linked them.
    #[error("the program is linked with other modules: it runs only in a store, which links it")]
    NoLinks,
    /// The system has no room for the linear memory or the stack.
    #[error("not enough memory: {0}")]
    Memory(io::Error),
    /// A function of the host gave this error.
    #[error(transparent)]
    Host(Box<dyn std::error::Error + Send + Sync>),
}

/// Why `read` found no number.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The input is at its end.
    #[error("expected {} on standard input, found its end", a_number(*.ty))]
    End {
        /// What was wanted.
        ty: Type,
    },
    /// The next word is no number of that type.
    #[error("expected {} on standard input: {error}", a_number(*.ty))]
    Number {
        /// What was wanted.
        ty: Type,
        /// The word and what is wrong with it.
        error: NumberError,
    },
    /// The input cannot be read.
    #[error("standard input cannot be read: {0}")]
    Io(io::Error),
}

fn a_number(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::I64 | Type::Funcref | Type::Externref => "an integer",
        Type::F32 => "an f32 number",
        Type::F64 => "an f64 number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{Function, Source};

    fn module() -> Module {
        let function =
            |name: &str, lines: &[u32]| Function { name: name.into(), lines: lines.into(), ..Function::default() };
        Module { functions: vec![function("main", &[11, 12]), function("divide", &[7])], ..Module::default() }
    }

    #[test]
    fn a_trap_names_functions_and_lines() {
        let mut module = module();
        let stack = [(1, 0), (0, 1), (0, 9)];
        let trap = Trap::new(TrapKind::DivideByZero, &module, stack);
        assert_eq!(trap.to_string(), "trap: divide by zero\n  at divide (line 7)\n  at main (line 12)\n  at main");
        module.source = Some(Source { name: "x.spasm".into(), text: String::new() });
        let trap = Trap::new(TrapKind::DivideByZero, &module, stack);
        assert_eq!(
            trap.to_string(),
            "trap: divide by zero\n  at divide (x.spasm:7)\n  at main (x.spasm:12)\n  at main"
        );
    }

    #[test]
    fn a_deep_stack_is_cut() {
        let trap = Trap::new(TrapKind::StackOverflow, &module(), [(1, 0); 40]);
        assert_eq!((trap.frames.len(), trap.depth), (32, 40));
        assert!(trap.to_string().ends_with("  at divide (line 7)\n  ... 8 more"));
    }
}
