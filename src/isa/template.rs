//! Reading templates: from the text of `abi.inc` and the `.S` files to [`Template`]s.
//!
//! Comes in: file names and their text. Goes out: declarations with their bodies still as text, or a
//! [`TemplateError`] that says where and what to write. What must hold: nothing is assembled here, and no instruction
//! is looked at; a body is the user's own lines.
//!
//! The whole grammar:
//!
//! ```text
//! template NAME, ROLE OPERAND:KIND, …, where SOURCE CONSTANT, feeds SOURCE, clobber REGISTER… flags, needs FEATURE…
//!         any assembly, with \operand in place of registers and values
//! end
//! opcode NAME(T, …) -> T
//! ```
//!
//! The last line declares an opcode that the table does not have, and that templates of the same file stand for.
//! A `KIND` of register may be followed by `-register` for each register that must not stand there. In a body,
//! `\d` is the operand's 64-bit name, `\d32`, `\d16` and `\d8` its narrower ones; a line `trap KIND` is an instruction
//! that always traps, and `fault divide \x` says that the next line divides by the register operand `x`.

use std::collections::HashMap;
use std::fmt;

use super::custom::CustomOp;
use super::fusion::{Fusion, When};
use super::layout;
use super::snippet::{Features, Kind, Role};

/// The 64-bit names of the general registers, in the order of their numbers.
pub const GP: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
/// The low 32 bits of the same registers.
pub const GP32: [&str; 16] = [
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d",
    "r15d",
];
/// The low 16 bits of the same registers.
pub const GP16: [&str; 16] =
    ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"];
/// The low 8 bits of the same registers.
pub const GP8: [&str; 16] =
    ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"];
/// The vector registers, in the order of their numbers.
pub const XMM: [&str; 16] = [
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
    "xmm14", "xmm15",
];

/// A template or the contract around it is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The file, as it was handed in.
    pub file: String,
    /// The line, counted from 1; 0 where no line is at fault.
    pub line: u32,
    /// The template, where it is known.
    pub template: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line != 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.template.is_empty() {
            write!(f, ": template `{}`", self.template)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// The roles and sets of `abi.inc`.
#[derive(Clone, Debug, Default)]
pub struct Abi {
    /// The register that each role stands for, by its name.
    pub roles: Vec<(String, String)>,
    /// The registers of each set.
    pub sets: Vec<(String, Vec<String>)>,
    /// Numbers that templates may name: the offsets of [`layout`].
    pub constants: Vec<(String, String)>,
}

impl Abi {
    /// Reads `abi.inc`.
    ///
    /// # Errors
    /// Where a line is neither a role, a set nor a comment, or names a register that there is not.
    pub fn parse(file: &str, text: &str) -> Result<Abi, TemplateError> {
        let constants = layout::CONSTANTS.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        let mut abi = Abi { constants, ..Abi::default() };
        for (index, line) in text.lines().enumerate() {
            let fail = |message: String| TemplateError {
                file: file.to_owned(),
                line: index as u32 + 1,
                template: String::new(),
                message,
            };
            let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().collect();
            if let Some(unknown) = words.iter().skip(2).find(|word| register_number(word).is_none()) {
                return Err(fail(format!("there is no register `{unknown}`")));
            }
            match words.as_slice() {
                [] => {}
                ["role", name, register] => abi.roles.push(((*name).to_owned(), (*register).to_owned())),
                ["set", name, registers @ ..] => {
                    abi.sets.push(((*name).to_owned(), registers.iter().map(|&r| r.to_owned()).collect()));
                }
                _ => return Err(fail("expected `role NAME register` or `set NAME registers…`".to_owned())),
            }
        }
        Ok(abi)
    }

    /// The register that a role stands for.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&str> {
        self.roles.iter().find(|(role, _)| role == name).map(|(_, register)| register.as_str())
    }

    /// The number that a constant of the layout stands for, as text.
    #[must_use]
    pub fn constant(&self, name: &str) -> Option<&str> {
        self.constants.iter().find(|(constant, _)| constant == name).map(|(_, value)| value.as_str())
    }
}

/// The number of a register by any of its names, and whether it is a vector register.
#[must_use]
pub fn register_number(name: &str) -> Option<(u8, bool)> {
    let find = |names: &[&str; 16]| names.iter().position(|n| *n == name).map(|i| i as u8);
    find(&XMM).map(|n| (n, true)).or_else(|| [&GP, &GP32, &GP16, &GP8].into_iter().find_map(find).map(|n| (n, false)))
}

/// One operand of a template's declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What the template does with it.
    pub role: Role,
    /// What stands in its place.
    pub kind: Kind,
    /// For registers: bit `n` is set where register `n` may stand here.
    pub allowed: u16,
}

