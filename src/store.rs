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
//! import \"host\" \"add\" func add(i64, i64) -> i64
//! export \"answer\" func answer
//!
//! func answer() -> i64
//!     const r1, 40
//!     const r2, 2
//!     call r1, add, r1, r2
//!     ret r1
//! ";
//! let verified = verify::verify(text::parse("answer.spasm", source)?)?;
//!
//! let mut linker = Linker::new();
//! linker.func_wrap("host", "add", |mut caller: Caller<'_, u32>, a: i64, b: i64| {
//!     *caller.data_mut() += 1; // the host's own data, in the store
//!     a + b
//! })?;
//! let mut store = Store::new(&Engine::default(), 0);
//! let instance = linker.instantiate(&mut store, &verified)?;
//! let answer = instance.get_typed_func::<(), i64>(&store, "answer")?;
//! assert_eq!(answer.call(&mut store, ())?, 42);
//! assert_eq!(*store.data(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! WebAssembly comes from [`wasm::translate`](crate::wasm::translate) in place of [`text::parse`](crate::text::parse). A
//! function of the host that gives an error ends the call of the program, which gives that very error:
//!
//! ```
//! # #[cfg(feature = "wasm")] {
//! use spasm::engine::Engine;
//! use spasm::store::{Caller, Exit, Linker, Store};
//! use spasm::{verify, wasm};
//!
//! let text = r#"
//!     (module
//!       (import "host" "say" (func $say (param i32 i32)))
//!       (import "host" "exit" (func $exit (param i32)))
//!       (memory (export "memory") 1)
//!       (data (i32.const 16) "hello")
//!       (func (export "main") (call $say (i32.const 16) (i32.const 5)) (call $exit (i32.const 3))))
//! "#;
//! let verified = verify::verify(wasm::translate("hello.wat", text.as_bytes())?)?;
//!
//! let mut linker = Linker::<String>::new();
//! linker.func_wrap("host", "say", |mut caller: Caller<'_, String>, at: u32, len: u32| {
//!     let memory = caller.get_export("memory").and_then(|item| item.into_memory()).ok_or("no memory")?;
//!     let (bytes, said) = memory.data_and_store_mut(&mut caller);
//!     let text = bytes.get(at as usize..).and_then(|rest| rest.get(..len as usize)).ok_or("no such text")?;
//!     said.push_str(&String::from_utf8_lossy(text));
//!     Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! })?;
//! linker.func_wrap("host", "exit", |code: i32| -> Result<(), Exit> { Err(Exit(code)) })?;
//!
//! let mut store = Store::new(&Engine::default(), String::new());
//! let instance = linker.instantiate(&mut store, &verified)?;
//! let ended = instance.get_typed_func::<(), ()>(&store, "main")?.call(&mut store, ());
//! assert_eq!(ended.unwrap_err().exit_code(), Some(3));
//! assert_eq!(store.data(), "hello");
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
