//! Measures Spasm beside its peers and prints the tables of the README.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [SECTION…]`, where a section is one of `straight`,
//! `programs`, `small`, `calls`, `objects`, `kernels`, `start`, `size`; without one, all of them. A kernel's name picks that kernel. For tools
//! that look at one thing only there are `stitch ten|many|random TIMES`, `object TIMES` and `interpret EXAMPLE FUNCTION ARG…`.
//!
//! WebAssembly is asked for by name, since it needs clang, and npm for some of it: `wasm-run [KERNEL…]`, `wasm-compile
//! [PROGRAM…]`, `wasm-shapes`.

mod calls;
mod kernels;
mod measure;
mod objects;
mod start;
mod stitching;
mod straight;
mod table;
mod wasm;

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
        ["wasm-run", ref only @ ..] => told(wasm_run(only)),
        ["wasm-compile", ref only @ ..] => told(wasm_compile(only)),
        ["wasm-shapes"] => told(wasm_shapes()),
        ["wasm-memory", engine, file] => told(wasm::child(engine, file)),
        _ => sections(&words),
    }
}

/// Says what went wrong, and ends.
fn told(result: Result<(), wasm::Problem>) {
    if let Err(problem) = result {
        eprintln!("error: {problem}");
        std::process::exit(1);
    }
}

fn wasm_run(only: &[&str]) -> Result<(), wasm::Problem> {
    println!(
        "### Run time of WebAssembly, the same C by clang for this machine being 1\n\n{}",
        wasm::run::table(5, only)?
    );
    Ok(())
}

fn wasm_compile(only: &[&str]) -> Result<(), wasm::Problem> {
    if only.is_empty() {
        println!("### The smallest module of WebAssembly\n\n{}", wasm::compile::small_table(15)?);
    }
    let programs = wasm::compile::programs(only)?;
    println!(
        "### From the bytes of a module to all of its code, in one thread\n\n{}",
        wasm::compile::table(&programs)?
    );
    println!("### With several threads\n\n{}", wasm::compile::threads_table(&programs, 5)?);
    println!("### Memory while that is done\n\n{}", wasm::compile::memory_table(&programs)?);
    Ok(())
}

fn wasm_shapes() -> Result<(), wasm::Problem> {
    println!("### Modules of odd shapes, in two sizes\n\n{}", wasm::shapes::table(3)?);
    Ok(())
}

/// Prints the sections that were asked for.
fn sections(words: &[&str]) {
    const SECTIONS: [(&str, &str, fn(&[&str]) -> Table); 8] = [
        ("straight", "Verified function to code", |_| stitching::straight_table(15)),
        ("programs", "The same for whole programs", |_| stitching::programs_table(9)),
        ("small", "The smallest program", |_| stitching::small_table(15)),
        ("calls", "Calls to C and from C", |_| calls::calls_table(25)),
        ("objects", "Writing an object", |_| objects::objects_table(9)),
        ("kernels", concat!("Run time of the examples' kernels, C by ", env!("COMPILER")), |only| {
            kernels::table(9, only)
        }),
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
