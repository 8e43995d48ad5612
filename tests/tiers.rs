//! Every tier gives the same results, traps, prints, globals and memory.

use std::time::{Duration, Instant};

use spasm::engine::{CallError, Config, Engine, Features, Tier};
use spasm::generate;
use spasm::isa::op::Type;
use spasm::library::{Library, native_features};
use spasm::stitch::Stitcher;
use spasm::streams::Streams;
use spasm::trap::RunError;
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::verify::verify;

/// Everything that can be seen of a run.
#[derive(Debug, PartialEq)]
struct Seen {
    result: String,
    printed: String,
    globals: Vec<u64>,
    memory: Vec<u8>,
}

const INPUT: &str = "1 -2 3.5 x";

fn error(error: &RunError) -> String {
    match error {
        RunError::Trap(trap) => format!("{trap}"),
        other => other.to_string(),
    }
}

/// Runs the first function on an instance of its own.
fn run(engine: &Engine, verified: &Verified, args: &[u64]) -> Seen {
    let mut instance = engine.instantiate(verified).unwrap();
    let (streams, printed) = Streams::captured(INPUT);
    instance.set_streams(streams);
    let module = verified.module();
    let types = module.functions[0].signature.params.iter().copied().chain(std::iter::repeat(Type::I64));
    let args: Vec<Value> = args.iter().zip(types).map(|(&bits, ty)| Value::from_bits(ty, bits)).collect();
    let result = match instance.call(&module.functions[0].name, &args) {
        Ok(results) => format!("{:x?}", results.iter().map(|value| value.bits()).collect::<Vec<_>>()),
        Err(CallError::Halted) => "halted".to_owned(),
        Err(CallError::Run(e)) => error(&e),
        Err(e) => panic!("{e}"),
    };
    let globals = module.globals.iter().map(|global| instance.global(&global.name).unwrap().bits()).collect();
    Seen { result, printed: printed.text(), globals, memory: instance.memory().to_vec() }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds of `count` programs; `SEED` and `COUNT` in the environment choose others.
fn seeds(count: u64) -> std::ops::Range<u64> {
    let from = number("SEED").unwrap_or(0);
    from..from + number("COUNT").unwrap_or(count)
}

#[test]
fn tracing_changes_nothing() {
    for features in [native_features(), Features(0)] {
        let library = Library::with_features(features);
        let mut stitcher = Stitcher::new(&library);
        for seed in seeds(100) {
            let verified = verify(generate::seeded(seed).module).unwrap();
            let plain = stitcher.stitch(&verified).unwrap();
            let (traced, _) = stitcher.stitch_traced(&verified).unwrap();
            assert!(plain == traced, "seed {seed}: the image depends on whether it is traced");
        }
    }
}

/// Engines for the machine at hand, for a plain one, and for this one without each of its features that a
/// snippet needs.
fn engines() -> Vec<(String, Engine)> {
    let all = Features::ALL.iter().fold(0, |all, (_, bit)| all | bit);
    let left_out = |left_out| Engine::new(Config { tier: Tier::Baseline, left_out, ..Config::default() });
    let mut engines = vec![
        ("this machine".to_owned(), left_out(Features(0))),
        ("a plain machine".to_owned(), left_out(Features(all))),
    ];
    let counts = |bit: u16| native_features().has(bit) && Library::native().infos().iter().any(|i| i.needs & bit != 0);
    for (name, bit) in Features::ALL.into_iter().filter(|(_, bit)| counts(*bit)) {
        engines.push((format!("a machine without {name}"), left_out(Features(bit))));
    }
    engines
}

#[test]
fn random_programs_run_the_same_on_every_tier() {
    let interp = Engine::new(Config { tier: Tier::Interp, ..Config::default() });
    let engines = engines();
    let budget = Duration::from_secs(number("SECONDS").unwrap_or(8));
    let start = Instant::now();
    for (seed, turn) in seeds(100_000).zip(0..) {
        let made = generate::seeded(seed);
        let verified = verify(made.module).unwrap();
        let expected = run(&interp, &verified, &made.args);
        // The first two kinds of machine see every program, the others take turns.
        let others = engines.get(2..).filter(|others| !others.is_empty());
        let other = others.map(|others| &others[turn % others.len()]);
        for (machine, engine) in engines[..2].iter().chain(other) {
            let found = run(engine, &verified, &made.args);
            assert!(
                expected == found,
                "seed {seed}: interpreter {} {:?} {:x?}\nstitched for {machine} {} {:?} {:x?} memory equal: {}",
                expected.result,
                expected.printed,
                expected.globals,
                found.result,
                found.printed,
                found.globals,
                expected.memory == found.memory
            );
        }
        if start.elapsed() > budget && turn >= 100 {
            println!("{} programs", turn + 1);
            break;
        }
    }
}
