//! Functions that C calls in place of interpreted ones.
//!
//! Comes in: a verified module, and the addresses of what the host does for bridges. Goes out: a module whose externs and
//! data are those of the program, and a function that says what addresses all of them have. What must hold: the buffer
//! of a bridge is the host's, from the start of a call to its end, so that calls may be nested and come on any thread.

use std::collections::{BTreeSet, HashMap};

use super::{WORD, access, at};
use crate::builder::{BuildError, CSignatureId, FunctionBuilder, FunctionId, ModuleBuilder};
use crate::isa::op::{Class, Op, Shape, Type};
use crate::module::native::{CSignature, CType, Data, Pointer, Target};
use crate::module::{Function, Module, Reg, Signature};
use crate::verified::Verified;

/// What bridges know of the host: addresses of C functions, and what these want to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// What each of the functions gets first.
    pub context: u64,
    /// `(context, function, count) -> buffer`: a buffer for this many arguments of this function, and for its results, all
    /// of it zero.
    pub begin: u64,
    /// `(context, buffer) -> status`: runs the function with the arguments in the buffer. Where it returned the results are
    /// there then; else there is no buffer any more, and the bridge ends the program's call.
    pub run: u64,
    /// `(context, buffer)`: gives the buffer back.
    pub end: u64,
}

impl Host {
    /// The status of a function that returned.
    pub const RETURNED: u64 = 0;
    /// The status of one that was stopped: the bridge traps.
    pub const STOPPED: u64 = 1;
    /// The status of one that ended the program with success: so does the bridge.
    pub const HALTED: u64 = 2;
}

/// The module, and how to find what is in it.
#[derive(Debug)]
pub struct Bridges {
    /// The module.
    pub module: Module,
    /// The number of the function that writes to where its argument points the addresses of [`Bridges::targets`].
    pub addresses: u32,
    /// What the program may ask the address of, in its own numbers.
    pub targets: Vec<Target>,
}

/// The bridges of a module: for the functions whose addresses it takes, or for `all`.
///
/// # Errors
/// Where they are more than a module can have.
pub fn bridges(verified: &Verified, host: Host, all: bool) -> Result<Bridges, BuildError> {
    let module = verified.module();
    let mut builder = ModuleBuilder::new();
    let functions = 0..crate::builder::count(module.functions.len());
    let taken = if all { functions.collect() } else { taken(verified) };
    let declared: HashMap<u32, FunctionId> =
        taken.iter().map(|&index| (index, builder.declare(&*module.functions[index as usize].name))).collect();
    let here = |target: Target| match target {
        Target::Function(index) => Target::from(declared[&index]),
        other => other,
    };
    for e in &module.externs {
        let signature = module.c_signatures[e.signature as usize].clone();
        builder.c_function(&*e.name, &*e.library, &*e.symbol, signature);
    }
    for data in &module.data {
        let point = |pointer: &Pointer| Pointer { target: here(pointer.target), ..*pointer };
        builder.data(Data { pointers: data.pointers.iter().map(point).collect(), ..data.clone() });
    }
    let calls = Calls::new(&mut builder, host);
    for &index in &taken {
        builder.define(declared[&index], bridge(&calls, index, &module.functions[index as usize]));
    }
    let number = crate::builder::count;
    let externs = (0..number(module.externs.len())).map(Target::Extern);
    let data = (0..number(module.data.len())).map(Target::Data);
    let targets: Vec<Target> = externs.chain(data).chain(taken.iter().copied().map(Target::Function)).collect();
    let addresses = builder.declare(fresh_name(module));
    builder.define(addresses, write_addresses(&targets, here));
    let mut made = builder.finish()?;
    // Where one cannot be found, the error names its line.
    for (one, e) in made.externs.iter_mut().zip(&module.externs) {
        one.line = e.line;
    }
    Ok(Bridges { module: made, addresses: addresses.index(), targets })
}

/// The functions whose addresses the program takes.
fn taken(verified: &Verified) -> BTreeSet<u32> {
    let insts = verified.functions.iter().flat_map(|body| &body.insts);
    let named = insts.filter(|inst| inst.op.row().shape == Shape::Addr);
    let named = named.filter_map(|inst| Target::from_fields(inst.a, inst.b));
    let pointed = verified.module().data.iter().flat_map(|data| &data.pointers).map(|pointer| pointer.target);
    let function = |target| if let Target::Function(index) = target { Some(index) } else { None };
    named.chain(pointed).filter_map(function).collect()
}

