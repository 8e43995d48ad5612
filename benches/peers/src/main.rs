//! Measures Spasm beside its peers and prints the tables of the README.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [SECTION…]`, where a section is one of `straight`,
//! `programs`, `small`, `objects`, `kernels`, `start`, `size`; without one, all of them. A kernel's name picks that kernel. For tools
//! that look at one thing only there are `stitch ten|many|random TIMES`, `object TIMES` and `interpret EXAMPLE FUNCTION ARG…`.

mod kernels;
mod measure;
mod objects;
mod start;
mod stitching;
mod straight;
mod table;

use table::Table;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["stitch", kind, times] => stitching::only_stitch(kind, times.parse().unwrap_or(1)),
        ["object", times] => objects::only(times.parse().unwrap_or(1)),
        ["interpret", example, function, ref numbers @ ..] => {
            let numbers: Vec<i64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
            kernels::interpret(example, function, &numbers);
        }
        _ => sections(&words),
    }
}

/// Prints the sections that were asked for.
fn sections(words: &[&str]) {
    const SECTIONS: [(&str, &str, fn(&[&str]) -> Table); 7] = [
        ("straight", "Verified function to code", |_| stitching::straight_table(15)),
        ("programs", "The same for whole programs", |_| stitching::programs_table(9)),
        ("small", "The smallest program", |_| stitching::small_table(15)),
        ("objects", "Writing an object", |_| objects::objects_table(9)),
        ("kernels", concat!("Run time of the examples' kernels, C by ", env!("COMPILER")), |only| kernels::table(9, only)),
        ("start", "From the start of a process to the result", |_| start::start_table(500)),
        ("size", "The snippet library", |_| start::size_table()),
    ];
    let (chosen, kernels): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| SECTIONS.iter().any(|(name, ..)| name == *word));
    for (name, title, table) in SECTIONS {
        let all = words.is_empty() || chosen.contains(&name);
        if all || (name == "kernels" && !kernels.is_empty()) {
            println!("### {title}\n\n{}", table(&kernels));
        }
    }
}
