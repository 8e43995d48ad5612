//! The data of the snippet library: what extraction makes of the templates, and what the stitcher copies.
//!
//! Comes in: nothing. Goes out: [`Chunk`] and [`Spread`] (the hot data: eight bytes of code, and what registers add to
//! them), [`Info`] (the contract, for everyone but the copying loop) and the way both are looked up. What must hold:
//! chunks and spreads are plain data without addresses, which the build writes into the binary as they are used.
//!
//! # Register holes
//!
//! In an x86-64 instruction a register number is split: its low three bits stand in a field of some byte, its fourth
//! in a prefix. Wherever a template names an operand, the same three bits appear, so the places where they go can be
//! summed into one multiplier: `(reg & 7) * low` puts the bits into all their fields at once, `(reg >> 3) * high` the
//! fourth bit. Fields never overlap, so nothing carries, and the code for any register assignment is
//!
//! ```text
//! base ^ Σ (reg_i & 7) * low_i ^ Σ (reg_i >> 3) * high_i
//! ```
//!
//! for eight bytes at a time, with neither a table of encodings nor a bit-deposit instruction. There are sixteen
//! registers and less than a hundred different pairs of multipliers, so the library holds the terms of the sum worked
//! out: a [`Spread`] for each pair.

use super::fusion::Fusion;
use super::trap::TrapKind;

/// How many register operands a snippet can have.
pub const MAX_REGS: usize = 3;

/// Eight bytes of a snippet. A snippet is one or more consecutive chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Chunk {
    /// The bytes, little endian, with register 0 in every register hole.
    pub base: u64,
    /// What the copying loop must know; in chunks behind a snippet's first one, only [`Head::spreads`] counts.
    pub head: Head,
}

/// Where the numbers of registers go in eight bytes, as extraction finds it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scatter {
    /// For each register operand, where the low three bits of the register's number go.
    pub low: [u64; MAX_REGS],
    /// For each register operand, where the fourth bit goes.
    pub high: [u64; MAX_REGS],
}

impl Scatter {
    /// No register goes anywhere.
    pub const NONE: Scatter = Scatter { low: [0; MAX_REGS], high: [0; MAX_REGS] };
}

/// What each register adds to eight bytes in the place of one of their operands. Many chunks have the same places for
/// one of theirs, so a library keeps each spread once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Spread(pub [u64; 16]);

impl Spread {
    /// No register adds anything.
    pub const NONE: Spread = Spread([0; 16]);

    /// The bits that the operand decides.
    #[must_use]
    pub const fn mask(&self) -> u64 {
        // In no field is a bit of register 15's number zero.
        self.0[15]
    }
}

/// What the copying loop must know of a snippet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Head {
    /// Which spreads are those of the chunk's register operands.
    pub spreads: [u8; MAX_REGS],
    /// The snippet's length in bytes.
    pub len: u8,
    /// Where the byte stands that is a `REX` prefix and may be left out when it comes out as 0x40; [`Head::NO_REX`] for
    /// none.
    pub rex: u8,
    /// Bits: see the constants.
    pub flags: u8,
    /// Where its first value holes start, in the order of their offsets; [`Head::NO_HOLE`] for none. Bit 7 is set
    /// for holes of one byte. Holes that cannot be told this way stand in [`Info::holes`] only.
    pub holes: [u8; 2],
}

impl Head {
    /// There is no prefix that may be left out.
    pub const NO_REX: u8 = 0xff;
    /// There is no such hole.
    pub const NO_HOLE: u8 = 0x7f;
    /// Set in [`Head::holes`] for holes of one byte.
    pub const BYTE_HOLE: u8 = 0x80;
    /// The next snippet in the table is the same, but for one byte in the place of its first value hole.
    pub const NARROW_FIRST: u8 = 1;
    /// The next snippet in the table is the same, but for one byte in the place of its second value hole.
    pub const NARROW_SECOND: u8 = 64;
    /// The next snippet in the table is the same, but for a jump distance of one byte.
    pub const NARROW_JUMP: u8 = 32;
    /// It has trap sites.
    pub const HAS_SITES: u8 = 2;
    /// It has a part that stands out of line: a hole called `cold`.
    pub const HAS_COLD: u8 = 4;
    /// Its register contract excludes some registers that are otherwise allocatable.
    pub const PICKY: u8 = 8;
    /// It writes its result before it has read all inputs.
    pub const EARLY: u8 = 16;
    /// It has one chunk, one value hole of one or four bytes at most, no trap sites and no out-of-line part: copying it
    /// and writing a value is all there is to do.
    pub const PLAIN: u8 = 128;

