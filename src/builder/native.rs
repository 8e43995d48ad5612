//! Builds what a module has of C: externs, data with native addresses, and the instructions on them.
//!
//! Comes in: calls of a compiler. Goes out: items and instructions of the module being built. What must hold: as for the
//! rest of the builder, nothing panics, and what makes no sense is left to the verifier.
//!
//! ```
//! use spasm::builder::{FunctionBuilder, ModuleBuilder};
//! use spasm::isa::op::{Op, Type};
//! use spasm::module::native::{CSignature, CType, Data};
//! use spasm::module::{Reg, Signature};
//!
//! // Prints a line through C's `puts`, whose address stands in a list.
//! let mut module = ModuleBuilder::new();
//! let puts = CSignature { params: vec![CType::I64], results: vec![CType::I32], ..CSignature::default() };
//! let number = module.c_signature(puts.clone());
//! let puts = module.c_function("puts", "", "puts", puts);
//! let hello = module.data(Data { writable: false, ..Data::new("hello", 1, "hello, world\0") });
//! let list = module.data(Data::new("list", 8, [0; 16]));
//! module.pointer(list, 8, puts);
//!
//! let greet = module.declare("greet");
//! let mut f = FunctionBuilder::new(Signature::new([], [Type::I32]));
//! let (text, result) = (f.local(), f.local());
//! f.addr(text, hello);
//! f.call(&[result], puts, &[text]);
//! let place = f.local();
//! f.addr(place, list);
//! f.load(Op::LoadI64, place, place, 8);
//! f.callp(&[result], place, number, &[text]);
//! f.ret(&[result]);
//! module.define(greet, f);
//!
//! let module = module.finish()?;
//! assert_eq!(
//!     spasm::text::print(&module),
//!     "\
//! extern \"\" puts(i64) -> i32
//! rodata hello = \"hello, world\\0\"
//! data list = ptr 0, puts
//!
//! func greet() -> i32
//!     addr r1, hello
//!     call r2, puts, r1
//!     addr r3, list
//!     load r3, r3, 8
//!     callp r2, r3, (i64) -> i32, r1
//!     ret r2
//! "
//! );
//! # Ok::<(), spasm::builder::BuildError>(())
//! ```

use super::function::{FunctionBuilder, counted};
use super::{BuildError, CSignatureId, DataId, ExternId, FunctionId, ImportId, ModuleBuilder, count};
use crate::isa::op::Op;
use crate::module::native::{CSignature, Data, Extern, Pointer, Target};
use crate::module::{Inst, Reg};

/// What a `call` can name: a function, one of C, or an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function of the module.
    Function(FunctionId),
    /// A function of C.
    Extern(ExternId),
    /// An imported function.
    Import(ImportId),
}

impl From<FunctionId> for Callee {
    fn from(id: FunctionId) -> Callee {
        Callee::Function(id)
    }
}

impl From<ExternId> for Callee {
    fn from(id: ExternId) -> Callee {
        Callee::Extern(id)
    }
}

impl From<FunctionId> for Target {
    fn from(id: FunctionId) -> Target {
        Target::Function(id.0)
    }
}

impl From<ExternId> for Target {
    fn from(id: ExternId) -> Target {
        Target::Extern(id.0)
    }
}

impl From<DataId> for Target {
    fn from(id: DataId) -> Target {
        Target::Data(id.0)
    }
}

impl ModuleBuilder {
    /// The number of a C signature, for calls through addresses.
    pub fn c_signature(&mut self, signature: CSignature) -> CSignatureId {
        if let Some(&index) = self.c_signatures.get(&signature) {
            return CSignatureId(index);
        }
        let index = count(self.module.c_signatures.len());
        self.module.c_signatures.push(signature.clone());
        self.c_signatures.insert(signature, index);
        CSignatureId(index)
    }

    /// Adds the function `symbol` of a shared library, which the program knows as `name`. An empty `library` stands for
    /// what the process has already loaded.
    pub fn c_function(
        &mut self,
        name: impl Into<String>,
        library: impl Into<String>,
        symbol: impl Into<String>,
        signature: CSignature,
    ) -> ExternId {
        let signature = self.c_signature(signature).0;
        let (name, library, symbol) = (name.into(), library.into(), symbol.into());
        self.module.externs.push(Extern { name, library, symbol, signature, line: 0 });
        ExternId(count(self.module.externs.len() - 1))
    }

    /// Adds data with a native address. Its pointers may be part of it, or be [added](Self::pointer) when what they point
    /// to has its number.
    pub fn data(&mut self, data: Data) -> DataId {
        self.module.data.push(data);
        DataId(count(self.module.data.len() - 1))
    }

    /// Has the eight bytes from `offset` of `data` on hold the address of `target`. Bytes that the data has not yet are added
    /// as zeros.
    pub fn pointer(&mut self, data: DataId, offset: u32, target: impl Into<Target>) {
        let Some(data) = self.module.data.get_mut(data.0 as usize) else {
            return self.fail(BuildError::NoData);
        };
        let end = (offset as usize).saturating_add(8);
        if data.bytes.len() < end && end as u64 <= crate::module::native::MAX_DATA {
            let more = (end - data.bytes.len()) as u64;
            data.zeros = data.zeros.saturating_sub(more);
            data.bytes.resize(end, 0);
        }
        let place = data.pointers.partition_point(|pointer| pointer.offset < offset);
        data.pointers.insert(place, Pointer { offset, target: target.into() });
    }
}

impl FunctionBuilder {
    /// `addr d, target`: the native address of a function, an extern or data.
    pub fn addr(&mut self, d: Reg, target: impl Into<Target>) {
        let (a, b) = target.into().fields();
        self.emit(Inst { op: Op::Addr, d: d.field(), a, b });
    }

    /// `callp (results…), p, signature, args…`: calls the C function at the native address in `p`.
    pub fn callp(&mut self, results: &[Reg], p: Reg, signature: CSignatureId, args: &[Reg]) {
        let list = self.list(std::iter::once(signature.0).chain(counted(results)).chain(counted(args)));
        self.emit(Inst { op: Op::Callp, d: 0, a: p.field(), b: list });
    }

    /// `load d, p, offset` with one of the opcodes that load from native memory.
    pub fn load(&mut self, op: Op, d: Reg, p: Reg, offset: i32) {
        self.emit(Inst { op, d: d.field(), a: p.field(), b: offset.cast_unsigned() });
    }

    /// `store s, p, offset` with one of the opcodes that store to native memory.
    pub fn store(&mut self, op: Op, s: Reg, p: Reg, offset: i32) {
        self.emit(Inst { op, d: s.field(), a: p.field(), b: offset.cast_unsigned() });
    }
}
