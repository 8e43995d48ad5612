//! What must hold for every input of the text and binary forms.
//!
//! Comes in: bytes from a fuzzer, or from the random numbers of `tests/fuzz.rs`, which runs the same functions on a
//! time budget. Goes out: a panic if a property does not hold. Whoever includes this file has
//! [`arbitrary`](super::arbitrary) in the module around it.

mod link;

use spasm::binary::{decode, encode};
use spasm::builder::{DataId, ExternId, FunctionBuilder, FunctionId, GlobalId, LabelId, ModuleBuilder, TableId};
use spasm::isa::custom::CustomOp;
use spasm::isa::op::{Op, Row, Shape, Type};
use spasm::module::native::{Abi, CSignature, CType, Data, Target};
use spasm::module::{Inst, Module, Reg, Signature};
use spasm::text::{locate, parse, print};

use super::arbitrary::{Result, Unstructured};

/// Programs that mutations start from.
const SEEDS: [&str; 5] = [
    "memory 1 2\ninit 0 = \"hi\\x80\"\ninit 8 = i16 1, -1, 'c'\ninit 100 = zero 16\ninit 120 = f32 1, 1.5\n\
     global g f64 = 0x1.8p3\ntable t = [f, \"odd name\"]\nfunc f(i32, f64, ...) -> (i64, f32)\n\
     x: mload.8s r1, a1, 16 # comment\n switch a1, [x, y], x\ny: call (r1, r2), f, r1, r2\n calli r1, t, a1, (i32, ...) -> i64, r3\n ret r1, r2\n\
     func \"odd name\"\n label z\n const.f64 r1, nan:0x1\n gset g, r1\n jmp z\n",
    "extern \"\" printf(ptr, ...) -> i32\nextern \"win64\" \"libm.so.6\" hypot(f64, struct{f32, u8, struct{i16}}) -> (i64, bool) as h\n\
     data d align 16 = i32 1, 2, i8 3, \"abc\", zero 4, f64 0.5, zero 99\nrodata s = \"text\\0\"\ndata p = ptr printf, s, -1, p, f\n\
     func f() -> i64\n addr r1, d\n load.8s r2, r1, -1\n load r3, r1\n store.f64 r4, r1, 0x10\n call r5, printf, r1, r4\n\
     call (r6, r7), h, r4, r8, r9, r6\n callp r1, (ptr) -> i32, r1\n callp r6, r1, \"win64\" (f32, ...) -> struct{i8, f64}, r8, r1\n ret r5\n",
    "import \"m\" \"f\" func g(i32, funcref) -> externref\nimport \"m\" \"b\" global base const i32\nglobal h funcref = f\n\
     import \"m\" \"m\" memory 1 2\ntable t funcref 2 9\nimport \"m\" \"t\" table x externref 0\nelem e funcref = [f, null, g]\n\
     elem a funcref in t at global base = [f]\nelem d funcref declared = [g]\nsegment s = \"hi\"\nsegment q at 8 = i32 1\n\
     export \"f\" func f\nexport \"t\" table t\nexport \"m\" memory\nexport \"h\" global h\nstart f\nfunc f()\n ref r1, g\n\
     tget r2, t, r3\n tinit t, e, r1, r2, r3\n call r4, g, r3, r1\n tgrow r5, x, r4, r3\n minit s, r1, r2, r3\n edrop e\n ret\n",
    "func add_answer\n    const 1, 42\n    add 2, -1, 1\n    ret 2\n",
    "func fib(i64) -> i64\n    const r1, 2\n    less r2, a1, r1\n    jmpf r2, more\n    ret a1\nmore:\n    \
     const r1, 1\n    sub r2, a1, r1\n    call r3, fib, r2\n    sub r2, r2, r1\n    call r4, fib, r2\n    add r3, r3, r4\n    ret r3\n",
];

/// Tokens that mutations put in.
const TOKENS: [&str; 44] = [
    "func",
    "label",
    "x:",
    "\"",
    "'",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "->",
    "...",
    ",",
    "=",
    "-",
    "0x",
    "nan:0x1",
    "inf",
    "1e999",
    "r1",
    "a1000",
    "r70000",
    "-1",
    "add",
    ".f64",
    "const",
    "call",
    "calli",
    "switch",
    "init 0 = ",
    "extern \"\" f(",
    "\"win64\"",
    "struct{",
    "}",
    " as ",
    "rodata x = ",
    "ptr f",
    "align 8",
    "zero 99999999999",
    "memory 1\n",
    "\n",
    "\r\n",
    "\u{202e}語",
    "#",
];

