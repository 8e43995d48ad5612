//! The calling convention between Spasm functions, read from the sets of `abi.inc` a second time.
//!
//! Comes in: a signature. Goes out: where each argument and each result stands. What must hold: nothing here comes from
//! the stitcher; callers and callees are both held against it.
//!
//! Ints go into `args` and floats into `fargs`, in the order of the parameters; what is left over goes onto the stack,
//! 8 bytes each. A variadic function takes everything on the stack, and the number of its arguments in `COUNT`. Results
//! go into `results` and `fresults`, what is left over behind the stack arguments. An i32 has its upper half zero
//! wherever it stands, and so has an f32 on the stack; in a vector register only its low half counts.

use crate::check::state::Half;
use crate::check::state::Word;
use crate::isa::op::Type;
use crate::library::builtin::{ARGS, FARGS, FRESULTS, RESULTS};
use crate::module::Signature;

/// Where a value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this register; vector registers start at 16.
    Register(u8),
    /// On the stack, by its index among the words above the return address.
    Stack(u32),
}

/// A value that crosses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Where it stands.
    pub place: Place,
    /// Its type.
    pub ty: Type,
}

impl Passed {
    /// What stands there where the value is `word`.
    pub fn image(self, word: Word) -> Word {
        match (self.ty, self.place) {
            (Type::I64 | Type::F64, _) => word,
            (Type::F32, Place::Register(_)) => word.low_only(),
            _ => word.low(),
        }
    }

    /// True where `found` is the value `word`, passed.
    pub fn is(self, found: Word, word: Word) -> bool {
        let wanted = self.image(word);
        found.lo == wanted.lo && found.lo != Half::Unknown && (wanted.hi == Half::Unknown || found.hi == wanted.hi)
    }
}

/// The places of the arguments of a call that passes `count` of them.
pub fn arguments(signature: &Signature, count: usize) -> Vec<Passed> {
    let types = signature.params.iter().copied().chain(std::iter::repeat(Type::I64)).take(count);
    if signature.variadic {
        return types.zip(0..).map(|(ty, index)| Passed { place: Place::Stack(index), ty }).collect();
    }
    hand_out(types, &ARGS, &FARGS, 0)
}

/// The places of the results, behind `stacked` stack arguments.
pub fn results(signature: &Signature, stacked: u32) -> Vec<Passed> {
    hand_out(signature.results.iter().copied(), &RESULTS, &FRESULTS, stacked)
}

/// How many of them stand on the stack.
pub fn stacked(passed: &[Passed]) -> u32 {
    passed.iter().filter(|one| matches!(one.place, Place::Stack(_))).count() as u32
}

fn hand_out(types: impl Iterator<Item = Type>, ints: &[u8], floats: &[u8], stacked: u32) -> Vec<Passed> {
    let mut ints = ints.iter().copied();
    let mut floats = floats.iter().map(|register| register + 16);
    let mut stack = stacked..;
    let mut next = |ty: Type| {
        let register = if ty.class().is_float() { floats.next() } else { ints.next() };
        register.map_or_else(|| Place::Stack(stack.next().unwrap_or(u32::MAX)), Place::Register)
    };
    types.map(|ty| Passed { place: next(ty), ty }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::op::Type::{F32, F64, I32, I64};

    fn places(passed: &[Passed]) -> Vec<Place> {
        passed.iter().map(|one| one.place).collect()
    }

    #[test]
    fn registers_first_then_the_stack() {
        let signature = Signature::new([I64, F64, I32, I64, I64, I64, I64, I64], [I64, F32, I32, I64, F64, F32]);
        let passed = arguments(&signature, 8);
        assert_eq!(places(&passed)[..3], [Place::Register(7), Place::Register(16), Place::Register(6)]);
        assert_eq!(passed[7].place, Place::Stack(0));
        assert_eq!(stacked(&passed), 1);
        let results = results(&signature, 1);
        let registers = [Place::Register(0), Place::Register(16), Place::Register(2)];
        assert_eq!(places(&results)[..3], registers);
        assert_eq!(places(&results)[3..], [Place::Stack(1), Place::Register(17), Place::Stack(2)]);
    }

    #[test]
    fn variadic_arguments_all_stand_on_the_stack() {
        let signature = Signature { variadic: true, ..Signature::new([F64], []) };
        assert_eq!(places(&arguments(&signature, 3)), [Place::Stack(0), Place::Stack(1), Place::Stack(2)]);
    }
}
