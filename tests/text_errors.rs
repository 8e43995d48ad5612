//! What a person is told about a wrong program.

use spasm::text::{parse, parse_bytes};

/// Requires that a program is not refused.
fn accepted(text: &str) {
    if let Err(errors) = parse("test.spasm", text) {
        panic!("{errors}");
    }
}

/// The errors of a wrong program, as they are shown.
fn refused(text: &str) -> String {
    parse("test.spasm", text).expect_err("the program is wrong").to_string()
}

/// The messages, and the places where they belong.
fn messages(text: &str) -> Vec<String> {
    let errors = parse("test.spasm", text).expect_err("the program is wrong");
    let show = |error: &spasm::diagnostic::Diagnostic| {
        let place = error.place().expect("errors of the text have a place");
        format!("{}:{} {}", place.line(), place.column().unwrap_or(0), error.message())
    };
    errors.iter().map(show).collect()
}

/// The only error's advice.
fn help(text: &str) -> String {
    let errors = parse("test.spasm", text).expect_err("the program is wrong");
    assert_eq!(errors.iter().count(), 1, "{errors}");
    errors.first().advice().unwrap_or_default().to_owned()
}

/// The advice on one wrong line of a function.
fn line_help(line: &str) -> String {
    help(&format!("func f\n    {line}\nend:\n"))
}

