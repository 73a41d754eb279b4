//! What single documents come to.

use proptest::prelude::*;

use super::*;
use crate::promotion::cases::MAX_CASES;
use crate::promotion::check::TestCase;

/// `node --test --test-reporter=junit` (20) over a file with all kinds of tests.
const NODE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="greets" time="0.000699" classname="test"/>
	<testcase name="later" time="0.000080" classname="test">
		<skipped type="todo" message="true"/>
	</testcase>
	<testcase name="not now" time="0.000061" classname="test">
		<skipped type="skipped" message="no network"/>
	</testcase>
	<testsuite name="orders" time="0.009439" disabled="0" errors="0" tests="2" failures="2" skipped="0" hostname="vm">
		<testcase name="are paid" time="1.000135" classname="test"/>
		<testcase name="are sent" time="0.008621" classname="test" failure="one &amp; &lt;two>">
			<failure type="testCodeFailure" message="one &amp; &lt;two>">
Error [ERR_TEST_FAILURE]: one &amp; &lt;two>
    at async Promise.all (index 0) {
  code: &#39;ERR_TEST_FAILURE&#39;,
}
			</failure>
		</testcase>
		<testsuite name="deep" time="0.000350" disabled="0" errors="0" tests="1" failures="1" skipped="0" hostname="vm">
			<testcase name="x" time="0.000228" classname="test" failure="boom">
				<failure type="testCodeFailure" message="boom"><![CDATA[
Error: <boom>]]>
				</failure>
			</testcase>
		</testsuite>
	</testsuite>
	<!-- tests 6 -->
</testsuites>
"#;

/// Maven Surefire: a file per class, here one that was flaky and is good.
const MAVEN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0" name="com.acme.OrderTest" time="1,204.5" tests="2" errors="0" skipped="0" failures="0" flakes="1">
  <properties><property name="java.version" value="21"/></properties>
  <testcase name="pays" classname="com.acme.OrderTest" time="1,204.25"/>
  <testcase name="sends" classname="com.acme.OrderTest$Late" time="">
    <flakyFailure message="once" type="x">stack</flakyFailure>
    <system-out><![CDATA[<testcase name="no"><failure/></testcase>]]></system-out>
  </testcase>
</testsuite>
"#;

fn file() -> ReportFile {
    ReportFile::parse("/reports/junit.xml").unwrap()
}

fn framed(document: &str) -> String {
    format!("\u{1}begin\n\u{1}file /reports/junit.xml\n{document}\n\u{1}done 0\n\u{1}end 1\n")
}

fn read(document: &str) -> JunitReport {
    JunitReport::read(&file(), &framed(document))
}

#[track_caller]
fn check(document: &str, expected: &str) {
    check_output(&framed(document), expected);
}

#[track_caller]
fn check_output(output: &str, expected: &str) {
    let (verdict, reason) = JunitReport::read(&file(), output).judge();
    assert_eq!(format!("{verdict}: {reason}"), expected, "{output}");
}

fn note(report: &JunitReport) -> String {
    let case = |case: &TestCase| {
        let time = case.duration_ms.map(|ms| format!(" {ms}ms"));
        let why = case.diagnostic.as_ref().map(|why| format!("\n{why}"));
        let (time, why) = (time.unwrap_or_default(), why.unwrap_or_default());
        format!("{} {}{time}{why}", case.outcome, case.name)
    };
    let cases: Vec<_> = report.tally.cases.iter().map(case).collect();
    format!("{}\n{}", cases.join("\n"), report.judge().1)
}

