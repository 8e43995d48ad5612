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

/// How many places [`PLACES`] has: a power of two, several times as many as there are rows.
const SIZE: usize = 1024;

/// The number of each row, and one more, in the place that its name hashes to, or in the next one that was free. It is
/// made when Spasm is compiled: a program that is parsed has nothing to wait for.
static PLACES: [u16; SIZE] = {
    let mut places = [0; SIZE];
    let mut number = 0;
    while number < Op::ROWS.len() {
        let row = &Op::ROWS[number];
        let mut at = hash(hash(hash(SEED, row.mnemonic), "."), row.suffix) as usize % SIZE;
        if row.suffix.is_empty() {
            at = hash(SEED, row.mnemonic) as usize % SIZE;
        }
        while places[at] != 0 {
            at = (at + 1) % SIZE;
        }
        places[at] = number as u16 + 1;
        number += 1;
    }
    places
};

const SEED: u32 = 0x811c_9dc5;

/// The hash of what was hashed before and `text` behind it.
const fn hash(mut before: u32, text: &str) -> u32 {
    let mut nth = 0;
    while nth < text.len() {
        before = (before ^ text.as_bytes()[nth] as u32).wrapping_mul(0x0100_0193);
        nth += 1;
    }
    before ^ before >> 15
}

/// The opcode with this name: what stands before the dot and behind it, if there is one.
fn named(stem: &str, suffix: Option<&str>) -> Option<Op> {
    let mut at = hash(SEED, stem);
    if let Some(suffix) = suffix {
        at = hash(hash(at, "."), suffix);
    }
    let places = (0..SIZE).map(|more| PLACES[(at as usize + more) % SIZE]).take_while(|&place| place != 0);
    let mut rows = places.map(|place| &Op::ROWS[usize::from(place) - 1]);
    let found = rows.find(|row| row.mnemonic == stem && row.suffix == suffix.unwrap_or(""));
    found.map(|row| row.op).filter(|op| !op.is_settled())
}

/// What `word` stands for, if it is an instruction.
pub fn lookup(word: &str) -> Option<Word> {
    let (stem, suffix) = word.split_once('.').map_or((word, None), |(stem, suffix)| (stem, Some(suffix)));
    let own = |stem, suffix: Option<&str>| match suffix {
        None => named(stem, None).or_else(|| named(stem, Some(DEFAULT))),
        Some("") => None,
        suffix => named(stem, suffix),
    };
    if let Some(op) = own(stem, suffix) {
        return Some(Word { op, swapped: false });
    }
    ALIASES.iter().find_map(|&(alias, meant, swapped)| {
        let op = match meant.split_once('.') {
            Some((stem, suffix)) if alias == word => named(stem, Some(suffix)),
            None if alias == stem => own(meant, suffix),
            _ => None,
        };
        op.map(|op| Word { op, swapped })
    })
}

/// Every word that is an instruction.
fn words() -> Vec<String> {
    let mut words = Vec::new();
    for row in Op::ROWS.iter().filter(|row| !row.op.is_settled()) {
        words.push(row.name());
        if row.suffix == DEFAULT {
            words.push(row.mnemonic.to_owned());
        }
    }
    for (alias, name, _) in ALIASES {
        let forms = words.iter().filter(|word| word.split('.').next() == Some(name) || *word == name);
        let aliases: Vec<String> = forms.map(|word| word.replacen(name, alias, 1)).collect();
        words.extend(aliases);
    }
    words
}

/// What is wrong with a word that is no instruction, and what to do about it.
pub fn refuse(word: &str, items: &[&'static str]) -> (String, Option<String>) {
    let (stem, suffix) = word.split_once('.').unwrap_or((word, ""));
    if C_INTERFACE.contains(&stem) {
        return not_yet(stem);
    }
    let mut forms = words();
    forms.retain(|known| known.split('.').next() == Some(stem));
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
    fn every_word_is_found_and_no_other() {
        let words = words();
        assert!(words.len() > Op::ROWS.len() && words.iter().all(|word| lookup(word).is_some()), "{words:?}");
        for row in Op::ROWS {
            for word in [format!("{}.", row.name()), format!("{}.i64", row.name()), format!(".{}", row.name())] {
                assert_eq!(lookup(&word).is_some(), words.contains(&word), "{word}");
            }
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
