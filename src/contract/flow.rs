//! Follows the data through a snippet: what each instruction reads and writes, against what the template declares.
//!
//! Comes in: one snippet, decoded with a register of its own for each operand. Goes out: where bytes and declaration
//! disagree. What must hold: snippets jump forwards only, so one walk in the order of the instructions sees every path;
//! where paths meet, what is written on one of them counts as overwritten, and only what is written on all as defined.

use std::collections::HashMap;

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, OpAccess, Register, RflagsBits};

use super::access::{Access, Place, STACK, accesses, feature_name, place, place_name};
use super::{Instance, ORIGIN};
use crate::isa::extract::Extracted;
use crate::isa::snippet::{Features, Kind, MAX_REGS, Role};
use crate::isa::template::{Abi, Template, TemplateError, register_number};

/// The arithmetic flags.
const FLAGS: u32 = RflagsBits::OF | RflagsBits::SF | RflagsBits::ZF | RflagsBits::AF | RflagsBits::CF | RflagsBits::PF;

/// What is known where an instruction starts.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How many low bytes of each register were written on every path.
    defined: [u8; 32],
    /// The registers that were written on some path.
    written: u32,
    /// The flags that hold a result on every path.
    flags: u32,
}

impl State {
    fn meet(self, other: State) -> State {
        let mut defined = self.defined;
        for (a, b) in defined.iter_mut().zip(other.defined) {
            *a = (*a).min(b);
        }
        State { defined, written: self.written | other.written, flags: self.flags & other.flags }
    }
}

struct Flow<'a> {
    snippet: &'a Extracted,
    abi: &'a Abi,
    /// The operand that stands in each register.
    operands: HashMap<Place, usize>,
    /// Registers that keep a role of the frame.
    fixed: u32,
    clobbers: u32,
    changed: u32,
    flags_changed: bool,
    errors: Vec<TemplateError>,
}

/// Checks one snippet; `all` is where the hot part of an out-of-line part is looked for.
pub(super) fn check(snippet: &Extracted, all: &[Extracted], abi: &Abi) -> Vec<TemplateError> {
    let mut start = State::default();
    if let Some(name) = snippet.template.name.strip_suffix("/cold") {
        // The hot part has run up to its jump: what it has written by then is overwritten here too.
        let hot = all.iter().filter(|s| s.template.name == name && s.template.needs == snippet.template.needs);
        for hot in hot {
            start.written |= clobber_places(&hot.template);
        }
    }
    match run(snippet, abi, start) {
        Ok(errors) => errors,
        Err(error) => vec![error],
    }
}

fn clobber_places(template: &Template) -> u32 {
    u32::from(template.clobbers) | u32::from(template.xmm_clobbers) << 16
}

fn run(snippet: &Extracted, abi: &Abi, start: State) -> Result<Vec<TemplateError>, TemplateError> {
    let template = &snippet.template;
    let role = |name: &str| abi.role(name).and_then(register_number).map_or(0, |(n, vector)| 1 << place(n, vector));
    let uses_memory = template.body.iter().any(|(_, line)| line.contains("MEMORY"));
    let fixed = role("FRAME") | if uses_memory { role("MEMORY") } else { 0 };
    let (regs, operands) = separate(template, role("MEMORY") | role("FRAME"))?;
    let instance = Instance::new(snippet, regs)?;
    let clobbers = clobber_places(template);
    let mut flow =
        Flow { snippet, abi, operands, fixed, clobbers, changed: 0, flags_changed: false, errors: Vec::new() };
    flow.walk(&instance, start);
    flow.check_totals();
    flow.check_features(&instance);
    flow.errors.dedup();
    Ok(flow.errors)
}

/// The registers in the order in which they are given to operands: those that templates use for themselves come last.
const ORDER: [u8; 15] = [3, 5, 12, 14, 13, 6, 7, 8, 9, 10, 11, 15, 2, 1, 0];

