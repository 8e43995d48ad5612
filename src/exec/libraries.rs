//! Shared libraries: finding them, and the functions in them.
//!
//! Comes in: a module's externs. Goes out: the address of each, and the libraries, which stay open as long as anyone
//! keeps them; or a [`LinkError`] for the first that is not there. What must hold: nothing of a library runs before its
//! file has been looked at and has been found to have what is wanted.

#![allow(unsafe_code, reason = "opens libraries and asks them for addresses")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::module::Module;
use crate::module::native::Extern;

use super::elf_file::{ElfFile, Found};
use super::link_error::{LinkError, Problem};
use super::natives::Natives;
use super::search::Search;

/// The functions that a module's externs are. `given` are the host's own, which go before those that the process has
/// loaded.
///
/// # Errors
/// The first extern that is not there, or is no function.
pub fn resolve(module: &Module, given: &HashMap<String, usize>) -> Result<Natives, Box<LinkError>> {
    let mut natives = Natives::default();
    let mut opened: HashMap<&str, Opened> = HashMap::new();
    for one in &module.externs {
        let file = module.source.as_ref().map(|source| source.name.clone());
        let fail = |problem: Problem| Box::new(LinkError::new(one, file.clone(), problem));
        let of_host = given.get(&one.symbol).filter(|_| one.library.is_empty());
        let address = match of_host {
            Some(&address) => address,
            None if one.library.is_empty() => in_process(one).map_err(fail)?,
            None => {
                if !opened.contains_key(one.library.as_str()) {
                    opened.insert(&one.library, open(&one.library).map_err(fail)?);
                }
                opened[one.library.as_str()].address(one).map_err(fail)?
            }
        };
        natives.addresses.push(address);
    }
    natives.owners.extend(opened.into_values().map(|opened| Arc::new(opened.library) as Arc<dyn super::natives::Keep>));
    Ok(natives)
}

/// An open library, and its file.
#[derive(Debug)]
struct Opened {
    library: Library,
    file: Option<ElfFile>,
}

fn open(name: &str) -> Result<Opened, Problem> {
    let searched = Search::default().library(name);
    let file = match searched {
        Ok(path) => Some(ElfFile::read(&path)?),
        // A library that is loaded already is found by its own name, wherever it came from.
        Err(missing) => match loaded(name) {
            Some(library) => return Ok(Opened { library, file: None }),
            None => return Err(missing),
        },
    };
    // SAFETY: what libraries do when they are opened is what whoever allowed natives has agreed to.
    let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| Problem::Refused { reason: reason(&error) })?;
    Ok(Opened { library, file })
}

/// The library that goes by this name in the process, if there is one.
fn loaded(name: &str) -> Option<Library> {
    // SAFETY: nothing is opened that is not open already.
    unsafe { Library::open(Some(name), RTLD_NOW | RTLD_LOCAL | libc::RTLD_NOLOAD) }.ok()
}

/// What the dynamic linker says, without the words that libloading puts before it.
fn reason(error: &libloading::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl Opened {
    fn address(&self, one: &Extern) -> Result<usize, Problem> {
        // Its own symbols are known without asking; what is not among them may be in what it depends on.
        if let Some(file) = &self.file {
            if let Found::Data = file.symbol(&one.symbol) {
                return Err(Problem::Data { path: Some(file.path.clone()) });
            }
        }
        // SAFETY: the address is only taken; nothing is called or read.
        let found = unsafe { self.library.get::<*const c_void>(one.symbol.as_bytes()) };
        match found {
            Ok(symbol) if !symbol.is_null() => {
                let address = symbol.into_raw() as usize;
                if is_data(address, &one.symbol) { Err(Problem::Data { path: None }) } else { Ok(address) }
            }
            _ => {
                let path = self.file.as_ref().map(|file| file.path.clone());
                let near = self.file.as_ref().map(|file| file.nearest(&one.symbol)).unwrap_or_default();
                Err(Problem::NoSymbol { path, near })
            }
        }
    }
}

/// A function of what the process has loaded already.
fn in_process(one: &Extern) -> Result<usize, Problem> {
    let Ok(symbol) = CString::new(one.symbol.as_str()) else {
        return Err(Problem::NoSymbol { path: None, near: Vec::new() });
    };
    // SAFETY: the name is a C string; the address is only taken.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) } as usize;
    if address == 0 {
        return Err(Problem::NoSymbol { path: None, near: near_in_process(&one.symbol) });
    }
    if is_data(address, &one.symbol) {
        return Err(Problem::Data { path: None });
    }
    Ok(address)
}

/// The files of what the process has loaded.
fn loaded_files() -> Vec<PathBuf> {
    unsafe extern "C" fn one(info: *mut libc::dl_phdr_info, _: libc::size_t, list: *mut c_void) -> libc::c_int {
        // SAFETY: the system calls this with the list that is handed to it below, and a whole structure whose name is a C
        // string.
        unsafe {
            let name = CStr::from_ptr((*info).dlpi_name);
            if let (Ok(name), false) = (name.to_str(), name.is_empty()) {
                (*list.cast::<Vec<PathBuf>>()).push(PathBuf::from(name));
            }
        }
        0
    }
    let mut files: Vec<PathBuf> = Vec::new();
    // SAFETY: the list outlives the call, and nobody else uses it meanwhile.
    unsafe { libc::dl_iterate_phdr(Some(one), ptr::from_mut(&mut files).cast()) };
    files
}

fn near_in_process(symbol: &str) -> Vec<String> {
    let files = loaded_files().into_iter().filter_map(|path| ElfFile::read(&path).ok());
    let mut near: Vec<String> = files.flat_map(|file| file.nearest(symbol)).collect();
    near.sort();
    near.dedup();
    near.truncate(3);
    near
}

/// True where the loaded file that has `address` says that it is that of an object, not of a function.
fn is_data(address: usize, symbol: &str) -> bool {
    const RTLD_DL_SYMENT: libc::c_int = 1;
    // SAFETY: the structure may be all zeros, and dladdr1 fills it in or leaves it alone; what it refers to stays as long
    // as the library is open.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        let mut entry: *const libc::Elf64_Sym = ptr::null();
        let extra = (&raw mut entry).cast::<*mut c_void>();
        let found = libc::dladdr1(address as *const c_void, &raw mut info, extra, RTLD_DL_SYMENT);
        let same = found != 0
            && !info.dli_sname.is_null()
            && !entry.is_null()
            && info.dli_saddr as usize == address
            && CStr::from_ptr(info.dli_sname).to_bytes() == symbol.as_bytes();
        // The low four bits are the type: 1 is an object, 5 common, 6 of a thread.
        same && matches!((*entry).st_info & 0xf, 1 | 5 | 6)
    }
}
