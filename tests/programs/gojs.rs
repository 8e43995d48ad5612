//! As much of JavaScript as a program needs that Go compiled for it: what Go's own `wasm_exec.js` gives such programs, and of
//! `fs` the streams.
//!
//! Comes in: a module, arguments, standard input. Goes out: what it wrote, and its exit code. What must hold: callbacks are
//! called when the program waits, one after the other, as JavaScript would.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use spasm::engine::Engine;
use spasm::store::{Caller, Error, Exit, Extern, Linker, Store};
use spasm::verified::Verified;

/// A value of JavaScript.
#[derive(Clone, Debug)]
enum Js {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    /// What the host has by that name.
    Host(&'static str),
    Bytes(Rc<RefCell<Vec<u8>>>),
    Record(Rc<RefCell<HashMap<String, Js>>>),
    List(Rc<[Js]>),
    /// A function of the program, by its number.
    Callback(f64),
    /// What is asked of a file: all of it is 0.
    Stat,
}

/// What of JavaScript the program has in its hands.
struct Go {
    values: Vec<Js>,
    pending: Js,
    /// Callbacks to be called, with their arguments.
    events: VecDeque<(f64, Rc<[Js]>)>,
    timers: BTreeMap<i32, Instant>,
    next_timer: i32,
    start: Instant,
    input: VecDeque<u8>,
    /// What was written, by file.
    output: [Vec<u8>; 3],
}

/// What a program did.
pub struct Done {
    pub out: String,
    pub err: String,
    pub status: i32,
}

fn record(fields: &[(&str, Js)]) -> Js {
    Js::Record(Rc::new(RefCell::new(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())))
}

fn text(text: &str) -> Js {
    Js::Text(text.into())
}

impl Js {
    fn number(&self) -> f64 {
        if let Js::Number(number) = self { *number } else { f64::NAN }
    }

    /// What Go is told of its type.
    fn flag(&self) -> u32 {
        match self {
            Js::Undefined | Js::Null | Js::Bool(_) | Js::Number(_) => 0,
            Js::Text(_) => 2,
            Js::Callback(_) | Js::Host("Object" | "Array" | "Uint8Array" | "Date") => 4,
            _ => 1,
        }
    }
}

impl Go {
    fn get(&self, value: &Js, name: &str) -> Js {
        const GLOBALS: [&str; 7] = ["fs", "process", "path", "Object", "Array", "Uint8Array", "Date"];
        match (value, name) {
            (Js::Host("global"), _) => {
                GLOBALS.into_iter().find(|global| *global == name).map_or(Js::Undefined, Js::Host)
            }
            (Js::Host("go"), "_pendingEvent") => self.pending.clone(),
            (Js::Host("fs"), "constants") => Js::Host("constants"),
            (Js::Host("constants"), _) => Js::Number(-1.0),
            (Js::Host("process"), "pid" | "ppid") => Js::Number(1.0),
            (Js::Record(fields), _) => fields.borrow().get(name).cloned().unwrap_or(Js::Undefined),
            (Js::Stat, _) => Js::Number(0.0),
            _ => Js::Undefined,
        }
    }

    fn set(&mut self, value: &Js, name: &str, new: Js) {
        match (value, name) {
            (Js::Host("go"), "_pendingEvent") => self.pending = new,
            (Js::Record(fields), _) => drop(fields.borrow_mut().insert(name.to_owned(), new)),
            other => panic!("{name} of {other:?} cannot be set"),
        }
    }

