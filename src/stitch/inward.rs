//! Emission of entries for C: what lets C call a function of a program.
//!
//! Comes in: the signature of a function, and where it stands. Goes out: code that takes arguments as the System V
//! convention has them, calls or jumps to the function, and gives its results as C has them. What must hold: registers
//! that C keeps are kept, the stack is aligned, and the unwind rows tell its depth before every instruction.
//!
//! A function that gives what it gives in the same registers as C, in a module that leaves the register of the memory alone,
//! is jumped to: its stack arguments are those of C. Everything else has a frame of its own while the function runs:
//!
//! ```text
//!        │ C's stack arguments                                   │
//!        │ return address into C                                 │
//!        │ the register of the linear memory, if there is one    │
//!        │ words: results, address of the result's room, count   │
//!        │ outgoing stack arguments and results                  │ ◄─ FRAME
//! ```

use crate::isa::op::{Class, Op, Type};
use crate::isa::part::Part;
use crate::isa::snippet::{Fault, Form, Kind, form_index};
use crate::library::Library;
use crate::library::builtin::{CINTS, COUNT, CRESULTS, MEMORY, SCRATCH0, SCRATCH1, SCRATCH2};
use crate::module::link::Item;
use crate::module::native::{CSignature, Target};
use crate::module::{MAX_VARIADIC, Module, Signature};
use crate::stitch::abi::{self, Arguments, At, Results};
use crate::stitch::calls::{Convention, Passed};
use crate::stitch::code::{Code, Regs};
use crate::stitch::frame::tell;
use crate::stitch::image::{EntryImage, Image, Relocation, SiteMeaning, Symbol, TrapSite, UnwindRow};
use crate::stitch::place::FIRST_XMM;

/// Which functions get entries for C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entries {
    /// Those whose address the program takes, in code or in data.
    #[default]
    Taken,
    /// All.
    All,
    /// Those that others are to call by their names: what a linked module exports, and what it starts with; all of any other
    /// module.
    Exported,
}

impl Entries {
    /// The functions of a module that get entries whatever it takes the address of.
    pub(super) fn wanted(self, module: &Module) -> Vec<bool> {
        let all = self == Entries::All || (self == Entries::Exported && !module.is_linked());
        let mut wanted = vec![all; module.functions.len()];
        if self == Entries::Exported {
            let exported = module.exports.iter().filter_map(|export| match export.item {
                Item::Function(Target::Function(index)) => Some(index),
                _ => None,
            });
            let start = if let Some(Target::Function(index)) = module.start { Some(index) } else { None };
            exported.chain(start).for_each(|index| wanted[index as usize] = true);
        }
        wanted
    }
}

/// The C prototype of a function with this signature.
#[must_use]
pub fn c_signature(signature: &Signature) -> CSignature {
    CSignature::of(signature)
}

/// Writes the entries of one image.
pub(super) struct Writer<'a> {
    pub library: &'a Library,
    pub code: &'a mut Code,
    pub image: &'a mut Image,
    /// Whether the module has a linear memory.
    pub memory: bool,
    /// Whether its functions change the register of the memory.
    pub changes_memory: bool,
}

/// An entry with a frame: distances from the frame register.
struct Framed<'a> {
    signature: &'a Signature,
    arguments: &'a Arguments,
    results: &'a Results,
    /// Where the words start.
    words: i64,
    depth: i64,
    size: i64,
    saved: u32,
}

/// The indices of the frame's words: four for the results in registers as the function gives them, one each for the
/// address of the result's room and the number of arguments, four for the results as C takes them.
const HIDDEN: i64 = 4;
const TOTAL: i64 = 5;
const C_RESULTS: i64 = 6;
const WORDS: i64 = 10;

