//! Types of values and of registers, and the views that the table's expressions have of a register's bits.
//!
//! Comes in: nothing. Goes out: [`Type`], [`Class`] and [`Bits`]. What must hold: the runtime of linked programs is compiled
//! with this file too, so it needs nothing but itself.

/// The type of a value as signatures, constants and globals name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Type {
    /// 32 bits of an int register, kept zero-extended.
    I32,
    /// A whole int register; `ptr` is another word for it.
    I64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// A reference to a function; 0 is the null reference. 32 bits of an int register, kept zero-extended.
    Funcref,
    /// A reference to something of the host's; 0 is the null reference. Kept as [`Type::Funcref`] is.
    Externref,
}

impl Type {
    /// Every type, in the order of its number.
    pub const ALL: [Type; 6] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::Funcref, Type::Externref];

    /// Those that calculations know: every type but references.
    pub const NUMBERS: [Type; 4] = [Type::I32, Type::I64, Type::F32, Type::F64];

    /// The word for it in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Funcref => "funcref",
            Type::Externref => "externref",
        }
    }

    /// The register type that holds it.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Type::I32 | Type::I64 | Type::Funcref | Type::Externref => Class::Int,
            Type::F32 => Class::F32,
            Type::F64 => Class::F64,
        }
    }

    /// True for the types of which a register holds 32 bits, zero-extended.
    #[must_use]
    pub const fn is_narrow(self) -> bool {
        !matches!(self, Type::I64 | Type::F64)
    }

    /// True for references.
    #[must_use]
    pub const fn is_reference(self) -> bool {
        matches!(self, Type::Funcref | Type::Externref)
    }

    /// The raw 64 bits as a register of this type holds them: 32-bit types zero-extended.
    #[must_use]
    pub const fn normalise(self, bits: u64) -> u64 {
        match self {
            Type::I32 | Type::F32 | Type::Funcref | Type::Externref => bits & 0xffff_ffff,
            Type::I64 | Type::F64 => bits,
        }
    }
}

/// The type of a register: one for the whole of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// A 64-bit integer.
    Int,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl Class {
    /// The word that messages use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Class::Int => "int",
            Class::F32 => "f32",
            Class::F64 => "f64",
        }
    }

    /// The widest [`Type`] that a register of this class holds.
    #[must_use]
    pub const fn widest(self) -> Type {
        match self {
            Class::Int => Type::I64,
            Class::F32 => Type::F32,
            Class::F64 => Type::F64,
        }
    }

    /// True for the classes that live in vector registers.
    #[must_use]
    pub const fn is_float(self) -> bool {
        !matches!(self, Class::Int)
    }
}

/// Raw register bits, and the views of them that the table's expressions work on.
pub trait Bits: Copy {
    /// The type of a register that holds it.
    const TYPE: Type;
    /// The type in which it arrives when it is read from memory: narrow signed integers are extended to 64 bits, what
    /// is unsigned is a zero-extended i32 too.
    const LOADED: Type;

    /// The view of what a register holds.
    fn of(bits: u64) -> Self;
    /// What a register holds afterwards: narrow views are zero-extended.
    fn bits(self) -> u64;
}

macro_rules! bits {
    ($($t:ident $ty:ident $loaded:ident: $x:ident => $of:expr, $y:ident => $to:expr;)*) => { $(
        impl Bits for $t {
            const TYPE: Type = Type::$ty;
            const LOADED: Type = Type::$loaded;

            #[inline(always)]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                clippy::cast_sign_loss,
                reason = "a view of the same bits"
            )]
            fn of($x: u64) -> $t {
                $of
            }
            #[inline(always)]
            #[allow(clippy::cast_sign_loss, reason = "a view of the same bits")]
            fn bits(self) -> u64 {
                let $y = self;
                $to
            }
        }
    )* };
}
bits! {
    i8 I64 I64: x => x as i8, y => u64::from(y as u8);
    u8 I32 I32: x => x as u8, y => u64::from(y);
    i16 I64 I64: x => x as i16, y => u64::from(y as u16);
    u16 I32 I32: x => x as u16, y => u64::from(y);
    i32 I32 I64: x => x as i32, y => u64::from(y as u32);
    u32 I32 I32: x => x as u32, y => u64::from(y);
    i64 I64 I64: x => x as i64, y => y as u64;
    u64 I64 I64: x => x, y => y;
    f32 F32 F32: x => f32::from_bits(x as u32), y => u64::from(y.to_bits());
    f64 F64 F64: x => f64::from_bits(x), y => y.to_bits();
    bool I32 I32: x => x != 0, y => u64::from(y);
}
