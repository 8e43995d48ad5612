//! Ways to a store: the store itself, or what a function of the host is handed while a program runs.
//!
//! Comes in: stores and callers. Goes out: [`StoreContext`] and [`StoreContextMut`], which everything that asks for a store
//! takes. What must hold: while a program runs, the one way to its store is the caller that the host function was given.

use crate::engine::Engine;

use super::Store;
use super::instance::Instance;
use super::items::Extern;
use super::state::Inner;

/// A store that is looked at.
pub struct StoreContext<'a, T: 'static> {
    pub(super) inner: &'a Inner<T>,
}

/// A store that is worked with.
pub struct StoreContextMut<'a, T: 'static> {
    pub(super) inner: &'a mut Inner<T>,
}

/// What a function of the host is called with: the store, and whose call it is.
pub struct Caller<'a, T: 'static> {
    pub(super) inner: &'a mut Inner<T>,
    pub(super) instance: Option<Instance>,
}

/// What leads to a store.
pub trait AsContext {
    /// The host's data in it.
    type Data: 'static;

    /// The store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What leads to a store and lets it be worked with.
pub trait AsContextMut: AsContext {
    /// The store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The host's data.
    #[must_use]
    pub fn data(&self) -> &'a T {
        &self.inner.data
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// The host's data.
    #[must_use]
    pub fn data(&self) -> &T {
        &self.inner.data
    }

    /// The host's data.
    #[must_use]
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.data
    }
}

impl<T: 'static> Caller<'_, T> {
    /// The host's data.
    #[must_use]
    pub fn data(&self) -> &T {
        &self.inner.data
    }

    /// The host's data.
    #[must_use]
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.data
    }

    /// The engine of the store.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.inner.core.engine()
    }

    /// The instance that imported the function, whichever way the function was reached; none where no instance did, because
    /// it is called from Rust or was put into a table by the host.
    #[must_use]
    pub fn instance(&self) -> Option<Instance> {
        self.instance
    }

    /// What that instance exports under this name.
    #[must_use]
    pub fn get_export(&self, name: &str) -> Option<Extern> {
        self.instance?.export_in(&self.inner.core, name)
    }
}

macro_rules! leads_to_a_store {
    ($($name:ident)*) => { $(
        impl<T: 'static> AsContext for $name<'_, T> {
            type Data = T;
            fn as_context(&self) -> StoreContext<'_, T> {
                StoreContext { inner: self.inner }
            }
        }
    )* };
}
leads_to_a_store!(StoreContext StoreContextMut Caller);

macro_rules! lets_a_store_be_worked_with {
    ($($name:ident)*) => { $(
        impl<T: 'static> AsContextMut for $name<'_, T> {
            fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
                StoreContextMut { inner: self.inner }
            }
        }
    )* };
}
lets_a_store_be_worked_with!(StoreContextMut Caller);

impl<T: 'static> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: &self.inner }
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: &mut self.inner }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(store: &'a C) -> Self {
        store.as_context()
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(store: &'a mut C) -> Self {
        store.as_context_mut()
    }
}

macro_rules! debug {
    ($($name:ident)*) => { $(
        impl<T: 'static + std::fmt::Debug> std::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("data", &self.inner.data).finish_non_exhaustive()
            }
        }
    )* };
}
debug!(StoreContext StoreContextMut Caller);
