//! What the verifier says of what modules share.

use spasm::isa::op::{Op, Type};
use spasm::module::link::{Constant, Elements, Growing, Item, Mode};
use spasm::module::native::Target;
use spasm::module::{Global, Inst, Module, Signature};
use spasm::verify::verify;

use crate::{EVERYTHING, read};

/// The first problem of the program, with its help.
fn errors(text: &str) -> String {
    problem(read(text))
}

fn problem(module: Module) -> String {
    verify(module).expect_err("it was accepted").to_string()
}

/// The first problem after a change of the module that is all right.
fn with(change: impl FnOnce(&mut Module)) -> String {
    let mut module = read(EVERYTHING);
    change(&mut module);
    verify(module).expect_err("it was accepted").problems[0].message.clone()
}

#[test]
fn everything_is_accepted_and_settled() {
    let verified = verify(read(EVERYTHING)).unwrap_or_else(|error| panic!("{error}"));
    assert!(verified.module().is_linked());
    let ops: Vec<Op> = verified.body(0).insts.iter().map(|inst| inst.op).collect();
    assert_eq!(ops.iter().filter(|&&op| op == Op::CallImport).count(), 2);
    assert!(ops.contains(&Op::CalliGrowing) && ops.contains(&Op::GsetI64));
    for inst in verified.body(0).insts.iter().filter(|inst| inst.op.object().is_some()) {
        assert_eq!((inst.d, inst.a), (0, 0));
    }
    assert!(!read("func f(funcref) -> funcref\n ret a1\n").is_linked());
}

#[test]
fn names_are_unique() {
    let twice = |what: &str, name: &str| format!("there are two {what} with the name `{name}`");
    assert_eq!(with(|m| m.imports[0].name = "main".into()), twice("functions, imports, externs or data", "main"));
    assert_eq!(with(|m| m.elements[0].name = "known".into()), twice("elems", "known"));
    assert_eq!(with(|m| m.segments[0].name = "here".into()), twice("segments", "here"));
    assert_eq!(with(|m| m.exports[0].name = "log".into()), twice("exports", "log"));
}

#[test]
fn imports_are_checked() {
    assert_eq!(with(|m| m.imports[1].signature.variadic = true), "`null` is imported and variadic");
    let many = vec![Type::I64; 1001];
    let long = with(|m| m.imports[1].signature = Signature::new(many, []));
    assert_eq!(long, "`null` has 1001 parameters; 1000 is the most");
    assert_eq!(
        errors("import \"a\" \"b\" memory 1\nimport \"a\" \"b\" func f(i32)\nfunc g\n call f, r1, r2\n ret"),
        "line 4: in g: `f` takes 1 argument, but is given 2\n  help: its signature is (i32)"
    );
    assert_eq!(with(|m| m.inits.push(spasm::module::Init { offset: 0, bytes: vec![1], line: 0 })), {
        "an `init` fills a memory that is another's"
    });
}

#[test]
fn constants_have_their_types() {
    let start = |constant| with(|m: &mut Module| m.globals[4].start = constant);
    assert_eq!(start(Constant::Bits(1 << 32)), "global `copy` has a value that does not fit 32 bits");
    assert_eq!(start(Constant::Function(Target::Function(0))), "global `copy` has a function for an i32");
    assert_eq!(start(Constant::Global(99)), "global `copy` takes the value of global number 99, which does not exist");
    let unknown = |name: &str| format!("global `copy` takes the value of global `{name}`, which is not known before");
    assert_eq!(start(Constant::Global(1)), unknown("counter"));
    assert_eq!(start(Constant::Global(3)), unknown("pi"));
    assert_eq!(
        start(Constant::Global(2)),
        "global `copy` takes the value of global `thing`, which is externref, for an i32"
    );
    let handler = |constant| with(|m: &mut Module| m.globals[6].start = constant);
    assert_eq!(handler(Constant::Bits(5)), "global `handler` has the number 5 for a funcref");
    assert_eq!(
        handler(Constant::Function(Target::Function(9))),
        "global `handler` names function number 9, which does not exist"
    );
    assert_eq!(
        handler(Constant::Function(Target::Data(9))),
        "global `handler` names data number 9, which is no function that can be referred to"
    );
    let externref = with(|m| m.globals[5].start = Constant::Function(Target::Function(0)));
    assert_eq!(externref, "global `none` has a function for an externref");
    assert_eq!(
        errors("global g funcref = f\nfunc f(...)\n ret"),
        "line 1: global `g` names `f`, which is variadic\n  \
         help: no one else can call a function with any number of arguments"
    );
    // What an imported global starts with, nobody asks.
    let mut module = read(EVERYTHING);
    module.globals[1].start = Constant::Global(99);
    assert!(verify(module).is_ok());
}

