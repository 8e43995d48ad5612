//! What was assembled before.
//!
//! Comes in: a template file's text, and the snippets that were made of it. Goes out: the same snippets, in a later run.
//! What must hold: an entry is found only by the whole text, the compiler, and the Spasm that made it; one that is
//! damaged, or does not fit the templates, is as good as none; a cache that cannot be written costs time, nothing else.
//!
//! An entry is a file: for each template its length, chunks, scatters, holes, sites and instruction starts, and a
//! CRC-32 over all of that.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::binary::crc32;
use crate::isa::extract::Extracted;
use crate::isa::snippet::{Chunk, Fault, Head, Hole, Patch, Scatter, Site};
use crate::isa::template::Template;
use crate::isa::trap::TrapKind;
use crate::library::Tables;

/// A folder of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

const PATCHES: [Patch; 6] = [Patch::Abs8, Patch::Abs32S, Patch::Abs32, Patch::Abs64, Patch::Rel8, Patch::Rel32];
/// The numbers that faults are written with: traps by their place among all, then the two others.
const HALT: u8 = 0xff;
const DIVIDE: u8 = 0x80;

impl Cache {
    /// A cache in this folder, which is made when something is kept there.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: folder.into() }
    }

    /// The cache of the user: `spasm/snippets` where `XDG_CACHE_HOME` says, or in `.cache` in the home folder (XDG Base
    /// Directory Specification).
    #[must_use]
    pub fn of_user() -> Option<Cache> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
        Some(Cache::at(base.join("spasm").join("snippets")))
    }

    fn entry(&self, compiler: &str, text: &str) -> PathBuf {
        let of = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            // What is solved depends on this program too: another one has another library, or other registers.
            let chunks = Tables::builtin().chunks.iter().map(|chunk| chunk.base);
            (salt, compiler, text, super::ABI, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
            chunks.for_each(|base| base.hash(&mut hasher));
            hasher.finish()
        };
        self.folder.join(format!("{:016x}{:016x}", of(0), of(1)))
    }

    /// The snippets of a file with this text, if they were kept.
    #[must_use]
    pub fn find(&self, compiler: &str, text: &str, templates: &[Template]) -> Option<Vec<Extracted>> {
        let bytes = std::fs::read(self.entry(compiler, text)).ok()?;
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
        if crc32(body).to_le_bytes() != sum {
            return None;
        }
        let mut reader = Reader(body);
        let made = templates.iter().map(|template| reader.snippet(template)).collect::<Option<Vec<Extracted>>>()?;
        reader.0.is_empty().then_some(made)
    }

    /// Keeps the snippets of a file with this text.
    pub fn keep(&self, compiler: &str, text: &str, snippets: &[Extracted]) {
        let mut bytes = Vec::new();
        for snippet in snippets {
            write(&mut bytes, snippet);
        }
        bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
        let _ = replace(&self.entry(compiler, text), &bytes);
    }
}

/// Writes a file that is whole or not there.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension(std::process::id().to_string());
    let written = std::fs::File::create(&beside).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| _ = std::fs::remove_file(&beside))
}

fn write(out: &mut Vec<u8>, snippet: &Extracted) {
    let counts = [snippet.chunks.len(), snippet.holes.len(), snippet.sites.len(), snippet.starts.len()];
    out.push(snippet.len);
    out.extend(counts.map(|count| count as u8));
    for (chunk, scatter) in snippet.chunks.iter().zip(&snippet.scatters) {
        let Head { len, rex, flags, holes, .. } = chunk.head;
        out.extend_from_slice(&chunk.base.to_le_bytes());
        out.extend([len, rex, flags, holes[0], holes[1]]);
        scatter.low.iter().chain(&scatter.high).for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }
    for hole in &snippet.holes {
        let patch = PATCHES.iter().position(|patch| *patch == hole.patch).unwrap_or(0);
        out.extend([hole.operand, hole.offset, patch as u8, hole.addend as u8]);
    }
    for site in &snippet.sites {
        let fault = match site.fault {
            Fault::Trap(kind) => TrapKind::ALL.iter().position(|known| *known == kind).unwrap_or(0) as u8,
            Fault::Divide(operand) => DIVIDE + operand,
            Fault::Halt => HALT,
        };
        out.extend([site.offset, fault]);
    }
    out.extend_from_slice(&snippet.starts);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn list<T>(&mut self, count: u8, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..count).map(|_| one(self)).collect()
    }

    fn snippet(&mut self, template: &Template) -> Option<Extracted> {
        let [len, chunks, holes, sites, starts] = self.bytes()?;
        let parts = self.list(chunks, Self::chunk)?;
        let (chunks, scatters): (Vec<Chunk>, Vec<Scatter>) = parts.into_iter().unzip();
        let holes = self.list(holes, |reader| reader.hole(template, len))?;
        let sites = self.list(sites, |reader| reader.site(template))?;
        let starts = self.list(starts, |reader| reader.bytes().map(|[start]| start))?;
        let whole = chunks.first()?.head.len == len && usize::from(len).div_ceil(8) == chunks.len();
        whole.then(|| Extracted { template: template.clone(), chunks, scatters, len, holes, sites, starts })
    }

    fn chunk(&mut self) -> Option<(Chunk, Scatter)> {
        let base = self.word()?;
        let [len, rex, flags, first, second] = self.bytes()?;
        let head = Head { len, rex, flags, holes: [first, second], ..Head::default() };
        let mut scatter = Scatter::NONE;
        for word in scatter.low.iter_mut().chain(&mut scatter.high) {
            *word = self.word()?;
        }
        Some((Chunk { base, head }, scatter))
    }

    fn hole(&mut self, template: &Template, len: u8) -> Option<Hole> {
        let [operand, offset, patch, addend] = self.bytes()?;
        let patch = *PATCHES.get(usize::from(patch))?;
        let fits = usize::from(offset) + patch.size() <= usize::from(len);
        let known = usize::from(operand) < template.operands.len();
        (fits && known).then_some(Hole { operand, offset, patch, addend: addend as i8 })
    }

    fn site(&mut self, template: &Template) -> Option<Site> {
        let [offset, fault] = self.bytes()?;
        let fault = match fault {
            HALT => Fault::Halt,
            DIVIDE.. => Fault::Divide(fault - DIVIDE),
            trap => Fault::Trap(*TrapKind::ALL.get(usize::from(trap))?),
        };
        let known = !matches!(fault, Fault::Divide(operand) if usize::from(operand) >= template.operands.len());
        known.then_some(Site { offset, fault })
    }
}
