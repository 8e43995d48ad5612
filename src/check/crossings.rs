//! The crossings: what each does between a function of another module and the function.
//!
//! Comes in: the image, and the events of the crossings' copying. Goes out: the first defect. What must hold: every function
//! that others may come to know has one; it changes nothing but the register of the memory, and that to what the functions
//! of the module count on.

use std::collections::BTreeSet;

use crate::check::decode::{Operand, Step, decode_step};
use crate::check::defect::{Defect, place};
use crate::isa::op::Op;
use crate::isa::snippet::Kind;
use crate::library::Library;
use crate::library::builtin::MEMORY;
use crate::module::link::{Constant, Item};
use crate::module::native::Target;
use crate::stitch::image::{EntryImage, Image, Relocation, Symbol};
use crate::stitch::trace::Trace;
use crate::verified::Verified;

/// Checks all crossings.
pub(super) fn check(verified: &Verified, image: &Image, trace: &Trace, library: &Library) -> Result<(), Defect> {
    let found: Vec<u32> = image.crossings.iter().map(|crossing| crossing.function).collect();
    if !found.iter().copied().eq(known_to_others(verified)) || trace.crossings.len() != found.len() {
        return Err(Defect::new(verified, 0, "the crossings are not those of the functions that others may know"));
    }
    let functions_end = image.functions.last().map_or(0, |function| function.end);
    let mut end = image.entries.last().map_or(functions_end, |entry| entry.end);
    for (nth, crossing) in image.crossings.iter().enumerate() {
        let fail =
            |message: String| Defect::new(verified, crossing.function as usize, format!("its crossing: {message}"));
        if crossing.start % 16 != 0 || crossing.start < end || crossing.end as usize > image.code.len() {
            return Err(fail("overlaps what is before it, leaves the image, or is not aligned".to_owned()));
        }
        end = crossing.end;
        let last = trace.crossings.get(nth + 1).copied().unwrap_or(trace.events.len());
        let events = trace.events.iter().enumerate().take(last).skip(trace.crossings[nth]);
        let steps: Result<Vec<Step>, String> =
            events.map(|(index, event)| decode_step(image, library, index, event)).collect();
        one(verified, image, crossing, &steps.map_err(fail)?).map_err(fail)?;
    }
    Ok(())
}

/// The functions that others may come to know, in order.
fn known_to_others(verified: &Verified) -> BTreeSet<u32> {
    let module = verified.module();
    let exported = module.exports.iter().filter_map(|export| match export.item {
        Item::Function(target) => Some(target),
        _ => None,
    });
    let elements = module.elements.iter().flat_map(|elements| &elements.items);
    let constants = elements.chain(module.globals.iter().map(|global| &global.start));
    let constants = constants.filter_map(|constant| match *constant {
        Constant::Function(target) => Some(target),
        _ => None,
    });
    let references = verified.functions.iter().flat_map(|body| {
        let references = body.insts.iter().filter(|inst| inst.op == Op::Ref);
        references.filter_map(|inst| {
            let at = inst.b as usize;
            Target::from_fields(body.lists[at], body.lists[at + 1])
        })
    });
    let own = |target| if let Target::Function(index) = target { Some(index) } else { None };
    if !module.is_linked() {
        return references.filter_map(own).collect();
    }
    exported.chain(constants).chain(references).chain(module.start).filter_map(own).collect()
}

fn one(verified: &Verified, image: &Image, crossing: &EntryImage, steps: &[Step]) -> Result<(), String> {
    let mut at = crossing.start;
    for step in steps {
        if step.start != at {
            return Err(format!("`{}` does not follow what is before it", step.info.name));
        }
        at = step.end;
        if (step.start..step.end).any(|at| image.depth(at) != Some(0)) {
            return Err("nothing is on the stack, but the unwind rows say otherwise".to_owned());
        }
    }
    let names: Vec<&str> = steps.iter().map(|step| step.info.name).collect();
    let memory = verified.module().memory.is_some();
    let wanted: &[&str] = if memory { &["landing", "cell", "entry.jump"] } else { &["landing", "entry.jump"] };
    if names != wanted || at != crossing.end || crossing.saved != 0 {
        return Err(format!("is {}, not {}", names.join(", "), wanted.join(", ")));
    }
    if memory && steps[1].get("d")? != Operand::Register(MEMORY) {
        return Err(format!("the address of the memory goes to {}", place(steps[1].get("d")?)));
    }
    let entry = image.functions[crossing.function as usize].entry;
    let target = steps[steps.len() - 1].get("t")?;
    if target != Operand::Code(entry) {
        return Err(format!("leads to {}, not to the function at {entry:#x}", place(target)));
    }
    let mut wanted = Vec::new();
    for step in steps {
        let is_data = |operand: u8| step.info.operands[usize::from(operand)].kind == Kind::Data;
        wanted.extend(step.info.holes.iter().filter(|hole| is_data(hole.operand)).map(|&hole| Relocation {
            offset: step.hole(hole),
            symbol: Symbol::Memory,
            addend: i32::from(hole.addend),
        }));
    }
    let inside = |at: u32| (crossing.start..crossing.end).contains(&at);
    let found = image.relocations.iter().filter(|reference| inside(reference.offset));
    if !found.eq(&wanted) || image.sites.iter().any(|site| inside(site.offset)) {
        return Err("its trap sites or references are not what its snippets ask for".to_owned());
    }
    Ok(())
}
