//! Linked modules: what is shared, calls between instances, and how far they may nest.

use std::sync::Arc;

use super::world::{Given, World, imports, module};
use crate::interp::{self, Limits, LinkedInstance, Store};
use crate::isa::op::Type;
use crate::module::Signature;
use crate::module::link::{Mode, Segment};
use crate::streams::Streams;
use crate::trap::{Outcome, RunError, Trap, TrapKind};

const I64: [Type; 1] = [Type::I64];

#[test]
fn instances_call_one_another_and_the_host() {
    let world = World::default();
    let host = world.host(Signature::new([Type::I32, Type::I64], I64), |_, args| Ok(vec![args[0] + args[1]]));
    let one = world.link(
        module(
            "extern \"\" host(i32, i64) -> i64
            func twice(i64, i64) -> (i64, i64)
                add r1, a1, a1
                call r2, host, a2, r1
                ret r1, r2",
        ),
        imports([host]),
    );
    let two = world.link(
        module(
            "func f(i64) -> i64
                const r9, 0x7ffffffff
                add r1, a1, a1
                ret r1",
        ),
        Given::default(),
    );
    let caller = "extern \"\" twice(i64) -> i64
            func g(i64) -> i64
                call r1, twice, a1
                add r1, r1, a1
                ret r1";
    let three = world.link(module(caller), imports([world.func(two, "f")]));
    assert_eq!(world.results(one, "twice", &[5, 7 << 32 | 1]), [10, 11], "an i32 arrives without its upper half");
    assert_eq!((world.results(three, "g", &[5]), world.left.get()), (vec![15], 2));
}

