//! How an instance comes to be.
//!
//! Comes in: a verified module, and what stands under the names of its imports. Goes out: an instance. What must hold: things
//! happen in the order of the WebAssembly core specification, section 4.5.4: imports are checked before anything is made;
//! elements go to tables in their order, then bytes to memory, then the start function runs; where one of these traps, what
//! was done before it stays, and so do functions that went to tables of others.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::engine::Engine;
use crate::interp::LinkedInstance;
use crate::isa::trap::TrapKind;
use crate::module::link::{Constant, ImportName, Item, Mode};
use crate::module::{Module, Table as WantedTable};
use crate::objects::{self, LinearMemory, Links};
use crate::stitch::image::Image;
use crate::trap::Trap;
use crate::verified::Verified;

use super::error::{Error, LinkError};
use super::func::Func;
use super::gate::Held;
use super::host::HostFunc;
use super::instance::{Export, Instance};
use super::items::{Extern, Global, Memory, Table};
use super::linker::Definition;
use super::state::{Core, Entity, Inner, Running};
use super::wanted;

/// What the imports of a module are.
struct Found<T: 'static> {
    functions: Vec<Source<T>>,
    tables: Vec<Table>,
    memory: Option<Memory>,
    globals: Vec<Global>,
}

/// An imported function.
enum Source<T: 'static> {
    /// One of an instance.
    Func(Func),
    /// The host's: the instance that imports it is the one that calls it.
    Host(Arc<HostFunc<T>>),
}

/// Makes an instance of a module in a store.
pub(super) fn instantiate<T: 'static>(
    store: &mut Inner<T>,
    verified: &Verified,
    image: Option<Arc<Image>>,
    find: impl Fn(&ImportName) -> Option<Definition<T>>,
) -> Result<Instance, Error> {
    let module = verified.module();
    let found = resolve(store, module, find)?;
    let before = (store.core.funcs.len(), store.hosts.len());
    let links = make(store, verified, image, found).inspect_err(|_| {
        // What refers to an instance that there is not is not to be found by its number.
        store.core.funcs.truncate(before.0);
        store.hosts.truncate(before.1);
    })?;
    let instance = Instance::new(store.core.id(), links.instance);
    fill(module, &links).map_err(|kind| Trap::new(kind, module, []))?;
    start(store, module, &links)?;
    Ok(instance)
}

/// Makes what runs an instance, and adds it to the store.
fn make<T: 'static>(
    store: &mut Inner<T>,
    verified: &Verified,
    image: Option<Arc<Image>>,
    found: Found<T>,
) -> Result<Arc<Links>, Error> {
    let module = verified.module();
    let index = u32::try_from(store.core.instances.len()).expect("a store has fewer than 2^32 instances");
    let mut links = Links::new(index, &store.core.funcs, module);
    let functions = import_functions(store, Instance::new(store.core.id(), index), found.functions)?;
    links.imports = functions.iter().map(|func| store.core.func(func.handle_in(&store.core))).collect();
    let imported = (&found.tables[..], found.memory, &found.globals[..]);
    make_items(&mut links, &store.core, module, imported)?;
    let links = Arc::new(links);
    let running = if store.core.native {
        let streams = Arc::clone(&store.core.streams);
        Running::Native(store.core.engine().link(verified, image, Arc::clone(&links), streams)?)
    } else {
        Engine::may_link(module)?;
        Running::Interpreted(LinkedInstance::new(verified, Arc::clone(&links)))
    };
    debug_assert!(
        !store.core.native || links.own.iter().filter_map(std::sync::OnceLock::get).all(|func| func.entry() != 0),
        "whoever can be referred to can be called"
    );
    let exports = exports(&mut store.core, module, &links, imported);
    let names = exports.iter().enumerate().map(|(nth, export)| (export.shared_name(), nth)).collect();
    let running = Held::new(running);
    store.core.instances.push(Entity {
        verified: verified.clone(),
        links: Arc::clone(&links),
        running,
        exports,
        names,
    });
    Ok(links)
}

