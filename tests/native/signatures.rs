//! Generated signatures: calls of C functions and by C, with every argument and result looked at on the other side.
//!
//! A C function writes down what it was passed, scalar by scalar, and returns constants that were made up beside it. A
//! Spasm function that C calls does the same.

use std::fmt::Write as _;

use spasm::check::check;
use spasm::engine::{Config, Engine, Entries, Instance};
use spasm::isa::op::Type;
use spasm::library::Library;
use spasm::module::native::{Abi, CSignature, CType};
use spasm::stitch::Stitcher;
use spasm::value::Value;
use spasm::verified::Verified;
use spasm::{text, verify};

use super::c::Folder;

/// Numbers without a pattern, and the types that are made of them.
pub struct Noise(crate::noise::Noise);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(crate::noise::Noise(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next()
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    fn scalar(&mut self) -> CType {
        CType::SCALARS[self.below(CType::SCALARS.len())].1.clone()
    }

    /// A type: mostly a scalar, else a struct, seldom one within another.
    fn c_type(&mut self, depth: usize) -> CType {
        if self.below(3) > 0 || depth == 0 {
            return if self.below(3) > 0 {
                self.scalar()
            } else {
                [CType::F64, CType::I64, CType::F32][self.below(3)].clone()
            };
        }
        let most = if self.below(4) == 0 { 7 } else { 3 };
        let members = 1 + self.below(most);
        CType::Struct((0..members).map(|_| self.c_type(depth - 1)).collect())
    }

    /// The bits of a value for a register that passes a `ty`.
    fn bits(&mut self, ty: &CType) -> u64 {
        let bits = self.next();
        match ty {
            CType::F32 => u64::from(((bits % 100_000) as f32 / 8.0 - 1000.0).to_bits()),
            CType::F64 => ((bits % 1_000_000_000) as f64 / 16.0 - 1e6).to_bits(),
            CType::Bool => [0, 1, 1 << 40, 0x100][(bits % 4) as usize],
            _ => bits,
        }
    }
}

fn c_name(ty: &CType) -> &'static str {
    match ty {
        CType::I8 => "int8_t",
        CType::U8 => "uint8_t",
        CType::I16 => "int16_t",
        CType::U16 => "uint16_t",
        CType::I32 => "int32_t",
        CType::U32 => "uint32_t",
        CType::I64 => "int64_t",
        CType::Bool => "_Bool",
        CType::F32 => "float",
        CType::F64 => "double",
        CType::Struct(_) => panic!("a struct has no name"),
    }
}

/// What C sees of a register that passes a `ty`, as the low bytes.
fn seen(ty: &CType, bits: u64) -> u64 {
    match ty {
        CType::Bool => u64::from(bits != 0),
        other => bits & (u64::MAX >> (64 - 8 * other.size())),
    }
}

/// What a register holds of a `ty` that C gives with these low bytes.
fn given(ty: &CType, bits: u64) -> u64 {
    match ty {
        CType::I8 => i64::from(bits as i8) as u64,
        CType::I16 => i64::from(bits as i16) as u64,
        _ => bits,
    }
}

/// C source for the types of one signature: a name for each, structs declared before.
struct Types {
    text: String,
    count: usize,
    prefix: String,
}

impl Types {
    fn name(&mut self, ty: &CType) -> String {
        let CType::Struct(members) = ty else { return c_name(ty).to_owned() };
        let members: Vec<String> = members.iter().map(|member| self.name(member)).collect();
        let name = format!("struct {}{}", self.prefix, self.count);
        self.count += 1;
        let fields: String = members.iter().enumerate().map(|(n, member)| format!(" {member} m{n};")).collect();
        let _ = writeln!(self.text, "{name} {{{fields} }};");
        name
    }
}

/// The scalars of a value called `name`, as C expressions with their types.
fn members(name: &str, ty: &CType) -> Vec<(String, CType)> {
    match ty {
        CType::Struct(inner) => {
            inner.iter().enumerate().flat_map(|(n, ty)| members(&format!("{name}.m{n}"), ty)).collect()
        }
        scalar => vec![(name.to_owned(), scalar.clone())],
    }
}

fn register_word(ty: Type) -> &'static str {
    ty.name()
}

fn value(ty: Type, bits: u64) -> Value {
    Value::from_bits(ty, ty.normalise(bits))
}

fn raw(value: &Value) -> u64 {
    value.bits()
}

/// A call out: its signature, further arguments, what is passed and what comes back.
struct Case {
    signature: CSignature,
    more: Vec<CType>,
    args: Vec<(CType, u64)>,
    results: Vec<(CType, u64)>,
    /// Which arguments the program has as constants.
    constants: Vec<bool>,
}

