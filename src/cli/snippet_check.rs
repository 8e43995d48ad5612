//! `spasm snippets check`: may these templates be used?
//!
//! Comes in: files of templates. Goes out: what became of them, a table of what was checked, and what is wrong. What must
//! hold: a template that crashes ends a process of its own, and is named.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use spasm::contract::{check_contracts, check_encodings};
use spasm::explain::catalogue;
use spasm::explain::ink::{Ink, Pen};
use spasm::isa::snippet::Info;
use spasm::isa::template::{Template, TemplateError};
use spasm::library::{Library, native_features};
use spasm::snippets::{Loaded, SnippetErrors, Toolchain, abi};
use spasm::trial::attempt;

use super::args::Given;
use super::commands::OptId;
use super::failure::Failure;
use super::style::Paint;
use super::{output, templates};

/// Where random operands start.
const SEED: u64 = 1;

/// What came of running a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tried {
    /// So often, always with the right result.
    Runs(usize),
    /// It cannot be run by itself, or not on this machine.
    Not,
    /// What it did wrong.
    Wrong(String),
    /// It has ended the process.
    Crashed(String),
}

/// Runs the command.
pub fn check(given: &Given) -> Result<(), Failure> {
    let paths: Vec<PathBuf> = given.words.iter().map(PathBuf::from).collect();
    let loaded = Toolchain::default().load(&paths).map_err(|errors| templates::refused(&errors))?;
    let library = loaded.snippets.library(native_features());
    let infos = own(&library, &loaded);
    if let Some(first) = given.word(OptId::Values) {
        return try_values(&library, infos.get(first.parse().unwrap_or(0)..).unwrap_or(&[]));
    }
    let pen = Pen { coloured: Paint::new(given.word(OptId::Color), &io::stdout()).coloured };
    let mut errors = check_contracts(&loaded.extracted, &abi());
    let (mut table, mut notes, mut agreed) = (Table::new(pen), Vec::new(), Vec::new());
    let mut tried = tried_elsewhere(&paths, infos.len());
    for info in &infos {
        let Some(snippet) = loaded.extracted.iter().find(|snippet| is_of(info, &snippet.template)) else { continue };
        let encodings = check_encodings(snippet, &abi());
        let contract = !errors.iter().any(|error| same_place(error, &snippet.template));
        let values = tried.remove(&place(info)).unwrap_or(Tried::Not);
        table.row(&library, info, encodings.as_ref().ok(), contract, &values);
        errors.extend(encodings.err());
        match values {
            // What takes an address can do nothing else with random operands.
            Tried::Crashed(status) if snippet.template.custom.is_some() => notes.push(format!(
                "{}: `{}` ends the process with random operands ({status}), so what it gives was not looked at.",
                place(info),
                info.name
            )),
            Tried::Wrong(message) | Tried::Crashed(message) => errors.push(snippet.template.error(message)),
            Tried::Runs(_) => agreed.push(info.name),
            Tried::Not => {}
        }
    }
    for custom in library.customs().iter().filter(|custom| agreed.contains(&custom.op.name.as_str())) {
        let op = &custom.op;
        notes.push(format!(
            "No row says what `{op}` should give: its templates agree with each other, in all registers."
        ));
    }
    let shown = catalogue::show(&library, &infos, pen) + "\n" + &table.finish(&notes, errors.is_empty());
    output::print(shown.as_bytes())?;
    if errors.is_empty() { Ok(()) } else { Err(templates::refused(&SnippetErrors(errors)).into()) }
}

/// The contracts of the templates that were laid over the library.
fn own(library: &Library, loaded: &Loaded) -> Vec<&'static Info> {
    let all = library.infos();
    all[all.len() - loaded.extracted.len()..].iter().collect()
}

fn is_of(info: &Info, template: &Template) -> bool {
    (info.file, info.line) == (template.file.as_str(), template.line)
}

fn same_place(error: &TemplateError, template: &Template) -> bool {
    error.file == template.file && error.template == template.name && {
        let last = template.body.last().map_or(template.line, |(line, _)| *line);
        (template.line..=last).contains(&error.line)
    }
}

fn place(info: &Info) -> String {
    format!("{}:{}", info.file, info.line)
}

