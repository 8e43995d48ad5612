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
        let distance = distance(&wanted, &other, limit);
        (distance <= limit && 2 * distance < wanted.len().max(other.len())).then_some((distance, candidate))
    };
    // The order of the candidates may be accidental, so among equals the first by name is taken.
    let candidates = candidates
        .into_iter()
        .filter(|candidate| candidate.chars().take(LONGEST).count().abs_diff(wanted.len()) <= limit);
    candidates.take(CANDIDATES).filter_map(near).min().map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced, or swapped with their neighbour; some larger number than
/// `limit` if it is more than that.
fn distance(from: &[char], to: &[char], limit: usize) -> usize {
    // The rows of the table for two characters before, for the one before, and for the one at hand.
    let mut rows = [[0; LONGEST + 1]; 3];
    for (n, cost) in rows[1].iter_mut().enumerate() {
        *cost = n;
    }
    for (i, a) in from.iter().enumerate() {
        let [before, last, row] = &mut rows;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        // Nothing below two rows that are beyond the limit comes back below it.
        let nearest = row[..=to.len()].iter().chain(&last[..=to.len()]).min();
        if nearest.is_some_and(|&nearest| nearest > limit) {
            return limit + 1;
        }
        rows.rotate_left(1);
    }
    rows[1][to.len()]
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
        let long = "x".repeat(LENGTH);
        assert_eq!(nearest(&long, [&long[1..], "y"]), Some(&long[1..]));
        assert_eq!(nearest(&format!("{long}x"), [long.as_str()]), None);
        assert_eq!(nearest("abcdefghi", ["ihgfedcba", "abdcefghij"]), Some("abdcefghij"));
    }
}
