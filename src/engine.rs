//! Running programs from Rust: engines, instances and typed functions, the same for every tier.
//!
//! Comes in: verified modules and Rust values. Goes out: results, or a [`CallError`]. What must hold: which tier runs a
//! program can be seen in its speed only.
//!
//! ```
//! use spasm::engine::Engine;
//! use spasm::{text, verify};
//!
//! let module = text::parse("add.spasm", "func add(i64, i64) -> i64\n    add r1, a1, a2\n    ret r1\n")?;
//! let verified = verify::verify(module)?;
//! let mut instance = Engine::default().instantiate(&verified)?;
//! let add = instance.typed::<(i64, i64), i64>("add")?;
//! assert_eq!(add.call(&mut instance, (40, 2))?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
mod config;
mod error;
mod interpreted;
mod linked;
mod natives;
#[cfg(feature = "elf")]
mod object;
mod opcodes;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock, TryLockError};

#[cfg(feature = "wasm")]
pub use compile::CompileError;
pub use compile::Compiled;
pub use config::{Config, Tier};
pub use error::{CallError, InstanceError, Mismatch};

use crate::exec::{self, Runtime};
pub use crate::exec::{
    ArenaSize, DEFAULT_STACK, ExecError, HostFunction, HostResult, HostType, ImportError, Imports, LinkError, Problem,
};
#[cfg(feature = "elf")]
pub use crate::exec::{Observers, Perf};
use crate::interp::{self, Store};
use crate::isa::op::Type;
pub use crate::isa::snippet::Features;
use crate::library::Library;
use crate::module::{MAX_VARIADIC, Module, Signature};
pub use crate::snippets::Snippets;
use crate::stitch::image::Image;
pub use crate::stitch::inward::Entries;
use crate::stitch::{StitchError, Stitcher};
use crate::streams::Streams;
use crate::trap::Outcome;
use crate::value::{Params, Results, Value};
use crate::verified::Verified;

use interpreted::InterpretedNative;

/// Makes instances of modules. Clones share their memory for code; threads may share an engine.
#[derive(Clone, Debug, Default)]
pub struct Engine(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    config: Config,
    /// Whether programs may use C.
    natives: bool,
    /// Made when code is to be run for the first time.
    runtime: OnceLock<Arc<Runtime>>,
    starting: Mutex<()>,
    /// Keeps its working memory between modules.
    stitcher: Mutex<Option<Stitcher<'static>>>,
}

impl Engine {
    /// An engine. Nothing is asked of the system before there is code to run.
    #[must_use]
    pub fn new(config: Config) -> Engine {
        Engine(Arc::new(Shared { config, ..Shared::default() }))
    }

    /// How it works.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// An instance of a module, whose `print` and `read` use the standard streams.
    ///
    /// # Errors
    /// See [`InstanceError`].
    pub fn instantiate(&self, verified: &Verified) -> Result<Instance, InstanceError> {
        self.instantiate_watched(verified, |_| ())
    }

    /// The same, and `stitched` is shown the machine code before it is bound to the instance. It is not called where
    /// there is none, because the program is interpreted.
    ///
    /// # Errors
    /// See [`InstanceError`].
    pub fn instantiate_watched(
        &self,
        verified: &Verified,
        stitched: impl FnOnce(&Image),
    ) -> Result<Instance, InstanceError> {
        self.make(verified, &Imports::default(), stitched)
    }

    fn make(
        &self,
        verified: &Verified,
        imports: &Imports,
        stitched: impl FnOnce(&Image),
    ) -> Result<Instance, InstanceError> {
        self.permit(verified.module())?;
        linked::refuse(verified.module())?;
        match self.0.config.tier {
            Tier::Interp if self.meets_c(verified.module()) || !verified.module().customs.is_empty() => {
                let made = InterpretedNative::new(self, verified, imports)?;
                Ok(Instance { tier: Inner::InterpretedNative(Box::new(made)) })
            }
            Tier::Interp => interpreted(verified),
            Tier::Auto | Tier::Baseline => {
                let image = self.stitch(verified)?;
                stitched(&image);
                self.instantiate_image(verified, image, imports)
            }
        }
    }

    /// Machine code for a module, that is not yet bound to an instance.
    ///
    /// # Errors
    /// Where the module cannot be stitched.
    pub fn stitch(&self, verified: &Verified) -> Result<Image, StitchError> {
        self.with_stitcher(|stitcher| stitcher.stitch(verified))
    }

    /// Works with the stitcher that keeps its memory from module to module; with another where that is in use.
    fn with_stitcher<R>(&self, work: impl FnOnce(&mut Stitcher<'static>) -> R) -> R {
        match self.0.stitcher.try_lock() {
            Ok(mut kept) => work(kept.get_or_insert_with(|| self.new_stitcher())),
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => work(&mut self.new_stitcher()),
        }
    }

    fn new_stitcher(&self) -> Stitcher<'static> {
        let mut stitcher = Stitcher::new(self.library());
        stitcher.set_entries(self.0.config.entries);
        stitcher
    }

