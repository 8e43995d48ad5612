//! How fast code is made: from a module's bytes in memory to all of its code, validation included, in one thread.
//!
//! Comes in: a module that is next to nothing, kernels, and programs that people use. Goes out: tables. What must hold: no
//! engine leaves work for later, and what is made is dropped when no clock runs.

use std::time::{Duration, Instant};

use wasmparser::{Validator, WasmFeatures};

use super::engines::spasm;
use super::engines::{Compile, Peer};
use super::operators::{self, Counts};
use super::{Problem, kernels, memory, programs};
use crate::measure::{Times, Work, alternate, now};
use crate::table::Table;

/// A module to make code of.
pub struct Program {
    pub name: String,
    pub wasm: Vec<u8>,
    pub counts: Counts,
}

impl Program {
    pub fn new(name: &str, wasm: Vec<u8>) -> Result<Program, Problem> {
        let counts = operators::count(&wasm).map_err(|error| format!("{name}: {error}"))?;
        Ok(Program { name: name.to_owned(), wasm, counts })
    }
}

/// Cranelift is given no more operators than these: it would take minutes.
const MOST_FOR_CRANELIFT: usize = 2_000_000;

/// Greatest common divisor, by subtraction where that is enough: thirty operators with each kind of block.
const SMALL: &str = r#"(module
    (memory 1)
    (func (export "gcd") (param $a i32) (param $b i32) (result i32) (local $t i32)
        (if (i32.eqz (local.get $a)) (then (return (local.get $b))))
        (block $done
            (loop $again
                (br_if $done (i32.eqz (local.get $b)))
                (local.set $t (i32.rem_u (local.get $a) (local.get $b)))
                (local.set $a (local.get $b))
                (local.set $b (local.get $t))
                (br $again)))
        (i32.store (i32.const 8) (local.get $a))
        (i32.add (local.get $a) (i32.const 0))))"#;

/// The table of the smallest module.
pub fn small_table(rounds: usize) -> Result<Table, Problem> {
    let wasm = wat::parse_str(SMALL).map_err(|error| error.to_string())?;
    let program = Program::new("gcd", wasm)?;
    let title = format!("a module of {} operators", program.counts.operators);
    let mut table = Table::new(&[&title, "µs from bytes to code", "±", "and to an instance", "±"]);
    let mut pieces = vec![("validation alone".to_owned(), charged(validation()))];
    for peer in Peer::COMPILERS {
        pieces.push((peer.name().to_owned(), charged(peer.compile()?)));
        pieces.push((peer.name().to_owned(), charged(peer.instantiate()?)));
    }
    let mut times = measure(&mut pieces, &program, rounds, Duration::from_millis(20)).into_iter();
    let mut next = || {
        let times = times.next().expect("one for each")?;
        Ok::<_, Problem>([format!("{:.2}", times.median() * 1e6), format!("{:.0} %", times.spread() * 100.0)])
    };
    let [time, spread] = next()?;
    table.row(vec!["validation alone".to_owned(), time, spread, String::new(), String::new()]);
    for peer in Peer::COMPILERS {
        let mut row = vec![peer.name().to_owned()];
        row.extend(next()?);
        row.extend(next()?);
        table.row(row);
    }
    Ok(table)
}

/// Something to do with the bytes of a module, which says how long the part of it took that counts.
pub type Piece = Box<dyn FnMut(&[u8]) -> Result<Duration, Problem>>;

/// Validation as it is done while translating, and nothing else.
fn validation() -> Compile {
    Box::new(|wasm| {
        let types = Validator::new_with_features(WasmFeatures::WASM2).validate_all(wasm);
        Ok(Box::new(types.map_err(|error| error.to_string())?))
    })
}

/// The time that making takes; dropping is not counted.
pub fn charged(mut compile: Compile) -> Piece {
    Box::new(move |wasm| {
        let start = now();
        let made = compile(wasm);
        let spent = now().saturating_sub(start);
        made.map(|_| spent)
    })
}

/// The modules of the large tables: some kernels' and the real ones, or those that are named.
pub fn programs(only: &[&str]) -> Result<Vec<Program>, Problem> {
    const KERNELS: [&str; 4] = ["bignum", "keccak", "sha256", "vm"];
    let wanted = |name: &str| only.is_empty() || only.contains(&name);
    let mut all = Vec::new();
    if only.is_empty() || only.iter().any(|name| KERNELS.contains(name)) {
        for kernel in kernels::built(&KERNELS.into_iter().filter(|name| wanted(name)).collect::<Vec<_>>())? {
            all.push(Program::new(kernel.name, kernel.wasm)?);
        }
    }
    for (name, wasm) in programs::fetched(only) {
        all.push(Program::new(name, wasm)?);
    }
    Ok(all)
}

