//! A small store of linked modules, for tests.
//!
//! The programs are text in which an extern stands for an import, or for an instruction: `tset_0_0` is a `tset` that names
//! the items 0 and 0. A growing table takes the place of each table, with the same functions at its start.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::interp::native::Left;
use crate::interp::{LinkedInstance, Outside};
use crate::isa::op::{Op, Shape, Type};
use crate::module::link::{Constant, Elements, Growing, ImportedFunction, Mode};
use crate::module::native::Target;
use crate::module::{Module, Signature};
use crate::objects::{Body, Func, Funcs, Global, LinearMemory, Links, Table};
use crate::streams::Streams;
use crate::trap::{Outcome, RunError, Trap};

type Host = dyn Fn(&World, &[u64]) -> Result<Vec<u64>, RunError>;

/// A small store.
#[derive(Default)]
pub(super) struct World {
    funcs: Arc<Funcs>,
    pub(super) instances: RefCell<Vec<Rc<LinkedInstance>>>,
    hosts: RefCell<Vec<Rc<Host>>>,
    /// How many calls have left their instances.
    pub(super) left: Cell<usize>,
}

impl Outside for World {
    fn call(&self, func: &Func, args: &[u64], results: &mut Vec<u64>, streams: &mut Streams) -> Result<Left, RunError> {
        self.left.set(self.left.get() + 1);
        match func.body() {
            Body::Host(host) => {
                let host = Rc::clone(&self.hosts.borrow()[host as usize]);
                results.extend(host(self, args)?);
            }
            Body::Instance { instance, function } => {
                let instance = self.instance(instance);
                match instance.call(self, streams, function, args)? {
                    Outcome::Returned(values) => results.extend(values),
                    Outcome::Halted => return Ok(Left::Halted),
                }
            }
        }
        Ok(Left::Returned)
    }
}

impl World {
    pub(super) fn instance(&self, number: u32) -> Rc<LinkedInstance> {
        Rc::clone(&self.instances.borrow()[number as usize])
    }

    pub(super) fn host(
        &self,
        signature: Signature,
        host: impl Fn(&World, &[u64]) -> Result<Vec<u64>, RunError> + 'static,
    ) -> Arc<Func> {
        self.hosts.borrow_mut().push(Rc::new(host));
        self.funcs.add(signature, Body::Host(self.hosts.borrow().len() as u32 - 1))
    }

    /// Links a module: with these functions for its imports, this memory, table and globals, or else its own.
    pub(super) fn link(&self, module: Module, given: Given) -> u32 {
        let number = self.instances.borrow().len() as u32;
        let verified = crate::verify::verify(module).unwrap_or_else(|error| panic!("{error}"));
        let module = verified.module();
        let mut links = Links::new(number, &self.funcs, module);
        links.imports = given.imports;
        let memory = module.memory.as_ref().map(|memory| Arc::new(LinearMemory::new(memory).unwrap()));
        links.memory = given.memory.or(memory);
        let table = |table: &crate::module::Table| {
            let growing = table.growing.as_ref()?;
            Some(
                given
                    .table
                    .clone()
                    .unwrap_or_else(|| Arc::new(Table::new(growing.ty, growing.min, growing.max).unwrap())),
            )
        };
        links.tables = module.tables.iter().map(table).collect();
        let own = module.globals.iter().map(|global| Arc::new(Global::new(global.ty, true, global.bits())));
        links.globals = if given.globals.is_empty() { own.collect() } else { given.globals };
        links.fill_elements(module);
        for (elements, items) in module.elements.iter().zip(&links.elements) {
            if let Mode::Active { table, .. } = elements.mode {
                links.tables[table as usize].as_ref().unwrap().write(0, items).unwrap();
            }
        }
        self.instances.borrow_mut().push(Rc::new(LinkedInstance::new(&verified, Arc::new(links))));
        number
    }

    /// A function of an instance, by its name.
    pub(super) fn func(&self, instance: u32, name: &str) -> Arc<Func> {
        let instance = self.instance(instance);
        let module = instance.verified().module();
        let target = Target::Function(module.function_index(name).unwrap());
        instance.links().function(module, target).unwrap()
    }

    pub(super) fn call(&self, instance: u32, name: &str, args: &[u64]) -> Result<Outcome, RunError> {
        let instance = self.instance(instance);
        let function = instance.verified().module().function_index(name).unwrap();
        instance.call(self, &mut Streams::captured("").0, function, args)
    }

    pub(super) fn results(&self, instance: u32, name: &str, args: &[u64]) -> Vec<u64> {
        match self.call(instance, name, args) {
            Ok(Outcome::Returned(results)) => results,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn trap(&self, instance: u32, name: &str, args: &[u64]) -> Trap {
        match self.call(instance, name, args) {
            Err(RunError::Trap(trap)) => trap,
            other => panic!("{other:?}"),
        }
    }
}

/// What an instance gets from others.
#[derive(Default)]
pub(super) struct Given {
    pub(super) imports: Vec<Arc<Func>>,
    pub(super) memory: Option<Arc<LinearMemory>>,
    pub(super) table: Option<Arc<Table>>,
    pub(super) globals: Vec<Arc<Global>>,
}

pub(super) fn imports(imports: impl Into<Vec<Arc<Func>>>) -> Given {
    Given { imports: imports.into(), ..Given::default() }
}

/// What the name of an extern stands for, if that is an instruction.
fn named(name: &str) -> Option<(Op, [u32; 2])> {
    let mut parts = name.split('_');
    let word = parts.next()?;
    let op = *Op::ALL.iter().find(|op| op.object().is_some() && op.row().name() == word)?;
    Some((op, [parts.next()?.parse().ok()?, parts.next()?.parse().ok()?]))
}

pub(super) fn module(text: &str) -> Module {
    let mut module = crate::text::parse("test.spasm", text).unwrap_or_else(|errors| panic!("{errors}"));
    let externs = std::mem::take(&mut module.externs);
    let signatures = std::mem::take(&mut module.c_signatures);
    let mut meanings = Vec::new();
    for one in externs {
        let instruction = named(&one.name);
        meanings.push(instruction.ok_or(module.imports.len() as u32));
        if instruction.is_none() {
            let signature = signatures[one.signature as usize].flat();
            module.imports.push(ImportedFunction { name: one.name, signature, ..ImportedFunction::default() });
        }
    }
    for function in &mut module.functions {
        for inst in &mut function.insts {
            if inst.op.row().shape != Shape::Call || inst.d != 1 {
                continue;
            }
            match meanings[inst.a as usize] {
                Ok((op, items)) => {
                    let call = function.lists[inst.b as usize..].to_vec();
                    (inst.op, inst.d, inst.a, inst.b) = (op, 0, 0, function.lists.len() as u32);
                    function.lists.extend(items);
                    function.lists.extend(call);
                }
                Err(import) => (inst.d, inst.a) = (3, import),
            }
        }
    }
    for (number, table) in (0..).zip(&mut module.tables) {
        let items = table.functions.drain(..).map(|function| Constant::Function(Target::Function(function))).collect();
        table.growing = Some(Growing { ty: Type::Funcref, min: 4, max: Some(8), import: None });
        let mode = Mode::Active { table: number, offset: Constant::Bits(0) };
        module.elements.push(Elements { name: format!("e{number}"), ty: Type::Funcref, items, mode, line: 0 });
    }
    module
}
