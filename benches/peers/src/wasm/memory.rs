//! How much memory it takes to make code, seen from a process that does nothing else.
//!
//! Comes in: a module. Goes out: bytes, by the system's own count. What must hold: engine and module are there before the
//! counting starts, so that only what the module causes is counted.

use std::io::Write;
use std::process::{Command, Stdio};

use super::Problem;
use super::compile::Program;
use super::engines::Peer;

/// Bytes beyond those that were in use before.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// The most at any time.
    pub peak: usize,
    /// Of machine code.
    pub code: Option<usize>,
    /// What is left in use when all is done: code, and what the engine wants to know of the module.
    pub kept: usize,
}

/// Asks a process of its own.
pub fn used(peer: Peer, program: &Program) -> Result<Used, Problem> {
    let file = super::cache("memory")?.join("module.wasm");
    std::fs::write(&file, &program.wasm).map_err(|error| format!("{}: {error}", file.display()))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(this).args(["wasm-memory", peer.name()]).arg(&file).stderr(Stdio::inherit()).output();
    let child = child.map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&child.stdout);
    let numbers: Vec<Option<usize>> = told.split_whitespace().map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [Some(peak), code, Some(kept)] => Ok(Used { peak, code, kept }),
        _ => Err(format!("{}: the memory that {} uses cannot be told: {told}", program.name, peer.name())),
    }
}

/// What the process does that is asked: prints peak, code and kept.
pub fn child(peer: &str, file: &str) -> Result<(), Problem> {
    let peer = Peer::COMPILERS.into_iter().find(|each| each.name() == peer).ok_or("no such engine")?;
    let wasm = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let mut compile = peer.compile()?;
    // What is made once, for the first module.
    let first = wat::parse_str("(module (func (export \"f\") (result i32) i32.const 1))").map_err(|e| e.to_string())?;
    drop(compile(&first)?);
    give_back();
    std::fs::write("/proc/self/clear_refs", "5").map_err(|error| format!("/proc/self/clear_refs: {error}"))?;
    let before = status("VmRSS:")?;
    let made = compile(&wasm)?;
    let peak = status("VmHWM:")?;
    give_back();
    let after = status("VmRSS:")?;
    let code = peer.code_bytes(&*made).map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let line = format!("{} {code} {}\n", peak.saturating_sub(before), after.saturating_sub(before));
    std::io::stdout().write_all(line.as_bytes()).map_err(|error| error.to_string())
}

/// Gives memory back to the system that the allocator has no use for.
fn give_back() {
    // SAFETY: the function may be called at any time.
    unsafe { libc::malloc_trim(0) };
}

fn status(what: &str) -> Result<usize, Problem> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|number| number.trim().parse().ok());
    kilobytes.map(|kilobytes: usize| kilobytes * 1024).ok_or_else(|| format!("/proc/self/status has no {what}"))
}