/// The table of nanoseconds an operator.
pub fn table(programs: &[Program]) -> Result<Table, Problem> {
    let mut head =
        vec!["ns an operator", "functions", "operators", "validation alone", "translate", "verify", "stitch"];
    head.extend(Peer::COMPILERS.map(Peer::name));
    let mut table = Table::new(&head);
    for program in programs {
        let parts = [validation(), spasm::partly(false), spasm::partly(true)];
        let mut pieces: Vec<(String, Piece)> = parts.map(|part| ("a part".to_owned(), charged(part))).into();
        for peer in Peer::COMPILERS {
            pieces.push((peer.name().to_owned(), charged(peer.compile()?)));
        }
        let rounds = if program.counts.operators > 500_000 { 3 } else { 9 };
        let times = measure(&mut pieces, program, rounds, Duration::from_millis(10));
        let each: Vec<f64> = times.iter().map(|times| per_operator(times, program)).collect();
        let mut row =
            vec![program.name.clone(), program.counts.functions.to_string(), program.counts.operators.to_string()];
        // What is done more than before is what the parts are told apart by.
        let cells =
            [each[0], each[1], each[2] - each[1], each[3] - each[2]].into_iter().chain(each[3..].iter().copied());
        row.extend(cells.map(|cell| if cell.is_nan() { "–".to_owned() } else { format!("{cell:.1}") }));
        table.row(row);
    }
    Ok(table)
}

/// Nanoseconds; not a number where there are no times.
#[allow(clippy::cast_precision_loss, reason = "a count of operators")]
fn per_operator(times: &Result<Times, Problem>, program: &Program) -> f64 {
    times.as_ref().map_or(f64::NAN, |times| times.median() * 1e9 / program.counts.operators as f64)
}

/// The table of what several threads are good for, by the clock on the wall.
pub fn threads_table(programs: &[Program], rounds: usize) -> Result<Table, Problem> {
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let mut head = vec!["Spasm, ms".to_owned()];
    head.extend((1..=most).map(|threads| format!("{threads} thread{}", if threads == 1 { "" } else { "s" })));
    head.push("gain".to_owned());
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for program in large(programs) {
        let mut compilers: Vec<Compile> = (1..=most).map(spasm::compile).collect();
        let work = compilers.iter_mut().map(|compile| {
            Box::new(|| {
                let start = Instant::now();
                let made = compile(&program.wasm);
                let spent = start.elapsed();
                made.map(|_| spent).expect("it could before")
            }) as Work<'_>
        });
        let times = alternate(rounds, Duration::ZERO, &mut work.collect::<Vec<_>>());
        let mut row = vec![program.name.clone()];
        row.extend(times.iter().map(|times| format!("{:.1}", times.median() * 1e3)));
        row.push(format!("{:.2}", times[0].median() / times[most - 1].median()));
        table.row(row);
    }
    Ok(table)
}

/// Those with so many operators that what is the same for every module does not count.
fn large(programs: &[Program]) -> impl Iterator<Item = &Program> {
    programs.iter().filter(|program| program.counts.operators > 100_000)
}

/// The times of each piece for one module. A piece that cannot do it says so and has none.
pub fn measure(
    pieces: &mut [(String, Piece)],
    program: &Program,
    rounds: usize,
    least: Duration,
) -> Vec<Result<Times, Problem>> {
    let able: Vec<Result<(), Problem>> = pieces.iter_mut().map(|(name, piece)| able(name, piece, program)).collect();
    let chosen = pieces.iter_mut().zip(&able).filter(|(_, able)| able.is_ok());
    let work = chosen.map(|((_, piece), _)| Box::new(|| piece(&program.wasm).expect("it could before")) as Work<'_>);
    let mut work: Vec<Work<'_>> = work.collect();
    let mut times = alternate(rounds, least, &mut work).into_iter();
    able.into_iter().map(|able| able.map(|()| times.next().expect("one for each"))).collect()
}

fn able(name: &str, piece: &mut Piece, program: &Program) -> Result<(), Problem> {
    if name == Peer::Cranelift.name() && program.counts.operators > MOST_FOR_CRANELIFT {
        return Err("too long for a benchmark".to_owned());
    }
    piece(&program.wasm).map(drop).inspect_err(|problem| eprintln!("{}: {problem}", program.name))
}

/// The table of memory that is used while code is made.
pub fn memory_table(programs: &[Program]) -> Result<Table, Problem> {
    let mut head = vec!["bytes an operator".to_owned(), "operators".to_owned(), "module".to_owned()];
    for peer in Peer::COMPILERS {
        head.extend(["peak", "code", "kept"].map(|what| format!("{}: {what}", peer.name())));
    }
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for program in large(programs) {
        let each = |bytes: usize| per(bytes, program.counts.operators);
        let mut row = vec![program.name.clone(), program.counts.operators.to_string(), each(program.wasm.len())];
        for peer in Peer::COMPILERS {
            let able = peer != Peer::Cranelift || program.counts.operators <= MOST_FOR_CRANELIFT;
            let used = if able { Some(memory::used(peer, program)?) } else { None };
            let cell = |bytes: Option<usize>| bytes.map_or_else(|| "–".to_owned(), each);
            row.extend(
                [used.map(|used| used.peak), used.and_then(|used| used.code), used.map(|used| used.kept)].map(cell),
            );
        }
        table.row(row);
    }
    Ok(table)
}

#[allow(clippy::cast_precision_loss, reason = "counts of bytes and operators")]
fn per(bytes: usize, operators: usize) -> String {
    format!("{:.1}", bytes as f64 / operators as f64)
}
