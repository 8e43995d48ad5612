//! Fused snippets: what their templates stand for, and whether a declaration makes sense.
//!
//! Comes in: templates whose names join two opcodes (`shl.i64+add.i64`), or that ask for a constant (`where b 3`). Goes
//! out: [`Fusion`]s, or what to write instead. What must hold: a fusion computes one value or decides one branch; the
//! result of its first instruction goes nowhere but into the second; a fault in it belongs to the first; and whatever
//! registers its operands are in, the stitcher can bring them to it with the scratch registers alone.

use super::custom::{SOURCES, suffices};
use super::op::{Flag, Op, Shape, Type};
use super::snippet::{Kind, MAX_REGS, Role};
use super::table::op_named;
use super::template::{Abi, Declared, Template};

/// What a source must be for a fusion to stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Anything: it is an operand.
    Any,
    /// This constant.
    Is(i32),
    /// A constant that is a power of two; the operand `n` is its exponent.
    Power,
}

impl When {
    /// True where a source of type `ty` that is the constant `bits` will do.
    #[must_use]
    pub fn holds(self, ty: Type, bits: u64) -> bool {
        match self {
            When::Any => true,
            When::Is(value) => ty.normalise(bits) == ty.normalise(i64::from(value).cast_unsigned()),
            When::Power => ty.normalise(bits).is_power_of_two(),
        }
    }

    /// How much it asks for: what asks for more is tried first.
    #[must_use]
    pub fn strictness(self) -> u8 {
        match self {
            When::Any => 0,
            When::Power => 1,
            When::Is(_) => 2,
        }
    }
}

/// Which source of the second instruction is the result of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// The only one, or any of two that can be exchanged.
    Any,
    /// The first.
    A,
    /// The second.
    B,
}

/// A fusion: what its snippets stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fusion {
    /// The first opcode.
    pub first: Op,
    /// The second opcode, which uses up the result of the first; none where one instruction with a constant is meant.
    pub second: Option<Op>,
    /// Where the second opcode has that result.
    pub feeds: Feeds,
    /// What `a`, `b` and `c` must be.
    pub when: [When; MAX_REGS],
    /// The key under which its snippets are found.
    pub key: u16,
}

impl Fusion {
    /// True for a computation and the branch on its result.
    #[must_use]
    pub fn branches(&self) -> bool {
        self.second.is_some_and(|second| second.row().shape == Shape::Branch)
    }

    /// True where the first instruction reads memory.
    #[must_use]
    pub fn loads(&self) -> bool {
        self.first.row().shape != Shape::Value
    }

    /// How many bytes of memory its first instruction reads, if it does.
    #[must_use]
    pub fn bytes_read(&self) -> Option<usize> {
        let bytes = match self.first.row().suffix {
            "8s" | "8u" => 1,
            "16s" | "16u" => 2,
            "32s" | "i32" | "f32" => 4,
            _ => 8,
        };
        self.loads().then_some(bytes)
    }

    /// The types of the sources `a`, `b` and `c`, where there are such.
    #[must_use]
    pub fn sources(&self) -> [Option<Type>; MAX_REGS] {
        let args = self.first.row().args;
        let other = self.second.map(|second| (second.row().args, usize::from(self.feeds != Feeds::B)));
        let c = other.and_then(|(args, nth)| if args.len() == 2 { Some(args[nth]) } else { None });
        [args.first().copied(), args.get(1).copied(), c]
    }

    /// The type of what it writes.
    #[must_use]
    pub fn result(&self) -> Option<Type> {
        self.second.unwrap_or(self.first).row().result
    }

    /// The source that the result takes the place of, where a template has the operands for which `has` holds and writes
    /// `inout d`: the one that it does not name.
    #[must_use]
    pub fn tied(&self, has: impl Fn(&str) -> bool) -> Option<usize> {
        let sources = self.sources();
        (0..MAX_REGS).find(|&nth| sources[nth].is_some() && self.when[nth] == When::Any && !has(SOURCES[nth]))
    }

    /// The result of the whole, from those of its sources.
    #[must_use]
    pub fn evaluate(&self, [a, b, c]: [u64; MAX_REGS], loaded: Option<u64>) -> Option<u64> {
        let first = match loaded {
            Some(loaded) => loaded,
            None => self.first.evaluate(a, b)?.ok()?,
        };
        let Some(second) = self.second else { return Some(first) };
        let operands = if self.feeds == Feeds::B { [c, first] } else { [first, c] };
        second.evaluate(operands[0], operands[1])?.ok()
    }

    /// What it asks for beside its opcodes, as templates write it: ` where b 3`.
    #[must_use]
    pub fn conditions(&self) -> Vec<String> {
        let of = |(name, when): (&&str, &When)| match when {
            When::Any => None,
            When::Is(value) => Some(format!("where {name} {value}")),
            When::Power => Some(format!("where {name} 2^n")),
        };
        let feeds = match self.feeds {
            Feeds::Any => None,
            Feeds::A => Some("feeds a".to_owned()),
            Feeds::B => Some("feeds b".to_owned()),
        };
        SOURCES.iter().zip(&self.when).filter_map(of).chain(feeds).collect()
    }

