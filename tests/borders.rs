//! The borders of the crate: which module may use which, where the operating system and `unsafe` may be met, and how
//! large a file may be.
//!
//! Everything is read off the sources: what stands behind `crate::` and `super::` in code, comments and strings left
//! out. A border that has to move is moved here, in the same change, with its reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What a module may use of the crate.
enum May {
    /// These modules, or parts of modules, and itself.
    Use(&'static [&'static str]),
    /// Everything: it stands at the top.
    UseAll,
}

/// A module, what it may use, and why not more.
const MODULES: &[(&str, May, &str)] = &[
    ("isa", May::Use(&[]), "it is compiled into build.rs too, where there is no crate around it"),
    ("module", May::Use(&["isa"]), "a module does not know how it was written down or how it will run"),
    ("verified", May::Use(&["isa", "module"]), "it is what the verifier hands on, and no more than that"),
    ("diagnostic", May::Use(&[]), "it shows places in texts of any kind"),
    ("number", May::Use(&["isa", "text::literal"]), "it writes and reads numbers, for every tier as the text does"),
    ("value", May::Use(&["isa", "number"]), "values mean the same on every tier"),
    ("trap", May::Use(&["isa", "module", "number"]), "traps mean the same on every tier"),
    ("streams", May::Use(&["isa", "number", "trap", "value"]), "print and read are the same on every tier"),
    ("builder", May::Use(&["isa", "module"]), "whoever builds a module decides nothing about how it runs"),
    (
        "text",
        May::Use(&["isa", "module", "builder", "diagnostic"]),
        "the parser decides nothing about how a program runs",
    ),
    ("binary", May::Use(&["isa", "module", "diagnostic"]), "the binary form decides nothing about how a program runs"),
    ("wasm", May::Use(&["isa", "module"]), "WebAssembly is a way to a module, and decides nothing about how it runs"),
    (
        "verify",
        May::Use(&["isa", "module", "verified"]),
        "what the verifier accepts must not depend on a tier or on the text",
    ),
    (
        "companion",
        May::Use(&["isa", "module", "builder", "verified"]),
        "it makes modules out of a module, and leaves it to others to stitch them",
    ),
    (
        "interp",
        May::Use(&["isa", "module", "verified", "trap", "streams", "objects"]),
        "the interpreter is the oracle: it shares nothing with machine code but what instances of any tier share",
    ),
    ("machine", May::Use(&["isa"]), "the machine is what it is"),
    ("library", May::Use(&["isa", "machine"]), "the snippets are the same whoever asks for them"),
    (
        "stitch",
        May::Use(&["isa", "module", "verified", "library"]),
        "stitching is pure: no memory mapping, no interpreter",
    ),
    (
        "check",
        May::Use(&["isa", "module", "verified", "library", "stitch::image", "stitch::trace"]),
        "the checker shares no code with what it checks: it sees the data that the stitcher leaves",
    ),
    (
        "debug",
        May::Use(&["isa", "module", "stitch::image"]),
        "what unwinders and debuggers are told is the same for objects and for code in memory",
    ),
    (
        "elf",
        May::Use(&["isa", "module", "verified", "library", "binary", "stitch::image", "debug"]),
        "objects are made of the image that is run in memory, too, by nothing that runs it",
    ),
    (
        "rt",
        May::UseAll,
        "it is a crate of its own, without the standard library; what it shares with this one it names by its files",
    ),
    ("generate", May::Use(&["isa", "module"]), "random programs are made for every tier alike"),
    (
        "objects",
        May::Use(&["isa", "module", "exec::LinearMemory", "exec::HostEntry"]),
        "what instances share is the same for every tier: it knows of code by its address alone, and keeps for that what a \
         function of the host finds there",
    ),
    ("contract", May::Use(&["isa", "library"]), "templates are held against a decoder, whatever they are used for"),
    (
        "exec",
        May::Use(&[
            "isa",
            "module",
            "verified",
            "library",
            "objects",
            "stitch::image",
            "streams",
            "trap",
            "text::nearest",
            "debug",
        ]),
        "it runs images and knows nothing of how they come to be; what modules share, code reaches through it; names that \
         are near others it finds as the text does",
    ),
    (
        "explain",
        May::Use(&["isa", "module", "verified", "library", "stitch", "value", "diagnostic"]),
        "it shows what the stitcher did and runs nothing",
    ),
    (
        "snippets",
        May::Use(&["isa", "library", "binary"]),
        "templates become snippets, whatever programs they are used for",
    ),
    ("trial", May::Use(&["isa", "library"]), "a template is held against its row by itself: no stitcher, no runtime"),
    ("reference", May::Use(&["isa", "text::usage"]), "the page on the language is made of the opcode table"),
    ("wasi", May::Use(&["store"]), "it puts functions into a linker, as any host of a program could"),
    ("engine", May::UseAll, "the one way to run programs from Rust"),
    ("store", May::UseAll, "the one way to run programs that are linked, from Rust"),
    ("cli", May::UseAll, "the command line"),
    ("main", May::UseAll, "the command line"),
    ("lib", May::UseAll, "the list of modules"),
];

