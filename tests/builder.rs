//! Modules built by calls: the same as from text, and what happens to calls that make no sense.

use spasm::builder::{BuildError, FunctionBuilder, ModuleBuilder};
use spasm::isa::op::{Op, Type};
use spasm::module::native::{CSignature, CType, Data};
use spasm::module::{Module, Reg, Signature, Source};
use spasm::text::{parse, print};

/// A module with one function, which `fill` fills.
fn build(fill: impl FnOnce(&mut FunctionBuilder)) -> Result<Module, BuildError> {
    let mut module = ModuleBuilder::new();
    let f = module.declare("f");
    let mut body = FunctionBuilder::new(Signature::default());
    fill(&mut body);
    module.define(f, body);
    module.finish()
}

const TEXT: &str = "\
memory 1 2
init 8 = \"hi\"
global g i32 = -1
table t = [f, g]
func f(i64, ...) -> (i64, f32)
top:
    const.i32 r1, -5
    const r2, 7
    const.f32 r3, 1.5
    const.f64 r4, -2.5
    mul r1, r2, a1
    ne.f32 r1, r3, r3
    select r1, r2, r2, a1
    move r5, r3
    mload.8u r1, r2, 4
    mstore.16 r1, r2, 6
    msize r1
    mgrow r1, r2
    mcopy r1, r2, a1
    mfill r1, r2, a1
    gget r1, g
    gset g, r1
    arg r1, r0
    jmpt r1, top
    jmpf r1, out
    switch r1, [top, out], out
out:
    call (r1, r3), f, a1, r1, r2
    calli r1, t, r2, (i64) -> i64, r1
    print r4
    read r4
    jmp next
next:
    ret r1, r3
func g(i64) -> i64
    halt
    trap
";

#[test]
fn the_same_as_from_text() {
    let mut module = ModuleBuilder::new();
    module.source(Source { name: "x".to_owned(), text: TEXT.to_owned() });
    let (f, g) = (module.declare("f"), module.declare("g"));
    module.memory(1, Some(2));
    module.init(8, *b"hi");
    let global = module.global("g", Type::I32, u64::MAX);
    let table = module.table("t", &[f, g]);
    let one = Signature::new([Type::I64], [Type::I64]);
    let mut signature = Signature::new([Type::I64], [Type::I64, Type::F32]);
    signature.variadic = true;

    let mut b = FunctionBuilder::new(signature);
    let [r1, r2, r3, r4, r5] = std::array::from_fn(|_| b.local());
    let a1 = Reg::arg(1);
    let (top, out, next) = (b.label("top"), b.label("out"), b.label("next"));
    b.bind(top);
    b.const_i32(r1, -5);
    b.const_i64(r2, 7);
    b.const_f32(r3, 1.5);
    b.const_f64(r4, -2.5);
    b.mul(r1, r2, a1);
    b.value(Op::NeF32, r1, r3, r3);
    b.select(r1, r2, r2, a1);
    b.copy(r5, r3);
    b.mload(Op::Mload8u, r1, r2, 4);
    b.mstore(Op::Mstore16, r1, r2, 6);
    b.msize(r1);
    b.mgrow(r1, r2);
    b.mcopy(r1, r2, a1);
    b.mfill(r1, r2, a1);
    b.gget(r1, global);
    b.gset(global, r1);
    b.arg(r1, Reg::COUNT);
    b.jump_if(r1, top);
    b.jump_unless(r1, out);
    b.switch(r1, &[top, out], out);
    b.bind(out);
    b.call(&[r1, r3], f, &[a1, r1, r2]);
    let signature = module.signature(one.clone());
    assert_eq!(signature, module.signature(one.clone()), "equal signatures have one number");
    b.calli(&[r1], table, r2, signature, &[r1]);
    b.print(r4);
    b.read(r4);
    b.jump(next);
    b.bind(next);
    b.ret(&[r1, r3]);
    assert_eq!(b.len(), 26);
    module.define(f, b);

    let mut b = FunctionBuilder::new(one);
    assert!(b.is_empty());
    b.halt();
    b.trap();
    module.define(g, b);

    let built = module.finish().expect("every call made sense");
    let mut read = parse("x", TEXT).unwrap_or_else(|errors| panic!("{errors}"));
    // The builder was told no lines.
    for function in &mut read.functions {
        (function.line, function.lines) = (0, Vec::new());
    }
    read.globals[0].line = 0;
    read.tables[0].line = 0;
    read.inits[0].line = 0;
    read.memory.as_mut().expect("it has one").line = 0;
    assert_eq!(built, read);
}

#[test]
fn lines_are_kept_where_they_are_told() {
    let lines = |fill: fn(&mut FunctionBuilder)| build(fill).expect("it makes sense").functions.remove(0).lines;
    assert_eq!(
        lines(|b| {
            b.halt();
            b.halt();
            b.line(7);
            b.halt();
            b.line(0);
            b.halt();
        }),
        [0, 0, 7, 0]
    );
    assert_eq!(lines(FunctionBuilder::halt), []);
}