#[test]
fn what_node_writes() {
    insta::assert_snapshot!(note(&read(NODE)), @r"
    passed greets 0ms
    skipped later 0ms
    skipped not now 0ms
    passed orders > are paid 1000ms
    failed orders > are sent 8ms
    Error [ERR_TEST_FAILURE]: one & <two>
        at async Promise.all (index 0) {
      code: 'ERR_TEST_FAILURE',
    }
    failed orders > deep > x 0ms
    Error: <boom>
    2 of 4 test cases failed: 'orders > are sent', 'orders > deep > x'
    ");
}

#[test]
fn what_maven_writes() {
    insta::assert_snapshot!(note(&read(MAVEN)), @"
    passed com.acme.OrderTest > pays 1204250ms
    passed com.acme.OrderTest > com.acme.OrderTest$Late > sends
    2 test cases passed
    ");
}

#[test]
fn what_it_says() {
    check(
        r#"<testsuite><testcase name="a"/><testcase name="b"/></testsuite>"#,
        "passed: 2 test cases passed",
    );
    check(
        r#"<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>"#,
        "passed: 1 test case passed (1 skipped)",
    );
    check(
        r#"<testsuite><testcase name="a"/><testcase name="b"><error message="no"/></testcase></testsuite>"#,
        "failed: 1 of 2 test cases failed: 'b'",
    );
    check(
        r#"<testsuite><testcase name="b" classname="com.acme.B"><failure/><skipped/></testcase></testsuite>"#,
        "failed: 1 of 1 test case failed: 'com.acme.B > b'",
    );
    check(
        r#"<testsuite name="s"><testcase name="b" status="FAILED"/></testsuite>"#,
        "failed: 1 of 1 test case failed: 's > b'",
    );
    // GoogleTest says that it has run, and what came of it.
    check(
        r#"<testsuite><testcase name="a" status="run" result="completed"/><testcase name="b" status="Passed"/><testcase name="c" status=""/></testsuite>"#,
        "passed: 3 test cases passed",
    );
    for word in [
        "timedout",
        "aborted",
        "crashed",
        "interrupted",
        "undefined",
        "0",
    ] {
        check(
            &format!(
                "<testsuite><testcase name='a'/><testcase name='b' result='{word}'/></testsuite>"
            ),
            "failed: 1 of 2 test cases failed: 'b'",
        );
    }
    let hung = read(
        "<testsuite><testcase name='a' status='timedout'><error message='2 s'/></testcase></testsuite>",
    );
    insta::assert_snapshot!(note(&hung), @"
    failed a
    `timedout` is not known to mean that it passed
    2 s
    1 of 1 test case failed: 'a'
    ");
    // A suite that fails by itself, and a failure in a place that nobody knows.
    check(
        r#"<testsuites><testsuite name="s"><testcase name="a"/><error>setup</error></testsuite></testsuites>"#,
        "failed: 1 of 2 test cases failed: 's'",
    );
    check(
        r#"<testsuite name="s"><testcase name="a"><system-out><x:failure/></system-out></testcase></testsuite>"#,
        "failed: 1 of 1 test case failed: 's > a'",
    );
    check(
        r#"<testsuite><testcase name="a"/><notes><error/></notes></testsuite>"#,
        "failed: 1 of 2 test cases failed: 'suite'",
    );
}

#[test]
fn nothing_was_run() {
    check(
        "<testsuites/>",
        "errored: no test was run: the report is empty",
    );
    check(
        r#"<testsuite tests="2"><testcase name="a"><skipped/></testcase><testcase name="b" status="notrun"/></testsuite>"#,
        "errored: no test was run: 2 skipped",
    );
    // What Node's runner writes of a file in which there is no test.
    check(
        r#"<testsuites><testcase name="/tests/none.test.mjs" time="0.06" classname="test"/></testsuites>"#,
        "errored: no test was run: 1 file without a test",
    );
    check(
        r#"<testsuites><testcase name="/tests/none.test.mjs" classname="test"><failure/></testcase></testsuites>"#,
        "failed: 1 of 1 test case failed: '/tests/none.test.mjs'",
    );
}

#[test]
fn what_is_no_report() {
    let fails = |document: &str, why: &str| {
        let expected =
            format!("failed: the JUnit report does not add up: /reports/junit.xml {why}");
        check(document, &expected);
    };
    fails(
        "not xml",
        "line 1: something stands outside of its root element",
    );
    fails(
        "<html></html>",
        "line 1: it begins with <html>, not with <testsuites> or <testsuite>",
    );
    fails(
        "<testsuite>\n<testcase name='a'/>",
        "line 3: it ends within <testsuite>, so it was cut off",
    );
    fails(
        "<testsuite>\n<testcase name='a",
        "line 2: it ends within <testsuite>, so it was cut off",
    );
    fails(
        "<testsuite><testcase name='a'></testsuite>",
        "line 1: it is not well-formed XML: ill-formed document: expected `</testcase>`, but `</testsuite>` was found",
    );
    fails(
        "<testsuite/>\n<testsuite/>",
        "line 2: something stands outside of its root element",
    );
    fails(
        "<!DOCTYPE testsuite SYSTEM 'file:///etc/passwd'>\n<testsuite/>",
        "line 1: it has a DOCTYPE, which is not read",
    );
    fails(
        "<testsuite><testcase name='&lol;'/></testsuite>",
        "line 1: it is not well-formed XML: at 1..4: unrecognized entity `lol`",
    );
    fails(
        "<testsuite><testcase name='a'>&lol;</testcase></testsuite>",
        "line 1: it is not well-formed XML: unknown entity &lol;",
    );
    fails(
        "<testsuite><p name='a><failure/></p><p name='/><testcase name='a'/></testsuite>",
        "line 1: it is not well-formed XML: `<` in a tag",
    );
    fails(
        "<testsuite name='s' failures='2' errors='1'>\n<testcase name='a'/></testsuite>",
        "line 2: suite 's' counts 3 failures, and lists none",
    );
    fails(
        "<testsuite failures='two'><testcase name='a'/></testsuite>",
        "line 1: `two` where a number of failures was due",
    );
    fails(
        "<a>".repeat(40).as_str(),
        "line 1: it begins with <a>, not with <testsuites> or <testsuite>",
    );
    fails(
        &"<testsuite>".repeat(40),
        "line 1: elements more than 32 levels deep",
    );
    let attributes: Vec<_> = (0..65).map(|n| format!("a{n}='1'")).collect();
    fails(
        &format!("<testsuite {}/>", attributes.join(" ")),
        "line 1: an element with more than 64 attributes",
    );
}

#[test]
fn files_that_are_not_there() {
    check_output(
        "\u{1}begin\n\u{1}end 0\n",
        "errored: no report: there is no /reports/junit.xml",
    );
    check_output(
        "",
        "failed: the JUnit report does not add up: it was cut off; all files together may have 8 MiB, or less than the node keeps of a log",
    );
    check("", "errored: no report: /reports/junit.xml is empty");
    check_output(
        "\u{1}begin\n\u{1}file /reports/junit.xml\n\n\u{1}done 127\n\u{1}end 1\n",
        "errored: no report: /reports/junit.xml cannot be read: the check's image has no `cat`",
    );
    check_output(
        "\u{1}begin\n\u{1}file /reports/junit.xml\n\n\u{1}done 1\n\u{1}end 1\n",
        "errored: no report: /reports/junit.xml cannot be read in the container `report` (`cat` exits 1)",
    );
    let other = "\u{1}begin\n\u{1}other /reports/junit.xml\n\u{1}end 1\n";
    check_output(
        other,
        "errored: no report: /reports/junit.xml is a folder, a pipe or a broken link",
    );
    let many = ReportFile::parse("/reports/*.xml").unwrap();
    let (_, reason) = JunitReport::read(&many, "\u{1}begin\n\u{1}end 0\n").judge();
    assert_eq!(reason, "no report: no file matches /reports/*.xml");
}

#[test]
fn several_files() {
    let good = "<testsuite><testcase name='a'/></testsuite>";
    let bad = "<testsuite><testcase name='b'><failure/></testcase></testsuite>";
    let file = |name: &str, text: &str| format!("\u{1}file /r/{name}\n{text}\n\u{1}done 0\n");
    let all = |files: &[String]| {
        let (text, count) = (files.concat(), files.len());
        format!("\u{1}begin\n{text}\u{1}end {count}\n")
    };
    check_output(
        &all(&[file("1", good), file("2", good)]),
        "passed: 2 test cases passed",
    );
    check_output(
        &all(&[file("1", good), file("2", bad), file("3", "<a")]),
        "failed: 1 of 2 test cases failed: 'b'",
    );
    check_output(
        &all(&[file("1", good), file("2", "")]),
        "errored: no report: /r/2 is empty",
    );
    check_output(
        &all(&[file("1", good), file("2", "<testsuite>")]),
        "failed: the JUnit report does not add up: /r/2 line 2: it ends within <testsuite>, so it was cut off",
    );
    // One that is lost altogether.
    let cut = all(&[file("1", good), file("2", good)]);
    let cut = cut.trim_end_matches("\u{1}end 2\n");
    check_output(
        cut,
        "failed: the JUnit report does not add up: it was cut off; all files together may have 8 MiB, or less than the node keeps of a log",
    );
    // What the node has dropped, as its log was too long.
    let cut = file("2", good) + "\u{1}end 2\n";
    check_output(
        &cut,
        "failed: the JUnit report does not add up: it was cut off; all files together may have 8 MiB, or less than the node keeps of a log",
    );
}

/// Wherever a report breaks off, it does not pass.
#[test]
fn no_report_that_is_cut_off_passes() {
    let whole = framed(MAVEN);
    for at in 0..whole.len() - "1\n".len() {
        let (verdict, _) = JunitReport::read(&file(), &whole[..at]).judge();
        assert_ne!(verdict, Verdict::Passed, "cut off at {at}");
    }
}

#[test]
fn many_cases_are_counted_and_failures_kept() {
    let good = "<testcase name='a'/>".repeat(50_000);
    let bad = "<testcase name='b'><failure/></testcase>".repeat(10);
    let report = read(&format!("<testsuite>{good}{bad}</testsuite>"));
    assert_eq!((report.tally.passed, report.tally.failed), (50_000, 10));
    assert_eq!(
        report.tally.omitted,
        50_010 - report.tally.cases.len() as u64
    );
    assert_eq!(
        report.judge().1,
        "10 of 50010 test cases failed: 'b', 'b', 'b' and 7 more"
    );
}

/// What is true of every report, whatever was read.
fn holds(report: &JunitReport) -> Result<(), TestCaseError> {
    let (verdict, reason) = report.judge();
    prop_assert!(!reason.contains('\n') && reason.len() < 1000);
    prop_assert!(report.tally.cases.len() <= MAX_CASES && report.problems.len() <= MAX_PROBLEMS);
    let counted = report.tally.executed() + report.tally.skipped;
    prop_assert_eq!(
        counted,
        report.tally.cases.len() as u64 + report.tally.omitted
    );
    let passes = report.tally.failed == 0
        && report.tally.passed > 0
        && report.problems.is_empty()
        && report.untold.is_none();
    prop_assert_eq!(verdict == Verdict::Passed, passes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let text = String::from_utf8_lossy(&bytes);
        holds(&JunitReport::read(&file(), &text))?;
        holds(&read(&text))?;
    }
}

/// Megabytes of what is remembered between elements are read in no time.
#[test]
fn time_grows_with_the_report() {
    for shape in [
        "<testcase name='a'/>",
        "<testcase><failure>x</failure></testcase>",
        "<testcase><failure>x</failure>",
        "<testsuite failures='1'></testsuite>",
        "<a b='1' ",
        "&amp;",
        "\u{1}file x\n",
        "<![CDATA[",
    ] {
        let text = shape.repeat(4_000_000 / shape.len());
        holds(&read(&format!("<testsuite>{text}</testsuite>"))).unwrap();
    }
}
