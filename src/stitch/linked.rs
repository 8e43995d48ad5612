//! Emission of what linked modules have: calls of imported functions and through growing tables, globals that modules share,
//! instructions on tables and segments, and crossings, by which other modules call in.
//!
//! Comes in: instructions that name what a store keeps. Goes out: code that reaches it by cells of the instance. What must
//! hold: whoever may have been in another module has the register of the memory filled anew before anything else is
//! done; whoever is called from another module fills it first.

use crate::isa::op::{Class, Op};
use crate::isa::part::Part;
use crate::isa::snippet::Form;
use crate::library::Library;
use crate::library::builtin::{ARGS, CARGS, CINTS, MEMORY, SCRATCH0};
use crate::module::link::{Constant, Item};
use crate::module::native::Target;
use crate::module::{Inst, Module};
use crate::stitch::calls::Convention;
use crate::stitch::code::Code;
use crate::stitch::emit::{Emitter, number, scratch};
use crate::stitch::frame::tell;
use crate::stitch::image::{EntryImage, Helper, Image, Relocation, Symbol, UnwindRow};
use crate::stitch::live::ENDS_A;
use crate::stitch::moves::{From, Move, To};
use crate::stitch::operands::operands_of_call;
use crate::stitch::place::Place;
use crate::stitch::trace::Step;

/// The register of a C function's int argument that holds the numbers of what an instruction names.
const NAMED: u8 = CINTS[1 + CARGS.len()];

/// What the stitcher needs to know of a linked module again and again; of any other, nothing is so.
#[derive(Debug, Default)]
pub struct Linked {
    /// Whether it is a linked module.
    pub shares: bool,
    /// Which globals others may read or write as well.
    pub shared: Vec<bool>,
    /// The functions that others may come to know by the items of the module.
    pub escaping: Vec<u32>,
    /// Those that instructions have referred to, and others may come to know, too.
    pub referred: Vec<u32>,
}

impl Linked {
    /// Looks at a module; `ref` instructions have yet to be seen.
    pub fn find(&mut self, module: &Module) {
        self.shares = module.is_linked();
        self.escaping.clear();
        self.referred.clear();
        self.shared.clear();
        if !self.shares {
            return;
        }
        self.shared = module.shared_globals();
        let exported = module.exports.iter().filter_map(|export| match export.item {
            Item::Function(target) => Some(target),
            _ => None,
        });
        let constants = module.elements.iter().flat_map(|elements| &elements.items);
        let constants = constants.chain(module.globals.iter().map(|global| &global.start));
        let referred = constants.filter_map(|constant| match *constant {
            Constant::Function(target) => Some(target),
            _ => None,
        });
        let own = |target: Target| if let Target::Function(index) = target { Some(index) } else { None };
        self.escaping.extend(exported.chain(referred).chain(module.start).filter_map(own));
    }

    /// The functions that others may come to know, ascending: each gets a crossing.
    pub fn crossed(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.escaping.iter().chain(&self.referred).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether others may read or write a global.
    #[inline]
    pub fn shares(&self, global: u32) -> bool {
        self.shared.get(global as usize).is_some_and(|&shared| shared)
    }
}

impl Emitter<'_> {
    /// Records that the hole of operand `name` in the snippet at `base` refers to `symbol`.
    fn refer_named(&mut self, base: u32, chunk: u16, name: &str, symbol: Symbol) {
        let contract = self.library.contract(chunk);
        for hole in contract.holes().iter().filter(|hole| contract.operand(hole).name == name) {
            let offset = base.wrapping_add(u32::from(hole.offset));
            self.relocations.push(Relocation { offset, symbol, addend: i32::from(hole.addend) });
        }
    }

    /// Loads what stands in a cell into a register.
    fn load_cell(&mut self, register: u8, symbol: Symbol) {
        let chunk = self.part(Part::Cell);
        let base = self.put(chunk, [register, 0, 0], [0, 0]);
        self.refer(base, chunk, symbol);
    }

    /// Control has been in another module, whose memory is another.
    fn back_from_outside(&mut self) {
        if self.verified.module().memory.is_some() {
            let step = self.glue(Step::Glue);
            self.load_cell(MEMORY, Symbol::Memory);
            self.glue(step);
        }
    }