/// Modules that compute only: no file, process, thread, environment or memory of the operating system.
const PURE: &[&str] = &[
    "module",
    "verified",
    "verify",
    "text",
    "binary",
    "builder",
    "wasm",
    "library",
    "stitch",
    "check",
    "generate",
    "companion",
];

/// What pure modules do not name.
const SYSTEM: &[&str] =
    &["libc", "memmap2", "std::fs", "std::process", "std::env", "std::net", "std::thread", "std::os", "std::io::std"];

/// Modules in which `unsafe` may stand. Everything else has to do without; an exception is a row here, with a reason.
const UNSAFE: &[(&str, &str)] = &[
    ("src/exec/", "executable memory, signals and calls into machine code"),
    ("src/machine.rs", "what the C library knows of the processor, where asking the processor again takes too long"),
    (
        "src/engine/interpreted.rs",
        "C calls interpreted functions back through pointers, and these read and write native memory as the program says",
    ),
    (
        "src/store/gate.rs",
        "programs call host functions, which need the store that the call of the program borrows; and linear memory is \
         shared with code",
    ),
    ("src/interp/registers.rs", "the interpreter's registers, whose numbers decoding has checked"),
    ("src/objects/direct.rs", "memory and tables that several instances share have no owner that could lend a slice"),
    ("src/trial/machine.rs", "templates are run without the runtime around them"),
    ("src/engine/natives.rs", "says what whoever allows native access answers for"),
    ("src/cli/run.rs", "allows native access to programs that somebody runs"),
    ("src/engine/object.rs", "says what whoever runs an object answers for"),
    ("src/rt/", "the runtime of linked programs: the C library, signals, and what C passes"),
    ("src/main.rs", "names a library to link, and declares nothing of it"),
];

/// How many lines a file may have.
const LINES: usize = 450;

/// Files that may have more.
const LONG: &[(&str, &str)] = &[
    ("src/stitch/live.rs", "one walk over the instructions, with a case for each shape"),
    ("src/isa/extract.rs", "one pass from assembled samples to a snippet, each step of which needs the one before"),
];

struct File {
    /// From the crate's root, with `/`.
    path: String,
    text: String,
}

impl File {
    /// The first module on the way to the file.
    fn module(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }

    /// How many modules deep its items stand: 1 for `src/text.rs` and `src/text/mod.rs`.
    fn depth(&self) -> usize {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inside.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).count()
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The code with comments and strings blanked, and without its unit tests.
    fn code(&self) -> String {
        let code = blank(&self.text, true);
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        code[..end].to_owned()
    }
}

fn files() -> Vec<File> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("build.rs")];
    walk(&root.join("src"), &mut found);
    found.sort();
    let read = |path: PathBuf| File {
        text: std::fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"),
    };
    found.into_iter().map(read).collect()
}

/// The code with blanks in place of comments, and of strings if `strings`. Lines stay where they are.
fn blank(text: &str, strings: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (len, hide) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), true)
        } else if first == '"' {
            (quoted(rest), strings)
        } else if let Some(len) = raw(rest) {
            (len, strings)
        } else if first == '\'' {
            (character(rest), strings)
        } else if first.is_alphanumeric() || first == '_' {
            // A whole word, so that an `r` at its end is not taken for the start of a raw string.
            (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), false)
        } else {
            (first.len_utf8(), false)
        };
        let (piece, behind) = rest.split_at(len);
        if hide {
            out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(piece);
        }
        rest = behind;
    }
    out
}

