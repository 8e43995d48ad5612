//! The module `spectest` of the official suite's scripts: what every one of them may import.

use spasm::isa::op::Type;
use spasm::store::{Global, Linker, Memory, Store, Table, Val};

/// Defines the items of `spectest`.
pub fn define(store: &mut Store<()>, linker: &mut Linker<()>) -> Result<(), spasm::store::Error> {
    linker
        .func_wrap("spectest", "print", || ())?
        .func_wrap("spectest", "print_i32", |_: i32| ())?
        .func_wrap("spectest", "print_i64", |_: i64| ())?
        .func_wrap("spectest", "print_f32", |_: f32| ())?
        .func_wrap("spectest", "print_f64", |_: f64| ())?
        .func_wrap("spectest", "print_i32_f32", |_: i32, _: f32| ())?
        .func_wrap("spectest", "print_f64_f64", |_: f64, _: f64| ())?;
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6)),
        ("global_f64", Val::F64(666.6)),
    ];
    for (name, value) in globals {
        let global = Global::new(&mut *store, value, false);
        linker.define("spectest", name, global)?;
    }
    let table = Table::new(&mut *store, 10, Some(20), Val::zero(Type::Funcref))?;
    let memory = Memory::new(&mut *store, 1, Some(2))?;
    linker.define("spectest", "table", table)?.define("spectest", "memory", memory)?;
    Ok(())
}