impl Case {
    fn new(noise: &mut Noise, number: usize) -> Case {
        let abi = if number % 4 == 3 { Abi::Win64 } else { Abi::SysV };
        let variadic = noise.below(5) == 0;
        let most = [3, 6, 12, 20][noise.below(4)];
        let count = usize::from(variadic) + noise.below(most);
        let mut params: Vec<CType> = (0..count).map(|_| noise.c_type(2)).collect();
        if variadic {
            // C promotes a last named parameter that is narrow.
            params.push(CType::I64);
        }
        let results = match noise.below(8) {
            0 => Vec::new(),
            1..4 => vec![noise.scalar()],
            4..7 => vec![CType::Struct((0..=noise.below(5)).map(|_| noise.c_type(1)).collect())],
            _ => (0..2 + noise.below(3)).map(|_| noise.scalar()).collect(),
        };
        let signature = CSignature { abi, params, variadic, results };
        let more: Vec<CType> = if variadic {
            (0..noise.below(14)).map(|_| if noise.below(2) == 0 { CType::I64 } else { CType::F64 }).collect()
        } else {
            Vec::new()
        };
        let scalars =
            |types: &[CType]| -> Vec<CType> { types.iter().flat_map(CType::scalars).map(|(_, ty)| ty).collect() };
        let fixed = scalars(&signature.params);
        let args = fixed.iter().chain(&more).map(|ty| (ty.clone(), noise.bits(ty))).collect::<Vec<_>>();
        let constants = args.iter().map(|_| noise.below(4) == 0).collect();
        let results = scalars(&signature.results).into_iter().map(|ty| {
            let bits = seen(&ty, noise.bits(&ty));
            (ty, bits)
        });
        let results = results.collect();
        Case { signature, more, args, results, constants }
    }

    /// The C function `c{number}`, which writes down what it gets and gives its constants.
    fn c(&self, number: usize) -> String {
        let mut types = Types { text: String::new(), count: 0, prefix: format!("s{number}_") };
        let win = self.signature.abi == Abi::Win64;
        let returned = self.signature.returns();
        let result = returned.as_ref().map_or("void".to_owned(), |ty| types.name(ty));
        let mut params: Vec<String> =
            self.signature.params.iter().enumerate().map(|(n, ty)| format!("{} a{n}", types.name(ty))).collect();
        if self.signature.variadic {
            params.push("...".to_owned());
        }
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let attribute = if win { "__attribute__((ms_abi)) " } else { "" };
        let mut body = format!("{}{attribute}{result} c{number}({params}) {{\n    int n = 0;\n", types.text);
        let scalars = self.signature.params.iter().enumerate().flat_map(|(n, ty)| members(&format!("a{n}"), ty));
        for (name, ty) in scalars {
            // The promotion to int shows whether the caller has extended a narrow value, where the callee relies on it.
            let _ = writeln!(body, "    note(n++, &{name}, sizeof {name}); (void)sizeof({});", c_name(&ty));
        }
        if self.signature.variadic {
            let kind = if win { "__builtin_ms_va" } else { "__builtin_va" };
            let start = if win { "__builtin_ms_va_start" } else { "__builtin_va_start" };
            let last = self.signature.params.len() - 1;
            let _ = writeln!(body, "    {kind}_list ap; {start}(ap, a{last});");
            for ty in &self.more {
                let ty = c_name(ty);
                let _ = writeln!(body, "    {{ {ty} x = __builtin_va_arg(ap, {ty}); note(n++, &x, sizeof x); }}");
            }
        }
        if let Some(ty) = returned {
            let _ = writeln!(body, "    {result} r; memset(&r, 0x5a, sizeof r);");
            for ((name, _), (ty, bits)) in members("r", &ty).iter().zip(&self.results) {
                let _ = writeln!(body, "    {{ uint64_t b = {bits:#x}ull; memcpy(&{name}, &b, {}); }}", ty.size());
            }
            body.push_str("    return r;\n");
        }
        body.push_str("}\n");
        body
    }

    /// The extern, and functions that call it by name and by address.
    fn spasm(&self, number: usize, library: &str) -> String {
        let flat = self.signature.flat();
        let win = if self.signature.abi == Abi::Win64 { "\"win64\" " } else { "" };
        let mut text = format!("extern {win}\"{library}\" c{number}{}\n", self.signature);
        let more = self.more.iter().map(|ty| if *ty == CType::F64 { Type::F64 } else { Type::I64 });
        let types: Vec<Type> = flat.params.iter().copied().chain(more).collect();
        let params: Vec<&str> = types.iter().map(|&ty| register_word(ty)).collect();
        let results: Vec<&str> = flat.results.iter().map(|&ty| register_word(ty)).collect();
        let targets: Vec<String> = (1..=results.len()).map(|n| format!("r{n}")).collect();
        for by_address in [false, true] {
            let name = if by_address { "p" } else { "f" };
            let _ = write!(text, "func {name}{number}({})", params.join(", "));
            if !results.is_empty() {
                let _ = write!(text, " -> ({})", results.join(", "));
            }
            text.push('\n');
            let mut args = Vec::new();
            for (n, ((_, bits), &ty)) in self.args.iter().zip(&types).enumerate() {
                if self.constants[n] && ty.class().is_float() == (ty == Type::F32 || ty == Type::F64) {
                    let _ = writeln!(text, "    const.{} r{}, {}", ty.name(), 100 + n, value(ty, *bits));
                    args.push(format!("r{}", 100 + n));
                } else {
                    args.push(format!("a{}", n + 1));
                }
            }
            let list = |items: &[String]| items.iter().map(|item| format!(", {item}")).collect::<String>();
            let targets_text = match targets.len() {
                0 => String::new(),
                1 => format!("{}, ", targets[0]),
                _ => format!("({}), ", targets.join(", ")),
            };
            if by_address {
                let _ = writeln!(text, "    addr r99, c{number}");
                let _ = writeln!(text, "    callp {targets_text}r99, {win}{}{}", self.signature, list(&args));
            } else {
                let _ = writeln!(text, "    call {targets_text}c{number}{}", list(&args));
            }
            let _ = writeln!(text, "    ret {}", targets.join(", "));
        }
        text
    }

