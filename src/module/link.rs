//! What modules share with others: imports, exports, tables that change, and what fills them.
//!
//! Comes in: what text, the binary form, builders and WebAssembly say of it, unchecked. Goes out: the items that make a
//! module a *linked* one, see [`Module::is_linked`](super::Module::is_linked). What must hold: nothing here says how a
//! store keeps what is shared.

use crate::isa::op::Type;

use super::Signature;
use super::native::Target;

/// By which names something is asked of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImportName {
    /// The name of the module, or of whatever a host calls so.
    pub module: String,
    /// The name of the item in it.
    pub name: String,
}

/// A function of another module, or of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedFunction {
    /// The name that the program uses, unique among functions, externs and data.
    pub name: String,
    /// By which names it is found.
    pub from: ImportName,
    /// What it takes and gives; never variadic.
    pub signature: Signature,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// A value that is known when a module is instantiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// The raw bits, as a register of the type holds them. 0 is the null reference.
    Bits(u64),
    /// The value of a global, by its index: an imported one that nobody writes.
    Global(u32),
    /// A reference to a function: a [`Target::Function`] or [`Target::Import`].
    Function(Target),
}

/// What makes a table one that changes and may be shared: all that it has beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growing {
    /// What stands in it: [`Type::Funcref`] or [`Type::Externref`].
    pub ty: Type,
    /// Elements at the start, all of them null.
    pub min: u32,
    /// Elements it may grow to; `None` for as many as there can be.
    pub max: Option<u32>,
    /// By which names it is found, where it is another module's.
    pub import: Option<ImportName>,
}

/// Elements for tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elements {
    /// Its name, unique among elements.
    pub name: String,
    /// What they are: [`Type::Funcref`] or [`Type::Externref`].
    pub ty: Type,
    /// The elements.
    pub items: Vec<Constant>,
    /// When they go to a table.
    pub mode: Mode,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// When elements or bytes go where they belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When the program says so, by `tinit` or `minit`.
    Passive,
    /// When the module is instantiated, to the place at this offset; a trap where there is none. Afterwards they are gone.
    Active {
        /// The table, by its index; 0 for the memory.
        table: u32,
        /// Where.
        offset: Constant,
    },
    /// Never: they say only which functions `ref` may name.
    Declared,
}

/// Bytes for the linear memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its name, unique among segments.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When they go to memory.
    pub mode: Mode,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// What others may use of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The name for others, unique among exports.
    pub name: String,
    /// What it is.
    pub item: Item,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// An item that modules share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A [`Target::Function`] or [`Target::Import`].
    Function(Target),
    /// A table, by its index: a growing one.
    Table(u32),
    /// The linear memory.
    Memory,
    /// A global, by its index.
    Global(u32),
}
