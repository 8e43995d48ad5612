//! The C interface of a module: functions that C has, data with native addresses.
//!
//! Comes in: what text, the binary form and builders say of it, unchecked. Goes out: [`Extern`], [`CSignature`], [`Data`].
//! What must hold: C types stand in these signatures only; to the rest of a program a call of C looks like any other, with
//! [`CSignature::flat`] as its signature.

use crate::isa::op::Type;

use super::Signature;

/// How deep structs may be nested in each other.
pub const MAX_NESTING: u32 = 16;
/// The largest alignment of data.
pub const MAX_ALIGN: u32 = 64;
/// How many bytes all data of a module may have together: 1 GiB, so that code reaches them.
pub const MAX_DATA: u64 = 1 << 30;

/// A type of C, as signatures of C functions name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CType {
    /// `int8_t`.
    I8,
    /// `uint8_t`.
    U8,
    /// `int16_t`.
    I16,
    /// `uint16_t`.
    U16,
    /// `int32_t`.
    I32,
    /// `uint32_t`.
    U32,
    /// `int64_t`, or a pointer.
    I64,
    /// `_Bool`.
    Bool,
    /// `float`.
    F32,
    /// `double`.
    F64,
    /// A `struct` of these members, passed by value and laid out as C does. Never empty.
    Struct(Vec<CType>),
}

impl CType {
    /// The types that are no struct, with the words for them; `ptr` is another word for `i64`.
    pub const SCALARS: [(&'static str, CType); 10] = [
        ("i8", CType::I8),
        ("u8", CType::U8),
        ("i16", CType::I16),
        ("u16", CType::U16),
        ("i32", CType::I32),
        ("u32", CType::U32),
        ("i64", CType::I64),
        ("bool", CType::Bool),
        ("f32", CType::F32),
        ("f64", CType::F64),
    ];

    /// Its size in bytes, padding included (System V ABI for AMD64, 3.1.2).
    #[must_use]
    pub fn size(&self) -> u32 {
        match self {
            CType::I8 | CType::U8 | CType::Bool => 1,
            CType::I16 | CType::U16 => 2,
            CType::I32 | CType::U32 | CType::F32 => 4,
            CType::I64 | CType::F64 => 8,
            CType::Struct(members) => {
                let end = members.iter().fold(0, |end: u32, m| end.next_multiple_of(m.align()) + m.size());
                end.next_multiple_of(self.align())
            }
        }
    }

    /// Its alignment in bytes.
    #[must_use]
    pub fn align(&self) -> u32 {
        match self {
            CType::Struct(members) => members.iter().map(CType::align).max().unwrap_or(1),
            scalar => scalar.size(),
        }
    }

    /// The scalars that it consists of, in order, each with its distance in bytes from the start.
    #[must_use]
    pub fn scalars(&self) -> Vec<(u32, CType)> {
        let mut found = Vec::new();
        self.collect(0, &mut found);
        found
    }

    fn collect(&self, base: u32, found: &mut Vec<(u32, CType)>) {
        let CType::Struct(members) = self else { return found.push((base, self.clone())) };
        let mut at = 0u32;
        for member in members {
            at = at.next_multiple_of(member.align());
            member.collect(base + at, found);
            at += member.size();
        }
    }

    /// What a scalar is to the program: narrow signed integers arrive sign-extended to 64 bits, which serves `i32` and
    /// `i64` instructions alike; `i32` and everything unsigned arrives zero-extended. [`Type::I64`] for structs.
    #[must_use]
    pub fn register_type(&self) -> Type {
        match self {
            CType::U8 | CType::U16 | CType::I32 | CType::U32 | CType::Bool => Type::I32,
            CType::I8 | CType::I16 | CType::I64 | CType::Struct(_) => Type::I64,
            CType::F32 => Type::F32,
            CType::F64 => Type::F64,
        }
    }
}

/// As text writes it.
impl std::fmt::Display for CType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let CType::Struct(members) = self {
            let members: Vec<String> = members.iter().map(CType::to_string).collect();
            return write!(f, "struct{{{}}}", members.join(", "));
        }
        f.write_str(CType::SCALARS.iter().find(|(_, ty)| ty == self).map_or("", |(name, _)| name))
    }
}

/// How a C function takes its arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Abi {
    /// System V ABI for AMD64.
    #[default]
    SysV,
    /// The Microsoft x64 convention; text calls it `"win64"`.
    Win64,
}

