//! gdb sees functions, lines and frames: in a linked program and in code in memory.

use std::fs;

use crate::tools::{SPASM, build, folder, has, output, run};

const SOURCE: &str = "
func start(i64, i64) -> i64
    add r1, a1, a2
    call r2, share, r1, a2
    add r2, r2, r1
    ret r2
func share(i64, i64) -> i64
    div r1, a1, a2
    ret r1
";

const PROGRAM: &str = "
#include \"start.h\"
static int64_t from_c(int64_t x) { return start(x, 0); }
int main(void) { return (int)from_c(7); }
";

/// What gdb says to these commands, in one run.
fn gdb(folder: &std::path::Path, commands: &[&str], program: &[&str]) -> String {
    let mut args = vec!["-nx", "-batch", "-ex", "set width 0", "-ex", "set debuginfod enabled off"];
    args.extend(commands.iter().flat_map(|command| ["-ex", command]));
    args.push("--args");
    args.extend(program);
    let output = output(folder, "gdb", &args);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The functions of a backtrace, with their lines.
fn frames(said: &str) -> Vec<String> {
    let frame = |line: &str| {
        let line = line.trim_start_matches('#').trim_start_matches(char::is_numeric).trim();
        let line = line.split_once(" in ").map_or(line, |(_, rest)| rest);
        let name = line.split(" (").next().unwrap_or("").to_owned();
        match line.rsplit_once(" at ") {
            Some((_, place)) => format!("{name} {}", place.rsplit('/').next().unwrap_or(place)),
            None => name,
        }
    };
    said.lines().filter(|line| line.starts_with('#')).map(frame).collect()
}

#[test]
fn gdb_shows_frames_and_lines_of_a_linked_program() {
    if !has("gdb") {
        return;
    }
    let folder = folder("gdb");
    build(&folder, "start", SOURCE);
    fs::write(folder.join("program.c"), PROGRAM).unwrap();
    run(&folder, "cc", &["-g", "-O0", "program.c", "start.o", "-o", "program"]);
    fs::write(folder.join("start.spasm"), SOURCE).unwrap();
    let commands = ["break share", "run", "bt", "info args", "step", "ptype start", "continue", "bt"];
    let said = gdb(&folder, &commands, &["./program"]);
    assert!(said.contains("8\t    div r1, a1, a2"), "the source is found: {said}");
    assert!(said.contains("type = i64 (i64, i64)"), "{said}");
    // The entry for C jumps to the function, so it is not on the stack.
    let wanted = ["share start.spasm:8", "start start.spasm:4", "from_c program.c:3", "main program.c:4"];
    let found = frames(&said);
    assert_eq!(found[..4], wanted, "{said}");
    // Where the process is aborted, with the handler and the runtime in between.
    let last = &found[4..];
    let at = last.iter().position(|frame| *frame == wanted[0]).unwrap_or_else(|| panic!("{last:?}\n{said}"));
    assert_eq!(last[at..], wanted, "{said}");
    assert!(last[..at].iter().any(|frame| frame.contains("signal handler called")), "{last:?}");
}

#[test]
fn gdb_shows_frames_and_lines_in_memory() {
    if !has("gdb") {
        return;
    }
    let folder = folder("gdb_memory");
    fs::write(folder.join("start.spasm"), SOURCE).unwrap();
    let program = [SPASM, "run", "-g", "start.spasm", "-f", "start", "7", "0"];
    let said = gdb(&folder, &["run", "bt", "info line share"], &program);
    let found = frames(&said);
    assert_eq!(found[..3], ["share start.spasm:8", "start start.spasm:4", "spasm enter"], "{said}");
    // From there the way goes on to the host, to its very start.
    assert!(found[3].contains("Instance") && found.iter().any(|frame| frame.starts_with("spasm::main")), "{found:?}");
    assert!(said.contains("Line 8 of \"start.spasm\" starts at address"), "{said}");
    // Breakpoints that were set before there was any code are hit.
    let said =
        gdb(&folder, &["set breakpoint pending on", "break start.spasm:3", "run", "bt", "stepi", "next"], &program);
    assert_eq!(frames(&said)[..2], ["start start.spasm:3", "spasm enter"], "{said}");
    // Nothing of it is there if it is not asked for.
    let said = gdb(&folder, &["run", "bt"], &[SPASM, "run", "start.spasm", "-f", "start", "7", "0"]);
    assert!(frames(&said)[0].starts_with("??"), "{said}");
}

#[test]
fn perf_finds_functions() {
    let folder = folder("perf");
    fs::write(folder.join("start.spasm"), SOURCE).unwrap();
    run(&folder, SPASM, &["run", "--perf", "jitdump", "start.spasm", "-f", "start", "7", "1"]);
    let dump = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "dump"));
    let bytes = fs::read(dump.unwrap()).unwrap();
    let records = records(&bytes);
    let names: Vec<&str> = records.iter().filter(|(kind, _)| *kind == 0).map(|(_, body)| name(&body[40..])).collect();
    assert_eq!(names, ["start", "share"]);
    let (_, lines) = records.iter().find(|(kind, _)| *kind == 2).unwrap();
    assert_eq!(name(&lines[32..]), "start.spasm");
    let script = "\"$0\" run --perf map start.spasm -f start 7 1 & wait $!; cat /tmp/perf-$!.map; rm /tmp/perf-$!.map";
    let said = run(&folder, "sh", &["-c", script, SPASM]);
    assert!(said.contains(" spasm::start\n") && said.contains(" spasm::share\n"), "{said}");
}

fn name(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes.split(|&byte| byte == 0).next().unwrap()).unwrap()
}

/// The records of a dump, without their heads.
fn records(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4), word(8), word(12)), (0x4a69_5444, 1, 40, 62));
    let (mut at, mut found) = (40, Vec::new());
    while at < bytes.len() {
        let (kind, size) = (word(at), word(at + 4) as usize);
        found.push((kind, &bytes[at + 16..at + size]));
        at += size;
    }
    assert_eq!(at, bytes.len());
    found
}
