//! The stitcher: from a verified module to an image.
//!
//! Comes in: [`Verified`] bodies and a [`Library`] of snippets. Goes out: an [`Image`], or a [`StitchError`]. What must
//! hold: nothing here touches memory protection or the operating system; the same input gives the same bytes.
//!
//! For each function, in the order of the module:
//!
//! ```text
//! live ──▶ place ──▶ emit: entry, then instruction by instruction ──▶ out-of-line parts, literal pool
//! ```
//!
//! [`live`] looks at every instruction once, from the last to the first, and finds where values end; [`place`] gives a
//! register or a frame slot to each variable whose values cross blocks; `emit` walks the instructions a second time,
//! gives registers to the values within blocks, chooses the snippet for the places of the operands, and copies it. All
//! three take time in proportion to the function's length.

pub mod abi;
mod branches;
pub mod calls;
pub mod code;
pub mod custom;
mod emit;
pub mod frame;
mod fuse;
mod glue;
pub mod image;
pub mod inward;
mod linked;
pub mod live;
mod locals;
pub mod loops;
mod memory;
mod moves;
mod native;
pub mod operands;
mod outward;
pub mod piece;
pub mod place;
pub mod pool;
pub mod trace;
mod values;

use crate::isa::op::Op;
use crate::isa::part::Part;
use crate::isa::snippet::{Form, form_index};
use crate::library::Library;
use crate::module::native::Target;
use crate::stitch::calls::Convention;
use crate::stitch::code::Code;
use crate::stitch::custom::{OpcodeError, Ways};
use crate::stitch::emit::{Cold, Emitter, Jump};
use crate::stitch::frame::Frame;
use crate::stitch::image::{FunctionImage, Image};
pub use crate::stitch::inward::Entries;
use crate::stitch::linked::Linked;
use crate::stitch::live::Live;
use crate::stitch::locals::Locals;
use crate::stitch::moves::Move;
use crate::stitch::place::Placement;
use crate::stitch::pool::Pool;
use crate::stitch::trace::{Step, Trace};
use crate::verified::{Body, Verified};

/// Why a verified module could not be stitched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StitchError {
    /// The code is larger than the jumps and calls in it can reach.
    #[error("the code of function `{function}` ends beyond {limit} bytes: no jump reaches that far")]
    TooLarge {
        /// The function at which the limit was passed.
        function: String,
        /// The limit in bytes.
        limit: u32,
    },
    /// The library lacks a snippet.
    #[error("no snippet serves `{name}` on this machine: this is a defect of the library")]
    NoSnippet {
        /// The opcode's name.
        name: String,
    },
    /// An opcode that templates declare is not there as the program wants it.
    #[error(transparent)]
    Opcode(#[from] Box<OpcodeError>),
}

/// The largest image: everything in it is within reach of a 32-bit distance, with room to spare for data.
pub const MAX_CODE: u32 = 1 << 30;

/// Stitches modules, keeping its working memory from one to the next.
#[derive(Debug)]
pub struct Stitcher<'l> {
    library: &'l Library,
    parts: [u16; Part::ALL.len()],
    live: Live,
    placement: Placement,
    code: Code,
    locals: Locals,
    calls: Vec<(u32, u32)>,
    c_entries: Vec<(u32, u32)>,
    starts: Vec<u32>,
    spare: Spare,
    entries: Entries,
    customs: Vec<Ways>,
    /// The functions that stand in tables, in order.
    in_tables: Vec<u32>,
    /// What there is so far: everything but the code.
    image: Image,
    /// The number of the first function, and whether the places of instructions are kept.
    first: u32,
    with_insts: bool,
    linked: Linked,
}

/// The emitter's lists between two functions.
#[derive(Debug, Default)]
struct Spare {
    current: Vec<emit::Current>,
    moves: Vec<Move>,
    blocks: Vec<u32>,
    jumps: Vec<Jump>,
    colds: Vec<Cold>,
    pool: Pool,
    insts: Vec<u32>,
}

