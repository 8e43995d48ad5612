//! The listing of a program: every snippet that was copied, with what went into it.
//!
//! Comes in: a verified module, its image and the trace of its making. Goes out: [`Listing`]. What must hold: the bytes
//! are those of the image; operands are read back from them, so that what is shown is what will run.

use std::collections::{BTreeMap, HashMap};

use super::disassemble::{self, Code};
use super::holes::marks;
use super::homes::{Fused, homes};
use super::strip::Strip;
use super::totals::Totals;
use super::{Byte, Line, Piece, Tint, place};
use crate::isa::custom::SOURCES;
use crate::isa::fusion::When;
use crate::isa::snippet::{Hole, Info, Kind, MAX_REGS};
use crate::library::Library;
use crate::module::Module;
use crate::stitch::frame::Frame;
use crate::stitch::image::{EntryImage, Image, Symbol};
use crate::stitch::place::registers;
use crate::stitch::trace::{Event, Placed, Step};
use crate::stitch::{StitchError, Stitcher};
use crate::verified::{Var, Verified};

/// How the machine code of a module is put together.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The functions, in the order of the module.
    pub functions: Vec<FunctionListing>,
}

/// How the machine code of a function is put together.
#[derive(Clone, Debug)]
pub struct FunctionListing {
    /// Its number in the module.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it takes and gives.
    pub signature: String,
    /// The file it was read from, and its line.
    pub file: String,
    /// The line of its item; 0 where there is none.
    pub line: u32,
    /// For each instruction its line; 0 where there is none.
    pub lines: Vec<u32>,
    /// For each instruction why it has no code, where it has none.
    pub silent: Vec<Option<&'static str>>,
    /// The registers that it uses, and where each lives.
    pub registers: Vec<(String, Vec<String>)>,
    /// Its frame.
    pub frame: Frame,
    /// How many arguments are kept as they were passed.
    pub arg_copies: u32,
    /// The machine registers that it saves.
    pub saved: Vec<&'static str>,
    /// Who is where, instruction by instruction; empty where nobody asked for it.
    pub strip: Strip,
    /// What was copied, in the order of the code.
    pub copied: Vec<Copied>,
    /// Constants and jump tables behind the code.
    pub data: Vec<Datum>,
    /// What its entry for C is made of, if it has one.
    pub c_entry: Vec<Copied>,
    /// What its entry for functions of other modules is made of, if it has one.
    pub crossing: Vec<Copied>,
    /// Sums.
    pub totals: Totals,
}

/// A copied snippet.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The instruction that it was copied for; nothing for the function's entry.
    pub inst: Option<u32>,
    /// Why it was copied.
    pub step: Step,
    /// The snippet's contract.
    pub info: &'static Info,
    /// What went into its holes, operand by operand.
    pub operands: Vec<Filled>,
    /// Its instructions.
    pub lines: Vec<Line>,
}

/// An operand of a copied snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The operand, by its number in the contract.
    pub operand: u8,
    /// A register, a constant, a place or a name.
    pub text: String,
}

/// Bytes behind the code that are no instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// Where they stand, from the start of the function.
    pub offset: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they mean.
    pub text: String,
}

impl Listing {
    /// Stitches a module and records what is copied. Only the functions for which `wanted` holds are listed.
    ///
    /// # Errors
    /// Where the module cannot be stitched.
    pub fn new(verified: &Verified, library: &Library, wanted: impl Fn(&str) -> bool) -> Result<Listing, StitchError> {
        Listing::make(verified, library, wanted, false)
    }

