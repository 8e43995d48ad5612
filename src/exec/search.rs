//! Where the dynamic linker looks for libraries.
//!
//! Comes in: the name of a library. Goes out: its path, or where it is not. What must hold: the order is that of ld.so:
//! the folders of `LD_LIBRARY_PATH`, the cache, the folders that are always looked in.

use std::path::{Path, PathBuf};

use crate::text::nearest;

use super::link_error::Problem;

const CACHE: &str = "/etc/ld.so.cache";
const ALWAYS: [&str; 6] =
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Where to look.
#[derive(Debug)]
pub struct Search {
    paths: Vec<PathBuf>,
    cache: PathBuf,
    always: Vec<PathBuf>,
}

impl Default for Search {
    fn default() -> Search {
        let variable = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let folder = |path: PathBuf| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
        let paths =
            if variable.is_empty() { Vec::new() } else { std::env::split_paths(&variable).map(folder).collect() };
        Search { paths, cache: PathBuf::from(CACHE), always: ALWAYS.map(PathBuf::from).to_vec() }
    }
}

impl Search {
    /// The file of the library with this name.
    pub fn library(&self, name: &str) -> Result<PathBuf, Problem> {
        if name.contains('/') {
            let path = PathBuf::from(name);
            return if path.exists() { Ok(path) } else { Err(beside(&path)) };
        }
        let folders = || self.paths.iter().chain(&self.always);
        let cached = std::fs::read(&self.cache).unwrap_or_default();
        let cached = entries(&cached);
        let in_folder = |folder: &PathBuf| Some(folder.join(name)).filter(|path| path.is_file());
        let in_cache = || {
            let found = cached.iter().find(|(library, path)| *library == name && Path::new(path).is_file());
            found.map(|(_, path)| PathBuf::from(path))
        };
        let found =
            self.paths.iter().find_map(in_folder).or_else(in_cache).or_else(|| self.always.iter().find_map(in_folder));
        found.ok_or_else(|| {
            let mut looked: Vec<String> = Vec::new();
            looked.extend(self.paths.iter().map(|path| format!("{} (LD_LIBRARY_PATH)", path.display())));
            looked.push(self.cache.display().to_string());
            looked.extend(self.always.iter().filter(|path| path.is_dir()).map(|path| path.display().to_string()));
            let mut names: Vec<String> = cached.iter().map(|(library, _)| (*library).to_owned()).collect();
            names.extend(folders().flat_map(|folder| libraries(folder)));
            Problem::Missing { looked, near: near(name, &names) }
        })
    }
}

/// What is wrong with a path that leads nowhere.
fn beside(path: &Path) -> Problem {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let near = near(&name, &libraries(folder));
    let near = near.iter().map(|name| folder.join(name).display().to_string()).collect();
    Problem::Missing { looked: vec![folder.display().to_string()], near }
}

/// The libraries in a folder.
fn libraries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(".so")).collect()
}

/// Names near to `name`: one by its letters, or those with another version, or without `lib` before or `.so` behind.
fn near(name: &str, names: &[String]) -> Vec<String> {
    let stem = |name: &str| {
        let end = name.find(".so").unwrap_or(name.len());
        name[..end].trim_start_matches("lib").to_owned()
    };
    let wanted = stem(name);
    let mut found: Vec<String> = names.iter().filter(|other| stem(other) == wanted).cloned().collect();
    if found.is_empty() {
        found.extend(nearest(name, names.iter().map(String::as_str)).map(str::to_owned));
    }
    found.sort();
    found.dedup();
    found.truncate(3);
    found
}

/// The libraries in a cache of the dynamic linker, with their paths; none where it is no such file.
fn entries(cache: &[u8]) -> Vec<(&str, &str)> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let Some(start) = cache.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) else { return Vec::new() };
    let cache = &cache[start..];
    let number = |at: usize| {
        let bytes = cache.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let text = |at: usize| {
        let bytes = cache.get(at..)?;
        let end = bytes.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    };
    // The third byte of the flags says for which machine: 3 is x86-64.
    let one = |nth: usize| {
        let at = HEADER + nth * ENTRY;
        let machine = number(at)? >> 8 & 0xff;
        (machine == 3).then_some((text(number(at + 4)?)?, text(number(at + 8)?)?))
    };
    let count = number(MAGIC.len()).unwrap_or(0).min(cache.len() / ENTRY);
    (0..count).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_read_and_damage_does_no_harm() {
        let bytes = std::fs::read(CACHE).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        let found = entries(&bytes);
        assert!(found.iter().any(|(name, path)| *name == "libc.so.6" && Path::new(path).is_file()), "{found:?}");
        for len in (0..bytes.len()).step_by(97) {
            entries(&bytes[..len]);
        }
    }

    #[test]
    fn near_names_are_those_of_other_versions() {
        let names = ["libm.so.6", "libz.so.1", "libz.so.1.3", "libmagic.so.1"].map(str::to_owned);
        assert_eq!(near("libz.so", &names), ["libz.so.1", "libz.so.1.3"]);
        assert_eq!(near("m", &names), ["libm.so.6"]);
        assert_eq!(near("libmagik.so.1", &names), ["libmagic.so.1"]);
        assert!(near("libquite.so.9", &names).is_empty());
    }
}
