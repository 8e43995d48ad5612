//! A template with its registers, slots and constants settled: how its operands are set, and its result read.
//!
//! Comes in: a contract of the library and an assignment. Goes out: code, and the places of the operands. What must
//! hold: slots and constants are different for every operand, so that one taken for another is found out.

use crate::isa::custom::SOURCES;
use crate::isa::op::Op;
use crate::isa::patch::patch;
use crate::isa::snippet::{Info, Kind, Operand, Role};
use crate::library::Library;

use super::machine::{Machine, State};
use super::values::Noise;

/// A template in one form.
pub struct Form<'l> {
    library: &'l Library,
    pub info: &'static Info,
    regs: [u8; 3],
    /// Which source is a constant, and which.
    immediate: Option<(usize, u64)>,
    /// For branches: whether one is taken where the comparison holds.
    branches_if: Option<bool>,
}

/// Assignments of registers: first one where every operand has its own, then scratch registers and shared ones.
pub fn registers(info: &Info, noise: &mut Noise) -> Vec<[u8; 3]> {
    let operands: Vec<&Operand> = info.operands.iter().filter(|o| o.kind.is_register()).collect();
    let mut all = Vec::new();
    let plain = [[3, 6, 9], [8, 9, 3], [12, 13, 5]];
    let scratch = [[1, 1, 2], [1, 2, 1], [2, 1, 2], [15, 15, 14], [15, 14, 15], [14, 15, 15], [1, 1, 1], [9, 9, 9]];
    let shared = [[6, 6, 7], [6, 7, 6], [7, 6, 6], [7, 7, 7], [0, 0, 0], [13, 0, 13], [0, 13, 0], [12, 12, 3]];
    let random = (0..20).map(|_| [0; 3].map(|_: u8| noise.below(16) as u8)).collect::<Vec<_>>();
    for regs in plain.into_iter().chain(scratch).chain(shared).chain(random) {
        let mut regs: [u8; 3] = regs;
        regs.iter_mut().skip(operands.len()).for_each(|reg| *reg = 0);
        let allowed = operands.iter().zip(regs).all(|(operand, reg)| operand.allowed & (1 << reg) != 0);
        let distinct = |a: usize, b: usize| operands[a].kind != operands[b].kind || regs[a] != regs[b];
        let early = (0..operands.len())
            .all(|d| operands[d].role != Role::Early || (0..operands.len()).all(|o| o == d || distinct(o, d)));
        if allowed && early && !all.contains(&regs) {
            all.push(regs);
        }
    }
    all
}

/// Fills the frame's slots with noise.
pub fn frame_noise(machine: &mut Machine, noise: &mut Noise) {
    (24..0x400).step_by(8).for_each(|distance| machine.set_slot(distance, noise.next()));
}

