//! How fast code runs: the kernels as WebAssembly, beside the same C compiled for this machine.
//!
//! Comes in: the kernels' modules and functions. Goes out: a table of ratios. What must hold: all give the same result, or
//! there is no table; interpreters take turns with the others, but fewer of them.

use std::time::Duration;

use super::Problem;
use super::engines::Peer;
use super::kernels::{self, Kernel};
use crate::measure::{Work, all, alternate, geometric_mean};
use crate::table::Table;

/// The table of all kernels, or of those that are named.
pub fn table(rounds: usize, only: &[&str]) -> Result<Table, Problem> {
    let mut head = vec!["kernel".to_owned(), format!("`{} -O2` ms", kernels::compiler())];
    head.extend(Peer::RUNNERS.map(|peer| format!("{} ×", peer.name())));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    let mut ratios = Peer::RUNNERS.map(|_| Vec::new());
    for kernel in kernels::built(only)? {
        let (native, over) = measure(&kernel, rounds)?;
        let mut row = vec![kernel.name.to_owned(), format!("{:.1}", native * 1e3)];
        for (ratios, ratio) in ratios.iter_mut().zip(over) {
            ratios.push(ratio);
            row.push(format!("{ratio:.2}"));
        }
        table.row(row);
    }
    let mut row = vec!["geometric mean".to_owned(), String::new()];
    row.extend(ratios.iter().map(|ratios| format!("{:.2}", geometric_mean(ratios))));
    table.row(row);
    Ok(table)
}

/// Seconds that native code takes, and how many times as long each peer does.
fn measure(kernel: &Kernel, rounds: usize) -> Result<(f64, Vec<f64>), Problem> {
    let native = kernel.native;
    let expected = native(kernel.n);
    let mut runs = Vec::new();
    for peer in Peer::RUNNERS {
        let mut run = peer.run(&kernel.wasm)?;
        let result = run(kernel.n);
        if result != expected {
            return Err(format!("{}: {} gives {result:#x}, native code {expected:#x}", kernel.name, peer.name()));
        }
        runs.push(run);
    }
    let mut work: Vec<Work<'_>> = vec![all(|| native(kernel.n))];
    work.extend(runs.iter_mut().map(|run| all(|| run(kernel.n))));
    let times = alternate(rounds, Duration::ZERO, &mut work);
    let native = times[0].median();
    Ok((native, times[1..].iter().map(|times| times.median() / native).collect()))
}
