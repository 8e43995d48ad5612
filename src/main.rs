//! The `spasm` command.

mod cli;

// The unwinder as part of the program: see the build script.
#[cfg(own_unwinder)]
#[allow(unsafe_code, reason = "names a library and declares nothing of it")]
#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}

fn main() {
    // Nothing that lives until now needs to be taken down, and the streams have been flushed.
    std::process::exit(cli::main());
}
