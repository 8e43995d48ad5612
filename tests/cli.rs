//! The `spasm` command as its users meet it: the real binary, its output, its errors, its exit status.
//!
//! Comes in: command lines. Goes out: what stands in `tests/golden/NAME.out`, or what the test says. What must hold: every
//! command is here with good and with bad input. `UPDATE_GOLDEN=1 cargo test --test cli` writes the golden files anew;
//! look at the difference before you keep it.

#[path = "cli/json.rs"]
mod json;
#[path = "cli/spasm.rs"]
mod spasm;
#[cfg(feature = "wasi")]
#[path = "cli/wasi.rs"]
mod wasi;

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use spasm::{Folder, Said, golden, run, run_in, spasm};

/// A program that is small enough to stand on a line of a test.
const ANSWER: &str = "func add_answer\n const 1, 42\n add 2, -1, 1\n ret 2\n";

fn said(args: &[&str]) -> Said {
    run(args, "")
}

#[test]
fn help_texts() {
    golden("help", &[&["help"], &["help", "run"], &["explain", "--help"], &["snippets", "show", "-h"], &["--version"]]);
    assert_eq!(said(&["help"]), said(&["--help"]));
    assert_eq!(said(&["help", "snippets", "list"]), said(&["snippets", "list", "--help"]));
}

#[test]
fn wrong_usage() {
    golden(
        "usage",
        &[
            &[],
            &["rnu"],
            &["snippets"],
            &["run"],
            &["run", "--teir", "interp", "fib.spasm"],
            &["run", "--tier", "opt", "fib.spasm"],
            &["run", "--tier", "fast", "fib.spasm"],
            &["run", "fib.spasm"],
            &["run", "fib.spasm", "1", "2"],
            &["run", "fib.spasm", "1x"],
            &["run", "fib.spasm", "99999999999999999999"],
            &["run", "several.spasm"],
            &["run", "several.spasm", "-f", "scael"],
            &["run", "several.spasm", "-f", "nothing"],
            &["run", "several.spasm", "-f", "scale", "1", "y"],
            &["run", "several.spasm", "-f", "count"],
            &["run", "fib.spasm", "--loud"],
            &["asm", "fib.spasm"],
            &["check", "fib.spasm", "mixed.spasm"],
            &["explain", "-f", "fob", "fib.spasm"],
        ],
    );
}

#[test]
#[cfg(feature = "wasm")]
fn webassembly() {
    golden(
        "wasm",
        &[
            &["check", "shapes.wat"],
            &["run", "shapes.wat", "-f", "area", "2.5", "4"],
            &["run", "--tier", "interp", "shapes.wat", "-f", "area", "2.5", "4"],
            &["run", "shapes.wat", "-f", "both", "3", "-1"],
            &["run", "shapes.wat", "-f", "nothing", "null"],
            &["run", "shapes.wat", "-f", "share", "1", "0"],
            &["run", "--tier", "interp", "shapes.wat", "-f", "share", "1", "0"],
            &["dis", "shapes.wat"],
            &["explain", "--cpu", "x86-64", "-f", "share", "shapes.wat"],
            // What is wrong with the command line, or with the module.
            &["run", "shapes.wat"],
            &["run", "shapes.wat", "-f", "aera"],
            &["run", "shapes.wat", "-f", "area", "1"],
            &["run", "shapes.wat", "-f", "nothing", "1"],
            &["check", "invalid.wat"],
            &["check", "unfinished.wat"],
            &["check", "vectors.wat"],
            &["run", "alone.wat"],
        ],
    );
}

#[test]
#[cfg(feature = "wasm")]
fn webassembly_comes_in_any_form() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/shapes.wat")).unwrap();
    let wanted = Said { out: "10.0\n".to_owned(), err: String::new(), status: 0 };
    let args = ["run", "-", "-f", "area", "2.5", "4"];
    assert_eq!(run(&args, &text), wanted);
    assert_eq!(run_in(&args, &wat::parse_str(&text).unwrap()), wanted);
    let folder = Folder::new("webassembly");
    let spb = folder.path("shapes.spb");
    assert_eq!(run(&["asm", "-", "-o", &spb], &text), Said::quiet(0));
    assert_eq!(said(&["run", &spb, "-f", "area", "2.5", "4"]), wanted);
    let cut = run_in(&["check", "-"], b"\0asm\x01\0\0\0\x01\x05");
    assert_eq!((cut.status, cut.out.as_str()), (1, ""));
    assert!(
        cut.err.starts_with("error: this is no WebAssembly module: unexpected end-of-file (at offset 0xa)"),
        "{}",
        cut.err
    );
}

