//! What `--dir` and `--env` grant a WebAssembly program of the system, by WASI.
//!
//! Comes in: the command line, and what the program imports. Goes out: the context of WASI that the program runs in. What
//! must hold: nothing is granted that was not asked for; what cannot be granted is said before the program runs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use spasm::diagnostic::Diagnostic;
use spasm::module::Module;
use spasm::store::Linker;
use spasm::wasi::{self, Dir, StringArrayError, WasiCtx, WasiCtxBuilder, ambient_authority};

use super::args::{Given, UsageError};
use super::commands::{Command, OptId};
use super::failure::{Failure, plain};
use super::input;
use super::run::Entry;

/// What a program is given, if it imports functions of WASI.
#[derive(Default)]
pub struct Host {
    context: Option<WasiCtx>,
    /// The words behind the program are its arguments, as they are.
    pub takes_words: bool,
}

impl Host {
    /// What the command line gives a program that is entered there.
    pub fn new(command: &'static Command, given: &Given, module: &Module, entry: Entry<'_>) -> Result<Host, Failure> {
        let grants = Grants::read(command, given)?;
        let option = || if grants.dirs.is_empty() { "--env" } else { "--dir" };
        if !imports_wasi(module) {
            if grants.is_empty() {
                return Ok(Host::default());
            }
            let file = input::name(&given.words[0]);
            let message = format!("{} is of no use to {file}: it imports no function of WASI", option());
            let help = "it is for WebAssembly programs that were compiled for WASI preview 1";
            return Err(UsageError::new(Some(command), message).help(help).into());
        }
        if given.has(OptId::Sandbox) && !grants.is_empty() {
            let message = format!("{} grants what --sandbox refuses", option());
            return Err(UsageError::new(Some(command), message).into());
        }
        let takes_words = entry.name == START && !given.has(OptId::Function);
        let words = if takes_words { &given.words[1..] } else { &[] };
        let name = Path::new(&given.words[0]).file_name().unwrap_or(&given.words[0]).to_string_lossy();
        Ok(Host { takes_words, ..Host::of(&grants, &name, words)? })
    }

    /// What a program has that is called `name` and given these words.
    pub fn of(grants: &Grants, name: &str, words: &[OsString]) -> Result<Host, Failure> {
        Ok(Host { context: Some(grants.context(name, words)?), takes_words: true })
    }

    /// What the program finds by the names that it imports.
    pub fn linker(&self) -> Result<Linker<Host>, spasm::store::Error> {
        let mut linker = Linker::new();
        if self.context.is_some() {
            wasi::add_to_linker(&mut linker, |host: &mut Host| host.context.as_mut().expect("it was there before"))?;
        }
        Ok(linker)
    }
}

/// What begins a program that was compiled for WASI.
pub const START: &str = "_start";

fn imports_wasi(module: &Module) -> bool {
    module.imports.iter().any(|import| [wasi::MODULE, wasi::MODULE_BEFORE].contains(&import.from.module.as_str()))
}

/// What a program is to have beside the process's streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Directories, and what the program calls them.
    pub dirs: Vec<(PathBuf, String)>,
    /// Variables of the environment.
    pub vars: Vec<(String, String)>,
}

impl Grants {
    /// What the command line grants.
    pub fn read(command: &'static Command, given: &Given) -> Result<Grants, UsageError> {
        let mut grants = Grants::default();
        for value in given.values(OptId::Dir) {
            let dir = directory(command, value)?;
            if let Some((host, guest)) = grants.dirs.iter().find(|(_, guest)| *guest == dir.1) {
                let message = format!("`{}` and `{}` are both to be `{guest}`", host.display(), dir.0.display());
                let help = "two directories need two names: --dir HOST::GUEST";
                return Err(UsageError::new(Some(command), message).help(help));
            }
            grants.dirs.push(dir);
        }
        for value in given.values(OptId::Env) {
            let (name, value) = variable(command, value)?;
            // The last one holds, as in a shell.
            grants.vars.retain(|(other, _)| *other != name);
            grants.vars.push((name, value));
        }
        Ok(grants)
    }

    /// Nothing is granted.
    fn is_empty(&self) -> bool {
        self.dirs.is_empty() && self.vars.is_empty()
    }

    /// The context of a program that is called `name` and given these words.
    fn context(&self, name: &str, words: &[OsString]) -> Result<WasiCtx, Failure> {
        let mut builder = WasiCtxBuilder::new();
        let many = |error: StringArrayError| Diagnostic::new(format!("too much for a program: {error}"));
        builder.inherit_stdio().arg(name).map_err(many)?;
        for (at, word) in words.iter().enumerate() {
            let Some(word) = word.to_str() else {
                let message = format!("argument {} is not UTF-8, as all text of WASI is", at + 1);
                return Err(UsageError::new(None, message).into());
            };
            builder.arg(word).map_err(many)?;
        }
        for (name, value) in &self.vars {
            builder.env(name, value).map_err(many)?;
        }
        for (host, guest) in &self.dirs {
            let refused = |text: String| Diagnostic::new(format!("cannot grant `{}`: {text}", host.display()));
            let dir = Dir::open_ambient_dir(host, ambient_authority()).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => refused("there is no such directory".to_owned()),
                std::io::ErrorKind::NotADirectory => {
                    refused("it is no directory".to_owned()).help("grant the directory that it is in")
                }
                _ => refused(plain(&error)),
            })?;
            builder.preopened_dir(dir, guest).map_err(|error| refused(error.to_string()))?;
        }
        Ok(builder.build())
    }
}

/// `HOST` or `HOST::GUEST`.
fn directory(command: &'static Command, value: &OsStr) -> Result<(PathBuf, String), UsageError> {
    let error = |message: String| UsageError::new(Some(command), message);
    let Some(text) = value.to_str() else {
        let message = format!("--dir cannot be `{}`: it is not UTF-8, as all text of WASI is", value.display());
        return Err(error(message).help("name it by a path through a link whose name is"));
    };
    let (host, guest) = text.rsplit_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        let message = format!("--dir cannot be `{text}`: it is to be HOST or HOST::GUEST");
        return Err(error(message).help("--dir . grants this directory, --dir .::/data the same under the name /data"));
    }
    Ok((host.into(), guest.to_owned()))
}

/// `NAME=VALUE`.
fn variable(command: &'static Command, value: &OsStr) -> Result<(String, String), UsageError> {
    let shown = value.display();
    let error = |message: String| UsageError::new(Some(command), message);
    let Some(text) = value.to_str() else {
        return Err(error(format!("--env cannot be `{shown}`: it is not UTF-8, as all text of WASI is")));
    };
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) => Err(error(format!("--env cannot be `{shown}`: the name before `=` is missing"))),
        None => {
            let help = format!("to pass on the value that it has here: --env {text}=\"${text}\"");
            let error = error(format!("--env cannot be `{shown}`: it is to be NAME=VALUE"));
            let is_name = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.is_empty();
            Err(if is_name { error.help(help) } else { error })
        }
    }
}
