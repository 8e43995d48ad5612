//! Arguments and results, globals, tables, memory and helpers.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

#[test]
fn arguments_and_results_reach_their_places() {
    let mut made = instance(
        "func identity(i64) -> i64\n\
         func stacked(i64, i64, i64, i64, i64, i64, i64, i64) -> (i64, i64, i64)\n\
         func mixed(f64, i64, f32) -> (f64, f32, i64)\n\
         func variadic(i64, i64, ...) -> i64\n",
    );
    assert_eq!(call(&mut made, "identity", &[u64::MAX]).unwrap(), [u64::MAX]);
    assert_eq!(call(&mut made, "stacked", &[1, 2, 3, 4, 5, 6, 70, 8]).unwrap(), [1, 6, 62]);
    let args = [1.5f64.to_bits(), 7, u64::from(0.25f32.to_bits())];
    assert_eq!(call(&mut made, "mixed", &args).unwrap(), [3.0f64.to_bits(), u64::from(0.5f32.to_bits()), 7]);
    assert_eq!(call(&mut made, "variadic", &[1, 2]).unwrap(), [4]);
    let many: Vec<u64> = (1..=255).collect();
    assert_eq!(call(&mut made, "variadic", &many).unwrap(), [255 + 255]);
}

#[test]
fn narrow_types_are_cut_on_both_ways() {
    let mut made = instance("func identity(i32) -> i32\n");
    assert_eq!(call(&mut made, "identity", &[0xffff_ffff_0000_0001]).unwrap(), [1]);
    let mut made = instance("func identity(i64) -> i32\n");
    assert_eq!(call(&mut made, "identity", &[0xffff_ffff_8000_0001]).unwrap(), [0x8000_0001]);
}

#[test]
#[should_panic(expected = "an instance that it was not taken from")]
fn a_function_belongs_to_its_instance() {
    let (one, mut other) = (instance("func identity(i64) -> i64\n"), instance("func identity(i64) -> i64\n"));
    let _ = other.call(&one.function(0).unwrap(), &[1], &mut [0]);
}

#[test]
fn globals_tables_and_memory_are_shared_with_code() {
    let mut made = instance(
        "global first i64 = 1\nglobal second i64 = 40\n\
         func bump.1(i64) -> i64\n\
         func identity(i64) -> i64\n\
         func through(i64) -> (i64, i64)\n\
         table t = [bump.1, identity]\n\
         memory 1 3\ninit 65534 = \"ab\"\n\
         func load.0(i64) -> i64\nfunc load.2147483640(i64) -> i64\nfunc store(i64, i64)\nfunc pages() -> i64\n",
    );
    assert_eq!(call(&mut made, "bump.1", &[2]).unwrap(), [42]);
    assert_eq!((made.global(0), made.global(1)), (1, 42));
    made.set_global(1, 1);
    assert_eq!(call(&mut made, "through", &[0]).unwrap(), [6, 0]);
    assert_eq!(call(&mut made, "through", &[1]).unwrap(), [5, 0]);
    assert_eq!(made.memory()[65534..], *b"ab");
    assert_eq!(call(&mut made, "load.0", &[65528]).unwrap(), [0x6261_0000_0000_0000]);
    call(&mut made, "store", &[8, 0x0102]).unwrap();
    assert_eq!(made.memory()[8..10], [2, 1]);
    made.memory_mut()[9] = 7;
    assert_eq!(call(&mut made, "load.0", &[8]).unwrap(), [0x0702]);
    assert_eq!(call(&mut made, "pages", &[]).unwrap(), [1]);
}

#[test]
fn helpers_grow_copy_and_fill() {
    let mut made = instance(
        "memory 1 3\nfunc value.mgrow(i64) -> i32\nfunc helper.mfill(i64, i64, i64)\nfunc helper.mcopy(i64, i64, i64)\n\
         func pages() -> i64\nfunc load.0(i64) -> i64\n",
    );
    assert_eq!(call(&mut made, "value.mgrow", &[2]).unwrap(), [1]);
    assert_eq!(call(&mut made, "value.mgrow", &[1]).unwrap(), [0xffff_ffff]);
    assert_eq!(call(&mut made, "value.mgrow", &[0xffff_ffff]).unwrap(), [0xffff_ffff]);
    assert_eq!(call(&mut made, "pages", &[]).unwrap(), [3]);
    assert_eq!(made.memory().len(), 3 << 16);
    assert_eq!(call(&mut made, "load.0", &[(3 << 16) - 8]).unwrap(), [0]);
}

