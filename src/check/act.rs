//! The snippets that do what an instruction says, by their contracts: what they must read, what they write.
//!
//! Comes in: an instruction and the step that stands for it. Goes out: the state behind it and where control goes. What
//! must hold: an operand of the snippet holds the present value of the variable that the instruction names, or the
//! constant that the variable is; the result is a new value, in the place that the contract says and nowhere else.

use crate::check::decode::{Operand, Step};
use crate::check::defect::{place, register};
use crate::check::flow::Replay;
use crate::check::state::{Half, Name, State, Word};
use crate::check::transfer::literal;
use crate::isa::op::{Flag, Op, Row, Shape, Type};
use crate::isa::snippet::Role;
use crate::library::builtin::{FRAME, MEMORY};
use crate::module::Inst;

/// Where control goes behind an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// To the next instruction.
    Falls,
    /// To a block, or to the next instruction.
    Either(u32),
    /// To one of these blocks.
    To(Vec<u32>),
    /// Nowhere: the function or the program ends.
    Ends,
}

/// The type of a `select`, `gget`, `gset`, by the word behind the dot.
pub(super) fn suffix_type(row: &Row) -> Type {
    Type::NUMBERS.into_iter().find(|ty| ty.name() == row.suffix).unwrap_or(Type::I64)
}

/// True where a template of this name is one for the opcode.
pub(super) fn is_named(row: &Row, name: &str) -> bool {
    match name.strip_prefix(row.mnemonic) {
        Some("") => row.suffix.is_empty(),
        Some(rest) => rest.strip_prefix('.') == Some(row.suffix) && !row.suffix.is_empty(),
        None => false,
    }
}

