//! The form in which a library stands in the binary: small, and without addresses.
//!
//! Comes in: the [`Tables`] of the build. Goes out: [`Stored`], which the build writes down, and the types of its
//! entries, which the running program reads contracts from. What must hold: no entry holds an address, so that the
//! system has nothing to relocate when it loads the program, and pages that nobody reads are never loaded; what
//! is the same in many snippets is stored once.

use super::snippet::{Chunk, FORMS, Head, Hole, Kind, MAX_REGS, Role, Site, Spread};
use super::table::{Alternative, Custom, Fusion, Tables};
use super::template::{Declared, Template};

/// How many spreads every library has room for: a power of two, so that the copying loop needs not look where they end.
pub const SPREADS: usize = 128;

/// A part of a pool: where it starts, and how many entries it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span(u16);

impl Span {
    const STARTS: usize = 1 << 12;
    const LENS: usize = 1 << 4;

    /// A part of a pool; none where it would be too long or too far behind.
    #[must_use]
    pub const fn new(start: usize, len: usize) -> Option<Span> {
        if start < Span::STARTS && len < Span::LENS { Some(Span((start * Span::LENS + len) as u16)) } else { None }
    }

    /// The span that these bits stand for.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Span {
        Span(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// That part.
    #[inline]
    #[must_use]
    pub fn of<T>(self, pool: &[T]) -> &[T] {
        let start = usize::from(self.0) / Span::LENS;
        pool.get(start..start + usize::from(self.0) % Span::LENS).unwrap_or(&[])
    }
}

/// An operand; its name is a number in the list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredOperand {
    /// Its name.
    pub name: u16,
    /// The registers that may stand there.
    pub allowed: u16,
    /// What the snippet does with it.
    pub role: Role,
    /// What stands in its place.
    pub kind: Kind,
}

/// A contract. The fields are those of [`Info`](super::snippet::Info), with numbers for words and spans for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name, a number in the list of words.
    pub name: u16,
    /// The file, a number in the list of words.
    pub file: u16,
    /// The line.
    pub line: u16,
    /// The first chunk.
    pub chunk: u16,
    /// The first chunk of the part out of line.
    pub cold: u16,
    /// In the pool of operands' numbers.
    pub operands: Span,
    /// In the pool of holes.
    pub holes: Span,
    /// In the pool of sites.
    pub sites: Span,
    /// Which registers may stand in the operands called `a` and `b`, if those are registers.
    pub sources: [u16; 2],
    /// General registers that it changes.
    pub clobbers: u16,
    /// Vector registers that it changes.
    pub xmm_clobbers: u16,
    /// Whether it changes the flags.
    pub clobbers_flags: bool,
    /// The fusion that it is one of, from 1 in the list of fusions; 0 for none.
    pub fusion: u8,
    /// What the machine must have.
    pub needs: u16,
}

/// Everything that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The chunks of all snippets. The first belongs to none.
    pub chunks: Vec<Chunk>,
    /// What the chunks refer to, [`SPREADS`] of them.
    pub spreads: Vec<Spread>,
    /// For each chunk, the contract of its snippet.
    pub owners: Vec<u16>,
    /// The contracts in the order of their chunks.
    pub records: Vec<Record>,
    /// The operands that there are.
    pub operands: Vec<StoredOperand>,
    /// Lists of operands, by their numbers.
    pub operand_lists: Vec<u8>,
    /// Lists of holes.
    pub holes: Vec<Hole>,
    /// Lists of sites.
    pub sites: Vec<Site>,
    /// Names and files.
    pub words: Vec<String>,
    /// The entries of the form table that are not empty: the place and the chunk.
    pub forms: Vec<[u16; 2]>,
    /// How many keys the form table has.
    pub keys: usize,
    /// What takes the place of entries on better machines.
    pub alternatives: Vec<Alternative>,
    /// The fusions, as they came.
    pub fusions: Vec<Fusion>,
    /// The declared opcodes; the built-in library has none.
    pub customs: Vec<Custom>,
}

/// A number that does not fit its place.
type TooMany = String;

/// Puts tables into the form that is stored.
///
/// # Errors
/// Where there is more of something than the form has room for.
pub fn store(tables: &Tables) -> Result<Stored, TooMany> {
    let (chunks, owners) = (vec![Chunk::default()], vec![0]);
    store_over(tables, Stored { spreads: vec![Spread::NONE], chunks, owners, ..Stored::default() })
}

