//! Objects in programs: every way of linking, several objects, libraries, headers, and the runtime's interface for C.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use spasm::elf::Options;

use crate::tools::{SPASM, build, folder, has, object, output, run, verified};

const FIRST: &str = "
memory 1 3
init 4 = i32 7
global calls i64 = 40
table operations = [twice, share]

func start(i64) -> i64
    gget r1, calls
    const r2, 1
    add r1, r1, r2
    gset calls, r1
    call r3, share, r1, a1
    print r3
    ret r3
func share(i64, i64) -> i64
    div r1, a1, a2
    ret r1
func twice(i64, i64) -> i64
    add r1, a1, a2
    ret r1
func indirect(i64) -> i64
    const r1, 6
    calli r2, operations, a1, (i64, i64) -> i64, r1, r1
    ret r2
func deep(i64) -> i64
    call r1, deep, a1
    add r1, r1, a1
    ret r1
func peek(i32) -> i32
    mload.8u r1, a1
    ret r1
func grow(i32) -> i32
    mgrow r1, a1
    ret r1
func ask() -> i64
    read r1
    ret r1
func halves(i64, f64) -> (i64, f64)
    const r1, 2
    div r2, a1, r1
    const.f64 r3, 0.5
    mul.f64 r4, a2, r3
    ret r2, r4
func stop()
    halt
func sum(f64, ...) -> f64
    const r1, 2
    const r5, 1
again:
    less r2, r0, r1
    jmpt r2, done
    arg r3, r1
    cvt.f64.i64 r4, r3
    add.f64 a1, a1, r4
    add r1, r1, r5
    jmp again
done:
    ret a1
";

const SECOND: &str = "
extern \"\" start(i64) -> i64 as other
data greeting = \"hello\\0\"
rodata pointers = ptr greeting, greeting
func \"a weird name\"(i64) -> i64
    call r1, other, a1
    ret r1
func int(f32) -> f32
    add.f32 a1, a1, a1
    ret a1
func main(i64) -> i64
    const r1, 1
    add r1, a1, r1
    ret r1
func text() -> ptr
    addr r1, pointers
    load r1, r1, 8
    ret r1
func trapping()
    trap
";

const PROGRAM: &str = r#"
#include "first.h"
#include "second.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void body(void *data) { (void)start(*(int64_t *)data); }
static void beyond(void *data) { (void)data; (void)peek(65536); }
static void below(void *data) { (void)deep(*(int64_t *)data); }
static void halting(void *data) { (void)data; stop(); }
static void asking(void *data) { (void)data; printf("asked %ld\n", (long)ask()); }
static void unreachable(void *data) { (void)data; trapping(); }
static void undefined(void *data) { (void)data; (void)indirect(2); }

static void attempt(const char *what, void (*function)(void *), int64_t data) {
    struct spasm_trap trap;
    int status = spasm_try(function, &data, &trap);
    printf("%s: %d", what, status);
    if (status == SPASM_TRAPPED) {
        printf(" %s, depth %s, at %s %s:%u", trap.message, trap.depth > 10000 ? "many" : trap.depth == 1 ? "1" : "2",
            trap.frames[0].function, trap.frames[0].file, (unsigned)trap.frames[0].line);
    }
    printf("\n");
}

static void handler(const struct spasm_trap *trap, void *data) {
    printf("%s: %s in %s\n", (const char *)data, trap->message, trap->frames[0].function);
    fflush(stdout);
    _Exit(42);
}

int main(int argc, char **argv) {
    struct halves_results halved = halves(9, 0.2);
    attempt("zero", body, 0);
    attempt("six", body, 6);
    attempt("beyond", beyond, 0);
    attempt("below", below, 1);
    attempt("halting", halting, 0);
    attempt("asking", asking, 0);
    attempt("asking again", asking, 0);
    attempt("unreachable", unreachable, 0);
    attempt("undefined", undefined, 0);
    printf("%ld %g\n", (long)halved.r1, halved.r2);
    printf("%g\n", sum(0.5, 3, (int64_t)1, (int64_t)2, (int64_t)3));
    printf("%ld %ld\n", (long)indirect(0), (long)indirect(1));
    printf("%d %d\n", peek(4), spasm_memory(&spasm_module_first)[4]);
    printf("%d", grow(2));
    printf(" %d %lu\n", grow(1), (unsigned long)spasm_memory_size(&spasm_module_first));
    printf("%ld %g %ld\n", (long)spasm_a_20weird_20name(4), spasm_int(1.5f), (long)spasm_main(1));
    printf("%s %d\n", (const char *)text(), spasm_thread_start());
    if (argc > 1 && !strcmp(argv[1], "handler")) spasm_set_trap_handler(handler, (void *)"handled");
    if (argc > 1 && !strcmp(argv[1], "deep")) return (int)deep(1);
    if (argc > 1 && !strcmp(argv[1], "halt")) stop();
    if (argc > 1 && !strcmp(argv[1], "ask")) return (int)ask();
    if (argc > 1) return (int)start(0);
    return 3;
}
"#;

