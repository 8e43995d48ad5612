//! What linked modules have: calls that leave the module, globals and memory that others reach as well, instructions on
//! tables and segments.
//!
//! Comes in: the state before the snippet that does it. Goes out: the state behind it. What must hold: behind whatever may
//! have been in another module, the register of the memory is unknown; what is read and written through a cell is what
//! the instruction names.

use crate::check::act::{Next, suffix_type};
use crate::check::calls::{after_call, value};
use crate::check::convention::{Passed, Place};
use crate::check::decode::{Operand, Step};
use crate::check::defect::{place, register};
use crate::check::flow::Replay;
use crate::check::state::{Half, Name, State, Word};
use crate::isa::op::{Op, Shape, Type};
use crate::library::builtin::{ARGS, CARGS, CINTS, MEMORY, RESULTS};
use crate::module::{Inst, Module};
use crate::stitch::image::{Helper, Symbol};

/// What a module shares with others.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// Whether it is a linked module: others may change the register of the memory.
    pub is_linked: bool,
    /// Whether its functions keep that register all the same.
    pub keeps_memory: bool,
    globals: Vec<bool>,
}

impl Shared {
    pub fn new(module: &Module) -> Shared {
        let is_linked = module.is_linked();
        let globals = if is_linked { module.shared_globals() } else { Vec::new() };
        Shared { is_linked, keeps_memory: !is_linked || module.memory.is_some(), globals }
    }

    /// What the cell holds by which the instruction reaches what others reach as well; none where it reaches nothing such.
    pub fn behind_cell(&self, inst: &Inst) -> Option<Name> {
        let shared = || self.globals.get(inst.b as usize).is_some_and(|&shared| shared);
        match inst.op.row().shape {
            Shape::Gget | Shape::Gset if shared() => Some(Name::Shared(inst.b)),
            Shape::Msize if self.is_linked => Some(Name::Pages),
            _ => None,
        }
    }

    /// What a snippet refers to that is no context: by its name and that of the operand. None where it is nothing of a
    /// linked module.
    pub fn symbol(&self, inst: &Inst, lists: &[u32], snippet: &str, operand: &str) -> Option<Symbol> {
        match (inst.op.row().shape, self.behind_cell(inst)) {
            (_, Some(Name::Shared(index))) => Some(Symbol::Shared(index)),
            (_, Some(_)) => Some(Symbol::PagesCell),
            (Shape::CallImport, _) if snippet == "cell" => Some(Symbol::Memory),
            (Shape::CallImport, _) => Some(Symbol::Import(inst.a)),
            (Shape::Calli, _) if inst.op != Op::CalliGrowing => None,
            (Shape::Calli, _) if snippet == "cell" => Some(Symbol::Memory),
            (Shape::Calli, _) if operand == "s" => Some(Symbol::Signature(lists[inst.b as usize])),
            (Shape::Calli, _) => Some(Symbol::Growing(inst.d)),
            (Shape::Object, _) => Helper::ALL
                .into_iter()
                .find(|helper| format!("{helper:?}") == format!("{:?}", inst.op))
                .map(Symbol::Helper),
            _ => None,
        }
    }
}

impl Replay<'_> {
    /// `gget`, `gset` and `msize` of what others reach as well.
    pub(super) fn through_cell(&self, state: &mut State, inst: &Inst, step: &Step, at: Name) -> Result<Next, String> {
        let row = inst.op.row();
        let ty = if row.shape == Shape::Msize { Type::I32 } else { suffix_type(row) };
        let verb = if row.shape == Shape::Gset { "store" } else { "load" };
        if step.info.name != format!("{verb}.{}", ty.name()) {
            return Err(format!("`{}` does not reach what others reach as well", step.info.name));
        }
        if state.read(step.get("a")?)? != Word::named(at) || step.get("o")? != Operand::Constant(0) {
            return Err("does not go by what the cell holds".to_owned());
        }
        if row.shape == Shape::Gset {
            self.holds(state, step, "b", inst.a, ty)?;
            self.clobber(state, step);
        } else {
            self.define(state, step, inst.d, ty)?;
        }
        Ok(Next::Falls)
    }

    /// What holds when control comes back from where it may have been in another module.
    pub(super) fn comes_back(&self, state: &mut State, inst: &Inst) {
        let outside = inst.op == Op::CalliGrowing || inst.op == Op::CallImport;
        if outside || !self.shared.keeps_memory {
            state.regs[usize::from(MEMORY)] = Word::UNKNOWN;
        }
    }

    /// An instruction on tables, elements or segments, or `ref`: a helper does it.
    pub(super) fn object(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let list = &self.body.lists[inst.b as usize..];
        let named = u64::from(list[0]) | u64::from(list[1]) << 32;
        let (results, rest) = list[3..].split_at(list[2] as usize);
        let args = &rest[1..=rest[0] as usize];
        for (k, (&var, &number)) in args.iter().zip(&CARGS).enumerate() {
            // The helper looks at the low 32 bits only.
            let (found, wanted) = (state.regs[usize::from(number)], state.vars[var as usize]);
            if found.lo != wanted.lo || found.lo == Half::Unknown {
                let passed = Passed { place: Place::Register(number), ty: Type::I32 };
                return Err(self.misplaced(state, ("argument", k, var), passed, Operand::Register(number), found));
            }
        }
        let numbers = CINTS[1 + CARGS.len()];
        for (number, wanted) in [(ARGS[0], Word::named(Name::Context)), (numbers, Word::constant(named))] {
            let found = state.regs[usize::from(number)];
            if found != wanted {
                let (wanted, held) = (state.describe(self.body, wanted), state.describe(self.body, found));
                return Err(format!("{} must hold {wanted}, but holds {held}", register(number)));
            }
        }
        self.ready(state)?;
        self.clobber(state, step);
        after_call(state, 0)?;
        if let [result] = *results {
            let word = Word { lo: state.fresh(), hi: state.fresh() };
            let word = value(Type::I32, word);
            state.regs[usize::from(RESULTS[0])] = word;
            state.vars[result as usize] = word;
        }
        Ok(Next::Falls)
    }

    /// The index of `calli` on a growing table.
    pub(super) fn growing(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<(), String> {
        self.holds(state, step, "a", inst.a, Type::I64)?;
        for name in ["t", "s"] {
            let operand = step.get(name)?;
            if !matches!(operand, Operand::Data(_)) {
                return Err(format!("`{name}` is {}, no cell", place(operand)));
            }
        }
        Ok(())
    }
}
