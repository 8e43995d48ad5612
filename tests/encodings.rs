//! Every template, in every form that the stitcher can ask for, against an independent decoder.
//!
//! Comes in: the templates under `asm/`, extracted anew. Goes out: failures that name file, line and template. What must
//! hold: for every assignment of registers that a template allows (all pairs; of three operands a sample), the bytes are
//! the instructions that the template's text names; and what they read and change is what it declares.
#![cfg(feature = "cli")]

use std::path::Path;

use spasm::contract::{Body, check_contracts, check_encoding, check_encodings};
use spasm::isa::extract::{Extracted, extract};
use spasm::isa::template::{Abi, Template, TemplateError, parse};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/asm/x86_64");

fn abi() -> Abi {
    let text = std::fs::read_to_string(format!("{ROOT}/abi.inc")).expect("abi.inc is there");
    Abi::parse("abi.inc", &text).expect("abi.inc is sound")
}

fn templates(abi: &Abi) -> Vec<Template> {
    let mut templates = Vec::new();
    for folder in ["op", "fused", "frame"] {
        for entry in std::fs::read_dir(format!("{ROOT}/{folder}")).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            if path.extension().is_some_and(|extension| extension == "S") {
                let text = std::fs::read_to_string(&path).expect("the file can be read");
                let name = format!("{folder}/{}", path.file_name().unwrap_or_default().to_string_lossy());
                templates.extend(parse(&name, &text, abi).expect("the templates are sound"));
            }
        }
    }
    templates
}

fn extracted(templates: Vec<Template>, abi: &Abi, name: &str) -> Result<Vec<Extracted>, Vec<TemplateError>> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    extract(templates, abi, &compiler, Path::new(env!("CARGO_TARGET_TMPDIR")), name)
}

/// Fails with all the errors, one a line.
fn assert_none(errors: &[TemplateError]) {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), lines.join("\n"));
}

#[test]
fn every_assignment_decodes_to_the_instructions_of_the_template() {
    let abi = abi();
    let snippets = extracted(templates(&abi), &abi, "encodings").unwrap_or_else(|errors| {
        assert_none(&errors);
        Vec::new()
    });
    let mut errors = Vec::new();
    let mut checked = 0;
    for snippet in &snippets {
        match check_encodings(snippet, &abi) {
            Ok(count) => checked += count,
            Err(error) => errors.push(error),
        }
    }
    assert_none(&errors);
    assert!(checked > 50_000, "only {checked} assignments were checked");
}

#[test]
fn every_template_does_what_it_declares() {
    let abi = abi();
    let snippets = extracted(templates(&abi), &abi, "contracts").unwrap_or_else(|errors| {
        assert_none(&errors);
        Vec::new()
    });
    assert_none(&check_contracts(&snippets, &abi));
}

fn from_text(text: &str, name: &str) -> Vec<Extracted> {
    let abi = abi();
    let templates = parse("bad.S", text, &abi).expect("the text parses");
    extracted(templates, &abi, name).unwrap_or_else(|errors| {
        assert_none(&errors);
        Vec::new()
    })
}

#[test]
fn a_wrong_bit_anywhere_is_found() {
    let text = "template lea, out d:gp, in a:gp-rbp-r13, in b:gp\nlea \\d, [\\a + \\b]\nend\n";
    let snippets = from_text(text, "wrong_bit");
    let body = Body::parse(&snippets[0].template, &abi()).expect("the body is understood");
    assert!(check_encoding(&snippets[0], &body, [1, 6, 10]).is_ok());
    for bit in 0..u32::from(snippets[0].len) * 8 {
        let mut wrong = snippets[0].clone();
        wrong.chunks[0].base ^= 1 << bit;
        assert!(check_encoding(&wrong, &body, [1, 6, 10]).is_err(), "bit {bit} is wrong and nobody noticed");
    }
}

#[test]
fn every_kind_of_broken_contract_is_found() {
    let cases = [
        ("x, inout d:gp, in b:gp", "add \\d, \\b", "changes the flags: add `clobber flags`"),
        ("x, out d:gp, in a:gp, clobber flags", "mov \\d, \\a", "declares `clobber flags` but never changes them"),
        ("x, out d:gp, in a:gp", "mov rcx, \\a\nmov \\d, rcx", "changes rcx, which is no output: add `clobber rcx`"),
        ("x, out d:gp, in a:gp, clobber rcx", "mov \\d, \\a", "declares `clobber rcx` but never changes it"),
        ("x, out d:gp, in a:gp", "lea \\d, [rdx + \\a]", "reads rdx, which is no input"),
        ("x, in a:gp, in b:gp, clobber flags", "add \\a, \\b", "overwrites `a`, which is declared as an input"),
        ("x, out d:gp, in b:gp, clobber flags", "add \\d, \\b", "reads the output `d` before it is written"),
        (
            "x, out d:gp, in a:gp, in b:gp, clobber flags",
            "mov \\d, \\a\nadd \\d, \\b",
            "reads `b` after `d` is written, which may be the same register: declare `early d`",
        ),
        (
            "x, out d:gp, in a:gp, in b:gp, clobber rcx",
            "mov rcx, \\a\nlea \\d, [rcx + \\b]",
            "operand `b` may stand in rcx, which is overwritten before `b` is read: write `b:gp-rcx`",
        ),
        (
            "x, out d:gp, in a:gp, clobber rcx",
            "mov rcx, \\a\nmov \\d, \\a\nlea rcx, [rcx + 1]",
            "operand `d` may stand in rcx, which is used here after `d` is written: write `d:gp-rcx`",
        ),
        (
            "x, out d:gp, in a:gp, clobber flags",
            "test \\a, \\a\nsetz \\d8",
            "has written 1 bytes of the output `d` only",
        ),
        (
            "x, out d:gp, in a:gp, clobber flags",
            "test \\a, \\a\njz 1f\nmov \\d, \\a\n1:",
            "a path ends here that has not written the output `d`",
        ),
        ("x, inout d:gp, in b:gp", "cmovz \\d, \\b", "depends on flags that no instruction before it has set"),
        ("x, out d:gp, in a:gp, clobber flags", "popcnt \\d, \\a", "is an instruction of popcnt: add `needs popcnt`"),
        ("x, out d:gp, in a:gp, needs avx", "mov \\d, \\a", "declares `needs avx` but uses none of it"),
        ("x, in a:slot32, in b:gp", "mov [FRAME + \\a], \\b", "uses the slot `a` otherwise than it is declared"),
        ("x, in a:gp, clobber rax flags", "call \\a", "changes rcx, which is no output"),
        ("x, in a:gp, clobber flags", "2: test \\a, \\a\njz 2b", "jumps backwards inside of the template"),
        ("x, out d:gp, in a:gp", "jmp 1f\nmov \\d, \\a\n1: mov \\d, \\a", "is never reached"),
    ];
    let abi = abi();
    for (number, (declaration, body, expected)) in cases.into_iter().enumerate() {
        let text = format!("template {declaration}\n{}\nend\n", body.replace(": ", ":\n"));
        let snippets = from_text(&text, &format!("broken_{number}"));
        let errors: Vec<String> = check_contracts(&snippets, &abi).iter().map(ToString::to_string).collect();
        assert!(errors.iter().any(|e| e.contains(expected)), "{text}should give: {expected}\nit gives: {errors:#?}");
        assert!(errors.iter().all(|e| e.starts_with("bad.S:")), "{errors:#?}");
    }
}
