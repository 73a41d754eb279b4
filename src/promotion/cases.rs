//! What reports have in common: how many test cases there are of them, which are
//! kept, and both in words.

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

/// What a report counts, and the test cases that are kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The test cases in the order of the report, at most [`MAX_CASES`].
    pub cases: Vec<TestCase>,
    /// How many test cases are counted below but not kept in `cases`.
    pub omitted: u64,
    /// How many passed.
    pub passed: u64,
    /// How many failed, suites that failed by themselves included.
    pub failed: u64,
    /// How many were not run.
    pub skipped: u64,
    /// How many are marked as unfinished; they decide nothing.
    pub todo: u64,
    /// How many files Node's runner passed though there was no test in them.
    pub empty_files: u64,
}

impl Tally {
    /// How many test cases ran and count: those that passed or failed.
    pub fn executed(&self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    /// Counts a test case, and keeps it if there is room for it.
    pub(super) fn count(&mut self, case: TestCase) {
        let (total, room) = match case.outcome {
            CaseOutcome::Passed => (&mut self.passed, MAX_CASES - FOR_FAILURES),
            CaseOutcome::Failed => (&mut self.failed, MAX_CASES),
            CaseOutcome::Skipped => (&mut self.skipped, MAX_CASES - FOR_FAILURES),
            CaseOutcome::Todo => (&mut self.todo, MAX_CASES - FOR_FAILURES),
        };
        *total = total.saturating_add(1);
        if self.cases.len() < room {
            self.cases.push(case);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// Counts a file of Node's runner that has no test in it.
    pub(super) fn count_empty_file(&mut self) {
        self.empty_files = self.empty_files.saturating_add(1);
    }

    /// `2 of 12 test cases failed: 'a > b', 'c'`
    pub(super) fn failures(&self) -> String {
        let names: Vec<String> = self
            .cases
            .iter()
            .filter(|case| case.outcome == CaseOutcome::Failed)
            .take(NAMED)
            .map(|case| format!("'{}'", one_line(&case.name, NAMED_BYTES)))
            .collect();
        let more = match self.failed.saturating_sub(names.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let all = count(self.executed(), "test case");
        let names = names.join(", ");
        format!("{} of {all} failed: {names}{more}", self.failed)
    }

    /// `2 test cases passed (1 skipped, 2 todo)`
    pub(super) fn passes(&self) -> String {
        let aside = self.unjudged().join(", ");
        let passed = count(self.passed, "test case");
        if aside.is_empty() {
            return format!("{passed} passed");
        }
        format!("{passed} passed ({aside})")
    }

    /// Why nothing was run.
    pub(super) fn idle(&self) -> String {
        let mut parts = self.unjudged();
        if self.empty_files > 0 {
            let files = count(self.empty_files, "file");
            parts.push(format!("{files} without a test"));
        }
        if parts.is_empty() {
            return "the report is empty".to_owned();
        }
        parts.join(", ")
    }

    fn unjudged(&self) -> Vec<String> {
        let parts = [(self.skipped, "skipped"), (self.todo, "todo")];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        parts
            .map(|(number, what)| format!("{number} {what}"))
            .collect()
    }
}

/// `2 test cases`
fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
