//! Names of places: machine registers, parts of the frame, labels, data.
//!
//! Comes in: numbers from the code. Goes out: what a person calls them. What must hold: every number has a name, if only
//! itself.

use super::homes::Home;
use crate::isa::op::{Class, Type};
use crate::isa::snippet::{Fault, Kind};
use crate::isa::template::{GP, XMM};
use crate::module::Module;
use crate::stitch::frame::Frame;
use crate::stitch::image::Symbol;
use crate::stitch::place::FIRST_XMM;
use crate::value::Value;

/// A machine register as an operand of this kind names it.
pub fn register(kind: Kind, number: u8) -> &'static str {
    let names = if kind == Kind::Xmm { &XMM } else { &GP };
    names[usize::from(number & 15)]
}

/// A place of a register of this class.
pub fn home(home: Home, class: Class) -> String {
    match home {
        Home::Register(number) if number >= FIRST_XMM => XMM[usize::from(number - FIRST_XMM) & 15].to_owned(),
        Home::Register(number) => GP[usize::from(number) & 15].to_owned(),
        Home::Slot(index) => format!("slot {index}"),
        Home::Constant(bits) => format!("= {}", Value::from_bits(class.widest(), bits)),
        Home::Count(count) => format!("= {count}"),
        Home::Flags => "flags".to_owned(),
        Home::Within => "fused".to_owned(),
    }
}

/// What stands at a distance from the frame register.
pub fn slot(frame: &Frame, arg_copies: u32, distance: i64) -> String {
    let Ok(distance) = u32::try_from(distance) else { return distance.to_string() };
    let slots = frame.outgoing + 8 * frame.slots;
    let incoming = frame.depth() + 8;
    match distance {
        d if d < frame.outgoing => format!("out {}", d / 8),
        d if d < slots => format!("slot {}", (d - frame.outgoing) / 8),
        d if d < slots + 8 * arg_copies => format!("arg {}", (d - slots) / 8 + 1),
        d if d >= incoming => format!("in {}", (d - incoming) / 8),
        d => format!("frame {d:#x}"),
    }
}

/// Something that an instance has.
pub fn symbol(module: &Module, symbol: Symbol) -> String {
    let name = |found: Option<&String>| found.cloned().unwrap_or_default();
    match symbol {
        Symbol::Context => "instance".to_owned(),
        Symbol::Helper(helper) => helper_name(&format!("{helper:?}")),
        Symbol::Global(index) => name(module.globals.get(index as usize).map(|global| &global.name)),
        Symbol::Table(index) => name(module.tables.get(index as usize).map(|table| &table.name)),
        Symbol::Pages | Symbol::PagesCell => "pages".to_owned(),
        Symbol::Memory => "memory".to_owned(),
        Symbol::Extern(index) => name(module.externs.get(index as usize).map(|one| &one.name)),
        Symbol::Data(index) => name(module.data.get(index as usize).map(|one| &one.name)),
        Symbol::Import(index) => name(module.imports.get(index as usize).map(|one| &one.name)),
        Symbol::Growing(index) => name(module.tables.get(index as usize).map(|table| &table.name)),
        Symbol::Signature(index) => module.signatures.get(index as usize).map(ToString::to_string).unwrap_or_default(),
        Symbol::Shared(index) => name(module.globals.get(index as usize).map(|global| &global.name)),
    }
}

/// `PrintI64` as `print_i64`.
fn helper_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// What a fault means.
pub fn fault(fault: Fault) -> String {
    match fault {
        Fault::Trap(kind) => kind.to_string(),
        Fault::Divide(_) => "by zero, overflow".to_owned(),
        Fault::Halt => "the end".to_owned(),
    }
}

/// A constant of the literal pool, as a snippet of this name reads it.
pub fn literal(snippet: &str, bits: u64) -> String {
    let masks = ["abs.", "neg.", "copysign."];
    let ty = match snippet {
        name if masks.iter().any(|mask| name.starts_with(mask)) => return format!("{bits:#x}"),
        name if name.contains("f32") => Type::F32,
        name if name.contains("f64") => Type::F64,
        _ => return format!("{bits:#x}"),
    };
    Value::from_bits(ty, bits).to_string()
}
