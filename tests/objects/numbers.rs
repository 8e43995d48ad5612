//! Numbers in linked programs: `print` writes and `read` reads them as every tier does.

use std::fmt::Write as _;
use std::fs;

use spasm::isa::op::Type;
use spasm::value::Value;

use crate::tools::{build, folder, output, run};

const SOURCE: &str = "
func show(f64, f32, i64)
    print a1
    print a2
    print a3
    ret
func copy()
    read r1
    read r2
    read r3
    call show, r1, r2, r3
    ret
";

const PROGRAM: &str = r#"
#include "show.h"
#include <stdio.h>
#include <string.h>
static const uint64_t bits[] = {
#include "bits.inc"
};
int main(int argc, char **argv) {
    (void)argv;
    for (size_t i = 0; argc == 1 && i < sizeof bits / sizeof *bits; i++) {
        double wide;
        float narrow;
        uint32_t half = (uint32_t)(bits[i] >> 17);
        memcpy(&wide, bits + i, 8);
        memcpy(&narrow, &half, 4);
        show(wide, narrow, (int64_t)bits[i]);
    }
    while (argc > 1) copy();
    return 0;
}
"#;

/// Bits of all kinds of floats: patterns, powers, and numbers without a pattern.
fn bits() -> Vec<u64> {
    let mut found: Vec<u64> =
        vec![0, 1 << 63, 1, f64::MAX.to_bits(), f64::INFINITY.to_bits(), 0xfff0 << 48, 0x7ff8 << 48];
    found.extend([0xfff8 << 48, 0x7ff0_0000_0000_0001, f64::MIN_POSITIVE.to_bits(), u64::MAX]);
    found.extend((-330..310).map(|power| format!("1e{power}").parse::<f64>().unwrap().to_bits()));
    found.extend((0..64).map(|power| 1u64 << power));
    found.extend([0.1, 0.3, 1.0 / 3.0, 1e16, 1e15, 123_456_789.0, 5e-324, 0.5, 100.0].map(f64::to_bits));
    let mut noise = 0x9e37_79b9_7f4a_7c15u64;
    found.extend((0..1000).map(|_| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise
    }));
    found
}

#[test]
fn numbers_are_those_of_every_tier() {
    let folder = folder("numbers");
    build(&folder, "show", SOURCE);
    let bits = bits();
    let list: String = bits.iter().map(|bits| format!("{bits:#x}u,\n")).collect();
    fs::write(folder.join("bits.inc"), list).unwrap();
    fs::write(folder.join("program.c"), PROGRAM).unwrap();
    run(&folder, "cc", &["-O1", "program.c", "show.o", "-o", "program"]);
    let mut wanted = String::new();
    for &bits in &bits {
        let values = [(Type::F64, bits), (Type::F32, bits >> 17 & 0xffff_ffff), (Type::I64, bits)];
        for (ty, bits) in values {
            let _ = writeln!(wanted, "{}", Value::from_bits(ty, bits));
        }
    }
    let said = run(&folder, "./program", &[]);
    let wrong = said.lines().zip(wanted.lines()).find(|(said, wanted)| said != wanted);
    assert_eq!(wrong, None);
    assert_eq!(said, wanted);

    // What was printed reads back, and so do all other ways to write numbers.
    let ways = "0x1.8p3 0x10 -0b101\n1_000.5 1e-9 'a'\n-inf nan -0x7fff\n5e-324 1e-45 18446744073709551615\n";
    fs::write(folder.join("input"), ways.to_owned() + &wanted).unwrap();
    let said = output(&folder, "sh", &["-c", "./program copy < input"]);
    let read = "12.0\n16.0\n-5\n1000.5\n1e-9\n97\n-inf\nnan\n-32767\n5e-324\n1e-45\n-1\n";
    assert_eq!(String::from_utf8_lossy(&said.stdout), read.to_owned() + &wanted);
    let end = "error: read: expected an f64 number on standard input, found its end\n";
    assert_eq!((said.status.code(), String::from_utf8_lossy(&said.stderr).as_ref()), (Some(1), end));
    for (wrong, why) in [("1e999", "is too large for an f64"), ("'", "is not a number"), ("1.5f", "is not a number")] {
        let said = output(&folder, "sh", &["-c", &format!("echo \"{wrong}\" | ./program copy")]);
        let wanted = format!("error: read: expected an f64 number on standard input: `{wrong}` {why}\n");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(told.replace("\\'", "'"), wanted);
    }
}