/// The signature of a C function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CSignature {
    /// How it is called.
    pub abi: Abi,
    /// The fixed parameters.
    pub params: Vec<CType>,
    /// Whether any number of further arguments may follow, each an int or an f64 as the register that holds it.
    pub variadic: bool,
    /// The results: none for `void`, one for itself, several for a `struct` of them.
    pub results: Vec<CType>,
}

impl CSignature {
    /// That of a C function which takes and gives what a function of a program does: references are numbers to C, and the
    /// number of all arguments comes before further ones.
    #[must_use]
    pub fn of(signature: &Signature) -> CSignature {
        let c_type = |ty: &Type| match ty {
            Type::I32 | Type::Funcref | Type::Externref => CType::I32,
            Type::I64 => CType::I64,
            Type::F32 => CType::F32,
            Type::F64 => CType::F64,
        };
        let count = signature.variadic.then_some(CType::I64);
        CSignature {
            abi: Abi::SysV,
            params: signature.params.iter().map(c_type).chain(count).collect(),
            variadic: signature.variadic,
            results: signature.results.iter().map(c_type).collect(),
        }
    }

    /// What a program passes and gets: one register for each scalar, members of structs in their order.
    #[must_use]
    pub fn flat(&self) -> Signature {
        let flat = |types: &[CType]| -> Vec<Type> {
            types.iter().flat_map(CType::scalars).map(|(_, ty)| ty.register_type()).collect()
        };
        Signature { params: flat(&self.params), variadic: self.variadic, results: flat(&self.results) }
    }

    /// What the C function returns: nothing, or one type.
    #[must_use]
    pub fn returns(&self) -> Option<CType> {
        match self.results.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(CType::Struct(many.to_vec())),
        }
    }
}

/// As text writes it, the convention left out.
impl std::fmt::Display for CSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |types: &[CType]| types.iter().map(CType::to_string).collect();
        super::write_signature(f, names(&self.params), self.variadic, &names(&self.results))
    }
}

/// A C function that a program calls or takes the address of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extern {
    /// The name that the program uses, unique among functions, externs and data.
    pub name: String,
    /// The library, as a dynamic linker is asked for it; empty for what the process has already loaded.
    pub library: String,
    /// The symbol in the library.
    pub symbol: String,
    /// Its signature, by its index in the module's list.
    pub signature: u32,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

/// Something that has a native address: what `addr` and pointers in data refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A function, by its index: its entry for C.
    Function(u32),
    /// An extern, by its index.
    Extern(u32),
    /// Data, by its index: its first byte.
    Data(u32),
    /// An imported function, by its index. It has no native address: only `call`, `ref` and elements name it.
    Import(u32),
}

impl Target {
    /// As the fields `a` and `b` of an `addr` instruction hold it; `call` holds the first in `d`.
    #[must_use]
    pub const fn fields(self) -> (u32, u32) {
        match self {
            Target::Function(index) => (0, index),
            Target::Extern(index) => (1, index),
            Target::Data(index) => (2, index),
            Target::Import(index) => (3, index),
        }
    }

    /// The target of these fields, if there is one.
    #[must_use]
    pub const fn from_fields(kind: u32, index: u32) -> Option<Target> {
        match kind {
            0 => Some(Target::Function(index)),
            1 => Some(Target::Extern(index)),
            2 => Some(Target::Data(index)),
            3 => Some(Target::Import(index)),
            _ => None,
        }
    }
}

/// An address in data: eight bytes that hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Where in the data it stands, a multiple of 8.
    pub offset: u32,
    /// What it is the address of.
    pub target: Target,
}

/// Bytes with a native address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The name, unique among functions, externs and data.
    pub name: String,
    /// The bytes at the start.
    pub bytes: Vec<u8>,
    /// How many zero bytes follow these.
    pub zeros: u64,
    /// The alignment: a power of two, at most 64.
    pub align: u32,
    /// Whether it may be written.
    pub writable: bool,
    /// The addresses in it, in the order of their offsets; each stands within `bytes`.
    pub pointers: Vec<Pointer>,
    /// The source line of the item; 0 where there is none.
    pub line: u32,
}

impl Data {
    /// Data that may be written and consists of these bytes.
    pub fn new(name: impl Into<String>, align: u32, bytes: impl Into<Vec<u8>>) -> Data {
        Data { name: name.into(), bytes: bytes.into(), align, writable: true, ..Data::default() }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.bytes.len() as u64).saturating_add(self.zeros)
    }

    /// True where it has no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
