//! Opcodes that templates declare: names, types, and what their templates have to look like.
//!
//! Comes in: a declaration as text, or a template of a declared opcode. Goes out: a [`CustomOp`], or what is wrong. What
//! must hold: whatever a template of a declared opcode looks like, the stitcher can bring any operands to it with the
//! scratch registers alone.

use std::fmt;

use super::op::{Op, Type};
use super::part::Part;
use super::snippet::{Kind, MAX_REGS, Role};
use super::template::{Abi, Declared, Template, TemplateError, register_number};

/// What templates call the sources of a declared opcode, in the order of its types.
pub const SOURCES: [&str; MAX_REGS] = ["a", "b", "c"];

/// How many characters the name of a declared opcode may have.
const LONGEST: usize = 60;

/// Words that programs use for something else, beside the instructions of the table.
const WORDS: [&str; 19] = [
    "greater", "geq", "greateru", "gequ", "func", "global", "memory", "init", "table", "extern", "data", "rodata",
    "label", "opcode", "import", "export", "elem", "segment", "start",
];

/// An opcode that the table does not have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomOp {
    /// Its name: a word, mostly with a type behind a dot.
    pub name: String,
    /// The types of what it reads.
    pub params: Vec<Type>,
    /// The type of what it writes, if it writes anything.
    pub result: Option<Type>,
}

impl fmt::Display for CustomOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<&str> = self.params.iter().map(|ty| ty.name()).collect();
        write!(f, "{}({})", self.name, params.join(", "))?;
        self.result.map_or(Ok(()), |result| write!(f, " -> {}", result.name()))
    }
}

impl CustomOp {
    /// What keeps it from being an opcode.
    #[must_use]
    pub fn flaw(&self) -> Option<String> {
        let name = &self.name;
        let stem = name.split('.').next().unwrap_or("");
        let is_word = |word: &str| {
            word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !word.is_empty() && word.len() <= LONGEST
        };
        let starts_well = stem.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !starts_well || name.split('.').count() > 2 || !name.split('.').all(is_word) {
            return Some(format!(
                "`{name}` is no name for an opcode: write a word, and a type behind it, as in `crc32.i64`"
            ));
        }
        if Op::ROWS.iter().any(|row| row.mnemonic == stem) || WORDS.contains(&stem) {
            return Some(format!("`{stem}` means something else in programs: take another name"));
        }
        let digits = name.strip_prefix(['a', 'r']).unwrap_or("");
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Some(format!("`{name}` is a register: take another name"));
        }
        if Part::ALL.iter().any(|(_, part)| part == name) {
            return Some(format!("`{name}` is the name of a part of a frame: take another one"));
        }
        if self.params.iter().chain(&self.result).any(|ty| ty.is_reference()) {
            return Some(format!("`{name}` takes or gives a reference: only numbers are operands of opcodes"));
        }
        // With a result that takes the place of the first source, there is a register more.
        if self.params.len() > MAX_REGS {
            return Some(format!("`{name}` reads {} registers; {MAX_REGS} is the most", self.params.len()));
        }
        None
    }

    /// Reads `NAME(T, …) -> T`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<CustomOp, String> {
        let form = || "expected `opcode NAME(T, …) -> T`, as in `opcode crc32.i64(i64, i64) -> i64`".to_owned();
        let (name, rest) = text.split_once('(').ok_or_else(form)?;
        let (params, result) = rest.split_once(')').ok_or_else(form)?;
        let read = |word: &str| {
            let found = Type::NUMBERS.into_iter().find(|ty| ty.name() == word.trim());
            found.ok_or_else(|| format!("`{}` is no type: there are i32, i64, f32 and f64", word.trim()))
        };
        let params = match params.trim() {
            "" => Vec::new(),
            params => params.split(',').map(read).collect::<Result<_, _>>()?,
        };
        let result = match result.trim() {
            "" => None,
            result => Some(read(result.strip_prefix("->").ok_or_else(form)?)?),
        };
        let op = CustomOp { name: name.trim().to_owned(), params, result };
        op.flaw().map_or(Ok(op), Err)
    }

    /// Holds a template against the declaration.
    ///
    /// # Errors
    /// Where its operands are not those of the opcode, or where the scratch registers may not suffice for them.
    pub fn check(&self, template: &Template, abi: &Abi) -> Result<(), TemplateError> {
        if let Some(other) = template.operands.iter().find(|operand| !operand.kind.is_register()) {
            return Err(template.error(format!(
                "operand `{}` is of kind {}: the operands of a declared opcode are registers, `gp` or `xmm`",
                other.name,
                other.kind.name()
            )));
        }
        if let Some((line, _)) = template.body.iter().find(|(_, text)| text.split_whitespace().eq(["trap", "halt"])) {
            return Err(template.error_at(*line, "no declared opcode ends the program: use one of the traps"));
        }
        let wrong =
            |what: &str| Err(template.error(format!("{what}; it was declared as `{self}`: write {}", self.usage())));
        let operand = |name: &str| template.operands.iter().find(|operand| operand.name == name);
        let kind = |ty: Type| if ty.class().is_float() { Kind::Xmm } else { Kind::Gp };
        let tied = operand("d").is_some_and(|d| d.role == Role::InOut);
        match (operand("d"), self.result) {
            (None, None) => {}
            (Some(d), Some(ty)) if d.kind == kind(ty) && d.role != Role::In => {}
            (Some(_), None) => return wrong("has a result"),
            (None, Some(_)) => return wrong("has no result `d`"),
            (Some(_), Some(_)) => return wrong("operand `d` is not the result"),
        }
        if tied && self.params.first().is_none_or(|&ty| Some(kind(ty)) != self.result.map(kind)) {
            return wrong("`inout d` is no first source and result in one");
        }
        for (&name, &ty) in SOURCES.iter().zip(&self.params).skip(usize::from(tied)) {
            match operand(name) {
                Some(source) if source.kind == kind(ty) && source.role == Role::In => {}
                Some(_) => return wrong(&format!("operand `{name}` is not the source of that name")),
                None => return wrong(&format!("has no source `{name}`")),
            }
        }
        let known = |name: &str| {
            name == "d" || SOURCES.iter().take(self.params.len()).skip(usize::from(tied)).any(|source| *source == name)
        };
        if let Some(more) = template.operands.iter().find(|operand| !known(&operand.name)) {
            return wrong(&format!("has an operand `{}` too many", more.name));
        }
        if suffices(&template.operands, abi) {
            return Ok(());
        }
        Err(template.error(
            "excludes so many scratch registers that its operands cannot all be loaded into some that are left: let them \
             stand in more of SCRATCH0 to SCRATCH2, or FSCRATCH0 to FSCRATCH2",
        ))
    }

    /// The operands as templates declare them.
    fn usage(&self) -> String {
        let kind = |ty: Type| if ty.class().is_float() { "xmm" } else { "gp" };
        let result = self.result.map(|ty| format!("out d:{}", kind(ty)));
        let sources = SOURCES.iter().zip(&self.params).map(|(name, &ty)| format!("in {name}:{}", kind(ty)));
        let plain = result.into_iter().chain(sources).collect::<Vec<_>>().join(", ");
        let ties = self.result.is_some_and(|result| self.params.first().is_some_and(|&ty| kind(ty) == kind(result)));
        if ties { format!("`{plain}`, or `inout d` for `out d` and `in a`") } else { format!("`{plain}`") }
    }
}

