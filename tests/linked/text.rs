//! The text form of what modules share.

use spasm::isa::op::{Op, Type};
use spasm::module::link::{Constant, Item, Mode};
use spasm::module::native::Target;
use spasm::module::{Inst, Module};
use spasm::text::{parse, print};

use crate::{EVERYTHING, read};

/// The module without what text does not show.
fn without_lines(mut module: Module) -> Module {
    module.source = None;
    module.globals.iter_mut().for_each(|global| global.line = 0);
    module.imports.iter_mut().for_each(|import| import.line = 0);
    module.tables.iter_mut().for_each(|table| table.line = 0);
    module.elements.iter_mut().for_each(|elements| elements.line = 0);
    module.segments.iter_mut().for_each(|segment| segment.line = 0);
    module.exports.iter_mut().for_each(|export| export.line = 0);
    module.memory.iter_mut().for_each(|memory| memory.line = 0);
    for function in &mut module.functions {
        function.lines.clear();
        function.line = 0;
    }
    module
}

#[test]
fn what_is_printed_reads_back_as_the_same() {
    let module = read(EVERYTHING);
    let text = print(&module);
    let again = read(&text);
    assert_eq!(print(&again), text);
    assert_eq!(without_lines(again), without_lines(module));
    assert!(text.contains("\nimport \"a b\" \"t\\n\" table shared funcref 10 20\n"));
    assert!(text.contains("\nelem passive funcref = [main, null, \"null\", log]\n"));
    assert!(text.contains("\nsegment here at global base = zero 16\n"));
}

#[test]
fn items_stand_where_they_belong() {
    let module = read(EVERYTHING);
    assert_eq!((module.imports.len(), module.functions.len()), (2, 2));
    assert_eq!(module.imports[0].signature.to_string(), "(i32, funcref) -> (externref, i64)");
    let globals: Vec<(bool, bool)> = module.globals.iter().map(|g| (g.mutable, g.import.is_some())).collect();
    assert_eq!(globals[..4], [(false, true), (true, true), (false, true), (false, false)]);
    let starts: Vec<Constant> = module.globals[3..].iter().map(|global| global.start).collect();
    let (helper, null) = (Target::Function(1), Target::Import(1));
    assert_eq!(
        starts,
        [
            Constant::Bits(3.5f64.to_bits()),
            Constant::Global(0),
            Constant::Bits(0),
            Constant::Function(Target::Function(0)),
            Constant::Function(null)
        ]
    );
    let growing: Vec<_> = module.tables.iter().map(|t| t.growing.as_ref().map(|g| (g.ty, g.min, g.max))).collect();
    assert_eq!(growing[0], Some((Type::Funcref, 10, Some(20))));
    assert_eq!(growing[2..4], [None, Some((Type::Funcref, 3, None))]);
    assert_eq!(module.elements[1].mode, Mode::Active { table: 3, offset: Constant::Bits(1) });
    assert_eq!(module.elements[1].items, [Constant::Function(helper); 2]);
    assert_eq!(module.elements[4].mode, Mode::Declared);
    assert_eq!(module.segments[2].mode, Mode::Active { table: 0, offset: Constant::Global(0) });
    assert_eq!(module.exports[1].item, Item::Function(Target::Import(0)));
    assert_eq!(module.start, Some(helper));
    let main = &module.functions[0];
    assert_eq!(main.insts[1], Inst { op: Op::Ref, d: 0, a: 0, b: 5 });
    assert_eq!(main.lists[..10], [0, 1, 1, 1, 0, 3, 1, 1, 2, 0]);
    let tcopy = main.insts[7];
    assert_eq!(main.lists[tcopy.b as usize..][..7], [3, 0, 0, 3, 4, 5, u32::MAX]);
    assert_eq!((main.insts[12].d, main.insts[12].a), (3, 0));
}

#[test]
fn a_module_that_cannot_be_written_does_not_stop_the_printer() {
    let mut module = read(EVERYTHING);
    module.globals[0].start = Constant::Global(77);
    module.globals[4].start = Constant::Global(77);
    module.elements[0].items.push(Constant::Function(Target::Import(9)));
    module.elements[1].mode = Mode::Active { table: 70, offset: Constant::Function(Target::Data(3)) };
    module.segments[0].mode = Mode::Declared;
    module.exports[0].item = Item::Global(88);
    module.start = Some(Target::Function(99));
    for (at, inst) in module.functions[0].insts.iter_mut().enumerate() {
        inst.b = at as u32 * 40;
    }
    let text = print(&module);
    assert!(text.contains("start \"function 99, which is missing\""));
    assert!(parse("again", &text).is_err());
}

/// The first error's message and help.
fn refused(text: &str) -> (String, String) {
    let errors = parse("f", text).expect_err("it is wrong");
    let first = errors.first();
    (first.message().to_owned(), first.advice().unwrap_or_default().to_owned())
}

fn says(text: &str, message: &str, help: &str) {
    let (found, advice) = refused(text);
    assert!(found.contains(message) && advice.contains(help), "{text}\n  {found}\n  {advice}");
}

