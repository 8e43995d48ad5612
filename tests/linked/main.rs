//! What modules share with others, as far as nothing runs: text, binary form, and what the verifier says.

mod binary;
mod limits;
mod text;
mod verify;

use spasm::module::Module;
use spasm::text::parse;

/// Everything that there is, each in every form.
const EVERYTHING: &str = r#"
import "env" "log" func log(i32, funcref) -> (externref, i64)
import "env" "" func "null"()
import "env" "base" global base const i32
import "env" "counter" global counter i64
import "env" "thing" global thing const externref
import "env" "memory" memory 1 2
import "a b" "t\n" table shared funcref 10 20
import "env" "things" table things externref 0
global pi const f64 = 3.5
global copy i32 = global base
global none externref = null
global handler const funcref = main
global logger funcref = "null"
table fixed = [main, helper]
table own funcref 3
table "funcref" externref 0 0
elem passive funcref = [main, null, "null", log]
elem active funcref in own at 1 = [helper, helper]
elem at funcref in shared at global base = []
elem others externref in things at 0 = [null, global thing]
elem known funcref declared = [helper]
segment bytes = "text\0"
segment words at 65535 = i32 1, -2
segment here at global base = zero 16
export "main" func main
export "log" func log
export "mem" memory
export "" global counter
export "table \"x\"" table own
start helper

func main(i32, funcref) -> funcref
    ref r1, helper
    ref r2, "null"
    tget r3, own, a1
    tset own, a1, r3
    tsize r4, things
    tgrow r5, own, r1, r4
    tfill shared, a1, r1, r4
    tcopy own, shared, r4, r5, a1
    tinit own, passive, r4, r5, a1
    edrop passive
    minit bytes, r4, r5, a1
    mdrop bytes
    call (r6, r7), log, a1, a2
    call "null"
    calli r8, own, a1, (i32) -> funcref, r4
    gset counter, r7
    ret r8

func helper()
    ret
"#;

fn read(text: &str) -> Module {
    parse("linked.spasm", text).unwrap_or_else(|errors| panic!("{errors}"))
}
