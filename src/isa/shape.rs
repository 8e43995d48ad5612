//! The shapes of instructions.
//!
//! Comes in: nothing. Goes out: [`Shape`]. What must hold: a field that a shape does not name is 0 in verified code.

/// The operands of an instruction: how they are written, and in which field of the instruction they stand.
///
/// `d`, `a`, `b` are the fields of the module's `Inst`; "list" is a run in its function's list pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `d, a` or `d, a, b`: registers in the fields of the same names.
    Value,
    /// `d, LIT`: the 64 bits of the literal in `a` (low) and `b` (high).
    Const,
    /// `d, a`.
    Move,
    /// `d, c, a, b`: `c` in field `a`; field `b` is a list `[a, b]`.
    Select,
    /// `d, i, OFF`: `i` in `a`, the offset in `b`.
    Load,
    /// `s, i, OFF`: the value in `d` (which is read!), `i` in `a`, the offset in `b`.
    Store,
    /// `d, p, OFF`: the native address `p` in `a`, the signed offset in `b`.
    NativeLoad,
    /// `s, p, OFF`: the value in `d` (which is read!), the native address `p` in `a`, the signed offset in `b`.
    NativeStore,
    /// `d`.
    Msize,
    /// `d, n`: `n` in `a`.
    Mgrow,
    /// `dst, src, n`: in `d`, `a`, `b`, all of them read.
    Mcopy,
    /// `dst, byte, n`: in `d`, `a`, `b`, all of them read.
    Mfill,
    /// `[d,] ITEM…, x…`: what [`Op::object`](super::op::Op::object) says; field `b` is a list
    /// `[first item, second item, nresults, d…, nargs, x…]`, an item that there is not being 0. For `ref`, the two are the
    /// fields of a target.
    Object,
    /// `d, NAME`: the global's index in `b`.
    Gget,
    /// `NAME, a`: the global's index in `b`.
    Gset,
    /// `d, i`: `i` in `a`.
    Arg,
    /// `L`: the label in `b`.
    Jump,
    /// `c, L`: `c` in `a`, the label in `b`.
    Branch,
    /// `i, [L0, L1, …], LDEFAULT`: `i` in `a`; field `b` is a list `[n, L0 … Ln-1, LDEFAULT]`.
    Switch,
    /// `(d, …), NAME, x, …`: 0 for a function, 1 for an extern or 3 for an import in `d`, its index in `a`; field `b` is a list
    /// `[nresults, d…, nargs, x…]`.
    Call,
    /// The same after verification, where NAME is an extern: its index in `a`.
    CallExtern,
    /// The same, where NAME is imported.
    CallImport,
    /// `(d, …), TABLE, i, (T, …) -> T, x, …`: `i` in `a`, the table's index in `d`; field `b` is a list
    /// `[signature, nresults, d…, nargs, x…]`.
    Calli,
    /// `(d, …), p, (T, …) -> T, x, …`: the native address `p` in `a`; field `b` is a list
    /// `[C signature, nresults, d…, nargs, x…]`.
    Callp,
    /// `d, NAME`: what NAME is in `a` and `b`, see `Target::fields` of the module.
    Addr,
    /// `a, …`: field `b` is a list `[n, a…]`.
    Ret,
    /// `a`.
    Print,
    /// `d`.
    Read,
    /// Nothing.
    Halt,
    /// Nothing.
    Trap,
    /// `[d,] x, …`: an opcode that a template declares, by its number in the module in `a`; `d` where it has a result;
    /// field `b` is a list `[n, x…]`.
    Custom,
}

impl Shape {
    /// True for instructions that leave the function's code and come back: volatile registers do not survive them.
    #[inline(always)]
    #[must_use]
    pub const fn is_call(self) -> bool {
        matches!(
            self,
            Shape::Call
                | Shape::CallExtern
                | Shape::CallImport
                | Shape::Object
                | Shape::Calli
                | Shape::Callp
                | Shape::Print
                | Shape::Read
                | Shape::Mgrow
                | Shape::Mcopy
                | Shape::Mfill
        )
    }
}
