//! The case files a third way: as objects that are linked with C.
//!
//! For each file a C program is written that makes its calls in their order, and says what came of each as raw bits.

use std::fmt::Write as _;
use std::path::Path;

use spasm::elf::c_names;
use spasm::isa::op::Type;
use spasm::module::{Module, Signature};
use spasm::value::Value;

use crate::calls::{Call, calls, parse, show, words};
use crate::tools::{build, folder, run};

const PRELUDE: &str = "
#include <stdio.h>
#include <string.h>

static float f32(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static double f64(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
static void say_i32(int32_t x) { printf(\" %x\", (unsigned)x); }
static void say_i64(int64_t x) { printf(\" %llx\", (unsigned long long)x); }
static void say_f32(float x) { uint32_t bits; memcpy(&bits, &x, 4); printf(\" %x\", bits); }
static void say_f64(double x) { uint64_t bits; memcpy(&bits, &x, 8); printf(\" %llx\", (unsigned long long)bits); }
static void attempt(void (*call)(void *), const char *reads) {
    struct spasm_trap trap;
    int status;
    FILE *console = stdin;
    stdin = *reads ? fmemopen((void *)reads, strlen(reads), \"r\") : fopen(\"/dev/null\", \"r\");
    printf(\"@call\\n\");
    status = spasm_try(call, 0, &trap);
    if (status == SPASM_TRAPPED) {
        printf(\"@traps %s at \", trap.message);
        for (size_t i = 0; i < trap.shown; i++)
            printf(\"%s%s:%u\", i ? \", \" : \"\", trap.frames[i].function, trap.frames[i].line);
        printf(\"\\n\");
    }
    if (status == SPASM_HALTED) printf(\"@halts\\n\");
    if (status == SPASM_FAILED) printf(\"@fails\\n\");
    fclose(stdin);
    stdin = console;
}
";

fn literal(value: Value) -> String {
    match value {
        Value::I32(x) => format!("(int32_t)0x{x:x}u"),
        Value::I64(x) => format!("(int64_t)0x{x:x}ull"),
        Value::F32(x) => format!("f32(0x{:x}u)", x.to_bits()),
        Value::F64(x) => format!("f64(0x{:x}ull)", x.to_bits()),
    }
}

/// A function in C that makes a call, and says its results.
fn caller(number: usize, call: &Call<'_>, signature: &Signature, name: &str) -> String {
    let values = parse(&call.args, &signature.params);
    let mut args: Vec<String> = values.iter().map(|&value| literal(value)).collect();
    if signature.variadic {
        let fixed = signature.params.len();
        args.insert(fixed, format!("(int64_t){}", values.len() - fixed));
    }
    let mut text = format!("static void call_{number}(void *data) {{\n    (void)data;\n    ");
    let args = args.join(", ");
    match signature.results.as_slice() {
        [] => _ = writeln!(text, "{name}({args});\n    printf(\"@=\");"),
        &[one] => {
            let _ = writeln!(text, "{} r = {name}({args});\n    printf(\"@=\");", c_type(one));
            let _ = writeln!(text, "    say_{}(r);", one.name());
        }
        many => {
            let _ = writeln!(text, "struct {name}_results r = {name}({args});\n    printf(\"@=\");");
            for (nth, ty) in many.iter().enumerate() {
                let _ = writeln!(text, "    say_{}(r.r{});", ty.name(), nth + 1);
            }
        }
    }
    text + "    printf(\"\\n\");\n}\n"
}

fn c_type(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => "int32_t",
        Type::I64 => "int64_t",
        Type::F32 => "float",
        Type::F64 => "double",
    }
}

fn signature<'m>(module: &'m Module, call: &Call<'_>) -> (usize, &'m Signature) {
    let index = module.function_index(call.function).unwrap_or_else(|| panic!("no function {}", call.function));
    (index as usize, &module.functions[index as usize].signature)
}

fn program(name: &str, module: &Module, calls: &[Call<'_>]) -> String {
    let mut text = format!("#define _GNU_SOURCE\n#include \"{name}.h\"\n{PRELUDE}");
    let names = c_names(module);
    let mut main = String::from("int main(void) {\n");
    for (number, call) in calls.iter().enumerate() {
        let (index, signature) = signature(module, call);
        text += &caller(number, call, signature, &names[index]);
        let _ = writeln!(main, "    attempt(call_{number}, {:?});", call.reads);
    }
    text + &main + "    return 0;\n}\n"
}

/// What the C program said of a call, in the words of the case file.
fn found(said: &str, call: &Call<'_>, signature: &Signature) -> String {
    let (printed, end) = said.split_once('@').unwrap_or((said, "nothing"));
    let printed = printed.trim_end().replace('\n', " ");
    let end = end.trim_end();
    let end = if let Some(bits) = end.strip_prefix('=') {
        let bits = bits.split_whitespace().map(|word| u64::from_str_radix(word, 16).unwrap());
        let values = signature.results.iter().zip(bits).map(|(&ty, bits)| Value::from_bits(ty, bits));
        show(&values.collect::<Vec<_>>())
    } else if call.end.contains(" at ") {
        end.to_owned()
    } else {
        end.split(" at ").next().unwrap_or(end).to_owned()
    };
    format!("prints {printed:?}, {end}")
}

fn wanted(call: &Call<'_>, signature: &Signature) -> String {
    let end = match call.end.strip_prefix('=') {
        Some(values) => show(&parse(&words(values), &signature.results)),
        // A linked program tells the functions up to the C code that called them: there, C always did.
        None => call.end.split(", C code:0").next().unwrap_or(call.end).to_owned(),
    };
    format!("prints {:?}, {end}", call.prints)
}

/// The libraries that a module names, for the linker.
fn libraries(module: &Module) -> Vec<String> {
    let mut names: Vec<String> =
        module.externs.iter().filter(|one| !one.library.is_empty()).map(|one| format!("-l:{}", one.library)).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn linked_case_files_give_what_they_say() {
    let folder = folder("cases");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut defects = String::new();
    let mut files: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "spasm"));
    files.sort();
    assert!(files.len() > 10);
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let verified = build(&folder, &name, &source);
        let module = verified.module();
        let calls = calls(&source);
        std::fs::write(folder.join(format!("{name}.c")), program(&name, module, &calls)).unwrap();
        let (c, o) = (format!("{name}.c"), format!("{name}.o"));
        let libraries = libraries(module);
        let mut args = vec!["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-O1", &c, &o];
        args.extend(libraries.iter().map(String::as_str));
        args.extend(["-o", &name]);
        run(&folder, "cc", &args);
        let said = run(&folder, folder.join(&name).to_str().unwrap(), &[]);
        let said: Vec<&str> = said.split("@call\n").skip(1).collect();
        assert_eq!(said.len(), calls.len(), "{name}: not all calls were made");
        for (said, call) in said.iter().zip(&calls) {
            let (_, signature) = signature(module, call);
            let (found, wanted) = (found(said, call, signature), wanted(call, signature));
            if found != wanted {
                let args = call.args.join(", ");
                _ = writeln!(
                    defects,
                    "{name}:{}: {}({args}) {found}\n    instead of {wanted}",
                    call.line, call.function
                );
            }
        }
    }
    assert!(defects.is_empty(), "{defects}");
}
