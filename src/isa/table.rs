//! From extracted snippets to the tables of a library: which snippet serves which opcode and which operand forms.
//!
//! Comes in: what [`extract`](super::extract) made. Goes out: [`Tables`], or the opcodes without a template and the
//! templates without an opcode. What must hold: every opcode and part has a snippet that runs on plain x86-64.
//!
//! Snippets are found by *key* and form. The keys are the opcodes by their number, then the [parts](Part), then the
//! [fusions](Fusion) as they came.

use super::custom::CustomOp;
use super::extract::Extracted;
pub use super::fusion::Fusion;
use super::op::{Op, Shape};
use super::part::Part;
use super::snippet::{FORMS, Form, Head, Kind, Role, form_index};
use super::template::{Template, TemplateError};

/// A declared opcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// What was declared.
    pub op: CustomOp,
    /// The key under which its snippets are found.
    pub key: u16,
}

/// A snippet that replaces another where the machine has more features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The entry of the form table that it takes over.
    pub entry: u16,
    /// Its first chunk.
    pub chunk: u16,
    /// The features that it needs.
    pub needs: u16,
}

/// The tables of a library.
#[derive(Debug, Default)]
pub struct Tables {
    /// The number of the first chunk of the first snippet.
    pub first: u16,
    /// The snippets, each with the number of its first chunk. Chunk 0 belongs to none.
    pub snippets: Vec<(u16, Extracted)>,
    /// For each snippet, the first chunk of its out-of-line part; 0 for none.
    pub cold: Vec<u16>,
    /// [`FORMS`] entries a key: the first chunk of the snippet, 0 where there is none.
    pub forms: Vec<u16>,
    /// What takes the place of entries on better machines, weaker needs first.
    pub alternatives: Vec<Alternative>,
    /// The fusions.
    pub fusions: Vec<Fusion>,
    /// The declared opcodes.
    pub customs: Vec<Custom>,
}

/// How many keys there can be: entries of the form table have numbers of 16 bits.
const KEYS: usize = (u16::MAX as usize + 1) / FORMS;

/// True for opcodes that need a template: those that can still be there after verification.
#[must_use]
pub fn needs_template(op: Op) -> bool {
    !matches!(op, Op::Move | Op::Select | Op::Print | Op::Read | Op::Gget | Op::Gset | Op::Custom)
}

/// Sorts extracted snippets into tables.
///
/// # Errors
/// Every opcode or part without a template, and every template that is neither.
pub fn build(extracted: Vec<Extracted>) -> Result<Tables, Vec<TemplateError>> {
    let declared = extracted.iter().filter(|snippet| snippet.template.custom.is_some());
    let errors: Vec<TemplateError> = declared
        .map(|snippet| snippet.template.error("is for a declared opcode: here, opcodes are rows of src/isa/op.rs"))
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    build_over(extracted, Tables { first: 1, ..Tables::default() })
}

/// Sorts extracted snippets into tables, where they take the places of those in `base` that serve the same operands.
/// The tables then hold the new snippets, and places of both.
///
/// # Errors
/// As [`build`].
pub fn build_over(extracted: Vec<Extracted>, base: Tables) -> Result<Tables, Vec<TemplateError>> {
    let mut errors = Vec::new();
    let mut tables = base;
    let mut keys = (tables.forms.len() / FORMS).max(Op::ALL.len() + Part::ALL.len());
    fusions(&extracted, &mut tables.fusions, &mut keys, &mut errors);
    customs(&extracted, &mut tables.customs, &mut keys, &mut errors);
    tables.forms.resize(keys * FORMS, 0);
    let (cold, hot) = extracted.into_iter().partition(|snippet: &Extracted| snippet.template.name.ends_with("/cold"));
    let hot = keyed(hot, &tables, &mut errors);
    for (key, form, _) in &hot {
        let entry = usize::from(*key) * FORMS + form;
        tables.forms[entry] = 0;
        tables.alternatives.retain(|alternative| usize::from(alternative.entry) != entry);
    }
    place(hot, &mut tables, &mut errors);
    place_cold(cold, &mut tables, &mut errors);
    missing(&tables, &mut errors);
    if errors.is_empty() { Ok(tables) } else { Err(errors) }
}