impl Replay<'_> {
    /// Applies the step that does what instruction `index` says.
    pub(super) fn act(&self, state: &mut State, index: usize, step: &Step) -> Result<Next, String> {
        let inst = &self.body.insts[index];
        let row = inst.op.row();
        if let Some(fusion) = step.fused() {
            return self.fused(state, index, step, fusion);
        }
        let jumps = matches!(row.shape, Shape::Jump | Shape::Branch) && step.info.name == "jmp";
        let addresses = row.shape == Shape::Addr && matches!(step.info.name, "address" | "cell");
        if let Some(at) = self.shared.behind_cell(inst) {
            return self.through_cell(state, inst, step, at);
        }
        if !jumps && !addresses && row.shape != Shape::Custom && !is_named(row, step.info.name) {
            return Err(format!("`{}` neither does what the instruction says nor carries a value", step.info.name));
        }
        let next = match row.shape {
            Shape::Value => {
                match step.info.fusion {
                    Some(fusion) => self.on_constants(state, inst, step, fusion)?,
                    None => self.operands(state, inst, step)?,
                }
                self.define(state, step, inst.d, row.result.unwrap_or(Type::I64))?;
                Next::Falls
            }
            Shape::Select => self.select(state, inst, step)?,
            Shape::Load | Shape::Store => self.memory(state, inst, step)?,
            Shape::Msize => {
                self.define(state, step, inst.d, Type::I32)?;
                Next::Falls
            }
            Shape::Gget => {
                self.define(state, step, inst.d, suffix_type(row))?;
                Next::Falls
            }
            Shape::Gset => {
                self.holds(state, step, "a", inst.a, suffix_type(row))?;
                self.clobber(state, step);
                Next::Falls
            }
            Shape::Arg => self.arg(state, inst, step)?,
            Shape::Jump => Next::To(vec![self.target(step, "t", inst.b)?]),
            Shape::Branch => self.branch(state, inst, step)?,
            Shape::Switch => self.switch(state, inst, step)?,
            Shape::Call | Shape::Calli | Shape::CallImport => self.call(state, inst, step)?,
            Shape::Object => self.object(state, inst, step)?,
            Shape::Print | Shape::Read | Shape::Mgrow | Shape::Mcopy | Shape::Mfill => {
                self.helper(state, inst, step)?
            }
            Shape::Ret => self.ret(state, inst)?,
            Shape::NativeLoad | Shape::NativeStore => self.native(state, inst, step)?,
            Shape::CallExtern | Shape::Callp => self.call_c(state, inst, step)?,
            Shape::Addr => self.address_of(state, inst, step)?,
            Shape::Custom => self.custom(state, inst, step)?,
            Shape::Halt | Shape::Trap => Next::Ends,
            Shape::Const | Shape::Move => return Err("nothing is to be computed here".to_owned()),
        };
        Ok(next)
    }

    /// The sources of a `value` instruction.
    pub(super) fn operands(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<(), String> {
        let row = inst.op.row();
        let first = if step.named("a").is_some() { "a" } else { "d" };
        if row.args.len() == 1 {
            return self.holds(state, step, first, inst.a, row.args[0]);
        }
        if matches!(row.mnemonic, "shl" | "shr" | "shru" | "rotl" | "rotr") {
            self.holds(state, step, first, inst.a, row.args[0])?;
            return self.count(state, step, inst.b, row.args[1]);
        }
        let straight = self
            .holds(state, step, first, inst.a, row.args[0])
            .and_then(|()| self.holds(state, step, "b", inst.b, row.args[1]));
        match straight {
            Err(_) if row.has(Flag::Commutes) => self
                .holds(state, step, first, inst.b, row.args[1])
                .and_then(|()| self.holds(state, step, "b", inst.a, row.args[0]))
                .or(straight),
            result => result,
        }
    }

    /// A shift count: a constant is taken modulo the width.
    fn count(&self, state: &mut State, step: &Step, var: u32, ty: Type) -> Result<(), String> {
        let wanted = state.vars[var as usize].as_constant();
        if let (Operand::Constant(found), Some(wanted)) = (step.get("b")?, wanted) {
            let mask = if ty == Type::I32 { 31 } else { 63 };
            if (found ^ wanted) & mask == 0 {
                return Ok(());
            }
        }
        self.holds(state, step, "b", var, ty)
    }

    /// The value that an operand holds; literals have the width of `ty`.
    fn operand(&self, state: &mut State, operand: Operand, ty: Type) -> Result<Word, String> {
        match (operand, ty) {
            (Operand::Literal(_), Type::F32 | Type::I32) => {
                Ok(Word::constant(u64::from(u32::from_le_bytes(literal(self.image, operand)?))))
            }
            (Operand::Literal(_), _) => Ok(Word::constant(u64::from_le_bytes(literal(self.image, operand)?))),
            _ => state.read(operand),
        }
    }

    /// Makes sure that operand `name` holds variable `var`, as far as `ty` reads it.
    pub(super) fn holds(&self, state: &mut State, step: &Step, name: &str, var: u32, ty: Type) -> Result<(), String> {
        let wanted = state.vars[var as usize];
        let operand = step.get(name)?;
        let found = self.operand(state, operand, ty)?;
        let low = ty.is_narrow();
        let hi = low || found.hi == wanted.hi && found.hi != Half::Unknown;
        if found.lo == wanted.lo && found.lo != Half::Unknown && hi {
            return Ok(());
        }
        let mut held = state.describe(self.body, found);
        if held == self.body.var_name(var) {
            // Equal in name only: half of it.
            held = format!("another value of {held}");
        }
        Err(format!(
            "operand `{name}` must hold {}, but {} holds {held}; {0} {}",
            self.body.var_name(var),
            place(operand),
            state.whereabouts(wanted, low)
        ))
    }

    /// Gives variable `d` a new value, in the place where the snippet leaves it.
    pub(super) fn define(&self, state: &mut State, step: &Step, d: u32, ty: Type) -> Result<(), String> {
        let lo = state.fresh();
        let hi = if ty.is_narrow() { Half::Const(0) } else { state.fresh() };
        self.produce(state, step, d, Word { lo, hi }, ty)
    }

    fn produce(&self, state: &mut State, step: &Step, d: u32, word: Word, ty: Type) -> Result<(), String> {
        let index = step.named("d").ok_or("the snippet has no result")?;
        let operand = step.operands[index];
        if step.info.operands[index].role == Role::Early {
            let sources = step.info.operands.iter().zip(&step.operands);
            let mut sources = sources.filter(|(declared, _)| declared.role == Role::In);
            if let Some((declared, _)) = sources.find(|(_, source)| **source == operand) {
                let name = declared.name;
                return Err(format!("the result is written to {} before `{name}` has been read", place(operand)));
            }
        }
        let held = match (ty, operand) {
            (Type::F32, _) => word.low_only(),
            // A 32-bit write to memory leaves the upper half of the word alone.
            (Type::I32, Operand::Slot(_)) => Word { hi: state.read(operand)?.hi, ..word },
            _ => word,
        };
        self.clobber(state, step);
        state.write(operand, held)?;
        state.vars[d as usize] = word;
        Ok(())
    }

    /// Forgets what a snippet and its part out of line change beside their results.
    pub(super) fn clobber(&self, state: &mut State, step: &Step) {
        let cold = step.info.cold;
        let cold = (cold != 0).then(|| self.library.info(cold));
        for info in std::iter::once(step.info).chain(cold) {
            let all = u32::from(info.clobbers) | u32::from(info.xmm_clobbers) << 16;
            for (number, word) in state.regs.iter_mut().enumerate() {
                if all >> number & 1 != 0 && number != usize::from(FRAME) {
                    *word = Word::UNKNOWN;
                }
            }
        }
    }

    fn select(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let [yes, no] = [0, 1].map(|nth| self.body.lists[inst.b as usize + nth]);
        let ty = suffix_type(inst.op.row());
        self.holds(state, step, "d", yes, ty)?;
        self.holds(state, step, "c", inst.a, Type::I64)?;
        self.holds(state, step, "b", no, ty)?;
        let narrow = [yes, no].iter().all(|&var| state.vars[var as usize].hi == Half::Const(0));
        let lo = state.fresh();
        let hi = if narrow { Half::Const(0) } else { state.fresh() };
        self.produce(state, step, inst.d, Word { lo, hi }, ty)?;
        Ok(Next::Falls)
    }

    /// Makes sure that the address of the linear memory is where it always is.
    pub(super) fn memory_base(&self, state: &State) -> Result<(), String> {
        let base = state.regs[usize::from(MEMORY)];
        if base != Word::named(Name::Saved(MEMORY)) {
            let held = state.describe(self.body, base);
            let name = register(MEMORY);
            return Err(format!("{name} must hold the address of the linear memory, but holds {held}"));
        }
        Ok(())
    }

    fn memory(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        self.memory_base(state)?;
        self.address(state, inst, step)?;
        let row = inst.op.row();
        if row.shape == Shape::Load {
            self.define(state, step, inst.d, row.result.unwrap_or(Type::I64))?;
            return Ok(Next::Falls);
        }
        match (inst.op, step.get("b")?) {
            (Op::Mstore8 | Op::Mstore16, Operand::Constant(found)) => {
                let mask = if inst.op == Op::Mstore8 { 0xff } else { 0xffff };
                let wanted = state.vars[inst.d as usize].as_constant();
                if wanted.is_none_or(|wanted| (wanted ^ found) & mask != 0) {
                    let wanted = state.describe(self.body, state.vars[inst.d as usize]);
                    return Err(format!("{found:#x} is written instead of {wanted}"));
                }
            }
            (Op::Mstore8 | Op::Mstore16, _) => self.holds(state, step, "b", inst.d, Type::I32)?,
            _ => self.holds(state, step, "b", inst.d, row.args[0])?,
        }
        self.clobber(state, step);
        Ok(Next::Falls)
    }

    /// The address of an access to linear memory: register plus constant must be the zero-extended index plus offset.
    pub(super) fn address(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<(), String> {
        let index = state.vars[inst.a as usize];
        let held = state.read(step.get("a")?)?;
        let Operand::Constant(more) = step.get("o")? else { return Err("the offset is no constant".to_owned()) };
        let offset = u64::from(inst.b);
        let right = match (held.as_constant(), index.lo, held.lo) {
            (Some(base), Half::Const(index), _) => base.wrapping_add(more) == u64::from(index) + offset,
            (None, _, Half::Sum(sum, false)) => {
                let (base, constant) = state.sums[usize::from(sum)];
                base == index.lo && base != Half::Unknown && constant.wrapping_add(more) == offset
            }
            _ => held == index.low() && held.lo != Half::Unknown && more == offset,
        };
        if right {
            return Ok(());
        }
        let held = state.describe(self.body, held);
        let more = place(Operand::Constant(more));
        let wanted = self.body.var_name(inst.a);
        Err(format!("the address must be the low half of {wanted} plus {offset}, but is {held} plus {more}"))
    }

    /// The block to which operand `name` leads; it must be `block`.
    pub(super) fn target(&self, step: &Step, name: &str, block: u32) -> Result<u32, String> {
        let found = step.get(name)?;
        if found != Operand::Code(self.block_position(block)) {
            let line = self.body.blocks[block as usize].start;
            let wanted = self.block_position(block);
            return Err(format!("must lead to {wanted:#x}, instruction {line}, but leads to {}", place(found)));
        }
        Ok(block)
    }

    fn branch(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let target = self.target(step, "t", inst.b)?;
        if step.info.name == "jmp" {
            return match state.vars[inst.a as usize].as_constant() {
                Some(bits) if (bits != 0) == (inst.op == Op::Jmpt) => Ok(Next::To(vec![target])),
                _ => Err("jumps in any case, but the condition is not known to hold".to_owned()),
            };
        }
        self.holds(state, step, "a", inst.a, Type::I64)?;
        self.clobber(state, step);
        Ok(Next::Either(target))
    }

    fn switch(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let list = &self.body.lists[inst.b as usize..];
        let (cases, default) = list[1..].split_at(list[0] as usize);
        self.holds(state, step, "a", inst.a, Type::I64)?;
        self.target(step, "t", default[0])?;
        if step.get("b")? != Operand::Constant(cases.len() as u64) {
            let found = place(step.get("b")?);
            return Err(format!("the index is held against {found}, but there are {} cases", cases.len()));
        }
        let Operand::Literal(table) = step.get("l")? else { return Err("the table is no literal".to_owned()) };
        for (&block, at) in cases.iter().zip((table..).step_by(4)) {
            let entry = i32::from_le_bytes(literal(self.image, Operand::Literal(at))?);
            let wanted = self.block_position(block);
            if !self.decoded.pool.contains(&at) || table.wrapping_add_signed(entry) != wanted {
                let found = table.wrapping_add_signed(entry);
                return Err(format!("the entry at {at:#x} of the table leads to {found:#x} instead of {wanted:#x}"));
            }
        }
        self.clobber(state, step);
        Ok(Next::To(cases.iter().chain(&default[..1]).copied().collect()))
    }
}
