//! Calls in: C calls functions of generated signatures by their addresses.

use std::fmt::Write as _;

use spasm::engine::Instance;
use spasm::isa::op::Type;
use spasm::value::Value;

use super::c::Folder;
use super::signatures::{Noise, instance};

/// A function, what C passes to it, and what it gives.
struct Case {
    params: Vec<Type>,
    /// How many variadic arguments C passes; `None` where the function takes none.
    more: Option<usize>,
    results: Vec<Type>,
    args: Vec<u64>,
    given: Vec<u64>,
}

fn c_name(ty: Type) -> &'static str {
    match ty {
        Type::I32 | Type::Funcref | Type::Externref => "int32_t",
        Type::I64 => "int64_t",
        Type::F32 => "float",
        Type::F64 => "double",
    }
}

impl Case {
    fn new(noise: &mut Noise) -> Case {
        let types = |noise: &mut Noise, count: usize| -> Vec<Type> {
            (0..count).map(|_| Type::NUMBERS[noise.below(4)]).collect()
        };
        let most = [3, 8, 16, 40][noise.below(4)];
        let count = noise.below(most);
        let params = types(noise, count);
        let more = (noise.below(4) == 0).then(|| noise.below(20));
        let most = if more.is_some() { 2 } else { [2, 3, 5, 9][noise.below(4)] };
        let count = noise.below(most);
        let results = types(noise, count);
        let args = (0..params.len() + more.unwrap_or(0)).map(|_| noise.next()).collect();
        let given = results.iter().map(|ty| ty.normalise(noise.next())).collect();
        Case { params, more, results, args, given }
    }

    /// `d{number}`, which calls a function with what it is handed, and hands over what comes back.
    fn c(&self, number: usize) -> String {
        let result = match self.results.as_slice() {
            [] => "void".to_owned(),
            [one] => c_name(*one).to_owned(),
            _ => format!("struct r{number}"),
        };
        let mut text = String::new();
        if self.results.len() > 1 {
            let fields: String =
                self.results.iter().enumerate().map(|(n, &ty)| format!(" {} m{n};", c_name(ty))).collect();
            let _ = writeln!(text, "{result} {{{fields} }};");
        }
        let mut params: Vec<String> = self.params.iter().map(|&ty| c_name(ty).to_owned()).collect();
        let mut args: Vec<String> = (0..self.params.len()).map(|n| format!("a{n}")).collect();
        if let Some(more) = self.more {
            params.extend(["int64_t".to_owned(), "...".to_owned()]);
            args.push(format!("(int64_t){more}"));
            args.extend((0..more).map(|n| format!("(int64_t)in[{}]", self.params.len() + n)));
        }
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let _ = writeln!(text, "void d{number}(void *f, const uint64_t *in, uint64_t *out) {{");
        for (n, &ty) in self.params.iter().enumerate() {
            let _ = writeln!(text, "    {0} a{n}; memcpy(&a{n}, &in[{n}], sizeof a{n});", c_name(ty));
        }
        let call = format!("(({result} (*)({params}))f)({})", args.join(", "));
        match self.results.as_slice() {
            [] => {
                let _ = writeln!(text, "    {call};");
            }
            many => {
                let _ = writeln!(text, "    {result} r = {call};");
                for n in 0..many.len() {
                    let name = if many.len() == 1 { "r".to_owned() } else { format!("r.m{n}") };
                    let _ = writeln!(text, "    memcpy(&out[{n}], &{name}, sizeof {name});");
                }
            }
        }
        text + "}\n"
    }

