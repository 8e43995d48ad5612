//! Assembles the templates under `asm/` and writes the snippet library into the crate.
//!
//! Comes in: `asm/x86_64/abi.inc`, the `.S` files beside it, and the C compiler (`CC`, or `cc`). Goes out:
//! `library.rs` in the build folder, a file of constants; with the feature `elf`, `runtime.rs`, what linked programs
//! need; and how the command is linked. What must hold: anything wrong
//! with a template stops the build here, with its file and line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::exit;

#[path = "src/isa/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the build reads a part of what the crate shares with it")]
mod isa;

#[cfg(feature = "elf")]
#[path = "src/rt/make.rs"]
mod runtime;

use isa::snippet::{Chunk, Hole, Site, Spread};
use isa::stored::{Record, Stored, StoredOperand};
use isa::table::{Alternative, Fusion};
use isa::template::{Abi, TemplateError, register_number};

fn main() {
    println!("cargo::rerun-if-changed=asm");
    println!("cargo::rerun-if-changed=src/isa");
    println!("cargo::rerun-if-env-changed=CC");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    link_unwinder(&compiler, &out);
    #[cfg(feature = "elf")]
    {
        for part in ["build", "src/rt", "src/number.rs", "src/text/literal.rs"] {
            println!("cargo::rerun-if-changed={part}");
        }
        if let Err(error) = runtime::make(&compiler, &out) {
            println!("cargo::error={}", error.replace('\n', " "));
            exit(1);
        }
    }
    match library(Path::new("asm/x86_64"), &compiler, &out) {
        Ok(text) => {
            #[cfg(feature = "elf")]
            if let Err(error) = std::fs::write(out.join("build_id.rs"), build_id(&text).to_string()) {
                println!("cargo::error=cannot write the number of the build: {error}");
                exit(1);
            }
            if let Err(error) = std::fs::write(out.join("library.rs"), text) {
                println!("cargo::error=cannot write the snippet library: {error}");
                exit(1);
            }
        }
        Err(errors) => {
            for error in errors {
                println!("cargo::error={}", error.to_string().replace('\n', " "));
            }
            exit(1);
        }
    }
}

/// A number that changes where objects of the present build could not be run by another: with the snippets, and with
/// the version, which is raised where context or helpers change.
#[cfg(feature = "elf")]
fn build_id(library: &str) -> u64 {
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // FNV-1a: nobody has to be kept from forging it.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    library.bytes().chain(version.bytes()).fold(0xcbf2_9ce4_8422_2325, step)
}

/// Links the unwinder that Rust's library needs into the `spasm` command, where the compiler has it as an archive. As a
/// shared library it would be found, mapped and relocated each time the command starts, which takes longer than what
/// most runs of the command do.
fn link_unwinder(compiler: &str, out: &Path) {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_ENV") != "gnu" || variable("TARGET") != variable("HOST") {
        return;
    }
    let archives = ["libgcc_eh.a", "libgcc.a"].map(|name| {
        let mut words = compiler.split_whitespace();
        let mut command = std::process::Command::new(words.next().unwrap_or("cc"));
        let output = command.args(words).arg(format!("-print-file-name={name}")).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?.trim_end().to_owned();
        Path::new(&path).is_absolute().then_some(path).filter(|path| Path::new(path).is_file())
    });
    let [Some(unwinder), Some(support)] = archives else { return };
    let folder = out.join("unwinder");
    // The linker takes this text for the library of that name.
    let text = format!("GROUP ( \"{unwinder}\" \"{support}\" )\n");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join("libgcc_s.so"), text));
    if written.is_ok() {
        println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    }
}

