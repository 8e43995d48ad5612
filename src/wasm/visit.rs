//! One pass over a function body: each operator is validated, and translated where control can come to it.
//!
//! Comes in: operators as `wasmparser` reads them. Goes out: the same to the validator and then to the [`Translator`]. What
//! must hold: nothing is translated that the validator has not let through.

use wasmparser::{FrameKind, FrameStack, FuncValidator, Result, ValidatorResources, VisitOperator};

use super::stack::Translator;

/// A validator and a translator that walk together.
pub(super) struct Both<'v, 'm> {
    pub(super) validator: &'v mut FuncValidator<ValidatorResources>,
    pub(super) translator: &'v mut Translator<'m>,
    /// Where in the file the present operator is.
    pub(super) offset: u64,
}

impl FrameStack for Both<'_, '_> {
    #[inline]
    fn current_frame(&self) -> Option<FrameKind> {
        self.validator.get_control_frame(0).map(|frame| frame.kind)
    }
}

/// What the translator does with an operator; those of proposals that are not listed are refused by the validator.
macro_rules! translate {
    (mvp Block $t:ident $visit:ident $ty:ident) => { $t.block($ty) };
    (mvp Loop $t:ident $visit:ident $ty:ident) => { $t.begin_loop($ty) };
    (mvp If $t:ident $visit:ident $ty:ident) => { $t.begin_if($ty) };
    (mvp Else $t:ident $visit:ident) => { $t.begin_else() };
    (mvp End $t:ident $visit:ident) => { $t.end() };
    (mvp Nop $t:ident $visit:ident) => { _ = $t };
    // The validator refuses it.
    (reference_types TypedSelectMulti $t:ident $visit:ident $tys:ident) => { _ = ($t, $tys) };
    (mvp $op:ident $t:ident $visit:ident $($arg:ident)*) => { if $t.live { $t.$visit($($arg),*) } };
    (sign_extension $op:ident $t:ident $visit:ident) => { if $t.live { $t.$visit() } };
    (saturating_float_to_int $op:ident $t:ident $visit:ident) => { if $t.live { $t.$visit() } };
    (bulk_memory $op:ident $t:ident $visit:ident $($arg:ident)*) => { if $t.live { $t.$visit($($arg),*) } };
    (reference_types $op:ident $t:ident $visit:ident $($arg:ident)*) => { if $t.live { $t.$visit($($arg),*) } };
    ($proposal:ident $op:ident $t:ident $visit:ident $($arg:ident)*) => { _ = ($t, $($arg),*) };
}

macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => { $(
        #[inline]
        fn $visit(&mut self $($(, $arg: $ty)*)?) -> Result<()> {
            self.validator.visitor(self.offset).$visit($($($arg.clone()),*)?)?;
            let translator = &mut *self.translator;
            translate!($proposal $op translator $visit $($($arg)*)?);
            Ok(())
        }
    )* };
}

#[allow(clippy::clone_on_copy, reason = "some immediates are lists")]
impl<'a> VisitOperator<'a> for Both<'_, '_> {
    type Output = Result<()>;

    wasmparser::for_each_visit_operator!(visit);
}
