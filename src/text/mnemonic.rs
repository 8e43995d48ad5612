//! From the word of an instruction to its opcode.
//!
//! Comes in: a word like `add.i32`. Goes out: the opcode and whether its sources are written the other way round, or
//! advice on what was meant. What must hold: every row of the opcode table that a program can write is found under its
//! name; what a word means beyond that stands in the short lists below.

use super::suggest::nearest;
use crate::isa::op::Op;

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub op: Op,
    /// The sources are written the other way round: `greater d, a, b` is `less d, b, a`.
    pub swapped: bool,
}

/// The type that an instruction works on where none is written.
pub const DEFAULT: &str = "i64";

/// Other names of instructions: what is written, what it is, and whether the sources are exchanged.
const ALIASES: [(&str, &str, bool); 8] = [
    ("greater", "less", true),
    ("geq", "leq", true),
    ("greateru", "lessu", true),
    ("gequ", "lequ", true),
    ("mload.32u", "mload.i32", false),
    ("mstore.32", "mstore.i32", false),
    ("load.32u", "load.i32", false),
    ("store.32", "store.i32", false),
];

/// Words of other assemblers.
const FOREIGN: [(&str, &str); 32] = [
    ("mov", "move"),
    ("copy", "move"),
    ("set", "const"),
    ("li", "const"),
    ("ldc", "const"),
    ("inc", "add"),
    ("dec", "sub"),
    ("rem", "mod"),
    ("remu", "modu"),
    ("lsl", "shl"),
    ("sll", "shl"),
    ("asr", "shr"),
    ("sar", "shr"),
    ("sra", "shr"),
    ("lsr", "shru"),
    ("srl", "shru"),
    ("lt", "less"),
    ("ltu", "lessu"),
    ("le", "leq"),
    ("leu", "lequ"),
    ("gt", "greater"),
    ("ge", "geq"),
    ("goto", "jmp"),
    ("jump", "jmp"),
    ("br", "jmp"),
    ("jnz", "jmpt"),
    ("jz", "jmpf"),
    ("br_if", "jmpt"),
    ("return", "ret"),
    ("exit", "halt"),
    ("fn", "func"),
    ("function", "func"),
];

/// Twice as many as there are rows, at least, so that a search is short.
const SLOTS: usize = 512;

