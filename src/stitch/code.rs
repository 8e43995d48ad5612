//! The code under construction: copying snippets, and the holes that wait for an address.
//!
//! Comes in: snippets with registers and values. Goes out: bytes. What must hold: every hole is either written when
//! its snippet is copied or recorded as waiting; a hole that waits is written before the image leaves.

use crate::isa::snippet::{Chunk, Head, Spread};
use crate::isa::stored::SPREADS;
use crate::library::{Library, fill};
use crate::stitch::place::Place;
use crate::stitch::trace::{Event, Step, Trace};

/// Room that is always there behind the present position, so that a snippet can be copied in whole words: the
/// largest snippet and one word.
const SLACK: usize = 264;

/// The registers of a snippet's register operands.
pub type Regs = [u8; 3];

/// Growing code.
#[derive(Debug)]
pub struct Code {
    bytes: Vec<u8>,
    pos: usize,
    /// Before this position there is room for any snippet; 0 while there is a trace, in which every snippet is noted.
    limit: usize,
    chunks: &'static [Chunk],
    spreads: &'static [Spread; SPREADS],
    /// What was copied, where somebody wants to know.
    pub trace: Option<Trace>,
    /// Whether there is a trace: asked so often that it has a place of its own.
    tracing: bool,
}

impl Code {
    /// No code yet.
    pub fn new(library: &Library) -> Code {
        let (chunks, spreads) = (library.chunks(), library.tables().spreads);
        Code { bytes: Vec::new(), pos: 0, limit: 0, chunks, spreads, trace: None, tracing: false }
    }

    /// Forgets all code, keeping its memory.
    pub fn clear(&mut self) {
        self.pos = 0;
        self.tracing = self.trace.is_some();
        self.set_limit();
    }

    fn set_limit(&mut self) {
        self.limit = if self.tracing { 0 } else { self.bytes.len().saturating_sub(SLACK) };
    }

    /// Whether somebody wants to know what is copied.
    #[inline(always)]
    pub fn is_tracing(&self) -> bool {
        self.tracing
    }

    /// Says for which instruction and why the next snippets are copied.
    #[inline(always)]
    pub fn mark(&mut self, inst: u32, step: Step) {
        if self.tracing {
            if let Some(trace) = &mut self.trace {
                (trace.inst, trace.glue) = (inst, step);
            }
        }
    }

    /// Says where the variables are now.
    #[inline(always)]
    pub fn note_places(&mut self, places: impl ExactSizeIterator<Item = Place>) {
        if self.tracing {
            if let Some(trace) = &mut self.trace {
                trace.note(places);
            }
        }
    }

    /// Says why the next snippets are copied; gives what was said before.
    #[inline(always)]
    pub fn step(&mut self, step: Step) -> Step {
        match &mut self.trace {
            Some(trace) if self.tracing => std::mem::replace(&mut trace.glue, step),
            _ => step,
        }
    }

    /// The offset at which the next byte goes.
    #[inline(always)]
    pub fn position(&self) -> u32 {
        self.pos as u32
    }