#[test]
fn refused_programs() {
    golden(
        "refused",
        &[
            &["check", "wrong.spasm"],
            &["run", "unverified.spasm"],
            &["check", "no-such-file.spasm"],
            &["check", "fib"],
            &["check", "."],
            &["dis", "wrong.spasm"],
        ],
    );
}

#[test]
fn runs() {
    golden(
        "runs",
        &[
            &["run", "fib.spasm", "20"],
            &["run", "--tier=interp", "fib.spasm", "0x14"],
            &["run", "mixed.spasm"],
            &["run", "several.spasm", "-f", "scale", "-5", "1e-3"],
            &["run", "several.spasm", "-fscale", "-0x10", "-inf"],
            &["run", "-f", "outer", "several.spasm", "-7", "2"],
            &["run", "several.spasm", "-f", "outer", "7", "0"],
            &["run", "several.spasm", "-f", "outer", "-2147483648", "-1"],
            &["run", "several.spasm", "-f", "count", "1", "-2", "3"],
            &["run", "several.spasm", "-f", "stop"],
            &["run", "several.spasm", "-f", "echo"],
            &["check", "fib.spasm"],
            &["run", "--sandbox", "fib.spasm", "3"],
            &["check", "native.spasm"],
            &["run", "--sandbox", "native.spasm"],
        ],
    );
}

#[test]
fn listings() {
    golden(
        "explain",
        &[
            &["explain", "--cpu", "x86-64", "fib.spasm"],
            &["explain", "--cpu", "x86-64-v3", "mixed.spasm", "-f", "kernel", "-f", "main"],
        ],
    );
    golden("explain-colour", &[&["explain", "--cpu", "x86-64", "--color", "always", "fib.spasm"]]);
    golden(
        "snippets",
        &[
            &["snippets", "list", "frame"],
            &["snippets", "show", "not.i64"],
            &["snippets", "show", "cvt.i64.f64"],
            &["snippets", "show", "ad.i64"],
            &["snippets", "list", "xyz*"],
        ],
    );
}

#[test]
fn tiers_agree_and_both_print_negative_numbers() {
    for tier in ["auto", "interp", "baseline"] {
        let said = run(&["run", "--tier", tier, "-", "-50"], ANSWER);
        assert_eq!((said.out.as_str(), said.err.as_str(), said.status), ("-8\n", "", 0), "{tier}");
    }
}

#[test]
fn statistics_stand_on_standard_error() {
    let table = said(&["run", "--stats", "fib.spasm", "5"]);
    assert_eq!(table.out, "5\n");
    for word in ["read", "parse", "verify", "stitch", "map", "run", "total", "11 instructions in 1 function", "bytes"] {
        assert!(table.err.contains(word), "{word}: {}", table.err);
    }
    let stats = said(&["run", "--stats=json", "fib.spasm", "5"]);
    let keys = json::keys(&stats.err);
    for key in ["file", "tier", "phases_ns", "stitch", "code_bytes", "verify_ns_per_instruction", "calls", "baseline"] {
        assert!(keys.iter().any(|known| known == key), "{key}: {}", stats.err);
    }
    let interpreted = said(&["run", "--stats=json", "--tier", "interp", "fib.spasm", "5"]);
    assert!(interpreted.err.contains("\"code_bytes\": null") && !interpreted.err.contains("\"stitch\""));
    assert!(json::keys(&interpreted.err).len() > 10);
    // A program that traps has them as well.
    let trapped = said(&["run", "--stats", "several.spasm", "-f", "divide", "1", "0"]);
    assert!(trapped.status == 134 && trapped.err.contains("divide by zero") && trapped.err.contains("total"));
}

