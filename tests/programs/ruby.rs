//! `CRuby` 3.4 with its standard library: a library of WASI, made ready and asked to evaluate scripts.
//!
//! What it imports to speak with JavaScript is not there; scripts that do not call JavaScript do not miss it.

use std::sync::{Arc, RwLock};

use spasm::engine::Tier;
use spasm::store::Linker;
use spasm::wasi::{WasiCtx, WasiCtxBuilder, WritePipe};

use crate::guest::Guest;
use crate::packages::Package;

/// What evaluates a script.
const EVALUATE: &str = "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>";

const PACKAGE: Package = Package {
    name: "@ruby/3.4-wasm-wasi",
    version: "2.10.1",
    sha512: "aabcc827fed3192a6c6691722c96fd3973ba4d802ad7c5e82ddd7559ed7b4abe\
             fc856a5be48186160310f40d98f16c399f493cb8a03f23cfcff0c25dce5257d1",
};

/// Handles of Ruby's values: the host is to keep numbers, and keeps them as they are.
fn handles(linker: &mut Linker<WasiCtx>) {
    linker.func_wrap("canonical_abi", "resource_new_rb-abi-value", |value: i32| value).unwrap();
    linker.func_wrap("canonical_abi", "resource_get_rb-abi-value", |value: i32| value).unwrap();
}

/// Text of a given length in the program's memory.
fn put(guest: &mut Guest, text: &str) -> [u32; 2] {
    let len = text.len() as u32;
    let at = guest.call("cabi_realloc", &[0, 0, 1, len]);
    guest.memory.write(&mut guest.store, at as usize, text.as_bytes()).unwrap();
    [at, len]
}

const SCRIPT: &str = r##"
require "json"
require "set"
$stdout.sync = true
Point = Struct.new(:x, :y) { def +(other) = Point.new(x + other.x, y + other.y) }
def fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
puts "Ruby #{RUBY_VERSION} #{RUBY_PLATFORM}"
puts [fib(20), 2**100, Point.new(1, 2) + Point.new(3, 4)].inspect
puts JSON.generate({ "odd" => (1..9).select(&:odd?), "words" => %w[b a].sort.to_set.to_a })
puts "the quick brown fox".gsub(/\b\w/) { |c| c.upcase }
begin
  Integer("nothing")
rescue ArgumentError => error
  puts error.message
end
fiber = Fiber.new { 3.times { |n| Fiber.yield n * n } }
puts 3.times.map { fiber.resume }.sum
case { name: "spasm", parts: [1, 2, 3] }
in { name: String => name, parts: [first, *] } then puts "#{name} #{first}"
end
"##;

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn ruby_evaluates_as_machine_code() {
    let module = crate::module("ruby+stdlib.wasm", &PACKAGE.file("dist/ruby+stdlib.wasm"));
    let said = Arc::new(RwLock::new(Vec::new()));
    let stream = || Box::new(WritePipe::from_shared(Arc::clone(&said)));
    let context = WasiCtxBuilder::new().stdout(stream()).stderr(stream()).build();
    let mut ruby = Guest::new(&crate::engine(Tier::Baseline), &module, context, handles);
    ruby.call("_initialize", &[]);
    let args = ["ruby\0", "-EUTF-8\0", "-e_=0\0"];
    let list = ruby.call("cabi_realloc", &[0, 0, 4, 8 * args.len() as u32]);
    for (at, arg) in args.iter().enumerate() {
        let [text, len] = put(&mut ruby, arg);
        let pair = (u64::from(len) << 32 | u64::from(text)).to_le_bytes();
        ruby.memory.write(&mut ruby.store, list as usize + 8 * at, &pair).unwrap();
    }
    ruby.call("ruby-init: func(args: list<string>) -> ()", &[list, args.len() as u32]);
    let mut evaluate = |script: &str| {
        let text = put(&mut ruby, &format!("{script}\0"));
        let result = ruby.call(EVALUATE, &text);
        ruby.word(result + 4)
    };
    assert_eq!(evaluate(SCRIPT), 0, "{}", String::from_utf8_lossy(&said.read().unwrap()));
    assert_ne!(evaluate("raise 'this'"), 0);
    let said = String::from_utf8(said.read().unwrap().clone()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("Ruby 3.4.") && lines[0].ends_with("wasm32-wasi"), "{}", lines[0]);
    assert_eq!(
        lines[1..],
        [
            "[6765, 1267650600228229401496703205376, #<struct Point x=4, y=6>]",
            r#"{"odd":[1,3,5,7,9],"words":["a","b"]}"#,
            "The Quick Brown Fox",
            r#"invalid value for Integer(): "nothing""#,
            "5",
            "spasm 1",
        ]
    );
}
