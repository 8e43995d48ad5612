//! The size of what the binary holds of the snippet library.
//!
//! Comes in: the built-in library. Goes out: a failure that says how large it is. What must hold: it stays within 100 KiB,
//! and what is stored gives the contracts back as they were.

use spasm::isa::snippet::Kind;
use spasm::library::{Library, builtin};

#[test]
fn the_tables_take_at_most_100_kib() {
    let bytes = Library::stored_bytes();
    println!("{bytes} bytes for {} snippets", builtin::RECORDS.len());
    assert!(bytes <= 100 << 10, "the stored library takes {bytes} bytes");
    // The largest parts by themselves, so that nothing is left out of the sum.
    assert!(bytes > size_of_val(&builtin::CHUNKS) + size_of_val(&builtin::RECORDS) + size_of_val(&builtin::SPREADS));
}

#[test]
fn contracts_are_the_same_in_full_and_as_stored() {
    let library = Library::native();
    for (info, record) in library.infos().iter().zip(&builtin::RECORDS) {
        let contract = library.contract(info.chunk);
        assert_eq!((info.chunk, info.cold, info.needs), (record.chunk, contract.cold(), record.needs));
        assert_eq!(library.info(info.chunk), info);
        assert!(contract.operands().eq(info.operands.iter().copied()), "{}", info.name);
        assert_eq!((contract.holes(), contract.sites()), (info.holes, info.sites));
        for hole in info.holes {
            let operand = contract.operand(hole);
            assert_eq!(operand, info.operands[usize::from(hole.operand)]);
            assert!(!operand.kind.is_register() && !operand.name.is_empty() && operand.kind == contract.kind(hole));
        }
        assert!(info.file.contains(".S") && !info.name.is_empty() && info.line > 0, "{info:?}");
    }
    let known = library.infos().iter().find(|info| info.name == "add.i64" && info.operands.len() == 3);
    let kinds: Vec<(&str, Kind)> = known.expect("there is one").operands.iter().map(|o| (o.name, o.kind)).collect();
    assert_eq!(kinds[0].0, "d");
    assert!(kinds[1..].iter().all(|(name, _)| ["a", "b"].contains(name)), "{kinds:?}");
}
