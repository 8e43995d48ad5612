//! Reading programs: from a file or standard input, in any form.
//!
//! Comes in: what the command line calls the file. Goes out: a module, or what is wrong with it. What must hold: whatever
//! the file is, the answer comes in bounded time and space, and names it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};

use spasm::binary;
use spasm::diagnostic::{Diagnostic, Diagnostics, Place};
use spasm::isa::custom::CustomOp;
use spasm::module::Module;
use spasm::stitch::StitchError;
use spasm::text;
use spasm::verified::Verified;
use spasm::verify::{Problem, VerifyError, verify};

use super::failure::{Failure, plain};

/// The largest file that is read. No program is near it; devices and pipes can be endless.
const LARGEST: u64 = 1 << 29;

/// What messages call the file.
pub fn name(file: &OsStr) -> String {
    if file == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

/// The bytes of a file.
pub fn read(file: &OsStr) -> Result<Vec<u8>, Failure> {
    let bytes = if file == "-" { read_all(io::stdin().lock()) } else { File::open(file).and_then(read_file) };
    let bytes = bytes.map_err(|error| cannot_read(file, &error))?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("`{}` is larger than {} MiB: that is no program", name(file), LARGEST >> 20);
        return Err(Diagnostic::new(message).into());
    }
    Ok(bytes)
}

fn read_file(file: File) -> io::Result<Vec<u8>> {
    read_all(file)
}

fn read_all(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1 << 12);
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_read(file: &OsStr, error: &io::Error) -> Failure {
    let error_text = match error.kind() {
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => plain(error),
    };
    let diagnostic = Diagnostic::new(format!("cannot read `{}`: {error_text}", name(file)));
    match (error.kind(), file.to_str()) {
        (io::ErrorKind::NotFound, Some(text)) if std::path::Path::new(&format!("{text}.spasm")).is_file() => {
            diagnostic.help(format!("did you mean `{text}.spasm`?")).into()
        }
        _ => diagnostic.into(),
    }
}

/// A program: a module, and the machine code that it came with.
pub struct Program {
    pub module: Module,
    #[cfg(feature = "elf")]
    pub object: Option<spasm::elf::Loaded>,
}

/// The program that the bytes of a file are: text, a module, or an object.
#[cfg(feature = "elf")]
pub fn program(file: &OsStr, bytes: &[u8], opcodes: &[CustomOp]) -> Result<Program, Failure> {
    use spasm::isa::snippet::Features;
    use spasm::library::native_features;

    if !spasm::elf::is_object(bytes) {
        return Ok(Program { module: parse(file, bytes, opcodes)?, object: None });
    }
    let refused = |why: &str| Diagnostic::new(format!("cannot run `{}`: {why}", name(file)));
    let mut object = spasm::elf::load(bytes).map_err(|error| refused(&error.to_string()))?;
    let lacking = object.features().0 & !native_features().0;
    if lacking != 0 {
        let names: Vec<&str> =
            Features::ALL.iter().filter(|(_, bit)| lacking & bit != 0).map(|(name, _)| *name).collect();
        let error = refused(&format!("its code needs what this machine lacks: {}", names.join(", ")));
        return Err(error.help("build it again with `--cpu native`, or without `--cpu`").into());
    }
    Ok(Program { module: object.take_module(), object: Some(object) })
}

/// The program that the bytes of a file are: text or a module.
#[cfg(not(feature = "elf"))]
pub fn program(file: &OsStr, bytes: &[u8], opcodes: &[CustomOp]) -> Result<Program, Failure> {
    Ok(Program { module: parse(file, bytes, opcodes)? })
}

/// The module that the bytes of a file are, which may use opcodes that templates declare.
pub fn parse(file: &OsStr, bytes: &[u8], opcodes: &[CustomOp]) -> Result<Module, Failure> {
    let name = name(file);
    #[cfg(feature = "elf")]
    if spasm::elf::is_object(bytes) {
        let error = Diagnostic::new(format!("`{name}` is an ELF object, and no program as text or in binary form"));
        return Err(error.help("`spasm run` takes objects that `spasm build` wrote").into());
    }
    if is_wasm(file, bytes) {
        return Ok(wasm(file, bytes)?);
    }
    if binary::is_binary(bytes) {
        return Ok(binary::decode(bytes).map_err(|error| error.diagnostic(&name))?);
    }
    Ok(text::parse_bytes_with(&name, bytes, opcodes)?)
}

/// True for WebAssembly: its binary form, files that are named as its text is, and text that begins as no other does.
fn is_wasm(file: &OsStr, bytes: &[u8]) -> bool {
    let named = std::path::Path::new(file).extension().is_some_and(|extension| extension == "wat");
    let text = bytes.trim_ascii_start();
    named || bytes.starts_with(b"\0asm") || text.starts_with(b"(") || text.starts_with(b";;")
}

/// A module of WebAssembly.
#[cfg(feature = "wasm")]
fn wasm(file: &OsStr, bytes: &[u8]) -> Result<Module, Diagnostic> {
    let name = name(file);
    spasm::wasm::translate(&name, bytes).map_err(|error| not_translated(name, bytes, error))
}

