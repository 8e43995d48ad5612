//! `spasm snippets bench`: how fast are the snippets of an instruction?
//!
//! Comes in: an instruction, and perhaps templates for it. Goes out: nanoseconds for each, where every instruction waits
//! for the one before it, and where none does. What must hold: all that is compared runs in turns, in one process, as
//! code of the stitcher; loops and glue are the same for all.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use spasm::diagnostic::Diagnostic;
use spasm::engine::{Config, Engine, Instance, Snippets, TypedFunction};
use spasm::explain::ink::{Ink, Pen};
use spasm::isa::custom::CustomOp;
use spasm::isa::fusion::{Feeds, Fusion, When};
use spasm::isa::op::{Op, Row, Shape, Type};
use spasm::library::{Library, native_features};
use spasm::snippets::Toolchain;
use spasm::text::{self, nearest};
use spasm::verify::verify;

use super::args::Given;
use super::commands::OptId;
use super::failure::Failure;
use super::style::Paint;
use super::{output, templates};

/// Instructions in the body of a loop.
const BODY: usize = 60;
/// How many of them do not wait for each other.
const STREAMS: usize = 6;
/// How often everything is measured.
const ROUNDS: usize = 15;
/// The registers of a fusion's constant, and of the value between its two instructions.
const LITERAL: usize = 8;
const BETWEEN: usize = 9;
/// How long one measurement is to take at least, in nanoseconds.
const SPAN: f64 = 2e6;

/// Runs the command.
pub fn bench(given: &Given) -> Result<(), Failure> {
    let name = given.words[0].to_string_lossy();
    let mut libraries: Vec<(String, Option<Snippets>)> = vec![("built-in".to_owned(), None)];
    for file in &given.words[1..] {
        let loaded = Toolchain::default().load(&[PathBuf::from(file)]).map_err(|errors| templates::refused(&errors))?;
        libraries.push((file.to_string_lossy().into_owned(), Some(loaded.snippets)));
    }
    let row = find(&name, &libraries)?;
    if let Some(op) = &row.custom {
        // Nothing is built in for it, and every file has to have it.
        libraries.retain(|(_, snippets)| snippets.is_some_and(|snippets| snippets.opcodes().contains(op)));
    }
    let mut columns = Vec::new();
    if row.result.map(Type::class) == row.args.first().map(|ty| ty.class()) {
        columns.push(Column::new("dependent", &program(&row, 1), &libraries)?);
    }
    columns.push(Column::new("independent", &program(&row, STREAMS), &libraries)?);
    for _ in 0..ROUNDS {
        columns.iter_mut().try_for_each(Column::round)?;
    }
    let pen = Pen { coloured: Paint::new(given.word(OptId::Color), &io::stdout()).coloured };
    output::print(table(&row, &libraries, &columns, pen).as_bytes())
}

/// What is measured.
struct Subject {
    name: String,
    args: Vec<Type>,
    result: Option<Type>,
    /// Where it is a declared opcode.
    custom: Option<CustomOp>,
    /// Where it is two instructions.
    fusion: Option<Fusion>,
}

impl Subject {
    fn of_row(row: &Row) -> Subject {
        Subject { name: row.name(), args: row.args.to_vec(), result: row.result, custom: None, fusion: None }
    }

    /// Two instructions; the sources that are no constants come in their order.
    fn of_fusion(fusion: &Fusion) -> Subject {
        let ops = std::iter::once(fusion.first).chain(fusion.second).map(|op| op.row().name());
        let args = fusion.sources().into_iter().zip(fusion.when).filter(|(_, when)| *when == When::Any);
        Subject {
            name: ops.collect::<Vec<_>>().join("+"),
            args: args.filter_map(|(ty, _)| ty).collect(),
            result: fusion.result(),
            custom: None,
            fusion: Some(*fusion),
        }
    }

    /// The constant that a fusion asks for in the place of its second source.
    fn literal(&self) -> Option<i64> {
        match self.fusion?.when[1] {
            When::Any => None,
            When::Is(value) => Some(value.into()),
            When::Power => Some(8),
        }
    }

    /// The lines that compute `target` from these registers.
    fn lines(&self, target: usize, sources: &[usize]) -> String {
        let list = |registers: &[usize]| registers.iter().map(|r| format!(", r{r}")).collect::<String>();
        let Some((fusion, second)) = self.fusion.and_then(|fusion| Some((fusion, fusion.second?))) else {
            return format!("    {} r{target}{}\n", self.name, list(sources));
        };
        let arity = fusion.first.row().args.len();
        let own = if self.literal().is_some() { arity - 1 } else { arity };
        let (first, other) = sources.split_at(own);
        let literal = if self.literal().is_some() { &[LITERAL][..] } else { &[] };
        let turned = fusion.feeds == Feeds::B;
        let rest = if turned { [other, &[BETWEEN]].concat() } else { [&[BETWEEN], other].concat() };
        format!(
            "    {} r{BETWEEN}{}{}\n    {} r{target}{}\n",
            fusion.first.row().name(),
            list(first),
            list(literal),
            second.row().name(),
            list(&rest)
        )
    }

