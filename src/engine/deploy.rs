//! Promoting a group's newest images: lock, finish what is unfinished, plan, ask
//! what keeps the release from users, drive.

use std::pin::pin;

use futures::FutureExt;
use futures::future::{Either, select};
use tokio_util::sync::CancellationToken;

use super::drive::Drive;
use super::lock::Lock;
use super::outside::{Answers, Outside, Question};
use super::propose::{Found, Proposal, ProposeError};
use super::resolve::Sources;
use super::{Deployed, Engine, EngineError};
use crate::group::Group;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::source::Source;
use crate::promotion::event::Fact;
use crate::promotion::id::PromotionId;
use crate::promotion::record::Met;
use crate::promotion::restraint::{Override, Restraint};
use crate::promotion::{Actor, Promotion};

/// Why inputs are tried again that were found bad before, where nobody says it.
const RETRIED: &str = "to try it again";

/// How a deploy is wanted.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wish that may come with any other"
)]
pub struct DeployOptions {
    /// Who asks.
    pub actor: Actor,
    /// Two random bytes for the promotion's identity.
    pub chance: u16,
    /// Promote although the same inputs serve already.
    pub force: bool,
    /// Return once traffic is moved; the next promoter takes the old colour down.
    pub detach: bool,
    /// Try inputs again that were found bad before.
    pub retry: bool,
    /// Why to promote whatever keeps the release from users, but for the budget.
    pub overriding: Option<String>,
    /// Promote although the budget is spent, for the reason in `why`.
    pub despite_budget: bool,
    /// Why it is asked for, in words.
    pub why: Option<String>,
    /// The moment of the group's schedule that it meets; nothing is done if that
    /// is met already.
    pub meets: Option<Met>,
}

impl DeployOptions {
    /// What is overridden, if anything has to be; or all that is not, and so is in
    /// the way.
    pub(super) fn against(
        &self,
        restraints: &[Restraint],
    ) -> Result<Option<Override>, Vec<Restraint>> {
        let is_retried =
            |found: &Restraint| self.retry && matches!(found, Restraint::Failed { .. });
        let overrides = self.overriding.is_some() && restraints.len() <= Override::MOST;
        let binds = |found: &&Restraint| match found {
            Restraint::Budget { .. } => !self.despite_budget,
            _ => !overrides && !is_retried(found),
        };
        let binding: Vec<_> = restraints.iter().filter(binds).cloned().collect();
        if !binding.is_empty() {
            return Err(binding);
        }
        let reason = || {
            let of_budget = self.why.clone().filter(|_| self.despite_budget);
            let said = self.overriding.clone().or(of_budget);
            said.unwrap_or_else(|| RETRIED.to_owned())
        };
        Ok((!restraints.is_empty()).then(|| Override::of(restraints, reason())))
    }
}