    /// True for plain snippets without a value hole.
    #[inline(always)]
    #[must_use]
    pub const fn is_bare(self) -> bool {
        self.flags & Head::PLAIN != 0 && self.holes[0] == Head::NO_HOLE
    }

    /// How many chunks the snippet has.
    #[inline(always)]
    #[must_use]
    pub const fn chunks(self) -> u16 {
        (self.len as u16).div_ceil(8)
    }
}

/// How a value is written into a value hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Patch {
    /// One byte, sign-extended by the instruction.
    Abs8,
    /// Four bytes, sign-extended by the instruction.
    Abs32S,
    /// Four bytes, zero-extended by the instruction.
    Abs32,
    /// Eight bytes.
    Abs64,
    /// One byte, relative to the end of the hole.
    Rel8,
    /// Four bytes, relative to an address near the hole (the addend says which).
    Rel32,
}

impl Patch {
    /// Bytes in the hole.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Patch::Abs8 | Patch::Rel8 => 1,
            Patch::Abs32 | Patch::Abs32S | Patch::Rel32 => 4,
            Patch::Abs64 => 8,
        }
    }
}

/// What stands in an operand's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A general register.
    Gp,
    /// A vector register.
    Xmm,
    /// A constant of one byte, sign-extended.
    Imm8,
    /// A constant of four bytes, sign-extended to 64 bits.
    Imm32,
    /// A constant of four bytes, zero-extended to 64 bits.
    Uimm32,
    /// A constant of eight bytes.
    Imm64,
    /// The distance of a frame slot from the frame register, one byte.
    Slot8,
    /// The distance of a frame slot from the frame register, four bytes.
    Slot32,
    /// A constant distance from an address in linear memory, one byte.
    Off8,
    /// A constant distance from an address in linear memory, four bytes.
    Off32,
    /// A constant in the literal pool, by its distance from the instruction.
    Lit,
    /// A place in the code near by, by its distance in one byte.
    Rel8,
    /// A place in the code, by its distance in four bytes.
    Rel32,
    /// A datum of the instance (a global, a table, a cell of the runtime), by its distance from the instruction.
    Data,
}

impl Kind {
    /// Every kind, for messages.
    pub const ALL: [(&'static str, Kind); 14] = [
        ("gp", Kind::Gp),
        ("xmm", Kind::Xmm),
        ("imm8", Kind::Imm8),
        ("imm32", Kind::Imm32),
        ("uimm32", Kind::Uimm32),
        ("imm64", Kind::Imm64),
        ("slot8", Kind::Slot8),
        ("slot32", Kind::Slot32),
        ("off8", Kind::Off8),
        ("off32", Kind::Off32),
        ("lit", Kind::Lit),
        ("rel8", Kind::Rel8),
        ("rel32", Kind::Rel32),
        ("data", Kind::Data),
    ];

    /// The word that templates use.
    #[must_use]
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// True for the kinds that are register holes.
    #[must_use]
    pub const fn is_register(self) -> bool {
        matches!(self, Kind::Gp | Kind::Xmm)
    }

    /// The kind that a template may have beside this one for values that fit a signed byte.
    #[must_use]
    pub const fn narrow(self) -> Option<Kind> {
        match self {
            Kind::Imm32 => Some(Kind::Imm8),
            Kind::Slot32 => Some(Kind::Slot8),
            Kind::Off32 => Some(Kind::Off8),
            Kind::Rel32 => Some(Kind::Rel8),
            _ => None,
        }
    }
}

/// What a snippet does with an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Reads it.
    In,
    /// Writes it after every input has been read.
    Out,
    /// Writes it while inputs may still be read: it must share its register with none of them.
    Early,
    /// Reads it and writes the result over it.
    InOut,
    /// Jumps there, or refers to it.
    Target,
}

/// One operand of a snippet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The name that the template gives it.
    pub name: &'static str,
    /// What the snippet does with it.
    pub role: Role,
    /// What stands in its place.
    pub kind: Kind,
    /// For registers: bit `n` is set where register `n` may stand here.
    pub allowed: u16,
}

/// A value hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The operand, by its number in [`Info::operands`].
    pub operand: u8,
    /// Where it starts in the snippet.
    pub offset: u8,
    /// How the value is written.
    pub patch: Patch,
    /// What is added to the value; for [`Patch::Rel32`] it is -4 where the hole ends its instruction.
    pub addend: i8,
}

