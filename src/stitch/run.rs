//! The fast loop: runs of two-operand instructions whose operands are in registers.
//!
//! Comes in: the instructions of a block from some index on. Goes out: code for as many of them as are simple, and the
//! index of the first that is not. What must hold: it does to the byte what [`Emitter::value`] would have done; it only
//! keeps what it works with in local variables instead of asking for it anew at each instruction.
//!
//! Most instructions of most programs are of this kind, so that this loop decides what stitching costs.

use crate::isa::op::Shape;
use crate::isa::snippet::{Form, Head, form_index};
use crate::stitch::code::first_word;
use crate::stitch::emit::{Current, Emitter, number};
use crate::stitch::live::{ENDS_A, ENDS_B, HINT, NEEDLESS, SPANS, UNUSED};
use crate::stitch::locals::{class_set, pick};
use crate::stitch::operands::traits;
use crate::stitch::place::Place;

/// How many instructions are done before room for code is asked for again.
const BATCH: usize = 128;
/// More bytes than the two plain snippets of an instruction have.
const ROOM: usize = 16;

impl Emitter<'_> {
    /// Emits simple instructions from `index` up to `end` at most; says where it stopped. `places` takes where each
    /// one's code starts.
    pub(super) fn run(&mut self, mut index: usize, end: usize, places: &mut [u32]) -> usize {
        if self.code.is_tracing() {
            return index;
        }
        while index < end {
            let stop = end.min(index + BATCH);
            let after = self.batch(index, stop, places);
            if after < stop {
                return after;
            }
            index = after;
        }
        index
    }

    fn batch(&mut self, from: usize, stop: usize, places: &mut [u32]) -> usize {
        let insts = &self.body.insts[..stop];
        let notes = &self.live.notes[..stop];
        let places = &mut places[..stop];
        let (forms, chunks, scatters) = (self.library.all_forms(), self.library.chunks(), self.code.scatters());
        let moves = self.moves;
        let current = &mut self.current[..];
        let locals = &mut self.locals;
        let (out, start) = self.code.window(BATCH * ROOM);
        let mut free = locals.free;
        let mut at = 0;
        let mut index = from;
        while index < stop {
            let (inst, note) = (&insts[index], notes[index]);
            let known = traits(inst.op);
            if known.shape != Shape::Value
                || known.arity != 2
                || known.fuses()
                || note & (NEEDLESS | SPANS | UNUSED) != 0
            {
                break;
            }
            let (of_a, of_b) = (current[inst.a as usize], current[inst.b as usize]);
            let (Some(mut a), Some(mut b)) = (of_a.place.as_register(), of_b.place.as_register()) else { break };
            if (note & ENDS_A != 0 && !of_a.local) || (note & ENDS_B != 0 && !of_b.local) {
                break;
            }
            let first = u32::from(note & ENDS_A) << a;
            let second = u32::from(note & ENDS_B != 0) << b;
            let mut after = free | first | second;
            let of_d = &mut current[inst.d as usize];
            let d = if of_d.local {
                let usable = after & class_set(of_d.class);
                if usable == 0 {
                    break;
                }
                let commutes = known.commutes();
                let near = if first == 0 && commutes { second } else { first };
                let d = pick(usable, note >> HINT, near, if commutes { 0 } else { second });
                after &= !(1 << d);
                d
            } else {
                let Some(d) = of_d.place.as_register() else { break };
                d
            };
            if known.commutes() && b == d && a != d {
                std::mem::swap(&mut a, &mut b);
            }
            // Which snippet: the one that works in place, one that leaves its sources alone, or a move before the first.
            let forms = &forms[inst.op as usize];
            let tied = usize::from(forms[const { form_index(false, Form::Tied, Form::Reg) }]);
            let mut regs = [number(d), number(b), 0];
            let mut chosen = tied;
            if d != a {
                let separate = usize::from(forms[const { form_index(false, Form::Reg, Form::Reg) }]);
                if chunks[separate].head.flags & (Head::EARLY | Head::PLAIN | Head::PICKY) == Head::PLAIN {
                    chosen = separate;
                    regs = [number(d), number(a), number(b)];
                } else if separate != 0 || d == b || (d ^ a) & 16 != 0 {
                    break;
                }
            }
            let chunk = &chunks[chosen];
            if chunk.head.flags & Head::PLAIN == 0 {
                break;
            }
            places[index] = start + at as u32;
            if d != a && chosen == tied {
                let copy = &chunks[usize::from(moves[of_a.class as usize])];
                let (word, dropped) = first_word(scatters, copy, [number(d), number(a), 0]);
                out[at..at + 8].copy_from_slice(&word.to_le_bytes());
                at += usize::from(copy.head.len) - dropped;
            }
            let (word, dropped) = first_word(scatters, chunk, regs);
            out[at..at + 8].copy_from_slice(&word.to_le_bytes());
            at += usize::from(chunk.head.len) - dropped;
            if of_d.local {
                *of_d = Current { place: Place::register(d), ..*of_d };
                locals.owner[usize::from(d & 31)] = (inst.d, index as u32);
            }
            free = after;
            index += 1;
        }
        locals.free = free;
        self.code.advance(at);
        index
    }
}
