//! The unwinder finds its way through stitched code: at every instruction, from C that it called, and for exceptions.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::tools::{SPASM, build, folder, has, output, run};

/// Functions with glue, calls, saved registers, slots, stack arguments, a frame of its own for the entry, and C calls.
const SOURCE: &str = "
extern \"LIBRARY\" outside(i64) -> i64
memory 1
table all = [leaf]

func begin(i64, f64) -> (i64, f64, i64)
    const r20, 1
    add r1, a1, r20
    add r2, r1, r20
    add r3, r2, r1
    add r4, r3, r2
    add r5, r4, r3
    add r6, r5, r4
    add r7, r6, r5
    add r8, r7, r6
    call r9, many, r1, r2, r3, r4, r5, r6, r7, r8
    call r10, outside, r9
    mstore r10, r20
    add r11, r1, r2
    add r11, r11, r3
    add r11, r11, r4
    add r11, r11, r5
    add r11, r11, r6
    add r11, r11, r7
    add r11, r11, r8
    call r12, more, r1, r2, r11
    calli r13, all, r14, (i64) -> i64, r12
    add.f64 a2, a2, a2
    ret r13, a2, r10
func many(i64, i64, i64, i64, i64, i64, i64, i64) -> i64
    call r1, leaf, a8
    div r1, r1, a7
    mul r1, r1, a1
    add r1, r1, a2
    call r2, outside, r1
    shl r2, r2, a1
    ret r2
func more(i64, ...) -> i64
    const r1, 3
    arg r2, r1
    call r2, leaf, r2
    add r2, r2, a1
    ret r2
func leaf(i64) -> i64
    const r1, 1
    add r1, r1, a1
    ret r1
";

fn source(library: &str) -> String {
    SOURCE.replace("LIBRARY", library)
}

/// Steps through everything below the frame called OUTER, and looks at each instruction whether that frame is found, with
/// the registers that it had at first.
const STEPS: &str = r#"
import gdb

KEPT = ["rbx", "rbp", "r12", "r13", "r14", "r15", "rsp", "rip"]

def outer():
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.name() == OUTER:
            return frame
        frame = frame.older()
    return None

def kept():
    frame = outer()
    if frame is None:
        return None
    return [int(frame.read_register(name)) & 0xffffffffffffffff for name in KEPT]

gdb.execute("stepi", to_string=True)
wanted = kept()
steps, inside = 0, set()
while gdb.newest_frame().name() != OUTER:
    found = kept()
    if found != wanted:
        print("WRONG at", gdb.newest_frame().name(), hex(gdb.newest_frame().pc()), found, wanted)
        gdb.execute("bt")
        break
    steps += 1
    inside.add(gdb.newest_frame().name())
    if gdb.newest_frame().name() == "outside":
        gdb.execute("finish", to_string=True)
    else:
        gdb.execute("stepi", to_string=True)
print("STEPS", steps, sorted(name for name in inside if name))
"#;

fn steps(folder: &Path, outer: &str, start: &[&str], program: &[&str]) {
    fs::write(folder.join("steps.py"), format!("OUTER = {outer:?}\n{STEPS}")).unwrap();
    let mut args = vec!["-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set breakpoint pending on"];
    args.extend(start.iter().flat_map(|command| ["-ex", command]));
    args.extend(["-ex", "source steps.py", "--args"]);
    args.extend(program);
    let output = output(folder, "gdb", &args);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.starts_with("STEPS ")).unwrap_or_else(|| panic!("{said}"));
    let count: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(!said.contains("WRONG") && count > 120, "{said}");
    for name in ["begin", "many", "more", "leaf", "outside"] {
        assert!(line.contains(&format!("'{name}'")), "{name} was never stepped through: {said}");
    }
}

const OUTSIDE: &str = "long outside(long x) { return x + 1; }\n";

#[test]
fn every_instruction_of_a_linked_program_can_be_unwound() {
    if !has("gdb") {
        return;
    }
    let folder = folder("steps");
    build(&folder, "begin", &source(""));
    let program = format!(
        "#include \"begin.h\"\n{OUTSIDE}int from_c(long x) {{ return (int)begin(x, 0.5).r1; }}\n\
         int main(void) {{ return from_c(1) == 0; }}\n"
    );
    fs::write(folder.join("program.c"), program).unwrap();
    run(&folder, "cc", &["-g", "-O1", "-fno-inline", "program.c", "begin.o", "-o", "program"]);
    let start = ["break from_c", "run", "tbreak *(long)&begin", "continue", "up", "down"];
    steps(&folder, "from_c", &start, &["./program"]);
}

#[test]
fn every_instruction_in_memory_can_be_unwound() {
    if !has("gdb") {
        return;
    }
    let folder = folder("steps_memory");
    fs::write(folder.join("outside.c"), OUTSIDE).unwrap();
    run(&folder, "cc", &["-shared", "-fPIC", "outside.c", "-o", "liboutside.so"]);
    let library = folder.join("liboutside.so");
    fs::write(folder.join("begin.spasm"), source(library.to_str().unwrap())).unwrap();
    let start = ["set language c", "tbreak begin", "run"];
    let program = [SPASM, "run", "-g", "begin.spasm", "-f", "begin", "1", "0.5"];
    steps(&folder, "spasm enter", &start, &program);
}

