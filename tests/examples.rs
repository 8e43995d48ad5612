//! Every program under `examples/` does what its head says, on every tier.
//!
//! Comes in: the lines `$ spasm run FILE ARGS` in the comments, and what stands below each of them. What must hold: each
//! program has such a line, and prints exactly that.

use std::error::Error;
use std::path::Path;

use spasm::engine::{CallError, Config, Engine, Tier};
use spasm::streams::Streams;
use spasm::value::Value;
use spasm::{text, verify};

/// A command in the head of a program, and what it prints.
struct Session {
    file: String,
    args: Vec<String>,
    input: String,
    printed: String,
}

fn sessions(source: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let comments = source.lines().take_while(|line| line.starts_with('#')).map(|line| line[1..].trim());
    let mut open = false;
    for line in comments {
        if let Some(command) = line.strip_prefix("$ ") {
            sessions.push(session(command));
            open = true;
        } else if let (true, false, Some(last)) = (open, line.is_empty(), sessions.last_mut()) {
            last.printed += &format!("{line}\n");
        } else {
            open = false;
        }
    }
    sessions
}

/// Understands `spasm run FILE ARGS`, which may stand behind `printf 'INPUT' |`.
fn session(command: &str) -> Session {
    let (input, run) = match command.split_once(" | ") {
        Some((print, run)) => (print.trim_start_matches("printf ").trim_matches('\'').replace("\\n", "\n"), run),
        None => (String::new(), command),
    };
    let mut words = run.strip_prefix("spasm run ").expect("a command begins with `spasm run`").split(' ');
    let file = words.next().expect("a command names a file").to_owned();
    Session { file, args: words.map(str::to_owned).collect(), input, printed: String::new() }
}

fn run(source: &str, session: &Session, tier: Tier) -> Result<String, Box<dyn Error>> {
    let module = text::parse(&session.file, source)?;
    let verified = verify::verify(module)?;
    let mut instance = Engine::new(Config { tier, ..Config::default() }).instantiate(&verified)?;
    let main = verified.module().function_index("main").unwrap_or(0) as usize;
    let function = &verified.module().functions[main];
    let types = function.signature.params.iter().copied().chain(std::iter::repeat(spasm::isa::op::Type::I64));
    let args: Vec<Value> = session.args.iter().zip(types).map(|(arg, ty)| Value::parse(arg, ty).unwrap()).collect();
    let (streams, printed) = Streams::captured(session.input.clone());
    instance.set_streams(streams);
    let results = match instance.call(&function.name, &args) {
        Ok(results) => results,
        Err(CallError::Halted) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(results.iter().fold(printed.text(), |text, value| format!("{text}{value}\n")))
}

#[test]
fn examples_do_what_their_heads_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut wrong = String::new();
    let mut programs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "spasm") {
            continue;
        }
        programs += 1;
        let source = std::fs::read_to_string(&path).unwrap();
        let name = format!("examples/{}", path.file_name().unwrap().to_str().unwrap());
        let sessions = sessions(&source);
        assert!(!sessions.is_empty(), "{name} does not say how to run it");
        for session in &sessions {
            assert_eq!(session.file, name, "the command runs another file");
            for tier in [Tier::Interp, Tier::Baseline] {
                let printed = run(&source, session, tier).unwrap_or_else(|error| format!("{error}\n"));
                if printed != session.printed {
                    wrong += &format!("{name} on {tier:?} prints\n{printed}instead of\n{}", session.printed);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(programs >= 10, "only {programs} programs in {}", folder.display());
}