    fn call(&mut self, value: &Js, method: &str, args: &[Js]) -> Result<Js, Js> {
        let later = |go: &mut Go, args: &[Js], given: [Js; 2]| {
            let Some(Js::Callback(id)) = args.last() else { panic!("{method} has no callback") };
            go.events.push_back((*id, given.into()));
            Ok(Js::Undefined)
        };
        match (value, method, args) {
            (Js::Host("go"), "_makeFuncWrapper", [id]) => Ok(Js::Callback(id.number())),
            (Js::Host("process"), "cwd", []) => Ok(text("/")),
            (Js::Host("date"), "getTimezoneOffset", []) => Ok(Js::Number(0.0)),
            (Js::Host("fs"), "write", [fd, Js::Bytes(bytes), from, len, ..]) => {
                let (from, len) = (from.number() as usize, len.number() as usize);
                self.output[fd.number() as usize].extend(&bytes.borrow()[from..from + len]);
                later(self, args, [Js::Null, Js::Number(len as f64)])
            }
            (Js::Host("fs"), "read", [fd, Js::Bytes(bytes), from, len, ..]) if fd.number() == 0.0 => {
                let (from, len) = (from.number() as usize, (len.number() as usize).min(self.input.len()));
                let read: Vec<u8> = self.input.drain(..len).collect();
                bytes.borrow_mut()[from..from + len].copy_from_slice(&read);
                later(self, args, [Js::Null, Js::Number(len as f64)])
            }
            (Js::Host("fs"), "fstat", _) => later(self, args, [Js::Null, Js::Stat]),
            (Js::Host("fs"), _, _) => {
                let error = record(&[("code", text("ENOENT")), ("message", text("there are no files here"))]);
                later(self, args, [error, Js::Undefined])
            }
            (value, ..) => Err(text(&format!("{value:?} has no method {method}"))),
        }
    }

    fn construct(constructor: &Js, args: &[Js]) -> Result<Js, Js> {
        match (constructor, args) {
            (Js::Host("Object"), []) => Ok(record(&[])),
            (Js::Host("Uint8Array"), [len]) => Ok(Js::Bytes(Rc::new(RefCell::new(vec![0; len.number() as usize])))),
            (Js::Host("Date"), []) => Ok(Js::Host("date")),
            _ => Err(text(&format!("{constructor:?} makes nothing of {args:?}"))),
        }
    }
}

/// A program's call of JavaScript: where its arguments and results stand.
struct Frame<'a> {
    memory: &'a mut [u8],
    go: &'a mut Go,
    at: usize,
}

impl Frame<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        self.memory[at..at + N].try_into().unwrap()
    }

    fn i64(&self, offset: usize) -> i64 {
        i64::from_le_bytes(self.bytes(self.at + offset))
    }

    fn i32(&self, offset: usize) -> i32 {
        i32::from_le_bytes(self.bytes(self.at + offset))
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.memory[self.at + offset..][..bytes.len()].copy_from_slice(bytes);
    }

    /// A slice of the program's bytes.
    fn slice(&mut self, offset: usize) -> &mut [u8] {
        let (at, len) = (self.i64(offset) as usize, self.i64(offset + 8) as usize);
        &mut self.memory[at..at + len]
    }

    fn text(&mut self, offset: usize) -> String {
        String::from_utf8(self.slice(offset).to_vec()).unwrap()
    }

    fn value_at(&self, at: usize) -> Js {
        let number = f64::from_le_bytes(self.bytes(at));
        match number {
            0.0 => Js::Undefined,
            _ if !number.is_nan() => Js::Number(number),
            _ => self.go.values[u32::from_le_bytes(self.bytes(at)) as usize].clone(),
        }
    }

    fn value(&self, offset: usize) -> Js {
        self.value_at(self.at + offset)
    }

    fn values(&self, offset: usize) -> Vec<Js> {
        let (at, len) = (self.i64(offset) as usize, self.i64(offset + 8) as usize);
        (0..len).map(|index| self.value_at(at + 8 * index)).collect()
    }

    fn store(&mut self, offset: usize, value: Js) {
        let flag = value.flag();
        let id = match value {
            Js::Undefined => return self.put(offset, &[0; 8]),
            Js::Number(number) if number.is_nan() => 0,
            Js::Number(0.0) => 1,
            Js::Number(number) => return self.put(offset, &number.to_le_bytes()),
            Js::Null => 2,
            Js::Bool(true) => 3,
            Js::Bool(false) => 4,
            Js::Host("global") => 5,
            Js::Host("go") => 6,
            other => {
                self.go.values.push(other);
                self.go.values.len() as u32 - 1
            }
        };
        self.put(offset, &(u64::from(0x7ff8_0000 | flag) << 32 | u64::from(id)).to_le_bytes());
    }

    /// A result, and whether it is one.
    fn outcome(&mut self, offset: usize, result: Result<Js, Js>) {
        let fine = result.is_ok();
        self.store(offset, result.unwrap_or_else(|error| error));
        self.put(offset + 8, &[u8::from(fine)]);
    }
}

