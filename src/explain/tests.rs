//! Listings of programs, complete and true.

use super::holes::Mark;
use super::ink::Pen;
use super::{Listing, features};
use crate::generate;
use crate::isa::op::Shape;
use crate::isa::snippet::{Kind, Role};
use crate::library::Library;
use crate::stitch::Stitcher;
use crate::stitch::trace::Step;
use crate::verified::Verified;
use crate::verify::verify;

fn random(seed: u64) -> Verified {
    let mut state = seed;
    let made = generate::program(&mut || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 27
    });
    verify(made.module).unwrap()
}

fn listing(text: &str) -> Listing {
    let verified = verify(crate::text::parse("t", text).unwrap()).unwrap();
    Listing::new(&verified, &Library::with_features(features("x86-64").unwrap()), |_| true).unwrap()
}

#[test]
fn random_programs_are_listed_whole() {
    for seed in 0..60 {
        let verified = random(seed);
        for cpu in ["x86-64", "x86-64-v3"] {
            let library = Library::with_features(features(cpu).unwrap());
            let image = Stitcher::new(&library).stitch(&verified).unwrap();
            let listing = Listing::new(&verified, &library, |_| true).unwrap();
            for (function, made) in listing.functions.iter().zip(&image.functions) {
                let code = &image.code[made.entry as usize..made.end as usize];
                let mut at = 0;
                for line in function.copied.iter().flat_map(|copied| &copied.lines) {
                    assert_eq!(line.offset as usize, at, "seed {seed}: no gaps");
                    assert_ne!(line.text(), "(no instruction)", "seed {seed} at {at}");
                    for byte in &line.bytes {
                        assert!(byte.value.is_none_or(|value| value == code[at]), "seed {seed} at {at}");
                        at += 1;
                    }
                }
                // What is left are constants and padding.
                assert!(code.len() - at <= function.totals.data + 8, "seed {seed}");
            }
            for coloured in [false, true] {
                let text = listing.text(&crate::text::print(verified.module()), Pen { coloured });
                assert_eq!(text.contains('\x1b'), coloured);
            }
        }
    }
}

