//! The checker accepts what the stitcher makes of every program at hand and of random ones, on every kind of machine.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "random numbers are cut as needed"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use spasm::check::{Report, check};
use spasm::generate;
use spasm::isa::snippet::Features;
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::verified::Verified;
use spasm::verify::verify;

/// The machine at hand, a plain one, and the machine at hand without one of its features.
fn libraries() -> Vec<Library> {
    let native = Library::native();
    let mut all = vec![native.clone(), Library::with_features(Features(0))];
    for (_, bit) in Features::ALL {
        if native.features().has(bit) {
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
        if start.elapsed() > budget {
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
