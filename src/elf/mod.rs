//! ELF objects: programs that link with C, and run without Spasm.
//!
//! Comes in: a verified module, its image, and the library that it was stitched from. Goes out: a relocatable object, or a
//! C header that goes with it; and back from an object to its module and image. What must hold: the same input gives the
//! same bytes; the object is position independent, asks for no executable stack, and needs the C library only.
//!
//! ```text
//!   Image ──▶ place: which section each item is in, and where ──▶ write: symbols, relocations ──▶ object
//!                                                                   ▲        ▲         ▲
//!                                              descriptor, runtime ─┘        │         │
//!                                              debug: frames, DWARF ─────────┘         │
//!                                              saved: what `spasm run` needs of it ────┘
//! ```
//!
//! | section | what is in it |
//! |---|---|
//! | `.text` | the image's code with its literal pools and jump tables, entries for C, the initializer |
//! | `.data` `.bss` | globals; data that may be written |
//! | `.rodata` | data that may not; what the runtime knows of the code: trap sites, depths of the stack, lines, names |
//! | `.data.rel.ro` | the same where it holds addresses; tables, the module's descriptor |
//! | `.eh_frame` `.debug_*` | for unwinders and debuggers |
//! | `.spasm` | the module and the rest of the image, for `spasm run`; linkers leave it out |
//! | `.text.spasm` … | the runtime, in a group of which a linker keeps one |

//!
//! # What C may rely on
//!
//! - A function's C prototype is in the header that [`header`] makes: `i32`, `i64`, `f32` and `f64` are `int32_t`,
//!   `int64_t`, `float` and `double`; several results are a struct; a variadic function takes the number of its further
//!   arguments, which are `int64_t`, before them.
//! - `print` writes to C's `stdout` and `read` reads from its `stdin`, so they stand in order with what C does there.
//! - A trap ends the process as `abort` does, with its message and the Spasm functions in progress on standard error; a
//!   handler that C sets is called instead. Within `spasm_try` it ends that call only: C functions in between are left
//!   behind as by `longjmp`. `halt` ends the process with success.
//! - Functions run on the stack that they are called on. Its end is told as a stack overflow on the main thread, and on
//!   threads that call `spasm_try` or `spasm_thread_start`; on others the system ends the process. Behind the stacks of
//!   threads there is one page that faults, so a function with a frame of more than a page (500 variables in use at a time)
//!   wants a stack with a larger guard.
//! - Exceptions of C++ and `_Unwind_Backtrace` pass through Spasm functions, and debuggers see their lines.
//! - Of a linked module, such as one of WebAssembly, its exports are C functions and variables, and nothing else is. What it
//!   imports C gives: functions and variables whose symbol is the import's name where its module is `env`, else both names
//!   with `_` between them ([`c_symbol`]). So whoever links a module gives it every function
//!   that it names, those of the C library included. References are numbers of
//!   which the module knows the meaning; 0 is null. Tables, constants and segments are there before constructors run, and
//!   the start function runs as a constructor; one that traps then ends the process. A table that grows is not to be used
//!   by two threads at a time.
//! - Each program or shared library has one copy of the runtime, which handles SIGSEGV, SIGBUS, SIGILL and SIGFPE of Spasm
//!   functions, and hands all others on to the handler before it. It is there before constructors run.

mod container;
mod descriptor;
mod header;
#[path = "../rt/layout.rs"]
#[allow(dead_code, missing_docs, reason = "the runtime's own view of it")]
mod layout;
mod lower;
mod names;
mod runtime;
mod saved;
mod stub;
mod write;

pub use header::header;
pub use lower::{LowerError, c_symbol, lower};
pub use names::{CExport, c_exports, c_name, c_names};
pub use saved::{LoadError, Loaded, is_object, load};

use crate::library::Library;
use crate::stitch::image::Image;
use crate::verified::Verified;

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// What the object is called in the program, such as the file's name without its folder and ending.
    pub name: &'a str,
    /// Whether the runtime goes into it; one object of a program needs to have it.
    pub runtime: bool,
    /// Whether debuggers are told of lines and functions.
    pub debug: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { name: "module", runtime: true, debug: true }
    }
}

/// Why an object could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// The image is not one of the module.
    #[error("the image is not one of this module: {0}")]
    Image(String),
    /// The module imports what [`lower`] has yet to make C's.
    #[error("the module imports what C has yet to give it: `elf::lower` makes it one that an object can hold")]
    Linked,
    /// The format cannot hold it.
    #[error("the object cannot be written: {0}")]
    Object(String),
}

/// Writes an object.
///
/// The image must have entries for C of all functions that C is to call
/// ([`Entries::Exported`](crate::stitch::Entries::Exported)), and a linked module must have been [lowered](lower).
///
/// # Errors
/// Where the image is not one of the module, or is too large for the format.
pub fn write(
    verified: &Verified,
    image: &Image,
    library: &Library,
    options: &Options<'_>,
) -> Result<Vec<u8>, ElfError> {
    write::Writer::new(verified, image, library, options).write()
}
