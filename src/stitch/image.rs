//! The finished product of stitching: machine code with what remains to be filled in, and the maps that go with it.
//!
//! Comes in: from the stitcher only. Goes out: to `exec`, which maps it, and to whoever wants to look at it. What must
//! hold: positions are offsets from the start of [`Image::code`]; everything inside the image is already patched
//! (jumps, calls between its functions, literals), so only references to the instance remain.

use crate::isa::trap::TrapKind;

/// The machine code of a module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// The code, literal pools and jump tables included.
    pub code: Vec<u8>,
    /// The functions, by their index in the module, which is also their order in the code.
    pub functions: Vec<FunctionImage>,
    /// The holes that only the instance's addresses can fill, in the order of their offsets.
    pub relocations: Vec<Relocation>,
    /// The instructions that fault on purpose or that a program can make fault, in the order of their offsets.
    pub sites: Vec<TrapSite>,
    /// How deep the stack is, from each offset on, in the order of offsets. Every function starts with a row.
    pub unwind: Vec<UnwindRow>,
    /// The entries for C, in the order of their functions and of their places; they stand behind the functions' code.
    pub entries: Vec<EntryImage>,
    /// The entries for functions of other modules, in the order of their functions and of their places, behind the entries
    /// for C: for each function of a linked module that others may come to know.
    pub crossings: Vec<EntryImage>,
}

/// The entry of a function for C callers: it takes its arguments as the C calling convention has them, and calls or jumps
/// to the function's own entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryImage {
    /// The function, by its index in the module.
    pub function: u32,
    /// Where it starts; 16-byte aligned.
    pub start: u32,
    /// Where its code ends.
    pub end: u32,
    /// The registers that it saves, a bit each, in the manner of [`FunctionImage::saved`].
    pub saved: u32,
}

/// Where a function stands in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionImage {
    /// Its entry for callers that use Spasm's own convention; 16-byte aligned.
    pub entry: u32,
    /// Where its code ends, literal pool and jump tables included.
    pub end: u32,
    /// For each of its instructions, by index, where its code starts. Ascending.
    pub insts: Vec<u32>,
    /// The parts that stand out of line, behind the last instruction: where each starts, and its instruction.
    pub cold: Vec<(u32, u32)>,
    /// The registers that it saves, a bit each: pushed in the order of their numbers as the first thing it does. Where
    /// the stack is `depth` bytes deep, the first `depth / 8` of them are saved.
    pub saved: u32,
}

/// A hole that the instance fills: four bytes that take `symbol + addend - address of the hole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Where the hole is.
    pub offset: u32,
    /// What it refers to.
    pub symbol: Symbol,
    /// What is added.
    pub addend: i32,
}

/// Something that an instance has and code refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// The start of the instance's data: what the runtime's helpers get as their first argument.
    Context,
    /// An 8-byte cell that holds the address of a helper.
    Helper(Helper),
    /// The 8-byte cell of a global, by its index.
    Global(u32),
    /// The entries of a table, by its index; [`TABLE_ENTRY`] bytes each.
    Table(u32),
    /// The 4-byte cell that holds the number of pages of the linear memory.
    Pages,
    /// The 8-byte cell that holds the address of the linear memory.
    Memory,
    /// An 8-byte cell that holds the address of an extern, by its index.
    Extern(u32),
    /// The first byte of data, by its index.
    Data(u32),
    /// An 8-byte cell that holds the address of what a store keeps of an imported function, by its index.
    Import(u32),
    /// An 8-byte cell that holds the address of what a store keeps of a growing table, by its index.
    Growing(u32),
    /// A 4-byte cell that holds the number of one of the module's signatures in the process, by its index.
    Signature(u32),
    /// An 8-byte cell that holds the address of the 8-byte cell of a global that modules share, by its index.
    Shared(u32),
    /// An 8-byte cell that holds the address of the 4 bytes with the number of pages of a linked module's memory.
    PagesCell,
}

/// Bytes of a table's entry: the address of the function's entry (8), its signature's number (4), padding (4).
/// The `calli` template depends on this layout.
pub const TABLE_ENTRY: u32 = 16;

