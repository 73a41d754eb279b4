//! The only place that both decides and acts.
//!
//! [`Engine::deploy`] takes the group's lock, finishes what somebody left
//! unfinished, plans, and drives the promotion to its end: observe, ask
//! [`crate::promotion::next`], perform, record. It knows ports, no adapters.

mod autopsy;
mod check;
mod drive;
mod perform;
pub mod propose;
mod prune;
mod report;
pub mod resolve;
mod switch;

use std::sync::Arc;

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::group::Group;
use crate::group::name::GroupName;
use crate::plan::Plan;
use crate::plan::fingerprint::PlanId;
use crate::port::{Clock, Cluster, ClusterError, Epoch, Ledger, LockError, Recorder, Registry};
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{AppVersion, GroupRecord, Outcome};
use crate::promotion::{Actor, Promotion};
use drive::Drive;
use propose::{Proposal, ProposeError};

/// One group's promotions, over the outside systems it is given.
#[derive(Clone)]
pub struct Engine {
    /// Where images come from.
    pub registry: Arc<dyn Registry>,
    /// The group's namespace in its cluster.
    pub cluster: Arc<dyn Cluster>,
    /// The group's lock, record and plans.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub recorder: Arc<dyn Recorder>,
}

/// How a deploy is wanted.
#[derive(Debug, Clone)]
pub struct DeployOptions {
    /// Who asks.
    pub actor: Actor,
    /// Two random bytes for the promotion's identity.
    pub chance: u16,
    /// Promote although the same inputs serve already.
    pub force: bool,
    /// Return once traffic is moved; the next promoter takes the old colour down.
    pub detach: bool,
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
    /// Traffic is moved; the old colour still stands.
    Detached(PromotionId),
    /// A person stopped it before it began.
    Stopped,
}

/// Why a deploy could not be carried out, or not to its end.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The lock was not had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// There is no plan.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The cluster stopped doing as asked; the checkpoint stays, the next
    /// deploy resumes it.
    #[error("failed to drive the promotion on; `promoter deploy` resumes it")]
    Cluster(#[source] ClusterError),
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
    /// Promotes the group's newest images, if they pass.
    ///
    /// # Errors
    /// Somebody else holds the lock; there is no plan; or the cluster stopped
    /// answering, in which case the promotion can be resumed.
    pub async fn deploy(
        &self,
        group: &Group,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        let acquired = tokio::select! {
            acquired = self.ledger.acquire(&options.actor.name) => acquired,
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        let epoch = acquired?;
        let deployed = self.deploy_locked(group, options, stop, epoch).await;
        if let Err(error) = self.ledger.release(epoch).await {
            // The lock runs out by itself; what was deployed counts.
            tracing::warn!(%error, "failed to give the group's lock back");
        }
        deployed
    }

    async fn deploy_locked(
        &self,
        group: &Group,
        options: DeployOptions,
        stop: CancellationToken,
        epoch: Epoch,
    ) -> Result<Deployed, EngineError> {
        self.finish_unfinished(group, &options, stop.clone(), epoch)
            .await?;
        if stop.is_cancelled() {
            return Ok(Deployed::Stopped);
        }
        self.ledger
            .config_key(epoch)
            .await
            .map_err(EngineError::Cluster)?;
        let proposal = tokio::select! {
            proposal = self.propose(group) => proposal?,
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        if proposal.is_up_to_date() && !options.force {
            return Ok(Deployed::UpToDate(Box::new(proposal)));
        }
        let now = self.clock.now();
        let promotion = Promotion::new(
            PromotionId::new(now, options.chance),
            &proposal.plan,
            options.actor,
            now,
        );
        let mut drive = Drive::new(self.clone(), epoch, proposal.plan, proposal.live, promotion);
        drive.record_start().await?;
        for message in proposal.warnings {
            drive.emit(Fact::Warning { message });
        }
        drive.detach = options.detach;
        drive.run(stop).await
    }

    /// Drives a promotion on that its promoter left, whoever that was.
    async fn finish_unfinished(
        &self,
        group: &Group,
        options: &DeployOptions,
        stop: CancellationToken,
        epoch: Epoch,
    ) -> Result<(), EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let Some(mut promotion) = record.in_flight else {
            return Ok(());
        };
        let plan = self.stored_plan(&promotion, &promotion.plan).await?;
        let replaced = match &promotion.replaces {
            Some(serving) => Some(self.stored_plan(&promotion, &serving.plan).await?),
            None => None,
        };
        // Only a promotion that has work ends the window of the one before it.
        promotion.hurry = promotion.phase == Phase::Settling
            && (options.force
                || self
                    .propose(group)
                    .await
                    .is_ok_and(|next| !next.is_up_to_date()));
        promotion.resumed_at = Some(self.clock.now());
        let fact = Fact::Resumed {
            phase: promotion.phase,
        };
        let mut drive = Drive::new(self.clone(), epoch, plan, replaced, promotion);
        drive.emit(fact);
        drive.run(stop).await?;
        Ok(())
    }

    async fn stored_plan(&self, promotion: &Promotion, id: &PlanId) -> Result<Plan, EngineError> {
        let plan = self.ledger.plan(id).await.map_err(EngineError::Cluster)?;
        plan.ok_or_else(|| EngineError::PlanGone {
            promotion: promotion.id.clone(),
            plan: id.clone(),
        })
    }

    fn record(&self, group: &GroupName, promotion: &PromotionId, fact: Fact) {
        let (group, promotion) = (group.clone(), promotion.clone());
        self.recorder.record(Event {
            at: self.clock.now(),
            group,
            promotion,
            fact,
        });
    }
}

fn started(plan: &Plan, promotion: &Promotion) -> Fact {
    let version = |app: &crate::plan::AppPlan| AppVersion {
        app: app.name.clone(),
        tag: app.image.tag.clone(),
    };
    Fact::Started {
        release: plan.release.clone(),
        candidate: plan.candidate,
        replaces: promotion.replaces.clone(),
        apps: plan.apps.iter().map(version).collect(),
        checks: plan.checks.iter().map(|check| check.name.clone()).collect(),
    }
}

/// Plans a record still needs.
fn needed_plans(record: &GroupRecord) -> Vec<PlanId> {
    let serving = record
        .serving
        .iter()
        .chain(&record.previous)
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
