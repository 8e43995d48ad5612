//! Images made in pieces are those that are made at once.

use std::path::Path;

use spasm::library::Library;
use spasm::module::Module;
use spasm::stitch::image::Image;
use spasm::stitch::{Entries, Stitcher};
use spasm::verify::single::{self, Bodies};
use spasm::{generate, text, verify};

/// The image of a module, `size` functions a piece.
fn in_pieces(module: &Module, size: usize, entries: Entries) -> Image {
    let head = single::head(module.clone()).unwrap();
    let mut bodies = Bodies::new(module);
    let mut stitcher = Stitcher::new(Library::native());
    stitcher.set_entries(entries);
    let mut pieces = Vec::new();
    for (nth, run) in module.functions.chunks(size).enumerate() {
        stitcher.begin_piece(&head, (nth * size) as u32).unwrap();
        for function in run {
            stitcher.add(&head, &bodies.verify(function).unwrap()).unwrap();
        }
        pieces.push(stitcher.end_piece());
    }
    stitcher.join(&head, pieces).unwrap()
}

fn check(name: &str, module: &Module) {
    for entries in [Entries::Taken, Entries::All] {
        let mut stitcher = Stitcher::new(Library::native());
        stitcher.set_entries(entries);
        let mut whole = stitcher.stitch(&verify::verify(module.clone()).unwrap()).unwrap();
        whole.functions.iter_mut().for_each(|function| function.insts.clear());
        for size in [1, 2, 3, module.functions.len()] {
            let joined = in_pieces(module, size, entries);
            let told = format!("{name}, {size} functions a piece");
            assert_eq!(joined.functions, whole.functions, "{told}");
            assert_eq!(joined.relocations, whole.relocations, "{told}");
            assert_eq!((&joined.sites, &joined.unwind), (&whole.sites, &whole.unwind), "{told}");
            let differs = joined.code.iter().zip(&whole.code).position(|(a, b)| a != b);
            assert_eq!((differs, joined.code.len()), (None, whole.code.len()), "{told}");
            assert_eq!(joined.entries, whole.entries, "{told}");
        }
    }
}

#[test]
fn pieces_of_the_examples_make_the_same_images() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "spasm") {
            let module = text::parse("example", &std::fs::read_to_string(&path).unwrap()).unwrap();
            check(&path.display().to_string(), &module);
            seen += 1;
        }
    }
    assert!(seen > 10, "the examples are where they were");
}

#[test]
fn pieces_of_random_modules_make_the_same_images() {
    for seed in 0..200 {
        check(&format!("seed {seed}"), &generate::seeded(seed).module);
    }
}
