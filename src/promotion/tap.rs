//! Reads a check's log as a TAP report (Test Anything Protocol, 12 to 14).
//!
//! Input: the log of the container `check`, as text that may be huge and may
//! hold anything between the lines of the report. Output: a [`TapReport`] with
//! the single test cases, and by [`TapReport::judge`] what it says of the
//! check. It never forgives: what does not add up is a [`TapProblem`], and a
//! report with a problem never passes. It does not know how the container
//! ended; [`super::verdict`] puts the two together.
//!
//! It reads what `node --test --test-reporter=tap` (20 and 22), `tape`, `bats`
//! and Perl's `Test::More` print. One check prints one report.

mod block;
mod line;
mod reader;

use std::fmt;

use thiserror::Error;

use super::cases::{NAMED_BYTES, Tally};
use super::check::Verdict;
use crate::plan::text::cut;
pub use reader::TapReader;

/// Most problems kept; one is enough to fail the check.
const MAX_PROBLEMS: usize = 20;

/// How deep subtests may lie in each other.
const MAX_DEPTH: usize = 16;

/// What a TAP report says.
///
/// A suite is not counted beside its own tests: only when it failed though
/// none of them did, or was skipped or put off as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TapReport {
    /// Its test cases.
    pub tally: Tally,
    /// The plan of the report itself, if it has one.
    pub plan: Option<TapPlan>,
    /// Why the program gave up, if it said `Bail out!`.
    pub bailed: Option<String>,
    /// What does not add up; the first ones, in the order of the report.
    pub problems: Vec<TapProblem>,
}

/// How many tests a report announced, beside how many it has at its top level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TapPlan {
    /// The `N` of `1..N`.
    pub declared: u64,
    /// Test lines seen at the same level.
    pub seen: u64,
    /// The reason given when everything was skipped (`1..0 # SKIP reason`).
    pub skip: Option<String>,
}

/// What does not add up in a report, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapProblem {
    /// Line of the log, counted from 1.
    pub line: u64,
    /// What it is.
    pub kind: TapProblemKind,
}

/// The ways in which a report does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TapProblemKind {
    /// A report, or the subtests of a test, ended without `1..N`.
    #[error("it has no plan, so it may have been cut off")]
    NoPlan,
    /// `1..N` announced another number of tests.
    #[error("1..{declared} was planned, {seen} seen")]
    PlanMismatch {
        /// The `N` of `1..N`.
        declared: u64,
        /// Test lines seen at the same level.
        seen: u64,
    },
    /// `1..N` appeared twice at the same level.
    #[error("a second plan; one check prints one report")]
    SecondPlan,
    /// A test followed on a plan that had closed the level.
    #[error("a test after the closing plan")]
    TestAfterPlan,
    /// A number is missing, repeated or out of order.
    #[error("test {found} where {expected} was due")]
    OutOfSequence {
        /// The number after the one before.
        expected: u64,
        /// The number written.
        found: u64,
    },
    /// `TAP version` appeared twice.
    #[error("a second report; one check prints one report")]
    SecondReport,
    /// A block of YAML has no end.
    #[error("a block of YAML without an end")]
    OpenBlock,
    /// Subtests without the line of the test they belong to.
    #[error("subtests without the line of their parent")]
    Orphans,
    /// Subtests lie deeper than anybody writes them.
    #[error("subtests more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A test's line is longer than is looked at.
    #[error("a test's line of more than {} bytes", line::MOST)]
    TooLong,
}

impl fmt::Display for TapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl TapReport {
    /// Reads a whole log. [`TapReader`] does the same line by line.
    pub fn read(log: &str) -> Self {
        let mut reader = TapReader::default();
        for line in log.strip_suffix('\n').unwrap_or(log).split('\n') {
            reader.line(line);
        }
        reader.finish()
    }

    /// What the report alone says of its check, and why on one line.
    ///
    /// Any failure, `Bail out!` or problem is Failed; when nothing was run,
    /// nobody can tell, so that is Errored.
    pub fn judge(&self) -> (Verdict, String) {
        let tally = &self.tally;
        if tally.failed > 0 {
            return (Verdict::Failed, tally.failures());
        }
        if let Some(reason) = &self.bailed {
            let reason = if reason.is_empty() {
                "no reason given"
            } else {
                reason
            };
            return (Verdict::Failed, format!("the tests bailed out: {reason}"));
        }
        let counted = [tally.passed, tally.skipped, tally.todo, tally.empty_files];
        if counted == [0; 4] && self.plan.is_none() && self.only_lacks_a_plan() {
            let reason = "no test was run: the log holds no result and no plan";
            return (Verdict::Errored, reason.to_owned());
        }
        if let Some(first) = self.problems.first() {
            let reason = format!("the TAP report does not add up: {first}");
            return (Verdict::Failed, reason);
        }
        if tally.executed() == 0 {
            return (
                Verdict::Errored,
                format!("no test was run: {}", self.idle()),
            );
        }
        (Verdict::Passed, tally.passes())
    }

    fn only_lacks_a_plan(&self) -> bool {
        let kinds: Vec<_> = self.problems.iter().map(|p| &p.kind).collect();
        kinds == [&TapProblemKind::NoPlan]
    }

    /// Why nothing was run.
    fn idle(&self) -> String {
        let skip = self.plan.as_ref().and_then(|plan| plan.skip.as_deref());
        match skip {
            Some("") => return "all were skipped".to_owned(),
            Some(reason) => return format!("all were skipped ({})", cut(reason, NAMED_BYTES)),
            None => {}
        }
        self.tally.idle()
    }
}

#[cfg(test)]
mod tests;