/// The length of the string that `text` starts with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|&(_, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The length of the raw string that `text` starts with, if it does.
fn raw(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let body = hashes[count..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(count));
    let start = text.len() - body.len();
    Some(body.find(&close).map_or(text.len(), |end| start + end + close.len()))
}

/// The length of the character that `text` starts with; 1 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[2..].char_indices().skip(1).find(|&(_, c)| c == '\'').map_or(1, |(at, _)| at + 3),
        Some(_) => chars.next().filter(|&(_, c)| c == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

/// The paths `a::b` from the crate's root that a file names, with the line of each.
fn uses(file: &File) -> Vec<(usize, String)> {
    let code = file.code();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for (at, _) in line.match_indices("crate::") {
            let whole = at == 0 || !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if whole {
                paths(&line[at + 7..], number, &mut found);
            }
        }
        // As many `super` as the file lies deep lead to the root as well.
        let up = "super::".repeat(file.depth());
        if let (false, Some(at)) = (up.is_empty(), line.find(&up)) {
            let more = line[..at].ends_with("super::");
            if !more && !line[at + up.len()..].starts_with("super::") {
                paths(&line[at + up.len()..], number, &mut found);
            }
        }
    }
    found
}

/// The first two parts of the path at the start of `text`, or of each path in its braces.
fn paths(text: &str, line: usize, found: &mut Vec<(usize, String)>) {
    let list =
        text.strip_prefix('{').map_or(vec![text], |inside| inside.trim_end_matches(['}', ';']).split(',').collect());
    for path in list {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let mut parts = path.trim().split("::").map(|part| part.split(|c| !is_name(c)).next().unwrap_or(""));
        let first = parts.next().unwrap_or("");
        let second = parts.next().filter(|second| !second.is_empty());
        let path = second.map_or(first.to_owned(), |second| format!("{first}::{second}"));
        if !first.is_empty() {
            found.push((line, path));
        }
    }
}

/// Fails with all problems at once.
fn none(problems: &BTreeSet<String>, rule: &str) {
    let mut text = String::new();
    for problem in problems {
        let _ = writeln!(text, "  {problem}");
    }
    assert!(problems.is_empty(), "\n{text}\nThe rule: {rule}\n");
}

#[test]
fn modules_use_what_they_may() {
    let mut problems = BTreeSet::new();
    let macros = ["for_each_op", "__op_table"];
    for file in files().iter().filter(|file| file.path.starts_with("src/") && !file.is_test()) {
        let Some((name, may, why)) = MODULES.iter().find(|(name, ..)| *name == file.module()) else {
            problems.insert(format!("{}: module `{}` has no row in MODULES", file.path, file.module()));
            continue;
        };
        let May::Use(allowed) = may else { continue };
        for (line, path) in uses(file) {
            let is = |other: &str| path == other || path.starts_with(&format!("{other}::"));
            if !is(name) && !allowed.iter().any(|other| is(other)) && !macros.contains(&path.as_str()) {
                problems.insert(format!("{}:{line}: `{name}` uses `{path}`, but {why}", file.path));
            }
        }
    }
    none(
        &problems,
        "a module uses only the modules of its row in MODULES, in tests/borders.rs. Move what is needed to a module \
         that both may use, or pass it in as an argument; widen the row only if its reason still holds.",
    );
}

#[test]
fn pure_modules_stay_away_from_the_system() {
    let mut problems = BTreeSet::new();
    for file in files().iter().filter(|file| PURE.contains(&file.module()) && !file.is_test()) {
        for (number, line) in (1..).zip(file.code().lines()) {
            let name_at = |at: usize| at == 0 || !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            for word in SYSTEM.iter().filter(|word| line.match_indices(**word).any(|(at, _)| name_at(at))) {
                problems.insert(format!("{}:{number}: names `{word}`", file.path));
            }
        }
    }
    none(
        &problems,
        "these modules compute only, so that the same input gives the same output anywhere. What touches the system \
         belongs to `exec` (memory, signals), `streams` (printing, reading) or the command line (files).",
    );
}

