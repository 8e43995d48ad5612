//! The snippets that are no opcode: pieces of frames and of glue, by name.
//!
//! Comes in: nothing. Goes out: the list that the build holds the template files against. What must hold: every part
//! has a template, and every template that is neither an opcode nor a fusion of two is a part.

/// A snippet that the stitcher or the runtime asks for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Part {
    /// Saves a register on the stack.
    Push,
    /// Takes a register back from the stack.
    Pop,
    /// Makes room for the frame.
    Enter,
    /// Gives the frame's room back.
    Leave,
    /// Puts zero into a general register.
    ZeroInt,
    /// Puts zero into a vector register.
    ZeroFloat,
    /// Puts the address of the instance's data into a register.
    Context,
    /// Puts the address of a place in the code into a register.
    Address,
    /// The way from the host onto a Spasm stack and into a function.
    EntryTrampoline,
    /// The same where no argument and no result is a float.
    EntryInt,
    /// The way from a trap back to the host.
    TrapExit,
    /// What stands where no code stands any more.
    Filler,
    /// Takes the lowest byte of a register, zero-extended.
    ZeroExtend8,
    /// Takes the lowest two bytes of a register, zero-extended.
    ZeroExtend16,
    /// Gives 1 where a register holds anything but zero, else 0.
    Truth,
    /// Puts the address of a place in the frame into a register.
    FrameAddress,
    /// Puts what stands in a cell of the instance's data into a register.
    Cell,
    /// The first instruction of what is called or jumped to by its address.
    Landing,
    /// Copies the variadic arguments that C passes on the stack.
    EntryRest,
    /// Goes on in another function, which returns to the caller of this one.
    EntryJump,
    /// Calls a closure of the host with the address of what it has captured.
    Closure,
    /// The way to a function of the host that a store has handed to modules.
    Host,
}

impl Part {
    /// Every part, in the order of its number.
    pub const ALL: [(Part, &'static str); 22] = [
        (Part::Push, "frame.push"),
        (Part::Pop, "frame.pop"),
        (Part::Enter, "frame.enter"),
        (Part::Leave, "frame.leave"),
        (Part::ZeroInt, "zero.i64"),
        (Part::ZeroFloat, "zero.f64"),
        (Part::Context, "context"),
        (Part::Address, "address"),
        (Part::EntryTrampoline, "enter"),
        (Part::EntryInt, "enter.int"),
        (Part::TrapExit, "trap_exit"),
        (Part::Filler, "filler"),
        (Part::ZeroExtend8, "zext8"),
        (Part::ZeroExtend16, "zext16"),
        (Part::Truth, "truth"),
        (Part::FrameAddress, "frame.address"),
        (Part::Cell, "cell"),
        (Part::Landing, "landing"),
        (Part::EntryRest, "entry.rest"),
        (Part::EntryJump, "entry.jump"),
        (Part::Closure, "closure"),
        (Part::Host, "host"),
    ];

    /// The name that its template declares.
    #[must_use]
    pub fn name(self) -> &'static str {
        Part::ALL[self as usize].1
    }
}