/// Any text is either refused with errors that can be shown, or survives every way out and back.
pub fn text(text: &str) {
    match parse("fuzz.spasm", text) {
        Err(errors) => {
            for shown in [errors.render(false), errors.render(true)] {
                assert!(shown.len() < 200_000, "{} bytes of errors", shown.len());
            }
            assert!(errors.iter().all(|error| error.place().is_some_and(|place| place.column().is_some())));
        }
        Ok(module) => survives(&module),
    }
    for line in text.lines() {
        for operand in [None, Some(0), Some(1), Some(2), Some(9)] {
            assert!(line.get(locate(line, operand)).is_some(), "{line:?}");
        }
    }
}

/// Random bytes, or a program with random changes.
pub fn mutated(u: &mut Unstructured<'_>) -> Result<()> {
    if u.ratio(1, 8)? {
        text(&String::from_utf8_lossy(u.bytes(u.len())?));
        return Ok(());
    }
    let mut program = (*u.choose(&SEEDS)?).to_owned();
    for _ in 0..u.int_in_range(1..=6)? {
        let end = u.int_in_range(0..=program.len())?;
        let start = u.int_in_range(end.saturating_sub(8)..=end)?;
        if program.is_char_boundary(start) && program.is_char_boundary(end) {
            let new = match u.int_in_range(0..=3)? {
                0 => String::new(),
                1 => char::from(u.arbitrary::<u8>()?).to_string(),
                2 => program.get(end..(end + 9).min(program.len())).unwrap_or_default().to_owned(),
                _ => (*u.choose(&TOKENS)?).to_owned(),
            };
            program.replace_range(start..end, &new);
        }
    }
    text(&program);
    Ok(())
}

/// Any bytes are either refused, or are a module that survives being written and printed.
pub fn binary(bytes: &[u8]) {
    accept(bytes);
    // With a header that fits, more of the reader is reached.
    accept(&with_header(bytes));
}

fn accept(bytes: &[u8]) {
    match decode(bytes) {
        Err(error) => assert!(error.offset() <= bytes.len() && !error.to_string().is_empty()),
        Ok(module) => {
            assert_eq!(decode(&encode(&module)).as_ref(), Ok(&module));
            // A module from outside can be wrong in every way, but does not print without end.
            let names =
                module.functions.iter().map(|f| f.name.len() + f.labels.iter().map(|l| l.name.len()).sum::<usize>());
            let globals = module.globals.iter().map(|global| global.name.len());
            let natives = module.externs.iter().map(|e| e.name.len()).chain(module.data.iter().map(|d| d.name.len()));
            let longest = names.chain(globals).chain(natives).chain([link::longest_name(&module)]).max();
            let longest = 40 + 4 * longest.unwrap_or(0);
            let longest = longest + module.c_signatures.iter().map(|s| s.to_string().len()).max().unwrap_or(0);
            assert!(print(&module).len() <= 1_000 + 40 * bytes.len() * longest);
        }
    }
}

/// A file with this body and a header that says that all is well.
fn with_header(body: &[u8]) -> Vec<u8> {
    let step = |crc: u32| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
    let crc = !body.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)));
    let mut file = b"\x89SPASM\r\n\x07\0\0\0".to_vec();
    file.extend_from_slice(&(body.len() as u64).to_le_bytes());
    file.extend_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(body);
    file
}

/// Random bytes, or the bytes of a module with random changes.
pub fn damaged(u: &mut Unstructured<'_>) -> Result<()> {
    if u.ratio(1, 4)? {
        binary(u.bytes(u.len())?);
        return Ok(());
    }
    let module = if u.ratio(1, 2)? { parse("seed", u.choose(&SEEDS)?).unwrap_or_default() } else { module(u)? };
    let mut bytes = encode(&module).split_off(24);
    for _ in 0..u.int_in_range(1..=4)? {
        let at = u.int_in_range(0..=bytes.len())?;
        match u.int_in_range(0..=2)? {
            0 if at < bytes.len() => bytes[at] = u.arbitrary()?,
            1 => bytes.insert(at, u.arbitrary()?),
            _ => bytes.truncate(at.max(1)),
        }
    }
    binary(&bytes);
    Ok(())
}

/// Any module that a compiler can build survives.
pub fn built(u: &mut Unstructured<'_>) -> Result<()> {
    survives(&module(u)?);
    Ok(())
}

