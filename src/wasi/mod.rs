//! WASI preview 1: files, streams, clocks, arguments and an environment for WebAssembly programs.
//!
//! Comes in: a linker, and where in a store's data the [`WasiCtx`] stands. Goes out: the functions of WASI in that linker.
//! What must hold: a program reaches what its [`WasiCtx`] was given and nothing else.
//!
//! A context has no directory, variable or argument, empty input and output that leads nowhere, until it is given them:
//!
//! ```
//! use spasm::engine::Engine;
//! use spasm::store::{Linker, Store};
//! use spasm::wasi::{self, WasiCtx, WasiCtxBuilder};
//!
//! let program = r#"(module
//!     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!     (memory (export "memory") 1)
//!     (func (export "_start") (call $exit (i32.const 3))))"#;
//! let module = spasm::wasm::translate("exit.wat", program.as_bytes())?;
//! let verified = spasm::verify::verify(module)?;
//!
//! let mut linker = Linker::new();
//! wasi::add_to_linker(&mut linker, |context: &mut WasiCtx| context)?;
//! let context = WasiCtxBuilder::new().inherit_stdio().arg("exit")?.build();
//! let mut store = Store::new(&Engine::default(), context);
//! let instance = linker.instantiate(&mut store, &verified)?;
//! let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
//! assert_eq!(start.call(&mut store, ()).unwrap_err().exit_code(), Some(3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the functions do is `wasi-common`'s, in the line of releases that wasmi's WASI stands on, too; this module leads
//! to them.

mod functions;

use std::error::Error as StdError;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasi_common::snapshots::{preview_0, preview_1};
use wiggle::GuestMemory;

use crate::store::{Caller, Error, Exit, Extern, Linker};

pub use wasi_common::pipe::{ReadPipe, WritePipe};
pub use wasi_common::sync::{Dir, WasiCtxBuilder, ambient_authority};
pub use wasi_common::{StringArrayError, WasiCtx};

/// What programs import WASI's functions from.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// The same for programs of 2019 and before.
pub const MODULE_BEFORE: &str = "wasi_unstable";

/// What a function of WASI gives.
type Given<R> = Result<R, Box<dyn StdError + Send + Sync>>;

/// A function of WASI could not do its work, and the program ends.
#[derive(Debug, thiserror::Error)]
#[error("{function}: {message}")]
pub struct WasiError {
    /// Which one.
    pub function: &'static str,
    /// What was in the way.
    pub message: String,
}

/// Defines WASI's functions in a linker, from which programs import them as of [`MODULE`] or [`MODULE_BEFORE`].
///
/// `context` says where in the store's data the context stands. A program that calls `proc_exit` ends with
/// [`Error::Exit`].
///
/// # Errors
/// Where one of them is defined already.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    context: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> Result<(), Error> {
    functions::functions!(define: linker, context, MODULE, preview_1::wasi_snapshot_preview1;);
    functions::define!(linker, context, MODULE, preview_1::wasi_snapshot_preview1;
        sock_accept(fd: i32, flags: i32, result: i32));
    functions::functions!(define: linker, context, MODULE_BEFORE, preview_0::wasi_unstable;);
    for module in [MODULE, MODULE_BEFORE] {
        // Any code is as good as another; `wasi-common` would refuse those from 126 on.
        linker.func_wrap(module, "proc_exit", |code: i32| -> Result<(), Exit> { Err(Exit(code)) })?;
    }
    Ok(())
}

/// The caller's memory and context.
fn guest<'c, T: 'static>(
    caller: &'c mut Caller<'_, T>,
    context: impl Fn(&mut T) -> &mut WasiCtx,
    function: &'static str,
) -> Result<(GuestMemory<'c>, &'c mut WasiCtx), WasiError> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        let message = "the module exports no memory as `memory`, in which WASI's functions take and give values";
        return Err(WasiError { function, message: message.to_owned() });
    };
    let (bytes, data) = memory.data_and_store_mut(caller);
    Ok((GuestMemory::Unshared(bytes), context(data)))
}

/// The result of a function that waits for nothing but the system.
fn ready<R>(function: &'static str, future: impl Future<Output = wiggle::anyhow::Result<R>>) -> Given<R> {
    let failed = |message: String| Box::new(WasiError { function, message });
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Ok(result.map_err(|error| failed(format!("{error:#}")))?),
        Poll::Pending => Err(failed("it waits for something that never comes".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::store::Store;

    #[test]
    fn a_linker_has_all_functions_once() {
        let mut linker = Linker::new();
        add_to_linker(&mut linker, |context: &mut WasiCtx| context).unwrap();
        assert!(matches!(add_to_linker(&mut linker, |context: &mut WasiCtx| context), Err(Error::Defined(_))));
        let mut store = Store::new(&Engine::default(), WasiCtxBuilder::new().build());
        let mut signature = |module: &str, name: &str| {
            let function = linker.get(&mut store, module, name).unwrap()?.into_func()?;
            Some(function.ty(&store).to_string())
        };
        for module in [MODULE, MODULE_BEFORE] {
            assert_eq!(signature(module, "fd_seek").as_deref(), Some("(i32, i64, i32, i32) -> i32"));
            assert_eq!(signature(module, "proc_exit").as_deref(), Some("(i32)"));
        }
        assert!(signature(MODULE, "sock_accept").is_some());
        assert!(signature(MODULE_BEFORE, "sock_accept").is_none());
    }
}
