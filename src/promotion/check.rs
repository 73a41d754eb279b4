//! What came of one check: its verdict, why, and its single test cases.
//!
//! Input: what the rules of [`super::verdict`] ruled and what [`super::tap`]
//! read. Output: the record that [`super::gate`] decides by and that people are
//! shown. All texts are bounded here, so that a talkative check cannot fill a
//! status or a store. Nothing here decides whether a check passed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::group::name::CheckName;
use crate::plan::text::cut;

/// Most lines kept of the end of a check's log.
pub const TAIL_LINES: usize = 50;

/// Most bytes kept of one line of a log.
pub const LINE_BYTES: usize = 500;

/// Most bytes kept of a test case's name, its parents included.
pub const NAME_BYTES: usize = 300;

/// Most bytes kept of what a test case says about its failure.
pub const DIAGNOSTIC_BYTES: usize = 2048;

/// How a check ended. Only [`Verdict::Passed`] ever promotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// It ran to its end undisturbed and found nothing wrong.
    Passed,
    /// It ran and found something wrong.
    Failed,
    /// Nobody can tell: it could not run, or its result was lost.
    Errored,
    /// It had not ended when its time was up.
    TimedOut,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::TimedOut => "timed out",
        })
    }
}

/// The record of one check of one promotion.
///
/// It names the promotion and the plan it ran for, because a result counts for
/// exactly these and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Which check of the group.
    pub check: CheckName,
    /// The id of the promotion it ran for.
    pub promotion: String,
    /// The fingerprint of the plan it ran for.
    pub plan: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, on one line that can be read alone.
    pub reason: String,
    /// What its container exited with, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Which run this was, counted from 1; runs without a verdict are repeated.
    pub attempt: u32,
    /// From the start of its container to its end; in JSON as `durationMs`.
    #[serde(
        rename = "durationMs",
        default,
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Duration>,
    /// Its test cases, where its report was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<TestCase>,
    /// Test cases that are counted and no longer kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<CaseOutcome, usize>,
    /// The last lines of its log; see [`tail`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

impl CheckResult {
    /// Keeps the first test cases that failed, and counts the others.
    pub fn keep_failed(&mut self, most: usize) {
        let mut failed = 0;
        for case in std::mem::take(&mut self.cases) {
            failed += usize::from(case.outcome == CaseOutcome::Failed);
            if case.outcome == CaseOutcome::Failed && failed <= most {
                self.cases.push(case);
            } else {
                *self.left_out.entry(case.outcome).or_default() += 1;
            }
        }
    }

    /// Whether both are about the same run of a check, however much is kept of it.
    pub fn is_of_run(&self, other: &Self) -> bool {
        (&self.check, &self.promotion, self.attempt)
            == (&other.check, &other.promotion, other.attempt)
    }
}

/// One test case of a check's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCase {
    /// Its name with those of its parents before it, like `orders > are paid`.
    pub name: String,
    /// What came of it.
    pub outcome: CaseOutcome,
    /// How long it took, where the report says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What the report says about its failure, at most [`DIAGNOSTIC_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostic: Option<String>,
}

/// What came of a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CaseOutcome {
    /// It passed.
    Passed,
    /// It failed, which fails the check.
    Failed,
    /// It was not run.
    Skipped,
    /// It is known to be unfinished, whatever came of it; it decides nothing.
    Todo,
}

impl fmt::Display for CaseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Todo => "todo",
        })
    }
}

/// The last lines of a log, at most [`TAIL_LINES`] of [`LINE_BYTES`] each.
pub fn tail(log: &str) -> Vec<String> {
    let mut lines: Vec<String> = log
        .trim_end()
        .rsplit('\n')
        .take(TAIL_LINES)
        .map(|line| cut(line.trim_end(), LINE_BYTES))
        .collect();
    if lines.len() == 1 && lines.iter().all(String::is_empty) {
        lines.clear();
    }
    lines.reverse();
    lines
}

/// A duration as whole milliseconds.
pub(super) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(in crate::promotion) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
            .serialize(serializer)
    }

    pub(in crate::promotion) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::text::CUT;

    #[test]
    fn a_result_is_the_same_after_json() {
        let result = CheckResult {
            check: CheckName::parse("greets").unwrap(),
            promotion: "p1".to_owned(),
            plan: "f1".to_owned(),
            verdict: Verdict::TimedOut,
            reason: "not ended after 5m".to_owned(),
            exit_code: None,
            attempt: 2,
            duration: Some(Duration::from_millis(300_250)),
            cases: vec![TestCase {
                name: "orders > are paid".to_owned(),
                outcome: CaseOutcome::Failed,
                duration_ms: Some(3),
                diagnostic: None,
            }],
            left_out: BTreeMap::new(),
            tail: Vec::new(),
        };
        let json = serde_json::to_value(&result).unwrap();
        insta::assert_json_snapshot!(json, @r#"
        {
          "attempt": 2,
          "cases": [
            {
              "durationMs": 3,
              "name": "orders > are paid",
              "outcome": "Failed"
            }
          ],
          "check": "greets",
          "durationMs": 300250,
          "plan": "f1",
          "promotion": "p1",
          "reason": "not ended after 5m",
          "verdict": "TimedOut"
        }
        "#);
        assert_eq!(serde_json::from_value::<CheckResult>(json).unwrap(), result);
    }

    #[test]
    fn a_tail_is_the_end_and_bounded() {
        assert_eq!(tail(""), Vec::<String>::new());
        assert_eq!(tail("\n\n"), Vec::<String>::new());
        assert_eq!(tail("one\r\n\ntwo\n"), ["one", "", "two"]);
        let wide = "ä".repeat(600);
        let log: Vec<String> = (0..1000).map(|n| format!("{n}{wide}")).collect();
        let lines = tail(&log.join("\n"));
        assert_eq!(lines.len(), TAIL_LINES);
        assert!(lines[49].starts_with("999ä"));
        assert!(
            lines
                .iter()
                .all(|l| l.len() <= LINE_BYTES && l.ends_with(CUT))
        );
    }
}
