//! The C header of an object.
//!
//! Comes in: a module. Goes out: text that C and C++ compilers take without a warning. What must hold: the prototypes are
//! those of the entries for C; whatever a program calls its functions, comments end where they should.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::lower::c_symbol;
use super::names::{c_exports, c_name, c_names, is_of_c};
use crate::isa::op::Type;
use crate::module::link::Item;
use crate::module::native::Target;
use crate::module::{Global, Module, Signature};

/// What the runtime offers C.
const RUNTIME: &str = include_str!("../rt/api.h");

/// The header for an object that is called `name`. Of a linked module it says also what that needs of C, if it is the module
/// as it was before it was [lowered](super::lower()).
#[must_use]
pub fn header(module: &Module, name: &str) -> String {
    let stem = &c_name(name)[6..];
    let guard = format!("SPASM_OBJECT_{}_H", stem.to_uppercase());
    let mut text = String::new();
    let source = module.source.as_ref().map_or(String::new(), |source| format!(" from {}", comment(&source.name)));
    let _ = writeln!(text, "/* Made by spasm{source}. */\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n");
    text.push_str("#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    if module.is_linked() {
        linked(&mut text, module);
    } else {
        for (function, name) in module.functions.iter().zip(c_names(module)) {
            declare(&mut text, ("func", &function.name, function.line), &function.signature, &name);
        }
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

/// What a linked module gives C, and what it takes.
fn linked(text: &mut String, module: &Module) {
    for export in c_exports(module) {
        let signature = match export.item {
            Item::Function(Target::Function(index)) => module.functions.get(index as usize).map(|one| &one.signature),
            Item::Function(Target::Import(index)) => module.imports.get(index as usize).map(|one| &one.signature),
            Item::Global(index) => {
                let _ = writeln!(text, "\n/* global {} */", comment(export.own));
                variable(text, &module.globals[index as usize], &export.name);
                None
            }
            _ => None,
        };
        if let Some(signature) = signature {
            declare(text, ("export", export.own, 0), signature, &export.name);
        }
    }
    let mut known = HashSet::new();
    for import in &module.imports {
        let name = c_symbol(&import.from);
        let what = format!("{}.{}", import.from.module, import.from.name);
        if !known.insert(name.clone()) {
            continue;
        }
        // C's own functions have prototypes already, with pointers.
        if is_of_c(&name) {
            let _ = writeln!(text, "\n/* import {}: `{name}` of the C library */", comment(&what));
        } else {
            declare(text, ("import", &what, 0), &import.signature, &name);
        }
    }
    for global in &module.globals {
        if let Some(from) = &global.import
            && known.insert(c_symbol(from))
        {
            let _ = writeln!(text, "\n/* import {}.{} */", comment(&from.module), comment(&from.name));
            variable(text, global, &c_symbol(from));
        }
    }
}

fn variable(text: &mut String, global: &Global, name: &str) {
    let constant = if global.mutable { "" } else { "const " };
    let _ = writeln!(text, "extern {constant}{} {name};", c_type(global.ty));
}

fn declare(text: &mut String, (what, own, line): (&str, &str, u32), signature: &Signature, name: &str) {
    let Signature { params, variadic, results } = signature;
    let line = if line == 0 { String::new() } else { format!(", line {line}") };
    let _ = writeln!(text, "\n/* {what} {}{signature}{line} */", comment(own));
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