    /// `call` of an imported function.
    pub(super) fn call_import(&mut self, inst: &Inst) {
        let verified = self.verified;
        let signature = &verified.module().imports[inst.a as usize].signature;
        let operands = operands_of_call(inst, &self.body.lists);
        self.around(false, operands.results);
        let moves = self.argument_moves(signature, operands.args);
        self.move_all(moves);
        let results_at = inst.b as usize + 1;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [0; 3], [0, 0]);
        self.refer(base, chunk, Symbol::Import(inst.a));
        self.back_from_outside();
        let stack = Convention::stack_arguments(signature, operands.args.len());
        self.take_results(operands.results, results_at, stack);
        self.around(true, operands.results);
    }

    /// `calli` on a growing table.
    pub(super) fn call_growing(&mut self, inst: &Inst, note: u16) {
        let signature_index = self.body.lists[inst.b as usize];
        let verified = self.verified;
        let signature = &verified.module().signatures[signature_index as usize];
        let operands = operands_of_call(inst, &self.body.lists);
        self.around(false, operands.results);
        let mut moves = self.argument_moves(signature, operands.args);
        // The scratch registers belong to the snippet; the register of the memory is filled anew in any case.
        moves.push(Move::new(From::Place(self.place(inst.a)), To::Place(Place::register(MEMORY)), Class::Int));
        self.move_all(moves);
        let results_at = inst.b as usize + 2;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        self.end_noted(note, ENDS_A, inst.a, self.place(inst.a));
        self.pass_count(signature, operands.args.len());
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [MEMORY, 0, 0], [0, 0]);
        self.refer_named(base, chunk, "t", Symbol::Growing(inst.d));
        self.refer_named(base, chunk, "s", Symbol::Signature(signature_index));
        self.back_from_outside();
        let stack = Convention::stack_arguments(signature, operands.args.len());
        self.take_results(operands.results, results_at, stack);
        self.around(true, operands.results);
    }

    /// An instruction on tables, elements or segments, or `ref`.
    pub(super) fn object(&mut self, inst: &Inst) {
        let body = self.body;
        let at = inst.b as usize;
        let [first, second] = [body.lists[at], body.lists[at + 1]];
        if let (Op::Ref, Some(Target::Function(index))) = (inst.op, Target::from_fields(first, second)) {
            self.linked.referred.push(index);
        }
        let operands = operands_of_call(inst, &body.lists);
        self.around(false, operands.results);
        let mut moves = std::mem::take(&mut self.moves_at_hand);
        for (&var, &register) in operands.args.iter().zip(&CARGS) {
            moves.push(Move::new(From::Place(self.place(var)), To::Place(Place::register(register)), Class::Int));
        }
        self.move_all(moves);
        let results_at = at + 3;
        self.end_args(operands.args, results_at + operands.results.len() + 1);
        let step = self.glue(Step::Glue);
        let context = self.part(Part::Context);
        let base = self.put(context, [ARGS[0], 0, 0], [0, 0]);
        self.refer(base, context, Symbol::Context);
        self.load_constant(Class::Int, u64::from(first) | u64::from(second) << 32, Place::register(NAMED));
        self.glue(step);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [0; 3], [0, 0]);
        self.refer(base, chunk, Symbol::Helper(helper(inst.op)));
        self.take_results(operands.results, results_at, 0);
        self.around(true, operands.results);
    }

    /// `gget` of a global that others may write, and `msize` of a memory that others may grow: the cell `symbol` says where it
    /// stands.
    pub(super) fn read_shared(&mut self, inst: &Inst, note: u16, symbol: Symbol) {
        let to = self.define(inst.d, note, 0, 0);
        let class = self.class(inst.d);
        let register = to.as_register().unwrap_or(scratch(class, 0));
        let step = self.glue(Step::Glue);
        self.load_cell(SCRATCH0, symbol);
        self.glue(step);
        let op = match inst.op {
            Op::GgetI64 => Op::LoadI64,
            Op::GgetF32 => Op::LoadF32,
            Op::GgetF64 => Op::LoadF64,
            // Of a cell with an i32 the upper half is zero and stays so.
            _ => Op::LoadI32,
        };
        let chunk = self.form(op, false, Form::Reg, Form::Reg);
        self.put(chunk, [number(register), SCRATCH0, 0], [0, 0]);
        self.move_value(class, Place::register(register), to);
    }

    /// `gset` of a global that others may read.
    pub(super) fn write_shared(&mut self, inst: &Inst, note: u16) {
        let class = self.class(inst.a);
        let place = self.place(inst.a);
        self.end_noted(note, ENDS_A, inst.a, place);
        let register = self.in_register(class, place, scratch(class, 1));
        let step = self.glue(Step::Glue);
        self.load_cell(SCRATCH0, Symbol::Shared(inst.b));
        self.glue(step);
        let op = match inst.op {
            Op::GsetI32 => Op::StoreI32,
            Op::GsetF32 => Op::StoreF32,
            Op::GsetF64 => Op::StoreF64,
            _ => Op::StoreI64,
        };
        let chunk = self.form(op, false, Form::Reg, Form::Reg);
        self.put(chunk, [number(register), SCRATCH0, 0], [0, 0]);
    }
}

/// The helper for an instruction on tables, elements or segments, or `ref`.
fn helper(op: Op) -> Helper {
    match op {
        Op::Tget => Helper::Tget,
        Op::Tset => Helper::Tset,
        Op::Tsize => Helper::Tsize,
        Op::Tgrow => Helper::Tgrow,
        Op::Tfill => Helper::Tfill,
        Op::Tcopy => Helper::Tcopy,
        Op::Tinit => Helper::Tinit,
        Op::Edrop => Helper::Edrop,
        Op::Minit => Helper::Minit,
        Op::Mdrop => Helper::Mdrop,
        _ => Helper::Ref,
    }
}

/// Writes the crossing of function `function`: what is called in its place by those outside of the module.
pub(super) fn crossing(library: &Library, code: &mut Code, image: &mut Image, function: u32, memory: bool) {
    code.align(16);
    let start = code.position();
    tell(&mut image.unwind, UnwindRow { offset: start, depth: 0 });
    code.put(library.part(Part::Landing), [0; 3], [0, 0]);
    if memory {
        let chunk = library.part(Part::Cell);
        let base = code.put(chunk, [MEMORY, 0, 0], [0, 0]);
        for hole in library.contract(chunk).holes() {
            let offset = base.wrapping_add(u32::from(hole.offset));
            image.relocations.push(Relocation { offset, symbol: Symbol::Memory, addend: i32::from(hole.addend) });
        }
    }
    code.put(library.part(Part::EntryJump), [0; 3], [0, 0]);
    let end = code.position();
    code.write32(end - 4, image.functions[function as usize].entry.wrapping_sub(end) as i32);
    image.crossings.push(EntryImage { function, start, end, saved: 0 });
}
