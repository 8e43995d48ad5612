//! `spasm build --exe`: a program of WASI that runs by itself.
//!
//! Comes in: a WebAssembly program. Goes out: this executable, with the program behind its end and a footer behind that;
//! and when such an executable starts, the program in it. What must hold: what is carried runs as `spasm run` would run it,
//! every word of the command line being the program's; a damaged program is not run; an executable that carries nothing
//! pays a few system calls for looking.
//!
//! ```text
//! spasm itself │ START │ list of directories │ list of variables │ the program's file │ footer
//!                                                                                      length, checksum, END
//! ```

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use spasm::binary::checksum;
use spasm::diagnostic::Diagnostic;
use spasm::engine::{Config, Engine};
use spasm::module::link::ImportName;
use spasm::verified::Verified;

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::{Failure, plain};
use super::run::Entry;
use super::stats::Clock;
use super::wasi::{Grants, Host, START};
use super::{input, linked, output};

/// What stands where a program begins. The last byte is the version of what follows.
const BEGIN: [u8; 8] = *b"\x7fSpasmX\x01";
/// What stands at the end of the file.
const END: [u8; 8] = *b"\x01XmsapS\x7f";
/// The length of what is between the executable's end and the footer, its checksum, and [`END`].
const FOOTER: usize = 8 + 4 + 8;

/// A program that an executable carries.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    grants: Grants,
    program: Vec<u8>,
}

/// `spasm build --exe`.
pub fn build(command: &'static Command, given: &Given, out: &OsStr) -> Result<(), Failure> {
    let others = [OptId::Header, OptId::NoDebug, OptId::NoRuntime, OptId::Cpu, OptId::Snippets];
    if let Some(other) = others.into_iter().find(|&id| given.has(id)) {
        let name = command.options.iter().find(|option| option.id == other).and_then(|option| option.long);
        let message = format!("--{} is for objects, and --exe makes none", name.unwrap_or_default());
        return Err(UsageError::new(Some(command), message).into());
    }
    let grants = Grants::read(command, given)?;
    let file = &given.words[0];
    let program = input::read(file)?;
    let verified = input::check(file, input::parse(file, &program, &[])?)?;
    let Some(entry) = linked::exported_as(verified.module(), START) else {
        let error = Diagnostic::new(format!("`{}` exports no function `{START}`", input::name(file)));
        return Err(error.help("--exe is for WebAssembly programs that were compiled for WASI preview 1").into());
    };
    runs_alone(file, &verified, entry)?;
    let own = fs::read("/proc/self/exe")
        .map_err(|error| Diagnostic::new(format!("this executable cannot be read: {}", plain(&error))))?;
    output::write(out, file, &Carried { grants, program }.behind(own))?;
    if out == "-" {
        return Ok(());
    }
    let executable = fs::metadata(out).and_then(|there| {
        let mode = there.permissions().mode();
        // Whoever may read it may run it.
        fs::set_permissions(out, fs::Permissions::from_mode(mode | (mode & 0o444) >> 2))
    });
    executable.map_err(|error| {
        Diagnostic::new(format!("`{}` cannot be made executable: {}", out.display(), plain(&error))).into()
    })
}

/// Finds what would keep the program from running wherever it is started.
fn runs_alone(file: &OsStr, verified: &Verified, entry: Entry<'_>) -> Result<(), Failure> {
    let file = input::name(file);
    if !entry.signature.params.is_empty() || !entry.signature.results.is_empty() {
        let message = format!("`{START}` of {file} is {}: a command takes and gives nothing", entry.signature);
        return Err(Diagnostic::new(message).into());
    }
    let refused = |error: spasm::store::Error| Diagnostic::new(error.to_string());
    let linker = Host::of(&Grants::default(), &file, &[])?.linker().map_err(refused)?;
    let missing = |name: &&ImportName| !linker.defines(&name.module, &name.name);
    match verified.module().imports.iter().map(|import| &import.from).find(missing) {
        None => Ok(()),
        Some(ImportName { module, name }) => {
            let error = Diagnostic::new(format!("{file} imports `{module}` `{name}`, which is not of WASI preview 1"));
            Err(error.help("from Rust, `spasm::store::Linker` gives programs whatever they import").into())
        }
    }
}

/// What this process's executable carries; nothing for `spasm` as it is built.
pub fn carried() -> Option<Result<Program, Failure>> {
    let file = File::open("/proc/self/exe").ok()?;
    let found = read(&file).transpose()?;
    Some(found.map(Program).map_err(|error| {
        let name = std::env::args_os().next().unwrap_or_default();
        let error = Diagnostic::new(format!("`{}` is damaged: {error}", name.display()));
        error.help("build or copy it anew: `spasm build --exe` made it").into()
    }))
}

/// A program that this process is there for.
pub struct Program(Carried);