fn define(
    linker: &mut Linker<Go>,
    name: &str,
    work: impl Fn(&mut Frame<'_>) -> Result<(), Exit> + Send + Sync + 'static,
) {
    let function = move |mut caller: Caller<'_, Go>, sp: i32| {
        let Some(Extern::Memory(memory)) = caller.get_export("mem") else { panic!("Go's memory is `mem`") };
        let (memory, go) = memory.data_and_store_mut(&mut caller);
        work(&mut Frame { memory, go, at: sp as u32 as usize })
    };
    linker.func_wrap("gojs", name, function).unwrap();
}

fn runtime(linker: &mut Linker<Go>) {
    let mut define = |name: &str, work: fn(&mut Frame<'_>)| {
        define(linker, &format!("runtime.{name}"), move |frame| {
            work(frame);
            Ok(())
        });
    };
    define("wasmWrite", |f| {
        let (fd, at, len) = (f.i64(8) as usize, f.i64(16) as usize, f.i32(24) as usize);
        f.go.output[fd].extend(&f.memory[at..at + len]);
    });
    define("resetMemoryDataView", |_| ());
    define("nanotime1", |f| f.put(8, &(f.go.start.elapsed().as_nanos() as i64 + 1).to_le_bytes()));
    define("walltime", |f| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        f.put(8, &now.as_secs().to_le_bytes());
        f.put(16, &now.subsec_nanos().to_le_bytes());
    });
    define("scheduleTimeoutEvent", |f| {
        let due = Instant::now() + Duration::from_millis(f.i64(8) as u64);
        f.go.next_timer += 1;
        f.go.timers.insert(f.go.next_timer, due);
        f.put(16, &f.go.next_timer.to_le_bytes());
    });
    define("clearTimeoutEvent", |f| {
        let timer = f.i32(8);
        f.go.timers.remove(&timer);
    });
    define("getRandomData", |f| f.slice(8).fill(4));
}