/// Text and binary form give the same module back.
fn survives(module: &Module) {
    let module = stripped(module.clone());
    let text = print(&module);
    match parse("printed", &text) {
        Ok(back) => assert_eq!(stripped(back), module, "{text}"),
        Err(errors) => panic!("{errors}\n{text}"),
    }
    assert_eq!(decode(&encode(&module)).as_ref(), Ok(&module));
}

/// A module without what depends on how it was laid out in text.
fn stripped(mut module: Module) -> Module {
    module.source = None;
    module.globals.iter_mut().for_each(|global| global.line = 0);
    module.inits.iter_mut().for_each(|init| init.line = 0);
    module.tables.iter_mut().for_each(|table| table.line = 0);
    module.memory.iter_mut().for_each(|memory| memory.line = 0);
    module.externs.iter_mut().for_each(|e| e.line = 0);
    module.data.iter_mut().for_each(|data| data.line = 0);
    module.customs.iter_mut().for_each(|custom| custom.line = 0);
    link::strip(&mut module);
    for function in &mut module.functions {
        function.line = 0;
        function.lines.clear();
    }
    module
}

/// Names that are hard to write; a number makes them unique.
const NAMES: [&str; 10] = ["f", "func", "r", "a", "odd name", "\n\t\0\"\\#;", "語", "\u{85}\u{202e}", "...", "nan"];

fn name(u: &mut Unstructured<'_>, number: usize) -> Result<String> {
    Ok(format!("{}{number}", u.choose(&NAMES)?))
}

fn signature(u: &mut Unstructured<'_>) -> Result<Signature> {
    let mut types =
        |most| (0..u.int_in_range(0..=most)?).map(|_| Ok(*u.choose(&Type::NUMBERS)?)).collect::<Result<Vec<_>>>();
    let mut signature = Signature::new(types(5)?, types(3)?);
    signature.variadic = u.arbitrary()?;
    Ok(signature)
}

/// A module as compilers build them; the verifier may well refuse it.
fn module(u: &mut Unstructured<'_>) -> Result<Module> {
    let mut module = ModuleBuilder::new();
    let mut ids = Ids::default();
    for number in 0..u.int_in_range(0..=3)? {
        let ty = *u.choose(&Type::NUMBERS)?;
        ids.globals.push(module.global(name(u, number)?, ty, u.arbitrary()?));
    }
    for number in 0..u.int_in_range(1..=3)? {
        ids.functions.push(module.declare(name(u, number)?));
    }
    if u.arbitrary()? {
        natives(u, &mut module, &mut ids)?;
    }
    for number in 0..u.int_in_range(0..=2)? {
        let entries: Vec<FunctionId> =
            (0..u.int_in_range(0..=3)?).map(|_| Ok(*u.choose(&ids.functions)?)).collect::<Result<_>>()?;
        ids.tables.push(module.table(name(u, number)?, &entries));
    }
    let own_memory: bool = u.arbitrary()?;
    if u.arbitrary()? {
        ids.links = link::items(u, &mut module, &ids.functions, &mut ids.globals, !own_memory)?;
        ids.tables.extend(&ids.links.tables);
    }
    if own_memory {
        let min = u.int_in_range(1..=4)?;
        module.memory(min, if u.arbitrary()? { Some(u.int_in_range(min..=65_536)?) } else { None });
        for _ in 0..u.int_in_range(0..=2)? {
            let bytes = if u.arbitrary()? { vec![0; u.int_in_range(0..=100)?] } else { u.arbitrary()? };
            module.init(u.int_in_range(0..=60_000)?, bytes);
        }
    }
    for &id in &ids.functions {
        let mut body = Body { builder: FunctionBuilder::new(signature(u)?), open: Vec::new(), labels: Vec::new() };
        for _ in 0..u.int_in_range(0..=12)? {
            body.instruction(u, &ids, &mut module)?;
        }
        for label in body.open.drain(..) {
            body.builder.bind(label);
        }
        module.define(id, body.builder);
    }
    match module.finish() {
        Ok(module) => Ok(module),
        Err(error) => panic!("{error}"),
    }
}

