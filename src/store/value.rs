//! Values that instances and the host pass to each other: numbers, and references with the store that they are of.
//!
//! Comes in: Rust values, raw register bits. Goes out: the same as each other. What must hold: a reference is to what the
//! store gave out, or null: a number that it did not give out is null.

use std::any::Any;

use crate::isa::op::Type;
use crate::value::Value;

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::func::Func;
use super::state::{Core, StoreId};

/// A value with its type: a [`Value`], or a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Val {
    /// 32 bits of an integer.
    I32(i32),
    /// 64 bits of an integer.
    I64(i64),
    /// IEEE 754 binary32.
    F32(f32),
    /// IEEE 754 binary64.
    F64(f64),
    /// A function, or null.
    FuncRef(Option<Func>),
    /// Something of the host's, or null.
    ExternRef(Option<ExternRef>),
}

impl Val {
    /// Zero of a number's type, null of a reference's.
    #[must_use]
    pub fn zero(ty: Type) -> Val {
        match ty {
            Type::Funcref => Val::FuncRef(None),
            Type::Externref => Val::ExternRef(None),
            number => Value::from_bits(number, 0).into(),
        }
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Val::I32(_) => Type::I32,
            Val::I64(_) => Type::I64,
            Val::F32(_) => Type::F32,
            Val::F64(_) => Type::F64,
            Val::FuncRef(_) => Type::Funcref,
            Val::ExternRef(_) => Type::Externref,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(self) -> Option<Value> {
        match self {
            Val::I32(x) => Some(Value::I32(x)),
            Val::I64(x) => Some(Value::I64(x)),
            Val::F32(x) => Some(Value::F32(x)),
            Val::F64(x) => Some(Value::F64(x)),
            Val::FuncRef(_) | Val::ExternRef(_) => None,
        }
    }

    /// What a register of this type with these bits holds.
    pub(super) fn of_bits(ty: Type, bits: u64, core: &Core) -> Val {
        match ty {
            Type::Funcref => Val::FuncRef(Func::of_handle(bits, core)),
            Type::Externref => Val::ExternRef(ExternRef::of_handle(bits, core)),
            number => Value::from_bits(number, bits).into(),
        }
    }

    /// The bits of a register that holds it.
    pub(super) fn bits(self, core: &Core) -> u64 {
        match self {
            Val::I32(x) => Value::I32(x).bits(),
            Val::I64(x) => Value::I64(x).bits(),
            Val::F32(x) => Value::F32(x).bits(),
            Val::F64(x) => Value::F64(x).bits(),
            Val::FuncRef(func) => func.map_or(0, |func| func.handle_in(core).into()),
            Val::ExternRef(reference) => reference.map_or(0, |reference| reference.handle_in(core).into()),
        }
    }

    /// The same, for what has this type.
    pub(super) fn checked_bits(self, what: &'static str, wanted: Type, core: &Core) -> Result<u64, Error> {
        if self.ty() == wanted {
            Ok(self.bits(core))
        } else {
            Err(Error::WrongValue { what, wanted, given: self.ty() })
        }
    }
}

/// Numbers as [`Value`] shows them; of references, whether they are null.
impl std::fmt::Display for Val {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.number(), self) {
            (Some(number), _) => number.fmt(f),
            (None, Val::FuncRef(None) | Val::ExternRef(None)) => f.write_str("null"),
            (None, _) => f.write_str(self.ty().name()),
        }
    }
}

impl From<Value> for Val {
    fn from(value: Value) -> Val {
        match value {
            Value::I32(x) => Val::I32(x),
            Value::I64(x) => Val::I64(x),
            Value::F32(x) => Val::F32(x),
            Value::F64(x) => Val::F64(x),
        }
    }
}

macro_rules! from {
    ($($t:ty => $name:ident,)*) => { $(
        impl From<$t> for Val {
            fn from(value: $t) -> Val {
                Val::$name(value.into())
            }
        }
    )* };
}
from! {
    i32 => I32, i64 => I64, f32 => F32, f64 => F64, Func => FuncRef, Option<Func> => FuncRef, ExternRef => ExternRef,
    Option<ExternRef> => ExternRef,
}

/// A reference to something of the host's. Programs pass it on and keep it, and can do nothing else with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternRef {
    store: StoreId,
    handle: u32,
}

impl ExternRef {
    /// Puts something into the store, which keeps it for as long as it lives, and gives a reference to it.
    ///
    /// # Panics
    /// If there are 2³² - 1 already.
    pub fn new(mut store: impl AsContextMut, value: impl Any + Send) -> ExternRef {
        let core = &mut store.as_context_mut().inner.core;
        core.externs.push(Box::new(value));
        let handle = u32::try_from(core.externs.len()).expect("a store has fewer than 2^32 references");
        ExternRef { store: core.id(), handle }
    }

    /// What it refers to.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn data<'s, C: AsContext>(&self, store: &'s C) -> &'s (dyn Any + Send) {
        let core = &store.as_context().inner.core;
        &*core.externs[self.index(core)]
    }

    /// What it refers to.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn data_mut<'s, C: AsContextMut>(&self, store: &'s mut C) -> &'s mut (dyn Any + Send) {
        let core = &mut store.as_context_mut().inner.core;
        let index = self.index(core);
        &mut *core.externs[index]
    }

    fn index(self, core: &Core) -> usize {
        self.handle_in(core) as usize - 1
    }

    pub(super) fn of_handle(bits: u64, core: &Core) -> Option<ExternRef> {
        let handle = bits as u32;
        (1..=core.externs.len()).contains(&(handle as usize)).then(|| ExternRef { store: core.id(), handle })
    }

    pub(super) fn handle_in(self, core: &Core) -> u32 {
        core.own(self.store);
        self.handle
    }
}