/// The runtime's helpers that stitched code calls, with the C calling convention.
///
/// All of them get the address of the context first. Those that can fail return a status in `eax` (`print…`, `mcopy`,
/// `mfill`) or, beside a result in `rax`, in `edx` (`read…`, and those of a linked module): 0 for success. `read…` return
/// floats as raw bits in `rax`. Those of a linked module get three ints, as far as the instruction reads them, and the two
/// numbers that it names: the first in the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Helper {
    /// `(context, i64) -> status`
    PrintI64,
    /// `(context, f32) -> status`
    PrintF32,
    /// `(context, f64) -> status`
    PrintF64,
    /// `(context) -> (i64, status)`
    ReadI64,
    /// `(context) -> (bits, status)`
    ReadF32,
    /// `(context) -> (bits, status)`
    ReadF64,
    /// `(context, pages: u32) -> u64`, an i32 zero-extended
    Mgrow,
    /// `(context, dst: u32, src: u32, n: u32) -> status`
    Mcopy,
    /// `(context, dst: u32, byte: u32, n: u32) -> status`
    Mfill,
    /// `(context, u32, u32, u32, named) -> (u32, status)`, like all that follow.
    Tget,
    /// For `tset`.
    Tset,
    /// For `tsize`.
    Tsize,
    /// For `tgrow`.
    Tgrow,
    /// For `tfill`.
    Tfill,
    /// For `tcopy`.
    Tcopy,
    /// For `tinit`.
    Tinit,
    /// For `edrop`.
    Edrop,
    /// For `minit`.
    Minit,
    /// For `mdrop`.
    Mdrop,
    /// For `ref`.
    Ref,
}

impl Helper {
    /// Every helper, in the order of its number.
    pub const ALL: [Helper; 20] = [
        Helper::PrintI64,
        Helper::PrintF32,
        Helper::PrintF64,
        Helper::ReadI64,
        Helper::ReadF32,
        Helper::ReadF64,
        Helper::Mgrow,
        Helper::Mcopy,
        Helper::Mfill,
        Helper::Tget,
        Helper::Tset,
        Helper::Tsize,
        Helper::Tgrow,
        Helper::Tfill,
        Helper::Tcopy,
        Helper::Tinit,
        Helper::Edrop,
        Helper::Minit,
        Helper::Mdrop,
        Helper::Ref,
    ];

    /// How many of them, from the first on, a module uses that is not a linked one.
    pub const PLAIN: usize = 9;
}

/// An instruction that can fault, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrapSite {
    /// Where the faulting instruction starts.
    pub offset: u32,
    /// What the fault means.
    pub meaning: SiteMeaning,
}

/// What a fault at a [`TrapSite`] means. Faults of memory accesses have no site: their address tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteMeaning {
    /// This trap.
    Trap(TrapKind),
    /// A division: by zero where the general register with this number holds zero in its low `bits` bits, else an
    /// integer overflow.
    Divide {
        /// The register that holds the divisor.
        register: u8,
        /// 32 or 64.
        bits: u8,
    },
    /// The program ends with success, or a helper asked for an end.
    Halt,
}

/// How deep the stack is from an offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnwindRow {
    /// The offset from which this holds.
    pub offset: u32,
    /// Bytes from the stack pointer up to the return address: the return address is at `rsp + depth`.
    pub depth: u32,
}

impl Image {
    /// The function and the instruction whose code spans `offset`.
    #[must_use]
    pub fn locate(&self, offset: u32) -> Option<(usize, usize)> {
        let function = self.functions.partition_point(|f| f.entry <= offset).checked_sub(1)?;
        let image = &self.functions[function];
        let inst = match image.cold.partition_point(|&(at, _)| at <= offset).checked_sub(1) {
            Some(cold) => image.cold[cold].1 as usize,
            None => image.insts.partition_point(|&at| at <= offset).saturating_sub(1),
        };
        (offset < image.end).then_some((function, inst))
    }

    /// The depth of the stack at `offset`.
    #[must_use]
    pub fn depth(&self, offset: u32) -> Option<u32> {
        let row = self.unwind.partition_point(|row| row.offset <= offset).checked_sub(1)?;
        Some(self.unwind[row].depth)
    }

    /// What a fault at `offset` means, if it was foreseen.
    #[must_use]
    pub fn site(&self, offset: u32) -> Option<SiteMeaning> {
        let found = self.sites.binary_search_by_key(&offset, |site| site.offset).ok()?;
        Some(self.sites[found].meaning)
    }
}
