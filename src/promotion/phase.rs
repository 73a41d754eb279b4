//! Where a promotion stands, and how long it may stand there.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::group::When;
use crate::plan::Plan;
use crate::plan::check::MAX_ATTEMPTS;

/// Where a promotion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// The plan is written; nothing was done yet.
    Planned,
    /// The candidate colour is being filled.
    Deploying,
    /// Checks run against the candidate.
    Checking,
    /// The gate let it pass; traffic is being moved.
    Promoting,
    /// Traffic is moved; the old colour is kept, then goes.
    Settling,
    /// Done: the candidate is active, the old colour is gone.
    Promoted,
    /// The candidate is being taken down.
    Aborting,
    /// Done: what served before still does, the candidate is gone.
    Aborted,
    /// The abort itself did not finish; a person is needed.
    Failed,
}

impl Phase {
    /// All phases, in the order they can follow each other.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Deploying,
        Self::Checking,
        Self::Promoting,
        Self::Settling,
        Self::Promoted,
        Self::Aborting,
        Self::Aborted,
        Self::Failed,
    ];

    /// Whether users are at the candidate, or about to be.
    pub fn leads_users(self) -> bool {
        matches!(self, Self::Promoting | Self::Settling)
    }

    /// Whether nothing follows any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Promoted | Self::Aborted | Self::Failed)
    }

    /// How long a promotion of a plan may stand in this phase; `None` for final ones.
    /// What it replaces is taken down in the end.
    pub fn time_limit(self, plan: &Plan, replaced: Option<&Plan>) -> Option<Duration> {
        Some(match self {
            Self::Planned => Duration::from_mins(1),
            Self::Deploying => plan.deploy_timeout,
            Self::Checking => {
                let longest = plan
                    .checks
                    .iter()
                    .map(|check| check.timeout + check.start_timeout)
                    .max();
                // Checks run a few at a time, so their rounds add up.
                let rounds = plan
                    .checks
                    .len()
                    .div_ceil(plan.parallel_checks.max(1))
                    .max(1);
                let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
                longest
                    .unwrap_or_default()
                    .saturating_mul(MAX_ATTEMPTS)
                    .saturating_mul(rounds)
                    .saturating_add(plan.hook_time(When::BeforeSwitch))
            }
            // Pods that are added for the switch take as long as any to become ready.
            Self::Promoting => {
                let starts = plan.autoscalers().next().is_some() || has_workers(plan);
                let starting = starts.then_some(plan.deploy_timeout);
                // And those that are stopped first as long as any to end.
                let old = replaced.filter(|_| has_workers(plan));
                let ending = old.map(Plan::teardown_time);
                Duration::from_mins(2)
                    .saturating_add(starting.unwrap_or_default())
                    .saturating_add(ending.unwrap_or_default())
            }
            Self::Settling => {
                let old = replaced.unwrap_or(plan);
                plan.keep_old
                    .saturating_add(Duration::from_mins(5))
                    .saturating_add(old.teardown_time())
                    .saturating_add(old.cron_time())
                    .saturating_add(plan.hook_time(When::AfterPromote))
            }
            Self::Aborting => {
                let starting = has_workers(plan).then_some(plan.deploy_timeout);
                Duration::from_mins(5)
                    .saturating_add(plan.teardown_time())
                    .saturating_add(plan.cron_time())
                    .saturating_add(starting.unwrap_or_default())
                    .saturating_add(plan.keep_failed)
            }
            Self::Promoted | Self::Aborted | Self::Failed => return None,
        })
    }
}

fn has_workers(plan: &Plan) -> bool {
    plan.workers().next().is_some()
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Planned => "planned",
            Self::Deploying => "deploying",
            Self::Checking => "checking",
            Self::Promoting => "promoting",
            Self::Settling => "settling",
            Self::Promoted => "promoted",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        })
    }
}