    fn check(&self, number: usize, instance: &mut Instance, noted: &[u64]) {
        let flat = self.signature.flat();
        let more = self.more.iter().map(|ty| if *ty == CType::F64 { Type::F64 } else { Type::I64 });
        let types = flat.params.iter().copied().chain(more);
        let args: Vec<Value> = self.args.iter().zip(types).map(|((_, bits), ty)| value(ty, *bits)).collect();
        for name in ["f", "p"] {
            let results = instance.call(&format!("{name}{number}"), &args);
            let results = results.unwrap_or_else(|error| panic!("{name}{number}{}: {error}", self.signature));
            for (n, ((ty, bits), arg)) in self.args.iter().zip(&args).enumerate() {
                // What a register of 32 bits passes is what C gets; a bool is true for any bit of 64.
                let bits = if self.constants[n] { *bits } else { raw(arg) };
                let bits = if matches!(ty, CType::Bool) { raw(&value(Type::I64, bits & raw(arg))) } else { bits };
                let expected = seen(ty, bits);
                let found = noted[n] & (u64::MAX >> (64 - 8 * ty.size()));
                assert_eq!(found, expected, "{name}{number}{}: scalar {n} of the arguments, a {ty}", self.signature);
            }
            for (n, ((ty, bits), found)) in self.results.iter().zip(&results).enumerate() {
                let what = || format!("{name}{number}{}: scalar {n} of the result, a {ty}", self.signature);
                assert_eq!(raw(found), given(ty, *bits), "{}", what());
            }
        }
    }
}

/// What C notes down, and where.
const NOTES: &str = "
#include <stdint.h>
#include <string.h>
#include <stdarg.h>
uint64_t notes[512];
static void note(int n, const void *p, unsigned long size) { notes[n] = 0; memcpy(&notes[n], p, size); }
uint64_t *where(void) { return notes; }
";

pub fn engine(entries: Entries) -> Engine {
    // SAFETY: the programs of these tests do what the C code beside them is made for.
    unsafe { Engine::allowing_natives(Config { entries, tier: super::TIER, ..Config::default() }) }
}

pub fn instance(source: &str) -> Instance {
    let module = text::parse("test.spasm", source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let verified = verify::verify(module).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let library = Library::native();
    for entries in [Entries::Taken, Entries::All] {
        let mut stitcher = Stitcher::new(library);
        stitcher.set_entries(entries);
        let (image, trace) = stitcher.stitch_traced(&verified).unwrap();
        if let Err(defects) = check(&verified, &image, &trace, library) {
            panic!("{} defects, the first: {}", defects.len(), defects[0]);
        }
    }
    engine(Entries::Taken).instantiate(&verified).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// Modules with one generated call each, for tests that run nothing.
#[allow(dead_code, reason = "not of use to every binary that has these signatures")]
pub fn verified_cases(noise: &mut Noise, count: usize) -> Vec<Verified> {
    let one = |number: usize, noise: &mut Noise| {
        let source = Case::new(noise, number).spasm(number, "");
        verify::verify(text::parse("test.spasm", &source).unwrap()).unwrap()
    };
    (0..count).map(|number| one(number, noise)).collect()
}

#[test]
fn c_functions_get_and_give_what_they_should() {
    let folder = Folder::new("out");
    let mut noise = Noise::new(1);
    let cases: Vec<Case> = (0..400).map(|number| Case::new(&mut noise, number)).collect();
    let c: String = cases.iter().enumerate().map(|(number, case)| case.c(number)).collect();
    let library = folder.library("out", &format!("{NOTES}{c}"));
    let spasm: String = cases.iter().enumerate().map(|(number, case)| case.spasm(number, &library)).collect();
    let notes = format!("extern \"{library}\" where() -> ptr\nfunc notes() -> ptr\n    call r1, where\n    ret r1\n");
    let mut instance = instance(&format!("{notes}{spasm}"));
    let place = raw(&instance.call("notes", &[]).unwrap()[0]);
    for (number, case) in cases.iter().enumerate() {
        // SAFETY: the array of the library is that long, and nothing writes there now; only its address is kept.
        let noted = unsafe { std::slice::from_raw_parts(place as *const u64, 512) };
        case.check(number, &mut instance, noted);
    }
}
