//! JSON, as far as it is written here: values put together from strings that are JSON already.

use std::fmt::Write as _;

/// A string, quoted.
#[must_use]
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A string, or nothing.
#[must_use]
pub fn maybe(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), string)
}

/// A list on one line.
#[must_use]
pub fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// An object on one line.
#[must_use]
pub fn object<'k>(members: impl IntoIterator<Item = (&'k str, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(key, value)| format!("{}: {value}", string(key))).collect();
    format!("{{{}}}", members.join(", "))
}

/// A list with each item on its own line.
#[must_use]
pub fn lines(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", items.join(",\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a\"b\\c\n\x1b\u{e9}"), "\"a\\\"b\\\\c\\n\\u001b\u{e9}\"");
        assert_eq!(object([("a", list(["1".to_owned(), maybe(None)]))]), "{\"a\": [1, null]}");
        assert_eq!(lines([]), "[]");
    }
}