/// Externs and data.
fn natives(u: &mut Unstructured<'_>, module: &mut ModuleBuilder, ids: &mut Ids) -> Result<()> {
    for number in 0..u.int_in_range(0..=2)? {
        let library = *u.choose(&["", "libm.so.6", "win64", "a \"b\""])?;
        let (name, symbol) = (name(u, number + 10)?, name(u, number)?);
        let name = if u.arbitrary()? { symbol.clone() + "_" } else { name };
        let symbol = if u.arbitrary()? { name.clone() } else { symbol };
        ids.externs.push(module.c_function(name, library, symbol, c_signature(u)?));
    }
    for number in 0..u.int_in_range(0..=3)? {
        let bytes: Vec<u8> = if u.arbitrary()? { vec![0; u.int_in_range(0..=40)?] } else { u.arbitrary()? };
        let zeros = if u.arbitrary()? { 0 } else { u.int_in_range(0..=1 << 20)? };
        let (align, writable) = (1 << u.int_in_range(0..=6)?, u.arbitrary()?);
        ids.data.push(module.data(Data { zeros, writable, ..Data::new(name(u, number + 20)?, align, bytes) }));
    }
    if let Some(number) = Some(ids.data.len()).filter(|_| u.arbitrary().unwrap_or(false)) {
        let list = module.data(Data::new(name(u, number + 20)?, 8, []));
        ids.data.push(list);
        let mut at = 0;
        for _ in 0..u.int_in_range(1..=3)? {
            at += 8 * u.int_in_range(0..=2)?;
            module.pointer(list, at, target(u, ids)?);
            at += 8;
        }
    }
    Ok(())
}

fn target(u: &mut Unstructured<'_>, ids: &Ids) -> Result<Target> {
    Ok(match u.int_in_range(0..=2)? {
        0 if !ids.externs.is_empty() => (*u.choose(&ids.externs)?).into(),
        1 if !ids.data.is_empty() => (*u.choose(&ids.data)?).into(),
        _ => (*u.choose(&ids.functions)?).into(),
    })
}

fn c_type(u: &mut Unstructured<'_>, depth: u32) -> Result<CType> {
    if depth < 3 && u.ratio(1, 5)? {
        let members = (0..u.int_in_range(1..=3)?).map(|_| c_type(u, depth + 1)).collect::<Result<_>>()?;
        return Ok(CType::Struct(members));
    }
    Ok(u.choose(&CType::SCALARS)?.1.clone())
}

/// Opcodes that templates might declare.
fn custom_ops() -> Vec<CustomOp> {
    let texts = [
        "crc32.i64(i64, i64) -> i64",
        "muladd.f64(f64, f64, f64) -> f64",
        "pause()",
        "put(i64, i32)",
        "cycles() -> i64",
    ];
    texts.map(|text| CustomOp::parse(text).unwrap()).to_vec()
}

fn c_signature(u: &mut Unstructured<'_>) -> Result<CSignature> {
    let mut types = |most| (0..u.int_in_range(0..=most)?).map(|_| c_type(u, 0)).collect::<Result<Vec<_>>>();
    let (params, results) = (types(4)?, types(2)?);
    let abi = if u.ratio(1, 4)? { Abi::Win64 } else { Abi::SysV };
    Ok(CSignature { abi, params, variadic: u.arbitrary()?, results })
}

#[derive(Default)]
struct Ids {
    functions: Vec<FunctionId>,
    globals: Vec<GlobalId>,
    tables: Vec<TableId>,
    externs: Vec<ExternId>,
    data: Vec<DataId>,
    links: link::Links,
}

struct Body {
    builder: FunctionBuilder,
    labels: Vec<LabelId>,
    /// Those that are not bound yet.
    open: Vec<LabelId>,
}

impl Body {
    fn label(&mut self, u: &mut Unstructured<'_>) -> Result<LabelId> {
        if !self.labels.is_empty() && u.arbitrary()? {
            return Ok(*u.choose(&self.labels)?);
        }
        let label = self.builder.label(name(u, self.labels.len())?);
        self.labels.push(label);
        self.open.push(label);
        Ok(label)
    }

    fn instruction(&mut self, u: &mut Unstructured<'_>, ids: &Ids, module: &mut ModuleBuilder) -> Result<()> {
        // The parser numbers labels as the text comes to them, so one that no jump named yet is bound at once.
        if u.ratio(1, 5)? {
            let label = self.builder.label(name(u, self.labels.len())?);
            self.labels.push(label);
            self.builder.bind(label);
        }
        if !self.open.is_empty() && u.ratio(1, 3)? {
            let label = self.open.swap_remove(u.choose_index(self.open.len())?);
            self.builder.bind(label);
        }
        let row = loop {
            let row = u.choose(Op::ROWS)?;
            if !row.op.is_settled() {
                break row;
            }
        };
        self.emit(u, row, ids, module)
    }