fn library(root: &Path, compiler: &str, out: &Path) -> Result<String, Vec<TemplateError>> {
    let abi_file = root.join("abi.inc");
    let abi = Abi::parse(&abi_file.display().to_string(), &read(&abi_file)?).map_err(|e| vec![e])?;
    let mut templates = Vec::new();
    let mut errors = Vec::new();
    for file in files(root)? {
        match isa::template::parse(&file.display().to_string(), &read(&file)?, &abi) {
            Ok(parsed) => templates.extend(parsed),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let extracted = isa::extract::extract(templates, &abi, compiler, out, "templates")?;
    let tables = isa::table::build(extracted)?;
    let stored = isa::stored::store(&tables).map_err(|message| {
        vec![TemplateError { file: root.display().to_string(), line: 0, template: String::new(), message }]
    })?;
    Ok(write(&stored, &abi))
}

fn io_error(path: &Path, error: &std::io::Error) -> Vec<TemplateError> {
    vec![TemplateError {
        file: path.display().to_string(),
        line: 0,
        template: String::new(),
        message: format!("cannot be read: {error}"),
    }]
}

fn read(path: &Path) -> Result<String, Vec<TemplateError>> {
    std::fs::read_to_string(path).map_err(|error| io_error(path, &error))
}

/// The template files in a fixed order, so that the library comes out the same everywhere.
fn files(root: &Path) -> Result<Vec<PathBuf>, Vec<TemplateError>> {
    let mut files = Vec::new();
    for folder in ["op", "fused", "frame"] {
        let folder = root.join(folder);
        for entry in std::fs::read_dir(&folder).map_err(|error| io_error(&folder, &error))? {
            let path = entry.map_err(|error| io_error(&folder, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "S") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn write(stored: &Stored, abi: &Abi) -> String {
    let mut text = String::new();
    let spread = |s: &Spread| format!("Spread({:?})", s.0);
    let chunk = |c: &Chunk| format!("Chunk {{ base: {:#x}, head: {:?} }}", c.base, c.head);
    let site = |s: &Site| {
        let fault = format!("{:?}", s.fault).replace("Trap(", "Trap(TrapKind::");
        format!("Site {{ offset: {}, fault: Fault::{fault} }}", s.offset)
    };
    let hole = |h: &Hole| {
        let Hole { operand, offset, patch, addend } = h;
        format!("Hole {{ operand: {operand}, offset: {offset}, patch: Patch::{patch:?}, addend: {addend} }}")
    };
    let operand = |o: &StoredOperand| {
        let StoredOperand { name, allowed, role, kind } = o;
        format!("StoredOperand {{ name: {name}, allowed: {allowed:#x}, role: Role::{role:?}, kind: Kind::{kind:?} }}")
    };
    let alternative = |a: &Alternative| format!("{a:?}");
    array(&mut text, "The chunks of all snippets", "CHUNKS", "Chunk", &stored.chunks, chunk);
    array(&mut text, "What registers add to chunks", "SPREADS", "Spread", &stored.spreads, spread);
    array(&mut text, "The contract of each chunk", "OWNERS", "u16", &stored.owners, u16::to_string);
    array(&mut text, "The contracts", "RECORDS", "Record", &stored.records, record);
    array(&mut text, "The operands", "OPERANDS", "StoredOperand", &stored.operands, operand);
    array(&mut text, "Lists of operands", "OPERAND_LISTS", "u8", &stored.operand_lists, u8::to_string);
    array(&mut text, "Lists of holes", "HOLES", "Hole", &stored.holes, hole);
    array(&mut text, "Lists of sites", "SITES", "Site", &stored.sites, site);
    array(&mut text, "The entries of the form table", "FORM_ENTRIES", "[u16; 2]", &stored.forms, |f| format!("{f:?}"));
    array(&mut text, "What better machines get", "ALTERNATIVES", "Alternative", &stored.alternatives, alternative);
    let starts: Vec<usize> =
        (0..=stored.words.len()).map(|n| stored.words[..n].iter().map(String::len).sum()).collect();
    array(&mut text, "Where each word starts, and the last one ends", "WORD_STARTS", "u16", &starts, usize::to_string);
    let _ = writeln!(text, "/// All words.\npub const WORDS: &str = {:?};", stored.words.concat());
    let _ = writeln!(text, "/// How many keys there are.\npub const KEYS: usize = {};", stored.keys);
    let fusion = |f: &Fusion| {
        let Fusion { first, second, feeds, when, key } = f;
        let second = second.map_or("None".to_owned(), |second| format!("Some(Op::{second:?})"));
        let when = when.map(|when| format!("When::{when:?}")).join(", ");
        format!(
            "Fusion {{ first: Op::{first:?}, second: {second}, feeds: Feeds::{feeds:?}, when: [{when}], key: {key} }}"
        )
    };
    array(&mut text, "The fusions", "FUSIONS", "Fusion", &stored.fusions, fusion);
    write_roles(&mut text, abi);
    text
}

fn array<T>(text: &mut String, what: &str, name: &str, ty: &str, entries: &[T], show: impl Fn(&T) -> String) {
    let _ = writeln!(text, "/// {what}.\npub static {name}: [{ty}; {}] = [", entries.len());
    for entry in entries {
        text.push_str(&(show(entry) + ",\n"));
    }
    text.push_str("];\n");
}

fn record(r: &Record) -> String {
    let [operands, holes, sites] =
        [r.operands, r.holes, r.sites].map(|span| format!("Span::from_bits({:#x})", span.bits()));
    let Record {
        name, file, line, chunk, cold, sources, clobbers, xmm_clobbers, clobbers_flags, fusion, needs, ..
    } = r;
    format!(
        "Record {{ name: {name}, file: {file}, line: {line}, chunk: {chunk}, cold: {cold}, operands: {operands}, \
         holes: {holes}, sites: {sites}, sources: {sources:?}, clobbers: {clobbers:#x}, xmm_clobbers: {xmm_clobbers:#x}, clobbers_flags: \
         {clobbers_flags}, fusion: {fusion}, needs: {needs} }}"
    )
}

fn write_roles(text: &mut String, abi: &Abi) {
    let number = |register: &str| register_number(register).map_or(0, |(number, _)| number);
    for (name, register) in &abi.roles {
        let _ = writeln!(text, "/// The register in the role `{name}`: {register}.");
        let _ = writeln!(text, "pub const {name}: u8 = {};", number(register));
    }
    for (name, registers) in &abi.sets {
        let numbers: Vec<u8> = registers.iter().map(|r| number(r)).collect();
        let _ = writeln!(text, "/// The set `{name}`: {}.", registers.join(", "));
        let _ = writeln!(text, "pub const {}: [u8; {}] = {numbers:?};", name.to_uppercase(), numbers.len());
    }
}
