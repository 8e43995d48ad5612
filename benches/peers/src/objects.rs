//! Writing an object beside stitching alone, which is what machine code in memory takes.
//!
//! Comes in: examples, modules of many functions. Goes out: a table of times an instruction. What must hold: all columns
//! begin with the same verified module.

use std::time::Duration;

use spasm::elf::{self, Options};
use spasm::library::Library;
use spasm::stitch::{Entries, Stitcher};
use spasm::verified::Verified;
use spasm::{text, verify};

use crate::measure::{Times, all, alternate};
use crate::table::Table;

fn programs() -> Vec<(String, Verified)> {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut found = Vec::new();
    for name in ["sha256", "nbody"] {
        let source = std::fs::read_to_string(format!("{examples}/{name}.spasm")).expect("the example is there");
        let module = text::parse(&format!("{name}.spasm"), &source).expect("the example is right");
        found.push((name.to_owned(), verify::verify(module).expect("the example is right")));
    }
    for functions in [100u32, 2_000] {
        // As compilers make them: many functions of some dozen instructions.
        let mut source = String::new();
        for number in 0..functions {
            source += &FUNCTION.replace("NAME", &format!("f{number}"));
        }
        let module = text::parse("many.spasm", &source).expect("the text is right");
        found.push((format!("{functions} functions"), verify::verify(module).expect("the text is right")));
    }
    found
}

const FUNCTION: &str = "
func NAME(i64, i64) -> i64
    const r1, 1
    const r2, 0
again:
    mul r3, a1, a1
    add r2, r2, r3
    sub a1, a1, r1
    less r4, r1, a1
    jmpt r4, again
    jmpf a2, out
    sub a2, a2, r1
    call r5, NAME, a1, a2
    add r2, r2, r5
    div r2, r2, a2
out:
    xor r2, r2, a1
    shl r6, r2, r1
    ret r6
";

#[allow(clippy::cast_precision_loss, reason = "a count of instructions")]
fn nanoseconds(times: &Times, insts: usize) -> String {
    format!("{:.1}", times.median() * 1e9 / insts as f64)
}

/// Nanoseconds an instruction.
pub fn objects_table(rounds: usize) -> Table {
    let mut table = Table::new(&[
        "verified module to …",
        "instructions",
        "image, ns/inst",
        "image with entries",
        "object",
        "without debug",
        "object / image",
    ]);
    for (name, verified) in programs() {
        let insts = verified.module().functions.iter().map(|function| function.insts.len()).sum();
        let library = Library::native();
        let mut stitchers = [Entries::Taken, Entries::All, Entries::All, Entries::All].map(|entries| {
            let mut stitcher = Stitcher::new(library);
            stitcher.set_entries(entries);
            stitcher
        });
        let [plain, with_entries, one, other] = &mut stitchers;
        let object = |debug: bool, stitcher: &mut Stitcher<'_>| {
            let image = stitcher.stitch(&verified).expect("it can be stitched");
            // The runtime is the same few hundred microseconds for every object, however large.
            let options = Options { debug, runtime: false, ..Options::default() };
            elf::write(&verified, &image, library, &options).expect("it can be written")
        };
        let times = alternate(
            rounds,
            Duration::from_millis(20),
            &mut [
                all(|| plain.stitch(&verified)),
                all(|| with_entries.stitch(&verified)),
                all(|| object(true, one)),
                all(|| object(false, other)),
            ],
        );
        let mut row = vec![name, format!("{insts}")];
        row.extend(times.iter().map(|times| nanoseconds(times, insts)));
        row.push(format!("{:.2}", times[2].median() / times[0].median()));
        table.row(row);
    }
    table
}

/// Writes the object of the largest program again and again, for tools that look at that only.
pub fn only(times: u32) {
    let (_, verified) = programs().pop().expect("there are programs");
    let library = Library::native();
    let mut stitcher = Stitcher::new(library);
    stitcher.set_entries(Entries::All);
    let image = stitcher.stitch(&verified).expect("it can be stitched");
    for _ in 0..times {
        let options = Options { runtime: false, ..Options::default() };
        std::hint::black_box(elf::write(&verified, &image, library, &options).expect("it can be written"));
    }
}
