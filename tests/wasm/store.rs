//! Stores, linkers and what instances share, as a host uses them: the same on every tier.

use std::fmt;

use spasm::engine::Engine;
use spasm::isa::op::Type;
use spasm::module::Signature;
use spasm::store::{Caller, Error, Exit, Extern, ExternRef, Func, Global, Instance, Linker, Memory, Store, Table, Val};
use spasm::trap::TrapKind;

use crate::{TIERS, engine, module};

/// An instance of WebAssembly text.
fn instance<T>(store: &mut Store<T>, linker: &Linker<T>, text: &str) -> Result<Instance, Error> {
    linker.instantiate(store, &module(text).unwrap())
}

/// Does the same on every tier.
fn everywhere(work: impl Fn(&Engine)) {
    for engine in &TIERS.map(engine) {
        work(engine);
    }
}

#[derive(Debug, PartialEq)]
struct OutOfInk(u32);

impl fmt::Display for OutOfInk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no ink after {} lines", self.0)
    }
}

impl std::error::Error for OutOfInk {}

const PRINTER: &str = r#"
(module
  (import "host" "print" (func $print (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "one line")
  (func (export "print_one") (call $print (i32.const 16) (i32.const 8)))
  (func $again (export "print_on") (call $print (i32.const 16) (i32.const 3)) (call $again)))
"#;

#[test]
fn host_functions_reach_the_memory_of_their_caller_and_the_data_of_the_store() {
    everywhere(|engine| {
        let mut linker = Linker::<Vec<String>>::new();
        let print = |mut caller: Caller<'_, Vec<String>>, at: u32, len: u32| {
            let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("it is exported");
            let (bytes, lines) = memory.data_and_store_mut(&mut caller);
            if lines.len() == 3 {
                return Err(OutOfInk(3));
            }
            let text = &mut bytes[at as usize..][..len as usize];
            lines.push(String::from_utf8_lossy(text).into_owned());
            text.make_ascii_uppercase();
            Ok(())
        };
        linker.func_wrap("host", "print", print).unwrap();
        let mut store = Store::new(engine, Vec::new());
        let printer = instance(&mut store, &linker, PRINTER).unwrap();
        printer.get_typed_func::<(), ()>(&store, "print_one").unwrap().call(&mut store, ()).unwrap();
        let endless = printer.get_func(&store, "print_on").unwrap();
        let error = endless.call(&mut store, &[], &mut []).unwrap_err();
        assert_eq!(error.to_string(), "no ink after 3 lines");
        assert_eq!(error.downcast_ref(), Some(&OutOfInk(3)));
        assert_eq!(error.downcast::<OutOfInk>().unwrap(), OutOfInk(3));
        assert_eq!(store.data(), &["one line", "ONE", "ONE"]);
        let memory = printer.get_memory(&store, "memory").unwrap();
        assert_eq!(&memory.data(&store)[16..24], b"ONE LINE");
    });
}

#[test]
fn what_ends_a_host_function_ends_the_call() {
    everywhere(|engine| {
        let text = r#"
            (module
              (import "host" "end" (func $end (param i32) (result i32)))
              (func (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $end (local.get 0)))))
        "#;
        let mut linker = Linker::<()>::new();
        let end = |how: i32| match how {
            0 => Ok(41),
            1 => Err(Error::from(spasm::trap::Trap { kind: TrapKind::Unreachable, frames: Vec::new(), depth: 0 })),
            2 => Err(Error::Exit(7)),
            3 => panic!("a host in panic"),
            _ => Err(Error::Host("a text".into())),
        };
        linker.func_wrap("host", "end", end).unwrap();
        let mut store = Store::new(engine, ());
        let made = instance(&mut store, &linker, text).unwrap();
        let f = made.get_typed_func::<i32, i32>(&store, "f").unwrap();
        assert_eq!(f.call(&mut store, 0).unwrap(), 42);
        let trap = f.call(&mut store, 1).unwrap_err();
        assert_eq!(
            (trap.trap(), trap.to_string().as_str()),
            (Some(TrapKind::Unreachable), "trap: unreachable\n  at f")
        );
        assert_eq!(f.call(&mut store, 2).unwrap_err().exit_code(), Some(7));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f.call(&mut store, 3))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a host in panic"));
        assert_eq!(f.call(&mut store, 4).unwrap_err().to_string(), "a text");
        assert_eq!(f.call(&mut store, 0).unwrap(), 42);
        let mut linker = Linker::<()>::new();
        linker.func_wrap("host", "end", |code: i32| -> Result<i32, Exit> { Err(Exit(code)) }).unwrap();
        let made = instance(&mut store, &linker, text).unwrap();
        let f = made.get_typed_func::<i32, i32>(&store, "f").unwrap();
        assert_eq!(f.call(&mut store, 0).unwrap_err().exit_code(), Some(0));
        assert_eq!(f.call(&mut store, -1).unwrap_err().exit_code(), Some(-1));
    });
}

