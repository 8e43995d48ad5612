//! The binary form of a module.
//!
//! Comes in: a [`Module`], or bytes from anywhere. Goes out: the other. What must hold: [`decode`] takes bytes that
//! nobody vouches for; it never panics, needs memory only in proportion to its input, and says what is wrong at which
//! offset. What it lets through may still be refused by the verifier. Everything but the text of the source survives.
//!
//! A file is a header and a body:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the magic number, `89 53 50 41 53 4D 0D 0A` |
//! | 4 | the version of the format, little endian |
//! | 8 | the length of the body, little endian |
//! | 4 | the CRC-32 of the body, little endian |
//! | … | the body: sections in the order of their numbers, each a number, a length and its contents |
//!
//! Numbers are LEB128; fields of instructions go through zigzag first, since registers are negative too. Sections
//! whose contents would be empty are left out. Opcodes are stored by the names of their rows: section 1 lists those
//! that the module uses, and instructions name them by their place in it, so that a file keeps its meaning when the
//! table of opcodes grows.
//!
//! | section | contents |
//! |---|---|
//! | 1 opcodes | names |
//! | 2 signatures | flags (1: variadic), parameter types, result types |
//! | 3 globals | name, type, 8 bytes, line |
//! | 4 memory | least pages, 0 or most pages plus one, line |
//! | 5 contents of memory | offset, bytes, line |
//! | 6 tables | name, functions, line |
//! | 7 functions | name, signature, line, labels (name, instruction plus one or 0), lists, instructions, lines |
//! | 8 source | the name of the file that it was made from |
//! | 9 C signatures | flags (1: variadic, 2: Microsoft's convention), parameter types, result types; a struct has its members behind it |
//! | 10 externs | name, library, symbol, C signature, line |
//! | 11 data | name, flags (1: writable), alignment, bytes, zero bytes that follow, addresses (offset, kind, number), line |
//! | 12 declared opcodes | name, types of the sources, 0 or 1 type of the result, line |
//! | 13 imported functions | module, name, own name, signature, line |
//! | 14 linked globals | number, flags (1: never written, 2: imported, 4: starts with a constant), what of these follows: module and name, constant |
//! | 15 imported memory | module, name |
//! | 16 growing tables | number, flags (2: imported), type, least elements, 0 or most elements plus one, module and name if imported |
//! | 17 elements | name, type, mode, constants, line |
//! | 18 segments | name, mode, bytes, line |
//! | 19 exports | name, kind (0 function, 1 table, 2 memory, 3 global, 4 import), number, line |
//! | 20 start | kind (0 function, 3 import), number |
//!
//! Sections 14 and 16 complete what sections 3 and 6 say of an item with the same number. A constant is a kind and what the
//! kind takes: 0 and the bits as a number; 1 and the number of a global; 2, 0 for a function or 3 for an import, and its number. A mode
//! is 0, or 1 with the number of a table and a constant, or 2 where the elements are only declared.
//!
//! Sections 9 to 11 came with version 2, section 12 with version 4, and sections 13 to 20, the types of references and
//! the instructions on all these with version 7; a file says that it is of the oldest version that has what is in it. There
//! are no versions 3, 5 and 6: damage to one bit makes no version of another.

pub(crate) mod crc;
mod link;
mod read;
mod write;

pub use crc::crc32 as checksum;
pub(crate) use crc::crc32;

use crate::diagnostic::Diagnostic;
use crate::isa::op::Type;
use crate::module::Module;

/// What a file begins with. The first byte is no character, and the last two are damaged by tools that mistake it for
/// text.
const MAGIC: [u8; 8] = *b"\x89SPASM\r\n";
/// The newest version that is written and read.
const VERSION: u32 = 7;
/// Those that there are.
const VERSIONS: [u32; 4] = [1, 2, 4, VERSION];
/// The version that what modules share came with.
const SINCE_LINKED: u32 = 7;
/// Where the parts of the header stand.
const VERSION_AT: usize = 8;
const LENGTH_AT: usize = 12;
const CHECKSUM_AT: usize = 20;
const BODY_AT: usize = 24;

/// The sections, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Section {
    Opcodes = 1,
    Signatures,
    Globals,
    Memory,
    Inits,
    Tables,
    Functions,
    Source,
    CSignatures,
    Externs,
    Data,
    Customs,
    Imports,
    LinkedGlobals,
    ImportedMemory,
    GrowingTables,
    Elements,
    Segments,
    Exports,
    Start,
}

