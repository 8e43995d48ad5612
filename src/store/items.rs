//! What instances share beside functions: memories, globals and tables.
//!
//! Comes in: handles, values and bytes. Goes out: the same. What must hold: a handle is used with the store that gave it
//! out; a place that is not there is an error.

use crate::isa::op::Type;
use crate::module;
use crate::objects::{self, LinearMemory};

use super::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::error::Error;
use super::func::Func;
use super::gate;
use super::state::{Core, StoreId};
use super::value::Val;

/// Something that instances share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
}

macro_rules! handles {
    ($($name:ident $list:ident $object:ty;)*) => { $(
        impl From<$name> for Extern {
            fn from(item: $name) -> Extern {
                Extern::$name(item)
            }
        }

        impl $name {
            pub(super) fn add(core: &mut Core, object: std::sync::Arc<$object>) -> $name {
                core.$list.push(object);
                $name { store: core.id(), index: core.$list.len() as u32 - 1 }
            }

            pub(super) fn object(self, core: &Core) -> &std::sync::Arc<$object> {
                core.own(self.store);
                &core.$list[self.index as usize]
            }
        }
    )* };
}
handles! {
    Table tables objects::Table;
    Memory memories LinearMemory;
    Global globals objects::Global;
}

impl From<Func> for Extern {
    fn from(func: Func) -> Extern {
        Extern::Func(func)
    }
}

impl Extern {
    /// The function, if it is one.
    #[must_use]
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The table, if it is one.
    #[must_use]
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The memory, if it is one.
    #[must_use]
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The global, if it is one.
    #[must_use]
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }

    /// What it is, in a word.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Extern::Func(_) => "function",
            Extern::Table(_) => "table",
            Extern::Memory(_) => "memory",
            Extern::Global(_) => "global",
        }
    }
}

/// A linear memory of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    store: StoreId,
    index: u32,
}

impl Memory {
    /// A memory of zeros: as many pages of 64 KiB, that may grow to `max`.
    ///
    /// # Errors
    /// Where the system has no room for it.
    pub fn new(mut store: impl AsContextMut, pages: u32, max: Option<u32>) -> Result<Memory, Error> {
        let memory = LinearMemory::new(&module::Memory::new(pages, max))?;
        Ok(Memory::add(&mut store.as_context_mut().inner.core, memory.into()))
    }

    /// How many pages it has.
    #[must_use]
    pub fn size(&self, store: impl AsContext) -> u32 {
        self.object(&store.as_context().inner.core).pages()
    }

    /// How many pages it may grow to, where that was said.
    #[must_use]
    pub fn max(&self, store: impl AsContext) -> Option<u32> {
        self.object(&store.as_context().inner.core).max()
    }

    /// Grows by `pages` and gives the old size; `None`, and nothing changes, where that is more than it may have or the
    /// system can give.
    pub fn grow(&self, mut store: impl AsContextMut, pages: u32) -> Option<u32> {
        self.object(&store.as_context_mut().inner.core).grow(pages)
    }

    /// Its bytes.
    #[must_use]
    pub fn data<'s, T: 'static>(&self, store: impl Into<StoreContext<'s, T>>) -> &'s [u8] {
        let core = &store.into().inner.core;
        gate::bytes(self.object(core), core)
    }

    /// Its bytes.
    #[must_use]
    pub fn data_mut<'s, T: 'static>(&self, store: impl Into<StoreContextMut<'s, T>>) -> &'s mut [u8] {
        self.data_and_store_mut(store).0
    }

    /// Its bytes, and beside them the host's data in the store.
    #[must_use]
    pub fn data_and_store_mut<'s, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'s, T>>,
    ) -> (&'s mut [u8], &'s mut T) {
        let inner = store.into().inner;
        let memory = self.object(&inner.core).clone();
        gate::bytes_mut(&memory, inner)
    }

    /// Reads bytes at `offset`.
    ///
    /// # Errors
    /// Where some of them are not there.
    pub fn read(&self, store: impl AsContext, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let core = &store.as_context().inner.core;
        let all = gate::bytes(self.object(core), core);
        let from = all.get(offset..).and_then(|rest| rest.get(..bytes.len()));
        bytes
            .copy_from_slice(from.ok_or_else(|| outside("the memory", offset.saturating_add(bytes.len()), all.len()))?);
        Ok(())
    }

    /// Writes bytes at `offset`.
    ///
    /// # Errors
    /// Where some of them have no place; then nothing is changed.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        let all = self.data_mut(store.as_context_mut());
        let len = all.len();
        let to = all.get_mut(offset..).and_then(|rest| rest.get_mut(..bytes.len()));
        to.ok_or_else(|| outside("the memory", offset.saturating_add(bytes.len()), len))?.copy_from_slice(bytes);
        Ok(())
    }
}