fn javascript(linker: &mut Linker<Go>) {
    let mut define = |name: &str, work: fn(&mut Frame<'_>)| {
        define(linker, &format!("syscall/js.{name}"), move |frame| {
            work(frame);
            Ok(())
        });
    };
    // Values are kept for good: the program ends soon.
    define("finalizeRef", |_| ());
    define("stringVal", |f| {
        let value = text(&f.text(8));
        f.store(24, value);
    });
    define("valueGet", |f| {
        let (value, name) = (f.value(8), f.text(16));
        let found = f.go.get(&value, &name);
        f.store(32, found);
    });
    define("valueSet", |f| {
        let (value, name, new) = (f.value(8), f.text(16), f.value(32));
        f.go.set(&value, &name, new);
    });
    define("valueIndex", |f| {
        let Js::List(list) = f.value(8) else { panic!("only lists have an index") };
        let found = list.get(f.i64(16) as usize).cloned().unwrap_or(Js::Undefined);
        f.store(24, found);
    });
    define("valueLength", |f| {
        let len = match f.value(8) {
            Js::List(list) => list.len(),
            Js::Bytes(bytes) => bytes.borrow().len(),
            other => panic!("{other:?} has no length"),
        };
        f.put(16, &(len as i64).to_le_bytes());
    });
    define("valueCall", |f| {
        let (value, method, args) = (f.value(8), f.text(16), f.values(32));
        let result = f.go.call(&value, &method, &args);
        f.outcome(56, result);
    });
    define("valueNew", |f| {
        let result = Go::construct(&f.value(8), &f.values(16));
        f.outcome(40, result);
    });
    define("valuePrepareString", |f| {
        let shown = match f.value(8) {
            Js::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        f.store(16, Js::Bytes(Rc::new(RefCell::new(shown.clone().into_bytes()))));
        f.put(24, &(shown.len() as i64).to_le_bytes());
    });
    define("valueLoadString", |f| {
        let Js::Bytes(bytes) = f.value(8) else { panic!("it was prepared") };
        f.slice(16).copy_from_slice(&bytes.borrow());
    });
    define("copyBytesToGo", |f| {
        let Js::Bytes(bytes) = f.value(32) else { return f.put(48, &[0]) };
        let to = f.slice(8);
        let len = to.len().min(bytes.borrow().len());
        to[..len].copy_from_slice(&bytes.borrow()[..len]);
        f.put(40, &(len as i64).to_le_bytes());
        f.put(48, &[1]);
    });
    define("copyBytesToJS", |f| {
        let Js::Bytes(bytes) = f.value(8) else { return f.put(48, &[0]) };
        let from = f.slice(16);
        let len = from.len().min(bytes.borrow().len());
        bytes.borrow_mut()[..len].copy_from_slice(&from[..len]);
        f.put(40, &(len as i64).to_le_bytes());
        f.put(48, &[1]);
    });
}

/// Runs a program until it ends itself.
pub fn run(engine: &Engine, module: &Verified, args: &[&str], input: &str) -> Done {
    let mut linker = Linker::new();
    runtime(&mut linker);
    javascript(&mut linker);
    define(&mut linker, "runtime.wasmExit", |frame| Err(Exit(frame.i32(8))));
    for import in &module.module().imports {
        let (module, name) = (&import.from.module, import.from.name.clone());
        if !linker.defines(module, &name) {
            let missing = move |_: Caller<'_, Go>, _: i32| Err::<(), _>(format!("`{name}` is not there"));
            linker.func_wrap(module, &import.from.name, missing).unwrap();
        }
    }
    let values = [Js::Number(f64::NAN), Js::Number(0.0), Js::Null, Js::Bool(true), Js::Bool(false)];
    let go = Go {
        values: values.into_iter().chain(["global", "go"].map(Js::Host)).collect(),
        pending: Js::Null,
        events: VecDeque::new(),
        timers: BTreeMap::new(),
        next_timer: 0,
        start: Instant::now(),
        input: input.bytes().collect(),
        output: Default::default(),
    };
    let mut store = Store::new(engine, go);
    let instance = linker.instantiate(&mut store, module).unwrap_or_else(|error| panic!("{error}"));
    println!("instantiated in {:?}", store.data().start.elapsed());
    // Arguments and an empty environment, where Go leaves room for them.
    let memory = instance.get_memory(&store, "mem").unwrap();
    let mut at = 4096;
    let mut list = Vec::new();
    for arg in args {
        list.extend((at as u64).to_le_bytes());
        memory.write(&mut store, at, arg.as_bytes()).unwrap();
        at = (at + arg.len() + 8) & !7;
    }
    list.extend([0; 16]);
    memory.write(&mut store, at, &list).unwrap();
    let begin = instance.get_typed_func::<(i32, i32), ()>(&mut store, "run").unwrap();
    let resume = instance.get_typed_func::<(), ()>(&mut store, "resume").unwrap();
    let mut ended = begin.call(&mut store, (args.len() as i32, at as i32));
    while ended.is_ok() {
        let go = store.data_mut();
        if let Some((id, args)) = go.events.pop_front() {
            go.pending = record(&[("id", Js::Number(id)), ("this", Js::Undefined), ("args", Js::List(args))]);
        } else if let Some(due) = go.timers.values().min() {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        } else {
            panic!("the program waits for something that never comes");
        }
        ended = resume.call(&mut store, ());
    }
    let status = match ended {
        Err(Error::Exit(status)) => status,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&store.data().output[2])),
    };
    let [_, out, err] = store.into_data().output.map(|bytes| String::from_utf8(bytes).unwrap());
    Done { out, err, status }
}
