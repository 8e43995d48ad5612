//! A program that a test uses: its instance, and ways to pass numbers and text.
//!
//! Comes in: a module, and what the test defines for it. Goes out: calls of its exports. What must hold: an import that the
//! test does not define may be there, and ends the program when it is called.

use std::time::Instant;

use spasm::engine::Engine;
use spasm::isa::op::Type;
use spasm::store::{Caller, Instance, Linker, Memory, Store, Val};
use spasm::verified::Verified;
use spasm::wasi::{self, WasiCtx};

pub struct Guest {
    pub store: Store<WasiCtx>,
    pub memory: Memory,
    instance: Instance,
}

impl Guest {
    pub fn new(
        engine: &Engine,
        module: &Verified,
        context: WasiCtx,
        define: impl FnOnce(&mut Linker<WasiCtx>),
    ) -> Guest {
        let mut linker = Linker::new();
        wasi::add_to_linker(&mut linker, |context| context).unwrap();
        define(linker.allow_shadowing(true));
        let mut store = Store::new(engine, context);
        let items = module.module();
        let own = items.memory.as_ref().expect("programs have a memory");
        let given = own.import.as_ref().map(|import| {
            let memory = Memory::new(&mut store, own.min, own.max).unwrap();
            linker.define(&import.module, &import.name, memory).unwrap();
            memory
        });
        for import in &items.imports {
            let name = &import.from;
            if !linker.defines(&name.module, &name.name) {
                let message = format!("`{}` `{}` is not there", name.module, name.name);
                let missing = move |_: Caller<'_, WasiCtx>, _: &[Val], _: &mut [Val]| Err::<(), _>(message.clone());
                linker.func_new(&name.module, &name.name, import.signature.clone(), missing).unwrap();
            }
        }
        let start = Instant::now();
        let instance = linker.instantiate(&mut store, module).unwrap_or_else(|error| panic!("{error}"));
        println!("instantiated in {:?}", start.elapsed());
        let memory = given.or_else(|| instance.get_memory(&store, "memory")).expect("the memory is found");
        Guest { store, memory, instance }
    }

    /// Calls an export with 32-bit arguments, of which each goes to a parameter of whatever type it has.
    pub fn call(&mut self, name: &str, args: &[u32]) -> u32 {
        self.try_call(name, args).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn try_call(&mut self, name: &str, args: &[u32]) -> Result<u32, spasm::store::Error> {
        let function = self.instance.get_func(&self.store, name).unwrap_or_else(|| panic!("there is no `{name}`"));
        let signature = function.ty(&self.store);
        let value = |(ty, arg): (&Type, &u32)| match ty {
            Type::I32 => Val::I32(*arg as i32),
            Type::I64 => Val::I64(i64::from(*arg)),
            other => panic!("{name} takes an {}", other.name()),
        };
        let args: Vec<Val> = signature.params.iter().zip(args).map(value).collect();
        let mut results: Vec<Val> = signature.results.iter().map(|_| Val::I32(0)).collect();
        function.call(&mut self.store, &args, &mut results)?;
        Ok(match results.first() {
            Some(Val::I32(result)) => *result as u32,
            None => 0,
            Some(other) => panic!("{name} gives {other:?}"),
        })
    }

    /// Text in the program's memory, with a zero behind it.
    pub fn put(&mut self, allocate: &str, text: &str) -> u32 {
        let at = self.call(allocate, &[text.len() as u32 + 1]);
        self.memory.write(&mut self.store, at as usize, text.as_bytes()).unwrap();
        self.memory.write(&mut self.store, at as usize + text.len(), &[0]).unwrap();
        at
    }

    /// The text that ends with a zero.
    pub fn text(&self, at: u32) -> String {
        let bytes = &self.memory.data(&self.store)[at as usize..];
        let end = bytes.iter().position(|byte| *byte == 0).expect("the text ends");
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    }

    pub fn word(&self, at: u32) -> u32 {
        let mut bytes = [0; 4];
        self.memory.read(&self.store, at as usize, &mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }
}
