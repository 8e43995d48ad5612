//! Programs that have the operands of one instruction where they are wanted.
//!
//! Comes in: an arrangement. Goes out: source text. What must hold: it says `func f(A, B, i64) -> (R, i64)`, gives the
//! instruction's result first, and second a sum in which every other value stands, so that none can be lost.

use std::fmt::Write as _;

use spasm::isa::op::{Class, Op, Type};
use spasm::isa::snippet::{Info, Kind};
use spasm::value::Value;

/// Where an operand is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Used so often that placement keeps it in a register.
    Register,
    /// Used less often than everything else, of which there is too much for the registers.
    Slot,
    /// A constant.
    Constant,
}

/// Which registers of the program are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// None.
    None,
    /// Result and first source.
    A,
    /// Result and second source.
    B,
    /// Both sources.
    Sources,
    /// All of them.
    All,
}

impl Tie {
    pub const ALL: [Tie; 5] = [Tie::None, Tie::A, Tie::B, Tie::Sources, Tie::All];
}

/// What becomes of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is kept.
    Value,
    /// It is kept by way of a branch: whether that is taken if it is true, and whether it leads backward.
    Branch { if_true: bool, backward: bool },
}

impl Use {
    pub const BRANCHES: [Use; 4] = [
        Use::Branch { if_true: true, backward: false },
        Use::Branch { if_true: false, backward: false },
        Use::Branch { if_true: true, backward: true },
        Use::Branch { if_true: false, backward: true },
    ];
}

/// An arrangement.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub op: Op,
    pub a: Place,
    pub b: Place,
    pub d: Place,
    pub tie: Tie,
    /// Whether the values come from one block and go to another.
    pub crosses: bool,
    pub result: Use,
}

/// More than there are registers of either kind.
pub const MANY: usize = 20;

/// The kinds of a template's operands, whatever their width: which of those is taken depends on the distance.
pub fn form(info: &Info) -> String {
    let kind = |kind| match kind {
        Kind::Gp | Kind::Xmm => "register",
        Kind::Slot8 | Kind::Slot32 => "slot",
        Kind::Rel8 | Kind::Rel32 => "target",
        _ => "constant",
    };
    let operands: Vec<&str> = info.operands.iter().map(|operand| kind(operand.kind)).collect();
    format!("{} {}", info.name, operands.join(", "))
}

impl Case {
    pub fn is_possible(&self) -> bool {
        let row = self.op.row();
        let result = row.result.map(Type::class);
        let same = |n: usize| row.args.get(n).map(|ty| ty.class()) == result;
        let sources = row.args.len() == 2 && self.a == self.b;
        match self.tie {
            Tie::None => true,
            _ if self.crosses && self.tie != Tie::A => false,
            Tie::A => same(0) && (self.a == self.d || self.a == Place::Constant),
            Tie::B => row.args.len() == 2 && same(1) && (self.b == self.d || self.b == Place::Constant),
            Tie::Sources => sources,
            Tie::All => sources && same(0) && (self.a == self.d || self.a == Place::Constant),
        }
    }

    pub fn has_constant(&self) -> bool {
        self.a == Place::Constant || (self.op.row().args.len() == 2 && self.b == Place::Constant)
    }

    /// The types of both operands; of the first twice where there is only one.
    pub fn types(&self) -> [Type; 2] {
        let args = self.op.row().args;
        [args[0], *args.get(1).unwrap_or(&args[0])]
    }

    /// What the instruction works on.
    pub fn effective(&self, pair: [u64; 2], constants: [u64; 2]) -> [u64; 2] {
        let pick = |n: usize, place| if place == Place::Constant { constants[n] } else { pair[n] };
        let (a, b) = (pick(0, self.a), pick(1, self.b));
        if matches!(self.tie, Tie::Sources | Tie::All) { [a, a] } else { [a, b] }
    }

    pub fn source(&self, constants: [u64; 2]) -> String {
        let mut writer = Writer::default();
        let [ta, tb] = self.types();
        let result = self.op.row().result.expect("a value instruction");
        let names = [ta, tb, result].map(|ty| ty.class().widest().name());
        let (a, b, d) = match self.tie {
            Tie::None => ("r1", "r2", "r3"),
            Tie::A => ("r1", "r2", "r1"),
            Tie::B => ("r1", "r2", "r2"),
            Tie::Sources => ("r1", "r1", "r3"),
            Tie::All => ("r1", "r1", "r1"),
        };
        writer.line(&format!("func f({}, {}, i64) -> ({}, i64)", names[0], names[1], names[2]));
        writer.line("    const r8, 7");
        let in_slots = |float: bool| {
            let operands = [(self.a, ta), (self.b, tb), (self.d, result)];
            operands.iter().any(|(place, ty)| *place == Place::Slot && ty.class().is_float() == float)
        };
        let [ints, floats] = [false, true].map(|float| if in_slots(float) { MANY } else { 2 });
        writer.operand(a, "a1", self.a, ta, constants[0]);
        if a != b {
            writer.operand(b, "a2", self.b, tb, constants[1]);
        }
        writer.others(ints, floats);
        if self.crosses {
            writer.line("    jmpf a3, on");
            writer.line("    add r4, r4, a3");
            writer.line("on:");
        }
        let heavy = |place| if place == Place::Register { 5 } else { 0 };
        writer.touch(a, ta.class(), heavy(self.a));
        writer.touch(b, tb.class(), heavy(self.b));
        writer.touch_others(ints, floats);
        self.instruction(&mut writer, d, a, b);
        writer.touch_others(ints, floats);
        writer.touch_others(ints, floats);
        writer.touch(d, result.class(), heavy(self.d));
        for (register, place, ty) in [(a, self.a, ta), (b, self.b, tb)] {
            if d != register && place != Place::Constant {
                writer.touch(register, ty.class(), 1);
            }
        }
        writer.line(&format!("    ret {d}, r4"));
        writer.text
    }

