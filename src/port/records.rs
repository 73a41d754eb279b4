//! What people look back on: which promotions there were, what happened in
//! them, what their checks said and wrote.
//!
//! Nobody drives a promotion by these records; the cluster's own
//! ([`super::Ledger`]) decides. So they may lag, and a promotion goes on where
//! they cannot be kept.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::group::name::{CheckName, GroupName};
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::plan::summary::Summary;
use crate::promotion::Actor;
use crate::promotion::check::CheckResult;
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;

/// Keeps what happened, and finds it again.
#[async_trait]
pub trait Records: Send + Sync {
    /// Keeps these, all or none. What is kept already is fine: a fact that holds
    /// once ([`crate::promotion::event::Fact::once`]) is kept as it was told first.
    async fn keep(&self, notes: &[Note]) -> Result<(), RecordsError>;

    /// The last promotions, newest first: of one group, or of all.
    async fn last(&self, group: Option<&GroupName>, most: u32) -> Result<Vec<Entry>, RecordsError>;

    /// The promotions of that identity. Two groups may have begun one in the same
    /// second and by the same chance.
    async fn of(&self, promotion: &PromotionId) -> Result<Vec<Entry>, RecordsError>;

    /// What happened in a promotion, in the order in which it was told. Kinds of
    /// events that this build does not know are left out.
    async fn events(&self, entry: &Entry) -> Result<Vec<Event>, RecordsError>;

    /// What its checks said, in full.
    async fn results(&self, entry: &Entry) -> Result<Vec<CheckResult>, RecordsError>;

    /// What it was made from. `None`: that is not kept, as it was begun elsewhere.
    async fn plan(&self, entry: &Entry) -> Result<Option<Summary>, RecordsError>;

    /// The last promotion of the group that passed before this one began.
    async fn passed_before(&self, entry: &Entry) -> Result<Option<Entry>, RecordsError>;

    /// What its checks wrote, run by run; of one check, or of all.
    async fn logs(
        &self,
        entry: &Entry,
        check: Option<&CheckName>,
    ) -> Result<Vec<CheckLog>, RecordsError>;
}

/// Something to keep.
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
        /// What is remembered of it.
        summary: Box<Summary>,
    },
    /// A run of a check has written this.
    Log {
        /// The check's group.
        group: GroupName,
        /// The promotion it ran for.
        promotion: PromotionId,
        /// What it wrote.
        log: CheckLog,
    },
}

/// One promotion, as the records have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
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

/// What one run of a check wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLog {
    /// The check.
    pub check: CheckName,
    /// Its run, from one.
    pub attempt: u32,
    /// Lines, each ended; where some are left out, a line in their place says so.
    pub text: String,
}

/// Why the records could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordsError {
    /// They are there, and are locked, full, read-only or broken.
    #[error("failed to {action} the records in {place}: {reason}")]
    Failed {
        /// What was tried: `read`, `write`, `open`.
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
