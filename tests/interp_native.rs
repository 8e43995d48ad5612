//! What the interpreter asks of whoever reaches C for it: here a made-up world, with no C in it.

use std::collections::HashMap;

use spasm::interp::native::{Call, Left, Lent, Native, View, World};
use spasm::interp::{self, Codes, Limits, Store};
use spasm::module::native::Target;
use spasm::streams::Streams;
use spasm::trap::{Outcome, RunError, Trap, TrapKind};
use spasm::verified::Verified;
use spasm::{text, verify};

/// Where memory of the made-up machine begins.
const BASE: u64 = 0xffff_0000_0000_0000;

/// A call as it was seen: address, signature, which further arguments are floats, arguments.
type Seen = (u64, u32, Vec<bool>, Vec<u64>);

/// A machine whose memory is a list of bytes, and whose functions do what the test says.
#[derive(Default)]
struct Machine {
    memory: Vec<u8>,
    addresses: HashMap<Target, u64>,
    seen: Vec<Seen>,
    /// The results of each call, or how else it ends.
    answers: Vec<Result<Vec<u64>, Option<RunError>>>,
    /// How many bytes of linear memory there are after each call, if that changes.
    grow_to: Option<usize>,
}

impl<'w> Native<'w> for Machine {
    fn address(&mut self, target: Target) -> u64 {
        self.addresses[&target]
    }

    fn load(&mut self, address: u64, bytes: &mut [u8]) {
        let at = usize::try_from(address.wrapping_sub(BASE)).unwrap();
        bytes.copy_from_slice(&self.memory[at..at + bytes.len()]);
    }

