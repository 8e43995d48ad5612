//! Random items that modules share with others, and the instructions on them.

use spasm::builder::{ElementsId, FunctionBuilder, FunctionId, GlobalId, ImportId, ModuleBuilder, SegmentId, TableId};
use spasm::isa::op::{Op, Type};
use spasm::module::link::{Constant, Item, Mode};
use spasm::module::native::Target;
use spasm::module::{Module, Reg};

use super::super::arbitrary::{Result, Unstructured};
use super::{name, register, signature};

const REFERENCES: [Type; 2] = [Type::Funcref, Type::Externref];

/// Numbers of items.
#[derive(Default)]
pub struct Links {
    pub imports: Vec<ImportId>,
    pub tables: Vec<TableId>,
    elements: Vec<ElementsId>,
    segments: Vec<SegmentId>,
}

/// Adds items; the memory of others is taken where `memory` says that there is none yet.
pub fn items(
    u: &mut Unstructured<'_>,
    module: &mut ModuleBuilder,
    functions: &[FunctionId],
    globals: &mut Vec<GlobalId>,
    memory: bool,
) -> Result<Links> {
    let mut links = Links::default();
    for number in 0..u.int_in_range(0..=2)? {
        let (from, item, own) = (name(u, 0)?, name(u, 0)?, name(u, number + 40)?);
        let mut signature = signature(u)?;
        signature.variadic = false;
        signature.params.push(*u.choose(&Type::ALL)?);
        links.imports.push(module.import_function((&from, &item), own, signature));
    }
    for number in 0..u.int_in_range(0..=2)? {
        let own = name(u, number + 10)?;
        globals.push(module.import_global(("", "g"), own, *u.choose(&Type::ALL)?, u.arbitrary()?));
    }
    for number in 0..u.int_in_range(0..=2)? {
        let (own, ty) = (name(u, number + 20)?, *u.choose(&Type::ALL)?);
        let start = constant(u, ty, functions, &links.imports, globals)?;
        globals.push(module.computed_global(own, ty, start, u.arbitrary()?));
    }
    if memory && u.arbitrary()? {
        module.import_memory(("m", "memory"), u.int_in_range(0..=4)?, if u.arbitrary()? { Some(4) } else { None });
    }
    for number in 0..u.int_in_range(1..=3)? {
        let (own, ty, min) = (name(u, number + 10)?, *u.choose(&REFERENCES)?, u.arbitrary::<u16>()?.into());
        let max = if u.arbitrary()? { Some(u.int_in_range(min..=u32::MAX)?) } else { None };
        links.tables.push(if u.arbitrary()? {
            module.growing_table(own, ty, min, max)
        } else {
            module.import_table(("m", "table"), own, ty, min, max)
        });
    }
    for number in 0..u.int_in_range(0..=3)? {
        let (own, ty) = (name(u, number)?, *u.choose(&REFERENCES)?);
        let items = (0..u.int_in_range(0..=4)?)
            .map(|_| constant(u, ty, functions, &links.imports, globals))
            .collect::<Result<Vec<_>>>()?;
        let table = u.choose(&links.tables)?.index();
        let offset = constant(u, Type::I32, functions, &links.imports, globals)?;
        let mode = *u.choose(&[Mode::Passive, Mode::Declared, Mode::Active { table, offset }])?;
        links.elements.push(module.elements(own, ty, items, mode));
    }
    for number in 0..u.int_in_range(0..=3)? {
        let bytes: Vec<u8> = if u.arbitrary()? { vec![0; u.int_in_range(0..=40)?] } else { u.arbitrary()? };
        let offset = constant(u, Type::I32, functions, &links.imports, globals)?;
        let mode = *u.choose(&[Mode::Passive, Mode::Active { table: 0, offset }])?;
        links.segments.push(module.segment(name(u, number)?, bytes, mode));
    }
    for number in 0..u.int_in_range(0..=3)? {
        let item = match u.int_in_range(0..=3)? {
            0 if !globals.is_empty() => Item::Global(u.choose(globals)?.index()),
            1 => Item::Table(u.choose(&links.tables)?.index()),
            2 => Item::Memory,
            _ => Item::Function(function(u, functions, &links.imports)?),
        };
        module.export(name(u, number)?, item);
    }
    if u.arbitrary()? {
        module.start(function(u, functions, &links.imports)?);
    }
    Ok(links)
}