    fn of_opcode(op: CustomOp) -> Subject {
        Subject { name: op.name.clone(), args: op.params.clone(), result: op.result, custom: Some(op), fusion: None }
    }
}

/// The instruction of this name, which computes something.
fn find(name: &str, libraries: &[(String, Option<Snippets>)]) -> Result<Subject, Failure> {
    let is_it = |known: &str| known == name || known == format!("{name}.i64");
    let computes = |row: &&&Row| row.shape == Shape::Value;
    let rows = || Op::ROWS.iter().filter(|row| computes(&row));
    if let Some(row) = rows().find(|row| is_it(&row.name())) {
        return Ok(Subject::of_row(row));
    }
    let declared = libraries.iter().filter_map(|(_, snippets)| *snippets).flat_map(Snippets::opcodes);
    let declared: Vec<CustomOp> = declared.collect();
    if let Some(op) = declared.iter().find(|op| is_it(&op.name) && !op.params.is_empty() && op.result.is_some()) {
        return Ok(Subject::of_opcode(op.clone()));
    }
    // Where a library has no such fusion, it is measured as two instructions.
    let laid = libraries.iter().filter_map(|(_, snippets)| *snippets).map(|laid| laid.library(native_features()));
    let all: Vec<Fusion> = laid.chain([Library::native().clone()]).flat_map(|l| l.fusions().all().to_vec()).collect();
    let measured = |fusion: &&Fusion| {
        let values = !fusion.loads() && !fusion.branches() && fusion.second.is_some();
        values && fusion.when[0] == When::Any && fusion.when[2] == When::Any && is_it(&Subject::of_fusion(fusion).name)
    };
    if let Some(fusion) = all.iter().find(measured) {
        return Ok(Subject::of_fusion(fusion));
    }
    let joined = name.contains('+') && Library::native().infos().iter().any(|info| info.name == name);
    if joined
        || declared.iter().any(|op| is_it(&op.name))
        || Op::ROWS.iter().any(|row| row.name() == name || row.mnemonic == name)
    {
        let error = Diagnostic::new(format!("`{name}` cannot be measured by itself"));
        return Err(error
            .help("only instructions that compute a value from registers can, with their type: `mul.i32`")
            .into());
    }
    let names: Vec<String> = rows().map(Row::name).chain(declared.into_iter().map(|op| op.name)).collect();
    let error = Diagnostic::new(format!("there is no instruction `{name}`"));
    let near = nearest(name, names.iter().map(String::as_str));
    Err(near.map_or(error.clone(), |near| error.help(format!("did you mean `{near}`?"))).into())
}

/// A loop over `BODY` of the instructions, in so many streams: each instruction of a stream waits for the one before.
fn program(row: &Subject, streams: usize) -> String {
    let literals = |ty: Type| match ty {
        Type::I32 | Type::I64 | Type::Funcref | Type::Externref => ("1311768467463790320", "3"),
        Type::F32 | Type::F64 => ("1.5", "1.0000001"),
    };
    let (one, _) = literals(row.args[0]);
    let mut text = String::from("func f(i64) -> i64\n    const r1, 1\n");
    let suffix = |ty: Type| ty.name();
    // Where the other sources are, and what they are copied from.
    let others: Vec<(usize, usize, Type)> =
        row.args.iter().enumerate().skip(1).map(|(nth, &ty)| (2 * nth + 1, 2 * nth, ty)).collect();
    for (register, from, ty) in &others {
        let _ = writeln!(text, "    const.{} r{from}, {}\n    move r{register}, r{from}", suffix(*ty), literals(*ty).1);
    }
    if let Some(literal) = row.literal() {
        let _ = writeln!(text, "    const r{LITERAL}, {literal}");
    }
    // A constant is folded into what reads it; what went through a move in another block is not.
    let same = row.result.map(Type::class) == Some(row.args[0].class());
    let one = if row.args[0] == Type::I32 { "19088743" } else { one };
    for stream in 0..streams {
        let _ = writeln!(text, "    const.{} r{}, {one}", suffix(row.args[0]), 10 + stream);
    }
    text += "next:\n";
    for number in 0..BODY {
        let source = 10 + number % streams;
        let target = if same { source } else { 30 + number % streams };
        let sources: Vec<usize> =
            std::iter::once(source).chain(others.iter().map(|(register, ..)| *register)).collect();
        text += &row.lines(target, &sources);
        if !same {
            // What nobody reads would not be computed.
            let _ = writeln!(text, "    gset g{}, r{target}", number % streams);
        }
    }
    for (register, from, _) in &others {
        // Written in the loop, so that it is no constant.
        let _ = writeln!(text, "    move r{register}, r{from}");
    }
    text += "    sub a1, a1, r1\n    jmpt a1, next\n";
    // Everything is read in the end, or it would not be computed.
    for stream in 0..streams {
        let _ = writeln!(text, "    gset g{stream}, r{}", if same { 10 } else { 30 } + stream);
    }
    let result = row.result.unwrap_or(Type::I64).class().widest();
    let zero = if result.class().is_float() { "0.0" } else { "0" };
    let globals: String = (0..streams).map(|n| format!("global g{n} {} = {zero}\n", result.name())).collect();
    globals + &text + "    ret r1\n"
}

