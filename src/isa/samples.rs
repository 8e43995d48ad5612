//! Which register assignments and values a template is assembled with, and the assembly text for them.
//!
//! Comes in: templates. Goes out: one assembly file in which every sample of every template stands between labels,
//! and the list of samples. What must hold: the samples of a template determine all its holes (one bit of one
//! operand flipped at a time) and check them (every allowed register of every operand, and mixtures).

use std::collections::HashMap;

use super::snippet::{Kind, Role};
use super::template::{Abi, GP, GP8, GP16, GP32, Template, TemplateError, XMM, substitute};

/// The values that one-byte holes are sampled with: none of them has a shorter encoding of its own.
pub const BYTE_VALUES: [i8; 3] = [85, 42, -43];
/// The distances that one-byte jumps are sampled with.
pub const DISTANCES: [u8; 2] = [24, 40];

/// One assembled instance of a template.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The template's number.
    pub template: usize,
    /// The register of each operand; 0 where it is none.
    pub regs: Vec<u8>,
    /// Which of [`BYTE_VALUES`] and [`DISTANCES`] stand in one-byte holes.
    pub value: usize,
}

/// The registers that a template's holes are solved around: for each operand one that is allowed with each of its
/// four bits flipped.
///
/// # Errors
/// Where an operand excludes so many registers that there is none.
pub fn reference(template: &Template) -> Result<Vec<u8>, TemplateError> {
    let pick = |allowed: u16| {
        // r11 first: neither it nor its neighbours r10, r9, r15 and rbx have an encoding of their own.
        [11u8, 7, 6, 14, 15, 3, 8, 9, 10, 1, 2, 0, 5, 13, 12]
            .into_iter()
            .find(|&reg| [0, 1, 2, 4, 8].iter().all(|flip| allowed & (1 << (reg ^ flip)) != 0))
    };
    template
        .operands
        .iter()
        .map(|operand| {
            if !operand.kind.is_register() {
                return Ok(0);
            }
            let none = || format!("operand `{}` excludes too many registers to find its bits", operand.name);
            pick(operand.allowed).ok_or_else(|| template.error(none()))
        })
        .collect()
}

/// Every sample of one template, the reference first.
///
/// # Errors
/// As [`reference`](fn@reference).
pub fn samples(number: usize, template: &Template) -> Result<Vec<Sample>, TemplateError> {
    let reference = reference(template)?;
    let mut samples = vec![Sample { template: number, regs: reference.clone(), value: 0 }];
    let mut add = |regs: Vec<u8>, value| samples.push(Sample { template: number, regs, value });
    let registers: Vec<usize> = (0..reference.len()).filter(|&i| template.operands[i].kind.is_register()).collect();
    for &operand in &registers {
        for reg in (0..16).filter(|reg| template.operands[operand].allowed & (1 << reg) != 0) {
            if reg != reference[operand] {
                let mut regs = reference.clone();
                regs[operand] = reg;
                add(regs, 0);
            }
        }
    }
    if template.operands.iter().any(|o| is_byte_hole(o.kind)) {
        (1..BYTE_VALUES.len()).for_each(|value| add(reference.clone(), value));
    }
    // Mixtures, spread evenly by a multiplicative walk over the register numbers.
    for mix in 1..=if registers.len() > 1 { 9u32 } else { 0 } {
        let mut regs = reference.clone();
        for (nth, &operand) in registers.iter().enumerate() {
            let allowed = template.operands[operand].allowed;
            let start = (mix * 7 + nth as u32 * 5) % 16;
            let found = (0..16).map(|step| ((start + step * 3) % 16) as u8).find(|reg| allowed & (1 << reg) != 0);
            regs[operand] = found.unwrap_or(reference[operand]);
        }
        add(regs, 0);
    }
    Ok(samples)
}

/// True for the kinds of hole that samples find instead of relocations.
#[must_use]
pub fn is_byte_hole(kind: Kind) -> bool {
    matches!(kind, Kind::Imm8 | Kind::Slot8 | Kind::Off8 | Kind::Rel8)
}

/// The assembly text of all samples.
#[derive(Debug, Default)]
pub struct Assembly {
    /// The text.
    pub text: String,
    /// For each line, the number of the template and the line of its file that it comes from.
    pub places: Vec<Option<(usize, u32)>>,
}

impl Assembly {
    fn line(&mut self, line: &str, place: Option<(usize, u32)>) {
        self.text.push_str(line);
        self.text.push('\n');
        self.places.push(place);
    }

    /// Adds a sample between its labels: `S` and `E` with its number, and one for each instruction.
    fn sample(&mut self, number: usize, sample: &Sample, template: &Template, abi: &Abi) {
        let values = operand_texts(template, sample, number);
        self.line(&format!("S{number}:"), None);
        let mut instruction = 0;
        for (line, body) in &template.body {
            let code = substitute(body, &values, abi);
            let (text, is_instruction) = if let Some(kind) = code.strip_prefix("trap ") {
                (format!("S{number}_{instruction}: S{number}_trap_{}: ud2", kind.trim()), true)
            } else if let Some(operand) = body.strip_prefix("fault divide ") {
                let name = operand.trim().trim_start_matches('\\');
                let index = template.operands.iter().position(|o| o.name == name).unwrap_or(0xfe);
                (format!("S{number}_divide_{index}:"), false)
            } else if code.ends_with(':') {
                (code, false)
            } else {
                (format!("S{number}_{instruction}: {code}"), true)
            };
            self.line(&text, Some((sample.template, *line)));
            instruction += u32::from(is_instruction);
        }
        self.line(&format!("E{number}:"), None);
        if template.operands.iter().any(|o| o.kind == Kind::Rel8) {
            self.line(&format!(".skip {}", DISTANCES[sample.value.min(1)]), None);
            self.line(&format!("J{number}:"), None);
            self.line(".skip 4", None);
        }
    }
}

/// Writes the assembly text of all samples.
#[must_use]
pub fn assembly(templates: &[Template], samples: &[Sample], abi: &Abi) -> Assembly {
    let mut assembly = Assembly::default();
    assembly.line(".intel_syntax noprefix", None);
    assembly.line(".text", None);
    for (number, sample) in samples.iter().enumerate() {
        assembly.sample(number, sample, &templates[sample.template], abi);
    }
    assembly
}

fn operand_texts(template: &Template, sample: &Sample, number: usize) -> HashMap<String, String> {
    let mut values = HashMap::new();
    for (operand, &reg) in template.operands.iter().zip(&sample.regs) {
        let name = &operand.name;
        let reg = usize::from(reg);
        let text = match operand.kind {
            Kind::Gp => {
                values.insert(format!("{name}32"), GP32[reg].to_owned());
                values.insert(format!("{name}16"), GP16[reg].to_owned());
                values.insert(format!("{name}8"), GP8[reg].to_owned());
                GP[reg].to_owned()
            }
            Kind::Xmm => XMM[reg].to_owned(),
            Kind::Imm8 | Kind::Slot8 | Kind::Off8 => BYTE_VALUES[sample.value].to_string(),
            Kind::Rel8 => format!("J{number}"),
            Kind::Imm32 | Kind::Uimm32 | Kind::Imm64 if operand.role != Role::Target => format!("offset HOLE_{name}"),
            _ => format!("HOLE_{name}"),
        };
        values.insert(name.clone(), text);
    }
    values
}