/// A name that nothing in the module has.
fn fresh_name(module: &Module) -> String {
    let mut name = "addresses".to_owned();
    while module.target(&name).is_some() {
        name.push('\'');
    }
    name
}

fn write_addresses(targets: &[Target], here: impl Fn(Target) -> Target) -> FunctionBuilder {
    let mut f = FunctionBuilder::new(Signature::new([Type::I64], []));
    let (place, address, word) = (Reg::arg(1), f.local(), f.local());
    f.const_i64(word, i64::from(WORD));
    for &target in targets {
        f.addr(address, here(target));
        f.store(Op::StoreI64, address, place, 0);
        f.add(place, place, word);
    }
    f.ret(&[]);
    f
}

/// The host's functions, and the signatures that they are called with.
struct Calls {
    host: Host,
    begin: CSignatureId,
    run: CSignatureId,
    end: CSignatureId,
}

impl Calls {
    fn new(builder: &mut ModuleBuilder, host: Host) -> Calls {
        let mut signature = |params: usize, results: usize| {
            let ints = |n| vec![CType::I64; n];
            builder.c_signature(CSignature { params: ints(params), results: ints(results), ..CSignature::default() })
        };
        Calls { host, begin: signature(3, 1), run: signature(2, 1), end: signature(2, 0) }
    }

    /// A local that holds a number that only the host understands.
    fn number(f: &mut FunctionBuilder, number: u64) -> Reg {
        let local = f.local();
        f.const_i64(local, number.cast_signed());
        local
    }
}

fn bridge(calls: &Calls, index: u32, function: &Function) -> FunctionBuilder {
    let Signature { params, variadic, results } = &function.signature;
    let mut f = FunctionBuilder::new(function.signature.clone());
    f.head_line(function.line);
    let context = Calls::number(&mut f, calls.host.context);
    let begin = Calls::number(&mut f, calls.host.begin);
    let number = Calls::number(&mut f, u64::from(index));
    let buffer = f.local();
    f.callp(&[buffer], begin, calls.begin, &[context, number, Reg::COUNT]);
    for (nth, ty) in (0..).zip(params) {
        f.store(access(ty.class()).1, Reg::arg(nth + 1), buffer, at(nth as usize));
    }
    if *variadic {
        further(&mut f, params.len(), buffer);
    }
    let (run, status) = (Calls::number(&mut f, calls.host.run), f.local());
    f.callp(&[status], run, calls.run, &[context, buffer]);
    let stopped = f.label("stopped");
    f.jump_if(status, stopped);
    let values: Vec<Reg> = results.iter().map(|_| f.local()).collect();
    for (nth, (&value, ty)) in values.iter().zip(results).enumerate() {
        f.load(access(ty.class()).0, value, buffer, at(nth));
    }
    let end = Calls::number(&mut f, calls.host.end);
    f.callp(&[], end, calls.end, &[context, buffer]);
    f.ret(&values);
    f.bind(stopped);
    let halted = Calls::number(&mut f, Host::HALTED);
    f.eq(halted, halted, status);
    let halt = f.label("halt");
    f.jump_if(halted, halt);
    f.trap();
    f.bind(halt);
    f.halt();
    f
}

/// Puts the arguments behind the first `fixed` into the buffer.
fn further(f: &mut FunctionBuilder, fixed: usize, buffer: Reg) {
    let (nth, one, word) = (f.local(), f.local(), f.local());
    let (place, value, more) = (f.local(), f.local(), f.local());
    f.const_i64(nth, i64::from(at(fixed) / WORD));
    f.const_i64(one, 1);
    f.const_i64(word, i64::from(WORD));
    f.const_i64(place, i64::from(at(fixed)));
    f.add(place, place, buffer);
    let (next, done) = (f.label("next"), f.label("done"));
    f.bind(next);
    f.less(more, nth, Reg::COUNT);
    f.jump_unless(more, done);
    f.add(nth, nth, one);
    f.arg(value, nth);
    f.store(access(Class::Int).1, value, place, 0);
    f.add(place, place, word);
    f.jump(next);
    f.bind(done);
}
