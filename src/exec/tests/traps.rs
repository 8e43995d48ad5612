//! Traps: what they are called, where they are reported, and that everything is usable after them.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn divisions_trap_by_their_divisor() {
    let mut made = instance(EVERYTHING);
    assert_eq!(call(&mut made, "divide", &[-7i64 as u64, 2]).unwrap(), [-3i64 as u64]);
    let (kind, report) = trap(&mut made, "divide", &[1, 0]);
    assert_eq!((kind, report.as_str()), (TrapKind::DivideByZero, "trap: divide by zero\n  at divide (test.spasm:4)"));
    assert_eq!(trap(&mut made, "divide", &[i64::MIN as u64, -1i64 as u64]).0, TrapKind::IntegerOverflow);
    assert_eq!(call(&mut made, "divide", &[7, 2]).unwrap(), [3]);
}

#[test]
fn memory_traps_wherever_a_program_can_reach() {
    let mut made =
        instance("memory 1 2\nfunc load.0(i64) -> i64\nfunc load.2147483647(i64) -> i64\nfunc store(i64, i64)\n");
    assert_eq!(call(&mut made, "load.0", &[65528]).unwrap(), [0]);
    for index in [65529, 65536, 0x7fff_ffff, 0xffff_ffff] {
        assert_eq!(trap(&mut made, "load.0", &[index]).0, TrapKind::OutOfBoundsMemory, "{index:#x}");
        assert_eq!(trap(&mut made, "store", &[index, 1]).0, TrapKind::OutOfBoundsMemory, "{index:#x}");
    }
    assert_eq!(trap(&mut made, "load.2147483647", &[0xffff_ffff]).0, TrapKind::OutOfBoundsMemory);
    assert!(made.memory().iter().all(|&byte| byte == 0), "nothing is written by a store that traps");
}

#[test]
fn helpers_check_the_whole_range_first() {
    let mut made = instance("memory 1 1\nfunc ranges.mfill(i64, i64, i64)\nfunc ranges.mcopy(i64, i64, i64)\n");
    assert_eq!(trap(&mut made, "ranges.mfill", &[65530, 1, 7]).0, TrapKind::OutOfBoundsMemory);
    assert!(made.memory().iter().all(|&byte| byte == 0));
    call(&mut made, "ranges.mfill", &[65530, 0x107, 6]).unwrap();
    assert_eq!(trap(&mut made, "ranges.mcopy", &[65530, 0, 7]).0, TrapKind::OutOfBoundsMemory);
    assert_eq!(trap(&mut made, "ranges.mcopy", &[0, 65530, 7]).0, TrapKind::OutOfBoundsMemory);
    assert_eq!(trap(&mut made, "ranges.mcopy", &[65537, 65530, 0]).0, TrapKind::OutOfBoundsMemory);
    assert_eq!(made.memory()[65529..], [0, 7, 7, 7, 7, 7, 7]);
    call(&mut made, "ranges.mcopy", &[65528, 65530, 6]).unwrap();
    call(&mut made, "ranges.mfill", &[65536, 1, 0]).unwrap();
    assert_eq!(made.memory()[65527..], [0, 7, 7, 7, 7, 7, 7, 7, 7]);
}

#[test]
fn a_trap_names_the_calls_in_progress() {
    let mut made = instance(EVERYTHING);
    let (kind, report) = trap(&mut made, "down", &[3]);
    assert_eq!(kind, TrapKind::Unreachable);
    assert_eq!(report, format!("trap: unreachable{}", "\n  at down (test.spasm:8)".repeat(3)));
    let (_, report) = trap(&mut made, "down", &[1000]);
    assert!(report.ends_with("  ... 968 more"), "{report}");
}

#[test]
fn a_trap_keeps_what_the_host_keeps_in_registers() {
    let mut made = instance("func saved\nfunc identity(i64) -> i64\n");
    let values: Vec<u64> = (0..40).map(|i| i * 3).collect();
    let mut sum = 0;
    for &value in &values {
        assert_eq!(trap(&mut made, "saved", &[]).0, TrapKind::Unreachable);
        sum += call(&mut made, "identity", &[value]).unwrap()[0];
    }
    assert_eq!(sum, values.iter().sum());
}

fn overflow(size: usize) {
    let text = "func deep_small\nfunc deep_large\nfunc identity(i64) -> i64\n";
    let verified = verified(text);
    let mut made = Instance::new(&runtime(), &verified, Arc::new(image(&verified)), None, size).unwrap();
    for name in ["deep_small", "deep_large", "deep_small"] {
        let start = Instant::now();
        let (kind, report) = trap(&mut made, name, &[]);
        assert_eq!(kind, TrapKind::StackOverflow, "{name}");
        assert!(report.starts_with(&format!("trap: stack overflow\n  at {name} (test.spasm:")), "{report}");
        assert!(start.elapsed() < Duration::from_secs(5));
        if name == "deep_small" {
            let more: usize = report.split("... ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!((size / 16 - 100..=size / 16).contains(&(more + 32)), "{more}");
        }
        assert_eq!(call(&mut made, "identity", &[1]).unwrap(), [1]);
    }
}

#[test]
fn stacks_overflow_with_small_and_large_frames() {
    overflow(SMALLEST_STACK);
    overflow(1 << 20);
    overflow(super::super::DEFAULT_STACK);
}

#[test]
fn stacks_overflow_on_threads_with_little_stack_of_their_own() {
    let thread = std::thread::Builder::new().stack_size(128 << 10);
    thread.spawn(|| overflow(1 << 20)).unwrap().join().unwrap();
}

#[test]
fn instances_on_one_thread_have_stacks_of_their_own_size() {
    let verified = verified("func deep_small\n");
    let depth = |size| {
        let mut made = Instance::new(&runtime(), &verified, Arc::new(image(&verified)), None, size).unwrap();
        match call(&mut made, "deep_small", &[]) {
            Err(RunError::Trap(trap)) => trap.depth,
            other => panic!("{other:?}"),
        }
    };
    let (small, large) = (depth(1 << 16), depth(1 << 20));
    assert!(large / small >= 15, "{small} {large}");
    assert_eq!(depth(1 << 16), small);
}

#[test]
fn other_instances_and_engines_do_not_notice() {
    let (first, second) = (runtime(), runtime());
    let mut one = instance_on(&first, EVERYTHING).unwrap();
    let mut two = instance_on(&first, EVERYTHING).unwrap();
    let mut three = instance_on(&second, EVERYTHING).unwrap();
    call(&mut two, "store", &[0, 5]).unwrap();
    for _ in 0..3 {
        for made in [&mut one, &mut two, &mut three] {
            trap(made, "unreachable", &[]);
            trap(made, "divide", &[1, 0]);
            trap(made, "load.0", &[1 << 20]);
        }
    }
    assert_eq!(call(&mut two, "load.0", &[0]).unwrap(), [5]);
    assert_eq!(call(&mut three, "load.0", &[0]).unwrap(), [0]);
    drop(one);
    drop(first);
    assert_eq!(call(&mut two, "identity", &[9]).unwrap(), [9]);
    assert_eq!(trap(&mut two, "unreachable", &[]).0, TrapKind::Unreachable);
}
