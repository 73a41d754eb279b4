//! What people look back on: which promotions there were, what happened in
//! them, what their checks said and wrote, and which were refused.
//!
//! Nobody drives a promotion by these records; the cluster's own
//! ([`super::Ledger`]) decides. So they may lag, and a promotion goes on where
//! they cannot be kept.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Packed;
use crate::group::name::{CheckName, GroupName, Namespace};
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::plan::summary::Summary;
use crate::promotion::Actor;
use crate::promotion::check::CheckResult;
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;
use crate::promotion::restraint::Restraint;

/// Keeps what happened, and finds it again.
#[async_trait]
pub trait Records: Send + Sync {
    /// Keeps these, which happened in one place, all or none. What is kept already
    /// is fine, as whoever got no answer tells it again: a fact that holds once
    /// ([`crate::promotion::event::Fact::once`]) is kept as it was told first, and
    /// another is known by its time and all that it says.
    async fn keep(&self, place: &PlaceName, notes: &[Note]) -> Result<(), RecordsError>;

    /// Forgets some of what is too old to be kept by now; called at each promotion,
    /// so that all of it goes in the end. What passed last in a group stays.
    async fn prune(&self, now: Timestamp) -> Result<(), RecordsError>;

    /// The last promotions, newest first.
    async fn last(&self, of: &Which, most: u32) -> Result<Vec<Entry>, RecordsError>;

    /// What was asked for and refused, the last first.
    async fn refused(&self, of: &Which, most: u32) -> Result<Vec<Refusal>, RecordsError>;

    /// The promotions of that identity. Two groups may have begun one in the same
    /// second and by the same chance, and a cluster may be known by two names.
    async fn of(&self, promotion: &PromotionId) -> Result<Vec<Entry>, RecordsError>;

    /// What happened in a promotion, by time: its beginning may be heard of last.
    /// Kinds of events that this build does not know are left out.
    async fn events(&self, entry: &Entry) -> Result<Vec<Event>, RecordsError>;

    /// What its checks said, in full.
    async fn results(&self, entry: &Entry) -> Result<Vec<CheckResult>, RecordsError>;

    /// What it was made from. `None`: that is not kept, as it was begun elsewhere.
    async fn plan(&self, entry: &Entry) -> Result<Option<Summary>, RecordsError>;

    /// The last promotion of the group, in the same place, that passed before this
    /// one began.
    async fn passed_before(&self, entry: &Entry) -> Result<Option<Entry>, RecordsError>;

    /// Of which runs there is a log, check by check; of one check, or of all.
    async fn logged(
        &self,
        entry: &Entry,
        check: Option<&CheckName>,
    ) -> Result<Vec<Run>, RecordsError>;

    /// What one run wrote. `None`: that is not kept, or not any more. One at a time,
    /// as each may be long and there may be hundreds.
    async fn log(&self, entry: &Entry, run: &Run) -> Result<Option<String>, RecordsError>;
}

/// What people call the place where a group runs: the cluster as they know it, and
/// the namespace, as `testbed/v2`. Groups of one name may run in many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceName(String);

impl PlaceName {
    /// A namespace in a cluster. There is no `/` in a namespace's name, so no two
    /// places are called the same.
    pub fn new(cluster: &str, namespace: &Namespace) -> Self {
        Self(format!("{cluster}/{namespace}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which promotions are asked for; of all groups and places unless told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Only those of this group.
    pub group: Option<GroupName>,
    /// Only those in this place.
    pub place: Option<PlaceName>,
}

/// Something to keep. Many may wait for that, so what is large is packed.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// It happened.
    Event(Event),
    /// It is carried out from this plan.
    Plan {
        /// The plan's group.
        group: GroupName,
        /// The promotion that carries it out.
        promotion: PromotionId,
        /// Its [`Summary`] as JSON.
        summary: Packed,
    },
    /// A run of a check has written this.
    Log {
        /// The check's group.
        group: GroupName,
        /// The promotion it ran for.
        promotion: PromotionId,
        /// The run.
        run: Run,
        /// When it was whole.
        at: Timestamp,
        /// What it wrote: lines, each ended; where some are left out, a line in their
        /// place says so.
        text: Packed,
    },
}

/// One promotion, as the records have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where its group runs.
    pub place: PlaceName,
    /// Its group.
    pub group: GroupName,
    /// Its identity.
    pub promotion: PromotionId,
    /// The release it was about.
    pub release: ReleaseId,
    /// The colour it filled.
    pub color: Color,
    /// Who asked for it.
    pub actor: Actor,
    /// When it began.
    pub started_at: Timestamp,
    /// The last phase it is known to have entered.
    pub phase: Phase,
    /// How it ended. `None`: that was not heard of.
    pub outcome: Option<Outcome>,
}

/// A promotion that was asked for and not begun, however often the same was asked
/// by the same and refused for the same reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Where the group runs.
    pub place: PlaceName,
    /// The group.
    pub group: GroupName,
    /// Who asked.
    pub actor: Actor,
    /// The release it would have been about, the last time.
    pub release: ReleaseId,
    /// Why not.
    pub restraints: Vec<Restraint>,
    /// When it was refused first.
    pub first_at: Timestamp,
    /// When it was refused last.
    pub last_at: Timestamp,
    /// How often it was.
    pub times: u64,
}

/// One run of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The check.
    pub check: CheckName,
    /// Its run, from one.
    pub attempt: u32,
}

/// Why the records could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordsError {
    /// They are there, and are locked, full, read-only or broken.
    #[error("failed to {action} the records in {place}: {reason}")]
    Failed {
        /// What was tried: `read`, `write`, `prune`, `open`.
        action: &'static str,
        /// Where they are.
        place: String,
        /// What stood in the way.
        reason: String,
    },
    /// A later version of promoter has changed their shape.
    #[error(
        "the records in {place} are of a newer promoter; use that one, or other records (PROMOTER_RECORDS)"
    )]
    Newer {
        /// Where they are.
        place: String,
    },
}
