//! The checker finds damage: stitched code that was right is changed in one place, and the checker must say so.
//!
//! Changes that do no harm are told apart by [`live`], which walks the other way: from what is read back to what was
//! written. Exactly these are excused:
//!
//! * changes to code that control never reaches;
//! * a value that is not carried, or carried elsewhere, where nobody reads the places concerned afterwards;
//! * a value that is not carried to, or read from, another place that holds the same value;
//! * the place of the arguments for `arg`, where the same arguments stand in a row elsewhere, or there are none.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "images are small, and random numbers are cut as needed"
)]

mod live;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use live::{Effect, Half as Part, Halves, Live, Place, halves, place};
use spasm::check::decode::{Decoded, Operand, Step, decode};
use spasm::check::flow::Walked;
use spasm::check::state::{Half, Name, State, Word};
use spasm::check::{Defect, replay, states};
use spasm::generate;
use spasm::isa::op::Type;
use spasm::isa::snippet::{Features, Hole, Info, Kind, Patch, Role};
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::stitch::image::{Image, SiteMeaning, Symbol};
use spasm::stitch::trace::Trace;
use spasm::verified::Verified;
use spasm::verify::verify;

/// A function that was found right, and everything that was learned of it.
struct Case<'a> {
    verified: &'a Verified,
    library: &'a Library,
    image: &'a Image,
    trace: &'a Trace,
    decoded: Decoded,
    walked: Walked,
    /// What is read behind each step.
    behind: Vec<Halves>,
}

/// What was done, whether it does harm, and what the checker says.
struct Mutant {
    what: String,
    harmless: bool,
    verdict: Result<Walked, Defect>,
}

struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len())].clone()) }
    }
}

/// The word at a place.
fn word(state: &State, place: Place) -> Option<Word> {
    match place {
        Place::Register(number) => Some(state.regs[usize::from(number)]),
        Place::Word(at) if at <= 0 => state.own.get((-at / 8) as usize).copied(),
        Place::Word(at) => state.caller.get((at / 8 - 1) as usize).copied(),
    }
}

fn half(state: &State, (place, upper): Part) -> Half {
    word(state, place).map_or(Half::Unknown, |word| if upper { word.hi } else { word.lo })
}

/// What a step makes of nothing.
fn made(image: &Image, step: &Step, upper: bool) -> Half {
    let literal = |at: u32| image.code[at as usize..].first_chunk().copied().map_or(0, u64::from_le_bytes);
    let bits = match (step.info.name, step.named("a").map(|index| step.operands[index])) {
        ("context", _) => return Half::Named(Name::Context, upper),
        ("const.f32", Some(Operand::Literal(at))) => literal(at) & 0xffff_ffff,
        ("const.f64", Some(Operand::Literal(at))) => literal(at),
        ("const.i32" | "const.i64", Some(Operand::Constant(bits))) => bits,
        _ => 0,
    };
    Half::Const(if upper { (bits >> 32) as u32 } else { bits as u32 })
}

