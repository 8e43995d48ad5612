//! What a store holds.
//!
//! Comes in: what instantiation and the host make. Goes out: the same, by the numbers in the handles that the host has. What
//! must hold: nothing is ever taken out, so that a handle stays good for as long as the store; a handle of another store
//! is refused.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{Engine, Tier};
use crate::exec::{self, SharedStreams};
use crate::interp::LinkedInstance;
use crate::module::Signature;
use crate::objects::{self, Body, Funcs, LinearMemory, Links};
use crate::verified::Verified;

use super::gate::{Gate, Held};
use super::host::HostFunc;
use super::instance::{Export, Instance};

/// Tells stores of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(u64);

/// A store, with what depends on the type of the host's data.
pub struct Inner<T: 'static> {
    pub core: Core,
    /// The functions of the host, by the numbers in their bodies.
    pub hosts: Vec<Host<T>>,
    pub gate: Arc<Gate<T>>,
    pub data: T,
}

/// A function of the host, as it is called by one instance, or by whoever has it.
pub struct Host<T: 'static> {
    pub function: Arc<HostFunc<T>>,
    pub caller: Option<Instance>,
}

/// The rest of a store.
pub struct Core {
    id: StoreId,
    engine: Engine,
    /// Whether machine code runs.
    pub native: bool,
    pub funcs: Arc<Funcs>,
    pub instances: Vec<Entity>,
    pub memories: Vec<Arc<LinearMemory>>,
    pub globals: Vec<Arc<objects::Global>>,
    pub tables: Vec<Arc<objects::Table>>,
    /// What external references refer to, by the handle less one.
    pub externs: Vec<Box<dyn Any + Send>>,
    /// How functions are called from Rust, by the handle less one, as far as that has been asked for.
    callables: Vec<Option<Callable>>,
    /// Where programs print and read; the standard streams, if none are set when they are first needed.
    pub streams: Arc<SharedStreams>,
}

/// An instance.
pub struct Entity {
    pub verified: Verified,
    pub links: Arc<Links>,
    pub running: Held,
    /// In the order of the module.
    pub exports: Vec<Export>,
    /// Where each name stands there.
    pub names: HashMap<Arc<str>, usize>,
}

/// What runs an instance.
#[derive(Debug)]
pub enum Running {
    /// The interpreter.
    Interpreted(LinkedInstance),
    /// Machine code.
    Native(exec::Instance),
}

/// How a function is called from Rust.
#[derive(Clone, Debug)]
pub enum Callable {
    /// By the interpreter.
    Interpreted(Held, u32),
    /// By entering machine code.
    Native(Held, Arc<exec::Function>),
    /// It is the host's, by its number.
    Host(u32),
}

impl<T: 'static> Inner<T> {
    pub fn new(engine: &Engine, data: T) -> Inner<T> {
        Inner { core: Core::new(engine), hosts: Vec::new(), gate: Gate::new(), data }
    }
}

impl Core {
    fn new(engine: &Engine) -> Core {
        static STORES: AtomicU64 = AtomicU64::new(0);
        Core {
            id: StoreId(STORES.fetch_add(1, Ordering::Relaxed)),
            engine: engine.clone(),
            native: engine.config().tier != Tier::Interp,
            funcs: Arc::default(),
            instances: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tables: Vec::new(),
            externs: Vec::new(),
            callables: Vec::new(),
            streams: Arc::default(),
        }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn id(&self) -> StoreId {
        self.id
    }

    /// Refuses what is of another store.
    ///
    /// # Panics
    /// There.
    pub fn own(&self, id: StoreId) {
        assert!(self.id == id, "something of one store is used with another");
    }

    /// What a function takes and gives.
    pub fn signature(&self, handle: u32) -> Signature {
        self.func(handle).signature().clone()
    }

    /// The function of a handle that this store gave out.
    pub fn func(&self, handle: u32) -> Arc<objects::Func> {
        self.funcs.get(handle.into()).expect("a handle that this store gave out")
    }

    /// How a function is called.
    pub fn callable(&mut self, handle: u32) -> &Callable {
        let index = handle as usize - 1;
        if self.callables.len() <= index {
            self.callables.resize(index + 1, None);
        }
        if self.callables[index].is_none() {
            self.callables[index] = Some(self.make_callable(handle));
        }
        self.callables[index].as_ref().expect("it was just made")
    }

    fn make_callable(&self, handle: u32) -> Callable {
        match self.func(handle).body() {
            Body::Host(number) => Callable::Host(number),
            Body::Instance { instance, function } => {
                let held = self.instances[instance as usize].running.clone();
                match &*held {
                    Running::Interpreted(_) => Callable::Interpreted(held, function),
                    Running::Native(native) => {
                        let function = native.function(function).expect("functions of the store are those of a module");
                        Callable::Native(held, Arc::new(function))
                    }
                }
            }
        }
    }
}
