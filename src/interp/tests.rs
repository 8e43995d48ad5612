//! What decoding leaves out and joins does not show.

mod linked;
mod world;

use super::{LinearMemory, Store, call};
use crate::streams::Streams;
use crate::trap::{Outcome, RunError};
use crate::verified::Verified;

fn verified(text: &str) -> Verified {
    let module = crate::text::parse("test.spasm", text).unwrap_or_else(|errors| panic!("{errors}"));
    crate::verify::verify(module).unwrap_or_else(|error| panic!("{error}"))
}

fn results(text: &str, args: &[u64]) -> Vec<u64> {
    let verified = verified(text);
    results_in(&mut Store::new(&verified).unwrap(), &verified, args)
}

fn results_in(store: &mut Store, verified: &Verified, args: &[u64]) -> Vec<u64> {
    match call(verified, store, &mut Streams::captured("").0, 0, args) {
        Ok(Outcome::Returned(results)) => results,
        other => panic!("{other:?}"),
    }
}

/// How many steps the first function has.
fn steps(text: &str) -> usize {
    super::decode::decode(&verified(text), 0, false).steps.len()
}

#[test]
fn literals_stand_in_for_registers_that_hold_them() {
    let text = "func f(i64) -> i64\n const r1, 7\n add r2, a1, r1\n const r1, -3\n mul r2, r2, r1\n ret r2";
    assert_eq!((results(text, &[1]), steps(text)), (vec![(-24i64).cast_unsigned()], 2), "one of both, and the end");
    let text = "func f(i64) -> i64\n const r1, 7\n add r2, r1, a1\n sub r3, r1, a1\n add r2, r2, r3\n ret r2";
    assert_eq!((results(text, &[1]), steps(text)), (vec![14], 4), "a difference does not commute");
}

#[test]
fn two_steps_are_one_where_nobody_else_reads_what_is_between() {
    let text = "func f(i64, i64) -> i64\n mul r1, a1, a2\n add r2, a1, r1\n ret r2";
    assert_eq!((results(text, &[3, 5]), steps(text)), (vec![18], 2));
    let text = "func f(i64, i64) -> i64\n mul r1, a1, a2\n add r2, a1, r1\n xor r2, r2, r1\n ret r2";
    assert_eq!((results(text, &[3, 5]), steps(text)), (vec![0x12 ^ 0xf], 3), "the sum and what follows it are one");
    let text = "func f(i64, i64) -> i64\n mul r1, a1, a2\n add r2, r1, r1\n ret r2";
    assert_eq!((results(text, &[3, 5]), steps(text)), (vec![30], 3));
    let text = "
        func f(i64, i64) -> i64
            mul r1, a1, a2
            add r2, a1, r1
            jmpt a2, other
            ret r2
        other:
            add r2, r2, r1
            ret r2";
    assert_eq!((results(text, &[3, 5]), results(text, &[3, 0])), (vec![33], vec![3]), "read in another block");
    let text = "
        func f(i64) -> i64
            const r3, 3
        next:
            add r2, r2, r1
            mul r1, a1, r3
            add r2, r2, r1
            sub a1, a1, r3
            less r4, r3, a1
            jmpt r4, next
            ret r2";
    assert_eq!(results(text, &[9]), [27 + 27 + 18], "read when the block comes round again");
    let swap = "func f(i64, i64) -> (i64, i64)\n move r1, a1\n move a1, a2\n move a2, r1\n ret a1, a2";
    assert_eq!((results(swap, &[1, 2]), steps(swap)), (vec![2, 1], 3));
    let chain = "func f(i64) -> i64\n move r1, a1\n move r2, r1\n ret r2";
    assert_eq!((results(chain, &[7]), steps(chain)), (vec![7], 2));
}

#[test]
fn counting_and_jumping_are_one_step() {
    let text = "
        func f(i64) -> (i64, i64)
            const r9, 1
        next:
            add r2, r2, r1
            add r1, r1, r9
            less r3, r1, a1
            jmpt r3, next
            ret r1, r2";
    assert_eq!((results(text, &[5]), steps(text)), (vec![5, 10], 3));
    let text = "
        func f(i64) -> (i64, i64)
            const r9, 2
        next:
            add r2, r2, a1
            sub a1, a1, r9
            lequ r3, a1, a1
            jmpf r3, next
            ret a1, r2";
    assert_eq!(results(text, &[5]), [3, 5], "compared with itself");
}