/// A snippet with the key and the form that it is found under.
type Keyed = (u16, usize, Extracted);

/// The snippets in the order of the table: those that serve the same key, form and machines side by side, the widest
/// first.
fn keyed(extracted: Vec<Extracted>, tables: &Tables, errors: &mut Vec<TemplateError>) -> Vec<Keyed> {
    let mut keyed: Vec<Keyed> = Vec::with_capacity(extracted.len());
    for snippet in extracted {
        match key_of(&snippet.template, tables) {
            Some(key) => keyed.push((key, form_of(&snippet.template), snippet)),
            // What is wrong with a fusion has been said.
            None if Fusion::of(&snippet.template).is_err() => {}
            None => errors.push(snippet.template.error(
                "is neither an opcode of the table, nor a fusion of two (`less.i64+jmpt`), nor a part of a frame: add a \
                 row for it, or declare it (`opcode NAME(i64) -> i64`), or correct the name",
            )),
        }
    }
    keyed.sort_by_key(|(key, form, snippet)| (*key, *form, snippet.template.needs, narrowness(&snippet.template)));
    keyed
}

/// The number of the chunk behind those of the tables' snippets.
fn next_chunk(tables: &Tables) -> u16 {
    tables.snippets.last().map_or(tables.first, |(first, snippet)| first + snippet.chunks.len() as u16)
}

fn place(keyed: Vec<Keyed>, tables: &mut Tables, errors: &mut Vec<TemplateError>) {
    let serves = |(key, form, snippet): &Keyed| (*key, *form, snippet.template.needs);
    let mut rest = keyed.into_iter().peekable();
    let mut before = None;
    while let Some(next) = rest.next() {
        let (key, form, needs) = serves(&next);
        let chunk = next_chunk(tables);
        let entry = usize::from(key) * FORMS + form;
        match needs {
            _ if before == Some((key, form, needs)) => {}
            0 => tables.forms[entry] = chunk,
            needs => tables.alternatives.push(Alternative { entry: entry as u16, chunk, needs }),
        }
        before = Some((key, form, needs));
        let (.., mut snippet) = next;
        if let Some((.., narrower)) = rest.peek().filter(|following| Some(serves(following)) == before) {
            snippet.chunks[0].head.flags |= narrowing(&snippet, &narrower.template, errors);
        }
        tables.snippets.push((chunk, snippet));
    }
    tables.alternatives.sort_by_key(|alternative| (alternative.entry, alternative.needs.count_ones()));
}

fn place_cold(cold: Vec<Extracted>, tables: &mut Tables, errors: &mut Vec<TemplateError>) {
    let hot = tables.snippets.len();
    tables.cold = vec![0; hot + cold.len()];
    for part in cold {
        let chunk = next_chunk(tables);
        let is_owner = |i: &usize| is_cold_part_of(&part.template, &tables.snippets[*i].1.template);
        let owners: Vec<usize> = (0..hot).filter(is_owner).collect();
        if owners.is_empty() {
            errors
                .push(part.template.error("no template of that name has the same operands and a `target cold:rel32`"));
        }
        for owner in owners {
            tables.cold[owner] = chunk;
        }
        tables.snippets.push((chunk, part));
    }
    check_cold(&tables.snippets, &tables.cold, errors);
}

/// Adds the fusions that are new to those that are known.
fn fusions(extracted: &[Extracted], known: &mut Vec<Fusion>, keys: &mut usize, errors: &mut Vec<TemplateError>) {
    for template in extracted.iter().map(|snippet| &snippet.template) {
        match Fusion::of(template) {
            Ok(None) => {}
            Ok(Some(fusion)) if known.iter().any(|other| other.stands_for_same(&fusion)) => {}
            Ok(Some(_)) if *keys >= KEYS => {
                errors.push(template.error(format!("is one fusion too many: a library has {KEYS} keys at most")));
            }
            Ok(Some(fusion)) => {
                known.push(Fusion { key: *keys as u16, ..fusion });
                *keys += 1;
            }
            Err(message) => errors.push(template.error(message)),
        }
    }
}

