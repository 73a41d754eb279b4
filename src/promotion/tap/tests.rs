//! What real test runners print, and what must never pass.

use proptest::prelude::*;

use super::*;
use crate::promotion::cases::{FOR_FAILURES, MAX_CASES};

/// The report as a person would note it down.
fn note(report: &TapReport) -> String {
    let (verdict, reason) = report.judge();
    let mut lines = vec![format!("{verdict}: {reason}")];
    for case in &report.tally.cases {
        let duration = case.duration_ms.map(|ms| format!(" ({ms} ms)"));
        let duration = duration.unwrap_or_default();
        lines.push(format!("- {} {}{duration}", case.outcome, case.name));
        let diagnostic = case.diagnostic.iter().flat_map(|text| text.lines());
        lines.extend(diagnostic.map(|line| format!("    {line}").trim_end().to_owned()));
    }
    lines.extend(report.problems.iter().map(|problem| format!("! {problem}")));
    lines.join("\n")
}

#[track_caller]
fn check(log: &str, expected: &str) {
    let (verdict, reason) = TapReport::read(log).judge();
    assert_eq!(format!("{verdict}: {reason}"), expected, "for\n{log}");
}

/// `node --test --test-reporter=tap` (20), everything passing.
const NODE_PASSING: &str = r"TAP version 13
# hello from test
# not ok 99 printed by the test itself
# Subtest: adds
ok 1 - adds
  ---
  duration_ms: 1.92807
  ...
# Subtest: has \# hash and \\ back
ok 2 - has \# hash and \\ back
  ---
  duration_ms: 0.088976
  ...
# Subtest: skipped why
ok 3 - skipped why # SKIP no db
  ---
  duration_ms: 0.063419
  ...
# Subtest: todo fails
not ok 4 - todo fails # TODO later
  ---
  duration_ms: 0.208115
  location: '/tests/pass.test.js:7:1'
  failureType: 'testCodeFailure'
  error: 'x'
  code: 'ERR_TEST_FAILURE'
  stack: |-
    TestContext.<anonymous> (/tests/pass.test.js:7:48)
    Test.runInAsyncScope (node:async_hooks:206:9)
  ...
# Subtest: parent
    # Subtest: child
    ok 1 - child
      ---
      duration_ms: 0.235619
      ...
    # Subtest: child2
        # Subtest: grand
        ok 1 - grand
          ---
          duration_ms: 0.110809
          ...
        1..1
    ok 2 - child2
      ---
      duration_ms: 0.311873
      ...
    1..2
ok 5 - parent
  ---
  duration_ms: 5.67863
  ...
# Subtest: empty
ok 6 - empty
  ---
  duration_ms: 0.703066
  type: 'suite'
  ...
# Subtest: skipped suite
ok 7 - skipped suite # SKIP
  ---
  duration_ms: 0.062204
  type: 'suite'
  ...
1..7
# tests 8
# suites 2
# pass 4
# fail 0
# cancelled 0
# skipped 1
# todo 1
# duration_ms 167.612411
";