    /// True for fusions of the same instructions under the same conditions, whatever their keys are.
    #[must_use]
    pub fn stands_for_same(&self, other: &Fusion) -> bool {
        Fusion { key: other.key, ..*self } == *other
    }

    /// The fusion that a template is for, with no key; nothing where it is for one opcode on any operands, or a part.
    ///
    /// # Errors
    /// What is wrong with its name and its conditions.
    pub fn of(template: &Template) -> Result<Option<Fusion>, String> {
        let Template { name, conditions, feeds, .. } = template;
        if name.ends_with("/cold") || (!name.contains('+') && conditions.is_empty() && feeds.is_none()) {
            return Ok(None);
        }
        if template.custom.is_some() || !name.contains('+') && op_named(name).is_none() {
            return Err("`where` and `feeds` are for opcodes of the table: drop them".to_owned());
        }
        let named = |word: &str| {
            op_named(word).ok_or_else(|| {
                format!(
                    "`{word}` is no opcode of the table: a fusion joins two that are, as in `less.i64+jmpt` and \
                     `shl.i64+add.i64`"
                )
            })
        };
        let ops = name.split('+').map(named).collect::<Result<Vec<Op>, String>>()?;
        let (first, second) = match ops[..] {
            [first] => (first, None),
            [first, second] => (first, Some(second)),
            _ => return Err(format!("joins {} instructions: two are the most", ops.len())),
        };
        let mut fusion = Fusion { first, second, feeds: Feeds::Any, when: [When::Any; MAX_REGS], key: 0 };
        fusion.check_opcodes()?;
        if fusion.branches() && !(conditions.is_empty() && feeds.is_none()) {
            return Err("a branch reads the result and nothing else: drop `where` and `feeds`".to_owned());
        }
        fusion.set_feeds(feeds.as_deref())?;
        conditions.iter().try_for_each(|(source, when)| fusion.set_condition(source, *when))?;
        Ok(Some(fusion))
    }

    fn check_opcodes(&self) -> Result<(), String> {
        let (first, name) = (self.first.row(), self.first.row().name());
        let Some(second) = self.second.map(Op::row) else {
            return if first.shape == Shape::Value && first.args.len() == 2 {
                Ok(())
            } else {
                Err(format!("`where` is for opcodes that compute something from two sources, and `{name}` is none"))
            };
        };
        let other = second.name();
        if second.shape == Shape::Branch {
            if first.shape == Shape::Value && first.args.len() == 2 {
                return Ok(());
            }
            return Err(format!("a branch is fused to an opcode with two sources, and `{name}` is none"));
        }
        if !matches!(first.shape, Shape::Value | Shape::Load | Shape::NativeLoad) {
            return Err(format!("`{name}` neither computes a value nor reads one: a fusion begins with what does"));
        }
        if second.shape != Shape::Value {
            return Err(format!("`{other}` neither computes a value nor branches: a fusion ends with what does"));
        }
        if first.shape == Shape::Value && first.has(Flag::Traps) {
            return Err(format!("`{name}` can trap: in a fusion nothing may but the load that it begins with"));
        }
        if second.has(Flag::Traps) {
            return Err(format!("`{other}` can trap: a fault in a fusion belongs to its first instruction"));
        }
        let class = first.result.map(Type::class);
        if class != second.args.first().map(|ty| ty.class()) {
            return Err(format!("`{other}` cannot read what `{name}` gives: their types differ"));
        }
        Ok(())
    }

    fn set_feeds(&mut self, feeds: Option<&str>) -> Result<(), String> {
        let second = self.second.filter(|second| second.row().shape == Shape::Value && second.row().args.len() == 2);
        let Some(second) = second else {
            return match feeds {
                Some(_) => Err("`feeds` says which of two sources is meant, and there is only one: drop it".to_owned()),
                None => Ok(()),
            };
        };
        let (name, commutes) = (second.row().name(), second.row().has(Flag::Commutes));
        self.feeds = match feeds {
            None if commutes => Feeds::Any,
            Some(_) if commutes => return Err(format!("`{name}` takes its sources in any order: drop `feeds`")),
            Some("a") => Feeds::A,
            Some("b") => Feeds::B,
            _ => {
                return Err(format!(
                    "say which source of `{name}` the first result is: write `feeds a` or `feeds b`, and the other one is \
                     `c`"
                ));
            }
        };
        Ok(())
    }

    fn set_condition(&mut self, source: &str, when: When) -> Result<(), String> {
        let nth = SOURCES.iter().position(|name| *name == source).filter(|&nth| self.sources()[nth].is_some());
        let Some(nth) = nth else { return Err(format!("`where {source}`: there is no source `{source}`")) };
        let ty = self.sources()[nth].unwrap_or(Type::I64);
        if ty.class().is_float() {
            return Err(format!("`where {source}`: it is an {}, and conditions are for ints", ty.name()));
        }
        if nth < 2 && self.loads() {
            return Err(format!("`where {source}`: of what is loaded nothing is known when code is made"));
        }
        if source == "a" && self.first.row().has(Flag::Commutes) {
            return Err("`where a`: a constant source that can be exchanged is `b`: write `where b`".to_owned());
        }
        if self.when[nth] != When::Any {
            return Err(format!("`where {source}` is said twice"));
        }
        self.when[nth] = when;
        Ok(())
    }