impl<'l> Stitcher<'l> {
    /// A stitcher that uses the snippets of `library`.
    #[must_use]
    pub fn new(library: &'l Library) -> Stitcher<'l> {
        Stitcher {
            library,
            parts: Part::ALL.map(|(part, _)| library.part(part)),
            live: Live::default(),
            placement: Placement::default(),
            code: Code::new(library),
            locals: Locals::default(),
            calls: Vec::new(),
            c_entries: Vec::new(),
            starts: Vec::new(),
            spare: Spare::default(),
            entries: Entries::default(),
            customs: Vec::new(),
            in_tables: Vec::new(),
            image: Image::default(),
            first: 0,
            with_insts: true,
            linked: Linked::default(),
        }
    }

    /// Says which functions get entries for C in what is stitched from now on.
    pub fn set_entries(&mut self, entries: Entries) {
        self.entries = entries;
    }

    /// Stitches a module.
    ///
    /// # Errors
    /// See [`StitchError`].
    pub fn stitch(&mut self, verified: &Verified) -> Result<Image, StitchError> {
        self.code.trace = None;
        self.run(verified)
    }

    /// Stitches a module and records every step.
    ///
    /// # Errors
    /// As [`stitch`](Self::stitch).
    pub fn stitch_traced(&mut self, verified: &Verified) -> Result<(Image, Trace), StitchError> {
        self.code.trace = Some(Trace::default());
        let image = self.run(verified)?;
        Ok((image, self.code.trace.take().unwrap_or_default()))
    }

    fn run(&mut self, verified: &Verified) -> Result<Image, StitchError> {
        self.begin(verified, 0, true)?;
        self.image.functions.reserve(verified.functions.len());
        // Most functions have a frame that comes and goes once.
        self.image.unwind.reserve(4 * verified.functions.len());
        for body in &verified.functions {
            self.function(verified, body)?;
        }
        self.finish(verified)
    }

    /// Starts anew, with the function of this number. Where nobody will ask for the place of an instruction, `insts` can
    /// be left out of the image.
    fn begin(&mut self, verified: &Verified, first: u32, insts: bool) -> Result<(), StitchError> {
        self.code.clear();
        self.customs = custom::resolve(verified, self.library)?;
        self.image = Image::default();
        self.calls.clear();
        self.c_entries.clear();
        self.starts.clear();
        (self.first, self.with_insts) = (first, insts);
        self.linked.find(verified.module());
        self.in_tables.clear();
        self.in_tables.extend(verified.module().tables.iter().flat_map(|table| &table.functions));
        self.in_tables.sort_unstable();
        Ok(())
    }

    /// Stitches the next function.
    fn function(&mut self, verified: &Verified, body: &Body) -> Result<(), StitchError> {
        let number = self.first + self.starts.len() as u32;
        self.code.align(16);
        let entry = self.code.position();
        self.starts.push(entry);
        if let Some(trace) = &mut self.code.trace {
            trace.begin();
        }
        self.live.find(verified, body, self.library, calls::argument_register);
        // Others may change the register of the memory even where the module has none.
        self.placement.place(&self.live, verified.module().memory.is_some() || self.linked.shares);
        let frame = self.frame(body);
        let mut insts = if self.with_insts { Vec::new() } else { std::mem::take(&mut self.spare.insts) };
        insts.resize(body.insts.len(), 0);
        let image = &mut self.image;
        let mut emitter = Emitter {
            library: self.library,
            parts: &self.parts,
            customs: &self.customs,
            moves: [Op::MoveI64, Op::MoveF32, Op::MoveF64].map(|op| self.library.forms(op as u16)[0]),
            verified,
            body,
            live: &self.live,
            placement: &self.placement,
            code: &mut self.code,
            frame,
            landing: self.in_tables.binary_search(&number).is_ok(),
            current: std::mem::take(&mut self.spare.current),
            locals: &mut self.locals,
            moves_at_hand: std::mem::take(&mut self.spare.moves),
            index: 0,
            blocks: std::mem::take(&mut self.spare.blocks),
            jumps: std::mem::take(&mut self.spare.jumps),
            colds: std::mem::take(&mut self.spare.colds),
            pool: std::mem::take(&mut self.spare.pool),
            insts,
            relocations: std::mem::take(&mut image.relocations),
            sites: std::mem::take(&mut image.sites),
            unwind: std::mem::take(&mut image.unwind),
            calls: &mut self.calls,
            c_entries: &mut self.c_entries,
            entries: &self.starts,
            first: self.first,
            linked: &mut self.linked,
        };
        let cold = emitter.function();
        let Emitter {
            mut insts, relocations, sites, unwind, current, blocks, jumps, colds, pool, moves_at_hand, ..
        } = emitter;
        (image.relocations, image.sites, image.unwind) = (relocations, sites, unwind);
        let end = self.code.position();
        if end > MAX_CODE {
            return Err(too_large(verified, number));
        }
        if let Some(trace) = &mut self.code.trace {
            trace.frames.push(frame);
        }
        let spare = if self.with_insts { Vec::new() } else { std::mem::take(&mut insts) };
        self.spare = Spare { current, moves: moves_at_hand, blocks, jumps, colds, pool, insts: spare };
        self.image.functions.push(FunctionImage { entry, end, insts, cold, saved: frame.saved });
        Ok(())
    }

    /// Settles what functions refer to of each other, when all of them are there.
    fn finish(&mut self, verified: &Verified) -> Result<Image, StitchError> {
        for &(at, callee) in &self.calls {
            self.code.write32(at, self.starts[callee as usize].wrapping_sub(at + 4) as i32);
        }
        let mut image = std::mem::take(&mut self.image);
        let c_entries = std::mem::take(&mut self.c_entries);
        self.c_entries(verified, &mut image, &c_entries)?;
        self.c_entries = c_entries;
        self.crossings(verified, &mut image)?;
        image.sites.sort_by_key(|site| site.offset);
        image.relocations.sort_by_key(|relocation| relocation.offset);
        image.code = self.code.bytes().to_vec();
        Ok(image)
    }

    /// The entries for C, and the addresses in code that refer to them.
    fn c_entries(&mut self, verified: &Verified, image: &mut Image, taken: &[(u32, u32)]) -> Result<(), StitchError> {
        let module = verified.module();
        let mut wanted = self.entries.wanted(module);
        let in_data = module.data.iter().flat_map(|data| &data.pointers).filter_map(|pointer| match pointer.target {
            Target::Function(index) => Some(index),
            _ => None,
        });
        taken.iter().map(|&(_, index)| index).chain(in_data).for_each(|index| wanted[index as usize] = true);
        let mut starts = vec![0; wanted.len()];
        for number in (0..wanted.len()).filter(|&number| wanted[number]) {
            if let Some(trace) = &mut self.code.trace {
                trace.begin_entry();
            }
            let memory = module.memory.is_some();
            let changes_memory = memory || self.linked.shares;
            let mut writer =
                inward::Writer { library: self.library, code: &mut self.code, image, memory, changes_memory };
            writer.entry(number as u32, &module.functions[number].signature);
            starts[number] = image.entries.last().map_or(0, |entry| entry.start);
            if self.code.position() > MAX_CODE {
                return Err(too_large(verified, number as u32));
            }
        }
        for &(at, index) in taken {
            self.code.write32(at, starts[index as usize].wrapping_sub(at + 4) as i32);
        }
        Ok(())
    }

    /// The crossings of the functions that other modules may call.
    fn crossings(&mut self, verified: &Verified, image: &mut Image) -> Result<(), StitchError> {
        let module = verified.module();
        for function in self.linked.crossed() {
            if let Some(trace) = &mut self.code.trace {
                trace.begin_crossing();
            }
            linked::crossing(self.library, &mut self.code, image, function, module.memory.is_some());
            if self.code.position() > MAX_CODE {
                return Err(too_large(verified, function));
            }
        }
        Ok(())
    }

    fn frame(&self, body: &Body) -> Frame {
        let arg_copies =
            if self.live.uses_arg && !body.signature.variadic { body.signature.params.len() as u32 } else { 0 };
        let incoming = if body.signature.variadic {
            // Results follow the arguments, whose number is known only at run time: see the verifier's limits.
            0
        } else {
            Convention::stack_arguments(&body.signature, 0)
        };
        Frame::lay_out(
            8 * self.live.outgoing,
            self.placement.slots + self.placement.local_slots,
            arg_copies,
            self.placement.saved_used,
            incoming,
            !self.live.calls.is_empty(),
        )
    }
}

impl Emitter<'_> {
    /// Emits one function; says where its out-of-line parts are.
    fn function(&mut self) -> Vec<(u32, u32)> {
        self.blocks.clear();
        self.blocks.resize(self.body.blocks.len(), u32::MAX);
        self.start_places();
        self.entry();
        self.body();
        let cold = self.cold_parts();
        for jump in self.jumps.drain(..) {
            let target = self.blocks[jump.block as usize];
            self.code.write32(jump.at, target.wrapping_sub(jump.at + 4) as i32);
        }
        self.pool.finish(self.code, &self.blocks);
        cold
    }

