//! Modules of odd shapes, each in two sizes: what takes longer an operator when there is more of it is not linear.
//!
//! Comes in: a shape and a size. Goes out: a table of times an operator, and how they grow. What must hold: the larger one
//! is four times the smaller one, so that a quadratic step shows as a growth of up to four.

use std::fmt::Write;
use std::time::Duration;

use super::Problem;
use super::compile::{Piece, Program, charged, measure};
use super::engines::Peer;
use crate::table::Table;

/// A shape: its name, its larger size, and how it is written in the text format.
type Shape = (&'static str, usize, fn(usize) -> String);

const SHAPES: [Shape; 11] = [
    ("operators in a line", 400_000, line),
    ("values on the stack", 50_000, stack),
    ("locals", 49_999, locals),
    ("branches of a table", 100_000, table_of_branches),
    ("blocks in each other", 20_000, nested),
    ("ifs after each other", 100_000, ifs),
    ("loops after each other", 50_000, loops),
    ("parameters and results", 1_000, parameters),
    ("functions", 100_000, functions),
    ("blocks with all locals changed", 4_000, joins),
    ("calls", 100_000, calls),
];

/// The table of all shapes. Of the peers there are those that are meant to be linear.
pub fn table(rounds: usize) -> Result<Table, Problem> {
    let peers = [Peer::Spasm, Peer::Winch, Peer::Wasmi];
    let mut head =
        vec!["ns for each operator, branch target and local".to_owned(), "size".to_owned(), "of these".to_owned()];
    for peer in peers {
        head.extend([format!("{}: a quarter", peer.name()), "all".to_owned(), "growth".to_owned()]);
    }
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, size, text) in SHAPES {
        let make = |size| {
            let wasm = wat::parse_str(text(size)).map_err(|error| format!("{name}: {error}"))?;
            Program::new(name, wasm)
        };
        let (quarter, whole) = (make(size / 4)?, make(size)?);
        let mut row = vec![name.to_owned(), size.to_string(), whole.counts.parts.to_string()];
        for peer in peers {
            let mut pieces = [(peer.name().to_owned(), charged(peer.compile()?))];
            match (each(&mut pieces, &quarter, rounds), each(&mut pieces, &whole, rounds)) {
                (Ok(small), Ok(large)) => {
                    row.extend([format!("{small:.1}"), format!("{large:.1}"), format!("{:.2}", large / small)]);
                }
                _ => row.extend(["–".to_owned(), "–".to_owned(), String::new()]),
            }
        }
        table.row(row);
    }
    Ok(table)
}

/// Nanoseconds for each part.
#[allow(clippy::cast_precision_loss, reason = "a count")]
fn each(pieces: &mut [(String, Piece)], program: &Program, rounds: usize) -> Result<f64, Problem> {
    let times = measure(pieces, program, rounds, Duration::from_millis(5)).pop().expect("there is one piece")?;
    Ok(times.median() * 1e9 / program.counts.parts as f64)
}

/// The text of a module with one function of two ints.
fn function(locals: &str, body: &str) -> String {
    format!("(module (memory 1) (func (export \"f\") (param i32 i32) (result i32) {locals}\n{body}))")
}

/// What a number gives, one after the other.
fn repeated(count: usize, mut one: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::new();
    for number in 0..count {
        one(&mut text, number);
        text.push('\n');
    }
    text
}

macro_rules! say {
    ($text:expr, $($what:tt)*) => { write!($text, $($what)*).expect("a string takes all") };
}

fn line(size: usize) -> String {
    let body =
        repeated(size / 4, |text, n| say!(text, "local.get {} i32.const {n} i32.add local.set {}", n % 2, 1 - n % 2));
    function("", &format!("{body} local.get 0"))
}

fn stack(size: usize) -> String {
    let up = repeated(size, |text, n| say!(text, "local.get 0 i32.const {n} i32.mul"));
    function("", &(up + &"i32.add\n".repeat(size - 1)))
}

fn locals(size: usize) -> String {
    let set = repeated(size, |text, n| say!(text, "local.get 0 local.set {}", n + 2));
    let sum = repeated(size, |text, n| say!(text, "local.get {} i32.xor", n + 2));
    function(&format!("(local {})", "i32 ".repeat(size - 2)), &format!("{} local.get 1 {}", cut(&set, 2), cut(&sum, 2)))
}

/// Without the last lines.
fn cut(text: &str, lines: usize) -> String {
    let count = text.lines().count().saturating_sub(lines);
    text.lines().take(count).collect::<Vec<_>>().join("\n")
}

fn table_of_branches(size: usize) -> String {
    let targets = repeated(size, |text, n| say!(text, "{}", n % 4));
    function("", &format!("block block block block local.get 0 br_table {targets} 3 end end end end local.get 1"))
}

fn nested(size: usize) -> String {
    let open = repeated(size, |text, n| say!(text, "block local.get 0 i32.const {n} i32.lt_s br_if {}", n / 2));
    function("", &format!("{open} {} local.get 1", "end\n".repeat(size)))
}

fn ifs(size: usize) -> String {
    let all = repeated(size, |text, n| {
        say!(text, "local.get 0 if local.get 1 i32.const {n} i32.add local.set 1 else local.get 1 local.set 0 end");
    });
    function("", &(all + "local.get 1"))
}

fn loops(size: usize) -> String {
    let all = repeated(size, |text, n| {
        say!(text, "loop local.get 0 i32.const {n} i32.sub local.tee 0 local.get 1 i32.gt_s br_if 0 end");
    });
    function("", &(all + "local.get 1"))
}

/// A function with as many parameters as results, called ten times from another one.
fn parameters(size: usize) -> String {
    let types = "i32 ".repeat(size);
    let gets = repeated(size, |text, n| say!(text, "local.get {n}"));
    let calls = "call 0\n".repeat(10);
    format!(
        "(module (func (param {types}) (result {types}) {gets})
        (func (export \"f\") (param {types}) (result {types}) {gets} {calls}))"
    )
}

fn functions(size: usize) -> String {
    let all = repeated(size, |text, n| {
        say!(text, "(func (param i32 i32) (result i32) local.get 0 i32.const {n} i32.mul local.get 1 i32.xor)");
    });
    format!("(module {all})")
}

/// Many variables, all of which live through many joins.
fn joins(size: usize) -> String {
    let all = repeated(size, |text, n| {
        say!(text, "local.get 0 if");
        for local in 0..8 {
            say!(
                text,
                " local.get {} local.get {} i32.add local.set {}",
                (n + local) % 64,
                local,
                (n * 8 + local) % 64
            );
        }
        say!(text, " end");
    });
    let sum = repeated(62, |text, n| say!(text, "local.get {} i32.xor", n + 2));
    function(&format!("(local {})", "i32 ".repeat(62)), &format!("{all} local.get 1 {sum}"))
}

fn calls(size: usize) -> String {
    let all = repeated(size, |text, n| say!(text, "local.get 0 i32.const {n} call 0 local.set 0"));
    format!(
        "(module (func (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
        (func (export \"f\") (param i32) (result i32) {all} local.get 0))"
    )
}
