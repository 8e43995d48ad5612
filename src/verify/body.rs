//! The pass over one function's instructions.
//!
//! Comes in: an unchecked function. Goes out: its [`Body`], or problems. What must hold: every field that goes out was
//! checked here, fields that an instruction does not use are zero, and nothing is done twice however the lists
//! overlap.

use crate::isa::op::{Class, Op, Shape, Type};
use crate::module::{Function, Inst, Module, Reg, Signature};
use crate::verified::{Block, Body, Var};

use super::blocks::{Starts, count_loops};
use super::error::{Problem, Problems};
use super::messages::{bad_label, bad_register};
use super::plan::{PLANS, Plan, const_type};
use super::vars::{NONE, State, UNKNOWN, Vars, class_of};

/// What can be used again for the next function.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    starts: Starts,
    vars: Vars,
}

/// The pass over one function.
pub(super) struct Pass<'m> {
    pub(super) module: &'m Module,
    pub(super) function: &'m Function,
    /// What the program sees of the module's C signatures.
    pub(super) flat: &'m [Signature],
    pub(super) problems: &'m mut Problems,
    pub(super) vars: Vars,
    starts: &'m Starts,
    /// Instructions whose opcode waits for the class of the variable in field `d` or, for `print`, `a`.
    pending: Vec<u32>,
    /// Further arguments of C functions that must not turn out to be f32: the instruction, the operand, the variable.
    pub(super) variadic: Vec<(u32, u32, u32)>,
    blocks: Vec<Block>,
    pub(super) lists: Vec<u32>,
    has_arg: bool,
    pub(super) params: u32,
    /// The instruction at hand, its block, and where the next block starts.
    pub(super) at: u32,
    block: u32,
    next_start: u32,
}

/// Verifies the body of `function`, whose signature has been checked.
pub(super) fn verify<'m>(
    module: &'m Module,
    flat: &'m [Signature],
    function: &'m Function,
    scratch: &'m mut Scratch,
    problems: &'m mut Problems,
) -> Option<Body> {
    if !check_ends(function, problems) {
        return None;
    }
    let blocks = scratch.starts.find(function);
    let mut vars = std::mem::take(&mut scratch.vars);
    vars.clear();
    let given = |ty: &Type| State::given(ty.class(), ty.is_narrow());
    vars.states.extend(function.signature.params.iter().map(given));
    vars.states.push(State::given(Class::Int, true));
    let params = function.signature.params.len() as u32;
    let next_start = blocks.get(1).map_or(NONE, |b| b.start);
    let lists = Vec::with_capacity(function.lists.len());
    let mut pass = Pass {
        module,
        function,
        flat,
        problems,
        vars,
        starts: &scratch.starts,
        pending: Vec::new(),
        variadic: Vec::new(),
        blocks,
        lists,
        has_arg: false,
        params,
        at: 0,
        block: 0,
        next_start,
    };
    let mut insts = function.insts.clone();
    for inst in &mut insts {
        pass.step(inst);
    }
    let (body, vars) = pass.finish(insts);
    scratch.vars = vars;
    Some(body)
}

/// Refuses bodies that are empty, too long, or that control could run past the end of.
fn check_ends(function: &Function, problems: &mut Problems) -> bool {
    let n = function.insts.len();
    let problem = match function.insts.last() {
        _ if n >= (u32::MAX / 2) as usize => Problem::new("the function has too many instructions").line(function.line),
        None => Problem::new("the function has no instructions").line(function.line).help("end it with `ret`"),
        Some(last) if PLANS[last.op as usize].closes => return true,
        Some(_) => {
            let mut problem = Problem::new("control falls off the end of the function");
            problem.inst = Some(n as u32 - 1);
            problem
                .line(function.line_of(n - 1).unwrap_or(function.line))
                .help("end it with `ret`, `jmp`, `halt` or `trap`")
        }
    };
    problems.push(problem.function(&function.name));
    false
}

