//! The bodies of random functions.
//!
//! Comes in: a module whose signatures, globals and tables stand. Goes out: a body for one of its functions. What must
//! hold: the body verifies; every backward jump pays from the fuel.

use crate::isa::op::{Class, Flag, Op, Shape, Type};
use crate::module::{Module, Reg, Signature};

use super::writer::{Writer, counted};
use super::{FUEL, Source};

/// Writes the body of function `index`, of so many statements, or of a random number.
pub(super) fn fill(module: &mut Module, index: usize, statements: Option<usize>, source: &mut Source<'_>) {
    let function = std::mem::take(&mut module.functions[index]);
    let signatures: Vec<_> = module.functions.iter().map(|f| &f.signature).collect();
    let mut signatures: Vec<Signature> = signatures.into_iter().cloned().collect();
    signatures[index] = function.signature.clone();
    let mut body = Writer::new(module, signatures, function, source);
    body.budget = statements.unwrap_or(body.budget);
    body.write();
    module.functions[index] = body.code;
}

/// The deepest nesting of statements.
const DEPTH: usize = 4;

impl Writer<'_, '_> {
    fn write(&mut self) {
        for (k, ty) in (1..).zip(self.code.signature.params.clone()) {
            self.pools[ty.class() as usize].push(Reg::arg(k));
        }
        let many = if self.s.one_in(4) { 24 } else { 6 };
        for class in 0..3 {
            for _ in 0..=self.s.below(many) {
                let local = self.local();
                self.pools[class].push(local);
            }
        }
        self.out = self.label();
        self.pay();
        while self.budget > 0 {
            self.statement(0);
        }
        while let Some(label) = self.pending.pop() {
            self.place(label);
        }
        self.place(self.out);
        self.ret();
    }

    /// A register to read; ints may also be `r0`.
    pub(super) fn source(&mut self, class: Class) -> Reg {
        if class == Class::Int && self.s.one_in(32) {
            return Reg::COUNT;
        }
        self.s.pick(&self.pools[class as usize])
    }

    /// A register to write.
    pub(super) fn target(&mut self, class: Class) -> Reg {
        self.s.pick(&self.pools[class as usize])
    }

    fn any_class(&mut self) -> Class {
        self.s.pick(&[Class::Int, Class::Int, Class::F32, Class::F64])
    }

    /// Takes one from the fuel; leaves the function when there is none.
    fn pay(&mut self) {
        let (fuel, one) = (self.local(), self.local());
        self.emit(Op::Gget, fuel.field(), 0, FUEL);
        self.constant(one, Type::I64, 1);
        self.regs(Op::LessI64, one, fuel, one);
        self.emit(Op::Jmpt, 0, one.field(), self.out);
        self.constant(one, Type::I64, 1);
        self.regs(Op::SubI64, fuel, fuel, one);
        self.emit(Op::Gset, 0, fuel.field(), FUEL);
    }

    /// An int no larger than `mask`, most times: now and then one that is not bounded.
    pub(super) fn masked(&mut self, mask: u64) -> Reg {
        let a = self.source(Class::Int);
        if self.s.one_in(24) {
            return a;
        }
        let bounded = self.local();
        self.constant(bounded, Type::I64, mask);
        self.regs(Op::AndI64, bounded, a, bounded);
        bounded
    }

