//! The listing as JSON, for other programs.

use super::holes::Mark;
use super::json;
use super::listing::{Copied, FunctionListing, Listing};
use crate::stitch::trace::Step;

impl Listing {
    /// The listing as JSON: a list with an object for each function.
    #[must_use]
    pub fn json(&self) -> String {
        json::lines(self.functions.iter().map(function)) + "\n"
    }
}

fn function(function: &FunctionListing) -> String {
    let registers = function.registers.iter().map(|(name, homes)| {
        let homes = json::list(homes.iter().map(|home| json::string(home)));
        json::object([("register", json::string(name)), ("in", homes)])
    });
    let snippets: Vec<String> = function.copied.iter().map(|one| copied(function, one)).collect();
    let mut members = vec![
        ("function", json::string(&function.name)),
        ("signature", json::string(&function.signature)),
        ("line", function.line.to_string()),
        ("frame_bytes", function.frame.depth().to_string()),
        ("slots", function.frame.slots.to_string()),
        ("saved", json::list(function.saved.iter().map(|name| json::string(name)))),
        ("registers", json::list(registers)),
        ("instructions", function.totals.instructions.to_string()),
        ("bytes", function.totals.bytes.to_string()),
        ("snippets", format!("[\n    {}\n  ]", snippets.join(",\n    "))),
    ];
    for (name, entry) in [("c_entry", &function.c_entry), ("crossing", &function.crossing)] {
        if !entry.is_empty() {
            let entry: Vec<String> = entry.iter().map(|one| copied(function, one)).collect();
            members.push((name, format!("[\n    {}\n  ]", entry.join(",\n    "))));
        }
    }
    let members: Vec<String> = members.iter().map(|(key, value)| format!("  \"{key}\": {value}")).collect();
    format!("{{\n{}\n}}", members.join(",\n"))
}

fn copied(function: &FunctionListing, copied: &Copied) -> String {
    let line = copied.inst.and_then(|inst| function.lines.get(inst as usize));
    let number = |value: Option<u32>| value.map_or("null".to_owned(), |value| value.to_string());
    let step = match copied.step {
        Step::Body => "body",
        Step::Glue => "glue",
        Step::Frame => "frame",
        Step::Cold => "cold",
    };
    let operands = copied.operands.iter().map(|filled| {
        let operand = &copied.info.operands[usize::from(filled.operand)];
        let facts = [("kind", json::string(operand.kind.name())), ("is", json::string(&filled.text))];
        (operand.name, json::object(facts))
    });
    let bytes = copied.bytes().map(|byte| byte.value.map_or("--".to_owned(), |value| format!("{value:02x}")));
    let holes = copied.bytes().map(|byte| match byte.mark {
        Mark::Fixed => '.',
        Mark::Register(_) => 'r',
        Mark::Value(_) => 'v',
    });
    let constants = copied.constants();
    let second = copied.fused().map(|fused| fused.inst + 1);
    json::object([
        ("instruction", number(copied.inst)),
        ("fused_with", number(second)),
        ("line", number(line.copied())),
        ("step", json::string(step)),
        ("name", json::string(copied.info.name)),
        ("offset", copied.offset().to_string()),
        ("operands", json::object(operands)),
        ("constants", json::object(constants)),
        ("bytes", json::string(&bytes.collect::<String>())),
        ("holes", json::string(&holes.collect::<String>())),
        ("code", json::list(copied.lines.iter().map(|line| json::string(&line.text())))),
    ])
}