impl Case<'_> {
    fn live<'s>(&'s self, decoded: &'s Decoded) -> Live<'s> {
        Live { verified: self.verified, library: self.library, decoded, depths: &self.walked.depths }
    }

    /// Whether `decoded`, which differs in `step` only, leaves everything that is read later as it was.
    fn same_behind(&self, decoded: &Decoded, step: usize) -> bool {
        let Some(state) = &self.walked.states[step] else { return true };
        let (before, after) = (self.live(&self.decoded).effect(step), self.live(decoded).effect(step));
        let behind = &self.behind[step];
        match (before, after) {
            (Effect::Carries(before), Effect::Carries(after)) => {
                let value = |moves: &[(Part, Option<Part>)], step: &Step, part: Part| {
                    let from = moves.iter().find(|(to, _)| *to == part).map(|&(_, from)| from);
                    match from {
                        None => (half(state, part), Some(part)),
                        Some(Some(from)) => (half(state, from), Some(from)),
                        Some(None) => (made(self.image, step, part.1), None),
                    }
                };
                behind.iter().all(|&part| {
                    let (one, place) = value(&before, &self.decoded.steps[step], part);
                    let (two, other) = value(&after, &decoded.steps[step], part);
                    place == other && place.is_some() || one == two && one != Half::Unknown
                })
            }
            _ => false,
        }
    }

    /// Whether operand `number` of an acting step may as well be `other`.
    fn same_operand(&self, step: usize, number: usize, other: Operand) -> bool {
        let Some(state) = &self.walked.states[step] else { return true };
        let depth = self.walked.depths[step].unwrap_or(0);
        let old = &self.decoded.steps[step];
        let (Some(one), Some(two)) = (place(old.operands[number], depth), place(other, depth)) else { return false };
        let declared = &old.info.operands[number];
        let Effect::Acts { reads, .. } = self.live(&self.decoded).effect(step) else { return false };
        let read: Vec<bool> = [false, true].into_iter().filter(|&upper| reads.contains(&(one, upper))).collect();
        let equal = read.into_iter().all(|upper| {
            half(state, (one, upper)) == half(state, (two, upper)) && half(state, (one, upper)) != Half::Unknown
        });
        let unread =
            [one, two].iter().flat_map(|&p| halves(p, Type::I64)).all(|part| !self.behind[step].contains(&part));
        match declared.role {
            Role::In => equal,
            Role::InOut => equal && unread,
            _ => unread,
        }
    }

    fn judge(&self, image: &Image, trace: &Trace) -> Result<Walked, Defect> {
        let decoded = decode(self.verified, image, trace, self.library, self.decoded.function)?;
        replay(self.verified, image, self.library, &decoded)
    }

    /// Steps that control reaches and that `wanted` holds for.
    fn steps(&self, wanted: impl Fn(&Step) -> bool) -> Vec<usize> {
        let all = 0..self.decoded.steps.len();
        all.filter(|&n| self.walked.depths[n].is_some() && wanted(&self.decoded.steps[n])).collect()
    }

    fn hole(&self, step: usize, operand: usize) -> (Hole, usize) {
        let step = &self.decoded.steps[step];
        let hole = step.info.holes.iter().find(|hole| usize::from(hole.operand) == operand).expect("a hole");
        (*hole, (step.base.wrapping_add(u32::from(hole.offset))) as usize)
    }

    fn carries(&self, step: usize) -> bool {
        matches!(self.live(&self.decoded).effect(step), Effect::Carries(_))
    }

    /// A register operand of a snippet is another one.
    fn another_register(&self, n: &mut Numbers) -> Option<Mutant> {
        let step = n.pick(&self.steps(|step| step.info.operands.iter().any(|o| o.kind.is_register())))?;
        let old = &self.decoded.steps[step];
        let registers: Vec<usize> =
            (0..old.operands.len()).filter(|&i| old.info.operands[i].kind.is_register()).collect();
        let nth = n.below(registers.len());
        let (operand, declared) = (registers[nth], &old.info.operands[registers[nth]]);
        let mut trace = self.trace.clone();
        let event = &mut trace.events[old.event];
        let others: Vec<u8> = (0..16).filter(|&r| declared.allowed >> r & 1 != 0 && r != event.regs[nth]).collect();
        event.regs[nth] = n.pick(&others)?;
        let (chunk, regs) = (event.chunk, event.regs);
        let image = self.encoded(step, chunk, regs)?;
        let other = Operand::Register(regs[nth] + if declared.kind == Kind::Xmm { 16 } else { 0 });
        let harmless = self.harmless_operand(step, operand, other);
        Some(Mutant {
            what: format!("operand `{}` of event {} becomes {other:?}", declared.name, old.event),
            harmless,
            verdict: self.judge(&image, &trace),
        })
    }

    fn harmless_operand(&self, step: usize, operand: usize, other: Operand) -> bool {
        if !self.carries(step) {
            return self.same_operand(step, operand, other);
        }
        let mut decoded = self.decoded.clone();
        decoded.steps[step].operands[operand] = other;
        self.same_behind(&decoded, step)
    }

    /// The image with a step copied for other registers; none where it would have another length.
    fn encoded(&self, step: usize, chunk: u16, regs: [u8; 3]) -> Option<Image> {
        let step = &self.decoded.steps[step];
        let mut bytes = self.library.bytes(chunk, regs);
        let rex = usize::from(self.library.chunks()[usize::from(chunk)].head.rex);
        let mut image = self.image.clone();
        for hole in step.info.holes {
            let at = step.base.wrapping_add(u32::from(hole.offset)) as usize;
            let size = hole.patch.size();
            bytes[usize::from(hole.offset)..][..size].copy_from_slice(&self.image.code[at..at + size]);
        }
        if bytes.get(rex) == Some(&0x40) {
            bytes.remove(rex);
        }
        let code = &mut image.code[step.start as usize..step.end as usize];
        if code.len() != bytes.len() {
            return None;
        }
        code.copy_from_slice(&bytes);
        Some(image)
    }

    /// A snippet that carries something is not there.
    fn nothing_carried(&self, n: &mut Numbers, around_calls: bool) -> Option<Mutant> {
        let body = self.verified.body(self.decoded.function as u32);
        let at_call = |step: &Step| {
            body.insts.get(step.inst as usize).is_some_and(|inst| spasm::stitch::operands::is_call(inst.op))
        };
        let carrying: Vec<usize> =
            self.steps(|step| !around_calls || at_call(step)).into_iter().filter(|&step| self.carries(step)).collect();
        let step = n.pick(&carrying)?;
        let mut decoded = self.decoded.clone();
        let is_copy =
            |info: &&Info| info.name == "move.i64" && info.operands.iter().all(|operand| operand.kind == Kind::Gp);
        let missing = &mut decoded.steps[step];
        let what = format!("event {} (`{}`) is left out", missing.event, missing.info.name);
        let framing = missing.info.name.starts_with("frame.");
        // A copy of a register to itself stands for nothing at all.
        missing.info = self.library.infos().iter().find(is_copy).expect("a copy");
        missing.operands = vec![Operand::Register(0); 2];
        let harmless = !framing && self.same_behind(&decoded, step);
        Some(Mutant { what, harmless, verdict: replay(self.verified, self.image, self.library, &decoded) })
    }

    /// The distance of a frame word is another.
    fn another_word(&self, n: &mut Numbers) -> Option<Mutant> {
        let is_slot = |operand: &Operand| matches!(operand, Operand::Slot(_));
        let step = n.pick(&self.steps(|step| step.operands.iter().any(is_slot)))?;
        let old = &self.decoded.steps[step];
        let operand = old.operands.iter().position(is_slot)?;
        let Operand::Slot(distance) = old.operands[operand] else { return None };
        let (hole, at) = self.hole(step, operand);
        let other = 8 * (n.below(12) as i64) + i64::from(n.below(4) == 0);
        if other == distance || hole.patch == Patch::Abs8 && i8::try_from(other).is_err() {
            return None;
        }
        let mut image = self.image.clone();
        let size = hole.patch.size();
        image.code[at..at + size].copy_from_slice(&other.to_le_bytes()[..size]);
        let what = format!("event {} (`{}`) uses [rsp+{other}], not [rsp+{distance}]", old.event, old.info.name);
        let declared = &old.info.operands[operand];
        let harmless = match declared.name {
            "o" => self.same_arguments(step, other - distance),
            _ => other % 8 == 0 && self.harmless_operand(step, operand, Operand::Slot(other)),
        };
        Some(Mutant { what, harmless, verdict: self.judge(&image, self.trace) })
    }

    /// Whether the same arguments stand `further` bytes further up.
    fn same_arguments(&self, step: usize, further: i64) -> bool {
        let Some(state) = &self.walked.states[step] else { return true };
        let signature = &self.verified.body(self.decoded.function as u32).signature;
        let mut words = self.live(&self.decoded).arguments(step).into_iter();
        let same = words.all(|(place, upper)| {
            let Place::Word(at) = place else { return false };
            let one = half(state, (place, upper));
            one == half(state, (Place::Word(at + further), upper)) && one != Half::Unknown
        });
        same && !signature.variadic && (further % 8 == 0 || signature.params.is_empty())
    }

    /// A jump or a call leads elsewhere.
    fn another_target(&self, n: &mut Numbers) -> Option<Mutant> {
        let is_code = |operand: &Operand| matches!(operand, Operand::Code(_));
        let step = n.pick(&self.steps(|step| step.operands.iter().any(is_code)))?;
        let old = &self.decoded.steps[step];
        let operand = old.operands.iter().position(is_code)?;
        let Operand::Code(target) = old.operands[operand] else { return None };
        let (hole, at) = self.hole(step, operand);
        let entries = self.image.functions.iter().map(|function| function.entry);
        let starts: Vec<u32> = self.decoded.steps.iter().map(|step| step.start).chain(entries).collect();
        let other = n.pick(&starts)?;
        let distance = i64::from(other) - at as i64 + i64::from(hole.addend);
        if other == target || hole.patch == Patch::Rel8 && i8::try_from(distance).is_err() {
            return None;
        }
        let mut image = self.image.clone();
        let size = hole.patch.size();
        image.code[at..at + size].copy_from_slice(&distance.to_le_bytes()[..size]);
        let what = format!("event {} (`{}`) leads to {other:#x}, not {target:#x}", old.event, old.info.name);
        Some(Mutant { what, harmless: false, verdict: self.judge(&image, self.trace) })
    }

    /// One bit of a constant is another.
    fn another_constant(&self, n: &mut Numbers) -> Option<Mutant> {
        let is_constant = |operand: &Operand| matches!(operand, Operand::Constant(_) | Operand::Literal(_));
        let step = n.pick(&self.steps(|step| step.operands.iter().any(is_constant)))?;
        let old = &self.decoded.steps[step];
        let operand = old.operands.iter().position(is_constant)?;
        let (at, users) = match old.operands[operand] {
            Operand::Literal(at) => (at as usize, self.steps(|step| step.operands.contains(&Operand::Literal(at)))),
            _ => (self.hole(step, operand).1, vec![step]),
        };
        let mut image = self.image.clone();
        image.code[at] ^= 1;
        let unread = |&user: &usize| {
            let Effect::Carries(moves) = self.live(&self.decoded).effect(user) else { return false };
            let framing = self.decoded.steps[user].info.name.starts_with("frame.");
            !framing && moves.iter().all(|(to, _)| to.1 || !self.behind[user].contains(to))
        };
        let harmless = users.iter().all(unread);
        let what = format!("the constant of event {} (`{}`), at {at:#x}, is another", old.event, old.info.name);
        Some(Mutant { what, harmless, verdict: self.judge(&image, self.trace) })
    }

    /// A bit of an instruction outside all holes is another.
    fn another_instruction(&self, n: &mut Numbers) -> Option<Mutant> {
        let steps: Vec<&Step> = self.decoded.steps.iter().chain(&self.decoded.cold).collect();
        let step = n.pick(&steps)?;
        let at = step.start + n.below((step.end - step.start) as usize) as u32;
        let in_hole = |hole: &Hole| {
            let start = step.base.wrapping_add(u32::from(hole.offset));
            (start..start + hole.patch.size() as u32).contains(&at)
        };
        if step.info.holes.iter().any(in_hole) {
            return None;
        }
        let mut image = self.image.clone();
        image.code[at as usize] ^= 1 << n.below(8);
        let what = format!("the byte at {at:#x} is another");
        Some(Mutant { what, harmless: false, verdict: self.judge(&image, self.trace) })
    }

    /// A row of one of the image's tables is gone or another.
    fn another_table(&self, n: &mut Numbers) -> Option<Mutant> {
        let mut image = self.image.clone();
        let bounds = &self.image.functions[self.decoded.function];
        let inside = |offset: u32| (bounds.entry..bounds.end).contains(&offset);
        let rows = |offsets: Vec<u32>| (0..offsets.len()).filter(|&i| inside(offsets[i])).collect::<Vec<_>>();
        let sites = rows(image.sites.iter().map(|site| site.offset).collect());
        let references = rows(image.relocations.iter().map(|reference| reference.offset).collect());
        let what = match n.below(8) {
            0 => {
                let row = n.pick(&sites)?;
                format!("{:?} is gone", image.sites.remove(row))
            }
            1 => {
                let row = n.pick(&sites)?;
                image.sites[row].offset += 1;
                format!("{:?} is one too far", image.sites[row])
            }
            2 => {
                let row = n.pick(&sites)?;
                let meaning = &mut image.sites[row].meaning;
                *meaning = match *meaning {
                    SiteMeaning::Divide { register, bits } => SiteMeaning::Divide { register: register ^ 1, bits },
                    SiteMeaning::Halt => SiteMeaning::Divide { register: 0, bits: 64 },
                    SiteMeaning::Trap(_) => SiteMeaning::Halt,
                };
                format!("{:?} means something else", image.sites[row])
            }
            3 => {
                let row = n.pick(&references)?;
                format!("{:?} is gone", image.relocations.remove(row))
            }
            4 => {
                let row = n.pick(&references)?;
                let reference = &mut image.relocations[row];
                reference.symbol = match reference.symbol {
                    Symbol::Global(index) => Symbol::Global(index + 1),
                    Symbol::Pages => Symbol::Context,
                    _ => Symbol::Pages,
                };
                format!("{reference:?} is to something else")
            }
            5 => {
                let row = n.pick(&references)?;
                image.relocations[row].addend += 4;
                format!("{:?} is to somewhere else", image.relocations[row])
            }
            6 => {
                let steps = self.steps(|_| true);
                let step = &self.decoded.steps[n.pick(&steps)?];
                let row = image.unwind.iter().rposition(|row| row.offset <= step.start)?;
                image.unwind[row].depth += 8;
                format!("{:?} is too deep", image.unwind[row])
            }
            _ => {
                let row = n.below(bounds.insts.len());
                let fused = |index: usize| self.decoded.of[index].clone().any(|at| self.decoded.steps[at].is_fused());
                if row > 0 && fused(row - 1) {
                    return None;
                }
                image.functions[self.decoded.function].insts[row] += 1;
                format!("instruction {row} is said to start one byte later")
            }
        };
        Some(Mutant { what, harmless: false, verdict: self.judge(&image, self.trace) })
    }
}

