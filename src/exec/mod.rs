//! Execution: images become code that runs, and what the machine does on the way becomes results and traps.
//!
//! Comes in: images from the stitcher, calls from Rust. Goes out: results, [`Trap`](crate::trap::Trap)s, errors. What must
//! hold: all `unsafe` around memory and code stands here, fenced by types: nothing is writable and executable at once
//! ([`arena`]), code runs only on a stack with a guard ([`stack`]), a fault of stitched code never leaves the call
//! ([`signals`]), and a panic never enters it ([`helpers`]).
//!
//! ```text
//!   Instance::call ──▶ enter ──▶ stitched code ──▶ ret ──▶ enter ──▶ results
//!        ▲                         │      │ ▲
//!        │                   fault │      ▼ │ on the same stack
//!        │                         ▼     helpers, C functions
//!        └──── trap exit ◀── signal handler
//! ```

mod across;
mod arena;
mod backtrace;
mod bind;
mod call;
mod context;
mod elf_file;
mod ending;
mod entering;
mod error;
mod helpers;
mod host;
mod imports;
mod instance;
mod libraries;
mod link_error;
mod linked;
mod memory;
mod natives;
#[cfg(feature = "elf")]
mod observe;
mod ranges;
mod registry;
mod runtime;
mod search;
mod signals;
mod stack;
mod sys;
#[cfg(test)]
mod tests;
mod thread;

pub use arena::ArenaSize;
pub use call::Ended;
pub use context::{Pending, SharedStreams};
pub use error::ExecError;
pub(crate) use host::HostEntry;
pub use host::{HostCalls, connect_host};
pub(crate) use imports::{BindError, Wide};
pub use imports::{HostFunction, HostResult, HostType, ImportError, Imports};
pub use instance::{Function, Instance};
pub use libraries::resolve;
pub use link_error::{LinkError, Problem};
pub use memory::LinearMemory;
pub use natives::Natives;
#[cfg(feature = "elf")]
pub use observe::{Observers, Perf};
pub use runtime::Runtime;
pub use stack::DEFAULT_STACK;
pub use thread::set_pending;
