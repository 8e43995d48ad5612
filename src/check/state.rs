//! What is known at one point of a function: which values registers, frame words and variables hold.
//!
//! Comes in: copies and definitions, one after the other. Goes out: whether two places hold the same value. What must
//! hold: two halves are equal only where the values are the same on every way to this point.
//!
//! Values are numbered: a place holds the present value of a variable exactly if both have the same number. Everything
//! is kept in halves of 32 bits, because that is what some instructions write and read: a zero-extended i32 is a value
//! over the constant 0, and of an f32 in a vector register or a frame word only the low half counts.
//!
//! Where ways meet, two places hold the same value if they do so on each of the ways: pairs of numbers become numbers.

use std::collections::HashMap;

use crate::check::bytes::Byte;
use crate::check::decode::Operand;
use crate::check::defect::{place, register};
use crate::verified::Body;

/// Values that have a name wherever they are in a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// What this general register held when the function was entered.
    Saved(u8),
    /// Argument number `k`, from 0, as it was passed.
    Argument(u32),
    /// The address of the instance's data.
    Context,
    /// The return address.
    Return,
    /// The address of a word of the frame, by how many bytes it lies below the return address.
    Frame(i32),
    /// The address of the linear memory, as an entry for C reads it.
    Memory,
    /// The address of a global that others reach as well.
    Shared(u32),
    /// The address of the number of pages of the memory of a linked module.
    Pages,
}

/// 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// Anything.
    Unknown,
    /// This constant.
    Const(u32),
    /// The value with this number; it means something only beside others of the same state.
    Value(u32),
    /// Half of a value with a name; `true` for the upper.
    Named(Name, bool),
    /// Half of an address computed for the present instruction, by its index; `true` for the upper.
    Sum(u8, bool),
    /// Bytes of several values, made for the present instruction, by their index.
    Bytes(u8),
}

/// 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// The low half.
    pub lo: Half,
    /// The upper half.
    pub hi: Half,
}

impl Word {
    /// Anything.
    pub const UNKNOWN: Word = Word { lo: Half::Unknown, hi: Half::Unknown };

    /// A constant.
    #[must_use]
    pub fn constant(bits: u64) -> Word {
        Word { lo: Half::Const(bits as u32), hi: Half::Const((bits >> 32) as u32) }
    }

    /// A value with a name.
    #[must_use]
    pub fn named(name: Name) -> Word {
        Word { lo: Half::Named(name, false), hi: Half::Named(name, true) }
    }

    /// The low half, zero-extended.
    #[must_use]
    pub fn low(self) -> Word {
        Word { lo: self.lo, hi: Half::Const(0) }
    }

    /// The low half over unknown bits.
    #[must_use]
    pub fn low_only(self) -> Word {
        Word { lo: self.lo, hi: Half::Unknown }
    }

    /// The constant that it is.
    #[must_use]
    pub fn as_constant(self) -> Option<u64> {
        match (self.lo, self.hi) {
            (Half::Const(lo), Half::Const(hi)) => Some(u64::from(lo) | u64::from(hi) << 32),
            _ => None,
        }
    }
}

/// Pairs of halves that have met, each with a number of its own.
struct Pairs {
    count: u32,
    /// For each numbered value, the last pair with it; pairs are chained.
    heads: Vec<u32>,
    chain: Vec<(Half, u32, u32)>,
    others: HashMap<(Half, Half), u32>,
}

impl Pairs {
    const NONE: u32 = u32::MAX;

    fn new(values: u32) -> Pairs {
        Pairs { count: 0, heads: vec![Pairs::NONE; values as usize], chain: Vec::new(), others: HashMap::new() }
    }

    /// Keeps in `mine` what is so in `theirs`; says whether anything was given up.
    fn join(&mut self, mine: &mut [Word], theirs: &[Word]) -> bool {
        let mut changed = false;
        for (mine, theirs) in mine.iter_mut().zip(theirs) {
            if *mine == Word::UNKNOWN {
                continue;
            }
            let joined = Word { lo: self.half(mine.lo, theirs.lo), hi: self.half(mine.hi, theirs.hi) };
            changed |= joined != *mine;
            *mine = joined;
        }
        changed
    }

    fn half(&mut self, mine: Half, theirs: Half) -> Half {
        match (mine, theirs) {
            (Half::Unknown, _) | (_, Half::Unknown) => Half::Unknown,
            (Half::Const(one), Half::Const(two)) if one == two => mine,
            (Half::Named(one, upper), Half::Named(two, other)) if one == two && upper == other => mine,
            _ => Half::Value(self.number(mine, theirs)),
        }
    }

    fn number(&mut self, one: Half, two: Half) -> u32 {
        let Half::Value(value) = one else {
            let number = *self.others.entry((one, two)).or_insert(self.count);
            self.count = self.count.max(number + 1);
            return number;
        };
        let head = &mut self.heads[value as usize];
        let mut link = *head;
        while link != Pairs::NONE {
            let (met, number, next) = self.chain[link as usize];
            if met == two {
                return number;
            }
            link = next;
        }
        self.chain.push((two, self.count, *head));
        *head = self.chain.len() as u32 - 1;
        self.count += 1;
        self.count - 1
    }
}

