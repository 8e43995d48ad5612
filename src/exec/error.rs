//! What can go wrong between an image and its execution.
//!
//! Comes in: refusals of the system, images that do not fit. Goes out: [`ExecError`]. What must hold: a message says
//! what was attempted, why it failed and what can be done about it.

use std::io;

use crate::stitch::image::Symbol;

/// Why code cannot be made executable, or an instance cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The system refused something.
    #[error("cannot {attempt}: {error}; {advice}")]
    System {
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        error: io::Error,
        /// What can be done.
        advice: &'static str,
    },
    /// The arena has no free range that is long enough.
    #[error(
        "no room for {wanted} bytes of {what}: the engine's arena has {capacity} bytes of it in all; drop instances that \
         are no longer needed, or give the engine a larger arena"
    )]
    Full {
        /// Code or data.
        what: &'static str,
        /// How much was wanted.
        wanted: usize,
        /// How much there is, used or not.
        capacity: usize,
    },
    /// A hole cannot take its value.
    #[error(
        "the {symbol:?} that the code at offset {offset:#x} refers to is {distance} bytes away, more than 32 bits can say"
    )]
    OutOfReach {
        /// Where the hole is.
        offset: u32,
        /// What it refers to.
        symbol: Symbol,
        /// How far that is.
        distance: i64,
    },
    /// The image is not one of this module, or is damaged.
    #[error("the image does not belong to the module: {0}")]
    Image(String),
}

impl ExecError {
    /// The kind of refusal, for errors of the system.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            ExecError::System { error, .. } => Some(error.kind()),
            _ => None,
        }
    }
}

impl From<ExecError> for io::Error {
    fn from(error: ExecError) -> io::Error {
        io::Error::new(error.io_kind().unwrap_or(io::ErrorKind::OutOfMemory), error)
    }
}
