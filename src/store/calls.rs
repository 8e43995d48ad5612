//! Calls into programs, and from them to the host.
//!
//! Comes in: from Rust, a function and raw register bits; from programs, the number of a function of the host. Goes out:
//! results, or why there are none. What must hold: no reference into the store is used while code of it runs, other than
//! the one that a function of the host is handed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::exec::{Ended, HostCalls, Pending};
use crate::interp::{Left, Outside};
use crate::isa::trap::TrapKind;
use crate::objects;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError, Trap};

use super::context::Caller;
use super::error::{Error, Exit};
use super::gate::Gate;
use super::state::{Callable, Inner, Running};

impl<T: 'static> Inner<T> {
    /// Calls a function of this store.
    pub fn call(&mut self, callable: &Callable, args: &[u64], results: &mut [u64]) -> Result<(), Error> {
        match callable {
            Callable::Native(held, function) => {
                let Running::Native(native) = &**held else { unreachable!("its callable says what runs it") };
                let gate = self.gate.clone();
                match gate.open(self, || native.call(function, args, results))? {
                    Ended::Returned => Ok(()),
                    Ended::Halted => Err(Error::Exit(0)),
                }
            }
            Callable::Interpreted(held, function) => {
                let Running::Interpreted(interpreted) = &**held else { unreachable!("its callable says what runs it") };
                let gate = self.gate.clone();
                let mut streams = self.core.streams.take().unwrap_or_default();
                let ended = gate.open(self, || interpreted.call(&*gate, &mut streams, *function, args));
                self.core.streams = Some(streams);
                match ended? {
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

/// What a program gets where it calls the host and nobody has called the program, or somebody on another thread.
fn nobody() -> RunError {
    RunError::NoNatives
}

impl<T: 'static> HostCalls for Gate<T> {
    fn call(&self, host: u32, buffer: &mut [u64]) -> Result<Ended, Pending> {
        let called = || self.pass(|store| store.call_host(host, buffer));
        match catch_unwind(AssertUnwindSafe(called)) {
            Ok(Some(Ok(()))) => Ok(Ended::Returned),
            Ok(Some(Err(Error::Exit(0)))) => Ok(Ended::Halted),
            Ok(Some(Err(error))) => Err(Pending::Error(error.crossing())),
            Ok(None) => Err(Pending::Error(nobody())),
            Err(panic) => Err(Pending::Panic(panic)),
        }
    }
}
