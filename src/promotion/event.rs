//! Every fact of a promotion, as it is recorded and shown.
//!
//! Terminal, JSON output, records and, later, notifier and metrics consume the
//! same events; none of them learns anything another way.

pub mod news;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::{CheckResult, millis};
use super::id::PromotionId;
use super::phase::Phase;
use super::record::{AppVersion, GroupRecord, Outcome};
use super::restraint::{Override, Restraint, Statement};
use super::{Actor, Reason};
use crate::group::name::{AppName, CheckName, GroupName};
use crate::plan::Serving;
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;

/// One recorded fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When it was recorded.
    pub at: Timestamp,
    /// The group it is about.
    pub group: GroupName,
    /// The promotion it is about; `None`: about the group, before one begins
    /// or after one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionId>,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What can happen in a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Fact {
    /// Somebody holds the lock and was not seen to be alive yet.
    LockAwaited {
        /// Who.
        holder: String,
    },
    /// Whoever drives the promotion was asked to move traffic back.
    ReturnAsked {
        /// The promotion.
        promotion: PromotionId,
        /// Who drives it.
        holder: String,
    },
    /// Whoever drives the promotion was asked to give it up.
    AbortAsked {
        /// The promotion.
        promotion: PromotionId,
        /// Who drives it.
        holder: String,
    },
    /// Whoever drives the promotion has moved traffic back.
    ReturnSeen {
        /// What serves again.
        color: Color,
    },
    /// Somebody holds the group: nothing of it is promoted.
    Held {
        /// Who, and why.
        by: Statement,
    },
    /// Somebody let the group go.
    Unheld {
        /// Who, and why.
        by: Statement,
    },
    /// Somebody takes the group out of the cluster.
    Removing {
        /// Who.
        by: String,
    },
    /// All of it is gone.
    Removed,
    /// A promotion was asked for and not begun.
    Refused {
        /// Who asked.
        actor: Actor,
        /// The release it would have been about.
        release: ReleaseId,
        /// Why not.
        restraints: Vec<Restraint>,
    },
    /// The record was gone and was put together again from what the cluster holds.
    Rebuilt {
        /// What serves by what was found.
        serving: Option<Color>,
        /// A promotion that was found under way.
        in_flight: Option<PromotionId>,
    },
    /// An active Service that somebody had changed points at what serves again.
    Repaired {
        /// Its name.
        service: String,
        /// What it points at.
        color: Color,
    },
    /// Active Services do not point where they should: somebody changed them.
    Astray {
        /// What is wrong, Service by Service; empty once all is well again.
        found: Vec<String>,
    },
    /// It began.
    Started {
        /// Who asked for it.
        actor: Actor,
        /// The release it makes.
        release: ReleaseId,
        /// The colour it fills.
        candidate: Color,
        /// What serves meanwhile.
        replaces: Option<Serving>,
        /// What it deploys.
        apps: Vec<AppVersion>,
        /// What has to pass.
        checks: Vec<CheckName>,
        /// What runs once on the way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hooks: Vec<CheckName>,
    },
    /// It was begun although something keeps its release from users.
    Overridden {
        /// By whom.
        actor: Actor,
        /// In the face of what, and why.
        overrides: Override,
    },
    /// What stood before promoter came is the group's, and serves as before.
    TakenOver {
        /// Its apps.
        apps: Vec<AppName>,
    },
    /// What was taken over is as it was found.
    GivenBack {
        /// Its apps.
        apps: Vec<AppName>,
    },
    /// A promoter found it without an owner and drives it on.
    Resumed {
        /// Where it stood.
        phase: Phase,
    },
    /// It moved to another phase.
    Entered {
        /// The phase.
        phase: Phase,
        /// Why, if it was not simply next.
        reasons: Vec<Reason>,
    },
    /// It waits.
    Waiting {
        /// What for.
        wait_for: String,
        /// Until when at the latest.
        until: Timestamp,
    },
    /// A candidate's pods changed.
    App {
        /// The app.
        app: AppName,
        /// The colour.
        color: Color,
        /// Pods that take requests.
        ready: u32,
        /// Pods wanted.
        wanted: u32,
        /// What keeps it from being ready.
        trouble: Option<String>,
    },
    /// A check's Job was made.
    CheckStarted {
        /// The check.
        check: CheckName,
        /// Its run, from one.
        attempt: u32,
    },
    /// A check wrote a line.
    CheckOutput {
        /// The check.
        check: CheckName,
        /// Its run, from one.
        attempt: u32,
        /// The line.
        line: String,
    },
    /// A check's run gave no verdict and is repeated.
    CheckRepeated {
        /// The check.
        check: CheckName,
        /// Why.
        reason: String,
    },
    /// A check ended.
    CheckEnded {
        /// Its result.
        result: CheckResult,
    },
    /// All active Services point at the candidate.
    Switched {
        /// How many.
        services: usize,
        /// The colour they point at.
        color: Color,
        /// From the first patch sent to the last answer, in milliseconds.
        /// `None`: it was found done, as whoever did it was not told or died.
        #[serde(
            rename = "skewMs",
            default,
            with = "millis",
            skip_serializing_if = "Option::is_none"
        )]
        skew: Option<Duration>,
    },
    /// The active Services point at the old colour again.
    SwitchedBack,
    /// The last old pod of an app is gone.
    OldGone {
        /// The app.
        app: AppName,
        /// The colour.
        color: Color,
    },
    /// Traffic is moved, and the rest is left to the next promoter, as was asked for.
    Left {
        /// Where it stands.
        phase: Phase,
    },
    /// Something a person should know that does not fail the promotion.
    Warning {
        /// What.
        message: String,
    },
    /// It ended.
    Finished {
        /// How.
        outcome: Box<Outcome>,
    },
}

impl Fact {
    /// That a record was put together again, and what it says.
    pub fn rebuilt(record: &GroupRecord) -> Self {
        Self::Rebuilt {
            serving: record.serving.as_ref().map(|serving| serving.color),
            in_flight: record.in_flight.as_ref().map(|p| p.id.clone()),
        }
    }

    /// What tells it from other facts of its promotion, if it holds once and for
    /// all: whoever takes over tells such facts again. `None`: each time it is
    /// told, it happened anew.
    pub fn once(&self) -> Option<String> {
        Some(match self {
            Self::TakenOver { .. } => "taken-over".to_owned(),
            Self::GivenBack { .. } => "given-back".to_owned(),
            Self::Started { .. } => "started".to_owned(),
            Self::Overridden { .. } => "overridden".to_owned(),
            Self::CheckEnded { result } => format!("check-ended {}", result.check),
            Self::Switched { .. } => "switched".to_owned(),
            Self::SwitchedBack => "switched-back".to_owned(),
            Self::Finished { .. } => "finished".to_owned(),
            _ => return None,
        })
    }
}
