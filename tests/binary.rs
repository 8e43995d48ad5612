//! The binary form from outside: what survives it, what its bytes are, and which bytes are refused.

use spasm::binary::{decode, encode, is_binary};
use spasm::isa::op::Op;
use spasm::module::{Function, Inst, Label, Module, Signature};
use spasm::text::{parse, print};

/// Where the parts of a file stand.
const VERSION: usize = 8;
const LENGTH: usize = 12;
const CHECKSUM: usize = 20;
const BODY: usize = 24;

const PROGRAM: &str = r#"
memory 1 2
init 8 = "text\0"
global counter i64 = -1
table t = [main, "odd name"]
func main(i32, f64, ...) -> (i64, f32)
again: const.f64 r1, 0x1.8p3
    switch a1, [again, end], end
    call (r2, r3), main, r2, r1

end:
    calli r1, t, a1, (i64) -> i64, r2
    mload.8s r65535, a255, 4294967295
    select r1, r2, r3, r4
    ret r1, r3
func "odd name"
    trap
"#;

fn program() -> Module {
    parse("dir/program.spasm", PROGRAM).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The module as it is after its source's text is gone.
fn without_text(mut module: Module) -> Module {
    if let Some(source) = &mut module.source {
        source.text.clear();
    }
    module
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// A file with this body.
fn file(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89SPASM\r\n\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32(body).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    decode(bytes).expect_err("the bytes are wrong").to_string()
}

#[test]
fn everything_but_the_text_of_the_source_survives() {
    let module = program();
    let bytes = encode(&module);
    assert!(is_binary(&bytes));
    let back = decode(&bytes).expect("it can be read");
    assert_eq!(back, without_text(module.clone()));
    assert_eq!(back.functions[0].lines, [7, 8, 9, 12, 13, 14, 15]);
    assert_eq!(print(&back), print(&module));
    assert_eq!(encode(&back), bytes);
    assert_eq!(decode(&encode(&Module::default())), Ok(Module::default()));
}

#[test]
fn extremes_survive() {
    let inst = Inst { op: Op::ConstF64, d: u32::MAX, a: 0x8000_0000, b: 0x7fff_ffff };
    let mut module = program();
    module.functions.push(Function {
        signature: Signature { variadic: true, ..Signature::default() },
        insts: vec![inst; 3],
        labels: vec![Label { name: String::new(), at: u32::MAX }, Label { name: "ä".to_owned(), at: 3 }],
        lines: vec![u32::MAX, 0, 5],
        line: u32::MAX,
        lists: vec![u32::MAX, 0],
        ..Function::default()
    });
    module.source = None;
    let memory = module.memory.as_mut().expect("it has one");
    (memory.min, memory.max) = (u32::MAX, Some(u32::MAX));
    assert_eq!(decode(&encode(&module)), Ok(module));
}

#[test]
fn the_bytes_are_what_the_format_says() {
    let module = parse("f", "func f\n    const a1, -2\n").expect("a program");
    let body = [
        &[1, 11, 1, 9][..],
        b"const.i64",
        // One function: name, signature, line, labels, lists.
        &[7, 17, 1, 1, b'f', 0, 1, 1, 0, 1, 0, 0],
        // const, a1, and the halves of the literal.
        &[1, 0, 1, 3, 1],
        // One line: 2.
        &[1, 4],
        &[8, 2, 1, b'f'],
    ]
    .concat();
    assert_eq!(encode(&module), file(&body));
}

#[test]
fn every_damaged_byte_is_noticed() {
    let bytes = encode(&program());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(decode(&damaged).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_missing_or_additional_byte_is_noticed() {
    let bytes = encode(&program());
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "the first {end} bytes");
    }
    for more in 1..20 {
        assert!(decode(&[&bytes[..], &vec![0; more]].concat()).is_err(), "{more} bytes more");
    }
    // So is one in a body whose header says that all is well.
    for end in BODY..bytes.len() {
        let message = decode(&file(&bytes[BODY..end])).map(|module| module.source).map_err(|error| error.to_string());
        // Whole sections can be missing; those behind functions are not needed.
        assert!(message.as_ref().map_or(true, Option::is_none), "the first {end} bytes: {message:?}");
        assert!(decode(&file(&[&bytes[BODY..end], &[0xff]].concat())).is_err(), "the first {end} bytes, and one");
    }
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let bytes = encode(&program());
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        refusal(&bytes)
    };
    let length = bytes.len();
    assert_eq!(refusal(b"func f\n"), "this is not a module in binary form (at offset 0x0)");
    assert_eq!(refusal(&bytes[..20]), "the file is cut short: it ends in its header (at offset 0x14)");
    let cut = format!("the file is cut short: 7 bytes are missing (at offset {:#x})", length - 7);
    assert_eq!(refusal(&bytes[..length - 7]), cut);
    let more = format!("3 bytes follow the end of the module (at offset {length:#x})");
    assert_eq!(refusal(&[&bytes[..], b"abc"].concat()), more);
    assert_eq!(with(VERSION, 8), "the file has version 8 of the format; this program reads up to 7 (at offset 0x8)");
    assert_eq!(with(VERSION, 5), "there is no version 5 of the format (at offset 0x8)");
    assert_eq!(with(VERSION, 3), "there is no version 3 of the format (at offset 0x8)");
    assert_eq!(with(VERSION, 0), "there is no version 0 of the format (at offset 0x8)");
    assert!(with(LENGTH + 7, 0xff).starts_with("the file is cut short: "));
    let damaged = "the file is damaged: its checksum does not fit its contents (at offset 0x14)";
    assert_eq!(with(CHECKSUM, bytes[CHECKSUM] ^ 1), damaged);
    assert_eq!(with(length - 1, 0), damaged);
}

#[test]
fn bodies_that_make_no_sense_are_refused() {
    let refused = |body: &[u8]| refusal(&file(body));
    assert_eq!(refused(&[0]), "there is no section number 0 (at offset 0x18)");
    assert_eq!(refused(&[9, 1, 0]), "there is no section number 9 (at offset 0x18)", "in version 1");
    assert_eq!(refused(&[2, 1, 0, 2, 1, 0]), "section number 2 stands in the wrong place (at offset 0x1b)");
    assert_eq!(refused(&[3, 1, 0, 2, 1, 0]), "section number 2 stands in the wrong place (at offset 0x1b)");
    assert_eq!(refused(&[3, 2, 0, 0]), "the section has 1 bytes too many (at offset 0x1b)");
    assert_eq!(refused(&[3, 9, 0]), "9 items are said to follow, but only 1 bytes are left (at offset 0x19)");
    assert_eq!(refused(&[3]), "1 bytes are expected here, but only 0 are left (at offset 0x19)");
    let huge = [&[3, 10][..], &[0xff; 9], &[1]].concat();
    assert_eq!(
        refused(&huge),
        format!("{} items are said to follow, but only 0 bytes are left (at offset 0x1a)", u64::MAX)
    );
    let larger = [&[3, 10][..], &[0xff; 9], &[2]].concat();
    assert_eq!(refused(&larger), "this number is too large (at offset 0x1a)");
    assert_eq!(refused(&[1, 4, 1, 2, b'x', b'y']), "this program does not know the instruction `xy` (at offset 0x1b)");
    // What only the verifier makes is no instruction of a file, and neither are the short names of the text.
    assert_eq!(
        refused(&[&[1, 10, 1, 8][..], b"move.i64"].concat()),
        "this program does not know the instruction `move.i64` (at offset 0x1b)"
    );
    assert!(refused(&[&[1, 5, 1, 3][..], b"add"].concat()).contains("`add`"));
    assert_eq!(refused(&[8, 2, 1, 0xff]), "this text is not UTF-8 (at offset 0x1a)");
    assert_eq!(refused(&[2, 4, 1, 2, 0, 0]), "a signature cannot have the flags 0x2 (at offset 0x1b)");
    assert_eq!(refused(&[2, 5, 1, 0, 1, 4, 0]), "there is no type number 4 (at offset 0x1d)");
    assert_eq!(
        refused(&[4, 7, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 0]),
        "this number is larger than 32 bits (at offset 0x1a)"
    );
    assert_eq!(refused(&[6, 5, 1, 1, b't', 1, 0]), "1 bytes are expected here, but only 0 are left (at offset 0x1f)");
    assert_eq!(refused(&[6, 6, 1, 1, b't', 1, 0, 0]), "table `t` names a function that is not there (at offset 0x20)");
    let function = |rest: &[u8]| {
        let length = u8::try_from(rest.len() + 7).expect("it is short");
        refused(&[&[7, length, 1, 1, b'f', 0, 0, 0, 0], rest].concat())
    };
    assert_eq!(function(&[0, 0, 1, 0, 0, 0, 0, 0]), "the module has no instruction number 0 (at offset 0x24)");
    assert_eq!(function(&[1, 0, 2, 0, 0, 0]), "function `f`: a label stands behind its end (at offset 0x1b)");
    assert_eq!(function(&[0, 0, 0, 1, 2]), "function `f`: it has not as many lines as instructions (at offset 0x1b)");
}

/// A module that has everything of C.
const NATIVE: &str = r#"
extern "libm.so.6" hypot(f64, struct{f32, struct{u8, bool}}, ...) -> (i64, i16) as h
extern "win64" "" f(ptr) -> ptr
data d = ptr h, 0, main, d, zero 100
rodata text = "text\0"
func main
    addr 1, text
    call (2, 3), h, 4, 5, 6, 7, 4
    callp 1, "win64" (u32), 2
    load.16s 2, 1, -2
    ret
"#;

#[test]
fn what_is_of_c_survives_and_says_version_2() {
    let module = parse("native.spasm", NATIVE).unwrap_or_else(|errors| panic!("{errors}"));
    let bytes = encode(&module);
    assert_eq!(bytes[VERSION], 2);
    assert_eq!(decode(&bytes), Ok(without_text(module.clone())));
    let mut old = bytes;
    old[VERSION] = 1;
    assert!(refusal(&old).starts_with("there is no section number 9"));
    assert_eq!(encode(&program())[VERSION], 1, "others can be read by older programs");
}

#[test]
fn declared_opcodes_survive_and_say_version_4() {
    let text =
        "opcode crc.i64(i64, f32) -> f64\nopcode pause()\nfunc main(i64) -> f64\n pause\n crc r1, a1, r2\n ret r1\n";
    let module = parse("custom.spasm", text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(module.customs.iter().map(|custom| custom.line).collect::<Vec<u32>>(), [1, 2]);
    let bytes = encode(&module);
    assert_eq!(bytes[VERSION], 4);
    assert_eq!(decode(&bytes), Ok(without_text(module)));
    let mut old = bytes;
    old[VERSION] = 2;
    assert!(refusal(&old).starts_with("there is no section number 12"));
    let refused = |body: &[u8]| {
        let mut bytes = file(body);
        bytes[VERSION] = 4;
        refusal(&bytes)
    };
    assert_eq!(refused(&[13, 0]), "there is no section number 13 (at offset 0x18)");
    assert_eq!(refused(&[12, 7, 1, 1, b'x', 0, 2, 1, 1]), "an opcode cannot have 2 results (at offset 0x1e)");
    assert_eq!(refused(&[12, 5, 1, 1, b'x', 1, 9]), "there is no type number 9 (at offset 0x1e)");
}

#[test]
fn sections_of_c_that_make_no_sense_are_refused() {
    let refused = |body: &[u8]| {
        let mut bytes = file(body);
        bytes[VERSION] = 2;
        refusal(&bytes)
    };
    assert_eq!(refused(&[12, 0]), "there is no section number 12 (at offset 0x18)");
    assert_eq!(refused(&[9, 4, 1, 4, 0, 0]), "a C signature cannot have the flags 0x4 (at offset 0x1b)");
    assert_eq!(refused(&[9, 5, 1, 0, 1, 11, 0]), "there is no C type number 11 (at offset 0x1d)");
    let deep: Vec<u8> = (0..17).flat_map(|_| [10, 1]).chain([0]).collect();
    let section = [&[9, 40, 1, 0, 1][..], &deep, &[0, 0, 0]].concat();
    assert!(refused(&section).starts_with("structs are nested more than 16 deep"), "{}", refused(&section));
    assert_eq!(refused(&[11, 8, 1, 0, 2, 1, 0, 0, 0, 0]), "data cannot have the flags 0x2 (at offset 0x1c)");
    assert_eq!(
        refused(&[11, 11, 1, 0, 1, 8, 0, 0, 1, 0, 3, 0, 0]),
        "nothing of kind 3 has an address (at offset 0x22)"
    );
    assert!(refused(&[11, 8, 1, 0, 1, 8, 9, 0, 0, 0]).contains("9 items are said to follow"));
}

#[test]
fn a_short_file_does_not_stand_for_a_long_program() {
    let mut module = parse("f", "func f\n ret 1, 2, 3\n ret 1, 2\n").expect("a program");
    assert!(decode(&encode(&module)).is_ok());
    for op in [Op::Ret, Op::Call, Op::Callp, Op::Switch] {
        let shared = Inst { op, ..module.functions[0].insts[0] };
        module.functions[0].insts = vec![shared; 2];
        module.functions[0].lines.clear();
        let message = refusal(&encode(&module));
        assert!(message.starts_with("function `f`: its instructions share lists of operands"), "{message}");
    }
}

#[test]
fn modules_without_sense_are_still_written() {
    let mut module = program();
    for op in Op::ALL {
        module.functions[0].insts.push(Inst { op: *op, d: 9, a: u32::MAX, b: u32::MAX });
    }
    module.functions[0].lines.clear();
    module.functions[0].insts.retain(|inst| !inst.op.is_settled());
    assert_eq!(decode(&encode(&module)), Ok(without_text(module)));
}
