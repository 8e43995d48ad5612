//! The C header of an object.
//!
//! Comes in: a module. Goes out: text that C and C++ compilers take without a warning. What must hold: the prototypes are
//! those of the entries for C; whatever a program calls its functions, comments end where they should.

use std::fmt::Write as _;

use super::names::{c_name, c_names};
use crate::isa::op::Type;
use crate::module::{Function, Module, Signature};

/// What the runtime offers C.
const RUNTIME: &str = include_str!("../rt/api.h");

/// The header for an object that is called `name`.
#[must_use]
pub fn header(module: &Module, name: &str) -> String {
    let stem = &c_name(name)[6..];
    let guard = format!("SPASM_OBJECT_{}_H", stem.to_uppercase());
    let mut text = String::new();
    let source = module.source.as_ref().map_or(String::new(), |source| format!(" from {}", comment(&source.name)));
    let _ = writeln!(text, "/* Made by spasm{source}. */\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n");
    text.push_str("#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (function, name) in module.functions.iter().zip(c_names(module)) {
        declare(&mut text, function, &name);
    }
    text.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n");
    text.push_str(RUNTIME);
    if module.memory.is_some() {
        let _ = write!(
            text,
            "\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n/* This module, for spasm_memory and spasm_memory_size. */\n\
             extern struct spasm_module spasm_module_{stem};\n\n#ifdef __cplusplus\n}}\n#endif\n"
        );
    }
    let _ = writeln!(text, "\n#endif");
    text
}

/// A text that may stand in a comment.
fn comment(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    clean.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")
}

fn c_type(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => "int32_t",
        Type::I64 => "int64_t",
        Type::F32 => "float",
        Type::F64 => "double",
    }
}

fn declare(text: &mut String, function: &Function, name: &str) {
    let Signature { params, variadic, results } = &function.signature;
    let line = if function.line == 0 { String::new() } else { format!(", line {}", function.line) };
    let _ = writeln!(text, "\n/* func {}{}{line} */", comment(&function.name), function.signature);
    let result = match results.as_slice() {
        [] => "void".to_owned(),
        &[one] => c_type(one).to_owned(),
        many => {
            let _ = writeln!(text, "struct {name}_results {{");
            for (nth, &ty) in many.iter().enumerate() {
                let _ = writeln!(text, "    {} r{};", c_type(ty), nth + 1);
            }
            text.push_str("};\n");
            format!("struct {name}_results")
        }
    };
    let mut list: Vec<String> =
        params.iter().enumerate().map(|(nth, &ty)| format!("{} a{}", c_type(ty), nth + 1)).collect();
    if *variadic {
        list.extend(["int64_t count".to_owned(), "...".to_owned()]);
    }
    let list = if list.is_empty() { "void".to_owned() } else { list.join(", ") };
    let _ = writeln!(text, "{result} {name}({list});");
}