    fn store(&mut self, address: u64, bytes: &[u8]) {
        let at = usize::try_from(address.wrapping_sub(BASE)).unwrap();
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn call(&mut self, lent: Lent<'_, 'w>, call: &Call<'_>, results: &mut Vec<u64>) -> Result<Left, RunError> {
        self.seen.push((call.address, call.signature, call.further.to_vec(), call.args.to_vec()));
        if let Some(len) = self.grow_to {
            assert_eq!(lent.memory.grow(1), Some(1));
            assert_eq!(lent.memory.len(), len);
            lent.memory.store::<1>(len as u64 - 1, 0, 42).unwrap();
            lent.globals[0] += 1;
        }
        match self.answers.remove(0) {
            Ok(values) => {
                results.extend(values);
                Ok(Left::Returned)
            }
            Err(None) => Ok(Left::Halted),
            Err(Some(error)) => Err(error),
        }
    }
}

fn verified(source: &str) -> Verified {
    let module = text::parse("test.spasm", source).unwrap_or_else(|errors| panic!("{errors}"));
    verify::verify(module).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs the first function with two pages of linear memory, of which the program has one.
fn run(machine: &mut Machine, source: &str, args: &[u64]) -> (usize, Result<Outcome, RunError>) {
    let verified = verified(source);
    let codes = Codes::new(&verified);
    let mut streams = Streams::captured("").0;
    let (mut reserved, mut globals) = (vec![0; 131_072], vec![0; 4]);
    let memory = View::new(&mut reserved, 65_536, 2);
    let world = World { memory, globals: &mut globals, streams: &mut streams };
    interp::call_with_natives(&Limits::default(), (&verified, &codes), world, machine, 0, args)
}

fn results(machine: &mut Machine, source: &str, args: &[u64]) -> Vec<u64> {
    match run(machine, source, args).1 {
        Ok(Outcome::Returned(results)) => results,
        other => panic!("{other:?}"),
    }
}

fn trap(machine: &mut Machine, source: &str) -> Trap {
    match run(machine, source, &[]).1 {
        Err(RunError::Trap(trap)) => trap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_load_reads_and_widens_what_is_there() {
    let bytes: Vec<u8> = (0x81..0x91).collect();
    let mut machine = Machine { memory: bytes, ..Machine::default() };
    for (form, wanted) in [
        ("8s", 0xffff_ffff_ffff_ff84),
        ("8u", 0x84),
        ("16s", 0xffff_ffff_ffff_8584),
        ("16u", 0x8584),
        ("32s", 0xffff_ffff_8786_8584),
        ("32u", 0x8786_8584),
        ("i32", 0x8786_8584),
        ("i64", 0x8b8a_8988_8786_8584),
        ("f32", 0x8786_8584),
        ("f64", 0x8b8a_8988_8786_8584),
    ] {
        let ty = if form.starts_with('f') { form } else { "i64" };
        for (start, offset) in [(BASE + 3, 0), (BASE + 10, -7), (BASE - 4, 7), (BASE + 3 + (1 << 31), -(1i64 << 31))] {
            let source = format!("func f(i64) -> {ty}\n load.{form} r1, a1, {offset}\n ret r1");
            assert_eq!(results(&mut machine, &source, &[start]), [wanted], "{form} {offset}");
        }
    }
}

#[test]
fn every_store_writes_its_bytes_and_no_others() {
    for (form, width, ty) in [
        ("8", 1, "i64"),
        ("16", 2, "i64"),
        ("32", 4, "i64"),
        ("i32", 4, "i64"),
        ("i64", 8, "i64"),
        ("f32", 4, "f32"),
        ("f64", 8, "f64"),
    ] {
        let mut machine = Machine { memory: vec![0xee; 16], ..Machine::default() };
        let source = format!("func f(i64, {ty})\n store.{form} a2, a1, -1\n ret");
        let value = 0x1122_3344_5566_7788u64;
        results(&mut machine, &source, &[BASE + 5, value]);
        let mut wanted = vec![0xee; 16];
        wanted[4..4 + width].copy_from_slice(&value.to_le_bytes()[..width]);
        assert_eq!(machine.memory, wanted, "{form}");
    }
}

const CALLS: &str = "
extern \"\" printf(ptr, ...) -> i32
data text = \"text\\0\"
global calls i64 = 0
func f(i64, f64, f32) -> (i64, f32)
    addr r1, text
    addr r2, f
    call r3, printf, r1, a2, a1, r2
    callp (r4, r5), a1, \"win64\" (f32, i8) -> struct{i64, f32}, a3, a1
    call printf, r1
    add r4, r4, r3
    ret r4, r5
";

#[test]
fn calls_hand_over_arguments_and_take_results() {
    let addresses = HashMap::from([(Target::Extern(0), 1000), (Target::Data(0), 2000), (Target::Function(0), 3000)]);
    let answers = vec![Ok(vec![5]), Ok(vec![70, 0x3f80_0000]), Ok(vec![9])];
    let mut machine = Machine { addresses, answers, ..Machine::default() };
    let args = [u64::MAX, 2.5f64.to_bits(), u64::from(1.5f32.to_bits())];
    assert_eq!(results(&mut machine, CALLS, &args), [75, 0x3f80_0000]);
    let wanted: Vec<Seen> = vec![
        (1000, 0, vec![true, false, false], vec![2000, args[1], args[0], 3000]),
        (args[0], 1, vec![], vec![args[2], args[0]]),
        (1000, 0, vec![], vec![2000]),
    ];
    assert_eq!(machine.seen, wanted);
}

#[test]
fn what_changes_while_c_runs_is_seen() {
    let source = "memory 1 2\nglobal calls i64 = 0\nextern \"\" f()\nfunc main() -> (i64, i64, i64)\n call f\n msize r1\n \
                  const r2, 131071\n mload.8u r3, r2\n gget r4, calls\n ret r1, r3, r4";
    let addresses = HashMap::from([(Target::Extern(0), 1)]);
    let mut machine = Machine { addresses, answers: vec![Ok(vec![])], grow_to: Some(131_072), ..Machine::default() };
    let (len, result) = run(&mut machine, source, &[]);
    assert!(matches!(result, Ok(Outcome::Returned(values)) if values == [2, 42, 1]));
    assert_eq!(len, 131_072);
}

#[test]
fn calls_that_do_not_return_end_the_run() {
    let source = "extern \"\" f()\nfunc main\n call inner\n ret\nfunc inner\n call f\n ret";
    let machine = |answer| Machine {
        addresses: HashMap::from([(Target::Extern(0), 1)]),
        answers: vec![Err(answer)],
        ..Machine::default()
    };
    assert!(matches!(run(&mut machine(None), source, &[]).1, Ok(Outcome::Halted)));
    let own = Trap { kind: TrapKind::StackOverflow, frames: vec![], depth: 0 };
    let found = trap(&mut machine(Some(own.into())), source);
    assert_eq!(found.to_string(), "trap: stack overflow\n  at inner (test.spasm:6)\n  at main (test.spasm:3)");
    let inner = Trap::new(TrapKind::DivideByZero, verified(source).module(), [(1, 0)]);
    let found = trap(&mut machine(Some(inner.into())), source);
    let shown = "trap: divide by zero\n  at inner (test.spasm:6)\n  at inner (test.spasm:6)\n  at main (test.spasm:3)";
    assert_eq!((found.to_string().as_str(), found.depth), (shown, 3));
    let other = RunError::NoFunction(7);
    assert!(matches!(run(&mut machine(Some(other)), source, &[]).1, Err(RunError::NoFunction(7))));
}

#[test]
fn nobody_reaches_c_who_was_not_handed_the_means() {
    for line in ["addr r1, f", "call f", "callp r1, ()", "load r1, r2", "store.8 r1, r2"] {
        let verified = verified(&format!("extern \"\" f()\nfunc main\n {line}\n ret"));
        let mut store = Store::new(&verified).unwrap();
        let result = interp::call(&verified, &mut store, &mut Streams::captured("").0, 0, &[]);
        assert!(matches!(result, Err(RunError::NoNatives)), "{line}: {result:?}");
    }
}

#[test]
fn calls_of_c_count_as_jumps() {
    let verified = verified("extern \"\" f()\nfunc main\n call f\n call f\n ret");
    let codes = Codes::new(&verified);
    let mut streams = Streams::captured("").0;
    let addresses = HashMap::from([(Target::Extern(0), 1)]);
    let mut machine = Machine { addresses, ..Machine::default() };
    machine.answers.extend([Ok(vec![]), Ok(vec![])]);
    let world = World { memory: View::new(&mut [], 0, 0), globals: &mut [], streams: &mut streams };
    let limits = Limits { jumps: 1, ..Limits::default() };
    let (_, result) = interp::call_with_natives(&limits, (&verified, &codes), world, &mut machine, 0, &[]);
    assert!(matches!(result, Err(RunError::Trap(trap)) if trap.kind == TrapKind::Interrupted));
}
