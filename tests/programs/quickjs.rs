//! `QuickJS`, compiled for programs in JavaScript that run other programs in JavaScript.
//!
//! Its names are shortened to letters; the JavaScript beside it says which is which, and is asked here.

use spasm::engine::Tier;
use spasm::store::Linker;
use spasm::wasi::{WasiCtx, WasiCtxBuilder};

use crate::guest::Guest;
use crate::packages::Package;

const PACKAGE: Package = Package {
    name: "@jitl/quickjs-wasmfile-release-sync",
    version: "0.32.0",
    sha512: "04a34323f4cf05f1a52cd198a4bae1703197988938c479b8311022b0e0673b3a\
             57567f47656b1f98c01cf56301ac01e3bef76ce873a290a79a38129d3dda55ae",
};

pub struct Script {
    guest: Guest,
    names: String,
    context: u32,
}

impl Script {
    pub fn new(tier: Tier) -> Script {
        let module = crate::module("quickjs.wasm", &PACKAGE.file("dist/emscripten-module.wasm"));
        let names = String::from_utf8(PACKAGE.file("dist/emscripten-module.mjs")).unwrap();
        // A clock that stands still, and no environment.
        let system = |linker: &mut Linker<WasiCtx>| {
            const NO_SYSTEM: i32 = 52;
            linker.func_wrap("a", "p", || 1e12).unwrap();
            linker.func_wrap("a", "f", |_: i32, _: i32| NO_SYSTEM).unwrap();
        };
        let guest = Guest::new(&crate::engine(tier), &module, WasiCtxBuilder::new().build(), system);
        let mut script = Script { guest, names, context: 0 };
        // What constructors do.
        script.guest.call("u", &[]);
        let runtime = script.call("QTS_NewRuntime", &[]);
        script.context = script.call("QTS_NewContext", &[runtime, 0]);
        script
    }

    fn name(&self, function: &str) -> String {
        let found = self.names.find(&format!("_{function}=b.")).unwrap_or_else(|| panic!("{function} has no name"));
        let rest = &self.names[found + function.len() + 4..];
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "_$".contains(*c)).collect()
    }

    fn call(&mut self, function: &str, args: &[u32]) -> u32 {
        let name = self.name(function);
        self.guest.call(&name, args)
    }

    /// What a script is worth as text, or what it throws.
    pub fn evaluate(&mut self, source: &str) -> Result<String, String> {
        let malloc = self.name("malloc");
        let code = self.guest.put(&malloc, source);
        let file = self.guest.put(&malloc, "test.js");
        let value = self.call("QTS_Eval", &[self.context, code, source.len() as u32, file, 0, 0]);
        let thrown = self.call("QTS_ResolveException", &[self.context, value]);
        let text = self.call("QTS_GetString", &[self.context, if thrown == 0 { value } else { thrown }]);
        let text = self.guest.text(text);
        if thrown == 0 { Ok(text) } else { Err(text) }
    }
}

const SCRIPT: &str = r"
const primes = count => {
    const found = [];
    next: for (let n = 2; found.length < count; n++) {
        for (const p of found) { if (p * p > n) break; if (n % p === 0) continue next; }
        found.push(n);
    }
    return found;
};
class Shape { constructor(name) { this.name = name; } get area() { return 0; } }
class Circle extends Shape {
    #radius;
    constructor(radius) { super('circle'); this.#radius = radius; }
    get area() { return Math.PI * this.#radius ** 2; }
}
function* squares() { for (let n = 1; ; n++) yield n * n; }
const firstAbove = limit => { for (const s of squares()) if (s > limit) return s; };
const caught = (() => { try { null.x } catch (error) { return error.constructor.name } })();
[
    primes(1000).at(-1), 2n ** 100n, new Circle(2).area.toFixed(6), firstAbove(1000), caught,
    'the quick brown fox'.replace(/\b(\w)/g, (_, c) => c.toUpperCase()),
    JSON.stringify({ list: [1, { deep: null }], text: 'ü\n' }),
    [10, 9, 1].sort().join(), [...new Map([['a', 1], ['b', 2]]).keys()].join(''), 0.1 + 0.2, (123.456).toString(36),
].join('|')
";

fn evaluates(tier: Tier) {
    let mut script = Script::new(tier);
    assert_eq!(
        script.evaluate(SCRIPT).as_deref(),
        Ok("7919|1267650600228229401496703205376|12.566371|1024|TypeError|The Quick Brown Fox|\
            {\"list\":[1,{\"deep\":null}],\"text\":\"ü\\n\"}|1,10,9|ab|0.30000000000000004|3f.gez4w97ry")
    );
    assert_eq!(script.evaluate("let x = ;"), Err("SyntaxError: unexpected token in expression: ';'".to_owned()));
    let deep = script.evaluate("const down = n => 1 + down(n + 1); down(0)").unwrap_err();
    assert!(deep.contains("stack overflow"), "{deep}");
    assert_eq!(script.evaluate("primes(10).length"), Ok("10".to_owned()));
}

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn quickjs_evaluates_as_machine_code() {
    evaluates(Tier::Baseline);
}

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn quickjs_evaluates_interpreted() {
    evaluates(Tier::Interp);
}