/// True where each operand can be in a scratch register, wherever the others are. An output may share its register with
/// a source.
pub(super) fn suffices(operands: &[Declared], abi: &Abi) -> bool {
    let scratch = |kind: Kind| {
        let roles = if kind == Kind::Xmm {
            ["FSCRATCH0", "FSCRATCH1", "FSCRATCH2"]
        } else {
            ["SCRATCH0", "SCRATCH1", "SCRATCH2"]
        };
        roles.iter().filter_map(|role| abi.role(role).and_then(register_number)).fold(0, |set, (n, _)| set | 1u16 << n)
    };
    let of = |operand: &Declared| operand.allowed & scratch(operand.kind);
    if operands.iter().any(|operand| of(operand) == 0) {
        return false;
    }
    [Kind::Gp, Kind::Xmm].into_iter().all(|kind| {
        let sets: Vec<u16> = operands.iter().filter(|o| o.kind == kind && o.role != Role::Out).map(of).collect();
        distinct(&sets, 0)
    })
}

/// True where each of the sets has a member of its own that is not in `taken`.
fn distinct(sets: &[u16], taken: u16) -> bool {
    let Some((first, rest)) = sets.split_first() else { return true };
    (0..16).map(|n| 1 << n).any(|one: u16| first & one & !taken != 0 && distinct(rest, taken | one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_and_written() {
        for text in [
            "crc32.i64(i64, i64) -> i64",
            "pause()",
            "prefetch(i64)",
            "cycles() -> i64",
            "mix.f32(f32, i32, f64) -> f32",
        ] {
            assert_eq!(CustomOp::parse(text).map(|op| op.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_declaration_is_refused() {
        let wrong = [
            ("crc32", "expected `opcode NAME"),
            ("crc32(i64 -> i64", "expected `opcode NAME"),
            ("crc32(i64) i64", "expected `opcode NAME"),
            ("crc32(u64)", "`u64` is no type"),
            ("crc32(i64) -> ", "`` is no type"),
            ("add.i8(i64) -> i64", "`add` means something else"),
            ("geq.i8(i64) -> i64", "`geq` means something else"),
            ("r12(i64) -> i64", "`r12` is a register"),
            ("frame.push(i64)", "is the name of a part"),
            ("a b(i64)", "no name for an opcode"),
            ("1x(i64)", "no name for an opcode"),
            ("x.(i64)", "no name for an opcode"),
            ("x.i64.y(i64)", "no name for an opcode"),
            ("less.i64+jmpt(i64)", "no name for an opcode"),
            ("(i64)", "no name for an opcode"),
            ("x(i64, i64, i64, i64) -> i64", "reads 4 registers"),
        ];
        for (text, message) in wrong {
            let said = CustomOp::parse(text).unwrap_err();
            assert!(said.contains(message), "{text}: {said}");
        }
    }

    #[test]
    fn scratch_registers_are_shared_out() {
        assert!(distinct(&[0b111, 0b1, 0b11], 0));
        assert!(!distinct(&[0b1, 0b10, 0b11], 0));
        assert!(distinct(&[], 0b1));
    }
}
