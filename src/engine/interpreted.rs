//! Interpreted programs that use C: what stands between the interpreter and the machine.
//!
//! Comes in: a verified module, and where its externs come from. Goes out: [`InterpretedNative`]. Its companions are
//! stitched code: thunks, through which the interpreter calls C, and bridges, through which C calls the interpreter.
//! What must hold: one thread at a time works on what the program keeps between calls; whoever is about to run C lets
//! go of that, and takes it up anew when C has returned, because C may call back, on this thread or another.
//!
//! ```text
//!   interpreter ──▶ thunk ──▶ C function ──▶ bridge ──▶ run ──▶ interpreter
//!        ▲            │           (lock released)        │
//!        └────────────┴──────────────────────────────────┘
//! ```

#![allow(
    unsafe_code,
    reason = "C calls back through pointers, and native memory is read and written as the program says"
)]

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::companion::{self, Host};
use crate::exec::{self, Ended, Imports, Pending, Runtime};
use crate::interp::native::{Call, Left, Lent, Native, World};
use crate::interp::{self, Codes, Limits, LinearMemory, Store};
use crate::isa::op::Type;
use crate::isa::trap::TrapKind;
use crate::module::native::Target;
use crate::module::{Module, Source};
use crate::stitch::image::Image;
use crate::streams::Streams;
use crate::trap::{Outcome, RunError, Trap};
use crate::verified::Verified;
use crate::verify::{VerifyError, verify};

use super::opcodes::Opcodes;
use super::{Engine, Entries, InstanceError};

/// An instance of a program that uses C.
#[derive(Debug)]
pub(super) struct InterpretedNative {
    /// First, so that no code is left that refers to what follows.
    _bridges: exec::Instance,
    shared: Arc<Shared>,
}

/// What callbacks find again.
#[derive(Debug)]
struct Shared {
    verified: Verified,
    codes: Codes,
    /// Held by whoever works on the state.
    gate: Mutex<()>,
    state: UnsafeCell<State>,
    thunks: Thunks,
    /// The opcodes that templates declare.
    opcodes: Option<Opcodes>,
    /// Set when the bridges are there.
    addresses: OnceLock<HashMap<Target, u64>>,
}

// SAFETY: the state is reached only by who holds the gate, and by the instance's owner between calls; all else may be
// shared.
unsafe impl Sync for Shared {}

/// What the program keeps between calls.
#[derive(Debug)]
struct State {
    memory: LinearMemory,
    globals: Vec<u64>,
    /// The standard streams, if none are set when they are first needed.
    streams: Option<Streams>,
}

/// Where calls of C are made.
#[derive(Debug)]
struct Thunks {
    runtime: Arc<Runtime>,
    verified: Verified,
    image: Arc<Image>,
    stack: usize,
    /// See [`companion::thunks`].
    index: HashMap<(u32, Vec<bool>), u32>,
    /// By C signature, those without further arguments once more, and the types of the results.
    plain: Vec<(Option<u32>, Vec<Type>)>,
    /// Those that no call is in progress on: a call that is nested in another needs one of its own.
    free: Mutex<Vec<Caller>>,
}

/// An instance of the thunks.
#[derive(Debug)]
struct Caller {
    instance: exec::Instance,
    functions: Vec<exec::Function>,
}

impl InterpretedNative {
    pub(super) fn new(engine: &Engine, verified: &Verified, imports: &Imports) -> Result<Self, InstanceError> {
        let store = Store::new(verified).map_err(InstanceError::Memory)?;
        let state = State { memory: store.memory, globals: store.globals, streams: None };
        let shared = Arc::new(Shared {
            verified: verified.clone(),
            codes: Codes::new(verified),
            gate: Mutex::new(()),
            state: UnsafeCell::new(state),
            thunks: Thunks::new(engine, verified)?,
            opcodes: Opcodes::new(engine, verified)?,
            addresses: OnceLock::new(),
        });
        let bridges = bridges(engine, &shared, imports)?;
        Ok(InterpretedNative { _bridges: bridges, shared })
    }

    pub(super) fn module(&self) -> &Module {
        self.shared.verified.module()
    }

    /// The address by which C calls a function, if that may be taken.
    pub(super) fn entry(&self, function: u32) -> Option<usize> {
        self.shared.addresses.get()?.get(&Target::Function(function)).map(|&address| address as usize)
    }

    fn state(&self) -> &State {
        // SAFETY: between calls the state is the owner's, who has allowed native access and so answers for what threads
        // of C may call back meanwhile.
        unsafe { &*self.shared.state.get() }
    }

    fn state_mut(&mut self) -> &mut State {
        // SAFETY: as above.
        unsafe { &mut *self.shared.state.get() }
    }

    pub(super) fn memory(&self) -> &[u8] {
        self.state().memory.bytes()
    }

    pub(super) fn memory_mut(&mut self) -> &mut [u8] {
        self.state_mut().memory.bytes_mut()
    }

    pub(super) fn global(&self, index: usize) -> u64 {
        self.state().globals[index]
    }

    pub(super) fn set_global(&mut self, index: usize, bits: u64) {
        self.state_mut().globals[index] = bits;
    }