    /// The parts that stand out of line, behind everything else.
    fn cold_parts(&mut self) -> Vec<(u32, u32)> {
        let mut places = Vec::with_capacity(self.colds.len());
        let colds = std::mem::take(&mut self.colds);
        for cold in &colds {
            self.index = cold.inst as usize;
            self.code.mark(cold.inst, Step::Cold);
            let start = self.code.position();
            places.push((start, cold.inst));
            self.code.write32(cold.from, start.wrapping_sub(cold.from + 4) as i32);
            let base = self.code.put(cold.chunk, cold.regs, [0, 0]);
            let contract = self.library.contract(cold.chunk);
            for hole in contract.holes() {
                let at = base.wrapping_add(u32::from(hole.offset));
                self.code.write32(at, cold.back.wrapping_sub(at + 4) as i32);
            }
            self.note_sites(contract, cold.regs, base, start);
        }
        self.colds = colds;
        self.colds.clear();
        places
    }
}

fn too_large(verified: &Verified, function: u32) -> StitchError {
    let function = verified.module().functions[function as usize].name.clone();
    StitchError::TooLarge { function, limit: MAX_CODE }
}

/// Stitches a module once.
///
/// # Errors
/// See [`StitchError`].
pub fn stitch(verified: &Verified, library: &Library) -> Result<Image, StitchError> {
    check(library)?;
    Stitcher::new(library).stitch(verified)
}

/// Makes sure that the library has what the stitcher counts on.
fn check(library: &Library) -> Result<(), StitchError> {
    let moves = [Op::MoveI64, Op::MoveF32, Op::MoveF64];
    match moves.into_iter().find(|&op| library.forms(op as u16)[form_index(false, Form::Reg, Form::Reg)] == 0) {
        Some(op) => Err(StitchError::NoSnippet { name: op.row().name() }),
        None => Ok(()),
    }
}
