//! Prints externs and data.
//!
//! Comes in: items of a module, verified or not. Goes out: lines that read back as the same items. What must hold: as for
//! the rest of the printer, what cannot be written becomes a name that the parser refuses.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::native::abi;
use super::print::{Printer, escape, name, quoted};
use crate::module::native::{Abi, CSignature, Data, Extern, Target};

/// A C signature with its convention, where that is not the usual one.
pub fn c_signature(signature: &CSignature) -> String {
    match signature.abi {
        Abi::SysV => signature.to_string(),
        Abi::Win64 => format!("\"win64\" {signature}"),
    }
}

impl Printer<'_> {
    pub(super) fn external(&mut self, e: &Extern) {
        let signature = self.module.c_signatures.get(e.signature as usize);
        let convention = match signature.map(|signature| signature.abi) {
            Some(Abi::Win64) => "\"win64\" ",
            // A library of such a name must not be taken for a convention.
            _ if abi(&e.library).is_some() => "\"sysv64\" ",
            _ => "",
        };
        self.put(format_args!("extern {convention}{} {}", quoted(&e.library), name(&e.symbol)));
        match signature {
            Some(signature) => self.put(format_args!("{signature}")),
            None => self.put(format_args!(" \"C signature {}, which is missing\"", e.signature)),
        }
        if e.name != e.symbol {
            self.put(format_args!(" as {}", name(&e.name)));
        }
        self.out.push('\n');
    }

    pub(super) fn data(&mut self, data: &Data) {
        self.put(format_args!("{} {}", if data.writable { "data" } else { "rodata" }, name(&data.name)));
        let (contents, natural) = self.contents(data);
        if data.align != natural {
            self.put(format_args!(" align {}", data.align));
        }
        self.put(format_args!(" = {contents}\n"));
    }

    /// What data consists of, and the alignment that this has if nothing is said of it.
    fn contents(&self, data: &Data) -> (String, u32) {
        let mut out = String::new();
        let natural = match data.bytes.len() {
            0 if data.zeros > 0 && data.pointers.is_empty() => 16,
            _ if !data.pointers.is_empty() => self.words(data, &mut out),
            n if n > 0 && n % 8 == 0 && data.align == 8 => elements(&data.bytes, 8, &mut out),
            n if n > 0 && n % 4 == 0 && data.align == 4 => elements(&data.bytes, 4, &mut out),
            n if n > 0 && n % 2 == 0 && data.align == 2 => elements(&data.bytes, 2, &mut out),
            _ => {
                out.push('"');
                data.bytes.iter().for_each(|&byte| escape(byte, &mut out));
                out.push('"');
                1
            }
        };
        if data.zeros > 0 {
            let comma = if out.is_empty() { "" } else { ", " };
            _ = write!(out, "{comma}zero {}", data.zeros);
        }
        (out, natural)
    }

    /// Data with addresses: as words, and what is left as bytes.
    fn words(&self, data: &Data, out: &mut String) -> u32 {
        let mut pointers: HashMap<usize, Target> =
            data.pointers.iter().map(|pointer| (pointer.offset as usize, pointer.target)).collect();
        let words = data.bytes.chunks_exact(8);
        let rest = words.remainder();
        out.push_str("ptr");
        for (at, word) in words.enumerate() {
            out.push_str(if at == 0 { " " } else { ", " });
            match pointers.remove(&(at * 8)) {
                Some(target) => out.push_str(&self.target_name(target)),
                None => _ = write!(out, "{}", i64::from_le_bytes(word.try_into().unwrap_or_default())),
            }
        }
        if let Some(at) = pointers.keys().min() {
            _ = write!(out, ", \"the address at byte {at}, which has no place there\"");
        }
        for (at, byte) in rest.iter().enumerate() {
            out.push_str(if at == 0 { ", i8 " } else { ", " });
            _ = write!(out, "{byte}");
        }
        8
    }

    pub(super) fn target_name(&self, target: Target) -> String {
        let (found, what, index) = match target {
            Target::Function(n) => (self.module.functions.get(n as usize).map(|f| &f.name), "function", n),
            Target::Extern(n) => (self.module.externs.get(n as usize).map(|e| &e.name), "extern", n),
            Target::Import(n) => (self.module.imports.get(n as usize).map(|i| &i.name), "import", n),
            Target::Data(n) => (self.module.data.get(n as usize).map(|data| &data.name), "data", n),
        };
        found.map_or_else(|| format!("\"{what} {index}, which is missing\""), |found| name(found).into_owned())
    }
}

/// Writes integers of `width` bytes.
fn elements(bytes: &[u8], width: u32, out: &mut String) -> u32 {
    _ = write!(out, "i{} ", width * 8);
    for (at, element) in bytes.chunks_exact(width as usize).enumerate() {
        let sign = if element[element.len() - 1] & 0x80 == 0 { 0 } else { 0xff };
        let mut word = [sign; 8];
        word[..element.len()].copy_from_slice(element);
        let comma = if at == 0 { "" } else { ", " };
        _ = write!(out, "{comma}{}", i64::from_le_bytes(word));
    }
    width
}
