//! The reasons for which a program can be stopped.
//!
//! Comes in: nothing. Goes out: their numbers, for machine code, and their names, for templates and people. What must
//! hold: every tier says the same words.

/// Why a call ended without a result.
///
/// The numbers are part of the trap sites that snippets carry, so they fit a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TrapKind {
    /// An integer division or remainder by zero.
    DivideByZero,
    /// `MIN / -1`, or a float-to-integer conversion out of range.
    IntegerOverflow,
    /// A float-to-integer conversion of a NaN.
    InvalidConversion,
    /// Linear memory was reached outside its current size.
    OutOfBoundsMemory,
    /// `arg` with an index outside `1..=r0`.
    OutOfBoundsArgument,
    /// `calli` with an index outside its table.
    UndefinedElement,
    /// `calli` of a function whose signature is not the one named.
    IndirectCallTypeMismatch,
    /// A `trap` instruction was executed.
    Unreachable,
    /// Calls were nested deeper than the stack has room for.
    StackOverflow,
    /// The call was interrupted from outside.
    Interrupted,
    /// A table was reached outside its current size.
    OutOfBoundsTable,
    /// `calli` with the index of a null reference.
    UninitializedElement,
}

impl TrapKind {
    /// Every kind, in the order of its number.
    pub const ALL: [TrapKind; 12] = [
        TrapKind::DivideByZero,
        TrapKind::IntegerOverflow,
        TrapKind::InvalidConversion,
        TrapKind::OutOfBoundsMemory,
        TrapKind::OutOfBoundsArgument,
        TrapKind::UndefinedElement,
        TrapKind::IndirectCallTypeMismatch,
        TrapKind::Unreachable,
        TrapKind::StackOverflow,
        TrapKind::Interrupted,
        TrapKind::OutOfBoundsTable,
        TrapKind::UninitializedElement,
    ];

    /// The text that every tier shows for this trap.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            TrapKind::DivideByZero => "divide by zero",
            TrapKind::IntegerOverflow => "integer overflow",
            TrapKind::InvalidConversion => "invalid conversion",
            TrapKind::OutOfBoundsMemory => "out of bounds memory access",
            TrapKind::OutOfBoundsArgument => "out of bounds argument",
            TrapKind::UndefinedElement => "undefined element",
            TrapKind::IndirectCallTypeMismatch => "indirect call type mismatch",
            TrapKind::Unreachable => "unreachable",
            TrapKind::StackOverflow => "stack overflow",
            TrapKind::Interrupted => "interrupted",
            TrapKind::OutOfBoundsTable => "out of bounds table access",
            TrapKind::UninitializedElement => "uninitialized element",
        }
    }

    /// The kind whose [`message`](Self::message), with `_` for each space, is `name`: how templates write it.
    #[must_use]
    pub fn from_symbol(name: &str) -> Option<TrapKind> {
        TrapKind::ALL
            .into_iter()
            .find(|kind| kind.message().bytes().map(|b| if b == b' ' { b'_' } else { b }).eq(name.bytes()))
    }
}

impl core::fmt::Display for TrapKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}
