//! Random modules: the interpreter, machine code and another implementation agree on results, traps, memory and globals.
//!
//! Modules come from `wasm-smith`; the other implementation is `wasmi`, which shares no code with this one but the
//! validator. A module that runs out of stack, fuel apart, is compared up to there: how deep a stack is, is nobody's
//! promise.

use arbtest::arbitrary::Unstructured;
use spasm::engine::{Config, Engine, Tier};
use spasm::store::{Error, Linker, Store, Val};
use spasm::verified::Verified;

use super::{TIERS, module};

/// How many modules.
const MODULES: u64 = 400;
/// How many times each loop and call may go round in a module, all together.
const FUEL: u32 = 2000;

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
enum Came {
    /// Raw bits of the results; references are only null or not.
    Back(Vec<u64>),
    /// This trap, in the words of the WebAssembly test suite.
    Trapped(&'static str),
    /// Out of stack.
    Overflowed,
}

/// What a module did: how instantiating ended, what each exported function came to, and what memory and globals are then.
#[derive(Debug, Default, PartialEq)]
struct Did {
    calls: Vec<(String, Came)>,
    memory: Vec<u8>,
    globals: Vec<(String, u64)>,
}

/// Most modules that may trap do so before anything of them can be called: two of three may not.
fn config(seed: u64) -> wasm_smith::Config {
    wasm_smith::Config {
        min_funcs: 1,
        max_funcs: 12,
        max_imports: 0,
        max_memories: 1,
        max_instructions: 400,
        export_everything: true,
        canonicalize_nans: true,
        disallow_traps: !seed.is_multiple_of(3),
        memory_max_size_required: true,
        max_memory32_bytes: 4 << 16,
        table_max_size_required: true,
        max_table_elements: 100,
        bulk_memory_enabled: true,
        reference_types_enabled: true,
        exceptions_enabled: false,
        gc_enabled: false,
        tail_call_enabled: false,
        simd_enabled: false,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        extended_const_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        shared_everything_threads_enabled: false,
        ..wasm_smith::Config::default()
    }
}

/// A module of random bytes that a seed gives.
fn random(seed: u64) -> Option<Vec<u8>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    let noise: Vec<u8> = (0..6000).map(|_| next()).collect();
    let mut made = wasm_smith::Module::new(config(seed), &mut Unstructured::new(&noise)).ok()?;
    made.ensure_termination(FUEL).ok()?;
    Some(made.to_bytes())
}

/// An argument for each parameter, the same for every implementation.
fn argument(function: usize, nth: usize) -> u64 {
    const ODD: [u64; 7] =
        [0, 1, u64::MAX, 0x8000_0000, 0x7fff_ffff_ffff_ffff, 0x3ff0_0000_4048_f5c3, 0xc059_0000_c2c8_0000];
    ODD[(function * 3 + nth) % ODD.len()]
}

mod spasm_side {
    use super::{Came, Did, Engine, Error, Linker, Store, Val, Verified, argument};
    use spasm::isa::trap::TrapKind;
    use spasm::store::Extern;

    fn came(error: &Error) -> Came {
        let Error::Trap(trap) = error else { panic!("{error}") };
        match trap.kind {
            TrapKind::StackOverflow => Came::Overflowed,
            kind => Came::Trapped(super::words(kind)),
        }
    }

    fn bits(value: Val) -> u64 {
        match value {
            Val::FuncRef(func) => u64::from(func.is_some()),
            Val::ExternRef(one) => u64::from(one.is_some()),
            number => number.number().map_or(0, spasm::value::Value::bits),
        }
    }

    /// Runs all that a module exports.
    pub fn run(engine: &Engine, verified: &Verified) -> Did {
        let mut did = Did::default();
        let mut store = Store::new(engine, ());
        let instance = match Linker::new().instantiate(&mut store, verified) {
            Ok(instance) => instance,
            Err(error) => {
                did.calls.push((String::new(), came(&error)));
                return did;
            }
        };
        // `wasmi` tells them in another order.
        let mut exports: Vec<(String, Extern)> =
            instance.exports(&store).map(|export| (export.name().to_owned(), export.item())).collect();
        exports.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (number, (name, item)) in exports.iter().enumerate() {
            let Some(func) = item.into_func() else { continue };
            let ty = func.ty(&store);
            let arg = |(nth, &ty)| {
                if spasm::isa::op::Type::is_reference(ty) {
                    Val::zero(ty)
                } else {
                    spasm::value::Value::from_bits(ty, ty.normalise(argument(number, nth))).into()
                }
            };
            let args: Vec<Val> = ty.params.iter().enumerate().map(arg).collect();
            let mut results: Vec<Val> = ty.results.iter().map(|&ty| Val::zero(ty)).collect();
            let came = match func.call(&mut store, &args, &mut results) {
                Ok(()) => Came::Back(results.into_iter().map(bits).collect()),
                Err(error) => came(&error),
            };
            let over = came == Came::Overflowed;
            did.calls.push((name.clone(), came));
            if over {
                return did;
            }
        }
        for (name, item) in &exports {
            if let Some(memory) = item.into_memory() {
                did.memory = memory.data(&store).to_vec();
            }
            if let Some(global) = item.into_global() {
                did.globals.push((name.clone(), bits(global.get(&store))));
            }
        }
        did
    }
}

mod other_side {
    use super::{Came, Did, argument};
    use wasmi::{Engine, Error, Extern, Linker, Module, Store, TrapCode, Val};

