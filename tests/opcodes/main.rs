//! Every value instruction in whole programs: with its operands in registers, frame slots and constants, with the result
//! over a source or beside it, between other values that must survive, within one block and across blocks.
//!
//! Comes in: the opcode table. Goes out: failures that show the program. What must hold: every tier gives the bits or
//! the trap of the row's expression, and leaves everything else as it was; and all of the library's templates for value
//! instructions are met on the way.
#![cfg(feature = "cli")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "operands are bit patterns here"
)]

mod fused;
mod program;

use std::collections::BTreeSet;

use program::{Case, Place, Tie, Use};
use spasm::engine::{CallError, Config, Engine, Instance, Tier};
use spasm::isa::fusion::Fusion;
use spasm::isa::op::{Flag, Op, Shape, Type};
use spasm::isa::snippet::{Features, Info};
use spasm::library::{Library, native_features};
use spasm::stitch::Stitcher;
use spasm::trap::RunError;
use spasm::trial::values::{Noise, any};
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

/// How many pairs of operands each program is tried with; the plainest one is tried with more.
const PAIRS: usize = 5;
const MANY_PAIRS: usize = 400;
/// How many programs with constants there are for each arrangement, each with other constants.
const CONSTANTS: usize = 2;

fn engines() -> [Engine; 3] {
    let engine = |tier, left_out| Engine::new(Config { tier, left_out, ..Config::default() });
    [engine(Tier::Interp, Features(0)), engine(Tier::Baseline, Features(0)), engine(Tier::Baseline, native_features())]
}

/// The type as which a register's whole content is passed.
fn whole(ty: Type) -> Type {
    ty.class().widest()
}

/// What an operand's type does not cover is noise.
fn filled(ty: Type, bits: u64, noise: &mut Noise) -> u64 {
    if ty == Type::I32 { bits | noise.next() << 32 } else { bits }
}

/// All that a call shows: the result's bits and the sum of all else, or the trap.
fn call(instance: &mut Instance, name: &str, args: &[Value]) -> Result<[u64; 2], String> {
    match instance.call(name, args) {
        Ok(results) => Ok([results[0].bits(), results[1].bits()]),
        Err(CallError::Run(RunError::Trap(trap))) => Err(trap.kind.to_string()),
        Err(error) => panic!("{error}"),
    }
}

/// True for the opcodes that may be fused with a branch on their result.
fn branches(op: Op) -> bool {
    [Op::Jmpt, Op::Jmpf].iter().any(|&branch| !Library::native().fusions().of(op, branch).is_empty())
}

/// The arrangements of an opcode.
fn cases(op: Op) -> Vec<Case> {
    let places = [Place::Register, Place::Slot, Place::Constant];
    let binary = op.row().args.len() == 2;
    let mut cases = Vec::new();
    for a in places {
        for b in if binary { &places[..] } else { &places[..1] } {
            for d in [Place::Register, Place::Slot] {
                for tie in Tie::ALL {
                    for crosses in [false, true] {
                        let case = Case { op, a, b: *b, d, tie, crosses, result: Use::Value };
                        if case.is_possible() {
                            cases.push(case);
                            let uses = if branches(op) && !crosses { &Use::BRANCHES[..] } else { &[] };
                            cases.extend(uses.iter().map(|&result| Case { result, ..case }));
                        }
                    }
                }
            }
        }
    }
    cases
}

/// Operands for one program, the first of which are its constants.
fn operands(op: Op, count: usize, noise: &mut Noise) -> Vec<[u64; 2]> {
    let types = op.row().args;
    let second = *types.get(1).unwrap_or(&types[0]);
    (0..count).map(|_| [any(types[0], noise), any(second, noise)]).collect()
}

/// One program on all tiers.
struct Trial<'e> {
    case: Case,
    source: String,
    engines: &'e [Engine; 3],
    noise: &'e mut Noise,
}

impl Trial<'_> {
    /// Tries pairs of operands; where operands are constants, those that are in the program.
    fn run(&mut self, verified: &Verified, constants: [u64; 2], pairs: &[[u64; 2]]) {
        let mut instances = [0, 1, 2].map(|tier: usize| self.engines[tier].instantiate(verified).unwrap());
        for pair in pairs {
            let [a, b] = self.case.effective(*pair, constants);
            let types = self.case.types();
            let mut args: Vec<Value> = types
                .iter()
                .zip([a, b])
                .map(|(&ty, bits)| Value::from_bits(whole(ty), filled(ty, bits, self.noise)))
                .collect();
            args.push(Value::I64(self.noise.next() as i64));
            let value = self.case.op.evaluate(a, b).expect("a value instruction");
            let expected = value.map(|bits| if self.case.result == Use::Value { bits } else { u64::from(bits != 0) });
            let found: Vec<_> = instances.iter_mut().map(|instance| call(instance, "f", &args)).collect();
            let right = match (&found[0], expected) {
                (Ok([bits, _]), Ok(value)) => *bits == value,
                (Err(name), Err(kind)) => *name == kind.to_string(),
                _ => false,
            };
            assert!(
                right && found[1] == found[0] && found[2] == found[0],
                "{:?} with {args:x?}: expected {expected:x?}, found {found:x?} in\n{}",
                self.case,
                self.source
            );
        }
    }
}

