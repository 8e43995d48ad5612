//! The tables of an image, held against its code: instructions, parts out of line, trap sites, references, unwind rows.
//!
//! Comes in: a decoded function and what the walk learned. Goes out: the first defect. What must hold: each table has
//! exactly the rows that the copied snippets ask for, no more and no fewer.

use crate::check::act::{is_named, suffix_type};
use crate::check::decode::{Decoded, Operand, Step};
use crate::check::defect::Defect;
use crate::check::flow::Walked;
use crate::check::linked::Shared;
use crate::isa::fusion::Fusion;
use crate::isa::op::{Op, Shape, Type};
use crate::isa::snippet::{Fault, Kind};
use crate::library::Library;
use crate::stitch::image::{Helper, Image, Relocation, SiteMeaning, Symbol, TrapSite};
use crate::verified::Verified;

/// What the checks need to see.
pub(super) struct Tables<'a> {
    pub verified: &'a Verified,
    pub image: &'a Image,
    pub library: &'a Library,
    pub decoded: &'a Decoded,
    /// What the module shares with others.
    pub shared: &'a Shared,
}

impl Tables<'_> {
    /// Everything that does not depend on the walk.
    pub fn check(&self) -> Result<(), Defect> {
        self.instructions()?;
        self.out_of_line()?;
        self.sites()?;
        self.references()?;
        self.literals()
    }

    fn whole(&self, message: String) -> Defect {
        Defect::new(self.verified, self.decoded.function, message)
    }

    fn at(&self, step: &Step, message: String) -> Defect {
        self.whole(message).at(self.verified, self.decoded.function, step.inst).step(step)
    }

    fn all(&self) -> impl Iterator<Item = &Step> {
        self.decoded.steps.iter().chain(&self.decoded.cold)
    }

    /// `FunctionImage::insts`, and the way back from offsets to instructions.
    fn instructions(&self) -> Result<(), Defect> {
        let number = self.decoded.function;
        let function = &self.image.functions[number];
        let positions = &self.decoded.positions;
        if function.insts.len() != positions.len() {
            let (rows, insts) = (function.insts.len(), positions.len());
            return Err(self.whole(format!("the table of instructions has {rows} rows for {insts} instructions")));
        }
        let mut before = function.entry;
        for (index, (&found, &start)) in function.insts.iter().zip(positions).enumerate() {
            // The second of two fused instructions may be said to start with the first or behind both.
            let fused = index > 0 && self.is_fused(index - 1);
            let earliest = if fused { positions[index - 1] } else { start };
            if found < before || found < earliest || found > start {
                let message = format!("its code starts at {start:#x}, but the table of instructions says {found:#x}");
                return Err(self.whole(message).at(self.verified, number, index as u32));
            }
            before = found;
        }
        for step in self.all().filter(|step| step.inst != u32::MAX) {
            for at in [step.start, step.end - 1] {
                let found = self.image.locate(at);
                let inst = step.inst as usize;
                // A branch may be said to begin with what it goes by; a fault belongs to the first of two.
                let mut steps = self.decoded.of[inst].clone().filter_map(|at| self.decoded.steps[at].fused());
                let mut branch = || found == Some((number, inst + 1)) && steps.any(Fusion::branches);
                let right = found == Some((number, inst)) || branch();
                if !right {
                    return Err(self.at(step, format!("the image locates {at:#x} at {found:?} instead")));
                }
            }
        }
        Ok(())
    }

    /// True where instruction `index` and the one behind it are one.
    fn is_fused(&self, index: usize) -> bool {
        self.decoded.of[index].clone().any(|at| self.decoded.steps[at].is_fused())
    }

    /// Each part out of line belongs to one snippet in line, which leads there and is led back to.
    fn out_of_line(&self) -> Result<(), Defect> {
        let table = &self.image.functions[self.decoded.function].cold;
        let stand: Vec<(u32, u32)> = self.decoded.cold.iter().map(|step| (step.start, step.inst)).collect();
        if *table != stand {
            return Err(self.whole(format!("the table of parts out of line is {table:x?}, but they are {stand:x?}")));
        }
        let owners = self.decoded.steps.iter().filter(|step| step.info.cold != 0);
        let mut parts = self.decoded.cold.iter().collect::<Vec<_>>();
        for owner in owners {
            let info = self.library.info(owner.info.cold);
            let fits = |part: &&Step| {
                part.inst == owner.inst
                    && part.info == info
                    && owner.get("cold") == Ok(Operand::Code(part.start))
                    && part.get("back") == Ok(Operand::Code(owner.end))
                    && registers(part).all(|(name, operand)| owner.get(name) == Ok(operand))
            };
            match parts.iter().position(fits) {
                Some(found) => drop(parts.remove(found)),
                None => return Err(self.at(owner, "its part out of line is missing or another's".to_owned())),
            }
        }
        match parts.first() {
            Some(part) => Err(self.at(part, "nothing leads to this part out of line".to_owned())),
            None => Ok(()),
        }
    }

    fn sites(&self) -> Result<(), Defect> {
        let function = &self.image.functions[self.decoded.function];
        let mut wanted = Vec::new();
        for step in self.all() {
            for site in step.info.sites {
                let meaning = match site.fault {
                    Fault::Trap(kind) => SiteMeaning::Trap(kind),
                    Fault::Halt => SiteMeaning::Halt,
                    Fault::Divide(operand) => self.divide(step, usize::from(operand))?,
                };
                // A prefix that was left out stood first.
                let offset = step.base.wrapping_add(u32::from(site.offset)).max(step.start);
                wanted.push((TrapSite { offset, meaning }, step));
            }
        }
        let mut found = self.image.sites.iter().filter(|site| (function.entry..function.end).contains(&site.offset));
        wanted.sort_by_key(|(site, _)| site.offset);
        for (site, step) in &wanted {
            match found.next() {
                Some(other) if other == site && self.image.site(site.offset) == Some(site.meaning) => {}
                other => return Err(self.at(step, format!("the trap site {site:?} is wanted, but {other:?} is there"))),
            }
        }
        match found.next() {
            Some(site) => Err(self.whole(format!("the trap site {site:?} belongs to no snippet"))),
            None => Ok(()),
        }
    }

    /// The meaning of a fault of a division: the register that holds the second source, whole or its low half.
    fn divide(&self, step: &Step, operand: usize) -> Result<SiteMeaning, Defect> {
        let body = &self.verified.functions[self.decoded.function];
        let divides = body.insts.get(step.inst as usize).filter(|inst| is_named(inst.op.row(), step.info.name));
        match (step.operands.get(operand), divides) {
            (Some(&Operand::Register(register)), Some(inst)) if step.info.operands[operand].name == "b" => {
                let bits = if inst.op.row().args[1] == Type::I32 { 32 } else { 64 };
                Ok(SiteMeaning::Divide { register, bits })
            }
            _ => Err(self.at(step, "a fault of a division, but not by a register of one".to_owned())),
        }
    }

    fn references(&self) -> Result<(), Defect> {
        let function = &self.image.functions[self.decoded.function];
        let mut wanted = Vec::new();
        for step in self.all() {
            for hole in step.info.holes {
                let operand = &step.info.operands[usize::from(hole.operand)];
                if operand.kind == Kind::Data {
                    let symbol = self.symbol(step, operand.name).map_err(|message| self.at(step, message))?;
                    let addend = i32::from(hole.addend);
                    wanted.push((Relocation { offset: step.hole(*hole), symbol, addend }, step));
                }
            }
        }
        wanted.sort_by_key(|(relocation, _)| relocation.offset);
        let inside = |relocation: &&Relocation| (function.entry..function.end).contains(&relocation.offset);
        let mut found = self.image.relocations.iter().filter(inside);
        for (relocation, step) in &wanted {
            match found.next() {
                Some(other) if other == relocation => {}
                other => {
                    return Err(
                        self.at(step, format!("the reference {relocation:?} is wanted, but {other:?} is there"))
                    );
                }
            }
        }
        match found.next() {
            Some(relocation) => Err(self.whole(format!("the reference {relocation:?} belongs to no snippet"))),
            None => Ok(()),
        }
    }

    /// What the snippet refers to.
    fn symbol(&self, step: &Step, operand: &str) -> Result<Symbol, String> {
        if step.info.name == "context" {
            return Ok(Symbol::Context);
        }
        let body = &self.verified.functions[self.decoded.function];
        let inst = body.insts.get(step.inst as usize).ok_or("refers to something before the first instruction")?;
        let row = inst.op.row();
        let ty = suffix_type(row);
        if let Some(symbol) = self.shared.symbol(inst, &body.lists, step.info.name, operand) {
            return Ok(symbol);
        }
        Ok(match (row.shape, ty) {
            (Shape::Gget | Shape::Gset, _) => Symbol::Global(inst.b),
            (Shape::Calli, _) => Symbol::Table(inst.d),
            (Shape::CallExtern, _) => Symbol::Extern(inst.a),
            (Shape::Addr, _) if step.info.name == "cell" => Symbol::Extern(inst.b),
            (Shape::Addr, _) => Symbol::Data(inst.b),
            (Shape::Msize, _) => Symbol::Pages,
            (Shape::Print, Type::F32) => Symbol::Helper(Helper::PrintF32),
            (Shape::Print, Type::F64) => Symbol::Helper(Helper::PrintF64),
            (Shape::Print, _) => Symbol::Helper(Helper::PrintI64),
            (Shape::Read, Type::F32) => Symbol::Helper(Helper::ReadF32),
            (Shape::Read, Type::F64) => Symbol::Helper(Helper::ReadF64),
            (Shape::Read, _) => Symbol::Helper(Helper::ReadI64),
            _ => match inst.op {
                Op::Mgrow => Symbol::Helper(Helper::Mgrow),
                Op::Mcopy => Symbol::Helper(Helper::Mcopy),
                Op::Mfill => Symbol::Helper(Helper::Mfill),
                _ => return Err("the instruction refers to nothing".to_owned()),
            },
        })
    }

    /// Literals and tables lie behind the code of the same function.
    fn literals(&self) -> Result<(), Defect> {
        let pool = &self.decoded.pool;
        for step in self.all() {
            for &operand in &step.operands {
                let Operand::Literal(at) = operand else { continue };
                let empty_table = step.info.name == "switch" && at == pool.end;
                if !empty_table && (at < pool.start || at + 4 > pool.end) {
                    let message =
                        format!("the literal at {at:#x} lies outside the pool, {:#x}..{:#x}", pool.start, pool.end);
                    return Err(self.at(step, message));
                }
            }
        }
        Ok(())
    }

    /// The unwind rows: at every byte of every step that control can reach, the depth before that step.
    pub fn unwind(&self, walked: &Walked) -> Result<(), Defect> {
        let steps = self.decoded.steps.iter().zip(&walked.depths);
        let depth_of = |part: &Step| {
            let owner = self.decoded.steps.iter().position(|step| step.get("cold") == Ok(Operand::Code(part.start)));
            owner.and_then(|owner| walked.depths[owner])
        };
        let cold = self.decoded.cold.iter().map(|part| (part, depth_of(part)));
        for (step, depth) in steps.map(|(step, depth)| (step, *depth)).chain(cold) {
            let Some(depth) = depth else { continue };
            for at in step.start..step.end {
                let found = self.image.depth(at);
                if found != Some(depth) {
                    let found = found.map_or("nothing".to_owned(), |found| format!("{found} bytes"));
                    let message =
                        format!("at {at:#x} the stack is {depth} bytes deep, but the unwind rows say {found}");
                    return Err(self.at(step, message));
                }
            }
        }
        Ok(())
    }
}

/// The register operands of a step, by name.
fn registers(step: &Step) -> impl Iterator<Item = (&'static str, Operand)> {
    let operands = step.info.operands.iter().zip(&step.operands);
    operands.filter(|(_, o)| matches!(o, Operand::Register(_))).map(|(declared, &operand)| (declared.name, operand))
}
