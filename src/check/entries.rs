//! The entries for C: what each does between a caller of C and the function.
//!
//! Comes in: the image, and the events of the entries' copying. Goes out: the first defect. What must hold: every
//! argument is where the function takes it, as its type says, whatever C leaves in upper halves; every result is where C
//! takes it; what C keeps is kept.

use crate::check::bytes::{self, Byte};
use crate::check::c_convention::{Passing, Where, passing};
use crate::check::calls::{after_call, operand, value};
use crate::check::convention;
use crate::check::decode::{Operand, Step, decode_step};
use crate::check::defect::{Defect, place, register};
use crate::check::state::{Name, State, Word};
use crate::check::transfer::{Carried, Glue, carry};
use crate::isa::op::{Class, Type};
use crate::isa::snippet::{Fault, Kind};
use crate::library::Library;
use crate::library::builtin::{COUNT, MEMORY, RESULTS, SAVED};
use crate::module::native::{Abi, CSignature, CType};
use crate::module::{MAX_VARIADIC, Signature};
use crate::stitch::image::{EntryImage, Image, Relocation, SiteMeaning, Symbol, TrapSite};
use crate::stitch::trace::Trace;
use crate::verified::Verified;

/// The numbers of what is passed beside arguments.
const HIDDEN: Name = Name::Argument(u32::MAX);
const TOTAL: Name = Name::Argument(u32::MAX - 1);

/// Checks all entries.
pub(super) fn check(verified: &Verified, image: &Image, trace: &Trace, library: &Library) -> Result<(), Defect> {
    let whole = |message: &str| Defect::new(verified, 0, message);
    if trace.entries.len() != image.entries.len() {
        return Err(whole("the table of entries for C has another number of rows than there are"));
    }
    let mut end = image.functions.last().map_or(0, |function| function.end);
    for (nth, entry) in image.entries.iter().enumerate() {
        let number = entry.function as usize;
        if number >= verified.functions.len() || nth > 0 && image.entries[nth - 1].function >= entry.function {
            return Err(whole("the entries for C are not in the order of their functions"));
        }
        let fail = |message: String| Defect::new(verified, number, format!("its entry for C: {message}"));
        if entry.start % 16 != 0 || entry.start < end || entry.end as usize > image.code.len() {
            return Err(fail("overlaps what is before it, leaves the image, or is not aligned".to_owned()));
        }
        end = entry.end;
        let first = trace.entries[nth];
        let last = trace.entries.get(nth + 1).copied().unwrap_or_else(|| trace.entries_end());
        let mut steps = Vec::new();
        let mut at = entry.start;
        for (index, event) in trace.events.iter().enumerate().take(last).skip(first) {
            let (step, start) = (decode_step(image, library, index, event), event.start);
            if start != at || event.end > entry.end {
                return Err(fail(format!("event {index} does not follow the one before it")));
            }
            at = event.end;
            steps.push(step.map_err(|message| fail(format!("event {index}: {message}")))?);
        }
        let signature = &verified.functions[number].signature;
        let walk = Walk { verified, image, entry, signature, passing: passing(&prototype(signature), &[]) };
        walk.all(&steps).map_err(fail)?;
        walk.tables(&steps).map_err(fail)?;
    }
    Ok(())
}

/// The C prototype of a function: several results are a struct, the number of variadic arguments is an argument.
fn prototype(signature: &Signature) -> CSignature {
    let ty = |ty: Type| match (ty, ty.class()) {
        (Type::I32 | Type::Funcref | Type::Externref, _) => CType::I32,
        (_, Class::Int) => CType::I64,
        (_, Class::F32) => CType::F32,
        (_, Class::F64) => CType::F64,
    };
    let mut params: Vec<CType> = signature.params.iter().map(|&t| ty(t)).collect();
    if signature.variadic {
        params.push(CType::I64);
    }
    let results = signature.results.iter().map(|&t| ty(t)).collect();
    CSignature { abi: Abi::SysV, params, variadic: signature.variadic, results }
}

struct Walk<'a> {
    verified: &'a Verified,
    image: &'a Image,
    entry: &'a EntryImage,
    signature: &'a Signature,
    passing: Passing,
}

