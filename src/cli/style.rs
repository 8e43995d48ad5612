//! Whether to colour, and how.
//!
//! Comes in: what the user asked for, the environment, the stream. Goes out: [`Paint`]. What must hold: a stream that
//! is no terminal gets no escape sequence unless the user wants it.

use std::env;
use std::io::IsTerminal;

/// The escape sequence of what stands out.
pub const BOLD: &str = "\x1b[1m";
/// Of headings.
pub const HEAD: &str = "\x1b[1;32m";
/// Of what is to be typed.
pub const CODE: &str = "\x1b[1;36m";
/// Of what is of less weight.
pub const DIM: &str = "\x1b[2m";
/// Of what went wrong.
pub const WRONG: &str = "\x1b[1;31m";

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    pub coloured: bool,
}

impl Paint {
    #[cfg(test)]
    pub const PLAIN: Paint = Paint { coloured: false };

    /// For a stream, by the value of `--color`.
    pub fn new(choice: Option<&str>, stream: &impl IsTerminal) -> Paint {
        let coloured = match choice {
            Some("always") => true,
            Some("never") => false,
            _ => automatic(|name| env::var(name).ok(), || stream.is_terminal()),
        };
        Paint { coloured }
    }

    /// The text in a colour.
    pub fn with(self, code: &str, text: &str) -> String {
        if self.coloured { format!("{code}{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What the environment says: <https://no-color.org> and <https://bixense.com/clicolors>.
fn automatic(variable: impl Fn(&str) -> Option<String>, is_terminal: impl Fn() -> bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal() && set("CLICOLOR").as_deref() != Some("0") && set("TERM").as_deref() != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_where_the_user_does_not() {
        let colours = |set: &[(&str, &str)], terminal| {
            automatic(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()), || terminal)
        };
        assert!(colours(&[], true));
        assert!(!colours(&[], false));
        assert!(!colours(&[("NO_COLOR", "1")], true));
        assert!(colours(&[("NO_COLOR", "")], true));
        assert!(colours(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!colours(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!colours(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!colours(&[("TERM", "dumb")], true));
        assert!(!colours(&[("CLICOLOR", "0")], true));
    }
}
