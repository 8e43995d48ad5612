//! Functions that may be called from outside of their module.
//!
//! Comes in: functions of instances and of the host. Goes out: [`Func`], which is called the same way whoever it belongs to,
//! and its handle. What must hold: a `Func` stays where it is for as long as its store lives; equal signatures have equal
//! numbers in the whole process, and others have others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock};

use crate::exec::HostEntry;
use crate::module::Signature;

/// A function, as tables and imports refer to it. Machine code reads the first two fields.
#[derive(Debug)]
#[repr(C)]
pub struct Func {
    /// The address of its entry, which takes what Spasm functions take and the address of this in the first scratch
    /// register, whatever is in the register of the memory, and leaves that changed. 0 where the function is interpreted and nothing has been stitched for it.
    entry: AtomicUsize,
    /// The number of its signature, see [`signature_number`].
    number: u32,
    /// What a reference to it is in a register: never 0.
    handle: u32,
    signature: Signature,
    body: Body,
    host: OnceLock<HostEntry>,
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A function of an instance: the store's number of that, and the module's number of the function.
    Instance {
        /// The instance.
        instance: u32,
        /// The function.
        function: u32,
    },
    /// A function of the host, by its number in the store.
    Host(u32),
}

impl Func {
    /// The address of its entry, if it has one.
    #[must_use]
    pub fn entry(&self) -> usize {
        self.entry.load(Ordering::Acquire)
    }

    /// Sets the address of its entry, when it has been made.
    pub fn set_entry(&self, address: usize) {
        self.entry.store(address, Ordering::Release);
    }

    /// The number of its signature.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What a reference to it is in a register.
    #[must_use]
    pub fn handle(&self) -> u32 {
        self.handle
    }

    /// What it takes and gives.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What it does.
    #[must_use]
    pub fn body(&self) -> Body {
        self.body
    }

    /// What stitched code finds of it, where it is a function of the host.
    pub(crate) fn host(&self) -> Option<&HostEntry> {
        self.host.get()
    }

    /// Sets that; says whether it was not set before.
    pub(crate) fn set_host(&self, host: HostEntry) -> bool {
        self.host.set(host).is_ok()
    }
}

/// All functions of a store that may be referred to.
#[derive(Debug, Default)]
pub struct Funcs {
    all: RwLock<Vec<Arc<Func>>>,
    /// The handles, by the addresses that tables hold.
    handles: RwLock<HashMap<u64, u32>>,
}

impl Funcs {
    /// Adds a function and gives it its handle.
    ///
    /// # Panics
    /// If there are 2³² - 1 already.
    pub fn add(&self, signature: Signature, body: Body) -> Arc<Func> {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let handle = u32::try_from(all.len() + 1).expect("a store has fewer than 2^32 functions");
        let number = signature_number(&signature);
        let func =
            Arc::new(Func { entry: AtomicUsize::new(0), number, handle, signature, body, host: OnceLock::new() });
        all.push(Arc::clone(&func));
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        handles.insert(Arc::as_ptr(&func) as u64, handle);
        func
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes back the handles that were given out since there were `len`: nothing but a number could name them, and never
    /// will.
    pub fn truncate(&self, len: usize) {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        for gone in self.all.write().unwrap_or_else(PoisonError::into_inner).drain(len..) {
            handles.remove(&(Arc::as_ptr(&gone) as u64));
        }
    }

    /// The function of a handle; none for 0, and for numbers that the store has not given out.
    #[must_use]
    pub fn get(&self, handle: u64) -> Option<Arc<Func>> {
        let index = usize::try_from(handle & 0xffff_ffff).ok()?.checked_sub(1)?;
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }

    /// The handle of what a table holds: 0 for null.
    #[must_use]
    pub fn handle_at(&self, element: u64) -> u32 {
        self.handles.read().unwrap_or_else(PoisonError::into_inner).get(&element).copied().unwrap_or(0)
    }

    /// The function that a table holds; none for null.
    #[must_use]
    pub fn at(&self, element: u64) -> Option<Arc<Func>> {
        self.get(self.handle_at(element).into())
    }

    /// What a table holds for a handle: the address of the function, or 0.
    #[must_use]
    pub fn element(&self, handle: u64) -> u64 {
        self.get(handle).map_or(0, |func| Arc::as_ptr(&func) as u64)
    }
}

/// The number of a signature: the same for equal ones, in the whole process.
#[must_use]
pub fn signature_number(signature: &Signature) -> u32 {
    static NUMBERS: LazyLock<Mutex<HashMap<Signature, u32>>> = LazyLock::new(Mutex::default);
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let next = numbers.len() as u32;
    *numbers.entry(signature.clone()).or_insert(next)
}
