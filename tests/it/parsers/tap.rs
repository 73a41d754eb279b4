//! TAP reports.

use promoter::promotion::check::{CaseOutcome, Verdict};
use promoter::promotion::tap::TapReport;
use proptest::prelude::*;

use super::{broken, cases};

/// A test of a report, with its subtests.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    outcome: CaseOutcome,
    block: Vec<String>,
    children: Vec<Case>,
}

/// What is counted of a report.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
    todo: u64,
}

/// Names that say nothing by themselves.
const NAME: &str = "[a-z][a-z0-9 é'.>()-]{0,12}[a-z]";

fn leaf() -> impl Strategy<Value = Case> {
    let outcome = prop_oneof![
        6 => Just(CaseOutcome::Passed),
        1 => Just(CaseOutcome::Failed),
        1 => Just(CaseOutcome::Skipped),
        1 => Just(CaseOutcome::Todo),
    ];
    let line = prop_oneof![
        Just("error: 'no'".to_owned()),
        Just("stack: |-".to_owned()),
        Just("  not ok 1 - quoted".to_owned()),
        Just("duration_ms: 1.25".to_owned()),
        "[a-z]{1,6}: \\PC{0,10}",
    ];
    let block = prop::collection::vec(line, 0..4);
    (NAME, outcome, block).prop_map(|(name, outcome, block)| Case {
        name,
        outcome,
        block,
        children: Vec::new(),
    })
}

fn tests() -> impl Strategy<Value = Vec<Case>> {
    let test = leaf().prop_recursive(4, 24, 4, |inner| {
        (NAME, prop::collection::vec(inner, 1..4)).prop_map(|(name, children)| {
            let failed = children
                .iter()
                .any(|child| child.outcome == CaseOutcome::Failed);
            Case {
                name,
                outcome: if failed {
                    CaseOutcome::Failed
                } else {
                    CaseOutcome::Passed
                },
                block: Vec::new(),
                children,
            }
        })
    });
    prop::collection::vec(test, 1..5)
}

/// The report as Node, Perl and others write it; `plan_first` as some of them do.
fn written(tests: &[Case], indent: usize, plan_first: bool) -> Vec<String> {
    let blanks = " ".repeat(indent);
    let plan = format!("{blanks}1..{}", tests.len());
    let mut lines = Vec::new();
    if plan_first {
        lines.push(plan.clone());
    }
    for (number, test) in (1..).zip(tests) {
        if !test.children.is_empty() {
            lines.push(format!("{blanks}# Subtest: {}", test.name));
            lines.extend(written(&test.children, indent + 4, plan_first));
        }
        let (ok, directive) = match test.outcome {
            CaseOutcome::Passed => ("ok", ""),
            CaseOutcome::Failed => ("not ok", ""),
            CaseOutcome::Skipped => ("ok", " # SKIP why"),
            CaseOutcome::Todo => ("not ok", " # TODO"),
        };
        lines.push(format!("{blanks}{ok} {number} - {}{directive}", test.name));
        if !test.block.is_empty() {
            lines.push(format!("{blanks}  ---"));
            lines.extend(test.block.iter().map(|line| format!("{blanks}  {line}")));
            lines.push(format!("{blanks}  ..."));
        }
    }
    if !plan_first {
        lines.push(plan);
    }
    lines
}

/// What the report says by its leaves.
fn count(tests: &[Case], counts: &mut Counts) {
    for test in tests {
        if !test.children.is_empty() {
            count(&test.children, counts);
            continue;
        }
        *match test.outcome {
            CaseOutcome::Passed => &mut counts.passed,
            CaseOutcome::Failed => &mut counts.failed,
            CaseOutcome::Skipped => &mut counts.skipped,
            CaseOutcome::Todo => &mut counts.todo,
        } += 1;
    }
}

fn log() -> impl Strategy<Value = String> {
    (tests(), any::<bool>()).prop_map(|(tests, first)| written(&tests, 0, first).join("\n") + "\n")
}

