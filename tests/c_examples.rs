//! The examples that call C, and those that C and Python call, do what their heads say, as a user would do it.
//!
//! Comes in: the command lines behind `$` in the heads of the files under `examples/c`, and what stands below each of
//! them. What must hold: in a folder where `examples` and `spasm` can be reached each command succeeds and says exactly
//! that, on both streams; those that run a program do so on every tier. What needs a library or a command that is not
//! installed is left out, with a message.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A command line and what it says.
struct Session {
    command: String,
    said: String,
}

/// The comment that a file begins with, without what makes it one.
fn head(name: &str, source: &str) -> String {
    let (end, mark) = match name.rsplit('.').next() {
        Some("c") => ("*/", " *"),
        Some("py") => ("\n\"\"\"", ""),
        _ => ("\n\n", "#"),
    };
    let head = source.split(end).next().unwrap();
    head.lines().map(|line| line.strip_prefix(mark).unwrap_or(line).trim().to_owned() + "\n").collect()
}

fn sessions(head: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut open = false;
    for line in head.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            sessions.push(Session { command: command.to_owned(), said: String::new() });
            open = true;
        } else if let (true, false, Some(last)) = (open, line.is_empty(), sessions.last_mut()) {
            last.said += &format!("{line}\n");
        } else {
            open = false;
        }
    }
    sessions
}

/// A folder for the commands of one example.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_examples").join(name);
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("examples"), folder.join("examples")).unwrap();
    folder
}

/// What a command line says on both streams, in a folder from which `spasm` is found; and whether it succeeds.
fn run(command: &str, folder: &Path) -> (String, bool) {
    let bin = Path::new(env!("CARGO_BIN_EXE_spasm")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(folder);
    let output = shell.env("PATH", path).env_remove("CLICOLOR_FORCE").output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

/// Runs what the head of an example says.
fn example(name: &str) {
    let source = std::fs::read_to_string(Path::new(ROOT).join("examples/c").join(name)).unwrap();
    let sessions = sessions(&head(name, &source));
    assert!(!sessions.is_empty(), "{name} does not say how to run it");
    assert!(sessions.iter().any(|session| !session.said.is_empty()), "{name} does not say what it prints");
    let folder = folder(name);
    for Session { command, said } in &sessions {
        let mut commands = vec![command.clone()];
        if let Some(rest) = command.strip_prefix("spasm run ") {
            commands = ["interp", "baseline"].map(|tier| format!("spasm run --tier {tier} {rest}")).into();
        }
        for command in commands {
            let (found, success) = run(&command, &folder);
            assert!(success && found == *said, "{name}\n$ {command}\n{found}instead of\n{said}");
        }
    }
}

#[test]
fn printf_takes_arguments_of_all_kinds() {
    example("printf.spasm");
}

#[test]
fn qsort_calls_back() {
    example("qsort.spasm");
}

#[test]
fn zlib_is_found_and_does_its_work() {
    // Asked of the linker, and not of Spasm, whose fault it would be not to find it.
    let (told, found) = run("cc -shared -o with_zlib.so -l:libz.so.1", &folder("zlib"));
    if found {
        example("zlib.spasm");
    } else {
        eprintln!("skipped: there is no zlib here: {told}");
    }
}

#[test]
fn c_links_an_object() {
    example("numeric.spasm");
    example("numeric.c");
}

#[test]
fn python_loads_a_shared_library() {
    let (told, found) = run("python3 -c 'import ctypes'", &folder("python"));
    if found {
        example("spelling.py");
    } else {
        eprintln!("skipped: there is no Python with ctypes here: {told}");
    }
}

/// A file that is added is tested, too.
#[test]
fn these_are_all() {
    let files = std::fs::read_dir(Path::new(ROOT).join("examples/c")).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let known =
        ["numeric.c", "numeric.spasm", "printf.spasm", "qsort.spasm", "spelling.py", "spelling.spasm", "zlib.spasm"];
    assert_eq!(names, known, "each file under `examples/c` is run by a test above");
}