    /// `g{number}`, which C calls, and `run{number}`, which has it called.
    fn spasm(&self, number: usize, library: &str, memory: bool) -> String {
        let mut text = format!("extern \"{library}\" d{number}(ptr, ptr, ptr)\n");
        if !self.given.is_empty() {
            let given: Vec<String> = self.given.iter().map(|&bits| (bits as i64).to_string()).collect();
            let _ = writeln!(text, "rodata given{number} = i64 {}", given.join(", "));
        }
        let mut params: Vec<&str> = self.params.iter().map(|ty| ty.name()).collect();
        if self.more.is_some() {
            params.push("...");
        }
        let results: Vec<&str> = self.results.iter().map(|ty| ty.name()).collect();
        let _ = write!(text, "func g{number}({})", params.join(", "));
        if !results.is_empty() {
            let _ = write!(text, " -> ({})", results.join(", "));
        }
        text.push_str("\n    addr r1, seen\n    store r0, r1, 0\n");
        for (n, &ty) in self.params.iter().enumerate() {
            // All of an int register, for its upper half must be what its type says.
            let ty = if ty == Type::I32 { "i64" } else { ty.name() };
            let _ = writeln!(text, "    store.{ty} a{}, r1, {}", n + 1, 8 * n + 8);
        }
        for n in self.params.len()..self.args.len() {
            let _ = writeln!(text, "    const r2, {}\n    arg r3, r2\n    store r3, r1, {}", n + 1, 8 * n + 8);
        }
        if memory {
            text.push_str("    const r2, 16\n    mload r3, r2\n    store r3, r1, 4000\n");
        }
        if !self.given.is_empty() {
            let _ = writeln!(text, "    addr r4, given{number}");
        }
        let targets: Vec<String> = (0..results.len()).map(|n| format!("r{}", 10 + n)).collect();
        for (n, ty) in results.iter().enumerate() {
            let _ = writeln!(text, "    load.{ty} {}, r4, {}", targets[n], 8 * n);
        }
        let _ = writeln!(text, "    ret {}", targets.join(", "));
        let _ = writeln!(
            text,
            "func run{number}(ptr, ptr)\n    addr r1, g{number}\n    call d{number}, r1, a1, a2\n    ret"
        );
        text
    }

    fn check(&self, number: usize, instance: &mut Instance, seen: *const u64, memory: bool) {
        let mut out = vec![0u64; self.results.len().max(1)];
        let pointers = [self.args.as_ptr() as i64, out.as_mut_ptr() as i64].map(Value::I64);
        let what = || format!("g{number}{:?} more {:?} -> {:?}", self.params, self.more, self.results);
        instance.call(&format!("run{number}"), &pointers).unwrap_or_else(|error| panic!("{}: {error}", what()));
        // SAFETY: the program's data is that long, and lives as long as the instance.
        let seen = unsafe { std::slice::from_raw_parts(seen, 501) };
        assert_eq!(seen[0], self.args.len() as u64, "{}: the number of arguments", what());
        for (n, &bits) in self.args.iter().enumerate() {
            let ty = self.params.get(n).copied().unwrap_or(Type::I64);
            let found = if ty == Type::F32 { ty.normalise(seen[n + 1]) } else { seen[n + 1] };
            assert_eq!(found, ty.normalise(bits), "{}: argument {n}", what());
        }
        for (n, (&found, &wanted)) in out.iter().zip(&self.given).enumerate() {
            assert_eq!(self.results[n].normalise(found), wanted, "{}: result {n}", what());
        }
        if memory {
            assert_eq!(seen[500], 0x1122_3344_5566_7788, "{}: the linear memory", what());
        }
    }
}

fn try_all(memory: bool) {
    let folder = Folder::new(if memory { "in-memory" } else { "in" });
    let mut noise = Noise::new(2 + u64::from(memory));
    let cases: Vec<Case> = (0..300).map(|_| Case::new(&mut noise)).collect();
    let c: String = cases.iter().enumerate().map(|(number, case)| case.c(number)).collect();
    let library = folder.library("in", &format!("#include <stdint.h>\n#include <string.h>\n{c}"));
    let mut spasm: String = cases.iter().enumerate().map(|(n, case)| case.spasm(n, &library, memory)).collect();
    spasm.push_str("data seen = zero 4096\nfunc seen_at() -> ptr\n    addr r1, seen\n    ret r1\n");
    if memory {
        spasm.push_str("memory 1\ninit 16 = i64 0x1122334455667788\n");
    }
    let mut instance = instance(&spasm);
    let seen = instance.call("seen_at", &[]).unwrap()[0].bits() as *const u64;
    for (number, case) in cases.iter().enumerate() {
        case.check(number, &mut instance, seen, memory);
    }
}

#[test]
fn c_calls_functions_as_it_calls_its_own() {
    try_all(false);
}

#[test]
fn c_calls_functions_that_use_linear_memory() {
    try_all(true);
}
