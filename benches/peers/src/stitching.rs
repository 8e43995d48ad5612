//! From a verified module to code: the stitcher beside dynasmrt, which places nothing, and Cranelift, which places everything.
//!
//! Comes in: straight lines, the examples, random functions, `add_answer`. Goes out: tables of times an instruction. What
//! must hold: code that is compared gives the same result.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cranelift_codegen::Context;
use dynasmrt::mmap::MutableBuffer;
use spasm::engine::Engine;
use spasm::library::Library;
use spasm::module::Module;
use spasm::stitch::Stitcher;
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{generate, text, verify};

use crate::measure::{Times, Work, all, alternate, now};
use crate::straight::{self, Line};
use crate::table::Table;

const LEAST: Duration = Duration::from_millis(20);

fn insts(verified: &Verified) -> usize {
    verified.module().functions.iter().map(|function| function.insts.len()).sum()
}

#[allow(clippy::cast_precision_loss, reason = "a count of instructions")]
fn nanoseconds(times: &Times, insts: usize) -> String {
    format!("{:.1}", times.median() * 1e9 / insts as f64)
}

#[allow(clippy::cast_precision_loss, reason = "a count of instructions")]
fn with_spread(times: &Times, insts: usize) -> String {
    format!("{:.1} ±{:.0} %", times.median() * 1e9 / insts as f64, times.spread() * 100.0)
}

/// Makes an instance without counting what it costs to drop it.
fn publishing<'a>(engine: &'a Engine, verified: &'a Verified, many: u32) -> Work<'a> {
    Box::new(move || {
        let mut kept = Vec::with_capacity(many as usize);
        let start = now();
        for _ in 0..many {
            kept.push(engine.instantiate(verified).expect("there is room"));
        }
        let spent = now().saturating_sub(start);
        black_box(kept);
        spent / many
    })
}

/// Runs machine code that takes two ints.
fn run_copied(code: &[u8], args: [i64; 2]) -> i64 {
    let mut buffer = MutableBuffer::new(code.len()).expect("there is memory");
    buffer.set_len(code.len());
    buffer.copy_from_slice(code);
    let buffer = buffer.make_exec().expect("code may be executed");
    // SAFETY: the code was assembled as a function of this type, and lives until the end of this one.
    let function: extern "C" fn(i64, i64) -> i64 = unsafe { std::mem::transmute(buffer.as_ptr()) };
    function(args[0], args[1])
}

/// Nanoseconds an instruction for straight lines of 1,000 and 10,000.
pub fn straight_table(rounds: usize) -> Table {
    let head =
        ["straight line of add and mul", "stitch ns/inst", "and publish", "dynasmrt", "cranelift", "single pass"];
    let mut table = Table::new(&head);
    let (full, quick) = (straight::cranelift_isa(false), straight::cranelift_isa(true));
    for (count, registers) in [(1_000, 10), (10_000, 10), (1_000, 40), (10_000, 40)] {
        let line = Line::new(count, registers);
        let verified = line.spasm();
        let function = line.cranelift(full.frontend_config());
        let args = [3, 5];
        check(&line, &verified, args);
        let mut stitcher = Stitcher::new(Library::native());
        let engine = Engine::default();
        let (mut contexts, insts) = ([Context::new(), Context::new()], line.insts());
        let [one, other] = &mut contexts;
        let times = alternate(
            rounds,
            LEAST,
            &mut [
                all(|| stitcher.stitch(&verified).expect("it fits")),
                publishing(&engine, &verified, 4),
                all(|| line.dynasm()),
                all(|| straight::cranelift_code(&full, &function, one)),
                all(|| straight::cranelift_code(&quick, &function, other)),
            ],
        );
        table.row(vec![
            format!("{count} over {registers} registers"),
            with_spread(&times[0], insts),
            nanoseconds(&times[1], insts),
            with_spread(&times[2], insts),
            nanoseconds(&times[3], insts),
            nanoseconds(&times[4], insts),
        ]);
    }
    table
}

/// Makes sure that all four do the same.
fn check(line: &Line, verified: &Verified, args: [i64; 2]) {
    let expected = line.result(args);
    let mut instance = Engine::default().instantiate(verified).expect("there is room");
    let function = instance.typed::<(i64, i64), i64>("line").expect("it has this type");
    assert_eq!(function.call(&mut instance, (args[0], args[1])).expect("it returns"), expected, "stitched");
    assert_eq!(run_copied(&line.dynasm(), args), expected, "dynasmrt");
    for quick in [false, true] {
        let isa = straight::cranelift_isa(quick);
        let function = line.cranelift(isa.frontend_config());
        let (module, address) = straight::cranelift_jit(isa, function);
        // SAFETY: the function was compiled with this type, and the module is freed only afterwards.
        let function: extern "C" fn(i64, i64) -> i64 = unsafe { std::mem::transmute(address) };
        assert_eq!(function(args[0], args[1]), expected, "cranelift, single pass: {quick}");
        // SAFETY: nothing of it is called any more.
        unsafe { module.free_memory() };
    }
}

/// A module with one random function.
fn random_function(statements: usize, seed: u64) -> Module {
    generate::function(statements, &mut generate::numbers(seed)).module
}

