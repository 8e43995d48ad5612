//! Compares what a snippet decodes to with the text of its template, operand by operand.
//!
//! Comes in: a snippet and an assignment of registers. Goes out: nothing, or what differs. What must hold: the text is
//! read here by itself, without the assembler; only mnemonics, registers, sizes, addresses and constants count, not how
//! they are spelled.

use iced_x86::{Instruction, OpKind, Register};

use super::{Instance, ORIGIN};
use crate::isa::extract::Extracted;
use crate::isa::snippet::{Kind, MAX_REGS};
use crate::isa::template::{Abi, GP, GP8, GP16, GP32, Template, TemplateError, XMM};

/// The instructions of a template's body, read once for any number of assignments.
#[derive(Clone, Debug)]
pub struct Body {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    number: u32,
    mnemonic: String,
    /// Of a comparison that has it in its name.
    predicate: Option<u64>,
    operands: Vec<Text>,
}

/// An operand as the text names it.
#[derive(Clone, Debug)]
enum Text {
    Register(Name),
    Constant(Value),
    Memory {
        bytes: usize,
        base: Option<Name>,
        index: Option<(Name, u32)>,
        displacement: Value,
    },
    /// The instruction with this number.
    Label(usize),
}

/// A register: a certain one, or the one of the operand with this number; with its width in bytes.
#[derive(Clone, Copy, Debug)]
enum Name {
    Fixed(Register),
    Operand(usize, usize),
}

/// A number, and the operands whose values are added.
#[derive(Clone, Debug, Default)]
struct Value {
    constant: i64,
    operands: Vec<usize>,
}

impl Body {
    /// Reads the body of a template.
    ///
    /// # Errors
    /// Where a line is not understood here.
    pub fn parse(template: &Template, abi: &Abi) -> Result<Body, TemplateError> {
        let is_label = |text: &str| text.ends_with(':');
        let is_code = |text: &str| !is_label(text) && !text.starts_with("fault ");
        let mut lines = Vec::new();
        for (nth, (number, text)) in template.body.iter().enumerate().filter(|(_, (_, text))| is_code(text)) {
            let label = |name: &str| {
                let name = format!("{}:", name.strip_suffix('f')?);
                let rest = template.body.iter().skip(nth).position(|(_, text)| *text == name)? + nth;
                Some(template.body[..rest].iter().filter(|(_, text)| is_code(text)).count())
            };
            let text = text.rsplit('}').next().unwrap_or("").trim();
            // A prefix changes nothing of what the instruction's operands are; the decoder shows it elsewhere.
            let text = ["notrack ", "rep "].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text).trim();
            let (mnemonic, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let parse = |operand: &str| {
                let unread = || template.error_at(*number, format!("the check does not understand `{operand}`"));
                parse_operand(template, abi, operand, &label).ok_or_else(unread)
            };
            let operands = match mnemonic {
                "trap" => Vec::new(),
                _ => {
                    operands.split(',').map(str::trim).filter(|o| !o.is_empty()).map(parse).collect::<Result<_, _>>()?
                }
            };
            let predicate = match mnemonic {
                "cmpeqss" | "cmpeqsd" => Some(0),
                "cmpneqss" | "cmpneqsd" => Some(4),
                _ => None,
            };
            lines.push(Line { number: *number, mnemonic: canonical(mnemonic).to_owned(), predicate, operands });
        }
        Ok(Body { lines })
    }
}

/// The decoder's word for a mnemonic.
fn canonical(mnemonic: &str) -> &str {
    match mnemonic {
        "trap" => "ud2",
        "movabs" => "mov",
        "jz" => "je",
        "jnz" => "jne",
        "jc" => "jb",
        "jnc" => "jae",
        "cmovz" => "cmove",
        "cmpeqss" | "cmpneqss" => "cmpss",
        "cmpeqsd" | "cmpneqsd" => "cmpsd",
        other => other,
    }
}

fn register(name: &str) -> Option<Register> {
    let find = |names: &[&str; 16]| names.iter().position(|n| *n == name).map(|n| n as u32);
    let low = |n: u32| if n < 4 { Register::AL + n } else { Register::SPL + (n - 4) };
    find(&GP)
        .map(|n| Register::RAX + n)
        .or_else(|| find(&GP32).map(|n| Register::EAX + n))
        .or_else(|| find(&GP16).map(|n| Register::AX + n))
        .or_else(|| find(&GP8).map(low))
        .or_else(|| find(&XMM).map(|n| Register::XMM0 + n))
        .or((name == "rip").then_some(Register::RIP))
}

