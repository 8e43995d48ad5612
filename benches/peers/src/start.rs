//! From the start of a process to the result of the smallest program, and the size of the library in the binary.
//!
//! Comes in: the `spasm` command, which is built if need be, and an empty program in C. Goes out: tables. What must hold:
//! both are started alike, in turns, and the time goes until the process has ended.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use spasm::library::{Library, builtin};

use crate::table::Table;

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What one start took, in microseconds.
#[derive(Clone, Copy)]
struct Took {
    /// On the wall.
    wall: f64,
    /// Of processor time, in the program and in the system for it.
    processor: f64,
}

/// A table of process starts, each the middle of `rounds`.
pub fn start_table(rounds: usize) -> Table {
    let example = Path::new(PACKAGE).join("examples/add_answer.spasm").into_os_string();
    let spasm = command().into_os_string();
    let commands: [(&str, Vec<OsString>); 3] = [
        ("an empty program in C", vec![env!("EMPTY").into()]),
        ("`spasm run add_answer.spasm 1`", vec![spasm.clone(), "run".into(), example, "1".into()]),
        ("`spasm --version`", vec![spasm, "--version".into()]),
    ];
    let mut times = commands.each_ref().map(|_| Vec::with_capacity(rounds));
    for round in 0..rounds + 5 {
        for ((_, words), times) in commands.iter().zip(&mut times) {
            let took = start(words);
            if round >= 5 {
                times.push(took);
            }
        }
    }
    let mut table =
        Table::new(&["process", "µs until it has ended", "of an empty one", "µs of processor", "of an empty one"]);
    let middles = times.map(|times| [middle(&times, |took| took.wall), middle(&times, |took| took.processor)]);
    for ((name, _), [wall, processor]) in commands.iter().zip(middles) {
        let shares = [wall / middles[0][0], processor / middles[0][1]].map(|share| format!("{share:.2}×"));
        let [of_wall, of_processor] = shares;
        table.row(vec![(*name).to_owned(), format!("{wall:.0}"), of_wall, format!("{processor:.0}"), of_processor]);
    }
    table
}

fn middle(times: &[Took], of: impl Fn(&Took) -> f64) -> f64 {
    let mut values: Vec<f64> = times.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn start(words: &[OsString]) -> Took {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().expect("it can be started");
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is this function's, which alone waits for it; the structure may be all zeros.
    let usage = unsafe {
        libc::wait4(child.id().cast_signed(), &raw mut status, 0, usage.as_mut_ptr());
        usage.assume_init()
    };
    let wall = start.elapsed().as_secs_f64() * 1e6;
    assert_eq!(status, 0, "{} failed", words[0].display());
    #[allow(clippy::cast_precision_loss, reason = "a short time")]
    let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    Took { wall, processor: micros(usage.ru_utime) + micros(usage.ru_stime) }
}

/// Where the command is, as it would be built now.
fn command() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--bin",
            "spasm",
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(Path::new(PACKAGE).join("Cargo.toml"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run");
    let told = String::from_utf8_lossy(&built.stdout);
    let path = told.rsplit_once("\"executable\":\"").and_then(|(_, rest)| rest.split('"').next());
    PathBuf::from(path.expect("cargo builds the command"))
}

/// How much of the binary the library is.
pub fn size_table() -> Table {
    let mut table = Table::new(&["snippets", "bytes of code", "bytes in the binary"]);
    let library = Library::native();
    let code = |chunk: u16| usize::from(library.chunks()[usize::from(chunk)].head.len);
    let code: usize = builtin::RECORDS.iter().map(|record| code(record.chunk)).sum();
    let numbers = [builtin::RECORDS.len(), code, Library::stored_bytes()];
    table.row(numbers.iter().map(usize::to_string).collect());
    table
}
