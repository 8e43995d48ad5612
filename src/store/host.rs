//! Functions of the host, in Rust, that programs import.
//!
//! Comes in: closures, with Rust's own types or with dynamic values. Goes out: [`HostFunc`], which takes and gives raw
//! register bits. What must hold: a function gives what its signature says, or an error.

use crate::isa::op::Type;
use crate::module::Signature;
use crate::value::Scalar;

use super::context::Caller;
use super::error::{BoxedError, Error};
use super::func::Func;
use super::state::Core;
use super::value::{ExternRef, Val};

/// What does the work: the arguments stand in the words, the results are put there.
type Work<T> = dyn Fn(Caller<'_, T>, &mut [u64]) -> Result<(), Error> + Send + Sync;

/// A function of the host.
pub struct HostFunc<T: 'static> {
    pub signature: Signature,
    pub work: Box<Work<T>>,
}

/// What functions of the host and typed calls pass: numbers and references. `u32` and `u64` are other views of `i32` and
/// `i64`.
pub trait HostValue: Copy + 'static + sealed::Sealed {
    /// The type in a signature.
    const TYPE: Type;
    #[doc(hidden)]
    fn of(bits: u64, core: &Core) -> Self;
    #[doc(hidden)]
    fn bits(self, core: &Core) -> u64;
}

/// What is passed: a [`HostValue`] or a tuple of up to sixteen.
pub trait HostParams: 'static {
    /// The types, first to last.
    const TYPES: &'static [Type];
    #[doc(hidden)]
    fn write(self, core: &Core, words: &mut [u64]);
    #[doc(hidden)]
    fn read(core: &Core, words: &[u64]) -> Self;
}

/// What is given back: nothing, a [`HostValue`] or a tuple of up to sixteen.
pub trait HostResults: HostParams {}

/// What a function of the host gives: [`HostResults`], or a `Result` of them. Its error ends the call of the program, and is
/// what that call gives: see [`Error::downcast_ref`]. [`Exit`](super::Exit) as an error ends the program.
pub trait HostReturn: sealed::Return {
    /// What it gives where there is no error.
    type Results: HostResults;
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Results, Error>;
}

/// A function or closure that programs can call: up to sixteen [`HostValue`]s, perhaps with a [`Caller`] before them.
pub trait IntoHost<T: 'static, Marker>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_host(self) -> HostFunc<T>;
}

mod sealed {
    pub trait Sealed {}
    pub trait Return {}
}

macro_rules! numbers {
    ($($t:ident)*) => { $(
        impl sealed::Sealed for $t {}
        impl HostValue for $t {
            const TYPE: Type = <$t as Scalar>::TYPE;
            #[inline]
            fn of(bits: u64, _: &Core) -> $t {
                $t::from_register(bits)
            }
            #[inline]
            fn bits(self, _: &Core) -> u64 {
                self.to_register()
            }
        }
    )* };
}
numbers!(i32 u32 i64 u64 f32 f64);

impl sealed::Sealed for Option<Func> {}
impl HostValue for Option<Func> {
    const TYPE: Type = Type::Funcref;
    fn of(bits: u64, core: &Core) -> Self {
        Func::of_handle(bits, core)
    }
    fn bits(self, core: &Core) -> u64 {
        self.map_or(0, |func| func.handle_in(core).into())
    }
}

impl sealed::Sealed for Option<ExternRef> {}
impl HostValue for Option<ExternRef> {
    const TYPE: Type = Type::Externref;
    fn of(bits: u64, core: &Core) -> Self {
        ExternRef::of_handle(bits, core)
    }
    fn bits(self, core: &Core) -> u64 {
        self.map_or(0, |reference| reference.handle_in(core).into())
    }
}

macro_rules! returns {
    ($(($t:ty))*) => { $(
        impl HostParams for $t {
            const TYPES: &'static [Type] = &[<$t as HostValue>::TYPE];
            #[inline]
            fn write(self, core: &Core, words: &mut [u64]) {
                words[0] = self.bits(core);
            }
            #[inline]
            fn read(core: &Core, words: &[u64]) -> Self {
                <$t>::of(words[0], core)
            }
        }
        impl HostResults for $t {}
        impl sealed::Return for $t {}
        impl HostReturn for $t {
            type Results = $t;
            fn into_result(self) -> Result<$t, Error> {
                Ok(self)
            }
        }
    )* };
}
returns!((i32) (u32) (i64) (u64) (f32) (f64) (Option<Func>) (Option<ExternRef>));

