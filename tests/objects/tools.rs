//! Building, compiling, running.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use spasm::elf::{self, Options};
use spasm::library::Library;
use spasm::stitch::{Entries, Stitcher};
use spasm::verified::Verified;
use spasm::{text, verify};

/// A folder of a test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("objects").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn verified(name: &str, source: &str) -> Verified {
    let module = text::parse(name, source).unwrap_or_else(|errors| panic!("{errors}"));
    verify::verify(module).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The object of a program, for any machine.
pub fn object(verified: &Verified, options: &Options<'_>) -> Vec<u8> {
    let library = Library::with_features(spasm::engine::Features(0));
    let mut stitcher = Stitcher::new(&library);
    stitcher.set_entries(Entries::All);
    let image = stitcher.stitch(verified).unwrap();
    elf::write(verified, &image, &library, options).unwrap()
}

/// Writes `NAME.o` and `NAME.h` for a program. Whatever reads objects must accept the first.
pub fn build(folder: &Path, name: &str, source: &str) -> Verified {
    let verified = verified(&format!("{name}.spasm"), source);
    let options = Options { name, ..Options::default() };
    std::fs::write(folder.join(format!("{name}.o")), object(&verified, &options)).unwrap();
    std::fs::write(folder.join(format!("{name}.h")), elf::header(verified.module(), name)).unwrap();
    accepted(folder, &format!("{name}.o"));
    verified
}

/// Fails where a tool that reads objects finds something wrong with one.
pub fn accepted(folder: &Path, name: &str) {
    static DWARFDUMP: LazyLock<bool> = LazyLock::new(|| has("llvm-dwarfdump"));
    static ELFLINT: LazyLock<bool> = LazyLock::new(|| has("eu-elflint"));
    let output = output(folder, "readelf", &["-aW", name]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    if *DWARFDUMP {
        let said = run(folder, "llvm-dwarfdump", &["--verify", name]);
        assert!(said.contains("No errors"), "{name}: {said}");
    }
    if *ELFLINT {
        assert_eq!(run(folder, "eu-elflint", &["--gnu-ld", name]), "No errors\n", "{name}");
    }
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let stack = elf.section_headers.iter().find(|one| elf.shdr_strtab.get_at(one.sh_name) == Some(".note.GNU-stack"));
    assert_eq!(stack.unwrap().sh_flags, 0, "{name} asks for a stack that can be executed");
}

/// True where there is such a command.
pub fn has(command: &str) -> bool {
    let found = Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: there is no `{command}` here");
    }
    found
}

/// Runs a command in a folder; gives what it says, success or not.
pub fn output(folder: &Path, command: &str, args: &[&str]) -> Output {
    let mut words = command.split(' ');
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(args).current_dir(folder).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that must succeed; gives its standard output.
pub fn run(folder: &Path, command: &str, args: &[&str]) -> String {
    let output = output(folder, command, args);
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command} {args:?}\n{}{}", shown(&output.stdout), shown(&output.stderr));
    shown(&output.stdout)
}

/// The command that is tested.
pub const SPASM: &str = env!("CARGO_BIN_EXE_spasm");