/// A template as it is written.
#[derive(Clone, Debug)]
pub struct Template {
    /// The declared name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line of its declaration, counted from 1.
    pub line: u32,
    /// Its operands.
    pub operands: Vec<Declared>,
    /// General registers that it says it clobbers.
    pub clobbers: u16,
    /// Vector registers that it says it clobbers.
    pub xmm_clobbers: u16,
    /// Whether it says it clobbers the flags.
    pub clobbers_flags: bool,
    /// The features that it says it needs.
    pub needs: u16,
    /// The body: line numbers and text.
    pub body: Vec<(u32, String)>,
    /// Which sources must be constants, and what they must be: see [`fusion`](super::fusion).
    pub conditions: Vec<(String, When)>,
    /// Which source of the second instruction that it stands for is the result of the first, where that is said.
    pub feeds: Option<String>,
    /// The opcode that it is for, where that is a declared one.
    pub custom: Option<CustomOp>,
}

impl Template {
    /// An error in this template, at its declaration.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> TemplateError {
        self.error_at(self.line, message)
    }

    /// An error in this template, at a line of its body.
    #[must_use]
    pub fn error_at(&self, line: u32, message: impl Into<String>) -> TemplateError {
        TemplateError { file: self.file.clone(), line, template: self.name.clone(), message: message.into() }
    }

    /// The fusion that it is for, if its declaration makes sense as one.
    #[must_use]
    pub fn fusion(&self) -> Option<Fusion> {
        Fusion::of(self).ok().flatten()
    }

    /// The name with the operands' kinds, which tells templates of one name apart.
    #[must_use]
    pub fn signature(&self) -> String {
        let operands: Vec<String> =
            self.operands.iter().map(|o| format!("{} {}:{}", role_word(o.role), o.name, o.kind.name())).collect();
        format!("{}, {}", self.name, operands.join(", "))
    }
}

const ROLES: [(&str, Role); 5] =
    [("in", Role::In), ("out", Role::Out), ("early", Role::Early), ("inout", Role::InOut), ("target", Role::Target)];

/// The word that declarations use for a role.
#[must_use]
pub fn role_word(role: Role) -> &'static str {
    ROLES.iter().find(|(_, r)| *r == role).map_or("", |(word, _)| word)
}

/// Reads the templates of one file.
///
/// # Errors
/// The first declaration that is wrong, or text outside `template … end`.
pub fn parse(file: &str, text: &str, abi: &Abi) -> Result<Vec<Template>, TemplateError> {
    let mut templates = Vec::new();
    let mut customs: Vec<(CustomOp, u32)> = Vec::new();
    let mut open: Option<Template> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = index as u32 + 1;
        let code = raw.split('#').next().unwrap_or("").trim();
        let fail = |template: &str, message: String| TemplateError {
            file: file.to_owned(),
            line,
            template: template.to_owned(),
            message,
        };
        if let Some(declaration) = code.strip_prefix("template ") {
            if let Some(before) = &open {
                return Err(fail(&before.name, format!("`end` is missing before line {line}")));
            }
            open = Some(declare(file, line, declaration, abi)?);
        } else if let (Some(declaration), None) = (code.strip_prefix("opcode "), &open) {
            let custom = CustomOp::parse(declaration).map_err(|message| fail("", message))?;
            if customs.iter().any(|(known, _)| known.name == custom.name) {
                return Err(fail("", format!("opcode `{}` is declared twice", custom.name)));
            }
            customs.push((custom, line));
        } else if code == "end" {
            let Some(done) = open.take() else {
                return Err(fail("", "`end` without `template`".to_owned()));
            };
            templates.push(done);
        } else if let Some(template) = &mut open {
            if !code.is_empty() {
                template.body.push((line, code.to_owned()));
            }
        } else if !code.is_empty() {
            return Err(fail(
                "",
                format!("expected `template NAME, …`, `opcode NAME(T, …) -> T` or a comment, found `{code}`"),
            ));
        }
    }
    if let Some(template) = open {
        return Err(template.error("`end` is missing"));
    }
    for (custom, line) in customs {
        let mut own = templates.iter_mut().filter(|template| template.name == custom.name).peekable();
        if own.peek().is_none() {
            let message =
                format!("there is no template for opcode `{0}` in this file: write `template {0}, …`", custom.name);
            return Err(TemplateError { file: file.to_owned(), line, template: String::new(), message });
        }
        own.for_each(|template| template.custom = Some(custom.clone()));
    }
    Ok(templates)
}

