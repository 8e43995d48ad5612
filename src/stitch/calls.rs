//! Emission of calls, returns and the entry of functions: the calling convention between stitched functions.
//!
//! Comes in: call instructions and signatures. Goes out: the moves that bring arguments and results to where the other
//! side expects them (see `abi.inc`). What must hold: caller and callee derive every place from the signature alone,
//! by [`Convention`].

use crate::isa::op::{Class, Op, Shape, Type};
use crate::isa::part::Part;
use crate::isa::snippet::{Form, Kind};
use crate::library::builtin::{ARGS, COUNT, FARGS, FRESULTS, RESULTS, SCRATCH0};
use crate::module::{Inst, Signature};
use crate::stitch::emit::Emitter;
use crate::stitch::image::{Helper, Symbol};
use crate::stitch::live::{ENDS_A, ENDS_B, ENDS_D, read_at};
use crate::stitch::moves::{From, Move, To, widens};
use crate::stitch::operands::{operands_of_call, returned, shape};
use crate::stitch::place::{FIRST_XMM, Place};
use crate::stitch::trace::Step;
use crate::verified::Var;

/// Where one value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// In this register; vector registers start at 16.
    Register(u8),
    /// On the stack, by its index in units of 8 bytes.
    Stack(u32),
}

/// Hands out the places of values one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Convention {
    ints: &'static [u8],
    floats: &'static [u8],
    stack: u32,
}

impl Convention {
    /// For arguments; a variadic function takes all of them on the stack.
    #[must_use]
    pub fn arguments(variadic: bool) -> Convention {
        if variadic {
            Convention { ints: &[], floats: &[], stack: 0 }
        } else {
            Convention { ints: &ARGS, floats: &FARGS, stack: 0 }
        }
    }

    /// For results, which stand on the stack behind `arguments` stack arguments.
    #[must_use]
    pub fn results(arguments: u32) -> Convention {
        Convention { ints: &RESULTS, floats: &FRESULTS, stack: arguments }
    }

    /// The place of the next value.
    pub fn next(&mut self, class: Class) -> Passed {
        let (set, first) = if class.is_float() { (&mut self.floats, FIRST_XMM) } else { (&mut self.ints, 0) };
        if let Some((&register, rest)) = set.split_first() {
            *set = rest;
            return Passed::Register(register + first);
        }
        self.stack += 1;
        Passed::Stack(self.stack - 1)
    }

    /// How many places on the stack have been handed out, those before the first result included.
    #[must_use]
    pub fn stack(&self) -> u32 {
        self.stack
    }

    /// How many stack arguments a call of this signature passes, with `args` arguments in all.
    #[must_use]
    pub fn stack_arguments(signature: &Signature, args: usize) -> u32 {
        if signature.variadic {
            return args as u32;
        }
        let mut convention = Convention::arguments(false);
        signature.params.iter().for_each(|ty| _ = convention.next(ty.class()));
        convention.stack()
    }
}

/// The register of argument `index` among the ints or the floats: what placement is hinted with.
pub(super) fn argument_register(float: bool, index: usize) -> Option<u8> {
    if float { FARGS.get(index).map(|register| register + FIRST_XMM) } else { ARGS.get(index).copied() }
}

fn to(passed: Passed) -> To {
    match passed {
        Passed::Register(register) => To::Place(Place::register(register)),
        Passed::Stack(index) => To::Frame(8 * i64::from(index)),
    }
}

fn from(passed: Passed) -> From {
    match passed {
        Passed::Register(register) => From::Place(Place::register(register)),
        Passed::Stack(index) => From::Frame(8 * i64::from(index)),
    }
}

