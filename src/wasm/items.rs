//! What stands outside of function bodies.
//!
//! Comes in: the sections of a binary module. Goes out: the items of a [`Module`]. What must hold: each item has the index that it
//! has in WebAssembly, but for functions: imported ones are counted by themselves.

use std::sync::atomic::AtomicUsize;

use wasmparser::{
    ConstExpr, DataKind, DataSectionReader, ElementItems, ElementKind, ElementSectionReader, Export, ExternalKind,
    FunctionBody, GlobalType, Import, MemoryType, Operator, Parser, Payload, RefType, TableType, TypeRef, ValType,
    ValidPayload, Validator, ValidatorResources,
};

use crate::isa::op::Type;
use crate::module::link::{
    Constant, Elements, Export as Exported, Growing, ImportName, ImportedFunction, Item, Mode, Segment,
};
use crate::module::native::Target;
use crate::module::{Function, Global, Memory, Module, Signature, Source, Table};

use super::error::{FEATURES, WasmError};
use super::names::Names;
use super::outline::Outline;
use super::stack::Pool;

/// What function bodies need to know of the module.
#[derive(Debug, Default)]
pub(super) struct Items {
    signatures: Vec<Signature>,
    /// The signature of each function, the imported ones first.
    functions: Vec<u32>,
    imported: u32,
    globals: Vec<Pool>,
}

impl Items {
    pub(super) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    pub(super) fn signature_of(&self, function: u32) -> &Signature {
        &self.signatures[self.functions[function as usize] as usize]
    }

    /// The type of a function of the module's own.
    pub(super) fn type_of_own(&self, function: u32) -> u32 {
        self.functions[(self.imported + function) as usize]
    }

    /// How many functions are imported.
    pub(super) fn imported(&self) -> u32 {
        self.imported
    }

    pub(super) fn target(&self, function: u32) -> Target {
        match function.checked_sub(self.imported) {
            Some(own) => Target::Function(own),
            None => Target::Import(function),
        }
    }

    pub(super) fn global_pool(&self, global: u32) -> Pool {
        self.globals[global as usize]
    }
}

/// A type of WebAssembly 2.0; the validator takes no others.
pub(super) fn value_type(ty: ValType) -> Type {
    match ty {
        ValType::I32 => Type::I32,
        ValType::I64 => Type::I64,
        ValType::F32 => Type::F32,
        ValType::F64 | ValType::V128 => Type::F64,
        ValType::Ref(ty) => reference_type(ty),
    }
}

fn reference_type(ty: RefType) -> Type {
    if ty == RefType::EXTERNREF { Type::Externref } else { Type::Funcref }
}

/// A module while it is read.
#[derive(Default)]
struct Reader<'a> {
    items: Items,
    module: Module,
    names: Names<'a>,
    bodies: Vec<FunctionBody<'a>>,
    resources: Option<ValidatorResources>,
}

/// Reads all of a module but the code of its functions.
pub(super) fn outline<'a>(file: &str, bytes: &'a [u8]) -> Result<Outline<'a>, WasmError> {
    let mut reader = Reader::default();
    reader.read(bytes).map_err(|error| WasmError::found(file, bytes, &error))?;
    let Reader { items, mut module, names, bodies, resources } = reader;
    module.signatures.clone_from(&items.signatures);
    let own = &items.functions[items.imported as usize..];
    let function = |&ty: &u32| Function { signature: items.signatures[ty as usize].clone(), ..Function::default() };
    module.functions = own.iter().map(function).collect();
    names.give(&mut module);
    module.source = Some(Source { name: file.to_owned(), text: String::new() });
    Ok(Outline { file: file.to_owned(), bytes, items, module, bodies, resources, words: AtomicUsize::new(0) })
}