#[test]
fn json_of_listings_is_json() {
    let explained = said(&["explain", "--json", "mixed.spasm"]);
    assert!(json::keys(&explained.out).iter().any(|key| key == "snippets"), "{}", explained.out);
    let list = said(&["snippets", "list", "--json"]);
    let names = json::keys(&list.out).iter().filter(|key| *key == "name").count();
    assert!(names > 1000, "{names}");
    assert!(json::keys(&said(&["snippets", "show", "--json", "add"]).out).iter().any(|key| key == "bits"));
}

#[test]
fn a_listing_can_be_a_page() {
    let folder = Folder::new("page");
    let file = folder.path("mixed.html");
    assert_eq!(said(&["explain", "--html", &file, "mixed.spasm", "-f", "main"]), Said::quiet(0));
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("<h2>main<span>") && !page.contains("<h2>kernel<span>"), "{page}");
    assert_eq!(said(&["explain", "--html", "-", "mixed.spasm", "-f", "main"]).out, page);
    let refused = said(&["explain", "--html", &folder.path("none/page.html"), "mixed.spasm"]);
    assert!(refused.status == 1 && refused.err.contains("its folder does not exist"), "{}", refused.err);
}

#[test]
fn templates_are_checked_and_used() {
    let folder = Folder::new("templates");
    let add = "template add.i64, inout d:gp, in b:gp, clobber flags\n        add     \\d, \\b\nend\n";
    let one_more = add.replace("\nend", "\n        add     \\d, 1\nend");
    let neg = "template neg.i64, inout d:gp, clobber flags\n        neg     \\d\nend\n";
    let crash = add.replace("add", "sub").replace("\nend", "\n        hlt\nend");
    let (good, wrong) = (folder.write("good.S", add), folder.write("wrong.S", &format!("{one_more}{crash}{neg}")));
    let checked = said(&["snippets", "check", &good]);
    assert_eq!((checked.status, checked.err.as_str()), (0, ""));
    assert!(
        checked.out.contains("add    d, b") && checked.out.ends_with("These templates may be used.\n"),
        "{}",
        checked.out
    );
    assert!(checked.out.contains("225 right  right     834 right  3 (built-in 3)"), "{}", checked.out);
    let refused = said(&["snippets", "check", &wrong]);
    assert_eq!(refused.status, 1);
    assert!(refused.out.ends_with("These templates must not be used.\n"), "{}", refused.out);
    for message in ["with d=rbx b=rsi it gives 0x1 for a=0x0 and b=0x0", "crashes when it is run", "wrong.S:1:1"] {
        assert!(refused.err.contains(message), "{message}: {}", refused.err);
    }
    // What stands behind the one that crashes is tried all the same.
    assert!(refused.out.lines().any(|line| line.starts_with("neg.i64") && line.matches("right").count() == 3));
    let program = folder.write("add.spasm", ANSWER);
    let run = |snippets: &str| said(&["run", "--snippets", snippets, &program, "0"]);
    assert_eq!([run(&good).out, run(&good).out], ["42\n", "42\n"]);
    let broken = folder.write("broken.S", &add.replace("add     ", "addd    "));
    let broken = run(&broken);
    assert!(broken.status == 1 && broken.err.contains("broken.S:2:9"), "{}", broken.err);
}

#[test]
fn programs_run_for_the_machine_that_is_named() {
    for cpu in ["native", "x86-64"] {
        assert_eq!(said(&["run", "--cpu", cpu, "fib.spasm", "20"]), said(&["run", "fib.spasm", "20"]));
    }
    // Either this machine is one of these, or it is said what it lacks.
    let newer = said(&["run", "--cpu", "x86-64-v3", "fib.spasm", "20"]);
    assert!(newer.status == 0 || newer.err.contains("this machine is no x86-64-v3: it lacks"), "{}", newer.err);
    // The smallest machine has no instruction of BMI.
    let folder = Folder::new("cpu");
    let shift = folder.write("shift.spasm", "func f(i64, i64) -> i64\n    shl r1, a1, a2\n    ret r1\n");
    assert_eq!(said(&["run", "--cpu", "x86-64", &shift, "5", "3"]).out, "40\n");
}

