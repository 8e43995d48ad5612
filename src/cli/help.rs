//! The help texts, made from the table of commands.
//!
//! Comes in: a command, or none. Goes out: text of at most [`WIDTH`] columns. What must hold: everything in it comes from
//! the table.

use std::fmt::Write as _;

use super::commands::{COMMANDS, COMMON, Command, EXAMPLES, Opt, Takes, VERSION};
use super::style::{BOLD, CODE, DIM, HEAD, Paint};

const WIDTH: usize = 100;

/// The help of a command, or of the whole.
pub fn text(command: Option<&Command>, paint: Paint) -> String {
    let mut page = Page { out: String::new(), paint };
    match command {
        Some(command) => page.command(command),
        None => page.overview(),
    }
    page.out
}

struct Page {
    out: String,
    paint: Paint,
}

impl Page {
    fn overview(&mut self) {
        let name = self.paint.with(BOLD, "spasm");
        let _ = writeln!(self.out, "{name}: runs programs of a small register machine as machine code that is copied");
        self.out.push_str("together from assembly snippets, and shows how.\n");
        self.head("Usage");
        self.line(&format!("{} COMMAND ...", self.paint.with(CODE, "spasm")));
        self.head("Commands");
        let rows: Vec<_> = COMMANDS.iter().map(|c| (c.name.to_owned(), c.summary)).collect();
        self.rows(&rows);
        self.head("Options");
        self.options(&[VERSION]);
        self.options(COMMON);
        self.examples(EXAMPLES);
        let help = self.paint.with(CODE, "spasm help COMMAND");
        let _ = writeln!(self.out, "\n{help} says more about a command.");
    }

    fn command(&mut self, command: &Command) {
        wrap(command.about, WIDTH).for_each(|line| self.out += &(line + "\n"));
        self.head("Usage");
        self.line(&format!("{} {}", self.paint.with(CODE, &format!("spasm {}", command.name)), command.usage));
        if !command.arguments.is_empty() {
            self.head("Arguments");
            let rows: Vec<_> = command.arguments.iter().map(|(name, help)| ((*name).to_owned(), *help)).collect();
            self.rows(&rows);
        }
        self.head("Options");
        self.options(command.options);
        self.options(COMMON);
        if !command.notes.is_empty() {
            self.out.push('\n');
            for line in command.notes.lines() {
                let head = line.ends_with(':') && !line.starts_with(' ');
                let _ = writeln!(self.out, "{}", if head { self.paint.with(HEAD, line) } else { line.to_owned() });
            }
        }
        self.examples(command.examples);
    }

    fn head(&mut self, title: &str) {
        let _ = writeln!(self.out, "\n{}", self.paint.with(HEAD, &format!("{title}:")));
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "  {text}");
    }

    fn options(&mut self, options: &[Opt]) {
        let rows: Vec<_> = options.iter().map(|option| (spelling(option), option.help)).collect();
        self.rows(&rows);
    }

    /// Names with a text beside each; a name that is too long has a line of its own.
    fn rows(&mut self, rows: &[(String, &str)]) {
        const COLUMN: usize = 24;
        for (name, text) in rows {
            let mut lines = wrap(text, WIDTH - COLUMN - 2);
            let painted = self.paint.with(CODE, name);
            if name.len() + 2 > COLUMN {
                let _ = writeln!(self.out, "  {painted}");
            } else {
                let first = lines.next().unwrap_or_default();
                let _ = writeln!(self.out, "  {painted}{:1$}{first}", "", COLUMN - name.len());
            }
            for line in lines {
                let _ = writeln!(self.out, "  {:COLUMN$}{line}", "");
            }
        }
    }

    fn examples(&mut self, examples: &[(&str, &str)]) {
        self.head("Examples");
        for (command, what) in examples {
            let _ = writeln!(self.out, "  {}", self.paint.with(DIM, &format!("# {what}")));
            let _ = writeln!(self.out, "  {}", self.paint.with(CODE, command));
        }
    }
}

fn spelling(option: &Opt) -> String {
    let short = option.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let long = option.long.map_or(String::new(), |long| format!("--{long}"));
    let value = match option.value {
        Takes::Nothing => String::new(),
        Takes::Value(what) | Takes::OneOf(what, _) => format!(" {what}"),
        Takes::Maybe(_, words) => format!("[={}]", words.join("|")),
    };
    format!("{short}{long}{value}")
}

/// Breaks a text into lines of at most `width` columns.
fn wrap(text: &str, width: usize) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::style::Paint;
    use super::*;

    #[test]
    fn every_help_fits_its_width_and_shows_every_option() {
        for command in COMMANDS {
            let text = text(Some(command), Paint::PLAIN);
            for option in command.options {
                assert!(text.contains(&spelling(option)), "{}: {}", command.name, spelling(option));
            }
            let long = text.lines().find(|line| line.chars().count() > WIDTH);
            assert_eq!(long, None, "{}", command.name);
            assert!(text.contains("Examples:\n"));
        }
        let overview = text(None, Paint::PLAIN);
        assert!(COMMANDS.iter().all(|command| overview.contains(command.summary)));
    }
}