    fn block(&mut self, depth: usize) {
        for _ in 0..=self.s.below(5) {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: usize) {
        self.budget = self.budget.saturating_sub(1);
        let nests = depth < DEPTH && self.budget > 0;
        // What is jumped to from far above would leave most of the program unexecuted.
        if self.s.one_in(4) {
            self.place_pending();
        }
        match self.s.below(32) {
            9..=10 => self.chain(),
            11..=12 => self.some_constant(),
            13 => self.copy(),
            14 => self.select(),
            15..=17 => self.access(),
            18 => self.global(),
            19 if nests => self.diamond(depth),
            20..=22 if nests => self.repeat(depth),
            23 if nests => self.switch(depth),
            24 | 25 => self.call(),
            26 => self.argument(),
            27 => self.print(),
            28 => self.bulk(),
            29 => self.jump(),
            30 if nests && self.s.one_in(2) => self.leave(),
            _ => self.value(),
        }
    }

    fn value(&mut self) {
        let rows = Op::ROWS.iter().take_while(|row| row.shape == Shape::Value).count();
        let row = Op::ALL[self.s.below(rows)].row();
        let class = |k: usize| row.args.get(k).map_or(Class::Int, |ty| ty.class());
        let a = self.source(class(0));
        let mut b = if row.args.len() > 1 { self.source(class(1)) } else { Reg::COUNT };
        if row.args.len() > 1 && class(1) == Class::Int && self.s.one_in(8) {
            b = self.local();
            let bits = if self.s.one_in(2) { 1 << self.s.below(64) } else { self.s.below(12) as u64 };
            self.constant(b, Type::I64, bits);
        } else if row.has(Flag::Traps) && !self.s.one_in(16) {
            if row.args.len() < 2 {
                return;
            }
            // An odd divisor is not zero.
            let odd = self.local();
            self.constant(odd, Type::I64, 1);
            self.regs(Op::OrI64, odd, b, odd);
            b = odd;
        }
        let d = self.target(row.result.map_or(Class::Int, Type::class));
        self.regs(row.op, d, a, b);
        if row.has(Flag::Compares) && self.s.one_in(4) {
            let label = self.some_label();
            let op = self.s.pick(&[Op::Jmpt, Op::Jmpf]);
            self.emit(op, 0, d.field(), label);
        }
    }

    fn some_constant(&mut self) {
        let ty = self.s.pick(&Type::NUMBERS);
        let (d, bits) = (self.target(ty.class()), self.s.constant(ty));
        self.constant(d, ty, bits);
    }

    fn copy(&mut self) {
        let class = self.any_class();
        let (d, a) = (self.target(class), self.source(class));
        self.regs(Op::Move, d, a, Reg::COUNT);
    }

    fn select(&mut self) {
        let class = self.any_class();
        let (d, c, a, b) = (self.target(class), self.source(Class::Int), self.source(class), self.source(class));
        let list = self.list([a.field(), b.field()]);
        self.emit(Op::Select, d.field(), c.field(), list);
    }

    fn access(&mut self) {
        let rows = |shape| Op::ALL.iter().copied().filter(move |op| op.row().shape == shape);
        let loads = self.s.one_in(2);
        let ops: Vec<Op> = rows(if loads { Shape::Load } else { Shape::Store }).collect();
        let op = self.s.pick(&ops);
        let i = self.masked(0xffff);
        let offset = match self.s.below(16) {
            0 => self.s.below(0x10000) as u32,
            1 => 0xffff_ffff,
            _ => self.s.below(200) as u32,
        };
        let register = match op.row().result {
            Some(ty) => self.target(ty.class()),
            None => self.source(op.row().args[0].class()),
        };
        self.emit(op, register.field(), i.field(), offset);
    }

    fn global(&mut self) {
        let index = 1 + self.s.below(self.module.globals.len() - 1);
        let class = self.module.globals[index].ty.class();
        if self.s.one_in(2) {
            let d = self.target(class);
            self.emit(Op::Gget, d.field(), 0, index as u32);
        } else {
            let a = self.source(class);
            self.emit(Op::Gset, 0, a.field(), index as u32);
        }
    }

    /// Two ways that meet again; the second may be empty.
    fn diamond(&mut self, depth: usize) {
        let (other, end) = (self.label(), self.label());
        let c = self.source(Class::Int);
        let op = self.s.pick(&[Op::Jmpt, Op::Jmpf]);
        self.emit(op, 0, c.field(), other);
        self.block(depth + 1);
        if self.s.one_in(2) {
            self.emit(Op::Jmp, 0, 0, end);
            self.place(other);
            self.block(depth + 1);
        } else {
            self.place(other);
        }
        self.place(end);
    }

    /// A counted loop, with ways to leave it and to go on with its next turn.
    fn repeat(&mut self, depth: usize) {
        let (head, next, end) = (self.label(), self.label(), self.label());
        let (count, one) = (self.local(), self.local());
        let turns = 1 + self.s.below(9) as u64;
        self.constant(count, Type::I64, turns);
        self.constant(one, Type::I64, 1);
        self.place(head);
        self.pay();
        let outer = self.targets.len();
        self.targets.extend([next, end]);
        self.block(depth + 1);
        self.targets.truncate(outer);
        self.place(next);
        self.regs(Op::SubI64, count, count, one);
        if self.s.one_in(2) {
            self.emit(Op::Jmpt, 0, count.field(), head);
        } else {
            let less = self.local();
            self.regs(Op::LequI64, less, one, count);
            self.emit(Op::Jmpt, 0, less.field(), head);
        }
        self.place(end);
    }

    fn switch(&mut self, depth: usize) {
        let i = self.masked(7);
        let end = self.label();
        let cases: Vec<u32> = (0..self.s.below(6)).map(|_| self.label()).collect();
        let default = if self.s.one_in(2) { end } else { self.label() };
        let mut targets = cases.clone();
        if !cases.is_empty() && self.s.one_in(2) {
            targets.push(cases[0]);
        }
        let list = self.list([targets.len() as u32].into_iter().chain(targets).chain([default]));
        self.emit(Op::Switch, 0, i.field(), list);
        for label in cases.into_iter().chain(Some(default).filter(|&label| label != end)) {
            self.place(label);
            self.block(depth + 1);
            if !self.s.one_in(4) {
                self.emit(Op::Jmp, 0, 0, end);
            }
        }
        self.place(end);
    }

    fn call(&mut self) {
        let index = self.s.below(self.signatures.len());
        let signature = self.signatures[index].clone();
        let more = if signature.variadic { self.s.below(5) } else { 0 };
        let types = signature.params.iter().copied().chain(std::iter::repeat_n(Type::I64, more));
        let args: Vec<u32> = types.map(|ty| self.source(ty.class()).field()).collect();
        let results = self.results(&signature);
        let words: Vec<u32> = counted(&results).chain(counted(&args)).collect();
        if self.s.one_in(3) {
            self.calli(index, words);
        } else {
            let list = self.list(words);
            self.emit(Op::Call, 0, index as u32, list);
        }
    }

    /// A call through the table, of whatever has the signature of function `like`.
    fn calli(&mut self, like: usize, words: Vec<u32>) {
        let signature = &self.signatures[like];
        let number = self.module.signatures.iter().position(|s| s == signature).unwrap_or(0) as u32;
        let functions = &self.module.tables[0].functions;
        let fitting = functions.iter().position(|&f| self.signatures[f as usize] == *signature);
        let i = match fitting {
            Some(at) if !self.s.one_in(8) => {
                let i = self.local();
                self.constant(i, Type::I64, at as u64);
                i
            }
            _ if !self.s.one_in(8) => return,
            _ => self.masked(7),
        };
        let list = self.list([number].into_iter().chain(words));
        self.emit(Op::Calli, 0, i.field(), list);
    }

    /// Different registers for the results of a call; none at all now and then.
    fn results(&mut self, signature: &Signature) -> Vec<u32> {
        if self.s.one_in(8) {
            return Vec::new();
        }
        let mut results = Vec::with_capacity(signature.results.len());
        for ty in &signature.results {
            let chosen = self.target(ty.class()).field();
            let free = if results.contains(&chosen) { self.local().field() } else { chosen };
            results.push(free);
        }
        results
    }

    fn argument(&mut self) {
        let n = self.code.signature.params.len() as u64;
        if n == 0 && !self.s.one_in(8) {
            return;
        }
        let i = self.local();
        let number =
            if self.s.one_in(8) { n + self.s.below(3) as u64 } else { 1 + self.s.below(n.max(1) as usize) as u64 };
        self.constant(i, Type::I64, number);
        let d = self.target(Class::Int);
        self.regs(Op::Arg, d, i, Reg::COUNT);
    }

    fn print(&mut self) {
        let class = self.any_class();
        if self.s.one_in(8) {
            let d = self.target(class);
            self.emit(Op::Read, d.field(), 0, 0);
            return;
        }
        let a = self.source(class);
        self.emit(Op::Print, 0, a.field(), 0);
    }

    fn bulk(&mut self) {
        let d = self.target(Class::Int);
        match self.s.below(4) {
            0 => self.emit(Op::Msize, d.field(), 0, 0),
            1 => {
                let n = self.masked(1);
                self.emit(Op::Mgrow, d.field(), n.field(), 0);
            }
            kind => {
                let (to, from, n) = (self.masked(0x7fff), self.masked(0x7fff), self.masked(0xff));
                self.regs(if kind == 2 { Op::Mcopy } else { Op::Mfill }, to, from, n);
            }
        }
    }

    /// A label that may be jumped to from here: of an enclosing loop, the end, or one to be placed later.
    fn some_label(&mut self) -> u32 {
        match self.s.below(16) {
            0..=4 if !self.targets.is_empty() => self.s.pick(&self.targets),
            5 => self.out,
            _ if !self.pending.is_empty() && self.s.one_in(2) => self.s.pick(&self.pending),
            _ => {
                let label = self.label();
                self.pending.push(label);
                label
            }
        }
    }

    fn jump(&mut self) {
        let label = self.some_label();
        if self.s.one_in(8) {
            self.emit(Op::Jmp, 0, 0, label);
        } else {
            let c = self.source(Class::Int);
            let op = self.s.pick(&[Op::Jmpt, Op::Jmpf]);
            self.emit(op, 0, c.field(), label);
        }
    }

    fn place_pending(&mut self) {
        if let Some(label) = self.pending.pop() {
            self.place(label);
        }
    }

    /// Ends the function or the program, on a condition most times.
    fn leave(&mut self) {
        let past = self.label();
        if !self.s.one_in(8) {
            let c = self.source(Class::Int);
            let op = self.s.pick(&[Op::Jmpt, Op::Jmpf]);
            self.emit(op, 0, c.field(), past);
        }
        match self.s.below(8) {
            0 => self.emit(Op::Trap, 0, 0, 0),
            1 => self.emit(Op::Halt, 0, 0, 0),
            _ => self.ret(),
        }
        self.place(past);
    }

    fn ret(&mut self) {
        let types = self.code.signature.results.clone();
        let values: Vec<u32> = types.iter().map(|ty| self.source(ty.class()).field()).collect();
        let list = self.list(counted(&values).collect::<Vec<_>>());
        self.emit(Op::Ret, 0, 0, list);
    }
}
