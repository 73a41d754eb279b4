//! What is seen of the groups of a namespace by who drives none of them yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::group::name::GroupName;
use crate::plan::fingerprint::PlanId;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{GroupRecord, Met};
use crate::promotion::restraint::Statement;

/// What is seen of the groups of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All of them stand so.
    Standings(Vec<Standing>),
    /// The lock of one was taken, renewed or given back.
    Lock {
        /// Whose.
        group: GroupName,
        /// Who has it, if anybody does.
        holder: Option<String>,
    },
}

/// Where a group stands by its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The group.
    pub group: GroupName,
    /// The promotion under way.
    pub in_flight: Option<(PromotionId, Phase)>,
    /// Up to where its schedule is met.
    pub met: Option<Met>,
    /// Whether somebody takes it out of the cluster.
    pub removing: bool,
    /// What serves.
    pub serving: Option<PlanId>,
    /// The last promotion that ended, and when it did.
    pub last: Option<(PromotionId, Timestamp)>,
    /// When one was promoted last, as far as that is known.
    pub promoted_at: Option<Timestamp>,
    /// Who holds it, and why.
    pub hold: Option<Statement>,
    /// What a daemon said that it does next.
    pub upcoming: Option<Upcoming>,
}

/// What a daemon does about a group next, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upcoming {
    /// When it does. `None`: no time brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it waits for, in words.
    pub what: String,
    /// What is wrong with what it goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Standing {
    /// That of a group with this record.
    pub fn of(
        group: GroupName,
        record: &GroupRecord,
        hold: Option<Statement>,
        upcoming: Option<Upcoming>,
    ) -> Self {
        let in_flight = record.in_flight.as_ref();
        let last = record.outcomes.first();
        let mut outcomes = record.outcomes.iter();
        let promoted = outcomes.find(|outcome| outcome.phase == Phase::Promoted);
        Self {
            group,
            in_flight: in_flight.map(|promotion| (promotion.id.clone(), promotion.phase)),
            met: record.met.clone(),
            removing: record.removing.is_some(),
            serving: record.serving.as_ref().map(|serving| serving.plan.clone()),
            last: last.map(|last| (last.promotion.clone(), last.ended_at)),
            promoted_at: promoted.map(|promoted| promoted.ended_at),
            hold,
            upcoming,
        }
    }

    /// Whether what keeps other groups, or a next promotion of this one, may be another
    /// thing now.
    pub fn differs(&self, before: &Self) -> bool {
        let what = |standing: &Self| {
            let in_flight = standing.in_flight.as_ref().map(|(id, _)| id.clone());
            (
                in_flight,
                standing.serving.clone(),
                standing.last.clone(),
                standing.hold.clone(),
            )
        };
        what(self) != what(before)
    }
}
