//! What is said where something is wrong with a declared opcode: in a template, in a program, or between the two.

use std::path::PathBuf;

use spasm::engine::{Config, Engine, Features, Tier};
use spasm::isa::custom::CustomOp;
use spasm::isa::op::{Op, Type};
use spasm::module::{Custom, Module};
use spasm::{text, verify};

use super::{engines, load, refusal, snippets, verified};

/// A folder of templates, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("custom-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn message(&self) -> String {
        load(std::slice::from_ref(&self.0)).map(|loaded| loaded.extracted.len()).expect_err("refused").to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn templates_that_do_not_fit_their_opcode_are_refused() {
    let folder = Folder::new("templates");
    let op = "opcode x.i64(i64, i64) -> i64\n";
    let template = |operands: &str| format!("{op}template x.i64{operands}\n        nop\nend\n");
    let all = |operands: &str, body: &str| format!("{op}template x.i64, {operands}\n        {body}\nend\n");
    let cases = [
        ("opcode x.i64(i64) -> i64\n".to_owned(), "mine.S:1: there is no template for opcode `x.i64` in this file"),
        (format!("{op}{op}"), "mine.S:2: opcode `x.i64` is declared twice"),
        ("opcode x(i8)\n".to_owned(), "mine.S:1: `i8` is no type"),
        ("opcode add.i8(i32) -> i32\n".to_owned(), "`add` means something else in programs"),
        ("opcodes x(i64)\n".to_owned(), "expected `template NAME, …`, `opcode NAME(T, …) -> T` or a comment"),
        ("template x.i64, out d:gp\n        mov \\d, 1\nend\n".to_owned(), "declare it (`opcode NAME(i64) -> i64`)"),
        (
            template(""),
            "has no result `d`; it was declared as `x.i64(i64, i64) -> i64`: write `out d:gp, in a:gp, in b:gp`",
        ),
        (all("out d:gp, in a:gp", "lea \\d, [\\a+\\a]"), "has no source `b`"),
        (
            all("out d:gp, in a:gp, in b:xmm", "movq \\d, \\b; add \\d, \\a"),
            "operand `b` is not the source of that name",
        ),
        (all("out d:xmm, in a:gp, in b:gp", "movq \\d, \\b; add \\a, \\a"), "operand `d` is not the result"),
        (all("inout d:gp, in a:gp, in b:gp", "mov \\d, \\a; add \\d, \\b"), "has an operand `a` too many"),
        (all("inout d:gp, in b:imm32", "add \\d, \\b"), "operand `b` is of kind imm32"),
        (all("inout d:gp, in b:gp, clobber rbx", "xor ebx, ebx; add \\d, \\b"), "a variable may live there"),
        (all("inout d:gp, in b:gp-rcx-rdx-rax", "add \\d, \\b"), "excludes so many scratch registers"),
        (all("inout d:gp-rcx-rdx, in b:gp-rcx-rdx", "add \\d, \\b"), "excludes so many scratch registers"),
        (
            all("inout d:gp, in b:gp", "add \\d, \\b\n        trap halt"),
            "mine.S:4: template `x.i64`: no declared opcode ends",
        ),
        (all("inout d:gp, in b:gp, needs avx512", "add \\d, \\b"), "`needs avx512`: expected one of bmi1"),
        (
            "opcode y.f64(i64) -> f64\ntemplate y.f64, inout d:xmm\n        addsd \\d, \\d\nend\n".to_owned(),
            "`inout d` is no first source and result in one",
        ),
    ];
    for (text, message) in cases {
        folder.write("mine.S", &text);
        let said = folder.message();
        assert!(said.contains(message), "{text}\n{said}\ninstead of\n{message}");
    }
    folder.write("mine.S", &all("inout d:gp, in b:gp", "add \\d, \\b"));
    folder.write("other.S", "opcode x.i64(i64) -> i64\ntemplate x.i64, inout d:gp\n        neg \\d\nend\n");
    assert!(
        folder
            .message()
            .contains("is for `x.i64(i64) -> i64`, which another file declares as `x.i64(i64, i64) -> i64`")
    );
}

fn said(source: &str) -> String {
    let errors = text::parse_with("test.spasm", source, &snippets().opcodes()).expect_err("it should be refused");
    errors.to_string()
}