/// Runs each template, and writes what came of it: a line before, which says which one it is, and one behind.
fn try_values(library: &Library, infos: &[&'static Info]) -> Result<(), Failure> {
    for info in infos {
        let serves = native_features().has(info.needs) && !info.name.ends_with("/cold");
        output::print(format!("{}\n", place(info)).as_bytes())?;
        let line = match if serves { attempt(library, info, SEED) } else { Ok(None) } {
            Ok(Some(runs)) => format!("runs {runs}\n"),
            Ok(None) => "not\n".to_owned(),
            Err(message) => format!("wrong {}\n", message.replace('\n', " ")),
        };
        output::print(line.as_bytes())?;
    }
    let _ = io::stdout().flush();
    Ok(())
}

/// The same in other processes: when one crashes, the template that it was at is wrong, and another goes on behind it.
fn tried_elsewhere(paths: &[PathBuf], count: usize) -> HashMap<String, Tried> {
    let mut tried = HashMap::with_capacity(count);
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("spasm"));
    let mut next = 0;
    while next < count {
        let mut command = Command::new(&program);
        command.args(["snippets", "check", "--values-from", &next.to_string(), "--"]).args(paths);
        let Ok(output) = command.stdin(Stdio::null()).stderr(Stdio::null()).output() else { break };
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines = said.lines();
        let before = next;
        while let Some(place) = lines.next() {
            let result = match lines.next().map(|line| line.split_once(' ').unwrap_or((line, ""))) {
                Some(("runs", runs)) => Tried::Runs(runs.parse().unwrap_or(0)),
                Some(("wrong", message)) => Tried::Wrong(message.to_owned()),
                Some(_) => Tried::Not,
                None => Tried::Crashed(format!("crashes when it is run: {}", output.status)),
            };
            tried.insert(place.to_owned(), result);
            next += 1;
        }
        if next == before {
            break;
        }
    }
    tried
}

/// What was checked, a line for each template.
struct Table {
    pen: Pen,
    rows: Vec<[String; 5]>,
}

impl Table {
    fn new(pen: Pen) -> Table {
        let titles = ["template", "encodings", "contract", "values", "bytes"];
        Table { pen, rows: vec![titles.map(str::to_owned)] }
    }

    fn row(&mut self, library: &Library, info: &Info, encodings: Option<&usize>, contract: bool, tried: &Tried) {
        let size = |library: &Library, info: &Info| library.chunks()[usize::from(info.chunk)].head.len;
        let built_in = Library::native().infos().iter().find(|known| same_operands(known, info));
        let declared = library.customs().iter().any(|custom| custom.op.name == info.name);
        let beside = built_in.map_or("new".to_owned(), |known| format!("built-in {}", size(Library::native(), known)));
        self.rows.push([
            format!("{} {}", info.name, catalogue::operands(info).join(", ")),
            encodings.map_or("WRONG".to_owned(), |count| format!("{count} right")),
            if contract { "right" } else { "WRONG" }.to_owned(),
            match tried {
                Tried::Runs(runs) if declared => format!("{runs} agree"),
                Tried::Runs(runs) => format!("{runs} right"),
                Tried::Not => "not run".to_owned(),
                Tried::Crashed(_) if declared => "not run".to_owned(),
                Tried::Wrong(_) | Tried::Crashed(_) => "WRONG".to_owned(),
            },
            format!("{} ({beside})", size(library, info)),
        ]);
    }

    fn finish(self, notes: &[String], usable: bool) -> String {
        let widths: [usize; 5] =
            std::array::from_fn(|column| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        let mut out = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                let _ = write!(line, "{cell:width$}  ");
            }
            let line = line.trim_end();
            let line = if number == 0 { self.pen.ink(Ink::Quiet, line) } else { line.to_owned() };
            out += &(line + "\n");
        }
        let verdict = if usable { "These templates may be used." } else { "These templates must not be used." };
        for note in notes {
            let _ = write!(out, "\n{note}\n");
        }
        out + "\n" + &self.pen.ink(Ink::Source, verdict) + "\n"
    }
}

/// True for contracts of the same opcode or fusion on the same kinds of operands.
fn same_operands(a: &Info, b: &Info) -> bool {
    let kinds = |info: &Info| info.operands.iter().map(|o| (o.name, o.role, o.kind)).collect::<Vec<_>>();
    let fusion = |info: &Info| info.fusion.map(|fusion| (fusion.when, fusion.feeds));
    a.name == b.name && a.needs == b.needs && kinds(a) == kinds(b) && fusion(a) == fusion(b)
}