/// The forms of the templates that stitching a program copies.
fn note_forms(verified: &Verified, stitcher: &mut Stitcher<'_>, met: &mut BTreeSet<u16>) {
    let (_, trace) = stitcher.stitch_traced(verified).unwrap();
    met.extend(trace.events.iter().map(|event| event.chunk));
}

/// Tries all arrangements of these opcodes, and makes sure that all forms of their templates are met.
fn try_all(ops: &[Op]) {
    let engines = engines();
    let mut stitchers = [Library::native(), Library::native_without(native_features())].map(Stitcher::new);
    let mut noise = Noise(1);
    let mut met = BTreeSet::new();
    for &op in ops {
        for (number, case) in cases(op).into_iter().enumerate() {
            let rounds = if case.has_constant() { CONSTANTS } else { 1 };
            for _ in 0..rounds {
                let pairs = operands(op, if number == 0 { MANY_PAIRS } else { PAIRS }, &mut noise);
                let constants = pairs[0];
                let source = case.source(constants);
                let module = text::parse("case", &source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
                let verified = verify::verify(module).unwrap_or_else(|error| panic!("{error}\n{source}"));
                for stitcher in &mut stitchers {
                    note_forms(&verified, stitcher, &mut met);
                }
                Trial { case, source, engines: &engines, noise: &mut noise }.run(&verified, constants, &pairs);
            }
        }
    }
    let library = Library::native();
    let met: BTreeSet<String> = met.into_iter().map(|chunk| program::form(library.info(chunk))).collect();
    let names: BTreeSet<String> = ops.iter().map(|op| op.row().name()).collect();
    let of_these = |name: &str| names.contains(name.split('+').next().unwrap_or(""));
    let own = |info: &Info| info.fusion.is_none_or(Fusion::branches) && of_these(info.name);
    let served = library.infos().iter().filter(|info| own(info) && library.serves(info));
    let missed: BTreeSet<String> = served.map(program::form).filter(|form| !met.contains(form)).collect();
    let missed: Vec<&str> = missed.iter().map(String::as_str).filter(|form| !is_spare(form)).collect();
    assert!(missed.is_empty(), "no program leads the stitcher to these forms:\n{}", missed.join("\n"));
}

/// The value instructions that compare, or do not, and whose first operand is one of `types`.
fn value_ops(compare: bool, types: &[Type]) -> Vec<Op> {
    let wanted = |op: &Op| {
        let row = op.row();
        row.shape == Shape::Value && row.has(Flag::Compares) == compare && types.contains(&row.args[0])
    };
    Op::ALL.iter().copied().filter(wanted).collect()
}

#[test]
fn i32_instructions_give_what_their_rows_say() {
    try_all(&value_ops(false, &[Type::I32]));
}

#[test]
fn i64_instructions_give_what_their_rows_say() {
    try_all(&value_ops(false, &[Type::I64]));
}

#[test]
fn float_instructions_give_what_their_rows_say() {
    try_all(&value_ops(false, &[Type::F32, Type::F64]));
}

#[test]
fn comparisons_give_what_their_rows_say() {
    try_all(&value_ops(true, &Type::NUMBERS));
}

/// Forms that are there, but that the stitcher has no use for: it brings the first source into a register.
fn is_spare(form: &str) -> bool {
    let (name, operands) = form.split_once(' ').unwrap_or((form, ""));
    let (op, kind) = name.split_once('.').unwrap_or((name, ""));
    match op {
        "div" | "divu" | "mod" | "modu" => {
            operands.starts_with("register, constant") || operands.starts_with("register, slot")
        }
        "less" | "lessu" | "leq" | "lequ" => {
            operands.starts_with("constant")
                || operands.starts_with("register, constant")
                || operands == "register, slot, register"
        }
        "eq" | "ne" => kind.starts_with("i32+") && operands.starts_with("slot, register"),
        _ => false,
    }
}