const SAID: &str = "\
zero: 1 divide by zero, depth 2, at share first.spasm:16
7
six: 0
beyond: 1 out of bounds memory access, depth 1, at peek first.spasm:30
below: 1 stack overflow, depth many, at deep first.spasm:26
halting: 2
asked 77
asking: 0
asking again: 3
unreachable: 1 unreachable, depth 1, at trapping second.spasm:20
undefined: 1 undefined element, depth 1, at indirect first.spasm:23
4 0.1
6.5
12 1
7 7
1 -1 196608
10
10 3 2
hello 0
";

fn prepare(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    build(&folder, "first", FIRST);
    build(&folder, "second", SECOND);
    fs::write(folder.join("program.c"), PROGRAM).unwrap();
    folder
}

/// Runs the program with input, and checks what it says.
fn runs(folder: &Path, how: &str) {
    let command = "printf '77 x' | ./program";
    let output = output(folder, "sh", &["-c", command]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, SAID, "{how}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{how}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told, "error: read: expected an integer on standard input: `x` is not an integer\n", "{how}");
}

#[test]
fn objects_link_in_every_way() {
    let folder = prepare("ways");
    let lld = has("ld.lld");
    let ways = ["", "-static", "-static-pie", "-pie", "-no-pie", "-Wl,--gc-sections", "-Wl,-z,now", "-flto"];
    for linker in ["-fuse-ld=bfd", "-fuse-ld=lld"] {
        if linker.ends_with("lld") && !lld {
            continue;
        }
        for way in ways {
            if way == "-flto" && linker.ends_with("lld") {
                continue;
            }
            let args =
                [linker, way, "-O1", "-Wl,--fatal-warnings", "program.c", "first.o", "second.o", "-o", "program"];
            let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
            run(&folder, "cc", &args);
            runs(&folder, &args.join(" "));
        }
    }
    // The stack is not executable, and nothing in the text is relocated.
    run(&folder, "cc", &["-pie", "-fPIE", "-Wl,-z,text", "program.c", "first.o", "second.o", "-o", "program"]);
    let headers = run(&folder, "readelf", &["-lW", "program"]);
    let stack = headers.lines().find(|line| line.contains("GNU_STACK")).unwrap();
    assert!(stack.contains("RW ") && !stack.contains("RWE"), "{stack}");
    assert!(!run(&folder, "readelf", &["-SW", "program"]).contains(".spasm "), "linkers leave the cache out");
}

#[test]
fn an_object_without_the_runtime_uses_that_of_another() {
    let folder = prepare("without");
    let options = Options { name: "second", runtime: false, ..Options::default() };
    let bytes = object(&verified("second.spasm", SECOND), &options);
    fs::write(folder.join("second.o"), &bytes).unwrap();
    assert!(bytes.len() < 16 << 10, "{} bytes", bytes.len());
    run(&folder, "cc", &["program.c", "first.o", "second.o", "-o", "program"]);
    runs(&folder, "without");
    let notes = run(&folder, "readelf", &["-nW", "second.o"]);
    assert!(notes.contains("IBT"), "{notes}");
    let failed = output(&folder, "cc", &["-shared", "-Wl,-z,defs", "second.o", "-o", "none.so"]);
    assert!(String::from_utf8_lossy(&failed.stderr).contains("__spasm_register"));
}

#[test]
fn programs_end_as_others_do() {
    let folder = prepare("ends");
    run(&folder, "cc", &["program.c", "first.o", "second.o", "-o", "program"]);
    let end = |arg: &str| {
        let output = output(&folder, "sh", &["-c", &format!("printf '77 x' | exec ./program {arg} 2>&1")]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let tail = said.split_once("hello 0\n").unwrap_or(("", &said)).1.to_owned();
        // A shell gives 134 where abort ended the program.
        (tail, output.status.code().or(output.status.signal().map(|signal| 128 + signal)))
    };
    let trap = "trap: divide by zero\n  at share (first.spasm:16)\n  at start (first.spasm:12)\n";
    assert_eq!(end("trap"), (trap.to_owned(), Some(134)));
    let (deep, status) = end("deep");
    assert_eq!(status, Some(134));
    assert!(deep.starts_with("trap: stack overflow\n  at deep (first.spasm:26)\n"), "{deep}");
    assert!(deep.trim_end().ends_with(" more") && deep.lines().count() == 34, "{deep}");
    assert_eq!(end("halt"), (String::new(), Some(0)));
    let wrong = "error: read: expected an integer on standard input, found its end\n";
    assert_eq!(end("ask"), (wrong.to_owned(), Some(1)));
    assert_eq!(end("handler"), ("handled: divide by zero in share\n".to_owned(), Some(42)));
}

#[test]
fn shared_libraries_come_and_go() {
    let folder = prepare("shared");
    for (linker, library) in [("-fuse-ld=bfd", "first"), ("-fuse-ld=bfd", "second"), ("-fuse-ld=lld", "first")] {
        if linker.ends_with("bfd") || has("ld.lld") {
            let (object, out) = (format!("{library}.o"), format!("lib{library}.so"));
            run(&folder, "cc", &["-shared", linker, "-Wl,-z,text", &object, "-o", &out]);
        }
    }
    let program = r#"
        #include "first.h"
        #include <dlfcn.h>
        #include <stdio.h>
        int main(void) {
            for (int i = 0; i < 3; i++) {
                void *library = dlopen("./libfirst.so", RTLD_NOW);
                if (!library) { puts(dlerror()); return 1; }
                int64_t (*start)(int64_t), (*deep)(int64_t);
                int (*attempt)(void (*)(void *), void *, struct spasm_trap *);
                struct spasm_trap trap;
                *(void **)&start = dlsym(library, "start");
                *(void **)&deep = dlsym(library, "deep");
                *(void **)&attempt = dlsym(library, "spasm_try");
                printf("%ld\n", (long)start(1));
                int status = attempt((void (*)(void *))deep, 0, &trap);
                printf("%d %s\n", status, trap.message);
                if (dlclose(library)) return 2;
            }
            return 0;
        }
    "#;
    fs::write(folder.join("open.c"), program).unwrap();
    run(&folder, "cc", &["-D_GNU_SOURCE", "open.c", "-ldl", "-o", "open"]);
    let said = run(&folder, "./open", &[]);
    // Each time, everything begins anew.
    assert_eq!(said, "41\n41\n1 stack overflow\n".repeat(3));
    // Two copies of the runtime in one process do not get into each other's way.
    let main = "#include \"second.h\"\n#include <stdio.h>\nint main(void) { printf(\"%ld\\n\", (long)spasm_a_20weird_20name(2)); trapping(); }\n";
    fs::write(folder.join("both.c"), main).unwrap();
    let args = ["both.c", "-L.", "-lsecond", "-lfirst", "-Wl,-rpath,$ORIGIN", "-o", "both"];
    run(&folder, "cc", &args);
    let output = output(&folder, "./both", &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "20\n20\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "trap: unreachable\n  at trapping (second.spasm:20)\n");
    if has("python3") {
        let script = "import ctypes\nl = ctypes.CDLL('./libfirst.so')\nl.share.restype = ctypes.c_int64\n\
                      print(l.share(ctypes.c_int64(84), ctypes.c_int64(2)))\n";
        assert_eq!(run(&folder, "python3", &["-c", script]), "42\n");
    }
}

#[test]
fn other_tools_accept_the_objects() {
    let folder = prepare("tools");
    for name in ["first.o", "second.o"] {
        let bytes = fs::read(folder.join(name)).unwrap();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        assert!(elf.section_headers.len() > 20 && elf.syms.len() > 20);
    }
    let lines = run(&folder, "readelf", &["--debug-dump=decodedline", "first.o"]);
    assert!(lines.contains("first.spasm") && lines.lines().filter(|line| line.contains("16")).count() > 0, "{lines}");
    let symbols = run(&folder, "readelf", &["-sW", "first.o"]);
    let symbol = symbols.lines().find(|line| line.ends_with(" share")).unwrap();
    assert!(symbol.contains("FUNC") && symbol.contains("GLOBAL") && symbol.contains("DEFAULT"), "{symbol}");
}

#[test]
fn headers_are_clean_in_c_and_cpp() {
    let folder = prepare("headers");
    let both = "#include \"first.h\"\n#include \"second.h\"\n#include \"first.h\"\nint unused_here;\n";
    fs::write(folder.join("both.c"), both).unwrap();
    fs::write(folder.join("both.cpp"), format!("{both}int64_t g() {{ return share(4, 2) + halves(1, 2).r1; }}\n"))
        .unwrap();
    let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Werror", "-fsyntax-only"];
    for compiler in ["gcc", "clang"] {
        for standard in ["-std=c99", "-std=c11", "-std=gnu17"].iter().filter(|_| has(compiler)) {
            run(&folder, compiler, &[&strict[..], &[standard, "both.c"]].concat());
        }
    }
    let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];
    for compiler in ["g++", "clang++"] {
        for standard in ["-std=c++11", "-std=c++20"].iter().filter(|_| has(compiler)) {
            run(&folder, compiler, &[&strict[..], &[standard, "both.cpp"]].concat());
        }
    }
}

#[test]
fn the_command_writes_the_same_bytes_every_time() {
    let folder = folder("command");
    fs::write(folder.join("first.spasm"), FIRST).unwrap();
    run(&folder, SPASM, &["build", "first.spasm", "-o", "a.o", "--header", "a.h"]);
    let (bytes, header) = (fs::read(folder.join("a.o")).unwrap(), fs::read(folder.join("a.h")).unwrap());
    run(&folder, SPASM, &["build", "first.spasm", "-o", "a.o", "--header", "a.h"]);
    assert!(bytes == fs::read(folder.join("a.o")).unwrap() && header == fs::read(folder.join("a.h")).unwrap());
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!shown.contains(env!("CARGO_MANIFEST_DIR")), "no folder of this machine is in an object");
    run(&folder, SPASM, &["asm", "first.spasm", "-o", "first.spb"]);
    run(&folder, SPASM, &["build", "first.spb", "-o", "b.o", "--no-debug", "--no-runtime", "--cpu", "x86-64-v3"]);
    let sections = run(&folder, "readelf", &["-SW", "b.o"]);
    assert!(!sections.contains(".debug_") && !sections.contains(".text.spasm"), "{sections}");
    let refused = |args: &[&str]| {
        let output = output(&folder, SPASM, &[&["build"], args].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("").to_owned())
    };
    assert_eq!(refused(&["first.spasm"]), (Some(2), "error: `spasm build` needs to know where to write".into()));
    let same = "error: object and header are both `x`".to_owned();
    assert_eq!(refused(&["first.spasm", "-o", "x", "--header", "x"]), (Some(2), same));
    let full = (Some(1), "error: cannot write `/dev/full`: no space left on device".to_owned());
    assert_eq!(refused(&["first.spasm", "-o", "/dev/full"]), full);
    let missing = (Some(1), "error: cannot write `no/where.o`: its folder does not exist".to_owned());
    assert_eq!(refused(&["first.spasm", "-o", "no/where.o"]), missing);
    let none = (Some(1), "error: cannot read `none.spasm`: there is no such file".to_owned());
    assert_eq!(refused(&["none.spasm", "-o", "x.o"]), none);
}

const WITH_C: &str = "
extern \"libc.so.6\" qsort(ptr, i64, i64, ptr)
extern \"libc.so.6\" snprintf(ptr, i64, ptr, ...) -> i32 as format
data numbers = i64 5, 3, 9, 1
data text = zero 64
rodata template = \"%ld %.2f\\0\"
rodata list = ptr numbers, ascending, format
func ascending(ptr, ptr) -> i32
    load r1, a1
    load r2, a2
    less r3, r2, r1
    less r4, r1, r2
    sub r3, r3, r4
    ret r3
func sorted() -> (i64, i64)
    addr r1, list
    load r1, r1
    const r2, 4
    const r3, 8
    addr r4, ascending
    call qsort, r1, r2, r3, r4
    load r5, r1
    load r6, r1, 24
    ret r5, r6
func show(i64, f64) -> ptr
    addr r1, text
    const r2, 64
    addr r3, template
    call r4, format, r1, r2, r3, a1, a2
    ret r1
func deep(i64) -> i64
    call r1, deep, a1
    add r1, r1, a1
    ret r1
func share(i64) -> i64
    const r1, 84
    div r1, r1, a1
    ret r1
";

#[test]
fn data_and_c_functions_are_the_linkers_business() {
    let folder = folder("with_c");
    build(&folder, "with_c", WITH_C);
    let program = r#"
        #include "with_c.h"
        #include <stdio.h>
        int main(void) {
            struct sorted_results ends = sorted();
            printf("%ld %ld %s\n", (long)ends.r1, (long)ends.r2, (const char *)show(42, 2.5));
            return 0;
        }
    "#;
    fs::write(folder.join("program.c"), program).unwrap();
    for way in ["-pie", "-no-pie", "-static", "-Wl,--gc-sections"] {
        run(&folder, "cc", &["-O1", way, "program.c", "with_c.o", "-o", "program"]);
        assert_eq!(run(&folder, "./program", &[]), "1 9 42 2.50\n", "{way}");
    }
    // The same object without a linker.
    assert_eq!(run(&folder, SPASM, &["run", "with_c.o", "-f", "sorted"]), "1\n9\n");
}

#[test]
fn threads_trap_each_for_itself() {
    let folder = folder("threads");
    build(&folder, "with_c", WITH_C);
    let program = r#"
        #include "with_c.h"
        #include <pthread.h>
        #include <stdio.h>
        static void zero(void *data) { share(*(int64_t *)data); }
        static void below(void *data) { deep(*(int64_t *)data); }
        static void *caught(void *data) {
            struct spasm_trap first, second;
            for (int i = 0; i < 200; i++) {
                if (spasm_try(zero, data, &first) != SPASM_TRAPPED) return (void *)"returned";
            }
            if (spasm_try(below, data, &second) != SPASM_TRAPPED) return (void *)"returned";
            return (void *)(first.kind == SPASM_DIVIDE_BY_ZERO && second.kind == SPASM_STACK_OVERFLOW ? "right" : "wrong");
        }
        static void *lost(void *data) {
            if (spasm_thread_start() == 0) deep(1);
            return data;
        }
        int main(void) {
            pthread_t threads[8];
            int64_t data = 0;
            void *end;
            for (int i = 0; i < 8; i++) pthread_create(threads + i, 0, caught, &data);
            for (int i = 0; i < 8; i++) { pthread_join(threads[i], &end); puts(end); }
            pthread_create(threads, 0, lost, 0);
            pthread_join(*threads, &end);
            return 0;
        }
    "#;
    fs::write(folder.join("program.c"), program).unwrap();
    run(&folder, "cc", &["-O1", "program.c", "with_c.o", "-lpthread", "-o", "program"]);
    let output = output(&folder, "./program", &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "right\n".repeat(8));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("trap: stack overflow\n  at deep (with_c.spasm:"), "{told}");
    assert_eq!(output.status.signal(), Some(6));
}

#[test]
fn the_examples_do_what_they_say() {
    let folder = folder("examples");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::os::unix::fs::symlink(examples, folder.join("examples")).unwrap();
    run(&folder, SPASM, &["build", "examples/gcd.spasm", "-o", "gcd.o", "--header", "gcd.h"]);
    run(&folder, "cc", &["-I.", "examples/gcd.c", "gcd.o", "-o", "gcd"]);
    let said = run(&folder, "./gcd", &["1071", "462", "0"]);
    assert_eq!(said, "gcd(1071, 462) = 21\ngcd(462, 0): divide by zero at examples/gcd.spasm:31\n");
    if has("python3") {
        run(&folder, "cc", &["-shared", "gcd.o", "-o", "libgcd.so"]);
        assert_eq!(run(&folder, "python3", &["examples/gcd.py", "./libgcd.so", "1071", "462"]), "21\n");
    }
}
