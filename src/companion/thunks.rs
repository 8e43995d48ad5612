//! Functions that make the calls of C that a program makes.
//!
//! Comes in: a verified module. Goes out: for each C signature that it calls through, with each list of further arguments,
//! a function `(buffer)`. What must hold: a buffer has the address of the C function, then the arguments; in the end it
//! has the results; each value takes a word, of which a narrow one fills the low part.

use std::collections::HashMap;

use super::{access, at};
use crate::builder::{BuildError, FunctionBuilder, ModuleBuilder};
use crate::isa::op::{Class, Shape, Type};
use crate::module::native::CSignature;
use crate::module::{Inst, Module, Reg, Signature};
use crate::verified::{Body, Verified};

/// The module, and where its functions are.
#[derive(Debug)]
pub struct Thunks {
    /// The module.
    pub module: Module,
    /// By the number of the C signature, and for each argument beyond it whether it is an f64.
    pub index: HashMap<(u32, Vec<bool>), u32>,
}

/// The thunks of a module.
///
/// # Errors
/// Where they are more than a module can have.
pub fn thunks(verified: &Verified) -> Result<Thunks, BuildError> {
    let module = verified.module();
    let mut index = HashMap::new();
    let mut builder = ModuleBuilder::new();
    for number in 0..module.functions.len() {
        let body = verified.body(crate::builder::count(number));
        for inst in &body.insts {
            let Some((signature, args)) = call(module, body, inst) else { continue };
            let c_signature = &module.c_signatures[signature as usize];
            let flat = c_signature.flat();
            let further = args[flat.params.len()..].iter().map(|&arg| body.vars[arg as usize].class.is_float());
            let key = (signature, further.collect::<Vec<bool>>());
            if index.contains_key(&key) {
                continue;
            }
            let id = builder.declare(format!("call {}", index.len()));
            let thunk = thunk(&mut builder, c_signature.clone(), &flat, &key.1);
            builder.define(id, thunk);
            index.insert(key, id.index());
        }
    }
    Ok(Thunks { module: builder.finish()?, index })
}

/// The C signature and the arguments of a call of C.
fn call<'v>(module: &Module, body: &'v Body, inst: &Inst) -> Option<(u32, &'v [u32])> {
    let list = |at: u32| &body.lists[at as usize..];
    let (signature, lists) = match inst.op.row().shape {
        Shape::CallExtern => (module.externs[inst.a as usize].signature, list(inst.b)),
        Shape::Callp => (body.lists[inst.b as usize], list(inst.b + 1)),
        _ => return None,
    };
    let args = &lists[1 + lists[0] as usize..];
    Some((signature, &args[1..=args[0] as usize]))
}

fn thunk(module: &mut ModuleBuilder, signature: CSignature, flat: &Signature, further: &[bool]) -> FunctionBuilder {
    let mut f = FunctionBuilder::new(Signature::new([Type::I64], []));
    let buffer = Reg::arg(1);
    let fixed = flat.params.iter().map(|ty| ty.class());
    let classes = fixed.chain(further.iter().map(|&is_float| if is_float { Class::F64 } else { Class::Int }));
    let address = f.local();
    f.load(access(Class::Int).0, address, buffer, at(0));
    let mut args = Vec::new();
    for (nth, class) in classes.enumerate() {
        let arg = f.local();
        f.load(access(class).0, arg, buffer, at(nth + 1));
        args.push(arg);
    }
    let results: Vec<Reg> = flat.results.iter().map(|_| f.local()).collect();
    let signature = module.c_signature(signature);
    f.callp(&results, address, signature, &args);
    for (nth, (&result, ty)) in results.iter().zip(&flat.results).enumerate() {
        f.store(access(ty.class()).1, result, buffer, at(nth));
    }
    f.ret(&[]);
    f
}