#[test]
fn snippets_are_measured() {
    let folder = Folder::new("bench");
    let slow = "template add.i64, inout d:gp, in b:gp, clobber flags\n        add     \\d, \\b\n".to_owned()
        + &"        imul    \\d, \\d, 1\n".repeat(8)
        + "end\n";
    let slow = folder.write("slow.S", &slow);
    let measured = said(&["snippets", "bench", "add.i64", &slow]);
    assert_eq!((measured.status, measured.err.as_str()), (0, ""));
    let lines: Vec<&str> = measured.out.lines().collect();
    assert!(lines[0].contains("dependent") && lines[1].starts_with("built-in") && lines[2].starts_with(&slow));
    let ratios = |line: &str| line.split_whitespace().filter(|word| word.ends_with('×')).count();
    assert_eq!([ratios(lines[1]), ratios(lines[2])], [2, 2], "{}", measured.out);
    let compared = said(&["snippets", "bench", "less.f64"]).out;
    assert!(!compared.contains(" dependent") && compared.contains("Each result is stored"), "{compared}");
    assert_eq!(said(&["snippets", "bench", "call"]).status, 1);
    assert!(said(&["snippets", "bench", "mull.i64"]).err.contains("did you mean `mul.i64`?"));
}

#[test]
fn forms_go_back_and_forth() {
    let folder = Folder::new("forms");
    let (binary, text) = (folder.path("mixed.spb"), folder.path("mixed.spasm"));
    assert_eq!(said(&["asm", "mixed.spasm", "-o", &binary]), Said::quiet(0));
    assert!(fs::read(&binary).unwrap().starts_with(b"\x89SPASM"));
    assert_eq!(said(&["check", &binary]), Said::quiet(0));
    assert_eq!(said(&["run", &binary]), said(&["run", "mixed.spasm"]));
    assert_eq!(said(&["dis", &binary, "-o", &text]), Said::quiet(0));
    assert_eq!(fs::read_to_string(&text).unwrap(), said(&["dis", &binary]).out);
    assert_eq!(said(&["run", &text]).out, said(&["run", "mixed.spasm"]).out);
    assert_eq!(said(&["dis", &text]), said(&["dis", "mixed.spasm"]));
    // Standard input and output take either form.
    let piped = spasm(&["asm", &text, "-o", "-"]).output().unwrap().stdout;
    assert_eq!(run_in(&["run", "-"], &piped), said(&["run", "mixed.spasm"]));
    // A listing of a module without a source shows what `dis` writes.
    let listing = said(&["explain", &binary, "-f", "inc"]);
    assert!(listing.out.contains("    add r2, a1, r1\n"), "{}", listing.out);
    assert_eq!(folder.files(), ["mixed.spasm", "mixed.spb"], "nothing else is left behind");
}

#[test]
fn damaged_modules_are_refused() {
    let good = spasm(&["asm", "fib.spasm", "-o", "-"]).output().unwrap().stdout;
    for at in [9, 30, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let said = run_in(&["run", "-", "1"], &bad);
        assert!(
            said.status == 1 && said.err.starts_with("error: ") && said.err.contains("standard input"),
            "{}",
            said.err
        );
    }
    let said = run_in(&["run", "-", "1"], &good[..good.len() / 2]);
    assert!(said.status == 1 && said.err.contains("cut short"), "{}", said.err);
}