    fn came(error: &Error) -> Came {
        match error.as_trap_code() {
            Some(TrapCode::StackOverflow) => Came::Overflowed,
            Some(code) => Came::Trapped(match code {
                TrapCode::UnreachableCodeReached => "unreachable",
                TrapCode::MemoryOutOfBounds => "out of bounds memory access",
                TrapCode::TableOutOfBounds => "out of bounds table access or undefined element",
                TrapCode::IndirectCallToNull => "uninitialized element",
                TrapCode::IntegerDivisionByZero => "integer divide by zero",
                TrapCode::IntegerOverflow => "integer overflow",
                TrapCode::BadConversionToInteger => "invalid conversion to integer",
                TrapCode::BadSignature => "indirect call type mismatch",
                other => panic!("{other:?}"),
            }),
            // Where a module cannot be instantiated, it says so in words.
            None if error.to_string().contains("out of bounds") || error.to_string().contains("segment") => {
                Came::Trapped("instantiation")
            }
            None => panic!("{error}"),
        }
    }

    fn bits(value: &Val) -> u64 {
        match value {
            Val::I32(x) => u64::from(x.cast_unsigned()),
            Val::I64(x) => x.cast_unsigned(),
            Val::F32(x) => u64::from(x.to_bits()),
            Val::F64(x) => x.to_bits(),
            Val::FuncRef(one) => u64::from(!one.is_null()),
            Val::ExternRef(one) => u64::from(!one.is_null()),
            Val::V128(_) => panic!("there are no vectors"),
        }
    }

    fn value(ty: wasmi::ValType, bits: u64) -> Val {
        match ty {
            wasmi::ValType::I32 => Val::I32(bits as i32),
            wasmi::ValType::I64 => Val::I64(bits as i64),
            wasmi::ValType::F32 => Val::F32(f32::from_bits(bits as u32).into()),
            wasmi::ValType::F64 => Val::F64(f64::from_bits(bits).into()),
            other => Val::default(other),
        }
    }

    /// Runs all that a module exports.
    pub fn run(bytes: &[u8]) -> Did {
        let engine = Engine::default();
        let mut did = Did::default();
        let module = Module::new(&engine, bytes).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
            Ok(instance) => instance,
            Err(error) => {
                did.calls.push((String::new(), came(&error)));
                return did;
            }
        };
        let mut exports: Vec<(String, Extern)> =
            instance.exports(&store).map(|export| (export.name().to_owned(), export.into_extern())).collect();
        exports.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (number, (name, item)) in exports.iter().enumerate() {
            let Extern::Func(func) = item else { continue };
            let ty = func.ty(&store);
            let args: Vec<Val> =
                ty.params().iter().enumerate().map(|(nth, &ty)| value(ty, argument(number, nth))).collect();
            let mut results: Vec<Val> = ty.results().iter().map(|&ty| Val::default(ty)).collect();
            let came = match func.call(&mut store, &args, &mut results) {
                Ok(()) => Came::Back(results.iter().map(bits).collect()),
                Err(error) => came(&error),
            };
            let over = came == Came::Overflowed;
            did.calls.push((name.clone(), came));
            if over {
                return did;
            }
        }
        for (name, item) in &exports {
            match item {
                Extern::Memory(memory) => did.memory = memory.data(&store).to_vec(),
                Extern::Global(global) => did.globals.push((name.clone(), bits(&global.get(&store)))),
                _ => {}
            }
        }
        did
    }
}

/// A trap as `wasmi` tells it apart.
fn words(kind: spasm::isa::trap::TrapKind) -> &'static str {
    use spasm::isa::trap::TrapKind;
    match kind {
        TrapKind::DivideByZero => "integer divide by zero",
        TrapKind::InvalidConversion => "invalid conversion to integer",
        TrapKind::OutOfBoundsTable | TrapKind::UndefinedElement => "out of bounds table access or undefined element",
        other => other.message(),
    }
}

/// Whether two implementations agree, as far as both had stack.
fn agree(one: &Did, other: &Did) -> bool {
    let over = |did: &Did| did.calls.iter().position(|(_, came)| *came == Came::Overflowed);
    match over(one).into_iter().chain(over(other)).min() {
        Some(calls) => one.calls[..calls] == other.calls[..calls],
        None => one == other,
    }
}

#[test]
fn interpreter_machine_code_and_another_implementation_agree_on_random_modules() {
    let engines = TIERS.map(|tier: Tier| Engine::new(Config { tier, ..Config::default() }));
    let (mut calls, mut traps, mut modules) = (0, 0, 0);
    for seed in 0..MODULES {
        let Some(bytes) = random(seed) else { continue };
        let verified: Verified = module(&bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let [interpreted, stitched] = [&engines[0], &engines[1]].map(|engine| spasm_side::run(engine, &verified));
        assert!(agree(&interpreted, &stitched), "seed {seed}:\n{interpreted:?}\n{stitched:?}");
        let mut other = other_side::run(&bytes);
        // Instantiation traps are told in words there.
        if let Some((_, came @ Came::Trapped("instantiation"))) = other.calls.first_mut() {
            *came = stitched.calls[0].1.clone();
        }
        assert!(agree(&stitched, &other), "seed {seed}:\n{stitched:?}\n{other:?}");
        modules += 1;
        calls += stitched.calls.len();
        traps += stitched.calls.iter().filter(|(_, came)| matches!(came, Came::Trapped(_))).count();
    }
    println!("{modules} modules, {calls} calls, {traps} of them trapped");
    assert!(modules > MODULES / 2 && traps > 0 && calls > traps, "{modules} modules, {calls} calls, {traps} traps");
}
