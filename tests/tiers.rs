//! Every tier gives the same results, traps, prints, globals and memory.

use spasm::exec::{Ended, Instance, Plan, Runtime};
use spasm::generate;
use spasm::interp::{self, Store};
use spasm::library::Library;
use spasm::stitch;
use spasm::streams::Streams;
use spasm::trap::{Outcome, RunError};
use spasm::verified::Verified;
use spasm::verify::verify;
use std::sync::Arc;

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

fn interpreted(verified: &Verified, args: &[u64]) -> Seen {
    let mut store = Store::new(verified).unwrap();
    let (mut streams, printed) = Streams::captured(INPUT);
    let result = match interp::call(verified, &mut store, &mut streams, 0, args) {
        Ok(Outcome::Returned(results)) => format!("{results:x?}"),
        Ok(Outcome::Halted) => "halted".to_owned(),
        Err(e) => error(&e),
    };
    let memory = store.memory.bytes().to_vec();
    Seen { result, printed: printed.text(), globals: store.globals.clone(), memory }
}

fn stitched(runtime: &Arc<Runtime>, library: &Library, verified: &Verified, args: &[u64]) -> Seen {
    if std::env::var_os("NEVER").is_some() {
        return interpreted(verified, args);
    }
    let image = Arc::new(stitch::stitch(verified, library).unwrap());
    let (streams, printed) = Streams::captured(INPUT);
    let mut instance = Instance::new(runtime, verified, image, Some(streams), 8 << 20).unwrap();
    let signature = &verified.module().functions[0].signature;
    let mut results = vec![0; signature.results.len()];
    let result = match instance.call(0, &Plan::new(signature), args, &mut results) {
        Ok(Ended::Returned) => format!("{results:x?}"),
        Ok(Ended::Halted) => "halted".to_owned(),
        Err(e) => error(&e),
    };
    let globals = (0..verified.module().globals.len()).map(|i| instance.global(i as u32)).collect();
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
    let runtime = Runtime::new(Default::default()).unwrap();
    let library = Library::native();
    let from: u64 = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("COUNT").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    for seed in from..from + count {
        let made = program(seed);
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{}", spasm::text::print(&made.module));
        }
        let verified = verify(made.module).unwrap();
        let expected = interpreted(&verified, &made.args);
        let found = stitched(&runtime, library, &verified, &made.args);
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