fn parse_name(template: &Template, abi: &Abi, text: &str) -> Option<Name> {
    let Some(word) = text.strip_prefix('\\') else {
        return register(abi.role(text).unwrap_or(text)).map(Name::Fixed);
    };
    let width = |number: usize, rest: &str| match (template.operands[number].kind, rest) {
        (Kind::Gp, "") => Some(8),
        (Kind::Gp, "32") => Some(4),
        (Kind::Gp, "16") => Some(2),
        (Kind::Gp, "8") => Some(1),
        (Kind::Xmm, "") => Some(16),
        _ => None,
    };
    template.operands.iter().enumerate().find_map(|(number, operand)| {
        let rest = word.strip_prefix(operand.name.as_str())?;
        Some(Name::Operand(number, width(number, rest)?))
    })
}

fn parse_value(template: &Template, text: &str) -> Option<Value> {
    if let Some(word) = text.strip_prefix('\\') {
        let number = template.operands.iter().position(|o| o.name == word && !o.kind.is_register())?;
        return Some(Value { constant: 0, operands: vec![number] });
    }
    let constant = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?.cast_signed(),
        None => text.parse().ok()?,
    };
    Some(Value { constant, operands: Vec::new() })
}

fn parse_operand(template: &Template, abi: &Abi, text: &str, label: &dyn Fn(&str) -> Option<usize>) -> Option<Text> {
    if let Some((size, rest)) = text.split_once('[') {
        let bytes = match size.trim() {
            "" => 0,
            "byte ptr" => 1,
            "word ptr" => 2,
            "dword ptr" => 4,
            "qword ptr" => 8,
            _ => return None,
        };
        return parse_memory(template, abi, rest.strip_suffix(']')?, bytes);
    }
    let register = || parse_name(template, abi, text).map(Text::Register);
    let value = || parse_value(template, text).map(Text::Constant);
    register().or_else(value).or_else(|| label(text).map(Text::Label))
}

fn parse_memory(template: &Template, abi: &Abi, text: &str, bytes: usize) -> Option<Text> {
    let (mut base, mut index, mut displacement) = (None, None, Value::default());
    let text = text.replace('-', "+-");
    for term in text.split('+').map(str::trim) {
        if let Some(constant) = term.strip_prefix('-') {
            let word = constant.trim();
            displacement.constant -= parse_value(template, abi.constant(word).unwrap_or(word))?.constant;
        } else if let Some((name, scale)) = term.split_once('*') {
            index = Some((parse_name(template, abi, name)?, scale.parse().ok()?));
        } else if let Some(name) = parse_name(template, abi, term) {
            match base {
                None => base = Some(name),
                Some(_) => index = Some((name, 1)),
            }
        } else {
            let value = parse_value(template, abi.constant(term).unwrap_or(term))?;
            displacement.constant += value.constant;
            displacement.operands.extend(value.operands);
        }
    }
    Some(Text::Memory { bytes, base, index, displacement })
}

