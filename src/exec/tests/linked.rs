//! Instances that call each other and the host: by imports, by tables, and back again.
//!
//! Programs are text in which functions whose names begin with `import_` stand for imports, and calls of functions named
//! `op_NAME_FIRST_SECOND` for an instruction on tables and segments; a table named `g…` is a growing one.

#![allow(unsafe_code, reason = "functions of the host go back to instances by their addresses")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::*;
use crate::isa::op::{Op, Type};
use crate::library::Library;
use crate::module::link::{Constant, Elements, Export, Growing, ImportedFunction, Item, Mode, Segment};
use crate::module::native::Target;
use crate::module::{Inst, Memory, Module};
use crate::objects::{Body, Func, Funcs, Global, LinearMemory, Links, Table};
use crate::stitch::Stitcher;

use super::super::{HostCalls, Natives, Pending, SharedStreams, connect_host};

/// Turns the functions that stand for other things into those.
fn module(text: &str) -> Module {
    let mut module = text::parse("test.spasm", text).unwrap();
    let stands = |name: &str| name.starts_with("import_") || name.starts_with("op_");
    let first = module.functions.iter().position(|f| stands(&f.name)).unwrap_or(module.functions.len());
    let stubs = module.functions.split_off(first);
    let imports: Vec<usize> = (0..stubs.len()).filter(|&n| stubs[n].name.starts_with("import_")).collect();
    for &nth in &imports {
        let (name, signature) = (stubs[nth].name.clone(), stubs[nth].signature.clone());
        module.imports.push(ImportedFunction { name, signature, ..ImportedFunction::default() });
    }
    for function in &mut module.functions {
        for inst in function.insts.iter_mut().filter(|inst| inst.op == Op::Call && inst.a as usize >= first) {
            let stub = inst.a as usize - first;
            if let Some(import) = imports.iter().position(|&nth| nth == stub) {
                (inst.d, inst.a) = Target::Import(import as u32).fields();
                continue;
            }
            let words: Vec<&str> = stubs[stub].name.split('_').collect();
            let op = Op::ALL.iter().copied().find(|op| op.row().name() == words[1]).unwrap();
            let list = function.lists[inst.b as usize..].to_vec();
            let at = function.lists.len() as u32;
            function.lists.extend([words[2].parse::<u32>().unwrap(), words[3].parse().unwrap()]);
            function.lists.extend(list);
            *inst = Inst { op, d: 0, a: 0, b: at };
        }
    }
    for table in module.tables.iter_mut().filter(|table| table.name.starts_with('g')) {
        table.growing = Some(Growing { ty: Type::Funcref, min: 4, max: Some(10), import: None });
    }
    module.exports = (0..module.functions.len())
        .map(|n| (n, Item::Function(Target::Function(n as u32))))
        .map(|(n, item)| Export { name: module.functions[n].name.clone(), item, line: 0 })
        .collect();
    module
}

type HostFunction = Box<dyn Fn(&mut [u64]) -> Result<Ended, Pending> + Send + Sync>;

#[derive(Default)]
struct Host(Mutex<Vec<Arc<HostFunction>>>);

impl HostCalls for Host {
    fn call(&self, host: u32, buffer: &mut [u64]) -> Result<Ended, Pending> {
        let function = Arc::clone(&self.0.lock().unwrap()[host as usize]);
        function(buffer)
    }
}

/// What a test's modules share.
struct Store {
    runtime: Arc<Runtime>,
    funcs: Arc<Funcs>,
    host: Arc<Host>,
    streams: Arc<SharedStreams>,
    instances: Vec<Box<Instance>>,
    links: Vec<Arc<Links>>,
}

impl Store {
    fn new() -> Store {
        Store {
            runtime: Runtime::new(ArenaSize { code: 1 << 20, data: 1 << 18 }).unwrap(),
            funcs: Arc::default(),
            host: Arc::default(),
            streams: Arc::default(),
            instances: Vec::new(),
            links: Vec::new(),
        }
    }

    fn host(
        &self,
        text: &str,
        function: impl Fn(&mut [u64]) -> Result<Ended, Pending> + Send + Sync + 'static,
    ) -> Arc<Func> {
        let signature =
            text::parse("host", &format!("func f{text}\n    trap\n")).unwrap().functions[0].signature.clone();
        let mut all = self.host.0.lock().unwrap();
        all.push(Arc::new(Box::new(function)));
        let func = self.funcs.add(signature, Body::Host(all.len() as u32 - 1));
        connect_host(&self.runtime, &func, &(Arc::clone(&self.host) as Arc<dyn HostCalls>));
        func
    }