    /// Holds the operands and the body of a template that computes a value against the fusion.
    ///
    /// # Errors
    /// Where an operand is missing, is another, or is one too many, or where the scratch registers may not suffice.
    pub fn check(&self, template: &Template, abi: &Abi) -> Result<(), String> {
        if self.branches() {
            return Ok(());
        }
        if let Some((_, line)) = template
            .body
            .iter()
            .find(|(_, line)| ["trap ", "fault "].iter().any(|word| line.starts_with(word)) || line.contains("\\cold"))
        {
            return Err(format!("`{line}`: a fusion neither traps by itself nor has a part out of line"));
        }
        let operand = |name: &str| template.operands.iter().find(|operand| operand.name == name);
        let wrong = |what: String| Err(format!("{what}: write {}", self.usage()));
        let kind = |ty: Type| if ty.class().is_float() { Kind::Xmm } else { Kind::Gp };
        let Some(d) = operand("d").filter(|d| Some(d.kind) == self.result().map(kind) && d.role != Role::In) else {
            return wrong("has no result `d`".to_owned());
        };
        let tied = (d.role == Role::InOut).then(|| self.tied(|name| operand(name).is_some()));
        if tied == Some(None) {
            return wrong("`inout d` is the result and the source that is not named, but all are".to_owned());
        }
        let tied = tied.flatten();
        let mut known = vec!["d"];
        for (nth, ty) in self.sources().iter().enumerate().filter_map(|(nth, ty)| Some((nth, (*ty)?))) {
            let name = SOURCES[nth];
            known.push(name);
            let found = operand(name);
            match (self.when[nth], found) {
                (When::Any, None) if tied == Some(nth) && kind(ty) == d.kind => {}
                (When::Any, Some(found)) if found.kind == kind(ty) && found.role == Role::In => {}
                (When::Any, Some(_)) => return wrong(format!("operand `{name}` is not the source of that name")),
                (When::Any, None) => return wrong(format!("has no source `{name}`")),
                (_, Some(_)) => return wrong(format!("operand `{name}` is a constant, as `where {name}` says")),
                (_, None) => {}
            }
        }
        let value = |name: &str, kinds: [Kind; 2]| {
            operand(name).is_some_and(|found| found.role == Role::In && kinds.contains(&found.kind))
        };
        if self.loads() {
            known.push("o");
            if !value("o", [Kind::Off8, Kind::Off32]) {
                return wrong("has no offset `o`".to_owned());
            }
        } else if self.when.contains(&When::Power) {
            known.push("n");
            if operand("n").is_some() && !value("n", [Kind::Imm8, Kind::Imm8]) {
                return wrong("operand `n` is the exponent of the power of two".to_owned());
            }
        }
        if let Some(more) = template.operands.iter().find(|operand| !known.contains(&operand.name.as_str())) {
            return wrong(format!("has an operand `{}` too many", more.name));
        }
        if suffices(&self.loaded_first(&template.operands, abi), abi) {
            return Ok(());
        }
        Err("excludes so many scratch registers that its operands cannot all be loaded into some that are left: let them \
             stand in more of SCRATCH0 to SCRATCH2, or FSCRATCH0 to FSCRATCH2"
            .to_owned())
    }

    /// The register operands; the address of a load may have been computed in the first scratch register.
    fn loaded_first(&self, operands: &[Declared], abi: &Abi) -> Vec<Declared> {
        let scratch = abi.role("SCRATCH0").and_then(super::template::register_number).map_or(0, |(n, _)| 1 << n);
        let narrowed = |operand: &Declared| match operand.name.as_str() {
            "a" if self.loads() => Declared { allowed: operand.allowed & scratch, ..operand.clone() },
            _ => operand.clone(),
        };
        operands.iter().filter(|operand| operand.kind.is_register()).map(narrowed).collect()
    }

    /// The operands as templates declare them.
    fn usage(&self) -> String {
        let kind = |ty: Type| if ty.class().is_float() { "xmm" } else { "gp" };
        let mut parts: Vec<String> = self.result().map(|ty| format!("out d:{}", kind(ty))).into_iter().collect();
        for ((name, ty), when) in SOURCES.iter().zip(self.sources()).zip(self.when) {
            parts.extend(ty.filter(|_| when == When::Any).map(|ty| format!("in {name}:{}", kind(ty))));
        }
        if self.loads() {
            parts.push("in o:off32".to_owned());
        } else if self.when.contains(&When::Power) {
            parts.push("in n:imm8".to_owned());
        }
        format!("`{}`, or `inout d` for `out d` and the source that it takes the place of", parts.join(", "))
    }
}
