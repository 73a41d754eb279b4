//! Reads what a check wrote to files as a `JUnit` report.
//!
//! Input: the output of the container `report`
//! ([`reporter`](crate::plan::check::reporter)), which may be huge, cut off or
//! anything at all. Output: a [`JunitReport`] with the single test cases, and by
//! [`JunitReport::judge`] what it says of the check. It never forgives: what is not
//! well-formed is a [`JunitProblem`], and a report with a problem never passes; nor
//! does one with a failure in it, wherever that stands. It does not know how the
//! container ended; [`super::verdict`] puts the two together.
//!
//! There is no schema that all writers of `JUnit` XML keep to. It reads what
//! `node --test`, Maven Surefire, Gradle, `pytest` and `cargo nextest` write, and
//! takes of the rest what looks like it. There are no entities but XML's own five,
//! and no DOCTYPE.

mod element;
mod reader;
mod written;

use std::fmt;

use thiserror::Error;

use super::cases::Tally;
use super::check::Verdict;
use crate::group::report::ReportFile;
use crate::plan::text::one_line;
use written::{Written, written};

/// Most bytes of all files together. They travel as a log, of which a node keeps 10 MiB
/// if nobody told it otherwise.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Most problems kept; one is enough to fail the check.
const MAX_PROBLEMS: usize = 20;

/// Most bytes of a path in a reason.
const PATH_BYTES: usize = 100;

/// What a `JUnit` report says, all of its files together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JunitReport {
    /// Its test cases.
    pub tally: Tally,
    /// What is wrong with it; the first ones, in the order of the files.
    pub problems: Vec<JunitProblem>,
    /// Why nobody can tell, where a file is missing, empty or cannot be read.
    pub untold: Option<String>,
}

/// What is wrong with a report, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunitProblem {
    /// The file; empty where it is about all of them.
    pub file: String,
    /// Its line, counted from 1; 0 where it is about all of it.
    pub line: usize,
    /// What it is.
    pub kind: JunitProblemKind,
}

/// The ways in which a report is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JunitProblemKind {
    /// What the sidecar wrote is not all there.
    #[error(
        "it was cut off; all files together may have {} MiB, or less than the node keeps of a log",
        MOST_BYTES / 1024 / 1024
    )]
    CutOff,
    /// The XML ended within an element.
    #[error("it ends within <{0}>, so it was cut off")]
    Unfinished(String),
    /// It is no XML.
    #[error("it is not well-formed XML: {0}")]
    Malformed(String),
    /// It could name other files, or grow without end.
    #[error("it has a DOCTYPE, which is not read")]
    Doctype,
    /// It is XML of another kind.
    #[error("it begins with <{0}>, not with <testsuites> or <testsuite>")]
    NoReport(String),
    /// Text, or another document, before or behind the first.
    #[error("something stands outside of its root element")]
    Outside,
    /// Elements lie deeper than anybody writes them.
    #[error("elements more than {} levels deep", reader::MAX_DEPTH)]
    TooDeep,
    /// An element has more attributes than anybody writes.
    #[error("an element with more than {} attributes", element::MAX_ATTRIBUTES)]
    TooManyAttributes,
    /// A suite counts failures that it does not list.
    #[error("suite '{suite}' counts {said} failures, and lists none")]
    Unlisted {
        /// Its name.
        suite: String,
        /// `failures` and `errors`.
        said: u64,
    },
    /// `failures` or `errors` that is no number.
    #[error("`{0}` where a number of failures was due")]
    NoNumber(String),
}

impl fmt::Display for JunitProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => write!(f, "{}", self.kind),
            (file, 0) => write!(f, "{file}: {}", self.kind),
            (file, line) => write!(f, "{file} line {line}: {}", self.kind),
        }
    }
}

impl JunitReport {
    /// Reads all that the container `report` of a check wrote.
    pub fn read(file: &ReportFile, output: &str) -> Self {
        let mut report = Self::default();
        let Written {
            files,
            others,
            is_whole,
        } = written(output);
        for found in &files {
            let path = one_line(found.path, PATH_BYTES);
            match found.exit_code {
                Some(0) => {}
                // What there is of it may tell of a failure.
                None => report.problem(&path, 0, JunitProblemKind::CutOff),
                Some(127) => report.cannot_tell(format!(
                    "{path} cannot be read: the check's image has no `cat`"
                )),
                Some(code) => report.cannot_tell(format!(
                    "{path} cannot be read in the container `report` (`cat` exits {code})"
                )),
            }
            if found.text.trim().is_empty() {
                report.cannot_tell(format!("{path} is empty"));
            } else if let Err((line, kind)) = reader::read(found.text, &path, &mut report) {
                report.problem(&path, line, kind);
            }
        }
        if let Some(other) = others.first() {
            let path = one_line(other, PATH_BYTES);
            report.cannot_tell(format!("{path} is a folder, a pipe or a broken link"));
        }
        if !is_whole {
            report.problem("", 0, JunitProblemKind::CutOff);
        } else if files.is_empty() {
            let what = if file.is_pattern() {
                "no file matches"
            } else {
                "there is no"
            };
            report.cannot_tell(format!("{what} {}", file.as_str()));
        }
        report
    }

    /// What the report alone says of its check, and why on one line.
    ///
    /// Any failure or problem is Failed; when nothing was run, or a file cannot be
    /// had, nobody can tell, so that is Errored.
    pub fn judge(&self) -> (Verdict, String) {
        if self.tally.failed > 0 {
            return (Verdict::Failed, self.tally.failures());
        }
        if let Some(first) = self.problems.first() {
            let reason = format!("the JUnit report does not add up: {first}");
            return (Verdict::Failed, reason);
        }
        if let Some(why) = &self.untold {
            return (Verdict::Errored, format!("no report: {why}"));
        }
        if self.tally.executed() == 0 {
            let reason = format!("no test was run: {}", self.tally.idle());
            return (Verdict::Errored, reason);
        }
        (Verdict::Passed, self.tally.passes())
    }

    fn takes_problems(&self) -> bool {
        self.problems.len() < MAX_PROBLEMS
    }

    fn problem(&mut self, file: &str, line: usize, kind: JunitProblemKind) {
        if self.takes_problems() {
            let file = file.to_owned();
            self.problems.push(JunitProblem { file, line, kind });
        }
    }

    fn cannot_tell(&mut self, why: String) {
        self.untold.get_or_insert(why);
    }
}

#[cfg(test)]
mod tests;