/// What is known beside the state.
#[derive(Default)]
struct Known {
    /// The variadic arguments on the stack have been copied.
    copied: bool,
    /// What the function gave, once it has been called.
    results: Option<Vec<Word>>,
    /// What has been written to the result's memory, byte by byte.
    written: Vec<Byte>,
}

impl Walk<'_> {
    /// The registers of C's that no named argument has used, in their order.
    fn unused(&self) -> Vec<u8> {
        let used = |number: u8| {
            let at = Where::Register(number);
            self.passing.hidden == Some(at) || self.passing.arguments.iter().any(|one| one.places[0] == at)
        };
        [7, 6, 2, 1, 8, 9].into_iter().filter(|&number| !used(number)).collect()
    }

    fn begin(&self) -> Result<State, String> {
        let mut state = State::new(0, self.passing.stack as usize);
        for register in SAVED {
            state.regs[usize::from(register)] = Word::named(Name::Saved(register));
        }
        for (one, k) in self.passing.arguments.iter().zip(0..) {
            let word = Word::named(Name::Argument(k));
            // Of four bytes C leaves what is above them to chance.
            let narrow = matches!(one.members[0].1, CType::I32 | CType::F32);
            let word = if narrow { word.low_only() } else { word };
            state.write(from_c(one.places[0]), word)?;
        }
        if let Some(at) = self.passing.hidden {
            state.write(from_c(at), Word::named(HIDDEN))?;
        }
        if self.signature.variadic {
            let first = self.signature.params.len() as u32 + 1;
            for (number, k) in self.unused().into_iter().zip(first..) {
                state.regs[usize::from(number)] = Word::named(Name::Argument(k));
            }
        }
        Ok(state)
    }

    fn all(&self, steps: &[Step]) -> Result<(), String> {
        let mut state = self.begin()?;
        let mut known = Known::default();
        let size: u32 = self.signature.results.iter().map(|_| 8).sum();
        known.written = vec![Byte::Unknown; size as usize];
        let Some((last, before)) = steps.split_last() else { return Err("is empty".to_owned()) };
        if before.first().is_none_or(|step| step.info.name != "landing") {
            return Err("does not begin with what marks a place that is called by its address".to_owned());
        }
        for step in &before[1..] {
            self.depth(&state, step)?;
            let fail = |message: String| format!("`{}` at {:#x}: {message}", step.info.name, step.start);
            self.step(&mut state, &mut known, step).map_err(fail)?;
        }
        self.depth(&state, last)?;
        match last.info.name {
            "ret" => self.returns(&mut state, &known),
            "entry.jump" => self.jumps(&mut state, last),
            other => Err(format!("ends with `{other}`")),
        }
    }

    fn step(&self, state: &mut State, known: &mut Known, step: &Step) -> Result<(), String> {
        match step.info.name {
            "cell" => {
                state.write(step.get("d")?, Word::named(Name::Memory))?;
            }
            "add.i64" => {
                let (d, fixed) = (step.get("d")?, self.signature.params.len() as u64);
                let count = Word::named(Name::Argument(fixed as u32));
                if state.read(d)? != count || step.get("b")? != Operand::Constant(fixed) {
                    return Err("is not the number of fixed arguments and that of the others".to_owned());
                }
                state.write(d, Word::named(TOTAL))?;
            }
            "entry.rest" => {
                self.rest(state, step)?;
                known.copied = true;
            }
            "call" => known.results = Some(self.calls(state, known, step)?),
            "store.i32" | "store.i64" => Walk::stores(state, known, step)?,
            _ => {
                if carry(state, step, self.image, Glue::C)? == Carried::Not {
                    return Err("does not belong here".to_owned());
                }
            }
        }
        Ok(())
    }

    fn rest(&self, state: &mut State, step: &Step) -> Result<(), String> {
        let fixed = self.signature.params.len() as i64;
        let in_registers = self.unused().len() as i64;
        if state.read(step.get("a")?)? != Word::named(Name::Argument(fixed as u32)) {
            return Err("does not go by the number of variadic arguments".to_owned());
        }
        let from = i64::from(state.depth()) + 8 + 8 * i64::from(self.passing.stack);
        let wanted = [
            ("b", Operand::Constant(in_registers as u64)),
            ("m", Operand::Constant((i64::from(MAX_VARIADIC) - fixed) as u64)),
            ("s", Operand::Slot(from)),
            ("t", Operand::Slot(8 * (fixed + in_registers))),
        ];
        for (name, wanted) in wanted {
            if step.get(name)? != wanted {
                return Err(format!("`{name}` must be {}, but is {}", place(wanted), place(step.get(name)?)));
            }
        }
        if i64::from(state.depth()) < 8 * i64::from(MAX_VARIADIC) {
            return Err("there is no room for all variadic arguments".to_owned());
        }
        for number in (0..16).filter(|number| step.info.clobbers >> number & 1 != 0) {
            state.regs[number] = Word::UNKNOWN;
        }
        Ok(())
    }

    /// The arguments as the function takes them, in words that start `above` the stack pointer.
    fn passed(&self, state: &mut State, above: i64) -> Result<u32, String> {
        let fixed = self.signature.params.len();
        let count = if self.signature.variadic { fixed + self.unused().len() } else { fixed };
        let arguments = convention::arguments(self.signature, count);
        for (k, &passed) in arguments.iter().enumerate() {
            // The number of the variadic ones stands between the two kinds in C.
            let name = if k < fixed { k } else { k + 1 };
            let (at, wanted) = (operand(passed, above), Word::named(Name::Argument(name as u32)));
            let found = state.read(at)?;
            if !passed.is(found, wanted) {
                return Err(format!("argument {} must be in {}", k + 1, place(at)));
            }
        }
        if self.signature.variadic {
            let total = if fixed == 0 { Name::Argument(0) } else { TOTAL };
            if state.regs[usize::from(COUNT)] != Word::named(total) {
                return Err(format!("{} must hold the number of all arguments", register(COUNT)));
            }
        }
        Ok(convention::stacked(&arguments))
    }

    fn memory(&self) -> bool {
        self.verified.module().memory.is_some()
    }

    /// Whether functions change the register of the memory, be it for their own or because others may.
    fn changes_memory(&self) -> bool {
        self.memory() || self.verified.module().is_linked()
    }

    fn leads(&self, step: &Step) -> Result<(), String> {
        let wanted = Operand::Code(self.image.functions[self.entry.function as usize].entry);
        let found = step.get("t")?;
        if found == wanted { Ok(()) } else { Err(format!("leads to {}, not to the function", place(found))) }
    }

    fn calls(&self, state: &mut State, known: &Known, step: &Step) -> Result<Vec<Word>, String> {
        self.leads(step)?;
        if known.results.is_some() || self.signature.variadic && !known.copied {
            return Err("is called twice, or without all of its arguments".to_owned());
        }
        if !(state.depth() + 8).is_multiple_of(16) {
            return Err("the stack is not aligned to 16 bytes".to_owned());
        }
        if self.memory() && state.regs[usize::from(MEMORY)] != Word::named(Name::Memory) {
            return Err(format!("{} does not hold the address of the linear memory", register(MEMORY)));
        }
        let stacked = self.passed(state, 0)?;
        let returned = convention::results(self.signature, stacked);
        after_call(state, stacked + convention::stacked(&returned))?;
        if self.changes_memory() {
            state.regs[usize::from(MEMORY)] = Word::UNKNOWN;
        }
        let mut results = Vec::new();
        for passed in returned {
            let word = Word { lo: state.fresh(), hi: state.fresh() };
            let word = value(passed.ty, word);
            state.write(operand(passed, 0), passed.image(word))?;
            results.push(word);
        }
        Ok(results)
    }

    fn stores(state: &mut State, known: &mut Known, step: &Step) -> Result<(), String> {
        if state.read(step.get("a")?)? != Word::named(HIDDEN) {
            return Err("writes elsewhere than to the room for the result".to_owned());
        }
        let Operand::Constant(at) = step.get("o")? else { return Err("the offset is no constant".to_owned()) };
        let word = state.read(step.get("b")?)?;
        let found = bytes::bytes(state, word);
        let size = if step.info.name == "store.i32" { 4 } else { 8 };
        let room = known.written.get_mut(at as usize..).and_then(|room| room.get_mut(..size));
        room.ok_or("writes beyond the room for the result")?.copy_from_slice(&found[..size]);
        Ok(())
    }

    fn returns(&self, state: &mut State, known: &Known) -> Result<(), String> {
        if state.own != [Word::named(Name::Return)] {
            return Err(format!("the stack pointer is {} bytes below the return address", state.depth()));
        }
        for number in SAVED {
            if state.regs[usize::from(number)] != Word::named(Name::Saved(number)) {
                return Err(format!("{} must hold what it held at the entry", register(number)));
            }
        }
        let results = known.results.as_ref().ok_or("never calls the function")?;
        if self.passing.hidden.is_some() && state.regs[usize::from(RESULTS[0])] != Word::named(HIDDEN) {
            return Err("must give the address of the result's room back".to_owned());
        }
        for one in &self.passing.results {
            for (k, ty, at) in &one.members {
                let wanted = bytes::bytes(state, results[*k]);
                let found: Vec<Byte> = match one.places[0] {
                    Where::Behind(_, nth) => known.written[8 * nth as usize..][..8].to_vec(),
                    at => {
                        let word = state.read(from_c(at))?;
                        bytes::bytes(state, word).to_vec()
                    }
                };
                let right = (0..ty.size() as usize).all(|n| found[at + n] == wanted[n] && wanted[n] != Byte::Unknown);
                if !right {
                    return Err(format!("result {} is not where C takes it", k + 1));
                }
            }
        }
        Ok(())
    }

    /// The function returns to C itself.
    fn jumps(&self, state: &mut State, step: &Step) -> Result<(), String> {
        self.leads(step)?;
        if state.own != [Word::named(Name::Return)] || self.changes_memory() || self.signature.variadic {
            return Err("jumps to a function that it has to call".to_owned());
        }
        let stacked = self.passed(state, 8)?;
        let returned = convention::results(self.signature, stacked);
        let same = returned.len() == self.passing.results.len()
            && returned.iter().zip(&self.passing.results).all(|(passed, one)| {
                one.members.len() == 1
                    && matches!(operand(*passed, 8), Operand::Register(_))
                    && operand(*passed, 8) == from_c(one.places[0])
            });
        if same { Ok(()) } else { Err("the function does not give its results where C takes them".to_owned()) }
    }

    /// The unwind rows and the saved registers.
    fn depth(&self, state: &State, step: &Step) -> Result<(), String> {
        let depth = state.depth();
        for at in step.start..step.end {
            if self.image.depth(at) != Some(depth) {
                return Err(format!("at {at:#x} the stack is {depth} bytes deep, but the unwind rows say otherwise"));
            }
        }
        let saved = (0..16u8).filter(|number| self.entry.saved >> number & 1 != 0);
        for (number, word) in saved.zip(state.own.iter().skip(1)) {
            if *word != Word::named(Name::Saved(number)) {
                return Err(format!("{} is said to be saved, but is not", register(number)));
            }
        }
        Ok(())
    }

    /// Trap sites and references.
    fn tables(&self, steps: &[Step]) -> Result<(), String> {
        let inside = |at: u32| (self.entry.start..self.entry.end).contains(&at);
        let mut sites = Vec::new();
        let mut references = Vec::new();
        for step in steps {
            for site in step.info.sites {
                let Fault::Trap(kind) = site.fault else { return Err("divides".to_owned()) };
                let offset = step.base.wrapping_add(u32::from(site.offset)).max(step.start);
                sites.push(TrapSite { offset, meaning: SiteMeaning::Trap(kind) });
            }
            for hole in step.info.holes {
                if step.info.operands[usize::from(hole.operand)].kind == Kind::Data {
                    let (offset, addend) = (step.hole(*hole), i32::from(hole.addend));
                    references.push(Relocation { offset, symbol: Symbol::Memory, addend });
                }
            }
        }
        let found_sites = self.image.sites.iter().filter(|site| inside(site.offset));
        let found = self.image.relocations.iter().filter(|reference| inside(reference.offset));
        if !found_sites.eq(&sites) || !found.eq(&references) {
            return Err("its trap sites or references are not what its snippets ask for".to_owned());
        }
        Ok(())
    }
}

/// A place of C's, seen from the entry before anything is on the stack.
fn from_c(at: Where) -> Operand {
    match at {
        Where::Register(number) => Operand::Register(number),
        Where::Stack(index) | Where::Behind(_, index) => Operand::Slot(8 + 8 * i64::from(index)),
    }
}
