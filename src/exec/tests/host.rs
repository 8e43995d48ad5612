//! Functions of the host that linked instances call, and that call them back.

#![allow(unsafe_code, reason = "functions of the host go back to instances by their addresses")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::store::{Store, call_linked, module};
use super::*;

use super::super::{Pending, SharedStreams};

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
