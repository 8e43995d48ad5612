//! Damage to the glue around calls of C, and to entries for C, that the checker must find.

use spasm::check::check;
use spasm::engine::Entries;
use spasm::isa::snippet::Kind;
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::stitch::image::Image;
use spasm::stitch::trace::{Event, Trace};

use super::signatures::{Noise, verified_cases};

/// Changes an operand of a copied snippet: another register, or another number in a value hole.
fn damage(noise: &mut Noise, image: &mut Image, event: &mut Event) -> bool {
    let library = Library::native();
    let info = library.info(event.chunk);
    let registers: Vec<_> = info.operands.iter().filter(|operand| operand.kind.is_register()).collect();
    let holes: Vec<_> = info
        .holes
        .iter()
        .filter(|hole| matches!(info.operands[usize::from(hole.operand)].kind, Kind::Slot8 | Kind::Slot32))
        .collect();
    let which = noise.below(registers.len() + holes.len() + 1);
    let code = &mut image.code[event.start as usize..event.end as usize];
    if which < registers.len() {
        let other = noise.below(16) as u8;
        if event.regs[which] == other || registers[which].allowed >> other & 1 == 0 {
            return false;
        }
        let mut regs = event.regs;
        regs[which] = other;
        let bytes = library.bytes(event.chunk, regs);
        let before = library.bytes(event.chunk, event.regs);
        if bytes.len() != code.len() {
            return false;
        }
        for (at, byte) in code.iter_mut().enumerate() {
            *byte ^= bytes[at] ^ before[at];
        }
        event.regs = regs;
        return true;
    }
    let Some(hole) = holes.get(which - registers.len()) else { return false };
    let short = code.len() + 1 == library.bytes(event.chunk, event.regs).len();
    let at = usize::from(hole.offset) - usize::from(short);
    code[at] = code[at].wrapping_add(8);
    true
}

fn check_damage(entries: bool) {
    let mut noise = Noise::new(5);
    let library = Library::native();
    let (mut tried, mut found) = (0, 0);
    for verified in verified_cases(&mut noise, 40) {
        let mut stitcher = Stitcher::new(library);
        stitcher.set_entries(Entries::All);
        let (image, trace): (Image, Trace) = stitcher.stitch_traced(&verified).unwrap();
        assert!(check(&verified, &image, &trace, library).is_ok());
        let first = trace.entries[0];
        let range = if entries { first..trace.events.len() } else { 0..first };
        for index in range {
            let (mut image, mut trace) = (image.clone(), trace.clone());
            if !damage(&mut noise, &mut image, &mut trace.events[index]) {
                continue;
            }
            tried += 1;
            found += usize::from(check(&verified, &image, &trace, library).is_err());
        }
    }
    // The rest does no harm: it moves what nobody looks at, or uses a register that holds the same.
    assert!(tried > 300, "only {tried} changes were tried");
    assert!(found * 100 >= tried * 90, "{found} of {tried} changes were found");
}

#[test]
fn damage_to_calls_of_c_is_found() {
    check_damage(false);
}

#[test]
fn damage_to_entries_for_c_is_found() {
    check_damage(true);
}
