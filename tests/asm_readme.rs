//! The examples of `asm/README.md` are templates, and what it says of them is what the build says.
//!
//! Comes in: its blocks of assembly. What must hold: a block is extracted and keeps its contract, or, with a block of
//! text behind it, is refused with exactly this message; every path that the page names exists.

use std::path::Path;

use spasm::isa::extract::{Extracted, extract};
use spasm::isa::template::{Abi, TemplateError, parse};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

fn snippets(text: &str, number: usize) -> Result<Vec<Extracted>, Vec<TemplateError>> {
    let abi = Abi::parse("abi.inc", &read("asm/x86_64/abi.inc")).unwrap();
    let templates = parse("op/andn.S", text, &abi).map_err(|error| vec![error])?;
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let name = format!("asm_readme_{number}");
    let snippets = extract(templates, &abi, &compiler, Path::new(env!("CARGO_TARGET_TMPDIR")), &name)?;
    let wrong = contract(&snippets, &abi);
    if wrong.is_empty() { Ok(snippets) } else { Err(wrong) }
}

#[cfg(feature = "cli")]
fn contract(snippets: &[Extracted], abi: &Abi) -> Vec<TemplateError> {
    spasm::contract::check_contracts(snippets, abi)
}

#[cfg(not(feature = "cli"))]
fn contract(_: &[Extracted], _: &Abi) -> Vec<TemplateError> {
    Vec::new()
}

#[test]
fn the_examples_do_what_the_page_says() {
    let page = read("asm/README.md");
    let blocks = blocks(&page);
    let mut made = 0;
    for (number, &(language, text)) in blocks.iter().enumerate().filter(|(_, (language, _))| *language == "asm") {
        let refusal = blocks.get(number + 1).filter(|(language, _)| *language == "text").map(|(_, message)| *message);
        match (snippets(text, number), refusal) {
            (Ok(snippets), None) => made += snippets.len(),
            (Ok(_), Some(message)) => panic!("is not refused:\n{text}\nbut should be:\n{message}"),
            (Err(errors), message) => {
                let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
                assert_eq!(said.join("\n"), message.unwrap_or("nothing"), "{language}\n{text}");
            }
        }
    }
    assert_eq!((made, blocks.len()), (12, 8));
}

#[test]
fn every_word_of_the_language_is_on_the_page() {
    let page = read("asm/README.md");
    let words = spasm::isa::snippet::Kind::ALL.iter().map(|(name, _)| *name);
    let words = words.chain(spasm::isa::snippet::Features::ALL.iter().map(|(name, _)| *name));
    for word in words.chain(["in", "out", "early", "inout", "target", "clobber", "where", "feeds", "needs", "opcode"]) {
        let stands = |quoted: &str| quoted.split([' ', '\n']).any(|w| w == word);
        assert!(page.split('`').skip(1).step_by(2).any(stands), "`{word}` is not explained");
    }
    for path in [
        "examples/custom",
        "src/isa/op.rs",
        "tests/encodings.rs",
        "tests/templates",
        "asm/x86_64/abi.inc",
        "asm/x86_64/fused",
    ] {
        assert!(page.contains(path.trim_start_matches("asm/")), "{path} is not named");
        assert!(Path::new(ROOT).join(path).exists(), "{path} does not exist");
    }
}
