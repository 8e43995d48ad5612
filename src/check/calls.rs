//! Calls, returns, and the entry of a function.
//!
//! Comes in: the state at a call or a return. Goes out: the state behind it. What must hold: what one side of a call
//! relies on is what the other side is checked for.

use crate::check::act::{Next, suffix_type};
use crate::check::convention::{self, Passed, Place};
use crate::check::decode::{Operand, Step};
use crate::check::defect::{place, register};
use crate::check::flow::Replay;
use crate::check::state::{Half, Name, State, Word};
use crate::isa::op::{Class, Op, Shape, Type};
use crate::library::builtin::{ARGS, CARGS, COUNT, FARGS, FRAME, MEMORY, RESULTS, SAVED};
use crate::module::{Inst, Signature};

/// What a variable of this type holds where its halves are these.
pub(super) fn value(ty: Type, word: Word) -> Word {
    if ty.is_narrow() { word.low() } else { word }
}

/// The operand that stands for a place, seen from a stack pointer `above` bytes below the words of the call.
pub(super) fn operand(passed: Passed, above: i64) -> Operand {
    match passed.place {
        Place::Register(number) => Operand::Register(number),
        Place::Stack(index) => Operand::Slot(above + 8 * i64::from(index)),
    }
}

impl Replay<'_> {
    /// What holds when the function is entered.
    pub(super) fn at_entry(&self) -> Result<State, String> {
        let signature = &self.body.signature;
        let params = signature.params.len();
        let arguments = convention::arguments(signature, params);
        let results = convention::results(signature, convention::stacked(&arguments));
        let above = convention::stacked(&arguments) + convention::stacked(&results);
        let mut state = State::new(self.body.vars.len(), above as usize);
        state.vars[params..].fill(Word::constant(0));
        for register in SAVED {
            state.regs[usize::from(register)] = Word::named(Name::Saved(register));
        }
        for (passed, k) in arguments.into_iter().zip(0..) {
            let word = value(passed.ty, Word::named(Name::Argument(k)));
            state.vars[k as usize] = word;
            state.write(operand(passed, 8), passed.image(word))?;
        }
        state.vars[params] = Word::constant(params as u64);
        if signature.variadic {
            let count = Word { lo: state.fresh(), hi: Half::Const(0) };
            state.vars[params] = count;
            state.regs[usize::from(COUNT)] = count;
        }
        state.settle();
        Ok(state)
    }

    /// `arg`: whatever the index, the arguments must stand in a row as they were passed.
    pub(super) fn arg(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let params = &self.body.signature.params;
        self.holds(state, step, "a", inst.a, Type::I64)?;
        self.holds(state, step, "b", self.body.count_var(), Type::I64)?;
        let Operand::Slot(first) = step.get("o")? else { return Err("the arguments are in no frame".to_owned()) };
        if self.body.signature.variadic && first != i64::from(state.depth()) + 8 {
            return Err(format!("{} is not the first of the arguments", place(Operand::Slot(first))));
        }
        for (k, &ty) in (0..).zip(params) {
            let at = Operand::Slot(first + 8 * i64::from(k));
            let (wanted, found) = (value(ty, Word::named(Name::Argument(k))), state.read(at)?);
            if found != wanted {
                let held = state.describe(self.body, found);
                return Err(format!("{} must hold argument {} as it was passed, but holds {held}", place(at), k + 1));
            }
        }
        self.define(state, step, inst.d, Type::I64)?;
        Ok(Next::Falls)
    }

    /// `call` and `calli`, but for calls of C.
    pub(super) fn call(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let indirect = inst.op.row().shape == Shape::Calli;
        let list = &self.body.lists[inst.b as usize..];
        let signature = if indirect {
            &self.verified.module().signatures[list[0] as usize]
        } else if inst.op == Op::CallImport {
            &self.verified.module().imports[inst.a as usize].signature
        } else {
            &self.verified.functions[inst.a as usize].signature
        };
        let list = &list[usize::from(indirect)..];
        let (results, list) = list[1..].split_at(list[0] as usize);
        let args = &list[1..=list[0] as usize];
        match inst.op {
            Op::Calli => self.indirect(state, inst, step)?,
            Op::CalliGrowing => self.growing(state, inst, step)?,
            // Which import it is, is for the tables of references to say.
            Op::CallImport => {}
            _ => self.direct(inst, step)?,
        }
        let arguments = convention::arguments(signature, args.len());
        self.passed(state, signature, &arguments, args)?;
        if inst.op == Op::CalliGrowing {
            // The index has taken the register of the memory, which whoever is called fills anew.
            Self::aligned(state)?;
        } else {
            self.ready(state)?;
        }
        let stacked = convention::stacked(&arguments);
        let returned = convention::results(signature, stacked);
        self.clobber(state, step);
        after_call(state, stacked + convention::stacked(&returned))?;
        self.comes_back(state, inst);
        for (k, passed) in returned.into_iter().enumerate() {
            let word = Word { lo: state.fresh(), hi: state.fresh() };
            let word = value(passed.ty, word);
            state.write(operand(passed, 0), passed.image(word))?;
            if let Some(&var) = results.get(k) {
                state.vars[var as usize] = word;
            }
        }
        Ok(Next::Falls)
    }

    fn direct(&self, inst: &Inst, step: &Step) -> Result<(), String> {
        let entry = self.image.functions[inst.a as usize].entry;
        let found = step.get("t")?;
        if found == Operand::Code(entry) {
            return Ok(());
        }
        let name = &self.verified.module().functions[inst.a as usize].name;
        Err(format!("must call `{name}` at {entry:#x}, but calls {}", place(found)))
    }

    fn indirect(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<(), String> {
        self.holds(state, step, "a", inst.a, Type::I64)?;
        let module = self.verified.module();
        let length = module.tables[inst.d as usize].functions.len() as u64;
        let signature = &module.signatures[self.body.lists[inst.b as usize] as usize];
        let equal = self.verified.functions.iter().position(|body| body.signature == *signature);
        // The entries of tables hold the number of the first function of the same signature; no entry has all ones.
        let number = equal.map_or(-1i64, |index| index as i64) as u64;
        for (name, wanted, what) in [("b", length, "length of the table"), ("s", number, "number of the signature")] {
            if step.get(name)? != Operand::Constant(wanted) {
                return Err(format!("the {what} is {}, not {}", wanted as i64, place(step.get(name)?)));
            }
        }
        Ok(())
    }

    /// Makes sure that the arguments stand where the callee takes them.
    fn passed(
        &self,
        state: &mut State,
        signature: &Signature,
        arguments: &[Passed],
        args: &[u32],
    ) -> Result<(), String> {
        for (k, (&passed, &var)) in arguments.iter().zip(args).enumerate() {
            let at = operand(passed, 0);
            if matches!(at, Operand::Slot(distance) if distance >= i64::from(state.depth())) {
                return Err(format!("argument {} goes to {}, beyond the frame", k + 1, place(at)));
            }
            let (found, wanted) = (state.read(at)?, state.vars[var as usize]);
            if !passed.is(found, wanted) {
                return Err(self.misplaced(state, ("argument", k, var), passed, at, found));
            }
        }
        let count = state.regs[usize::from(COUNT)];
        if signature.variadic && count != Word::constant(args.len() as u64) {
            let (name, held) = (register(COUNT), state.describe(self.body, count));
            return Err(format!("{name} must hold the number of arguments, {}, but holds {held}", args.len()));
        }
        Ok(())
    }

    pub(super) fn misplaced(
        &self,
        state: &State,
        (what, k, var): (&str, usize, u32),
        passed: Passed,
        at: Operand,
        found: Word,
    ) -> String {
        let (name, held) = (self.body.var_name(var), state.describe(self.body, found));
        let word = state.vars[var as usize];
        let low = passed.ty.is_narrow();
        let extended = if passed.image(word).hi == Half::Const(0) && low { ", zero-extended" } else { "" };
        let whereabouts = state.whereabouts(word, low);
        let (place, ty, number) = (place(at), passed.ty.name(), k + 1);
        format!(
            "{what} {number}, {name} as {ty}{extended}, must be in {place}, which holds {held}; {name} {whereabouts}"
        )
    }

    /// What holds at every call: the stack is aligned, and pinned registers hold what they must.
    pub(super) fn ready(&self, state: &State) -> Result<(), String> {
        Self::aligned(state)?;
        let pinned = self.verified.module().memory.is_some();
        if pinned && state.regs[usize::from(MEMORY)] != Word::named(Name::Saved(MEMORY)) {
            return Err(format!("{} no longer holds the address of the linear memory", register(MEMORY)));
        }
        Ok(())
    }

    fn aligned(state: &State) -> Result<(), String> {
        if !(state.depth() + 8).is_multiple_of(16) {
            return Err(format!("the stack is not aligned to 16 bytes: {} up to the return address", state.depth()));
        }
        Ok(())
    }

    /// The instructions that helpers of the runtime do, called by the C convention.
    pub(super) fn helper(&self, state: &mut State, inst: &Inst, step: &Step) -> Result<Next, String> {
        let row = inst.op.row();
        let ty = suffix_type(row);
        let args: Vec<(u32, Type)> = match row.shape {
            Shape::Print => vec![(inst.a, ty)],
            Shape::Mgrow => vec![(inst.a, Type::I32)],
            Shape::Mcopy | Shape::Mfill => [inst.d, inst.a, inst.b].map(|var| (var, Type::I32)).to_vec(),
            _ => Vec::new(),
        };
        for (k, (var, ty)) in args.into_iter().enumerate() {
            let number = if ty.class() == Class::Int { CARGS[k] } else { FARGS[0] + 16 };
            // A C function looks at the low 32 bits of a 32-bit argument only.
            let passed = Passed { place: Place::Register(number), ty };
            let found = state.regs[usize::from(number)];
            let wanted = state.vars[var as usize];
            let low = ty.is_narrow() && found.lo == wanted.lo && found.lo != Half::Unknown;
            if !low && !passed.is(found, wanted) {
                return Err(self.misplaced(state, ("argument", k, var), passed, Operand::Register(number), found));
            }
        }
        let context = state.regs[usize::from(ARGS[0])];
        if context != Word::named(Name::Context) {
            let (name, held) = (register(ARGS[0]), state.describe(self.body, context));
            return Err(format!("{name} must hold the address of the instance's data, but holds {held}"));
        }
        self.ready(state)?;
        self.clobber(state, step);
        after_call(state, 0)?;
        if matches!(row.shape, Shape::Read | Shape::Mgrow) {
            let ty = if row.shape == Shape::Mgrow { Type::I32 } else { ty };
            let word = Word { lo: state.fresh(), hi: state.fresh() };
            let word = value(ty, word);
            state.regs[usize::from(RESULTS[0])] = word;
            state.vars[inst.d as usize] = word;
        }
        Ok(Next::Falls)
    }

    /// `ret`, at its last snippet: the frame is gone, the results are in place, saved registers are what they were.
    pub(super) fn ret(&self, state: &mut State, inst: &Inst) -> Result<Next, String> {
        if state.own != [Word::named(Name::Return)] {
            return Err(format!("the stack pointer is {} bytes below the return address", state.depth()));
        }
        let signature = &self.body.signature;
        let stacked = convention::stacked(&convention::arguments(signature, signature.params.len()));
        let list = &self.body.lists[inst.b as usize..];
        let values = &list[1..=list[0] as usize];
        for (k, (passed, &var)) in convention::results(signature, stacked).into_iter().zip(values).enumerate() {
            let at = operand(passed, 8);
            let found = state.read(at)?;
            if !passed.is(found, state.vars[var as usize]) {
                return Err(self.misplaced(state, ("result", k, var), passed, at, found));
            }
        }
        for number in SAVED.into_iter().filter(|&number| number != MEMORY || self.shared.keeps_memory) {
            let found = state.regs[usize::from(number)];
            if found != Word::named(Name::Saved(number)) {
                let held = state.describe(self.body, found);
                return Err(format!("{} must hold what it held at the entry, but holds {held}", register(number)));
            }
        }
        Ok(Next::Ends)
    }
}

/// What a call leaves: saved registers, and the frame above the words that belonged to the callee.
pub(super) fn after_call(state: &mut State, words: u32) -> Result<(), String> {
    for (number, word) in (0u8..).zip(&mut state.regs) {
        if !SAVED.contains(&number) && number != FRAME {
            *word = Word::UNKNOWN;
        }
    }
    for index in 0..i64::from(words) {
        let at = Operand::Slot(8 * index);
        if 8 * index >= i64::from(state.depth()) {
            return Err(format!("the callee writes {}, beyond the frame", place(at)));
        }
        state.write(at, Word::UNKNOWN)?;
    }
    Ok(())
}
