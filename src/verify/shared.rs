//! Checks the items that modules share with others, and what fills tables and memory.
//!
//! Comes in: a module's items. Goes out: problems. What must hold: to whoever reads a verified module, every constant has
//! the type of what it is for, and every name of an item there is one; whether imports have what is said of them only a
//! store can tell.

use crate::isa::op::Type;
use crate::module::link::{Constant, Elements, Growing, Item, Mode};
use crate::module::native::Target;
use crate::module::{Module, Signature, Table};

use super::error::{Problem, Problems};
use super::{check_names, check_signature};

/// What is wrong with a constant, and what to do about it.
type Flaw = (String, Option<&'static str>);

pub(super) fn check_items(module: &Module, problems: &mut Problems) {
    check_names(&module.elements.iter().map(|e| (e.name.as_str(), e.line)), "elems", problems);
    check_names(&module.segments.iter().map(|s| (s.name.as_str(), s.line)), "segments", problems);
    check_names(&module.exports.iter().map(|e| (e.name.as_str(), e.line)), "exports", problems);
    for import in &module.imports {
        check_signature(&import.signature, &format_args!("`{}`", import.name), import.line, problems);
        if import.signature.variadic {
            let problem = Problem::new(format!("`{}` is imported and variadic", import.name)).line(import.line);
            problems.push(problem.help("only functions of the module and of C take any number of arguments"));
        }
    }
    for global in module.globals.iter().filter(|global| global.import.is_none()) {
        report(constant(module, global.start, global.ty), "global", &global.name, global.line, problems);
    }
    for table in &module.tables {
        if let Some(growing) = &table.growing {
            check_growing(table, growing, problems);
        }
    }
    for elements in &module.elements {
        report(elements_flaw(module, elements), "elem", &elements.name, elements.line, problems);
    }
    for segment in &module.segments {
        let flaw = match segment.mode {
            Mode::Passive => None,
            Mode::Declared => Some(("is only declared, which segments cannot be".to_owned(), None)),
            Mode::Active { table: 1.., .. } => Some(("goes to a table".to_owned(), None)),
            Mode::Active { .. } if module.memory.is_none() => {
                Some(("goes to memory, and there is none".to_owned(), Some("add an item such as `memory 1`")))
            }
            Mode::Active { offset, .. } => constant(module, offset, Type::I32),
        };
        report(flaw, "segment", &segment.name, segment.line, problems);
    }
    for export in &module.exports {
        report(export_flaw(module, export.item), "export", &export.name, export.line, problems);
    }
    check_start(module, problems);
}

fn report(flaw: Option<Flaw>, kind: &str, name: &str, line: u32, problems: &mut Problems) {
    if let Some((message, help)) = flaw {
        let problem = Problem::new(format!("{kind} `{name}` {message}")).line(line);
        problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
}

fn check_growing(table: &Table, growing: &Growing, problems: &mut Problems) {
    let name = &table.name;
    let mut refuse = |message: String| problems.push(Problem::new(message).line(table.line));
    if !growing.ty.is_reference() {
        let ty = growing.ty.name();
        refuse(format!("table `{name}` holds {ty}; tables that grow hold funcref or externref"));
    }
    if !table.functions.is_empty() {
        refuse(format!("table `{name}` grows and names its functions; an `elem` fills it"));
    }
    if let Some(max) = growing.max.filter(|&max| max < growing.min) {
        refuse(format!("table `{name}` starts with {} elements, more than its maximum of {max}", growing.min));
    }
}

fn elements_flaw(module: &Module, elements: &Elements) -> Option<Flaw> {
    let ty = elements.ty;
    if !ty.is_reference() {
        return Some((format!("is of {}; its type is funcref or externref", ty.name()), None));
    }
    let of_items = || elements.items.iter().find_map(|&item| constant(module, item, ty));
    let Mode::Active { table, offset } = elements.mode else { return of_items() };
    let Some(Table { name, growing, .. }) = module.tables.get(table as usize) else {
        return Some((format!("goes to table number {table}, which does not exist"), None));
    };
    match growing {
        None => Some((
            format!("goes to table `{name}`, which does not grow"),
            Some("a table that grows is written `table NAME funcref 10`"),
        )),
        Some(growing) if growing.ty != ty => {
            let (holds, is) = (growing.ty.name(), ty.name());
            Some((format!("is of {is}, but table `{name}` holds {holds}"), None))
        }
        Some(_) => constant(module, offset, Type::I32).or_else(of_items),
    }
}

fn export_flaw(module: &Module, item: Item) -> Option<Flaw> {
    let missing = |what: String| Some((format!("names {what}, which does not exist"), None));
    match item {
        Item::Function(target) => function(module, target),
        Item::Memory if module.memory.is_none() => Some(("names the memory, and there is none".to_owned(), None)),
        Item::Global(index) if index as usize >= module.globals.len() => missing(format!("global number {index}")),
        Item::Table(index) => match module.tables.get(index as usize) {
            None => missing(format!("table number {index}")),
            Some(Table { name, growing: None, .. }) => Some((
                format!("names table `{name}`, which does not grow"),
                Some("only growing tables are shared: `table NAME funcref 10`, and an `elem` that fills it"),
            )),
            Some(_) => None,
        },
        Item::Memory | Item::Global(_) => None,
    }
}

fn check_start(module: &Module, problems: &mut Problems) {
    let Some(target) = module.start else { return };
    if let Some((message, _)) = function(module, target) {
        return problems.push(Problem::new(format!("what runs first {message}")));
    }
    if let Some((name, signature, line)) = signature(module, target)
        && (!signature.params.is_empty() || !signature.results.is_empty())
    {
        let message = format!("`{name}` runs first and has the signature {signature}");
        problems.push(Problem::new(message).line(line).help("it must take nothing and give nothing: `()`"));
    }
}

/// The name, signature and line of a function or an import.
fn signature(module: &Module, target: Target) -> Option<(&str, &Signature, u32)> {
    match target {
        Target::Function(n) => module.functions.get(n as usize).map(|f| (f.name.as_str(), &f.signature, f.line)),
        Target::Import(n) => module.imports.get(n as usize).map(|i| (i.name.as_str(), &i.signature, i.line)),
        _ => None,
    }
}

/// What is wrong with referring to a function.
pub(super) fn function(module: &Module, target: Target) -> Option<Flaw> {
    let (kind, index) = match target {
        Target::Function(index) => ("function", index),
        Target::Import(index) => ("import", index),
        Target::Extern(index) => ("extern", index),
        Target::Data(index) => ("data", index),
    };
    match signature(module, target) {
        None if matches!(target, Target::Function(_) | Target::Import(_)) => {
            Some((format!("names {kind} number {index}, which does not exist"), None))
        }
        None => Some((format!("names {kind} number {index}, which is no function that can be referred to"), None)),
        Some((name, signature, _)) if signature.variadic => Some((
            format!("names `{name}`, which is variadic"),
            Some("no one else can call a function with any number of arguments"),
        )),
        Some(_) => None,
    }
}

/// What is wrong with a constant of type `ty`.
fn constant(module: &Module, constant: Constant, ty: Type) -> Option<Flaw> {
    match constant {
        Constant::Bits(bits) if ty.is_reference() && bits != 0 => {
            Some((format!("has the number {bits} for {}", article(ty)), Some("write `null` or the name of a function")))
        }
        Constant::Bits(bits) => {
            (ty.normalise(bits) != bits).then(|| ("has a value that does not fit 32 bits".to_owned(), None))
        }
        Constant::Function(_) if ty != Type::Funcref => Some((format!("has a function for {}", article(ty)), None)),
        Constant::Function(target) => function(module, target),
        Constant::Global(index) => match module.globals.get(index as usize) {
            None => Some((format!("takes the value of global number {index}, which does not exist"), None)),
            Some(global) if global.import.is_none() || global.mutable => Some((
                format!("takes the value of global `{}`, which is not known before", global.name),
                Some("it must be imported, and never written: `import \"MODULE\" \"NAME\" global g const i32`"),
            )),
            Some(global) if global.ty != ty => {
                let (given, wanted) = (global.ty.name(), article(ty));
                Some((format!("takes the value of global `{}`, which is {given}, for {wanted}", global.name), None))
            }
            Some(_) => None,
        },
    }
}

fn article(ty: Type) -> String {
    let article = if ty == Type::Funcref { "a" } else { "an" };
    format!("{article} {}", ty.name())
}