impl Program {
    /// Runs it with the words of the command line.
    pub fn run(self) -> Result<(), Failure> {
        let Carried { grants, program } = self.0;
        let mut words = std::env::args_os();
        let path = words.next().unwrap_or_default();
        let name = Path::new(&path).file_name().unwrap_or(&path);
        let words: Vec<OsString> = words.collect();
        let engine = ManuallyDrop::new(Engine::new(Config::default()));
        let compiled = ManuallyDrop::new(input::compile(name, &program, &engine)?);
        let host = Host::of(&grants, &name.to_string_lossy(), &words)?;
        let entry = linked::exported_as(compiled.module(), START).expect("it was there when this was built");
        linked::execute(
            (&engine, linked::Program::Compiled(&compiled)),
            entry,
            &[],
            host,
            (&mut Clock::new(false), &mut None),
        )
        .map(drop)
    }
}

impl Carried {
    /// The executable with this behind it.
    fn behind(&self, mut executable: Vec<u8>) -> Vec<u8> {
        let start = executable.len();
        let text = |out: &mut Vec<u8>, text: &[u8]| {
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text);
        };
        let out = &mut executable;
        out.extend(BEGIN);
        out.extend((self.grants.dirs.len() as u32).to_le_bytes());
        for (host, guest) in &self.grants.dirs {
            text(out, host.as_os_str().as_bytes());
            text(out, guest.as_bytes());
        }
        out.extend((self.grants.vars.len() as u32).to_le_bytes());
        for (name, value) in &self.grants.vars {
            text(out, name.as_bytes());
            text(out, value.as_bytes());
        }
        out.extend(&self.program);
        let sum = checksum(&out[start..]);
        let len = (out.len() - start) as u64;
        out.extend(len.to_le_bytes());
        out.extend(sum.to_le_bytes());
        out.extend(END);
        executable
    }

    /// Of what stands between the executable and the footer.
    fn parse(bytes: &[u8]) -> Option<Carried> {
        let mut rest = bytes.strip_prefix(&BEGIN)?;
        let mut grants = Grants::default();
        for _ in 0..number(&mut rest)? {
            let host = PathBuf::from(OsString::from_vec(text(&mut rest)?.to_vec()));
            grants.dirs.push((host, String::from_utf8(text(&mut rest)?.to_vec()).ok()?));
        }
        for _ in 0..number(&mut rest)? {
            let mut text = || String::from_utf8(text(&mut rest)?.to_vec()).ok();
            grants.vars.push((text()?, text()?));
        }
        Some(Carried { grants, program: rest.to_vec() })
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(rest)? as usize;
    let (text, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(text)
}

/// What a file carries, or what is wrong with that.
fn read(file: &File) -> Result<Option<Carried>, String> {
    let failed = |error: io::Error| plain(&error);
    let len = file.metadata().map_err(failed)?.len();
    let mut footer = [0; FOOTER];
    let Some(behind) = len.checked_sub(FOOTER as u64) else { return Ok(None) };
    file.read_exact_at(&mut footer, behind).map_err(failed)?;
    if footer[12..] != END {
        return if begins_behind(file, len) { Err("its end is missing".to_owned()) } else { Ok(None) };
    }
    let size = u64::from_le_bytes(footer[..8].try_into().expect("it has this length"));
    let sum = u32::from_le_bytes(footer[8..12].try_into().expect("it has this length"));
    let Some(start) = behind.checked_sub(size) else { return Err("it is shorter than it says".to_owned()) };
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, start).map_err(failed)?;
    if checksum(&bytes) != sum {
        return Err("its checksum is wrong".to_owned());
    }
    Carried::parse(&bytes).map(Some).ok_or_else(|| "another version of Spasm made it".to_owned())
}

/// True where a program begins behind the end that the executable itself has by its header: the table of its sections.
fn begins_behind(file: &File, len: u64) -> bool {
    let mut header = [0; 64];
    if file.read_exact_at(&mut header, 0).is_err() {
        return false;
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let table = u64::from_le_bytes(header[0x28..0x30].try_into().expect("it has this length"));
    let end = table.saturating_add(short(0x3a) * short(0x3c));
    let mut begin = [0; BEGIN.len()];
    end < len && file.read_exact_at(&mut begin, end).is_ok() && begin == BEGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_is_read_back() {
        let grants =
            Grants { dirs: vec![("/srv".into(), "/data".to_owned())], vars: vec![("A".to_owned(), "=b".to_owned())] };
        let carried = Carried { grants, program: b"\0asm".to_vec() };
        let bytes = carried.behind(b"ELF".to_vec());
        let (body, footer) = bytes[3..].split_at(bytes.len() - 3 - FOOTER);
        assert_eq!(u64::from_le_bytes(footer[..8].try_into().unwrap()), body.len() as u64);
        assert_eq!(Carried::parse(body).as_ref(), Some(&carried));
        for end in 0..body.len() - 4 {
            assert_ne!(Carried::parse(&body[..end]).as_ref(), Some(&carried));
        }
    }
}
