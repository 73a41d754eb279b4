//! The only place that both decides and acts.
//!
//! [`Engine::deploy`] takes the group's lock, finishes what somebody left
//! unfinished, plans, and drives the promotion to its end: observe, ask
//! [`crate::promotion::next`], perform, record. [`Engine::resume`] does only the
//! first half, [`Engine::undo`] gives up or moves back what is under way. It
//! knows ports, no adapters.

mod autopsy;
mod check;
mod delete;
mod drive;
mod lock;
mod mend;
mod output;
mod perform;
pub mod propose;
mod prune;
mod report;
pub mod resolve;
pub mod resume;
mod scale;
mod sightings;
mod switch;
mod tell;
pub mod undo;

use std::pin::pin;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{Either, select};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::group::Group;
use crate::group::name::GroupName;
use crate::plan::Plan;
use crate::plan::fingerprint::PlanId;
use crate::plan::image::Resolved;
use crate::port::{Clock, Cluster, ClusterError, Ledger, LockError, Recorder};
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::record::{AppVersion, GroupRecord, Outcome};
use crate::promotion::{Actor, Promotion};
use drive::Drive;
use lock::Lock;
use propose::{Answers, Proposal, ProposeError};
use resolve::{ResolveError, Sources};

/// The images of a group, or all that is wrong with them.
type Images = Result<Resolved, Vec<ResolveError>>;

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
    /// Traffic is moved, and the rest is left, as was asked for.
    Detached(PromotionId),
    /// Traffic is moved, and the rest is left, as a person stopped it.
    Unfinished(PromotionId),
    /// A person stopped it before it began.
    Stopped,
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
    /// Promotes the group's newest images in `sources`, if they pass.
    ///
    /// # Errors
    /// Somebody else holds the lock; there is no plan; or the cluster stopped
    /// answering, in which case the promotion can be resumed.
    pub async fn deploy(
        &self,
        sources: Sources<'_>,
        group: &Group,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        // Images have nothing to do with the cluster: they are looked up meanwhile.
        let images = resolve::resolve(sources, group).shared();
        let meanwhile = images.clone();
        let deploying = pin!(async {
            let acquired = self.lock_and_look(&options.actor.name, &stop).await?;
            let Some(mut lock) = acquired else {
                return Ok(Deployed::Stopped);
            };
            let deployed = self
                .deploy_locked(sources, group, images, options, stop, &mut lock)
                .await;
            self.unlock(&lock).await;
            deployed
        });
        match select(deploying, meanwhile).await {
            Either::Left((deployed, _)) => deployed,
            Either::Right((_, deploying)) => deploying.await,
        }
    }

    async fn deploy_locked(
        &self,
        sources: Sources<'_>,
        group: &Group,
        images: impl Future<Output = Images>,
        options: DeployOptions,
        stop: CancellationToken,
        lock: &mut Lock,
    ) -> Result<Deployed, EngineError> {
        // Only a promotion that has work ends the window of the one before it.
        let has_work = async || {
            let next = self.propose(sources, group).await;
            options.force || next.is_ok_and(|next| !next.is_up_to_date())
        };
        let finished = self.finish_unfinished(lock, stop.clone(), has_work).await?;
        if stop.is_cancelled() {
            let left = finished.filter(|deployed| matches!(deployed, Deployed::Unfinished(_)));
            return Ok(left.unwrap_or(Deployed::Stopped));
        }
        let newest = async {
            match finished {
                None => images.await,
                // That took its time.
                Some(_) => resolve::resolve(sources, group).await,
            }
        };
        let answers = Answers::of(group);
        let planning = self.propose_mended(lock, group, answers.noted(newest));
        let proposal = tokio::select! {
            proposal = self.in_time(&answers, planning) => proposal?,
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        if proposal.is_up_to_date() && !options.force {
            return Ok(Deployed::UpToDate(Box::new(proposal)));
        }
        let now = self.clock.now();
        let id = PromotionId::new(now, options.chance);
        let promotion = Promotion::new(id, &proposal.plan, options.actor, now);
        let mut drive = Drive::new(
            self.clone(),
            lock.epoch,
            proposal.plan,
            proposal.live,
            promotion,
        );
        drive.record_start().await?;
        for message in proposal.warnings {
            drive.emit(Fact::Warning { message });
        }
        drive.detach = options.detach;
        self.see_through(lock, &mut drive, stop).await
    }

    /// A proposal over a cluster in which what serves is in order.
    async fn propose_mended(
        &self,
        lock: &Lock,
        group: &Group,
        images: impl Future<Output = Images>,
    ) -> Result<Proposal, EngineError> {
        let key = self.ledger.config_key(lock.epoch).await;
        key.map_err(EngineError::Cluster)?;
        // What is observed is not surveyed once more.
        let looking = async {
            let observed = self.cluster.observe().await;
            (observed, self.cluster.survey().await)
        };
        let ((observed, survey), images) = tokio::join!(looking, images);
        let mut survey = survey.map_err(ProposeError::Cluster)?;
        let observed = observed.map_err(EngineError::Cluster)?;
        if let Some(live) = &survey.live
            && self.mend(lock.epoch, live, &observed).await?
        {
            survey = self.cluster.survey().await.map_err(ProposeError::Cluster)?;
        }
        let images = images.map_err(ProposeError::Resolve)?;
        Ok(self.propose_resolved(group, &images, survey).await?)
    }

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
