//! Checks that leave a `JUnit` report in files, with Node's own test runner.

use super::{AWAIT_TERM, Case, assert_ended, start};
use crate::support::Folder;

/// Writes a file of tests, and runs Node over it.
fn node(tests: &str, then: &str) -> String {
    format!(
        "cd /tmp && echo \"import test from 'node:test'; {tests}\" > a.test.mjs && \
         node --test --test-reporter=junit --test-reporter-destination=/reports/junit.xml{then}"
    )
}

const GREETS: &str = "test('greets', () => {});";
const FAILS: &str = "test('greets', () => {}); test('parts', () => { throw new Error('no'); });";
/// A report by hand.
const WRITE: &str = "echo '<testsuite><testcase name=\"a\"/></testsuite>' >";

impl Case {
    fn junit(what: &'static str, name: &str, file: &str, script: &str) -> Self {
        let mut case = Self::new(what, name, script);
        case.check.report = "junit".into();
        case.check.more = format!("report_file = \"{file}\"");
        case
    }

    fn node(what: &'static str, name: &str, script: &str) -> Self {
        Self::junit(what, name, "/reports/junit.xml", script)
    }
}

#[test]
fn reports_in_files_that_pass() {
    let folder = Folder::new("reported");
    let cases = [
        Case::node("node --test, all ok", "node-ok", &node(GREETS, ""))
            .ends("Passed", "1 test case passed"),
        Case::junit(
            "two files",
            "two-files",
            "/app/reports/TEST-*.xml",
            &format!("cd /app/reports; {WRITE} TEST-a.xml; {WRITE} TEST-b.xml"),
        )
        .ends("Passed", "2 test cases passed"),
    ];
    let run = start(&folder, &cases).wait();
    assert_ended(&folder, &run, &cases, 0);
}

#[test]
fn reports_in_files_that_do_not() {
    let folder = Folder::new("unreported");
    let cases = [
        Case::node(
            "node --test, one fails, exit 0",
            "exit-0",
            &node(FAILS, "; true"),
        )
        .ends("Failed", "1 of 2 test cases failed: 'parts'"),
        Case::node("node --test, one fails", "exit-1", &node(FAILS, ""))
            .ends("Failed", "exit 1; 1 of 2 test cases failed: 'parts'"),
        Case::node("no file, exit 0", "no-file", "exit 0")
            .ends("Errored", "no report: there is no /reports/junit.xml"),
        Case::node("no file, exit 1", "no-file-1", "exit 1").ends(
            "Failed",
            "exit 1; no report: there is no /reports/junit.xml",
        ),
        Case::node("node --test, no test", "no-test", &node("", ""))
            .ends("Errored", "no test was run"),
        Case::node(
            "cut off",
            "cut-off",
            &node(
                GREETS,
                "; head -c 100 /reports/junit.xml > /tmp/a; cp /tmp/a /reports/junit.xml",
            ),
        )
        .ends("Failed", "so it was cut off"),
        Case::node(
            "a good report, and it does not end",
            "endless",
            &format!("{WRITE} /reports/junit.xml; {AWAIT_TERM}"),
        )
        .timeout("3s")
        .ends("TimedOut", "not ended within its timeout of 3s"),
        // The folder of the report hides the shell.
        Case::junit("no shell", "no-shell", "/bin/junit.xml", "exit 0")
            .ends("Errored", "a report in files needs `sh`"),
        Case::node("node --test, all ok", "node-ok", &node(GREETS, ""))
            .ends("Passed", "1 test case passed"),
    ];
    let run = start(&folder, &cases).wait();
    assert_ended(&folder, &run, &cases, 3);
    let results = run.events_named("check-ended");
    let of = |name: &str| {
        let mut results = results.iter().map(|event| &event["result"]);
        results.find(|result| result["check"] == name).unwrap()
    };
    let failed = &of("exit-0")["cases"][1];
    assert_eq!(
        (&failed["name"], &failed["outcome"]),
        (&"parts".into(), &"Failed".into())
    );
    let why = failed["diagnostic"].as_str().unwrap();
    assert!(why.contains("Error: no"), "{why}");
    // The log of a check is what it wrote itself.
    assert!(of("exit-0").get("tail").is_none(), "{run}");
}
