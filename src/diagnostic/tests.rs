//! What a person sees, for ordinary and for hostile input.

use super::*;

fn shown(line: &str, columns: Range<usize>) -> Vec<String> {
    let text = Diagnostic::new("wrong").in_file("f").at(Place::new(7, line, columns)).to_string();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn two_lines_with_labels() {
    let error = Diagnostic::new("r1 is an f64 here, but an int in line 9")
        .in_file("dir/x.spasm")
        .at(Place::new(104, "    print r1", 10..12).label("an f64"))
        .and_at(Place::new(9, "  add r1, r2, r3", 6..8).label("an int"))
        .help("use another register");
    assert_eq!(
        error.to_string(),
        "\
error: r1 is an f64 here, but an int in line 9
   --> dir/x.spasm:104:11
    |
  9 |   add r1, r2, r3
    |       -- an int
...
104 |     print r1
    |           ^^ an f64
    = help: use another register
"
    );
}

#[test]
fn neighbouring_lines_and_one_line() {
    let place = |line, columns| Place::new(line, "a: a:", columns);
    let error = Diagnostic::new("twice").at(place(2, 3..4)).and_at(place(1, 0..1));
    assert_eq!(error.to_string(), "error: twice\n --> line 2:4\n  |\n1 | a: a:\n  | -\n2 | a: a:\n  |    ^\n");
    let error = Diagnostic::new("twice").at(place(2, 3..4)).and_at(place(2, 0..1).label("first"));
    assert_eq!(error.to_string(), "error: twice\n --> line 2:4\n  |\n2 | a: a:\n  |    ^\n  | - first\n");
}

#[test]
fn without_a_place() {
    assert_eq!(Diagnostic::new("too large").to_string(), "error: too large\n");
    let error = Diagnostic::new("too large").in_file("f.spasm").help("make it smaller");
    assert_eq!(error.to_string(), "error: too large\n --> f.spasm\n  = help: make it smaller\n");
    let error = Diagnostic::new("wrong").in_file("f.spb").at(Place::of_line(12));
    assert_eq!(error.to_string(), "error: wrong\n  --> f.spb:12\n");
}

#[test]
fn colours_wrap_what_they_mean() {
    let error = Diagnostic::new("wrong").at(Place::new(1, "ad", 0..2));
    assert!(error.render(true).starts_with("\x1b[1;31merror\x1b[0m\x1b[1m: wrong\x1b[0m\n"));
    assert!(error.render(true).contains("\x1b[1;31m^^\x1b[0m"));
    assert!(!error.render(false).contains('\x1b'));
}

#[test]
fn underlines_stand_below_what_they_mean() {
    // Tabs are four columns, wide characters two, combining ones none.
    assert_eq!(shown("\tx y", 3..4)[3..], ["7 |     x y", "  |       ^"]);
    assert_eq!(shown("\"語\" y", 6..7)[3..], ["7 | \"語\" y", "  |      ^"]);
    assert_eq!(shown("e\u{301} y", 4..5)[3..], ["7 | e\u{301} y", "  |   ^"]);
    // Columns count characters of the file.
    assert_eq!(shown("\t語x", 4..5)[1], " --> f:7:3");
}

#[test]
fn ranges_are_cut_to_the_line() {
    assert_eq!(shown("add", 3..3)[3..], ["7 | add", "  |    ^"]);
    assert_eq!(shown("add", 10..90)[3..], ["7 | add", "  |    ^"]);
    assert_eq!(shown("add\r\nsub", 0..8)[3..], ["7 | add", "  | ^^^"]);
    assert_eq!(shown("", 0..0)[3..], ["7 |", "  | ^"]);
    assert_eq!(shown("ä", 1..1)[3..], ["7 | ä", "  | ^"]);
    #[allow(clippy::reversed_empty_ranges, reason = "that is the point")]
    let reversed = shown("abc", 2..1);
    assert_eq!(reversed[3..], ["7 | abc", "  |   ^"]);
}

#[test]
fn long_lines_are_clipped_around_what_is_meant() {
    let line = format!("{}X{}", "a".repeat(500_000), "b".repeat(500_000));
    let shown = shown(&line, 500_000..500_001);
    assert_eq!(shown[1], " --> f:7:500001");
    assert!(shown[3].starts_with("7 | ...aaaa") && shown[3].ends_with("bbb..."), "{}", shown[3]);
    assert!(shown[3].len() < 140);
    assert_eq!(shown[3].find('X'), shown[4].find('^'));
    let shown = self::shown(&line, 0..1_000_001);
    assert!(shown[4].len() < 140);
    // Characters that take no column do not make it longer.
    assert!(self::shown(&"\u{301}".repeat(500_000), 0..1)[3].len() < 1_000);
}

#[test]
fn nothing_reaches_the_terminal_that_it_would_act_upon() {
    let hostile = "a\x1b[31m\x07\u{202e}\u{9b}b\0\r\x7f";
    let text = Diagnostic::new(hostile)
        .in_file(hostile)
        .at(Place::new(1, hostile, 0..1).label(hostile))
        .help(hostile)
        .to_string();
    assert!(!text.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}'), "{text:?}");
    assert_eq!(text.lines().count(), 6);
    assert!(text.contains("a␛[31m␇\u{fffd}\u{fffd}b␀␍␡"));
    assert!(Diagnostic::new("x".repeat(1 << 20)).to_string().len() < 3_000);
}

#[test]
fn several_errors_come_by_line() {
    let at = |line| Diagnostic::new(format!("number {line}")).at(Place::of_line(line));
    let all = Diagnostics::new(vec![at(3), at(1), Diagnostic::new("file")], true).expect("there are errors");
    let messages: Vec<&str> = all.iter().map(Diagnostic::message).collect();
    assert_eq!(messages, ["file", "number 1", "number 3"]);
    assert_eq!(all.first().message(), "file");
    assert!(all.to_string().ends_with("\nerror: only the first 3 errors are shown\n"));
    assert!(Diagnostics::new(Vec::new(), true).is_none());
}