/// Everything that is known at one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The variables.
    pub vars: Vec<Word>,
    /// The general registers, then the vector registers.
    pub regs: [Word; 32],
    /// The words of the function's own frame from the return address downwards; the stack pointer stands at the last.
    pub own: Vec<Word>,
    /// The words above the return address that belong to the call: stack arguments, then results.
    pub caller: Vec<Word>,
    /// Addresses computed for the present instruction: this half, zero-extended, plus this constant.
    pub sums: Vec<(Half, u64)>,
    /// Halves made byte by byte for the present instruction.
    pub bytes: Vec<[Byte; 4]>,
    next: u32,
}

impl State {
    /// Nothing is known of `vars` variables and `caller` words of the call.
    pub fn new(vars: usize, caller: usize) -> State {
        State {
            vars: vec![Word::UNKNOWN; vars],
            regs: [Word::UNKNOWN; 32],
            own: vec![Word::named(Name::Return)],
            caller: vec![Word::UNKNOWN; caller],
            sums: Vec::new(),
            bytes: Vec::new(),
            next: 0,
        }
    }

    /// A half that nothing else holds.
    pub fn fresh(&mut self) -> Half {
        self.next += 1;
        Half::Value(self.next - 1)
    }

    /// Bytes from the stack pointer up to the return address.
    pub fn depth(&self) -> u32 {
        8 * (self.own.len() as u32 - 1)
    }

    /// Forgets what holds for one instruction only.
    pub fn end_instruction(&mut self) {
        if self.sums.is_empty() && self.bytes.is_empty() {
            return;
        }
        self.sums.clear();
        // Values made of bytes are values like others from here on.
        let first = self.next;
        self.next += self.bytes.len() as u32;
        self.bytes.clear();
        for half in self.halves_mut() {
            match *half {
                Half::Sum(..) => *half = Half::Unknown,
                Half::Bytes(index) => *half = Half::Value(first + u32::from(index)),
                _ => {}
            }
        }
    }

    /// The word of the frame at a distance from the stack pointer.
    fn word_mut(&mut self, distance: i64) -> Result<&mut Word, String> {
        let depth = i64::from(self.depth());
        let shown = place(Operand::Slot(distance));
        if distance % 8 != 0 {
            return Err(format!("{shown} is no whole word of the frame"));
        }
        if distance == depth {
            return Err(format!("{shown} is the return address"));
        }
        let found = match distance {
            _ if distance < 0 => None,
            _ if distance < depth => self.own.get_mut(((depth - distance) / 8) as usize),
            _ => self.caller.get_mut(((distance - depth) / 8 - 1) as usize),
        };
        found.ok_or_else(|| format!("{shown} lies outside the frame, which has {depth} bytes up to the return address"))
    }

    /// What a register, a frame word or a constant holds.
    ///
    /// # Errors
    /// Where the operand is no such place.
    pub fn read(&mut self, operand: Operand) -> Result<Word, String> {
        match operand {
            Operand::Register(number) => Ok(self.regs[usize::from(number)]),
            Operand::Slot(distance) => self.word_mut(distance).copied(),
            Operand::Constant(bits) => Ok(Word::constant(bits)),
            other => Err(format!("{} holds no value", place(other))),
        }
    }

    /// Puts a value into a register or a frame word; says whether it held that value already.
    ///
    /// # Errors
    /// Where the operand is no such place.
    pub fn write(&mut self, operand: Operand, word: Word) -> Result<bool, String> {
        let found = match operand {
            Operand::Register(number) => &mut self.regs[usize::from(number)],
            Operand::Slot(distance) => self.word_mut(distance)?,
            other => return Err(format!("{} takes no value", place(other))),
        };
        let same = *found == word && word.lo != Half::Unknown && word.hi != Half::Unknown;
        *found = word;
        Ok(same)
    }

    fn halves_mut(&mut self) -> impl Iterator<Item = &mut Half> {
        let frame = self.own.iter_mut().chain(&mut self.caller);
        self.vars.iter_mut().chain(&mut self.regs).chain(frame).flat_map(|word| [&mut word.lo, &mut word.hi])
    }

    /// Keeps only what is so in `other` too; says whether anything was given up.
    ///
    /// # Errors
    /// Where the stacks are not equally deep.
    pub fn join(&mut self, other: &State) -> Result<bool, String> {
        if self.own.len() != other.own.len() {
            let (one, two) = (self.depth(), other.depth());
            return Err(format!("two ways meet here, with {one} and with {two} bytes on the stack"));
        }
        let mut pairs = Pairs::new(self.next);
        let mut changed = pairs.join(&mut self.vars, &other.vars);
        changed |= pairs.join(&mut self.regs, &other.regs);
        changed |= pairs.join(&mut self.own, &other.own);
        changed |= pairs.join(&mut self.caller, &other.caller);
        self.next = pairs.count;
        Ok(changed)
    }

