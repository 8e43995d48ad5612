//! Every fusion that computes a value, in whole programs: with its sources in registers and slots, with the result over
//! one of them or beside them, with constants of their own, exchanged where that changes nothing.
//!
//! Comes in: the fusions of the library. Goes out: failures that show the program. What must hold: each program is made
//! with the fusion that it is for; every tier gives what the rows' expressions give, one after the other, and loses no
//! other value; all templates of fusions are met.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::program::{self, MANY, Place, Writer};
use super::{call, engines, filled, whole};
use spasm::isa::fusion::{Feeds, Fusion, When};
use spasm::isa::op::{Flag, Type};
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::trial::values::{Noise, any};
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

/// How many lists of operands each program is tried with.
const LISTS: usize = 4;
/// The registers of the sources; the first is the index of a load.
const SOURCES: [&str; 3] = ["r1", "r9", "r2"];

/// An arrangement.
#[derive(Clone, Copy, Debug)]
struct Case {
    fusion: &'static Fusion,
    /// Where `a` and `c` are.
    sources: [Place; 2],
    d: Place,
    /// The register of the result.
    result: &'static str,
    /// Whether sources that can be exchanged are, in the first instruction and in the second.
    exchanged: [bool; 2],
    /// Whether a constant has its register for itself, or only for the moment.
    own: bool,
    /// The constant of a power of two.
    exponent: u32,
    offset: u32,
}

impl Case {
    fn types(&self) -> [Type; 3] {
        self.fusion.sources().map(|ty| ty.unwrap_or(Type::I64))
    }

    fn result_type(&self) -> Type {
        self.fusion.result().expect("it computes a value")
    }

    /// The constant that stands in the place of `b`.
    fn literal(&self) -> Option<i64> {
        match self.fusion.when[1] {
            When::Any => None,
            When::Is(value) => Some(value.into()),
            When::Power => Some(1 << self.exponent),
        }
    }

    fn is_possible(&self) -> bool {
        let [a, _, c] = self.types();
        let same = |ty: Type| ty.class() == self.result_type().class();
        match self.result {
            "r1" => same(a) && !self.fusion.loads() && self.sources[0] == self.d,
            "r2" => same(c) && self.fusion.second.is_some() && self.sources[1] == self.d,
            _ => true,
        }
    }

    /// `func f(A or what is loaded, C, i64) -> (R, i64)`.
    fn source(&self) -> String {
        let Fusion { first, second, .. } = *self.fusion;
        let [ta, _, tc] = self.types();
        let loaded = if self.fusion.loads() { first.row().result.unwrap_or(Type::I64) } else { ta };
        let mut w = Writer::default();
        let names = [loaded, tc, self.result_type()].map(|ty| ty.class().widest().name());
        if self.fusion.loads() {
            w.line("memory 1");
        }
        w.line(&format!("func f({}, {}, i64) -> ({}, i64)\n    const r8, 7", names[0], names[1], names[2]));
        let constant = format!("    const r9, {}", self.literal().unwrap_or(0));
        if self.literal().is_some() && self.own {
            w.line(&constant);
        }
        if self.fusion.loads() {
            let stored = match loaded.class() {
                spasm::isa::op::Class::Int => "i64",
                _ => loaded.name(),
            };
            w.line("    const r7, 0xff8\n    and r1, a3, r7");
            w.line(&format!("    mstore.{stored} a1, r1, {}", self.offset));
        } else {
            w.line("    move r1, a1");
        }
        w.line("    move r2, a2");
        if self.literal().is_some() && !self.own {
            // The register is another's before.
            w.line("    const r9, 41\n    add r4, r4, r9");
        }
        let class = |ty: Type| ty.class();
        let slots = |float: bool| {
            let all = [(self.sources[0], ta), (self.sources[1], tc), (self.d, self.result_type())];
            all.iter().any(|(place, ty)| *place == Place::Slot && ty.class().is_float() == float)
        };
        let [ints, floats] = [false, true].map(|float| if slots(float) { MANY } else { 2 });
        w.others(ints, floats);
        let heavy = |place| if place == Place::Register { 5 } else { 1 };
        w.touch("r1", class(ta), heavy(self.sources[0]));
        w.touch("r2", class(tc), heavy(self.sources[1]));
        w.touch_others(ints, floats);
        if self.literal().is_some() && !self.own {
            w.line(&constant);
        }
        self.instructions(&mut w, second.map_or(self.result, |_| "r51"));
        w.touch_others(ints, floats);
        w.touch_others(ints, floats);
        w.touch(self.result, class(self.result_type()), heavy(self.d));
        for (register, ty) in [("r1", ta), ("r2", tc)] {
            if self.result != register {
                w.touch(register, class(ty), 1);
            }
        }
        w.line(&format!("    ret {}, r4", self.result));
        w.text
    }

    fn instructions(&self, w: &mut Writer, between: &str) {
        let Fusion { first, second, feeds, .. } = *self.fusion;
        let name = first.row().name();
        let line = match (self.fusion.loads(), first.row().args.len()) {
            (true, _) => format!("{name} {between}, r1, {}", self.offset),
            (_, 1) => format!("{name} {between}, r1"),
            _ if self.exchanged[0] => format!("{name} {between}, {}, r1", SOURCES[1]),
            _ => format!("{name} {between}, r1, {}", SOURCES[1]),
        };
        w.line(&format!("    {line}"));
        let Some(second) = second else { return };
        let mut line = format!("    {} {}", second.row().name(), self.result);
        let turned = feeds == Feeds::B || feeds == Feeds::Any && self.exchanged[1];
        let _ = match second.row().args.len() {
            1 => write!(line, ", {between}"),
            _ if turned => write!(line, ", r2, {between}"),
            _ => write!(line, ", {between}, r2"),
        };
        w.line(&line);
    }
}

