//! The checker accepts what the stitcher makes of every program at hand and of random ones, on every kind of machine.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    reason = "random numbers are cut as needed, and a program is written once"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use spasm::check::{Report, check};
use spasm::generate;
use spasm::isa::snippet::Features;
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::stitch::image::{Helper, Image, Relocation, Symbol};
use spasm::verified::Verified;
use spasm::verify::verify;

/// The machine at hand, a plain one, and the machine at hand without one of its features.
fn libraries() -> Vec<Library> {
    let native = Library::native();
    let mut all = vec![native.clone(), Library::with_features(Features(0))];
    for (_, bit) in Features::ALL {
        if native.features().has(bit) && native.infos().iter().any(|info| info.needs & bit != 0) {
            all.push(Library::with_features(Features(native.features().0 & !bit)));
        }
    }
    all
}

/// Says what was at hand when something panics.
struct AtHand<'a>(&'a str);

impl Drop for AtHand<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was {}", self.0);
        }
    }
}

fn accepted(what: &str, stitcher: &mut Stitcher<'_>, library: &Library, verified: &Verified) -> Report {
    let _at_hand = AtHand(what);
    let (image, trace) = stitcher.stitch_traced(verified).unwrap();
    match check(verified, &image, &trace, library) {
        Ok(report) => report,
        Err(defects) => {
            let list: Vec<String> = defects.iter().map(ToString::to_string).collect();
            let text = spasm::text::print(verified.module());
            panic!("{what}, features {:#x}:\n{}\n\n{text}", library.features().0, list.join("\n"));
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "spasm") {
            found.push(path);
        }
    }
}

#[test]
fn files_are_stitched_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("examples"), &mut found);
    files(&root.join("tests"), &mut found);
    assert!(found.len() >= 8, "the examples are gone");
    for library in libraries() {
        let mut stitcher = Stitcher::new(&library);
        for path in &found {
            let text = std::fs::read_to_string(path).unwrap();
            // Some case files are there to be refused.
            let Ok(module) = spasm::text::parse(&path.display().to_string(), &text) else { continue };
            if let Ok(verified) = verify(module) {
                accepted(&path.display().to_string(), &mut stitcher, &library, &verified);
            }
        }
    }
}

#[test]
fn random_programs_are_stitched_right() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    let (from, count) = (number("SEED", 0), number("COUNT", 20_000));
    let budget = Duration::from_secs(number("SECONDS", 8));
    let libraries = libraries();
    let mut stitchers: Vec<Stitcher<'_>> = libraries.iter().map(Stitcher::new).collect();
    let (start, mut programs, mut total) = (Instant::now(), 0, Report::default());
    for seed in from..from + count {
        // The first two kinds of machine see every program, the others take turns.
        let others = libraries.len() - 2;
        let third = if others == 0 { 0 } else { 2 + seed as usize % others };
        let verified = verify(generate::seeded(seed).module).unwrap();
        for which in [0, 1, third] {
            let report = accepted(&format!("seed {seed}"), &mut stitchers[which], &libraries[which], &verified);
            total.functions += report.functions;
            total.instructions += report.instructions;
            total.steps += report.steps;
            total.idle += report.idle;
        }
        programs += 1;
        if start.elapsed() > budget && programs >= 30 {
            break;
        }
    }
    println!("{programs} programs: {total:?}");
    assert!(total.instructions > 0);
}

/// Stitches a program and has it checked.
fn checked(text: &str) -> Report {
    let verified = verify(spasm::text::parse("test", text).unwrap()).unwrap();
    let mut reports = libraries().into_iter().map(|library| {
        let mut stitcher = Stitcher::new(&library);
        accepted("test", &mut stitcher, &library, &verified)
    });
    reports.next().unwrap()
}

#[test]
fn results_that_nobody_reads_have_places_of_their_own() {
    // The values of r2 have one place from the entry on, and the call writes it a last time; those of r1 have one from
    // the call on, since it is read in another block.
    checked(
        "func pair() -> (f64, f64)
            const.f64 r1, 1.5
            const.f64 r2, 2.5
            ret r1, r2
        func main() -> f64
            move r3, r2
            call (r1, r2), pair
            print r3
            jmp L
        L:
            add.f64 r4, r1, r1
            ret r4",
    );
}

#[test]
fn counts_beyond_the_width_fit_their_byte() {
    for op in ["rotr", "rotl", "shl", "shr", "shru"] {
        for (ty, count) in [("i64", 818_624_397_i64), ("i32", 300), ("i64", -1), ("i32", -129)] {
            checked(&format!(
                "func main(i64) -> (i64, i64)
                    const r1, {count}
                    {op}.{ty} r2, a1, r1
                    ret r2, a1"
            ));
        }
    }
}

