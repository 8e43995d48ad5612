//! Values outside of a program: arguments and results as people and Rust callers see them.
//!
//! Comes in: Rust values, words of a command line, raw register bits. Goes out: the same as each other. What must
//! hold: raw bits are as a register of the type holds them, 32-bit types zero-extended.

use std::fmt;

use crate::isa::op::{Bits, Type};
use crate::number::{self, NumberError};

/// A value with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// 32 bits of an integer.
    I32(i32),
    /// 64 bits of an integer.
    I64(i64),
    /// IEEE 754 binary32.
    F32(f32),
    /// IEEE 754 binary64.
    F64(f64),
}

impl Value {
    /// The value that a register of type `ty` with these bits has.
    #[must_use]
    pub fn from_bits(ty: Type, bits: u64) -> Value {
        match ty {
            Type::I32 | Type::Funcref | Type::Externref => Value::I32(Bits::of(bits)),
            Type::I64 => Value::I64(Bits::of(bits)),
            Type::F32 => Value::F32(Bits::of(bits)),
            Type::F64 => Value::F64(Bits::of(bits)),
        }
    }

    /// The value that `text` writes, in any literal form of the text.
    ///
    /// # Errors
    /// Where `text` is no literal of that type or does not fit it.
    pub fn parse(text: &str, ty: Type) -> Result<Value, NumberError> {
        number::parse(text, ty).map(|bits| Value::from_bits(ty, bits))
    }

    /// Its type.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Value::I32(_) => Type::I32,
            Value::I64(_) => Type::I64,
            Value::F32(_) => Type::F32,
            Value::F64(_) => Type::F64,
        }
    }

    /// The bits of a register that holds it.
    #[must_use]
    pub fn bits(self) -> u64 {
        match self {
            Value::I32(x) => x.bits(),
            Value::I64(x) => x.bits(),
            Value::F32(x) => x.bits(),
            Value::F64(x) => x.bits(),
        }
    }
}

/// Integers as signed decimals, floats in the shortest form that reads back as the same value.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::I32(x) => write!(f, "{x}"),
            Value::I64(x) => write!(f, "{x}"),
            Value::F32(x) if x.is_finite() => write!(f, "{x:?}"),
            Value::F64(x) if x.is_finite() => write!(f, "{x:?}"),
            Value::F32(x) => f.write_str(not_finite(f64::from(x))),
            Value::F64(x) => f.write_str(not_finite(x)),
        }
    }
}

fn not_finite(x: f64) -> &'static str {
    match (x.is_nan(), x.is_sign_negative()) {
        (false, false) => "inf",
        (false, true) => "-inf",
        (true, false) => "nan",
        (true, true) => "-nan",
    }
}

/// A Rust type that a parameter or a result can have.
pub trait Scalar: Copy {
    /// The type in a signature.
    const TYPE: Type;
    /// The bits of a register that holds it.
    fn to_register(self) -> u64;
    /// What a register with these bits holds.
    fn from_register(bits: u64) -> Self;
}

macro_rules! scalar {
    ($($rust:ident $ty:ident)*) => { $(
        impl Scalar for $rust {
            const TYPE: Type = Type::$ty;
            #[inline]
            fn to_register(self) -> u64 {
                self.bits()
            }
            #[inline]
            fn from_register(bits: u64) -> $rust {
                Bits::of(bits)
            }
        }
        impl Params for $rust {
            const TYPES: &'static [Type] = &[Type::$ty];
            type Registers = [u64; 1];
            #[inline]
            fn to_registers(self) -> [u64; 1] {
                [self.to_register()]
            }
        }
        impl Results for $rust {
            const TYPES: &'static [Type] = &[Type::$ty];
            type Registers = [u64; 1];
            #[inline]
            fn from_registers(registers: &[u64; 1]) -> $rust {
                $rust::from_register(registers[0])
            }
        }
    )* };
}