/// A function that calls the host, which calls it again.
const RETURNING: &str = r#"
(module
  (import "host" "again" (func $again (param i32) (result i32)))
  (global $depth (export "depth") (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (func (export "sum") (param i32) (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.store (i32.const 64) (local.get 0))
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (i32.add (local.get 0) (call $again (i32.sub (local.get 0) (i32.const 1)))))))
  (func (export "share") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.div_u (i32.const 1) (i32.const 0)))
      (else (call $again (i32.sub (local.get 0) (i32.const 1)))))))
"#;

#[test]
fn host_functions_call_back() {
    everywhere(|engine| {
        let mut linker = Linker::<&str>::new();
        let again = |mut caller: Caller<'_, &'static str>, n: i32| {
            let name = *caller.data();
            let func = caller.get_export(name).and_then(Extern::into_func).expect("it is exported");
            func.typed::<i32, i32>(&caller)?.call(&mut caller, n)
        };
        linker.func_wrap("host", "again", again).unwrap();
        let mut store = Store::new(engine, "sum");
        let made = instance(&mut store, &linker, RETURNING).unwrap();
        let sum = made.get_typed_func::<i32, i32>(&store, "sum").unwrap();
        assert_eq!(sum.call(&mut store, 20).unwrap(), 210);
        assert_eq!(made.get_global(&store, "depth").unwrap().get(&store), Val::I32(21));
        assert_eq!(sum.call(&mut store, 1_000_000).unwrap_err().trap(), Some(TrapKind::StackOverflow));
        assert_eq!(sum.call(&mut store, 3).unwrap(), 6);
        *store.data_mut() = "share";
        let share = made.get_typed_func::<i32, i32>(&store, "share").unwrap();
        let trap = share.call(&mut store, 2).unwrap_err().to_string();
        assert_eq!(trap, "trap: divide by zero\n  at share\n  at share\n  at share");
    });
}

