//! Running the assembler, and reading what it wrote.
//!
//! Comes in: the assembly text of all samples. Goes out: the bytes, labels and relocations of the samples. What must
//! hold: a message of the assembler comes back with the file, line and template that a person wrote.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget};

use super::super::samples::Assembly;
use super::super::template::{Template, TemplateError};

fn tool_error(message: String) -> TemplateError {
    TemplateError { file: "the system assembler".to_owned(), line: 0, template: String::new(), message }
}

/// Assembles `source` with the C compiler; the files are `base` with `.s` and `.o`.
pub fn assemble(
    source: &Assembly,
    templates: &[Template],
    compiler: &str,
    base: &Path,
) -> Result<Vec<u8>, Vec<TemplateError>> {
    let (text, object) = (base.with_extension("s"), base.with_extension("o"));
    std::fs::write(&text, &source.text)
        .map_err(|error| vec![tool_error(format!("cannot write {}: {error}", text.display()))])?;
    let mut words = compiler.split_whitespace();
    let output = Command::new(words.next().unwrap_or("cc"))
        .args(words)
        .args(["-c", "-x", "assembler", "-o"])
        .arg(&object)
        .arg(&text)
        .output()
        .map_err(|error| {
            vec![tool_error(format!(
                "cannot run `{compiler}`: {error}; install a C compiler, or name one in the environment variable CC"
            ))]
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let mut errors = refused(&said, &text.display().to_string(), source, templates);
        if errors.is_empty() {
            errors.push(tool_error(format!("`{compiler}` failed:\n{said}")));
        }
        return Err(errors);
    }
    std::fs::read(&object).map_err(|error| vec![tool_error(format!("cannot read {}: {error}", object.display()))])
}

/// The assembler's own messages, each at the line of the template that it is about, and each once: every line of a
/// template is assembled for many registers.
fn refused(said: &str, file: &str, source: &Assembly, templates: &[Template]) -> Vec<TemplateError> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut errors: Vec<TemplateError> = Vec::new();
    for message in said.lines().filter_map(|line| line.strip_prefix(file)?.strip_prefix(':')) {
        // `LINE: Error: …` or `LINE:COLUMN: error: …`
        let Some((number, message)) = message.split_once(':') else { continue };
        let Some((_, message)) = message.split_once("rror: ") else { continue };
        let Some(index) = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) else { continue };
        let Some((template, line)) = source.places.get(index).copied().flatten() else { continue };
        let template = &templates[template];
        let known = errors.iter().any(|error| error.file == template.file && error.line == line);
        if !known {
            let code = lines[index].split_once(": ").map_or(lines[index], |(_, code)| code);
            errors.push(template.error_at(line, format!("the assembler refuses `{code}`: {message}")));
        }
    }
    errors
}

/// A place that the assembler left open.
pub struct Relocation {
    /// From the start of the text.
    pub offset: u64,
    /// What it refers to.
    pub symbol: String,
    /// The ELF number of its type.
    pub kind: u32,
    /// What is added to the symbol's address.
    pub addend: i64,
}

/// The assembled samples: text, labels and relocations.
pub struct Assembled<'a> {
    /// The bytes of all samples.
    pub text: &'a [u8],
    labels: HashMap<&'a str, u64>,
    relocations: Vec<Relocation>,
}

impl<'a> Assembled<'a> {
    /// Reads the object that holds `samples` samples.
    pub fn read(bytes: &'a [u8], samples: usize) -> Result<Assembled<'a>, TemplateError> {
        Assembled::parse(bytes, samples).map_err(tool_error)
    }

    fn parse(bytes: &'a [u8], samples: usize) -> Result<Assembled<'a>, String> {
        let file = object::File::parse(bytes).map_err(|e| format!("wrote an object that cannot be read: {e}"))?;
        let section = file.section_by_name(".text").ok_or("wrote an object without .text")?;
        let text = section.data().map_err(|e| e.to_string())?;
        let mut labels = HashMap::with_capacity(samples * 4);
        for symbol in file.symbols() {
            labels.insert(symbol.name().map_err(|e| e.to_string())?, symbol.address());
        }
        let mut relocations = Vec::new();
        for (offset, relocation) in section.relocations() {
            let symbol = match relocation.target() {
                RelocationTarget::Symbol(index) => file.symbol_by_index(index).and_then(|s| s.name()).unwrap_or("?"),
                _ => "?",
            };
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            relocations.push(Relocation {
                offset,
                symbol: symbol.to_owned(),
                kind: r_type.0,
                addend: relocation.addend(),
            });
        }
        relocations.sort_by_key(|r| r.offset);
        Ok(Assembled { text, labels, relocations })
    }

    /// Where a label stands.
    pub fn label(&self, name: &str) -> Option<u64> {
        self.labels.get(name).copied()
    }

    /// The relocations between two offsets.
    pub fn relocations_in(&self, start: u64, end: u64) -> &[Relocation] {
        let from = self.relocations.partition_point(|r| r.offset < start);
        let to = self.relocations.partition_point(|r| r.offset < end);
        &self.relocations[from..to]
    }
}
