//! One frame's registers, as the loop reaches them.

/// The registers of the function being executed.
pub(super) struct Registers<'r>(&'r mut [u64]);

impl<'r> Registers<'r> {
    pub(super) fn new(registers: &'r mut [u64]) -> Registers<'r> {
        Registers(registers)
    }

    #[inline(always)]
    pub(super) fn get(&self, var: u32) -> u64 {
        self.0[var as usize]
    }

    #[inline(always)]
    pub(super) fn set(&mut self, var: u32, bits: u64) {
        self.0[var as usize] = bits;
    }
}