#[test]
fn items_say_what_is_wrong() {
    says("import \"env\" func f()", "expected the item's name in quotes, found `func`", "write `import");
    says("import env log", "the module's name in quotes", "write `import");
    says("import \"a\" \"b\"", "`func`, `global`, `memory` or `table` is missing here", "write `import");
    says("import \"a\" \"b\" fun f()", "found `fun`", "write `import");
    says("import \"a\" \"b\" func f", "the signature is missing", "`func f(i32) -> i32`");
    says("import \"a\" \"b\" func f(...)", "expected a type", "");
    says("import \"a\" \"b\" global g i32 = 5", "`=` does not belong here", "");
    says("import \"a\" \"b\" table t = [f]", "expected `funcref` or `externref`", "`table t funcref 10`");
    says("import \"a\" \"b\" func f()\nfunc f\n ret", "`f` has the name of an import", "share their names");
    says("import \"a\" \"b\" memory 1\nmemory 1", "only one memory", "");
    says("import \"a\" \"b\" memory 1\ninit 0 = \"a\"", "another's", "segment NAME at OFFSET");
    says("export func f", "found `f`", "write `export");
    says("export \"a\" fun f", "found `fun`", "write `export");
    says("export \"a\" func f", "there is no function `f`", "");
    says("global main i32 = 0\nexport \"a\" func main", "there is no function `main`", "`main` is a global");
    says("global gloal i32 = 0\nexport \"a\" global global", "there is no global `global`", "did you mean `gloal`?");
    says("func f\n ret\nexport \"a\" func f\nexport \"a\" func f", "`a` is exported twice", "");
    says("data d = \"\"\nexport \"a\" func d", "there is no function `d`", "`d` is data");
    says("export \"a\" func a1", "expected a function's name, found `a1`", "named in quotes");
    says("export \"a\" memory m", "`m` does not belong here", "");
    says("start f", "there is no function `f`", "defined by `func f`");
    says("func f\n ret\nstart f\nstart f", "only one start function", "");
    says("global g funcref = 0", "expected a function's name, `null` or `global NAME`", "");
    says("global g funcref", "`=` is missing", "`global g funcref = null`");
    says("global g i32 = global h", "there is no global `h`", "");
    says("global g i32 = f", "expected a literal", "");
    says("table t i32 1", "expected `funcref` or `externref`, found `i32`", "`table t funcref 10`");
    says("table t funcref", "a number of elements is missing", "`table t funcref 10`");
    says("table t funcref 2 1", "begins with 2 elements, but can have only 1", "smaller number");
    says("elem e = [f]", "expected `funcref` or `externref`", "write `elem e funcref");
    says("elem e funcref in t at 0 = []", "there is no table `t`", "defined by `table t");
    says("table t funcref 0\nelem e funcref in t 0 = []", "expected `at`", "write `elem e");
    says("elem e funcref at 0 = []", "expected `=`, found `at`", "write `elem e");
    says("elem e funcref = [nul]", "there is no function `nul`", "");
    says("elem e funcref = [f g]\nfunc f\n ret", "`g` does not belong here", "");
    says("elem e funcref = []\nelem e funcref = []", "elem `e` is defined twice", "");
    says("opcode x.i64(funcref)", "only numbers are operands of opcodes", "");
    says("segment s", "`=` is missing", "write `segment s =");
    says("segment s at 1.5 = \"\"", "is a float", "whole number");
    says("segment s = \"\"\nsegment s = \"\"", "segment `s` is defined twice", "");
}

#[test]
fn instructions_say_what_is_wrong() {
    let body = |line: &str| {
        format!("table t = [f]\ntable grows funcref 1\nelem e funcref = []\nsegment s = \"\"\nfunc f\n {line}\n")
    };
    let says = |line: &str, message: &str, help: &str| says(&body(line), message, help);
    says("tget r1, grow, r2", "there is no table `grow`", "did you mean `grows`?");
    says("tget r1, e, r2", "there is no table `e`", "`e` is an elem");
    says("tget r1, r2, r3", "expected a table's name, found `r2`", "a table of that name is named in quotes");
    says("tget r1, t", "`tget` takes 3 operands, but 2 are given", "`tget d, TABLE, i`");
    says("tcopy t, t, r1, r2", "`tcopy` takes 5 operands", "`tcopy TABLE, TABLE2, dst, src, n`");
    says("tinit grows, s, r1, r2, r3", "there is no elem `s`", "`s` is a segment");
    says("edrop s2", "there is no elem `s2`", "");
    says("minit e, r1, r2, r3", "there is no segment `e`", "`e` is an elem");
    says("mdrop", "`mdrop` takes 1 operand, but none is given", "`mdrop SEGMENT`");
    says("ref r1, t", "there is no function `t`", "`t` is a table");
    says(
        "addr r1, log\nimport \"a\" \"b\" func log()",
        "there is no function, extern or data `log`",
        "`log` is an import",
    );
    says("tgett r1, t, r2", "there is no instruction `tgett`", "did you mean `tget`?");
}
