//! Builds modules without the way through text.
//!
//! Comes in: calls of a compiler. Goes out: a [`Module`], with lists laid out and labels resolved as the text parser,
//! which builds with the same code, does it. What must hold: whatever is called in whatever order, nothing panics; what
//! a builder itself can see to be wrong is a [`BuildError`], the rest is for the verifier.
//!
//! ```
//! use spasm::builder::{FunctionBuilder, ModuleBuilder};
//! use spasm::isa::op::{Op, Type};
//! use spasm::module::{Reg, Signature};
//!
//! // The sum of the numbers from 1 to n.
//! let mut module = ModuleBuilder::new();
//! let sum = module.declare("sum");
//!
//! let mut f = FunctionBuilder::new(Signature::new([Type::I64], [Type::I64]));
//! let n = Reg::arg(1);
//! let (total, one, more) = (f.local(), f.local(), f.local());
//! let again = f.label("again");
//! f.const_i64(one, 1);
//! f.bind(again);
//! f.add(total, total, n);
//! f.sub(n, n, one);
//! f.value(Op::LessI64, more, one, n);
//! f.jump_if(more, again);
//! f.add(total, total, one);
//! f.ret(&[total]);
//! module.define(sum, f);
//!
//! let module = module.finish()?;
//! assert_eq!(
//!     spasm::text::print(&module),
//!     "\
//! func sum(i64) -> i64
//!     const r2, 1
//! again:
//!     add r1, r1, a1
//!     sub a1, a1, r2
//!     less r3, r2, a1
//!     jmpt r3, again
//!     add r1, r1, r2
//!     ret r1
//! "
//! );
//! # Ok::<(), spasm::builder::BuildError>(())
//! ```

mod custom;
mod function;
mod link;
mod native;

use std::collections::HashMap;

pub use custom::OpcodeId;
pub use function::{FunctionBuilder, LabelId};
pub use native::Callee;

use crate::isa::op::Type;
use crate::module::native::CSignature;
use crate::module::{Function, Global, Init, Memory, Module, Signature, Source, Table};

macro_rules! ids {
    ($($name:ident $what:literal;)*) => { $(
        #[doc = concat!("The number of ", $what, " in the module that a [`ModuleBuilder`] builds.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The number itself: the index in the finished module.
            #[must_use]
            pub fn index(self) -> u32 {
                self.0
            }
        }
    )* };
}
ids! {
    FunctionId "a function";
    GlobalId "a global";
    TableId "a table";
    SignatureId "a signature";
    ExternId "a function of C";
    DataId "data with a native address";
    CSignatureId "a signature of C functions";
    ImportId "an imported function";
    ElementsId "elements for tables";
    SegmentId "bytes for linear memory";
}

/// What a builder was used for that makes no module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A function was declared and never defined.
    #[error("function `{0}` is declared but never defined")]
    Undefined(String),
    /// A function was defined twice.
    #[error("function `{0}` is defined twice")]
    Redefined(String),
    /// A function was defined that was never declared in this module.
    #[error("a function is defined that was not declared in this module")]
    Undeclared,
    /// A label is jumped to but stands nowhere.
    #[error("in function `{function}`: label `{label}` is used but never bound")]
    Unbound {
        /// The function.
        function: String,
        /// The label's name, or its number if it has none.
        label: String,
    },
    /// A label was bound twice.
    #[error("in function `{function}`: label `{label}` is bound twice")]
    Rebound {
        /// The function.
        function: String,
        /// The label's name, or its number if it has none.
        label: String,
    },
    /// A label of another function was used.
    #[error("in function `{function}`: a label of another function is used")]
    ForeignLabel {
        /// The function.
        function: String,
    },
    /// More local registers were asked for than there are.
    #[error("in function `{function}`: there are only 65535 local registers")]
    Registers {
        /// The function.
        function: String,
    },
    /// An instruction has more parts than can be counted.
    #[error("in function `{function}`: it is too long")]
    TooLong {
        /// The function.
        function: String,
    },
    /// A second memory was defined.
    #[error("the module has a memory already")]
    SecondMemory,
    /// A pointer was put into data of another module.
    #[error("a pointer is put into data that this module does not have")]
    NoData,
}