impl Pass<'_> {
    /// Verifies one instruction where it stands.
    #[inline(always)]
    fn step(&mut self, inst: &mut Inst) {
        if self.at == self.next_start {
            self.block += 1;
            self.next_start = self.blocks.get(self.block as usize + 1).map_or(NONE, |b| b.start);
        }
        let plan = &PLANS[inst.op as usize];
        if matches!(plan.shape, Shape::Value) {
            self.value(inst, plan);
        } else {
            self.other(inst, plan);
        }
        self.at += 1;
    }

    #[inline(always)]
    fn value(&mut self, inst: &mut Inst, plan: &Plan) {
        inst.a = self.read(inst.a, plan.a, 2);
        inst.b = if plan.two { self.read(inst.b, plan.b, 3) } else { 0 };
        inst.d = self.write(inst.d, plan.d, plan.narrow, 1);
    }

    fn other(&mut self, inst: &mut Inst, plan: &Plan) {
        if plan.settled {
            let name = inst.op.row().name();
            self.report(0, |_| Problem::new(format!("`{name}` stands only in verified code")));
            return;
        }
        match plan.shape {
            Shape::Value => self.value(inst, plan),
            Shape::Const => self.constant(inst, plan),
            Shape::Move => self.copy(inst),
            Shape::Select => self.select(inst),
            Shape::Load | Shape::Store | Shape::Msize | Shape::Mgrow | Shape::Mcopy | Shape::Mfill => {
                self.memory(inst, plan);
            }
            Shape::Gget | Shape::Gset => self.global(inst),
            Shape::Arg => {
                self.has_arg = true;
                inst.a = self.read(inst.a, Class::Int, 2);
                inst.d = self.write(inst.d, Class::Int, false, 1);
                inst.b = 0;
            }
            Shape::Jump => {
                (inst.d, inst.a) = (0, 0);
                inst.b = self.target(inst.b, 1);
            }
            Shape::Branch => {
                inst.d = 0;
                inst.a = self.read(inst.a, Class::Int, 1);
                inst.b = self.target(inst.b, 2);
            }
            Shape::Switch => self.switch(inst),
            Shape::Call => self.call(inst),
            Shape::Calli => self.calli(inst),
            Shape::Ret => self.ret(inst),
            Shape::Print => {
                inst.a = self.read_any(inst.a, 1);
                inst.op = self.settle(inst.op, inst.a);
                (inst.d, inst.b) = (0, 0);
            }
            Shape::Read => {
                inst.d = self.write_any(inst.d, false, 1);
                inst.op = self.settle(inst.op, inst.d);
                (inst.a, inst.b) = (0, 0);
            }
            Shape::NativeLoad | Shape::NativeStore => self.native_access(inst, plan),
            Shape::Addr => self.addr(inst),
            Shape::Object => self.object(inst),
            Shape::Callp => self.callp(inst),
            // The row is settled: only the verifier writes it.
            Shape::CallExtern | Shape::CallImport => {}
            Shape::Halt | Shape::Trap => (inst.d, inst.a, inst.b) = (0, 0, 0),
            Shape::Custom => self.custom(inst),
        }
    }

    fn constant(&mut self, inst: &mut Inst, plan: &Plan) {
        let bits = inst.literal();
        if const_type(inst.op).normalise(bits) != bits {
            self.report(2, |_| Problem::new(format!("the constant {bits:#x} does not fit 32 bits")));
        }
        inst.d = self.write(inst.d, plan.d, bits >> 32 == 0, 1);
        let state = &mut self.vars.states[inst.d as usize];
        if self.block == 0 && state.first_write == self.at && state.flags & Var::READ == 0 {
            state.flags |= Var::CONSTANT;
        }
    }

    fn copy(&mut self, inst: &mut Inst) {
        let a = self.read_any(inst.a, 2);
        let d = self.write_any(inst.d, true, 1);
        self.unify((d, 1), (a, 2));
        self.vars.copy(d, a);
        inst.op = self.settle(inst.op, d);
        (inst.d, inst.a, inst.b) = (d, a, 0);
    }

    fn memory(&mut self, inst: &mut Inst, plan: &Plan) {
        if self.module.memory.is_none() {
            let problem = || Problem::new("the module has no linear memory");
            self.report(0, |_| problem().help("add an item such as `memory 1`, which gives it one page of 64 KiB"));
        }
        match plan.shape {
            Shape::Load => {
                inst.a = self.read(inst.a, Class::Int, 2);
                inst.d = self.write(inst.d, plan.d, plan.narrow, 1);
            }
            Shape::Store => {
                inst.d = self.read(inst.d, plan.d, 1);
                inst.a = self.read(inst.a, Class::Int, 2);
            }
            Shape::Msize => {
                inst.d = self.write(inst.d, Class::Int, true, 1);
                (inst.a, inst.b) = (0, 0);
            }
            Shape::Mgrow => {
                inst.a = self.read(inst.a, Class::Int, 2);
                inst.d = self.write(inst.d, Class::Int, true, 1);
                inst.b = 0;
            }
            _ => {
                inst.d = self.read(inst.d, Class::Int, 1);
                inst.a = self.read(inst.a, Class::Int, 2);
                inst.b = self.read(inst.b, Class::Int, 3);
            }
        }
    }

    fn global(&mut self, inst: &mut Inst) {
        let reads = inst.op.row().shape == Shape::Gget;
        let Some(global) = self.module.globals.get(inst.b as usize) else {
            let number = inst.b;
            self.report(if reads { 2 } else { 1 }, |_| Problem::new(format!("there is no global number {number}")));
            return;
        };
        let (gget, gset) = match global.ty {
            Type::I32 | Type::Funcref | Type::Externref => (Op::GgetI32, Op::GsetI32),
            Type::I64 => (Op::GgetI64, Op::GsetI64),
            Type::F32 => (Op::GgetF32, Op::GsetF32),
            Type::F64 => (Op::GgetF64, Op::GsetF64),
        };
        if reads {
            inst.op = gget;
            inst.d = self.write(inst.d, global.ty.class(), global.ty.is_narrow(), 1);
            inst.a = 0;
        } else {
            inst.op = gset;
            self.writable(global);
            inst.a = self.read(inst.a, global.ty.class(), 2);
            inst.d = 0;
        }
    }

    /// The settled opcode for an instruction on `var`; the same one again where its class is still unknown.
    pub(super) fn settle(&mut self, op: Op, var: u32) -> Op {
        if self.vars.states[var as usize].class == UNKNOWN && self.vars.class(var).is_none() {
            self.pending.push(self.at);
            return op;
        }
        settled(op, class_of(self.vars.states[var as usize].class))
    }

    /// The block that a jump to `label` goes to.
    pub(super) fn target(&mut self, label: u32, operand: u32) -> u32 {
        let n = self.function.insts.len() as u32;
        let at = self.function.labels.get(label as usize).map_or(NONE, |l| l.at);
        if at >= n {
            self.report(operand, |pass| bad_label(pass.function, label));
            return 0;
        }
        let number = self.starts.block_at(at);
        let block = &mut self.blocks[number as usize];
        block.first_source = block.first_source.min(self.block);
        block.last_source = block.last_source.max(self.block);
        number
    }

    /// Reads a register of a given class.
    #[inline(always)]
    pub(super) fn read(&mut self, field: u32, class: Class, operand: u32) -> u32 {
        let var = self.read_any(field, operand);
        if self.vars.states[var as usize].class != class as u8 {
            self.retype(var, class as u8, operand);
        }
        var
    }

    #[inline(always)]
    pub(super) fn read_any(&mut self, field: u32, operand: u32) -> u32 {
        let mut var = self.var(field);
        let state = if let Some(state) = self.vars.states.get_mut(var as usize) {
            state
        } else {
            var = self.new_var(field, operand);
            &mut self.vars.states[var as usize]
        };
        state.flags |= if state.block == self.block { Var::READ } else { Var::READ | Var::CROSSES };
        var
    }

    /// Writes a register of a given class.
    #[inline(always)]
    pub(super) fn write(&mut self, field: u32, class: Class, narrow: bool, operand: u32) -> u32 {
        let var = self.write_any(field, narrow, operand);
        if self.vars.states[var as usize].class != class as u8 {
            self.retype(var, class as u8, operand);
        }
        var
    }

    #[inline(always)]
    pub(super) fn write_any(&mut self, field: u32, narrow: bool, operand: u32) -> u32 {
        let mut var = self.var(field);
        if field == 0 {
            self.write_count(operand);
        }
        let state = if let Some(state) = self.vars.states.get_mut(var as usize) {
            state
        } else {
            var = self.new_var(field, operand);
            &mut self.vars.states[var as usize]
        };
        state.first_write = state.first_write.min(self.at);
        state.flags &= if narrow { !Var::CONSTANT } else { !(Var::CONSTANT | Var::NARROW) };
        state.block = self.block;
        var
    }

    /// The number of the variable that a register field names, if it is a good one.
    #[inline(always)]
    fn var(&self, field: u32) -> u32 {
        if (field as i32) >= 0 {
            field.wrapping_add(self.params)
        } else if !field < self.params {
            !field
        } else {
            NONE
        }
    }

    /// Makes room for a local that was not named before; complains about what is none.
    #[cold]
    fn new_var(&mut self, field: u32, operand: u32) -> u32 {
        let params = self.params;
        match Reg::from_field(field) {
            Some(reg) if reg.number() > 0 => {
                let var = params + field;
                self.vars.grow(var as usize, params as usize + crate::module::MAX_LOCAL as usize + 1);
                var
            }
            reg => {
                self.report(operand, |pass| bad_register(pass.function, reg, field));
                params
            }
        }
    }

    #[inline]
    fn retype(&mut self, var: u32, class: u8, operand: u32) {
        let state = &mut self.vars.states[var as usize];
        if state.class == UNKNOWN && state.link == NONE {
            (state.class, state.link) = (class, self.at);
        } else {
            self.retype_slowly(var, class, operand);
        }
    }

    #[cold]
    fn retype_slowly(&mut self, var: u32, class: u8, operand: u32) {
        match self.vars.class(var) {
            None => self.vars.set_class(var, class, self.at),
            Some((known, _)) if known == class => {}
            Some((known, since)) => self.clash(var, (class, operand), (known, since)),
        }
    }

    /// Makes two variables one class.
    pub(super) fn unify(&mut self, d: (u32, u32), a: (u32, u32)) {
        match (self.vars.class(a.0), self.vars.class(d.0)) {
            (Some((class, _)), Some((known, _))) if class == known => {}
            // The one that this instruction itself has given a class is not the one to blame.
            (Some(known), Some((class, since))) if since == self.at => self.clash(a.0, (class, a.1), known),
            (Some((class, _)), Some(known)) => self.clash(d.0, (class, d.1), known),
            (Some((class, _)), None) => self.retype(d.0, class, d.1),
            (None, Some((class, _))) => self.retype(a.0, class, a.1),
            (None, None) => self.vars.join(d.0, a.0),
        }
    }

    /// Hands out the body, once all instructions are through, and what can be used again.
    fn finish(mut self, mut insts: Vec<Inst>) -> (Body, Vars) {
        let vars = self.vars.finish(self.params as usize + 1);
        for &at in &self.pending {
            let inst = &mut insts[at as usize];
            let var = if inst.op == Op::Print { inst.a } else { inst.d };
            inst.op = settled(inst.op, vars[var as usize].class);
        }
        for (at, operand, var) in std::mem::take(&mut self.variadic) {
            if vars[var as usize].class == Class::F32 {
                self.at = at;
                self.refuse_f32(operand);
            }
        }
        count_loops(&mut self.blocks);
        let signature = self.function.signature.clone();
        let Pass { lists, blocks, has_arg, .. } = self;
        (Body { signature, insts, lists, vars, blocks, has_arg }, self.vars)
    }
}

fn settled(op: Op, class: Class) -> Op {
    let [int, f32, f64] = match op {
        Op::Move => [Op::MoveI64, Op::MoveF32, Op::MoveF64],
        Op::Select => [Op::SelectI64, Op::SelectF32, Op::SelectF64],
        Op::Print => [Op::PrintI64, Op::PrintF32, Op::PrintF64],
        Op::Read => [Op::ReadI64, Op::ReadF32, Op::ReadF64],
        _ => [op; 3],
    };
    match class {
        Class::Int => int,
        Class::F32 => f32,
        Class::F64 => f64,
    }
}
