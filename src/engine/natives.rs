//! Native access: which engines allow it, and what refuses it in those that do not.
//!
//! Comes in: an embedder's word that its programs may be trusted. Goes out: engines that run programs which use C, or an
//! error that names what does. What must hold: without that word, whatever a safe program does stays in its registers,
//! globals, linear memory and streams.

#![allow(unsafe_code, reason = "whoever allows native access answers for what programs do with it")]

use std::ffi::c_void;
use std::sync::{Arc, Mutex};

use crate::builder::{FunctionBuilder, ModuleBuilder};
use crate::exec::{self, BindError, Imports, Wide, resolve};
use crate::isa::op::Shape;
use crate::library::Library;
use crate::module::native::{CSignature, CType};
use crate::module::{Module, Reg};
use crate::stitch::Stitcher;
use crate::stitch::image::Image;
use crate::verified::Verified;
use crate::verify::verify;

use super::{Config, Engine, Entries, Inner, Instance, InstanceError, Shared};

impl Engine {
    /// An engine whose programs may use C: externs, native memory, addresses.
    ///
    /// # Safety
    /// Such a program can do anything that C can. Whoever allows it makes sure that the programs of this engine are
    /// trusted as C code in the same process would be: that they call functions as what they are, write only where they
    /// may, and leave frames of C behind, by a trap in what C has called back, only where C can stand it.
    #[must_use]
    pub unsafe fn allowing_natives(config: Config) -> Engine {
        Engine(Arc::new(Shared { config, natives: true, ..Shared::default() }))
    }

    /// An instance whose externs may be functions of the host.
    ///
    /// # Errors
    /// See [`InstanceError`].
    pub fn instantiate_with(&self, verified: &Verified, imports: &Imports) -> Result<Instance, InstanceError> {
        self.make(verified, imports, |_| ())
    }

    /// Refuses a module that uses C, unless this engine allows it.
    pub(super) fn permit(&self, module: &Module) -> Result<(), InstanceError> {
        if self.0.natives {
            return Ok(());
        }
        let Some((item, line)) = native(module) else { return Ok(()) };
        Err(InstanceError::Natives { place: place(module, line), item })
    }

    /// An instance that runs an image which [`stitch`](Self::stitch) made of this module.
    pub(super) fn instantiate_image(
        &self,
        verified: &Verified,
        image: Image,
        imports: &Imports,
    ) -> Result<Instance, InstanceError> {
        Ok(Instance { tier: Inner::Native(self.bind(verified, image, imports)?) })
    }

    /// Whether a module calls C or is called by it. One that is not permitted to does neither.
    pub(super) fn meets_c(&self, module: &Module) -> bool {
        native(module).is_some() || (self.0.natives && self.0.config.entries == Entries::All)
    }

    /// Functions that pass the environments of closures behind more arguments than there are registers.
    fn wide(&self, closures: &[Wide]) -> Result<exec::Instance, InstanceError> {
        let mut module = ModuleBuilder::new();
        for wide in closures {
            let result: Vec<CType> = wide.result.clone().into_iter().collect();
            let outer = CSignature { params: wide.params.clone(), results: result, ..CSignature::default() };
            let mut inner = outer.clone();
            inner.params.push(CType::I64);
            let (inner, flat) = (module.c_signature(inner), outer.flat());
            let mut f = FunctionBuilder::new(flat.clone());
            let (shim, environment) = (f.local(), f.local());
            f.const_i64(shim, wide.shim as i64);
            f.const_i64(environment, wide.environment as i64);
            let results: Vec<Reg> = flat.results.iter().map(|_| f.local()).collect();
            let args: Vec<Reg> = (1..=flat.params.len() as u32).map(Reg::arg).chain([environment]).collect();
            f.callp(&results, shim, inner, &args);
            f.ret(&results);
            let id = module.declare(&wide.name);
            module.define(id, f);
        }
        let verified = verify(module.finish().map_err(InstanceError::companion)?).map_err(InstanceError::companion)?;
        let mut stitcher = Stitcher::new(Library::native());
        stitcher.set_entries(Entries::All);
        let image = Arc::new(stitcher.stitch(&verified)?);
        let (stack, natives) = (self.0.config.stack_size, exec::Natives::default());
        #[cfg_attr(not(feature = "elf"), allow(unused_mut, reason = "nobody is told of it"))]
        let mut made = exec::Instance::with_natives(self.runtime()?, &verified, image, None, stack, natives)?;
        #[cfg(feature = "elf")]
        made.observe(self.0.config.observers, true);
        Ok(made)
    }

