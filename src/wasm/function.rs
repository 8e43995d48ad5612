//! Function bodies, one after the other.
//!
//! Comes in: a body, and the validator's knowledge of the module. Goes out: a [`Function`] without a name. What must hold: the
//! body is read once; what is kept from one body for the next is memory, nothing else.

use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValType, ValidatorResources};

use crate::module::{Function, Label};

use super::items::{Items, value_type};
use super::stack::{NONE, Translator};
use super::visit::Both;

/// Why a body is not translated.
pub(super) enum Refused {
    /// It is wrong.
    Wrong(wasmparser::Error),
    /// It is right, and needs more at this offset than there is.
    TooLarge(u64, &'static str),
}

impl From<wasmparser::Error> for Refused {
    fn from(error: wasmparser::Error) -> Refused {
        Refused::Wrong(error)
    }
}

/// What is kept from one body for the next.
pub(super) struct Bodies<'m> {
    translator: Translator<'m>,
    allocations: Option<FuncValidatorAllocations>,
}

impl std::fmt::Debug for Bodies<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bodies").finish_non_exhaustive()
    }
}

impl<'m> Bodies<'m> {
    pub(super) fn new(items: &'m Items) -> Bodies<'m> {
        Bodies { translator: Translator::new(items), allocations: None }
    }

    /// Validates and translates a body, which may take so many words of memory as the `budget` has. Tells how many it takes.
    pub(super) fn translate(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        budget: usize,
    ) -> Result<(Function, usize), Refused> {
        let translator = &mut self.translator;
        let signature_index = function.ty;
        let mut validator = function.into_validator(self.allocations.take().unwrap_or_default());
        let signature = &translator.items.signatures()[signature_index as usize];
        translator.budget = budget;
        translator.clear(&signature.params);
        let mut reader = body.get_binary_reader();
        for _ in 0..reader.read_var_u32()? {
            let offset = reader.original_position();
            let count = reader.read()?;
            let ty: ValType = reader.read()?;
            validator.define_locals(offset, count, ty)?;
            translator.add_locals(count, value_type(ty));
        }
        translator.begin();
        translator.open_function(signature_index);
        let mut both = Both { validator: &mut validator, translator, offset: reader.original_position() };
        while !reader.eof() {
            both.offset = reader.original_position();
            reader.visit_operator(&mut both)??;
            if both.translator.full {
                let what = both.translator.too_large().unwrap_or_default();
                return Err(Refused::TooLarge(both.offset, what));
            }
        }
        reader.finish_expression(&both)?;
        self.allocations = Some(validator.into_allocations());
        let words = self.translator.size() + signature.params.len() + signature.results.len();
        let (insts, lists, head) = self.translator.finish();
        // A label that no jump names may be unplaced.
        let place = |&at: &u32| Label { name: String::new(), at: if at == NONE { NONE } else { at + head as u32 } };
        let labels = self.translator.labels.iter().map(place).collect();
        Ok((Function { signature: signature.clone(), insts, lists, labels, ..Function::default() }, words))
    }
}
