//! Assembles the templates under `asm/` and writes the snippet library into the crate.
//!
//! Comes in: `asm/x86_64/abi.inc`, the `.S` files beside it, and the C compiler (`CC`, or `cc`). Goes out:
//! `library.rs` in the build folder, a file of constants. What must hold: anything wrong with a template stops the
//! build here, with its file and line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::exit;

#[path = "src/isa/mod.rs"]
#[allow(dead_code, reason = "the build reads a part of what the crate shares with it")]
mod isa;

use isa::snippet::Operand;
use isa::table::Tables;
use isa::template::{Abi, TemplateError, register_number};

fn main() {
    println!("cargo::rerun-if-changed=asm");
    println!("cargo::rerun-if-changed=src/isa");
    println!("cargo::rerun-if-env-changed=CC");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    start_fast(&out);
    match library(Path::new("asm/x86_64"), &out) {
        Ok(text) => {
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

/// Lets the command start in little more time than an empty process takes.
///
/// Where it stands is decided when it is linked, not when it is started: the loader would have to write some twelve
/// thousand addresses into the tables of the library and the disassembler. And it brings the unwinder along instead of
/// having a shared library loaded for it: where the linker is told to look for `libgcc_s`, it first finds a script that
/// names the archive with the same functions. Only the command is linked like that, no other program with this crate.
fn start_fast(out: &Path) {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let usual = (target("OS").as_str(), target("ENV").as_str(), target("ARCH").as_str()) == ("linux", "gnu", "x86_64");
    if !usual || target("FEATURE").split(',').any(|feature| feature == "crt-static") {
        return;
    }
    println!("cargo::rustc-link-arg-bin=spasm=-no-pie");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let found = std::process::Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output();
    let archive = found.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    // A compiler that has none gives the bare name back.
    let archive = Path::new(archive.trim());
    let folder = out.join("link");
    let script = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("libgcc_s.so"), format!("INPUT({})\n", archive.display()))
    };
    if archive.is_absolute() && script().is_ok() {
        println!("cargo::rustc-link-arg-bin=spasm=-L{}", folder.display());
    }
}

fn library(root: &Path, out: &Path) -> Result<String, Vec<TemplateError>> {
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
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let extracted = isa::extract::extract(templates, &abi, &compiler, out, "templates")?;
    Ok(write(&isa::table::build(extracted)?, &abi))
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

fn write(tables: &Tables, abi: &Abi) -> String {
    let mut text = String::new();
    let chunks = tables.snippets.last().map_or(1, |(first, s)| usize::from(*first) + s.chunks.len());
    let _ = writeln!(text, "/// The chunks of all snippets.\npub static CHUNKS: [Chunk; {chunks}] = [");
    let empty = isa::snippet::Chunk::default();
    for chunk in std::iter::once(&empty).chain(tables.snippets.iter().flat_map(|(_, s)| &s.chunks)) {
        let _ = writeln!(
            text,
            "Chunk {{ base: {:#x}, low: {:?}, high: {:?}, head: {:?} }},",
            chunk.base, chunk.low, chunk.high, chunk.head
        );
    }
    let _ = writeln!(text, "];\n/// The contracts.\npub static INFOS: [Info; {}] = [", tables.snippets.len());
    for (number, (chunk, snippet)) in tables.snippets.iter().enumerate() {
        let t = &snippet.template;
        let _ = write!(text, "Info {{ name: {:?}, file: {:?}, line: {}, chunk: {chunk}, ", t.name, t.file, t.line);
        let _ = write!(text, "cold: {}, operands: &[", tables.cold[number]);
        for o in &t.operands {
            let operand = Operand { name: "", role: o.role, kind: o.kind, allowed: o.allowed };
            let _ = write!(
                text,
                "Operand {{ name: {:?}, role: Role::{:?}, kind: Kind::{:?}, allowed: {} }}, ",
                o.name, operand.role, operand.kind, operand.allowed
            );
        }
        text.push_str("], holes: &[");
        for h in &snippet.holes {
            let _ = write!(
                text,
                "Hole {{ operand: {}, offset: {}, patch: Patch::{:?}, addend: {} }}, ",
                h.operand, h.offset, h.patch, h.addend
            );
        }
        text.push_str("], sites: &[");
        for site in &snippet.sites {
            let fault = format!("{:?}", site.fault).replace("Trap(", "Trap(TrapKind::");
            let _ = write!(text, "Site {{ offset: {}, fault: Fault::{fault} }}, ", site.offset);
        }
        let _ = writeln!(
            text,
            "], starts: &{:?}, clobbers: {}, xmm_clobbers: {}, clobbers_flags: {}, needs: {} }},",
            snippet.starts, t.clobbers, t.xmm_clobbers, t.clobbers_flags, t.needs
        );
    }
    let _ = writeln!(text, "];\n/// Which snippet serves which operand forms.");
    let _ = writeln!(text, "pub static FORM_TABLE: [u16; {}] = {:?};", tables.forms.len(), tables.forms);
    let _ = writeln!(text, "/// What takes the place of entries on better machines.");
    let _ = writeln!(text, "pub static ALTERNATIVES: [Alternative; {}] = [", tables.alternatives.len());
    for a in &tables.alternatives {
        let _ = writeln!(text, "Alternative {{ entry: {}, chunk: {}, needs: {} }},", a.entry, a.chunk, a.needs);
    }
    let _ = writeln!(text, "];\n/// The fusions, by the first opcode.");
    let _ = writeln!(text, "pub const FUSIONS: [Fusion; {}] = [", tables.fusions.len());
    let mut fusions: Vec<_> = tables.fusions.iter().collect();
    fusions.sort_by_key(|f| (f.first, f.second));
    for f in fusions {
        let _ = writeln!(text, "Fusion {{ first: Op::{:?}, second: Op::{:?}, key: {} }},", f.first, f.second, f.key);
    }
    text.push_str("];\n");
    write_roles(&mut text, abi);
    text
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
