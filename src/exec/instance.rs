//! An image brought to life: its code mapped, its data made, its holes filled.
//!
//! Comes in: a verified module and its image. Goes out: [`Instance`], whose functions can be called. What must hold: code,
//! data and memory live as long as the instance; nothing that stitched code changes is lent while it can run; after a
//! trap everything is as the program left it, and usable.

#![allow(unsafe_code, reason = "shares the context with machine code")]
#![allow(clippy::cast_ptr_alignment, reason = "data blocks are aligned to 64 bytes and stacks to pages")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::module::Module;
use crate::objects::Links;
use crate::stitch::image::{Image, TABLE_ENTRY};
use crate::streams::Streams;
use crate::verified::Verified;

use super::arena::{DataBlock, ExecutableCode};
use super::bind::{self, Bases, DataPlace, GLOBALS, Layout, check, publish};
use super::call::Plan;
use super::context::{Context, SharedStreams, Span, State};
use super::error::ExecError;
use super::helpers;
use super::linked;
use super::memory::LinearMemory;
use super::natives::Natives;
use super::registry::{self, Registration};
use super::runtime::Runtime;
use super::signals;
use super::stack::stack_size;

/// A function of one instance, and how it is called.
#[derive(Clone, Debug)]
pub struct Function {
    pub(super) instance: u64,
    pub(super) entry: usize,
    pub(super) enter: usize,
    pub(super) plan: Plan,
}

/// A module that can be called.
#[derive(Debug)]
pub struct Instance {
    /// Tells instances of a process apart.
    pub(super) id: u64,
    /// Before the code, so that nobody finds code that is gone.
    _registration: Registration,
    #[cfg(feature = "elf")]
    observed: super::observe::Observed,
    module: Arc<Module>,
    image: Arc<Image>,
    pub(super) runtime: Arc<Runtime>,
    code: ExecutableCode,
    data: DataBlock,
    /// From [`Box::into_raw`]; the context refers to it as well.
    state: *mut State,
    pub(super) stack_size: usize,
    /// Keeps what the externs are in place.
    _natives: Natives,
    /// What a linked module is linked with.
    pub(super) links: Option<Arc<Links>>,
}

// SAFETY: the pointers are to what the instance owns, and none of it is tied to a thread: a call takes its stack from the
// thread that it is made on. Streams are Send.
unsafe impl Send for Instance {}

static INSTANCES: AtomicU64 = AtomicU64::new(0);

impl Instance {
    /// An instance of a module without externs.
    #[cfg(test)]
    pub fn new(
        runtime: &Arc<Runtime>,
        verified: &Verified,
        image: Arc<Image>,
        streams: Option<Streams>,
        stack: usize,
    ) -> Result<Instance, ExecError> {
        Instance::with_natives(runtime, verified, image, streams, stack, Natives::default())
    }

    /// Maps an image of `verified` and makes what it refers to.
    ///
    /// # Errors
    /// Where there is no room, or the image is not one of this module.
    pub fn with_natives(
        runtime: &Arc<Runtime>,
        verified: &Verified,
        image: Arc<Image>,
        streams: Option<Streams>,
        stack: usize,
        natives: Natives,
    ) -> Result<Instance, ExecError> {
        let memory = verified.module.memory.as_ref().map(LinearMemory::new).transpose()?.map(Arc::new);
        let state = State::new(memory, Arc::new(SharedStreams::new(streams)));
        Instance::make(runtime, verified, image, stack, natives, state)
    }

    /// Maps an image of a linked module, and lets others call those of its functions that they may.
    ///
    /// Instances of one store print to and read from the same streams. This one must live for as long as any function in
    /// `links` may be called, and whatever is linked with it.
    ///
    /// # Errors
    /// Where there is no room, the image is not one of this module, or the links are those of another.
    #[allow(clippy::needless_pass_by_value, reason = "the instance keeps the links")]
    pub fn linked(
        runtime: &Arc<Runtime>,
        verified: &Verified,
        image: Arc<Image>,
        streams: Arc<SharedStreams>,
        stack: usize,
        natives: Natives,
        links: Arc<Links>,
    ) -> Result<Instance, ExecError> {
        linked::check(&links, &verified.module)?;
        let state = State { links: Some(Arc::clone(&links)), ..State::new(links.memory.clone(), streams) };
        let stack = linked::stack(stack);
        let made = Instance::make(runtime, verified, image, stack, natives, state)?;
        if let Some(links) = &made.links {
            linked::connect(links, &made.module, &made.image, made.code.address());
        }
        Ok(made)
    }

