//! Emission of opcodes that templates declare, and of all snippets whose templates say themselves what their operands are.
//!
//! Comes in: an instruction, and where its operands are. Goes out: its snippet, and glue before and after it. What must
//! hold: each operand stands in a register that its template allows; a result that is written early, or over the first
//! source, shares its register with no other source; scratch registers carry nothing from one instruction to the next.
//!
//! Where an operand is somewhere else it is loaded into a scratch register: that there are enough of them was made sure
//! when the template was read.

use crate::isa::custom::{CustomOp, SOURCES};
use crate::isa::op::{Class, Op, Type};
use crate::isa::snippet::{Features, Form, Kind, Role, form_index};
use crate::library::builtin::{FSCRATCH0, FSCRATCH1, FSCRATCH2, SCRATCH0, SCRATCH1, SCRATCH2};
use crate::library::{Contract, Library};
use crate::module::Inst;
use crate::stitch::emit::{Emitter, number};
use crate::stitch::live::ENDS_D;
use crate::stitch::place::{FIRST_XMM, Place, registers};
use crate::verified::Verified;

/// Why a declared opcode cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpcodeError {
    /// The opcode as the module has it.
    pub opcode: CustomOp,
    /// The function that uses it.
    pub function: String,
    /// The line, if it is known.
    pub line: Option<u32>,
    /// What is wrong.
    pub problem: OpcodeProblem,
}

/// What is wrong with a declared opcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpcodeProblem {
    /// No template declares it.
    Undeclared,
    /// The templates declare it with other types.
    Otherwise(CustomOp),
    /// Its templates need more than the machine has: this.
    Needs(Features),
}

impl OpcodeError {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.problem {
            OpcodeProblem::Undeclared => format!("no template declares the opcode `{}`", self.opcode.name),
            OpcodeProblem::Otherwise(other) => {
                format!("the program takes an opcode for `{}`, but its template declares `{other}`", self.opcode)
            }
            OpcodeProblem::Needs(needs) => {
                let all = Features::ALL.iter().filter(|(_, bit)| needs.0 & bit != 0);
                let names: Vec<&str> = all.map(|(name, _)| *name).collect();
                format!(
                    "opcode `{}` needs {}, which the machine that is stitched for lacks",
                    self.opcode.name,
                    names.join(", ")
                )
            }
        }
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match &self.problem {
            OpcodeProblem::Undeclared => "is `--snippets DIR` missing, which lays templates over the built-in ones?",
            OpcodeProblem::Otherwise(_) => "write the program, and its `opcode` line, by what the template declares",
            OpcodeProblem::Needs(_) => {
                "choose another with `--cpu`, or write a template without `needs`, which serves all machines"
            }
        }
    }
}

impl std::fmt::Display for OpcodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line.map_or(String::new(), |line| format!(", line {line}"));
        write!(f, "{} (in `{}`{line}): {}", self.message(), self.function, self.help())
    }
}

impl std::error::Error for OpcodeError {}

/// The snippets of a declared opcode or of a fusion, 0 for none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ways {
    /// The one that leaves all its sources alone.
    pub separate: u16,
    /// The one that puts the result over a source: of a declared opcode, the first.
    pub tied: u16,
}

/// Makes sure that a library has the declared opcodes that a module uses.
///
/// # Errors
/// The first that is missing, or is another.
pub fn check(verified: &Verified, library: &Library) -> Result<(), Box<OpcodeError>> {
    resolve(verified, library).map(drop)
}

/// Finds the snippets of the module's declared opcodes, in the order of their numbers.
pub(super) fn resolve(verified: &Verified, library: &Library) -> Result<Vec<Ways>, Box<OpcodeError>> {
    let customs = &verified.module().customs;
    (0..).zip(customs).map(|(index, custom)| ways(verified, library, index, &custom.op)).collect()
}

