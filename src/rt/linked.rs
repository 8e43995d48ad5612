//! What only linked modules have in linked programs: tables that grow, references, elements, segments.
//!
//! Comes in: descriptors, and the calls of the instructions on tables and segments. Goes out: tables in memory of the C
//! library, as stitched code reads them, and numbers. What must hold: these do what the tiers in Spasm do; whoever calls them
//! traps where the status is not 0.

#![allow(unsafe_code, reason = "tables and segments by their addresses")]

use core::mem::size_of;
use core::ptr;

use crate::layout::{Elements, Func, GONE, Goal, GrowingTable, Links, Module, Segment, State, Table, WAITS};
use crate::registry::locked;
use crate::trap::table as rows;
use crate::{c, memory};

/// A value in `rax` and a status in `rdx`.
#[repr(C)]
struct Answer {
    value: u64,
    status: u64,
}

impl Answer {
    fn of(value: Option<u32>) -> Answer {
        match value {
            Some(value) => Answer { value: value.into(), status: 0 },
            None => Answer { value: 0, status: 1 },
        }
    }

    fn done(done: Option<()>) -> Answer {
        Answer::of(done.map(|()| 0))
    }
}

/// Makes the tables of a module, and puts everything where it belongs at the start. What has no place ends the process, since
/// nobody can be told yet.
///
/// # Safety
/// The module must be complete, and its memory there.
pub unsafe fn start(module: &Module) {
    // SAFETY: the descriptor is as the writer made it.
    unsafe {
        let Some(links) = module.links.as_ref() else { return };
        for growing in rows(links.tables, links.table_count).iter().filter(|growing| !growing.table.is_null()) {
            if grow(growing, 0, growing.min).is_none() {
                c::fail("spasm: there is no memory for a table\n");
            }
        }
        for copied in rows(links.copies, links.copy_count) {
            ptr::copy_nonoverlapping(copied.from, copied.to, copied.size as usize);
        }
        for (nth, elements) in rows(links.elements, links.element_count).iter().enumerate() {
            if let Some((table, offset)) = active(&elements.goal) {
                let table = &*rows(links.tables, links.table_count)[table as usize].table;
                if write(table, offset, rows(elements.items, elements.len)).is_none() {
                    c::fail("trap: out of bounds table access\n  where the elements of a module begin\n");
                }
            }
            *links.gone.add(nth) = u8::from(elements.goal.table != WAITS);
        }
        for (nth, segment) in rows(links.segments, links.segment_count).iter().enumerate() {
            if let Some((_, offset)) = active(&segment.goal)
                && memory::write(module.state, offset, rows(segment.bytes, segment.len)).is_none()
            {
                c::fail("trap: out of bounds memory access\n  where the segments of a module begin\n");
            }
            *links.gone.add(links.element_count as usize + nth) = u8::from(segment.goal.table != WAITS);
        }
    }
}

/// Gives the tables of a module back.
///
/// # Safety
/// Nobody may use them any more.
pub unsafe fn end(module: &Module) {
    // SAFETY: as the caller promises.
    unsafe {
        let Some(links) = module.links.as_ref() else { return };
        for growing in rows(links.tables, links.table_count) {
            if let Some(table) = growing.table.as_mut() {
                c::free(table.base.cast());
                *table = Table { base: ptr::null_mut(), len: 0, room: 0 };
            }
        }
    }
}

/// The table, and the place in it or in the memory, of what has one at the start.
unsafe fn active(goal: &Goal) -> Option<(u32, u32)> {
    if goal.table == WAITS || goal.table == GONE {
        return None;
    }
    // SAFETY: it is the address of a variable of C, if there is one.
    let offset = unsafe { goal.offset_at.as_ref() }.copied().unwrap_or(goal.offset);
    Some((goal.table, offset))
}

/// # Safety
/// The state must be that of a module that is registered, and linked.
unsafe fn links<'a>(state: *mut State) -> &'a Links {
    // SAFETY: as the caller promises.
    unsafe { &*(*(*state).module).links }
}

/// A table that grows.
///
/// # Safety
/// As for [`links`]; and nobody else may use the table.
unsafe fn growing<'a>(state: *mut State, number: u32) -> &'a GrowingTable {
    // SAFETY: as the caller promises; the number is one of the module's.
    unsafe { &*links(state).tables.add(number as usize) }
}

/// `n` things from `at` on.
fn part<T>(all: &[T], at: u32, n: u32) -> Option<&[T]> {
    all.get(at as usize..)?.get(..n as usize)
}

/// The elements of a table.
unsafe fn all<'a>(table: &Table) -> &'a [u64] {
    // SAFETY: there are as many.
    if table.len == 0 { &[] } else { unsafe { core::slice::from_raw_parts(table.base, table.len as usize) } }
}

/// Writes elements, which are those of no table.
unsafe fn write(table: &Table, at: u32, from: &[u64]) -> Option<()> {
    let place = place(table, at, from.len() as u64)?;
    // SAFETY: the place lies in the table.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), place, from.len()) };
    Some(())
}

/// Where `n` elements of a table from `at` on stand.
fn place(table: &Table, at: u32, n: u64) -> Option<*mut u64> {
    (u64::from(at) + n <= table.len).then(|| table.base.wrapping_add(at as usize))
}

