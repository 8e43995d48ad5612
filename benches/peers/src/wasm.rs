//! WebAssembly: the same modules through Spasm and through its peers.
//!
//! Comes in: kernels in C, which are compiled when they are wanted, and programs that people use, fetched from npm. Goes
//! out: tables of how fast code runs, how fast it is made, and how much memory that takes.

pub mod compile;
mod engines;
mod kernels;
mod memory;
mod operators;
mod programs;
pub mod run;
pub mod shapes;

pub use memory::child;

use std::path::PathBuf;

/// What stops a benchmark, for people: what was wanted, what is missing, what to do.
pub type Problem = String;

/// A folder of this benchmark's among what may be thrown away.
fn cache(name: &str) -> Result<PathBuf, Problem> {
    let set = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let folder =
        base.ok_or("neither XDG_CACHE_HOME nor HOME says where files can be kept")?.join("spasm-peers").join(name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
