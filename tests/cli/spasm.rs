//! Running the binary, and comparing what it says with a file.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder of the golden files and of the programs that the tests run.
fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The binary in the folder of the test programs, without anything of the user's environment that changes colours.
pub fn spasm(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spasm"));
    command.args(args).current_dir(home()).stdin(Stdio::null());
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// What the binary said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub status: i32,
}

impl Said {
    pub fn quiet(status: i32) -> Said {
        Said { out: String::new(), err: String::new(), status }
    }
}

pub fn run(args: &[&str], input: &str) -> Said {
    run_in(args, input.as_bytes())
}

pub fn run_in(args: &[&str], input: &[u8]) -> Said {
    let mut command = spasm(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("what is said is text");
    let status = output.status.code().unwrap_or_else(|| panic!("{args:?} ended with {}", output.status));
    Said { out: text(output.stdout), err: text(output.stderr), status }
}

/// Runs some command lines and compares what they say with a golden file.
pub fn golden(name: &str, lines: &[&[&str]]) {
    let mut found = String::new();
    for args in lines {
        let said = run(args, "");
        let _ = writeln!(found, "$ spasm {}", args.join(" "));
        found += &said.out;
        if !said.err.is_empty() {
            let _ = write!(found, "--- standard error\n{}", said.err);
        }
        let _ = writeln!(found, "--- status {}\n", said.status);
    }
    let path = home().join(format!("{name}.out"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    if found != wanted {
        let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
        let line = differs.unwrap_or(found.lines().count().min(wanted.lines().count()));
        let show = |text: &str| text.lines().skip(line).take(8).collect::<Vec<_>>().join("\n");
        panic!(
            "{} differs from line {} on; UPDATE_GOLDEN=1 writes it anew\nwanted:\n{}\nfound:\n{}",
            path.display(),
            line + 1,
            show(&wanted),
            show(&found)
        );
    }
}

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, and says where it is.
    pub fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
