//! Functions of the host, in Rust, that programs call as externs.
//!
//! Comes in: closures and functions with numbers for arguments. Goes out: addresses that C would call them by. What must
//! hold: a panic never leaves a function of the host by its frame; what a closure has captured lives as long as any
//! instance that may call it.
//!
//! What captures nothing is called directly: its address is that of a function made for its type. What does is called
//! through a few bytes of code, which pass the address of what it has captured as one more argument.

#![allow(unsafe_code, reason = "functions that machine code calls, and their way out of a panic")]

use std::any::Any;
use std::collections::HashMap;
use std::mem::{size_of, transmute};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::isa::part::Part;
use crate::isa::snippet::MAX_REGS;
use crate::library::Library;
use crate::library::builtin::CINTS;
use crate::module::native::{CSignature, CType, Extern};

use super::arena::ExecutableCode;
use super::context::{Cause, Context, Fault, Pending};
use super::error::ExecError;
use super::runtime::Runtime;
use super::thread;

/// Functions of the host, by the names under which programs find them.
///
/// An extern of library `""` is looked for here before it is looked for in what the process has loaded.
///
/// ```
/// use spasm::engine::Imports;
///
/// let mut imports = Imports::new();
/// imports.func("scale", |x: f64, by: i64| -> f64 { x * by as f64 });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Imports {
    functions: HashMap<String, Arc<Host>>,
}

/// A function of the host.
#[derive(Debug)]
struct Host {
    params: Vec<CType>,
    result: Option<CType>,
    /// What is called: with the arguments, and where there is an environment with its address behind them.
    shim: usize,
    environment: Option<Environment>,
}

/// What a closure has captured.
#[derive(Clone)]
struct Environment(Arc<dyn Any + Send + Sync>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

/// Why a function of the host cannot be an extern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The extern's name in the program.
    pub name: String,
    /// The line of the extern; 0 where there is none.
    pub line: u32,
    /// How the program calls it.
    pub wanted: String,
    /// What the host has.
    pub given: String,
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line != 0 {
            write!(f, "line {}: ", self.line)?;
        }
        let ImportError { name, wanted, given, .. } = self;
        write!(f, "extern `{name}`: the program calls it as {wanted}, but the host's function is {given}")
    }
}

impl std::error::Error for ImportError {}

impl Imports {
    /// No functions.
    #[must_use]
    pub fn new() -> Imports {
        Imports::default()
    }

    /// Adds a function, or puts it in the place of another of that name. It may be called from several threads.
    ///
    /// A panic in it ends the call of the program that it came from, and goes on in whoever made that call.
    pub fn func<Args, F: HostFunction<Args>>(&mut self, name: impl Into<String>, function: F) -> &mut Imports {
        self.functions.insert(name.into(), Arc::new(function.into_host().0));
        self
    }

    /// The address of each function that one of `externs` is, and what keeps it there.
    pub(crate) fn bind(
        &self,
        runtime: &Runtime,
        externs: &[Extern],
        signatures: &[CSignature],
    ) -> Result<Bound, BindError> {
        let mut bound = Bound::default();
        for one in externs.iter().filter(|one| one.library.is_empty()) {
            let Some(host) = self.functions.get(&one.symbol) else { continue };
            host.agrees(one, &signatures[one.signature as usize])?;
            if bound.addresses.contains_key(&one.symbol) {
                continue;
            }
            let address = match &host.environment {
                None => host.shim,
                Some(environment) if host.ints() >= CINTS.len() => {
                    let (params, result) = (host.params.clone(), host.result.clone());
                    let environment = environment.address();
                    bound.wide.push(Wide { name: one.symbol.clone(), params, result, shim: host.shim, environment });
                    bound.owners.push(Arc::clone(host) as Arc<dyn super::natives::Keep>);
                    bound.addresses.insert(one.symbol.clone(), 0);
                    continue;
                }
                Some(environment) => {
                    let code = host.closure(runtime, environment)?;
                    let address = code.address();
                    bound.owners.push(Arc::new(code));
                    address
                }
            };
            bound.owners.push(Arc::clone(host) as Arc<dyn super::natives::Keep>);
            bound.addresses.insert(one.symbol.clone(), address);
        }
        Ok(bound)
    }
}