/// WebAssembly in its binary form, made ready a function at a time.
#[cfg(feature = "wasm")]
pub fn compile(
    file: &OsStr,
    bytes: &[u8],
    engine: &spasm::engine::Engine,
) -> Result<spasm::engine::Compiled, Diagnostic> {
    use spasm::engine::CompileError;

    let name = name(file);
    engine.compile_wasm(&name, bytes).map_err(|error| match error {
        CompileError::Wasm(error) => not_translated(name, bytes, error),
        other => Diagnostic::new(other.to_string()).in_file(name),
    })
}

/// What is wrong with WebAssembly.
#[cfg(feature = "wasm")]
fn not_translated(name: String, bytes: &[u8], error: spasm::wasm::WasmError) -> Diagnostic {
    use spasm::wasm::Fault;

    let what = match error.fault {
        Fault::Malformed => "this is no WebAssembly module",
        Fault::Invalid => "this WebAssembly module is invalid",
        Fault::Unsupported | Fault::TooLarge => "",
        Fault::Text => "this is no WebAssembly text",
    };
    let of = if spasm::wasm::is_binary(bytes) { "" } else { " of its binary form" };
    let at = error.offset.map_or(String::new(), |offset| format!(" (at offset {offset:#x}{of})"));
    let separator = if what.is_empty() { "" } else { ": " };
    let (message, place) = in_text(&error.message, bytes);
    let shown = Diagnostic::new(format!("{what}{separator}{message}{at}")).in_file(name);
    let shown = place.map_or(shown.clone(), |place| shown.at(place));
    match error.help {
        Some(help) => shown.help(help),
        None => shown,
    }
}

/// An error in WebAssembly text: what is wrong, and where. The reader of such text shows the place below its message.
#[cfg(feature = "wasm")]
fn in_text<'e>(error: &'e str, bytes: &[u8]) -> (&'e str, Option<Place>) {
    let (message, rest) = error.split_once('\n').unwrap_or((error, ""));
    let number = |text: Option<&str>| text?.trim().parse::<usize>().ok();
    let mut parts = rest.lines().next().unwrap_or("").rsplit(':');
    let place = number(parts.next()).zip(number(parts.next())).and_then(|(column, line)| {
        let text = String::from_utf8_lossy(bytes.split(|&byte| byte == b'\n').nth(line.checked_sub(1)?)?).into_owned();
        Some(Place::new(line as u32, &text, column.saturating_sub(1)..column))
    });
    (message, place)
}

#[cfg(not(feature = "wasm"))]
fn wasm(file: &OsStr, _: &[u8]) -> Result<Module, Diagnostic> {
    let error = Diagnostic::new("this is WebAssembly, which this `spasm` was built without").in_file(name(file));
    Err(error.help("build it with the feature `wasm`"))
}

/// Verifies a module.
pub fn check(file: &OsStr, module: Module) -> Result<Verified, Failure> {
    let module = std::sync::Arc::new(module);
    verify(std::sync::Arc::clone(&module)).map_err(|error| refused(&name(file), &module, &error).into())
}

/// A verified module from a file, which may use opcodes that templates declare.
pub fn load(file: &OsStr, opcodes: &[CustomOp]) -> Result<Verified, Failure> {
    check(file, parse(file, &read(file)?, opcodes)?)
}

/// What keeps a verified module from being stitched.
pub fn not_stitched(file: &OsStr, module: &Module, error: &StitchError) -> Diagnostic {
    let StitchError::Opcode(error) = error else { return Diagnostic::new(error.to_string()) };
    let place = error.line.map(|line| match &module.source {
        Some(source) => text::place(source, line, None),
        None => Place::of_line(line),
    });
    let shown = Diagnostic::new(error.message()).in_file(name(file)).help(error.help());
    place.map_or(shown.clone(), |place| shown.at(place))
}

/// What the verifier says, with the lines of the source.
fn refused(file: &str, module: &Module, error: &VerifyError) -> Diagnostics {
    let list = error.problems.iter().map(|problem| diagnostic(file, module, problem)).collect();
    Diagnostics::new(list, error.more).unwrap_or_else(|| Diagnostic::new(error.to_string()).in_file(file).into())
}

fn diagnostic(file: &str, module: &Module, problem: &Problem) -> Diagnostic {
    let place = |line: u32, operand: Option<u32>| match &module.source {
        Some(source) => text::place(source, line, operand.map(|operand| operand as usize)),
        None => Place::of_line(line),
    };
    let mut message = problem.message.clone();
    if let (None, Some(function)) = (problem.line, &problem.function) {
        let inst = problem.inst.map_or(String::new(), |inst| format!(", instruction {inst}"));
        message = format!("{message} (in `{function}`{inst})");
    }
    let mut diagnostic = Diagnostic::new(message).in_file(file);
    if let Some(line) = problem.line {
        diagnostic = diagnostic.at(place(line, problem.operand));
    }
    if let Some(related) = &problem.related
        && let Some(line) = related.line
    {
        diagnostic = diagnostic.and_at(place(line, None).label(&related.message));
    }
    match &problem.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
