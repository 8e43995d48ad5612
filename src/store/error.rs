//! What can go wrong in a store: linking, instantiating, calling.
//!
//! Comes in: errors of the tiers, of host functions, and of whoever uses the store in the wrong way. Goes out: [`Error`]. What
//! must hold: an error of a host function comes out of the call as the error that it was, however many modules it
//! crossed; a message names the item, what was wanted and what was found.

use std::error::Error as StdError;

use crate::engine::{ExecError, InstanceError, Mismatch};
use crate::isa::op::Type;
use crate::module::Signature;
use crate::module::link::ImportName;
use crate::trap::{RunError, Trap, TrapKind};

/// Any error, as host functions give it.
pub(super) type BoxedError = Box<dyn StdError + Send + Sync>;

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program trapped.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// A function of the host gave this error; see [`Error::downcast_ref`].
    #[error(transparent)]
    Host(BoxedError),
    /// The program ended itself: by `halt`, which is a success, or a host function by [`Exit`].
    #[error("the program ended with exit code {0}")]
    Exit(i32),
    /// An import is not there, or not what the module wants.
    #[error(transparent)]
    Link(#[from] Box<LinkError>),
    /// The module could not be made to run.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The program was stopped otherwise: by its input or output, or for want of memory.
    #[error(transparent)]
    Run(RunError),
    /// There is no room for a memory, or for an item that a program is to share.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A module was made ready for another tier than the store's.
    #[error("the module was made ready by an engine of another tier than the store's: use one engine for both")]
    OtherTier,
    /// A table cannot have so many elements.
    #[error("there is no room for a table of {0} elements")]
    Table(u32),
    /// Nothing of this kind is exported under this name.
    #[error("the instance exports no {kind} `{name}`{}", did_you_mean(.near.as_deref()))]
    NoExport {
        /// What was asked for.
        kind: &'static str,
        /// Under which name.
        name: String,
        /// A name that it may have meant.
        near: Option<String>,
    },
    /// The module has no function of this name.
    #[error("there is no function `{name}`{}", did_you_mean(.near.as_deref()))]
    NoFunction {
        /// The name.
        name: String,
        /// A name that it may have meant.
        near: Option<String>,
    },
    /// A function has other types than its caller takes it to have.
    #[error("{} is {}, not {}", .0.function, .0.signature, .0.wanted)]
    WrongTypes(Box<Mismatch>),
    /// A function was called with other arguments than it takes.
    #[error("the function is {signature}, and was called with {given}")]
    WrongArguments {
        /// What it takes and gives.
        signature: Signature,
        /// What it was given, and room for how many results.
        given: String,
    },
    /// A value has another type than the global, table or result that it is to go to.
    #[error("{what} is {}, not {}", .wanted.name(), .given.name())]
    WrongValue {
        /// What it is to go to.
        what: &'static str,
        /// The type of that.
        wanted: Type,
        /// The type of the value.
        given: Type,
    },
    /// A constant cannot be set.
    #[error("the global is a constant and cannot be set")]
    Constant,
    /// A place outside of a memory or a table.
    #[error("{what} ends at {len}: there is no {at}")]
    Outside {
        /// The memory or the table.
        what: &'static str,
        /// Where.
        at: u64,
        /// How many bytes or elements there are.
        len: u64,
    },
    /// A linker has something by this name already.
    #[error("`{}` `{}` is defined already; `Linker::allow_shadowing` lets a later definition take its place", .0.module, .0.name)]
    Defined(ImportName),
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

/// Why a module cannot be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// The module that wants something, by the file that it was read from, as far as that is known.
    pub importer: Option<String>,
    /// By which names it is wanted.
    pub import: ImportName,
    /// What is wanted.
    pub wanted: String,
    /// What there is by these names; `None` for nothing.
    pub found: Option<String>,
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(importer) = &self.importer {
            write!(f, "{importer}: ")?;
        }
        let ImportName { module, name } = &self.import;
        match &self.found {
            None => write!(f, "unknown import: `{module}` `{name}` is to be {}, and is not defined", self.wanted),
            Some(found) => {
                write!(f, "incompatible import type: `{module}` `{name}` is to be {}, and is {found}", self.wanted)
            }
        }
    }
}

impl StdError for LinkError {}

/// The end of a program, as a host function asks for it: `Err(Exit(code))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program ended with exit code {0}")]
pub struct Exit(pub i32);

impl Error {
    /// Why the program trapped, if it did.
    #[must_use]
    pub fn trap(&self) -> Option<TrapKind> {
        if let Error::Trap(trap) = self { Some(trap.kind) } else { None }
    }

    /// The code that the program ended itself with, if it did.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        if let Error::Exit(code) = self { Some(*code) } else { None }
    }

    /// The error of a host function, if it is one of this type.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        if let Error::Host(error) = self { error.downcast_ref() } else { None }
    }

    /// The error of a host function.
    ///
    /// # Errors
    /// This error itself, where it is not one of that type.
    pub fn downcast<E: StdError + 'static>(self) -> Result<E, Error> {
        match self {
            Error::Host(error) => error.downcast().map_or_else(|error| Err(Error::Host(error)), |error| Ok(*error)),
            other => Err(other),
        }
    }

    /// Whatever a host function gave.
    pub(super) fn of_host(error: BoxedError) -> Error {
        let exit = |error: BoxedError| error.downcast::<Exit>().map_or_else(Error::Host, |exit| Error::Exit(exit.0));
        error.downcast::<Error>().map_or_else(exit, |error| *error)
    }

    /// As it crosses a program on its way out.
    pub(super) fn crossing(self) -> RunError {
        match self {
            Error::Trap(trap) => RunError::Trap(trap),
            Error::Run(error) => error,
            Error::Host(error) => RunError::Host(error),
            other => RunError::Host(Box::new(other)),
        }
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Error {
        match error {
            RunError::Trap(trap) => Error::Trap(trap),
            RunError::Host(error) => Error::of_host(error),
            other => Error::Run(other),
        }
    }
}