fn function(u: &mut Unstructured<'_>, functions: &[FunctionId], imports: &[ImportId]) -> Result<Target> {
    Ok(if !imports.is_empty() && u.arbitrary()? {
        (*u.choose(imports)?).into()
    } else {
        (*u.choose(functions)?).into()
    })
}

fn constant(
    u: &mut Unstructured<'_>,
    ty: Type,
    functions: &[FunctionId],
    imports: &[ImportId],
    globals: &[GlobalId],
) -> Result<Constant> {
    if !globals.is_empty() && u.ratio(1, 4)? {
        return Ok((*u.choose(globals)?).into());
    }
    if !ty.is_reference() {
        return Ok(Constant::Bits(ty.normalise(u.arbitrary()?)));
    }
    Ok(if u.ratio(1, 3)? { Constant::Bits(0) } else { Constant::Function(function(u, functions, imports)?) })
}

/// Adds an instruction on tables, elements or segments, if the module has what it names.
#[allow(clippy::many_single_char_names, reason = "the operands of instructions")]
pub fn instruction(
    u: &mut Unstructured<'_>,
    f: &mut FunctionBuilder,
    op: Op,
    links: &Links,
    functions: &[FunctionId],
) -> Result<()> {
    let d = register(u)?;
    let three: [Reg; 3] = [register(u)?, register(u)?, register(u)?];
    let [a, b, c] = three;
    if op == Op::Ref {
        f.reference(d, function(u, functions, &links.imports)?);
        return Ok(());
    }
    if let Op::Minit | Op::Mdrop = op {
        if !links.segments.is_empty() {
            let segment = *u.choose(&links.segments)?;
            if op == Op::Minit { f.memory_init(segment, a, b, c) } else { f.segment_drop(segment) }
        }
        return Ok(());
    }
    if links.tables.is_empty() {
        return Ok(());
    }
    let (table, other) = (*u.choose(&links.tables)?, *u.choose(&links.tables)?);
    match op {
        Op::Tget => f.table_get(d, table, a),
        Op::Tset => f.table_set(table, a, b),
        Op::Tsize => f.table_size(d, table),
        Op::Tgrow => f.table_grow(d, table, a, b),
        Op::Tfill => f.table_fill(table, a, b, c),
        Op::Tcopy => f.table_copy(table, other, three),
        _ if links.elements.is_empty() => {}
        Op::Tinit => f.table_init(table, *u.choose(&links.elements)?, three),
        _ => f.elements_drop(*u.choose(&links.elements)?),
    }
    Ok(())
}

/// A module's items without their lines.
pub fn strip(module: &mut Module) {
    module.imports.iter_mut().for_each(|import| import.line = 0);
    module.elements.iter_mut().for_each(|elements| elements.line = 0);
    module.segments.iter_mut().for_each(|segment| segment.line = 0);
    module.exports.iter_mut().for_each(|export| export.line = 0);
}

/// How long the longest name is.
pub fn longest_name(module: &Module) -> usize {
    let imports = module.imports.iter().flat_map(|i| [&i.name, &i.from.module, &i.from.name]);
    let elements = module.elements.iter().map(|elements| &elements.name);
    let segments = module.segments.iter().map(|segment| &segment.name);
    let exports = module.exports.iter().map(|export| &export.name);
    let tables = module.tables.iter().map(|table| &table.name);
    imports.chain(elements).chain(segments).chain(exports).chain(tables).map(String::len).max().unwrap_or(0)
}
