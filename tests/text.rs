//! The text form from outside: what is read and what is printed.

use spasm::isa::op::{Op, Type};
use spasm::module::native::{Abi, Pointer, Target};
use spasm::module::{Inst, Module, Reg, Signature};
use spasm::text::{parse, print};

fn read(text: &str) -> Module {
    parse("test.spasm", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A module without what depends on how it was laid out in text.
fn stripped(mut module: Module) -> Module {
    module.source = None;
    module.globals.iter_mut().for_each(|global| global.line = 0);
    module.inits.iter_mut().for_each(|init| init.line = 0);
    module.tables.iter_mut().for_each(|table| table.line = 0);
    module.externs.iter_mut().for_each(|e| e.line = 0);
    module.data.iter_mut().for_each(|data| data.line = 0);
    module.customs.iter_mut().for_each(|custom| custom.line = 0);
    if let Some(memory) = &mut module.memory {
        memory.line = 0;
    }
    for function in &mut module.functions {
        function.line = 0;
        function.lines.clear();
    }
    module
}

/// Prints and reads back.
fn round_trip(module: &Module) -> String {
    let text = print(module);
    assert_eq!(stripped(read(&text)), stripped(module.clone()), "{text}");
    text
}

/// A text of very many lines.
fn lines(first: &str, n: usize, line: impl Fn(usize) -> String) -> String {
    std::iter::once(first.to_owned()).chain((0..n).map(line)).collect::<Vec<_>>().join("\n")
}

const EVERYTHING: &str = r#"
; Every item, and every form of operand.
memory 1 2
init 0 = "hi\x80\n"
init 8 = i16 1, -1, 'c', 0xffff
init 100 = zero 16
init 120 = f32 1, 1.5
init 128 = i8 -128, 255
init 136 = ptr -1
global counter ptr = 0x10
global ratio f32 = 0.1
global "a \"strange\" näme" i32 = -1
table t = [add_answer, ret, "r1"]
table none = []

func add_answer          # the smallest real program; it must work exactly as written here
    const 1, 42
    add 2, -1, 1
    ret 2

func ret(i32, f64, ...) -> (i64, f32)
  label move
    mload.8s r1, a1, 16; a comment
    mstore.32 r1, a1
func: greater.f64 r3, a2, a2
    jmpf r3, func
    switch a1, [move, "func", func], end
    switch a1, [], end
a: b: "c d": jmp "c d"
end:
    call (r1, r2), ret, r1, r2
    call r1, "ret", r1
    call add_answer, a1
    call (), "r1"
    call (r9), "r1"
    calli r1, t, a1, (i32, f64, ...) -> (i64, f32), r1, r2
    calli t, a1, ()
    calli (r1, r2), t, a1, (ptr) -> (ptr, f64), r1
    const.f64 r10, 0x1.8p3
    const.f64 r10, 42
    const.f32 r10, -nan
    const.f32 r10, nan:0x1
    const.f64 r10, -nan:0xf_ffff_ffff_ffff
    const.f32 r10, -inf
    const.f32 r10, 1e-9
    const.f32 r10, -0.0
    const.i32 r11, 0xffff_ffff
    const 7, '\n'
    const 7, -0b101
    const 7, '#'
    select r1, a1, r1, r0
    gget r1, counter
    gset "a \"strange\" näme", r1
    mload r1, a1
    mload.32u r1, a1, 4294967295
    mcopy r1, r2, r3
    mfill r1, r2, r3
    mgrow r1, r2
    msize r1
    arg r1, r2
    cvtsu.i32.f64 r4, a2
    wrap r1, r65535
    print r1
    read r1
    ret r1, r2
    halt
last:

func "r1"(...)
    trap
"#;

#[test]
fn everything_that_can_be_written_is_read_and_printed() {
    let module = read(EVERYTHING);
    let text = round_trip(&module);
    assert_eq!(round_trip(&read(&text)), text, "the canonical text prints as itself");
    assert_eq!(module.functions.len(), 3);
    assert_eq!(module.inits[1].bytes, [1, 0, 0xff, 0xff, b'c', 0, 0xff, 0xff]);
    assert_eq!(module.inits[4].bytes, [0x80, 0xff]);
    assert_eq!(module.globals[0].bits(), 16);
    assert_eq!(module.globals[2].bits(), 0xffff_ffff);
    assert_eq!(module.tables[0].functions, [0, 1, 2]);
    assert_eq!(module.source.as_ref().map(|source| source.text.as_str()), Some(EVERYTHING));
}

#[test]
fn the_canonical_text() {
    let text = "\
# A comment.
table ops=[twice , halve]
\tfunc twice
here: ADD: add.i64 1,-1,-1
jmpt 1,here
ret 1
func halve(f64)->f64
const.f64 r2, 5e-1; mul.f64 1, 1, 1
mul.f64 r1, a1, r2
less.f64 r3, r1, r2
geq.f64 r3, r1, r2
ret r1";
    let canonical = "\
table ops = [twice, halve]

func twice(i64) -> i64
here:
ADD:
    add r1, a1, a1
    jmpt r1, here
    ret r1

func halve(f64) -> f64
    const.f64 r2, 0.5
    mul.f64 r1, a1, r2
    less.f64 r3, r1, r2
    leq.f64 r3, r2, r1
    ret r1
";
    assert_eq!(print(&read(text)), canonical);
}

#[test]
fn every_row_is_read_and_printed() {
    for row in Op::ROWS.iter().filter(|row| row.op.is_written()) {
        use spasm::isa::op::Shape;
        let operands = match row.shape {
            Shape::Value if row.args.len() == 1 => "r1, r2",
            Shape::Value | Shape::Mcopy | Shape::Mfill => "r1, r2, r3",
            Shape::Const => "r1, 7",
            Shape::Move | Shape::Mgrow | Shape::Arg => "r1, a2",
            Shape::Select => "r1, r2, r3, r4",
            Shape::Load | Shape::Store | Shape::NativeLoad | Shape::NativeStore => "r1, r2, 8",
            Shape::Msize | Shape::Read | Shape::Print => "r1",
            Shape::Gget => "r1, g",
            Shape::Gset => "g, r1",
            Shape::Jump => "here",
            Shape::Branch => "r1, here",
            Shape::Switch => "r1, [here, here], here",
            Shape::Object => match row.op {
                Op::Tget => "r1, grown, r2",
                Op::Tset => "grown, r1, r2",
                Op::Tsize => "r1, grown",
                Op::Tgrow => "r1, grown, r2, r3",
                Op::Tfill => "grown, r1, r2, r3",
                Op::Tcopy => "grown, grown, r1, r2, r3",
                Op::Tinit => "grown, e, r1, r2, r3",
                Op::Edrop => "e",
                Op::Minit => "s, r1, r2, r3",
                Op::Mdrop => "s",
                _ => "r1, f",
            },
            Shape::Call | Shape::CallExtern | Shape::CallImport => "(r1, r2), f, r3",
            Shape::Callp => "r1, r2, (i64) -> i64, r3",
            Shape::Addr => "r1, f",
            Shape::Calli => "r1, t, r2, (i64) -> i64, r3",
            Shape::Ret => "r1, r2",
            Shape::Halt | Shape::Trap | Shape::Custom => "",
        };
        let items = "global g i64 = 0\ntable t = [f]\ntable grown funcref 1\nelem e funcref = [f]\nsegment s = \"\"";
        let text = format!("{items}\nfunc f()\nhere:\n    {} {operands}\n", row.name());
        let module = read(&text);
        assert_eq!(module.functions[0].insts[0].op, row.op);
        round_trip(&module);
    }
}

#[test]
fn fields_stand_where_the_shapes_say() {
    let module = read(
        "global g i64 = 0\ntable t = [f]\nfunc f(i64, i64)\n x: select r1, r2, r3, r4\n switch a1, [x, y], x\ny:\n \
         calli (r5, r6), t, a2, (i64), r7\n mstore.8 r1, a1, 9\n greater r1, a1, a2\n gset g, r3\n const r1, -2\n",
    );
    let function = &module.functions[0];
    let field = |n: i64| Reg::new(n).expect("a register").field();
    let expected = [
        Inst { op: Op::Select, d: field(1), a: field(2), b: 0 },
        Inst { op: Op::Switch, d: 0, a: field(-1), b: 2 },
        Inst { op: Op::Calli, d: 0, a: field(-2), b: 6 },
        Inst { op: Op::Mstore8, d: field(1), a: field(-1), b: 9 },
        Inst { op: Op::LessI64, d: field(1), a: field(-2), b: field(-1) },
        Inst { op: Op::Gset, d: 0, a: field(3), b: 0 },
        Inst { op: Op::ConstI64, d: field(1), a: 0xffff_fffe, b: 0xffff_ffff },
    ];
    assert_eq!(function.insts, expected);
    assert_eq!(function.lists, [3, 4, 2, 0, 1, 0, 0, 2, 5, 6, 1, 7]);
    assert_eq!(module.signatures, [Signature::new([Type::I64], [])]);
    assert_eq!(function.lines, [4, 5, 7, 8, 9, 10, 11]);
    assert_eq!(function.line, 3);
}

#[test]
fn signatures_are_inferred() {
    let signature = |text: &str| read(text).functions[0].signature.to_string();
    assert_eq!(signature("func f\n ret"), "()");
    assert_eq!(signature("func f\n ret a3"), "(i64, i64, i64) -> i64");
    assert_eq!(signature("func f\n mstore a1, -2\n ret"), "(i64, i64)");
    assert_eq!(signature("func f\n ret\n ret 1, 2"), "() -> (i64, i64)");
    assert_eq!(signature("func f\n call (a2), f, a4\n ret"), "(i64, i64, i64, i64)");
    assert_eq!(signature("func f()\n ret a3"), "()");
    assert_eq!(signature("func f(i32, ...) -> ()\n ret"), "(i32, ...)");
}

#[test]
fn names_and_line_ends() {
    let module =
        read("\u{feff}func func\r\n  func: label: jmp func\r\n\r\nfunc label\n call func # \"\nlabel label\njmp label");
    assert_eq!(module.functions[0].name, "func");
    assert_eq!(module.functions[1].labels[0].name, "label");
    assert_eq!(module.functions[1].lines, [5, 7]);
    let module = read("func \"\\xc3\\xa4\\n\"\n ret\nfunc \"\"\n call \"ä\\n\"\n call \"\"\n ret\nfunc a1\n ret\n");
    assert_eq!(module.functions[0].name, "ä\n");
    assert!(round_trip(&module).contains("func \"ä\\n\"()"));
    assert_eq!(read("").functions, []);
    assert_eq!(read("# nothing\n\n").functions, []);
}

#[test]
fn externs_and_data_survive() {
    let canonical = "\
extern \"\" printf(i64, ...) -> i32
extern \"libm.so.6\" hypot(f64, f64) -> f64 as h
extern \"win64\" \"\" f(struct{i8, struct{u16, bool}}, f32) -> (i64, u8)
extern \"sysv64\" \"win64\" \"odd name\"()
data text = \"text\\0\"
rodata ints = i32 1, -2
data shorts align 32 = \"\\x01\\0\\x02\\0\"
data zeros = zero 4096
data mixed align 8 = \"abc\", zero 5
data list = ptr text, 0, main, -1, printf, list, i8 1, 2, zero 14

func main(i64) -> i64
    addr r1, text
    addr r2, printf
    addr r3, main
    load.8u r4, r1
    load r4, r1, -8
    store.f32 r5, r1, 2147483647
    call r6, printf, r1, r4
    call h, r7, r8
    callp r2, (i64, ...) -> i32, r1
    callp r6, r2, (i64, ...) -> i32, r1, r7
    callp (r9, r10), a1, \"win64\" (f64) -> (i64, struct{f32}), r7
    ret r6
";
    assert_eq!(round_trip(&read(canonical)), canonical);
    let module = read(
        "extern \"win64\" f()\nrodata align align 2 = i8 1, zero 1, i16 -1, \"a\", zero 3, i64 1, f32 1, zero 7\n\
         data zero = ptr zero, 1, zero 8\nfunc i32\n load.32u 1, 2\n store.32 1, 2, -4\n store 1, 2\n ret",
    );
    assert_eq!((module.externs[0].library.as_str(), module.c_signatures[0].abi), ("", Abi::Win64));
    let data = &module.data[0];
    assert_eq!((data.align, data.writable, data.zeros, data.len()), (2, false, 7, 27));
    assert_eq!(data.bytes, [1, 0, 255, 255, b'a', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63]);
    let data = &module.data[1];
    assert_eq!(
        (data.align, data.zeros, &data.pointers[..]),
        (8, 8, &[Pointer { offset: 0, target: Target::Data(1) }][..])
    );
    assert_eq!(data.bytes, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    let ops: Vec<Op> = module.functions[0].insts.iter().map(|inst| inst.op).collect();
    assert_eq!(ops, [Op::LoadI32, Op::StoreI32, Op::StoreI64, Op::Ret]);
    assert_eq!(module.functions[0].insts[1].b.cast_signed(), -4);
    round_trip(&module);
}

#[test]
fn labels_without_names_get_some() {
    let mut module = read("func f\nL0:\nx: jmp x\ny: jmp y\nz: jmp z\n jmp L0\n");
    for label in &mut module.functions[0].labels[1..] {
        label.name.clear();
    }
    module.functions[0].labels[2].name.push_str("L0");
    let text = print(&module);
    assert_eq!(text, "func f()\nL0:\nL1:\n    jmp L1\nL2:\n    jmp L2\nL3:\n    jmp L3\n    jmp L0\n");
    read(&text);
}

#[test]
fn modules_that_cannot_be_written_do_not_stop_the_printer() {
    let mut module = read("table t = [f]\nfunc f\nx: jmp x\n ret");
    module.tables[0].functions.push(99);
    let function = &mut module.functions[0];
    for row in Op::ROWS {
        for field in [0, 7, 0x8000_0000, u32::MAX] {
            function.insts.push(Inst { op: row.op, d: field, a: field, b: field });
        }
    }
    function.lists = vec![u32::MAX; 9];
    function.labels[0].at = u32::MAX;
    let text = print(&module);
    assert!(text.contains("jmp \"label 7, which is missing\""));
    let errors = parse("again", &text).expect_err("it cannot be read");
    assert!(errors.first().message().contains("function 99, which is missing"));
}

#[test]
fn large_programs_take_linear_time() {
    // Were one step quadratic, this would take very long.
    use std::fmt::Write as _;
    let mut text = String::new();
    for n in 0..5_000 {
        _ = write!(
            text,
            "global g{n} i64 = {n}\ntable t{n} = [f{n}]\nfunc f{n}\nl{n}: add r1, a1, r2\n call f{}\n \
             calli t{n}, r1, (i64{})\n gget r1, g{n}\n jmp l{n}\n",
            4_999 - n,
            format!(", {}", ["i32", "i64", "f32", "f64"][n % 4]).repeat(n / 100)
        );
    }
    assert_eq!(round_trip(&read(&text)).lines().count(), 50_000);
    round_trip(&read(&lines("func f", 30_000, |n| format!("x{n}: jmp x{}", 29_999 - n))));
    // Neither does one long line.
    let list = vec!["x"; 50_000].join(", ");
    round_trip(&read(&format!("func f\nx: switch r1, [{list}], x\n")));
    assert!(parse("long", &format!("func f\n add {}", "(".repeat(200_000))).is_err());
}