    /// The code so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.pos]
    }

    /// The head of a snippet.
    #[inline(always)]
    pub fn head(&self, chunk: u16) -> Head {
        self.chunks[usize::from(chunk)].head
    }

    /// The narrowest snippet of the family of `chunk` that holds these values.
    #[inline(always)]
    pub fn narrowest(&self, chunk: u16, values: [i64; 2]) -> u16 {
        let head = self.head(chunk);
        let narrow = |value: i64| i64::from(value as i8) == value;
        let fits = head.flags & Head::NARROW_FIRST != 0 && narrow(values[0])
            || head.flags & Head::NARROW_SECOND != 0 && narrow(values[1]);
        if fits { chunk + head.chunks() } else { chunk }
    }

    /// Appends bytes that are no code: literals and jump tables.
    pub fn data(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.pos..self.pos + bytes.len()].copy_from_slice(bytes);
        self.pos += bytes.len();
    }

    /// Moves on to a multiple of `align`, a power of two.
    pub fn align(&mut self, align: usize) {
        let padding = self.pos.wrapping_neg() & (align - 1);
        self.reserve(padding);
        self.bytes[self.pos..self.pos + padding].fill(0);
        self.pos += padding;
    }

    #[inline(always)]
    fn reserve(&mut self, len: usize) {
        if self.pos + len + SLACK > self.bytes.len() {
            self.grow(len);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, len: usize) {
        let size = (self.bytes.len() * 2).max(self.pos + len + SLACK).max(4096);
        self.bytes.resize(size, 0);
        self.set_limit();
    }

    /// Copies a snippet and writes its first two value holes. Returns where offset 0 of the snippet came to stand for
    /// holes behind its first prefix: one less than its place if a `REX` prefix was left out.
    #[inline(always)]
    pub fn put(&mut self, chunk: u16, regs: Regs, values: [i64; 2]) -> u32 {
        if self.is_quick(chunk) { self.put_plain(chunk, regs, values[0]) } else { self.put_any(chunk, regs, values) }
    }

    /// True where [`put_plain`](Self::put_plain) does for a snippet: it is plain, there is room, and nobody watches.
    #[inline(always)]
    pub fn is_quick(&self, chunk: u16) -> bool {
        self.head(chunk).flags & Head::PLAIN != 0 && self.pos < self.limit
    }

    /// Copies a snippet of one chunk that has one value hole at most.
    #[inline(always)]
    pub fn put_plain(&mut self, chunk: u16, regs: Regs, value: i64) -> u32 {
        let first = &self.chunks[usize::from(chunk)];
        let mut word = fill(self.spreads, first, regs);
        let hole = first.head.holes[0];
        if hole != Head::NO_HOLE {
            let bits = if hole & Head::BYTE_HOLE != 0 { u64::from(value as u8) } else { u64::from(value as u32) };
            word |= bits << (8 * (hole & 7));
        }
        let from = self.pos;
        let dropped = self.first_word(word, first.head.rex);
        self.pos = from + usize::from(first.head.len) - dropped;
        (from as u32).wrapping_sub(dropped as u32)
    }

    /// Copies any snippet.
    #[inline(never)]
    pub fn put_any(&mut self, chunk: u16, regs: Regs, values: [i64; 2]) -> u32 {
        self.reserve(0);
        let first = &self.chunks[usize::from(chunk)];
        let head = first.head;
        let from = self.pos;
        let dropped = self.first_word(fill(self.spreads, first, regs), head.rex);
        let mut at = from + 8 - dropped;
        for number in 1..usize::from(head.chunks()) {
            let word = fill(self.spreads, &self.chunks[usize::from(chunk) + number], regs);
            self.bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
            at += 8;
        }
        let base = (from as u32).wrapping_sub(dropped as u32);
        self.pos = from + usize::from(head.len) - dropped;
        let [first, second] = head.holes;
        if first != Head::NO_HOLE {
            self.write(base, first, values[0]);
            if second != Head::NO_HOLE {
                self.write(base, second, values[1]);
            }
        }
        if self.tracing {
            self.record(chunk, regs, values, from as u32);
        }
        base
    }

    /// Writes a snippet's first eight bytes, without its `REX` prefix if that came out as the neutral one; says how
    /// many bytes were left out.
    #[inline(always)]
    fn first_word(&mut self, mut word: u64, rex: u8) -> usize {
        let mut dropped = 0;
        if rex != Head::NO_REX && (word >> (rex * 8)) as u8 == 0x40 {
            word = if rex == 0 { word >> 8 } else { word & 0xff | word >> 16 << 8 };
            dropped = 1;
        }
        self.bytes[self.pos..][..8].copy_from_slice(&word.to_le_bytes());
        dropped
    }

    #[inline(always)]
    fn write(&mut self, base: u32, hole: u8, value: i64) {
        let at = base.wrapping_add(u32::from(hole & Head::NO_HOLE)) as usize;
        if hole & Head::BYTE_HOLE != 0 {
            debug_assert!(i8::try_from(value).is_ok(), "{value} does not fit a byte");
            self.bytes[at] = value as u8;
        } else {
            debug_assert!(i32::try_from(value).is_ok() || u32::try_from(value).is_ok(), "{value} does not fit");
            self.bytes[at..at + 4].copy_from_slice(&(value as i32).to_le_bytes());
        }
    }

    #[cold]
    #[inline(never)]
    fn record(&mut self, chunk: u16, regs: Regs, values: [i64; 2], from: u32) {
        let to = self.position();
        if let Some(trace) = &mut self.trace {
            trace.events.push(Event { inst: trace.inst, glue: trace.glue, chunk, regs, values, start: from, end: to });
        }
    }

    /// The code, for patching.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.pos]
    }

    /// Writes the four bytes at `at`.
    #[inline(always)]
    pub fn write32(&mut self, at: u32, value: i32) {
        self.bytes[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Writes the byte at `at`.
    pub fn write8(&mut self, at: u32, value: i8) {
        self.bytes[at as usize] = value as u8;
    }

    /// Writes the eight bytes at `at`.
    pub fn write64(&mut self, at: u32, value: u64) {
        self.bytes[at as usize..at as usize + 8].copy_from_slice(&value.to_le_bytes());
    }
}