fn declare(file: &str, line: u32, declaration: &str, abi: &Abi) -> Result<Template, TemplateError> {
    let mut parts = declaration.split(',').map(str::trim);
    let name = parts.next().unwrap_or("").to_owned();
    let mut template = Template {
        name,
        file: file.to_owned(),
        line,
        operands: Vec::new(),
        clobbers: 0,
        xmm_clobbers: 0,
        clobbers_flags: false,
        needs: 0,
        body: Vec::new(),
        conditions: Vec::new(),
        feeds: None,
        custom: None,
    };
    for part in parts {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        match word {
            "clobber" => clobber(&mut template, rest, abi)?,
            "needs" => needs(&mut template, rest)?,
            "where" => condition(&mut template, rest)?,
            "feeds" => template.feeds = Some(rest.trim().to_owned()),
            _ => {
                let operand = operand(&template, word, rest.trim())?;
                if template.operands.iter().any(|o| o.name == operand.name) {
                    return Err(template.error(format!("operand `{}` is declared twice", operand.name)));
                }
                template.operands.push(operand);
            }
        }
    }
    Ok(template)
}

fn clobber(template: &mut Template, words: &str, abi: &Abi) -> Result<(), TemplateError> {
    for word in words.split_whitespace() {
        let register = abi.role(word).unwrap_or(word);
        match register_number(register) {
            _ if word == "flags" => template.clobbers_flags = true,
            Some((number, false)) => template.clobbers |= 1 << number,
            Some((number, true)) => template.xmm_clobbers |= 1 << number,
            None => {
                return Err(template.error(format!("`clobber {word}`: expected a register, a role or `flags`")));
            }
        }
    }
    Ok(())
}

fn needs(template: &mut Template, words: &str) -> Result<(), TemplateError> {
    for word in words.split_whitespace() {
        let Some((_, bit)) = Features::ALL.iter().find(|(name, _)| *name == word) else {
            let known: Vec<&str> = Features::ALL.iter().map(|(name, _)| *name).collect();
            return Err(template.error(format!("`needs {word}`: expected one of {}", known.join(", "))));
        };
        template.needs |= bit;
    }
    Ok(())
}

fn condition(template: &mut Template, words: &str) -> Result<(), TemplateError> {
    let when = |word: &str| {
        let (sign, digits) = word.strip_prefix('-').map_or((1, word), |digits| (-1, digits));
        let number = match digits.strip_prefix("0x") {
            Some(digits) => i32::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        if word == "2^n" { Some(When::Power) } else { number.ok().map(|number: i32| When::Is(sign * number)) }
    };
    let mut parts = words.split_whitespace();
    let read = (parts.next(), parts.next().and_then(when), parts.next());
    let (Some(source), Some(when), None) = read else {
        let form = "expected a source and a constant of 32 bits, as in `where b 3`, or a power of two, `where b 2^n`";
        return Err(template.error(format!("`where {words}`: {form}")));
    };
    template.conditions.push((source.to_owned(), when));
    Ok(())
}

fn operand(template: &Template, word: &str, rest: &str) -> Result<Declared, TemplateError> {
    let Some(&(_, role)) = ROLES.iter().find(|(name, _)| *name == word) else {
        return Err(template.error(format!(
            "expected `in`, `out`, `early`, `inout`, `target`, `where`, `feeds`, `clobber` or `needs`, found `{word}`"
        )));
    };
    let Some((name, kind)) = rest.split_once(':') else {
        return Err(template.error(format!("`{word} {rest}`: expected `NAME:KIND`, such as `in a:gp`")));
    };
    let mut excluded = kind.split('-');
    let kind = excluded.next().unwrap_or("");
    let Some(&(_, kind)) = Kind::ALL.iter().find(|(name, _)| *name == kind) else {
        let known: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
        return Err(template.error(format!("operand `{name}`: `{kind}` is none of {}", known.join(", "))));
    };
    let mut allowed: u16 = match kind {
        Kind::Gp => !(1 << 4),
        Kind::Xmm => !0,
        _ => 0,
    };
    for register in excluded {
        match register_number(register) {
            Some((number, vector)) if kind.is_register() && vector == (kind == Kind::Xmm) => allowed &= !(1 << number),
            _ => {
                return Err(
                    template.error(format!("operand `{name}`: `-{register}` excludes no {} register", kind.name()))
                );
            }
        }
    }
    Ok(Declared { name: name.to_owned(), role, kind, allowed })
}

/// Puts `values` in the place of the operands of one body line, registers in the place of roles, and numbers in the
/// place of the layout's constants.
#[must_use]
pub(super) fn substitute(line: &str, values: &HashMap<String, String>, abi: &Abi) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c == '\\' || c.is_ascii_alphabetic() || c == '_') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let sigil = usize::from(rest.starts_with('\\'));
        let end = rest[sigil..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
            .map_or(rest.len(), |i| i + sigil);
        let word = &rest[..end];
        let replaced = match sigil {
            1 => values.get(&word[1..]).map(String::as_str),
            _ => abi.role(word).or_else(|| abi.constant(word)),
        };
        out.push_str(replaced.unwrap_or(word));
        rest = &rest[end.max(sigil)..];
        if end == 0 {
            break;
        }
    }
    out.push_str(rest);
    out
}
