//! Builds what a module shares with others: imports, exports, growing tables, what fills them and memory; and the instructions
//! on these.
//!
//! Comes in: calls of a compiler. Goes out: items and instructions of the module being built. What must hold: as for the
//! rest of the builder, nothing panics, and what makes no sense is left to the verifier.
//!
//! ```
//! use spasm::builder::{FunctionBuilder, ModuleBuilder};
//! use spasm::isa::op::Type;
//! use spasm::module::link::{Constant, Item, Mode};
//! use spasm::module::{Reg, Signature};
//!
//! // Calls a function of the host through a table that others may change.
//! let mut module = ModuleBuilder::new();
//! let log = module.import_function(("env", "log"), "log", Signature::new([Type::I32], []));
//! let hooks = module.growing_table("hooks", Type::Funcref, 1, None);
//! let offset = Constant::Bits(0);
//! module.elements("first", Type::Funcref, [log.into()], Mode::Active { table: hooks.index(), offset });
//! let number = module.signature(Signature::new([Type::I32], []));
//!
//! let notify = module.declare("notify");
//! let mut f = FunctionBuilder::new(Signature::new([Type::I32], []));
//! let (zero, size) = (f.local(), f.local());
//! f.calli(&[], hooks, zero, number, &[Reg::arg(1)]);
//! f.table_size(size, hooks);
//! f.call(&[], log, &[size]);
//! f.ret(&[]);
//! module.define(notify, f);
//! module.export("notify", Item::Function(notify.into()));
//! module.export("hooks", Item::Table(hooks.index()));
//!
//! let module = module.finish()?;
//! assert_eq!(
//!     spasm::text::print(&module),
//!     "\
//! import \"env\" \"log\" func log(i32)
//! table hooks funcref 1
//! elem first funcref in hooks at 0 = [log]
//! export \"notify\" func notify
//! export \"hooks\" table hooks
//!
//! func notify(i32)
//!     calli hooks, r1, (i32), a1
//!     tsize r2, hooks
//!     call log, r2
//!     ret
//! "
//! );
//! # Ok::<(), spasm::builder::BuildError>(())
//! ```

use super::function::FunctionBuilder;
use super::{BuildError, Callee, ElementsId, FunctionId, GlobalId, ImportId, ModuleBuilder, SegmentId, TableId, count};
use crate::isa::op::{Op, Type};
use crate::module::link::{Constant, Elements, Export, Growing, ImportName, ImportedFunction, Item, Mode, Segment};
use crate::module::native::Target;
use crate::module::{Global, Inst, Memory, Reg, Signature, Table};

impl From<ImportId> for Callee {
    fn from(id: ImportId) -> Callee {
        Callee::Import(id)
    }
}

impl From<ImportId> for Target {
    fn from(id: ImportId) -> Target {
        Target::Import(id.0)
    }
}

impl From<FunctionId> for Constant {
    fn from(id: FunctionId) -> Constant {
        Constant::Function(id.into())
    }
}

impl From<ImportId> for Constant {
    fn from(id: ImportId) -> Constant {
        Constant::Function(id.into())
    }
}

impl From<GlobalId> for Constant {
    fn from(id: GlobalId) -> Constant {
        Constant::Global(id.0)
    }
}

fn named((module, name): (&str, &str)) -> ImportName {
    ImportName { module: module.to_owned(), name: name.to_owned() }
}

impl ModuleBuilder {
    /// Adds a function of another module or of the host, found by the names `from`: that of the module and its own.
    pub fn import_function(&mut self, from: (&str, &str), name: impl Into<String>, signature: Signature) -> ImportId {
        let import = ImportedFunction { name: name.into(), from: named(from), signature, line: 0 };
        self.module.imports.push(import);
        ImportId(count(self.module.imports.len() - 1))
    }

    /// Adds a global of another module.
    pub fn import_global(&mut self, from: (&str, &str), name: impl Into<String>, ty: Type, mutable: bool) -> GlobalId {
        self.push_global(Global { mutable, import: Some(named(from)), ..Global::new(name, ty, 0) })
    }

    /// Takes the linear memory of another module, which has at least `min` pages and grows to no more than `max`.
    pub fn import_memory(&mut self, from: (&str, &str), min: u32, max: Option<u32>) {
        if self.module.memory.is_some() {
            return self.fail(BuildError::SecondMemory);
        }
        self.module.memory = Some(Memory { import: Some(named(from)), ..Memory::new(min, max) });
    }

    /// Adds a table of another module, of references of type `ty`.
    pub fn import_table(
        &mut self,
        from: (&str, &str),
        name: impl Into<String>,
        ty: Type,
        min: u32,
        max: Option<u32>,
    ) -> TableId {
        self.push_table(name.into(), Growing { ty, min, max, import: Some(named(from)) })
    }

    /// Adds a table of `min` null references that can grow to `max`.
    pub fn growing_table(&mut self, name: impl Into<String>, ty: Type, min: u32, max: Option<u32>) -> TableId {
        self.push_table(name.into(), Growing { ty, min, max, import: None })
    }