#[test]
fn files_are_written_whole_or_not_at_all() {
    let folder = Folder::new("output");
    let (file, copy) = (folder.path("a.spasm"), folder.path("link"));
    fs::write(&file, ANSWER).unwrap();
    // The input is not overwritten, by whatever name.
    std::os::unix::fs::symlink(&file, &copy).unwrap();
    for out in [&file, &copy] {
        let said = said(&["asm", &file, "-o", out]);
        assert!(said.status == 1 && said.err.contains("is the input"), "{}", said.err);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), ANSWER);
    // A refused program leaves the old output alone.
    let out = folder.path("out.spb");
    fs::write(&out, "old").unwrap();
    assert_eq!(said(&["asm", "wrong.spasm", "-o", &out]).status, 1);
    assert_eq!(fs::read_to_string(&out).unwrap(), "old");
    // A link is followed, and the file behind it keeps its permissions.
    let link = folder.path("out-link");
    std::os::unix::fs::symlink(&out, &link).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&out, private).unwrap();
    assert_eq!(said(&["asm", "fib.spasm", "-o", &link]), Said::quiet(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&out).unwrap().permissions()) & 0o777, 0o600);
    assert!(fs::read(&out).unwrap().starts_with(b"\x89SPASM"));
    // Places that cannot be written.
    for (out, why) in [("/dev/full", "no space"), ("/no/such/folder/x", "folder"), ("/", "directory")] {
        let said = said(&["asm", "fib.spasm", "-o", out]);
        assert!(said.status == 1 && said.err.contains(why), "{out}: {}", said.err);
    }
    assert_eq!(folder.files(), ["a.spasm", "link", "out-link", "out.spb"], "nothing else is left behind");
}

#[test]
fn full_and_closed_outputs() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let commands: [&[&str]; 6] = [
        &["run", "fib.spasm", "5"],
        &["run", "several.spasm", "-f", "stop"],
        &["help"],
        &["explain", "fib.spasm"],
        &["snippets", "list"],
        &["dis", "fib.spasm"],
    ];
    for args in commands {
        let output = spasm(args).stdout(full()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(err, "error: standard output cannot be written: no space left on device\n", "{args:?}");
        // Where nobody listens any more nothing is said, and the status is that of other programs.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = spasm(args).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]), "{args:?}");
    }
}