    /// Instantiates a module with these imports; `with` may change what it is linked with.
    fn add(&mut self, module: Module, imports: &[Arc<Func>], with: impl FnOnce(&mut Links)) -> usize {
        let verified = verify(module).unwrap_or_else(|error| panic!("{error}"));
        let number = self.instances.len();
        let module = verified.module();
        let mut links = Links::new(number as u32, &self.funcs, module);
        links.imports = imports.to_vec();
        let table = |table: &crate::module::Table| {
            let growing = table.growing.as_ref()?;
            Table::new(growing.ty, growing.min, growing.max).map(Arc::new)
        };
        links.tables = module.tables.iter().map(table).collect();
        let global = |global: &crate::module::Global| Arc::new(Global::new(global.ty, global.mutable, global.bits()));
        links.globals = module.globals.iter().map(global).collect();
        links.memory = module.memory.as_ref().map(|memory| Arc::new(LinearMemory::new(memory).unwrap()));
        with(&mut links);
        links.fill_elements(module);
        let links = Arc::new(links);
        let (image, trace) = Stitcher::new(Library::native()).stitch_traced(&verified).unwrap();
        if let Err(defects) = crate::check::check(&verified, &image, &trace, Library::native()) {
            panic!("{}", defects[0]);
        }
        let (natives, streams) = (Natives::default(), Arc::clone(&self.streams));
        let image = Arc::new(image);
        let linked = Arc::clone(&links);
        let made = Instance::linked(&self.runtime, &verified, image, streams, 1 << 20, natives, linked).unwrap();
        self.instances.push(Box::new(made));
        self.links.push(links);
        number
    }

    /// A function of an instance, for others.
    fn func(&self, instance: usize, name: &str) -> Arc<Func> {
        let module = self.instances[instance].module();
        let function = Target::Function(module.function_index(name).unwrap());
        self.links[instance].function(module, function).unwrap()
    }

    fn call(&self, instance: usize, name: &str, args: &[u64]) -> Result<Vec<u64>, RunError> {
        call_linked(&self.instances[instance], name, args)
    }

    fn trap(&self, instance: usize, name: &str, args: &[u64]) -> String {
        match self.call(instance, name, args) {
            Err(RunError::Trap(trap)) => trap.to_string(),
            other => panic!("{other:?} instead of a trap"),
        }
    }
}

fn call_linked(instance: &Instance, name: &str, args: &[u64]) -> Result<Vec<u64>, RunError> {
    let index = instance.module().function_index(name).unwrap();
    let mut results = vec![0; instance.module().functions[index as usize].signature.results.len()];
    match instance.call_linked(&instance.function(index).unwrap(), args, &mut results)? {
        Ended::Returned => Ok(results),
        Ended::Halted => panic!("halted"),
    }
}

