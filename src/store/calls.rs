//! Calls into programs, and from them to the host.
//!
//! Comes in: from Rust, a function and raw register bits; from programs, the number of a function of the host. Goes out:
//! results, or why there are none. What must hold: no reference into the store is used while code of it runs, other than
//! the one that a function of the host is handed.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::exec::{Ended, HostCalls, Pending};
use crate::interp::Outside;
use crate::interp::native::Left;
use crate::isa::trap::TrapKind;
use crate::objects;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError, Trap};

use super::context::Caller;
use super::error::Error;
use super::gate::Gate;
use super::state::{Callable, Inner, Running};

impl<T: 'static> Inner<T> {
    /// Calls a function of this store.
    pub fn call(&mut self, callable: &Callable, args: &[u64], results: &mut [u64]) -> Result<(), Error> {
        match callable {
            Callable::Native(held, function) => {
                let Running::Native(native) = &**held else { unreachable!("its callable says what runs it") };
                let gate = self.gate.clone();
                match gate.open(self, || native.call_linked(function, args, results)).map_err(too_deep)? {
                    Ended::Returned => Ok(()),
                    Ended::Halted => Err(Error::Exit(0)),
                }
            }
            Callable::Interpreted(held, function) => {
                let Running::Interpreted(interpreted) = &**held else { unreachable!("its callable says what runs it") };
                let gate = self.gate.clone();
                let mut streams = self.core.streams.lock().take().unwrap_or_default();
                let call = || interpreted.call(&*gate, &mut streams, *function, args);
                let ended = catch_unwind(AssertUnwindSafe(|| gate.open(self, call)));
                *self.core.streams.lock() = Some(streams);
                match ended.unwrap_or_else(|panic| resume_unwind(panic))? {
                    Outcome::Returned(given) => results.copy_from_slice(&given),
                    Outcome::Halted => return Err(Error::Exit(0)),
                }
                Ok(())
            }
            Callable::Host(number) => {
                let mut words = vec![0; args.len().max(results.len())];
                words[..args.len()].copy_from_slice(args);
                self.call_host(*number, &mut words)?;
                results.copy_from_slice(&words[..results.len()]);
                Ok(())
            }
        }
    }

    /// Calls a function of the host: the arguments stand in the words, and the results will.
    fn call_host(&mut self, number: u32, words: &mut [u64]) -> Result<(), Error> {
        let host = &self.hosts[number as usize];
        let (function, instance) = (host.function.clone(), host.caller);
        (function.work)(Caller { inner: self, instance }, words)
    }
}

/// Calls that are nested too deep are a stack that overflows, on every tier.
fn too_deep(error: RunError) -> RunError {
    match error {
        RunError::Memory(error) if error.kind() == ErrorKind::QuotaExceeded => {
            Trap { kind: TrapKind::StackOverflow, frames: Vec::new(), depth: 0 }.into()
        }
        other => other,
    }
}

impl<T: 'static> HostCalls for Gate<T> {
    fn call(&self, host: u32, buffer: &mut [u64]) -> Result<Ended, Pending> {
        match self.pass(|store| store.call_host(host, buffer)).unwrap_or(Err(Error::Run(RunError::NoLinks))) {
            Ok(()) => Ok(Ended::Returned),
            Err(Error::Exit(0)) => Ok(Ended::Halted),
            // It belongs to the functions that are being executed.
            Err(Error::Trap(trap)) if trap.depth == 0 => Err(Pending::Trap(trap.kind)),
            Err(error) => Err(Pending::Error(error.crossing())),
        }
    }
}

impl<T: 'static> Outside for Gate<T> {
    fn call(
        &self,
        func: &objects::Func,
        args: &[u64],
        results: &mut Vec<u64>,
        streams: &mut Streams,
    ) -> Result<Left, RunError> {
        let called = self.pass(|store| {
            let callable = store.core.callable(func.handle()).clone();
            let mut given = vec![0; func.signature().results.len()];
            // Whoever calls programs from there finds the streams where they are between calls.
            let lent = std::mem::replace(streams, Streams::new(Box::new(io::sink()), Box::new(io::empty())));
            *store.core.streams.lock() = Some(lent);
            let called = catch_unwind(AssertUnwindSafe(|| store.call(&callable, args, &mut given)));
            *streams = store.core.streams.lock().take().unwrap_or_default();
            called.unwrap_or_else(|panic| resume_unwind(panic)).map(|()| given)
        });
        match called.unwrap_or(Err(Error::Run(RunError::NoLinks))) {
            Ok(given) => {
                results.extend(given);
                Ok(Left::Returned)
            }
            Err(Error::Exit(0)) => Ok(Left::Halted),
            Err(error) => Err(error.crossing()),
        }
    }
}
