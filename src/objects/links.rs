//! All that one instance is linked with.
//!
//! Comes in: what a store has found for a module's imports, and made for its own items. Goes out: [`Links`], which every tier
//! reads the same way, and what instructions on tables and segments do with it. What must hold: each list is as long as
//! the module's, and each entry has the type that the module says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::isa::op::{Op, Type};
use crate::isa::trap::TrapKind;
use crate::module::Module;
use crate::module::link::Constant;
use crate::module::native::Target;

use super::{Body, Func, Funcs, Global, LinearMemory, OutOfBounds, Table, signature_number};

/// What an instance is linked with. Code of the instance and its store hold it together.
#[derive(Debug, Default)]
pub struct Links {
    /// The store's number of the instance.
    pub instance: u32,
    /// All functions of the store.
    pub funcs: Arc<Funcs>,
    /// The imported functions, by their number.
    pub imports: Vec<Arc<Func>>,
    /// The module's own functions, as far as anybody has referred to them; see [`Links::function`].
    pub own: Vec<OnceLock<Arc<Func>>>,
    /// The tables, by their number; none where a table is a fixed one.
    pub tables: Vec<Option<Arc<Table>>>,
    /// The globals, by their number.
    pub globals: Vec<Arc<Global>>,
    /// The linear memory.
    pub memory: Option<Arc<LinearMemory>>,
    /// The elements, by their number, as tables hold them.
    pub elements: Vec<Vec<u64>>,
    /// Which of the elements are gone.
    pub elements_gone: Vec<AtomicBool>,
    /// Which of the segments are gone.
    pub segments_gone: Vec<AtomicBool>,
    /// For each of the module's signatures, its number in the process.
    pub signatures: Vec<u32>,
}

impl Links {
    /// The links of a module whose imports have been found: lists for its own items. Its elements are yet to be
    /// [filled](Links::fill_elements).
    #[must_use]
    pub fn new(instance: u32, funcs: &Arc<Funcs>, module: &Module) -> Links {
        let flags = |n: usize| (0..n).map(|_| AtomicBool::new(false)).collect();
        Links {
            instance,
            funcs: Arc::clone(funcs),
            own: module.functions.iter().map(|_| OnceLock::new()).collect(),
            elements_gone: flags(module.elements.len()),
            segments_gone: flags(module.segments.len()),
            signatures: module.signatures.iter().map(signature_number).collect(),
            ..Links::default()
        }
    }

    /// What is known of a function, as those outside of the module see it. `None` for what is none of the module.
    #[must_use]
    pub fn function(&self, module: &Module, target: Target) -> Option<Arc<Func>> {
        match target {
            Target::Import(index) => self.imports.get(index as usize).cloned(),
            Target::Function(index) => {
                let make = || {
                    let signature = module.functions[index as usize].signature.clone();
                    self.funcs.add(signature, Body::Instance { instance: self.instance, function: index })
                };
                Some(Arc::clone(self.own.get(index as usize)?.get_or_init(make)))
            }
            _ => None,
        }
    }

    /// The raw bits of a constant, as a register of its type holds them.
    #[must_use]
    pub fn constant(&self, module: &Module, constant: Constant) -> u64 {
        match constant {
            Constant::Bits(bits) => bits,
            Constant::Global(index) => self.globals.get(index as usize).map_or(0, |global| global.get()),
            Constant::Function(target) => self.function(module, target).map_or(0, |func| u64::from(func.handle())),
        }
    }

    /// Makes the elements of the module as tables hold them, when its globals are there.
    pub fn fill_elements(&mut self, module: &Module) {
        let element = |ty: Type, constant: &Constant| self.element(ty, self.constant(module, *constant));
        let one = |elements: &crate::module::link::Elements| {
            elements.items.iter().map(|item| element(elements.ty, item)).collect()
        };
        self.elements = module.elements.iter().map(one).collect();
    }

    /// What a table of this type holds for a handle.
    #[must_use]
    pub fn element(&self, ty: Type, handle: u64) -> u64 {
        if ty == Type::Funcref { self.funcs.element(handle) } else { handle & 0xffff_ffff }
    }

    /// Does an instruction on tables, elements or segments, but for `ref`: `named` are the numbers that it names, `args` its
    /// arguments.
    ///
    /// # Errors
    /// Where it reaches outside.
    pub fn execute(&self, module: &Module, op: Op, named: [u32; 2], args: [u32; 3]) -> Result<u32, TrapKind> {
        let [a, b, c] = args;
        let table = |number: u32| self.tables[number as usize].as_ref().ok_or(TrapKind::OutOfBoundsTable);
        let outside = |_: OutOfBounds| TrapKind::OutOfBoundsTable;
        let none = |()| 0;
        match op {
            Op::Tget => {
                let table = table(named[0])?;
                let element = table.get(a).map_err(outside)?;
                Ok(if table.ty() == Type::Funcref { self.funcs.handle_at(element) } else { element as u32 })
            }
            Op::Tset => {
                let table = table(named[0])?;
                table.set(a, self.element(table.ty(), b.into())).map(none).map_err(outside)
            }
            Op::Tsize => Ok(table(named[0])?.len()),
            Op::Tgrow => {
                let table = table(named[0])?;
                Ok(table.grow(self.element(table.ty(), a.into()), b).unwrap_or(u32::MAX))
            }
            Op::Tfill => {
                let table = table(named[0])?;
                table.fill(a, self.element(table.ty(), b.into()), c).map(none).map_err(outside)
            }
            Op::Tcopy => {
                let from = table(named[1])?.read(b, c).map_err(outside)?;
                table(named[0])?.write(a, &from).map(none).map_err(outside)
            }
            Op::Tinit => {
                let part = part(&self.elements[named[1] as usize], &self.elements_gone[named[1] as usize], b, c);
                table(named[0])?.write(a, part.map_err(outside)?).map(none).map_err(outside)
            }
            Op::Edrop => {
                self.elements_gone[named[0] as usize].store(true, Ordering::Relaxed);
                Ok(0)
            }
            Op::Minit => {
                let outside = |_: OutOfBounds| TrapKind::OutOfBoundsMemory;
                let bytes = &module.segments[named[0] as usize].bytes;
                let part = part(bytes, &self.segments_gone[named[0] as usize], b, c).map_err(outside)?;
                let memory = self.memory.as_ref().ok_or(TrapKind::OutOfBoundsMemory)?;
                memory.write(a, part).map(none).map_err(outside)
            }
            _ => {
                self.segments_gone[named[0] as usize].store(true, Ordering::Relaxed);
                Ok(0)
            }
        }
    }
}

/// `n` items from `from` on of what may be gone.
fn part<'a, T>(all: &'a [T], gone: &AtomicBool, from: u32, n: u32) -> Result<&'a [T], OutOfBounds> {
    let all = if gone.load(Ordering::Relaxed) { &[] } else { all };
    all.get(from as usize..).and_then(|rest| rest.get(..n as usize)).ok_or(OutOfBounds)
}
