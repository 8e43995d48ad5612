//! What the runtime is told of a module: the descriptor and its tables.
//!
//! Comes in: a module and its image. Goes out: bytes for sections, and the addresses in them that a linker fills in. What
//! must hold: the bytes are those of the structures in [`layout`](super::layout), which the runtime reads.

use std::mem::{offset_of, size_of};

use super::layout::{DIVIDE, Function, HALT, Init, Line, Module as Descriptor, NOTHING, Site, Unwind, VERSION};
use crate::module::{MAX_PAGES, Module};
use crate::stitch::image::{Image, SiteMeaning};

/// Which table of the descriptor an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Code,
    State,
    /// In the tables, at this offset.
    Tables(u64),
    /// In the rows that say what fills the linear memory.
    Inits,
    /// What only linked modules have.
    Links,
}

/// Everything that the runtime reads of a module.
pub struct Described {
    /// The descriptor, with nothing where addresses stand.
    pub descriptor: Vec<u8>,
    /// The addresses in it: where, and to what.
    pub addresses: Vec<(u64, To)>,
    /// The tables without addresses: sites, depths, functions, lines, contents of memory, names.
    pub tables: Vec<u8>,
    /// The rows that say what fills the linear memory.
    pub inits: Vec<u8>,
    /// The addresses in these: where, and the offset in the tables.
    pub contents: Vec<(u64, u64)>,
}

/// The alignment that all of it needs.
pub const ALIGN: u64 = 8;

struct Tables {
    bytes: Vec<u8>,
    descriptor: Vec<u8>,
    addresses: Vec<(u64, To)>,
}

impl Tables {
    fn field(&mut self, at: usize, value: u32) {
        self.descriptor[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Notes that a table starts here, and how many rows it has.
    fn table(&mut self, pointer: usize, count: Option<(usize, usize)>) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN as usize), 0);
        self.addresses.push((pointer as u64, To::Tables(self.bytes.len() as u64)));
        if let Some((at, count)) = count {
            self.field(at, count as u32);
        }
    }

    fn words<const N: usize>(&mut self, words: [u32; N]) {
        self.bytes.extend_from_slice(words.map(u32::to_le_bytes).as_flattened());
    }
}

/// Describes a module, whose code has these lines.
pub fn describe(module: &Module, image: &Image, lines: &[(u32, u32)]) -> Described {
    // The rows of eight bytes, and with room for names.
    let room = 8 * (image.sites.len() + image.unwind.len() + lines.len()) + 32 * image.functions.len();
    let mut tables =
        Tables { bytes: Vec::with_capacity(room), descriptor: vec![0; size_of::<Descriptor>()], addresses: Vec::new() };
    tables.field(offset_of!(Descriptor, version), VERSION);
    tables.field(offset_of!(Descriptor, code_len), image.code.len() as u32);
    tables.addresses.push((offset_of!(Descriptor, code) as u64, To::Code));
    tables.addresses.push((offset_of!(Descriptor, state) as u64, To::State));
    if module.is_linked() {
        tables.addresses.push((offset_of!(Descriptor, links) as u64, To::Links));
    }
    sites(&mut tables, image);
    tables.table(offset_of!(Descriptor, unwind), Some((offset_of!(Descriptor, unwind_count), image.unwind.len())));
    const { assert!(size_of::<Unwind>() == 8 && size_of::<Line>() == 8 && size_of::<Function>() == 12) };
    for row in &image.unwind {
        tables.words([row.offset, row.depth]);
    }
    tables.table(offset_of!(Descriptor, lines), Some((offset_of!(Descriptor, line_count), lines.len())));
    for &(offset, line) in lines {
        tables.words([offset, line]);
    }
    let names = functions(&mut tables, module, image);
    let (inits, contents) = inits(&mut tables, module);
    tables.table(offset_of!(Descriptor, strings), None);
    tables.bytes.extend(names);
    Described { descriptor: tables.descriptor, addresses: tables.addresses, tables: tables.bytes, inits, contents }
}

fn sites(tables: &mut Tables, image: &Image) {
    const { assert!(size_of::<Site>() == 8 && offset_of!(Site, kind) == 4 && offset_of!(Site, bits) == 6) };
    tables.table(offset_of!(Descriptor, sites), Some((offset_of!(Descriptor, site_count), image.sites.len())));
    for site in &image.sites {
        let (kind, register, bits) = match site.meaning {
            SiteMeaning::Trap(kind) => (kind as u8, 0, 0),
            SiteMeaning::Divide { register, bits } => (DIVIDE, register, bits),
            SiteMeaning::Halt => (HALT, 0, 0),
        };
        tables.words([site.offset, u32::from_le_bytes([kind, register, bits, 0])]);
    }
}

/// The functions; gives their names, and that of the file, each with a zero behind it.
fn functions(tables: &mut Tables, module: &Module, image: &Image) -> Vec<u8> {
    let mut names = Vec::new();
    let mut name = |text: &str| {
        let at = names.len() as u32;
        match text.as_bytes() {
            clean if !clean.contains(&0) => names.extend_from_slice(clean),
            other => names.extend(other.iter().filter(|&&byte| byte != 0)),
        }
        names.push(0);
        at
    };
    let count = image.functions.len();
    tables.table(offset_of!(Descriptor, functions), Some((offset_of!(Descriptor, function_count), count)));
    for (function, made) in module.functions.iter().zip(&image.functions) {
        tables.words([made.entry, made.end, name(&function.name)]);
    }
    let file = module.source.as_ref().map_or(NOTHING, |source| name(&source.name));
    tables.field(offset_of!(Descriptor, file), file);
    names
}

/// The linear memory, and what fills it.
fn inits(tables: &mut Tables, module: &Module) -> (Vec<u8>, Vec<(u64, u64)>) {
    let pages = module
        .memory
        .as_ref()
        .map_or((NOTHING, 0), |memory| (memory.min, memory.max.unwrap_or(MAX_PAGES).min(MAX_PAGES)));
    tables.field(offset_of!(Descriptor, min_pages), pages.0);
    tables.field(offset_of!(Descriptor, max_pages), pages.1);
    tables.field(offset_of!(Descriptor, init_count), module.inits.len() as u32);
    let (mut rows, mut contents) = (Vec::new(), Vec::new());
    for init in &module.inits {
        let start = rows.len();
        rows.resize(start + size_of::<Init>(), 0);
        let mut field = |at: usize, value: u32| rows[start + at..start + at + 4].copy_from_slice(&value.to_le_bytes());
        field(offset_of!(Init, len), init.bytes.len() as u32);
        field(offset_of!(Init, offset), init.offset);
        contents.push(((start + offset_of!(Init, bytes)) as u64, tables.bytes.len() as u64));
        tables.bytes.extend(&init.bytes);
    }
    if !rows.is_empty() {
        tables.addresses.push((offset_of!(Descriptor, inits) as u64, To::Inits));
    }
    (rows, contents)
}