fn ways(verified: &Verified, library: &Library, index: u32, op: &CustomOp) -> Result<Ways, Box<OpcodeError>> {
    let problem = match library.customs().iter().find(|known| known.op.name == op.name) {
        None => OpcodeProblem::Undeclared,
        Some(known) if known.op != *op => OpcodeProblem::Otherwise(known.op.clone()),
        Some(known) => {
            let form = |a| library.forms(known.key)[form_index(false, a, Form::Reg)];
            let (separate, tied) = (form(Form::Reg), form(Form::Tied));
            if separate != 0 || tied != 0 {
                return Ok(Ways::better(library, separate, tied));
            }
            OpcodeProblem::Needs(library.needed(known.key))
        }
    };
    match first_use(verified, index) {
        // What no instruction uses may be missing.
        None => Ok(Ways::default()),
        Some((function, line)) => Err(Box::new(OpcodeError { opcode: op.clone(), function, line, problem })),
    }
}

impl Ways {
    /// Where both are there, and one of them is for better machines, only that one.
    pub(super) fn better(library: &Library, separate: u16, tied: u16) -> Ways {
        let needs = |chunk: u16| library.contract(chunk).needs().count_ones();
        match (separate, tied) {
            (0, _) | (_, 0) => Ways { separate, tied },
            _ if needs(separate) < needs(tied) => Ways { separate: 0, tied },
            _ if needs(separate) > needs(tied) => Ways { separate, tied: 0 },
            _ => Ways { separate, tied },
        }
    }
}

/// The first instruction that uses opcode number `index`.
fn first_use(verified: &Verified, index: u32) -> Option<(String, Option<u32>)> {
    let functions = verified.functions.iter().zip(&verified.module().functions);
    functions.into_iter().find_map(|(body, function)| {
        let at = body.insts.iter().position(|inst| inst.op == Op::Custom && inst.a == index)?;
        Some((function.name.clone(), function.line_of(at)))
    })
}

const fn set(registers: [u8; 3], first: u8) -> u32 {
    1 << (registers[0] + first) | 1 << (registers[1] + first) | 1 << (registers[2] + first)
}

/// The scratch registers of both kinds.
const SCRATCH: u32 = set([SCRATCH0, SCRATCH1, SCRATCH2], 0) | set([FSCRATCH0, FSCRATCH1, FSCRATCH2], FIRST_XMM);

/// The most operands that a snippet has in registers.
const MOST: usize = SOURCES.len();

/// A register operand on its way to a register.
#[derive(Clone, Copy)]
struct Wanted {
    /// Which source it is, also for a result that takes the place of one.
    source: Option<usize>,
    role: Role,
    /// The registers that it may be in, as places have their numbers.
    allowed: u32,
    register: Option<u8>,
}

impl Wanted {
    fn allows(&self, register: u8) -> bool {
        self.allowed >> register & 1 != 0
    }
}

/// The register operands of a snippet; what is read and written takes the place of the source `over`.
fn wanted(contract: Contract, over: Option<usize>) -> ([Wanted; MOST], usize) {
    let mut all = [Wanted { source: None, role: Role::In, allowed: 0, register: None }; MOST];
    let mut count = 0;
    for (wanted, operand) in all.iter_mut().zip(contract.operands().filter(|operand| operand.kind.is_register())) {
        let source = SOURCES.iter().position(|name| *name == operand.name);
        let shift = if operand.kind == Kind::Xmm { FIRST_XMM } else { 0 };
        wanted.source = source.or(over.filter(|_| operand.role == Role::InOut));
        (wanted.role, wanted.allowed) = (operand.role, u32::from(operand.allowed) << shift);
        count += 1;
    }
    (all, count)
}

/// A snippet, and where its operands are.
pub(super) struct Operation {
    pub chunk: u16,
    /// Where the sources are, and of which classes they are.
    pub places: [Place; MOST],
    pub classes: [Class; MOST],
    /// The source that the result takes the place of, if the snippet puts it there.
    pub over: Option<usize>,
    /// Where the result goes, and its class if there is one.
    pub to: Place,
    pub result: Option<Class>,
    /// What goes into its value hole.
    pub value: i64,
}

