//! What one instruction touches, as the decoder knows it.
//!
//! Comes in: a decoded instruction. Goes out: the registers that it reads and writes, with how much of them, and the
//! features that it needs. What must hold: instructions whose result does not depend on what a register held, such as
//! `xor x, x`, do not count as reading it.

use iced_x86::{CpuidFeature, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind};

use crate::isa::template::{GP, XMM};

/// A register by its number; vector registers come after the general ones.
pub(super) type Place = usize;

/// The stack pointer.
pub(super) const STACK: Place = 4;

/// The place of a register.
pub(super) fn place(number: u8, vector: bool) -> Place {
    usize::from(number) + 16 * usize::from(vector)
}

/// The name of the register in a place.
pub(super) fn place_name(place: Place) -> &'static str {
    if place < 16 { GP[place] } else { XMM[place - 16] }
}

/// What an instruction does with a register: how many of its low bytes it reads and writes.
pub(super) struct Access {
    pub(super) place: Place,
    pub(super) reads: u8,
    pub(super) writes: u8,
}

/// What an instruction does with registers.
pub(super) fn accesses(instruction: &Instruction) -> Vec<Access> {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(instruction);
    // These give the same result whatever the register held.
    let same = instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register();
    let idiom = matches!(
        instruction.mnemonic(),
        Mnemonic::Xor | Mnemonic::Sub | Mnemonic::Sbb | Mnemonic::Xorps | Mnemonic::Pxor | Mnemonic::Pcmpeqd
    );
    let mut found: Vec<Access> = Vec::new();
    for used in info.used_registers() {
        let register = used.register();
        let access = used.access();
        let reads =
            matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite);
        let writes =
            matches!(access, OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite);
        let (number, bytes) = if register.is_gpr() {
            (place(register.full_register().number() as u8, false), register.size() as u8)
        } else if register.is_vector_register() {
            (place(register.number() as u8, true), 8)
        } else {
            continue;
        };
        let reads = if reads { bytes } else { 0 };
        let writes = if writes { bytes } else { 0 };
        match found.iter_mut().find(|a| a.place == number) {
            Some(known) => {
                known.reads = known.reads.max(reads);
                known.writes = known.writes.max(writes);
            }
            None => found.push(Access { place: number, reads, writes }),
        }
    }
    if same && idiom {
        for access in &mut found {
            access.reads = 0;
        }
    }
    found
}

/// The name of the feature that a template must declare for an instruction: `Ok(None)` for what every machine has, an
/// error for what no template can declare.
pub(super) fn feature_name(feature: CpuidFeature) -> Result<Option<&'static str>, CpuidFeature> {
    match feature {
        CpuidFeature::BMI1 => Ok(Some("bmi1")),
        CpuidFeature::BMI2 => Ok(Some("bmi2")),
        CpuidFeature::LZCNT => Ok(Some("lzcnt")),
        CpuidFeature::POPCNT => Ok(Some("popcnt")),
        CpuidFeature::SSE4_1 => Ok(Some("sse4.1")),
        CpuidFeature::SSSE3 => Ok(Some("ssse3")),
        CpuidFeature::SSE4_2 => Ok(Some("sse4.2")),
        CpuidFeature::AES => Ok(Some("aes")),
        CpuidFeature::PCLMULQDQ => Ok(Some("pclmul")),
        CpuidFeature::FMA => Ok(Some("fma")),
        CpuidFeature::AVX2 => Ok(Some("avx2")),
        CpuidFeature::ADX => Ok(Some("adx")),
        CpuidFeature::SHA => Ok(Some("sha")),
        CpuidFeature::MOVBE => Ok(Some("movbe")),
        CpuidFeature::AVX => Ok(Some("avx")),
        _ if BASELINE.contains(&feature) => Ok(None),
        other => Err(other),
    }
}

/// What every x86-64 machine has.
const BASELINE: [CpuidFeature; 12] = [
    // To machines without it, `endbr64` does nothing.
    CpuidFeature::CET_IBT,
    CpuidFeature::INTEL8086,
    CpuidFeature::INTEL186,
    CpuidFeature::INTEL286,
    CpuidFeature::INTEL386,
    CpuidFeature::INTEL486,
    CpuidFeature::X64,
    CpuidFeature::CMOV,
    CpuidFeature::SSE,
    CpuidFeature::SSE2,
    CpuidFeature::PAUSE,
    CpuidFeature::TSC,
];