/// Words of reports, and of what is printed between.
const WORDS: &[&str] = &[
    "TAP version 14",
    "1..0",
    "1..1",
    "1..3",
    "1..18446744073709551616",
    "ok",
    "ok 1",
    "ok 2 - b",
    "not ok",
    "not ok 1",
    "not ok 2 - c",
    " # TODO",
    " # SKIP",
    " # skip: why",
    "\\#",
    "\\",
    "#",
    "    ",
    "  ",
    " ",
    "---",
    "...",
    "  ---",
    "  ...",
    "Bail out!",
    "Bail out! db",
    "# Subtest: a",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "type: 'suite'",
    "duration_ms: 1e999",
    "error: |-",
    "\u{1b}[32m",
    "\u{1b}[",
    "\u{1b}]8;;x\u{7}",
    "\u{1b}",
    "\u{feff}",
    "\0",
    "é",
    "a.test.js",
    "1..2 # SKIP all",
    "99999999999999999999",
    "pragma +bail",
    "ok 1 - a # TODO",
    "NOT OK",
];

/// Whether a line says that a test of the report itself failed, and nothing
/// that excuses it. Colours are taken off by the reader, so only lines without
/// are looked at.
fn fails(line: &str) -> bool {
    let rest = line.strip_prefix("not ok");
    let excuses = line.contains('\u{1b}') || line.to_ascii_lowercase().contains("todo");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) && !excuses
}

fn lines(log: &str) -> impl Iterator<Item = &str> {
    log.split('\n').map(|line| line.trim_end_matches('\r'))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_report_breaks_anything(log in broken(log(), WORDS)) {
        let report = TapReport::read(&log);
        let (verdict, reason) = report.judge();
        prop_assert!(!reason.contains(char::is_control) && reason.len() < 1000, "{}", reason);
        let counted = report.tally.executed() + report.tally.skipped + report.tally.todo;
        prop_assert_eq!(counted, report.tally.cases.len() as u64 + report.tally.omitted);
        if lines(&log).any(fails) {
            prop_assert_ne!(verdict, Verdict::Passed);
        }
        if verdict == Verdict::Passed {
            prop_assert!(report.tally.passed > 0 && report.tally.failed == 0);
            // Colours may stand between the letters.
            let plain = !log.contains('\u{1b}');
            prop_assert!(!plain || (log.contains("ok") && log.contains("1..")), "{}", log);
        }
    }

    #[test]
    fn a_report_is_counted_as_it_was_written(tests in tests(), plan_first: bool) {
        let log = written(&tests, 0, plan_first).join("\n");
        let report = TapReport::read(&log);
        let mut expected = Counts::default();
        count(&tests, &mut expected);
        let found = Counts {
            passed: report.tally.passed,
            failed: report.tally.failed,
            skipped: report.tally.skipped,
            todo: report.tally.todo,
        };
        prop_assert_eq!(&found, &expected, "{}", log);
        prop_assert!(report.problems.is_empty(), "{:?}\n{}", report.problems, log);
        let verdict = match (expected.passed, expected.failed) {
            (_, 1..) => Verdict::Failed,
            (0, 0) => Verdict::Errored,
            _ => Verdict::Passed,
        };
        prop_assert_eq!(report.judge().0, verdict);
    }

    /// Neither its last test nor the plan behind it can be lost unnoticed.
    #[test]
    fn a_report_that_is_cut_off_never_passes(
        tests in tests(),
        plan_first: bool,
        at: prop::sample::Index,
    ) {
        let log = written(&tests, 0, plan_first).join("\n");
        let last = if plan_first { &["\nok ", "\nnot ok "][..] } else { &["\n1.."] };
        let owed = last.iter().filter_map(|start| log.rfind(start)).max();
        let owed = owed.unwrap_or_default();
        let cut = log.floor_char_boundary(at.index(owed + 1));
        let (verdict, reason) = TapReport::read(&log[..cut]).judge();
        prop_assert_ne!(verdict, Verdict::Passed, "{}\n{}", reason, &log[..cut]);
    }
}
