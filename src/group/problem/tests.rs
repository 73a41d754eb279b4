//! Places, order and looks of problems.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

#[test]
fn positions() {
    let source = Source::new("a.toml", "\u{feff}é = 1\r\nb = 'ü'x\n\nlast");
    let check = |byte, expected| assert_eq!(source.position(byte), expected, "byte {byte}");
    check(0, (1, 1));
    check(3, (1, 1));
    check(5, (1, 2));
    check(11, (2, 1));
    check(18, (2, 7));
    check(21, (3, 1));
    check(22, (4, 1));
    check(26, (4, 5));
    check(1000, (4, 5));
}

#[test]
fn of_each_file_a_few_are_kept() {
    let text = "x\n".repeat(9);
    let of = |path, count: usize| {
        let source = Arc::new(Source::new(path, text.as_str()));
        let at = move |line: usize| Problem::error(&source, line * 2..line * 2 + 1, "no");
        (0..count).map(at)
    };
    let all: Problems = of("a", 9).chain(of("b", 2)).chain(of("c", 3)).collect();
    let kept: Vec<_> = all.bounded(2).iter().map(ToString::to_string).collect();
    let (a, c) = (
        "a:3:1: there are 7 more problems",
        "c:3:1: there is 1 more problem",
    );
    assert_eq!(
        kept,
        [
            "a:1:1: no",
            "a:2:1: no",
            a,
            "b:1:1: no",
            "b:2:1: no",
            "c:1:1: no",
            "c:2:1: no",
            c
        ]
    );
}

#[test]
fn an_error_shows_its_line() {
    let source = Arc::new(Source::new("groups/a.toml", "[group]\r\nname = \"ä\"\r\n"));
    let problem = Problem::error(&source, 16..20, "`ä` cannot be a name").hint("write `a`");
    assert_snapshot!(problem.render(false, usize::MAX), @r#"
    error: groups/a.toml:2:8: `ä` cannot be a name
      |
    2 | name = "ä"
      |        ^^^
      |
      = help: write `a`
    "#);
    assert!(problem.render(true, usize::MAX).contains("\u{1b}["));
    let colorless = problem.render(true, usize::MAX);
    assert!(
        colorless
            .lines()
            .next()
            .unwrap()
            .contains("groups/a.toml:2:8")
    );
    assert_eq!(
        problem.to_string(),
        "groups/a.toml:2:8: `ä` cannot be a name"
    );
}

#[test]
fn a_warning_without_a_place() {
    let problem = Problem::general("groups", "nothing is there")
        .warning()
        .hint("make a group");
    assert_snapshot!(problem.render(false, usize::MAX), @"
    warning: groups: nothing is there
     |
     = help: make a group
    ");
}

#[test]
fn private_lines_are_not_shown() {
    let private = std::iter::once(16..25).collect();
    let text = "env = { TOKEN = \"hunter2\", A = 1 }\nport = 0\n";
    let source = Arc::new(Source::new("a.toml", text).with_private(private));
    let problem = Problem::error(&source, 31..32, "expected text, found an integer");
    assert_snapshot!(problem.render(false, usize::MAX), @"error: a.toml:1:32: expected text, found an integer");
    let problem = Problem::error(&source, 42..43, "a port is 1 to 65535");
    assert_snapshot!(problem.render(false, usize::MAX), @"
    error: a.toml:2:8: a port is 1 to 65535
      |
    2 | port = 0
      |        ^
    ");
}

#[test]
fn problems_are_sorted_and_said_once() {
    let a = Arc::new(Source::new("a.toml", "x\ny\n"));
    let b = Arc::new(Source::new("b.toml", "x\ny\n"));
    let problems: Problems = [
        Problem::error(&b, 0..1, "one"),
        Problem::error(&a, 2..3, "three"),
        Problem::error(&a, 0..1, "two").warning(),
        Problem::error(&a, 2..3, "three"),
    ]
    .into_iter()
    .collect();
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["a.toml:1:1: two", "a.toml:2:1: three", "b.toml:1:1: one"]
    );
    assert_eq!(
        (problems.errors().count(), problems.warnings().count()),
        (2, 1)
    );
}

#[test]
fn suggestions() {
    let known = ["name", "branch", "needs"];
    let check = |word, expected: Option<&str>| {
        assert_eq!(did_you_mean(word, known).as_deref(), expected, "{word}");
    };
    check("nmae", Some("did you mean `name`?"));
    check("brnch", Some("did you mean `branch`?"));
    check("colour", None);
    check("", None);
}

#[test]
fn a_file_full_of_problems_does_not_take_for_ever() {
    let source = Arc::new(Source::new("a.toml", "x\n".repeat(500_000)));
    let problem = |line: usize| Problem::error(&source, line * 2..line * 2 + 1, "wrong");
    let problems: Problems = (0..500_000).map(problem).collect();
    let rendered = problems.to_string();
    assert!(rendered.starts_with("error: a.toml:1:1: wrong\n"));
    assert!(rendered.ends_with("\n\nand 499800 more"));
    assert_eq!(problems.iter().last().unwrap().place(), "a.toml:500000:1");
}

proptest! {
    #[test]
    fn no_place_panics(text in "[aé🚀\r\n\t\u{feff}]{0,30}", start in 0_usize..140, length in 0_usize..140) {
        let source = Arc::new(Source::new("a.toml", text));
        let problem = Problem::error(&source, start..start + length, "wrong").hint("right");
        let rendered = problem.render(false, usize::MAX);
        prop_assert!(rendered.lines().next().unwrap().contains(&problem.place()));
    }
}

#[test]
fn a_narrow_terminal() {
    let text = "[strategy]\nkeep_old = \"5s\"\n";
    let source = Arc::new(Source::new("groups/master.toml", text));
    let message = "`keep_old` must be at least 10s, the time old pods need to drain";
    let problem = Problem::error(&source, 22..26, message)
        .hint("write `keep_old` as in the examples, keep_old = \"30s\"");
    assert_snapshot!(problem.render(false, 40), @r#"
    error: groups/master.toml:2:12:
           `keep_old` must be at
           least 10s, the time old
           pods need to drain
      |
    2 | keep_old = "5s"
      |            ^^^^
      |
      = help: write `keep_old` as in the
              examples, keep_old = "30s"
    "#);
    for line in problem.render(false, 40).lines() {
        assert!(line.chars().count() <= 40, "{line}");
    }
}