impl Section {
    const ALL: [Section; 20] = [
        Section::Opcodes,
        Section::Signatures,
        Section::Globals,
        Section::Memory,
        Section::Inits,
        Section::Tables,
        Section::Functions,
        Section::Source,
        Section::CSignatures,
        Section::Externs,
        Section::Data,
        Section::Customs,
        Section::Imports,
        Section::LinkedGlobals,
        Section::ImportedMemory,
        Section::GrowingTables,
        Section::Elements,
        Section::Segments,
        Section::Exports,
        Section::Start,
    ];

    /// The version that it came with.
    const fn since(self) -> u32 {
        match self {
            Section::CSignatures | Section::Externs | Section::Data => 2,
            Section::Customs => 4,
            section if section as u8 > Section::Customs as u8 => SINCE_LINKED,
            _ => 1,
        }
    }
}

/// The number that stands for a type; those of references came with version 7.
const fn type_number(ty: Type) -> u8 {
    match ty {
        Type::I32 => 0,
        Type::I64 => 1,
        Type::F32 => 2,
        Type::F64 => 3,
        Type::Funcref => 4,
        Type::Externref => 5,
    }
}

/// The number that stands for a `struct`; the scalars have their place in [`CType::SCALARS`](crate::module::native::CType).
const STRUCT: u8 = 10;
/// Flags of C signatures and of data.
const VARIADIC: u8 = 1;
const WIN64: u8 = 2;
const WRITABLE: u8 = 1;
/// Flags of linked globals and tables.
const IMMUTABLE: u8 = 1;
const IMPORTED: u8 = 2;
const COMPUTED: u8 = 4;

/// Why bytes are not a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at offset {offset:#x})")]
pub struct DecodeError {
    offset: usize,
    message: String,
}

impl DecodeError {
    fn new(offset: usize, message: impl Into<String>) -> DecodeError {
        DecodeError { offset, message: message.into() }
    }

    /// The offset at which it was found.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong there.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error as it is shown for the file called `file`.
    #[must_use]
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        Diagnostic::new(self.to_string()).in_file(file)
    }
}

/// True for bytes that mean to be a module in binary form: they begin with its magic number.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The binary form of a module.
#[must_use]
pub fn encode(module: &Module) -> Vec<u8> {
    let mut out = Vec::new();
    write::module(module, &mut out);
    out
}

/// Adds the binary form of a module to `out`.
#[cfg(feature = "elf")]
pub(crate) fn encode_onto(module: &Module, out: &mut Vec<u8>) {
    write::module(module, out);
}

/// The header of a file, which vouches for the rest of it; all of the file if it is none.
#[cfg(feature = "elf")]
pub(crate) fn header(file: &[u8]) -> &[u8] {
    file.get(..BODY_AT).unwrap_or(file)
}

/// The module that `bytes` are the binary form of.
///
/// # Errors
/// If they are not one, or are damaged, cut short, followed by something else, or of a newer version.
pub fn decode(bytes: &[u8]) -> Result<Module, DecodeError> {
    read::module(body(bytes)?)
}

/// The body of a file, after everything in its header was found to be right.
fn body(bytes: &[u8]) -> Result<read::Reader<'_>, DecodeError> {
    if !is_binary(bytes) {
        return Err(DecodeError::new(0, "this is not a module in binary form"));
    }
    let Some(body) = bytes.get(BODY_AT..) else {
        return Err(DecodeError::new(bytes.len(), "the file is cut short: it ends in its header"));
    };
    let version = u32::from_le_bytes(field(bytes, VERSION_AT));
    if version > VERSION {
        let message = format!("the file has version {version} of the format; this program reads up to {VERSION}");
        return Err(DecodeError::new(VERSION_AT, message));
    }
    if !VERSIONS.contains(&version) {
        return Err(DecodeError::new(VERSION_AT, format!("there is no version {version} of the format")));
    }
    let (length, found) = (u64::from_le_bytes(field(bytes, LENGTH_AT)), body.len() as u64);
    if found < length {
        let message = format!("the file is cut short: {} bytes are missing", length - found);
        return Err(DecodeError::new(bytes.len(), message));
    }
    if found > length {
        let end = bytes.len() - usize::try_from(found - length).unwrap_or(0);
        return Err(DecodeError::new(end, format!("{} bytes follow the end of the module", found - length)));
    }
    if crc32(body) != u32::from_le_bytes(field(bytes, CHECKSUM_AT)) {
        return Err(DecodeError::new(CHECKSUM_AT, "the file is damaged: its checksum does not fit its contents"));
    }
    Ok(read::Reader::new(body, BODY_AT, version))
}

/// The bytes of a header's field.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|n| bytes[at + n])
}
