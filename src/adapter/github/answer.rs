//! The shapes of GitHub's answers.
//!
//! Input: JSON. Output: reports on a commit. What must be there is not
//! defaulted: an answer without it is none. What the words mean is decided in
//! [`crate::plan::proof`].

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::plan::proof::{CheckRun, Commit, CommitStatus};

/// Most entries that GitHub puts on a page.
pub(super) const PAGE: usize = 100;

/// A list that comes in pages.
pub(super) trait List: DeserializeOwned {
    /// How many entries there are here.
    fn len(&self) -> usize;
    /// How many there are on all pages.
    fn total(&self) -> usize;
    /// Both pages in one.
    fn and(self, next: Self) -> Self;
}

/// The combined status of a commit.
#[derive(Debug, Deserialize)]
pub(super) struct StatusList {
    sha: String,
    total_count: usize,
    statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
struct Status {
    context: String,
    state: String,
}

/// The check runs of a commit.
#[derive(Debug, Deserialize)]
pub(super) struct RunList {
    total_count: usize,
    check_runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    name: String,
    head_sha: String,
    status: String,
    conclusion: Option<String>,
}

/// What an answer says that is none.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) message: String,
}

impl StatusList {
    /// The commit that was found, by its whole hash.
    pub(super) fn commit(&self) -> Option<Commit> {
        let commit = Commit::parse(&self.sha).ok();
        commit.filter(Commit::is_full)
    }

    pub(super) fn reports(self) -> Vec<CommitStatus> {
        let report = |Status { context, state }| CommitStatus { context, state };
        self.statuses.into_iter().map(report).collect()
    }
}

impl RunList {
    /// Whether each of them ran for this commit.
    pub(super) fn are_of(&self, commit: &Commit) -> bool {
        let mut runs = self.check_runs.iter();
        runs.all(|run| run.head_sha.eq_ignore_ascii_case(commit.as_str()))
    }

    pub(super) fn reports(self) -> Vec<CheckRun> {
        let report = |run: Run| CheckRun {
            name: run.name,
            status: run.status,
            conclusion: run.conclusion,
        };
        self.check_runs.into_iter().map(report).collect()
    }
}

impl List for StatusList {
    fn len(&self) -> usize {
        self.statuses.len()
    }

    fn total(&self) -> usize {
        self.total_count
    }

    fn and(mut self, next: Self) -> Self {
        self.statuses.extend(next.statuses);
        Self {
            statuses: self.statuses,
            ..next
        }
    }
}

impl List for RunList {
    fn len(&self) -> usize {
        self.check_runs.len()
    }

    fn total(&self) -> usize {
        self.total_count
    }

    fn and(mut self, next: Self) -> Self {
        self.check_runs.extend(next.check_runs);
        Self {
            check_runs: self.check_runs,
            ..next
        }
    }
}