    pub(super) fn set_streams(&mut self, streams: Streams) {
        self.state_mut().streams = Some(streams);
    }

    /// Calls a function with raw register bits.
    pub(super) fn call(&mut self, function: u32, args: &[u64]) -> Result<Outcome, RunError> {
        self.shared.enter(function, args)
    }
}

impl Thunks {
    fn new(engine: &Engine, verified: &Verified) -> Result<Thunks, InstanceError> {
        let made = companion::thunks(verified).map_err(InstanceError::companion)?;
        let plain = (0..).zip(&verified.module().c_signatures);
        let plain =
            plain.map(|(n, signature)| (made.index.get(&(n, vec![])).copied(), signature.flat().results)).collect();
        let verified = verify(made.module).map_err(refused)?;
        let image = Arc::new(engine.stitch(&verified)?);
        let (runtime, stack) = (Arc::clone(engine.runtime()?), engine.config().stack_size);
        Ok(Thunks { runtime, verified, image, stack, index: made.index, plain, free: Mutex::default() })
    }

    /// One that no call is in progress on.
    fn take(&self) -> Result<Caller, exec::ExecError> {
        if let Some(free) = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(free);
        }
        let (image, natives) = (Arc::clone(&self.image), exec::Natives::default());
        let instance = exec::Instance::with_natives(&self.runtime, &self.verified, image, None, self.stack, natives)?;
        let functions = (0..).map_while(|index| instance.function(index)).collect();
        Ok(Caller { instance, functions })
    }

    /// The thunk for a call.
    fn find(&self, call: &Call<'_>) -> Option<u32> {
        match call.further {
            [] => self.plain[call.signature as usize].0,
            further => self.index.get(&(call.signature, further.to_vec())).copied(),
        }
    }

    /// Makes the call that stands in a buffer.
    fn call(&self, thunk: u32, buffer: &mut [u64]) -> Result<Ended, RunError> {
        let mut caller = self.take().map_err(|error| RunError::Memory(error.into()))?;
        let place = buffer.as_mut_ptr() as u64;
        let result = caller.instance.call(&caller.functions[thunk as usize], &[place], &mut []);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(caller);
        result.map_err(without_thunks)
    }
}

/// A thunk can have a trap of its own, where C finds too little stack, and so can the call of a thunk, where too many are
/// nested. A thunk is no function of the program: such a trap has no frames.
fn without_thunks(error: RunError) -> RunError {
    let overflow = || Trap { kind: TrapKind::StackOverflow, frames: Vec::new(), depth: 0 };
    match error {
        RunError::Trap(trap) if trap.kind == TrapKind::StackOverflow && trap.depth == 1 => overflow().into(),
        RunError::Memory(error) if error.kind() == io::ErrorKind::QuotaExceeded => overflow().into(),
        other => other,
    }
}

/// What the verifier says of a companion means that the companion is wrong.
fn refused(error: VerifyError) -> InstanceError {
    InstanceError::companion(error)
}

/// Makes the bridges, and finds out the addresses that the program may ask for.
fn bridges(engine: &Engine, shared: &Arc<Shared>, imports: &Imports) -> Result<exec::Instance, InstanceError> {
    let host = Host {
        context: Arc::as_ptr(shared) as u64,
        begin: begin as *const () as u64,
        run: run as *const () as u64,
        end: end as *const () as u64,
    };
    let all = engine.config().entries == Entries::All;
    let mut made = companion::bridges(&shared.verified, host, all).map_err(InstanceError::companion)?;
    let source = shared.verified.module().source.as_ref();
    made.module.source = source.map(|source| Source { name: source.name.clone(), text: String::new() });
    let verified = verify(made.module).map_err(refused)?;
    let image = engine.stitch(&verified)?;
    let mut instance = engine.bind(&verified, image, imports)?;
    let mut addresses = vec![0u64; made.targets.len()];
    let place = addresses.as_mut_ptr() as u64;
    if let Some(function) = instance.function(made.addresses) {
        let told = instance.call(&function, &[place], &mut []);
        told.map_err(InstanceError::companion)?;
    }
    let addresses = made.targets.into_iter().zip(addresses).collect();
    shared.addresses.get_or_init(|| addresses);
    Ok(instance)
}

impl Shared {
    /// Interprets a function.
    fn enter(&self, function: u32, args: &[u64]) -> Result<Outcome, RunError> {
        let mut access = Access { shared: self, held: Some(self.hold()) };
        // SAFETY: the gate is held.
        let world = unsafe { self.world() };
        let program = (&self.verified, &self.codes);
        let (len, result) = interp::call_with_natives(&Limits::default(), program, world, &mut access, function, args);
        // SAFETY: the gate is held, and the run has ended.
        let state = unsafe { &mut *self.state.get() };
        state.memory.set_len(len);
        let result = match &mut state.streams {
            Some(streams) => streams.finish(result),
            None => result,
        };
        drop(access);
        result
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as the interpreter works on it.
    ///
    /// # Safety
    /// The gate must be held for as long as it is used.
    unsafe fn world<'w>(&self) -> World<'w> {
        // SAFETY: nobody else reaches the state while the gate is held; it lives as long as this, which whoever runs the
        // program keeps.
        let State { memory, globals, streams } = unsafe { &mut *self.state.get() };
        let streams = streams.get_or_insert_with(Streams::standard);
        World { memory: memory.view(), globals, streams }
    }
}

/// What an interpreter was handed to reach C.
struct Access<'s> {
    shared: &'s Shared,
    /// The gate, but for while C runs.
    held: Option<MutexGuard<'s, ()>>,
}