impl<R, E> sealed::Return for Result<R, E> {}
impl<R: HostResults, E: Into<BoxedError>> HostReturn for Result<R, E> {
    type Results = R;
    fn into_result(self) -> Result<R, Error> {
        self.map_err(|error| Error::of_host(error.into()))
    }
}

macro_rules! tuples {
    ($(($($name:ident $x:ident)*))*) => { $(
        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple is one, too")]
        impl<$($name: HostValue),*> HostParams for ($($name,)*) {
            const TYPES: &'static [Type] = &[$($name::TYPE),*];
            #[inline]
            fn write(self, core: &Core, words: &mut [u64]) {
                let ($($x,)*) = self;
                let values: &[u64] = &[$($x.bits(core)),*];
                words[..values.len()].copy_from_slice(values);
            }
            #[inline]
            #[allow(unused_mut, reason = "the empty tuple asks for nothing")]
            fn read(core: &Core, words: &[u64]) -> Self {
                let mut words = words.iter().copied();
                ($($name::of(words.next().unwrap_or(0), core),)*)
            }
        }
        impl<$($name: HostValue),*> HostResults for ($($name,)*) {}
        impl<$($name: HostValue),*> sealed::Return for ($($name,)*) {}
        impl<$($name: HostValue),*> HostReturn for ($($name,)*) {
            type Results = Self;
            fn into_result(self) -> Result<Self, Error> {
                Ok(self)
            }
        }
        impl<T, Function, Given, $($name,)*> IntoHost<T, ($($name,)*)> for Function
        where
            T: 'static,
            Function: Fn($($name),*) -> Given + Send + Sync + 'static,
            Given: HostReturn,
            $($name: HostValue,)*
        {
            fn into_host(self) -> HostFunc<T> {
                typed::<T, ($($name,)*), Given>(move |_, ($($x,)*)| self($($x),*))
            }
        }
        impl<T, Function, Given, $($name,)*> IntoHost<T, (Caller<'_, T>, $($name,)*)> for Function
        where
            T: 'static,
            Function: Fn(Caller<'_, T>, $($name),*) -> Given + Send + Sync + 'static,
            Given: HostReturn,
            $($name: HostValue,)*
        {
            fn into_host(self) -> HostFunc<T> {
                typed::<T, ($($name,)*), Given>(move |caller, ($($x,)*)| self(caller, $($x),*))
            }
        }
    )* };
}
tuples! {
    ()
    (A a)
    (A a B b)
    (A a B b C c)
    (A a B b C c D d)
    (A a B b C c D d E e)
    (A a B b C c D d E e F f)
    (A a B b C c D d E e F f G g)
    (A a B b C c D d E e F f G g H h)
    (A a B b C c D d E e F f G g H h I i)
    (A a B b C c D d E e F f G g H h I i J j)
    (A a B b C c D d E e F f G g H h I i J j K k)
    (A a B b C c D d E e F f G g H h I i J j K k L l)
    (A a B b C c D d E e F f G g H h I i J j K k L l M m)
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n)
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o)
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p)
}

fn typed<T: 'static, P: HostParams, R: HostReturn>(
    function: impl Fn(Caller<'_, T>, P) -> R + Send + Sync + 'static,
) -> HostFunc<T> {
    let work = move |caller: Caller<'_, T>, words: &mut [u64]| {
        let Caller { inner, instance } = caller;
        let params = P::read(&inner.core, words);
        let results = function(Caller { inner: &mut *inner, instance }, params).into_result()?;
        results.write(&inner.core, words);
        Ok(())
    };
    HostFunc { signature: Signature::new(P::TYPES, R::Results::TYPES), work: Box::new(work) }
}

impl<T: 'static> HostFunc<T> {
    /// A function that takes and gives dynamic values.
    pub fn dynamic<E: Into<BoxedError>>(
        signature: Signature,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), E> + Send + Sync + 'static,
    ) -> HostFunc<T> {
        let types = signature.clone();
        let work = move |caller: Caller<'_, T>, words: &mut [u64]| {
            let Caller { inner, instance } = caller;
            let value = |(&ty, &bits): (&Type, &u64)| Val::of_bits(ty, bits, &inner.core);
            let params: Vec<Val> = types.params.iter().zip(&*words).map(value).collect();
            let mut results: Vec<Val> = types.results.iter().map(|&ty| Val::zero(ty)).collect();
            function(Caller { inner: &mut *inner, instance }, &params, &mut results)
                .map_err(|error| Error::of_host(error.into()))?;
            for ((&ty, value), word) in types.results.iter().zip(results).zip(words) {
                *word = value.checked_bits("the result of a function of the host", ty, &inner.core)?;
            }
            Ok(())
        };
        HostFunc { signature, work: Box::new(work) }
    }
}
