//! The README is true: its commands print what it shows, its programs are the ones that run, its paths exist.
//!
//! Comes in: the fenced blocks of `README.md`. A block of `spasm` or `asm` with a file name behind the word is a program or a file of templates; a block
//! of `console` holds commands behind `$` and what they print on both streams, in the order of the page, in one folder
//! that has `examples` in it. `UPDATE_GOLDEN=1 cargo test --test readme` writes anew what they print.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn page() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// A folder with the examples, in which `spasm` is on the way to commands.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("examples"), folder.join("examples")).unwrap();
    folder
}

/// Runs one command line, which finds the exit status of the one before it in `$?`.
fn run(command: &str, folder: &Path, status: &mut i32) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_spasm")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let command = command.replace("cargo run --release -- ", "spasm ");
    let script = format!("exec 2>&1; (exit {status}); {command}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).env("PATH", path).env_remove("CLICOLOR_FORCE");
    let output = shell.output().unwrap();
    *status = output.status.code().unwrap_or(-1);
    String::from_utf8(output.stdout).unwrap()
}

/// The page with every console block as it comes out today.
fn told(page: &str) -> String {
    let folder = folder();
    let mut out = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let mut block = String::new();
        while let Some(line) = lines.next_if(|line| *line != "```") {
            block.push_str(line);
            block.push('\n');
        }
        if let Some(file) = kind.strip_prefix("spasm ").or(kind.strip_prefix("asm ")) {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &block).unwrap();
        } else if kind == "console" {
            block = session(&block, &folder);
        }
        out.push_str(&block);
        if let Some(end) = lines.next() {
            out.push_str(end);
            out.push('\n');
        }
    }
    out
}

fn session(block: &str, folder: &Path) -> String {
    let mut status = 0;
    let commands = block.lines().filter_map(|line| line.strip_prefix("$ "));
    commands.map(|command| format!("$ {command}\n{}", run(command, folder, &mut status))).collect()
}

#[test]
fn commands_print_what_the_page_shows() {
    let page = page();
    let told = told(&page);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(Path::new(ROOT).join("README.md"), told).unwrap();
    }
    let differs = page.lines().zip(told.lines()).position(|(a, b)| a != b);
    let found = differs.map(|n| (n + 1, page.lines().nth(n), told.lines().nth(n)));
    assert_eq!(
        found, None,
        "the first line that differs, as it stands and as it should; UPDATE_GOLDEN=1 writes it anew"
    );
    assert_eq!(page.len(), told.len());
}

/// What is written as code, in one line.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    let text = page.split("\n```").step_by(2);
    text.flat_map(|text| text.split('`').skip(1).step_by(2)).chain(links(page))
}

fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

#[test]
fn paths_exist() {
    let page = page();
    let is_path = |word: &&str| {
        let known = ["src/", "asm/", "tests/", "benches/", "examples/", "fuzz/", "docs/", ".ci/"];
        known.iter().any(|folder| word.starts_with(folder)) || word.starts_with("LICENSE")
    };
    let mut count = 0;
    // What the page tells people to write is not there yet.
    let to_write = ["asm/x86_64/op/andn.S"];
    for path in quoted(&page).filter(is_path).filter(|path| !to_write.contains(path)) {
        let path = path.trim_end_matches("/*.S").split([' ', '#']).next().unwrap();
        assert!(Path::new(ROOT).join(path).exists(), "README.md names `{path}`, which does not exist");
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn templates_stand_where_the_page_says() {
    let page = page();
    let blocks: Vec<&str> = page.split("\n```asm\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 1);
    let path = Path::new(ROOT).join("asm/x86_64/fused/leq.S");
    assert!(std::fs::read_to_string(path).unwrap().contains(blocks[0]), "{}", blocks[0]);
}

#[test]
fn there_are_two_commands_to_begin_with() {
    let page = page();
    let block = page.split("\n```sh\n").nth(1).unwrap().split("\n```").next().unwrap();
    let commands: Vec<&str> = block.lines().filter(|line| line.starts_with("cargo ")).collect();
    assert!(
        matches!(commands[..], [run, test] if run.contains("run --release -- run examples/") && test.contains("test"))
    );
}