/// Adds the declared opcodes that are new to those that are known.
fn customs(extracted: &[Extracted], known: &mut Vec<Custom>, keys: &mut usize, errors: &mut Vec<TemplateError>) {
    for template in extracted.iter().map(|snippet| &snippet.template) {
        let Some(op) = &template.custom else { continue };
        match known.iter().find(|custom| custom.op.name == op.name) {
            Some(custom) if custom.op == *op => {}
            Some(custom) => {
                errors.push(template.error(format!("is for `{op}`, which another file declares as `{}`", custom.op)));
            }
            None if *keys >= KEYS => {
                errors.push(template.error(format!("is of one opcode too many: a library has {KEYS} at most")));
            }
            None => {
                known.push(Custom { op: op.clone(), key: *keys as u16 });
                *keys += 1;
            }
        }
    }
}

/// The opcode that templates declare under this name.
pub(super) fn op_named(name: &str) -> Option<Op> {
    Op::ALL.iter().copied().find(|op| needs_template(*op) && op.row().name() == name)
}

fn key_of(template: &Template, tables: &Tables) -> Option<u16> {
    let name = template.name.as_str();
    if let Some(op) = &template.custom {
        return tables.customs.iter().find(|custom| custom.op.name == op.name).map(|custom| custom.key);
    }
    let op = || op_named(name).map(|op| op as u16);
    let part = || Part::ALL.iter().find(|(_, n)| *n == name).map(|(part, _)| Op::ALL.len() as u16 + *part as u16);
    match Fusion::of(template) {
        Ok(None) => op().or_else(part),
        Ok(Some(fusion)) => tables.fusions.iter().find(|known| known.stands_for_same(&fusion)).map(|known| known.key),
        Err(_) => None,
    }
}

/// Which forms a template serves. Constants too wide for one form go by their width: see [`constant_form`].
fn form_of(template: &Template) -> usize {
    let operand = |name: &str| template.operands.iter().find(|o| o.name == name);
    let form = |kind| match kind {
        Kind::Gp | Kind::Xmm => Form::Reg,
        Kind::Slot8 | Kind::Slot32 => Form::Slot,
        _ => Form::Const,
    };
    let result = operand("d");
    let in_slot = result.is_some_and(|d| form(d.kind) == Form::Slot);
    let mut a = operand("a").map_or(Form::Reg, |a| form(a.kind));
    if result.is_some_and(|d| d.role == Role::InOut) {
        a = Form::Tied;
    }
    let is_constant = op_named(&template.name).is_some_and(|op| op.row().shape == Shape::Const);
    let b = match operand("a").filter(|_| is_constant) {
        Some(a) => constant_form(a.kind),
        None => operand("b").map_or(Form::Reg, |b| form(b.kind)),
    };
    form_index(in_slot, a, b)
}

/// The form that tells the widths of `const` templates apart, in the place of a second source.
#[must_use]
pub fn constant_form(kind: Kind) -> Form {
    match kind {
        Kind::Imm32 => Form::Tied,
        Kind::Imm64 => Form::Slot,
        _ => Form::Reg,
    }
}

fn narrowness(template: &Template) -> u8 {
    let narrow = |o: &super::template::Declared| match o.kind {
        Kind::Imm8 | Kind::Slot8 | Kind::Off8 => 1,
        Kind::Rel8 => 2,
        _ => 0,
    };
    template.operands.iter().map(narrow).sum()
}