fn load(store: &Store, instance: usize) -> u64 {
    let mut bytes = [0; 8];
    store.links[instance].memory.as_ref().unwrap().read(8, &mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

const CALLEE: &str = "\
memory 1 4
func put(i64) -> i64
    const r1, 8
    mstore.i64 a1, r1, 0
    mul r2, a1, a1
    ret r2
func grow(i64) -> i32
    mgrow r1, a1
    ret r1
func pages() -> i32
    msize r1
    ret r1
func fails(i64)
    div r1, a1, r2
    ret
";

const CALLER: &str = "\
memory 2
func twice(i64) -> i64
    const r1, 8
    call r2, import_put, a1
    mstore.i64 a1, r1, 0
    add a1, a1, a1
    call r3, import_put, a1
    mload.i64 r4, r1, 0
    add r4, r4, r2
    add r4, r4, r3
    ret r4
func pages() -> i32
    msize r1
    ret r1
func through(i64)
    call import_fails, a1
    ret
func import_put(i64) -> i64
    trap
func import_fails(i64)
    trap
";

#[test]
fn each_instance_has_its_own_memory() {
    let mut store = Store::new();
    let callee = store.add(module(CALLEE), &[], |_| {});
    let imports = [store.func(callee, "put"), store.func(callee, "fails")];
    let caller = store.add(module(CALLER), &imports, |_| {});
    assert_eq!(store.call(caller, "twice", &[3]).unwrap(), [3 + 9 + 36]);
    assert_eq!((load(&store, callee), load(&store, caller)), (6, 3));
    assert_eq!(store.call(callee, "grow", &[1]).unwrap(), [1]);
    assert_eq!(store.call(callee, "pages", &[]).unwrap(), [2]);
    assert_eq!(store.call(caller, "pages", &[]).unwrap(), [2]);
    let report = "trap: divide by zero\n  at fails (test.spasm:14)\n  at through (test.spasm:16)";
    assert_eq!(store.trap(caller, "through", &[1]), report);
    assert_eq!(store.call(caller, "twice", &[1]).unwrap(), [1 + 1 + 4]);
}

#[test]
fn a_memory_may_be_shared() {
    let mut store = Store::new();
    let owner = store.add(module(CALLEE), &[], |_| {});
    let memory = store.links[owner].memory.clone();
    let mut text = module(
        "memory 1 4\nfunc grow(i64) -> i32\n    mgrow r1, a1\n    ret r1\nfunc pages() -> i32\n    msize r1\n    ret r1\nfunc get(i64) -> i64\n    mload.i64 r1, a1, 0\n    ret r1\n",
    );
    text.memory = Some(Memory { import: Some(Default::default()), ..Memory::new(1, Some(4)) });
    let other = store.add(text, &[], |links| links.memory = memory);
    store.call(owner, "put", &[77]).unwrap();
    assert_eq!(store.call(other, "get", &[8]).unwrap(), [77]);
    assert_eq!(store.trap(other, "get", &[1 << 16]), "trap: out of bounds memory access\n  at get (test.spasm:9)");
    assert_eq!(store.call(other, "grow", &[2]).unwrap(), [1]);
    assert_eq!(store.call(owner, "pages", &[]).unwrap(), [3]);
    assert_eq!(store.call(owner, "grow", &[2]).unwrap(), [0xffff_ffff]);
    assert_eq!(store.call(other, "get", &[(3 << 16) - 8]).unwrap(), [0]);
    store.links[owner].memory.as_ref().unwrap().grow(1).unwrap();
    assert_eq!(
        (store.call(owner, "pages", &[]).unwrap(), store.call(other, "pages", &[]).unwrap()),
        (vec![4], vec![4])
    );
}

const TABLES: &str = "\
table g = []
table g2 = []
func one(i64) -> i64
    const r1, 1
    add r1, a1, r1
    ret r1
func two(i64) -> i64
    const r1, 2
    add r1, a1, r1
    ret r1
func other()
    ret
func at(i64, i64) -> i64
    calli r1, g, a1, (i64) -> i64, a2
    ret r1
func set(i64, i64)
    call op_tset_0_0, a1, a2
    ret
func get(i64) -> i64
    call r1, op_tget_0_0, a1
    ret r1
func size() -> i64
    call r1, op_tsize_0_0
    ret r1
func grow(i64, i64) -> i64
    call r1, op_tgrow_0_0, a1, a2
    ret r1
func fill(i64, i64, i64)
    call op_tfill_0_0, a1, a2, a3
    ret
func copy(i64, i64, i64)
    call op_tcopy_0_0, a1, a2, a3
    ret
func across(i64, i64, i64)
    call op_tcopy_1_0, a1, a2, a3
    ret
func back(i64, i64, i64)
    call op_tcopy_0_1, a1, a2, a3
    ret
func init(i64, i64, i64)
    call op_tinit_0_0, a1, a2, a3
    ret
func drop()
    call op_edrop_0_0
    ret
func first() -> i64
    call r1, op_ref_0_0
    ret r1
func op_tset_0_0()
    trap
func op_tget_0_0()
    trap
func op_tsize_0_0()
    trap
func op_tgrow_0_0()
    trap
func op_tfill_0_0()
    trap
func op_tcopy_0_0()
    trap
func op_tcopy_1_0()
    trap
func op_tcopy_0_1()
    trap
func op_tinit_0_0()
    trap
func op_edrop_0_0()
    trap
func op_ref_0_0()
    trap
";

fn tables(store: &mut Store) -> usize {
    let mut module = module(TABLES);
    let items = [0, 1, 2].map(|n| Constant::Function(Target::Function(n))).to_vec();
    module.elements.push(Elements { name: "e".into(), ty: Type::Funcref, items, mode: Mode::Passive, line: 0 });
    store.add(module, &[], |_| {})
}

#[test]
fn tables_are_read_written_grown_filled_and_copied() {
    let mut store = Store::new();
    let t = tables(&mut store);
    let table = |store: &Store| -> Vec<u64> {
        let size = store.call(t, "size", &[]).unwrap()[0];
        (0..size).map(|i| store.call(t, "get", &[i]).unwrap()[0]).collect()
    };
    let [one, two, other] = ["one", "two", "other"].map(|name| u64::from(store.func(t, name).handle()));
    assert_eq!(store.call(t, "first", &[]).unwrap(), [one]);
    assert_eq!(table(&store), [0; 4]);
    store.call(t, "init", &[1, 0, 3]).unwrap();
    assert_eq!(table(&store), [0, one, two, other]);
    store.call(t, "copy", &[0, 1, 3]).unwrap();
    assert_eq!(table(&store), [one, two, other, other]);
    store.call(t, "copy", &[1, 0, 3]).unwrap();
    assert_eq!(table(&store), [one, one, two, other]);
    assert_eq!(store.call(t, "grow", &[two, 2]).unwrap(), [4]);
    assert_eq!(store.call(t, "grow", &[0, 5]).unwrap(), [0xffff_ffff]);
    assert_eq!(table(&store), [one, one, two, other, two, two]);
    store.call(t, "across", &[0, 1, 4]).unwrap();
    store.call(t, "fill", &[0, 0, 6]).unwrap();
    store.call(t, "back", &[2, 0, 4]).unwrap();
    assert_eq!(table(&store), [0, 0, one, two, other, two]);
    let outside = |store: &Store, name: &str, args: &[u64]| {
        assert!(store.trap(t, name, args).starts_with("trap: out of bounds table access\n  at "), "{name} {args:?}");
    };
    outside(&store, "get", &[6]);
    outside(&store, "set", &[6, 0]);
    outside(&store, "fill", &[5, 0, 2]);
    outside(&store, "copy", &[4, 0, 3]);
    outside(&store, "copy", &[0, 4, 3]);
    outside(&store, "across", &[2, 0, 3]);
    outside(&store, "init", &[0, 1, 3]);
    outside(&store, "init", &[5, 0, 2]);
    outside(&store, "init", &[0xffff_ffff, 0, 1]);
    assert_eq!(table(&store), [0, 0, one, two, other, two]);
    store.call(t, "drop", &[]).unwrap();
    outside(&store, "init", &[0, 0, 1]);
    store.call(t, "init", &[6, 0, 0]).unwrap();
    // Only the low halves count.
    store.call(t, "set", &[7 << 32, 7 << 32 | one]).unwrap();
    assert_eq!(table(&store)[0], one);
    // A number that the store has not given out is nothing.
    store.call(t, "set", &[0, 1 << 20]).unwrap();
    assert_eq!(table(&store)[0], 0);
}

#[test]
fn calls_through_tables_reach_other_instances_and_trap_where_they_must() {
    let mut store = Store::new();
    let callee = store.add(module(CALLEE), &[], |_| {});
    let t = tables(&mut store);
    store.call(t, "init", &[0, 0, 3]).unwrap();
    assert_eq!(store.call(t, "at", &[0, 40]).unwrap(), [41]);
    assert_eq!(store.call(t, "at", &[1, 40]).unwrap(), [42]);
    assert!(store.trap(t, "at", &[2, 0]).starts_with("trap: indirect call type mismatch\n  at at (test"));
    assert!(store.trap(t, "at", &[3, 0]).starts_with("trap: uninitialized element\n  at at (test"));
    assert!(store.trap(t, "at", &[4, 0]).starts_with("trap: undefined element\n  at at (test"));
    assert!(store.trap(t, "at", &[1 << 32, 0]).starts_with("trap: undefined element\n  at at (test"));
    let put = u64::from(store.func(callee, "put").handle());
    store.call(t, "set", &[2, put]).unwrap();
    assert_eq!(store.call(t, "at", &[2, 9]).unwrap(), [81]);
    assert_eq!(load(&store, callee), 9);
    let (seen, handle) = (Arc::new(Mutex::new(0)), store.host("(i64) -> i64", |_| Ok(Ended::Returned)));
    let note = Arc::clone(&seen);
    let host = store.host("(i64) -> i64", move |buffer| {
        *note.lock().unwrap() = buffer[0];
        buffer[0] += 5;
        Ok(Ended::Returned)
    });
    assert_ne!(handle.handle(), host.handle());
    store.call(t, "set", &[3, host.handle().into()]).unwrap();
    assert_eq!(store.call(t, "at", &[3, 100]).unwrap(), [105]);
    assert_eq!(*seen.lock().unwrap(), 100);
}

#[test]
fn globals_may_be_shared() {
    let text = "global a i32 = 5\nglobal b f64 = 1.5\nglobal c i64 = 7\nglobal d f32 = 2.5\n\
        func get() -> (i32, f64, i64, f32)\n    gget r1, a\n    gget r2, b\n    gget r3, c\n    gget r4, d\n    ret r1, r2, r3, r4\n\
        func set(i64, f64, i64, f32)\n    gset a, a1\n    gset b, a2\n    gset c, a3\n    gset d, a4\n    ret\n\
        func constant()\n    const r1, -1\n    gset a, r1\n    gset c, r1\n    ret\n";
    let mut store = Store::new();
    let mut owner = module(text);
    owner.exports.extend((0..4).map(|n| Export { name: format!("global{n}"), item: Item::Global(n), line: 0 }));
    let owner = store.add(owner, &[], |_| {});
    let mut other = module(text);
    other.globals.iter_mut().for_each(|global| global.import = Some(Default::default()));
    let globals = store.links[owner].globals.clone();
    let other = store.add(other, &[], |links| links.globals = globals);
    let (b, d) = (2.25f64.to_bits(), u64::from(0.5f32.to_bits()));
    store.call(other, "set", &[0xffff_ffff_0000_0001, b, u64::MAX, d]).unwrap();
    assert_eq!(store.call(owner, "get", &[]).unwrap(), [1, b, u64::MAX, d]);
    assert_eq!(store.links[owner].globals[0].get(), 1);
    store.links[owner].globals[2].set(9);
    assert_eq!(store.call(other, "get", &[]).unwrap(), [1, b, 9, d]);
    store.call(owner, "constant", &[]).unwrap();
    assert_eq!(store.call(other, "get", &[]).unwrap(), [0xffff_ffff, b, u64::MAX, d]);
}

#[test]
fn segments_go_to_memory_and_go_away() {
    let mut store = Store::new();
    let mut text = module(
        "memory 1\nfunc init(i64, i64, i64)\n    call op_minit_0_0, a1, a2, a3\n    ret\nfunc drop()\n    call op_mdrop_0_0\n    ret\n\
         func op_minit_0_0()\n    trap\nfunc op_mdrop_0_0()\n    trap\n",
    );
    text.segments.push(Segment { name: "s".into(), bytes: b"abcdefghij".to_vec(), mode: Mode::Passive, line: 0 });
    let t = store.add(text, &[], |_| {});
    store.call(t, "init", &[8, 1, 8]).unwrap();
    assert_eq!(load(&store, t).to_le_bytes(), *b"bcdefghi");
    let report = "trap: out of bounds memory access\n  at init (test.spasm:3)";
    assert_eq!(store.trap(t, "init", &[8, 1, 10]), report);
    assert_eq!(store.trap(t, "init", &[65530, 0, 10]), report);
    store.call(t, "drop", &[]).unwrap();
    assert_eq!(store.trap(t, "init", &[8, 0, 1]), report);
    store.call(t, "init", &[65536, 0, 0]).unwrap();
}

/// An address that closures may keep although an instance is no longer borrowed.
fn address(store: &Store, instance: usize) -> usize {
    std::ptr::from_ref(&*store.instances[instance]) as usize
}

fn instance_at(address: usize) -> &'static Instance {
    // SAFETY: the tests keep their stores, whose instances stand in boxes.
    unsafe { &*(address as *const Instance) }
}

const BACK: &str = "\
func down(i64) -> i64
    const r1, 1
    jmpf a1, done
    sub r2, a1, r1
    call r3, import_host, r2
    add r3, r3, a1
    ret r3
done:
    ret a1
func fails(i64)
    div r1, a1, r2
    ret
func again(i64) -> i64
    call r1, import_host, a1
    const r2, 1000
    add r1, r1, r2
    ret r1
func import_host(i64) -> i64
    trap
";

#[test]
fn functions_of_the_host_may_call_back() {
    let mut store = Store::new();
    let place = Arc::new(Mutex::new(0));
    let known = Arc::clone(&place);
    let host = store.host("(i64) -> i64", move |buffer| {
        let at = *known.lock().unwrap();
        buffer[0] = call_linked(instance_at(at), "down", &[buffer[0]]).map_err(Pending::Error)?[0];
        Ok(Ended::Returned)
    });
    let back = store.add(module(BACK), &[host], |_| {});
    *place.lock().unwrap() = address(&store, back);
    assert_eq!(store.call(back, "down", &[20]).unwrap(), [210]);
    assert_eq!(store.call(back, "again", &[20]).unwrap(), [1210]);
    // As many as may be nested, and then a trap that knows all of them.
    match store.call(back, "down", &[400]) {
        Err(RunError::Trap(trap)) => assert_eq!((trap.kind, trap.depth), (TrapKind::StackOverflow, 256)),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.call(back, "again", &[3]).unwrap(), [1006]);
}

#[test]
fn what_goes_wrong_in_the_host_ends_the_call() {
    let mut store = Store::new();
    let place = Arc::new(Mutex::new(0));
    let known = Arc::clone(&place);
    let host = store.host("(i64) -> i64", move |buffer| match buffer[0] {
        0 => Err(Pending::Error(RunError::NoNatives)),
        1 => panic!("a bad host"),
        2 => Err(Pending::Trap(TrapKind::Unreachable)),
        3 => Ok(Ended::Halted),
        4 => {
            let at = *known.lock().unwrap();
            call_linked(instance_at(at), "fails", &[1]).map_err(Pending::Error)?;
            Ok(Ended::Returned)
        }
        _ => {
            buffer[0] *= 2;
            Ok(Ended::Returned)
        }
    });
    let inner = store.add(module(BACK), &[host], |_| {});
    *place.lock().unwrap() = address(&store, inner);
    let again = store.func(inner, "again");
    let outer = store.add(module(&BACK.replace("again", "outer")), &[again], |_| {});
    assert_eq!(store.call(outer, "outer", &[21]).unwrap(), [2042]);
    assert_eq!(store.call(outer, "outer", &[0]).unwrap_err().to_string(), RunError::NoNatives.to_string());
    let panic = catch_unwind(AssertUnwindSafe(|| store.call(outer, "outer", &[1]))).unwrap_err();
    assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "a bad host");
    let frames = "\n  at again (test.spasm:14)\n  at outer (test.spasm:14)";
    assert_eq!(store.trap(outer, "outer", &[2]), format!("trap: unreachable{frames}"));
    let function = store.instances[outer].function(2).unwrap();
    assert_eq!(store.instances[outer].call_linked(&function, &[3], &mut [0]).unwrap(), Ended::Halted);
    assert_eq!(store.trap(outer, "outer", &[4]), format!("trap: divide by zero\n  at fails (test.spasm:11){frames}"));
    assert_eq!(store.call(outer, "outer", &[5]).unwrap(), [2010]);
}

