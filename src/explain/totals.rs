//! What a listing sums up.

/// Sums over a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Instructions of the program.
    pub instructions: usize,
    /// Copied snippets.
    pub snippets: usize,
    /// Those of them that are glue.
    pub glue: usize,
    /// Those of them that belong to the frame.
    pub frame: usize,
    /// Those of them that stand out of line.
    pub cold: usize,
    /// Bytes of code and data.
    pub bytes: usize,
    /// Bytes of constants and jump tables among them.
    pub data: usize,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.instructions += other.instructions;
        self.snippets += other.snippets;
        self.glue += other.glue;
        self.frame += other.frame;
        self.cold += other.cold;
        self.bytes += other.bytes;
        self.data += other.data;
    }
}