    /// Numbers the values in the order in which they are met, so that equal knowledge is equal.
    pub fn settle(&mut self) {
        let mut pairs = Pairs::new(self.next);
        for half in self.halves_mut() {
            match *half {
                Half::Value(_) | Half::Sum(..) => *half = Half::Value(pairs.number(*half, Half::Unknown)),
                _ => {}
            }
        }
        self.next = pairs.count;
    }

    /// What a word is, in words.
    pub fn describe(&self, body: &Body, word: Word) -> String {
        if let Some(bits) = word.as_constant() {
            return format!("the constant {}", place(Operand::Constant(bits)));
        }
        let vars = || self.vars.iter().zip(0u32..);
        if let Some((_, var)) = vars().find(|(held, _)| **held == word) {
            return body.var_name(var);
        }
        if let Some((_, var)) = vars().find(|(held, _)| held.lo == word.lo && word.lo != Half::Unknown) {
            let name = body.var_name(var);
            return match word.hi {
                Half::Const(0) => format!("the low half of {name}, zero-extended"),
                _ => format!("the low half of {name} under unknown bits"),
            };
        }
        match word.lo {
            Half::Named(Name::Saved(number), _) => format!("what {} held at the entry", register(number)),
            Half::Named(Name::Argument(k), _) => format!("argument {} as it was passed", k + 1),
            Half::Named(Name::Context, _) => "the address of the instance's data".to_owned(),
            Half::Named(Name::Return, _) => "the return address".to_owned(),
            Half::Named(Name::Frame(_), _) => "an address in the frame".to_owned(),
            Half::Named(Name::Memory, _) => "the address of the linear memory".to_owned(),
            Half::Bytes(_) => "bytes of several values".to_owned(),
            Half::Sum(..) => "an address".to_owned(),
            Half::Value(_) => "a value of no variable".to_owned(),
            _ => "nothing known".to_owned(),
        }
    }

    /// Where a word can be found, in words.
    pub fn whereabouts(&self, word: Word, low: bool) -> String {
        let holds = |held: &Word| held.lo == word.lo && (low || held.hi == word.hi) && held.lo != Half::Unknown;
        let registers =
            self.regs.iter().zip(0u8..).filter(|(held, _)| holds(held)).map(|(_, n)| register(n).to_owned());
        let depth = i64::from(self.depth());
        let own = self.own.iter().zip(0i64..).filter(|(held, _)| holds(held));
        let own = own.map(|(_, index)| place(Operand::Slot(depth - 8 * index)));
        let found: Vec<String> = registers.chain(own).take(4).collect();
        match (word.as_constant(), found.is_empty()) {
            (Some(bits), _) => format!("is the constant {}", place(Operand::Constant(bits))),
            (None, true) => "is nowhere".to_owned(),
            (None, false) => format!("is in {}", found.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAX: Operand = Operand::Register(0);

    #[test]
    fn a_value_that_differs_between_ways_is_still_one_value() {
        let mut one = State::new(2, 0);
        let mut two = one.clone();
        for (state, bits) in [(&mut one, 5), (&mut two, 6)] {
            state.vars[0] = Word::constant(bits);
            state.vars[1] = Word::constant(5);
            state.write(RAX, Word::constant(bits)).unwrap();
        }
        assert_eq!(one.join(&two), Ok(true));
        assert_eq!(one.vars[0], one.regs[0]);
        assert!(matches!(one.vars[0].lo, Half::Value(_)) && one.vars[0] != one.vars[1]);
        assert_eq!(one.vars[1], Word::constant(5));
        let before = one.clone();
        assert_eq!(one.join(&before), Ok(false));
    }

    #[test]
    fn places_that_agree_on_one_way_only_are_told_apart() {
        let mut one = State::new(2, 0);
        let (lo, hi) = (one.fresh(), one.fresh());
        one.vars = vec![Word { lo, hi }; 2];
        one.settle();
        let mut two = one.clone();
        let other = two.fresh();
        two.vars[1].lo = other;
        assert_eq!(one.join(&two), Ok(true));
        assert!(one.vars[0].lo != one.vars[1].lo && one.vars[0].hi == one.vars[1].hi);
    }

    #[test]
    fn the_frame_has_borders() {
        let mut state = State::new(0, 1);
        state.own.extend([Word::UNKNOWN; 2]);
        for distance in [0, 8, 24] {
            assert_eq!(state.write(Operand::Slot(distance), Word::constant(1)), Ok(false));
            assert_eq!(state.write(Operand::Slot(distance), Word::constant(1)), Ok(true));
        }
        for distance in [-8, 4, 16, 32] {
            assert!(state.write(Operand::Slot(distance), Word::constant(1)).is_err(), "{distance}");
        }
        assert_eq!(state.caller[0], Word::constant(1));
    }
}
