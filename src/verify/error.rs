//! What the verifier has to say about a module that it refuses.
//!
//! Comes in: nothing. Goes out: [`VerifyError`], plain data that a front end shows with the source line. What must
//! hold: a message stands on its own, without the source.

use std::fmt;

/// Why a module was refused: at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The problems in the order in which they were found; at most [`VerifyError::LIMIT`].
    pub problems: Vec<Problem>,
    /// Whether there were more.
    pub more: bool,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The function it is in, if it is in one.
    pub function: Option<String>,
    /// The index of the instruction, if it is about one.
    pub inst: Option<u32>,
    /// The source line, if that is known.
    pub line: Option<u32>,
    /// Which operand it is about, counted as [`locate`](crate::text::locate) does.
    pub operand: Option<u32>,
    /// Another place that has to do with it.
    pub related: Option<Related>,
}

/// Another place that has to do with a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// The index of the instruction, if it is one.
    pub inst: Option<u32>,
    /// The source line, if that is known.
    pub line: Option<u32>,
}

impl VerifyError {
    /// How many problems are collected.
    pub const LIMIT: usize = 20;
}

impl Problem {
    /// A problem with nothing but its message.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), ..Problem::default() }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Says where it is, 0 being no line.
    #[must_use]
    pub fn line(mut self, line: u32) -> Problem {
        self.line = Some(line).filter(|&line| line != 0);
        self
    }

    /// Says which function it is in.
    #[must_use]
    pub fn function(mut self, name: &str) -> Problem {
        self.function = Some(name.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(name) = &self.function {
            write!(f, "in {name}: ")?;
        }
        if let (Some(inst), None) = (self.inst, self.line) {
            write!(f, "instruction {inst}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(related) = &self.related {
            match (related.line, related.inst) {
                (Some(line), _) => write!(f, "\n  line {line}: {}", related.message)?,
                (None, Some(inst)) => write!(f, "\n  instruction {inst}: {}", related.message)?,
                (None, None) => write!(f, "\n  {}", related.message)?,
            }
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        if self.more { f.write_str("\nand more") } else { Ok(()) }
    }
}

impl std::error::Error for VerifyError {}

/// Collects problems up to the limit.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    more: bool,
}

impl Problems {
    #[cold]
    pub(super) fn push(&mut self, problem: Problem) {
        if self.list.len() < VerifyError::LIMIT {
            self.list.push(problem);
        } else {
            self.more = true;
        }
    }

    /// Collects a problem of an instruction, unless its operand already has one, of which this is likely to follow, or
    /// another operand has the same.
    pub(super) fn push_first(&mut self, problem: Problem) {
        let told = self.list.last().is_some_and(|last| {
            let same = last.operand == problem.operand || last.message == problem.message;
            same && last.inst == problem.inst && last.function == problem.function
        });
        if !told {
            self.push(problem);
        }
    }

    /// True where nothing further will be shown.
    pub(super) fn is_full(&self) -> bool {
        self.more
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, VerifyError> {
        if self.list.is_empty() { Ok(value) } else { Err(VerifyError { problems: self.list, more: self.more }) }
    }
}