#[test]
fn tables_and_elements_are_checked() {
    let growing = |change: fn(&mut Growing)| with(|m: &mut Module| m.tables[3].growing.iter_mut().for_each(change));
    assert_eq!(growing(|g| g.ty = Type::I32), "table `own` holds i32; tables that grow hold funcref or externref");
    assert_eq!(growing(|g| g.max = Some(2)), "table `own` starts with 3 elements, more than its maximum of 2");
    assert_eq!(
        with(|m| m.tables[3].functions.push(0)),
        "table `own` grows and names its functions; an `elem` fills it"
    );
    let elements = |change: fn(&mut Elements)| with(|m: &mut Module| change(&mut m.elements[1]));
    let active = |table, offset| Mode::Active { table, offset };
    assert_eq!(elements(|e| e.ty = Type::F32), "elem `active` is of f32; its type is funcref or externref");
    assert_eq!(elements(|e| e.items.push(Constant::Bits(1))), "elem `active` has the number 1 for a funcref");
    let mode = |mode| with(|m: &mut Module| m.elements[1].mode = mode);
    assert_eq!(mode(active(9, Constant::Bits(0))), "elem `active` goes to table number 9, which does not exist");
    assert_eq!(mode(active(2, Constant::Bits(0))), "elem `active` goes to table `fixed`, which does not grow");
    assert_eq!(mode(active(1, Constant::Bits(0))), "elem `active` is of funcref, but table `things` holds externref");
    assert_eq!(mode(active(3, Constant::Bits(1 << 32))), "elem `active` has a value that does not fit 32 bits");
    assert!(mode(active(3, Constant::Global(2))).ends_with("which is externref, for an i32"));
}

#[test]
fn segments_are_checked() {
    let mode = |mode| with(|m: &mut Module| m.segments[1].mode = mode);
    assert_eq!(mode(Mode::Declared), "segment `words` is only declared, which segments cannot be");
    assert_eq!(mode(Mode::Active { table: 1, offset: Constant::Bits(0) }), "segment `words` goes to a table");
    assert_eq!(
        mode(Mode::Active { table: 0, offset: Constant::Global(1) }),
        "segment `words` takes the value of global `counter`, which is not known before"
    );
    assert_eq!(
        errors("segment s at 0 = \"a\""),
        "line 1: segment `s` goes to memory, and there is none\n  help: add an item such as `memory 1`"
    );
    assert!(verify(read("segment s = \"a\"")).is_ok());
}

#[test]
fn exports_and_start_are_checked() {
    let item = |item| with(|m: &mut Module| m.exports[0].item = item);
    let function = |target| item(Item::Function(target));
    assert_eq!(function(Target::Function(2)), "export `main` names function number 2, which does not exist");
    assert_eq!(function(Target::Import(2)), "export `main` names import number 2, which does not exist");
    assert_eq!(
        function(Target::Extern(0)),
        "export `main` names extern number 0, which is no function that can be referred to"
    );
    assert_eq!(item(Item::Global(70)), "export `main` names global number 70, which does not exist");
    assert_eq!(item(Item::Table(70)), "export `main` names table number 70, which does not exist");
    assert_eq!(item(Item::Table(2)), "export `main` names table `fixed`, which does not grow");
    assert_eq!(errors("export \"m\" memory"), "line 1: export `m` names the memory, and there is none");
    assert!(errors("export \"v\" func v\nfunc v(...)\n ret").contains("names `v`, which is variadic"));
    assert_eq!(
        errors("start f\nfunc f(i32)\n ret"),
        "line 2: `f` runs first and has the signature (i32)\n  help: it must take nothing and give nothing: `()`"
    );
    assert!(errors("import \"a\" \"b\" func f() -> i32\nstart f").contains("has the signature () -> i32"));
    let missing = with(|m| m.start = Some(Target::Function(2)));
    assert_eq!(missing, "what runs first names function number 2, which does not exist");
}

