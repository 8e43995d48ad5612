//! Linked modules in programs of C: imports that C gives, exports that it calls, tables, segments, what runs first, and what
//! is refused.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::tools::{SPASM, folder, output, run};

const MODULE: &str = r#"
(module
  (import "env" "host_add" (func $add (param i32 i32) (result i32)))
  (import "my-host" "log" (func $log (param f64)))
  (import "env" "pair" (func $pair (param i64) (result i64 f32)))
  (import "env" "puts" (func $puts (param i64) (result i32)))
  (import "env" "counter" (global $counter (mut i32)))
  (import "env" "origin" (global $origin i32))
  (type $binary (func (param i32 i32) (result i32)))
  (memory (export "memory") 1 3)
  (table $t 4 funcref)
  (table $e 1 externref)
  (global $calls (export "calls") (mut i64) (i64.const 40))
  (global (export "answer") i32 (i32.const 42))
  (global (export "from") i32 (global.get $origin))
  (global $f funcref (ref.func $sub))
  (elem (i32.const 1) $sub $add)
  (elem (global.get $origin) $mul)
  (elem $passive func $mul $sub)
  (elem declare func $below)
  (data (i32.const 8) "hello")
  (data (global.get $origin) "here")
  (data $later "later")
  (func $start (i64.store (i32.const 64) (i64.const 77)) (call $log (f64.const 0.5)))
  (start $start)
  (func $sub (type $binary) (i32.sub (local.get 0) (local.get 1)))
  (func $mul (type $binary) (i32.mul (local.get 0) (local.get 1)))
  (func $apply (export "apply") (param i32 i32 i32) (result i32)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (global.set $counter (i32.add (global.get $counter) (i32.const 2)))
    (call_indirect $t (type $binary) (local.get 1) (local.get 2) (local.get 0)))
  (func (export "wrong") (param i32) (call_indirect $t (local.get 0)))
  (func (export "deep") (param i32) (result i32)
    (table.set $t (i32.const 0) (ref.func $below))
    (call $apply (i32.const 0) (local.get 0) (i32.const 1)))
  (func $below (type $binary) (i32.add (i32.const 1) (call $apply (i32.const 0) (local.get 0) (local.get 1))))
  (func (export "twice") (param i32) (result i32)
    (call $add (call $add (local.get 0) (local.get 0)) (global.get $origin)))
  (func (export "swap") (param i64) (result f32 i64)
    (local i64 f32)
    (call $pair (local.get 0)) (local.set 2) (local.set 1) (local.get 2) (local.get 1))
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $mul) (local.get 0)))
  (func (export "size") (result i32) (table.size $t))
  (func (export "init") (param i32) (table.init $t $passive (local.get 0) (i32.const 0) (i32.const 2)) )
  (func (export "drop") (elem.drop $passive) (data.drop $later))
  (func (export "fetch") (param i32) (memory.init $later (local.get 0) (i32.const 0) (i32.const 5)))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "pages") (result i32) (memory.size))
  (func (export "more") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "get") (param i32) (result funcref) (table.get $t (local.get 0)))
  (func (export "put") (param i32 funcref) (table.set $t (local.get 0) (local.get 1)))
  (func (export "keep") (param externref) (table.set $e (i32.const 0) (local.get 0)))
  (func (export "kept") (result externref) (table.get $e (i32.const 0)))
  (func (export "global") (result funcref) (global.get $f))
  (func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
  (func (export "say") (param i64) (drop (call $puts (local.get 0))))
  (func $host_add (result i32) (i32.const 1))
  (export "re-exported" (func $add))
  (export "again" (func $sub)) (export "sub" (func $sub)) (export "main" (func $host_add)) (export "_start" (func $start))
)
"#;

const PROGRAM: &str = r#"
#include "module.h"
#include <stdio.h>

int32_t counter = 5;
const int32_t origin = 3;
int32_t host_add(int32_t a, int32_t b) { return a + b; }
void my_host_log(double x) { printf("log %g\n", x); fflush(stdout); }
struct pair_results pair(int64_t x) { struct pair_results r = { x + 1, 2.5f }; return r; }

struct call { int32_t (*gives)(int32_t); void (*takes)(int32_t); int32_t a, b, c; };

static void body(void *data) {
    struct call *call = data;
    if (call->takes) call->takes(call->a);
    else if (call->gives) printf("%d: ", call->gives(call->a));
    else printf("%d: ", apply(call->a, call->b, call->c));
}

static void attempt(const char *what, struct call call) {
    struct spasm_trap trap;
    int status = spasm_try(body, &call, &trap);
    if (status) {
        const char *depth = trap.depth > 1000 ? "deep" : "";
        printf("%s: %d %d %s in %s %s\n", what, status, trap.kind, trap.message, trap.frames[0].function, depth);
    } else {
        printf("%s: fine\n", what);
    }
}
#define APPLY(at, b, c) attempt("apply", (struct call){ 0, 0, at, b, c })
#define TAKES(f, a) attempt(#f, (struct call){ 0, f, a, 0, 0 })
#define GIVES(f, a) attempt(#f, (struct call){ f, 0, a, 0, 0 })