    /// The same with a [`Strip`] for each function, for [`html`](Self::html).
    ///
    /// # Errors
    /// Where the module cannot be stitched.
    pub fn with_strips(
        verified: &Verified,
        library: &Library,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Listing, StitchError> {
        Listing::make(verified, library, wanted, true)
    }

    fn make(
        verified: &Verified,
        library: &Library,
        wanted: impl Fn(&str) -> bool,
        with_strip: bool,
    ) -> Result<Listing, StitchError> {
        let (image, trace) = Stitcher::new(library).stitch_traced(verified)?;
        let mut functions = Vec::new();
        for (index, function) in verified.module().functions.iter().enumerate() {
            if !wanted(&function.name) {
                continue;
            }
            let behind = trace.functions_end();
            let end = trace.functions.get(index + 1).copied().unwrap_or(behind);
            let view = View { with_strip, ..View::new(verified, library, &image, index, trace.frames[index]) };
            let among = |entries: &[EntryImage], firsts: &[usize], end: usize| {
                let found = entries.iter().position(|entry| entry.function as usize == index);
                let steps = |entry: usize| firsts[entry]..firsts.get(entry + 1).copied().unwrap_or(end);
                &trace.events[found.map_or(0..0, steps)]
            };
            let entry = among(&image.entries, &trace.entries, trace.entries_end());
            let crossing = among(&image.crossings, &trace.crossings, trace.events.len());
            let events = &trace.events[trace.functions[index]..end];
            functions.push(view.list(events, &trace.places[index], [entry, crossing]));
        }
        Ok(Listing { functions })
    }

    /// The sums over all functions.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.functions.iter().for_each(|function| totals += function.totals);
        totals
    }
}

/// A function's part of an image.
struct View<'a> {
    verified: &'a Verified,
    module: &'a Module,
    library: &'a Library,
    image: &'a Image,
    index: usize,
    frame: Frame,
    with_strip: bool,
    entry: u32,
    /// What is looked at is one of its other entries, which has a frame of its own if any.
    in_entry: bool,
    /// The names of places in the code.
    labels: HashMap<u32, String>,
    /// What stands behind the code, by its place.
    data: BTreeMap<u32, (usize, String)>,
}