    /// The snippets that code is made of.
    fn library(&self) -> &'static Library {
        let Config { left_out, snippets, .. } = self.0.config;
        match (snippets, left_out) {
            (None, Features(0)) => Library::native(),
            (None, left_out) => Library::native_without(left_out),
            (Some(snippets), left_out) => snippets.kept(left_out),
        }
    }

    pub(crate) fn runtime(&self) -> Result<&Arc<Runtime>, ExecError> {
        let shared = &self.0;
        if let Some(runtime) = shared.runtime.get() {
            return Ok(runtime);
        }
        let _one_at_a_time = shared.starting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runtime) = shared.runtime.get() {
            return Ok(runtime);
        }
        #[cfg(feature = "elf")]
        let made = if shared.config.observers.debugger {
            Runtime::debuggable(shared.config.arena)?
        } else {
            Runtime::new(shared.config.arena)?
        };
        #[cfg(not(feature = "elf"))]
        let made = Runtime::new(shared.config.arena)?;
        Ok(shared.runtime.get_or_init(|| made))
    }
}

fn interpreted(verified: &Verified) -> Result<Instance, InstanceError> {
    let store = Store::new(verified).map_err(InstanceError::Memory)?;
    let interpreted = Interpreted { verified: verified.clone(), store, streams: None };
    Ok(Instance { tier: Inner::Interpreted(Box::new(interpreted)) })
}

/// A module with its state, ready to be called. Instances do not notice each other.
#[derive(Debug)]
pub struct Instance {
    tier: Inner,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "calls of machine code are short, and need what it has at once")]
enum Inner {
    Interpreted(Box<Interpreted>),
    InterpretedNative(Box<InterpretedNative>),
    Native(exec::Instance),
}

#[derive(Debug)]
struct Interpreted {
    verified: Verified,
    store: Store,
    /// The standard streams, if none are set when they are first needed.
    streams: Option<Streams>,
}

impl Instance {
    /// The module.
    #[must_use]
    pub fn module(&self) -> &Module {
        match &self.tier {
            Inner::Interpreted(interpreted) => interpreted.verified.module(),
            Inner::InterpretedNative(native) => native.module(),
            Inner::Native(native) => native.module(),
        }
    }

    /// The machine code that it runs, and the address of that; none where it is interpreted.
    #[must_use]
    pub fn code(&self) -> Option<(usize, &[u8])> {
        match &self.tier {
            Inner::Interpreted(_) | Inner::InterpretedNative(_) => None,
            Inner::Native(native) => Some(native.code()),
        }
    }

    /// Sets where `print` writes and `read` reads.
    pub fn set_streams(&mut self, streams: Streams) {
        match &mut self.tier {
            Inner::Interpreted(interpreted) => drop(interpreted.streams.replace(streams)),
            Inner::InterpretedNative(native) => native.set_streams(streams),
            Inner::Native(native) => drop(native.set_streams(streams)),
        }
    }

    /// The bytes of the linear memory; none where the module has no memory.
    #[must_use]
    pub fn memory(&self) -> &[u8] {
        match &self.tier {
            Inner::Interpreted(interpreted) => interpreted.store.memory.bytes(),
            Inner::InterpretedNative(native) => native.memory(),
            Inner::Native(native) => native.memory(),
        }
    }

    /// The bytes of the linear memory.
    #[must_use]
    pub fn memory_mut(&mut self) -> &mut [u8] {
        match &mut self.tier {
            Inner::Interpreted(interpreted) => interpreted.store.memory.bytes_mut(),
            Inner::InterpretedNative(native) => native.memory_mut(),
            Inner::Native(native) => native.memory_mut(),
        }
    }

    /// The value of a global, if there is one of that name.
    #[must_use]
    pub fn global(&self, name: &str) -> Option<Value> {
        let index = self.global_index(name)?;
        let bits = match &self.tier {
            Inner::Interpreted(interpreted) => interpreted.store.globals[index],
            Inner::InterpretedNative(native) => native.global(index),
            Inner::Native(native) => native.global(index as u32),
        };
        Some(Value::from_bits(self.module().globals[index].ty, bits))
    }

    /// Sets a global.
    ///
    /// # Errors
    /// Where there is no global of that name, or it has another type.
    pub fn set_global(&mut self, name: &str, value: Value) -> Result<(), CallError> {
        let index = self.global_index(name).ok_or_else(|| CallError::NoGlobal(name.to_owned()))?;
        let ty = self.module().globals[index].ty;
        if ty != value.ty() {
            return Err(CallError::WrongGlobal { global: name.to_owned(), ty, given: value.ty() });
        }
        match &mut self.tier {
            Inner::Interpreted(interpreted) => interpreted.store.globals[index] = value.bits(),
            Inner::InterpretedNative(native) => native.set_global(index, value.bits()),
            Inner::Native(native) => native.set_global(index as u32, value.bits()),
        }
        Ok(())
    }

    fn global_index(&self, name: &str) -> Option<usize> {
        self.module().globals.iter().position(|global| global.name == name)
    }