impl<'w> Native<'w> for Access<'_> {
    fn custom(&mut self, number: u32, args: &[u64]) -> Result<u64, RunError> {
        self.shared.opcodes.as_ref().map_or(Err(RunError::NoOpcode), |opcodes| opcodes.execute(number, args))
    }

    fn address(&mut self, target: Target) -> u64 {
        self.shared.addresses.get().and_then(|known| known.get(&target)).copied().unwrap_or(0)
    }

    fn load(&mut self, address: u64, bytes: &mut [u8]) {
        // SAFETY: whoever allows native access answers for the addresses that the program uses.
        unsafe { ptr::copy_nonoverlapping(address as *const u8, bytes.as_mut_ptr(), bytes.len()) };
    }

    fn store(&mut self, address: u64, bytes: &[u8]) {
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
    }

    fn call(&mut self, lent: Lent<'_, 'w>, call: &Call<'_>, results: &mut Vec<u64>) -> Result<Left, RunError> {
        let thunks = &self.shared.thunks;
        let types = &thunks.plain[call.signature as usize].1;
        // There is one for each call in the program.
        let Some(thunk) = thunks.find(call) else { return Err(RunError::NoNatives) };
        let mut buffer = vec![0; (1 + call.args.len()).max(types.len())];
        buffer[0] = call.address;
        buffer[1..=call.args.len()].copy_from_slice(call.args);
        // SAFETY: the gate is held. What the interpreter has of the state it does not use before it is given it anew.
        unsafe { (*self.shared.state.get()).memory.set_len(lent.memory.len()) };
        self.held = None;
        let ended = thunks.call(thunk, &mut buffer);
        self.held = Some(self.shared.hold());
        // SAFETY: the gate is held again.
        let world = unsafe { self.shared.world() };
        (*lent.memory, *lent.globals, *lent.streams) = (world.memory, world.globals, world.streams);
        match ended? {
            Ended::Halted => Ok(Left::Halted),
            Ended::Returned => {
                let whole = |(ty, bits): (&Type, u64)| if ty.class().is_float() { ty.normalise(bits) } else { bits };
                results.extend(types.iter().zip(buffer).map(whole));
                Ok(Left::Returned)
            }
        }
    }
}

/// What stands before the words of a buffer: the function, how many arguments there are, and how many words.
const HEAD: usize = 3;

/// See [`Host::begin`].
extern "sysv64" fn begin(context: *const Shared, function: u64, count: u64) -> *mut u64 {
    // SAFETY: bridges pass the context that they were made for, which outlives their code.
    let module = unsafe { &*context }.verified.module();
    let words = module.functions[function as usize].signature.results.len().max(count as usize);
    let mut buffer = vec![0; HEAD + words].into_boxed_slice();
    buffer[..HEAD].copy_from_slice(&[function, count, words as u64]);
    Box::into_raw(buffer).cast::<u64>().wrapping_add(HEAD)
}

/// The whole of a buffer.
///
/// # Safety
/// It must have come from [`begin`], and may be taken once.
unsafe fn whole(buffer: *mut u64) -> Box<[u64]> {
    let start = buffer.wrapping_sub(HEAD);
    // SAFETY: as the caller promises.
    unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, HEAD + start.add(2).read() as usize)) }
}

/// See [`Host::end`].
extern "sysv64" fn end(_: *const Shared, buffer: *mut u64) {
    // SAFETY: bridges give back what they were given, once.
    drop(unsafe { whole(buffer) });
}

/// See [`Host::run`].
extern "sysv64" fn run(context: *const Shared, buffer: *mut u64) -> u64 {
    // SAFETY: as above; where the function returns, the bridge goes on with the buffer.
    let (shared, mut owned) = unsafe { (&*context, whole(buffer)) };
    let (function, count) = (owned[0] as u32, owned[1] as usize);
    match catch_unwind(AssertUnwindSafe(|| shared.enter(function, &owned[HEAD..HEAD + count]))) {
        Ok(Ok(Outcome::Returned(results))) => {
            owned[HEAD..HEAD + results.len()].copy_from_slice(&results);
            _ = Box::into_raw(owned);
            return Host::RETURNED;
        }
        Ok(Ok(Outcome::Halted)) => return Host::HALTED,
        Ok(Err(RunError::Trap(trap))) => exec::set_pending(Pending::Error(trap.called_by_c().into())),
        Ok(Err(error)) => exec::set_pending(Pending::Error(error)),
        Err(panic) => exec::set_pending(Pending::Panic(panic)),
    }
    Host::STOPPED
}