    fn make(
        runtime: &Arc<Runtime>,
        verified: &Verified,
        image: Arc<Image>,
        stack: usize,
        natives: Natives,
        state: State,
    ) -> Result<Instance, ExecError> {
        let module = &verified.module;
        check(&image, module)?;
        // C may call its functions before anyone else does.
        signals::install()?;
        if natives.addresses.len() != module.externs.len() {
            return Err(ExecError::Image("another number of C functions than the module has externs".to_owned()));
        }
        let layout = Layout::new(module, &image);
        let data = runtime.arena().data(layout.len)?;
        let code = bind::room(runtime, &layout)?;
        let (image_of, externs) = (&image, &natives.addresses);
        let (at_data, at_code) = (data.base() as usize, code.address());
        let bases = Bases { module, image: image_of, layout: &layout, data: at_data, code: at_code, externs };
        let code = publish(&bases, code)?;
        // SAFETY: the block is as long as the layout says, this instance's alone, and zero.
        fill_data(&bases, unsafe { std::slice::from_raw_parts_mut(data.base(), layout.len) })?;
        let links = state.links.clone();
        if let Some(links) = &links {
            // SAFETY: as above.
            let cells = unsafe { std::slice::from_raw_parts_mut(data.base().add(layout.linked), layout.cells.len) };
            linked::fill(module, links, cells);
        }
        let state = Box::into_raw(Box::new(state));
        let registration = registry::register((code.address(), image.code.len()), data.base().cast());
        let runtime = Arc::clone(runtime);
        let module = Arc::clone(module);
        let id = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let stack_size = stack_size(stack);
        let mut made = Instance {
            id,
            _registration: registration,
            #[cfg(feature = "elf")]
            observed: super::observe::Observed::default(),
            module,
            image,
            runtime,
            code,
            data,
            state,
            stack_size,
            _natives: natives,
            links,
        };
        made.fill_context();
        made.fill_items(verified, &layout);
        Ok(made)
    }

    /// Tells the unwinder of its code, where C may be between its frames (`with_c`), and whom `observers` names.
    #[cfg(feature = "elf")]
    pub fn observe(&mut self, observers: super::Observers, with_c: bool) {
        self.observed = super::observe::tell(observers, with_c, &self.runtime, &self.module, &self.image, self.code());
    }

    pub(super) fn context(&self) -> *mut Context {
        self.data.base().cast()
    }

    pub(super) fn state(&self) -> &State {
        // SAFETY: the state lives as long as the instance. Helpers change it only during calls, which borrow the instance
        // mutably.
        unsafe { &*self.state }
    }

    fn fill_context(&mut self) {
        let memory = self.state().memory.as_deref();
        let code = Span::new(self.code.address(), self.image.code.len());
        let origin = (Arc::as_ptr(&self.image), Arc::as_ptr(&self.module));
        let context = Context {
            memory: memory.map_or(0, LinearMemory::base),
            helpers: helpers::addresses(),
            pages: memory.map_or(0, LinearMemory::pages),
            reach: memory.map(LinearMemory::reach).map_or(Span::default(), |reach| Span::new(reach.start, reach.len())),
            state: self.state,
            ..Context::new(code, origin, self.runtime.trap_exit())
        };
        // SAFETY: the block is long enough, aligned to 64, and this instance's alone.
        unsafe { self.context().write(context) };
    }