#[test]
fn literals_that_are_too_wide_stay_in_registers() {
    for literal in [0x8000_0000u64, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff, (-0x8000_0000i64).cast_unsigned()] {
        let text = format!("func f(i64) -> i64\n const r1, {}\n add r2, a1, r1\n ret r2", literal.cast_signed());
        assert_eq!(results(&text, &[5]), [literal.wrapping_add(5)], "{literal:#x}");
    }
    let text = "func f(i64) -> i64\n const.i32 r1, -1\n add r2, a1, r1\n ret r2";
    assert_eq!(results(text, &[1]), [0x1_0000_0000], "a 32-bit literal is not sign-extended");
    let text = "func f(i32) -> i32\n const.i32 r1, -1\n divu.i32 r2, r1, a1\n shru.i32 r2, r2, a1\n ret r2";
    assert_eq!(results(text, &[1]), [0x7fff_ffff]);
    let text = "func f(f32) -> f32\n const.f32 r1, -1.5\n mul.f32 r2, a1, r1\n ret r2";
    assert_eq!(results(text, &[u64::from(2f32.to_bits())]), [u64::from((-3f32).to_bits())]);
}

#[test]
fn literals_are_forgotten_where_blocks_meet() {
    let text = "
        func f(i64) -> i64
            const r1, 10
            jmpt a1, other
            const r1, 20
        other:
            add r2, r2, r1
            ret r2";
    assert_eq!((results(text, &[1]), results(text, &[0])), (vec![10], vec![20]));
    let text = "
        func f(i64) -> i64
            const r3, 1
        next:
            add r2, r2, r1
            const r1, 5
            sub a1, a1, r3
            jmpt a1, next
            ret r2";
    assert_eq!(results(text, &[3]), [10], "what the block leaves behind is read when it comes round again");
}

#[test]
fn a_comparison_that_is_read_behind_its_jump_is_kept() {
    let text = "
        func f(i64, i64) -> i64
            less r1, a1, a2
            jmpt r1, less
            ret r1
        less:
            add r1, r1, r1
            ret r1";
    assert_eq!((results(text, &[1, 2]), results(text, &[2, 1])), (vec![2], vec![0]));
    let text = "
        func f(i64) -> i64
            const r1, 9
            geq r2, a1, r1
            jmpf r2, small
            ret r1
        small:
            ret a1";
    assert_eq!(
        (results(text, &[9]), results(text, &[8]), results(text, &[u64::MAX])),
        (vec![9], vec![8], vec![u64::MAX])
    );
}

#[test]
fn locals_that_are_read_first_are_zero_even_after_deeper_calls() {
    let text = "
        func f(i64) -> i64
            call r1, dirty
            call r1, clean, a1
            ret r1
        func dirty() -> i64
            const r1, -1
            move r2, r1
            move r3, r1
            move r4, r1
            add r5, r4, r3
            ret r5
        func clean(i64) -> i64
            jmpt a1, there
            const r1, 1
        there:
            add r1, r1, r2
            select r3, a1, r3, r2
            add r1, r1, r3
            ret r1";
    assert_eq!((results(text, &[1]), results(text, &[0])), (vec![0], vec![1]));
}

#[test]
fn of_two_in_one_step_that_which_traps_is_named() {
    let line = |body: &str, args: &[u64]| {
        let verified = verified(&format!("memory 1\nfunc f(i64) -> i64\n const r1, 8\n{body}\n ret r2"));
        match call(&verified, &mut Store::new(&verified).unwrap(), &mut Streams::captured("").0, 0, args) {
            Err(RunError::Trap(trap)) => trap.frames[0].line,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(line(" mload r3, a1, 0\n add r2, r3, r1", &[65_530]), Some(4), "the load");
    assert_eq!(line(" shl r3, a1, r1\n mload r2, r3, 0", &[1 << 12]), Some(5), "the load");
    assert_eq!(line(" add r3, a1, r1\n mstore r3, a1, 0", &[1 << 16]), Some(5), "the store");
}

#[test]
fn a_store_may_serve_another_module() {
    let (one, two) =
        (verified("func f() -> i64\n const r1, 1\n ret r1"), verified("func f() -> i64\n const r1, 2\n ret r1"));
    let mut store = Store::new(&one).unwrap();
    for _ in 0..2 {
        assert_eq!(results_in(&mut store, &one, &[]), [1]);
        assert_eq!(results_in(&mut store, &two, &[]), [2]);
    }
}

#[test]
fn a_store_may_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<Store>();
    check::<LinearMemory>();
}