/// Adds the snippets of `tables`, which were [laid over](super::table::build_over) those of `base`.
///
/// # Errors
/// As [`store`].
pub fn store_over(tables: &Tables, base: Stored) -> Result<Stored, TooMany> {
    let mut stored = Stored { keys: tables.forms.len() / FORMS, fusions: tables.fusions.clone(), ..base };
    // What fills the list up is no spread of anything.
    let used = stored.spreads.iter().rposition(|spread| *spread != Spread::NONE).map_or(1, |last| last + 1);
    stored.spreads.truncate(used);
    for (number, (chunk, snippet)) in tables.snippets.iter().enumerate() {
        let owner = stored.records.len() as u16;
        for (part, scatter) in snippet.chunks.iter().zip(&snippet.scatters) {
            let mut spreads = [0; MAX_REGS];
            for (operand, number) in spreads.iter_mut().enumerate() {
                let spread = scatter.spread(operand);
                *number = number_in(&mut stored.spreads, spread, SPREADS - 1, "places of register holes")? as u8;
            }
            stored.chunks.push(Chunk { head: Head { spreads, ..part.head }, ..*part });
            stored.owners.push(owner);
        }
        let template = &snippet.template;
        let operands = template.operands.iter().map(|o| stored.operand(o)).collect::<Result<Vec<u8>, TooMany>>()?;
        let [name, file] = [stored.word(&template.name)?, stored.word(&template.file)?];
        stored.records.push(Record {
            name,
            file,
            line: u16::try_from(template.line).map_err(|_| too_many("lines in a file"))?,
            chunk: *chunk,
            cold: tables.cold[number],
            operands: list_in(&mut stored.operand_lists, &operands, "lists of operands")?,
            holes: list_in(&mut stored.holes, &snippet.holes, "lists of value holes")?,
            sites: list_in(&mut stored.sites, &snippet.sites, "lists of trap sites")?,
            sources: ["a", "b"].map(|name| {
                let operand = template.operands.iter().find(|o| o.kind.is_register() && o.name == name);
                operand.map_or(u16::MAX, |operand| operand.allowed)
            }),
            clobbers: template.clobbers,
            xmm_clobbers: template.xmm_clobbers,
            clobbers_flags: template.clobbers_flags,
            fusion: stored.fusion(template)?,
            needs: template.needs,
        });
    }
    stored.spreads.resize(SPREADS, Spread::NONE);
    let forms = tables.forms.iter().enumerate().filter(|(_, chunk)| **chunk != 0);
    stored.forms = forms.map(|(entry, &chunk)| [entry as u16, chunk]).collect();
    stored.alternatives.clone_from(&tables.alternatives);
    stored.customs.clone_from(&tables.customs);
    Ok(stored)
}

impl Stored {
    fn word(&mut self, word: &str) -> Result<u16, TooMany> {
        Ok(number_in(&mut self.words, word.to_owned(), u16::MAX.into(), "names")? as u16)
    }

    fn fusion(&self, template: &Template) -> Result<u8, TooMany> {
        let fusion = Fusion::of(template).ok().flatten();
        let same = |fusion: Fusion| self.fusions.iter().position(|known| known.stands_for_same(&fusion));
        fusion.and_then(same).map_or(Ok(0), |nth| u8::try_from(nth + 1).map_err(|_| too_many("fusions")))
    }

    fn operand(&mut self, declared: &Declared) -> Result<u8, TooMany> {
        let name = self.word(&declared.name)?;
        let operand = StoredOperand { name, allowed: declared.allowed, role: declared.role, kind: declared.kind };
        Ok(number_in(&mut self.operands, operand, u8::MAX.into(), "different operands")? as u8)
    }
}

fn too_many(what: &str) -> TooMany {
    format!("there are more {what} than the stored form of the library has room for: see src/isa/stored.rs")
}

/// The number of `value` in the pool, where it is put if it is new.
fn number_in<T: PartialEq>(pool: &mut Vec<T>, value: T, most: usize, what: &str) -> Result<usize, TooMany> {
    let found = pool.iter().position(|known| *known == value);
    let number = found.unwrap_or_else(|| {
        pool.push(value);
        pool.len() - 1
    });
    if number > most { Err(too_many(what)) } else { Ok(number) }
}

/// Where `list` stands in the pool; it is put there if it stands nowhere yet.
fn list_in<T: PartialEq + Clone>(pool: &mut Vec<T>, list: &[T], what: &str) -> Result<Span, TooMany> {
    let found = if list.is_empty() { Some(0) } else { pool.windows(list.len()).position(|known| known == list) };
    let start = found.unwrap_or_else(|| {
        pool.extend_from_slice(list);
        pool.len() - list.len()
    });
    Span::new(start, list.len()).ok_or_else(|| too_many(what))
}
