//! As much as there may be of what modules share.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use spasm::binary::{decode, encode};
use spasm::text::print;
use spasm::verify::verify;

use crate::read;

#[test]
fn large_modules_take_linear_time() {
    let start = Instant::now();
    let mut text = "table t funcref 1\nimport \"env\" \"base\" global base const i32\n".to_owned();
    for n in 0..10_000 {
        _ = write!(
            text,
            "import \"env\" \"f{n}\" func f{n}()\nimport \"env\" \"g{n}\" global g{n} i64\n\
             elem e{n} funcref in t at global base = [f{n}, null]\nsegment s{n} = \"\"\nexport \"x{n}\" func f{n}\n"
        );
    }
    let list = vec!["f7"; 100_000].join(", ");
    _ = write!(text, "elem all funcref declared = [{list}]\nfunc f\n");
    for n in 0..10_000 {
        _ = writeln!(text, " ref r1, f{n}\n call f{n}\n tinit t, e{n}, r1, r2, r3\n mdrop s{n}");
    }
    let mut module = read(&(text + " ret\n"));
    assert_eq!(print(&read(&print(&module))), print(&module));
    if let Some(source) = &mut module.source {
        source.text.clear();
    }
    assert_eq!(decode(&encode(&module)).as_ref(), Ok(&module));
    verify(module).unwrap_or_else(|error| panic!("{error}"));
    assert!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
}