impl<'a> View<'a> {
    fn new(verified: &'a Verified, library: &'a Library, image: &'a Image, index: usize, frame: Frame) -> View<'a> {
        let module = verified.module();
        let made = &image.functions[index];
        let mut labels: HashMap<u32, String> =
            image.functions.iter().zip(&module.functions).map(|(made, f)| (made.entry, f.name.clone())).collect();
        labels.extend(image.entries.iter().map(|entry| {
            let name = &module.functions[entry.function as usize].name;
            (entry.start, format!("{name}, for C"))
        }));
        for (number, label) in module.functions[index].labels.iter().enumerate() {
            if let Some(&at) = made.insts.get(label.at as usize) {
                let name = if label.name.is_empty() { format!("L{number}") } else { label.name.clone() };
                labels.insert(at, name);
            }
        }
        View {
            verified,
            module,
            library,
            image,
            index,
            frame,
            with_strip: false,
            entry: made.entry,
            in_entry: false,
            labels,
            data: BTreeMap::new(),
        }
    }

    fn list(mut self, events: &[Event], placed: &[Placed], entries: [&[Event]; 2]) -> FunctionListing {
        let function = &self.module.functions[self.index];
        let body = self.verified.body(self.index as u32);
        let copied: Vec<Copied> = events.iter().map(|event| self.copied(event)).collect();
        let data = self.data();
        self.in_entry = true;
        let [c_entry, crossing] =
            entries.map(|events| events.iter().map(|event| self.copied(event)).collect::<Vec<Copied>>());
        let count = |step| copied.iter().filter(|copied| copied.step == step).count();
        let made = &self.image.functions[self.index];
        let totals = Totals {
            instructions: body.insts.len(),
            snippets: copied.len(),
            glue: count(Step::Glue),
            frame: count(Step::Frame),
            cold: count(Step::Cold),
            bytes: (made.end - made.entry) as usize,
            data: data.iter().map(|datum| datum.bytes.len()).sum(),
        };
        let fused: Vec<Fused> = copied.iter().filter_map(Copied::fused).collect();
        let homes = homes(body, placed, &fused);
        let registers = homes.iter().enumerate().filter(|(var, homes)| {
            // The number of arguments is of interest where somebody asks for it.
            !homes.is_empty() && (*var as u32 != body.count_var() || body.vars[*var].has(Var::READ))
        });
        let registers = registers.map(|(var, homes)| {
            let class = body.vars[var].class;
            (body.var_name(var as u32), homes.iter().map(|&home| place::home(home, class)).collect())
        });
        FunctionListing {
            index: self.index as u32,
            name: function.name.clone(),
            signature: function.signature.to_string(),
            file: self.module.source.as_ref().map_or(String::new(), |source| source.name.clone()),
            line: function.line,
            lines: (0..body.insts.len()).map(|inst| function.line_of(inst).unwrap_or(0)).collect(),
            silent: super::show::silent(body, &copied, &fused),
            registers: registers.collect(),
            frame: self.frame,
            arg_copies: self.arg_copies(),
            saved: registers_names(self.frame.saved),
            strip: if self.with_strip {
                Strip::new(body, &self.verified.module().customs, placed)
            } else {
                Strip::default()
            },
            copied,
            data,
            c_entry,
            crossing,
            totals,
        }
    }

    /// Reads a copied snippet back from the image.
    fn copied(&mut self, event: &Event) -> Copied {
        let info = self.library.info(event.chunk);
        let head = self.library.chunks()[usize::from(event.chunk)].head;
        let mut marks = marks(self.library, info);
        let dropped = usize::from(head.len) - (event.end - event.start) as usize;
        if dropped != 0 {
            marks.remove(usize::from(head.rex));
        }
        let base = event.start.wrapping_sub(dropped as u32);
        let mut bytes = self.image.code[event.start as usize..event.end as usize].to_vec();
        let mut shown: Vec<Byte> =
            bytes.iter().zip(&marks).map(|(&value, &mark)| Byte { value: Some(value), mark }).collect();
        let mut filling = Filling { numbers: Vec::new(), symbols: Vec::new() };
        let mut operands = Vec::with_capacity(info.operands.len());
        let mut registers = event.regs.into_iter();
        for (number, operand) in info.operands.iter().enumerate() {
            let number = number as u8;
            let text = if operand.kind.is_register() {
                place::register(operand.kind, registers.next().unwrap_or(0)).to_owned()
            } else if let Some(hole) = info.holes.iter().copied().find(|hole| hole.operand == number) {
                let text = self.value(info, hole, base, &mut filling);
                if operand.kind == Kind::Data {
                    let at = (base.wrapping_add(u32::from(hole.offset)) - event.start) as usize;
                    let fake =
                        pretend(&mut bytes[at..at + 4], base.wrapping_add(u32::from(hole.offset)), hole, self.entry);
                    filling.symbols.push((fake, text.clone(), number));
                    shown[at..at + 4].iter_mut().for_each(|byte| byte.value = None);
                }
                text
            } else {
                continue;
            };
            operands.push(Filled { operand: number, text });
        }
        let mut lines = disassemble::lines(&Code {
            info,
            bytes: &bytes,
            shown: &shown,
            start: event.start - self.entry,
            regs: event.regs,
            by_name: false,
            numbers: &filling.numbers,
            symbols: &filling.symbols,
        });
        for site in info.sites {
            let at = base.wrapping_add(u32::from(site.offset)).max(event.start) - self.entry;
            if let Some(line) = lines.iter_mut().find(|line| line.offset == at) {
                line.pieces.push(Piece { text: format!("  ; {}", place::fault(site.fault)), tint: Tint::Remark });
            }
        }
        let step = if info.name.starts_with("frame.") { Step::Frame } else { event.glue };
        Copied { inst: Some(event.inst).filter(|&inst| inst != u32::MAX), step, info, operands, lines }
    }

    /// What stands in a value hole.
    fn value(&mut self, info: &Info, hole: Hole, base: u32, filling: &mut Filling) -> String {
        let kind = info.operands[usize::from(hole.operand)].kind;
        let at = base.wrapping_add(u32::from(hole.offset));
        let value = self.read(at, hole.patch.size());
        match kind {
            Kind::Rel8 | Kind::Rel32 | Kind::Lit => {
                let target = (i64::from(at) - i64::from(hole.addend) + value) as u32;
                let text = if kind == Kind::Lit { self.datum(info, target, base) } else { self.label(target) };
                let address = i64::from(target) - i64::from(self.entry);
                filling.symbols.push((address as u64, text.clone(), hole.operand));
                text
            }
            Kind::Data => {
                let found = self.image.relocations.binary_search_by_key(&at, |relocation| relocation.offset);
                found.map_or_else(|_| "?".to_owned(), |found| self.symbol(self.image.relocations[found].symbol))
            }
            _ => {
                filling.numbers.push((hole.operand, value as u64, None));
                match kind {
                    Kind::Slot8 | Kind::Slot32 if self.in_entry => format!("frame {value:#x}"),
                    Kind::Slot8 | Kind::Slot32 => place::slot(&self.frame, self.arg_copies(), value),
                    Kind::Uimm32 => (value as u32).to_string(),
                    _ => value.to_string(),
                }
            }
        }
    }

    fn symbol(&self, symbol: Symbol) -> String {
        place::symbol(self.module, symbol)
    }

    fn arg_copies(&self) -> u32 {
        let body = self.verified.body(self.index as u32);
        if body.has_arg && !body.signature.variadic { body.signature.params.len() as u32 } else { 0 }
    }

    fn read(&self, at: u32, size: usize) -> i64 {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.image.code[at as usize..at as usize + size]);
        let unused = 64 - 8 * size as u32;
        i64::from_le_bytes(bytes) << unused >> unused
    }