    /// Adds a global that starts with a value which is known when the module is instantiated.
    pub fn computed_global(
        &mut self,
        name: impl Into<String>,
        ty: Type,
        start: impl Into<Constant>,
        mutable: bool,
    ) -> GlobalId {
        self.push_global(Global { start: start.into(), mutable, ..Global::new(name, ty, 0) })
    }

    fn push_global(&mut self, global: Global) -> GlobalId {
        self.module.globals.push(global);
        GlobalId(count(self.module.globals.len() - 1))
    }

    fn push_table(&mut self, name: String, growing: Growing) -> TableId {
        self.module.tables.push(Table { growing: Some(growing), ..Table::new(name, Vec::new()) });
        TableId(count(self.module.tables.len() - 1))
    }

    /// Adds elements for tables of type `ty`.
    pub fn elements(
        &mut self,
        name: impl Into<String>,
        ty: Type,
        items: impl Into<Vec<Constant>>,
        mode: Mode,
    ) -> ElementsId {
        self.module.elements.push(Elements { name: name.into(), ty, items: items.into(), mode, line: 0 });
        ElementsId(count(self.module.elements.len() - 1))
    }

    /// Adds bytes for linear memory.
    pub fn segment(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>, mode: Mode) -> SegmentId {
        self.module.segments.push(Segment { name: name.into(), bytes: bytes.into(), mode, line: 0 });
        SegmentId(count(self.module.segments.len() - 1))
    }

    /// Lets others use an item by this name.
    pub fn export(&mut self, name: impl Into<String>, item: Item) {
        self.module.exports.push(Export { name: name.into(), item, line: 0 });
    }

    /// Says which function runs when the module is instantiated.
    pub fn start(&mut self, function: impl Into<Target>) {
        self.module.start = Some(function.into());
    }
}

impl FunctionBuilder {
    /// An instruction on tables, elements or segments; the numbers of what it names, its result, its arguments.
    fn object(&mut self, op: Op, named: [u32; 2], result: Option<Reg>, args: &[Reg]) {
        let field = |register: &Reg| register.field();
        let results = std::iter::once(u32::from(result.is_some())).chain(result.as_ref().map(field));
        let args = std::iter::once(count(args.len())).chain(args.iter().map(field));
        let list: Vec<u32> = named.into_iter().chain(results).chain(args).collect();
        let b = self.list(list);
        self.emit(Inst { op, d: 0, a: 0, b });
    }

    /// `tget d, table, i`.
    pub fn table_get(&mut self, d: Reg, table: TableId, i: Reg) {
        self.object(Op::Tget, [table.0, 0], Some(d), &[i]);
    }

    /// `tset table, i, x`.
    pub fn table_set(&mut self, table: TableId, i: Reg, x: Reg) {
        self.object(Op::Tset, [table.0, 0], None, &[i, x]);
    }

    /// `tsize d, table`.
    pub fn table_size(&mut self, d: Reg, table: TableId) {
        self.object(Op::Tsize, [table.0, 0], Some(d), &[]);
    }

    /// `tgrow d, table, x, n`.
    pub fn table_grow(&mut self, d: Reg, table: TableId, x: Reg, n: Reg) {
        self.object(Op::Tgrow, [table.0, 0], Some(d), &[x, n]);
    }

    /// `tfill table, i, x, n`.
    pub fn table_fill(&mut self, table: TableId, i: Reg, x: Reg, n: Reg) {
        self.object(Op::Tfill, [table.0, 0], None, &[i, x, n]);
    }

    /// `tcopy to, from, dst, src, n`.
    pub fn table_copy(&mut self, to: TableId, from: TableId, [dst, src, n]: [Reg; 3]) {
        self.object(Op::Tcopy, [to.0, from.0], None, &[dst, src, n]);
    }

    /// `tinit table, elements, dst, src, n`.
    pub fn table_init(&mut self, table: TableId, elements: ElementsId, [dst, src, n]: [Reg; 3]) {
        self.object(Op::Tinit, [table.0, elements.0], None, &[dst, src, n]);
    }

    /// `edrop elements`.
    pub fn elements_drop(&mut self, elements: ElementsId) {
        self.object(Op::Edrop, [elements.0, 0], None, &[]);
    }

    /// `minit segment, dst, src, n`.
    pub fn memory_init(&mut self, segment: SegmentId, dst: Reg, src: Reg, n: Reg) {
        self.object(Op::Minit, [segment.0, 0], None, &[dst, src, n]);
    }

    /// `mdrop segment`.
    pub fn segment_drop(&mut self, segment: SegmentId) {
        self.object(Op::Mdrop, [segment.0, 0], None, &[]);
    }

    /// `ref d, function`.
    pub fn reference(&mut self, d: Reg, function: impl Into<Target>) {
        let (kind, index) = function.into().fields();
        self.object(Op::Ref, [kind, index], Some(d), &[]);
    }
}
