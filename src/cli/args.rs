//! Reading the command line.
//!
//! Comes in: the process's arguments. Goes out: [`Given`], or what is wrong with them. What must hold: options may stand
//! before and behind other words; behind `--`, and where a command takes numbers, nothing that looks like one is an
//! option. Nothing is built that the command does not need: this runs before every program.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use spasm::text::nearest;

use super::commands::{COMMANDS, COMMON, Command, Opt, OptId, Takes, VERSION};

/// A command line that makes sense.
#[derive(Debug)]
pub enum Line {
    /// A command, with what was given to it.
    Command(&'static Command, Given),
    /// `--help` or `help`, of a command or of the whole.
    Help(Option<&'static Command>, Given),
    Version,
}

/// Options and words.
#[derive(Debug, Default)]
pub struct Given {
    options: Vec<(OptId, Option<OsString>)>,
    /// What is no option.
    pub words: Vec<OsString>,
}

impl Given {
    /// True where the option was given.
    pub fn has(&self, id: OptId) -> bool {
        self.options.iter().any(|(given, _)| *given == id)
    }

    /// The last value that was given for an option.
    pub fn value(&self, id: OptId) -> Option<&OsStr> {
        self.options.iter().rev().find(|(given, _)| *given == id)?.1.as_deref()
    }

    /// The same for options that take one of a few words.
    pub fn word(&self, id: OptId) -> Option<&str> {
        self.value(id)?.to_str()
    }

    /// All values that were given for an option.
    pub fn values(&self, id: OptId) -> impl Iterator<Item = &OsStr> {
        self.options.iter().filter(move |(given, _)| *given == id).filter_map(|(_, value)| value.as_deref())
    }
}

/// What is wrong with a command line.
#[derive(Debug)]
pub struct UsageError {
    pub message: String,
    pub help: Option<String>,
    /// What there is to choose from, a line each.
    pub list: Vec<String>,
    /// The command whose help may be of use.
    pub command: Option<&'static Command>,
}

impl UsageError {
    pub fn new(command: Option<&'static Command>, message: impl Into<String>) -> UsageError {
        UsageError { message: message.into(), help: None, list: Vec::new(), command }
    }

    pub fn help(self, help: impl Into<String>) -> UsageError {
        UsageError { help: Some(help.into()), ..self }
    }

    pub fn list(self, list: Vec<String>) -> UsageError {
        UsageError { list, ..self }
    }
}

/// Reads a command line, the program's name left out.
pub fn read(arguments: impl Iterator<Item = OsString>) -> Result<Line, UsageError> {
    let mut reader = Reader { rest: arguments.collect::<Vec<_>>().into_iter(), given: Given::default(), command: None };
    reader.line()
}

/// The command that these words begin with, and how many of them name it.
fn command(words: &[&str]) -> Option<(&'static Command, usize)> {
    COMMANDS.iter().find_map(|command| {
        let mut names = command.name.split(' ');
        let count = names.clone().count();
        (words.len() >= count && names.by_ref().zip(words).all(|(name, word)| name == *word))
            .then_some((command, count))
    })
}

struct Reader {
    rest: std::vec::IntoIter<OsString>,
    given: Given,
    command: Option<&'static Command>,
}

impl Reader {
    fn line(&mut self) -> Result<Line, UsageError> {
        let mut ended = false;
        while let Some(argument) = self.rest.next() {
            match argument.to_str() {
                _ if ended => self.word(argument)?,
                Some("--") if self.command.is_some() => ended = true,
                Some(text) if text.starts_with('-') && text != "-" && !self.is_number(text) => {
                    let text = text.to_owned();
                    self.option(&text)?;
                }
                None if argument.as_bytes().starts_with(b"-") => {
                    return Err(self.error(format!("there is no option `{}`", argument.display())));
                }
                _ => self.word(argument)?,
            }
        }
        self.end()
    }

    fn error(&self, message: impl Into<String>) -> UsageError {
        UsageError::new(self.command, message)
    }

    fn is_number(&self, text: &str) -> bool {
        let follows =
            |prefix: &str| text.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
        let numeric = text[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '\'')
            || follows("-inf")
            || follows("-nan");
        numeric && self.command.is_some_and(|command| self.given.words.len() >= command.words.numbers_after)
    }

    fn word(&mut self, word: OsString) -> Result<(), UsageError> {
        self.given.words.push(word);
        if self.command.is_some() {
            return Ok(());
        }
        let words: Vec<&str> = self.given.words.iter().map(|word| word.to_str().unwrap_or("\u{fffd}")).collect();
        if words[0] == "help" {
            return Ok(());
        }
        if let Some((command, count)) = command(&words) {
            self.command = Some(command);
            self.given.words.drain(..count);
            return Ok(());
        }
        let begins = |command: &&Command| command.name.split(' ').zip(&words).all(|(name, word)| name == *word);
        if words.len() == 1 && COMMANDS.iter().any(|command| begins(&command)) {
            return Ok(());
        }
        Err(unknown_command(&words))
    }

    fn options(&self) -> impl Iterator<Item = &'static Opt> {
        static BEFORE: [Opt; 1] = [VERSION];
        let own = self.command.map_or(&BEFORE[..], |command| command.options);
        own.iter().chain(COMMON)
    }

    fn option(&mut self, text: &str) -> Result<(), UsageError> {
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let Some(option) = self.options().find(|option| option.long == Some(name)) else {
                return Err(self.unknown_option(&format!("--{name}"), name));
            };
            return self.take(option, &format!("--{name}"), value.map(OsString::from));
        }
        let mut letters = text[1..].chars();
        while let Some(letter) = letters.next() {
            let name = format!("-{letter}");
            let Some(option) = self.options().find(|option| option.short == Some(letter)) else {
                return Err(self.unknown_option(&name, &text[1..]));
            };
            if matches!(option.value, Takes::Nothing) {
                self.take(option, &name, None)?;
                continue;
            }
            let rest = letters.as_str();
            let value = rest.strip_prefix('=').unwrap_or(rest);
            return self.take(option, &name, (!rest.is_empty()).then(|| value.into()));
        }
        Ok(())
    }