int main(void) {
    uint8_t *memory = spasm_memory(&spasm_module_module);
    printf("%.5s %.4s %ld\n", memory + 8, memory + 3, (long)*(int64_t *)(memory + 64));
    for (int at = 0; at < 6; at++) APPLY(at, 20, 6);
    TAKES(wrong, 1);
    GIVES(deep, 1);
    printf("calls %d counter %d answer %d from %d\n", calls > 1000, counter > 1000, answer, from);
    calls = 1, counter = 100;
    APPLY(1, 20, 6);
    printf("calls %ld counter %d\n", (long)calls, counter);
    printf("twice %d\n", twice(5));
    struct swap_results swapped = swap(9);
    printf("swap %g %ld\n", swapped.r1, (long)swapped.r2);
    GIVES(grow, 100000);
    APPLY(100003, 6, 7);
    GIVES(grow, 10000000);
    printf("size %d\n", size());
    TAKES(init, 0);
    APPLY(0, 6, 7);
    APPLY(1, 6, 7);
    TAKES(init, 100003);
    TAKES(fetch, 100);
    printf("%.5s\n", memory + 100);
    TAKES(fetch, 65535);
    drop();
    TAKES(init, 0);
    TAKES(fetch, 100);
    printf("pages %d\n", pages());
    GIVES(more, 1);
    GIVES(more, 5);
    printf("pages %d, bytes %d\n", pages(), (int)spasm_memory_size(&spasm_module_module));
    GIVES(byte, 131071);
    GIVES(byte, 131072);
    int32_t first = get(0), second = global();
    put(50, first), put(51, second), put(52, 0), put(53, 999999);
    GIVES(get, 100004);
    APPLY(50, 6, 7);
    APPLY(51, 6, 7);
    APPLY(52, 6, 7);
    APPLY(53, 6, 7);
    keep(-7);
    printf("kept %d\n", kept());
    copy(60, 50, 2);
    APPLY(61, 6, 7);
    fill(61, 1);
    APPLY(61, 6, 7);
    fflush(stdout);
    say((int64_t)(intptr_t)"puts of C");
    printf("%d %d %d %d\n", spasm_re_2dexported(1, 2), again(5, 3), sub(5, 2), spasm_main());
    return 0;
}
"#;

const WANTED: &str = "log 0.5
hello here 77
apply: 1 11 uninitialized element in apply 
14: apply: fine
26: apply: fine
120: apply: fine
apply: 1 5 undefined element in apply 
apply: 1 5 undefined element in apply 
wrong: 1 6 indirect call type mismatch in wrong 
deep: 1 8 stack overflow in NAME deep
calls 1 counter 1 answer 42 from 3
14: apply: fine
calls 2 counter 102
twice 13
swap 2.5 10
4: grow: fine
42: apply: fine
-1: grow: fine
size 100004
init: fine
42: apply: fine
-1: apply: fine
init: 1 10 out of bounds table access in init 
fetch: fine
later
fetch: 1 3 out of bounds memory access in fetch 
init: 1 10 out of bounds table access in init 
fetch: 1 3 out of bounds memory access in fetch 
pages 1
1: more: fine
-1: more: fine
pages 2, bytes 131072
0: byte: fine
byte: 1 3 out of bounds memory access in byte 
get: 1 10 out of bounds table access in get 
42: apply: fine
-1: apply: fine
apply: 1 11 uninitialized element in apply 
apply: 1 11 uninitialized element in apply 
kept -7
-1: apply: fine
apply: 1 11 uninitialized element in apply 
puts of C
3 2 3 1
";

/// Builds an object of text as `spasm build` does.
fn built(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
    let stem = name.split('.').next().unwrap();
    let (object, header) = (format!("{stem}.o"), format!("{stem}.h"));
    run(folder, SPASM, &["build", name, "-o", &object, "--header", &header]);
    crate::tools::accepted(folder, &object);
}