#[test]
fn a_table_holds_functions_of_many() {
    let world = World::default();
    let text = "table t = [first, second]
        extern \"\" tget_0_0(i32) -> i32
        extern \"\" tset_0_0(i32, i32)
        extern \"\" tgrow_0_0(i32, i32) -> i32
        extern \"\" tsize_0_0() -> i32
        extern \"\" ref_0_0() -> i32
        func first(i64) -> i64
            const r1, 1
            add r1, a1, r1
            ret r1
        func second(i64) -> i64
            const r1, 2
            add r1, a1, r1
            ret r1
        func pair() -> (i64, i64)
            const r1, 8
            const r2, 9
            ret r1, r2
        func run(i64, i64) -> i64
            calli r1, t, a1, (i64) -> i64, a2
            ret r1
        func put(i64, i64)
            call tset_0_0, a1, a2
            ret
        func get(i64) -> i64
            call r1, tget_0_0, a1
            ret r1
        func grow(i64, i64) -> i64
            call r1, tgrow_0_0, a1, a2
            ret r1
        func size() -> i64
            call r1, tsize_0_0
            ret r1
        func first_of_all() -> i64
            call r1, ref_0_0
            ret r1";
    let one = world.link(module(text), Given::default());
    let table = world.instance(one).links().tables[0].clone();
    let two = world.link(module(text), Given { table: table.clone(), ..Given::default() });
    // The second instance has put its own functions in place of the first one's.
    assert_eq!((world.results(two, "run", &[1, 10]), world.left.get()), (vec![12], 0), "its own are not left for");
    assert_eq!((world.results(one, "run", &[1, 10]), world.left.get()), (vec![12], 1));
    let handle = world.results(one, "first_of_all", &[]);
    assert_eq!(handle, [u64::from(world.func(one, "first").handle())]);
    world.results(two, "put", &[3, handle[0] | 1 << 40]);
    assert_eq!((world.results(one, "run", &[3, 10]), world.left.get()), (vec![11], 1));
    assert_eq!(world.results(two, "get", &[3]), handle);
    assert_eq!(world.results(two, "get", &[2]), [0]);
    assert_eq!(world.trap(two, "run", &[2, 0]).kind, TrapKind::UninitializedElement);
    assert_eq!(world.trap(two, "run", &[4, 0]).kind, TrapKind::UndefinedElement);
    assert_eq!(world.trap(two, "run", &[1 << 32, 0]).kind, TrapKind::UndefinedElement, "all 64 bits count");
    assert_eq!(world.trap(two, "get", &[4]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.trap(two, "put", &[4, 0]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.results(one, "grow", &[handle[0], 3]), [4]);
    assert_eq!((world.results(two, "run", &[6, 10]), world.results(two, "size", &[])), (vec![11], vec![7]));
    assert_eq!(world.results(one, "grow", &[0, 2]), [0xffff_ffff], "eight are the most");
    world.results(one, "put", &[0, 12345]);
    assert_eq!(world.results(one, "get", &[0]), [0], "a number that the store has not given out is no function");
    world.results(one, "put", &[0, world.func(one, "pair").handle().into()]);
    let trap = world.trap(two, "run", &[0, 0]);
    assert_eq!((trap.kind, trap.frames.len()), (TrapKind::IndirectCallTypeMismatch, 1));
}

#[test]
fn elements_and_segments_go_where_a_program_says() {
    let world = World::default();
    let mut module = module(
        "memory 1
        table t = [f]
        extern \"\" tinit_0_0(i32, i32, i32)
        extern \"\" edrop_0_0()
        extern \"\" minit_0_0(i32, i32, i32)
        extern \"\" mdrop_0_0()
        extern \"\" tcopy_0_0(i32, i32, i32)
        extern \"\" tfill_0_0(i32, i32, i32)
        extern \"\" tget_0_0(i32) -> i32
        func f() -> i64
            ret r1
        func elements(i64, i64, i64) -> i64
            call tinit_0_0, a1, a2, a3
            call r1, tget_0_0, a1
            ret r1
        func forget()
            call edrop_0_0
            call mdrop_0_0
            ret
        func bytes(i64, i64, i64) -> i64
            call minit_0_0, a1, a2, a3
            mload r1, a1, 0
            ret r1
        func copy(i64, i64, i64)
            call tcopy_0_0, a1, a2, a3
            ret
        func fill(i64, i64, i64)
            call tfill_0_0, a1, a2, a3
            ret
        func get(i64) -> i64
            call r1, tget_0_0, a1
            ret r1",
    );
    module.segments.push(Segment { name: "s".into(), bytes: b"abcdef".to_vec(), mode: Mode::Passive, line: 0 });
    let one = world.link(module, Given::default());
    let f = u64::from(world.func(one, "f").handle());
    assert_eq!(world.results(one, "elements", &[3, 0, 1]), [f]);
    assert_eq!(world.trap(one, "elements", &[3, 0, 2]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.trap(one, "elements", &[4, 0, 1]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.results(one, "bytes", &[100, 1, 3]), [u64::from_le_bytes(*b"bcd\0\0\0\0\0")]);
    assert_eq!(world.trap(one, "bytes", &[0, 4, 3]).kind, TrapKind::OutOfBoundsMemory);
    assert_eq!(world.trap(one, "bytes", &[65_534, 0, 3]).kind, TrapKind::OutOfBoundsMemory);
    world.results(one, "copy", &[1, 0, 2]);
    assert_eq!([0, 1, 2, 3].map(|i| world.results(one, "get", &[i])[0]), [f, f, 0, f]);
    world.results(one, "fill", &[0, 0, 2]);
    assert_eq!([0, 1, 2, 3].map(|i| world.results(one, "get", &[i])[0]), [0, 0, 0, f]);
    assert_eq!(world.trap(one, "fill", &[3, 0, 2]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.trap(one, "copy", &[3, 0, 2]).kind, TrapKind::OutOfBoundsTable);
    world.results(one, "forget", &[]);
    assert_eq!(world.trap(one, "elements", &[0, 0, 1]).kind, TrapKind::OutOfBoundsTable);
    assert_eq!(world.trap(one, "bytes", &[0, 0, 1]).kind, TrapKind::OutOfBoundsMemory);
    assert_eq!(world.results(one, "elements", &[0, 0, 0]), [0], "nothing is still there");
}

/// A module that changes what it shares between two calls of another that does so too.
const SHARING: &str = "memory 1
    global g i32 = 3
    extern \"\" other(i64) -> i64
    func f(i64) -> (i64, i64, i64, i64)
        mstore a1, r0, 8
        gset g, a1
        call r1, other, a1
        mload r2, r9, 131000
        msize r3
        gget r4, g
        ret r1, r2, r3, r4
    func grow(i64) -> i64
        mgrow r1, a1
        const r2, 5
        mstore r2, r9, 131000
        gget r3, g
        const r2, -1
        gset g, r2
        mload r1, r9, 9
        ret r3";

#[test]
fn memory_and_globals_are_seen_by_all_who_share_them() {
    let world = World::default();
    let unused = world.host(Signature::new(I64, I64), |_, _| Ok(vec![0]));
    let one = world.link(module(SHARING), imports([unused]));
    let links = Arc::clone(world.instance(one).links());
    let given = Given {
        imports: vec![world.func(one, "grow")],
        memory: links.memory.clone(),
        globals: links.globals.clone(),
        ..Given::default()
    };
    let two = world.link(module(SHARING), given);
    assert_eq!(world.results(two, "f", &[1]), [1, 5, 2, 0xffff_ffff]);
    assert_eq!(links.memory.as_ref().unwrap().pages(), 2);
    // A host's function changes them as well.
    let host = world.host(Signature::new(I64, I64), |world, args| {
        let links = Arc::clone(world.instance(0).links());
        links.globals[0].set(40);
        Ok(vec![u64::from(links.memory.as_ref().unwrap().grow(args[0] as u32).unwrap())])
    });
    let given =
        Given { imports: vec![host], memory: links.memory.clone(), globals: links.globals.clone(), ..Given::default() };
    let three = world.link(module(SHARING), given);
    assert_eq!(world.results(three, "f", &[3]), [2, 5, 5, 40]);
}

#[test]
fn instances_are_entered_again_while_they_run() {
    let world = World::default();
    let host = world.host(Signature::new(I64, I64), |world, args| Ok(world.results(0, "sum", &[args[0] - 1])));
    let text = "extern \"\" back(i64) -> i64
        func sum(i64) -> i64
            jmpf a1, none
            call r1, back, a1
            add r1, r1, a1
        none:
            ret r1";
    let one = world.link(module(text), imports([host]));
    assert_eq!(world.results(one, "sum", &[30]), [465]);
}

#[test]
fn calls_that_leave_their_instances_are_bounded() {
    let world = World::default();
    // Functions of the host that take much of the stack, and such that take little.
    for room in [0, 16 << 10] {
        let host = world.host(Signature::new(I64, I64), move |world, args| {
            fn with_stack(room: usize, then: &mut dyn FnMut()) {
                let filled = std::hint::black_box([0u8; 1 << 10]);
                if room > 0 { with_stack(room.saturating_sub(filled.len()), then) } else { then() }
            }
            let mut result = None;
            let instance = world.instances.borrow().len() as u32 - 1;
            with_stack(room, &mut || result = Some(world.call(instance, "f", args)));
            match result.unwrap()? {
                Outcome::Returned(results) => Ok(results),
                Outcome::Halted => unreachable!(),
            }
        });
        let text = "extern \"\" back(i64) -> i64
            func f(i64) -> i64
                const r1, 1
                jmpf a1, deeper
                sub a1, a1, r1
                call r1, inner, a1
                ret r1
            deeper:
                call r1, back, a1
                ret r1
            func inner(i64) -> i64
                call r1, f, a1
                ret r1";
        let one = world.link(module(text), imports([host]));
        let before = world.left.get();
        let trap = world.trap(one, "f", &[3]);
        let left = world.left.get() - before;
        assert_eq!((trap.kind, trap.frames.len(), trap.depth), (TrapKind::StackOverflow, (7 + left).min(32), 7 + left));
        // Without optimisation, the calls themselves take so much of the stack that this is what stops them.
        let least = if cfg!(debug_assertions) { 60 } else { 256 };
        assert!(if room == 0 { (least..=256).contains(&left) } else { (20..100).contains(&left) }, "{room}: {left}");
        let before = world.left.get();
        assert_eq!(world.trap(one, "f", &[1000]).depth, 2001 + left, "they are uncounted");
        assert_eq!(world.left.get() - before, left);
    }
}

#[test]
fn what_nested_calls_take_together_is_bounded() {
    let world = World::default();
    let host = world.host(Signature::new(I64, I64), |world, args| {
        let limits = Limits { frames: 500, ..Limits::default() };
        let instance = world.instance(0);
        match instance.call_within(&limits, world, &mut Streams::captured("").0, 0, args)? {
            Outcome::Returned(results) => Ok(results),
            Outcome::Halted => unreachable!(),
        }
    });
    let text = "extern \"\" back(i64) -> i64
        func f(i64) -> i64
            const r1, 1
            jmpf a1, deeper
            sub a1, a1, r1
            call r1, f, a1
            ret r1
        deeper:
            const r1, 99
            call r1, back, r1
            ret r1";
    let one = world.link(module(text), imports([host]));
    let trap = world.trap(one, "f", &[99]);
    assert_eq!((trap.kind, trap.depth, world.left.get()), (TrapKind::StackOverflow, 501, 5));
}

#[test]
fn traps_keep_the_frames_of_all() {
    let world = World::default();
    let one = world.link(
        module("func div(i64, i64) -> i64\n div r1, a1, a2\n ret r1\nfunc over(i64, i64) -> i64\n call r1, div, a1, a2\n ret r1"),
        Given::default(),
    );
    let text = "extern \"\" over(i64, i64) -> i64
        func main(i64, i64) -> i64
            call r1, over, a1, a2
            ret r1";
    let two = world.link(module(text), imports([world.func(one, "over")]));
    assert_eq!(world.results(two, "main", &[6, 3]), [2]);
    let shown = "trap: divide by zero\n  at div (test.spasm:2)\n  at over (test.spasm:5)\n  at main (test.spasm:3)";
    assert_eq!(world.trap(two, "main", &[1, 0]).to_string(), shown);
    // A function of the host traps where it is called.
    let trap = Trap { kind: TrapKind::Unreachable, frames: vec![], depth: 0 };
    let host = world.host(Signature::new([Type::I64, Type::I64], I64), move |_, _| Err(trap.clone().into()));
    let three = world.link(module(text), imports([host]));
    assert_eq!(world.trap(three, "main", &[1, 0]).to_string(), "trap: unreachable\n  at main (test.spasm:3)");
    let host = world.host(Signature::new([Type::I64, Type::I64], I64), |_, _| Err(RunError::NoFunction(7)));
    let four = world.link(module(text), imports([host]));
    assert!(matches!(world.call(four, "main", &[1, 0]), Err(RunError::NoFunction(7))));
}

#[test]
fn a_halt_ends_all() {
    let world = World::default();
    let one = world.link(module("func stop(i64) -> i64\n print a1\n halt"), Given::default());
    let text = "extern \"\" stop(i64) -> i64
        func main(i64) -> i64
            print a1
            add a1, a1, a1
            call r1, stop, a1
            print r1
            ret r1";
    let two = world.instance(world.link(module(text), imports([world.func(one, "stop")])));
    let (mut streams, printed) = Streams::captured("");
    assert_eq!(two.call(&world, &mut streams, 0, &[4]).unwrap(), Outcome::Halted);
    assert_eq!(printed.text(), "4\n8\n", "they print to the same stream");
}

#[test]
fn references_are_passed_by_their_lower_half() {
    let world = World::default();
    let mut module = module("func f(i64) -> i64\n ret a1");
    module.functions[0].signature = Signature::new([Type::Externref], [Type::Externref]);
    let one = world.link(module, Given::default());
    assert_eq!(world.results(one, "f", &[7 << 32 | 9]), [9]);
}

#[test]
fn a_linked_module_runs_only_where_it_is_linked() {
    let text = "extern \"\" other(i64) -> i64\nfunc f(i64) -> i64\n call r1, other, a1\n ret r1";
    let verified = crate::verify::verify(module(text)).unwrap_or_else(|error| panic!("{error}"));
    let mut store = Store::new(&verified).unwrap();
    let result = interp::call(&verified, &mut store, &mut Streams::captured("").0, 0, &[1]);
    assert!(matches!(result, Err(RunError::NoLinks)), "{result:?}");
}

#[test]
fn an_instance_may_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<LinkedInstance>();
}
