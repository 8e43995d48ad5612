//! The build refuses wrong templates, and says where they are wrong and what to write.
//!
//! Comes in: templates with one thing wrong in each. What must hold: the errors name file, line, template and operand,
//! whichever C compiler assembles. What runs here is what the build runs: it includes the same files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use spasm::isa::extract::{Extracted, extract};
use spasm::isa::snippet::Kind;
use spasm::isa::table;
use spasm::isa::template::{Abi, Template, TemplateError, parse};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("asm/x86_64")
}

static ABI: LazyLock<Abi> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("abi.inc")).unwrap();
    Abi::parse("abi.inc", &text).unwrap()
});

/// The compilers that there are on this machine.
static COMPILERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let found: Vec<&str> = ["cc", "gcc", "clang"].into_iter().filter(runs).collect();
    assert!(!found.is_empty(), "there is no C compiler");
    found
});

/// The templates of the repository, by file.
fn repository() -> Vec<Template> {
    let mut templates = Vec::new();
    for folder in ["op", "fused", "frame"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "S") {
                let name = format!("{folder}/{}", path.file_name().unwrap().display());
                templates.extend(parse(&name, &std::fs::read_to_string(&path).unwrap(), &ABI).unwrap());
            }
        }
    }
    templates
}

static LIBRARY: LazyLock<Vec<Extracted>> = LazyLock::new(|| assemble(repository(), "cc").unwrap());

fn assemble(templates: Vec<Template>, compiler: &str) -> Result<Vec<Extracted>, Vec<TemplateError>> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let name = format!("build_errors_{}", CALLS.fetch_add(1, Ordering::Relaxed));
    extract(templates, &ABI, compiler, Path::new(env!("CARGO_TARGET_TMPDIR")), &name)
}

/// What the build says of these templates, standing in `op/test.S` beside those of the repository.
fn refused_by(compiler: &str, text: &str) -> String {
    let lines = |errors: Vec<TemplateError>| errors.iter().map(|e| format!("{e}\n")).collect::<String>();
    let templates = match parse("op/test.S", text, &ABI) {
        Ok(templates) => templates,
        Err(error) => return lines(vec![error]),
    };
    match assemble(templates, compiler) {
        Ok(extracted) => match table::build(LIBRARY.iter().cloned().chain(extracted).collect()) {
            Ok(_) => String::from("nothing\n"),
            Err(errors) => lines(errors),
        },
        Err(errors) => lines(errors),
    }
}

/// Holds what every compiler makes of `text` against `expected`; `…` in it stands for anything within a line.
#[track_caller]
fn refuses(text: &str, expected: &str) {
    for compiler in &*COMPILERS {
        let said = refused_by(compiler, text);
        let fits = |(line, pattern): (&str, &str)| {
            let mut rest = line;
            let mut parts = pattern.split('…');
            rest.strip_prefix(parts.next().unwrap()).is_some_and(|after| {
                rest = after;
                parts.all(|part| match rest.find(part) {
                    Some(at) if part.is_empty() || at + part.len() <= rest.len() => {
                        rest = if part.is_empty() { "" } else { &rest[at + part.len()..] };
                        true
                    }
                    _ => false,
                })
            }) && rest.is_empty()
        };
        let equal = said.lines().count() == expected.lines().count() && said.lines().zip(expected.lines()).all(fits);
        assert!(equal, "with {compiler}:\n{said}instead of\n{expected}");
    }
}

#[test]
fn the_repository_is_complete_and_every_part_of_it_is_needed() {
    let tables = table::build(LIBRARY.clone()).unwrap();
    assert_eq!(tables.snippets.len(), LIBRARY.len());
    let without = |name: &str| {
        let rest = LIBRARY.iter().filter(|snippet| snippet.template.name != name).cloned().collect();
        table::build(rest).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for name in ["add.i64", "clz.i32", "jmp", "select.f32", "mload.8u", "print.f64"] {
        let mnemonic = name.split('.').next().unwrap();
        let expected = format!(
            "op/{mnemonic}.S: there is no template `{name}` for plain x86-64: write `template {name}, …` with its body \
             and `end`"
        );
        assert_eq!(without(name), expected);
    }
    let part = "frame/*.S: there is no template `frame.push` for plain x86-64: write `template frame.push, …` with its \
                body and `end`";
    assert_eq!(without("frame.push"), part);
    let cold = without("cvt.i32.f64/cold");
    assert!(cold.starts_with("op/cvt.S:"), "{cold}");
    assert!(cold.ends_with(": jumps to `cold`, but there is no template `cvt.i32.f64/cold`"), "{cold}");
}

#[test]
fn a_better_machine_is_no_excuse() {
    let plain = |s: &&Extracted| s.template.name != "popcnt.i64" || s.template.needs != 0;
    let errors = table::build(LIBRARY.iter().filter(plain).cloned().collect()).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.starts_with("there is no template `popcnt.i64` for plain x86-64"), "{}", errors[0]);
}

