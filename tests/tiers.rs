//! Every tier gives the same results, traps, prints, globals and memory.

use spasm::engine::{CallError, Config, Engine, Tier};
use spasm::generate;
use spasm::isa::op::Type;
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

fn program(seed: u64) -> generate::Program {
    let mut state = seed;
    generate::program(&mut || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    })
}

#[test]
fn random_programs_run_the_same_on_every_tier() {
    let [interp, baseline] =
        [Tier::Interp, Tier::Baseline].map(|tier| Engine::new(Config { tier, ..Config::default() }));
    let from: u64 = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("COUNT").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    for seed in from..from + count {
        let made = program(seed);
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{}", spasm::text::print(&made.module));
        }
        let verified = verify(made.module).unwrap();
        let expected = run(&interp, &verified, &made.args);
        let found = run(&baseline, &verified, &made.args);
        assert!(
            expected == found,
            "seed {seed}: interpreter {} {:?} {:x?}\nstitched {} {:?} {:x?} memory equal: {}",
            expected.result,
            expected.printed,
            expected.globals,
            found.result,
            found.printed,
            found.globals,
            expected.memory == found.memory
        );
    }
}
