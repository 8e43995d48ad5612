//! Which registers and frame words are read later: the measure of whether damage to stitched code does harm.
//!
//! Comes in: a decoded function and the depth of its stack at each step. Goes out: for each step, the halves of places
//! that are read behind it before they are written. What must hold: this walks backwards, from reads, and uses nothing
//! of how the checker walks forwards; places of arguments and results come from the stitcher's side.

use std::collections::HashSet;

use spasm::check::decode::{Decoded, Operand, Step};
use spasm::isa::custom::SOURCES;
use spasm::isa::op::{Op, Row, Shape, Type};
use spasm::isa::snippet::Role;
use spasm::library::Library;
use spasm::library::builtin::{ARGS, CARGS, COUNT, FARGS, MEMORY, SAVED};
use spasm::module::{Inst, Signature};
use spasm::stitch::calls::{Convention, Passed};
use spasm::verified::{Body, Verified};

/// A place: a register, or a word by its distance from the return address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Register(u8),
    Word(i64),
}

/// Half of a place; `true` for the upper.
pub type Half = (Place, bool);
pub type Halves = HashSet<Half>;

/// What a step does.
pub enum Effect {
    /// It carries halves, or constants, into halves.
    Carries(Vec<(Half, Option<Half>)>),
    /// It reads and writes halves.
    Acts { reads: Vec<Half>, writes: Vec<Half> },
}

pub struct Live<'a> {
    pub verified: &'a Verified,
    pub library: &'a Library,
    pub decoded: &'a Decoded,
    pub depths: &'a [Option<u32>],
}

fn both(place: Place) -> [Half; 2] {
    [(place, false), (place, true)]
}

fn narrow(ty: Type) -> bool {
    matches!(ty, Type::I32 | Type::F32)
}

pub fn halves(place: Place, ty: Type) -> Vec<Half> {
    both(place)[..if narrow(ty) { 1 } else { 2 }].to_vec()
}

/// The place of an operand where the stack is `depth` bytes deep.
pub fn place(operand: Operand, depth: u32) -> Option<Place> {
    match operand {
        Operand::Register(number) => Some(Place::Register(number)),
        Operand::Slot(distance) => Some(Place::Word(distance - i64::from(depth))),
        _ => None,
    }
}

fn suffix(row: &Row) -> Type {
    Type::NUMBERS.into_iter().find(|ty| ty.name() == row.suffix).unwrap_or(Type::I64)
}