#[test]
fn printing_and_reading_use_the_streams() {
    let text = "func helper.print_i64(i64)\nfunc helper.print_f64(f64)\nfunc helper.print_f32(f32)\n\
                func reader.read_i64() -> i64\nfunc reader.read_f32() -> i64\nfunc reader.read_f64() -> i64\n";
    let (mut made, captured) = captured(text, "-5 0.5 2.5 x");
    call(&mut made, "helper.print_i64", &[-7i64 as u64]).unwrap();
    assert_eq!(captured.text(), "-7\n");
    call(&mut made, "helper.print_f64", &[1e300f64.to_bits()]).unwrap();
    call(&mut made, "helper.print_f32", &[u64::from(0.1f32.to_bits())]).unwrap();
    assert_eq!(captured.text(), "-7\n1e300\n0.1\n");
    assert_eq!(call(&mut made, "reader.read_i64", &[]).unwrap(), [-5i64 as u64]);
    assert_eq!(call(&mut made, "reader.read_f32", &[]).unwrap(), [u64::from(0.5f32.to_bits())]);
    assert_eq!(call(&mut made, "reader.read_f64", &[]).unwrap(), [2.5f64.to_bits()]);
    let error = call(&mut made, "reader.read_i64", &[]).unwrap_err();
    assert_eq!(error.to_string(), "read: expected an integer on standard input: `x` is not an integer");
    let error = call(&mut made, "reader.read_f64", &[]).unwrap_err();
    assert_eq!(error.to_string(), "read: expected an f64 number on standard input, found its end");
}

#[test]
fn halt_ends_with_success() {
    let mut made = instance("func halt() -> i64\n");
    let halt = made.function(0).unwrap();
    assert_eq!(made.call(&halt, &[], &mut [0]).unwrap(), Ended::Halted);
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("disk full"))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Bad(u32);

impl io::Read for Bad {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 += 1;
        assert_ne!(self.0, 1, "a bad reader");
        io::Read::read(&mut &b"5 "[..], buffer)
    }
}

#[test]
fn failures_of_the_host_come_out_of_the_call() {
    let mut made = instance("func helper.print_i64(i64)\nfunc reader.read_i64() -> i64\n");
    made.set_streams(Streams::new(Box::new(Full), Box::new(io::BufReader::new(Bad(0)))));
    let error = call(&mut made, "helper.print_i64", &[2]).unwrap_err();
    assert_eq!(error.to_string(), "standard output cannot be written: disk full");
    let panic = catch_unwind(AssertUnwindSafe(|| call(&mut made, "reader.read_i64", &[]))).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("a bad reader"));
    assert_eq!(call(&mut made, "reader.read_i64", &[]).unwrap(), [5]);
}

/// Calls another instance from the reader of the first.
struct Nested(Instance, usize);

impl io::Read for Nested {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let text = match self.1 {
            0 => call(&mut self.0, "identity", &[42]).unwrap()[0].to_string(),
            1 => match trap(&mut self.0, "divide", &[1, 0]) {
                (TrapKind::DivideByZero, _) => " 7".to_owned(),
                other => panic!("{other:?}"),
            },
            2 => trap(&mut self.0, "unreachable", &[]).1.len().to_string(),
            _ => return Ok(0),
        };
        self.1 += 1;
        let text = format!("{text} ");
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[test]
fn calls_nest() {
    let inner = instance(EVERYTHING);
    let mut outer = instance("func reader.read_i64() -> i64\nfunc divide(i64, i64) -> i64\n");
    let input = io::BufReader::with_capacity(64, Nested(inner, 0));
    outer.set_streams(Streams::new(Box::new(io::sink()), Box::new(input)));
    assert_eq!(call(&mut outer, "reader.read_i64", &[]).unwrap(), [42]);
    assert_eq!(call(&mut outer, "reader.read_i64", &[]).unwrap(), [7]);
    let report = "trap: unreachable\n  at unreachable (test.spasm:6)";
    assert_eq!(call(&mut outer, "reader.read_i64", &[]).unwrap(), [report.len() as u64]);
    call(&mut outer, "reader.read_i64", &[]).unwrap_err();
    assert_eq!(trap(&mut outer, "divide", &[1, 0]).0, TrapKind::DivideByZero);
}

/// Calls another instance while being read, which does the same, and so on.
struct Chain(Option<Box<Instance>>);

impl io::Read for Chain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.0 else { return io::Read::read(&mut &b"0"[..], buffer) };
        let text = match call(inner, "reader.read_i64", &[]) {
            Ok(depth) => (depth[0] + 1).to_string() + " ",
            Err(error) => return Err(io::Error::other(error)),
        };
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[test]
fn calls_nest_deep_but_not_for_ever() {
    let runtime = Runtime::new(ArenaSize { code: 1 << 20, data: 1 << 20 }).unwrap();
    let chain = |depth: usize| {
        let mut last: Option<Box<Instance>> = None;
        for _ in 0..depth {
            let mut made = instance_on(&runtime, "func reader.read_i64() -> i64\n").unwrap();
            let input = io::BufReader::with_capacity(8, Chain(last.take()));
            made.set_streams(Streams::new(Box::new(io::sink()), Box::new(input)));
            last = Some(Box::new(made));
        }
        call(&mut last.unwrap(), "reader.read_i64", &[])
    };
    assert_eq!(chain(20).unwrap(), [19]);
    let error = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        thread.spawn_scoped(scope, || chain(300).unwrap_err().to_string()).unwrap().join().unwrap()
    });
    assert!(error.contains("cannot nest another call of an instance in those in progress"), "{error}");
    assert_eq!(chain(3).unwrap(), [2]);
}
