//! Programs of WASI as users of the command meet them.

use std::fs;
use std::path::PathBuf;

use super::spasm::{Folder, Said, run, run_in};

/// Functions of WASI, memory, and helpers: `$print` writes text, `$fail` ends the program where a function failed.
const HEAD: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  ;; Writes memory to a file.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $len))
    (call $check (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  ;; Ends the program with the number of an error.
  (func $check (param $error i32)
    (if (local.get $error) (then (call $exit (local.get $error)))))
"#;

/// A folder with a program in it.
fn program(folder: &Folder, name: &str, body: &str) -> String {
    folder.write(name, &format!("{HEAD}{body})"))
}

const ECHO: &str = r#"
  ;; Each argument on a line, and then each variable.
  (func (export "_start")
    (call $check (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (call $check (call $args_get (i32.const 64) (i32.const 1024)))
    (call $lines (i32.load (i32.const 20)))
    (call $check (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (call $check (call $environ_get (i32.const 64) (i32.const 1024)))
    (call $lines (i32.load (i32.const 20))))
  (func $lines (param $size i32) (local $at i32)
    (local.set $at (i32.const 1024))
    (loop $next
      (if (i32.lt_u (local.get $at) (i32.add (i32.const 1024) (local.get $size)))
        (then
          (if (i32.eqz (i32.load8_u (local.get $at))) (then (i32.store8 (local.get $at) (i32.const 10))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (call $write (i32.const 1) (i32.const 1024) (local.get $size)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
"#;

#[test]
fn arguments_are_text_and_the_environment_is_what_is_given() {
    let folder = Folder::new("wasi-echo");
    let echo = program(&folder, "echo.wat", ECHO);
    let said = |args: &[&str]| run(args, "");
    let lines = |out: &str| Said { out: out.to_owned(), err: String::new(), status: 0 };
    assert_eq!(said(&["run", &echo]), lines("echo.wat\n"));
    assert_eq!(
        said(&["run", &echo, "7", "-5", "two words", "--", "--dir", "x"]),
        lines("echo.wat\n7\n-5\ntwo words\n--dir\nx\n")
    );
    assert_eq!(
        said(&["run", "--env", "A=1", "--env=PATH=/x=y", "--env", "A=2", "--tier", "interp", &echo, "z"]),
        lines("echo.wat\nz\nPATH=/x=y\nA=2\n")
    );
    assert_eq!(said(&["run", &echo, "-f", "add", "40", "2"]), lines("42\n"));
}

const COPY: &str = r#"
  (data (i32.const 100) "in.txt") (data (i32.const 110) "out.txt") (data (i32.const 120) "../secret.txt")
  (data (i32.const 140) "link")
  (func $open (param $name i32) (param $len i32) (param $how i32) (result i32)
    (call $check (call $path_open (i32.const 3) (i32.const 1) (local.get $name) (local.get $len) (local.get $how)
      (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 16)))
    (i32.load (i32.const 16)))
  ;; Copies in.txt to out.txt.
  (func (export "_start") (local $in i32) (local $out i32)
    (local.set $in (call $open (i32.const 100) (i32.const 6) (i32.const 0)))
    (local.set $out (call $open (i32.const 110) (i32.const 7) (i32.const 9)))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4096))
    (call $check (call $fd_read (local.get $in) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $write (local.get $out) (i32.const 1024) (i32.load (i32.const 8)))
    (call $check (call $fd_close (local.get $out))))
  (func (export "leave") (drop (call $open (i32.const 120) (i32.const 13) (i32.const 0))))
  (func (export "follow") (drop (call $open (i32.const 140) (i32.const 4) (i32.const 0))))
  (func (export "follow_slash") (drop (call $open (i32.const 140) (i32.const 5) (i32.const 0))))
  (data (i32.const 144) "/")
"#;

#[test]
fn programs_work_in_the_directories_that_they_are_given_and_nowhere_else() {
    const BAD_FILE: i32 = 8;
    const NOT_PERMITTED: i32 = 63;
    let folder = Folder::new("wasi-copy");
    let copy = program(&folder, "copy.wat", COPY);
    let inside = PathBuf::from(&copy).with_file_name("inside");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("in.txt"), "what is to be copied").unwrap();
    folder.write("secret.txt", "not for programs");
    std::os::unix::fs::symlink("../secret.txt", inside.join("link")).unwrap();
    let dir = inside.to_str().unwrap();
    assert_eq!(run(&["run", &copy], ""), Said::quiet(BAD_FILE));
    for tier in ["interp", "baseline"] {
        let _ = fs::remove_file(inside.join("out.txt"));
        assert_eq!(run(&["run", "--tier", tier, "--dir", dir, &copy], ""), Said::quiet(0));
        assert_eq!(fs::read_to_string(inside.join("out.txt")).unwrap(), "what is to be copied");
    }
    assert_eq!(run(&["run", "--dir", &format!("{dir}::/data"), &copy], ""), Said::quiet(0));
    for way_out in ["leave", "follow", "follow_slash"] {
        assert_eq!(run(&["run", "--dir", dir, &copy, "-f", way_out], ""), Said::quiet(NOT_PERMITTED), "{way_out}");
    }
}

#[test]
fn standard_input_and_exit_codes() {
    let folder = Folder::new("wasi-streams");
    let body = r#"
  (func (export "_start") (local $byte i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4096))
    (call $check (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $write (i32.const 2) (i32.const 1024) (i32.load (i32.const 8)))
    (local.set $byte (i32.load8_u (i32.const 1024)))
    (if (i32.eq (local.get $byte) (i32.const 48)) (then (return)))
    (if (i32.eq (local.get $byte) (i32.const 49)) (then (unreachable)))
    (call $exit (local.get $byte)))"#;
    let file = program(&folder, "exit.wat", body);
    for tier in ["interp", "baseline"] {
        let said = |input: &str| run(&["run", "--tier", tier, &file], input);
        let ends = |err: &str, status| Said { out: String::new(), err: err.to_owned(), status };
        assert_eq!(said("0"), ends("0", 0));
        assert_eq!(said("A line\n"), ends("A line\n", 65));
        let byte = run_in(&["run", "--tier", tier, &file], b"\x7f");
        assert_eq!(byte.status, 127);
        let trapped = said("1");
        assert_eq!(trapped.status, 134);
        assert!(trapped.err.starts_with("1trap: unreachable\n"), "{}", trapped.err);
    }
}

#[test]
fn a_library_is_made_ready_before_a_function_of_it_is_called() {
    let folder = Folder::new("wasi-reactor");
    let body = r#"
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
  (func (export "ready") (result i32) (global.get $ready))"#;
    let file = program(&folder, "library.wat", body);
    assert_eq!(run(&["run", &file, "-f", "ready"], ""), Said { out: "1\n".to_owned(), err: String::new(), status: 0 });
}

#[test]
fn what_cannot_be_granted_is_said() {
    let folder = Folder::new("wasi-wrong");
    let echo = program(&folder, "echo.wat", ECHO);
    let file = folder.write("file.txt", "");
    let message = |args: &[&str]| {
        let said = run(&[&["run"], args].concat(), "");
        let text = said.err.replace(echo.trim_end_matches("echo.wat"), "");
        (said.status, text.split("\n\n").next().unwrap().trim_end().to_owned())
    };
    let says = |status: i32, text: &str| (status, text.to_owned());
    assert_eq!(
        message(&["--dir", "no-such-directory", &echo]),
        says(1, "error: cannot grant `no-such-directory`: there is no such directory")
    );
    assert_eq!(
        message(&["--dir", &file, &echo]),
        says(1, "error: cannot grant `file.txt`: it is no directory\n  = help: grant the directory that it is in")
    );
    assert_eq!(
        message(&["--dir", "::x", &echo]),
        says(
            2,
            "error: --dir cannot be `::x`: it is to be HOST or HOST::GUEST\n  = help: --dir . grants this directory, \
             --dir .::/data the same under the name /data"
        )
    );
    assert_eq!(
        message(&["--dir", ".::/x", "--dir", "..::/x", &echo]),
        says(2, "error: `.` and `..` are both to be `/x`\n  = help: two directories need two names: --dir HOST::GUEST")
    );
    assert_eq!(
        message(&["--env", "HOME", &echo]),
        says(
            2,
            "error: --env cannot be `HOME`: it is to be NAME=VALUE\n  = help: to pass on the value that it has here: \
             --env HOME=\"$HOME\""
        )
    );
    assert_eq!(
        message(&["--env", "=x", &echo]),
        says(2, "error: --env cannot be `=x`: the name before `=` is missing")
    );
    assert_eq!(
        message(&["--dir", ".", "fib.spasm", "3"]),
        says(
            2,
            "error: --dir is of no use to fib.spasm: it imports no function of WASI\n  = help: it is for WebAssembly \
             programs that were compiled for WASI preview 1"
        )
    );
    assert_eq!(message(&["--sandbox", "--env", "A=1", &echo]), says(2, "error: --env grants what --sandbox refuses"));
}

#[test]
fn programs_become_executables() {
    let folder = Folder::new("wasi-exe");
    let echo = program(&folder, "echo.wat", ECHO);
    let out = folder.path("echo");
    let ends = |out: &str, status| Said { out: out.to_owned(), err: String::new(), status };
    assert_eq!(run(&["build", "--exe", "--env", "A=b", &echo, "-o", &out], ""), Said::quiet(0));
    assert_eq!(execute(&out, &["--help", "-f", "7"], &folder), ends("echo\n--help\n-f\n7\nA=b\n", 0));

    let copy = program(&folder, "copy.wat", COPY);
    let copies = folder.path("copies");
    assert_eq!(run(&["build", "--exe", "--dir", ".", &copy, "-o", &copies], ""), Said::quiet(0));
    folder.write("in.txt", "where it runs");
    assert_eq!(execute(&copies, &[], &folder), Said::quiet(0));
    assert_eq!(fs::read_to_string(folder.path("out.txt")).unwrap(), "where it runs");

    // Damage to what is carried, and to its end.
    let whole = fs::read(&out).unwrap();
    let damaged = folder.path("damaged");
    let says = |bytes: &[u8], what: &str| {
        fs::copy(&out, &damaged).unwrap();
        fs::write(&damaged, bytes).unwrap();
        let said = execute(&damaged, &["x"], &folder);
        assert_eq!((said.status, said.out.as_str()), (1, ""), "{what}");
        assert!(said.err.contains(&format!("is damaged: {what}\n")), "{}", said.err);
    };
    let mut flipped = whole.clone();
    flipped[whole.len() - 200] ^= 1;
    says(&flipped, "its checksum is wrong");
    says(&whole[..whole.len() - 100], "its end is missing");
    let mut long = whole.clone();
    long[whole.len() - 13] = 1;
    says(&long, "it is shorter than it says");
}

fn execute(program: &str, args: &[&str], folder: &Folder) -> Said {
    let output = std::process::Command::new(program).args(args).current_dir(folder.path("")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { out: text(output.stdout), err: text(output.stderr), status: output.status.code().unwrap() }
}

#[test]
fn what_becomes_no_executable() {
    let folder = Folder::new("wasi-no-exe");
    let out = folder.path("out");
    let message = |file: &str, more: &[&str]| {
        let said = run(&[&["build", "--exe", file, "-o", &out], more].concat(), "");
        (said.status, said.err.lines().next().unwrap().replace(&folder.path(""), ""))
    };
    let says = |status: i32, text: &str| (status, format!("error: {text}"));
    assert_eq!(message("fib.spasm", &[]), says(1, "`fib.spasm` exports no function `_start`"));
    let echo = program(&folder, "echo.wat", ECHO);
    assert_eq!(message(&echo, &["--header", "x.h"]), says(2, "--header is for objects, and --exe makes none"));
    let asks = folder.write(
        "asks.wat",
        r#"(module (import "env" "ask" (func)) (memory (export "memory") 1) (func (export "_start") (call 0)))"#,
    );
    assert_eq!(message(&asks, &[]), says(1, "asks.wat imports `env` `ask`, which is not of WASI preview 1"));
    let said = run(&["build", "--dir", ".", "fib.spasm", "-o", &out], "");
    assert_eq!(said.status, 2);
    assert!(said.err.starts_with("error: --dir and --env are for programs that --exe makes\n"), "{}", said.err);
    assert!(!std::path::Path::new(&out).exists());
}
