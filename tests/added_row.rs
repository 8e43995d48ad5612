//! An opcode of the project is a row in the table and a file of templates, and nothing else.
//!
//! Comes in: the row and the templates that README.md and asm/README.md show. What must hold: in a copy of the sources
//! that has nothing else added, the build names what is missing, and then the opcode works on every tier.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What is copied: everything that the library is built of.
const SOURCES: [&str; 6] = ["Cargo.toml", "Cargo.lock", "build.rs", "build", "src", "asm"];

/// A program that uses the opcode, on each tier and on a plain machine.
const PROGRAM: &str = r#"
use spasm::engine::{Config, Engine, Features, Tier};
use spasm::{text, verify};

fn main() {
    let source = "func f(i64, i64) -> i64\n    andn r1, a1, a2\n    const r2, 0xf0\n    andn r1, r1, r2\n    ret r1\n";
    let module = text::parse("f", source).unwrap_or_else(|error| panic!("{error}"));
    let verified = verify::verify(module).unwrap();
    for (tier, left_out) in [(Tier::Interp, 0), (Tier::Baseline, 0), (Tier::Baseline, !0)] {
        let engine = Engine::new(Config { tier, left_out: Features(left_out), ..Config::default() });
        let mut instance = engine.instantiate(&verified).unwrap();
        let f = instance.typed::<(i64, i64), i64>("f").unwrap();
        println!("{}", f.call(&mut instance, (0xffff, 0x0f0f)).unwrap());
    }
    print!("{}", text::print(verified.module()));
}
"#;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first block of a page whose first line begins so, behind the fence.
fn block(page: &str, begin: &str) -> String {
    let blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let found = blocks.map(|(_, text)| text).find(|text| text.starts_with(begin));
    found.unwrap_or_else(|| panic!("no block begins with {begin}")).to_owned()
}

/// Copies what is newer or not there, so that what was built before is built no more.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.exists() {
        std::fs::copy(from, to).unwrap();
    }
}

/// The copy, with a folder of its own for what is built.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("added_row");
        for source in SOURCES.map(|source| folder.join(source)) {
            let _ = if source.is_dir() { std::fs::remove_dir_all(&source) } else { std::fs::remove_file(&source) };
        }
        std::fs::create_dir_all(&folder).unwrap();
        for source in SOURCES {
            copy(&Path::new(ROOT).join(source), &folder.join(source));
        }
        Scratch(folder)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn cargo(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.0).args(words).args(["--offline", "--locked", "--no-default-features"]);
        // No more is built than is needed, and nothing of this build is used.
        command.env("CARGO_TARGET_DIR", self.0.join("target")).env("CARGO_INCREMENTAL", "0");
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TERM_COLOR", "never").env_remove("RUSTFLAGS");
        command.output().unwrap()
    }
}

#[test]
#[ignore = "it builds the crate anew, which takes half a minute: .ci/run does it"]
fn a_row_and_a_file_are_all_there_is_to_an_opcode() {
    let scratch = Scratch::new();
    let row = block(&read("README.md"), "value AndnI64");
    let templates = block(&read("asm/README.md"), "# andn d, a, b");
    let table = read("src/isa/op.rs");
    let before = table.find("        value NotI32").expect("a row to stand before");
    scratch.write("src/isa/op.rs", &format!("{}        {row}\n{}", &table[..before], &table[before..]));
    scratch.write("examples/added.rs", PROGRAM);

    let output = scratch.cargo(&["build", "--lib"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("op/andn.S: there is no template `andn.i64` for plain x86-64"), "{said}");

    scratch.write("asm/x86_64/op/andn.S", &templates);
    let output = scratch.cargo(&["run", "--example", "added"]);
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let result = (0xffff & !0x0f0f) & !0xf0;
    let text = "func f(i64, i64) -> i64\n    andn r1, a1, a2\n    const r2, 240\n    andn r1, r1, r2\n    ret r1\n";
    assert_eq!(printed, format!("{result}\n").repeat(3) + text, "{said}");
}