#[test]
fn node_passing() {
    insta::assert_snapshot!(note(&TapReport::read(NODE_PASSING)), @r"
    passed: 4 test cases passed (2 skipped, 1 todo)
    - passed adds (1 ms)
    - passed has # hash and \ back (0 ms)
    - skipped skipped why (0 ms)
    - todo todo fails (0 ms)
        error: x
        failureType: testCodeFailure
        location: /tests/pass.test.js:7:1
        stack:
          TestContext.<anonymous> (/tests/pass.test.js:7:48)
          Test.runInAsyncScope (node:async_hooks:206:9)
    - passed parent > child (0 ms)
    - passed parent > child2 > grand (0 ms)
    - skipped skipped suite (0 ms)
    ");
}

/// The same with failures of every kind.
const NODE_FAILING: &str = r"TAP version 13
# Subtest: adds
not ok 1 - adds
  ---
  duration_ms: 1.694256
  location: '/tests/fail.test.js:2:1'
  failureType: 'testCodeFailure'
  error: |-
    Expected values to be strictly equal:

    1 !== 2

  code: 'ERR_ASSERTION'
  name: 'AssertionError'
  expected: 2
  actual: 1
  operator: 'strictEqual'
  ...
# Subtest: parent
    # Subtest: child
    not ok 1 - child
      ---
      duration_ms: 1.223412
      failureType: 'testCodeFailure'
      error: |-
        line one
        ---
        ...
        not ok 7 - in a text

      code: 'ERR_ASSERTION'
      ...
    # Subtest: child2
    ok 2 - child2
      ---
      duration_ms: 0.112287
      ...
    1..2
not ok 2 - parent
  ---
  duration_ms: 1.777818
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
# Subtest: hooky
    # Subtest: in
    ok 1 - in
      ---
      duration_ms: 0
      ...
    1..1
not ok 3 - hooky
  ---
  duration_ms: 0.457564
  type: 'suite'
  failureType: 'hookFailed'
  error: 'hook isn''t there'
  ...
# Subtest: /tests/crash.test.js
not ok 4 - /tests/crash.test.js
  ---
  duration_ms: 219.900353
  failureType: 'testCodeFailure'
  exitCode: 1
  signal: ~
  error: 'test failed'
  ...
# Subtest: todo parent
    # Subtest: child fails
    not ok 1 - child fails
      ---
      duration_ms: 0.666241
      ...
    1..1
not ok 5 - todo parent # TODO
  ---
  duration_ms: 1.307643
  ...
1..5
# tests 8
# fail 5
";

#[test]
fn node_failing() {
    insta::assert_snapshot!(note(&TapReport::read(NODE_FAILING)), @r"
    failed: 5 of 7 test cases failed: 'adds', 'parent > child', 'hooky' and 2 more
    - failed adds (1 ms)
        error:
          Expected values to be strictly equal:

          1 !== 2
        expected: 2
        actual: 1
        failureType: testCodeFailure
        location: /tests/fail.test.js:2:1
    - failed parent > child (1 ms)
        error:
          line one
          ---
          ...
          not ok 7 - in a text
        failureType: testCodeFailure
    - passed parent > child2 (0 ms)
    - passed hooky > in (0 ms)
    - failed hooky (0 ms)
        error: hook isn't there
        failureType: hookFailed
    - failed /tests/crash.test.js (219 ms)
        error: test failed
        failureType: testCodeFailure
    - failed todo parent > child fails (0 ms)
    ");
}

#[test]
fn node_without_tests() {
    let summary = "# tests 0\n# suites 0\n# pass 0\n# fail 0\n# duration_ms 2.73\n";
    check(
        &format!("TAP version 13\n1..0\n{summary}"),
        "errored: no test was run: the report is empty",
    );
    check(
        concat!(
            "TAP version 13\n# Subtest: /tests/empty.test.js\nok 1 - /tests/empty.test.js\n",
            "  ---\n  duration_ms: 68.8\n  type: 'test'\n  ...\n1..1\n# tests 1\n# pass 1\n",
        ),
        "errored: no test was run: 1 file without a test",
    );
    check(
        concat!(
            "TAP version 13\n# Subtest: empty\nok 1 - empty\n",
            "  ---\n  type: 'suite'\n  ...\n1..1\n",
        ),
        "errored: no test was run: the report is empty",
    );
}

#[test]
fn tape() {
    let log = r"TAP version 13
# first # todo lists
ok 1 fine
not ok 2 eq # hash
  ---
    operator: equal
    expected: 2
    actual:   1
    at: Test.<anonymous> (/t.js:2:54)
    stack: |-
      Error: eq # hash
          at Test.assert [as _assert] (/node_modules/tape/lib/test.js:548:48)
  ...
# SKIP sk
# TODO td
not ok 3 should be strictly equal # TODO
  ---
    operator: equal
    expected: |-
      3
    actual: |-
      { a: 1 }
  ...
# sub
ok 4 x

1..4
# tests 4
# pass  3
# fail  1
";
    insta::assert_snapshot!(note(&TapReport::read(log)), @r"
    failed: 1 of 3 test cases failed: 'eq # hash'
    - passed fine
    - failed eq # hash
        expected: 2
        actual: 1
        at: Test.<anonymous> (/t.js:2:54)
        stack:
          Error: eq # hash
              at Test.assert [as _assert] (/node_modules/tape/lib/test.js:548:48)
    - todo should be strictly equal
        expected: 3
        actual: { a: 1 }
    - passed x
    ");
}

#[test]
fn perl() {
    let log = r"ok 1 - one
not ok 2 - two \# hash
#   Failed test 'two # hash'
#   at t/x.t line 2.
#          got: '1'
#     expected: '2'
# Subtest: sub
    1..2
    ok 1 - in
    ok 2 - in2
ok 3 - sub
not ok 4 - todo one # TODO later
ok 5 # skip no db
# Subtest: skipped
    1..0 # SKIP nope
ok 6 # skip nope
1..6
# Looks like you failed 1 test of 6.
";
    insta::assert_snapshot!(note(&TapReport::read(log)), @r"
    failed: 1 of 4 test cases failed: 'two # hash'
    - passed one
    - failed two # hash
        Failed test 'two # hash'
        at t/x.t line 2.
        got: '1'
        expected: '2'
    - passed sub > in
    - passed sub > in2
    - todo todo one
    - skipped test 5
    - skipped test 6
    ");
    check(
        "1..3\nok 1\nBail out!  db gone\n",
        "failed: the tests bailed out: db gone",
    );
    check(
        "1..0 # SKIP no db\n",
        "errored: no test was run: all were skipped (no db)",
    );
    check(
        "ok 1 - a\n1..2\n# Looks like you planned 2 tests but ran 1.\n",
        "failed: the TAP report does not add up: line 3: 1..2 was planned, 1 seen",
    );
}

#[test]
fn bats() {
    let log = "1..3\nok 1 good\nnot ok 2 bad\n# (in test file t.bats, line 2)\n\
               #   `false' failed\nok 3 sk # skip no db\n";
    insta::assert_snapshot!(note(&TapReport::read(log)), @r"
    failed: 1 of 2 test cases failed: 'bad'
    - passed good
    - failed bad
        (in test file t.bats, line 2)
        `false' failed
    - skipped sk
    ");
}

#[test]
fn what_stands_around_and_between_is_ignored() {
    check(
        "\n> hello-tests@1.0.0 test\n> node --test\n\nTAP version 14\r\npragma +strict\r\n\
         1..2\r\n(node:7) Warning: x\r\n\u{1b}[32mok 1\u{1b}[0m - a\r\n  {\r\n    key: 1\r\n\
         okay then\r\nok 2 - b\r\n",
        "passed: 2 test cases passed",
    );
}

#[test]
fn directives_count_nothing() {
    check(
        "ok 1 # SKIP\nok 2 # TODO\nnot ok 3 # TODO\n1..3\n",
        "errored: no test was run: 1 skipped, 2 todo",
    );
    check(
        "not ok 1 # SKIP\n1..1\n",
        "failed: 1 of 1 test case failed: 'test 1'",
    );
    check(
        "ok 1\nok 2 # SKIP\nok 3 # TODO\n1..3\n",
        "passed: 1 test case passed (1 skipped, 1 todo)",
    );
}

#[test]
fn what_does_not_add_up_fails() {
    for (log, problem) in [
        (
            "ok 1\nok 2\n",
            "line 2: it has no plan, so it may have been cut off",
        ),
        ("1..3\nok 1\nok 2\n", "line 3: 1..3 was planned, 2 seen"),
        ("1..1\nok 1\nok 2\n", "line 3: 1..1 was planned, 2 seen"),
        ("1..5\n", "line 1: 1..5 was planned, 0 seen"),
        ("1..2\nok 1\nok 1\n", "line 3: test 1 where 2 was due"),
        ("1..2\nok 2\nok 1\n", "line 2: test 2 where 1 was due"),
        ("1..1\nok 0\n", "line 2: test 0 where 1 was due"),
        (
            "ok 1\n1..1\nok 2\n",
            "line 3: a test after the closing plan",
        ),
        (
            "1..1\n1..1\nok 1\n",
            "line 2: a second plan; one check prints one report",
        ),
        (
            "TAP version 13\n1..1\nok 1\nTAP version 13\n",
            "line 4: a second report; one check prints one report",
        ),
        (
            "1..1\nok 1\n  ---\n  error: x\n",
            "line 4: a block of YAML without an end",
        ),
        (
            "1..2\nok 1\n  ---\n  a: b\nok 2\n",
            "line 5: a block of YAML without an end",
        ),
        (
            "1..2\nok 1\n    ok 1\n    1..1\n",
            "line 4: subtests without the line of their parent",
        ),
        (
            "    ok 1\n1..1\nok 1 - parent\n",
            "line 2: subtests without the line of their parent",
        ),
        (
            "    ok 1\nok 1 - p\n1..1\n",
            "line 2: it has no plan, so it may have been cut off",
        ),
        (
            "    ok 1\n    1..2\nok 1 - p\n1..1\n",
            "line 3: 1..2 was planned, 1 seen",
        ),
    ] {
        check(
            log,
            &format!("failed: the TAP report does not add up: {problem}"),
        );
    }
    check(
        "        ok 1\n        1..1\nok 1 - p\n1..1\n",
        "failed: the TAP report does not add up: line 3: subtests without the line of their parent",
    );
    check(
        "1..2\nok 1\n  ---\n  a: b\nnot ok 2 - after an open block\n",
        "failed: 1 of 2 test cases failed: 'after an open block'",
    );
    check(
        "",
        "errored: no test was run: the log holds no result and no plan",
    );
    check(
        "TAP version 13\n",
        "errored: no test was run: the log holds no result and no plan",
    );
    let deep = format!("{}ok 1\nok 1\n1..1\n", " ".repeat(INDENT_TOO_DEEP));
    check(
        &deep,
        "failed: the TAP report does not add up: line 1: subtests more than 16 levels deep",
    );
    let long = format!("ok 1 {}\n1..1\n", "a".repeat(70_000));
    check(
        &long,
        "failed: the TAP report does not add up: line 1: a test's line of more than 65536 bytes",
    );
}

const INDENT_TOO_DEEP: usize = 4 * (MAX_DEPTH + 1);

/// Wherever a report that passes is cut off, what is left does not pass.
#[test]
fn no_start_of_a_report_passes() {
    let end = NODE_PASSING.find("1..7").unwrap();
    let mut visited = 0;
    for at in (0..end + 3).filter(|at| NODE_PASSING.is_char_boundary(*at)) {
        let (verdict, _) = TapReport::read(&NODE_PASSING[..at]).judge();
        assert_ne!(verdict, Verdict::Passed, "cut at {at}");
        visited += 1;
    }
    println!("{visited} starts of a report");
}

/// Nor does it pass when any single result line is lost.
#[test]
fn no_report_with_a_lost_line_passes() {
    let lines: Vec<&str> = NODE_PASSING.lines().collect();
    let mut visited = 0;
    for (lost, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        if !text.starts_with("ok") && !text.starts_with("not ok") && !text.starts_with("1..") {
            continue;
        }
        let mut rest = lines.clone();
        rest.remove(lost);
        let (verdict, _) = TapReport::read(&rest.join("\n")).judge();
        assert_ne!(verdict, Verdict::Passed, "without {line}");
        visited += 1;
    }
    println!("{visited} lost lines");
    assert_eq!(visited, 13);
}

#[test]
fn many_cases_are_counted_and_failures_kept() {
    let mut log: Vec<String> = (1..=50_000).map(|n| format!("ok {n} - a")).collect();
    log.extend((50_001..=50_010).map(|n| format!("not ok {n} - b{n}")));
    log.push("1..50010".to_owned());
    let report = TapReport::read(&log.join("\n"));
    assert_eq!(report.tally.passed, 50_000);
    assert_eq!(report.tally.cases.len(), MAX_CASES - FOR_FAILURES + 10);
    assert_eq!(
        report.tally.omitted,
        50_010 - report.tally.cases.len() as u64
    );
    assert_eq!(
        report.judge().1,
        "10 of 50010 test cases failed: 'b50001', 'b50002', 'b50003' and 7 more"
    );
}

/// Lines that, in some order, are reports or nearly so.
fn line() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("TAP version 14"),
        Just("1..0"),
        Just("1..1"),
        Just("1..2"),
        Just("ok"),
        Just("ok 1 - a"),
        Just("ok 2 - b"),
        Just("not ok 1 - c"),
        Just("not ok 2 # TODO"),
        Just("ok 2 # SKIP"),
        Just("---"),
        Just("..."),
        Just("type: 'suite'"),
        Just("error: |-"),
        Just("# Subtest: a"),
        Just("Bail out! x"),
        Just("noise"),
        Just(""),
    ];
    (0..10_usize, text).prop_map(|(indent, text)| format!("{}{text}", " ".repeat(indent)))
}

/// What is true of every report, whatever was read.
fn holds(report: &TapReport) -> Result<(), TestCaseError> {
    let (verdict, reason) = report.judge();
    prop_assert!(!reason.contains('\n') && reason.len() < 1000);
    prop_assert!(report.tally.cases.len() <= MAX_CASES && report.problems.len() <= MAX_PROBLEMS);
    let counted = report.tally.executed() + report.tally.skipped + report.tally.todo;
    prop_assert_eq!(
        counted,
        report.tally.cases.len() as u64 + report.tally.omitted
    );
    let passes = report.tally.failed == 0
        && report.tally.passed > 0
        && report.bailed.is_none()
        && report.problems.is_empty()
        && report
            .plan
            .as_ref()
            .is_some_and(|plan| plan.declared == plan.seen);
    prop_assert_eq!(verdict == Verdict::Passed, passes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        holds(&TapReport::read(&String::from_utf8_lossy(&bytes)))?;
    }

    #[test]
    fn lines_in_any_order_hold(lines in prop::collection::vec(line(), 0..30)) {
        let log = lines.join("\n");
        let report = TapReport::read(&log);
        holds(&report)?;
        // A failure or a Bail out! at the report's own level is never passed over.
        let inside = log.contains("---");
        let fails = |l: &String| l.starts_with("not ok 1") || l.starts_with("Bail out!");
        if !inside && lines.iter().any(fails) {
            prop_assert_eq!(report.judge().0, Verdict::Failed);
        }
    }
}

/// Megabytes of what is remembered between lines are read in no time.
#[test]
fn time_grows_with_the_log() {
    for shape in [
        "    ok 1\n",
        "ok 1\n  ---\n  error: |-\n",
        "    ok\n    1..1\nok\n",
        "not ok\n# why\n",
        "\u{1b}[",
        "ok \\# # # ",
        "                                ok\n                                1..1\n",
    ] {
        let log = shape.repeat(4_000_000 / shape.len());
        holds(&TapReport::read(&log)).unwrap();
    }
}