fn cases(fusion: &'static Fusion, noise: &mut Noise) -> Vec<Case> {
    let places = [Place::Register, Place::Slot];
    let mut all = Vec::new();
    for a in places {
        for c in places {
            for d in places {
                for result in ["r50", "r51", "r1", "r2"] {
                    let bits = noise.next();
                    let commutes = |op: spasm::isa::op::Op| op.row().has(Flag::Commutes);
                    let exchanged =
                        [bits & 1 != 0 && commutes(fusion.first), bits & 2 != 0 && fusion.second.is_some_and(commutes)];
                    let narrow = fusion.sources()[1] == Some(Type::I32);
                    let exponent = (bits >> 8) as u32 % if narrow { 32 } else { 64 };
                    let offset = if bits & 8 != 0 { 16 } else { 1000 };
                    let own = bits & 4 != 0;
                    let sources = [a, c];
                    let case = Case { fusion, sources, d, result, exchanged, own, exponent, offset };
                    all.extend(Some(case).filter(Case::is_possible));
                }
            }
        }
    }
    all
}

/// The chunks that are copied; one of them must be of the fusion.
fn copied(case: &Case, verified: &Verified, stitcher: &mut Stitcher<'_>, library: &Library, source: &str) -> Vec<u16> {
    let (image, trace) = stitcher.stitch_traced(verified).unwrap();
    spasm::check::check(verified, &image, &trace, library).unwrap_or_else(|defects| panic!("{defects:?} in\n{source}"));
    let chunks: Vec<u16> = trace.events.iter().map(|event| event.chunk).collect();
    let is_it = |chunk: &u16| library.info(*chunk).fusion == Some(case.fusion);
    let there = library.fusions().all().contains(case.fusion);
    assert_eq!(chunks.iter().any(is_it), there, "{case:?} in\n{source}");
    chunks
}

#[test]
fn fusions_give_what_their_rows_say() {
    let engines = engines();
    let native = Library::native();
    let plain = Library::native_without(spasm::library::native_features());
    let libraries = [native, plain];
    let mut stitchers = libraries.map(Stitcher::new);
    let mut noise = Noise(3);
    let mut met = BTreeSet::new();
    for fusion in native.tables().fusions.iter().filter(|fusion| !fusion.branches()) {
        for case in cases(fusion, &mut noise) {
            let source = case.source();
            let module = text::parse("case", &source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
            let verified = verify::verify(module).unwrap_or_else(|error| panic!("{error}\n{source}"));
            for (library, stitcher) in libraries.iter().zip(&mut stitchers) {
                met.extend(copied(&case, &verified, stitcher, library, &source));
            }
            let mut instances = [0, 1, 2].map(|tier: usize| engines[tier].instantiate(&verified).unwrap());
            for _ in 0..LISTS {
                let [ta, _, tc] = case.types();
                let loaded = fusion.loads().then(|| fusion.first.row().result.unwrap_or(Type::I64));
                let first = loaded.unwrap_or(ta);
                let (a, c) = (any(first, &mut noise), any(tc, &mut noise));
                let mut args: Vec<Value> = [(first, a), (tc, c)]
                    .map(|(ty, bits)| Value::from_bits(whole(ty), filled(ty, bits, &mut noise)))
                    .to_vec();
                args.push(Value::I64(noise.next().cast_signed()));
                let b = fusion.sources()[1].map_or(0, |ty| ty.normalise(case.literal().unwrap_or(0).cast_unsigned()));
                let expected = fusion.evaluate([a, b, c], loaded.map(|_| a)).expect("it does not trap");
                let found: Vec<_> = instances.iter_mut().map(|instance| call(instance, "f", &args)).collect();
                let right = matches!(found[0], Ok([bits, _]) if bits == expected);
                assert!(
                    right && found[1] == found[0] && found[2] == found[0],
                    "{case:?} with {args:x?}: expected {expected:x}, found {found:x?} in\n{source}"
                );
            }
        }
    }
    let ours =
        |info: &&spasm::isa::snippet::Info| info.fusion.is_some_and(|fusion| !fusion.branches()) && native.serves(info);
    let missed: Vec<String> =
        native.infos().iter().filter(ours).filter(|info| !met.contains(&info.chunk)).map(program::form).collect();
    assert!(missed.is_empty(), "no program leads the stitcher to these forms:\n{}", missed.join("\n"));
}

#[test]
fn random_programs_are_full_of_fusions() {
    let mut stitcher = Stitcher::new(Library::native());
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..300 {
        let verified = verify::verify(spasm::generate::seeded(seed).module).unwrap();
        let (_, trace) = stitcher.stitch_traced(&verified).unwrap();
        let infos = trace.events.iter().map(|event| Library::native().info(event.chunk));
        infos.filter(|info| info.fusion.is_some()).for_each(|info| *counts.entry(info.name).or_default() += 1);
    }
    for name in ["shl.i64+add.i64", "mul.i64+add.i64", "mload.i64+add.i64", "mload.f64+mul.f64", "mul.i64", "divu.i64"]
    {
        assert!(counts.get(name).is_some_and(|&count| count >= 5), "{name} is rare: {counts:?}");
    }
    assert!(counts.values().sum::<usize>() > 1500, "{counts:?}");
}
