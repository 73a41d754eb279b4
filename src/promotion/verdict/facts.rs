//! What is seen of one run of a check, as plain data.
//!
//! Input: what an adapter observed of a Job and its pod. Output: the facts that
//! [`super::rule`] rules by. Nothing is concluded here.

use std::time::Duration;

use jiff::Timestamp;

use crate::group::Report;
use crate::promotion::cases::Tally;
use crate::promotion::check::{TestCase, Verdict};
use crate::promotion::junit::JunitReport;
use crate::promotion::tap::TapReport;

/// What was seen of one run of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFacts {
    /// Whether Job and pod are this promotion's.
    pub owner: Owner,
    /// Its Job.
    pub job: JobFacts,
    /// Its pod; `None` when there is none, not yet or not any more.
    pub pod: Option<PodFacts>,
    /// What is known of its report.
    pub report: ReportFacts,
    /// Which run this is, counted from 1.
    pub attempt: u32,
    /// Whether it began before every node could be taken to know the candidate.
    pub early: bool,
    /// What took pods of the candidate away, or silenced a node, while it ran.
    pub disturbed: Option<String>,
    /// How many runs there may be.
    pub max_attempts: u32,
    /// From the start of its container to its end.
    pub timeout: Duration,
    /// From the making of its Job to the start of its container.
    pub start_timeout: Duration,
    /// When its Job was made.
    pub created_at: Timestamp,
    /// When all of this was seen.
    pub now: Timestamp,
}

/// Whose the Job and its pod are, by owner uid and promotion label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This promotion made the Job, and the pod is that Job's.
    Ours,
    /// Something does not match: what, in words.
    Foreign(String),
}

/// A check's Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Whether it is still there.
    pub presence: Presence,
    /// Why it has ended: the reason of its `Failed` or `FailureTarget`
    /// condition, or `Complete`. It lags behind the pod by seconds.
    pub ended: Option<String>,
}

/// Whether an object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It has a deletion timestamp.
    Deleting,
    /// It was there and is not any more.
    Gone,
}

/// A check's pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodFacts {
    /// Its phase.
    pub phase: PodPhase,
    /// Whether it has a deletion timestamp.
    pub deleting: bool,
    /// The reason of its `DisruptionTarget` condition, if that is true.
    pub disrupted: Option<String>,
    /// `status.reason`, such as `Evicted`, `NodeLost` or `DeadlineExceeded`.
    pub reason: Option<String>,
    /// Why no node takes it.
    pub unschedulable: Option<String>,
    /// Its container `check`.
    pub container: ContainerFacts,
    /// When that was first seen to have ended.
    pub ended_at: Option<Timestamp>,
    /// Its container `report`, where the check has one.
    pub reporter: Option<ContainerFacts>,
}

/// The phase of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodPhase {
    /// Not all of its containers were started.
    Pending,
    /// At least one container is running or about to.
    Running,
    /// All containers exited 0.
    Succeeded,
    /// All containers have ended, and not all with 0.
    Failed,
    /// Its node does not answer, or the phase is none of the above.
    Unknown,
}

impl PodPhase {
    /// The phase as Kubernetes writes it.
    pub fn from_status(text: &str) -> Self {
        match text {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// The container `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerFacts {
    /// The pod's status does not speak of it.
    Unreported,
    /// It has not been started.
    Waiting {
        /// `ContainerCreating`, `ErrImagePull`, …
        reason: String,
        /// What the kubelet says about it.
        message: String,
    },
    /// It runs.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// It has ended.
    Ended(ContainerEnd),
}

/// How the container `check` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// What it exited with.
    pub exit_code: i32,
    /// The signal that ended it, where the runtime tells.
    pub signal: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, … or empty.
    pub reason: String,
    /// What the runtime says about it.
    pub message: String,
    /// When it had started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What is known of a check's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportFacts {
    /// The check has none; its exit code decides.
    NotDemanded,
    /// It has one that was not read yet.
    Unread,
    /// It has one that cannot be read any more: why.
    Lost(String),
    /// What it says.
    Tap(TapReport),
    /// What its files say.
    Junit(JunitReport),
}

impl ReportFacts {
    /// What is known before anything was read.
    pub fn unread(demanded: &Report) -> Self {
        match demanded {
            Report::None => Self::NotDemanded,
            Report::Tap | Report::Junit(_) => Self::Unread,
        }
    }

    /// What the report alone says of its check, if it was read.
    pub fn judge(&self) -> Option<(Verdict, String)> {
        match self {
            Self::NotDemanded | Self::Unread | Self::Lost(_) => None,
            Self::Tap(report) => Some(report.judge()),
            Self::Junit(report) => Some(report.judge()),
        }
    }

    /// Whether some of its test cases were not run, or decide nothing.
    pub fn is_partial(&self) -> bool {
        let is_partial = |tally: &Tally| tally.skipped > 0 || tally.todo > 0;
        self.tally().is_some_and(is_partial)
    }

    /// Its test cases.
    pub fn cases(&self) -> &[TestCase] {
        self.tally().map_or(&[], |tally| &tally.cases)
    }

    fn tally(&self) -> Option<&Tally> {
        match self {
            Self::NotDemanded | Self::Unread | Self::Lost(_) => None,
            Self::Tap(report) => Some(&report.tally),
            Self::Junit(report) => Some(&report.tally),
        }
    }
}
