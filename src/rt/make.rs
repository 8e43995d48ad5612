//! Makes the runtime of linked programs: the crate under `src/rt` and the assembly under `asm/x86_64/runtime`, as one
//! piece that the writer of objects copies.
//!
//! Comes in: the Rust compiler that builds Spasm, the C compiler, and their object files. Goes out: `runtime.rs` in the
//! build folder, with the contents of five sections, their relocations and the symbols that others may use. What must
//! hold: what the object files refer to among themselves is settled; only the C library's functions remain.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use object::{RelocationFlags, RelocationTarget, SectionFlags, SectionIndex, SymbolIndex, elf};

/// The sections that all others become part of, with their names in the source that is written.
const SECTIONS: [&str; 6] = ["TEXT", "RODATA", "RELRO", "DATA", "BSS", "EH_FRAME"];
const BSS: usize = 4;
const EH_FRAME: usize = 5;

/// The functions that Rust's library refers to and nothing here ever calls: no panic unwinds.
const NEVER: [&str; 2] = ["_Unwind_Resume", "rust_eh_personality"];

/// Where frames find the function that no panic ever calls.
const PERSONALITY: &str = "DW.ref.rust_eh_personality";

/// Compiles everything and writes `runtime.rs`.
pub fn make(compiler: &str, out: &Path) -> Result<(), String> {
    let archive = compile(out)?;
    let assembled = assemble(compiler, out)?;
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let archive = read(&archive)?;
    let mut merged = Merged::default();
    let files = ArchiveFile::parse(archive.as_slice()).map_err(|error| error.to_string())?;
    for member in files.members() {
        let member = member.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        if name.contains("spasm_rt") && Path::new(&name).extension().is_some_and(|extension| extension == "o") {
            merged.add(member.data(archive.as_slice()).map_err(|error| error.to_string())?)?;
        }
    }
    merged.add(&read(&assembled)?)?;
    let text = merged.settle()?;
    for (name, section) in SECTIONS.iter().zip(&merged.sections) {
        let path = out.join(format!("runtime.{}", name.to_lowercase()));
        std::fs::write(&path, &section.bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    std::fs::write(out.join("runtime.rs"), text).map_err(|error| error.to_string())
}

fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{what} failed: {}", String::from_utf8_lossy(&output.stderr)))
}

fn compile(out: &Path) -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let archive = out.join("libspasm_rt.a");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--crate-name=spasm_rt", "--crate-type=staticlib", "src/rt/rt.rs", "-o"]);
    command.arg(&archive).args(["--target", &variable("TARGET")]);
    let options =
        "panic=abort lto=fat opt-level=s codegen-units=1 relocation-model=pic force-unwind-tables=yes strip=debuginfo";
    command.args(options.split(' ').map(|option| format!("-C{option}")));
    run(&mut command, "compiling the runtime of linked programs (src/rt)")?;
    Ok(archive)
}

fn assemble(compiler: &str, out: &Path) -> Result<PathBuf, String> {
    let object = out.join("try.o");
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words).args(["-c", "asm/x86_64/runtime/try.S", "-o"]).arg(&object);
    run(&mut command, "assembling asm/x86_64/runtime/try.S")?;
    Ok(object)
}

#[derive(Default)]
struct Section {
    bytes: Vec<u8>,
    align: u64,
}

/// Where a symbol is: section and offset; or nowhere here.
#[derive(Clone, Debug)]
enum Place {
    Here(usize, u64),
    Elsewhere(String),
}

struct Relocation {
    section: usize,
    offset: u64,
    kind: u32,
    place: Place,
    addend: i64,
}

#[derive(Default)]
struct Merged {
    sections: [Section; SECTIONS.len()],
    relocations: Vec<Relocation>,
    /// What other object files may name.
    globals: BTreeMap<String, (usize, u64, u64)>,
    /// The runtime's own functions, for debuggers: name, offset in the code, size.
    locals: Vec<(String, u64, u64)>,
}