/// Which row stands under the hash of its name: its number plus one, or 0. A search goes on to the next slot until it
/// comes to a 0. It is made by the compiler, because every program that starts would have to wait for it.
static ROW_AT: [u16; SLOTS] = {
    assert!(Op::ROWS.len() * 2 <= SLOTS, "more slots are needed");
    let mut slots = [0; SLOTS];
    let mut row = 0;
    while row < Op::ROWS.len() {
        let mut at = hash(Op::ROWS[row].mnemonic, Op::ROWS[row].suffix);
        while slots[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        row += 1;
        slots[at] = row as u16;
    }
    slots
};

const fn hash(mnemonic: &str, suffix: &str) -> usize {
    let mut hash = 0x811c_9dc5_u32;
    let mut part = 0;
    while part < 2 {
        let bytes = if part == 0 { mnemonic.as_bytes() } else { suffix.as_bytes() };
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        // So that `ab` and `c` are not `a` and `bc`.
        hash = (hash ^ 0x2e).wrapping_mul(0x0100_0193);
        part += 1;
    }
    (hash ^ hash >> 15) as usize % SLOTS
}

/// The opcode that is written so, if there is one.
fn find(mnemonic: &str, suffix: &str) -> Option<Op> {
    let mut at = hash(mnemonic, suffix);
    loop {
        let row = &Op::ROWS[usize::from(ROW_AT[at]).checked_sub(1)?];
        if row.mnemonic == mnemonic && row.suffix == suffix {
            return row.op.is_written().then_some(row.op);
        }
        at = (at + 1) % SLOTS;
    }
}

/// The same, with the type that is meant where none is written.
fn find_or_default(mnemonic: &str, suffix: Option<&str>) -> Option<Op> {
    match suffix {
        Some("") => None,
        Some(suffix) => find(mnemonic, suffix),
        None => find(mnemonic, "").or_else(|| find(mnemonic, DEFAULT)),
    }
}

/// What `word` stands for, if it is an instruction.
pub fn lookup(word: &str) -> Option<Word> {
    let (stem, suffix) = word.split_once('.').map_or((word, None), |(stem, suffix)| (stem, Some(suffix)));
    if let Some(op) = find_or_default(stem, suffix) {
        return Some(Word { op, swapped: false });
    }
    let (alias, name, swapped) = ALIASES.into_iter().find(|(alias, ..)| *alias == stem || *alias == word)?;
    let op = if alias == word && alias.contains('.') { lookup(name)?.op } else { find_or_default(name, suffix)? };
    Some(Word { op, swapped })
}

/// Every word that [`lookup`] knows and that begins with `stem`, in the order of the alphabet.
fn forms(stem: &str) -> Vec<String> {
    let rows = || Op::ROWS.iter().filter(|row| row.op.is_written());
    let suffixes = rows().map(|row| row.suffix).filter(|suffix| !suffix.is_empty());
    let aliases = ALIASES.iter().filter_map(|(alias, ..)| alias.split_once('.')).map(|(_, suffix)| suffix);
    let mut forms: Vec<String> = suffixes.chain(aliases).map(|suffix| format!("{stem}.{suffix}")).collect();
    forms.push(stem.to_owned());
    forms.retain(|form| lookup(form).is_some());
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// What is wrong with a word that is no instruction, and what to do about it.
pub fn refuse(word: &str, items: &[&'static str]) -> (String, Option<String>) {
    let (stem, suffix) = word.split_once('.').unwrap_or((word, ""));
    match forms(stem).as_slice() {
        [] => {}
        [only] if !only.contains('.') => {
            let help = match stem {
                "move" | "select" | "print" | "read" | "gget" | "gset" => {
                    format!("write `{stem}`: it takes its type from its operands")
                }
                _ => format!("write `{stem}`"),
            };
            return (format!("`{stem}` has no type behind it"), Some(help));
        }
        forms => {
            let message = if suffix.is_empty() {
                format!("`{stem}` needs its type behind it")
            } else {
                format!("there is no `.{suffix}` form of `{stem}`")
            };
            let forms: Vec<String> = forms.iter().filter(|form| form.contains('.')).map(|f| format!("`{f}`")).collect();
            return (message, Some(format!("it comes as {}", forms.join(", "))));
        }
    }
    let foreign = FOREIGN.iter().find(|(other, _)| other.eq_ignore_ascii_case(stem)).map(|(_, own)| *own);
    let meant = foreign.or_else(|| nearest(stem, items.iter().copied().chain(stems())));
    let help = meant.map(|meant| format!("did you mean `{meant}`?"));
    (format!("there is no instruction `{word}`"), help)
}

fn stems() -> impl Iterator<Item = &'static str> {
    let aliases = ALIASES.iter().map(|(alias, ..)| *alias).filter(|alias| !alias.contains('.'));
    Op::ROWS.iter().filter(|row| row.op.is_written()).map(|row| row.mnemonic).chain(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_under_its_name() {
        for row in Op::ROWS {
            let found = lookup(&row.name());
            assert_eq!(found, row.op.is_written().then_some(Word { op: row.op, swapped: false }), "{}", row.name());
        }
    }

    #[test]
    fn aliases_and_defaults() {
        let word = |op, swapped| Some(Word { op, swapped });
        assert_eq!(lookup("add"), word(Op::AddI64, false));
        assert_eq!(lookup("greater"), word(Op::LessI64, true));
        assert_eq!(lookup("greater.f32"), word(Op::LessF32, true));
        assert_eq!(lookup("gequ.i32"), word(Op::LequI32, true));
        assert_eq!(lookup("greateru"), word(Op::LessuI64, true));
        assert_eq!(lookup("mload.32u"), word(Op::MloadI32, false));
        assert_eq!(lookup("mstore.32"), word(Op::MstoreI32, false));
        assert_eq!(lookup("mload"), word(Op::MloadI64, false));
        assert_eq!(lookup("load.32u"), word(Op::LoadI32, false));
        assert_eq!(lookup("store.32"), word(Op::StoreI32, false));
        assert_eq!(lookup("store"), word(Op::StoreI64, false));
        assert_eq!(lookup("call.extern"), None);
        assert_eq!(lookup("sqrt"), None);
        assert_eq!(lookup("move.i64"), None);
        assert_eq!(lookup("gequ.f64"), None);
        assert_eq!(lookup("greater.i32.x"), None);
    }

    #[test]
    fn refusals_say_what_to_write() {
        let help = |word| refuse(word, &["func"]).1.unwrap_or_default();
        assert_eq!(help("sqrt"), "it comes as `sqrt.f32`, `sqrt.f64`");
        assert_eq!(help("move.f64"), "write `move`: it takes its type from its operands");
        assert_eq!(help("jmp.i32"), "write `jmp`");
        assert_eq!(help("mov"), "did you mean `move`?");
        assert_eq!(help("fun"), "did you mean `func`?");
        assert_eq!(help("addd.i32"), "did you mean `add`?");
        assert!(help("load.8").contains("`load.8s`, `load.8u`"));
    }
}
