//! What commands are made of: words, options, and the options that several of them take.
//!
//! Comes in: nothing. Goes out: the types of the table of commands. What must hold: an option that several commands take
//! is written once.

/// A command of the command line.
#[derive(Debug)]
pub struct Command {
    /// What runs it.
    pub id: CommandId,
    /// The word, or two words, that name it.
    pub name: &'static str,
    /// What follows the name.
    pub usage: &'static str,
    /// One line for the list of commands.
    pub summary: &'static str,
    /// A few lines for its own help.
    pub about: &'static str,
    /// The words it takes.
    pub words: Words,
    /// What each of its words is.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The options it takes, beside those that all take.
    pub options: &'static [Opt],
    /// Exit statuses and the like.
    pub notes: &'static str,
    /// Commands to try, each with what it does.
    pub examples: &'static [(&'static str, &'static str)],
}

/// The commands by what runs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandId {
    Run,
    Check,
    Explain,
    Asm,
    Dis,
    SnippetsBench,
    SnippetsCheck,
    #[cfg(feature = "elf")]
    Build,
    SnippetsList,
    SnippetsShow,
}

/// How many words a command takes.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub least: usize,
    pub most: usize,
    /// What is missing where there are too few.
    pub missing: &'static str,
    /// Words that look like negative numbers are no options once this many words stand before them.
    pub numbers_after: usize,
}

pub const ONE_FILE: Words = Words { least: 1, most: 1, missing: "a FILE", numbers_after: usize::MAX };

/// An option.
#[derive(Debug)]
pub struct Opt {
    pub id: OptId,
    pub short: Option<char>,
    pub long: Option<&'static str>,
    pub value: Takes,
    pub help: &'static str,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// A value of this name.
    Value(&'static str),
    /// One of these words.
    OneOf(&'static str, &'static [&'static str]),
    /// One of these words behind `=`, or nothing.
    Maybe(&'static str, &'static [&'static str]),
}

/// The options by their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptId {
    Color,
    Cpu,
    #[cfg(feature = "elf")]
    Debugger,
    #[cfg(feature = "wasi")]
    Dir,
    #[cfg(feature = "wasi")]
    Env,
    #[cfg(all(feature = "elf", feature = "wasi"))]
    Exe,
    Function,
    #[cfg(feature = "elf")]
    Header,
    Help,
    Html,
    Json,
    #[cfg(feature = "elf")]
    NoDebug,
    #[cfg(feature = "elf")]
    NoRuntime,
    Output,
    #[cfg(feature = "elf")]
    Perf,
    Sandbox,
    Snippets,
    Stats,
    Tier,
    Values,
    Version,
    Watch,
}

/// Templates in place of built-in ones.
pub const SNIPPETS: Opt = Opt {
    id: OptId::Snippets,
    short: None,
    long: Some("snippets"),
    value: Takes::Value("DIR"),
    help: "Lays the templates in the `.S` files of this folder over the built-in ones; may be given several times",
};

/// Templates, for the opcodes that they declare.
pub const DECLARED: Opt =
    Opt { help: "Knows the opcodes that the templates in the `.S` files of this folder declare", ..SNIPPETS };

/// What every command takes.
pub const COMMON: &[Opt] = &[
    Opt {
        id: OptId::Color,
        short: None,
        long: Some("color"),
        value: Takes::OneOf("WHEN", &["auto", "always", "never"]),
        help: "Whether to colour what is shown. `auto` asks the terminal, and the environment: NO_COLOR, CLICOLOR_FORCE",
    },
    Opt { id: OptId::Help, short: Some('h'), long: Some("help"), value: Takes::Nothing, help: "Shows this text" },
];

/// What stands before a command.
pub const VERSION: Opt = Opt {
    id: OptId::Version,
    short: Some('V'),
    long: Some("version"),
    value: Takes::Nothing,
    help: "Shows the version",
};

#[cfg(feature = "wasi")]
pub const DIR: Opt = Opt {
    id: OptId::Dir,
    short: None,
    long: Some("dir"),
    value: Takes::Value("HOST[::GUEST]"),
    help: "Lets a program of WASI work in this directory and below it, under the name GUEST, or else HOST; may be given \
           several times",
};

#[cfg(feature = "wasi")]
pub const ENV: Opt = Opt {
    id: OptId::Env,
    short: None,
    long: Some("env"),
    value: Takes::Value("NAME=VALUE"),
    help: "Gives a program of WASI a variable of the environment; may be given several times",
};

pub const FUNCTION: Opt = Opt {
    id: OptId::Function,
    short: Some('f'),
    long: Some("function"),
    value: Takes::Value("NAME"),
    help: "The function to run; without it `main`, or the file's only function",
};

pub const CPU: Opt = Opt {
    id: OptId::Cpu,
    short: None,
    long: Some("cpu"),
    value: Takes::OneOf("NAME", &["native", "x86-64", "x86-64-v2", "x86-64-v3"]),
    help: "The machine to stitch for; `native` is this one. The others give the same listing everywhere",
};

pub const JSON: Opt = Opt {
    id: OptId::Json,
    short: None,
    long: Some("json"),
    value: Takes::Nothing,
    help: "Writes JSON for other programs instead",
};
