//! The calls in case files: see `tests/cases.rs`.

use spasm::isa::op::Type;
use spasm::text;
use spasm::value::Value;

/// A call, and what must come of it.
#[derive(Debug)]
pub struct Call<'t> {
    pub line: usize,
    pub function: &'t str,
    pub args: Vec<&'t str>,
    pub reads: &'t str,
    pub prints: &'t str,
    pub end: &'t str,
}

/// The words of a list.
pub fn words(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// Understands what stands behind `#!`.
fn call(line: usize, text: &str) -> Option<Call<'_>> {
    let (function, rest) = text.split_once('(')?;
    let (args, rest) = rest.split_once(')')?;
    let rest = rest.trim();
    let end = ["= ", "traps ", "halts"].iter().filter_map(|word| rest.find(word)).min();
    let (streams, end) = rest.split_at(end.or(rest.ends_with('=').then(|| rest.len() - 1))?);
    let (reads, prints) = streams.split_once("prints ").unwrap_or((streams, ""));
    let reads = reads.trim().strip_prefix("reads ").unwrap_or(reads.trim());
    Some(Call { line, function: function.trim(), args: words(args), reads, prints: prints.trim(), end })
}

/// The calls of a case file.
pub fn calls(source: &str) -> Vec<Call<'_>> {
    let marked = source.lines().enumerate().filter_map(|(n, line)| Some((n + 1, line.strip_prefix("#!")?)));
    marked
        .map(|(n, text)| call(n, text.trim()).unwrap_or_else(|| panic!("line {n}: this is no call: {text}")))
        .collect()
}

/// Values of these types; those behind the last type are ints.
pub fn parse(texts: &[&str], types: &[Type]) -> Vec<Value> {
    let types = types.iter().copied().chain(std::iter::repeat(Type::I64));
    texts.iter().zip(types).map(|(text, ty)| value(text, ty)).collect()
}

/// A literal as a program may have it: also a NaN with a payload, which the command line does not know.
fn value(text: &str, ty: Type) -> Value {
    if let Ok(value) = Value::parse(text, ty) {
        return value;
    }
    let source = format!("global g {} = {text}\n", ty.name());
    let module = text::parse("a case", &source).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    Value::from_bits(ty, module.globals[0].bits())
}

/// Values, with their bits.
pub fn show(values: &[Value]) -> String {
    let list: Vec<String> = values.iter().map(|value| format!("{value} ({:#x})", value.bits())).collect();
    format!("= {}", list.join(", "))
}