const KINDS: [&str; 8] = [
    "another register",
    "a value not carried",
    "a value not carried at a call",
    "another frame word",
    "another jump target",
    "another constant",
    "another instruction",
    "another row of a table",
];

fn mutant(case: &Case<'_>, kind: usize, n: &mut Numbers) -> Option<Mutant> {
    match kind {
        0 => case.another_register(n),
        1 => case.nothing_carried(n, false),
        2 => case.nothing_carried(n, true),
        3 => case.another_word(n),
        4 => case.another_target(n),
        5 => case.another_constant(n),
        6 => case.another_instruction(n),
        _ => case.another_table(n),
    }
}

/// How many mutants there were, were found, and were excused.
type Counts = BTreeMap<&'static str, [usize; 3]>;

fn mutate(seed: u64, verified: &Verified, library: &Library, n: &mut Numbers, counts: &mut Counts) {
    let (image, trace) = Stitcher::new(library).stitch_traced(verified).unwrap();
    for number in 0..image.functions.len() {
        let right = |defect: Defect| -> ! { panic!("seed {seed}: {defect}") };
        let decoded = decode(verified, &image, &trace, library, number).unwrap_or_else(|defect| right(defect));
        let walked = states(verified, &image, library, &decoded).unwrap_or_else(|defect| right(defect));
        let behind = Live { verified, library, decoded: &decoded, depths: &walked.depths }.find();
        let case = Case { verified, library, image: &image, trace: &trace, decoded, walked, behind };
        for kind in (0..KINDS.len()).flat_map(|kind| [kind; 3]) {
            let Some(made) = mutant(&case, kind, n) else { continue };
            let count = counts.entry(KINDS[kind]).or_default();
            count[0] += 1;
            match made.verdict {
                Err(defect) => {
                    let name = &verified.module().functions[number].name;
                    let text = defect.to_string();
                    assert!(text.starts_with(&format!("function `{name}`")) && !defect.message.is_empty(), "{text}");
                    count[1] += 1;
                }
                Ok(_) if made.harmless => count[2] += 1,
                Ok(_) => {
                    let text = spasm::text::print(verified.module());
                    let features = library.features().0;
                    panic!(
                        "seed {seed}, features {features:#x}, function {number}: not found: {} ({})\n{text}",
                        made.what, KINDS[kind]
                    );
                }
            }
        }
    }
}

#[test]
fn damage_is_found() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    let budget = Duration::from_secs(number("SECONDS", 8));
    let libraries = [Library::native().clone(), Library::with_features(Features(0))];
    let (start, from) = (Instant::now(), number("SEED", 0));
    let mut counts = Counts::new();
    for seed in from..from + number("COUNT", 100_000) {
        let verified = verify(generate::seeded(seed).module).unwrap();
        mutate(seed, &verified, &libraries[seed as usize % 2], &mut Numbers(!seed), &mut counts);
        if start.elapsed() > budget && seed >= from + 30 {
            break;
        }
    }
    for (kind, [made, found, excused]) in &counts {
        println!("{kind}: {made} made, {found} found, {excused} excused");
        assert!(*made > 20 && *found > made / 3, "{kind}: {made} made, {found} found");
    }
    assert_eq!(counts.len(), KINDS.len());
}