    /// An image with everything that it refers to.
    pub(super) fn bind(
        &self,
        verified: &Verified,
        image: Image,
        imports: &Imports,
    ) -> Result<exec::Instance, InstanceError> {
        let config = &self.0.config;
        let runtime = self.runtime()?;
        let module = verified.module();
        let bound = imports.bind(runtime, &module.externs, &module.c_signatures);
        let mut bound = bound.map_err(|error| match error {
            BindError::Import(error) => InstanceError::Import(error),
            BindError::Exec(error) => InstanceError::Exec(error),
        })?;
        if !bound.wide.is_empty() {
            let functions = self.wide(&bound.wide)?;
            for (nth, wide) in (0..).zip(&bound.wide) {
                bound.addresses.insert(wide.name.clone(), functions.entry(nth).unwrap_or(0));
            }
            bound.owners.push(Arc::new(Mutex::new(functions)));
        }
        let mut natives = resolve(module, &bound.addresses)?;
        natives.owners.extend(bound.owners);
        #[cfg_attr(not(feature = "elf"), allow(unused_mut, reason = "nobody is told of it"))]
        let mut native =
            exec::Instance::with_natives(runtime, verified, Arc::new(image), None, config.stack_size, natives)?;
        #[cfg(feature = "elf")]
        native.observe(config.observers, self.meets_c(module));
        Ok(native)
    }
}

impl Instance {
    /// The address by which C calls the function called `name`, where it has an entry for C: every function has with
    /// [`Config::entries`](super::Config), and else those whose address the program takes.
    ///
    /// Calling it is `unsafe`: as what it is (`int64_t` for `i64`, and so on; several results are a struct), and only
    /// while the instance lives. A trap there ends the innermost call of an instance that is in progress on the thread,
    /// and the process where there is none.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<*const c_void> {
        let index = self.module().function_index(name)?;
        match &self.tier {
            Inner::Interpreted(_) => None,
            Inner::InterpretedNative(native) => native.entry(index).map(|address| address as *const c_void),
            Inner::Native(native) => native.entry(index).map(|address| address as *const c_void),
        }
    }
}

/// File and line, with what separates them from what follows, as far as they are known.
pub(super) fn place(module: &Module, line: u32) -> String {
    let file = module.source.as_ref().map(|source| source.name.as_str());
    match (file, line) {
        (_, 0) => String::new(),
        (Some(file), line) => format!("{file}:{line}: "),
        (None, line) => format!("line {line}: "),
    }
}

/// The first item or instruction that uses C, and its line.
pub(super) fn native(module: &Module) -> Option<(String, u32)> {
    if let Some(one) = module.externs.first() {
        return Some((format!("extern {}", one.name), one.line));
    }
    if let Some(data) = module.data.first() {
        return Some((format!("{} {}", if data.writable { "data" } else { "rodata" }, data.name), data.line));
    }
    let uses = |shape| {
        matches!(shape, Shape::NativeLoad | Shape::NativeStore | Shape::CallExtern | Shape::Callp | Shape::Addr)
    };
    module.functions.iter().find_map(|function| {
        let at = function.insts.iter().position(|inst| uses(inst.op.row().shape))?;
        Some((function.insts[at].op.row().name(), function.line_of(at).unwrap_or(0)))
    })
}
