//! Running objects that Spasm wrote.
//!
//! Comes in: an object that was read, and its module verified. Goes out: an instance. What must hold: it is as one whose
//! code was stitched just now.

#![allow(unsafe_code, reason = "machine code from a file is as its writer made it")]

use super::{Engine, Imports, Instance, InstanceError, Tier};
use crate::elf::Loaded;
use crate::verified::Verified;

impl Engine {
    /// An instance that runs the machine code of an object, so that nothing has to be stitched. Where programs are
    /// interpreted, it is not used.
    ///
    /// # Errors
    /// Where there is no room for it.
    ///
    /// # Safety
    /// The object must be one that Spasm wrote for the module that was verified, and nobody may have changed it since:
    /// its checksum tells damage, not malice. It must not need more of the machine than there is.
    pub unsafe fn instantiate_object(&self, verified: &Verified, object: Loaded) -> Result<Instance, InstanceError> {
        match self.0.config.tier {
            Tier::Interp => self.instantiate(verified),
            Tier::Auto | Tier::Baseline => {
                self.permit(verified.module())?;
                self.instantiate_image(verified, object.image, &Imports::default())
            }
        }
    }
}