/// Checks that the snippet's bytes for these registers are the instructions that its template names.
///
/// # Errors
/// The first instruction that is another.
pub fn check_encoding(snippet: &Extracted, body: &Body, regs: [u8; MAX_REGS]) -> Result<(), TemplateError> {
    let instance = Instance::new(snippet, regs)?;
    if instance.instructions.len() != body.lines.len() {
        return Err(snippet.template.error("decodes to another number of instructions than it has lines"));
    }
    let context = Context { template: &snippet.template, instance: &instance, regs, end: i64::from(snippet.len) };
    for (line, instruction) in body.lines.iter().zip(&instance.instructions) {
        let mnemonic = format!("{:?}", instruction.mnemonic()).to_lowercase();
        let wrong = |what: String| {
            let registers = context.assignment();
            snippet.template.error_at(line.number, format!("decodes to `{instruction}` with {registers}: {what}"))
        };
        // The bytes carry a comparison's predicate as a last operand.
        let count = line.operands.len() as u32;
        // The operands of a string instruction are not written.
        if mnemonic == line.mnemonic && instruction.is_string_instruction() && count == 0 {
            continue;
        }
        let implied = u32::from(line.predicate.is_some());
        if mnemonic != line.mnemonic || instruction.op_count() != count + implied {
            return Err(wrong(format!("it should be `{}` with {count} operands", line.mnemonic)));
        }
        if line.predicate.is_some_and(|predicate| instruction.try_immediate(count).ok() != Some(predicate)) {
            return Err(wrong("it is another comparison".to_owned()));
        }
        // An exchange has one encoding for both orders of its operands.
        let turned = line.mnemonic == "xchg" && !context.matches(instruction, 0, &line.operands[0]);
        for (nth, operand) in line.operands.iter().enumerate() {
            let nth = if turned { 1 - nth } else { nth };
            if !context.matches(instruction, nth as u32, operand) {
                return Err(wrong(format!("operand {} should be {operand:?}", nth + 1)));
            }
        }
    }
    Ok(())
}

/// What the names of a body stand for.
struct Context<'a> {
    template: &'a Template,
    instance: &'a Instance,
    regs: [u8; MAX_REGS],
    end: i64,
}

impl Context<'_> {
    fn assignment(&self) -> String {
        let operands = (0..self.template.operands.len()).filter(|&n| self.template.operands[n].kind.is_register());
        let name = |n: usize| format!("{}={:?}", self.template.operands[n].name, self.register(Name::Operand(n, 8)));
        operands.map(name).collect::<Vec<_>>().join(" ")
    }

    fn register(&self, name: Name) -> Register {
        let (operand, width) = match name {
            Name::Fixed(register) => return register,
            Name::Operand(operand, width) => (operand, width),
        };
        let nth = self.template.operands[..operand].iter().filter(|o| o.kind.is_register()).count();
        let number = usize::from(self.regs[nth]);
        let names = match (self.template.operands[operand].kind, width) {
            (Kind::Xmm, _) => &XMM,
            (_, 1) => &GP8,
            (_, 2) => &GP16,
            (_, 4) => &GP32,
            _ => &GP,
        };
        register(names[number]).unwrap_or_default()
    }

    fn value(&self, value: &Value) -> i64 {
        value.operands.iter().fold(value.constant, |sum, &operand| sum + self.instance.values[operand])
    }

    fn matches(&self, instruction: &Instruction, nth: u32, text: &Text) -> bool {
        let kind = instruction.op_kind(nth);
        match text {
            Text::Register(name) => kind == OpKind::Register && instruction.op_register(nth) == self.register(*name),
            Text::Label(target) => {
                let after = ORIGIN as i64 + self.end;
                let address = self.instance.instructions.get(*target).map_or(after, |i| i.ip() as i64);
                kind == OpKind::NearBranch64 && instruction.near_branch64() as i64 == address
            }
            Text::Constant(value) if kind == OpKind::NearBranch64 => {
                instruction.near_branch64() as i64 == self.value(value)
            }
            Text::Constant(value) => same_constant(instruction, nth, self.value(value)),
            Text::Memory { bytes, base, index, displacement } => {
                let (index, scale) = index.map_or((Register::None, 1), |(name, scale)| (self.register(name), scale));
                kind == OpKind::Memory
                    && (*bytes == 0 || instruction.memory_size().size() == *bytes)
                    && instruction.memory_base() == base.map_or(Register::None, |name| self.register(name))
                    && instruction.memory_index() == index
                    && instruction.memory_index_scale() == scale
                    && instruction.memory_displacement64() as i64 == self.value(displacement)
            }
        }
    }
}

/// Constants are equal where the bits are that the instruction works with.
fn same_constant(instruction: &Instruction, nth: u32, value: i64) -> bool {
    let found = instruction.try_immediate(nth).ok().map(u64::cast_signed);
    match instruction.op_kind(nth) {
        OpKind::Immediate8 => found.is_some_and(|found| found as u8 == value as u8),
        OpKind::Immediate8to32 | OpKind::Immediate32 => found.is_some_and(|found| found as u32 == value as u32),
        OpKind::Immediate8to64 | OpKind::Immediate32to64 | OpKind::Immediate64 => found == Some(value),
        _ => false,
    }
}
