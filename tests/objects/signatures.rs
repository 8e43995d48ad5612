//! Functions of generated signatures in linked objects: C calls Spasm by the prototypes of the header, Spasm calls C with
//! the same values in another order and with structs of some of them, and both sides look at everything that they get.

use std::fmt::Write as _;
use std::fs;

use crate::noise::Noise;
use crate::tools::{build, folder, has, run};

fn types(noise: &mut Noise, most: usize) -> Vec<usize> {
    (0..noise.below(most + 1)).map(|_| noise.below(TYPES.len())).collect()
}

/// In Spasm, in C, and how many values of it there are.
const TYPES: [(&str, &str); 4] = [("i32", "int32_t"), ("i64", "int64_t"), ("f32", "float"), ("f64", "double")];

/// A value of a type that C and Spasm write alike, and that every type of its kind can hold.
fn value(noise: &mut Noise, ty: usize) -> String {
    let number = noise.below(1 << 22) as i64 - (1 << 21);
    match ty {
        0 => format!("{number}"),
        1 => format!("{}", number * 0x1_0000_0001),
        _ => format!("{number}.25"),
    }
}

fn list(types: &[usize], one: impl Fn(usize, usize) -> String) -> String {
    types.iter().enumerate().map(|(nth, &ty)| one(nth, ty)).collect::<Vec<_>>().join(", ")
}

/// How the arguments of a C function are put together: groups of several are a struct each, and some of one, too.
fn groups(noise: &mut Noise, count: usize) -> Vec<(std::ops::Range<usize>, bool)> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < count {
        let size = if noise.below(3) == 0 { (1 + noise.below(6)).min(count - at) } else { 1 };
        groups.push((at..at + size, size > 1 || noise.below(8) == 0));
        at += size;
    }
    groups
}

/// The parameters of `cN` in Spasm, in C, and where C finds each value. Structs are declared in front of it.
fn c_params(number: usize, noise: &mut Noise, types: &[usize], c: &mut String) -> (String, String, Vec<String>) {
    let (mut spasm, mut names, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (nth, (group, is_struct)) in groups(noise, types.len()).into_iter().enumerate() {
        let members = &types[group];
        if !is_struct {
            spasm.push(TYPES[members[0]].0.to_owned());
            names.push(format!("{} p{nth}", TYPES[members[0]].1));
            places.push(format!("p{nth}"));
            continue;
        }
        let fields: String = members.iter().enumerate().map(|(at, &ty)| format!(" {} m{at};", TYPES[ty].1)).collect();
        let _ = writeln!(c, "struct c{number}_{nth} {{{fields} }};");
        spasm.push(format!("struct{{{}}}", list(members, |_, ty| TYPES[ty].0.into())));
        names.push(format!("struct c{number}_{nth} p{nth}"));
        places.extend((0..members.len()).map(|at| format!("p{nth}.m{at}")));
    }
    let names = if names.is_empty() { "void".to_owned() } else { names.join(", ") };
    (spasm.join(", "), names, places)
}

/// One function `fN` in Spasm, one `cN` in C that it calls, and a line of `main` that calls `fN`.
fn case(number: usize, noise: &mut Noise, spasm: &mut String, c: &mut String, main: &mut String) {
    let most = [2, 7, 14, 30][noise.below(4)];
    let params = types(noise, most);
    let results = types(noise, if number.is_multiple_of(3) { 1 } else { 6 });
    let args: Vec<String> = params.iter().map(|&ty| value(noise, ty)).collect();
    let given: Vec<String> = results.iter().map(|&ty| value(noise, ty)).collect();
    let reversed: Vec<usize> = params.iter().rev().copied().collect();
    // Several results are a struct in C, whose declaration is that of the function in Spasm.
    let returned = match results.as_slice() {
        [] => "void".to_owned(),
        &[one] => TYPES[one].1.to_owned(),
        _ => format!("struct f{number}_results"),
    };
    let arrow = if results.is_empty() {
        String::new()
    } else {
        format!(" -> ({})", list(&results, |_, ty| TYPES[ty].0.into()))
    };
    let arrow = if results.len() == 1 { arrow.replace(['(', ')'], "") } else { arrow };
    let (taken, named, places) = c_params(number, noise, &reversed, c);
    let _ = writeln!(spasm, "extern \"\" c{number}({taken}){arrow}");
    let _ = writeln!(spasm, "func f{number}({}){arrow}", list(&params, |_, ty| TYPES[ty].0.into()));
    let registers = list(&results, |nth, _| format!("r{}", nth + 1));
    let passed: String = (0..params.len()).rev().map(|nth| format!(", a{}", nth + 1)).collect();
    let to = if results.is_empty() { String::new() } else { format!("({registers}), ") };
    let _ = writeln!(spasm, "    call {to}c{number}{passed}\n    ret {registers}");

    let _ = writeln!(c, "{returned} c{number}({named}) {{");
    for (nth, arg) in args.iter().enumerate() {
        let place = &places[params.len() - 1 - nth];
        let _ = writeln!(c, "    same({number}, \"argument\", {}, {place} == {arg});", nth + 1);
    }
    let _ = match results.len() {
        0 => writeln!(c, "}}"),
        1 => writeln!(c, "    return {};\n}}", given[0]),
        _ => writeln!(c, "    {returned} r = {{{}}};\n    return r;\n}}", given.join(", ")),
    };
    let args = args.join(", ");
    let _ = match results.len() {
        0 => writeln!(main, "    f{number}({args});"),
        1 => writeln!(main, "    same({number}, \"result\", 1, f{number}({args}) == {});", given[0]),
        _ => {
            let _ = writeln!(main, "    {{ {returned} r = f{number}({args});");
            for (nth, value) in given.iter().enumerate() {
                let _ = writeln!(main, "      same({number}, \"result\", {}, r.r{} == {value});", nth + 1, nth + 1);
            }
            writeln!(main, "    }}")
        }
    };
}

const CASES: usize = 300;

#[test]
fn generated_signatures_agree_in_both_directions() {
    let folder = folder("signatures");
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    let (mut spasm, mut c, mut main) = (String::new(), String::new(), String::new());
    for number in 0..CASES {
        case(number, &mut noise, &mut spasm, &mut c, &mut main);
    }
    build(&folder, "generated", &spasm);
    let prelude = "#include \"generated.h\"\n#include <stdio.h>\nstatic int looked, wrong;\n\
        static void same(int number, const char *what, int nth, int same) {\n    looked++;\n    if (same) return;\n    wrong++;\n\
        printf(\"f%d: %s %d is wrong\\n\", number, what, nth);\n}\n";
    let end = "    printf(\"%d wrong of %d\\n\", wrong, looked);\n    return wrong != 0;\n}\n";
    fs::write(folder.join("program.c"), format!("{prelude}{c}int main(void) {{\n{main}{end}")).unwrap();
    for compiler in ["cc", "clang"] {
        if compiler == "clang" && !has("clang") {
            continue;
        }
        for level in ["-O0", "-O2"] {
            run(&folder, compiler, &["-Wall", "-Wextra", level, "program.c", "generated.o", "-o", "program"]);
            let said = run(&folder, "./program", &[]);
            let looked: usize = said.trim().rsplit(' ').next().unwrap().parse().unwrap();
            assert!(said.starts_with("0 wrong") && looked > 5 * CASES, "{said}");
        }
    }
}
