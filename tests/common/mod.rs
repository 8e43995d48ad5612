//! Functions written in a few Rust lines, for tests of what happens behind the parser.
//!
//! Registers are plain numbers as in the text: negative for arguments. Labels are indexes, given out by [`Code::label`].

#![allow(dead_code, reason = "each test file uses what it needs")]

use spasm::interp::{self, Limits, Store};
use spasm::isa::op::{Op, Type};
use spasm::module::{Function, Inst, Label, Module, Signature};
use spasm::streams::Streams;
use spasm::trap::{Outcome, RunError};
use spasm::verified::Verified;
use spasm::verify::verify;

#[allow(unused_imports, reason = "each test file uses what it needs")]
pub use spasm::isa::op::Type::{F32, F64, I32, I64};

/// A function being written. Instruction `i` stands on line `i + 1` times 10.
#[derive(Clone, Default)]
pub struct Code(pub Function);

impl Code {
    pub fn new(name: &str, params: &[Type], results: &[Type]) -> Code {
        Code(Function { name: name.into(), signature: Signature::new(params, results), line: 5, ..Function::default() })
    }

    pub fn variadic(mut self) -> Code {
        self.0.signature.variadic = true;
        self
    }

    pub fn raw(mut self, op: Op, d: u32, a: u32, b: u32) -> Code {
        self.0.insts.push(Inst { op, d, a, b });
        self.0.lines.push(self.0.insts.len() as u32 * 10);
        self
    }

    pub fn op(self, op: Op, d: i32, a: i32, b: i32) -> Code {
        self.raw(op, d as u32, a as u32, b as u32)
    }

    pub fn int(self, d: i32, value: i64) -> Code {
        self.bits(Op::ConstI64, d, value as u64)
    }

    pub fn bits(self, op: Op, d: i32, bits: u64) -> Code {
        self.raw(op, d as u32, bits as u32, (bits >> 32) as u32)
    }

    pub fn mov(self, d: i32, a: i32) -> Code {
        self.op(Op::Move, d, a, 0)
    }

    fn list(&mut self, words: impl IntoIterator<Item = u32>) -> u32 {
        let at = self.0.lists.len() as u32;
        self.0.lists.extend(words);
        at
    }

    pub fn select(mut self, d: i32, c: i32, a: i32, b: i32) -> Code {
        let list = self.list([a as u32, b as u32]);
        self.raw(Op::Select, d as u32, c as u32, list)
    }

    pub fn ret(mut self, values: &[i32]) -> Code {
        let list = self.list(counted(values));
        self.raw(Op::Ret, 0, 0, list)
    }

    pub fn call(mut self, results: &[i32], function: u32, args: &[i32]) -> Code {
        let words: Vec<u32> = counted(results).into_iter().chain(counted(args)).collect();
        let list = self.list(words);
        self.raw(Op::Call, 0, function, list)
    }

    pub fn calli(mut self, results: &[i32], (table, i): (u32, i32), signature: u32, args: &[i32]) -> Code {
        let lists = counted(results).into_iter().chain(counted(args));
        let words: Vec<u32> = [signature].into_iter().chain(lists).collect();
        let list = self.list(words);
        self.raw(Op::Calli, table, i as u32, list)
    }

    /// Label `index` stands here; labels may be named before they are placed.
    pub fn label(mut self, index: usize) -> Code {
        while self.0.labels.len() <= index {
            let name = format!("L{}", self.0.labels.len());
            self.0.labels.push(Label { name, at: u32::MAX });
        }
        self.0.labels[index].at = self.0.insts.len() as u32;
        self
    }

    pub fn jmp(self, label: u32) -> Code {
        self.raw(Op::Jmp, 0, 0, label)
    }

    pub fn jmpt(self, c: i32, label: u32) -> Code {
        self.raw(Op::Jmpt, 0, c as u32, label)
    }

    pub fn switch(mut self, i: i32, labels: &[u32], default: u32) -> Code {
        let words: Vec<u32> = [labels.len() as u32].iter().chain(labels).chain(&[default]).copied().collect();
        let list = self.list(words);
        self.raw(Op::Switch, 0, i as u32, list)
    }

    pub fn module(self) -> Module {
        module([self])
    }
}

fn counted(registers: &[i32]) -> Vec<u32> {
    std::iter::once(registers.len() as u32).chain(registers.iter().map(|&r| r as u32)).collect()
}

pub fn module(functions: impl IntoIterator<Item = Code>) -> Module {
    Module { functions: functions.into_iter().map(|code| code.0).collect(), ..Module::default() }
}

/// The module that `text` writes.
pub fn parse(text: &str) -> Module {
    spasm::text::parse("test.spasm", text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub fn verified(module: Module) -> Verified {
    match verify(module) {
        Ok(verified) => verified,
        Err(error) => panic!("refused:\n{error}"),
    }
}

/// Calls the first function: its results, or the first line of the error; and what it printed.
pub fn run(module: Module, args: &[u64]) -> (Result<Vec<u64>, String>, String) {
    run_with_input(module, args, "")
}

pub fn run_with_input(module: Module, args: &[u64], input: &str) -> (Result<Vec<u64>, String>, String) {
    let verified = verified(module);
    let mut store = Store::new(&verified).unwrap();
    let (mut streams, printed) = Streams::captured(input);
    let limits = Limits { jumps: 2_000_000, ..Limits::default() };
    let result = interp::call_within(&limits, &verified, &mut store, &mut streams, 0, args);
    (outcome(result), printed.text())
}

pub fn outcome(result: Result<Outcome, RunError>) -> Result<Vec<u64>, String> {
    match result {
        Ok(Outcome::Returned(results)) => Ok(results),
        Ok(Outcome::Halted) => Err("halted".to_owned()),
        Err(error) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

/// The results of the first function.
pub fn results(module: Module, args: &[u64]) -> Vec<u64> {
    run(module, args).0.unwrap_or_else(|error| panic!("{error}"))
}

/// The trap of the first function.
pub fn trap(module: Module, args: &[u64]) -> String {
    let error = run(module, args).0.expect_err("it returned");
    error.strip_prefix("trap: ").map_or_else(|| format!("no trap: {error}"), str::to_owned)
}
