//! The only place that both decides and acts.
//!
//! [`Engine::deploy`] takes the group's lock, finishes what somebody left
//! unfinished, plans, and drives the promotion to its end: observe, ask
//! [`crate::promotion::next`], perform, record. [`Engine::resume`] does only the
//! first half, [`Engine::undo`] gives up or moves back what is under way. It
//! knows ports, no adapters.

pub mod adopt;
mod autopsy;
mod check;
mod delete;
pub mod deploy;
pub mod doctor;
mod drive;
mod handover;
pub mod hold;
mod hook;
pub mod init;
mod lock;
mod mend;
mod output;
mod outside;
mod perform;
pub mod propose;
mod prune;
pub mod remove;
mod report;
pub mod resolve;
mod rest;
pub mod resume;
pub mod rollback;
mod scale;
mod sightings;
mod switch;
mod taking;
mod tell;
pub mod undo;
mod wall;
mod written;

use std::sync::Arc;

use thiserror::Error;

use crate::group::name::GroupName;
use crate::plan::Plan;
use crate::plan::fingerprint::{PlanId, ReleaseId};
use crate::port::{Clock, Cluster, ClusterError, Ledger, LockError, Recorder};
use crate::promotion::Promotion;
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::record::{AppVersion, GroupRecord, Outcome};
use crate::promotion::restraint::Restraint;
use propose::{Proposal, ProposeError};

/// One group's promotions, over the outside systems it is given.
#[derive(Clone)]
pub struct Engine {
    /// The group.
    pub group: GroupName,
    /// Its namespace in its cluster.
    pub cluster: Arc<dyn Cluster>,
    /// The group's lock, record and plans.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub recorder: Arc<dyn Recorder>,
    /// What becomes of a promotion under way when it is stopped.
    pub on_stop: OnStop,
}

/// What becomes of a promotion under way when whoever drives it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// A person does not want it: it is aborted while that is possible.
    Abort,
    /// The process goes: whoever comes next drives on from where it stands.
    Leave,
}

/// What came of a deploy.
#[derive(Debug, Clone, PartialEq)]
pub enum Deployed {
    /// These inputs serve already.
    UpToDate(Box<Proposal>),
    /// A promotion ran to its end.
    Ended {
        /// How, as it stays on record.
        outcome: Box<Outcome>,
        /// What the checks said, in full.
        results: Vec<CheckResult>,
    },
    /// Traffic is moved, and the rest is left, as was asked for.
    Detached(PromotionId),
    /// The rest of it is left, as it was stopped.
    Unfinished(PromotionId),
    /// A person stopped it before it began.
    Stopped,
    /// The moment of the schedule that it was to meet is met already.
    Met,
    /// It was not begun, as something keeps its release from users.
    Refused(Vec<Restraint>),
}

/// Why a deploy could not be carried out, or not to its end.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The lock was not had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It was had, and somebody else has it now.
    #[error(
        "the lock of the group was lost to {holder}, who carries on; nothing is changed from here any more"
    )]
    LockLost {
        /// Who.
        holder: String,
    },
    /// There is no plan.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The cluster stopped doing as asked; the checkpoint stays, the next
    /// deploy resumes it.
    #[error(
        "failed to drive the promotion on; `promoter resume` or the next `promoter deploy` does"
    )]
    Cluster(#[source] ClusterError),
    /// The record is lost, and what else there is does not say enough.
    #[error(
        "failed to tell what serves: the DeploymentGroup is gone, and the group's Services, Deployments \
         and kept plans do not say it for sure; point every active Service at the colour that serves, then `promoter resume`"
    )]
    Unknown,
    /// It is being removed.
    #[error("{by} began to remove this group; `promoter remove` goes on")]
    Removing {
        /// Who.
        by: String,
    },
    /// What was to go does not.
    #[error("waited in vain for {wait_for}; the next `promoter remove` goes on")]
    Stuck {
        /// What for.
        wait_for: String,
    },
    /// Nothing is kept that could be gone back to.
    #[error("{}", nothing_kept(wanted.as_deref(), kept))]
    NothingKept {
        /// What was asked for.
        wanted: Option<String>,
        /// What is kept.
        kept: Vec<ReleaseId>,
    },
    /// It is kept, but not what it was made from.
    #[error(
        "release {release} cannot be made again: its plan is gone, or an older promoter did not keep what it was made from"
    )]
    NotKept {
        /// The release.
        release: ReleaseId,
    },
    /// What was adopted cannot be given back beside pods that it would lead users to.
    #[error(
        "failed to give back what was adopted: of the candidate there still stand {left}; \
         delete them, then `promoter adopt --undo` does"
    )]
    CandidateLeft {
        /// What.
        left: String,
    },
    /// What a checkpoint names is not there any more.
    #[error("failed to resume promotion {promotion}: its plan {plan} is gone from the cluster")]
    PlanGone {
        /// The promotion.
        promotion: PromotionId,
        /// Its plan.
        plan: PlanId,
    },
}

impl Engine {
    async fn stored_plan(&self, promotion: &Promotion, id: &PlanId) -> Result<Plan, EngineError> {
        let plan = self.ledger.plan(id).await.map_err(EngineError::Cluster)?;
        plan.ok_or_else(|| EngineError::PlanGone {
            promotion: promotion.id.clone(),
            plan: id.clone(),
        })
    }

    fn record(&self, promotion: Option<&PromotionId>, fact: Fact) {
        self.recorder.record(Event {
            at: self.clock.now(),
            group: self.group.clone(),
            promotion: promotion.cloned(),
            fact,
        });
    }
}

fn started(plan: &Plan, promotion: &Promotion) -> Fact {
    Fact::Started {
        actor: promotion.actor.clone(),
        release: plan.release.clone(),
        candidate: plan.candidate,
        replaces: promotion.replaces.clone(),
        apps: plan.apps.iter().map(AppVersion::of).collect(),
        checks: plan.checks.iter().map(|check| check.name.clone()).collect(),
        hooks: plan
            .hooks
            .iter()
            .map(|hook| hook.job.name.clone())
            .collect(),
    }
}

fn nothing_kept(wanted: Option<&str>, kept: &[ReleaseId]) -> String {
    let kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
    match (wanted, kept.as_slice()) {
        (None, _) => {
            "nothing served before what serves now, so there is nothing to go back to".to_owned()
        }
        (Some(wanted), []) => format!("there is no release {wanted} to go back to: none is kept"),
        (Some(wanted), kept) => format!(
            "there is no release {wanted} to go back to; kept are {}",
            kept.join(", ")
        ),
    }
}

impl Engine {
    /// The plans that a record needs, as far as they are kept.
    async fn plans_of(&self, record: &GroupRecord) -> Result<Vec<Plan>, EngineError> {
        let mut plans = Vec::new();
        for id in needed_plans(record) {
            let plan = self.ledger.plan(&id).await;
            plans.extend(plan.map_err(EngineError::Cluster)?);
        }
        Ok(plans)
    }
}

/// Plans a record still needs.
fn needed_plans(record: &GroupRecord) -> Vec<PlanId> {
    let serving = record
        .serving
        .iter()
        .chain(record.kept())
        .map(|serving| serving.plan.clone());
    serving
        .chain(
            record
                .in_flight
                .iter()
                .map(|promotion| promotion.plan.clone()),
        )
        .collect()
}
