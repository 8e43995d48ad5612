//! What the interpreter does with C: it asks somebody else.
//!
//! Comes in: steps that call C functions, take addresses or go to native memory. Goes out: calls of the [`Native`] that
//! the interpreter was handed. What must hold: how C is called is not known here, so that the interpreter goes on
//! sharing nothing with machine code; while C runs, what the program keeps between calls is lent out, because C may call
//! back, on any thread.

use crate::for_each_op;
use crate::isa::op::{Bits, Op, Shape, meaning};
use crate::isa::trap::TrapKind;
use crate::module::native::Target;
pub use crate::objects::View;
use crate::streams::Streams;
use crate::trap::RunError;

use super::registers::{Place, Window};
use super::run::{Context, Run};

/// What a running program works on beside its registers.
#[derive(Debug)]
pub struct World<'w> {
    /// The linear memory.
    pub memory: View<'w>,
    /// The globals' raw bits, by index.
    pub globals: &'w mut [u64],
    /// Where it prints and reads.
    pub streams: &'w mut Streams,
}

#[allow(clippy::mut_mut, reason = "what is lent are references, to be replaced")]
/// The same while C runs: whoever is lent it may have others work on it, and puts in what they leave.
#[derive(Debug)]
pub struct Lent<'l, 'w> {
    /// See [`World`].
    pub memory: &'l mut View<'w>,
    /// See [`World`].
    pub globals: &'l mut &'w mut [u64],
    /// See [`World`].
    pub streams: &'l mut &'w mut Streams,
}

/// A call of a C function.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its address.
    pub address: u64,
    /// The number of its signature in the module.
    pub signature: u32,
    /// For each argument beyond those of the signature, whether it is an f64.
    pub further: &'a [bool],
    /// The raw bits of the arguments.
    pub args: &'a [u64],
}

/// How a call of C ended that was not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The function returned.
    Returned,
    /// It called the program back, and that ended with success.
    Halted,
}

/// What calls C for the interpreter, and reads and writes memory that is not the program's own.
pub trait Native<'w> {
    /// The native address of what the module calls so.
    fn address(&mut self, target: Target) -> u64;

    /// Reads memory; whether there is any is the program's affair.
    fn load(&mut self, address: u64, bytes: &mut [u8]);

    /// Writes memory.
    fn store(&mut self, address: u64, bytes: &[u8]);

    /// Calls a C function, and appends the raw bits of its results to `results`.
    ///
    /// # Errors
    /// Where the function called the program back, and that was stopped; or where the call cannot be made. A trap without
    /// frames is one of the call itself.
    fn call(&mut self, lent: Lent<'_, 'w>, call: &Call<'_>, results: &mut Vec<u64>) -> Result<Left, RunError>;

    /// Executes an instruction of the declared opcode with this number: gives the raw bits of its result, if it has one.
    ///
    /// # Errors
    /// Where the opcode traps, or there is nobody who knows what it does.
    fn custom(&mut self, number: u32, args: &[u64]) -> Result<u64, RunError> {
        let _ = (number, args);
        Err(RunError::NoOpcode)
    }
}

/// What does the steps of `op`, if it is one on native memory or calls C.
pub(super) const fn run_of(op: Op) -> Option<Run> {
    match Op::ROWS[op as usize].shape {
        Shape::NativeLoad | Shape::NativeStore => Some(access(op)),
        Shape::CallExtern => Some(call_extern),
        Shape::Callp => Some(call_address),
        Shape::Addr => Some(address),
        _ => None,
    }
}

/// Ends the run because nobody was handed over who knows C.
#[cold]
fn nobody<'c>(context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    context.fail(RunError::NoNatives)
}

fn address<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let step = place.step();
    // The verifier has seen that there is such a thing.
    let (Some(target), Some(natives)) = (Target::from_fields(step.a, step.b), &mut context.natives) else {
        return nobody(context);
    };
    registers.set(step.d, natives.address(target));
    None
}

fn call_extern<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    let Some(natives) = &mut context.natives else { return nobody(context) };
    let address = natives.address(Target::Extern(place.step().a));
    call(place, registers, context, address)
}

fn call_address<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>) -> Option<Place<'c>> {
    call(place, registers, context, registers.get(place.step().a))
}

/// Calls C: the list of a step is `[nargs, x…, nresults, d…]`, with the signature before it, and behind it for each
/// argument that this does not name whether it is a float, with their number.
fn call<'c>(place: Place<'c>, registers: Window, context: &mut Context<'c, '_>, address: u64) -> Option<Place<'c>> {
    if !context.count_jump() {
        return context.trap(TrapKind::Interrupted);
    }
    let lists = &context.current.code.lists;
    let at = place.step().b as usize;
    let (args, rest) = counted(&lists[at..]);
    let (destinations, rest) = counted(rest);
    let (further, _) = counted(rest);
    let further: Vec<bool> = further.iter().map(|&is_float| is_float != 0).collect();
    let args: Vec<u64> = args.iter().map(|&slot| registers.get(slot)).collect();
    let call = Call { address, signature: lists[at - 1], further: &further, args: &args };
    let Context { natives, memory, globals, streams, .. } = context;
    let Some(natives) = natives else { return nobody(context) };
    let mut results = Vec::new();
    match natives.call(Lent { memory, globals, streams }, &call, &mut results) {
        Ok(Left::Returned) => {
            for (&slot, bits) in destinations.iter().zip(results) {
                registers.set(slot, bits);
            }
            None
        }
        Ok(Left::Halted) => context.halt(),
        Err(error) => context.stop(place, error),
    }
}

/// A list that starts with its length, and what follows it.
#[inline(always)]
pub(super) fn counted(list: &[u32]) -> (&[u32], &[u32]) {
    list[1..].split_at(list[0] as usize)
}

macro_rules! define_accesses {
    (
        $(value $v:ident $vm:literal $vs:literal ($($p:ident: $pt:ident),*) -> $vr:ident [$($f:ident)*] $ve:block $vd:literal;)*
        $(load $l:ident $lm:literal $ls:literal ($lx:ident: $lraw:ident) -> $lr:ident $le:block $ld:literal;)*
        $(store $s:ident $sm:literal $ss:literal ($sx:ident: $st:ident) -> $sraw:ident $se:block $sd:literal;)*
        $(other $o:ident $om:literal $os:literal $osh:ident $od:literal;)*
    ) => {
        /// What does the steps of a row that loads or stores, on native memory.
        const fn access(op: Op) -> Run {
            match op {
                $(Op::$l => |place, registers, context| {
                    let Some(natives) = &mut context.natives else { return nobody(context) };
                    let step = place.step();
                    let mut bytes = [0; 8];
                    natives.load(start(registers.get(step.a), step.b), &mut bytes[..size_of::<$lraw>()]);
                    registers.set(step.d, meaning::$l(<$lraw>::of(u64::from_le_bytes(bytes))).bits());
                    None
                },)*
                $(Op::$s => |place, registers, context| {
                    let Some(natives) = &mut context.natives else { return nobody(context) };
                    let step = place.step();
                    let bytes = meaning::$s(<$st>::of(registers.get(step.d))).bits().to_le_bytes();
                    natives.store(start(registers.get(step.a), step.b), &bytes[..size_of::<$sraw>()]);
                    None
                },)*
                _ => |_, _, context| nobody(context),
            }
        }
    };
}
for_each_op!(define_accesses);

/// The address that an access goes to: the offset has a sign.
fn start(p: u64, offset: u32) -> u64 {
    p.wrapping_add_signed(i64::from(offset.cast_signed()))
}