#[test]
fn places_are_those_of_the_code() {
    let mut compared = 0;
    for seed in 0..120 {
        let verified = random(seed);
        let (_, trace) = Stitcher::new(Library::native()).stitch_traced(&verified).unwrap();
        for function in 0..verified.module().functions.len() {
            let placed = &trace.places[function];
            let end = trace.functions.get(function + 1).copied().unwrap_or(trace.events.len());
            for event in &trace.events[trace.functions[function]..end] {
                let info = Library::native().info(event.chunk);
                let Some(inst) = verified.body(function as u32).insts.get(event.inst as usize) else { continue };
                let written = placed.iter().find(|placed| placed.inst == event.inst && placed.var == inst.d);
                let Some(register) = written.and_then(|placed| placed.place.as_register()) else { continue };
                let first = info
                    .operands
                    .first()
                    .filter(|operand| operand.name == "d" && operand.kind.is_register() && operand.role != Role::In);
                if let (Some(operand), Step::Body, true) = (first, event.glue, info.name == inst.op.row().name()) {
                    let vector = if operand.kind == Kind::Xmm { 16 } else { 0 };
                    let scratch = [0, 1, 2, 13 + 16, 14 + 16, 15 + 16].contains(&(event.regs[0] + vector));
                    assert!(scratch || event.regs[0] + vector == register, "seed {seed}: {inst:?}");
                    compared += usize::from(!scratch);
                }
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn what_stands_in_a_hole_is_named() {
    let listing = listing(
        "global g i64 = 1\nfunc f(i64) -> i64\n const r2, 300\nagain: add a1, a1, r2\n gget r1, g\n jmpt r1, again\n ret a1",
    );
    let function = &listing.functions[0];
    let found = |name: &str| function.copied.iter().find(|copied| copied.info.name == name).unwrap();
    let text = |name: &str, operand: usize| found(name).operands[operand].text.clone();
    assert_eq!(text("add.i64", found("add.i64").operands.len() - 1), "300");
    assert_eq!(text("gget.i64", 1), "g");
    assert!(found("gget.i64").lines[0].text().contains("[g]"), "{}", found("gget.i64").lines[0].text());
    assert!(found("gget.i64").bytes().any(|byte| byte.value.is_none()));
    let branch = found("jmpt");
    assert_eq!(branch.operands.last().unwrap().text, "again");
    assert!(branch.lines.last().unwrap().text().ends_with("again"));
    assert!(branch.bytes().any(|byte| matches!(byte.mark, Mark::Register(_))));
    assert_eq!(function.registers.iter().find(|(name, _)| name == "r2").unwrap().1, ["= 300"]);
    assert_eq!(function.silent[0], Some("folded into what reads it"));
}

#[test]
fn strips_show_what_is_still_needed_and_where() {
    let text = "func f(i64, i64) -> i64\n    const r1, 1\nnext:\n    mul r2, a1, a1\n    add r3, r3, r2\n    add a1, a1, r1\n    \
                leq r5, a1, a2\n    jmpt r5, next\n    ret r3\n";
    let verified = verify(crate::text::parse("t", text).unwrap()).unwrap();
    let library = Library::with_features(features("x86-64").unwrap());
    let listing = Listing::with_strips(&verified, &library, |_| true).unwrap();
    let strip = &listing.functions[0].strip;
    let at = |inst: usize| {
        let mut row: Vec<_> =
            strip.rows[inst].iter().map(|&(lane, var)| (&*strip.names[var as usize], &*strip.lanes[lane])).collect();
        row.sort_unstable();
        row
    };
    // r1 is a constant, and r5 the flags: neither is in a register.
    assert_eq!(at(0), [("a1", "rdi"), ("a2", "rsi"), ("r3", "r8")]);
    assert_eq!(at(1).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a1", "a2", "r2", "r3"]);
    assert_eq!(at(4), at(5));
    assert_eq!(at(6), [("r3", "r8")]);
}

#[test]
fn no_two_values_share_a_place() {
    for seed in 0..40 {
        let verified = random(seed);
        let listing = Listing::with_strips(&verified, Library::native(), |_| true).unwrap();
        for function in &listing.functions {
            let body = verified.body(function.index);
            for (inst, row) in function.strip.rows.iter().enumerate() {
                // Where a value ends, another may begin: both are in this row, and one of them in no neighbour.
                let next = function.strip.rows.get(inst + 1);
                // One that the next instruction writes does not go on: it is another value.
                let renewed = |var: u32| body.insts.get(inst + 1).is_some_and(|next| next.d == var);
                let stays = |var: u32| next.is_some_and(|next| next.iter().any(|&(_, other)| other == var));
                let goes_on = |var: u32| stays(var) && !renewed(var);
                let twice =
                    row.iter().enumerate().flat_map(|(nth, one)| row[nth + 1..].iter().map(move |two| (one, two)));
                let apart =
                    twice.filter(|(one, two)| one.0 == two.0).all(|(one, two)| !goes_on(one.1) || !goes_on(two.1));
                let ends = matches!(body.insts[inst].op.row().shape, Shape::Jump | Shape::Branch | Shape::Switch);
                let begun = apart || ends;
                assert!(begun, "seed {seed}, {}, instruction {inst}: {row:?}", function.name);
            }
        }
    }
}

#[test]
fn pages_are_whole_and_need_nothing_else() {
    let source = "func \"<b>&\"(i64) -> i64 # \"quoted\" <i>\n    add r1, a1, 5\n    ret r1\n";
    let source = source.replace("a1, 5", "a1, a1");
    let verified = verify(crate::text::parse("t", &source).unwrap()).unwrap();
    let listing = Listing::with_strips(&verified, Library::native(), |_| true).unwrap();
    let page = listing.html("<t>", &source);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    for outside in ["<b>&\"", "http:", "https:", "src=", "@import", "<i>\n"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;b&gt;&amp;") && page.contains("<title>&lt;t&gt;: machine code</title>"));
    // Every byte of the code is on it, and every tag that is opened is closed.
    for tag in ["div", "span", "code", "tt", "section", "u"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let code = page.split("class=\"code\"").skip(1);
    let bytes: usize = code.map(|part| part.split("class=\"strip\"").next().unwrap_or("").matches("<i").count()).sum();
    assert_eq!(bytes, listing.functions[0].totals.bytes);
}

#[test]
fn what_modules_share_is_listed_by_name() {
    let text = "import \"env\" \"log\" func log(i64) -> i64\nimport \"env\" \"level\" global level i64\nmemory 1\ntable g funcref 4\n\
                export \"f\" func f\nfunc f(i64) -> i64\n    gget r1, level\n    call r2, log, r1\n    calli r2, g, r2, (i64) -> i64, a1\n\
                \x20   tset g, a1, r1\n    ret r2\n";
    let listing = listing(text);
    let shown = listing.text(text, Pen { coloured: false });
    let wanted = ["d=rcx t=level", "t=log", "a=r15 t=g", "[(i64) -> i64]", "d=r15 t=memory", "entry for other modules"];
    for wanted in wanted {
        assert!(shown.contains(wanted), "`{wanted}` is not in\n{shown}");
    }
    assert_eq!(listing.functions[0].crossing.len(), 3);
    assert!(listing.json().contains("\"crossing\""));
}
