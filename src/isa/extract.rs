//! From templates to snippets: assemble the samples, find the holes, check that they explain every sample.
//!
//! Comes in: templates, and a command that assembles. Goes out: [`Extracted`] snippets, or errors that name file,
//! template, operand and what to write. What must hold: a snippet that leaves here reproduces, through its holes,
//! every sample that was assembled; a relocation that no hole explains is an error, never dropped.

mod assemble;
mod holes;
mod solve;

use std::path::Path;

use super::fusion::Fusion;
use super::samples;
use super::snippet::{Chunk, Hole, Kind, MAX_REGS, Scatter, Site, instantiate};
use super::table::op_named;
use super::template::{Abi, Declared, GP, Template, TemplateError, XMM, register_number};
use super::trap::TrapKind;

/// A snippet as it comes out of extraction, with its template.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// What it was made of.
    pub template: Template,
    /// Its bytes.
    pub chunks: Vec<Chunk>,
    /// Its register holes: one for each chunk.
    pub scatters: Vec<Scatter>,
    /// Its length in bytes.
    pub len: u8,
    /// Its value holes in the order of their offsets.
    pub holes: Vec<Hole>,
    /// Instructions that may fault.
    pub sites: Vec<Site>,
    /// Where its instructions start.
    pub starts: Vec<u8>,
}

impl Extracted {
    /// The snippet for these registers, with nothing in its value holes.
    #[must_use]
    pub fn bytes(&self, regs: [u8; MAX_REGS]) -> Vec<u8> {
        instantiate(&self.chunks, &self.scatters, regs)
    }
}

/// Assembles and solves `templates` in `dir`, in which `name.s` and `name.o` are written, with the C compiler
/// `compiler`.
///
/// # Errors
/// Everything that is wrong with the templates, each with its place; or what keeps the compiler from running.
pub fn extract(
    templates: Vec<Template>,
    abi: &Abi,
    compiler: &str,
    dir: &Path,
    name: &str,
) -> Result<Vec<Extracted>, Vec<TemplateError>> {
    let check = |template: &Template| {
        check_declaration(template)?;
        check_clobbers(template, abi)?;
        Fusion::of(template)
            .and_then(|fusion| fusion.map_or(Ok(()), |fusion| fusion.check(template, abi)))
            .map_err(|message| template.error(message))?;
        template.custom.as_ref().map_or(Ok(()), |custom| custom.check(template, abi))
    };
    let wrong: Vec<TemplateError> = templates.iter().filter_map(|template| check(template).err()).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut all = Vec::new();
    for (number, template) in templates.iter().enumerate() {
        all.extend(samples::samples(number, template).map_err(|error| vec![error])?);
    }
    let source = samples::assembly(&templates, &all, abi);
    let bytes = assemble::assemble(&source, &templates, compiler, &dir.join(name))?;
    let object = assemble::Assembled::read(&bytes, all.len()).map_err(|error| vec![error])?;
    let usual = placeable(abi);
    let mut errors = Vec::new();
    let mut out = Vec::new();
    let mut first = 0;
    for (number, template) in templates.into_iter().enumerate() {
        let count = all[first..].iter().take_while(|s| s.template == number).count();
        match solve::solve(&template, &all[first..first + count], first, &object, usual) {
            Ok(solved) => out.push(solved.with(template)),
            Err(error) => errors.push(error),
        }
        first += count;
    }
    if errors.is_empty() { Ok(out) } else { Err(errors) }
}

fn check_declaration(template: &Template) -> Result<(), TemplateError> {
    if template.operands.iter().filter(|o| o.kind.is_register()).count() > MAX_REGS {
        let help = "the result may take the place of the first source: `inout d` for `out d` and `in a`";
        return Err(template.error(format!("has more than {MAX_REGS} register operands; {help}")));
    }
    for Declared { name, .. } in &template.operands {
        if !template.body.iter().any(|(_, line)| mentions(line, name)) {
            return Err(template
                .error(format!("operand `{name}` is declared but never used: write \\{name} in the body or drop it")));
        }
    }
    template
        .body
        .iter()
        .try_for_each(|(line, body)| check_line(template, body).map_err(|message| template.error_at(*line, message)))
}

/// Only calls may change registers that variables live in: for all others the stitcher keeps scratch registers free.
fn check_clobbers(template: &Template, abi: &Abi) -> Result<(), TemplateError> {
    let opcode = template.name.split(['+', '/']).next().and_then(op_named);
    if template.custom.is_none() && opcode.is_none_or(|op| op.row().shape.is_call()) {
        return Ok(());
    }
    let scratch: Vec<&str> =
        abi.roles.iter().filter(|(role, _)| role.contains("SCRATCH")).map(|(_, name)| name.as_str()).collect();
    let names = |set: u16, names: [&'static str; 16]| (0..16).filter(move |n| set >> n & 1 != 0).map(move |n| names[n]);
    let mut clobbered = names(template.clobbers, GP).chain(names(template.xmm_clobbers, XMM));
    match clobbered.find(|name| !scratch.contains(name)) {
        None => Ok(()),
        Some(name) => Err(template.error(format!(
            "`clobber {name}`: a variable may live there; work in the scratch registers, {}",
            scratch.join(", ")
        ))),
    }
}

fn check_line(template: &Template, body: &str) -> Result<(), String> {
    if let Some(kind) = body.strip_prefix("trap ").map(str::trim) {
        if kind != "halt" && TrapKind::from_symbol(kind).is_none() {
            return Err(format!("`trap {kind}` names no trap; write `_` for spaces"));
        }
    }
    if let Some(divisor) = body.strip_prefix("fault divide ").map(str::trim) {
        let name = divisor.trim_start_matches('\\');
        if !template.operands.iter().any(|o| o.name == name && o.kind == Kind::Gp) {
            return Err(format!("`{body}`: expected an operand of kind gp, such as `\\b`"));
        }
    }
    for word in body.split('\\').skip(1) {
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let known = |o: &Declared| {
            word[..end]
                .strip_prefix(o.name.as_str())
                .is_some_and(|rest| rest.is_empty() || (o.kind == Kind::Gp && ["8", "16", "32"].contains(&rest)))
        };
        if !template.operands.iter().any(known) {
            let word = &word[..end];
            return Err(format!("`\\{word}` is no declared operand: declare it, as in `in {word}:gp`, or correct it"));
        }
    }
    Ok(())
}

fn mentions(line: &str, operand: &str) -> bool {
    line.split('\\').skip(1).any(|word| {
        word.strip_prefix(operand).is_some_and(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            ["", "8", "16", "32"].contains(&&rest[..end])
        })
    })
}

/// The registers that placement puts operands into: the sets of `abi.inc` and the first two scratch registers.
fn placeable(abi: &Abi) -> [u16; 2] {
    let sets = abi.sets.iter().flat_map(|(_, registers)| registers).map(String::as_str);
    let scratch = ["SCRATCH0", "SCRATCH1", "FSCRATCH0", "FSCRATCH1"].into_iter().filter_map(|role| abi.role(role));
    let mut masks = [0; 2];
    for register in sets.chain(scratch).filter(|&register| abi.role("SCRATCH2") != Some(register)) {
        if let Some((number, vector)) = register_number(register) {
            masks[usize::from(vector)] |= 1 << number;
        }
    }
    masks
}
