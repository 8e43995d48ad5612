//! Functions of a store: those of its instances, and the host's.
//!
//! Comes in: handles and values. Goes out: calls. What must hold: a function is called with what its signature says.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::engine::Mismatch;
use crate::exec::{HostCalls, connect_host};
use crate::isa::op::Type;
use crate::module::{MAX_VARIADIC, Signature};
use crate::objects::Body;

use super::context::{AsContext, AsContextMut, Caller};
use super::error::{BoxedError, Error};
use super::host::{HostFunc, HostParams, HostResults, IntoHost};
use super::state::{Callable, Core, Inner, StoreId};
use super::value::Val;

/// A function of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    store: StoreId,
    handle: u32,
}

impl Func {
    /// A function of the host, with Rust's own types.
    ///
    /// # Errors
    /// Where there is no room for the code that calls it.
    pub fn wrap<C: AsContextMut, Marker>(
        mut store: C,
        function: impl IntoHost<C::Data, Marker>,
    ) -> Result<Func, Error> {
        store.as_context_mut().inner.add_host(Arc::new(function.into_host()), None)
    }

    /// A function of the host, with dynamic values: it is given the arguments, and puts the results where they belong.
    ///
    /// # Errors
    /// Where there is no room for the code that calls it.
    pub fn new<C: AsContextMut, E: Into<BoxedError>>(
        mut store: C,
        signature: Signature,
        function: impl Fn(Caller<'_, C::Data>, &[Val], &mut [Val]) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<Func, Error> {
        store.as_context_mut().inner.add_host(Arc::new(HostFunc::dynamic(signature, function)), None)
    }

    /// What it takes and gives.
    ///
    /// # Panics
    /// If it is another store's.
    #[must_use]
    pub fn ty(&self, store: impl AsContext) -> Signature {
        let core = &store.as_context().inner.core;
        core.signature(self.handle_in(core))
    }

    /// Calls it.
    ///
    /// # Errors
    /// Where the arguments are not those that it takes, there is not room for as many results as it gives, or the call does
    /// not return: see [`Error`].
    ///
    /// # Panics
    /// If it is another store's, or a function of the host panics.
    pub fn call(&self, mut store: impl AsContextMut, args: &[Val], results: &mut [Val]) -> Result<(), Error> {
        let inner = store.as_context_mut().inner;
        let signature = inner.core.signature(self.handle_in(&inner.core));
        if signature.results.len() != results.len() {
            return Err(wrong_arguments(&signature, args, results.len()));
        }
        let callable = inner.core.callable(self.handle).clone();
        let given = inner.call_dynamic(&callable, &signature, args)?;
        results.copy_from_slice(&given);
        Ok(())
    }

    /// The same function, to be called often and with Rust's own types: `P` is what it takes and `R` what it gives, a value or
    /// a tuple of them.
    ///
    /// # Errors
    /// Where it has another signature.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn typed<P: HostParams, R: HostResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>, Error> {
        self.typed_as("the function", &store.as_context().inner.core)
    }

    pub(super) fn typed_as<P: HostParams, R: HostResults>(
        self,
        what: &str,
        core: &Core,
    ) -> Result<TypedFunc<P, R>, Error> {
        let found = core.signature(self.handle_in(core));
        if found.params == P::TYPES && found.results == R::TYPES {
            return Ok(TypedFunc { func: self, types: PhantomData });
        }
        let wanted = Signature::new(P::TYPES, R::TYPES);
        Err(Error::WrongTypes(Box::new(Mismatch { function: what.to_owned(), signature: found, wanted })))
    }

    pub(super) fn of_handle(bits: u64, core: &Core) -> Option<Func> {
        core.funcs.get(bits).map(|func| Func { store: core.id(), handle: func.handle() })
    }

    pub(super) fn handle_in(self, core: &Core) -> u32 {
        core.own(self.store);
        self.handle
    }
}