/// One program, with all libraries.
struct Column {
    title: &'static str,
    runs: Vec<Run>,
}

struct Run {
    instance: Instance,
    function: TypedFunction<i64, i64>,
    loops: i64,
    /// Nanoseconds an instruction, a measurement each.
    times: Vec<f64>,
}

impl Column {
    fn new(title: &'static str, source: &str, libraries: &[(String, Option<Snippets>)]) -> Result<Column, Failure> {
        let refused = |error: &dyn std::fmt::Display| Diagnostic::new(format!("cannot be measured: {error}"));
        let mut runs = Vec::with_capacity(libraries.len());
        for (_, snippets) in libraries {
            let module = text::parse_with("bench", source, &templates::opcodes(*snippets))?;
            let verified = verify(module).map_err(|error| refused(&error))?;
            let engine = Engine::new(Config { snippets: *snippets, ..Config::default() });
            let instance = engine.instantiate(&verified).map_err(|error| refused(&error))?;
            let function = instance.typed::<i64, i64>("f").map_err(|error| refused(&error))?;
            let mut run = Run { instance, function, loops: 16, times: Vec::with_capacity(ROUNDS) };
            while run.once()? < SPAN && run.loops < 1 << 40 {
                run.loops *= 2;
            }
            runs.push(run);
        }
        Ok(Column { title, runs })
    }

    /// Measures each library once.
    fn round(&mut self) -> Result<(), Failure> {
        for run in &mut self.runs {
            let time = run.once()? / (run.loops as f64 * BODY as f64);
            run.times.push(time);
        }
        Ok(())
    }
}

impl Run {
    /// How many nanoseconds all loops take.
    fn once(&mut self) -> Result<f64, Failure> {
        let start = Instant::now();
        let result = self.function.call(&mut self.instance, self.loops);
        let time = start.elapsed().as_secs_f64() * 1e9;
        result.map(|_| time).map_err(|error| Diagnostic::new(format!("cannot be measured: {error}")).into())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times
    }

    fn median(&self) -> f64 {
        let times = self.sorted();
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }

    /// Half of the distance between the quartiles, as a part of the median.
    fn spread(&self) -> f64 {
        let times = self.sorted();
        let quartile = |part: usize| times.get(times.len() * part / 4).copied().unwrap_or(0.0);
        (quartile(3) - quartile(1)) / 2.0 / self.median().max(f64::MIN_POSITIVE)
    }
}

fn table(row: &Subject, libraries: &[(String, Option<Snippets>)], columns: &[Column], pen: Pen) -> String {
    let width = libraries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(row.name.len());
    let mut out = format!("{:width$}", row.name);
    for column in columns {
        let _ = write!(out, "  {:>26}", column.title);
    }
    out = pen.ink(Ink::Quiet, &out) + "\n";
    for (number, (name, _)) in libraries.iter().enumerate() {
        let _ = write!(out, "{name:width$}");
        for column in columns {
            let run = &column.runs[number];
            let ratio = run.median() / column.runs[0].median();
            let spread = format!("±{:.0} %", run.spread() * 100.0);
            let _ = write!(out, "  {:7.2} ns {spread:>6} {ratio:7.2}×", run.median());
        }
        out.push('\n');
    }
    let stored =
        if columns.len() == 1 { " Each result is stored, since none can be the next one's source." } else { "" };
    let note = format!(
        "Nanoseconds an instruction, the median of {ROUNDS} runs in turns, its spread, and the ratio to the first. \
         Dependent: each\nwaits for the one before it. Independent: {STREAMS} at a time do not wait for each other.{stored}"
    );
    out + "\n" + &pen.ink(Ink::Quiet, &note) + "\n"
}
