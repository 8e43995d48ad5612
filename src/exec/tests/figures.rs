//! What publishing and calling cost. Run with
//! `cargo test --release --lib exec::tests::figures -- --ignored --nocapture --test-threads=1`.

use std::hint::black_box;
use std::time::Instant;

use super::super::arena::{Arena, Publishing};
use super::*;
use crate::engine::Engine;

/// The best of several rounds, in nanoseconds each.
fn best(count: u32, mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..count).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    (0..7).map(round).fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "measures"]
fn publishing() {
    for publishing in [Publishing::Dual, Publishing::Sealed] {
        let make = || Runtime::with(ArenaSize::default(), publishing).unwrap();
        println!("{publishing:?}: a runtime {:.0} ns", best(20, || drop(make())));
        let arena = Arena::with(ArenaSize::default(), &[0xf4], publishing).unwrap();
        for len in [100, 10 << 10, 1 << 20] {
            let bytes = vec![0x90; len];
            let publish = || {
                let mut code = arena.code(len).unwrap();
                code.bytes_mut().copy_from_slice(&bytes);
                code.publish().unwrap()
            };
            let count = if len > 100_000 { 20 } else { 2000 };
            let reused = best(count, || drop(publish()));
            let mut kept = Vec::new();
            let held = best(count / 20, || kept.push(publish()));
            println!(
                "{publishing:?}: {len} bytes: {reused:.0} ns published and freed, {held:.0} ns published in fresh memory"
            );
        }
        let runtime = make();
        let verified = verified("func bump.0(i64) -> i64\nglobal g i64 = 1\n");
        let image = Arc::new(image(&verified));
        let make = || Instance::new(&runtime, &verified, Arc::clone(&image), None, 0).unwrap();
        println!("{publishing:?}: a small instance made and dropped {:.0} ns", best(2000, || drop(make())));
    }
}

fn verified_text(text: &str) -> Verified {
    verify(text::parse("test.spasm", text).unwrap()).unwrap()
}

#[inline(never)]
extern "C" fn c(x: i64) -> i64 {
    x
}

#[test]
#[ignore = "measures"]
fn calling() {
    let mut made = instance(
        "func identity(i64) -> i64\nfunc mixed(f64, i64, f32) -> (f64, f32, i64)\nfunc unreachable\nmemory 1\nfunc deep_small\n",
    );
    let [identity, mixed, unreachable, deep] = [0, 1, 2, 3].map(|i| made.function(i).unwrap());
    let mut result = [0; 3];
    let verified = verified_text(
        "func identity(i64) -> i64\n    ret a1\nfunc sum(i64, i64) -> i64\n    add r1, a1, a2\n    ret r1\n",
    );
    let mut typed = Engine::default().instantiate(&verified).unwrap();
    let one = typed.typed::<i64, i64>("identity").unwrap();
    let sum = typed.typed::<(i64, i64), i64>("sum").unwrap();
    println!("typed, one argument {:.1} ns", best(1_000_000, || drop(black_box(one.call(&mut typed, black_box(1))))));
    println!("typed, two {:.1} ns", best(1_000_000, || drop(black_box(sum.call(&mut typed, black_box((1, 2)))))));
    println!(
        "a function of C, by pointer {:.1} ns",
        best(1_000_000, || _ = black_box(black_box(c as extern "C" fn(i64) -> i64)(1)))
    );
    let answer = verified_text("func add_answer\n    const 1, 42\n    add 2, -1, 1\n    ret 2\n");
    let engine = Engine::default();
    drop(engine.instantiate(&answer));
    println!("verified to callable, add_answer {:.0} ns", best(10_000, || drop(engine.instantiate(&answer))));
    let image = Arc::new(engine.stitch(&answer).unwrap());
    let runtime = runtime();
    let instantiate = || drop(Instance::new(&runtime, &answer, Arc::clone(&image), None, 0));
    println!("of that, without stitching {:.0} ns", best(10_000, instantiate));
    println!("identity {:.1} ns", best(1_000_000, || drop(made.call(&identity, &[black_box(1)], &mut result[..1]))));
    println!("mixed {:.1} ns", best(1_000_000, || drop(made.call(&mixed, &[1, 2, black_box(3)], &mut result))));
    println!("a trap {:.0} ns", best(10_000, || drop(made.call(&unreachable, &[], &mut []))));
    println!("a stack overflow {:.0} ns", best(10, || drop(made.call(&deep, &[], &mut []))));
}

/// Calls within a module, between modules, through tables, and of the host; nanoseconds each.
#[test]
#[ignore = "measures"]
fn linked_calls() {
    use super::store::{Store, module};
    let program = "\
        memory 1\n\
        table fixed = [own]\n\
        table g = []\n\
        func own(i64) -> i64\n    ret a1\n\
        func nothing(i64)\n    const r1, 1\nnext:\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func direct(i64)\n    const r1, 1\nnext:\n    call r2, own, a1\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func import(i64)\n    const r1, 1\nnext:\n    call r2, import_other, a1\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func host(i64)\n    const r1, 1\nnext:\n    call r2, import_host, a1\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func fixed(i64)\n    const r1, 1\nnext:\n    calli r2, fixed, r3, (i64) -> i64, a1\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func growing(i64)\n    const r1, 1\nnext:\n    calli r2, g, r3, (i64) -> i64, a1\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func get(i64)\n    const r1, 1\nnext:\n    call r2, op_tget_1_0, r3\n    sub a1, a1, r1\n    jmpt a1, next\n    ret\n\
        func import_other(i64) -> i64\n    trap\n\
        func import_host(i64) -> i64\n    trap\n\
        func op_tget_1_0()\n    trap\n";
    let mut store = Store::new();
    let other = store.add(module("memory 1\nfunc own(i64) -> i64\n    ret a1\n"), &[], |_| {});
    let host = store.host("(i64) -> i64", |_| Ok(Ended::Returned));
    let imports = [store.func(other, "own"), host];
    let made = store.add(module(program), &imports, |_| {});
    let own = Arc::as_ptr(&store.func(made, "own")) as u64;
    store.links[made].tables[1].as_ref().unwrap().set(0, own).unwrap();
    let count = 100_000;
    let time = |name: &str| best(5, || drop(store.call(made, name, &[count]).unwrap())) / count as f64;
    let nothing = time("nothing");
    for name in ["direct", "import", "host", "fixed", "growing", "get"] {
        println!("{name}: {:.2} ns", time(name) - nothing);
    }
    let instance = &store.instances[made];
    let own = instance.function(0).unwrap();
    let linked = best(100_000, || _ = instance.call_linked(&own, black_box(&[1]), &mut [0]).unwrap());
    println!("from Rust: {linked:.1} ns");
}