/// What came of it that somebody stopped, after what was finished first.
pub(super) fn stopped_after(finished: Option<Deployed>) -> Deployed {
    let left = finished.filter(|deployed| matches!(deployed, Deployed::Unfinished(_)));
    left.unwrap_or(Deployed::Stopped)
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
        // What is outside has nothing to do with the cluster: it is looked up meanwhile.
        let answers = Answers::of(group);
        let question = Question {
            sources,
            group,
            answers: &answers,
        };
        let outside = question.ask().shared();
        let meanwhile = outside.clone();
        let deploying = pin!(async {
            let acquired = self.lock_and_look(&options.actor.name, &stop).await?;
            let Some(mut lock) = acquired else {
                return Ok(Deployed::Stopped);
            };
            let deployed = self.deploy_locked(question, outside, options, stop, &mut lock);
            let deployed = Box::pin(deployed).await;
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
        question: Question<'_>,
        known: impl Future<Output = Outside>,
        options: DeployOptions,
        stop: CancellationToken,
        lock: &mut Lock,
    ) -> Result<Deployed, EngineError> {
        let Question { sources, group, .. } = question;
        // Only a promotion that has work ends the window of the one before it.
        let has_work = async || {
            let next = Box::pin(self.propose(sources, group)).await;
            let is_work = |next: Proposal| options.force || !next.is_up_to_date();
            let may_be = |next: &Proposal| options.against(&next.restraints).is_ok();
            next.ok().filter(may_be).is_some_and(is_work)
        };
        let finished = self.finish_unfinished(lock, stop.clone(), has_work).await?;
        if stop.is_cancelled() {
            return Ok(stopped_after(finished));
        }
        if let Some(meets) = &options.meets {
            let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
            if record.met.is_some_and(|met| met.covers(meets)) {
                return Ok(Deployed::Met);
            }
        }
        let now = async {
            match finished {
                None => known.await,
                // That took its time.
                Some(_) => question.ask().await,
            }
        };
        let planning = self.propose_mended(lock, group, now);
        let proposal = tokio::select! {
            proposal = self.in_time(question.answers, planning) => proposal?,
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        self.begin(lock, proposal, options, None, stop).await
    }

    /// Carries a proposal out, unless it serves already or something keeps it from
    /// users. `leaves` is what it goes back from.
    pub(super) async fn begin(
        &self,
        lock: &mut Lock,
        proposal: Proposal,
        options: DeployOptions,
        leaves: Option<Fingerprint>,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        if proposal.is_up_to_date() && !options.force {
            self.note_met(lock, options.meets).await?;
            return Ok(Deployed::UpToDate(Box::new(proposal)));
        }
        let overrides = match options.against(&proposal.restraints) {
            Ok(overrides) => overrides,
            Err(restraints) => {
                if !restraints.iter().all(Restraint::may_pass) {
                    self.note_met(lock, options.meets).await?;
                }
                return Ok(self.not_begun(options.actor, &proposal, restraints));
            }
        };
        let now = self.clock.now();
        let id = PromotionId::new(now, options.chance);
        let mut promotion = Promotion::new(id, &proposal.plan, options.actor, now);
        promotion.adopts = proposal.live.as_ref().is_some_and(|p| p.adopted.is_some());
        promotion.overrides = overrides;
        promotion.why = options.why;
        promotion.leaves = leaves.map(|left| left.short().to_owned());
        let mut drive = Drive::new(
            self.clone(),
            lock.epoch,
            proposal.plan,
            proposal.live,
            promotion,
        );
        drive.meets = options.meets;
        drive.record_start().await?;
        for message in proposal.warnings {
            drive.emit(Fact::Warning { message });
        }
        drive.detach = options.detach;
        self.see_through(lock, &mut drive, stop).await
    }

    /// A proposal over a cluster in which what serves is in order.
    pub(super) async fn propose_mended(
        &self,
        lock: &Lock,
        group: &Group,
        outside: impl Future<Output = Outside>,
    ) -> Result<Proposal, EngineError> {
        let key = self.ledger.config_key(lock.epoch).await;
        key.map_err(EngineError::Cluster)?;
        // What is observed is not surveyed once more.
        let looking = async {
            let observed = self.cluster.observe().await;
            (observed, self.cluster.survey().await)
        };
        let ((observed, survey), outside) = tokio::join!(looking, outside);
        let mut survey = survey.map_err(ProposeError::Cluster)?;
        let observed = observed.map_err(EngineError::Cluster)?;
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if let Some(live) = &survey.live
            && self.mend(lock.epoch, live, &observed).await?
        {
            survey = self.cluster.survey().await.map_err(ProposeError::Cluster)?;
        }
        if let Some(live) = &survey.live {
            let mended = self.mend_workers(lock.epoch, live, &observed).await;
            mended.map_err(EngineError::Cluster)?;
        }
        let images = outside.images.map_err(ProposeError::Resolve)?;
        let found = Found {
            survey,
            record,
            restraints: observed.restraints,
            budget: outside.budget,
        };
        let mut proposal = self.propose_resolved(group, &images, found).await?;
        proposal.plan.source = Some(Source::of(group, &images));
        Ok(proposal)
    }

    /// Puts on record that a moment of the schedule came to nothing.
    async fn note_met(&self, lock: &Lock, meets: Option<Met>) -> Result<(), EngineError> {
        let Some(met) = meets else { return Ok(()) };
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        record.met = Some(met);
        let written = self.ledger.write(lock.epoch, &record).await;
        written.map_err(EngineError::Cluster)
    }

    /// Tells everybody that a promotion was asked for and is not begun.
    fn not_begun(&self, actor: Actor, proposal: &Proposal, restraints: Vec<Restraint>) -> Deployed {
        let fact = Fact::Refused {
            actor,
            release: proposal.plan.release.clone(),
            restraints: restraints.clone(),
        };
        self.record(None, fact);
        Deployed::Refused(restraints)
    }
}