/// A function with `n` ints and `n` floats that are all needed in a loop and over its calls.
fn crowded(n: usize) -> String {
    let mut text = String::from(
        "func many(i64, f64, i32, f32, i64, i64, i64, i64, i64, f64) -> (i64, f64, i32, f32, i64, f64, f64)
            add r1, a1, a9
            ret r1, a10, a3, a4, a5, a2, a10
        func main(i64, f64) -> (i64, f64)
            const r1, 100\n",
    );
    let (ints, floats) = (2..2 + n, 2 + n..2 + 2 * n);
    for r in ints.clone() {
        text += &format!("add r{r}, a1, r0\n");
    }
    for r in floats.clone() {
        text += &format!("move r{r}, a2\n");
    }
    text += "again:\n";
    for (r, f) in ints.clone().zip(floats.clone()).skip(1) {
        text += &format!("mul r{r}, r{r}, r{}\nadd.f64 r{f}, r{}, r{f}\n", r - 1, f - 1);
    }
    let (i, f, last) = (2, 2 + n, 1 + 2 * n);
    text += &format!(
        "demote r{0}, r{f}
            call (r{i}, r{f}, r3, r{0}, r4, r{last}, r{1}), many, r{i}, r{f}, r3, r{0}, r4, r5, r6, r7, r8, r{last}
            sub r1, r1, r3
            jmpt r1, again\n",
        last + 1,
        last + 2,
    );
    for (r, f) in ints.zip(floats) {
        text += &format!("xor a1, a1, r{r}\nadd.f64 a2, a2, r{f}\n");
    }
    text + "ret a1, a2\n"
}

#[test]
fn crowded_functions_are_stitched_right() {
    for n in [8, 20, 400] {
        checked(&crowded(n));
    }
}

#[test]
fn long_functions_are_stitched_right() {
    let library = Library::native();
    let mut stitcher = Stitcher::new(library);
    for seed in 0..4u64 {
        let mut state = seed;
        let program = generate::function(600, &mut || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            state ^ state >> 32
        });
        let verified = verify(program.module).unwrap();
        accepted(&format!("seed {seed}"), &mut stitcher, library, &verified);
    }
}

/// Everything that only linked modules have.
const LINKED: &str = r#"
import "env" "log" func log(i64, f64) -> i64
import "env" "level" global level i64
import "env" "const" global fixed const i32
memory 1
global shared f32 = 1.5
global own i64 = 7
table g funcref 4 10
table h funcref 1
elem e funcref = [f, log]
segment s = "abc"
export "f" func f
export "shared" global shared
func f(i64, f64) -> i64
    const r10, 8
    gget r1, level
    add r1, r1, a1
    gset level, r1
    call r2, log, r1, a2
    calli r3, g, r2, (i64, f64) -> i64, r1, a2
    mload.i64 r4, r10, 0
    add r4, r4, r3
    gget r5, shared
    gset shared, r5
    gget r6, fixed
    gget r7, own
    add r4, r4, r6
    add r4, r4, r7
    msize r8
    add r4, r4, r8
    mstore.i64 r4, r10, 0
    ret r4
func quiet(i64, i64, i64) -> i64
    tget r1, g, a1
    tset g, a2, r1
    tsize r2, g
    tgrow r3, h, r1, a3
    tfill g, a1, r1, a3
    tcopy g, h, a1, a2, a3
    tinit g, e, a1, a2, a3
    edrop e
    minit s, a1, a2, a3
    mdrop s
    ref r4, hidden
    add r4, r4, r3
    add r4, r4, r2
    ret r4
func hidden(i64, f64) -> i64
    call r1, f, a1, a2
    ret r1
"#;

#[test]
fn linked_modules_are_stitched_right_and_damage_is_found() {
    for text in [LINKED.to_owned(), LINKED.replace("memory 1\n", "").replace("segment", "#").replace("    m", "    #")]
    {
        let verified = verify(spasm::text::parse("linked.spasm", &text).unwrap()).unwrap();
        for library in libraries() {
            accepted("linked", &mut Stitcher::new(&library), &library, &verified);
        }
    }
    let verified = verify(spasm::text::parse("linked.spasm", LINKED).unwrap()).unwrap();
    let library = Library::native();
    let (image, trace) = Stitcher::new(library).stitch_traced(&verified).unwrap();
    let found = |image: &Image| check(&verified, image, &trace, library).is_err();
    let linked = |symbol: Symbol| {
        matches!(
            symbol,
            Symbol::Import(_) | Symbol::Growing(_) | Symbol::Signature(_) | Symbol::Shared(_) | Symbol::PagesCell
        )
    };
    let mut kinds = std::collections::HashSet::new();
    for nth in 0..image.relocations.len() {
        let symbol = image.relocations[nth].symbol;
        for wrong in
            [Symbol::Shared(2), Symbol::Growing(1), Symbol::Memory, Symbol::Context, Symbol::Helper(Helper::Ref)]
        {
            if symbol == wrong {
                continue;
            }
            let mut damaged = image.clone();
            damaged.relocations[nth].symbol = wrong;
            assert!(found(&damaged), "{symbol:?} was made {wrong:?} and nobody noticed");
        }
        if linked(symbol) {
            kinds.insert(std::mem::discriminant(&symbol));
        }
    }
    assert_eq!(kinds.len(), 5);
    assert_eq!(image.crossings.iter().map(|crossing| crossing.function).collect::<Vec<_>>(), [0, 2]);
    for nth in 0..image.crossings.len() {
        let crossing = image.crossings[nth];
        let mut damaged = image.clone();
        damaged.crossings.remove(nth);
        assert!(found(&damaged));
        let mut damaged = image.clone();
        damaged.crossings[nth].function = 1;
        assert!(found(&damaged));
        for at in crossing.start..crossing.end {
            // What a reference is going to fill in may be anything.
            let filled = |relocation: &Relocation| (relocation.offset..relocation.offset + 4).contains(&at);
            if !image.relocations.iter().any(filled) {
                let mut damaged = image.clone();
                damaged.code[at as usize] ^= 1;
                assert!(found(&damaged), "a bit of the byte at {at:#x} is wrong and nobody noticed");
            }
        }
    }
}
