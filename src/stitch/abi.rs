//! Where C has the values of a call: the System V ABI for AMD64 (psABI 3.2.3) and the Microsoft x64 convention.
//!
//! Comes in: the signature of a C function. Goes out: its arguments and results as words of eight bytes, with the place
//! of each. What must hold: nothing here knows how a program is stitched; a caller and an entry for callers both go by
//! it, seen from their own side.

use crate::isa::op::Class;
use crate::library::builtin::{CINTS, CRESULTS, FARGS, FRESULTS, WINTS};
use crate::module::native::{Abi, CSignature, CType};
use crate::stitch::place::FIRST_XMM;

/// Where a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In this register; vector registers start at 16.
    Register(u8),
    /// Among what is passed on the stack, by its distance in bytes from where that starts.
    Stack(u32),
    /// In the result that the caller makes room for, by its distance in bytes.
    Result(u32),
}

/// A scalar in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which value it is, counted as the program passes or gets them.
    pub value: usize,
    /// Its type.
    pub ty: CType,
    /// Its distance in bytes from the start of the word.
    pub at: u32,
}

/// Eight bytes that are passed as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The scalars in it.
    pub pieces: Vec<Piece>,
    /// Where it is.
    pub at: At,
    /// Where it is as well: floats of variadic functions in the Microsoft convention.
    pub copy: Option<u8>,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// All words, in the order of their values.
    pub words: Vec<Word>,
    /// Arguments that are addresses of what stands on the stack: where each is passed, and the distance of what it
    /// points to, a multiple of 16.
    pub pointers: Vec<(At, u32)>,
    /// Where the address of the result's room is passed, if it is.
    pub hidden: Option<u8>,
    /// Bytes on the stack, what is pointed to included.
    pub size: u32,
    /// How many vector registers carry arguments.
    pub vectors: u32,
}

/// The result of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// All words, in the order of their values.
    pub words: Vec<Word>,
    /// Bytes that the caller makes room for; 0 where the result is in registers.
    pub size: u32,
}

/// Where the arguments of a call of this signature are, with further ones of these classes.
#[must_use]
pub fn arguments(signature: &CSignature, more: &[Class]) -> Arguments {
    let further = more.iter().map(|class| if class.is_float() { CType::F64 } else { CType::I64 });
    let types = signature.params.iter().cloned().chain(further);
    let hidden = results(signature).size != 0;
    match signature.abi {
        Abi::SysV => SysV::new(hidden).all(types),
        Abi::Win64 => Win64::new(hidden, signature.variadic).all(types),
    }
}

/// Where the result of a call of this signature is.
#[must_use]
pub fn results(signature: &CSignature) -> Results {
    let Some(ty) = signature.returns() else { return Results::default() };
    let in_registers = match signature.abi {
        Abi::SysV => ty.size() <= 16,
        Abi::Win64 => fits_a_word(&ty),
    };
    let mut words = words(&ty, 0);
    if !in_registers {
        (0..).zip(&mut words).for_each(|(index, word)| word.at = At::Result(8 * index));
        return Results { words, size: ty.size() };
    }
    let (mut ints, mut floats) = (CRESULTS.iter().copied(), FRESULTS.iter().map(|register| register + FIRST_XMM));
    for word in &mut words {
        let float = in_vector(signature.abi, &ty, word);
        let next = if float { floats.next() } else { ints.next() };
        word.at = At::Register(next.unwrap_or_default());
    }
    Results { words, size: 0 }
}

/// True where a word of an argument or result of type `ty` travels in a vector register.
fn in_vector(abi: Abi, ty: &CType, word: &Word) -> bool {
    // The class of two scalars in one word is INTEGER if either's is. Structs are integers to Microsoft.
    let floats = word.pieces.iter().all(|piece| matches!(piece.ty, CType::F32 | CType::F64));
    floats && (abi == Abi::SysV || !matches!(ty, CType::Struct(_)))
}

fn fits_a_word(ty: &CType) -> bool {
    matches!(ty.size(), 1 | 2 | 4 | 8)
}

/// The words of a value whose scalars are counted from `first`.
fn words(ty: &CType, first: usize) -> Vec<Word> {
    let empty = || Word { pieces: Vec::new(), at: At::Stack(0), copy: None };
    let mut words: Vec<Word> = (0..ty.size().div_ceil(8)).map(|_| empty()).collect();
    for (value, (at, ty)) in (first..).zip(ty.scalars()) {
        words[at as usize / 8].pieces.push(Piece { value, ty, at: at % 8 });
    }
    words
}

/// Hands out places as the System V ABI does.
struct SysV {
    ints: &'static [u8],
    floats: &'static [u8],
    args: Arguments,
}

impl SysV {
    fn new(hidden: bool) -> SysV {
        let (first, rest) = CINTS.split_at(usize::from(hidden));
        SysV { ints: rest, floats: &FARGS, args: Arguments { hidden: first.first().copied(), ..Arguments::default() } }
    }

    fn all(mut self, types: impl Iterator<Item = CType>) -> Arguments {
        let mut values = 0;
        for ty in types {
            self.next(&ty, values);
            values += ty.scalars().len();
        }
        self.args.vectors = (FARGS.len() - self.floats.len()) as u32;
        self.args
    }

