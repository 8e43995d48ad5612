//! Declared opcodes for the interpreter: their own snippets, each in a function of stitched code.
//!
//! Comes in: a verified module, and an engine with templates. Goes out: [`Opcodes`], which executes one instruction. What
//! must hold: values go to a snippet as registers of their types hold them, and come from it in the same way.

use std::sync::{Mutex, PoisonError};

use crate::companion;
use crate::exec::{self, Ended, Imports};
use crate::isa::custom::CustomOp;
use crate::isa::op::Type;
use crate::stitch::{self, StitchError};
use crate::trap::RunError;
use crate::verified::Verified;
use crate::verify::verify;

use super::{Engine, InstanceError};

/// The opcodes of one module.
#[derive(Debug)]
pub(super) struct Opcodes {
    /// By their numbers, with the functions of those that are used.
    list: Vec<(CustomOp, Option<exec::Function>)>,
    /// Snippets call nobody back, so nobody waits for long.
    code: Mutex<exec::Instance>,
}

impl Opcodes {
    /// Those of a module; nothing where it has none.
    pub(super) fn new(engine: &Engine, verified: &Verified) -> Result<Option<Opcodes>, InstanceError> {
        let customs = &verified.module().customs;
        if customs.is_empty() {
            return Ok(None);
        }
        // So that what is missing is said of the program, not of its companion.
        stitch::custom::check(verified, engine.library()).map_err(StitchError::from)?;
        let made = companion::opcodes(verified).map_err(InstanceError::companion)?;
        let verified = verify(made.module).map_err(InstanceError::companion)?;
        let code = engine.bind(&verified, engine.stitch(&verified)?, &Imports::default())?;
        let function = |index: &Option<u32>| index.and_then(|index| code.function(index));
        let list =
            customs.iter().zip(&made.index).map(|(custom, index)| (custom.op.clone(), function(index))).collect();
        Ok(Some(Opcodes { list, code: Mutex::new(code) }))
    }

    /// Executes one instruction: gives the bits of its result.
    pub(super) fn execute(&self, number: u32, args: &[u64]) -> Result<u64, RunError> {
        let Some((op, Some(function))) = self.list.get(number as usize) else { return Err(RunError::NoOpcode) };
        let args: Vec<u64> = args.iter().zip(&op.params).map(|(&bits, ty)| ty.normalise(bits)).collect();
        let mut result = [0];
        let results = &mut result[..usize::from(op.result.is_some())];
        let ended = self.code.lock().unwrap_or_else(PoisonError::into_inner).call(function, &args, results)?;
        debug_assert!(matches!(ended, Ended::Returned), "no snippet of an opcode ends the program");
        Ok(op.result.map_or(0, |ty| if ty == Type::F32 { ty.normalise(result[0]) } else { result[0] }))
    }
}