impl Live<'_> {
    fn body(&self) -> &Body {
        self.verified.body(self.decoded.function as u32)
    }

    fn depth(&self, step: usize) -> u32 {
        self.depths[step].unwrap_or(0)
    }

    /// What is read behind each step; nothing for steps that control never reaches.
    pub fn find(&self) -> Vec<Halves> {
        let body = self.body();
        let mut behind = vec![Halves::new(); self.decoded.steps.len()];
        let mut at_start = vec![Halves::new(); body.blocks.len()];
        loop {
            let mut changed = false;
            for number in (0..body.blocks.len()).rev() {
                let live = self.block(number, &at_start, &mut behind);
                changed |= live != at_start[number];
                at_start[number] = live;
            }
            if !changed {
                break;
            }
        }
        let mut live = at_start[0].clone();
        for step in self.decoded.entry.clone().rev() {
            behind[step].clone_from(&live);
            self.before(step, &mut live);
        }
        behind
    }

    fn block(&self, number: usize, at_start: &[Halves], behind: &mut [Halves]) -> Halves {
        let body = self.body();
        let range = body.block_range(number);
        let steps = self.decoded.of[range.start].start..self.decoded.of[range.end - 1].end;
        let mut live = Halves::new();
        for target in self.successors(number) {
            live.extend(&at_start[target]);
        }
        for step in steps.rev() {
            if self.depths[step].is_none() {
                continue;
            }
            behind[step].clone_from(&live);
            self.before(step, &mut live);
        }
        live
    }

    /// Where control goes from a block: as its last snippet says, not as its last instruction does.
    fn successors(&self, number: usize) -> Vec<usize> {
        let body = self.body();
        let range = body.block_range(number);
        let last = range.end - 1;
        let inst = &body.insts[last];
        let steps = |index: usize| self.decoded.of[index].clone().map(|step| &self.decoded.steps[step]);
        let fused = (last > range.start)
            .then(|| steps(last - 1).find(|step| step.is_fused() && step.named("t").is_some()))
            .flatten();
        let jump = fused.or_else(|| steps(last).find(|step| step.named("t").is_some()));
        let target = inst.b as usize;
        match (inst.op.row().shape, jump.map(|step| step.info.name)) {
            (Shape::Jump, _) | (Shape::Branch, Some("jmp")) => vec![target],
            (Shape::Branch, Some(_)) => vec![target, number + 1],
            (Shape::Switch, _) => {
                body.lists[target + 1..][..=body.lists[target] as usize].iter().map(|&b| b as usize).collect()
            }
            (Shape::Ret | Shape::Halt | Shape::Trap, _) => Vec::new(),
            _ => vec![number + 1],
        }
    }

    /// What is live before a step, from what is live behind it.
    fn before(&self, step: usize, live: &mut Halves) {
        match self.effect(step) {
            Effect::Carries(moves) => {
                let read: Vec<Half> =
                    moves.iter().filter(|(to, _)| live.contains(to)).filter_map(|&(_, from)| from).collect();
                for (to, _) in &moves {
                    live.remove(to);
                }
                live.extend(read);
            }
            Effect::Acts { reads, writes } => {
                for half in &writes {
                    live.remove(half);
                }
                live.extend(reads);
            }
        }
    }

    pub fn effect(&self, number: usize) -> Effect {
        let step = &self.decoded.steps[number];
        let depth = i64::from(self.depth(number));
        let at = |name: &str| step.named(name).and_then(|i| place(step.operands[i], self.depth(number)));
        let into = |low: Option<Half>, high: Option<Half>, to: Option<Place>| {
            let to = to.expect("a result");
            Effect::Carries(vec![((to, false), low), ((to, true), high)])
        };
        let (a, d) = (at("a"), at("d"));
        let low = |place: Option<Place>| place.map(|place| (place, false));
        let high = |place: Option<Place>| place.map(|place| (place, true));
        match step.info.name {
            "move.i64" | "move.f64" | "bits.i64.f64" | "bits.f64.i64" | "const.i64" => into(low(a), high(a), d),
            "move.f32" => match (a, d) {
                (_, Some(to @ Place::Word(_))) => Effect::Carries(vec![((to, false), low(a))]),
                (Some(Place::Word(_)), _) => into(low(a), None, d),
                _ => into(low(a), high(a), d),
            },
            "wrap" | "extu" | "bits.i32.f32" | "bits.f32.i32" => into(low(a), None, d),
            "const.i32" | "const.f32" | "const.f64" | "zero.i64" | "zero.f64" | "context" => into(None, None, d),
            "frame.push" => into(low(a), high(a), Some(Place::Word(-depth - 8))),
            "frame.pop" => {
                let from = Some(Place::Word(-depth));
                into(low(from), high(from), d)
            }
            "frame.enter" | "frame.leave" | "landing" => Effect::Carries(Vec::new()),
            _ => self.acts(number, step),
        }
    }

    fn acts(&self, number: usize, step: &Step) -> Effect {
        let body = self.body();
        let inst = &body.insts[step.inst as usize];
        let depth = self.depth(number);
        let mut reads = Vec::new();
        let mut writes = Vec::new();
        for (declared, &operand) in step.info.operands.iter().zip(&step.operands) {
            let Some(place) = place(operand, depth) else { continue };
            if matches!(declared.role, Role::In | Role::InOut) && declared.name != "o" {
                reads.extend(halves(place, operand_type(inst, step, declared.name)));
            }
            if matches!(declared.role, Role::Out | Role::Early | Role::InOut) {
                writes.extend(both(place));
            }
        }
        let cold = (step.info.cold != 0).then(|| self.library.info(step.info.cold));
        for info in std::iter::once(step.info).chain(cold) {
            for number in (0..16).filter(|&number| number != 4) {
                if info.clobbers >> number & 1 != 0 {
                    writes.extend(both(Place::Register(number)));
                }
                if info.xmm_clobbers >> number & 1 != 0 {
                    writes.extend(both(Place::Register(16 + number)));
                }
            }
        }
        self.implied(inst, depth, &mut reads, &mut writes);
        if inst.op == Op::Arg {
            reads.extend(self.arguments(number));
        }
        Effect::Acts { reads, writes }
    }

    /// What an instruction reads and writes beside the operands of its snippet.
    fn implied(&self, inst: &Inst, depth: u32, reads: &mut Vec<Half>, writes: &mut Vec<Half>) {
        let body = self.body();
        let lists = &body.lists;
        let row = inst.op.row();
        let memory = both(Place::Register(MEMORY));
        match row.shape {
            Shape::Load | Shape::Store => reads.extend(memory),
            Shape::Call | Shape::Calli => {
                let at = inst.b as usize + usize::from(inst.op == Op::Calli);
                let results = lists[at] as usize;
                let args = lists[at + 1 + results] as usize;
                let signature = match inst.op {
                    Op::Call => &self.verified.body(inst.a).signature,
                    _ => &self.verified.module().signatures[lists[inst.b as usize] as usize],
                };
                if self.verified.module().memory.is_some() {
                    reads.extend(memory);
                }
                if signature.variadic {
                    reads.extend(both(Place::Register(COUNT)));
                }
                let (passed, stack) = passed(signature, args, -i64::from(depth));
                reads.extend(passed);
                writes.extend((0..stack).flat_map(|k| both(Place::Word(8 * i64::from(k) - i64::from(depth)))));
            }
            Shape::Ret => {
                let (_, stacked) = passed_arguments(&body.signature, body.signature.params.len(), 8);
                reads.extend(returned(&body.signature, stacked, 8));
                reads.extend(SAVED.iter().flat_map(|&register| both(Place::Register(register))));
            }
            Shape::Print => {
                let ty = suffix(row);
                let register = if ty.class().is_float() { 16 + FARGS[0] } else { CARGS[0] };
                reads.extend(halves(Place::Register(register), ty));
            }
            Shape::Mgrow => reads.push((Place::Register(CARGS[0]), false)),
            Shape::Mcopy | Shape::Mfill => reads.extend(CARGS.iter().map(|&n| (Place::Register(n), false))),
            _ => {}
        }
        if matches!(row.shape, Shape::Print | Shape::Read | Shape::Mgrow | Shape::Mcopy | Shape::Mfill) {
            reads.extend(both(Place::Register(ARGS[0])));
        }
    }

    /// The words that an `arg` may read.
    pub fn arguments(&self, number: usize) -> Vec<Half> {
        let step = &self.decoded.steps[number];
        let Some(Operand::Slot(first)) = step.named("o").map(|index| step.operands[index]) else { return Vec::new() };
        let first = first - i64::from(self.depth(number));
        let params = self.body().signature.params.len() as i64;
        (0..params).flat_map(|k| both(Place::Word(first + 8 * k))).collect()
    }
}

