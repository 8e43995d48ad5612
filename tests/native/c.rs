//! Code that the C compiler makes, as a shared library in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that is gone when this is.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("spasm-native-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Compiles C to `libNAME.so`; gives its path as programs name it.
    pub fn library(&self, name: &str, source: &str) -> String {
        let input = self.0.join(format!("{name}.c"));
        let output = self.0.join(format!("lib{name}.so"));
        std::fs::write(&input, source).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut words = compiler.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("cc"));
        let command = command.args(words).args(["-shared", "-fPIC", "-O1", "-w", "-pthread", "-o"]);
        let done = command.arg(&output).arg(&input).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        output.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
