//! The files of shared libraries, looked at before they are loaded.
//!
//! Comes in: a path. Goes out: [`ElfFile`], whose symbols can be asked for, or what is wrong with the file. What must
//! hold: any bytes at all may stand in the file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use goblin::elf::Elf;
use goblin::elf::header::{ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_DYN};
use goblin::elf::sym::{STB_LOCAL, STT_COMMON, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, STT_OBJECT, STT_TLS};

use crate::text::nearest;

use super::link_error::Problem;

/// The file of a shared library that this machine can load.
#[derive(Debug)]
pub struct ElfFile {
    pub path: PathBuf,
    /// What it has for others: names, and whether they are functions.
    symbols: Vec<(String, bool)>,
}

/// What a library has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Function,
    Data,
    Nothing,
}

impl ElfFile {
    /// Reads a library's file.
    pub fn read(path: &Path) -> Result<ElfFile, Problem> {
        let unreadable =
            |error: std::io::Error| Problem::Unreadable { path: path.to_owned(), reason: error.to_string() };
        let mut bytes = Vec::new();
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(unreadable)?;
        ElfFile::parse(path, &bytes)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<ElfFile, Problem> {
        let unfit = |reason: String| Problem::Unfit { path: path.to_owned(), reason };
        if !bytes.starts_with(b"\x7fELF") {
            return Err(not_elf(path, bytes));
        }
        // The ends of the header's first bytes, before everything else depends on them.
        match (bytes.get(4), bytes.get(5)) {
            (Some(&ELFCLASS64), Some(&ELFDATA2LSB)) => {}
            (Some(1), _) => return Err(unfit("it is for 32-bit programs".to_owned())),
            (Some(_), Some(2)) => return Err(unfit("it is for machines of the other byte order".to_owned())),
            _ => return Err(unfit("it is truncated".to_owned())),
        }
        let machine = bytes.get(18..20).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        if let Some(machine) = machine.filter(|&machine| machine != EM_X86_64) {
            let name = goblin::elf::header::machine_to_str(machine);
            return Err(unfit(format!("it is for another machine ({name}), not x86-64")));
        }
        let elf = Elf::parse(bytes).map_err(|error| unfit(format!("it is damaged or truncated: {error}")))?;
        if elf.header.e_type != ET_DYN {
            return Err(unfit("it is no shared library, but an object file or a program".to_owned()));
        }
        // What is to be mapped must be there: the dynamic linker would map what lies behind the end, and fault.
        let whole = |header: &goblin::elf::ProgramHeader| {
            header.p_offset.checked_add(header.p_filesz).is_some_and(|end| end <= bytes.len() as u64)
        };
        if !elf.program_headers.iter().all(whole) {
            return Err(unfit("it is truncated".to_owned()));
        }
        let own = elf.dynsyms.iter().filter(|symbol| symbol.st_shndx != 0 && symbol.st_bind() != STB_LOCAL);
        let kind = |ty: u8| match ty {
            STT_FUNC | STT_GNU_IFUNC | STT_NOTYPE => Some(true),
            STT_OBJECT | STT_COMMON | STT_TLS => Some(false),
            _ => None,
        };
        let symbol = |symbol: goblin::elf::Sym| {
            let name = elf.dynstrtab.get_at(symbol.st_name)?;
            Some((name.to_owned(), kind(symbol.st_type())?))
        };
        let symbols = own.filter_map(symbol).collect();
        Ok(ElfFile { path: path.to_owned(), symbols })
    }

    /// What stands there under this name.
    pub fn symbol(&self, name: &str) -> Found {
        // Of several versions of a symbol one is a function exactly if the others are.
        match self.symbols.iter().find(|(symbol, _)| symbol == name) {
            Some((_, true)) => Found::Function,
            Some((_, false)) => Found::Data,
            None => Found::Nothing,
        }
    }

    /// The function whose name is nearest, if one is near.
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let functions = self.symbols.iter().filter(|(_, function)| *function).map(|(name, _)| name.as_str());
        nearest(name, functions).map(str::to_owned).into_iter().collect()
    }
}

/// What a file is that is no library.
fn not_elf(path: &Path, bytes: &[u8]) -> Problem {
    let path = path.to_owned();
    if bytes.is_empty() {
        return Problem::Unfit { path, reason: "it is empty".to_owned() };
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
    let words = || start.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    if words().any(|word| matches!(word, "GROUP" | "INPUT" | "OUTPUT_FORMAT")) {
        let instead = words().find(|word| word.contains(".so"));
        let instead = instead.map(|word| word.rsplit('/').next().unwrap_or(word).to_owned());
        return Problem::Script { path, instead };
    }
    if b"\x7fELF".starts_with(bytes) {
        return Problem::Unfit { path, reason: "it is truncated".to_owned() };
    }
    Problem::Unfit { path, reason: "it is no ELF file".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_kinds_are_told_apart() {
        let problem = |bytes: &[u8]| match ElfFile::parse(Path::new("lib.so"), bytes) {
            Err(Problem::Unfit { reason, .. }) => reason,
            Err(Problem::Script { instead, .. }) => format!("script for {instead:?}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(problem(b""), "it is empty");
        assert_eq!(problem(b"\x7fEL"), "it is truncated");
        assert_eq!(problem(b"#!/bin/sh"), "it is no ELF file");
        assert_eq!(problem(b"\x7fELF\x01\x01"), "it is for 32-bit programs");
        let script = b"/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/libm.so.6  AS_NEEDED ( /x.so ) )";
        assert_eq!(problem(script), "script for Some(\"libm.so.6\")");
        let mut other = b"\x7fELF\x02\x01\x01".to_vec();
        other.resize(64, 0);
        other[18] = 183;
        assert!(problem(&other).contains("another machine"), "{}", problem(&other));
    }

    #[test]
    fn damage_is_found() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        for len in (0..200).chain((0..own.len()).step_by(own.len() / 50 + 1)) {
            assert!(ElfFile::parse(Path::new("x"), &own[..len]).is_err(), "{len} bytes");
        }
    }
}
