//! Linked modules as an object can hold them: what they import becomes what C gives them.
//!
//! Comes in: a module with imports. Goes out: the same module, whose imported functions are externs. What must hold: a symbol
//! stands for one import, and for nothing that the module gives others; what C cannot give is refused by its name.
//!
//! An imported function has no reference, for C functions are called another way than those of tables: where one is needed,
//! a function of the module stands in, which calls it.

use std::collections::{HashMap, HashSet};

use crate::isa::op::Op;
use crate::module::link::{Constant, ImportName, Item};
use crate::module::native::{CSignature, Extern, Target};
use crate::module::{Function, Inst, Module, Reg, Signature};

use super::names::c_exports;
use super::write::is_own_name;

/// Why a linked module cannot stand in an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// It uses something of another module that C cannot give.
    #[error(
        "{what} comes from `{}` as `{}`, and an object has only such as are its own: define it in the module, and export it where C is to reach it",
        from.module,
        from.name
    )]
    Shared {
        /// What it is.
        what: &'static str,
        /// By which names it is found.
        from: ImportName,
    },
    /// Two things would have one symbol.
    #[error("{first} and {second} would both be the symbol `{symbol}` of C: give one of them another name")]
    Symbol {
        /// The symbol.
        symbol: String,
        /// What has it.
        first: String,
        /// What would have it as well.
        second: String,
    },
}

/// The symbol that an import is in C: its name where its module is `env`, which is what compilers call C's own, else both
/// names with `_` between them. What a name of C cannot have becomes `_`.
#[must_use]
pub fn c_symbol(from: &ImportName) -> String {
    let ImportName { module, name } = from;
    let whole = if module == "env" { name.clone() } else { format!("{module}_{name}") };
    let mut made = whole.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_");
    if !made.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        made.insert(0, '_');
    }
    made
}

/// Makes a linked module one that [`write`](super::write()) takes, and leaves any other as it is. What comes out is to be
/// verified.
///
/// # Errors
/// Where it uses what C cannot give.
pub fn lower(module: &mut Module) -> Result<(), LowerError> {
    if !module.is_linked() {
        return Ok(());
    }
    shared_items(module)?;
    symbols(module)?;
    if module.imports.is_empty() {
        return Ok(());
    }
    let externs = module.externs.len() as u32;
    let mut stand_ins = StandIns::new(module, externs);
    for import in std::mem::take(&mut module.imports) {
        let signature = module.intern_c_signature(CSignature::of(&import.signature));
        let symbol = c_symbol(&import.from);
        let made = Extern { name: import.name, library: String::new(), symbol, signature, line: import.line };
        module.externs.push(made);
    }
    for function in &mut module.functions {
        for inst in &mut function.insts {
            match inst.op {
                Op::Call if Target::from_fields(inst.d, inst.a) == Some(Target::Import(inst.a)) => {
                    (inst.d, inst.a) = Target::Extern(externs + inst.a).fields();
                }
                Op::Ref => {
                    if let Some([kind, index]) =
                        function.lists.get_mut(inst.b as usize..).and_then(|list| list.first_chunk_mut())
                        && let Some(target) = Target::from_fields(*kind, *index)
                    {
                        (*kind, *index) = stand_ins.of(target).fields();
                    }
                }
                _ => {}
            }
        }
    }
    let items = module.elements.iter_mut().flat_map(|elements| &mut elements.items);
    for constant in items.chain(module.globals.iter_mut().map(|global| &mut global.start)) {
        if let Constant::Function(target) = constant {
            *target = stand_ins.of(*target);
        }
    }
    for export in &mut module.exports {
        if let Item::Function(target) = &mut export.item {
            *target = stand_ins.of(*target);
        }
    }
    module.start = module.start.map(|target| stand_ins.of(target));
    module.functions.append(&mut stand_ins.made);
    Ok(())
}