/// Gives each register operand a register that nothing else in the template uses.
fn separate(t: &Template, roles: u32) -> Result<([u8; MAX_REGS], HashMap<Place, usize>), TemplateError> {
    let mut regs = [0; MAX_REGS];
    let mut operands = HashMap::new();
    let registers = t.operands.iter().enumerate().filter(|(_, o)| o.kind.is_register());
    for (nth, (number, operand)) in registers.enumerate() {
        let vector = operand.kind == Kind::Xmm;
        let free = |reg: &&u8| {
            let place = place(**reg, vector);
            operand.allowed & (1 << **reg) != 0
                && !operands.contains_key(&place)
                && (clobber_places(t) | roles) & (1 << place) == 0
        };
        let found = ORDER.iter().find(free).or_else(|| {
            // A call clobbers every vector register, and then no operand lives in one.
            ORDER.iter().find(|reg| operand.allowed & (1 << **reg) != 0)
        });
        let Some(&reg) = found else {
            return Err(
                t.error(format!("operand `{}` has no register left that the template does not use", operand.name))
            );
        };
        regs[nth] = reg;
        operands.insert(place(reg, vector), number);
    }
    Ok((regs, operands))
}

impl Flow<'_> {
    fn template(&self) -> &Template {
        &self.snippet.template
    }

    fn line(&self, nth: usize) -> u32 {
        let code = self.template().body.iter().filter(|(_, text)| !text.ends_with(':') && !text.starts_with("fault "));
        code.map(|(line, _)| *line).nth(nth).unwrap_or(self.template().line)
    }

    fn fail(&mut self, nth: usize, message: String) {
        let error = self.template().error_at(self.line(nth), message);
        self.errors.push(error);
    }

    /// Walks the instructions in their order; every jump inside the snippet goes forwards.
    fn walk(&mut self, instance: &Instance, start: State) {
        let end = ORIGIN + u64::from(self.snippet.len);
        let mut waiting: HashMap<u64, State> = HashMap::new();
        let mut current = Some(start);
        for (nth, instruction) in instance.instructions.iter().enumerate() {
            let arriving = waiting.remove(&instruction.ip());
            let Some(state) = merge(current, arriving) else {
                self.fail(nth, "is never reached".to_owned());
                return;
            };
            let next = self.step(nth, instruction, state);
            let target = instruction.near_branch_target();
            let flow = instruction.flow_control();
            if matches!(flow, FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch) {
                if (ORIGIN..=end).contains(&target) && target <= instruction.ip() {
                    self.fail(nth, "jumps backwards inside of the template".to_owned());
                } else if target <= end {
                    let meeting = merge(waiting.remove(&target), Some(next));
                    waiting.extend(meeting.map(|state| (target, state)));
                } else {
                    self.leave(nth, instance, target, next);
                }
            }
            current = match flow {
                FlowControl::Next | FlowControl::ConditionalBranch | FlowControl::Call | FlowControl::IndirectCall => {
                    Some(next)
                }
                _ => None,
            };
        }
        if let Some(state) = merge(current, waiting.remove(&end)) {
            self.finish(instance.instructions.len().saturating_sub(1), state);
        }
    }

    /// A jump out of the snippet: everything must be done by then, but for the way to the out-of-line part.
    fn leave(&mut self, nth: usize, instance: &Instance, target: u64, state: State) {
        let operand = instance.values.iter().position(|&value| value as u64 == target);
        let cold = operand.is_some_and(|n| self.template().operands[n].name == "cold");
        if !cold {
            self.finish(nth, state);
        }
    }

    fn finish(&mut self, nth: usize, state: State) {
        for (&place, &number) in &self.operands.clone() {
            let operand = self.template().operands[number].clone();
            if !matches!(operand.role, Role::Out | Role::Early) || state.defined[place] == 8 {
                continue;
            }
            let name = &operand.name;
            self.fail(
                nth,
                match state.defined[place] {
                    0 => format!("a path ends here that has not written the output `{name}`"),
                    bytes => format!("a path ends here that has written {bytes} bytes of the output `{name}` only"),
                },
            );
        }
    }

    fn step(&mut self, nth: usize, instruction: &Instruction, state: State) -> State {
        let mut next = state;
        let is_call = matches!(instruction.flow_control(), FlowControl::Call | FlowControl::IndirectCall);
        let balanced = is_call || instruction.flow_control() == FlowControl::Return;
        let accesses = accesses(instruction);
        for access in accesses.iter().filter(|access| access.reads != 0) {
            self.read(nth, access, &state);
        }
        for access in accesses.iter().filter(|access| access.writes != 0) {
            if access.place == STACK && balanced {
                continue;
            }
            self.write(nth, access.place, &state);
            next.written |= 1 << access.place;
            let known = &mut next.defined[access.place];
            // A 32-bit write clears the upper half.
            *known = if access.writes >= 4 { 8 } else { access.writes.max(*known) };
        }
        if is_call {
            for place in self.volatile() {
                self.write(nth, place, &state);
                next.written |= 1 << place;
                next.defined[place] = 8;
            }
        }
        self.memory(nth, instruction);
        next.flags = self.flags(nth, instruction, is_call, state.flags);
        next
    }

    /// The registers that a call changes.
    fn volatile(&self) -> Vec<Place> {
        let saved = self.abi.sets.iter().filter(|(name, _)| name == "saved").flat_map(|(_, registers)| registers);
        let saved: Vec<Place> =
            saved.filter_map(|r| register_number(r)).map(|(number, vector)| place(number, vector)).collect();
        (0..32).filter(|place| *place != STACK && !saved.contains(place)).collect()
    }

    fn read(&mut self, nth: usize, access: &Access, state: &State) {
        let place = access.place;
        let Some(&number) = self.operands.get(&place) else {
            let defined = state.defined[place] >= access.reads;
            if !defined && self.fixed & (1 << place) == 0 {
                self.fail(nth, format!("reads {}, which is no input and which it has not written", place_name(place)));
            }
            self.check_results_apart(nth, place, state);
            return;
        };
        let operand = self.template().operands[number].clone();
        let first = state.written & (1 << place) == 0 || state.defined[place] == 0;
        match operand.role {
            Role::Out | Role::Early => {
                if state.defined[place] < access.reads {
                    self.fail(nth, format!("reads the output `{}` before it is written", operand.name));
                }
            }
            Role::InOut if !first => {}
            _ => self.check_input_alive(nth, number, state),
        }
    }

    /// An input is read: no register that it may stand in may have been overwritten before.
    fn check_input_alive(&mut self, nth: usize, number: usize, state: &State) {
        let input = self.template().operands[number].clone();
        let vector = input.kind == Kind::Xmm;
        let may_stand = |p: Place| (p >= 16) == vector && input.allowed & (1 << (p % 16)) != 0;
        for p in (0..32).filter(|p| state.written & (1 << p) != 0) {
            let name = &input.name;
            match self.operands.get(&p).map(|&other| self.template().operands[other].clone()) {
                None if may_stand(p) => {
                    let register = place_name(p);
                    self.fail(
                        nth,
                        format!(
                            "operand `{name}` may stand in {register}, which is overwritten before `{name}` is read: \
                         write `{name}:{}-{register}`",
                            input.kind.name()
                        ),
                    );
                }
                Some(other)
                    if other.kind == input.kind
                        && other.name != *name
                        && other.role != Role::Early
                        // Of a declared opcode or a fusion, what takes a source's place has its register for itself.
                        && (other.role != Role::InOut || !self.is_apart())
                        && other.allowed & input.allowed != 0 =>
                {
                    self.fail(
                        nth,
                        format!(
                            "reads `{name}` after `{}` is written, which may be the same register: declare `early {}`",
                            other.name, other.name
                        ),
                    );
                }
                _ => {}
            }
        }
    }

    /// True where the stitcher gives a result that is read too a register that no other source has.
    fn is_apart(&self) -> bool {
        self.template().custom.is_some() || self.template().fusion().is_some()
    }

    /// The template's own register `place` is used: no result that is there already may stand in it.
    fn check_results_apart(&mut self, nth: usize, place: Place, state: &State) {
        if self.clobbers & (1 << place) == 0 {
            return;
        }
        for (&at, &number) in &self.operands.clone() {
            let operand = self.template().operands[number].clone();
            let result = matches!(operand.role, Role::Out | Role::Early | Role::InOut);
            let there = state.written & (1 << at) != 0;
            let same = (operand.kind == Kind::Xmm) == (place >= 16) && operand.allowed & (1 << (place % 16)) != 0;
            if result && there && same {
                let (name, register) = (&operand.name, place_name(place));
                self.fail(
                    nth,
                    format!(
                        "operand `{name}` may stand in {register}, which is used here after `{name}` is written: write \
                     `{name}:{}-{register}`",
                        operand.kind.name()
                    ),
                );
            }
        }
    }

    fn write(&mut self, nth: usize, place: Place, state: &State) {
        self.changed |= 1 << place;
        if let Some(&number) = self.operands.get(&place) {
            let operand = self.template().operands[number].clone();
            // A call changes every vector register, operands among them.
            if operand.role == Role::In && self.clobbers & (1 << place) == 0 {
                self.fail(nth, format!("overwrites `{}`, which is declared as an input", operand.name));
            }
            return;
        }
        if self.clobbers & (1 << place) == 0 {
            let register = place_name(place);
            self.fail(nth, format!("changes {register}, which is no output: add `clobber {register}`"));
        }
        self.check_results_apart(nth, place, state);
    }

    fn flags(&mut self, nth: usize, instruction: &Instruction, is_call: bool, known: u32) -> u32 {
        if instruction.rflags_read() & FLAGS & !known != 0 {
            self.fail(nth, "depends on flags that no instruction before it has set".to_owned());
        }
        let modified = if is_call { FLAGS } else { instruction.rflags_modified() & FLAGS };
        if modified != 0 {
            self.flags_changed = true;
            if !self.template().clobbers_flags {
                self.fail(nth, "changes the flags: add `clobber flags`".to_owned());
            }
        }
        let undefined = if is_call { FLAGS } else { instruction.rflags_undefined() & FLAGS };
        (known | modified) & !undefined
    }

    /// A slot that is written must be an output, one that is read an input.
    fn memory(&mut self, nth: usize, instruction: &Instruction) {
        let start = (instruction.ip() - ORIGIN) as usize;
        let inside = start..start + instruction.len();
        let mut factory = InstructionInfoFactory::new();
        let info = factory.info(instruction);
        let loads = self.template().fusion().and_then(|fusion| Some((fusion.first.row().name(), fusion.bytes_read()?)));
        for memory in info.used_memory().iter().filter(|memory| memory.base() != Register::RSP) {
            let same = |bytes| memory.memory_size().size() == bytes && memory.access() == OpAccess::Read;
            if let Some((name, bytes)) = loads.as_ref().filter(|(_, bytes)| !same(*bytes)) {
                self.fail(nth, format!("touches memory otherwise than `{name}`, which reads {bytes} bytes"));
            }
        }
        let access = info.used_memory().iter().find(|m| m.base() == Register::RSP && m.displacement() != 0);
        let Some(access) = access.map(iced_x86::UsedMemory::access) else { return };
        for hole in &self.snippet.holes {
            let operand = self.template().operands[usize::from(hole.operand)].clone();
            let slot = matches!(operand.kind, Kind::Slot8 | Kind::Slot32);
            if !slot || !inside.contains(&usize::from(hole.offset)) {
                continue;
            }
            let reads = !matches!(access, OpAccess::Write | OpAccess::CondWrite);
            let writes = !matches!(access, OpAccess::Read | OpAccess::CondRead);
            let declared = match operand.role {
                Role::In => (true, false),
                Role::Out | Role::Early => (false, true),
                _ => (true, true),
            };
            if (reads, writes) != declared {
                self.fail(nth, format!("uses the slot `{}` otherwise than it is declared", operand.name));
            }
        }
    }

    fn check_totals(&mut self) {
        let template = self.snippet.template.clone();
        for place in (0..32).filter(|place| self.clobbers & !self.changed & (1 << place) != 0) {
            let register = place_name(place);
            self.errors.push(template.error(format!("declares `clobber {register}` but never changes it")));
        }
        if template.clobbers_flags && !self.flags_changed {
            self.errors.push(template.error("declares `clobber flags` but never changes them"));
        }
    }

    fn check_features(&mut self, instance: &Instance) {
        let mut used = 0;
        for (nth, instruction) in instance.instructions.iter().enumerate() {
            for &feature in instruction.cpuid_features() {
                let name = match feature_name(feature) {
                    Ok(Some(name)) => name,
                    Ok(None) => continue,
                    Err(other) => {
                        self.fail(nth, format!("needs {other:?}, which no `needs` can name"));
                        continue;
                    }
                };
                let bit = Features::ALL.iter().find(|(n, _)| *n == name).map_or(0, |(_, bit)| *bit);
                used |= bit;
                if self.template().needs & bit == 0 {
                    self.fail(nth, format!("is an instruction of {name}: add `needs {name}`"));
                }
            }
        }
        for (name, bit) in Features::ALL {
            if self.template().needs & !used & bit != 0 {
                let error = self.template().error(format!("declares `needs {name}` but uses none of it"));
                self.errors.push(error);
            }
        }
    }
}

fn merge(a: Option<State>, b: Option<State>) -> Option<State> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.meet(b)),
        (a, b) => a.or(b),
    }
}