#[test]
fn whatever_no_other_form_serves_is_brought_into_registers() {
    let without = |name: &str, second: Kind| {
        let is_it = |s: &&Extracted| s.template.name != name || s.template.operands.iter().any(|o| o.kind == second);
        let errors = table::build(LIBRARY.iter().filter(is_it).cloned().collect()).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let expected = "op/sub.S: no template `sub.i64` for plain x86-64 takes all operands in registers: write one, for all \
                    other cases";
    assert_eq!(without("sub.i64", Kind::Imm32), expected);
    let expected = "fused/less.S: no template `less.i64+jmpf` for plain x86-64 takes all operands in registers: write \
                    one, for all other cases";
    assert_eq!(without("less.i64+jmpf", Kind::Imm32), expected);
    let expected = "fused/less.S: there is no template `less.i64+jmpf` for plain x86-64: write `template less.i64+jmpf, \
                    …` with its body and `end`";
    assert_eq!(without("less.i64+jmpf", Kind::Data), expected);
}

#[test]
fn a_template_is_an_opcode_a_fusion_or_a_part() {
    refuses(
        "template frobnicate.i64, out d:gp, in a:gp\n mov \\d, \\a\nend\n",
        "op/test.S:1: template `frobnicate.i64`: is neither an opcode of the table, nor a fusion of two \
         (`less.i64+jmpt`), nor a part of a frame: add a row for it, or declare it (`opcode NAME(i64) -> i64`), or \
         correct the name",
    );
    refuses(
        "template less.i64+jump, in a:gp, in b:gp, target t:rel32, clobber flags\n cmp \\a, \\b\n jl \\t\nend\n",
        "op/test.S:1: template `less.i64+jump`: `jump` is no opcode of the table: a fusion joins two that are, as in \
         `less.i64+jmpt` and `shl.i64+add.i64`",
    );
}

#[test]
fn fusions_are_of_opcodes_that_can_be_one() {
    let refused = |declaration: &str, message: &str| {
        let text = format!("\ntemplate {declaration}\n lea \\d, [\\a + \\c]\nend\n");
        let name = declaration.split(',').next().unwrap();
        refuses(&text, &format!("op/test.S:2: template `{name}`: {message}"));
    };
    let operands = "out d:gp, in a:gp, in c:gp";
    let joined = |name: &str, message: &str| refused(&format!("{name}, {operands}"), message);
    joined("add.i64+add.i64+add.i64", "joins 3 instructions: two are the most");
    joined("add.i64+frob.i64", "`frob.i64` is no opcode of the table: a fusion joins two that are, as in …");
    joined("mstore.i64+add.i64", "`mstore.i64` neither computes a value nor reads one: a fusion begins with what does");
    joined("add.i64+mload.i64", "`mload.i64` neither computes a value nor branches: a fusion ends with what does");
    joined("not.i64+jmpt", "a branch is fused to an opcode with two sources, and `not.i64` is none");
    joined("div.i64+add.i64", "`div.i64` can trap: in a fusion nothing may but the load that it begins with");
    joined("mload.i64+div.i64", "`div.i64` can trap: a fault in a fusion belongs to its first instruction");
    joined("mload.f64+add.i64", "`add.i64` cannot read what `mload.f64` gives: their types differ");
    joined(
        "shl.i64+sub.i64",
        "say which source of `sub.i64` the first result is: write `feeds a` or `feeds b`, and the …",
    );
    refused(
        "shl.i64+add.i64, out d:gp, in a:gp, in c:gp, feeds a",
        "`add.i64` takes its sources in any order: drop `feeds`",
    );
    refused(
        "shl.i64+not.i64, out d:gp, in a:gp, in c:gp, feeds a",
        "`feeds` says which of two sources is meant, and …",
    );
    refused(
        "less.i64+jmpt, in a:gp, in c:gp, out d:gp, where b 3",
        "a branch reads the result and nothing else: drop `where` and …",
    );
    refused(
        "zext8, out d:gp, in a:gp, in c:gp, where b 3",
        "`where` and `feeds` are for opcodes of the table: drop them",
    );
}

#[test]
fn conditions_of_fusions() {
    let refused = |clause: &str, message: &str| {
        let text =
            format!("template shl.i64+add.i64, out d:gp, in a:gp, in c:gp, {clause}\n lea \\d, [\\a + \\c]\nend\n");
        refuses(&text, &format!("op/test.S:1: template `shl.i64+add.i64`: {message}"));
    };
    refused(
        "where b",
        "`where b`: expected a source and a constant of 32 bits, as in `where b 3`, or a power of two, …",
    );
    refused("where b 1 2", "`where b 1 2`: expected a source and…");
    refused("where b 0x100000000", "`where b 0x100000000`: expected a source and…");
    refused("where d 3", "`where d`: there is no source `d`");
    refused("where b 1, where b 2", "`where b` is said twice");
    refused("where c 1", "has no source `b`: write `out d:gp, in a:gp, in b:gp`, or `inout d` …");
    refused("in b:gp", "has more than 3 register operands; …");
    refused("in o:off32, where b 1", "operand `o` is declared but never used: …");
    let declared = |name: &str, declaration: &str, message: &str| {
        let text = format!("template {name}, {declaration}\n lea \\d, [\\a + \\c]\nend\n");
        refuses(&text, &format!("op/test.S:1: template `{name}`: {message}"));
    };
    declared(
        "mul.i64",
        "out d:gp, in a:gp, in c:gp, where a 3",
        "`where a`: a constant source that can be exchanged is …",
    );
    declared(
        "not.i64",
        "out d:gp, in a:gp, in c:gp, where a 3",
        "`where` is for opcodes that compute something from two …",
    );
    declared(
        "mul.f64",
        "out d:xmm, in a:xmm, in c:xmm, where b 3",
        "`where b`: it is an f64, and conditions are for ints",
    );
    declared(
        "mload.i64+add.i64",
        "out d:gp, in a:gp, in c:gp, where a 3",
        "`where a`: of what is loaded nothing is known when code is made",
    );
}

#[test]
fn operands_of_fusions() {
    let refused = |name: &str, declaration: &str, body: &str, message: &str| {
        let text = format!("template {name}, {declaration}\n {body}\nend\n");
        refuses(&text, &format!("op/test.S:1: template `{name}`: {message}"));
    };
    let lea = "lea \\d, [\\a + \\c]";
    refused(
        "shl.i64+add.i64",
        "in d:gp, in a:gp, in c:gp, where b 1",
        lea,
        "has no result `d`: write `out d:gp, in a:gp, …",
    );
    refused("shl.i64+add.i64", "out d:gp, in a:gp, where b 1", "mov \\d, \\a", "has no source `c`: write `out d:gp, …");
    refused(
        "shl.i64+add.i64",
        "inout d:gp, in a:gp, in c:gp, where b 1, clobber flags",
        "lea \\d, [\\a + \\c]",
        "`inout d` is the result and the source that is not named, but all are: write …",
    );
    refused(
        "mload.i64+add.i64",
        "inout d:gp, in a:gp, clobber flags",
        "add \\d, [MEMORY + \\a]",
        "has no offset `o`: write `out d:gp, in a:gp, in c:gp, in o:off32`, or `inout d` …",
    );
    refused(
        "mload.f64+add.f64",
        "inout d:xmm, in a:gp, in o:off32, in c:xmm, feeds b",
        "addsd \\d, \\c\n addsd \\d, qword ptr [MEMORY + \\a + \\o]",
        "`inout d` is the result and the source that is not named, but all are: write …",
    );
    refused(
        "mul.i64",
        "out d:gp, in a:gp, in n:imm32, where b 2^n",
        "imul \\d, \\a, \\n",
        "operand `n` is the exponent of the power of two: write `out d:gp, in a:gp, in n:imm8`, or `inout d` …",
    );
    refused(
        "mul.i64",
        "out d:gp, in a:gp, in n:imm8, where b 3",
        "imul \\d, \\a, \\n",
        "has an operand `n` too many: …",
    );
    refused(
        "shl.i64+add.i64",
        "out d:gp, in a:gp, in c:gp, where b 1",
        &format!("{lea}\n trap unreachable"),
        "`trap unreachable`: a fusion neither traps by itself nor has a part out of line",
    );
    refused(
        "shl.i64+add.i64",
        "out d:gp, in a:gp-rax-rcx-rdx, in c:gp, where b 1",
        lea,
        "excludes so many scratch registers that its operands cannot all be loaded into some that are left: …",
    );
}

#[test]
fn declarations() {
    refuses("nop\n", "op/test.S:1: expected `template NAME, …`, `opcode NAME(T, …) -> T` or a comment, found `nop`");
    refuses("# a comment\nend\n", "op/test.S:2: `end` without `template`");
    refuses("template not.i64\n nop\n", "op/test.S:1: template `not.i64`: `end` is missing");
    refuses("template not.i64\ntemplate neg.i64\n", "op/test.S:2: template `not.i64`: `end` is missing before line 2");
    let declared = |declaration: &str, message: &str| {
        let text = format!("\ntemplate not.i64, {declaration}\n not \\d\nend\n");
        refuses(&text, &format!("op/test.S:2: template `not.i64`: {message}"));
    };
    declared("inout d:gp, in b:reg", "operand `b`: `reg` is none of gp, xmm, imm8, …, data");
    declared("inout d:gp, in b", "`in b`: expected `NAME:KIND`, such as `in a:gp`");
    declared("inout d:gp, in d:gp", "operand `d` is declared twice");
    declared(
        "output d:gp",
        "expected `in`, `out`, `early`, `inout`, `target`, `where`, `feeds`, `clobber` or `needs`, found `output`",
    );
    declared("inout d:gp-xmm3", "operand `d`: `-xmm3` excludes no gp register");
    declared("inout d:gp-rbz", "operand `d`: `-rbz` excludes no gp register");
    declared("inout d:gp, clobber rbz", "`clobber rbz`: expected a register, a role or `flags`");
    declared(
        "inout d:gp, clobber rax rbx",
        "`clobber rbx`: a variable may live there; work in the scratch registers, rcx, rdx, rax, xmm15, xmm14, xmm13",
    );
    declared("inout d:gp, needs avx512", "`needs avx512`: expected one of bmi1, bmi2, lzcnt, …, movbe");
    declared("inout d:gp, in b:gp", "operand `b` is declared but never used: write \\b in the body or drop it");
    declared(
        "inout d:gp, in a:gp, in b:gp, in c:gp",
        "has more than 3 register operands; the result may take the place…",
    );
}

#[test]
fn bodies() {
    let body = |declaration: &str, body: &str, line: u32, message: &str| {
        let text = format!("template not.i64, {declaration}\n        {}\nend\n", body.replace("; ", "\n        "));
        refuses(&text, &format!("op/test.S:{line}: template `not.i64`: {message}"));
    };
    body("inout d:gp", "not \\e", 1, "operand `d` is declared but never used: write \\d in the body or drop it");
    body(
        "inout d:gp",
        "not \\d; mov \\e, 1",
        3,
        "`\\e` is no declared operand: declare it, as in `in e:gp`, or correct it",
    );
    body("inout d:xmm", "movd \\d32, \\d", 2, "`\\d32` is no declared operand: …");
    body("inout d:gp", "not \\d; trap division", 3, "`trap division` names no trap; write `_` for spaces");
    body(
        "inout d:gp",
        "fault divide \\x; idiv \\d",
        2,
        "`fault divide \\x`: expected an operand of kind gp, such as `\\b`",
    );
    body("inout d:gp", ".fill 32, 8, 0x90; not \\d", 1, "is 259 bytes long; a snippet has at most 255");
}

#[test]
fn the_assembler_is_quoted_at_the_line_that_a_person_wrote() {
    let text = "template not.i64, out d:gp, in a:gp\n        mov     \\d, \\a\n        invert  \\d\n        not     \\d8, 3\nend\n";
    refuses(
        text,
        "op/test.S:3: template `not.i64`: the assembler refuses `invert  r11`: …\n\
         op/test.S:4: template `not.i64`: the assembler refuses `not     r11b, 3`: …",
    );
}

#[test]
fn a_compiler_must_be_there() {
    let text = "template not.i64, inout d:gp\n not \\d\nend\n";
    let said = refused_by("no-such-compiler -m64", text);
    assert!(said.starts_with("the system assembler: cannot run `no-such-compiler -m64`: "), "{said}");
    assert!(said.ends_with("; install a C compiler, or name one in the environment variable CC\n"), "{said}");
    let said = refused_by("false", text);
    assert!(said.starts_with("the system assembler: `false` failed:"), "{said}");
}

#[test]
fn relocations() {
    let xor = |operand: &str, body: &str, message: &str| {
        let text = format!("template xor.i64, inout d:gp-rax, in b:{operand}, clobber flags\n        {body}\nend\n");
        refuses(&text, &format!("op/test.S:1: template `xor.i64`: {message}"));
    };
    xor(
        "imm32",
        "movabs rax, \\b\n        xor \\d, rax",
        "operand `b` stands where the assembler leaves R_X86_64_64, which fills no hole of kind imm32: that takes an \
         immediate of 32 bits that the instruction sign-extends",
    );
    xor(
        "imm64",
        "mov rax, [rax + \\b]\n        xor \\d, rax",
        "operand `b` stands where the assembler leaves R_X86_64_32S, which fills no hole of kind imm64: that takes the \
         immediate of `movabs`",
    );
    xor(
        "slot32",
        "xor \\d, [rip + \\b]",
        "operand `b` stands where the assembler leaves R_X86_64_PC32, which fills no hole of kind slot32: that takes a \
         displacement: `[FRAME + \\x]`",
    );
    xor(
        "imm32",
        "xor \\d, [rip + some_table]\n        xor \\d, \\b",
        "refers to the symbol `some_table`, which is no hole: declare it as an operand and write \\name",
    );
    xor(
        "imm8",
        "xor \\d, \\b\n        xor \\d, [rip + HOLE_c]",
        "refers to the symbol `HOLE_c`, which is no hole: declare it as an operand and write \\name",
    );
    xor("imm32", ".ifc \\b, x; nop; .endif\n        not \\d", "operand `b` leaves no hole in the code");
    xor(
        "imm8",
        "mov eax, \\b\n        xor \\d, rax",
        "operand `b`: its value takes more than one byte of the code; declare it with the wider kind",
    );
    xor(
        "imm8",
        "xor \\d, ~\\b",
        "operand `b`: its value stands in no one byte of the code as it is: write \\b alone where the instruction takes \
         a byte",
    );
}

#[test]
fn lengths() {
    let text = |declaration: &str, body: &str| format!("template {declaration}\n        {body}\nend\n");
    refuses(
        &text("add.i64, out d:gp, in a:gp, in b:gp", "lea \\d, [\\a + \\b]"),
        "op/test.S:1: template `add.i64`: its encodings differ in length: 4 bytes with d=r11 a=r11 b=r11, 5 bytes with \
         …a=rbp…. Pin the encoding ({disp8}, {disp32}, {vex3}), or exclude the register from the operand (`in a:gp-rbp`)",
    );
    refuses(
        &text("not.i64, inout d:gp, clobber flags", "add \\d, 1000"),
        "op/test.S:1: template `not.i64`: its encodings differ in length: 7 bytes with d=r11, 6 bytes with d=rax. Pin …",
    );
    refuses(
        &text("add.f64, out d:xmm, in a:xmm, in b:xmm, needs avx", "vaddsd \\d, \\a, \\b"),
        "op/test.S:1: template `add.f64`: its encodings differ in length: …",
    );
}

#[test]
fn register_holes() {
    refuses(
        "template not.i64, inout d:gp\n .ifc \\d, rbp; neg \\d; .else; not \\d; .endif\nend\n",
        "op/test.S:1: template `not.i64`: its encoding with d=rbp is not what the bits of the registers give ([…] instead \
         of […]): pin the encoding, or exclude the register from the operand",
    );
    refuses(
        "template neg.i64, inout d:gp\n .ifc \\d, r10; dec \\d; .else; neg \\d; .endif\nend\n",
        "op/test.S:1: template `neg.i64`: operand `d`: the low bits of the register do not stand side by side in the code",
    );
    refuses(
        "template not.i64, inout d:gp-rsi-rcx-rax-r8-r9-r10-r12-r13-r14-r15\n not \\d\nend\n",
        "op/test.S:1: template `not.i64`: operand `d` excludes too many registers to find its bits",
    );
    refuses(
        "template not.i64, in a:imm8, in b:imm8\n mov byte ptr [rax + \\a], \\b\nend\n",
        "op/test.S:1: template `not.i64`: two one-byte operands of one kind cannot be told apart",
    );
}

#[test]
fn siblings() {
    refuses(
        "template and.i64, inout d:gp, in b:gp, clobber flags\n and \\d, \\b\nend\n",
        "op/test.S:1: template `and.i64`: serves the same operands as line … of op/and.S and is no narrower form of it \
         by one operand: drop one",
    );
}

#[test]
fn cold_parts() {
    refuses(
        "template not.i64/cold, inout d:gp, target back:rel32\n not \\d\n jmp \\back\nend\n",
        "op/test.S:1: template `not.i64/cold`: no template of that name has the same operands and a `target cold:rel32`",
    );
}
