//! Rows of the opcode table as types, for steps that are made of two of them.
//!
//! Comes in: rows. Goes out: for each row that computes, loads or stores a type that does it on raw bits. What must hold:
//! what it does is the expression of the row.

use crate::for_each_op;
use crate::isa::op::{Bits, meaning};
use crate::isa::trap::TrapKind;
use crate::objects::View;

/// A row that computes.
pub(super) trait Value {
    /// Its expression; the second operand is ignored where there is none.
    fn apply(a: u64, b: u64) -> Result<u64, TrapKind>;
}

/// A row that loads.
pub(super) trait Load {
    /// What stands at `u32(i) + offset`.
    fn load(memory: &View<'_>, i: u64, offset: u32) -> Option<u64>;
}

/// A row that stores.
pub(super) trait Store {
    /// Puts it at `u32(i) + offset`.
    fn store(memory: &mut View<'_>, i: u64, offset: u32, bits: u64) -> Option<()>;
}

macro_rules! apply {
    ($row:ident ($a:expr, $b:expr) $first:ident) => {
        meaning::$row($first::of($a))
    };
    ($row:ident ($a:expr, $b:expr) $first:ident $second:ident) => {
        meaning::$row($first::of($a), $second::of($b))
    };
}

macro_rules! define_rows {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        $(
            #[allow(dead_code, reason = "not every row is one of a pair")]
            pub(super) struct $v;

            impl Value for $v {
                #[inline(always)]
                fn apply(a: u64, b: u64) -> Result<u64, TrapKind> {
                    let _ = b;
                    apply!($v (a, b) $($pt)*).map(Bits::bits)
                }
            }
        )*
        $(
            #[allow(dead_code, reason = "not every row is one of a pair")]
            pub(super) struct $l;

            impl Load for $l {
                #[inline(always)]
                fn load(memory: &View<'_>, i: u64, offset: u32) -> Option<u64> {
                    let raw = memory.load::<{ size_of::<$lraw>() }>(i, offset)?;
                    Some(meaning::$l(<$lraw>::of(raw)).bits())
                }
            }
        )*
        $(
            #[allow(dead_code, reason = "not every row is one of a pair")]
            pub(super) struct $s;

            impl Store for $s {
                #[inline(always)]
                fn store(memory: &mut View<'_>, i: u64, offset: u32, bits: u64) -> Option<()> {
                    memory.store::<{ size_of::<$sraw>() }>(i, offset, meaning::$s(<$st>::of(bits)).bits())
                }
            }
        )*
    };
}
for_each_op!(define_rows);