fn operand_type(inst: &Inst, step: &Step, name: &str) -> Type {
    let row = inst.op.row();
    if let Some(fusion) = step.info.fusion.filter(|fusion| !fusion.branches()) {
        let tied = || fusion.tied(|name| step.named(name).is_some());
        let nth = SOURCES.iter().position(|known| *known == name).or_else(tied);
        return nth.and_then(|nth| fusion.sources()[nth]).unwrap_or(Type::I64);
    }
    let tied = step.named("a").is_none();
    match (row.shape, name) {
        (Shape::Value, "a") => row.args[0],
        (Shape::Value, "d") if tied => row.args[0],
        (Shape::Value, _) => row.args[1],
        (Shape::Select, "d" | "b") | (Shape::Gset, _) => suffix(row),
        (Shape::Store, "b") if matches!(inst.op, Op::Mstore8 | Op::Mstore16) => Type::I32,
        (Shape::Store, "b") => row.args[0],
        _ => Type::I64,
    }
}

fn passed_arguments(signature: &Signature, count: usize, base: i64) -> (Vec<Half>, u32) {
    let types = signature.params.iter().copied().chain(std::iter::repeat(Type::I64)).take(count);
    let mut convention = Convention::arguments(signature.variadic);
    let halves = types.flat_map(|ty| value(convention.next(ty.class()), ty, base)).collect();
    (halves, convention.stack())
}

/// What a call reads, and how many words of the stack belong to the callee.
fn passed(signature: &Signature, count: usize, base: i64) -> (Vec<Half>, u32) {
    let (halves, stacked) = passed_arguments(signature, count, base);
    let mut convention = Convention::results(stacked);
    signature.results.iter().for_each(|ty| _ = convention.next(ty.class()));
    (halves, convention.stack())
}

fn returned(signature: &Signature, stacked: u32, base: i64) -> Vec<Half> {
    let mut convention = Convention::results(stacked);
    signature.results.iter().flat_map(|&ty| value(convention.next(ty.class()), ty, base)).collect()
}

/// An i32 is passed with its upper half, and so is an f32 on the stack.
fn value(passed: Passed, ty: Type, base: i64) -> Vec<Half> {
    match passed {
        Passed::Register(number) if ty == Type::F32 => vec![(Place::Register(number), false)],
        Passed::Register(number) => both(Place::Register(number)).to_vec(),
        Passed::Stack(index) => both(Place::Word(base + 8 * i64::from(index))).to_vec(),
    }
}
