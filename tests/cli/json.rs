//! A JSON reader that is just strict enough to refuse what is none.

/// The keys of all objects in a text that is one JSON value.
pub fn keys(text: &str) -> Vec<String> {
    let mut reader = Reader { text, at: 0, keys: Vec::new() };
    reader.value();
    reader.space();
    assert_eq!(reader.at, text.len(), "something follows the value: {}", reader.rest());
    reader.keys
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    keys: Vec<String>,
}

impl Reader<'_> {
    fn rest(&self) -> String {
        self.text[self.at..].chars().take(60).collect()
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    fn peek(&mut self) -> u8 {
        self.space();
        *self.text.as_bytes().get(self.at).unwrap_or(&0)
    }

    fn expect(&mut self, byte: u8) {
        assert_eq!(self.peek() as char, byte as char, "at {}: {}", self.at, self.rest());
        self.at += 1;
    }

    fn list(&mut self, open: u8, close: u8, item: fn(&mut Self)) {
        self.expect(open);
        if self.peek() != close {
            item(self);
            while self.peek() == b',' {
                self.at += 1;
                item(self);
            }
        }
        self.expect(close);
    }

    fn value(&mut self) {
        match self.peek() {
            b'{' => self.list(b'{', b'}', |reader| {
                let key = reader.string();
                reader.keys.push(key);
                reader.expect(b':');
                reader.value();
            }),
            b'[' => self.list(b'[', b']', Self::value),
            b'"' => drop(self.string()),
            _ => {
                let end = self.text[self.at..].find([',', ']', '}', '\n']).unwrap_or(self.text.len() - self.at);
                let word = self.text[self.at..self.at + end].trim();
                let known = ["null", "true", "false"].contains(&word) || word.parse::<f64>().is_ok();
                assert!(known, "no value: {}", self.rest());
                self.at += end;
            }
        }
    }

    fn string(&mut self) -> String {
        self.expect(b'"');
        let start = self.at;
        loop {
            match self.text.as_bytes()[self.at] {
                b'"' => break,
                b'\\' => self.at += 2,
                byte => {
                    assert!(byte >= b' ', "a control character in a string: {}", self.rest());
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        self.text[start..self.at - 1].to_owned()
    }
}
