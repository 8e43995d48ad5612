//! From the word of an instruction to its opcode.
//!
//! Comes in: a word like `add.i32`. Goes out: the opcode and whether its sources are written the other way round, or
//! advice on what was meant. What must hold: every row of the opcode table that a program can write is found under its
//! name; what a word means beyond that stands in the short lists below.

use std::collections::HashMap;
use std::sync::LazyLock;

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
const ALIASES: [(&str, &str, bool); 6] = [
    ("greater", "less", true),
    ("geq", "leq", true),
    ("greateru", "lessu", true),
    ("gequ", "lequ", true),
    ("mload.32u", "mload.i32", false),
    ("mstore.32", "mstore.i32", false),
];

/// Instructions of the C interface.
const C_INTERFACE: [&str; 4] = ["addr", "callp", "load", "store"];

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

static WORDS: LazyLock<HashMap<String, Word>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for row in Op::ROWS.iter().filter(|row| !row.op.is_settled()) {
        let word = Word { op: row.op, swapped: false };
        words.insert(row.name(), word);
        if row.suffix == DEFAULT {
            words.insert(row.mnemonic.to_owned(), word);
        }
    }
    for (alias, name, swapped) in ALIASES {
        let forms = words.iter().filter(|(word, _)| word.split('.').next() == Some(name) || *word == name);
        let aliases: Vec<_> =
            forms.map(|(word, meant)| (word.replacen(name, alias, 1), Word { op: meant.op, swapped })).collect();
        words.extend(aliases);
    }
    words
});

/// What `word` stands for, if it is an instruction.
pub fn lookup(word: &str) -> Option<Word> {
    WORDS.get(word).copied()
}

/// What is wrong with a word that is no instruction, and what to do about it.
pub fn refuse(word: &str, items: &[&'static str]) -> (String, Option<String>) {
    let (stem, suffix) = word.split_once('.').unwrap_or((word, ""));
    if C_INTERFACE.contains(&stem) {
        return not_yet(stem);
    }
    let mut forms: Vec<&String> = WORDS.keys().filter(|known| known.split('.').next() == Some(stem)).collect();
    forms.sort_unstable();
    match forms.as_slice() {
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

/// What is said of a part of the language that needs the C interface.
pub fn not_yet(word: &str) -> (String, Option<String>) {
    let help = "functions, globals, tables and linear memory work; calls to and from C will follow".to_owned();
    (format!("`{word}` needs the C interface, which is not there yet"), Some(help))
}

fn stems() -> impl Iterator<Item = &'static str> {
    let aliases = ALIASES.iter().map(|(alias, ..)| *alias).filter(|alias| !alias.contains('.'));
    Op::ROWS.iter().filter(|row| !row.op.is_settled()).map(|row| row.mnemonic).chain(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_under_its_name() {
        for row in Op::ROWS {
            let found = lookup(&row.name());
            assert_eq!(found, (!row.op.is_settled()).then_some(Word { op: row.op, swapped: false }), "{}", row.name());
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
        assert!(refuse("load.8s", &[]).0.contains("C interface"));
    }
}