#[test]
fn instructions_are_checked() {
    let items = "table fixed = [f]\ntable t funcref 1\ntable x externref 1\nelem e funcref = [f]\nelem o externref = []\n\
                 global g const i32 = 1\nimport \"a\" \"b\" global h const i64\nsegment s = \"\"\nfunc f\n ret\n";
    let says = |line: &str, wanted: &str| {
        let found = errors(&format!("{items}func main\n {line}\n ret"));
        assert!(found.contains(wanted), "{line}\n{found}");
    };
    says(
        "tget r1, fixed, r2",
        "table `fixed` does not grow\n  help: one that grows is written `table fixed funcref 10`",
    );
    says("tcopy t, fixed, r1, r2, r3", "table `fixed` does not grow");
    says("tcopy t, x, r1, r2, r3", "the first table holds funcref, this externref");
    says("tinit t, o, r1, r2, r3", "the first table holds funcref, this externref");
    says("minit s, r1, r2, r3", "there is no linear memory\n  help: add an item such as `memory 1`");
    says("gset g, r1", "global `g` is never written\n  help: leave the word `const` out of its item");
    says("gset h, r1", "global `h` is never written");
    says("calli x, r1, ()", "this table holds externref; only a funcref can be called");
    says("calli t, r1, (i32, ...)", "functions of a table that grows are not variadic");
    says("const.f64 r1, 1.0\n tset t, r2, r1", "r1 is used as int here, but it is f64");
    let error = verify(read(&format!("{items}func main\n tcopy t, x, r1, r2, r3\n ret"))).expect_err("other types");
    assert_eq!(error.problems[0].operand, Some(1));
    assert_eq!(
        errors("func f\n ref r1, f\n ret"),
        "line 2: in f: references are of use only in a module that shares something\n  \
         help: add a table that grows, an export, or `elem NAME funcref declared = [f]`"
    );
    assert!(
        errors("export \"f\" func f\nfunc v(...)\n ret\nfunc f\n ref r1, v\n ret")
            .contains("this names `v`, which is variadic")
    );
}

#[test]
fn damaged_instructions_are_refused() {
    for (at, op) in read(EVERYTHING).functions[0].insts.iter().map(|inst| inst.op).enumerate() {
        if op.object().is_none() {
            continue;
        }
        for value in [99, u32::MAX, 2] {
            for word in 0..8 {
                let mut module = read(EVERYTHING);
                let b = module.functions[0].insts[at].b as usize;
                if let Some(word) = module.functions[0].lists.get_mut(b + word) {
                    *word = value;
                }
                // Whatever it is, nothing panics.
                _ = verify(module);
            }
        }
        let mut module = read(EVERYTHING);
        module.functions[0].insts[at].b = 9999;
        assert!(problem(module).contains("list of operands is damaged"), "{op:?}");
    }
    let missing = |op: Op, list: &[u32]| {
        with(|m: &mut Module| {
            m.functions[1].lists = list.to_vec();
            m.functions[1].insts.insert(0, Inst { op, d: 0, a: 0, b: 0 });
            m.functions[1].lines.clear();
            m.functions[1].insts[1].b = m.functions[1].lists.len() as u32;
            m.functions[1].lists.push(0);
        })
    };
    assert_eq!(missing(Op::Tsize, &[9, 0, 1, 1, 0]), "there is no table number 9");
    assert_eq!(missing(Op::Tcopy, &[0, 9, 0, 3, 1, 2, 3]), "there is no table number 9");
    assert_eq!(missing(Op::Edrop, &[9, 0, 0, 0]), "there is no `elem` number 9");
    assert_eq!(missing(Op::Mdrop, &[9, 0, 0, 0]), "there is no segment number 9");
    assert_eq!(missing(Op::Ref, &[7, 9, 1, 1, 0]), "nothing of kind 7 can be referred to");
    assert_eq!(missing(Op::Ref, &[3, 9, 1, 1, 0]), "this names import number 9, which does not exist");
    assert_eq!(missing(Op::Tset, &[0, 0, 0, 1, 1]), "`tset` takes other operands");
    let global = with(|m| m.globals.push(Global::new("main", Type::Funcref, 7)));
    assert_eq!(global, "global `main` has the number 7 for a funcref");
}