/// C that counts the frames from itself to the start of the process, by the unwinder.
const COUNTING: &str = r"
#include <unwind.h>
static _Unwind_Reason_Code one(struct _Unwind_Context *context, void *count) {
    (void)context;
    return ++*(long *)count < 1000 ? _URC_NO_REASON : _URC_END_OF_STACK;
}
long depth(void) { long count = 0; _Unwind_Backtrace(one, &count); return count; }
";

const RECURSING: &str = "
extern \"LIBRARY\" depth() -> i64
func down(i64) -> i64
    const r1, 1
    jmpf a1, bottom
    sub r2, a1, r1
    call r3, down, r2
    ret r3
bottom:
    call r3, depth
    ret r3
";

#[test]
fn backtraces_pass_through() {
    let folder = folder("backtraces");
    build(&folder, "down", &RECURSING.replace("LIBRARY", ""));
    let main = "#include \"down.h\"\n#include <stdio.h>\nint main(void) {\n\
                printf(\"%ld %ld\\n\", (long)down(0), (long)down(100) - (long)down(0));\nreturn 0; }\n";
    fs::write(folder.join("program.c"), format!("{COUNTING}{main}")).unwrap();
    run(&folder, "cc", &["program.c", "down.o", "-o", "program"]);
    let said = run(&folder, "./program", &[]);
    let numbers: Vec<i64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    // The function itself, what it was called by, main, and what is below main.
    assert!((4..10).contains(&numbers[0]) && numbers[1] == 100, "{said}");

    // In memory: through the way in, to the host and its start.
    fs::write(folder.join("depth.c"), COUNTING).unwrap();
    run(&folder, "cc", &["-shared", "-fPIC", "depth.c", "-o", "libdepth.so"]);
    let library = folder.join("libdepth.so");
    fs::write(folder.join("down.spasm"), RECURSING.replace("LIBRARY", library.to_str().unwrap())).unwrap();
    let depth = |n: &str| run(&folder, SPASM, &["run", "down.spasm", n]).trim().parse::<i64>().unwrap();
    let shallow = depth("0");
    assert!(shallow > 8 && depth("100") == shallow + 100, "{shallow}");
}

const THROWING: &str = "
extern \"LIBRARY\" thrower(i64) -> i64
memory 1
func middle(i64, f64) -> (i64, f64, f64)
    const r1, 7
    mul r2, a1, r1
    mul r4, r2, r1
    mul r5, r4, r1
    call r3, thrower, r2
    add r3, r3, r4
    add r3, r3, r5
    ret r3, a2, a2
";

#[test]
fn exceptions_pass_through_or_end_the_process() {
    if !has("g++") {
        return;
    }
    let folder = folder("exceptions");
    build(&folder, "middle", &THROWING.replace("LIBRARY", ""));
    let thrower = "#include <stdexcept>\nextern \"C\" long thrower(long x) { if (x) throw std::runtime_error(\"thrown\"); return x; }\n";
    let program = r#"
        #include "middle.h"
        #include <cstdio>
        struct Local { ~Local() { std::puts("destroyed"); } };
        __attribute__((noinline)) long attempt(long x) {
            Local local;
            long kept = x * 3 + 1;
            try {
                return middle(x, 0.5).r1;
            } catch (const std::exception &e) {
                std::printf("caught %s %ld\n", e.what(), kept);
                return -1;
            }
        }
        int main() { for (long i = 0; i < 3; i++) std::printf("%ld\n", attempt(i)); return 0; }
    "#;
    fs::write(folder.join("program.cpp"), format!("{thrower}{program}")).unwrap();
    for way in ["-pie", "-static", "-no-pie", "-fuse-ld=lld"] {
        if way == "-fuse-ld=lld" && !has("ld.lld") {
            continue;
        }
        run(&folder, "g++", &["-O2", way, "program.cpp", "middle.o", "-o", "program"]);
        let said = run(&folder, "./program", &[]);
        assert_eq!(said, "destroyed\n0\ncaught thrown 4\ndestroyed\n-1\ncaught thrown 7\ndestroyed\n-1\n", "{way}");
    }

    // Rust does not let exceptions of C++ pass: they end the process as where nobody catches them.
    fs::write(folder.join("thrower.cpp"), thrower).unwrap();
    run(&folder, "g++", &["-shared", "-fPIC", "thrower.cpp", "-o", "libthrower.so"]);
    let library = folder.join("libthrower.so");
    fs::write(folder.join("middle.spasm"), THROWING.replace("LIBRARY", library.to_str().unwrap())).unwrap();
    assert_eq!(run(&folder, SPASM, &["run", "middle.spasm", "0", "1"]), "0\n1.0\n1.0\n");
    let output = output(&folder, SPASM, &["run", "middle.spasm", "1", "1"]);
    assert_eq!(output.status.signal(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
}
