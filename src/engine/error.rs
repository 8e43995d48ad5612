//! What can go wrong between a verified module and the results of its functions.
//!
//! Comes in: errors of stitching, execution and programs; misuse by the caller. Goes out: [`InstanceError`] and
//! [`CallError`]. What must hold: a message says what was there and what was wanted.

use std::io;

use crate::exec::{ExecError, ImportError, LinkError};
use crate::isa::op::Type;
use crate::module::Signature;
use crate::stitch::StitchError;
use crate::trap::RunError;

/// Why there is no instance of a module.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// It could not be stitched.
    #[error(transparent)]
    Stitch(#[from] StitchError),
    /// The system or the engine has no room for it.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// It may do anything that C can, and the engine does not allow that.
    #[error("{place}`{item}` needs native access, which this engine does not allow: see `Engine::allowing_natives`")]
    Natives {
        /// Where it stands: file and line with what separates them from what follows, as far as they are known.
        place: String,
        /// The item or the instruction.
        item: String,
    },
    /// It is linked with other modules or the host, which an instance by itself has nothing of.
    #[error("the module {0}, so that it needs a store: see `spasm::store::Linker::instantiate`")]
    Store(String),
    /// It is linked with other modules, and uses C or opcodes that templates declare as well.
    #[error("{place}`{item}` cannot be used by a module that imports or exports something")]
    Linked {
        /// Where it stands: file and line with what separates them from what follows, as far as they are known.
        place: String,
        /// The item or the instruction.
        item: String,
    },
    /// An extern is not there.
    #[error(transparent)]
    Link(#[from] Box<LinkError>),
    /// A function of the host is not what the program takes it for.
    #[error(transparent)]
    Import(#[from] Box<ImportError>),
    /// The code that is to stand between the interpreter and C cannot be made.
    #[error("the interpreter cannot call C: {0}")]
    Companion(Box<dyn std::error::Error + Send + Sync>),
    /// The system has no room for the interpreter's linear memory.
    #[error("cannot reserve address space for a linear memory: {0}")]
    Memory(io::Error),
}

impl InstanceError {
    pub(super) fn companion(error: impl std::error::Error + Send + Sync + 'static) -> InstanceError {
        InstanceError::Companion(Box::new(error))
    }
}

/// A function is not what its caller takes it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The function's name.
    pub function: String,
    /// What it takes and gives.
    pub signature: Signature,
    /// What the caller passes and expects.
    pub wanted: Signature,
}

/// Why a call gave no results.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The program was stopped: by a trap, by its input or output, or for want of memory.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The program ended itself with `halt`, which is a success without results.
    #[error("the program ended with `halt`")]
    Halted,
    /// There is no such function.
    #[error("there is no function `{0}`")]
    NoFunction(String),
    /// The function takes other arguments.
    #[error("`{}` is {}, and was called with {}", .0.function, .0.signature, .0.wanted)]
    WrongArguments(Box<Mismatch>),
    /// The function has other types.
    #[error("`{}` is {}, not {}", .0.function, .0.signature, .0.wanted)]
    WrongTypes(Box<Mismatch>),
    /// There is no such global.
    #[error("there is no global `{0}`")]
    NoGlobal(String),
    /// The global has another type.
    #[error("global `{global}` is {}, not {}", ty.name(), given.name())]
    WrongGlobal {
        /// The global's name.
        global: String,
        /// Its type.
        ty: Type,
        /// What it was to be set to.
        given: Type,
    },
}
