//! Functions verified one at a time, for those who make them one at a time and keep none.
//!
//! Comes in: a module whose items are there and whose functions have signatures only; then bodies, in any order. Goes out:
//! the [`head`] of a verified module, and a [`Body`] for each function. What must hold: together they say what
//! [`verify`](super::verify) says of the whole.

use std::sync::Arc;

use crate::module::{Function, Module, Signature};
use crate::verified::{Body, Verified};

use super::body::{self, Scratch};
use super::error::Problems;
use super::{VerifyError, check_items, native, signature_ids};

/// A verified module without bodies.
///
/// # Errors
/// Where an item breaks a rule of the language.
pub fn head(module: impl Into<Arc<Module>>) -> Result<Verified, VerifyError> {
    let module = module.into();
    let mut problems = Problems::default();
    check_items(&module, &mut problems);
    let (signature_ids, calli_ids) = signature_ids(&module);
    problems.into_result(Verified { module, functions: Vec::new(), signature_ids, calli_ids })
}

/// Verifies bodies of one module, keeping its working memory from one to the next.
#[derive(Debug)]
pub struct Bodies<'m> {
    module: &'m Module,
    flat: Vec<Signature>,
    scratch: Scratch,
}

impl<'m> Bodies<'m> {
    /// For the bodies of a module whose [`head`] was accepted.
    #[must_use]
    pub fn new(module: &'m Module) -> Bodies<'m> {
        Bodies { module, flat: native::flat_signatures(module), scratch: Scratch::default() }
    }

    /// Verifies one body.
    ///
    /// # Errors
    /// Where it breaks a rule of the language.
    ///
    /// # Panics
    /// Never: where there is no body, there is a problem.
    pub fn verify(&mut self, function: &Function) -> Result<Body, VerifyError> {
        let mut problems = Problems::default();
        let body = body::verify(self.module, &self.flat, function, &mut self.scratch, &mut problems);
        problems.into_result(())?;
        Ok(body.expect("a body that is refused leaves a problem"))
    }
}