#[test]
fn every_error_of_a_program_is_shown() {
    let text = "\
func first
    ad r1, a1, a1
    add r1, a1
    jmp lop
loop:
    const r1, 42.0
func second(i64) {
    call first, r1 r2
    call fisrt
";
    let expected = "\
error: there is no instruction `ad`
 --> test.spasm:2:5
  |
2 |     ad r1, a1, a1
  |     ^^
  = help: did you mean `add`?

error: `add` takes 3 operands, but 2 are given
 --> test.spasm:3:9
  |
3 |     add r1, a1
  |         ^^^^^^
  = help: it is written `add d, a, b`

error: there is no label `lop` in function `first`
 --> test.spasm:4:9
  |
4 |     jmp lop
  |         ^^^
  = help: did you mean `loop`?

error: `42.0` is a float, but an i64 is expected
 --> test.spasm:6:15
  |
6 |     const r1, 42.0
  |               ^^^^
  = help: a float constant is written `const.f64 d, 1.5`, or with `const.f32`

error: `{` does not belong here
 --> test.spasm:7:18
  |
7 | func second(i64) {
  |                  ^
  = help: a function's body runs to the next item; it has no braces, which only `struct{...}` has

error: `r2` does not belong here
 --> test.spasm:8:20
  |
8 |     call first, r1 r2
  |                    ^^
  = help: one statement stands on a line, and commas separate operands

error: there is no function `fisrt`
 --> test.spasm:9:10
  |
9 |     call fisrt
  |          ^^^^^
  = help: did you mean `first`?
";
    assert_eq!(refused(text), expected);
}

#[test]
fn a_second_definition_shows_the_first() {
    let expected = "\
error: function `f` is defined twice
 --> test.spasm:3:6
  |
1 | func f
  |      - first defined here
2 |     ret
3 | func f
  |      ^
"
    .replace("2 |     ret\n", "...\n");
    assert_eq!(refused("func f\n    ret\nfunc f\n    ret\n"), expected);
    assert_eq!(messages("func f\nx:\nlabel x\n"), ["3:7 label `x` is defined twice in this function"]);
    assert_eq!(messages("global g i64 = 0\nglobal g f32 = 0"), ["2:8 global `g` is defined twice"]);
    assert_eq!(messages("table g = []\ntable g = []"), ["2:7 table `g` is defined twice"]);
    assert_eq!(messages("memory 1\nmemory 1"), ["2:1 a module has only one memory"]);
    // Functions, globals and tables have names of their own, and so do labels of different functions.
    accepted("global g i64 = 0\ntable g = [g]\nfunc g\ng: ret\nfunc h\ng: ret");
}

#[test]
fn memory_and_its_contents() {
    assert_eq!(messages("memory 2 1"), ["1:1 the memory begins with 2 pages, but can have only 1"]);
    assert_eq!(messages("memory 65537"), ["1:8 `65537` is out of range for a number of pages"]);
    assert_eq!(messages("init 0 = \"x\""), ["1:6 there is no linear memory to fill"]);
    assert_eq!(
        messages("init 65535 = i16 1\nmemory 1"),
        ["1:6 this fills memory up to byte 65537, but it begins with 65536"]
    );
    assert_eq!(help("init 65535 = i16 1\nmemory 1"), "it needs 2 pages instead of 1");
    assert_eq!(help("memory 65536\ninit 4294967295 = \"xy\""), "linear memory has at most 4 GiB");
    assert_eq!(
        messages("memory 1\ninit 0 = zero 99999999999"),
        ["2:15 `99999999999` is out of range for a number of bytes"]
    );
    assert_eq!(messages("memory 65536\ninit 0 = zero 4294967296"), ["2:15 more than 67108864 bytes are set to zero"]);
    assert_eq!(
        messages("memory 1\ninit 0 = zero 65537"),
        ["2:6 this fills memory up to byte 65537, but it begins with 65536"]
    );
    assert_eq!(messages("memory 1\ninit 0 = i8 1,,2"), ["2:15 an i8 is missing here"]);
    assert_eq!(
        messages("memory 1\ninit 0 = i8 -129\ninit 0 = i8 256"),
        ["2:13 `-129` is out of range for an i8", "3:13 `256` is out of range for an i8"]
    );
    assert_eq!(messages("memory 1\ninit 0 = f32"), ["2:13 a literal is missing here"]);
    accepted("memory 1\ninit 65535 = \"x\"\ninit 65536 = \"\"");
}

#[test]
fn advice_on_instructions() {
    assert_eq!(line_help("mov r1, r2"), "did you mean `move`?");
    assert_eq!(line_help("sqrt r1, a1"), "it comes as `sqrt.f32`, `sqrt.f64`");
    assert_eq!(
        line_help("greater.i16 r1, a1, a1"),
        "it comes as `greater.f32`, `greater.f64`, `greater.i32`, `greater.i64`"
    );
    assert_eq!(line_help("print.f64 r1"), "write `print`: it takes its type from its operands");
    assert_eq!(line_help("again"), "if it is a label, write `again:`");
    assert_eq!(line_help("label x:"), "write `label x` or `x:`, not both");
    assert_eq!(line_help("const.f64 r1, .5"), "write `0.5`");
    assert_eq!(line_help("const.f32 r1, 1e39"), "infinity is written `inf`");
    assert_eq!(line_help("const.i32 r1, 4294967296"), "it must be from -2147483648 to 4294967295");
    assert_eq!(line_help("mload r1, a1, -4"), "it must be from 0 to 4294967295");
    assert_eq!(line_help("mload r1"), "it is written `mload d, i, OFFSET`");
    assert_eq!(line_help("call r1, r2"), "a function of that name is named in quotes: `\"r2\"`");
    assert_eq!(line_help("call r1"), "the results stand before the name: `call r1, FUNCTION, x, ...`");
    assert_eq!(line_help("calli r1, f, a1, i64"), "`f` is a function");
    assert_eq!(line_help("jmp f"), "`f` is a function; functions are called by `call`");
    assert_eq!(line_help("jmp r1"), "a label stands in the same function, as a line `r1:`");
    assert_eq!(line_help("call"), "it is written `call FUNCTION, x, ...` or `call d, FUNCTION, x, ...`");
    assert_eq!(messages("func f\nx: switch r1, x, x"), ["2:15 a list of labels like `[a, b]` is expected here"]);
    assert_eq!(line_help("halt 1"), "it is written `halt`");
    assert_eq!(line_help("move r1, %2"), "registers are written `a1`, `r1`, or as numbers; names need no mark");
    assert_eq!(line_help("add r1, a1001, a0"), "there are `a1` to `a1000`, `r0`, and `r1` to `r65535`");
    assert_eq!(line_help("add r1, r65536, 1"), "there are `a1` to `a1000`, `r0`, and `r1` to `r65535`");
    assert_eq!(line_help("add r1, 65536, 1"), "there are `a1` to `a1000`, `r0`, and `r1` to `r65535`");
    assert_eq!(line_help("add r1, 1.5, 1"), "registers are written `a1`, `r0`, `r1`, or as numbers");
    assert_eq!(line_help("x: func g"), "begin it on a line of its own");
    assert_eq!(
        help("func f\n ret\nglobal g i64 = 0\n ret"),
        "an item ends the function before it; put it before or behind the whole function"
    );
    assert_eq!(help("ret"), "a function begins with a line `func NAME`");
    assert_eq!(help("func f() -> i32, f64\n ret"), "several results stand in parentheses: `-> (i64, f64)`");
    assert_eq!(help("global g = 1"), "the types are `i32`, `i64` (or `ptr`), `f32`, `f64`, `funcref` and `externref`");
    assert_eq!(help("global g i64 = 1.5"), "a global that holds floats is written `global g f64 = 1.5`");
    assert_eq!(help("table t = f"), "write `table t = [f, g]`, or `table t funcref 10` for one that grows");
    assert_eq!(help("fnc f"), "did you mean `func`?");
}

#[test]
fn externs_and_data_say_what_is_wrong() {
    let cases = [
        ("extern puts(ptr) -> i32", "1:8 the function's library is missing before its name"),
        ("extern \"win64\"(ptr) -> i32", "1:15 expected the function's name, found `(`"),
        ("extern \"c\" \"libm.so\" f()", "1:8 \"c\" is no calling convention"),
        ("extern \"\" f", "1:12 the signature is missing here"),
        ("extern \"\" f(int) -> i32", "1:13 expected a type of C, found `int`"),
        ("extern \"\" f(u64)", "1:13 expected a type of C, found `u64`"),
        ("extern \"\" f(struct{})", "1:20 expected the type of a member, found `}`"),
        ("extern \"\" f(struct)", "1:19 expected `{`, found `)`"),
        ("extern \"\" f() -> f64, f64", "1:21 expected the end of the line, found `,`"),
        ("extern \"\" f(..., i32)", "1:16 expected `)` behind `...`, found `,`"),
        ("extern \"\" f() as r1 r2", "1:21 `r2` does not belong here"),
        ("extern \"\" f() as g\nextern \"\" g()", "2:11 extern `g` is defined twice"),
        ("extern \"\" f()\nfunc f\n ret", "2:6 function `f` has the name of an extern"),
        ("data f = i8 1\nextern \"\" f()", "2:11 extern `f` has the name of data"),
        ("data x = 1, 2", "1:10 expected contents, found `1`"),
        ("data x = text", "1:10 expected contents, found `text`"),
        ("data x =", "1:9 contents is missing here"),
        ("data x \"text\"", "1:8 expected `=`, found `\"text\"`"),
        ("data x = i8 300", "1:13 `300` is out of range for an i8"),
        ("data x = i8 1, i32 2", "1:20 this would stand at byte 1, which is not a multiple of 4"),
        ("data x = ptr x, y", "1:17 there is no function, extern or data `y`"),
        ("data x align 3 = i8 1", "1:14 3 is no power of two"),
        ("data x align 128 = i8 1", "1:14 `128` is out of range for an alignment"),
        ("data x align 4 = ptr x", "1:6 addresses are aligned to at least 8 bytes"),
        ("data x = zero 1073741825", "1:15 `1073741825` is out of range for a number of bytes"),
        ("data x = zero 1073741824, zero 1", "1:32 data has at most 1073741824 bytes"),
        ("data x = zero 1073741824, i8 1", "1:30 more than 67108864 bytes are set to zero"),
        ("rodata x = i8 1 2", "1:17 `2` does not belong here"),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(text, message)| messages(text) != [*message]).collect();
    assert!(wrong.is_empty(), "{wrong:#?} {:#?}", wrong.iter().map(|(text, _)| messages(text)).collect::<Vec<_>>());
    let deep = format!("extern \"\" f({}i8{})", "struct{".repeat(17), "}".repeat(17));
    assert!(messages(&deep)[0].ends_with("structs are nested more than 16 deep"));
    let long = format!("extern \"\" f({}i8)", "struct{i8, f64}, ".repeat(128));
    assert!(messages(&long)[0].ends_with("257 parameters are too many"));
    assert_eq!(help("extern \"\" f(size_t)"), "write `i64`, which holds unsigned numbers as well");
    assert_eq!(help("extern \"\" f() -> void"), "write nothing: a function without results has no `->`");
    assert_eq!(help("data x = i8 1, i32 2"), "put `zero 3` before it");
    assert_eq!(help("data x = ptr y"), "data is defined by `data y = \"text\\0\"`");
    assert_eq!(help("extern \"\" puts(ptr)\ndata x = ptr putz"), "did you mean `puts`?");
}

#[test]
fn instructions_of_the_c_interface_say_what_is_wrong() {
    let wrong =
        |line: &str| messages(&format!("extern \"\" puts(ptr) -> i32\ndata text = \"x\"\nfunc f\n    {line}\n"));
    let cases = [
        ("addr r1, r2", "4:14 expected a function's name, found `r2`"),
        ("addr r1, txet", "4:14 there is no function, extern or data `txet`"),
        ("addr r1", "4:10 `addr` takes 2 operands, but 1 is given"),
        ("call text, r1", "4:10 there is no function `text`"),
        ("call r1, putss, r1", "4:14 there is no function `putss`"),
        ("load r1, r2, 2147483648", "4:18 `2147483648` is out of range for an offset"),
        ("load.8 r1, r2", "4:5 there is no `.8` form of `load`"),
        ("store.8 r1, r2, -2147483649", "4:21 `-2147483649` is out of range for an offset"),
        ("callp r1, r2", "4:17 a signature is missing here"),
        ("callp (r1, r2), (i64)", "4:21 expected a register, found `(`"),
        ("callp r1, r2, \"fast\" (i64), r1", "4:19 `fast` is no calling convention"),
        ("callp r1, r2, (long), r1", "4:20 expected a type of C, found `long`"),
        ("table t = [puts]", "4:16 there is no function `puts`"),
    ];
    let missed: Vec<_> = cases.iter().filter(|(line, message)| !wrong(line).iter().any(|m| m == message)).collect();
    assert!(missed.is_empty(), "{missed:#?} {:#?}", missed.iter().map(|(line, _)| wrong(line)).collect::<Vec<_>>());
    let help = |line: &str| help(&format!("extern \"\" puts(ptr) -> i32\ndata text = \"x\"\nfunc f\n    {line}\n"));
    assert_eq!(help("addr r1, txet"), "did you mean `text`?");
    assert_eq!(help("call text, r1"), "`text` is data");
    assert_eq!(help("call r1, putss, r1"), "did you mean `puts`?");
    assert_eq!(help("callp r1, r2, (long), r1"), "write `i64`");
}

#[test]
fn one_error_does_not_cause_others() {
    assert_eq!(messages("func f(i65)\n ret a9\n ret a8").len(), 1);
    assert_eq!(messages("func\n ret\nx: jmp x").len(), 1);
    assert_eq!(messages("func f {\n ret\n}\nfunc g\n call f\n ret").len(), 2);
    assert_eq!(messages("memory x\ninit 70000 = \"x\"").len(), 1);
    assert_eq!(messages("global g i65 = 0\nfunc f\n gget r1, g\n ret").len(), 1);
    assert_eq!(messages("table t = [nobody]\nfunc f\n calli t, r1, ()\n ret").len(), 1);
    assert_eq!(messages("add r1, r1, r1\nadd r1, r1, r1\nret r1").len(), 1);
    assert_eq!(messages("fnc f\nx: add r1, r1, r1\n jmp x").len(), 1);
    assert_eq!(messages("func f\nx: frob r1\n jmp x").len(), 1);
}

#[test]
fn files_that_are_not_text() {
    let refused = |bytes: &[u8]| parse_bytes("test.spasm", bytes).expect_err("it is not a program").to_string();
    assert_eq!(parse_bytes("test.spasm", b"func f\n ret"), parse("test.spasm", "func f\n ret"));
    assert_eq!(
        refused(b"# \xc3\xa4\n# \xc3\xa4 \xff.\n"),
        "error: the byte 0xff is not UTF-8\n --> test.spasm:2:5\n  |\n2 | # ä \u{fffd}.\n  |     ^\n"
    );
    assert!(refused(b"\xc3").contains("test.spasm:1:1"));
    assert!(refused(&vec![0xff; 1_000_000]).len() < 1_000);
}

#[test]
fn a_byte_order_mark_shifts_no_columns() {
    assert_eq!(messages("\u{feff}frob r1"), ["1:1 there is no instruction `frob`"]);
    assert!(refused("\u{feff}frob r1").contains("\n1 | frob r1\n  | ^^^^\n"));
}

#[test]
fn errors_are_limited() {
    let text = format!("func f\n{}", "    frob\n".repeat(1000));
    let errors = parse("x", &text).expect_err("the program is wrong");
    assert_eq!(errors.iter().count(), 20);
    assert!(errors.to_string().ends_with("only the first 20 errors are shown\n"));
    // Twenty missing labels among very many take no longer.
    let lines: Vec<String> = (0..20_000).map(|n| format!(" jmp missing{n}\nthere{n}:")).collect();
    let text = format!("func f\n{}", lines.join("\n"));
    assert_eq!(messages(&text).len(), 20);
}