/// The functions of the host that a module uses.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub addresses: HashMap<String, usize>,
    pub owners: Vec<Arc<dyn super::natives::Keep>>,
    /// Closures whose arguments leave no register free; their addresses are yet to be made.
    pub wide: Vec<Wide>,
}

/// A closure that needs a function of its own to pass what it has captured.
#[derive(Debug)]
pub(crate) struct Wide {
    pub name: String,
    pub params: Vec<CType>,
    pub result: Option<CType>,
    /// The address of what takes the arguments and the environment behind them.
    pub shim: usize,
    pub environment: usize,
}

/// Why they cannot be used.
#[derive(Debug)]
pub(crate) enum BindError {
    Import(Box<ImportError>),
    Exec(ExecError),
}

impl From<ImportError> for BindError {
    fn from(error: ImportError) -> BindError {
        BindError::Import(Box::new(error))
    }
}

impl From<ExecError> for BindError {
    fn from(error: ExecError) -> BindError {
        BindError::Exec(error)
    }
}

impl Host {
    /// Makes sure that the program calls the function as what it is. Signs do not matter to who passes a value.
    fn agrees(&self, one: &Extern, signature: &CSignature) -> Result<(), ImportError> {
        let kind = |ty: &CType| (ty.size(), matches!(ty, CType::F32 | CType::F64), matches!(ty, CType::Struct(_)));
        let same = |a: &CType, b: &CType| kind(a) == kind(b);
        let params = self.params.len() == signature.params.len()
            && self.params.iter().zip(&signature.params).all(|(a, b)| same(a, b));
        let result = match (&self.result, &signature.returns()) {
            (None, None) => true,
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        if params && result && !signature.variadic && signature.abi == crate::module::native::Abi::SysV {
            return Ok(());
        }
        let given = CSignature {
            params: self.params.clone(),
            results: self.result.clone().into_iter().collect(),
            ..CSignature::default()
        };
        let convention = if signature.abi == crate::module::native::Abi::SysV { "" } else { "\"win64\" " };
        Err(ImportError {
            name: one.name.clone(),
            line: one.line,
            wanted: format!("{convention}{signature}"),
            given: given.to_string(),
        })
    }

    /// How many arguments travel in general registers, as far as there are some.
    fn ints(&self) -> usize {
        self.params.iter().filter(|ty| !matches!(ty, CType::F32 | CType::F64)).count()
    }

    /// Code that calls the shim with the environment in the next free register. There must be one.
    fn closure(&self, runtime: &Runtime, environment: &Environment) -> Result<ExecutableCode, ExecError> {
        let library = Library::native();
        let chunk = library.part(Part::Closure);
        let mut regs = [0; MAX_REGS];
        regs[0] = CINTS[self.ints()];
        let mut bytes = library.bytes(chunk, regs);
        let contract = library.contract(chunk);
        for hole in contract.holes() {
            let value = if contract.operand(hole).name == "a" { environment.address() } else { self.shim };
            let at = usize::from(hole.offset);
            bytes[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes());
        }
        let mut code = runtime.arena().code(bytes.len())?;
        code.bytes_mut().copy_from_slice(&bytes);
        code.publish()
    }
}

impl Environment {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<u8>() as usize
    }
}

/// Numbers that functions of the host take and give.
pub trait HostType: Copy + 'static + sealed::Sealed {
    /// What C calls it.
    #[doc(hidden)]
    const TYPE: CType;
}

/// What functions of the host give: a number, or nothing.
pub trait HostResult: 'static + sealed::Sealed {
    #[doc(hidden)]
    const TYPE: Option<CType>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! host_types {
    ($($t:ty => $c:ident),*) => { $(
        impl sealed::Sealed for $t {}
        impl HostType for $t {
            const TYPE: CType = CType::$c;
        }
        impl HostResult for $t {
            const TYPE: Option<CType> = Some(CType::$c);
        }
    )* };
}
host_types!(
    i8 => I8, u8 => U8, i16 => I16, u16 => U16, i32 => I32, u32 => U32, i64 => I64, u64 => I64, isize => I64,
    usize => I64, bool => Bool, f32 => F32, f64 => F64
);

