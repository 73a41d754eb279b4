//! Going back to what served before: at once while that still stands, and else by
//! promoting the kept release as it was, with its checks.

use tokio_util::sync::CancellationToken;

use super::deploy::{DeployOptions, stopped_after};
use super::lock::Lock;
use super::outside::{Answers, Outside};
use super::propose::{Proposal, ProposeError};
use super::undo::{Undone, Wish};
use super::{Deployed, Engine, EngineError};
use crate::group::Group;
use crate::plan::Serving;
use crate::plan::image::Resolved;
use crate::promotion::record::GroupRecord;
use crate::promotion::request::Action;
use crate::promotion::restraint::Restraint;

/// What came of a rollback.
#[derive(Debug, Clone, PartialEq)]
pub enum RolledBack {
    /// A promotion was inside `keep_old`, or was to be.
    Undone(Undone),
    /// The release was promoted again, or was to be.
    Deployed(Deployed),
}

impl Engine {
    /// Goes back to the kept release whose identity, or the identity of a promotion
    /// of it, begins with `to`; to what served before if none is given.
    ///
    /// # Errors
    /// No such release is kept; and as [`Engine::undo`] and [`Engine::deploy`].
    pub async fn rollback(
        &self,
        to: Option<&str>,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<RolledBack, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if record
            .in_flight
            .as_ref()
            .is_some_and(|p| !p.phase.leads_users())
        {
            // What serves is not its doing; who wants it gone gives it up.
            return Ok(RolledBack::Undone(Undone::Nothing(Box::new(record))));
        }
        let old = record.in_flight.as_ref().and_then(|p| p.replaces.as_ref());
        let is_meant = |old: &Serving| to.is_none_or(|to| record.names(old, to));
        if old.is_some_and(is_meant) {
            let wish = Wish {
                action: Action::Rollback,
                actor: options.actor.name.clone(),
                reason: options.why.clone(),
            };
            match self.undo(wish, stop.clone()).await? {
                // It ended meanwhile.
                Undone::Nothing(_) => {}
                undone => return Ok(RolledBack::Undone(undone)),
            }
        }
        let acquired = self.lock_and_look(&options.actor.name, &stop).await?;
        let Some(mut lock) = acquired else {
            return Ok(RolledBack::Deployed(Deployed::Stopped));
        };
        let deployed = Box::pin(self.promote_again(&mut lock, to, options, stop)).await;
        self.unlock(&lock).await;
        deployed.map(RolledBack::Deployed)
    }

    async fn promote_again(
        &self,
        lock: &mut Lock,
        to: Option<&str>,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        let options = DeployOptions {
            // A person says so, whatever was found before.
            retry: true,
            ..options
        };
        let record = self.record_or_rebuilt(lock).await?;
        // What cannot be found is said before anything else is done.
        record.find(to)?;
        // Only a promotion that may be begun ends the window of the one before it.
        let has_work = async || {
            let next = self.propose_kept(to).await;
            next.is_ok_and(|next| options.against(&next.restraints).is_ok())
        };
        let finished = self.finish_unfinished(lock, stop.clone(), has_work).await?;
        if stop.is_cancelled() {
            return Ok(stopped_after(finished));
        }
        let (group, images) = self.kept_source(to).await?;
        let answers = Answers::of_nobody(&group);
        let known = async { Outside::known(images) };
        let planning = self.propose_mended(lock, &group, known);
        let proposal = tokio::select! {
            proposal = self.in_time(&answers, planning) => proposal?.back(),
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        let live = proposal.live.as_ref().map(|live| live.fingerprint.clone());
        let leaves = live.filter(|live| *live != proposal.plan.fingerprint);
        self.begin(lock, proposal, options, leaves, stop).await
    }

    /// What promoting the kept release again would do now.
    async fn propose_kept(&self, to: Option<&str>) -> Result<Proposal, EngineError> {
        let (group, images) = self.kept_source(to).await?;
        let answers = Answers::of_nobody(&group);
        let planning = async {
            let found = self.find().await.map_err(ProposeError::Cluster)?;
            self.propose_resolved(&group, &images, found).await
        };
        let proposal = self.in_time(&answers, planning).await;
        Ok(proposal?.back())
    }

    /// The group and the images that the kept release was made from.
    async fn kept_source(&self, to: Option<&str>) -> Result<(Group, Resolved), EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let target = record.find(to)?;
        let gone = || EngineError::NotKept {
            release: target.release.clone(),
        };
        let plan = self.ledger.plan(&target.plan).await;
        let plan = plan.map_err(EngineError::Cluster)?;
        let source = plan.and_then(|plan| plan.source).ok_or_else(gone)?;
        source.unpack().map_err(|_| gone())
    }
}

impl Proposal {
    /// One that goes back, which is what is asked for.
    fn back(mut self) -> Self {
        let is_older = |found: &Restraint| matches!(found, Restraint::Older { .. });
        self.restraints.retain(|found| !is_older(found));
        self
    }
}

/// Fewest digits by which a release is named.
const FEWEST: usize = 6;

impl GroupRecord {
    /// Whether a text names a release: by the first digits of its identity, or by a
    /// promotion of it.
    fn names(&self, serving: &Serving, text: &str) -> bool {
        let is_release = text.len() >= FEWEST && serving.release.as_ref().starts_with(text);
        let mut promotions = self
            .outcomes
            .iter()
            .filter(|o| o.release == serving.release);
        is_release || promotions.any(|o| o.promotion.as_ref() == text)
    }

    /// Whether it is another release than what serves, and none that was found bad.
    fn is_way_back(&self, kept: &Serving) -> bool {
        let serves = self.serving.as_ref().map(|serving| &serving.release);
        let mut outcomes = self.outcomes.iter().filter(|o| o.release == kept.release);
        let is_bad = outcomes.any(|o| self.found_bad(&o.fingerprint).is_some());
        Some(&kept.release) != serves && !is_bad
    }

    /// The kept release that is meant.
    fn find(&self, to: Option<&str>) -> Result<&Serving, EngineError> {
        let found = match to {
            None => self.kept().find(|kept| self.is_way_back(kept)),
            // What serves may be named as well, and there is nothing to do then.
            Some(to) => self
                .kept()
                .chain(&self.serving)
                .find(|kept| self.names(kept, to)),
        };
        found.ok_or_else(|| EngineError::NothingKept {
            wanted: to.map(str::to_owned),
            kept: self.kept().map(|kept| kept.release.clone()).collect(),
        })
    }
}
