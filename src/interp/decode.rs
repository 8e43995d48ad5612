//! Makes of a verified body the form that the loop executes.
//!
//! Comes in: a body. Goes out: its [`Code`], in time proportional to the body. What must hold: every slot is below the
//! code's size and every offset leads to one of its steps, which is checked here because the loop does not; a `const`
//! is left out only where everything that reads it has the literal instead.

mod calls;

use crate::isa::op::{Flag, Op, Shape, Type};
use crate::module::{Inst, Module};
use crate::verified::{Body, Var, Verified};

use super::code::{Code, Step};
use super::join::Pairs;
use super::native::counted;
use super::outside;
use super::run::{Family, run_of};

const NONE: u32 = u32::MAX;

/// A `const` whose literal may be read.
#[derive(Clone, Copy)]
struct Literal {
    bits: u64,
    step: u32,
    /// The block in which it is known; it is known everywhere where the verifier says that it is the only value.
    block: u32,
}

struct Decoder<'b> {
    module: &'b Module,
    /// Whether globals are found where the module is linked.
    is_linked: bool,
    body: &'b Body,
    steps: Vec<Step>,
    origins: Vec<u32>,
    /// For each step, whether it can be left out.
    idle: Vec<bool>,
    pairs: Pairs,
    lists: Vec<u32>,
    /// The steps that jump, whose field `d` is a block until all steps are there.
    jumps: Vec<u32>,
    /// The steps of `switch` instructions, whose lists are blocks until then.
    switches: Vec<u32>,
    /// For each block, its first step.
    starts: Vec<u32>,
    block: u32,
    /// For each variable, the number of its literal.
    known: Vec<u32>,
    literals: Vec<Literal>,
    /// For each variable, what the first block does to it first.
    first: Vec<First>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Nothing,
    Read,
    Written,
}

/// Decodes function `function` of a module that is linked with others, or not.
pub(super) fn decode(verified: &Verified, function: u32, is_linked: bool) -> Code {
    let body = verified.body(function);
    let n = body.insts.len();
    let mut decoder = Decoder {
        module: verified.module(),
        is_linked,
        body,
        steps: Vec::with_capacity(n),
        origins: Vec::with_capacity(n),
        idle: Vec::with_capacity(n),
        pairs: Pairs::new(body),
        lists: Vec::with_capacity(body.lists.len()),
        jumps: Vec::new(),
        switches: Vec::new(),
        starts: Vec::with_capacity(body.blocks.len()),
        block: 0,
        known: vec![NONE; body.vars.len()],
        literals: Vec::new(),
        first: vec![First::Nothing; body.vars.len()],
    };
    for block in 0..body.blocks.len() {
        decoder.decode_block(block);
    }
    let Decoder { pairs, steps, origins, idle, starts, .. } = &mut decoder;
    pairs.join(steps, origins, idle, starts);
    decoder.drop_idle_steps();
    decoder.finish(function)
}