#[test]
fn instances_share_what_they_export() {
    everywhere(|engine| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let first = r#"
            (module
              (memory (export "memory") 1 4)
              (global (export "count") (mut i64) (i64.const 5))
              (global (export "one") i32 (i32.const 1))
              (table (export "table") 4 funcref)
              (elem (i32.const 1) $double)
              (func $double (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
              (func (export "pages") (result i32) (memory.size))
              (func (export "trap") (i32.store (i32.const -1) (i32.const 0))))
        "#;
        let second = r#"
            (module
              (import "first" "memory" (memory 1))
              (import "first" "count" (global $count (mut i64)))
              (import "first" "one" (global $one i32))
              (import "first" "table" (table 2 funcref))
              (import "first" "double" (func $double (param i32) (result i32)))
              (import "first" "trap" (func $trap))
              (memory (export "none") 0)
              (type $one (func (param i32) (result i32)))
              (func $triple (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
              (elem (global.get $one) func $double)
              (elem (i32.const 2) func $triple)
              (func (export "both") (param i32) (result i32)
                (global.set $count (i64.add (global.get $count) (i64.const 1)))
                (i32.store (i32.const 8) (call $double (local.get 0)))
                (i32.load (i32.const 8)))
              (func (export "through") (param i32 i32) (result i32)
                (call_indirect (type $one) (local.get 1) (local.get 0)))
              (func (export "grow") (result i32) (memory.grow (i32.const 2)))
              (func (export "trapping") (call $trap)))
        "#
        .replace("(memory (export \"none\") 0)", "");
        let made = instance(&mut store, &linker, first).unwrap();
        linker.instance(&store, "first", made).unwrap();
        let other = instance(&mut store, &linker, &second).unwrap();
        let call = |store: &mut Store<()>, of: Instance, name: &str, args: &[Val]| {
            let func = of.get_func(&*store, name).unwrap();
            let mut results = vec![Val::I32(0); func.ty(&*store).results.len()];
            func.call(store, args, &mut results).map(|()| results)
        };
        assert_eq!(call(&mut store, other, "both", &[Val::I32(21)]).unwrap(), [Val::I32(42)]);
        assert_eq!(made.get_global(&store, "count").unwrap().get(&store), Val::I64(6));
        let memory = made.get_memory(&store, "memory").unwrap();
        assert_eq!(memory.data(&store)[8], 42);
        for (index, wanted) in [(1, 10), (2, 15)] {
            let args = [Val::I32(index), Val::I32(5)];
            assert_eq!(call(&mut store, other, "through", &args).unwrap(), [Val::I32(wanted)]);
        }
        for (index, kind) in [(3, TrapKind::UninitializedElement), (4, TrapKind::UndefinedElement)] {
            let args = [Val::I32(index), Val::I32(5)];
            assert_eq!(call(&mut store, other, "through", &args).unwrap_err().trap(), Some(kind));
        }
        assert_eq!(call(&mut store, other, "grow", &[]).unwrap(), [Val::I32(1)]);
        assert_eq!(call(&mut store, made, "pages", &[]).unwrap(), [Val::I32(3)]);
        assert_eq!((memory.size(&store), memory.grow(&mut store, 1), memory.grow(&mut store, 1)), (3, Some(3), None));
        let trap = call(&mut store, other, "trapping", &[]).unwrap_err().to_string();
        assert_eq!(trap, "trap: out of bounds memory access\n  at trap\n  at trapping");
    });
}

#[test]
fn what_cannot_be_linked_is_named() {
    everywhere(|engine| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::<()>::new();
        linker.func_wrap("host", "f", |x: i32| x).unwrap();
        let memory = Memory::new(&mut store, 1, Some(2)).unwrap();
        let table = Table::new(&mut store, 3, None, Val::FuncRef(None)).unwrap();
        let global = Global::new(&mut store, Val::F64(1.5), true);
        linker.define("host", "m", memory).unwrap().define("host", "t", table).unwrap();
        linker.define("host", "g", global).unwrap();
        let error = linker.func_wrap("host", "f", || ()).unwrap_err();
        let defined = "`host` `f` is defined already; `Linker::allow_shadowing` lets a later definition take its place";
        assert_eq!(error.to_string(), defined);
        let refused = |import: &str, wanted: &str| {
            let text = format!("(module (import \"host\" {import}))");
            let mut store = Store::new(engine, ());
            let mut empty = Linker::<()>::new();
            let missing = instance(&mut store, empty.allow_shadowing(true), &text).unwrap_err().to_string();
            assert!(missing.contains("unknown import: `host`"), "{missing}");
            wanted.to_owned()
        };
        let cases = [
            (
                r#""f" (func (param i64) (result i32))"#,
                "`f` is to be a function (i64) -> i32, and is a function (i32) -> i32",
            ),
            (r#""m" (func)"#, "`m` is to be a function (), and is a memory of 1 page, growing to 2 at most"),
            (r#""f" (memory 1)"#, "`f` is to be a memory of 1 page, and is a function (i32) -> i32"),
            (
                r#""m" (memory 2 2)"#,
                "`m` is to be a memory of 2 pages, growing to 2 at most, and is a memory of 1 page, growing to 2 at most",
            ),
            (
                r#""t" (table 3 9 funcref)"#,
                "`t` is to be a table of funcref with 3 elements, growing to 9 at most, and is a table of funcref with 3 elements",
            ),
            (
                r#""t" (table 3 externref)"#,
                "`t` is to be a table of externref with 3 elements, and is a table of funcref with 3 elements",
            ),
            (r#""g" (global f64)"#, "`g` is to be a constant global of type f64, and is a global of type f64"),
        ];
        for (import, wanted) in cases {
            let text = format!("(module (import \"host\" {import}))");
            let error = instance(&mut store, &linker, &text).unwrap_err().to_string();
            assert_eq!(error, format!("test.wat: incompatible import type: `host` {}", refused(import, wanted)));
        }
    });
}

#[test]
fn references_pass_through() {
    everywhere(|engine| {
        let text = r#"
            (module
              (import "host" "length" (func $length (param externref) (result i32)))
              (table $kept (export "kept") 2 externref)
              (table $functions (export "functions") 2 funcref)
              (type $unary (func (param i32) (result i32)))
              (func (export "keep") (param i32 externref) (table.set $kept (local.get 0) (local.get 1)))
              (func (export "kept_at") (param i32) (result externref) (table.get $kept (local.get 0)))
              (func (export "measure") (param externref) (result i32)
                (if (result i32) (ref.is_null (local.get 0))
                  (then (i32.const -1))
                  (else (call $length (local.get 0)))))
              (func (export "apply") (param funcref i32) (result i32)
                (table.set $functions (i32.const 1) (local.get 0))
                (call_indirect $functions (type $unary) (local.get 1) (i32.const 1)))
              (func $square (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
              (elem declare func $square)
              (func (export "squaring") (result funcref) (ref.func $square)))
        "#;
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let length = |caller: Caller<'_, ()>, text: Option<ExternRef>| {
            let text = text.ok_or("null")?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                text.data(&caller).downcast_ref::<String>().ok_or("no text")?.len() as i32,
            )
        };
        linker.func_wrap("host", "length", length).unwrap();
        let made = instance(&mut store, &linker, text).unwrap();
        let word = ExternRef::new(&mut store, "seven!!".to_owned());
        let number = ExternRef::new(&mut store, 12u8);
        let measure = made.get_typed_func::<Option<ExternRef>, i32>(&store, "measure").unwrap();
        assert_eq!(measure.call(&mut store, Some(word)).unwrap(), 7);
        assert_eq!(measure.call(&mut store, None).unwrap(), -1);
        assert_eq!(measure.call(&mut store, Some(number)).unwrap_err().to_string(), "no text");
        let keep = made.get_typed_func::<(i32, Option<ExternRef>), ()>(&store, "keep").unwrap();
        keep.call(&mut store, (1, Some(word))).unwrap();
        let kept = made.get_table(&store, "kept").unwrap();
        assert_eq!((kept.get(&store, 0), kept.get(&store, 2)), (Some(Val::ExternRef(None)), None));
        assert_eq!(kept.get(&store, 1), Some(word.into()));
        kept.set(&mut store, 0, number.into()).unwrap();
        let kept_at = made.get_typed_func::<i32, Option<ExternRef>>(&store, "kept_at").unwrap();
        assert_eq!(kept_at.call(&mut store, 0).unwrap(), Some(number));
        *number.data_mut(&mut store).downcast_mut::<u8>().unwrap() += 1;
        assert_eq!(number.data(&store).downcast_ref::<u8>(), Some(&13));
        // Functions: the module's own, one of the host's, and one with another signature.
        let apply = made.get_typed_func::<(Option<Func>, i32), i32>(&store, "apply").unwrap();
        let squaring = made.get_typed_func::<(), Option<Func>>(&store, "squaring").unwrap();
        let square = squaring.call(&mut store, ()).unwrap().unwrap();
        assert_eq!(apply.call(&mut store, (Some(square), 9)).unwrap(), 81);
        assert_eq!(square.typed::<i32, i32>(&store).unwrap().call(&mut store, 5).unwrap(), 25);
        let add = Func::wrap(&mut store, |x: i32| x + 100).unwrap();
        assert_eq!(apply.call(&mut store, (Some(add), 9)).unwrap(), 109);
        let functions = made.get_table(&store, "functions").unwrap();
        assert_eq!(functions.get(&store, 1), Some(add.into()));
        let other = Func::wrap(&mut store, |x: i64| x).unwrap();
        let error = apply.call(&mut store, (Some(other), 9)).unwrap_err();
        assert_eq!(error.trap(), Some(TrapKind::IndirectCallTypeMismatch));
        let error = apply.call(&mut store, (None, 9)).unwrap_err();
        assert_eq!(error.trap(), Some(TrapKind::UninitializedElement));
        assert_eq!(functions.grow(&mut store, 3, add.into()).unwrap(), Some(2));
        assert_eq!((functions.size(&store), functions.get(&store, 4)), (5, Some(add.into())));
        let error = functions.set(&mut store, 0, word.into()).unwrap_err();
        assert_eq!(error.to_string(), "the element is funcref, not externref");
    });
}

#[test]
fn dynamic_values() {
    everywhere(|engine| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let signature = Signature::new([Type::I32, Type::F64], [Type::F64, Type::I64]);
        let swap = |_: Caller<'_, ()>, args: &[Val], results: &mut [Val]| -> Result<(), Error> {
            results[0] = args[1];
            results[1] = if args[0] == Val::I32(0) { Val::F32(0.0) } else { Val::I64(-1) };
            Ok(())
        };
        linker.func_new("host", "swap", signature, swap).unwrap();
        let text = r#"
            (module
              (import "host" "swap" (func $swap (param i32 f64) (result f64 i64)))
              (func (export "f") (param i32 f64) (result f64 i64) (call $swap (local.get 0) (local.get 1))))
        "#;
        let made = instance(&mut store, &linker, text).unwrap();
        let f = made.get_func(&store, "f").unwrap();
        let mut results = [Val::I32(0), Val::I32(0)];
        f.call(&mut store, &[Val::I32(3), Val::F64(2.5)], &mut results).unwrap();
        assert_eq!(results, [Val::F64(2.5), Val::I64(-1)]);
        let error = f.call(&mut store, &[Val::I32(0), Val::F64(2.5)], &mut results).unwrap_err();
        assert_eq!(error.to_string(), "the result of a function of the host is i64, not f32");
        let error = f.call(&mut store, &[Val::I32(0)], &mut results).unwrap_err();
        assert_eq!(error.to_string(), "the function is (i32, f64) -> (f64, i64), and was called with (i32)");
        let error = made.get_typed_func::<i32, i32>(&store, "f").unwrap_err();
        assert_eq!(error.to_string(), "`f` is (i32, f64) -> (f64, i64), not (i32) -> i32");
        let error = made.get_typed_func::<i32, i32>(&store, "g").unwrap_err();
        assert_eq!(error.to_string(), "the instance exports no function `g`");
    });
}

#[test]
fn an_instance_that_cannot_start_leaves_what_it_did() {
    everywhere(|engine| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let shared = r#"
            (module
              (table (export "table") 4 funcref)
              (memory (export "memory") 1)
              (type $answer (func (result i32)))
              (func (export "call") (param i32) (result i32) (call_indirect (type $answer) (local.get 0))))
        "#;
        let made = instance(&mut store, &linker, shared).unwrap();
        linker.instance(&store, "shared", made).unwrap();
        let rest = |rest: &str| {
            format!(
                r#"(module
                  (import "shared" "table" (table 4 funcref))
                  (import "shared" "memory" (memory 1))
                  (global $x i32 (i32.const 40))
                  (func $answer (result i32) (i32.add (global.get $x) (i32.const 2)))
                  (elem (i32.const 2) func $answer)
                  {rest})"#
            )
        };
        let error =
            instance(&mut store, &linker, &rest("(elem (i32.const 4) func $answer) (data (i32.const 0) \"a\")"));
        assert_eq!(error.unwrap_err().trap(), Some(TrapKind::OutOfBoundsTable));
        let call = made.get_typed_func::<i32, i32>(&store, "call").unwrap();
        assert_eq!(call.call(&mut store, 2).unwrap(), 42);
        let memory = made.get_memory(&store, "memory").unwrap();
        assert_eq!(memory.data(&store)[0], 0);
        let data = r#"(data (i32.const 0) "b") (data (i32.const 65536) "c")"#;
        let error = instance(&mut store, &linker, &rest(data)).unwrap_err();
        assert_eq!((error.trap(), memory.data(&store)[0]), (Some(TrapKind::OutOfBoundsMemory), b'b'));
        let start = "(func $start (i32.store8 (i32.const 1) (i32.const 9)) unreachable) (start $start)";
        let error = instance(&mut store, &linker, &rest(start)).unwrap_err();
        assert_eq!(error.to_string(), "trap: unreachable\n  at start");
        assert_eq!(memory.data(&store)[1], 9);
    });
}

#[test]
fn memory_is_read_and_written() {
    everywhere(|engine| {
        let mut store = Store::new(engine, 5u8);
        let memory = Memory::new(&mut store, 1, None).unwrap();
        memory.write(&mut store, 65_534, &[1, 2]).unwrap();
        let mut found = [0; 2];
        memory.read(&store, 65_534, &mut found).unwrap();
        assert_eq!(found, [1, 2]);
        let error = memory.write(&mut store, 65_535, &[1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "the memory ends at 65536: there is no 65537");
        assert!(memory.read(&store, usize::MAX, &mut found).is_err());
        memory.data_mut(&mut store)[0] = 7;
        let (bytes, data) = memory.data_and_store_mut(&mut store);
        (bytes[1], *data) = (bytes[0], 6);
        assert_eq!((&memory.data(&store)[..2], *store.data()), (&[7, 7][..], 6));
    });
}

#[test]
fn stores_keep_to_themselves() {
    fn is_send<T: Send>(_: &T) {}
    let mut one = Store::new(&Engine::default(), 1u8);
    let mut other = Store::new(&Engine::default(), 2u8);
    is_send(&one);
    let linker = Linker::<u8>::new();
    let text = r#"(module (func (export "f") (result i32) (i32.const 1)))"#;
    let made = instance(&mut one, &linker, text).unwrap();
    let f = made.get_typed_func::<(), i32>(&one, "f").unwrap();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f.call(&mut other, ())));
    assert_eq!(found.unwrap_err().downcast_ref(), Some(&"something of one store is used with another"));
    let moved = std::thread::spawn(move || f.call(&mut one, ()).unwrap()).join().unwrap();
    assert_eq!(moved, 1);
}

#[test]
fn an_instance_without_a_store_is_refused() {
    let verified = module(r#"(module (func (export "f")))"#).unwrap();
    everywhere(|engine| {
        let error = engine.instantiate(&verified).unwrap_err().to_string();
        let wanted = "the module exports `f`, so that it needs a store: see `spasm::store::Linker::instantiate`";
        assert_eq!(error, wanted);
    });
}
