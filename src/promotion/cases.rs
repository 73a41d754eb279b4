//! What reports have in common: which of their test cases are kept, and how many
//! of them there are in words.

use super::check::{CaseOutcome, TestCase};
use crate::plan::text::one_line;

/// Most test cases kept of a report; all are counted.
pub const MAX_CASES: usize = 2000;

/// Of these, how many are kept free for test cases that failed.
pub(super) const FOR_FAILURES: usize = 500;

/// How many failed test cases a reason names.
const NAMED: usize = 3;

/// Most bytes of one name in a reason.
pub(super) const NAMED_BYTES: usize = 80;

/// Files that Node's runner names like a test when there is no test in them.
const SCRIPTS: [&str; 6] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/// Whether a test of Node's runner may be a file without a test.
pub(super) fn is_script(name: &str) -> bool {
    SCRIPTS.iter().any(|end| name.ends_with(end))
}

/// Keeps a test case if there is room for it; says whether it was kept.
pub(super) fn keep(cases: &mut Vec<TestCase>, case: TestCase) -> bool {
    let room = match case.outcome {
        CaseOutcome::Failed => MAX_CASES,
        _ => MAX_CASES - FOR_FAILURES,
    };
    let is_kept = cases.len() < room;
    if is_kept {
        cases.push(case);
    }
    is_kept
}

/// `2 of 12 test cases failed: 'a > b', 'c'`
pub(super) fn failures(cases: &[TestCase], failed: u64, executed: u64) -> String {
    let names: Vec<String> = cases
        .iter()
        .filter(|case| case.outcome == CaseOutcome::Failed)
        .take(NAMED)
        .map(|case| format!("'{}'", one_line(&case.name, NAMED_BYTES)))
        .collect();
    let more = match failed.saturating_sub(names.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let all = count(executed, "test case");
    format!("{failed} of {all} failed: {}{more}", names.join(", "))
}

/// `2 test cases`
pub(super) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