/// Builds a [`Module`].
#[derive(Debug, Default)]
pub struct ModuleBuilder {
    module: Module,
    defined: Vec<bool>,
    signatures: HashMap<Signature, u32>,
    c_signatures: HashMap<CSignature, u32>,
    error: Option<BuildError>,
}

impl ModuleBuilder {
    /// An empty module.
    #[must_use]
    pub fn new() -> ModuleBuilder {
        ModuleBuilder::default()
    }

    /// Adds a function that can be called from now on, and must be [defined](Self::define) before the end.
    pub fn declare(&mut self, name: impl Into<String>) -> FunctionId {
        self.module.functions.push(Function { name: name.into(), ..Function::default() });
        self.defined.push(false);
        FunctionId(count(self.module.functions.len() - 1))
    }

    /// Gives a declared function its signature and body.
    pub fn define(&mut self, id: FunctionId, body: FunctionBuilder) {
        let Some(function) = self.module.functions.get_mut(id.0 as usize) else {
            return self.fail(BuildError::Undeclared);
        };
        let name = std::mem::take(&mut function.name);
        if self.defined[id.0 as usize] {
            function.name.clone_from(&name);
            return self.fail(BuildError::Redefined(name));
        }
        self.defined[id.0 as usize] = true;
        let (body, error) = body.finish(name);
        *function = body;
        if let Some(error) = error {
            self.fail(error);
        }
    }

    /// Adds a global that starts with `bits`, as a register of type `ty` holds them.
    pub fn global(&mut self, name: impl Into<String>, ty: Type, bits: u64) -> GlobalId {
        self.module.globals.push(Global::new(name, ty, bits));
        GlobalId(count(self.module.globals.len() - 1))
    }

    /// Gives the module a linear memory of `min` pages that can grow to `max`.
    pub fn memory(&mut self, min: u32, max: Option<u32>) {
        if self.module.memory.is_some() {
            return self.fail(BuildError::SecondMemory);
        }
        self.module.memory = Some(Memory::new(min, max));
    }

    /// Fills linear memory from `offset` at the start.
    pub fn init(&mut self, offset: u32, bytes: impl Into<Vec<u8>>) {
        self.module.inits.push(Init { offset, bytes: bytes.into(), line: 0 });
    }

    /// Adds a table of functions.
    pub fn table(&mut self, name: impl Into<String>, functions: &[FunctionId]) -> TableId {
        let functions = functions.iter().map(|id| id.0).collect();
        self.module.tables.push(Table::new(name, functions));
        TableId(count(self.module.tables.len() - 1))
    }

    /// The number of a signature, for indirect calls.
    pub fn signature(&mut self, signature: Signature) -> SignatureId {
        if let Some(&index) = self.signatures.get(&signature) {
            return SignatureId(index);
        }
        let index = count(self.module.signatures.len());
        self.module.signatures.push(signature.clone());
        self.signatures.insert(signature, index);
        SignatureId(index)
    }

    /// Says what the module is made from, for messages; lines are set by [`FunctionBuilder::line`].
    pub fn source(&mut self, source: Source) {
        self.module.source = Some(source);
    }

    /// The module.
    ///
    /// # Errors
    /// The first misuse of this builder, or of a function's, if there was one.
    pub fn finish(self) -> Result<Module, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.defined.iter().position(|defined| !defined) {
            Some(index) => Err(BuildError::Undefined(self.module.functions[index].name.clone())),
            None => Ok(self.module),
        }
    }

    /// What is built so far, for the text parser to add lines to.
    pub(crate) fn module_mut(&mut self) -> &mut Module {
        &mut self.module
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }
}

/// A count of things that each take more than a byte of memory, in the width that modules use.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
