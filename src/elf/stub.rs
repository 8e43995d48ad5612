//! What runs before and after a program for each module in it: tells the runtime of the module.
//!
//! Comes in: the snippet library. Goes out: code with two holes. What must hold: it is made of snippets like all code.

use crate::isa::part::Part;
use crate::isa::snippet::{Kind, MAX_REGS};
use crate::library::Library;
use crate::library::builtin::ARGS;

/// A function that passes the descriptor to another.
pub struct Stub {
    /// Its code.
    pub code: Vec<u8>,
    /// The hole for the distance to the descriptor, and what is added to it.
    pub descriptor: (u64, i64),
    /// The same for the function.
    pub function: (u64, i64),
}

/// Makes the stub.
pub fn stub(library: &Library) -> Stub {
    let mut made = Stub { code: Vec::new(), descriptor: (0, 0), function: (0, 0) };
    for part in [Part::Landing, Part::Context, Part::EntryJump] {
        let chunk = library.part(part);
        let mut regs = [0; MAX_REGS];
        regs[0] = ARGS[0];
        let base = made.code.len() as u64;
        made.code.extend(library.bytes(chunk, regs));
        let contract = library.contract(chunk);
        for hole in contract.holes() {
            let place = (base + u64::from(hole.offset), i64::from(hole.addend));
            match contract.kind(hole) {
                Kind::Data => made.descriptor = place,
                _ => made.function = place,
            }
        }
    }
    made
}
