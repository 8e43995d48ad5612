//! Writing values into holes.
//!
//! Comes in: code, the place of a hole and a value. Goes out: patched code, or the reason why the value does not fit.
//! What must hold: no value is ever cut off.

use super::snippet::Patch;

/// A value that its hole cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The value.
    pub value: i64,
    /// The hole's kind.
    pub patch: Patch,
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the value {} does not fit a hole of {} bytes", self.value, self.patch.size())
    }
}

impl std::error::Error for OutOfRange {}

/// Writes `value` into the hole of kind `patch` that starts at `at`. For relative holes the value is already the
/// distance that the instruction takes.
///
/// # Errors
/// Where the value does not fit.
///
/// # Panics
/// If the hole does not lie inside of `code`.
pub fn patch(code: &mut [u8], at: usize, patch: Patch, value: i64) -> Result<(), OutOfRange> {
    let fits = match patch {
        Patch::Abs8 | Patch::Rel8 => i8::try_from(value).is_ok(),
        Patch::Abs32S | Patch::Rel32 => i32::try_from(value).is_ok(),
        Patch::Abs32 => u32::try_from(value).is_ok(),
        Patch::Abs64 => true,
    };
    if !fits {
        return Err(OutOfRange { value, patch });
    }
    code[at..at + patch.size()].copy_from_slice(&value.to_le_bytes()[..patch.size()]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_edges_of_each_range_and_nothing_beyond() {
        let edges = [
            (Patch::Abs8, -128, 127),
            (Patch::Rel8, -128, 127),
            (Patch::Abs32S, i64::from(i32::MIN), i64::from(i32::MAX)),
            (Patch::Rel32, i64::from(i32::MIN), i64::from(i32::MAX)),
            (Patch::Abs32, 0, i64::from(u32::MAX)),
        ];
        for (kind, low, high) in edges {
            for value in [low, high] {
                let mut code = [0xaa; 10];
                assert_eq!(patch(&mut code, 1, kind, value), Ok(()));
                assert_eq!(code[1..=kind.size()], value.to_le_bytes()[..kind.size()]);
                assert!(code[0] == 0xaa && code[1 + kind.size()..].iter().all(|&byte| byte == 0xaa));
            }
            for value in [low - 1, high + 1] {
                let mut code = [0xaa; 10];
                assert_eq!(patch(&mut code, 1, kind, value), Err(OutOfRange { value, patch: kind }));
                assert_eq!(code, [0xaa; 10]);
            }
        }
        let mut code = [0; 8];
        assert_eq!(patch(&mut code, 0, Patch::Abs64, -2), Ok(()));
        assert_eq!(code, (-2i64).to_le_bytes());
    }
}
