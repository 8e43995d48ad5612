//! Where the fields stand that templates and Rust code share.
//!
//! Comes in: nothing. Goes out: constants, to Rust by name and to templates under the same names. What must hold: this
//! is the only place where such an offset is written; the struct that has the fields asserts that it agrees.

macro_rules! layout {
    ($($(#[doc = $doc:literal])* $name:ident = $value:expr;)*) => {
        $($(#[doc = $doc])* pub const $name: usize = $value;)*

        /// Every constant with its name, for templates.
        pub const CONSTANTS: &[(&str, usize)] = &[$((stringify!($name), $name)),*];
    };
}

layout! {
    /// The host's stack pointer while stitched code runs. First, and like all that entry uses within a signed byte.
    CONTEXT_HOST_SP = 0;
    /// The stack pointer to enter with: stack arguments already stand there.
    CONTEXT_SPASM_SP = 8;
    /// The address of the function to enter.
    CONTEXT_ENTRY = 16;
    /// The address of the linear memory.
    CONTEXT_MEMORY = 24;
    /// The number of arguments, for variadic functions.
    CONTEXT_COUNT = 32;
    /// Six int arguments.
    CONTEXT_INTS = 40;
    /// Two int results, then two float results.
    CONTEXT_RESULTS = 88;
    /// Eight float arguments.
    CONTEXT_FLOATS = 120;
    /// Bytes of stack that a C function finds free when it is called.
    C_STACK = 65536;
    /// Bytes of stack that a function of the host finds free: as much as Rust code may use that opens files and formats
    /// text. The guard below stacks is longer.
    HOST_STACK = 262_144;
    /// Bytes that the way to a function of the host takes of the stack: what of the context lies from `CONTEXT_INTS` to the
    /// end of the floats, and 8 that align it.
    HOST_FRAME = 152;
}