impl Merged {
    /// Takes in an object file.
    fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let file = object::File::parse(bytes).map_err(|error| error.to_string())?;
        let mut places: HashMap<SectionIndex, (usize, u64)> = HashMap::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, sh_type } = section.flags() else { continue };
            let name = section.name().unwrap_or("");
            if sh_flags.0 & elf::SHF_ALLOC.0 == 0 || name.starts_with(".note") || section.size() == 0 {
                continue;
            }
            let kind = match name {
                ".eh_frame" => EH_FRAME,
                _ if sh_type == elf::SHT_NOBITS => BSS,
                _ if sh_flags.0 & elf::SHF_EXECINSTR.0 != 0 => 0,
                _ if name.starts_with(".data.rel.ro") => 2,
                _ if sh_flags.0 & elf::SHF_WRITE.0 != 0 => 3,
                _ => 1,
            };
            let to = &mut self.sections[kind];
            to.align = to.align.max(section.align());
            let start = (to.bytes.len() as u64).next_multiple_of(section.align().max(1));
            to.bytes.resize(start as usize, 0);
            match kind {
                BSS => to.bytes.resize((start + section.size()) as usize, 0),
                _ => to.bytes.extend_from_slice(section.data().map_err(|error| error.to_string())?),
            }
            places.insert(section.index(), (kind, start));
        }
        let place = |index: SymbolIndex| -> Result<Place, String> {
            let symbol = file.symbol_by_index(index).map_err(|error| error.to_string())?;
            let section = symbol.section_index().and_then(|index| places.get(&index));
            let name = symbol.name().unwrap_or("");
            Ok(match section {
                // What frames refer to must not be gone where another object's copy of all of this is used.
                Some(_) if name == PERSONALITY => Place::Elsewhere(name.to_owned()),
                Some(&(kind, start)) => Place::Here(kind, start + symbol.address()),
                None => Place::Elsewhere(name.to_owned()),
            })
        };
        for section in file.sections() {
            let Some(&(kind, start)) = places.get(&section.index()) else { continue };
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(index) = relocation.target() else { continue };
                let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
                let (offset, addend) = (start + offset, relocation.addend());
                self.relocations.push(Relocation {
                    section: kind,
                    offset,
                    kind: r_type.0,
                    place: place(index)?,
                    addend,
                });
            }
        }
        for symbol in file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition()) {
            let name = symbol.name().unwrap_or("").to_owned();
            if let Some(&(kind, start)) = symbol.section_index().and_then(|index| places.get(&index)) {
                self.globals.insert(name, (kind, start + symbol.address(), symbol.size()));
            }
        }
        for symbol in file.symbols().filter(|symbol| symbol.is_local() && symbol.size() > 0) {
            let name = symbol.name().ok().and_then(readable);
            let place = symbol.section_index().and_then(|index| places.get(&index)).filter(|place| place.0 == 0);
            if let (Some(name), Some(&(_, start))) = (name, place) {
                self.locals.push((name, start + symbol.address(), symbol.size()));
            }
        }
        Ok(())
    }

    /// The source of the tables, all references among the object files settled.
    fn settle(&mut self) -> Result<String, String> {
        let mut text = String::new();
        for (name, section) in SECTIONS.iter().zip(&self.sections) {
            let align = section.align.max(1);
            let contents = match *name {
                "BSS" => format!("Bytes {{ contents: &[], len: {}, align: {align} }}", section.bytes.len()),
                _ => format!(
                    "Bytes {{ contents: include_bytes!(\"runtime.{}\"), len: {}, align: {align} }}",
                    name.to_lowercase(),
                    section.bytes.len()
                ),
            };
            let _ = writeln!(text, "const {name}: Bytes = {contents};");
        }
        let _ = writeln!(text, "pub static SECTIONS: [Bytes; {}] = [{}];", SECTIONS.len(), SECTIONS.join(", "));
        let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = String::new();
        let mut count = 0;
        let symbols: Vec<_> = self.globals.iter().filter(|(name, _)| own(name)).collect();
        for relocation in &self.relocations {
            let Relocation { section, offset, kind, addend, .. } = relocation;
            let symbol = match &relocation.place {
                Place::Elsewhere(name) if indirect(*kind) || name == PERSONALITY => {
                    symbols.iter().position(|(symbol, _)| *symbol == name)
                }
                _ => None,
            };
            if let Some(symbol) = symbol {
                let row =
                    format!("section: {section}, offset: {offset}, kind: {kind}, target: Target::Symbol({symbol})");
                let _ = writeln!(rows, "Relocation {{ {row}, addend: {addend} }},");
                count += 1;
                continue;
            }
            let place = match &relocation.place {
                Place::Elsewhere(name) => match self.globals.get(name) {
                    Some(&(section, offset, _)) => Place::Here(section, offset),
                    None if NEVER.contains(&name.as_str()) => Place::Here(0, 0),
                    None => Place::Elsewhere(name.clone()),
                },
                here @ Place::Here(..) => here.clone(),
            };
            let (target, addend) = match place {
                Place::Here(target, at) if indirect(*kind) => {
                    return Err(format!("the runtime reaches {} + {at:#x} by a table", SECTIONS[target]));
                }
                Place::Here(target, at) => (format!("Target::Section({target})"), addend + at as i64),
                Place::Elsewhere(name) => {
                    let next = elsewhere.len();
                    (format!("Target::Elsewhere({})", elsewhere.entry(name).or_insert(next)), *addend)
                }
            };
            let row = format!("section: {section}, offset: {offset}, kind: {kind}, target: {target}, addend: {addend}");
            let _ = writeln!(rows, "Relocation {{ {row} }},");
            count += 1;
        }
        let _ = writeln!(text, "pub static RELOCATIONS: [Relocation; {count}] = [\n{rows}];");
        let mut names: Vec<(&String, &usize)> = elsewhere.iter().collect();
        names.sort_by_key(|&(_, number)| number);
        let names: Vec<&String> = names.into_iter().map(|(name, _)| name).collect();
        let _ = writeln!(text, "pub static ELSEWHERE: [&str; {}] = {names:?};", names.len());
        let _ = writeln!(text, "pub static SYMBOLS: [Symbol; {}] = [", symbols.len());
        for (name, (section, offset, size)) in symbols {
            let name = if name == PERSONALITY { "__spasm_personality" } else { name };
            let _ = writeln!(text, "Symbol {{ name: {name:?}, section: {section}, offset: {offset}, size: {size} }},");
        }
        text.push_str("];\n");
        let _ = writeln!(text, "pub static LOCALS: [(&str, u64, u64); {}] = {:?};", self.locals.len(), self.locals);
        Ok(text)
    }
}

/// The name of one of the runtime's own functions as a person wrote it, if that can be told from how it was mangled.
fn readable(mangled: &str) -> Option<String> {
    let mut rest = mangled.strip_prefix("_ZN")?;
    let mut parts = Vec::new();
    while !rest.starts_with('E') {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let len: usize = rest[..digits].parse().ok()?;
        parts.push(rest.get(digits..digits + len)?);
        rest = rest.get(digits + len..)?;
    }
    // The last part is a hash.
    parts.pop()?;
    (parts.first() == Some(&"spasm_rt") && !parts.iter().any(|part| part.contains('$'))).then(|| parts.join("::"))
}

/// Whether other files may name it.
fn own(name: &str) -> bool {
    name.starts_with("spasm_") || name.starts_with("__spasm_") || name == PERSONALITY
}

/// Whether a relocation names an entry of the table of addresses, which only symbols have.
fn indirect(kind: u32) -> bool {
    [elf::R_X86_64_GOTPCREL, elf::R_X86_64_GOTPCRELX, elf::R_X86_64_REX_GOTPCRELX].iter().any(|r| r.0 == kind)
}
