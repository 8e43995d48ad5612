//! Objects as a cache: what `spasm run` needs of one, so that it does not have to stitch.
//!
//! Comes in: a module and its image; or the bytes of an object from anywhere. Goes out: the section `.spasm`; or module and
//! image again. What must hold: an object that is damaged, truncated, foreign, of another build of Spasm or for another
//! machine is refused with the reason; what is let through is the image that was written.
//!
//! The section begins with a header: a mark, the build that wrote it, the features that the code needs, and a checksum over
//! `.text` and everything behind the header but the module's contents, which have their own. The module in binary form
//! follows, and the image but for its code, which is `.text` as it stands there: its holes are filled by relocations only.

use goblin::elf::Elf;
use goblin::elf::header::{EM_X86_64, ET_REL};

use crate::binary::{self, crc};
use crate::isa::snippet::Features;
use crate::isa::trap::TrapKind;
use crate::library::Library;
use crate::module::Module;
use crate::stitch::image::{
    EntryImage, FunctionImage, Helper, Image, Relocation, SiteMeaning, Symbol, TrapSite, UnwindRow,
};

/// The section's name.
pub const SECTION: &str = ".spasm";
const MARK: [u8; 8] = *b"SPASMRUN";
/// The mark, the build, the features, the checksum.
const HEADER: usize = 24;

/// The build that this is: objects are code for one build's context and helpers.
#[allow(clippy::unreadable_literal, reason = "written by the build, for the compiler only")]
const BUILD: u64 = include!(concat!(env!("OUT_DIR"), "/build_id.rs"));

/// What an object holds.
#[derive(Debug)]
pub struct Loaded {
    module: Option<Module>,
    /// The image.
    pub(crate) image: Image,
    features: Features,
}

impl Loaded {
    /// Takes the module out, which is not verified.
    pub fn take_module(&mut self) -> Module {
        self.module.take().unwrap_or_default()
    }

    /// The machine code.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// What the code needs of the machine.
    #[must_use]
    pub fn features(&self) -> Features {
        self.features
    }
}

/// Why an object cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is no whole ELF file.
    #[error("it is no whole ELF object: {0}")]
    Elf(String),
    /// It is for another machine.
    #[error("it is for another machine than x86-64 (ELF machine number {0})")]
    Machine(u16),
    /// It has been linked.
    #[error("it is no relocatable object: a program or library that was linked is run by itself")]
    Linked,
    /// Something else wrote it.
    #[error("it was not written by Spasm: it has no section `.spasm`")]
    Foreign,
    /// Another build of Spasm wrote it.
    #[error("another build of Spasm wrote it: build it again")]
    Build,
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// True for what begins like an ELF file.
#[must_use]
pub fn is_object(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

struct Out<'a>(&'a mut Vec<u8>);

impl Out<'_> {
    fn words<const N: usize>(&mut self, words: [u32; N]) {
        for word in words {
            self.0.extend_from_slice(&word.to_le_bytes());
        }
    }
}

