//! Measures Spasm beside its peers and prints the tables of the README.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [SECTION…]`, where a section is one of `kernels`,
//! `straight`, `programs`, `small`, `start`, `size`; without one, all of them.

mod kernels;
mod measure;
mod table;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let wants = |section: &str| args.is_empty() || args.iter().any(|arg| arg == section || arg.starts_with("only="));
    let only = args.iter().find_map(|arg| arg.strip_prefix("only="));
    if let [mode, example, function, rest @ ..] = &args[..]
        && mode == "interpret"
    {
        let numbers: Vec<i64> = rest.iter().filter_map(|arg| arg.parse().ok()).collect();
        kernels::interpret(example, function, &numbers);
        return;
    }
    if wants("kernels") {
        println!("### Run time of the examples' kernels ({})\n", env!("COMPILER"));
        println!("{}", kernels::table(9, only).0);
    }
}
