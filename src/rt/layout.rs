//! What an object tells the runtime about its module: the descriptor and its tables.
//!
//! Comes in: nothing. Goes out: the types, for the runtime, and for the writer that fills them in. What must hold: this
//! file is compiled into both; who changes it raises [`VERSION`], so that objects of two kinds are told apart.

/// What descriptors of this layout have as their version.
pub const VERSION: u32 = 2;

/// The descriptor of a module, in memory that is never written after relocation.
#[repr(C)]
pub struct Module {
    /// [`VERSION`].
    pub version: u32,
    /// The length of the code.
    pub code_len: u32,
    /// Where the code starts.
    pub code: *const u8,
    /// What changes.
    pub state: *mut State,
    /// What faults mean, in the order of their offsets.
    pub sites: *const Site,
    /// The depth of the stack, in the order of offsets.
    pub unwind: *const Unwind,
    /// The functions, in the order of their entries.
    pub functions: *const Function,
    /// The source lines, in the order of offsets.
    pub lines: *const Line,
    /// What fills the linear memory.
    pub inits: *const Init,
    /// Names, each with a zero byte behind it.
    pub strings: *const u8,
    /// What only linked modules have; null for others.
    pub links: *const Links,
    pub site_count: u32,
    pub unwind_count: u32,
    pub function_count: u32,
    pub line_count: u32,
    pub init_count: u32,
    /// Where the source file's name stands among the strings; [`NOTHING`] where it is not known.
    pub file: u32,
    /// Pages of linear memory at the start, and at most; [`NOTHING`] and 0 where the module has none.
    pub min_pages: u32,
    pub max_pages: u32,
}

/// No string; no memory.
pub const NOTHING: u32 = u32::MAX;

/// What changes of a module, zero at the start. Stitched code reads the first two fields, and passes the address of the
/// whole to helpers.
#[repr(C, align(16))]
pub struct State {
    /// The address of the linear memory.
    pub memory: usize,
    /// The number of its pages.
    pub pages: u32,
    /// Whether the runtime knows the module.
    pub registered: u32,
    /// The descriptor.
    pub module: *const Module,
    /// The module that was registered before it.
    pub next: *mut State,
}

/// What a fault of an instruction means.
#[repr(C)]
pub struct Site {
    /// Where the instruction starts.
    pub offset: u32,
    /// The number of a trap; [`DIVIDE`] or [`HALT`].
    pub kind: u8,
    /// For divisions, the register that holds the divisor, and its width.
    pub register: u8,
    pub bits: u8,
    pub unused: u8,
}

/// A division: by zero where the register holds zero, else an overflow.
pub const DIVIDE: u8 = 254;
/// The program ends with success, or a helper asked for an end.
pub const HALT: u8 = 255;

/// The depth of the stack from an offset on.
#[repr(C)]
pub struct Unwind {
    pub offset: u32,
    pub depth: u32,
}

/// Where a function stands.
#[repr(C)]
pub struct Function {
    pub entry: u32,
    pub end: u32,
    /// Its name's place among the strings.
    pub name: u32,
}

/// The source line from an offset on; 0 where it is not known.
#[repr(C)]
pub struct Line {
    pub offset: u32,
    pub line: u32,
}

/// Bytes for the linear memory.
#[repr(C)]
pub struct Init {
    pub bytes: *const u8,
    pub len: u32,
    pub offset: u32,
}

/// What only linked modules have.
#[repr(C)]
pub struct Links {
    /// The tables, by their index; those that do not grow are left at zero.
    pub tables: *const GrowingTable,
    /// The functions that references may be to: a reference is one more than the place here. In the order of their numbers.
    pub functions: *const Func,
    pub elements: *const Elements,
    pub segments: *const Segment,
    /// The variables of C that the module has copies of.
    pub copies: *const Copied,
    /// For each of the elements, then for each of the segments, whether they are gone.
    pub gone: *mut u8,
    pub table_count: u32,
    pub function_count: u32,
    pub element_count: u32,
    pub segment_count: u32,
    pub copy_count: u32,
    pub unused: u32,
}

/// A table as stitched code reads it, which knows the first two fields.
#[repr(C)]
pub struct Table {
    /// Where the elements stand: addresses of [`Func`]s or 0, or references themselves.
    pub base: *mut u64,
    /// How many there are.
    pub len: u64,
    /// How many there is room for.
    pub room: u64,
}

/// What a table is like.
#[repr(C)]
pub struct GrowingTable {
    pub table: *mut Table,
    /// Elements at the start, and at most.
    pub min: u32,
    pub max: u32,
    /// 1 where the elements are functions.
    pub functions: u32,
    pub unused: u32,
}

/// A function that may be referred to; stitched code knows the first two fields.
#[repr(C)]
pub struct Func {
    /// What is called.
    pub entry: *const u8,
    /// The number of its signature.
    pub signature: u32,
    /// What a reference to it is.
    pub handle: u32,
    /// Its number in the module.
    pub function: u32,
    pub unused: u32,
}

/// Where elements or bytes go at the start.
#[repr(C)]
pub struct Goal {
    /// Where the offset stands; null where it is known.
    pub offset_at: *const u32,
    pub offset: u32,
    /// [`WAITS`], [`GONE`], or the number of a table; 0 for the memory.
    pub table: u32,
}

/// Nowhere, before the program says so.
pub const WAITS: u32 = u32::MAX;
/// Nowhere ever.
pub const GONE: u32 = u32::MAX - 1;

/// Elements for tables.
#[repr(C)]
pub struct Elements {
    /// As tables hold them.
    pub items: *const u64,
    pub goal: Goal,
    pub len: u32,
    pub unused: u32,
}

/// Bytes for the linear memory.
#[repr(C)]
pub struct Segment {
    pub bytes: *const u8,
    pub goal: Goal,
    pub len: u32,
    pub unused: u32,
}

/// A variable of C that is never written.
#[repr(C)]
pub struct Copied {
    pub from: *const u8,
    pub to: *mut u8,
    pub size: u32,
    pub unused: u32,
}