impl Writer<'_> {
    /// Writes the entry of function `number`.
    pub fn entry(&mut self, number: u32, signature: &Signature) {
        self.code.align(16);
        let start = self.code.position();
        let prototype = c_signature(signature);
        let (arguments, results) = (abi::arguments(&prototype, &[]), abi::results(&prototype));
        self.row(0);
        self.put(self.part(Part::Landing), [0; 3], [0, 0]);
        let mut saved = 0;
        if !self.changes_memory && !signature.variadic && gives_as_c(signature, &results) {
            self.jump(number, signature, &arguments);
        } else {
            saved = self.framed(number, signature, &arguments, &results);
        }
        self.image.entries.push(EntryImage { function: number, start, end: self.code.position(), saved });
    }

    fn part(&self, part: Part) -> u16 {
        self.library.part(part)
    }

    fn form(&self, op: Op, in_slot: bool, a: Form, b: Form) -> u16 {
        self.library.forms(op as u16)[form_index(in_slot, a, b)]
    }

    fn put(&mut self, chunk: u16, regs: Regs, values: [i64; 2]) -> u32 {
        let chunk = self.code.narrowest(chunk, values);
        self.code.put(chunk, regs, values)
    }

    fn row(&mut self, depth: u32) {
        tell(&mut self.image.unwind, UnwindRow { offset: self.code.position(), depth });
    }

    /// Writes the distance to a function into the last four bytes.
    fn refer_function(&mut self, number: u32) {
        let end = self.code.position();
        let entry = self.image.functions[number as usize].entry;
        self.code.write32(end - 4, entry.wrapping_sub(end) as i32);
    }

    fn load(&mut self, register: u8, distance: i64, low: bool) {
        let op = match (register >= FIRST_XMM, low) {
            (true, _) => Op::MoveF64,
            (false, true) => Op::Wrap,
            (false, false) => Op::MoveI64,
        };
        self.put(self.form(op, false, Form::Slot, Form::Reg), [register & 15, 0, 0], [distance, 0]);
    }

    fn store(&mut self, register: u8, distance: i64) {
        let op = if register >= FIRST_XMM { Op::MoveF64 } else { Op::MoveI64 };
        self.put(self.form(op, true, Form::Reg, Form::Reg), [register & 15, 0, 0], [distance, 0]);
    }

    fn copy(&mut self, to: u8, from: u8, low: bool) {
        let op = match (from >= FIRST_XMM, low) {
            (true, true) => Op::BitsI32F32,
            (true, false) => Op::BitsI64F64,
            (false, true) => Op::Wrap,
            (false, false) => Op::MoveI64,
        };
        self.put(self.form(op, false, Form::Reg, Form::Reg), [to, from & 15, 0], [0, 0]);
    }

    /// Everything is where the function takes it, but for the int registers, and what C leaves in upper halves.
    fn jump(&mut self, number: u32, signature: &Signature, arguments: &Arguments) {
        for (word, ty) in arguments.words.iter().zip(&signature.params) {
            let At::Stack(at) = word.at else { continue };
            if is_low(*ty) {
                self.load(SCRATCH2, i64::from(at) + 8, true);
                self.store(SCRATCH2, i64::from(at) + 8);
            }
        }
        self.fill_registers(signature, arguments, 0);
        self.put(self.part(Part::EntryJump), [0; 3], [0, 0]);
        self.refer_function(number);
    }

    /// Brings the arguments that a function takes in registers there. C's stack arguments start behind `depth` bytes and
    /// the return address.
    fn fill_registers(&mut self, signature: &Signature, arguments: &Arguments, depth: i64) {
        let mut convention = Convention::arguments(signature.variadic);
        let mut moves: Vec<(u8, At, bool)> = Vec::new();
        for (word, &ty) in arguments.words.iter().zip(&signature.params) {
            if let Passed::Register(to) = convention.next(ty.class()) {
                // Of an f32 in a vector register, nobody looks at more than the low half.
                let done = word.at == At::Register(to) && !is_low_int(ty);
                if !done {
                    moves.push((to, word.at, is_low_int(ty)));
                }
            }
        }
        // No register is both before and behind another in the two conventions, so there are no rings.
        while !moves.is_empty() {
            let waits = |to: u8| moves.iter().any(|&(other, from, _)| from == At::Register(to) && other != to);
            let next = moves.iter().position(|&(to, ..)| !waits(to)).unwrap_or(0);
            match moves.swap_remove(next) {
                (to, At::Register(from), low) => self.copy(to, from, low),
                (to, At::Stack(at) | At::Result(at), low) => self.load(to, depth + 8 + i64::from(at), low),
            }
        }
    }

    fn framed(&mut self, number: u32, signature: &Signature, arguments: &Arguments, results: &Results) -> u32 {
        let taken = if signature.variadic { MAX_VARIADIC } else { Convention::stack_arguments(signature, 0) };
        let outgoing = 8 * i64::from(taken) + 8 * signature.results.len() as i64;
        let saved = u32::from(self.changes_memory) << MEMORY;
        let pushed = 8 * i64::from(saved.count_ones());
        let size = (outgoing + 8 * WORDS + pushed + 8 + 15) / 16 * 16 - pushed - 8;
        let frame = Framed { signature, arguments, results, words: outgoing, depth: size + pushed, size, saved };
        self.enter(&frame);
        if signature.variadic {
            self.pass_variadic(&frame);
        } else {
            self.pass_stack(&frame);
            self.fill_registers(signature, arguments, frame.depth);
        }
        self.put(self.form(Op::Call, false, Form::Reg, Form::Reg), [0; 3], [0, 0]);
        self.refer_function(number);
        self.give(&frame);
        self.leave(&frame);
        saved
    }

    fn enter(&mut self, frame: &Framed) {
        if frame.saved != 0 {
            self.put(self.part(Part::Push), [MEMORY, 0, 0], [0, 0]);
            self.row(8);
        }
        self.put(self.part(Part::Enter), [0; 3], [frame.size, 0]);
        self.row(frame.depth as u32);
        if let Some(register) = frame.arguments.hidden {
            self.store(register, frame.words + 8 * HIDDEN);
        }
        if self.memory {
            let chunk = self.part(Part::Cell);
            let base = self.put(chunk, [MEMORY, 0, 0], [0, 0]);
            for hole in self.library.contract(chunk).holes() {
                let offset = base.wrapping_add(u32::from(hole.offset));
                let relocation = Relocation { offset, symbol: Symbol::Memory, addend: i32::from(hole.addend) };
                self.image.relocations.push(relocation);
            }
        }
    }

    fn leave(&mut self, frame: &Framed) {
        self.put(self.part(Part::Leave), [0; 3], [frame.size, 0]);
        self.row((frame.depth - frame.size) as u32);
        if frame.saved != 0 {
            self.put(self.part(Part::Pop), [MEMORY, 0, 0], [0, 0]);
            self.row(0);
        }
        self.put(self.form(Op::Ret, false, Form::Reg, Form::Reg), [0; 3], [0, 0]);
    }

    /// Brings argument `at` of C to a word of the frame.
    fn word(&mut self, at: At, low: bool, depth: i64, to: i64) {
        let register = match at {
            At::Register(register) if register < FIRST_XMM && !low => register,
            At::Register(register) => {
                self.copy(SCRATCH2, register, low);
                SCRATCH2
            }
            At::Stack(at) | At::Result(at) => {
                self.load(SCRATCH2, depth + 8 + i64::from(at), low);
                SCRATCH2
            }
        };
        self.store(register, to);
    }

    fn pass_stack(&mut self, frame: &Framed) {
        let mut convention = Convention::arguments(false);
        for (word, &ty) in frame.arguments.words.iter().zip(&frame.signature.params) {
            if let Passed::Stack(index) = convention.next(ty.class()) {
                self.word(word.at, is_low(ty), frame.depth, 8 * i64::from(index));
            }
        }
    }

    /// All arguments in a row, and their number.
    fn pass_variadic(&mut self, frame: &Framed) {
        let fixed = frame.signature.params.len();
        let mut places = (0..).step_by(8);
        for ((word, &ty), to) in frame.arguments.words.iter().zip(&frame.signature.params).zip(&mut places) {
            self.word(word.at, is_low(ty), frame.depth, to);
        }
        let first = 8 * fixed as i64;
        let total = frame.words + 8 * TOTAL;
        self.word(frame.arguments.words[fixed].at, false, frame.depth, total);
        // What registers C has not used up for the fixed ones and the count, it uses for the others.
        let ints = frame.arguments.words.iter().filter(|word| matches!(word.at, At::Register(r) if r < FIRST_XMM));
        let used = ints.count() + usize::from(frame.arguments.hidden.is_some());
        let unused = &CINTS[used.min(CINTS.len())..];
        for (&register, to) in unused.iter().zip((first..).step_by(8)) {
            self.store(register, to);
        }
        self.load(SCRATCH1, total, false);
        let chunk = self.part(Part::EntryRest);
        let from = self.code.position();
        let base = self.code.put(chunk, [SCRATCH1, 0, 0], [0, 0]);
        let contract = self.library.contract(chunk);
        let passed = unused.len() as i64;
        for hole in contract.holes() {
            let operand = contract.operand(hole);
            let value = match operand.name {
                "b" => passed,
                "m" => i64::from(MAX_VARIADIC) - fixed as i64,
                "s" => frame.depth + 8 + i64::from(frame.arguments.size),
                _ => first + 8 * passed,
            };
            debug_assert!(matches!(operand.kind, Kind::Imm32 | Kind::Slot32));
            self.code.write32(base.wrapping_add(u32::from(hole.offset)), value as i32);
        }
        for site in contract.sites() {
            if let Fault::Trap(kind) = site.fault {
                let offset = base.wrapping_add(u32::from(site.offset)).max(from);
                self.image.sites.push(TrapSite { offset, meaning: SiteMeaning::Trap(kind) });
            }
        }
        self.load(COUNT, total, false);
        if fixed > 0 {
            self.put(self.form(Op::AddI64, false, Form::Tied, Form::Const), [COUNT, 0, 0], [fixed as i64, 0]);
        }
    }

    /// Brings the results from where the function leaves them to where C takes them.
    fn give(&mut self, frame: &Framed) {
        if gives_as_c(frame.signature, frame.results) {
            return;
        }
        // A variadic function has one result at most, so nothing of it stands behind its arguments.
        let stacked = Convention::stack_arguments(frame.signature, 0);
        let mut convention = Convention::results(stacked);
        let passed: Vec<Passed> = frame.signature.results.iter().map(|ty| convention.next(ty.class())).collect();
        let large = frame.results.size != 0;
        for &one in &passed {
            if let Passed::Register(register) = one {
                self.store(register, frame.words + 8 * i64::from(result_word(register)));
            }
        }
        if large {
            self.load(SCRATCH2, frame.words + 8 * HIDDEN, false);
        }
        for word in &frame.results.words {
            for piece in &word.pieces {
                self.result(frame, passed[piece.value], SCRATCH1);
                if let At::Result(at) = word.at {
                    let op = if piece.ty.size() == 4 { Op::StoreI32 } else { Op::StoreI64 };
                    let offset = i64::from(at + piece.at);
                    self.put(self.form(op, false, Form::Reg, Form::Reg), [SCRATCH1, SCRATCH2, 0], [offset, 0]);
                } else if piece.at == 0 {
                    self.copy(SCRATCH0, SCRATCH1, piece.ty.size() == 4);
                } else {
                    self.put(self.form(Op::ShlI64, false, Form::Tied, Form::Const), [SCRATCH1, 0, 0], [32, 0]);
                    self.put(self.form(Op::OrI64, false, Form::Tied, Form::Reg), [SCRATCH0, SCRATCH1, 0], [0, 0]);
                }
            }
            if let At::Register(register) = word.at {
                self.store(SCRATCH0, frame.words + 8 * (C_RESULTS + i64::from(result_word(register))));
            }
        }
        for word in &frame.results.words {
            if let At::Register(register) = word.at {
                self.load(register, frame.words + 8 * (C_RESULTS + i64::from(result_word(register))), false);
            }
        }
    }

    /// Loads a result into a general register.
    fn result(&mut self, frame: &Framed, passed: Passed, register: u8) {
        match passed {
            Passed::Register(from) => {
                self.load(register, frame.words + 8 * i64::from(result_word(from)), false);
            }
            Passed::Stack(index) => self.load(register, 8 * i64::from(index), false),
        }
    }
}

/// The index of the frame's word for a result register.
fn result_word(register: u8) -> u8 {
    if register >= FIRST_XMM { register - FIRST_XMM + 2 } else { u8::from(register != CRESULTS[0]) }
}

/// True for the types of which only the low half counts.
fn is_low(ty: Type) -> bool {
    ty.is_narrow()
}

/// True for those among them that travel in general registers.
fn is_low_int(ty: Type) -> bool {
    ty.is_narrow() && ty.class() == Class::Int
}

/// True where the function's results are where C takes them.
fn gives_as_c(signature: &Signature, results: &Results) -> bool {
    let mut convention = Convention::results(0);
    let mut passed = signature.results.iter().map(|ty| convention.next(ty.class()));
    results.words.len() == signature.results.len()
        && results.words.iter().all(|word| match (word.at, passed.next()) {
            (At::Register(register), Some(Passed::Register(other))) => register == other,
            _ => false,
        })
}
