//! A module of which everything is read but the code of its functions.
//!
//! Comes in: the bytes of a binary module. Goes out: its items; then its bodies, one by one and in any order, on as many
//! threads as there are [`BodyReader`]s. What must hold: together they are what [`translate`](super::translate) gives.

use std::sync::atomic::{AtomicUsize, Ordering};

use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources};

use crate::module::{Function, Module};

use super::error::{FEATURES, WasmError};
use super::function::{Bodies, Refused};
use super::items::{self, Items};

/// A module whose bodies are yet to be read.
#[derive(Debug)]
pub struct Outline<'a> {
    pub(super) file: String,
    pub(super) bytes: &'a [u8],
    pub(super) items: Items,
    pub(super) module: Module,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// What bodies are validated with; none where there are none.
    pub(super) resources: Option<ValidatorResources>,
    /// How many words of memory the bodies that have been read take.
    pub(super) words: AtomicUsize,
}

/// How many words of memory a byte of the file may cost in instructions and lists. What compilers make costs some five;
/// calls that pass a thousand values from one to the next cost a thousand, without end.
const WORDS: usize = 64;

/// What a module may cost however small it is.
const SMALL: usize = 1 << 20;

impl<'a> Outline<'a> {
    /// Reads all of a binary module but its bodies.
    ///
    /// # Errors
    /// As for [`translate`](super::translate), as far as bodies are not concerned.
    pub fn read(name: &str, bytes: &'a [u8]) -> Result<Outline<'a>, WasmError> {
        items::outline(name, bytes)
    }

    /// The module; its functions have names and signatures, and no instructions.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Takes the module out.
    pub fn take_module(&mut self) -> Module {
        std::mem::take(&mut self.module)
    }

    /// For each function, the length of its body in bytes.
    pub fn lengths(&self) -> impl ExactSizeIterator<Item = usize> {
        self.bodies.iter().map(|body| body.range().end - body.range().start).map(|len| len as usize)
    }

    /// Something that reads bodies, and keeps its working memory from one to the next.
    #[must_use]
    pub fn reader(&self) -> BodyReader<'_, 'a> {
        BodyReader { outline: self, bodies: Bodies::new(&self.items) }
    }
}

/// Validates and translates bodies.
#[derive(Debug)]
pub struct BodyReader<'o, 'a> {
    outline: &'o Outline<'a>,
    bodies: Bodies<'o>,
}

impl BodyReader<'_, '_> {
    /// The function of this number, without a name.
    ///
    /// # Errors
    /// Where its body is wrong, or needs more than there is.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn read(&mut self, number: u32) -> Result<Function, WasmError> {
        let Outline { file, bytes, items, bodies, resources, words, .. } = self.outline;
        let body = &bodies[number as usize];
        let resources = resources.clone().expect("there are bodies");
        let (index, ty) = (items.imported() + number, items.type_of_own(number));
        let function = FuncToValidate { resources, index, ty, features: FEATURES };
        let limit = (bytes.len() * WORDS).max(SMALL);
        let budget = limit.saturating_sub(words.load(Ordering::Relaxed));
        match self.bodies.translate(function, body, budget) {
            Ok((function, taken)) => {
                words.fetch_add(taken, Ordering::Relaxed);
                Ok(function)
            }
            Err(Refused::Wrong(error)) => Err(WasmError::found(file, bytes, &error)),
            Err(Refused::TooLarge(offset, what)) => {
                Err(WasmError::too_large(file, offset, &format!("number {index}"), what))
            }
        }
    }
}

/// Makes a module of WebAssembly's binary form.
pub(super) fn translate(file: &str, bytes: &[u8]) -> Result<Module, WasmError> {
    let mut outline = Outline::read(file, bytes)?;
    let mut functions = std::mem::take(&mut outline.module.functions);
    let mut reader = outline.reader();
    for (number, function) in (0..).zip(&mut functions) {
        let name = std::mem::take(&mut function.name);
        *function = Function { name, ..reader.read(number)? };
    }
    let mut module = outline.take_module();
    module.functions = functions;
    Ok(module)
}
