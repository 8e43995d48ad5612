//! Emission: the walk over a function's instructions that chooses snippets and copies them.
//!
//! Comes in: a verified body with its ranges and places. Goes out: code, and the records of what is still open.
//! What must hold: after each
//! instruction every value that is still needed is in the place that [`Emitter::current`] names.

use crate::isa::op::{Class, Op, Shape, Type};
use crate::isa::part::Part;
use crate::isa::snippet::{Fault, Form, Head, Hole, Kind, form_index};
use crate::library::builtin::{FSCRATCH0, FSCRATCH1, SCRATCH0, SCRATCH1};
use crate::library::{Contract, Library};
use crate::module::Inst;
use crate::stitch::code::{Code, Regs};
use crate::stitch::custom::Ways;
use crate::stitch::frame::Frame;
use crate::stitch::image::{Relocation, SiteMeaning, Symbol, TrapSite, UnwindRow};
use crate::stitch::linked::Linked;
use crate::stitch::live::{ENDS_A, FUSED, Live, NEEDLESS, is_constant};
use crate::stitch::locals::Locals;
use crate::stitch::moves::Move;
use crate::stitch::operands::shape;
use crate::stitch::place::{FIRST_XMM, Place, Placement};
use crate::stitch::pool::Pool;
use crate::stitch::trace::Step;
use crate::verified::{Body, Var, Verified};

/// A jump whose target's place was not known when it was copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump {
    /// Where the hole is.
    pub at: u32,
    /// The block it leads to.
    pub block: u32,
}

/// An out-of-line part to be copied behind the function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cold {
    pub chunk: u16,
    pub regs: Regs,
    pub inst: u32,
    /// The hole of the jump that leads to it.
    pub from: u32,
    /// Where it leads back to.
    pub back: u32,
}

/// Where a variable's present value is, and what emission needs to know of the variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    pub place: Place,
    pub class: Class,
    /// Its values do not leave their blocks.
    pub local: bool,
}

/// Everything that emission reads and writes. One emitter serves all functions of a module.
pub(super) struct Emitter<'a> {
    pub library: &'a Library,
    pub parts: &'a [u16; Part::ALL.len()],
    /// The snippets of declared opcodes, by their numbers in the module.
    pub customs: &'a [Ways],
    /// The moves between registers, by class.
    pub moves: [u16; 3],
    pub verified: &'a Verified,
    pub body: &'a Body,
    pub live: &'a Live,
    pub placement: &'a Placement,
    pub code: &'a mut Code,
    pub frame: Frame,
    /// Whether the function is called by its address: it stands in a table.
    pub landing: bool,
    /// Where each variable's present value is.
    pub current: Vec<Current>,
    /// The registers of values within blocks.
    pub locals: &'a mut Locals,
    /// A list for moves, kept so that none need be allocated.
    pub moves_at_hand: Vec<Move>,
    pub index: usize,
    pub blocks: Vec<u32>,
    pub jumps: Vec<Jump>,
    pub colds: Vec<Cold>,
    pub pool: Pool,
    pub insts: Vec<u32>,
    pub relocations: Vec<Relocation>,
    pub sites: Vec<TrapSite>,
    pub unwind: Vec<UnwindRow>,
    /// Calls to functions that have no place yet: the hole and the function.
    pub calls: &'a mut Vec<(u32, u32)>,
    /// Addresses of functions: the hole, and the function whose C entry it refers to.
    pub c_entries: &'a mut Vec<(u32, u32)>,
    /// Where the functions start that have been stitched before this one, and the number of the first of them.
    pub entries: &'a [u32],
    pub first: u32,
    /// What the module shares with others.
    pub linked: &'a mut Linked,
}

/// The register number that a snippet's operand takes.
#[inline(always)]
pub(super) fn number(register: u8) -> u8 {
    register & 15
}