impl<'l> Form<'l> {
    /// A form of `info`.
    pub fn new(
        library: &'l Library,
        info: &'static Info,
        regs: [u8; 3],
        immediate: Option<(usize, u64)>,
        branches_if: Option<bool>,
    ) -> Form<'l> {
        Form { library, info, regs, immediate, branches_if }
    }

    fn operand(&self, name: &str) -> Option<&'static Operand> {
        self.info.operands.iter().find(|o| o.name == name)
    }

    /// The operand that source `name` is read from: itself, or the result that it is tied to.
    pub fn source(&self, name: &str) -> Option<&'static str> {
        match self.operand(name) {
            Some(operand) => Some(operand.name),
            None if self.tied() == Some(name) => self.operand("d").filter(|d| d.role == Role::InOut).map(|d| d.name),
            None => None,
        }
    }

    /// The source that a result which is read too takes the place of.
    fn tied(&self) -> Option<&'static str> {
        let Some(fusion) = self.info.fusion else { return Some("a") };
        fusion.tied(|name| self.operand(name).is_some()).map(|nth| SOURCES[nth])
    }

    fn register(&self, name: &str) -> Option<(Kind, usize)> {
        let mut registers = self.info.operands.iter().filter(|o| o.kind.is_register()).zip(self.regs);
        registers.find(|(operand, _)| operand.name == name).map(|(operand, reg)| (operand.kind, usize::from(reg)))
    }

    /// Where the slot of an operand is, from FRAME on.
    fn distance(&self, name: &str) -> Option<usize> {
        let nth = self.info.operands.iter().position(|o| o.name == name)?;
        match self.info.operands[nth].kind {
            Kind::Slot8 => Some(0x48 + nth * 8),
            Kind::Slot32 => Some(0x248 + nth * 8),
            _ => None,
        }
    }

    /// True where both sources are read from one register.
    pub fn sources_share_a_place(&self) -> bool {
        let place = |name| self.source(name).and_then(|name| self.register(name));
        place("a").is_some() && place("a") == place("b")
    }

    /// The value in the hole of an operand that is neither register nor slot nor place in the code.
    pub fn value(&self, name: &str) -> u64 {
        match self.operand(name).map(|o| o.kind) {
            Some(Kind::Off8) => 0x38,
            Some(Kind::Off32) => 0x3456_7890,
            _ => self.immediate.map_or(0, |(_, value)| value),
        }
    }

    /// Appends the code of this form and returns where it starts. A branch gives 1 in rax where it is taken as its
    /// comparison demands, else 0.
    pub fn assemble(&self, code: &mut Vec<u8>) -> usize {
        let literal = code.len();
        code.extend(self.value("a").to_le_bytes());
        let start = code.len();
        code.extend(self.library.bytes(self.info.chunk, self.regs));
        let end = code.len();
        let holds = self.branches_if.map(|if_true| if if_true { [0, 1] } else { [1, 0] });
        leave(code, holds.map(|h| h[0]));
        let target = code.len();
        if let Some([_, taken]) = holds {
            leave(code, Some(taken));
        }
        let cold = code.len();
        if self.info.cold != 0 {
            let info = self.library.info(self.info.cold);
            code.extend(self.library.bytes(self.info.cold, self.regs));
            self.fill(code, info, cold, [literal, end, cold]);
        }
        self.fill(code, self.info, start, [literal, target, cold]);
        start
    }

    fn fill(&self, code: &mut [u8], info: &Info, start: usize, [literal, target, cold]: [usize; 3]) {
        for hole in info.holes {
            let operand = &info.operands[usize::from(hole.operand)];
            let at = start + usize::from(hole.offset);
            let distance = |to: usize| to as i64 - at as i64 + i64::from(hole.addend);
            let value = match operand.kind {
                Kind::Lit | Kind::Data => distance(literal),
                Kind::Rel8 | Kind::Rel32 if operand.name == "cold" => distance(cold),
                Kind::Rel8 | Kind::Rel32 => distance(target),
                Kind::Slot8 | Kind::Slot32 => self.distance(operand.name).unwrap_or(0) as i64,
                _ => self.value(operand.name).cast_signed(),
            };
            // The values are chosen to fit their holes.
            let _ = patch(code, at, hole.patch, value);
        }
    }

    /// Sets an operand.
    pub fn place(&self, name: &str, value: u64, state: &mut State, machine: &mut Machine) {
        match (self.register(name), self.distance(name)) {
            (Some((Kind::Xmm, reg)), _) => state.xmm[reg][0] = value,
            (Some((_, reg)), _) => state.gp[reg] = value,
            (None, Some(distance)) => machine.set_slot(distance, value),
            (None, None) => {}
        }
    }

    /// What an operand holds.
    pub fn read(&self, name: &str, state: &State, machine: &Machine) -> u64 {
        match (self.register(name), self.distance(name)) {
            (Some((Kind::Xmm, reg)), _) => state.xmm[reg][0],
            (Some((_, reg)), _) => state.gp[reg],
            (None, Some(distance)) => machine.slot(distance),
            (None, None) => 0,
        }
    }

    /// What both sources hold.
    pub fn sources(&self, state: &State, machine: &Machine) -> [u64; 2] {
        ["a", "b"].map(|name| self.source(name).map_or(0, |name| self.read(name, state, machine)))
    }

    /// The result: of a branch, whether the comparison held.
    pub fn result(&self, state: &State, machine: &Machine) -> u64 {
        if self.branches_if.is_some() { state.gp[0] } else { self.read("d", state, machine) }
    }

    /// Where the slots of operands are.
    pub fn slots(&self) -> Vec<usize> {
        ["a", "b", "d"].iter().filter_map(|name| self.distance(name)).collect()
    }

    /// What a store writes.
    pub fn stored(&self, state: &State) -> u64 {
        match self.register("b") {
            Some((Kind::Xmm, reg)) => state.xmm[reg][0],
            Some((_, reg)) => state.gp[reg],
            None => self.value("b"),
        }
    }

    /// Sets the condition of a `select`, but not where it shares its register with a source that decides too; returns
    /// what it is then.
    pub fn set_condition(&self, condition: u64, ints: bool, state: &mut State) -> u64 {
        let Some((_, reg)) = self.register("c") else { return condition };
        let shared = ints && ["d", "b"].iter().any(|name| self.register(name).is_some_and(|(_, r)| r == reg));
        if !shared {
            state.gp[reg] = condition;
        }
        state.gp[reg]
    }

    /// An error where a register has changed that is neither the result's nor declared as clobbered.
    pub fn rest_unchanged(&self, before: &State, after: &State) -> Result<(), String> {
        let cold = self.library.info(self.info.cold);
        let cold = if self.info.cold == 0 { (0, 0) } else { (cold.clobbers, cold.xmm_clobbers) };
        let (mut gp, mut xmm) = (self.info.clobbers | cold.0, self.info.xmm_clobbers | cold.1);
        match self.register("d") {
            Some((Kind::Xmm, reg)) => xmm |= 1 << reg,
            Some((_, reg)) => gp |= 1 << reg,
            None => {}
        }
        gp |= u16::from(self.branches_if.is_some()) | 1 << 4;
        for reg in 0..16 {
            let same_gp = gp & (1 << reg) != 0 || before.gp[reg] == after.gp[reg];
            let same_xmm = xmm & (1 << reg) != 0 || before.xmm[reg] == after.xmm[reg];
            let changed = |register: &str| {
                let how = self.describe();
                Err(format!("with {how} it changes {register} and has not declared it: write `clobber {register}`"))
            };
            if !same_gp {
                return changed(crate::isa::template::GP[reg]);
            }
            if !same_xmm {
                return changed(crate::isa::template::XMM[reg]);
            }
        }
        Ok(())
    }

    /// An error where the slot of a source that is not the result's holds something else than before.
    pub fn slots_unchanged(&self, before: [u64; 2], machine: &Machine) -> Result<(), String> {
        for (name, before) in ["a", "b"].iter().zip(before) {
            let slot = self.operand(name).and_then(|_| self.distance(name));
            let same = slot.is_none_or(|slot| machine.slot(slot) == before);
            if !same {
                return Err(format!("with {} it changes the slot `{name}`, which is a source", self.describe()));
            }
        }
        Ok(())
    }

    /// The operands, for messages.
    pub fn describe(&self) -> String {
        let text = |operand: &Operand| match self.register(operand.name) {
            Some((Kind::Xmm, reg)) => format!("{}=xmm{reg}", operand.name),
            Some((_, reg)) => format!("{}={}", operand.name, crate::isa::template::GP[reg]),
            None => format!("{}:{}", operand.name, operand.kind.name()),
        };
        self.info.operands.iter().map(text).collect::<Vec<_>>().join(" ")
    }
}

/// `mov eax, RESULT` and `ret`, from the built-in templates.
fn leave(code: &mut Vec<u8>, result: Option<u8>) {
    let library = Library::native();
    let first = |op: Op| library.forms(op as u16).iter().copied().find(|&chunk| chunk != 0).unwrap_or(0);
    if let Some(result) = result {
        let constant = first(Op::ConstI32);
        let at = code.len() + library.contract(constant).holes().first().map_or(0, |hole| usize::from(hole.offset));
        code.extend(library.bytes(constant, [0; 3]));
        code[at] = result;
    }
    code.extend(library.bytes(first(Op::Ret), [0; 3]));
}