#[test]
fn programs_that_use_what_nobody_declares_are_told_so() {
    let unknown = text::parse("test.spasm", "func f(i64) -> i64\n    crc32.i64 r1, a1, a1\n    ret r1\n").unwrap_err();
    let unknown = unknown.to_string();
    assert!(unknown.contains("test.spasm:2:5") && unknown.contains("there is no instruction `crc32.i64`"), "{unknown}");
    assert!(
        unknown.contains("if a template declares it, give the folder of the template with `--snippets DIR`"),
        "{unknown}"
    );
    let cases = [
        ("func f\n swap.i32 r1, r2\n ret\n", "there is no `.i32` form of `swap`"),
        ("func f\n swap.i32 r1, r2\n ret\n", "it comes as `swap.i64`"),
        ("func f\n over r1, r2, r3\n ret\n", "`over` needs its type behind it"),
        ("func f\n mulh.i64 r1, r2, r3\n ret\n", "did you mean `mul`?"),
        ("func f\n weight.f64 r1, r2, r3, r4\n ret\n", "did you mean `weigh.f64`?"),
        ("func f\n swap r1\n ret\n", "`swap` takes 2 operands, but 1 is given"),
        ("func f\n swap r1\n ret\n", "it is written `swap d, a`"),
        ("func f\n put.i64 r1, r2, r3\n ret\n", "it is written `put.i64 a, b`"),
        ("func f\n swap r1, 2.5\n ret\n", "expected a register, found `2.5`"),
        ("swap r1, r1\n", "this stands outside of every function"),
        ("opcode\n", "the opcode's name is missing here"),
        ("opcode x\n", "write `opcode crc32.i64(i64, i64) -> i64`"),
        ("opcode x(i64) -> (i64, i64)\n", "an opcode has one result at most"),
        ("opcode x(i64, ...) -> i64\n", "expected a type"),
        ("opcode add.i64(i64) -> i64\n", "`add` means something else"),
        ("opcode x(i64)\nopcode x(i64)\n", "opcode `x` is defined twice"),
        ("opcode swap.i64(i32) -> i32\n", "the templates declare this opcode otherwise: `swap.i64(i64) -> i64`"),
    ];
    for (source, message) in cases {
        assert!(said(source).contains(message), "{source}{}\ninstead of\n{message}", said(source));
    }
}

#[test]
fn the_verifier_knows_their_types() {
    let module =
        text::parse_with("test.spasm", "func f(f64) -> i64\n swap r1, a1\n ret r1\n", &snippets().opcodes()).unwrap();
    let error = verify::verify(module).unwrap_err().to_string();
    assert!(error.contains("a1 is used as int here, but it is f64"), "{error}");
    let good =
        text::parse_with("test.spasm", "func f(i64) -> i64\n swap r1, a1\n ret r1\n", &snippets().opcodes()).unwrap();
    let refused = |change: &dyn Fn(&mut Module)| {
        let mut module = good.clone();
        change(&mut module);
        verify::verify(module).unwrap_err().to_string()
    };
    let custom = |name: &str, params: usize| Custom {
        op: CustomOp { name: name.to_owned(), params: vec![Type::I64; params], result: Some(Type::I64) },
        line: 0,
    };
    assert!(refused(&|m| m.customs.clear()).contains("there is no opcode number 0"));
    assert!(refused(&|m| m.functions[0].insts[0].b = 99).contains("the list of operands is damaged"));
    assert!(
        refused(&|m| m.customs[0] = custom("swap.i64", 2)).contains("`swap.i64` reads 2 registers, but 1 are given")
    );
    assert!(refused(&|m| m.customs.push(custom("swap.i64", 1))).contains("two opcodes with the name `swap.i64`"));
    assert!(refused(&|m| m.customs.push(custom("jmp", 1))).contains("`jmp` means something else"));
    assert!(refused(&|m| m.customs.push(custom("x\ny", 1))).contains("is no name for an opcode"));
    assert!(refused(&|m| m.customs.push(custom("x", 4))).contains("reads 4 registers"));
    assert_eq!(good.functions[0].insts[0].op, Op::Custom);
}

#[test]
fn engines_without_the_template_say_what_is_missing() {
    let used = verified("func f(i64) -> i64\n swap r1, a1\n ret r1\n", snippets());
    for tier in [Tier::Interp, Tier::Baseline] {
        let engine = Engine::new(Config { tier, ..Config::default() });
        let message = refusal(&engine, &used);
        let wanted = "no template declares the opcode `swap.i64` (in `f`, line 2): is `--snippets DIR` missing";
        assert!(message.starts_with(wanted), "{message}");
    }
    let otherwise = text::parse("test.spasm", "opcode swap.i64(i32) -> i32\nfunc f\n swap r1, r1\n ret\n").unwrap();
    let otherwise = verify::verify(otherwise).unwrap();
    for (_, engine) in engines(snippets()) {
        let message = refusal(&engine, &otherwise);
        let wanted =
            "the program takes an opcode for `swap.i64(i32) -> i32`, but its template declares `swap.i64(i64) -> i64`";
        assert!(message.starts_with(wanted), "{message}");
    }
    // What no instruction uses may be missing.
    let unused = text::parse("test.spasm", "opcode nobody.i64(i64) -> i64\nfunc f\n ret\n").unwrap();
    let unused = verify::verify(unused).unwrap();
    for tier in [Tier::Interp, Tier::Baseline] {
        Engine::new(Config { tier, ..Config::default() }).instantiate(&unused).unwrap().call("f", &[]).unwrap();
    }
}

#[test]
fn a_machine_that_lacks_what_all_templates_need_is_told() {
    let folder = Folder::new("needs");
    folder.write(
        "x.S",
        "opcode x.i64(i64) -> i64\ntemplate x.i64, out d:gp, in a:gp, needs bmi1\n        blsr \\d, \\a\nend\n",
    );
    let loaded = load(std::slice::from_ref(&folder.0)).unwrap();
    let verified = verified("func f(i64) -> i64\n x r1, a1\n ret r1\n", loaded.snippets);
    let snippets = Some(loaded.snippets);
    let engine = Engine::new(Config { left_out: Features(u16::MAX), snippets, ..Config::default() });
    let message = refusal(&engine, &verified);
    assert!(
        message.starts_with("opcode `x.i64` needs bmi1, which the machine that is stitched for lacks (in `f`, line 2)"),
        "{message}"
    );
}
