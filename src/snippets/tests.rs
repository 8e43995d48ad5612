//! Templates laid over the library: from files to code, through the cache and without.

use super::*;
use crate::engine::{Config, Engine};
use crate::text;
use crate::verify::verify;

/// A folder of templates and a cache, gone with the test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("spasm-snippets-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("templates/op")).unwrap();
        Place(folder)
    }

    fn write(&self, text: &str) {
        std::fs::write(self.0.join("templates/op/mine.S"), text).unwrap();
    }

    fn load(&self) -> Result<Loaded, SnippetErrors> {
        let cache = Some(Cache::at(self.0.join("cache")));
        Toolchain { cache, ..Toolchain::default() }.load(&[self.0.join("templates")])
    }

    fn message(&self) -> String {
        self.load().map(|loaded| loaded.extracted.len()).unwrap_err().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(snippets: Option<Snippets>, source: &str, args: (i64, i64)) -> (i64, Vec<u8>) {
    let verified = verify(text::parse("t", source).unwrap()).unwrap();
    let mut instance = Engine::new(Config { snippets, ..Config::default() }).instantiate(&verified).unwrap();
    let code = instance.code().unwrap().1.to_vec();
    let f = instance.typed::<(i64, i64), i64>("f").unwrap();
    (f.call(&mut instance, args).unwrap(), code)
}

const SUM: &str = "func f(i64, i64) -> i64\n    mul r1, a1, a2\n    add r1, r1, a2\n    ret r1\n";
/// A sum that is one too large: nobody but the template says so.
const WRONG: &str =
    "template add.i64, inout d:gp, in b:gp, clobber flags\n        add     \\d, \\b\n        add     \\d, 1\nend\n";

#[test]
fn templates_take_the_place_of_built_in_ones() {
    let place = Place::new("place");
    place.write(WRONG);
    let loaded = place.load().unwrap();
    assert_eq!((loaded.extracted.len(), loaded.assembled, loaded.files.len()), (1, 1, 1));
    let (built_in, plain) = run(None, SUM, (6, 7));
    let (changed, edited) = run(Some(loaded.snippets), SUM, (6, 7));
    assert_eq!((built_in, changed), (49, 50));
    assert_eq!(edited.len(), plain.len() + 4);
}

#[test]
fn what_is_unchanged_comes_from_the_cache() {
    let place = Place::new("cache");
    place.write(WRONG);
    let first = place.load().unwrap();
    let again = place.load().unwrap();
    assert_eq!((first.assembled, again.assembled), (1, 0));
    assert_ne!(first.snippets, again.snippets);
    assert_eq!(run(Some(first.snippets), SUM, (3, 4)), run(Some(again.snippets), SUM, (3, 4)));
    // One byte more is another file.
    place.write(&format!("{WRONG}\n"));
    assert_eq!(place.load().unwrap().assembled, 1);
    // A damaged entry is assembled anew, whichever byte it is.
    let entries: Vec<PathBuf> =
        std::fs::read_dir(place.0.join("cache")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        let whole = std::fs::read(entry).unwrap();
        let flipped = |at: usize| whole.iter().enumerate().map(|(n, b)| if n == at { !b } else { *b }).collect();
        let damaged: Vec<Vec<u8>> =
            (0..whole.len()).step_by(7).map(flipped).chain([vec![], whole[..whole.len() - 1].to_vec()]).collect();
        for bytes in damaged {
            for entry in &entries {
                std::fs::write(entry, &bytes).unwrap();
            }
            assert_eq!(place.load().unwrap().assembled, 1);
        }
    }
    assert_eq!(run(Some(place.load().unwrap().snippets), SUM, (6, 7)).0, 50);
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_only() {
    let place = Place::new("unwritable");
    place.write(WRONG);
    std::fs::write(place.0.join("cache"), "a file, no folder").unwrap();
    for _ in 0..2 {
        assert_eq!(place.load().unwrap().assembled, 1);
    }
}

#[test]
fn everything_that_replaces_nothing_stays() {
    let place = Place::new("rest");
    // Every template of every opcode that works on two registers of its own, laid over itself.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/asm/x86_64/op");
    for name in ["add", "sub", "shl", "div", "cvts"] {
        let text = std::fs::read_to_string(format!("{root}/{name}.S")).unwrap();
        std::fs::write(place.0.join(format!("templates/{name}.S")), text).unwrap();
    }
    place.write("template neg.i64, inout d:gp, clobber flags\n        neg \\d\nend\n");
    let snippets = place.load().unwrap().snippets;
    for source in [
        SUM,
        "func f(i64, i64) -> i64\n    const r9, 3\n    shl r1, a1, r9\n    div r2, r1, a2\n    sub r1, r2, r9\n    ret r1\n",
    ] {
        assert_eq!(run(Some(snippets), source, (1 << 40, -77)), run(None, source, (1 << 40, -77)));
    }
}

#[test]
fn what_is_wrong_is_said_at_the_line_of_the_users_file() {
    let place = Place::new("wrong");
    let errors = [
        (
            "template add.i64, inout d:gp, in b:gp\n        addd    \\d, \\b\nend\n",
            "mine.S:2: template `add.i64`: the assembler refuses",
        ),
        (
            "template add.i64, inout d:gp, in b:gp\n        add     \\d, \\b\n        add     \\d, \\c\nend\n",
            "mine.S:3: template `add.i64`: `\\c` is no declared operand",
        ),
        ("template foo, in a:gp\n        push    \\a\nend\n", "mine.S:1: template `foo`: is neither an opcode"),
        ("template enter\n        hlt\nend\n", "belongs to the runtime"),
        ("template add.i64, inout d:gp, in b:gp\n        add     \\d, \\b\n", "mine.S:1"),
        (
            "template add.i64, inout d:gp, in b:gp, clobber rbx\n        add     \\d, \\b\nend\n",
            "a variable may live there",
        ),
        ("", ""),
    ];
    for (text, message) in errors {
        place.write(text);
        if message.is_empty() {
            assert_eq!(place.load().unwrap().extracted.len(), 0, "a file without templates changes nothing");
        } else {
            assert!(place.message().contains(message), "{}", place.message());
        }
    }
    let absent = Toolchain::default().load(&[place.0.join("absent")]).unwrap_err();
    assert!(absent.to_string().contains("cannot be read"), "{absent}");
    std::fs::remove_file(place.0.join("templates/op/mine.S")).unwrap();
    assert!(place.message().contains("no file with a name that ends in `.S`"));
    place.write(WRONG);
    let toolchain = Toolchain { compiler: "no-such-compiler".to_owned(), cache: None };
    let missing = toolchain.load(&[place.0.join("templates")]).unwrap_err();
    assert!(missing.to_string().contains("cannot run `no-such-compiler`"), "{missing}");
}