/// An instruction that may fault, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Where the instruction starts in the snippet.
    pub offset: u8,
    /// What a fault there means.
    pub fault: Fault,
}

/// The meaning of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A trap of this kind.
    Trap(TrapKind),
    /// A division: by zero if the register operand with this number holds zero, else an overflow.
    Divide(u8),
    /// The program ends with success.
    Halt,
}

/// Everything about a snippet that the copying loop does not need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The name that the template declares: an opcode, two joined by `+`, a piece of glue or of the frame.
    pub name: &'static str,
    /// The file that the template stands in, from the folder of templates.
    pub file: &'static str,
    /// The line of its declaration.
    pub line: u32,
    /// The first of its chunks.
    pub chunk: u16,
    /// The first chunk of its out-of-line part; 0 for none.
    pub cold: u16,
    /// Its operands in the order of their declaration.
    pub operands: &'static [Operand],
    /// Its value holes in the order of their offsets.
    pub holes: &'static [Hole],
    /// Instructions that may fault.
    pub sites: &'static [Site],
    /// General registers that it changes beside its outputs, a bit each.
    pub clobbers: u16,
    /// Vector registers that it changes beside its outputs, a bit each.
    pub xmm_clobbers: u16,
    /// Whether it changes the arithmetic flags.
    pub clobbers_flags: bool,
    /// What the machine must have beyond plain x86-64, bits of [`Features`].
    pub needs: u16,
    /// What it stands for, where that is not one opcode on any operands.
    pub fusion: Option<&'static Fusion>,
}

/// What a machine has beyond plain x86-64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(pub u16);

impl Features {
    /// The names, with the bit of each.
    pub const ALL: [(&'static str, u16); 15] = [
        ("bmi1", 1),
        ("bmi2", 1 << 1),
        ("lzcnt", 1 << 2),
        ("popcnt", 1 << 3),
        ("sse4.1", 1 << 4),
        ("avx", 1 << 5),
        ("ssse3", 1 << 6),
        ("sse4.2", 1 << 7),
        ("aes", 1 << 8),
        ("pclmul", 1 << 9),
        ("fma", 1 << 10),
        ("avx2", 1 << 11),
        ("adx", 1 << 12),
        ("sha", 1 << 13),
        ("movbe", 1 << 14),
    ];

    /// True where the machine has all of `needs`.
    #[must_use]
    pub const fn has(self, needs: u16) -> bool {
        self.0 & needs == needs
    }
}

/// The form of an operand as the stitcher asks for it when it looks a snippet up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// In a register, or not there at all.
    Reg = 0,
    /// The second and third operand: in the register that the result goes to.
    Tied = 1,
    /// In a frame slot.
    Slot = 2,
    /// A constant in the instruction or in the literal pool.
    Const = 3,
}

/// Forms of a result that there are: in a register (or none), in a slot, and both read and written in a slot.
pub const FORMS: usize = 32;

/// The place of a combination of forms in an opcode's part of the form table: whether the result goes to a slot, and
/// the forms of the first and second source.
#[inline]
#[must_use]
pub const fn form_index(result_in_slot: bool, a: Form, b: Form) -> usize {
    (result_in_slot as usize) * 16 + (a as usize) * 4 + b as usize
}

/// Writes a snippet of these chunks, each with its scatter, for the given registers; unused register operands must be 0.
///
/// # Panics
/// If there is no chunk.
#[must_use]
pub fn instantiate(chunks: &[Chunk], scatters: &[Scatter], regs: [u8; MAX_REGS]) -> Vec<u8> {
    let words = chunks.iter().zip(scatters).map(|(chunk, scatter)| scatter.fill(chunk.base, regs));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(usize::from(chunks[0].head.len));
    bytes
}

impl Scatter {
    /// The eight bytes `base` with these registers in them.
    #[must_use]
    pub fn fill(&self, base: u64, regs: [u8; MAX_REGS]) -> u64 {
        (0..MAX_REGS).fold(base, |word, operand| word ^ self.term(operand, regs[operand]))
    }

    /// What every register adds in the place of one of the operands.
    #[must_use]
    pub fn spread(&self, operand: usize) -> Spread {
        Spread(std::array::from_fn(|register| self.term(operand, register as u8)))
    }

    fn term(&self, operand: usize, register: u8) -> u64 {
        let register = u64::from(register);
        (register & 7).wrapping_mul(self.low[operand]) ^ (register >> 3).wrapping_mul(self.high[operand])
    }
}
