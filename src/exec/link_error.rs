//! Why a function of C is not to be had.
//!
//! Comes in: what was looked for and what was found. Goes out: [`LinkError`]. What must hold: the message names the
//! extern, its line, its library and symbol, says where was looked, and gives the nearest names there are.

use std::fmt;
use std::path::PathBuf;

use crate::module::native::Extern;

/// An extern that is not what the program takes it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// The extern's name in the program.
    pub name: String,
    /// The library that it is to be in; empty for what the process has loaded.
    pub library: String,
    /// Its name there.
    pub symbol: String,
    /// The file of the program, if that is known.
    pub file: Option<String>,
    /// The line of the extern; 0 where there is none.
    pub line: u32,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with an extern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such library.
    Missing {
        /// Where was looked, in this order.
        looked: Vec<String>,
        /// Libraries whose names are near.
        near: Vec<String>,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is a text for the linker.
    Script {
        /// The file.
        path: PathBuf,
        /// The library that it leads to, if it names one.
        instead: Option<String>,
    },
    /// The file is no library that this machine can load.
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The dynamic linker refuses it.
    Refused {
        /// What it said.
        reason: String,
    },
    /// The library has no such symbol.
    NoSymbol {
        /// The library's file, if that is known.
        path: Option<PathBuf>,
        /// Functions whose names are near.
        near: Vec<String>,
    },
    /// The symbol is that of data.
    Data {
        /// The library's file, if that is known.
        path: Option<PathBuf>,
    },
}

impl LinkError {
    pub(super) fn new(one: &Extern, file: Option<String>, problem: Problem) -> LinkError {
        let Extern { name, library, symbol, line, .. } = one.clone();
        LinkError { name, library, symbol, file, line, problem }
    }

    /// What can be done about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let quoted = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        match &self.problem {
            Problem::Missing { near, .. } if !near.is_empty() => Some(format!("there is {}", quoted(near))),
            Problem::Missing { .. } if !self.library.contains('/') => {
                Some("name its file with its folder (`./libNAME.so`), or add the folder to LD_LIBRARY_PATH".to_owned())
            }
            Problem::NoSymbol { near, .. } if !near.is_empty() => Some(format!("it has {}", quoted(near))),
            Problem::Script { instead: Some(library), .. } => Some(format!("name the library itself: `{library}`")),
            Problem::Script { .. } => Some("name the library itself, such as `libm.so.6`".to_owned()),
            Problem::Data { .. } => Some("only functions can be extern".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), line) if line != 0 => write!(f, "{file}:{line}: ")?,
            (None, line) if line != 0 => write!(f, "line {line}: ")?,
            _ => {}
        }
        write!(f, "extern `{}`: ", self.name)?;
        let (library, symbol) = (&self.library, &self.symbol);
        let of = |path: &Option<PathBuf>| match path {
            Some(path) => format!("{}", path.display()),
            None if library.is_empty() => "what the process has loaded".to_owned(),
            None => format!("the library `{library}`"),
        };
        match &self.problem {
            Problem::Missing { looked, .. } => {
                write!(f, "there is no library `{library}`; looked in {}", looked.join(", "))?;
            }
            Problem::Unreadable { path, reason } => write!(f, "{} cannot be read: {reason}", path.display())?,
            Problem::Script { path, .. } => write!(f, "{} is a linker script, not a library", path.display())?,
            Problem::Unfit { path, reason } => write!(f, "{} cannot be loaded: {reason}", path.display())?,
            Problem::Refused { reason } => write!(f, "the library `{library}` cannot be loaded: {reason}")?,
            Problem::NoSymbol { path, .. } => write!(f, "there is no function `{symbol}` in {}", of(path))?,
            Problem::Data { path } => write!(f, "`{symbol}` in {} is data, not a function", of(path))?,
        }
        match self.help() {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for LinkError {}
