//! Finds what a misspelt word was meant to be.
//!
//! Comes in: the word and the candidates. Goes out: the nearest one, if it is near. What must hold: bounded time, for
//! candidates come from the program too.

/// How many candidates are looked at.
const CANDIDATES: usize = 10_000;
/// How long a word may be to be looked for.
const LENGTH: usize = 48;
/// How long a candidate may be.
const LONGEST: usize = 2 * LENGTH;

/// The candidate that is nearest to `word`, if one is near enough to be a likely slip.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = word.chars().map(|c| c.to_ascii_lowercase()).take(LENGTH + 1).collect();
    if wanted.len() > LENGTH {
        return None;
    }
    let limit = if wanted.len() <= 4 { 1 } else { wanted.len() / 3 };
    let near = |candidate: &'a str| {
        let other: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
        let distance = distance(&wanted, &other);
        (distance <= limit && 2 * distance < wanted.len().max(other.len())).then_some((distance, candidate))
    };
    // The order of the candidates may be accidental, so among equals the first by name is taken.
    let candidates = candidates
        .into_iter()
        .filter(|candidate| candidate.chars().take(LONGEST).count().abs_diff(wanted.len()) <= limit);
    candidates.take(CANDIDATES).filter_map(near).min().map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced, or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let words = ["add", "and", "move", "mload", "switch", "select"];
        assert_eq!(nearest("ad", words), Some("add"));
        assert_eq!(nearest("mvoe", words), Some("move"));
        assert_eq!(nearest("SWITCH", words), Some("switch"));
        assert_eq!(nearest("swich", words), Some("switch"));
        assert_eq!(nearest("frobnicate", words), None);
        assert_eq!(nearest("x", words), None);
        assert_eq!(nearest("f6", ["f0", "f1"]), None);
        assert_eq!(nearest("loo", ["loop", "look"]), Some("look"));
        assert_eq!(nearest("", words), None);
    }
}
