//! The run time of the examples' kernels: stitched, interpreted, and compiled from C.
//!
//! Comes in: the programs under `examples/` and their twins in `kernels.c`. Goes out: a table. What must hold: all of them
//! do the same work, which is made sure of by their results.

use std::path::Path;
use std::time::Duration;

use spasm::engine::{Config, Engine, Instance, Tier};
use spasm::streams::Streams;
use spasm::value::Value;
use spasm::{text, verify};

use crate::measure::{Times, all, alternate, geometric_mean};
use crate::table::Table;

macro_rules! twins {
    ($($name:ident $o2:ident $o0:ident)*) => {
        unsafe extern "C" { $( fn $o2(n: i64) -> u64; fn $o0(n: i64) -> u64; )* }

        /// A C function at both levels.
        #[derive(Clone, Copy)]
        struct Twin([unsafe extern "C" fn(i64) -> u64; 2]);

        $( #[allow(non_upper_case_globals, reason = "called as in C")] const $name: Twin = Twin([$o2, $o0]); )*
    };
}

twins! {
    fib o2_fib o0_fib
    sieve o2_sieve o0_sieve
    matmul_fill o2_matmul_fill o0_matmul_fill
    matmul o2_matmul o0_matmul
    matmul_total o2_matmul_total o0_matmul_total
    nbody o2_nbody o0_nbody
    mandelbrot o2_mandelbrot o0_mandelbrot
    quicksort_fill o2_quicksort_fill o0_quicksort_fill
    quicksort o2_quicksort o0_quicksort
    quicksort_middle o2_quicksort_middle o0_quicksort_middle
    hash_fill o2_hash_fill o0_hash_fill
    fnv1a o2_fnv1a o0_fnv1a
    xxh64 o2_xxh64 o0_xxh64
    sha256_fill o2_sha256_fill o0_sha256_fill
    sha256 o2_sha256 o0_sha256
    bytecode o2_bytecode o0_bytecode
    collatz o2_collatz o0_collatz
    gcd o2_gcd o0_gcd
    crc32_fill o2_crc32_fill o0_crc32_fill
    crc32 o2_crc32 o0_crc32
    queens o2_queens o0_queens
    spectral o2_spectral o0_spectral
    pi o2_pi o0_pi
}

/// What one round does to a kernel.
struct Kernel {
    /// The program's name.
    example: &'static str,
    /// How much work.
    n: i64,
    /// Called once, to make room.
    setup: Option<&'static str>,
    /// Called before each time the kernel is, and not timed.
    fill: Option<(&'static str, Vec<i64>, Twin)>,
    /// What is timed.
    timed: (&'static str, Vec<i64>, Twin),
    /// Gives the result where the kernel gives none.
    check: Option<(&'static str, Twin)>,
}

fn kernels() -> Vec<Kernel> {
    let plain = |example, function, n, twin| Kernel {
        example,
        n,
        setup: None,
        fill: None,
        timed: (function, vec![n], twin),
        check: None,
    };
    let memory = |kernel| Kernel { setup: Some("main"), ..kernel };
    let hashed = |kernel: Kernel, args, twin| {
        let n = kernel.n;
        Kernel { fill: Some(("fill", vec![n], twin)), timed: (kernel.timed.0, args, kernel.timed.2), ..memory(kernel) }
    };
    vec![
        plain("fib", "fib", 32, fib),
        plain("sieve", "sieve", 2_000_000, sieve),
        Kernel {
            check: Some(("total", matmul_total)),
            ..hashed(plain("matmul", "multiply", 160, matmul), vec![160], matmul_fill)
        },
        plain("nbody", "simulate", 100_000, nbody),
        plain("mandelbrot", "count", 150, mandelbrot),
        Kernel {
            fill: Some(("fill", vec![8 * 100_000], quicksort_fill)),
            check: Some(("middle", quicksort_middle)),
            ..memory(Kernel {
                timed: ("quicksort", vec![0, 8 * 99_999], quicksort),
                ..plain("quicksort", "", 100_000, quicksort)
            })
        },
        hashed(plain("hash", "fnv1a", 5_000_000, fnv1a), vec![0, 5_000_000], hash_fill),
        hashed(plain("hash", "xxh64", 20_000_000, xxh64), vec![0, 20_000_000, 0], hash_fill),
        Kernel { fill: None, ..memory(plain("sha256", "sha256", 1_000_000, sha256)) },
        plain("bytecode", "interpret", 10_000, bytecode),
        plain("collatz", "longest", 50_000, collatz),
        plain("gcd", "coprimes", 500, gcd),
        memory(Kernel { timed: ("crc32", vec![1024, 5_000_000], crc32), ..plain("crc32", "", 5_000_000, crc32) }),
        plain("queens", "queens", 10, queens),
        memory(plain("spectral", "norm", 200, spectral)),
        plain("pi", "main", 1_000_000, pi),
    ]
}

/// An instance of an example.
fn instance(example: &str, tier: Tier) -> Instance {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{example}.spasm"));
    let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let module = text::parse(example, &source).unwrap_or_else(|errors| panic!("{errors}"));
    let verified = verify::verify(module).unwrap_or_else(|error| panic!("{error}"));
    let mut instance = Engine::new(Config { tier, ..Config::default() }).instantiate(&verified).unwrap();
    instance.set_streams(Streams::captured("").0);
    instance
}

/// Calls a function of an example and gives the first result's bits.
fn call(instance: &mut Instance, function: &str, args: &[i64]) -> u64 {
    let args: Vec<Value> = args.iter().map(|&arg| Value::I64(arg)).collect();
    let results = instance.call(function, &args).unwrap_or_else(|error| panic!("{function}: {error}"));
    results.first().map_or(0, |value| value.bits())
}

/// The same for one kernel, whoever runs it.
struct Runner<'a> {
    fill: Box<dyn FnMut() + 'a>,
    run: Box<dyn FnMut() -> u64 + 'a>,
    check: Box<dyn FnMut() -> Option<u64> + 'a>,
}

fn spasm_runner<'a>(kernel: &'a Kernel, instance: &'a std::cell::RefCell<Instance>) -> Runner<'a> {
    if let Some(setup) = kernel.setup {
        call(&mut instance.borrow_mut(), setup, &[kernel.n]);
    }
    Runner {
        fill: Box::new(|| {
            if let Some((name, args, _)) = &kernel.fill {
                call(&mut instance.borrow_mut(), name, args);
            }
        }),
        run: Box::new(|| call(&mut instance.borrow_mut(), kernel.timed.0, &kernel.timed.1)),
        check: Box::new(|| kernel.check.as_ref().map(|(name, _)| call(&mut instance.borrow_mut(), name, &[kernel.n]))),
    }
}

fn c_runner(kernel: &Kernel, level: usize) -> Runner<'_> {
    // SAFETY: the functions take an int and stay within their memory for the sizes in the list.
    let at = move |twin: &Twin, n: i64| unsafe { twin.0[level](n) };
    match kernel.example {
        "crc32" => drop(at(&crc32_fill, kernel.n)),
        "sha256" => drop(at(&sha256_fill, kernel.n)),
        _ => {}
    }
    Runner {
        fill: Box::new(move || {
            if let Some((_, _, twin)) = &kernel.fill {
                at(twin, kernel.n);
            }
        }),
        run: Box::new(move || at(&kernel.timed.2, kernel.n)),
        check: Box::new(move || kernel.check.as_ref().map(|(_, twin)| at(twin, kernel.n))),
    }
}

fn result(runner: &mut Runner<'_>) -> u64 {
    (runner.fill)();
    let result = (runner.run)();
    (runner.check)().unwrap_or(result)
}

/// The times of one kernel: `-O2`, stitched, `-O0`, interpreted.
fn measure(kernel: &Kernel, rounds: usize) -> Vec<Times> {
    let native = std::cell::RefCell::new(instance(kernel.example, Tier::Baseline));
    let interpreted = std::cell::RefCell::new(instance(kernel.example, Tier::Interp));
    let mut runners = vec![
        c_runner(kernel, 0),
        spasm_runner(kernel, &native),
        c_runner(kernel, 1),
        spasm_runner(kernel, &interpreted),
    ];
    let results: Vec<u64> = runners.iter_mut().map(result).collect();
    assert!(results.iter().all(|r| *r == results[0]), "{} {}: {results:x?}", kernel.example, kernel.timed.0);
    let mut work: Vec<crate::measure::Work<'_>> = Vec::new();
    for runner in &mut runners {
        let Runner { fill, run, .. } = runner;
        let mut timed = all(run);
        work.push(Box::new(move || {
            fill();
            timed()
        }));
    }
    alternate(rounds, Duration::ZERO, &mut work)
}

/// The table of all kernels, or of those that are named.
pub fn table(rounds: usize, only: &[&str]) -> Table {
    let mut table = Table::new(&["kernel", "`cc -O2` ms", "spasm ms", "× `-O2`", "±", "`cc -O0` ×", "interpreter ×"]);
    let mut ratios = [Vec::new(), Vec::new(), Vec::new()];
    for kernel in kernels() {
        let name = match kernel.example {
            "hash" => kernel.timed.0.to_owned(),
            example => example.to_owned(),
        };
        if !only.is_empty() && !only.contains(&name.as_str()) {
            continue;
        }
        let times = measure(&kernel, rounds);
        let over = |nth: usize| times[nth].median() / times[0].median();
        (0..3).for_each(|nth| ratios[nth].push(over(nth + 1)));
        table.row(vec![
            name,
            format!("{:.2}", times[0].median() * 1e3),
            format!("{:.2}", times[1].median() * 1e3),
            format!("{:.2}", over(1)),
            format!("{:.0} %", 100.0 * (times[0].spread() + times[1].spread())),
            format!("{:.2}", over(2)),
            format!("{:.1}", over(3)),
        ]);
    }
    let means = ratios.map(|ratios| geometric_mean(&ratios));
    let cell = |mean: f64| format!("{mean:.2}");
    let empty = String::new;
    table.row(vec![
        "geometric mean".to_owned(),
        empty(),
        empty(),
        cell(means[0]),
        empty(),
        cell(means[1]),
        format!("{:.1}", means[2]),
    ]);
    table
}

/// Runs one function in the interpreter only, for a profiler to look at.
pub fn interpret(example: &str, function: &str, args: &[i64]) {
    println!("{}", call(&mut instance(example, Tier::Interp), function, args));
}