impl Emitter<'_> {
    /// The moves that bring `args` to where a function of this signature takes them.
    pub(super) fn argument_moves(&mut self, signature: &Signature, args: &[u32]) -> Vec<Move> {
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        let mut convention = Convention::arguments(signature.variadic);
        let types = signature.params.iter().copied().map(Some).chain(std::iter::repeat(None));
        let one = |(&var, ty): (&u32, Option<Type>)| {
            let class = self.class(var);
            let passed = convention.next(class);
            let widen = ty.is_some_and(|ty| widens(ty, self.body.vars[var as usize].has(Var::NARROW)));
            Move { widen, ..Move::new(From::Place(self.place(var)), to(passed), class) }
        };
        moves.extend(args.iter().zip(types).map(one));
        moves
    }

    /// Takes the results of a call to where they are kept. Their notes start at `notes` among those of lists.
    pub(super) fn take_results(&mut self, results: &[u32], notes: usize, stack_arguments: u32) {
        let live = self.live;
        let notes = live.list_notes[notes..][..results.len()].iter().copied();
        let mut convention = Convention::results(stack_arguments);
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        for (&var, note) in results.iter().zip(notes) {
            let passed = convention.next(self.class(var));
            let place = self.define(var, note, 0, 0);
            if place != Place::NONE {
                moves.push(Move::new(from(passed), To::Place(place), self.class(var)));
            }
        }
        self.move_all(moves);
    }

    /// Saves what is in volatile registers and needed after the call, or takes it back; what the call itself writes,
    /// its `results`, is neither.
    pub(super) fn around(&mut self, restore: bool, results: &[u32]) {
        let at = read_at(self.index);
        let placement = self.placement;
        let begun = placement.around.iter().take_while(|around| around.start <= at);
        for around in begun.filter(|around| around.end > at + 1) {
            let (register, slot) = (Place::register(around.register), Place::slot(around.slot));
            let crosses = |var: u32| self.body.vars[var as usize].has(Var::CROSSES);
            if results.iter().any(|&var| crosses(var) && self.place(var) == register) {
                continue;
            }
            let class = if around.register >= FIRST_XMM { Class::F64 } else { Class::Int };
            if restore {
                self.move_glue(class, slot, register);
            } else {
                self.move_glue(class, register, slot);
            }
        }
    }

    /// `call`.
    pub(super) fn call(&mut self, inst: &Inst) {
        let callee = &self.verified.module().functions[inst.a as usize];
        let operands = operands_of_call(inst, &self.body.lists);
        self.around(false, operands.results);
        let moves = self.argument_moves(&callee.signature, operands.args);
        self.move_all(moves);
        let results_at = inst.b as usize + 1;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        self.pass_count(&callee.signature, operands.args.len());
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        self.code.put(chunk, [0; 3], [0, 0]);
        let end = self.code.position();
        match inst.a.checked_sub(self.first).and_then(|index| self.entries.get(index as usize)) {
            Some(&entry) => self.code.write32(end - 4, entry.wrapping_sub(end) as i32),
            None => self.calls.push((end - 4, inst.a)),
        }
        let stack = Convention::stack_arguments(&callee.signature, operands.args.len());
        self.take_results(operands.results, results_at, stack);
        self.around(true, operands.results);
    }

    /// Takes note of the arguments that are read for the last time; their notes start at `notes` among those of lists.
    pub(super) fn end_args(&mut self, args: &[u32], notes: usize) {
        let live = self.live;
        for (&var, &note) in args.iter().zip(&live.list_notes[notes..]) {
            self.end_noted(note, ENDS_D, var, self.place(var));
        }
    }

    pub(super) fn pass_count(&mut self, signature: &Signature, args: usize) {
        if signature.variadic {
            let step = self.glue(Step::Glue);
            self.load_constant(Class::Int, args as u64, Place::register(COUNT));
            self.glue(step);
        }
    }

    /// `calli`.
    pub(super) fn call_indirect(&mut self, inst: &Inst, note: u16) {
        let signature_index = self.body.lists[inst.b as usize] as usize;
        let verified = self.verified;
        let signature = &verified.module().signatures[signature_index];
        let operands = operands_of_call(inst, &self.body.lists);
        self.around(false, operands.results);
        let mut moves = self.argument_moves(signature, operands.args);
        // The index goes along, since its register may be that of an argument.
        moves.push(Move::new(From::Place(self.place(inst.a)), To::Place(Place::register(SCRATCH0)), Class::Int));
        self.move_all(moves);
        let results_at = inst.b as usize + 2;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        self.end_noted(note, ENDS_A, inst.a, self.place(inst.a));
        self.pass_count(signature, operands.args.len());
        let chunk = self.form(inst.op, false, Form::Reg, Form::Const);
        let from = self.code.position();
        let base = self.code.put(chunk, [SCRATCH0, 0, 0], [0, 0]);
        let contract = self.library.contract(chunk);
        let length = verified.module().tables[inst.d as usize].functions.len() as i32;
        for hole in contract.holes() {
            let operand = contract.operand(hole);
            let at = base.wrapping_add(u32::from(hole.offset));
            match (operand.kind, operand.name) {
                (Kind::Imm32, "b") => self.code.write32(at, length),
                (Kind::Imm32, _) => self.code.write32(at, verified.calli_ids[signature_index] as i32),
                _ => {}
            }
        }
        self.refer(base, chunk, Symbol::Table(inst.d));
        self.note_sites(contract, [SCRATCH0, 0, 0], base, from);
        let stack = Convention::stack_arguments(signature, operands.args.len());
        self.take_results(operands.results, results_at, stack);
        self.around(true, operands.results);
    }

    /// The instructions that the runtime's helpers do.
    pub(super) fn call_helper(&mut self, inst: &Inst, note: u16) {
        let helper = match inst.op {
            Op::PrintI64 => Helper::PrintI64,
            Op::PrintF32 => Helper::PrintF32,
            Op::PrintF64 => Helper::PrintF64,
            Op::ReadI64 => Helper::ReadI64,
            Op::ReadF32 => Helper::ReadF32,
            Op::ReadF64 => Helper::ReadF64,
            Op::Mgrow => Helper::Mgrow,
            Op::Mcopy => Helper::Mcopy,
            _ => Helper::Mfill,
        };
        let result = [inst.d];
        let results = if matches!(shape(inst.op), Shape::Read | Shape::Mgrow) { &result[..] } else { &[] };
        self.around(false, results);
        let args: &[(u32, u16)] = match shape(inst.op) {
            Shape::Print | Shape::Mgrow => &[(inst.a, ENDS_A)],
            Shape::Mcopy | Shape::Mfill => &[(inst.d, ENDS_D), (inst.a, ENDS_A), (inst.b, ENDS_B)],
            _ => &[],
        };
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        // C passes the context first; the helpers' further ints go where C puts its second and later arguments.
        for (nth, &(var, _)) in args.iter().enumerate() {
            let class = self.class(var);
            let register = if class.is_float() { FARGS[0] + FIRST_XMM } else { HELPER_ARGS[nth] };
            moves.push(Move::new(From::Place(self.place(var)), To::Place(Place::register(register)), class));
        }
        self.move_all(moves);
        for &(var, flag) in args {
            self.end_noted(note, flag, var, self.place(var));
        }
        let step = self.glue(Step::Glue);
        let context = self.part(Part::Context);
        let base = self.put(context, [ARGS[0], 0, 0], [0, 0]);
        self.refer(base, context, Symbol::Context);
        self.glue(step);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [0; 3], [0, 0]);
        self.refer(base, chunk, Symbol::Helper(helper));
        match shape(inst.op) {
            Shape::Read => self.take_read(inst, note),
            Shape::Mgrow => {
                let to = self.define(inst.d, note, 0, 0);
                self.move_value(Class::Int, Place::register(RESULTS[0]), to);
            }
            _ => {}
        }
        self.around(true, results);
    }

    /// The result of a `read` helper: raw bits, which a float takes by way of a bit move.
    fn take_read(&mut self, inst: &Inst, note: u16) {
        let class = self.class(inst.d);
        let place = self.define(inst.d, note, 0, 0);
        let bits = Place::register(RESULTS[0]);
        let (op, register) = match (class, place.as_register()) {
            (Class::F32, Some(register)) => (Op::BitsF32I32, register),
            (Class::F64, Some(register)) => (Op::BitsF64I64, register),
            _ => return self.move_value(Class::Int, bits, place),
        };
        let chunk = self.form(op, false, Form::Reg, Form::Reg);
        self.put(chunk, [register & 15, RESULTS[0], 0], [0, 0]);
    }

    /// `ret`.
    pub(super) fn ret(&mut self, inst: &Inst) {
        let body = self.body;
        let mut convention = Convention::results(self.frame.incoming);
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        for (&var, &ty) in returned(inst, &body.lists).iter().zip(&body.signature.results) {
            let target = match convention.next(ty.class()) {
                Passed::Register(register) => To::Place(Place::register(register)),
                Passed::Stack(index) => To::Frame(self.frame.incoming(index)),
            };
            let widen = widens(ty, body.vars[var as usize].has(Var::NARROW));
            moves.push(Move { widen, ..Move::new(From::Place(self.place(var)), target, ty.class()) });
        }
        self.move_all(moves);
        self.epilog(self.form(inst.op, false, Form::Reg, Form::Reg));
    }

    /// The function's entry: the frame, the parameters to their places, zero into everything that may be read before
    /// it is written.
    pub(super) fn entry(&mut self) {
        self.glue(Step::Frame);
        if self.landing {
            self.land();
        }
        self.prolog();
        let body = self.body;
        let variadic = body.signature.variadic;
        let mut convention = Convention::arguments(variadic);
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        for (var, ty) in body.signature.params.iter().enumerate() {
            let source = match convention.next(ty.class()) {
                Passed::Register(register) => From::Place(Place::register(register)),
                Passed::Stack(index) => From::Frame(self.frame.incoming(index)),
            };
            if self.live.uses_arg && !variadic {
                let copy = To::Frame(i64::from(self.frame.args) + 8 * var as i64);
                moves.push(Move::new(source, copy, ty.class()));
            }
            // Of a parameter that a constant stands for, nothing reads what was passed.
            let place = self.current[var].place;
            if place != Place::NONE && place.as_constant().is_none() {
                moves.push(Move::new(source, To::Place(place), ty.class()));
            }
        }
        let count = self.place(body.count_var());
        if variadic && count != Place::NONE {
            moves.push(Move::new(From::Place(Place::register(COUNT)), To::Place(count), Class::Int));
        }
        self.move_all(moves);
        self.glue(Step::Frame);
        let params = body.count_var();
        let (live, placement) = (self.live, self.placement);
        for (range, &place) in live.ranges.iter().zip(&placement.places) {
            if range.var > params && range.start == 0 && place != Place::NONE {
                self.load_constant(self.class(range.var), 0, place);
            }
        }
    }
}

/// The registers of a C function's int arguments behind the first, in which helpers take theirs.
const HELPER_ARGS: [u8; 3] = crate::library::builtin::CARGS;
