//! What tests of linked instances have in place of a store.
//!
//! Programs are text in which functions whose names begin with `import_` stand for imports, and calls of functions named
//! `op_NAME_FIRST_SECOND` for an instruction on tables and segments; a table named `g…` is a growing one.

use std::sync::Mutex;

use super::*;
use crate::isa::op::{Op, Type};
use crate::library::Library;
use crate::module::link::{Export, Growing, ImportedFunction, Item};
use crate::module::native::Target;
use crate::module::{Inst, Module};
use crate::objects::{Body, Func, Funcs, Global, LinearMemory, Links, Table};
use crate::stitch::Stitcher;

use super::super::{HostCalls, Natives, Pending, SharedStreams, connect_host};

/// Turns the functions that stand for other things into those.
pub(super) fn module(text: &str) -> Module {
    let mut module = text::parse("test.spasm", text).unwrap();
    let stands = |name: &str| name.starts_with("import_") || name.starts_with("op_");
    let first = module.functions.iter().position(|f| stands(&f.name)).unwrap_or(module.functions.len());
    let stubs = module.functions.split_off(first);
    let imports: Vec<usize> = (0..stubs.len()).filter(|&n| stubs[n].name.starts_with("import_")).collect();
    for &nth in &imports {
        let (name, signature) = (stubs[nth].name.clone(), stubs[nth].signature.clone());
        module.imports.push(ImportedFunction { name, signature, ..ImportedFunction::default() });
    }
    for function in &mut module.functions {
        for inst in function.insts.iter_mut().filter(|inst| inst.op == Op::Call && inst.a as usize >= first) {
            let stub = inst.a as usize - first;
            if let Some(import) = imports.iter().position(|&nth| nth == stub) {
                (inst.d, inst.a) = Target::Import(import as u32).fields();
                continue;
            }
            let words: Vec<&str> = stubs[stub].name.split('_').collect();
            let op = Op::ALL.iter().copied().find(|op| op.row().name() == words[1]).unwrap();
            let list = function.lists[inst.b as usize..].to_vec();
            let at = function.lists.len() as u32;
            function.lists.extend([words[2].parse::<u32>().unwrap(), words[3].parse().unwrap()]);
            function.lists.extend(list);
            *inst = Inst { op, d: 0, a: 0, b: at };
        }
    }
    for table in module.tables.iter_mut().filter(|table| table.name.starts_with('g')) {
        table.growing = Some(Growing { ty: Type::Funcref, min: 4, max: Some(10), import: None });
    }
    module.exports = (0..module.functions.len())
        .map(|n| (n, Item::Function(Target::Function(n as u32))))
        .map(|(n, item)| Export { name: module.functions[n].name.clone(), item, line: 0 })
        .collect();
    module
}

pub(super) type HostFunction = Box<dyn Fn(&mut [u64]) -> Result<Ended, Pending> + Send + Sync>;

#[derive(Default)]
pub(super) struct Host(Mutex<Vec<Arc<HostFunction>>>);

impl HostCalls for Host {
    fn call(&self, host: u32, buffer: &mut [u64]) -> Result<Ended, Pending> {
        let function = Arc::clone(&self.0.lock().unwrap()[host as usize]);
        function(buffer)
    }
}

/// What a test's modules share.
pub(super) struct Store {
    runtime: Arc<Runtime>,
    funcs: Arc<Funcs>,
    host: Arc<Host>,
    pub streams: Arc<SharedStreams>,
    #[allow(clippy::vec_box, reason = "functions of the host go back to instances by their addresses")]
    pub instances: Vec<Box<Instance>>,
    pub links: Vec<Arc<Links>>,
}

impl Store {
    pub fn new() -> Store {
        Store {
            runtime: Runtime::new(ArenaSize { code: 1 << 20, data: 1 << 18 }).unwrap(),
            funcs: Arc::default(),
            host: Arc::default(),
            streams: Arc::default(),
            instances: Vec::new(),
            links: Vec::new(),
        }
    }

    pub fn host(
        &self,
        text: &str,
        function: impl Fn(&mut [u64]) -> Result<Ended, Pending> + Send + Sync + 'static,
    ) -> Arc<Func> {
        let signature =
            text::parse("host", &format!("func f{text}\n    trap\n")).unwrap().functions[0].signature.clone();
        let mut all = self.host.0.lock().unwrap();
        all.push(Arc::new(Box::new(function)));
        let func = self.funcs.add(signature, Body::Host(all.len() as u32 - 1));
        connect_host(&self.runtime, &func, &(Arc::clone(&self.host) as Arc<dyn HostCalls>));
        func
    }

    /// Instantiates a module with these imports; `with` may change what it is linked with.
    pub fn add(&mut self, module: Module, imports: &[Arc<Func>], with: impl FnOnce(&mut Links)) -> usize {
        let verified = verify(module).unwrap_or_else(|error| panic!("{error}"));
        let number = self.instances.len();
        let module = verified.module();
        let mut links = Links::new(number as u32, &self.funcs, module);
        links.imports = imports.to_vec();
        let table = |table: &crate::module::Table| {
            let growing = table.growing.as_ref()?;
            Table::new(growing.ty, growing.min, growing.max).map(Arc::new)
        };
        links.tables = module.tables.iter().map(table).collect();
        let global = |global: &crate::module::Global| Arc::new(Global::new(global.ty, global.mutable, global.bits()));
        links.globals = module.globals.iter().map(global).collect();
        links.memory = module.memory.as_ref().map(|memory| Arc::new(LinearMemory::new(memory).unwrap()));
        with(&mut links);
        links.fill_elements(module);
        let links = Arc::new(links);
        let (image, trace) = Stitcher::new(Library::native()).stitch_traced(&verified).unwrap();
        if let Err(defects) = crate::check::check(&verified, &image, &trace, Library::native()) {
            panic!("{}", defects[0]);
        }
        let (natives, streams) = (Natives::default(), Arc::clone(&self.streams));
        let image = Arc::new(image);
        let linked = Arc::clone(&links);
        let made = Instance::linked(&self.runtime, &verified, image, streams, 1 << 20, natives, linked).unwrap();
        self.instances.push(Box::new(made));
        self.links.push(links);
        number
    }

    /// A function of an instance, for others.
    pub fn func(&self, instance: usize, name: &str) -> Arc<Func> {
        let module = self.instances[instance].module();
        let function = Target::Function(module.function_index(name).unwrap());
        self.links[instance].function(module, function).unwrap()
    }

    pub fn call(&self, instance: usize, name: &str, args: &[u64]) -> Result<Vec<u64>, RunError> {
        call_linked(&self.instances[instance], name, args)
    }

    pub fn trap(&self, instance: usize, name: &str, args: &[u64]) -> String {
        match self.call(instance, name, args) {
            Err(RunError::Trap(trap)) => trap.to_string(),
            other => panic!("{other:?} instead of a trap"),
        }
    }
}

pub(super) fn call_linked(instance: &Instance, name: &str, args: &[u64]) -> Result<Vec<u64>, RunError> {
    let index = instance.module().function_index(name).unwrap();
    let mut results = vec![0; instance.module().functions[index as usize].signature.results.len()];
    match instance.call_linked(&instance.function(index).unwrap(), args, &mut results)? {
        Ended::Returned => Ok(results),
        Ended::Halted => panic!("halted"),
    }
}

pub(super) fn load(store: &Store, instance: usize) -> u64 {
    let mut bytes = [0; 8];
    store.links[instance].memory.as_ref().unwrap().read(8, &mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}
