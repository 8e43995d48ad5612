//! `--stats`: where the time of a run went, and how much code it took.
//!
//! Comes in: times as the phases end, and the module. Goes out: a table, or JSON, on standard error. What must hold: who
//! does not ask for it pays nothing; a phase that did not take place is not shown.

#![allow(clippy::cast_precision_loss, reason = "times and sizes are shown with a few digits")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use spasm::engine::Tier;
use spasm::explain::json;
use spasm::module::Module;

use super::run::plural;

/// What a run consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Read,
    Parse,
    Verify,
    Stitch,
    Map,
    Run,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Read => "read",
            Phase::Parse => "parse",
            Phase::Verify => "verify",
            Phase::Stitch => "stitch",
            Phase::Map => "map",
            Phase::Run => "run",
        }
    }
}

/// Takes the time of phases.
#[derive(Debug)]
pub struct Clock {
    last: Option<Instant>,
    laps: Vec<(Phase, Duration)>,
}

impl Clock {
    /// Starts, if anybody wants to know.
    pub fn new(wanted: bool) -> Clock {
        Clock { last: wanted.then(Instant::now), laps: Vec::new() }
    }

    /// Ends a phase.
    pub fn lap(&mut self, phase: Phase) {
        if let Some(last) = &mut self.last {
            let now = Instant::now();
            self.laps.push((phase, now - *last));
            // Keeping the lap is no part of the next.
            *last = Instant::now();
        }
    }

    fn total(&self) -> Duration {
        self.laps.iter().map(|(_, lap)| *lap).sum()
    }

    fn of(&self, phase: Phase) -> Option<Duration> {
        self.laps.iter().find(|(lap, _)| *lap == phase).map(|(_, time)| *time)
    }
}

/// What was run.
#[derive(Debug)]
pub struct Stats<'m> {
    pub file: String,
    pub tier: Tier,
    /// The function that was called.
    pub function: &'m str,
    /// Bytes of machine code, where there is any.
    pub code: Option<u64>,
}

impl Stats<'_> {
    /// Writes it all to standard error.
    pub fn show(&self, as_json: bool, module: &Module, clock: &Clock) {
        let text = if as_json { self.json(module, clock) } else { self.table(module, clock) };
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn table(&self, module: &Module, clock: &Clock) -> String {
        let insts = instructions(module);
        let mut out = String::from("  phase         time   per instruction\n");
        for &(phase, time) in &clock.laps {
            let each = match phase {
                Phase::Parse | Phase::Verify | Phase::Stitch => format!("{:>15.1} ns", each(time, insts)),
                _ => String::new(),
            };
            let _ = writeln!(out, "{}", format!("  {:7} {:>10}{each}", phase.name(), short(time)).trim_end());
        }
        let _ = writeln!(out, "  {:7} {:>10}\n", "total", short(clock.total()));
        let (function, tier) = (self.function, tier_name(self.tier));
        let _ = writeln!(out, "  {:7} {function} called once from outside, tier {tier}", "run");
        let (functions, list) = (plural(module.functions.len(), "function"), plural(insts, "instruction"));
        let _ = writeln!(out, "  {:7} {list} in {functions}", "module");
        if let Some(code) = self.code {
            let per = code as f64 / insts.max(1) as f64;
            let _ = writeln!(out, "  {:7} {code} bytes of machine code, {per:.1} per instruction", "code");
        }
        out
    }

    fn json(&self, module: &Module, clock: &Clock) -> String {
        let insts = instructions(module);
        let number = |value: Option<f64>| value.map_or("null".to_owned(), |value| format!("{value:.3}"));
        let per = |phase| number(clock.of(phase).map(|time| each(time, insts)));
        let mut phases: Vec<String> =
            clock.laps.iter().map(|(phase, time)| format!("\"{}\": {}", phase.name(), time.as_nanos())).collect();
        phases.push(format!("\"total\": {}", clock.total().as_nanos()));
        let calls = [Tier::Interp, Tier::Baseline]
            .map(|tier| format!("\"{}\": {}", tier_name(tier), u8::from(tier == self.tier)));
        let members = [
            ("file", json::string(&self.file)),
            ("function", json::string(self.function)),
            ("tier", json::string(tier_name(self.tier))),
            ("instructions", insts.to_string()),
            ("functions", module.functions.len().to_string()),
            ("code_bytes", self.code.map_or("null".to_owned(), |code| code.to_string())),
            ("code_bytes_per_instruction", number(self.code.map(|code| code as f64 / insts.max(1) as f64))),
            ("phases_ns", format!("{{{}}}", phases.join(", "))),
            ("verify_ns_per_instruction", per(Phase::Verify)),
            ("stitch_ns_per_instruction", per(Phase::Stitch)),
            ("calls", format!("{{{}}}", calls.join(", "))),
        ];
        let members: Vec<String> = members.iter().map(|(key, value)| format!("  \"{key}\": {value}")).collect();
        format!("{{\n{}\n}}\n", members.join(",\n"))
    }
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Interp => "interp",
        Tier::Auto | Tier::Baseline => "baseline",
    }
}

fn instructions(module: &Module) -> usize {
    module.functions.iter().map(|function| function.insts.len()).sum()
}

fn each(time: Duration, insts: usize) -> f64 {
    time.as_nanos() as f64 / insts.max(1) as f64
}

/// A time with three or four digits.
fn short(time: Duration) -> String {
    let ns = time.as_nanos() as f64;
    match time.as_nanos() {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.3} s ", ns / 1e9),
    }
}