/// Adds the contents of the section to the file.
pub fn save(module: &Module, image: &Image, library: &Library, file: &mut Vec<u8>) {
    let first = file.len();
    let mut out = Out(file);
    out.0.extend(MARK);
    out.0.extend(BUILD.to_le_bytes());
    out.words([u32::from(library.features().0), 0, 0]);
    let start = out.0.len();
    binary::encode_onto(module, out.0);
    let end = out.0.len();
    out.0[start - 4..start].copy_from_slice(&((end - start) as u32).to_le_bytes());
    out.words([image.functions.len() as u32]);
    for function in &image.functions {
        let FunctionImage { entry, end, insts, cold, saved } = function;
        out.words([*entry, *end, *saved, insts.len() as u32, cold.len() as u32]);
        for &at in insts {
            out.words([at]);
        }
        for &(at, inst) in cold {
            out.words([at, inst]);
        }
    }
    out.words([image.relocations.len() as u32]);
    for relocation in &image.relocations {
        let (kind, index) = number(relocation.symbol);
        out.words([relocation.offset, kind, index, relocation.addend as u32]);
    }
    out.words([image.sites.len() as u32]);
    for site in &image.sites {
        let meaning = match site.meaning {
            SiteMeaning::Trap(kind) => [0, kind as u8, 0, 0],
            SiteMeaning::Divide { register, bits } => [1, register, bits, 0],
            SiteMeaning::Halt => [2, 0, 0, 0],
        };
        out.words([site.offset, u32::from_le_bytes(meaning)]);
    }
    out.words([image.unwind.len() as u32]);
    image.unwind.iter().for_each(|row| out.words([row.offset, row.depth]));
    for entries in [&image.entries, &image.crossings] {
        out.words([entries.len() as u32]);
        for entry in entries {
            out.words([entry.function, entry.start, entry.end, entry.saved]);
        }
    }
    out.words([image.code.len() as u32]);
    let saved = &mut out.0[first..];
    let sum = checksum(&image.code, saved, end - start);
    saved[HEADER - 4..HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// Over the code and all of the section but the checksum itself, and but the module (of `len` bytes) behind its own header:
/// that has a checksum of it, which is compared when it is decoded.
fn checksum(code: &[u8], section: &[u8], len: usize) -> u32 {
    let (head, rest) = section.split_at((HEADER + 4).min(section.len()));
    let (module, rest) = rest.split_at(len.min(rest.len()));
    crc::crc32_of(&[code, &head[..HEADER - 4], &head[HEADER..], binary::header(module), rest])
}

fn number(symbol: Symbol) -> (u32, u32) {
    match symbol {
        Symbol::Context => (0, 0),
        Symbol::Helper(helper) => (1, helper as u32),
        Symbol::Global(index) => (2, index),
        Symbol::Table(index) => (3, index),
        Symbol::Pages => (4, 0),
        Symbol::Memory => (5, 0),
        Symbol::Extern(index) => (6, index),
        Symbol::Data(index) => (7, index),
        Symbol::Import(index) => (8, index),
        Symbol::Growing(index) => (9, index),
        Symbol::Signature(index) => (10, index),
        Symbol::Shared(index) => (11, index),
        Symbol::PagesCell => (12, 0),
    }
}

fn symbol(kind: u32, index: u32) -> Option<Symbol> {
    Some(match kind {
        0 => Symbol::Context,
        1 => Symbol::Helper(*Helper::ALL.get(index as usize)?),
        2 => Symbol::Global(index),
        3 => Symbol::Table(index),
        4 => Symbol::Pages,
        5 => Symbol::Memory,
        6 => Symbol::Extern(index),
        7 => Symbol::Data(index),
        8 => Symbol::Import(index),
        9 => Symbol::Growing(index),
        10 => Symbol::Signature(index),
        11 => Symbol::Shared(index),
        12 => Symbol::PagesCell,
        _ => return None,
    })
}

/// Reads an object that [`write`](super::write) wrote.
///
/// # Errors
/// See [`LoadError`].
pub fn load(bytes: &[u8]) -> Result<Loaded, LoadError> {
    let elf = Elf::parse(bytes).map_err(|error| LoadError::Elf(error.to_string()))?;
    if elf.header.e_machine != EM_X86_64 {
        return Err(LoadError::Machine(elf.header.e_machine));
    }
    if elf.header.e_type != ET_REL {
        return Err(LoadError::Linked);
    }
    let section = |name: &str| {
        let found = elf.section_headers.iter().find(|one| elf.shdr_strtab.get_at(one.sh_name) == Some(name))?;
        let start = usize::try_from(found.sh_offset).ok()?;
        bytes.get(start..start.checked_add(usize::try_from(found.sh_size).ok()?)?)
    };
    let saved = section(SECTION).ok_or(LoadError::Foreign)?;
    let mark = saved.get(..HEADER).filter(|header| header.starts_with(&MARK)).ok_or(LoadError::Foreign)?;
    if mark[8..16] != BUILD.to_le_bytes() {
        return Err(LoadError::Build);
    }
    let word = |at: usize| u32::from_le_bytes([mark[at], mark[at + 1], mark[at + 2], mark[at + 3]]);
    let code_len = saved.last_chunk().map_or(0, |last| u32::from_le_bytes(*last)) as usize;
    let text = section(".text").and_then(|text| text.get(..code_len)).ok_or(LoadError::Damaged("code is missing"))?;
    let module_len = saved[HEADER..].first_chunk().map_or(0, |len| u32::from_le_bytes(*len)) as usize;
    if checksum(text, saved, module_len) != word(HEADER - 4) {
        return Err(LoadError::Damaged("its checksum is wrong"));
    }
    let mut input = In { rest: &saved[HEADER..] };
    let (module, image) = input.all(text).ok_or(LoadError::Damaged("its section `.spasm` makes no sense"))?;
    let features =
        u16::try_from(word(16)).map_err(|_| LoadError::Damaged("it asks for features that are not known"))?;
    Ok(Loaded { module: Some(module), image, features: Features(features) })
}

/// What is left of the section.
struct In<'a> {
    rest: &'a [u8],
}

impl<'a> In<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn words<const N: usize>(&mut self) -> Option<[u32; N]> {
        let bytes = self.bytes(4 * N)?;
        let mut words = [0; N];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(words)
    }

    /// As many rows as the next word says, which are no more than there are bytes.
    fn rows<T>(&mut self, mut row: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let [count] = self.words()?;
        self.some(count, &mut row)
    }

    fn some<T>(&mut self, count: u32, mut row: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        if count as usize > self.rest.len() {
            return None;
        }
        (0..count).map(|_| row(self)).collect()
    }

    fn all(&mut self, code: &[u8]) -> Option<(Module, Image)> {
        let [len] = self.words()?;
        let module = binary::decode(self.bytes(len as usize)?).ok()?;
        let functions = self.rows(Self::function)?;
        let relocations = self.rows(|input| {
            let [offset, kind, index, addend] = input.words()?;
            Some(Relocation { offset, symbol: symbol(kind, index)?, addend: addend as i32 })
        })?;
        let sites = self.rows(Self::site)?;
        let unwind = self.rows(|input| input.words().map(|[offset, depth]| UnwindRow { offset, depth }))?;
        let (entries, crossings) = (self.rows(Self::entry)?, self.rows(Self::entry)?);
        let image = Image { code: code.to_vec(), functions, relocations, sites, unwind, entries, crossings };
        Some((module, image))
    }

    fn entry(&mut self) -> Option<EntryImage> {
        self.words().map(|[function, start, end, saved]| EntryImage { function, start, end, saved })
    }

    fn function(&mut self) -> Option<FunctionImage> {
        let [entry, end, saved, insts, cold] = self.words()?;
        let insts = self.some(insts, |input| input.words().map(|[at]| at))?;
        let cold = self.some(cold, |input| input.words().map(|[at, inst]| (at, inst)))?;
        Some(FunctionImage { entry, end, insts, cold, saved })
    }

    fn site(&mut self) -> Option<TrapSite> {
        let [offset, meaning] = self.words()?;
        let meaning = match meaning.to_le_bytes() {
            [0, kind, ..] => SiteMeaning::Trap(*TrapKind::ALL.get(usize::from(kind))?),
            [1, register, bits, _] => SiteMeaning::Divide { register, bits },
            [2, ..] => SiteMeaning::Halt,
            _ => return None,
        };
        Some(TrapSite { offset, meaning })
    }
}