#[test]
fn a_program_without_end_ends_with_its_reader() {
    for tier in ["interp", "baseline"] {
        let args = ["run", "--tier", tier, "several.spasm", "-f", "forever"];
        let mut child = spasm(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("{tier} did not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(child.wait().unwrap().code(), Some(141), "{tier}");
    }
}

#[test]
fn what_is_printed_comes_before_a_trap() {
    let text = "func f(i64) -> i64\n const 1, 7\n print 1\n div 2, 1, -1\n ret 2\n";
    let said = run(&["run", "-", "0"], text);
    assert_eq!(said.out, "7\n");
    assert_eq!(said.err, "trap: divide by zero\n  at f (standard input:4)\n");
    assert_eq!(said.status, 134);
}

#[test]
fn a_stack_that_overflows_is_a_trap() {
    for tier in ["interp", "baseline"] {
        let said = said(&["run", "--tier", tier, "several.spasm", "-f", "deep", "1"]);
        assert_eq!(said.status, 134, "{tier}: {}", said.err);
        assert!(said.err.starts_with("trap: stack overflow\n  at deep (several.spasm:36)\n"), "{tier}: {}", said.err);
        assert!(said.err.lines().count() < 40 && said.err.ends_with(" more\n"), "{tier}: {}", said.err);
    }
}

#[test]
fn input_that_is_no_number_is_an_error() {
    assert_eq!(run(&["run", "several.spasm", "-f", "echo"], "  2.5 rest").out, "2.5\n");
    for input in ["", "x"] {
        let said = run(&["run", "several.spasm", "-f", "echo"], input);
        assert!(said.status == 1 && said.err.starts_with("error: read: expected "), "{}", said.err);
    }
}

#[test]
fn programs_that_are_no_text() {
    let said = run_in(&["check", "-"], b"func f\n ret \xff\xfe\n");
    assert!(said.status == 1 && said.err.contains("standard input:2:6"), "{}", said.err);
    assert_eq!(run_in(&["check", "-"], b"").status, 0, "an empty program is one");
    let nothing = run_in(&["run", "-"], b"");
    assert!(nothing.status == 2 && nothing.err.contains("there is no function"), "{}", nothing.err);
    let noise: Vec<u8> = (0..100_000u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    let said = run_in(&["check", "-"], &noise);
    assert!(said.status == 1 && said.err.len() < 100_000, "{}", said.err.len());
    // Control characters of a file do not reach the terminal.
    let said = run_in(&["check", "-"], b"func f\n add \x1b[31m1\n");
    assert!(said.status == 1 && !said.err.contains('\x1b'), "{:?}", said.err);
}

#[test]
fn endless_files_are_refused() {
    let said = said(&["check", "/dev/zero"]);
    assert!(said.status == 1 && said.err.contains("larger than"), "{}", said.err);
}

#[test]
fn strange_and_huge_arguments() {
    let odd = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
    let output = spasm(&["run", "fib.spasm"]).arg(odd(b"\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = spasm(&["check"]).arg(odd(b"\xff.spasm")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let output = spasm(&["run", "fib.spasm"]).arg(odd(b"-\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let long = "9".repeat(100_000);
    let said_long = said(&["run", "fib.spasm", &long]);
    assert!(said_long.status == 2 && said_long.err.len() < 1_000, "{}", said_long.err.len());
    let many: Vec<String> = (0..255).map(|i| i.to_string()).collect();
    let mut args = vec!["run", "several.spasm", "-f", "count"];
    args.extend(many.iter().map(String::as_str));
    assert_eq!(said(&args).out, "255\n");
    args.push("1");
    let said = said(&args);
    assert!(said.status == 2 && said.err.contains("255 is the most"), "{}", said.err);
}

#[test]
fn colours_where_they_are_wanted() {
    let coloured = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = spasm(args);
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains('\x1b')
    };
    let explain = ["explain", "fib.spasm"];
    assert!(!coloured(&[], &explain));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")], &explain));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &explain));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["explain", "--color", "never", "fib.spasm"]));
    assert!(coloured(&[("NO_COLOR", "1")], &["snippets", "show", "add.i64", "--color", "always"]));
    let error = spasm(&["check", "--color=always", "wrong.spasm"]).output().unwrap().stderr;
    assert!(String::from_utf8(error).unwrap().contains("\x1b[1;31merror"));
}

#[test]
fn colours_change_nothing_but_colours() {
    let plain = said(&["explain", "mixed.spasm"]).out;
    let coloured = said(&["explain", "mixed.spasm", "--color", "always"]).out;
    let mut stripped = String::new();
    let mut inside = false;
    for c in coloured.chars() {
        match (inside, c) {
            (false, '\x1b') => inside = true,
            (true, 'm') => inside = false,
            (false, c) => stripped.push(c),
            (true, _) => {}
        }
    }
    let words = |text: &str| -> Vec<String> {
        let text = text.rsplit_once("\n~").unwrap().0.replace(['(', ')', '[', ']'], " ");
        text.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(words(&plain), words(&stripped));
}

#[test]
fn the_examples_of_the_help_work() {
    let folder = Folder::new("examples");
    let root = env!("CARGO_MANIFEST_DIR");
    std::os::unix::fs::symlink(format!("{root}/examples"), folder.path("examples")).unwrap();
    assert_eq!(said(&["asm", &format!("{root}/examples/fib.spasm"), "-o", &folder.path("fib.spb")]).status, 0);
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_spasm")).parent().unwrap().display().to_string();
    let mut tried = 0;
    let topics =
        ["run", "check", "explain", "asm", "dis", "snippets list", "snippets show", "snippets check", "snippets bench"];
    let pages = topics.iter().map(|topic| {
        let mut args = vec!["help"];
        args.extend(topic.split(' '));
        said(&args).out
    });
    for page in pages.chain([said(&["help"]).out]) {
        let (_, examples) = page.split_once("Examples:\n").unwrap();
        let lines = examples.lines().map(str::trim).filter(|line| line.contains("spasm ") && !line.starts_with('#'));
        for line in lines.take_while(|line| !line.ends_with("more about a command.")) {
            let line = line.replace("less -R", "cat");
            let output = std::process::Command::new("sh")
                .args(["-c", &line])
                .current_dir(folder.path(""))
                .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap_or_default()))
                .output()
                .unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn standard_input_may_be_slow() {
    let mut child = spasm(&["run", "-", "8"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for part in ANSWER.split_inclusive(' ') {
        input.write_all(part.as_bytes()).unwrap();
        input.flush().unwrap();
    }
    drop(input);
    assert_eq!(child.wait_with_output().unwrap().stdout, b"50\n");
}