impl<T: 'static> sealed::Sealed for *const T {}
impl<T: 'static> HostType for *const T {
    const TYPE: CType = CType::I64;
}
impl<T: 'static> HostResult for *const T {
    const TYPE: Option<CType> = Some(CType::I64);
}
impl<T: 'static> sealed::Sealed for *mut T {}
impl<T: 'static> HostType for *mut T {
    const TYPE: CType = CType::I64;
}
impl<T: 'static> HostResult for *mut T {
    const TYPE: Option<CType> = Some(CType::I64);
}
impl sealed::Sealed for () {}
impl HostResult for () {
    const TYPE: Option<CType> = None;
}

/// A function or closure that programs can call: up to twelve numbers or pointers, and a result or none.
pub trait HostFunction<Args>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_host(self) -> Made;
}

/// A function of the host, ready for [`Imports`].
#[derive(Debug)]
pub struct Made(Host);

macro_rules! host_functions {
    ($(($($a:ident $x:ident),*))*) => { $(
        impl<F, R, $($a),*> HostFunction<(R, $($a,)*)> for F
        where
            F: Fn($($a),*) -> R + Send + Sync + 'static,
            R: HostResult,
            $($a: HostType,)*
        {
            fn into_host(self) -> Made {
                /// For what captures nothing: there is nothing of it but its type.
                extern "C" fn direct<F, R, $($a),*>($($x: $a),*) -> R
                where
                    F: Fn($($a),*) -> R,
                {
                    // SAFETY: a value of no bytes is wherever it is looked for; one was handed to `into_host`, and is
                    // never dropped.
                    let function = unsafe { NonNull::<F>::dangling().as_ref() };
                    guarded(|| function($($x),*))
                }

                extern "C" fn captured<F, R, $($a),*>($($x: $a,)* environment: *const F) -> R
                where
                    F: Fn($($a),*) -> R,
                {
                    // SAFETY: the code that calls this passes what `Host::closure` wrote into it, which the instance
                    // keeps alive.
                    let function = unsafe { &*environment };
                    guarded(|| function($($x),*))
                }

                let (params, result) = (vec![$($a::TYPE),*], R::TYPE);
                if size_of::<F>() == 0 {
                    std::mem::forget(self);
                    let shim = direct::<F, R, $($a),*> as extern "C" fn($($a),*) -> R as *const () as usize;
                    return Made(Host { params, result, shim, environment: None });
                }
                let shim = captured::<F, R, $($a),*> as extern "C" fn($($a,)* *const F) -> R as *const () as usize;
                let environment = Some(Environment(Arc::new(self)));
                Made(Host { params, result, shim, environment })
            }
        }
    )* };
}
host_functions! {
    ()
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, G g)
    (A a, B b, C c, D d, E e, G g, H h)
    (A a, B b, C c, D d, E e, G g, H h, I i)
    (A a, B b, C c, D d, E e, G g, H h, I i, J j)
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k)
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l)
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l, M m)
}

/// Runs a function of the host; a panic in it ends the call in progress.
fn guarded<R>(work: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => end_with(panic),
    }
}

/// Leaves the innermost call in progress on this thread, as a trap would, and takes the panic along.
fn end_with(panic: Box<dyn Any + Send>) -> ! {
    type Exit = unsafe extern "sysv64" fn(*mut Context) -> !;
    let call = thread::activation();
    if call.is_null() {
        eprintln!("error: a function of the host panicked, and no call of a program is in progress on its thread");
        std::process::abort();
    }
    thread::set_pending(Pending::Panic(panic));
    // SAFETY: the call is in progress on this thread, so its context is there, and the frames that are left behind are
    // those between it and this one: those of stitched code, of C, and `guarded`, none of which has anything to drop.
    unsafe {
        (*call).fault = Some(Fault { context: call, offset: 0, sp: 0, cause: Cause::Halt });
        let exit: Exit = transmute::<usize, Exit>((*call).trap_exit);
        exit(call)
    }
}
