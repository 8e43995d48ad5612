//! Damage to modules, for testing the verifier.
//!
//! Comes in: a module. Goes out: the same with a few fields changed to anything. What must hold: linear memory stays
//! small, so that what still verifies may be run by an interpreter that has no way to C.

use crate::isa::op::{Op, Type};
use crate::module::native::{CSignature, CType, Data, Extern, Pointer, Target};
use crate::module::{Function, Module};

use super::Source;

/// Changes a few things about `module`.
pub fn mutate(module: &mut Module, s: &mut Source<'_>) {
    for _ in 0..=s.below(4) {
        let n = module.functions.len();
        if n == 0 || s.one_in(8) {
            change_items(module, s);
        } else {
            change_function(&mut module.functions[s.below(n)], s);
        }
    }
}

/// Numbers that fields may hold: near the small ones that are in range, and at the ends of all ranges.
fn field(s: &mut Source<'_>) -> u32 {
    match s.below(8) {
        0 => s.number() as u32,
        1 => s.pick(&[0, 65_535, 65_536, u32::MAX, i32::MIN as u32, i32::MAX as u32, -1000i32 as u32, -1001i32 as u32]),
        2 => (s.below(16) as u32).wrapping_neg(),
        _ => s.below(64) as u32,
    }
}

fn change_function(f: &mut Function, s: &mut Source<'_>) {
    let n = f.insts.len().max(1);
    let at = s.below(n);
    match s.below(10) {
        0..=3 => {
            let Some(inst) = f.insts.get_mut(at) else { return };
            match s.below(5) {
                0 => inst.d = field(s),
                1 => inst.a = field(s),
                2 => inst.b = field(s),
                _ => inst.op = s.pick(Op::ALL),
            }
        }
        4 | 5 if !f.lists.is_empty() => {
            let at = s.below(f.lists.len());
            f.lists[at] = field(s);
        }
        6 if !f.labels.is_empty() => {
            let label = s.below(f.labels.len());
            f.labels[label].at = if s.one_in(4) { field(s) } else { s.below(n + 1) as u32 };
        }
        7 if !f.insts.is_empty() => {
            let other = s.below(n);
            f.insts.swap(at, other);
        }
        8 if !f.insts.is_empty() => {
            f.insts.remove(at);
        }
        _ => {
            let types = if s.one_in(2) { &mut f.signature.params } else { &mut f.signature.results };
            match s.below(3) {
                0 => types.push(s.pick(&Type::NUMBERS)),
                1 => drop(types.pop()),
                _ => f.signature.variadic ^= true,
            }
        }
    }
}

fn change_items(module: &mut Module, s: &mut Source<'_>) {
    const PAGES: [u32; 6] = [0, 1, 2, 3, 65_537, u32::MAX];
    match s.below(14) {
        0 => module.memory = None,
        1 => module.memory.iter_mut().for_each(|memory| memory.min = s.pick(&PAGES)),
        2 => module.memory.iter_mut().for_each(|memory| memory.max = Some(s.pick(&PAGES))),
        3 => module.inits.iter_mut().for_each(|init| init.offset = s.pick(&[0, 65_535, 65_536, u32::MAX])),
        4 => module.tables.iter_mut().for_each(|table| table.functions.push(field(s))),
        5 => module.globals.iter_mut().for_each(|global| global.ty = s.pick(&Type::NUMBERS)),
        6 => module.signatures.iter_mut().for_each(|signature| signature.results.push(s.pick(&Type::NUMBERS))),
        7 => {
            let copy = module.functions.first().cloned();
            module.functions.extend(copy);
        }
        8 | 9 => {
            let signature = if s.one_in(4) { field(s) } else { s.below(module.c_signatures.len() + 1) as u32 };
            let name = format!("e{}", s.below(4));
            module.externs.push(Extern { symbol: name.clone(), name, library: String::new(), signature, line: 5 });
        }
        10 | 11 => module.data.push(data(s)),
        _ => module.c_signatures.push(c_signature(s)),
    }
}

fn data(s: &mut Source<'_>) -> Data {
    let bytes = vec![0; s.below(5) * 8];
    let pointer = |s: &mut Source<'_>| {
        let index = if s.one_in(4) { field(s) } else { s.below(2) as u32 };
        let target = [Target::Function(index), Target::Extern(index), Target::Data(index)][s.below(3)];
        let offset = if s.one_in(4) { field(s) } else { s.below(4) as u32 * 8 };
        Pointer { offset, target }
    };
    let pointers = (0..s.below(3)).map(|_| pointer(s)).collect();
    let (align, zeros) = (s.pick(&[8, 8, 8, 1, 64, 3]), s.below(100) as u64);
    Data { zeros, pointers, ..Data::new(format!("d{}", s.below(4)), align, bytes) }
}

fn c_signature(s: &mut Source<'_>) -> CSignature {
    fn ty(s: &mut Source<'_>, depth: usize) -> CType {
        if depth > 0 && s.one_in(4) {
            return CType::Struct((0..s.below(4)).map(|_| ty(s, depth - 1)).collect());
        }
        CType::SCALARS[s.below(CType::SCALARS.len())].1.clone()
    }
    let mut types = |most: usize| (0..s.below(most)).map(|_| ty(s, 20)).collect();
    let (params, results) = (types(4), types(3));
    CSignature { params, results, variadic: s.one_in(3), ..CSignature::default() }
}
