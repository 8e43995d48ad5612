//! The kernels in C, compiled for this machine and for WebAssembly.
//!
//! Comes in: `kernels-wasm/*.c`, clang and wasm-ld. Goes out: functions of this process, and modules. What must hold: both
//! are made from the same file with the same flags, but for those that say for what.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Problem, cache};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels-wasm");

/// The kernels' names, and how much work each does: some 10 to 20 ms of native code.
const KERNELS: [(&str, u32); 34] = [
    ("ackermann", 9),
    ("aes", 1_000_000),
    ("bignum", 800),
    ("brainfuck", 120),
    ("bulk", 250_000),
    ("bytes", 600),
    ("chacha", 120_000),
    ("collatz", 120_000),
    ("crc32", 6_000_000),
    ("fannkuch", 9),
    ("fib", 34),
    ("fir", 800_000),
    ("hashtable", 700_000),
    ("heapsort", 150_000),
    ("keccak", 12_000),
    ("levenshtein", 3_000),
    ("life", 150),
    ("lz", 30),
    ("mandelbrot", 350),
    ("matmul", 250),
    ("nbody", 200_000),
    ("objects", 2_000),
    ("pointers", 2_500_000),
    ("queens", 12),
    ("quicksort", 200_000),
    ("search", 80),
    ("sha256", 4_000_000),
    ("sha512", 4_000_000),
    ("sieve", 4_000_000),
    ("spectral", 450),
    ("tak", 27),
    ("trees", 15),
    ("vm", 25_000),
    ("xoshiro", 8_000_000),
];

/// Without a library, and without calls of one that the compiler thinks of. Floats are what the source says.
const FLAGS: [&str; 8] =
    ["-O2", "-std=c11", "-ffreestanding", "-fno-builtin", "-fno-math-errno", "-ffp-contract=off", "-Wall", "-Wextra"];
const NATIVE: [&str; 3] = ["-shared", "-fPIC", "-fvisibility=hidden"];
/// What of WebAssembly 2.0 newer compilers use without being asked.
const WASM: [&str; 8] = [
    "--target=wasm32",
    "-msign-ext",
    "-mnontrapping-fptoint",
    "-mbulk-memory",
    "-mmutable-globals",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=65536",
];

/// A kernel in both forms.
pub struct Kernel {
    pub name: &'static str,
    /// How much work it is to do.
    pub n: u32,
    pub wasm: Vec<u8>,
    pub native: extern "C" fn(u32) -> u64,
}

/// The compiler's name, for tables.
pub fn compiler() -> String {
    std::env::var("CLANG").unwrap_or_else(|_| "clang".to_owned())
}

/// Compiles all kernels, or those that are named.
pub fn built(only: &[&str]) -> Result<Vec<Kernel>, Problem> {
    let folder = cache("kernels")?;
    let chosen = KERNELS.iter().filter(|(name, _)| only.is_empty() || only.contains(name));
    let kernels: Result<Vec<Kernel>, Problem> = chosen.map(|&(name, n)| build(&folder, name, n)).collect();
    match kernels {
        Ok(kernels) if kernels.is_empty() => {
            let names: Vec<&str> = KERNELS.iter().map(|(name, _)| *name).collect();
            Err(format!("there is no kernel {}; there are {}", only.join(", "), names.join(", ")))
        }
        kernels => kernels,
    }
}

fn build(folder: &Path, name: &'static str, n: u32) -> Result<Kernel, Problem> {
    let (library, module) = (folder.join(format!("{name}.so")), folder.join(format!("{name}.wasm")));
    compile(name, &NATIVE, &library)?;
    compile(name, &WASM, &module)?;
    let wasm = std::fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    Ok(Kernel { name, n, wasm, native: load(&library)? })
}

fn compile(name: &str, flags: &[&str], output: &PathBuf) -> Result<(), Problem> {
    const INSTALL: &str = "the kernels need clang and wasm-ld (on Debian: apt-get install clang lld); \
                           CLANG in the environment names another clang";
    let source = Path::new(FOLDER).join(format!("{name}.c"));
    let mut command = Command::new(compiler());
    command.args(FLAGS).args(flags).arg(&source).arg("-o").arg(output);
    let ran = command.output().map_err(|error| format!("{} cannot be run: {error}; {INSTALL}", compiler()))?;
    let told = String::from_utf8_lossy(&ran.stderr);
    match ran.status.success() {
        true if told.is_empty() => Ok(()),
        _ if told.contains("wasm-ld") => Err(format!("{told}{INSTALL}")),
        _ => Err(format!("{} does not compile {} without complaint:\n{told}", compiler(), source.display())),
    }
}

fn load(library: &Path) -> Result<extern "C" fn(u32) -> u64, Problem> {
    let path = CString::new(library.as_os_str().as_encoded_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the library was made from a kernel just now: it has nothing that runs when it is loaded, is never unloaded,
    // and `run` in it is a function of this type.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        let run = if handle.is_null() { handle } else { libc::dlsym(handle, c"run".as_ptr()) };
        if run.is_null() {
            return Err(format!("{} cannot be loaded", library.display()));
        }
        Ok(std::mem::transmute::<*mut libc::c_void, extern "C" fn(u32) -> u64>(run))
    }
}
