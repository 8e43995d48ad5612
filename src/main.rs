//! The `spasm` command.

mod cli;

fn main() {
    // Nothing that lives until now needs to be taken down, and the streams have been flushed.
    std::process::exit(cli::main());
}
