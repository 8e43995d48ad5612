#![doc = include_str!("reference.md")]
//!
//! ---
//!
//! This module makes the page above. Comes in: the opcode table and the prose beside this file. Goes out: Markdown.
//! What must hold: every instruction that can be written is in it.

use std::fmt::Write as _;

use crate::isa::op::{Op, Row};
use crate::isa::trap::TrapKind;
use crate::text::usage;

/// The language reference, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = include_str!("prose.md").to_owned();
    page.push_str("\n| instruction | types | meaning |\n|---|---|---|\n");
    let rows: Vec<&Row> = Op::ROWS.iter().filter(|row| row.op.is_written()).collect();
    for group in rows.chunk_by(|a, b| a.mnemonic == b.mnemonic && a.doc == b.doc) {
        let suffixes: Vec<&str> = group.iter().map(|row| row.suffix).filter(|suffix| !suffix.is_empty()).collect();
        let types = suffixes.iter().map(|suffix| format!("`{suffix}`")).collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "| {} | {types} | {} |", usage(group[0].mnemonic, group[0]), group[0].doc);
    }
    let (own, linked, c) = (include_str!("opcodes.md"), include_str!("linked.md"), include_str!("native.md"));
    for prose in [include_str!("after.md"), own, linked, c, include_str!("traps.md")] {
        page.push_str(prose);
    }
    for kind in TrapKind::ALL {
        let _ = writeln!(page, "* `{kind}`");
    }
    page
}

#[cfg(test)]
mod tests {
    /// `UPDATE_GOLDEN=1` rewrites the page.
    #[test]
    fn the_page_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/reference.md");
        let made = super::markdown();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &made).expect("the page can be written");
        }
        let kept = std::fs::read_to_string(path).expect("the page can be read");
        assert!(kept == made, "src/reference/reference.md is out of date: run this test with UPDATE_GOLDEN=1");
    }
}
