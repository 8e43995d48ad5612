//! Names that operands and items use: what they stand for, and what was meant where they stand for nothing.
//!
//! Comes in: an operand, and the names that items define. Goes out: numbers of items, or faults that say what to do. What
//! must hold: a name that another kind of item has is told so before one that is only near.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::{Cursor, brief};
use super::fault::Fault;
use super::items::with_article;
use super::parse::{Names, Scope};
use super::suggest::nearest;
use crate::module::native::Target;

impl<'t> Scope<'t> {
    /// Functions, and what shares its names with them, by kinds.
    pub fn targets(&self) -> [(&'static str, &Names<'t>); 4] {
        [("function", &self.functions), ("extern", &self.externs), ("data", &self.data), ("import", &self.imports)]
    }

    /// What is called `name` and has a native address.
    pub fn target(&self, name: &str) -> Option<Target> {
        let index = |names: &Names<'_>| names.get(name).map(|definition| definition.index);
        let function = index(&self.functions).map(Target::Function);
        let external = || index(&self.externs).map(Target::Extern);
        function.or_else(external).or_else(|| index(&self.data).map(Target::Data))
    }

    /// What is called `name` and can be referred to: a function or an import.
    pub fn function(&self, name: &str) -> Option<Target> {
        let index = |names: &Names<'_>| names.get(name).map(|definition| definition.index);
        index(&self.functions).map(Target::Function).or_else(|| index(&self.imports).map(Target::Import))
    }

    /// The fault of naming what is not defined where something with an address is wanted.
    pub fn unknown_target(&self, name: &str, range: Range<usize>) -> Fault {
        unknown(name, range, &[&self.functions, &self.externs, &self.data], "function, extern or data", self)
    }

    /// The fault of naming what is not defined where a function or an import is wanted.
    pub fn unknown_function(&self, name: &str, range: Range<usize>) -> Fault {
        unknown(name, range, &[&self.functions, &self.imports], "function", self)
    }
}

/// The name in an operand, where a register is taken for a mistake.
fn named<'t>(mut operand: Cursor<'t, '_>, what: &str) -> Result<(Cow<'t, str>, Range<usize>), Fault> {
    if operand.at_register() {
        let written = operand.range();
        let fault = operand.expected(&format!("{} name", possessive(what)));
        return Err(fault.help(format!(
            "{} of that name is named in quotes: `\"{}\"`",
            with_article(what),
            brief(&operand.text[written])
        )));
    }
    let (name, range) = operand.name(&format!("{} name", possessive(what)))?;
    operand.finish()?;
    Ok((name, range))
}

fn possessive(what: &str) -> String {
    format!("{}'s", with_article(what))
}

/// The number of the item of kind `what` that an operand names.
pub fn find(operand: Cursor<'_, '_>, names: &Names<'_>, what: &str, scope: &Scope<'_>) -> Result<u32, Fault> {
    let (name, range) = named(operand, what)?;
    names.get(&name).map(|definition| definition.index).ok_or_else(|| unknown(&name, range, &[names], what, scope))
}

/// What a `call` names, as two fields: a function, an extern or an import.
pub fn callee(operand: Cursor<'_, '_>, scope: &Scope<'_>) -> Result<(u32, u32), Fault> {
    let (name, range) = named(operand, "function")?;
    match scope.target(&name).or_else(|| scope.function(&name)) {
        Some(target) if !matches!(target, Target::Data(_)) => Ok(target.fields()),
        _ => {
            let callable = [&scope.functions, &scope.externs, &scope.imports];
            Err(unknown(&name, range, &callable, "function", scope))
        }
    }
}

/// What an `addr` names.
pub fn target(operand: Cursor<'_, '_>, scope: &Scope<'_>) -> Result<Target, Fault> {
    let (name, range) = named(operand, "function")?;
    scope.target(&name).ok_or_else(|| scope.unknown_target(&name, range))
}

/// The function or import that an operand names.
pub fn function(operand: Cursor<'_, '_>, scope: &Scope<'_>) -> Result<Target, Fault> {
    let (name, range) = named(operand, "function")?;
    scope.function(&name).ok_or_else(|| scope.unknown_function(&name, range))
}

/// The fault of naming a `what` that is not defined; `names` are those that could stand there.
pub fn unknown(name: &str, range: Range<usize>, names: &[&Names<'_>], what: &str, scope: &Scope<'_>) -> Fault {
    let shown = brief(name);
    let others =
        [("global", &scope.globals), ("table", &scope.tables), ("elem", &scope.elements), ("segment", &scope.segments)];
    let other = scope.targets().into_iter().chain(others).find(|(_, names)| names.contains_key(name));
    let candidates = names.iter().flat_map(|names| names.keys()).map(Cow::as_ref);
    let help = match (other, nearest(name, candidates)) {
        (Some((other, _)), _) => format!("`{shown}` is {}", with_article(other)),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => match what {
            "function" => format!("a function is defined by `func {shown}`, one of C by `extern \"LIB\" {shown}(...)`"),
            "global" => format!("a global is defined by `global {shown} i64 = 0`"),
            "table" => format!("a table is defined by `table {shown} = [f, g]`"),
            "elem" => format!("an elem is defined by `elem {shown} funcref = [f, g]`"),
            "segment" => format!("a segment is defined by `segment {shown} = \"text\"`"),
            _ => format!("data is defined by `data {shown} = \"text\\0\"`"),
        },
    };
    Fault::new(range, format!("there is no {what} `{shown}`")).help(help)
}
