//! Emission of calls out: C functions, by name or by address.
//!
//! Comes in: a call instruction whose operands are scalars. Goes out: the glue that makes of them what C takes, the call,
//! and the glue that takes what C gives. What must hold: everything of that follows from [`abi`]; the
//! moves that choose no registers of their own use the scratch registers only.
//!
//! The words of a call are made in this order, so that no value is overwritten before it has been read:
//!
//! ```text
//! words of several scalars, and those of the stack ─▶ into the outgoing area
//! words of one scalar, as they are                 ─▶ to their registers, all at once
//! narrow ints in registers, constants, addresses   ─▶ in place
//! ```

use crate::isa::op::{Class, Op, Shape};
use crate::isa::part::Part;
use crate::isa::snippet::Form;
use crate::library::builtin::{CTARGET, RESULTS, SCRATCH0, SCRATCH1, SCRATCH2};
use crate::module::Inst;
use crate::module::native::{Abi, CSignature, CType};
use crate::stitch::abi::{self, Arguments, At, Piece, Results, Word};
use crate::stitch::emit::{Emitter, number};
use crate::stitch::image::Symbol;
use crate::stitch::live::ENDS_A;
use crate::stitch::moves::{From, Move, To};
use crate::stitch::operands::{CallOperands, call_operands, shape};
use crate::stitch::place::{FIRST_XMM, Place};
use crate::stitch::trace::Step;
use crate::verified::{Body, Verified};

/// A call of a C function, as its instruction says it.
pub(super) struct Outward<'a> {
    pub signature: &'a CSignature,
    pub operands: CallOperands<'a>,
    /// Where the list of operands starts.
    pub list: usize,
}

impl<'a> Outward<'a> {
    /// Reads `inst`, which is `call` of an extern or `callp`.
    pub fn new(verified: &'a Verified, body: &'a Body, inst: &Inst) -> Outward<'a> {
        let module = verified.module();
        let by_name = shape(inst.op) == Shape::CallExtern;
        let list = inst.b as usize + usize::from(!by_name);
        let signature = if by_name { module.externs[inst.a as usize].signature } else { body.lists[inst.b as usize] };
        let operands = call_operands(&body.lists, list);
        Outward { signature: &module.c_signatures[signature as usize], operands, list }
    }

    /// Where C takes the arguments.
    fn arguments(&self, body: &Body) -> Arguments {
        let fixed: usize = self.signature.params.iter().map(|ty| ty.scalars().len()).sum();
        let more = self.operands.args.iter().skip(fixed);
        let more: Vec<Class> = more.map(|&var| body.vars[var as usize].class).collect();
        abi::arguments(self.signature, &more)
    }

    /// The registers that arguments are best in before the call.
    pub fn hints(&self, body: &Body) -> Vec<(u32, u8)> {
        let words = self.arguments(body).words;
        let hint = |word: &Word| match word.at {
            At::Register(register) if !goes_through_memory(word) => {
                Some((self.operands.args[word.pieces[0].value], register))
            }
            _ => None,
        };
        words.iter().filter_map(hint).collect()
    }

    /// Bytes of the outgoing area that the call needs.
    pub fn room(&self, body: &Body) -> u32 {
        Room::new(&self.arguments(body), &abi::results(self.signature)).size
    }
}

/// The outgoing area of a call of C: what is passed, the room for the result, words on their way to registers.
struct Room {
    result: u32,
    words: u32,
    size: u32,
}

impl Room {
    fn new(arguments: &Arguments, results: &Results) -> Room {
        let result = arguments.size.next_multiple_of(16);
        let words = result + results.size.next_multiple_of(8);
        let passing = arguments.words.iter().filter(|word| goes_through_memory(word)).count() as u32;
        Room { result, words, size: words + 8 * passing }
    }
}

/// True for words that are made in memory on their way to a register: of several scalars, or in two registers.
fn goes_through_memory(word: &Word) -> bool {
    let At::Register(register) = word.at else { return false };
    let float = matches!(word.pieces[0].ty, CType::F32 | CType::F64);
    word.pieces.len() > 1 || word.copy.is_some() || float != (register >= FIRST_XMM)
}

fn is_narrow(ty: &CType) -> bool {
    matches!(ty, CType::I8 | CType::U8 | CType::I16 | CType::U16 | CType::Bool)
}

