//! Files from which perf learns the names of functions, and their lines.
//!
//! Comes in: code in memory. Goes out: lines of `/tmp/perf-PID.map`, or records of `jit-PID.dump`. What must hold: a file
//! that cannot be written is given up in silence, since the program is what counts; records are those of perf's
//! `jitdump-specification.txt`.

#![allow(unsafe_code, reason = "a mapping that perf takes note of, and the clock that it goes by")]

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

use crate::debug::{self, Piece};
use crate::module::Module;
use crate::stitch::image::Image;

/// Adds functions to the map.
pub fn map(base: u64, pieces: &[Piece]) {
    let mut text = String::new();
    for Piece { name, offset, size } in pieces {
        let name = name.replace(char::is_control, "?");
        let _ = writeln!(text, "{:x} {size:x} spasm::{name}", base + offset);
    }
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let file = OpenOptions::new().create(true).append(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(text.as_bytes()));
}

struct Dump {
    /// None where it could not be made.
    file: Option<File>,
    /// The number of the next piece of code.
    next: u64,
}

static DUMP: Mutex<Option<Dump>> = Mutex::new(None);

/// `JiTD`, as a number of this machine's byte order.
const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
const LOAD: u32 = 0;
const DEBUG_INFO: u32 = 2;
/// The number of x86-64 in ELF.
const MACHINE: u32 = 62;

/// Adds functions, their code and their lines to the dump.
pub fn dump(module: &Module, image: &Image, (base, code): (usize, &[u8])) {
    let mut dump = DUMP.lock().unwrap_or_else(PoisonError::into_inner);
    let dump = dump.get_or_insert_with(start);
    let Some(file) = &mut dump.file else { return };
    let lines = debug::lines(module, image);
    let source = module.source.as_ref().map_or("", |source| source.name.as_str());
    let mut records = Vec::new();
    for Piece { name, offset, size } in debug::pieces(module, image) {
        let Some(bytes) = code.get(offset as usize..(offset + size) as usize) else { continue };
        let address = base as u64 + offset;
        lines_of(&mut records, source, &lines, base as u64, (offset, size));
        let mut body = Vec::new();
        body.extend([std::process::id(), thread()].map(u32::to_ne_bytes).concat());
        body.extend([address, address, size, dump.next].map(u64::to_ne_bytes).concat());
        body.extend(name.bytes().filter(|&byte| byte != 0).chain([0]));
        body.extend(bytes);
        record(&mut records, LOAD, &body);
        dump.next += 1;
    }
    if file.write_all(&records).is_err() {
        dump.file = None;
    }
}

/// The lines of a piece of code, which stand before the piece.
fn lines_of(records: &mut Vec<u8>, source: &str, lines: &[(u32, u32)], base: u64, (offset, size): (u64, u64)) {
    let first = lines.partition_point(|row| u64::from(row.0) < offset);
    let last = lines.partition_point(|row| u64::from(row.0) < offset + size);
    let rows: Vec<_> = lines[first..last].iter().filter(|row| row.1 != 0).collect();
    if rows.is_empty() || source.is_empty() {
        return;
    }
    let mut body = Vec::new();
    body.extend([base + offset, rows.len() as u64].map(u64::to_ne_bytes).concat());
    for &&(at, line) in &rows {
        body.extend((base + u64::from(at)).to_ne_bytes());
        body.extend(line.to_ne_bytes());
        body.extend(0u32.to_ne_bytes());
        body.extend(source.bytes().filter(|&byte| byte != 0).chain([0]));
    }
    record(records, DEBUG_INFO, &body);
}

fn record(to: &mut Vec<u8>, kind: u32, body: &[u8]) {
    to.extend(kind.to_ne_bytes());
    to.extend((body.len() as u32 + 16).to_ne_bytes());
    to.extend(now().to_ne_bytes());
    to.extend(body);
}

/// Makes the dump. perf learns of it by an executable mapping of the file, which stays.
fn start() -> Dump {
    let path = format!("jit-{}.dump", std::process::id());
    let made = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path);
    let file = made.ok().and_then(|mut file| {
        let mut header = Vec::new();
        header.extend([MAGIC, VERSION, 40, MACHINE, 0, std::process::id()].map(u32::to_ne_bytes).concat());
        header.extend([now(), 0].map(u64::to_ne_bytes).concat());
        file.write_all(&header).ok()?;
        // SAFETY: nobody reads or runs the mapping; it is there to be noticed.
        let mapped = unsafe {
            let access = libc::PROT_READ | libc::PROT_EXEC;
            libc::mmap(std::ptr::null_mut(), 4096, access, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        (mapped != libc::MAP_FAILED).then_some(file)
    });
    Dump { file, next: 0 }
}

/// Nanoseconds of the clock that `perf record -k mono` goes by.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it fills in the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn thread() -> u32 {
    // SAFETY: it only tells a number.
    unsafe { libc::gettid() as u32 }
}