fn examples() -> Vec<(String, Module)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "spasm") {
            let source = std::fs::read_to_string(&path).expect("the example can be read");
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            modules.push((name, text::parse("example", &source).unwrap_or_else(|errors| panic!("{errors}"))));
        }
    }
    modules.sort_by(|a, b| a.0.cmp(&b.0));
    modules
}

/// Nanoseconds an instruction for real programs and random ones.
pub fn programs_table(rounds: usize) -> Table {
    let head = ["program", "instructions", "verify ns/inst", "stitch ns/inst", "bytes/inst"];
    let mut table = Table::new(&head);
    let mut programs = examples();
    let all_examples: Vec<Arc<Module>> = programs.iter().map(|(_, module)| Arc::new(module.clone())).collect();
    for (statements, seed) in [(4_000, 1), (4_000, 2), (4_000, 3)] {
        programs.push((format!("random function {seed}"), random_function(statements, seed)));
    }
    let mut line = |name: String, modules: &[Arc<Module>]| {
        let verified: Vec<Verified> =
            modules.iter().map(|module| verify::verify(Arc::clone(module)).expect("it verifies")).collect();
        let count: usize = verified.iter().map(insts).sum();
        let mut stitcher = Stitcher::new(Library::native());
        let bytes: usize = verified.iter().map(|v| stitcher.stitch(v).expect("it fits").code.len()).sum();
        let times = alternate(
            rounds,
            LEAST,
            &mut [
                all(|| modules.iter().map(|module| verify::verify(Arc::clone(module))).filter(Result::is_ok).count()),
                all(|| verified.iter().map(|v| stitcher.stitch(v)).filter(Result::is_ok).count()),
            ],
        );
        #[allow(clippy::cast_precision_loss, reason = "a count of bytes")]
        let density = bytes as f64 / count as f64;
        table.row(vec![
            name,
            count.to_string(),
            with_spread(&times[0], count),
            with_spread(&times[1], count),
            format!("{density:.1}"),
        ]);
    };
    line("all examples".to_owned(), &all_examples);
    for (name, module) in programs {
        line(name, &[Arc::new(module)]);
    }
    table
}

/// Microseconds from a module in memory to `add_answer` being callable, and called once.
pub fn small_table(rounds: usize) -> Table {
    const MANY: u32 = 100;
    const SOURCE: &str = "func add_answer\n    const 1, 42\n    add 2, -1, 1\n    ret 2\n";
    let module = Arc::new(text::parse("add_answer.spasm", SOURCE).unwrap_or_else(|errors| panic!("{errors}")));
    let engine = Engine::default();
    let instance = || engine.instantiate(&verify::verify(Arc::clone(&module)).expect("right")).expect("there is room");
    let isa = straight::cranelift_isa(true);
    let compiled = || straight::cranelift_jit(Arc::clone(&isa), straight::cranelift_add_answer(isa.frontend_config()));
    assert_eq!(instance().call("add_answer", &[Value::I64(0)]).expect("it returns"), [Value::I64(42)]);
    let call = |address: *const u8| {
        // SAFETY: the code at this address is a function of this type.
        let function: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(address) };
        assert_eq!(function(0), 42);
    };
    let verified = verify::verify(Arc::clone(&module)).expect("it is right");
    let mut stitcher = Stitcher::new(Library::native());
    let times = alternate(
        rounds,
        LEAST,
        &mut [
            kept(MANY, instance),
            kept(MANY, || verify::verify(Arc::clone(&module)).expect("it is right")),
            kept(MANY, move || stitcher.stitch(&verified).expect("it fits")),
            kept(MANY, || {
                let code = straight::dynasm_add_answer();
                call(code.as_ptr());
                code
            }),
            kept(1, || {
                let (module, address) = compiled();
                call(address);
                module
            }),
        ],
    );
    let mut table = Table::new(&["`add_answer`, module to callable", "µs", "±"]);
    let names =
        ["spasm, all of it", "of that, verification", "of that, stitching", "dynasmrt", "cranelift-jit, single pass"];
    for (name, times) in names.iter().zip(&times) {
        let spread = format!("{:.0} %", times.spread() * 100.0);
        table.row(vec![(*name).to_owned(), format!("{:.2}", times.median() * 1e6), spread]);
    }
    table
}

/// Work that makes `many` things and is not charged for dropping them.
fn kept<'a, T>(many: u32, mut make: impl FnMut() -> T + 'a) -> Work<'a> {
    Box::new(move || {
        let mut things = Vec::with_capacity(many as usize);
        let start = now();
        for _ in 0..many {
            things.push(make());
        }
        let spent = now().saturating_sub(start);
        black_box(things);
        spent / many
    })
}

/// Stitches one straight line again and again, for a tool that counts instructions.
pub fn only_stitch(kind: &str, times: u32) {
    let verified = match kind {
        "random" => verify::verify(random_function(4_000, 1)).expect("it verifies"),
        "many" => Line::new(10_000, 40).spasm(),
        _ => Line::new(10_000, 10).spasm(),
    };
    let mut stitcher = Stitcher::new(Library::native());
    for _ in 0..times {
        black_box(stitcher.stitch(&verified).expect("it fits"));
    }
    println!("{} instructions, {times} times", insts(&verified));
}