    /// Calls the function called `name`. What the program prints has been written when this returns.
    ///
    /// # Errors
    /// Where there is no such function, it takes other arguments, or the call does not return: see [`CallError`].
    pub fn call(&mut self, name: &str, args: &[Value]) -> Result<Vec<Value>, CallError> {
        let function = self.function(name)?;
        let signature = self.module().functions[function.index as usize].signature.clone();
        check_args(name, &signature, args)?;
        let args: Vec<u64> = args.iter().map(|value| value.bits()).collect();
        let mut results = vec![0; signature.results.len()];
        self.call_raw(&function, &args, &mut results)?;
        Ok(signature.results.iter().zip(results).map(|(&ty, bits)| Value::from_bits(ty, bits)).collect())
    }

    /// The function called `name`, to be called often and with Rust's own types: `P` is what it takes and `R` what it
    /// gives, a number or a tuple of them.
    ///
    /// # Errors
    /// Where there is no such function, or it has another signature.
    pub fn typed<P: Params, R: Results>(&self, name: &str) -> Result<TypedFunction<P, R>, CallError> {
        let function = self.function(name)?;
        let signature = &self.module().functions[function.index as usize].signature;
        let fixed = signature.params.len();
        let more = if signature.variadic { P::TYPES.get(fixed..).unwrap_or(&[]) } else { &[] };
        let takes = P::TYPES.get(..P::TYPES.len() - more.len()) == Some(&signature.params)
            && more.iter().all(|&ty| ty == Type::I64);
        if takes && R::TYPES == signature.results {
            return Ok(TypedFunction { function, types: PhantomData });
        }
        let wanted = Signature::new(P::TYPES, R::TYPES);
        Err(CallError::WrongTypes(Box::new(Mismatch {
            function: name.to_owned(),
            signature: signature.clone(),
            wanted,
        })))
    }

    fn function(&self, name: &str) -> Result<Function, CallError> {
        let module = self.module();
        let index = module.function_index(name).ok_or_else(|| CallError::NoFunction(name.to_owned()))?;
        let native = match &self.tier {
            Inner::Interpreted(_) | Inner::InterpretedNative(_) => None,
            Inner::Native(native) => native.function(index),
        };
        Ok(Function { index, native })
    }

    #[inline]
    fn call_raw(&mut self, function: &Function, args: &[u64], results: &mut [u64]) -> Result<(), CallError> {
        match (&mut self.tier, &function.native) {
            (Inner::Native(native), Some(function)) => match native.call(function, args, results)? {
                exec::Ended::Returned => Ok(()),
                exec::Ended::Halted => Err(CallError::Halted),
            },
            (Inner::Interpreted(interpreted), None) => interpreted.call(function.index, args, results),
            (Inner::InterpretedNative(native), None) => hand_out(native.call(function.index, args)?, results),
            _ => panic!("a function is called on an instance that it was not taken from"),
        }
    }
}

impl Interpreted {
    fn call(&mut self, function: u32, args: &[u64], results: &mut [u64]) -> Result<(), CallError> {
        let streams = self.streams.get_or_insert_with(Streams::standard);
        hand_out(interp::call(&self.verified, &mut self.store, streams, function, args)?, results)
    }
}

fn hand_out(outcome: Outcome, results: &mut [u64]) -> Result<(), CallError> {
    match outcome {
        Outcome::Returned(returned) => results.copy_from_slice(&returned),
        Outcome::Halted => return Err(CallError::Halted),
    }
    Ok(())
}

fn check_args(name: &str, signature: &Signature, args: &[Value]) -> Result<(), CallError> {
    let fixed = signature.params.len();
    let types = signature.params.iter().copied().chain(std::iter::repeat(Type::I64));
    let enough = args.len() == fixed || (signature.variadic && (fixed..=MAX_VARIADIC as usize).contains(&args.len()));
    if enough && args.iter().zip(types).all(|(value, ty)| value.ty() == ty) {
        return Ok(());
    }
    let wanted = Signature::new(args.iter().map(|value| value.ty()).collect::<Vec<_>>(), []);
    let mismatch = Mismatch { function: name.to_owned(), signature: signature.clone(), wanted };
    Err(CallError::WrongArguments(Box::new(mismatch)))
}

#[derive(Clone, Debug)]
struct Function {
    index: u32,
    native: Option<exec::Function>,
}

/// A function of one instance, with the Rust types of what it takes and gives.
pub struct TypedFunction<P, R> {
    function: Function,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunction<P, R> {
    fn clone(&self) -> Self {
        TypedFunction { function: self.function.clone(), types: PhantomData }
    }
}

impl<P, R> fmt::Debug for TypedFunction<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFunction").field("index", &self.function.index).finish_non_exhaustive()
    }
}

impl<P: Params, R: Results> TypedFunction<P, R> {
    /// Calls it. What the program prints has been written when this returns.
    ///
    /// # Errors
    /// Where the call does not return: see [`CallError`].
    ///
    /// # Panics
    /// If `instance` is not the one that the function was taken from.
    #[inline]
    pub fn call(&self, instance: &mut Instance, args: P) -> Result<R, CallError> {
        let args = args.to_registers();
        let mut results = R::Registers::default();
        instance.call_raw(&self.function, args.as_ref(), results.as_mut())?;
        Ok(R::from_registers(&results))
    }
}