/// True where `unsafe_code` is allowed with a reason.
fn says_why(text: &str) -> bool {
    let allowed =
        text.split("allow(").skip(1).map(str::trim_start).filter_map(|rest| rest.strip_prefix("unsafe_code,"));
    allowed.map(str::trim_start).any(|rest| rest.starts_with("reason = \""))
}

#[test]
fn unsafe_code_stands_where_it_must() {
    let mut problems = BTreeSet::new();
    for file in files() {
        let code = blank(&file.text, true);
        let words = |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        let Some((line, _)) = (1..).zip(code.lines()).find(|(_, line)| words(line)) else { continue };
        if !UNSAFE.iter().any(|(place, _)| file.path.starts_with(place)) {
            problems.insert(format!("{}:{line}: `unsafe` where no row of UNSAFE has it", file.path));
        } else if !says_why(&file.text) && !file.is_test() {
            problems.insert(format!("{}:{line}: no `allow(unsafe_code, reason = \"…\")` with it", file.path));
        }
    }
    none(
        &problems,
        "unsafe code stands in `exec`, each file with the reason. Elsewhere, do without; where a raw pointer is honestly \
         needed, add a row to UNSAFE in tests/borders.rs with the reason.",
    );
}

#[test]
fn machine_code_stands_in_assembly_only() {
    let mut problems = BTreeSet::new();
    for file in files().iter().filter(|file| !file.is_test()) {
        let code = blank(&file.text, false);
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        for (number, line) in (1..).zip(code[..end].lines()) {
            let is_byte = |word: &str| {
                let digits = word.trim().trim_end_matches("u8").strip_prefix("0x");
                digits.is_some_and(|d| d.len() == 2 && d.chars().all(|c| c.is_ascii_hexdigit()))
            };
            let mut run = 0;
            let longest = line.split([',', '[', ']']).map(|word| {
                run = if is_byte(word) { run + 1 } else { 0 };
                run
            });
            // The colours of a terminal are no machine code.
            let escapes = line.matches("\\x").count() - line.matches("\\x1b").count();
            if longest.max().unwrap_or(0) >= 3 || escapes >= 3 {
                problems.insert(format!("{}:{number}: bytes in a row: {}", file.path, line.trim()));
            }
            // A file of assembly may be taken in whole.
            let from_file = line.contains("global_asm!(include_str!(") && line.contains(".S\"));");
            if !from_file && ["asm!", "global_asm!", "naked_asm!"].iter().any(|word| line.contains(word)) {
                problems.insert(format!("{}:{number}: assembly in Rust: {}", file.path, line.trim()));
            }
        }
    }
    none(
        &problems,
        "all machine code comes from templates under asm/, glue and entry included: write a `.S` file there, and have \
         the library copy its snippet.",
    );
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    let mut problems = BTreeSet::new();
    for file in files() {
        if !file.text.starts_with("//!") && !file.text.starts_with("#![doc = include_str!") {
            problems.insert(format!("{}: does not open with `//!`", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES && !LONG.iter().any(|(path, _)| *path == file.path) {
            problems.insert(format!("{}: {lines} lines, more than {LINES}", file.path));
        }
    }
    for (path, _) in LONG {
        if !Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists() {
            problems.insert(format!("{path}: is in the list of long files, but is gone: take it out"));
        }
    }
    none(
        &problems,
        "a file opens with `//!`: what comes in, what goes out, what must hold. It has as many lines as one can keep in \
         mind: move what stands by itself to a file of its own; where nothing does, add a row to LONG in \
         tests/borders.rs with the reason.",
    );
}

#[test]
fn the_reader_of_sources_reads_them_right() {
    let text = "use crate::a::{b, c}; // crate::x\nlet s = \"crate::y \\\" crate::z\"; let c = '\"'; use super::q::r;\n\
                let r = r#\"crate::w\"#; fn f<'a>() { crate::v::u() } use crate::{m::n, o};\n";
    let file = File { path: "src/t.rs".to_owned(), text: text.to_owned() };
    let found: Vec<String> = uses(&file).into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    assert_eq!(found, ["1 a", "2 q::r", "3 v::u", "3 m::n", "3 o"]);
}
