//! The binary form of what modules share.

use spasm::binary::{decode, encode};
use spasm::module::link::Constant;
use spasm::module::native::Target;
use spasm::module::{Function, Module, Signature};

use crate::{EVERYTHING, read};

const VERSION: usize = 8;
const BODY: usize = 24;

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

fn file(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89SPASM\r\n\x07\0\0\0".to_vec();
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32(body).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn everything() -> Module {
    let mut module = read(EVERYTHING);
    if let Some(source) = &mut module.source {
        source.text.clear();
    }
    module
}

#[test]
fn everything_survives_and_says_version_7() {
    let module = everything();
    let bytes = encode(&module);
    assert_eq!(bytes[VERSION], 7);
    let back = decode(&bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(back, module);
    assert_eq!(encode(&back), bytes);
    // Each of these alone asks for the version, too.
    let mut alone = Module::default();
    alone
        .functions
        .push(Function { signature: Signature::new([spasm::isa::op::Type::Funcref], []), ..Function::default() });
    assert_eq!(encode(&alone)[VERSION], 7);
    let alone = read("func f(i64)\n tsize r1, t\n ret\ntable t funcref 1\n");
    let alone = Module { tables: vec![], ..alone };
    assert_eq!(encode(&alone)[VERSION], 7);
    assert_eq!(encode(&read("global g const i32 = 5"))[VERSION], 7);
    assert_eq!(encode(&read("global g i32 = 5"))[VERSION], 1);
}

#[test]
fn every_damaged_or_missing_byte_is_noticed() {
    let bytes = encode(&everything());
    for at in 0..bytes.len() {
        assert!(decode(&bytes[..at]).is_err(), "the first {at} bytes");
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(decode(&damaged).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn damage_behind_the_checksum_stops_nothing() {
    // Whatever is read can be written, verified and read again.
    let bytes = encode(&everything());
    for at in BODY..bytes.len() {
        for value in [0, 2, 7, 0x80] {
            let mut body = bytes[BODY..].to_vec();
            body[at - BODY] = value;
            if let Ok(module) = decode(&file(&body)) {
                assert_eq!(decode(&encode(&module)).as_ref(), Ok(&module), "byte {at} is {value}");
                _ = spasm::text::print(&module);
                _ = spasm::verify::verify(module);
            }
        }
    }
}

#[test]
fn sections_that_make_no_sense_are_refused() {
    let refused = |body: &[u8]| decode(&file(body)).expect_err("the bytes are wrong").to_string();
    assert_eq!(refused(&[21, 0]), "there is no section number 21 (at offset 0x18)");
    assert_eq!(refused(&[14, 3, 1, 0, 1]), "there is no global number 0 (at offset 0x1c)");
    assert_eq!(refused(&[15, 2, 0, 0]), "there is no memory that could be imported (at offset 0x1a)");
    assert_eq!(refused(&[16, 6, 1, 0, 0, 4, 1, 0]), "there is no table number 0 (at offset 0x1c)");
    let global = [3, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let with = |rest: &[u8]| refused(&[&global[..], rest].concat());
    assert_eq!(with(&[14, 3, 1, 0, 8]), "a global cannot have the flags 0x8 (at offset 0x2a)");
    assert_eq!(with(&[14, 5, 2, 0, 1, 0, 1]), "item number 0 stands in the wrong place (at offset 0x2b)");
    assert_eq!(with(&[14, 5, 1, 0, 4, 3, 0]), "there is no constant of kind 3 (at offset 0x2b)");
    assert_eq!(with(&[14, 6, 1, 0, 4, 2, 1, 0]), "nothing of kind 1 can be referred to (at offset 0x2c)");
    assert_eq!(refused(&[17, 6, 1, 0, 6, 0, 0, 0]), "there is no type number 6 (at offset 0x1c)");
    assert_eq!(refused(&[17, 6, 1, 0, 4, 3, 0, 0]), "there is no mode number 3 (at offset 0x1d)");
    assert_eq!(refused(&[19, 5, 1, 0, 5, 0, 0]), "nothing of kind 5 and number 0 can be exported (at offset 0x1c)");
    assert_eq!(refused(&[19, 5, 1, 0, 2, 1, 0]), "nothing of kind 2 and number 1 can be exported (at offset 0x1c)");
    assert_eq!(refused(&[20, 2, 2, 0]), "nothing of kind 2 can be referred to (at offset 0x1a)");
    let mut old = file(&[2, 5, 1, 0, 1, 4, 0]);
    assert!(decode(&old).is_ok());
    old[VERSION] = 4;
    assert!(decode(&old).expect_err("it is old").to_string().starts_with("there is no type number 4"));
    let mut old = file(&[1, 6, 1, 4, b't', b'g', b'e', b't']);
    assert!(decode(&old).is_ok());
    old[VERSION] = 4;
    assert!(decode(&old).expect_err("it is old").to_string().contains("does not know the instruction `tget`"));
}

#[test]
fn a_short_file_does_not_stand_for_a_long_program() {
    let mut module = read("func f\n tfill t, 1, 2, 3\ntable t funcref 1\n");
    assert!(decode(&encode(&module)).is_ok());
    let shared = module.functions[0].insts[0];
    module.functions[0].insts.push(shared);
    module.functions[0].lines.clear();
    let message = decode(&encode(&module)).expect_err("they share").to_string();
    assert!(message.starts_with("function `f`: its instructions share lists of operands"), "{message}");
}

#[test]
fn extremes_survive() {
    let mut module = everything();
    module.globals[4].start = Constant::Function(Target::Import(u32::MAX));
    module.globals[5].start = Constant::Global(u32::MAX);
    module.elements[0].items = vec![Constant::Bits(u64::MAX); 3];
    if let Some(growing) = &mut module.tables[0].growing {
        (growing.min, growing.max) = (u32::MAX, Some(u32::MAX));
    }
    assert_eq!(decode(&encode(&module)), Ok(module));
}
