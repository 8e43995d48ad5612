//! What an object tells the runtime about its module: the descriptor and its tables.
//!
//! Comes in: nothing. Goes out: the types, for the runtime, and for the writer that fills them in. What must hold: this
//! file is compiled into both; who changes it raises [`VERSION`], so that objects of two kinds are told apart.

/// What descriptors of this layout have as their version.
pub const VERSION: u32 = 1;

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