    fn emit(&mut self, u: &mut Unstructured<'_>, row: &Row, ids: &Ids, module: &mut ModuleBuilder) -> Result<()> {
        let (d, a, b) = (register(u)?, register(u)?, register(u)?);
        match row.shape {
            Shape::Value if row.args.len() == 1 => self.builder.unary(row.op, d, a),
            Shape::Value | Shape::Mcopy | Shape::Mfill => self.builder.value(row.op, d, a, b),
            Shape::Const => {
                let narrow = matches!(row.op, Op::ConstI32 | Op::ConstF32);
                let bits = u.arbitrary::<u64>()? & if narrow { 0xffff_ffff } else { u64::MAX };
                self.builder.emit(Inst::constant(row.op, d.field(), bits));
            }
            Shape::Move | Shape::Mgrow | Shape::Arg => self.builder.unary(row.op, d, a),
            Shape::Select => self.builder.select(d, a, b, register(u)?),
            Shape::Load => self.builder.mload(row.op, d, a, u.arbitrary()?),
            Shape::Store => self.builder.mstore(row.op, d, a, u.arbitrary()?),
            Shape::Msize => self.builder.msize(d),
            Shape::Read => self.builder.read(d),
            Shape::Print => self.builder.print(a),
            Shape::Gget if !ids.globals.is_empty() => self.builder.gget(d, *u.choose(&ids.globals)?),
            Shape::Gset if !ids.globals.is_empty() => self.builder.gset(*u.choose(&ids.globals)?, a),
            Shape::Jump => {
                let label = self.label(u)?;
                self.builder.jump(label);
            }
            Shape::Branch => {
                let label = self.label(u)?;
                if row.op == Op::Jmpt { self.builder.jump_if(a, label) } else { self.builder.jump_unless(a, label) }
            }
            Shape::Switch => {
                let targets = (0..u.int_in_range(0..=3)?).map(|_| self.label(u)).collect::<Result<Vec<_>>>()?;
                let default = self.label(u)?;
                self.builder.switch(a, &targets, default);
            }
            Shape::Call if !ids.externs.is_empty() && u.arbitrary()? => {
                self.builder.call(&registers(u)?, *u.choose(&ids.externs)?, &registers(u)?);
            }
            Shape::Call if !ids.links.imports.is_empty() && u.arbitrary()? => {
                self.builder.call(&registers(u)?, *u.choose(&ids.links.imports)?, &registers(u)?);
            }
            Shape::Call => self.builder.call(&registers(u)?, *u.choose(&ids.functions)?, &registers(u)?),
            Shape::Calli if !ids.tables.is_empty() => {
                let signature = module.signature(signature(u)?);
                self.builder.calli(&registers(u)?, *u.choose(&ids.tables)?, a, signature, &registers(u)?);
            }
            Shape::Object => link::instruction(u, &mut self.builder, row.op, &ids.links, &ids.functions)?,
            Shape::Ret => self.builder.ret(&registers(u)?),
            Shape::NativeLoad => self.builder.load(row.op, d, a, u.arbitrary()?),
            Shape::NativeStore => self.builder.store(row.op, d, a, u.arbitrary()?),
            Shape::Callp => {
                let signature = module.c_signature(c_signature(u)?);
                self.builder.callp(&registers(u)?, a, signature, &registers(u)?);
            }
            Shape::Addr => self.builder.addr(d, target(u, ids)?),
            Shape::Halt | Shape::CallExtern | Shape::CallImport | Shape::Gget | Shape::Gset | Shape::Calli => {
                self.builder.halt();
            }
            Shape::Trap => self.builder.trap(),
            Shape::Custom => {
                let op = u.choose(&custom_ops())?.clone();
                let opcode = module.opcode(&op);
                let args = op.params.iter().map(|_| register(u)).collect::<Result<Vec<Reg>>>()?;
                self.builder.custom(opcode, op.result.map(|_| d), &args);
            }
        }
        Ok(())
    }
}

fn register(u: &mut Unstructured<'_>) -> Result<Reg> {
    let number = if u.ratio(1, 8)? { u.int_in_range(-1000..=65_535)? } else { u.int_in_range(-3..=5)? };
    Ok(Reg::new(number).unwrap_or(Reg::COUNT))
}

fn registers(u: &mut Unstructured<'_>) -> Result<Vec<Reg>> {
    (0..u.int_in_range(0..=4)?).map(|_| register(u)).collect()
}