#[test]
fn the_host_gets_and_gives_everything() {
    let mut store = Store::new();
    let types = "i32, f32, i64, f64, i64, i64, i64, i64, i64, f64, f64, f64, f64, f64, f64, f64, f64, i32, f32";
    let results = "i64, f64, f32, i32, i64, f64, f32";
    let host = store.host(&format!("({types}) -> ({results})"), |buffer| {
        let float = |bits: u64| f64::from_bits(bits);
        let small = |bits: u64| f64::from(f32::from_bits(bits as u32));
        let ints = [0, 2, 4, 5, 6, 7, 8, 17]
            .map(|n| buffer[n])
            .iter()
            .fold(0, |sum: u64, &x| sum.wrapping_mul(3).wrapping_add(x));
        let floats =
            [3, 9, 10, 11, 12, 13, 14, 15, 16].map(|n| float(buffer[n])).iter().fold(0.0, |sum, x| sum * 3.0 + x);
        let singles = [1, 18].map(|n| small(buffer[n])).iter().fold(0.0, |sum, x| sum * 3.0 + x);
        let single = u64::from((singles as f32).to_bits());
        buffer[..7].copy_from_slice(&[
            ints,
            floats.to_bits(),
            single,
            ints,
            ints + 1,
            (-floats).to_bits(),
            single ^ 1 << 31,
        ]);
        Ok(Ended::Returned)
    });
    let args = (1..=19).map(|n| format!("a{n}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "func all({types}) -> ({results})\n    call (r1, r2, r3, r4, r5, r6, r7), import_host, {args}\n    ret r1, r2, r3, r4, r5, r6, r7\n\
         func import_host({types}) -> ({results})\n    trap\n"
    );
    let all = store.add(module(&text), &[host], |_| {});
    let single = |x: f32| u64::from(x.to_bits());
    let mut args: Vec<u64> = (1..=19).collect();
    for n in [3, 9, 10, 11, 12, 13, 14, 15, 16] {
        args[n] = (n as f64).to_bits();
    }
    (args[1], args[18]) = (single(1.5), single(0.25));
    args[0] |= 5 << 32;
    let ints = [1u64, 3, 5, 6, 7, 8, 9, 18].iter().fold(0u64, |sum, &x| sum * 3 + x);
    let floats = [3, 9, 10, 11, 12, 13, 14, 15, 16].iter().fold(0.0, |sum, &n| sum * 3.0 + f64::from(n));
    let expected =
        [ints, floats.to_bits(), single(4.75), ints & 0xffff_ffff, ints + 1, (-floats).to_bits(), single(-4.75)];
    assert_eq!(store.call(all, "all", &args).unwrap(), expected);
}

#[test]
fn stacks_overflow_across_instances_and_before_the_host_has_too_little() {
    let text = "func again(i64) -> i64\n    const r1, 1\n    add r2, a1, r1\n    call r3, import_other, r2\n    add r3, r3, a1\n    ret r3\n\
                func import_other(i64) -> i64\n    trap\n";
    let mut store = Store::new();
    let reached = Arc::new(Mutex::new((usize::MAX, 0)));
    let known = Arc::clone(&reached);
    let mut place = None;
    let host = store.host("(i64) -> i64", move |buffer| {
        let here = std::ptr::from_ref(&buffer) as usize;
        let mut reached = known.lock().unwrap();
        *reached = (reached.0.min(here), reached.1.max(here));
        Ok(Ended::Returned)
    });
    // Two that call each other through a table, and the host on the way.
    let t = "table g = []\nfunc again(i64) -> i64\n    const r1, 1\n    add r2, a1, r1\n    call r4, import_host, r2\n    calli r3, g, r5, (i64) -> i64, r2\n    add r3, r3, a1\n    ret r3\n\
             func import_host(i64) -> i64\n    trap\n";
    let first = store.add(module(t), &[host], |links| place = links.tables[0].clone());
    let again = store.func(first, "again");
    let second = store.add(module(text), &[again], |_| {});
    place.unwrap().set(0, Arc::as_ptr(&store.func(second, "again")) as u64).unwrap();
    for _ in 0..2 {
        let Err(RunError::Trap(trap)) = store.call(second, "again", &[0]) else { panic!("no trap") };
        assert_eq!(trap.kind, TrapKind::StackOverflow);
        assert!(trap.depth > 10_000, "{}", trap.depth);
        let lines: Vec<_> = trap.frames.iter().map(|frame| frame.line.unwrap()).collect();
        assert_eq!(lines[..4], [5, 4, 6, 4]);
    }
    let (lowest, highest) = *reached.lock().unwrap();
    assert!(((1 << 20) - (320 << 10)..(1 << 20) - (256 << 10)).contains(&(highest - lowest)), "{}", highest - lowest);
}

#[test]
fn instances_of_a_store_print_to_the_same_streams() {
    let print = "func show(i64) -> i64\n    print a1\n    ret a1\n";
    let outer = "func show(i64) -> i64\n    const r1, 1\n    add r2, a1, r1\n    print a1\n    call r3, import_show, r2\n    add r3, r3, r1\n    print r3\n    ret r3\n\
                 func import_show(i64) -> i64\n    trap\n";
    let mut store = Store::new();
    let (streams, captured) = Streams::captured("");
    store.streams = Arc::new(SharedStreams::new(Some(streams)));
    let inner = store.add(module(print), &[], |_| {});
    let imports = [store.func(inner, "show")];
    let outer = store.add(module(outer), &imports, |_| {});
    store.call(outer, "show", &[1]).unwrap();
    assert_eq!(captured.text(), "1\n2\n3\n");
}
