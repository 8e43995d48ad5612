//! Writing results: to standard output, or to a file that is whole or not there.
//!
//! Comes in: bytes. Goes out: the same, elsewhere. What must hold: a failure is never silent; a file that was there stays
//! as it was until its new contents are complete.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use spasm::diagnostic::Diagnostic;

use super::failure::{Failure, plain};

/// Writes to standard output.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes a file, or standard output where it is called `-`. `input` must not be the same file.
pub fn write(out: &OsStr, input: &OsStr, bytes: &[u8]) -> Result<(), Failure> {
    if out == "-" {
        return print(bytes);
    }
    let path = Path::new(out);
    let there = fs::metadata(path).ok();
    if let (Some(there), Ok(input)) = (&there, fs::metadata(input))
        && (there.dev(), there.ino()) == (input.dev(), input.ino())
        && there.is_file()
    {
        let message = format!("`{}` is the input: it would be overwritten", out.display());
        return Err(Diagnostic::new(message).help("give another name with -o").into());
    }
    let written = match &there {
        Some(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Devices and pipes cannot be replaced.
        Some(there) if !there.is_file() => OpenOptions::new().write(true).open(path).and_then(|file| fill(file, bytes)),
        _ => replace(path, there.as_ref(), bytes),
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        io::ErrorKind::IsADirectory => cannot_write(out, "it is a directory"),
        io::ErrorKind::NotFound => cannot_write(out, "its folder does not exist"),
        _ => cannot_write(out, &plain(&error)),
    })
}

fn cannot_write(out: &OsStr, why: &str) -> Failure {
    Diagnostic::new(format!("cannot write `{}`: {why}", out.display())).into()
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.flush()
}

/// Writes a file beside `path` and lets it take its place.
fn replace(path: &Path, there: Option<&fs::Metadata>, bytes: &[u8]) -> io::Result<()> {
    // Where `path` is a link, what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (beside, file) = create_beside(&path)?;
    let permissions = there.map_or(Ok(()), |there| file.set_permissions(there.permissions()));
    let done = permissions.and_then(|()| fill(file, bytes)).and_then(|()| fs::rename(&beside, &path));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut number = 0;
    loop {
        let beside = path.with_file_name(format!(".spasm-{}-{number}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            made => return made.map(|file| (beside, file)),
        }
    }
}
