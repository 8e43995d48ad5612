//! Instances: modules with their state, and what they export.
//!
//! Comes in: names. Goes out: what is exported under them. What must hold: an instance exports what its module says, in that
//! order.

use std::sync::Arc;

use crate::text::nearest;

use super::context::{AsContext, StoreContext};
use super::error::Error;
use super::func::{Func, TypedFunc};
use super::host::{HostParams, HostResults};
use super::items::{Extern, Global, Memory, Table};
use super::state::{Core, Entity, StoreId};

/// An instance of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    store: StoreId,
    index: u32,
}

/// What an instance exports.
#[derive(Clone, Debug)]
pub struct Export {
    name: Arc<str>,
    item: Extern,
}

impl Export {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    #[must_use]
    pub fn item(&self) -> Extern {
        self.item
    }
}

impl Instance {
    pub(super) fn new(store: StoreId, index: u32) -> Instance {
        Instance { store, index }
    }

    fn entity(self, core: &Core) -> &Entity {
        core.own(self.store);
        &core.instances[self.index as usize]
    }

    pub(super) fn export_in(self, core: &Core, name: &str) -> Option<Extern> {
        let entity = self.entity(core);
        entity.names.get(name).map(|&nth| entity.exports[nth].item)
    }

    /// What is exported, in the order of the module.
    pub fn exports<'s, T: 'static>(
        &self,
        store: impl Into<StoreContext<'s, T>>,
    ) -> impl ExactSizeIterator<Item = &'s Export> {
        self.entity(&store.into().inner.core).exports.iter()
    }

    /// What is exported under this name.
    #[must_use]
    pub fn get_export(&self, store: impl AsContext, name: &str) -> Option<Extern> {
        self.export_in(&store.as_context().inner.core, name)
    }

    /// The function that is exported under this name.
    #[must_use]
    pub fn get_func(&self, store: impl AsContext, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The memory that is exported under this name.
    #[must_use]
    pub fn get_memory(&self, store: impl AsContext, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The global that is exported under this name.
    #[must_use]
    pub fn get_global(&self, store: impl AsContext, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The table that is exported under this name.
    #[must_use]
    pub fn get_table(&self, store: impl AsContext, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The function that is exported under this name, to be called with Rust's own types: see [`Func::typed`].
    ///
    /// # Errors
    /// Where no function is exported under this name, or it has another signature.
    pub fn get_typed_func<P: HostParams, R: HostResults>(
        &self,
        store: impl AsContext,
        name: &str,
    ) -> Result<TypedFunc<P, R>, Error> {
        let core = &store.as_context().inner.core;
        let Some(func) = self.export_in(core, name).and_then(Extern::into_func) else {
            let functions = self.entity(core).exports.iter().filter(|export| export.item.into_func().is_some());
            let near = nearest(name, functions.map(Export::name)).map(ToOwned::to_owned);
            return Err(Error::NoExport { kind: "function", name: name.to_owned(), near });
        };
        func.typed_as(&format!("`{name}`"), core)
    }
}

impl Export {
    pub(super) fn new(name: &str, item: Extern) -> Export {
        Export { name: name.into(), item }
    }

    pub(super) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}