    fn fill_items(&mut self, verified: &Verified, layout: &Layout) {
        let module = Arc::clone(&self.module);
        for (index, global) in module.globals.iter().enumerate() {
            let known = self.links.as_ref().map(|links| links.globals[index].get());
            // SAFETY: the place is there.
            unsafe { self.global_place(index as u32).write(known.unwrap_or(global.bits())) };
        }
        for (table, &at) in module.tables.iter().zip(&layout.tables) {
            for (nth, &function) in table.functions.iter().enumerate() {
                let entry = self.code.address() + self.image.functions[function as usize].entry as usize;
                let id = verified.signature_ids[function as usize];
                // SAFETY: the layout has room for this entry, 8-byte aligned.
                unsafe {
                    let place = self.data.base().add(at + nth * TABLE_ENTRY as usize);
                    place.cast::<usize>().write(entry);
                    place.add(8).cast::<u32>().write(id);
                }
            }
        }
        if let Some(memory) = &self.state().memory {
            for init in &module.inits {
                // The verifier has seen that it fits; a memory that is shared has at least as many pages.
                let _ = memory.write(init.offset, &init.bytes);
            }
        }
    }

    /// The module.
    #[must_use]
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The image that it was made from.
    #[cfg(test)]
    #[must_use]
    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// Its code, every hole filled, and where that is.
    #[must_use]
    pub fn code(&self) -> (usize, &[u8]) {
        (self.code.address(), &self.code.bytes()[..self.image.code.len()])
    }

    /// The linear memory that is this instance's alone.
    fn own_memory(&self) -> Option<&LinearMemory> {
        self.state().memory.as_deref().filter(|_| self.links.is_none())
    }

    /// The bytes of the linear memory; none where the module has no memory, or is linked: then others may write it.
    #[must_use]
    pub fn memory(&self) -> &[u8] {
        // SAFETY: code that writes it runs only in calls that borrow the instance mutably.
        self.own_memory().map_or(&[], |memory| unsafe { memory.bytes() })
    }

    /// The bytes of the linear memory.
    #[must_use]
    pub fn memory_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the instance is borrowed mutably.
        self.own_memory().map_or(&mut [], |memory| unsafe { memory.bytes_mut() })
    }

    /// The bits of a global. Those that a linked module shares are elsewhere.
    ///
    /// # Panics
    /// If there is no such global.
    #[must_use]
    pub fn global(&self, index: u32) -> u64 {
        // SAFETY: the place was checked; code that writes there runs only in calls.
        unsafe { self.global_place(index).read() }
    }

    /// Sets the bits of a global.
    ///
    /// # Panics
    /// If there is no such global.
    pub fn set_global(&mut self, index: u32, bits: u64) {
        // SAFETY: as above.
        unsafe { self.global_place(index).write(bits) };
    }

    fn global_place(&self, index: u32) -> *mut u64 {
        assert!((index as usize) < self.module.globals.len(), "there is no global number {index}");
        self.data.base().wrapping_add(GLOBALS + 8 * index as usize).cast()
    }

    /// Sets where `print` and `read` go, and gives back where they went.
    pub fn set_streams(&mut self, streams: Streams) -> Option<Streams> {
        self.state().streams.lock().replace(streams)
    }

    /// The address of a function's entry for C, if it has one.
    #[must_use]
    pub fn entry(&self, function: u32) -> Option<usize> {
        let found = self.image.entries.binary_search_by_key(&function, |entry| entry.function).ok()?;
        Some(self.code.address() + self.image.entries[found].start as usize)
    }

    /// The function with this index, ready to be called.
    #[must_use]
    pub fn function(&self, index: u32) -> Option<Function> {
        let plan = Plan::new(&self.module.functions.get(index as usize)?.signature);
        let entry = self.code.address() + self.image.functions[index as usize].entry as usize;
        Some(Function { instance: self.id, entry, enter: self.runtime.enter(plan.floats), plan })
    }
}

/// Writes the items of data that can be written.
fn fill_data(bases: &Bases, block: &mut [u8]) -> Result<(), ExecError> {
    for (data, place) in bases.module.data.iter().zip(&bases.layout.data) {
        if let DataPlace::Writable(at) = *place {
            bases.fill(data, &mut block[at..at + data.len() as usize])?;
        }
    }
    for (cell, &address) in block[bases.layout.externs..].chunks_exact_mut(8).zip(bases.externs) {
        cell.copy_from_slice(&(address as u64).to_le_bytes());
    }
    Ok(())
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `Box::into_raw`, and no call is in progress.
        drop(unsafe { Box::from_raw(self.state) });
    }
}