    fn label(&self, target: u32) -> String {
        let known = self.labels.get(&target).cloned();
        known.unwrap_or_else(|| format!("{:#x}", target.wrapping_sub(self.entry)))
    }

    /// The name of something behind the code, which is kept for the end of the listing.
    fn datum(&mut self, info: &Info, target: u32, base: u32) -> String {
        if info.name == "switch" {
            let count = info.holes.iter().find(|hole| info.operands[usize::from(hole.operand)].kind == Kind::Imm32);
            let count = count.map_or(0, |hole| self.read(base.wrapping_add(u32::from(hole.offset)), 4));
            for case in 0..count as u32 {
                let entry = target + 4 * case;
                let text = self.label((i64::from(target) + self.read(entry, 4)) as u32);
                self.data.insert(entry, (4, format!("{case} → {text}")));
            }
            return "jump table".to_owned();
        }
        let text = place::literal(info.name, self.read(target, 8) as u64);
        self.data.insert(target, (8, text.clone()));
        text
    }

    fn data(&self) -> Vec<Datum> {
        let datum = |(&at, (size, text)): (&u32, &(usize, String))| Datum {
            offset: at - self.entry,
            bytes: self.image.code[at as usize..at as usize + size].to_vec(),
            text: text.clone(),
        };
        self.data.iter().map(datum).collect()
    }
}

/// What the disassembly calls the values of a snippet.
struct Filling {
    numbers: Vec<(u8, u64, Option<String>)>,
    symbols: Vec<(u64, String, u8)>,
}

/// Fills a hole that the instance will fill with a distance that can be told from others, and gives the address.
fn pretend(hole_bytes: &mut [u8], at: u32, hole: Hole, entry: u32) -> u64 {
    let fake = 0x2000_0000 + i64::from(at);
    let distance = fake - i64::from(at) + i64::from(hole.addend);
    hole_bytes.copy_from_slice(&(distance as i32).to_le_bytes());
    (fake - i64::from(entry)) as u64
}

fn registers_names(set: u32) -> Vec<&'static str> {
    registers(set).map(|number| place::register(Kind::Gp, number)).collect()
}

impl Copied {
    /// The two instructions that it stands for, if it does.
    #[must_use]
    pub fn fused(&self) -> Option<Fused> {
        let fusion = self.info.fusion.filter(|fusion| fusion.second.is_some())?;
        self.inst.map(|inst| Fused { inst, fusion })
    }

    /// Where it starts, from the start of the function.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.lines.first().map_or(0, |line| line.offset)
    }

    /// What its template asks for without having an operand for it: constants, by the names of the sources.
    pub fn constants(&self) -> impl Iterator<Item = (&'static str, String)> {
        let when = self.info.fusion.map_or([When::Any; MAX_REGS], |fusion| fusion.when);
        let known = SOURCES.into_iter().zip(when);
        known.filter_map(|(name, when)| if let When::Is(value) = when { Some((name, value.to_string())) } else { None })
    }

    /// Its bytes.
    pub fn bytes(&self) -> impl Iterator<Item = Byte> {
        self.lines.iter().flat_map(|line| line.bytes.iter().copied())
    }
}