impl<'a> Reader<'a> {
    fn read(&mut self, bytes: &'a [u8]) -> wasmparser::Result<()> {
        let mut validator = Validator::new_with_features(FEATURES);
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            match validator.payload(&payload)? {
                ValidPayload::Func(function, body) => {
                    self.resources.get_or_insert(function.resources);
                    self.bodies.push(body);
                }
                _ => self.section(payload)?,
            }
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    let types = |types: &[ValType]| types.iter().map(|&ty| value_type(ty)).collect::<Vec<_>>();
                    self.items.signatures.push(Signature::new(types(ty.params()), types(ty.results())));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(&import?);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.items.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.table(&table?.ty, None);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memory(&memory?, None);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    let start = self.constant(&global.init_expr)?;
                    self.global(&global.ty, start, None);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.export(&export?);
                }
            }
            Payload::StartSection { func, .. } => self.module.start = Some(self.items.target(func)),
            Payload::ElementSection(section) => self.elements(section)?,
            Payload::DataSection(section) => self.data(section)?,
            Payload::CustomSection(section) => self.names.section(&section),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &Import<'a>) {
        let from = ImportName { module: import.module.to_owned(), name: import.name.to_owned() };
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let signature = self.items.signatures[ty as usize].clone();
                self.items.functions.push(ty);
                self.items.imported += 1;
                self.module.imports.push(ImportedFunction { name: String::new(), from, signature, line: 0 });
            }
            TypeRef::Table(ty) => self.table(&ty, Some(from)),
            TypeRef::Memory(ty) => self.memory(&ty, Some(from)),
            TypeRef::Global(ty) => self.global(&ty, Constant::Bits(0), Some(from)),
            // The validator takes none.
            TypeRef::Tag(_) => {}
        }
    }

    fn table(&mut self, ty: &TableType, import: Option<ImportName>) {
        let name = format!("table{}", self.module.tables.len());
        let max = ty.maximum.map(|max| max as u32);
        let growing = Growing { ty: reference_type(ty.element_type), min: ty.initial as u32, max, import };
        self.module.tables.push(Table { name, functions: Vec::new(), growing: Some(growing), line: 0 });
    }

    fn memory(&mut self, ty: &MemoryType, import: Option<ImportName>) {
        let max = ty.maximum.map(|max| max as u32);
        self.module.memory = Some(Memory { min: ty.initial as u32, max, import, line: 0 });
    }

    fn global(&mut self, ty: &GlobalType, start: Constant, import: Option<ImportName>) {
        let name = format!("global{}", self.module.globals.len());
        let (mutable, ty) = (ty.mutable, value_type(ty.content_type));
        self.items.globals.push(Pool::of(ty));
        self.module.globals.push(Global { name, ty, start, mutable, import, line: 0 });
    }

    fn export(&mut self, export: &Export<'_>) {
        let item = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => Item::Function(self.items.target(export.index)),
            ExternalKind::Table => Item::Table(export.index),
            ExternalKind::Memory => Item::Memory,
            ExternalKind::Global => Item::Global(export.index),
            // The validator takes none.
            ExternalKind::Tag => return,
        };
        self.module.exports.push(Exported { name: export.name.to_owned(), item, line: 0 });
    }

    fn elements(&mut self, section: ElementSectionReader<'a>) -> wasmparser::Result<()> {
        for element in section {
            let element = element?;
            let mode = match &element.kind {
                ElementKind::Passive => Mode::Passive,
                ElementKind::Declared => Mode::Declared,
                ElementKind::Active { table_index, offset_expr } => {
                    Mode::Active { table: table_index.unwrap_or(0), offset: self.constant(offset_expr)? }
                }
            };
            let mut items = Vec::new();
            let ty = match element.items {
                ElementItems::Functions(functions) => {
                    for function in functions {
                        items.push(Constant::Function(self.items.target(function?)));
                    }
                    Type::Funcref
                }
                ElementItems::Expressions(ty, expressions) => {
                    for expression in expressions {
                        items.push(self.constant(&expression?)?);
                    }
                    reference_type(ty)
                }
            };
            let name = format!("elem{}", self.module.elements.len());
            self.module.elements.push(Elements { name, ty, items, mode, line: 0 });
        }
        Ok(())
    }

    fn data(&mut self, section: DataSectionReader<'a>) -> wasmparser::Result<()> {
        for data in section {
            let data = data?;
            let mode = match &data.kind {
                DataKind::Passive => Mode::Passive,
                DataKind::Active { offset_expr, .. } => Mode::Active { table: 0, offset: self.constant(offset_expr)? },
            };
            let name = format!("data{}", self.module.segments.len());
            self.module.segments.push(Segment { name, bytes: data.data.to_vec(), mode, line: 0 });
        }
        Ok(())
    }

    /// The value of a constant expression: of WebAssembly 2.0's there is one operator in each.
    fn constant(&self, expression: &ConstExpr<'_>) -> wasmparser::Result<Constant> {
        Ok(match expression.get_operators_reader().read()? {
            Operator::I32Const { value } => Constant::Bits(u64::from(value.cast_unsigned())),
            Operator::I64Const { value } => Constant::Bits(value.cast_unsigned()),
            Operator::F32Const { value } => Constant::Bits(u64::from(value.bits())),
            Operator::F64Const { value } => Constant::Bits(value.bits()),
            Operator::GlobalGet { global_index } => Constant::Global(global_index),
            Operator::RefFunc { function_index } => Constant::Function(self.items.target(function_index)),
            // `ref.null`; the validator takes nothing else.
            _ => Constant::Bits(0),
        })
    }
}