    fn take(&mut self, option: &'static Opt, name: &str, value: Option<OsString>) -> Result<(), UsageError> {
        let value = match (option.value, value) {
            (Takes::Nothing, Some(_)) => return Err(self.error(format!("{name} takes no value"))),
            (Takes::Nothing | Takes::Maybe(..), None) => None,
            (Takes::Value(what) | Takes::OneOf(what, _), None) => match self.rest.next() {
                Some(value) => Some(value),
                None => return Err(self.error(format!("{name} needs a value: {name} {what}"))),
            },
            (_, value) => value,
        };
        if let (Takes::OneOf(_, words) | Takes::Maybe(_, words), Some(value)) = (option.value, &value) {
            let known = value.to_str().is_some_and(|value| words.contains(&value));
            if !known {
                return Err(self.wrong_value(name, value, words));
            }
        }
        self.given.options.push((option.id, value));
        Ok(())
    }

    fn wrong_value(&self, name: &str, value: &OsStr, words: &[&str]) -> UsageError {
        let near = value.to_str().and_then(|value| nearest(value, words.iter().copied()));
        let list = format!("{name} is one of: {}", words.join(", "));
        let help = near.map_or(list.clone(), |near| format!("did you mean `{near}`? {list}"));
        self.error(format!("{name} cannot be `{}`", value.display())).help(help)
    }

    fn unknown_option(&self, shown: &str, name: &str) -> UsageError {
        let error = self.error(format!("there is no option `{shown}`{}", self.of_command()));
        let longs = || self.options().filter_map(|option| option.long);
        if let Some(near) = nearest(name, longs()) {
            return error.help(format!("did you mean `--{near}`?"));
        }
        if let Some(command) = COMMANDS.iter().find(|command| command.options.iter().any(|o| o.long == Some(name))) {
            return error.help(format!("`spasm {}` has such an option", command.name));
        }
        match self.command {
            Some(command) if command.words.numbers_after <= self.given.words.len() => {
                error.help(format!("to pass it to the program, put `--` before it: -- {shown}"))
            }
            _ => error,
        }
    }

    fn of_command(&self) -> String {
        self.command.map_or(String::new(), |command| format!(" of `spasm {}`", command.name))
    }

    fn end(&mut self) -> Result<Line, UsageError> {
        let given = std::mem::take(&mut self.given);
        if given.has(OptId::Version) {
            return Ok(Line::Version);
        }
        if given.has(OptId::Help) {
            return Ok(Line::Help(self.command, given));
        }
        let Some(command) = self.command else { return without_command(given) };
        let (count, words) = (given.words.len(), command.words);
        if count < words.least {
            let example = format!("usage: spasm {} {}", command.name, command.usage);
            return Err(self.error(format!("`spasm {}` needs {}", command.name, words.missing)).help(example));
        }
        if count > words.most {
            let extra = given.words[words.most].display().to_string();
            let message = format!("`spasm {}` does not know what to do with `{extra}`", command.name);
            return Err(self.error(message).help(format!("usage: spasm {} {}", command.name, command.usage)));
        }
        Ok(Line::Command(command, given))
    }
}

/// `help …`, or a command that is not finished.
fn without_command(given: Given) -> Result<Line, UsageError> {
    let words: Vec<String> = given.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Err(UsageError::new(None, "a command is missing").help("`spasm help` lists the commands")),
        ["help"] => Ok(Line::Help(None, given)),
        ["help", topic @ ..] => match command(topic) {
            Some((command, count)) if count == topic.len() => Ok(Line::Help(Some(command), given)),
            _ => Err(unknown_command(topic)),
        },
        unfinished => Err(unknown_command(unfinished)),
    }
}