/// Whether these are arguments for a function: further ones of a variadic function are ints.
fn takes(signature: &Signature, args: &[Val]) -> bool {
    let fixed = signature.params.len();
    let enough = args.len() == fixed || (signature.variadic && (fixed..=MAX_VARIADIC as usize).contains(&args.len()));
    let types = signature.params.iter().copied().chain(std::iter::repeat(Type::I64));
    enough && args.iter().map(Val::ty).zip(types).all(|(given, wanted)| given == wanted)
}

fn wrong_arguments(signature: &Signature, args: &[Val], results: usize) -> Error {
    let types: Vec<&str> = args.iter().map(|value| value.ty().name()).collect();
    let room =
        if results == signature.results.len() { String::new() } else { format!(" and room for {results} results") };
    Error::WrongArguments { signature: signature.clone(), given: format!("({}){room}", types.join(", ")) }
}

/// A function of a store, with the Rust types of what it takes and gives.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P: HostParams, R: HostResults> TypedFunc<P, R> {
    /// Calls it.
    ///
    /// # Errors
    /// Where the call does not return: see [`Error`].
    ///
    /// # Panics
    /// If it is another store's, or a function of the host panics.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R, Error> {
        /// Words that stand on the stack; more are rare.
        const FEW: usize = 16;
        let inner = store.as_context_mut().inner;
        let handle = self.func.handle_in(&inner.core);
        let callable = inner.core.callable(handle).clone();
        let (mut args, mut results) = ([0; FEW], [0; FEW]);
        let (args, results) = (&mut args[..P::TYPES.len()], &mut results[..R::TYPES.len()]);
        params.write(&inner.core, args);
        inner.call(&callable, args, results)?;
        Ok(R::read(&inner.core, results))
    }

    /// The function without its types.
    #[must_use]
    pub fn func(&self) -> Func {
        self.func
    }
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> std::fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedFunc").field("func", &self.func).finish_non_exhaustive()
    }
}

impl<T: 'static> Inner<T> {
    /// Calls a function of this signature with dynamic values.
    pub fn call_dynamic(
        &mut self,
        callable: &Callable,
        signature: &Signature,
        args: &[Val],
    ) -> Result<Vec<Val>, Error> {
        if !takes(signature, args) {
            return Err(wrong_arguments(signature, args, signature.results.len()));
        }
        let words: Vec<u64> = args.iter().map(|value| value.bits(&self.core)).collect();
        let mut given = vec![0; signature.results.len()];
        self.call(callable, &words, &mut given)?;
        Ok(signature.results.iter().zip(given).map(|(&ty, bits)| Val::of_bits(ty, bits, &self.core)).collect())
    }

    /// Adds a function of the host, as `caller` calls it.
    pub fn add_host(&mut self, function: Arc<HostFunc<T>>, caller: Option<super::Instance>) -> Result<Func, Error> {
        let added = self.add_hosts(vec![(function, caller)])?;
        Ok(added[0])
    }

    /// Adds several, with code for all of them at once.
    pub fn add_hosts(
        &mut self,
        functions: Vec<(Arc<HostFunc<T>>, Option<super::Instance>)>,
    ) -> Result<Vec<Func>, Error> {
        let mut made = Vec::with_capacity(functions.len());
        for (function, caller) in functions {
            let number = u32::try_from(self.hosts.len()).expect("a store has fewer than 2^32 functions of the host");
            made.push(self.core.funcs.add(function.signature.clone(), Body::Host(number)));
            self.hosts.push(super::state::Host { function, caller });
        }
        if self.core.native {
            let calls: Arc<dyn HostCalls> = self.gate.clone();
            let runtime = self.core.engine().runtime()?;
            for func in &made {
                connect_host(runtime, func, &calls);
            }
        }
        let store = self.core.id();
        Ok(made.iter().map(|func| Func { store, handle: func.handle() }).collect())
    }

    /// What a function of the host does, if this is one.
    pub fn host_of(&self, func: Func) -> Option<Arc<HostFunc<T>>> {
        let handle = func.handle_in(&self.core);
        let Body::Host(number) = self.core.func(handle).body() else { return None };
        Some(Arc::clone(&self.hosts[number as usize].function))
    }
}
