//! Which parts of a range are free.
//!
//! Comes in: lengths to take, ranges to give back. Goes out: where they are. What must hold: neighbouring free ranges
//! are one; what is taken is in no free range.

use std::collections::{BTreeMap, BTreeSet};

/// The free parts of `0..capacity`, in units of the owner's choice.
#[derive(Debug)]
pub struct Ranges {
    /// From here on nothing has ever been taken, or all has been given back.
    tail: u32,
    capacity: u32,
    /// Free ranges before the tail: length by start, and the same by length.
    by_start: BTreeMap<u32, u32>,
    by_len: BTreeSet<(u32, u32)>,
}

impl Ranges {
    /// All of `0..capacity` is free.
    #[must_use]
    pub fn new(capacity: u32) -> Ranges {
        Ranges { tail: 0, capacity, by_start: BTreeMap::new(), by_len: BTreeSet::new() }
    }

    /// Takes `len` units: from the shortest free range that is long enough, the first of them.
    pub fn take(&mut self, len: u32) -> Option<u32> {
        if let Some(&(found, start)) = self.by_len.range((len, 0)..).next() {
            self.remove(start, found);
            if found > len {
                self.insert(start + len, found - len);
            }
            return Some(start);
        }
        let start = self.tail;
        self.tail = start.checked_add(len).filter(|&end| end <= self.capacity)?;
        Some(start)
    }

    /// Gives a range back that was taken.
    pub fn give(&mut self, mut start: u32, mut len: u32) {
        if let Some((&before, &gap)) = self.by_start.range(..start).next_back() {
            debug_assert!(before + gap <= start, "a range is given back twice");
            if before + gap == start {
                self.remove(before, gap);
                (start, len) = (before, gap + len);
            }
        }
        if let Some(&gap) = self.by_start.get(&(start + len)) {
            self.remove(start + len, gap);
            len += gap;
        }
        if start + len == self.tail {
            self.tail = start;
        } else {
            self.insert(start, len);
        }
    }

    /// How many units are free.
    #[cfg(test)]
    #[must_use]
    pub fn free(&self) -> u32 {
        self.capacity - self.tail + self.by_start.values().sum::<u32>()
    }

    fn insert(&mut self, start: u32, len: u32) {
        self.by_start.insert(start, len);
        self.by_len.insert((len, start));
    }

    fn remove(&mut self, start: u32, len: u32) {
        self.by_start.remove(&start);
        self.by_len.remove(&(len, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_again() {
        let mut ranges = Ranges::new(10);
        let taken: Vec<u32> = (0..5).map(|_| ranges.take(2).unwrap()).collect();
        assert_eq!(taken, [0, 2, 4, 6, 8]);
        assert_eq!(ranges.take(1), None);
        for start in [4, 0, 8, 2] {
            ranges.give(start, 2);
        }
        assert_eq!(ranges.free(), 8);
        assert_eq!(ranges.take(6), Some(0));
        assert_eq!(ranges.take(3), None);
        assert_eq!(ranges.take(2), Some(8));
    }

    #[test]
    fn the_shortest_range_that_fits_is_used() {
        let mut ranges = Ranges::new(100);
        let starts: Vec<u32> = [8, 1, 3, 1, 5, 1].map(|len| ranges.take(len).unwrap()).into();
        for (start, len) in [(starts[0], 8), (starts[2], 3), (starts[4], 5)] {
            ranges.give(start, len);
        }
        assert_eq!(ranges.take(4), Some(starts[4]));
        assert_eq!(ranges.take(3), Some(starts[2]));
        assert_eq!(ranges.take(u32::MAX), None);
    }

    #[test]
    fn random_use_never_overlaps() {
        arbtest::arbtest(|u| {
            let mut ranges = Ranges::new(64);
            let mut taken: Vec<(u32, u32)> = Vec::new();
            for _ in 0..u.int_in_range(0..=200)? {
                if u.arbitrary()? {
                    let len = u.int_in_range(1..=9)?;
                    if let Some(start) = ranges.take(len) {
                        assert!(start + len <= 64);
                        assert!(taken.iter().all(|&(s, l)| s + l <= start || start + len <= s));
                        taken.push((start, len));
                    }
                } else if !taken.is_empty() {
                    let (start, len) = taken.swap_remove(u.choose_index(taken.len())?);
                    ranges.give(start, len);
                }
                let used: u32 = taken.iter().map(|&(_, len)| len).sum();
                assert_eq!(ranges.free() + used, 64);
            }
            taken.drain(..).for_each(|(start, len)| ranges.give(start, len));
            assert_eq!(ranges.take(64), Some(0));
            Ok(())
        });
    }
}