fn outside(what: &'static str, at: usize, len: usize) -> Error {
    Error::Outside { what, at: at as u64, len: len as u64 }
}

/// A global of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global {
    store: StoreId,
    index: u32,
}

impl Global {
    /// A global with this value, which can be set if it is `mutable`.
    pub fn new(mut store: impl AsContextMut, value: Val, mutable: bool) -> Global {
        let core = &mut store.as_context_mut().inner.core;
        let global = objects::Global::new(value.ty(), mutable, value.bits(core));
        Global::add(core, global.into())
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self, store: impl AsContext) -> Type {
        self.object(&store.as_context().inner.core).ty()
    }

    /// Whether it can be set.
    #[must_use]
    pub fn is_mutable(&self, store: impl AsContext) -> bool {
        self.object(&store.as_context().inner.core).is_mutable()
    }

    /// Its value.
    #[must_use]
    pub fn get(&self, store: impl AsContext) -> Val {
        let core = &store.as_context().inner.core;
        let global = self.object(core);
        Val::of_bits(global.ty(), global.get(), core)
    }

    /// Sets its value.
    ///
    /// # Errors
    /// Where it has another type, or is a constant.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<(), Error> {
        let core = &store.as_context_mut().inner.core;
        let global = self.object(core);
        if !global.is_mutable() {
            return Err(Error::Constant);
        }
        global.set(value.checked_bits("the global", global.ty(), core)?);
        Ok(())
    }
}

/// A table of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    store: StoreId,
    index: u32,
}

impl Table {
    /// A table of `len` references to the same, that may grow to `max`.
    ///
    /// # Errors
    /// Where there is no room for it, or the value is no reference.
    pub fn new(mut store: impl AsContextMut, len: u32, max: Option<u32>, init: Val) -> Result<Table, Error> {
        let core = &mut store.as_context_mut().inner.core;
        let ty = if init.ty().is_reference() { init.ty() } else { Type::Funcref };
        let element = element(core, ty, init)?;
        let table = objects::Table::new(ty, len, max).ok_or(Error::Table(len))?;
        table.fill(0, element, len).map_err(|_| Error::Table(len))?;
        Ok(Table::add(core, table.into()))
    }

    /// What stands in it.
    #[must_use]
    pub fn ty(&self, store: impl AsContext) -> Type {
        self.object(&store.as_context().inner.core).ty()
    }

    /// How many elements it has.
    #[must_use]
    pub fn size(&self, store: impl AsContext) -> u32 {
        self.object(&store.as_context().inner.core).len()
    }

    /// How many elements it may grow to, where that was said.
    #[must_use]
    pub fn max(&self, store: impl AsContext) -> Option<u32> {
        self.object(&store.as_context().inner.core).max()
    }

    /// The element at `index`, if there is one.
    #[must_use]
    pub fn get(&self, store: impl AsContext, index: u32) -> Option<Val> {
        let core = &store.as_context().inner.core;
        let table = self.object(core);
        let element = table.get(index).ok()?;
        let bits = if table.ty() == Type::Funcref { core.funcs.handle_at(element).into() } else { element };
        Some(Val::of_bits(table.ty(), bits, core))
    }

    /// Sets the element at `index`.
    ///
    /// # Errors
    /// Where there is none, or the value is no such reference.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<(), Error> {
        let core = &store.as_context_mut().inner.core;
        let table = self.object(core);
        let element = element(core, table.ty(), value)?;
        table.set(index, element).map_err(|_| outside("the table", index as usize, table.len() as usize))
    }

    /// Grows by `by` elements and gives the old size; `None`, and nothing changes, where that is too much.
    ///
    /// # Errors
    /// Where the value is no such reference.
    pub fn grow(&self, mut store: impl AsContextMut, by: u32, value: Val) -> Result<Option<u32>, Error> {
        let core = &store.as_context_mut().inner.core;
        let table = self.object(core);
        Ok(table.grow(element(core, table.ty(), value)?, by))
    }
}

/// What a table of this type holds for a value.
fn element(core: &Core, ty: Type, value: Val) -> Result<u64, Error> {
    let handle = value.checked_bits("the element", ty, core)?;
    Ok(if ty == Type::Funcref { core.funcs.element(handle) } else { handle })
}
