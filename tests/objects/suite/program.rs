//! The program in C that calls functions and says what came of it: what is the same whatever it calls, and a function for each
//! signature.

use std::fmt::Write as _;

use spasm::isa::op::Type;
use spasm::module::Signature;

pub const PRELUDE: &str = r#"
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

pub const MAIN: &str = r#"
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

/// A function in C that calls those of a signature.
pub fn caller(number: usize, signature: &Signature) -> String {
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

/// What a type is called in the names of the program's functions.
pub fn kind(ty: Type) -> &'static str {
    if ty.is_reference() { "i32" } else { ty.name() }
}

pub fn c_type(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => "int32_t",
        Type::I64 => "int64_t",
        Type::F32 => "float",
        Type::F64 => "double",
    }
}

/// The function in C that reads a global.
pub fn reader(ty: Type) -> String {
    format!("read_{}", kind(ty))
}
