//! What a module keeps between calls, as the interpreter holds it: globals and linear memory.
//!
//! Comes in: a verified module. Goes out: its state, with globals and `init` data in place. What must hold: memory is
//! zero where nothing was written, and costs nothing until it is touched.

use std::io;
use std::sync::{Arc, OnceLock};

use memmap2::{MmapMut, MmapOptions};

use crate::module::{Global, MAX_PAGES, Memory, Module, PAGE};
use crate::objects::View;
use crate::verified::Verified;

use super::code::Code;

/// The state of a module.
#[derive(Debug)]
pub struct Store {
    /// The linear memory; empty where the module has none.
    pub memory: LinearMemory,
    /// The globals' raw bits, by index.
    pub globals: Vec<u64>,
    pub(super) codes: Codes,
}

/// The functions of a module in the form that is executed, as far as they have been needed.
#[derive(Debug)]
pub struct Codes {
    /// The module whose functions they are. While it is held here no other can be in its place.
    module: Arc<Module>,
    all: Box<[OnceLock<Code>]>,
    /// Whether the module is linked with others.
    is_linked: bool,
}

impl Codes {
    /// Those of `verified`, none of which has been needed yet.
    #[must_use]
    pub fn new(verified: &Verified) -> Codes {
        let all = verified.functions.iter().map(|_| OnceLock::new()).collect();
        Codes { module: Arc::clone(&verified.module), all, is_linked: verified.module.is_linked() }
    }

    /// Those of a module that is linked, whether it needs to be or not.
    pub(super) fn linked(verified: &Verified) -> Codes {
        Codes { is_linked: true, ..Codes::new(verified) }
    }

    /// Whether the module is linked with others.
    pub(super) fn is_linked(&self) -> bool {
        self.is_linked
    }

    /// The functions.
    pub(super) fn all(&self) -> &[OnceLock<Code>] {
        &self.all
    }

    /// Fails if they are those of another module.
    pub(super) fn check(&self, verified: &Verified) {
        assert!(Arc::ptr_eq(&self.module, &verified.module), "decoded functions are those of one module");
    }

    /// The functions of `verified`; none has been decoded if the last call was one of another module.
    pub(super) fn of(&mut self, verified: &Verified) -> &Codes {
        if !Arc::ptr_eq(&self.module, &verified.module) {
            *self = Codes::new(verified);
        }
        self
    }
}

impl Store {
    /// The state with which the module starts.
    ///
    /// # Errors
    /// Where the system has no room for the memory.
    pub fn new(verified: &Verified) -> io::Result<Store> {
        let module = verified.module();
        let mut memory = LinearMemory::new(module.memory.as_ref())?;
        for init in &module.inits {
            let start = init.offset as usize;
            memory.bytes_mut()[start..start + init.bytes.len()].copy_from_slice(&init.bytes);
        }
        let globals = module.globals.iter().map(Global::bits).collect();
        Ok(Store { memory, globals, codes: Codes::new(verified) })
    }
}

/// A linear memory that can grow in place.
#[derive(Debug)]
pub struct LinearMemory {
    /// Address space for as much as it may grow to.
    map: Option<MmapMut>,
    len: usize,
    max: u32,
}

impl LinearMemory {
    fn new(memory: Option<&Memory>) -> io::Result<LinearMemory> {
        let (min, max) = memory.map_or((0, 0), |memory| (memory.min, memory.max.unwrap_or(MAX_PAGES)));
        let len = bytes(min);
        if max == 0 {
            return Ok(LinearMemory { map: None, len, max });
        }
        let reserve = |pages| MmapOptions::new().len(bytes(pages)).no_reserve_swap().map_anon();
        // Where address space is short, there is at least room for what is asked for at once.
        let map = reserve(max).or_else(|_| reserve(min.max(1)))?;
        let max = max.min((map.len() as u64 / PAGE) as u32);
        Ok(LinearMemory { map: Some(map), len, max })
    }

    /// Its size in pages.
    #[must_use]
    pub fn pages(&self) -> u32 {
        (self.len as u64 / PAGE) as u32
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.map.as_ref().map_or(&[], |map| &map[..self.len])
    }

    /// Its bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.map.as_mut().map_or(&mut [], |map| &mut map[..self.len])
    }

    /// The memory as a running program works on it.
    pub(crate) fn view(&mut self) -> View<'_> {
        View::new(self.map.as_mut().map_or(&mut [], |map| &mut map[..]), self.len, self.max)
    }

    /// Sets how many bytes there are, after those who worked on its [view](Self::view) made them more.
    pub(crate) fn set_len(&mut self, len: usize) {
        self.len = len;
    }

    /// Grows by `pages` and gives the old size; `None`, and nothing changes, where that is too much.
    pub fn grow(&mut self, pages: u32) -> Option<u32> {
        let mut view = self.view();
        let old = view.grow(pages)?;
        self.len = view.len();
        Some(old)
    }
}

fn bytes(pages: u32) -> usize {
    (u64::from(pages) * PAGE) as usize
}
