//! Spasm is a small register machine, and a JIT for it that makes machine code by copying assembly snippets end to end
//! and patching them.
//!
//! This page is for those who use the crate from Rust, and for those who want to know their way around in it. The
//! language is described by its [reference](mod@reference), the writing of templates in `asm/README.md`, the command by `spasm help`.
//!
//! # Running a program
//!
//! ```
//! use spasm::engine::Engine;
//! use spasm::{text, verify};
//!
//! let source = "
//! func divide(i64, i64) -> (i64, i64)
//!     div r1, a1, a2
//!     mod r2, a1, a2
//!     ret r1, r2
//! ";
//! let module = text::parse("divide.spasm", source)?; // errors have lines, columns and advice
//! let verified = verify::verify(module)?; // from here on nothing is checked a second time
//! let mut instance = Engine::default().instantiate(&verified)?; // machine code, and the module's state
//! let divide = instance.typed::<(i64, i64), (i64, i64)>("divide")?; // the signature is compared once
//! assert_eq!(divide.call(&mut instance, (17, 5))?, (3, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each step takes what the one before it gives, and the types see to the order: what wants a
//! [`Verified`](verified::Verified) cannot be handed a [`Module`](module::Module).
//! [`Instance::call`](engine::Instance::call) does without Rust types, with [`Value`](value::Value)s. A module in binary
//! form comes from [`binary::decode`].
//!
//! # Building a program
//!
//! A compiler need not print text. The [builder] makes the same modules:
//!
//! ```
//! use spasm::builder::{FunctionBuilder, ModuleBuilder};
//! use spasm::engine::Engine;
//! use spasm::isa::op::{Op, Type};
//! use spasm::module::{Reg, Signature};
//! use spasm::verify;
//!
//! let mut module = ModuleBuilder::new();
//! let hypot = module.declare("hypot");
//!
//! let mut f = FunctionBuilder::new(Signature::new([Type::F64, Type::F64], [Type::F64]));
//! let (x, y) = (Reg::arg(1), Reg::arg(2));
//! f.mul_f64(x, x, x);
//! f.mul_f64(y, y, y);
//! f.add_f64(x, x, y);
//! f.unary(Op::SqrtF64, x, x);
//! f.ret(&[x]);
//! module.define(hypot, f);
//!
//! let verified = verify::verify(module.finish()?)?;
//! let mut instance = Engine::default().instantiate(&verified)?;
//! let hypot = instance.typed::<(f64, f64), f64>("hypot")?;
//! assert_eq!(hypot.call(&mut instance, (3.0, 4.0))?, 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Traps, and what a program prints
//!
//! A trap ends the call, and nothing else: the process, the instance and its memory stay usable. `print` and `read` use
//! the standard streams unless they are given others.
//!
//! ```
//! use spasm::engine::{CallError, Engine};
//! use spasm::streams::Streams;
//! use spasm::trap::{RunError, TrapKind};
//! use spasm::{text, verify};
//!
//! let source = "
//! func share(i64)
//!     read r1
//!     div r1, r1, a1
//!     print r1
//!     ret
//! ";
//! let verified = verify::verify(text::parse("share.spasm", source)?)?;
//! let mut instance = Engine::default().instantiate(&verified)?;
//! let (streams, printed) = Streams::captured("100 200");
//! instance.set_streams(streams);
//!
//! let share = instance.typed::<i64, ()>("share")?;
//! share.call(&mut instance, 4)?;
//! assert_eq!(printed.text(), "25\n");
//!
//! match share.call(&mut instance, 0) {
//!     Err(CallError::Run(RunError::Trap(trap))) => {
//!         assert_eq!(trap.kind, TrapKind::DivideByZero);
//!         assert_eq!(trap.to_string(), "trap: divide by zero\n  at share (share.spasm:4)");
//!     }
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Tiers
//!
//! A tier is a way to run a program. Which one it was shows in the time it takes, and in nothing else.
//!
//! ```
//! use spasm::engine::{Config, Engine, Tier};
//! use spasm::{text, verify};
//!
//! let verified = verify::verify(text::parse("two.spasm", "func two() -> i64\n    const r1, 2\n    ret r1\n")?)?;
//! for tier in [Tier::Interp, Tier::Baseline] {
//!     let engine = Engine::new(Config { tier, ..Config::default() });
//!     let mut instance = engine.instantiate(&verified)?;
//!     assert_eq!(instance.typed::<(), i64>("two")?.call(&mut instance, ())?, 2);
//!     assert_eq!(instance.code().is_some(), tier == Tier::Baseline);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The way of the data
//!
//! ```text
//!  text ────┐                          ┌─▶ interp ────────────────────────────────▶ results
//!  binary ──┼─▶ Module ─▶ verify ─▶ Verified                                           ▲
//!  builder ─┘                          └─▶ stitch ─▶ Image ─▶ exec: publish, enter ────┘
//!                                             ▲        ├────▶ elf: objects that link with C
//!                                             │        └────▶ explain, check
//!  asm/**/*.S ─▶ the build: isa::extract ─▶ library
//! ```
//!
//! One direction, no way back. Each module's own page says what comes in, what goes out, and what must hold.
//!
//! | module | what it is |
//! |---|---|
//! | [`isa`] | known when Spasm is built: the table of opcodes, templates and their extraction; compiled into the build, too |
//! | [`text`], [`binary`], [`builder`] | the three ways to a [`Module`](module::Module); [`diagnostic`] shows what is wrong with one |
//! | [`verify`] | the border between programs as they come and programs that may run |
//! | [`interp`] | the interpreter, the oracle for all else; `companion` makes what stands between it and C |
//! | [`library`], [`stitch`] | the snippets for this machine, and what makes machine code of them |
//! | [`engine`] | instances, calls and errors, for Rust; below it `exec`, nearly all `unsafe` of the crate |
//! | [`store`] | instances that are linked with each other and with the host; below it `objects`, what they share |
//! | `elf` | with the feature `elf`: ELF objects and C headers; `src/rt` is the runtime that goes into them, a crate of its own |
//! | `debug` | with the feature `elf`: what unwinders and debuggers are told, of objects and of code in memory |
//! | [`check`] | proves of a stitched image that values are where instructions look for them |
//! | [`snippets`] | templates that are laid over the library while Spasm runs, through the same extraction and a cache |
//! | `contract`, `trial` | with the feature `cli`: snippets against a decoder, and run against what their rows say |
//! | `explain` | with the feature `cli`: machine code for people to read, in a terminal, in a browser, as JSON |
//!
//! # Words
//!
//! One word for one thing, throughout the crate:
//!
//! - **Opcode**: an instruction with its types settled, such as `add.i64`. Its **row** in the table of opcodes says what
//!   it means. A **declared opcode** has none: a template that is laid over the library gives its name and types.
//! - **Variable**: a register of the machine that Spasm programs are written for (`a1`, `r1`), after verification.
//!   **Register** alone means one of the processor's where machine code is spoken of.
//! - **Template**: what a person writes in `asm/`: the body of one opcode for given kinds of operands. **Snippet**: what
//!   extraction makes of it. **Chunk**: eight bytes of a snippet. **Spread**: what each register adds to them in an
//!   operand's place.
//! - **Hole**: a place in a snippet that is filled at run time. A **register hole** is the bits that encode a register,
//!   a **value hole** holds a constant, a distance or an address.
//! - **Contract**: which operands a snippet reads and writes, which registers may stand there, what else it changes.
//! - **Form**: where a snippet's operands stand: registers, slots, constants. **Narrow**: the same with a value of one
//!   byte. **Fusion**: one snippet for two instructions, or for one on a certain constant. **Part**: a snippet that is
//!   no opcode.
//! - **Out of line**: what a snippet does seldom, and what therefore stands behind the function's code.
//! - **Range**: the stretch of a function in which a variable's value is needed, if it crosses from block to block; what
//!   is used up in its block is a value **within a block**.
//! - **Place**: where a value is: a register, a slot, or nowhere because it is a constant. **Placement** decides that.
//! - **Frame**: what a function has on the stack; a **slot** is eight bytes of it.
//! - **Scratch register**: one that never holds a variable, and carries nothing from one instruction to the next.
//! - **Glue**: snippets between those of the instructions, which bring values to the places where they are wanted.
//! - **Image**: the finished code of a module, with **relocations** for what is not known before it is mapped. **Site**:
//!   an instruction in it that may fault, and what that means. **Unwind row**: the depth of the stack from an offset on.
//! - **Instance**: a module with its state. Its **context** is what code and runtime share of it.
//! - **Arena**: the memory that code and data are in. To **publish** is to bring an image there.
//! - **Trampoline**: the way from Rust into stitched code. **Helper**: a function in Rust that stitched code calls.
//! - **Extern**: a function of C that a module calls. **Data**: bytes of a module that have a native address.
//! - **Companion**: a module of stitched code that serves an interpreted one. Its **thunks** are called by the interpreter
//!   and call C; its **bridges** are called by C and have the interpreter run a function.
//! - **Guard**: address space that faults, behind linear memory and below stacks.
//! - **Trap**: the end of a call that a program brought about itself. A **fault** is what the processor reports.

pub mod binary;
pub mod builder;
pub mod check;
pub(crate) mod companion;
#[cfg(feature = "cli")]
pub mod contract;
#[cfg(feature = "elf")]
pub mod debug;
pub mod diagnostic;
#[cfg(feature = "elf")]
pub mod elf;
pub mod engine;
pub(crate) mod exec;
#[cfg(feature = "cli")]
pub mod explain;
#[doc(hidden)]
pub mod generate;
pub mod interp;
pub mod isa;
pub mod library;
mod machine;
pub mod module;
pub mod number;
pub(crate) mod objects;
pub mod reference;
pub mod snippets;
pub mod stitch;
pub mod store;
pub mod streams;
pub mod text;
pub mod trap;
#[cfg(feature = "cli")]
pub mod trial;
pub mod value;
pub mod verified;
pub mod verify;
#[cfg(feature = "wasi")]
pub mod wasi;
#[cfg(feature = "wasm")]
pub mod wasm;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
