//! Tests of execution with functions written by hand, so that they depend on no stitcher.

mod arena;
mod calls;
mod figures;
mod host;
mod linked;
mod signals;
mod store;
mod threads;
mod traps;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::isa::extract::{Extracted, extract};
use crate::isa::patch::patch;
use crate::isa::snippet::{Fault, Kind, Patch};
use crate::isa::template::{Abi, parse};
use crate::stitch::image::{FunctionImage, Helper, Image, Relocation, SiteMeaning, Symbol, TrapSite, UnwindRow};
use crate::streams::{Captured, Streams};
use crate::text;
use crate::trap::{RunError, TrapKind};
use crate::verified::Verified;
use crate::verify::verify;

use super::stack::SMALLEST_STACK;
use super::{ArenaSize, Ended, ExecError, Instance, Runtime};

/// The functions of `functions.S`.
fn functions() -> &'static [Extracted] {
    static FUNCTIONS: OnceLock<Vec<Extracted>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let abi = Abi::parse("abi.inc", include_str!("../../../asm/x86_64/abi.inc")).unwrap();
        let templates = parse("functions.S", include_str!("functions.S"), &abi).unwrap();
        let dir = std::env::temp_dir().join(format!("spasm-exec-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let extracted = extract(templates, &abi, &compiler, Path::new(&dir), "functions").unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        extracted
    })
}

/// For the functions that change it, the depth of the stack from an instruction on.
fn depths(template: &str) -> &'static [(usize, u32)] {
    match template {
        "deep_small" | "down" | "helper" | "ranges" | "reader" | "value" | "through" => &[(0, 0), (1, 8)],
        "deep_large" => &[(0, 0), (1, 0x80008)],
        "saved" => &[(0, 0), (1, 8), (2, 16), (3, 24), (4, 32), (5, 40), (6, 48)],
        _ => &[(0, 0)],
    }
}

/// An image with one function of `functions.S` for each of the module. `NAME.WHAT` is the template `NAME` with the
/// helper or the constant `WHAT`.
fn image(verified: &Verified) -> Image {
    let mut image = Image::default();
    for function in &verified.module().functions {
        let (template, what) = function.name.split_once('.').unwrap_or((&function.name, ""));
        let snippet = functions().iter().find(|f| f.template.name == template).unwrap();
        append(&mut image, snippet, what);
    }
    image
}

fn append(image: &mut Image, snippet: &Extracted, what: &str) {
    image.code.resize(image.code.len().next_multiple_of(16), 0);
    let entry = image.code.len() as u32;
    let rsi = 6;
    let mut bytes = snippet.bytes([if snippet.template.name == "divide" { rsi } else { 0 }, 0, 0]);
    for hole in &snippet.holes {
        let operand = &snippet.template.operands[usize::from(hole.operand)];
        if operand.kind == Kind::Data {
            assert_eq!(hole.patch, Patch::Rel32);
            let (offset, addend) = (entry + u32::from(hole.offset), i32::from(hole.addend));
            image.relocations.push(Relocation { offset, symbol: symbol(&operand.name, what), addend });
        } else {
            patch(&mut bytes, usize::from(hole.offset), hole.patch, what.parse().unwrap()).unwrap();
        }
    }
    for site in &snippet.sites {
        let meaning = match site.fault {
            Fault::Trap(kind) => SiteMeaning::Trap(kind),
            Fault::Divide(_) => SiteMeaning::Divide { register: rsi, bits: 64 },
            Fault::Halt => SiteMeaning::Halt,
        };
        image.sites.push(TrapSite { offset: entry + u32::from(site.offset), meaning });
    }
    for &(instruction, depth) in depths(&snippet.template.name) {
        image.unwind.push(UnwindRow { offset: entry + u32::from(snippet.starts[instruction]), depth });
    }
    image.code.extend(bytes);
    image.functions.push(FunctionImage {
        entry,
        end: image.code.len() as u32,
        insts: vec![entry],
        cold: vec![],
        saved: 0,
    });
}

fn symbol(operand: &str, what: &str) -> Symbol {
    let helper = || match what {
        "print_i64" => Helper::PrintI64,
        "print_f32" => Helper::PrintF32,
        "print_f64" => Helper::PrintF64,
        "read_i64" => Helper::ReadI64,
        "read_f32" => Helper::ReadF32,
        "read_f64" => Helper::ReadF64,
        "mgrow" => Helper::Mgrow,
        "mcopy" => Helper::Mcopy,
        "mfill" => Helper::Mfill,
        _ => panic!("no helper {what}"),
    };
    match operand {
        "context" => Symbol::Context,
        "global" => Symbol::Global(what.parse().unwrap()),
        "table" => Symbol::Table(0),
        "pages" => Symbol::Pages,
        "cell" => Symbol::Helper(helper()),
        _ => panic!("no symbol {operand}"),
    }
}

fn small() -> ArenaSize {
    ArenaSize { code: 1 << 20, data: 1 << 16 }
}

fn runtime() -> Arc<Runtime> {
    Runtime::new(small()).unwrap()
}

fn verified(text: &str) -> Verified {
    // Bodies are written by hand, so the text gives signatures only.
    let text = text
        .lines()
        .map(|line| if line.starts_with("func") { format!("{line}\n    trap\n") } else { format!("{line}\n") });
    verify(text::parse("test.spasm", &text.collect::<String>()).unwrap()).unwrap()
}

fn instance_on(runtime: &Arc<Runtime>, text: &str) -> Result<Instance, ExecError> {
    let verified = verified(text);
    let image = Arc::new(image(&verified));
    Instance::new(runtime, &verified, image, None, SMALLEST_STACK * 16)
}

fn instance(text: &str) -> Instance {
    instance_on(&runtime(), text).unwrap()
}

/// An instance whose output is kept.
fn captured(text: &str, input: &str) -> (Instance, Captured) {
    let (streams, captured) = Streams::captured(input);
    let mut instance = instance(text);
    instance.set_streams(streams);
    (instance, captured)
}

/// Calls the function called `name`.
fn call(instance: &mut Instance, name: &str, args: &[u64]) -> Result<Vec<u64>, RunError> {
    let index = instance.module().function_index(name).unwrap();
    let function = instance.function(index).unwrap();
    let mut results = vec![0; instance.module().functions[index as usize].signature.results.len()];
    match instance.call(&function, args, &mut results)? {
        Ended::Returned => Ok(results),
        Ended::Halted => panic!("halted"),
    }
}

/// The trap that a call ends with, and its report.
fn trap(instance: &mut Instance, name: &str, args: &[u64]) -> (TrapKind, String) {
    match call(instance, name, args) {
        Err(RunError::Trap(trap)) => (trap.kind, trap.to_string()),
        other => panic!("{other:?} instead of a trap"),
    }
}

const EVERYTHING: &str = "\
func identity(i64) -> i64
func divide(i64, i64) -> i64
func unreachable
func down(i64)
memory 1 3
func load.0(i64) -> i64
func store(i64, i64)
";