#[test]
fn labels() {
    let unbound = build(|b| {
        let label = b.label("end");
        b.jump(label);
    });
    assert_eq!(unbound, Err(BuildError::Unbound { function: "f".to_owned(), label: "end".to_owned() }));
    let unnamed = build(|b| {
        let (r, _, label) = (b.local(), b.label(""), b.label(""));
        b.switch(r, &[], label);
    });
    assert_eq!(unnamed.expect_err("unbound").to_string(), "in function `f`: label `number 1` is used but never bound");
    let rebound = build(|b| {
        let label = b.label("x");
        b.bind(label);
        b.bind(label);
    });
    assert_eq!(rebound, Err(BuildError::Rebound { function: "f".to_owned(), label: "x".to_owned() }));
    let foreign = |fill: fn(&mut FunctionBuilder, _)| {
        let label = FunctionBuilder::default().label("x");
        build(|b| fill(b, label))
    };
    assert_eq!(foreign(FunctionBuilder::jump), Err(BuildError::ForeignLabel { function: "f".to_owned() }));
    assert_eq!(foreign(FunctionBuilder::bind), Err(BuildError::ForeignLabel { function: "f".to_owned() }));
    assert!(build(|b| _ = b.label("never used")).is_ok());
}

#[test]
fn functions_are_defined_once() {
    let mut module = ModuleBuilder::new();
    module.declare("f");
    assert_eq!(module.finish(), Err(BuildError::Undefined("f".to_owned())));

    let mut module = ModuleBuilder::new();
    let f = module.declare("f");
    module.define(f, FunctionBuilder::default());
    module.define(f, FunctionBuilder::default());
    assert_eq!(module.finish(), Err(BuildError::Redefined("f".to_owned())));

    let mut module = ModuleBuilder::new();
    module.define(f, FunctionBuilder::default());
    assert_eq!(module.finish(), Err(BuildError::Undeclared));
}

#[test]
fn there_is_one_memory() {
    let mut module = ModuleBuilder::new();
    module.memory(1, None);
    module.memory(2, None);
    assert_eq!(module.finish(), Err(BuildError::SecondMemory));
}

#[test]
fn registers_run_out() {
    let last = |b: &mut FunctionBuilder| (0..65_535).map(|_| b.local()).last().map(Reg::number);
    assert!(build(|b| assert_eq!(last(b), Some(65_535))).is_ok());
    let one_more = build(|b| {
        last(b);
        b.local();
    });
    assert_eq!(one_more, Err(BuildError::Registers { function: "f".to_owned() }));
}

#[test]
fn what_is_of_c_is_laid_out_as_text_is() {
    let mut module = ModuleBuilder::new();
    let signature = CSignature { params: vec![CType::F64], results: vec![CType::F64], ..CSignature::default() };
    let number = module.c_signature(signature.clone());
    let sqrt = module.c_function("root", "libm.so.6", "sqrt", signature.clone());
    assert_eq!(module.c_signature(signature), number);
    let list = module.data(Data { zeros: 20, ..Data::new("list", 8, []) });
    let main = module.declare("main");
    // In any order, and beyond the bytes that there are.
    module.pointer(list, 16, main);
    module.pointer(list, 0, sqrt);
    module.pointer(list, 8, list);
    let mut f = FunctionBuilder::new(Signature::new([Type::F64], [Type::F64]));
    let (p, x) = (f.local(), f.local());
    f.addr(p, list);
    f.load(Op::LoadI64, p, p, 16);
    f.store(Op::StoreF64, Reg::arg(1), p, -8);
    f.callp(&[x], p, number, &[Reg::arg(1)]);
    f.call(&[x], sqrt, &[x]);
    f.ret(&[x]);
    module.define(main, f);
    let module = module.finish().unwrap();
    let text = "extern \"libm.so.6\" sqrt(f64) -> f64 as root\ndata list = ptr root, list, main\n\n\
                func main(f64) -> f64\n    addr r1, list\n    load r1, r1, 16\n    store.f64 a1, r1, -8\n    \
                callp r2, r1, (f64) -> f64, a1\n    call r2, root, r2\n    ret r2\n";
    assert_eq!(print(&module), text);
    assert!(spasm::verify::verify(module).is_ok());
}

#[test]
fn pointers_go_into_data_that_there_is() {
    let (mut one, mut two) = (ModuleBuilder::new(), ModuleBuilder::new());
    let data = one.data(Data::new("d", 8, []));
    two.pointer(data, 0, data);
    assert_eq!(two.finish(), Err(BuildError::NoData));
    // So far away nothing is made for it; the verifier says what is wrong.
    one.pointer(data, u32::MAX, data);
    let module = one.finish().unwrap();
    assert!(module.data[0].bytes.is_empty());
    let error = spasm::verify::verify(module).unwrap_err().to_string();
    assert!(error.contains("the address at byte 4294967295 of `d` does not stand within its 0 bytes"), "{error}");
}
