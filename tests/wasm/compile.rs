//! Modules made ready in pieces: the same bytes on any number of threads, and the same results.

use std::fmt::Write as _;

use spasm::engine::{CompileError, Config, Engine, Tier};
use spasm::store::{Linker, Store};
use spasm::{verify, wasm};

use super::TIERS;

fn engine(tier: Tier, threads: usize) -> Engine {
    Engine::new(Config { tier, threads, ..Config::default() })
}

/// Functions that call each other forwards and backwards, and one through a table; enough of them for several pieces.
fn text(functions: usize) -> String {
    let mut text = "(module (type $f (func (param i32) (result i32))) (table funcref (elem $f7 $f0))\n".to_owned();
    for nth in 0..functions {
        let callee = (nth * 7919 + 1) % functions;
        _ = write!(
            text,
            "(func $f{nth} (type $f) (local i32) (local.set 1 (local.get 0)) (if (i32.lt_s (local.get 0) (i32.const 1)) (then (return (i32.const {nth}))))"
        );
        for k in 0..20 {
            _ = write!(
                text,
                "(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const {})) (i32.const {})))",
                2 * k + 1,
                nth * k
            );
        }
        _ = write!(text, "(i32.add (call $f{callee} (i32.sub (local.get 1) (i32.const 1)))");
        text += "(call_indirect (type $f) (i32.const -1) (i32.and (local.get 0) (i32.const 1)))))\n";
    }
    text + "(export \"run\" (func $f3)))"
}

#[test]
fn any_number_of_threads_makes_the_same_bytes_and_the_whole_does_too() {
    let binary = wat::parse_str(text(4000)).unwrap();
    let one = engine(Tier::Baseline, 1).compile_wasm("t.wasm", &binary).unwrap();
    assert!(binary.len() > 512 << 10, "there are several pieces");
    for threads in [2, 3, 8, 0] {
        let several = engine(Tier::Baseline, threads).compile_wasm("t.wasm", &binary).unwrap();
        assert!(several.image() == one.image(), "{threads} threads");
    }
    let whole = verify::verify(wasm::translate("t.wasm", &binary).unwrap()).unwrap();
    let whole = engine(Tier::Baseline, 1).stitch(&whole).unwrap();
    assert!(whole.code == one.image().unwrap().code);
}

#[test]
fn what_is_made_ready_runs_in_any_number_of_stores_of_its_tier() {
    let binary = wat::parse_str(text(60)).unwrap();
    let results = TIERS.map(|tier| {
        let engine = engine(tier, 1);
        let compiled = engine.compile_wasm("t.wasm", &binary).unwrap();
        assert_eq!(compiled.module().exports.len(), 1);
        let run = |arg: i32| {
            let mut store = Store::new(&engine, ());
            let instance = Linker::new().instantiate_compiled(&mut store, &compiled).unwrap();
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            run.call(&mut store, arg).unwrap()
        };
        [0, 1, 5, 77].map(run)
    });
    assert_eq!(results[0], results[1]);
    let [interpreting, stitching] = TIERS.map(|tier| engine(tier, 1));
    let compiled = stitching.compile_wasm("t.wasm", &binary).unwrap();
    let refused = Linker::new().instantiate_compiled(&mut Store::new(&interpreting, ()), &compiled).unwrap_err();
    assert!(refused.to_string().contains("another tier"), "{refused}");
}

#[test]
fn the_first_wrong_body_is_told_whichever_thread_meets_it() {
    let mut binary = wat::parse_str(text(4000)).unwrap();
    // `i32.mul` becomes `i64.mul` in two places.
    let muls: Vec<usize> = (0..binary.len()).filter(|&at| binary[at..].starts_with(&[0x6c, 0x41])).collect();
    for nth in [muls.len() / 3, muls.len() - 5] {
        binary[muls[nth]] = 0x7e;
    }
    let told = [1, 2, 8].map(|threads| {
        let error = engine(Tier::Baseline, threads).compile_wasm("t.wasm", &binary).unwrap_err();
        assert!(matches!(error, CompileError::Wasm(_)));
        error.to_string()
    });
    assert!(told[0].contains(&format!("{:#x}", muls[muls.len() / 3])), "{}", told[0]);
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}
