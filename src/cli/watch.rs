//! `spasm run --watch`: a program that runs again each time it, or a template, is saved.
//!
//! Comes in: what was given. Goes out: runs of the command without `--watch`, one after the other. What must hold: the
//! program runs with templates that were checked as a whole: copies of them, which no editor can change half way; what is
//! wrong with newer ones is shown, and the program that is running is left alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, SystemTime};
use std::{env, fs};

use spasm::diagnostic::Diagnostic;
use spasm::snippets::Toolchain;

use super::args::Given;
use super::failure::Failure;
use super::{input, templates};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// When a file was saved last, and how long it was then.
type Saved = Option<(SystemTime, u64)>;

fn saved(path: &Path) -> Saved {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Everything that a run depends on, as it is now.
fn look(program: &Path, snippets: &[PathBuf]) -> Vec<(PathBuf, Saved)> {
    let mut seen = vec![(program.to_owned(), saved(program))];
    let mut open: Vec<PathBuf> = snippets.to_vec();
    while let Some(path) = open.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            open.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        } else if path.extension().is_some_and(|extension| extension == "S") {
            seen.push((path.clone(), saved(&path)));
        }
    }
    seen.sort();
    seen
}

/// Copies of templates, gone when this is.
struct Copies(PathBuf);

impl Copies {
    fn new(files: &[PathBuf]) -> std::io::Result<Copies> {
        static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("spasm-watch-{}-{run}", std::process::id()));
        fs::create_dir(&folder)?;
        let copies = Copies(folder);
        for (number, file) in files.iter().enumerate() {
            fs::copy(file, copies.0.join(format!("{number}.S")))?;
        }
        Ok(copies)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The run that is in progress.
struct Running {
    child: Child,
    _copies: Option<Copies>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the command until it is interrupted.
pub fn watch(given: &Given) -> Result<(), Failure> {
    let file = &given.words[0];
    if file == "-" {
        return Err(Diagnostic::new("standard input cannot be watched").help("give the name of a file").into());
    }
    input::read(file)?;
    let (program, paths) = (PathBuf::from(file), templates::paths(given));
    let mut running: Option<Running> = None;
    let mut before = Vec::new();
    loop {
        let now = look(&program, &paths);
        if now != before {
            before = now;
            if let Some(next) = start(&paths)? {
                running = Some(next);
            }
        }
        if let Some(run) = &mut running {
            let ended = run.child.try_wait().ok().flatten();
            if let Some(status) = ended {
                running = None;
                eprintln!("-- ended with {status}; watching for changes");
            }
        }
        sleep(PERIOD);
    }
}

/// Starts a run with the templates as they are now; nothing where they are wrong.
fn start(paths: &[PathBuf]) -> Result<Option<Running>, Failure> {
    let cannot = |what: &str, error: &std::io::Error| Diagnostic::new(format!("cannot {what}: {error}"));
    let copies = if paths.is_empty() {
        None
    } else {
        match Toolchain::default().load(paths) {
            Ok(loaded) => Some(Copies::new(&loaded.files).map_err(|error| cannot("copy the templates", &error))?),
            Err(errors) => {
                eprintln!("{}-- the last good templates stay in use", templates::refused(&errors));
                return Ok(None);
            }
        }
    };
    let program = env::current_exe().map_err(|error| cannot("find this program", &error))?;
    let child = Command::new(program).args(arguments(copies.as_ref())).spawn();
    let child = child.map_err(|error| cannot("start the program", &error))?;
    Ok(Some(Running { child, _copies: copies }))
}

/// The arguments of this process without `--watch`, and with copies in place of the folders of templates.
fn arguments(copies: Option<&Copies>) -> Vec<OsString> {
    let mut out = Vec::new();
    let mut words = env::args_os().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--snippets" {
            words.next();
        } else if text != "--watch" && !text.starts_with("--snippets=") {
            out.push(word);
        }
    }
    if let Some(copies) = copies {
        // Behind the name of the command, before the program's own arguments.
        out.splice(1..1, [OsString::from("--snippets"), copies.0.clone().into_os_string()]);
    }
    out
}