/// A constant as C has it.
fn narrowed(ty: &CType, bits: u64, extend: bool) -> u64 {
    match ty {
        CType::I8 if extend => u64::from(i32::from(bits as i8) as u32),
        CType::I16 if extend => u64::from(i32::from(bits as i16) as u32),
        CType::I8 | CType::U8 => bits & 0xff,
        CType::I16 | CType::U16 => bits & 0xffff,
        CType::Bool => u64::from(bits != 0),
        CType::I32 | CType::U32 | CType::F32 => bits & 0xffff_ffff,
        _ => bits,
    }
}

/// What is to be done when all registers have been filled.
enum Late {
    Narrow(CType, u8),
    Constant(u64, u8),
}

impl Emitter<'_> {
    /// `call` of an extern, and `callp`.
    pub(super) fn call_c(&mut self, inst: &Inst, note: u16) {
        let (verified, body) = (self.verified, self.body);
        let outward = Outward::new(verified, body, inst);
        let Outward { signature, operands, list } = outward;
        let arguments = outward.arguments(body);
        let results = abi::results(signature);
        let room = Room::new(&arguments, &results);
        self.around(false, operands.results);
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        if inst.op == Op::Callp {
            let target = To::Place(Place::register(CTARGET));
            moves.push(Move::new(From::Place(self.place(inst.a)), target, Class::Int));
        }
        let late = self.pass_words(&arguments, operands.args, room.words, &mut moves);
        self.move_all(moves);
        let results_at = list + 1;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        if inst.op == Op::Callp {
            self.end_noted(note, ENDS_A, inst.a, self.place(inst.a));
        }
        let step = self.glue(Step::Glue);
        self.pass_late(late);
        self.pass_addresses(&arguments, room.result);
        if signature.variadic && signature.abi == Abi::SysV {
            // rax is where variadic functions look for the number of vector registers.
            self.load_constant(Class::Int, u64::from(arguments.vectors), Place::register(SCRATCH2));
        }
        self.glue(step);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        if inst.op == Op::Callp {
            self.put(chunk, [CTARGET, 0, 0], [0, 0]);
        } else {
            let base = self.put(chunk, [0; 3], [0, 0]);
            self.refer(base, chunk, Symbol::Extern(inst.a));
        }
        self.take_c_results(&results, operands.results, results_at, room.result);
        self.around(true, operands.results);
    }

    /// Makes the words that memory takes part in, collects the moves of the others, and what is left to do after them.
    fn pass_words(&mut self, arguments: &Arguments, args: &[u32], temporary: u32, moves: &mut Vec<Move>) -> Vec<Late> {
        let mut late = Vec::new();
        let mut temporary = i64::from(temporary);
        for word in &arguments.words {
            match word.at {
                At::Stack(at) => self.word_to_frame(word, args, i64::from(at), moves),
                At::Register(register) if goes_through_memory(word) => {
                    self.word_to_frame(word, args, temporary, moves);
                    let copies = word.copy.into_iter().chain(Some(register));
                    moves.extend(copies.map(|register| {
                        let class = if register >= FIRST_XMM { Class::F64 } else { Class::Int };
                        Move::new(From::Frame(temporary), To::Place(Place::register(register)), class)
                    }));
                    temporary += 8;
                }
                At::Register(register) => {
                    let Piece { value, ty, .. } = &word.pieces[0];
                    let place = self.place(args[*value]);
                    match place.as_constant() {
                        Some(index) if is_narrow(ty) => {
                            late.push(Late::Constant(narrowed(ty, self.constant(index), true), register));
                        }
                        _ => {
                            let to = To::Place(Place::register(register));
                            moves.push(Move::new(From::Place(place), to, self.class(args[*value])));
                            if is_narrow(ty) {
                                late.push(Late::Narrow(ty.clone(), register));
                            }
                        }
                    }
                }
                At::Result(_) => {}
            }
        }
        late
    }

    /// Makes a word in the outgoing area; one that is a value as it is goes with the other moves.
    fn word_to_frame(&mut self, word: &Word, args: &[u32], at: i64, moves: &mut Vec<Move>) {
        let Piece { value, ty, .. } = &word.pieces[0];
        if word.pieces.len() == 1 && !is_narrow(ty) {
            let var = args[*value];
            moves.push(Move::new(From::Place(self.place(var)), To::Frame(at), self.class(var)));
            return;
        }
        let step = self.glue(Step::Glue);
        let places: Vec<Place> = word.pieces.iter().map(|piece| self.place(args[piece.value])).collect();
        let constants: Option<Vec<u64>> =
            places.iter().map(|place| place.as_constant().map(|index| self.constant(index))).collect();
        if let Some(constants) = constants {
            let extend = word.pieces.len() == 1;
            let pieces = word.pieces.iter().zip(constants);
            let bits = pieces.fold(0, |word, (piece, bits)| word | narrowed(&piece.ty, bits, extend) << (8 * piece.at));
            self.constant_to_frame(bits, at);
        } else {
            for (nth, (piece, &place)) in word.pieces.iter().zip(&places).enumerate() {
                let register = if nth == 0 { SCRATCH0 } else { SCRATCH1 };
                self.piece(&piece.ty, self.class(args[piece.value]), place, register, word.pieces.len() > 1);
                self.shift(Op::ShlI64, register, piece.at);
                if nth > 0 {
                    let or = self.form(Op::OrI64, false, Form::Tied, Form::Reg);
                    self.put(or, [SCRATCH0, SCRATCH1, 0], [0, 0]);
                }
            }
            self.store_slot(Op::MoveI64, SCRATCH0, at);
        }
        self.glue(step);
    }

    /// Brings a scalar into a general register, with nothing above it if there is to be more in its word.
    fn piece(&mut self, ty: &CType, class: Class, place: Place, register: u8, exact: bool) {
        if let Some(index) = place.as_constant() {
            let bits = narrowed(ty, self.constant(index), !exact);
            return self.load_constant(Class::Int, bits, Place::register(register));
        }
        if let Some(float) = place.as_register().filter(|_| class.is_float()) {
            let op = if class == Class::F32 { Op::BitsI32F32 } else { Op::BitsI64F64 };
            self.put(self.form(op, false, Form::Reg, Form::Reg), [register, number(float), 0], [0, 0]);
            return;
        }
        match ty {
            CType::I32 | CType::U32 | CType::F32 => self.widen(place, register),
            CType::I64 | CType::F64 | CType::Struct(_) => {
                self.move_value(Class::Int, place, Place::register(register));
            }
            narrow => {
                let from = self.in_register(Class::Int, place, register);
                let unsigned = match narrow {
                    CType::I8 if exact => &CType::U8,
                    CType::I16 if exact => &CType::U16,
                    other => other,
                };
                self.narrow(unsigned, from, register);
            }
        }
    }

    fn shift(&mut self, op: Op, register: u8, bytes: u32) {
        if bytes != 0 {
            let chunk = self.form(op, false, Form::Tied, Form::Const);
            self.put(chunk, [register, 0, 0], [8 * i64::from(bytes), 0]);
        }
    }

    /// Extends a narrow int as C does, from one general register to another.
    fn narrow(&mut self, ty: &CType, from: u8, to: u8) {
        let chunk = match ty {
            CType::I8 => self.form(Op::Ext8I64, false, Form::Reg, Form::Reg),
            CType::I16 => self.form(Op::Ext16I64, false, Form::Reg, Form::Reg),
            CType::U8 => self.part(Part::ZeroExtend8),
            CType::U16 => self.part(Part::ZeroExtend16),
            CType::Bool => self.part(Part::Truth),
            CType::I32 | CType::U32 => self.form(Op::Wrap, false, Form::Reg, Form::Reg),
            _ => return self.move_value(Class::Int, Place::register(from), Place::register(to)),
        };
        self.put(chunk, [to, from, 0], [0, 0]);
    }

    fn pass_late(&mut self, late: Vec<Late>) {
        for one in late {
            match one {
                Late::Narrow(ty, register) => self.narrow(&ty, register, register),
                Late::Constant(bits, register) => self.load_constant(Class::Int, bits, Place::register(register)),
            }
        }
    }

    /// The addresses of what C gets and gives in memory.
    fn pass_addresses(&mut self, arguments: &Arguments, result: u32) {
        for &(at, distance) in &arguments.pointers {
            match at {
                At::Register(register) => self.frame_address(register, distance),
                At::Stack(at) => {
                    self.frame_address(SCRATCH2, distance);
                    self.store_slot(Op::MoveI64, SCRATCH2, i64::from(at));
                }
                At::Result(_) => {}
            }
        }
        if let Some(register) = arguments.hidden {
            self.frame_address(register, result);
        }
    }

    fn frame_address(&mut self, register: u8, distance: u32) {
        let chunk = self.part(Part::FrameAddress);
        self.put(chunk, [register, 0, 0], [i64::from(distance), 0]);
    }

    /// Takes the results of a call of C to where they are kept; their notes start at `notes` among those of lists.
    fn take_c_results(&mut self, results: &Results, vars: &[u32], notes: usize, room: u32) {
        let live = self.live;
        let notes = &live.list_notes[notes..][..vars.len()];
        let places: Vec<Place> = vars.iter().zip(notes).map(|(&var, &note)| self.define(var, note, 0, 0)).collect();
        let wanted = |word: &&Word| {
            word.pieces.iter().any(|piece| places.get(piece.value).is_some_and(|&place| place != Place::NONE))
        };
        let words: Vec<&Word> = results.words.iter().filter(wanted).collect();
        let step = self.glue(Step::Glue);
        let (mut moves, mut split): (Vec<Move>, Vec<(&Word, From)>) = (Vec::new(), Vec::new());
        // Registers for words that come in vector registers and hold two scalars: those that no word comes in.
        let mut spare: Vec<u8> = RESULTS
            .iter()
            .copied()
            .filter(|&register| words.iter().all(|word| word.at != At::Register(register)))
            .collect();
        for word in words {
            let from = match word.at {
                At::Register(register) => From::Place(Place::register(register)),
                At::Result(at) | At::Stack(at) => From::Frame(i64::from(room + at)),
            };
            let Piece { value, ty, .. } = &word.pieces[0];
            let class = self.class(vars[*value]);
            let vector = matches!(word.at, At::Register(register) if register >= FIRST_XMM);
            let whole = matches!(ty, CType::I64 | CType::F64 | CType::F32)
                && (matches!(from, From::Frame(_)) || vector == class.is_float());
            if word.pieces.len() == 1 && whole {
                moves.push(Move::new(from, To::Place(places[*value]), class));
            } else if let (At::Register(register), Some(int)) = (word.at, spare.pop_if(|_| vector)) {
                let chunk = self.form(Op::BitsI64F64, false, Form::Reg, Form::Reg);
                self.put(chunk, [int, number(register), 0], [0, 0]);
                split.push((word, From::Place(Place::register(int))));
            } else {
                split.push((word, from));
            }
        }
        self.move_all(moves);
        for (word, from) in split {
            self.split(word, from, &places);
        }
        self.glue(step);
    }

    /// Takes a word apart.
    fn split(&mut self, word: &Word, from: From, places: &[Place]) {
        let last = word.pieces.len() - 1;
        for (nth, piece) in word.pieces.iter().enumerate() {
            let Some(&to) = places.get(piece.value).filter(|&&place| place != Place::NONE) else { continue };
            let source = match from {
                From::Place(place) => place.as_register().unwrap_or(SCRATCH0),
                From::Frame(distance) => {
                    self.load_slot(Op::MoveI64, distance, SCRATCH0);
                    SCRATCH0
                }
            };
            let register = if piece.at == 0 || nth == last { source } else { SCRATCH0 };
            self.move_value(Class::Int, Place::register(source), Place::register(register));
            self.shift(Op::ShruI64, register, piece.at);
            self.take_piece(&piece.ty, register, to);
        }
    }

    /// Takes a scalar from the low end of a general register.
    fn take_piece(&mut self, ty: &CType, from: u8, to: Place) {
        // C gives a byte that is 0 or 1, and leaves what is above it to chance.
        let ty = if *ty == CType::Bool { &CType::U8 } else { ty };
        let float = matches!(ty, CType::F32 | CType::F64);
        match to.as_register() {
            Some(register) if float => {
                let op = if *ty == CType::F32 { Op::BitsF32I32 } else { Op::BitsF64I64 };
                self.put(self.form(op, false, Form::Reg, Form::Reg), [number(register), from, 0], [0, 0]);
            }
            Some(register) => self.narrow(ty, from, register),
            None => {
                let exact = if *ty == CType::F32 { &CType::U32 } else { ty };
                self.narrow(exact, from, SCRATCH0);
                self.move_value(Class::Int, Place::register(SCRATCH0), to);
            }
        }
    }
}
