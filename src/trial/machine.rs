//! The machine under a template: all its registers and a frame, set before and read after a piece of code.
//!
//! Comes in: code, and what each register and slot holds. Goes out: what they hold afterwards. What must hold: code is
//! never writable while it can run; nothing but the code itself changes the state.

#![allow(unsafe_code, reason = "templates are run as machine code without the runtime around them")]

use memmap2::{Mmap, MmapMut};

core::arch::global_asm!(include_str!("../../asm/x86_64/test/machine.S"));

unsafe extern "C" {
    fn spasm_test_run(state: *mut State);
}

/// Bytes of the frame that slots may be in, counted from where FRAME points when the code runs.
const FRAME_SIZE: usize = 0x400;
/// Room below the frame for the return address and whatever the code pushes.
const BELOW: usize = 0x400;

/// Every register of the machine.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The general registers by their numbers; the stack pointer is set by [`Machine::run`].
    pub gp: [u64; 16],
    /// The vector registers by their numbers, low half first.
    pub xmm: [[u64; 2]; 16],
    host_stack: u64,
}

impl State {
    /// Registers full of `noise`.
    pub fn new(mut noise: impl FnMut() -> u64) -> State {
        State { gp: std::array::from_fn(|_| noise()), xmm: std::array::from_fn(|_| [noise(), noise()]), host_stack: 0 }
    }
}

/// Code that can run, with a frame for it.
pub struct Machine {
    code: Mmap,
    stack: Vec<u64>,
}

impl Machine {
    /// Makes `code` executable.
    pub fn new(code: &[u8]) -> Result<Machine, String> {
        let map = MmapMut::map_anon(code.len().max(1)).and_then(|mut map| {
            map[..code.len()].copy_from_slice(code);
            map.make_exec()
        });
        let code = map.map_err(|error| format!("memory cannot be made executable: {error}"))?;
        Ok(Machine { code, stack: vec![0; (BELOW + FRAME_SIZE) / 8] })
    }

    /// The index in the stack of the slot that the code finds at this distance from FRAME. The call that starts the code
    /// has put a return address where FRAME points, and above it stand two addresses that the harness needs.
    fn slot_index(distance: usize) -> usize {
        assert!(distance >= 24 && distance.is_multiple_of(8) && distance < FRAME_SIZE, "no slot is at {distance}");
        (BELOW + distance) / 8 - 1
    }

    /// Writes a slot.
    pub fn set_slot(&mut self, distance: usize, value: u64) {
        self.stack[Machine::slot_index(distance)] = value;
    }

    /// Reads a slot.
    pub fn slot(&self, distance: usize) -> u64 {
        self.stack[Machine::slot_index(distance)]
    }

    /// Runs the code at `offset` up to its `ret`.
    pub fn run(&mut self, offset: usize, state: &mut State) -> Result<(), String> {
        let bottom = BELOW / 8;
        self.stack[bottom] = std::ptr::from_mut(state) as u64;
        self.stack[bottom + 1] = self.code[offset..].as_ptr() as u64;
        state.gp[4] = self.stack[bottom..].as_mut_ptr() as u64;
        let before = state.gp[4];
        // SAFETY: the harness keeps the host's convention and sets every register from `state`; the code is a template's,
        // which ends in `ret`, touches memory through FRAME (inside `stack`) and through the registers in `state`, which
        // the caller points at memory of its own.
        unsafe { spasm_test_run(state) };
        if state.gp[4] == before { Ok(()) } else { Err("the stack pointer has moved".to_owned()) }
    }
}