impl Decoder<'_> {
    fn decode_block(&mut self, block: usize) {
        self.block = block as u32;
        self.starts.push(self.steps.len() as u32);
        let mut range = self.body.block_range(block);
        while let Some(at) = range.next() {
            let inst = &self.body.insts[at];
            let next = self.body.insts.get(at + 1).filter(|_| !range.is_empty());
            if let Some(branch) = next.filter(|branch| self.fuses(inst, branch)) {
                self.compare_and_jump(at + 1, inst, branch);
                range.next();
            } else {
                self.decode_inst(at, inst);
            }
        }
        self.pairs.end_block(self.body);
    }

    fn step(&mut self, at: usize, step: Step, op: Op, family: Family) {
        self.pairs.step(op, family);
        self.steps.push(step);
        self.origins.push(at as u32);
        self.idle.push(false);
    }

    /// The slot of a variable that is read.
    fn read(&mut self, var: u32) -> u32 {
        if let Some(literal) = self.literal(var) {
            self.idle[literal.step as usize] = false;
        }
        if self.block == 0 && self.first[var as usize] == First::Nothing {
            self.first[var as usize] = First::Read;
        }
        self.pairs.read(var);
        var
    }

    /// The slot of a variable that is written.
    fn write(&mut self, var: u32) -> u32 {
        self.known[var as usize] = NONE;
        if self.block == 0 && self.first[var as usize] == First::Nothing {
            self.first[var as usize] = First::Written;
        }
        self.pairs.write(var);
        var
    }

    /// What `var` holds, where that is known.
    fn literal(&self, var: u32) -> Option<Literal> {
        let literal = *self.literals.get(self.known[var as usize] as usize)?;
        (literal.block == self.block || self.body.vars[var as usize].has(Var::CONSTANT)).then_some(literal)
    }

    /// The literal that can stand for the second operand of a row.
    fn second_literal(&self, op: Op, var: u32) -> Option<u32> {
        let bits = self.literal(var)?.bits;
        let fits = match op.row().args.get(1)? {
            Type::I32 | Type::F32 | Type::Funcref | Type::Externref => true,
            Type::I64 => i64::from(bits as i32).cast_unsigned() == bits,
            Type::F64 => false,
        };
        fits.then_some(bits as u32)
    }

    /// The operands of a row, and whether the second is a literal.
    fn operands(&mut self, inst: &Inst) -> (u32, u32, bool) {
        let row = inst.op.row();
        if row.args.len() < 2 {
            return (self.read(inst.a), 0, false);
        }
        let (mut a, mut b) = (inst.a, inst.b);
        if row.has(Flag::Commutes) && self.second_literal(inst.op, b).is_none() {
            (a, b) = (b, a);
        }
        if let Some(literal) = self.second_literal(inst.op, b) {
            return (self.read(a), literal, true);
        }
        (self.read(inst.a), self.read(inst.b), false)
    }

    /// Whether `branch`, which follows `inst`, is the only one that wants what `inst` finds.
    fn fuses(&self, inst: &Inst, branch: &Inst) -> bool {
        inst.op.row().has(Flag::Compares)
            && matches!(branch.op, Op::Jmpt | Op::Jmpf)
            && branch.a == inst.d
            && !self.body.vars[inst.d as usize].has(Var::CROSSES)
    }

    fn compare_and_jump(&mut self, at: usize, inst: &Inst, branch: &Inst) {
        let (a, b, is_literal) = self.operands(inst);
        let family = match (branch.op == Op::Jmpt, is_literal) {
            (true, false) => Family::JumpIf,
            (false, false) => Family::JumpUnless,
            (true, true) => Family::JumpIfLiteral,
            (false, true) => Family::JumpUnlessLiteral,
        };
        self.write(inst.d);
        self.jumps.push(self.steps.len() as u32);
        self.step(at, Step { run: run_of(family, inst.op), d: branch.b, a, b, c: 0 }, inst.op, family);
    }

    fn decode_inst(&mut self, at: usize, inst: &Inst) {
        let mut step = Step { run: run_of(Family::Plain, inst.op), d: inst.d, a: inst.a, b: inst.b, c: 0 };
        let mut family = Family::Plain;
        match inst.op.row().shape {
            Shape::Value => {
                let is_literal;
                (step.a, step.b, is_literal) = self.operands(inst);
                if is_literal {
                    family = Family::Literal;
                    step.run = run_of(family, inst.op);
                }
                step.d = self.write(inst.d);
            }
            Shape::Object => self.object(inst, &mut step),
            Shape::Const => return self.constant(at, inst),
            Shape::Select => {
                step.b = self.lists.len() as u32;
                for k in 0..2 {
                    let slot = self.read(self.body.lists[inst.b as usize + k]);
                    self.lists.push(slot);
                }
                self.read_write(inst);
            }
            Shape::Move | Shape::Load | Shape::NativeLoad | Shape::Mgrow | Shape::Arg => self.read_write(inst),
            Shape::Store | Shape::NativeStore => {
                self.read(inst.d);
                self.read(inst.a);
            }
            Shape::Msize | Shape::Read | Shape::Addr => {
                self.write(inst.d);
            }
            Shape::Gget => {
                self.write(inst.d);
                step.run = if self.is_linked { outside::global_get } else { step.run };
            }
            Shape::Mcopy | Shape::Mfill => {
                for var in [inst.d, inst.a, inst.b] {
                    self.read(var);
                }
            }
            Shape::Gset => {
                self.read(inst.a);
                step.run = if self.is_linked { outside::global_set } else { step.run };
            }
            Shape::Print => {
                self.read(inst.a);
            }
            Shape::Jump | Shape::Branch => {
                if inst.op != Op::Jmp {
                    self.read(inst.a);
                }
                step.d = inst.b;
                self.jumps.push(self.steps.len() as u32);
            }
            Shape::Switch => {
                self.read(inst.a);
                let list = &self.body.lists[inst.b as usize..];
                step.b = self.lists.len() as u32;
                self.lists.extend_from_slice(&list[..list[0] as usize + 2]);
                self.switches.push(self.steps.len() as u32);
            }
            Shape::Call | Shape::CallImport | Shape::Calli => self.call_spasm(inst, &mut step),
            Shape::Ret => self.ret(inst, &mut step),
            Shape::CallExtern => {
                let signature = self.module.externs[inst.a as usize].signature;
                (step.d, step.b) = self.call_c(signature, inst.b as usize);
            }
            Shape::Callp => {
                self.read(inst.a);
                let signature = self.body.lists[inst.b as usize];
                (step.d, step.b) = self.call_c(signature, inst.b as usize + 1);
            }
            Shape::Custom => {
                let has_result = self.module.customs[inst.a as usize].op.result.is_some();
                let (args, _) = counted(&self.body.lists[inst.b as usize..]);
                step.b = self.lists.len() as u32;
                self.lists.push(args.len() as u32);
                for &arg in args {
                    let slot = self.read(arg);
                    self.lists.push(slot);
                }
                step.d = if has_result { self.write(inst.d) } else { self.unwanted() };
            }
            Shape::Halt | Shape::Trap => {}
        }
        self.step(at, step, inst.op, family);
    }

    fn read_write(&mut self, inst: &Inst) {
        self.read(inst.a);
        self.write(inst.d);
    }

    fn constant(&mut self, at: usize, inst: &Inst) {
        self.write(inst.d);
        self.known[inst.d as usize] = self.literals.len() as u32;
        let step = self.steps.len() as u32;
        self.literals.push(Literal { bits: inst.literal(), step, block: self.block });
        let run = run_of(Family::Plain, inst.op);
        self.step(at, Step { run, d: inst.d, a: inst.a, b: inst.b, c: 0 }, inst.op, Family::Plain);
        let var = self.body.vars[inst.d as usize];
        self.idle[step as usize] = var.has(Var::CONSTANT) || !var.has(Var::CROSSES);
    }

    fn drop_idle_steps(&mut self) {
        let mut kept = 0;
        let places = self.idle.iter().map(|&idle| {
            kept += u32::from(!idle);
            kept - u32::from(!idle)
        });
        // For each step, how many before it stay.
        let places: Vec<u32> = places.collect();
        let place = |step: &mut u32| *step = places[*step as usize];
        self.starts.iter_mut().for_each(place);
        self.jumps.iter_mut().for_each(place);
        self.switches.iter_mut().for_each(place);
        let mut idle = self.idle.iter();
        self.steps.retain(|_| idle.next() == Some(&false));
        let mut idle = self.idle.iter();
        self.origins.retain(|_| idle.next() == Some(&false));
    }

    /// The bytes from `step` to the first step of `block`.
    fn offset(&self, step: u32, block: u32) -> u32 {
        let target = self.starts[block as usize];
        assert!((target as usize) < self.steps.len(), "blocks are not empty");
        target.wrapping_sub(step).wrapping_mul(size_of::<Step>() as u32)
    }

    fn finish(mut self, function: u32) -> Code {
        for at in std::mem::take(&mut self.jumps) {
            self.steps[at as usize].d = self.offset(at, self.steps[at as usize].d);
        }
        for at in std::mem::take(&mut self.switches) {
            let list = self.steps[at as usize].b as usize;
            for k in list + 1..list + 2 + self.lists[list] as usize {
                self.lists[k] = self.offset(at, self.lists[k]);
            }
        }
        let last = self.body.insts.last().map(|inst| inst.op.row().shape);
        assert!(
            matches!(last, Some(Shape::Jump | Shape::Switch | Shape::Ret | Shape::Halt | Shape::Trap))
                && !self.steps.is_empty(),
            "a verified body does not run past its end"
        );
        let params = &self.body.signature.params;
        let locals = params.len() + 1..self.body.vars.len();
        let starts_as_zero = |&var: &usize| self.body.vars[var].has(Var::CROSSES) && self.first[var] != First::Written;
        let zeros: Box<[u32]> = locals.filter(starts_as_zero).map(|var| var as u32).collect();
        Code {
            function,
            params: params.len() as u32,
            zeros,
            keeps_args: self.body.has_arg,
            registers: self.unwanted() + 1,
            steps: self.steps.into(),
            origins: self.origins.into(),
            lists: self.lists.into(),
        }
    }
}