/// Finds what is imported, and holds it against what the module wants.
fn resolve<T: 'static>(
    store: &Inner<T>,
    module: &Module,
    find: impl Fn(&ImportName) -> Option<Definition<T>>,
) -> Result<Found<T>, Error> {
    let core = &store.core;
    let error = |import: &ImportName, wanted: String, found: Option<String>| {
        let importer = module.source.as_ref().map(|source| source.name.clone());
        Error::from(Box::new(LinkError { importer, import: import.clone(), wanted, found }))
    };
    let describe = |definition: &Definition<T>| match definition {
        Definition::Item(item) => wanted::describe(core, *item),
        Definition::Host(function) => wanted::function(&function.signature),
    };
    let item = |import: &ImportName, wanted: String, fits: &dyn Fn(Extern) -> bool| match find(import) {
        Some(Definition::Item(item)) if fits(item) => Ok(item),
        found => Err(error(import, wanted, found.as_ref().map(describe))),
    };
    let mut found = Found { functions: Vec::new(), tables: Vec::new(), memory: None, globals: Vec::new() };
    for import in &module.imports {
        let fits = |signature: &_| *signature == import.signature;
        found.functions.push(match find(&import.from) {
            Some(Definition::Host(function)) if fits(&function.signature) => Source::Host(function),
            Some(Definition::Item(Extern::Func(func))) if fits(core.func(func.handle_in(core)).signature()) => {
                store.host_of(func).map_or(Source::Func(func), Source::Host)
            }
            other => {
                let wanted = wanted::function(&import.signature);
                return Err(error(&import.from, wanted, other.as_ref().map(describe)));
            }
        });
    }
    for table in module.tables.iter().filter_map(|table| table.growing.as_ref()) {
        let Some(import) = &table.import else { continue };
        let fits = |item: Extern| item.into_table().is_some_and(|found| wanted::table_fits(found.object(core), table));
        found.tables.extend(item(import, wanted::table(table), &fits)?.into_table());
    }
    if let Some((memory, import)) = module.memory.as_ref().and_then(|memory| Some((memory, memory.import.as_ref()?))) {
        let fits =
            |item: Extern| item.into_memory().is_some_and(|found| wanted::memory_fits(found.object(core), memory));
        found.memory = item(import, wanted::memory(memory), &fits)?.into_memory();
    }
    for global in &module.globals {
        let Some(import) = &global.import else { continue };
        let fits =
            |item: Extern| item.into_global().is_some_and(|found| wanted::global_fits(found.object(core), global));
        found.globals.extend(item(import, wanted::global(global.ty, global.mutable), &fits)?.into_global());
    }
    Ok(found)
}

/// The functions that a module imports; the host's become functions that this instance calls.
fn import_functions<T: 'static>(
    store: &mut Inner<T>,
    caller: Instance,
    sources: Vec<Source<T>>,
) -> Result<Vec<Func>, Error> {
    let host = |source: &Source<T>| match source {
        Source::Host(function) => Some((Arc::clone(function), Some(caller))),
        Source::Func(_) => None,
    };
    let hosts: Vec<_> = sources.iter().filter_map(host).collect();
    let mut hosts = store.add_hosts(hosts)?.into_iter();
    let func = |source| match source {
        Source::Host(_) => hosts.next().expect("one was made for each"),
        Source::Func(func) => func,
    };
    Ok(sources.into_iter().map(func).collect())
}

type Imported<'a> = (&'a [Table], Option<Memory>, &'a [Global]);

