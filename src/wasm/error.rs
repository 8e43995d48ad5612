//! What is wrong with a WebAssembly module, for people.
//!
//! Comes in: what `wasmparser` says of bytes, or `wat` of text. Goes out: [`WasmError`]. What must hold: a module that needs a
//! feature which Spasm does not have is told so by the feature's name; whether bytes are malformed or invalid is found out
//! only when something is wrong, so that good modules pay nothing for it.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are no WebAssembly module.
    Malformed,
    /// They are one, and it breaks a rule.
    Invalid,
    /// It may be right, and uses a feature that Spasm does not have.
    Unsupported,
    /// It is right, and larger than Spasm can take.
    TooLarge,
    /// The text is no WebAssembly text.
    Text,
}

/// Why a WebAssembly module cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct WasmError {
    /// The file's name as the user gave it.
    pub file: String,
    /// What kind of fault it is.
    pub fault: Fault,
    /// Where in the file it is, if that is known; not for text.
    pub offset: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// All that a module may use: WebAssembly 2.0 without vectors.
pub(super) const FEATURES: WasmFeatures = WasmFeatures::WASM2.difference(WasmFeatures::SIMD);

/// What the features are called that Spasm does not have, in the order in which they are looked for.
const NAMES: [(WasmFeatures, &str); 20] = [
    (WasmFeatures::SIMD, SIMD),
    (WasmFeatures::RELAXED_SIMD, "relaxed SIMD"),
    (WasmFeatures::THREADS, "threads (shared memories and atomics)"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::TAIL_CALL, "tail calls"),
    (WasmFeatures::MULTI_MEMORY, MEMORIES),
    (WasmFeatures::EXCEPTIONS, "exceptions"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exceptions"),
    (WasmFeatures::MEMORY64, "64-bit memories and tables (memory64)"),
    (WasmFeatures::EXTENDED_CONST, "extended constant expressions"),
    (WasmFeatures::COMPONENT_MODEL, COMPONENTS),
    (WasmFeatures::GC, "garbage collection (GC)"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::MEMORY_CONTROL, "memory control"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic"),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors"),
    (WasmFeatures::COMPACT_IMPORTS, "compact imports"),
    (WasmFeatures::ACQUIRE_RELEASE_ATOMICS, "acquire-release atomics"),
];

const SIMD: &str = "vectors (SIMD)";
const MEMORIES: &str = "several memories";
const COMPONENTS: &str = "components";

impl WasmError {
    fn text(&self) -> String {
        let what = match self.fault {
            Fault::Malformed => "malformed WebAssembly",
            Fault::Invalid => "invalid WebAssembly",
            Fault::Unsupported => "unsupported WebAssembly",
            Fault::TooLarge => "too large",
            Fault::Text => "malformed WebAssembly text",
        };
        let at = self.offset.map_or(String::new(), |offset| format!(" at {offset:#x}"));
        let help = self.help.as_ref().map_or(String::new(), |help| format!("\n  help: {help}"));
        format!("{}: {what}{at}: {}{help}", self.file, self.message)
    }

    /// What `wasmparser` found, when all the module's features are allowed that Spasm has.
    #[cold]
    pub(super) fn found(file: &str, bytes: &[u8], error: &wasmparser::Error) -> WasmError {
        let (offset, message) = (Some(error.offset()), error.message().to_owned());
        let file = file.to_owned();
        if let Some(feature) = missing_feature(bytes, error) {
            let help =
                "Spasm takes WebAssembly 2.0 without vectors: compile the module without this feature".to_owned();
            let message = format!("the module uses {feature}, which Spasm does not have ({message})");
            return WasmError { file, fault: Fault::Unsupported, offset, message, help: Some(help) };
        }
        let malformed = !decodes(bytes);
        let fault = if malformed { Fault::Malformed } else { Fault::Invalid };
        let help = if !bytes.starts_with(b"\0asm") {
            Some("a WebAssembly module begins with the bytes 00 61 73 6d".to_owned())
        } else if malformed {
            Some("the file is damaged, cut off, or not what its name says".to_owned())
        } else {
            Some("whatever made the module made a mistake: it breaks WebAssembly's own rules".to_owned())
        };
        WasmError { file, fault, offset, message, help }
    }

    /// The text of a module is wrong.
    #[cold]
    pub(super) fn in_text(file: &str, mut error: wat::Error) -> WasmError {
        error.set_path(file);
        let message = error.to_string();
        WasmError { file: file.to_owned(), fault: Fault::Text, offset: None, message, help: None }
    }

    /// A function that is right has more of something than there can be.
    #[cold]
    pub(super) fn too_large(file: &str, offset: u64, function: &str, what: &str) -> WasmError {
        WasmError {
            file: file.to_owned(),
            fault: Fault::TooLarge,
            offset: Some(offset),
            message: format!("function {function} {what}"),
            help: Some("split the function".to_owned()),
        }
    }
}

/// The name of a feature without which the module is wrong, and which Spasm does not have.
fn missing_feature(bytes: &[u8], error: &wasmparser::Error) -> Option<&'static str> {
    let name_of = |wanted: WasmFeatures| NAMES.iter().find(|(feature, _)| wanted.intersects(*feature)).map(|n| n.1);
    if let Some(name) = error.missing_wasm_feature().and_then(name_of) {
        return Some(name);
    }
    let version = bytes.get(4..8).filter(|_| bytes.starts_with(b"\0asm"))?;
    if version[2..] == [1, 0] {
        return Some(COMPONENTS);
    }
    let at = usize::try_from(error.offset()).unwrap_or(usize::MAX);
    if error.message().contains("SIMD") && bytes.get(at) == Some(&0xfd) {
        return Some(SIMD);
    }
    // Where there are vectors too, nothing says that the module would be valid with this feature.
    if error.message() == "multiple memories" {
        return Some(MEMORIES);
    }
    let is_valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    if !is_valid(WasmFeatures::all()) {
        return None;
    }
    let needed = |(feature, _): &&(WasmFeatures, _)| !is_valid(WasmFeatures::all().difference(*feature));
    Some(NAMES.iter().find(needed).map_or("a newer version of WebAssembly", |(_, name)| name))
}

/// True where the bytes can be read as a module, whatever it means.
fn decodes(bytes: &[u8]) -> bool {
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    parser.parse_all(bytes).all(|payload| payload.is_ok_and(|payload| payload_decodes(&payload)))
}

fn payload_decodes(payload: &Payload<'_>) -> bool {
    fn all<'a, T: wasmparser::FromReader<'a>>(section: &wasmparser::SectionLimited<'a, T>) -> bool {
        section.clone().into_iter().all(|item| item.is_ok())
    }
    match payload {
        Payload::TypeSection(section) => all(section),
        Payload::ImportSection(section) => all(section),
        Payload::FunctionSection(section) => all(section),
        Payload::TableSection(section) => all(section),
        Payload::MemorySection(section) => all(section),
        Payload::GlobalSection(section) => all(section),
        Payload::ExportSection(section) => all(section),
        Payload::ElementSection(section) => all(section),
        Payload::DataSection(section) => all(section),
        Payload::CodeSectionEntry(body) => body.get_operators_reader().is_ok_and(|mut reader| {
            while !reader.eof() {
                if reader.read().is_err() {
                    return false;
                }
            }
            reader.finish().is_ok()
        }),
        _ => true,
    }
}