fn narrowing(snippet: &Extracted, next: &Template, errors: &mut Vec<TemplateError>) -> u8 {
    let wide = &snippet.template;
    let pairs = || wide.operands.iter().zip(&next.operands).filter(|(a, b)| a.kind != b.kind);
    let same = wide.operands.len() == next.operands.len()
        && wide.operands.iter().zip(&next.operands).all(|(a, b)| a.name == b.name && a.role == b.role);
    let one = same && pairs().count() == 1 && pairs().all(|(a, b)| a.kind.narrow() == Some(b.kind));
    if !one {
        errors.push(next.error(format!(
            "serves the same operands as line {} of {} and is no narrower form of it by one operand: drop one",
            wide.line, wide.file
        )));
        return 0;
    }
    if pairs().any(|(_, b)| b.kind == Kind::Rel8) {
        return Head::NARROW_JUMP;
    }
    let narrowed = |hole: &&super::snippet::Hole| {
        wide.operands[usize::from(hole.operand)].kind != next.operands[usize::from(hole.operand)].kind
    };
    if snippet.holes.first().as_ref().is_some_and(narrowed) { Head::NARROW_FIRST } else { Head::NARROW_SECOND }
}

fn is_cold_part_of(cold: &Template, hot: &Template) -> bool {
    let registers = |t: &Template| {
        t.operands.iter().filter(|o| o.kind.is_register()).map(|o| (o.name.clone(), o.kind)).collect::<Vec<_>>()
    };
    cold.name.strip_suffix("/cold") == Some(&hot.name)
        && cold.needs == hot.needs
        && hot.operands.iter().any(|o| o.name == "cold")
        && registers(cold) == registers(hot)
}

fn check_cold(snippets: &[(u16, Extracted)], cold: &[u16], errors: &mut Vec<TemplateError>) {
    for ((_, snippet), cold) in snippets.iter().zip(cold) {
        if *cold == 0 && snippet.template.operands.iter().any(|o| o.name == "cold") {
            let name = &snippet.template.name;
            errors.push(snippet.template.error(format!("jumps to `cold`, but there is no template `{name}/cold`")));
        }
    }
}

/// What the stitcher relies on: every opcode and part has a snippet, every opcode that computes one that takes all its
/// operands in registers, and so has every fusion, which exists for both branches.
fn missing(tables: &Tables, errors: &mut Vec<TemplateError>) {
    let has = |key: usize, forms: &[usize]| forms.iter().any(|form| tables.forms[key * FORMS + form] != 0);
    let all: Vec<usize> = (0..FORMS).collect();
    let registers = [form_index(false, Form::Reg, Form::Reg), form_index(false, Form::Tied, Form::Reg)];
    let mut complain = |file: String, message: String| {
        errors.push(TemplateError { file, line: 0, template: String::new(), message });
    };
    let write = |name: &str| {
        format!("there is no template `{name}` for plain x86-64: write `template {name}, …` with its body and `end`")
    };
    let in_registers = |name: &str| {
        format!("no template `{name}` for plain x86-64 takes all operands in registers: write one, for all other cases")
    };
    for &op in Op::ALL.iter().filter(|op| needs_template(**op)) {
        let (file, name) = (format!("op/{}.S", op.row().mnemonic), op.row().name());
        if !has(op as usize, &all) {
            complain(file, write(&name));
        } else if op.row().shape == Shape::Value && !has(op as usize, &registers) {
            complain(file, in_registers(&name));
        }
    }
    for (part, name) in Part::ALL {
        if !has(Op::ALL.len() + part as usize, &all) {
            complain("frame/*.S".to_owned(), write(name));
        }
    }
    for fusion in tables.fusions.iter().filter(|fusion| fusion.branches()) {
        let (first, file) = (fusion.first.row().name(), format!("fused/{}.S", fusion.first.row().mnemonic));
        let other = if fusion.second == Some(Op::Jmpt) { Op::Jmpf } else { Op::Jmpt };
        if !tables.fusions.iter().any(|f| (f.first, f.second) == (fusion.first, Some(other))) {
            complain(file, write(&format!("{first}+{}", other.row().name())));
        } else if !has(usize::from(fusion.key), &registers[..1]) {
            let second = fusion.second.unwrap_or(Op::Jmpt).row().name();
            complain(file, in_registers(&format!("{first}+{second}")));
        }
    }
}
