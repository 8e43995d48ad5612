//! esbuild, a compiler of TypeScript that Go compiled: large functions, and control flow as only Go makes it.

use std::time::Instant;

use spasm::engine::Tier;

use crate::packages::Package;
use crate::{gojs, quickjs};

const PACKAGE: Package = Package {
    name: "esbuild-wasm",
    version: "0.28.2",
    sha512: "19c715c21bf79a63945501c2426d8ec7fadbcbc9ff12a530bd9c44e8f8df8a4a\
             eafe55b0f60f565ffbbd1329169e9a2ddcaa3a8f8dba0e041d79adb158a20040",
};

const SOURCE: &str = "\
interface Point { x: number; y: number }
enum Axis { X = 1, Y }
export const add = (a: Point, b: Point): Point => ({ x: a.x + b.x, y: a.y + b.y })
export class Named<T> { #name?: T; get name() { return this.#name ?? 'nobody' } }
async function* all(list: AsyncIterable<Point>) { for await (const { x, ...rest } of list) yield [x, rest] as const }
export const said = [Axis.Y as number, 2 ** 10, `${add({ x: 1, y: 2 }, { x: 3, y: 4 }).x}`, new Named().name, typeof all]
";

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn esbuild_compiles_as_machine_code() {
    let module = crate::module("esbuild.wasm", &PACKAGE.file("esbuild.wasm"));
    let engine = crate::engine(Tier::Baseline);
    let run = |args: &[&str], input: &str| {
        let start = Instant::now();
        let done = gojs::run(&engine, &module, args, input);
        println!("{args:?}: {:?}", start.elapsed());
        (done.out, done.err, done.status)
    };
    assert_eq!(run(&["esbuild", "--version"], ""), ("0.28.2\n".to_owned(), String::new(), 0));
    let (out, err, status) =
        run(&["esbuild", "--loader=ts", "--minify-whitespace"], "let x: number = 1, y = <any>x\nexport { y }");
    assert_eq!((out.as_str(), err.as_str(), status), ("let x=1,y=x;export{y};\n", "", 0));
    let options = ["esbuild", "--loader=ts", "--minify", "--target=es2017", "--format=iife", "--global-name=made"];
    let (out, err, status) = run(&options, SOURCE);
    assert_eq!((err.as_str(), status), ("", 0));
    // What one program has made is what another does.
    let said = quickjs::Script::new(Tier::Baseline).evaluate(&format!("{out}; made.said.join(' ')"));
    assert_eq!(said.as_deref(), Ok("2 1024 4 nobody function"), "{out}");
    let (out, err, status) = run(&["esbuild", "--loader=ts", "--color=false"], "let x: = 1");
    assert_eq!((out.as_str(), status), ("", 1));
    assert!(err.contains("Unexpected \"=\""), "{err}");
}
