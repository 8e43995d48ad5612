//! A template with its registers, slots and constants settled: how its operands are set, and its result read.
//!
//! Comes in: a contract of the library and an assignment. Goes out: code, and the places of the operands. What must
//! hold: slots and constants are different for every operand, so that one taken for another is found out.

use spasm::isa::patch::patch;
use spasm::isa::snippet::{Info, Kind, Operand, Role};
use spasm::library::Library;

use super::machine::{Machine, State};
use super::values::Noise;

/// A template in one form.
pub struct Form {
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
    assert!(!all.is_empty(), "no assignment of {} was tried", info.name);
    all
}

/// Fills the frame's slots with noise.
pub fn frame_noise(machine: &mut Machine, noise: &mut Noise) {
    (24..0x400).step_by(8).for_each(|distance| machine.set_slot(distance, noise.next()));
}

impl Form {
    /// A form of `info`.
    pub fn new(info: &'static Info, regs: [u8; 3], immediate: Option<(usize, u64)>, branches_if: Option<bool>) -> Form {
        Form { info, regs, immediate, branches_if }
    }

    fn operand(&self, name: &str) -> Option<&'static Operand> {
        self.info.operands.iter().find(|o| o.name == name)
    }

    /// The operand that source `name` is read from: itself, or the result that it is tied to.
    pub fn source(&self, name: &str) -> Option<&'static str> {
        match self.operand(name) {
            Some(operand) => Some(operand.name),
            None if name == "a" => self.operand("d").filter(|d| d.role == Role::InOut).map(|d| d.name),
            None => None,
        }
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
        code.extend(Library::native().bytes(self.info.chunk, self.regs));
        let end = code.len();
        let holds = self.branches_if.map(|if_true| if if_true { [0, 1] } else { [1, 0] });
        leave(code, holds.map(|h| h[0]));
        let target = code.len();
        if let Some([_, taken]) = holds {
            leave(code, Some(taken));
        }
        let cold = code.len();
        if self.info.cold != 0 {
            let info = Library::native().info(self.info.cold);
            code.extend(Library::native().bytes(self.info.cold, self.regs));
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
            patch(code, at, hole.patch, value).expect("the values are chosen to fit their holes");
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

    fn read(&self, name: &str, state: &State, machine: &Machine) -> u64 {
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
        let (_, reg) = self.register("c").expect("a select has a condition");
        let shared = ints && ["d", "b"].iter().any(|name| self.register(name).is_some_and(|(_, r)| r == reg));
        if !shared {
            state.gp[reg] = condition;
        }
        state.gp[reg]
    }

    /// Asserts that no register has changed but the result and what is declared as clobbered.
    pub fn assert_rest_unchanged(&self, before: &State, after: &State) {
        let cold = Library::native().info(self.info.cold);
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
            let (name, how) = (self.info.name, || self.describe());
            assert!(same_gp, "{name} with {} changes general register {reg} and has not declared it", how());
            assert!(same_xmm, "{name} with {} changes vector register {reg} and has not declared it", how());
        }
    }

    /// Asserts that the slots of sources still hold what they held, if they are not the result's.
    pub fn assert_slots_unchanged(&self, before: [u64; 2], machine: &Machine) {
        for (name, before) in ["a", "b"].iter().zip(before) {
            let slot = self.operand(name).and_then(|_| self.distance(name));
            let same = slot.is_none_or(|slot| machine.slot(slot) == before);
            assert!(same, "{} with {} changes the slot `{name}`", self.info.name, self.describe());
        }
    }

    /// The operands, for messages.
    pub fn describe(&self) -> String {
        let text = |operand: &Operand| match self.register(operand.name) {
            Some((Kind::Xmm, reg)) => format!("{}=xmm{reg}", operand.name),
            Some((_, reg)) => format!("{}={}", operand.name, spasm::isa::template::GP[reg]),
            None => format!("{}:{}", operand.name, operand.kind.name()),
        };
        self.info.operands.iter().map(text).collect::<Vec<_>>().join(" ")
    }
}

/// `mov eax, RESULT` and `ret`, from templates.
fn leave(code: &mut Vec<u8>, result: Option<u8>) {
    let find =
        |name: &str| Library::native().infos().iter().find(|info| info.name == name).expect("there is such a template");
    if let Some(result) = result {
        let constant = find("const.i32");
        let at = code.len() + usize::from(constant.holes[0].offset);
        code.extend(Library::native().bytes(constant.chunk, [0; 3]));
        code[at] = result;
    }
    code.extend(Library::native().bytes(find("ret").chunk, [0; 3]));
}