    fn instruction(&self, writer: &mut Writer, d: &str, a: &str, b: &str) {
        let name = self.op.row().name();
        let operands = if self.op.row().args.len() == 2 { format!("{a}, {b}") } else { a.to_owned() };
        let Use::Branch { if_true, backward } = self.result else {
            writer.line(&format!("    {name} {d}, {operands}"));
            if self.crosses {
                writer.line("    jmpf a3, further");
                writer.line("    add r4, r4, a3");
                writer.line("further:");
            }
            return;
        };
        let branch = if if_true { "jmpt" } else { "jmpf" };
        let [taken, passed] = [if_true, !if_true].map(u8::from);
        let compare = format!("    {name} r5, {operands}\n    {branch} r5, taken\n    const {d}, {passed}");
        let target = format!("taken:\n    const {d}, {taken}\n    jmp joined");
        if backward {
            writer.line(&format!("    jmp start\n{target}\nstart:\n{compare}"));
        } else {
            writer.line(&format!("{compare}\n    jmp joined\n{target}"));
        }
        writer.line("joined:");
    }
}

/// Writes a body. `r4` is the sum of everything; `r5` … `r7` are for the moment, `r8` is 7; others are from `r10` on.
#[derive(Default)]
pub struct Writer {
    pub text: String,
}

impl Writer {
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Values that must survive: ints from `r10`, floats from `r60`, of which every other one is an `f32`.
    pub fn others(&mut self, ints: usize, floats: usize) {
        for k in 0..ints {
            _ = writeln!(self.text, "    const r5, {}\n    add r{}, a3, r5", 1000 + k, 10 + k);
        }
        for k in 0..floats {
            _ = writeln!(self.text, "    const r5, {}\n    add r6, a3, r5", 2000 + k);
            _ = writeln!(self.text, "    cvt.{}.i64 r{}, r6", float_class(k).name(), 60 + k);
        }
    }

    pub fn touch_others(&mut self, ints: usize, floats: usize) {
        (0..ints).for_each(|k| self.touch(&format!("r{}", 10 + k), Class::Int, 1));
        (0..floats).for_each(|k| self.touch(&format!("r{}", 60 + k), float_class(k), 1));
    }

    /// Takes a register into the sum so many times.
    pub fn touch(&mut self, register: &str, class: Class, times: usize) {
        for _ in 0..times {
            let line = match class {
                Class::Int => format!("    rotl r4, r4, r8\n    add r4, r4, {register}"),
                Class::F32 => format!("    bits.i32.f32 r6, {register}\n    xor r4, r4, r6"),
                Class::F64 => format!("    bits.i64.f64 r6, {register}\n    sub r4, r4, r6"),
            };
            self.line(&line);
        }
    }

    fn operand(&mut self, register: &str, parameter: &str, place: Place, ty: Type, constant: u64) {
        if place == Place::Constant {
            let nan = match ty.class() {
                Class::Int => None,
                Class::F32 => nan(constant, 23, 32),
                Class::F64 => nan(constant, 52, 64),
            };
            let value = nan.unwrap_or_else(|| Value::from_bits(ty, constant).to_string());
            self.line(&format!("    const.{} {register}, {value}", ty.name()));
        } else {
            self.line(&format!("    move {register}, {parameter}"));
        }
    }
}

fn float_class(k: usize) -> Class {
    if k.is_multiple_of(2) { Class::F32 } else { Class::F64 }
}

/// How the text writes a NaN with these bits, of which the lowest `width` are its payload; nothing for other numbers.
fn nan(bits: u64, width: u32, size: u32) -> Option<String> {
    let payload = bits & ((1 << width) - 1);
    let exponent = bits >> width & ((1 << (size - 1 - width)) - 1);
    let is_nan = payload != 0 && exponent == (1 << (size - 1 - width)) - 1;
    is_nan.then(|| format!("{}nan:{payload:#x}", if bits >> (size - 1) == 1 { "-" } else { "" }))
}