    fn next(&mut self, ty: &CType, first: usize) {
        let mut words = words(ty, first);
        let floats = words.iter().filter(|word| in_vector(Abi::SysV, ty, word)).count();
        let ints = words.len() - floats;
        // Larger ones are of class MEMORY; and the registers take all of a struct, or nothing of it.
        let fits = ty.size() <= 16 && floats <= self.floats.len() && ints <= self.ints.len();
        for word in &mut words {
            word.at = if !fits {
                self.args.size += 8;
                At::Stack(self.args.size - 8)
            } else if in_vector(Abi::SysV, ty, word) {
                At::Register(take(&mut self.floats) + FIRST_XMM)
            } else {
                At::Register(take(&mut self.ints))
            };
        }
        self.args.words.extend(words);
    }
}

fn take(registers: &mut &'static [u8]) -> u8 {
    let Some((&first, rest)) = registers.split_first() else { return 0 };
    *registers = rest;
    first
}

/// Hands out places as Microsoft does: the position of an argument alone says where it is.
struct Win64 {
    variadic: bool,
    position: u32,
    args: Arguments,
}

/// Bytes that belong to the callee above its return address, whatever it takes.
const SHADOW: u32 = 32;

impl Win64 {
    fn new(hidden: bool, variadic: bool) -> Win64 {
        let args = Arguments { hidden: hidden.then_some(WINTS[0]), ..Arguments::default() };
        Win64 { variadic, position: u32::from(hidden), args }
    }

    fn all(mut self, types: impl Iterator<Item = CType>) -> Arguments {
        let mut values = 0;
        let mut pointed: Vec<(At, Vec<Word>)> = Vec::new();
        for ty in types {
            let mut words = words(&ty, values);
            values += ty.scalars().len();
            let int = self.next_place();
            if !fits_a_word(&ty) {
                pointed.push((int, words));
                continue;
            }
            let word = &mut words[0];
            word.at = int;
            if let (true, At::Register(register)) = (in_vector(Abi::Win64, &ty, word), int) {
                let position = self.position as usize - 1;
                word.at = At::Register(FARGS[position] + FIRST_XMM);
                word.copy = self.variadic.then_some(register);
            }
            self.args.words.append(&mut words);
        }
        self.args.size = SHADOW.max(8 * self.position);
        for (at, mut words) in pointed {
            let start = self.args.size.next_multiple_of(16);
            (0..).zip(&mut words).for_each(|(index, word)| word.at = At::Stack(start + 8 * index));
            self.args.size = start + 8 * words.len() as u32;
            self.args.pointers.push((at, start));
            self.args.words.append(&mut words);
        }
        self.args
    }

    fn next_place(&mut self) -> At {
        self.position += 1;
        let position = self.position - 1;
        WINTS.get(position as usize).map_or(At::Stack(8 * position), |&register| At::Register(register))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CType::{F32, F64, I8, I32, I64};

    fn signature(abi: Abi, params: &[CType], results: &[CType]) -> CSignature {
        CSignature { abi, params: params.to_vec(), variadic: false, results: results.to_vec() }
    }

    fn places(words: &[Word]) -> Vec<At> {
        words.iter().map(|word| word.at).collect()
    }

    #[test]
    fn eightbytes_go_by_their_classes() {
        let mixed = CType::Struct(vec![F64, I32]);
        let floats = CType::Struct(vec![F32, F32, F32]);
        let joined = CType::Struct(vec![F32, I8, F64]);
        let found = arguments(&signature(Abi::SysV, &[mixed, floats, joined], &[]), &[]);
        let wanted = [16, 7, 17, 18, 6, 19].map(At::Register);
        assert_eq!(places(&found.words), wanted);
        assert_eq!(found.words[4].pieces[1], Piece { value: 6, ty: I8, at: 4 });
        assert_eq!((found.size, found.vectors), (0, 4));
    }

    #[test]
    fn a_struct_is_never_split_between_registers_and_stack() {
        let pair = CType::Struct(vec![I64, I64]);
        let params = [I64, I64, I64, I64, I64, pair, I64, I64];
        let found = arguments(&signature(Abi::SysV, &params, &[]), &[]);
        assert_eq!(places(&found.words)[5..], [At::Stack(0), At::Stack(8), At::Register(9), At::Stack(16)]);
        assert_eq!(found.size, 24);
    }

    #[test]
    fn large_results_take_the_first_register() {
        for (abi, first, next) in [(Abi::SysV, 7, 6), (Abi::Win64, 1, 2)] {
            let signature = signature(abi, &[I64], &[I64, I64, I64]);
            let found = arguments(&signature, &[]);
            assert_eq!((found.hidden, found.words[0].at), (Some(first), At::Register(next)));
            assert_eq!(places(&results(&signature).words), [0, 8, 16].map(At::Result));
        }
    }

    #[test]
    fn positions_decide_in_the_microsoft_convention() {
        let large = CType::Struct(vec![I64, I64]);
        let small = CType::Struct(vec![F64]);
        let params = [I64, F64, large.clone(), small, I32, large];
        let found = arguments(&signature(Abi::Win64, &params, &[]), &[]);
        assert_eq!(places(&found.words)[..4], [At::Register(1), At::Register(17), At::Register(9), At::Stack(32)]);
        assert_eq!(found.pointers, [(At::Register(8), 48), (At::Stack(40), 64)]);
        assert_eq!(found.size, 80);
        let variadic = CSignature { variadic: true, ..signature(Abi::Win64, &[I64], &[]) };
        let found = arguments(&variadic, &[Class::F64]);
        assert_eq!((found.words[1].at, found.words[1].copy), (At::Register(17), Some(2)));
    }
}
