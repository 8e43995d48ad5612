//! The commands and their options: one table that the parser, the help and the messages about wrong usage read.
//!
//! Comes in: nothing. Goes out: [`COMMANDS`]. What must hold: an option that is not here does not exist; a command's
//! examples work as they are written.

mod parts;

pub use parts::{COMMON, Command, CommandId, Opt, OptId, Takes, VERSION, Words};
use parts::{CPU, DECLARED, FUNCTION, JSON, ONE_FILE, SNIPPETS};

#[cfg(feature = "elf")]
const PROGRAM: (&str, &str) = (
    "FILE",
    "A program as text, a module in binary form, WebAssembly (`.wasm` or `.wat`), or an object that `spasm build` wrote; `-` \
     is standard input",
);
#[cfg(not(feature = "elf"))]
const PROGRAM: (&str, &str) = FILE;
const FILE: (&str, &str) =
    ("FILE", "A program as text, a module in binary form, or WebAssembly (`.wasm` or `.wat`); `-` is standard input");
const PATTERN: (&str, &str) = ("PATTERN", "Part of a name, or a pattern in which `*` stands for anything");

pub const COMMANDS: &[Command] = &[
    Command {
        id: CommandId::Run,
        name: "run",
        usage: "[OPTIONS] FILE [ARG]...",
        summary: "Runs a function of a program",
        about: "Runs a function of a program and prints each of its results on its own line.",
        words: Words { least: 1, most: usize::MAX, missing: "a FILE", numbers_after: 1 },
        arguments: &[
            PROGRAM,
            (
                "ARG",
                "An argument of the function, read by its signature: `42`, `-7`, `0xff`, `'a'` for i32 and i64; `1e-9`, \
                 `0x1.8p3`, `-inf`, `nan` for f32 and f64. A program that was compiled for WASI takes it as it is",
            ),
        ],
        options: &[
            FUNCTION,
            Opt {
                id: OptId::Tier,
                short: None,
                long: Some("tier"),
                value: Takes::OneOf("TIER", &["auto", "interp", "baseline", "opt"]),
                help: "What runs it: `interp` interprets, `baseline` stitches machine code; `auto` chooses, and chooses \
                       `baseline` today. `opt` is not there yet",
            },
            Opt {
                id: OptId::Stats,
                short: None,
                long: Some("stats"),
                value: Takes::Maybe("FORMAT", &["table", "json"]),
                help: "Says on standard error how long each phase took and how much code there is",
            },
            #[cfg(feature = "elf")]
            Opt {
                id: OptId::Debugger,
                short: Some('g'),
                long: Some("debugger"),
                value: Takes::Nothing,
                help: "Tells gdb and lldb of the program's functions, lines and frames",
            },
            #[cfg(feature = "elf")]
            Opt {
                id: OptId::Perf,
                short: None,
                long: Some("perf"),
                value: Takes::OneOf("HOW", &["map", "jitdump"]),
                help: "Tells perf of the program's functions: by `map` in /tmp/perf-PID.map, by `jitdump` with lines and \
                       code in jit-PID.dump",
            },
            Opt {
                id: OptId::Sandbox,
                short: None,
                long: Some("sandbox"),
                value: Takes::Nothing,
                help: "Refuses programs that could reach outside of their own memory: those with `extern`, `data`, \
                       `rodata`, `addr`, `callp`, `load`, `store`, or opcodes that templates declare",
            },
            Opt {
                help: "The machine to stitch for: snippets that need more are left alone. `native` is this one",
                ..CPU
            },
            SNIPPETS,
            #[cfg(feature = "wasi")]
            parts::DIR,
            #[cfg(feature = "wasi")]
            parts::ENV,
            Opt {
                id: OptId::Watch,
                short: None,
                long: Some("watch"),
                value: Takes::Nothing,
                help: "Runs the program again each time it or one of the templates is saved; while a template is wrong, \
                       it runs on with the last that were right",
            },
        ],
        notes: "\
WebAssembly:
  A module that exports `_start` is a command of WASI preview 1, unless -f names
  a function: it has this process's streams, its file's name and ARGs as its
  arguments, and clocks and random numbers. It has the directories that --dir and
  the variables that --env give it, and no others. Put `--` before ARGs that look
  like options. Before -f NAME, `_initialize` is called where there is one.

Exit status:
  0    the function returned, or the program halted
  1    the program was refused, or its input or output failed
  2    the command line is wrong
  134  the program trapped; the trap and the stack stand on standard error
  A program of WASI that ends itself has the status that it gives.

Keys of --stats=json:
  file, function, tier        what was run, and how
  instructions, functions     how many there are in the module
  code_bytes, code_bytes_per_instruction
                              the machine code; null where none was made
  phases_ns                   nanoseconds: read, parse, verify, stitch, map, run, total
  verify_ns_per_instruction, stitch_ns_per_instruction
  calls                       calls made from outside, by tier
",
        examples: &[
            ("spasm run examples/fib.spasm 30", "Runs `main` with one argument"),
            (
                "spasm run examples/mandelbrot.spasm -f is_inside -0.5 1e-3",
                "Runs another function; negative numbers need no quoting",
            ),
            ("spasm run --stats examples/sieve.spasm 1000000", "Where the time goes"),
            ("spasm run --tier interp examples/fib.spasm 20", "The same without machine code"),
            ("spasm dis fib.spb | spasm run - 30", "A program from standard input"),
            ("spasm run -f fac examples/wasm/factorial.wat 20", "A function that a WebAssembly module exports"),
            #[cfg(feature = "wasi")]
            (
                "spasm run --dir examples examples/wasm/cat.wat fib.spasm",
                "A WebAssembly program of WASI, with the one directory that it may use",
            ),
        ],
    },
    Command {
        id: CommandId::Check,
        name: "check",
        usage: "[OPTIONS] FILE",
        summary: "Reads and verifies a program without running it",
        about: "Reads and verifies a program, and shows everything that is wrong with it. Says nothing if all is well.",
        words: ONE_FILE,
        arguments: &[FILE],
        options: &[DECLARED],
        notes: "\
Exit status:
  0    the program is right
  1    it is not, or cannot be read
",
        examples: &[("spasm check examples/fib.spasm && echo fine", "Says so if it is")],
    },
    Command {
        id: CommandId::Explain,
        name: "explain",
        usage: "[OPTIONS] FILE",
        summary: "Shows the machine code of a program, snippet by snippet",
        about: "Shows how the machine code of a program is put together: for each instruction the snippets that were \
                copied for it, what went into their holes, their bytes, and what they do. Snippets that only move values \
                between places are glue.",
        words: ONE_FILE,
        arguments: &[FILE],
        options: &[
            Opt { help: "Only this function; may be given several times", ..FUNCTION },
            CPU,
            SNIPPETS,
            Opt { help: "Writes JSON for other programs instead: functions, snippets, holes", ..JSON },
            Opt {
                id: OptId::Html,
                short: None,
                long: Some("html"),
                value: Takes::Value("OUT"),
                help: "Writes a page for a browser instead, which needs nothing else; `-` is standard output",
            },
        ],
        notes: "\
Keys of --json, a list with an object for each function:
  function, signature, line   which it is
  frame_bytes, slots, saved   its frame
  registers                   where each register lives
  instructions, bytes         how large it is
  snippets                    what was copied: instruction, line, step (body, glue, frame, cold),
                              name, offset, operands (kind, and what it is), bytes, code, and holes:
                              for each byte . of the template, r of a register, v of a value
",
        examples: &[
            ("spasm explain examples/fib.spasm", "Every function of the file"),
            ("spasm explain -f main --color always examples/quicksort.spasm | less -R", "One function, in a pager"),
            ("spasm explain --html fib.html examples/fib.spasm", "A page with program, snippets and machine code"),
            ("spasm explain --cpu x86-64 examples/fib.spasm > fib.txt", "A listing that is the same on every machine"),
        ],
    },
    Command {
        id: CommandId::Asm,
        name: "asm",
        usage: "[OPTIONS] FILE -o OUT",
        summary: "Writes the binary form of a program",
        about: "Reads and verifies a program and writes it as a module in binary form, which the other commands read too.",
        words: ONE_FILE,
        arguments: &[FILE],
        options: &[
            Opt {
                id: OptId::Output,
                short: Some('o'),
                long: Some("output"),
                value: Takes::Value("OUT"),
                help: "Where to write the module, `NAME.spb` by custom; `-` is standard output",
            },
            DECLARED,
        ],
        notes: "OUT is either written as a whole or left as it was.\n",
        examples: &[("spasm asm examples/fib.spasm -o fib.spb && spasm run fib.spb 30", "Writes a module and runs it")],
    },
    Command {
        id: CommandId::Dis,
        name: "dis",
        usage: "[OPTIONS] FILE [-o OUT]",
        summary: "Writes the text form of a module",
        about: "Writes a module, in binary form or as text, as text in one fixed style.",
        words: ONE_FILE,
        arguments: &[FILE],
        options: &[
            Opt {
                id: OptId::Output,
                short: Some('o'),
                long: Some("output"),
                value: Takes::Value("OUT"),
                help: "Where to write the text instead of standard output",
            },
            DECLARED,
        ],
        notes: "OUT is either written as a whole or left as it was.\n",
        examples: &[("spasm dis fib.spb", "Shows a module"), ("spasm dis fib.spb -o fib.spasm", "Writes it to a file")],
    },
    #[cfg(feature = "elf")]
    Command {
        id: CommandId::Build,
        name: "build",
        usage: "[OPTIONS] FILE -o OUT.o",
        summary: "Writes an ELF object that links with C, or an executable",
        about: "Stitches a program and writes it as a relocatable ELF object. Each function can be called from C under its \
                name; traps, linear memory, `print` and `read` work without Spasm, by a runtime in the object that needs \
                the C library only. The same file gives the same bytes.",
        words: ONE_FILE,
        arguments: &[FILE],
        options: &[
            Opt {
                id: OptId::Output,
                short: Some('o'),
                long: Some("output"),
                value: Takes::Value("OUT.o"),
                help: "Where to write the object; `-` is standard output",
            },
            Opt {
                id: OptId::Header,
                short: None,
                long: Some("header"),
                value: Takes::Value("OUT.h"),
                help: "Where to write a header for C and C++: a prototype for each function, and what the runtime offers",
            },
            Opt {
                help: "The machine to stitch for; `native` is this one. Without it `x86-64`, which every machine of that \
                       kind can run",
                ..CPU
            },
            SNIPPETS,
            Opt {
                id: OptId::NoDebug,
                short: None,
                long: Some("no-debug"),
                value: Takes::Nothing,
                help: "Leaves out what debuggers are told of lines and functions",
            },
            Opt {
                id: OptId::NoRuntime,
                short: None,
                long: Some("no-runtime"),
                value: Takes::Nothing,
                help: "Leaves out the runtime. One object of a program must have it; where several do, the linker keeps one",
            },
            #[cfg(feature = "wasi")]
            Opt {
                id: OptId::Exe,
                short: None,
                long: Some("exe"),
                value: Takes::Nothing,
                help: "Writes an executable instead, of a WebAssembly program that was compiled for WASI: it runs as \
                       `spasm run` would run it, and needs no other file",
            },
            #[cfg(feature = "wasi")]
            Opt {
                help: "With --exe: a directory that the program is granted each time it runs, below the directory that it is \
                       then run in where HOST begins with no `/`; may be given several times",
                ..parts::DIR
            },
            #[cfg(feature = "wasi")]
            Opt {
                help: "With --exe: a variable that the program is always given; may be given several times",
                ..parts::ENV
            },
        ],
        notes: "\
Names: a function whose name is no C name, a word of C or C++, or one of the C
library's functions, is called spasm_NAME in C; the header says how. `main` may
be C's own.

Both files are either written as a whole or left as they were.

Executables of --exe are a copy of `spasm` with the program behind it: all words
of their command line are the program's, their streams and exit status as with
`spasm run`. Without --dir and --env they reach no file and no variable of whoever
runs them. `strip` takes the program away.
",
        examples: &[
            ("spasm build examples/fib.spasm -o fib.o --header fib.h", "Writes an object and its header"),
            ("cc program.c fib.o -o program", "Links it"),
            ("spasm run fib.o 30", "Runs it without linking, and without stitching it again"),
            #[cfg(feature = "wasi")]
            (
                "spasm build --exe --dir . examples/wasm/cat.wat -o cat && ./cat examples/fib.spasm",
                "A WebAssembly program as a command of its own",
            ),
        ],
    },
    Command {
        id: CommandId::SnippetsCheck,
        name: "snippets check",
        usage: "[OPTIONS] FILE.S...",
        summary: "Says whether edited templates may be used",
        about: "Assembles templates, shows what became of them, and holds them against what they say: every encoding is \
                decoded for all registers, what is read and changed is compared with the declaration, and each is run \
                with edge values and random ones, which must give what the instruction means.",
        words: Words { least: 1, most: usize::MAX, missing: "a FILE.S", numbers_after: usize::MAX },
        arguments: &[(
            "FILE.S",
            "A file of templates, or a folder of such files; asm/README.md says how they are written",
        )],
        options: &[Opt {
            id: OptId::Values,
            short: None,
            long: Some("values-from"),
            value: Takes::Value("N"),
            help: "Only runs the templates, from the one with this number on, and writes two lines for each. `check` does \
                   this in a process of its own, which a template may crash",
        }],
        notes: "\
Exit status:
  0    the templates may be used
  1    they may not; what is wrong stands on standard error
",
        examples: &[
            ("spasm snippets check examples/custom/crc32c.S", "Checks the templates of a file"),
            (
                "spasm run --snippets examples/custom examples/custom/crc32c.spasm 4096",
                "Runs a program with the templates of a folder",
            ),
        ],
    },
    Command {
        id: CommandId::SnippetsBench,
        name: "snippets bench",
        usage: "[OPTIONS] NAME [FILE.S]...",
        summary: "Measures the snippets of an instruction",
        about: "Measures how long an instruction takes where each waits for the one before it, and where none does: as \
                built in, and with each of the files of templates laid over that.",
        words: Words { least: 1, most: usize::MAX, missing: "the NAME of an instruction", numbers_after: usize::MAX },
        arguments: &[
            ("NAME", "An instruction that computes a value, such as `mul.i64`"),
            ("FILE.S", "A file of templates to be compared with what is built in"),
        ],
        options: &[],
        notes: "",
        examples: &[
            ("spasm snippets bench mul.i64", "How long a multiplication takes"),
            (
                "spasm snippets bench crc32c.i64 examples/custom/crc32c.S",
                "The same of an instruction that a file declares",
            ),
        ],
    },
    Command {
        id: CommandId::SnippetsList,
        name: "snippets list",
        usage: "[OPTIONS] [PATTERN]",
        summary: "Lists the snippets that machine code is made of",
        about: "Lists the snippets of the library with their operands, size and source.",
        words: Words { least: 0, most: 1, missing: "", numbers_after: usize::MAX },
        arguments: &[PATTERN],
        options: &[JSON],
        notes: "",
        examples: &[
            ("spasm snippets list", "All of them"),
            ("spasm snippets list 'cvt.*'", "Conversions"),
            ("spasm snippets list --json add > add.json", "For other programs"),
        ],
    },
    Command {
        id: CommandId::SnippetsShow,
        name: "snippets show",
        usage: "[OPTIONS] NAME",
        summary: "Shows a snippet: contract, bytes, holes, disassembly",
        about: "Shows the snippets of a name, one for each combination of operands: what they read, write and change, \
                their bytes with the holes that registers and values go into, bit by bit, and what they do.",
        words: Words { least: 1, most: 1, missing: "the NAME of a snippet", numbers_after: usize::MAX },
        arguments: &[("NAME", "A name such as `add.i64`, or what such names begin with: `add`")],
        options: &[JSON],
        notes: "",
        examples: &[
            ("spasm snippets show add.i64", "The forms of one instruction"),
            ("spasm snippets show less.i64+jmpf", "A comparison and a branch in one"),
            ("spasm snippets show frame.enter", "A piece that is no instruction"),
        ],
    },
];

/// What the help of `spasm` itself shows at its end.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("spasm run examples/fib.spasm 30", "Runs a program"),
    ("spasm explain examples/fib.spasm", "Shows the machine code that it runs as"),
    ("spasm snippets show add.i64", "Shows what that code is made of"),
];
