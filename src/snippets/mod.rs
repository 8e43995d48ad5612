//! Templates that are laid over the built-in library while Spasm runs.
//!
//! Comes in: folders of `.S` files, or files. Goes out: [`Snippets`], which engines and listings take in place of the
//! built-in library. What must hold: templates go through the same reading, assembling and solving as those of the
//! build; what is unchanged since an earlier run is taken from a cache, which is never believed without a look.
//!
//! ```text
//!  .S files ─▶ template::parse ─┬─▶ cache ──────────────┬─▶ lay_over ─▶ Snippets
//!                               └─▶ extract (assembler) ┘
//! ```

mod cache;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::isa::custom::CustomOp;
use crate::isa::extract::{Extracted, extract};
use crate::isa::part::Part;
use crate::isa::snippet::Features;
use crate::isa::template::{self, Abi, Template, TemplateError};
use crate::library::{Library, Tables, lay_over};
pub use cache::Cache;

/// The text of `abi.inc`, which is the same for all templates.
const ABI: &str = include_str!("../../asm/x86_64/abi.inc");

/// A library with templates laid over it. It stays until the process ends; copies are the same library.
#[derive(Clone, Copy, Debug)]
pub struct Snippets(&'static Tables);

impl PartialEq for Snippets {
    /// True for the same library, not for one that was made of the same files.
    fn eq(&self, other: &Snippets) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Snippets {}

impl Snippets {
    /// The library for this machine without the features in `left_out`.
    pub(crate) fn kept(self, left_out: Features) -> &'static Library {
        Library::kept(self.0, left_out)
    }

    /// The library for a machine with these features.
    #[must_use]
    pub fn library(self, features: Features) -> Library {
        Library::of(self.0, features)
    }

    /// The opcodes that its templates declare.
    #[must_use]
    pub fn opcodes(self) -> Vec<CustomOp> {
        self.0.customs.iter().map(|custom| custom.op.clone()).collect()
    }
}

/// What was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The library.
    pub snippets: Snippets,
    /// The files, in the order in which they were read.
    pub files: Vec<PathBuf>,
    /// What was made of the templates in them, in the same order.
    pub extracted: Vec<Extracted>,
    /// How many files were not in the cache and went through the assembler.
    pub assembled: usize,
}

/// Why templates were refused: all that is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnippetErrors(pub Vec<TemplateError>);

impl fmt::Display for SnippetErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SnippetErrors {}

impl From<Vec<TemplateError>> for SnippetErrors {
    fn from(errors: Vec<TemplateError>) -> SnippetErrors {
        SnippetErrors(errors)
    }
}

/// How templates become snippets.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The command that assembles: a C compiler, perhaps with options behind it.
    pub compiler: String,
    /// Where what was assembled is kept; nowhere if there is none.
    pub cache: Option<Cache>,
}

impl Default for Toolchain {
    /// The compiler that the environment variable `SPASM_CC` names, or `CC`, or `cc`; the cache of the user.
    fn default() -> Toolchain {
        let named = ["SPASM_CC", "CC"].into_iter().filter_map(|name| std::env::var(name).ok());
        let compiler = named.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_else(|| "cc".to_owned());
        Toolchain { compiler, cache: Cache::of_user() }
    }
}

/// The registers and constants that templates may name.
///
/// # Panics
/// Never: the text was read by the build.
#[must_use]
pub fn abi() -> Abi {
    Abi::parse("abi.inc", ABI).unwrap_or_default()
}

