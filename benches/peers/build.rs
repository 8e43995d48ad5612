//! Compiles the C kernels: once with `-O2`, once with `-O0`.
//!
//! Comes in: `kernels.c`, `calls.c` and the C compiler (`CC`, or `cc`). Goes out: two objects that are linked in, a shared library
//! for the calls, an empty program, and the compiler's name for the report.

use std::path::Path;
use std::process::{Command, exit};

fn main() {
    println!("cargo::rerun-if-changed=kernels.c");
    println!("cargo::rerun-if-env-changed=CC");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    for (level, prefix) in [("-O2", "o2"), ("-O0", "o0")] {
        let object = Path::new(&out).join(format!("{prefix}.o"));
        let compiled = Command::new(&compiler)
            .args([level, "-std=c11", "-fPIC", "-Wall", "-c", &format!("-DNAME(x)={prefix}_##x"), "kernels.c", "-o"])
            .arg(&object)
            .status();
        if !compiled.as_ref().is_ok_and(std::process::ExitStatus::success) {
            println!("cargo::error={compiler} does not compile kernels.c: {compiled:?}");
            exit(1);
        }
        println!("cargo::rustc-link-arg={}", object.display());
    }
    let calls = Path::new(&out).join("libcalls.so");
    let flags = ["-O2", "-std=gnu11", "-Wall", "-shared", "-fPIC", "-fno-semantic-interposition", "calls.c", "-o"];
    let compiled = Command::new(&compiler).args(flags).arg(&calls).status();
    if !compiled.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("cargo::error={compiler} does not compile calls.c: {compiled:?}");
        exit(1);
    }
    println!("cargo::rerun-if-changed=calls.c");
    println!("cargo::rustc-env=CALLS={}", calls.display());
    let (source, empty) = (Path::new(&out).join("empty.c"), Path::new(&out).join("empty"));
    let written = std::fs::write(&source, "int main(void) { return 0; }\n");
    let compiled = Command::new(&compiler).arg("-O2").arg(&source).arg("-o").arg(&empty).status();
    if written.is_err() || !compiled.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("cargo::error={compiler} does not compile an empty program: {written:?} {compiled:?}");
        exit(1);
    }
    println!("cargo::rustc-env=EMPTY={}", empty.display());
    println!("cargo::rustc-link-lib=m");
    let version = Command::new(&compiler).arg("--version").output().map(|o| o.stdout).unwrap_or_default();
    let first = String::from_utf8_lossy(&version).lines().next().unwrap_or(&compiler).to_owned();
    println!("cargo::rustc-env=COMPILER={first}");
}
