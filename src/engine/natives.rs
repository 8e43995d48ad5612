//! Native access: which engines allow it, and what refuses it in those that do not.
//!
//! Comes in: an embedder's word that its programs may be trusted. Goes out: engines that run programs which use C, or an
//! error that names what does. What must hold: without that word, whatever a safe program does stays in its registers,
//! globals, linear memory and streams.

#![allow(unsafe_code, reason = "whoever allows native access answers for what programs do with it")]

use std::ffi::c_void;
use std::sync::Arc;

use crate::exec::{self, BindError, Imports, resolve};
use crate::isa::op::Shape;
use crate::module::Module;
use crate::stitch::image::Image;
use crate::verified::Verified;

use super::{Config, Engine, Inner, Instance, InstanceError, Shared};

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
        let file = module.source.as_ref().map(|source| source.name.as_str());
        let place = match (file, line) {
            (_, 0) => String::new(),
            (Some(file), line) => format!("{file}:{line}: "),
            (None, line) => format!("line {line}: "),
        };
        Err(InstanceError::Natives { place, item })
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
        let bound = bound.map_err(|error| match error {
            BindError::Import(error) => InstanceError::Import(error),
            BindError::Exec(error) => InstanceError::Exec(error),
        })?;
        let mut natives = resolve(module, &bound.addresses)?;
        natives.owners.extend(bound.owners);
        Ok(exec::Instance::with_natives(runtime, verified, Arc::new(image), None, config.stack_size, natives)?)
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
