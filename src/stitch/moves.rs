//! Moving several values at once, as if all were read before any is written.
//!
//! Comes in: pairs of a source and a target. Goes out: glue. What must hold: no source is overwritten before it has
//! been read; a ring of registers goes through a scratch register that no move names.

use crate::isa::op::{Class, Op, Type};
use crate::isa::snippet::Form;
use crate::library::builtin::{FSCRATCH1, SCRATCH0, SCRATCH2};
use crate::stitch::emit::{Emitter, number};
use crate::stitch::place::{FIRST_XMM, Place};
use crate::stitch::trace::Step;

/// Where a moved value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// A register, a slot or a constant.
    Place(Place),
    /// A place in the frame, by its distance.
    Frame(i64),
}

/// Where a moved value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// A register or a slot.
    Place(Place),
    /// A place in the frame, by its distance.
    Frame(i64),
}

/// One of the moves; an i32 arrives with its upper half cleared if `widen` is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub from: From,
    pub to: To,
    pub class: Class,
    pub widen: bool,
}

impl Move {
    pub(super) fn new(from: From, to: To, class: Class) -> Move {
        Move { from, to, class, widen: false }
    }

    fn source(&self) -> Option<u8> {
        match self.from {
            From::Place(place) => place.as_register(),
            From::Frame(_) => None,
        }
    }

    fn target(&self) -> Option<u8> {
        match self.to {
            To::Place(place) => place.as_register(),
            To::Frame(_) => None,
        }
    }

    fn is_done(&self) -> bool {
        let same = match (self.from, self.to) {
            (From::Place(from), To::Place(to)) => from == to,
            (From::Frame(from), To::Frame(to)) => from == to,
            _ => false,
        };
        same && !self.widen
    }
}

/// True where a value of type `ty` needs its upper half cleared before it can be passed.
pub(super) fn widens(ty: Type, narrow: bool) -> bool {
    ty.is_narrow() && ty.class() == Class::Int && !narrow
}

/// The move of a class.
#[inline(always)]
pub(super) fn move_op(class: Class) -> Op {
    // A static and no constant: a look into memory is guessed better than the branches that would be made of three cases.
    static MOVES: [Op; 3] = [Op::MoveI64, Op::MoveF32, Op::MoveF64];
    MOVES[class as usize]
}

impl Emitter<'_> {
    /// Performs `moves` and keeps the list for the next ones. Moves into memory come first, those out of memory last.
    pub(super) fn move_all(&mut self, mut moves: Vec<Move>) {
        let step = self.glue(Step::Glue);
        for one in moves.iter().filter(|one| one.target().is_none()) {
            self.move_to_frame(one);
        }
        moves.retain(|one| one.target().is_some() && !one.is_done());
        self.between_registers(&mut moves);
        for one in &moves {
            self.move_to_register(one);
        }
        moves.clear();
        self.moves_at_hand = moves;
        self.glue(step);
    }

    /// The moves from register to register: one whose target nobody waits to read goes first; where there is none,
    /// the rest are rings.
    fn between_registers(&mut self, moves: &mut Vec<Move>) {
        let mut read = [0u8; 32];
        let mut pending = 0;
        for source in moves.iter().filter_map(Move::source) {
            read[usize::from(source)] += 1;
            pending += 1;
        }
        while pending > 0 {
            let free = |one: &Move| {
                one.source().is_some()
                    && one.target().is_some_and(|target| {
                        read[usize::from(target)] == 0
                            || (read[usize::from(target)] == 1 && one.source() == Some(target))
                    })
            };
            if let Some(index) = moves.iter().position(free) {
                let one = moves.swap_remove(index);
                if let Some(source) = one.source() {
                    read[usize::from(source)] -= 1;
                }
                pending -= 1;
                self.move_to_register(&one);
            } else if let Some(index) = moves.iter().position(|one| one.source().is_some()) {
                let (Some(source), class) = (moves[index].source(), moves[index].class) else { return };
                let spare = if class.is_float() { FSCRATCH1 + FIRST_XMM } else { SCRATCH2 };
                self.move_value(class, Place::register(source), Place::register(spare));
                for one in moves.iter_mut().filter(|one| one.source() == Some(source)) {
                    one.from = From::Place(Place::register(spare));
                    read[usize::from(spare)] += 1;
                }
                read[usize::from(source)] = 0;
            }
        }
    }

    fn move_to_register(&mut self, one: &Move) {
        let Some(register) = one.target() else { return };
        match one.from {
            From::Place(place) if one.widen => self.widen(place, register),
            From::Place(place) => self.move_value(one.class, place, Place::register(register)),
            From::Frame(distance) => self.load_slot(move_op(one.class), distance, register),
        }
    }

    fn move_to_frame(&mut self, one: &Move) {
        let distance = match one.to {
            To::Frame(distance) => distance,
            To::Place(place) => self.frame.slot(place.as_slot().unwrap_or(0)),
        };
        let constant = match one.from {
            From::Place(place) => place.as_constant().map(|index| self.constant(index)),
            From::Frame(_) => None,
        };
        if let Some(bits) = constant {
            let bits = if one.widen { bits & 0xffff_ffff } else { bits };
            return self.constant_to_frame(bits, distance);
        }
        if one.is_done() {
            return;
        }
        let (register, class) = match one.source() {
            Some(register) if !one.widen => (register, one.class),
            _ => {
                self.through_scratch(one);
                (SCRATCH0, Class::Int)
            }
        };
        // An f32 in memory has eight bytes like everything else; its upper half must not keep what was there.
        if class == Class::F32 {
            self.constant_to_frame(0, distance);
        }
        let chunk = self.form(move_op(class), true, Form::Reg, Form::Reg);
        self.put(chunk, [number(register), 0, 0], [distance, 0]);
    }

    /// Loads a value that goes from memory to memory. Only the low half of an f32 counts.
    fn through_scratch(&mut self, one: &Move) {
        let narrow = one.widen || one.class == Class::F32;
        let distance = match one.from {
            From::Frame(distance) => distance,
            From::Place(place) => match place.as_slot() {
                Some(slot) => self.frame.slot(slot),
                None => return self.widen(place, SCRATCH0),
            },
        };
        self.load_slot(if narrow { Op::Wrap } else { Op::MoveI64 }, distance, SCRATCH0);
    }
}
