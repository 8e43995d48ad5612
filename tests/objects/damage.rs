//! `spasm run OUT.o`: objects as a cache. Whole ones run as the program does; all others are refused with a reason.

use std::fs;

use object::{Object as _, ObjectSection as _};
use spasm::elf::{self, ElfError, LoadError, Options};
use spasm::library::Library;
use spasm::stitch::{Entries, Stitcher};
use spasm::verified::Verified;
use spasm::verify::verify;

use crate::tools::{SPASM, folder, object, output, run, verified};

const SOURCE: &str = "
global calls i64 = 1
memory 1
table all = [share, main]
func main(i64, i64) -> i64
    call r1, share, a1, a2
    gget r2, calls
    print r2
    ret r1
func share(i64, i64) -> i64
    div r1, a1, a2
    ret r1
";

#[test]
fn objects_run_without_being_linked() {
    let folder = folder("cache");
    fs::write(folder.join("share.spasm"), SOURCE).unwrap();
    for options in [&["--cpu", "native"][..], &["--no-runtime", "--no-debug"], &[]] {
        run(&folder, SPASM, &[&["build", "share.spasm", "-o", "share.o"], options].concat());
        for tier in ["auto", "interp"] {
            assert_eq!(run(&folder, SPASM, &["run", "--tier", tier, "share.o", "84", "2"]), "1\n42\n");
        }
        let trapped = output(&folder, SPASM, &["run", "share.o", "1", "0"]);
        let told = "trap: divide by zero\n  at share (share.spasm:11)\n  at main (share.spasm:6)\n";
        assert_eq!((trapped.status.code(), String::from_utf8_lossy(&trapped.stderr).as_ref()), (Some(134), told));
    }
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (name, args) in [("fib", &["20"][..]), ("sieve", &["1000"]), ("nbody", &["100"]), ("sha256", &["3"])] {
        let source = examples.join(format!("{name}.spasm"));
        let source = source.to_str().unwrap();
        run(&folder, SPASM, &["build", source, "-o", "example.o"]);
        let wanted = run(&folder, SPASM, &[&["run", source], args].concat());
        assert_eq!(run(&folder, SPASM, &[&["run", "example.o"], args].concat()), wanted, "{name}");
    }
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let folder = folder("foreign");
    fs::write(folder.join("share.spasm"), SOURCE).unwrap();
    fs::write(folder.join("c.c"), "int answer(void) { return 42; }\nint main(void) { return 0; }\n").unwrap();
    run(&folder, SPASM, &["build", "share.spasm", "-o", "share.o"]);
    run(&folder, "cc", &["-c", "c.c", "-o", "c.o"]);
    run(&folder, "cc", &["c.c", "-o", "linked"]);
    let bytes = fs::read(folder.join("share.o")).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        fs::write(folder.join("changed.o"), bytes).unwrap();
        let output = output(&folder, SPASM, &["run", "changed.o", "4", "2"]);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("").to_owned()
    };
    let refused = |file: &str| {
        let output = output(&folder, SPASM, &["run", file, "4", "2"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("").to_owned()
    };
    assert_eq!(refused("c.o"), "error: cannot run `c.o`: it was not written by Spasm: it has no section `.spasm`");
    assert!(refused("linked").contains("linked is run by itself"));
    // The machine stands at 18 in every ELF file: 183 is AArch64.
    assert!(changed(&|bytes| bytes[18] = 183).contains("another machine than x86-64"));
    assert!(changed(&|bytes| bytes.truncate(2000)).contains("no whole ELF object"));
    assert!(changed(&|bytes| bytes.truncate(70)).contains("no whole ELF object"));
    let at = |mark: &[u8]| bytes.windows(mark.len()).rposition(|part| part == mark).unwrap();
    let saved = at(b"SPASMRUN");
    assert!(changed(&|bytes| bytes[saved + 9] ^= 1).contains("another build of Spasm wrote it"));
    assert!(changed(&|bytes| bytes[saved + 16] = 0xff).contains("checksum is wrong"));
    let file = object::File::parse(bytes.as_slice()).unwrap();
    let (code, _) = file.section_by_name(".text").unwrap().file_range().unwrap();
    assert!(changed(&|bytes| bytes[code as usize + 16] ^= 1).contains("checksum is wrong"));
}

#[test]
fn any_damage_is_noticed_or_does_not_matter() {
    let whole = object(&verified("share.spasm", SOURCE), &Options { runtime: false, ..Options::default() });
    let mut loaded = elf::load(&whole).unwrap();
    let (module, image) = (loaded.take_module(), loaded.image().clone());
    assert_eq!(loaded.features().0, 0);
    for len in 0..whole.len() {
        assert!(elf::load(&whole[..len]).is_err(), "cut at {len}");
    }
    let mut noticed = 0;
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            match elf::load(&damaged) {
                Err(LoadError::Damaged(_)) => noticed += 1,
                Err(_) => {}
                Ok(mut loaded) => {
                    assert!(loaded.take_module() == module && *loaded.image() == image, "damage at {at}");
                }
            }
        }
    }
    assert!(noticed > 2 * image.code.len());
}

#[test]
fn imports_that_c_has_yet_to_give_are_refused() {
    let source = "import \"env\" \"f\" func f()\nexport \"g\" func g\nfunc g()\n    call f\n    ret\n";
    let library = Library::with_features(spasm::engine::Features(0));
    let written = |verified: &Verified| {
        let mut stitcher = Stitcher::new(&library);
        stitcher.set_entries(Entries::Exported);
        elf::write(verified, &stitcher.stitch(verified).unwrap(), &library, &Options::default())
    };
    let open = verified("open.spasm", source);
    assert_eq!(written(&open), Err(ElfError::Linked));
    let mut module = open.module().clone();
    elf::lower(&mut module).unwrap();
    assert!(written(&verify(module).unwrap()).is_ok());
}