impl Emitter<'_> {
    /// Emits an instruction of a declared opcode.
    pub(super) fn custom(&mut self, inst: &Inst, note: u16) {
        let (verified, body) = (self.verified, self.body);
        let op = &verified.module().customs[inst.a as usize].op;
        let list = inst.b as usize + 1;
        let vars = &body.lists[list..][..op.params.len()];
        let mut places = [Place::NONE; MOST];
        let (mut near, mut far) = (0, 0);
        for (nth, &var) in vars.iter().enumerate() {
            places[nth] = self.place(var);
            let freed = self.end_noted(self.live.list_notes[list + nth], ENDS_D, var, places[nth]);
            *(if nth == 0 { &mut near } else { &mut far }) |= freed;
        }
        let to = if op.result.is_some() { self.define(inst.d, note, near, far) } else { Place::NONE };
        let Ways { separate, tied } = self.customs[inst.a as usize];
        let over = (tied != 0 && (separate == 0 || places[0] == to)).then_some(0);
        let chunk = if over.is_some() { tied } else { separate };
        let mut classes = [Class::Int; MOST];
        classes.iter_mut().zip(&op.params).for_each(|(class, ty)| *class = ty.class());
        let result = op.result.map(Type::class);
        self.operation(&Operation { chunk, places, classes, over, to, result, value: 0 });
    }

    /// Copies a snippet, and brings its operands to it.
    pub(super) fn operation(&mut self, wants: &Operation) {
        let (mut operands, count) = wanted(self.library.contract(wants.chunk), wants.over);
        let operands = &mut operands[..count];
        settle(operands, &wants.places, wants.to);
        // The sources that stay as they are go before the one that the result takes the place of.
        for tied in [false, true] {
            for operand in operands.iter().filter(|operand| (operand.role == Role::InOut) == tied) {
                let (Some(source), Some(register)) = (operand.source, operand.register) else { continue };
                if wants.places[source].as_register() != Some(register) {
                    self.move_glue(wants.classes[source], wants.places[source], Place::register(register));
                }
            }
        }
        let mut regs = [0; MOST];
        for (reg, operand) in regs.iter_mut().zip(operands.iter()) {
            *reg = number(operand.register.unwrap_or(0));
        }
        self.put(wants.chunk, regs, [wants.value, 0]);
        let result = operands.iter().find(|operand| operand.role != Role::In).and_then(|operand| operand.register);
        if let (Some(register), Some(class)) = (result, wants.result) {
            if wants.to.as_register() != Some(register) {
                self.move_glue(class, Place::register(register), wants.to);
            }
        }
    }

    /// The width of what an instruction divides.
    pub(super) fn divides(&self, inst: &Inst) -> u8 {
        let first = match inst.op {
            Op::Custom => self.verified.module().customs[inst.a as usize].op.params.first(),
            op => op.row().args.first(),
        };
        if first == Some(&Type::I32) { 32 } else { 64 }
    }
}

/// Finds a register for each operand: the one where it is, or is to go, or else a scratch register.
fn settle(operands: &mut [Wanted], places: &[Place; MOST], to: Place) {
    let mut taken = 0;
    for operand in operands.iter_mut().filter(|operand| operand.role == Role::In) {
        let place = operand.source.and_then(|source| places[source].as_register());
        operand.register = place.filter(|&register| operand.allows(register));
        taken |= operand.register.map_or(0, |register| 1u32 << register);
    }
    for operand in operands.iter_mut().filter(|operand| operand.role != Role::In) {
        let free = |&register: &u8| operand.role == Role::Out || taken >> register & 1 == 0;
        operand.register = to.as_register().filter(|&register| operand.allows(register)).filter(free);
    }
    spread(operands, 0);
    // An output may go where a source was.
    for operand in operands.iter_mut().filter(|operand| operand.register.is_none()) {
        operand.register = registers(operand.allowed & SCRATCH).next();
    }
}

/// Gives each operand that has none, outputs left out, a scratch register of its own.
fn spread(operands: &mut [Wanted], taken: u32) -> bool {
    let Some(next) = operands.iter().position(|operand| operand.register.is_none() && operand.role != Role::Out) else {
        return true;
    };
    let usable = operands[next].allowed & SCRATCH & !taken;
    for register in registers(usable) {
        operands[next].register = Some(register);
        if spread(operands, taken | 1 << register) {
            return true;
        }
    }
    operands[next].register = None;
    false
}
