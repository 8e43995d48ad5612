//! Linkers: what modules find under which names.
//!
//! Comes in: functions of the host, items of stores, instances. Goes out: instances of modules that import these. What must
//! hold: a name stands for one thing; functions of the host are of no store, so that one linker serves many.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::Compiled;
use crate::module::Signature;
use crate::module::link::ImportName;
use crate::verified::Verified;

use super::context::{AsContextMut, Caller, StoreContext};
use super::error::{BoxedError, Error};
use super::host::{HostFunc, IntoHost};
use super::instance::Instance;
use super::instantiate::instantiate;
use super::items::Extern;
use super::value::Val;

/// What modules are linked with, by two names: that of a module or of whatever the host calls so, and that of an item in it.
pub struct Linker<T: 'static> {
    definitions: HashMap<ImportName, Definition<T>>,
    shadowing: bool,
}

/// What stands under a name.
pub(super) enum Definition<T: 'static> {
    /// An item of a store.
    Item(Extern),
    /// A function of the host, which becomes one of the store where it is used.
    Host(Arc<HostFunc<T>>),
}

impl<T: 'static> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Item(item) => Definition::Item(*item),
            Definition::Host(function) => Definition::Host(Arc::clone(function)),
        }
    }
}

impl<T: 'static> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker { definitions: self.definitions.clone(), shadowing: self.shadowing }
    }
}

impl<T: 'static> Default for Linker<T> {
    fn default() -> Self {
        Linker { definitions: HashMap::new(), shadowing: false }
    }
}

impl<T: 'static> std::fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.definitions.keys()).finish()
    }
}

impl<T: 'static> Linker<T> {
    /// Nothing is defined.
    #[must_use]
    pub fn new() -> Linker<T> {
        Linker::default()
    }

    /// Whether a later definition may take the place of an earlier one; otherwise that is an error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Linker<T> {
        self.shadowing = allow;
        self
    }

    /// Defines a function of the host, with Rust's own types.
    ///
    /// A panic in it ends the call of the program that it came from, and goes on in whoever made that call.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn func_wrap<Marker>(
        &mut self,
        module: &str,
        name: &str,
        function: impl IntoHost<T, Marker>,
    ) -> Result<&mut Linker<T>, Error> {
        self.insert(module, name, Definition::Host(Arc::new(function.into_host())))
    }

    /// Defines a function of the host, with dynamic values: it is given the arguments, and puts the results where they belong.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn func_new<E: Into<BoxedError>>(
        &mut self,
        module: &str,
        name: &str,
        signature: Signature,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<&mut Linker<T>, Error> {
        self.insert(module, name, Definition::Host(Arc::new(HostFunc::dynamic(signature, function))))
    }

    /// Defines an item of a store. From then on the linker is of use for that store only.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn define(&mut self, module: &str, name: &str, item: impl Into<Extern>) -> Result<&mut Linker<T>, Error> {
        self.insert(module, name, Definition::Item(item.into()))
    }

    /// Defines all that an instance exports.
    ///
    /// # Errors
    /// Where a name is taken.
    pub fn instance<'s>(
        &mut self,
        store: impl Into<StoreContext<'s, T>>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Linker<T>, Error> {
        for export in instance.exports(store) {
            self.define(module, export.name(), export.item())?;
        }
        Ok(self)
    }

    /// What stands under a name. A function of the host is made one of the store for that.
    ///
    /// # Errors
    /// Where there is no room for the code that calls it.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Result<Option<Extern>, Error> {
        let name = ImportName { module: module.to_owned(), name: name.to_owned() };
        Ok(match self.definitions.get(&name) {
            None => None,
            Some(Definition::Item(item)) => Some(*item),
            Some(Definition::Host(function)) => {
                let function = Arc::clone(function);
                Some(store.as_context_mut().inner.add_host(function, None)?.into())
            }
        })
    }

    /// An instance of a module whose imports stand here. Its items are made, its elements and segments go where they belong,
    /// and its start function runs.
    ///
    /// # Errors
    /// Where an import is not there or has another type, something has no room, or the module traps. What it has
    /// changed of others by then stays changed.
    ///
    /// # Panics
    /// If something here is another store's.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Verified) -> Result<Instance, Error> {
        instantiate(store.as_context_mut().inner, module, None, |import| self.definitions.get(import).cloned())
    }

    /// The same for a module that an engine has made ready, so that nothing is stitched any more.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate); and where the store interprets programs, but the module was made ready for an
    /// engine that does not, or the other way round.
    ///
    /// # Panics
    /// As [`instantiate`](Self::instantiate).
    pub fn instantiate_compiled(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Compiled,
    ) -> Result<Instance, Error> {
        let inner = store.as_context_mut().inner;
        if module.image.is_some() != inner.core.native {
            return Err(Error::OtherTier);
        }
        let image = module.image.clone();
        instantiate(inner, &module.verified, image, |import| self.definitions.get(import).cloned())
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Linker<T>, Error> {
        let name = ImportName { module: module.to_owned(), name: name.to_owned() };
        if !self.shadowing && self.definitions.contains_key(&name) {
            return Err(Error::Defined(name));
        }
        self.definitions.insert(name, definition);
        Ok(self)
    }

    /// True where something stands under a name.
    #[must_use]
    pub fn defines(&self, module: &str, name: &str) -> bool {
        let name = ImportName { module: module.to_owned(), name: name.to_owned() };
        self.definitions.contains_key(&name)
    }
}