impl Toolchain {
    /// Lays the templates in these files, and in all `.S` files of these folders and the folders in them, over the
    /// built-in library.
    ///
    /// # Errors
    /// Where a file cannot be read, or anything is wrong with a template.
    pub fn load(&self, paths: &[PathBuf]) -> Result<Loaded, SnippetErrors> {
        let files = files(paths)?;
        let abi = abi();
        let mut errors = Vec::new();
        let mut read: Vec<(String, Vec<Template>)> = Vec::with_capacity(files.len());
        for file in &files {
            match std::fs::read_to_string(file) {
                Err(error) => errors.push(unreadable(file, &error)),
                Ok(text) => match template::parse(&file.display().to_string(), &text, &abi) {
                    Err(error) => errors.push(error),
                    Ok(templates) => {
                        errors.extend(templates.iter().filter_map(fixed));
                        read.push((text, templates));
                    }
                },
            }
        }
        if !errors.is_empty() {
            return Err(SnippetErrors(errors));
        }
        let (extracted, assembled) = self.extract(read, &abi)?;
        let snippets = Snippets(lay_over(Tables::builtin(), extracted.clone())?);
        Ok(Loaded { snippets, files, extracted, assembled })
    }

    /// Makes snippets of the templates of each file; says how many files had to be assembled.
    fn extract(
        &self,
        files: Vec<(String, Vec<Template>)>,
        abi: &Abi,
    ) -> Result<(Vec<Extracted>, usize), SnippetErrors> {
        let mut extracted = Vec::new();
        let mut fresh: Vec<(String, Vec<Template>)> = Vec::new();
        for (text, templates) in files {
            match self.cache.as_ref().and_then(|cache| cache.find(&self.compiler, &text, &templates)) {
                Some(known) => extracted.extend(known),
                None => fresh.push((text, templates)),
            }
        }
        let assembled = fresh.len();
        if assembled > 0 {
            // One run of the assembler serves all files.
            let counts: Vec<usize> = fresh.iter().map(|(_, templates)| templates.len()).collect();
            let (texts, templates): (Vec<String>, Vec<Vec<Template>>) = fresh.into_iter().unzip();
            let folder = Scratch::new()?;
            let all = templates.into_iter().flatten().collect();
            let mut made = extract(all, abi, &self.compiler, &folder.0, "templates")?.into_iter();
            for (text, count) in texts.iter().zip(counts) {
                let own: Vec<Extracted> = made.by_ref().take(count).collect();
                if let Some(cache) = &self.cache {
                    cache.keep(&self.compiler, text, &own);
                }
                extracted.extend(own);
            }
        }
        Ok((extracted, assembled))
    }
}

/// The error of laying over what does not stand in the code of programs: it was placed once, when the first of them came.
fn fixed(template: &Template) -> Option<TemplateError> {
    const FIXED: [Part; 6] =
        [Part::EntryTrampoline, Part::EntryInt, Part::TrapExit, Part::Closure, Part::Filler, Part::Host];
    let found = FIXED.iter().any(|part| part.name() == template.name);
    found.then(|| {
        template.error("belongs to the runtime, not to programs: it can be changed in Spasm's own sources only")
    })
}

fn unreadable(file: &Path, error: &std::io::Error) -> TemplateError {
    let message = format!("cannot be read: {error}");
    TemplateError { file: file.display().to_string(), line: 0, template: String::new(), message }
}

/// The files that are meant, in a fixed order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SnippetErrors> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            collect(path, &mut files).map_err(|error| SnippetErrors(vec![unreadable(path, &error)]))?;
            if files.len() == before {
                let error = unreadable(path, &std::io::ErrorKind::NotFound.into());
                let message = "there is no file with a name that ends in `.S` in this folder".to_owned();
                return Err(SnippetErrors(vec![TemplateError { message, ..error }]));
            }
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        // Links to folders are not followed: they may lead back.
        if kind.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "S") {
            files.push(path);
        }
    }
    Ok(())
}

/// A folder for the assembler, which is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, SnippetErrors> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let parent = std::env::temp_dir();
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = parent.join(format!("spasm-{}-{number}", std::process::id()));
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(Scratch(folder)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => {}
                Err(error) => {
                    let message =
                        format!("cannot make a folder for the assembler: {error}; TMPDIR names another place");
                    return Err(SnippetErrors(vec![TemplateError { message, ..unreadable(&folder, &error) }]));
                }
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
