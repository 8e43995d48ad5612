//! The example: it does what its head says, with its opcode as without.

use std::time::Instant;

use spasm::isa::snippet::Features;
use spasm::library::native_features;
use spasm::snippets::Loaded;
use spasm::text;
use spasm::value::Value;

use super::{engines, load, path, verified};

fn example() -> Option<(Loaded, String)> {
    let needs = Features::ALL.iter().find(|(name, _)| *name == "sse4.2").map_or(0, |(_, bit)| *bit);
    let loaded = load(&[path("examples/custom")]).unwrap_or_else(|errors| panic!("{errors}"));
    let source = std::fs::read_to_string(path("examples/custom/crc32c.spasm")).unwrap();
    text::parse_with("crc32c.spasm", &source, &loaded.snippets.opcodes()).unwrap_or_else(|errors| panic!("{errors}"));
    native_features().has(needs).then_some((loaded, source))
}

#[test]
fn both_ways_give_the_same_on_every_tier() {
    let Some((loaded, source)) = example() else { return };
    let verified = verified(&source, loaded.snippets);
    let [interpreter, native, _] = engines(loaded.snippets);
    for n in [0, 1, 2, 3, 100, 4096] {
        let mut results = Vec::new();
        for (_, engine) in [&interpreter, &native] {
            for function in ["main", "plain"] {
                let mut instance = engine.instantiate(&verified).unwrap();
                results.push(instance.call(function, &[Value::I64(n)]).unwrap());
            }
        }
        assert!(results.iter().all(|result| *result == results[0]), "{n}: {results:?}");
    }
}

#[test]
fn the_head_says_what_it_prints() {
    let Some((loaded, source)) = example() else { return };
    let verified = verified(&source, loaded.snippets);
    let lines: Vec<&str> = source.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    let mut sessions = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("$ spasm run ")) {
        let begin = "$ spasm run --snippets examples/custom examples/custom/crc32c.spasm ";
        let words: Vec<&str> = line.strip_prefix(begin).expect(line).split(' ').collect();
        let (function, arg) = if words[0] == "-f" { (words[1], words[2]) } else { ("main", words[0]) };
        for (name, engine) in &engines(loaded.snippets)[..2] {
            let mut instance = engine.instantiate(&verified).unwrap();
            let found = instance.call(function, &[Value::I64(arg.parse().unwrap())]).unwrap();
            assert_eq!(found[0].to_string(), lines[at + 1], "{name}");
        }
        sessions += 1;
    }
    assert_eq!(sessions, 2);
}

#[test]
fn both_ways_give_the_same_and_the_opcode_needs_less_code() {
    let Some((loaded, source)) = example() else { return };
    let verified = verified(&source, loaded.snippets);
    let [_, (_, engine), _] = engines(loaded.snippets);
    let image = engine.stitch(&verified).unwrap();
    let bytes = |name: &str| {
        let made = &image.functions[verified.module().function_index(name).unwrap() as usize];
        made.end - made.entry
    };
    assert!(bytes("checksum") < bytes("checksum_plain"), "what stands in the loop is shorter");
    let mut instance = engine.instantiate(&verified).unwrap();
    let mut timed = |function: &str| {
        let start = Instant::now();
        let result = instance.call(function, &[Value::I64(4096), Value::I64(50)]).unwrap();
        (result, start.elapsed())
    };
    let ((own, fast), (plain, slow)) = (timed("repeat"), timed("repeat_plain"));
    assert_eq!(own, plain);
    println!("{fast:?} with the opcode, {slow:?} without");
}
