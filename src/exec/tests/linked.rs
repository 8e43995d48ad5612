//! Instances that call each other, by imports and by tables, and share what they have.

use super::store::{Store, load, module};
use super::*;
use crate::isa::op::Type;
use crate::module::Memory;
use crate::module::link::{Constant, Elements, Export, ImportName, Item, Mode, Segment};
use crate::module::native::Target;
use std::sync::Mutex;

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
    text.memory = Some(Memory { import: Some(ImportName::default()), ..Memory::new(1, Some(4)) });
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
    other.globals.iter_mut().for_each(|global| global.import = Some(ImportName::default()));
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