/// Makes a table `n` elements longer and gives the old length; nothing, and nothing changes, where that is too much.
unsafe fn grow(growing: &GrowingTable, element: u64, n: u32) -> Option<u32> {
    // SAFETY: the table is the module's, and nobody uses it meanwhile.
    unsafe {
        let table = &mut *growing.table;
        let new = table.len + u64::from(n);
        if new > u64::from(growing.max) {
            return None;
        }
        if new > table.room {
            // One after the other is not to take time for all of them each.
            let room = new.max((2 * table.room).min(growing.max.into()));
            let base = c::realloc(table.base.cast(), room as usize * size_of::<u64>());
            if base.is_null() {
                return None;
            }
            (table.base, table.room) = (base.cast(), room);
        }
        for at in table.len..new {
            *table.base.add(at as usize) = element;
        }
        let old = table.len as u32;
        table.len = new;
        Some(old)
    }
}

/// What a table holds for a reference.
unsafe fn element(state: *mut State, growing: &GrowingTable, reference: u32) -> u64 {
    if growing.functions == 0 || reference == 0 {
        return reference.into();
    }
    // SAFETY: as for `links`.
    let links = unsafe { links(state) };
    // C may have passed any number.
    rows(links.functions, links.function_count).get(reference as usize - 1).map_or(0, |func| ptr::from_ref(func) as u64)
}

/// The elements or segments of this number, unless they are gone.
unsafe fn remaining<'a, T>(state: *mut State, nth: u32, first: *const T, len: u32) -> &'a [T] {
    // SAFETY: the number is one of the module's.
    if unsafe { *links(state).gone.add(nth as usize) } != 0 { &[] } else { rows(first, len) }
}

fn halves(named: u64) -> (u32, u32) {
    (named as u32, (named >> 32) as u32)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tget(state: *mut State, at: u32, _: u32, _: u32, named: u64) -> Answer {
    // SAFETY: stitched code passes the state of its module, and numbers that the module has; so do all that follow.
    unsafe {
        let growing = growing(state, named as u32);
        let found = all(&*growing.table).get(at as usize).copied();
        Answer::of(found.map(|element| match growing.functions {
            0 => element as u32,
            _ => (element as *const Func).as_ref().map_or(0, |func| func.handle),
        }))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tset(state: *mut State, at: u32, reference: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe {
        let growing = growing(state, named as u32);
        Answer::done(write(&*growing.table, at, &[element(state, growing, reference)]))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tsize(state: *mut State, _: u32, _: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe { Answer::of(Some((*growing(state, named as u32).table).len as u32)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tgrow(state: *mut State, reference: u32, n: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe {
        let growing = growing(state, named as u32);
        let element = element(state, growing, reference);
        Answer::of(Some(locked(|| grow(growing, element, n)).unwrap_or(u32::MAX)))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tfill(state: *mut State, at: u32, reference: u32, n: u32, named: u64) -> Answer {
    // SAFETY: as above; the place lies in the table.
    unsafe {
        let growing = growing(state, named as u32);
        let element = element(state, growing, reference);
        let place = place(&*growing.table, at, n.into());
        Answer::done(place.map(|place| (0..n as usize).for_each(|nth| *place.add(nth) = element)))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tcopy(state: *mut State, to: u32, from: u32, n: u32, named: u64) -> Answer {
    let (first, second) = halves(named);
    // SAFETY: as above.
    unsafe {
        let source = place(&*growing(state, second).table, from, n.into());
        let goal = place(&*growing(state, first).table, to, n.into());
        // They may overlap.
        Answer::done(source.zip(goal).map(|(source, goal)| ptr::copy(source, goal, n as usize)))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_tinit(state: *mut State, to: u32, from: u32, n: u32, named: u64) -> Answer {
    let (table, nth) = halves(named);
    // SAFETY: as above.
    unsafe {
        let elements: &Elements = &*links(state).elements.add(nth as usize);
        let source = part(remaining(state, nth, elements.items, elements.len), from, n);
        Answer::done(source.and_then(|source| write(&*growing(state, table).table, to, source)))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_edrop(state: *mut State, _: u32, _: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe { *links(state).gone.add(named as u32 as usize) = 1 };
    Answer::done(Some(()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_minit(state: *mut State, to: u32, from: u32, n: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe {
        let (links, nth) = (links(state), named as u32);
        let segment: &Segment = &*links.segments.add(nth as usize);
        let source = part(remaining(state, links.element_count + nth, segment.bytes, segment.len), from, n);
        Answer::done(source.and_then(|source| memory::write(state, to, source)))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_mdrop(state: *mut State, _: u32, _: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    unsafe {
        let links = links(state);
        *links.gone.add((links.element_count + named as u32) as usize) = 1;
    }
    Answer::done(Some(()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __spasm_ref(state: *mut State, _: u32, _: u32, _: u32, named: u64) -> Answer {
    // SAFETY: as above.
    let links = unsafe { links(state) };
    let functions = rows(links.functions, links.function_count);
    let found = functions.binary_search_by_key(&halves(named).1, |func| func.function);
    Answer::of(found.ok().map(|nth| functions[nth].handle))
}