/// Refuses what can only be another module's.
fn shared_items(module: &Module) -> Result<(), LowerError> {
    let refuse = |what, from: &ImportName| Err(LowerError::Shared { what, from: from.clone() });
    if let Some(from) = module.memory.as_ref().and_then(|memory| memory.import.as_ref()) {
        return refuse("the memory", from);
    }
    let mut tables = module.tables.iter().filter_map(|table| table.growing.as_ref()?.import.as_ref());
    if let Some(from) = tables.next() {
        return refuse("a table", from);
    }
    let references = module.globals.iter().filter(|global| global.ty.is_reference());
    match references.filter_map(|global| global.import.as_ref()).next() {
        Some(from) => refuse("a global with a reference", from),
        None => Ok(()),
    }
}

/// Sees to it that no two things have one symbol.
fn symbols(module: &Module) -> Result<(), LowerError> {
    let mut known: HashMap<String, String> = HashMap::new();
    for export in c_exports(module) {
        let what = format!("the export `{}`", export.own);
        if is_own_name(export.own) {
            known.insert(export.own.to_owned(), what.clone());
        }
        known.insert(export.name, what);
    }
    let globals = module.globals.iter().filter_map(|global| global.import.as_ref());
    for from in module.imports.iter().map(|import| &import.from).chain(globals) {
        let symbol = c_symbol(from);
        let what = format!("the import `{}` of `{}`", from.name, from.module);
        match known.get(&symbol) {
            // A module may import one thing many times.
            Some(first) if *first != what => {
                return Err(LowerError::Symbol { symbol, first: first.clone(), second: what });
            }
            _ => _ = known.insert(symbol, what),
        }
    }
    Ok(())
}

/// The functions that stand in for imported ones where references are needed.
struct StandIns {
    /// Those of the imports, as far as they are needed.
    places: Vec<Option<u32>>,
    /// The name and the signature of each import.
    imports: Vec<(String, Signature)>,
    /// All names that there are.
    names: HashSet<String>,
    /// The number of the extern that the first import becomes.
    externs: u32,
    /// The number of the first function that is made.
    first: u32,
    made: Vec<Function>,
}

impl StandIns {
    fn new(module: &Module, externs: u32) -> StandIns {
        let imports = module.imports.iter();
        let functions = module.functions.iter().map(|function| &function.name);
        let others = module.externs.iter().map(|one| &one.name).chain(module.data.iter().map(|data| &data.name));
        StandIns {
            places: vec![None; module.imports.len()],
            imports: imports.clone().map(|import| (import.name.clone(), import.signature.clone())).collect(),
            names: functions.chain(others).chain(imports.map(|import| &import.name)).cloned().collect(),
            externs,
            first: module.functions.len() as u32,
            made: Vec::new(),
        }
    }

    /// What stands for a function.
    fn of(&mut self, target: Target) -> Target {
        let Target::Import(index) = target else { return target };
        let Some((name, signature)) = self.imports.get(index as usize) else { return target };
        let place = self.places[index as usize].unwrap_or_else(|| {
            let mut name = format!("{name}.import");
            while !self.names.insert(name.clone()) {
                name.push('_');
            }
            self.made.push(stand_in(name, signature, Target::Extern(self.externs + index)));
            self.first + self.made.len() as u32 - 1
        });
        self.places[index as usize] = Some(place);
        Target::Function(place)
    }
}

/// A function that passes its arguments on.
fn stand_in(name: String, signature: &Signature, to: Target) -> Function {
    let counted = |list: &mut Vec<u32>, registers: &mut dyn ExactSizeIterator<Item = Reg>| {
        list.push(registers.len() as u32);
        list.extend(registers.map(Reg::field));
    };
    let params = (1..signature.params.len() as u32 + 1).map(Reg::arg);
    let results = (1..signature.results.len() as u32 + 1).map(Reg::local);
    let mut lists = Vec::new();
    counted(&mut lists, &mut results.clone());
    counted(&mut lists, &mut params.clone());
    let returned = lists.len() as u32;
    counted(&mut lists, &mut results.clone());
    let (d, a) = to.fields();
    let insts = vec![Inst { op: Op::Call, d, a, b: 0 }, Inst { op: Op::Ret, d: 0, a: 0, b: returned }];
    Function { name, signature: signature.clone(), insts, lists, ..Function::default() }
}