fn refused(folder: &Path, text: &str) -> String {
    std::fs::write(folder.join("refused.wat"), text).unwrap();
    let output = output(folder, SPASM, &["build", "refused.wat", "-o", "refused.o"]);
    assert!(!output.status.success() && !folder.join("refused.o").exists(), "{text} is built");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_module_of_webassembly_in_a_program_of_c() {
    let folder = folder("linked");
    built(&folder, "module.wat", MODULE);
    std::fs::write(folder.join("main.c"), PROGRAM).unwrap();
    for (nth, more) in [&["-O2", "-no-pie"][..], &["-pie", "-fPIE"]].iter().enumerate() {
        let program = format!("./program{nth}");
        run(&folder, "cc -std=gnu11 -Wall -Wextra -Werror main.c module.o -o", &[&[program.as_str()], *more].concat());
        let found = run(&folder, &program, &[]);
        // Which of the two functions has the last bytes of the stack is left to their frames.
        let found =
            found.replace("overflow in apply", "overflow in NAME").replace("overflow in below", "overflow in NAME");
        assert_eq!(found, WANTED, "{more:?}");
    }
    // What C sees of a library is what it calls.
    let script = "int printf(const char *, ...); int apply(int, int, int); int counter; const int origin = 3; \
                  extern long calls; int host_add(int a, int b) { return a + b; } void my_host_log(double x) {} \
                  struct pair { long a; float b; } pair(long x) { struct pair r = {0, 0}; return r; } \
                  int main(void) { calls = 7; int r = apply(2, 3, 4); printf(\"%d %ld\\n\", r, calls); }";
    std::fs::write(folder.join("user.c"), script).unwrap();
    run(&folder, "cc -shared module.o -o libmodule.so", &[]);
    run(&folder, "cc -w -rdynamic user.c -L. -lmodule -Wl,-rpath,. -o user", &[]);
    assert_eq!(run(&folder, "./user", &[]), "7 8\n");
}

#[test]
fn modules_that_need_each_other() {
    let folder = folder("linked-pair");
    let even = r#"(module (import "env" "odd" (func $odd (param i32) (result i32)))
        (func (export "even") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1)))))"#;
    let odd = "import \"even\" \"even\" func other(i32) -> i32\nmemory 1\nexport \"odd\" func odd\n\
               func odd(i32) -> i32\n    jmpt a1, more\n    const.i32 r1, 0\n    ret r1\nmore:\n    const.i32 r1, 1\n    \
               sub.i32 r1, a1, r1\n    call r2, other, r1\n    ret r2\n";
    built(&folder, "even.wat", even);
    built(&folder, "odd.spasm", &odd.replace("\"even\" \"even\"", "\"env\" \"even\""));
    let main =
        "#include \"even.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d %d\\n\", even(1000), even(7)); }\n";
    std::fs::write(folder.join("main.c"), main).unwrap();
    run(&folder, "cc main.c even.o odd.o -o program", &[]);
    assert_eq!(run(&folder, "./program", &[]), "1 0\n");
}

#[test]
fn what_runs_first_and_traps_ends_the_process() {
    let folder = folder("linked-start");
    std::fs::write(folder.join("main.c"), "#include <stdio.h>\nint main(void) { puts(\"never\"); }\n").unwrap();
    let cases = [
        ("(start $s) (func $s unreachable)", "trap: unreachable\n  at s\n"),
        ("(table 1 funcref) (elem (i32.const 1) $f) (func $f)", "trap: out of bounds table access\n"),
        ("(memory 1) (data (i32.const 65535) \"ab\")", "trap: out of bounds memory access\n"),
    ];
    for (text, wanted) in cases {
        built(&folder, "module.wat", &format!("(module {text} (func (export \"f\")))"));
        run(&folder, "cc main.c module.o -o program", &[]);
        let ended = output(&folder, "./program", &[]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.signal() == Some(6) && ended.stdout.is_empty(), "{text}: {ended:?}");
        assert!(said.starts_with(wanted), "{text}: {said}");
    }
}

#[test]
fn what_c_cannot_give_is_refused_by_its_name() {
    let folder = folder("linked-refused");
    let cases = [
        ("(import \"env\" \"memory\" (memory 1))", "the memory comes from `env` as `memory`"),
        ("(import \"js\" \"t\" (table 1 funcref))", "a table comes from `js` as `t`"),
        ("(import \"a\" \"g\" (global externref))", "a global with a reference comes from `a` as `g`"),
        (
            "(import \"env\" \"f\" (func)) (func (export \"f\"))",
            "the export `f` and the import `f` of `env` would both be the symbol `f` of C",
        ),
        (
            "(import \"a\" \"b-c\" (func)) (import \"a\" \"b_c\" (func))",
            "the import `b-c` of `a` and the import `b_c` of `a` would both be the symbol `a_b_c` of C",
        ),
    ];
    for (text, wanted) in cases {
        let said = refused(&folder, &format!("(module {text})"));
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

#[test]
fn objects_of_linked_modules_run() {
    let folder = folder("linked-run");
    let text = "(module (table 2 funcref) (elem (i32.const 0) $f) (func $f (result i32) (i32.const 7))
        (func (export \"f\") (result i32) (call_indirect (result i32) (i32.const 0))))";
    built(&folder, "module.wat", text);
    assert_eq!(run(&folder, SPASM, &["run", "module.o", "-f", "f"]), "7\n");
    built(
        &folder,
        "needing.wat",
        "(module (import \"env\" \"labs\" (func $labs (param i64) (result i64)))
        (func (export \"f\") (param i64) (result i64) (call $labs (local.get 0))))",
    );
    let ended = output(&folder, SPASM, &["run", "needing.o", "-f", "f", "-5"]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("`extern labs`"), "{said}");
}
