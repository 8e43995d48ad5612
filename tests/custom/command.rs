//! The command line: every command that reads programs knows the opcodes of the templates that it is given.

use std::path::Path;
use std::process::Command;

use super::ROOT;

/// What a command prints on both streams, and whether it ended well.
fn spasm(words: &str, folder: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spasm"));
    command.args(words.split(' ')).current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text.into_owned())
}

#[test]
fn all_commands_know_declared_opcodes() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("custom-command");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("own")).unwrap();
    std::fs::copy(Path::new(ROOT).join("tests/custom/opcodes.S"), folder.join("own/opcodes.S")).unwrap();
    std::fs::write(folder.join("p.spasm"), "func main(i64, i64) -> i64\n    mulhi r1, a1, a2\n    ret r1\n").unwrap();
    let good = |words: &str| {
        let (success, said) = spasm(words, &folder);
        assert!(success, "{words}: {said}");
        said
    };
    let bad = |words: &str| {
        let (success, said) = spasm(words, &folder);
        assert!(!success, "{words}: {said}");
        said
    };
    let args = "0x4000000000000000 12";
    assert_eq!(good(&format!("run --snippets own p.spasm {args}")), "3\n");
    assert_eq!(good(&format!("run --tier interp --snippets own p.spasm {args}")), "3\n");
    assert_eq!(good("check --snippets own p.spasm"), "");
    let dis = good("dis --snippets own p.spasm");
    assert!(dis.starts_with("opcode mulhi.i64(i64, i64) -> i64\n"), "{dis}");
    good("asm --snippets own p.spasm -o p.spb");
    assert_eq!(good("dis p.spb"), dis);
    assert_eq!(good(&format!("run --snippets own p.spb {args}")), "3\n");
    let listing = good("explain --snippets own p.spb");
    assert!(listing.contains("mulhi.i64") && listing.contains("mulx"), "{listing}");
    let report = good("snippets check own/opcodes.S");
    assert!(report.contains("No row says what `mulhi.i64(i64, i64) -> i64` should give"), "{report}");
    assert!(report.contains("`quot.i64` ends the process with random operands"), "{report}");
    let unknown = bad("check p.spasm");
    assert!(unknown.contains("there is no instruction `mulhi`") && unknown.contains("--snippets DIR"), "{unknown}");
    let refused = bad(&format!("run --sandbox --snippets own p.spasm {args}"));
    assert!(
        refused.contains("`mulhi.i64` is not allowed in the sandbox") && refused.contains("p.spasm:2"),
        "{refused}"
    );
    let missing = bad(&format!("run p.spb {args}"));
    assert!(missing.contains("no template declares the opcode `mulhi.i64`"), "{missing}");
    #[cfg(feature = "elf")]
    {
        good("build --snippets own p.spasm -o p.o");
        assert_eq!(good(&format!("run p.o {args}")), "3\n");
    }
}
