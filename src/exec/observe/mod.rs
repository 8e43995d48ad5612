//! Who is told of code in memory: the unwinder of the process, gdb, perf.
//!
//! Comes in: code when it comes to be. Goes out: tables and files for those who look at the process. What must hold: what
//! nobody asked for costs nothing; everything is taken back before the code is gone.

#[cfg(feature = "gdb")]
mod gdb;
mod perf;
mod unwind;

use crate::debug;
#[cfg(feature = "gdb")]
use crate::debug::{Base, Piece};
use crate::isa::layout::CONTEXT_HOST_SP;
use crate::library::builtin::SAVED;
use crate::module::Module;
use crate::stitch::image::Image;

use super::runtime::Runtime;

/// What is told to tools outside of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Observers {
    /// gdb and lldb learn functions, lines and frames.
    pub debugger: bool,
    /// perf learns functions.
    pub perf: Perf,
}

/// How perf learns of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Perf {
    /// Not at all.
    #[default]
    Off,
    /// By `/tmp/perf-PID.map`: names of functions, for `perf report` and most other profilers.
    Map,
    /// By `jit-PID.dump` in the present folder: names, lines and the code itself, for `perf inject --jit`.
    Dump,
}

/// What has been told of the code of one instance, or of entry and exit; dropped before the code is.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "kept to be dropped")]
pub struct Observed {
    unwinder: Option<unwind::Frames>,
    #[cfg(feature = "gdb")]
    debugger: Option<gdb::File>,
}

/// Tells of the code of an instance, which is at `code`: the unwinder, where C may be between its frames (`with_c`), and
/// whom `observers` names.
pub fn tell(
    observers: Observers,
    with_c: bool,
    runtime: &Runtime,
    module: &Module,
    image: &Image,
    code: (usize, &[u8]),
) -> Observed {
    let base = code.0 as u64;
    let mut told = Observed::default();
    if with_c || observers.debugger {
        runtime.observe(observers.debugger);
    }
    if with_c {
        told.unwinder = unwind::Frames::register(debug::frames::in_memory(image, base));
    }
    #[cfg(feature = "gdb")]
    if observers.debugger {
        let mut sections = vec![(".eh_frame", debug::frames::in_memory(image, base))];
        let lines = debug::lines(module, image);
        sections.extend(debug::info::SECTIONS.map(|id| {
            let section = debug::info::section(id, module, image, &lines, Base::Memory(base), Vec::new());
            (id.name(), section.finish())
        }));
        let file = debug::file::file(base, code.1, &debug::pieces(module, image), &sections);
        told.debugger = Some(gdb::File::register(file));
    }
    match observers.perf {
        Perf::Off => {}
        Perf::Map => perf::map(base, &debug::pieces(module, image)),
        Perf::Dump => perf::dump(module, image, code),
    }
    told
}

/// Tells the unwinder of the code that instances share: the ways onto a Spasm stack, at these addresses and of these
/// lengths.
#[allow(clippy::field_reassign_with_default, reason = "what other fields there are depends on features")]
pub fn tell_unwinder(enters: &[(usize, usize)]) -> Observed {
    let mut told = Observed::default();
    told.unwinder = unwind::Frames::register(switching(enters));
    told
}

/// The same for debuggers.
#[cfg_attr(not(feature = "gdb"), allow(unused_variables, reason = "there is no list that they look at"))]
pub fn tell_debugger(enters: &[(usize, usize)]) -> Observed {
    let told = Observed::default();
    #[cfg(feature = "gdb")]
    let told = {
        let base = enters.first().map_or(0, |piece| piece.0);
        let end = enters.last().map_or(0, |&(start, len)| start + len);
        let piece = |&(start, len): &(usize, usize)| Piece {
            name: "spasm enter".to_owned(),
            offset: (start - base) as u64,
            size: len as u64,
        };
        let pieces: Vec<Piece> = enters.iter().map(piece).collect();
        // What the code is does not matter to debuggers, which read it where it is.
        let code = vec![0; end - base];
        let file = debug::file::file(base as u64, &code, &pieces, &[(".eh_frame", switching(enters))]);
        Observed { debugger: Some(gdb::File::register(file)), ..told }
    };
    told
}

fn switching(enters: &[(usize, usize)]) -> Vec<u8> {
    let pieces: Vec<(u64, u32)> = enters.iter().map(|&(start, len)| (start as u64, len as u32)).collect();
    // The context is kept in the first of the registers that functions keep; below them is a word that is not used.
    debug::frames::switching(&pieces, SAVED[0], CONTEXT_HOST_SP as i64, &SAVED, 8)
}