impl Emitter<'_> {
    #[inline(always)]
    pub(super) fn part(&self, part: Part) -> u16 {
        self.parts[part as usize]
    }

    #[inline(always)]
    pub(super) fn form(&self, op: Op, in_slot: bool, a: Form, b: Form) -> u16 {
        self.library.forms(op as u16)[form_index(in_slot, a, b)]
    }

    /// The narrowest snippet of the family of `chunk` that holds these values.
    #[inline(always)]
    pub(super) fn fit(&self, chunk: u16, first: i64, second: i64) -> u16 {
        self.code.narrowest(chunk, [first, second])
    }

    /// Copies a snippet in the narrowest form and notes its trap sites and out-of-line part.
    #[inline(never)]
    pub(super) fn put(&mut self, chunk: u16, regs: Regs, values: [i64; 2]) -> u32 {
        let chunk = self.fit(chunk, values[0], values[1]);
        if self.code.is_quick(chunk) {
            return self.code.put_plain(chunk, regs, values[0]);
        }
        self.put_any(chunk, regs, values)
    }

    #[inline(never)]
    fn put_any(&mut self, chunk: u16, regs: Regs, values: [i64; 2]) -> u32 {
        let from = self.code.position();
        let base = self.code.put_any(chunk, regs, values);
        if self.code.head(chunk).flags & (Head::HAS_SITES | Head::HAS_COLD) != 0 {
            self.note(chunk, regs, base, from);
        }
        base
    }

    #[inline(never)]
    pub(super) fn note(&mut self, chunk: u16, regs: Regs, base: u32, from: u32) {
        let contract = self.library.contract(chunk);
        self.note_sites(contract, regs, base, from);
        if contract.cold() != 0 {
            let hole = |name| hole_named(contract, name).map_or(base, |offset| base.wrapping_add(u32::from(offset)));
            let (from, back) = (hole("cold"), self.code.position());
            self.colds.push(Cold { chunk: contract.cold(), regs, inst: self.index as u32, from, back });
        }
    }

    pub(super) fn note_sites(&mut self, contract: Contract, regs: Regs, base: u32, from: u32) {
        for site in contract.sites() {
            let meaning = match site.fault {
                Fault::Trap(kind) => SiteMeaning::Trap(kind),
                Fault::Halt => SiteMeaning::Halt,
                Fault::Divide(operand) => {
                    let before = contract.operands().take(usize::from(operand));
                    let nth = before.filter(|o| o.kind.is_register()).count();
                    let bits = self.divides(&self.body.insts[self.index]);
                    SiteMeaning::Divide { register: regs[nth], bits }
                }
            };
            // Where a prefix was left out, an instruction at offset 0 starts behind it.
            self.sites.push(TrapSite { offset: (base.wrapping_add(u32::from(site.offset))).max(from), meaning });
        }
    }

    /// The value of the constant that stands at `place`.
    #[inline(always)]
    pub(super) fn constant(&self, index: u32) -> u64 {
        self.body.insts.get(index as usize).map_or(u64::from(self.body.count_var()), Inst::literal)
    }

    /// Where the present value of `var` is.
    #[inline(always)]
    pub(super) fn place(&self, var: u32) -> Place {
        self.current[var as usize].place
    }

    /// Takes note of a last read if `note` has `flag`; gives the bit of the register that is free by that.
    #[inline(always)]
    pub(super) fn end_noted(&mut self, note: u16, flag: u16, var: u32, place: Place) -> u32 {
        if note & flag == 0 { 0 } else { self.end(var, place) }
    }

    #[inline(always)]
    pub(super) fn class(&self, var: u32) -> Class {
        self.current[var as usize].class
    }

    /// Emits the body of the function, all blocks in order.
    pub(super) fn body(&mut self) {
        // Cut to one length, so that one comparison serves them all.
        let insts = &self.body.insts[..];
        let notes = &self.live.notes[..insts.len()];
        let mut places = std::mem::take(&mut self.insts);
        let places_of = &mut places[..insts.len()];
        for number in 0..self.body.blocks.len() {
            self.blocks[number] = self.code.position();
            self.begin_block(number);
            let range = self.body.block_range(number);
            let mut index = range.start;
            while index < range.end {
                places_of[index] = self.code.position();
                if self.instruction(index, &insts[index], notes[index], number as u32) {
                    index += 1;
                    // A branch begins with what it goes by; a fault belongs to the load that a fusion begins with.
                    let branches = shape(insts[index].op) == Shape::Branch;
                    places_of[index] = if branches { places_of[index - 1] } else { self.code.position() };
                }
                index += 1;
            }
        }
        self.insts = places;
    }

    /// Emits one instruction, or two that are one: then it says so.
    #[inline(always)]
    fn instruction(&mut self, index: usize, inst: &Inst, note: u16, block: u32) -> bool {
        self.index = index;
        self.begin_instruction();
        if self.code.is_tracing() {
            self.trace_instruction();
        }
        if note & (NEEDLESS | FUSED) != 0 {
            if note & FUSED != 0 {
                self.fused(inst, note);
            }
            return note & FUSED != 0;
        }
        if shape(inst.op) == Shape::Const {
            self.constant_instruction(inst);
        } else if shape(inst.op) != Shape::Value {
            self.other(inst, note, block);
        } else {
            self.value(inst, note);
        }
        false
    }

    /// Tells the trace where the variables are now.
    #[cold]
    pub(super) fn note_places(&mut self) {
        self.code.note_places(self.current.iter().map(|current| current.place));
    }

    #[cold]
    fn trace_instruction(&mut self) {
        self.note_places();
        self.code.mark(self.index as u32, Step::Body);
    }

    /// Emits an instruction that is no `value` instruction.
    #[inline(never)]
    fn other(&mut self, inst: &Inst, note: u16, block: u32) {
        match shape(inst.op) {
            Shape::Value | Shape::Const => {}
            Shape::Move => {
                let from = self.place(inst.a);
                let near = self.end_noted(note, ENDS_A, inst.a, from);
                let to = self.define(inst.d, note, near, 0);
                let class = self.class(inst.d);
                self.move_value(class, from, to);
            }
            Shape::Select => self.select(inst, note),
            Shape::Load => self.load(inst, note),
            Shape::Store => self.store(inst, note),
            Shape::Msize if self.linked.shares => self.read_shared(inst, note, Symbol::PagesCell),
            Shape::Msize => self.read_datum(inst, note, Symbol::Pages),
            Shape::Gget if self.linked.shares(inst.b) => self.read_shared(inst, note, Symbol::Shared(inst.b)),
            Shape::Gget => self.read_datum(inst, note, Symbol::Global(inst.b)),
            Shape::Gset if self.linked.shares(inst.b) => self.write_shared(inst, note),
            Shape::Gset => self.write_global(inst, note),
            Shape::Arg => self.arg(inst, note),
            Shape::Jump => {
                if inst.b != block + 1 {
                    self.jump(self.form(inst.op, false, Form::Reg, Form::Reg), [0; 3], [0, 0], inst.b);
                }
            }
            Shape::Branch => self.branch(inst),
            Shape::Switch => self.switch(inst),
            Shape::Call => self.call(inst),
            Shape::Calli if inst.op == Op::CalliGrowing => self.call_growing(inst, note),
            Shape::Calli => self.call_indirect(inst, note),
            Shape::CallImport => self.call_import(inst),
            Shape::Object => self.object(inst),
            Shape::Ret => self.ret(inst),
            Shape::Print | Shape::Read | Shape::Mgrow | Shape::Mcopy | Shape::Mfill => self.call_helper(inst, note),
            Shape::NativeLoad => self.native_load(inst, note),
            Shape::NativeStore => self.native_store(inst, note),
            Shape::CallExtern | Shape::Callp => self.call_c(inst, note),
            Shape::Addr => self.address_of(inst, note),
            Shape::Custom => self.custom(inst, note),
            Shape::Halt | Shape::Trap => {
                self.put(self.form(inst.op, false, Form::Reg, Form::Reg), [0; 3], [0, 0]);
            }
        }
    }

    #[inline(always)]
    fn constant_instruction(&mut self, inst: &Inst) {
        let constant = Place::constant(self.index as u32);
        let current = &mut self.current[inst.d as usize];
        if current.local {
            current.place = constant;
        } else if current.place != constant {
            let Current { class, place, .. } = *current;
            self.move_value(class, constant, place);
        }
    }

    fn read_datum(&mut self, inst: &Inst, note: u16, symbol: Symbol) {
        let op = inst.op;
        let to = self.define(inst.d, note, 0, 0);
        let class = self.class(inst.d);
        let register = to.as_register().unwrap_or(scratch(class, 0));
        let chunk = self.form(op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [number(register), 0, 0], [0, 0]);
        self.refer(base, chunk, symbol);
        self.move_value(class, Place::register(register), to);
    }

    fn write_global(&mut self, inst: &Inst, note: u16) {
        let class = self.class(inst.a);
        let place = self.place(inst.a);
        self.end_noted(note, ENDS_A, inst.a, place);
        let register = self.in_register(class, place, scratch(class, 0));
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        let base = self.put(chunk, [number(register), 0, 0], [0, 0]);
        self.refer(base, chunk, Symbol::Global(inst.b));
    }

    fn arg(&mut self, inst: &Inst, note: u16) {
        let index = self.place(inst.a);
        let near = self.end_noted(note, ENDS_A, inst.a, index);
        let index = self.in_register(Class::Int, index, SCRATCH0);
        let count = self.place(self.body.count_var());
        let count = self.in_register(Class::Int, count, SCRATCH1);
        let to = self.define(inst.d, note, near, 0);
        let register = to.as_register().unwrap_or(SCRATCH0);
        let distance = self.frame.first_arg(self.body.signature.variadic);
        let chunk = self.form(inst.op, false, Form::Reg, Form::Reg);
        self.put(chunk, [register, index, count], [distance, 0]);
        self.move_value(Class::Int, Place::register(register), to);
    }

    /// Records that the hole of kind `data` in the snippet at `base` refers to `symbol`.
    pub(super) fn refer(&mut self, base: u32, chunk: u16, symbol: Symbol) {
        let contract = self.library.contract(chunk);
        for hole in contract.holes() {
            if contract.kind(hole) == Kind::Data {
                let offset = base.wrapping_add(u32::from(hole.offset));
                self.relocations.push(Relocation { offset, symbol, addend: i32::from(hole.addend) });
            }
        }
    }

    /// Records that the hole of kind `lit` in the snippet at `base` refers to a constant in the literal pool.
    #[inline(never)]
    pub(super) fn refer_literal(&mut self, base: u32, chunk: u16, bits: u64, class: Class) {
        let contract = self.library.contract(chunk);
        for hole in contract.holes() {
            if contract.kind(hole) == Kind::Lit {
                self.pool.literal(base.wrapping_add(u32::from(hole.offset)), hole.addend, bits, class);
            }
        }
    }

    /// The places of all variables at the function's entry.
    pub(super) fn start_places(&mut self) {
        self.current.clear();
        let body = self.body;
        self.current.extend(body.vars.iter().map(|facts| {
            let constant = facts.has(Var::CONSTANT);
            let place = if constant { Place::constant(facts.first_write) } else { Place::NONE };
            Current { place, class: facts.class, local: !constant }
        }));
        for (range, &place) in self.live.ranges.iter().zip(&self.placement.places) {
            let current = &mut self.current[range.var as usize];
            (current.place, current.local) = (place, false);
        }
        // `r0` of a function with a fixed number of arguments: the index behind the last instruction stands for it.
        let count = self.body.count_var();
        if is_constant(self.body, count) {
            self.current[count as usize].place = Place::constant(self.body.insts.len() as u32);
        }
        self.begin_locals();
    }
}

