//! Modules that are linked, as stores have them run.
//!
//! Comes in: a verified module and its links. Goes out: machine code that is bound to them. What must hold: what needs a
//! store is refused elsewhere, and what uses C is refused here.

use std::sync::Arc;

use crate::exec::{self, Natives, SharedStreams};
use crate::module::Module;
use crate::objects::Links;
use crate::stitch::image::Image;
use crate::verified::Verified;

use super::natives::native;
use super::{Engine, InstanceError};

impl Engine {
    /// Machine code of a linked module, bound to its links. It is stitched now where there is no `image` of it.
    pub(crate) fn link(
        &self,
        verified: &Verified,
        image: Option<Arc<Image>>,
        links: Arc<Links>,
        streams: Arc<SharedStreams>,
    ) -> Result<exec::Instance, InstanceError> {
        Engine::may_link(verified.module())?;
        let image = match image {
            Some(image) => image,
            None => Arc::new(self.stitch(verified)?),
        };
        let (stack, natives) = (self.config().stack_size, Natives::default());
        #[cfg_attr(not(feature = "elf"), allow(unused_mut, reason = "nobody is told of it"))]
        let mut made = exec::Instance::linked(self.runtime()?, verified, image, streams, stack, natives, links)?;
        #[cfg(feature = "elf")]
        made.observe(self.config().observers, true);
        Ok(made)
    }

    /// Refuses what a store has nobody to do for.
    pub(crate) fn may_link(module: &Module) -> Result<(), InstanceError> {
        let opcode = || module.customs.first().map(|custom| (format!("opcode {}", custom.op.name), custom.line));
        let Some((item, line)) = native(module).or_else(opcode) else { return Ok(()) };
        Err(InstanceError::Linked { place: super::natives::place(module, line), item })
    }
}

/// Refuses a linked module to who asks for an instance without a store.
pub(super) fn refuse(module: &Module) -> Result<(), InstanceError> {
    if !module.is_linked() {
        return Ok(());
    }
    let first = |what: &str, name: Option<&String>| name.map(|name| format!("{what} `{name}`"));
    let import = first("imports", module.imports.first().map(|import| &import.name));
    let export = || first("exports", module.exports.first().map(|export| &export.name));
    let what = import.or_else(export).unwrap_or_else(|| "has tables or items that it may share".to_owned());
    Err(InstanceError::Store(what))
}