/// What a typed call passes: a [`Scalar`] or a tuple of up to eight.
pub trait Params {
    /// The types, first to last.
    const TYPES: &'static [Type];
    /// An array with room for each.
    type Registers: AsRef<[u64]> + AsMut<[u64]>;
    /// The bits of the registers that hold them.
    fn to_registers(self) -> Self::Registers;
}

/// What a typed call gives back: nothing, a [`Scalar`] or a tuple of up to eight.
pub trait Results: Sized {
    /// The types, first to last.
    const TYPES: &'static [Type];
    /// An array with room for each.
    type Registers: AsRef<[u64]> + AsMut<[u64]> + Default;
    /// What registers with these bits hold.
    fn from_registers(registers: &Self::Registers) -> Self;
}

scalar! { i32 I32 u32 I32 i64 I64 u64 I64 f32 F32 f64 F64 }

macro_rules! tuple {
    ($n:literal $($name:ident)*) => {
        #[allow(non_snake_case, reason = "the bindings carry the names of the types")]
        impl<$($name: Scalar),*> Params for ($($name,)*) {
            const TYPES: &'static [Type] = &[$($name::TYPE),*];
            type Registers = [u64; $n];
            #[inline]
            fn to_registers(self) -> [u64; $n] {
                let ($($name,)*) = self;
                [$($name.to_register()),*]
            }
        }
        #[allow(non_snake_case, reason = "the bindings carry the names of the types")]
        #[allow(clippy::unused_unit, reason = "the empty tuple is one, too")]
        impl<$($name: Scalar),*> Results for ($($name,)*) {
            const TYPES: &'static [Type] = &[$($name::TYPE),*];
            type Registers = [u64; $n];
            #[inline]
            fn from_registers(&[$($name),*]: &[u64; $n]) -> Self {
                ($($name::from_register($name),)*)
            }
        }
    };
}
tuple!(0);
tuple!(1 A);
tuple!(2 A B);
tuple!(3 A B C);
tuple!(4 A B C D);
tuple!(5 A B C D E);
tuple!(6 A B C D E F);
tuple!(7 A B C D E F G);
tuple!(8 A B C D E F G H);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_they_are_read() {
        let shown = |v: Value| v.to_string();
        assert_eq!(shown(Value::I32(-1)), "-1");
        assert_eq!(shown(Value::I64(i64::MIN)), "-9223372036854775808");
        assert_eq!(shown(Value::F64(42.0)), "42.0");
        assert_eq!(shown(Value::F64(1e300)), "1e300");
        assert_eq!(shown(Value::F32(0.1)), "0.1");
        assert_eq!(shown(Value::F64(-0.0)), "-0.0");
        assert_eq!(shown(Value::F64(f64::INFINITY)), "inf");
        assert_eq!(shown(Value::F32(f32::NEG_INFINITY)), "-inf");
        assert_eq!(shown(Value::from_bits(Type::F64, 0xfff8_0000_0000_0000)), "-nan");
        assert_eq!(shown(Value::from_bits(Type::F32, 0x7fc0_0000)), "nan");
        for bits in [0, 1, 0x3ff0_0000_0000_0000, 0x8000_0000_0000_0001, 0x7fef_ffff_ffff_ffff, 0x3fb9_9999_9999_999a] {
            let value = Value::from_bits(Type::F64, bits);
            assert_eq!(Value::parse(&value.to_string(), Type::F64).unwrap().bits(), bits);
        }
    }

    #[test]
    fn tuples_carry_types_and_bits() {
        assert_eq!(<(i32, f64, u64) as Params>::TYPES, [Type::I32, Type::F64, Type::I64]);
        assert_eq!((-1i32, 1.0f64).to_registers(), [0xffff_ffff, 0x3ff0_0000_0000_0000]);
        assert_eq!(<(i32, f32)>::from_registers(&[0xffff_fffe, 0x3f80_0000]), (-2, 1.0));
        assert_eq!(<() as Results>::TYPES, []);
        assert_eq!(u32::from_registers(&[7]), 7);
    }
}
