//! Many threads, each with its own instance, at once.

use super::*;

#[test]
fn threads_trap_at_once() {
    let runtime = runtime();
    std::thread::scope(|scope| {
        for nth in 0..6u64 {
            let runtime = &runtime;
            scope.spawn(move || {
                let mut made = instance_on(runtime, EVERYTHING).unwrap();
                for round in 0..300 {
                    assert_eq!(trap(&mut made, "divide", &[round, 0]).0, TrapKind::DivideByZero);
                    assert_eq!(trap(&mut made, "load.0", &[0x10000 + nth]).0, TrapKind::OutOfBoundsMemory);
                    call(&mut made, "store", &[0, round * nth]).unwrap();
                    let (_, report) = trap(&mut made, "down", &[nth + 1]);
                    assert_eq!(report.lines().count() as u64, nth + 2);
                    assert_eq!(call(&mut made, "load.0", &[0]).unwrap(), [round * nth]);
                }
            });
        }
    });
    assert_eq!(runtime.arena().free_data(), runtime.arena().size().data);
}

#[test]
fn an_instance_may_move_to_another_thread() {
    let mut made = instance(EVERYTHING);
    call(&mut made, "store", &[16, 1]).unwrap();
    trap(&mut made, "unreachable", &[]);
    let mut made = std::thread::spawn(move || {
        trap(&mut made, "unreachable", &[]);
        call(&mut made, "store", &[16, 2]).unwrap();
        made
    })
    .join()
    .unwrap();
    assert_eq!(call(&mut made, "load.0", &[16]).unwrap(), [2]);
}

#[test]
fn threads_publish_and_free_at_once() {
    let runtime = runtime();
    let before = runtime.arena().free_code();
    std::thread::scope(|scope| {
        for nth in 0..4u64 {
            let runtime = &runtime;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for round in 0..200u64 {
                    let text = if (nth + round) % 2 == 0 { "func identity(i64) -> i64\n" } else { EVERYTHING };
                    let mut made = instance_on(runtime, text).unwrap();
                    assert_eq!(call(&mut made, "identity", &[round]).unwrap(), [round]);
                    kept.push(made);
                    if kept.len() > 5 {
                        let mut old = kept.swap_remove((round % 5) as usize);
                        assert_eq!(call(&mut old, "identity", &[nth]).unwrap(), [nth]);
                    }
                }
            });
        }
    });
    assert_eq!(runtime.arena().free_code(), before);
}
