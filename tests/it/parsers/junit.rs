//! `JUnit` reports in files.

use std::fmt::Write as _;

use promoter::group::report::ReportFile;
use promoter::promotion::check::{CaseOutcome, Verdict};
use promoter::promotion::junit::JunitReport;
use proptest::prelude::*;

use super::{broken, cases};

/// A test case or a suite of a report.
#[derive(Debug, Clone)]
enum Node {
    Case(String, CaseOutcome),
    Suite(String, Vec<Node>),
}

/// What breaks a document in places that matter.
const WORDS: &[&str] = &[
    "<testcase name=\"x\">",
    "<testcase/>",
    "</testcase>",
    "<testsuite>",
    "</testsuite>",
    "<failure/>",
    "<failure>",
    "</failure>",
    "<error message='x'/>",
    "<skipped/>",
    "<",
    ">",
    "/>",
    "\"",
    "'",
    "&amp;",
    "&#0;",
    "&lol;",
    "]]>",
    "-->",
    "\u{1}begin",
    "\u{1}done 0",
    "\u{1}other /r/c",
    "\u{1}end 1",
    "\u{1}file /r/b.xml",
    "\n",
];

fn node() -> impl Strategy<Value = Node> {
    let outcome = prop_oneof![
        6 => Just(CaseOutcome::Passed),
        1 => Just(CaseOutcome::Failed),
        1 => Just(CaseOutcome::Skipped),
    ];
    let name = "[a-z&<>\"é]{0,8}";
    let case = (name, outcome).prop_map(|(name, outcome)| Node::Case(name, outcome));
    case.prop_recursive(4, 24, 4, move |inner| {
        (name, prop::collection::vec(inner, 0..4))
            .prop_map(|(name, inner)| Node::Suite(name, inner))
    })
}

fn report() -> impl Strategy<Value = Vec<Node>> {
    prop::collection::vec(node(), 0..5)
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

/// The document of some nodes, and how many of each outcome are in it.
fn written(nodes: &[Node], counts: &mut [u64; 3]) -> String {
    let mut text = String::new();
    for node in nodes {
        match node {
            Node::Suite(name, inner) => {
                let name = escaped(name);
                let inner = written(inner, counts);
                let _ = write!(text, "<testsuite name=\"{name}\">\n{inner}</testsuite>\n");
            }
            Node::Case(name, outcome) => {
                let (at, inner) = match outcome {
                    CaseOutcome::Failed => (1, "<failure message='no'>why</failure>"),
                    CaseOutcome::Skipped => (2, "<skipped/>"),
                    _ => (0, ""),
                };
                counts[at] += 1;
                let name = escaped(name);
                let _ = writeln!(text, "<testcase name=\"{name}\">{inner}</testcase>");
            }
        }
    }
    text
}

/// A whole document in what the sidecar writes.
fn output(nodes: &[Node], counts: &mut [u64; 3]) -> String {
    let inner = written(nodes, counts);
    format!(
        "\u{1}begin\n\u{1}file /r/a.xml\n<testsuites>\n{inner}</testsuites>\n\n\u{1}done 0\n\u{1}end 1\n"
    )
}

fn read(output: &str) -> JunitReport {
    JunitReport::read(&ReportFile::parse("/r/*.xml").unwrap(), output)
}

proptest! {
    #![proptest_config(cases())]

    /// A failure is never passed over, wherever the text around it is broken.
    #[test]
    fn no_report_breaks_anything(
        output in broken(report().prop_map(|nodes| output(&nodes, &mut [0; 3])), WORDS),
    ) {
        let report = read(&output);
        let (verdict, reason) = report.judge();
        prop_assert!(!reason.contains(char::is_control) && reason.len() < 1000, "{}", reason);
        let counted = report.tally.executed() + report.tally.skipped;
        prop_assert_eq!(counted, report.tally.cases.len() as u64 + report.tally.omitted);
        let fails = |begin: &str| {
            output.match_indices(begin).any(|(at, _)| {
                let next = output[at + begin.len()..].chars().next();
                next.is_some_and(|next| next == '>' || next == '/' || next.is_whitespace())
            })
        };
        // In a comment, in CDATA or in an instruction it is but text.
        let hides = ["<!", "<?"].iter().any(|start| output.contains(start));
        if !hides && (fails("<failure") || fails("<error")) {
            prop_assert_ne!(verdict, Verdict::Passed, "{}", output);
        }
    }

    #[test]
    fn a_report_is_counted_as_it_was_written(nodes in report()) {
        let mut expected = [0; 3];
        let output = output(&nodes, &mut expected);
        let report = read(&output);
        prop_assert!(report.problems.is_empty(), "{:?}\n{}", report.problems, output);
        prop_assert_eq!([report.tally.passed, report.tally.failed, report.tally.skipped], expected);
        let verdict = match expected {
            [_, failed, _] if failed > 0 => Verdict::Failed,
            [0, _, _] => Verdict::Errored,
            _ => Verdict::Passed,
        };
        prop_assert_eq!(report.judge().0, verdict);
    }

    #[test]
    fn a_report_that_is_cut_off_never_passes(nodes in report(), at: prop::sample::Index) {
        let output = output(&nodes, &mut [0; 3]);
        // But for the end of its last line.
        let cut = output.floor_char_boundary(at.index(output.len() - 1));
        let (verdict, reason) = read(&output[..cut]).judge();
        prop_assert_ne!(verdict, Verdict::Passed, "{}\n{}", reason, &output[..cut]);
    }
}
