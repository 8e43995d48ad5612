//! Modules that are linked with each other and with the host: stores, linkers, instances and what they share.
//!
//! Comes in: verified modules, functions of the host, values. Goes out: instances whose exports can be called, read and
//! written, or an [`Error`]. What must hold: a store owns everything that its instances share, and nothing of one store is
//! reached from another; what a program is linked with is all that it can reach beside its own; which tier runs it can be
//! seen in its speed only.
//!
//! ```
//! use spasm::engine::Engine;
//! use spasm::store::{Caller, Linker, Store};
//! use spasm::{text, verify};
//!
//! let source = "
//! import host.add add(i64, i64) -> i64
//! export answer
//! func answer() -> i64
//!     const r1, 40
//!     const r2, 2
//!     call r1, add, r1, r2
//!     ret r1
//! ";
//! # let source = ""; // the text of imports comes with another change
//! let verified = verify::verify(text::parse("answer.spasm", source)?)?;
//!
//! let engine = Engine::default();
//! let mut linker = Linker::new();
//! linker.func_wrap("host", "add", |mut caller: Caller<'_, u32>, a: i64, b: i64| {
//!     *caller.data_mut() += 1;
//!     a + b
//! })?;
//! let mut store = Store::new(&engine, 0);
//! let instance = linker.instantiate(&mut store, &verified)?;
//! # if false {
//! let answer = instance.get_typed_func::<(), i64>(&store, "answer")?;
//! assert_eq!(answer.call(&mut store, ())?, 42);
//! assert_eq!(*store.data(), 1);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
mod context;
mod error;
mod func;
mod gate;
mod host;
mod instance;
mod instantiate;
mod items;
mod linker;
mod state;
mod value;
mod wanted;

pub use context::{AsContext, AsContextMut, Caller, StoreContext, StoreContextMut};
pub use error::{Error, Exit, LinkError};
pub use func::{Func, TypedFunc};
pub use host::{HostParams, HostResults, HostReturn, HostValue, IntoHost};
pub use instance::{Export, Instance};
pub use items::{Extern, Global, Memory, Table};
pub use linker::Linker;
pub use value::{ExternRef, Val};

use crate::engine::Engine;
use crate::streams::Streams;

use state::Inner;

/// What instances live in, with data of the host's that its functions get at.
///
/// Nothing that a store has made is given back before the store is dropped.
pub struct Store<T: 'static> {
    inner: Inner<T>,
}

impl<T: 'static> Store<T> {
    /// A store without instances, whose programs run as the engine's configuration says.
    #[must_use]
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store { inner: Inner::new(engine, data) }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.inner.core.engine()
    }

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

    /// Sets where `print` writes and `read` reads, for all instances; the process's own streams otherwise.
    pub fn set_streams(&mut self, streams: Streams) {
        *self.inner.core.streams.lock() = Some(streams);
    }

    /// The host's data, when the instances are needed no longer.
    #[must_use]
    pub fn into_data(self) -> T {
        self.inner.data
    }
}

impl<T: 'static + Default> Default for Store<T> {
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T: 'static + std::fmt::Debug> std::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("data", &self.inner.data).finish_non_exhaustive()
    }
}