fn unknown_command(words: &[&str]) -> UsageError {
    let word = words.join(" ");
    let family: Vec<String> = COMMANDS
        .iter()
        .filter(|command| command.name.split(' ').next() == Some(words[0]) && command.name.contains(' '))
        .map(|command| format!("`spasm {}`", command.name))
        .collect();
    if !family.is_empty() {
        let message = match words.len() {
            1 => format!("`spasm {word}` is not a whole command"),
            _ => format!("there is no command `spasm {word}`"),
        };
        let (last, others) = family.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
        return UsageError::new(None, message).help(format!("there are {} and {last}", others.join(", ")));
    }
    let error = UsageError::new(None, format!("there is no command `{word}`"));
    if let Some(near) = nearest(&word, COMMANDS.iter().map(|command| command.name)) {
        return error.help(format!("did you mean `spasm {near}`?"));
    }
    if std::path::Path::new(&word).is_file() {
        return error.help(format!("to run the file: spasm run {word}"));
    }
    error.help("`spasm help` lists the commands")
}

#[cfg(test)]
mod tests {
    use super::super::commands::CommandId;
    use super::*;

    fn line(text: &str) -> Result<Line, UsageError> {
        read(text.split_whitespace().map(OsString::from))
    }

    fn given(text: &str) -> (CommandId, Given) {
        match line(text) {
            Ok(Line::Command(command, given)) => (command.id, given),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn message(text: &str) -> String {
        let error = line(text).unwrap_err();
        format!("{} / {}", error.message, error.help.unwrap_or_default())
    }

    #[test]
    fn options_and_words_may_be_mixed() {
        let (id, given) = given("run --tier interp f.spasm -fmain 1 --stats=json -5 --sandbox -- --tier -x");
        assert_eq!(id, CommandId::Run);
        assert_eq!(given.words, ["f.spasm", "1", "-5", "--tier", "-x"]);
        assert_eq!(given.word(OptId::Tier), Some("interp"));
        assert_eq!(given.word(OptId::Function), Some("main"));
        assert_eq!(given.word(OptId::Stats), Some("json"));
        assert!(given.has(OptId::Sandbox));
    }

    #[test]
    fn negative_numbers_are_arguments_of_the_program() {
        let (_, numbers) = given("run f -5 -0x10 -1e-3 -.5 -inf -nan -nan:0x1 -'a' -");
        assert_eq!(numbers.words.len(), 10);
        let (_, named) = given("run f -f -5");
        assert_eq!(named.word(OptId::Function), Some("-5"));
        assert_eq!(message("run -5 f"), "there is no option `-5` of `spasm run` / ");
        assert_eq!(
            message("run f -information"),
            "there is no option `-i` of `spasm run` / to pass it to the program, put `--` before it: -- -i"
        );
    }

    #[test]
    fn commands_of_two_words_and_help() {
        assert_eq!(given("snippets list").0, CommandId::SnippetsList);
        assert_eq!(given("snippets show add").1.words, ["add"]);
        assert!(matches!(line("help"), Ok(Line::Help(None, _))));
        assert!(matches!(line("--help"), Ok(Line::Help(None, _))));
        assert!(matches!(line("help snippets show"), Ok(Line::Help(Some(c), _)) if c.id == CommandId::SnippetsShow));
        assert!(matches!(line("run --help"), Ok(Line::Help(Some(c), _)) if c.id == CommandId::Run));
        assert!(matches!(line("-V"), Ok(Line::Version)));
    }

    #[test]
    fn wrong_usage_says_what_to_do() {
        assert_eq!(message(""), "a command is missing / `spasm help` lists the commands");
        assert_eq!(message("rnu"), "there is no command `rnu` / did you mean `spasm run`?");
        assert_eq!(message("help rnu"), "there is no command `rnu` / did you mean `spasm run`?");
        assert_eq!(
            message("snippets"),
            "`spasm snippets` is not a whole command / there are `spasm snippets check`, \
             `spasm snippets bench`, `spasm snippets list` and `spasm snippets show`"
        );
        assert!(message("snippets shew add").starts_with("there is no command `spasm snippets shew`"));
        assert_eq!(message("run"), "`spasm run` needs a FILE / usage: spasm run [OPTIONS] FILE [ARG]...");
        assert_eq!(
            message("check a b"),
            "`spasm check` does not know what to do with `b` / usage: spasm check [OPTIONS] FILE"
        );
        assert_eq!(
            message("run f --tiers=auto"),
            "there is no option `--tiers` of `spasm run` / did you mean `--tier`?"
        );
        assert_eq!(
            message("check f --tier=auto"),
            "there is no option `--tier` of `spasm check` / `spasm run` has such an option"
        );
        assert_eq!(message("run --tier"), "--tier needs a value: --tier TIER / ");
        assert_eq!(message("run --sandbox=1 f"), "--sandbox takes no value / ");
        assert_eq!(
            message("run --tier interpreter f"),
            "--tier cannot be `interpreter` / --tier is one of: auto, interp, baseline, opt"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_words_or_refused() {
        use std::os::unix::ffi::OsStringExt;
        let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let read = |last: &[u8]| read(["run".into(), odd(last)].into_iter());
        assert!(matches!(read(b"\xff"), Ok(Line::Command(_, given)) if given.words.len() == 1));
        assert!(read(b"-\xff").is_err());
    }
}