/// Makes the module's own items, behind those that it imports.
fn make_items(links: &mut Links, core: &Core, module: &Module, imported: Imported<'_>) -> Result<(), Error> {
    let (tables, memory, globals) = imported;
    let mut imported_tables = tables.iter();
    for table in &module.tables {
        links.tables.push(match &table.growing {
            None => None,
            Some(growing) if growing.import.is_some() => {
                imported_tables.next().map(|table| Arc::clone(table.object(core)))
            }
            Some(growing) => {
                let made = objects::Table::new(growing.ty, growing.min, growing.max);
                Some(Arc::new(made.ok_or(Error::Table(growing.min))?))
            }
        });
    }
    links.memory = match (&module.memory, memory) {
        (_, Some(imported)) => Some(Arc::clone(imported.object(core))),
        (Some(own), None) => Some(Arc::new(LinearMemory::new(own)?)),
        (None, None) => None,
    };
    let mut imported_globals = globals.iter();
    for global in &module.globals {
        let made = match imported_globals.next() {
            Some(imported) => Arc::clone(imported.object(core)),
            None => Arc::new(objects::Global::new(global.ty, global.mutable, links.constant(module, global.start))),
        };
        links.globals.push(made);
    }
    links.fill_elements(module);
    Ok(())
}

/// What a module exports. The same item is the same, whatever it is called.
fn exports(core: &mut Core, module: &Module, links: &Links, imported: Imported<'_>) -> Vec<Export> {
    let (tables, memory, globals) = imported;
    let mut imported_tables = tables.iter();
    let is_imported = |table: &WantedTable| table.growing.as_ref().is_some_and(|growing| growing.import.is_some());
    let mut known: HashMap<Item, Extern> = HashMap::new();
    for (nth, _) in (0..).zip(&module.tables).filter(|(_, table)| is_imported(table)) {
        known.extend(imported_tables.next().map(|&table| (Item::Table(nth), table.into())));
    }
    known.extend(memory.map(|memory| (Item::Memory, memory.into())));
    known.extend((0..).zip(globals).map(|(nth, &global)| (Item::Global(nth), global.into())));
    let mut export = |export: &crate::module::link::Export| {
        let item = *known.entry(export.item).or_insert_with(|| match export.item {
            Item::Function(target) => {
                let func = links.function(module, target).expect("the verifier lets no other target be exported");
                Func::of_handle(func.handle().into(), core).expect("it was just made").into()
            }
            Item::Table(nth) => {
                let table =
                    links.tables[nth as usize].as_ref().expect("the verifier lets only growing tables be exported");
                Table::add(core, Arc::clone(table)).into()
            }
            Item::Memory => {
                let memory = links.memory.as_ref().expect("the verifier knows that there is one");
                Memory::add(core, Arc::clone(memory)).into()
            }
            Item::Global(nth) => Global::add(core, Arc::clone(&links.globals[nth as usize])).into(),
        });
        Export::new(&export.name, item)
    };
    module.exports.iter().map(&mut export).collect()
}

/// Brings elements and segments to where they belong.
fn fill(module: &Module, links: &Links) -> Result<(), TrapKind> {
    let offset = |constant: Constant| links.constant(module, constant) as u32;
    for (nth, elements) in module.elements.iter().enumerate() {
        if let Mode::Active { table, offset: at } = elements.mode {
            let table = links.tables[table as usize].as_ref().ok_or(TrapKind::OutOfBoundsTable)?;
            table.write(offset(at), &links.elements[nth]).map_err(|_| TrapKind::OutOfBoundsTable)?;
        }
        links.elements_gone[nth].store(elements.mode != Mode::Passive, Ordering::Relaxed);
    }
    for (nth, segment) in module.segments.iter().enumerate() {
        if let Mode::Active { offset: at, .. } = segment.mode {
            let memory = links.memory.as_ref().ok_or(TrapKind::OutOfBoundsMemory)?;
            memory.write(offset(at), &segment.bytes).map_err(|_| TrapKind::OutOfBoundsMemory)?;
        }
        links.segments_gone[nth].store(segment.mode != Mode::Passive, Ordering::Relaxed);
    }
    Ok(())
}

/// Runs the start function, if there is one.
fn start<T: 'static>(store: &mut Inner<T>, module: &Module, links: &Links) -> Result<(), Error> {
    let Some(func) = module.start.and_then(|target| links.function(module, target)) else { return Ok(()) };
    let callable = store.core.callable(func.handle()).clone();
    store.call(&callable, &[], &mut [])
}