fn hole_named(contract: Contract, name: &str) -> Option<u8> {
    let is_it = |hole: &&Hole| contract.operand(hole).name == name;
    contract.holes().iter().find(is_it).map(|hole| hole.offset)
}

/// The scratch register `nth` of a class, as a place's number.
#[inline(always)]
pub(super) fn scratch(class: Class, nth: usize) -> u8 {
    if class.is_float() { [FSCRATCH0 + FIRST_XMM, FSCRATCH1 + FIRST_XMM][nth] } else { [SCRATCH0, SCRATCH1][nth] }
}

/// The type of the first operand of each opcode: 0 for ints, 1 for f32, 2 for f64; and 1 where it is 32 bits wide.
const OPERANDS: [[u8; 2]; Op::ALL.len()] = {
    let mut operands = [[0; 2]; Op::ALL.len()];
    let mut i = 0;
    while i < operands.len() {
        let args = Op::ROWS[i].args;
        if !args.is_empty() {
            operands[i] = match args[0] {
                Type::I32 | Type::Funcref | Type::Externref => [0, 1],
                Type::I64 => [0, 0],
                Type::F32 => [1, 0],
                Type::F64 => [2, 0],
            };
        }
        i += 1;
    }
    operands
};

#[inline(always)]
pub(super) fn operand_class(op: Op) -> [u8; 2] {
    OPERANDS[op as usize]
}

/// The class of an opcode's first operand.
#[inline(always)]
pub(super) fn operand_type(op: Op) -> Class {
    match OPERANDS[op as usize][0] {
        0 => Class::Int,
        1 => Class::F32,
        _ => Class::F64,
    }
}
