//! What the interpreter makes of each instruction, against results written down by hand.

mod common;

use common::{Code, I64, results};
use spasm::isa::op::Op;

#[test]
fn the_smallest_program() {
    let add_answer = Code::new("add_answer", &[I64], &[I64]).int(1, 42).op(Op::AddI64, 2, -1, 1).ret(&[2]);
    assert_eq!(results(add_answer.module(), &[8]), [50]);
}

#[test]
fn a_loop_and_a_recursion() {
    let sum = Code::new("sum", &[I64], &[I64])
        .int(1, 1)
        .label(0)
        .op(Op::AddI64, 2, 2, -1)
        .op(Op::SubI64, -1, -1, 1)
        .op(Op::LessI64, 3, 4, -1)
        .jmpt(3, 0)
        .ret(&[2]);
    assert_eq!(results(sum.module(), &[100]), [5050]);
    let fib = Code::new("fib", &[I64], &[I64])
        .int(1, 2)
        .op(Op::LessI64, 2, -1, 1)
        .jmpt(2, 0)
        .op(Op::SubI64, 2, -1, 1)
        .call(&[3], 0, &[2])
        .int(4, 1)
        .op(Op::SubI64, 2, -1, 4)
        .call(&[4], 0, &[2])
        .op(Op::AddI64, -1, 3, 4)
        .label(0)
        .ret(&[-1]);
    assert_eq!(results(fib.module(), &[20]), [6765]);
}
