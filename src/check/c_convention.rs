//! Where C has the values of a call, worked out a second time.
//!
//! Comes in: the signature of a C function. Goes out: for each eight bytes that are passed, which scalars are in them and
//! where they are. What must hold: nothing here comes from the stitcher. It is written after the text of the System V ABI
//! for AMD64 (3.2.3, "Parameter Passing" and "Returning of Values") and Microsoft's page on the x64 calling convention.

use crate::isa::op::Class;
use crate::module::native::{Abi, CSignature, CType};

/// A scalar of an eightbyte: which of the flat values it is, its type, and its first byte.
pub type Member = (usize, CType, usize);

/// Where eight bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In this register; vector registers start at 16.
    Register(u8),
    /// In this word of the stack arguments.
    Stack(u32),
    /// In this word of memory whose address is passed in the `nth` pointer.
    Behind(usize, u32),
}

/// Eight bytes that are passed or returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eightbyte {
    /// What is in them.
    pub members: Vec<Member>,
    /// Where they are; in two places for variadic floats of Microsoft's.
    pub places: Vec<Where>,
    /// A narrow scalar that is an argument by itself is extended to 32 bits.
    pub alone: bool,
}

/// The values of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passing {
    /// The arguments.
    pub arguments: Vec<Eightbyte>,
    /// Where the addresses of arguments in memory are passed.
    pub pointers: Vec<Where>,
    /// Where the address of the result's memory is passed.
    pub hidden: Option<Where>,
    /// The result; in memory as `Behind` pointer 0.
    pub results: Vec<Eightbyte>,
    /// Words of the stack that belong to the callee.
    pub stack: u32,
    /// What `al` is.
    pub vectors: u32,
}

const RAX: u8 = 0;
const RCX: u8 = 1;
const RDX: u8 = 2;
const RSI: u8 = 6;
const RDI: u8 = 7;
const R8: u8 = 8;
const R9: u8 = 9;
const XMM0: u8 = 16;

/// "If the size of an object is larger than two eightbytes, it has class MEMORY."
const TWO_EIGHTBYTES: u32 = 16;

/// The places of the values of a call with further arguments of these classes.
pub fn passing(signature: &CSignature, more: &[Class]) -> Passing {
    let more = more.iter().map(|class| if class.is_float() { CType::F64 } else { CType::I64 });
    let types: Vec<CType> = signature.params.iter().cloned().chain(more).collect();
    let returned = signature.returns();
    match signature.abi {
        Abi::SysV => system_v(&types, returned.as_ref()),
        Abi::Win64 => microsoft(&types, returned.as_ref(), signature.variadic),
    }
}

fn is_sse(ty: &CType) -> bool {
    matches!(ty, CType::F32 | CType::F64)
}

/// The members of each eightbyte of an object, the scalars of which are counted from `first`.
fn eightbytes(ty: &CType, first: usize) -> Vec<Vec<Member>> {
    let scalars = ty.scalars();
    let of = |nth: u32| {
        let members = scalars.iter().enumerate().filter(move |(_, (at, _))| at / 8 == nth);
        members.map(|(n, (at, ty))| (first + n, ty.clone(), (at % 8) as usize)).collect()
    };
    (0..ty.size().div_ceil(8)).map(of).collect()
}

fn system_v(types: &[CType], returned: Option<&CType>) -> Passing {
    let mut passing = Passing::default();
    let (mut integer, mut sse) = (vec![R9, R8, RCX, RDX, RSI, RDI], 0u8);
    if let Some(ty) = returned {
        if ty.size() > TWO_EIGHTBYTES {
            passing.hidden = integer.pop().map(Where::Register);
        }
        let (mut integers, mut vectors) = ([RAX, RDX].into_iter(), [XMM0, XMM0 + 1].into_iter());
        for (nth, members) in eightbytes(ty, 0).into_iter().enumerate() {
            let place = if passing.hidden.is_some() {
                Where::Behind(0, nth as u32)
            } else if members.iter().all(|(_, ty, _)| is_sse(ty)) {
                Where::Register(vectors.next().unwrap_or(XMM0))
            } else {
                Where::Register(integers.next().unwrap_or(RAX))
            };
            passing.results.push(Eightbyte { members, places: vec![place], alone: false });
        }
    }
    let mut value = 0;
    for ty in types {
        let parts = eightbytes(ty, value);
        value += ty.scalars().len();
        let vectors = parts.iter().filter(|members| members.iter().all(|(_, ty, _)| is_sse(ty))).count();
        let integers = parts.len() - vectors;
        // "If there are no registers available for any eightbyte of an argument, the whole argument is passed on the stack."
        let in_registers = ty.size() <= TWO_EIGHTBYTES && integers <= integer.len() && vectors + usize::from(sse) <= 8;
        for members in parts {
            let place = if !in_registers {
                passing.stack += 1;
                Where::Stack(passing.stack - 1)
            } else if members.iter().all(|(_, ty, _)| is_sse(ty)) {
                sse += 1;
                Where::Register(XMM0 + sse - 1)
            } else {
                Where::Register(integer.pop().unwrap_or(RDI))
            };
            let alone = !matches!(ty, CType::Struct(_));
            passing.arguments.push(Eightbyte { members, places: vec![place], alone });
        }
    }
    passing.vectors = u32::from(sse);
    passing
}

fn microsoft(types: &[CType], returned: Option<&CType>, variadic: bool) -> Passing {
    let mut passing = Passing::default();
    let integer = [RCX, RDX, R8, R9];
    let by_value = |ty: &CType| [1, 2, 4, 8].contains(&ty.size());
    let mut position = 0usize;
    if let Some(ty) = returned {
        if !by_value(ty) {
            passing.hidden = Some(Where::Register(RCX));
            position = 1;
        }
        for (nth, members) in eightbytes(ty, 0).into_iter().enumerate() {
            let place = if passing.hidden.is_some() {
                Where::Behind(0, nth as u32)
            } else {
                Where::Register(if is_sse(ty) { XMM0 } else { RAX })
            };
            passing.results.push(Eightbyte { members, places: vec![place], alone: false });
        }
    }
    let mut value = 0;
    for ty in types {
        let parts = eightbytes(ty, value);
        value += ty.scalars().len();
        let slot = integer.get(position).map_or(Where::Stack(position as u32), |&number| Where::Register(number));
        let alone = !matches!(ty, CType::Struct(_));
        if by_value(ty) {
            let mut places = vec![slot];
            if is_sse(ty) && position < 4 {
                // "For varargs, floating-point values must also be duplicated in the integer register."
                places.insert(0, Where::Register(XMM0 + position as u8));
                places.truncate(if variadic { 2 } else { 1 });
            }
            passing.arguments.extend(parts.into_iter().map(|members| Eightbyte {
                members,
                places: places.clone(),
                alone,
            }));
        } else {
            let pointer = passing.pointers.len();
            passing.pointers.push(slot);
            for (nth, members) in parts.into_iter().enumerate() {
                let places = vec![Where::Behind(pointer, nth as u32)];
                passing.arguments.push(Eightbyte { members, places, alone });
            }
        }
        position += 1;
    }
    // The callee may use the places of the first four on the stack, too.
    passing.stack = position.max(4) as u32;
    passing
}
